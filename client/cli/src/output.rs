//! What a command says: one JSON value for programs, or lines for people.

pub mod progress;

pub use progress::Progress;

use crate::error::Error;
use anstyle::{AnsiColor, Style};
use dpki_client::{
	Finalized, Head,
	economy::{self, Costs},
};
use dpki_primitives::Moment;
use serde_json::{Map, Value, json};
use std::{
	io::{ErrorKind, Write},
	process::ExitCode,
	time::Duration,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Exit code of a verdict other than valid.
pub const EXIT_NOT_VALID: u8 = 3;
/// Exit code of everything that went wrong.
pub const EXIT_ERROR: u8 = 1;
/// Exit code of a command line that makes no sense.
pub const EXIT_USAGE: u8 = 2;
/// Exit code of a command whose call waits for other members of the account that makes it.
pub const EXIT_PENDING: u8 = 4;
/// Exit code of a command that a person stopped, as shells have it for SIGINT.
pub const EXIT_INTERRUPTED: u8 = 130;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const LABEL: Style = Style::new().dimmed();

/// The result of a command. Built once, printed either way.
#[derive(Default)]
pub struct Report {
	headline: Option<(Style, String)>,
	rows: Vec<(String, String)>,
	tail: Vec<String>,
	warnings: Vec<String>,
	json: Map<String, Value>,
	list: Option<Vec<Report>>,
	raw: Option<Vec<u8>>,
	exit: u8,
}

impl Report {
	/// Nothing said yet.
	pub fn new() -> Self {
		Self::default()
	}

	/// Several results: a JSON array for programs, one block each for people, `empty` if there are none.
	pub fn list(reports: Vec<Report>, empty: &str) -> Self {
		let headline = reports.is_empty().then(|| (Style::new(), empty.to_owned()));
		Self { headline, list: Some(reports), ..Self::default() }
	}

	/// The sentence that people read first.
	pub fn done(mut self, sentence: impl Into<String>) -> Self {
		self.headline = Some((Style::new().bold(), sentence.into()));
		self
	}

	/// A verdict: the sentence that people read first, and the exit code.
	pub fn verdict(mut self, valid: bool, sentence: impl Into<String>) -> Self {
		self.headline = Some((if valid { GOOD } else { BAD }, sentence.into()));
		self.exit = if valid { 0 } else { EXIT_NOT_VALID };
		self.data("valid", valid)
	}

	/// The sentence about something that was looked at, and the exit code: that of a valid verdict if all of it is well.
	pub fn checked(mut self, is_well: bool, sentence: impl Into<String>) -> Self {
		self.headline = Some((if is_well { GOOD } else { WARNING }, sentence.into()));
		self.exit = if is_well { 0 } else { EXIT_NOT_VALID };
		self
	}

	/// Makes the exit code that of an error unless `succeeded`, though there is something to say.
	pub fn succeeded(mut self, succeeded: bool) -> Self {
		self.exit = if succeeded { 0 } else { EXIT_ERROR };
		self
	}

	/// A fact for both readers; people see `key` with spaces.
	pub fn row(self, key: &str, value: impl ToString) -> Self {
		let text = value.to_string();
		self.row_as(key, text.clone(), text)
	}

	/// A fact that people and programs get in different forms.
	pub fn row_as(mut self, key: &str, text: impl Into<String>, value: impl Into<Value>) -> Self {
		self.rows.push((key.replace('_', " "), text.into()));
		self.data(key, value)
	}

	/// A point in time; programs get RFC 3339 too.
	pub fn time(self, key: &str, at: Moment) -> Self {
		self.row(key, rfc3339(at))
	}

	/// A point in time that may be missing, which people do not see and programs see as `null`.
	pub fn time_if(self, key: &str, at: Option<Moment>) -> Self {
		match at {
			Some(at) => self.time(key, at),
			None => self.data(key, Value::Null),
		}
	}

	/// The block that a transaction came to lie in.
	pub fn finalized(self, finalized: &Finalized) -> Self {
		self.all_finalized(std::slice::from_ref(finalized))
	}

	/// The same for several transactions: the block of the last one, whether all are proven, and what they cost together.
	pub fn all_finalized(self, all: &[Finalized]) -> Self {
		let Some(last) = all.last() else { return self };
		let costs = all.iter().map(economy::costs).fold(Costs::default(), |sum, it| Costs {
			fees: sum.fees.saturating_add(it.fees),
			held: sum.held.saturating_add(it.held),
			returned: sum.returned.saturating_add(it.returned),
		});
		let is_final = all.iter().all(|it| it.is_final);
		let so_far = if is_final { "final" } else { "not final" };
		let text = format!("{} ({so_far})", last.number);
		self.row_as("block", text, block_json(last.number, &last.hash))
			.data("extrinsic", hex(&last.extrinsic))
			.data("outcome_proven", all.iter().all(|it| it.proven))
			.data("final", is_final)
			.costs(costs)
	}

	/// What a transaction cost. People are spared what is nothing.
	fn costs(self, costs: Costs) -> Self {
		let Costs { fees, held, returned } = costs;
		let amounts = [("fees", fees), ("deposit_held", held), ("deposit_returned", returned)];
		amounts.into_iter().fold(self, |report, (key, amount)| match amount {
			// Text for programs too: numbers of 128 bits do not fit those of JSON.
			0 => report.data(key, "0"),
			_ => report.row(key, amount),
		})
	}

	/// The finalised block that the facts were read at.
	pub fn read_at(self, head: Head) -> Self {
		self.data("block", block_json(head.number, &head.hash))
			.data("chain_time", rfc3339(head.time))
	}

	/// A point in time for programs only, for people it is part of a sentence.
	pub fn time_quietly(self, key: &str, at: Option<Moment>) -> Self {
		self.data(key, at.map(rfc3339))
	}

	/// A fact for programs only.
	pub fn data(mut self, key: &str, value: impl Into<Value>) -> Self {
		self.json.insert(key.to_owned(), value.into());
		self
	}

	/// Lines after the facts, for people only.
	pub fn tail(mut self, text: impl Into<String>) -> Self {
		self.tail.push(text.into());
		self
	}

	/// A warning: people get it on standard error, programs in the list `warnings`.
	pub fn warn(mut self, sentence: impl Into<String>) -> Self {
		self.warnings.push(sentence.into());
		self
	}

	/// Exactly these bytes for people, nothing around them: for what is piped into a file.
	pub fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
		self.raw = Some(bytes.into());
		self
	}

	/// The exit code.
	#[cfg(test)]
	pub fn exit_code(&self) -> u8 {
		self.exit
	}

	/// What people read, without colours.
	#[cfg(test)]
	pub fn to_text(&self) -> String {
		let mut out = anstream::StripStream::new(Vec::new());
		self.print_text(&mut out).unwrap();
		String::from_utf8(out.into_inner()).unwrap()
	}

	/// The value that programs get.
	pub fn to_json(&self) -> Value {
		if let Some(list) = &self.list {
			return Value::Array(list.iter().map(Report::to_json).collect());
		}
		let mut json = self.json.clone();
		if !self.warnings.is_empty() {
			json.insert("warnings".to_owned(), json!(self.warnings));
		}
		Value::Object(json)
	}

	/// Prints the report and gives the exit code. A reader that went away (`dpki ... | head`) is no error.
	pub fn print(&self, as_json: bool) -> ExitCode {
		let printed = if as_json {
			writeln!(anstream::stdout(), "{}", self.to_json())
		} else {
			self.print_text(&mut anstream::stdout())
		};
		match printed {
			Err(source) if source.kind() != ErrorKind::BrokenPipe => {
				let (doing, path) = ("write", "standard output".into());
				print_error(&Error::File { doing, path, source }, as_json)
			},
			_ => ExitCode::from(self.exit),
		}
	}

	/// What is in a report may be the word of a node, or of whoever wrote something into the chain.
	fn print_text(&self, out: &mut impl Write) -> std::io::Result<()> {
		for warning in &self.warnings {
			print_warning(warning, false);
		}
		if let Some(raw) = &self.raw {
			return std::io::stdout().write_all(raw);
		}
		if let Some((style, sentence)) = &self.headline {
			writeln!(out, "{style}{}{style:#}", printable_lines(sentence))?;
		}
		let width = self.rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
		for (label, value) in &self.rows {
			writeln!(out, "  {LABEL}{label:width$}{LABEL:#}  {}", printable(value))?;
		}
		for text in &self.tail {
			writeln!(out, "{}", printable_lines(text))?;
		}
		for (index, report) in self.list.iter().flatten().enumerate() {
			if index > 0 {
				writeln!(out)?;
			}
			report.print_text(out)?;
		}
		out.flush()
	}
}

