//! `dpki`: every step that a person takes with the device PKI chain.

#![forbid(unsafe_code)]

mod cli;
mod commands;
#[cfg(test)]
mod coverage;
mod error;
mod files;
mod lookup;
mod output;
mod prompt;
mod proven;
mod secrets;
mod session;
mod transaction;
mod values;

use clap::Parser;
use std::{env, process::ExitCode};

fn main() -> ExitCode {
	let cli = match cli::Cli::try_parse() {
		Ok(cli) => cli,
		Err(error) => {
			let as_json = env::args_os().any(|argument| argument == "--json");
			return output::print_usage_error(&cli::explain(error), as_json);
		},
	};
	let as_json = cli.global.json;
	// Two threads, so that the connection lives on while a person thinks about a passphrase.
	let runtime = tokio::runtime::Builder::new_multi_thread()
		.worker_threads(2)
		.enable_all()
		.build();
	let result = runtime
		.map_err(|source| error::Error::File { doing: "start", path: "a runtime".into(), source })
		.and_then(|runtime| runtime.block_on(cli.run()));
	match result {
		Ok(report) => report.print(as_json),
		Err(error) => output::print_error(&error, as_json),
	}
}
