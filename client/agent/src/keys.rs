//! The keys of the device. They are made on it and never leave it.
//!
//! | file in the state directory | content |
//! |---|---|
//! | `signing.key` | Ed25519 seed, hexadecimal |
//! | `agreement.key` | X25519 scalar, hexadecimal |
//! | `agreement.next.key` | the one that is to follow it, while it is being replaced, see [`crate::rotation`] |
//! | `hybrid.key` | X-Wing seed, hexadecimal, if the device was given such a key |
//! | `hybrid.next.key` | the one that is to follow it, likewise |
//! | `host_key` | Ed25519 private key in OpenSSH format, unless an existing one was taken over |
//! | `host_key.pub` | its public half, so that the daemon need not open the private one |
//!
//! All but the last two can be sealed, see [`crate::seal`].

use crate::{
	files::{self, FileError, PUBLIC, SECRET, SECRET_DIR},
	rotation,
	seal::{SealError, Vault},
};
use dpki_client::{
	envelope::OpeningKey,
	possession::{
		AgreementKey, HybridKey, PossessionError, SigningKey, SoftwareKey, enrolment_fingerprint,
	},
	primitives::{
		ids::{DeviceId, KeyId},
		key::{KeyPurpose, KeyType, PublicKey},
	},
	ssh::{fingerprint_text, to_public_key},
};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(crate) const SIGNING: &str = "signing.key";
pub(crate) const AGREEMENT: &str = "agreement.key";
pub(crate) const HYBRID: &str = "hybrid.key";
const HOST: &str = "host_key";
const HOST_PUBLIC: &str = "host_key.pub";

/// Why keys cannot be made or read. Never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
	/// A file is missing, or cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// The state is sealed, and does not open.
	#[error(transparent)]
	Seal(#[from] SealError),
	/// The file has not the content that it should have.
	#[error("{} is damaged: restore it, or make new keys in another state directory and enrol again", .0.display())]
	Damaged(PathBuf),
	/// The host key cannot be used.
	#[error(
		"the host key {} cannot be used ({reason}): \
		 give an unencrypted Ed25519 or P-256 key in OpenSSH format",
		path.display()
	)]
	HostKey {
		/// Which file.
		path: PathBuf,
		/// Why not.
		reason: String,
	},
	/// A key could not be made.
	#[error(transparent)]
	Made(#[from] PossessionError),
}

/// What the daemon works with.
pub struct DeviceKeys {
	/// Signs what the device says to the chain.
	pub signing: SoftwareKey,
	/// Opens deliveries.
	pub agreement: AgreementKey,
	/// Opens deliveries too, and takes its place once the chain says that it has ended.
	pub next: Option<AgreementKey>,
	/// Opens deliveries that a quantum computer is not to open, if the device has such a key.
	pub hybrid: Option<HybridKey>,
	/// Opens them too, and takes its place once the chain says that it has ended.
	pub next_hybrid: Option<HybridKey>,
	/// The public half of the SSH host key.
	pub host: ssh_key::PublicKey,
	pub(crate) vault: Vault,
}

impl DeviceKeys {
	/// Makes the keys that are not there yet, and reads the others. `host_key` is an existing key to take over; without
	/// it one is made. Returns the keys and where the host key lies.
	pub fn create(
		vault: &Vault,
		host_key: Option<&Path>,
		comment: &str,
	) -> Result<(Self, PathBuf), KeyError> {
		let state = vault.state();
		files::create_dir(state, SECRET_DIR)?;
		if !state.join(SIGNING).exists() {
			let key = SoftwareKey::generate(KeyType::Ed25519)?;
			let text = to_text(&key.to_secret_bytes());
			vault.create(SIGNING, text.as_bytes())?;
		}
		rotation::resume(state)?;
		if !state.join(AGREEMENT).exists() {
			write_agreement(vault, AGREEMENT, &AgreementKey::generate())?;
		}
		let host_path = host_key.map_or_else(|| state.join(HOST), Path::to_path_buf);
		if host_key.is_none() && !host_path.exists() {
			let key = SoftwareKey::generate(KeyType::Ed25519)?.to_openssh(comment)?;
			files::create_whole(&host_path, key.as_bytes(), SECRET)?;
		}
		let (_, public) = read_host_key(&host_path)?;
		let line = public.to_openssh().map_err(|error| KeyError::HostKey {
			path: host_path.clone(),
			reason: error.to_string(),
		})?;
		files::replace(&state.join(HOST_PUBLIC), format!("{line}\n").as_bytes(), PUBLIC)?;
		Ok((Self::load(vault)?, host_path))
	}

