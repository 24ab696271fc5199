//! Enrolments that the chain or the agent refuses, each by its own error.

use dpki_client::{
	Voucher, calls,
	possession::{AgreementKey, Registration, SigningKey, SoftwareKey},
	submit::SubmitError,
};
use dpki_e2e::{Device, Fleet, hex};
use dpki_primitives::{
	context::Registrant,
	key::{KeyPurpose, KeyType, NewKey},
	refusal::Refusal,
};
use std::{path::Path, time::Duration};

/// How long the signatures of these tests are good for.
const MINUTES: u64 = 10 * 60 * 1000;

/// The keys of a device, proven for this voucher.
fn keys(voucher: &Voucher, expires_at: u64) -> Vec<NewKey> {
	let signing = SoftwareKey::generate(KeyType::Ed25519).expect("makes a key");
	let registration = |keys_registered| Registration {
		genesis: voucher.genesis(),
		registrant: Registrant::Voucher(voucher.id()),
		device: voucher.device_id(),
		keys_registered,
		expires_at,
	};
	let agreement = AgreementKey::generate();
	vec![
		registration(0)
			.prove(KeyPurpose::Sign, &signing as &dyn SigningKey, None)
			.expect("signs"),
		registration(1).vouch(&agreement.public(), &signing, None).expect("signs"),
	]
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

	// The same voucher again, with other keys.
	let client = fleet.node.client().await;
	let spent = read(&voucher);
	let expires_at = client.finalized_head().await.expect("the node answers").time + MINUTES;
	let others = keys(&spent, expires_at);
	let signature = spent.sign_enrolment(&others, expires_at);
	let again =
		calls::enrol(spent.public(), "drone-1", &others, expires_at, signature).expect("encodes");
	let error = client.submit_general(&again).await.expect_err("a voucher that was used");
	assert!(matches!(error, SubmitError::Refused(Refusal::VoucherRedeemed)), "{error}");

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
	while client.finalized_head().await.expect("the node answers").time <= end {
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
	let error = other.refused_enrolment(&brief);
	assert!(error.contains("expired"), "{error}");
}

#[tokio::test]
async fn what_the_voucher_did_not_sign_is_not_enrolled() {
	let fleet = Fleet::start("swapped");
	let client = fleet.node.client().await;
	let file = fleet.voucher("drone-1", "10m", "drone-1.voucher");
	let voucher: Voucher = std::fs::read_to_string(file)
		.expect("reads the voucher")
		.trim()
		.parse()
		.expect("it parses");
	let expires_at = client.finalized_head().await.expect("the node answers").time + MINUTES;

	// Somebody on the way swaps the keys, each with a proof of its own.
	let (own, theirs) = (keys(&voucher, expires_at), keys(&voucher, expires_at));
	let signature = voucher.sign_enrolment(&own, expires_at);
	let swapped =
		calls::enrol(voucher.public(), "drone-1", &theirs, expires_at, signature).expect("encodes");
	let error = client.submit_general(&swapped).await.expect_err("swapped keys");
	assert!(matches!(error, SubmitError::Refused(Refusal::VoucherSignatureInvalid)), "{error}");

	// Proofs of possession for another chain do not count, though the voucher signs them.
	let mut elsewhere = Registration {
		genesis: [7; 32],
		registrant: Registrant::Voucher(voucher.id()),
		device: voucher.device_id(),
		keys_registered: 0,
		expires_at,
	};
	let signing = SoftwareKey::generate(KeyType::Ed25519).expect("makes a key");
	let foreign = [elsewhere.prove(KeyPurpose::Sign, &signing, None).expect("signs")];
	let signature = voucher.sign_enrolment(&foreign, expires_at);
	let call = calls::enrol(voucher.public(), "drone-1", &foreign, expires_at, signature)
		.expect("encodes");
	let error = client.submit_general(&call).await.expect_err("a proof for another chain");
	assert!(matches!(error, SubmitError::Refused(Refusal::PossessionInvalid)), "{error}");

	// What was signed goes through, after all these attempts.
	let signature = voucher.sign_enrolment(&own, expires_at);
	let call =
		calls::enrol(voucher.public(), "drone-1", &own, expires_at, signature).expect("encodes");
	client.submit_general(&call).await.expect("the right keys are enrolled");
}

#[tokio::test]
async fn an_agent_given_a_wrong_genesis_refuses_to_start() {
	let fleet = Fleet::start("genesis");
	let device = Device::unconfigured(&fleet.workspace, "acme", "drone-1");
	let output = device.try_init(&fleet.node, &hex(&[0xab; 32])).await;
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

	let error = device.refused_run();
	assert!(error.contains("genesis"), "{error}");
	let voucher = fleet.voucher("drone-1", "10m", "drone-1.voucher");
	let error = device.refused_enrolment(&voucher);
	assert!(error.contains("chain"), "{error}");
	assert_eq!(fleet.admin.status(["status", "device", "acme/drone-1"])["status"], "unknown");
}
