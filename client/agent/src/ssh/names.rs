//! Which names of a bundle may become file names and lines of OpenSSH files.

/// The longest login that Linux tools accept.
const MAX_LOGIN_LEN: usize = 32;
/// Longer than any name in use; keeps a line short.
const MAX_TEXT_LEN: usize = 255;

/// Whether this can be a login, and with it the name of a file: letters, digits, `_`, `-`, `.`, the first one a letter,
/// a digit or `_`. Neither `..` nor `/` nor an option of a command passes.
pub fn is_login(text: &str) -> bool {
	let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
	text.len() <= MAX_LOGIN_LEN
		&& text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
		&& text.chars().all(inner)
}

/// Whether this can be a principal. White space would turn what is before it into options (`sshd(8)`,
/// AUTHORIZED_KEYS), `#` the line into a comment.
pub fn is_principal(text: &str) -> bool {
	let inner = |c: char| c.is_ascii_alphanumeric() || "._-@:/+=".contains(c);
	!text.is_empty() && text.len() <= MAX_TEXT_LEN && text.chars().all(inner)
}

/// Whether this can be a pattern of host names: `*.fleet.example`, `10.0.0.7`, `[drone-7]:2222`. Negation is left out:
/// next to another item for the same hosts it would not mean what it seems to.
pub fn is_host_pattern(text: &str) -> bool {
	let inner = |c: char| c.is_ascii_alphanumeric() || "._-:*?[]".contains(c);
	text.len() <= MAX_TEXT_LEN
		&& text.starts_with(|c: char| c.is_ascii_alphanumeric() || "*?[:".contains(c))
		&& text.chars().all(inner)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_login_cannot_lead_out_of_its_directory() {
		for good in ["root", "_apt", "alice", "a.b-c_d", "Alice2", "0"] {
			assert!(is_login(good), "{good}");
		}
		let bad = [
			"",
			".",
			"..",
			".ssh",
			"-f",
			"a/b",
			"../root",
			"/etc/passwd",
			"a b",
			"a\n",
			"a\0",
			"ä",
			"%u",
			"~root",
			"a\\b",
		];
		for bad in bad.into_iter().chain([&*"a".repeat(33)]) {
			assert!(!is_login(bad), "{bad}");
		}
	}

	#[test]
	fn a_principal_cannot_carry_options_or_lines() {
		for good in ["admin", "alice@acme.example", "role:operator", "https://id/x"] {
			assert!(is_principal(good), "{good}");
		}
		for bad in ["", "a b", "a\tb", "a\nb", "#a", "command=\"x\"", "a,b", "ä", "*"] {
			assert!(!is_principal(bad), "{bad}");
		}
	}

	#[test]
	fn a_host_pattern_stays_one_word() {
		for good in ["*", "*.fleet.example", "[drone-7]:2222", "fe80::1", "10.0.0.?"] {
			assert!(is_host_pattern(good), "{good}");
		}
		for bad in ["", "a b", "a,b", "#x", "@revoked", "|1|x", "!a", "a\n", "-x"] {
			assert!(!is_host_pattern(bad), "{bad}");
		}
	}
}
