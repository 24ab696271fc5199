//! `commit`, `append`, `rotate`, `withdraw`, `retire_fleet`, `revoke_fleet`.

use super::mock::*;
use crate::{FleetCount, Votes};
use dpki_primitives::{
	device::MAX_GRACE,
	economy::{Operation, Resource},
	fleet::{Change, Commitment, MAX_FLEET_SIZE},
	ids::{FleetId, OrganisationId},
	organisation::Belongings,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::assert_ok;
use sp_runtime::TokenError;

const REASON: RevocationReason = RevocationReason::CessationOfOperation;

fn commit_call(commitment: Commitment) -> Call {
	Call::commit { organisation: acme(), name: name("drones"), commitment }
}

fn append_call(leaves_before: u32, leaves_after: u32) -> Call {
	let leaves = leaves(leaves_after, 0);
	Call::append {
		fleet: drones(),
		commitment: cut(&leaves).0,
		grace: 60_000,
		proof: prove_growth(&leaves, leaves_before),
	}
}

fn rotate_call(commitment: Commitment) -> Call {
	Call::rotate { fleet: drones(), commitment, grace: 60_000 }
}

#[test]
fn a_registrar_commits_a_fleet_that_does_not_count_yet() {
	run(|| {
		let commitment = commitment(5, 0);
		assert_ok!(commit(commitment));
		let record = fleet();
		assert_eq!((record.current, record.revisions), (None, 1));
		let candidate = record.candidate.unwrap();
		assert_eq!((candidate.commitment, candidate.proposed_at), (commitment, NOW));
		assert_eq!(Pallet::fleet_status(drones()), Status::Unknown);
		assert_eq!(
			events(),
			[Event::CommitmentProposed {
				fleet: drones(),
				organisation: acme(),
				revision: 0,
				change: Change::Commit,
				commitment,
			}]
		);
		assert_eq!(TestEconomy::charged(Operation::CommitFleet), 1);
		assert_eq!(TestEconomy::held(), [Resource::Fleet(drones())]);
	});
}

#[test]
fn a_commitment_costs_as_many_fees_as_it_has_members() {
	for (size, fees) in [(1, 1), (65_536, 1), (65_537, 2), (MAX_FLEET_SIZE, 256)] {
		run(|| {
			assert_ok!(commit(Commitment { size, ..commitment(5, 0) }));
			assert_eq!(TestEconomy::charged(Operation::CommitFleet), fees, "{size}");
		});
	}
}

#[test]
fn a_fleet_belongs_to_its_organisation() {
	run(|| {
		assert!(Pallet::is_empty(acme()));
		assert_ok!(commit(commitment(5, 0)));
		assert_eq!(FleetCount::<Test>::get(acme()), 1);
		assert!(!Pallet::is_empty(acme()));
		assert!(Pallet::is_empty(OrganisationId::from_name(b"other")));
	});
}

#[test]
fn as_long_as_nothing_counts_another_first_commitment_takes_the_place() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		assert_ok!(vote(VOTERS[0], 0, true));
		assert_ok!(commit(commitment(3, 0)));
		assert_eq!(fleet().candidate.unwrap().revision, 1);
		assert_eq!(FleetCount::<Test>::get(acme()), 1);
		assert_eq!(TestEconomy::held().len(), 1);
		// What was said of the one before is not said of this one.
		assert!(!Votes::<Test>::contains_key(drones(), 0));
	});
}

#[test]
fn fleets_are_listed_in_the_order_of_their_first_proposal() {
	run(|| {
		let names = ["drones", "cars", "drones", "robots"];
		for fleet in names {
			let (name, commitment) = (name(fleet), commitment(5, 0));
			let call = Call::commit { organisation: acme(), name, commitment };
			assert_ok!(transact(REGISTRAR, call));
		}
		let id = |fleet: &str| FleetId::from_name(acme(), fleet.as_bytes());
		let page = Pallet::fleets_of(acme(), 0);
		assert_eq!(page.items, ["drones", "cars", "robots"].map(id));
		assert_eq!((page.total, page.next), (3, None));
		assert_eq!(Pallet::fleets_of(acme(), 2).items, [id("robots")]);
		assert!(Pallet::fleets_of(OrganisationId::from_name(b"other"), 0).items.is_empty());
	});
}

