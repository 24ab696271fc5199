//! `dpki hold` and `dpki release`: devices and their keys on hold, and off it.

use crate::{
	commands::revoke::How,
	error::{Error, Result},
	lookup,
	output::Report,
	prompt,
	session::Session,
	values::DeviceRef,
};
use clap::Subcommand;
use dpki_client::{Call, Client, View, calls};
use dpki_primitives::{ids::KeyId, key::KeyRecord};

/// Putting devices and keys on hold.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki hold device acme/drone-7 --reason keyCompromise
  dpki release device acme/drone-7

X.509 anchors: `dpki anchor suspend`. Certificates: `dpki certificate suspend`.")]
pub enum HoldCommand {
	/// Put a device on hold: neither it nor any of its keys is valid until it is released
	#[command(after_help = "\
Example:
  dpki hold device acme/drone-7 --reason keyCompromise")]
	Device {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
		#[command(flatten)]
		how: How,
	},
	/// Put one key of a device on hold: it is not valid until it is released
	#[command(after_help = "\
Example:
  dpki hold key 0x3b1c...9f --reason keyCompromise")]
	Key {
		/// Its id; `dpki device show` shows it
		#[arg(value_name = "ID")]
		key: KeyId,
		#[command(flatten)]
		how: How,
	},
}

/// Ending holds.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki release device acme/drone-7
  dpki release key 0x3b1c...9f

What whoever governs the organisation put on hold is released by them: with a vote,
`dpki motion propose release`.")]
pub enum ReleaseCommand {
	/// Take a device off hold; those of its keys that are on hold themselves stay so
	#[command(after_help = "\
Example:
  dpki release device acme/drone-7")]
	Device {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Take a key off hold; with its device it stays on hold
	#[command(after_help = "\
Example:
  dpki release key 0x3b1c...9f")]
	Key {
		/// Its id; `dpki device show` shows it
		#[arg(value_name = "ID")]
		key: KeyId,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
}

impl HoldCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		match self {
			Self::Device { device, how } => {
				lookup::device(&view, &device).await?;
				let what = format!("the device {} with all its keys", device.text);
				let call = calls::suspend_device(device.id, how.reason);
				let report = hold(session, &client, &what, &call, &how).await?;
				Ok(report.data("device", device.id.to_string()))
			},
			Self::Key { key, how } => {
				let record = known(&view, key).await?;
				let what = format!("the {} key {key}", record.purpose.name());
				let call = calls::suspend_key(key, how.reason);
				let report = hold(session, &client, &what, &call, &how).await?;
				Ok(of_key(report, key, &record))
			},
		}
	}
}

impl ReleaseCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		match self {
			Self::Device { device, yes } => {
				lookup::device(&view, &device).await?;
				let what = format!("the device {}", device.text);
				let call = calls::release_device(device.id);
				let report = release(session, &client, &what, &call, yes).await?;
				Ok(report.data("device", device.id.to_string()))
			},
			Self::Key { key, yes } => {
				let record = known(&view, key).await?;
				let what = format!("the {} key {key}", record.purpose.name());
				let report =
					release(session, &client, &what, &calls::release_key(key), yes).await?;
				Ok(of_key(report, key, &record))
			},
		}
	}
}

async fn known(view: &View, key: KeyId) -> Result<KeyRecord> {
	view.key(key)
		.await?
		.ok_or_else(|| Error::Unknown { what: "key", name: key.to_string() })
}

fn of_key(report: Report, key: KeyId, record: &KeyRecord) -> Report {
	report.data("key_id", key.to_string()).data("device", record.device.to_string())
}

/// Asks whether this is meant, and does it.
async fn hold(
	session: &Session,
	client: &Client,
	what: &str,
	call: &impl Call,
	how: &How,
) -> Result<Report> {
	let reason = how.reason.rfc5280_name();
	how.confirm(&format!("Put {what} on hold ({reason})? It is not valid until it is released."))?;
	let account = session.account()?;
	let finalized = session.submit(client, &account, call, "putting on hold").await?;
	Ok(Report::new()
		.done(format!("Put {what} on hold"))
		.row("reason", reason)
		.finalized(&finalized))
}

/// Asks whether this is meant, and does it: trust is given back.
async fn release(
	session: &Session,
	client: &Client,
	what: &str,
	call: &impl Call,
	yes: bool,
) -> Result<Report> {
	prompt::confirm(&format!("Release {what} from its hold? It is valid again at once."), yes)?;
	let account = session.account()?;
	let finalized = session.submit(client, &account, call, "releasing").await?;
	Ok(Report::new()
		.done(format!("Released {what} from its hold"))
		.finalized(&finalized))
}
