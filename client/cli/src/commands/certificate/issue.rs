//! `dpki certificate issue`: X.509 certificates for services of devices that ask for them, by a CA key on this computer.

use crate::{
	commands::{deliver, ssh::requests::Asked, x509::issuer::Authority},
	error::{Error, Result, crypto},
	files, lookup,
	output::{Report, rfc3339},
	prompt,
	proven::Trust,
	session::Session,
	values::{self, AnchorRef},
};
use clap::Args;
use dpki_client::{View, certificate::public_key_from_spki, device_request::Wanted};
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	ids::{DeviceId, KeyId},
	key::KeyRecord,
	status::Status,
	storage_keys,
};
use rand_core::{OsRng, RngCore};
use rcgen::{
	Certificate, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
	ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use std::{mem, path::PathBuf, time::Duration};
use time::OffsetDateTime;

/// The longest certificate of a service.
const MAX_VALIDITY: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Most characters of a common name (RFC 5280, `ub-common-name`).
const MAX_COMMON_NAME_CHARS: usize = 64;

/// How far back a certificate starts, in milliseconds, for hosts whose clocks are behind.
const CLOCK_LEEWAY: Moment = 60_000;

/// Answer a device that asks for a certificate of one of its services.
#[derive(Args)]
pub struct Issue {
	/// What `dpki-agent request tls --out` wrote
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
	#[command(flatten)]
	trust: Trust,
	/// Sign without asking whether the names are right
	#[arg(long)]
	yes: bool,
}

impl Issue {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		files::refuse_existing(&[&self.out])?;
		let authority = Authority::read(&self.ca_cert, &self.ca_key)?;
		let (client, view) = self.trust.view(session).await?;
		let file = AnchorRef::File(self.ca_cert.clone());
		let kinds = [AnchorKind::X509Root, AnchorKind::X509Intermediate];
		let known = lookup::anchor(&view, &file, &kinds).await?.require_valid()?;
		let asked = Asked::read(&self.request, &client, &view).await?;
		deliver::require_own(&known, asked.record.organisation)?;
		let Wanted::Tls { service, csr } = &asked.request.wanted else {
			return Err(asked.of_another_kind(&self.request, "dpki ssh sign-requests"));
		};
		let proposal = Proposal::read(csr, &asked.name, asked.request.device)?;
		require_fit(&view, proposal.key(), asked.request.device, &asked.name).await?;
		prompt::confirm(&proposal.question(service), self.yes)?;
		let until = values::after(view.now(), self.valid)?;
		let (subject, names) = (proposal.subject.clone(), proposal.names.clone());
		let certificate = proposal.sign(&authority, view.now(), until)?;
		files::write_public(&self.out, certificate.pem().as_bytes())?;
		Ok(Report::new()
			.done(format!(
				"Certified the service {service} of {} until {}",
				asked.name,
				rfc3339(until)
			))
			.row("file", self.out.display())
			.row("subject", subject)
			.row_as("names", names.join(", "), names)
			.data("service", service.as_str())
			.data("device", asked.request.device.to_string())
			.data("ca_anchor", known.id.to_string())
			.time("not_after", until)
			.tail(format!("Next: dpki deliver .. --tls {service}={}", self.out.display())))
	}
}

/// What is about to be certified. Of what the request says, only its key and the names that a person is shown go into the
/// certificate: peers believe the rest of it as much.
pub struct Proposal {
	wanted: CertificateSigningRequestParams,
	/// The common name, which is all of the subject.
	pub subject: String,
	/// The names and addresses.
	pub names: Vec<String>,
}

impl Proposal {
	/// The request of this device in DER, if it is signed by the key that it is about.
	pub fn read(csr: &[u8], device: &str, id: DeviceId) -> Result<Self> {
		let mut wanted = CertificateSigningRequestParams::from_der(&csr.into())
			.map_err(crypto("read the request"))?;
		let subject_alt_names = mem::take(&mut wanted.params.subject_alt_names);
		let names: Vec<String> = subject_alt_names.iter().map(name_of).collect::<Result<_>>()?;
		if names.is_empty() {
			return Err(Error::NotAllowed {
				why: "the request names no host and no address".into(),
				next: "have the device ask again, with --name".into(),
			});
		}
		let subject = common_name(device, id);
		let mut distinguished_name = DistinguishedName::new();
		distinguished_name.push(DnType::CommonName, subject.as_str());
		let mut params = CertificateParams::default();
		(params.subject_alt_names, params.distinguished_name) =
			(subject_alt_names, distinguished_name);
		wanted.params = params;
		Ok(Self { wanted, subject, names })
	}

