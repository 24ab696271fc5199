//! Where a test keeps its files, and where the binaries are.

use std::{
	fs,
	io::Write,
	os::unix::fs::DirBuilderExt,
	path::{Path, PathBuf},
};

/// The folder of one test. It is removed when the test passes and kept when it fails.
pub struct Workspace {
	path: PathBuf,
}

impl Workspace {
	/// An empty folder for the test of this name.
	pub fn new(test: &str) -> Self {
		let path = target().join("e2e").join(format!("{test}-{}", std::process::id()));
		let _ = fs::remove_dir_all(&path);
		fs::DirBuilder::new()
			.recursive(true)
			.mode(0o755)
			.create(&path)
			.expect("creates its folder");
		Self { path }
	}

	/// A path inside the folder.
	pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
		self.path.join(name)
	}

	/// The folder.
	pub fn path(&self) -> &Path {
		&self.path
	}
}

impl Drop for Workspace {
	fn drop(&mut self) {
		if std::thread::panicking() {
			eprintln!("the files of the failed test are kept in {}", self.path.display());
		} else {
			let _ = fs::remove_dir_all(&self.path);
		}
	}
}

/// Where `scripts/test` collects what could not be tested, or `fail`.
const UNTESTED: &str = "DPKI_UNTESTED";

/// Says that this machine cannot test something, and why: whoever works on the project without root goes on. `scripts/test`
/// tells it at its end, so that a run that tests nothing does not pass for one that finds nothing.
///
/// # Panics
///
/// Where `DPKI_UNTESTED` is `fail`, or names a file that cannot be written.
pub fn untested(reason: impl std::fmt::Display) {
	eprintln!("not tested: {reason}");
	let Some(place) = std::env::var_os(UNTESTED) else { return };
	assert_ne!(place, "fail", "cannot be tested: {reason}");
	let file = fs::OpenOptions::new().append(true).create(true).open(&place);
	let written = file.and_then(|mut file| writeln!(file, "{reason}"));
	written.unwrap_or_else(|error| panic!("{}: {error}", place.display()));
}

/// The folder of the profile that this program was built in; the binaries lie in the same one, tests one below.
pub fn target() -> PathBuf {
	let program = std::env::current_exe().expect("a running program has a path");
	let folder = program.parent().expect("target/PROFILE/deps/TEST or target/PROFILE/PROGRAM");
	let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
	profile.expect("target/PROFILE").to_path_buf()
}

/// Names a node that is taken in the place of the one that was built with the tests, such as one with another database.
const OTHER_NODE: &str = "DPKI_NODE";

/// The path of one of the project's binaries. That of the node can be another one, which the variable `DPKI_NODE` names.
pub fn binary(name: &str) -> PathBuf {
	let other = std::env::var_os(OTHER_NODE).filter(|_| name == "dpki-node");
	let path = other.map_or_else(|| target().join(name), PathBuf::from);
	assert!(
		path.exists(),
		"{} is missing: build it with `cargo build --workspace --all-targets`",
		path.display()
	);
	path
}
