//! `dpki fleet revoke`: members for good, asked and told by number and by name.

use super::{
	newest, record,
	tiles::{sources, without_tiles},
};
use crate::{
	commands::revoke::{How, revoke},
	error::{Error, Result},
	output::{Progress, Report},
	proven::Trust,
	session::Session,
	values::{FleetRef, Members, Name},
};
use clap::{ArgGroup, Args};
use dpki_client::{
	Client, calls,
	fleet::{Commitment, FleetError, FleetLeaf, FleetRecord, FleetTiles, masks, roll::place_of},
};
use dpki_primitives::{
	fleet::{MAX_CHUNKS_PER_REVOCATION, revocation::count},
	ids::name_to_string,
};
use std::path::PathBuf;

/// Of so many members the names are shown; of more the numbers are.
const SHOWN: usize = 12;

/// Revoke members, or a whole fleet.
#[derive(Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["members", "device", "whole"]))]
pub struct Revoke {
	/// ORGANISATION/NAME
	#[arg(value_name = "ORG/NAME")]
	fleet: FleetRef,
	/// Numbers of members, counted from 0, such as 7 or 20-29
	#[arg(value_name = "MEMBERS", conflicts_with = "whole")]
	members: Vec<Members>,
	/// Name of a device, with all keys that it has in the fleet; may be given several times
	#[arg(long, value_name = "NAME", conflicts_with = "whole")]
	device: Vec<Name>,
	/// The folder with the tiles, which have the names; from the node if left out
	#[arg(long, value_name = "DIR", conflicts_with = "whole")]
	tiles: Option<PathBuf>,
	/// The fleet with all its members
	#[arg(long)]
	whole: bool,
	#[command(flatten)]
	trust: Trust,
	#[command(flatten)]
	how: How,
}

impl Revoke {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		// Which number a name has is read from tiles that the record on the chain commits to: a node that lies about the record
		// could have another member revoked.
		let (client, view) = self.trust.view(session).await?;
		let record = record(&view, &self.fleet).await?;
		if self.whole {
			let what = format!("the fleet {} with all its members", self.fleet);
			let call = calls::revoke_fleet(self.fleet.id(), self.how.reason);
			let report = revoke(session, &client, &what, &call, &self.how).await?;
			return Ok(report.data("fleet", self.fleet.id().to_string()));
		}
		let size = record.size();
		if let Some(beyond) = self.members.iter().find(|members| members.last >= size) {
			return Err(FleetError::NoSuchMember { index: beyond.last, size }.into());
		}
		let mut members = self.members.clone();
		members.extend(self.named(&client, &record).await?);
		members.sort_unstable_by_key(|members| (members.first, members.last));
		members.dedup();
		let masks = masks(members.iter().flat_map(Members::iter));
		if masks.len() > MAX_CHUNKS_PER_REVOCATION as usize {
			return Err(Error::NotAllowed {
				why: "the members are spread over more of the fleet than one transaction takes"
					.into(),
				next: "revoke them in several steps, about a million places each".into(),
			});
		}
		let total: u32 = masks.iter().map(|mask| count(&mask.mask)).sum();
		let names = self.names(session, &client, &record, &members, total).await?;
		let what = what(&self.fleet, total, &members, &names);
		let call = calls::revoke_members(self.fleet.id(), masks, self.how.reason)?;
		let report = revoke(session, &client, &what, &call, &self.how).await?;
		let numbers: Vec<_> = members.iter().map(ToString::to_string).collect();
		Ok(report
			.data("fleet", self.fleet.id().to_string())
			.data("members", total)
			.data("numbers", numbers)
			.data("names", names))
	}

	/// The members with these names, all keys of each.
	async fn named(&self, client: &Client, record: &FleetRecord) -> Result<Vec<Members>> {
		let one = |index| Members { first: index, last: index };
		let unknown = |name: &Name| Error::Unknown {
			what: "member",
			name: format!("{name} of {}", self.fleet),
		};
		if self.device.is_empty() {
			return Ok(Vec::new());
		}
		if record.has_roll() {
			let place = |name: &Name| {
				place_of(self.fleet.name().as_bytes(), name.as_str().as_bytes())
					.filter(|place| *place < record.size())
					.map(one)
					.ok_or_else(|| unknown(name))
			};
			return self.device.iter().map(place).collect();
		}
		let store = sources(client, self.tiles.clone());
		let mut tiles = FleetTiles::new(&store, self.commitment(record)?);
		let progress = Progress::start("looking for the names".to_owned());
		let mut found = Vec::new();
		let look = |index, leaf: &FleetLeaf| {
			let is_it = |name: &&Name| name.as_str().as_bytes() == leaf.name.as_slice();
			found.extend(self.device.iter().find(is_it).map(|name| (name.clone(), index)));
			Ok(())
		};
		let looked = tiles
			.audit(look, |count| progress.say(format!("looked at {count} members")))
			.await;
		looked.map_err(|error| without_tiles(error.into(), &self.fleet, self.tiles.is_some()))?;
		match self.device.iter().find(|name| !found.iter().any(|(it, _)| it == *name)) {
			Some(name) => Err(unknown(name)),
			None => Ok(found.into_iter().map(|(_, index)| one(index)).collect()),
		}
	}

	/// The names of the members, if they are few and can be known. Only a folder that was given has to have them.
	async fn names(
		&self,
		session: &Session,
		client: &Client,
		record: &FleetRecord,
		members: &[Members],
		total: u32,
	) -> Result<Vec<String>> {
		if total as usize > SHOWN {
			return Ok(Vec::new());
		}
		let indices = members.iter().flat_map(Members::iter);
		if record.has_roll() {
			return Ok(indices.map(|index| format!("{}-{index}", self.fleet.name())).collect());
		}
		let store = sources(client, self.tiles.clone());
		let mut tiles = FleetTiles::new(&store, self.commitment(record)?);
		let mut names = Vec::new();
		for index in indices {
			match tiles.leaf(index).await {
				Ok(leaf) => names.push(name_to_string(&leaf.name)),
				Err(error) if self.tiles.is_some() => {
					return Err(without_tiles(error.into(), &self.fleet, true));
				},
				Err(_) => {
					session.warn(
						"the node does not have the tiles, so that no names are shown: give them with --tiles DIR",
					);
					return Ok(Vec::new());
				},
			}
		}
		Ok(names)
	}

	/// What counts, and where nothing does yet, what was proposed.
	fn commitment(&self, record: &FleetRecord) -> Result<Commitment> {
		match record.current {
			Some(head) => Ok(head.commitment),
			None => newest(record, &self.fleet).map(|(_, commitment)| commitment),
		}
	}
}