	/// The key that is to be certified, as the chain names it.
	pub fn key(&self) -> KeyId {
		let info = self.wanted.public_key.subject_public_key_info();
		match public_key_from_spki(&info) {
			Some(key) => KeyId::of(&key),
			None => KeyId::of_spki(&info),
		}
	}

	/// What somebody has to agree to.
	pub fn question(&self, service: &str) -> String {
		let Self { subject, names, .. } = self;
		format!(
			"Certify the service {service} with the subject CN={subject} as {}?",
			names.join(", ")
		)
	}

	/// A certificate of a service, whatever else the request asks for.
	pub fn sign(
		mut self,
		authority: &Authority,
		now: Moment,
		until: Moment,
	) -> Result<Certificate> {
		let params = &mut self.wanted.params;
		params.not_before = moment(now.saturating_sub(CLOCK_LEEWAY))?;
		params.not_after = moment(until)?;
		params.serial_number = Some(serial());
		params.is_ca = IsCa::ExplicitNoCa;
		params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
		params.extended_key_usages =
			vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
		params.use_authority_key_identifier_extension = true;
		self.wanted.signed_by(&authority.issuer).map_err(crypto("sign the certificate"))
	}
}

/// Refuses to certify a key of which the chain says something that speaks against it. It need not know the key: those of services
/// are in no record, as a rule.
pub async fn require_fit(view: &View, key: KeyId, device: DeviceId, name: &str) -> Result<()> {
	let leaked: Option<Moment> = view.record(storage_keys::compromised_key(key)).await?;
	let withdrawn: Option<()> = view.record(storage_keys::revoked_anchor_key(key)).await?;
	let known = match view.key(key).await? {
		Some(record) => Some((record, view.key_status(key).await?)),
		None => None,
	};
	let is_revoked = leaked.is_some() || withdrawn.is_some();
	judge((key, is_revoked, known.as_ref()), device, name)
}

/// The same of what was read: whether the key was revoked without being that of a device, and its record if it is one.
fn judge(
	(key, is_revoked, known): (KeyId, bool, Option<&(KeyRecord, Status)>),
	device: DeviceId,
	name: &str,
) -> Result<()> {
	let why = match known {
		_ if is_revoked => format!("the key {key} for which {name} asks is revoked"),
		Some((record, _)) if record.device != device => {
			format!("the key {key} for which {name} asks is that of another device")
		},
		Some((record, status)) if !status.is_valid() => {
			let verdict = lookup::verdict(*status, &record.standing());
			format!("the key {key} for which {name} asks is {verdict}")
		},
		_ => return Ok(()),
	};
	Err(Error::NotAllowed { why, next: "have the device ask again, with a new key".into() })
}

/// What the device is called on the chain, which it cannot choose by itself; where that is too long, its id without 0x.
fn common_name(device: &str, id: DeviceId) -> String {
	match device.chars().count() {
		0..=MAX_COMMON_NAME_CHARS => device.to_owned(),
		_ => hex::encode(id.0),
	}
}

