//! Two of four validators are lost for good, and finality with them: the council brings it back by force, by the commands of
//! `docs/operations.md`, while nothing that it does can become final.

use dpki_client::{Client, Head};
use dpki_e2e::{Dpki, Node, PATIENCE, Runbook, Workspace, block, said};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{thread, time::Duration};
use subxt_rpcs::client::rpc_params;
use tokio::time::{sleep, timeout};

/// Blocks per session: room for one vote on a busy machine.
const SESSION: u32 = 20;

/// Milliseconds: half of the slots pass empty once two are lost.
const SLOT: u64 = 500;

/// Finality that is so many blocks behind stands still, as `dpki` has it.
const STANDSTILL: u32 = 32;

/// For how many blocks the forced change waits.
const DELAY: u32 = 8;

/// What the page calls the members that are gone and those that vote.
const SOMEBODY: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

/// One of those whose machines are left, with the page beside it.
struct Operator {
	book: Runbook,
	url: String,
	client: Client,
}

/// Waits for a finalised block above this number.
async fn finalised_above(client: &Client, number: u32) -> Head {
	let mut heads = client.finalized_heads();
	let waiting = async {
		loop {
			// After an error the stream goes on.
			if let Some(Ok(head)) = heads.next().await
				&& head.number > number
			{
				return head;
			}
		}
	};
	timeout(PATIENCE, waiting).await.expect("finality goes on")
}

impl Operator {
	/// Waits for this block of the best chain; each may take as long as anything.
	async fn reaches(&self, number: u32) {
		let mut last = 0;
		while last < number {
			let grows = async {
				loop {
					let newest = self.client.best_head().await.expect("it answers").number;
					if newest > last {
						return newest;
					}
					sleep(Duration::from_millis(100)).await;
				}
			};
			last = timeout(PATIENCE, grows).await.expect("blocks are made");
		}
	}

	async fn newest(&self) -> u32 {
		self.client.best_head().await.expect("it answers").number
	}

	/// Runs a command of the page at a node and gives its answer.
	fn does_at(&self, url: &str, beginning: &str, replaced: &[(&str, &str)]) -> Value {
		let command = self.book.command(beginning);
		let whole = format!("{command} --json --url {url}");
		let all = [&[(command.as_str(), whole.as_str())][..], replaced].concat();
		let output = self.book.output(&command, &all);
		assert!(output.status.success(), "{command}: {}", said(&output));
		serde_json::from_slice(&output.stdout).expect("it answers in JSON")
	}

	fn does(&self, beginning: &str, replaced: &[(&str, &str)]) -> Value {
		self.does_at(&self.url, beginning, replaced)
	}

	/// The council's first vote is that of who proposes.
	fn proposes(&self, beginning: &str, replaced: &[(&str, &str)]) -> Value {
		let proposed = self.does(beginning, &[replaced, &[("north.key", "//Alice")]].concat());
		assert_eq!((&proposed["state"], &proposed["final"]), (&json!("open"), &json!(false)));
		proposed["motion"].clone()
	}

	fn votes(&self, who: &str, motion: &Value) -> Value {
		let (number, who) = (format!("vote {motion} aye"), format!("{who} --yes"));
		let voting = [("vote 7 aye", number.as_str()), ("east.key", &who)];
		self.does("dpki motion vote 7 aye --account east.key --unfinalised", &voting)
	}