	/// Reads what [`DeviceKeys::create`] made.
	pub fn load(vault: &Vault) -> Result<Self, KeyError> {
		rotation::resume(vault.state())?;
		let signing = read_secret(vault, SIGNING)?;
		let agreement = read_agreement(vault, AGREEMENT)?;
		let host_path = vault.path(HOST_PUBLIC);
		let host =
			std::fs::read_to_string(&host_path).map_err(files::failed("read", &host_path))?;
		Ok(Self {
			signing: SoftwareKey::from_secret_bytes(KeyType::Ed25519, signing.as_slice())
				.map_err(|_| KeyError::Damaged(vault.path(SIGNING)))?,
			agreement,
			next: rotation::read_next(vault)?,
			hybrid: read_hybrid(vault, HYBRID)?,
			next_hybrid: read_hybrid(vault, rotation::NEXT_HYBRID)?,
			host: ssh_key::PublicKey::from_openssh(&host)
				.map_err(|_| KeyError::Damaged(host_path))?,
			vault: vault.clone(),
		})
	}

	/// The id of the signing key.
	pub fn signing_id(&self) -> KeyId {
		KeyId::of(&self.signing.public())
	}

	/// The id of the agreement key.
	pub fn agreement_id(&self) -> KeyId {
		KeyId::of(&self.agreement.public())
	}

	/// The key of this device with this id, if it is one that opens deliveries.
	pub fn opener(&self, device: DeviceId, recipient: KeyId) -> Option<&dyn OpeningKey> {
		let hybrids = self.hybrid.iter().chain(&self.next_hybrid).map(|key| key as &dyn OpeningKey);
		let next = self.next.iter().map(|key| key as &dyn OpeningKey);
		std::iter::once(&self.agreement as &dyn OpeningKey)
			.chain(next)
			.chain(hybrids)
			.find(|key| KeyId::of_device(device, &key.public()) == recipient)
	}

	/// The hybrid key of this state directory: the one that is there, or a new one.
	pub fn add_hybrid(vault: &Vault) -> Result<HybridKey, KeyError> {
		let _at_work = rotation::at_work(vault.state())?;
		rotation::resume(vault.state())?;
		make_hybrid(vault, HYBRID)
	}

	/// Takes note of a hybrid key that another process has made, and of one that is to follow it.
	pub(crate) fn find_hybrid(&mut self) -> Result<(), KeyError> {
		if self.hybrid.is_none() {
			self.hybrid = read_hybrid(&self.vault, HYBRID)?;
		}
		if self.next_hybrid.is_none() {
			self.next_hybrid = read_hybrid(&self.vault, rotation::NEXT_HYBRID)?;
		}
		Ok(())
	}

	/// The host key as the chain knows it.
	pub fn host_public(&self) -> Option<PublicKey> {
		to_public_key(&self.host)
	}

	/// What the registrar compares who approves these keys for this device.
	pub fn enrolment_fingerprint(&self, device: DeviceId) -> String {
		let keys: Vec<_> = self.fingerprints().iter().map(|key| (key.purpose, key.id)).collect();
		enrolment_fingerprint(device, &keys)
	}

	/// Purpose, id and a text to compare by eye, of every key.
	pub fn fingerprints(&self) -> Vec<Fingerprint> {
		let entry = |purpose, name, key: Option<PublicKey>, text: Option<String>| {
			let key = key?;
			let text = text.unwrap_or_else(|| format!("0x{}", hex::encode(&key.bytes)));
			Some(Fingerprint { purpose, name, id: KeyId::of(&key), public: text })
		};
		[
			entry(KeyPurpose::Sign, "signing", Some(self.signing.public()), None),
			entry(KeyPurpose::KeyAgreement, "agreement", Some(self.agreement.public()), None),
			entry(KeyPurpose::Ssh, "host", self.host_public(), Some(fingerprint_text(&self.host))),
		]
		.into_iter()
		.flatten()
		.collect()
	}
}

/// What names a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
	/// What the key is for.
	pub purpose: KeyPurpose,
	/// The same, in a word.
	pub name: &'static str,
	/// Its id on the chain.
	pub id: KeyId,
	/// Its bytes in hexadecimal; for the host key what OpenSSH prints.
	pub public: String,
}

/// The private host key, to prove that the device holds it, and its public half.
pub fn read_host_key(path: &Path) -> Result<(SoftwareKey, ssh_key::PublicKey), KeyError> {
	let refused = |reason: String| KeyError::HostKey { path: path.to_path_buf(), reason };
	let text = std::fs::read_to_string(path).map_err(files::failed("read", path))?;
	let text = Zeroizing::new(text);
	let key = SoftwareKey::from_openssh(&text, None).map_err(|error| refused(error.to_string()))?;
	let private =
		dpki_client::ssh::load_private(&text, None).map_err(|error| refused(error.to_string()))?;
	Ok((key, private.public_key().clone()))
}

/// A line of hexadecimal digits, in one allocation: a growing buffer would leave parts of the secret behind.
fn to_text(secret: &[u8]) -> Zeroizing<String> {
	let mut text = Zeroizing::new(String::with_capacity(2 * secret.len() + 1));
	for byte in secret {
		for nibble in [byte >> 4, byte & 15] {
			text.push(char::from_digit(nibble.into(), 16).expect("a nibble is a digit"));
		}
	}
	text.push('\n');
	text
}

