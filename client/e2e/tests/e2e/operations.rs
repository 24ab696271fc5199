//! Drills of those who run nodes, by the commands of `docs/operations.md` as they stand there.

mod consortium;

use crate::upgrade::next_runtime;
use consortium::{Consortium, SOME_SESSIONS, at_block, base, goes_on};
use dpki_client::{fleet::fleet_id, primitives::ids::OrganisationId};
use dpki_e2e::{
	Elsewhere::{self, Machines, Nowhere, Story},
	Node, binary, hex, run, said,
};
use serde_json::{Value, json};
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, fs};
use subxt_rpcs::client::rpc_params;

/// What no drill runs, and where it is run instead. [`dpki_e2e::Runbook::all_but`] holds this list to be exact.
const LEFT_OUT: [(&str, Elsewhere); 12] = [
	// The only one that no test runs.
	(
		"cargo build --locked --profile production -p dpki-runtime --features on-chain-release-build",
		Nowhere,
	),
	("chown -R dpki:dpki /var/lib/dpki-validator", Machines("chown -R")),
	(
		"cp node/systemd/dpki-validator.service /etc/systemd/system/",
		Machines("cp node/systemd/dpki-validator.service"),
	),
	("systemctl disable --now dpki-validator", Machines("systemctl disable --now dpki-validator")),
	("systemctl enable --now dpki-validator", Machines("systemctl enable --now dpki-validator")),
	(
		"useradd --system --user-group --no-create-home --shell /usr/sbin/nologin dpki",
		Machines("useradd"),
	),
	("dpki status delivery acme/drone-7", Story("deliveries.rs")),
	// On a chain on which nothing becomes final, which the drills here must not be.
	(
		"dpki validator bounds --minimum 2 --maximum 20 --account north.key --unfinalised",
		Story("stall.rs"),
	),
	(
		"dpki validator remove 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --account north.key --unfinalised",
		Story("stall.rs"),
	),
	("dpki motion vote 7 aye --account east.key --unfinalised", Story("stall.rs")),
	(
		"dpki validator note-stalled --delay 1000 --finalized 81234 --account north.key --unfinalised",
		Story("stall.rs"),
	),
	("dpki node rotate-keys --account north.key --unfinalised", Story("stall.rs")),
];

/// The member of the examples.
const SOMEBODY: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

/// The council authorises a runtime by the hash that each has built, and anybody brings it.
fn the_council_replaces_the_runtime(consortium: &Consortium) {
	let code = next_runtime();
	let hash = hex(&blake2_256(&code));
	// As if all of them had built it.
	let built = consortium.workspace.join("target/production/wbuild/dpki-runtime");
	fs::create_dir_all(&built).expect("creates the folder");
	for folder in [built.as_path(), consortium.workspace.path()] {
		let file = folder.join("dpki_runtime.compact.compressed.wasm");
		fs::write(file, &code).expect("writes the runtime");
	}
	let shown = consortium.does("east", "dpki runtime show target", &[]);
	assert_eq!((&shown["code_hash"], &shown["spec_version"]), (&json!(hash), &json!(2)));

	let proposed = consortium.does("east", "dpki runtime propose", &[]);
	assert_eq!((&proposed["motion"], &proposed["code_hash"]), (&json!(0), &json!(hash)));
	let east = consortium.acting("east", "east");
	let call = east.ok(["motion", "show", "0"])["call_hash"].clone();
	let script = format!("east.key --yes --call-hash {}", call.as_str().expect("it has one"));
	let voted = consortium.does("east", "dpki motion vote 0", &[("east.key", &script)]);
	assert_eq!(voted["state"], "open", "three of four have to say so");
	let voted = consortium.acting("south", "east").ok(["motion", "vote", "0", "aye", "--yes"]);
	assert_eq!(voted["state"], "carried");
	let applied = consortium.does("east", "dpki runtime apply", &[]);
	assert_eq!(applied["spec_version"], 2);
	let shown = consortium.does("east", "dpki runtime show", &[]);
	assert_eq!((&shown["spec_version"], &shown["code_hash"]), (&json!(2), &json!(hash)));
	assert_eq!(shown["compatible"], true, "{shown}");
}

