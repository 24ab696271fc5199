//! Verification by the host: what the runtime imports, and what a node registers with its executor.
//!
//! A node without these functions cannot run the runtime, and an import can only be added after every node has it. So
//! they are never changed: a new rule is a new version of the function beside the old one.
//!
//! Arguments are passed as they are, by pointers into the memory of the runtime; nothing is allocated for the runtime,
//! nothing is decoded that could fail the call. Whatever is malformed does not verify.

use crate::{Hash, Pure, Signed, Verifier};
use alloc::vec::Vec;
use codec::Encode;

#[cfg(not(substrate_runtime))]
pub use interface::dpki_crypto::HostFunctions;

/// The verifier of the runtime. In WebAssembly it calls the host; elsewhere, in tests, the same functions directly.
///
/// A single Ed25519 signature goes to the host's own function, which every host has and light clients know.
#[derive(Clone, Copy, Default, Debug)]
pub struct Host;

environmental::environmental!(scope: ());

/// Does `work` without the functions of this module: [`Host`] answers by code of the runtime itself, like [`Pure`], and
/// by functions that every host of Substrate has.
///
/// It is for entry points of the runtime that light clients call too. They run it with the host functions that they
/// know, and the call fails when it reaches another one.
pub fn without_host<R>(work: impl FnOnce() -> R) -> R {
	scope::using(&mut (), work)
}

/// Whether this runs inside of [`without_host`].
pub fn is_without_host() -> bool {
	scope::with(|()| ()).is_some()
}

impl Verifier for Host {
	fn ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		message.len() <= crate::MAX_MESSAGE_LEN
			&& sp_io::crypto::ed25519_verify(
				&sp_core::ed25519::Signature::from_raw(*signature),
				message,
				&sp_core::ed25519::Public::from_raw(*key),
			)
	}

	fn ed25519_batch(&self, batch: &[Signed<'_>]) -> bool {
		if batch.len() > crate::MAX_BATCH_LEN {
			return false;
		}
		if is_without_host() {
			return batch
				.iter()
				.all(|signed| self.ed25519(signed.key, signed.message, signed.signature));
		}
		let items: Vec<_> = batch
			.iter()
			.map(|signed| (signed.key, signed.signature, signed.message))
			.collect();
		interface::dpki_crypto::ed25519_batch_verify(&items.encode())
	}

	fn p256(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 64]) -> bool {
		if is_without_host() {
			return Pure.p256(key, hash, message, signature);
		}
		interface::dpki_crypto::p256_verify(key, hash.number(), message, signature)
	}

	fn p384(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 96]) -> bool {
		if is_without_host() {
			return Pure.p384(key, hash, message, signature);
		}
		interface::dpki_crypto::p384_verify(key, hash.number(), message, signature)
	}

	fn rsa_pkcs1(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		if is_without_host() {
			return Pure.rsa_pkcs1(key, hash, message, signature);
		}
		interface::dpki_crypto::rsa_pkcs1_verify(key, hash.number(), message, signature)
	}

	fn rsa_pss(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		if is_without_host() {
			return Pure.rsa_pss(key, hash, message, signature);
		}
		interface::dpki_crypto::rsa_pss_verify(key, hash.number(), message, signature)
	}
}

/// The functions themselves. The macro makes `ext_dpki_crypto_NAME_version_1` of each, and the module `dpki_crypto`.
#[allow(missing_docs)]
mod interface {
	#[cfg(not(substrate_runtime))]
	use super::{Hash, Pure, Signed, Vec, Verifier};
	#[cfg(not(substrate_runtime))]
	use codec::DecodeAll;
	use sp_runtime_interface::{
		pass_by::{PassFatPointerAndRead, PassPointerAndRead},
		runtime_interface,
	};

	/// A batch between runtime and host, SCALE encoded: keys, signatures, messages.
	#[cfg(not(substrate_runtime))]
	type Batch = Vec<([u8; 32], [u8; 64], Vec<u8>)>;

	#[runtime_interface]
	pub trait DpkiCrypto {
		/// See [`Verifier::ed25519_batch`]; the batch is SCALE encoded.
		fn ed25519_batch_verify(batch: PassFatPointerAndRead<&[u8]>) -> bool {
			let Ok(batch) = Batch::decode_all(&mut &batch[..]) else { return false };
			let batch: Vec<_> = batch
				.iter()
				.map(|(key, signature, message)| Signed { key, message, signature })
				.collect();
			Pure.ed25519_batch(&batch)
		}

		/// See [`Verifier::p256`]; the hash by its number.
		fn p256_verify(
			key: PassFatPointerAndRead<&[u8]>,
			hash: u8,
			message: PassFatPointerAndRead<&[u8]>,
			signature: PassPointerAndRead<&[u8; 64], 64>,
		) -> bool {
			Hash::from_number(hash).is_some_and(|hash| Pure.p256(key, hash, message, signature))
		}

		/// See [`Verifier::p384`]; the hash by its number.
		fn p384_verify(
			key: PassFatPointerAndRead<&[u8]>,
			hash: u8,
			message: PassFatPointerAndRead<&[u8]>,
			signature: PassPointerAndRead<&[u8; 96], 96>,
		) -> bool {
			Hash::from_number(hash).is_some_and(|hash| Pure.p384(key, hash, message, signature))
		}

		/// See [`Verifier::rsa_pkcs1`]; the hash by its number.
		fn rsa_pkcs1_verify(
			key: PassFatPointerAndRead<&[u8]>,
			hash: u8,
			message: PassFatPointerAndRead<&[u8]>,
			signature: PassFatPointerAndRead<&[u8]>,
		) -> bool {
			Hash::from_number(hash)
				.is_some_and(|hash| Pure.rsa_pkcs1(key, hash, message, signature))
		}

		/// See [`Verifier::rsa_pss`]; the hash by its number.
		fn rsa_pss_verify(
			key: PassFatPointerAndRead<&[u8]>,
			hash: u8,
			message: PassFatPointerAndRead<&[u8]>,
			signature: PassFatPointerAndRead<&[u8]>,
		) -> bool {
			Hash::from_number(hash).is_some_and(|hash| Pure.rsa_pss(key, hash, message, signature))
		}
	}
}
