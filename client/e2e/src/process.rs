//! Child processes that cannot outlive their test.

use std::{
	ffi::OsStr,
	fs::{self, File},
	io::{BufRead, BufReader, Write},
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	sync::mpsc,
	time::Duration,
};

/// How long anything may take that should take a few seconds. Not a measurement: only the end of patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running child. It is killed when this is dropped, and by the kernel should the test itself be killed.
pub struct Process {
	child: Child,
	log: PathBuf,
}

impl Process {
	/// Starts `program` with its error output in `log`.
	///
	/// If `ready` is given, waits until a line of the error output contains it.
	pub fn start<A: AsRef<OsStr>>(
		program: &Path,
		args: impl IntoIterator<Item = A>,
		log: &Path,
		ready: Option<&str>,
	) -> Self {
		// The kernel ends the child with the thread that started it, which is the thread of the test.
		let mut child = Command::new("setpriv")
			.args(["--pdeathsig", "KILL"])
			.arg(program)
			.args(args)
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
		let process = Self { child, log: log.to_path_buf() };
		if let Some(ready) = ready {
			loop {
				match lines.recv_timeout(PATIENCE) {
					Ok(line) if line.contains(ready) => break,
					Ok(_) => {},
					Err(_) => panic!(
						"{} never said '{ready}'; it said:\n{}",
						program.display(),
						process.log()
					),
				}
			}
		}
		process
	}

	/// What it said so far.
	pub fn log(&self) -> String {
		fs::read_to_string(&self.log).unwrap_or_default()
	}

	/// Its process id.
	pub fn id(&self) -> u32 {
		self.child.id()
	}

	/// Ends it now.
	pub fn stop(self) {}
}

impl Drop for Process {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// Runs a command to its end.
pub fn run<A: AsRef<OsStr>>(program: &Path, args: impl IntoIterator<Item = A>) -> Output {
	Command::new(program)
		.args(args)
		.stdin(Stdio::null())
		.output()
		.unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()))
}
