//! `open_roll` and `append_keys`: keys on the chain, with their possession proven.

use super::mock::*;
use crate::{RollEntries, RollTiles, Rolls};
use dpki_primitives::{
	Moment,
	context::MAX_SIGNATURE_LIFETIME,
	device::MAX_GRACE,
	economy::{Operation, Resource},
	fleet::{
		Commitment, FleetLeaf, MAX_FLEET_SIZE, MAX_KEYS_PER_APPEND, RollEntry, RollTerms,
		roll::{ON_ROLL, member_name},
	},
	ids::{DeviceId, FleetId, KeyId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	key_policy::{KeyPolicy, KeyTypeSet, ValidityLimits},
	registry::CompromisedKeys as _,
	revocation::{Revocation, RevocationReason, Withdrawal},
	status::{Status, Validity},
};
use frame_support::{assert_ok, dispatch::GetDispatchInfo};
use sp_core::{Pair as _, ed25519};
use sp_runtime::TokenError;

const REASON: RevocationReason = RevocationReason::KeyCompromise;
const EXPIRES_AT: Moment = NOW + 60_000;
const TERMS: RollTerms =
	RollTerms { purpose: KeyPurpose::Tls, validity: Validity { not_before: NOW, not_after: None } };

/// The key of the tests with this number.
fn pair(number: u32) -> ed25519::Pair {
	let mut seed = [9; 32];
	seed[..4].copy_from_slice(&number.to_be_bytes());
	ed25519::Pair::from_seed(&seed)
}

/// A key with its signature for a place of a fleet.
fn entry_for(fleet: FleetId, number: u32, place: u32, expires_at: Moment) -> RollEntry {
	let genesis = System::block_hash(0).0;
	let payload = TERMS.possession(genesis, fleet, place, expires_at).payload();
	RollEntry { key: pair(number).public().0, possession: pair(number).sign(&payload).0 }
}

/// Key number `place` at each place, so many from `from` on.
fn entries(from: u32, count: u32) -> RollEntries {
	let entry = |place| entry_for(drones(), place, place, EXPIRES_AT);
	(from..from + count).map(entry).collect::<Vec<_>>().try_into().unwrap()
}

fn open_call(terms: RollTerms) -> Call {
	Call::open_roll { organisation: acme(), name: name("drones"), terms }
}

fn append_call(from: u32, entries: RollEntries) -> Call {
	Call::append_keys { fleet: drones(), from, grace: 60_000, expires_at: EXPIRES_AT, entries }
}

pub(super) fn open() {
	assert_ok!(transact(REGISTRAR, open_call(TERMS)));
}

pub(super) fn append(from: u32, count: u32) {
	assert_ok!(transact(REGISTRAR, append_call(from, entries(from, count))));
}

/// The leaves of the first so many keys, as everybody can make them from the chain.
fn roll_leaves(size: u32) -> Vec<FleetLeaf> {
	(0..size)
		.map(|place| TERMS.leaf(b"drones", place, &pair(place).public().0).unwrap())
		.collect()
}

fn status(leaves: &[FleetLeaf], place: u32) -> Status {
	Pallet::member_status(&prove(leaves, place))
}

#[test]
fn a_roll_is_opened_without_members() {
	run(|| {
		open();
		let record = fleet();
		assert_eq!((record.current, record.candidate, record.revisions), (None, None, 0));
		assert!(record.has_roll());
		assert_eq!(Rolls::<Test>::get(drones()).unwrap().terms, TERMS);
		assert_eq!(Pallet::fleet_status(drones()), Status::Unknown);
		let opened = Event::RollOpened { fleet: drones(), organisation: acme(), terms: TERMS };
		assert_eq!(events(), [opened]);
		assert_eq!(TestEconomy::held(), [Resource::Fleet(drones())]);
		assert_eq!(TestEconomy::charged(Operation::CommitFleet), 1);
		assert_eq!(Pallet::fleets_of(acme(), 0).items, [drones()]);
	});
}

#[test]
fn keys_that_are_appended_count_at_once_and_are_proven_as_those_of_tiles() {
	run(|| {
		open();
		append(0, 5);
		let leaves = roll_leaves(5);
		let cut = cut(&leaves).0;
		let commitment = Commitment { tiles: ON_ROLL, ..cut };
		let head = fleet().current.unwrap();
		assert_eq!((head.revision, head.commitment, head.since), (0, commitment, NOW));
		for place in 0..5 {
			assert_eq!(status(&leaves, place), Status::Valid, "{place}");
			let device = DeviceId::from_name(acme(), format!("drones-{place}").as_bytes());
			assert_eq!(prove(&leaves, place).device(), device);
		}
		let other = prove(&[leaves[1].clone(), leaves[0].clone()], 0);
		assert_eq!(Pallet::member_status(&other), Status::Unknown);
		let (fleet, organisation) = (drones(), acme());
		let appended =
			Event::KeysAppended { fleet, organisation, revision: 0, from: 0, commitment };
		assert_eq!(events().last(), Some(&appended));
		assert_eq!(TestEconomy::charged(Operation::BatchKey), 5);
	});
}

#[test]
fn a_roll_grows_over_the_ends_of_tiles_and_has_the_root_of_all_its_keys() {
	run(|| {
		open();
		let mut size = 0;
		for count in [1, 254, 1, 300, 212, 2] {
			append(size, count);
			size += count;
			let root = cut(&roll_leaves(size)).0.root;
			assert_eq!(fleet().current.unwrap().commitment.root, root, "{size}");
			assert_ok!(Pallet::do_try_state());
		}
		let tiles: Vec<_> = (0..5).map(|it| RollTiles::<Test>::get(drones(), it).len()).collect();
		assert_eq!(tiles, [256, 256, 256, 2, 0]);
		assert_eq!(RollTiles::<Test>::get(drones(), 2)[3], pair(515).public().0);
		assert_eq!(status(&roll_leaves(size), 515), Status::Valid);
	});
}

#[test]
fn the_longest_call_takes_sixteen_tiles() {
	run(|| {
		open();
		append(0, MAX_KEYS_PER_APPEND);
		assert_eq!(RollTiles::<Test>::iter().count(), 16);
	});
}

#[test]
fn proofs_outlast_an_appending_in_many_calls_by_the_grace_of_the_first() {
	run(|| {
		open();
		append(0, 3);
		let before = roll_leaves(3);
		for step in 0..4 {
			TestTime::set(NOW + 10_000 * u64::from(step));
			append(3 + step, 1);
			assert_eq!(status(&before, 2), Status::Valid, "{step}");
		}
		// One in between was good until the next call.
		assert_eq!(status(&roll_leaves(5), 4), Status::Unknown);
		assert_eq!(status(&roll_leaves(7), 6), Status::Valid);
		TestTime::set(NOW + 60_000);
		assert_eq!(status(&before, 2), Status::Superseded);
		assert_eq!(status(&roll_leaves(7), 2), Status::Valid);
		// Once its grace is over, another one takes its place.
		append(7, 1);
		assert_eq!(status(&before, 2), Status::Unknown);
		assert_eq!(status(&roll_leaves(7), 6), Status::Valid);
	});
}

#[test]
fn members_are_revoked_as_those_of_tiles_and_stay_so() {
	run(|| {
		open();
		append(0, 300);
		let call = |places: &[u32]| Call::revoke_members {
			fleet: drones(),
			chunks: masks(places),
			reason: REASON,
		};
		assert_ok!(transact(REGISTRAR, call(&[7, 299])));
		is_refused(REGISTRAR, call(&[300]), Error::MemberUnknown);
		append(300, 5);
		let leaves = roll_leaves(305);
		let revoked = Status::Revoked(Revocation { reason: REASON, at: NOW });
		assert_eq!((status(&leaves, 7), status(&leaves, 299)), (revoked, revoked));
		assert_eq!((status(&leaves, 8), status(&leaves, 300)), (Status::Valid, Status::Valid));
		let id = prove(&leaves, 9).key().unwrap();
		TestLeaks::note(id, NOW);
		assert_eq!(status(&leaves, 9), revoked);
		assert_ok!(transact(REGISTRAR, Call::revoke_fleet { fleet: drones(), reason: REASON }));
		assert!(matches!(status(&leaves, 8), Status::IssuerRevoked(_)));
	});
}

/// The runtime does not look the keys up when they are appended (decision 0054): whoever asks is told.
#[test]
fn a_key_that_had_ended_before_it_was_appended_is_never_a_valid_member() {
	run(|| {
		let at = NOW - 5;
		let revocation = Revocation { reason: REASON, at };
		let public = |number| PublicKey::new(KeyType::Ed25519, &pair(number).public().0).unwrap();
		let single = |device: &str, withdrawal: Withdrawal| KeyRecord {
			device: DeviceId::from_name(acme(), device.as_bytes()),
			purpose: KeyPurpose::Sign,
			public: public(3),
			validity: TERMS.validity,
			registered_at: at,
			superseded_at: None,
			withdrawal,
		};
		TestLeaks::note(KeyId::of(&public(1)), at);
		TestRegistry::revoke_anchor_key(KeyId::of(&public(2)));
		open();
		append(0, 5);
		let leaves = roll_leaves(5);
		assert_eq!(status(&leaves, 1), Status::Revoked(revocation));
		assert_eq!(status(&leaves, 2), Status::Unknown);
		for (device, withdrawal, verdict) in [
			("drones-3", Withdrawal::Revoked(revocation), Status::Revoked(revocation)),
			("drone-7", Withdrawal::Revoked(revocation), Status::Unknown),
			("drone-7", Withdrawal::None, Status::Unknown),
		] {
			TestRegistry::set(None, Some(single(device, withdrawal)));
			assert_eq!(status(&leaves, 3), verdict, "{device}");
		}
		assert_eq!(status(&leaves, 4), Status::Valid);
	});
}

#[test]
fn who_is_no_registrar_neither_opens_nor_appends() {
	run(|| {
		for who in [OTHER_MEMBER, STRANGER] {
			is_refused(who, open_call(TERMS), Error::RoleMissing);
		}
		open();
		for who in [OTHER_MEMBER, STRANGER] {
			is_refused(who, append_call(0, entries(0, 1)), Error::RoleMissing);
		}
	});
}

#[test]
fn a_roll_has_a_name_from_which_those_of_its_devices_are_made() {
	run(|| {
		let call =
			|text: &str| Call::open_roll { organisation: acme(), name: name(text), terms: TERMS };
		is_refused(REGISTRAR, call("No Name"), Error::FleetNameInvalid);
		is_refused(REGISTRAR, call(&"a".repeat(55)), Error::RollNameTooLong);
		assert_ok!(transact(REGISTRAR, call(&"a".repeat(54))));
		assert_eq!(member_name(&[b'a'; 54], MAX_FLEET_SIZE - 1).unwrap().len(), 63);
	});
}

#[test]
fn a_name_is_that_of_one_fleet_with_a_roll_or_with_tiles() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		is_refused(REGISTRAR, open_call(TERMS), Error::FleetExists);
		is_refused(REGISTRAR, append_call(0, entries(0, 1)), Error::RollMissing);
	});
	run(|| {
		open();
		is_refused(REGISTRAR, open_call(TERMS), Error::FleetExists);
		let commit =
			|commitment| Call::commit { organisation: acme(), name: name("drones"), commitment };
		is_refused(REGISTRAR, commit(commitment(5, 0)), Error::FleetHasRoll);
		append(0, 5);
		is_refused(REGISTRAR, commit(commitment(5, 0)), Error::FleetHasRoll);
		let rotate = Call::rotate { fleet: drones(), commitment: commitment(6, 1), grace: 0 };
		is_refused(REGISTRAR, rotate, Error::FleetHasRoll);
		let leaves = roll_leaves(6);
		let (commitment, proof) = (cut(&leaves).0, prove_growth(&leaves, 5));
		let grow = Call::append { fleet: drones(), commitment, grace: 0, proof };
		is_refused(REGISTRAR, grow, Error::FleetHasRoll);
		is_refused(REGISTRAR, Call::withdraw { fleet: drones() }, Error::CandidateMissing);
	});
}

