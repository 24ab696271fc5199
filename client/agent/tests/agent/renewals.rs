//! Replacing the key that opens deliveries: while both are good either opens, and then the old one is nowhere.

use crate::world::*;
use dpki_agent::{keys::DeviceKeys, rotation};
use dpki_client::{
	Bundle,
	envelope::{self, OpeningKey, RecipientKey, seal_to},
	possession::{AgreementKey, HybridKey},
	primitives::{
		Moment,
		anchor::AnchorKind,
		channel::ChannelId,
		delivery::{DeliveryBinding, SHARED_HEADER_LEN, Suite},
		ids::{DeviceId, KeyId},
		key::{KeyPurpose, KeyRecord},
		revocation::Withdrawal,
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
		withdrawal: Default::default(),
	}
}

fn id(key: &AgreementKey) -> KeyId {
	KeyId::of(&key.public())
}

/// A world where a key is being replaced: the old one, the next one, and when the old one ends.
pub async fn replacing() -> (World, Ca, AgreementKey, AgreementKey, Moment) {
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
	revoked.withdrawal = Withdrawal::Revoked(revocation());
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
	let theirs = DeliveryBinding { recipient: id(&stranger), ..place.clone() };
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

/// What the chain has of a hybrid key that is replaced at this time.
fn hybrid_record(world: &World, key: &HybridKey, superseded_at: Option<Moment>) -> KeyRecord {
	KeyRecord { public: key.public(), ..record(world, &AgreementKey::generate(), superseded_at) }
}

/// A world where the hybrid key is being replaced: the old one, the next one, and when the old one ends.
pub async fn replacing_hybrid() -> (World, Ca, HybridKey, HybridKey, Moment) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	let old = DeviceKeys::add_hybrid(&world.vault()).unwrap();
	world.restart();
	let next = rotation::begin_hybrid(&world.vault()).unwrap();
	let (device, end) = (world.config.device_id(), NOW + 10_000);
	for (key, until) in [(&old, Some(end)), (&next, None)] {
		let record = hybrid_record(&world, key, until);
		world.chain.keys.insert(KeyId::of_device(device, &key.public()), record);
	}
	(world, ca, old, next, end)
}

/// Delivers these principals, sealed to this hybrid key.
async fn deliver_to(world: &mut World, ca: &Ca, at: (u64, Suite), key: &HybridKey, name: &str) {
	let items = vec![user_ca(ca), principals("root", &[name])];
	world.publish_to_hybrid(key, at.1, at.0, &Bundle { items });
	world.step().await.unwrap();
}

#[tokio::test]
async fn after_the_overlap_nobody_opens_what_was_sealed_to_the_old_hybrid_key() {
	let (mut world, ca, old, next, end) = replacing_hybrid().await;
	let agreement = world.keys().agreement;
	let suites = [Suite::XWingChaCha20Poly1305, Suite::SharedXWing];
	for (at, key, name) in [
		((1, suites[0]), &next, "next"),
		((2, suites[0]), &old, "old"),
		((3, suites[1]), &old, "shared"),
	] {
		deliver_to(&mut world, &ca, at, key, name).await;
		assert_eq!(world.file("principals/root"), format!("{name}\n"));
	}
	world.chain.head.time = end;
	world.step().await.unwrap();
	let keys = world.keys();
	assert_eq!(keys.hybrid.unwrap().public(), next.public());
	assert!(keys.next_hybrid.is_none());
	assert_eq!(keys.agreement.public(), agreement.public(), "the other key stays");
	for (sequence, suite) in [(4, suites[0]), (5, suites[1])] {
		deliver_to(&mut world, &ca, (sequence, suite), &old, "late").await;
		assert_eq!(world.refusal(), "other recipient");
		assert_eq!(world.file("principals/root"), "shared\n");
	}
	let digits = hex::encode(*old.to_secret_bytes());
	for entry in std::fs::read_dir(&world.config.state).unwrap() {
		let path = entry.unwrap().path();
		if path.is_file() {
			let content = std::fs::read(&path).unwrap();
			assert!(!String::from_utf8_lossy(&content).contains(&digits), "{}", path.display());
		}
	}
	for (sequence, suite) in [(6, suites[0]), (7, suites[1])] {
		deliver_to(&mut world, &ca, (sequence, suite), &next, &format!("at{sequence}")).await;
		assert_eq!(world.file("principals/root"), format!("at{sequence}\n"));
	}
	// What was recorded of the old envelopes opens neither by the next key nor by any other of the device.
	world.publish_to_hybrid(&old, suites[1], 8, &Bundle::default());
	let record = world.chain.delivery.clone().unwrap();
	let envelope = world.blobs.0.lock().unwrap()[&record.digest].clone();
	let device = world.config.device_id();
	let keys = world.keys();
	for key in [keys.hybrid.as_ref().unwrap() as &dyn OpeningKey, &keys.agreement] {
		let place = DeliveryBinding {
			recipient: KeyId::of_device(device, &key.public()),
			..record.binding(GENESIS, device, ChannelId::DEFAULT)
		};
		assert!(envelope::open(key, &place, &envelope).is_err());
	}
}

