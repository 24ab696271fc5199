//! Runs a file of the x509-limbo format: `cargo run -p dpki-x509 --features limbo --example limbo -- FILE.json`.
//! Exits with 1 if something was accepted that must not be, and with 2 if the file could not be read.

use std::{io::Write, process::ExitCode, time::SystemTime};

fn main() -> ExitCode {
	let Some(path) = std::env::args().nth(1) else {
		eprintln!("usage: limbo FILE.json");
		return ExitCode::from(2);
	};
	let now = SystemTime::now()
		.duration_since(SystemTime::UNIX_EPOCH)
		.map_or(0, |since| since.as_secs());
	let report = std::fs::read_to_string(&path)
		.map_err(|error| format!("{path}: {error}"))
		.and_then(|json| dpki_x509::limbo::run(&json, now));
	match report {
		Ok(report) => {
			// Whoever closes the pipe early has seen enough.
			let _ = write!(std::io::stdout(), "{report}");
			ExitCode::from(u8::from(report.unsafe_accepts().next().is_some()))
		},
		Err(error) => {
			eprintln!("{error}");
			ExitCode::from(2)
		},
	}
}