/// Prints why a command failed, on standard error.
pub fn print_error(error: &Error, as_json: bool) -> ExitCode {
	let (sentence, next) = (one_line(&error.to_string()), error.next_step());
	let next = next.map(|next| one_line(&next));
	if as_json {
		eprintln!("{}", json!({ "error": sentence, "next": next }));
	} else {
		anstream::eprintln!("{BAD}error{BAD:#}: {sentence}");
		if let Some(next) = next {
			anstream::eprintln!("{LABEL}next{LABEL:#}: {next}");
		}
	}
	ExitCode::from(error.exit_code())
}

/// Prints what a person has to know before the command goes on, on standard error.
pub fn print_warning(sentence: &str, as_json: bool) {
	let sentence = printable(sentence);
	if as_json {
		eprintln!("{}", json!({ "warning": sentence }));
	} else {
		anstream::eprintln!("{WARNING}warning{WARNING:#}: {sentence}");
	}
}

/// Prints why a command line makes no sense, in the form that was asked for.
pub fn print_usage_error(error: &clap::Error, as_json: bool) -> ExitCode {
	if !error.use_stderr() {
		let _ = error.print();
		return ExitCode::SUCCESS;
	}
	if as_json {
		// The first paragraph says what is wrong, the rest repeats the usage.
		let rendered = error.render().to_string();
		let paragraph = rendered.split("\n\n").next().unwrap_or_default();
		let sentence = one_line(paragraph.strip_prefix("error: ").unwrap_or(paragraph));
		eprintln!("{}", json!({ "error": sentence, "next": "see --help" }));
	} else {
		let _ = error.print();
	}
	ExitCode::from(EXIT_USAGE)
}

