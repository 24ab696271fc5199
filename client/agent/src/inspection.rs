//! What `dpki-agent status` tells: the last word of the agent, how old it is, and whether the agent is at work.

use crate::{
	config::ChainSettings,
	lock::{Presence, process},
	status::{RefusalStatus, Status},
};
use dpki_client::primitives::Moment;
use serde::Serialize;
use std::{fmt, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The last word of an agent, judged.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
	/// The last word.
	#[serde(flatten)]
	pub status: Status,
	/// Whether an agent runs; `None` if whoever asks may not look into the state directory.
	pub running: Option<bool>,
	/// Its process.
	pub pid: Option<u32>,
	/// Whether the agent does what it is for: nothing shows that it does not run, its word and its newest block are
	/// recent, and nothing hinders it.
	pub working: bool,
	/// When the word was written, by the device's clock, as RFC 3339.
	pub updated: String,
	/// How long ago that was, in seconds.
	pub age_seconds: u64,
	/// The chain time in the newest finalised block, as RFC 3339.
	pub chain_time: Option<String>,
	/// How long ago that was, in seconds, by the time that blocks are held against.
	pub head_age_seconds: Option<u64>,
	/// What whoever asks should know, in sentences.
	pub warnings: Vec<String>,
}

/// What time it is, in milliseconds since the Unix epoch, for those who ask how old something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
	/// What the device's clock shows: the word of the agent was written by it.
	pub shown: Moment,
	/// The time that blocks are held against, which does not go back when that clock is set back.
	pub of_blocks: Moment,
}

impl Inspection {
	/// Judges what was written last, at this time.
	pub fn new(status: Status, presence: Presence, chain: &ChainSettings, time: Time) -> Self {
		let (age_seconds, now) = (seconds_since(status.updated_at, time.shown), time.of_blocks);
		let mut warnings = Vec::new();
		if presence == Presence::Absent {
			warnings.push(
				"no agent runs, and this is what the last one wrote: \
				 start it with `systemctl start dpki-agent` or `dpki-agent run`"
					.to_owned(),
			);
		} else if let Some(head) = &status.head {
			if let Err(stale) = chain.check_freshness_at(head.time, now) {
				warnings.push(stale.to_string());
			} else if age_seconds > chain.max_head_age {
				let age = span(age_seconds);
				warnings.push(format!("the agent has written nothing for {age}: see its log"));
			}
		} else {
			warnings.push(
				"the agent has seen no finalised block yet: wait a minute, then check the peers, the network and the clock"
					.to_owned(),
			);
		}
		if status.ssh.closed {
			warnings.push(
				"the chain was not heard for too long (`freshness.ssh-login`), so nobody logs in by certificate: \
				 check the peers, the network and the clock"
					.to_owned(),
			);
		}
		if status.peers_closed {
			warnings.push(
				"the chain was not heard for too long (`freshness.tls`), so no TLS peer is believed and no pre-shared key is \
				 good: check the peers, the network and the clock"
					.to_owned(),
			);
		}
		let (running, pid) = match presence {
			Presence::Running { pid } => (Some(true), pid),
			Presence::Absent => (Some(false), None),
			Presence::Hidden => (None, None),
		};
		Self {
			running,
			pid,
			working: warnings.is_empty() && status.error.is_none(),
			updated: rfc3339(status.updated_at),
			age_seconds,
			chain_time: status.head.as_ref().map(|head| rfc3339(head.time)),
			head_age_seconds: status.head.as_ref().map(|head| seconds_since(head.time, now)),
			warnings,
			status,
		}
	}
}

