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
//!
//! The hybrid key is replaced by the same steps and by itself. The chain has only its hash, so publishers are given the
//! public half of the next key before they encrypt to it.

use crate::{
	chain::Chain,
	config::Config,
	connect::{ConnectError, Connection, glance, head_within},
	files::{self, FileError, SECRET},
	keys::{AGREEMENT, DeviceKeys, HYBRID, KeyError, make_hybrid, read_agreement, write_agreement},
	seal::Vault,
};
use dpki_client::{
	Client, Head, SubmitError, calls,
	possession::{AgreementKey, HybridKey, PossessionError, Registration, Replacing},
	primitives::{
		Moment,
		context::Registrant,
		ids::{DeviceId, KeyId},
		key::{KeyPurpose, KeyRecord, PublicKey},
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
pub(crate) const NEXT_HYBRID: &str = "hybrid.next.key";
const OLD_HYBRID: &str = "hybrid.old.key";
const LOCK: &str = "rotate.lock";

/// How long the signatures of the device are good for.
const LIFETIME: Moment = 15 * 60 * 1000;

/// Which of the keys that open deliveries is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
	/// The X25519 key, which every device has.
	Agreement,
	/// The X-Wing key.
	Hybrid,
}

impl Which {
	const ALL: [Self; 2] = [Self::Agreement, Self::Hybrid];

	/// The names of the key, of the one that is to follow it, and of one that is being destroyed.
	fn names(self) -> [&'static str; 3] {
		match self {
			Self::Agreement => [AGREEMENT, NEXT, OLD],
			Self::Hybrid => [HYBRID, NEXT_HYBRID, OLD_HYBRID],
		}
	}
}

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
	/// There is no hybrid key.
	#[error("the device has no hybrid key: make one with `dpki-agent hybrid`")]
	NoHybrid,
	/// The chain does not know the key that is to be replaced.
	#[error(
		"the chain does not know the hybrid key of this device: vouch for it with `dpki-agent consent --hybrid`, and have \
		 it registered with `dpki device register-key`"
	)]
	NotRegistered,
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
	/// The public half of a hybrid key that takes the place of another one.
	pub public: Option<Vec<u8>>,
}

/// See [`alone`].
#[derive(Debug)]
pub(crate) struct Alone {
	_rotating: File,
	_at_work: File,
}

/// A key that takes the place of another one.
enum Next {
	Agreement(AgreementKey),
	Hybrid(HybridKey),
}

impl Next {
	fn begin(which: Which, vault: &Vault) -> Result<Self, KeyError> {
		Ok(match which {
			Which::Agreement => Self::Agreement(begin(vault)?),
			Which::Hybrid => Self::Hybrid(begin_hybrid(vault)?),
		})
	}

