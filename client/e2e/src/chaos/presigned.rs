//! Transactions that are signed before they are needed, so that signing costs nothing while something is measured.
//!
//! Written down byte by byte, and not with the client library: what clients are promised should not depend on it.

use super::rpc::{Refusal, Rpc};
use crate::{
	hex,
	history::{Block, Hash},
};
use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sp_crypto_hashing::blake2_256;

/// For how many blocks a transaction can be included after the one that it names. A power of two.
const LIFETIME_BLOCKS: u32 = 64;

/// The longest payload that is signed as it is, in bytes; of a longer one its BLAKE2-256 is.
const MAX_PAYLOAD_LEN: usize = 256;

/// The key of a made-up account. Those up to [`Options::accounts`](super::Options::accounts) have tokens.
pub fn key_of(number: usize) -> SigningKey {
	SigningKey::from_bytes(&blake2_256(format!("dpki/chaos/{number}").as_bytes()))
}

/// What transactions of a chain are bound to.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
	genesis: Hash,
	spec_version: u32,
	transaction_version: u32,
}

/// A transaction that can be sent.
#[derive(Clone, Debug)]
pub struct Signed {
	/// All of it.
	pub bytes: Vec<u8>,
	/// Its hash.
	pub hash: Hash,
	/// The number of the last block that can include it.
	pub last: u32,
}

impl Chain {
	/// That of a node.
	pub fn of(rpc: &Rpc) -> Result<Self, Refusal> {
		let genesis = rpc.block_of(0)?.ok_or(Refusal::Silent("no first block".into()))?;
		let version = rpc.call("state_getRuntimeVersion", json!([]))?;
		let number = |name: &str| version[name].as_u64().and_then(|it| u32::try_from(it).ok());
		let (Some(spec_version), Some(transaction_version)) =
			(number("specVersion"), number("transactionVersion"))
		else {
			return Err(Refusal::Silent(format!("no versions: {version}")));
		};
		Ok(Self { genesis: genesis.hash, spec_version, transaction_version })
	}

	/// A call in SCALE as a transaction of an account, the `nonce`-th after the first, which can be included for
	/// [`LIFETIME_BLOCKS`] after `from`.
	pub fn sign(&self, key: &SigningKey, call: &[u8], nonce: u64, from: Block) -> Signed {
		let phase = from.number % LIFETIME_BLOCKS;
		// sp_runtime::generic::Era: in the low bits the logarithm of the period, less one.
		let era = (LIFETIME_BLOCKS.trailing_zeros() - 1) | (phase << 4);
		let era = u16::try_from(era).expect("ten bits").to_le_bytes();
		// Nonce; tip; no hash of the metadata.
		let extra = (era, Compact(nonce), Compact(0u128), 0u8).encode();
		let bound =
			(self.spec_version, self.transaction_version, self.genesis, from.hash, 0u8).encode();
		let payload = [call, &extra, &bound].concat();
		let signature = if payload.len() > MAX_PAYLOAD_LEN {
			key.sign(&blake2_256(&payload))
		} else {
			key.sign(&payload)
		};
		// Format 4, signed; an account id; an Ed25519 signature.
		let account = key.verifying_key().to_bytes();
		let head = [&[0x84, 0][..], &account, &[0], &signature.to_bytes()].concat();
		let bytes = [&head, &extra, call].concat().encode();
		let hash = blake2_256(&bytes);
		Signed { bytes, hash, last: from.number + LIFETIME_BLOCKS }
	}
}

impl Signed {
	/// Sends it to a node, which answers whether its pool takes it.
	pub fn send(&self, rpc: &Rpc) -> Result<Value, Refusal> {
		rpc.call("author_submitExtrinsic", self.params())
	}

	/// What `author_submitExtrinsic` is given.
	pub fn params(&self) -> Value {
		json!([hex(&self.bytes)])
	}
}
