//! Nodes that lie, or say nothing: answers that are altered on their way to the verifier, and proxies on sockets of their
//! own before a real node, which the shipped command line asks.

use crate::liar::{Liar, Said, Wire};
use codec::Encode;
use dpki_client::{Client, RpcClient, possession::AgreementKey};
use dpki_e2e::{
	Dpki, Fleet, Node, anchors, block, hex, login_name,
	proofs::{self, Device, bundle, freshness, new_device, reach},
};
use dpki_primitives::{
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, PublicKey},
	storage_keys,
};
use dpki_verifier::{Checkpoint, Error as Unproven, Freshness, Query};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::Value;
use sp_crypto_hashing::blake2_256;
use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};
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
		let (asking, alter) = (hand_on(rpc.clone(), method, ask(parameters)), alter.clone());
		async move {
			let said = asking.await;
			said.map(|answer| if method == "dpki_bundle" { alter(answer) } else { answer })
		}
	})
	.await
}

/// What a real node says to this.
pub async fn hand_on(rpc: RpcClient, method: &'static str, parameters: Vec<Value>) -> Said {
	let mut handed_on = RpcParams::new();
	for parameter in parameters {
		handed_on.push(parameter).expect("it was JSON");
	}
	rpc.request(method, handed_on).await.map_err(|error| match error {
		RpcError::User(error) => ErrorObjectOwned::owned(error.code, error.message, None::<()>),
		error => panic!("the real node does not answer: {error}"),
	})
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

/// A proxy before a real node that has this key in the place of the one to which deliveries to a device are encrypted: in what
/// it tells, and in the proofs of that.
async fn impostor(node: &Client, device: DeviceId, made_up: &PublicKey) -> Liar {
	let view = node.at_finalized().await.expect("the node answers");
	let keys = view.keys_of(device).await.expect("they are read");
	let agreement = keys.into_iter().find(|(_, key)| key.purpose == KeyPurpose::KeyAgreement);
	let (real, record) = agreement.expect("it has one");
	let digits = |key: &PublicKey| hex::encode(&key.bytes[..]);
	let ids = (hex::encode(real.0), hex::encode(KeyId::of(made_up).0));
	let keys = (digits(&record.public), digits(made_up));
	let rpc = node.rpc().clone();
	Liar::start(move |method, parameters| {
		let (ids, keys) = (ids.clone(), keys.clone());
		let asked = with_other(&Value::Array(parameters), &ids.1, &ids.0);
		let Value::Array(asked) = asked else { panic!("a list stays one") };
		let asking = hand_on(rpc.clone(), method, asked);
		async move {
			let answer = asking.await?;
			// What is wrong with a head is noticed before anything is asked about keys.
			if !method.starts_with("state_") {
				return Ok(answer);
			}
			Ok(with_other(&with_other(&answer, &ids.0, &ids.1), &keys.0, &keys.1))
		}
	})
	.await
}

/// The same with other digits in the place of these.
fn with_other(value: &Value, these: &str, other: &str) -> Value {
	serde_json::from_str(&value.to_string().replace(these, other)).expect("it stays JSON")
}

/// A path for the command line.
pub fn text(path: &Path) -> String {
	path.display().to_string()
}

// As above, the proxies answer while the command line is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sealed_to_a_key_that_a_node_has_made_up() {
	let fleet = Fleet::start("made-up");
	let file = |name: &str| text(&fleet.workspace.join(name));
	let user_ca = text(&fleet.add_ssh_ca("ssh-user-ca"));
	let device = fleet.enrol("drone-7").await;
	fleet.user_key("alice");
	let checkpoint = file("checkpoint");
	fleet.admin.ok(["bundle", "checkpoint", &checkpoint]);
	let proven = ["--checkpoint", &checkpoint];
	let deliver = |review: &str, more: &[&str]| -> Vec<String> {
		let words = ["deliver", "--org", "acme", "--device", "drone-7", "--empty", "--review"];
		[&words[..], &[review], more].concat().into_iter().map(Into::into).collect()
	};
	let (alice, review, login) = (file("alice"), file("review"), login_name());
	let grant: Vec<&str> = [
		&["access", "grant", "acme/drone-7", "--login", &login, "--ca", &user_ca][..],
		&["--key", &alice, "--review", &review],
	]
	.concat();

	// A node that lies about nothing proves what it says.
	let first = fleet.admin.ok(deliver(&review, &proven));
	assert_eq!(first["sequence"], 1);
	let granted = fleet.admin.ok([&grant[..], &proven].concat());
	assert_eq!(granted["sequence"], 2);

	// The lie is a good one: whoever believes the node seals to its key.
	let own = fleet.node.client().await;
	let made_up = AgreementKey::from_secret_bytes(&[7; 32]).public();
	let liar = impostor(&own, device.id(), &made_up).await;
	let astray = fleet.admin.moved_to(&liar.url());
	astray.refused(deliver(&file("believed"), &[]));
	let sealed: Value = serde_json::from_str(
		&fs::read_to_string(file("believed")).expect("it was sealed before it was sent"),
	)
	.expect("it is JSON");
	assert_eq!(sealed["recipient"], KeyId::of(&made_up).to_string());

	// Who wants it proven does not, and sends nothing.
	let sentence = astray.refused(deliver(&file("unproven"), &proven));
	assert!(sentence.contains("is not proven by what the node answers"), "{sentence}");
	assert!(!fleet.workspace.join("unproven").exists(), "nothing was sealed");
	let sentence = astray.refused([&grant[..], &proven].concat());
	assert!(sentence.contains("is not proven by what the node answers"), "{sentence}");
	let status = fleet.admin.status(["status", "delivery", "acme/drone-7"]);
	assert_eq!(status["sequence"], 2, "{status}");
	let listed = fleet.admin.ok(["access", "list", "acme/drone-7"]);
	assert_eq!(listed["grants"].as_array().map(Vec::len), Some(1), "{listed}");

	// The checkpoint of another chain.
	let bytes = fs::read(&checkpoint).expect("it is there");
	let taken = Checkpoint::decode(&bytes).expect("it is a checkpoint");
	let other = Checkpoint { genesis: [7; 32], ..taken };
	fs::write(fleet.workspace.join("other"), other.encode()).expect("writes the file");
	let sentence = fleet
		.admin
		.refused(deliver(&file("unproven"), &["--checkpoint", &file("other")]));
	assert!(sentence.contains("of another chain"), "{sentence}");
}

