//! Consents to further keys.

use crate::world::{GENESIS, NOW, World, hold, revocation};
use dpki_agent::{
	consent::{ConsentError, Request, sign},
	keys::DeviceKeys,
};
use dpki_client::{
	possession::{Admitted, PossessionError, Registration, SignedConsent, SigningKey, SoftwareKey},
	primitives::{
		context::Registrant,
		ids::KeyId,
		key::{KeyPurpose, KeyType},
		revocation::Withdrawal,
	},
};

const REGISTRAR: [u8; 32] = [4; 32];
const HOUR: u64 = 60 * 60 * 1000;

fn request(key: Admitted<'_>) -> Request<'_> {
	let (account, purpose) = (REGISTRAR, KeyPurpose::Tls);
	Request { account, purpose, key, valid: Some(5 * HOUR), lifetime: HOUR }
}

async fn ask(world: &World, request: Request<'_>) -> Result<SignedConsent, ConsentError> {
	sign(&world.config, &world.keys(), &world.chain, request).await
}

#[tokio::test]
async fn the_device_consents_with_its_own_signing_key() {
	let world = World::new();
	let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
	let registration = Registration {
		genesis: GENESIS,
		registrant: Registrant::Account(REGISTRAR),
		device: world.config.device_id(),
		keys_registered: 3,
		expires_at: NOW + HOUR,
	};
	let signing = world.keys().signing;
	let end = Some(NOW + 5 * HOUR);
	// Ed25519 is deterministic: both are what the registrar would have made with the private keys.
	let consent = registration.consent(KeyPurpose::Tls, &key.public(), end, &signing).unwrap();
	let proven = registration.clone().prove(KeyPurpose::Tls, &key, end).unwrap();

	let own = ask(&world, request(Admitted::Own(&key))).await.unwrap();
	assert_eq!((&own.consent, &own.proven), (&consent, &Some(proven)));
	assert_eq!((own.consent.key, own.key), (world.keys().signing_id(), KeyId::of(&key.public())));
	assert_eq!(own.registration(), registration);

	let foreign = ask(&world, request(Admitted::Foreign(&key.public()))).await.unwrap();
	assert_eq!((foreign.consent, foreign.proven), (consent, None));
}

#[tokio::test]
async fn the_device_vouches_for_its_hybrid_key() {
	let world = World::new();
	let key = DeviceKeys::add_hybrid(&world.vault()).unwrap().public();
	let purpose = KeyPurpose::KeyAgreement;
	let asked = Request { purpose, ..request(Admitted::Held(&key)) };
	let signed = ask(&world, asked).await.unwrap();
	assert_eq!(signed.key, KeyId::of_device(world.config.device_id(), &key));
	let proven = signed.proven.expect("the registrar needs nothing else");
	assert!(proven.public == key && proven.possession.is_empty());
	let tls = ask(&world, request(Admitted::Held(&key))).await;
	assert!(tls.is_err(), "it is for nothing else: {tls:?}");
}

#[tokio::test]
async fn a_device_that_is_not_there_revoked_or_on_hold_consents_to_nothing() {
	let mut world = World::new();
	let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
	world.chain.device.as_mut().unwrap().withdrawal = Withdrawal::Revoked(revocation());
	let revoked = ask(&world, request(Admitted::Own(&key))).await;
	assert!(matches!(revoked, Err(ConsentError::Revoked)), "{revoked:?}");
	world.chain.device.as_mut().unwrap().withdrawal = hold();
	let held = ask(&world, request(Admitted::Own(&key))).await;
	assert!(matches!(held, Err(ConsentError::OnHold)), "{held:?}");
	world.chain.device = None;
	let unknown = ask(&world, request(Admitted::Own(&key))).await;
	assert!(matches!(unknown, Err(ConsentError::NotEnrolled)), "{unknown:?}");
	world.chain.silent = true;
	let silent = ask(&world, request(Admitted::Own(&key))).await;
	assert!(matches!(silent, Err(ConsentError::Read(_))), "{silent:?}");
}

#[tokio::test]
async fn a_consent_does_not_lie_in_wait_and_a_key_has_to_fit() {
	let world = World::new();
	let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
	for (lifetime, valid) in [(25 * HOUR, None), (HOUR, Some(u64::MAX))] {
		let request = Request { lifetime, valid, ..request(Admitted::Own(&key)) };
		let long = ask(&world, request).await;
		assert!(matches!(long, Err(ConsentError::TooLong)), "{long:?}");
	}
	let purpose = KeyPurpose::KeyAgreement;
	let unfit = ask(&world, Request { purpose, ..request(Admitted::Own(&key)) }).await;
	let unfit = unfit.unwrap_err();
	assert!(matches!(unfit, ConsentError::Possession(PossessionError::Unfit { .. })), "{unfit:?}");
}
