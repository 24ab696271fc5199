//! Registrations that the chain refuses, each by its own error, and those that go through.

use dpki_client::{
	Account, Client, calls,
	possession::{Registration, SigningKey, SoftwareKey},
	submit::SubmitError,
};
use dpki_e2e::{Device, Fleet, hex, run};
use dpki_primitives::{
	context::Registrant,
	ids::KeyId,
	key::{Consent, KeyPurpose, KeyType, NewKey},
	revocation::RevocationReason,
};
use futures::StreamExt;
use std::{
	path::Path,
	time::{SystemTime, UNIX_EPOCH},
};

/// How long the signatures of these tests are good for.
const MINUTES: u64 = 10 * 60 * 1000;

/// The name of the error by which the registry refused.
fn refusal(result: Result<impl Sized, SubmitError>) -> String {
	match result {
		Err(SubmitError::Failed { error, .. }) => error,
		Err(other) => panic!("refused in another way: {other}"),
		Ok(_) => panic!("it was not refused"),
	}
}

#[tokio::test]
async fn a_proof_of_possession_is_good_for_one_place_only() {
	let fleet = Fleet::start("possession");
	let device = fleet.enrol("drone-1").await;
	let client = fleet.node.client().await;
	let (alice, bob) = (account("//Alice"), account("//Bob"));
	let expires_at = client.finalized_head().await.expect("the node answers").time + MINUTES;
	let begun = registration(&client, &device, &alice, expires_at).await;
	let for_bob = Registration { registrant: Registrant::Account(bob.id()), ..begun.clone() };
	let (key, signing) = (p256(), signing_key(&device));
	let prove = |registration: &Registration, purpose| {
		registration.clone().prove(purpose, &key, None).expect("signs")
	};
	// The device has nothing against any of it.
	let consent = |registration: &Registration| {
		registration
			.consent(KeyPurpose::Tls, &key.public(), None, &signing)
			.expect("signs")
	};
	let register = async |new_key: NewKey, consent: Consent| {
		client
			.submit(&alice, &calls::register_key(device.id(), new_key, consent, expires_at))
			.await
	};

	let elsewhere = Registration { genesis: [7; 32], ..begun.clone() };
	let for_signing = prove(&begun, KeyPurpose::Sign);
	for wrong in [
		prove(&for_bob, KeyPurpose::Tls),
		prove(&elsewhere, KeyPurpose::Tls),
		NewKey { purpose: KeyPurpose::Tls, ..for_signing },
	] {
		assert_eq!(refusal(register(wrong, consent(&begun)).await), "PossessionInvalid");
	}

	// A member without the role, and somebody who is no member.
	let by_bob = prove(&for_bob, KeyPurpose::Tls);
	let call = calls::register_key(device.id(), by_bob, consent(&for_bob), expires_at);
	assert_eq!(refusal(client.submit(&bob, &call).await), "RoleMissing");
	fleet
		.admin
		.ok(["org", "member", "set", "acme", &hex(&bob.id()), "--roles", "publisher"]);
	fleet.admin.acting_for("//Bob").ok(["org", "join", "acme"]);
	assert_eq!(refusal(client.submit(&bob, &call).await), "RoleMissing");
	let sentence = fleet
		.admin
		.acting_for("//Bob")
		.refused(["voucher", "new", "--org", "acme", "--device", "drone-9"]);
	assert!(sentence.contains("takes the role registrar"), "{sentence}");

	// The right place, once.
	let good = prove(&begun, KeyPurpose::Tls);
	register(good.clone(), consent(&begun))
		.await
		.expect("the right proof is accepted");
	let again = registration(&client, &device, &alice, expires_at).await;
	assert_eq!(again.keys_registered, begun.keys_registered + 1);
	let repeated = register(prove(&again, KeyPurpose::Tls), consent(&again)).await;
	assert_eq!(refusal(repeated), "KeyAlreadyRegistered");

	// Revoked is for ever.
	let id = KeyId::of(&good.public);
	let revoke = calls::revoke_key(id, RevocationReason::KeyCompromise);
	client.submit(&alice, &revoke).await.expect("the key is revoked");
	let revoked = register(prove(&again, KeyPurpose::Tls), consent(&again)).await;
	assert_eq!(refusal(revoked), "KeyWasRevoked");
	let verdict = fleet.admin.status(["status", "key", &id.to_string()]);
	assert_eq!(
		(verdict["status"].as_str(), verdict["reason"].as_str()),
		(Some("revoked"), Some("keyCompromise"))
	);

	// With the device all its keys go.
	fleet.admin.ok([
		"revoke",
		"device",
		"acme/drone-1",
		"--reason",
		"cessationOfOperation",
		"--yes",
	]);
	let signing = KeyId::of(&signing.public());
	let verdict = fleet.admin.status(["status", "key", &signing.to_string()]);
	assert_eq!(verdict["status"], "issuer revoked");
	assert_eq!(verdict["reason"], "cessationOfOperation");
	let sentence = fleet.admin.refused(["voucher", "new", "--org", "acme", "--device", "drone-1"]);
	assert!(sentence.contains("acme/drone-1 is revoked (cessationOfOperation)"), "{sentence}");
}