	fn public(&self) -> PublicKey {
		match self {
			Self::Agreement(key) => key.public(),
			Self::Hybrid(key) => key.public(),
		}
	}
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

/// The same for the hybrid key.
pub fn begin_hybrid(vault: &Vault) -> Result<HybridKey, KeyError> {
	make_hybrid(vault, NEXT_HYBRID)
}

/// The right to begin a rotation, until this is dropped: of two at the same time one would register a key that the other has
/// written over. The lock of the state directory is not for this, because the agent goes on meanwhile.
pub(crate) fn alone(state: &Path) -> Result<Alone, RotationError> {
	let path = state.join(LOCK);
	let file = OpenOptions::new()
		.write(true)
		.create(true)
		.truncate(false)
		.mode(SECRET)
		.open(&path)
		.map_err(files::failed("open", &path))?;
	match file.try_lock() {
		Ok(()) => Ok(Alone { _rotating: file, _at_work: at_work(state)? }),
		Err(TryLockError::WouldBlock) => Err(RotationError::Held(state.into())),
		Err(TryLockError::Error(error)) => Err(files::failed("lock", &path)(error).into()),
	}
}

/// The right to lay keys ready in the state directory beside an agent that may be starting, until this is dropped. Any number
/// of processes may have it. It is a lock of the directory itself, and waits for nothing but a [`sweep`].
pub(crate) fn at_work(state: &Path) -> Result<File, FileError> {
	let directory = File::open(state).map_err(files::failed("open", state))?;
	directory.lock_shared().map_err(files::failed("lock", state))?;
	Ok(directory)
}

/// Destroys what a process laid ready in the state directory that was ended. One that is at work may have laid something
/// ready, too: then it is left for the next start.
pub(crate) fn sweep(state: &Path) -> Result<(), FileError> {
	let directory = File::open(state).map_err(files::failed("open", state))?;
	match directory.try_lock() {
		Ok(()) => files::sweep(state),
		Err(TryLockError::WouldBlock) => Ok(()),
		Err(TryLockError::Error(error)) => Err(files::failed("lock", state)(error)),
	}
}

/// The next key, if there is one.
pub fn read_next(vault: &Vault) -> Result<Option<AgreementKey>, KeyError> {
	if vault.path(NEXT).exists() { read_agreement(vault, NEXT).map(Some) } else { Ok(None) }
}

/// Finishes what a crash interrupted.
pub fn resume(state: &Path) -> Result<(), FileError> {
	Which::ALL.into_iter().try_for_each(|which| resume_one(state, which))
}

fn resume_one(state: &Path, which: Which) -> Result<(), FileError> {
	let [current, next, old] = which.names().map(|name| state.join(name));
	if !current.exists() && next.exists() {
		files::rename(&next, &current)?;
	}
	// Without a key in its place the old one is all that there is.
	if current.exists() { files::destroy(&old) } else { Ok(()) }
}

/// Replaces the key on the chain, which then is good for `overlap` milliseconds yet.
pub async fn register(
	config: &Config,
	which: Which,
	overlap: Moment,
	timeout: Duration,
) -> Result<Rotated, RotationError> {
	// Without keys there is nothing to connect for.
	let vault = Vault::of(config).await.map_err(KeyError::from)?;
	old(&DeviceKeys::load(&vault)?, which, config.device_id())?;
	let _alone = alone(&config.state)?;
	// The checkpoint in the state directory belongs to the agent, which may be running.
	let Connection { client, .. } = &glance(config).await?;
	let fresh = |head: &Head| config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	let view = client.at(head.ok_or(RotationError::NoHead(timeout.as_secs()))?);
	let device = view.device(config.device_id()).await?.ok_or(RotationError::NotEnrolled)?;
	// The agent may have put the old key away while the chain was waited for.
	let keys = DeviceKeys::load(&vault)?;
	let old = old(&keys, which, config.device_id())?;
	if view.key(old).await?.is_none() {
		return Err(match which {
			Which::Agreement => RotationError::NotEnrolled,
			Which::Hybrid => RotationError::NotRegistered,
		});
	}
	let next = Next::begin(which, &vault)?;
	let public = match &next {
		Next::Agreement(_) => None,
		Next::Hybrid(key) => Some(key.public_bytes()),
	};
	let id = KeyId::of_device(config.device_id(), &next.public());
	if view.key(id).await?.is_some() {
		return Ok(Rotated { old, next: id, already: true, public });
	}
	let registration = Registration {
		genesis: config.chain.genesis,
		registrant: Registrant::Device,
		device: config.device_id(),
		keys_registered: device.keys_registered,
		expires_at: view.now().saturating_add(LIFETIME),
	};
	let replacing = Replacing { old, grace: overlap };
	submit(client, registration, &keys, &next, replacing).await?;
	Ok(Rotated { old, next: id, already: false, public })
}

/// The id of the key that is to be replaced.
fn old(keys: &DeviceKeys, which: Which, device: DeviceId) -> Result<KeyId, RotationError> {
	match which {
		Which::Agreement => Ok(keys.agreement_id()),
		Which::Hybrid => {
			let key = keys.hybrid.as_ref().ok_or(RotationError::NoHybrid)?;
			Ok(KeyId::of_device(device, &key.public()))
		},
	}
}

async fn submit(
	client: &Client,
	mut registration: Registration,
	keys: &DeviceKeys,
	next: &Next,
	replacing: Replacing,
) -> Result<(), RotationError> {
	let purpose = KeyPurpose::KeyAgreement;
	let consent = registration.consent_to_replacement(
		replacing,
		purpose,
		&next.public(),
		None,
		&keys.signing,
	)?;
	let key = match next {
		Next::Agreement(key) => registration.prove(purpose, key, None)?,
		// Of a hash nothing can be proven: the consent is all that there is.
		Next::Hybrid(key) => registration.hold(purpose, &key.public(), None)?,
	};
	let expires_at = registration.expires_at;
	let call = calls::replace_own_key(replacing.old, key, replacing.grace, consent, expires_at);
	client.submit_general(&call).await?;
	Ok(())
}

/// Destroys each old key of which the chain proves that it has ended, and that the next one is good.
pub async fn settle(
	keys: &mut DeviceKeys,
	device: DeviceId,
	chain: &dyn Chain,
) -> Result<(), SettleError> {
	// What hinders one of them does not hold the other one up.
	let agreement = settle_agreement(keys, chain).await;
	let hybrid = settle_hybrid(keys, device, chain).await;
	agreement.and(hybrid)
}

async fn settle_agreement(keys: &mut DeviceKeys, chain: &dyn Chain) -> Result<(), SettleError> {
	if keys.next.is_none() {
		// Another process may have begun.
		keys.next = read_next(&keys.vault)?;
	}
	let Some(next) = &keys.next else { return Ok(()) };
	if !is_followed(chain, keys.agreement_id(), KeyId::of(&next.public())).await? {
		return Ok(());
	}
	put_away(keys.vault.state(), Which::Agreement).map_err(KeyError::from)?;
	tracing::info!(
		old = %keys.agreement_id(),
		"the old agreement key is destroyed: what was sealed to it opens no more"
	);
	if let Some(next) = keys.next.take() {
		keys.agreement = next;
	}
	Ok(())
}

async fn settle_hybrid(
	keys: &mut DeviceKeys,
	device: DeviceId,
	chain: &dyn Chain,
) -> Result<(), SettleError> {
	keys.find_hybrid()?;
	let (Some(old), Some(next)) = (&keys.hybrid, &keys.next_hybrid) else { return Ok(()) };
	let old = KeyId::of_device(device, &old.public());
	if !is_followed(chain, old, KeyId::of_device(device, &next.public())).await? {
		return Ok(());
	}
	put_away(keys.vault.state(), Which::Hybrid).map_err(KeyError::from)?;
	tracing::info!(%old, "the old hybrid key is destroyed: what was sealed to it opens no more");
	keys.hybrid = keys.next_hybrid.take();
	Ok(())
}

/// Whether the chain proves that a key has ended, and that the one which follows it is good.
async fn is_followed(chain: &dyn Chain, old: KeyId, next: KeyId) -> Result<bool, SettleError> {
	let now = chain.head().time;
	let is_good = |record: &KeyRecord| status(Some(&record.standing()), &[], now).is_valid();
	if !chain.key(next).await?.as_ref().is_some_and(is_good) {
		return Ok(false);
	}
	let old = chain.key(old).await?;
	Ok(old.is_some_and(|record| record.has_ended(now)))
}

/// The next key takes the place of the old one, which is destroyed. After a crash between the steps [`resume`] goes on.
fn put_away(state: &Path, which: Which) -> Result<(), FileError> {
	let [current, next, old] = which.names().map(|name| state.join(name));
	// Without a next key in the directory it is in its place already: what lies there must not be taken for the old one.
	if next.exists() {
		files::rename(&current, &old)?;
	}
	resume_one(state, which)
}

#[cfg(test)]
mod tests {
	use super::*;
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
		// What lies ready may be what it is about to put in its place.
		let staged = dir.path().join(".agreement.next.key.new");
		fs::write(&staged, "half").unwrap();
		sweep(dir.path()).unwrap();
		assert!(staged.exists());
		drop(first);
		sweep(dir.path()).unwrap();
		assert!(!staged.exists());
		alone(dir.path()).unwrap();
	}

