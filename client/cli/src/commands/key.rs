//! `dpki key`: making keys, and looking at their public side.

mod ending;
mod next;
mod quota;
mod requests;
mod subject;
mod succession;

use crate::{
	commands::{device::RegisterKey, ssh},
	error::{Error, Result, crypto},
	files, lookup,
	output::{Report, hex, rfc3339},
	prompt,
	proven::Trust,
	secrets,
	secrets::Form,
	session::Session,
	values::{self, DeviceRef, Name},
};
use clap::{Subcommand, ValueEnum};
use dpki_client::{
	Account, account,
	certificate::public_key_from_spki,
	possession::{AgreementKey, SigningKey, SoftwareKey},
};
use dpki_primitives::{
	anchor::AnchorKind,
	ids::{AnchorId, KeyId, RequestId},
	key::{KeyType, PublicKey},
};
use pkcs8::{LineEnding, PrivateKeyInfo};
use rand_core::OsRng;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use sha2::{Digest, Sha256};
use ssh_key::{Algorithm, EcdsaCurve, PrivateKey};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use subject::Subject;
use time::OffsetDateTime;
use x509_parser::{
	pem::Pem,
	prelude::{FromDer, X509Certificate},
	x509::SubjectPublicKeyInfo,
};

/// Certificates start a little in the past, for verifiers whose clocks are behind.
const CLOCK_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Making keys, and looking at their public side.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki key new account admin.key
  dpki key show admin.key")]