/// Chain time as RFC 3339 in UTC; a moment that no calendar holds stays a number.
pub fn rfc3339(at: Moment) -> String {
	OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
		.ok()
		.and_then(|at| at.format(&Rfc3339).ok())
		.unwrap_or_else(|| format!("{at} ms after 1970"))
}

/// A span as it can be typed, in days where it has some: months and years of humantime are none of a calendar.
pub fn span(span: Duration) -> String {
	const DAY: u64 = 24 * 60 * 60;
	let (days, rest) = (span.as_secs() / DAY, span.as_secs() % DAY);
	let rest = Duration::new(rest, span.subsec_nanos());
	match (days, rest.is_zero()) {
		(0, _) => humantime::format_duration(rest).to_string(),
		(days, true) => format!("{days}d"),
		(days, false) => format!("{days}d {}", humantime::format_duration(rest)),
	}
}

/// Bytes as programs and people write them.
pub fn hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

/// A block for programs.
pub fn block_json(number: u32, hash: &[u8; 32]) -> Value {
	json!({ "number": number, "hash": hex(hash) })
}

fn one_line(text: &str) -> String {
	printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text that others wrote without what could move the cursor, or turn the direction in which it is read.
pub fn printable(text: &str) -> String {
	let is_harmless = |c: char| {
		let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
		!c.is_control() && !turns
	};
	text.chars()
		.map(|c| if is_harmless(c) { c } else { char::REPLACEMENT_CHARACTER })
		.collect()
}

/// The same for a text of several lines.
pub fn printable_lines(text: &str) -> String {
	text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn one_report_is_an_object_and_several_are_an_array() {
		let one = || Report::new().row("key_id", "0x01").time_if("retired_at", None).done("Added");
		assert_eq!(one().to_json(), json!({ "key_id": "0x01", "retired_at": null }));
		assert_eq!(Report::list(vec![one()], "none").to_json().as_array().map(Vec::len), Some(1));
		assert_eq!(Report::list(vec![], "none").to_json(), json!([]));
	}

	#[test]
	fn warnings_reach_programs_too() {
		let report = Report::new().warn("careful");
		assert_eq!(report.to_json(), json!({ "warnings": ["careful"] }));
	}

	#[test]
	fn only_a_valid_verdict_succeeds() {
		assert_eq!(Report::new().verdict(true, "valid").exit, 0);
		assert_eq!(Report::new().verdict(false, "revoked").exit, EXIT_NOT_VALID);
	}

	#[test]
	fn times_are_rfc3339_and_never_panic() {
		assert_eq!(rfc3339(1_763_715_600_000), "2025-11-21T09:00:00Z");
		assert_eq!(rfc3339(1_763_715_600_123), "2025-11-21T09:00:00.123Z");
		assert_eq!(rfc3339(u64::MAX), format!("{} ms after 1970", u64::MAX));
	}

	#[test]
	fn a_span_is_told_in_days_and_can_be_typed() {
		for (seconds, text) in
			[(100 * 86_400, "100d"), (86_400, "1d"), (90_000, "1d 1h"), (60, "1m"), (0, "0s")]
		{
			assert_eq!(span(Duration::from_secs(seconds)), text);
			assert_eq!(humantime::parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
		}
	}

	#[test]
	fn what_a_node_says_neither_moves_the_cursor_nor_turns_the_line() {
		let hostile = "a\u{1b}[2Kb\u{9b}c\rd\u{7f}\u{202e}e\u{2066}\u{2069}";
		let harmless = "a\u{fffd}[2Kb\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}e\u{fffd}\u{fffd}";
		assert_eq!(printable(hostile), harmless);
		assert_eq!(printable("a\nb"), "a\u{fffd}b");
		assert_eq!(printable_lines("a\n\u{1b}b\n"), "a\n\u{fffd}b\n");
		assert_eq!(printable("Gr\u{fc}n \u{5d0} \u{2588}"), "Gr\u{fc}n \u{5d0} \u{2588}");
		assert_eq!(one_line("a\r\n \u{1b}b"), "a \u{fffd}b");
		let report = Report::new().done(hostile).row("name", hostile).tail(hostile);
		let text = report.to_text();
		assert_eq!(text, format!("{harmless}\n  name  {harmless}\n{harmless}\n"));
	}

	#[test]
	fn programs_read_whether_the_outcome_is_proven() {
		for proven in [false, true] {
			let (hash, extrinsic) = ([1; 32], [2; 32]);
			let finalized = Finalized {
				number: 7,
				hash,
				extrinsic,
				events: Vec::new(),
				proven,
				is_final: true,
			};
			assert_eq!(Report::new().finalized(&finalized).to_json()["outcome_proven"], proven);
		}
	}

	#[test]
	fn people_read_aligned_lines_without_colours_in_a_pipe() {
		let report = Report::new().done("Added").row("id", "0x01").row("registered_at", "now");
		let text = report.to_text();
		assert_eq!(text, "Added\n  id             0x01\n  registered at  now\n");
	}
}
