//! Name constraints (RFC 5280 section 4.2.1.10).
//!
//! A permitted list limits only names of the forms that occur in it; an excluded list always wins. The constraints of
//! several authorities hold one by one, which is the intersection and union of section 6.1.4 (g).
//!
//! Stricter than the letter of the RFC, on the side that refuses:
//! - a wildcard is excluded as soon as one of the names that it stands for is;
//! - a mailbox in the subject is held to constraints even if there are alternative names;
//! - a network mask has to be a prefix.

use crate::{
	MAX_SUBTREES,
	certificate::Certificate,
	dn::{DistinguishedName, EMAIL_ADDRESS},
	error::Error,
	general_name::{GeneralName, Mailbox, NameForm, host_name, is_below, uri_host},
};
use alloc::{string::String, vec::Vec};
use x509_cert::ext::pkix::{self, constraints::name::GeneralSubtree, name::GeneralName as Encoded};

/// The names that the certificates below an authority may have.
#[derive(Clone, Default, Debug)]
pub struct NameConstraints {
	permitted: Vec<Subtree>,
	excluded: Vec<Subtree>,
}

/// A part of the space of names of one form.
#[derive(Clone, Debug)]
enum Subtree {
	/// This host and all below; all hosts if it is empty.
	Dns(String),
	/// An address and its mask, both of 4 or both of 16 octets.
	Ip(Vec<u8>, Vec<u8>),
	/// Mailboxes.
	Email(Mailboxes),
	/// Hosts of URIs.
	Uri(Hosts),
	/// A directory name and all below.
	Directory(DistinguishedName),
	/// A form that is not evaluated here.
	Other(NameForm),
}

#[derive(Clone, Debug)]
enum Mailboxes {
	One(Mailbox),
	AllAt(Hosts),
}

/// The forms of RFC 5280 section 4.2.1.10: `host`, or `.domain` for all hosts below.
#[derive(Clone, Debug)]
enum Hosts {
	Exactly(String),
	Below(String),
}

impl NameConstraints {
	pub(crate) fn read(constraints: &pkix::NameConstraints) -> Result<Self, Error> {
		let read = |list: &Option<Vec<GeneralSubtree>>| {
			let Some(list) = list else { return Ok(Vec::new()) };
			ensure!(!list.is_empty(), Error::ExtensionMalformed);
			ensure!(list.len() <= MAX_SUBTREES, Error::NameListTooLong);
			list.iter().map(Subtree::read).collect()
		};
		let permitted = read(&constraints.permitted_subtrees)?;
		let excluded = read(&constraints.excluded_subtrees)?;
		ensure!(!(permitted.is_empty() && excluded.is_empty()), Error::ExtensionMalformed);
		Ok(Self { permitted, excluded })
	}

	/// Refuses a certificate with a name outside (RFC 5280 section 6.1.3 (b) and (c)).
	pub fn check(&self, certificate: &Certificate) -> Result<(), Error> {
		if !certificate.subject().is_empty() {
			let is_within = |subtree: &Subtree| match subtree {
				Subtree::Directory(base) => Ok(certificate.subject().is_within(base)),
				_ => Ok(false),
			};
			self.check_form(NameForm::Directory, is_within)?;
		}
		for address in certificate.subject().attributes(EMAIL_ADDRESS) {
			let mailbox = address.and_then(Mailbox::read);
			self.check_form(NameForm::Email, |subtree| match (subtree, &mailbox) {
				(Subtree::Email(mailboxes), Some(mailbox)) => Ok(mailboxes.contain(mailbox)),
				_ => Err(Error::NameNotPermitted),
			})?;
		}
		for name in certificate.extensions().subject_names.iter().flatten() {
			self.check_form(name.form(), |subtree| subtree.contains(name))?;
			self.check_wildcard(name)?;
		}
		Ok(())
	}

	/// Applies the subtrees of a form to a name of that form.
	fn check_form(
		&self,
		form: NameForm,
		contains: impl Fn(&Subtree) -> Result<bool, Error>,
	) -> Result<(), Error> {
		for subtree in self.excluded.iter().filter(|subtree| subtree.form() == form) {
			ensure!(!contains(subtree)?, Error::NameExcluded);
		}
		let mut is_limited = false;
		for subtree in self.permitted.iter().filter(|subtree| subtree.form() == form) {
			if contains(subtree)? {
				return Ok(());
			}
			is_limited = true;
		}
		ensure!(!is_limited, Error::NameNotPermitted);
		Ok(())
	}