	#[test]
	fn an_agent_that_starts_leaves_what_is_about_to_be_a_key() {
		let dir = tempfile::tempdir().unwrap();
		let key = dir.path().join(HYBRID);
		let (state, made) = (dir.path().to_owned(), format!("disk: link {}", key.display()));
		// In this moment the key lies ready, and has no name that counts.
		crate::steps::watch_process(crate::steps::Steps::new(move |step| {
			if step == made {
				sweep(&state).unwrap();
			}
		}));
		DeviceKeys::add_hybrid(&Vault::open_state(dir.path())).unwrap();
		assert!(key.exists());
	}

	#[test]
	fn the_old_key_is_nowhere_afterwards() {
		let (dir, keys, next) = state();
		assert_eq!(files_with(dir.path(), &keys.agreement), 1);
		put_away(dir.path(), Which::Agreement).unwrap();
		assert_eq!(files_with(dir.path(), &keys.agreement), 0);
		let again = DeviceKeys::load(&Vault::open_state(dir.path())).unwrap();
		assert_eq!(again.agreement.public(), next.public());
		assert!(again.next.is_none());
	}

	#[test]
	fn what_was_put_away_by_another_process_is_not_put_away_again() {
		let (dir, keys, next) = state();
		for _ in 0..2 {
			put_away(dir.path(), Which::Agreement).unwrap();
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

	#[test]
	fn the_old_hybrid_key_is_nowhere_afterwards_whatever_comes_between() {
		for steps in 0..=2 {
			let (dir, keys, next) = state();
			let vault = Vault::open_state(dir.path());
			let old = DeviceKeys::add_hybrid(&vault).unwrap();
			let follower = begin_hybrid(&vault).unwrap();
			assert_eq!(begin_hybrid(&vault).unwrap().public(), follower.public(), "begun once");
			let path = |name| dir.path().join(name);
			match steps {
				0 => put_away(dir.path(), Which::Hybrid).unwrap(),
				1 => fs::rename(path(HYBRID), path(OLD_HYBRID)).unwrap(),
				_ => {
					fs::rename(path(HYBRID), path(OLD_HYBRID)).unwrap();
					fs::rename(path(NEXT_HYBRID), path(HYBRID)).unwrap();
				},
			}
			let again = DeviceKeys::load(&vault).unwrap();
			assert_eq!(again.hybrid.as_ref().unwrap().public(), follower.public(), "{steps}");
			assert!(again.next_hybrid.is_none());
			let digits = hex::encode(*old.to_secret_bytes());
			for entry in fs::read_dir(dir.path()).unwrap() {
				let content = fs::read(entry.unwrap().path()).unwrap();
				assert!(!String::from_utf8_lossy(&content).contains(&digits), "{steps}");
			}
			// The other key is being replaced as before.
			assert_eq!(again.agreement.public(), keys.agreement.public());
			assert_eq!(again.next.unwrap().public(), next.public());
			let id = KeyId::of_device(DEVICE, &old.public());
			assert!(DeviceKeys::load(&vault).unwrap().opener(DEVICE, id).is_none());
		}
	}
}
