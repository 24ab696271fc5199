// SPDX-License-Identifier: Apache-2.0

//! What `substrate-wasm-builder` uses of the crate `wasm-opt`, done by the program of the same name.
//!
//! The crate compiles Binaryen's 242 C++ files, which takes two cores some ten minutes, to run one pass over one file.
//! Distributions ship the program (Debian: `binaryen`). The workspace's manifest puts this package in the crate's
//! place; see `docs/decisions/0007-building.md`.

use std::{fmt, io, path::Path, process::Command};

/// Refuses whatever the first version of WebAssembly has not.
const MVP_ONLY: &str = "--mvp-features";

/// A transformation of a module.
#[derive(Clone, Copy, Debug)]
pub enum Pass {
	/// Makes sure that there are no sign extension instructions.
	///
	/// The crate replaces them by older ones. The runtime is built for `wasm32v1-none`, which has none, and the program
	/// refuses a module that does; so nothing has to be replaced, which not every version of the program could.
	SignextLowering,
	/// Removes debug information.
	StripDwarf,
}

impl Pass {
	fn flag(self) -> &'static str {
		match self {
			Pass::SignextLowering => MVP_ONLY,
			Pass::StripDwarf => "--strip-dwarf",
		}
	}
}

/// What is to be done to a module.
#[derive(Clone, Debug)]
pub struct OptimizationOptions {
	flags: Vec<&'static str>,
}

impl OptimizationOptions {
	/// Nothing but the passes that are added.
	pub fn new_opt_level_0() -> Self {
		Self { flags: vec!["-O0"] }
	}

	/// Accept and make nothing that the first version of WebAssembly has not.
	pub fn mvp_features_only(&mut self) -> &mut Self {
		self.flags.push(MVP_ONLY);
		self
	}

	/// Whether names of functions are kept.
	pub fn debug_info(&mut self, keep: bool) -> &mut Self {
		if keep {
			self.flags.push("--debuginfo");
		}
		self
	}

	/// Adds a pass; passes run in the order in which they were added.
	pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
		self.flags.push(pass.flag());
		self
	}

	/// Transforms one file into another, which may be the same.
	pub fn run(&self, input: impl AsRef<Path>, output: impl AsRef<Path>) -> Result<(), Error> {
		let mut command = Command::new("wasm-opt");
		command.args(&self.flags).arg(input.as_ref()).arg("-o").arg(output.as_ref());
		let done = command.output().map_err(Error::NotRun)?;
		if !done.status.success() {
			return Err(Error::Failed(String::from_utf8_lossy(&done.stderr).into_owned()));
		}
		Ok(())
	}
}

/// Why a module was not transformed. Builds print it with `Debug`, so that it is a sentence there too.
pub enum Error {
	/// The program cannot be run.
	NotRun(io::Error),
	/// The program failed and said this.
	Failed(String),
}

impl fmt::Display for Error {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Error::NotRun(error) => write!(
				f,
				"the program wasm-opt cannot be run ({error}): install Binaryen (on Debian the package `binaryen`)"
			),
			Error::Failed(words) => write!(f, "wasm-opt failed: {words}"),
		}
	}
}

impl fmt::Debug for Error {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl std::error::Error for Error {}
