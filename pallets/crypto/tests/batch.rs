//! A batch is accepted exactly when each of its signatures is.

mod common;

use common::{Random, agreed, batch_by_bytes};
use curve25519_dalek::{
	EdwardsPoint, Scalar,
	constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
};
use dpki_crypto::{Hash, MAX_BATCH_LEN, MAX_MESSAGE_LEN, Pure, Signed, Verifier, ed25519};

/// A signature with what it is for.
#[derive(Clone, Debug)]
struct Case {
	key: [u8; 32],
	message: Vec<u8>,
	signature: [u8; 64],
}

impl Case {
	fn signed(&self) -> Signed<'_> {
		Signed { key: &self.key, message: &self.message, signature: &self.signature }
	}

	/// By the equation alone.
	fn single(&self) -> bool {
		Pure.ed25519(&self.key, &self.message, &self.signature)
	}

	/// By the rule.
	fn judged(&self) -> bool {
		ed25519::verify(&Pure, &self.key, &self.message, &self.signature)
	}
}

/// `s` for this key, message and encoding of `R`.
fn response(secret: Scalar, nonce: Scalar, key: &[u8; 32], r: &[u8; 32], message: &[u8]) -> Scalar {
	let hash = Hash::Sha512.digest(&[&r[..], key, message].concat());
	nonce + Scalar::from_bytes_mod_order_wide(&hash.try_into().unwrap()) * secret
}

/// A signature made with points of small order added to the key and to `R`.
fn crooked(random: &mut Random, of_key: EdwardsPoint, of_r: EdwardsPoint) -> Case {
	let secret = Scalar::from_bytes_mod_order(random.bytes());
	let nonce = Scalar::from_bytes_mod_order(random.bytes());
	let key = (secret * ED25519_BASEPOINT_POINT + of_key).compress().to_bytes();
	let r = (nonce * ED25519_BASEPOINT_POINT + of_r).compress().to_bytes();
	let message = random.bytes::<24>().to_vec();
	let s = response(secret, nonce, &key, &r, &message);
	Case { key, message, signature: [r, s.to_bytes()].concat().try_into().unwrap() }
}

fn honest(random: &mut Random) -> Case {
	let neutral = EIGHT_TORSION[0];
	crooked(random, neutral, neutral)
}

fn changed(mut case: Case, change: impl FnOnce(&mut Case)) -> Case {
	change(&mut case);
	case
}

/// Every encoding of a point of small order, canonical or not.
fn small_order() -> Vec<[u8; 32]> {
	let mut all: Vec<[u8; 32]> = EIGHT_TORSION.iter().map(|it| it.compress().to_bytes()).collect();
	for (first, rest) in [(1, 0), (0xec, 0xff), (0xed, 0xff), (0xee, 0xff)] {
		for sign in [0, 0x80] {
			let mut bytes = [rest; 32];
			bytes[0] = first;
			bytes[31] = (rest & 0x7f) | sign;
			if !all.contains(&bytes) {
				all.push(bytes);
			}
		}
	}
	all
}

/// Signatures of every kind: those that verify, and each way in which they do not.
fn cases(random: &mut Random) -> Vec<Case> {
	let mut all = vec![
		honest(random),
		changed(honest(random), |it| it.message.clear()),
		changed(honest(random), |it| it.signature[3] ^= 1),
		changed(honest(random), |it| it.signature[40] ^= 1),
		changed(honest(random), |it| it.key[7] ^= 1),
		// The order of the group added to `s`.
		changed(honest(random), |it| {
			let mut carry = 0;
			let mut order = (-Scalar::ONE).to_bytes();
			order[0] += 1;
			for (byte, add) in it.signature[32..].iter_mut().zip(order) {
				let sum = u16::from(*byte) + u16::from(add) + carry;
				(*byte, carry) = (sum as u8, sum >> 8);
			}
		}),
	];
	for point in EIGHT_TORSION {
		all.push(crooked(random, point, EIGHT_TORSION[0]));
		all.push(crooked(random, EIGHT_TORSION[0], point));
		all.push(crooked(random, point, point));
	}
	// The key has small order, so `R = s B` fits every message.
	for key in small_order() {
		let nonce = Scalar::from_bytes_mod_order(random.bytes());
		let r = (nonce * ED25519_BASEPOINT_POINT).compress();
		let signature = [r.to_bytes(), nonce.to_bytes()].concat().try_into().unwrap();
		all.push(Case { key, message: b"any".to_vec(), signature });
	}
	// `R` has small order, in every encoding.
	for r in small_order() {
		let secret = Scalar::from_bytes_mod_order(random.bytes());
		let key = (secret * ED25519_BASEPOINT_POINT).compress().to_bytes();
		let s = response(secret, Scalar::ZERO, &key, &r, b"any");
		let signature = [r, s.to_bytes()].concat().try_into().unwrap();
		all.push(Case { key, message: b"any".to_vec(), signature });
	}
	all
}

fn by_equation(name: &str, batch: &[&Case]) -> bool {
	let signed: Vec<_> = batch.iter().map(|it| it.signed()).collect();
	agreed(name, |verifier| verifier.ed25519_batch(&signed))
}

fn by_rule(name: &str, batch: &[&Case]) -> bool {
	let signed: Vec<_> = batch.iter().map(|it| it.signed()).collect();
	agreed(name, |verifier| ed25519::verify_batch(verifier, &signed))
}

