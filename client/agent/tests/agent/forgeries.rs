//! What is in an envelope that should not be, or is sealed as it should not be.

use crate::world::*;
use dpki_client::{
	Bundle, Item,
	bundle::Secret,
	envelope::{RecipientKey, seal_shared, seal_to},
	possession::AgreementKey,
	primitives::{
		anchor::AnchorKind,
		channel::ChannelId,
		delivery::{DeliveryBinding, MAX_BLOB_LEN, Suite},
		ids::{DeviceId, KeyId},
	},
};

async fn applied_world() -> (World, Ca) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(5, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca), "{:?}", world.agent().status());
	(world, ca)
}

/// The next block changes nothing, for this reason.
async fn assert_refused(world: &mut World, word: &str, words: &str) {
	let before = world.generation();
	world.step().await.unwrap();
	assert_eq!(world.refusal(), word);
	let sentence = world.agent().status().last_refusal.clone().unwrap().sentence;
	assert!(sentence.contains(words), "{sentence}");
	assert_eq!(world.generation(), before);
	assert_eq!(world.file("principals/root"), "admin\n");
}

/// Seals these bytes as delivery 6 of this device.
fn seal_bytes(world: &mut World, plaintext: &[u8]) {
	let device = world.config.device_id();
	world.seal(device, 6, plaintext);
}

#[tokio::test]
async fn a_bundle_of_another_version_is_refused_by_its_number() {
	for version in [1, 3] {
		let (mut world, _) = applied_world().await;
		let mut bytes = Bundle::default().encode().unwrap();
		bytes[0] = version;
		seal_bytes(&mut world, &bytes);
		let words = format!("is of version {version}");
		assert_refused(&mut world, "bundle invalid", &words).await;
	}
}

/// A bundle of one item of the unknown kind 200.
fn unknown_item(flags: u8) -> Vec<u8> {
	let mut bytes = vec![2, 4, 200, flags, 4, 0, 0];
	bytes.resize(1024, 0);
	bytes
}

#[tokio::test]
async fn an_item_of_an_unknown_kind_is_refused_unless_it_may_be_left_out() {
	let (mut world, ca) = applied_world().await;
	seal_bytes(&mut world, &unknown_item(0));
	assert_refused(&mut world, "bundle invalid", "unknown type 200").await;
	let (mut world_of_marks, _) = applied_world().await;
	seal_bytes(&mut world_of_marks, &unknown_item(0x80));
	assert_refused(&mut world_of_marks, "bundle invalid", "unknown marks").await;
	let device = world.config.device_id();
	world.seal(device, 7, &unknown_item(1));
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(7));
	assert!(!world.trusts(&ca));
}

#[tokio::test]
async fn what_the_agent_cannot_put_in_force_is_refused_unless_it_may_be_left_out() {
	let (mut world, ca) = applied_world().await;
	let psk = Item::Psk { identity: "drone-7".into(), key: Secret::from(&[7; 32][..]) };
	let access = [user_ca(&ca), principals("root", &["new"])];
	world.publish(6, [&access[..], std::slice::from_ref(&psk)].concat());
	assert_refused(&mut world, "bundle invalid", "cannot put the pre-shared key in force").await;
	world.publish(7, [&access[..], &[psk.optional()]].concat());
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(7));
	assert_eq!(world.file("principals/root"), "new\n");
}

#[tokio::test]
async fn an_optional_item_is_judged_like_any_other() {
	let (mut world, ca) = applied_world().await;
	let revoked = world.register(AnchorKind::SshUserCa);
	world.anchor(revoked.anchor).revocation = Some(revocation());
	world.publish(6, vec![user_ca(&ca), user_ca(&revoked).optional()]);
	assert_refused(&mut world, "bundle invalid", "is revoked").await;
}

#[tokio::test]
async fn a_message_behind_the_content_is_refused() {
	let (mut world, _) = applied_world().await;
	let mut bytes = Bundle::default().encode().unwrap().to_vec();
	*bytes.last_mut().unwrap() = 1;
	seal_bytes(&mut world, &bytes);
	assert_refused(&mut world, "bundle invalid", "padding").await;
}

#[tokio::test]
async fn a_truncated_envelope_is_refused() {
	let (mut world, _) = applied_world().await;
	world.publish(6, vec![]);
	world.alter_blob(|blob| blob.truncate(blob.len() - 1));
	assert_refused(&mut world, "envelope invalid", "does not open").await;
}

#[tokio::test]
async fn an_envelope_that_says_to_be_too_long_is_not_even_fetched() {
	let (mut world, _) = applied_world().await;
	world.publish(6, vec![]);
	world.chain.delivery.as_mut().unwrap().length = MAX_BLOB_LEN + 1;
	assert_refused(&mut world, "envelope too long", "more than an envelope can have").await;
}

#[tokio::test]
async fn a_blob_of_another_length_than_the_record_says_is_not_opened() {
	let (mut world, _) = applied_world().await;
	world.publish(6, vec![]);
	world.chain.delivery.as_mut().unwrap().length -= 1;
	assert_refused(&mut world, "blob mismatch", "what its record says").await;
}

