#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
// The interface of the runtime is made of foreign functions there, and there only.
#![cfg_attr(not(substrate_runtime), forbid(unsafe_code))]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]
// No input makes this panic: nothing here can.
#![cfg_attr(
	not(test),
	deny(
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::panic,
		clippy::unreachable,
		clippy::unwrap_used
	)
)]

extern crate alloc;

mod batch;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod ed25519;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod fixtures;
mod hash;
#[cfg(feature = "host")]
pub mod host;
mod pure;
#[cfg(test)]
mod tests;

pub use ed25519::Signed;
pub use hash::Hash;
#[cfg(feature = "host")]
pub use host::Host;
pub use pure::{Pure, is_rsa_key};

/// Longest message in bytes. The longest thing that is signed is a revocation list of X.509, of 256 KiB.
pub const MAX_MESSAGE_LEN: usize = 512 * 1024;

/// Longest RSA key in bytes, as DER `RSAPublicKey`: a modulus of 4096 bits and an exponent of 32 take 528.
pub const MAX_RSA_KEY_LEN: usize = 528;

/// Longest RSA signature in bytes: as long as the modulus.
pub const MAX_RSA_SIGNATURE_LEN: usize = 512;

/// Most signatures of a batch. It is refused beyond them, so that one call of the host stays short.
pub const MAX_BATCH_LEN: usize = 1024;

/// The arithmetic of signatures. [`Pure`] is the reference; whatever stands in its place has to give the same verdict on
/// every input, or the chain forks.
///
/// Nothing is presumed of the input: whatever is malformed or longer than the limits of this crate does not verify.
pub trait Verifier {
	/// Ed25519 by the equation of ZIP 215: with the cofactor, `s` reduced, and points in any encoding. It is not the
	/// rule by which signatures are judged, but the part of it that is arithmetic; the rule is [`ed25519::verify`].
	fn ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool;

	/// Whether [`Verifier::ed25519`] holds for every signature of a batch; it does for an empty one. A batch of more than
	/// [`MAX_BATCH_LEN`] signatures is refused whatever they are.
	fn ed25519_batch(&self, batch: &[Signed<'_>]) -> bool {
		batch.len() <= MAX_BATCH_LEN
			&& batch
				.iter()
				.all(|signed| self.ed25519(signed.key, signed.message, signed.signature))
	}

	/// ECDSA over P-256: the point in SEC 1 form, compressed or not, and the signature as `r || s`.
	fn p256(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 64]) -> bool;

	/// ECDSA over P-384: the point in SEC 1 form, compressed or not, and the signature as `r || s`.
	fn p384(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 96]) -> bool;

	/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2): the key is one of [`is_rsa_key`].
	fn rsa_pkcs1(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool;

	/// RSASSA-PSS (RFC 8017 section 8.1), MGF1 with the same hash, salt as long as the hash: the key is one of
	/// [`is_rsa_key`].
	fn rsa_pss(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool;
}