/// Who is revoked, in words.
fn what(fleet: &FleetRef, total: u32, members: &[Members], names: &[String]) -> String {
	let numbers = members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
	let called = match names {
		[] => " (counted from 0)".to_owned(),
		names => format!(" ({})", names.join(", ")),
	};
	match total {
		1 => format!("member {numbers}{called} of {fleet}"),
		total => format!("{total} members of {fleet}: {numbers}{called}"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::cli::Cli;
	use clap::Parser;

	#[test]
	fn who_is_revoked_is_told_by_number_and_name() {
		let fleet: FleetRef = "acme/drones".parse().unwrap();
		let members = |texts: &[&str]| -> Vec<Members> {
			texts.iter().map(|text| text.parse().unwrap()).collect()
		};
		let names =
			|names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
		let one = members(&["5"]);
		assert_eq!(what(&fleet, 1, &one, &[]), "member 5 (counted from 0) of acme/drones");
		let told = what(&fleet, 1, &one, &names(&["drone-6"]));
		assert_eq!(told, "member 5 (drone-6) of acme/drones");
		let some = members(&["5", "7-8"]);
		let told = what(&fleet, 3, &some, &names(&["a", "b", "c"]));
		assert_eq!(told, "3 members of acme/drones: 5, 7-8 (a, b, c)");
		let told = what(&fleet, 3, &some, &[]);
		assert_eq!(told, "3 members of acme/drones: 5, 7-8 (counted from 0)");
	}

	#[test]
	fn members_are_numbers_or_names_and_a_fleet_is_whole() {
		let parses = |words: &[&str]| {
			let all = [&["dpki", "fleet", "revoke", "acme/drones"][..], words].concat();
			Cli::try_parse_from(all).is_ok()
		};
		for good in [
			&["7", "20-29"][..],
			&["--device", "drone-7", "--device", "drone-8", "--tiles", "t"],
			&["7", "--device", "drone-8"],
			&["--whole"],
		] {
			assert!(parses(good), "{good:?}");
		}
		for bad in
			[&[][..], &["--tiles", "t"], &["--whole", "7"], &["--whole", "--device", "drone-7"]]
		{
			assert!(!parses(bad), "{bad:?}");
		}
	}
}
