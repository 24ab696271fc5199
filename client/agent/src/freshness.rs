//! How old the chain may be, use by use, and how that is told over restarts.
//!
//! ```toml
//! [freshness.ssh-login]
//! max-age = 600         # seconds: up to here all is well
//! grace = 86400         # seconds: so long after that, what is in force stays so
//! when-stale = "refuse" # then nobody logs in by certificate; "allow": go on, whatever was revoked meanwhile
//!
//! [freshness.tls]
//! max-age = 600
//! grace = 3600
//! when-stale = "refuse" # then no TLS peer is believed, and no pre-shared key is good
//!
//! [freshness.delivery]
//! max-age = 600         # if it is not said: chain.max-head-age
//! grace = 0             # so long after that, a delivery that was accepted before a crash is still put in force
//! when-stale = "refuse" # "allow": however long after that
//! ```
//!
//! These are the defaults. For logins and TLS what counts is the chain time of the newest block whose state is in force, held
//! against a clock that never goes behind the newest proven one: whoever relays blocks and withholds what is proven by them
//! makes nothing young. For deliveries it is that of the block from which they are taken. A new one is only ever taken from a
//! block within the maximum age: no setting lets something new begin from old news.

use crate::{
	boot::Reading,
	files::{self, PUBLIC},
};
use dpki_client::{Floor, Judgement, Policy, Use, WhenStale, primitives::Moment};
use serde::{Deserialize, Deserializer, Serialize};
use std::{
	path::{Path, PathBuf},
	time::{Duration, Instant},
};

const FILE: &str = "chain-time";

/// A chain time beside the reading of the clock that runs since the start of the system. How old the pair is does not
/// matter, so it is written together with the other one.
const ANCHOR_FILE: &str = "chain-time-since-start";

/// The chain time of the newest block whose state is in force.
const ENFORCED_FILE: &str = "enforced-time";

/// How far the file may stay behind, in milliseconds: flash memory wears out. After a restart the state seems older by
/// as much.
const SAVE_INTERVAL: Moment = 60_000;

/// How old the chain may be, use by use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FreshnessSettings {
	/// Until when user certificates open logins.
	#[serde(deserialize_with = "ssh_login")]
	pub ssh_login: UseSettings,
	/// Until when TLS peers are believed, and pre-shared keys are good.
	#[serde(deserialize_with = "tls")]
	pub tls: UseSettings,
	/// From which blocks deliveries are taken.
	pub delivery: DeliverySettings,
}

impl Default for FreshnessSettings {
	fn default() -> Self {
		Self {
			ssh_login: UseSettings::of(Use::SshLogin),
			tls: UseSettings::of(Use::Tls),
			delivery: DeliverySettings::default(),
		}
	}
}

impl FreshnessSettings {
	/// The first maximum age by which no block would ever do.
	pub fn impossible(&self) -> Option<&'static str> {
		let ages = [
			("freshness.ssh-login.max-age", Some(self.ssh_login.max_age)),
			("freshness.tls.max-age", Some(self.tls.max_age)),
			("freshness.delivery.max-age", self.delivery.max_age),
		];
		ages.into_iter().find(|(_, age)| *age == Some(0)).map(|(field, _)| field)
	}
}

/// How old the chain may be for one use of what is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct UseSettings {
	/// Up to this age, in seconds, the newest proven block is as good as new.
	pub max_age: u64,
	/// For so many seconds after that what is in force stays so.
	pub grace: u64,
	/// What happens then.
	pub when_stale: Stale,
}

/// What happens when maximum age and grace are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stale {
	/// Nobody is believed until the chain is heard again.
	#[default]
	Refuse,
	/// All stays as it is.
	Allow,
}

impl From<Stale> for WhenStale {
	fn from(stale: Stale) -> Self {
		match stale {
			Stale::Refuse => Self::Refuse,
			Stale::Allow => Self::Allow,
		}
	}
}

/// Some of the settings of a use: the others are as usual.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Said {
	max_age: Option<u64>,
	grace: Option<u64>,
	when_stale: Option<Stale>,
}

