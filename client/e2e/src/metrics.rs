//! Figures as Prometheus reads them.

use std::{
	io::Write,
	process::{Command, Stdio},
};

/// What `promtool check metrics` says when it can read the figures and does not like all of their names.
const LINT: i32 = 3;

/// The value of the figure of this name with this label, such as `state="waiting"`, or with whatever labels; `None` if it is
/// not there.
pub fn figure(text: &str, name: &str, label: &str) -> Option<f64> {
	let is_it = |line: &&str| line.split(['{', ' ']).next() == Some(name) && line.contains(label);
	text.lines().find(is_it)?.rsplit(' ').next()?.parse().ok()
}

/// What `promtool` finds about figures of ours, a line each. Those of libraries have names that are not ours to change.
///
/// # Panics
///
/// If it cannot read the text.
pub fn promtool_finds(text: &str) -> Vec<String> {
	let mut promtool = Command::new("promtool")
		.args(["check", "metrics"])
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.expect("promtool starts: scripts/setup installs Debian's package `prometheus`");
	let mut stdin = promtool.stdin.take().expect("its input is piped");
	stdin.write_all(text.as_bytes()).expect("it reads all before it says anything");
	drop(stdin);
	let output = promtool.wait_with_output().expect("it ends");
	let said = String::from_utf8_lossy(&output.stderr);
	assert!(matches!(output.status.code(), Some(0 | LINT)), "promtool: {said}");
	said.lines()
		.filter(|line| line.starts_with("dpki_"))
		.map(String::from)
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	const TEXT: &str = "# HELP dpki_a A figure\n# TYPE dpki_a gauge\ndpki_a{state=\"on\"} 1\ndpki_a{state=\"off\"} 2.5\n\
		# TYPE dpki_ab counter\ndpki_ab 3\n";

	#[test]
	fn a_figure_is_found_by_its_whole_name_and_its_label() {
		assert_eq!(figure(TEXT, "dpki_a", "state=\"off\""), Some(2.5));
		assert_eq!(figure(TEXT, "dpki_a", ""), Some(1.0));
		assert_eq!(figure(TEXT, "dpki_ab", ""), Some(3.0));
		assert_eq!(figure(TEXT, "dpki", ""), None);
		assert_eq!(figure(TEXT, "dpki_a", "state=\"gone\""), None);
	}

	#[test]
	fn a_counter_without_a_name_of_one_is_noticed() {
		let found = promtool_finds(TEXT);
		assert!(found.iter().any(|line| line.starts_with("dpki_ab ")), "{found:?}");
		assert!(!found.iter().any(|line| line.starts_with("dpki_a ")), "{found:?}");
	}
}
