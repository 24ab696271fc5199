//! The runtime of the chain: which one it is, whether this crate knows it, and how it is upgraded.
//!
//! The rules of the chain are code in its state, which the council replaces by vote. Clients are not replaced with it: what
//! this crate knows of the chain is what the runtime said of itself when the crate was made. As long as the runtime keeps
//! the version of its transactions, every call and record that the crate knows has kept its form. [`Fit`] says so.

use crate::{
	client::{Client, ClientError},
	submit::signed,
	view::{ReadError, View},
};
use codec::{Decode, Encode};
use futures::StreamExt;
use std::{fmt, time::Duration};
use subxt::config::substrate::H256;
use subxt_rpcs::client::rpc_params;

/// The longest code that fits into a block, in bytes, with what the transaction needs around it.
pub const MAX_CODE_LEN: usize = 5 * 1024 * 1024 - 1024;

/// How long an upgrade may take from its transaction until it is final.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(150);

/// Preamble of a transaction without a signer and without extensions, version 5.
const BARE: u8 = 5;

/// `twox_128("System") ++ twox_128("AuthorizedUpgrade")`.
fn authorized_key() -> Vec<u8> {
	let hashed = [b"System".as_slice(), b"AuthorizedUpgrade"].map(sp_crypto_hashing::twox_128);
	hashed.concat()
}

/// `twox_128("Migrations") ++ twox_128("Progress")`: where the runtime keeps how far its migrations in steps are.
fn progress_key() -> Vec<u8> {
	let hashed = [b"Migrations".as_slice(), b"Progress"].map(sp_crypto_hashing::twox_128);
	hashed.concat()
}

/// What a runtime calls itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuntimeVersion {
	/// Its kind: the same for all runtimes of a chain.
	pub name: String,
	/// Grows with every upgrade.
	pub spec: u32,
	/// Grows whenever a call or an extension changes its place or its encoding.
	pub transactions: u32,
}

impl RuntimeVersion {
	/// That of the runtime for which this crate was made.
	pub fn known() -> Self {
		signed::committed_version()
	}

	/// What `sp_version::RuntimeVersion` is in SCALE, as the blob of a runtime has it in its section `runtime_version`.
	///
	/// Refused is what is too short, or no text where the name is.
	pub fn from_scale(mut bytes: &[u8]) -> Result<Self, codec::Error> {
		let input = &mut bytes;
		let name = String::decode(input)?;
		let _implementation = String::decode(input)?;
		let _authoring = u32::decode(input)?;
		let spec = u32::decode(input)?;
		let _implementation_version = u32::decode(input)?;
		let _apis = Vec::<([u8; 8], u32)>::decode(input)?;
		let transactions = u32::decode(input)?;
		Ok(Self { name, spec, transactions })
	}

	/// Whether this crate knows it.
	pub fn fit(&self) -> Fit {
		Fit::of(self.clone(), Self::known())
	}
}

impl fmt::Display for RuntimeVersion {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} {}", self.name, self.spec)
	}
}

/// Whether a program that was made for one runtime can work with another one. It is displayed as one sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fit {
	/// It was made for this very one.
	Exact(RuntimeVersion),
	/// Everything that the program knows has kept its form.
	Compatible {
		/// What the chain runs.
		chain: RuntimeVersion,
		/// For what the program was made.
		program: RuntimeVersion,
	},
	/// Calls may mean something else: nothing is signed.
	Incompatible {
		/// What the chain runs.
		chain: RuntimeVersion,
		/// For what the program was made.
		program: RuntimeVersion,
	},
}

impl Fit {
	fn of(chain: RuntimeVersion, program: RuntimeVersion) -> Self {
		if chain == program {
			Self::Exact(chain)
		} else if (&chain.name, chain.transactions) == (&program.name, program.transactions) {
			Self::Compatible { chain, program }
		} else {
			Self::Incompatible { chain, program }
		}
	}

	/// Whether transactions can be signed.
	pub fn is_compatible(&self) -> bool {
		!matches!(self, Self::Incompatible { .. })
	}
}

