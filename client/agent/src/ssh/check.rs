//! How a generation is tested before it counts.
//!
//! Everything is read back from the disk and parsed. What sshd reads when it starts (`sshd.conf` and the host
//! certificate) is also given to `sshd -t`, in front of the main configuration if there is one. Where that names host keys
//! of its own, a delivered one of the same type would be shown in their place, and clients that know the machine would be
//! kept out: it is refused. So the configuration of the agent lets no host key be delivered without naming that file.

use crate::{
	files::{self, FileError},
	input,
	ssh::{
		delivered::public_half,
		krl::Krl,
		layout::{
			Files, HOST_CERTIFICATE, KNOWN_HOSTS, Layout, REVOKED_HOST_KEYS, REVOKED_KEYS,
			SSHD_CONF, TRUSTED_USER_CA_KEYS, read_files,
		},
	},
	steps,
};
use std::{
	ffi::OsString,
	path::{Path, PathBuf},
	pin::pin,
	process::Stdio,
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncReadExt},
	process::Command,
};

/// How much of what a command says is passed on, in bytes.
const MAX_WORDS: usize = 2000;

/// How long a command that has ended may leave its last words in the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Why a generation did not pass.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
	/// A file of it cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// What was read back is not what was meant.
	#[error("{file} does not read back as it was written: check the disk")]
	ReadBack {
		/// Which file.
		file: String,
	},
	/// sshd does not take it.
	#[error("sshd does not accept the new configuration: {0}")]
	Sshd(#[source] CommandError),
	/// sshd takes it and would not use all of it.
	#[error("sshd would not use all of the new configuration: {0}")]
	Complaint(String),
	/// A delivered host key would be shown in the place of one that the machine has.
	#[error(
		"the delivered host key would take the place of {}, which is of the same type or of none that can be told: deliver \
		 one of another type",
		.0.display()
	)]
	HostKeyTaken(PathBuf),
}

/// A command did not do what it should.
#[derive(Debug, thiserror::Error)]
#[error("`{command}` {problem}")]
pub struct CommandError {
	/// The command.
	pub command: String,
	/// What happened.
	pub problem: String,
}

/// Tests generations.
#[derive(Clone, Debug)]
pub struct Checker {
	/// The sshd that tests.
	pub sshd: PathBuf,
	/// The main configuration.
	pub sshd_config: Option<PathBuf>,
	/// How long a test may take.
	pub timeout: Duration,
}

impl Checker {
	/// Whether sshd would start with this generation. What the machine has beside it is looked at only if it `is_new`: that
	/// somebody adds a host key later must hold no revocation up.
	pub async fn sshd(
		&self,
		layout: &Layout,
		generation: u64,
		is_new: bool,
	) -> Result<(), CheckError> {
		let directory = layout.generation(generation);
		let conf = directory.join(SSHD_CONF);
		let text = std::fs::read_to_string(&conf).map_err(files::failed("read", &conf))?;
		let delivered = layout.delivered_host_key(&text);
		let is_certified = directory.join(HOST_CERTIFICATE).exists();
		let mut config = layout.fragment(&directory, delivered.as_deref(), is_certified);
		if let Some(main) = &self.sshd_config {
			config += &format!("Include {}\n", main.display());
		}
		let path = layout.generations().join(format!(".{generation}.check.conf"));
		files::remove_if_there(&path)?;
		files::create(&path, config.as_bytes(), files::PUBLIC)?;
		let tested = self.test(&path, layout, &directory).await;
		let taken = match (&tested, &delivered, &self.sshd_config) {
			(Ok(()), Some(name), Some(_)) if is_new => self.host_keys(&path, layout, name).await,
			_ => Ok(()),
		};
		files::remove_if_there(&path)?;
		tested.and(taken)
	}

	async fn test(
		&self,
		config: &Path,
		layout: &Layout,
		generation: &Path,
	) -> Result<(), CheckError> {
		let command = self.command("-t", config);
		let said = run(&command, self.timeout).await.map_err(|mut error| {
			if error.problem.contains("privilege separation directory") {
				error.problem +=
					" (as root sshd needs this directory: `install -d -m 0755 /run/sshd`)";
			}
			CheckError::Sshd(error)
		})?;
		// A host key or certificate that it cannot use is no reason for sshd to fail: it only complains about the file.
		let places = [generation.to_path_buf(), layout.host_keys()];
		if places.iter().any(|place| said.contains(&*place.to_string_lossy())) {
			return Err(CheckError::Complaint(said));
		}
		Ok(())
	}

