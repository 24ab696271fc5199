//! Drills of those who run nodes, by the commands of `docs/operations.md` as they stand there.

use dpki_client::Client;
use dpki_e2e::{Dpki, Node, PATIENCE, Runbook, Workspace, hex, run, said};
use futures::StreamExt;
use serde_json::Value;
use std::{
	collections::BTreeMap,
	fs,
	net::TcpListener,
	path::{Path, PathBuf},
	time::{Duration, Instant},
};
use subxt_rpcs::client::rpc_params;
use tokio::time::{sleep, timeout};

const MEMBERS: [&str; 4] = ["north", "east", "south", "west"];

/// Blocks per session: the drills wait for some.
const SESSION: u32 = 6;

/// From one look at something that takes time to the next.
const PAUSE: Duration = Duration::from_millis(300);

/// What no drill runs, and why.
const LEFT_OUT: [(&str, &str); 11] = [
	(
		"cargo build --locked --profile production -p dpki-runtime --features on-chain-release-build",
		"it takes minutes; the build of the tests makes such blobs",
	),
	(
		"chown -R dpki:dpki /var/lib/dpki-validator",
		"it takes the user that the next step makes on the machine",
	),
	(
		"cp node/systemd/dpki-validator.service /etc/systemd/system/",
		"it changes the machine; node/tests/deployment.rs reads the unit with systemd",
	),
	("systemctl disable --now dpki-validator", "it changes the machine"),
	(
		"systemctl enable --now dpki-validator",
		"it changes the machine; what the unit runs is run here",
	),
	(
		"useradd --system --user-group --no-create-home --shell /usr/sbin/nologin dpki",
		"it changes the machine",
	),
	(
		"dpki runtime propose dpki_runtime.compact.compressed.wasm --account north.key --reason release-2.0",
		"client/e2e/tests/e2e/upgrade.rs runs it",
	),
	("dpki motion vote 0 aye --account east.key", "client/e2e/tests/e2e/upgrade.rs runs it"),
	(
		"dpki runtime apply dpki_runtime.compact.compressed.wasm",
		"client/e2e/tests/e2e/upgrade.rs runs it",
	),
	(
		"dpki runtime show target/production/wbuild/dpki-runtime/dpki_runtime.compact.compressed.wasm",
		"client/e2e/tests/e2e/upgrade.rs reads such a file",
	),
	(
		"dpki fleet watch --hold /var/lib/dpki-tiles --account validator.key",
		"client/e2e/tests/e2e/fleet_watch.rs runs it",
	),
];

/// A consortium that was founded by the page, with the folders of its members side by side.
struct Consortium {
	book: Runbook,
	workspace: Workspace,
	spec: PathBuf,
	validators: BTreeMap<&'static str, Node>,
}

fn free_port() -> u16 {
	let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
	listener.local_addr().expect("it has an address").port()
}

fn json_file(path: &Path) -> Value {
	serde_json::from_slice(&fs::read(path).expect("the file is there")).expect("it is JSON")
}

/// Runs a program of the machine, which has to work.
fn do_it(program: &str, words: &[&str]) {
	let output = run(Path::new(program), words);
	assert!(output.status.success(), "{program}: {}", said(&output));
}

/// Waits for so many more finalised blocks, and gives the number of the last.
async fn goes_on(client: &Client, more: u32) -> u32 {
	let waiting = async {
		let mut heads = client.finalized_heads();
		let mut first = None;
		loop {
			// After an error the stream goes on.
			let Some(Ok(head)) = heads.next().await else { continue };
			if head.number >= *first.get_or_insert(head.number) + more {
				return head.number;
			}
		}
	};
	timeout(PATIENCE, waiting).await.expect("finality goes on")
}

impl Consortium {
	/// Each member makes its keys, anybody makes the specification, and all compare the genesis.
	async fn found() -> Self {
		let workspace = Workspace::new("operations");
		let book = Runbook::new(workspace.path());
		for member in MEMBERS {
			let address = format!("/ip4/127.0.0.1/tcp/{}", free_port());
			book.run(
				"dpki-node network key",
				&[
					("--member north", &format!("--member {member}")),
					("/var/lib/dpki-validator", &base(&workspace, member)),
					("/dns/node.north.example/tcp/30333", &address),
					("north.key", &format!("{member}.key")),
					("north.json", &format!("{member}.json")),
				],
			);
		}
		book.run("dpki-node network init", &[]);
		let genesis = book.run("dpki-node network genesis", &[]);
		assert_eq!(genesis.trim().len(), 66, "{genesis}");

		// Shorter sessions than a network has, for a test that does not last for hours.
		let plain = workspace.join("chain-specs/consortium.json");
		let mut json = json_file(&plain);
		json["genesis"]["runtimeGenesis"]["patch"]["timing"]["sessionLength"] = SESSION.into();
		fs::write(&plain, json.to_string()).expect("writes the specification");
		let raw = run(
			&dpki_e2e::binary("dpki-node"),
			[
				"build-spec",
				"--raw",
				"--disable-default-bootnode",
				"--chain",
				&plain.display().to_string(),
			],
		);
		assert!(raw.status.success(), "{}", said(&raw));
		fs::write(workspace.join("chain-specs/consortium.raw.json"), raw.stdout)
			.expect("writes it");
		let etc = workspace.join("etc").display().to_string();
		book.run("install -D", &[("/etc/dpki", &etc)]);
		book.run("echo 'OPTIONS=", &[("/etc/dpki", &etc)]);
		let options = fs::read_to_string(workspace.join("etc/dpki-validator.env")).unwrap();
		assert!(options.starts_with("OPTIONS=--name=north "), "{options}");

		let spec = workspace.join("etc/chain.json");
		let mut consortium = Self { book, workspace, spec, validators: BTreeMap::new() };
		for member in MEMBERS {
			consortium.start(member, &["--validator"]);
		}
		goes_on(&consortium.client("north").await, 2).await;
		consortium
	}

