//! What a certificate is worth, to those who believe no node: computed from proven records, over a light client and from
//! bundles that a liar brings.

use crate::broker::Broker;
use crate::liar::Liar;
use codec::Encode;
use dpki_client::{Client, View};
use dpki_e2e::{
	Dpki, Node, PATIENCE, Workspace, block, hex,
	proofs::{bytes, reach},
	run,
};
use dpki_light::LightClient;
use dpki_primitives::{
	assurance::{Accreditation, AccreditationState, Finding, Level},
	certificate::Office,
	ids::CertificateId,
};
use dpki_verifier::Query;
use futures::StreamExt;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use subxt_rpcs::{Error as RpcError, client::RpcParams};

/// A chain with a certificate of `acme` about itself at EV, which takes two organisations, and has them.
struct Certified {
	node: Node,
	alice: Dpki,
	workspace: Workspace,
	id: CertificateId,
	/// Since when all of it is there.
	block: u64,
}

impl Certified {
	fn start(test: &str) -> Self {
		let workspace = Workspace::new(test);
		let node = Node::start(&workspace);
		let alice = Dpki::new(&node, "//Alice");
		std::thread::scope(|scope| {
			for (founder, name) in
				[("//Alice", "acme"), ("//Eve", "notary-e"), ("//Ferdie", "notary-f")]
			{
				let founder = alice.acting_for(founder);
				scope.spawn(move || founder.ok(["org", "create", name, "--kind", "test-lab"]));
			}
		});
		alice.ok([
			"certificate",
			"council",
			"policy",
			"--endorsers-ov",
			"2",
			"--endorsers-ev",
			"2",
		]);
		for (account, name) in [("//Eve", "notary-e"), ("//Ferdie", "notary-f")] {
			alice.acting_for(account).ok(["endorser", "bond", "1_000_000_000_000_000"]);
			alice.ok(["endorser", "accredit", account, "--org", name, "--level", "ev"]);
		}
		let key = workspace.join("acme").display().to_string();
		let made = ["-q", "-t", "ed25519", "-N", "", "-f", key.as_str()];
		assert!(run(Path::new("ssh-keygen"), made).status.success());
		let applied = alice.ok([
			"certificate",
			"apply",
			"org:acme",
			"--org",
			"acme",
			"--level",
			"ev",
			"--display-name",
			"Acme Drones",
			"--valid",
			"20d",
			"--key",
			&key,
		]);
		let id = applied["certificate"].as_str().expect("it was granted").to_owned();
		let endorse = ["endorser", "endorse", &id, "--level", "ev", "--valid", "10d"];
		let endorsed = std::thread::scope(|scope| {
			let endorsing = ["//Eve", "//Ferdie"].map(|who| {
				let endorser = alice.acting_for(who);
				scope.spawn(move || block(&endorser.ok(endorse)))
			});
			endorsing.map(|it| it.join().expect("it succeeds"))
		});
		let block = endorsed.into_iter().max().expect("two of them");
		let id = id.parse().expect("the id of a certificate");
		Self { node, alice, workspace, id, block }
	}

	/// What the command line says of the certificate by what is proven to it, if it has to be EV.
	fn status(&self, checkpoint: &str) -> Value {
		let id = self.id.to_string();
		let proven = ["--level", "ev", "--proven", "--checkpoint", checkpoint];
		let words = ["status", "certificate", id.as_str()].into_iter().chain(proven);
		self.alice.status(words)
	}
}

/// The words by which a device with this checkpoint asks a carrier about the certificate.
fn fetch<'a>(from: &'a str, checkpoint: &'a str, id: &'a str) -> [&'a str; 8] {
	["bundle", "fetch", "--from", from, "--checkpoint", checkpoint, "--certificate", id]
}

/// What is told of the certificate in a report about a bundle.
fn told(report: &Value) -> (&Value, &Value, Vec<&str>) {
	let records = report["records"].as_array().expect("a list");
	assert_eq!(records.len(), 1, "nothing but the certificate: {report}");
	let endorsements = records[0]["endorsements"].as_array().expect("a list");
	let findings = endorsements.iter().map(|it| it["finding"].as_str().expect("a word")).collect();
	(&records[0]["status"], &records[0]["level"], findings)
}

