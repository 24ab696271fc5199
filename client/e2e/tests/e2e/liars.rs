//! Nodes that lie, or say nothing: answers that are altered on their way to the verifier, and proxies on sockets of their
//! own before a real node, which the shipped command line asks.

#[path = "../../../sdk/tests/carriers/liar.rs"]
#[allow(dead_code)]
mod liar;

use codec::Encode;
use dpki_client::Client;
use dpki_e2e::{
	Dpki, Fleet, Node, anchors, block, hex,
	proofs::{self, Device, bundle, freshness, new_device, reach},
};
use dpki_primitives::{
	ids::{KeyId, OrganisationId},
	storage_keys,
};
use dpki_verifier::{Error as Unproven, Freshness, Query};
use jsonrpsee::types::ErrorObjectOwned;
use liar::{Liar, Said, Wire};
use serde_json::Value;
use sp_crypto_hashing::blake2_256;
use std::{path::PathBuf, time::Duration};
use subxt_rpcs::{Error as RpcError, client::RpcParams};

/// What a device says to an answer.
fn verdict(device: &mut Device, answer: &[u8], query: &Query) -> Result<(), Unproven> {
	device.verify(answer, query, freshness()).map(|_| ())
}

#[tokio::test]
async fn a_node_that_answers_something_else_is_not_believed() {
	let fleet = Fleet::start("liar");
	let client = fleet.node.client().await;
	fleet.add_ssh_ca("ssh-user-ca");
	let anchor = anchors(&fleet.admin)[0];
	let query = Query::new().anchor(anchor);
	let mut device = new_device(&client).await;
	let at = client.at_finalized().await.expect("the node answers");
	let record = at.anchor(anchor).await.expect("it is read").expect("it is there").encode();
	let answer = reach(&client, &query, None, u64::from(at.head().number)).await;
	verdict(&mut device, &answer, &query).expect("this one is true");
	let mut device = new_device(&client).await;

	// Another value: one bit of the record, in its place.
	let place = answer.windows(record.len()).position(|window| window == record);
	let place = place.expect("the record is in its proof");
	for bit in [0, record.len() - 1] {
		let mut lie = answer.clone();
		lie[place + bit] ^= 1;
		let refused = verdict(&mut device, &lie, &query).expect_err("another value");
		assert!(matches!(refused, Unproven::NodeMissing | Unproven::NodeSurplus), "{refused}");
	}

	// A proof that was cut short, and one for other keys than asked.
	let refused = verdict(&mut device, &answer[..answer.len() - 1], &query);
	assert!(matches!(refused, Err(Unproven::Malformed(_))), "{refused:?}");
	let organisation = storage_keys::organisation(OrganisationId::from_name(b"acme"));
	let more = Query::new().anchor(anchor).storage_key(organisation);
	for asked in [&Query::new(), &more] {
		let refused = verdict(&mut device, &answer, asked).expect_err("another question");
		assert!(matches!(refused, Unproven::NodeMissing | Unproven::NodeSurplus), "{refused}");
	}
	let verified = device.verify(&answer, &query, freshness()).expect("it is true still");
	assert_eq!(verified.key(KeyId([1; 32])), Err(Unproven::NotAsked));

	// What was true before: refused by who knows better, and by who allows no such age.
	let id = anchor.to_string();
	let revoked = fleet.admin.ok(["revoke", "anchor", &id, "--reason", "keyCompromise", "--yes"]);
	let newer = reach(&client, &query, None, block(&revoked)).await;
	verdict(&mut device, &newer, &query).expect("this one is true");
	let refused = verdict(&mut device, &answer, &query);
	assert!(matches!(refused, Err(Unproven::OlderThanSeen { .. })), "{refused:?}");
	let mut other = new_device(&client).await;
	let strict = Freshness::at_most(Duration::from_secs(60), u64::MAX);
	let refused = other.verify(&answer, &query, strict).map(|_| ());
	assert!(matches!(refused, Err(Unproven::Stale { .. })), "{refused:?}");
}

/// A bundle whose header is another one, under the justification that the node's chain has made: as it is, and with the
/// commit rewritten to name the forged header.
fn forge(bundle: &[u8], hash: [u8; 32]) -> [Vec<u8>; 2] {
	// The version and the empty list of changes come first. The justification begins with its round, and goes on with
	// the hash of the block.
	assert_eq!(bundle[1], 0, "no change of the authority set");
	let target = bundle.windows(32).position(|window| window == hash).expect("the commit");
	let header = 2..target - 8;
	assert_eq!(blake2_256(&bundle[header.clone()]), hash);
	let mut forged = bundle.to_vec();
	forged[header.start] ^= 1;
	let mut rewritten = forged.clone();
	rewritten[target..target + 32].copy_from_slice(&blake2_256(&forged[header]));
	[forged, rewritten]
}

