//! Keys of devices in the form of `age`, the file encryption tool.
//!
//! The agreement key of a device is an X25519 key like those of `age`, whose recipients and identities are the bytes in
//! Bech32 (<https://age-encryption.org/v1>). It is for people who want to send a device a file; deliveries are HPKE
//! envelopes, which `age` cannot bind to a record on the chain. One key serves both safely: each derives what it encrypts
//! with under a name of its own.

use crate::possession::AgreementKey;
use bech32::{Bech32, Hrp};
use dpki_primitives::key::{KeyType, PublicKey};
use zeroize::{Zeroize, Zeroizing};

/// The key is of another type than `age` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("age has no {} keys: only X25519 keys can be its recipients", .0.name())]
pub struct NoRecipient(pub KeyType);

/// The recipient that stands for a key: `age1` and 58 characters.
pub fn recipient(key: &PublicKey) -> Result<String, NoRecipient> {
	if key.key_type != KeyType::X25519 {
		return Err(NoRecipient(key.key_type));
	}
	Ok(bech32::encode::<Bech32>(Hrp::parse_unchecked("age"), &key.bytes)
		.expect("32 bytes fit a Bech32 text"))
}

/// The private key as `age --identity` reads it, in a line.
pub fn identity(key: &AgreementKey) -> Zeroizing<String> {
	let secret = key.to_secret_bytes();
	let hrp = Hrp::parse_unchecked("age-secret-key-");
	let mut lower = bech32::encode::<Bech32>(hrp, &secret[..]).expect("32 bytes fit a Bech32 text");
	let upper = Zeroizing::new(lower.to_ascii_uppercase());
	lower.zeroize();
	upper
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::{SigningKey, SoftwareKey};

	#[test]
	fn the_forms_are_those_of_age() {
		// Made by `age-keygen`, and in use nowhere.
		let identity = "AGE-SECRET-KEY-1VW85XVCQWDRWYS06TWPX74PGQ5PUTUNVEE220R2N6D44UNU4YTKQS225M2";
		let (_, bytes) = bech32::decode(&identity.to_ascii_lowercase()).unwrap();
		let key = AgreementKey::from_secret_bytes(&bytes.try_into().unwrap());
		assert_eq!(*super::identity(&key), identity);
		let recipient = recipient(&key.public()).unwrap();
		assert_eq!(recipient, "age1c4g7jgkms70w4jr3wfkfrw722xajwvxmn696xw3sklxt2zpu94aqflzasf");
	}

	#[test]
	fn a_key_that_only_signs_is_no_recipient() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		assert_eq!(recipient(&key.public()), Err(NoRecipient(KeyType::Ed25519)));
	}
}
