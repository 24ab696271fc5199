//! Which chain the agent follows, and how old its newest block may be.

use super::text;
use dpki_client::primitives::Moment;
use dpki_light::Checkpoint;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A finalised block is too old to bring anything new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
	"the newest finalised block is {age} s old by this device's clock, more than the {max} s of max-head-age: \
	 check the peers, the network and the clock"
)]
pub struct Stale {
	/// Its age in seconds, rounded up. A block without a time, as the genesis is, has the age of the clock.
	pub age: u64,
	/// The highest age that would do, in seconds.
	pub max: u64,
}

/// Which chain, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChainSettings {
	/// The chain specification, in raw form.
	pub spec: PathBuf,
	/// The hash of its genesis block: what the agent believes in.
	#[serde(with = "text::hash")]
	pub genesis: [u8; 32],
	/// Addresses of nodes, `/ip4/../tcp/../p2p/..`. None of them is trusted.
	pub peers: Vec<String>,
	/// A finalised block older than this many seconds by the device's clock does not count as recent: nobody is answered
	/// from it, and unless `freshness.delivery.max-age` says otherwise, it brings no new delivery into force.
	#[serde(default = "default_max_head_age")]
	pub max_head_age: u64,
	/// A checkpoint from the organisation, `0x` and hexadecimal digits: for a device that is set up long after the genesis,
	/// or that was away for too long. It counts as long as it is higher than the one that the agent keeps.
	#[serde(default, with = "text::checkpoint", skip_serializing_if = "Option::is_none")]
	pub checkpoint: Option<Checkpoint>,
}

/// Ten minutes: clocks of devices are often minutes wrong.
fn default_max_head_age() -> u64 {
	600
}

impl ChainSettings {
	/// What is wrong with the settings, if anything is: which setting, and what.
	pub(super) fn problem(&self) -> Option<(&'static str, String)> {
		let problem = |field, problem: &str| Some((field, problem.to_owned()));
		if self.peers.is_empty() {
			return problem(
				"chain.peers",
				"is empty: name at least one node, /ip4/../tcp/../p2p/..",
			);
		}
		if let Some(peer) = self.peers.iter().find(|peer| !is_peer(peer)) {
			let what = format!("holds `{peer}`, which is no address: write /ip4/../tcp/../p2p/..");
			return Some(("chain.peers", what));
		}
		if self.max_head_age == 0 {
			return problem("chain.max-head-age", "is 0, so that no block would ever do: try 600");
		}
		if self.checkpoint.as_ref().is_some_and(|it| it.genesis != self.genesis) {
			let what =
				"is of another chain than `chain.genesis`: ask the organisation which one is right";
			return problem("chain.checkpoint", what);
		}
		None
	}

	/// The rule of [`Config::check_freshness`](super::Config::check_freshness) for a clock that says `now`, in milliseconds since the Unix epoch.
	pub fn check_freshness_at(&self, head_time: Moment, now: Moment) -> Result<(), Stale> {
		let oldest = now.saturating_sub(self.max_head_age.saturating_mul(1000));
		// Only the genesis has no time. A light client shows it before it has caught up.
		if head_time > 0 && head_time >= oldest {
			return Ok(());
		}
		Err(Stale { age: now.saturating_sub(head_time).div_ceil(1000), max: self.max_head_age })
	}
}

/// Whether this looks like the address of a node; smoldot says the rest.
fn is_peer(text: &str) -> bool {
	text.starts_with('/') && text.contains("/p2p/") && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::config::tests::sample;

	#[test]
	fn a_block_is_fresh_up_to_its_highest_age() {
		let chain = sample().chain;
		let now = 1_790_000_000_000;
		let check = |head_time, now| chain.check_freshness_at(head_time, now);
		assert_eq!(check(now, now), Ok(()));
		assert_eq!(check(now - 600_000, now), Ok(()));
		assert_eq!(check(now - 600_001, now), Err(Stale { age: 601, max: 600 }));
		assert_eq!(check(now - 3_600_000, now), Err(Stale { age: 3600, max: 600 }));
		assert_eq!(check(now, now - 3_600_000), Ok(()), "the clock is behind");
		assert_eq!(check(now, 0), Ok(()), "there is no clock");
	}

	#[test]
	fn the_genesis_is_never_fresh() {
		let mut chain = sample().chain;
		for (age, now) in [(600, 0), (600, 1), (u64::MAX, 1_790_000_000_000)] {
			chain.max_head_age = age;
			assert!(chain.check_freshness_at(0, now).is_err(), "{age} {now}");
		}
	}
}
