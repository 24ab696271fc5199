//! Runs files of the x509-limbo format (<https://x509-limbo.com>): test cases of a certificate, a pool, a name, a time,
//! and whether that has to be accepted.
//!
//! Groups about the Web PKI (`webpki`, `online`) are judged under [`Profile::TlsServer`], all others under
//! [`Profile::Rfc5280`]. A case is skipped, and counted as such, if it needs what is not claimed here.
//!
//! A case names a pool, and a chain is told a path. So [`build`] looks for one, and [`validate`] judges it, as it does in the
//! registry: with [`Pure`], which is what the registry verifies with where no host does. A case can ask for more than a chain
//! is ever asked: a name, a purpose, a use of the key, lists of revocation, a depth. What remains without that is the
//! [`Question`] of the case, which `runtime/examples/runtime-limbo.rs` puts to the runtime itself.

use crate::{
	Certificate, Error, Profile, Pure, Rules,
	crl::RevocationList,
	name::{ReferenceName, check_name},
	path::{Pool, Revocation, build, validate},
	time::UnixTime,
};
use alloc::{
	collections::BTreeMap,
	format,
	string::{String, ToString},
	vec,
	vec::Vec,
};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use x509_cert::{
	der::{DateTime, asn1::ObjectIdentifier, oid::db::rfc5912, pem},
	ext::pkix::KeyUsage,
};

/// Features that are not claimed, and why.
const UNSUPPORTED_FEATURES: [(&str, &str); 1] =
	[("pedantic-public-suffix-wildcard", "no list of public suffixes is consulted")];

/// Groups whose rules are those of public CAs.
const WEB_GROUPS: [&str; 2] = ["webpki", "online"];

/// What came out of a file.
#[derive(Clone, Default, Debug, Serialize)]
pub struct Report {
	/// The sums per group.
	pub groups: BTreeMap<String, Tally>,
	/// Each case.
	pub cases: Vec<Case>,
}

/// The sums of a group.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Tally {
	/// Judged as the file says.
	pub agreed: usize,
	/// Judged otherwise.
	pub disagreed: usize,
	/// Not judged.
	pub skipped: usize,
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
	/// Its name.
	pub id: String,
	/// Whether the file wants it accepted.
	pub expected: bool,
	/// Whether it was accepted; `None` if it was skipped.
	pub accepted: Option<bool>,
	/// Why it was refused or skipped; empty if it was accepted.
	pub reason: String,
	/// What of it a chain can be asked; `None` if it was skipped, or the certificate cannot be read.
	#[serde(skip)]
	pub question: Option<Question>,
}

/// What a chain can be asked about a case: whether a certificate is valid below an anchor, at a moment and under a profile.
#[derive(Clone, Debug)]
pub struct Question {
	/// The moment, in seconds since the Unix epoch.
	pub at: UnixTime,
	/// The profile.
	pub profile: Profile,
	/// The certificate in question, in DER.
	pub leaf: Vec<u8>,
	/// Those of the trusted certificates that can be read, in DER.
	pub anchors: Vec<Vec<u8>>,
	/// Those of the other certificates that can be read, in DER.
	pub intermediates: Vec<Vec<u8>>,
	/// The path that is valid here: the anchor, and the chain below it from the certificate in question up. `None` if
	/// there is none.
	pub path: Option<(Vec<u8>, Vec<Vec<u8>>)>,
}

impl Case {
	/// Whether something was accepted that must not be.
	pub fn is_unsafe(&self) -> bool {
		!self.expected && self.accepted == Some(true)
	}

	/// Whether the verdict is not the one that the file wants.
	pub fn disagrees(&self) -> bool {
		self.accepted.is_some_and(|accepted| accepted != self.expected)
	}
}

impl Report {
	/// The cases that were accepted and must not be.
	pub fn unsafe_accepts(&self) -> impl Iterator<Item = &Case> {
		self.cases.iter().filter(|case| case.is_unsafe())
	}