#[test]
fn a_batch_of_one_is_judged_like_the_signature() {
	let mut random = Random(1);
	let (mut valid, mut canonical) = (0, 0);
	for case in cases(&mut random) {
		let name = format!("{case:?}");
		assert_eq!(by_equation(&name, &[&case]), case.single(), "{name}");
		assert_eq!(by_rule(&name, &[&case]), case.judged(), "{name}");
		let single = agreed(&name, |it| it.ed25519(&case.key, &case.message, &case.signature));
		assert_eq!(single, case.single());
		assert!(case.single() || !case.judged(), "the rule accepts less than the equation: {name}");
		valid += usize::from(case.single());
		canonical += usize::from(case.judged());
	}
	// One honest signature, 24 with points of small order beside the others, 14 under keys of small order, 14 with such
	// an `R`. The rule takes all of the first two kinds, none of the third, and of the fourth the eight encodings that
	// are canonical.
	assert_eq!((valid, canonical), (53, 33));
}

#[test]
fn a_batch_is_accepted_exactly_when_each_signature_is() {
	let mut random = Random(2);
	let all = cases(&mut random);
	let valid: Vec<&Case> = all.iter().filter(|it| it.single()).collect();
	assert!(by_equation("all that are valid", &valid));
	for round in 0..200 {
		let len = 1 + random.below(6);
		let mut batch: Vec<&Case> = (0..len).map(|_| valid[random.below(valid.len())]).collect();
		// One in two batches has whatever comes among its signatures.
		if random.below(2) == 0 {
			batch[random.below(len)] = &all[random.below(all.len())];
		}
		let name = format!("batch {round}");
		assert_eq!(by_equation(&name, &batch), batch.iter().all(|it| it.single()), "{name}");
		assert_eq!(by_rule(&name, &batch), batch.iter().all(|it| it.judged()), "{name}");
	}
}

/// What a sum without factors would let pass: two wrong signatures whose errors are opposite.
#[test]
fn errors_do_not_cancel() {
	let mut random = Random(3);
	let (mut first, mut second) = (honest(&mut random), honest(&mut random));
	let s = |case: &Case| -> Scalar {
		Scalar::from_canonical_bytes(case.signature[32..].try_into().unwrap()).unwrap()
	};
	let (up, down) = (s(&first) + Scalar::ONE, s(&second) - Scalar::ONE);
	first.signature[32..].copy_from_slice(up.as_bytes());
	second.signature[32..].copy_from_slice(down.as_bytes());
	assert!(!by_equation("opposite errors", &[&first, &second]));
	assert!(!by_equation("the other way round", &[&second, &first]));
}

#[test]
fn the_same_signature_may_come_twice() {
	let case = honest(&mut Random(4));
	assert!(by_equation("twice", &[&case, &case]));
	let wrong = changed(case, |it| it.signature[0] ^= 1);
	assert!(!by_equation("twice wrong", &[&wrong, &wrong]));
}

#[test]
fn an_empty_batch_is_accepted() {
	assert!(by_equation("nothing", &[]));
}

#[test]
fn a_batch_has_no_more_signatures_than_one_call_may_verify() {
	let case = honest(&mut Random(5));
	assert!(by_equation("the longest", &vec![&case; MAX_BATCH_LEN]));
	assert!(!by_equation("too long", &vec![&case; MAX_BATCH_LEN + 1]));
}

#[test]
fn messages_are_bounded_in_batches_too() {
	let mut random = Random(6);
	let secret = Scalar::from_bytes_mod_order(random.bytes());
	let key = (secret * ED25519_BASEPOINT_POINT).compress().to_bytes();
	for (len, fits) in [(MAX_MESSAGE_LEN, true), (MAX_MESSAGE_LEN + 1, false)] {
		let message = vec![7; len];
		let nonce = Scalar::from_bytes_mod_order(random.bytes());
		let r = (nonce * ED25519_BASEPOINT_POINT).compress().to_bytes();
		let s = response(secret, nonce, &key, &r, &message);
		let signature = [r, s.to_bytes()].concat().try_into().unwrap();
		let case = Case { key, message, signature };
		assert_eq!(case.single(), fits);
		assert_eq!(by_equation("long message", &[&case]), fits);
	}
}

#[test]
fn what_is_no_batch_does_not_verify() {
	for bytes in [&[][..], &[4], &[0, 0], &[0xff; 8], &[0xff; 200]] {
		assert!(!batch_by_bytes(bytes), "{bytes:?}");
	}
}

#[test]
fn the_first_that_is_refused_is_named_in_however_many() {
	let mut random = Random(54);
	let good: Vec<_> = (0..40).map(|_| honest(&mut random)).collect();
	let bad = changed(good[0].clone(), |case| case.signature[40] ^= 1);
	let first = |wrong: &[usize], count: usize| {
		let case = |at: usize| if wrong.contains(&at) { &bad } else { &good[at % good.len()] };
		let signed: Vec<_> = (0..count).map(|at| case(at).signed()).collect();
		ed25519::first_refused(&Pure, &signed)
	};
	assert_eq!(first(&[], 0), None);
	assert_eq!(first(&[], 40), None);
	for wrong in 0..33 {
		assert_eq!(first(&[wrong], 33), Some(wrong));
	}
	assert_eq!(first(&[31, 7, 20], 40), Some(7));
	// Beyond what one batch holds.
	let (end, count) = (MAX_BATCH_LEN, MAX_BATCH_LEN + 40);
	assert_eq!(first(&[], count), None);
	assert_eq!(first(&[end - 1], count), Some(end - 1));
	assert_eq!(first(&[end, count - 1], count), Some(end));
	assert_eq!(first(&[count - 1], count), Some(count - 1));
}
