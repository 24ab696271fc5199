//! The runner of the x509-limbo format, on a file made here. The public suite is run by `scripts/test limbo FILE`.

mod common;

use common::{Draft, NOT_BEFORE, World, dns};
use dpki_x509::limbo::{Question, Tally, run};
use serde_json::{Value, json};
use x509_cert::{
	Certificate,
	der::{Decode, EncodePem, pem::LineEnding},
};

fn pem(der: &[u8]) -> String {
	Certificate::from_der(der).unwrap().to_pem(LineEnding::LF).unwrap()
}

/// A case of a device `a.org`, after changes to its JSON.
fn case(id: &str, expected: &str, change: impl FnOnce(&mut Value)) -> Value {
	let world = World::new();
	let device = Draft::with_names(world.device_draft(), &[dns("a.org")]);
	let mut case = json!({
		"id": id,
		"features": [],
		"validation_kind": "SERVER",
		"trusted_certs": [pem(&world.root_draft().der(&world.root))],
		"untrusted_intermediates": [pem(&world.ca_draft().der(&world.root))],
		"peer_certificate": pem(&device.der(&world.ca)),
		"validation_time": "2025-06-01T00:00:00.5+00:00",
		"signature_algorithms": [],
		"key_usage": [],
		"extended_key_usage": [],
		"expected_result": expected,
		"expected_peer_name": { "kind": "DNS", "value": "a.org" },
		"expected_peer_names": [],
		"max_chain_depth": null,
		"crls": [],
	});
	change(&mut case);
	case
}

/// The verdict on one case, and why.
fn judge(change: impl FnOnce(&mut Value)) -> (Option<bool>, String) {
	let file = json!({ "version": 1, "testcases": [case("rfc5280::x", "SUCCESS", change)] });
	let report = run(&file.to_string(), NOT_BEFORE).unwrap();
	(report.cases[0].accepted, report.cases[0].reason.clone())
}

fn refused(reason: &str) -> (Option<bool>, String) {
	(Some(false), reason.into())
}

#[test]
fn cases_are_summed_up_by_group() {
	let file = json!({ "version": 1, "testcases": [
		case("rfc5280::good", "SUCCESS", |_| {}),
		case("rfc5280::bad", "FAILURE", |case| case["untrusted_intermediates"] = json!([])),
		case("rfc5280::strict", "SUCCESS", |case| case["trusted_certs"] = json!([])),
		case("other::unsafe", "FAILURE", |_| {}),
		case("other::kind", "FAILURE", |case| case["validation_kind"] = json!("OTHER")),
	]});
	let report = run(&file.to_string(), NOT_BEFORE).unwrap();
	assert_eq!(report.groups["rfc5280"], Tally { agreed: 2, disagreed: 1, skipped: 0 });
	assert_eq!(report.groups["other"], Tally { agreed: 0, disagreed: 1, skipped: 1 });
	let ids: Vec<_> = report.unsafe_accepts().map(|case| case.id.as_str()).collect();
	assert_eq!(ids, ["other::unsafe"]);
	let text = report.to_string();
	for line in [
		"all                    2         2       1",
		"disagreed  rfc5280::strict: refused (PathNotFound)",
		"UNSAFE     other::unsafe: accepted, and must be refused",
		"skipped    other::kind: validation kind OTHER",
	] {
		assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
	}
}

#[test]
fn the_peer_has_every_expected_name() {
	let name = |kind: &str, value: &str| json!({ "kind": kind, "value": value });
	let with = |name| judge(|case| case["expected_peer_name"] = name);
	assert_eq!(with(name("DNS", "b.org")), refused("SubjectNameMismatch"));
	assert_eq!(with(name("IP", "10.0.0.1")), refused("SubjectNameMismatch"));
	assert_eq!(with(name("IP", "::1")), refused("SubjectNameMismatch"));
	assert_eq!(with(name("IP", "a.org")), refused("SubjectNameMismatch"));
	assert_eq!(with(Value::Null), (Some(true), String::new()));
	assert_eq!(with(name("OTHER", "a")).0, None);
	let list = json!([name("RFC822", "a@b.org")]);
	assert_eq!(judge(|case| case["expected_peer_names"] = list), refused("SubjectNameMismatch"));
}

#[test]
fn time_depth_usage_and_purpose_are_regarded() {
	let set = |field: &str, value: Value| judge(|case| case[field] = value);
	assert_eq!(
		set("validation_time", json!("2050-01-01T00:00:00Z")),
		refused("CertificateExpired")
	);
	assert_eq!(set("validation_time", Value::Null).0, Some(true));
	assert_eq!(set("validation_time", json!("2025-06-01T00:00:00+02:00")).0, None);
	assert_eq!(set("max_chain_depth", json!(0)), refused("PathLengthExceeded"));
	assert_eq!(set("max_chain_depth", json!(1000)).0, Some(true));
	assert_eq!(set("key_usage", json!(["keyCertSign"])), refused("KeyUsageMismatch"));
	assert_eq!(set("key_usage", json!(["digitalSignature"])).0, Some(true));
	assert_eq!(set("extended_key_usage", json!(["serverAuth", "clientAuth"])).0, Some(true));
	assert_eq!(set("extended_key_usage", json!(["unheardOf"])).0, None);
}

