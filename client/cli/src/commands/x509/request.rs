//! `dpki x509 csr`: certification requests (PKCS#10) that name the application that they are made for.

use crate::{
	error::{Error, Result, crypto},
	files,
	output::{Report, hex, rfc3339},
	secrets,
	values::{self, GenesisHash, Member, Name},
};
use clap::{Args, ValueEnum};
use dpki_client::possession::{SigningKey, SoftwareKey};
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, request_challenge},
	assurance::Level,
	certificate::Holder,
	context::{Action, SigningContext},
	ids::KeyId,
	key::KeyType,
	subject::Subject,
};
use p256::{ecdsa::Signature, elliptic_curve::sec1::ToEncodedPoint};
use rcgen::{
	Attribute, CertificateParams, CertificateSigningRequest, DistinguishedName,
	PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm,
};
use std::{
	net::IpAddr,
	path::{Path, PathBuf},
};
use x509_cert::der::{
	Encode,
	asn1::{PrintableStringRef, SetOfVec},
};

/// The attribute `challengePassword` (RFC 2985 section 5.4.1).
const CHALLENGE_PASSWORD: &[u64] = &[1, 2, 840, 113_549, 1, 9, 7];

/// Make a certification request.
#[derive(Args)]
pub struct Request {
	/// The new file of the request, in PEM; - is standard output
	#[arg(value_name = "OUT")]
	out: PathBuf,
	/// The private key that is to be certified, Ed25519 or P-256: OpenSSH, PKCS#8 PEM, or digits as an agent keeps them
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	#[command(flatten)]
	about: About,
	/// The challenge, where it is known already; it stands for all terms of the application
	#[arg(long, value_name = "HASH", value_parser = values::hash)]
	challenge: Option<Challenge>,
	#[command(flatten)]
	terms: Terms,
}

/// The hash that binds a request to an application.
pub type Challenge = [u8; 32];

/// The level of a certificate.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LevelArg {
	/// Machines checked the subject
	Dv,
	/// Endorsers attest who is behind it
	Ov,
	/// More endorsers attest it, by stricter rules
	Ev,
}

impl From<LevelArg> for Level {
	fn from(level: LevelArg) -> Self {
		match level {
			LevelArg::Dv => Self::Dv,
			LevelArg::Ov => Self::Ov,
			LevelArg::Ev => Self::Ev,
		}
	}
}

/// What the certificate is to be about.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct About {
	/// A host name, in lower case and with a dot in it
	#[arg(long, value_name = "NAME")]
	dns: Option<String>,
	/// A public IP address
	#[arg(long, value_name = "ADDRESS")]
	ip: Option<IpAddr>,
}

/// The application that the request is made for.
#[derive(Args)]
pub struct Terms {
	/// Who applies and pays: SS58 address, 0x and 64 digits, or such as //Bob
	#[arg(long, value_name = "ACCOUNT", conflicts_with = "challenge")]
	payer: Option<Member>,
	/// The organisation that is to hold the certificate; the payer if left out
	#[arg(long, value_name = "NAME", conflicts_with = "challenge")]
	holder: Option<Name>,
	/// The level that is applied for
	#[arg(long, value_enum, default_value = "dv", conflicts_with = "challenge")]
	level: LevelArg,
	/// Last moment at which the certificate is to be valid, such as 2027-01-01T00:00:00Z
	#[arg(long, value_name = "TIME", value_parser = values::moment, conflicts_with = "challenge")]
	not_after: Option<Moment>,
	/// How many applications the payer has made before
	#[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "challenge")]
	nonce: u64,
	/// Last moment at which the application is accepted, at most a day ahead of the chain
	#[arg(long, value_name = "TIME", value_parser = values::moment, conflicts_with = "challenge")]
	expires_at: Option<Moment>,
}

impl About {
	/// The subject as the chain has it.
	fn subject(&self) -> Result<Subject> {
		let named = match (&self.dns, self.ip) {
			(Some(name), _) => name.as_bytes().to_vec().try_into().ok().map(Subject::Dns),
			(None, Some(IpAddr::V4(address))) => Some(Subject::Ipv4(address.octets())),
			(None, Some(IpAddr::V6(address))) => Some(Subject::Ipv6(address.octets())),
			(None, None) => None,
		};
		named.filter(Subject::is_well_formed).ok_or_else(|| {
			Error::Usage(
				"this names nothing that the chain certifies: give a host name in lower case with a dot in it, or a \
				 public address"
					.to_owned(),
			)
		})
	}

	/// The subject as a request has it.
	fn alternative_name(&self) -> Result<SanType> {
		match (&self.dns, self.ip) {
			(_, Some(address)) => Ok(SanType::IpAddress(address)),
			(name, None) => {
				let name = name.as_deref().unwrap_or_default();
				name.try_into().map(SanType::DnsName).map_err(crypto("write the host name"))
			},
		}
	}
}

