//! Fleets whose keys stand on the chain: opened, signed for, filled, and checked.

use super::record;
use crate::{
	error::{Error, Result},
	output::{Progress, Report},
	secrets,
	session::Session,
	values::{self, FleetRef, Purpose},
};
use clap::Args;
use dpki_client::{
	calls,
	fleet::{
		FleetRecord,
		roll::{MAX_KEYS_PER_APPEND, Roll, RollEntry, RollKey, RollTerms, sign_entry},
	},
	possession::SoftwareKey,
	submit::Finalized,
	view::View,
};
use dpki_primitives::{Moment, status::Validity};
use std::{
	collections::HashSet,
	fs::{File, OpenOptions},
	io::BufReader,
	path::{Path, PathBuf},
	time::Duration,
};

/// The first line of a table.
const COLUMNS: [&str; 4] = ["place", "key", "expires", "signature"];

/// Begin a fleet with a roll.
#[derive(Args)]
pub struct Open {
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// What the keys are for
	#[arg(long, value_enum)]
	purpose: Purpose,
	/// How long the keys may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
}

/// Sign for places of a roll.
#[derive(Args)]
pub struct Sign {
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// Private Ed25519 keys, in the order of their places: OpenSSH, PKCS#8 PEM, or digits as the agent writes them
	#[arg(value_name = "KEY", required = true)]
	keys: Vec<PathBuf>,
	/// The place of the first of them; behind the last one on the chain if left out
	#[arg(long)]
	from: Option<u32>,
	/// How long the signatures are good, a day at most
	#[arg(long = "for", value_parser = values::duration, default_value = "12h")]
	lifetime: Duration,
	/// The table, to which the lines are appended
	#[arg(long, value_name = "FILE.csv")]
	out: PathBuf,
}

/// Put keys on a roll.
#[derive(Args)]
pub struct Fill {
	/// A table with the columns place, key, expires and signature, and a line for each key in the order of the places
	#[arg(value_name = "FILE.csv")]
	file: PathBuf,
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// How long proofs for the fleet as it was before stay good
	#[arg(long, value_parser = values::duration, default_value = "24h")]
	grace: Duration,
}

/// Refuses what is done with tiles if the fleet has none.
pub fn refuse(record: &FleetRecord, fleet: &FleetRef) -> Result<()> {
	match record.has_roll() {
		false => Ok(()),
		true => Err(Error::NotAllowed {
			why: format!("the keys of {fleet} stand on the chain, and not in tiles"),
			next: "append keys with `dpki fleet fill`, or revoke members".to_owned(),
		}),
	}
}

/// The roll of a fleet.
async fn open<'a>(view: &'a View, fleet: &FleetRef, record: &'a FleetRecord) -> Result<Roll<'a>> {
	let roll = Roll::open(view, fleet.id(), record).await?;
	roll.ok_or_else(|| Error::NotAllowed {
		why: format!("the keys of {fleet} are in tiles, and not on the chain"),
		next: "propose a commitment with `dpki fleet append`".to_owned(),
	})
}

/// Reads all keys of a roll, and says whether they are those that count.
pub async fn check(
	view: &View,
	fleet: &FleetRef,
	roll: &mut Roll<'_>,
	revision: u32,
) -> Result<Report> {
	let size = roll.size();
	let progress = Progress::start(format!("checking {fleet}"));
	let found = roll
		.audit(|count| progress.say(format!("checked {count} of {size} keys")))
		.await;
	drop(progress);
	let sentence = match &found {
		Ok(()) => format!("{fleet} stands on the chain as it counts"),
		Err(error) => format!("{fleet}: {error}"),
	};
	Ok(Report::new()
		.verdict(found.is_ok(), sentence)
		.row_as("revision", revision.to_string(), revision)
		.row_as("members", size.to_string(), size)
		.read_at(view.head()))
}

impl Open {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let not_before = view.now();
		let not_after = self.valid.map(|valid| values::after(not_before, valid)).transpose()?;
		let validity = Validity { not_before, not_after };
		let terms = RollTerms { purpose: self.purpose.into(), validity };
		let call = calls::open_roll(self.fleet.organisation(), self.fleet.name(), terms)?;
		let account = session.account()?;
		let finalized = session.submit(&client, &account, &call, "opening").await?;
		Ok(Report::new()
			.done(format!("Opened {}", self.fleet))
			.row("fleet", self.fleet.id())
			.row("purpose", terms.purpose.name())
			.time("not_before", not_before)
			.time_if("not_after", not_after)
			.tail(
				"Have the keys sign with `dpki fleet sign`, and append them with `dpki fleet fill`.",
			)
			.finalized(&finalized))
	}
}

