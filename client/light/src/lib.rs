//! smoldot embedded, as a transport for the client of the device PKI chain.
//!
//! The light client follows the chain from its genesis: it verifies who finalised a block and, with a Merkle proof, every
//! value that it hands out. Nobody on the way has to be trusted, neither the peers nor the network nor whoever handed the
//! chain specification over. A light client of an Aura chain starts from the genesis state at each start, and
//! [`LightClient::start`] holds that state against the expected genesis hash, which is the one thing that has to come
//! from a trusted place. Nothing else in the specification decides what is believed: [`SpecError`] lists what is refused.
//! What remains is that peers can withhold news, so the age of the newest head has to be watched by the user
//! (`dpki_verifier::Policy`); and that whoever holds the keys of former authorities could lead it to another chain. Against
//! that stands a [`Checkpoint`], which a device keeps from run to run: with [`LightClient::start_from`] nothing of what the
//! light client says about the chain reaches anybody before it has met the authorities of the checkpoint.
//!
//! Nothing here listens on a port: requests reach smoldot inside the process only.
//!
//! ```no_run
//! # async fn example(
//! #     spec: &str, genesis: [u8; 32], stored: Option<Vec<u8>>, store: impl Fn(Vec<u8>),
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use dpki_client::Client;
//! use dpki_light::{Checkpoint, LightClient};
//!
//! let peer = "/ip4/192.0.2.7/tcp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp".to_string();
//! let light = match stored {
//!     Some(bytes) => LightClient::start_from(spec, &[peer], Checkpoint::decode(&bytes)?).await?,
//!     None => LightClient::start(spec, &[peer], genesis).await?,
//! };
//! let client = Client::from_rpc(light.rpc()).await?;
//! println!("{:?}", client.finalized_head().await?);
//! store(light.checkpoint().encode());
//! # Ok(())
//! # }
//! ```
//!
//! smoldot logs through the `log` crate: a program that uses `tracing-subscriber` (whose default features bridge `log`)
//! sees its messages among its own, with targets such as `smoldot` and `sync-service-…`.

#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod anchor;
mod followed;
mod gate;
mod spec;
mod transport;
mod warp;

pub use anchor::AnchorError;
pub use dpki_verifier::Checkpoint;
pub use spec::SpecError;

use dpki_verifier::AuthoritySet;
use gate::Gate;
use smoldot_light::{
	AddChainConfig, AddChainConfigJsonRpc, AddChainSuccess, platform::DefaultPlatform,
};
use std::{iter, num::NonZero, sync::Arc};
use subxt_rpcs::{RpcClient, client::rpc_params};
use transport::Transport;

/// Requests that may wait inside smoldot: far more than this process ever has under way.
const MAX_PENDING_REQUESTS: NonZero<u32> = NonZero::new(4096).unwrap();

/// Subscriptions that may be open at once.
const MAX_SUBSCRIPTIONS: u32 = 1024;

/// Why the light client did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LightError {
	/// The chain specification or a boot node is malformed.
	#[error(transparent)]
	Spec(#[from] SpecError),
	/// smoldot does not accept the chain specification.
	#[error(
		"the chain specification is not fit for a light client ({reason}): export it with \
		 `dpki-node export-chain-spec --raw` from a node of the chain"
	)]
	SpecUnfit {
		/// What smoldot says.
		reason: String,
	},
	/// The chain specification is that of another chain.
	#[error(
		"the chain specification is that of the chain {found}, not of {expected}: get the one of your chain, \
		 and do not use this one"
	)]
	WrongGenesis {
		/// The genesis hash that was expected.
		expected: String,
		/// The genesis hash of the specification.
		found: String,
	},
	/// The checkpoint is that of another chain.
	#[error(
		"the checkpoint is that of a chain with other first authorities: use the one that came with the device, or remove it \
		 if it was put there by mistake"
	)]
	WrongCheckpoint,
	/// smoldot does not answer.
	#[error("the light client does not answer ({reason}): start it again")]
	Silent {
		/// What went wrong.
		reason: String,
	},
}

/// A running light client. It stops when it and all transports from [`LightClient::rpc`] are dropped.
#[derive(Clone)]
pub struct LightClient {
	gate: Gate,
	genesis: [u8; 32],
}

