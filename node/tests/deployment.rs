// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What is shipped for those who run nodes: systemd units, containers, alerts.

use std::{
	collections::BTreeSet,
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
			let asked = Command::new("systemd-analyze").args(command).arg(&path).output();
			asked.expect(
				"systemd-analyze can be run: scripts/setup installs Debian's package `systemd`",
			)
		};
		let verify = ["verify", "--man=no"];
		let verified = analyze(unit, &verify);
		// It complains about much of what it does not know without failing.
		let complaint = |output: &Output| {
			let said = String::from_utf8_lossy(&output.stderr).into_owned();
			said.lines().find(|line| line.contains(name)).map(str::to_owned)
		};
		assert_eq!((verified.status.code(), complaint(&verified)), (Some(0), None));
		let broken = analyze(&unit.replace("ProtectClock=", "ProtectClocks="), &verify);
		assert!(complaint(&broken).is_some(), "the test can fail: {broken:?}");

		let judge = ["security", "--offline=yes", MAX_EXPOSURE];
		let judged = analyze(unit, &judge);
		assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
		let bare = unit.replace("ProtectSystem=", "#").replace("CapabilityBoundingSet=", "#");
		assert!(!analyze(&bare, &judge).status.success(), "the test can fail");
	}
}

#[test]
fn the_options_in_units_and_containers_are_options_of_the_node() {
	let help = Command::new(env!("CARGO_BIN_EXE_dpki-node")).arg("--help").output().unwrap();
	let help = String::from_utf8(help.stdout).unwrap();
	let units = UNITS.into_iter().flat_map(|(_, unit)| {
		let command = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
		command.split(' ').filter(|word| word.starts_with("--"))
	});
	let containers = include_str!("../../docker/compose.yml").lines().map(str::trim);
	let containers = containers.filter_map(|line| line.strip_prefix("- --"));
	let options: BTreeSet<_> = units
		.map(|option| option.trim_start_matches("--"))
		.chain(containers)
		.map(|option| option.split('=').next().unwrap())
		.collect();
	assert!(options.contains("validator") && options.contains("rpc-external"), "{options:?}");
	let known = |option: &str| help.split_whitespace().any(|word| word == format!("--{option}"));
	let unknown: Vec<_> = options.into_iter().filter(|option| !known(option)).collect();
	assert!(unknown.is_empty(), "{unknown:?}");
}

/// Debian's package `prometheus` has the program; the names of the metrics are held against a running node elsewhere.
#[test]
fn prometheus_understands_the_alerts() {
	let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/prometheus");
	for (check, file) in [("config", "prometheus.yml"), ("rules", "alerts.yml")] {
		let file = format!("{folder}/{file}");
		match Command::new("promtool").args(["check", check, &file]).output() {
			Err(error) if error.kind() == ErrorKind::NotFound => {
				eprintln!("not tested, promtool is missing: install the package prometheus");
				return;
			},
			checked => {
				let checked = checked.unwrap();
				assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
			},
		}
	}
}
