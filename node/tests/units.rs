// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The systemd units that are shipped.

use std::{
	fs,
	io::ErrorKind,
	process::{Command, Output},
};

const UNITS: [(&str, &str); 2] = [
	("dpki-validator.service", include_str!("../systemd/dpki-validator.service")),
	("dpki-node.service", include_str!("../systemd/dpki-node.service")),
];

/// The most that systemd may find to complain about, of 100: below 20 it calls a unit well protected.
const MAX_EXPOSURE: &str = "--threshold=20";

#[test]
fn systemd_understands_the_units_and_finds_them_protected() {
	let folder = tempfile::tempdir().unwrap();
	for (name, unit) in UNITS {
		let path = folder.path().join(name);
		let analyze = |unit: &str, command: &[&str]| {
			// The program need not be installed.
			let unit = unit.replace("/usr/bin/dpki-node", env!("CARGO_BIN_EXE_dpki-node"));
			fs::write(&path, unit).unwrap();
			Command::new("systemd-analyze").args(command).arg(&path).output()
		};
		let verify = ["verify", "--man=no"];
		let verified = match analyze(unit, &verify) {
			Err(error) if error.kind() == ErrorKind::NotFound => {
				eprintln!("not tested, systemd-analyze is missing: install the package systemd");
				return;
			},
			verified => verified.unwrap(),
		};
		// It complains about much of what it does not know without failing.
		let complaint = |output: &Output| {
			let said = String::from_utf8_lossy(&output.stderr).into_owned();
			said.lines().find(|line| line.contains(name)).map(str::to_owned)
		};
		assert_eq!((verified.status.code(), complaint(&verified)), (Some(0), None));
		let broken = analyze(&unit.replace("ProtectClock=", "ProtectClocks="), &verify).unwrap();
		assert!(complaint(&broken).is_some(), "the test can fail: {broken:?}");

		let judge = ["security", "--offline=yes", MAX_EXPOSURE];
		let judged = analyze(unit, &judge).unwrap();
		assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
		let bare = unit.replace("ProtectSystem=", "#").replace("CapabilityBoundingSet=", "#");
		assert!(!analyze(&bare, &judge).unwrap().status.success(), "the test can fail");
	}
}

#[test]
fn the_options_in_the_units_are_options_of_the_node() {
	let help = Command::new(env!("CARGO_BIN_EXE_dpki-node")).arg("--help").output().unwrap();
	let help = String::from_utf8(help.stdout).unwrap();
	for (name, unit) in UNITS {
		let command = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
		for option in command.split(' ').filter(|word| word.starts_with("--")) {
			let option = option.split('=').next().unwrap();
			assert!(help.contains(option), "{name}: {option}");
		}
	}
}
