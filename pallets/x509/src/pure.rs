//! Verification without help from a host: the reference for every other [`Verifier`].

use crate::algorithm::{Hash, Verifier};
use alloc::vec::Vec;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{
	Pkcs1v15Sign, Pss, RsaPublicKey,
	pkcs1::DecodeRsaPublicKey,
	sha2::{Digest, Sha256, Sha384, Sha512},
};

/// The verifier that runs everywhere.
#[derive(Clone, Copy, Default, Debug)]
pub struct Pure;

impl Hash {
	/// The digest of a message.
	pub fn digest(self, message: &[u8]) -> Vec<u8> {
		match self {
			Self::Sha256 => Sha256::digest(message).to_vec(),
			Self::Sha384 => Sha384::digest(message).to_vec(),
			Self::Sha512 => Sha512::digest(message).to_vec(),
		}
	}
}

impl Verifier for Pure {
	fn ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		ed25519_zebra::VerificationKey::try_from(*key)
			.is_ok_and(|key| key.verify(&(*signature).into(), message).is_ok())
	}

	fn p256(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 64]) -> bool {
		let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(key) else { return false };
		p256::ecdsa::Signature::from_slice(signature)
			.is_ok_and(|signature| key.verify_prehash(&hash.digest(message), &signature).is_ok())
	}

	fn p384(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 96]) -> bool {
		let Ok(key) = p384::ecdsa::VerifyingKey::from_sec1_bytes(key) else { return false };
		p384::ecdsa::Signature::from_slice(signature)
			.is_ok_and(|signature| key.verify_prehash(&hash.digest(message), &signature).is_ok())
	}

	fn rsa_pkcs1(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		let padding = match hash {
			Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
			Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
			Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
		};
		RsaPublicKey::from_pkcs1_der(key)
			.is_ok_and(|key| key.verify(padding, &hash.digest(message), signature).is_ok())
	}

	fn rsa_pss(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		let padding = match hash {
			Hash::Sha256 => Pss::new_with_salt::<Sha256>(32),
			Hash::Sha384 => Pss::new_with_salt::<Sha384>(48),
			Hash::Sha512 => Pss::new_with_salt::<Sha512>(64),
		};
		RsaPublicKey::from_pkcs1_der(key)
			.is_ok_and(|key| key.verify(padding, &hash.digest(message), signature).is_ok())
	}
}
