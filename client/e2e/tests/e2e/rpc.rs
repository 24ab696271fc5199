//! What the node's own methods `dpki_*` promise: bundles that a device can verify, and events without gaps.

use codec::Decode;
use dpki_client::{Account, Client, RpcClient, calls};
use dpki_e2e::{
	Dpki, Fleet, Node, PATIENCE, Workspace, anchors, block, hex,
	proofs::{bundle, bytes, fragments, freshness, new_device, reach, schedule_change},
};
use dpki_primitives::{
	ids::{AnchorId, DeviceId, OrganisationId},
	revocation::{RevocationReason, SshSubject},
	status::Status,
};
use dpki_verifier::{Error as Unproven, Query};
use serde_json::Value;
use std::time::Duration;
use subxt_rpcs::{
	Error as RpcError,
	client::{RpcParams, RpcSubscription, rpc_params},
};

#[tokio::test]
async fn a_bundle_proves_to_a_device_what_is_there_and_what_is_not() {
	let fleet = Fleet::start("bundle");
	let client = fleet.node.client().await;
	let mut device = new_device(&client).await;
	fleet.add_ssh_ca("ssh-user-ca");
	let anchor = anchors(&fleet.admin)[0];
	let nobody = AnchorId([0x77; 32]);
	let query = Query::new().anchor(anchor).anchor(nobody).bind_genesis();

	let head = client.finalized_head().await.expect("the node answers").number;
	let first = bundle(&client, &query, None).await.expect("it is served");
	let verified = device.verify(&first.1, &query, freshness()).expect("it is proven");
	assert_eq!(verified.anchor_status(anchor), Ok(Status::Valid));
	assert_eq!(verified.anchor_status(nobody), Ok(Status::Unknown));
	assert_eq!(verified.anchor(nobody).expect("it was asked for").get(), None);
	assert_eq!(u64::from(verified.number()), first.0);

	// As new as what the node shows as finalised, although only every sixteenth justification is stored.
	assert!(verified.number() >= head, "{} and {head}", verified.number());

	// The next one is for the device as it now is.
	let id = anchor.to_string();
	let revoked = fleet.admin.ok(["revoke", "anchor", &id, "--reason", "keyCompromise", "--yes"]);
	let known = device.checkpoint().hash;
	let next = reach(&client, &query, Some(known), block(&revoked)).await;
	let verified = device.verify(&next, &query, freshness()).expect("it is proven");
	assert!(matches!(verified.anchor_status(anchor), Ok(Status::Revoked(_))));

	// The old one is refused now, and so is one with a bit of the state's proof flipped.
	let stale = device.verify(&first.1, &query, freshness()).map(|_| ());
	assert!(matches!(stale, Err(Unproven::OlderThanSeen { .. })), "{stale:?}");
	let mut flipped = next.clone();
	*flipped.last_mut().expect("it is not empty") ^= 1;
	assert!(device.verify(&flipped, &query, freshness()).is_err());
}

