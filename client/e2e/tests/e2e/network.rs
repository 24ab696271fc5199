//! A consortium of four validators and a full node: founded, started, looked at, hurt, stopped.

use dpki_client::Client;
use dpki_e2e::{Network, PATIENCE, Workspace, binary, proofs::bundle, said, target, untested};
use dpki_light::LightClient;
use dpki_verifier::Query;
use futures::StreamExt;
use serde_json::{Value, json};
use std::{
	collections::BTreeSet,
	path::Path,
	process::{Command, Output},
	thread::sleep,
	time::{Duration, Instant},
};
use tokio::{
	sync::{Mutex, MutexGuard},
	time::timeout,
};

/// From one look at something that takes time to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// How many bundles a node is asked for.
const BUNDLES: u32 = 3;

/// One network at a time is as much as a small machine carries.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
	ONE_AT_A_TIME.lock().await
}

/// Waits for so many more finalised blocks, as they are announced, and gives the number of the last.
async fn finalized(client: &Client, more: u32) -> u32 {
	let mut heads = client.finalized_heads();
	let mut first = None;
	let waiting = async {
		loop {
			// After an error the stream goes on.
			let Ok(head) = heads.next().await.expect("the stream has no end") else { continue };
			if head.number >= *first.get_or_insert(head.number) + more {
				return head.number;
			}
		}
	};
	timeout(PATIENCE, waiting).await.expect("finality goes on")
}

async fn client(url: &str) -> Client {
	Client::connect(url).await.expect("the node answers")
}

fn json_file(path: &Path) -> Value {
	let text = std::fs::read_to_string(path).expect("the file is there");
	serde_json::from_str(&text).expect("it is JSON")
}

fn dpki(url: &str, arguments: &[&str]) -> Output {
	Command::new(binary("dpki"))
		.args(arguments)
		.args(["--url", url, "--json"])
		.env_remove("DPKI_GENESIS")
		.env_remove("DPKI_ACCOUNT")
		.output()
		.expect("dpki starts")
}