pub enum KeyCommand {
	/// Make a new key; private files get mode 0600 and nothing is ever overwritten
	#[command(subcommand)]
	New(NewKey),
	/// Show the public side of a key file, certificate or account
	///
	/// An encrypted PKCS#8 file shows nothing without its passphrase; an encrypted OpenSSH file does.
	#[command(after_help = "\
Examples:
  dpki key show admin.key
  dpki key show user-ca.pub
  dpki key show root.crt
  dpki key show drone-7.pub.pem
  dpki key show agent-state/signing.key
  dpki key show //Alice")]
	Show {
		/// A key or certificate file, or a development account
		file: PathBuf,
	},
	/// Register one more key for a device; the same as `dpki device register-key`
	#[command(after_help = "\
Examples:
  dpki key add acme/drone-7 --consent drone-7-tls.consent
  dpki key add acme/drone-7 --purpose tls --key tls.key --consent-key signing.key --alone")]
	Add(RegisterKey),
	/// Register a key in the place of another one
	#[command(after_help = "\
Example:
  dpki key replace 0x3b1c...9f --key new-tls.key --consent-key signing.key --grace 1d")]
	Replace(succession::Replace),
	/// Announce the key that is to follow another one, so that it can take its place even from a thief
	#[command(after_help = "\
Example:
  dpki key announce 0x3b1c...9f --next next.key --consent-key signing.key")]
	Announce(succession::Announce),
	/// Have the announced key take the place of another one; needs no account and no other key
	#[command(after_help = "\
Example:
  dpki key reveal 0x3b1c...9f --key next.key --next after-next.key")]
	Reveal(succession::RevealKey),
	/// Ask the registrars of an organisation to register keys, if it takes requests
	#[command(after_help = "\
Examples:
  dpki key request --org acme --device drone-9 --key sign=sign.key \\
      --key key-agreement=agreement.key
  dpki key request --org acme --device drone-7 --key tls=tls.key --consent-key signing.key")]
	Request(requests::RequestKeys),
	/// List what waits for the registrars of an organisation
	#[command(after_help = "\
Example:
  dpki key requests acme")]
	Requests {
		/// Name of the organisation
		org: Name,
	},
	/// Register what was requested
	#[command(after_help = "\
Examples:
  dpki key approve 0x5f3c...d1
  dpki key approve 0x5f3c...d1 --fingerprint K3XQ-7B2M-...
Of a new device, compare the fingerprint with the one that `dpki-agent fingerprint` shows on it:
anybody can ask for keys under its name.")]
	Approve {
		/// Id of the request; `dpki key requests` shows it
		#[arg(value_name = "ID")]
		request: RequestId,
		/// What the device shows; anything else is refused
		#[arg(long, value_name = "TEXT")]
		fingerprint: Option<String>,
		#[command(flatten)]
		trust: Trust,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Take a request out of the queue
	#[command(after_help = "\
Example:
  dpki key reject 0x5f3c...d1 --reason keys-differ")]
	Reject {
		/// Id of the request; `dpki key requests` shows it
		#[arg(value_name = "ID")]
		request: RequestId,
		/// Why
		#[arg(long, value_enum, default_value = "unspecified")]
		reason: requests::Reason,
	},
	/// List the unrevoked keys of a device that end, or are to be superseded, soon
	#[command(after_help = "\
Examples:
  dpki key ending acme/drone-7
  dpki key ending acme/drone-7 --within 7d --json")]
	Ending {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
		/// How far to look ahead
		#[arg(long, default_value = "30d", value_parser = values::duration)]
		within: Duration,
	},
	/// Show the hash of the key that is announced to follow another one
	#[command(after_help = "\
Example:
  dpki key next 0x3b1c...9f")]
	Next {
		/// Id of the present key
		#[arg(value_name = "ID")]
		key: KeyId,
	},
	/// Show how often a device may yet act alone: without a registrar, and without a fee
	#[command(after_help = "\
Example:
  dpki key quota acme/drone-7
An operation comes back every six hours, up to four.")]
	Quota {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
	},
	/// Revoke a key by its device alone: a key that does not sign, or the signing key that says so
	///
	/// Needs no account. For another key than the signing key itself, the key policy of the organisation has to let its
	/// devices act alone. Where a successor is announced, the reason has to be keyCompromise: the successor stays. Another
	/// signing key is revoked by a registrar, with `dpki revoke key`. Where the device keeps its signing key sealed,
	/// `dpki-agent revoke` does the same.
	#[command(after_help = "\
Example:
  dpki key revoke 0x3b1c...9f --signing-key signing.key --reason cessationOfOperation")]
	Revoke(succession::RevokeOwnKey),
	/// Revoke a key or an anchor that has leaked, with the key itself: whoever has it can, without an account
	///
	/// A key that no device has, of a certificate or of a member of a fleet, is revoked from an account that pays: every
	/// certificate of it ends, every member that has it, and it is registered for nothing any more.
	#[command(after_help = "\
Examples:
  dpki key compromised signing.key
  dpki key compromised user-ca --anchor user-ca.pub
  dpki key compromised drone-example.pem --account me.key
  dpki key compromised signing.key --prepare
  dpki key compromised --proof 0x9d...41 --id 0x3b1c...9f
  dpki key compromised --proof 0x9d...41 --public drone-example.pub.pem")]
	Compromised(succession::CompromisedKey),
}

/// What kind of key to make.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki key new account admin.key
  dpki key new ssh-ca user-ca")]
pub enum NewKey {
	/// An account that signs transactions (Ed25519)
	#[command(after_help = "\
Example:
  dpki key new account admin.key --passphrase")]
	Account {
		/// The new private key file
		out: PathBuf,
		/// Ask for a passphrase to encrypt the file with (scripts: DPKI_PASSPHRASE)
		#[arg(long)]
		passphrase: bool,
	},
	/// An SSH certification authority: OUT and OUT.pub in OpenSSH form
	#[command(after_help = "\
Examples:
  dpki key new ssh-ca user-ca
  dpki key new ssh-ca host-ca --algorithm p256 --comment 'acme hosts' --passphrase")]
	SshCa {
		/// The new private key file; the public half goes to OUT.pub
		out: PathBuf,
		/// The algorithm
		#[arg(long, value_enum, default_value_t = SshAlgorithm::Ed25519)]
		algorithm: SshAlgorithm,
		/// A comment in both files
		#[arg(long, default_value = "")]
		comment: String,
		/// Ask for a passphrase to encrypt the file with (scripts: DPKI_PASSPHRASE)
		#[arg(long)]
		passphrase: bool,
	},
	/// An X.509 root (P-256): OUT in PKCS#8 PEM and its self-signed certificate OUT.crt
	#[command(
		name = "x509-root",
		after_help = "\
Example:
  dpki key new x509-root root.key --subject 'CN=Acme Root,O=Acme,C=DE' --valid 3650d"
	)]
	X509Root {
		/// The new private key file; the certificate goes to OUT.crt
		out: PathBuf,
		/// The subject, such as CN=name,O=organisation,C=DE, or just the common name; the parts are named as by OpenSSL
		#[arg(long, value_parser = subject::parse)]
		subject: Subject,
		/// How long the certificate is valid
		#[arg(long, default_value = "3650d", value_parser = values::duration)]
		valid: Duration,
		/// Ask for a passphrase to encrypt the key with (scripts: DPKI_PASSPHRASE)
		#[arg(long)]
		passphrase: bool,
	},
	/// A key-agreement key of a device (X25519), in the form that its agent reads: 64 hexadecimal digits
	#[command(after_help = "\
