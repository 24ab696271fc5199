//! `dpki device`: devices and their keys.

mod batch;
mod list;

use crate::{
	commands::anchor::PROOF_LIFETIME,
	error::{Error, Result},
	files, lookup,
	output::{Report, hex},
	secrets,
	session::Session,
	values::{self, DeviceRef, Purpose},
};
use clap::{Args, Subcommand};
use dpki_client::{
	AccountId, Client, View, calls,
	possession::{AgreementKey, Registration, SignedConsent, SigningKey, SoftwareKey},
};
use dpki_primitives::{
	Moment,
	context::Registrant,
	ids::KeyId,
	key::{Consent, KeyPurpose, KeyRecord, NewKey},
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
	/// List the devices of an organisation, revoked ones too, with the storage that proves that none is missing
	#[command(after_help = "\
Examples:
  dpki device list --organisation acme
  dpki device list --org acme --ending 30d --json")]
	List(list::List),
	/// Register one more key for a device, which consents to it by a signing key that it has already
	///
	/// The consent comes from the device itself, made there by `dpki-agent consent`, which tells what the key is for and how
	/// long it may be used; where the key lies on the device too, nothing else is needed. Or it is made here, where both
	/// private keys only sign and stay on this computer.
	#[command(after_help = "\
Examples:
  dpki device register-key acme/drone-7 --consent drone-7-tls.consent
  dpki device register-key acme/drone-7 --consent drone-7-tls.consent --key drone-7-tls.key
  dpki device register-key acme/drone-7 --purpose tls --key drone-7-tls.key --valid 365d \\
    --consent-key /var/lib/dpki-agent/signing.key")]
	RegisterKey(RegisterKey),
	/// Register many devices with their first keys, as they leave a factory: each group of 256 as a whole, or not at all
	///
	/// Devices that are registered with these keys already are left out: after a line is mended, the same command goes on.
	#[command(after_help = "\
Example:
  dpki device batch drones.csv --org acme
where drones.csv begins with the line name,purpose,key and goes on with lines such as
  drone-7,sign,keys/drone-7.pem")]
	Batch(batch::Batch),
}

/// Register one more key for a device.
#[derive(Args)]
pub struct RegisterKey {
	/// ORGANISATION/NAME, or the id
	#[arg(value_name = "ORG/NAME|ID")]
	device: DeviceRef,
	/// What the key is for
	#[arg(long, value_enum, required_unless_present = "consent", conflicts_with = "consent")]
	purpose: Option<Purpose>,
	/// The private key, which proves that it is held: OpenSSH, PKCS#8 PEM, or digits as the agent writes them
	#[arg(long, value_name = "FILE", required_unless_present = "consent")]
	key: Option<PathBuf>,
	/// What `dpki-agent consent` wrote on the device; - is standard input
	#[arg(long, value_name = "FILE")]
	consent: Option<PathBuf>,
	/// The private half of a signing key that the device has already: the signing.key of its agent, or in the forms of --key
	#[arg(long, value_name = "FILE", conflicts_with = "consent")]
	consent_key: Option<PathBuf>,
	/// How long it may be used; without end if left out
	#[arg(long, value_parser = values::duration, conflicts_with = "consent")]
	valid: Option<Duration>,
	/// The device does it alone, without an account and a fee, if the key policy of its organisation allows that
	#[arg(long, conflicts_with = "consent")]
	alone: bool,
}

impl DeviceCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show { device } => show(session, &device).await,
			Self::List(command) => command.run(session).await,
			Self::RegisterKey(command) => command.run(session).await,
			Self::Batch(command) => command.run(session).await,
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
		.data("hold", lookup::hold(record.withdrawal))
		.data("keys_registered", record.keys_registered)
		.read_at(view.head());
	if let Some(words) = lookup::hold_words(record.withdrawal) {
		report = report.tail(format!("  on hold {words}"));
	}
	let mut keys = Vec::new();
	for (id, key) in view.keys_of(device.id).await? {
		let status = view.key_status(id).await?;
		let words = lookup::verdict(status, &key.standing());
		report = report.tail(format!("  key {:13}  {id}  {words}", key.purpose.name()));
		if let Some(words) = lookup::hold_words(key.withdrawal) {
			report = report.tail(format!("    on hold {words}"));
		}
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
		.data("hold", lookup::hold(key.withdrawal))
		.time("registered_at", key.registered_at)
		.time_if("not_after", key.validity.not_after)
}

/// A key with everything that the chain wants of it.
struct Admission {
	key: NewKey,
	consent: Consent,
	expires_at: Moment,
}

