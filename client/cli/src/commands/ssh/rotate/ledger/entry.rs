//! One device of a rotation: what was sent to it, how far that is, and what became of it.

use crate::{commands::delivery::Review, error::Result, files, output::rfc3339, values::DeviceRef};
use dpki_primitives::{
	Moment,
	delivery::Outcome,
	ids::{BlobDigest, DeviceId},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What became of a device, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
	/// It has what it needs.
	Applied,
	/// It does not take it.
	Refused(String),
	/// Somebody has delivered something else to it since.
	Replaced(u64),
	/// Those who have to approve its delivery did not, or never will.
	Lapsed(String),
	/// Nothing can be delivered to it.
	Unfit(String),
	/// Nothing can be delivered to it yet.
	Waits(String),
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
	/// Nothing is known to be on its way.
	Begun,
	/// Its content is signed, and somebody else can publish it until then.
	Signed(Moment),
	/// It is published, and can be approved until then.
	Proposed(Moment),
	/// It is the newest one of its device.
	InForce,
}

impl Stage {
	/// Whether people have to do something about it.
	pub fn awaits_people(self) -> bool {
		self.until().is_some()
	}

	/// Until when they can.
	pub fn until(self) -> Option<Moment> {
		match self {
			Self::Signed(until) | Self::Proposed(until) => Some(until),
			Self::Begun | Self::InForce => None,
		}
	}

	fn name(self) -> &'static str {
		match self {
			Self::Begun => "begun",
			Self::Signed(_) => "signed",
			Self::Proposed(_) => "proposed",
			Self::InForce => "in-force",
		}
	}

	fn parse(word: &str, until: Option<Moment>) -> Option<Self> {
		match (word, until) {
			("begun", None) => Some(Self::Begun),
			("signed", Some(until)) => Some(Self::Signed(until)),
			("proposed", Some(until)) => Some(Self::Proposed(until)),
			("in-force", None) => Some(Self::InForce),
			_ => None,
		}
	}
}

/// What a block says about the deliveries to a device.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
	/// Number and digest of its newest delivery.
	pub newest: Option<(u64, BlobDigest)>,
	/// Digest of the one that waits for approvals, and until when it can be approved.
	pub proposal: Option<(BlobDigest, Moment)>,
	/// The time of the block.
	pub now: Moment,
}

/// A device of the rotation.
#[derive(Clone, Debug)]
pub struct Entry {
	/// Which one.
	pub device: DeviceRef,
	/// The number of its delivery.
	pub(super) sequence: Option<u64>,
	/// What was sent to it: of several attempts the chain takes one.
	pub(super) digests: Vec<BlobDigest>,
	/// What was sent before and is given up. It may wait for approvals yet, and nobody else has put it there.
	pub(super) given_up: Vec<BlobDigest>,
	/// How far that is.
	pub stage: Stage,
	/// Whether it gets the new CA alone, because it was off while both were good.
	pub late: bool,
	/// What became of it.
	pub fate: Option<Fate>,
}

impl Entry {
	/// A device to which nothing was sent.
	pub fn new(device: DeviceRef) -> Self {
		Self {
			device,
			sequence: None,
			digests: Vec::new(),
			given_up: Vec::new(),
			stage: Stage::Begun,
			late: false,
			fate: None,
		}
	}

	/// Notes what is about to be sent, or was signed for somebody else to send.
	pub fn attempt(&mut self, sequence: u64, digest: BlobDigest, stage: Stage) {
		self.sequence = Some(sequence);
		self.digests.push(digest);
		self.stage = stage;
	}

	/// Has it get another delivery than what was sent to it so far.
	pub fn begin_again(&mut self, late: bool) {
		self.given_up.append(&mut self.digests);
		(self.stage, self.late, self.fate) = (Stage::Begun, late, None);
	}

	/// Whether this was sent to it by this rotation.
	pub fn has_sent(&self, digest: BlobDigest) -> bool {
		self.digests.contains(&digest) || self.given_up.contains(&digest)
	}

