//! `dpki x509 check` and `match`: a certificate in a file, held against what the chain knows.

use super::show::{ProfileArg, certificates, no_certificate};
use crate::{
	commands::{anchor, key},
	error::{Error, Result},
	lookup,
	output::Report,
	session::Session,
	values::AnchorRef,
};
use clap::Args;
use dpki_client::certificate::public_key_from_spki;
use dpki_primitives::{
	anchor::{AnchorKind, ChainVerdict, MAX_CHAIN_LEN},
	certificate::CertificateRecord,
	ids::{AnchorId, CertificateId},
	status::Status,
	subject::Subject,
};
use dpki_x509::{Certificate, Error as Refusal};
use serde_json::Value;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Ask the chain about a certificate below an anchor.
#[derive(Args)]
pub struct Check {
	/// The certificate, in PEM or DER; further ones in the same PEM file are taken as authorities between
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// The anchor: id, or a file with its certificate
	#[arg(long, value_name = "ID|FILE")]
	below: AnchorRef,
	/// An authority that stands between and is no anchor; may be repeated
	#[arg(long = "intermediate", value_name = "FILE")]
	intermediates: Vec<PathBuf>,
	/// What is asked beyond RFC 5280 and the profile of the anchor
	#[arg(long, value_enum, default_value = "rfc5280")]
	profile: ProfileArg,
}

/// Hold a file against what is registered.
#[derive(Args)]
pub struct Match {
	/// The certificate, in PEM or DER
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// The anchor that it is to be
	#[arg(long, value_name = "ID", required_unless_present = "certificate")]
	anchor: Option<AnchorId>,
	/// The certificate of the chain whose key and subject it is to have
	#[arg(long, value_name = "ID", conflicts_with = "anchor")]
	certificate: Option<CertificateId>,
}

impl Check {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let mut ders = certificates(&self.file)?;
		if ders.is_empty() {
			return Err(no_certificate(&self.file));
		}
		for path in &self.intermediates {
			let more = certificates(path)?;
			if more.is_empty() {
				return Err(no_certificate(path));
			}
			ders.extend(more);
		}
		let described = key::certificate_report(&self.file, &ders[0]).unwrap_or_default();
		// What cannot be read is told without asking anybody.
		let read = ders.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>();
		let read = match read {
			Ok(read) => read,
			Err(refusal) => return Ok(told(described, &broken(None, refusal.name()))),
		};
		let (_client, view) = session.view().await?;
		let known = lookup::anchor(&view, &self.below, anchor::X509).await?;
		let chain = in_order(read, known.id)?;
		let verdict = view.check_certificate(known.id, &chain, self.profile.into()).await?;
		Ok(told(described.row("anchor", known.id), &verdict)
			.data("chain", chain.len())
			.read_at(view.head()))
	}
}

fn broken(at: Option<u32>, problem: &str) -> ChainVerdict {
	ChainVerdict::Broken { at, problem: problem.to_owned() }
}

/// The chain from the first certificate up to the one that the anchor has issued: each next one is named as issuer by the
/// one before. What belongs to no such chain, and the anchor itself, is left out.
fn in_order(certificates: Vec<Certificate>, anchor: AnchorId) -> Result<Vec<Vec<u8>>> {
	let is_anchor = |it: &Certificate| {
		[AnchorKind::X509Root, AnchorKind::X509Intermediate]
			.into_iter()
			.any(|kind| AnchorId::of(kind, it.der()) == anchor)
	};
	let mut rest = certificates;
	let mut current = rest.remove(0);
	rest.retain(|it| !is_anchor(it));
	let mut chain = vec![current.der().to_vec()];
	while let Some(at) = rest
		.iter()
		.position(|it| it.subject() == current.issuer() && !it.is_self_issued())
	{
		current = rest.remove(at);
		chain.push(current.der().to_vec());
	}
	if chain.len() > MAX_CHAIN_LEN as usize {
		return Err(Error::NotAllowed {
			why: format!("{} certificates lie below the anchor", chain.len()),
			next: format!(
				"the chain reads {MAX_CHAIN_LEN} at most: name an anchor that is nearer with --below"
			),
		});
	}
	Ok(chain)
}

