//! `dpki revoke`: taking trust away, for good.

use crate::{
	commands::{certificate::holder, ssh as certificates},
	error::{Error, Result},
	lookup,
	output::{Report, hex, rfc3339},
	prompt,
	session::Session,
	values::{AnchorRef, DeviceRef, reason_parser},
};
use clap::{ArgGroup, Args, Subcommand};
use dpki_client::{Call, Client, calls, ssh};
use dpki_primitives::{
	anchor::AnchorKind,
	ids::{AnchorId, CertificateId, KeyId},
	revocation::{RevocationReason, SshRevocation, SshSubject},
};
use serde_json::{Value, json};
use ssh_key::certificate::CertType;
use std::path::PathBuf;

const SSH_CA: &[AnchorKind] = &[AnchorKind::SshUserCa, AnchorKind::SshHostCa];

/// Taking trust away, for good.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki revoke ssh-cert --cert ~/.ssh/id_ed25519-cert.pub --reason keyCompromise
  dpki revoke device acme/drone-7 --reason cessationOfOperation")]
pub enum RevokeCommand {
	/// Revoke a trust anchor and with it everything that it signed
	#[command(after_help = "\
Example:
  dpki revoke anchor user-ca.pub --reason keyCompromise")]
	Anchor(RevokeAnchor),
	/// Revoke keys of devices: all of them, or none
	#[command(after_help = "\
Example:
  dpki revoke key 0x3b1c...9f --reason superseded")]
	Key {
		/// Their ids; `dpki device show` shows them
		#[arg(value_name = "ID", required = true)]
		keys: Vec<KeyId>,
		#[command(flatten)]
		how: How,
	},
	/// Revoke devices with all their keys: all of them, or none
	#[command(after_help = "\
Example:
  dpki revoke device acme/drone-7 --reason cessationOfOperation")]
	Device {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID", required = true)]
		devices: Vec<DeviceRef>,
		#[command(flatten)]
		how: How,
	},
	/// Revoke a certificate of the chain; the same as `dpki certificate revoke`
	#[command(after_help = "\
Example:
  dpki revoke certificate 0x9c01...7e --reason keyCompromise")]
	Certificate {
		/// The certificate
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		#[command(flatten)]
		how: How,
	},
	/// Revoke one SSH certificate by its serial number
	#[command(after_help = "\
Examples:
  dpki revoke ssh-cert ~/.ssh/id_ed25519-cert.pub
  dpki revoke ssh-cert --cert ~/.ssh/id_ed25519-cert.pub --reason keyCompromise
  dpki revoke ssh-cert --ca user-ca.pub --serial 4711 --yes")]
	SshCert(RevokeSshCert),
	/// Revoke every SSH certificate of a CA for one public key
	#[command(after_help = "\
Example:
  dpki revoke ssh-key --ca user-ca.pub ~/.ssh/id_ed25519.pub --reason keyCompromise")]
	SshKey {
		/// The CA: id, or a file with its public key
		#[arg(long, value_name = "ID|FILE")]
		ca: AnchorRef,
		/// The public key that shall open nothing any more
		#[arg(value_name = "KEY.pub")]
		key: PathBuf,
		#[command(flatten)]
		how: How,
	},
}

/// Revoke a trust anchor.
#[derive(Args)]
pub struct RevokeAnchor {
	/// Its id, or a file with its public key or certificate
	#[arg(value_name = "ID|FILE")]
	anchor: AnchorRef,
	#[command(flatten)]
	how: How,
}

/// Revoke one SSH certificate.
#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true).args(["serial", "cert", "file"]))]
pub struct RevokeSshCert {
	/// The certificate itself; the same as --cert
	#[arg(value_name = "FILE")]
	file: Option<PathBuf>,
	/// The CA: id, or a file with its public key; read from the certificate if left out
	#[arg(long, value_name = "ID|FILE", required_unless_present_any = ["cert", "file"])]
	ca: Option<AnchorRef>,
	/// Its serial number
	#[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
	serial: Option<u64>,
	/// The certificate itself
	#[arg(long, value_name = "FILE")]
	cert: Option<PathBuf>,
	#[command(flatten)]
	how: How,
}

