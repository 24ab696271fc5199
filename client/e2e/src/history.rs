//! What clients were told while a network was hurt, and whether it contradicts itself.
//!
//! A [`History`] only grows: whoever asks a node, or is told something by one, notes it in the order in which that happened.
//! [`History::check`] knows nothing of how it came about. It finds what a ledger may never do, whatever fails:
//!
//! - two finalised blocks of one number, told by anybody at any time: [`Violation::Fork`];
//! - a node that takes back its newest finalised block without having been started again: [`Violation::Regress`];
//! - a transaction that somebody was told is final, and that is not there later: [`Violation::Lost`];
//! - something revoked that is not revoked later: [`Violation::Returned`];
//! - a transaction that a node has accepted, and of which nobody ever learns what became: [`Violation::Forgotten`];
//! - a transaction that could not come any more, as somebody was told, and came: [`Violation::Contradicted`].
//!
//! And what nobody looked for again proves nothing, which is a violation as well: [`Violation::Unchecked`].

use std::{
	collections::{BTreeMap, BTreeSet, btree_map::Entry},
	fmt,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

/// A hash of a block or of a transaction.
pub type Hash = [u8; 32];

/// A finalised block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Block {
	/// Its number.
	pub number: u32,
	/// Its hash.
	pub hash: Hash,
}

/// What somebody was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
	/// A node was started, for the first time or again: it may be behind what it told in its life before.
	Started {
		/// Which node.
		node: String,
	},
	/// A node tells its newest finalised block.
	Head {
		/// Which node.
		node: String,
		/// The block.
		block: Block,
	},
	/// A node tells which block of an older number it holds as finalised.
	Holds {
		/// Which node.
		node: String,
		/// The block.
		block: Block,
	},
	/// A node has taken a transaction into its pool.
	Accepted {
		/// Which one.
		transaction: Hash,
	},
	/// A client was told that a transaction is final.
	Acknowledged {
		/// Which one.
		transaction: Hash,
		/// In which block.
		block: Block,
	},
	/// A client was told that a transaction is in no block and cannot come into one any more.
	Refused {
		/// Which one.
		transaction: Hash,
	},
	/// A node, asked at this finalised block, has a transaction or what it did.
	Found {
		/// Which node.
		node: String,
		/// The number of the finalised block at which it was asked.
		number: u32,
		/// Which transaction.
		transaction: Hash,
	},
	/// A node, asked at this finalised block, has no trace of a transaction.
	Missing {
		/// Which node.
		node: String,
		/// The number of the finalised block at which it was asked.
		number: u32,
		/// Which transaction.
		transaction: Hash,
	},
	/// A node, asked at this finalised block, tells whether something is revoked.
	Judged {
		/// Which node.
		node: String,
		/// The number of the finalised block at which it was asked.
		number: u32,
		/// What it was asked about.
		subject: String,
		/// What it said.
		revoked: bool,
	},
}

/// What may not happen, whatever fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Violation {
	/// Two blocks of one number were called final.
	Fork {
		/// Their number.
		number: u32,
		/// The one that was told first.
		first: Hash,
		/// Another one.
		other: Hash,
	},
	/// A node took back what it had called final.
	Regress {
		/// Which node.
		node: String,
		/// What it had told.
		from: u32,
		/// What it told then.
		to: u32,
	},
	/// An acknowledged transaction is not there.
	Lost {
		/// Which one.
		transaction: Hash,
		/// Who does not have it.
		node: String,
	},
	/// Something revoked is good again.
	Returned {
		/// What.
		subject: String,
		/// Who says so.
		node: String,
	},
	/// Nobody was told what became of an accepted transaction.
	Forgotten {
		/// Which one.
		transaction: Hash,
	},
	/// A transaction that could not come any more has come.
	Contradicted {
		/// Which one.
		transaction: Hash,
	},
	/// An acknowledged transaction was never looked for again.
	Unchecked {
		/// Which one.
		transaction: Hash,
	},
}