impl RegisterKey {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let account = (!self.alone).then(|| session.account()).transpose()?;
		let device = self.device.clone();
		let (client, admission) = match (&account, self.consent.clone()) {
			(Some(account), Some(path)) => {
				self.brought(session, session.actor(account), &path).await?
			},
			(Some(account), None) => {
				let registrant = Registrant::Account(session.actor(account));
				self.made_here(session, registrant).await?
			},
			(None, _) => self.made_here(session, Registrant::Device).await?,
		};
		let Admission { key, consent, expires_at } = admission;
		let (id, purpose, not_after) = (KeyId::of(&key.public), key.purpose, key.not_after);
		let doing = "registering the key";
		let finalized = match account {
			Some(account) => {
				let call = calls::register_key(device.id, key, consent, expires_at);
				session.submit(&client, &account, &call, doing).await?
			},
			None => {
				let call = calls::add_own_key(device.id, key, consent, expires_at);
				session.submit_general(&client, &call, doing).await?
			},
		};
		Ok(Report::new()
			.done(format!("Registered a key of {}", device.text))
			.row("key_id", id)
			.row("purpose", purpose.name())
			.data("device", device.id.to_string())
			.time_if("not_after", not_after)
			.finalized(&finalized))
	}

	/// With the consent that the device has signed where its keys are.
	async fn brought(
		self,
		session: &Session,
		actor: AccountId,
		path: &Path,
	) -> Result<(Client, Admission)> {
		let signed: SignedConsent = files::read_text(path)?.parse()?;
		let own = self.key.as_deref().map(|path| read_key(path, signed.purpose)).transpose()?;
		if let Some(key) = &own
			&& KeyId::of(&key.public()) != signed.key
		{
			return Err(Error::NotAllowed {
				why: format!("the device consented to the key {}, which is another one", signed.key),
				next: "give the private half of that key with --key, or have the device consent to this one"
					.to_owned(),
			});
		}
		let (client, view) = session.view().await?;
		let record = lookup::device(&view, &self.device).await?;
		let mut wanted = Registration {
			genesis: client.genesis_hash(),
			registrant: Registrant::Account(actor),
			device: self.device.id,
			keys_registered: record.keys_registered,
			expires_at: signed.expires_at,
		};
		signed.check(&wanted, view.now())?;
		let key = match (&own, signed.proven) {
			(Some(key), _) => wanted.prove(signed.purpose, &**key, signed.not_after)?,
			(None, Some(proven)) => proven,
			(None, None) => {
				return Err(Error::NotAllowed {
					why: "the device consented to a key that it does not hold".to_owned(),
					next:
						"give the private half of the key with --key, which proves that it is held"
							.to_owned(),
				});
			},
		};
		let admission = Admission { key, consent: signed.consent, expires_at: signed.expires_at };
		Ok((client, admission))
	}

	/// With the private keys on this computer.
	async fn made_here(
		self,
		session: &Session,
		registrant: Registrant,
	) -> Result<(Client, Admission)> {
		let consent_key = self.consent_key.as_deref().ok_or_else(|| Error::NotAllowed {
			why: format!("{} has to consent to a key that is to speak for it", self.device.text),
			next: "have the device sign its consent with `dpki-agent consent` and give that with --consent, or give \
				a signing key of the device with --consent-key"
				.to_owned(),
		})?;
		let (Some(purpose), Some(path)) = (self.purpose.map(KeyPurpose::from), &self.key) else {
			return Err(Error::Usage("say what key it is: give --purpose and --key".to_owned()));
		};
		let key = read_key(path, purpose)?;
		let signing = secrets::device_key(consent_key, SoftwareKey::from_text)?;
		let (client, view) = session.view().await?;
		let record = lookup::device(&view, &self.device).await?;
		require_signing_key(&view, &self.device, KeyId::of(&signing.public()), consent_key).await?;
		let now = view.now();
		let not_after = self.valid.map(|valid| values::after(now, valid)).transpose()?;
		let mut registration = Registration {
			genesis: client.genesis_hash(),
			registrant,
			device: self.device.id,
			keys_registered: record.keys_registered,
			expires_at: values::after(now, PROOF_LIFETIME)?,
		};
		let consent = registration.consent(purpose, &key.public(), not_after, &signing)?;
		let key = registration.prove(purpose, &*key, not_after)?;
		Ok((client, Admission { key, consent, expires_at: registration.expires_at }))
	}
}

/// A private key of a device.
pub fn read_key(path: &Path, purpose: KeyPurpose) -> Result<Box<dyn SigningKey>> {
	Ok(match purpose {
		KeyPurpose::KeyAgreement => Box::new(secrets::device_key(path, AgreementKey::from_text)?),
		_ => Box::new(secrets::device_key(path, SoftwareKey::from_text)?),
	})
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
