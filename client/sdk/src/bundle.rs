//! What is inside an envelope: the full desired state of a device.
//!
//! A bundle replaces what was delivered before; what it does not name is taken away. Its form is SCALE of the version,
//! the items and the padding. Padding brings the length to a size class, so that the ciphertext on the public chain
//! tells less about its content. Decoding is strict: a bundle that says anything a device does not understand is
//! refused as a whole, because applying a part of a state is applying another state.

use crate::names::{InvalidName, MAX_TEXT_LEN, NameKind};
use codec::{Decode, Encode};
use dpki_primitives::ids::AnchorId;
use zeroize::Zeroizing;

/// The version that this crate writes and reads.
const VERSION: u8 = 1;

/// Most items of a bundle.
pub const MAX_ITEMS: usize = 256;
/// Most hosts or principals of an item.
pub const MAX_NAMES: usize = 256;
/// Longest SSH certificate in OpenSSH's text form, in bytes.
pub const MAX_CERTIFICATE_LEN: usize = 8 * 1024;

/// The lengths that a bundle can have, in bytes: each class twice the one before, and at last all that an envelope holds.
const SIZE_CLASSES: [usize; 7] =
	[1024, 2048, 4096, 8192, 16_384, 32_768, crate::envelope::MAX_PLAINTEXT_LEN];

/// Why a bundle could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
	/// It is of another version.
	#[error("the bundle is of version {0}, this program knows {VERSION}: update it")]
	Version(u8),
	/// It has an item of an unknown type.
	#[error("the bundle has an item of the unknown type {0}: update this program")]
	UnknownItem(u8),
	/// It does not decode.
	#[error("the bundle is malformed ({0}): have it published again")]
	Malformed(&'static str),
	/// Something in it is too long.
	#[error("the bundle has {what} of {found}, at most {allowed} are allowed: deliver less")]
	TooMuch {
		/// What.
		what: &'static str,
		/// How much there is.
		found: usize,
		/// How much may be.
		allowed: usize,
	},
	/// A login, a principal or a host pattern breaks the rule for its kind.
	#[error(transparent)]
	Name(#[from] InvalidName),
	/// A host CA speaks for no host.
	#[error("the bundle has a host CA without hosts: name at least one host pattern")]
	NoHosts,
	/// Two items of a bundle speak of the same thing.
	#[error("the bundle names {0} twice: name it once")]
	Repeated(String),
}

/// One part of the desired state.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub enum Item {
	/// Logins are allowed with certificates of this SSH user CA.
	#[codec(index = 0)]
	SshUserCa {
		/// The anchor.
		anchor: AnchorId,
	},
	/// The device proves itself with this host certificate.
	#[codec(index = 1)]
	SshHostCertificate {
		/// The certificate as a line of text, as in a `-cert.pub` file.
		certificate: String,
	},
	/// Hosts of these patterns prove themselves with certificates of this SSH host CA.
	#[codec(index = 2)]
	SshKnownHostCa {
		/// The anchor.
		anchor: AnchorId,
		/// Host patterns, as in `known_hosts`.
		hosts: Vec<String>,
	},
	/// Certificates with one of these principals may log in as this user.
	#[codec(index = 3)]
	SshPrincipals {
		/// The user of the device.
		login: String,
		/// The principals.
		principals: Vec<String>,
	},
}

/// The full desired state of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bundle {
	/// Its parts.
	pub items: Vec<Item>,
}

impl Bundle {
	/// The bytes to be sealed, padded to a size class.
	pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BundleError> {
		self.check()?;
		let mut bytes = Zeroizing::new((VERSION, &self.items).encode());
		let len = bytes.len();
		let class = SIZE_CLASSES.into_iter().find(|class| *class >= len);
		let class = class.ok_or(BundleError::TooMuch {
			what: "a length in bytes",
			found: len,
			allowed: crate::envelope::MAX_PLAINTEXT_LEN,
		})?;
		let mut padded = Zeroizing::new(Vec::with_capacity(class));
		padded.append(&mut bytes);
		padded.resize(class, 0);
		Ok(padded)
	}