impl fmt::Display for Inspection {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let number =
			|number: Option<u64>| number.map_or("none".into(), |number| number.to_string());
		let Status { organisation, device, device_status, device_id, ssh, .. } = &self.status;
		writeln!(f, "device        {device} of {organisation} ({device_status})")?;
		writeln!(f, "id            {device_id}")?;
		let agent = match self.running {
			Some(true) => format!("running, {}", process(self.pid)),
			Some(false) => "not running".into(),
			None => "only its own user and root can see whether it runs".into(),
		};
		writeln!(f, "agent         {agent}")?;
		writeln!(f, "updated       {}, {} ago", self.updated, span(self.age_seconds))?;
		if let (Some(head), Some(time), Some(age)) =
			(&self.status.head, &self.chain_time, self.head_age_seconds)
		{
			let stale = if head.stale { ", too old for new deliveries" } else { "" };
			writeln!(f, "block         {} of {time}, {} ago{stale}", head.number, span(age))?;
		}
		writeln!(
			f,
			"delivery      {} in force, {} seen",
			number(self.status.sequence),
			number(self.status.highest_sequence)
		)?;
		writeln!(f, "acknowledged  {}", number(self.status.acknowledged))?;
		for it in self.status.channels.iter().filter(|it| it.channel != 0 || !it.obeyed) {
			let place = format!("channel {}", it.channel);
			let ignored = if it.obeyed { "" } else { "; not obeyed" };
			writeln!(
				f,
				"{place:<14}{} in force, {} seen, {} acknowledged{ignored}",
				number(it.sequence),
				number(it.highest_sequence),
				number(it.acknowledged)
			)?;
		}
		writeln!(
			f,
			"ssh           generation {}, {} user CAs, host certificate: {}",
			number(ssh.generation),
			ssh.user_cas.len(),
			if ssh.host_certificate { "yes" } else { "no" },
		)?;
		if let Some(key) = &ssh.delivered_host_key {
			writeln!(f, "host key      beside the own one: {key}, which was delivered")?;
		}
		writeln!(
			f,
			"revoked       for logins {} serials and {} keys, for hosts {} serials and {} keys",
			ssh.revoked_serials, ssh.revoked_keys, ssh.revoked_host_serials, ssh.revoked_host_keys,
		)?;
		if let Some(refusal) = &self.status.last_refusal {
			let at = rfc3339(refusal.at);
			let RefusalStatus { channel, sequence, sentence, .. } = refusal;
			let place =
				if *channel == 0 { String::new() } else { format!(" on channel {channel}") };
			writeln!(f, "last refusal  delivery {sequence}{place} at {at}: {sentence}")?;
		}
		if let Some(error) = &self.status.error {
			writeln!(f, "problem       {error}")?;
		}
		for warning in &self.warnings {
			writeln!(f, "warning       {warning}")?;
		}
		Ok(())
	}
}

/// Zero for what lies ahead, by a clock that was set back.
fn seconds_since(then: Moment, now: Moment) -> u64 {
	now.saturating_sub(then) / 1000
}

fn span(seconds: u64) -> humantime::FormattedDuration {
	humantime::format_duration(Duration::from_secs(seconds))
}

