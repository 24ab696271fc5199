//! Packages of the public JavaScript registry, by the lock files in the repository.

use crate::target;
use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
};

/// Copies a folder of `client` to where builds go, and installs what the lock file of the package in it names, unless that is
/// there already. Gives where the package is.
pub fn install(folder: &str, package: &str, options: &[&str]) -> PathBuf {
	let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
	let name = Path::new(folder).file_name().expect("a folder has a name");
	let copied = target().join("e2e").join(name);
	copy(&source, &copied);

	let package = copied.join(package);
	let lock = fs::read(package.join("package-lock.json")).expect("the package has a lock file");
	let installed = package.join("node_modules/.installed-lock.json");
	if fs::read(&installed).is_ok_and(|of| of == lock) {
		return package;
	}
	// No scripts: nothing that is installed has any business to run here.
	let output = Command::new("npm")
		.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
		.args(options)
		.current_dir(&package)
		.output()
		.expect("npm starts: scripts/setup installs it");
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	fs::write(installed, lock).expect("notes what is installed");
	package
}

fn copy(source: &Path, place: &Path) {
	fs::create_dir_all(place).expect("creates the folder of the package");
	for entry in fs::read_dir(source).expect("the package is in the repository") {
		let entry = entry.expect("it can be listed");
		let (from, to) = (entry.path(), place.join(entry.file_name()));
		if from.is_file() {
			fs::copy(from, to).expect("copies a file of the package");
		} else if entry.file_name() != "node_modules" {
			copy(&from, &to);
		}
	}
}
