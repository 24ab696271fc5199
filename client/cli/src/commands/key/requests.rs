//! `dpki key request`, `requests`, `approve` and `reject`: keys that wait for a registrar.

use crate::{
	commands::{anchor::PROOF_LIFETIME, device},
	error::{Error, Result},
	output::{Report, rfc3339},
	prompt,
	proven::Trust,
	secrets,
	session::Session,
	values::{self, Name, Purpose},
};
use clap::{Args, ValueEnum};
use dpki_client::{
	View, account, calls,
	possession::{Registration, SoftwareKey, enrolment_fingerprint, is_same_fingerprint},
};
use dpki_primitives::{
	context::Registrant,
	ids::{DeviceId, KeyId, RequestId, name_to_string},
	key::KeyPurpose,
	request::{KeyRequest, Rejection},
};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// `PURPOSE=FILE`.
#[derive(Clone, Debug)]
pub struct PurposeFile {
	/// What the key is for.
	pub purpose: KeyPurpose,
	/// The private key.
	pub file: PathBuf,
}

impl FromStr for PurposeFile {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed = || "write PURPOSE=FILE, such as sign=drone-7.key".to_owned();
		let (purpose, file) = text.split_once('=').ok_or_else(malformed)?;
		let purpose = <Purpose as ValueEnum>::from_str(purpose, false).map_err(|_| malformed())?;
		Ok(Self { purpose: purpose.into(), file: file.into() })
	}
}

/// Ask the registrars of an organisation to register keys.
#[derive(Args)]
pub struct RequestKeys {
	/// Name of the organisation
	#[arg(long)]
	org: Name,
	/// Name of the device
	#[arg(long)]
	device: Name,
	/// What a key is for and its private half; may be repeated, the first keys of a device need one for sign
	#[arg(long = "key", value_name = "PURPOSE=FILE", required = true)]
	keys: Vec<PurposeFile>,
	/// How long the keys may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
	/// The private half of a signing key of the device, if the device is there already
	#[arg(long, value_name = "FILE")]
	consent_key: Option<PathBuf>,
}

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reason {
	/// No reason is given
	Unspecified,
	/// The organisation does not know the device
	DeviceUnknown,
	/// The keys are not those that the device shows
	KeysDiffer,
	/// The device is to come in another way
	NotNeeded,
}

impl From<Reason> for Rejection {
	fn from(reason: Reason) -> Self {
		match reason {
			Reason::Unspecified => Self::Unspecified,
			Reason::DeviceUnknown => Self::DeviceUnknown,
			Reason::KeysDiffer => Self::KeysDiffer,
			Reason::NotNeeded => Self::NotNeeded,
		}
	}
}

impl RequestKeys {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let requester = session.actor(&account);
		let organisation = self.org.organisation();
		let device = DeviceId::from_name(organisation, self.device.as_str().as_bytes());
		let (client, view) = session.view().await?;
		let record = view.device(device).await?;
		let mut registration = Registration {
			genesis: client.genesis_hash(),
			registrant: Registrant::Account(requester),
			device,
			keys_registered: record.as_ref().map_or(0, |record| record.keys_registered),
			expires_at: values::after(view.now(), PROOF_LIFETIME)?,
		};
		let not_after = self.valid.map(|valid| values::after(view.now(), valid)).transpose()?;
		let mut consent = None;
		let mut keys = Vec::new();
		for PurposeFile { purpose, file } in &self.keys {
			let key = device::read_key(file, *purpose)?;
			if let Some(path) = &self.consent_key {
				let signing = secrets::device_key(path, SoftwareKey::from_text)?;
				let public = key.public();
				consent = Some(registration.consent(*purpose, &public, not_after, &signing)?);
			}
			keys.push(registration.prove(*purpose, &*key, not_after)?);
		}
		let is_one_more = consent.is_some() && keys.len() == 1;
		let is_fitting = if record.is_some() { is_one_more } else { consent.is_none() };
		if !is_fitting {
			return Err(Error::NotAllowed {
				why: format!(
					"{}/{} is {} device",
					self.org,
					self.device,
					if record.is_some() { "an enrolled" } else { "a new" }
				),
				next: "an enrolled one consents with --consent-key to one --key, a new one comes with all of its first \
					keys"
					.to_owned(),
			});
		}
		let consenting = consent.as_ref().map(|consent| consent.key);
		let terms: Vec<_> =
			keys.iter().map(|key| (key.purpose, key.id(device), key.not_after)).collect();
		let id = RequestId::of(device, &requester, &terms, consenting);
		let expires_at = registration.expires_at;
		let call =
			calls::request_keys(organisation, self.device.as_str(), &keys, consent, expires_at)?;
		let finalized = session.submit(&client, &account, &call, "requesting the keys").await?;
		Ok(Report::new()
			.done("Requested the keys: a registrar approves them")
			.row("request", id)
			.data("device", device.to_string())
			.finalized(&finalized))
	}
}