	fn push(&mut self, case: Case) {
		let group = case.id.split("::").next().unwrap_or_default().to_string();
		let tally = self.groups.entry(group).or_default();
		match case.accepted {
			None => tally.skipped += 1,
			Some(_) if case.disagrees() => tally.disagreed += 1,
			Some(_) => tally.agreed += 1,
		}
		self.cases.push(case);
	}
}

impl fmt::Display for Report {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut sum = Tally::default();
		writeln!(f, "{:<16} {:>7} {:>9} {:>7}", "group", "agreed", "disagreed", "skipped")?;
		let line = |f: &mut fmt::Formatter<'_>, name: &str, tally: &Tally| {
			writeln!(
				f,
				"{name:<16} {:>7} {:>9} {:>7}",
				tally.agreed, tally.disagreed, tally.skipped
			)
		};
		for (group, tally) in &self.groups {
			line(f, group, tally)?;
			sum.agreed += tally.agreed;
			sum.disagreed += tally.disagreed;
			sum.skipped += tally.skipped;
		}
		line(f, "all", &sum)?;
		for case in &self.cases {
			match case.accepted {
				None => writeln!(f, "skipped    {}: {}", case.id, case.reason)?,
				Some(true) if case.disagrees() => {
					writeln!(f, "UNSAFE     {}: accepted, and must be refused", case.id)?;
				},
				Some(false) if case.disagrees() => {
					writeln!(f, "disagreed  {}: refused ({})", case.id, case.reason)?;
				},
				Some(_) => {},
			}
		}
		Ok(())
	}
}

#[derive(Deserialize)]
struct File {
	testcases: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
	id: String,
	#[serde(default)]
	features: Vec<String>,
	validation_kind: String,
	trusted_certs: Vec<String>,
	untrusted_intermediates: Vec<String>,
	peer_certificate: String,
	validation_time: Option<String>,
	#[serde(default)]
	signature_algorithms: Vec<String>,
	#[serde(default)]
	key_usage: Vec<String>,
	#[serde(default)]
	extended_key_usage: Vec<String>,
	expected_result: String,
	expected_peer_name: Option<PeerName>,
	#[serde(default)]
	expected_peer_names: Vec<PeerName>,
	max_chain_depth: Option<u64>,
	#[serde(default)]
	crls: Vec<String>,
}

#[derive(Deserialize)]
struct PeerName {
	kind: String,
	value: String,
}

/// Why a case is not accepted.
enum Outcome {
	Skipped(String),
	Refused(String),
}

impl From<Error> for Outcome {
	fn from(error: Error) -> Self {
		Self::Refused(error.name().into())
	}
}

/// Runs a file. `now` stands in where a case names no time. The error says why the file could not be read.
pub fn run(json: &str, now: UnixTime) -> Result<Report, String> {
	let file: File =
		serde_json::from_str(json).map_err(|error| format!("no limbo file: {error}"))?;
	let mut report = Report::default();
	for input in file.testcases {
		let expected = match input.expected_result.as_str() {
			"SUCCESS" => true,
			"FAILURE" => false,
			other => return Err(format!("{}: unknown expected result {other}", input.id)),
		};
		let mut question = None;
		let (accepted, reason) = match judge(&input, now, &mut question) {
			Ok(()) => (Some(true), String::new()),
			Err(Outcome::Refused(reason)) => (Some(false), reason),
			Err(Outcome::Skipped(reason)) => (None, reason),
		};
		report.push(Case { id: input.id, expected, accepted, reason, question });
	}
	Ok(report)
}

