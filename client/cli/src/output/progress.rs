//! How far something is that takes its time.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{io::Write, sync::Mutex, time::Duration};

/// How far something is, on standard error. On a terminal it is a spinner or a bar, which is gone when this is dropped.
/// Elsewhere a spinner is never there, and a bar is a line each time that it is further: for logs, pipes and programs.
pub struct Progress {
	bar: ProgressBar,
	lines: Option<Mutex<Lines>>,
}

impl Progress {
	/// Shows `what` is being waited for.
	pub fn start(what: impl Into<String>) -> Self {
		let bar = ProgressBar::new_spinner().with_message(what.into());
		bar.set_style(
			ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
				.expect("the template names only known parts"),
		);
		bar.enable_steady_tick(Duration::from_millis(120));
		Self { bar, lines: None }
	}

	/// Shows of how many of `total` something is true, such as `devices have answered`. Lines are JSON for programs.
	pub fn bar(what: impl Into<String>, total: u64, as_json: bool) -> Self {
		let what = what.into();
		let bar = ProgressBar::new(total).with_message(what.clone());
		if bar.is_hidden() {
			return Self::lines(what, total, as_json, Box::new(std::io::stderr()));
		}
		bar.set_style(
			ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} ({elapsed})")
				.expect("the template names only known parts"),
		);
		bar.enable_steady_tick(Duration::from_millis(120));
		Self { bar, lines: None }
	}

	/// The same in lines.
	pub fn lines(
		what: impl Into<String>,
		total: u64,
		as_json: bool,
		out: Box<dyn Write + Send>,
	) -> Self {
		let lines = Lines { what: what.into(), total, last: None, as_json, out };
		Self { bar: ProgressBar::hidden(), lines: Some(Mutex::new(lines)) }
	}

	/// Shows that so many are done.
	pub fn at(&self, done: u64) {
		self.bar.set_position(done);
		if let Some(lines) = &self.lines {
			lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).at(done);
		}
	}

	/// Shows how far it is.
	pub fn say(&self, what: impl Into<String>) {
		self.bar.set_message(what.into());
	}
}

impl Drop for Progress {
	fn drop(&mut self) {
		self.bar.finish_and_clear();
	}
}

struct Lines {
	what: String,
	total: u64,
	last: Option<u64>,
	as_json: bool,
	out: Box<dyn Write + Send>,
}

impl Lines {
	fn at(&mut self, done: u64) {
		if self.last.replace(done) == Some(done) {
			return;
		}
		let mut line = format!("{done} of {} {}", self.total, self.what);
		if self.as_json {
			line = json!({ "progress": line, "done": done, "total": self.total }).to_string();
		}
		// A reader that went away ends nothing.
		let _ = writeln!(self.out, "{line}");
	}
}

#[cfg(test)]
pub mod tests {
	use super::*;
	use std::sync::Arc;

	/// What is written to it can be read.
	#[derive(Clone, Default)]
	pub struct Paper(Arc<Mutex<Vec<u8>>>);

	impl Paper {
		pub fn text(&self) -> String {
			String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
		}
	}

	impl Write for Paper {
		fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
			self.0.lock().unwrap().write(bytes)
		}

		fn flush(&mut self) -> std::io::Result<()> {
			Ok(())
		}
	}

	#[test]
	fn without_a_terminal_each_step_is_a_line_and_is_told_once() {
		for (as_json, lines) in [
			(false, "0 of 2 are done\n2 of 2 are done\n"),
			(
				true,
				"{\"done\":0,\"progress\":\"0 of 2 are done\",\"total\":2}\n\
				 {\"done\":2,\"progress\":\"2 of 2 are done\",\"total\":2}\n",
			),
		] {
			let paper = Paper::default();
			let progress = Progress::lines("are done", 2, as_json, Box::new(paper.clone()));
			for done in [0, 0, 2, 2] {
				progress.at(done);
			}
			drop(progress);
			assert_eq!(paper.text(), lines);
		}
	}

	/// Tests have no terminal, so what is a bar elsewhere is lines here.
	#[test]
	fn a_bar_is_lines_where_nobody_would_see_it() {
		if !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
			assert!(Progress::bar("are done", 2, false).lines.is_some());
		}
		assert!(Progress::start("waiting").lines.is_none());
	}
}
