//! What is inside an envelope: the full desired state of a device.
//!
//! A bundle replaces what was delivered before; what it does not name is taken away. Its form is
//!
//! | part | form |
//! |---|---|
//! | version | one byte, 2 |
//! | items | how many, then for each: kind, flags, length, content; numbers of bytes in SCALE's compact form |
//! | signature | 0, or 1 and a [`ContentSignature`] over the SHA2-256 of all before it |
//! | padding | zeros up to a size class |
//!
//! Padding brings the length to a size class, so that the ciphertext on the public chain tells less about its content.
//! Decoding is strict: a bundle that says anything a device does not understand is refused as a whole, because applying a
//! part of a state is applying another state. The one exception is for whoever wrote it to make: an item that is marked
//! as optional may be left out.

mod item;
mod signature;
#[cfg(test)]
mod tests;
mod wire;

pub use item::{AuthorizedKey, Item, Secret};
pub use signature::{ContentSignature, ContentSignatureError};

use crate::names::InvalidName;
use codec::Compact;
use sha2::{Digest, Sha256};
use wire::{at_most, put, put_raw, take, take_count};
use zeroize::Zeroizing;

/// The version that this crate writes and reads.
const VERSION: u8 = 2;

/// Most items of a bundle.
pub const MAX_ITEMS: usize = 256;
/// Most hosts, principals or keys of an item.
pub const MAX_NAMES: usize = 256;
/// Longest certificate in bytes, in OpenSSH's text form or in DER.
pub const MAX_CERTIFICATE_LEN: usize = 8 * 1024;
/// Most X.509 certificates of an item.
pub const MAX_CERTIFICATES: usize = 64;
/// Longest secret of an item in bytes; an RSA key of 8192 bits in OpenSSH's form takes about 6,400.
pub const MAX_SECRET_LEN: usize = 16 * 1024;

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
	/// It has an item of an unknown type, without which the rest makes no sense.
	#[error("the bundle has an item of the unknown type {0}: update this program")]
	UnknownItem(u8),
	/// It has an item with marks of an unknown meaning.
	#[error(
		"the bundle has an item of type {kind} with unknown marks ({flags}): update this program"
	)]
	UnknownFlags {
		/// Its kind.
		kind: u8,
		/// Its marks.
		flags: u8,
	},
	/// It does not decode.
	#[error("the bundle is malformed ({0}): have it published again")]
	Malformed(&'static str),
	/// What has to be one line of text is not.
	#[error("the bundle has {0} that is not one line of text: give one line")]
	NotALine(&'static str),
	/// A pre-shared key is too short or too long.
	#[error("the bundle has a pre-shared key that has not 16 to 64 bytes: make another one")]
	PskLength,
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

/// The full desired state of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bundle {
	/// Its parts.
	pub items: Vec<Item>,
}

/// What is in an envelope: a bundle, and who stands for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
	/// The desired state.
	pub bundle: Bundle,
	/// Who signed it, if somebody did.
	pub signature: Option<ContentSignature>,
	/// The SHA2-256 that a signature covers.
	pub digest: [u8; 32],
	/// The kinds of items that are unknown and were left out, as they may be.
	pub skipped: Vec<u8>,
}

impl Bundle {
	/// The bytes to be sealed, padded to a size class.
	pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BundleError> {
		self.check()?;
		seal_off(self.write(), None)
	}

	/// As [`encode`](Bundle::encode), with the signature that `sign` makes of the digest of the content.
	pub fn encode_signed(
		&self,
		sign: impl FnOnce([u8; 32]) -> ContentSignature,
	) -> Result<Zeroizing<Vec<u8>>, BundleError> {
		self.check()?;
		let bytes = self.write();
		let signature = sign(digest(&bytes));
		seal_off(bytes, Some(signature))
	}

	/// As [`encode`](Bundle::encode) of items that break the rules: what no honest publisher writes. For tests of those who
	/// have to refuse it.
	pub fn encode_unchecked(&self) -> Result<Zeroizing<Vec<u8>>, BundleError> {
		seal_off(self.write(), None)
	}

	/// The bundle that these bytes are.
	pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
		Content::decode(bytes).map(|content| content.bundle)
	}

	fn write(&self) -> Zeroizing<Vec<u8>> {
		let mut bytes = Zeroizing::new(Vec::new());
		put(&mut bytes, &VERSION);
		put(&mut bytes, &Compact(self.items.len() as u32));
		for item in &self.items {
			item.write(&mut bytes);
		}
		bytes
	}

	fn check(&self) -> Result<(), BundleError> {
		at_most("items", self.items.len(), MAX_ITEMS)?;
		let mut seen = std::collections::BTreeSet::new();
		for item in &self.items {
			item.check()?;
			let subject = item.subject();
			if !seen.insert(subject.clone()) {
				return Err(BundleError::Repeated(subject));
			}
		}
		Ok(())
	}
}

impl Content {
	/// What these bytes are. Whether the signature is any good is not looked at.
	pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
		let mut input = bytes;
		let version: u8 = take(&mut input, "it is empty")?;
		if version != VERSION {
			return Err(BundleError::Version(version));
		}
		let (mut items, mut skipped) = (Vec::new(), Vec::new());
		for _ in 0..take_count(&mut input, "items", MAX_ITEMS)? {
			match Item::read(&mut input)? {
				Ok(item) => items.push(item),
				Err(kind) => skipped.push(kind),
			}
		}
		let digest = digest(&bytes[..bytes.len() - input.len()]);
		let signature = take(&mut input, "its signature")?;
		// The padding is nothing but zeros up to the next class: it has no room for a second message.
		let content = bytes.len() - input.len();
		let class = SIZE_CLASSES.into_iter().find(|class| *class >= content);
		if class != Some(bytes.len()) || input.iter().any(|byte| *byte != 0) {
			return Err(BundleError::Malformed("its padding is wrong"));
		}
		let bundle = Bundle { items };
		bundle.check()?;
		Ok(Self { bundle, signature, digest, skipped })
	}
}

fn digest(bytes: &[u8]) -> [u8; 32] {
	Sha256::digest(bytes).into()
}

/// Adds the signature and the padding.
fn seal_off(
	mut bytes: Zeroizing<Vec<u8>>,
	signature: Option<ContentSignature>,
) -> Result<Zeroizing<Vec<u8>>, BundleError> {
	put(&mut bytes, &signature);
	let len = bytes.len();
	let class = SIZE_CLASSES.into_iter().find(|class| *class >= len);
	let class = class.ok_or(BundleError::TooMuch {
		what: "a length in bytes",
		found: len,
		allowed: crate::envelope::MAX_PLAINTEXT_LEN,
	})?;
	let mut padded = Zeroizing::new(Vec::with_capacity(class));
	put_raw(&mut padded, &bytes);
	padded.resize(class, 0);
	Ok(padded)
}
