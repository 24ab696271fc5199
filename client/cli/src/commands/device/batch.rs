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
	SubmitError, View, calls,
	possession::{Registration, SigningKey},
};
use dpki_primitives::{
	Moment,
	context::Registrant,
	device::{MAX_DEVICES_PER_BATCH, NewDevice},
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord},
	refusal::Refusal,
	status::status,
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
	/// The first line that names it.
	line: u64,
	name: Name,
	keys: Vec<(KeyPurpose, Box<dyn SigningKey>)>,
}

impl Row {
	fn device(&self, organisation: OrganisationId) -> DeviceId {
		DeviceId::from_name(organisation, self.name.as_str().as_bytes())
	}

	/// What the chain has of the device.
	async fn found(&self, view: &View, organisation: OrganisationId) -> Result<Found> {
		let device = self.device(organisation);
		let Some(record) = view.device(device).await? else { return Ok(Found::Nothing) };
		let mut verdicts = vec![status(Some(&record.standing()), &[], view.now())];
		for (purpose, key) in &self.keys {
			let id = KeyId::of_device(device, &key.public());
			let is_its_own = |it: KeyRecord| it.device == device && it.purpose == *purpose;
			if !view.key(id).await?.is_some_and(is_its_own) {
				return Ok(Found::OtherKeys);
			}
			verdicts.push(view.key_status(id).await?);
		}
		Ok(if verdicts.iter().all(|it| it.is_valid()) { Found::Same } else { Found::Ended })
	}

	/// With proofs for this registrant that its keys are held.
	fn to_register(
		&self,
		mut registration: Registration,
		not_after: Option<Moment>,
	) -> Result<NewDevice> {
		let proven = self
			.keys
			.iter()
			.map(|(purpose, key)| registration.prove(*purpose, &**key, not_after))
			.collect::<Result<Vec<_>, _>>()?;
		let too_many = |what: &str| Error::Usage(format!("{} has too {what}", self.name));
		let name = self.name.as_str().as_bytes().to_vec();
		Ok(NewDevice {
			name: name.try_into().map_err(|_| too_many("long a name"))?,
			keys: proven.try_into().map_err(|_| too_many("many keys"))?,
		})
	}
}

/// What the chain has of a device in the table.
enum Found {
	/// Nothing.
	Nothing,
	/// The same, and it is valid.
	Same,
	/// The same, and the device or a key of it is not valid any more, or not now.
	Ended,
	/// A device of this name, with other keys.
	OtherKeys,
}

/// How far the devices of a table are registered.
struct Progress<'a> {
	table: &'a Path,
	registered: usize,
	total: usize,
}

impl Progress<'_> {
	/// The error for a device that is refused: `reason` is `problem: next step`.
	fn refused(&self, row: &Row, reason: &str) -> Error {
		let (problem, step) = reason.split_once(": ").unwrap_or((reason, "mend its line"));
		let Self { table, registered, total } = self;
		Error::NotAllowed {
			why: format!(
				"line {} of {}, the device {}, is refused: {problem}; {registered} of the {total} devices are registered",
				row.line,
				table.display(),
				row.name,
			),
			next: format!(
				"{step}; then run the same command again, which goes on with those that are not registered"
			),
		}
	}

	/// What became of a group that was sent.
	fn explain(&self, error: Error, group: &[&Row]) -> Error {
		let Error::Submit(SubmitError::MemberRefused { position, refusal }) = error else {
			return error;
		};
		let reason = refusal.map_or("the chain does not say why: check it", Refusal::sentence);
		match group.get(usize::from(position)) {
			Some(row) => self.refused(row, reason),
			None => error,
		}
	}

	/// What to know when a run ends early for a reason that is no device's.
	fn warning(&self) -> String {
		format!(
			"{} of the {} devices are registered: the same command goes on with the others",
			self.registered, self.total
		)
	}
}

