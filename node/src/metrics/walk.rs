// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Walks over all records of a kind, a bounded number at a time, and what is tallied on the way.

use dpki_primitives::{
	Moment,
	anchor::AnchorRecord,
	delivery::{Acknowledgement, DeliveryRecord, Outcome},
	status::{Status, status},
};
use dpki_runtime::BlockNumber;
use sc_client_api::{StorageData, StorageKey};
use std::collections::BTreeMap;

/// Records that one step reads: some tens of milliseconds.
pub const RECORDS_PER_STEP: usize = 4_096;

/// A walk, and what it has tallied so far.
pub struct Walk<T> {
	prefix: StorageKey,
	after: Option<StorageKey>,
	tally: T,
}

impl<T: Default> Walk<T> {
	/// Over the records with this prefix.
	pub fn new(prefix: StorageKey) -> Self {
		Self { prefix, after: None, tally: T::default() }
	}

	/// Goes on, and gives the tally if it came to the end. `pairs` gives the records with a prefix that lie behind a key.
	///
	/// Records that come or go while the walk is under way are seen or not; the next walk begins from the front.
	pub fn step<I: Iterator<Item = (StorageKey, StorageData)>, E>(
		&mut self,
		pairs: impl FnOnce(&StorageKey, Option<&StorageKey>) -> Result<I, E>,
		mut add: impl FnMut(&mut T, &[u8], &[u8]),
	) -> Result<Option<T>, E> {
		let mut last = None;
		let mut seen = 0;
		for (key, value) in pairs(&self.prefix, self.after.as_ref())?.take(RECORDS_PER_STEP) {
			add(&mut self.tally, &key.0, &value.0);
			last = Some(key);
			seen += 1;
		}
		if seen == RECORDS_PER_STEP {
			self.after = last;
			return Ok(None);
		}
		self.after = None;
		Ok(Some(std::mem::take(&mut self.tally)))
	}
}

/// Anchors by their own status; what lies above them is not looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct AnchorTally {
	/// How many there are, by status. Every status is there, so that none keeps an old figure.
	pub by_status: BTreeMap<&'static str, u64>,
	/// How many of the valid ones end soon.
	pub ending: u64,
}

impl Default for AnchorTally {
	fn default() -> Self {
		let by_status = ["valid", "retired", "suspended", "expired", "revoked", "other"];
		Self { by_status: by_status.map(|status| (status, 0)).into(), ending: 0 }
	}
}

impl AnchorTally {
	/// Adds an anchor at chain time `now`; one that cannot be read is `None`.
	pub fn add(&mut self, anchor: Option<AnchorRecord>, now: Moment, soon: Moment) {
		let name = match &anchor {
			Some(anchor) => match status(Some(&anchor.standing()), &[], now) {
				Status::Valid => "valid",
				Status::Superseded => "retired",
				Status::Suspended => "suspended",
				Status::Expired => "expired",
				Status::Revoked(_) => "revoked",
				_ => "other",
			},
			None => "other",
		};
		*self.by_status.entry(name).or_default() += 1;
		let end = anchor.and_then(|anchor| anchor.validity.not_after);
		if name == "valid" && end.is_some_and(|end| end <= soon) {
			self.ending += 1;
		}
	}
}

/// The newest delivery of each device on each of its channels, by what became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DeliveryTally {
	/// The device has not answered.
	pub waiting: u64,
	/// It is in force.
	pub applied: u64,
	/// The device refused it.
	pub refused: u64,
}

impl DeliveryTally {
	/// Adds the newest delivery of a device on a channel, with its newest acknowledgement there.
	pub fn add(&mut self, record: Option<DeliveryRecord>, answer: Option<Acknowledgement>) {
		let Some(record) = record else { return };
		match answer.filter(|answer| answer.sequence == record.sequence) {
			None => self.waiting += 1,
			Some(Acknowledgement { outcome: Outcome::Applied, .. }) => self.applied += 1,
			Some(Acknowledgement { outcome: Outcome::Refused(_), .. }) => self.refused += 1,
		}
	}
}

/// Motions that are open.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Open {
	/// How many.
	pub count: u64,
	/// The block of the oldest.
	pub oldest: Option<BlockNumber>,
}

/// Open motions of the council and of organisations.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MotionTally {
	/// Of the council.
	pub council: Open,
	/// Of organisations.
	pub others: Open,
}

