//! Replacing the key that opens deliveries: while both are good either opens, and then the old one is nowhere.

use crate::world::*;
use dpki_agent::{keys::DeviceKeys, rotation};
use dpki_client::{
	Bundle,
	envelope::seal_to,
	possession::{AgreementKey, HybridKey},
	primitives::{
		Moment,
		anchor::AnchorKind,
		delivery::Suite,
		ids::KeyId,
		key::{KeyPurpose, KeyRecord},
		status::Validity,
	},
};

/// What the chain has of a key that is replaced at this time.
fn record(world: &World, key: &AgreementKey, superseded_at: Option<Moment>) -> KeyRecord {
	KeyRecord {
		device: world.config.device_id(),
		purpose: KeyPurpose::KeyAgreement,
		public: key.public(),
		validity: Validity { not_before: 1, not_after: None },
		registered_at: 1,
		superseded_at,
		revocation: None,
	}
}

fn id(key: &AgreementKey) -> KeyId {
	KeyId::of(&key.public())
}

/// A world where a key is being replaced: the old one, the next one, and when the old one ends.
async fn replacing() -> (World, Ca, AgreementKey, AgreementKey, Moment) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	let old = world.keys().agreement;
	let next = rotation::begin(&world.vault()).unwrap();
	let end = NOW + 10_000;
	let records =
		[(id(&old), record(&world, &old, Some(end))), (id(&next), record(&world, &next, None))];
	world.chain.keys.extend(records);
	(world, ca, old, next, end)
}

/// Delivers these principals, sealed to this key.
async fn deliver(world: &mut World, ca: &Ca, sequence: u64, key: &AgreementKey, name: &str) {
	let items = vec![user_ca(ca), principals("root", &[name])];
	world.publish_to(key, sequence, &Bundle { items });
	world.step().await.unwrap();
}

#[tokio::test]
async fn while_both_keys_are_good_either_opens() {
	let (mut world, ca, old, next, _) = replacing().await;
	deliver(&mut world, &ca, 1, &next, "next").await;
	assert_eq!(world.file("principals/root"), "next\n");
	deliver(&mut world, &ca, 2, &old, "old").await;
	assert_eq!(world.file("principals/root"), "old\n");
	assert_eq!(world.keys().agreement.public(), old.public());
}

#[tokio::test]
async fn after_the_overlap_nobody_opens_what_was_sealed_to_the_old_key() {
	let (mut world, ca, old, next, end) = replacing().await;
	deliver(&mut world, &ca, 1, &next, "next").await;
	world.chain.head.time = end;
	world.step().await.unwrap();
	assert_eq!(world.keys().agreement.public(), next.public());
	assert!(world.keys().next.is_none());
	// Whoever publishes for it all the same, the device cannot read it, and says so.
	deliver(&mut world, &ca, 2, &old, "late").await;
	assert_eq!(world.refusal(), "other recipient");
	assert_eq!(world.file("principals/root"), "next\n");
	// Not even with what is left on the disk.
	let digits = hex::encode(*old.to_secret_bytes());
	for entry in std::fs::read_dir(&world.config.state).unwrap() {
		let path = entry.unwrap().path();
		if path.is_file() {
			let content = std::fs::read(&path).unwrap();
			assert!(!String::from_utf8_lossy(&content).contains(&digits), "{}", path.display());
		}
	}
	deliver(&mut world, &ca, 3, &next, "after").await;
	assert_eq!(world.file("principals/root"), "after\n");
}

#[tokio::test]
async fn the_old_key_stays_until_the_chain_says_that_the_next_one_is_good() {
	let (mut world, ca, old, next, end) = replacing().await;
	world.chain.keys.remove(&id(&next));
	world.chain.head.time = end + 1;
	world.step().await.unwrap();
	assert_eq!(world.keys().agreement.public(), old.public());
	deliver(&mut world, &ca, 1, &old, "old").await;
	assert_eq!(world.file("principals/root"), "old\n");
	// Nor is it destroyed for a next key that is revoked.
	let mut revoked = record(&world, &next, None);
	revoked.revocation = Some(revocation());
	world.chain.keys.insert(id(&next), revoked);
	world.step().await.unwrap();
	assert_eq!(world.keys().agreement.public(), old.public());
}

#[tokio::test]
async fn an_agent_that_runs_learns_of_a_rotation_that_was_begun_beside_it() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.step().await.unwrap();
	let next = rotation::begin(&world.vault()).unwrap();
	deliver(&mut world, &ca, 1, &next, "next").await;
	assert_eq!(world.file("principals/root"), "next\n");
	assert!(DeviceKeys::load(&world.vault()).unwrap().next.is_some());
}

#[tokio::test]
async fn an_envelope_sealed_to_no_key_of_the_device_is_refused() {
	let (mut world, ca, ..) = replacing().await;
	let stranger = AgreementKey::generate();
	deliver(&mut world, &ca, 1, &stranger, "stranger").await;
	assert_eq!(world.refusal(), "other recipient");
	// Nor one whose record names the device's key and which is sealed to another.
	let place = world.binding(2);
	let theirs = dpki_client::primitives::delivery::DeliveryBinding {
		recipient: id(&stranger),
		..place.clone()
	};
	let key = dpki_client::envelope::RecipientKey::X25519(stranger.public());
	world.publish_sealed(2, place.suite, |_| {
		seal_to(&key, &theirs, &Bundle::default().encode().unwrap()).unwrap()
	});
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "envelope invalid");
}

#[tokio::test]
async fn a_next_key_that_is_damaged_does_not_hold_a_revocation_up() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(1, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	std::fs::write(world.config.state.join("agreement.next.key"), "no key").unwrap();
	world.anchor(ca.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&ca));
}

#[tokio::test]
async fn a_device_with_a_hybrid_key_opens_what_is_sealed_to_it() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	let bundle = Bundle { items: vec![user_ca(&ca), principals("root", &["admin"])] };
	let stranger = HybridKey::generate();
	world.publish_to_hybrid(&stranger, Suite::XWingChaCha20Poly1305, 1, &bundle);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "other recipient");
	// Made while the agent runs, by `dpki-agent hybrid`.
	let key = DeviceKeys::add_hybrid(&world.vault()).unwrap();
	for (sequence, suite) in [(2, Suite::XWingChaCha20Poly1305), (3, Suite::SharedXWing)] {
		world.publish_to_hybrid(&key, suite, sequence, &bundle);
		world.step().await.unwrap();
		let status = world.agent().status().clone();
		assert!(world.trusts(&ca), "{status:?}");
		assert_eq!(world.agent().status().highest_sequence, Some(sequence), "{status:?}");
	}
	world.publish_to_hybrid(&key, Suite::XWingChaCha20Poly1305, 4, &bundle);
	world.alter_blob(|blob| blob[100] ^= 1);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "envelope invalid");
}