	/// `*.example.com` can be used as `bar.example.com`, so it must not pass where that one is excluded.
	fn check_wildcard(&self, name: &GeneralName) -> Result<(), Error> {
		let GeneralName::Dns(name) = name else { return Ok(()) };
		let Some(base) = name.strip_prefix("*.") else { return Ok(()) };
		for subtree in &self.excluded {
			let Subtree::Dns(excluded) = subtree else { continue };
			let parent = excluded.split_once('.').map(|(_, parent)| parent);
			let reaches = parent.is_some_and(|parent| parent.eq_ignore_ascii_case(base));
			ensure!(!reaches, Error::NameExcluded);
		}
		Ok(())
	}
}

impl Subtree {
	fn read(subtree: &GeneralSubtree) -> Result<Self, Error> {
		let malformed = Error::ExtensionMalformed;
		// RFC 5280 section 4.2.1.10: minimum is zero and maximum absent.
		ensure!(subtree.minimum == 0 && subtree.maximum.is_none(), malformed);
		Ok(match &subtree.base {
			Encoded::DnsName(name) if name.as_str().is_empty() => Self::Dns(String::new()),
			Encoded::DnsName(name) => Self::Dns(host_name(name.as_str()).ok_or(malformed)?),
			Encoded::IpAddress(range) => {
				let range = range.as_bytes();
				ensure!(matches!(range.len(), 8 | 32), malformed);
				let (address, mask) = range.split_at(range.len() / 2);
				ensure!(is_prefix(mask), malformed);
				Self::Ip(address.to_vec(), mask.to_vec())
			},
			Encoded::Rfc822Name(name) => Self::Email(match name.as_str() {
				mailbox if mailbox.contains('@') => {
					Mailboxes::One(Mailbox::read(mailbox).ok_or(malformed)?)
				},
				hosts => Mailboxes::AllAt(Hosts::read(hosts).ok_or(malformed)?),
			}),
			Encoded::UniformResourceIdentifier(name) => {
				Self::Uri(Hosts::read(name.as_str()).ok_or(malformed)?)
			},
			Encoded::DirectoryName(name) => {
				Self::Directory(DistinguishedName::read(name.clone()).map_err(|_| malformed)?)
			},
			Encoded::OtherName(_) => Self::Other(NameForm::OtherName),
			Encoded::EdiPartyName(_) => Self::Other(NameForm::EdiParty),
			Encoded::RegisteredId(_) => Self::Other(NameForm::RegisteredId),
		})
	}

	fn form(&self) -> NameForm {
		match self {
			Self::Dns(_) => NameForm::Dns,
			Self::Ip(..) => NameForm::Ip,
			Self::Email(_) => NameForm::Email,
			Self::Uri(_) => NameForm::Uri,
			Self::Directory(_) => NameForm::Directory,
			Self::Other(form) => *form,
		}
	}

	/// Whether the name lies in this subtree, both being of one form.
	fn contains(&self, name: &GeneralName) -> Result<bool, Error> {
		Ok(match (self, name) {
			(Self::Dns(base), GeneralName::Dns(name)) => {
				let name = name.strip_prefix("*.").unwrap_or(name);
				base.is_empty() || name.eq_ignore_ascii_case(base) || is_below(name, base)
			},
			(Self::Ip(address, mask), GeneralName::Ip(name)) => {
				name.len() == address.len()
					&& mask
						.iter()
						.zip(address.iter().zip(name))
						.all(|(mask, (address, name))| mask & address == mask & name)
			},
			(Self::Email(mailboxes), GeneralName::Email(mailbox)) => mailboxes.contain(mailbox),
			(Self::Uri(hosts), GeneralName::Uri(uri)) => {
				// Section 4.2.1.10: a URI without a host name is refused where there is a constraint.
				hosts.contain(&uri_host(uri).ok_or(Error::NameNotPermitted)?)
			},
			(Self::Directory(base), GeneralName::Directory(name)) => name.is_within(base),
			(Self::Other(_), GeneralName::Other(_)) => return Err(Error::NameFormUnsupported),
			_ => false,
		})
	}
}

impl Mailboxes {
	fn contain(&self, mailbox: &Mailbox) -> bool {
		match self {
			Self::One(only) => only == mailbox,
			Self::AllAt(hosts) => hosts.contain(&mailbox.host),
		}
	}
}

impl Hosts {
	fn read(text: &str) -> Option<Self> {
		match text.strip_prefix('.') {
			Some(domain) => host_name(domain).map(Self::Below),
			None => host_name(text).map(Self::Exactly),
		}
	}

	fn contain(&self, host: &str) -> bool {
		match self {
			Self::Exactly(only) => only == host,
			Self::Below(domain) => is_below(host, domain),
		}
	}
}

