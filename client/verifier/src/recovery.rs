//! The way back after the chain of trust has broken.
//!
//! A forced authority change, or a delayed one, is a step that the trusted set did not finalise; no bundle leads a device
//! over it. A recovery does: a new checkpoint that more than two thirds of the *pinned* set have signed. This gives
//! nobody a power that he did not have, as the same keys can finalise any block for the same device. If a third of the
//! pinned keys are lost, nothing leads over the break but a checkpoint from the owner, by the way by which the first one
//! came. `docs/decisions/0010-verifier-and-checkpoints.md` tells why the council is not asked instead.
//!
//! Encoding, version 1, SCALE of these in order: version `u8`, new [`Checkpoint`] in its own encoding, expiry `u64`,
//! `Vec<([u8; 32], [u8; 64])>` of authorities with their signatures.

use crate::{
	checkpoint::{Checkpoint, Roll},
	crypto::Ed25519,
	error::{Error, Part},
	limits::MAX_AUTHORITIES,
	reader::Reader,
};
use alloc::vec::Vec;
use codec::Encode;
use dpki_primitives::Moment;

/// Opens the bytes that are signed. No GRANDPA message begins like this, they are 53 bytes from 0, 1 or 2; neither does
/// any [`SigningContext`](dpki_primitives::context::SigningContext).
pub const RECOVERY_DOMAIN: [u8; 15] = *b"dpki-recovery/1";

/// The longest time for which a recovery can be good, in milliseconds: 30 days, so that devices that come back from a
/// depot get it too, and one that was prepared and not used does not lie in wait for ever.
pub const MAX_RECOVERY_LIFETIME: Moment = 30 * 24 * 60 * 60 * 1000;

const VERSION: u8 = 1;

/// The bytes that an authority of the pinned set signs: `SCALE(domain, genesis, digest of the pinned set, new checkpoint,
/// expiry)`. The digest is BLAKE2b-256 of `SCALE(genesis, set id, authorities ascending)`.
///
/// It binds the pinned *set* and not one pinned block, because devices that have stopped at different blocks under the
/// same set need the same recovery.
pub fn recovery_payload(pinned: &Checkpoint, new: &Checkpoint, expires_at: Moment) -> Vec<u8> {
	let new = new.encode();
	(RECOVERY_DOMAIN, pinned.genesis, pinned.set.digest(&pinned.genesis), new, expires_at).encode()
}

/// A recovery of these parts. They are not looked at.
pub fn encode_recovery(
	new: &Checkpoint,
	expires_at: Moment,
	signatures: &[([u8; 32], [u8; 64])],
) -> Vec<u8> {
	let mut bytes = VERSION.encode();
	bytes.extend(new.encode());
	expires_at.encode_to(&mut bytes);
	signatures.encode_to(&mut bytes);
	bytes
}

pub(crate) fn recover(
	pinned: &Checkpoint,
	bytes: &[u8],
	now: Moment,
	crypto: &impl Ed25519,
) -> Result<Checkpoint, Error> {
	let mut reader = Reader::new(bytes, Part::Recovery);
	let found = reader.u8()?;
	if found != VERSION {
		return Err(Error::UnknownVersion { part: Part::Recovery, found });
	}
	let new = Checkpoint::read(&mut reader)?;
	let expires_at = reader.u64()?;
	let count = reader.count(MAX_AUTHORITIES)?;
	let (signatures, _) = reader.take(count.saturating_mul(32 + 64))?.as_chunks::<{ 32 + 64 }>();
	reader.finish()?;

	if expires_at < now {
		return Err(Error::RecoveryExpired { at: expires_at });
	}
	if expires_at > now.saturating_add(MAX_RECOVERY_LIFETIME) {
		return Err(Error::RecoveryTooLong { until: expires_at });
	}
	let is_forward = new.genesis == pinned.genesis
		&& new.set.id() > pinned.set.id()
		&& new.number > pinned.number;
	if !is_forward {
		return Err(Error::RecoveryNotForward);
	}

	let needed = pinned.set.threshold();
	if signatures.len() < needed {
		return Err(Error::TooFewVotes { found: signatures.len(), needed });
	}
	let payload = recovery_payload(pinned, &new, expires_at);
	let mut roll = Roll::new(&pinned.set);
	for signed in signatures {
		let mut signed = Reader::new(signed, Part::Recovery);
		let authority = signed.array()?;
		roll.note(authority)?;
		if !crypto.verify(authority, &payload, signed.array()?) {
			return Err(Error::BadSignature { authority: *authority });
		}
	}
	Ok(new)
}