/// The verdict in front of what the certificate says of itself.
fn told(report: Report, verdict: &ChainVerdict) -> Report {
	let report = report.data("status", Value::Null).data("problem", Value::Null);
	match verdict {
		ChainVerdict::Status(status) => {
			let reason = status.reason().map(|reason| reason.rfc5280_name());
			let words = match reason {
				Some(reason) => format!("{} ({reason})", status.name()),
				None => status.name().to_owned(),
			};
			report
				.verdict(*status == Status::Valid, words)
				.data("status", status.name())
				.data("reason", reason)
		},
		ChainVerdict::Broken { at, problem } => {
			let sentence = Refusal::ALL.iter().find(|it| it.name() == problem);
			let sentence = sentence.map_or(problem.as_str(), |it| it.sentence());
			let place = match at {
				Some(0) => "the certificate".to_owned(),
				Some(at) => format!("certificate {at} above it"),
				None => "the chain".to_owned(),
			};
			report
				.verdict(false, format!("refused: {place}: {sentence} ({problem})"))
				.data("problem", problem.as_str())
				.data("at", *at)
		},
		ChainVerdict::NotX509 => report.verdict(false, "refused: the anchor is no X.509 anchor"),
		ChainVerdict::LengthInvalid => report.verdict(false, "refused: the chain is too long"),
		ChainVerdict::ProfileMismatch => {
			report.verdict(false, "refused: no certificate keeps this profile and the anchor's")
		},
	}
}

impl Match {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let ders = certificates(&self.file)?;
		let Some(der) = ders.first() else { return Err(no_certificate(&self.file)) };
		let described = key::certificate_report(&self.file, der)?;
		let (_client, view) = session.view().await?;
		let (differences, status) = match (self.anchor, self.certificate) {
			(Some(id), _) => {
				let known = lookup::anchor(&view, &AnchorRef::Id(id), anchor::X509).await?;
				let is_it = AnchorId::of(known.record.kind, der) == id;
				(if is_it { Vec::new() } else { vec!["certificate"] }, known.status)
			},
			(None, Some(id)) => {
				let found = view.stored_certificate(id).await?;
				let (record, status) = found
					.ok_or_else(|| Error::Unknown { what: "certificate", name: id.to_string() })?;
				(differences(&self.file, der, &record)?, status)
			},
			(None, None) => {
				return Err(Error::Usage("say what it is to be: give --anchor".to_owned()));
			},
		};
		let is_it = differences.is_empty();
		let headline = match is_it {
			true => format!("it is what is registered, which is {}", status.name()),
			false => {
				format!("another one: {} differs from what is registered", differences.join(", "))
			},
		};
		Ok(described
			.verdict(is_it && status.is_valid(), headline)
			.data("matches", is_it)
			.data("differences", differences)
			.data("status", status.name())
			.read_at(view.head()))
	}
}

/// What of a file is not as a certificate of the chain has it: the key, the end, or the name that it is about.
fn differences(file: &Path, der: &[u8], record: &CertificateRecord) -> Result<Vec<&'static str>> {
	let (_, parsed) =
		X509Certificate::from_der(der).map_err(|_| Error::UnknownFile(file.to_owned()))?;
	let mut found = Vec::new();
	if public_key_from_spki(parsed.public_key().raw).as_ref() != Some(&record.key) {
		found.push("the key");
	}
	let end = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
	// The last second of a certificate belongs to it, the record ends with a millisecond.
	if record.validity.not_after.is_some_and(|last| end > last / 1000) {
		found.push("the end");
	}
	let names = parsed.subject_alternative_name().ok().flatten();
	let names = names.map(|extension| &extension.value.general_names[..]).unwrap_or_default();
	let names_it = |name: &GeneralName| match (&record.subject, name) {
		(Subject::Dns(dns), GeneralName::DNSName(name)) => name.as_bytes() == &dns[..],
		(Subject::Ipv4(ip), GeneralName::IPAddress(name)) => *name == &ip[..],
		(Subject::Ipv6(ip), GeneralName::IPAddress(name)) => *name == &ip[..],
		_ => false,
	};
	let is_about_a_name =
		matches!(record.subject, Subject::Dns(_) | Subject::Ipv4(_) | Subject::Ipv6(_));
	if is_about_a_name && !names.iter().any(names_it) {
		found.push("the subject");
	}
	Ok(found)
}