#[test]
fn nobody_votes_on_a_roll() {
	use frame_support::dispatch::CheckIfFeeless;
	run(|| {
		open();
		append(0, 5);
		let vote = Call::vote { fleet: drones(), revision: revision_id(0), available: false };
		assert!(!vote.is_feeless(&RuntimeOrigin::signed(VOTERS[0])));
		is_refused(VOTERS[0], vote, Error::FleetHasRoll);
	});
}

#[test]
fn a_commitment_to_tiles_names_one() {
	run(|| {
		let commitment = Commitment { tiles: ON_ROLL, ..commitment(5, 0) };
		let call = Call::commit { organisation: acme(), name: name("drones"), commitment };
		is_refused(REGISTRAR, call, Error::TilesMissing);
		committed(5);
		let call = Call::rotate { fleet: drones(), commitment, grace: 0 };
		is_refused(REGISTRAR, call, Error::TilesMissing);
	});
}

#[test]
fn terms_are_those_of_keys_that_there_can_be_and_may_be() {
	run(|| {
		let purpose = KeyPurpose::KeyAgreement;
		is_refused(REGISTRAR, open_call(RollTerms { purpose, ..TERMS }), Error::TermsForbidden);
		let validity = Validity { not_before: NOW, not_after: Some(NOW - 1) };
		is_refused(REGISTRAR, open_call(RollTerms { validity, ..TERMS }), Error::TermsForbidden);
		let key_types = KeyTypeSet::EMPTY.with(KeyType::P256);
		TestRegistry::set_policy(KeyPolicy { key_types, ..Default::default() });
		is_refused(REGISTRAR, open_call(TERMS), Error::TermsForbidden);
		TestRegistry::set_policy(KeyPolicy::default());
		open();
		let validity = ValidityLimits { tls: Some(3_600_000), ..Default::default() };
		TestRegistry::set_policy(KeyPolicy { validity, ..Default::default() });
		is_refused(REGISTRAR, append_call(0, entries(0, 1)), Error::TermsForbidden);
	});
}