	/// Where the file lies that opens its delivery, to which `dpki access grant` adds.
	pub fn review(&self, state: &Path) -> PathBuf {
		Review::of_device(state, &self.device.text)
	}

	/// Puts the file that opens a delivery in its place, once that delivery is known to be the newest. Until then the one
	/// beside it may be that of a grant which waits for approvals.
	fn settle(&self, newest: Option<BlobDigest>, state: &Path) -> Result<()> {
		let path = self.review(state);
		let next = Review::next_to(&path);
		let is_newest =
			|review: Review| Some(review.digest) == newest && review.device == self.device.id;
		if self.stage == Stage::InForce
			&& next.symlink_metadata().is_ok()
			&& Review::read(&next).is_ok_and(is_newest)
		{
			files::rename(&next, &path)?;
		}
		Ok(())
	}

	/// Takes what `dpki access grant` has added to our delivery for ours: the file tells, which it keeps.
	fn adopt(&mut self, newest: BlobDigest, state: &Path) {
		if self.stage != Stage::InForce || self.digests.contains(&newest) {
			return;
		}
		let path = self.review(state);
		let files = [Review::next_to(&path), path];
		let reviews = files.iter().filter_map(|path| Review::read(path).ok());
		let is_ours = |review: &Review| review.digest == newest && review.device == self.device.id;
		if reviews.into_iter().any(|review| is_ours(&review)) {
			self.digests.push(newest);
		}
	}

	/// Notes what a block says about the deliveries to the device.
	pub fn note(&mut self, seen: Seen, state: &Path) -> Result<()> {
		let newest = seen.newest.map(|(_, digest)| digest);
		if let Some(digest) = newest {
			self.adopt(digest, state);
		}
		self.find(seen);
		self.settle(newest, state)
	}

	/// Judges anew a device that once had what it needs: something that came since, on this channel or another one, may have
	/// put our delivery out of force.
	pub fn judge_again(
		&mut self,
		seen: Seen,
		said: Option<(BlobDigest, Outcome)>,
		state: &Path,
	) -> Result<()> {
		let newest = seen.newest.map(|(_, digest)| digest);
		self.note(seen, state)?;
		if self.fate == Some(Fate::Applied) {
			self.fate = said
				.filter(|(digest, _)| Some(*digest) == newest)
				.map(|(_, outcome)| super::super::fate(outcome));
		}
		Ok(())
	}

	pub(super) fn find(&mut self, seen: Seen) {
		if let Some((sequence, digest)) = seen.newest {
			if self.digests.contains(&digest) {
				(self.sequence, self.stage) = (Some(sequence), Stage::InForce);
				return;
			}
			// What waits under a number that is taken can never come into force.
			if self.stage != Stage::Begun && self.sequence.is_some_and(|ours| sequence >= ours) {
				self.fate = Some(Fate::Replaced(sequence));
				return;
			}
		}
		let ours = seen.proposal.filter(|(digest, _)| self.digests.contains(digest));
		match (self.stage, ours) {
			(Stage::InForce, _) => {},
			(_, Some((_, until))) if seen.now > until => {
				self.stage = Stage::Proposed(until);
				self.fate = Some(Fate::Lapsed("it was not approved in time".into()));
			},
			(_, Some((_, until))) => self.stage = Stage::Proposed(until),
			(Stage::Proposed(_), None) => {
				let why =
					"it was taken back, or another one took its place, before it was approved";
				self.fate = Some(Fate::Lapsed(why.into()));
			},
			(Stage::Signed(until), None) if seen.now > until => {
				self.fate = Some(Fate::Lapsed("it was not published in time".into()));
			},
			(Stage::Begun | Stage::Signed(_), None) => {},
		}
	}

