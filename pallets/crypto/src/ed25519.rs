//! Ed25519: the rule by which every signature is judged that is the project's own to judge.
//!
//! It is RFC 8032 section 5.1.7 with every liberty of it taken away, so that no two implementations can differ:
//!
//! - the key and the point `R` of a signature are in their one canonical encoding (RFC 8032 section 5.1.3);
//! - `s` is below the order of the group;
//! - the key is no point of small order: under such a key one signature fits every message;
//! - the equation is the one with the cofactor, by which a batch holds exactly when each of its signatures does.
//!
//! ZIP 215, by which Substrate judges the signatures of extrinsics and of finality, lets the first and the third pass; its
//! equation is the same. So the host's own function for it does the arithmetic ([`Verifier::ed25519`]), and encodings are
//! looked at here, before it is called. What this rule accepts, ZIP 215 accepts.

use crate::{MAX_BATCH_LEN, Verifier};

/// A message with its signature and the key that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed<'a> {
	/// The key: 32 bytes, an Edwards point.
	pub key: &'a [u8; 32],
	/// What was signed.
	pub message: &'a [u8],
	/// `R || s` (RFC 8032 section 5.1.6).
	pub signature: &'a [u8; 64],
}

/// Whether the bytes can be a key: a canonical encoding, as far as that can be told without arithmetic, and no point of
/// small order. That there is such a point on the curve shows when a signature is verified.
pub fn is_key(key: &[u8; 32]) -> bool {
	!is_small_order(key) && is_canonical_point(key)
}

/// Whether the signature verifies by the rule of this module.
pub fn verify(
	verifier: &(impl Verifier + ?Sized),
	key: &[u8; 32],
	message: &[u8],
	signature: &[u8; 64],
) -> bool {
	is_key(key) && is_canonical_signature(signature) && verifier.ed25519(key, message, signature)
}

/// Whether [`verify`] holds for every signature of the batch. Which one is at fault is not told: ask for each.
pub fn verify_batch(verifier: &(impl Verifier + ?Sized), batch: &[Signed<'_>]) -> bool {
	batch
		.iter()
		.all(|signed| is_key(signed.key) && is_canonical_signature(signed.signature))
		&& verifier.ed25519_batch(batch)
}

/// The position of the first signature for which [`verify`] does not hold, of however many; `None` if it holds for all. They
/// are verified in batches of [`MAX_BATCH_LEN`]; in the first batch that fails, halves are until one signature is left, which
/// takes as many again as that batch has at most.
pub fn first_refused(verifier: &(impl Verifier + ?Sized), signed: &[Signed<'_>]) -> Option<usize> {
	let is_refused = |batch: &&[Signed<'_>]| !verify_batch(verifier, batch);
	let (number, mut rest) =
		signed.chunks(MAX_BATCH_LEN).enumerate().find(|(_, it)| is_refused(it))?;
	let mut position = number.saturating_mul(MAX_BATCH_LEN);
	while rest.len() > 1 {
		let (left, right) = rest.split_at(rest.len() / 2);
		rest = if is_refused(&left) {
			left
		} else {
			position = position.saturating_add(left.len());
			right
		};
	}
	Some(position)
}

/// Whether the point `R` of the signature is in its canonical encoding. Whether `s` is, is for the [`Verifier`].
fn is_canonical_signature(signature: &[u8; 64]) -> bool {
	signature.first_chunk().is_some_and(is_canonical_point)
}

/// Whether the bytes are the one encoding of an Edwards point, as far as that can be told without arithmetic: RFC 8032
/// section 5.1.3 refuses a `y` that is not reduced, and a sign where `x` is zero.
fn is_canonical_point(point: &[u8; 32]) -> bool {
	let y = without_sign(point);
	let [first, middle @ .., last] = &y;
	let is_reduced = *first < 0xed || *last != 0x7f || middle.iter().any(|byte| *byte != 0xff);
	let has_sign = y != *point;
	// `x` is zero where `y` is 1 or -1.
	let is_x_zero = y == small(1, 0) || y == small(0xec, 0xff);
	is_reduced && !(has_sign && is_x_zero)
}

fn is_small_order(point: &[u8; 32]) -> bool {
	SMALL_ORDER.contains(&without_sign(point))
}

fn without_sign(point: &[u8; 32]) -> [u8; 32] {
	let mut y = *point;
	y[31] &= 0x7f;
	y
}

/// Encodings of the Edwards points of small order without the sign bit.
const SMALL_ORDER: [[u8; 32]; 7] = [
	small(0, 0),
	small(1, 0),
	[
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
		0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
		0xfc, 0x05,
	],
	[
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
		0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
		0x03, 0x7a,
	],
	small(0xec, 0xff),
	small(0xed, 0xff),
	small(0xee, 0xff),
];

/// `first`, then `rest` up to the top byte, which is `rest` without its sign bit.
const fn small(first: u8, rest: u8) -> [u8; 32] {
	let mut bytes = [rest; 32];
	bytes[0] = first;
	bytes[31] = rest & 0x7f;
	bytes
}
