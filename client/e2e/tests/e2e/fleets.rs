//! A fleet on a real chain: committed from a table, voted on, proven to a device, and revoked; and one whose keys stand on
//! the chain.

use codec::Decode;
use dpki_client::{
	Client,
	fleet::{MembershipProof, fleet_id, roll::sign_entry},
	possession::SoftwareKey,
};
use dpki_e2e::{Fleet, PATIENCE, block, hex};
use dpki_primitives::{
	ids::OrganisationId, key::KeyType, revocation::RevocationReason, status::Status,
};
use dpki_verifier::{AuthoritySet, Checkpoint, Freshness, Query, Verifier, Zebra};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{
	fmt::Write as _,
	path::Path,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use subxt_rpcs::client::rpc_params;

/// How old an answer may be: the machine of the tests may be busy.
const MAX_AGE: Duration = Duration::from_secs(60);

const SIZE: u32 = 1_000;

#[tokio::test]
async fn a_thousand_keys_are_committed_at_once_proven_one_by_one_and_revoked_at_once() {
	let fleet = Fleet::start("fleets");
	let client = fleet.node.client().await;
	let mut device = new_device(&client).await;
	let (table, tiles) = (fleet.workspace.join("keys.csv"), fleet.workspace.join("tiles"));
	write_table(&table);
	let (table, tiles) = (table.display().to_string(), tiles.display().to_string());
	let drones = "acme/drones";

	// The tiles go to the chain, so that whoever votes needs nothing but the chain.
	let committed =
		fleet
			.admin
			.ok(["fleet", "commit", &table, drones, "--tiles", &tiles, "--publish"]);
	assert_eq!((&committed["members"], &committed["published_tiles"]), (&1_000.into(), &5.into()));
	let waiting = fleet.admin.ok(["fleet", "status", drones]);
	assert_eq!((&waiting["status"], &waiting["votes_available"]), (&"unknown".into(), &0.into()));
	assert!(waiting["proposed_at"].is_string(), "{waiting}");
	let listed = fleet.admin.ok(["fleet", "list", "acme"]);
	assert_eq!((&listed["total"], &listed["fleets"][0]["name"]), (&1.into(), &"drones".into()));

	let proof = prove(&fleet, &tiles, "drone-7");
	let query = Query::new().member(&proof);
	let bundle = reach(&client, &query, block(&committed)).await;
	let verified = device.verify(&bundle, &query, freshness()).expect("it is proven");
	assert_eq!(verified.member_status(&proof), Ok(Status::Unknown), "nobody has voted");

	// The one validator of this chain fetches the tiles from it and votes.
	let voted = fleet.admin.status(["fleet", "check", drones, "--vote"]);
	assert_eq!(voted["valid"], true);
	let bundle = reach(&client, &query, block(&voted)).await;
	let verified = device.verify(&bundle, &query, freshness()).expect("it is proven");
	assert_eq!(verified.member_status(&proof), Ok(Status::Valid));
	let stranger = MembershipProof { index: 8, ..proof.clone() };
	let asked = Query::new().member(&stranger);
	let answer = reach(&client, &asked, block(&voted)).await;
	let verified = device.verify(&answer, &asked, freshness()).expect("it is proven");
	assert_eq!(verified.member_status(&stranger), Ok(Status::Unknown));

	// Half of them, and this one, in one transaction.
	let revoked = fleet.admin.ok([
		"fleet",
		"revoke",
		drones,
		"500-999",
		"--device",
		"drone-7",
		"--tiles",
		&tiles,
		"--reason",
		"keyCompromise",
		"--yes",
	]);
	assert_eq!(revoked["members"], 501);
	assert_eq!(revoked["numbers"], json!(["7", "500-999"]));
	let bundle = reach(&client, &query, block(&revoked)).await;
	let verified = device.verify(&bundle, &query, freshness()).expect("it is proven");
	let Ok(Status::Revoked(revocation)) = verified.member_status(&proof) else {
		panic!("the member is still good")
	};
	assert_eq!(revocation.reason, RevocationReason::KeyCompromise);
	let file = fleet.workspace.join("drone-7.member").display().to_string();
	let verdict = fleet.admin.status(["fleet", "status", drones, "--proof", &file]);
	assert_eq!(
		(&verdict["status"], &verdict["reason"]),
		(&"revoked".into(), &"keyCompromise".into())
	);
	prove(&fleet, &tiles, "drone-8");
	let file = fleet.workspace.join("drone-8.member").display().to_string();
	let verdict = fleet.admin.status(["fleet", "status", drones, "--proof", &file]);
	assert_eq!(verdict["status"], "valid");
	let shown = fleet.admin.ok(["fleet", "status", drones]);
	assert_eq!((&shown["revoked_members"], &shown["members"]), (&501.into(), &1_000.into()));
	let revoke = ["fleet", "revoke", drones, "9", "--reason", "superseded", "--yes"];
	assert_eq!(fleet.admin.ok(revoke)["names"], json!(["drone-9"]));
}

#[tokio::test]
async fn keys_that_sign_for_their_places_stand_on_the_chain_and_are_proven_as_those_of_tiles() {
	let fleet = Fleet::start("rolls");
	let client = fleet.node.client().await;
	let mut device = new_device(&client).await;
	let planes = "acme/planes";
	let at = |name: &str| fleet.workspace.join(name).display().to_string();
	fleet.admin.ok(["fleet", "open", planes, "--purpose", "tls", "--valid", "30d"]);
	assert_eq!(fleet.admin.ok(["fleet", "status", planes])["status"], "unknown");
	// All but the last by a program that holds their keys, the last one by the command, as a device would.
	let table = at("planes.csv");
	write_roll(&client, "planes", 300, Path::new(&table)).await;
	let key = fleet.user_key("plane-300").display().to_string();
	fleet
		.admin
		.ok(["fleet", "sign", planes, &key, "--from", "300", "--out", &table]);

	// A signature that is not that of its key is named, and nothing is appended.
	let whole = std::fs::read_to_string(&table).expect("the table was written");
	let forged = at("forged.csv");
	let mut lines: Vec<String> = whole.lines().map(String::from).collect();
	let last = lines[8].pop().expect("a line has a signature");
	lines[8].push(if last == '0' { '1' } else { '0' });
	std::fs::write(&forged, lines.join("\n")).expect("writes the table");
	let sentence = fleet.admin.refused(["fleet", "fill", &forged, planes]);
	assert!(sentence.contains("PossessionInvalid"), "{sentence}");
	assert!(sentence.contains("position 7"), "{sentence}");

	let filled = fleet.admin.ok(["fleet", "fill", &table, planes]);
	assert_eq!((&filled["appended"], &filled["members"]), (&301.into(), &301.into()));
	let again = fleet.admin.ok(["fleet", "fill", &table, planes]);
	assert_eq!((&again["appended"], &again["left_out"]), (&0.into(), &301.into()));
	let checked = fleet.admin.status(["fleet", "check", planes]);
	assert_eq!((&checked["valid"], &checked["members"]), (&true.into(), &301.into()));
	let vote = fleet.admin.refused(["fleet", "check", planes, "--vote"]);
	assert!(vote.contains("on the chain"), "{vote}");

	for name in ["planes-0", "planes-255", "planes-300"] {
		let out = at(&format!("{name}.member"));
		fleet.admin.ok(["fleet", "prove", planes, name, "--out", &out]);
		let bytes = std::fs::read(&out).expect("the proof was written");
		let proof = MembershipProof::from_bytes(&bytes).expect("it is a proof");
		let query = Query::new().member(&proof);
		let bundle = reach(&client, &query, block(&filled)).await;
		let verified = device.verify(&bundle, &query, freshness()).expect("it is proven");
		assert_eq!(verified.member_status(&proof), Ok(Status::Valid), "{name}");
		let verdict = fleet.admin.status(["fleet", "status", planes, "--proof", &out]);
		assert_eq!(verdict["status"], "valid");
	}
	let reason = ["--reason", "keyCompromise", "--yes"];
	fleet.admin.ok([&["fleet", "revoke", planes, "300"][..], &reason].concat());
	let out = at("planes-300.member");
	let verdict = fleet.admin.status(["fleet", "status", planes, "--proof", &out]);
	assert_eq!(verdict["status"], "revoked");
}

/// A table of so many keys, with their signatures for the first places of a roll.
async fn write_roll(client: &Client, name: &str, count: u32, path: &Path) {
	let id = fleet_id(OrganisationId::from_name(b"acme"), name);
	let view = client.at_finalized().await.expect("there is a block");
	let roll = view.roll(id).await.expect("it is answered").expect("the roll was opened");
	let expires_at = view.now() + 60 * 60 * 1_000;
	let mut table = "place,key,expires,signature\n".to_owned();
	for place in 0..count {
		let mut seed = [0x5a; 32];
		seed[..4].copy_from_slice(&place.to_be_bytes());
		let key = SoftwareKey::from_secret_bytes(KeyType::Ed25519, &seed).expect("a seed");
		let genesis = client.genesis_hash();
		let entry =
			sign_entry(genesis, id, &roll.terms, place, expires_at, &key).expect("it signs");
		let (key, signature) = (hex::encode(entry.key), hex::encode(entry.possession));
		writeln!(table, "{place},{key},{expires_at},{signature}")
			.expect("a string takes everything");
	}
	std::fs::write(path, table).expect("writes the table");
}

/// A table of [`SIZE`] keys.
fn write_table(path: &Path) {
	let mut table = "name,purpose,type,key\n".to_owned();
	for index in 0..SIZE {
		let mut key = [0x5a; 32];
		key[..4].copy_from_slice(&index.to_be_bytes());
		let digits = hex(&key);
		writeln!(table, "drone-{index},tls,ed25519,{digits}").expect("a string takes everything");
	}
	std::fs::write(path, table).expect("writes the table");
}

/// What a device of the fleet shows.
fn prove(fleet: &Fleet, tiles: &str, device: &str) -> MembershipProof {
	let out = fleet.workspace.join(format!("{device}.member"));
	let written = fleet.admin.ok([
		"fleet",
		"prove",
		"acme/drones",
		device,
		"--tiles",
		tiles,
		"--out",
		&out.display().to_string(),
	]);
	let bytes = std::fs::read(out).expect("the proof was written");
	assert_eq!(written["bytes"], bytes.len());
	MembershipProof::from_bytes(&bytes).expect("it is a proof")
}

/// A device that knows the chain from its genesis.
async fn new_device(client: &Client) -> Verifier<Zebra> {
	let genesis = client.genesis_hash();
	let params = rpc_params!["GrandpaApi_grandpa_authorities", "0x", hex(&genesis)];
	let answer: String = client.rpc().request("state_call", params).await.expect("it is answered");
	let encoded = hex_bytes(&answer);
	let list = Vec::<([u8; 32], u64)>::decode(&mut &encoded[..]).expect("a list of authorities");
	let keys = list.into_iter().map(|(key, _)| key).collect();
	let set = AuthoritySet::new(0, keys).expect("a set");
	Verifier::new(Checkpoint { genesis, set, number: 0, hash: genesis }, Zebra)
}

/// A bundle about this block or a later one.
async fn reach(client: &Client, query: &Query, block: u64) -> Vec<u8> {
	let keys: Vec<_> = query.keys().iter().map(|key| hex(key)).collect();
	let reaching = async {
		let mut heads = client.finalized_heads();
		loop {
			let answer: Result<Value, _> =
				client.rpc().request("dpki_bundle", rpc_params![&keys]).await;
			if let Ok(answer) = answer
				&& answer["blockNumber"].as_u64() >= Some(block)
			{
				return hex_bytes(answer["bundle"].as_str().expect("a bundle"));
			}
			let _ = heads.next().await;
		}
	};
	tokio::time::timeout(PATIENCE, reaching)
		.await
		.expect("the block can be proven soon")
}

fn hex_bytes(text: &str) -> Vec<u8> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	hex::decode(digits).expect("hexadecimal digits")
}

fn freshness() -> Freshness {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
	Freshness::at_most(MAX_AGE, now.try_into().expect("before the end of time"))
}
