//! What a recipient of a shared envelope can do to the others with the content key, which it has by right.

use super::*;
use crate::blob::{self, BlobError};
use chacha20poly1305::{
	ChaCha20Poly1305, KeyInit, Nonce,
	aead::{Aead, Payload},
};
use dpki_primitives::ids::BlobDigest;

/// A recipient like any other: it has the content key, and makes with it what it likes.
struct Insider<'a> {
	header: &'a [u8],
	slots: Vec<&'a [u8]>,
	content_key: [u8; 32],
}

impl<'a> Insider<'a> {
	/// The one in this slot.
	fn of(
		envelope: &'a [u8],
		count: usize,
		slot: usize,
		(key, place): (&AgreementKey, &DeliveryBinding),
	) -> Self {
		let slot_len = place.suite.slot_len() as usize;
		let (header, rest) = envelope.split_at(SHARED_HEADER_LEN as usize);
		let (slots, ciphertext) = rest.split_at(count * slot_len);
		let slots: Vec<_> = slots.chunks_exact(slot_len).collect();
		let aad = [&place.aad()[..], &sha2::Sha256::digest(ciphertext)].concat();
		let opened = OpeningKey::open(key, &aad, &slots[slot][8..]).unwrap();
		let content_key = opened.as_slice().try_into().unwrap();
		let insider = Self { header, slots, content_key };
		assert_eq!(insider.encrypt(b"state"), ciphertext, "it is the key of this content");
		insider
	}

	/// Another content under the same key, as the one of the envelope is encrypted.
	fn encrypt(&self, content: &[u8]) -> Vec<u8> {
		let hash = sha2::Sha256::new().chain_update(b"dpki/delivery/content/1");
		let key = hash.chain_update(self.content_key).finalize();
		let payload = Payload { msg: content, aad: self.header };
		ChaCha20Poly1305::new(&key).encrypt(&Nonce::default(), payload).unwrap()
	}
}

#[test]
fn a_recipient_who_has_the_content_key_puts_no_other_content_into_the_envelope() {
	let fleet = fleet(3);
	let recipients: Vec<_> = fleet.iter().map(|(_, recipient)| recipient.clone()).collect();
	let (genuine, content_key) = seal_shared(&recipients, b"state").unwrap();
	let insider = Insider::of(&genuine, 3, 1, (&fleet[1].0, &recipients[1].1));
	let forged = insider.encrypt(b"other");
	assert_eq!(genuine.len(), insider.header.len() + insider.slots.concat().len() + forged.len());
	// With the slots as they are: each is bound to the content that was encrypted first.
	let altered = [insider.header, &insider.slots.concat(), &forged].concat();
	for (key, (_, place)) in &fleet {
		assert_eq!(open(key, place, &altered), Err(EnvelopeError::DoesNotOpen));
	}
	// Those who approve see what is in it: they know the envelope by its digest.
	let seen = review(Suite::SharedX25519, &altered, &content_key).unwrap();
	assert_eq!(seen.as_slice(), b"other");
	// With slots of its own making, under the genuine key. Nobody signs an envelope: it opens, and it is the record that
	// says which one was published. Its digest is another one.
	let mut wrapped = insider.header.to_vec();
	for (public, place) in &recipients {
		let aad = [&place.aad()[..], &sha2::Sha256::digest(&forged)].concat();
		wrapped.extend_from_slice(&place.recipient.0[..8]);
		wrapped.extend(public.seal(&aad, &insider.content_key).unwrap());
	}
	wrapped.extend_from_slice(&forged);
	let (victim, (_, place)) = &fleet[0];
	assert_eq!(open(victim, place, &wrapped).unwrap().as_slice(), b"other");
	let (digest, length) = (BlobDigest::of(&genuine), genuine.len() as u32);
	for other in [&altered, &wrapped] {
		let refused = blob::verify(digest, length, other).unwrap_err();
		assert_eq!(refused, BlobError::Mismatch { cid: blob::cid(digest) });
	}
	assert_eq!(blob::verify(digest, length, &genuine), Ok(()));
}

#[test]
fn a_recipient_gives_nobody_the_slot_of_another() {
	let fleet = fleet(3);
	let recipients: Vec<_> = fleet.iter().map(|(_, recipient)| recipient.clone()).collect();
	let (genuine, _) = seal_shared(&recipients, b"state").unwrap();
	let insider = Insider::of(&genuine, 3, 1, (&fleet[1].0, &recipients[1].1));
	let ciphertext = insider.encrypt(b"state");
	let with = |slots: [&[u8]; 3]| [insider.header, &slots.concat(), &ciphertext].concat();
	let [first, own, third] = insider.slots[..] else { panic!("three") };
	let named = |name: &[u8], sealed: &[u8]| [&name[..8], &sealed[8..]].concat();
	// What is sealed to the one under the name of the other, both ways.
	let (one, other) = (named(first, third), named(third, first));
	let swapped = with([&one, own, &other]);
	for (at, opens) in [(0, false), (1, true), (2, false)] {
		let (key, (_, place)) = &fleet[at];
		let opened = open(key, place, &swapped);
		match opens {
			true => assert_eq!(opened.unwrap().as_slice(), b"state"),
			false => assert_eq!(opened, Err(EnvelopeError::DoesNotOpen), "{at}"),
		}
	}
	// Its own slot in the place of all.
	let own_for_all = with([&named(first, own), own, &named(third, own)]);
	assert_eq!(open(&fleet[0].0, &recipients[0].1, &own_for_all), Err(EnvelopeError::DoesNotOpen));
	// In another order they say the same to everybody, in an envelope that no record names.
	let turned = with([third, own, first]);
	for (key, (_, place)) in &fleet {
		assert_eq!(open(key, place, &turned).unwrap().as_slice(), b"state");
	}
	let digest = BlobDigest::of(&genuine);
	for other in [&swapped, &own_for_all, &turned] {
		let refused = blob::verify(digest, genuine.len() as u32, other).unwrap_err();
		assert!(matches!(refused, BlobError::Mismatch { .. }), "{refused}");
	}
}