#[tokio::test]
async fn a_device_follows_a_change_of_the_authorities() {
	let workspace = Workspace::new("fragments");
	let node = Node::start(&workspace);
	let alice = Dpki::new(&node, "//Alice");
	let client = node.client().await;
	let mut away = new_device(&client).await;
	let mut follower = new_device(&client).await;
	let genesis = hex(&client.genesis_hash());

	let none = fragments(&client, None).await;
	assert_eq!((&none["count"], &none["isFinished"]), (&0.into(), &true.into()));
	assert_eq!(none["last"], genesis.as_str());

	// The same authority in a set of its own: what a session with new validators would bring, at a block of our choice.
	let change = client.finalized_head().await.expect("the node answers").number + 10;
	alice.ok(["motion", "propose", "root", &hex(&schedule_change(&follower, change))]);
	let query = Query::new();
	reach(&client, &query, None, u64::from(change) + 1).await;

	let answer = fragments(&client, None).await;
	assert_eq!((&answer["count"], &answer["isFinished"]), (&1.into(), &true.into()));
	let advanced = follower.advance(&bytes(&answer["fragments"])).expect("it is proven");
	assert_eq!((advanced.number, advanced.set.id()), (change, 1));
	assert_eq!(answer["last"], hex(&advanced.hash).as_str());
	let rest = fragments(&client, Some(advanced.hash)).await;
	assert_eq!((&rest["count"], &rest["last"]), (&0.into(), &answer["last"]));

	// A bundle brings the change with it for who does not know it, and is shorter for who does.
	let known = Some(follower.checkpoint().hash);
	let (_, long) = bundle(&client, &query, None).await.expect("it is served");
	let (_, short) = bundle(&client, &query, known).await.expect("it is served");
	assert!(short.len() + 200 < long.len(), "{} and {}", short.len(), long.len());
	for (device, bundle) in [(&mut away, &long), (&mut follower, &short)] {
		let verified = device.verify(bundle, &query, freshness()).expect("it is proven");
		assert_eq!(verified.checkpoint().set.id(), 1);
	}
}

#[tokio::test]
async fn what_is_beyond_the_limits_is_refused_with_a_code_and_a_sentence() {
	let workspace = Workspace::new("limits");
	let node = Node::start(&workspace);
	let client = node.client().await;
	let key = |length: usize| hex(&vec![7; length]);
	let unknown = hex(&[7; 32]);
	let many: Vec<_> = (0..65u8).map(|number| hex(&[number; 32])).collect();
	for (method, params, code, words) in [
		("dpki_bundle", rpc_params![[hex(b":code")]], 18_003, "a storage key has 5 bytes"),
		("dpki_bundle", rpc_params![[key(31)]], 18_003, "those of records have 32 to 256"),
		("dpki_bundle", rpc_params![[key(257)]], 18_003, "has 257 bytes"),
		("dpki_bundle", rpc_params![many], 18_002, "at most 64 are allowed"),
		("dpki_bundle", rpc_params![Vec::<String>::new(), &unknown], 18_005, "no finalised block"),
		("dpki_warpFragments", rpc_params![&unknown], 18_005, "no finalised block"),
	] {
		let refused = client.rpc().request::<Value>(method, params).await;
		let (found, message) = refusal(refused.map(|_| ()));
		assert_eq!(found, code, "{message}");
		assert!(message.contains(words), "{message}");
	}

	let refused = subscribe(&node, "Revocations", rpc_params![1_000_000]).await;
	let (code, message) = refusal(refused.map(|_| ()));
	assert_eq!(code, 18_011, "{message}");
}