impl fmt::Display for Fit {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Exact(version) => write!(f, "this program was made for the runtime {version}"),
			Self::Compatible { chain, program } => write!(
				f,
				"the chain runs {chain} and this program was made for {program}: what it knows has kept its form"
			),
			Self::Incompatible { chain, program } => write!(
				f,
				"the chain runs {chain} with transactions of version {}, this program was made for {program} with version {}: \
				 it signs nothing until it is updated",
				chain.transactions, program.transactions
			),
		}
	}
}

/// Why the chain was not upgraded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
	/// The council has not authorised any runtime.
	#[error("the council has authorised no runtime: propose it first, and have it carried")]
	NothingAuthorized,
	/// The council has authorised another one.
	#[error(
		"the council has authorised the runtime {authorized}, and this is {found}: bring that one"
	)]
	OtherAuthorized {
		/// The BLAKE2-256 of what was authorised.
		authorized: String,
		/// That of what was brought.
		found: String,
	},
	/// It fits into no block.
	#[error("the runtime has {len} bytes, a block takes {MAX_CODE_LEN}: bring the compressed blob")]
	TooLong {
		/// How long it is, in bytes.
		len: usize,
	},
	/// The node does not take the transaction.
	#[error("the node does not take the upgrade ({reason}): see its log, or ask another node")]
	Refused {
		/// What it says.
		reason: String,
	},
	/// It is not known what became of it.
	#[error(
		"the upgrade was not final within {} s: look at the runtime of the chain before you try again",
		UPGRADE_TIMEOUT.as_secs()
	)]
	TimedOut,
	/// The call could not be encoded.
	#[error(transparent)]
	Call(#[from] crate::calls::CallError),
	/// The state could not be read.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The chain could not be reached or asked.
	#[error(transparent)]
	Client(#[from] ClientError),
}

/// How far a migration in steps is.
#[derive(Clone, PartialEq, Eq, Debug, Decode)]
pub struct MigrationProgress {
	/// Which one.
	pub id: Vec<u8>,
	/// Behind which entry it goes on; none before its first step.
	pub cursor: Option<Vec<u8>>,
}

impl View {
	/// The BLAKE2-256 of the runtime that the council has authorised and nobody has brought yet.
	pub async fn authorized_upgrade(&self) -> Result<Option<[u8; 32]>, ReadError> {
		// `CodeUpgradeAuthorization`: the hash, and whether versions are compared.
		let found = self
			.read::<([u8; 32], bool)>("the authorised runtime", authorized_key())
			.await?;
		Ok(found.map(|(hash, _)| hash))
	}

	/// Which migration the chain carries out in steps at this block, if it does.
	pub async fn migration(&self) -> Result<Option<MigrationProgress>, ReadError> {
		self.read("the progress of the migrations", progress_key()).await
	}
}

impl Client {
	/// What the runtime at a finalised block calls itself.
	pub async fn runtime_version(&self, block: [u8; 32]) -> Result<RuntimeVersion, ClientError> {
		#[derive(serde::Deserialize)]
		#[serde(rename_all = "camelCase")]
		struct Answer {
			spec_name: String,
			spec_version: u32,
			transaction_version: u32,
		}
		let answer: Answer =
			self.request("state_getRuntimeVersion", rpc_params![H256(block)]).await?;
		Ok(RuntimeVersion {
			name: answer.spec_name,
			spec: answer.spec_version,
			transactions: answer.transaction_version,
		})
	}

	/// The BLAKE2-256 of the code at a finalised block, as the chain stores it.
	pub async fn code_hash(&self, block: [u8; 32]) -> Result<[u8; 32], ClientError> {
		let key = format!("0x{}", hex::encode(b":code"));
		let params = rpc_params![key, H256(block)];
		let hash: Option<H256> = self.request("state_getStorageHash", params).await?;
		hash.map(|hash| hash.0).ok_or_else(|| ClientError::Malformed {
			method: "state_getStorageHash".into(),
			reason: "the chain has no code".into(),
		})
	}

	/// Brings the runtime that the council has authorised, and waits until the chain runs it. It takes no account and costs
	/// nothing. Returns the number of the first finalised block that was seen with it; the blocks after it are made by it.
	pub async fn upgrade(&self, code: &[u8]) -> Result<u32, UpgradeError> {
		if code.len() > MAX_CODE_LEN {
			return Err(UpgradeError::TooLong { len: code.len() });
		}
		let found = sp_crypto_hashing::blake2_256(code);
		match self.at_finalized().await?.authorized_upgrade().await? {
			None => return Err(UpgradeError::NothingAuthorized),
			Some(authorized) if authorized != found => {
				let text = |hash: [u8; 32]| format!("0x{}", hex::encode(hash));
				let (authorized, found) = (text(authorized), text(found));
				return Err(UpgradeError::OtherAuthorized { authorized, found });
			},
			Some(_) => {},
		}
		let call = crate::calls::encode(&crate::calls::apply_authorized_upgrade(code))?;
		let transaction = [&[BARE], call.bytes()].concat().encode();
		let mut heads = self.finalized_heads();
		let params = rpc_params![format!("0x{}", hex::encode(transaction))];
		let _: H256 = self
			.request("author_submitExtrinsic", params)
			.await
			.map_err(|error| UpgradeError::Refused { reason: error.to_string() })?;
		let waiting = async {
			loop {
				// The stream has no end, and goes on after an error.
				let Some(Ok(head)) = heads.next().await else { continue };
				if self.code_hash(head.hash).await.is_ok_and(|hash| hash == found) {
					return head.number;
				}
			}
		};
		tokio::time::timeout(UPGRADE_TIMEOUT, waiting)
			.await
			.map_err(|_| UpgradeError::TimedOut)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn version(spec: u32, transactions: u32) -> RuntimeVersion {
		RuntimeVersion { name: "dpki".into(), spec, transactions }
	}

	#[test]
	fn the_version_of_the_committed_metadata_is_known() {
		let known = RuntimeVersion::known();
		assert_eq!(known.name, "dpki");
		assert!(known.spec > 0 && known.transactions > 0);
		assert_eq!(known.fit(), Fit::Exact(known));
	}

	#[test]
	fn a_fit_is_one_sentence_that_says_what_follows() {
		let exact = Fit::of(version(1, 1), version(1, 1));
		let newer = Fit::of(version(2, 1), version(1, 1));
		let other = Fit::of(version(3, 2), version(1, 1));
		let elsewhere =
			Fit::of(RuntimeVersion { name: "node".into(), ..version(1, 1) }, version(1, 1));
		assert!(exact.is_compatible() && newer.is_compatible());
		assert!(!other.is_compatible() && !elsewhere.is_compatible());
		assert!(newer.to_string().ends_with("has kept its form"), "{newer}");
		assert!(other.to_string().ends_with("until it is updated"), "{other}");
		for fit in [exact, newer, other, elsewhere] {
			assert_eq!(fit.to_string().lines().count(), 1);
		}
	}

	#[test]
	fn a_version_is_read_from_a_blob() {
		let scale = |spec: u32| {
			let apis = Vec::<([u8; 8], u32)>::new();
			("dpki", "dpki-impl", 1u32, spec, 1u32, apis, 4u32, 1u8).encode()
		};
		assert_eq!(RuntimeVersion::from_scale(&scale(7)).unwrap(), version(7, 4));
		assert!(RuntimeVersion::from_scale(&scale(7)[..12]).is_err());
	}

	#[test]
	fn progress_is_read_in_the_form_of_the_runtime() {
		let written = (b"rehearsal".to_vec(), Some(vec![1u8, 2])).encode();
		let read = MigrationProgress::decode(&mut &written[..]).unwrap();
		assert_eq!((read.id.as_slice(), read.cursor), (b"rehearsal".as_slice(), Some(vec![1, 2])));
	}
}
