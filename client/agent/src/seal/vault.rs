//! The state directory as its secrets are read and written, and the way from an open one to a sealed one.
//!
//! | `sealed` | the state |
//! |---|---|
//! | is not there | is open |
//! | holds [`SEALING`] | is being sealed: a file is sealed, or as it was, and never neither |
//! | holds [`SEALED`] | is sealed; an open file was written by somebody else |

use super::{MAGIC, Seal, SealError, SealSettings};
use crate::{
	config::Config,
	files::{self, SECRET, SECRET_DIR},
	keys::{AGREEMENT, HYBRID, SIGNING},
	lock::StateLock,
	rotation::{self, RotationError},
};
use std::{
	path::{Path, PathBuf},
	sync::Arc,
};
use zeroize::Zeroizing;

const MARK: &str = "sealed";
const SEALING: &[u8] = b"sealing";
const SEALED: &[u8] = b"sealed";
/// Behind the name of a file whose open form is being destroyed.
const OPEN_FORM: &str = "open";

/// Everything in a state directory that is secret and that nobody but the agent reads.
const SECRETS: [&str; 6] =
	[SIGNING, AGREEMENT, rotation::NEXT, HYBRID, rotation::NEXT_HYBRID, crate::journal::FILE];

/// A state directory with what opens it.
#[derive(Clone, Debug)]
pub struct Vault {
	state: PathBuf,
	seal: Option<Arc<Seal>>,
	/// Whether files may be open although there is a seal.
	is_mixed: bool,
}

impl Vault {
	/// An open one.
	pub fn open_state(state: &Path) -> Self {
		Self { state: state.into(), seal: None, is_mixed: false }
	}

	/// The one of this configuration. Nothing is changed.
	pub async fn of(config: &Config) -> Result<Self, SealError> {
		let state = &config.state;
		let mark = files::read_if_there(&state.join(MARK))?;
		match (&config.service.seal, mark) {
			(None, None) => Ok(Self::open_state(state)),
			(None, Some(_)) => Err(SealError::NoKey(state.clone())),
			(Some(_), None) => Err(SealError::NotSealed(state.clone())),
			(Some(settings), Some(mark)) => Self::with(state, settings, &mark).await,
		}
	}

	/// The same for a state directory that is about to be made: it is sealed from the beginning. One that is there already
	/// stays what it is.
	pub async fn begin(config: &Config) -> Result<Self, SealError> {
		let state = &config.state;
		let is_new = SECRETS.iter().all(|name| !state.join(name).exists());
		if let Some(settings) = &config.service.seal
			&& is_new && !state.join(MARK).exists()
		{
			let seal = settings.seal().await?;
			files::create_dir(state, SECRET_DIR)?;
			files::create_whole(&state.join(MARK), &seal.seal(MARK, SEALED), SECRET)?;
		}
		Self::of(config).await
	}

	async fn with(state: &Path, settings: &SealSettings, mark: &[u8]) -> Result<Self, SealError> {
		let seal = settings.seal().await?;
		let is_mixed = match seal.open(MARK, mark).as_deref().map(Vec::as_slice) {
			Some(SEALED) => false,
			Some(SEALING) => true,
			_ => return Err(SealError::WrongKey(state.into())),
		};
		Ok(Self { state: state.into(), seal: Some(Arc::new(seal)), is_mixed })
	}

	/// The directory.
	pub fn state(&self) -> &Path {
		&self.state
	}

	/// Where a file of it lies.
	pub fn path(&self, name: &str) -> PathBuf {
		self.state.join(name)
	}

	/// The content of a secret file.
	pub fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
		let path = self.path(name);
		let bytes = std::fs::read(&path).map_err(files::failed("read", &path))?;
		self.content(name, bytes)
	}

	/// The same, or `None` if there is no such file.
	pub fn read_if_there(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SealError> {
		let bytes = files::read_if_there(&self.path(name))?;
		bytes.map(|bytes| self.content(name, bytes)).transpose()
	}

	fn content(&self, name: &str, bytes: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, SealError> {
		let bytes = Zeroizing::new(bytes);
		match (&self.seal, bytes.starts_with(&MAGIC)) {
			(None, true) => Err(SealError::NoKey(self.state.clone())),
			(None, false) => Ok(bytes),
			(Some(seal), true) => {
				seal.open(name, &bytes).ok_or_else(|| SealError::Damaged(self.path(name)))
			},
			(Some(_), false) if self.is_mixed => Ok(bytes),
			(Some(_), false) => Err(SealError::Open(self.path(name))),
		}
	}

	/// Writes a new secret file that appears whole or not at all; fails if it exists.
	pub fn create(&self, name: &str, content: &[u8]) -> Result<(), SealError> {
		let path = self.path(name);
		Ok(match &self.seal {
			Some(seal) => files::create_whole(&path, &seal.seal(name, content), SECRET),
			None => files::create_whole(&path, content, SECRET),
		}?)
	}

	/// Replaces a secret file, old content or new content at every moment, and waits until it is on the disk.
	pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), SealError> {
		let path = self.path(name);
		Ok(match &self.seal {
			Some(seal) => files::replace(&path, &seal.seal(name, content), SECRET),
			None => files::replace(&path, content, SECRET),
		}?)
	}

	/// Completes what a crash interrupted, if one did. For whoever holds the lock of the state directory.
	pub fn complete(&mut self) -> Result<(), SealError> {
		if let (Some(seal), true) = (&self.seal, self.is_mixed) {
			convert(&self.state, seal, || Ok(()))?;
			self.is_mixed = false;
		}
		Ok(())
	}
}

