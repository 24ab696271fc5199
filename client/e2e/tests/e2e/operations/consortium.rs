//! A consortium that was founded by the page, with the folders of its members side by side.

use dpki_client::{Client, Head, account};
use dpki_e2e::{Dpki, Node, PATIENCE, Runbook, Workspace, block, free_port, hex, run, said};
use futures::StreamExt;
use serde_json::Value;
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
	time::Duration,
};
use subxt_rpcs::client::rpc_params;
use tokio::time::{sleep, timeout};

/// Who it is.
pub const MEMBERS: [&str; 4] = ["north", "east", "south", "west"];

/// Blocks per session: the drills wait for some.
const SESSION: u32 = 6;

/// What takes effect at the session after next, and then some, has so many final blocks for it. Blocks and not seconds, because
/// a machine that is busy makes fewer of them.
pub const SOME_SESSIONS: u32 = 8 * SESSION;

/// From one look at the votes of a round, which nobody announces, to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// The page, the members' files and their nodes.
pub struct Consortium {
	pub book: Runbook,
	pub workspace: Workspace,
	pub spec: PathBuf,
	pub validators: BTreeMap<&'static str, Node>,
}

/// What a file of JSON says.
pub fn json_file(path: &Path) -> Value {
	serde_json::from_slice(&fs::read(path).expect("the file is there")).expect("it is JSON")
}

/// Waits for a finalised block of which `is_it` is true, the newest one of now included; there are so many for it. Each may
/// take as long as anything.
pub async fn at_block(
	client: &Client,
	most: u32,
	what: &str,
	mut is_it: impl AsyncFnMut(Head) -> bool,
) -> Head {
	let mut heads = client.finalized_heads();
	let mut first = None;
	loop {
		let next = timeout(PATIENCE, heads.next()).await;
		let next = next.unwrap_or_else(|_| panic!("nothing becomes final: {what}"));
		// After an error the stream goes on.
		let Ok(head) = next.expect("the stream has no end") else { continue };
		if is_it(head).await {
			return head;
		}
		assert!(
			head.number < *first.get_or_insert(head.number) + most,
			"not in {most} blocks: {what}"
		);
	}
}

/// Waits for so many more finalised blocks, and gives the number of the last.
pub async fn goes_on(client: &Client, more: u32) -> u32 {
	let mut first = None;
	let is_it = async |head: Head| head.number >= *first.get_or_insert(head.number) + more;
	at_block(client, more + 1, "finality goes on", is_it).await.number
}

/// The base path of a member's node.
pub fn base(workspace: &Workspace, member: &str) -> String {
	workspace.join(member).display().to_string()
}

