//! Questions to the person at the terminal, and how scripts answer them.

use crate::error::{Error, Result};
use std::{
	env,
	io::{IsTerminal, Write, stderr, stdin},
};
use zeroize::Zeroizing;

/// Where scripts put the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "DPKI_PASSPHRASE";

/// The passphrase that opens `what`.
pub fn passphrase(what: &str) -> Result<Zeroizing<String>> {
	if let Some(passphrase) = from_environment() {
		return Ok(passphrase);
	}
	ask(&format!("Passphrase for {what}: "), what)
}

/// A passphrase for something new, typed twice.
pub fn new_passphrase(what: &str) -> Result<Zeroizing<String>> {
	if let Some(passphrase) = from_environment() {
		return if passphrase.is_empty() { Err(Error::PassphraseMismatch) } else { Ok(passphrase) };
	}
	let first = ask(&format!("New passphrase for {what}: "), what)?;
	let second = ask("The same again: ", what)?;
	if first.is_empty() || first != second { Err(Error::PassphraseMismatch) } else { Ok(first) }
}

/// Lets the person think twice; `--yes` skips the question, and without a terminal it is needed.
pub fn confirm(question: &str, yes: bool) -> Result<()> {
	if yes {
		return Ok(());
	}
	if !stdin().is_terminal() || !stderr().is_terminal() {
		return Err(Error::ConfirmationMissing);
	}
	anstream::eprint!("{question} [y/N] ");
	let _ = stderr().flush();
	let mut answer = String::new();
	let read = stdin().read_line(&mut answer);
	match answer.trim().to_ascii_lowercase().as_str() {
		"y" | "yes" if read.is_ok() => Ok(()),
		_ => Err(Error::Declined),
	}
}

fn from_environment() -> Option<Zeroizing<String>> {
	env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new)
}

fn ask(prompt: &str, what: &str) -> Result<Zeroizing<String>> {
	// rpassword reads from the controlling terminal, so this works while standard input carries data.
	rpassword::prompt_password(prompt)
		.map(Zeroizing::new)
		.map_err(|_| Error::PassphraseMissing(what.to_owned()))
}
