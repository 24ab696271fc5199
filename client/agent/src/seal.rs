//! The secrets in the state directory, sealed at rest: whoever takes the disk, or a copy of it, takes no key of the
//! device and no bundle.
//!
//! | file | what is sealed |
//! |---|---|
//! | `signing.key`, `agreement.key`, `agreement.next.key`, `hybrid.key` | the private keys of the device |
//! | `journal` | the bundle in force, and the one on its way |
//! | `sealed` | nothing: it says that the state is sealed, and by which key |
//!
//! The host key stays as it is, because sshd reads it, and so do the private keys of services (`tls/NAME/*.key`), the data of
//! hooks and what is put in force for other programs. What is no secret stays, too: checkpoint, chain time, status, lock.
//!
//! A file is XChaCha20-Poly1305 under a key of its own, which HKDF-SHA256 makes of the secret and the file's name, so that no
//! file passes for another one. The three names of an agreement key count as one, and those of a hybrid key too, because a rotation renames the files.
//! Layout: 16 bytes that name the form, 24 bytes of nonce, ciphertext and tag.
//!
//! Neither this nor anything else on the disk keeps whoever writes to it from bringing an old copy back; the chain does, as
//! far as it refuses old sequence numbers.

mod source;
mod vault;

pub use source::{CREDENTIALS, SealSettings};
pub use vault::{Vault, seal_state};

use crate::{files::FileError, keys::HYBRID, lock::LockError};
use chacha20poly1305::{
	KeyInit, XChaCha20Poly1305, XNonce,
	aead::{Aead, Payload},
};
use hkdf::Hkdf;
use rand_core::{OsRng, RngCore};
use sha2::Sha256;
use std::{fmt, path::PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Shortest secret, in bytes. It is not stretched, so it has to be random.
pub const MIN_SECRET: usize = 32;
/// Longest secret, in bytes.
pub const MAX_SECRET: usize = 4096;

/// What a sealed file begins with.
pub(crate) const MAGIC: [u8; 16] = *b"dpki-sealed/1\0\0\0";
const NONCE: usize = 24;
const SALT: &[u8] = b"dpki-agent state directory";

/// Why sealed state cannot be used. Never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
	/// A file is missing, or cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// An agent is at work.
	#[error(transparent)]
	Lock(#[from] LockError),
	/// Others can read the key.
	#[error(
		"others than its owner can read the seal key {0}: give it the mode 0600, and a new content if somebody may have read it"
	)]
	Exposed(PathBuf),
	/// systemd gave none.
	#[error(
		"systemd has given no credential `{0}` (the variable CREDENTIALS_DIRECTORY): `dpki-agent install` writes a unit \
		 that asks for it; by hand run the command in that unit's place with `systemd-run --pipe -p LoadCredentialEncrypted={0}`"
	)]
	NoCredential(String),
	/// The command gave none.
	#[error("the command that prints the seal key, {program}, {problem}")]
	Command {
		/// Which program.
		program: String,
		/// What happened.
		problem: String,
	},
	/// It is none.
	#[error(
		"the seal key from {from} has {found} bytes: it takes {MIN_SECRET} to {MAX_SECRET} random ones, such as \
		 `head -c 32 /dev/urandom` makes"
	)]
	Length {
		/// Where it comes from.
		from: String,
		/// How many bytes it has.
		found: usize,
	},
	/// It is another one.
	#[error(
		"the seal key is not the one by which the state in {} is sealed: nothing was changed; bring the right key back",
		.0.display()
	)]
	WrongKey(PathBuf),
	/// The configuration wants sealed state, and it is not.
	#[error("the state in {} is not sealed yet: stop the agent and run `dpki-agent seal`", .0.display())]
	NotSealed(PathBuf),
	/// The state is sealed, and the configuration names no key.
	#[error(
		"the state in {} is sealed, and the configuration does not say where the key is: set `service.seal`",
		.0.display()
	)]
	NoKey(PathBuf),
	/// There is nothing to seal it by.
	#[error(
		"the configuration does not say where the seal key is: set `service.seal`, and try again"
	)]
	NotConfigured,
	/// A file is open in a state that is sealed.
	#[error(
		"{} is not sealed, although the state is: the agent did not write it; remove it, and look who did",
		.0.display()
	)]
	Open(PathBuf),
	/// A file does not open.
	#[error(
		"{} is damaged, or was sealed as another file: restore it, or make new keys in another state directory and enrol again",
		.0.display()
	)]
	Damaged(PathBuf),
	/// A rotation is at work.
	#[error("`dpki-agent rotate` is at work in {}: wait until it has ended", .0.display())]
	Rotating(PathBuf),
}