	/// Starts the node of a member as its unit does, with these options.
	fn start(&mut self, member: &'static str, options: &[&str]) {
		let told = json_file(&self.workspace.join(format!("{member}.json")));
		let text = |value: &Value| value.as_str().expect("it is text").to_owned();
		let address = format!("{}/p2p/{}", text(&told["addresses"][0]), text(&told["node"]));
		let spec = self.spec.display().to_string();
		let words = [&["--chain", spec.as_str(), "--allow-private-ip"][..], options].concat();
		let node = Node::placed(&self.workspace, member, &self.spec, &words, Some(address));
		self.validators.insert(member, node);
	}

	fn stop(&mut self, member: &str) {
		self.validators.remove(member).expect("it runs");
	}

	async fn client(&self, member: &str) -> Client {
		self.validators[member].client().await
	}

	/// Runs a command of the page that asks the node of a member, with `replaced` beside its address.
	fn ask(
		&self,
		member: &str,
		beginning: &str,
		replaced: &[(&str, &str)],
	) -> (Option<i32>, Value) {
		let command = self.book.command(beginning);
		let whole = format!("{command} --json --url {}", self.validators[member].url());
		let spec = self.spec.display().to_string();
		let mut all = vec![(command, whole.as_str())];
		if command.contains("/etc/dpki/chain.json") {
			all.push(("/etc/dpki/chain.json", &spec));
		}
		all.extend(replaced);
		let output = self.book.output(command, &all);
		let answer = serde_json::from_slice(&output.stdout)
			.unwrap_or_else(|_| panic!("{command}: {}", said(&output)));
		(output.status.code(), answer)
	}

	/// Waits until `dpki node join` finds nothing left to do at the node of a member.
	async fn is_in(&self, member: &str) {
		let deadline = Instant::now() + PATIENCE;
		let key = format!("{member}.key");
		loop {
			let (code, told) = self.ask(
				member,
				"dpki node join /etc/dpki/chain.json --account north.key",
				&[("north.key", &key)],
			);
			if code == Some(0) {
				return;
			}
			assert!(Instant::now() < deadline, "{code:?} {told}");
			sleep(PAUSE).await;
		}
	}

	/// The set of the session that the chain is in, by the keys that vote on finality.
	async fn set_id(&self) -> u64 {
		let client = self.client("east").await;
		let head = client.finalized_head().await.expect("it answers");
		let params = rpc_params!["GrandpaApi_current_set_id", "0x", hex(&head.hash)];
		let answer: String = client.rpc().request("state_call", params).await.expect("it answers");
		let bytes = hex::decode(&answer[2..]).expect("hexadecimal digits");
		u64::from_le_bytes(bytes.try_into().expect("a number"))
	}

	/// Waits until finality is in the hands of another set.
	async fn changes_set(&self, from: u64) {
		let deadline = Instant::now() + PATIENCE;
		while self.set_id().await == from {
			assert!(Instant::now() < deadline, "the set never changed");
			sleep(PAUSE).await;
		}
	}

	fn rotate(&self, member: &str) {
		let key = format!("{member}.key");
		let (code, told) =
			self.ask(member, "dpki node rotate-keys", &[("north.key", &format!("{key} --yes"))]);
		assert_eq!(code, Some(0), "{told}");
	}
}

/// The base path of a member's node.
fn base(workspace: &Workspace, member: &str) -> String {
	workspace.join(member).display().to_string()
}