impl UseSettings {
	/// What holds for a use of which nothing is said.
	pub fn of(what: Use) -> Self {
		let Policy { max_age, grace, .. } = Policy::of(what);
		Self { max_age: max_age.as_secs(), grace: grace.as_secs(), when_stale: Stale::Refuse }
	}

	/// The policy that these settings make.
	pub fn policy(&self) -> Policy {
		Policy {
			max_age: Duration::from_secs(self.max_age),
			grace: Duration::from_secs(self.grace),
			when_stale: self.when_stale.into(),
		}
	}

	fn read<'de, D: Deserializer<'de>>(what: Use, deserializer: D) -> Result<Self, D::Error> {
		let (said, usual) = (Said::deserialize(deserializer)?, Self::of(what));
		Ok(Self {
			max_age: said.max_age.unwrap_or(usual.max_age),
			grace: said.grace.unwrap_or(usual.grace),
			when_stale: said.when_stale.unwrap_or(usual.when_stale),
		})
	}
}

fn ssh_login<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UseSettings, D::Error> {
	UseSettings::read(Use::SshLogin, deserializer)
}

fn tls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UseSettings, D::Error> {
	UseSettings::read(Use::Tls, deserializer)
}

/// From which blocks deliveries are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DeliverySettings {
	/// Up to this age, in seconds, a block brings new deliveries; by default the age up to which it counts as recent.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub max_age: Option<u64>,
	/// For so many seconds after that, what was accepted before a crash is still put in force.
	pub grace: u64,
	/// What happens to that then.
	pub when_stale: Stale,
}

impl DeliverySettings {
	/// The policy that these settings make, where a block counts as recent up to `max_head_age` seconds.
	pub fn policy(&self, max_head_age: u64) -> Policy {
		Policy {
			max_age: Duration::from_secs(self.max_age.unwrap_or(max_head_age)),
			grace: Duration::from_secs(self.grace),
			when_stale: self.when_stale.into(),
		}
	}
}

/// The newest proven chain time, on the disk, and how long ago it was heard.
///
/// A clock that is behind the chain time would make the newest block young for ever. So what has passed since that block was
/// heard counts as well, by a clock that nobody sets: the one that runs since the system has started, also while the agent
/// does not, see [`crate::boot`]. What has passed while the system was down nobody can tell but the device's clock:
/// [`is_certain`](Self::is_certain) says whether that matters.
pub struct ChainTime {
	path: PathBuf,
	floor: Floor,
	saved: Moment,
	/// The chain time of the newest block whose state is in force.
	enforced: Floor,
	enforced_saved: Moment,
	heard: Instant,
	/// A chain time that was heard since the system has started, and when that was.
	anchored: Option<(Reading, Moment)>,
	/// Whether the reading on the disk is of this start of the system.
	anchor_saved: bool,
	/// Whether the chain was heard by this agent.
	risen: bool,
}

impl ChainTime {
	/// As it was left in this state directory. What cannot be read counts as never heard: that fails closed.
	pub fn open(state: &Path) -> Self {
		let path = state.join(FILE);
		let stored = read_time(&path);
		let enforced = read_time(&state.join(ENFORCED_FILE));
		let anchored = read_anchor(state);
		Self {
			path,
			floor: Floor::new(stored),
			saved: stored,
			enforced: Floor::new(enforced),
			enforced_saved: enforced,
			heard: Instant::now(),
			anchor_saved: anchored.is_some(),
			anchored,
			risen: false,
		}
	}

	/// Whether the time since the chain was heard is known whatever the device's clock shows: the chain was heard since the
	/// system has started, and told something new then.
	pub fn is_certain(&self) -> bool {
		self.risen || self.anchored.is_some()
	}

