//! HPKE envelopes (RFC 9180), bound to the record that announces them.
//!
//! An envelope is `enc` (32 bytes) followed by the ciphertext with its tag. The sender uses a fresh key each time and is
//! not authenticated by the envelope but by the record on the chain, whose publisher, sequence and recipient are the
//! associated data: an envelope opens in the place that it was made for and nowhere else.

use crate::possession::AgreementKey;
use dpki_primitives::{
	delivery::{DeliveryBinding, MAX_BLOB_LEN, MIN_BLOB_LEN, Suite},
	ids::KeyId,
	key::{KeyType, PublicKey},
};
use hpke::{
	Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
	kem::X25519HkdfSha256,
};
use zeroize::Zeroizing;

type Encapped = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Length of `enc` in bytes.
const ENC_LEN: usize = 32;

/// The longest plaintext that fits an envelope, in bytes.
pub const MAX_PLAINTEXT_LEN: usize = (MAX_BLOB_LEN - MIN_BLOB_LEN) as usize;

/// Why an envelope could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
	/// The recipient's key is not for key agreement.
	#[error("the recipient's key is of type {key_type:?}: use its X25519 key-agreement key")]
	RecipientUnfit {
		/// What it is.
		key_type: KeyType,
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
	#[error("the content has {len} bytes, {MAX_PLAINTEXT_LEN} are allowed: deliver less")]
	TooLong {
		/// How many bytes it has.
		len: usize,
	},
	/// The envelope has an impossible length.
	#[error("an envelope of {len} bytes cannot be genuine: fetch it again from another place")]
	Length {
		/// How many bytes it has.
		len: usize,
	},
	/// It does not open.
	#[error(
		"the envelope does not open under this key and record: it was altered, or made for another delivery"
	)]
	DoesNotOpen,
}

/// Seals `plaintext` to the recipient's X25519 key, for the one delivery that `binding` describes.
pub fn seal(
	recipient: &PublicKey,
	binding: &DeliveryBinding,
	plaintext: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
	let Suite::X25519ChaCha20Poly1305 = binding.suite;
	check_recipient(recipient, binding)?;
	if plaintext.len() > MAX_PLAINTEXT_LEN {
		return Err(EnvelopeError::TooLong { len: plaintext.len() });
	}
	let recipient = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.bytes)
		.map_err(|_| EnvelopeError::RecipientInvalid)?;
	let (enc, ciphertext) =
		hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
			&OpModeS::Base,
			&recipient,
			DeliveryBinding::INFO,
			plaintext,
			&binding.aad(),
		)
		.map_err(|_| EnvelopeError::RecipientInvalid)?;
	Ok([&enc.to_bytes()[..], &ciphertext].concat())
}

/// Opens an envelope for the one delivery that `binding` describes, which is rebuilt from the *proven* record.
pub fn open(
	secret: &AgreementKey,
	binding: &DeliveryBinding,
	envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
	let Suite::X25519ChaCha20Poly1305 = binding.suite;
	check_recipient(&secret.public(), binding)?;
	if !(MIN_BLOB_LEN as usize..=MAX_BLOB_LEN as usize).contains(&envelope.len()) {
		return Err(EnvelopeError::Length { len: envelope.len() });
	}
	let (enc, ciphertext) = envelope.split_at(ENC_LEN);
	let enc = Encapped::from_bytes(enc).map_err(|_| EnvelopeError::DoesNotOpen)?;
	hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
		&OpModeR::Base,
		&secret.hpke(),
		&enc,
		DeliveryBinding::INFO,
		ciphertext,
		&binding.aad(),
	)
	.map(Zeroizing::new)
	.map_err(|_| EnvelopeError::DoesNotOpen)
}

