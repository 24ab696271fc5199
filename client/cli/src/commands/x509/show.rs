//! `dpki x509 show`: the verdict of the chain about one certificate.

use super::now;
use crate::{
	commands::key,
	error::{Error, Result},
	files,
	output::Report,
};
use clap::{Args, ValueEnum, builder::PossibleValue};
use dpki_x509::{
	Certificate, Error as Refusal, Pool, Profile, ProfileRules, Pure, Role, Rules, Target, build,
	verify_root,
};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use x509_cert::der::oid::db::rfc5912::ID_KP_SERVER_AUTH;
use x509_parser::pem::Pem;

/// Say what the chain would say about a certificate.
#[derive(Args)]
pub struct Show {
	/// The certificate, in PEM or DER; further ones in the same PEM file are taken as intermediates
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// A root to which a path may lead; may be repeated
	#[arg(long = "root", value_name = "FILE")]
	roots: Vec<PathBuf>,
	/// An authority that may stand between; may be repeated
	#[arg(long = "intermediate", value_name = "FILE", requires = "roots")]
	intermediates: Vec<PathBuf>,
	/// What is asked beyond RFC 5280
	#[arg(long, value_enum, default_value = "rfc5280")]
	profile: ProfileArg,
}

/// A profile of certificates, on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileArg(Profile);

impl ValueEnum for ProfileArg {
	fn value_variants<'a>() -> &'a [Self] {
		const {
			let [rfc5280, matter, idevid, tls_server] = Profile::ALL;
			&[Self(rfc5280), Self(matter), Self(idevid), Self(tls_server)]
		}
	}

	fn to_possible_value(&self) -> Option<PossibleValue> {
		let help = match self.0 {
			Profile::Rfc5280 => "RFC 5280 and no more",
			Profile::Matter => "Device attestation of Matter: PAA, PAI, DAC",
			Profile::IdevId => "Initial device identities of IEEE 802.1AR",
			Profile::TlsServer => "TLS servers as public CAs certify them",
		};
		Some(PossibleValue::new(self.0.name()).help(help))
	}
}

impl From<ProfileArg> for Profile {
	fn from(profile: ProfileArg) -> Self {
		profile.0
	}
}

/// What came of it.
enum Verdict {
	/// It is accepted, as the end of a path with so many certificates.
	Accepted(usize),
	/// It is refused, and why.
	Refused(Refusal),
	/// No root was given by which to judge it.
	NotJudged,
}

impl Show {
	/// Runs the command.
	pub fn run(self) -> Result<Report> {
		let mut ders = certificates(&self.file)?.into_iter();
		let Some(der) = ders.next() else { return Err(no_certificate(&self.file)) };
		let described = key::certificate_report(&self.file, &der).unwrap_or_default();
		let certificate = match Certificate::from_der(&der) {
			Ok(certificate) => certificate,
			Err(error) => return Ok(told(described, "certificate", Verdict::Refused(error))),
		};
		let role = match certificate.is_self_issued() && self.roots.is_empty() {
			true => Role::Anchor,
			false => Role::below_anchor(&certificate),
		};
		let verdict = match role {
			Role::Anchor => verify_root(&Pure, &der, self.profile.0)
				.and_then(|root| root.validity().check(now()))
				.map_or_else(Verdict::Refused, |()| Verdict::Accepted(1)),
			_ if self.roots.is_empty() => Verdict::NotJudged,
			_ => {
				let anchors = readable(&self.roots)?;
				let mut intermediates = readable(&self.intermediates)?;
				intermediates.extend(ders.filter_map(|der| Certificate::from_der(&der).ok()));
				let pool = Pool { anchors: &anchors, intermediates: &intermediates };
				self.judge(&certificate, role, pool)
			},
		};
		let report = told(described, role_name(role), verdict);
		Ok(profiles(report, &certificate, role))
	}

	fn judge(&self, certificate: &Certificate, role: Role, pool: Pool) -> Verdict {
		let mut rules = Rules::at(now());
		rules.profile = self.profile.0;
		rules.target =
			if role == Role::Intermediate { Target::Authority } else { Target::EndEntity };
		rules.purpose = (rules.profile == Profile::TlsServer).then_some(ID_KP_SERVER_AUTH);
		match build(&Pure, pool, certificate, &rules) {
			Ok((_, path)) => Verdict::Accepted(path.len() + 1),
			Err(refusal) => Verdict::Refused(refusal.error),
		}
	}
}

fn role_name(role: Role) -> &'static str {
	match role {
		Role::Anchor => "root",
		Role::Intermediate => "intermediate",
		Role::EndEntity => "end entity",
	}
}

/// The verdict in front of what the certificate says of itself.
fn told(report: Report, role: &str, verdict: Verdict) -> Report {
	let report = report.row("role", role);
	match verdict {
		Verdict::Accepted(len) => report
			.verdict(true, "accepted")
			.row_as("path", format!("{len} certificates with the root"), len)
			.data("refusal", Value::Null),
		Verdict::Refused(error) => report
			.verdict(false, format!("refused: {} ({})", error.sentence(), error.name()))
			.data("refusal", error.name()),
		Verdict::NotJudged => report
			.verdict(false, format!("not judged: an {role} is judged with --root"))
			.data("refusal", Value::Null),
	}
}

/// Whether each profile allows this certificate in its part; a path asks for more.
fn profiles(mut report: Report, certificate: &Certificate, role: Role) -> Report {
	let mut json = Map::new();
	for profile in Profile::ALL {
		let refusal = profile.check_certificate(certificate, role).err();
		let name = profile.name();
		let words = refusal.map_or("allows it", Refusal::sentence);
		report = report.tail(format!("  profile {name:10}  {words}"));
		json.insert(name.to_owned(), refusal.map(Refusal::name).into());
	}
	report.data("profiles", json)
}

pub(super) fn no_certificate(path: &Path) -> Error {
	Error::WrongFile { path: path.to_owned(), expected: "an X.509 certificate".to_owned() }
}

/// The certificates in a file: one in DER, or all of a PEM file. Nothing but their encoding is looked at.
pub(super) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>> {
	let bytes = files::read(path)?;
	if bytes.starts_with(b"\x30") {
		return Ok(vec![bytes.to_vec()]);
	}
	let pems = Pem::iter_from_buffer(&bytes).filter_map(|pem| pem.ok());
	Ok(pems.filter(|pem| pem.label == "CERTIFICATE").map(|pem| pem.contents).collect())
}

/// The certificates in these files, each of which has to be one that the chain reads.
fn readable(paths: &[PathBuf]) -> Result<Vec<Certificate>> {
	let mut found = Vec::new();
	for path in paths {
		let ders = certificates(path)?;
		if ders.is_empty() {
			return Err(no_certificate(path));
		}
		for der in ders {
			found.push(Certificate::from_der(&der).map_err(|error| Error::WrongFile {
				path: path.clone(),
				expected: format!(
					"a certificate that the chain reads: {} ({})",
					error.sentence(),
					error.name()
				),
			})?);
		}
	}
	Ok(found)
}
