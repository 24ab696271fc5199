//! The chain as those commands see it that seal to its keys, or sign by what it says.
//!
//! A node that lies names a key of its own for a device. What is sealed to that key is open to the node as soon as it is sent;
//! that the chain refuses the record comes too late. So these commands read what is proven, and nothing else:
//!
//! | node | `--checkpoint` | what they go by |
//! |---|---|---|
//! | anywhere | given | what is proven from there on; where that has led is [remembered](memory) |
//! | elsewhere | left out | what is proven from what is remembered; if nothing is, they are refused |
//! | on this computer | left out | the word of the node, which is as good as the computer |
//!
//! What became of a transaction is proven in the same way, by whatever command it was sent, see [`Witness`].
//!
//! Nothing is remembered by the word of a node alone: somebody has to say once, by giving a checkpoint, whom to believe. Nor does a
//! node elsewhere say which of several chains that are remembered is meant: `--genesis` does.

mod memory;
mod proof;
mod witness;

pub use proof::Proof;
pub use witness::Witness;

use crate::{
	commands::bundle::read_checkpoint,
	error::{Error, Result},
	session::{READ_TIMEOUT, Session},
	values,
};
use clap::Args;
use dpki_client::{
	Client, Head, Judgement, Policy, Prover, View,
	carrier::{Carrier, node::NodeCarrier},
};
use dpki_primitives::Moment;
use dpki_verifier::{Checkpoint, Freshness, Zebra};
use memory::{Kept, Memory};
use std::{
	path::PathBuf,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, timeout};

/// How long to wait until a node is asked again for a block that it is about to prove.
const PAUSE: Duration = Duration::from_millis(100);

/// How old the newest finalised block may be where nobody says so.
const MAX_AGE: &str = "10m";

/// From where on the chain is proven, and how new it has to be.
#[derive(Args, Clone, Debug)]
pub struct Trust {
	/// Checkpoint from which the node has to prove what it says; where it leads is remembered for the chain. Without any a node
	/// on this computer is believed, and no other
	#[arg(long, env = "DPKI_CHECKPOINT", value_name = "FILE")]
	checkpoint: Option<PathBuf>,
	/// How old the newest finalised block may be by the clock of this computer
	#[arg(long, value_name = "SPAN", default_value = MAX_AGE, value_parser = values::duration)]
	max_age: Duration,
}

/// A chain of which only what is proven is believed, unless the node is one's own.
pub struct Chain {
	client: Client,
	max_age: Duration,
	proven: Option<Proven>,
	/// Whether it goes by the newest block, because none becomes final.
	unfinalised: bool,
}

/// A node that has to prove what it says.
pub struct Proven {
	prover: Prover<Zebra>,
	/// The digest of the checkpoint that somebody gave.
	root: [u8; 32],
	memory: Option<Memory>,
}

impl Trust {
	/// The chain behind the node of this session.
	pub async fn chain(&self, session: &Session) -> Result<Chain> {
		let given = self.given()?;
		let client = session.connect_as(given.is_some()).await?;
		let proven = Proven::begin(given, session, &client)?;
		session.prove_by(self);
		let unfinalised = session.is_unfinalised()?;
		// Who gives a checkpoint wants everything proven, and such a block cannot be.
		if unfinalised && proven.is_some() {
			return Err(Error::NotAllowed {
				why: "nothing proves what is not final, and a checkpoint was given".into(),
				next: "leave the checkpoint out, at a node of your own".into(),
			});
		}
		if unfinalised {
			session.head(&client).await?;
		}
		Ok(Chain { client, max_age: self.max_age, proven, unfinalised })
	}

	/// The checkpoint that somebody gives.
	fn given(&self) -> Result<Option<Checkpoint>> {
		self.checkpoint.as_deref().map(read_checkpoint).transpose()
	}

	/// A connection, and the state at the newest finalised block of such a chain.
	pub async fn view(&self, session: &Session) -> Result<(Client, View)> {
		let mut chain = self.chain(session).await?;
		let view = chain.view().await?;
		Ok((chain.client, view))
	}
}

impl Chain {
	/// The connection. What it says by itself is not proven.
	pub fn client(&self) -> &Client {
		&self.client
	}

	/// The same chain, of which only what is proven from there on is believed.
	fn proven_from(self, url: &str, from: Kept, memory: Option<Memory>) -> Result<Self> {
		let proven = Proven::new(&self.client, url, from, memory)?;
		Ok(Self { proven: Some(proven), ..self })
	}