fn judge(input: &Input, now: UnixTime, question: &mut Option<Question>) -> Result<(), Outcome> {
	for (feature, reason) in UNSUPPORTED_FEATURES {
		if input.features.iter().any(|wanted| wanted == feature) {
			return Err(Outcome::Skipped(format!("{feature}: {reason}")));
		}
	}
	if !input.signature_algorithms.is_empty() {
		return Err(Outcome::Skipped("signature_algorithms: the list is fixed here".into()));
	}
	if !matches!(input.validation_kind.as_str(), "SERVER" | "CLIENT") {
		return Err(Outcome::Skipped(format!("validation kind {}", input.validation_kind)));
	}
	let at = input.validation_time.as_deref().map_or(Ok(now), read_time)?;
	let is_web = WEB_GROUPS.iter().any(|group| input.id.starts_with(&format!("{group}::")))
		&& input.validation_kind == "SERVER";
	let purposes = read_purposes(input, is_web)?;

	let leaf = read_certificate(&input.peer_certificate)?;
	let mut unread = String::new();
	let anchors = read_pool("trusted", &input.trusted_certs, &mut unread);
	let intermediates = read_pool("untrusted", &input.untrusted_intermediates, &mut unread);
	let pool = Pool { anchors: &anchors, intermediates: &intermediates };
	let profile = if is_web { Profile::TlsServer } else { Profile::Rfc5280 };
	*question = Some(ask(at, profile, pool, &leaf));
	let crls = input.crls.iter().map(|pem| read_crl(pem)).collect::<Result<Vec<_>, _>>()?;

	for purpose in purposes {
		let mut rules = Rules { profile, ..Rules::at(at) };
		rules.purpose = purpose;
		rules.revocation = Revocation::WhereListed(&crls);
		if let Some(depth) = input.max_chain_depth {
			rules.max_intermediates = u8::try_from(depth).unwrap_or(u8::MAX);
		}
		build(&Pure, pool, &leaf, &rules)
			.and_then(|(anchor, path)| validate(&Pure, anchor, &path, &rules))
			.map_err(|refusal| Outcome::Refused(format!("{}{unread}", refusal.error.name())))?;
	}
	for name in input.expected_peer_name.iter().chain(&input.expected_peer_names) {
		check_peer_name(&leaf, name)?;
	}
	check_key_usage(&leaf, &input.key_usage)
}

/// What a chain can be asked, judged by the rules by which one judges.
fn ask(at: UnixTime, profile: Profile, pool: Pool<'_>, leaf: &Certificate) -> Question {
	let rules = Rules { profile, ..Rules::at(at) };
	let der = |certificate: &Certificate| certificate.der().to_vec();
	let path = build(&Pure, pool, leaf, &rules)
		.ok()
		.filter(|(anchor, path)| validate(&Pure, anchor, path, &rules).is_ok());
	Question {
		at,
		profile,
		leaf: der(leaf),
		anchors: pool.anchors.iter().map(der).collect(),
		intermediates: pool.intermediates.iter().map(der).collect(),
		path: path.map(|(anchor, path)| (der(anchor), path.into_iter().rev().map(der).collect())),
	}
}

fn decode_pem(text: &str, label: &str, malformed: Error) -> Result<Vec<u8>, Outcome> {
	match pem::decode_vec(text.trim().as_bytes()) {
		Ok((found, der)) if found == label => Ok(der),
		_ => Err(malformed.into()),
	}
}

/// What cannot be read is not in the pool: nobody has to trust or use it. Why not is added to `unread`.
fn read_pool(role: &str, list: &[String], unread: &mut String) -> Vec<Certificate> {
	let mut pool = Vec::new();
	for (index, pem) in list.iter().enumerate() {
		match read_certificate(pem) {
			Ok(certificate) => pool.push(certificate),
			Err(Outcome::Refused(reason) | Outcome::Skipped(reason)) => {
				unread.push_str(&format!("; {role} {index}: {reason}"));
			},
		}
	}
	pool
}

fn read_certificate(text: &str) -> Result<Certificate, Outcome> {
	let der = decode_pem(text, "CERTIFICATE", Error::CertificateMalformed)?;
	Ok(Certificate::from_der(&der)?)
}

