//! From a table of keys to tiles and a proposal.

use super::{newest, publish, record, roll, sources};
use crate::{
	error::{Error, Result},
	output::{Progress, Report, hex},
	session::Session,
	values::{self, FleetRef, Purpose},
};
use clap::{Args, ValueEnum};
use dpki_client::calls;
use dpki_client::{
	Call, Client,
	fleet::{Commitment, FleetKey, FleetLeaf, FleetTiles, Importer, TileFolder},
};
use dpki_primitives::{Moment, fleet::Change, key::KeyType, status::Validity};
use std::{
	fs::File,
	io::BufReader,
	path::{Path, PathBuf},
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// After how many lines the person is told.
const STEP: u32 = 4096;

/// Where the keys are, and where the tiles go.
#[derive(Args)]
pub struct Keys {
	/// A table with the columns name, purpose, type and key, and a line for each key
	#[arg(value_name = "FILE.csv")]
	file: PathBuf,
	/// The folder for the tiles, in files that are named by their CIDs
	#[arg(long, value_name = "DIR")]
	tiles: PathBuf,
	/// How long the keys may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
}

/// Cut a table into tiles.
#[derive(Args)]
pub struct Cut {
	#[command(flatten)]
	keys: Keys,
}

/// The keys of a fleet.
#[derive(Args)]
pub struct Table {
	#[command(flatten)]
	keys: Keys,
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// Store the tiles with the blobs of the chain too
	#[arg(long)]
	publish: bool,
}

/// Commit a fleet.
#[derive(Args)]
pub struct Commit {
	#[command(flatten)]
	table: Table,
}

/// Add members to a fleet.
#[derive(Args)]
pub struct Append {
	#[command(flatten)]
	table: Table,
	/// How long proofs for the fleet as it was stay good
	#[arg(long, value_parser = values::duration, default_value = "1h")]
	grace: Duration,
}

/// Rotate the keys of a fleet.
#[derive(Args)]
pub struct Rotate {
	#[command(flatten)]
	table: Table,
	/// How long proofs for the fleet as it was stay good
	#[arg(long, value_parser = values::duration, default_value = "1h")]
	grace: Duration,
}

impl Cut {
	/// Runs the command.
	pub fn run(self) -> Result<Report> {
		let folder = TileFolder::create(&self.keys.tiles)?;
		let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
		let commitment = self.keys.import(Importer::new(folder), values::after(0, now)?)?;
		Ok(Report::new()
			.done(format!("Cut {} keys into tiles", commitment.size))
			.row_as("members", commitment.size.to_string(), commitment.size)
			.row("root", hex(&commitment.root))
			.row("tiles", dpki_client::blob::cid(commitment.tiles)))
	}
}

impl Commit {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let (fleet, folder) = (&self.table.fleet, TileFolder::create(&self.table.keys.tiles)?);
		let commitment = self.table.keys.import(Importer::new(folder), view.now())?;
		let call = calls::commit_fleet(fleet.organisation(), fleet.name(), commitment)?;
		self.table.propose(session, &client, commitment, &call, Change::Commit).await
	}
}

impl Append {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let fleet = &self.table.fleet;
		let (_, before) = current(&record(&view, fleet).await?, fleet)?;
		let folder = TileFolder::create(&self.table.keys.tiles)?;
		let mut importer = Importer::new(folder.clone());
		// What is there comes first, from the tiles that prove that it is what was committed.
		let again = |_, leaf: &FleetLeaf| importer.push(leaf.clone());
		FleetTiles::new(&folder, before).audit(again, |_| ()).await?;
		let commitment = self.table.keys.import(importer, view.now())?;
		let proof = FleetTiles::new(&folder, commitment).prove_growth(before.size).await?;
		let grace = values::after(0, self.grace)?;
		let call = calls::append_fleet(fleet.id(), commitment, grace, &proof)?;
		self.table.propose(session, &client, commitment, &call, Change::Append).await
	}
}