/// Whether the mask is ones followed by zeros (RFC 4632).
fn is_prefix(mask: &[u8]) -> bool {
	let mut rest = mask.iter().skip_while(|byte| **byte == 0xff);
	let border = rest.next().copied().unwrap_or(0);
	border.leading_ones() + border.trailing_zeros() >= 8 && rest.all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;

	fn dns(name: &str) -> GeneralName {
		GeneralName::Dns(name.into())
	}

	#[test]
	fn a_host_constraint_covers_the_host_and_what_is_below() {
		let subtree = Subtree::Dns("example.com".into());
		for inside in
			["example.com", "EXAMPLE.com", "a.Example.com", "a.b.example.com", "*.example.com"]
		{
			assert_eq!(subtree.contains(&dns(inside)), Ok(true), "{inside}");
		}
		for outside in ["com", "notexample.com", "*.com", "example.com.org"] {
			assert_eq!(subtree.contains(&dns(outside)), Ok(false), "{outside}");
		}
		assert_eq!(Subtree::Dns(String::new()).contains(&dns("a")), Ok(true));
	}

	#[test]
	fn a_wildcard_does_not_reach_around_an_exclusion() {
		let constraints =
			NameConstraints { permitted: vec![], excluded: vec![Subtree::Dns("b.a.org".into())] };
		assert_eq!(constraints.check_wildcard(&dns("*.A.org")), Err(Error::NameExcluded));
		assert_eq!(constraints.check_wildcard(&dns("*.c.org")), Ok(()));
		assert_eq!(constraints.check_wildcard(&dns("*.org")), Ok(()));
		assert_eq!(constraints.check_wildcard(&dns("a.org")), Ok(()));
	}

	#[test]
	fn masks_are_prefixes() {
		for good in [[255, 255, 255, 0], [0, 0, 0, 0], [255, 255, 255, 255], [255, 0xfe, 0, 0]] {
			assert!(is_prefix(&good), "{good:?}");
		}
		for bad in [[0, 255, 0, 0], [255, 0, 255, 0], [255, 0x7f, 0, 0], [0xfd, 0, 0, 0]] {
			assert!(!is_prefix(&bad), "{bad:?}");
		}
	}

	#[test]
	fn addresses_match_under_the_mask_of_their_own_length() {
		let subtree = Subtree::Ip(vec![192, 0, 2, 0], vec![255, 255, 255, 0]);
		assert_eq!(subtree.contains(&GeneralName::Ip(vec![192, 0, 2, 9])), Ok(true));
		assert_eq!(subtree.contains(&GeneralName::Ip(vec![192, 0, 3, 9])), Ok(false));
		assert_eq!(subtree.contains(&GeneralName::Ip(vec![0; 16])), Ok(false));
	}

	#[test]
	fn a_dot_in_front_means_below_and_not_itself() {
		let below = Hosts::read(".example.com").unwrap();
		assert!(below.contain("a.example.com") && below.contain("a.b.example.com"));
		assert!(!below.contain("example.com") && !below.contain("badexample.com"));
		let only = Hosts::read("example.com").unwrap();
		assert!(only.contain("example.com") && !only.contain("a.example.com"));
	}

	#[test]
	fn mailboxes_are_matched_whole_or_by_host() {
		let mailbox = |text| GeneralName::Email(Mailbox::read(text).unwrap());
		let one = Subtree::Email(Mailboxes::One(Mailbox::read("*@example.com").unwrap()));
		assert_eq!(one.contains(&mailbox("*@EXAMPLE.com")), Ok(true));
		assert_eq!(one.contains(&mailbox("a@example.com")), Ok(false));
		let host = Subtree::Email(Mailboxes::AllAt(Hosts::Exactly("example.com".into())));
		assert_eq!(host.contains(&mailbox("a@example.com")), Ok(true));
		assert_eq!(host.contains(&mailbox("a@sub.example.com")), Ok(false));
	}

	#[test]
	fn a_uri_without_a_host_is_refused_where_hosts_are_constrained() {
		let subtree = Subtree::Uri(Hosts::Exactly("example.com".into()));
		let uri = |text: &str| GeneralName::Uri(text.into());
		assert_eq!(subtree.contains(&uri("https://example.com/a")), Ok(true));
		assert_eq!(subtree.contains(&uri("https://10.0.0.1/")), Err(Error::NameNotPermitted));
		assert_eq!(subtree.contains(&uri("urn:a:b")), Err(Error::NameNotPermitted));
	}

	#[test]
	fn a_constrained_form_that_is_not_evaluated_is_refused() {
		let subtree = Subtree::Other(NameForm::RegisteredId);
		assert_eq!(
			subtree.contains(&GeneralName::Other(NameForm::RegisteredId)),
			Err(Error::NameFormUnsupported)
		);
	}
}
