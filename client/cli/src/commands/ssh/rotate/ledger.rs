//! How far a rotation is, on the disk before anything relies on it.

use super::fate;
use crate::{
	commands::delivery::Review,
	error::{Error, Result},
	files,
	values::DeviceRef,
};
use dpki_client::View;
use dpki_primitives::{
	Moment,
	channel::ChannelId,
	ids::{AnchorId, BlobDigest, DeviceId, OrganisationId},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The form of the file.
const FORM: &str = "dpki-rotation/1";

/// Where a rotation delivers: on the channel of whoever names none.
pub const CHANNEL: ChannelId = ChannelId::DEFAULT;

/// What became of a device, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
	/// It has what it needs.
	Applied,
	/// It does not take it.
	Refused(String),
	/// Somebody has delivered something else to it since.
	Replaced(u64),
	/// Nothing can be delivered to it.
	Unfit(String),
}

/// A device of the rotation.
#[derive(Clone, Debug)]
pub struct Entry {
	/// Which one.
	pub device: DeviceRef,
	/// The number of its delivery.
	sequence: Option<u64>,
	/// What was sent to it: of several attempts the chain takes one.
	digests: Vec<BlobDigest>,
	/// Whether one of them is known to be its newest delivery.
	published: bool,
	/// Whether it gets the new CA alone, because it was off while both were good.
	pub late: bool,
	/// What became of it.
	pub fate: Option<Fate>,
}

impl Entry {
	fn new(device: DeviceRef) -> Self {
		let (sequence, digests) = (None, Vec::new());
		Self { device, sequence, digests, published: false, late: false, fate: None }
	}

	/// Notes what is about to be sent.
	pub fn attempt(&mut self, sequence: u64, digest: BlobDigest) {
		self.sequence = Some(sequence);
		self.digests.push(digest);
	}

	/// Where the file lies that opens its delivery, to which `dpki access grant` adds.
	pub fn review(&self, state: &Path) -> PathBuf {
		let name = self.device.text.rsplit('/').next().unwrap_or_default();
		files::with_ending(state, &format!(".{name}.review"))
	}

	/// Puts the file that opens a delivery in its place, once that delivery is known to be the newest.
	fn settle(&self, state: &Path) -> Result<()> {
		let path = self.review(state);
		let next = Review::next_to(&path);
		if self.published && next.symlink_metadata().is_ok() {
			files::rename(&next, &path)?;
		}
		Ok(())
	}

