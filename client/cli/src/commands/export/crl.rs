//! Revocation lists of X.509 CAs (RFC 5280). The chain knows what is revoked; only the CA can sign that it is.

use super::Common;
use crate::{
	commands::x509::issuer::Authority,
	error::{Error, Result, crypto},
	files,
	lookup::{self, KnownAnchor},
	output::{Report, rfc3339},
	session::Session,
	values::{self, AnchorRef},
};
use clap::Args;
use dpki_client::{View, certificate::public_key_from_spki};
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	assessment::Assessed,
	ids::{AnchorId, CertificateId, KeyId},
	revocation::{Revocation, RevocationReason},
	status::Status,
	storage_keys,
};
use rcgen::{
	CertificateRevocationListParams, KeyIdMethod, RevocationReason as Reason, RevokedCertParams,
	SerialNumber,
};
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	time::Duration,
};
use time::OffsetDateTime;
use x509_parser::{
	pem::Pem,
	prelude::{FromDer, X509Certificate},
};

const AUTHORITIES: &[AnchorKind] = &[AnchorKind::X509Root, AnchorKind::X509Intermediate];

/// The revocation list of an X.509 CA.
#[derive(Args)]
pub struct ExportCrl {
	/// The certificate of the CA, which is an anchor of the chain
	#[arg(long, value_name = "FILE")]
	ca_cert: PathBuf,
	/// Its private key in PEM, which signs the list
	#[arg(long, value_name = "FILE")]
	ca_key: PathBuf,
	/// Certificates that the CA has issued for keys of devices: they are on the list if their keys are revoked or on hold, or if
	/// their devices are
	#[arg(long, value_name = "FILE")]
	issued: Vec<PathBuf>,
	/// Certificates of the chain, by their ids: what the CA has issued for the key of one is on the list as well while that is
	/// on hold, or when it is revoked
	#[arg(long = "certificate", value_name = "ID")]
	certificates: Vec<CertificateId>,
	/// After which time the next list is out
	#[arg(long, value_name = "SPAN", default_value = "7d", value_parser = values::duration)]
	next: Duration,
	/// Write DER and not PEM
	#[arg(long)]
	der: bool,
	#[command(flatten)]
	common: Common,
}

/// Why a certificate is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
	Revoked(RevocationReason),
	/// It may come off the list again.
	OnHold,
}

impl Cause {
	/// As RFC 5280 section 5.3.1 names it.
	fn name(self) -> &'static str {
		match self {
			Self::Revoked(reason) => reason.rfc5280_name(),
			Self::OnHold => "certificateHold",
		}
	}

	/// RFC 5280 section 5.3.1 wants `unspecified` to be left out.
	fn code(self) -> Option<Reason> {
		Some(match self {
			Self::OnHold => Reason::CertificateHold,
			Self::Revoked(reason) => match reason {
				RevocationReason::Unspecified => return None,
				RevocationReason::KeyCompromise => Reason::KeyCompromise,
				RevocationReason::CaCompromise => Reason::CaCompromise,
				RevocationReason::AffiliationChanged => Reason::AffiliationChanged,
				RevocationReason::Superseded => Reason::Superseded,
				RevocationReason::CessationOfOperation => Reason::CessationOfOperation,
				RevocationReason::PrivilegeWithdrawn => Reason::PrivilegeWithdrawn,
				RevocationReason::AaCompromise => Reason::AaCompromise,
			},
		})
	}
}

/// Why a certificate is on the list, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
	cause: Cause,
	at: Moment,
}

impl From<Revocation> for Entry {
	fn from(revocation: Revocation) -> Self {
		Self { cause: Cause::Revoked(revocation.reason), at: revocation.at }
	}
}

/// What is on the list, by serial number.
type Entries = BTreeMap<Vec<u8>, Entry>;

/// The keys that certificates of the chain are about, and why they are on the list if they are.
type Certified = BTreeMap<KeyId, Option<Entry>>;

