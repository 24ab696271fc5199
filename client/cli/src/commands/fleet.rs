//! `dpki fleet`: many keys under one commitment.

mod import;
mod list;
mod revoke;
mod roll;
mod tiles;
mod watch;

use crate::{
	error::{Error, Result},
	files, lookup,
	output::{Progress, Report, hex},
	session::Session,
	values::{FleetRef, Name, Purpose},
};
use clap::{ArgGroup, Args, Subcommand};
use dpki_client::{
	BlobStore, Client, View, calls,
	fleet::{
		Commitment, FleetError, FleetLeaf, FleetRecord, FleetTiles, MembershipProof, TileFolder,
		roll::{Roll, place_of},
		watch::{Duty, Finding, look},
	},
};
use dpki_primitives::{
	fleet::tile::top_level,
	key::KeyPurpose,
	revocation::RevocationReason,
	status::{Status, Validity},
};
use std::path::PathBuf;
use tiles::{sources, without_tiles};

/// Many keys under one commitment.
#[derive(Subcommand)]
#[command(after_help = "\
Examples, in the order in which a fleet lives:
  dpki fleet commit keys.csv acme/drones --tiles drones.tiles --publish
  dpki fleet check acme/drones --vote
  dpki fleet watch --hold /var/lib/dpki-tiles --account validator.key
  dpki fleet prove acme/drones drone-7 --tiles drones.tiles --out drone-7.member
  dpki fleet revoke acme/drones 7 20-29 --reason keyCompromise
  dpki fleet status acme/drones --proof drone-7.member")]
