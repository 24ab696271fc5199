//! HPKE envelopes (RFC 9180), bound to the record that announces them.
//!
//! | [`Suite`](dpki_primitives::delivery::Suite) | form |
//! |---|---|
//! | `X25519ChaCha20Poly1305` | `enc` (32 bytes), ciphertext with its tag |
//! | `XWingChaCha20Poly1305` | `enc` (1,120 bytes), ciphertext with its tag |
//! | `SharedX25519`, `SharedXWing` | see [`seal_shared`] |
//!
//! The sender uses a fresh key each time and is not authenticated by the envelope but by the record on the chain, whose
//! publisher, sequence and recipient are the associated data: an envelope opens in the place that it was made for and
//! nowhere else. The suite is part of it, so an envelope of one suite is none of another.

mod shared;
#[cfg(test)]
mod tests;

pub use shared::{ContentKey, most_recipients, review, seal_shared};

use crate::possession::{AgreementKey, HybridKey};
use dpki_primitives::{
	delivery::{DeliveryBinding, MAX_BLOB_LEN, MIN_BLOB_LEN},
	ids::KeyId,
	key::{KeyType, PublicKey},
};
use hpke::{
	Deserializable, Kem, OpModeR, OpModeS, Serializable,
	aead::ChaCha20Poly1305,
	kdf::HkdfSha256,
	kem::{X25519HkdfSha256, XWing},
};
use std::str::FromStr;
use zeroize::Zeroizing;

/// The longest plaintext that fits an envelope for one X25519 key, in bytes.
pub const MAX_PLAINTEXT_LEN: usize = (MAX_BLOB_LEN - MIN_BLOB_LEN) as usize;

/// Why an envelope could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
	/// The recipient's key is not for key agreement, or not for this suite.
	#[error(
		"the recipient's key is of type {}, this envelope needs {}: use a key-agreement key of that type",
		key_type.name(),
		needed.name()
	)]
	RecipientUnfit {
		/// What it is.
		key_type: KeyType,
		/// What it has to be.
		needed: KeyType,
	},
	/// The key is not the one that the binding names.
	#[error("the key is not the one that the delivery names: use the key with the id {expected}")]
	RecipientMismatch {
		/// The key that the binding names.
		expected: KeyId,
	},
	/// The recipient's key is degenerate.
	#[error(
		"nothing can be encrypted to the recipient's key: have the device register another one"
	)]
	RecipientInvalid,
	/// The plaintext does not fit.
	#[error("the content has {len} bytes, {room} are allowed: deliver less")]
	TooLong {
		/// How many bytes it has.
		len: usize,
		/// How many it may have.
		room: usize,
	},
	/// The envelope has an impossible length.
	#[error("an envelope of {len} bytes cannot be genuine: fetch it again from another place")]
	Length {
		/// How many bytes it has.
		len: usize,
	},
	/// It is of another version.
	#[error("the envelope is of version {version}, which this program does not know: update it")]
	Version {
		/// Which.
		version: u8,
	},
	/// It is sealed to nobody.
	#[error("an envelope needs a recipient: name a device")]
	NoRecipient,
	/// It is sealed to more than can be, or says so.
	#[error("an envelope for {found} recipients is refused: 1 to 256 are allowed")]
	TooManyRecipients {
		/// To how many.
		found: usize,
	},
	/// It has no room for so many with this content.
	#[error(
		"one envelope has no room for {found} devices with a content of {len} bytes, but for {most}: deliver to {most} of \
		 them at a time, or deliver less"
	)]
	NoRoom {
		/// To how many it was to be sealed.
		found: usize,
		/// To how many it can be.
		most: usize,
		/// How many bytes the content has, with its padding.
		len: usize,
	},
	/// What it is bound to makes no sense together.
	#[error(
		"the deliveries of one shared envelope differ in more than device, key and number: publish them apart"
	)]
	BindingsDiffer,
	/// It is for its recipient alone.
	#[error("the envelope is for its device alone, and nobody else can look into it")]
	NotShared,
	/// It does not open.
	#[error(
		"the envelope does not open under this key and record: it was altered, or made for another delivery"
	)]
	DoesNotOpen,
}

/// The public half of a key to which envelopes are sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecipientKey {
	/// An X25519 key, as the chain has it.
	X25519(PublicKey),
	/// The 1,216 bytes of an X-Wing key, of which the chain has the hash.
	XWing(Vec<u8>),
}

/// The public half of a hybrid key as it travels from the device to publishers: `x-wing:0x` and hexadecimal digits.
pub fn hybrid_key_text(bytes: &[u8]) -> String {
	format!("{}:0x{}", KeyType::XWing.name(), hex::encode(bytes))
}

impl FromStr for RecipientKey {
	type Err = RecipientError;

	/// What [`hybrid_key_text`] writes. That it is the key of some device is for the chain to say.
	fn from_str(text: &str) -> Result<Self, RecipientError> {
		let (name, digits) = text.trim().split_once(':').ok_or(RecipientError)?;
		if name != KeyType::XWing.name() {
			return Err(RecipientError);
		}
		let digits = digits.strip_prefix("0x").unwrap_or(digits);
		let bytes = hex::decode(digits).map_err(|_| RecipientError)?;
		<XWing as Kem>::PublicKey::from_bytes(&bytes).map_err(|_| RecipientError)?;
		Ok(RecipientKey::XWing(bytes))
	}
}