impl Rotate {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let fleet = &self.table.fleet;
		let (_, before) = current(&record(&view, fleet).await?, fleet)?;
		let folder = TileFolder::create(&self.table.keys.tiles)?;
		let commitment = self.table.keys.import(Importer::new(folder.clone()), view.now())?;
		// The validators would refuse it, and the fee be lost.
		let store = sources(&client, [folder.path().to_owned()]);
		let revoked = view.all_revoked_members(fleet.id()).await?;
		FleetTiles::new(&folder, commitment)
			.keeps_revoked(&mut FleetTiles::new(&store, before), &revoked)
			.await?;
		let grace = values::after(0, self.grace)?;
		let call = calls::rotate_fleet(fleet.id(), commitment, grace);
		self.table.propose(session, &client, commitment, &call, Change::Rotate).await
	}
}

fn current(
	record: &dpki_client::fleet::FleetRecord,
	fleet: &FleetRef,
) -> Result<(u32, Commitment)> {
	roll::refuse(record, fleet)?;
	match record.current {
		Some(head) => Ok((head.revision, head.commitment)),
		None => {
			newest(record, fleet)?;
			Err(Error::NotAllowed {
				why: format!("no commitment of {fleet} counts yet"),
				next: "wait for the validators; `dpki fleet status` shows their votes".to_owned(),
			})
		},
	}
}

impl Keys {
	/// Reads the table line by line, and writes tiles as they become full.
	fn import(&self, mut importer: Importer, not_before: Moment) -> Result<Commitment> {
		let not_after = self.valid.map(|valid| values::after(not_before, valid)).transpose()?;
		let validity = Validity { not_before, not_after };
		let progress = Progress::start(format!("reading {}", self.file.display()));
		each_leaf(&self.file, validity, |leaf| {
			importer.push(leaf)?;
			if importer.count().is_multiple_of(STEP) {
				progress.say(format!("read {} members", importer.count()));
			}
			Ok(())
		})?;
		Ok(importer.finish()?)
	}
}

impl Table {
	async fn propose(
		&self,
		session: &Session,
		client: &Client,
		commitment: Commitment,
		call: &impl Call,
		change: Change,
	) -> Result<Report> {
		let fleet = &self.fleet;
		let published = match self.publish {
			true => Some(publish(session, client, fleet, &self.keys.tiles, commitment).await?),
			false => None,
		};
		let account = session.account()?;
		let doing = match change {
			Change::Commit => "committing",
			Change::Append => "appending",
			Change::Rotate => "rotating",
		};
		let finalized = session.submit(client, &account, call, doing).await?;
		Ok(Report::new()
			.done(format!("Proposed {} members of {fleet}", commitment.size))
			.row("fleet", fleet.id())
			.row_as("members", commitment.size.to_string(), commitment.size)
			.row("root", hex(&commitment.root))
			.row("tiles", dpki_client::blob::cid(commitment.tiles))
			.data("published_tiles", published)
			.tail(
				"It counts as soon as more than two thirds of the validators have checked the tiles.",
			)
			.finalized(&finalized))
	}
}

/// Makes a leaf of each line of a table.
fn each_leaf(
	path: &Path,
	validity: Validity,
	mut take: impl FnMut(FleetLeaf) -> Result<()>,
) -> Result<()> {
	let wrong = |line: u64, reason: &str| Error::WrongFile {
		path: path.to_owned(),
		expected: format!("a table of keys: line {line}: {reason}"),
	};
	let file = File::open(path).map_err(|source| Error::File {
		doing: "read",
		path: path.to_owned(),
		source,
	})?;
	let mut reader =
		csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(BufReader::new(file));
	let headers = reader.headers().map_err(|error| wrong(1, &error.to_string()))?;
	if headers.iter().ne(["name", "purpose", "type", "key"]) {
		return Err(wrong(1, "its first line is not name,purpose,type,key"));
	}
	// One record is used for all lines, so that none of them is kept.
	let mut record = csv::StringRecord::new();
	let mut line = 1;
	loop {
		line += 1;
		let more = reader.read_record(&mut record);
		if !more.map_err(|error| wrong(line, &error.to_string()))? {
			return Ok(());
		}
		let leaf = leaf(&record, validity).map_err(|reason| wrong(line, reason))?;
		take(leaf).map_err(|error| wrong(line, &error.to_string()))?;
	}
}