	/// In words, for people.
	pub fn words(&self) -> String {
		match &self.fate {
			None => match self.stage {
				Stage::Begun => "nothing is delivered to it yet".into(),
				Stage::Signed(until) => {
					format!("its delivery is signed, and to be published before {}", rfc3339(until))
				},
				Stage::Proposed(until) => {
					format!("its delivery waits for approvals until {}", rfc3339(until))
				},
				Stage::InForce => "it has not answered yet".into(),
			},
			Some(Fate::Applied) => "it has the new CA".into(),
			Some(Fate::Refused(reason)) => format!("it refused the delivery ({reason})"),
			Some(Fate::Replaced(sequence)) => {
				format!("delivery {sequence} of somebody else came after ours")
			},
			Some(Fate::Lapsed(why)) => {
				format!("its delivery is not in force: {why}; --again has it published again")
			},
			Some(Fate::Unfit(why) | Fate::Waits(why)) => why.clone(),
		}
	}

	/// For programs, and for the file.
	pub fn to_json(&self) -> Value {
		let (fate, detail) = match &self.fate {
			None => (Value::Null, Value::Null),
			Some(Fate::Applied) => (json!("applied"), Value::Null),
			Some(Fate::Refused(reason)) => (json!("refused"), json!(reason)),
			Some(Fate::Replaced(sequence)) => (json!("replaced"), json!(sequence)),
			Some(Fate::Lapsed(why)) => (json!("lapsed"), json!(why)),
			Some(Fate::Unfit(why)) => (json!("unfit"), json!(why)),
			Some(Fate::Waits(why)) => (json!("waits"), json!(why)),
		};
		let text =
			|digests: &[BlobDigest]| digests.iter().map(ToString::to_string).collect::<Vec<_>>();
		json!({
			"name": self.device.text,
			"device": self.device.id.to_string(),
			"sequence": self.sequence,
			"digests": text(&self.digests),
			"given_up": text(&self.given_up),
			"stage": self.stage.name(),
			"until": self.stage.until(),
			"late": self.late,
			"outcome": fate,
			"detail": detail,
		})
	}

