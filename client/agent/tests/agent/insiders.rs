//! What a recipient of a shared envelope can do to the others. It has the content key by right, and the envelope; what
//! it lacks is the role of a publisher. Here it has a hand on the blob store as well, and at last on the record.

use crate::world::*;
use chacha20poly1305::{
	ChaCha20Poly1305, KeyInit, Nonce,
	aead::{Aead, Payload},
};
use dpki_client::{
	Bundle,
	envelope::{OpeningKey, RecipientKey, seal_shared},
	possession::AgreementKey,
	primitives::{
		anchor::AnchorKind,
		delivery::{DeliveryBinding, SHARED_HEADER_LEN, SLOT_NAME_LEN, Suite},
		ids::{BlobDigest, DeviceId, KeyId},
	},
};
use sha2::{Digest, Sha256};

const SUITE: Suite = Suite::SharedX25519;

/// Another device, with the envelope that both of them are sent.
struct Insider {
	/// Its key, and where its delivery is.
	own: (AgreementKey, DeliveryBinding),
	/// The key of the device under attack, and where its delivery is.
	victim: (RecipientKey, DeliveryBinding),
	header: Vec<u8>,
	/// That of the insider, and that of the victim.
	slots: [Vec<u8>; 2],
	content_key: [u8; 32],
}

impl Insider {
	/// The content key is the real one: what the insider encrypts with it is what was published.
	fn of(
		own: (AgreementKey, DeliveryBinding),
		victim: (RecipientKey, DeliveryBinding),
		envelope: &[u8],
		content: &[u8],
	) -> Self {
		let slot_len = SUITE.slot_len() as usize;
		let (header, rest) = envelope.split_at(SHARED_HEADER_LEN as usize);
		let (slots, ciphertext) = rest.split_at(2 * slot_len);
		let (first, second) = slots.split_at(slot_len);
		let aad = [&own.1.aad()[..], &Sha256::digest(ciphertext)].concat();
		let opened = OpeningKey::open(&own.0, &aad, &first[SLOT_NAME_LEN as usize..]).unwrap();
		let insider = Self {
			own,
			victim,
			header: header.to_vec(),
			slots: [first.to_vec(), second.to_vec()],
			content_key: opened.as_slice().try_into().unwrap(),
		};
		assert_eq!(insider.encrypt(content), ciphertext);
		insider
	}

	/// Encrypts under the content key, as the content of the envelope is.
	fn encrypt(&self, content: &[u8]) -> Vec<u8> {
		let hash = Sha256::new().chain_update(b"dpki/delivery/content/1");
		let key = hash.chain_update(self.content_key).finalize();
		let payload = Payload { msg: content, aad: &self.header };
		ChaCha20Poly1305::new(&key).encrypt(&Nonce::default(), payload).unwrap()
	}

	/// The envelope with these slots and this content under the content key.
	fn envelope(&self, slots: [&[u8]; 2], content: &[u8]) -> Vec<u8> {
		[&self.header[..], slots[0], slots[1], &self.encrypt(content)].concat()
	}
}

fn content(name: &str) -> Vec<u8> {
	Bundle { items: vec![principals("root", &[name])] }.encode().unwrap().to_vec()
}

/// Delivery 6 is published for another device and this one, which has delivery 5 in force.
async fn attacked_world() -> (World, Insider) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(5, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	let place = DeliveryBinding { suite: SUITE, ..world.binding(6) };
	let key = AgreementKey::generate();
	let theirs = DeliveryBinding {
		device: DeviceId([9; 32]),
		recipient: KeyId::of(&key.public()),
		sequence: 40,
		..place.clone()
	};
	let mut insider = None;
	world.publish_sealed(6, SUITE, |victim| {
		let recipients =
			[(RecipientKey::X25519(key.public()), theirs.clone()), (victim.clone(), place.clone())];
		let genuine = content("fleet");
		let (envelope, _) = seal_shared(&recipients, &genuine).unwrap();
		insider = Some(Insider::of((key, theirs), (victim.clone(), place), &envelope, &genuine));
		envelope
	});
	(world, insider.unwrap())
}

