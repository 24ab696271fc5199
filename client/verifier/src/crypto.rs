//! Ed25519, from wherever the platform has it.

/// Verifies Ed25519 signatures.
///
/// The chain follows [ZIP-215](https://zips.z.cash/zip-0215): encodings of points need not be canonical, and the
/// equation is checked with the cofactor. An implementation may be stricter (RFC 8032 section 5.1.7 without the
/// cofactor, no points of small order), because honest authorities make signatures that pass everywhere; then a device
/// refuses what the chain accepts only if an authority signs in a way that no honest signer does. It must never accept
/// what ZIP-215 refuses.
pub trait Ed25519 {
	/// Whether `signature` (`R || s`, RFC 8032 section 5.1.6) over `message` verifies under `public`.
	fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool;
}

impl<T: Ed25519 + ?Sized> Ed25519 for &T {
	fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		(**self).verify(public, message, signature)
	}
}

/// The crate that the chain itself uses, and so the same verdicts: `ed25519-zebra`, without `std` and allocation.
#[cfg(feature = "zebra")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Zebra;

#[cfg(feature = "zebra")]
impl Ed25519 for Zebra {
	fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		ed25519_zebra::VerificationKey::try_from(*public)
			.and_then(|key| key.verify(&ed25519_zebra::Signature::from_bytes(signature), message))
			.is_ok()
	}
}