/// Why, and whether to ask first.
#[derive(Args)]
pub struct How {
	/// Reason by its RFC 5280 name
	#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
	pub reason: RevocationReason,
	/// Do not ask for confirmation
	#[arg(long)]
	yes: bool,
}

impl How {
	/// Asks whether this is meant.
	pub fn confirm(&self, question: &str) -> Result<()> {
		prompt::confirm(question, self.yes)
	}
}

impl RevokeCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Anchor(command) => command.run(session).await,
			Self::Key { keys, how } => match &keys[..] {
				[key] => revoke_key(session, *key, &how).await,
				keys => revoke_keys(session, keys, &how).await,
			},
			Self::Device { devices, how } => match &devices[..] {
				[device] => revoke_device(session, device, &how).await,
				devices => revoke_devices(session, devices, &how).await,
			},
			Self::Certificate { certificate, how } => {
				holder::revoke(session, certificate, how.reason, how.yes).await
			},
			Self::SshCert(command) => command.run(session).await,
			Self::SshKey { ca, key, how } => revoke_ssh_key(session, &ca, &key, &how).await,
		}
	}
}

impl RevokeAnchor {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let known = lookup::anchor(&view, &self.anchor, lookup::ANY_KIND).await?;
		let what = format!("the {} {}", known.record.kind.name(), known.id);
		let call = calls::revoke_anchor(known.id, self.how.reason);
		let report = revoke(session, &client, &what, &call, &self.how).await?;
		Ok(report.data("anchor", known.id.to_string()))
	}
}

async fn revoke_key(session: &Session, key: KeyId, how: &How) -> Result<Report> {
	let (client, view) = session.view().await?;
	let Some(record) = view.key(key).await? else {
		return Err(Error::Unknown { what: "key", name: key.to_string() });
	};
	let what = format!("the {} key {key}", record.purpose.name());
	let report = revoke(session, &client, &what, &calls::revoke_key(key, how.reason), how).await?;
	Ok(report.data("key_id", key.to_string()).data("device", record.device.to_string()))
}

async fn revoke_keys(session: &Session, keys: &[KeyId], how: &How) -> Result<Report> {
	let client = session.connect().await?;
	let what = format!("{} keys", keys.len());
	let call = calls::revoke_keys(keys, how.reason)?;
	let report = revoke(session, &client, &what, &call, how).await?;
	Ok(report.data("key_ids", keys.iter().map(KeyId::to_string).collect::<Vec<_>>()))
}

async fn revoke_devices(session: &Session, devices: &[DeviceRef], how: &How) -> Result<Report> {
	let client = session.connect().await?;
	let names: Vec<_> = devices.iter().map(|device| device.text.as_str()).collect();
	let what = format!("the devices {} with all their keys", names.join(", "));
	let ids: Vec<_> = devices.iter().map(|device| device.id).collect();
	let call = calls::revoke_devices(&ids, how.reason)?;
	let report = revoke(session, &client, &what, &call, how).await?;
	Ok(report.data("devices", ids.iter().map(ToString::to_string).collect::<Vec<_>>()))
}

async fn revoke_device(session: &Session, device: &DeviceRef, how: &How) -> Result<Report> {
	let (client, view) = session.view().await?;
	lookup::device(&view, device).await?;
	let what = format!("the device {} with all its keys", device.text);
	let call = calls::revoke_device(device.id, how.reason);
	let report = revoke(session, &client, &what, &call, how).await?;
	Ok(report.data("device", device.id.to_string()))
}