impl Sign {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let record = record(&view, &self.fleet).await?;
		let roll = open(&view, &self.fleet, &record).await?;
		let expires_at = values::after(view.now(), self.lifetime)?;
		let from = self.from.unwrap_or(roll.size());
		let (genesis, id) = (client.genesis_hash(), self.fleet.id());
		let mut lines = Vec::new();
		for (place, path) in (from..).zip(&self.keys) {
			let key = secrets::device_key(path, SoftwareKey::from_text)?;
			lines.push((place, sign_entry(genesis, id, roll.terms(), place, expires_at, &key)?));
		}
		append_lines(&self.out, expires_at, &lines)?;
		Ok(Report::new()
			.done(format!("Signed for {} places of {}", lines.len(), self.fleet))
			.row_as("from", from.to_string(), from)
			.row_as("keys", lines.len().to_string(), lines.len())
			.time("expires_at", expires_at)
			.read_at(view.head()))
	}
}

/// Appends lines to a table, which is begun if there is none.
fn append_lines(path: &Path, expires_at: Moment, lines: &[(u32, RollEntry)]) -> Result<()> {
	let failed =
		|source: std::io::Error| Error::File { doing: "write", path: path.to_owned(), source };
	let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
	let is_new = file.metadata().map_err(failed)?.len() == 0;
	let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
	let mut written = || -> Result<(), csv::Error> {
		if is_new {
			writer.write_record(COLUMNS)?;
		}
		for (place, RollEntry { key, possession }) in lines {
			let (place, expires_at) = (place.to_string(), expires_at.to_string());
			let (key, signature) = (hex::encode(key), hex::encode(possession));
			writer.write_record([place, key, expires_at, signature])?;
		}
		writer.flush()?;
		Ok(())
	};
	written().map_err(|error| failed(std::io::Error::other(error)))
}

/// What one transaction appends.
struct Batch {
	from: u32,
	expires_at: Moment,
	entries: Vec<RollEntry>,
}

impl Batch {
	/// Whether a further line belongs into the same transaction.
	fn takes(&self, line: &Line) -> bool {
		self.expires_at == line.expires_at && self.entries.len() < MAX_KEYS_PER_APPEND as usize
	}
}

/// A line of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
	/// Its number in the file, from 1.
	number: u64,
	place: u32,
	expires_at: Moment,
	entry: RollEntry,
}

impl Fill {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let record = record(&view, &self.fleet).await?;
		let mut roll = open(&view, &self.fleet, &record).await?;
		let (account, grace) = (session.account()?, values::after(0, self.grace)?);
		let before = roll.size();
		let (mut next, mut left_out) = (before, 0u32);
		let (mut seen, mut batch) = (HashSet::<RollKey>::new(), None::<Batch>);
		let mut last: Option<Finalized> = None;
		let wrong = |line: &Line, reason: &str| wrong_line(&self.file, line.number, reason);
		for line in Table::open(&self.file)? {
			let line = line?;
			if !seen.insert(line.entry.key) {
				return Err(wrong(&line, "the key is there a second time"));
			}
			if line.place < before {
				// It was appended by an earlier run, or it is something else.
				if roll.key(line.place).await? != line.entry.key {
					return Err(wrong(&line, "another key stands at this place already"));
				}
				left_out += 1;
				continue;
			}
			if line.place != next {
				return Err(wrong(&line, &format!("the next place is {next}")));
			}
			next += 1;
			if let Some(full) = batch.take_if(|batch| !batch.takes(&line)) {
				last = Some(self.send(session, &client, &account, grace, full).await?);
			}
			let new = || Batch { from: line.place, expires_at: line.expires_at, entries: vec![] };
			batch.get_or_insert_with(new).entries.push(line.entry);
		}
		if let Some(rest) = batch {
			last = Some(self.send(session, &client, &account, grace, rest).await?);
		}
		let appended = next - before;
		let report = Report::new()
			.done(format!("Appended {appended} keys to {}", self.fleet))
			.row("fleet", self.fleet.id())
			.row_as("appended", appended.to_string(), appended)
			.row_as("left_out", left_out.to_string(), left_out)
			.row_as("members", next.to_string(), next);
		Ok(match &last {
			Some(finalized) => report.finalized(finalized),
			None => report.read_at(view.head()),
		})
	}

	async fn send(
		&self,
		session: &Session,
		client: &dpki_client::Client,
		account: &dpki_client::Account,
		grace: Moment,
		batch: Batch,
	) -> Result<Finalized> {
		let Batch { from, expires_at, entries } = batch;
		let doing = format!("appending {} keys from place {from} on", entries.len());
		let call = calls::append_keys(self.fleet.id(), from, grace, expires_at, entries)?;
		session.submit(client, account, &call, &doing).await
	}
}