impl fmt::Display for Violation {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let short = |hash: &Hash| hex::encode(&hash[..6]);
		match self {
			Violation::Fork { number, first, other } => {
				write!(f, "two final blocks {number}: {} and {}", short(first), short(other))
			},
			Violation::Regress { node, from, to } => {
				write!(f, "{node} went back from final block {from} to {to}")
			},
			Violation::Lost { transaction, node } => {
				write!(f, "acknowledged {} is lost on {node}", short(transaction))
			},
			Violation::Returned { subject, node } => {
				write!(f, "{subject} was revoked, and {node} says it is not")
			},
			Violation::Forgotten { transaction } => {
				write!(
					f,
					"accepted {} was neither included nor given up in words",
					short(transaction)
				)
			},
			Violation::Contradicted { transaction } => {
				write!(f, "{} was called impossible and came", short(transaction))
			},
			Violation::Unchecked { transaction } => {
				write!(f, "nobody looked for acknowledged {} again", short(transaction))
			},
		}
	}
}

/// An event and when it was noted.
type Noted = (Instant, Event);

/// What was told, in order. Cheap to clone: all clones are one history.
#[derive(Clone, Default, Debug)]
pub struct History(Arc<Mutex<Vec<Noted>>>);

impl History {
	/// Notes what was just told.
	pub fn note(&self, event: Event) {
		self.events().push((Instant::now(), event));
	}

	/// How many things were told.
	pub fn len(&self) -> usize {
		self.events().len()
	}

	/// Whether nothing was told.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// The highest block that anybody has called final.
	pub fn highest(&self) -> Option<Block> {
		let events = self.events();
		let blocks = events.iter().filter_map(|(_, event)| final_block(event));
		blocks.max_by_key(|block| block.number)
	}

	/// The highest block that this node has called its newest final one since it was started last.
	pub fn head_of(&self, node: &str) -> Option<u32> {
		let events = self.events();
		let life = events.iter().rev().take_while(
			|(_, event)| !matches!(event, Event::Started { node: started } if started == node),
		);
		life.filter_map(|(_, event)| match event {
			Event::Head { node: teller, block } if teller == node => Some(block.number),
			_ => None,
		})
		.max()
	}

	/// Every block that was called final, once.
	pub fn blocks(&self) -> BTreeSet<Block> {
		self.events().iter().filter_map(|(_, event)| final_block(event)).collect()
	}

	/// The longest time between `from` and `to` in which no node has told a higher final block than all had before.
	pub fn longest_stall(&self, from: Instant, to: Instant) -> Duration {
		let events = self.events();
		let mut highest = 0;
		let (mut last, mut longest) = (from, Duration::ZERO);
		for (at, event) in events.iter() {
			let Some(block) = final_block(event) else { continue };
			if block.number <= highest {
				continue;
			}
			highest = block.number;
			if *at < from || *at > to {
				continue;
			}
			longest = longest.max(at.duration_since(last));
			last = *at;
		}
		longest.max(to.saturating_duration_since(last))
	}

	/// When a block of at least this number was first called final by each of these nodes, after a moment.
	pub fn reached(&self, nodes: &[&str], number: u32, after: Instant) -> Option<Instant> {
		let events = self.events();
		let first = |name: &&str| {
			events
				.iter()
				.find(|(at, event)| {
					let Event::Head { node, block } = event else { return false };
					*at >= after && node == name && block.number >= number
				})
				.map(|(at, _)| *at)
		};
		nodes.iter().map(first).collect::<Option<Vec<_>>>()?.into_iter().max()
	}

	/// For each start of a node after its first one: by how many blocks the newest finalised block that it told first lay
	/// behind the newest that it had told before. No violation: what it has forgotten the others still know.
	pub fn set_backs(&self) -> Vec<u32> {
		let (mut highest, mut fresh, mut found) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
		for (_, event) in self.events().iter() {
			match event {
				Event::Started { node } => {
					fresh.insert(node.clone());
				},
				Event::Head { node, block } => {
					let before = highest.entry(node.clone()).or_insert(block.number);
					if fresh.remove(node) {
						found.push(before.saturating_sub(block.number));
					}
					*before = block.number.max(*before);
				},
				_ => {},
			}
		}
		found
	}

