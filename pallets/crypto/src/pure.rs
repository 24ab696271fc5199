//! Verification without help from a host: the reference for every other [`Verifier`], and what the host itself runs.

use crate::{
	Hash, MAX_MESSAGE_LEN, MAX_RSA_KEY_LEN, MAX_RSA_SIGNATURE_LEN, Signed, Verifier, batch,
};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{
	Pkcs1v15Sign, Pss, RsaPublicKey,
	pkcs1::DecodeRsaPublicKey,
	sha2::{Sha256, Sha384, Sha512},
	traits::PublicKeyParts,
};

/// The verifier that runs everywhere.
#[derive(Clone, Copy, Default, Debug)]
pub struct Pure;

impl Verifier for Pure {
	fn ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		message.len() <= MAX_MESSAGE_LEN
			&& ed25519_zebra::VerificationKey::try_from(*key)
				.is_ok_and(|key| key.verify(&(*signature).into(), message).is_ok())
	}

	fn ed25519_batch(&self, batch: &[Signed<'_>]) -> bool {
		batch::verify(batch)
	}

	fn p256(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 64]) -> bool {
		let Some(key) = point(key, p256::ecdsa::VerifyingKey::from_sec1_bytes) else {
			return false;
		};
		message.len() <= MAX_MESSAGE_LEN
			&& p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
				key.verify_prehash(&hash.digest(message), &signature).is_ok()
			})
	}

	fn p384(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 96]) -> bool {
		let Some(key) = point(key, p384::ecdsa::VerifyingKey::from_sec1_bytes) else {
			return false;
		};
		message.len() <= MAX_MESSAGE_LEN
			&& p384::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
				key.verify_prehash(&hash.digest(message), &signature).is_ok()
			})
	}

	fn rsa_pkcs1(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		let padding = match hash {
			Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
			Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
			Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
		};
		message.len() <= MAX_MESSAGE_LEN
			&& signature.len() <= MAX_RSA_SIGNATURE_LEN
			&& rsa_key(key)
				.is_some_and(|key| key.verify(padding, &hash.digest(message), signature).is_ok())
	}

	fn rsa_pss(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		let padding = match hash {
			Hash::Sha256 => Pss::new_with_salt::<Sha256>(32),
			Hash::Sha384 => Pss::new_with_salt::<Sha384>(48),
			Hash::Sha512 => Pss::new_with_salt::<Sha512>(64),
		};
		message.len() <= MAX_MESSAGE_LEN
			&& signature.len() <= MAX_RSA_SIGNATURE_LEN
			&& rsa_key(key)
				.is_some_and(|key| key.verify(padding, &hash.digest(message), signature).is_ok())
	}
}

/// Reads a point that is compressed or not. SEC 1 has further forms, which others do not read.
fn point<K, E>(key: &[u8], read: impl FnOnce(&[u8]) -> Result<K, E>) -> Option<K> {
	matches!(key.first(), Some(2..=4)).then(|| read(key).ok()).flatten()
}

/// Whether these bytes are a DER `RSAPublicKey` under which signatures are judged: a modulus of 2048 to 4096 bits and an
/// odd exponent of 32 bits at most, which every one in use has. The time of a verification grows with the words of both.
pub fn is_rsa_key(der: &[u8]) -> bool {
	rsa_key(der).is_some()
}

fn rsa_key(der: &[u8]) -> Option<RsaPublicKey> {
	if der.len() > MAX_RSA_KEY_LEN {
		return None;
	}
	RsaPublicKey::from_pkcs1_der(der).ok().filter(|key| {
		(2048..=RsaPublicKey::MAX_SIZE).contains(&key.n().bits()) && key.e().bits() <= 32
	})
}