#[tokio::test]
async fn a_registrar_alone_cannot_speak_for_a_device() {
	let fleet = Fleet::start("consent");
	let device = fleet.enrol("drone-1").await;
	let other = fleet.enrol("drone-2").await;
	let client = fleet.node.client().await;
	let alice = account("//Alice");
	let expires_at = client.finalized_head().await.expect("the node answers").time + MINUTES;
	let begun = registration(&client, &device, &alice, expires_at).await;
	let key = p256();
	let consent =
		|purpose, by: &SoftwareKey| begun.consent(purpose, &key.public(), None, by).expect("signs");
	let register = async |consent: Consent| {
		let new_key = begun.clone().prove(KeyPurpose::Sign, &key, None).expect("signs");
		client
			.submit(&alice, &calls::register_key(device.id(), new_key, consent, expires_at))
			.await
	};

	let host_key = read_key(&device, "host_key");
	let signing = signing_key(&device);
	let mut borrowed = consent(KeyPurpose::Sign, &key);
	borrowed.key = KeyId::of(&signing.public());
	for (wrong, whose) in [
		(consent(KeyPurpose::Sign, &key), "the new key's own"),
		(borrowed, "the new key's own in the name of the device's"),
		(consent(KeyPurpose::Sign, &signing_key(&other)), "another device's"),
		(consent(KeyPurpose::Sign, &host_key), "one of the device that is not for signing"),
		(consent(KeyPurpose::Tls, &signing), "one for another purpose"),
	] {
		assert_eq!(refusal(register(wrong).await), "ConsentInvalid", "{whose}");
	}
	register(consent(KeyPurpose::Sign, &signing))
		.await
		.expect("the device consents");

	// A key that has been revoked speaks for its device no more.
	let revoke = calls::revoke_key(KeyId::of(&signing.public()), RevocationReason::KeyCompromise);
	client.submit(&alice, &revoke).await.expect("the key is revoked");
	let later = registration(&client, &device, &alice, expires_at).await;
	let next = p256();
	let consent = later.consent(KeyPurpose::Tls, &next.public(), None, &signing).expect("signs");
	let next = later.clone().prove(KeyPurpose::Tls, &next, None).expect("signs");
	let call = calls::register_key(device.id(), next, consent, expires_at);
	assert_eq!(refusal(client.submit(&alice, &call).await), "ConsentInvalid");
}

#[tokio::test]
async fn a_further_key_is_registered_with_the_signing_key_of_the_agent() {
	let fleet = Fleet::start("further");
	let device = fleet.enrol("drone-1").await;
	let other = fleet.enrol("drone-2").await;
	let key = fleet.user_key("drone-1-tls").display().to_string();
	let register = ["device", "register-key", "acme/drone-1", "--purpose", "tls", "--key", &key];

	let sentence = fleet.admin.refused(register);
	assert!(sentence.contains("acme/drone-1 has to consent"), "{sentence}");
	let with = |device: &Device| {
		let file = device.join("state/signing.key").display().to_string();
		let consent = ["--consent-key".to_string(), file];
		register.map(String::from).into_iter().chain(consent).collect::<Vec<_>>()
	};
	let sentence = fleet.admin.refused(with(&other));
	assert!(sentence.contains("is no valid signing key of acme/drone-1"), "{sentence}");

	let answer = fleet.admin.ok(with(&device));
	let id = answer["key_id"].as_str().expect("the id of the key");
	assert_eq!(fleet.admin.status(["status", "key", id])["status"], "valid");
}