/// What stands in the text and not in a block.
fn what_is_said_by_the_way_is_so(consortium: &Consortium) {
	let book = &consortium.book;
	book.run("dpki key new account", &[("new account", "new account spare.key")]);
	assert!(consortium.workspace.join("spare.key").exists());

	let asked = ("minimum-bond 0", "minimum-bond 0 --account north.key");
	let proposed = consortium.does("east", "dpki certificate council minimum-bond 0", &[asked]);
	consortium.carry(&proposed["motion"]);

	let told = consortium.does("east", "dpki chain info", &[]);
	assert!(told["finalized_block"].as_u64() > Some(0), "{told}");
	let listed = consortium.does("east", "dpki validator list", &[]);
	let accounts: Vec<_> =
		listed.as_array().expect("a list").iter().map(|one| &one["address"]).collect();
	for member in consortium::MEMBERS {
		assert!(accounts.contains(&&json!(consortium.account(member))), "{member}: {listed}");
	}

	let url = |member: &str| consortium.validators[member].url();
	let (_, told) = consortium.ask(
		"north",
		"dpki network status north",
		&[("ws://10.0.0.1:9944", &url("north")), ("ws://10.0.0.2:9944", &url("east"))],
	);
	let names: Vec<_> = told["nodes"]
		.as_array()
		.expect("a list")
		.iter()
		.map(|node| &node["name"])
		.collect();
	assert_eq!(names, ["north", "east"], "{told}");
}

/// Three of four hold a fleet that somebody proposes, without anybody's hands, until they are told to end.
async fn validators_hold_a_fleet(consortium: &Consortium) {
	let watch = |member: &'static str| {
		let log = consortium.workspace.join(format!("{member}-watch.log"));
		let url = consortium.validators[member].url();
		let (held, key) = (format!("{member}-tiles"), format!("{member}.key --url {url}"));
		let replaced = [("/var/lib/dpki-tiles", held.as_str()), ("validator.key", key.as_str())];
		consortium.book.start("dpki fleet watch --hold", &replaced, &log)
	};
	let watches = ["north", "east", "south"].map(watch);
	// An account that no watch signs with.
	let west = consortium.acting("west", "west");
	west.ok(["org", "create", "acme", "--kind", "manufacturer"]);
	let anchors = consortium.does("west", "dpki anchor list --org acme", &[]);
	assert_eq!(anchors, json!([]));
	let path = |name: &str| consortium.workspace.join(name).display().to_string();
	let key = hex(&[0x5a; 32]);
	fs::write(path("keys.csv"), format!("name,purpose,type,key\none,tls,ed25519,{key}\n"))
		.expect("writes the table");
	let (table, tiles) = (path("keys.csv"), path("cut"));
	west.ok(["fleet", "commit", &table, "acme/drones", "--tiles", &tiles, "--publish"]);

	let client = consortium.client("east").await;
	let id = fleet_id(OrganisationId::from_name(b"acme"), "drones");
	let counts = async |head| {
		let record = client.at(head).fleet(id).await;
		record.is_ok_and(|record| record.is_some_and(|record| record.current.is_some()))
	};
	at_block(&client, SOME_SESSIONS, "the fleet counts", counts).await;
	for watch in watches {
		watch.end();
	}
	for member in ["north", "east", "south"] {
		let held = fs::read_dir(path(&format!("{member}-tiles"))).expect("it is there");
		assert!(held.count() > 0, "{member} holds nothing");
	}
}

