//! Replacing the key that opens deliveries.
//!
//! What is encrypted on the chain stays there for ever, and opens for whoever gets the key one day. So the key is replaced from
//! time to time, and the old one destroyed: then nobody opens what was sealed to it, the device included.
//!
//! 1. [`begin`] makes the next key and brings it to the disk;
//! 2. [`register`] has the chain put it in the place of the old one, which is good for the overlap yet: the device does
//!    that alone, or a registrar with its consent;
//! 3. from then on publishers encrypt to the next key, and the agent opens what is sealed to either;
//! 4. when the chain proves that the old key has ended and the next one is good, [`settle`] destroys the old one.
//!
//! The chain alone says when. A crash between any two steps is made up for by [`resume`].

use crate::{
	chain::Chain,
	config::Config,
	connect::{ConnectError, Connection, glance, head_within},
	files::{self, FileError, SECRET},
	keys::{AGREEMENT, DeviceKeys, KeyError, read_agreement, write_agreement},
	seal::Vault,
};
use dpki_client::{
	Client, Head, SubmitError, calls,
	possession::{AgreementKey, PossessionError, Registration, Replacing},
	primitives::{
		Moment,
		context::Registrant,
		ids::KeyId,
		key::{KeyPurpose, KeyRecord},
		status::status,
	},
	view::ReadError,
};
use std::{
	fs::{File, OpenOptions, TryLockError},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	time::Duration,
};

pub(crate) const NEXT: &str = "agreement.next.key";
const OLD: &str = "agreement.old.key";
const LOCK: &str = "rotate.lock";

/// How long the signatures of the device are good for.
const LIFETIME: Moment = 15 * 60 * 1000;

/// Why a key was not put away. The next block brings the next attempt.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// A file cannot be read or put away.
	#[error(transparent)]
	Keys(#[from] KeyError),
}

/// Why no key is being replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
	/// The keys cannot be read or made.
	#[error(transparent)]
	Keys(#[from] KeyError),
	/// The lock cannot be tried.
	#[error(transparent)]
	File(#[from] FileError),
	/// The key is being replaced by another process.
	#[error("another `dpki-agent rotate` is at work in {}: wait until it has ended", .0.display())]
	Held(PathBuf),
	/// No light client.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// No fresh block came in time.
	#[error(
		"no fresh finalised block came within {0} s: check the peers, the network and the clock"
	)]
	NoHead(u64),
	/// The chain does not know the device.
	#[error("the chain does not know this device: enrol it first with `dpki-agent enrol`")]
	NotEnrolled,
	/// The proof cannot be made.
	#[error(transparent)]
	Possession(#[from] PossessionError),
	/// The chain did not take it.
	#[error(
		"the chain did not take the new key ({0}): if the device may not replace its keys alone, have the organisation \
		 allow it with `dpki org key-policy`, and run this again"
	)]
	Submit(#[from] SubmitError),
}

/// What was begun.
#[derive(Debug)]
pub struct Rotated {
	/// The key that is being replaced.
	pub old: KeyId,
	/// The key that takes its place.
	pub next: KeyId,
	/// Whether the chain knew it before.
	pub already: bool,
}

/// The next key of this state directory: the one that is there, or a new one, which is on the disk before anybody learns of
/// it.
pub fn begin(vault: &Vault) -> Result<AgreementKey, KeyError> {
	if let Some(next) = read_next(vault)? {
		return Ok(next);
	}
	let next = AgreementKey::generate();
	write_agreement(vault, NEXT, &next)?;
	// What the chain is told is what lies there: of any other key the device could open nothing.
	read_agreement(vault, NEXT)
}

/// The right to begin a rotation, until this is dropped: of two at the same time one would register a key that the other has
/// written over. The lock of the state directory is not for this, because the agent goes on meanwhile.
pub(crate) fn alone(state: &Path) -> Result<File, RotationError> {
	let path = state.join(LOCK);
	let file = OpenOptions::new()
		.write(true)
		.create(true)
		.truncate(false)
		.mode(SECRET)
		.open(&path)
		.map_err(files::failed("open", &path))?;
	match file.try_lock() {
		Ok(()) => Ok(file),
		Err(TryLockError::WouldBlock) => Err(RotationError::Held(state.into())),
		Err(TryLockError::Error(error)) => Err(files::failed("lock", &path)(error).into()),
	}
}

