//! The names of subject alternative names, each held to the syntax of its form (RFC 5280 section 4.2.1.6).

use crate::{dn::DistinguishedName, error::Error};
use alloc::{string::String, vec::Vec};
use x509_cert::ext::pkix::name::GeneralName as Encoded;

/// A name, as the certificate has it. Host names are compared without regard to case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GeneralName {
	/// A host name in the preferred syntax, or `*.` and one.
	Dns(String),
	/// An address of 4 or 16 octets.
	Ip(Vec<u8>),
	/// A mailbox.
	Email(Mailbox),
	/// An absolute URI.
	Uri(String),
	/// A distinguished name.
	Directory(DistinguishedName),
	/// A name of a form that is not evaluated here.
	Other(NameForm),
}

/// The form of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameForm {
	/// dNSName.
	Dns,
	/// iPAddress.
	Ip,
	/// rfc822Name.
	Email,
	/// uniformResourceIdentifier.
	Uri,
	/// directoryName.
	Directory,
	/// otherName.
	OtherName,
	/// ediPartyName.
	EdiParty,
	/// registeredID.
	RegisteredId,
}

/// A mailbox: `local@host`. The local part is compared as it stands, the host without regard to case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
	/// What stands before the at sign.
	pub local: String,
	/// The host in lower case.
	pub host: String,
}

impl GeneralName {
	pub(crate) fn read(name: &Encoded) -> Result<Self, Error> {
		let malformed = Error::ExtensionMalformed;
		Ok(match name {
			Encoded::DnsName(name) => {
				ensure!(is_dns_pattern(name.as_str()), malformed);
				Self::Dns(name.as_str().into())
			},
			Encoded::IpAddress(address) => {
				ensure!(matches!(address.as_bytes().len(), 4 | 16), malformed);
				Self::Ip(address.as_bytes().to_vec())
			},
			Encoded::Rfc822Name(name) => {
				Self::Email(Mailbox::read(name.as_str()).ok_or(malformed)?)
			},
			Encoded::UniformResourceIdentifier(uri) => {
				ensure!(is_absolute_uri(uri.as_str()), malformed);
				Self::Uri(uri.as_str().into())
			},
			Encoded::DirectoryName(name) => {
				Self::Directory(DistinguishedName::read(name.clone()).map_err(|_| malformed)?)
			},
			Encoded::OtherName(_) => Self::Other(NameForm::OtherName),
			Encoded::EdiPartyName(_) => Self::Other(NameForm::EdiParty),
			Encoded::RegisteredId(_) => Self::Other(NameForm::RegisteredId),
		})
	}

	/// The form of the name.
	pub fn form(&self) -> NameForm {
		match self {
			Self::Dns(_) => NameForm::Dns,
			Self::Ip(_) => NameForm::Ip,
			Self::Email(_) => NameForm::Email,
			Self::Uri(_) => NameForm::Uri,
			Self::Directory(_) => NameForm::Directory,
			Self::Other(form) => *form,
		}
	}
}

impl Mailbox {
	/// Reads a mailbox (RFC 5321 section 4.1.2) whose local part is neither quoted nor empty.
	pub fn read(text: &str) -> Option<Self> {
		let (local, host) = text.split_once('@')?;
		let is_atom = |byte: u8| byte.is_ascii_graphic() && !b"()<>[]:;,\"\\@".contains(&byte);
		if local.is_empty() || local.len() > 64 || !local.bytes().all(is_atom) {
			return None;
		}
		Some(Self { local: local.into(), host: host_name(host)? })
	}
}

/// The host name in lower case, if it is one: the preferred syntax of RFC 1034 section 3.5 as modified by RFC 1123
/// section 2.1. A last label of digits alone would make it an address.
pub fn host_name(text: &str) -> Option<String> {
	let is_label = |label: &str| {
		matches!(label.len(), 1..=63)
			&& label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
			&& !label.starts_with('-')
			&& !label.ends_with('-')
	};
	let last = text.rsplit('.').next()?;
	let is_host = text.len() <= 253
		&& text.split('.').all(is_label)
		&& !last.bytes().all(|byte| byte.is_ascii_digit());
	is_host.then(|| text.to_ascii_lowercase())
}