	/// What in it may not have happened; nothing, if all is well.
	pub fn check(&self) -> Vec<Violation> {
		let events = self.events();
		let mut checker = Checker::default();
		for (_, event) in events.iter() {
			checker.take(event);
		}
		checker.conclude()
	}

	fn events(&self) -> MutexGuard<'_, Vec<Noted>> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// The block that somebody calls final in it.
fn final_block(event: &Event) -> Option<Block> {
	match event {
		Event::Head { block, .. }
		| Event::Holds { block, .. }
		| Event::Acknowledged { block, .. } => Some(*block),
		_ => None,
	}
}

/// What is known of a transaction.
#[derive(Default)]
struct Fate {
	accepted: bool,
	acknowledged: Option<Block>,
	refused: bool,
	/// Whether anybody has looked for it since it was acknowledged.
	looked_for: bool,
}

#[derive(Default)]
struct Checker<'history> {
	chain: BTreeMap<u32, Hash>,
	heads: BTreeMap<&'history str, u32>,
	fates: BTreeMap<Hash, Fate>,
	/// The lowest block at which something was revoked.
	revoked: BTreeMap<&'history str, u32>,
	found: Vec<Violation>,
}

impl<'history> Checker<'history> {
	fn take(&mut self, event: &'history Event) {
		if let Some(Block { number, hash }) = final_block(event) {
			match self.chain.entry(number) {
				Entry::Vacant(place) => {
					place.insert(hash);
				},
				Entry::Occupied(first) if *first.get() != hash => {
					let first = *first.get();
					self.find(Violation::Fork { number, first, other: hash });
				},
				Entry::Occupied(_) => {},
			}
		}
		match event {
			Event::Started { node } => {
				self.heads.remove(node.as_str());
			},
			Event::Head { node, block } => {
				let to = block.number;
				if let Some(from) = self.heads.insert(node, to).filter(|from| *from > to) {
					self.find(Violation::Regress { node: node.clone(), from, to });
				}
			},
			Event::Holds { .. } => {},
			Event::Accepted { transaction } => self.fate(transaction).accepted = true,
			Event::Acknowledged { transaction, block } => {
				let fate = self.fate(transaction);
				fate.acknowledged = Some(*block);
				fate.looked_for = false;
				self.came(transaction);
			},
			Event::Refused { transaction } => self.fate(transaction).refused = true,
			Event::Found { transaction, .. } => {
				self.fate(transaction).looked_for = true;
				self.came(transaction);
			},
			Event::Missing { node, number, transaction } => {
				let fate = self.fate(transaction);
				fate.looked_for = true;
				// Who has not come as far yet cannot have it.
				if fate.acknowledged.is_some_and(|block| block.number <= *number) {
					let (transaction, node) = (*transaction, node.clone());
					self.find(Violation::Lost { transaction, node });
				}
			},
			Event::Judged { number, subject, revoked: true, .. } => {
				let first = self.revoked.entry(subject).or_insert(*number);
				*first = (*first).min(*number);
			},
			Event::Judged { node, number, subject, revoked: false } => {
				if self.revoked.get(subject.as_str()).is_some_and(|first| first <= number) {
					let (subject, node) = (subject.clone(), node.clone());
					self.find(Violation::Returned { subject, node });
				}
			},
		}
	}

	fn came(&mut self, transaction: &Hash) {
		if self.fate(transaction).refused {
			self.find(Violation::Contradicted { transaction: *transaction });
		}
	}

	fn fate(&mut self, transaction: &Hash) -> &mut Fate {
		self.fates.entry(*transaction).or_default()
	}

	/// The same thing again tells nothing new.
	fn find(&mut self, violation: Violation) {
		if !self.found.contains(&violation) {
			self.found.push(violation);
		}
	}

	fn conclude(mut self) -> Vec<Violation> {
		for (transaction, fate) in self.fates {
			if fate.acknowledged.is_some() && !fate.looked_for {
				self.found.push(Violation::Unchecked { transaction });
			}
			if fate.accepted && fate.acknowledged.is_none() && !fate.refused {
				self.found.push(Violation::Forgotten { transaction });
			}
		}
		self.found
	}
}

#[cfg(test)]
mod tests;
