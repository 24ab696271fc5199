//! State that is sealed by a key which only the TPM of the device gives away, with the commands that the documentation names. The
//! TPM is a program (swtpm), which speaks as chips do and keeps its memory in a folder. What it leaves out is the kernel between:
//! a device has `/dev/tpmrm0`, which also puts away what tools leave in the chip, here `tpm2_flushcontext` does.

use crate::{
	commands::{GENESIS, agent, assert_fails, init_args},
	world::files_below,
};
use std::{
	collections::BTreeMap,
	fs,
	os::unix::net::UnixStream,
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	thread,
	time::{Duration, Instant},
};

/// Where a TPM keeps the key, in its own memory.
const HANDLE: &str = "0x81010002";
/// What has to be as it was when the key was sealed: by which keys the device checks what it boots.
const PCR: &str = "sha256:7";

/// How long a TPM may take to listen. Not a measurement: only the end of patience.
const PATIENCE: Duration = Duration::from_secs(60);

/// A TPM that is switched on. It keeps what it remembers when this is dropped.
struct Tpm {
	process: Child,
	socket: PathBuf,
}

impl Drop for Tpm {
	fn drop(&mut self) {
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
}

impl Tpm {
	/// Switches the TPM of this folder on; a new one if there is nothing.
	fn on(memory: &Path) -> Self {
		fs::create_dir_all(memory).unwrap();
		let (socket, control) = (memory.join("socket"), memory.join("socket.ctrl"));
		for stale in [&socket, &control] {
			let _ = fs::remove_file(stale);
		}
		let process = Command::new("swtpm")
			.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
			.args(["--tpmstate", &format!("dir={}", memory.display())])
			.args(["--server", &format!("type=unixio,path={}", socket.display())])
			.args(["--ctrl", &format!("type=unixio,path={}", control.display())])
			.stdout(Stdio::null())
			.stderr(Stdio::null())
			.spawn()
			.expect("swtpm is installed: run scripts/setup");
		let this = Self { process, socket };
		let since = Instant::now();
		// It says nowhere that it listens.
		while UnixStream::connect(&control).is_err() || UnixStream::connect(&this.socket).is_err() {
			assert!(since.elapsed() < PATIENCE, "swtpm does not listen");
			thread::sleep(Duration::from_millis(10));
		}
		this
	}

	/// How the tools reach it.
	fn address(&self) -> String {
		format!("swtpm:path={}", self.socket.display())
	}

	/// Runs one of the tools, which has to succeed.
	fn tool(&self, program: &str, args: &[&str]) -> Output {
		let output = Command::new(program)
			.args(["-T", &self.address()])
			.args(args)
			.output()
			.expect("tpm2-tools are installed: run scripts/setup");
		assert!(output.status.success(), "{program}: {output:?}");
		output
	}

	/// Seals a key in it, as the documentation has it, and gives the key.
	fn keep(&self, folder: &Path) -> Vec<u8> {
		let file = |name: &str| folder.join(name).display().to_string();
		let (policy, primary, key) = (file("pcr.policy"), file("primary.ctx"), file("seal.key"));
		let (public, private, sealed) = (file("seal.pub"), file("seal.priv"), file("seal.ctx"));
		let made = Command::new("openssl").args(["rand", "-hex", "-out", &key, "32"]).status();
		assert!(made.unwrap().success());
		self.tool("tpm2_createpolicy", &["--policy-pcr", "-l", PCR, "-L", &policy]);
		for (program, args) in [
			("tpm2_createprimary", &["-C", "o", "-c", &primary][..]),
			(
				"tpm2_create",
				&["-C", &primary, "-L", &policy, "-i", &key, "-u", &public, "-r", &private],
			),
			("tpm2_load", &["-C", &primary, "-u", &public, "-r", &private, "-c", &sealed]),
			("tpm2_evictcontrol", &["-C", "o", "-c", &sealed, HANDLE]),
		] {
			self.tool(program, args);
			self.tool("tpm2_flushcontext", &["-t"]);
		}
		fs::read(key).unwrap()
	}