#[test]
fn what_is_not_claimed_is_skipped_and_says_so() {
	let (accepted, reason) =
		judge(|case| case["features"] = json!(["pedantic-public-suffix-wildcard"]));
	assert_eq!(accepted, None);
	assert!(reason.contains("public suffixes"), "{reason}");
	assert_eq!(judge(|case| case["signature_algorithms"] = json!(["RSA_WITH_SHA256"])).0, None);
}

#[test]
fn certificates_that_cannot_be_read_are_not_in_the_pool_and_are_named() {
	let (accepted, reason) = judge(|case| case["trusted_certs"] = json!(["no certificate"]));
	assert_eq!(accepted, Some(false));
	assert_eq!(reason, "PathNotFound; trusted 0: CertificateMalformed");
	assert_eq!(
		judge(|case| case["peer_certificate"] = json!("none")),
		refused("CertificateMalformed")
	);
	assert_eq!(judge(|case| case["crls"] = json!(["none"])), refused("RevocationListMalformed"));
}

#[test]
fn groups_about_the_web_are_judged_as_such() {
	let file = json!({ "version": 1, "testcases": [case("webpki::x", "FAILURE", |_| {})] });
	let report = run(&file.to_string(), NOT_BEFORE).unwrap();
	assert_eq!(report.cases[0].reason, "ProfileExtendedKeyUsageMismatch");
}

#[test]
fn what_is_no_file_of_the_format_is_an_error() {
	assert!(run("", 0).is_err());
	assert!(run("{}", 0).is_err());
	let file = json!({ "version": 1, "testcases": [case("a::b", "PERHAPS", |_| {})] });
	assert!(run(&file.to_string(), 0).unwrap_err().contains("PERHAPS"));
}

/// What a chain can be asked about a case, after changes to its JSON.
fn question(change: impl FnOnce(&mut Value)) -> Question {
	let file = json!({ "version": 1, "testcases": [case("rfc5280::x", "SUCCESS", change)] });
	let report = run(&file.to_string(), NOT_BEFORE).unwrap();
	report.cases.into_iter().next().unwrap().question.expect("it can be asked")
}

#[test]
fn a_chain_is_asked_about_the_path_and_not_about_what_tools_ask_beyond() {
	let world = World::new();
	let asked = question(|_| {});
	let (anchor, chain) = asked.path.expect("there is a path");
	assert_eq!(anchor, world.root_draft().der(&world.root));
	assert_eq!(chain, [asked.leaf, world.ca_draft().der(&world.root)]);
	// A name, a use of the key and a depth are the tool's own.
	let name = json!({ "kind": "DNS", "value": "b.org" });
	assert!(question(|case| case["expected_peer_name"] = name).path.is_some());
	assert!(question(|case| case["max_chain_depth"] = json!(0)).path.is_some());
	// The time, and who issued it, are the chain's.
	let late = json!("2050-01-01T00:00:00Z");
	assert!(question(|case| case["validation_time"] = late).path.is_none());
	assert!(question(|case| case["untrusted_intermediates"] = json!([])).path.is_none());
}

/// Holds the page to itself; `scripts/test limbo FILE` holds it to the file.
#[test]
fn the_published_score_adds_up() {
	let docs = include_str!("../../../docs/x509.md");
	let row = docs.lines().find(|line| line.starts_with("| x509-limbo,")).unwrap();
	let score: Vec<usize> = row.split(['|', ' ']).filter_map(|word| word.parse().ok()).collect();
	let [cases, agreed, disagreed, skipped] = score[..] else { panic!("{score:?}") };
	assert_eq!(agreed + disagreed + skipped, cases);
	let (_, groups) = docs.split_once("Limbo cases:").unwrap();
	let groups = groups.split(';').next().unwrap().split([',', ' ', '\n']);
	assert_eq!(groups.filter_map(|word| word.parse::<usize>().ok()).sum::<usize>(), cases);
	let (_, listed) = docs.split_once("### Limbo: the cases that differ").unwrap();
	let rows = listed
		.split("\n### ")
		.next()
		.unwrap()
		.lines()
		.filter(|row| row.starts_with("| `"));
	let (mut refused, mut left_out) = (0, 0);
	for row in rows {
		let cells: Vec<_> = row.split(" | ").collect();
		let count = if cells[1].starts_with("skipped") { &mut left_out } else { &mut refused };
		*count += cells[0].split(", ").count();
	}
	assert_eq!((refused, left_out), (disagreed, skipped));
}