/// Serves this in the place of the blob that the genuine record names.
fn serve(world: &World, envelope: Vec<u8>) {
	let record = world.chain.delivery.as_ref().unwrap();
	assert_eq!(envelope.len() as u32, record.length, "its length betrays nothing");
	world.blobs.0.lock().unwrap().insert(record.digest, envelope).unwrap();
}

/// The device refuses it in this word, for this reason, keeps what it has, and takes the genuine one all the same.
async fn assert_refused(world: &mut World, word: &str, words: &str) {
	world.step().await.unwrap();
	let refusal = world.agent().status().last_refusal.clone().unwrap();
	assert_eq!((refusal.sequence, refusal.reason.as_str()), (6, word));
	assert!(refusal.sentence.contains(words), "{}", refusal.sentence);
	assert_eq!(world.file("principals/root"), "admin\n");
}

#[tokio::test]
async fn a_recipient_with_the_content_key_serves_no_other_content_under_the_genuine_record() {
	let (mut world, insider) = attacked_world().await;
	let record = world.chain.delivery.clone().unwrap();
	let genuine = world.blobs.0.lock().unwrap()[&record.digest].clone();
	let [own, theirs] = &insider.slots;
	serve(&world, insider.envelope([own, theirs], &content("thief")));
	let words = "what came for the delivery is not what its record says";
	assert_refused(&mut world, "blob mismatch", words).await;
	assert_eq!(world.chain.delivery, Some(record.clone()));
	// Nothing is lost by it: the blob is asked for again.
	serve(&world, genuine);
	world.chain.head.time += 60_000;
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "fleet\n");
}

#[tokio::test]
async fn what_a_recipient_has_encrypted_with_the_content_key_opens_by_no_slot_of_the_others() {
	let (mut world, insider) = attacked_world().await;
	let [own, theirs] = &insider.slots;
	// As if a record could be had that names it.
	let forged = insider.envelope([own, theirs], &content("thief"));
	world.alter_blob(|blob| *blob = forged);
	assert_refused(&mut world, "envelope invalid", "does not open").await;
}

#[tokio::test]
async fn a_recipient_who_seals_to_the_others_anew_is_no_publisher() {
	let (mut world, insider) = attacked_world().await;
	let (key, theirs) = &insider.own;
	let recipients = [(RecipientKey::X25519(key.public()), theirs.clone()), insider.victim.clone()];
	let (sealed, _) = seal_shared(&recipients, &content("thief")).unwrap();
	assert_ne!(BlobDigest::of(&sealed), world.chain.delivery.as_ref().unwrap().digest);
	serve(&world, sealed.clone());
	let words = "what came for the delivery is not what its record says";
	assert_refused(&mut world, "blob mismatch", words).await;
	// Under a record of its own it is the delivery of somebody who is no publisher.
	world.restart();
	world.alter_blob(|blob| *blob = sealed);
	world.chain.delivery.as_mut().unwrap().publisher = [77; 32];
	assert_refused(&mut world, "sender not publisher", "").await;
}

/// What is sealed in one slot, under the name of another.
fn named(name: &[u8], sealed: &[u8]) -> Vec<u8> {
	let len = SLOT_NAME_LEN as usize;
	[&name[..len], &sealed[len..]].concat()
}

#[tokio::test]
async fn a_slot_opens_in_no_place_but_that_of_its_device() {
	for has_own_for_both in [false, true] {
		let (mut world, insider) = attacked_world().await;
		let [own, theirs] = &insider.slots;
		let first = if has_own_for_both { own.clone() } else { named(own, theirs) };
		let swapped = insider.envelope([&first, &named(theirs, own)], &content("fleet"));
		serve(&world, swapped.clone());
		let words = "what came for the delivery is not what its record says";
		assert_refused(&mut world, "blob mismatch", words).await;
		world.restart();
		world.alter_blob(|blob| *blob = swapped);
		assert_refused(&mut world, "envelope invalid", "does not open").await;
	}
}
