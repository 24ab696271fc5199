//! The verdict about members, and the vectors that everybody answers.

use super::mock::*;
use crate::{Fleets, RevokedMembers};
use dpki_primitives::{
	device::DeviceRecord,
	ids::DeviceId,
	key::{KeyPurpose, KeyRecord},
	registry::CompromisedKeys as _,
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	vectors::{self, Told},
};

const REVOKED: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };

#[test]
fn the_vectors_hold_for_members() {
	let words = vectors::judge(
		|told| matches!(told, Told::Member { .. }),
		|told, now| {
			let Told::Member { fleet, chunk, proof } = told else { unreachable!("chosen above") };
			new_test_ext().execute_with(|| {
				TestTime::set(now);
				if let Some(fleet) = fleet {
					Fleets::<Test>::insert(proof.fleet, fleet);
				}
				if let Some(chunk) = chunk {
					RevokedMembers::<Test>::insert(proof.fleet, 0, chunk);
				}
				Pallet::member_status(&proof)
			})
		},
	);
	assert_eq!(words.len(), 8, "a member can have every verdict: {words:?}");
}

fn single(device: DeviceId, revocation: Option<Revocation>) -> KeyRecord {
	KeyRecord {
		device,
		purpose: KeyPurpose::Sign,
		public: leaf(2, 0).key.public().unwrap(),
		validity: Validity { not_before: NOW, not_after: None },
		registered_at: NOW,
		superseded_at: None,
		withdrawal: revocation.into(),
	}
}

#[test]
fn what_is_registered_singly_wins() {
	run(|| {
		committed(5);
		let proof = prove(&leaves(5, 0), 2);
		let device = |revocation: Option<Revocation>| DeviceRecord {
			organisation: acme(),
			name: name("drone-2"),
			enrolled_at: NOW,
			keys_registered: 1,
			withdrawal: revocation.into(),
		};
		assert_eq!(Pallet::member_status(&proof), Status::Valid);
		TestRegistry::set(None, Some(single(DeviceId([9; 32]), None)));
		assert_eq!(Pallet::member_status(&proof), Status::Unknown);
		TestRegistry::set(Some(device(Some(REVOKED))), None);
		assert_eq!(Pallet::member_status(&proof), Status::IssuerRevoked(REVOKED));
		TestRegistry::set(Some(device(None)), Some(single(proof.device(), Some(REVOKED))));
		assert_eq!(Pallet::member_status(&proof), Status::Revoked(REVOKED));
		// The others of the fleet have no part in it.
		assert_eq!(Pallet::member_status(&prove(&leaves(5, 0), 3)), Status::Valid);
	});
}

#[test]
fn a_key_that_ended_elsewhere_is_no_valid_member() {
	run(|| {
		committed(5);
		let proof = |index| prove(&leaves(5, 0), index);
		TestLeaks::note(proof(2).key().unwrap(), NOW);
		assert_eq!(Pallet::member_status(&proof(2)), Status::Revoked(REVOKED));
		TestRegistry::revoke_anchor_key(proof(3).key().unwrap());
		assert_eq!(Pallet::member_status(&proof(3)), Status::Unknown);
		assert_eq!(Pallet::member_status(&proof(4)), Status::Valid);
	});
}