pub enum FleetCommand {
	/// Cut a table of keys into tiles, and commit them as a new fleet
	///
	/// The table has the columns name, purpose, type and key, the key in hexadecimal digits; it is read line by line. The
	/// commitment counts as soon as more than two thirds of the validators have fetched the tiles and checked them.
	#[command(after_help = "\
Example:
  dpki fleet commit keys.csv acme/drones --tiles drones.tiles --valid 730d
where keys.csv begins with the line name,purpose,type,key and goes on with lines such as
  drone-7,tls,ed25519,2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12")]
	Commit(import::Commit),
	/// Cut a table of keys into tiles, and do nothing else; no chain is needed
	#[command(after_help = "\
Example:
  dpki fleet cut keys.csv --tiles drones.tiles --valid 730d")]
	Cut(import::Cut),
	/// Add the keys of a table to a fleet
	#[command(after_help = "\
Example:
  dpki fleet append more.csv acme/drones --tiles drones.tiles --grace 1h")]
	Append(import::Append),
	/// Put the keys of a table in the place of those of a fleet
	#[command(after_help = "\
Example:
  dpki fleet rotate new.csv acme/drones --tiles drones.tiles --grace 24h")]
	Rotate(import::Rotate),
	/// Begin a fleet whose keys stand on the chain, each with the proof that it is held
	///
	/// All its keys are Ed25519, for one purpose and one time. The device at place 7 of acme/drones is called drones-7.
	#[command(after_help = "\
Example:
  dpki fleet open acme/drones --purpose tls --valid 730d")]
	Open(roll::Open),
	/// Sign, with the private keys of devices, that they are to stand in a fleet that was opened
	///
	/// It appends a line for each key to a table for `dpki fleet fill`. Private keys only sign and stay where they are.
	#[command(after_help = "\
Example:
  dpki fleet sign acme/drones drone-0.key drone-1.key --from 0 --out keys.csv")]
	Sign(roll::Sign),
	/// Put the keys of a table on the chain, behind those that are there: up to 4,096 at once, as a whole or not at all
	///
	/// The table has the columns place, key, expires and signature; it is read line by line. What is on the chain already is
	/// left out, so that an interrupted run is run again.
	#[command(after_help = "\
Example:
  dpki fleet fill keys.csv acme/drones --grace 24h
where keys.csv begins with the line place,key,expires,signature, as `dpki fleet sign` writes it")]
	Fill(roll::Fill),
	/// Take a commitment back that does not count yet
	#[command(after_help = "\
Example:
  dpki fleet withdraw acme/drones")]
	Withdraw {
		/// ORGANISATION/NAME
		#[arg(value_name = "ORG/NAME")]
		fleet: FleetRef,
	},
	/// Fetch all tiles of the newest commitment and check them, as validators do before they vote
	///
	/// No key may be there twice, and a rotation has to leave every place that is revoked as it was.
	#[command(after_help = "\
Examples:
  dpki fleet check acme/drones --tiles drones.tiles
  dpki fleet check acme/drones --vote --account validator.key")]
	Check(Check),
	/// Fetch, check and keep the tiles of every fleet as it is proposed, and vote: what a validator runs beside its node
	///
	/// It follows the finalised blocks until it is told to end, and goes on where it was when it is started again. A fleet
	/// whose tiles are missing is asked for again and again, and denied after --patience; the others do not wait for it.
	#[command(after_help = "\
Examples:
  dpki fleet watch --hold /var/lib/dpki-tiles --account validator.key
  dpki fleet watch --hold /var/lib/dpki-tiles --tiles /mnt/factory --patience 1h")]
	Watch(watch::Watch),
	/// Store the tiles of the newest commitment with the blobs of the chain
	#[command(after_help = "\
Example:
  dpki fleet publish acme/drones --tiles drones.tiles")]
	Publish {
		/// ORGANISATION/NAME
		#[arg(value_name = "ORG/NAME")]
		fleet: FleetRef,
		/// The folder with the tiles
		#[arg(long, value_name = "DIR")]
		tiles: PathBuf,
	},
	/// Write what a member shows to prove that it is one
	#[command(after_help = "\
Examples:
  dpki fleet prove acme/drones drone-7 --tiles drones.tiles --out drone-7.member
  dpki fleet prove acme/drones --index 7 --out drone-7.member")]
	Prove(Prove),
	/// Revoke members of a fleet in one transaction, or the fleet itself
	///
	/// Members are counted from 0: line 2 of the table, the first below its head, is member 0. With --tiles it is asked and
	/// told by the names of the devices too.
	#[command(after_help = "\
Examples:
  dpki fleet revoke acme/drones --device drone-7 --tiles drones.tiles --reason keyCompromise
  dpki fleet revoke acme/drones 7 20-29 --tiles drones.tiles --reason keyCompromise
  dpki fleet revoke acme/drones --whole --reason cessationOfOperation")]
	Revoke(revoke::Revoke),
	/// Let a fleet stay as it is: its members stay good, nothing is added any more
	#[command(after_help = "\
Example:
  dpki fleet retire acme/drones")]
	Retire {
		/// ORGANISATION/NAME
		#[arg(value_name = "ORG/NAME")]
		fleet: FleetRef,
	},
	/// List the fleets of an organisation
	#[command(after_help = "\
Example:
  dpki fleet list acme")]
	List(list::List),
	/// Show a fleet, or say whether a member may be relied on
	///
	/// With --proof the exit code is 0 only for a valid member.
	#[command(after_help = "\
Examples:
  dpki fleet status acme/drones
  dpki fleet status acme/drones --proof drone-7.member && echo good")]
	Status {
		/// ORGANISATION/NAME
		#[arg(value_name = "ORG/NAME")]
		fleet: FleetRef,
		/// What `dpki fleet prove` wrote
		#[arg(long, value_name = "FILE")]
		proof: Option<PathBuf>,
	},
}

/// Check the tiles of a fleet.
#[derive(Args)]
pub struct Check {
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// The folder with the tiles; from the node if left out
	#[arg(long, value_name = "DIR")]
	tiles: Option<PathBuf>,
	/// Tell the chain what was found, as a validator
	#[arg(long)]
	vote: bool,
}

/// Prove that a key is a member.
#[derive(Args)]
#[command(group = ArgGroup::new("who").required(true).args(["device", "index"]))]
pub struct Prove {
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// Name of the device
	#[arg(value_name = "DEVICE")]
	device: Option<Name>,
	/// What its key is for, if it has several in the fleet
	#[arg(long, value_enum, requires = "device")]
	purpose: Option<Purpose>,
	/// Number of the member, counted from 0
	#[arg(long)]
	index: Option<u32>,
	/// The folder with the tiles; from the node if left out
	#[arg(long, value_name = "DIR")]
	tiles: Option<PathBuf>,
	/// Where to write the proof
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
}