#[test]
fn only_a_registrar_of_the_organisation_acts_for_its_fleets() {
	run(|| {
		committed(5);
		assert_ok!(transact(REGISTRAR, rotate_call(commitment(5, 1))));
		for who in [OTHER_MEMBER, STRANGER, VOTERS[0]] {
			for call in [
				commit_call(commitment(1, 0)),
				append_call(5, 6),
				rotate_call(commitment(5, 2)),
				Call::withdraw { fleet: drones() },
				Call::retire_fleet { fleet: drones() },
				Call::revoke_fleet { fleet: drones(), reason: REASON },
				Call::revoke_members { fleet: drones(), chunks: masks(&[1]), reason: REASON },
				Call::publish_tile { organisation: acme(), tile: vec![1].try_into().unwrap() },
			] {
				is_refused(who, call, Error::RoleMissing);
			}
		}
		let organisation = OrganisationId::from_name(b"nobody");
		let foreign = Call::commit { organisation, name: name("x"), commitment: commitment(1, 0) };
		is_refused(REGISTRAR, foreign, Error::RoleMissing);
	});
}

#[test]
fn a_fleet_that_there_is_not_is_refused() {
	run(|| {
		let fleet = FleetId([9; 32]);
		let commitment = commitment(1, 0);
		for call in [
			Call::append { fleet, commitment, grace: 0, proof: Default::default() },
			Call::rotate { fleet, commitment, grace: 0 },
			Call::withdraw { fleet },
			Call::retire_fleet { fleet },
			Call::revoke_fleet { fleet, reason: REASON },
			Call::revoke_members { fleet, chunks: masks(&[1]), reason: REASON },
			Call::vote { fleet, revision: revision_id(0), available: true },
		] {
			is_refused(REGISTRAR, call, Error::FleetUnknown);
		}
	});
}

#[test]
fn an_impossible_name_or_size_is_refused() {
	run(|| {
		for bad in ["", "Drones", "a_b", "-a"] {
			let call = Call::commit {
				organisation: acme(),
				name: name(bad),
				commitment: commitment(1, 0),
			};
			is_refused(REGISTRAR, call, Error::FleetNameInvalid);
		}
		for size in [0, MAX_FLEET_SIZE + 1, u32::MAX] {
			let call = commit_call(Commitment { size, ..commitment(1, 0) });
			is_refused(REGISTRAR, call, Error::FleetSizeInvalid);
		}
		committed(5);
		for size in [MAX_FLEET_SIZE + 1, u32::MAX] {
			let commitment = Commitment { size, ..commitment(1, 0) };
			is_refused(REGISTRAR, rotate_call(commitment), Error::FleetSizeInvalid);
			let proof = Default::default();
			let append = Call::append { fleet: drones(), commitment, grace: 0, proof };
			is_refused(REGISTRAR, append, Error::FleetSizeInvalid);
		}
	});
}

#[test]
fn a_fleet_that_counts_is_not_committed_again() {
	run(|| {
		committed(5);
		is_refused(REGISTRAR, commit_call(commitment(9, 0)), Error::FleetExists);
	});
}

#[test]
fn a_fleet_grows_by_what_is_proven_to_begin_with_it() {
	run(|| {
		committed(5);
		assert_ok!(transact(REGISTRAR, append_call(5, 300)));
		assert_eq!(fleet().current.unwrap().commitment.size, 5);
		TestTime::set(NOW + 1_000);
		carry(1);
		let record = fleet();
		assert_eq!(record.current.unwrap().commitment, commitment(300, 0));
		assert_eq!(record.previous.unwrap().superseded_at, NOW + 61_000);
		assert_eq!(record.candidate, None);
		assert_eq!(TestEconomy::charged(Operation::CommitFleet), 2);
	});
}