impl Batch {
	/// Runs the command. Devices go in groups of as many as one transaction takes: each group is registered as a whole, or
	/// not at all. What is registered already is left out, so that an interrupted run is run again.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let rows = read(&self.file)?;
		let account = session.account()?;
		let organisation = self.org.organisation();
		let (client, view) = session.view().await?;
		let not_after = self.valid.map(|valid| values::after(view.now(), valid)).transpose()?;
		let (mut left, mut other) = (Vec::new(), None);
		let mut progress = Progress { table: &self.file, registered: 0, total: rows.len() };
		for row in &rows {
			let problem = match row.found(&view, organisation).await? {
				Found::Same => {
					progress.registered += 1;
					continue;
				},
				Found::Nothing => {
					left.push(row);
					continue;
				},
				Found::Ended => "is registered, and it or a key of it is not valid now",
				Found::OtherKeys => "is registered with other keys",
			};
			other = other.or(Some((row, problem)));
		}
		if let Some((row, problem)) = other {
			let reason = format!(
				"a device of this name {problem}: give it another name, or take its lines out"
			);
			return Err(progress.refused(row, &reason));
		}
		let before = progress.registered;
		let (mut all, groups) = (Vec::new(), left.chunks(MAX_DEVICES_PER_BATCH as usize));
		let count = groups.len();
		for (index, group) in groups.enumerate() {
			let now = client.at_finalized().await?.now();
			let expires_at = values::after(now, PROOF_LIFETIME)?;
			let registration = |row: &Row| Registration {
				genesis: client.genesis_hash(),
				registrant: Registrant::Account(session.actor(&account)),
				device: row.device(organisation),
				keys_registered: 0,
				expires_at,
			};
			let devices = group
				.iter()
				.map(|row| row.to_register(registration(row), not_after))
				.collect::<Result<Vec<_>>>()?;
			let call = calls::register_batch(organisation, devices, expires_at)?;
			let doing = format!("registering group {} of {count}", index + 1);
			match session.submit(&client, &account, &call, &doing).await {
				Ok(finalized) => all.push(finalized),
				Err(error) => {
					let explained = progress.explain(error, group);
					if progress.registered > 0 && !matches!(explained, Error::NotAllowed { .. }) {
						session.warn(&progress.warning());
					}
					return Err(explained);
				},
			}
			progress.registered += group.len();
		}
		let done = match (rows.len(), left.len()) {
			(0, _) => "the table names no device".to_owned(),
			(_, 0) => format!("All {before} devices of {} were registered already", self.org),
			(_, new) => format!("Registered {new} devices of {}", self.org),
		};
		Ok(Report::new()
			.done(done)
			.row_as("devices", left.len().to_string(), left.len())
			.row_as("registered_before", before.to_string(), before)
			.all_finalized(&all))
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
			None => rows.push(Row { line, name, keys: vec![(purpose.into(), key)] }),
		}
	}
	Ok(rows)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_refused_device_is_named_with_its_line_and_what_is_registered() {
		let row = |line| Row { line, name: "drone-7".parse().unwrap(), keys: vec![] };
		let (one, two) = (row(258), row(271));
		let progress = Progress { table: Path::new("many.csv"), registered: 256, total: 300 };
		let refused = |position, refusal| {
			let error = SubmitError::MemberRefused { position, refusal }.into();
			progress.explain(error, &[&one, &two])
		};
		let error = refused(1, Some(Refusal::KeyAlreadyRegistered));
		let sentence = "line 271 of many.csv, the device drone-7, is refused: the key is registered already; \
		                256 of the 300 devices are registered";
		assert_eq!(error.to_string(), sentence);
		let next = error.next_step().unwrap();
		assert!(next.starts_with("make a new one; then run the same command again"), "{next}");
		let unknown = refused(0, None);
		assert!(unknown.to_string().contains("line 258"), "{unknown}");
		assert!(unknown.next_step().unwrap().starts_with("check it;"), "{unknown}");
		// Of a position that nothing stands at, the chain's own word is told.
		assert!(refused(2, None).to_string().starts_with("member 2 of the batch"));
		assert!(progress.warning().starts_with("256 of the 300 devices"));
	}
}
