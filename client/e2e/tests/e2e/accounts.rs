//! Accounts by themselves: what a transfer moves and costs, proxies that have to announce, a seat that moves to another
//! account, and calls for which there is no command.

use dpki_client::{Account, AccountId, Client};
use dpki_e2e::Fleet;
use serde_json::Value;

/// `System.remark` of the bytes "test".
const REMARK: &str = "0x00001074657374";
/// More blocks than a test lives.
const LONG: &str = "100000";

fn id(name: &str) -> AccountId {
	Account::from_uri(name).expect("a development account").id()
}

/// What an account has, by RPC, at the newest finalised block.
async fn balance(client: &Client, account: &AccountId) -> u128 {
	let view = client.at_finalized().await.expect("the node answers");
	view.free_balance(account).await.expect("it is readable")
}

fn amount(answer: &Value, what: &str) -> u128 {
	let text = answer[what].as_str().unwrap_or_else(|| panic!("no {what} in {answer}"));
	text.parse().expect("a number")
}

#[tokio::test]
async fn a_transfer_and_its_fee_are_seen_over_rpc() {
	let fleet = Fleet::start("transfer");
	let client = fleet.node.client().await;
	// Dave neither signs nor makes blocks, so what he has changes by the transfer alone.
	let (alice, bob, dave) = (id("//Alice"), id("//Bob"), id("//Dave"));
	let (bob_before, dave_before) = (balance(&client, &bob).await, balance(&client, &dave).await);
	let sent = 1_234_567_890_123u128;
	let send = ["account", "send", "--to", "//Dave", "--amount", "1_234_567_890_123", "--yes"];
	let answer = fleet.admin.acting_for("//Bob").ok(send);
	let fee = amount(&answer, "fees");
	assert!(fee > 0, "{answer}");
	assert_eq!(balance(&client, &dave).await, dave_before + sent);
	assert_eq!(balance(&client, &bob).await, bob_before - sent - fee);
	// What the command shows is the same.
	let shown = fleet.admin.ok(["account", "show", "//Dave"]);
	assert_eq!(amount(&shown, "free_balance"), dave_before + sent);
	// Nobody sends more than it has, and the fee of what is refused is paid all the same.
	let all = balance(&client, &bob).await.to_string();
	let refused = ["account", "send", "--to", "//Dave", "--amount", &all, "--yes"];
	fleet.admin.acting_for("//Bob").refused(refused);
	assert_eq!(balance(&client, &dave).await, dave_before + sent);
	assert!(balance(&client, &alice).await > 0);
}

#[test]
fn a_proxy_with_a_delay_makes_only_what_it_announced_and_nobody_rejected() {
	let fleet = Fleet::start("announced");
	let (alice, bob) = (&fleet.admin, fleet.admin.acting_for("//Bob"));
	let proxy = |verb: &str, delay: &str| {
		alice.ok(["account", "proxy", verb, "//Bob", "--right", "any", "--delay", delay])
	};
	let carry_out = ["account", "proxy", "carry-out", "//Alice", REMARK, "--yes"];
	proxy("add", "1");
	let at_once = bob.refused(["account", "call", REMARK, "--yes", "--on-behalf-of", "//Alice"]);
	assert!(at_once.contains("Unannounced"), "{at_once}");
	let sentence = bob.refused(carry_out);
	assert!(sentence.contains("Unannounced"), "{sentence}");
	let announced = bob.ok(["account", "proxy", "announce", "//Alice", REMARK]);
	let hash = announced["call_hash"].as_str().expect("a hash").to_owned();
	// That it was announced is final, so one block has passed since.
	bob.ok(carry_out);
	let sentence = bob.refused(carry_out);
	assert!(sentence.contains("Unannounced"), "once is enough: {sentence}");

	// Rejected, or taken back.
	bob.ok(["account", "proxy", "announce", "//Alice", REMARK]);
	alice.ok(["account", "proxy", "reject", "//Bob", &hash]);
	assert!(bob.refused(carry_out).contains("Unannounced"));
	bob.ok(["account", "proxy", "announce", "//Alice", REMARK]);
	bob.ok(["account", "proxy", "recall", "//Alice", &hash]);
	assert!(bob.refused(carry_out).contains("Unannounced"));
	let sentence = alice.refused(["account", "proxy", "reject", "//Bob", &hash]);
	assert!(sentence.contains("NotFound"), "{sentence}");

	// Too early.
	proxy("remove", "1");
	proxy("add", LONG);
	bob.ok(["account", "proxy", "announce", "//Alice", REMARK]);
	assert!(bob.refused(carry_out).contains("Unannounced"));
	alice.ok(["account", "proxy", "clear", "--yes"]);
	assert!(bob.refused(carry_out).contains("NotProxy"));
}

#[test]
fn a_trustee_moves_its_seat_to_another_account() {
	let fleet = Fleet::start("moved-seat");
	let (alice, bob) = (&fleet.admin, fleet.admin.acting_for("//Bob"));
	let decide = ["economy", "set-deposit", "device", "777"];
	assert!(bob.refused(decide).contains("SeatMissing"));
	assert!(bob.refused(["motion", "move-seat", "//Charlie", "--yes"]).contains("NotMember"));
	alice.ok(["motion", "move-seat", "//Bob", "--yes"]);
	assert!(alice.refused(decide).contains("SeatMissing"));
	assert_eq!(bob.ok(decide)["state"], "carried");
}

#[test]
fn a_call_without_a_command_is_made_after_it_was_shown() {
	let fleet = Fleet::start("any-call");
	let made = fleet.admin.ok(["account", "call", REMARK, "--yes"]);
	assert!(made["call"].as_str().is_some_and(|words| words.contains("remark")), "{made}");
	// Whoever is not asked has not agreed.
	fleet.admin.refused(["account", "call", REMARK]);
}