impl Request {
	/// Runs the command.
	pub fn run(self, genesis: Option<GenesisHash>) -> Result<Report> {
		let to_stdout = self.out == Path::new("-");
		if !to_stdout {
			files::refuse_existing(&[&self.out])?;
		}
		let subject = self.about.subject()?;
		let key = secrets::device_key(&self.key, SoftwareKey::from_text)?;
		let mut report = Report::new().row("key_id", KeyId::of(&key.public()));
		let challenge = match self.challenge {
			Some(challenge) => challenge,
			None => {
				let context = self.terms.context(genesis, subject, &key)?;
				report = report
					.data("nonce", context.nonce)
					.data("expires_at", rfc3339(context.expires_at));
				request_challenge(&context.payload())
			},
		};
		let request = sign(&key, self.about.alternative_name()?, &challenge)?;
		let pem = request.pem().map_err(crypto("write the request"))?;
		let report = report.row("challenge", hex(&challenge)).data("request", pem.clone());
		if to_stdout {
			return Ok(report.raw(pem));
		}
		files::write_public(&self.out, pem.as_bytes())?;
		Ok(report
			.done(format!("Made the certification request {}", self.out.display()))
			.data("file", self.out.display().to_string()))
	}
}

impl Terms {
	/// What the request stands for the signature of.
	fn context(
		&self,
		genesis: Option<GenesisHash>,
		subject: Subject,
		key: &SoftwareKey,
	) -> Result<SigningContext> {
		let missing = |what: &str| {
			Error::Usage(format!(
				"the request is bound to an application: give {what}, or the --challenge"
			))
		};
		let Member(payer) = self.payer.clone().ok_or_else(|| missing("its --payer"))?;
		let GenesisHash(genesis) =
			genesis.ok_or_else(|| missing("the chain with --genesis or DPKI_GENESIS"))?;
		let holder = self
			.holder
			.as_ref()
			.map_or(Holder::Account(payer), |name| Holder::Organisation(name.organisation()));
		let request = CertificateRequest {
			subject,
			holder,
			level: self.level.into(),
			key: key.public(),
			display_name: None,
			not_after: self.not_after.ok_or_else(|| missing("its --not-after"))?,
		};
		let expires_at = self.expires_at.ok_or_else(|| missing("its --expires-at"))?;
		let action = Action::ApplyForCertificate { payer, request: request.digest() };
		Ok(SigningContext { genesis, action, nonce: self.nonce, expires_at })
	}
}

fn sign(
	key: &SoftwareKey,
	alternative_name: SanType,
	challenge: &Challenge,
) -> Result<CertificateSigningRequest> {
	let mut params = CertificateParams::default();
	// The chain refuses a request that says more than the application.
	params.distinguished_name = DistinguishedName::new();
	params.subject_alt_names = vec![alternative_name];
	let challenge = Attribute { oid: CHALLENGE_PASSWORD, values: password(challenge)? };
	params
		.serialize_request_with_attributes(&RequestKey::new(key)?, vec![challenge])
		.map_err(crypto("sign the request"))
}

/// The values of the attribute. Digits are letters of a `PrintableString`, which RFC 2985 asks for where it will do.
fn password(challenge: &Challenge) -> Result<Vec<u8>> {
	let digits = hex::encode(challenge);
	let doing = "write the challenge";
	let mut values = SetOfVec::new();
	values
		.insert(PrintableStringRef::new(&digits).map_err(crypto(doing))?)
		.map_err(crypto(doing))?;
	values.to_der().map_err(crypto(doing))
}

/// A signing key in the forms of X.509, wherever it is kept.
struct RequestKey<'a> {
	key: &'a dyn SigningKey,
	key_type: KeyType,
	/// The bits of the subject's public key: of P-256 the point without compression (RFC 5480 section 2.2).
	bits: Vec<u8>,
}

impl<'a> RequestKey<'a> {
	fn new(key: &'a dyn SigningKey) -> Result<Self> {
		let public = key.public();
		let bits = match public.key_type {
			KeyType::P256 => p256::PublicKey::from_sec1_bytes(&public.bytes)
				.map_err(crypto("read the public key"))?
				.to_encoded_point(false)
				.as_bytes()
				.to_vec(),
			_ => public.bytes.to_vec(),
		};
		Ok(Self { key, key_type: public.key_type, bits })
	}
}

impl PublicKeyData for RequestKey<'_> {
	fn der_bytes(&self) -> &[u8] {
		&self.bits
	}

	fn algorithm(&self) -> &'static SignatureAlgorithm {
		// A key file holds one of the two.
		match self.key_type {
			KeyType::P256 => &PKCS_ECDSA_P256_SHA256,
			_ => &PKCS_ED25519,
		}
	}
}

impl rcgen::SigningKey for RequestKey<'_> {
	fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
		let signature = self.key.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
		match self.key_type {
			KeyType::P256 => Signature::from_slice(&signature)
				.map(|signature| signature.to_der().as_bytes().to_vec())
				.map_err(|_| rcgen::Error::RemoteKeyError),
			_ => Ok(signature.to_vec()),
		}
	}
}