	/// What [`to_json`](Entry::to_json) made.
	pub fn parse(value: &Value) -> Option<Self> {
		let text = |name: &str| value.get(name)?.as_str();
		let detail = || text("detail").map(str::to_owned);
		let fate = match value.get("outcome")? {
			Value::Null => None,
			word => Some(match word.as_str()? {
				"applied" => Fate::Applied,
				"refused" => Fate::Refused(detail()?),
				"replaced" => Fate::Replaced(value.get("detail")?.as_u64()?),
				"lapsed" => Fate::Lapsed(detail()?),
				"unfit" => Fate::Unfit(detail()?),
				"waits" => Fate::Waits(detail()?),
				_ => return None,
			}),
		};
		let digests = |name: &str| -> Option<Vec<BlobDigest>> {
			let digests = value.get(name)?.as_array()?;
			digests.iter().map(|digest| digest.as_str()?.parse().ok()).collect()
		};
		let id: DeviceId = text("device")?.parse().ok()?;
		Some(Self {
			device: DeviceRef { id, text: text("name")?.to_owned() },
			sequence: value.get("sequence")?.as_u64(),
			digests: digests("digests")?,
			given_up: digests("given_up")?,
			stage: Stage::parse(text("stage")?, value.get("until")?.as_u64())?,
			late: value.get("late")?.as_bool()?,
			fate,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::envelope::ContentKey;
	use dpki_primitives::{
		channel::ChannelId,
		delivery::{DeliveryBinding, RefusalReason, Suite},
		ids::{KeyId, OrganisationId},
	};

	const NOW: Moment = 1000;

	fn entry() -> Entry {
		Entry::new(DeviceRef::from(DeviceId([5; 32])))
	}

	fn digest(byte: u8) -> BlobDigest {
		BlobDigest([byte; 32])
	}

	fn newest(sequence: u64, byte: u8) -> Seen {
		Seen { newest: Some((sequence, digest(byte))), proposal: None, now: NOW }
	}

	fn proposed(byte: u8, until: Moment) -> Seen {
		Seen { newest: None, proposal: Some((digest(byte), until)), now: NOW }
	}

	const NOTHING: Seen = Seen { newest: None, proposal: None, now: NOW };

	#[test]
	fn who_had_the_new_ca_has_it_as_long_as_nothing_came_in_between() {
		let folder = tempfile::tempdir().unwrap();
		let judged = |seen: Seen, said: Option<(BlobDigest, Outcome)>| {
			let mut entry = entry();
			entry.attempt(7, digest(1), Stage::InForce);
			entry.fate = Some(Fate::Applied);
			entry.judge_again(seen, said, &folder.path().join("state")).unwrap();
			entry.fate
		};
		let applied = Some((digest(1), Outcome::Applied));
		assert_eq!(judged(newest(7, 1), applied), Some(Fate::Applied));
		// What came on a channel that goes first claims the same.
		let dropped = Some((digest(1), Outcome::Refused(RefusalReason::ChannelConflict)));
		assert!(matches!(judged(newest(7, 1), dropped), Some(Fate::Refused(_))));
		assert_eq!(judged(newest(8, 2), applied), Some(Fate::Replaced(8)));
		assert_eq!(judged(newest(7, 1), Some((digest(2), Outcome::Applied))), None);
		assert_eq!(judged(newest(7, 1), None), None);
	}

	#[test]
	fn what_was_sent_is_found_by_any_of_its_digests() {
		let mut entry = entry();
		// Killed after the first attempt was sent, and not known whether it arrived; the second one lost the race.
		entry.attempt(7, digest(1), Stage::Begun);
		entry.find(newest(6, 9));
		assert_eq!(entry.stage, Stage::Begun);
		entry.attempt(7, digest(2), Stage::Begun);
		entry.find(newest(7, 1));
		assert_eq!((entry.stage, &entry.fate), (Stage::InForce, &None));
	}

	#[test]
	fn what_somebody_else_delivered_since_is_told() {
		let mut entry = entry();
		entry.attempt(7, digest(1), Stage::Begun);
		entry.find(newest(7, 1));
		entry.find(newest(8, 9));
		assert_eq!(entry.fate, Some(Fate::Replaced(8)));
	}

	#[test]
	fn a_delivery_waits_for_approvals_and_comes_into_force_with_them() {
		let mut entry = entry();
		entry.attempt(7, digest(1), Stage::Begun);
		entry.find(proposed(1, NOW));
		assert_eq!((entry.stage, &entry.fate), (Stage::Proposed(NOW), &None));
		assert!(entry.stage.awaits_people() && entry.words().contains("waits for approvals"));
		entry.find(newest(7, 1));
		assert_eq!((entry.stage, &entry.fate), (Stage::InForce, &None));
		// What waits now is somebody's next delivery, such as a grant.
		entry.find(Seen { proposal: Some((digest(9), NOW)), ..newest(7, 1) });
		assert_eq!((entry.stage, &entry.fate), (Stage::InForce, &None));
	}

	#[test]
	fn a_delivery_that_was_not_approved_is_told_with_the_reason() {
		let published = || {
			let mut entry = entry();
			entry.attempt(7, digest(1), Stage::Begun);
			entry.find(proposed(1, NOW));
			entry
		};
		for (seen, why) in [
			(Seen { now: NOW + 1, ..proposed(1, NOW) }, "not approved in time"),
			(NOTHING, "taken back"),
			(proposed(9, NOW), "another one took its place"),
		] {
			let mut entry = published();
			entry.find(seen);
			let Some(Fate::Lapsed(told)) = &entry.fate else { panic!("{why}: {entry:?}") };
			assert!(told.contains(why), "{told}");
			assert!(entry.words().contains("--again"), "{}", entry.words());
		}
		for sequence in [7, 8] {
			let mut entry = published();
			entry.find(newest(sequence, 9));
			assert_eq!(entry.fate, Some(Fate::Replaced(sequence)), "the number is taken");
		}
	}

	#[test]
	fn what_is_signed_waits_for_its_publisher_as_long_as_the_signature_is_good() {
		let mut entry = entry();
		entry.attempt(7, digest(1), Stage::Signed(NOW));
		entry.find(newest(6, 9));
		entry.find(NOTHING);
		assert_eq!((entry.stage, &entry.fate), (Stage::Signed(NOW), &None));
		assert!(entry.stage.awaits_people() && entry.words().contains("to be published"));
		let mut late = entry.clone();
		late.find(Seen { now: NOW + 1, ..NOTHING });
		assert!(matches!(&late.fate, Some(Fate::Lapsed(why)) if why.contains("not published")));
		entry.find(Seen { now: NOW + 1, ..proposed(1, 9 * NOW) });
		assert_eq!((entry.stage, &entry.fate), (Stage::Proposed(9 * NOW), &None));
	}

	#[test]
	fn what_is_given_up_is_not_taken_for_what_comes_next_and_is_known_as_ours() {
		let mut entry = entry();
		entry.attempt(7, digest(1), Stage::Begun);
		entry.find(proposed(1, NOW));
		entry.begin_again(true);
		assert_eq!((entry.stage, entry.late, &entry.fate), (Stage::Begun, true, &None));
		entry.find(proposed(1, NOW));
		entry.find(newest(7, 1));
		assert_eq!(entry.stage, Stage::Begun);
		assert!(entry.has_sent(digest(1)) && !entry.has_sent(digest(2)));
	}

	#[test]
	fn an_entry_is_read_as_it_was_written() {
		for stage in [Stage::Begun, Stage::Signed(1), Stage::Proposed(2), Stage::InForce] {
			let mut entry = entry();
			entry.attempt(3, digest(1), stage);
			entry.given_up.push(digest(2));
			entry.fate = Some(Fate::Lapsed("too late".into()));
			let read = Entry::parse(&entry.to_json()).unwrap();
			assert_eq!(format!("{read:?}"), format!("{entry:?}"));
		}
		let mut wrong = entry().to_json();
		wrong["stage"] = json!("proposed");
		assert!(Entry::parse(&wrong).is_none(), "until when?");
	}

	/// The file of a delivery on the default channel.
	fn written(sequence: u64, content: &[u8]) -> Review {
		let binding = DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device: entry().device.id,
			channel: ChannelId::DEFAULT,
			recipient: KeyId([4; 32]),
			suite: Suite::SharedX25519,
			sequence,
		};
		let key = ContentKey::from_text(&"ab".repeat(32)).unwrap();
		Review::new(&binding, content, key, false)
	}

	#[test]
	fn access_that_is_granted_before_a_device_answers_is_part_of_the_rotation() {
		let folder = tempfile::tempdir().unwrap();
		let state = folder.path().join("state");
		let mut entry = entry();
		let (ours, granted) = (written(7, b"ours"), written(8, b"granted"));
		let path = entry.review(&state);
		let note = |entry: &mut Entry, newest| {
			entry.note(Seen { newest, proposal: None, now: NOW }, &state).unwrap();
		};
		ours.replace(&Review::next_to(&path)).unwrap();
		entry.attempt(7, ours.digest, Stage::Begun);
		note(&mut entry, None);
		assert!(!path.exists(), "it is not known to be on the chain");
		note(&mut entry, Some((7, ours.digest)));
		assert_eq!(Review::read(&path).unwrap().digest, ours.digest);
		// A grant that waits for approvals does not take the place of what opens the delivery in force.
		granted.replace(&Review::next_to(&path)).unwrap();
		note(&mut entry, Some((7, ours.digest)));
		assert_eq!(Review::read(&path).unwrap().digest, ours.digest);
		note(&mut entry, Some((8, granted.digest)));
		assert_eq!((&entry.fate, entry.sequence), (&None, Some(8)));
		assert_eq!(Review::read(&path).unwrap().digest, granted.digest);
		note(&mut entry, Some((9, digest(9))));
		assert_eq!(entry.fate, Some(Fate::Replaced(9)));
	}
}