/// Whether the text is a host name, or `*.` and a host name.
fn is_dns_pattern(text: &str) -> bool {
	host_name(text.strip_prefix("*.").unwrap_or(text)).is_some()
}

/// Whether the host lies below the domain, without regard to case.
pub(crate) fn is_below(host: &str, domain: &str) -> bool {
	let Some(dot) = host.len().checked_sub(domain.len() + 1) else { return false };
	let (Some(above), Some(below)) = (host.get(..=dot), host.get(dot + 1..)) else { return false };
	above.ends_with('.') && below.eq_ignore_ascii_case(domain)
}

/// RFC 5280 section 4.2.1.6: not relative, with a scheme and something after it.
fn is_absolute_uri(uri: &str) -> bool {
	let Some((scheme, rest)) = uri.split_once(':') else { return false };
	scheme.starts_with(|first: char| first.is_ascii_alphabetic())
		&& scheme
			.bytes()
			.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
		&& !rest.is_empty()
		&& rest.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The host of a URI in lower case; `None` if it has none, or an address in place of a name.
pub(crate) fn uri_host(uri: &str) -> Option<String> {
	let (_, rest) = uri.split_once(':')?;
	let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
	let host = authority.rsplit('@').next()?;
	host_name(host.split(':').next()?)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn host_names_have_the_preferred_syntax() {
		for good in ["a", "A.example", "xn--bliss-1b3c148a.example.com", "1.a", "a-b.c", "3com.com"]
		{
			assert!(host_name(good).is_some(), "{good}");
		}
		let long = "a".repeat(64);
		for bad in [
			"", ".", "a.", ".a", "a..b", "a_b.c", "-a.b", "a-.b", "a b", "1.2.3.4", "*.a", "é.a",
			&long,
		] {
			assert!(host_name(bad).is_none(), "{bad}");
		}
	}

	#[test]
	fn a_wildcard_is_the_whole_first_label() {
		assert!(is_dns_pattern("*.Example.com"));
		for bad in ["*", "*.", "a.*.b", "a*.b.c", "*.*.a", "xn--*-1b3c148a.example.com"] {
			assert!(!is_dns_pattern(bad), "{bad}");
		}
	}

	#[test]
	fn below_means_with_a_dot_between() {
		assert!(is_below("a.Example.com", "eXample.com"));
		for host in ["example.com", "aexample.com", "com", "", ".", "a.example.org"] {
			assert!(!is_below(host, "example.com"), "{host}");
		}
	}

	#[test]
	fn mailboxes_have_one_at_sign_and_a_host() {
		let mailbox = Mailbox::read("Me+*@Example.com").unwrap();
		assert_eq!((mailbox.local.as_str(), mailbox.host.as_str()), ("Me+*", "example.com"));
		for bad in ["a", "@a", "a@", "a@b@c", "a b@c", "a@b_c", "\"a\"@b"] {
			assert!(Mailbox::read(bad).is_none(), "{bad}");
		}
	}

	#[test]
	fn the_host_of_a_uri_is_a_name() {
		assert_eq!(uri_host("https://me@A.example:8443/x?y#z").as_deref(), Some("a.example"));
		for bad in ["urn:x:y", "https:///x", "https://10.0.0.1/", "https://[::1]/", "mailto:a@b.c"]
		{
			assert!(uri_host(bad).is_none(), "{bad}");
		}
	}

	#[test]
	fn relative_uris_are_none() {
		assert!(is_absolute_uri("urn:uuid:1"));
		for bad in ["", "a", "/a", ":a", "1a:b", "a:", "a:b c"] {
			assert!(!is_absolute_uri(bad), "{bad}");
		}
	}
}
