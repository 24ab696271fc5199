//! Calls about the validators: those that the council votes on, and those that a validator makes itself.

use super::{Call, CallError, EncodedCall, as_root, check_len, encode};
use crate::{AccountId, api::tx};
use codec::{Decode, Encode};
use dpki_primitives::ids::OrganisationId;
use subxt::utils::{AccountId32, Static};

/// Length of session keys in bytes: two public keys.
const SESSION_KEYS_LEN: u32 = 64;

/// Longest proof that a node has its session keys, in bytes. The two signatures of today have 128.
const MAX_PROOF_LEN: u32 = 4_096;

/// The public keys with which a validator works.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SessionKeys {
	/// Signs blocks: Sr25519.
	pub aura: [u8; 32],
	/// Signs votes on finality: Ed25519.
	pub grandpa: [u8; 32],
}

impl SessionKeys {
	/// The keys as a node gives them out: one after the other.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, CallError> {
		check_len("the session keys", bytes.len(), SESSION_KEYS_LEN..=SESSION_KEYS_LEN)?;
		let (mut aura, mut grandpa) = ([0; 32], [0; 32]);
		aura.copy_from_slice(&bytes[..32]);
		grandpa.copy_from_slice(&bytes[32..]);
		Ok(Self { aura, grandpa })
	}
}

/// Admits a validator, run by an organisation; for a motion of the council.
pub fn add_validator(validator: &AccountId, organisation: OrganisationId) -> impl Call + use<> {
	tx().validator_set()
		.add_validator(AccountId32(*validator), Static(organisation))
}

/// Removes a validator; for a motion of the council.
pub fn remove_validator(validator: &AccountId) -> impl Call + use<> {
	tx().validator_set().remove_validator(AccountId32(*validator))
}

/// Lets a validator keep its seat without serving; for a motion of the council.
pub fn disable_validator(validator: &AccountId) -> impl Call + use<> {
	tx().validator_set().disable_validator(AccountId32(*validator))
}

/// Lets a validator serve again, and forgives what it did; for a motion of the council.
pub fn enable_validator(validator: &AccountId) -> impl Call + use<> {
	tx().validator_set().enable_validator(AccountId32(*validator))
}

/// Sets how many validators there may be; for a motion of the council.
pub fn set_validator_bounds(minimum: u32, maximum: u32) -> impl Call + use<> {
	tx().validator_set().set_bounds(minimum, maximum)
}

/// Leaves the validators. The node has to go on until it serves no more.
pub fn leave_validators() -> impl Call + use<> {
	tx().validator_set().leave()
}

/// Sets the keys with which the node of a validator works, with the proof that it has them. They serve from the session
/// after next on.
pub fn set_session_keys(keys: SessionKeys, proof: &[u8]) -> Result<impl Call + use<>, CallError> {
	check_len("the proof", proof.len(), 1..=MAX_PROOF_LEN)?;
	Ok(tx().session().set_keys(Static(keys), proof.to_vec()))
}

/// Says that finality stands still, as root: at the end of the session the validators of the next one finalise, so many
/// blocks later, upon the last block that anybody has finalised. For a motion of the council.
pub fn note_stalled(delay: u32, best_finalized: u32) -> Result<impl Call + use<>, CallError> {
	let stalled: EncodedCall = encode(&tx().grandpa().note_stalled(delay, best_finalized))?;
	Ok(as_root(stalled))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::tests::assert_encodes;

	#[test]
	fn calls_about_validators_encode() {
		let validator = [3; 32];
		let organisation = OrganisationId::from_name(b"acme");
		let add = add_validator(&validator, organisation);
		assert_encodes(&add, (12, 0), (validator, organisation));
		assert_encodes(&remove_validator(&validator), (12, 1), validator);
		assert_encodes(&disable_validator(&validator), (12, 2), validator);
		assert_encodes(&enable_validator(&validator), (12, 3), validator);
		assert_encodes(&set_validator_bounds(3, 9), (12, 4), (3u32, 9u32));
		assert_encodes(&leave_validators(), (12, 5), ());
		let keys = SessionKeys::from_bytes(&[[1; 32], [2; 32]].concat()).unwrap();
		let set = set_session_keys(keys, &[7; 128]).unwrap();
		assert_encodes(&set, (10, 0), ([1u8; 32], [2u8; 32], vec![7u8; 128]));
		let stalled = note_stalled(20, 100).unwrap();
		assert_encodes(&stalled, (15, 0), ((11u8, 2u8), (20u32, 100u32)));
	}

	#[test]
	fn what_are_no_session_keys_is_refused() {
		assert!(SessionKeys::from_bytes(&[1; 63]).is_err());
		let keys = SessionKeys::from_bytes(&[1; 64]).unwrap();
		assert!(set_session_keys(keys, &[]).is_err());
	}
}