/// What seals and opens the files of one state directory.
pub struct Seal(Zeroizing<[u8; 32]>);

impl Seal {
	/// By this secret, which has to be random. `None` if it is too short or too long.
	pub fn new(secret: &[u8]) -> Option<Self> {
		if !(MIN_SECRET..=MAX_SECRET).contains(&secret.len()) {
			return None;
		}
		let (mut extracted, _) = Hkdf::<Sha256>::extract(Some(SALT), secret);
		let mut key = Zeroizing::new([0; 32]);
		key.copy_from_slice(&extracted);
		extracted.as_mut_slice().zeroize();
		Some(Self(key))
	}

	/// The content as it lies on the disk under this name.
	pub fn seal(&self, name: &str, content: &[u8]) -> Vec<u8> {
		let mut nonce = [0; NONCE];
		OsRng.fill_bytes(&mut nonce);
		let payload = Payload { msg: content, aad: &MAGIC };
		let sealed = self
			.cipher(name)
			.encrypt(XNonce::from_slice(&nonce), payload)
			.expect("a file of the agent is shorter than the 256 GiB that the cipher takes");
		[&MAGIC[..], &nonce, &sealed].concat()
	}

	/// What was sealed under this name; `None` if it was not, or not by this secret.
	pub fn open(&self, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
		let (nonce, sealed) = sealed.strip_prefix(&MAGIC)?.split_at_checked(NONCE)?;
		let payload = Payload { msg: sealed, aad: &MAGIC };
		let opened = self.cipher(name).decrypt(XNonce::from_slice(nonce), payload);
		opened.ok().map(Zeroizing::new)
	}

	fn cipher(&self, name: &str) -> XChaCha20Poly1305 {
		let name = match name.split_once('.') {
			Some(("agreement", _)) => "agreement",
			Some(("hybrid", _)) => HYBRID,
			_ => name,
		};
		let mut key = Zeroizing::new([0; 32]);
		Hkdf::<Sha256>::from_prk(self.0.as_slice())
			.expect("32 bytes are as long as a hash")
			.expand_multi_info(&[&MAGIC, name.as_bytes()], key.as_mut_slice())
			.expect("as many can be made of them");
		XChaCha20Poly1305::new(key.as_slice().into())
	}
}

impl fmt::Debug for Seal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("a seal")
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_file_opens_under_its_secret_and_its_name_only() {
		let seal = Seal::new(&[7; 32]).unwrap();
		let sealed = seal.seal("signing.key", b"secret");
		assert_eq!(**seal.open("signing.key", &sealed).unwrap(), *b"secret");
		assert!(seal.open("journal", &sealed).is_none());
		assert!(Seal::new(&[8; 32]).unwrap().open("signing.key", &sealed).is_none());
		assert_ne!(seal.seal("signing.key", b"secret"), sealed, "never twice the same");
		assert!(!sealed.windows(6).any(|part| part == b"secret"));
	}

	#[test]
	fn the_names_of_an_agreement_key_count_as_one() {
		let seal = Seal::new(&[7; 32]).unwrap();
		let sealed = seal.seal("agreement.next.key", b"secret");
		assert!(seal.open("agreement.key", &sealed).is_some());
		assert!(seal.open("signing.key", &sealed).is_none());
		let sealed = seal.seal("hybrid.next.key", b"secret");
		assert!(
			seal.open(HYBRID, &sealed).is_some() && seal.open("hybrid.old.key", &sealed).is_some()
		);
		assert!(seal.open("agreement.key", &sealed).is_none());
	}

	#[test]
	fn a_flipped_bit_or_a_cut_opens_nothing() {
		let seal = Seal::new(&[7; 32]).unwrap();
		let sealed = seal.seal("journal", b"secret");
		for at in 0..sealed.len() {
			let mut broken = sealed.clone();
			broken[at] ^= 1;
			assert!(seal.open("journal", &broken).is_none(), "flip {at}");
			assert!(seal.open("journal", &sealed[..at]).is_none(), "cut {at}");
		}
	}

	#[test]
	fn a_secret_that_is_too_short_or_too_long_is_none() {
		assert!(Seal::new(&[7; MIN_SECRET - 1]).is_none());
		assert!(Seal::new(&[7; MAX_SECRET + 1]).is_none());
		assert!(Seal::new(&[7; MIN_SECRET]).is_some() && Seal::new(&[7; MAX_SECRET]).is_some());
		assert_eq!(format!("{:?}", Seal::new(&[7; 32]).unwrap()), "a seal");
	}
}
