// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What is shipped for those who run nodes: systemd units, containers, alerts.

use serde_json::Value;
use std::{
	collections::BTreeSet,
	fs,
	io::{BufRead, BufReader, Read, Write},
	net::TcpStream,
	path::Path,
	process::{Child, Command, Output, Stdio},
	sync::mpsc,
	thread,
	time::Duration,
};
use tempfile::TempDir;

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

/// Where Prometheus's files are.
const PROMETHEUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/prometheus");
const ALERTS: &str = include_str!("../../docker/prometheus/alerts.yml");
const ALERTS_TEST: &str = include_str!("../../docker/prometheus/alerts_test.yml");
const DASHBOARD: &str = include_str!("../../docker/grafana/dashboards/dpki.json");
const DATA_SOURCE: &str =
	include_str!("../../docker/grafana/provisioning/datasources/prometheus.yml");

/// Why there is nothing to run.
const SETUP: &str = "Prometheus can be run: scripts/setup installs Debian's package `prometheus`";

/// For how long Prometheus may be silent while it starts.
const PATIENCE: Duration = Duration::from_secs(60);

fn alerts() -> BTreeSet<&'static str> {
	ALERTS
		.lines()
		.filter_map(|line| line.trim().strip_prefix("- alert: "))
		.collect()
}

#[test]
fn alerts_fire_when_they_should_and_not_while_all_is_well() {
	let untested: Vec<_> = alerts()
		.into_iter()
		.filter(|alert| !ALERTS_TEST.contains(&format!("alertname=\"{alert}\"")))
		.collect();
	assert!(untested.is_empty(), "alerts_test.yml does not name {untested:?}");

	let promtool = |folder: &Path, words: [&str; 3]| {
		Command::new("promtool").args(words).current_dir(folder).output().expect(SETUP)
	};
	let shipped = Path::new(PROMETHEUS);
	for words in [
		["check", "config", "prometheus.yml"],
		["check", "rules", "alerts.yml"],
		["test", "rules", "alerts_test.yml"],
	] {
		let checked = promtool(shipped, words);
		assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
	}

	let broken = tempfile::tempdir().unwrap();
	let deaf = ALERTS.replace("up{job=\"dpki\"} == 0", "up{job=\"dpki\"} == 2");
	fs::write(broken.path().join("alerts.yml"), deaf).unwrap();
	fs::write(broken.path().join("alerts_test.yml"), ALERTS_TEST).unwrap();
	let tested = promtool(broken.path(), ["test", "rules", "alerts_test.yml"]);
	assert!(!tested.status.success(), "the test can fail");
}

/// A Prometheus with the configuration that is shipped; it ends with this.
struct Prometheus {
	process: Child,
	address: String,
	/// What it stores; nobody reads it.
	_folder: TempDir,
}

impl Prometheus {
	fn start() -> Self {
		let folder = tempfile::tempdir().unwrap();
		let mut process = Command::new("prometheus")
			.arg(format!("--config.file={PROMETHEUS}/prometheus.yml"))
			.arg(format!("--storage.tsdb.path={}", folder.path().display()))
			.arg("--web.listen-address=127.0.0.1:0")
			.stderr(Stdio::piped())
			.spawn()
			.expect(SETUP);
		// It is read until its end, without which Prometheus would stop at a full pipe.
		let log = BufReader::new(process.stderr.take().expect("it is piped"));
		let (sender, lines) = mpsc::channel();
		thread::spawn(move || {
			for line in log.lines().map_while(Result::ok) {
				// Nobody listens any more once it is ready.
				let _ = sender.send(line);
			}
		});
		let mut prometheus = Self { process, address: String::new(), _folder: folder };
		let mut said = String::new();
		loop {
			let line = lines
				.recv_timeout(PATIENCE)
				.unwrap_or_else(|_| panic!("Prometheus does not start: {said}"));
			if let Some((_, address)) = line.split_once("\"Listening on\" address=") {
				prometheus.address = address.trim().to_owned();
			}
			if line.contains("Server is ready to receive web requests") {
				return prometheus;
			}
			said += &(line + "\n");
		}
	}

	/// What it answers to this request.
	fn get(&self, path: &str) -> Value {
		let mut stream = TcpStream::connect(&self.address).expect("it listens");
		// Of this version, so that the answer is in one piece and ends with the connection.
		write!(stream, "GET /api/v1/{path} HTTP/1.0\r\n\r\n").unwrap();
		let mut answer = String::new();
		stream.read_to_string(&mut answer).unwrap();
		let (_, body) = answer.split_once("\r\n\r\n").expect("there is an answer");
		serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
	}

	/// Whether it understands a query.
	fn understands(&self, query: &str) -> bool {
		let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
		self.get(&format!("query?query={query}"))["status"] == "success"
	}
}

impl Drop for Prometheus {
	fn drop(&mut self) {
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
}

/// The names of the metrics are held against a running node elsewhere.
#[test]
fn prometheus_loads_the_alerts_and_understands_what_the_dashboard_asks() {
	let prometheus = Prometheus::start();
	let groups = prometheus.get("rules")["data"]["groups"].clone();
	let rules = groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array());
	let loaded: BTreeSet<_> =
		rules.flatten().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect();
	assert_eq!(loaded.iter().map(String::as_str).collect::<BTreeSet<_>>(), alerts());

	let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
	let uid = DATA_SOURCE.lines().find_map(|line| line.trim().strip_prefix("uid: ")).unwrap();
	let mut asked = 0;
	for panel in dashboard["panels"].as_array().unwrap() {
		for target in panel["targets"].as_array().into_iter().flatten() {
			let query = target["expr"].as_str().unwrap();
			assert!(prometheus.understands(query), "{}: {query}", panel["title"]);
			assert_eq!(panel["datasource"]["uid"], uid, "{}", panel["title"]);
			asked += 1;
		}
	}
	assert!(asked > 10, "{asked}");
	assert!(!prometheus.understands("max(dpki_anchors"), "the test can fail");
}