/// One anchor takes another's place, and an endorser that was sent its bond loses a part of it.
fn the_registry_is_looked_after(consortium: &Consortium) {
	let west = consortium.acting("west", "west");
	let path = |name: &str| consortium.workspace.join(name).display().to_string();
	let anchors = ["old", "new"].map(|name| {
		west.ok(["key", "new", "x509-root", "--subject", name, &path(name)]);
		let (key, cert) = (path(name), path(&format!("{name}.crt")));
		let add = ["anchor", "add", "--org", "acme", "--kind", "x509-root"];
		west.ok([&add[..], &["--key", &key, "--cert", &cert]].concat())["anchor"].clone()
	});
	let signed = ("--after 30d", "--after 30d --account west.key");
	consortium.does("west", "dpki anchor rollover old.crt", &[signed]);
	let old = anchors[0].as_str().expect("it has an id");
	assert_eq!(west.ok(["anchor", "show", old])["successor"], anchors[1]);

	let notary = west.ok(["key", "new", "account", &path("notary.key")])["address"].clone();
	let notary = notary.as_str().expect("an address");
	let send = format!("send --to {notary} --amount 2_000_000_000_000 --yes --account west.key");
	consortium.does("west", "dpki account send", &[("send", &send)]);
	let bond = ("bond", "bond 1_000_000_000_000 --account notary.key");
	consortium.does("west", "dpki endorser bond", &[bond]);
	fs::write(path("minutes.txt"), "the register says otherwise").expect("writes the proof");
	let slash = format!(
		"slash {notary} --amount 400_000_000_000 --because false-statement --evidence minutes.txt \
		 --account north.key"
	);
	let proposed = consortium.does("east", "dpki motion propose slash", &[("slash", &slash)]);
	consortium.carry(&proposed["motion"]);
	assert_eq!(west.ok(["endorser", "bonded", notary])["active"], "600000000000");
}

/// The one authority set of before leads devices to a checkpoint of after, without the chain.
async fn devices_are_led_over(consortium: &Consortium) {
	let Consortium { book, workspace, spec, .. } = consortium;
	let before = fs::read(workspace.join("before.checkpoint")).expect("it was made");
	let (spec, before) = (spec.display().to_string(), hex(&before));
	let genesis = run(&binary("dpki-node"), ["network", "genesis", &spec]);
	let genesis = String::from_utf8(genesis.stdout).expect("it prints text");
	let place = |name: &str| workspace.join(name).display().to_string();
	let config = place("device.toml");
	let peer = consortium.validators["east"].peer_address().await;
	let made = run(
		&binary("dpki-agent"),
		[
			"init",
			"--config",
			&config,
			"--chain-spec",
			&spec,
			"--genesis",
			genesis.trim(),
			"--peer",
			&peer,
			"--checkpoint",
			&before,
			"--organisation",
			"acme",
			"--device",
			"drone-7",
			"--state",
			&place("device-state"),
			"--ssh-dir",
			&place("device-ssh"),
		],
	);
	assert!(made.status.success(), "{}", said(&made));

	let url = consortium.validators["east"].url();
	book.run(
		"dpki bundle checkpoint",
		&[("after.checkpoint", &format!("after.checkpoint --url {url}"))],
	);
	book.run("dpki recovery begin", &[]);
	for member in ["north", "east", "south"] {
		let base = base(workspace, member);
		let out = format!("{member}.signature --yes");
		book.run(
			"dpki recovery sign",
			&[("/var/lib/dpki-validator", base.as_str()), ("north.signature", &out)],
		);
	}
	book.run("dpki recovery combine", &[]);
	let recovered = book.run(
		"dpki-agent checkpoint --recovery",
		&[("checkpoint --recovery", &format!("checkpoint --json --config {config} --recovery"))],
	);
	let recovered: Value = serde_json::from_str(&recovered).expect("it answers in JSON");
	let after = fs::read(workspace.join("after.checkpoint")).expect("it was made");
	assert_eq!(recovered["checkpoint"], hex(&after), "{recovered}");
}

