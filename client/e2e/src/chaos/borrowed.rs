//! Parts of the machine that are changed for a while.

use std::{
	io::{BufRead, BufReader, Read},
	process::{Child, ChildStdin, Command, Stdio},
};

/// Something of the machine that was changed, such as a mount or a network namespace, and is changed back when this is
/// dropped.
///
/// A shell in a session of its own does both. It waits for the end of its input: so it also changes back what was borrowed
/// by a test that was killed.
pub struct Borrowed {
	holder: Child,
	/// Closed to give it back.
	line: Option<ChildStdin>,
}

impl Borrowed {
	/// Runs the shell commands `take`, and `give_back` later, or at once if one of the first fails; then the error is what
	/// they said. Both see `args` as `$1` and so on.
	pub fn take(take: &str, give_back: &str, args: &[&str]) -> Result<Self, String> {
		let script = format!(
			"set -euo pipefail\ntrap '' INT TERM HUP\ngive_back() {{\nset +e\n{give_back}\n}}\n\
			 trap 'give_back \"$@\"' EXIT\n{{\n{take}\n}} >&2\necho taken\nread -r _ || true\n"
		);
		let mut holder = Command::new("setsid")
			.args(["bash", "-c", &script, "bash"])
			.args(args)
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped())
			.spawn()
			.map_err(|error| format!("setsid does not start: {error}"))?;
		let line = holder.stdin.take();
		let mut said = String::new();
		let out = holder.stdout.take().expect("its output is piped");
		let taken = BufReader::new(out).read_line(&mut said).is_ok_and(|read| read > 0);
		let mut borrowed = Self { holder, line };
		if taken {
			return Ok(borrowed);
		}
		let mut complaint = String::new();
		if let Some(mut stderr) = borrowed.holder.stderr.take() {
			let _ = stderr.read_to_string(&mut complaint);
		}
		Err(complaint.trim().to_string())
	}
}

impl Drop for Borrowed {
	fn drop(&mut self) {
		self.line = None;
		let _ = self.holder.wait();
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Workspace;

	#[test]
	fn what_was_taken_is_given_back() {
		let workspace = Workspace::new("borrowed");
		let file = workspace.join("it").display().to_string();
		let borrowed = Borrowed::take("touch \"$1\"", "rm \"$1\"", &[&file]).unwrap();
		assert!(workspace.join("it").exists());
		drop(borrowed);
		assert!(!workspace.join("it").exists());
	}

	#[test]
	fn what_could_not_be_taken_is_told_and_half_of_it_given_back() {
		let workspace = Workspace::new("borrowed-half");
		let file = workspace.join("it").display().to_string();
		let take = "touch \"$1\"; echo no more >&2; false";
		let error = Borrowed::take(take, "rm \"$1\"", &[&file]).map(|_| ()).unwrap_err();
		assert_eq!(error, "no more");
		assert!(!workspace.join("it").exists());
	}
}
