//! How far a rotation is, on the disk before anything relies on it.

mod entry;

pub use entry::{Entry, Fate, Seen, Stage};

use super::fate;
use crate::{
	error::{Error, Result},
	files,
	values::DeviceRef,
};
use dpki_client::View;
use dpki_primitives::{
	Moment,
	channel::ChannelId,
	ids::{AnchorId, DeviceId, OrganisationId},
};
use serde_json::{Value, json};
use std::path::Path;

/// The form of the file. A program that knows only the one before does not go on with it on another channel.
const FORM: &str = "dpki-rotation/3";

/// The form before: it names no channel, as there was no choice.
const FORM_WITHOUT_CHANNEL: &str = "dpki-rotation/2";

/// How far a rotation is.
#[derive(Clone, Debug)]
pub struct Ledger {
	genesis: [u8; 32],
	organisation: OrganisationId,
	old: AnchorId,
	new: AnchorId,
	/// On which channel it is delivered.
	pub channel: ChannelId,
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
		channel: ChannelId,
		intent: [u8; 32],
		devices: impl Iterator<Item = DeviceRef>,
	) -> Self {
		let entries = devices.map(Entry::new).collect();
		Self {
			genesis,
			organisation,
			old,
			new,
			channel,
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
			"channel": self.channel.number(),
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
		let channel = match text("form")? {
			FORM => ChannelId::new(value.get("channel")?.as_u64()?.try_into().ok()?)?,
			FORM_WITHOUT_CHANNEL => ChannelId::DEFAULT,
			_ => return None,
		};
		let entries = value.get("devices")?.as_array()?;
		Some(Self {
			genesis: bytes("genesis")?,
			organisation: text("organisation")?.parse().ok()?,
			old: text("old")?.parse().ok()?,
			new: text("new")?.parse().ok()?,
			channel,
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
		} else if self.channel != wanted.channel {
			"the channel"
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

	/// The devices for which nothing is on its way yet.
	pub fn unpublished(&self) -> impl Iterator<Item = usize> {
		let entries = self.entries.iter().enumerate();
		entries
			.filter(|(_, entry)| entry.stage == Stage::Begun && entry.fate.is_none())
			.map(|(index, _)| index)
	}

	/// The devices whose delivery people have to publish or to approve yet.
	pub fn awaiting(&self) -> impl Iterator<Item = &Entry> {
		self.entries
			.iter()
			.filter(|entry| entry.fate.is_none() && entry.stage.awaits_people())
	}

	/// Whether for some device it was not decided, or was decided against, that it gets the new CA. That is none that is off:
	/// nothing has come into force that it could take when it is back.
	pub fn is_undecided(&self) -> bool {
		let lapsed = |entry: &Entry| matches!(entry.fate, Some(Fate::Lapsed(_)));
		self.awaiting().next().is_some() || self.entries.iter().any(lapsed)
	}

	/// Whether the rotation may go on to its end: no device is missing, or those that are may be, and all was approved.
	pub fn may_end(&self, despite_stragglers: bool) -> bool {
		let is_complete = self.stragglers().next().is_none();
		is_complete || (despite_stragglers && !self.is_undecided())
	}

	/// The devices that do not have what they need.
	pub fn stragglers(&self) -> impl Iterator<Item = &Entry> {
		self.entries.iter().filter(|entry| entry.fate != Some(Fate::Applied))
	}

	/// Has those devices that did not take both CAs get the new one alone: a device refuses a delivery that names a CA which
	/// is revoked by the time that it comes back.
	pub fn give_up_on_both(&mut self) {
		for entry in &mut self.entries {
			let may_take_it = matches!(entry.fate, None | Some(Fate::Refused(_) | Fate::Waits(_)));
			if may_take_it && !entry.late {
				entry.begin_again(true);
			}
		}
	}

	/// Notes that what waits for people cannot come into force any more.
	pub fn lapse(&mut self, why: &str) {
		for entry in &mut self.entries {
			if entry.fate.is_none() && entry.stage.awaits_people() {
				entry.fate = Some(Fate::Lapsed(why.into()));
			}
		}
	}

	/// Has all those that do not have what they need, and of which nothing else is to be expected, get another delivery.
	pub fn begin_again(&mut self) {
		let is_over = self.revoked;
		for entry in &mut self.entries {
			if !matches!(entry.fate, None | Some(Fate::Applied)) {
				entry.begin_again(entry.late || is_over);
			}
		}
	}

	/// Tries those again to which nothing could be delivered yet.
	pub fn stop_waiting(&mut self) {
		for entry in &mut self.entries {
			if matches!(entry.fate, Some(Fate::Waits(_))) {
				entry.fate = None;
			}
		}
	}

	/// Whether a device may answer yet, or somebody may approve.
	pub fn is_waiting(&self) -> bool {
		self.entries
			.iter()
			.any(|entry| entry.stage != Stage::Begun && entry.fate.is_none())
	}

	/// How many devices have an end, whichever.
	pub fn answered(&self) -> u64 {
		self.entries.iter().filter(|entry| entry.fate.is_some()).count() as u64
	}

	/// Finds out which of what was sent is on the chain.
	pub async fn reconcile(&mut self, view: &View, state: &Path) -> Result<()> {
		let channel = self.channel;
		for entry in self.entries.iter_mut().filter(|entry| entry.fate.is_none()) {
			entry.note(seen(view, entry.device.id, channel).await?, state)?;
			// Nobody can approve a delivery to it any more.
			if entry.fate.is_none()
				&& entry.stage.awaits_people()
				&& !view.device_status(entry.device.id).await?.is_valid()
			{
				entry.fate = Some(Fate::Unfit("it is not valid any more".into()));
			}
		}
		Ok(())
	}

	/// Looks again at the devices that had what they need, as others go on delivering to them.
	pub async fn look_again(&mut self, view: &View, state: &Path) -> Result<()> {
		let channel = self.channel;
		for entry in &mut self.entries {
			let device = entry.device.id;
			// One that is revoked says nothing any more, and needs nothing.
			if entry.fate != Some(Fate::Applied) || !view.device_status(device).await?.is_valid() {
				continue;
			}
			let said = view.acknowledgement(device, channel).await?;
			let said = said.map(|said| (said.digest, said.outcome));
			entry.judge_again(seen(view, device, channel).await?, said, state)?;
		}
		self.save(state)
	}

	/// Looks what became of deliveries that wait, and what the devices say that have not answered yet; whether anything is
	/// new.
	pub async fn look_for_answers(&mut self, view: &View, state: &Path) -> Result<bool> {
		let (mut is_new, channel) = (false, self.channel);
		for entry in &mut self.entries {
			if entry.stage == Stage::Begun || entry.fate.is_some() {
				continue;
			}
			let before = entry.stage;
			entry.note(seen(view, entry.device.id, channel).await?, state)?;
			let said = view.acknowledgement(entry.device.id, channel).await?;
			if let Some(said) = said.filter(|said| entry.digests.contains(&said.digest)) {
				entry.fate = Some(fate(said.outcome));
			}
			is_new |= entry.fate.is_some() || entry.stage != before;
		}
		Ok(is_new)
	}
}

/// What a block says about the deliveries to a device.
async fn seen(view: &View, device: DeviceId, channel: ChannelId) -> Result<Seen> {
	let newest = view.delivery(device, channel).await?;
	let proposal = view.proposal(device, channel).await?;
	Ok(Seen {
		newest: newest.map(|record| (record.sequence, record.digest)),
		proposal: proposal.map(|proposal| (proposal.record.digest, proposal.expires_at)),
		now: view.now(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::ids::BlobDigest;

	fn ledger() -> Ledger {
		let ids = (OrganisationId([2; 32]), AnchorId([3; 32]), AnchorId([4; 32]));
		let devices = (5..8).map(|id| DeviceRef::from(DeviceId([id; 32])));
		Ledger::new([1; 32], ids, ChannelId::DEFAULT, [9; 32], devices)
	}

	fn digest(byte: u8) -> BlobDigest {
		BlobDigest([byte; 32])
	}

	#[test]
	fn a_ledger_is_read_as_it_was_written() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state");
		let mut ledger = ledger();
		ledger.entries[0].attempt(7, digest(1), Stage::InForce);
		ledger.entries[0].fate = Some(Fate::Applied);
		ledger.entries[1].fate = Some(Fate::Waits("for another channel".into()));
		ledger.entries[2].attempt(1, digest(2), Stage::Proposed(9));
		ledger.overlap_until = Some(5);
		ledger.save(&path).unwrap();
		let read = Ledger::read(&path).unwrap();
		assert_eq!(format!("{read:?}"), format!("{ledger:?}"));
		read.require_same(&ledger, &path).unwrap();
		ledger.channel = ChannelId::new(15).unwrap();
		ledger.save(&path).unwrap();
		assert_eq!(Ledger::read(&path).unwrap().channel, ledger.channel);
		let text = std::fs::read_to_string(&path).unwrap();
		let other = text.replace("rotation/3", "rotation/4");
		let channel = text.replace("\"channel\": 15", "\"channel\": 16");
		let without = text.replace("\"channel\": 15,", "");
		assert!(other != text && channel != text && without != text);
		for wrong in ["", "{}", &text[..text.len() / 2], &other, &channel, &without] {
			std::fs::write(&path, wrong).unwrap();
			assert!(matches!(Ledger::read(&path), Err(Error::WrongFile { .. })), "{wrong}");
		}
	}

	#[test]
	fn a_rotation_that_was_begun_before_there_were_channels_goes_on_on_the_default_one() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state");
		ledger().save(&path).unwrap();
		let text = std::fs::read_to_string(&path).unwrap();
		let before = text.replace("rotation/3", "rotation/2").replace("\"channel\": 0,", "");
		assert!(!before.contains("channel"), "{before}");
		std::fs::write(&path, before).unwrap();
		let kept = Ledger::read(&path).unwrap();
		kept.require_same(&ledger(), &path).unwrap();
		let mut elsewhere = ledger();
		elsewhere.channel = ChannelId::new(3).unwrap();
		let error = kept.require_same(&elsewhere, &path).unwrap_err();
		assert!(error.to_string().contains("differs in the channel"), "{error}");
	}

	#[test]
	fn another_rotation_does_not_go_on_with_the_state_of_this_one() {
		type Change = fn(&mut Ledger);
		let changes: [(&str, Change); 6] = [
			("chain", |it| it.genesis = [8; 32]),
			("CAs", |it| it.old = AnchorId([8; 32])),
			("CAs", |it| it.new = AnchorId([8; 32])),
			("the channel", |it| it.channel = ChannelId::new(5).unwrap()),
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
	fn who_was_off_while_both_were_good_gets_the_new_one_alone_and_once() {
		let mut ledger = ledger();
		let fates = [Some(Fate::Applied), Some(Fate::Waits("x".into())), None];
		for (entry, fate) in ledger.entries.iter_mut().zip(fates) {
			entry.attempt(1, digest(1), Stage::InForce);
			entry.fate = fate;
		}
		assert!(ledger.is_waiting());
		ledger.give_up_on_both();
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1, 2]);
		// What was delivered before is not taken for what is delivered now.
		ledger.entries[2].find(Seen { newest: Some((1, digest(1))), ..Seen::default() });
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1, 2]);
		for entry in &mut ledger.entries[1..] {
			entry.attempt(2, digest(2), Stage::InForce);
		}
		ledger.give_up_on_both();
		assert_eq!(ledger.unpublished().count(), 0);
	}

	#[test]
	fn the_old_ca_stays_while_anything_is_undecided_and_no_option_overrules_that() {
		let mut ledger = ledger();
		for entry in &mut ledger.entries {
			entry.attempt(1, digest(1), Stage::InForce);
			entry.fate = Some(Fate::Applied);
		}
		assert!(ledger.may_end(false));
		// A device that is off may be left behind, if that is said.
		ledger.entries[2].fate = None;
		assert_eq!((ledger.may_end(false), ledger.may_end(true)), (false, true));
		let undecided = [
			(Stage::Signed(9), None),
			(Stage::Proposed(9), None),
			(Stage::Proposed(9), Some(Fate::Lapsed("too late".into()))),
		];
		for (stage, fate) in undecided {
			(ledger.entries[2].stage, ledger.entries[2].fate) = (stage, fate);
			assert!(ledger.is_undecided());
			assert_eq!((ledger.may_end(false), ledger.may_end(true)), (false, false), "{stage:?}");
		}
	}

	#[test]
	fn nobody_waits_for_approvals_that_are_not_asked_for_any_more() {
		let mut ledger = ledger();
		ledger.entries[0].attempt(1, digest(1), Stage::Proposed(9));
		ledger.entries[1].attempt(1, digest(1), Stage::InForce);
		ledger.lapse("nobody asks");
		let fates: Vec<_> = ledger.entries.iter().map(|entry| entry.fate.clone()).collect();
		assert_eq!(fates, [Some(Fate::Lapsed("nobody asks".into())), None, None]);
		ledger.begin_again();
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [0, 2]);
	}

	#[test]
	fn only_what_has_come_to_an_end_is_published_again_and_only_if_that_is_asked_for() {
		let mut ledger = ledger();
		let fates =
			[Some(Fate::Applied), Some(Fate::Lapsed("it was not approved in time".into())), None];
		for (entry, fate) in ledger.entries.iter_mut().zip(fates) {
			entry.attempt(1, digest(1), Stage::Proposed(9));
			entry.fate = fate;
		}
		assert_eq!(ledger.stragglers().count(), 2);
		assert_eq!(ledger.unpublished().count(), 0, "it is a straggler until then");
		ledger.begin_again();
		assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1]);
		assert!(!ledger.entries[1].late);
		for fate in [Fate::Replaced(4), Fate::Refused("x".into()), Fate::Unfit("y".into())] {
			ledger.entries[1].attempt(2, digest(2), Stage::InForce);
			ledger.entries[1].fate = Some(fate);
			ledger.revoked = true;
			ledger.begin_again();
			assert_eq!(ledger.unpublished().collect::<Vec<_>>(), [1]);
			assert!(ledger.entries[1].late, "a device refuses a CA that is revoked");
		}
	}
}