#[test]
fn a_roll_that_has_ended_gets_no_keys() {
	run(|| {
		open();
		append(0, 1);
		assert_ok!(transact(REGISTRAR, Call::retire_fleet { fleet: drones() }));
		is_refused(REGISTRAR, append_call(1, entries(1, 1)), Error::FleetWasRetired);
		assert_eq!(status(&roll_leaves(1), 0), Status::Valid);
		assert_ok!(transact(REGISTRAR, Call::revoke_fleet { fleet: drones(), reason: REASON }));
		is_refused(REGISTRAR, append_call(1, entries(1, 1)), Error::FleetWasRevoked);
		is_refused(REGISTRAR, open_call(TERMS), Error::FleetExists);
	});
}

#[test]
fn keys_are_appended_to_a_fleet_that_there_is_at_the_next_place() {
	run(|| {
		is_refused(REGISTRAR, append_call(0, entries(0, 1)), Error::FleetUnknown);
		open();
		is_refused(REGISTRAR, append_call(0, RollEntries::default()), Error::KeysMissing);
		is_refused(REGISTRAR, append_call(1, entries(1, 1)), Error::PlaceNotNext);
		append(0, 2);
		for from in [0, 1, 3] {
			is_refused(REGISTRAR, append_call(from, entries(from, 1)), Error::PlaceNotNext);
		}
	});
}