impl ExportCrl {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let authority = Authority::read(&self.ca_cert, &self.ca_key)?;
		let view = self.common.view(session).await?;
		let file = AnchorRef::File(self.ca_cert.clone());
		let KnownAnchor { id, status, .. } = lookup::anchor(&view, &file, AUTHORITIES).await?;
		if matches!(status, Status::Revoked(_) | Status::IssuerRevoked(_)) {
			return Err(Error::NotAllowed {
				why: format!("the CA {id} is {}: nobody believes what it signs", status.name()),
				next: "publish the list of the CA above it".into(),
			});
		}
		let (mut entries, mut unknown) = (Entries::new(), Vec::new());
		children(&view, id, &mut entries).await?;
		let certified = certified(&view, &self.certificates).await?;
		for path in &self.issued {
			issued(&view, &authority, path, &certified, &mut entries, &mut unknown).await?;
		}
		let list = params(&authority, &entries, view.now(), self.next, view.head().number)?;
		let list = list.signed_by(&authority.issuer).map_err(crypto("sign the list"))?;
		let contents = match self.der {
			true => list.der().to_vec(),
			false => list.pem().map_err(crypto("write the list"))?.into_bytes(),
		};
		let told: Vec<Value> = entries
			.iter()
			.map(|(serial, entry)| {
				json!({
					"serial": hex::encode(serial),
					"reason": entry.cause.name(),
					"revoked_at": rfc3339(entry.at),
				})
			})
			.collect();
		let mut report = Report::new()
			.done(format!("Made a revocation list of {} entries", told.len()))
			.row("ca", id)
			.data("entries", told)
			.data("number", view.head().number);
		for path in unknown {
			report = report.warn(format!(
				"{path} is for a key that the chain does not know: whether it is revoked is nowhere to be read"
			));
		}
		self.common.finish(&view, report, contents)
	}
}

/// The authorities that this one has issued and that are revoked or on hold. Since when they are on hold the chain does not
/// keep: it is certain for the time of the list.
async fn children(view: &View, ca: AnchorId, entries: &mut Entries) -> Result<()> {
	let count: Option<u32> = view.record(storage_keys::anchor_child_count(ca)).await?;
	for index in 0..count.unwrap_or(0) {
		let key = storage_keys::anchor_child(ca, index);
		let Some(child) = view.record::<AnchorId>(key).await? else { continue };
		let Some(record) = view.anchor(child).await? else { continue };
		let entry = match record.revocation {
			Some(revocation) => revocation.into(),
			None if record.suspended => Entry { cause: Cause::OnHold, at: view.now() },
			None => continue,
		};
		let der = lookup::material(view, child).await?;
		entries.insert(parse(&der)?.raw_serial().to_vec(), entry);
	}
	Ok(())
}

/// The keys of these certificates of the chain, and whether they are revoked or on hold, by themselves or with the device.
async fn certified(view: &View, ids: &[CertificateId]) -> Result<Certified> {
	let mut found = Certified::new();
	for &id in ids {
		let Assessed { record, assessment } = view
			.assessed(id)
			.await?
			.ok_or_else(|| Error::Unknown { what: "certificate", name: id.to_string() })?;
		let entry = match (assessment.status, record.suspension) {
			(Status::Revoked(revocation) | Status::IssuerRevoked(revocation), _) => {
				Some(revocation.into())
			},
			(Status::Suspended, hold) => {
				let at = hold.map_or(view.now(), |it| it.at);
				Some(Entry { cause: Cause::OnHold, at })
			},
			_ => None,
		};
		// Of several certificates for one key the gravest counts.
		let is_grave = |entry: &Entry| entry.cause != Cause::OnHold;
		let known = found.entry(KeyId::of(&record.key)).or_insert(None);
		if entry.is_some() && !known.as_ref().is_some_and(is_grave) {
			*known = entry;
		}
	}
	Ok(found)
}

