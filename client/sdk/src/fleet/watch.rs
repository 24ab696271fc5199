//! What a voter has to look at, what it finds, and what it says then.
//!
//! The votes are on the chain and the tiles in a folder, so a [`Watch`] that begins anew goes on where another one
//! ended: it remembers nothing that could be lost but how patient it has been.

use super::{Change, Commitment, FleetError, FleetLeaf, FleetRecord, FleetTiles, RevokedChunks};
use crate::{AccountId, View, blob::BlobStore, view::ReadError};
use dpki_primitives::{
	ids::{FleetId, OrganisationId, RevisionId},
	key_policy::KeyPolicy,
};
use std::{
	collections::{HashMap, HashSet},
	time::{Duration, Instant},
};

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A revision of a fleet on which a voter has not said yet that it holds the leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duty {
	/// Which fleet.
	pub fleet: FleetId,
	/// Whose fleet.
	pub organisation: OrganisationId,
	/// Which revision of it.
	pub revision: u32,
	/// What a vote on it names.
	pub id: RevisionId,
	/// What it commits to.
	pub commitment: Commitment,
	/// What counts until then, if this puts other leaves in their places: none that is revoked may get another one.
	pub rotates: Option<Commitment>,
	/// Whether the voter has denied it.
	pub denied: bool,
}

impl Duty {
	/// The candidate of a fleet, or else what counts; nothing if the fleet has neither.
	pub fn newest(fleet: FleetId, record: &FleetRecord) -> Option<Self> {
		Self::all(fleet, record).next()
	}

	/// What there is to look at in a fleet: the candidate first, then what counts already. Nobody has to say that keys are to
	/// be had which stand on the chain.
	fn all(fleet: FleetId, record: &FleetRecord) -> impl Iterator<Item = Self> {
		let current = record.current.map(|it| it.commitment);
		let duty = move |id, revision, commitment, rotates| Self {
			fleet,
			organisation: record.organisation,
			revision,
			id,
			commitment,
			rotates,
			denied: false,
		};
		let candidate = record.candidate.zip(record.candidate_id()).map(|(it, id)| {
			let before = current.filter(|_| it.change == Change::Rotate);
			duty(id, it.revision, it.commitment, before)
		});
		let head = record.current.filter(|it| !it.commitment.is_on_roll());
		let head = head.zip(record.head_id());
		let head = head.map(|(it, id)| duty(id, it.revision, it.commitment, None));
		candidate.into_iter().chain(head)
	}
}

/// What became of an attempt to fetch and hash all leaves.
#[derive(Debug)]
pub enum Finding {
	/// They are held, and are what was committed.
	Held,
	/// They are something that cannot count, and will not become anything else.
	Wrong(FleetError),
	/// Some of them could not be had now.
	Missing(FleetError),
}

impl Finding {
	/// Whether there is nothing to say against the revision.
	pub fn is_held(&self) -> bool {
		matches!(self, Self::Held)
	}
}

/// How often an attempt has failed, since when, and when the next one is due.
#[derive(Clone, Copy)]
struct Failures {
	count: u32,
	since: Instant,
	next: Instant,
}

/// The duties of one voter over time.
pub struct Watch {
	voter: AccountId,
	patience: Duration,
	done: HashSet<RevisionId>,
	failures: HashMap<RevisionId, Failures>,
}

impl Watch {
	/// For this voter, which denies what could not be had for so long.
	pub fn new(voter: AccountId, patience: Duration) -> Self {
		Self { voter, patience, done: HashSet::new(), failures: HashMap::new() }
	}

	/// What is to be looked at now: what was never missing first, and candidates before heads that count already.
	pub async fn duties(&mut self, view: &View, now: Instant) -> Result<Vec<Duty>, ReadError> {
		let fleets = view.fleets().await?;
		self.forget_all_but(&fleets);
		let mut duties = Vec::new();
		for (fleet, record) in &fleets {
			for duty in open_duties(*fleet, record) {
				let waits = self.failures.get(&duty.id).is_some_and(|it| it.next > now);
				if waits || self.done.contains(&duty.id) {
					continue;
				}
				let votes = view.availability_votes(*fleet, duty.revision).await?;
				let said = votes.iter().find(|vote| vote.voter == self.voter);
				if said.is_some_and(|vote| vote.available) {
					self.done.insert(duty.id);
					continue;
				}
				let is_candidate = record.candidate.is_some_and(|it| it.revision == duty.revision);
				let failures = self.failures.get(&duty.id).map_or(0, |it| it.count);
				let turn = (failures, !is_candidate);
				duties.push((turn, Duty { denied: said.is_some(), ..duty }));
			}
		}
		duties.sort_by_key(|(turn, _)| *turn);
		Ok(duties.into_iter().map(|(_, duty)| duty).collect())
	}

	/// What is to be said after a finding: whether the leaves are to be had, or nothing yet.
	pub fn judge(&mut self, duty: &Duty, finding: &Finding, now: Instant) -> Option<bool> {
		let available = match finding {
			Finding::Held => return Some(true),
			Finding::Wrong(_) => false,
			Finding::Missing(_) => {
				let since = self.failures.get(&duty.id).map_or(now, |it| it.since);
				self.postpone(duty, now);
				if now.duration_since(since) < self.patience {
					return None;
				}
				false
			},
		};
		(!duty.denied).then_some(available)
	}

