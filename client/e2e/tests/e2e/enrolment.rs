//! Enrolments that the chain or the agent refuses, each by its own error.

use dpki_client::{
	Account, Call, Client, Voucher, calls,
	possession::{AgreementKey, Registration, SoftwareKey},
	submit::SubmitError,
};
use dpki_e2e::{Device, Fleet, PATIENCE, hex};
use dpki_light::LightClient;
use dpki_primitives::{
	context::Registrant,
	ids::{OrganisationId, VoucherId},
	key::{KeyPurpose, KeyType, NewKey},
	refusal::Refusal,
	voucher::VoucherState,
};
use std::{path::Path, time::Duration};

/// How long the signatures of these tests are good for.
const MINUTES: u64 = 10 * 60 * 1000;

fn registration(voucher: &Voucher, expires_at: u64) -> Registration {
	Registration {
		genesis: voucher.genesis(),
		registrant: Registrant::Voucher(voucher.id()),
		device: voucher.device_id(),
		keys_registered: 0,
		expires_at,
	}
}

/// The keys of a device, proven for this voucher.
fn keys(voucher: &Voucher, expires_at: u64) -> Vec<NewKey> {
	keys_of(KeyType::Ed25519, voucher, expires_at)
}

/// The same with a signing key of this type.
fn keys_of(signing: KeyType, voucher: &Voucher, expires_at: u64) -> Vec<NewKey> {
	let signing = SoftwareKey::generate(signing).expect("makes a key");
	let agreement = AgreementKey::generate();
	let mut registration = registration(voucher, expires_at);
	vec![
		registration.prove(KeyPurpose::Sign, &signing, None).expect("signs"),
		registration.prove(KeyPurpose::KeyAgreement, &agreement, None).expect("signs"),
	]
}

/// The enrolment that the voucher signs for these keys.
fn enrolment(voucher: &Voucher, keys: &[NewKey], expires_at: u64) -> impl Call + use<> {
	signed_enrolment(voucher, keys, expires_at, voucher.sign_enrolment(keys, expires_at))
}

/// An enrolment with a signature of the voucher that need not be right.
fn signed_enrolment(
	voucher: &Voucher,
	keys: &[NewKey],
	expires_at: u64,
	signature: [u8; 64],
) -> impl Call + use<> {
	let organisation = voucher.organisation_id();
	calls::enrol(organisation, voucher.public(), voucher.device(), keys, expires_at, signature)
		.expect("encodes")
}

/// Chain time.
async fn now(client: &Client) -> u64 {
	client.finalized_head().await.expect("the node answers").time
}

/// Why the chain refused a device's own transaction.
async fn refusal(client: &Client, call: &impl Call) -> Refusal {
	match client.submit_general(call).await {
		Err(SubmitError::Refused(refusal)) => refusal,
		Err(other) => panic!("refused in another way: {other}"),
		Ok(_) => panic!("it was not refused"),
	}
}

/// The voucher in this file.
fn read(file: &Path) -> Voucher {
	let text = std::fs::read_to_string(file).expect("the voucher is there");
	text.trim().parse().expect("it parses")
}