fn leaf(record: &csv::StringRecord, validity: Validity) -> Result<FleetLeaf, &'static str> {
	let cell = |index: usize| record.get(index).unwrap_or_default();
	let purpose = <Purpose as ValueEnum>::from_str(cell(1), false)
		.map_err(|_| "the purpose is none of sign, key-agreement, tls, ssh")?;
	let key_type = KeyType::ALL
		.into_iter()
		.find(|key_type| key_type.name() == cell(2))
		.ok_or("there is no such type of keys")?;
	let digits = cell(3).strip_prefix("0x").unwrap_or(cell(3));
	let bytes = hex::decode(digits).map_err(|_| "the key is not written in hexadecimal digits")?;
	let key = FleetKey::new(key_type, &bytes)
		.ok_or("the key has not the length of its type, or is too long for a fleet")?;
	let name = cell(0).as_bytes().to_vec().try_into().map_err(|_| "the name is too long")?;
	let leaf = FleetLeaf { name, purpose: purpose.into(), key, validity };
	match leaf.is_well_formed() {
		true => Ok(leaf),
		false => Err("the name is malformed, or a key of this type cannot serve this purpose"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::fs;

	const VALIDITY: Validity = Validity { not_before: 5, not_after: None };
	const KEY: &str = "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12";

	fn read(table: &str) -> Result<Vec<FleetLeaf>> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.csv");
		fs::write(&path, table).unwrap();
		let mut leaves = Vec::new();
		each_leaf(&path, VALIDITY, |leaf| {
			leaves.push(leaf);
			Ok(())
		})?;
		Ok(leaves)
	}

	#[test]
	fn each_line_is_a_member() {
		let table = format!(
			"name,purpose,type,key\ndrone-7,tls,ed25519,{KEY}\ndrone-8, sign, p256, 0x02{KEY}\n"
		);
		let leaves = read(&table).unwrap();
		assert_eq!(leaves.len(), 2);
		assert_eq!(leaves[0].name.as_slice(), b"drone-7");
		assert_eq!((leaves[1].key.key_type, leaves[1].key.bytes.len()), (KeyType::P256, 33));
		assert_eq!(leaves[1].validity, VALIDITY);
	}

	#[test]
	fn a_line_that_is_no_member_is_named() {
		let header = "name,purpose,type,key\n";
		let good = format!("drone-7,tls,ed25519,{KEY}\n");
		for (line, reason) in [
			("drone-8,fly,ed25519,00".to_owned(), "purpose"),
			(format!("drone-8,tls,ed448,{KEY}"), "type"),
			("drone-8,tls,ed25519,xyz".to_owned(), "hexadecimal"),
			("drone-8,tls,ed25519,00".to_owned(), "length"),
			(format!("Drone 8,tls,ed25519,{KEY}"), "name"),
			(format!("drone-8,key-agreement,ed25519,{KEY}"), "purpose"),
			(format!("{},tls,ed25519,{KEY}", "a".repeat(64)), "too long"),
			("drone-8,tls".to_owned(), "line 3"),
		] {
			let refused = read(&format!("{header}{good}{line}\n")).unwrap_err().to_string();
			assert!(refused.contains("line 3") && refused.contains(reason), "{refused}");
		}
		assert!(read("name,key\n").unwrap_err().to_string().contains("line 1"));
	}
}
