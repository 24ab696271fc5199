//! Ed25519 in batches, with a verdict that is a function of the bytes alone.
//!
//! A batch is judged by one equation, the sum of those of its signatures, each times a factor `z` that nobody can
//! foresee: `8 * (sum(z s) B - sum(z R) - sum(z k A)) = 0`. With the cofactor it holds whenever all of the single ones
//! do. When one of them does not, it holds for 1 in 2^128 choices of the factors.
//!
//! Other implementations draw the factors at random, so that two nodes could in principle differ; here they come from a
//! hash of the whole batch. Every factor depends on every signature: whoever changes one to make the errors of two
//! cancel changes all the factors, and is left with guessing.
//!
//! Written with the arithmetic of `curve25519-dalek`, because what `ed25519-zebra` has for this goes through a hash map,
//! in whose order the factors would be dealt.

use crate::{MAX_BATCH_LEN, MAX_MESSAGE_LEN, Signed};
use alloc::vec::Vec;
use core::iter::once;
use curve25519_dalek::{
	constants::ED25519_BASEPOINT_POINT,
	edwards::{CompressedEdwardsY, EdwardsPoint},
	scalar::Scalar,
	traits::{IsIdentity, VartimeMultiscalarMul},
};
use rsa::sha2::{Digest, Sha512};

/// Keeps the hash of a batch apart from every other.
const DOMAIN: &[u8] = b"dpki/ed25519-batch/1";

/// What a signature contributes to the equation.
struct Term {
	key: EdwardsPoint,
	commitment: EdwardsPoint,
	s: Scalar,
	k: Scalar,
}

impl Term {
	/// `None` if there are no such points, `s` is not reduced, or the message is too long.
	fn read(signed: &Signed<'_>) -> Option<Self> {
		if signed.message.len() > MAX_MESSAGE_LEN {
			return None;
		}
		let (commitment, s) = (signed.signature.first_chunk()?, signed.signature.last_chunk()?);
		let hash = Sha512::new()
			.chain_update(commitment)
			.chain_update(signed.key)
			.chain_update(signed.message);
		Some(Self {
			key: CompressedEdwardsY(*signed.key).decompress()?,
			commitment: CompressedEdwardsY(*commitment).decompress()?,
			s: Option::from(Scalar::from_canonical_bytes(*s))?,
			k: Scalar::from_bytes_mod_order_wide(&hash.finalize().into()),
		})
	}
}

/// See [`crate::Verifier::ed25519_batch`].
pub(crate) fn verify(batch: &[Signed<'_>]) -> bool {
	if batch.len() > MAX_BATCH_LEN {
		return false;
	}
	let Some(terms) = batch.iter().map(Term::read).collect::<Option<Vec<_>>>() else {
		return false;
	};

	// Key and signature have fixed lengths, and `k` stands for the message.
	let mut transcript = Sha512::new().chain_update(DOMAIN);
	for (signed, term) in batch.iter().zip(&terms) {
		transcript.update(signed.key);
		transcript.update(signed.signature);
		transcript.update(term.k.as_bytes());
	}
	let seed = transcript.finalize();
	let factors: Vec<Scalar> = (0u64..)
		.zip(&terms)
		.map(|(index, _)| {
			let hash =
				Sha512::new().chain_update(seed).chain_update(index.to_le_bytes()).finalize();
			let mut factor = [0; 16];
			factor.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
			Scalar::from(u128::from_le_bytes(factor))
		})
		.collect();

	let of_base: Scalar = factors.iter().zip(&terms).map(|(z, term)| -z * term.s).sum();
	let of_keys: Vec<Scalar> = factors.iter().zip(&terms).map(|(z, term)| z * term.k).collect();
	EdwardsPoint::vartime_multiscalar_mul(
		once(&of_base).chain(&factors).chain(&of_keys),
		once(&ED25519_BASEPOINT_POINT)
			.chain(terms.iter().map(|term| &term.commitment))
			.chain(terms.iter().map(|term| &term.key)),
	)
	.mul_by_cofactor()
	.is_identity()
}