/// The next key, if there is one.
pub fn read_next(vault: &Vault) -> Result<Option<AgreementKey>, KeyError> {
	if vault.path(NEXT).exists() { read_agreement(vault, NEXT).map(Some) } else { Ok(None) }
}

/// Finishes what a crash interrupted.
pub fn resume(state: &Path) -> Result<(), FileError> {
	let current = state.join(AGREEMENT);
	if !current.exists() && state.join(NEXT).exists() {
		files::rename(&state.join(NEXT), &current)?;
	}
	// Without a key in its place the old one is all that there is.
	if current.exists() { files::destroy(&state.join(OLD)) } else { Ok(()) }
}

/// Replaces the key on the chain, which then is good for `overlap` milliseconds yet.
pub async fn register(
	config: &Config,
	overlap: Moment,
	timeout: Duration,
) -> Result<Rotated, RotationError> {
	// Without keys there is nothing to connect for.
	let vault = Vault::of(config).await.map_err(KeyError::from)?;
	DeviceKeys::load(&vault)?;
	let _alone = alone(&config.state)?;
	// The checkpoint in the state directory belongs to the agent, which may be running.
	let Connection { client, .. } = &glance(config).await?;
	let fresh = |head: &Head| config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	let view = client.at(head.ok_or(RotationError::NoHead(timeout.as_secs()))?);
	let device = view.device(config.device_id()).await?.ok_or(RotationError::NotEnrolled)?;
	// The agent may have put the old key away while the chain was waited for.
	let keys = DeviceKeys::load(&vault)?;
	let next = begin(&vault)?;
	let (old, id) = (keys.agreement_id(), KeyId::of(&next.public()));
	if view.key(id).await?.is_some() {
		return Ok(Rotated { old, next: id, already: true });
	}
	let registration = Registration {
		genesis: config.chain.genesis,
		registrant: Registrant::Device,
		device: config.device_id(),
		keys_registered: device.keys_registered,
		expires_at: view.now().saturating_add(LIFETIME),
	};
	submit(client, registration, &keys, &next, overlap).await?;
	Ok(Rotated { old, next: id, already: false })
}

async fn submit(
	client: &Client,
	mut registration: Registration,
	keys: &DeviceKeys,
	next: &AgreementKey,
	overlap: Moment,
) -> Result<(), RotationError> {
	let purpose = KeyPurpose::KeyAgreement;
	let replacing = Replacing { old: keys.agreement_id(), grace: overlap };
	let consent = registration.consent_to_replacement(
		replacing,
		purpose,
		&next.public(),
		None,
		&keys.signing,
	)?;
	let key = registration.prove(purpose, next, None)?;
	let expires_at = registration.expires_at;
	let call = calls::replace_own_key(replacing.old, key, overlap, consent, expires_at);
	client.submit_general(&call).await?;
	Ok(())
}

/// Destroys the old key if the chain proves that it has ended, and that the next one is good.
pub async fn settle(keys: &mut DeviceKeys, chain: &dyn Chain) -> Result<(), SettleError> {
	keys.find_hybrid()?;
	if keys.next.is_none() {
		// Another process may have begun.
		keys.next = read_next(&keys.vault)?;
	}
	let Some(next) = &keys.next else { return Ok(()) };
	let now = chain.head().time;
	let is_good = |record: &KeyRecord| status(Some(&record.standing()), &[], now).is_valid();
	let next_is_good = chain.key(KeyId::of(&next.public())).await?.as_ref().is_some_and(is_good);
	if !next_is_good {
		return Ok(());
	}
	let old = chain.key(keys.agreement_id()).await?;
	if old.as_ref().is_none_or(|record| !record.has_ended(now)) {
		return Ok(());
	}
	put_away(keys.vault.state()).map_err(KeyError::from)?;
	tracing::info!(
		old = %keys.agreement_id(),
		"the old agreement key is destroyed: what was sealed to it opens no more"
	);
	if let Some(next) = keys.next.take() {
		keys.agreement = next;
	}
	Ok(())
}