/// A proxy before a real node: it hands on what it is asked, as `ask` has it, and what `alter` makes of the answers.
async fn proxy(
	node: &Client,
	ask: impl Fn(Vec<Value>) -> Vec<Value> + Send + Sync + 'static,
	alter: impl Fn(Value) -> Value + Clone + Send + Sync + 'static,
) -> Liar {
	let rpc = node.rpc().clone();
	Liar::start(move |method, parameters| {
		let (rpc, alter) = (rpc.clone(), alter.clone());
		let mut handed_on = RpcParams::new();
		for parameter in ask(parameters) {
			handed_on.push(parameter).expect("it was JSON");
		}
		async move {
			let said: Said = rpc.request(method, handed_on).await.map_err(|error| match error {
				RpcError::User(error) => {
					ErrorObjectOwned::owned(error.code, error.message, None::<()>)
				},
				error => panic!("the real node does not answer: {error}"),
			});
			said.map(|answer| if method == "dpki_bundle" { alter(answer) } else { answer })
		}
	})
	.await
}

/// The answer with other bytes for a bundle.
fn with_bundle(mut answer: Value, bundle: &[u8]) -> Value {
	answer["bundle"] = hex(bundle).into();
	answer
}

/// A device that asks with the shipped command line, and always from where it stood at first.
struct Asking<'a> {
	dpki: &'a Dpki,
	anchor: String,
	checkpoint: PathBuf,
}

impl Asking<'_> {
	fn words(&self, from: &[&str]) -> Vec<String> {
		let checkpoint = self.checkpoint.display().to_string();
		let rest = ["--anchor", &self.anchor, "--checkpoint", &checkpoint, "--keep-checkpoint"];
		let from = from.iter().flat_map(|from| ["--from", from]);
		let words = ["bundle", "fetch"].into_iter().chain(from).chain(rest);
		words.map(ToOwned::to_owned).collect()
	}

	/// The sentence of the refusal of what this carrier brings.
	fn refused(&self, from: &str) -> String {
		self.dpki.refused(self.words(&[from]))
	}
}

