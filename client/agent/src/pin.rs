//! The checkpoint: whose finality the agent believes in, kept over restarts.
//!
//! At its first start a device has the genesis hash, and with it the first authorities, which the genesis state names. From
//! then on it keeps the newest checkpoint that its light client has led up to, and begins with that: an authority that was
//! replaced meanwhile has no say any more, whatever became of its keys. The configuration may bring one as well, from the
//! organisation: for a device that is set up long after the genesis, or that was away for longer than the chain can prove.
//! The higher of the two counts.
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
	let kept = load(&config.state)?;
	let path = config.state.join(FILE);
	let named = [
		(kept, path.display().to_string()),
		(config.chain.checkpoint.clone(), "`chain.checkpoint`".into()),
	];
	let mut newest: Option<Checkpoint> = None;
	for (checkpoint, name) in named {
		let Some(checkpoint) = checkpoint else { continue };
		if checkpoint.genesis != config.chain.genesis {
			return Err(PinError::Foreign(name));
		}
		if newest.as_ref().is_none_or(|other| order(other) < order(&checkpoint)) {
			newest = Some(checkpoint);
		}
	}
	Ok(newest)
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
