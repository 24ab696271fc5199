//! What the chain says of a validator: its session keys, and whether it is in the set.
//!
//! Read from `pallet-session` alone, which every way into the set leads through.

use crate::{commands::network::ask, output::hex};
use codec::Decode;
use dpki_client::AccountId;
use sp_crypto_hashing::{twox_64, twox_128};
use subxt_rpcs::client::{RpcClient, rpc_params};

/// The public session keys of a validator as the runtime encodes them: block-signing key, finality key.
pub type SessionKeys = [u8; 64];

/// How a validator stands at a finalised block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
	/// The keys that it has registered.
	pub keys: Option<SessionKeys>,
	/// Whether it is in the set of this session.
	pub serves: bool,
	/// Whether it will be in the set of the next one.
	pub will_serve: bool,
}

impl Standing {
	/// Reads it. The error is a sentence.
	pub async fn read(rpc: &RpcClient, account: &AccountId, block: &str) -> Result<Self, String> {
		let keys = [item("NextKeys"), twox_64(account).to_vec(), account.to_vec()].concat();
		let keys = value(rpc, &keys, block).await?;
		let now: Option<Vec<AccountId>> = value(rpc, &item("Validators"), block).await?;
		let next: Option<Vec<(AccountId, SessionKeys)>> =
			value(rpc, &item("QueuedKeys"), block).await?;
		Ok(Self {
			keys,
			serves: now.is_some_and(|set| set.contains(account)),
			will_serve: next.is_some_and(|set| set.iter().any(|(member, _)| member == account)),
		})
	}
}

fn item(name: &str) -> Vec<u8> {
	[twox_128(b"Session"), twox_128(name.as_bytes())].concat()
}

async fn value<T: Decode>(rpc: &RpcClient, key: &[u8], block: &str) -> Result<Option<T>, String> {
	let stored: Option<String> = ask(rpc, "state_getStorage", rpc_params![hex(key), block]).await?;
	let Some(stored) = stored else { return Ok(None) };
	let malformed = || "the state has another form than this program knows".to_owned();
	let bytes = stored.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
	let bytes = bytes.ok_or_else(malformed)?;
	T::decode(&mut &*bytes).map(Some).map_err(|_| malformed())
}