impl RevokeSshCert {
	async fn run(self, session: &Session) -> Result<Report> {
		let file = self.cert.as_deref().or(self.file.as_deref());
		let certificate = file.map(certificates::read_certificate).transpose()?;
		let serial = match (&certificate, self.serial) {
			(Some(certificate), _) => certificate.serial(),
			(None, Some(serial)) => serial,
			(None, None) => unreachable!("clap asks for one of the two"),
		};
		if serial == 0 {
			return Err(Error::NotAllowed {
				why: "the certificate has no serial number".to_owned(),
				next: "revoke its key instead with `dpki revoke ssh-key`".to_owned(),
			});
		}
		let (client, view) = session.view().await?;
		let signer = certificate.as_ref().map(signer_anchor).transpose()?;
		let ca = match (self.ca, signer) {
			(Some(ca), _) => ca,
			(None, Some(signer)) => AnchorRef::Id(signer),
			(None, None) => unreachable!("clap asks for the CA unless there is a certificate"),
		};
		let known = lookup::anchor(&view, &ca, SSH_CA).await?;
		if signer.is_some_and(|signer| signer != known.id) {
			return Err(Error::NotAllowed {
				why: format!("{} did not sign this certificate", known.id),
				next: "leave --ca out: the certificate names its CA".to_owned(),
			});
		}
		let what = format!("certificate {serial} of the CA {}", known.id);
		let call = calls::revoke_ssh(known.id, SshSubject::Serial(serial), self.how.reason);
		let report = revoke(session, &client, &what, &call, &self.how).await?;
		Ok(report.data("anchor", known.id.to_string()).data("serial", serial.to_string()))
	}
}

async fn revoke_ssh_key(
	session: &Session,
	ca: &AnchorRef,
	key: &std::path::Path,
	how: &How,
) -> Result<Report> {
	let key = certificates::read_public_key(key)?;
	let (client, view) = session.view().await?;
	let known = lookup::anchor(&view, ca, SSH_CA).await?;
	let name = ssh::fingerprint_text(&key);
	let what = format!("every certificate of the CA {} for the key {name}", known.id);
	let subject = SshSubject::KeyFingerprint(ssh::fingerprint(&key));
	let call = calls::revoke_ssh(known.id, subject, how.reason);
	let report = revoke(session, &client, &what, &call, how).await?;
	Ok(report.data("anchor", known.id.to_string()).data("fingerprint", name))
}

/// The anchor that signed this certificate.
pub fn signer_anchor(certificate: &ssh_key::Certificate) -> Result<AnchorId> {
	let key = ssh_key::PublicKey::from(certificate.signature_key().clone());
	let kind = match certificate.cert_type() {
		CertType::User => AnchorKind::SshUserCa,
		CertType::Host => AnchorKind::SshHostCa,
	};
	Ok(AnchorId::of(kind, &lookup::ssh_material(&key)?))
}

/// Asks whether this is meant, and does it.
pub async fn revoke(
	session: &Session,
	client: &Client,
	what: &str,
	call: &impl Call,
	how: &How,
) -> Result<Report> {
	let reason = how.reason.rfc5280_name();
	how.confirm(&format!("Revoke {what} ({reason})? This cannot be undone."))?;
	let account = session.account()?;
	let finalized = session.submit(client, &account, call, "revoking").await?;
	Ok(Report::new()
		.done(format!("Revoked {what}"))
		.row("reason", reason)
		.finalized(&finalized))
}

/// An entry of a CA's revocation list for programs.
pub fn ssh_revocation_json(entry: &SshRevocation) -> Value {
	let (reason, at) = (entry.revocation.reason.rfc5280_name(), rfc3339(entry.revocation.at));
	match entry.subject {
		SshSubject::Serial(serial) => {
			json!({ "serial": serial.to_string(), "reason": reason, "revoked_at": at })
		},
		SshSubject::KeyFingerprint(digest) => {
			json!({ "key_sha256": hex(&digest), "reason": reason, "revoked_at": at })
		},
	}
}
