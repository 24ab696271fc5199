//! `dpki runtime`: which code the chain runs, and how the council replaces it without stopping anything.

mod blob;

use crate::{
	commands::motion::propose::{Terms, to_council},
	error::{Error, Result},
	output::{Progress, Report, hex},
	session::Session,
};
use blob::Blob;
use clap::Subcommand;
use dpki_client::{RuntimeVersion, calls};
use std::path::{Path, PathBuf};

/// The code that the chain runs.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki runtime show
  dpki runtime show dpki_runtime.compact.compressed.wasm
  dpki runtime propose dpki_runtime.compact.compressed.wasm --reason 'release 2.0'
  dpki runtime apply dpki_runtime.compact.compressed.wasm")]
pub enum RuntimeCommand {
	/// Show the runtime of the chain, and whether this program fits it; or what is in a file, for which no chain is needed
	#[command(after_help = "\
Two who build the same sources compare the hash: it is the one on which the council votes.

Examples:
  dpki runtime show
  dpki runtime show dpki_runtime.compact.compressed.wasm --json")]
	Show {
		/// The blob that a build of the runtime has made
		#[arg(value_name = "FILE")]
		file: Option<PathBuf>,
	},
	/// Propose to the council: authorise the runtime in a file, by its hash
	///
	/// Each trustee builds it, compares the hash with `dpki runtime show`, and votes. Once the motion is carried, anybody
	/// brings the code with `dpki runtime apply`.
	#[command(after_help = "\
Example:
  dpki runtime propose dpki_runtime.compact.compressed.wasm --reason 'release 2.0, see minutes'")]
	Propose {
		/// The blob that a build of the runtime has made
		#[arg(value_name = "FILE")]
		file: PathBuf,
		#[command(flatten)]
		terms: Terms,
	},
	/// Bring the runtime that the council has authorised, and wait until the chain runs it
	///
	/// It takes no account and costs nothing.
	#[command(after_help = "\
Example:
  dpki runtime apply dpki_runtime.compact.compressed.wasm")]
	Apply {
		/// The blob that a build of the runtime has made
		#[arg(value_name = "FILE")]
		file: PathBuf,
	},
}

impl RuntimeCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show { file: Some(file) } => Ok(told(Report::new(), &Blob::read(&file)?)
				.done(format!("The runtime in {}", file.display()))),
			Self::Show { file: None } => show(session).await,
			Self::Propose { file, terms } => propose(session, &file, &terms).await,
			Self::Apply { file } => apply(session, &file).await,
		}
	}
}

fn told(report: Report, blob: &Blob) -> Report {
	report
		.row_as("runtime", blob.version.to_string(), blob.version.name.clone())
		.data("spec_version", blob.version.spec)
		.row_as(
			"transaction_version",
			blob.version.transactions.to_string(),
			blob.version.transactions,
		)
		.row("code_hash", hex(&blob.hash))
		.row_as("bytes", blob.code.len().to_string(), blob.code.len())
}

async fn show(session: &Session) -> Result<Report> {
	let (client, view) = session.view().await?;
	let head = view.head();
	let version = client.runtime_version(head.hash).await?;
	let authorized = view.authorized_upgrade().await?;
	let migration = view.migration().await?;
	let fit = version.fit();
	let report = Report::new()
		.done(format!("The chain runs {version}"))
		.data("runtime", version.name.clone())
		.data("spec_version", version.spec)
		.row_as("transaction_version", version.transactions.to_string(), version.transactions)
		.row("code_hash", hex(&client.code_hash(head.hash).await?))
		.row_as(
			"authorized",
			authorized.map_or("nothing".into(), |hash| hex(&hash)),
			authorized.map(|hash| hex(&hash)),
		)
		.row_as(
			"migration",
			migration.as_ref().map_or("none is going on".into(), |it| name(&it.id)),
			migration.as_ref().map(|it| name(&it.id)),
		)
		.row("program", &fit)
		.data("compatible", fit.is_compatible())
		.read_at(head);
	Ok(if fit.is_compatible() { report } else { report.warn(fit.to_string()) })
}

/// The name of a migration as people write it.
fn name(id: &[u8]) -> String {
	match std::str::from_utf8(id) {
		Ok(text) if text.chars().all(|it| it.is_ascii_graphic()) => text.to_owned(),
		_ => hex(id),
	}
}

async fn propose(session: &Session, file: &Path, terms: &Terms) -> Result<Report> {
	let blob = Blob::read(file)?;
	let (client, view) = session.view().await?;
	let runs = client.runtime_version(view.head().hash).await?;
	judge(&blob.version, &runs)?;
	let upgrade = calls::encode(&calls::authorize_upgrade(blob.hash))?;
	let report = to_council(session, &calls::as_root(upgrade), terms).await?;
	let report = told(report, &blob);
	Ok(match blob.version.transactions == runs.transactions {
		true => report,
		false => report.warn(format!(
			"its transactions are of version {}, those of the chain of {}: programs of today sign nothing after the upgrade",
			blob.version.transactions, runs.transactions
		)),
	})
}

/// Refuses what the chain would refuse when the code is brought: by then the council has voted in vain.
fn judge(proposed: &RuntimeVersion, runs: &RuntimeVersion) -> Result<()> {
	let why = if proposed.name != runs.name {
		format!("this is a runtime of {}, and the chain is of {}", proposed.name, runs.name)
	} else if proposed.spec <= runs.spec {
		format!("this is {proposed}, and the chain runs {runs} already")
	} else {
		return Ok(());
	};
	let next = "build the runtime of the release, whose `spec_version` is higher".to_owned();
	Err(Error::NotAllowed { why, next })
}

async fn apply(session: &Session, file: &Path) -> Result<Report> {
	let blob = Blob::read(file)?;
	let client = session.connect().await?;
	let number = {
		let _progress = Progress::start("bringing the runtime: waiting until it is final");
		client.upgrade(&blob.code).await?
	};
	let report = told(Report::new().done(format!("The chain runs {}", blob.version)), &blob)
		.row_as("block", format!("{number} (final)"), number);
	Ok(match blob.version.fit() {
		fit if fit.is_compatible() => report.row("program", fit),
		fit => report.warn(fit.to_string()),
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn version(name: &str, spec: u32) -> RuntimeVersion {
		RuntimeVersion { name: name.into(), spec, transactions: 1 }
	}

	#[test]
	fn only_a_later_runtime_of_the_same_kind_is_proposed() {
		let runs = version("dpki", 2);
		assert!(judge(&version("dpki", 3), &runs).is_ok());
		for (wrong, words) in [
			(version("dpki", 2), "runs dpki 2 already"),
			(version("dpki", 1), "runs dpki 2 already"),
			(version("node", 9), "the chain is of dpki"),
		] {
			let error = judge(&wrong, &runs).unwrap_err();
			assert!(error.to_string().contains(words), "{error}");
			assert!(error.next_step().unwrap().contains("spec_version"));
		}
	}

	#[test]
	fn a_migration_is_told_by_its_name() {
		assert_eq!(name(b"rehearsal/devices"), "rehearsal/devices");
		assert_eq!(name(&[1, 2]), "0x0102");
	}
}