impl FleetCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Commit(command) => command.run(session).await,
			Self::Cut(command) => command.run(),
			Self::Append(command) => command.run(session).await,
			Self::Rotate(command) => command.run(session).await,
			Self::Open(command) => command.run(session).await,
			Self::Sign(command) => command.run(session).await,
			Self::Fill(command) => command.run(session).await,
			Self::Withdraw { fleet } => withdraw(session, &fleet).await,
			Self::Check(command) => command.run(session).await,
			Self::Watch(command) => command.run(session).await,
			Self::Publish { fleet, tiles } => {
				let (client, view) = session.view().await?;
				let record = record(&view, &fleet).await?;
				roll::refuse(&record, &fleet)?;
				let (_, commitment) = newest(&record, &fleet)?;
				let count = publish(session, &client, &fleet, &tiles, commitment).await?;
				Ok(Report::new().done(format!("Published the tiles of {fleet}")).row_as(
					"tiles",
					count.to_string(),
					count,
				))
			},
			Self::Prove(command) => command.run(session).await,
			Self::Revoke(command) => command.run(session).await,
			Self::Retire { fleet } => retire(session, &fleet).await,
			Self::List(command) => command.run(session).await,
			Self::Status { fleet, proof: None } => show(session, &fleet).await,
			Self::Status { fleet, proof: Some(proof) } => verdict(session, &fleet, &proof).await,
		}
	}
}

/// The fleet as stored.
async fn record(view: &View, fleet: &FleetRef) -> Result<FleetRecord> {
	let unknown = || Error::Unknown { what: "fleet", name: fleet.to_string() };
	view.fleet(fleet.id()).await?.ok_or_else(unknown)
}

/// The candidate, or else what counts, with its revision.
fn newest(record: &FleetRecord, fleet: &FleetRef) -> Result<(u32, Commitment)> {
	let candidate = record.candidate.map(|it| (it.revision, it.commitment));
	let current = record.current.map(|it| (it.revision, it.commitment));
	candidate.or(current).ok_or_else(|| match record.has_roll() {
		true => Error::NotAllowed {
			why: format!("{fleet} has no keys yet"),
			next: "append some with `dpki fleet fill`".to_owned(),
		},
		false => nothing(fleet),
	})
}

fn nothing(fleet: &FleetRef) -> Error {
	Error::NotAllowed {
		why: format!("nothing of {fleet} is committed"),
		next: "commit it with `dpki fleet commit`".to_owned(),
	}
}

async fn withdraw(session: &Session, fleet: &FleetRef) -> Result<Report> {
	let (client, view) = session.view().await?;
	record(&view, fleet).await?;
	let (account, call) = (session.account()?, calls::withdraw_commitment(fleet.id()));
	let finalized = session.submit(&client, &account, &call, "withdrawing").await?;
	Ok(Report::new()
		.done(format!("Took the commitment of {fleet} back"))
		.row("fleet", fleet.id())
		.finalized(&finalized))
}

async fn retire(session: &Session, fleet: &FleetRef) -> Result<Report> {
	let (client, view) = session.view().await?;
	record(&view, fleet).await?;
	let (account, call) = (session.account()?, calls::retire_fleet(fleet.id()));
	let finalized = session.submit(&client, &account, &call, "retiring").await?;
	Ok(Report::new()
		.done(format!("Retired {fleet}"))
		.row("fleet", fleet.id())
		.finalized(&finalized))
}

/// Sends every tile of a commitment, those below before those above, and tells how many there are.
async fn publish(
	session: &Session,
	client: &Client,
	fleet: &FleetRef,
	folder: &std::path::Path,
	commitment: Commitment,
) -> Result<u32> {
	let account = session.account()?;
	let folder = TileFolder::at(folder);
	let digests = FleetTiles::new(&folder, commitment).digests().await?;
	let mut count = 0;
	for digest in &digests {
		let tile = folder.get(*digest, dpki_primitives::fleet::MAX_TILE_LEN).await;
		let tile = tile.map_err(FleetError::from)?;
		let call = calls::publish_tile(fleet.organisation(), &tile)?;
		let doing = format!("publishing tile {} of {}", count + 1, digests.len());
		session.submit(client, &account, &call, &doing).await?;
		count += 1;
	}
	Ok(count)
}

