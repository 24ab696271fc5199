// SPDX-License-Identifier: Apache-2.0

use crate::common::{account, chain};
use codec::Encode;
use dpki_runtime::{
	Executive, Hash, Historical, Runtime, RuntimeCall, RuntimeEvent, Session, System,
	UncheckedExtrinsic,
	configs::{
		consensus::EQUIVOCATION_HISTORY,
		system::{MAXIMUM_BLOCK_WEIGHT, RuntimeBlockWeights},
	},
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{dispatch::DispatchClass, traits::KeyOwnerProofSystem};
use pallet_session::historical::{HistoricalSessions, StoredRange};
use sp_consensus_grandpa::{AuthorityId, Equivocation, EquivocationProof, KEY_TYPE};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::transaction_validity::TransactionSource;

/// Ends as many sessions. Events are dropped: they would only fill memory.
fn end_sessions(number: u32) {
	for _ in 0..number {
		Session::rotate_session();
		System::reset_events();
	}
}

#[test]
fn sessions_pass_without_a_new_authority_set() {
	chain(LOCAL_PRESET).execute_with(|| {
		let authorities = pallet_grandpa::Authorities::<Runtime>::get();

		end_sessions(5);

		assert_eq!(Session::current_index(), 5);
		assert_eq!(pallet_grandpa::CurrentSetId::<Runtime>::get(), 0);
		assert_eq!(pallet_grandpa::Authorities::<Runtime>::get(), authorities);
	});
}

#[test]
fn ownership_of_a_finality_key_can_be_proven_in_a_later_session() {
	chain(LOCAL_PRESET).execute_with(|| {
		let bob: AuthorityId = Ed25519Keyring::Bob.public().into();
		let proof = Historical::prove((KEY_TYPE, bob.encode())).expect("Bob is a validator");

		end_sessions(3);

		let owner = Historical::check_proof((KEY_TYPE, bob.encode()), proof);
		assert_eq!(owner, Some((account(Sr25519Keyring::Bob), ())));
	});
}

#[test]
fn history_of_sessions_is_bounded() {
	chain(LOCAL_PRESET).execute_with(|| {
		end_sessions(EQUIVOCATION_HISTORY + 10);

		let (first, end) = StoredRange::<Runtime>::get().expect("there is a history");
		// Beyond the history: the session that has just ended, the current and the next one.
		assert!(end - first <= EQUIVOCATION_HISTORY + 3, "{first}..{end}");
		assert_eq!(HistoricalSessions::<Runtime>::iter().count() as u32, end - first);
	});
}

#[test]
fn a_block_fits_into_half_of_a_default_slot() {
	let weights = RuntimeBlockWeights::get();
	weights.clone().validate().expect("the limits do not contradict each other");
	assert_eq!(weights.max_block, MAXIMUM_BLOCK_WEIGHT);
	assert!(weights.get(DispatchClass::Normal).max_total.unwrap().all_lt(weights.max_block));
}

/// Two signed votes of Bob for different blocks in this round.
pub fn double_vote(round: u64) -> EquivocationProof<Hash, u32> {
	const SET_ID: u64 = 0;
	let vote = |target_hash| {
		let prevote = finality_grandpa::Prevote { target_hash, target_number: 10 };
		let message = finality_grandpa::Message::Prevote(prevote.clone());
		let payload = sp_consensus_grandpa::localized_payload(round, SET_ID, &message);
		(prevote, Ed25519Keyring::Bob.sign(&payload).into())
	};
	let equivocation = finality_grandpa::Equivocation {
		round_number: round,
		identity: Ed25519Keyring::Bob.public().into(),
		first: vote(Hash::repeat_byte(1)),
		second: vote(Hash::repeat_byte(2)),
	};
	EquivocationProof::new(SET_ID, Equivocation::Prevote(equivocation))
}

#[test]
fn voting_for_two_blocks_is_recorded_as_an_offence() {
	chain(LOCAL_PRESET).execute_with(|| {
		let bob: AuthorityId = Ed25519Keyring::Bob.public().into();
		let report: RuntimeCall = pallet_grandpa::Call::report_equivocation_unsigned {
			equivocation_proof: Box::new(double_vote(1)),
			key_owner_proof: Historical::prove((KEY_TYPE, bob.encode())).expect("a validator"),
		}
		.into();
		let extrinsic = UncheckedExtrinsic::new_bare(report);
		end_sessions(1);

		let parent = System::parent_hash();
		let validity =
			Executive::validate_transaction(TransactionSource::Local, extrinsic.clone(), parent);
		assert!(validity.is_ok(), "{validity:?}");
		let outcome = Executive::apply_extrinsic(extrinsic.clone());
		assert_eq!(outcome, Ok(Ok(())));

		let offence = |event| matches!(event, RuntimeEvent::Offences(_));
		assert!(System::events().into_iter().any(|record| offence(record.event)));
		assert!(Executive::apply_extrinsic(extrinsic).is_err(), "reported twice");
	});
}
