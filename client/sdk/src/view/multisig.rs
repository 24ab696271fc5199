//! Pending calls of accounts of several people, and what a call costs.

use super::{ReadError, View};
use crate::{
	AccountId,
	calls::{Beginning, CallWeight, EncodedCall},
};
use codec::{Compact, Decode, Encode};
use sp_crypto_hashing::{blake2_128, twox_64, twox_128};
use subxt::config::substrate::H256;
use subxt_rpcs::client::rpc_params;

/// Most pending calls that are listed. Each holds a deposit, so nobody comes near it by accident.
const MAX_PENDING_CALLS: u32 = 1000;

/// A call that waits for members to agree, as stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct PendingCall {
	/// The transaction that began it.
	pub begun: Beginning,
	/// What is held of the account that began it.
	pub deposit: u128,
	/// Who began it.
	pub depositor: AccountId,
	/// Who has agreed so far.
	pub approvals: Vec<AccountId>,
}

/// What the keys of `Multisig.Multisigs` of this account begin with.
fn pending_calls(account: &AccountId) -> Vec<u8> {
	let (pallet, item) = (twox_128(b"Multisig"), twox_128(b"Multisigs"));
	[&pallet[..], &item, &twox_64(account), account].concat()
}

/// `Multisig.Multisigs`: a [`PendingCall`].
fn pending_call(account: &AccountId, call_hash: &[u8; 32]) -> Vec<u8> {
	[&pending_calls(account)[..], &blake2_128(call_hash), call_hash].concat()
}

/// The hash of the call in a storage key of this account.
fn call_hash(account: &AccountId, key: &str) -> Option<[u8; 32]> {
	let bytes = hex::decode(key.strip_prefix("0x")?).ok()?;
	let hash = bytes.last_chunk()?;
	(bytes == pending_call(account, hash)).then_some(*hash)
}

impl View {
	/// The call of an account of several people with this BLAKE2-256, if it waits for members to agree.
	pub async fn pending_call(
		&self,
		account: &AccountId,
		call_hash: &[u8; 32],
	) -> Result<Option<PendingCall>, ReadError> {
		self.read("the pending call", pending_call(account, call_hash)).await
	}

	/// The calls of an account of several people that wait for members to agree, by their BLAKE2-256, a thousand at most.
	/// For this the node is asked which keys there are, which no proof covers: one that leaves some out is not noticed.
	pub async fn pending_calls(
		&self,
		account: &AccountId,
	) -> Result<Vec<([u8; 32], PendingCall)>, ReadError> {
		let item = "the list of pending calls";
		let (block, hash) = (self.head.number, H256(self.head.hash));
		let prefix = format!("0x{}", hex::encode(pending_calls(account)));
		let params = rpc_params![prefix, MAX_PENDING_CALLS, None::<String>, hash];
		let request = self.client.request("state_getKeysPaged", params);
		let keys: Vec<String> = request.await.map_err(|error| ReadError::Request {
			item,
			block,
			reason: error.to_string(),
		})?;
		let mut calls = Vec::new();
		for key in &keys {
			let reason = || "a key of another item".to_owned();
			let call = call_hash(account, key).ok_or_else(|| ReadError::Malformed {
				item,
				block,
				reason: reason(),
			})?;
			calls.extend(self.pending_call(account, &call).await?.map(|pending| (call, pending)));
		}
		Ok(calls)
	}

	/// What it costs at most to carry a call out, as the runtime tells it.
	pub async fn call_weight(&self, call: &EncodedCall) -> Result<CallWeight, ReadError> {
		/// `RuntimeDispatchInfo`: weight, class, fee.
		type Info = ((Compact<u64>, Compact<u64>), u8, u128);
		let len = u32::try_from(call.bytes().len()).unwrap_or(u32::MAX);
		let arguments = (call, len).encode();
		let function = "TransactionPaymentCallApi_query_call_info";
		let ((ref_time, proof_size), _, _): Info =
			self.call("the weight of the call", function, &arguments).await?;
		Ok(CallWeight { ref_time: ref_time.0, proof_size: proof_size.0 })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_pending_call_lies_where_the_chain_keeps_it() {
		let (account, hash) = ([1; 32], [2; 32]);
		let key = pending_call(&account, &hash);
		// As pallet-multisig keys it: Twox64Concat of the account, Blake2_128Concat of the hash.
		assert_eq!(key.len(), 32 + 8 + 32 + 16 + 32);
		let text = format!("0x{}", hex::encode(&key));
		assert_eq!(call_hash(&account, &text), Some(hash));
		assert_eq!(call_hash(&[3; 32], &text), None);
		assert_eq!(call_hash(&account, "0x12"), None);
	}
}