	/// The bundle that these bytes are.
	pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
		let mut input = bytes;
		let version = u8::decode(&mut input).map_err(|_| BundleError::Malformed("it is empty"))?;
		if version != VERSION {
			return Err(BundleError::Version(version));
		}
		let mut items = Vec::new();
		for _ in 0..take_count(&mut input, "items", MAX_ITEMS)? {
			items.push(take_item(&mut input)?);
		}
		// The padding is nothing but zeros up to the next class: it has no room for a second message.
		let content = bytes.len() - input.len();
		let class = SIZE_CLASSES.into_iter().find(|class| *class >= content);
		if class != Some(bytes.len()) || input.iter().any(|byte| *byte != 0) {
			return Err(BundleError::Malformed("its padding is wrong"));
		}
		let bundle = Self { items };
		bundle.check()?;
		Ok(bundle)
	}

	fn check(&self) -> Result<(), BundleError> {
		at_most("items", self.items.len(), MAX_ITEMS)?;
		let mut seen = std::collections::BTreeSet::new();
		for item in &self.items {
			let subject = match item {
				Item::SshUserCa { anchor } => format!("the user CA {anchor}"),
				Item::SshHostCertificate { certificate } => {
					at_most("a certificate", certificate.len(), MAX_CERTIFICATE_LEN)?;
					let is_line = certificate.chars().all(|c| c.is_ascii_graphic() || c == ' ');
					if certificate.is_empty() || !is_line {
						return Err(BundleError::Malformed(
							"a certificate is not one line of text",
						));
					}
					// A device has one host key, and proves itself with one certificate for it.
					"the host certificate".to_owned()
				},
				Item::SshKnownHostCa { anchor, hosts } => {
					check_names(NameKind::HostPattern, "host patterns", hosts)?;
					if hosts.is_empty() {
						return Err(BundleError::NoHosts);
					}
					format!("the host CA {anchor}")
				},
				Item::SshPrincipals { login, principals } => {
					NameKind::Login.check(login)?;
					check_names(NameKind::Principal, "principals", principals)?;
					format!("the login {login}")
				},
			};
			if !seen.insert(subject.clone()) {
				return Err(BundleError::Repeated(subject));
			}
		}
		Ok(())
	}
}

fn take_item(input: &mut &[u8]) -> Result<Item, BundleError> {
	let index = take(input, "an item")?;
	Ok(match index {
		0u8 => Item::SshUserCa { anchor: take(input, "an anchor")? },
		1 => Item::SshHostCertificate {
			certificate: take_text(input, "a certificate", MAX_CERTIFICATE_LEN)?,
		},
		2 => Item::SshKnownHostCa {
			anchor: take(input, "an anchor")?,
			hosts: take_names(input, "host patterns")?,
		},
		3 => Item::SshPrincipals {
			login: take_text(input, "a login name", MAX_TEXT_LEN)?,
			principals: take_names(input, "principals")?,
		},
		unknown => return Err(BundleError::UnknownItem(unknown)),
	})
}

fn take<T: Decode>(input: &mut &[u8], what: &'static str) -> Result<T, BundleError> {
	T::decode(input).map_err(|_| BundleError::Malformed(what))
}

fn take_count(input: &mut &[u8], what: &'static str, allowed: usize) -> Result<usize, BundleError> {
	let count = take::<codec::Compact<u32>>(input, what)?.0 as usize;
	at_most(what, count, allowed)?;
	Ok(count)
}

fn take_text(input: &mut &[u8], what: &'static str, allowed: usize) -> Result<String, BundleError> {
	let len = take_count(input, what, allowed)?;
	let (text, rest) = input.split_at_checked(len).ok_or(BundleError::Malformed(what))?;
	*input = rest;
	String::from_utf8(text.to_vec()).map_err(|_| BundleError::Malformed(what))
}

fn take_names(input: &mut &[u8], what: &'static str) -> Result<Vec<String>, BundleError> {
	(0..take_count(input, what, MAX_NAMES)?)
		.map(|_| take_text(input, what, MAX_TEXT_LEN))
		.collect()
}

fn at_most(what: &'static str, found: usize, allowed: usize) -> Result<(), BundleError> {
	if found > allowed { Err(BundleError::TooMuch { what, found, allowed }) } else { Ok(()) }
}

