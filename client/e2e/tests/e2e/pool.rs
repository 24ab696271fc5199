//! A node that lies about its pool: a proxy on a socket of its own before a real node, which hands on everything but
//! transactions. The shipped command line sends them to it, and goes by what was proven before.
//!
//! What a pool says is nothing that a chain proves. So the command says neither that something was done nor that it was refused,
//! and keeps what is needed if it was done.

use crate::liars::{hand_on, text};
use dpki_client::{Client, RpcClient};
use dpki_e2e::{Dpki, Fleet, hex};
use dpki_primitives::refusal::Refusal;
use jsonrpsee::{
	PendingSubscriptionSink, RpcModule, SubscriptionMessage,
	server::{Server, ServerHandle},
	types::ErrorObjectOwned,
};
use serde_json::{Value, json};
use std::{
	net::SocketAddr,
	sync::{Arc, Mutex, PoisonError},
};
use subxt_rpcs::rpc_params;

/// Milliseconds between blocks: a transaction lapses after 64 of them.
const SLOT: u64 = 300;

/// What is handed on to the real node.
const METHODS: [&str; 11] = [
	"chain_getBlock",
	"chain_getBlockHash",
	"chain_getFinalizedHead",
	"chain_getHeader",
	"dpki_bundle",
	"dpki_warpFragments",
	"state_call",
	"state_getReadProof",
	"state_getRuntimeVersion",
	"state_getStorage",
	"system_accountNextIndex",
];

/// The runtime as it judges a transaction whose number in the account was used: an error, an invalid transaction, stale.
const STALE: &str = "0x010003";

/// What the node says of a transaction. It hands it to nobody, but for one of the lies.
#[derive(Clone, Copy)]
enum Lie {
	/// That its pool does not take it, with this code, message and data.
	Refused(i32, &'static str, Option<&'static str>),
	/// That its pool and the runtime find it outdated.
	Outdated,
	/// That its pool does not take it, which it does.
	RefusedAndKept,
	/// That the newest finalised block holds it.
	Final,
	/// The same, and it shows that block with it.
	FinalAndShown,
	/// That a block is final which there is not.
	FinalNowhere,
	/// That it has it; later that it does not know it any more.
	Swallowed,
}

/// What the proxy goes by.
struct Context {
	rpc: RpcClient,
	lie: Lie,
	/// The transactions that it was sent to follow.
	sent: Mutex<Vec<String>>,
}

/// A node that tells a lie, for as long as this is kept.
struct Pool {
	address: SocketAddr,
	context: Arc<Context>,
	_handle: ServerHandle,
}

impl Pool {
	async fn start(node: &Client, lie: Lie) -> Self {
		let context = Arc::new(Context { rpc: node.rpc().clone(), lie, sent: Mutex::default() });
		let mut module = RpcModule::from_arc(context.clone());
		for method in METHODS {
			module
				.register_async_method(method, move |parameters, context, _| {
					let parameters = parameters.parse().unwrap_or_default();
					async move { context.answer(method, parameters).await }
				})
				.expect("each method is there once");
		}
		module
			.register_method("author_submitExtrinsic", |_, _, _| hex(&[0; 32]))
			.expect("it is there once");
		module
			.register_subscription(
				"author_submitAndWatchExtrinsic",
				"author_extrinsicUpdate",
				"author_unwatchExtrinsic",
				|parameters, pending, context, _| {
					let transaction = parameters.one().expect("a transaction");
					async move { context.follow(transaction, pending).await }
				},
			)
			.expect("it is there once");
		module
			.register_subscription(
				"chain_subscribeFinalizedHeads",
				"chain_finalizedHead",
				"chain_unsubscribeFinalizedHeads",
				|_, pending, context, _| async move { context.heads(pending).await },
			)
			.expect("it is there once");
		let server = Server::builder().build("127.0.0.1:0").await.expect("a port is free");
		let address = server.local_addr().expect("it listens");
		Self { address, context, _handle: server.start(module) }
	}

	/// The command line at this node. The address is not known to be that of this computer, so the node is not believed.
	fn asked_by(&self, admin: &Dpki) -> Dpki {
		admin.moved_to(&format!("ws://0.0.0.0:{}", self.address.port()))
	}