	/// Whether no host key of the machine is of the type of the delivered one.
	async fn host_keys(
		&self,
		config: &Path,
		layout: &Layout,
		name: &str,
	) -> Result<(), CheckError> {
		let ours = layout.host_key_file(name);
		let delivered = public_half(&ours);
		let mut command = self.command("-T", config);
		// Without a connection to tell it for, sshd does not get past a `Match` block.
		command.extend(["-C", "user=root,host=localhost,addr=127.0.0.1"].map(OsString::from));
		let said = ask(&command, self.timeout).await.map_err(CheckError::Sshd)?;
		for path in said.lines().filter_map(|line| line.strip_prefix("hostkey ")).map(Path::new) {
			if path == ours || path == layout.own_host_key() || !path.exists() {
				continue;
			}
			let type_of = |key: Option<ssh_key::PublicKey>| key.map(|key| key.algorithm());
			let found = type_of(public_half(path));
			if found.is_none() || found == type_of(delivered.clone()) {
				return Err(CheckError::HostKeyTaken(path.into()));
			}
		}
		Ok(())
	}

	fn command(&self, mode: &str, config: &Path) -> Vec<OsString> {
		vec![self.sshd.clone().into(), mode.into(), "-f".into(), config.into()]
	}
}

/// Whether the files on the disk are the ones that were meant, and parse.
pub fn read_back(meant: &Files, generation: &Path) -> Result<(), CheckError> {
	let found = read_files(generation).map_err(files::failed("read", generation))?;
	let differs = |file: &str| Err(CheckError::ReadBack { file: file.into() });
	for file in meant.keys().chain(found.keys()) {
		if meant.get(file) != found.get(file) {
			return differs(file);
		}
	}
	for (file, content) in &found {
		if [REVOKED_KEYS, REVOKED_HOST_KEYS].contains(&file.as_str()) {
			if Krl::decode(content).is_err() {
				return differs(file);
			}
			continue;
		}
		// Only revocation lists are binary.
		let Ok(text) = std::str::from_utf8(content) else { return differs(file) };
		let parses = match file.as_str() {
			TRUSTED_USER_CA_KEYS => {
				text.lines().all(|line| ssh_key::PublicKey::from_openssh(line).is_ok())
			},
			KNOWN_HOSTS => text.lines().all(is_known_host_ca),
			HOST_CERTIFICATE => ssh_key::Certificate::from_openssh(text).is_ok(),
			_ => true,
		};
		if !parses {
			return differs(file);
		}
	}
	Ok(())
}

fn is_known_host_ca(line: &str) -> bool {
	let mut words = line.splitn(3, ' ');
	words.next() == Some("@cert-authority")
		&& words.next().is_some_and(|hosts| !hosts.is_empty())
		&& words.next().is_some_and(|key| ssh_key::PublicKey::from_openssh(key).is_ok())
}

/// Runs a command to its end, and returns the beginning of what it said on its standard error. It is killed when its time
/// is over.
pub async fn run(command: &[OsString], timeout: Duration) -> Result<String, CommandError> {
	feed(command, None, timeout).await
}