/// The certificates in a file whose keys are revoked on the chain, or those of certificates that are not good.
async fn issued(
	view: &View,
	authority: &Authority,
	path: &Path,
	certified: &Certified,
	entries: &mut Entries,
	unknown: &mut Vec<String>,
) -> Result<()> {
	for der in certificates(path)? {
		let certificate = parse(&der)?;
		if certificate.issuer().as_raw() != parse(&authority.der)?.subject().as_raw() {
			return Err(Error::NotAllowed {
				why: format!("{} holds a certificate of another CA", path.display()),
				next: "give those that this CA has issued".into(),
			});
		}
		let key = public_key_from_spki(certificate.public_key().raw).as_ref().map(KeyId::of);
		let record = match key {
			Some(id) => view.key(id).await?,
			None => None,
		};
		let status = match (key, &record) {
			(Some(id), Some(_)) => Some(view.key_status(id).await?),
			_ => None,
		};
		let by_certificate = key.and_then(|id| certified.get(&id).copied());
		let entry = match status {
			Some(Status::Revoked(revocation) | Status::IssuerRevoked(revocation)) => {
				let own = record.and_then(|it| it.withdrawal.revocation());
				Some(own.unwrap_or(revocation).into())
			},
			Some(Status::Suspended) => {
				let at = record.and_then(|it| it.withdrawal.hold()).map_or(view.now(), |it| it.at);
				let revoked = by_certificate.flatten().filter(|it| it.cause != Cause::OnHold);
				Some(revoked.unwrap_or(Entry { cause: Cause::OnHold, at }))
			},
			None if by_certificate.is_none() => {
				unknown.push(path.display().to_string());
				None
			},
			_ => by_certificate.flatten(),
		};
		if let Some(entry) = entry {
			entries.insert(certificate.raw_serial().to_vec(), entry);
		}
	}
	Ok(())
}

fn certificates(path: &std::path::Path) -> Result<Vec<Vec<u8>>> {
	let bytes = files::read(path)?;
	let pems = Pem::iter_from_buffer(&bytes).filter_map(|pem| pem.ok());
	let found: Vec<_> =
		pems.filter(|pem| pem.label == "CERTIFICATE").map(|pem| pem.contents).collect();
	match found.is_empty() {
		true => Ok(vec![lookup::certificate_der(path, &bytes)?]),
		false => Ok(found),
	}
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>> {
	X509Certificate::from_der(der)
		.map(|(_, certificate)| certificate)
		.map_err(crypto("read a certificate"))
}

fn params(
	authority: &Authority,
	entries: &Entries,
	now: Moment,
	next: Duration,
	number: u32,
) -> Result<CertificateRevocationListParams> {
	let revoked_certs = entries
		.iter()
		.map(|(serial, entry)| {
			Ok(RevokedCertParams {
				serial_number: SerialNumber::from_slice(serial),
				revocation_time: moment(entry.at)?,
				reason_code: entry.cause.code(),
				invalidity_date: None,
			})
		})
		.collect::<Result<Vec<_>>>()?;
	Ok(CertificateRevocationListParams {
		this_update: moment(now)?,
		next_update: moment(values::after(now, next)?)?,
		// Lists have to have rising numbers, and so have blocks.
		crl_number: SerialNumber::from(u64::from(number)),
		issuing_distribution_point: None,
		revoked_certs,
		key_identifier_method: KeyIdMethod::PreSpecified(authority.key_identifier()?),
	})
}

fn moment(at: Moment) -> Result<OffsetDateTime> {
	i64::try_from(at / 1000)
		.ok()
		.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
		.ok_or_else(|| Error::Usage("the list would end after the end of time".into()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_cause_but_unspecified_has_its_code() {
		let all = RevocationReason::ALL.into_iter().map(Cause::Revoked).chain([Cause::OnHold]);
		for cause in all {
			let code = cause.code().map(|code| format!("{code:?}").to_lowercase());
			let is_coded = cause != Cause::Revoked(RevocationReason::Unspecified);
			assert_eq!(code, is_coded.then(|| cause.name().to_lowercase()));
		}
	}
}
