//! Registrations that the chain refuses, each by its own error.

use dpki_client::{
	Account, Client, calls,
	possession::{Registration, SoftwareKey},
	submit::SubmitError,
};
use dpki_e2e::{Fleet, hex};
use dpki_primitives::{
	context::Registrant,
	ids::KeyId,
	key::{KeyPurpose, KeyType, NewKey},
	revocation::RevocationReason,
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
	let registered = keys_registered(&client, &device).await;
	let registration = |account: &Account| Registration {
		genesis: client.genesis_hash(),
		registrant: Registrant::Account(account.id()),
		device: device.id(),
		keys_registered: registered,
		expires_at,
	};
	let key = SoftwareKey::generate(KeyType::P256).expect("makes a key");
	let prove = |mut registration: Registration, purpose| {
		registration.prove(purpose, &key, None).expect("signs")
	};
	let register = async |new_key: NewKey| {
		client
			.submit(&alice, &calls::register_key(device.id(), new_key, expires_at))
			.await
	};

	let for_bob = prove(registration(&bob), KeyPurpose::Tls);
	assert_eq!(refusal(register(for_bob).await), "PossessionInvalid");

	let elsewhere = Registration { genesis: [7; 32], ..registration(&alice) };
	assert_eq!(refusal(register(prove(elsewhere, KeyPurpose::Tls)).await), "PossessionInvalid");

	let for_signing = prove(registration(&alice), KeyPurpose::Sign);
	let for_tls = NewKey { purpose: KeyPurpose::Tls, ..for_signing };
	assert_eq!(refusal(register(for_tls).await), "PossessionInvalid");

	// A member without the role, and somebody who is no member.
	let by_bob = prove(registration(&bob), KeyPurpose::Tls);
	let call = calls::register_key(device.id(), by_bob, expires_at);
	assert_eq!(refusal(client.submit(&bob, &call).await), "RoleMissing");
	fleet
		.admin
		.ok(["org", "member", "set", "acme", &hex(&bob.id()), "--roles", "publisher"]);
	assert_eq!(refusal(client.submit(&bob, &call).await), "RoleMissing");
	let sentence = fleet
		.admin
		.acting_for("//Bob")
		.refused(["voucher", "new", "--org", "acme", "--device", "drone-9"]);
	assert!(sentence.contains("role"), "{sentence}");

	// The right place, once.
	let good = prove(registration(&alice), KeyPurpose::Tls);
	register(good.clone()).await.expect("the right proof is accepted");
	assert_eq!(refusal(register(good.clone()).await), "KeyAlreadyRegistered");

	// Revoked is for ever.
	let id = KeyId::of(&good.public);
	let revoke = calls::revoke_key(id, RevocationReason::KeyCompromise);
	client.submit(&alice, &revoke).await.expect("the key is revoked");
	let again = Registration {
		keys_registered: keys_registered(&client, &device).await,
		..registration(&alice)
	};
	assert_eq!(refusal(register(prove(again, KeyPurpose::Tls)).await), "KeyWasRevoked");
	let verdict = fleet.admin.status(["status", "key", &id.to_string()]);
	assert_eq!(
		(verdict["status"].as_str(), verdict["reason"].as_str()),
		(Some("revoked"), Some("keyCompromise"))
	);

	// With the device all its keys go.
	let sign_key = *client
		.at_finalized()
		.await
		.expect("the node answers")
		.device_keys(device.id())
		.await
		.expect("the keys are read")
		.first()
		.expect("the device has keys");
	fleet.admin.ok([
		"revoke",
		"device",
		"acme/drone-1",
		"--reason",
		"cessationOfOperation",
		"--yes",
	]);
	let verdict = fleet.admin.status(["status", "key", &sign_key.to_string()]);
	assert_eq!(verdict["status"], "issuer revoked");
	assert_eq!(verdict["reason"], "cessationOfOperation");
}

fn account(uri: &str) -> Account {
	Account::from_uri(uri).expect("a development account")
}

async fn keys_registered(client: &Client, device: &dpki_e2e::Device) -> u64 {
	let view = client.at_finalized().await.expect("the node answers");
	view.device(device.id())
		.await
		.expect("it is read")
		.expect("it is enrolled")
		.keys_registered
}
