//! Nodes that lie, or say nothing.

use codec::Encode;
use dpki_client::Client;
use dpki_e2e::{
	Fleet, Node, anchors, block,
	proofs::{Device, bundle, freshness, new_device, reach},
};
use dpki_primitives::{
	ids::{KeyId, OrganisationId},
	storage_keys,
};
use dpki_verifier::{Error as Unproven, Freshness, Query};
use std::time::Duration;

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
