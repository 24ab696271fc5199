//! Proof bundles of a real node on every way to a device: a gateway, a broker, a file. Whatever the way, the same verifier.

#[path = "../../../sdk/tests/carriers/broker.rs"]
mod broker;

use broker::Broker;
use dpki_client::carrier::{Carriers, Failure, http::HttpCarrier};
use dpki_e2e::{Dpki, Fleet, Node, PATIENCE, Process, Workspace, binary};
use dpki_verifier::{
	AuthoritySet, Checkpoint, Error as Unproven, Freshness, Query, Verifier, Zebra,
};
use serde_json::Value;
use std::{fs, path::Path, time::Duration};

/// A gateway of its own port.
struct Gateway {
	_process: Process,
	address: String,
}

impl Gateway {
	fn start(workspace: &Workspace, url: &str) -> Self {
		let args = ["gateway", "--listen", "127.0.0.1:0", "--node", url, "--max-age", "1s"];
		let log = workspace.join("gateway.log");
		let said = "the gateway listens on ";
		let started = Process::start_until(&binary("dpki-agent"), args, &log, said);
		let (process, line) = started.unwrap_or_else(|said| panic!("{said}"));
		let (_, address) = line.split_once(said).expect("it tells its address");
		Self { _process: process, address: address.trim().to_owned() }
	}
}

fn text(path: &Path) -> String {
	path.display().to_string()
}

/// Asks again until the anchor is told to be revoked: a gateway and a broker may be a moment behind.
async fn until_revoked(admin: &Dpki, question: &[&str]) -> Value {
	let asking = async {
		loop {
			let told = admin.status(question);
			if told["records"][0]["status"] == "revoked" {
				return told;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, asking).await.expect("the revocation arrives")
}

#[tokio::test]
async fn every_carrier_delivers_bundles_of_a_real_node_and_none_can_lie() {
	let fleet = Fleet::start("carriers");
	let admin = &fleet.admin;
	fleet.add_ssh_ca("ssh-user-ca");
	let anchor = admin.ok(["anchor", "list", "--org", "acme"])[0]["anchor"].clone();
	let anchor = anchor.as_str().expect("an id").to_owned();
	let gateway = Gateway::start(&fleet.workspace, &fleet.node.url());
	let running = Broker::start(fleet.workspace.path());
	let broker = running.address();

	// Three devices that took their checkpoint at the same time.
	let checkpoint = |name: &str| text(&fleet.workspace.join(format!("{name}.checkpoint")));
	let taken = admin.ok(["bundle", "checkpoint", &checkpoint("http")]);
	assert_eq!(taken["authorities"], 1);
	for name in ["mqtt", "file", "liars"] {
		fs::copy(checkpoint("http"), checkpoint(name)).expect("copies the checkpoint");
	}
	let file = text(&fleet.workspace.join("anchor.dpki"));

	// While the anchor is good.
	admin.ok(["bundle", "export", &file, "--anchor", &anchor]);
	admin.ok(["bundle", "publish", "--mqtt", &broker, "--anchor", &anchor]);
	let from = |carrier: &str, name: &str| {
		let words = ["bundle", "fetch", "--from", carrier, "--checkpoint", &checkpoint(name)];
		let words = words.into_iter().chain(["--anchor", anchor.as_str()]);
		words.map(ToOwned::to_owned).collect::<Vec<_>>()
	};
	for (carrier, name) in [(&gateway.address, "http"), (&broker, "mqtt")] {
		let told = admin.status(from(carrier, name));
		assert_eq!(told["records"][0]["status"], "valid", "{told}");
		assert_eq!(told["carrier"], carrier.as_str());
	}
	let told = admin.status(["bundle", "verify", &file, "--checkpoint", &checkpoint("file")]);
	assert_eq!(told["records"][0]["id"], anchor.as_str());
	assert_eq!(told["valid"], true);

	// Once it is revoked.
	admin.ok(["revoke", "anchor", &anchor, "--reason", "keyCompromise", "--yes"]);
	let old = text(&fleet.workspace.join("old.dpki"));
	fs::copy(&file, &old).expect("copies the file");
	admin.ok(["bundle", "export", &file, "--anchor", &anchor]);
	let published = admin.ok(["bundle", "publish", "--mqtt", &broker, "--anchor", &anchor]);
	assert!(published["block"].as_u64() > told["block"].as_u64(), "{published}");
	for (carrier, name) in [(&gateway.address, "http"), (&broker, "mqtt")] {
		let question = from(carrier, name);
		let question: Vec<_> = question.iter().map(String::as_str).collect();
		until_revoked(admin, &question).await;
	}
	let told = admin.status(["bundle", "verify", &file, "--checkpoint", &checkpoint("file")]);
	assert_eq!(told["valid"], false);

	// The bundle from before is not believed any more, and one with a bit flipped by nobody.
	let refused = admin.refused(["bundle", "verify", &old, "--checkpoint", &checkpoint("file")]);
	assert!(refused.contains("is older than block"), "{refused}");
	let mut bytes = fs::read(&file).expect("reads the file");
	*bytes.last_mut().expect("it is not empty") ^= 1;
	fs::write(&old, bytes).expect("writes the file");
	let refused = admin.refused(["bundle", "verify", &old, "--checkpoint", &checkpoint("liars")]);
	assert!(refused.contains("is refused"), "{refused}");
	// One that answers another question says so.
	let other = ["--device", "acme/drone-1"];
	let words = ["bundle", "verify", &file, "--checkpoint", &checkpoint("liars")];
	let refused = admin.refused(words.into_iter().chain(other));
	assert!(refused.contains("other keys than those asked for"), "{refused}");

	// A carrier that is not there is passed over, and told of.
	let words = ["bundle", "fetch", "--from", "http://127.0.0.1:1", "--from", &gateway.address];
	let rest = ["--checkpoint", &checkpoint("liars"), "--anchor", &anchor];
	let told = admin.status(words.into_iter().chain(rest));
	assert_eq!(told["carrier"], gateway.address.as_str());
	assert!(told["warnings"][0].as_str().is_some_and(|it| it.contains("nobody answers")), "{told}");
}

#[tokio::test]
async fn a_gateway_of_another_chain_is_refused_by_the_verifier() {
	let workspace = Workspace::new("gateway");
	let node = Node::start(&workspace);
	let client = node.client().await;
	let gateway = Gateway::start(&workspace, &node.url());
	// A device of a chain of others.
	let keys = vec![[9; 32]];
	let set = AuthoritySet::new(0, keys).expect("a set of authorities");
	let genesis = client.genesis_hash();
	let mut device = Verifier::new(Checkpoint { genesis, set, number: 0, hash: genesis }, Zebra);
	let carriers =
		Carriers::new(vec![Box::new(HttpCarrier::new(&gateway.address).expect("an address"))]);
	let mut asked = Err(dpki_client::carrier::Exhausted(Vec::new()));
	// The gateway refuses until the chain has finalised a block.
	let asking = async {
		loop {
			asked = carriers
				.ask(&mut device, &Query::new(), Freshness::without_clock(), |it| it.number())
				.await;
			let waits =
				matches!(asked.as_ref().map_err(|it| it.0.as_slice()), Err([Failure::Carrier(_)]));
			if !waits {
				break;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, asking).await.expect("the chain begins");
	let failure = asked.expect_err("strangers have signed").0.remove(0);
	assert!(matches!(failure.unproven(), Some(Unproven::UnknownAuthority { .. })), "{failure}");
}
