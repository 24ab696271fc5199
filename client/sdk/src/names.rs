//! Which names may stand in a bundle, and so become file names and lines of OpenSSH files on a device.
//!
//! [`Bundle`](crate::Bundle) refuses every other name when it is written and when it is read, so that whoever publishes
//! and the device that receives judge by one rule.

use crate::primitives::ids::{self, is_valid_login, is_valid_name};

/// The rule for names of organisations and devices ([`is_valid_name`](crate::primitives::ids::is_valid_name)) in words,
/// to be put after "use" or "a name has".
pub const NAME_RULE: &str =
	"1 to 63 characters of a-z, 0-9, - and ., with a letter or digit at both ends";

/// The longest login that Linux tools accept, in bytes.
pub const MAX_LOGIN_LEN: usize = ids::MAX_LOGIN_LEN as usize;

/// The longest principal or host pattern, in bytes: as long as the longest host name (RFC 1035 section 2.3.4), which
/// keeps a line short.
pub const MAX_TEXT_LEN: usize = 255;

/// Whether this can be a login, and with it the name of a file: by the rule of the chain,
/// [`is_valid_login`](crate::primitives::ids::is_valid_login).
pub fn is_login(text: &str) -> bool {
	is_valid_login(text.as_bytes())
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

/// Whether this can be the identity of a pre-shared key: a principal without the colon that ends it in a `psk_file`.
pub fn is_psk_identity(text: &str) -> bool {
	is_principal(text) && !text.contains(':')
}

/// What a name in a bundle stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
	/// An account of the device, see [`is_login`].
	Login,
	/// A name in user certificates, see [`is_principal`].
	Principal,
	/// The hosts that a host CA speaks for, see [`is_host_pattern`].
	HostPattern,
	/// A service of the device, or data for one: a name like that of a device.
	Label,
	/// By which name others know a pre-shared key, see [`is_psk_identity`].
	PskIdentity,
}

/// A name breaks the rule for its kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name:?} cannot be {}: use {}", .kind.word(), .kind.rule())]
pub struct InvalidName {
	/// What it was to be.
	pub kind: NameKind,
	/// What was given.
	pub name: String,
}

impl NameKind {
	/// Refuses a text that cannot be a name of this kind.
	pub fn check(self, text: &str) -> Result<(), InvalidName> {
		let is_good = match self {
			Self::Login => is_login(text),
			Self::Principal => is_principal(text),
			Self::HostPattern => is_host_pattern(text),
			Self::Label => is_valid_name(text.as_bytes()),
			Self::PskIdentity => is_psk_identity(text),
		};
		if is_good { Ok(()) } else { Err(InvalidName { kind: self, name: text.to_owned() }) }
	}

	const fn word(self) -> &'static str {
		match self {
			Self::Login => "a login name",
			Self::Principal => "a principal",
			Self::HostPattern => "a host pattern",
			Self::Label => "the name of a service",
			Self::PskIdentity => "the identity of a pre-shared key",
		}
	}

	const fn rule(self) -> &'static str {
		match self {
			Self::Login => {
				"1 to 32 letters, digits, _, - and ., the first one a letter, a digit or _"
			},
			Self::Principal => "1 to 255 letters, digits and characters of ._-@:/+=",
			Self::HostPattern => {
				"1 to 255 letters, digits and characters of ._-:*?[], not beginning with ., _, - or ]"
			},
			Self::Label => NAME_RULE,
			Self::PskIdentity => "1 to 255 letters, digits and characters of ._-@/+=",
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::ids::{MAX_NAME_LEN, is_valid_name};

	#[test]
	fn a_login_cannot_lead_out_of_its_directory() {
		for good in ["root", "_apt", "alice", "a.b-c_d", "Alice2", "0", &"a".repeat(32)] {
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
		for bad in
			["", "a b", "a\tb", "a\nb", "#a", "command=\"x\"", "a,b", "ä", "*", &"a".repeat(256)]
		{
			assert!(!is_principal(bad), "{bad}");
		}
	}

	#[test]
	fn a_host_pattern_stays_one_word() {
		for good in ["*", "*.fleet.example", "[drone-7]:2222", "fe80::1", "10.0.0.?"] {
			assert!(is_host_pattern(good), "{good}");
		}
		let long = "a".repeat(256);
		for bad in ["", "a b", "a,b", "#x", "@revoked", "|1|x", "!a", "a\n", "-x", &long] {
			assert!(!is_host_pattern(bad), "{bad}");
		}
	}

	#[test]
	fn a_refused_name_is_told_with_its_rule() {
		let error = NameKind::Login.check("-o").unwrap_err().to_string();
		assert!(error.starts_with("\"-o\" cannot be a login name: use 1 to 32 "), "{error}");
		// A line break that somebody else chose must not begin a line of its own.
		let error = NameKind::Principal.check("a\nb").unwrap_err().to_string();
		assert_eq!(error.lines().count(), 1, "{error}");
		assert!(NameKind::HostPattern.check("*.acme.example").is_ok());
	}

	#[test]
	fn the_words_about_names_are_the_rule_of_the_chain() {
		assert!(NAME_RULE.contains(&format!("1 to {MAX_NAME_LEN} ")));
		assert!(is_valid_name(b"a-0.z") && !is_valid_name(b"-a") && !is_valid_name(b"a_b"));
	}
}
