//! Revocation lists of X.509 CAs (RFC 5280). The chain knows what is revoked; only the CA can sign that it is.

use super::{Common, prover::Prover};
use crate::{
	commands::x509::issuer::Authority,
	error::{Error, Result, crypto},
	files, lookup,
	output::{Report, rfc3339},
	session::Session,
	values::{self, AnchorRef},
};
use clap::Args;
use dpki_client::certificate::public_key_from_spki;
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	ids::{AnchorId, KeyId},
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
	/// Certificates that the CA has issued for keys of devices: they are on the list if their keys are revoked
	#[arg(long, value_name = "FILE")]
	issued: Vec<PathBuf>,
	/// After which time the next list is out
	#[arg(long, value_name = "SPAN", default_value = "7d", value_parser = values::duration)]
	next: Duration,
	/// Write DER and not PEM
	#[arg(long)]
	der: bool,
	#[command(flatten)]
	common: Common,
}

/// What is on the list, by serial number.
type Entries = BTreeMap<Vec<u8>, Revocation>;

impl ExportCrl {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let authority = Authority::read(&self.ca_cert, &self.ca_key)?;
		let mut prover = self.common.prover(session).await?;
		let file = AnchorRef::File(self.ca_cert.clone());
		let (id, _, verdict) = prover.named(&file, AUTHORITIES).await?;
		if matches!(verdict, Status::Revoked(_) | Status::IssuerRevoked(_)) {
			return Err(Error::NotAllowed {
				why: format!("the CA {id} is {}: nobody believes what it signs", verdict.name()),
				next: "publish the list of the CA above it".into(),
			});
		}
		let (mut entries, mut unknown) = (Entries::new(), Vec::new());
		children(&mut prover, id, &mut entries).await?;
		for path in &self.issued {
			issued(&mut prover, &authority, path, &mut entries, &mut unknown).await?;
		}
		let list = params(&authority, &entries, prover.time(), self.next, prover.block())?;
		let list = list.signed_by(&authority.issuer).map_err(crypto("sign the list"))?;
		let contents = match self.der {
			true => list.der().to_vec(),
			false => list.pem().map_err(crypto("write the list"))?.into_bytes(),
		};
		let told: Vec<Value> = entries
			.iter()
			.map(|(serial, revocation)| {
				json!({
					"serial": hex::encode(serial),
					"reason": revocation.reason.rfc5280_name(),
					"revoked_at": rfc3339(revocation.at),
				})
			})
			.collect();
		let mut report = Report::new()
			.done(format!("Made a revocation list of {} entries", told.len()))
			.row("ca", id)
			.data("entries", told)
			.data("number", prover.block());
		for path in unknown {
			report = report.warn(format!(
				"{path} is for a key that the chain does not know: whether it is revoked is nowhere to be read"
			));
		}
		self.common.finish(&prover, report, contents)
	}
}

/// The authorities that this one has issued and that are revoked.
async fn children(prover: &mut Prover, ca: AnchorId, entries: &mut Entries) -> Result<()> {
	let count: Option<u32> = prover.record(storage_keys::anchor_child_count(ca)).await?;
	for index in 0..count.unwrap_or(0) {
		let key = storage_keys::anchor_child(ca, index);
		let Some(child) = prover.record::<AnchorId>(key).await? else { continue };
		let Some((record, _)) = prover.anchor(child).await? else { continue };
		let Some(revocation) = record.revocation else { continue };
		let der = prover.material(child).await?;
		entries.insert(parse(&der)?.raw_serial().to_vec(), revocation);
	}
	Ok(())
}

/// The certificates in a file whose keys are revoked on the chain.
async fn issued(
	prover: &mut Prover,
	authority: &Authority,
	path: &Path,
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
		let key = public_key_from_spki(certificate.public_key().raw);
		let known = match key.as_ref().map(KeyId::of) {
			Some(id) => prover.key(id).await?,
			None => None,
		};
		match known {
			Some((record, Status::Revoked(revocation) | Status::IssuerRevoked(revocation))) => {
				let own = record.revocation.unwrap_or(revocation);
				entries.insert(certificate.raw_serial().to_vec(), own);
			},
			Some(_) => {},
			None => unknown.push(path.display().to_string()),
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
		.map(|(serial, revocation)| {
			Ok(RevokedCertParams {
				serial_number: SerialNumber::from_slice(serial),
				revocation_time: moment(revocation.at)?,
				reason_code: reason(revocation.reason),
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

/// RFC 5280 section 5.3.1 wants `unspecified` to be left out.
fn reason(reason: RevocationReason) -> Option<Reason> {
	Some(match reason {
		RevocationReason::Unspecified => return None,
		RevocationReason::KeyCompromise => Reason::KeyCompromise,
		RevocationReason::CaCompromise => Reason::CaCompromise,
		RevocationReason::AffiliationChanged => Reason::AffiliationChanged,
		RevocationReason::Superseded => Reason::Superseded,
		RevocationReason::CessationOfOperation => Reason::CessationOfOperation,
		RevocationReason::PrivilegeWithdrawn => Reason::PrivilegeWithdrawn,
		RevocationReason::AaCompromise => Reason::AaCompromise,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_reason_but_none_has_its_code() {
		for it in RevocationReason::ALL {
			let code = reason(it).map(|code| format!("{code:?}").to_lowercase());
			let wanted =
				(it != RevocationReason::Unspecified).then(|| it.rfc5280_name().to_lowercase());
			assert_eq!(code, wanted);
		}
	}
}