/// The text is no hybrid key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no hybrid key: give what `dpki-agent hybrid` writes on the device")]
pub struct RecipientError;

impl RecipientKey {
	/// The key as the chain has it.
	pub fn public(&self) -> PublicKey {
		match self {
			RecipientKey::X25519(public) => public.clone(),
			RecipientKey::XWing(bytes) => crate::possession::hybrid_public(bytes),
		}
	}

	fn check(&self, binding: &DeliveryBinding) -> Result<(), EnvelopeError> {
		check_recipient(&self.public(), binding)
	}

	fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
		match self {
			RecipientKey::X25519(public) => {
				hpke_seal::<X25519HkdfSha256>(&public.bytes, aad, plaintext)
			},
			RecipientKey::XWing(bytes) => hpke_seal::<XWing>(bytes, aad, plaintext),
		}
	}
}

/// The secret half of such a key.
pub trait OpeningKey: Send + Sync {
	/// The public half, as the chain has it.
	fn public(&self) -> PublicKey;

	/// What was sealed by HPKE to this key with this associated data; `None` if it was not, or altered.
	fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
}

impl OpeningKey for AgreementKey {
	fn public(&self) -> PublicKey {
		AgreementKey::public(self)
	}

	fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
		hpke_open::<X25519HkdfSha256>(&self.hpke(), aad, sealed)
	}
}

impl OpeningKey for HybridKey {
	fn public(&self) -> PublicKey {
		HybridKey::public(self)
	}

	fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
		hpke_open::<XWing>(&self.hpke(), aad, sealed)
	}
}

/// Seals `plaintext` to the recipient's X25519 key, for the one delivery that `binding` describes.
pub fn seal(
	recipient: &PublicKey,
	binding: &DeliveryBinding,
	plaintext: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
	seal_to(&RecipientKey::X25519(recipient.clone()), binding, plaintext)
}

/// Seals `plaintext` to one key, for the one delivery that `binding` describes. Under the suites of shared envelopes see
/// [`seal_shared`].
pub fn seal_to(
	recipient: &RecipientKey,
	binding: &DeliveryBinding,
	plaintext: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
	recipient.check(binding)?;
	let room = MAX_BLOB_LEN as usize - binding.suite.min_len() as usize;
	if plaintext.len() > room {
		return Err(EnvelopeError::TooLong { len: plaintext.len(), room });
	}
	if binding.suite.is_shared() {
		let (envelope, _) = seal_shared(&[(recipient.clone(), binding.clone())], plaintext)?;
		return Ok(envelope);
	}
	recipient.seal(&binding.aad(), plaintext)
}

/// Opens an envelope for the one delivery that `binding` describes, which is rebuilt from the *proven* record.
pub fn open(
	secret: &dyn OpeningKey,
	binding: &DeliveryBinding,
	envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
	check_recipient(&secret.public(), binding)?;
	if binding.suite.is_shared() {
		return shared::open(secret, binding, envelope);
	}
	if !(binding.suite.min_len() as usize..=MAX_BLOB_LEN as usize).contains(&envelope.len()) {
		return Err(EnvelopeError::Length { len: envelope.len() });
	}
	secret.open(&binding.aad(), envelope).ok_or(EnvelopeError::DoesNotOpen)
}

fn check_recipient(key: &PublicKey, binding: &DeliveryBinding) -> Result<(), EnvelopeError> {
	let needed = binding.suite.recipient_type();
	if key.key_type != needed {
		return Err(EnvelopeError::RecipientUnfit { key_type: key.key_type, needed });
	}
	if KeyId::of_device(binding.device, key) != binding.recipient {
		return Err(EnvelopeError::RecipientMismatch { expected: binding.recipient });
	}
	Ok(())
}

/// `enc` and the ciphertext with its tag.
fn hpke_seal<K: Kem>(
	public: &[u8],
	aad: &[u8],
	plaintext: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
	let public = K::PublicKey::from_bytes(public).map_err(|_| EnvelopeError::RecipientInvalid)?;
	let (enc, ciphertext) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, K>(
		&OpModeS::Base,
		&public,
		DeliveryBinding::INFO,
		plaintext,
		aad,
	)
	.map_err(|_| EnvelopeError::RecipientInvalid)?;
	Ok([&enc.to_bytes()[..], &ciphertext].concat())
}

fn hpke_open<K: Kem>(
	secret: &K::PrivateKey,
	aad: &[u8],
	sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
	let (enc, ciphertext) = sealed.split_at_checked(K::EncappedKey::size())?;
	let enc = K::EncappedKey::from_bytes(enc).ok()?;
	hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(
		&OpModeR::Base,
		secret,
		&enc,
		DeliveryBinding::INFO,
		ciphertext,
		aad,
	)
	.ok()
	.map(Zeroizing::new)
}
