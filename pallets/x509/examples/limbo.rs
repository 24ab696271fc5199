//! Runs a file of the x509-limbo format: `cargo run -p dpki-x509 --features limbo --example limbo -- FILE.json [DOCS.md]`.
//! With a page such as `docs/x509.md`, what came out is held to the score that the page publishes, and to its list of the
//! cases that differ. Exits with 1 if something was accepted that must not be, or the page says otherwise, and with 2 if a
//! file could not be read.

use dpki_x509::limbo::{Report, Tally, run};
use std::{env, fs, io::Write, process::ExitCode, time::SystemTime};

fn main() -> ExitCode {
	let mut arguments = env::args().skip(1);
	let Some(path) = arguments.next() else {
		eprintln!("usage: limbo FILE.json [DOCS.md]");
		return ExitCode::from(2);
	};
	let now = SystemTime::now()
		.duration_since(SystemTime::UNIX_EPOCH)
		.map_or(0, |since| since.as_secs());
	let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
	let report = read(&path).and_then(|json| run(&json, now));
	let docs = arguments.next().map(|path| read(&path)).transpose();
	match (report, docs) {
		(Ok(report), Ok(docs)) => {
			// Whoever closes the pipe early has seen enough.
			let _ = write!(std::io::stdout(), "{report}");
			let differences = docs.map(|docs| differences(&report, &docs)).unwrap_or_default();
			for difference in &differences {
				eprintln!("{difference}");
			}
			let is_safe = report.unsafe_accepts().next().is_none();
			ExitCode::from(u8::from(!is_safe || !differences.is_empty()))
		},
		(Err(error), _) | (_, Err(error)) => {
			eprintln!("{error}");
			ExitCode::from(2)
		},
	}
}

/// What the page says otherwise.
fn differences(report: &Report, docs: &str) -> Vec<String> {
	let row = docs.lines().find(|line| line.starts_with("| x509-limbo,")).unwrap_or_default();
	let published: Vec<usize> =
		row.split(['|', ' ']).filter_map(|word| word.parse().ok()).collect();
	let sum = |of: fn(&Tally) -> usize| report.groups.values().map(of).sum::<usize>();
	let found =
		[report.cases.len(), sum(|it| it.agreed), sum(|it| it.disagreed), sum(|it| it.skipped)];
	let mut differences = Vec::new();
	if published != found {
		differences.push(format!(
			"published are cases, agreed, disagreed, skipped: {published:?}; found {found:?}"
		));
	}
	for case in &report.cases {
		let agrees = case.accepted == Some(case.expected);
		if !agrees && !docs.contains(&format!("`{}`", case.id)) {
			differences.push(format!("{} differs and is not listed", case.id));
		}
	}
	differences
}