#[tokio::test]
async fn a_device_consents_to_a_further_key_and_its_signing_key_stays_on_it() {
	let fleet = Fleet::start("consents");
	let device = fleet.enrol("drone-1").await;
	fleet.enrol("drone-2").await;
	let (alice, bob) = (account("//Alice"), account("//Bob"));
	let register = |file: &str, more: &[&str]| {
		let words = ["device", "register-key", "acme/drone-1", "--consent", file];
		[&words[..], more].concat().into_iter().map(String::from).collect::<Vec<_>>()
	};
	// One key lies on the device, the other one with the registrar, whom the device tells by its public half.
	let own = fleet.user_key("drone-1-tls").display().to_string();
	let foreign = fleet.user_key("drone-1-ssh").display().to_string();
	let shown = SoftwareKey::from_text(&std::fs::read_to_string(&foreign).unwrap(), None).unwrap();
	let public = format!("ed25519:{}", hex(&shown.public().bytes));
	let file = |name: &str| device.join(name).display().to_string();
	let ask = |who: &Account, purpose: &str, key: &[&str], out: &str| {
		let path = file(out);
		let words = ["--purpose", purpose, "--out", path.as_str()];
		device.consent(&who.address(), &[&words[..], key].concat())
	};

	ask(&bob, "tls", &["--key", &own], "for-bob");
	let sentence = fleet.admin.refused(register(&file("for-bob"), &[]));
	assert!(sentence.contains("for another account"), "{sentence}");
	let told = ask(&alice, "tls", &["--key", &own, "--valid", "30d"], "tls");
	ask(&alice, "ssh", &["--public", &public], "early");
	let mut elsewhere = register(&file("tls"), &[]);
	elsewhere[2] = "acme/drone-2".to_string();
	let sentence = fleet.admin.refused(elsewhere);
	assert!(sentence.contains("for another device"), "{sentence}");
	let answer = fleet.admin.ok(register(&file("tls"), &[]));
	assert_eq!(answer["key_id"], told["key_id"]);
	assert_eq!(
		fleet.admin.status(["status", "key", answer["key_id"].as_str().unwrap()])["valid"],
		true
	);

	// The device has another key since: what it signed before is worth nothing.
	let sentence = fleet.admin.refused(register(&file("early"), &["--key", &foreign]));
	assert!(sentence.contains("when the device had 3 keys"), "{sentence}");
	ask(&alice, "ssh", &["--public", &public], "for-ssh");
	let sentence = fleet.admin.refused(register(&file("for-ssh"), &[]));
	assert!(sentence.contains("a key that it does not hold"), "{sentence}");
	let sentence = fleet.admin.refused(register(&file("for-ssh"), &["--key", &own]));
	assert!(sentence.contains("which is another one"), "{sentence}");
	let answer = fleet.admin.ok(register(&file("for-ssh"), &["--key", &foreign]));
	assert_eq!(answer["purpose"], "ssh");
}

