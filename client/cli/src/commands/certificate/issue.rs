//! `dpki certificate issue`: X.509 certificates for services of devices that ask for them, by a CA key on this computer.

use crate::{
	commands::{ssh::requests::Asked, x509::issuer::Authority},
	error::{Error, Result, crypto},
	files, lookup,
	output::{Report, rfc3339},
	prompt,
	session::Session,
	values::{self, AnchorRef},
};
use clap::Args;
use dpki_client::device_request::Wanted;
use dpki_primitives::{Moment, anchor::AnchorKind};
use rand_core::{OsRng, RngCore};
use rcgen::{
	CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType,
	SerialNumber,
};
use std::{path::PathBuf, time::Duration};
use time::OffsetDateTime;

/// The longest certificate of a service.
const MAX_VALIDITY: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How far back a certificate starts, in milliseconds, for hosts whose clocks are behind.
const CLOCK_LEEWAY: Moment = 60_000;

/// Answer a device that asks for a certificate of one of its services.
#[derive(Args)]
pub struct Issue {
	/// What `dpki-agent request tls` wrote
	#[arg(value_name = "FILE")]
	request: PathBuf,
	/// The certificate of the CA, which is an anchor of the device's organisation
	#[arg(long, value_name = "FILE")]
	ca_cert: PathBuf,
	/// Its private key in PEM
	#[arg(long, value_name = "FILE")]
	ca_key: PathBuf,
	/// How long the certificate is valid
	#[arg(long, default_value = "90d", value_name = "SPAN", value_parser = span)]
	valid: Duration,
	/// The new file for the certificate and that of the CA, in PEM
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
	/// Sign without asking whether the names are right
	#[arg(long)]
	yes: bool,
}

impl Issue {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		files::refuse_existing(&[&self.out])?;
		let authority = Authority::read(&self.ca_cert, &self.ca_key)?;
		let (client, view) = session.view().await?;
		let file = AnchorRef::File(self.ca_cert.clone());
		let kinds = [AnchorKind::X509Root, AnchorKind::X509Intermediate];
		let known = lookup::anchor(&view, &file, &kinds).await?.require_valid()?;
		let asked = Asked::read(&self.request, &client, &view).await?;
		if known.record.organisation != asked.record.organisation {
			return Err(Error::NotAllowed {
				why: format!(
					"the CA {} belongs to another organisation than {}",
					known.id, asked.name
				),
				next: "use one of the organisation of the device; `dpki anchor list` shows them"
					.into(),
			});
		}
		let Wanted::Tls { service, csr } = &asked.request.wanted else {
			return Err(asked.of_another_kind(&self.request, "dpki ssh sign-requests"));
		};
		let mut wanted = CertificateSigningRequestParams::from_der(&csr.as_slice().into())
			.map_err(crypto("read the request"))?;
		let names: Vec<String> =
			wanted.params.subject_alt_names.iter().map(name_of).collect::<Result<_>>()?;
		let question =
			format!("Certify the service {service} of {} as {}?", asked.name, names.join(", "));
		prompt::confirm(&question, self.yes)?;
		let until = values::after(view.now(), self.valid)?;
		// Whatever else the request names, it gets a certificate of a service and no other.
		let params = &mut wanted.params;
		params.not_before = moment(view.now().saturating_sub(CLOCK_LEEWAY))?;
		params.not_after = moment(until)?;
		params.serial_number = Some(serial());
		params.is_ca = IsCa::ExplicitNoCa;
		params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
		params.extended_key_usages =
			vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
		params.use_authority_key_identifier_extension = true;
		let certificate =
			wanted.signed_by(&authority.issuer).map_err(crypto("sign the certificate"))?;
		files::write_public(&self.out, certificate.pem().as_bytes())?;
		Ok(Report::new()
			.done(format!(
				"Certified the service {service} of {} until {}",
				asked.name,
				rfc3339(until)
			))
			.row("file", self.out.display())
			.row_as("names", names.join(", "), names)
			.data("service", service.as_str())
			.data("device", asked.request.device.to_string())
			.data("ca_anchor", known.id.to_string())
			.time("not_after", until)
			.tail(format!("Next: dpki deliver .. --tls {service}={}", self.out.display())))
	}
}

/// A name that a person can judge; others are not certified.
fn name_of(name: &SanType) -> Result<String> {
	match name {
		SanType::DnsName(name) => Ok(name.as_str().to_owned()),
		SanType::IpAddress(address) => Ok(address.to_string()),
		_ => Err(Error::NotAllowed {
			why: "the request names something that is neither a host name nor an address".into(),
			next: "have the device ask again, for names and addresses only".into(),
		}),
	}
}

/// 126 random bits of a positive number.
fn serial() -> SerialNumber {
	let mut bytes = [0; 16];
	OsRng.fill_bytes(&mut bytes);
	bytes[0] = (bytes[0] & 0x3f) | 0x40;
	SerialNumber::from_slice(&bytes)
}

fn moment(at: Moment) -> Result<OffsetDateTime> {
	i64::try_from(at / 1000)
		.ok()
		.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
		.ok_or_else(|| Error::Usage("the certificate would end after the end of time".into()))
}

fn span(text: &str) -> std::result::Result<Duration, String> {
	let span = values::duration(text)?;
	if span > MAX_VALIDITY {
		return Err("a certificate is valid for 366 days at most: have it renewed".to_owned());
	}
	Ok(span)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn serial_numbers_are_positive_and_differ() {
		let (one, other) = (serial(), serial());
		assert_eq!(one.len(), 16);
		assert!((0x40..0x80).contains(&one.to_bytes()[0]));
		assert_ne!(one, other);
	}

	#[test]
	fn only_names_that_a_person_can_judge_are_certified() {
		let address = SanType::IpAddress([10, 0, 0, 7].into());
		assert_eq!(name_of(&address).unwrap(), "10.0.0.7");
		let mail = SanType::Rfc822Name("a@b.example".try_into().unwrap());
		assert!(name_of(&mail).is_err());
	}

	#[test]
	fn certificates_of_services_do_not_live_for_years() {
		assert!(span("365d").is_ok() && span("2y").is_err());
	}
}