	/// Takes what `dpki access grant` has added to our delivery for ours: the file tells, which it keeps.
	fn adopt(&mut self, newest: BlobDigest, state: &Path) {
		if !self.published || self.digests.contains(&newest) {
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

	/// Notes what the chain has as the newest delivery of the device.
	fn note(&mut self, newest: Option<(u64, BlobDigest)>, state: &Path) -> Result<()> {
		if let Some((_, digest)) = newest {
			self.adopt(digest, state);
		}
		self.find(newest);
		self.settle(state)
	}

	fn find(&mut self, newest: Option<(u64, BlobDigest)>) {
		let Some((sequence, digest)) = newest else { return };
		if self.digests.contains(&digest) {
			(self.sequence, self.published) = (Some(sequence), true);
		} else if self.published && self.sequence.is_some_and(|ours| sequence > ours) {
			self.fate = Some(Fate::Replaced(sequence));
		}
	}

	/// In words, for people.
	pub fn words(&self) -> String {
		match &self.fate {
			None if self.published => "it has not answered yet".into(),
			None => "nothing is delivered to it yet".into(),
			Some(Fate::Applied) => "it has the new CA".into(),
			Some(Fate::Refused(reason)) => format!("it refused the delivery ({reason})"),
			Some(Fate::Replaced(sequence)) => {
				format!("delivery {sequence} of somebody else came after ours")
			},
			Some(Fate::Unfit(why)) => why.clone(),
		}
	}

	/// For programs, and for the file.
	pub fn to_json(&self) -> Value {
		let (fate, detail) = match &self.fate {
			None => (Value::Null, Value::Null),
			Some(Fate::Applied) => (json!("applied"), Value::Null),
			Some(Fate::Refused(reason)) => (json!("refused"), json!(reason)),
			Some(Fate::Replaced(sequence)) => (json!("replaced"), json!(sequence)),
			Some(Fate::Unfit(why)) => (json!("unfit"), json!(why)),
		};
		json!({
			"name": self.device.text,
			"device": self.device.id.to_string(),
			"sequence": self.sequence,
			"digests": self.digests.iter().map(ToString::to_string).collect::<Vec<_>>(),
			"published": self.published,
			"late": self.late,
			"outcome": fate,
			"detail": detail,
		})
	}

	fn parse(value: &Value) -> Option<Self> {
		let text = |name: &str| value.get(name)?.as_str();
		let detail = || text("detail").map(str::to_owned);
		let fate = match value.get("outcome")? {
			Value::Null => None,
			word => Some(match word.as_str()? {
				"applied" => Fate::Applied,
				"refused" => Fate::Refused(detail()?),
				"replaced" => Fate::Replaced(value.get("detail")?.as_u64()?),
				"unfit" => Fate::Unfit(detail()?),
				_ => return None,
			}),
		};
		let digests = value.get("digests")?.as_array()?;
		let id: DeviceId = text("device")?.parse().ok()?;
		Some(Self {
			device: DeviceRef { id, text: text("name")?.to_owned() },
			sequence: value.get("sequence")?.as_u64(),
			digests: digests
				.iter()
				.map(|digest| digest.as_str()?.parse().ok())
				.collect::<Option<_>>()?,
			published: value.get("published")?.as_bool()?,
			late: value.get("late")?.as_bool()?,
			fate,
		})
	}
}

/// How far a rotation is.
#[derive(Clone, Debug)]
pub struct Ledger {
	genesis: [u8; 32],
	organisation: OrganisationId,
	old: AnchorId,
	new: AnchorId,
	/// A digest of what is delivered.
	intent: [u8; 32],
	/// The devices, in the order of their names.
	pub entries: Vec<Entry>,
	/// Until when both CAs are good; `None` before all devices have answered.
	pub overlap_until: Option<Moment>,
	/// Whether the old one is revoked.
	pub revoked: bool,
}

impl Ledger {
	/// A rotation that has not begun.
	pub fn new(
		genesis: [u8; 32],
		(organisation, old, new): (OrganisationId, AnchorId, AnchorId),
		intent: [u8; 32],
		devices: impl Iterator<Item = DeviceRef>,
	) -> Self {
		let entries = devices.map(Entry::new).collect();
		Self {
			genesis,
			organisation,
			old,
			new,
			intent,
			entries,
			overlap_until: None,
			revoked: false,
		}
	}

	/// Puts it on the disk: the old content or the new one at every moment. Its owner alone can read it, as the digest of what
	/// is delivered lets others try what a short secret is.
	pub fn save(&self, path: &Path) -> Result<()> {
		let text = json!({
			"form": FORM,
			"genesis": hex::encode(self.genesis),
			"organisation": self.organisation.to_string(),
			"old": self.old.to_string(),
			"new": self.new.to_string(),
			"intent": hex::encode(self.intent),
			"overlap_until": self.overlap_until,
			"revoked": self.revoked,
			"devices": self.entries.iter().map(Entry::to_json).collect::<Vec<_>>(),
		});
		files::replace_secret(path, format!("{text:#}\n").as_bytes())
	}

	/// What [`save`](Ledger::save) wrote.
	pub fn read(path: &Path) -> Result<Self> {
		let text = files::read_text(path)?;
		let wrong = || Error::WrongFile {
			path: path.to_owned(),
			expected: "the state of a rotation, as `dpki ssh rotate` writes it".into(),
		};
		let value: Value = serde_json::from_str(&text).map_err(|_| wrong())?;
		Self::parse(&value).ok_or_else(wrong)
	}

	fn parse(value: &Value) -> Option<Self> {
		let text = |name: &str| value.get(name)?.as_str();
		let bytes =
			|name: &str| -> Option<[u8; 32]> { hex::decode(text(name)?).ok()?.try_into().ok() };
		if text("form")? != FORM {
			return None;
		}
		let entries = value.get("devices")?.as_array()?;
		Some(Self {
			genesis: bytes("genesis")?,
			organisation: text("organisation")?.parse().ok()?,
			old: text("old")?.parse().ok()?,
			new: text("new")?.parse().ok()?,
			intent: bytes("intent")?,
			entries: entries.iter().map(Entry::parse).collect::<Option<_>>()?,
			overlap_until: value.get("overlap_until")?.as_u64(),
			revoked: value.get("revoked")?.as_bool()?,
		})
	}

	/// Refuses to go on with another rotation than the one that is written down.
	pub fn require_same(&self, wanted: &Self, path: &Path) -> Result<()> {
		let devices = |ledger: &Self| -> Vec<DeviceId> {
			ledger.entries.iter().map(|entry| entry.device.id).collect()
		};
		let differs = if (self.genesis, self.organisation) != (wanted.genesis, wanted.organisation)
		{
			"chain or organisation"
		} else if (self.old, self.new) != (wanted.old, wanted.new) {
			"the two CAs"
		} else if devices(self) != devices(wanted) {
			"the devices"
		} else if self.intent != wanted.intent {
			"what devices get"
		} else {
			return Ok(());
		};
		Err(Error::NotAllowed {
			why: format!("{} is the state of a rotation that differs in {differs}", path.display()),
			next: "run the same command as before, or begin another rotation with another --state"
				.into(),
		})
	}

	/// The devices to which nothing was delivered yet.
	pub fn unpublished(&self) -> impl Iterator<Item = usize> {
		let entries = self.entries.iter().enumerate();
		entries
			.filter(|(_, entry)| !entry.published && entry.fate.is_none())
			.map(|(index, _)| index)
	}

	/// The devices that do not have what they need.
	pub fn stragglers(&self) -> impl Iterator<Item = &Entry> {
		self.entries.iter().filter(|entry| entry.fate != Some(Fate::Applied))
	}

	/// Has those devices that did not take both CAs get the new one alone: a device refuses a delivery that names a CA which
	/// is revoked by the time that it comes back.
	pub fn give_up_on_both(&mut self) {
		for entry in &mut self.entries {
			let may_take_it = matches!(entry.fate, None | Some(Fate::Refused(_)));
			if may_take_it && !entry.late {
				entry.digests.clear();
				(entry.published, entry.late, entry.fate) = (false, true, None);
			}
		}
	}

	/// Whether a device may answer yet.
	pub fn is_waiting(&self) -> bool {
		self.entries.iter().any(|entry| entry.published && entry.fate.is_none())
	}

	/// How many devices have an end, whichever.
	pub fn answered(&self) -> u64 {
		self.entries.iter().filter(|entry| entry.fate.is_some()).count() as u64
	}

	/// Finds out which of what was sent is on the chain.
	pub async fn reconcile(&mut self, view: &View, state: &Path) -> Result<()> {
		for entry in self.entries.iter_mut().filter(|entry| entry.fate.is_none()) {
			let newest = view.delivery(entry.device.id, CHANNEL).await?;
			entry.note(newest.map(|record| (record.sequence, record.digest)), state)?;
		}
		Ok(())
	}

	/// Looks what the devices say that have not answered yet; whether anything is new.
	pub async fn look_for_answers(&mut self, view: &View, state: &Path) -> Result<bool> {
		let mut is_new = false;
		for entry in &mut self.entries {
			if !entry.published || entry.fate.is_some() {
				continue;
			}
			let seen = view.acknowledgement(entry.device.id, CHANNEL).await?;
			let ours = seen.filter(|seen| entry.digests.contains(&seen.digest));
			if let Some(seen) = ours {
				entry.fate = Some(fate(seen.outcome));
				is_new = true;
				continue;
			}
			let newest = view.delivery(entry.device.id, CHANNEL).await?;
			entry.note(newest.map(|record| (record.sequence, record.digest)), state)?;
			is_new |= entry.fate.is_some();
		}
		Ok(is_new)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::envelope::ContentKey;
	use dpki_primitives::{
		delivery::{DeliveryBinding, Suite},
		ids::KeyId,
	};

	fn ledger() -> Ledger {
		let ids = (OrganisationId([2; 32]), AnchorId([3; 32]), AnchorId([4; 32]));
		let devices = (5..8).map(|id| DeviceRef::from(DeviceId([id; 32])));
		Ledger::new([1; 32], ids, [9; 32], devices)
	}

	fn digest(byte: u8) -> BlobDigest {
		BlobDigest([byte; 32])
	}

	#[test]
	fn a_ledger_is_read_as_it_was_written() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state");
		let mut ledger = ledger();
		ledger.entries[0].attempt(7, digest(1));
		ledger.entries[0].find(Some((7, digest(1))));
		ledger.entries[0].fate = Some(Fate::Applied);
		ledger.entries[1].fate = Some(Fate::Unfit("it is revoked".into()));
		ledger.overlap_until = Some(5);
		ledger.save(&path).unwrap();
		let read = Ledger::read(&path).unwrap();
		assert_eq!(format!("{read:?}"), format!("{ledger:?}"));
		read.require_same(&ledger, &path).unwrap();
		let text = std::fs::read_to_string(&path).unwrap();
		for wrong in ["", "{}", &text[..text.len() / 2], &text.replace("rotation/1", "rotation/2")]
		{
			std::fs::write(&path, wrong).unwrap();
			assert!(matches!(Ledger::read(&path), Err(Error::WrongFile { .. })), "{wrong}");
		}
	}

	#[test]
	fn another_rotation_does_not_go_on_with_the_state_of_this_one() {
		type Change = fn(&mut Ledger);
		let changes: [(&str, Change); 5] = [
			("chain", |it| it.genesis = [8; 32]),
			("CAs", |it| it.old = AnchorId([8; 32])),
			("CAs", |it| it.new = AnchorId([8; 32])),
			("devices", |it| it.entries.truncate(2)),
			("what devices get", |it| it.intent = [8; 32]),
		];
		for (what, change) in changes {
			let mut other = ledger();
			change(&mut other);
			let error = ledger().require_same(&other, Path::new("state")).unwrap_err();
			assert!(error.to_string().contains(what), "{error}");
		}
	}

	#[test]
	fn what_was_sent_is_found_by_any_of_its_digests() {
		let mut ledger = ledger();
		let entry = &mut ledger.entries[0];
		// Killed after the first attempt was sent, and not known whether it arrived; the second one lost the race.
		entry.attempt(7, digest(1));
		entry.find(Some((6, digest(9))));
		assert!(!entry.published);
		entry.attempt(7, digest(2));
		entry.find(Some((7, digest(1))));
		assert!(entry.published && entry.fate.is_none());
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1, 2]);
		assert!(ledger.is_waiting());
	}

