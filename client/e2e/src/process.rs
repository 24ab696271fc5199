//! Child processes that cannot outlive their test.

use crate::workspace::target;
use std::{
	ffi::OsStr,
	fs::{self, File},
	io::{BufRead, BufReader, Write},
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	sync::{
		Mutex, PoisonError,
		mpsc::{self, RecvTimeoutError},
	},
	time::{Duration, Instant},
};

/// How long anything may take that should take a few seconds. Not a measurement: only the end of patience.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Names the folder in which nodes keep the runtime as they have compiled it: one for all of them, since they have few
/// different runtimes and compiling is nearly all of what a start takes.
const RUNTIME_CACHE: &str = "DPKI_RUNTIME_CACHE";

/// A running child. It is killed when this is dropped, and by the kernel should the test itself be killed.
pub struct Process {
	child: Child,
	log: PathBuf,
	/// What it said and nobody has waited for.
	lines: Mutex<mpsc::Receiver<String>>,
}

impl Process {
	/// Starts `program` with its error output in `log`.
	pub fn start<A: AsRef<OsStr>>(
		program: &Path,
		args: impl IntoIterator<Item = A>,
		log: &Path,
	) -> Self {
		Self::spawn(program, args, log)
	}

	/// Starts `program` with its error output in `log`, waits until a line of it contains `ready`, and gives that line.
	///
	/// If the program ends before, or [`PATIENCE`] does, the error is a sentence with all that it said.
	pub fn start_until<A: AsRef<OsStr>>(
		program: &Path,
		args: impl IntoIterator<Item = A>,
		log: &Path,
		ready: &str,
	) -> Result<(Self, String), String> {
		let process = Self::spawn(program, args, log);
		let line = process.until(ready).map_err(|said| format!("{}: {said}", program.display()))?;
		Ok((process, line))
	}

	/// Waits until a line of its error output contains `words`, and gives that line; lines that were waited over are gone.
	///
	/// If the program ends before, or [`PATIENCE`] does, the error is a sentence with all that it said.
	pub fn until(&self, words: &str) -> Result<String, String> {
		let deadline = Instant::now() + PATIENCE;
		let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
		loop {
			let left = deadline.checked_duration_since(Instant::now());
			match left.and_then(|left| lines.recv_timeout(left).ok()) {
				Some(line) if line.contains(words) => return Ok(line),
				Some(_) => {},
				None => return Err(format!("it never said '{words}'; it said:\n{}", self.log())),
			}
		}
	}

	fn spawn<A: AsRef<OsStr>>(
		program: &Path,
		args: impl IntoIterator<Item = A>,
		log: &Path,
	) -> Self {
		// The kernel ends the child with the thread that started it, which is the thread of the test.
		let mut child = Command::new("setpriv")
			.args(["--pdeathsig", "KILL"])
			.arg(program)
			.args(args)
			.env(RUNTIME_CACHE, runtime_cache())
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.spawn()
			.unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
		let stderr = child.stderr.take().expect("the error output is piped");
		let mut file = File::options().create(true).append(true).open(log).expect("opens its log");
		let (sender, lines) = mpsc::channel::<String>();
		std::thread::spawn(move || {
			for line in BufReader::new(stderr).lines().map_while(Result::ok) {
				let _ = writeln!(file, "{line}");
				let _ = sender.send(line);
			}
		});
		Self { child, log: log.to_path_buf(), lines: Mutex::new(lines) }
	}

	/// What it said so far.
	pub fn log(&self) -> String {
		fs::read_to_string(&self.log).unwrap_or_default()
	}

	/// Its process id.
	pub fn id(&self) -> u32 {
		self.child.id()
	}

	/// Lets it do nothing any more, with everything that it has open.
	pub fn freeze(&self) {
		self.signal("-STOP");
	}

	/// Lets it go on after [`Process::freeze`].
	pub fn thaw(&self) {
		self.signal("-CONT");
	}

	fn signal(&self, signal: &str) {
		let id = self.id().to_string();
		let sent = run(Path::new("/bin/kill"), [signal, &id]);
		assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
	}

	/// Whether it has not ended by itself.
	pub fn runs(&self) -> bool {
		let state = fs::read_to_string(format!("/proc/{}/stat", self.id()));
		// Ended and not waited for: the third field, behind the name in parentheses.
		state
			.is_ok_and(|state| !state.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
	}

	/// Ends it now.
	pub fn stop(self) {}

	/// Asks it to end, as a service manager does, and waits until it has.
	///
	/// # Panics
	///
	/// If it has not after [`PATIENCE`].
	pub fn end(mut self) {
		self.signal("-TERM");
		let deadline = Instant::now() + PATIENCE;
		let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
		// Its error output is closed when it has ended: whoever reads it hangs up.
		while let Some(left) = deadline.checked_duration_since(Instant::now()) {
			match lines.recv_timeout(left) {
				Ok(_) => {},
				Err(RecvTimeoutError::Disconnected) => break,
				Err(RecvTimeoutError::Timeout) => {
					panic!("it does not end; it said:\n{}", self.log())
				},
			}
		}
		drop(lines);
		self.child.wait().expect("it can be waited for");
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

fn runtime_cache() -> PathBuf {
	target().join("runtime-cache")
}

/// Runs a command to its end.
pub fn run<A: AsRef<OsStr>>(program: &Path, args: impl IntoIterator<Item = A>) -> Output {
	Command::new(program)
		.args(args)
		.env(RUNTIME_CACHE, runtime_cache())
		.stdin(Stdio::null())
		.output()
		.unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()))
}
