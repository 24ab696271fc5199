//! Who says what became of a transaction.
//!
//! A node that lies says of a revocation that it is final, and has thrown it away. Where what the node says has to be proven, a
//! transaction is one of the chain that was proven, as it is signed from the newest proven block on, and it is reported as final
//! when its block, its place in there and what it did are proven.
//!
//! A node that lies says as well that it does not take a transaction, and keeps it. What it says of its pool is nothing that a
//! chain proves, so where the chain is the witness it is told as the word of the node, and nothing is thrown away for it.
//!
//! No command is refused for that alone: what is sent is the same whoever tells of it. Where a node elsewhere is not proven by
//! anything, it is said once that the node alone tells what becomes of transactions. That is for a chain of which nothing is
//! remembered, and a node does not choose it: where another one is remembered, somebody has to say that this one is meant.

use super::{MAX_AGE, Memory, Proven, Trust};
use crate::{
	error::{Error, Result},
	session::{READ_TIMEOUT, Session},
	values,
};
use dpki_client::{
	Client, Finalized, Head, Included, SubmitError,
	carrier::{Carrier, node::NodeCarrier},
};
use std::{env, path::PathBuf, time::Duration};
use tokio::time::timeout;

/// How long a node may take to prove what became of a transaction: the proof of a newer block, and some from there.
const OUTCOME_TIMEOUT: Duration = READ_TIMEOUT.saturating_mul(2);

/// Who says what became of a transaction.
pub enum Witness {
	/// The node, by its word.
	Node,
	/// The chain, from a checkpoint on.
	Chain {
		/// What proves it.
		proven: Box<Proven>,
		/// How old its newest block may be.
		max_age: Duration,
		/// Whether nothing is sent before something is proven.
		first: bool,
	},
}

impl Witness {
	/// The one for this node: as the command has it, or as the environment and what is remembered have it.
	pub fn of(session: &Session, client: &Client) -> Result<Self> {
		let trust = match session.trust() {
			Some(trust) => trust.clone(),
			None => Trust {
				checkpoint: env::var_os("DPKI_CHECKPOINT").map(PathBuf::from),
				max_age: values::duration(MAX_AGE).map_err(Error::Usage)?,
			},
		};
		let (given, first) = (trust.given()?, session.trust().is_some());
		let must = first || given.is_some();
		match Proven::begin(given, session, client) {
			Ok(Some(proven)) => {
				let (proven, max_age) = (Box::new(proven), trust.max_age);
				Ok(Self::Chain { proven, max_age, first })
			},
			Ok(None) => Ok(Self::Node),
			Err(error) if must => Err(error),
			Err(error) => {
				let node = NodeCarrier::new(session.url()).name();
				let known = Known::of(client.genesis_hash(), session.is_pinned());
				session.warn(&by_its_word(&node, known.allow(error, &node)?));
				Ok(Self::Node)
			},
		}
	}

	/// The newest block that is proven, if any is. What does not go by proofs, such as a revocation, is sent without as well: what
	/// comes of it then is told as not proven.
	pub async fn head(&mut self) -> Result<Option<Head>> {
		let Self::Chain { proven, max_age, first } = self else { return Ok(None) };
		let view = timeout(READ_TIMEOUT, proven.view_from(0, *max_age)).await;
		match view.unwrap_or(Err(Error::NodeSilent { waited: READ_TIMEOUT })) {
			Ok(view) => Ok(Some(view.head())),
			Err(error) if *first => Err(error),
			Err(_) => Ok(None),
		}
	}

	/// Why a transaction came into no block, as the node says; it counts from the block `from` on, if any is proven.
	pub fn not_included(&self, error: SubmitError, from: Option<Head>) -> SubmitError {
		match self {
			Self::Node => error,
			Self::Chain { .. } => error.by_word_of_node(from),
		}
	}

	/// What a transaction did in the block that the node names.
	pub async fn outcome(
		&mut self,
		client: &Client,
		included: &Included,
	) -> Result<Finalized, SubmitError> {
		let Self::Chain { proven, max_age, .. } = self else {
			return client.outcome(included).await;
		};
		let unproven = |error: Error| included.unproven(error.to_string());
		let proving = async {
			let number = client.block_number(included.block).await;
			let number = number.map_err(|error| unproven(error.into()))?;
			let view = proven.view_from(number, *max_age).await;
			view.map_err(unproven)?.outcome(included).await
		};
		in_time(OUTCOME_TIMEOUT, included, proving).await
	}
}

