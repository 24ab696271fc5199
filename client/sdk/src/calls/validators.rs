//! Calls of those who run validators.

use super::{Call, CallError, check_len};
use crate::api::{AuraKey, GrandpaKey, SessionKeys, tx};

/// Bytes of the public session keys in SCALE: a block-signing key (sr25519) and a finality key (Ed25519).
const SESSION_KEYS_LEN: u32 = 64;

/// Registers session keys for the account that signs, with the proof that a node gave for this account together with the
/// keys (`author_rotateKeysWithOwner`).
pub fn set_session_keys(keys: &[u8], proof: Vec<u8>) -> Result<impl Call + use<>, CallError> {
	check_len("the session keys", keys.len(), SESSION_KEYS_LEN..=SESSION_KEYS_LEN)?;
	let (mut aura, mut grandpa) = ([0; 32], [0; 32]);
	aura.copy_from_slice(&keys[..32]);
	grandpa.copy_from_slice(&keys[32..]);
	let keys = SessionKeys { aura: AuraKey(aura), grandpa: GrandpaKey(grandpa) };
	Ok(tx().session().set_keys(keys, proof))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::encode;

	#[test]
	fn the_call_holds_keys_and_proof_and_refuses_other_keys() {
		let keys: Vec<u8> = (0..64).collect();
		let call = encode(&set_session_keys(&keys, vec![7; 3]).unwrap()).unwrap();
		// Pallet, call, keys, proof with its length.
		assert_eq!(call.bytes(), [&[10, 0], &keys[..], &[3 << 2, 7, 7, 7]].concat());
		assert!(matches!(set_session_keys(&keys[1..], vec![]), Err(CallError::Length { .. })));
	}
}