#[tokio::test]
async fn a_node_elsewhere_proves_what_it_says_from_what_was_proven_before() {
	let fleet = Fleet::start("elsewhere-proven");
	let (memory, checkpoint) =
		(fleet.workspace.join("memory"), text(&fleet.workspace.join("checkpoint")));
	let _device = fleet.enrol("drone-7").await;
	fleet.admin.ok(["bundle", "checkpoint", &checkpoint]);
	let words = ["deliver", "--org", "acme", "--device", "drone-7", "--empty"];
	// An address that is not known to be that of this computer.
	let remote = fleet.node.url().replace("127.0.0.1", "0.0.0.0");
	let admin = fleet.admin.remembering(&memory).moved_to(&remote);
	let remembered = || {
		let folder = fs::read_dir(memory.join("dpki/checkpoints")).expect("it is remembered");
		let files: Vec<_> = folder.map(|entry| entry.expect("it is read").path()).collect();
		let [file] = &files[..] else { panic!("one chain: {files:?}") };
		let bytes = fs::read(file).expect("it is read");
		Checkpoint::decode(&bytes[32..]).expect("it is a checkpoint").number
	};

	let sentence = admin.refused(words);
	assert!(sentence.contains("is not proven without a checkpoint"), "{sentence}");
	assert!(!memory.exists(), "nothing is remembered by the word of the node");
	let given = admin.ok([&words[..], &["--checkpoint", &checkpoint]].concat());
	assert_eq!(given["sequence"], 1);
	let first = remembered();
	assert_eq!(admin.ok(words)["sequence"], 2);
	assert!(remembered() > first, "{} after {first}", remembered());

	// A node of one's own is believed, whatever was remembered of its chain.
	assert_eq!(fleet.admin.ok(words)["sequence"], 3);
}

/// What the chain would do as root if the council let it: `System.remark` with a text.
const REMARK: &str = "0x00001074657374";

// As above, the proxy answers while the command line is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_votes_on_a_call_that_a_node_has_made_up() {
	let fleet = Fleet::start("made-up-motion");
	let checkpoint = text(&fleet.workspace.join("checkpoint"));
	fleet.admin.ok(["bundle", "checkpoint", &checkpoint]);
	// Of one seat one vote decides, of two both.
	fleet.admin.ok(["motion", "propose", "admit", "//Bob"]);
	let proposed = fleet.admin.ok(["motion", "propose", "root", REMARK]);
	let motion = proposed["motion"].to_string();
	let shown = fleet.admin.ok(["motion", "show", &motion]);
	assert_eq!(shown["state"], "open", "{shown}");
	let bytes = |value: &Value| {
		let digits = value.as_str().expect("digits").trim_start_matches("0x");
		hex::decode(digits).expect("they are digits")
	};
	let (call, hash) = (bytes(&shown["call_bytes"]), hex::encode(bytes(&shown["call_hash"])));
	let mut made_up = call.clone();
	*made_up.last_mut().expect("it is not empty") ^= 1;
	let lies = [
		(hex::encode(&call), hex::encode(&made_up)),
		(hash.clone(), hex::encode(blake2_256(&made_up))),
	];
	let rpc = fleet.node.client().await.rpc().clone();
	let liar = Liar::start(move |method, parameters| {
		let (asking, lies) = (hand_on(rpc.clone(), method, parameters), lies.clone());
		async move {
			let answer = asking.await?;
			if !method.starts_with("state_") {
				return Ok(answer);
			}
			Ok(lies
				.iter()
				.fold(answer, |answer, (these, other)| with_other(&answer, these, other)))
		}
	})
	.await;

	// The lie is a good one: whoever believes the node sees another call, with its hash.
	let bob = fleet.admin.acting_for("//Bob");
	let astray = bob.moved_to(&liar.url());
	let told = astray.ok(["motion", "show", &motion]);
	assert_eq!(bytes(&told["call_bytes"]), made_up, "{told}");
	let vote = ["motion", "vote", &motion, "aye"];
	let proven = ["--yes", "--checkpoint", &checkpoint];
	let sentence = astray.refused([&vote[..], &proven].concat());
	assert!(sentence.contains("is not proven by what the node answers"), "{sentence}");
	// Who knows which call is meant votes on no other, whoever is believed.
	let hash = format!("0x{hash}");
	let meant = [&vote[..], &["--yes", "--call-hash", &hash]].concat();
	let sentence = astray.refused(meant.clone());
	assert!(sentence.contains("and not the one that was given"), "{sentence}");
	// Nobody is asked where there is no terminal.
	let sentence = bob.refused(vote);
	assert!(sentence.contains("no terminal to ask"), "{sentence}");
	let shown = fleet.admin.ok(["motion", "show", &motion]);
	assert_eq!(shown["votes"]["ayes"], 1, "{shown}");

	// A node that proves what it says proves what became of the vote, too.
	let voted = bob.ok([&meant[..], &["--checkpoint", &checkpoint]].concat());
	assert_eq!(voted["state"], "carried", "{voted}");
	assert_eq!(voted["proven"], true, "{voted}");
}
