//! Transactions that are made before anything is measured, and kept in a file.
//!
//! They are encoded here and not by the metadata, because there are many of them. That both agree is asked before any is
//! sent, see [`Chain::check`].

use crate::{Result, follow::bytes};
use codec::{Compact, Encode};
use dpki_client::{AccountId, Call, calls};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;
use sp_crypto_hashing::blake2_256;
use std::{
	fs::File,
	io::{BufRead, BufReader, BufWriter, Write},
	path::Path,
};
use subxt_rpcs::{RpcClient, client::rpc_params};

/// Preamble of a signed transaction, format 4, and of a general one, format 5 with extensions of version 0.
const SIGNED: u8 = 0x84;
const GENERAL: [u8; 2] = [0x45, 0];
/// An address that is an account id, and a signature that is one of Ed25519.
const ACCOUNT: u8 = 0;
const ED25519: u8 = 0;
/// Lasts for ever.
const IMMORTAL: u8 = 0;

/// What a transaction is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
	/// The hash of its first block.
	pub genesis: [u8; 32],
	spec_version: u32,
	transaction_version: u32,
}

/// One transaction, and where its effect is seen in the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
	/// As the pool takes it.
	pub bytes: Vec<u8>,
	/// A storage key whose value it changes.
	pub effect: Vec<u8>,
}

impl Transaction {
	/// By which it is found in a block.
	pub fn hash(&self) -> [u8; 32] {
		blake2_256(&self.bytes)
	}
}

impl Chain {
	/// As this node has it.
	pub async fn of(rpc: &RpcClient) -> Result<Self> {
		let genesis: String = rpc.request("chain_getBlockHash", rpc_params![0]).await?;
		let genesis = bytes(&genesis)?.try_into().map_err(|_| "a hash has 32 bytes")?;
		let version: Value = rpc.request("state_getRuntimeVersion", rpc_params![]).await?;
		let number = |name: &str| -> Result<u32> {
			let number = version[name].as_u64().ok_or_else(|| format!("no {name}"))?;
			Ok(number.try_into()?)
		};
		let (spec_version, transaction_version) =
			(number("specVersion")?, number("transactionVersion")?);
		Ok(Self { genesis, spec_version, transaction_version })
	}

	/// Refuses a call that was encoded in another way than the client crate does.
	pub fn check(&self, call: &[u8], same: &impl Call) -> Result<()> {
		let known = calls::transaction_version();
		if self.transaction_version != known {
			let theirs = self.transaction_version;
			return Err(format!("transactions have version {theirs}, here {known}").into());
		}
		match calls::encode(same)?.bytes() == call {
			true => Ok(()),
			false => Err(format!("{} is encoded in another way", same.call_name()).into()),
		}
	}

	/// A call that an account signs.
	pub fn signed(&self, key: &SigningKey, nonce: u32, call: &[u8]) -> Vec<u8> {
		// Lifetime, nonce, tip, no hash of the metadata.
		let extra = (IMMORTAL, Compact(nonce), Compact(0u128), 0u8).encode();
		let bound =
			(self.spec_version, self.transaction_version, self.genesis, self.genesis, 0u8).encode();
		let payload = [call, &extra, &bound].concat();
		let payload = match payload.len() {
			..=256 => payload,
			_ => blake2_256(&payload).to_vec(),
		};
		let signature = key.sign(&payload).to_bytes();
		let account: AccountId = key.verifying_key().to_bytes();
		let head = [&[SIGNED, ACCOUNT][..], &account, &[ED25519], &signature].concat();
		[head, extra, call.to_vec()].concat().encode()
	}

	/// A call that carries its own authority.
	pub fn general(&self, call: &[u8]) -> Vec<u8> {
		let extra = (IMMORTAL, Compact(0u32), Compact(0u128), 0u8).encode();
		[&GENERAL[..], &extra, call].concat().encode()
	}
}

/// The key of this number among those of this kind.
pub fn key(kind: &str, number: u32) -> SigningKey {
	SigningKey::from_bytes(&blake2_256(&("dpki-bench", kind, number).encode()))
}

/// The account of a key.
pub fn account(kind: &str, number: u32) -> AccountId {
	key(kind, number).verifying_key().to_bytes()
}

