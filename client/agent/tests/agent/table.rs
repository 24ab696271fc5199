//! That every row of the table of attacks in the README names tests that exist.

const README: &str = include_str!("../../README.md");
const SOURCES: [&str; 41] = [
	include_str!("../../../e2e/tests/e2e/enrolment.rs"),
	include_str!("../../../e2e/tests/e2e/light.rs"),
	include_str!("../../../e2e/tests/e2e/renewal.rs"),
	include_str!("../../../light/src/anchor.rs"),
	include_str!("../../../light/src/gate.rs"),
	include_str!("insiders.rs"),
	include_str!("notified.rs"),
	include_str!("stops_beside.rs"),
	include_str!("../../../sdk/src/envelope/tests/insider.rs"),
	include_str!("appliers.rs"),
	include_str!("approvals.rs"),
	include_str!("channels.rs"),
	include_str!("crashes.rs"),
	include_str!("credentials.rs"),
	include_str!("deliveries.rs"),
	include_str!("early.rs"),
	include_str!("forgeries.rs"),
	include_str!("host_keys.rs"),
	include_str!("lapses.rs"),
	include_str!("plain_keys.rs"),
	include_str!("renewals.rs"),
	include_str!("revocations.rs"),
	include_str!("one_at_a_time.rs"),
	include_str!("stops.rs"),
	include_str!("temporary.rs"),
	include_str!("temporary_keys.rs"),
	include_str!("untold.rs"),
	include_str!("user_certificates.rs"),
	include_str!("user_keys.rs"),
	include_str!("../../src/http/tests.rs"),
	include_str!("../../src/service/metrics.rs"),
	include_str!("../../src/appliers/authorized/block.rs"),
	include_str!("../../src/appliers/place.rs"),
	include_str!("../../src/appliers/user_key/made.rs"),
	include_str!("../../src/ssh/delivered.rs"),
	include_str!("secrets.rs"),
	include_str!("../../src/journal.rs"),
	include_str!("../../src/merge.rs"),
	include_str!("../../src/seal.rs"),
	include_str!("../../src/seal/vault.rs"),
	include_str!("../../src/service/api/tests.rs"),
];

/// The cells of each row of the table.
fn rows() -> Vec<Vec<&'static str>> {
	let (_, rest) = README.split_once("\n## Attacks\n").expect("the README has a table of attacks");
	let section = rest.split("\n## ").next().unwrap_or_default();
	section
		.lines()
		.filter(|line| line.starts_with("| ") && !line.starts_with("| who | what |"))
		.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
		.collect()
}

/// Whether there is a function of this name that is a test, and not one that tests use.
fn has_test(source: &str, name: &str) -> bool {
	let Some((before, _)) = source.split_once(&format!("fn {name}(")) else { return false };
	let attribute = before.strip_suffix("async ").unwrap_or(before).trim_end().lines().last();
	let is_test = |line: &str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
	attribute.is_some_and(|line| is_test(line.trim()))
}

#[test]
fn what_is_no_test_is_none() {
	let source = "#[test]\nfn one() {}\n\t#[tokio::test(start_paused = true)]\n\tasync fn two() {}\n\n\
		fn three() {}\n";
	assert!(has_test(source, "one") && has_test(source, "two"));
	assert!(!has_test(source, "three") && !has_test(source, "four"));
	assert!(!has_test("#[test]\n#[should_panic]\nfn one() {}", "one"));
}

#[test]
fn every_attack_of_the_table_has_its_tests() {
	let rows = rows();
	assert!(rows.len() >= 20, "{} rows", rows.len());
	let of_who = rows.iter().filter(|cells| cells[0].starts_with("who ")).count();
	assert!(of_who >= 20, "a row that begins like the head of the table is a row");
	for cells in &rows {
		let [who, what, device, tests] = &cells[..] else { panic!("{cells:?}") };
		assert!(!who.is_empty() && !what.is_empty() && !device.is_empty(), "{cells:?}");
		let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
		assert!(!names.is_empty(), "{cells:?}");
		for name in names {
			assert!(SOURCES.iter().any(|source| has_test(source, name)), "no test {name}");
		}
	}
}