impl Check {
	async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let record = record(&view, &self.fleet).await?;
		let (revision, commitment) = newest(&record, &self.fleet)?;
		if let Some(mut roll) = Roll::open(&view, self.fleet.id(), &record).await? {
			if self.vote {
				roll::refuse(&record, &self.fleet)?;
			}
			return roll::check(&view, &self.fleet, &mut roll, revision).await;
		}
		let policy = view.key_policy(self.fleet.organisation()).await?;
		let store = sources(&client, self.tiles);
		let duty = Duty::newest(self.fleet.id(), &record).ok_or_else(|| nothing(&self.fleet))?;
		let revoked = async || {
			let newest = client.at_finalized().await?;
			Ok::<_, Error>(newest.all_revoked_members(self.fleet.id()).await?)
		};
		let progress = Progress::start(format!("checking {}", self.fleet));
		let seen = |count| progress.say(format!("checked {count} of {} members", commitment.size));
		let found = look(&duty, &store, &policy, revoked, seen).await?;
		drop(progress);
		let mut report = match &found {
			Finding::Held => {
				Report::new().verdict(true, format!("{} is there as committed", self.fleet))
			},
			Finding::Wrong(error) | Finding::Missing(error) => {
				Report::new().verdict(false, format!("{}: {error}", self.fleet))
			},
		};
		report = report
			.row_as("revision", revision.to_string(), revision)
			.row_as("members", commitment.size.to_string(), commitment.size)
			.row("root", hex(&commitment.root));
		if !self.vote {
			return Ok(report);
		}
		let account = session.account()?;
		let call = calls::vote_availability(self.fleet.id(), duty.id, found.is_held());
		let finalized = session.submit(&client, &account, &call, "voting").await?;
		Ok(report.finalized(&finalized))
	}
}

impl Prove {
	async fn run(self, session: &Session) -> Result<Report> {
		files::refuse_existing(&[&self.out])?;
		let (client, view) = session.view().await?;
		let record = record(&view, &self.fleet).await?;
		let (revision, commitment) = match record.current {
			Some(head) => (head.revision, head.commitment),
			None => newest(&record, &self.fleet)?,
		};
		let proof = match Roll::open(&view, self.fleet.id(), &record).await? {
			Some(mut roll) => {
				let index = self.place(&roll)?;
				let progress = Progress::start(format!("proving member {index}"));
				let seen =
					|count| progress.say(format!("read {count} of {} keys", commitment.size));
				roll.prove(index, seen).await?
			},
			None => {
				let store = sources(&client, self.tiles.clone());
				let mut tiles = FleetTiles::new(&store, commitment);
				let proving = async {
					let index = match (self.index, &self.device) {
						(Some(index), _) => index,
						(None, device) => self.find(&mut tiles, device.as_ref()).await?,
					};
					let (organisation, fleet) = (self.fleet.organisation(), self.fleet.id());
					Ok(tiles.prove(organisation, fleet, index).await?)
				};
				proving
					.await
					.map_err(|error| without_tiles(error, &self.fleet, self.tiles.is_some()))?
			},
		};
		let index = proof.index;
		let bytes = proof.to_bytes();
		files::write_public(&self.out, &bytes)?;
		Ok(Report::new()
			.done(format!(
				"Wrote the proof of member {index} of {} to {}",
				self.fleet,
				self.out.display()
			))
			.row_as("index", index.to_string(), index)
			.row_as("revision", revision.to_string(), revision)
			.row("device", proof.device())
			.data("key_id", proof.key().map(|key| key.to_string()))
			.row("purpose", proof.leaf.purpose.name())
			.row_as("bytes", bytes.len().to_string(), bytes.len())
			.read_at(view.head()))
	}

	/// The place on a roll that was asked for, by its number or its name.
	fn place(&self, roll: &Roll<'_>) -> Result<u32> {
		if let Some(index) = self.index {
			return Ok(index);
		}
		let name = self.device.as_ref().map(Name::as_str).unwrap_or_default();
		let place = place_of(self.fleet.name().as_bytes(), name.as_bytes());
		let purpose = self.purpose.map(KeyPurpose::from);
		let is_wanted = purpose.is_none_or(|purpose| purpose == roll.terms().purpose);
		place
			.filter(|place| is_wanted && *place < roll.size())
			.ok_or_else(|| Error::Unknown {
				what: "member",
				name: format!("{name} of {}", self.fleet),
			})
	}

	/// The one member with the name of a device, and for the purpose that was asked for.
	async fn find(&self, tiles: &mut FleetTiles<'_>, device: Option<&Name>) -> Result<u32> {
		let name = device.map(Name::as_str).unwrap_or_default();
		let purpose = self.purpose.map(KeyPurpose::from);
		let progress = Progress::start(format!("looking for {name}"));
		let mut found = Vec::new();
		let look = |index, leaf: &FleetLeaf| {
			let is_wanted = purpose.is_none_or(|purpose| purpose == leaf.purpose);
			if is_wanted && leaf.name.as_slice() == name.as_bytes() {
				found.push(index);
			}
			Ok(())
		};
		tiles
			.audit(look, |count| progress.say(format!("looked at {count} members")))
			.await?;
		match found[..] {
			[index] => Ok(index),
			[] => Err(Error::Unknown { what: "member", name: format!("{name} of {}", self.fleet) }),
			_ => Err(Error::NotAllowed {
				why: format!("{name} has several keys in {}", self.fleet),
				next: format!("choose with --purpose, or one of --index {found:?}"),
			}),
		}
	}
}