impl LightClient {
	/// Starts to follow the chain of `spec_json`, a raw chain specification, whose genesis hash has to be
	/// `expected_genesis`. Of the rest of the specification only names and boot nodes are used; one that asks for more,
	/// such as to start from a checkpoint, is refused. `bootnodes` are multiaddresses with `/p2p/` that are tried besides
	/// those of the specification; they are neither trusted nor needed to be on the chain's own list.
	///
	/// This trusts everyone who was an authority since the genesis block, and so is for the first start only: keep the
	/// [`checkpoint`](Self::checkpoint) and use [`start_from`](Self::start_from) later.
	///
	/// This returns before the chain is synchronised: requests that need it wait. A specification that is given away and not
	/// lent is forgotten before its genesis is built, which is when the most memory is needed.
	pub async fn start(
		spec_json: impl AsRef<str>,
		bootnodes: &[String],
		expected_genesis: [u8; 32],
	) -> Result<Self, LightError> {
		Self::begin(spec_json, bootnodes, expected_genesis, None).await
	}

	/// Like [`start`](Self::start), but believes only what the authorities of the checkpoint have finalised, or those to
	/// whom they have handed over. Until it has met them requests wait; if it meets others they fail with an
	/// [`AnchorError`].
	pub async fn start_from(
		spec_json: impl AsRef<str>,
		bootnodes: &[String],
		checkpoint: Checkpoint,
	) -> Result<Self, LightError> {
		Self::begin(spec_json, bootnodes, checkpoint.genesis, Some(checkpoint)).await
	}

	async fn begin(
		spec_json: impl AsRef<str>,
		bootnodes: &[String],
		expected_genesis: [u8; 32],
		checkpoint: Option<Checkpoint>,
	) -> Result<Self, LightError> {
		let specification = spec::for_smoldot(spec_json.as_ref(), bootnodes)?;
		// Of a text that is longer than the code of the runtime one copy is enough while smoldot builds the genesis.
		drop(spec_json);
		let outline = spec::outline(&specification);
		// To build and hash the genesis state takes seconds on a small device.
		let (smoldot, added) = tokio::task::spawn_blocking(move || add_chain(&specification))
			.await
			.map_err(|error| LightError::Silent { reason: error.to_string() })??;
		let responses = added
			.json_rpc_responses
			.ok_or_else(|| LightError::Silent { reason: "it has no JSON-RPC endpoint".into() })?;
		let transport = Arc::new(Transport::start(smoldot, added.chain_id, responses));
		// Asked of smoldot itself and not computed here: it is the genesis that it will verify against.
		let found: String = RpcClient::new(transport.clone())
			.request("chainSpec_v1_genesisHash", rpc_params![])
			.await
			.map_err(|error| LightError::Silent { reason: error.to_string() })?;
		let expected = format!("0x{}", hex::encode(expected_genesis));
		if !found.eq_ignore_ascii_case(&expected) {
			return Err(LightError::WrongGenesis { expected, found });
		}
		let outline = outline?;
		let first = AuthoritySet::new(0, outline.authorities)
			.map_err(|error| SpecError::Authorities { reason: error.to_string() })?;
		let checkpoint = match checkpoint {
			Some(checkpoint) if checkpoint.set.id() == 0 && checkpoint.set != first => {
				return Err(LightError::WrongCheckpoint);
			},
			Some(checkpoint) => checkpoint,
			None => Checkpoint {
				genesis: expected_genesis,
				set: first,
				number: 0,
				hash: expected_genesis,
			},
		};
		let peers = warp::Peers {
			genesis: expected_genesis,
			fork_id: outline.fork_id,
			addresses: outline.boot_nodes,
		};
		Ok(Self { gate: Gate::start(transport, peers, checkpoint), genesis: expected_genesis })
	}

	/// The transport, such as for `Client::from_rpc` of `dpki-client`.
	pub fn rpc(&self) -> RpcClient {
		RpcClient::new(self.gate.clone())
	}

	/// The newest block that counts, up to some hundred blocks behind the finalised one, and who finalises after it. At
	/// first the one from which the light client was started.
	///
	/// To be kept over restarts, like a root certificate: whoever can replace it can make the device believe anything.
	pub fn checkpoint(&self) -> Checkpoint {
		self.gate.tie().borrow().checkpoint.clone()
	}