	/// What the agent runs to get the key.
	fn hook(&self) -> String {
		format!("/usr/bin/tpm2_unseal -T {} -c {HANDLE} -p pcr:{PCR}", self.address())
	}
}

/// Everything in the state directory, but for the empty file by which only one agent at a time works on it.
fn contents(state: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
	files_below(state)
		.into_iter()
		.filter(|path| *path != state.join("lock"))
		.map(|path| (path.clone(), fs::read(&path).unwrap()))
		.collect()
}

/// What the agent says last, below what the tool says.
fn last_line(output: &Output) -> String {
	let said = String::from_utf8_lossy(&output.stderr);
	said.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_key_in_the_tpm_opens_the_state_and_no_other_tpm_does() {
	let dir = tempfile::tempdir().unwrap();
	let (chip, other) = (dir.path().join("chip"), dir.path().join("other"));
	let tpm = Tpm::on(&chip);
	let secret = tpm.keep(dir.path());

	// Sealed from the beginning, by what the command prints.
	let hook = tpm.hook();
	let args = init_args(dir.path(), GENESIS, &["--seal-command", &hook]);
	let made = agent(&args.iter().map(String::as_str).collect::<Vec<_>>());
	assert!(made.status.success(), "{made:?}");
	let (state, config) = (dir.path().join("state"), dir.path().join("agent.toml"));
	let config = config.display().to_string();
	let sealed = contents(&state);
	for name in ["signing.key", "agreement.key", "sealed"] {
		assert!(sealed[&state.join(name)].starts_with(b"dpki-sealed/1"), "{name}");
	}
	let key = secret.trim_ascii_end();
	let shows = |bytes: &Vec<u8>| bytes.windows(key.len()).any(|found| found == key);
	assert!(!sealed.values().any(shows), "the key lies beside what it seals");
	let fingerprint = ["fingerprint", "--config", &config];
	let shown = agent(&fingerprint);
	assert!(shown.status.success(), "{shown:?}");

	// Something else has booted.
	let extended = format!("7:sha256={}", "5e".repeat(32));
	tpm.tool("tpm2_pcrextend", &[&extended]);
	let run = ["run", "--config", &config, "--once"];
	for args in [&run[..], &fingerprint] {
		let refused = agent(args);
		assert_eq!(refused.status.code(), Some(1), "{refused:?}");
		let said = last_line(&refused);
		assert!(said.contains("the seal key, /usr/bin/tpm2_unseal, failed"), "{said}");
		assert!(refused.stdout.is_empty(), "{refused:?}");
	}

	// The device is switched off and on.
	drop(tpm);
	let tpm = Tpm::on(&chip);
	assert_eq!(agent(&fingerprint).stdout, shown.stdout);
	drop(tpm);

	// The disk in another device: in its TPM there is nothing, and then another key.
	let (text, tpm) = (fs::read_to_string(&config).unwrap(), Tpm::on(&other));
	let there = other.join("socket").display().to_string();
	let here = chip.join("socket").display().to_string();
	fs::write(&config, text.replace(&here, &there)).unwrap();
	for args in [&run[..], &fingerprint] {
		let refused = agent(args);
		assert_eq!(refused.status.code(), Some(1), "{refused:?}");
		let said = last_line(&refused);
		assert!(said.contains("the seal key, /usr/bin/tpm2_unseal, failed"), "{said}");
	}
	assert_ne!(tpm.keep(&other), secret);
	for args in [&run[..], &fingerprint] {
		assert_fails(&agent(args), "bring the right key back");
	}
	drop(tpm);
	let after = contents(&state);
	assert!(after == sealed, "{:?}", after.keys());

	// Back where it belongs.
	fs::write(&config, text).unwrap();
	let _tpm = Tpm::on(&chip);
	assert_eq!(agent(&fingerprint).stdout, shown.stdout);
}
