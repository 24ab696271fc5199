//! The checkpoint: whose finality the agent believes in, kept over restarts.
//!
//! At its first start a device has the genesis hash, and with it the first authorities, which the genesis state names. From
//! then on it keeps the newest checkpoint that its light client has led up to, and begins with that: an authority that was
//! replaced meanwhile has no say any more, whatever became of its keys. The configuration may bring one as well, from the
//! organisation: for a device that is set up long after the genesis, or that was away for longer than the chain can prove.
//! The higher of the two counts. One that contradicts what the device has come to is refused, and so is one that the
//! configuration did not name before and that is of an earlier set: it says something else than the device knows, and
//! nothing tells which of the two is right. Somebody who changes it means something by it.
//!
//! The file is replaced as a whole. Whoever can write it can make the device believe anything, as with the configuration.

use crate::{
	config::Config,
	files::{self, FileError, SECRET},
	lock::{LockError, StateLock},
};
use dpki_client::primitives::Moment;
use dpki_light::{Checkpoint, LightClient};
use dpki_verifier::{Error as Unproven, Verifier, Zebra};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tokio::task::JoinHandle;

const FILE: &str = "checkpoint";

/// Holds the SHA2-256 of what the configuration named when the agent last began.
const NAMED: &str = "checkpoint.named";

/// How many blocks the file stays behind while the authorities are the same: flash memory wears out.
const SAVE_INTERVAL: u32 = 300;

/// Why there is no checkpoint to begin with.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
	/// It cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// It is not what was written.
	#[error(
		"the checkpoint {} is damaged: without it former authorities could lead the device to another chain; put one from \
		 your organisation into the configuration (`chain.checkpoint`) and remove the file",
		.0.display()
	)]
	Damaged(PathBuf),
	/// It is of another chain.
	#[error(
		"{0} is of another chain than the genesis hash of the configuration: use the one that came with the device"
	)]
	Foreign(String),
	/// The configuration contradicts what is kept.
	#[error(
		"`chain.checkpoint` names another block or other authorities (set {set}) than those to which the device has come, so \
		 one of the two is of another chain: ask your organisation. If the configuration is right, remove the file {}; \
		 otherwise take the checkpoint out of the configuration",
		path.display()
	)]
	Contradicted {
		/// The number of the set.
		set: u64,
		/// What is kept.
		path: PathBuf,
	},
	/// The configuration was changed to an earlier checkpoint than what is kept.
	#[error(
		"`chain.checkpoint` was changed to one of set {named}, and the device has come to set {kept} before: nobody can prove \
		 that both are of one chain. Take it out of the configuration to go on; if your organisation says that the chain was \
		 restarted by force, remove the file {} instead",
		path.display()
	)]
	Older {
		/// The number of the set of the configuration.
		named: u64,
		/// The number of the set that is kept.
		kept: u64,
		/// What is kept.
		path: PathBuf,
	},
	/// Another agent runs.
	#[error(transparent)]
	Lock(#[from] LockError),
	/// There is nothing that could be recovered.
	#[error(
		"there is no checkpoint yet: run the agent first, or set `chain.checkpoint` in the configuration"
	)]
	None,
	/// The recovery was not signed by the pinned authorities, or is of no use.
	#[error("the recovery is refused: {0}")]
	Recovery(Unproven),
}

/// The checkpoint to begin with: the kept one or that of the configuration, whichever is higher. `None` at a first start.
pub fn newest(config: &Config) -> Result<Option<Checkpoint>, PinError> {
	let path = config.state.join(FILE);
	let of_this_chain = |checkpoint: Option<Checkpoint>, name: String| match checkpoint {
		Some(checkpoint) if checkpoint.genesis != config.chain.genesis => {
			Err(PinError::Foreign(name))
		},
		checkpoint => Ok(checkpoint),
	};
	let kept = of_this_chain(load(&config.state)?, path.display().to_string())?;
	let named = of_this_chain(config.chain.checkpoint.clone(), "`chain.checkpoint`".into())?;
	let (kept, named) = match (kept, named) {
		(Some(kept), Some(named)) => (kept, named),
		(kept, named) => return Ok(kept.or(named)),
	};
	if contradict(&kept, &named) {
		return Err(PinError::Contradicted { set: named.set.id(), path });
	}
	if order(&kept) < order(&named) {
		return Ok(Some(named));
	}
	if named.set.id() < kept.set.id() && has_changed(config)? {
		return Err(PinError::Older { named: named.set.id(), kept: kept.set.id(), path });
	}
	Ok(Some(kept))
}

/// Whether no chain can have both.
fn contradict(one: &Checkpoint, other: &Checkpoint) -> bool {
	one.set.id() == other.set.id()
		&& (one.set != other.set || (one.number == other.number && one.hash != other.hash))
}