impl MotionTally {
	/// Adds an open motion.
	pub fn add(&mut self, is_council: bool, proposed_at: BlockNumber) {
		let open = if is_council { &mut self.council } else { &mut self.others };
		open.count += 1;
		open.oldest = Some(open.oldest.map_or(proposed_at, |oldest| oldest.min(proposed_at)));
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		anchor::AnchorKind,
		delivery::{RefusalReason, Suite},
		ids::{BlobDigest, KeyId, OrganisationId},
		revocation::{Revocation, RevocationReason},
		status::Validity,
	};
	use std::convert::Infallible;

	/// Numbered records, as the state would give them behind a key.
	fn records(
		count: usize,
	) -> impl Fn(
		&StorageKey,
		Option<&StorageKey>,
	) -> Result<std::vec::IntoIter<(StorageKey, StorageData)>, Infallible> {
		move |_, after| {
			let key = |number: usize| StorageKey((number as u32).to_be_bytes().to_vec());
			let all = (0..count).map(|number| (key(number), StorageData(vec![1])));
			let rest = all.filter(|(key, _)| after.is_none_or(|after| key.0 > after.0));
			Ok(rest.collect::<Vec<_>>().into_iter())
		}
	}

	#[test]
	fn a_walk_reads_every_record_once_and_few_at_a_time() {
		let count = 2 * RECORDS_PER_STEP + 7;
		let mut walk = Walk::<usize>::new(StorageKey(Vec::new()));
		for _ in 0..2 {
			let mut add = |sum: &mut usize, _: &[u8], _: &[u8]| *sum += 1;
			assert_eq!(walk.step(records(count), &mut add), Ok(None));
			assert_eq!(walk.step(records(count), &mut add), Ok(None));
			assert_eq!(walk.step(records(count), &mut add), Ok(Some(count)), "and begins anew");
		}
		let mut empty = Walk::<usize>::new(StorageKey(Vec::new()));
		assert_eq!(empty.step(records(0), |_, _, _| ()), Ok(Some(0)));
	}

	fn anchor(not_after: Option<Moment>) -> AnchorRecord {
		let validity = Validity { not_before: 0, not_after };
		let organisation = OrganisationId([1; 32]);
		AnchorRecord::new(organisation, AnchorKind::SshUserCa, None, KeyId([2; 32]), validity, 0)
	}

	#[test]
	fn anchors_are_told_by_status_and_end() {
		let mut tally = AnchorTally::default();
		let revocation = Revocation { at: 1, reason: RevocationReason::KeyCompromise };
		for anchor in [
			anchor(None),
			anchor(Some(10)),
			anchor(Some(150)),
			anchor(Some(500)),
			AnchorRecord { retired_at: Some(50), ..anchor(None) },
			AnchorRecord { suspended: true, ..anchor(None) },
			AnchorRecord { revocation: Some(revocation), ..anchor(Some(150)) },
		] {
			tally.add(Some(anchor), 100, 200);
		}
		tally.add(None, 100, 200);
		let told: Vec<_> = tally.by_status.into_iter().collect();
		assert_eq!(
			told,
			[
				("expired", 1),
				("other", 1),
				("retired", 1),
				("revoked", 1),
				("suspended", 1),
				("valid", 3)
			]
		);
		assert_eq!(tally.ending, 1, "one of the valid ones ends before 200");
	}

	#[test]
	fn a_delivery_waits_until_its_own_number_is_answered() {
		let record = |sequence| DeliveryRecord {
			organisation: OrganisationId([1; 32]),
			publisher: [2; 32],
			sequence,
			suite: Suite::X25519ChaCha20Poly1305,
			recipient: KeyId([3; 32]),
			digest: BlobDigest([4; 32]),
			length: 100,
			published_at: 0,
		};
		let answer = |sequence, outcome| Acknowledgement {
			sequence,
			digest: BlobDigest([4; 32]),
			outcome,
			at: 0,
		};
		let mut tally = DeliveryTally::default();
		tally.add(Some(record(1)), None);
		tally.add(Some(record(2)), Some(answer(1, Outcome::Applied)));
		tally.add(Some(record(2)), Some(answer(2, Outcome::Applied)));
		let refused = Outcome::Refused(RefusalReason::ApplyFailed);
		tally.add(Some(record(3)), Some(answer(3, refused)));
		assert_eq!(tally, DeliveryTally { waiting: 2, applied: 1, refused: 1 });
	}

	#[test]
	fn the_oldest_open_motion_is_found() {
		let mut tally = MotionTally::default();
		for (is_council, at) in [(true, 7), (true, 3), (false, 9)] {
			tally.add(is_council, at);
		}
		assert_eq!(tally.council, Open { count: 2, oldest: Some(3) });
		assert_eq!(tally.others, Open { count: 1, oldest: Some(9) });
	}
}
