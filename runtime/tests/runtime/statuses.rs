// SPDX-License-Identifier: Apache-2.0

//! The vectors of the one status function and those of the levels, asked of the runtime as nodes and light clients do.

use crate::common::chain;
use dpki_primitives::{
	assessment::verdict_keys,
	storage_keys,
	vectors::{self, ANCHOR, CERTIFICATE, DEVICE, KEY, Told, levels},
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
				if let Told::Certificate { record, .. } = &told {
					let keys = record.as_ref().map(verdict_keys).unwrap_or_default();
					keys.iter().skip(1).for_each(|key| sp_io::storage::clear(key));
					sp_io::storage::clear(&storage_keys::certificate(CERTIFICATE));
				}
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
					Told::Certificate { .. } => {
						Runtime::certificate(CERTIFICATE).certificate.status
					},
					Told::Member { proof, .. } => Runtime::fleet_member(proof),
				}
			})
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}

#[test]
fn the_runtime_answers_the_vectors_of_levels() {
	levels::judge(|case| {
		chain(LOCAL_PRESET).execute_with(|| {
			pallet_timestamp::Now::<Runtime>::put(case.now);
			let state = case.state();
			state.iter().for_each(|(key, record)| sp_io::storage::set(key, record));
			let answer = Runtime::assessment(CERTIFICATE);
			let mut found: Vec<_> = answer.depends_on;
			found.retain(|key| sp_io::storage::exists(key) && *key != storage_keys::now());
			found.sort();
			if answer.assessment.is_some() {
				assert!(found.iter().eq(state.keys()), "{}", case.name);
			}
			answer.assessment
		})
	});
}