	#[test]
	fn who_was_off_while_both_were_good_gets_the_new_one_alone_and_once() {
		let mut ledger = ledger();
		let fates = [Some(Fate::Applied), Some(Fate::Refused("x".into())), None];
		for (entry, fate) in ledger.entries.iter_mut().zip(fates) {
			entry.attempt(1, digest(1));
			entry.find(Some((1, digest(1))));
			entry.fate = fate;
		}
		ledger.give_up_on_both();
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1, 2]);
		// What was delivered before is not taken for what is delivered now.
		ledger.entries[2].find(Some((1, digest(1))));
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1, 2]);
		for entry in &mut ledger.entries[1..] {
			entry.attempt(2, digest(2));
			entry.find(Some((2, digest(2))));
		}
		ledger.give_up_on_both();
		assert_eq!(ledger.unpublished().count(), 0);
	}

	#[test]
	fn what_somebody_else_delivered_since_is_told_and_not_undone() {
		let mut ledger = ledger();
		let entry = &mut ledger.entries[0];
		entry.attempt(7, digest(1));
		entry.find(Some((7, digest(1))));
		entry.find(Some((8, digest(9))));
		assert_eq!(entry.fate, Some(Fate::Replaced(8)));
		assert_eq!(ledger.stragglers().count(), 3);
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1, 2]);
	}

	#[test]
	fn access_that_is_granted_before_a_device_answers_is_part_of_the_rotation() {
		let folder = tempfile::tempdir().unwrap();
		let state = folder.path().join("state");
		let mut entry = ledger().entries.remove(0);
		let written = |sequence, content: &[u8]| {
			let binding = DeliveryBinding {
				genesis: [1; 32],
				organisation: OrganisationId([2; 32]),
				publisher: [3; 32],
				device: entry.device.id,
				channel: CHANNEL,
				recipient: KeyId([4; 32]),
				suite: Suite::SharedX25519,
				sequence,
			};
			let key = ContentKey::from_text(&"ab".repeat(32)).unwrap();
			Review::new(&binding, content, key, false)
		};
		let (ours, granted) = (written(7, b"ours"), written(8, b"granted"));
		let path = entry.review(&state);
		ours.replace(&Review::next_to(&path)).unwrap();
		entry.attempt(7, ours.digest);
		entry.note(None, &state).unwrap();
		assert!(!path.exists(), "it is not known to be on the chain");
		entry.note(Some((7, ours.digest)), &state).unwrap();
		assert_eq!(Review::read(&path).unwrap().digest, ours.digest);
		granted.replace(&path).unwrap();
		entry.note(Some((8, granted.digest)), &state).unwrap();
		assert_eq!((&entry.fate, entry.sequence), (&None, Some(8)));
		entry.note(Some((9, digest(9))), &state).unwrap();
		assert_eq!(entry.fate, Some(Fate::Replaced(9)));
	}
}
