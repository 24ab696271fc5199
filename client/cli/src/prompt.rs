//! Questions to the person at the terminal, and how scripts answer them.

use crate::{
	error::{Error, Result},
	output::printable_lines,
};
use std::{
	env,
	io::{BufRead, IsTerminal, Write, stderr, stdin},
	path::Path,
};
use zeroize::Zeroizing;

/// Where scripts put the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "DPKI_PASSPHRASE";

/// The fewest characters of a new passphrase. No judgement of its strength: only what is surely too little is refused.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// The passphrase that opens `what`.
pub fn passphrase(what: &str) -> Result<Zeroizing<String>> {
	match from_environment()? {
		Some(passphrase) => Ok(passphrase),
		None => ask(&format!("Passphrase for {what}: "), what),
	}
}

/// A passphrase for something new, typed twice.
pub fn new_passphrase(what: &str) -> Result<Zeroizing<String>> {
	if let Some(passphrase) = from_environment()? {
		require_length(&passphrase)?;
		return Ok(passphrase);
	}
	let first = ask(&format!("New passphrase for {what}: "), what)?;
	require_length(&first)?;
	let second = ask("The same again: ", what)?;
	if first == second { Ok(first) } else { Err(Error::PassphraseMismatch) }
}

/// The error for a passphrase that does not open the file at `path`.
pub fn wrong_passphrase(path: &Path) -> Error {
	let from_environment = env::var_os(PASSPHRASE_VARIABLE).is_some();
	Error::PassphraseWrong { path: path.to_owned(), from_environment }
}

/// Lets the person think twice; `--yes` skips the question, and without a terminal it is needed.
pub fn confirm(question: &str, yes: bool) -> Result<()> {
	if yes {
		return Ok(());
	}
	if !stdin().is_terminal() || !stderr().is_terminal() {
		return Err(Error::ConfirmationMissing(question.to_owned()));
	}
	answered(question, &mut stdin().lock(), &mut anstream::stderr())
}

/// Puts the question and reads the answer. Only `y` and `yes` agree: Enter alone does not, nor does the end of the input.
fn answered(question: &str, from: &mut impl BufRead, to: &mut impl Write) -> Result<()> {
	let _ = write!(to, "{} [y/N] ", printable_lines(question));
	let _ = to.flush();
	let mut answer = String::new();
	let read = from.read_line(&mut answer);
	match answer.trim().to_ascii_lowercase().as_str() {
		"y" | "yes" if read.is_ok() => Ok(()),
		_ => Err(Error::Declined),
	}
}

/// That a new passphrase is not surely too short.
pub fn require_length(passphrase: &str) -> Result<()> {
	match passphrase.chars().count() {
		0..MIN_PASSPHRASE_CHARS => Err(Error::PassphraseShort),
		_ => Ok(()),
	}
}

/// An empty variable is a script without its secret: what it means must not be guessed.
fn from_environment() -> Result<Option<Zeroizing<String>>> {
	match env::var(PASSPHRASE_VARIABLE).map(Zeroizing::new) {
		Ok(passphrase) if passphrase.is_empty() => Err(Error::PassphraseEmpty),
		passphrase => Ok(passphrase.ok()),
	}
}

fn ask(prompt: &str, what: &str) -> Result<Zeroizing<String>> {
	// rpassword reads from the controlling terminal, so this works while standard input carries data.
	rpassword::prompt_password(prompt)
		.map(Zeroizing::new)
		.map_err(|_| Error::PassphraseMissing(what.to_owned()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_new_passphrase_has_eight_characters_and_not_bytes() {
		for short in ["", "x", "1234567", "\u{e4}\u{e4}\u{e4}\u{e4}"] {
			assert!(matches!(require_length(short), Err(Error::PassphraseShort)), "{short}");
		}
		assert!(require_length("12345678").is_ok());
	}

	#[test]
	fn without_a_terminal_it_is_told_what_would_be_asked() {
		// Tests have no terminal.
		let question = "Put the device on hold? It is not valid until it is released.";
		let error = confirm(question, false).unwrap_err();
		let sentence = error.to_string();
		assert!(
			sentence.contains("no terminal to ask on") && sentence.ends_with(question),
			"{sentence}"
		);
		assert!(error.next_step().unwrap().contains("--yes"), "{error}");
		confirm(question, true).unwrap();
	}

	/// What becomes of this answer, and what is shown.
	fn answer(typed: &[u8]) -> (Result<()>, String) {
		let (mut input, mut shown) = (typed, Vec::new());
		let done = answered("Send it?\u{1b}[2K", &mut input, &mut shown);
		(done, String::from_utf8(shown).unwrap())
	}

	#[test]
	fn only_a_yes_is_one() {
		for yes in ["y\n", "Y\n", "yes\n", " YES \r\n", "y"] {
			assert!(answer(yes.as_bytes()).0.is_ok(), "{yes:?}");
		}
		for no in ["\n", "n\n", "no\n", "", "yy\n", "yes!\n", "ja\n", "\ny\n", "n\ny\n"] {
			assert!(matches!(answer(no.as_bytes()).0, Err(Error::Declined)), "{no:?}");
		}
		// What is no text is no yes, whatever it begins with.
		assert!(matches!(answer(b"y\xff\n").0, Err(Error::Declined)));
		assert_eq!(answer(b"\n").1, "Send it?\u{fffd}[2K [y/N] ");
	}
}