/// Whether the configuration names something else than when the agent last began. What it named then is not known of a
/// device that began before that was noted.
fn has_changed(config: &Config) -> Result<bool, PinError> {
	let noted = files::read_if_there(&config.state.join(NAMED))?;
	Ok(noted.is_some_and(|noted| noted[..] != named_hash(config)))
}

/// Notes what the configuration names. For whoever holds the lock of the state directory and begins with it.
pub fn note_named(config: &Config) -> Result<(), PinError> {
	let (path, hash) = (config.state.join(NAMED), named_hash(config));
	if files::read_if_there(&path)?.is_some_and(|noted| noted[..] == hash) {
		return Ok(());
	}
	Ok(files::replace(&path, &hash, SECRET)?)
}

fn named_hash(config: &Config) -> [u8; 32] {
	let named = config.chain.checkpoint.as_ref().map(Checkpoint::encode);
	Sha256::digest(named.unwrap_or_default()).into()
}

/// After a chain was restarted by force blocks can have lower numbers, but never an older set.
fn order(checkpoint: &Checkpoint) -> (u64, u32) {
	(checkpoint.set.id(), checkpoint.number)
}

/// Goes on from a checkpoint that two thirds of the pinned authorities have signed for devices that cannot go on
/// otherwise. `recovery` is what `dpki_verifier::encode_recovery` makes, `now` what the clock shows.
pub fn recover(config: &Config, recovery: &[u8], now: Moment) -> Result<Checkpoint, PinError> {
	let _lock = StateLock::acquire(&config.state)?;
	let pinned = newest(config)?.ok_or(PinError::None)?;
	let mut verifier = Verifier::new(pinned, Zebra);
	let recovered = verifier.recover(recovery, now).map_err(PinError::Recovery)?.clone();
	save(&config.state, &recovered)?;
	Ok(recovered)
}

/// The kept checkpoint.
pub fn load(state: &Path) -> Result<Option<Checkpoint>, PinError> {
	let path = state.join(FILE);
	let Some(bytes) = files::read_if_there(&path)? else { return Ok(None) };
	let read = || {
		let (hash, body) = bytes.split_at_checked(32)?;
		(Sha256::digest(body).as_slice() == hash).then(|| Checkpoint::decode(body).ok())?
	};
	read().map(Some).ok_or(PinError::Damaged(path))
}

/// Keeps this checkpoint.
pub fn save(state: &Path, checkpoint: &Checkpoint) -> Result<(), PinError> {
	let body = checkpoint.encode();
	let bytes = [Sha256::digest(&body).as_slice(), &body].concat();
	Ok(files::replace(&state.join(FILE), &bytes, SECRET)?)
}

/// Keeps the checkpoints to which a light client comes. It ends when this is dropped.
pub struct Keeper(JoinHandle<()>);

impl Keeper {
	/// Begins with what is kept already. For whoever holds the lock of the state directory.
	pub fn start(state: &Path, light: &LightClient, kept: Option<Checkpoint>) -> Self {
		let (state, light) = (state.to_path_buf(), light.clone());
		Self(tokio::spawn(async move {
			let mut kept = kept;
			let mut seen = light.checkpoint();
			while let Some(next) = light.checkpoint_after(&seen).await {
				if is_due(kept.as_ref(), &next) {
					match save(&state, &next) {
						Ok(()) => kept = Some(next.clone()),
						Err(error) => tracing::warn!("{error}"),
					}
				}
				seen = next;
			}
		}))
	}
}

impl Drop for Keeper {
	fn drop(&mut self) {
		self.0.abort();
	}
}