impl Consortium {
	/// Each member makes its keys, anybody makes the specification, and all compare the genesis.
	pub async fn found() -> Self {
		let workspace = Workspace::new("operations");
		let book = Runbook::new(workspace.path());
		for member in MEMBERS {
			let address = format!("/ip4/127.0.0.1/tcp/{}", free_port());
			book.run(
				"dpki-node network key --network consortium",
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
	pub fn start(&mut self, member: &'static str, options: &[&str]) {
		let told = json_file(&self.workspace.join(format!("{member}.json")));
		let text = |value: &Value| value.as_str().expect("it is text").to_owned();
		let address = format!("{}/p2p/{}", text(&told["addresses"][0]), text(&told["node"]));
		let spec = self.spec.display().to_string();
		let words = [&["--chain", spec.as_str(), "--allow-private-ip"][..], options].concat();
		let node = Node::placed(&self.workspace, member, &self.spec, &words, Some(address));
		self.validators.insert(member, node);
	}

	/// Stops the node of a member, as its unit does.
	pub fn stop(&mut self, member: &str) {
		self.validators.remove(member).expect("it runs").end();
	}

	/// The machine of a member is gone, in the middle of everything.
	pub fn lose(&mut self, member: &str) {
		drop(self.validators.remove(member).expect("it runs"));
		fs::remove_dir_all(base(&self.workspace, member)).expect("the machine is gone");
	}

	pub async fn client(&self, member: &str) -> Client {
		self.validators[member].client().await
	}

	/// The file with a member's account.
	pub fn key(&self, member: &str) -> String {
		self.workspace.join(format!("{member}.key")).display().to_string()
	}

	/// A member's account.
	pub fn account(&self, member: &str) -> String {
		let told = json_file(&self.workspace.join(format!("{member}.json")));
		told["account"].as_str().expect("it has one").to_owned()
	}

	/// A member at the node of another one.
	pub fn acting(&self, member: &str, at: &str) -> Dpki {
		let memory = self.workspace.join("memory");
		Dpki::at(&self.validators[at].url(), &self.key(member)).remembering(&memory)
	}

	/// Runs a command of the page that asks the node of a member, with `replaced` beside its address.
	pub fn ask(
		&self,
		member: &str,
		beginning: &str,
		replaced: &[(&str, &str)],
	) -> (Option<i32>, Value) {
		let command = self.book.command(beginning);
		let whole = format!("{command} --json --url {}", self.validators[member].url());
		let spec = self.spec.display().to_string();
		let mut all = vec![(command.as_str(), whole.as_str())];
		if command.contains("/etc/dpki/chain.json") {
			all.push(("/etc/dpki/chain.json", &spec));
		}
		all.extend(replaced);
		let output = self.book.output(&command, &all);
		let answer = serde_json::from_slice(&output.stdout)
			.unwrap_or_else(|_| panic!("{command}: {}", said(&output)));
		(output.status.code(), answer)
	}

	/// The same for a command that has to succeed.
	pub fn does(&self, member: &str, beginning: &str, replaced: &[(&str, &str)]) -> Value {
		let (code, answer) = self.ask(member, beginning, replaced);
		assert_eq!(code, Some(0), "{beginning}: {answer}");
		answer
	}

	/// East and south vote for a motion of north's; with three of four it is carried, and then it has to have worked.
	pub fn carry(&self, motion: &Value) {
		let motion = motion.to_string();
		let vote =
			|member| self.acting(member, "east").ok(["motion", "vote", &motion, "aye", "--yes"]);
		vote("east");
		let carried = vote("south");
		assert_eq!(carried["state"], "carried", "{carried}");
	}

	/// What `dpki node join` finds at the node of a member.
	fn join(&self, member: &str) -> (Option<i32>, Value) {
		let command = match member {
			"west" => "dpki node join /etc/dpki/chain.json --account west.key",
			_ => "dpki node join /etc/dpki/chain.json --account north.key",
		};
		let key = format!("{member}.key");
		let own = if member == "west" { "west.key" } else { "north.key" };
		self.ask(member, command, &[(own, &key)])
	}

	/// Waits until `dpki node join` finds nothing left to do at the node of a member.
	pub async fn is_in(&self, member: &str) {
		let client = self.client("east").await;
		let is_it = async |_| {
			let (code, told) = self.join(member);
			eprintln!("{member}: {told}");
			code == Some(0)
		};
		at_block(&client, SOME_SESSIONS, "nothing is left to do", is_it).await;
	}

	/// Waits until `dpki node join` says that a member is not in the set.
	pub async fn is_out(&self, member: &str) {
		let client = self.client("east").await;
		let is_it = async |_| {
			let (code, told) = self.join(member);
			code == Some(3) && told.to_string().contains("it is not in the set")
		};
		at_block(&client, SOME_SESSIONS, "it serves no more", is_it).await;
	}

	/// The set at a finalised block of the node of east, by the keys that vote on finality.
	async fn set_at(client: &Client, head: Head) -> u64 {
		let params = rpc_params!["GrandpaApi_current_set_id", "0x", hex(&head.hash)];
		let answer: String = client.rpc().request("state_call", params).await.expect("it answers");
		let bytes = hex::decode(&answer[2..]).expect("hexadecimal digits");
		u64::from_le_bytes(bytes.try_into().expect("a number"))
	}

	/// The set of the session that the chain is in, by the keys that vote on finality.
	pub async fn set_id(&self) -> u64 {
		let client = self.client("east").await;
		let head = client.finalized_head().await.expect("it answers");
		Self::set_at(&client, head).await
	}

	/// Waits until finality is in the hands of another set.
	pub async fn changes_set(&self, from: u64) {
		let client = self.client("east").await;
		let is_it = async |head| Self::set_at(&client, head).await != from;
		at_block(&client, SOME_SESSIONS, "the set changes", is_it).await;
	}

	/// Waits until the node of east hears the first vote of a member, with the keys that it was founded with, in a round that
	/// has begun since. A node that has just come back has none in the rounds that began without it, and finality takes three
	/// of four.
	pub async fn votes(&self, member: &str) {
		let told = json_file(&self.workspace.join(format!("{member}.json")));
		let key = told["grandpa"]
			.as_str()
			.expect("it has one")
			.trim_start_matches("0x")
			.to_owned();
		let key = hex::decode(key).expect("hexadecimal digits").try_into().expect("a key");
		let key = Value::from(account::address(&key));
		let client = self.client("east").await;
		let heard = async {
			let mut first = None;
			loop {
				let state: Value = client
					.rpc()
					.request("grandpa_roundState", rpc_params![])
					.await
					.expect("it answers");
				let number = |round: &Value| round["round"].as_u64().expect("a number");
				let first = *first.get_or_insert(number(&state["best"]));
				let background = state["background"].as_array().into_iter().flatten();
				let mut later =
					background.chain([&state["best"]]).filter(|round| number(round) > first);
				let hears = |round: &Value| {
					let missing = round["prevotes"]["missing"].as_array();
					!missing.expect("a list of keys").contains(&key)
				};
				if later.any(hears) {
					return;
				}
				sleep(PAUSE).await;
			}
		};
		timeout(PATIENCE, heard)
			.await
			.unwrap_or_else(|_| panic!("{member} never votes"));
	}

	/// A member's node makes other session keys; the node of east knows of it.
	pub async fn rotate(&self, member: &str) {
		let own = if member == "west" { "west.key" } else { "north.key" };
		let command = format!("dpki node rotate-keys --account {own}");
		let done = self.does(member, &command, &[(own, &format!("{member}.key --yes"))]);
		let is_it = async |head: Head| u64::from(head.number) >= block(&done);
		at_block(&self.client("east").await, SOME_SESSIONS, "east is there, too", is_it).await;
	}
}