/// The one authority set of before leads devices to a checkpoint of after, without the chain.
fn devices_are_led_over(consortium: &Consortium) {
	let Consortium { book, .. } = consortium;
	let url = consortium.validators["east"].url();
	book.run(
		"dpki bundle checkpoint",
		&[("after.checkpoint", &format!("after.checkpoint --url {url}"))],
	);
	book.run("dpki recovery begin", &[]);
	for member in ["north", "east", "south"] {
		let base = base(&consortium.workspace, member);
		let out = format!("{member}.signature --yes");
		book.run(
			"dpki recovery sign",
			&[("/var/lib/dpki-validator", base.as_str()), ("north.signature", &out)],
		);
	}
	book.run("dpki recovery combine", &[]);
	assert!(consortium.workspace.join("consortium.recovery").exists());
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
	drop(full);

	book.run("tar -C /var/lib/dpki-node -czf snapshot", &[("/var/lib/dpki-node", &first)]);
	book.run("tar -C /var/lib/dpki-node-2 -xzf snapshot", &[("/var/lib/dpki-node-2", &second)]);
	let copy = place("full-2");
	let client = copy.client().await;
	let begun = client.finalized_head().await.unwrap().number;
	// What was finalised last may not have been flushed.
	assert!(begun + 20 >= reached && begun > 0, "it begins at {begun} and not at {reached}");
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
	// Until it votes again nobody else may be missed.
	goes_on(&client, 15).await;
}

/// The machine of a member is gone with everything on it but the node key, of which there is a backup.
async fn a_machine_is_lost(consortium: &mut Consortium) {
	let set = consortium.set_id().await;
	let north = base(&consortium.workspace, "north");
	consortium.book.run(
		"tar -C /var/lib/dpki-validator -czf node-key",
		&[("/var/lib/dpki-validator", &north)],
	);
	consortium.stop("north");
	fs::remove_dir_all(&north).expect("the machine is gone");
	let reached = goes_on(&consortium.client("east").await, 4).await;

	fs::create_dir(&north).expect("a new machine");
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
	while goes_on(&client, 1).await < reached {}
	let (_, status) = consortium.ask("north", "dpki network status", &[]);
	assert!(status["nodes"][0]["peers"].as_u64().is_some_and(|peers| peers > 0), "{status}");
	consortium.rotate("north");
	// In the same session, so that both wait together.
	a_member_is_removed(consortium);
	consortium.changes_set(set).await;
	consortium.is_in("north").await;
}

/// The council removes a validator.
fn a_member_is_removed(consortium: &Consortium) {
	let key =
		|member: &str| consortium.workspace.join(format!("{member}.key")).display().to_string();
	let acting = |member: &str| Dpki::at(&consortium.validators["east"].url(), &key(member));
	let west = json_file(&consortium.workspace.join("west.json"));
	let west = west["account"].as_str().expect("it has one");
	let proposed = acting("east").ok(["validator", "remove", west]);
	let (code, open) = consortium.ask("east", "dpki motion list --open", &[]);
	assert_eq!((code, open.as_array().map(Vec::len)), (Some(0), Some(1)), "{open}");
	let motion = proposed["motion"].to_string();
	for member in ["north", "south"] {
		acting(member).ok(["motion", "vote", &motion, "aye", "--yes"]);
	}
}

/// It may stop when it serves no more.
async fn a_member_leaves(consortium: &Consortium) {
	let deadline = Instant::now() + PATIENCE;
	loop {
		let command = "dpki node join /etc/dpki/chain.json --account west.key";
		let (code, told) = consortium.ask("west", command, &[]);
		if code == Some(3) && told.to_string().contains("it is not in the set") {
			break;
		}
		assert!(Instant::now() < deadline, "{code:?} {told}");
		sleep(PAUSE).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_runbook_does_what_it_says() {
	let mut consortium = Consortium::found().await;
	let url = consortium.validators["east"].url();
	consortium.is_in("north").await;
	let (code, shown) = consortium.ask("east", "dpki runtime show", &[]);
	assert_eq!((code, &shown["compatible"]), (Some(0), &Value::Bool(true)), "{shown}");
	// What devices are made with.
	do_it(
		&dpki_e2e::binary("dpki").display().to_string(),
		&[
			"bundle",
			"checkpoint",
			&consortium.workspace.join("before.checkpoint").display().to_string(),
			"--url",
			&url,
		],
	);

	// In each place the keys are others afterwards, and finality has not stopped.
	let set = consortium.set_id().await;
	consortium.rotate("north");
	full_nodes_arrive(&consortium).await;
	a_validator_keeps_to_its_list(&mut consortium).await;
	consortium.changes_set(set).await;
	consortium.is_in("north").await;
	devices_are_led_over(&consortium);

	a_machine_is_lost(&mut consortium).await;
	a_member_leaves(&consortium).await;
	// A node that joins has a name among the peers before it is started.
	let joins = base(&consortium.workspace, "joins");
	let spec = consortium.spec.display().to_string();
	consortium.book.run(
		"dpki-node key generate-node-key --chain /etc/dpki/chain.json --base-path /var/lib/dpki-validator",
		&[("/etc/dpki/chain.json", &spec), ("/var/lib/dpki-validator", &joins)],
	);
	consortium.book.all_but(&LEFT_OUT.into_iter().collect());
}
