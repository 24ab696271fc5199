//! `dpki device`: devices and their keys.

use crate::{
	commands::{anchor::PROOF_LIFETIME, key::key_type_name},
	error::Result,
	lookup,
	output::{Report, hex},
	secrets,
	session::Session,
	values::{self, DeviceRef, Purpose, purpose_name},
};
use clap::{Args, Subcommand};
use dpki_client::{calls, possession::Registration};
use dpki_primitives::{
	context::Registrant, ids::KeyId, key::KeyRecord, revocation::RevocationReason, status::Status,
};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};

/// Devices and their keys.
#[derive(Subcommand)]
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
	/// Register one more key for a device; the private key proves that it is held and stays on this computer
	#[command(after_help = "\
Example:
  dpki device register-key acme/drone-7 --purpose tls --key drone-7-tls.key --valid 365d")]
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
	/// The private key: OpenSSH or PKCS#8 PEM
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
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
		report = report.tail(format!("  key {:13}  {id}  {words}", purpose_name(key.purpose)));
		keys.push(key_report(id, &key, status).to_json());
	}
	Ok(report.data("keys", Value::Array(keys)))
}

/// What there is to say about a key.
pub fn key_report(id: KeyId, key: &KeyRecord, status: Status) -> Report {
	Report::new()
		.row("key_id", id)
		.row("purpose", purpose_name(key.purpose))
		.row("algorithm", key_type_name(key.public.key_type))
		.row("public_key", hex(&key.public.bytes))
		.data("status", status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.data("device", key.device.to_string())
		.time("registered_at", key.registered_at)
		.time_if("not_after", key.validity.not_after)
}

impl RegisterKey {
	async fn run(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let key = secrets::signing_key(&self.key)?;
		let (client, view) = session.view().await?;
		let record = lookup::device(&view, &self.device).await?;
		let now = view.now();
		let not_after = self.valid.map(|valid| values::after(now, valid)).transpose()?;
		let mut registration = Registration {
			genesis: client.genesis_hash(),
			registrant: Registrant::Account(account.id()),
			device: self.device.id,
			keys_registered: record.keys_registered,
			expires_at: values::after(now, PROOF_LIFETIME)?,
		};
		let new_key = registration.prove(self.purpose.into(), &key, not_after)?;
		let id = KeyId::of(&new_key.public);
		let call = calls::register_key(self.device.id, new_key, registration.expires_at);
		let finalized = session.submit(&client, &account, &call, "registering the key").await?;
		Ok(Report::new()
			.done(format!("Registered a key of {}", self.device.text))
			.row("key_id", id)
			.row("purpose", purpose_name(self.purpose.into()))
			.data("device", self.device.id.to_string())
			.time_if("not_after", not_after)
			.finalized(&finalized))
	}
}