#[test]
fn growth_that_is_not_proven_is_refused() {
	run(|| {
		committed(5);
		let Call::append { fleet, commitment: grown, grace, proof } = append_call(5, 9) else {
			unreachable!("it is an append")
		};
		let refused = |commitment, proof| {
			let call = Call::append { fleet, commitment, grace, proof };
			is_refused(REGISTRAR, call, Error::ConsistencyNotProven);
		};
		refused(grown, Default::default());
		for place in 0..proof.len() {
			let mut changed = proof.clone();
			changed[place][7] ^= 1;
			refused(grown, changed);
		}
		// One of the first five is another one now.
		refused(commitment(9, 1), prove_growth(&leaves(9, 1), 5));
		refused(Commitment { size: 17, ..grown }, proof);
		is_refused(REGISTRAR, append_call(5, 5), Error::AppendNotLarger);
		is_refused(
			REGISTRAR,
			Call::append { fleet, commitment: commitment(4, 0), grace, proof: Default::default() },
			Error::AppendNotLarger,
		);
	});
}

#[test]
fn keys_are_rotated_and_both_are_good_for_a_while() {
	run(|| {
		committed(5);
		assert_ok!(transact(REGISTRAR, rotate_call(commitment(5, 1))));
		carry(1);
		let [old, new] = [0, 1].map(|generation| prove(&leaves(5, generation), 2));
		assert_eq!(Pallet::member_status(&old), Status::Valid);
		assert_eq!(Pallet::member_status(&new), Status::Valid);
		TestTime::set(NOW + 60_000);
		assert_eq!(Pallet::member_status(&old), Status::Superseded);
		assert_eq!(Pallet::member_status(&new), Status::Valid);
	});
}

#[test]
fn a_fleet_neither_shrinks_nor_stays_what_it_is() {
	run(|| {
		committed(5);
		is_refused(REGISTRAR, rotate_call(commitment(4, 1)), Error::FleetWouldShrink);
		is_refused(REGISTRAR, rotate_call(commitment(5, 0)), Error::NothingChanged);
		let grace = MAX_GRACE + 1;
		let long = Call::rotate { fleet: drones(), commitment: commitment(5, 1), grace };
		is_refused(REGISTRAR, long, Error::GraceTooLong);
		let Call::append { fleet, commitment, proof, .. } = append_call(5, 9) else {
			unreachable!("it is an append")
		};
		let long = Call::append { fleet, commitment, grace, proof };
		is_refused(REGISTRAR, long, Error::GraceTooLong);
	});
}

#[test]
fn nothing_is_changed_that_does_not_count() {
	run(|| {
		assert_ok!(commit(commitment(5, 0)));
		is_refused(REGISTRAR, append_call(5, 9), Error::FleetNotInForce);
		is_refused(REGISTRAR, rotate_call(commitment(5, 1)), Error::FleetNotInForce);
	});
}

#[test]
fn a_candidate_can_be_taken_back() {
	run(|| {
		committed(5);
		assert_ok!(transact(REGISTRAR, rotate_call(commitment(5, 1))));
		assert_ok!(vote(VOTERS[0], 1, true));
		let again = Call::vote { fleet: drones(), revision: revision_id(1), available: false };
		assert_ok!(transact(REGISTRAR, Call::withdraw { fleet: drones() }));
		assert_eq!(fleet().candidate, None);
		assert!(!Votes::<Test>::contains_key(drones(), 1));
		let withdrawn = Event::CommitmentWithdrawn { fleet: drones(), revision: 1 };
		assert_eq!(events().last(), Some(&withdrawn));
		is_refused(REGISTRAR, Call::withdraw { fleet: drones() }, Error::CandidateMissing);
		is_refused(VOTERS[0], again, Error::RevisionUnknown);
	});
}