	/// Takes note of the chain time of a proven block.
	pub fn rise(&mut self, time: Moment) {
		// A block that was known before the system has started tells nothing about the time since.
		if time > self.floor.time() {
			self.heard = Instant::now();
			self.anchored = Reading::now().map(|reading| (reading, time));
			self.risen = true;
		}
		self.floor.rise(time);
		let time = self.floor.time();
		let is_due = time >= self.saved.saturating_add(SAVE_INTERVAL);
		if !is_due && (self.anchor_saved || self.anchored.is_none()) {
			return;
		}
		let anchor = self.anchored.as_ref().map(|(reading, time)| format!("{reading} {time}\n"));
		let written =
			files::replace(&self.path, format!("{time}\n").as_bytes(), PUBLIC).and_then(|()| {
				match &anchor {
					Some(text) => {
						let path = self.path.with_file_name(ANCHOR_FILE);
						files::replace(&path, text.as_bytes(), PUBLIC)
					},
					None => Ok(()),
				}
			});
		match written {
			Ok(()) => {
				self.saved = time;
				self.anchor_saved = anchor.is_some();
			},
			Err(error) => tracing::warn!(%error, "cannot write down the chain time"),
		}
	}

	/// Takes note that what a proven block says is in force.
	pub fn enforced(&mut self, time: Moment) {
		self.enforced.rise(time);
		let time = self.enforced.time();
		if time < self.enforced_saved.saturating_add(SAVE_INTERVAL) {
			return;
		}
		let path = self.path.with_file_name(ENFORCED_FILE);
		match files::replace(&path, format!("{time}\n").as_bytes(), PUBLIC) {
			Ok(()) => self.enforced_saved = time,
			Err(error) => {
				tracing::warn!(%error, "cannot write down the time of what is in force");
			},
		}
	}

	/// What the clock shows, or the newest chain time and what has passed since, if it shows less.
	pub fn now(&self, clock: Moment) -> Moment {
		let since_start = self
			.anchored
			.as_ref()
			.and_then(|(heard, time)| Some(time.saturating_add(Reading::now()?.since(heard)?)));
		self.now_after(clock, self.heard.elapsed()).max(since_start.unwrap_or(0))
	}

	fn now_after(&self, clock: Moment, elapsed: Duration) -> Moment {
		let elapsed = Moment::try_from(elapsed.as_millis()).unwrap_or(Moment::MAX);
		clock.max(self.floor.time().saturating_add(elapsed))
	}

	/// What a policy says about what is in force.
	pub fn judge(&self, policy: &Policy, clock: Moment) -> Judgement {
		self.judge_read(policy, 0, clock)
	}

	/// What it would say if what was read at a block of this chain time were in force.
	pub fn judge_read(&self, policy: &Policy, time: Moment, clock: Moment) -> Judgement {
		policy.judge(self.enforced.time().max(time), self.now(clock))
	}

	/// For how long it will say so still, if that ends.
	pub fn remaining(&self, policy: &Policy, clock: Moment) -> Option<Duration> {
		policy
			.remaining(self.enforced.time(), self.now(clock))
			.map(Duration::from_millis)
	}
}

/// The time in a file. What cannot be read counts as never.
fn read_time(path: &Path) -> Moment {
	let read = files::read_if_there(path).ok().flatten();
	read.and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse().ok())
		.unwrap_or(0)
}

/// The newest chain time that this process knows, and when it was heard. For whoever asks what time it is and writes nothing
/// down.
#[derive(Clone, Debug)]
pub struct Heard {
	time: Moment,
	at: Instant,
	reading: Option<Reading>,
}

impl Heard {
	/// A chain time that is heard now.
	pub fn now_at(time: Moment) -> Self {
		Self { time, at: Instant::now(), reading: Reading::now() }
	}

	/// What the agent of this state directory knew when it ended.
	pub fn open(state: &Path) -> Self {
		Self::now_at(ChainTime::open(state).now(0))
	}

	/// Takes note of the chain time of a proven block. One that is not newer tells nothing.
	pub fn rise(&mut self, time: Moment) {
		if time > self.time {
			*self = Self::now_at(time);
		}
	}

	/// What the clock shows, or that chain time and what has passed since, if it shows less.
	pub fn now(&self, clock: Moment) -> Moment {
		clock.max(self.time.saturating_add(passed(self.at, self.reading.as_ref())))
	}
}

/// What time it was when something was judged, carried on by a clock that nobody sets. Whatever the device's clock is set to
/// afterwards, forth or back, changes nothing until it is judged anew.
#[derive(Clone, Debug)]
pub struct Judged {
	time: Moment,
	at: Instant,
	reading: Option<Reading>,
}