/// A full node synchronises by proofs of finality, and a copy of its database is one that goes on.
async fn full_nodes_arrive(consortium: &Consortium) {
	let Consortium { book, workspace, spec, .. } = consortium;
	let (first, second) = (base(workspace, "full"), base(workspace, "full-2"));
	let spec_text = spec.display().to_string();
	let key = "dpki-node key generate-node-key --chain /etc/dpki/chain.json --base-path /var/lib/dpki-node";
	for base in [&first, &second] {
		book.run(key, &[("/etc/dpki/chain.json", &spec_text), ("/var/lib/dpki-node", base)]);
	}
	let command =
		book.command("dpki-node --chain /etc/dpki/chain.json --base-path /var/lib/dpki-node ");
	let words: Vec<_> = command.split(' ').skip(1).collect();
	let at = words
		.iter()
		.position(|word| *word == "--base-path")
		.expect("it has a base path");
	// The place is chosen by who starts it.
	let mut words = [&words[..at], &words[at + 2..]].concat();
	words[1] = &spec_text;
	// Its peers are on the same machine.
	words.push("--allow-private-ip");
	let place = |name: &str| Node::placed(workspace, name, spec, &words, None);
	let full = place("full");
	goes_on(&full.client().await, 2).await;
	assert!(full.log().contains("Warp sync is complete"), "{}", full.log());
	let reached = full.client().await.finalized_head().await.unwrap().number;
	full.end();

	book.run("tar -C /var/lib/dpki-node -czf snapshot", &[("/var/lib/dpki-node", &first)]);
	book.run("tar -C /var/lib/dpki-node-2 -xzf snapshot", &[("/var/lib/dpki-node-2", &second)]);
	let copy = place("full-2");
	let client = copy.client().await;
	let begun = client.finalized_head().await.unwrap().number;
	assert!(begun >= reached, "it begins at {begun} and not at {reached}");
	goes_on(&client, 2).await;
}

/// A validator that talks to nobody but those on its list serves as before.
async fn a_validator_keeps_to_its_list(consortium: &mut Consortium) {
	let book = &consortium.book;
	let command = book.command("dpki-node --chain /etc/dpki/chain.json --base-path /var/lib/dpki-validator --validator --reserved-only");
	let options = command.split(' ').skip_while(|word| *word != "--validator");
	let options: Vec<_> = options.take_while(|word| !word.starts_with("/dns")).collect();
	let listed = ["east", "west"];
	let mut addresses = Vec::new();
	for member in listed {
		addresses.push(consortium.validators[member].peer_address().await);
	}
	consortium.stop("south");
	let words: Vec<_> = options.into_iter().chain(addresses.iter().map(String::as_str)).collect();
	consortium.start("south", &words);
	let client = consortium.client("south").await;
	goes_on(&client, 4).await;
	let peers: Value =
		client.rpc().request("system_peers", rpc_params![]).await.expect("it answers");
	let peers = peers.as_array().expect("a list");
	assert!(!peers.is_empty());
	for peer in peers {
		let id = peer["peerId"].as_str().expect("it has a name");
		assert!(addresses.iter().any(|address| address.ends_with(id)), "{id} is not on the list");
	}
	// Until it does nobody else may be missed.
	consortium.votes("south").await;
}