#[tokio::test]
async fn a_voucher_enrols_one_device_once_and_in_time() {
	let fleet = Fleet::start("vouchers");
	let voucher = fleet.voucher("drone-1", "10m", "first.voucher");
	let first = Device::init(&fleet.workspace, &fleet.node, "acme", "drone-1").await;
	first.enrol(&voucher);
	let status = fleet.admin.status(["status", "device", "acme/drone-1"]);
	assert_eq!(status["status"], "valid");
	let sentence = fleet.admin.refused(["voucher", "new", "--org", "acme", "--device", "drone-1"]);
	assert!(sentence.contains("acme/drone-1 is enrolled already"), "{sentence}");

	// The same voucher again, with other keys.
	let client = fleet.node.client().await;
	let spent = read(&voucher);
	let expires_at = now(&client).await + MINUTES;
	let again = enrolment(&spent, &keys(&spent, expires_at), expires_at);
	assert_eq!(refusal(&client, &again).await, Refusal::VoucherRedeemed);

	// A second device that claims the name is told so by its own agent.
	std::fs::remove_dir_all(&first.path).expect("removes the first device's folder");
	let twin = Device::init(&fleet.workspace, &fleet.node, "acme", "drone-1").await;
	let error = twin.refused_enrolment(&voucher);
	assert!(error.contains("enrolled with other keys"), "{error}");

	// A voucher for another device is refused before anything is sent.
	let other = Device::init(&fleet.workspace, &fleet.node, "acme", "drone-2").await;
	let error = other.refused_enrolment(&voucher);
	assert!(error.contains("drone-1"), "{error}");

	// A voucher that has run out.
	let brief = fleet.voucher("drone-2", "3s", "brief.voucher");
	let end = read(&brief).expires_at();
	let expiring = async {
		while now(&client).await <= end {
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, expiring).await.expect("the chain goes on");
	let error = other.refused_enrolment(&brief);
	assert!(error.contains(Refusal::VoucherExpired.sentence()), "{error}");
}

#[tokio::test]
async fn what_the_voucher_did_not_sign_is_not_enrolled() {
	let fleet = Fleet::start("swapped");
	let client = fleet.node.client().await;
	let voucher = read(&fleet.voucher("drone-1", "10m", "drone-1.voucher"));
	let expires_at = now(&client).await + MINUTES;

	// Somebody on the way swaps the keys, each with a proof of its own.
	let (own, theirs) = (keys(&voucher, expires_at), keys(&voucher, expires_at));
	let signature = voucher.sign_enrolment(&own, expires_at);
	let swapped = signed_enrolment(&voucher, &theirs, expires_at, signature);
	assert_eq!(refusal(&client, &swapped).await, Refusal::VoucherSignatureInvalid);

	// Proofs of possession for another chain do not count, though the voucher signs them.
	let mut elsewhere = Registration { genesis: [7; 32], ..registration(&voucher, expires_at) };
	let signing = SoftwareKey::generate(KeyType::Ed25519).expect("makes a key");
	let foreign = [elsewhere.prove(KeyPurpose::Sign, &signing, None).expect("signs")];
	let call = enrolment(&voucher, &foreign, expires_at);
	assert_eq!(refusal(&client, &call).await, Refusal::PossessionInvalid);

	// An agreement key proves itself: nobody enrols one that they do not hold.
	let mut claimed = own.clone();
	claimed[1].public = AgreementKey::generate().public();
	let call = enrolment(&voucher, &claimed, expires_at);
	assert_eq!(refusal(&client, &call).await, Refusal::PossessionInvalid);

	// A device without a key for signing could say nothing afterwards.
	let agreement = AgreementKey::generate();
	let mut alone = registration(&voucher, expires_at);
	let mute = [alone.prove(KeyPurpose::KeyAgreement, &agreement, None).expect("signs")];
	let call = enrolment(&voucher, &mute, expires_at);
	assert_eq!(refusal(&client, &call).await, Refusal::SigningKeyMissing);

	// What was signed goes through, after all these attempts.
	let call = enrolment(&voucher, &own, expires_at);
	client.submit_general(&call).await.expect("the right keys are enrolled");
}

/// A light client judges a transaction before it sends it, by the code of the runtime but without the functions that
/// nodes add to Substrate's.
#[tokio::test]
async fn a_device_with_a_p256_key_enrols_through_a_light_client() {
	let fleet = Fleet::start("light-p256");
	let voucher = read(&fleet.voucher("drone-1", "10m", "drone-1.voucher"));
	let spec = std::fs::read_to_string(&fleet.node.spec).expect("the node exported it");
	let peer = fleet.node.peer_address().await;
	let light = LightClient::start(&spec, &[peer], voucher.genesis()).await.expect("it starts");
	let client = Client::from_rpc(light.rpc()).await.expect("it answers");
	let catching_up = async {
		let voucher = voucher.id();
		loop {
			let view = client.at_finalized().await.expect("it answers");
			if view.voucher(voucher).await.expect("it is read").is_some() {
				break;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, catching_up).await.expect("it follows the chain");

	let expires_at = now(&client).await + MINUTES;
	let mut stolen = keys_of(KeyType::P256, &voucher, expires_at);
	stolen[0].possession = keys_of(KeyType::P256, &voucher, expires_at)[0].possession.clone();
	let call = enrolment(&voucher, &stolen, expires_at);
	assert_eq!(refusal(&client, &call).await, Refusal::PossessionInvalid);
	let own = keys_of(KeyType::P256, &voucher, expires_at);
	client
		.submit_general(&enrolment(&voucher, &own, expires_at))
		.await
		.expect("it is enrolled");
	assert_eq!(fleet.admin.status(["status", "device", "acme/drone-1"])["status"], "valid");
}

#[tokio::test]
async fn a_commitment_that_another_organisation_copies_takes_nothing_away() {
	let fleet = Fleet::start("copied");
	let client = fleet.node.client().await;
	fleet
		.admin
		.acting_for("//Bob")
		.ok(["org", "create", "rival", "--kind", "service-provider"]);
	let expires_at = now(&client).await + MINUTES;
	let voucher = Voucher::generate(client.genesis_hash(), "acme", "drone-1", expires_at)
		.expect("the names are good");

	// The rival saw the commitment on its way to the chain, and is first.
	let (alice, bob) = (account("//Alice"), account("//Bob"));
	let rival = OrganisationId::from_name(b"rival");
	let issue = |organisation| {
		calls::issue_voucher(organisation, voucher.commitment(), "drone-1", expires_at)
			.expect("encodes")
	};
	client
		.submit(&bob, &issue(rival))
		.await
		.expect("an organisation issues what it likes for itself");
	client
		.submit(&alice, &issue(voucher.organisation_id()))
		.await
		.expect("the copy is not in the way");

	let file = fleet.workspace.join("drone-1.voucher");
	std::fs::write(&file, voucher.to_text().as_bytes()).expect("writes the voucher");
	let device = Device::init(&fleet.workspace, &fleet.node, "acme", "drone-1").await;
	device.enrol(&file);
	assert_eq!(fleet.admin.status(["status", "device", "acme/drone-1"])["status"], "valid");
	assert_eq!(fleet.admin.status(["status", "device", "rival/drone-1"])["status"], "unknown");

	// Two vouchers, of which one is spent.
	let view = client.at_finalized().await.expect("the node answers");
	let own = view.voucher(voucher.id()).await.expect("it is read").expect("it was issued");
	assert!(matches!(own.state, VoucherState::Redeemed(_)), "{own:?}");
	let copy = VoucherId::of(rival, &voucher.public());
	let copy = view.voucher(copy).await.expect("it is read").expect("it was issued");
	assert_eq!(copy.state, VoucherState::Open);
}

#[tokio::test]
async fn an_agent_given_a_wrong_genesis_refuses_to_start() {
	let fleet = Fleet::start("genesis");
	let device = Device::unconfigured(&fleet.workspace, "acme", "drone-1");
	let wrong = hex(&[0xab; 32]);
	let output = device.try_init(&fleet.node, &wrong).await;
	let error = String::from_utf8_lossy(&output.stderr);
	assert!(!output.status.success(), "the device was set up");
	assert!(error.contains("but the configuration pins 0xabab"), "{error}");
	assert!(!device.join("agent.toml").exists() && !device.join("state").exists());

	// A configuration that was changed later.
	let genesis = hex(&fleet.node.client().await.genesis_hash());
	let output = device.try_init(&fleet.node, &genesis).await;
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	let path = device.join("agent.toml");
	let text = std::fs::read_to_string(&path).expect("it was written");
	std::fs::write(&path, text.replace(&genesis, &wrong)).expect("changes it");
	let error = device.refused_run();
	assert!(error.contains("but the configuration pins 0xabab"), "{error}");
	let voucher = fleet.voucher("drone-1", "10m", "drone-1.voucher");
	let error = device.refused_enrolment(&voucher);
	assert!(error.contains("the voucher is for the chain 0x"), "{error}");
	assert_eq!(fleet.admin.status(["status", "device", "acme/drone-1"])["status"], "unknown");
}

fn account(uri: &str) -> Account {
	Account::from_uri(uri).expect("a development account")
}
