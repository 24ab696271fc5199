//! The calls that no story of another module makes: each by its command, with what the chain says of it afterwards.

use dpki_e2e::{Dpki, Fleet, run};
use serde_json::{Value, json};
use std::{
	path::Path,
	time::{Duration, Instant},
};

/// Somebody who has keys in files.
struct Scene {
	fleet: Fleet,
}

impl Scene {
	fn admin(&self) -> &Dpki {
		&self.fleet.admin
	}

	/// Where a file of this name is or is to be.
	fn at(&self, name: &str) -> String {
		self.fleet.workspace.join(name).display().to_string()
	}

	/// A new Ed25519 key in OpenSSH form.
	fn key(&self, name: &str) -> String {
		let path = self.at(name);
		let made = run(
			Path::new("/usr/bin/ssh-keygen"),
			["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &path],
		);
		assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
		path
	}

	/// Asks for a device with these keys, and gives the id of the request.
	fn request(&self, device: &str, keys: &[(&str, &str)]) -> String {
		let mut words: Vec<String> = ["key", "request", "--org", "acme", "--device", device]
			.map(String::from)
			.to_vec();
		for (purpose, key) in keys {
			words.extend(["--key".into(), format!("{purpose}={key}")]);
		}
		text(&self.admin().ok(words)["request"])
	}

	fn verdict(&self, kind: &str, id: &str) -> Value {
		self.admin().status(["status", kind, id])["status"].clone()
	}

	/// A table of so many members of a fleet.
	fn table(&self, name: &str, first: u8, count: u8) -> String {
		let line = |index: u8| {
			let key = hex::encode([index; 32]);
			format!("member-{index},tls,ed25519,{key}\n")
		};
		let lines: String = (first..first + count).map(line).collect();
		let path = self.at(name);
		std::fs::write(&path, format!("name,purpose,type,key\n{lines}")).expect("writes the table");
		path
	}
}

fn text(value: &Value) -> String {
	value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

#[test]
fn what_a_council_decides_about_prices_and_validators_is_so() {
	let scene = Scene { fleet: Fleet::start("every-decision") };
	let council = scene.admin();
	let decides = |words: &[&str]| {
		let decided = council.ok(words);
		assert_eq!(decided["state"], "carried", "{words:?}: {decided}");
	};
	decides(&["economy", "set-fee", "issue-voucher", "123_456"]);
	decides(&["economy", "set-deposit", "device", "777"]);
	let shown = council.ok(["economy", "show"]);
	assert_eq!(shown["fees"]["issue-voucher"], "123456");
	assert_eq!((&shown["deposits"]["device"], &shown["feeless"]), (&json!("777"), &json!(false)));
	decides(&["economy", "feeless", "on"]);
	let quotas = ["--per-account", "2_000_000:8_000", "--per-organisation", "8_000_000:40_000"];
	let set = [&["economy", "set-quotas"][..], &quotas].concat();
	let decided = council.ok(set);
	assert_eq!((&decided["state"], &decided["fees"]), (&json!("carried"), &json!("0")));
	assert_eq!(council.ok(["economy", "show"])["feeless"], true);
	let left = council.ok(["economy", "quota"])["left"].as_u64().expect("a number");
	assert!(left < 2_000_000, "what was done is counted: {left}");
	let strangers = council.ok(["economy", "quota", "//Ferdie"])["left"].clone();
	assert_eq!(strangers, Value::Null, "who belongs to nobody pays");
	decides(&["economy", "feeless", "off"]);

	decides(&["validator", "bounds", "--minimum", "1", "--maximum", "20"]);
	let too_few = council.failed(["validator", "disable", "//Alice"]);
	assert!(text(&too_few["failure"]).contains("TooFewValidators"), "{too_few}");
	decides(&["validator", "add", "//Bob"]);
	let state = || {
		let listed = council.ok(["validator", "list"]);
		let all = listed.as_array().expect("a list").clone();
		let bob = all.into_iter().find(|it| it["address"] == BOB);
		bob.map(|it| text(&it["standing"]))
	};
	assert_eq!(state().as_deref(), Some("enabled"));
	decides(&["validator", "disable", "//Bob"]);
	assert_eq!(state().as_deref(), Some("disabled"));
	decides(&["validator", "enable", "//Bob"]);
	assert_eq!(state().as_deref(), Some("enabled"));
	council.acting_for("//Bob").ok(["validator", "leave"]);
	assert!(state().is_none_or(|standing| standing == "leaving"), "{:?}", state());
	let sentence = council.refused(["validator", "leave"]);
	assert!(sentence.contains("TooFewValidators"), "{sentence}");
}

/// The address of `//Bob`.
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

#[test]
fn vouchers_organisations_and_anchors_are_taken_back_and_follow_each_other() {
	let scene = Scene { fleet: Fleet::start("every-anchor") };
	let admin = scene.admin();

	let voucher = |device: &str, valid: &str| {
		let file = scene.at(device);
		let words = [
			"voucher", "new", "--org", "acme", "--device", device, "--valid", valid, "--out", &file,
		];
		(text(&admin.ok(words)["voucher_id"]), file)
	};
	let (id, file) = voucher("drone-7", "1d");
	let cancelled = admin.ok(["voucher", "cancel", &file, "--yes"]);
	assert_ne!(cancelled["deposit_returned"], "0", "{cancelled}");
	assert_eq!(scene.verdict("voucher", &id), "cancelled");
	let (id, file) = voucher("drone-8", "3s");
	let began = Instant::now();
	// Only then it may be cleared, by anybody, and the deposit goes back to who paid it.
	while scene.verdict("voucher", &id) != "expired" {
		assert!(began.elapsed() < dpki_e2e::PATIENCE, "it never ends");
		std::thread::sleep(Duration::from_millis(200));
	}
	admin.acting_for("//Bob").ok(["voucher", "clear", &file]);
	assert_eq!(scene.verdict("voucher", &id), "unknown");

	admin.ok(["org", "hand-over", "acme", "//Bob"]);
	admin.ok(["org", "cancel-hand-over", "acme"]);
	let sentence = admin
		.acting_for("//Bob")
		.refused(["org", "accept", "acme", "--from", "//Alice"]);
	assert!(sentence.contains("HandOverUnknown"), "{sentence}");

	let root = |name: &str| {
		let (key, certificate) = (scene.at(name), format!("{}.crt", scene.at(name)));
		admin.ok(["key", "new", "x509-root", "--subject", name, &key]);
		let words = ["anchor", "add", "--org", "acme", "--kind", "x509-root", "--key", &key];
		text(&admin.ok([&words[..], &["--cert", &certificate]].concat())["anchor"])
	};
	let (old, new) = (root("old-root"), root("new-root"));
	let planned = |id: &str| admin.ok(["anchor", "show", id])["successor"].clone();
	admin.ok(["anchor", "rollover", &old, "--to", &new, "--after", "30d"]);
	assert_eq!(planned(&old), new.as_str());
	admin.ok(["anchor", "rollover", &old, "--cancel"]);
	assert_eq!(planned(&old), Value::Null);
	admin.ok(["anchor", "rollover", &old, "--to", &new, "--after", "6s"]);
	let began = Instant::now();
	while scene.verdict("anchor", &old) == "valid" {
		assert!(began.elapsed() < dpki_e2e::PATIENCE, "it never retires");
		std::thread::sleep(Duration::from_millis(200));
	}
	assert_eq!(scene.verdict("anchor", &old), "superseded");
	assert_eq!(scene.verdict("anchor", &new), "valid");

	let pointer = || admin.ok(["anchor", "show", &new])["crl"].clone();
	admin.ok(["anchor", "crl", &new, "--address", "https://crl.example/new.crl"]);
	assert_eq!(pointer()["address"], "https://crl.example/new.crl");
	admin.ok(["anchor", "crl", &new, "--none"]);
	assert_eq!(pointer(), Value::Null);
}

#[test]
fn keys_follow_each_other_with_an_account_and_without() {
	let scene = Scene { fleet: Fleet::start("every-key") };
	let admin = scene.admin();
	admin.ok(["org", "key-policy", "acme", "--requests", "on", "--self-service", "on"]);
	let (sign, tls) = (scene.key("sign"), scene.key("tls"));
	let asked = scene.request("drone-1", &[("sign", &sign), ("tls", &tls)]);
	let other = scene.request("drone-2", &[("sign", &scene.key("other"))]);
	admin.ok(["key", "reject", &other, "--reason", "not-needed"]);
	let sentence = admin.refused(["key", "approve", &other, "--yes"]);
	assert!(sentence.contains("knows no request"), "{sentence}");
	admin.ok(["key", "approve", &asked, "--yes"]);
	let keys = || admin.ok(["device", "show", "acme/drone-1"])["keys"].clone();
	let first = |purpose: &str| {
		let all = keys().as_array().expect("a list").clone();
		let found = all.into_iter().find(|key| key["purpose"] == purpose);
		text(&found.expect("it has one")["key_id"])
	};
	let tls = first("tls");

	// With an account and a fee, and by the device alone, which pays nothing.
	let consent = ["--consent-key", &sign];
	let add = |purpose: &str, more: &[&str]| {
		let key = scene.key(&format!("added-{purpose}"));
		let words = ["key", "add", "acme/drone-1", "--purpose", purpose, "--key", &key];
		admin.ok([&words[..], &consent, more].concat())
	};
	let paid = add("tls", &[]);
	assert_ne!(paid["fees"], "0");
	let alone = add("ssh", &["--alone"]);
	assert_eq!(alone["fees"], "0");
	let (paid, alone) = (text(&paid["key_id"]), text(&alone["key_id"]));
	assert_eq!(
		(scene.verdict("key", &paid), scene.verdict("key", &alone)),
		(json!("valid"), json!("valid"))
	);

	let replace = |id: &str, name: &str, more: &[&str]| {
		let key = scene.key(name);
		let words = ["key", "replace", id, "--key", &key];
		text(&admin.ok([&words[..], &consent, more].concat())["key_id"])
	};
	let next = replace(&paid, "replaced", &["--grace", "1h"]);
	assert_eq!(
		(scene.verdict("key", &paid), scene.verdict("key", &next)),
		(json!("valid"), json!("valid"))
	);
	let next = replace(&alone, "replaced-alone", &["--alone"]);
	assert_eq!(
		(scene.verdict("key", &alone), scene.verdict("key", &next)),
		(json!("superseded"), json!("valid"))
	);

	// What is announced is what may follow, even when the key before it has leaked, and nothing else.
	let announce = |id: &str, next: &str, more: &[&str]| {
		let words = ["key", "announce", id, "--next", next];
		admin.ok([&words[..], &consent, more].concat())
	};
	let (second, third) = (scene.key("second"), scene.key("third"));
	announce(&tls, &second, &[]);
	admin.ok(["key", "compromised", &scene.at("tls"), "--yes"]);
	assert_eq!(scene.verdict("key", &tls), "revoked");
	let sentence = admin.refused(["key", "reveal", &tls, "--key", &third]);
	assert!(sentence.contains("announced"), "{sentence}");
	let revealed = admin.ok(["key", "reveal", &tls, "--key", &second, "--next", &third]);
	let revealed = text(&revealed["key_id"]);
	assert_eq!(scene.verdict("key", &revealed), "valid");
	let fourth = scene.key("fourth");
	announce(&next, &fourth, &["--alone"]);
	let last = text(&admin.ok(["key", "reveal", &next, "--key", &fourth])["key_id"]);
	assert_eq!(scene.verdict("key", &last), "valid");

	let why = ["--signing-key", &sign, "--reason", "superseded", "--yes"];
	admin.ok([&["key", "revoke", &last][..], &why].concat());
	assert_eq!(scene.verdict("key", &last), "revoked");
}

#[test]
fn fleets_grow_are_replaced_taken_back_and_retired() {
	let scene = Scene { fleet: Fleet::start("every-fleet") };
	let (admin, drones, tiles) = (scene.admin(), "acme/drones", scene.at("tiles"));
	let shown = || admin.ok(["fleet", "status", drones]);
	let with = |verb: &str, table: &str, more: &[&str]| {
		admin.ok([&["fleet", verb, table, drones, "--tiles", &tiles][..], more].concat())
	};
	with("commit", &scene.table("first.csv", 1, 20), &[]);
	let published = admin.ok(["fleet", "publish", drones, "--tiles", &tiles]);
	assert_eq!(published["tiles"], 1, "{published}");
	admin.status(["fleet", "check", drones, "--vote"]);
	assert_eq!((&shown()["status"], &shown()["members"]), (&json!("valid"), &json!(20)));

	// What was proposed is taken back before anybody has voted: the fleet is as it was.
	with("append", &scene.table("more.csv", 21, 5), &["--publish"]);
	admin.ok(["fleet", "withdraw", drones]);
	assert_eq!((&shown()["status"], &shown()["members"]), (&json!("valid"), &json!(20)));
	with("append", &scene.table("more.csv", 21, 5), &["--publish"]);
	admin.status(["fleet", "check", drones, "--vote"]);
	assert_eq!(shown()["members"], 25);
	with("rotate", &scene.table("new.csv", 100, 25), &["--publish"]);
	admin.status(["fleet", "check", drones, "--vote"]);
	assert_eq!((&shown()["status"], &shown()["members"]), (&json!("valid"), &json!(25)));
	admin.ok(["fleet", "retire", drones]);
	assert_eq!(shown()["status"], "superseded");
}