/// A name that a person can judge; others are not certified.
fn name_of(name: &SanType) -> Result<String> {
	let refused = |why: &str| Error::NotAllowed {
		why: why.into(),
		next: "have the device ask again, for names and addresses only".into(),
	};
	match name {
		// Nothing in it may pass for something else on a terminal.
		SanType::DnsName(name) => values::host_name(name.as_str())
			.map_err(|_| refused("the request names something that cannot be the name of a host")),
		SanType::IpAddress(address) => Ok(address.to_string()),
		_ => Err(refused("the request names something that is neither a host name nor an address")),
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
	use rcgen::{BasicConstraints, Issuer, KeyPair};
	use x509_parser::prelude::{FromDer, X509Certificate};

	const DEVICE: DeviceId = DeviceId([7; 32]);

	/// A request for a certificate of the administrator, and of a CA.
	fn request(names: Vec<SanType>) -> Vec<u8> {
		let mut params = CertificateParams::default();
		params.subject_alt_names = names;
		params.distinguished_name = DistinguishedName::new();
		params.distinguished_name.push(DnType::CommonName, "admin");
		params.distinguished_name.push(DnType::OrganizationName, "Acme");
		params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
		params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
		let key = KeyPair::generate().unwrap();
		params.serialize_request(&key).unwrap().der().to_vec()
	}

	fn authority() -> Authority {
		let key = KeyPair::generate().unwrap();
		let mut params = CertificateParams::default();
		params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
		let der = params.self_signed(&key).unwrap().der().to_vec();
		let issuer = Issuer::from_ca_cert_der(&der.as_slice().into(), key).unwrap();
		Authority { der, issuer }
	}

	#[test]
	fn of_a_request_only_its_key_and_its_names_are_certified() {
		let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
		let names = vec![dns("drone-7.acme.example"), SanType::IpAddress([10, 0, 0, 7].into())];
		let proposal = Proposal::read(&request(names), "acme/drone-7", DEVICE).unwrap();
		let question = proposal.question("web");
		for shown in ["CN=acme/drone-7", "drone-7.acme.example", "10.0.0.7"] {
			assert!(question.contains(shown), "{question}");
		}
		let certificate = proposal.sign(&authority(), 1_000_000, 2_000_000).unwrap();
		let (_, parsed) = X509Certificate::from_der(certificate.der()).unwrap();
		assert_eq!(parsed.subject().to_string(), "CN=acme/drone-7");
		assert!(!parsed.is_ca());
		assert!(!parsed.key_usage().unwrap().unwrap().value.key_cert_sign());
		let named = parsed.subject_alternative_name().unwrap().unwrap();
		assert_eq!(named.value.general_names.len(), 2);
	}

	#[test]
	fn a_request_without_names_or_with_disguised_ones_is_refused() {
		let error = Proposal::read(&request(vec![]), "acme/drone-7", DEVICE).err().unwrap();
		assert!(error.to_string().contains("names no host"), "{error}");
		let disguised = vec![SanType::DnsName("a\u{1b}[2K".try_into().unwrap())];
		let error = Proposal::read(&request(disguised), "acme/drone-7", DEVICE).err().unwrap();
		assert!(error.to_string().contains("cannot be the name of a host"), "{error}");
	}

	#[test]
	fn no_key_is_certified_that_the_chain_speaks_against() {
		use dpki_primitives::{
			key::{KeyPurpose, KeyType, PublicKey},
			revocation::{Revocation, RevocationReason},
			status::Validity,
		};
		let public = PublicKey::new(KeyType::Ed25519, &[3; 32]).unwrap();
		let key = KeyId::of(&public);
		let record = |device| KeyRecord {
			device,
			purpose: KeyPurpose::Tls,
			public: public.clone(),
			validity: Validity { not_before: 1, not_after: None },
			registered_at: 1,
			superseded_at: None,
			withdrawal: Default::default(),
		};
		let judged = |is_revoked, known: Option<(DeviceId, Status)>| {
			let known = known.map(|(device, status)| (record(device), status));
			judge((key, is_revoked, known.as_ref()), DEVICE, "acme/drone-7")
		};
		judged(false, None).unwrap();
		judged(false, Some((DEVICE, Status::Valid))).unwrap();
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 5 };
		for (is_revoked, known, why) in [
			(true, None, "is revoked"),
			(true, Some((DEVICE, Status::Valid)), "is revoked"),
			(false, Some((DeviceId([8; 32]), Status::Valid)), "another device"),
			(false, Some((DEVICE, Status::Revoked(revocation))), "revoked (keyCompromise)"),
			(false, Some((DEVICE, Status::Suspended)), "is suspended"),
		] {
			let error = judged(is_revoked, known).unwrap_err();
			assert!(error.to_string().contains(why), "{error}");
			assert!(error.next_step().unwrap().contains("a new key"), "{error}");
		}
	}

	#[test]
	fn the_key_of_a_request_is_named_as_the_chain_names_it() {
		let key = KeyPair::generate().unwrap();
		let mut params = CertificateParams::default();
		params.subject_alt_names = vec![SanType::IpAddress([10, 0, 0, 7].into())];
		let csr = params.serialize_request(&key).unwrap().der().to_vec();
		let proposal = Proposal::read(&csr, "acme/drone-7", DEVICE).unwrap();
		let public = public_key_from_spki(&key.subject_public_key_info()).unwrap();
		assert_eq!(proposal.key(), KeyId::of(&public));
	}

	#[test]
	fn a_name_that_is_too_long_for_x509_gives_way_to_the_id() {
		let long = format!("{}/{}", "a".repeat(40), "b".repeat(40));
		assert_eq!(common_name(&long, DEVICE), "07".repeat(32));
		assert_eq!(common_name(&long[..64], DEVICE), &long[..64]);
	}

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