#[test]
fn a_grace_is_short() {
	run(|| {
		open();
		let entries = entries(0, 1);
		let (fleet, expires_at, grace) = (drones(), EXPIRES_AT, MAX_GRACE + 1);
		let call = Call::append_keys { fleet, from: 0, grace, expires_at, entries };
		is_refused(REGISTRAR, call, Error::GraceTooLong);
	});
}

#[test]
fn signatures_are_taken_for_a_day_at_most() {
	run(|| {
		open();
		for expires_at in [NOW - 1, NOW + MAX_SIGNATURE_LIFETIME + 1] {
			let entries = vec![entry_for(drones(), 0, 0, expires_at)].try_into().unwrap();
			let call =
				Call::append_keys { fleet: drones(), from: 0, grace: 0, expires_at, entries };
			is_refused(REGISTRAR, call, Error::SignatureExpired);
		}
	});
}

#[test]
fn more_keys_than_a_fleet_can_have_are_refused() {
	run(|| {
		open();
		append(0, 1);
		let before = Rolls::<Test>::get(drones());
		Rolls::<Test>::mutate(drones(), |roll| roll.as_mut().unwrap().size = MAX_FLEET_SIZE);
		let call = append_call(MAX_FLEET_SIZE, entries(MAX_FLEET_SIZE, 1));
		is_refused(REGISTRAR, call, Error::FleetSizeInvalid);
		Rolls::<Test>::set(drones(), before);
	});
}

#[test]
fn the_first_signature_that_does_not_verify_is_named_and_nothing_is_appended() {
	run(|| {
		open();
		append(0, 3);
		for (count, wrong) in [(1, vec![0]), (9, vec![8]), (9, vec![3, 7]), (1_500, vec![1_300])] {
			let mut entries = entries(3, count);
			for position in &wrong {
				entries[*position].possession[40] ^= 1;
			}
			let error = Error::PossessionInvalid(wrong[0] as u16);
			is_refused(REGISTRAR, append_call(3, entries), error);
		}
	});
}

