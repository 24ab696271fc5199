//! `dpki subject`: what certificates are about.

use super::{accreditation::paged, certificate::show};
use crate::{
	error::{Error, Result},
	files,
	output::{Report, hex},
	session::Session,
	values::certificates::subject as subject_value,
};
use clap::Subcommand;
use dpki_client::subject;
use dpki_primitives::subject::Subject;
use rand_core::{OsRng, RngCore};
use serde_json::Value;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What certificates are about.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki subject show dns:drone.example
  dpki subject certificates org:acme")]
pub enum SubjectCommand {
	/// Show who holds a subject, and by which certificates
	#[command(after_help = "\
Examples:
  dpki subject show dns:drone.example
  dpki subject show device:acme/drone-7 --json")]
	Show {
		/// dns:NAME, ip:ADDRESS, org:NAME, service:NAME/SERVICE, device:NAME/DEVICE, uuid:.., person:.., pseudonym:..
		#[arg(value_parser = subject_value)]
		subject: Subject,
	},
	/// List the certificates that were ever granted about a subject, oldest first
	#[command(after_help = "\
Example:
  dpki subject certificates org:acme")]
	Certificates {
		/// As for `dpki subject show`
		#[arg(value_parser = subject_value)]
		subject: Subject,
		/// Number of the first entry
		#[arg(long, default_value_t = 0)]
		start: u32,
	},
	/// Make the subject of a person: a hash that tells nobody who it is but those who get the salt
	#[command(after_help = "\
Examples:
  dpki subject person 'Alice Example, born 1990-01-01' --salt alice.salt
  dpki subject person 'Alice Example, born 1990-01-01' --salt alice.salt \\
      --check person:0x5f3c...d1")]
	Person {
		/// What identifies the person
		identity: String,
		/// Where the salt is kept; a new file unless --check is given
		#[arg(long, value_name = "FILE")]
		salt: PathBuf,
		/// Only tell whether a subject is this person, by the salt in the file
		#[arg(long, value_name = "SUBJECT", value_parser = subject_value)]
		check: Option<Subject>,
	},
}

impl SubjectCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show { subject } => show(session, &subject).await,
			Self::Certificates { subject, start } => certificates(session, &subject, start).await,
			Self::Person { identity, salt, check: None } => person(&identity, &salt),
			Self::Person { identity, salt, check: Some(subject) } => {
				check(&identity, &salt, &subject)
			},
		}
	}
}

async fn show(session: &Session, subject: &Subject) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let answer = view.subject(subject.id()).await?;
	let text = subject::to_text(subject);
	let mut report = Report::new()
		.row("subject", &text)
		.row("subject_id", subject.id())
		.row("common_name", subject.common_name())
		.data("storage_key", hex(&answer.subject.storage_key))
		.read_at(view.head());
	report = match &answer.subject.record {
		None => report.done(format!("Nobody ever held {text}")).data("holder", Value::Null),
		Some(record) => report
			.done(format!("Subject {text}"))
			.row("holder", show::holder(&view, record.holder).await?),
	};
	let mut entries = Vec::new();
	for (id, verdict) in &answer.live {
		let Some(record) = &verdict.record else { continue };
		report = report.tail(show::line(*id, record, verdict.status));
		entries.push(show::entry(*id, record, verdict));
	}
	Ok(report.data("certificates", Value::Array(entries)))
}

async fn certificates(session: &Session, subject: &Subject, start: u32) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let page = view.certificates_about(subject.id(), start).await?;
	let text = subject::to_text(subject);
	let report = Report::new()
		.done(format!("{} certificates about {text}", page.total))
		.data("subject", text)
		.read_at(view.head());
	let (report, entries) = show::listed(report, &page);
	Ok(paged(report, "certificates", entries, &page))
}

fn person(identity: &str, path: &Path) -> Result<Report> {
	let mut salt = Zeroizing::new([0; 32]);
	OsRng.fill_bytes(&mut *salt);
	let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(*salt))));
	files::write_secret(path, text.as_bytes())?;
	Ok(told(identity, &salt)
		.done("Made the subject of a person")
		.row("salt", path.display())
		.tail(
			"Whoever gets the salt and what identifies the person can check who it is; keep both.",
		))
}

fn check(identity: &str, path: &Path, subject: &Subject) -> Result<Report> {
	let text = files::read_text(path)?;
	let mut salt = Zeroizing::new([0; 32]);
	hex::decode_to_slice(text.trim(), &mut *salt).map_err(|_| Error::WrongFile {
		path: path.to_owned(),
		expected: "the salt of a person: 64 hexadecimal digits".to_owned(),
	})?;
	let is_this = Subject::Person(subject::person(&salt, identity)) == *subject;
	let words = if is_this { "it is this person" } else { "it is not this person" };
	Ok(Report::new().verdict(is_this, words))
}

fn told(identity: &str, salt: &[u8; 32]) -> Report {
	let subject = Subject::Person(subject::person(salt, identity));
	Report::new()
		.row("subject", subject::to_text(&subject))
		.row("subject_id", subject.id())
}