#[test]
fn a_retired_fleet_stays_good_and_takes_nothing_new() {
	run(|| {
		committed(5);
		assert_ok!(transact(REGISTRAR, rotate_call(commitment(5, 1))));
		assert_ok!(transact(REGISTRAR, Call::retire_fleet { fleet: drones() }));
		assert_eq!(fleet().candidate, None);
		let retired = Event::FleetRetired { fleet: drones(), organisation: acme() };
		assert_eq!(events().last(), Some(&retired));
		assert_eq!(Pallet::member_status(&prove(&leaves(5, 0), 2)), Status::Valid);
		assert_eq!(Pallet::fleet_status(drones()), Status::Superseded);
		is_refused(REGISTRAR, append_call(5, 9), Error::FleetWasRetired);
		is_refused(REGISTRAR, rotate_call(commitment(5, 1)), Error::FleetWasRetired);
		is_refused(REGISTRAR, Call::retire_fleet { fleet: drones() }, Error::FleetWasRetired);
		// Its members can still be revoked, and it can too.
		let chunks = masks(&[2]);
		let revoke = Call::revoke_members { fleet: drones(), chunks, reason: REASON };
		assert_ok!(transact(REGISTRAR, revoke));
		assert_ok!(transact(REGISTRAR, Call::revoke_fleet { fleet: drones(), reason: REASON }));
	});
}

#[test]
fn a_fleet_that_was_retired_or_revoked_before_it_counted_is_not_committed_again() {
	for call in [
		Call::retire_fleet { fleet: drones() },
		Call::revoke_fleet { fleet: drones(), reason: REASON },
	] {
		run(|| {
			assert_ok!(commit(commitment(5, 0)));
			let refusal = match call {
				Call::retire_fleet { .. } => Error::FleetWasRetired,
				_ => Error::FleetWasRevoked,
			};
			assert_ok!(transact(REGISTRAR, call));
			is_refused(REGISTRAR, commit_call(commitment(5, 0)), refusal);
		});
	}
}

#[test]
fn a_revoked_fleet_takes_its_members_with_it() {
	run(|| {
		committed(5);
		assert_ok!(transact(REGISTRAR, Call::revoke_fleet { fleet: drones(), reason: REASON }));
		let revocation = Revocation { reason: REASON, at: NOW };
		let proof = prove(&leaves(5, 0), 2);
		assert_eq!(Pallet::member_status(&proof), Status::IssuerRevoked(revocation));
		assert_eq!(Pallet::fleet_status(drones()), Status::Revoked(revocation));
		assert_eq!(TestEconomy::held(), []);
		let revoked = Event::FleetRevoked { fleet: drones(), organisation: acme(), reason: REASON };
		assert_eq!(events().last(), Some(&revoked));
		for call in [
			append_call(5, 9),
			rotate_call(commitment(5, 1)),
			Call::retire_fleet { fleet: drones() },
			Call::revoke_fleet { fleet: drones(), reason: REASON },
		] {
			is_refused(REGISTRAR, call, Error::FleetWasRevoked);
		}
	});
}

#[test]
fn nothing_is_committed_on_credit() {
	run(|| {
		committed(5);
		TestEconomy::take_funds_away();
		let other =
			Call::commit { organisation: acme(), name: name("b"), commitment: commitment(1, 0) };
		for call in [other, append_call(5, 9), rotate_call(commitment(5, 1))] {
			let refusal = transact(REGISTRAR, call).unwrap_err().error;
			assert_eq!(refusal, TokenError::FundsUnavailable.into());
		}
		// What takes something away costs nothing.
		assert_ok!(transact(REGISTRAR, Call::revoke_fleet { fleet: drones(), reason: REASON }));
	});
}