fn check_names(kind: NameKind, all: &'static str, names: &[String]) -> Result<(), BundleError> {
	at_most(all, names.len(), MAX_NAMES)?;
	Ok(names.iter().try_for_each(|name| kind.check(name))?)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn bundle() -> Bundle {
		Bundle {
			items: vec![
				Item::SshUserCa { anchor: AnchorId([1; 32]) },
				Item::SshHostCertificate {
					certificate: "ssh-ed25519-cert-v01@openssh.com AAAA".into(),
				},
				Item::SshKnownHostCa {
					anchor: AnchorId([2; 32]),
					hosts: vec!["*.acme.example".into(), "[10.0.0.7]:2222".into()],
				},
				Item::SshPrincipals {
					login: "root".into(),
					principals: vec!["ops@acme".into(), "zone:all".into()],
				},
			],
		}
	}

	#[test]
	fn a_bundle_round_trips() {
		for bundle in [bundle(), Bundle::default()] {
			assert_eq!(Bundle::decode(&bundle.encode().unwrap()), Ok(bundle));
		}
	}

	#[test]
	fn lengths_tell_the_class_only() {
		assert_eq!(Bundle::default().encode().unwrap().len(), 1024);
		assert_eq!(bundle().encode().unwrap().len(), 1024);
		let many = (0..200).map(|n| Item::SshUserCa { anchor: AnchorId([n; 32]) }).collect();
		assert_eq!(Bundle { items: many }.encode().unwrap().len(), 8192);
	}

	#[test]
	fn a_bundle_of_another_version_is_refused() {
		let mut bytes = bundle().encode().unwrap();
		bytes[0] = 2;
		assert_eq!(Bundle::decode(&bytes), Err(BundleError::Version(2)));
	}

	#[test]
	fn an_unknown_item_is_named_by_its_number() {
		let mut bytes = (VERSION, vec![9u8]).encode();
		bytes.resize(1024, 0);
		assert_eq!(Bundle::decode(&bytes), Err(BundleError::UnknownItem(9)));
		assert!(BundleError::UnknownItem(9).to_string().contains("unknown type 9"));
	}

	#[test]
	fn nothing_may_follow_but_the_right_zeros() {
		let bytes = bundle().encode().unwrap();
		let refused = Err(BundleError::Malformed("its padding is wrong"));
		let mut tail = bytes.to_vec();
		*tail.last_mut().unwrap() = 1;
		assert_eq!(Bundle::decode(&tail), refused);
		let longer = [&bytes[..], &[0; 1024]].concat();
		assert_eq!(Bundle::decode(&longer), refused);
		let unpadded = (VERSION, &bundle().items).encode();
		assert_eq!(Bundle::decode(&unpadded), refused);
	}

	#[test]
	fn every_cut_is_refused() {
		let content = (VERSION, &bundle().items).encode();
		for len in 0..content.len() {
			assert!(Bundle::decode(&content[..len]).is_err(), "{len}");
		}
	}

	#[test]
	fn a_count_beyond_its_bound_allocates_nothing() {
		let bytes = (VERSION, codec::Compact(u32::MAX)).encode();
		let too_much =
			BundleError::TooMuch { what: "items", found: u32::MAX as usize, allowed: MAX_ITEMS };
		assert_eq!(Bundle::decode(&bytes), Err(too_much));
	}

	/// Refused when it is written, and when somebody wrote it all the same.
	fn assert_refused(item: Item, refused: impl Fn(&BundleError) -> bool) {
		let items = vec![item];
		let mut bytes = (VERSION, &items).encode();
		bytes.resize(1024, 0);
		for error in [
			Bundle { items: items.clone() }.encode().unwrap_err(),
			Bundle::decode(&bytes).unwrap_err(),
		] {
			assert!(refused(&error), "{items:?}: {error}");
		}
	}

	fn is_name(error: &BundleError) -> bool {
		matches!(error, BundleError::Name(_))
	}

	#[test]
	fn a_login_is_one_that_a_device_can_take() {
		for login in ["", "a b", "a\nb", "a,b", "ä", "../etc", "%u", "-o", &"x".repeat(33)] {
			assert_refused(
				Item::SshPrincipals { login: login.into(), principals: vec![] },
				is_name,
			);
		}
	}

	#[test]
	fn a_principal_is_one_that_a_device_can_take() {
		for name in ["", "a b", "a\nb", "a,b", "a\"b", "a#b", "ä", "admin;x", "*"] {
			let principals = vec!["good".into(), name.into()];
			assert_refused(Item::SshPrincipals { login: "root".into(), principals }, is_name);
		}
		let principals = vec!["https://id/x".into(), "x".repeat(255)];
		let good = Bundle { items: vec![Item::SshPrincipals { login: "root".into(), principals }] };
		assert_eq!(Bundle::decode(&good.encode().unwrap()), Ok(good));
	}

	#[test]
	fn a_host_pattern_is_one_that_a_device_can_take() {
		let anchor = AnchorId([1; 32]);
		for host in ["", "a b", "!a", "@revoked", "#x", "-x", "a,b"] {
			assert_refused(Item::SshKnownHostCa { anchor, hosts: vec![host.into()] }, is_name);
		}
		assert_refused(Item::SshKnownHostCa { anchor, hosts: vec![] }, |error| {
			matches!(error, BundleError::NoHosts)
		});
	}

	#[test]
	fn a_name_that_is_too_long_is_refused_before_it_is_read() {
		let login = "x".repeat(MAX_TEXT_LEN + 1);
		let bytes = (VERSION, vec![Item::SshPrincipals { login, principals: vec![] }]).encode();
		let too_much = BundleError::TooMuch {
			what: "a login name",
			found: MAX_TEXT_LEN + 1,
			allowed: MAX_TEXT_LEN,
		};
		assert_eq!(Bundle::decode(&bytes), Err(too_much));
	}

	#[test]
	fn a_certificate_is_one_line() {
		for certificate in ["", "a\nb", "a\0"] {
			let items = vec![Item::SshHostCertificate { certificate: certificate.into() }];
			assert!(Bundle { items }.encode().is_err(), "{certificate}");
		}
	}

	#[test]
	fn a_thing_is_named_once() {
		let item = Item::SshPrincipals { login: "root".into(), principals: vec![] };
		let twice = Bundle { items: vec![item.clone(), item] };
		assert_eq!(twice.encode().unwrap_err(), BundleError::Repeated("the login root".into()));
		let certificates =
			["a", "b"].map(|text| Item::SshHostCertificate { certificate: text.into() });
		let twice = Bundle { items: certificates.into() };
		let repeated = BundleError::Repeated("the host certificate".into());
		assert_eq!(twice.encode().unwrap_err(), repeated);
	}
}