/// What `dpki node join` finds left to do at this node for this validator.
fn left(network: &Network, url: &str, validator: &str) -> (Option<i32>, Vec<String>) {
	let spec = network.spec().display().to_string();
	let output = dpki(url, &["node", "join", &spec, "--validator", validator]);
	let list: Value =
		serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
	let steps = list["steps"].as_array().expect("a list of steps");
	let open = steps.iter().filter(|step| step["done"] == json!(false));
	(output.status.code(), open.map(|step| step["step"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_consortium_is_founded_and_survives_the_loss_of_one() {
	let _alone = alone().await;
	let workspace = Workspace::new("network");
	let network = Network::up(&workspace, &[]);

	let again = network.script("up", &[]);
	assert!(!again.status.success());
	assert!(said(&again).contains("is up already"), "{}", said(&again));

	let status = healthy(&network);
	let nodes = status["nodes"].as_array().unwrap();
	let roles: Vec<_> = nodes.iter().map(|node| node["role"].as_str().unwrap()).collect();
	assert_eq!(roles, ["validator", "validator", "validator", "validator", "full"]);

	let full = client(&network.member("full").url).await;
	finalized(&full, 3).await;
	follows_with_a_light_client(&network, &full).await;
	a_member_is_told_what_is_left(&network);
	a_member_rotates_its_session_keys(&network);
	for _ in 0..BUNDLES {
		bundle(&full, &Query::new(), None).await.expect("it is served");
	}
	metrics_are_those_that_alerts_and_dashboard_use(&network);

	let south = network.member("south");
	south.kill();
	let at = full.finalized_head().await.unwrap().number;
	let later = finalized(&full, 10).await;
	assert!(later >= at + 10, "{later} after {at}");
	let (code, status) = network.status();
	assert_eq!((code, &status["healthy"]), (Some(3), &json!(false)));
	let south = status["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "south");
	let problem = south.unwrap()["problem"].as_str().unwrap();
	assert!(problem.starts_with("no answer"), "{problem}");

	let members = network.members();
	let down = network.script("down", &[]);
	assert!(down.status.success(), "{}", said(&down));
	assert!(members.iter().all(|member| !member.runs()), "a process is left");
	assert!(!network.join("").exists(), "files are left");
	assert!(said(&network.script("down", &[])).contains("there is no network"));
}

/// The raw specification is one that smoldot takes, and leads to the same chain.
async fn follows_with_a_light_client(network: &Network, full: &Client) {
	let spec = std::fs::read_to_string(network.spec()).unwrap();
	let told = json_file(&network.join("founded.json"));
	let genesis = format!("0x{}", hex::encode(full.genesis_hash()));
	assert_eq!(told["genesis"], genesis, "the founding names the chain");
	let light = LightClient::start(&spec, &[], full.genesis_hash()).await.expect("it starts");
	let light = Client::from_rpc(light.rpc()).await.expect("it answers");
	assert!(finalized(&light, 0).await > 0);
}

fn a_member_is_told_what_is_left(network: &Network) {
	let account = |name: &str| {
		let file = json_file(&network.join(name).join("member.json"));
		file["account"].as_str().unwrap().to_owned()
	};
	let (north, south) = (account("north"), account("south"));
	let at = |name: &str, validator: &str| left(network, &network.member(name).url, validator);
	assert_eq!(at("north", &north), (Some(0), vec![]));
	// Another's keys are not in this node.
	assert_eq!(at("north", &south), (Some(3), vec!["private keys".into()]));
	let (code, steps) = at("full", &north);
	assert_eq!(code, Some(3));
	assert_eq!(steps, ["role", "private keys"]);
	let (code, steps) = at("full", "//Eve");
	assert_eq!(code, Some(3));
	assert_eq!(steps, ["role", "session keys", "private keys", "validator set"]);
	let (code, steps) = left(network, "ws://127.0.0.1:1", &north);
	assert_eq!((code, steps), (Some(3), vec!["node".into()]));
	let (code, steps) = left(network, "ws://192.0.2.1:9944", &north);
	assert_eq!((code, steps), (Some(3), vec!["node".into()]));
}

fn a_member_rotates_its_session_keys(network: &Network) {
	let member = json_file(&network.join("east/member.json"));
	let text = |field: &str| member[field].as_str().unwrap().to_owned();
	let first = text("aura") + text("grandpa").trim_start_matches("0x");
	let trustee = network.join("east/trustee.key").display().to_string();
	let url = network.member("east").url;
	let rotated = dpki(&url, &["node", "rotate-keys", "--yes", "--account", &trustee]);
	assert!(rotated.status.success(), "{}", said(&rotated));
	let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
	let keys = rotated["session_keys"].as_str().unwrap();
	assert!(keys.len() == first.len() && keys != first, "{keys} after {first}");
	// It has them, they are registered, and until they are used it serves with the first ones.
	assert_eq!(left(network, &url, &text("account")), (Some(0), vec![]));
}

/// What the status says once all is well: a node that was just started may lag for a moment.
fn healthy(network: &Network) -> Value {
	let deadline = Instant::now() + PATIENCE;
	loop {
		let (code, status) = network.status();
		if (code, &status["healthy"]) == (Some(0), &json!(true)) {
			return status;
		}
		assert!(Instant::now() < deadline, "{code:?} {status}");
		sleep(PAUSE);
	}
}

/// What of these names no line of a scrape begins with.
fn missing<'a>(scraped: &str, used: &BTreeSet<&'a str>) -> Vec<&'a str> {
	let known: BTreeSet<_> = scraped
		.lines()
		.filter(|line| !line.starts_with('#'))
		.filter_map(|line| line.split(['{', ' ']).next())
		.collect();
	used.iter().copied().filter(|name| !known.contains(*name)).collect()
}

/// A name that is misspelt, or that an upgrade takes away, would leave an alert silent for ever.
fn metrics_are_those_that_alerts_and_dashboard_use(network: &Network) {
	let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker");
	for file in ["prometheus/alerts.yml", "grafana/dashboards/dpki.json"] {
		let text = std::fs::read_to_string(docker.join(file)).unwrap();
		let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
		let used: BTreeSet<_> = words
			.filter(|word| word.starts_with("dpki_") || word.starts_with("substrate_"))
			.collect();
		assert!(used.len() > 5, "{used:?}");
		// Some are there from the first walk over the state on.
		let deadline = Instant::now() + PATIENCE;
		loop {
			let missing = missing(&network.member("full").scrape(), &used);
			if missing.is_empty() {
				break;
			}
			assert!(Instant::now() < deadline, "{file} uses what no node exports: {missing:?}");
			sleep(PAUSE);
		}
	}
	let scraped = network.member("full").scrape();
	let page = include_str!("../../../../docs/operations.md");
	let ours = scraped.lines().filter_map(|line| line.split(['{', ' ']).next());
	let untold: BTreeSet<_> =
		ours.filter(|name| name.starts_with("dpki_") && !page.contains(name)).collect();
	assert!(untold.is_empty(), "docs/operations.md does not tell of {untold:?}");
	let value = |name: &str, label: &str| {
		let mut lines = scraped.lines().filter(|line| line.starts_with(name));
		let line = lines.find(|line| line.contains(label));
		line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
			.unwrap_or_else(|| panic!("no {name} {label}"))
	};
	assert!(value("dpki_finalized_time_seconds", "") > 1_700_000_000.0);
	assert!(value("dpki_finality_lag_blocks", "") < 20.0);
	assert_eq!(value("dpki_anchors{", "status=\"valid\""), 0.0);
	let made = value("dpki_bundle_proofs_total", "");
	assert!(made >= 1.0, "{made}");
	assert_eq!(made + value("dpki_bundle_kept_total", ""), f64::from(BUNDLES));
}

#[tokio::test]
async fn nodes_with_addresses_of_their_own_leave_nothing_behind() {
	let _alone = alone().await;
	// Namespaces take root.
	let namespaces = Command::new("ip").args(["netns", "list"]).output();
	let is_root = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap();
	if is_root.trim() != "0" || namespaces.is_err() {
		return untested("it takes root and the program ip: install the package iproute2");
	}
	let list = || {
		let namespaces = Command::new("ip").args(["netns", "list"]).output().unwrap();
		let devices = Command::new("ip").args(["-brief", "link"]).output().unwrap();
		said(&namespaces) + &said(&devices)
	};
	let workspace = Workspace::new("network-netns");
	let network = Network::up(&workspace, &["--netns"]);
	let prefix = std::fs::read_to_string(network.join("netns")).unwrap();
	assert_eq!(list().matches(&format!("{prefix}-")).count(), 5, "{}", list());

	let members = network.members();
	let hosts: BTreeSet<_> =
		members.iter().map(|member| member.url.trim_start_matches("ws://")).collect();
	assert_eq!(hosts.len(), 5);
	assert!(hosts.iter().all(|host| host.starts_with("10.213.") && host.ends_with(":9944")));

	// A machine that is cut off, not one that ends: its cable is pulled.
	let full = client(&network.member("full").url).await;
	let cut = Command::new("ip")
		.args(["-n", &format!("{prefix}-west"), "link", "set", "eth0", "down"])
		.output()
		.unwrap();
	assert!(cut.status.success(), "{}", said(&cut));
	finalized(&full, 10).await;

	let down = network.script("down", &[]);
	assert!(down.status.success(), "{}", said(&down));
	assert!(members.iter().all(|member| !member.runs()), "a process is left");
	assert!(!list().contains(&prefix), "{}", list());
}

/// Runs `dpki-node` with these words, which has to work.
fn node(words: &[&str]) -> String {
	let output = Command::new(binary("dpki-node")).args(words).output().expect("it starts");
	assert!(output.status.success(), "{}", said(&output));
	String::from_utf8(output.stdout).expect("it prints text")
}

#[tokio::test]
async fn shipped_specifications_get_a_runtime_and_load_in_a_light_client() {
	const PEER: &str =
		"/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
	let workspace = Workspace::new("specifications");
	let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chain-specs");
	let out = workspace.join("out").display().to_string();
	for name in ["development", "local", "consortium"] {
		let spec = shipped.join(name).with_extension("json").display().to_string();
		let made = node(&["network", "complete", &spec, "--out", &out, "--json"]);
		let made: Value = serde_json::from_str(&made).expect("it answers in JSON");
		let text = |field: &str| made[field].as_str().unwrap().to_owned();
		let genesis = text("genesis");
		for form in ["plain", "raw"] {
			assert_eq!(node(&["network", "genesis", &text(form)]).trim(), genesis, "{form}");
		}
		let hash: [u8; 32] = hex::decode(&genesis[2..]).unwrap().try_into().unwrap();
		let raw = std::fs::read_to_string(text("raw")).unwrap();
		LightClient::start(&raw, &[PEER.into()], hash).await.expect("smoldot takes it");
	}
}

#[test]
fn containers_found_their_network_once() {
	let workspace = Workspace::new("containers");
	std::fs::create_dir_all(workspace.join("network")).unwrap();
	for member in ["north", "east", "south", "west"] {
		std::fs::create_dir_all(workspace.join("members").join(member)).unwrap();
	}
	let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/found.sh");
	let path = format!("{}:{}", target().display(), std::env::var("PATH").unwrap());
	let found = || {
		let output = Command::new(&script)
			.env("DPKI_ROOT", workspace.path())
			.env("PATH", &path)
			.output()
			.unwrap();
		assert!(output.status.success(), "{}", said(&output));
		std::fs::read(workspace.join("network/compose.raw.json")).unwrap()
	};
	let first = found();
	assert!(found() == first, "a second start founds another network");
}