pub(crate) fn write_agreement(
	vault: &Vault,
	name: &str,
	key: &AgreementKey,
) -> Result<(), SealError> {
	let text = to_text(key.to_secret_bytes().as_slice());
	vault.create(name, text.as_bytes())
}

pub(crate) fn read_agreement(vault: &Vault, name: &str) -> Result<AgreementKey, KeyError> {
	Ok(AgreementKey::from_secret_bytes(&*read_secret(vault, name)?))
}

/// The hybrid key of this name: the one that is there, or a new one, which is on the disk before anybody learns of it.
pub(crate) fn make_hybrid(vault: &Vault, name: &str) -> Result<HybridKey, KeyError> {
	if let Some(key) = read_hybrid(vault, name)? {
		return Ok(key);
	}
	let text = to_text(HybridKey::generate().to_secret_bytes().as_slice());
	vault.create(name, text.as_bytes())?;
	// What the chain is told is what lies there.
	Ok(HybridKey::from_secret_bytes(&*read_secret(vault, name)?))
}

fn read_hybrid(vault: &Vault, name: &str) -> Result<Option<HybridKey>, KeyError> {
	if !vault.path(name).exists() {
		return Ok(None);
	}
	Ok(Some(HybridKey::from_secret_bytes(&*read_secret(vault, name)?)))
}

fn read_secret(vault: &Vault, name: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
	let text = vault.read(name)?;
	let mut bytes = Zeroizing::new([0; 32]);
	hex::decode_to_slice(text.trim_ascii(), bytes.as_mut_slice())
		.map_err(|_| KeyError::Damaged(vault.path(name)))?;
	Ok(bytes)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn keys_are_made_once_and_are_for_the_agent_only() {
		let dir = tempfile::tempdir().unwrap();
		let state = dir.path().join("state");
		let (made, host) = DeviceKeys::create(&Vault::open_state(&state), None, "drone-7").unwrap();
		assert_eq!(host, state.join("host_key"));
		let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
		assert_eq!(mode(&state), 0o700);
		for name in [SIGNING, AGREEMENT, HOST] {
			assert_eq!(mode(&state.join(name)), 0o600, "{name}");
		}
		let (again, _) = DeviceKeys::create(&Vault::open_state(&state), None, "drone-7").unwrap();
		assert_eq!(made.fingerprints(), again.fingerprints());
		assert_eq!(made.fingerprints().len(), 3);
	}

	#[test]
	fn the_chain_and_the_host_key_agree_on_the_public_half() {
		let dir = tempfile::tempdir().unwrap();
		for (kind, name) in [("ed25519", "e"), ("ecdsa", "p")] {
			let path = dir.path().join(name);
			let made = std::process::Command::new("ssh-keygen")
				.args(["-q", "-N", "", "-t", kind, "-f"])
				.arg(&path)
				.status();
			assert!(made.unwrap().success());
			let state = dir.path().join(format!("state-{name}"));
			let (keys, host) =
				DeviceKeys::create(&Vault::open_state(&state), Some(&path), "").unwrap();
			assert_eq!(host, path);
			let (private, _) = read_host_key(&path).unwrap();
			assert_eq!(keys.host_public(), Some(private.public()), "{kind}");
		}
	}

	#[test]
	fn a_hybrid_key_is_made_once_and_opens_for_its_device() {
		let dir = tempfile::tempdir().unwrap();
		let vault = Vault::open_state(dir.path());
		let (mut keys, _) = DeviceKeys::create(&vault, None, "").unwrap();
		assert!(keys.hybrid.is_none());
		let made = DeviceKeys::add_hybrid(&vault).unwrap();
		assert_eq!(DeviceKeys::add_hybrid(&vault).unwrap().public(), made.public());
		keys.find_hybrid().unwrap();
		let device = DeviceId([1; 32]);
		let id = KeyId::of_device(device, &made.public());
		assert_eq!(keys.opener(device, id).unwrap().public(), made.public());
		assert!(keys.opener(DeviceId([2; 32]), id).is_none());
	}

	#[test]
	fn an_unusable_host_key_is_refused_with_the_next_step() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("key");
		std::fs::write(&path, "no key").unwrap();
		let vault = Vault::open_state(&dir.path().join("s"));
		let error = DeviceKeys::create(&vault, Some(&path), "").err().unwrap();
		assert!(error.to_string().contains("Ed25519 or P-256"), "{error}");
	}

	#[test]
	fn a_damaged_key_is_named_and_not_shown() {
		let dir = tempfile::tempdir().unwrap();
		let vault = Vault::open_state(dir.path());
		DeviceKeys::create(&vault, None, "").unwrap();
		let path = dir.path().join(SIGNING);
		let text = std::fs::read_to_string(&path).unwrap();
		std::fs::write(&path, &text[..40]).unwrap();
		let error = DeviceKeys::load(&vault).err().unwrap().to_string();
		assert!(error.contains(SIGNING) && !error.contains(&text[..8]), "{error}");
	}
}
