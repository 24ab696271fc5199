//! State that is sealed by a credential of systemd. The directory is laid as `systemd.exec(5)` says that a service finds it:
//! for the service alone, never to be written, a file for each credential under its name. That systemd itself fills it is left
//! out, because it does so for services that it has started; what it is asked for is held against `systemd-analyze`.

use crate::{
	commands::{GENESIS, assert_fails, assert_understood, init_args},
	world::files_below,
};
use dpki_agent::seal::CREDENTIALS;
use std::{
	fs::{self, Permissions},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Output},
};

const NAME: &str = "dpki-agent.seal";
const SECRET: [u8; 32] = [0x5e; 32];

/// What a service of systemd finds.
struct Credentials(PathBuf);

impl Credentials {
	fn lay(directory: &Path) -> Self {
		let it = Self(directory.join("credentials"));
		fs::create_dir(&it.0).unwrap();
		it.put(&SECRET, 0o400);
		fs::set_permissions(&it.0, Permissions::from_mode(0o500)).unwrap();
		it
	}

	fn put(&self, content: &[u8], mode: u32) {
		let path = self.0.join(NAME);
		let _ = fs::remove_file(&path);
		fs::write(&path, content).unwrap();
		fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
	}

	fn agent(&self, args: &[&str]) -> Output {
		agent(Some(&self.0), args)
	}
}

fn agent(credentials: Option<&Path>, args: &[&str]) -> Output {
	let mut command = Command::new(env!("CARGO_BIN_EXE_dpki-agent"));
	command.args(args).env_remove(CREDENTIALS);
	command.envs(credentials.map(|directory| (CREDENTIALS, directory)));
	command.output().unwrap()
}

/// A device that is sealed by the credential from the beginning, and its configuration.
fn sealed(dir: &Path) -> (Credentials, String) {
	let credentials = Credentials::lay(dir);
	let args = init_args(dir, GENESIS, &["--seal-credential", NAME]);
	let args: Vec<&str> = args.iter().map(String::as_str).collect();
	let unnamed = agent(None, &args);
	assert_fails(&unnamed, &format!("systemd has given no credential `{NAME}`"));
	assert!(!dir.join("state").exists(), "nothing is made open that is to be sealed");
	let made = credentials.agent(&args);
	assert!(made.status.success(), "{made:?}");
	(credentials, dir.join("agent.toml").display().to_string())
}

#[test]
fn a_credential_of_systemd_opens_what_it_has_sealed() {
	let dir = tempfile::tempdir().unwrap();
	let (credentials, config) = sealed(dir.path());
	let state = dir.path().join("state");
	for name in ["signing.key", "agreement.key", "sealed"] {
		assert!(fs::read(state.join(name)).unwrap().starts_with(b"dpki-sealed/1"), "{name}");
	}
	for path in files_below(&state) {
		let bytes = fs::read(&path).unwrap();
		assert!(!bytes.windows(32).any(|found| found == SECRET), "{}", path.display());
	}
	let shown = credentials.agent(&["fingerprint", "--config", &config]);
	assert!(shown.status.success(), "{shown:?}");
	// An access list by which a user may read it shows as rights of the group.
	credentials.put(&SECRET, 0o440);
	let again = credentials.agent(&["fingerprint", "--config", &config]);
	assert_eq!((again.status.code(), again.stdout), (Some(0), shown.stdout));
}

#[test]
fn without_the_right_credential_nothing_opens_and_one_sentence_says_why() {
	let dir = tempfile::tempdir().unwrap();
	let (credentials, config) = sealed(dir.path());
	let run = ["run", "--config", &config, "--once"];
	let fingerprint = ["fingerprint", "--config", &config];
	for args in [&run[..], &fingerprint] {
		assert_fails(&agent(None, args), &format!("no credential `{NAME}`"));
		// Of another service, which has other credentials.
		assert_fails(&agent(Some(dir.path()), args), &format!("no credential `{NAME}`"));
		for mode in [0o444, 0o404, 0o420, 0o402] {
			credentials.put(&SECRET, mode);
			assert_fails(&credentials.agent(args), "others than its owner can read the seal key");
		}
		for (content, words) in [
			(&[0x5f; 32][..], "bring the right key back"),
			(&[], "has 0 bytes"),
			(&[0x5e; 31], "has 31 bytes"),
		] {
			credentials.put(content, 0o400);
			assert_fails(&credentials.agent(args), words);
		}
		fs::remove_file(credentials.0.join(NAME)).unwrap();
		assert_fails(&credentials.agent(args), &format!("no credential `{NAME}`"));
		// Not a file at all.
		fs::create_dir(credentials.0.join(NAME)).unwrap();
		fs::set_permissions(credentials.0.join(NAME), Permissions::from_mode(0o500)).unwrap();
		assert_fails(&credentials.agent(args), "cannot read");
		fs::remove_dir(credentials.0.join(NAME)).unwrap();
	}
	credentials.put(&SECRET, 0o400);
	let shown = credentials.agent(&fingerprint);
	assert!(shown.status.success(), "nothing of that has changed anything: {shown:?}");
}

#[test]
fn a_device_is_sealed_later_by_a_credential() {
	let dir = tempfile::tempdir().unwrap();
	let args = init_args(dir.path(), GENESIS, &[]);
	let args: Vec<&str> = args.iter().map(String::as_str).collect();
	assert!(agent(None, &args).status.success());
	let config = dir.path().join("agent.toml").display().to_string();
	let before = agent(None, &["fingerprint", "--config", &config]);
	let text = fs::read_to_string(&config).unwrap();
	let setting = format!("{text}\n[service.seal]\ncredential = \"{NAME}\"\n");
	fs::write(&config, setting).unwrap();
	let credentials = Credentials::lay(dir.path());
	assert_fails(&agent(None, &["seal", "--config", &config]), "no credential");
	let done = credentials.agent(&["seal", "--config", &config]);
	assert!(done.status.success(), "{done:?}");
	let after = credentials.agent(&["fingerprint", "--config", &config]);
	assert_eq!(after.stdout, before.stdout);
}

#[test]
fn the_unit_asks_systemd_for_the_credential_that_the_state_needs() {
	let dir = tempfile::tempdir().unwrap();
	let (credentials, config) = sealed(dir.path());
	let unit = dir.path().join("dpki-agent.service");
	let text = unit.display().to_string();
	let install = ["install", "--config", &config, "--unit", &text, "--replace"];
	let file = dir.path().join("seal.cred").display().to_string();
	for (more, line) in [
		(&[][..], format!("LoadCredentialEncrypted={NAME}:/etc/credstore.encrypted/{NAME}")),
		(
			&["--credential-file", &file, "--credential-plain"],
			format!("LoadCredential={NAME}:{file}"),
		),
	] {
		let written = credentials.agent(&[&install[..], more].concat());
		assert!(written.status.success(), "{written:?}");
		let written = fs::read_to_string(&unit).unwrap();
		assert!(written.lines().any(|found| found == line), "{written}");
		assert_understood(&unit);
	}
}