#[tokio::test]
async fn an_envelope_under_another_suite_than_its_own_is_refused() {
	for suite in [Suite::XWingChaCha20Poly1305, Suite::SharedXWing] {
		let (mut world, _) = applied_world().await;
		world.publish(6, vec![]);
		world.chain.delivery.as_mut().unwrap().suite = suite;
		assert_refused(&mut world, "other suite", "another way than its key allows").await;
	}
	let (mut world, _) = applied_world().await;
	let place = world.binding(6);
	let sealed = |key: &RecipientKey| {
		let mut sealed = seal_to(key, &place, &Bundle::default().encode().unwrap()).unwrap();
		// Of a single envelope that is a byte of a key, of a shared one the version.
		sealed[0] = 7;
		sealed
	};
	world.publish_sealed(6, Suite::SharedX25519, sealed);
	assert_refused(&mut world, "envelope malformed", "is of version 7").await;
}

#[tokio::test]
async fn an_envelope_of_another_chain_is_refused() {
	let (mut world, _) = applied_world().await;
	let place = DeliveryBinding { genesis: [99; 32], ..world.binding(6) };
	world.publish_sealed(6, place.suite, |key| {
		seal_to(key, &place, &Bundle::default().encode().unwrap()).unwrap()
	});
	assert_refused(&mut world, "envelope invalid", "does not open").await;
}

#[tokio::test]
async fn an_envelope_of_another_publisher_is_refused() {
	let (mut world, _) = applied_world().await;
	let place = DeliveryBinding { publisher: [99; 32], ..world.binding(6) };
	world.publish_sealed(6, place.suite, |key| {
		seal_to(key, &place, &Bundle::default().encode().unwrap()).unwrap()
	});
	assert_refused(&mut world, "envelope invalid", "does not open").await;
}

#[tokio::test]
async fn an_envelope_of_another_channel_is_refused() {
	for suite in [Suite::X25519ChaCha20Poly1305, Suite::SharedX25519] {
		let (mut world, _) = applied_world().await;
		let channel = ChannelId::new(1).unwrap();
		let place = DeliveryBinding { channel, suite, ..world.binding(6) };
		world.publish_sealed(6, suite, |key| {
			seal_to(key, &place, &Bundle::default().encode().unwrap()).unwrap()
		});
		assert_refused(&mut world, "envelope invalid", "does not open").await;
	}
}

/// A shared envelope for this device and another one.
fn share(world: &mut World, items: Vec<Item>) {
	let place = DeliveryBinding { suite: Suite::SharedX25519, ..world.binding(6) };
	let other = AgreementKey::generate();
	let theirs = DeliveryBinding {
		device: DeviceId([9; 32]),
		recipient: KeyId::of(&other.public()),
		sequence: 40,
		..place.clone()
	};
	let plaintext = Bundle { items }.encode().unwrap();
	world.publish_sealed(6, place.suite, |key| {
		let recipients =
			[(RecipientKey::X25519(other.public()), theirs), (key.clone(), place.clone())];
		seal_shared(&recipients, &plaintext).unwrap().0
	});
}

#[tokio::test]
async fn a_delivery_to_many_devices_is_applied_by_each() {
	let (mut world, ca) = applied_world().await;
	share(&mut world, vec![user_ca(&ca), principals("root", &["fleet"])]);
	world.step().await.unwrap();
	let status = world.agent().status();
	assert_eq!(status.sequence, Some(6), "{status:?}");
	assert_eq!(world.file("principals/root"), "fleet\n");
}

#[tokio::test]
async fn a_shared_envelope_for_others_only_is_refused() {
	let (mut world, _) = applied_world().await;
	let place = DeliveryBinding { suite: Suite::SharedX25519, ..world.binding(6) };
	let other = AgreementKey::generate();
	let theirs = DeliveryBinding { recipient: KeyId::of(&other.public()), ..place.clone() };
	world.publish_sealed(6, place.suite, |_| {
		let recipients = [(RecipientKey::X25519(other.public()), theirs)];
		seal_shared(&recipients, &Bundle::default().encode().unwrap()).unwrap().0
	});
	assert_refused(&mut world, "envelope invalid", "does not open").await;
}

#[tokio::test]
async fn a_shared_envelope_of_another_version_is_refused_by_its_number() {
	let (mut world, _) = applied_world().await;
	share(&mut world, vec![]);
	world.alter_blob(|blob| blob[0] = 2);
	assert_refused(&mut world, "envelope malformed", "is of version 2").await;
}

#[tokio::test]
async fn a_shared_envelope_whose_content_was_replaced_is_refused() {
	let (mut world, _) = applied_world().await;
	share(&mut world, vec![]);
	world.alter_blob(|blob| *blob.last_mut().unwrap() ^= 1);
	assert_refused(&mut world, "envelope invalid", "does not open").await;
}