/// As [`run`], with this on its standard input. No word of it is in an error. The command may read it, or leave it, and
/// whatever becomes of the agent meanwhile it finds all of it.
pub async fn feed(
	command: &[OsString],
	input: Option<&[u8]>,
	timeout: Duration,
) -> Result<String, CommandError> {
	// What it says may be what it has read.
	let is_secret = input.is_some();
	let shown = command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
	let failed = |problem: String| CommandError { command: shown.clone(), problem };
	let Some((program, args)) = command.split_first() else {
		return Err(failed("is empty".into()));
	};
	let stdin = match input.map(input::sealed).transpose() {
		Ok(file) => file.map_or_else(Stdio::null, Stdio::from),
		Err(error) => return Err(failed(format!("cannot be given its input: {error}"))),
	};
	steps::of_a_command("start", &shown);
	let mut child = Command::new(program)
		.args(args)
		.stdin(stdin)
		.stdout(Stdio::null())
		.stderr(Stdio::piped())
		.kill_on_drop(true)
		.spawn()
		.map_err(|error| failed(format!("cannot be run: {error}")))?;
	steps::of_a_command("wait for", &shown);
	let mut words = Vec::new();
	let status = {
		let mut heard = pin!(listen(child.stderr.take(), &mut words));
		let mut closed = false;
		let waiting = async {
			tokio::select! {
				status = child.wait() => status,
				() = &mut heard => {
					closed = true;
					child.wait().await
				},
			}
		};
		let status = tokio::time::timeout(timeout, waiting)
			.await
			.map_err(|_| failed(format!("did not end within {} s", timeout.as_secs())))?
			.map_err(|error| failed(format!("cannot be waited for: {error}")))?;
		if !closed {
			// A daemon that the command left behind may hold the pipe open, so the end of it is not waited for.
			let _ = tokio::time::timeout(LAST_WORDS, heard).await;
		}
		status
	};
	steps::of_a_command("go on after", &shown);
	let words = String::from_utf8_lossy(&words);
	let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
	if status.success() {
		return Ok(words);
	}
	let said =
		if is_secret { "what it says is withheld, as it was given a secret" } else { &words };
	Err(failed(format!("failed with {status}: {said}")))
}