fn wrong_line(path: &Path, line: u64, reason: &str) -> Error {
	Error::WrongFile {
		path: path.to_owned(),
		expected: format!("a table of keys with their signatures: line {line}: {reason}"),
	}
}

/// The lines of a table, one after the other.
struct Table {
	path: PathBuf,
	records: csv::StringRecordsIntoIter<BufReader<File>>,
	number: u64,
}

impl Table {
	fn open(path: &Path) -> Result<Self> {
		let file = File::open(path).map_err(|source| Error::File {
			doing: "read",
			path: path.to_owned(),
			source,
		})?;
		let mut reader =
			csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(BufReader::new(file));
		let headers = reader.headers().map_err(|error| wrong_line(path, 1, &error.to_string()))?;
		if headers.iter().ne(COLUMNS) {
			let reason = "it is not place,key,expires,signature";
			return Err(wrong_line(path, 1, reason));
		}
		Ok(Self { path: path.to_owned(), records: reader.into_records(), number: 1 })
	}
}

impl Iterator for Table {
	type Item = Result<Line>;

	fn next(&mut self) -> Option<Self::Item> {
		let record = self.records.next()?;
		self.number += 1;
		let wrong = |reason: &str| wrong_line(&self.path, self.number, reason);
		Some(match record {
			Ok(record) => parse(&record, self.number).map_err(wrong),
			Err(error) => Err(wrong(&error.to_string())),
		})
	}
}

fn parse(record: &csv::StringRecord, number: u64) -> Result<Line, &'static str> {
	let cell = |index: usize| record.get(index).unwrap_or_default();
	let mut entry = RollEntry { key: [0; 32], possession: [0; 64] };
	let digits = |index: usize| cell(index).strip_prefix("0x").unwrap_or(cell(index)).to_owned();
	hex::decode_to_slice(digits(1), &mut entry.key)
		.map_err(|_| "the key is not written in 64 hexadecimal digits")?;
	hex::decode_to_slice(digits(3), &mut entry.possession)
		.map_err(|_| "the signature is not written in 128 hexadecimal digits")?;
	Ok(Line {
		number,
		place: cell(0).parse().map_err(|_| "the place is no number, counted from 0")?,
		expires_at: cell(2).parse().map_err(|_| "the expiry is no number of milliseconds")?,
		entry,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn entry(byte: u8) -> RollEntry {
		RollEntry { key: [byte; 32], possession: [byte; 64] }
	}

	#[test]
	fn what_is_written_is_read_again() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.csv");
		append_lines(&path, 5, &[(0, entry(1)), (1, entry(2))]).unwrap();
		append_lines(&path, 6, &[(2, entry(3))]).unwrap();
		let lines: Vec<_> = Table::open(&path).unwrap().map(Result::unwrap).collect();
		let line = |place: u32, expires_at| Line {
			number: u64::from(place) + 2,
			place,
			expires_at,
			entry: entry(place as u8 + 1),
		};
		assert_eq!(lines, [line(0, 5), line(1, 5), line(2, 6)]);
	}

	#[test]
	fn a_transaction_takes_lines_of_one_expiry_up_to_its_bound() {
		let line = |expires_at| Line { number: 2, place: 0, expires_at, entry: entry(1) };
		let mut batch = Batch { from: 0, expires_at: 5, entries: vec![] };
		assert!(batch.takes(&line(5)) && !batch.takes(&line(6)));
		batch.entries = vec![entry(1); MAX_KEYS_PER_APPEND as usize];
		assert!(!batch.takes(&line(5)));
	}

	#[test]
	fn a_line_that_is_no_key_is_named() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.csv");
		let (key, signature) = (hex::encode([1; 32]), hex::encode([2; 64]));
		for (line, reason) in [
			(format!("x,{key},5,{signature}"), "place"),
			(format!("0,{key}00,5,{signature}"), "key"),
			(format!("0,{key},soon,{signature}"), "expiry"),
			(format!("0,{key},5,{key}"), "signature"),
			(format!("0,{key}"), "line 2"),
		] {
			std::fs::write(&path, format!("place,key,expires,signature\n{line}\n")).unwrap();
			let refused = Table::open(&path).unwrap().next().unwrap().unwrap_err().to_string();
			assert!(refused.contains("line 2") && refused.contains(reason), "{refused}");
		}
		std::fs::write(&path, "name,key\n").unwrap();
		assert!(Table::open(&path).map(|_| ()).unwrap_err().to_string().contains("line 1"));
	}
}