#[tokio::test]
async fn a_connection_has_so_many_subscriptions_and_no_more() {
	let workspace = Workspace::new("seats");
	let node = Node::start(&workspace);
	let rpc = RpcClient::from_url(node.url()).await.expect("the node answers");
	let subscribe = || {
		rpc.subscribe::<Value>(
			"dpki_subscribeDeliveries",
			rpc_params![],
			"dpki_unsubscribeDeliveries",
		)
	};
	let mut taken = Vec::new();
	for _ in 0..16 {
		taken.push(subscribe().await.expect("a seat is free"));
	}
	let (code, message) = refusal(subscribe().await.map(|_| ()));
	assert_eq!(code, 18_012, "{message}");

	// Another connection has seats of its own, and a seat that is left can be taken again.
	let other = self::subscribe(&node, "Deliveries", rpc_params![]).await;
	other.expect("another connection has its own seats");
	drop(taken.pop());
	let again = async {
		while let Err(error) = subscribe().await {
			assert_eq!(refusal(Err(error)).0, 18_012);
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	};
	tokio::time::timeout(PATIENCE, again).await.expect("the seat is given back");
}

#[tokio::test]
async fn revocations_are_told_once_each_across_a_restart_of_the_node() {
	let mut fleet = Fleet::start("replay");
	fleet.add_ssh_ca("ssh-user-ca");
	let anchor = anchors(&fleet.admin)[0];
	let client = fleet.node.client().await;

	let mut heard = Heard::of("revocations");
	let mut following =
		subscribe(&fleet.node, "Revocations", rpc_params![1]).await.expect("it begins");
	for serial in [1, 2] {
		revoke(&client, anchor, serial).await;
	}
	heard.until(&mut following, 2).await;
	drop(following);

	// While nobody listens, and then the node is killed.
	let last = revoke(&client, anchor, 3).await;
	reach(&client, &Query::new(), None, u64::from(last) + 5).await;
	fleet.node.stop();
	fleet.node.resume();

	// From the replay into what is new.
	let since = heard.last_block + 1;
	let mut following = subscribe(&fleet.node, "Revocations", rpc_params![since])
		.await
		.expect("it begins");
	let client = fleet.node.client().await;
	revoke(&client, anchor, 4).await;
	heard.until(&mut following, 4).await;
	assert_eq!(heard.serials(), [1, 2, 3, 4]);
	assert!(heard.is_in_order(), "{:?}", heard.places);

	// Whoever begins anew hears the same in the same places.
	let mut all = Heard::of("revocations");
	let mut following =
		subscribe(&fleet.node, "Revocations", rpc_params![1]).await.expect("it begins");
	all.until(&mut following, 4).await;
	assert_eq!((all.told, all.places), (heard.told, heard.places));
}

#[tokio::test]
async fn a_subscriber_learns_where_it_stands_while_nothing_happens() {
	let workspace = Workspace::new("quiet");
	let node = Node::start(&workspace);
	let mut following = subscribe(&node, "Revocations", rpc_params![]).await.expect("it begins");
	let first = following.next().await;
	assert_eq!(first["revocations"], Value::Array(Vec::new()));
	let second = following.next().await;
	let number = |told: &Value| told["blockNumber"].as_u64().expect("a number");
	assert_eq!(number(&second), number(&first) + 16);
}

#[tokio::test]
async fn a_replay_from_a_pruned_block_is_refused_with_the_oldest_one() {
	let workspace = Workspace::new("pruned");
	let node = Node::start_with(&workspace, &["--state-pruning", "10"]);
	let client = node.client().await;
	reach(&client, &Query::new(), None, 20).await;
	let (code, message) =
		refusal(subscribe(&node, "Revocations", rpc_params![2]).await.map(|_| ()));
	assert_eq!(code, 18_010, "{message}");
	let words = message
		.split_once("the oldest are those of block ")
		.expect("the oldest block")
		.1;
	let oldest: u32 = words.split(':').next().and_then(|n| n.parse().ok()).expect("a number");
	assert!((3..=40).contains(&oldest), "{message}");

	// Some blocks later, because the oldest is pruned while we speak.
	let since = oldest + 6;
	let mut following =
		subscribe(&node, "Revocations", rpc_params![since]).await.expect("it begins");
	let told = following.next().await;
	assert_eq!(told["blockNumber"], since);
}

#[tokio::test]
async fn a_device_hears_of_deliveries_for_it() {
	let fleet = Fleet::start("hearing");
	let device = fleet.enrol("drone-1").await;
	let other = fleet.enrol("drone-2").await;
	let deliver =
		|name: &str| fleet.admin.ok(["deliver", "--org", "acme", "--device", name, "--empty"]);
	let first = deliver("drone-2");
	let second = deliver("drone-1");

	let params = |device: DeviceId| rpc_params![1, device.to_string()];
	for (id, delivered) in [(device.id(), second), (other.id(), first)] {
		let mut following =
			subscribe(&fleet.node, "Deliveries", params(id)).await.expect("it begins");
		let told = loop {
			let told = following.next().await;
			if told["deliveries"] != Value::Array(Vec::new()) {
				break told;
			}
		};
		let deliveries = told["deliveries"].as_array().expect("a list");
		assert_eq!(deliveries.len(), 1, "{told}");
		assert_eq!(deliveries[0]["device"], id.to_string());
		assert_eq!(deliveries[0]["channel"], 0);
		assert_eq!(deliveries[0]["kind"], "published");
		assert_eq!(deliveries[0]["sequence"], delivered["sequence"]);
		let organisation = OrganisationId::from_name(b"acme").to_string();
		assert_eq!(deliveries[0]["organisation"], organisation);
	}
}

#[tokio::test]
async fn deliveries_are_told_once_each_across_a_restart_of_the_node() {
	let mut fleet = Fleet::start("delivered");
	let mut device = fleet.enrol("drone-1").await;
	let other = fleet.enrol("drone-2").await;
	// The first device applies and acknowledges what it gets; nobody is at home at the second one.
	let deliver = |fleet: &Fleet| {
		let words = |name| ["deliver", "--org", "acme", "--device", name, "--empty"];
		fleet.admin.ok(words("drone-2"));
		fleet.admin.ok(words("drone-1").into_iter().chain(["--wait"]))
	};
	let params = |since: u64| rpc_params![since, device.id().to_string()];

	let mut heard = Heard::of("deliveries");
	let mut following = subscribe(&fleet.node, "Deliveries", params(1)).await.expect("it begins");
	device.start();
	deliver(&fleet);
	heard.until(&mut following, 2).await;
	drop(following);

	// While nobody listens, and then the node is killed.
	let last = deliver(&fleet);
	let client = fleet.node.client().await;
	reach(&client, &Query::new(), None, block(&last) + 5).await;
	device.stop();
	fleet.node.stop();
	fleet.node.resume();

	// From the replay into what is new.
	let params = |since: u64| rpc_params![since, device.id().to_string()];
	let mut following = subscribe(&fleet.node, "Deliveries", params(heard.last_block + 1))
		.await
		.expect("it begins");
	device.start();
	deliver(&fleet);
	heard.until(&mut following, 6).await;
	let own: Vec<_> = (1..=3)
		.flat_map(|number| [(number, "published"), (number, "applied")])
		.collect();
	assert_eq!(heard.of_device(device.id()), own);
	assert!(heard.is_in_order(), "{:?}", heard.places);

	// Whoever begins anew hears the same in the same places, and of others if it names no device.
	let mut again = Heard::of("deliveries");
	let params = rpc_params![1, device.id().to_string()];
	let mut following = subscribe(&fleet.node, "Deliveries", params).await.expect("it begins");
	again.until(&mut following, 6).await;
	assert_eq!((&again.told, &again.places), (&heard.told, &heard.places));
	let mut all = Heard::of("deliveries");
	let mut following =
		subscribe(&fleet.node, "Deliveries", rpc_params![1]).await.expect("it begins");
	all.until(&mut following, 9).await;
	assert_eq!(all.of_device(device.id()), own);
	let published = [1u64, 2, 3].map(|number| (number, "published"));
	assert_eq!(all.of_device(other.id()), published);
	assert!(all.is_in_order(), "{:?}", all.places);
}

#[tokio::test]
async fn a_node_that_has_finalised_nothing_yet_says_so_and_who_is_ahead_of_it() {
	let workspace = Workspace::new("unfinal");
	// It makes blocks, and has no vote on what is final.
	let node = Node::start_with(&workspace, &["--no-grandpa"]);
	let rpc = RpcClient::from_url(node.url()).await.expect("the node answers");
	let mut heads = rpc
		.subscribe::<Value>("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads")
		.await
		.expect("it begins");
	let made = async {
		while let Some(head) = heads.next().await {
			if head.expect("the node tells of it")["number"] != "0x0" {
				return;
			}
		}
		panic!("the subscription goes on");
	};
	tokio::time::timeout(PATIENCE, made).await.expect("a block is made");
	let newest: Value = rpc.request("chain_getBlockHash", rpc_params![]).await.expect("it is told");

	let nothing = Vec::<String>::new();
	for (checkpoint, expected) in [(Value::Null, 18_001), (newest, 18_006)] {
		let params = rpc_params![&nothing, &checkpoint];
		let refused = rpc.request::<Value>("dpki_bundle", params).await;
		let (code, message) = refusal(refused.map(|_| ()));
		assert_eq!(code, expected, "{message}");
		assert!(message.contains("ask again"), "{message}");
	}
}

/// A subscription over a connection of its own, which ends with it.
struct Following {
	notifications: RpcSubscription<Value>,
	_connection: RpcClient,
}

async fn subscribe(node: &Node, what: &str, params: RpcParams) -> Result<Following, RpcError> {
	let connection = RpcClient::from_url(node.url()).await.expect("the node answers");
	let (begin, end) = (format!("dpki_subscribe{what}"), format!("dpki_unsubscribe{what}"));
	let notifications = connection.subscribe(&begin, params, &end).await?;
	Ok(Following { notifications, _connection: connection })
}

impl Following {
	async fn next(&mut self) -> Value {
		tokio::time::timeout(PATIENCE, self.notifications.next())
			.await
			.expect("the node tells something")
			.expect("the node does not end the subscription")
			.expect("the subscription goes on")
	}
}

/// What a subscriber has heard.
struct Heard {
	/// The field of a notification that lists what happened.
	list: &'static str,
	told: Vec<Value>,
	/// Block and event of each.
	places: Vec<(u64, u64)>,
	last_block: u64,
}

impl Heard {
	fn of(list: &'static str) -> Self {
		Self { list, told: Vec::new(), places: Vec::new(), last_block: 0 }
	}

	/// Listens until there are so many.
	async fn until(&mut self, following: &mut Following, count: usize) {
		while self.told.len() < count {
			let told = following.next().await;
			let block = told["blockNumber"].as_u64().expect("a number");
			assert!(block > self.last_block, "block {block} after {}", self.last_block);
			self.last_block = block;
			for event in told[self.list].as_array().expect("a list") {
				self.places.push((block, event["index"].as_u64().expect("a number")));
				self.told.push(event.clone());
			}
		}
	}

	/// Whether each came after the one before, and none came twice.
	fn is_in_order(&self) -> bool {
		self.places.is_sorted_by(|one, next| one < next)
	}

	/// The serial numbers that were revoked.
	fn serials(&self) -> Vec<u64> {
		let serial = |revocation: &Value| {
			assert_eq!(revocation["kind"], "sshSubject");
			let subject = SshSubject::decode(&mut &*bytes(&revocation["subject"]));
			let Ok(SshSubject::Serial(serial)) = subject else { panic!("{revocation}") };
			serial
		};
		self.told.iter().map(serial).collect()
	}

	/// What happened to the deliveries for this device: number, and what.
	fn of_device(&self, device: DeviceId) -> Vec<(u64, &str)> {
		let id = device.to_string();
		let own = self.told.iter().filter(|delivery| delivery["device"] == id.as_str());
		let happened = |delivery: &'_ Value| delivery["sequence"].as_u64().expect("a number");
		own.map(|it| (happened(it), it["kind"].as_str().expect("a word"))).collect()
	}
}

/// Revokes a serial number and gives the finalised block in which that happened.
async fn revoke(client: &Client, anchor: AnchorId, serial: u64) -> u32 {
	let alice = Account::from_uri("//Alice").expect("a development account");
	let call = calls::revoke_ssh(anchor, SshSubject::Serial(serial), RevocationReason::Superseded);
	client.submit(&alice, &call).await.expect("it is revoked").number
}

/// Code and sentence of a refusal.
fn refusal(result: Result<(), RpcError>) -> (i32, String) {
	match result {
		Err(RpcError::User(refused)) => (refused.code, refused.message),
		other => panic!("not refused as it should: {other:?}"),
	}
}
