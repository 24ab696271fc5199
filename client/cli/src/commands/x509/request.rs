//! `dpki x509 csr`: the certification request (PKCS#10) for a draft of an application.

use crate::{
	error::{Error, Result, crypto},
	files,
	output::Report,
	secrets,
};
use clap::Args;
use dpki_client::{
	certificate::Draft,
	possession::{SigningKey, SoftwareKey},
	subject,
};
use dpki_primitives::{ids::KeyId, key::KeyType, subject::Subject};
use p256::{ecdsa::Signature, elliptic_curve::sec1::ToEncodedPoint};
use rcgen::{
	Attribute, CertificateParams, CertificateSigningRequest, DistinguishedName, DnType,
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

/// Make the certification request for a draft.
#[derive(Args)]
pub struct Request {
	/// The new file of the request, in PEM; - is standard output
	#[arg(value_name = "OUT")]
	out: PathBuf,
	/// The file that `dpki certificate draft` made
	#[arg(long, value_name = "FILE")]
	draft: PathBuf,
	/// The private key that is to be certified, Ed25519 or P-256: OpenSSH, PKCS#8 PEM, or digits as an agent keeps them
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
}

impl Request {
	/// Runs the command.
	pub fn run(self) -> Result<Report> {
		let to_stdout = self.out == Path::new("-");
		if !to_stdout {
			files::refuse_existing(&[&self.out])?;
		}
		let draft: Draft = files::read_text(&self.draft)?.parse()?;
		let key = secrets::device_key(&self.key, SoftwareKey::from_text)?;
		if key.public() != draft.request.key {
			return Err(Error::NotAllowed {
				why: format!("{} is another key than that of the draft", self.key.display()),
				next: "give the private half of the key for which the draft was made".to_owned(),
			});
		}
		let request = sign(&key, &draft)?;
		let pem = request.pem().map_err(crypto("write the request"))?;
		let report = Report::new()
			.row("subject", subject::to_text(&draft.request.subject))
			.row("key_id", KeyId::of(&draft.request.key))
			.row("challenge_password", draft.challenge())
			.time("apply_until", draft.expires_at)
			.data("request", pem.clone());
		if to_stdout {
			return Ok(report.raw(pem));
		}
		files::write_public(&self.out, pem.as_bytes())?;
		Ok(report
			.done(format!("Made the certification request {}", self.out.display()))
			.data("file", self.out.display().to_string())
			.tail(format!(
				"Next: dpki certificate apply-csr --draft {} --csr {}",
				self.draft.display(),
				self.out.display()
			)))
	}
}

/// The request says what the draft does and no more: the chain refuses one that names anything else.
fn sign(key: &dyn SigningKey, draft: &Draft) -> Result<CertificateSigningRequest> {
	let subject = &draft.request.subject;
	let mut params = CertificateParams::default();
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, subject.common_name());
	params.subject_alt_names.extend(alternative_name(subject)?);
	let challenge = Attribute { oid: CHALLENGE_PASSWORD, values: password(&draft.challenge())? };
	params
		.serialize_request_with_attributes(&RequestKey::new(key)?, vec![challenge])
		.map_err(crypto("sign the request"))
}

/// Names and addresses have a place of their own in X.509.
fn alternative_name(subject: &Subject) -> Result<Option<SanType>> {
	Ok(match subject {
		Subject::Dns(name) => {
			let name = String::from_utf8_lossy(name);
			let name = (&*name).try_into().map_err(crypto("write the host name"))?;
			Some(SanType::DnsName(name))
		},
		Subject::Ipv4(address) => Some(SanType::IpAddress(IpAddr::from(*address))),
		Subject::Ipv6(address) => Some(SanType::IpAddress(IpAddr::from(*address))),
		_ => None,
	})
}

/// The values of the attribute. Digits are letters of a `PrintableString`, which RFC 2985 asks for where it will do.
fn password(digits: &str) -> Result<Vec<u8>> {
	let doing = "write the challenge";
	let mut values = SetOfVec::new();
	values
		.insert(PrintableStringRef::new(digits).map_err(crypto(doing))?)
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