	/// How many transactions it was sent.
	fn sent(&self) -> usize {
		self.context.sent.lock().unwrap_or_else(PoisonError::into_inner).len()
	}
}

impl Context {
	/// What the real node answers, but for what belongs to the lie.
	async fn answer(
		&self,
		method: &'static str,
		parameters: Vec<Value>,
	) -> Result<Value, ErrorObjectOwned> {
		let judged = json!("TaggedTransactionQueue_validate_transaction");
		if matches!(self.lie, Lie::Outdated) && parameters.first() == Some(&judged) {
			return Ok(json!(STALE));
		}
		let mut answer = hand_on(self.rpc.clone(), method, parameters).await?;
		if matches!(self.lie, Lie::FinalAndShown) && method == "chain_getBlock" {
			let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
			let shown = answer["block"]["extrinsics"].as_array_mut().expect("a block");
			shown.extend(sent.iter().cloned().map(Value::from));
		}
		Ok(answer)
	}

	/// Says of a transaction what belongs to the lie.
	async fn follow(&self, transaction: String, pending: PendingSubscriptionSink) {
		self.sent
			.lock()
			.unwrap_or_else(PoisonError::into_inner)
			.push(transaction.clone());
		let refused = |code, message: &str, data| ErrorObjectOwned::owned(code, message, data);
		let said = match self.lie {
			Lie::Refused(code, message, data) => {
				return pending.reject(refused(code, message, data)).await;
			},
			Lie::Outdated => {
				let data = Some("Transaction is outdated");
				return pending.reject(refused(1010, "Invalid Transaction", data)).await;
			},
			Lie::RefusedAndKept => {
				let kept = self.rpc.request("author_submitExtrinsic", rpc_params![transaction]);
				let _: String = kept.await.expect("the real node takes it");
				let data = Some("Inability to pay some fees (e.g. account balance too low)");
				return pending.reject(refused(1010, "Invalid Transaction", data)).await;
			},
			Lie::Final | Lie::FinalAndShown => {
				let newest = self.rpc.request("chain_getFinalizedHead", rpc_params![]).await;
				let newest: String = newest.expect("the real node answers");
				vec![json!("ready"), json!({ "finalized": newest })]
			},
			Lie::FinalNowhere => vec![json!("ready"), json!({ "finalized": hex(&[7; 32]) })],
			Lie::Swallowed => vec![json!("ready"), json!("dropped")],
		};
		let sink = pending.accept().await.expect("somebody listens");
		for status in said {
			let message = SubscriptionMessage::from_json(&status).expect("it is JSON");
			// Whoever has heard enough goes.
			if sink.send(message).await.is_err() {
				return;
			}
		}
		sink.closed().await;
	}

	/// Hands on which blocks are final.
	async fn heads(&self, pending: PendingSubscriptionSink) {
		let subscribing = self.rpc.subscribe::<Value>(
			"chain_subscribeFinalizedHeads",
			rpc_params![],
			"chain_unsubscribeFinalizedHeads",
		);
		let mut heads = subscribing.await.expect("the real node answers");
		let sink = pending.accept().await.expect("somebody listens");
		while let Some(Ok(head)) = heads.next().await {
			let message = SubscriptionMessage::from_json(&head).expect("it is JSON");
			if sink.send(message).await.is_err() {
				return;
			}
		}
	}
}