/// Whole seconds in UTC; a moment that no calendar holds stays a number.
pub(crate) fn rfc3339(at: Moment) -> String {
	i64::try_from(at / 1000)
		.ok()
		.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
		.and_then(|at| at.format(&Rfc3339).ok())
		.unwrap_or_else(|| format!("{at} ms after 1970"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::status::{ChannelStatus, HeadStatus};

	const NOW: Moment = 1_763_715_600_000;
	const RUNNING: Presence = Presence::Running { pid: Some(7) };

	fn inspect(presence: Presence, written: Moment, head: Option<Moment>) -> Inspection {
		let chain = ChainSettings {
			spec: "/spec".into(),
			genesis: [1; 32],
			peers: vec![],
			max_head_age: 600,
			checkpoint: None,
		};
		let head = head.map(|time| HeadStatus { number: 9, time, stale: false });
		let status =
			Status { device: "drone-7".into(), head, updated_at: written, ..Status::default() };
		Inspection::new(status, presence, &chain, Time { shown: NOW, of_blocks: NOW })
	}

	#[test]
	fn an_agent_that_runs_and_is_up_to_date_is_at_work() {
		let found = inspect(RUNNING, NOW - 2_000, Some(NOW - 4_900));
		assert!(found.working && found.warnings.is_empty(), "{:?}", found.warnings);
		let text = found.to_string();
		for line in [
			"agent         running, process 7\n",
			"updated       2025-11-21T08:59:58Z, 2s ago\n",
			"block         9 of 2025-11-21T08:59:55Z, 4s ago\n",
		] {
			assert!(text.contains(line), "{line}{text}");
		}
	}

	#[test]
	fn an_agent_that_does_not_run_is_not_at_work_however_fresh_its_word() {
		let found = inspect(Presence::Absent, NOW, Some(NOW));
		assert!(!found.working);
		let text = found.to_string();
		assert!(text.contains("agent         not running\n"), "{text}");
		assert!(text.contains("warning       no agent runs"), "{text}");
	}

	#[test]
	fn an_old_word_is_no_word() {
		for (written, head, words) in [
			(NOW, NOW - 601_000, "601 s old"),
			(NOW - 3_600_000, NOW - 3_600_000, "3600 s old"),
			(NOW - 601_000, NOW, "written nothing for 10m 1s"),
		] {
			for presence in [RUNNING, Presence::Hidden] {
				let found = inspect(presence, written, Some(head));
				assert!(!found.working && found.to_string().contains(words), "{words}: {found}");
			}
		}
		assert!(inspect(RUNNING, NOW - 600_000, Some(NOW - 600_000)).working, "just young enough");
	}

	#[test]
	fn a_clock_that_was_set_back_makes_no_block_young_and_no_word_old() {
		let found = inspect(RUNNING, NOW, Some(NOW));
		let chain = crate::config::tests::sample().chain;
		let at = |shown, of_blocks| {
			Inspection::new(found.status.clone(), RUNNING, &chain, Time { shown, of_blocks })
		};
		let stale = at(NOW - 86_400_000, NOW + 601_000);
		assert!(!stale.working && stale.to_string().contains("601 s old"), "{stale}");
		let mut found = found.status.clone();
		found.updated_at = NOW - 86_400_000;
		let time = Time { shown: NOW - 86_400_000, of_blocks: NOW };
		let fresh = Inspection::new(found, RUNNING, &chain, time);
		assert!(fresh.working && fresh.age_seconds == 0, "{fresh}");
	}

	#[test]
	fn an_agent_without_a_block_or_with_a_problem_is_not_at_work() {
		let found = inspect(RUNNING, NOW, None);
		assert!(!found.working && found.to_string().contains("no finalised block"), "{found}");
		let mut status = inspect(RUNNING, NOW, Some(NOW)).status;
		status.error = Some("the disk is full".into());
		let chain = ChainSettings {
			spec: "/spec".into(),
			genesis: [1; 32],
			peers: vec![],
			max_head_age: 600,
			checkpoint: None,
		};
		let found = Inspection::new(status, RUNNING, &chain, Time { shown: NOW, of_blocks: NOW });
		assert!(!found.working && found.to_string().contains("problem       the disk is full"));
	}

	#[test]
	fn every_channel_has_its_line() {
		let mut status = inspect(RUNNING, NOW, Some(NOW)).status;
		let (sequence, highest_sequence) = (Some(3), Some(4));
		status.channels = vec![
			ChannelStatus { channel: 0, obeyed: true, ..ChannelStatus::default() },
			ChannelStatus {
				channel: 2,
				obeyed: true,
				sequence,
				highest_sequence,
				..ChannelStatus::default()
			},
			ChannelStatus { channel: 15, highest_sequence, ..ChannelStatus::default() },
		];
		let sentence = "no".to_owned();
		let (digest, reason) = ("0x00".to_owned(), "channel conflict".to_owned());
		let refusal = RefusalStatus { channel: 2, sequence: 4, digest, reason, sentence, at: NOW };
		status.last_refusal = Some(refusal);
		let text = Inspection { status, ..inspect(RUNNING, NOW, Some(NOW)) }.to_string();
		for line in [
			"channel 2     3 in force, 4 seen, none acknowledged\n",
			"channel 15    none in force, 4 seen, none acknowledged; not obeyed\n",
			"last refusal  delivery 4 on channel 2 at 2025-11-21T09:00:00Z: no\n",
		] {
			assert!(text.contains(line), "{line}{text}");
		}
		assert!(!text.contains("channel 0 "), "{text}");
	}

	#[test]
	fn whoever_may_not_look_judges_by_the_age() {
		let found = inspect(Presence::Hidden, NOW, Some(NOW));
		assert!(found.working && found.running.is_none());
		assert!(found.to_string().contains("only its own user and root"), "{found}");
	}

	#[test]
	fn programs_get_the_same_in_fields() {
		let json = serde_json::to_value(inspect(RUNNING, NOW - 2_000, Some(NOW - 4_000))).unwrap();
		assert_eq!(json["device"], "drone-7", "the word itself is there as it was written");
		assert_eq!(json["head"]["number"], 9);
		assert_eq!((json["running"].as_bool(), json["pid"].as_u64()), (Some(true), Some(7)));
		assert_eq!(json["working"], true);
		assert_eq!(json["updated"], "2025-11-21T08:59:58Z");
		assert_eq!(json["age_seconds"], 2);
		assert_eq!(json["chain_time"], "2025-11-21T08:59:56Z");
		assert_eq!(json["head_age_seconds"], 4);
		assert_eq!(json["warnings"], serde_json::json!([]));
	}

	#[test]
	fn a_moment_beyond_the_calendar_stays_a_number() {
		assert_eq!(rfc3339(NOW + 123), "2025-11-21T09:00:00Z");
		assert_eq!(rfc3339(u64::MAX), format!("{} ms after 1970", u64::MAX));
	}
}