#[tokio::test]
async fn the_old_hybrid_key_stays_until_the_chain_says_that_the_next_one_is_good() {
	let (mut world, ca, old, next, end) = replacing_hybrid().await;
	let id = KeyId::of_device(world.config.device_id(), &next.public());
	let good = world.chain.keys.remove(&id).unwrap();
	world.chain.head.time = end + 1;
	world.step().await.unwrap();
	assert_eq!(world.keys().hybrid.unwrap().public(), old.public());
	let revoked = KeyRecord { withdrawal: Withdrawal::Revoked(revocation()), ..good };
	world.chain.keys.insert(id, revoked);
	deliver_to(&mut world, &ca, (1, Suite::SharedXWing), &old, "old").await;
	assert_eq!(world.file("principals/root"), "old\n");
	assert_eq!(world.keys().hybrid.unwrap().public(), old.public());
}

#[tokio::test]
async fn a_shared_envelope_for_hybrid_keys_opens_for_each_of_its_devices_and_for_nobody_else() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = DeviceKeys::add_hybrid(&world.vault()).unwrap();
	let bundle = Bundle { items: vec![user_ca(&ca), principals("root", &["fleet"])] };
	let other = DeviceId([9; 32]);
	let theirs = HybridKey::generate();
	let slots = |place: &DeliveryBinding| {
		let binding = |device, key: &HybridKey| DeliveryBinding {
			device,
			recipient: KeyId::of_device(device, &key.public()),
			..place.clone()
		};
		[(&theirs, other), (&key, place.device)]
			.map(|(key, device)| (RecipientKey::XWing(key.public_bytes()), binding(device, key)))
	};
	let plaintext = bundle.encode().unwrap();
	let seal =
		|place: &DeliveryBinding| envelope::seal_shared(&slots(place), &plaintext).unwrap().0;
	world.publish_shared_to_hybrid(&key, 1, seal);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "fleet\n");
	// Whatever is altered in it, the content keeps to those for whom it was sealed, or is none.
	let slot = Suite::SharedXWing.slot_len() as usize;
	let header = SHARED_HEADER_LEN as usize;
	type Change = Box<dyn Fn(&mut Vec<u8>)>;
	let changes: Vec<(&str, Change)> = vec![
		("commitment", Box::new(|blob| blob[5] ^= 1)),
		("our encapsulated key", Box::new(move |blob| blob[header + slot + 600] ^= 1)),
		("our content key", Box::new(move |blob| blob[header + 2 * slot - 20] ^= 1)),
		(
			"the slot of the other device",
			Box::new(move |blob| {
				let other = blob[header..header + slot].to_vec();
				blob[header + slot + 8..header + 2 * slot].copy_from_slice(&other[8..]);
			}),
		),
		("content", Box::new(|blob| *blob.last_mut().unwrap() ^= 1)),
	];
	for (sequence, (what, change)) in (2..).zip(changes) {
		world.publish_shared_to_hybrid(&key, sequence, seal);
		world.alter_blob(change);
		world.step().await.unwrap();
		assert_eq!(world.refusal(), "envelope invalid", "{what}");
		assert_eq!(world.file("principals/root"), "fleet\n", "{what}");
	}
	// Nor is it opened by the slot of another device.
	world.publish_shared_to_hybrid(&key, 7, |place| {
		let [theirs, _] = slots(place);
		envelope::seal_shared(&[theirs], &plaintext).unwrap().0
	});
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "envelope invalid");
}