	/// The third vote of four decides. Gives the block.
	fn decides(&self, who: &str, motion: &Value) -> u64 {
		let carried = self.votes(who, motion);
		assert_eq!(carried["state"], "carried", "{carried}");
		block(&carried)
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn finality_that_was_lost_with_half_of_the_validators_is_brought_back_by_vote() {
	let workspace = Workspace::new("stall");
	let alice = Node::start_local(&workspace, |genesis| {
		genesis["timing"]["sessionLength"] = SESSION.into();
		genesis["timing"]["slotDuration"] = SLOT.into();
	});
	let bob = Node::beside(&workspace, "bob", &[&alice], &["--bob"]).await;
	let charlie = Node::beside(&workspace, "charlie", &[&alice, &bob], &["--charlie"]).await;
	let dave = Node::beside(&workspace, "dave", &[&alice, &bob, &charlie], &["--dave"]).await;
	let operator = Operator {
		book: Runbook::new(workspace.path()),
		url: alice.url(),
		client: alice.client().await,
	};
	let client = &operator.client;
	let other = bob.client().await;
	finalised_above(&other, 2).await;

	// Whoever can wait for finality has to.
	let acting = Dpki::new(&alice, "//Alice");
	let sentence = acting.refused(["validator", "list", "--unfinalised"]);
	assert!(sentence.contains("blocks behind, and stands still from"), "{sentence}");
	let gone: Vec<_> = ["//Charlie", "//Dave"]
		.iter()
		.map(|uri| acting.ok(["account", "show", uri])["address"].clone())
		.collect();

	drop((charlie, dave));
	let begun = client.finalized_head().await.expect("it answers").number;
	operator.reaches(begun + STANDSTILL + 4).await;
	let last = client.finalized_head().await.expect("it answers").number;
	assert!(last < begun + 4, "{last}: two of four have finalised something");

	// All but the last vote on each motion can be cast before: what is decided is decided by that one.
	let fewer = operator.proposes("dpki validator bounds", &[]);
	operator.votes("//Bob", &fewer);
	operator.decides("//Charlie", &fewer);
	let removals: Vec<_> = gone
		.iter()
		.map(|account| {
			let remove =
				format!("dpki validator remove {SOMEBODY} --account north.key --unfinalised");
			let account = account.as_str().expect("an address");
			let motion = operator.proposes(&remove, &[(SOMEBODY, account)]);
			operator.votes("//Bob", &motion);
			motion
		})
		.collect();
	// The highest block that anybody who is left has finalised.
	let theirs = other.finalized_head().await.expect("it answers").number;
	let note = operator.proposes(
		"dpki validator note-stalled",
		&[("--delay 1000", &format!("--delay {DELAY}")), ("81234", &last.max(theirs).to_string())],
	);
	operator.votes("//Bob", &note);

	// Who serves is settled within one session; Bob has made his machine anew, too.
	let session = operator.newest().await / SESSION + 1;
	operator.reaches(session * SESSION).await;
	let url = bob.url();
	let settled = thread::scope(|scope| {
		let rotating = scope.spawn(|| {
			let command = "dpki node rotate-keys --account north.key --unfinalised";
			let rotated = operator.does_at(&url, command, &[("north.key", "//Bob --yes")]);
			assert_eq!(rotated["final"], false, "{rotated}");
			block(&rotated)
		});
		let charlie = scope.spawn(|| operator.decides("//Charlie", &removals[0]));
		let dave = scope.spawn(|| operator.decides("//Dave", &removals[1]));
		[rotating, charlie, dave].map(|done| done.join().expect("it is done"))
	});
	let in_session = |number: u64, session: u32| number / u64::from(SESSION) == u64::from(session);
	assert!(settled.iter().all(|number| in_session(*number, session)), "too slow: {settled:?}");

	// In the next one the stall is noted.
	operator.reaches((session + 1) * SESSION).await;
	let noted = operator.decides("//Charlie", &note);
	assert!(in_session(noted, session + 1), "too slow: {noted}");

	// The session ends, the delay passes, and the two who are left are enough.
	let forced = (session + 2) * SESSION;
	operator.reaches(forced + DELAY).await;
	for client in [client, &other] {
		let head = finalised_above(client, forced + DELAY).await;
		let serving = client.at(head).serving_validators().await.expect("it is read");
		assert_eq!(serving.len(), 2);
	}
	// As before, without the option; what was voted on the way is final now.
	let sentence = acting.refused(["validator", "list", "--unfinalised"]);
	assert!(sentence.contains("stands still from"), "{sentence}");
	let shown = acting.ok(["motion", "show", &note.to_string()]);
	assert_eq!(shown["state"], "carried", "{shown}");
	// Nobody can prove such a change: devices are led over it by a recovery.
	let proven: Result<Value, _> =
		client.rpc().request("dpki_warpFragments", rpc_params![Value::Null]).await;
	let refused = proven.expect_err("the change was forced").to_string();
	assert!(refused.contains("forced"), "{refused}");
}
