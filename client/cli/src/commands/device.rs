//! `dpki device`: devices and their keys.

use crate::{
	commands::anchor::PROOF_LIFETIME,
	error::{Error, Result},
	lookup,
	output::{Report, hex},
	secrets,
	session::Session,
	values::{self, DeviceRef, Purpose},
};
use clap::{Args, Subcommand};
use dpki_client::{
	View, calls,
	possession::{AgreementKey, Registration, SigningKey, SoftwareKey},
};
use dpki_primitives::{
	context::Registrant,
	ids::KeyId,
	key::{KeyPurpose, KeyRecord},
	revocation::RevocationReason,
	status::Status,
};
use serde_json::Value;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Devices and their keys.
#[derive(Subcommand)]
#[command(after_help = "\
Example:
  dpki device show acme/drone-7")]
pub enum DeviceCommand {
	/// Show a device and its unrevoked keys
	#[command(after_help = "\
Example:
  dpki device show acme/drone-7")]
	Show {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
	},
	/// Register one more key for a device, which consents to it by a signing key that it has already. Both private keys
	/// only sign and stay on this computer
	#[command(after_help = "\
Example:
  dpki device register-key acme/drone-7 --purpose tls --key drone-7-tls.key --valid 365d \\
    --consent-key /var/lib/dpki-agent/signing.key")]
	RegisterKey(RegisterKey),
}

/// Register one more key for a device.
#[derive(Args)]
pub struct RegisterKey {
	/// ORGANISATION/NAME, or the id
	#[arg(value_name = "ORG/NAME|ID")]
	device: DeviceRef,
	/// What the key is for
	#[arg(long, value_enum)]
	purpose: Purpose,
	/// The private key, which proves that it is held: OpenSSH, PKCS#8 PEM, or digits as the agent writes them
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// The private half of a signing key that the device has already: the signing.key of its agent, or in the forms of --key
	#[arg(long, value_name = "FILE")]
	consent_key: Option<PathBuf>,
	/// How long it may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
}

impl DeviceCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show { device } => show(session, &device).await,
			Self::RegisterKey(command) => command.run(session).await,
		}
	}
}

async fn show(session: &Session, device: &DeviceRef) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let record = lookup::device(&view, device).await?;
	let status = view.device_status(device.id).await?;
	let name = dpki_primitives::ids::name_to_string(&record.name);
	let mut report = Report::new()
		.done(format!("Device {}", device.text))
		.row("device", device.id)
		.data("name", name)
		.data("organisation", record.organisation.to_string())
		.row_as("status", lookup::verdict(status, &record.standing()), status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.time("enrolled_at", record.enrolled_at)
		.data("keys_registered", record.keys_registered)
		.read_at(view.head());
	let mut keys = Vec::new();
	for (id, key) in view.keys_of(device.id).await? {
		let status = view.key_status(id).await?;
		let words = lookup::verdict(status, &key.standing());
		report = report.tail(format!("  key {:13}  {id}  {words}", key.purpose.name()));
		keys.push(key_report(id, &key, status).to_json());
	}
	Ok(report.data("keys", Value::Array(keys)))
}

/// What there is to say about a key.
pub fn key_report(id: KeyId, key: &KeyRecord, status: Status) -> Report {
	Report::new()
		.row("key_id", id)
		.row("purpose", key.purpose.name())
		.row("algorithm", key.public.key_type.name())
		.row("public_key", hex(&key.public.bytes))
		.data("status", status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.data("device", key.device.to_string())
		.time("registered_at", key.registered_at)
		.time_if("not_after", key.validity.not_after)
}

impl RegisterKey {
	async fn run(self, session: &Session) -> Result<Report> {
		let consent_key = self.consent_key.as_deref().ok_or_else(|| Error::NotAllowed {
			why: format!("{} has to consent to a key that is to speak for it", self.device.text),
			next: "give a signing key of the device with --consent-key; its agent keeps one as signing.key in its \
				state directory"
				.to_owned(),
		})?;
		let account = session.account()?;
		let purpose = KeyPurpose::from(self.purpose);
		let key: Box<dyn SigningKey> = match purpose {
			KeyPurpose::KeyAgreement => {
				Box::new(secrets::device_key(&self.key, AgreementKey::from_text)?)
			},
			_ => Box::new(secrets::device_key(&self.key, SoftwareKey::from_text)?),
		};
		let signing = secrets::device_key(consent_key, SoftwareKey::from_text)?;
		let (client, view) = session.view().await?;
		let record = lookup::device(&view, &self.device).await?;
		require_signing_key(&view, &self.device, KeyId::of(&signing.public()), consent_key).await?;
		let now = view.now();
		let not_after = self.valid.map(|valid| values::after(now, valid)).transpose()?;
		let mut registration = Registration {
			genesis: client.genesis_hash(),
			registrant: Registrant::Account(session.actor(&account)),
			device: self.device.id,
			keys_registered: record.keys_registered,
			expires_at: values::after(now, PROOF_LIFETIME)?,
		};
		let consent = registration.consent(purpose, &key.public(), not_after, &signing)?;
		let new_key = registration.prove(purpose, &*key, not_after)?;
		let id = KeyId::of(&new_key.public);
		let call = calls::register_key(self.device.id, new_key, consent, registration.expires_at);
		let finalized = session.submit(&client, &account, &call, "registering the key").await?;
		Ok(Report::new()
			.done(format!("Registered a key of {}", self.device.text))
			.row("key_id", id)
			.row("purpose", purpose.name())
			.data("device", self.device.id.to_string())
			.time_if("not_after", not_after)
			.finalized(&finalized))
	}
}

/// Refuses a key that cannot speak for the device now, before anything is sent.
async fn require_signing_key(
	view: &View,
	device: &DeviceRef,
	key: KeyId,
	path: &Path,
) -> Result<()> {
	let speaks_for_device = view
		.key(key)
		.await?
		.is_some_and(|record| record.device == device.id && record.purpose == KeyPurpose::Sign);
	if speaks_for_device && view.key_status(key).await?.is_valid() {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("{} is no valid signing key of {}", path.display(), device.text),
		next: format!(
			"`dpki device show {}` lists its keys; give the private half of a valid one for sign",
			device.text
		),
	})
}
