//! Where the secret comes from that seals the state.
//!
//! ```toml
//! [service.seal]
//! key-file = "/etc/dpki/seal.key"                      # or
//! credential = "dpki-agent.seal"                       # of systemd, or
//! command = ["/usr/bin/tpm2_unseal", "-c", "0x81010002"]  # what it prints
//! ```
//!
//! One line break at the end does not count, so that a file written by an editor and a command that prints a line are the
//! same key.

use super::{MAX_SECRET, Seal, SealError};
use crate::files;
use serde::{Deserialize, Serialize};
use std::{
	fs::File,
	io::Read,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command};
use zeroize::Zeroizing;

/// The variable in which systemd says where the credentials of a service lie.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// How long the command may take. A TPM is slow, and locks itself for a while.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealSettings {
	/// A file that only the agent's user can read, best on another medium than the state directory.
	KeyFile(PathBuf),
	/// A credential of this name that systemd gives to the service.
	Credential(String),
	/// A program and its arguments, which prints the secret on its standard output.
	Command(Vec<String>),
}

impl SealSettings {
	/// What is wrong with the settings, if anything is: which setting, and what.
	pub(crate) fn problem(&self, state: &Path) -> Option<(&'static str, &'static str)> {
		match self {
			Self::KeyFile(path) if !path.is_absolute() => {
				Some(("service.seal.key-file", "is not an absolute path: write it from / on"))
			},
			Self::KeyFile(path) if path.starts_with(state) => Some((
				"service.seal.key-file",
				"lies inside the state directory, which it is to protect: put it elsewhere",
			)),
			Self::Credential(name) if !is_credential(name) => Some((
				"service.seal.credential",
				"is not a name: use letters, digits and . _ -, at most 64 of them",
			)),
			Self::Command(words)
				if words.first().is_none_or(|program| !program.starts_with('/')) =>
			{
				Some((
					"service.seal.command",
					"does not begin with the absolute path of a program: write it from / on",
				))
			},
			_ => None,
		}
	}

	/// Where the secret comes from, in words.
	fn name(&self) -> String {
		match self {
			Self::KeyFile(path) => path.display().to_string(),
			Self::Credential(name) => format!("the credential {name}"),
			Self::Command(words) => words.first().cloned().unwrap_or_default(),
		}
	}

	/// Gets the secret.
	pub async fn seal(&self) -> Result<Seal, SealError> {
		let secret = match self {
			Self::KeyFile(path) => {
				check_mode(path, 0o077)?;
				read(path)?
			},
			Self::Credential(name) => {
				let directory = std::env::var_os(CREDENTIALS).map(PathBuf::from);
				let path = directory.map(|directory| directory.join(name));
				let path = path.filter(|path| path.exists());
				let path = path.ok_or_else(|| SealError::NoCredential(name.clone()))?;
				// Where systemd lets a user read it by an access list, the bits of the group are the bounds of that list.
				check_mode(&path, 0o027)?;
				read(&path)?
			},
			Self::Command(words) => print_of(words).await?,
		};
		let secret = secret.strip_suffix(b"\n").unwrap_or(&secret);
		Seal::new(secret)
			.ok_or_else(|| SealError::Length { from: self.name(), found: secret.len() })
	}
}

fn is_credential(name: &str) -> bool {
	let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
	(1..=64).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('.')
}