impl Judged {
	/// Something is judged now, and this is the time.
	pub fn now_at(time: Moment) -> Self {
		Self { time, at: Instant::now(), reading: Reading::now() }
	}

	/// What time it is by that.
	pub fn now(&self) -> Moment {
		self.time.saturating_add(passed(self.at, self.reading.as_ref()))
	}

	/// The same, so many milliseconds later.
	#[cfg(test)]
	pub fn later_by(self, span: Moment) -> Self {
		Self { time: self.time + span, ..self }
	}
}

/// The milliseconds since then. The clock of the process stands still while the device sleeps, the other one does not.
fn passed(at: Instant, reading: Option<&Reading>) -> Moment {
	let elapsed = Moment::try_from(at.elapsed().as_millis()).unwrap_or(Moment::MAX);
	let since = reading.and_then(|then| Reading::now()?.since(then));
	elapsed.max(since.unwrap_or(0))
}

/// The chain time that was written down since the system has started. What cannot be read counts as none.
fn read_anchor(state: &Path) -> Option<(Reading, Moment)> {
	let bytes = files::read_if_there(&state.join(ANCHOR_FILE)).ok()??;
	let text = String::from_utf8(bytes).ok()?;
	let (reading, time) = text.trim().rsplit_once(' ')?;
	let reading: Reading = reading.parse().ok()?;
	// Of another start, or from the future of this one: then it says nothing.
	Reading::now()?.since(&reading)?;
	Some((reading, time.parse().ok()?))
}

#[cfg(test)]
mod tests {
	use super::*;

	const NOW: Moment = 1_790_000_000_000;

	#[test]
	fn the_defaults_fail_closed() {
		let settings = FreshnessSettings::default();
		let policy = settings.ssh_login.policy();
		assert_eq!(policy, Policy::of(Use::SshLogin));
		assert!(policy.judge(NOW, NOW + 86_000_000).may_go_on());
		assert!(!policy.judge(NOW, NOW + 90_000_000).may_go_on());
		assert_eq!(settings.tls.policy(), Policy::of(Use::Tls));
		assert_eq!(settings.delivery.policy(600), Policy::of(Use::Delivery));
		assert_eq!(settings.impossible(), None);
	}

	#[test]
	fn what_is_not_said_of_a_use_is_as_usual_for_it() {
		let text =
			"[ssh-login]\nmax-age = 60\n[tls]\nwhen-stale = \"allow\"\n[delivery]\ngrace = 5";
		let settings: FreshnessSettings = toml::from_str(text).unwrap();
		let usual = FreshnessSettings::default();
		assert_eq!(settings.ssh_login, UseSettings { max_age: 60, ..usual.ssh_login });
		assert_eq!(settings.tls, UseSettings { when_stale: Stale::Allow, ..usual.tls });
		assert_eq!(settings.delivery.policy(70).max_age, Duration::from_secs(70));
		assert_eq!(settings.delivery.policy(70).grace, Duration::from_secs(5));
		assert!(toml::from_str::<FreshnessSettings>("[tls]\ncolour = 1").is_err());
		assert!(toml::from_str::<FreshnessSettings>("[mail]\nmax-age = 1").is_err());
	}

	#[test]
	fn the_newest_chain_time_outlives_a_restart() {
		let dir = tempfile::tempdir().unwrap();
		let policy = Policy::closed_after(Duration::from_secs(60));
		let mut time = ChainTime::open(dir.path());
		assert!(!time.judge(&policy, NOW).may_go_on(), "the chain was never heard");
		time.rise(NOW);
		time.rise(NOW - 5_000);
		assert!(!time.judge(&policy, NOW).may_go_on(), "nothing of it is in force");
		assert_eq!(time.judge_read(&policy, NOW, NOW), Judgement::Fresh);
		time.enforced(NOW);
		time.enforced(NOW - 5_000);
		assert_eq!(time.judge(&policy, NOW), Judgement::Fresh);
		assert_eq!(time.remaining(&policy, NOW + 59_000), Some(Duration::from_secs(1)));
		let time = ChainTime::open(dir.path());
		assert_eq!(time.judge(&policy, NOW + 60_000), Judgement::Fresh);
		assert!(!time.judge(&policy, NOW + 60_001).may_go_on());
		assert_eq!(time.now_after(0, Duration::ZERO), NOW, "a clock that was set back");
		std::fs::write(dir.path().join(ENFORCED_FILE), "not a time").unwrap();
		assert!(!ChainTime::open(dir.path()).judge(&policy, NOW).may_go_on());
	}

