// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Founding a network, in steps that people at different places can really do.
//!
//! 1. [`keys`]: each member makes its keys on its own machine and sends one small file of public keys around.
//! 2. [`founding`]: anybody makes the chain specification from these files. Whoever has the same files and the same
//!    program gets the same bytes, so the members compare hashes instead of trusting who made it.
//! 3. Each member starts its node with it.
//!
//! No private key leaves the machine it was made on. [`member`] says what stands in a member's file and what it proves.

mod account;
mod founding;
mod keys;
mod member;

pub use founding::{CompleteCmd, GenesisCmd, InitCmd};
pub use keys::KeyCmd;

use dpki_primitives::ids::is_valid_name;
use sc_cli::Error as CliError;
use std::path::{Path, PathBuf};

/// Founding a network.
#[derive(Debug, clap::Subcommand)]
pub enum NetworkCommand {
	/// Make the keys of a member on its machine, and the file of public keys that it sends to the others.
	///
	/// Session keys and node key go to where a node with the same base path looks for them. Private keys are readable by
	/// their owner only, and never printed.
	Key(KeyCmd),

	/// Make the chain specification of a new network from the files of its members.
	Init(InitCmd),

	/// Put the runtime of this program into a specification that has none, such as those in `chain-specs/`.
	Complete(CompleteCmd),

	/// Print the genesis hash of a chain specification.
	Genesis(GenesisCmd),
}

impl NetworkCommand {
	/// Does it.
	pub fn run(&self) -> sc_cli::Result<()> {
		match self {
			Self::Key(cmd) => cmd.run(),
			Self::Init(cmd) => cmd.run(),
			Self::Complete(cmd) => cmd.run(),
			Self::Genesis(cmd) => cmd.run(),
		}
		.map_err(|error| CliError::Application(Box::new(error)))
	}
}

/// Why a step of a founding was refused, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
	/// A name cannot be one.
	#[error(
		"`{0}` is no name: use a-z, 0-9, hyphens and dots, with a letter or digit at both ends"
	)]
	Name(String),
	/// A file could not be read or written.
	#[error("{path} could not be {doing} ({source}): check path and permissions")]
	File {
		/// Which file.
		path: PathBuf,
		/// What was to be done with it.
		doing: &'static str,
		/// What the system says.
		source: std::io::Error,
	},
	/// A file would be overwritten.
	#[error("{0} exists already and is not overwritten: choose another place, or move it away")]
	Exists(PathBuf),
	/// The key file of an account cannot be used.
	#[error("{path} {problem}")]
	Account {
		/// Which file.
		path: PathBuf,
		/// What is wrong with it, and what to do.
		problem: &'static str,
	},
	/// A member's file is not one.
	#[error(
		"{path} is no member file ({reason}): have its member make it with `dpki-node network key`"
	)]
	MemberFile {
		/// Which file.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// A member's file was made for another network.
	#[error(
		"the file of member {member} is for the network `{found}`, not `{expected}`: have it made anew with --network {expected}"
	)]
	WrongNetwork {
		/// Whose file.
		member: String,
		/// The network that it names.
		found: String,
		/// The network that is founded.
		expected: String,
	},
	/// A proof of possession does not hold.
	#[error(
		"the file of member {member} does not prove that it holds its {key} key, or was changed after it was made: \
		 ask the member for the file once more"
	)]
	Proof {
		/// Whose file.
		member: String,
		/// Which key.
		key: &'static str,
	},
	/// Two members are the same in something.
	#[error("the members {first} and {second} have the same {what}: each needs its own")]
	Duplicate {
		/// One of them.
		first: String,
		/// The other one.
		second: String,
		/// What they share.
		what: &'static str,
	},
	/// There are too few members.
	#[error(
		"{found} members are too few: with fewer than {least} the failure of a single one stops the finality of the chain"
	)]
	TooFew {
		/// How many there are.
		found: usize,
		/// How many there have to be.
		least: usize,
	},
	/// There are too many members.
	#[error(
		"{found} members are too many: the council has {most} seats; let the others in by vote later"
	)]
	TooMany {
		/// How many there are.
		found: usize,
		/// How many there may be.
		most: usize,
	},
	/// The program has no runtime in it.
	#[error(
		"this program was built without a runtime (SKIP_WASM_BUILD was set): build it again without, and use that one"
	)]
	NoRuntime,
	/// A specification is not what it has to be.
	#[error("{path} cannot be used ({reason}): check that it is the right file")]
	Spec {
		/// Which file.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// The runtime does not accept the genesis.
	#[error("the runtime refuses this genesis ({0}): check the options and the members")]
	Genesis(String),
}

type Result<T> = std::result::Result<T, NetworkError>;

/// The name of a network or a member.
fn name(text: &str) -> std::result::Result<String, String> {
	if is_valid_name(text.as_bytes()) {
		return Ok(text.into());
	}
	Err(NetworkError::Name(text.into()).to_string())
}

fn file_error(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> NetworkError {
	let path = path.to_path_buf();
	move |source| NetworkError::File { path, doing, source }
}

/// Writes a new file with these permissions; one that is there stays.
fn write_new(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
	use std::{io::Write, os::unix::fs::OpenOptionsExt};
	let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
	file.and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
		.map_err(|source| match source.kind() {
			std::io::ErrorKind::AlreadyExists => NetworkError::Exists(path.into()),
			_ => file_error(path, "written")(source),
		})
}