/// The machine of a member is gone with everything on it but the node key, of which there is a backup.
async fn a_machine_is_lost(consortium: &mut Consortium) {
	let set = consortium.set_id().await;
	let north = base(&consortium.workspace, "north");
	consortium.book.run(
		"tar -C /var/lib/dpki-validator -czf node-key",
		&[("/var/lib/dpki-validator", &north)],
	);
	consortium.lose("north");
	let reached = goes_on(&consortium.client("east").await, 4).await;

	consortium.book.run("mkdir -p", &[("/var/lib/dpki-validator", &north)]);
	consortium.book.run(
		"tar -C /var/lib/dpki-validator -xzf node-key",
		&[
			("/var/lib/dpki-validator", north.as_str()),
			// It belongs to who runs the test.
			(" && chown -R dpki:dpki", " && ls"),
		],
	);
	consortium.start("north", &["--validator"]);
	// What it signs before it is synchronised names blocks that the others have forgotten.
	let client = consortium.client("north").await;
	at_block(&client, reached + SOME_SESSIONS, "north synchronises", async |head| {
		head.number >= reached
	})
	.await;
	let (_, status) = consortium.ask("north", "dpki network status", &[]);
	assert!(status["nodes"][0]["peers"].as_u64().is_some_and(|peers| peers > 0), "{status}");
	consortium.rotate("north").await;
	// In the same session if it can be, so that both wait together.
	a_member_is_removed(consortium);
	consortium.changes_set(set).await;
	consortium.is_in("north").await;
}

/// The council removes a validator.
fn a_member_is_removed(consortium: &Consortium) {
	let west = consortium.account("west");
	let proposed = consortium.does(
		"east",
		&format!("dpki validator remove {SOMEBODY} --account north.key"),
		&[(SOMEBODY, &west)],
	);
	let open = consortium.does("east", "dpki motion list --open", &[]);
	assert_eq!(open.as_array().map(Vec::len), Some(1), "{open}");
	consortium.carry(&proposed["motion"]);
}

/// It stops when it serves no more, and comes back as any new member does, on another machine.
async fn a_member_leaves_and_joins(consortium: &mut Consortium) {
	consortium.is_out("west").await;
	consortium.stop("west");
	let west = base(&consortium.workspace, "west");
	fs::remove_dir_all(&west).expect("it is there");

	let spec = consortium.spec.display().to_string();
	consortium.book.run(
		"dpki-node key generate-node-key --chain /etc/dpki/chain.json --base-path /var/lib/dpki-validator",
		&[("/etc/dpki/chain.json", &spec), ("/var/lib/dpki-validator", &west)],
	);
	consortium.start("west", &["--validator"]);
	let account = consortium.account("west");
	let proposed = consortium.does("east", "dpki validator add", &[(SOMEBODY, &account)]);
	consortium.carry(&proposed["motion"]);
	let admitted = consortium.client("east").await.finalized_head().await.unwrap().number;
	let client = consortium.client("west").await;
	at_block(&client, admitted + SOME_SESSIONS, "west synchronises", async |head| {
		head.number >= admitted
	})
	.await;
	consortium.rotate("west").await;
	consortium.is_in("west").await;

	let proposed = consortium.does(
		"east",
		"dpki motion propose expel",
		&[(SOMEBODY, &format!("{account} --account north.key"))],
	);
	consortium.carry(&proposed["motion"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_runbook_does_what_it_says() {
	let mut consortium = Consortium::found().await;
	let url = consortium.validators["east"].url();
	consortium.is_in("north").await;
	the_council_replaces_the_runtime(&consortium);
	what_is_said_by_the_way_is_so(&consortium);
	validators_hold_a_fleet(&consortium).await;
	the_registry_is_looked_after(&consortium);
	// What devices are made with.
	let checkpoint = consortium.workspace.join("before.checkpoint").display().to_string();
	let made = run(&binary("dpki"), ["bundle", "checkpoint", &checkpoint, "--url", &url]);
	assert!(made.status.success(), "{}", said(&made));

	// In each place the keys are others afterwards, and finality has not stopped.
	let set = consortium.set_id().await;
	consortium.rotate("north").await;
	full_nodes_arrive(&consortium).await;
	a_validator_keeps_to_its_list(&mut consortium).await;
	consortium.changes_set(set).await;
	consortium.is_in("north").await;
	devices_are_led_over(&consortium).await;

	a_machine_is_lost(&mut consortium).await;
	a_member_leaves_and_joins(&mut consortium).await;
	consortium.book.all_but(&LEFT_OUT.into_iter().collect::<BTreeMap<_, _>>());
}