/// Makes many, by as many threads as there are processors.
pub fn make(count: u32, one: impl Fn(u32) -> Transaction + Sync) -> Vec<Transaction> {
	let threads = std::thread::available_parallelism().map_or(1, |it| it.get() as u32);
	let share = count.div_ceil(threads).max(1);
	std::thread::scope(|scope| {
		let one = &one;
		let parts: Vec<_> = (0..threads)
			.map(|part| {
				let range = part * share..((part + 1) * share).min(count);
				scope.spawn(move || range.map(one).collect::<Vec<_>>())
			})
			.collect();
		parts
			.into_iter()
			.flat_map(|part| part.join().expect("signing does not fail"))
			.collect()
	})
}

/// Writes a line for each transaction: it and its effect.
pub fn write(path: &Path, load: &[Transaction]) -> Result<()> {
	let mut file = BufWriter::new(File::create(path)?);
	for it in load {
		writeln!(file, "{} {}", hex::encode(&it.bytes), hex::encode(&it.effect))?;
	}
	Ok(file.flush()?)
}

/// Reads what [`write`] wrote.
pub fn read(path: &Path) -> Result<Vec<Transaction>> {
	let lines = BufReader::new(File::open(path)?).lines();
	lines
		.map(|line| {
			let line = line?;
			let (transaction, effect) = line.split_once(' ').ok_or("a line has two parts")?;
			Ok(Transaction { bytes: bytes(transaction)?, effect: bytes(effect)? })
		})
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use ed25519_dalek::Signature;

	fn chain() -> Chain {
		Chain {
			genesis: [7; 32],
			spec_version: 1,
			transaction_version: calls::transaction_version(),
		}
	}

	#[test]
	fn a_load_survives_its_file() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("load");
		let load =
			make(5, |number| Transaction { bytes: number.encode(), effect: vec![number as u8; 3] });
		assert_eq!(load.len(), 5);
		assert_eq!(load[4].effect, [4; 3]);
		write(&path, &load).unwrap();
		assert_eq!(read(&path).unwrap(), load);
		std::fs::write(&path, "00").unwrap();
		assert!(read(&path).is_err());
		std::fs::write(&path, "0g 00").unwrap();
		assert!(read(&path).is_err());
	}

	#[test]
	fn a_call_that_is_encoded_differently_is_refused() {
		let call = calls::transfer(&[1; 32], 5);
		let ours = calls::encode(&call).unwrap();
		chain().check(ours.bytes(), &call).unwrap();
		assert!(chain().check(&ours.bytes()[1..], &call).is_err());
		let other = Chain { transaction_version: calls::transaction_version() + 1, ..chain() };
		assert!(other.check(ours.bytes(), &call).is_err());
	}

	#[test]
	fn long_calls_are_signed_by_their_hash() {
		for len in [1, 1_000] {
			let (key, call) = (key("test", 1), vec![9; len]);
			let transaction = chain().signed(&key, 3, &call);
			let body = Vec::<u8>::decode_all(&transaction);
			let signature = Signature::from_slice(&body[35..99]).unwrap();
			let extra = [0, 3 << 2, 0, 0];
			assert_eq!(body[99..103], extra);
			let bound = (1u32, calls::transaction_version(), [7u8; 32], [7u8; 32], 0u8).encode();
			let payload = [&call[..], &extra, &bound].concat();
			let payload = if payload.len() > 256 { blake2_256(&payload).to_vec() } else { payload };
			key.verifying_key().verify_strict(&payload, &signature).unwrap();
		}
	}

	/// The bytes without their length.
	trait Body {
		fn decode_all(bytes: &[u8]) -> Vec<u8>;
	}

	impl Body for Vec<u8> {
		fn decode_all(bytes: &[u8]) -> Vec<u8> {
			codec::DecodeAll::decode_all(&mut &bytes[..]).unwrap()
		}
	}

	#[test]
	fn keys_are_the_same_every_time_and_differ_by_kind() {
		assert_eq!(account("a", 1), account("a", 1));
		assert_ne!(account("a", 1), account("a", 2));
		assert_ne!(account("a", 1), account("b", 1));
	}
}