#[tokio::test]
async fn roots_made_by_openssl_become_anchors() {
	let fleet = Fleet::start("roots");
	let file = |name: &str| fleet.workspace.join(name).display().to_string();
	let add = |key: &str, certificate: &str| {
		let words = "anchor add --org acme --kind x509-root".split(' ').map(String::from);
		let files = ["--key", &file(key), "--cert", &file(certificate)].map(String::from);
		words.chain(files).collect::<Vec<_>>()
	};
	for (name, make) in [
		("rsa", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
		("p384", "ecparam -name secp384r1 -genkey"),
	] {
		let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
		openssl(make, &["-out", &file(&key)]);
		openssl(
			"req -x509 -new -sha384 -subj /CN=acme -days 30 -addext keyUsage=critical,keyCertSign",
			&["-key", &file(&key), "-out", &file(&certificate)],
		);
		let answer = fleet.admin.ok(add(&key, &certificate));
		let anchor = answer["anchor"].as_str().expect("the id of the anchor");
		assert_eq!(fleet.admin.status(["status", "anchor", anchor])["status"], "valid", "{name}");
		certificate_below(&fleet, name, anchor).await;
	}
	let sentence = fleet.admin.refused(add("rsa.key", "p384.crt"));
	assert!(sentence.contains("not that of the certificate"), "{sentence}");
}

/// A certificate that OpenSSL issues under this anchor, and what the chain says of it before and after the anchor's end.
async fn certificate_below(fleet: &Fleet, name: &str, anchor: &str) {
	let file = |ending: &str| fleet.workspace.join(format!("{name}{ending}")).display().to_string();
	let extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
		subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
	std::fs::write(file(".ext"), extensions).expect("writes the extensions");
	openssl("ecparam -name prime256v1 -genkey -noout", &["-out", &file("-leaf.key")]);
	openssl(
		"req -new -subj /CN=drone-7",
		&["-key", &file("-leaf.key"), "-out", &file("-leaf.csr")],
	);
	let (request, leaf, extensions) = (file("-leaf.csr"), file("-leaf.crt"), file(".ext"));
	let (certificate, key) = (file(".crt"), file(".key"));
	let authority = ["-CA", &certificate, "-CAkey", &key, "-extfile", &extensions];
	let files = [&["-in", &request, "-out", &leaf], &authority[..]].concat();
	openssl("x509 -req -sha384 -days 20 -set_serial 7", &files);
	// It is valid from this very second on, and the newest finalised block is some seconds old.
	let now = SystemTime::now()
		.duration_since(UNIX_EPOCH)
		.expect("the clock is set")
		.as_millis();
	let client = fleet.node.client().await;
	let mut reached = client.finalized_heads().filter(|head| {
		std::future::ready(head.as_ref().is_ok_and(|it| u128::from(it.time) >= now))
	});
	reached.next().await;

	let ask = || fleet.admin.status(["x509", "check", &leaf, "--below", anchor]);
	assert_eq!((&ask()["valid"], &ask()["status"]), (&true.into(), &"valid".into()), "{name}");
	// It attests no device of Matter.
	let matter = ["x509", "check", &leaf, "--below", anchor, "--profile", "matter"];
	let answer = fleet.admin.status(matter);
	assert!(answer["valid"] == false && answer["problem"].is_string(), "{answer}");
	fleet
		.admin
		.ok(["revoke", "anchor", anchor, "--reason", "keyCompromise", "--yes"]);
	let answer = ask();
	assert!(answer["valid"] == false && answer["reason"] == "keyCompromise", "{answer}");
}

fn openssl(words: &str, files: &[&str]) {
	let output = run(Path::new("openssl"), words.split(' ').chain(files.iter().copied()));
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn account(uri: &str) -> Account {
	Account::from_uri(uri).expect("a development account")
}

fn p256() -> SoftwareKey {
	SoftwareKey::generate(KeyType::P256).expect("makes a key")
}

/// What a proof for the next key of this device holds.
async fn registration(
	client: &Client,
	device: &Device,
	account: &Account,
	expires_at: u64,
) -> Registration {
	let view = client.at_finalized().await.expect("the node answers");
	let record = view.device(device.id()).await.expect("it is read").expect("it is enrolled");
	Registration {
		genesis: client.genesis_hash(),
		registrant: Registrant::Account(account.id()),
		device: device.id(),
		keys_registered: record.keys_registered,
		expires_at,
	}
}

/// The key by which the agent of this device speaks.
fn signing_key(device: &Device) -> SoftwareKey {
	read_key(device, "signing.key")
}

fn read_key(device: &Device, file: &str) -> SoftwareKey {
	let text = std::fs::read_to_string(device.join("state").join(file)).expect("the key is there");
	SoftwareKey::from_text(&text, None).expect("it parses")
}
