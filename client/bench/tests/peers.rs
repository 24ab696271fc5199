//! The part `peers` of `scripts/bench`: what it prints when some of the others can be had and some cannot.

use serde_json::{Value, json};
use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
};
use tempfile::TempDir;

fn root() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a script of `scripts/lib` prints, and whether it ends well.
fn python(script: &str, arguments: &[&str]) -> (bool, String, String) {
	let output = Command::new("python3")
		.arg(root().join("scripts/lib").join(script))
		.args(arguments)
		.output()
		.expect("python3 starts");
	let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
	(output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn metrics(folder: &Path) -> Vec<Value> {
	let (is_done, printed, said) = python("peers.py", &["report", &folder.to_string_lossy()]);
	assert!(is_done, "{said}");
	serde_json::from_str(&printed).expect("a list of metrics")
}

/// As the tools of `client/bench/peers` leave it.
fn leave(folder: &Path, source: &str, ids: &[&str]) {
	let rows: Vec<_> = ids.iter().map(|id| json!({ "id": id, "value": 7, "runs": 1 })).collect();
	fs::write(folder.join(format!("{source}.json")), json!(rows).to_string()).expect("writes rows");
}

fn ids(metrics: &[Value], of: &[&str]) -> Vec<String> {
	let id = |metric: &Value| metric["id"].as_str().expect("a name").to_owned();
	let is_of = |id: &String| of.iter().any(|peer| id.starts_with(&format!("peers/{peer}/")));
	metrics.iter().map(id).filter(is_of).collect()
}

#[test]
fn every_row_is_there_whoever_can_be_had() {
	let folder = TempDir::new().expect("a folder");
	let place = folder.path().to_string_lossy();
	// A real authority on a small scale: one run, three certificates, twenty known ones, thirty revoked ones.
	let (is_done, _, said) = python("peers.py", &["openssl", &place, "1", "3", "20", "30"]);
	assert!(is_done, "{said}");
	fs::write(folder.path().join("evm.absent"), "npm is missing\n").expect("writes the reason");
	let metrics = metrics(folder.path());

	for metric in &metrics {
		let id = metric["id"].as_str().expect("a name");
		for column in ["class", "unit", "ratio", "target", "runs", "beside", "flatters", "load"] {
			assert!(metric.get(column).is_some(), "{id} has no {column}");
		}
		assert!(metric["met"].is_null() && metric["target"].is_null(), "{id} has a target");
		assert!(["peer", "us", "nobody"].contains(&metric["flatters"].as_str().expect("a word")));
		let is_measured = id.starts_with("peers/openssl/");
		assert_eq!(metric["value"].as_f64().is_some_and(|value| value > 0.0), is_measured, "{id}");
		let reason = match id.split('/').nth(1) {
			Some("openssl") => None,
			Some("evm") => Some("npm is missing"),
			_ => Some("it was not measured"),
		};
		assert_eq!(metric.get("absent").and_then(Value::as_str), reason, "{id}");
	}
	let peers = ["evm", "openssl", "clubcard", "tlog", "akd"];
	assert_eq!(ids(&metrics, &peers).len(), metrics.len());
	for peer in peers {
		assert!(!ids(&metrics, &[peer]).is_empty(), "{peer} has no row");
	}
}

#[test]
fn a_source_that_leaves_a_row_out_or_knows_one_more_is_refused() {
	let folder = TempDir::new().expect("a folder");
	let none = metrics(folder.path());
	let rust = ids(&none, &["clubcard", "tlog", "akd"]);
	let all: Vec<_> = rust.iter().map(String::as_str).collect();
	let place = folder.path().to_string_lossy();
	leave(folder.path(), "rust", &all);
	assert_eq!(metrics(folder.path()).iter().filter(|it| it["value"] == 7).count(), all.len());

	leave(folder.path(), "rust", &all[1..]);
	let (is_done, _, said) = python("peers.py", &["report", &place]);
	assert!(!is_done && said.contains(all[0]), "{said}");
	leave(folder.path(), "rust", &[&all[..], &["peers/akd/other"]].concat());
	let (is_done, _, said) = python("peers.py", &["report", &place]);
	assert!(!is_done && said.contains("peers/akd/other"), "{said}");
}

#[test]
fn the_report_shows_others_beside_ours() {
	let folder = TempDir::new().expect("a folder");
	let rust = ids(&metrics(folder.path()), &["clubcard", "tlog", "akd"]);
	leave(folder.path(), "rust", &rust.iter().map(String::as_str).collect::<Vec<_>>());
	let write = |name: &str, metrics: Value| {
		fs::write(folder.path().join(name), metrics.to_string()).expect("writes metrics");
	};
	write("peers.json", metrics(folder.path()).into());
	let ours = json!({
		"id": "M7/bytes", "class": "T4", "value": 125_731, "unit": "bytes of the call",
		"ratio": null, "target": null, "met": null, "runs": 1,
	});
	write("fleet.json", json!([ours]));
	let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
	let (is_done, table, said) =
		python("report.py", &[&path("report.json"), &path("fleet"), &path("peers")]);
	assert!(is_done, "{said}");
	let line = |start: &str, other: &str| {
		table.lines().any(|line| line.starts_with(start) && line.contains(other))
	};
	assert!(line("peers/clubcard/one-of-100 ", "M7/bytes"), "{table}");
	assert!(line("peers/clubcard/one-of-100 ", "125731"), "{table}");
	// What this report does not have stays open, and what could not be had stands in the first table only.
	assert!(line("peers/tlog/ingest ", " M1"), "{table}");
	assert_eq!(table.lines().filter(|it| it.starts_with("peers/evm/transfer")).count(), 1);
}

#[test]
fn each_row_is_explained() {
	let folder = TempDir::new().expect("a folder");
	let text = fs::read_to_string(root().join("docs/peers.md")).expect("docs/peers.md is there");
	for metric in metrics(folder.path()) {
		let id = metric["id"].as_str().expect("a name").trim_start_matches("peers/");
		let named: Vec<_> =
			text.lines().filter(|line| line.starts_with(&format!("| `{id}`"))).collect();
		let [line] = named[..] else { panic!("docs/peers.md has {} lines for {id}", named.len()) };
		if let Some(beside) = metric["beside"].as_str() {
			assert!(line.contains(&format!("`{beside}`")), "{id} stands beside {beside}: {line}");
		}
		let flatters = metric["flatters"].as_str().expect("a word");
		assert!(
			line.trim_end_matches(" |").ends_with(flatters),
			"{id} flatters {flatters}: {line}"
		);
	}
}