/// What a node proves within this time: one that answers no more has proven nothing.
async fn in_time(
	waited: Duration,
	included: &Included,
	proving: impl Future<Output = Result<Finalized, SubmitError>>,
) -> Result<Finalized, SubmitError> {
	let silent = || included.unproven(Error::NodeSilent { waited }.to_string());
	timeout(waited, proving).await.unwrap_or_else(|_| Err(silent()))
}

/// What is known of chains when a node names one that nothing proves.
struct Known {
	/// Whether something is remembered of this very chain.
	this: bool,
	/// How many chains are remembered, or that this cannot be read.
	chains: Result<usize>,
	/// Whether somebody has said which chain it has to be.
	is_pinned: bool,
}

impl Known {
	fn of(genesis: [u8; 32], is_pinned: bool) -> Self {
		let memory = Memory::of(genesis);
		Self {
			this: memory.as_ref().is_some_and(|memory| !matches!(memory.read(), Ok(None))),
			chains: memory.as_ref().map_or(Ok(0), Memory::chains),
			is_pinned,
		}
	}

	/// Why nothing is proven, where the node is believed for it. A node is not believed that gets around what is remembered by
	/// naming another chain.
	fn allow(self, error: Error, node: &str) -> Result<Error> {
		match self.chains {
			_ if self.this => Err(error),
			_ if self.is_pinned => Ok(error),
			Ok(0) => Ok(error),
			Ok(1) => Err(Error::NotAllowed {
				why: format!(
					"another chain is remembered than {node} names, and nothing proves what becomes of transactions there"
				),
				next: "say which one it has to be, with --genesis or DPKI_GENESIS".into(),
			}),
			// It says so already.
			_ => Err(error),
		}
	}
}

/// What is said of a node that nothing proves.
fn by_its_word(node: &str, error: Error) -> String {
	let next = error.next_step().unwrap_or_default();
	format!("what becomes of transactions is the word of {node}: {next}")
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::refusal::Refusal;

	const NODE: &str = "wss://node.acme.example";

	#[test]
	fn a_node_that_names_another_chain_is_not_believed_for_it() {
		let allowed = |this, chains, is_pinned| {
			let error = Error::Usage("nothing is proven".into());
			Known { this, chains, is_pinned }.allow(error, NODE)
		};
		let error = allowed(false, Ok(1), false).unwrap_err();
		assert!(error.to_string().contains("another chain is remembered"), "{error}");
		assert!(error.next_step().unwrap().contains("--genesis"), "{error}");
		let unreadable = || Err(Error::Usage("it cannot be read".into()));
		for chains in [Ok(2), unreadable()] {
			assert!(matches!(allowed(false, chains, false), Err(Error::Usage(_))));
		}
		for is_pinned in [false, true] {
			assert!(allowed(true, Ok(1), is_pinned).is_err(), "it is damaged");
		}
		for (chains, is_pinned) in [(Ok(0), false), (Ok(1), true), (unreadable(), true)] {
			assert!(allowed(false, chains, is_pinned).is_ok());
		}
	}

	#[tokio::test]
	async fn a_node_that_falls_silent_has_proven_nothing() {
		let included = Included { block: [1; 32], extrinsic: [2; 32] };
		let error = in_time(Duration::ZERO, &included, std::future::pending()).await.unwrap_err();
		assert!(matches!(error, SubmitError::Unproven { .. }), "{error}");
		assert!(error.may_be_included());
	}

	#[test]
	fn a_node_that_is_believed_is_believed_in_refusals() {
		let refused = SubmitError::Refused(Refusal::DeviceExists);
		let told = Witness::Node.not_included(refused, None);
		assert!(matches!(told, SubmitError::Refused(Refusal::DeviceExists)), "{told}");
	}

	#[test]
	fn who_is_told_by_a_node_alone_knows_what_to_give() {
		let error = super::super::start(None, Ok(None), false, NODE);
		let warning = by_its_word(NODE, error.err().unwrap());
		assert!(warning.contains(&format!("the word of {NODE}")), "{warning}");
		assert!(warning.contains("dpki bundle checkpoint") && warning.contains("--checkpoint"));
		assert_eq!(warning.lines().count(), 1);
	}

	#[test]
	fn the_age_that_is_allowed_is_a_span() {
		assert_eq!(values::duration(MAX_AGE), Ok(Duration::from_secs(600)));
	}
}
