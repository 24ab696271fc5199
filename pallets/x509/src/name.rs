//! Whether a certificate is for the name by which somebody was looked up (RFC 9525, RFC 6125).
//!
//! Only subject alternative names count. A common name has never been meant to be a host name, is held to no name
//! constraint, and so is no fallback.

use crate::{
	certificate::Certificate,
	error::Error,
	general_name::{GeneralName, Mailbox, host_name},
};

/// The name by which somebody was looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReferenceName<'a> {
	/// A host name without wildcard and without a dot at its end.
	Dns(&'a str),
	/// The 4 octets of an IPv4 or the 16 of an IPv6 address.
	Ip(&'a [u8]),
	/// A mailbox.
	Email(&'a str),
}

/// Refuses a certificate that is not for this name.
pub fn check_name(certificate: &Certificate, name: ReferenceName) -> Result<(), Error> {
	let names = certificate.extensions().subject_names.as_deref().unwrap_or_default();
	let is_there = match name {
		ReferenceName::Dns(host) => {
			let host = host_name(host).ok_or(Error::SubjectNameMismatch)?;
			names.iter().any(|presented| match presented {
				GeneralName::Dns(presented) => dns_matches(presented, &host),
				_ => false,
			})
		},
		ReferenceName::Ip(address) => names
			.iter()
			.any(|presented| matches!(presented, GeneralName::Ip(octets) if octets == address)),
		ReferenceName::Email(mailbox) => {
			let mailbox = Mailbox::read(mailbox).ok_or(Error::SubjectNameMismatch)?;
			names
				.iter()
				.any(|presented| matches!(presented, GeneralName::Email(own) if *own == mailbox))
		},
	};
	ensure!(is_there, Error::SubjectNameMismatch);
	Ok(())
}

/// RFC 9525 section 6.3: a wildcard is the whole first label and stands for exactly one label. Directly below a
/// top-level domain it would stand for other people's names and matches nothing.
fn dns_matches(presented: &str, host: &str) -> bool {
	let Some(base) = presented.strip_prefix("*.") else {
		return presented.eq_ignore_ascii_case(host);
	};
	let parent = host.split_once('.').map(|(_, parent)| parent);
	base.contains('.') && parent.is_some_and(|parent| parent.eq_ignore_ascii_case(base))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_wildcard_stands_for_one_label() {
		assert!(dns_matches("*.example.com", "a.example.com"));
		for host in ["example.com", "a.b.example.com", "aexample.com"] {
			assert!(!dns_matches("*.example.com", host), "{host}");
		}
	}

	#[test]
	fn a_wildcard_below_a_top_level_domain_matches_nothing() {
		assert!(!dns_matches("*.com", "example.com"));
	}
}
