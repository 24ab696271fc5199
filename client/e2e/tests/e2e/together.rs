//! Accounts of several people.

use dpki_e2e::Fleet;

/// Two of these have to agree.
const GROUP: &str = "2://Alice,//Bob,//Charlie";

#[tokio::test]
async fn what_one_member_begins_another_one_completes() {
	let fleet = Fleet::start("together");
	let (alice, bob) = (&fleet.admin, fleet.admin.acting_for("//Bob"));
	let address = alice.ok(["multisig", "address", GROUP])["address"].clone();
	let address = address.as_str().expect("an address");
	// It pays the deposit of what it creates.
	let fund = ["account", "send", "--to", address, "--amount", "100_000_000_000_000", "--yes"];
	alice.ok(fund);
	let create = ["org", "create", "ours", "--kind", "regulator", "--as-multi", GROUP];

	let call = alice.begun(create);
	let waiting = alice.ok(["multisig", "list", GROUP]);
	assert_eq!(waiting[0]["agreed"].as_array().map(Vec::len), Some(1), "{waiting}");
	let sentence = alice.refused(["org", "show", "ours"]);
	assert!(sentence.contains("knows no organisation"), "{sentence}");
	// Who has agreed does not count twice.
	let sentence = alice.refused(create);
	assert!(sentence.contains("AlreadyApproved"), "{sentence}");
	let answer = bob.ok(["multisig", "approve", GROUP, "--call", &call, "--yes"]);
	assert_eq!(answer["state"], "executed", "{answer}");
	let shown = alice.ok(["org", "show", "ours", "--member", address]);
	assert!(shown.to_string().contains("administrator"), "{shown}");

	// The same command does it too, and a refusal of the call is one of the command.
	alice.begun(["org", "create", "also-ours", "--kind", "regulator", "--as-multi", GROUP]);
	bob.ok(["org", "create", "also-ours", "--kind", "regulator", "--as-multi", GROUP]);
	alice.begun(create);
	let sentence = bob.refused(create);
	assert!(sentence.contains("NameTaken"), "{sentence}");
}

#[tokio::test]
async fn a_call_that_was_begun_can_be_called_off_by_who_began_it() {
	let fleet = Fleet::start("called-off");
	let (alice, bob) = (&fleet.admin, fleet.admin.acting_for("//Bob"));
	let remark = "0x00001074657374";
	let begun = alice.ok(["multisig", "propose", GROUP, remark]);
	let hash = begun["call_hash"].as_str().expect("a hash");
	let sentence = bob.refused(["multisig", "propose", GROUP, remark]);
	assert!(sentence.contains("has been begun already"), "{sentence}");
	let sentence = bob.refused(["multisig", "cancel", GROUP, hash]);
	assert!(sentence.contains("NotOwner"), "{sentence}");
	alice.ok(["multisig", "cancel", GROUP, hash]);
	assert_eq!(alice.ok(["multisig", "list", GROUP]), serde_json::json!([]));
	let sentence = bob.refused(["multisig", "approve", GROUP, "--hash", hash, "--yes"]);
	assert!(sentence.contains("waits for its members"), "{sentence}");
}