/// The next key takes the place of the old one, which is destroyed. After a crash between the steps [`resume`] goes on.
fn put_away(state: &Path) -> Result<(), FileError> {
	// Without a next key in the directory it is in its place already: what lies there must not be taken for the old one.
	if state.join(NEXT).exists() {
		files::rename(&state.join(AGREEMENT), &state.join(OLD))?;
	}
	resume(state)
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::primitives::ids::DeviceId;
	use std::fs;

	const DEVICE: DeviceId = DeviceId([1; 32]);

	/// A state directory with a key that is being replaced.
	fn state() -> (tempfile::TempDir, DeviceKeys, AgreementKey) {
		let dir = tempfile::tempdir().unwrap();
		let vault = Vault::open_state(dir.path());
		let (keys, _) = DeviceKeys::create(&vault, None, "drone-7").unwrap();
		let next = begin(&vault).unwrap();
		(dir, keys, next)
	}

	fn files_with(dir: &Path, key: &AgreementKey) -> usize {
		let digits = hex::encode(*key.to_secret_bytes());
		let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
		entries
			.filter(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).contains(&digits))
			.count()
	}

	#[test]
	fn a_rotation_is_begun_once() {
		let (dir, keys, next) = state();
		let vault = Vault::open_state(dir.path());
		assert_eq!(begin(&vault).unwrap().public(), next.public());
		assert_ne!(next.public(), keys.agreement.public());
		let again = DeviceKeys::load(&vault).unwrap();
		for key in [&keys.agreement, &next] {
			let opener = again.opener(DEVICE, KeyId::of(&key.public())).unwrap();
			assert_eq!(opener.public(), key.public());
		}
		assert!(again.opener(DEVICE, keys.signing_id()).is_none());
	}

	#[test]
	fn one_rotation_is_at_work_at_a_time() {
		let (dir, ..) = state();
		let first = alone(dir.path()).unwrap();
		let error = alone(dir.path()).unwrap_err();
		assert!(matches!(&error, RotationError::Held(at) if at == dir.path()), "{error}");
		drop(first);
		alone(dir.path()).unwrap();
	}

	#[test]
	fn the_old_key_is_nowhere_afterwards() {
		let (dir, keys, next) = state();
		assert_eq!(files_with(dir.path(), &keys.agreement), 1);
		put_away(dir.path()).unwrap();
		assert_eq!(files_with(dir.path(), &keys.agreement), 0);
		let again = DeviceKeys::load(&Vault::open_state(dir.path())).unwrap();
		assert_eq!(again.agreement.public(), next.public());
		assert!(again.next.is_none());
	}

	#[test]
	fn what_was_put_away_by_another_process_is_not_put_away_again() {
		let (dir, keys, next) = state();
		for _ in 0..2 {
			put_away(dir.path()).unwrap();
			let again = DeviceKeys::load(&Vault::open_state(dir.path())).unwrap();
			assert_eq!(again.agreement.public(), next.public());
		}
		assert_eq!(files_with(dir.path(), &keys.agreement), 0);
	}

	#[test]
	fn a_crash_between_the_steps_leaves_the_next_key_and_not_the_old_one() {
		for steps in 1..=2 {
			let (dir, keys, next) = state();
			let path = |name| dir.path().join(name);
			fs::rename(path(AGREEMENT), path(OLD)).unwrap();
			if steps == 2 {
				fs::rename(path(NEXT), path(AGREEMENT)).unwrap();
			}
			let again = DeviceKeys::load(&Vault::open_state(dir.path())).unwrap();
			assert_eq!(again.agreement.public(), next.public(), "{steps}");
			assert_eq!(files_with(dir.path(), &keys.agreement), 0, "{steps}");
		}
	}
}