/// Runs a command to its end, and returns what it printed.
async fn ask(command: &[OsString], timeout: Duration) -> Result<String, CommandError> {
	let shown = command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
	let failed = |problem: String| CommandError { command: shown.clone(), problem };
	let Some((program, args)) = command.split_first() else {
		return Err(failed("is empty".into()));
	};
	let asked = Command::new(program)
		.args(args)
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output();
	let output = tokio::time::timeout(timeout, asked)
		.await
		.map_err(|_| failed(format!("did not end within {} s", timeout.as_secs())))?
		.map_err(|error| failed(format!("cannot be run: {error}")))?;
	if !output.status.success() {
		let words = String::from_utf8_lossy(&output.stderr);
		let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
		let words: String = words.chars().take(MAX_WORDS).collect();
		return Err(failed(format!("failed with {}: {words}", output.status)));
	}
	Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads to the end, because a command blocks that nobody listens to, and keeps the beginning.
async fn listen(pipe: Option<impl AsyncRead + Unpin>, words: &mut Vec<u8>) {
	let Some(mut pipe) = pipe else { return };
	let mut buffer = [0; 4096];
	while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
		let room = MAX_WORDS.saturating_sub(words.len());
		words.extend(buffer.iter().take(length.min(room)));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn words(text: &str) -> Vec<OsString> {
		text.split('|').map(OsString::from).collect()
	}

	#[tokio::test]
	async fn a_command_tells_why_it_failed() {
		let second = Duration::from_secs(1);
		assert_eq!(run(&words("true"), second).await.unwrap(), "");
		assert_eq!(run(&words("sh|-c|echo by the way >&2"), second).await.unwrap(), "by the way");
		let error = run(&words("sh|-c|echo wrong port >&2; exit 3"), second).await.unwrap_err();
		assert!(error.problem.contains("wrong port") && error.problem.contains('3'), "{error}");
		let error = run(&words("/nonexistent"), second).await.unwrap_err();
		assert!(error.problem.contains("cannot be run"), "{error}");
		assert!(run(&[], second).await.is_err());
	}

	#[tokio::test]
	async fn a_command_that_says_more_than_a_pipe_holds_ends_all_the_same() {
		let much = words("sh|-c|head -c 1000000 /dev/zero >&2; exit 3");
		let error = run(&much, Duration::from_secs(20)).await.unwrap_err();
		assert!(error.problem.starts_with("failed with exit status: 3"), "{:?}", error.problem);
		assert!((1000..3000).contains(&error.problem.len()), "the beginning is enough");
	}

	#[tokio::test]
	async fn a_command_reads_what_it_is_fed_or_does_not() {
		let second = Duration::from_secs(10);
		let much = vec![b'x'; 1 << 20];
		let said = feed(&words("sh|-c|wc -c >&2"), Some(&much), second).await.unwrap();
		assert_eq!(said, "1048576");
		assert_eq!(feed(&words("sh|-c|wc -c >&2"), Some(b""), second).await.unwrap(), "0");
		assert!(feed(&words("true"), Some(&much), second).await.is_ok());
		for (how, ended) in [("exit 3", "exit status: 3"), ("kill -9 $$", "signal: 9")] {
			let repeats = format!("sh|-c|cat >&2; {how}");
			let error = feed(&words(&repeats), Some(b"its words"), second).await.unwrap_err();
			let said = error.problem;
			assert!(said.contains(ended) && said.contains("withheld"), "{said}");
			assert!(!said.contains("its words"), "{said}");
		}
	}

	/// More than a pipe holds, so whoever wrote to one would wait for the reader.
	#[tokio::test]
	async fn a_command_that_never_reads_its_input_is_waited_for_as_long_as_any_other() {
		let much = vec![b'x'; 1 << 20];
		let (soon, later) = (Duration::from_millis(50), Duration::from_secs(20));
		let error = feed(&words("sleep|30"), Some(&much), soon).await.unwrap_err();
		assert!(error.problem.contains("did not end"), "{error}");
		// It closes its input at once, or reads the beginning, and goes on.
		for reads in ["exec 0<&-; echo done >&2", "head -c 1; echo done >&2"] {
			let command = [words("sh|-c"), vec![reads.into()]].concat();
			assert!(feed(&command, Some(&much), later).await.unwrap().ends_with("done"), "{reads}");
		}
	}

	#[tokio::test]
	async fn a_command_changes_nothing_of_its_input_and_can_read_it_twice() {
		let later = Duration::from_secs(20);
		let tampers = words("sh|-c|echo more >> /dev/stdin");
		assert!(feed(&tampers, Some(b"content"), later).await.is_err());
		let twice = words("sh|-c|cat > /dev/null; wc -c < /dev/stdin >&2");
		assert_eq!(feed(&twice, Some(b"content"), later).await.unwrap(), "7");
	}

	#[tokio::test]
	async fn a_command_that_hangs_is_given_up() {
		let error = run(&words("sleep|30"), Duration::from_millis(50)).await.unwrap_err();
		assert!(error.problem.contains("did not end"), "{error}");
	}

	#[tokio::test]
	async fn a_daemon_left_behind_does_not_hold_the_agent_up() {
		let started = std::time::Instant::now();
		let left = run(&words("sh|-c|sleep 5 & exit 1"), Duration::from_secs(20)).await;
		assert!(left.is_err() && started.elapsed() < Duration::from_secs(4));
	}

	#[test]
	fn a_file_that_changed_on_its_way_is_noticed() {
		let dir = tempfile::tempdir().unwrap();
		std::fs::create_dir(dir.path().join("principals")).unwrap();
		let write = |name: &str, text: &[u8]| std::fs::write(dir.path().join(name), text).unwrap();
		write("principals/root", b"admin\n");
		write(TRUSTED_USER_CA_KEYS, b"");
		let meant = read_files(dir.path()).unwrap();
		read_back(&meant, dir.path()).unwrap();
		write("principals/root", b"admim\n");
		assert!(read_back(&meant, dir.path()).is_err());
		write("principals/root", b"admin\n");
		write("principals/more", b"admin\n");
		assert!(read_back(&meant, dir.path()).is_err());
	}

	#[test]
	fn files_that_sshd_could_not_read_are_refused() {
		let dir = tempfile::tempdir().unwrap();
		for (name, content) in [
			(REVOKED_KEYS, &b"no list"[..]),
			(REVOKED_KEYS, b""),
			(REVOKED_KEYS, b"\xff\xff"),
			(REVOKED_HOST_KEYS, b"no list"),
			(REVOKED_HOST_KEYS, b""),
			(TRUSTED_USER_CA_KEYS, b"no key\n"),
			(KNOWN_HOSTS, b"host ssh-ed25519 AAAA\n"),
			(HOST_CERTIFICATE, b"no certificate\n"),
		] {
			let path = dir.path().join(name);
			std::fs::write(&path, content).unwrap();
			let meant = Files::from([(name.to_owned(), content.to_vec())]);
			assert!(read_back(&meant, dir.path()).is_err(), "{name}");
			std::fs::remove_file(path).unwrap();
		}
	}
}
