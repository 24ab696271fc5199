//! The vectors of the one status function and those of the levels, for certificates.

use super::{
	doubles::{TestRegistry, TestTime},
	mock::*,
};
use crate::{Certificates as Stored, CompromisedKeys};
use dpki_primitives::{
	ids::KeyId,
	vectors::{self, CERTIFICATE, DEVICE, Told, levels},
};

#[test]
fn the_vectors_hold_for_certificates() {
	let words = vectors::judge(
		|told| matches!(told, Told::Certificate { .. }),
		|told, now| {
			let Told::Certificate { record, compromised, key, device } = told else {
				unreachable!("chosen above")
			};
			new_test_ext().execute_with(|| {
				TestTime::set(now);
				if let Some(record) = &record {
					let id = KeyId::of(&record.key);
					CompromisedKeys::<Test>::set(id, compromised);
					TestRegistry::set_key(id, key);
				}
				Stored::<Test>::set(CERTIFICATE, record);
				TestRegistry::set_device(DEVICE, device);
				Certificates::status(CERTIFICATE)
			})
		},
	);
	assert_eq!(words.len(), 7, "nothing takes the place of a certificate: {words:?}");
}

#[test]
fn the_vectors_hold_for_levels() {
	levels::judge(|case| {
		new_test_ext().execute_with(|| {
			TestTime::set(case.now);
			for (key, record) in case.state() {
				sp_io::storage::set(&key, &record);
			}
			Certificates::effective_level(CERTIFICATE)
		})
	});
}