/// What waits for the registrars of an organisation.
pub async fn list(session: &Session, org: &Name) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let mut reports = Vec::new();
	for queued in view.request_queue(org.organisation()).await? {
		if let Some(request) = view.request(queued.id).await? {
			reports.push(describe(queued.id, &request, view.now()));
		}
	}
	Ok(Report::list(reports, &format!("nothing waits for the registrars of {org}")))
}

/// What the device shows, if these keys are its own.
fn fingerprint(request: &KeyRequest) -> String {
	let device = request.device();
	let keys: Vec<_> = request
		.keys
		.iter()
		.map(|key| (key.purpose, KeyId::of_device(device, &key.public)))
		.collect();
	enrolment_fingerprint(device, &keys)
}

fn describe(id: RequestId, request: &KeyRequest, now: u64) -> Report {
	let device = request.device();
	let mut report = Report::new()
		.row("request", id)
		.row("device_name", name_to_string(&request.device_name))
		.data("device", device.to_string())
		.row("requester", account::address(&request.requester))
		.row("fingerprint", fingerprint(request))
		.row_as(
			"is_new_device",
			if request.consenting.is_none() { "yes" } else { "no" },
			request.consenting.is_none(),
		)
		.row_as(
			"expires_at",
			match request.expires_at < now {
				true => format!("{}, which is over", rfc3339(request.expires_at)),
				false => rfc3339(request.expires_at),
			},
			rfc3339(request.expires_at),
		);
	let mut keys = Vec::new();
	for key in &request.keys {
		let id = KeyId::of_device(device, &key.public);
		report = report.tail(format!(
			"  key {:13}  {id}  {}",
			key.purpose.name(),
			key.public.key_type.name()
		));
		keys.push(
			Report::new()
				.row("key_id", id)
				.row("purpose", key.purpose.name())
				.row("algorithm", key.public.key_type.name())
				.time_if("not_after", key.not_after)
				.to_json(),
		);
	}
	report.data("keys", serde_json::Value::Array(keys))
}

async fn waiting(view: &View, id: RequestId) -> Result<KeyRequest> {
	let request = view.request(id).await?;
	let request =
		request.ok_or_else(|| Error::Unknown { what: "request", name: id.to_string() })?;
	require_named(id, &request)?;
	Ok(request)
}

/// Refuses a record of something else than the request of this id. The id is all that the chain is told: whoever is shown other
/// keys under it registers keys that they have never seen.
fn require_named(id: RequestId, request: &KeyRequest) -> Result<()> {
	if request.id() == id {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("what the node shows as the request {id} is another one"),
		next: "ask a node that you trust, with --url".into(),
	})
}

/// Registers what was requested.
pub async fn approve(
	session: &Session,
	trust: &Trust,
	id: RequestId,
	expected: Option<&str>,
	yes: bool,
) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = trust.view(session).await?;
	let request = waiting(&view, id).await?;
	let name = name_to_string(&request.device_name);
	let who = account::address(&request.requester);
	let shown = fingerprint(&request);
	if expected.is_some_and(|expected| !is_same_fingerprint(expected, &shown)) {
		return Err(Error::NotAllowed {
			why: format!(
				"the keys of the request have the fingerprint {shown}, and not the one of the device"
			),
			next: "reject it with `dpki key reject --reason keys-differ`: somebody else has asked"
				.into(),
		});
	}
	prompt::confirm(
		&format!(
			"Register {} keys for {name}, requested by {who}, with the fingerprint\n  {shown}?",
			request.keys.len()
		),
		yes,
	)?;
	let call = calls::approve_request(id);
	let finalized = session.submit(&client, &account, &call, "approving the request").await?;
	Ok(describe(id, &request, view.now())
		.done("Registered what was requested")
		.finalized(&finalized))
}

/// Takes a request out of the queue.
pub async fn reject(session: &Session, id: RequestId, reason: Reason) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let request = waiting(&view, id).await?;
	let call = calls::reject_request(id, reason.into());
	let finalized = session.submit(&client, &account, &call, "rejecting the request").await?;
	Ok(describe(id, &request, view.now())
		.done("Rejected the request")
		.finalized(&finalized))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		ids::OrganisationId,
		key::{KeyTerms, KeyType, PublicKey},
	};

	#[test]
	fn what_is_shown_under_an_id_is_what_the_id_stands_for() {
		let with = |seed: u8| {
			let public = PublicKey::new(KeyType::Ed25519, &[seed; 32]).unwrap();
			let key = KeyTerms { purpose: KeyPurpose::Sign, public, not_after: None };
			KeyRequest {
				requester: [1; 32],
				organisation: OrganisationId([2; 32]),
				device_name: b"drone-7".to_vec().try_into().unwrap(),
				keys: vec![key].try_into().unwrap(),
				consenting: None,
				expires_at: 5,
			}
		};
		let asked = with(3);
		require_named(asked.id(), &asked).unwrap();
		let of_somebody_else = KeyRequest { requester: [9; 32], ..asked.clone() };
		for other in [with(4), of_somebody_else] {
			let error = require_named(asked.id(), &other).unwrap_err();
			assert!(error.to_string().contains("is another one"), "{error}");
			assert!(error.next_step().unwrap().contains("--url"), "{error}");
		}
	}
}