async fn view(client: &Client, number: u64) -> View {
	let reached = async {
		let mut heads = client.finalized_heads();
		loop {
			match heads.next().await {
				Some(Ok(head)) if u64::from(head.number) >= number => return client.at(head),
				Some(_) => {},
				None => panic!("the heads have ended"),
			}
		}
	};
	tokio::time::timeout(PATIENCE, reached).await.expect("the chain goes on")
}

/// What a client computes, from the records of a block at least this high.
async fn worth(client: &Client, id: CertificateId, number: u64) -> (Option<Level>, Vec<Finding>) {
	let view = view(client, number).await;
	let found = view.assessed(id).await.expect("it is read").expect("it is there").assessment;
	let runtime = view.assessment(id).await.expect("it is asked").assessment;
	assert_eq!(runtime.as_ref(), Some(&found), "the runtime says something else");
	(found.level, found.explanations.iter().map(|it| it.finding).collect())
}

/// A proxy before a real node, which makes of each bundle, asked for by this many keys, what `alter` does.
async fn proxy(
	node: &Client,
	ask: impl Fn(&mut Vec<Value>) + Send + Sync + 'static,
	alter: impl Fn(usize, Vec<u8>) -> Vec<u8> + Send + Sync + 'static,
) -> Liar {
	let (rpc, alter) = (node.rpc().clone(), Arc::new(alter));
	Liar::start(move |method, mut parameters| {
		let (rpc, alter) = (rpc.clone(), alter.clone());
		let mut count = 0;
		if method == "dpki_bundle"
			&& let Some(Value::Array(keys)) = parameters.first_mut()
		{
			count = keys.len();
			ask(keys);
		}
		let mut handed_on = RpcParams::new();
		for parameter in parameters {
			handed_on.push(parameter).expect("it was JSON");
		}
		async move {
			let said: Result<Value, RpcError> = rpc.request(method, handed_on).await;
			let mut answer = said.map_err(|error| match error {
				RpcError::User(error) => {
					ErrorObjectOwned::owned(error.code, error.message, None::<()>)
				},
				error => panic!("the real node does not answer: {error}"),
			})?;
			if method == "dpki_bundle" {
				answer["bundle"] = hex(&alter(count, bytes(&answer["bundle"]))).into();
			}
			Ok(answer)
		}
	})
	.await
}

