//! `dpki device batch`: many devices at once, as they leave a factory.

use crate::{
	commands::{anchor::PROOF_LIFETIME, device},
	error::{Error, Result},
	files,
	output::Report,
	session::Session,
	values::{self, Name, Purpose},
};
use clap::{Args, ValueEnum};
use dpki_client::{
	calls,
	possession::{Registration, SigningKey},
};
use dpki_primitives::{
	context::Registrant,
	device::{MAX_DEVICES_PER_BATCH, NewDevice},
	ids::DeviceId,
	key::KeyPurpose,
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Register many devices with their keys.
#[derive(Args)]
pub struct Batch {
	/// A table with the columns name, purpose and key: one line for each key, with its private half in a file
	#[arg(value_name = "FILE.csv")]
	file: PathBuf,
	/// Name of the organisation
	#[arg(long)]
	org: Name,
	/// How long the keys may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
}

/// A device in the table.
struct Row {
	name: Name,
	keys: Vec<(KeyPurpose, Box<dyn SigningKey>)>,
}

impl Batch {
	/// Runs the command. Devices go in groups of as many as one transaction takes: each group is registered as a whole, or
	/// not at all.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let rows = read(&self.file)?;
		let account = session.account()?;
		let organisation = self.org.organisation();
		let (client, view) = session.view().await?;
		let not_after = self.valid.map(|valid| values::after(view.now(), valid)).transpose()?;
		let mut reports = Vec::new();
		let groups: Vec<_> = rows.chunks(MAX_DEVICES_PER_BATCH as usize).collect();
		for (index, group) in groups.iter().enumerate() {
			let now = client.at_finalized().await?.now();
			let expires_at = values::after(now, PROOF_LIFETIME)?;
			let mut devices = Vec::new();
			for Row { name, keys } in *group {
				let mut registration = Registration {
					genesis: client.genesis_hash(),
					registrant: Registrant::Account(session.actor(&account)),
					device: DeviceId::from_name(organisation, name.as_str().as_bytes()),
					keys_registered: 0,
					expires_at,
				};
				let proven = keys
					.iter()
					.map(|(purpose, key)| registration.prove(*purpose, &**key, not_after))
					.collect::<Result<Vec<_>, _>>()?;
				let too_many = |what: &str| Error::Usage(format!("{name} has too {what}"));
				devices.push(NewDevice {
					name: name
						.as_str()
						.as_bytes()
						.to_vec()
						.try_into()
						.map_err(|_| too_many("long a name"))?,
					keys: proven.try_into().map_err(|_| too_many("many keys"))?,
				});
			}
			let call = calls::register_batch(organisation, devices, expires_at)?;
			let doing = format!("registering group {} of {}", index + 1, groups.len());
			let finalized = session.submit(&client, &account, &call, &doing).await?;
			reports.push(
				Report::new()
					.done(format!("Registered {} devices of {}", group.len(), self.org))
					.row_as("devices", group.len().to_string(), group.len())
					.finalized(&finalized),
			);
		}
		Ok(Report::list(reports, "the table names no device"))
	}
}

fn read(path: &Path) -> Result<Vec<Row>> {
	let text = files::read_text(path)?;
	let wrong = |line: u64, reason: &str| Error::WrongFile {
		path: path.to_owned(),
		expected: format!("a table of devices: line {line}: {reason}"),
	};
	let folder = path.parent().unwrap_or(Path::new(""));
	let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
	let headers = reader.headers().map_err(|error| wrong(1, &error.to_string()))?;
	if headers.iter().ne(["name", "purpose", "key"]) {
		return Err(wrong(1, "its first line is not name,purpose,key"));
	}
	let mut rows: Vec<Row> = Vec::new();
	for (line, record) in (2..).zip(reader.records()) {
		let record = record.map_err(|error| wrong(line, &error.to_string()))?;
		let cell = |index: usize| record.get(index).unwrap_or_default();
		let name: Name = cell(0).parse().map_err(|reason: String| wrong(line, &reason))?;
		let purpose = <Purpose as ValueEnum>::from_str(cell(1), false)
			.map_err(|_| wrong(line, "the purpose is none of sign, key-agreement, tls, ssh"))?;
		let key = device::read_key(&folder.join(cell(2)), purpose.into())?;
		match rows.iter_mut().find(|row| row.name == name) {
			Some(row) => row.keys.push((purpose.into(), key)),
			None => rows.push(Row { name, keys: vec![(purpose.into(), key)] }),
		}
	}
	Ok(rows)
}