	/// The state at the newest finalised block.
	pub async fn view(&mut self) -> Result<View> {
		let looking = async {
			if self.unfinalised {
				let head = self.client.best_head().await?;
				require_young(head, self.max_age, now())?;
				return Ok(self.client.at(head));
			}
			let head = self.client.finalized_head().await?;
			if let Some(proven) = &mut self.proven {
				return proven.view_from(head.number, self.max_age).await;
			}
			require_young(head, self.max_age, now())?;
			Ok(self.client.at(head))
		};
		timeout(READ_TIMEOUT, looking)
			.await
			.map_err(|_| Error::NodeSilent { waited: READ_TIMEOUT })?
	}

	/// The state at a finalised block that the node has just told of. Where it has to be proven it may be that of a later one.
	pub async fn view_at(&mut self, head: Head) -> Result<View> {
		let Some(proven) = &mut self.proven else { return Ok(self.client.at(head)) };
		timeout(READ_TIMEOUT, proven.view_from(head.number, self.max_age))
			.await
			.map_err(|_| Error::NodeSilent { waited: READ_TIMEOUT })?
	}
}

impl Proven {
	fn new(client: &Client, url: &str, from: Kept, memory: Option<Memory>) -> Result<Self> {
		let Kept { root, checkpoint } = from;
		let prover = Prover::new(client.clone(), url, checkpoint, Zebra)?;
		Ok(Self { prover, root, memory })
	}

	/// From where the node of this session proves, if it is not believed.
	fn begin(
		given: Option<Checkpoint>,
		session: &Session,
		client: &Client,
	) -> Result<Option<Self>> {
		let memory = Memory::of(client.genesis_hash());
		let kept = memory.as_ref().map_or(Ok(None), Memory::read);
		let node = NodeCarrier::new(session.url()).name();
		let is_named = given.is_some() || session.is_local() || session.is_pinned();
		if let (false, Some(memory)) = (is_named, &memory) {
			require_only(memory.chains()?, &node)?;
		}
		let start = start(given, kept, session.is_local(), &node)?;
		start.map(|from| Self::new(client, session.url(), from, memory)).transpose()
	}

	/// The newest state that the node proves, as soon as it is that of this block or of a later one: whoever has sent something
	/// wants to see it. A node that names a block which it cannot prove is waited for in vain, and no more than that.
	async fn view_from(&mut self, block: u32, max_age: Duration) -> Result<View> {
		loop {
			let view = self.prover.view(Freshness::at_most(max_age, now())).await?;
			// Before anything is done with it: whoever forgets what was proven can be shown an older state again.
			if let Some(memory) = &self.memory {
				let checkpoint = self.prover.checkpoint().clone();
				memory.note(&Kept { root: self.root, checkpoint })?;
			}
			if view.head().number >= block {
				return Ok(view);
			}
			sleep(PAUSE).await;
		}
	}
}

/// From where on this chain is proven; `None` if the node is believed.
fn start(
	given: Option<Checkpoint>,
	kept: Result<Option<Kept>>,
	is_local: bool,
	node: &str,
) -> Result<Option<Kept>> {
	match given {
		Some(given) => {
			let root = given.digest();
			// It led here before. Another one is somebody's new decision, as after a change of the validators by force.
			let further = kept.ok().flatten().filter(|kept| kept.root == root);
			Ok(Some(further.unwrap_or(Kept { root, checkpoint: given })))
		},
		None if is_local => Ok(None),
		None => match kept? {
			Some(kept) => Ok(Some(kept)),
			None => Err(Error::NotAllowed {
				why: format!(
					"what {node} says is not proven without a checkpoint, and this seals or signs by it"
				),
				next: "take one from a node that you trust with `dpki bundle checkpoint FILE --url URL`, and give it \
				       once with --checkpoint FILE: it is remembered"
					.into(),
			}),
		},
	}
}

/// Refuses to go by what is remembered of one among several chains. Which one it is says the node, where nobody else does, and one
/// of the others, such as a chain for trials, may have the same names with other keys.
fn require_only(chains: usize, node: &str) -> Result<()> {
	// Where there is none the next step is another one.
	if chains <= 1 {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("{chains} chains are remembered, and which one this is says {node} alone"),
		next: "say which one it has to be, with --genesis or DPKI_GENESIS".into(),
	})
}