// The command line is waited for on one thread, and what it asks is answered on others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_before_a_real_node_is_not_believed() {
	let fleet = Fleet::start("proxies");
	let elsewhere = Node::start_elsewhere(&fleet.workspace);
	let (own, other) = (fleet.node.client().await, elsewhere.client().await);
	fleet.add_ssh_ca("ssh-user-ca");
	let anchor = anchors(&fleet.admin)[0];
	let checkpoint = fleet.workspace.join("device.checkpoint");
	let taken = fleet.admin.ok(["bundle", "checkpoint", &checkpoint.display().to_string()]);
	// Whoever is shown the block that it knows needs no votes to tell a forged one.
	let known = taken["block"].as_u64().expect("the number of a block");
	for chain in [&own, &other] {
		reach(chain, &Query::new(), None, known + 1).await;
	}
	let asking = Asking { dpki: &fleet.admin, anchor: anchor.to_string(), checkpoint };
	let as_asked = |parameters| parameters;

	// One that changes nothing is as good as the node.
	let honest = proxy(&own, as_asked, |answer| answer).await;
	let told = fleet.admin.status(asking.words(&[&honest.url()]));
	assert_eq!(told["records"][0]["status"], "valid", "{told}");

	// Another value.
	let record = own.at_finalized().await.expect("the node answers").anchor(anchor).await;
	let record = record.expect("it is read").expect("it is there").encode();
	let altering = proxy(&own, as_asked, move |answer| {
		let mut bundle = proofs::bytes(&answer["bundle"]);
		let place = bundle.windows(record.len()).position(|window| window == record);
		bundle[place.expect("the record is in its proof")] ^= 1;
		with_bundle(answer, &bundle)
	})
	.await;
	let sentence = asking.refused(&altering.url());
	assert!(sentence.contains("the storage proof"), "{sentence}");

	// The real justification of a real node, over a header that nobody has finalised.
	for (which, expected) in
		[(0, "the justification is not for block"), (1, "is not linked to the target")]
	{
		let forging = proxy(&own, as_asked, move |answer| {
			let hash = proofs::bytes(&answer["blockHash"]).try_into().expect("a hash");
			let forged = forge(&proofs::bytes(&answer["bundle"]), hash);
			with_bundle(answer, &forged[which])
		})
		.await;
		let sentence = asking.refused(&forging.url());
		assert!(sentence.contains(expected), "{sentence}");
	}

	// The other chain of the same authorities, which does not know the checkpoint and need not be told of it.
	let without_checkpoint = |mut parameters: Vec<Value>| {
		parameters.truncate(1);
		parameters
	};
	let straying = proxy(&other, without_checkpoint, |answer| answer).await;
	let sentence = asking.refused(&straying.url());
	assert!(sentence.contains("the state is that of another chain"), "{sentence}");
	// Who leaves the genesis hash out has nothing that tells them apart: the anchor is proven absent, on the other chain.
	let mut unbound = asking.words(&[&straying.url()]);
	unbound.push("--no-bind-genesis".into());
	let told = fleet.admin.status(unbound);
	assert_eq!(told["records"][0]["status"], "unknown", "{told}");

	// One that breaks off in its answer is told of, and passed over.
	let cut = Wire::Cut(500).to(honest.address).await;
	let sentence = asking.refused(&cut);
	assert!(sentence.contains("broke off in its answer"), "{sentence}");
	let told = fleet.admin.status(asking.words(&[&cut, &honest.url()]));
	assert_eq!(told["carrier"], honest.url());
	assert!(told["warnings"][0].as_str().is_some_and(|it| it.contains("broke off")), "{told}");

	// What was true before the revocation, again and again: whoever has seen the revocation does not go back.
	let query = Query::new().anchor(anchor).bind_genesis();
	let (_, old) = bundle(&own, &query, None).await.expect("it is served");
	let id = anchor.to_string();
	let revoked = fleet.admin.ok(["revoke", "anchor", &id, "--reason", "keyCompromise", "--yes"]);
	reach(&own, &query, None, block(&revoked)).await;
	let replaying = proxy(&own, as_asked, move |answer| with_bundle(answer, &old)).await;
	let mut words = asking.words(&[&honest.url()]);
	words.retain(|word| word != "--keep-checkpoint");
	let told = fleet.admin.status(words);
	assert_eq!(told["records"][0]["status"], "revoked", "{told}");
	let sentence = asking.refused(&replaying.url());
	assert!(sentence.contains("is older than block"), "{sentence}");
}

#[tokio::test]
async fn another_chain_of_the_same_authorities_is_not_believed() {
	let fleet = Fleet::start("other-chain");
	let elsewhere = Node::start_elsewhere(&fleet.workspace);
	let (own, other) = (fleet.node.client().await, elsewhere.client().await);
	assert_ne!(own.genesis_hash(), other.genesis_hash());
	let query = Query::new().bind_genesis();
	let serve = async |client: &Client| reach(client, &query, None, 3).await;
	let (own_answer, other_answer) = (serve(&own).await, serve(&other).await);

	let mut device = new_device(&own).await;
	let refused = verdict(&mut device, &other_answer, &query);
	assert_eq!(refused, Err(Unproven::OtherChain), "the votes are good, the chain is another");
	verdict(&mut device, &own_answer, &query).expect("this one is true");

	// The checkpoint of another chain, at a node of this one.
	let mut astray = new_device(&other).await;
	let refused = verdict(&mut astray, &own_answer, &query);
	assert_eq!(refused, Err(Unproven::OtherChain));
	let unknown = bundle(&own, &query, Some(astray.checkpoint().hash)).await.map(|_| ());
	assert!(unknown.is_err_and(|error| error.to_string().contains("no finalised block")));
}

#[tokio::test]
async fn a_node_that_stops_answering_is_told_as_such() {
	let fleet = Fleet::start("silent");
	let device = fleet.enrol("drone-1").await;
	assert_eq!(fleet.admin.status(["status", "device", "acme/drone-1"])["status"], "valid");
	fleet.node.freeze();
	let sentence = fleet.admin.refused(["status", "device", "acme/drone-1"]);
	assert!(sentence.contains("no node answers"), "{sentence}");
	let sentence = device.refused_run_within(5);
	assert!(sentence.contains("no fresh finalised block came within 5 s"), "{sentence}");
}
