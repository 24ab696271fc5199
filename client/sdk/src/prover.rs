//! The state of a chain by way of a node that nobody has to trust.
//!
//! A [`Client`] over WebSocket believes its node. Whoever seals to a key of the chain, or signs by what it says, cannot afford
//! that: the node would name a key of its own, and what was sealed is open before the chain refuses the record. A [`Prover`]
//! begins with a [`Checkpoint`] that is trusted and gives a [`View`] at the newest finalised block: that the block is final is
//! proven by a bundle of the node, and every record of the view by a proof under the state root of that block.
//!
//! ```no_run
//! # async fn example(checkpoint: dpki_verifier::Checkpoint, now: u64) -> Result<(), Box<dyn std::error::Error>> {
//! use dpki_client::{Client, Prover};
//! use dpki_verifier::{Freshness, Zebra};
//! use std::time::Duration;
//!
//! let url = "wss://node.acme.example";
//! let mut prover = Prover::new(Client::connect(url).await?, url, checkpoint, Zebra)?;
//! let view = prover.view(Freshness::at_most(Duration::from_secs(600), now)).await?;
//! println!("proven at block {}", view.head().number);
//! // To be stored before anything is done with what the view says.
//! let stored = prover.checkpoint().encode();
//! # Ok(())
//! # }
//! ```

use crate::{
	Client, Head, View,
	carrier::{Carriers, Exhausted, node::NodeCarrier},
	client::ClientError,
};
use dpki_verifier::{Checkpoint, Ed25519, Freshness, Query, Verified, Verifier};

/// Why there is no proven view.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProverError {
	/// The checkpoint is of another chain.
	#[error(
		"the checkpoint is of another chain than the node: give the checkpoint of this chain, or a node of that one"
	)]
	OtherChain,
	/// The newest finalised block is not proven.
	#[error(transparent)]
	Unproven(#[from] Exhausted),
	/// The node could not be asked for the header of the block, or has answered with another one.
	#[error(transparent)]
	Client(#[from] ClientError),
}

/// Gives views of the state that the node has to prove.
#[derive(Debug)]
pub struct Prover<C> {
	client: Client,
	node: Carriers,
	verifier: Verifier<C>,
}

impl<C: Ed25519 + Clone + Send + Sync> Prover<C> {
	/// From a checkpoint that is trusted, by the node of this connection; `name` is what errors call it.
	///
	/// Refused is [`ProverError::OtherChain`].
	pub fn new(
		client: Client,
		name: &str,
		checkpoint: Checkpoint,
		crypto: C,
	) -> Result<Self, ProverError> {
		// What the node says of its chain is not proven, but one that names another one need not be asked.
		if checkpoint.genesis != client.genesis_hash() {
			return Err(ProverError::OtherChain);
		}
		let node = NodeCarrier::connected(name, client.rpc().clone());
		let node = Carriers::new(vec![Box::new(node)]);
		Ok(Self { client, node, verifier: Verifier::new(checkpoint, crypto) })
	}

	/// Where it stands: the newest block that was proven.
	pub fn checkpoint(&self) -> &Checkpoint {
		self.verifier.checkpoint()
	}

	/// The state at the newest finalised block, which is never older than one that was proven before. Nodes keep the state of
	/// some hundred blocks only.
	///
	/// The prover has then moved to that block: its [`checkpoint`](Self::checkpoint) is to be stored.
	pub async fn view(&mut self, freshness: Freshness) -> Result<View, ProverError> {
		let read = |verified: &Verified<'_>| Head {
			number: verified.number(),
			hash: verified.hash(),
			time: verified.time(),
		};
		let query = Query::new();
		let head = self.node.ask(&mut self.verifier, &query, freshness, read).await?.value;
		let root = self.client.header(head.hash).await?.state_root;
		Ok(View::proven(self.client.clone(), head, root.0))
	}
}