	#[test]
	fn heads_without_what_they_say_in_force_make_nothing_young() {
		let dir = tempfile::tempdir().unwrap();
		let policy = Policy::closed_after(Duration::from_secs(60));
		let mut time = ChainTime::open(dir.path());
		time.rise(NOW);
		time.enforced(NOW);
		time.rise(NOW + 61_000);
		assert!(!time.judge(&policy, 0).may_go_on());
		assert_eq!(time.remaining(&policy, 0), Some(Duration::ZERO));
		assert!(!ChainTime::open(dir.path()).judge(&policy, 0).may_go_on());
	}

	#[test]
	fn what_was_heard_is_no_younger_by_a_clock_that_was_set_back() {
		let mut heard = Heard::now_at(NOW);
		heard.rise(NOW - 5_000);
		assert!((NOW..NOW + 60_000).contains(&heard.now(0)));
		assert_eq!(heard.now(NOW + 3_600_000), NOW + 3_600_000);
		heard.reading = Reading::now().map(|reading| reading.earlier_by(40_000));
		assert!((NOW + 40_000..NOW + 60_000).contains(&heard.now(0)), "{}", heard.now(0));
		let dir = tempfile::tempdir().unwrap();
		ChainTime::open(dir.path()).rise(NOW);
		assert!((NOW..NOW + 60_000).contains(&Heard::open(dir.path()).now(0)));
	}

	#[test]
	fn behind_a_clock_that_was_set_back_the_chain_grows_old_all_the_same() {
		let dir = tempfile::tempdir().unwrap();
		let mut time = ChainTime::open(dir.path());
		time.rise(NOW);
		let policy = Policy::closed_after(Duration::from_secs(60));
		let judge =
			|clock, seconds| policy.judge(NOW, time.now_after(clock, Duration::from_secs(seconds)));
		for clock in [0, NOW - 3_600_000, NOW] {
			assert_eq!(judge(clock, 60), Judgement::Fresh, "{clock}");
			assert!(!judge(clock, 61).may_go_on(), "{clock}");
		}
		assert!(!judge(NOW + 61_000, 0).may_go_on(), "a clock that is ahead counts as it is");
	}

	#[test]
	fn what_passed_while_the_agent_did_not_run_counts_as_well() {
		let dir = tempfile::tempdir().unwrap();
		ChainTime::open(dir.path()).rise(NOW);
		let path = dir.path().join(ANCHOR_FILE);
		let reading = Reading::now().unwrap();
		assert!(ChainTime::open(dir.path()).is_certain());
		let earlier = reading.earlier_by(40_000);
		std::fs::write(&path, format!("{earlier} {NOW}\n")).unwrap();
		let time = ChainTime::open(dir.path());
		assert!((NOW + 40_000..NOW + 60_000).contains(&time.now(0)), "{}", time.now(0));
	}

	#[test]
	fn after_a_start_of_the_system_nothing_is_certain_until_the_chain_tells_something_new() {
		let dir = tempfile::tempdir().unwrap();
		assert!(!ChainTime::open(dir.path()).is_certain());
		ChainTime::open(dir.path()).rise(NOW);
		let path = dir.path().join(ANCHOR_FILE);
		let text = std::fs::read_to_string(&path).unwrap();
		let (_, rest) = text.split_once(' ').unwrap();
		for other in [format!("another-start {rest}"), "damaged".into(), String::new()] {
			std::fs::write(&path, other).unwrap();
			let mut time = ChainTime::open(dir.path());
			assert!(!time.is_certain());
			time.rise(NOW - 1);
			time.rise(NOW);
			assert!(!time.is_certain(), "this was known before");
		}
		let mut time = ChainTime::open(dir.path());
		time.rise(NOW + 1000);
		assert!(time.is_certain());
		assert!(ChainTime::open(dir.path()).is_certain(), "and stays so over a restart");
	}
}