Example:
  dpki key new agreement agreement.key")]
	Agreement {
		/// The new private key file
		out: PathBuf,
	},
}

/// The algorithms of SSH CAs that the chain can check.
#[derive(Clone, Copy, ValueEnum)]
pub enum SshAlgorithm {
	/// Ed25519
	Ed25519,
	/// ECDSA over P-256
	P256,
}

impl KeyCommand {
	/// Runs the command. What makes and shows keys needs no chain.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::New(NewKey::Account { out, passphrase }) => new_account(&out, passphrase),
			Self::New(NewKey::SshCa { out, algorithm, comment, passphrase }) => {
				new_ssh_ca(&out, algorithm, &comment, passphrase)
			},
			Self::New(NewKey::X509Root { out, subject, valid, passphrase }) => {
				new_x509_root(&out, subject, valid, passphrase)
			},
			Self::New(NewKey::Agreement { out }) => new_agreement(&out),
			Self::Show { file } => show(&file),
			Self::Add(command) => command.run(session).await,
			Self::Replace(command) => command.run(session).await,
			Self::Announce(command) => command.run(session).await,
			Self::Reveal(command) => command.run(session).await,
			Self::Request(command) => command.run(session).await,
			Self::Requests { org } => requests::list(session, &org).await,
			Self::Approve { request, fingerprint, trust, yes } => {
				let expected = fingerprint.as_deref();
				requests::approve(session, &trust, request, expected, yes).await
			},
			Self::Reject { request, reason } => requests::reject(session, request, reason).await,
			Self::Ending { device, within } => ending::list(session, &device, within).await,
			Self::Next { key } => next::show(session, key).await,
			Self::Quota { device } => quota::show(session, &device).await,
			Self::Revoke(command) => command.run(session).await,
			Self::Compromised(command) => command.run(session).await,
		}
	}
}

fn new_account(out: &Path, passphrase: bool) -> Result<Report> {
	files::refuse_existing(&[out])?;
	let passphrase = passphrase
		.then(|| prompt::new_passphrase(&out.display().to_string()))
		.transpose()?;
	let account = Account::generate();
	account.save(out, passphrase.as_ref().map(|passphrase| passphrase.as_str()))?;
	Ok(account_report(&account.id())
		.done(format!("Made the account {}", out.display()))
		.data("file", out.display().to_string())
		.data("encrypted", passphrase.is_some())
		.tail(
			"It can act once it holds a balance for fees (`dpki account send` from an account that has \
			 one) and a role in an organisation (`dpki org member set`).",
		))
}

fn new_ssh_ca(
	out: &Path,
	algorithm: SshAlgorithm,
	comment: &str,
	passphrase: bool,
) -> Result<Report> {
	let public_path = files::with_ending(out, ".pub");
	files::refuse_existing(&[out, &public_path])?;
	let passphrase = passphrase
		.then(|| prompt::new_passphrase(&out.display().to_string()))
		.transpose()?;
	let algorithm = match algorithm {
		SshAlgorithm::Ed25519 => Algorithm::Ed25519,
		SshAlgorithm::P256 => Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
	};
	let mut key = PrivateKey::random(&mut OsRng, algorithm).map_err(crypto("make an SSH key"))?;
	key.set_comment(comment);
	let public = key.public_key().clone();
	if let Some(passphrase) = &passphrase {
		key = key
			.encrypt(&mut OsRng, passphrase.as_bytes())
			.map_err(crypto("encrypt the SSH key"))?;
	}
	let private = key.to_openssh(LineEnding::LF).map_err(crypto("write the SSH key"))?;
	files::write_secret(out, private.as_bytes())?;
	let line = public.to_openssh().map_err(crypto("write the public key"))?;
	files::write_public(&public_path, format!("{line}\n").as_bytes())?;
	Ok(ssh_key_report(&public)?
		.done(format!("Made the SSH CA {} and {}", out.display(), public_path.display()))
		.data("file", out.display().to_string())
		.data("public_file", public_path.display().to_string())
		.data("encrypted", passphrase.is_some()))
}