/// That none of these bits is set.
fn check_mode(path: &Path, none_of: u32) -> Result<(), SealError> {
	let found = std::fs::metadata(path).map_err(files::failed("read", path))?;
	if found.permissions().mode() & none_of != 0 {
		return Err(SealError::Exposed(path.into()));
	}
	Ok(())
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SealError> {
	let file = File::open(path).map_err(files::failed("read", path))?;
	let mut secret = buffer();
	file.take(LIMIT).read_to_end(&mut secret).map_err(files::failed("read", path))?;
	Ok(secret)
}

/// One more than can be, with the line break, so that what is too long is seen to be.
const LIMIT: u64 = MAX_SECRET as u64 + 2;

/// With room for all that is read: a growing buffer would leave parts of the secret behind.
fn buffer() -> Zeroizing<Vec<u8>> {
	Zeroizing::new(Vec::with_capacity(2 * MAX_SECRET))
}

/// What the command prints. What it says on its standard error goes where that of the agent goes.
async fn print_of(words: &[String]) -> Result<Zeroizing<Vec<u8>>, SealError> {
	let program = words.first().cloned().unwrap_or_default();
	let failed = |problem: String| SealError::Command { program: program.clone(), problem };
	let mut child = Command::new(&program)
		.args(words.iter().skip(1))
		.stdin(Stdio::null())
		.stdout(Stdio::piped())
		.kill_on_drop(true)
		.spawn()
		.map_err(|error| failed(format!("cannot be run: {error}")))?;
	let Some(pipe) = child.stdout.take() else { return Err(failed("prints nowhere".into())) };
	let mut secret = buffer();
	let printing = async {
		pipe.take(LIMIT).read_to_end(&mut secret).await?;
		child.wait().await
	};
	let status = tokio::time::timeout(PATIENCE, printing)
		.await
		.map_err(|_| failed(format!("did not end within {} s", PATIENCE.as_secs())))?
		.map_err(|error| failed(format!("cannot be listened to: {error}")))?;
	if status.success() { Ok(secret) } else { Err(failed(format!("failed with {status}"))) }
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::fs::{self, Permissions};

	fn key_file(content: &[u8], mode: u32) -> (tempfile::TempDir, SealSettings) {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("seal.key");
		fs::write(&path, content).unwrap();
		fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
		(dir, SealSettings::KeyFile(path))
	}

	fn command(words: &[&str]) -> SealSettings {
		SealSettings::Command(words.iter().map(|word| (*word).to_owned()).collect())
	}

	#[tokio::test]
	async fn a_file_and_a_command_that_prints_it_are_the_same_key() {
		let digits = "5e".repeat(32);
		let (_dir, file) = key_file(digits.as_bytes(), 0o600);
		let sealed = file.seal().await.unwrap().seal("journal", b"secret");
		let printed = command(&["/bin/echo", &digits]).seal().await.unwrap();
		assert_eq!(**printed.open("journal", &sealed).unwrap(), *b"secret");
	}

	#[tokio::test]
	async fn a_key_that_others_can_read_is_refused() {
		for mode in [0o640, 0o604, 0o644] {
			let (_dir, file) = key_file(&[7; 32], mode);
			let error = file.seal().await.unwrap_err();
			assert!(matches!(error, SealError::Exposed(_)), "{error}");
		}
	}

	#[tokio::test]
	async fn what_is_no_key_is_refused_with_its_length() {
		for (content, found) in [(vec![7; 31], 31), (vec![7; 5000], MAX_SECRET + 2), (vec![], 0)] {
			let (_dir, file) = key_file(&content, 0o600);
			let error = file.seal().await.unwrap_err();
			assert!(matches!(error, SealError::Length { found: n, .. } if n == found), "{error}");
		}
	}

	#[tokio::test]
	async fn a_command_that_fails_gives_no_key_and_its_output_is_not_shown() {
		let secret = "5e".repeat(32);
		for words in [
			&["/bin/sh", "-c", &format!("echo {secret}; exit 3")][..],
			&["/nonexistent/program"],
			&["/bin/true"],
		] {
			let error = command(words).seal().await.unwrap_err().to_string();
			assert!(error.contains(words[0]) && !error.contains(&secret), "{error}");
		}
	}

	#[tokio::test]
	async fn a_credential_that_systemd_did_not_give_is_named() {
		let error = SealSettings::Credential("no-such".into()).seal().await.unwrap_err();
		assert!(error.to_string().contains("no credential `no-such`"), "{error}");
	}
}