	/// Waits for a checkpoint other than this one; `None` when there will be none any more, because the light client was
	/// led astray.
	pub async fn checkpoint_after(&self, known: &Checkpoint) -> Option<Checkpoint> {
		let mut tie = self.gate.tie();
		let next = tie.wait_for(|tie| tie.checkpoint != *known).await.ok()?;
		Some(next.checkpoint.clone())
	}

	/// Waits until the light client has met the authorities of its checkpoint, and so what it says counts.
	pub async fn tied(&self) -> Result<Checkpoint, AnchorError> {
		gate::tied(self.gate.tie()).await?;
		Ok(self.checkpoint())
	}

	/// Waits until nothing that the light client says will ever count again, and tells why: it was led astray, or smoldot
	/// has stopped. Only a new one can help then.
	pub async fn lost(&self) -> AnchorError {
		gate::lost(self.gate.tie()).await
	}

	/// The genesis hash of the chain.
	pub fn genesis_hash(&self) -> [u8; 32] {
		self.genesis
	}
}

type Platform = Arc<DefaultPlatform>;

fn add_chain(
	specification: &str,
) -> Result<(smoldot_light::Client<Platform>, AddChainSuccess<Platform>), LightError> {
	let platform =
		DefaultPlatform::new(env!("CARGO_PKG_NAME").into(), env!("CARGO_PKG_VERSION").into());
	let mut smoldot = smoldot_light::Client::new(platform);
	let added = smoldot
		.add_chain(AddChainConfig {
			specification,
			// Of an Aura chain nothing is kept but known peers, so each start is a first start.
			database_content: "",
			potential_relay_chains: iter::empty(),
			user_data: (),
			json_rpc: AddChainConfigJsonRpc::Enabled {
				max_pending_requests: MAX_PENDING_REQUESTS,
				max_subscriptions: MAX_SUBSCRIPTIONS,
			},
			statement_protocol_config: None,
		})
		.map_err(|error| LightError::SpecUnfit { reason: error.to_string() })?;
	Ok((smoldot, added))
}

impl std::fmt::Debug for LightClient {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "LightClient(0x{})", hex::encode(self.genesis))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::{Value, json};

	const PEER: &str =
		"/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

	async fn refusal(change: impl FnOnce(&mut Value)) -> LightError {
		let mut spec = json!({
			"name": "Device PKI",
			"id": "dpki",
			"chainType": "Live",
			"bootNodes": [],
			"genesis": { "raw": { "top": { "0x01": "0x02" }, "childrenDefault": {} } },
		});
		change(&mut spec);
		LightClient::start(&spec.to_string(), &[PEER.into()], [7; 32])
			.await
			.expect_err("there is no runtime in it")
	}

	/// smoldot says nothing about the outline, and goes on to look for what is not there: the runtime.
	fn is_understood(error: &LightError) -> bool {
		matches!(error, LightError::SpecUnfit { reason } if reason.contains("genesis chain information"))
	}

	#[tokio::test]
	async fn smoldot_understands_what_it_is_given() {
		let error = refusal(|_| ()).await;
		assert!(is_understood(&error), "{error}");
		let error = refusal(|spec| {
			// smoldot alone refuses the first field and warns of the others.
			spec["whatever"] = json!(1);
			spec["protocolId"] = json!("dpki");
			spec["properties"] = json!({ "tokenSymbol": "UNIT" });
			spec["forkId"] = json!("two");
		})
		.await;
		assert!(is_understood(&error), "{error}");
		let error = refusal(|spec| spec["chainType"] = json!(7)).await;
		assert!(!is_understood(&error), "the test can fail");
	}

	#[tokio::test]
	async fn what_could_lead_smoldot_elsewhere_never_reaches_it() {
		let error = refusal(|spec| spec["lightSyncState"] = json!({})).await;
		assert!(matches!(error, LightError::Spec(SpecError::Checkpoint)), "{error}");
		let children = json!({ "0x01": { "0x02": "0x03" } });
		let error = refusal(|spec| spec["genesis"]["raw"]["childrenDefault"] = children).await;
		assert!(matches!(error, LightError::Spec(SpecError::ChildTries)), "{error}");
	}
}