/// Seals the state of this configuration, or completes that. Tells whether there was anything to do.
pub async fn seal_state(config: &Config) -> Result<bool, SealError> {
	let settings = config.service.seal.as_ref().ok_or(SealError::NotConfigured)?;
	let state = &config.state;
	let _lock = StateLock::acquire(state)?;
	let _alone = rotation::alone(state).map_err(|error| match error {
		RotationError::File(error) => error.into(),
		_ => SealError::Rotating(state.clone()),
	})?;
	if let Some(mark) = files::read_if_there(&state.join(MARK))? {
		let mut vault = Vault::with(state, settings, &mark).await?;
		let was_mixed = vault.is_mixed;
		vault.complete()?;
		return Ok(was_mixed);
	}
	let seal = settings.seal().await?;
	convert(state, &seal, || Ok(()))?;
	Ok(true)
}

/// Puts the sealed form of each secret in the place of the open one, and destroys that. `step` is called before each change
/// of the disk; when it fails all ends there, as by a crash, and to call this again completes it.
fn convert(
	state: &Path,
	seal: &Seal,
	mut step: impl FnMut() -> Result<(), SealError>,
) -> Result<(), SealError> {
	let mark = state.join(MARK);
	rotation::resume(state)?;
	step()?;
	files::replace(&mark, &seal.seal(MARK, SEALING), SECRET)?;
	for name in SECRETS {
		let (path, open_form) = (state.join(name), state.join(format!("{name}.{OPEN_FORM}")));
		let Some(content) = files::read_if_there(&path)?.map(Zeroizing::new) else { continue };
		if !content.starts_with(&MAGIC) {
			// By a second name the open form can still be found when the first one is that of the sealed form.
			step()?;
			files::remove_if_there(&open_form)?;
			files::link(&path, &open_form)?;
			step()?;
			files::replace(&path, &seal.seal(name, &content), SECRET)?;
		}
		step()?;
		files::destroy(&open_form)?;
	}
	step()?;
	Ok(files::replace(&mark, &seal.seal(MARK, SEALED), SECRET)?)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::keys::DeviceKeys;
	use std::{collections::BTreeMap, fs};

	fn config(dir: &Path, secret: [u8; 32]) -> Config {
		use std::os::unix::fs::PermissionsExt;
		let path = dir.join("seal.key");
		fs::write(&path, secret).unwrap();
		fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
		let mut config = crate::config::tests::sample();
		config.state = dir.join("state");
		config.service.seal = Some(SealSettings::KeyFile(path));
		config
	}

	fn contents(state: &Path) -> BTreeMap<String, Vec<u8>> {
		let entries = fs::read_dir(state).unwrap().map(|entry| entry.unwrap());
		entries
			.map(|entry| {
				(entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
			})
			.collect()
	}

	/// An open state with a key that is being replaced and a journal.
	fn open_state(state: &Path) -> BTreeMap<&'static str, Vec<u8>> {
		let vault = Vault::open_state(state);
		DeviceKeys::create(&vault, None, "drone-7").unwrap();
		rotation::begin(&vault).unwrap();
		DeviceKeys::add_hybrid(&vault).unwrap();
		rotation::begin_hybrid(&vault).unwrap();
		vault.create(crate::journal::FILE, b"what is in force").unwrap();
		SECRETS.map(|name| (name, fs::read(state.join(name)).unwrap())).into()
	}

	#[tokio::test]
	async fn a_state_is_sealed_with_everything_in_it_and_nothing_is_left_open() {
		let dir = tempfile::tempdir().unwrap();
		let config = config(dir.path(), [7; 32]);
		let secrets = open_state(&config.state);
		let error = Vault::of(&config).await.unwrap_err();
		assert!(error.to_string().contains("run `dpki-agent seal`"), "{error}");
		assert!(seal_state(&config).await.unwrap());
		assert!(!seal_state(&config).await.unwrap(), "there is nothing left to do");
		let vault = Vault::of(&config).await.unwrap();
		for (name, content) in &secrets {
			assert_eq!(**vault.read(name).unwrap(), **content, "{name}");
			let text = content.as_slice();
			for (file, bytes) in contents(&config.state) {
				assert!(!bytes.windows(text.len()).any(|part| part == text), "{name} in {file}");
			}
		}
		let (before, after) = (Vault::open_state(&config.state), vault);
		assert!(DeviceKeys::load(&before).is_err(), "without the key");
		assert!(DeviceKeys::load(&after).unwrap().next.is_some());
	}

	#[tokio::test]
	async fn a_crash_at_any_step_loses_nothing_and_the_next_run_completes_it() {
		for crash in 0.. {
			let dir = tempfile::tempdir().unwrap();
			let config = config(dir.path(), [7; 32]);
			let secrets = open_state(&config.state);
			let seal = Seal::new(&[7; 32]).unwrap();
			let mut steps = 0;
			let converted = convert(&config.state, &seal, || {
				steps += 1;
				if steps > crash { Err(SealError::NotConfigured) } else { Ok(()) }
			});
			if converted.is_ok() {
				assert!(crash >= 10, "there are {crash} steps");
				break;
			}
			let vault = match Vault::of(&config).await {
				Err(SealError::NotSealed(_)) => Vault::open_state(&config.state),
				vault => vault.unwrap(),
			};
			for (name, content) in &secrets {
				assert_eq!(**vault.read(name).unwrap(), **content, "{name} after {crash} steps");
			}
			let completed = match Vault::of(&config).await {
				// As the agent does it when it starts.
				Ok(mut vault) => vault.complete().map(|()| vault),
				Err(_) => {
					seal_state(&config).await.unwrap();
					Vault::of(&config).await
				},
			};
			let vault = completed.unwrap();
			for (name, content) in &secrets {
				assert_eq!(**vault.read(name).unwrap(), **content, "{name} after {crash} steps");
			}
			let left = contents(&config.state);
			assert!(left.keys().all(|name| !name.ends_with(OPEN_FORM)), "{:?}", left.keys());
			assert!(SECRETS.iter().all(|name| left[*name].starts_with(&MAGIC)), "{crash}");
		}
	}

	#[tokio::test]
	async fn a_wrong_key_is_one_sentence_and_changes_nothing() {
		let dir = tempfile::tempdir().unwrap();
		let right = config(dir.path(), [7; 32]);
		open_state(&right.state);
		seal_state(&right).await.unwrap();
		let before = contents(&right.state);
		let wrong = config(dir.path(), [8; 32]);
		for error in [Vault::of(&wrong).await.unwrap_err(), seal_state(&wrong).await.unwrap_err()] {
			let said = error.to_string();
			assert!(said.contains("bring the right key back") && !said.contains('\n'), "{said}");
		}
		let mut after = contents(&right.state);
		for lock in ["lock", "rotate.lock"] {
			after.insert(lock.into(), before[lock].clone());
		}
		assert_eq!(after, before);
	}

	#[tokio::test]
	async fn an_open_file_in_a_sealed_state_is_refused() {
		let dir = tempfile::tempdir().unwrap();
		let config = config(dir.path(), [7; 32]);
		let secrets = open_state(&config.state);
		seal_state(&config).await.unwrap();
		let vault = Vault::of(&config).await.unwrap();
		fs::write(config.state.join(SIGNING), &secrets[SIGNING]).unwrap();
		assert!(matches!(vault.read(SIGNING), Err(SealError::Open(_))));
		fs::copy(config.state.join(AGREEMENT), config.state.join(SIGNING)).unwrap();
		assert!(matches!(vault.read(SIGNING), Err(SealError::Damaged(_))));
		assert!(DeviceKeys::load(&vault).is_err());
	}

	#[tokio::test]
	async fn a_sealed_state_without_a_key_in_the_configuration_is_refused() {
		let dir = tempfile::tempdir().unwrap();
		let mut config = config(dir.path(), [7; 32]);
		Vault::begin(&config).await.unwrap();
		config.service.seal = None;
		assert!(matches!(Vault::of(&config).await, Err(SealError::NoKey(_))));
		assert!(matches!(seal_state(&config).await, Err(SealError::NotConfigured)));
	}

	#[tokio::test]
	async fn a_new_state_is_sealed_from_the_beginning() {
		let dir = tempfile::tempdir().unwrap();
		let config = config(dir.path(), [7; 32]);
		let vault = Vault::begin(&config).await.unwrap();
		let (made, _) = DeviceKeys::create(&vault, None, "drone-7").unwrap();
		let seed = hex::encode(made.signing.to_secret_bytes());
		for (name, bytes) in contents(&config.state) {
			assert!(!String::from_utf8_lossy(&bytes).contains(&seed), "{name}");
		}
		let vault = Vault::begin(&config).await.unwrap();
		assert_eq!(DeviceKeys::load(&vault).unwrap().fingerprints(), made.fingerprints());
	}
}