	/// Notes that the chain has heard what there is to say about a revision. What was denied because something was missing
	/// stays a duty: it may come.
	pub fn settle(&mut self, duty: &Duty, finding: &Finding) {
		if !matches!(finding, Finding::Missing(_)) {
			self.failures.remove(&duty.id);
			self.done.insert(duty.id);
		}
	}

	/// Lets a revision wait, longer with each time.
	pub fn postpone(&mut self, duty: &Duty, now: Instant) {
		let first = Failures { count: 0, since: now, next: now };
		let failures = self.failures.entry(duty.id).or_insert(first);
		failures.next = now + pause(failures.count);
		failures.count = failures.count.saturating_add(1);
	}

	fn forget_all_but(&mut self, fleets: &[(FleetId, FleetRecord)]) {
		let known: HashSet<_> = fleets
			.iter()
			.flat_map(|(fleet, record)| open_duties(*fleet, record))
			.map(|duty| duty.id)
			.collect();
		self.done.retain(|id| known.contains(id));
		self.failures.retain(|id, _| known.contains(id));
	}
}

fn pause(failures: u32) -> Duration {
	FIRST_PAUSE.saturating_mul(2u32.saturating_pow(failures)).min(LONGEST_PAUSE)
}

/// What is voted on in a fleet. Nobody relies on a revoked one.
fn open_duties(fleet: FleetId, record: &FleetRecord) -> impl Iterator<Item = Duty> {
	Duty::all(fleet, record).filter(|_| record.revocation.is_none())
}

/// Fetches and hashes every leaf of a revision, one tile after the other, whatever the size: refuses what the key policy of
/// the organisation forbids, a key that is there twice, and another key in the place of one that is revoked. `revoked` tells
/// which are, and is asked last: what is revoked while the leaves are fetched counts. `progress` gets the number of members
/// that were seen.
pub async fn look<E>(
	duty: &Duty,
	store: &dyn BlobStore,
	policy: &KeyPolicy,
	revoked: impl AsyncFnOnce() -> Result<RevokedChunks, E>,
	progress: impl FnMut(u32),
) -> Result<Finding, E> {
	let judge = |index, leaf: &FleetLeaf| match leaf.is_allowed_by(policy) {
		true => Ok(()),
		false => {
			let reason = "the key policy of the organisation forbids it";
			Err(FleetError::Leaf { index, reason })
		},
	};
	let mut tiles = FleetTiles::new(store, duty.commitment);
	let mut found = tiles.audit_keys(judge, progress).await;
	if let (Ok(()), Some(before)) = (&found, duty.rotates) {
		let revoked = revoked().await?;
		found = tiles.keeps_revoked(&mut FleetTiles::new(store, before), &revoked).await;
	}
	Ok(match found {
		Ok(()) => Finding::Held,
		// Another place may have it; under its name there is no other tile, though.
		Err(error @ FleetError::Blob(_)) => Finding::Missing(error),
		Err(error) => Finding::Wrong(error),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::blob::BlobError;

	fn duty(denied: bool) -> Duty {
		Duty {
			fleet: FleetId([1; 32]),
			organisation: OrganisationId([2; 32]),
			revision: 3,
			id: RevisionId([6; 32]),
			commitment: Commitment {
				size: 1,
				root: [4; 32],
				tiles: dpki_primitives::ids::BlobDigest([5; 32]),
			},
			rotates: None,
			denied,
		}
	}

	fn missing() -> Finding {
		let error = BlobError::Unavailable { cid: "cid".into(), reason: "gone".into() };
		Finding::Missing(error.into())
	}

	fn wrong() -> Finding {
		Finding::Wrong(FleetError::Leaf { index: 0, reason: "forbidden" })
	}

	const PATIENCE: Duration = Duration::from_secs(60);

	fn watch() -> Watch {
		Watch::new([9; 32], PATIENCE)
	}

	#[test]
	fn what_is_held_is_said_at_once_also_after_it_was_denied() {
		let now = Instant::now();
		assert_eq!(watch().judge(&duty(false), &Finding::Held, now), Some(true));
		assert_eq!(watch().judge(&duty(true), &Finding::Held, now), Some(true));
	}

	#[test]
	fn what_cannot_count_is_denied_once() {
		let now = Instant::now();
		assert_eq!(watch().judge(&duty(false), &wrong(), now), Some(false));
		assert_eq!(watch().judge(&duty(true), &wrong(), now), None);
	}

	#[test]
	fn what_is_missing_is_denied_after_a_while_and_stays_a_duty() {
		let (mut watch, now) = (watch(), Instant::now());
		let id = duty(false).id;
		assert_eq!(watch.judge(&duty(false), &missing(), now), None);
		let soon = now + PATIENCE - Duration::from_millis(1);
		assert_eq!(watch.judge(&duty(false), &missing(), soon), None);
		assert_eq!(watch.judge(&duty(false), &missing(), now + PATIENCE), Some(false));
		watch.settle(&duty(false), &missing());
		assert!(!watch.done.contains(&id) && watch.failures.contains_key(&id));
		assert_eq!(watch.judge(&duty(true), &missing(), now + 2 * PATIENCE), None);
		watch.settle(&duty(true), &Finding::Held);
		assert!(watch.done.contains(&id) && !watch.failures.contains_key(&id));
	}

	#[test]
	fn pauses_grow_to_a_bound() {
		let mut pauses: Vec<_> = (0..100).map(pause).collect();
		assert_eq!((pauses[0], pauses[1]), (FIRST_PAUSE, 2 * FIRST_PAUSE));
		assert_eq!(pauses.pop(), Some(LONGEST_PAUSE));
		assert!(pauses.is_sorted());
	}
}