// The command line is waited for on one thread, and what it asks is answered on others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_says_of_its_pool_is_told_as_its_word() {
	let fleet = Fleet::start_with_slots("lying-pool", SLOT);
	let node = fleet.node.client().await;
	let _device = fleet.enrol("drone-7").await;
	let file = |name: &str| text(&fleet.workspace.join(name));
	fleet
		.admin
		.acting_for("//Bob")
		.ok(["org", "create", "lab-b", "--kind", "test-lab"]);
	fleet.admin.ok(["observer", "accredit", "//Bob", "--org", "lab-b"]);

	// From here on the chain is remembered, and a node elsewhere has to prove what it says.
	let admin = fleet.admin.remembering(&fleet.workspace.join("memory"));
	let checkpoint = file("checkpoint");
	admin.ok(["bundle", "checkpoint", &checkpoint]);
	let deliver = ["deliver", "--org", "acme", "--device", "drone-7", "--empty"];
	admin.ok([&deliver[..], &["--checkpoint", &checkpoint]].concat());
	let state = |voucher: &str| fleet.admin.ok(["voucher", "show", voucher])["state"].clone();

	// It does not take a transaction, whatever reason it has heard that pools have.
	let exists = format!("Custom error: {}", Refusal::DeviceExists.code()).leak();
	let lies = [
		(Lie::Refused(1012, "Transaction is temporarily banned", None), "temporarily banned"),
		(Lie::Refused(1010, "Invalid Transaction", Some("Transaction is outdated")), "is outdated"),
		(Lie::Refused(1010, "Invalid Transaction", Some(exists)), "device"),
		(Lie::Outdated, "another transaction of the account came first"),
	];
	for (number, (lie, reason)) in lies.into_iter().enumerate() {
		let pool = Pool::start(&node, lie).await;
		let voucher = file(&format!("refused-{number}.voucher"));
		let name = format!("drone-1{number}");
		let words = ["voucher", "new", "--org", "acme", "--device", &name, "--out", &voucher];
		let sentence = pool.asked_by(&admin).refused(words);
		assert_eq!(pool.sent(), 1, "{sentence}");
		assert!(sentence.contains("which nothing proves"), "{sentence}");
		assert!(sentence.contains("may still be included until block "), "{sentence}");
		assert!(sentence.contains(reason), "{sentence}");
		// It is kept, and could be used if the transaction came into a block.
		assert_eq!(state(&voucher), "unknown");
	}

	// It says so, and keeps the transaction: the voucher is good.
	let pool = Pool::start(&node, Lie::RefusedAndKept).await;
	let voucher = file("kept.voucher");
	let words = ["voucher", "new", "--org", "acme", "--device", "drone-20", "--out", &voucher];
	let sentence = pool.asked_by(&admin).refused(words);
	assert!(sentence.contains("which nothing proves"), "{sentence}");
	// By the next transaction of the account it is in a block.
	admin.ok(deliver);
	assert_eq!(state(&voucher), "open");

	// It says that a block holds it.
	let revoke = ["revoke", "device", "acme/drone-7", "--reason", "keyCompromise", "--yes"];
	for (lie, reason) in [
		(Lie::Final, "the block does not hold it"),
		(Lie::FinalAndShown, "these are not the transactions of the block"),
		(Lie::FinalNowhere, "not the header of the block that was asked for"),
	] {
		let pool = Pool::start(&node, lie).await;
		let sentence = pool.asked_by(&admin).refused(revoke);
		assert_eq!(pool.sent(), 1, "{sentence}");
		assert!(sentence.contains("does not prove it"), "{sentence}");
		assert!(sentence.contains(reason), "{sentence}");
		assert_eq!(fleet.admin.status(["status", "device", "acme/drone-7"])["status"], "valid");
	}

	// It takes it and throws it away: nothing comes, for as long as something could. The secret of a vote is kept, without which
	// nobody could reveal it.
	let pool = Pool::start(&node, Lie::Swallowed).await;
	let (vote, application) = (file("bob.vote"), hex(&[5; 32]));
	let commit = ["observer", "commit", &application, "controlled", "--vote", &vote];
	let sentence = pool.asked_by(&admin.acting_for("//Bob")).refused(commit);
	// Which reason it hears depends on the block at which it asks: it has lapsed, it is too old, or it is of another era.
	assert!(sentence.contains("which nothing proves"), "{sentence}");
	assert!(sentence.contains("may still be included until block "), "{sentence}");
	assert!(fleet.workspace.join("bob.vote").exists(), "{sentence}");

	// What is refused by a block that is proven is refused, and needs no secret any more.
	let honest = admin.moved_to(&fleet.node.url().replace("127.0.0.1", "0.0.0.0"));
	let other = file("other.vote");
	let commit = ["observer", "commit", &application, "controlled", "--vote", &other];
	let sentence = honest.acting_for("//Bob").refused(commit);
	assert!(sentence.contains("ApplicationNotFound"), "{sentence}");
	assert!(!fleet.workspace.join("other.vote").exists(), "{sentence}");
	assert_eq!(honest.ok(revoke)["outcome_proven"], true);
	assert_eq!(fleet.admin.status(["status", "device", "acme/drone-7"])["status"], "revoked");
}
