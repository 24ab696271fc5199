//! The vectors of the one status function, as a C program gets them: about keys, the only thing that it gets verdicts on.

#[path = "../../tests/verifier/kit.rs"]
#[allow(dead_code)]
mod kit;

use codec::Encode;
use core::{mem::MaybeUninit, ptr};
use dpki_primitives::{
	revocation::{Revocation, RevocationReason},
	status::Status,
	storage_keys,
	vectors::{self, DEVICE, KEY, Told},
};
use dpki_verifier::Query;
use dpki_verifier_c::{DpkiBytes, DpkiKey, DpkiResult, DpkiStatus, dpki_verify_key};
use kit::*;
use sp_core::storage::StateVersion;

fn bytes(data: &[u8]) -> DpkiBytes {
	DpkiBytes { data: data.as_ptr(), len: data.len() }
}

/// What C says, in the words of the vectors.
fn status(key: &DpkiKey) -> Status {
	// The numbers of RFC 5280 section 5.3.1, which are those of the encoding.
	let reason = RevocationReason::ALL.into_iter().find(|it| it.encode() == [key.reason]);
	let revocation = Revocation { reason: reason.unwrap(), at: key.revoked_at_ms };
	let verdict = match key.status {
		DpkiStatus::Unknown => Status::Unknown,
		DpkiStatus::Valid => Status::Valid,
		DpkiStatus::NotYetValid => Status::NotYetValid,
		DpkiStatus::Expired => Status::Expired,
		DpkiStatus::Suspended => Status::Suspended,
		DpkiStatus::Revoked => Status::Revoked(revocation),
		DpkiStatus::Superseded => Status::Superseded,
		DpkiStatus::IssuerRevoked => Status::IssuerRevoked(revocation),
	};
	let is_revoked = verdict.revocation().is_some();
	assert!(is_revoked || (key.reason, key.revoked_at_ms) == (0, 0), "{verdict:?}");
	verdict
}

#[test]
fn the_vectors_hold_for_c() {
	let words = vectors::judge(
		|told| matches!(told, Told::Key(..)),
		|told, now| {
			let mut entries = told.state();
			entries.insert(storage_keys::now(), now.encode());
			let world = World::with(4, entries, StateVersion::V1);
			let bundle = world.answer(&Query::new().device(DEVICE).key(KEY)).encode();
			let checkpoint = world.checkpoint.encode();
			let mut next = [0; 1024];
			let mut next_len = next.len();
			let mut found = MaybeUninit::<DpkiKey>::uninit();
			// SAFETY: every pointer is to something that outlives the call and has the length that is given with it;
			// null is allowed for the clock and the block.
			let result = unsafe {
				dpki_verify_key(
					bytes(&checkpoint),
					bytes(&bundle),
					DEVICE.0.as_ptr(),
					KEY.0.as_ptr(),
					ptr::null(),
					false,
					found.as_mut_ptr(),
					ptr::null_mut(),
					next.as_mut_ptr(),
					&mut next_len,
				)
			};
			assert_eq!(result, DpkiResult::Ok);
			// SAFETY: a good result means that it was written.
			status(unsafe { found.assume_init_ref() })
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}
