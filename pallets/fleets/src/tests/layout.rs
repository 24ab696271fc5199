//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{FleetCount, Fleets, OrganisationFleets, RevokedMembers, RollTiles, Rolls, Votes};
use dpki_primitives::{
	fleet::{FleetRecord, RevocationChunk},
	ids::{FleetId, OrganisationId},
	revocation::{Revocation, RevocationReason},
	storage_keys,
};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, Hooks, StorageVersion},
};

#[test]
fn records_lie_where_devices_look_for_them() {
	run(|| {
		assert_eq!(Fleets::<Test>::hashed_key_for(drones()), storage_keys::fleet(drones()));
		assert_eq!(
			FleetCount::<Test>::hashed_key_for(acme()),
			storage_keys::organisation_fleet_count(acme())
		);
		assert_eq!(
			OrganisationFleets::<Test>::hashed_key_for(acme(), 0x0102_0304),
			storage_keys::organisation_fleet(acme(), 0x0102_0304)
		);
		assert_eq!(
			RevokedMembers::<Test>::hashed_key_for(drones(), 7),
			storage_keys::revoked_members(drones(), 7)
		);
		assert_eq!(Rolls::<Test>::hashed_key_for(drones()), storage_keys::roll(drones()));
		assert_eq!(
			RollTiles::<Test>::hashed_key_for(drones(), 7),
			storage_keys::roll_tile(drones(), 7)
		);
		assert_eq!(
			Votes::<Test>::hashed_key_for(drones(), 7),
			storage_keys::availability_votes(drones(), 7)
		);
	});
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| assert_eq!(Pallet::in_code_storage_version(), StorageVersion::new(1)));
}