async fn show(session: &Session, fleet: &FleetRef) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let record = record(&view, fleet).await?;
	let status = view.fleet_status(fleet.id()).await?;
	let revoked = view.count_revoked_members(fleet.id()).await?;
	let words = match record.current {
		Some(head) => lookup::verdict(status, &record.standing(&head)),
		None if record.has_roll() => "no keys yet".to_owned(),
		None => "not committed yet".to_owned(),
	};
	let mut report = Report::new()
		.done(format!("Fleet {fleet}"))
		.row("fleet", fleet.id())
		.data("organisation", record.organisation.to_string())
		.row_as("status", words, status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.time(begun(&record), record.committed_at)
		.time_quietly("committed_at", Some(record.committed_at))
		.row_as("revoked_members", revoked.to_string(), revoked)
		.read_at(view.head());
	if let Some(roll) = view.roll(fleet.id()).await? {
		let Validity { not_before, not_after } = roll.terms.validity;
		report = report
			.row_as("on_chain", "every key, with its possession proven", true)
			.row("purpose", roll.terms.purpose.name())
			.time("not_before", not_before)
			.time_if("not_after", not_after);
	}
	if let Some(head) = record.current {
		report = of(report, "", head.revision, &head.commitment).time("since", head.since);
	}
	if let Some(previous) = record.previous {
		report = report.time("previous_until", previous.superseded_at);
	}
	let Some(candidate) = record.candidate else { return Ok(report) };
	let votes = view.availability_votes(fleet.id(), candidate.revision).await?;
	let available = votes.iter().filter(|vote| vote.available).count();
	let denied = votes.len() - available;
	Ok(of(report, "candidate_", candidate.revision, &candidate.commitment)
		.row_as("votes_available", available.to_string(), available)
		.row_as("votes_unavailable", denied.to_string(), denied))
}

/// The word for when the first commitment was made, which does not count before validators have agreed to it.
fn begun(record: &FleetRecord) -> &'static str {
	if record.current.is_some() || record.has_roll() { "committed_at" } else { "proposed_at" }
}

fn of(report: Report, prefix: &str, revision: u32, commitment: &Commitment) -> Report {
	let report = report
		.row_as(&format!("{prefix}revision"), revision.to_string(), revision)
		.row_as(&format!("{prefix}members"), commitment.size.to_string(), commitment.size)
		.row(&format!("{prefix}root"), hex(&commitment.root));
	if commitment.is_on_roll() {
		return report;
	}
	report
		.data(&format!("{prefix}tiles"), dpki_client::blob::cid(commitment.tiles))
		.data(&format!("{prefix}levels"), top_level(commitment.size) + 1)
}

async fn verdict(session: &Session, fleet: &FleetRef, path: &std::path::Path) -> Result<Report> {
	let proof = MembershipProof::from_bytes(&files::read(path)?)?;
	if proof.fleet != fleet.id() {
		return Err(Error::NotAllowed {
			why: format!("{} is the proof of another fleet", path.display()),
			next: "give the fleet that it was made for".to_owned(),
		});
	}
	let (_client, view) = session.view().await?;
	let status = view.member_status(&proof).await?;
	let name = dpki_primitives::ids::name_to_string(&proof.leaf.name);
	let words = match status {
		Status::Revoked(revocation) | Status::IssuerRevoked(revocation) => {
			format!("{} ({})", status.name(), revocation.reason.rfc5280_name())
		},
		_ => status.name().to_owned(),
	};
	let sentence = format!(
		"{words}: member {} of {fleet}, {name}, at block {}",
		proof.index,
		view.head().number
	);
	Ok(Report::new()
		.verdict(status.is_valid(), sentence)
		.data("status", status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.time_quietly("since", status.revocation().map(|it| it.at))
		.data("index", proof.index)
		.data("device", proof.device().to_string())
		.data("key_id", proof.key().map(|key| key.to_string()))
		.data("purpose", proof.leaf.purpose.name())
		.read_at(view.head()))
}