fn new_x509_root(
	out: &Path,
	subject: Subject,
	valid: Duration,
	passphrase: bool,
) -> Result<Report> {
	let certificate_path = files::with_ending(out, ".crt");
	files::refuse_existing(&[out, &certificate_path])?;
	let passphrase = passphrase
		.then(|| prompt::new_passphrase(&out.display().to_string()))
		.transpose()?;
	let now = OffsetDateTime::now_utc();
	let end = now.checked_add(time::Duration::try_from(valid).unwrap_or(time::Duration::MAX));
	let mut params = CertificateParams::default();
	for (part, value) in subject.0 {
		params.distinguished_name.push(part, value);
	}
	params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
	params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
	params.not_before = now - CLOCK_LEEWAY;
	params.not_after = end.ok_or_else(|| {
		Error::Usage("--valid ends after the end of the calendar: give a shorter time".to_owned())
	})?;
	let key = KeyPair::generate().map_err(crypto("make a P-256 key"))?;
	let certificate = params.self_signed(&key).map_err(crypto("sign the root certificate"))?;

	let der = zeroize::Zeroizing::new(key.serialize_der());
	let private = PrivateKeyInfo::try_from(der.as_slice()).map_err(crypto("write the root key"))?;
	let pem = match &passphrase {
		Some(passphrase) => private
			.encrypt(OsRng, passphrase.as_bytes())
			.map_err(crypto("encrypt the root key"))?
			.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF),
		None => pkcs8::SecretDocument::try_from(&private)
			.map_err(crypto("write the root key"))?
			.to_pem("PRIVATE KEY", LineEnding::LF),
	}
	.map_err(crypto("write the root key"))?;
	files::write_secret(out, pem.as_bytes())?;
	files::write_public(&certificate_path, certificate.pem().as_bytes())?;
	Ok(certificate_report(&certificate_path, certificate.der())?
		.done(format!("Made the X.509 root {} and {}", out.display(), certificate_path.display()))
		.data("file", out.display().to_string())
		.data("certificate_file", certificate_path.display().to_string())
		.data("encrypted", passphrase.is_some()))
}

fn new_agreement(out: &Path) -> Result<Report> {
	let key = AgreementKey::generate();
	let mut text = zeroize::Zeroizing::new([b'\n'; 65]);
	hex::encode_to_slice(key.to_secret_bytes().as_slice(), &mut text[..64])
		.map_err(crypto("write the agreement key"))?;
	files::write_secret(out, text.as_slice())?;
	Ok(public_key_report(&key.public())
		.done(format!("Made the agreement key {}", out.display()))
		.data("file", out.display().to_string())
		.tail(
			"Register it with `dpki device register-key --purpose key-agreement`, and put it into the state \
			 directory of the device's agent as agreement.key.",
		))
}

fn show(file: &Path) -> Result<Report> {
	if let Some(uri) = file.to_str().filter(|text| text.starts_with("//")) {
		return Ok(account_report(&Account::from_uri(uri)?.id()));
	}
	let bytes = files::read(file)?;
	let Ok(text) = std::str::from_utf8(&bytes) else {
		return certificate_report(file, &bytes);
	};
	match secrets::form(text) {
		Some(Form::OpenSsh) => {
			return ssh_key_report(secrets::parse_openssh(file, text)?.public_key());
		},
		Some(Form::Pkcs8 | Form::Pkcs8Encrypted) => {
			return Ok(public_key_report(&secrets::signing_key(file)?.public()));
		},
		None => {},
	}
	if secrets::is_device_key(text) {
		return device_key_report(file);
	}
	if text.contains("-----BEGIN CERTIFICATE-----") {
		return certificate_report(file, &lookup::certificate_der(file, &bytes)?);
	}
	if let Ok(certificate) = ssh_key::Certificate::from_openssh(text.trim()) {
		return ssh::certificate_report(&certificate);
	}
	if text.contains("-----BEGIN PUBLIC KEY-----") {
		return public_pem_report(file, text);
	}
	match ssh_key::PublicKey::from_openssh(text.trim()) {
		Ok(key) => ssh_key_report(&key),
		Err(_) => Err(Error::UnknownFile(file.to_owned())),
	}
}

