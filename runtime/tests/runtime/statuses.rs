// SPDX-License-Identifier: Apache-2.0

//! The vectors of the one status function, asked of the runtime as nodes and light clients do.

use crate::common::chain;
use dpki_primitives::{
	storage_keys,
	vectors::{self, ANCHOR, DEVICE, KEY, Told},
};
use dpki_runtime::{
	Runtime, dpki_api::runtime_decl_for_dpki_api::DpkiApiV1, genesis_config_presets::LOCAL_PRESET,
};

#[test]
fn the_runtime_answers_the_vectors() {
	let mut chain = chain(LOCAL_PRESET);
	let words = vectors::judge(
		|_| true,
		|told, now| {
			chain.execute_with(|| {
				pallet_timestamp::Now::<Runtime>::put(now);
				let all = [
					storage_keys::anchor(ANCHOR),
					storage_keys::device(DEVICE),
					storage_keys::key(KEY),
				];
				all.iter().for_each(|key| sp_io::storage::clear(key));
				if let Told::Member { proof, .. } = &told {
					let all = proof.storage_keys().unwrap();
					all.iter().for_each(|key| sp_io::storage::clear(key));
				}
				for (key, record) in told.state() {
					sp_io::storage::set(&key, &record);
				}
				match told {
					Told::Anchor(_) => Runtime::anchor(ANCHOR).status,
					Told::Device(_) => Runtime::device(DEVICE).status,
					Told::Key(..) => Runtime::key(KEY).status,
					Told::Member { proof, .. } => Runtime::fleet_member(proof),
				}
			})
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}