/// Refuses a block that is too old to be asked. A node that was cut off, or that holds something back, answers from an old one as
/// if nothing had happened since.
pub fn require_young(head: Head, max_age: Duration, now: Moment) -> Result<()> {
	match Policy::closed_after(max_age).judge(head.time, now) {
		Judgement::Refused { age, .. } => Err(Error::Stale {
			block: head.number,
			age: Duration::from_secs(age / 1000),
			allowed: max_age,
		}),
		_ => Ok(()),
	}
}

/// The clock of this computer, in milliseconds since the Unix epoch.
pub fn now() -> Moment {
	// A clock before 1970 finds every block in the future, and believes none.
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	Moment::try_from(since.as_millis()).unwrap_or(Moment::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;

	fn checkpoint(number: u32) -> Checkpoint {
		let set = AuthoritySet::new(0, vec![[7; 32]]).unwrap();
		Checkpoint { genesis: [1; 32], set, number, hash: [number as u8; 32] }
	}

	/// What was given as number 5 and has led to `number`.
	fn kept(number: u32) -> Kept {
		Kept { root: checkpoint(5).digest(), checkpoint: checkpoint(number) }
	}

	const HERE: bool = true;
	const ELSEWHERE: bool = false;
	const NODE: &str = "wss://node.acme.example";

	/// The number of the block from which on is proven.
	fn begin(given: Option<Checkpoint>, kept: Option<Kept>, is_local: bool) -> Option<u32> {
		let begun = start(given, Ok(kept), is_local, NODE).unwrap();
		begun.map(|kept| kept.checkpoint.number)
	}

	#[test]
	fn a_node_elsewhere_is_not_believed_by_its_word_alone() {
		let error = start(None, Ok(None), ELSEWHERE, NODE).err().unwrap();
		let sentence = error.to_string();
		assert!(sentence.contains("node.acme.example says is not proven"), "{sentence}");
		let next = error.next_step().unwrap();
		assert!(next.contains("dpki bundle checkpoint") && next.contains("--checkpoint"), "{next}");
	}

	#[test]
	fn a_node_on_this_computer_is_believed_unless_a_checkpoint_is_given() {
		assert_eq!(begin(None, None, HERE), None);
		assert_eq!(begin(None, Some(kept(9)), HERE), None, "the chain may have begun anew");
		assert_eq!(begin(Some(checkpoint(5)), None, HERE), Some(5));
	}

	#[test]
	fn what_is_remembered_goes_on_where_it_was() {
		for place in [HERE, ELSEWHERE] {
			assert_eq!(begin(Some(checkpoint(5)), Some(kept(9)), place), Some(9));
		}
		assert_eq!(begin(None, Some(kept(9)), ELSEWHERE), Some(9));
	}

	#[test]
	fn another_checkpoint_takes_the_place_of_what_is_remembered() {
		for number in [4, 6, 12] {
			assert_eq!(begin(Some(checkpoint(number)), Some(kept(9)), ELSEWHERE), Some(number));
		}
	}

	#[test]
	fn damage_to_what_is_remembered_stops_whoever_gives_no_checkpoint() {
		let damaged = || Err(Error::Usage("it is damaged".into()));
		assert!(start(None, damaged(), ELSEWHERE, NODE).is_err());
		assert!(start(Some(checkpoint(5)), damaged(), ELSEWHERE, NODE).unwrap().is_some());
	}

	#[test]
	fn a_node_elsewhere_does_not_choose_among_the_chains_that_are_remembered() {
		for chains in [0, 1] {
			require_only(chains, NODE).unwrap();
		}
		let error = require_only(2, NODE).unwrap_err();
		assert!(error.to_string().contains("2 chains are remembered"), "{error}");
		assert!(error.next_step().unwrap().contains("--genesis"), "{error}");
	}

	#[test]
	fn an_old_block_is_not_asked() {
		let head = |time| Head { number: 7, hash: [7; 32], time };
		let minute = Duration::from_secs(60);
		assert!(require_young(head(9_000), minute, 69_000).is_ok());
		assert!(require_young(head(9_000), minute, 0).is_ok(), "the clock is behind");
		let error = require_young(head(9_000), minute, 70_000).unwrap_err();
		assert!(error.to_string().contains("block 7 is 1m 1s old"), "{error}");
		assert!(require_young(head(0), minute, 0).is_err(), "a block without a time has no age");
	}
}
