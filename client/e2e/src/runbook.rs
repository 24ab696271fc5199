//! The commands of `docs/operations.md`, run as they stand there.

use crate::{Process, binary, run, said, target};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	path::{Path, PathBuf},
	process::{Command, Output, Stdio},
	sync::{Mutex, PoisonError},
};

/// The page.
const PAGE: &str = include_str!("../../../docs/operations.md");

/// The founding and the loss of machines with systemd, by commands of the page: `docker/verify` runs it.
const MACHINES: &str = include_str!("../../../docker/verify-machines");

/// The programs whose commands stand in the text, too.
const PROGRAMS: [&str; 3] = ["dpki", "dpki-node", "dpki-agent"];

/// Where a command of the page is run, if no drill runs it.
#[derive(Clone, Copy, Debug)]
pub enum Elsewhere {
	/// Nowhere in a test: it takes minutes and a profile of its own. The build of the tests makes such blobs.
	Nowhere,
	/// On machines of its own, because it changes them: `docker/verify` runs the command that begins like this.
	Machines(&'static str),
	/// In this file of `client/e2e/tests/e2e`, for what the story there is about. Here it is shown that the program takes
	/// the command as it stands on the page.
	Story(&'static str),
}

/// The commands of the page, which of them were run, and in which folder.
pub struct Runbook {
	folder: PathBuf,
	/// Lines of the blocks for a shell.
	commands: BTreeSet<&'static str>,
	/// What stands in the text between backticks and is a command of a [program](PROGRAMS).
	mentions: BTreeSet<String>,
	run: Mutex<BTreeSet<String>>,
}

impl Runbook {
	/// The page, for somebody who works in this folder.
	pub fn new(folder: &Path) -> Self {
		Self {
			folder: folder.to_path_buf(),
			commands: commands(PAGE),
			mentions: mentions(PAGE),
			run: Mutex::default(),
		}
	}

	/// The one command of the page that begins like this, or is this; it counts as run from now on.
	pub fn command(&self, beginning: &str) -> String {
		let all: BTreeSet<_> = self
			.commands
			.iter()
			.copied()
			.chain(self.mentions.iter().map(String::as_str))
			.collect();
		let begin: Vec<_> = all
			.iter()
			// What is mentioned by its first words alone is another one.
			.filter(|command| {
				command.starts_with(beginning) && !is_short_for(command, &self.commands)
			})
			.collect();
		let found = begin.iter().find(|command| ***command == beginning).or(begin.first());
		let Some(&&command) = found else { panic!("the runbook has no `{beginning}`") };
		assert!(begin.len() == 1 || command == beginning, "several begin with `{beginning}`");
		self.run.lock().unwrap_or_else(PoisonError::into_inner).insert(command.into());
		command.into()
	}

	/// Runs the command of the page that begins like this in a shell, with some of its words replaced, each of which has to
	/// be there. Gives its output.
	pub fn output(&self, beginning: &str, replaced: &[(&str, &str)]) -> Output {
		let command = with(self.command(beginning), replaced);
		let mut shell = Command::new("/usr/bin/env");
		shell.args(self.environment()).args(["/bin/sh", "-c", &command]);
		shell.stdin(Stdio::null()).output().expect("a shell starts")
	}

	/// The same for a command that has to succeed, and what it prints.
	pub fn run(&self, beginning: &str, replaced: &[(&str, &str)]) -> String {
		let output = self.output(beginning, replaced);
		assert!(output.status.success(), "{beginning}: {}", said(&output));
		String::from_utf8(output.stdout).expect("it prints text")
	}

	/// Starts the command of the page that begins like this, which goes on until it is told to end.
	pub fn start(&self, beginning: &str, replaced: &[(&str, &str)], log: &Path) -> Process {
		let command = with(self.command(beginning), replaced);
		// In the place of the shell, so that a signal is for the command.
		let shell = ["/bin/sh".into(), "-c".into(), format!("exec {command}")];
		Process::start(Path::new("/usr/bin/env"), self.environment().into_iter().chain(shell), log)
	}

	/// What `env` is told before a command: its folder, where it finds the programs and remembers what was proven to it, and
	/// nothing of what whoever runs the tests has told them.
	fn environment(&self) -> Vec<String> {
		let path = std::env::var("PATH").unwrap_or_default();
		let mut words = vec!["-C".into(), self.folder.display().to_string()];
		for variable in
			["DPKI_URL", "DPKI_GENESIS", "DPKI_ACCOUNT", "DPKI_PASSPHRASE", "DPKI_CHECKPOINT"]
		{
			words.extend(["-u".into(), variable.into()]);
		}
		words.push(format!("PATH={}:{path}", target().display()));
		words.push(format!("XDG_STATE_HOME={}", self.folder.join("memory").display()));
		words
	}

	/// Every command was run, but for these, each of which is run elsewhere.
	///
	/// # Panics
	///
	/// If one was not; if one that is left out is not on the page, was run, or is not where it is said to be.
	pub fn all_but(&self, left_out: &BTreeMap<&str, Elsewhere>) {
		let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
		let stands = |command: &&&str| {
			self.commands.contains(**command) || self.mentions.contains(**command)
		};
		let gone: Vec<_> = left_out.keys().filter(|it| !stands(it)).collect();
		assert!(gone.is_empty(), "the runbook does not have what is left out: {gone:#?}");
		let both: Vec<_> = left_out.keys().filter(|it| run.contains(**it)).collect();
		assert!(both.is_empty(), "they are left out, and run: {both:#?}");
		let missing: Vec<_> = self
			.commands
			.iter()
			.copied()
			.chain(self.mentions.iter().map(String::as_str))
			.filter(|it| !run.contains(*it) && !left_out.contains_key(it))
			.filter(|it| !is_short_for(it, &self.commands))
			.collect();
		assert!(missing.is_empty(), "no drill runs these: {missing:#?}");
		for (command, elsewhere) in left_out {
			is_there(command, *elsewhere);
		}
	}
}

/// Whether these are the first words of a command that stands in a block.
fn is_short_for(words: &str, commands: &BTreeSet<&'static str>) -> bool {
	let begins = |command: &&str| command.strip_prefix(words).is_some_and(|it| it.starts_with(' '));
	!commands.contains(words) && commands.iter().any(begins)
}

/// Something is run where it is said to be.
fn is_there(command: &str, elsewhere: Elsewhere) {
	match elsewhere {
		Elsewhere::Nowhere => {},
		Elsewhere::Machines(beginning) => {
			assert!(command.starts_with(beginning), "{command} does not begin with {beginning}");
			let mut lines = MACHINES.lines().map(str::trim);
			let runs = |line: &str| line.starts_with("must ") && line.contains(beginning);
			assert!(lines.any(runs), "docker/verify does not run {command}");
		},
		Elsewhere::Story(file) => {
			let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
			let text = fs::read_to_string(tests.join(file)).expect("the file is there");
			let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
			let mut words = command.split(' ');
			let program = words.next().expect("it has a name");
			let is_name =
				|word: &&str| word.starts_with(|letter: char| letter.is_ascii_lowercase());
			let name: Vec<_> = words.clone().take_while(is_name).take(2).collect();
			// As it stands on the page, or as the words that a test passes on.
			let forms = [name.join(" "), format!("\"{}\"", name.join("\", \""))];
			assert!(forms.iter().any(|form| text.contains(form)), "{file} has none of {forms:?}");
			// The program reads the words in their order, and then has something else to do.
			let taken = run(&binary(program), words.chain(["--help"]));
			assert!(taken.status.success(), "{command}: {}", said(&taken));
		},
	}
}

/// The command with some of its words replaced, each of which has to be there.
fn with(mut command: String, replaced: &[(&str, &str)]) -> String {
	for (word, by) in replaced {
		assert!(command.contains(word), "`{command}` does not name {word}");
		command = command.replace(word, by);
	}
	command
}

/// The lines of the page, each with whether it stands in a block that is for a shell, and none of other blocks.
fn lines(page: &str) -> impl Iterator<Item = (bool, &str)> {
	let mut language = None;
	page.lines().map(str::trim).filter_map(move |line| {
		if let Some(rest) = line.strip_prefix("```") {
			language = language.is_none().then_some(rest);
			return None;
		}
		match language {
			None => Some((false, line)),
			Some("sh") => Some((true, line)),
			Some(_) => None,
		}
	})
}

/// The lines of all blocks that are for a shell, indented or not.
fn commands(page: &str) -> BTreeSet<&str> {
	lines(page).filter_map(|(is_shell, line)| is_shell.then_some(line)).collect()
}

/// What stands between backticks in the text, also over the end of a line, and is a command of a program of ours.
fn mentions(page: &str) -> BTreeSet<String> {
	let text: Vec<_> =
		lines(page).filter_map(|(is_shell, line)| (!is_shell).then_some(line)).collect();
	let text = text.join(" ");
	let quoted = text.split('`').skip(1).step_by(2);
	let is_ours = |words: &&str| {
		words.split_once(' ').is_some_and(|(program, _)| PROGRAMS.contains(&program))
	};
	quoted.filter(is_ours).map(String::from).collect()
}

#[cfg(test)]
mod tests {
	use super::{Elsewhere, Runbook, commands, is_short_for, is_there, mentions};
	use std::{collections::BTreeMap, path::Path};

	const EXAMPLE: &str = "\
text of `dpki` and `dpki two
--words`
```sh
dpki one 1
```
`ls two`
   ```sh
   dpki three 3
   ```
```toml
four `dpki four`
```
and `dpki-node key` and `dpki three`";

	#[test]
	fn commands_are_the_lines_of_shell_blocks() {
		assert_eq!(
			commands(EXAMPLE).into_iter().collect::<Vec<_>>(),
			["dpki one 1", "dpki three 3"]
		);
	}

	#[test]
	fn commands_of_our_programs_are_found_in_the_text() {
		let found = mentions(EXAMPLE).into_iter().collect::<Vec<_>>();
		assert_eq!(found, ["dpki three", "dpki two --words", "dpki-node key"]);
	}

	#[test]
	fn a_name_stands_for_the_command_that_is_shown_in_full() {
		let all = commands(EXAMPLE);
		assert!(is_short_for("dpki three", &all));
		assert!(!is_short_for("dpki thr", &all) && !is_short_for("dpki three 3", &all));
		assert!(!is_short_for("dpki two", &all));
	}

	fn left_out(list: &[(&str, Elsewhere)]) {
		Runbook::new(Path::new("/")).all_but(&list.iter().copied().collect::<BTreeMap<_, _>>());
	}

	#[test]
	#[should_panic(expected = "no drill runs these")]
	fn a_command_that_nobody_runs_is_noticed() {
		left_out(&[]);
	}

	#[test]
	#[should_panic(expected = "the runbook does not have what is left out")]
	fn an_exception_that_is_not_on_the_page_any_more_is_noticed() {
		left_out(&[("dpki make coffee", Elsewhere::Nowhere)]);
	}

	#[test]
	#[should_panic(expected = "docker/verify does not run reboot")]
	fn an_exception_that_no_machine_runs_is_noticed() {
		is_there("reboot", Elsewhere::Machines("reboot"));
	}

	#[test]
	#[should_panic(expected = "bare.rs has none of")]
	fn an_exception_of_which_no_story_tells_is_noticed() {
		is_there("dpki motion propose slash", Elsewhere::Story("bare.rs"));
	}
}