#[test]
fn a_signature_for_something_else_proves_nothing() {
	run(|| {
		open();
		let other = FleetId::from_name(acme(), b"planes");
		let genesis = System::block_hash(0).0;
		let signed = |terms: RollTerms, genesis| {
			let payload = terms.possession(genesis, drones(), 0, EXPIRES_AT).payload();
			RollEntry { key: pair(0).public().0, possession: pair(0).sign(&payload).0 }
		};
		let purpose = KeyPurpose::Sign;
		let validity = Validity { not_before: NOW, not_after: Some(NOW + 1) };
		for entry in [
			entry_for(other, 0, 0, EXPIRES_AT),
			entry_for(drones(), 0, 1, EXPIRES_AT),
			entry_for(drones(), 0, 0, EXPIRES_AT + 1),
			RollEntry { key: pair(1).public().0, ..entry_for(drones(), 0, 0, EXPIRES_AT) },
			signed(RollTerms { purpose, ..TERMS }, genesis),
			signed(RollTerms { validity, ..TERMS }, genesis),
			signed(TERMS, [0x77; 32]),
			// The neutral element, under which anybody can sign.
			RollEntry { key: small_order(), possession: forged() },
		] {
			let entries = vec![entry].try_into().unwrap();
			is_refused(REGISTRAR, append_call(0, entries), Error::PossessionInvalid(0));
		}
		append(0, 1);
	});
}

fn small_order() -> [u8; 32] {
	let mut key = [0; 32];
	key[0] = 1;
	key
}

/// `R` is the neutral element and `s` zero: by the equation alone that verifies under [`small_order`].
fn forged() -> [u8; 64] {
	let mut signature = [0; 64];
	signature[0] = 1;
	signature
}

#[test]
fn a_key_that_a_call_names_twice_is_refused() {
	run(|| {
		open();
		let twice = |second: u32| {
			let mut entries = entries(0, 5);
			entries[second as usize] = entry_for(drones(), 1, second, EXPIRES_AT);
			entries
		};
		is_refused(REGISTRAR, append_call(0, twice(3)), Error::KeyRepeated(3));
		// What comes first is named, whichever it is.
		for (wrong, error) in [
			(2, Error::PossessionInvalid(2)),
			(3, Error::KeyRepeated(3)),
			(4, Error::KeyRepeated(3)),
		] {
			let mut entries = twice(3);
			entries[wrong].possession[0] ^= 1;
			is_refused(REGISTRAR, append_call(0, entries), error);
		}
	});
}

#[test]
fn a_key_can_stand_at_two_places_that_it_has_signed_for_in_two_calls() {
	run(|| {
		open();
		append(0, 2);
		let entries = vec![entry_for(drones(), 1, 2, EXPIRES_AT)].try_into().unwrap();
		assert_ok!(transact(REGISTRAR, append_call(2, entries)));
		let call = Call::revoke_members {
			fleet: drones(),
			chunks: masks(&[1]),
			reason: RevocationReason::Superseded,
		};
		assert_ok!(transact(REGISTRAR, call));
		let mut leaves = roll_leaves(2);
		leaves.push(TERMS.leaf(b"drones", 2, &pair(1).public().0).unwrap());
		assert!(matches!(status(&leaves, 1), Status::Revoked(_)));
		assert_eq!(status(&leaves, 2), Status::Valid, "each place is revoked by itself");
	});
}

#[test]
fn keys_are_not_appended_on_credit() {
	run(|| {
		open();
		TestEconomy::take_funds_away();
		let refusal = transact(REGISTRAR, append_call(0, entries(0, 1)));
		assert_eq!(refusal.unwrap_err().error, TokenError::FundsUnavailable.into());
		let other = Call::open_roll { organisation: acme(), name: name("b"), terms: TERMS };
		let refusal = transact(REGISTRAR, other).unwrap_err().error;
		assert_eq!(refusal, TokenError::FundsUnavailable.into());
	});
}

#[test]
fn the_weight_of_a_search_returns_when_nothing_is_refused() {
	run(|| {
		open();
		let call = append_call(0, entries(0, 300));
		let declared = call.get_dispatch_info().call_weight;
		let spent = transact(REGISTRAR, call).unwrap().actual_weight.unwrap();
		assert!(spent.all_lte(declared) && spent != declared);
	});
}