fn read_crl(text: &str) -> Result<RevocationList, Outcome> {
	let der = decode_pem(text, "X509 CRL", Error::RevocationListMalformed)?;
	Ok(RevocationList::from_der(&der)?)
}

/// `2024-04-01T00:00:00.005+00:00`, rounded down to the second.
fn read_time(text: &str) -> Result<UnixTime, Outcome> {
	let is_utc = text.ends_with('Z') || text.ends_with("+00:00");
	text.get(..19)
		.filter(|_| is_utc)
		.and_then(|time| format!("{time}Z").parse::<DateTime>().ok())
		.map(|time| time.unix_duration().as_secs())
		.ok_or_else(|| Outcome::Skipped(format!("validation time {text}")))
}

/// The purposes that the leaf has to be good for, one by one; `None` if any will do.
fn read_purposes(input: &Input, is_web: bool) -> Result<Vec<Option<ObjectIdentifier>>, Outcome> {
	if input.extended_key_usage.is_empty() {
		return Ok(vec![is_web.then_some(rfc5912::ID_KP_SERVER_AUTH)]);
	}
	let read = |name: &String| match name.as_str() {
		"serverAuth" => Ok(Some(rfc5912::ID_KP_SERVER_AUTH)),
		"clientAuth" => Ok(Some(rfc5912::ID_KP_CLIENT_AUTH)),
		"codeSigning" => Ok(Some(rfc5912::ID_KP_CODE_SIGNING)),
		"emailProtection" => Ok(Some(rfc5912::ID_KP_EMAIL_PROTECTION)),
		"timeStamping" => Ok(Some(rfc5912::ID_KP_TIME_STAMPING)),
		"OCSPSigning" => Ok(Some(rfc5912::ID_KP_OCSP_SIGNING)),
		"anyExtendedKeyUsage" => Ok(Some(rfc5912::ANY_EXTENDED_KEY_USAGE)),
		other => Err(Outcome::Skipped(format!("extended key usage {other}"))),
	};
	input.extended_key_usage.iter().map(read).collect()
}

fn check_peer_name(leaf: &Certificate, name: &PeerName) -> Result<(), Outcome> {
	let value = name.value.as_str();
	match name.kind.as_str() {
		"DNS" => check_name(leaf, ReferenceName::Dns(value))?,
		"RFC822" => check_name(leaf, ReferenceName::Email(value))?,
		"IP" => match value.parse::<IpAddr>() {
			Ok(IpAddr::V4(ip)) => check_name(leaf, ReferenceName::Ip(&ip.octets()))?,
			Ok(IpAddr::V6(ip)) => check_name(leaf, ReferenceName::Ip(&ip.octets()))?,
			Err(_) => return Err(Error::SubjectNameMismatch.into()),
		},
		other => return Err(Outcome::Skipped(format!("peer name of kind {other}"))),
	}
	Ok(())
}

/// What the key usage, if it is there, has to contain.
fn check_key_usage(leaf: &Certificate, wanted: &[String]) -> Result<(), Outcome> {
	let Some(usage) = leaf.extensions().key_usage else { return Ok(()) };
	for name in wanted {
		let has: fn(&KeyUsage) -> bool = match name.as_str() {
			"digitalSignature" => KeyUsage::digital_signature,
			"contentCommitment" | "nonRepudiation" => KeyUsage::non_repudiation,
			"keyEncipherment" => KeyUsage::key_encipherment,
			"dataEncipherment" => KeyUsage::data_encipherment,
			"keyAgreement" => KeyUsage::key_agreement,
			"keyCertSign" => KeyUsage::key_cert_sign,
			"cRLSign" => KeyUsage::crl_sign,
			"encipherOnly" => KeyUsage::encipher_only,
			"decipherOnly" => KeyUsage::decipher_only,
			other => return Err(Outcome::Skipped(format!("key usage {other}"))),
		};
		if !has(&usage) {
			return Err(Error::KeyUsageMismatch.into());
		}
	}
	Ok(())
}
