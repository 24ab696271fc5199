//! Who says what became of a transaction.
//!
//! A node that lies says of a revocation that it is final, and has thrown it away. Where what the node says has to be proven, a
//! transaction is one of the chain that was proven, as it is signed from the newest proven block on, and it is reported as final
//! when its block, its place in there and what it did are proven.
//!
//! No command is refused for that alone: what is sent is the same whoever tells of it. Where a node elsewhere is not proven by
//! anything, it is said once that the node alone tells what becomes of transactions.

use super::{MAX_AGE, Proven, Trust};
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
				session.warn(&by_its_word(&node, &error));
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
		let number = client.block_number(included.block).await;
		let number = number.map_err(|error| unproven(error.into()))?;
		let view = timeout(READ_TIMEOUT, proven.view_from(number, *max_age)).await;
		let view = view.unwrap_or(Err(Error::NodeSilent { waited: READ_TIMEOUT }));
		view.map_err(unproven)?.outcome(included).await
	}
}

/// What is said of a node that nothing proves.
fn by_its_word(node: &str, error: &Error) -> String {
	let next = error.next_step().unwrap_or_default();
	format!("what becomes of transactions is the word of {node}: {next}")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn who_is_told_by_a_node_alone_knows_what_to_give() {
		let error = super::super::start(None, Ok(None), false, "wss://node.acme.example");
		let warning = by_its_word("wss://node.acme.example", &error.err().unwrap());
		assert!(warning.contains("the word of wss://node.acme.example"), "{warning}");
		assert!(warning.contains("dpki bundle checkpoint") && warning.contains("--checkpoint"));
		assert_eq!(warning.lines().count(), 1);
	}

	#[test]
	fn the_age_that_is_allowed_is_a_span() {
		assert_eq!(values::duration(MAX_AGE), Ok(Duration::from_secs(600)));
	}
}
