//! The way back after a forced change.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::Moment;
use dpki_verifier::{
	Checkpoint, Error, MAX_RECOVERY_LIFETIME, Part, encode_recovery, recovery_payload,
};
use ed25519_zebra::SigningKey;

const NOW: Moment = TIME;
const EXPIRY: Moment = NOW + 3_600_000;

fn sign(key: &SigningKey, payload: &[u8]) -> ([u8; 32], [u8; 64]) {
	(public(key), key.sign(payload).into())
}

/// Set 9 of other validators, at block 100.
fn target() -> Checkpoint {
	checkpoint(9, &keys(50, 5), 100)
}

/// The verdict at [`NOW`] about a recovery to `new` that `signers` have signed.
fn recovered(new: &Checkpoint, expiry: Moment, signers: &[SigningKey]) -> Result<(), Error> {
	let world = World::new(4);
	let payload = recovery_payload(&world.checkpoint, new, expiry);
	let signatures: Vec<_> = signers.iter().map(|key| sign(key, &payload)).collect();
	let mut verifier = world.verifier();
	let verdict = verifier.recover(&encode_recovery(new, expiry, &signatures), NOW).map(|_| ());
	let expected = if verdict.is_ok() { new } else { &world.checkpoint };
	assert_eq!(verifier.checkpoint(), expected);
	verdict
}

#[test]
fn the_pinned_set_can_name_a_new_checkpoint() {
	assert_eq!(recovered(&target(), EXPIRY, &keys(0, 4)), Ok(()));
	assert_eq!(recovered(&target(), EXPIRY, &keys(1, 3)), Ok(()));
	assert_eq!(recovered(&target(), NOW, &keys(0, 4)), Ok(()));
	assert_eq!(recovered(&target(), NOW + MAX_RECOVERY_LIFETIME, &keys(0, 4)), Ok(()));
}

#[test]
fn devices_at_different_blocks_of_a_set_take_the_same_recovery() {
	let world = World::new(4);
	let payload = recovery_payload(&world.checkpoint, &target(), EXPIRY);
	let mut later = world.checkpoint.clone();
	(later.number, later.hash) = (50, [50; 32]);
	assert_eq!(recovery_payload(&later, &target(), EXPIRY), payload);
}

#[test]
fn two_thirds_of_the_pinned_set_are_too_few() {
	let refused = Err(Error::TooFewVotes { found: 2, needed: 3 });
	assert_eq!(recovered(&target(), EXPIRY, &keys(0, 2)), refused);
}

#[test]
fn only_the_pinned_set_signs_and_each_once() {
	let stranger = keys(50, 1);
	let refused = Err(Error::UnknownAuthority { authority: public(&stranger[0]) });
	assert_eq!(recovered(&target(), EXPIRY, &[keys(0, 3), stranger].concat()), refused);
	let refused = Err(Error::RepeatedVote { authority: public(&keys(0, 1)[0]) });
	assert_eq!(recovered(&target(), EXPIRY, &[keys(0, 1), keys(0, 3)].concat()), refused);
}

#[test]
fn a_recovery_leads_forward_on_the_same_chain() {
	let refused = Err(Error::RecoveryNotForward);
	let changed = |change: fn(&mut Checkpoint)| {
		let mut new = target();
		change(&mut new);
		recovered(&new, EXPIRY, &keys(0, 4))
	};
	assert_eq!(changed(|new| new.genesis[0] ^= 1), refused);
	assert_eq!(changed(|new| new.number = 10), refused);
	assert_eq!(changed(|new| new.number = 11), Ok(()));
	assert_eq!(changed(|new| new.set = set(7, &keys(50, 5))), refused);
	assert_eq!(changed(|new| new.set = set(8, &keys(50, 5))), Ok(()));
}

#[test]
fn a_recovery_expires() {
	let refused = Err(Error::RecoveryExpired { at: NOW - 1 });
	assert_eq!(recovered(&target(), NOW - 1, &keys(0, 4)), refused);
	let until = NOW + MAX_RECOVERY_LIFETIME + 1;
	let refused = Err(Error::RecoveryTooLong { until });
	assert_eq!(recovered(&target(), until, &keys(0, 4)), refused);
}

#[test]
fn a_signature_is_for_one_recovery() {
	let world = World::new(4);
	let good = |payload: Vec<u8>| {
		let signatures: Vec<_> = world.keys.iter().map(|key| sign(key, &payload)).collect();
		world
			.verifier()
			.recover(&encode_recovery(&target(), EXPIRY, &signatures), NOW)
			.is_ok()
	};
	let pinned = &world.checkpoint;
	assert!(good(recovery_payload(pinned, &target(), EXPIRY)));
	assert!(!good(recovery_payload(pinned, &target(), EXPIRY + 1)), "expiry");
	assert!(!good(recovery_payload(pinned, &checkpoint(9, &keys(50, 5), 101), EXPIRY)), "block");
	assert!(!good(recovery_payload(pinned, &checkpoint(9, &keys(50, 4), 100), EXPIRY)), "set");
	let other_chain = Checkpoint { genesis: [1; 32], ..pinned.clone() };
	assert!(!good(recovery_payload(&other_chain, &target(), EXPIRY)), "chain");
	assert!(!good(recovery_payload(&checkpoint(6, &world.keys, 10), &target(), EXPIRY)), "set id");
	assert!(!good(recovery_payload(&checkpoint(7, &keys(0, 5), 10), &target(), EXPIRY)), "pinned");
}

#[test]
fn a_vote_of_grandpa_is_no_recovery() {
	let world = World::new(4);
	let block = world.block(20, &[]);
	let votes = justify(&world.keys, world.set_id, &block).commit.precommits;
	let signatures: Vec<([u8; 32], [u8; 64])> = votes
		.iter()
		.zip(&world.keys)
		.map(|(vote, key)| (public(key), vote.signature.encode().try_into().unwrap()))
		.collect();
	let bytes = encode_recovery(&target(), EXPIRY, &signatures);
	let refused = world.verifier().recover(&bytes, NOW).map(|_| ());
	assert_eq!(refused, Err(Error::BadSignature { authority: public(&world.keys[0]) }));
}

#[test]
fn a_recovery_has_its_form() {
	let world = World::new(4);
	let payload = recovery_payload(&world.checkpoint, &target(), EXPIRY);
	let signatures: Vec<_> = world.keys.iter().map(|key| sign(key, &payload)).collect();
	let bytes = encode_recovery(&target(), EXPIRY, &signatures);
	let recover = |bytes: &[u8]| world.verifier().recover(bytes, NOW).map(|_| ());
	assert_eq!(recover(&bytes), Ok(()));
	for len in 0..bytes.len() {
		assert!(matches!(recover(&bytes[..len]), Err(Error::Malformed(_))), "{len}");
	}
	let longer = [&bytes[..], &[0]].concat();
	assert_eq!(recover(&longer), Err(Error::Malformed(Part::Recovery)));
	let mut newer = bytes.clone();
	newer[0] = 2;
	let refused = Err(Error::UnknownVersion { part: Part::Recovery, found: 2 });
	assert_eq!(recover(&newer), refused);
	for index in 0..bytes.len() {
		let mut changed = bytes.clone();
		changed[index] ^= 1;
		assert!(recover(&changed).is_err(), "{index}");
	}
}
