//! Key-agreement keys that a quantum computer does not break.

use super::public_key;
use dpki_primitives::{
	ids::KeyId,
	key::{KeyType, PublicKey},
};
use hpke::{Deserializable, Kem, Serializable, kem::XWing};
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// An X-Wing key, which opens envelopes and signs nothing. The chain has the hash of its public half; whoever seals to it
/// needs the public half itself, and checks it against the hash. Its secret is wiped when it is dropped.
#[derive(Clone)]
pub struct HybridKey(Zeroizing<[u8; 32]>);

impl HybridKey {
	/// A new key.
	pub fn generate() -> Self {
		let mut secret = Zeroizing::new([0; 32]);
		OsRng.fill_bytes(&mut *secret);
		Self(secret)
	}

	/// A key from its secret bytes, the seed of draft-connolly-cfrg-xwing-kem.
	pub fn from_secret_bytes(secret: &[u8; 32]) -> Self {
		Self(Zeroizing::new(*secret))
	}

	/// The secret bytes.
	pub fn to_secret_bytes(&self) -> Zeroizing<[u8; 32]> {
		self.0.clone()
	}

	/// The public half: 1,216 bytes.
	pub fn public_bytes(&self) -> Vec<u8> {
		XWing::sk_to_pk(&self.hpke()).to_bytes().to_vec()
	}

	/// The public half as the chain has it.
	pub fn public(&self) -> PublicKey {
		hybrid_public(&self.public_bytes())
	}

	pub(crate) fn hpke(&self) -> <XWing as Kem>::PrivateKey {
		<XWing as Kem>::PrivateKey::from_bytes(&*self.0)
			.expect("every 32 bytes are an X-Wing private key")
	}
}

/// An X-Wing key as the chain has it, by its public half.
pub fn hybrid_public(bytes: &[u8]) -> PublicKey {
	public_key(KeyType::XWing, &Sha256::digest(bytes))
}

impl std::fmt::Debug for HybridKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "HybridKey({})", KeyId::of(&self.public()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn secret_bytes_come_back_and_are_not_shown() {
		let key = HybridKey::generate();
		let secret = key.to_secret_bytes();
		assert_eq!(HybridKey::from_secret_bytes(&secret).public_bytes(), key.public_bytes());
		assert!(!format!("{key:?}").contains(&hex::encode(*secret)));
		assert_eq!(key.public_bytes().len(), 1216);
		assert_eq!(key.public(), hybrid_public(&key.public_bytes()));
	}
}
