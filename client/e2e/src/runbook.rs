//! The commands of `docs/operations.md`, run as they stand there.

use crate::{said, target};
use std::{
	collections::{BTreeMap, BTreeSet},
	path::{Path, PathBuf},
	process::{Command, Output, Stdio},
	sync::{Mutex, PoisonError},
};

/// The page.
const PAGE: &str = include_str!("../../../docs/operations.md");

/// The commands of the page, which of them were run, and in which folder.
pub struct Runbook {
	folder: PathBuf,
	commands: BTreeSet<&'static str>,
	run: Mutex<BTreeSet<&'static str>>,
}

impl Runbook {
	/// The page, for somebody who works in this folder.
	pub fn new(folder: &Path) -> Self {
		Self { folder: folder.to_path_buf(), commands: commands(PAGE), run: Mutex::default() }
	}

	/// The one command of the page that begins like this, or is this; it counts as run from now on.
	pub fn command(&self, beginning: &str) -> &'static str {
		let begin: Vec<_> =
			self.commands.iter().filter(|command| command.starts_with(beginning)).collect();
		let found = begin.iter().find(|command| ***command == beginning).or(begin.first());
		let Some(&&command) = found else { panic!("the runbook has no `{beginning}`") };
		assert!(begin.len() == 1 || command == beginning, "several begin with `{beginning}`");
		self.run.lock().unwrap_or_else(PoisonError::into_inner).insert(command);
		command
	}

	/// Runs the command of the page that begins like this in a shell, with some of its words replaced, each of which has to
	/// be there. Gives its output.
	pub fn output(&self, beginning: &str, replaced: &[(&str, &str)]) -> Output {
		let mut command = self.command(beginning).to_owned();
		for (word, by) in replaced {
			assert!(command.contains(word), "`{command}` does not name {word}");
			command = command.replace(word, by);
		}
		let path = format!("{}:{}", target().display(), std::env::var("PATH").unwrap_or_default());
		let mut shell = Command::new("/bin/sh");
		shell.args(["-c", &command]).current_dir(&self.folder).env("PATH", path);
		for variable in ["DPKI_URL", "DPKI_GENESIS", "DPKI_ACCOUNT", "DPKI_PASSPHRASE"] {
			shell.env_remove(variable);
		}
		shell.stdin(Stdio::null()).output().expect("a shell starts")
	}

	/// The same for a command that has to succeed, and what it prints.
	pub fn run(&self, beginning: &str, replaced: &[(&str, &str)]) -> String {
		let output = self.output(beginning, replaced);
		assert!(output.status.success(), "{beginning}: {}", said(&output));
		String::from_utf8(output.stdout).expect("it prints text")
	}

	/// Every command was run, but for these, each of which has a reason.
	pub fn all_but(&self, left_out: &BTreeMap<&str, &str>) {
		let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
		let left_out: BTreeSet<_> = left_out.keys().copied().collect();
		let gone: Vec<_> = left_out.difference(&self.commands).collect();
		assert!(gone.is_empty(), "the runbook does not have what is left out: {gone:#?}");
		let both: Vec<_> = left_out.intersection(&run).collect();
		assert!(both.is_empty(), "they are left out, and run: {both:#?}");
		let missing: Vec<_> = self
			.commands
			.iter()
			.filter(|it| !run.contains(*it) && !left_out.contains(*it))
			.collect();
		assert!(missing.is_empty(), "no drill runs these: {missing:#?}");
	}
}

/// The lines of all blocks that are for a shell, indented or not.
fn commands(page: &'static str) -> BTreeSet<&'static str> {
	let mut is_shell = false;
	let mut commands = BTreeSet::new();
	for line in page.lines().map(str::trim) {
		match line.strip_prefix("```") {
			Some(language) => is_shell = language == "sh",
			None if is_shell => {
				commands.insert(line);
			},
			None => {},
		}
	}
	commands
}

#[cfg(test)]
mod tests {
	use super::commands;

	#[test]
	fn commands_are_the_lines_of_shell_blocks() {
		let page =
			"text\n```sh\none 1\n```\n`two`\n   ```sh\n   three\n   ```\n```toml\nfour\n```\n";
		assert_eq!(commands(page).into_iter().collect::<Vec<_>>(), ["one 1", "three"]);
	}
}