// The command line is waited for on one thread, and what it asks is answered on others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_level_of_a_certificate_is_proven_and_no_node_can_raise_it() {
	let certified = Certified::start("levels");
	let (node, alice, id) = (certified.node.client().await, &certified.alice, certified.id);
	let text = id.to_string();
	let spec = std::fs::read_to_string(&certified.node.spec).expect("there is a specification");
	let peers = [certified.node.peer_address().await];
	let light = LightClient::start(&spec, &peers, node.genesis_hash()).await.expect("it starts");
	let embedded = Client::from_rpc(light.rpc()).await.expect("it answers");
	let file = |name: &str| certified.workspace.join(name).display().to_string();
	let (checkpoint, newcomer) = (file("device.checkpoint"), file("newcomer.checkpoint"));
	for file in [&checkpoint, &newcomer] {
		alice.ok(["bundle", "checkpoint", file]);
	}

	// Two organisations stand for it: the same by everybody who computes it.
	let counted = vec![Finding::Counted; 2];
	let ev = (Some(Level::Ev), counted);
	assert_eq!(worth(&node, id, certified.block).await, ev);
	assert_eq!(worth(&embedded, id, certified.block).await, ev);
	let status = certified.status(&checkpoint);
	assert_eq!((&status["valid"], &status["proven"]), (&json!(true), &json!(true)), "{status}");
	let shown = alice.ok(["certificate", "show", &text, "--proven", "--checkpoint", &checkpoint]);
	assert_eq!((&shown["level"], &shown["proven"]), (&json!("EV"), &json!(true)), "{shown}");
	let endorsements = shown["endorsements"].as_array().expect("a list").iter();
	let mut names: Vec<_> = endorsements.filter_map(|it| it["organisation"].as_str()).collect();
	names.sort_unstable();
	assert_eq!(names, ["notary-e", "notary-f"]);
	let proxied = proxy(&node, |_| {}, |_, bundle| bundle).await;
	let honest = proxied.url();
	let fetched = alice.status(fetch(&honest, &newcomer, &text));
	let (valid, level) = (json!("valid"), json!("EV"));
	assert_eq!(told(&fetched), (&valid, &level, vec!["counted"; 2]), "{fetched}");

	// The same without a network: who carries the file has found out what the certificate depends on.
	let carried = file("acme.dpki");
	alice.ok(["bundle", "export", &carried, "--certificate", &text]);
	let verify = ["bundle", "verify", &carried, "--checkpoint", &checkpoint, "--keep-checkpoint"];
	let named = [&verify[..], &["--certificate", &text]].concat();
	for words in [&verify[..], &named] {
		let verified = alice.status(words.iter().copied());
		assert_eq!(told(&verified), (&valid, &level, vec!["counted"; 2]), "{verified}");
	}
	let nobody = CertificateId([7; 32]).to_string();
	let other = [&verify[..], &["--certificate", &nobody]].concat();
	let refused = alice.refused(other);
	assert!(refused.contains("other keys than those asked for"), "{refused}");

	// By a broker too, which has an answer to each of both questions.
	let running = Broker::start(certified.workspace.path());
	let broker = running.address();
	alice.ok(["bundle", "publish", "--mqtt", &broker, "--certificate", &text]);
	let fetched = alice.status(fetch(&broker, &newcomer, &text));
	assert_eq!(told(&fetched), (&valid, &level, vec!["counted"; 2]), "{fetched}");

	// What a node can show now, and will want to show later.
	let first = Query::new().certificate(id).bind_genesis();
	let first_answer = reach(&node, &first, None, certified.block).await;
	let whole = first.next_in(&first_answer).expect("a bundle").expect("there is more to ask");
	let whole_answer = reach(&node, &whole, None, certified.block).await;

	// One of them is suspended: DV, for everybody at once, and never invalid by it.
	let suspended = alice.ok(["endorser", "suspend", "//Ferdie"]);
	let dv = (Some(Level::Dv), vec![Finding::Counted, Finding::EndorserSuspended]);
	for client in [&node, &embedded] {
		let (level, mut findings) = worth(client, id, block(&suspended)).await;
		findings.sort_by_key(|finding| finding.name());
		assert_eq!((level, findings), dv);
	}
	reach(&node, &whole, None, block(&suspended)).await;
	let status = certified.status(&checkpoint);
	assert_eq!((&status["valid"], &status["level"]), (&json!(false), &json!("DV")), "{status}");
	assert_eq!(status["status"], "valid");
	let wanted = [&fetch(&honest, &checkpoint, &text)[..], &["--level", "ev"]].concat();
	let fetched = alice.status(wanted);
	assert_eq!((&fetched["valid"], told(&fetched).1), (&json!(false), &json!("DV")), "{fetched}");

	// A node that says EV: by a suspension that it has turned into none, by leaving the endorser out, by what was true
	// before. Nobody comes to EV by it, and nobody to a verdict.
	let place = view(&node, block(&suspended)).await;
	let ferdie = dpki_client::Account::from_uri("//Ferdie").expect("an account").id();
	let stored = place.accreditation(Office::Endorser, &ferdie).await.expect("it is read");
	let record = stored.record.expect("it is accredited");
	assert_eq!(record.state, AccreditationState::Suspended);
	let active = Accreditation { state: AccreditationState::Active, ..record }.encode();
	let record = record.encode();
	let altering = proxy(
		&node,
		|_| {},
		move |_, mut bundle| {
			let place = bundle.windows(record.len()).position(|window| window == record);
			if let Some(place) = place {
				bundle[place..place + active.len()].copy_from_slice(&active);
			}
			bundle
		},
	)
	.await;
	let hidden = hex(&stored.storage_key);
	let leaving_out =
		proxy(&node, move |keys| keys.retain(|key| *key != hidden), |_, bundle| bundle).await;
	let first_keys = first.keys().len();
	let replaying = proxy(
		&node,
		|_| {},
		move |keys, _| match keys == first_keys {
			true => first_answer.clone(),
			false => whole_answer.clone(),
		},
	)
	.await;
	// This device has seen a block with the suspension.
	let seen = alice.status(fetch(&honest, &newcomer, &text));
	assert_eq!(told(&seen).1, "DV", "{seen}");
	for (liar, expected) in [
		(&altering, "the storage proof"),
		(&leaving_out, "the storage proof"),
		(&replaying, "is older than block"),
	] {
		let sentence = alice.refused(fetch(&liar.url(), &newcomer, &text));
		assert!(sentence.contains(expected), "{sentence}");
	}
}
