//! The watch of a validator on a real chain: fleets come to count without anybody's hands.

use dpki_client::{Client, fleet::fleet_id};
use dpki_e2e::{Fleet, PATIENCE, Process, binary, hex};
use dpki_primitives::{
	fleet::{AvailabilityVote, FleetRecord},
	ids::OrganisationId,
};
use futures::StreamExt;
use std::{fmt::Write as _, path::Path};

#[tokio::test]
async fn a_watch_votes_for_what_it_holds_denies_what_is_missing_and_goes_on_after_a_restart() {
	let fleet = Fleet::start("fleet-watch");
	let client = fleet.node.client().await;
	let path = |name: &str| fleet.workspace.join(name).display().to_string();
	let (held, here, away) = (path("held"), path("here"), path("away"));

	// The tiles of the first fleet are where the watch looks, those of the second are not.
	let watch = start(&fleet, &held, &here);
	commit(&fleet, "drones", 300, &here);
	let record = until(&client, "drones", |record, _| record.current.is_some()).await;
	assert_eq!(record.current.map(|head| head.commitment.size), Some(300));
	// Two tiles and the one above them are held, and are no others than those that were cut.
	assert_eq!((names(&held), names(&here).len()), (names(&here), 3));
	commit(&fleet, "robots", 2, &away);
	let record =
		until(&client, "robots", |_, votes| votes.iter().any(|vote| !vote.available)).await;
	assert!(record.current.is_none() && record.candidate.is_some_and(|it| it.unavailable));

	// The missing tile is found by a watch that was started again, and a fleet that was proposed meanwhile is not missed.
	watch.stop();
	for name in names(&away) {
		std::fs::copy(Path::new(&away).join(&name), Path::new(&here).join(&name)).expect("copies");
	}
	commit(&fleet, "sensors", 1, &here);
	let _watch = start(&fleet, &held, &here);
	until(&client, "sensors", |record, _| record.current.is_some()).await;
	until(&client, "robots", |record, _| record.current.is_some()).await;
	assert_eq!(names(&held), names(&here));
}

/// The watch of the one validator, which denies what is missing for a second.
fn start(fleet: &Fleet, held: &str, tiles: &str) -> Process {
	let url = fleet.node.url();
	let args = ["fleet", "watch", "--hold", held, "--tiles", tiles, "--patience", "1s"];
	let session = ["--url", &url, "--account", "//Alice", "--json"];
	let log = fleet.workspace.join("watch.log");
	Process::start(&binary("dpki"), args.into_iter().chain(session), &log)
}

/// Commits so many keys under this name; the tiles go into a folder.
fn commit(fleet: &Fleet, name: &str, size: u32, tiles: &str) {
	let table = fleet.workspace.join(format!("{name}.csv"));
	let mut text = "name,purpose,type,key\n".to_owned();
	for index in 0..size {
		let mut key = [0x5a; 32];
		key[..4].copy_from_slice(&index.to_be_bytes());
		let digits = hex(&key);
		writeln!(text, "{name}-{index},tls,ed25519,{digits}").expect("a string takes everything");
	}
	std::fs::write(&table, text).expect("writes the table");
	let (table, place) = (table.display().to_string(), format!("acme/{name}"));
	let committed = fleet.admin.ok(["fleet", "commit", &table, &place, "--tiles", tiles]);
	assert_eq!(committed["members"], size);
}

/// The names of what is in a folder.
fn names(folder: &str) -> Vec<String> {
	let entries = std::fs::read_dir(folder).expect("reads the folder");
	let mut names: Vec<_> = entries
		.map(|entry| entry.expect("reads the folder").file_name().to_string_lossy().into_owned())
		.collect();
	names.sort_unstable();
	names
}

/// The fleet of this name, as soon as it and what is said of its candidate is as wanted.
async fn until(
	client: &Client,
	name: &str,
	wanted: impl Fn(&FleetRecord, &[AvailabilityVote<dpki_client::AccountId>]) -> bool,
) -> FleetRecord {
	let id = fleet_id(OrganisationId::from_name(b"acme"), name);
	let waiting = async {
		let mut heads = client.finalized_heads();
		loop {
			let Some(Ok(head)) = heads.next().await else { continue };
			let view = client.at(head);
			let Ok(Some(record)) = view.fleet(id).await else { continue };
			let revision = record.candidate.map_or(0, |candidate| candidate.revision);
			let votes = view.availability_votes(id, revision).await.unwrap_or_default();
			if wanted(&record, &votes) {
				return record;
			}
		}
	};
	tokio::time::timeout(PATIENCE, waiting)
		.await
		.unwrap_or_else(|_| panic!("{name} never came to that"))
}
