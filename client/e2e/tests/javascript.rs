//! The chain as JavaScript programs see it: the public packages, from the lock file of `client/js`, against a real node.

use dpki_e2e::{Fleet, hex, target};
use dpki_primitives::ids::OrganisationId;
use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
};

#[tokio::test]
async fn the_public_packages_read_submit_and_follow() {
	let fleet = Fleet::start("javascript");
	for kind in ["ssh-user-ca", "ssh-host-ca"] {
		fleet.add_ssh_ca(kind);
	}
	let listed = fleet.admin.ok(["anchor", "list", "--org", "acme"]);
	let anchors: Vec<_> = listed
		.as_array()
		.expect("a list")
		.iter()
		.map(|anchor| anchor["anchor"].as_str().expect("an id"))
		.collect();

	let package = install();
	let output = Command::new("npm")
		.args(["test", "--silent"])
		.current_dir(&package)
		.env("DPKI_URL", fleet.node.url())
		.env("DPKI_GENESIS", hex(&fleet.node.client().await.genesis_hash()))
		.env("DPKI_ORGANISATION", OrganisationId::from_name(b"acme").to_string())
		.env("DPKI_ANCHORS", anchors.join(","))
		.output()
		.expect("npm starts");
	let said = String::from_utf8_lossy(&output.stdout);
	assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
	// A runner that finds no tests succeeds, too.
	let passed = said.lines().find_map(|line| line.strip_prefix("# pass "));
	assert!(passed.is_some_and(|count| count != "0"), "{said}");
}

/// Copies `client/js` to where builds go and installs what its lock file names, unless that is there already.
fn install() -> PathBuf {
	let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../js");
	let package = target().join("e2e/js");
	fs::create_dir_all(package.join("test")).expect("creates the folder of the package");
	for entry in ["", "test"] {
		for file in fs::read_dir(source.join(entry)).expect("the package is in the repository") {
			let file = file.expect("it can be listed");
			if file.path().is_file() {
				let copy = package.join(entry).join(file.file_name());
				fs::copy(file.path(), copy).expect("copies a file of the package");
			}
		}
	}

	let lock = fs::read(package.join("package-lock.json")).expect("the package has a lock file");
	let installed = package.join("node_modules/.installed-lock.json");
	if fs::read(&installed).is_ok_and(|of| of == lock) {
		return package;
	}
	// No scripts: nothing that is installed has any business to run here.
	let output = Command::new("npm")
		.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
		.current_dir(&package)
		.output()
		.expect("npm starts: scripts/setup installs it");
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	fs::write(installed, lock).expect("notes what is installed");
	package
}