#[test]
fn the_constants_fit_together() {
	run(<Pallet as Hooks<u64>>::integrity_test);
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		committed(5);
		let rotate = Call::rotate { fleet: drones(), commitment: commitment(6, 1), grace: 0 };
		assert_ok!(transact(REGISTRAR, rotate.clone()));
		carry(1);
		let Call::rotate { fleet, grace, .. } = rotate else { unreachable!("it is a rotation") };
		let rotate = Call::rotate { fleet, commitment: commitment(7, 2), grace };
		assert_ok!(transact(REGISTRAR, rotate));
		let reason = RevocationReason::KeyCompromise;
		let revoke = Call::revoke_members { fleet, chunks: masks(&[1]), reason };
		assert_ok!(transact(REGISTRAR, revoke));
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

fn fleet_is_noticed(change: impl FnOnce(&mut FleetRecord)) {
	is_noticed(|| Fleets::<Test>::mutate(drones(), |record| change(record.as_mut().unwrap())));
}

#[test]
fn a_fleet_under_another_name_is_noticed() {
	fleet_is_noticed(|record| record.name = name("other"));
	fleet_is_noticed(|record| record.name = name(""));
	is_noticed(|| Fleets::<Test>::insert(FleetId([5; 32]), fleet()));
}

#[test]
fn an_impossible_commitment_is_noticed() {
	fleet_is_noticed(|record| record.current.as_mut().unwrap().commitment.size = 0);
	fleet_is_noticed(|record| record.current.as_mut().unwrap().commitment.size = 4);
	fleet_is_noticed(|record| record.candidate.as_mut().unwrap().commitment.size = 1 << 25);
	fleet_is_noticed(|record| record.candidate.as_mut().unwrap().revision = 1);
	fleet_is_noticed(|record| record.revisions = 2);
	fleet_is_noticed(|record| record.current = None);
}

#[test]
fn a_candidate_of_a_fleet_that_has_ended_is_noticed() {
	let reason = RevocationReason::Unspecified;
	fleet_is_noticed(|record| record.revocation = Some(Revocation { reason, at: NOW }));
	fleet_is_noticed(|record| record.retired_at = Some(NOW));
}

#[test]
fn a_wrong_count_is_noticed() {
	is_noticed(|| FleetCount::<Test>::insert(acme(), 2));
	is_noticed(|| FleetCount::<Test>::remove(acme()));
}

#[test]
fn a_list_that_is_not_that_of_the_fleets_is_noticed() {
	is_noticed(|| OrganisationFleets::<Test>::remove(acme(), 0));
	is_noticed(|| OrganisationFleets::<Test>::insert(acme(), 0, FleetId([5; 32])));
	is_noticed(|| OrganisationFleets::<Test>::insert(acme(), 1, drones()));
	let other = OrganisationId::from_name(b"other");
	is_noticed(|| OrganisationFleets::<Test>::insert(other, 0, drones()));
}

#[test]
fn revocations_that_cannot_be_are_noticed() {
	is_noticed(|| RevokedMembers::<Test>::insert(drones(), 1, RevocationChunk::default()));
	is_noticed(|| {
		let chunk = RevokedMembers::<Test>::get(drones(), 0).unwrap();
		RevokedMembers::<Test>::insert(FleetId([5; 32]), 0, chunk);
	});
	is_noticed(|| {
		RevokedMembers::<Test>::mutate(drones(), 0, |chunk| {
			let batches = &mut chunk.as_mut().unwrap().batches;
			let again = batches[0].clone();
			batches.try_push(again).unwrap();
		});
	});
	is_noticed(|| {
		RevokedMembers::<Test>::mutate(drones(), 0, |chunk| {
			chunk.as_mut().unwrap().batches[0].mask = [0; 512];
		});
	});
}

#[test]
fn votes_about_nothing_are_noticed() {
	is_noticed(|| {
		let votes = Votes::<Test>::get(drones(), 1);
		Votes::<Test>::insert(drones(), 0, votes);
	});
	is_noticed(|| {
		let votes = Votes::<Test>::get(drones(), 1);
		Votes::<Test>::insert(FleetId([5; 32]), 1, votes);
	});
	is_noticed(|| {
		Votes::<Test>::mutate(drones(), 1, |votes| {
			let again = votes[0];
			votes.try_push(again).unwrap();
		});
	});
}

/// Runs `corrupt` on a state with a good roll of 257 keys, and expects the check of the state to notice.
fn roll_is_noticed(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		super::roll::open();
		super::roll::append(0, 257);
		assert_ok!(Pallet::do_try_state());
		corrupt();
		assert!(Pallet::do_try_state().is_err());
	});
}

#[test]
fn a_roll_that_is_not_what_counts_is_noticed() {
	roll_is_noticed(|| Rolls::<Test>::remove(drones()));
	roll_is_noticed(|| {
		Rolls::<Test>::insert(FleetId([5; 32]), Rolls::<Test>::get(drones()).unwrap())
	});
	let change = |change: fn(&mut dpki_primitives::fleet::RollRecord)| {
		roll_is_noticed(|| Rolls::<Test>::mutate(drones(), |roll| change(roll.as_mut().unwrap())));
	};
	change(|roll| roll.size = 256);
	change(|roll| roll.frontier[1][0] ^= 1);
	change(|roll| roll.terms.validity.not_before += 1);
	roll_is_noticed(|| {
		Fleets::<Test>::mutate(drones(), |fleet| {
			fleet.as_mut().unwrap().current.as_mut().unwrap().commitment.tiles.0[0] = 1;
		});
	});
}

#[test]
fn keys_that_are_not_on_the_roll_are_noticed() {
	roll_is_noticed(|| RollTiles::<Test>::remove(drones(), 1));
	roll_is_noticed(|| RollTiles::<Test>::mutate(drones(), 0, |tile| tile[3][3] ^= 1));
	roll_is_noticed(|| {
		RollTiles::<Test>::mutate(drones(), 1, |tile| tile.try_push([1; 32]).unwrap())
	});
	roll_is_noticed(|| RollTiles::<Test>::insert(drones(), 2, RollTiles::<Test>::get(drones(), 1)));
}