fn check_recipient(key: &PublicKey, binding: &DeliveryBinding) -> Result<(), EnvelopeError> {
	if key.key_type != KeyType::X25519 {
		return Err(EnvelopeError::RecipientUnfit { key_type: key.key_type });
	}
	if KeyId::of(key) != binding.recipient {
		return Err(EnvelopeError::RecipientMismatch { expected: binding.recipient });
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::ids::{DeviceId, OrganisationId};

	fn key() -> AgreementKey {
		AgreementKey::from_secret_bytes(&[7; 32])
	}

	fn binding() -> DeliveryBinding {
		DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device: DeviceId([4; 32]),
			recipient: KeyId::of(&key().public()),
			suite: Suite::X25519ChaCha20Poly1305,
			sequence: 5,
		}
	}

	#[test]
	fn what_is_sealed_opens() {
		for plaintext in [&b""[..], b"state", &[9; MAX_PLAINTEXT_LEN]] {
			let envelope = seal(&key().public(), &binding(), plaintext).unwrap();
			assert_eq!(envelope.len(), plaintext.len() + MIN_BLOB_LEN as usize);
			assert_eq!(open(&key(), &binding(), &envelope).unwrap().as_slice(), plaintext);
		}
	}

	#[test]
	fn the_same_content_never_looks_the_same() {
		let seal = || seal(&key().public(), &binding(), b"state").unwrap();
		assert_ne!(seal(), seal());
	}

	#[test]
	fn a_flipped_bit_anywhere_is_found() {
		let envelope = seal(&key().public(), &binding(), b"state").unwrap();
		for bit in 0..envelope.len() * 8 {
			let mut altered = envelope.clone();
			altered[bit / 8] ^= 1 << (bit % 8);
			// X25519 ignores the top bit of a public key, but HPKE binds its bytes.
			assert_eq!(
				open(&key(), &binding(), &altered),
				Err(EnvelopeError::DoesNotOpen),
				"{bit}"
			);
		}
	}

	#[test]
	fn an_envelope_opens_in_no_other_place() {
		let envelope = seal(&key().public(), &binding(), b"state").unwrap();
		let places = [
			DeliveryBinding { genesis: [9; 32], ..binding() },
			DeliveryBinding { organisation: OrganisationId([9; 32]), ..binding() },
			DeliveryBinding { publisher: [9; 32], ..binding() },
			DeliveryBinding { device: DeviceId([9; 32]), ..binding() },
			DeliveryBinding { sequence: 6, ..binding() },
			DeliveryBinding { sequence: 4, ..binding() },
		];
		for place in places {
			assert_eq!(
				open(&key(), &place, &envelope),
				Err(EnvelopeError::DoesNotOpen),
				"{place:?}"
			);
		}
	}

	#[test]
	fn another_recipient_cannot_open() {
		let envelope = seal(&key().public(), &binding(), b"state").unwrap();
		let other = AgreementKey::generate();
		let expected = binding().recipient;
		let mismatch = EnvelopeError::RecipientMismatch { expected };
		assert_eq!(open(&other, &binding(), &envelope), Err(mismatch.clone()));
		let readdressed = DeliveryBinding { recipient: KeyId::of(&other.public()), ..binding() };
		assert_eq!(open(&other, &readdressed, &envelope), Err(EnvelopeError::DoesNotOpen));
		assert_eq!(seal(&other.public(), &binding(), b""), Err(mismatch));
	}

	#[test]
	fn impossible_lengths_are_refused() {
		for len in [0, MIN_BLOB_LEN as usize - 1, MAX_BLOB_LEN as usize + 1] {
			let opened = open(&key(), &binding(), &vec![0; len]);
			assert_eq!(opened, Err(EnvelopeError::Length { len }));
		}
		let len = MAX_PLAINTEXT_LEN + 1;
		let sealed = seal(&key().public(), &binding(), &vec![0; len]);
		assert_eq!(sealed, Err(EnvelopeError::TooLong { len }));
	}

	#[test]
	fn only_agreement_keys_receive() {
		let key_type = KeyType::Ed25519;
		let public = PublicKey::new(key_type, &[1; 32]).unwrap();
		let sealed = seal(&public, &binding(), b"");
		assert_eq!(sealed, Err(EnvelopeError::RecipientUnfit { key_type }));
	}

	#[test]
	fn a_degenerate_key_is_refused() {
		let public = PublicKey::new(KeyType::X25519, &[0; 32]).unwrap();
		let binding = DeliveryBinding { recipient: KeyId::of(&public), ..binding() };
		assert_eq!(seal(&public, &binding, b""), Err(EnvelopeError::RecipientInvalid));
	}

	/// RFC 9180 appendix A.2.1 (this suite, Base mode), first encryption: our choice of algorithms is the one that other
	/// implementations know by the same ids.
	#[test]
	fn the_suite_is_that_of_the_rfc() {
		let bytes = |text: &str| hex::decode(text).unwrap();
		let secret = bytes("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
		let enc = bytes("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
		let info = bytes("4f6465206f6e2061204772656369616e2055726e");
		let aad = bytes("436f756e742d30");
		let ciphertext = bytes(
			"1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
		);
		let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
			&OpModeR::Base,
			&AgreementKey::from_secret_bytes(&secret.try_into().unwrap()).hpke(),
			&Encapped::from_bytes(&enc).unwrap(),
			&info,
			&ciphertext,
			&aad,
		)
		.unwrap();
		assert_eq!(opened, b"Beauty is truth, truth beauty");
	}

	/// An envelope made once with this crate: a record on the chain has to open with every later version.
	#[test]
	fn an_old_envelope_still_opens() {
		let envelope = hex::decode(include_str!("../vectors/envelope.hex").trim()).unwrap();
		assert_eq!(open(&key(), &binding(), &envelope).unwrap().as_slice(), b"the desired state");
	}
}