/// A public key as `openssl pkey -pubout` writes it.
fn public_pem_report(file: &Path, pem: &str) -> Result<Report> {
	let unknown = || Error::UnknownFile(file.to_owned());
	let mut pems = Pem::iter_from_buffer(pem.as_bytes()).filter_map(|pem| pem.ok());
	let der = pems.find(|pem| pem.label == "PUBLIC KEY").ok_or_else(unknown)?.contents;
	let Ok(([], info)) = SubjectPublicKeyInfo::from_der(&der) else { return Err(unknown()) };
	let report = Report::new().data("type", "public-key");
	let report = match public_key_from_spki(info.raw) {
		Some(key) => {
			report.row("algorithm", key.key_type.name()).row("public_key", hex(&key.bytes))
		},
		None => report,
	};
	Ok(report.row("key_id", spki_key_id(info.raw)))
}

/// How the chain names the key with this `SubjectPublicKeyInfo`.
fn spki_key_id(info: &[u8]) -> KeyId {
	public_key_from_spki(info).map_or_else(|| KeyId::of_spki(info), |key| KeyId::of(&key))
}

/// Bare digits name no algorithm: what they are depends on which of its keys the agent reads from this file.
fn device_key_report(file: &Path) -> Result<Report> {
	let agreement = secrets::device_key(file, AgreementKey::from_text)?.public();
	let signing = secrets::device_key(file, SoftwareKey::from_text)?.public();
	Ok(Report::new()
		.data("type", "device-key")
		.row("agreement_key_id", KeyId::of(&agreement))
		.row("agreement_public_key", hex(&agreement.bytes))
		.row("signing_key_id", KeyId::of(&signing))
		.row("signing_public_key", hex(&signing.bytes))
		.tail(
			"The file does not say which of the two it is: an agent reads agreement.key as the one and \
			 signing.key as the other.",
		))
}

fn account_report(id: &dpki_client::AccountId) -> Report {
	Report::new()
		.data("type", "account")
		.row("address", account::address(id))
		.row("account_id", hex(id))
}

fn public_key_report(key: &PublicKey) -> Report {
	let report = match (key.key_type, <[u8; 32]>::try_from(key.bytes.as_slice())) {
		// Account files are Ed25519 keys, so the address is worth showing.
		(KeyType::Ed25519, Ok(id)) => account_report(&id),
		_ => Report::new().data("type", "key"),
	};
	report
		.row("algorithm", key.key_type.name())
		.row("public_key", hex(&key.bytes))
		.row("key_id", KeyId::of(key))
}

fn ssh_key_report(key: &ssh_key::PublicKey) -> Result<Report> {
	let material = lookup::ssh_material(key)?;
	let line = key.to_openssh().map_err(crypto("write the public key"))?;
	let report = Report::new()
		.data("type", "ssh-key")
		.row("algorithm", key.algorithm())
		.row("fingerprint", dpki_client::ssh::fingerprint_text(key));
	// The chain names only keys of the types that it knows.
	let report = match dpki_client::ssh::to_public_key(key) {
		Some(known) => report.row("key_id", KeyId::of(&known)),
		None => report,
	};
	Ok(report
		.data("public_key", line)
		.row("user_ca_anchor", AnchorId::of(AnchorKind::SshUserCa, &material))
		.row("host_ca_anchor", AnchorId::of(AnchorKind::SshHostCa, &material)))
}

/// What an X.509 certificate says of itself; whether that is true is not looked at.
pub fn certificate_report(file: &Path, der: &[u8]) -> Result<Report> {
	let Ok((_, certificate)) = X509Certificate::from_der(der) else {
		return Err(Error::UnknownFile(file.to_owned()));
	};
	let moment = |seconds: i64| rfc3339(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000));
	let validity = certificate.validity();
	Ok(Report::new()
		.data("type", "x509-certificate")
		.row("subject", certificate.subject())
		.row("issuer", certificate.issuer())
		.row_as("ca", if certificate.is_ca() { "yes" } else { "no" }, certificate.is_ca())
		.row("not_before", moment(validity.not_before.timestamp()))
		.row("not_after", moment(validity.not_after.timestamp()))
		.row("sha256", hex(&Sha256::digest(der)))
		.row("key_id", spki_key_id(certificate.public_key().raw))
		.row("root_anchor", AnchorId::of(AnchorKind::X509Root, der)))
}