fn is_due(kept: Option<&Checkpoint>, next: &Checkpoint) -> bool {
	kept.is_none_or(|kept| {
		kept.set.id() < next.set.id()
			|| (kept.set.id() == next.set.id()
				&& kept.number.saturating_add(SAVE_INTERVAL) <= next.number)
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;

	fn checkpoint(id: u64, number: u32) -> Checkpoint {
		let set = AuthoritySet::new(id, vec![[1; 32]]).unwrap();
		Checkpoint { genesis: [7; 32], set, number, hash: [number as u8; 32] }
	}

	fn config(state: &Path, named: Option<Checkpoint>) -> Config {
		let mut config = crate::config::tests::sample();
		config.state = state.into();
		config.chain.checkpoint = named;
		config
	}

	#[test]
	fn what_was_kept_is_there_after_a_restart() {
		let dir = tempfile::tempdir().unwrap();
		assert_eq!(newest(&config(dir.path(), None)).unwrap(), None, "a first start");
		save(dir.path(), &checkpoint(3, 900)).unwrap();
		assert_eq!(newest(&config(dir.path(), None)).unwrap(), Some(checkpoint(3, 900)));
	}

	#[test]
	fn the_higher_of_two_checkpoints_counts() {
		let dir = tempfile::tempdir().unwrap();
		save(dir.path(), &checkpoint(3, 900)).unwrap();
		for (named, expected) in [
			(checkpoint(3, 899), checkpoint(3, 900)),
			(checkpoint(3, 901), checkpoint(3, 901)),
			(checkpoint(4, 10), checkpoint(4, 10)),
			(checkpoint(2, 9_000), checkpoint(3, 900)),
		] {
			assert_eq!(newest(&config(dir.path(), Some(named))).unwrap(), Some(expected));
		}
	}

	#[test]
	fn a_configuration_that_contradicts_what_is_kept_is_refused() {
		let dir = tempfile::tempdir().unwrap();
		save(dir.path(), &checkpoint(3, 900)).unwrap();
		let other_block = Checkpoint { hash: [77; 32], ..checkpoint(3, 900) };
		let set = AuthoritySet::new(3, vec![[66; 32]]).unwrap();
		let other_set = |number| Checkpoint { set: set.clone(), ..checkpoint(3, number) };
		for named in [other_block, other_set(10), other_set(9_000)] {
			let error = newest(&config(dir.path(), Some(named))).unwrap_err();
			assert!(matches!(error, PinError::Contradicted { set: 3, .. }), "{error}");
			assert!(error.to_string().contains("remove the file"), "{error}");
		}
	}

	#[test]
	fn a_change_of_the_configuration_to_an_earlier_set_is_noticed() {
		let dir = tempfile::tempdir().unwrap();
		let with = |named| config(dir.path(), Some(named));
		// The device came from set 2 to set 3.
		note_named(&with(checkpoint(2, 100))).unwrap();
		save(dir.path(), &checkpoint(3, 900)).unwrap();
		assert_eq!(newest(&with(checkpoint(2, 100))).unwrap(), Some(checkpoint(3, 900)));
		let error = newest(&with(checkpoint(2, 101))).unwrap_err();
		assert!(matches!(error, PinError::Older { named: 2, kept: 3, .. }), "{error}");
		assert!(error.to_string().contains("remove the file"), "{error}");
		// What is newer is gone on from; what is of the same authorities says nothing new.
		assert_eq!(newest(&with(checkpoint(4, 10))).unwrap(), Some(checkpoint(4, 10)));
		assert_eq!(newest(&with(checkpoint(3, 5))).unwrap(), Some(checkpoint(3, 900)));
		assert_eq!(newest(&config(dir.path(), None)).unwrap(), Some(checkpoint(3, 900)));
		// Also where nothing was named before.
		note_named(&config(dir.path(), None)).unwrap();
		assert!(matches!(newest(&with(checkpoint(2, 100))), Err(PinError::Older { .. })));
	}

	#[test]
	fn a_damaged_checkpoint_is_not_a_missing_one() {
		let dir = tempfile::tempdir().unwrap();
		save(dir.path(), &checkpoint(3, 900)).unwrap();
		let path = dir.path().join(FILE);
		let bytes = std::fs::read(&path).unwrap();
		for at in 0..bytes.len() {
			let mut broken = bytes.clone();
			broken[at] ^= 1;
			std::fs::write(&path, &broken).unwrap();
			assert!(matches!(load(dir.path()), Err(PinError::Damaged(_))), "flip {at}");
			std::fs::write(&path, &bytes[..at]).unwrap();
			assert!(matches!(load(dir.path()), Err(PinError::Damaged(_))), "cut {at}");
		}
	}

	#[test]
	fn a_checkpoint_of_another_chain_is_refused() {
		let dir = tempfile::tempdir().unwrap();
		let foreign = Checkpoint { genesis: [8; 32], ..checkpoint(3, 900) };
		let error = newest(&config(dir.path(), Some(foreign.clone()))).unwrap_err();
		assert!(error.to_string().contains("`chain.checkpoint` is of another chain"), "{error}");
		save(dir.path(), &foreign).unwrap();
		assert!(matches!(newest(&config(dir.path(), None)), Err(PinError::Foreign(_))));
	}

	#[test]
	fn a_recovery_that_the_pinned_authorities_have_not_signed_is_refused() {
		let dir = tempfile::tempdir().unwrap();
		let config = config(dir.path(), None);
		assert!(matches!(recover(&config, &[], 0), Err(PinError::None)));
		save(dir.path(), &checkpoint(3, 900)).unwrap();
		assert!(matches!(recover(&config, &[1, 2, 3], 0), Err(PinError::Recovery(_))));
		assert_eq!(load(dir.path()).unwrap(), Some(checkpoint(3, 900)), "nothing has changed");
	}

	#[test]
	fn a_new_set_is_kept_at_once_and_a_new_block_in_time() {
		let kept = checkpoint(3, 900);
		assert!(is_due(None, &checkpoint(0, 1)));
		assert!(is_due(Some(&kept), &checkpoint(4, 901)));
		assert!(is_due(Some(&kept), &checkpoint(3, 900 + SAVE_INTERVAL)));
		assert!(!is_due(Some(&kept), &checkpoint(3, 901)));
		assert!(!is_due(Some(&kept), &checkpoint(2, 9_000)), "it never goes back");
	}
}
