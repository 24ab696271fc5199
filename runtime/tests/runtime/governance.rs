// SPDX-License-Identifier: Apache-2.0

//! The council: what two thirds of it can do, and what a single trustee cannot.

use crate::common::{account, chain};
use codec::Encode;
use dpki_runtime::{
	AccountId, Balances, Council, CouncilMembership, Hash, Mandate, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeOrigin, System,
	configs::governance::{CouncilInstance, MOTION_DEPOSIT, MaxProposals, MotionDeposit},
	genesis_config_presets::{ENDOWMENT, LOCAL_PRESET},
	mandate::{self, WeightInfo},
	weights::mandate::SubstrateWeight,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo},
	traits::fungible::InspectHold,
};
use pallet_collective::RawOrigin;
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::{
	DispatchError, DispatchResult, TokenError,
	traits::{BlakeTwo256, Convert, Dispatchable, Hash as _},
};

type SystemError = frame_system::Error<Runtime>;
type CouncilError = pallet_collective::Error<Runtime, CouncilInstance>;
type MandateError = mandate::Error<Runtime>;

fn signed(name: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(name))
}

/// The origin of a motion that `ayes` of `seats` members carried.
fn carried_by(ayes: u32, seats: u32) -> RuntimeOrigin {
	RawOrigin::<AccountId, CouncilInstance>::Members(ayes, seats).into()
}

fn authorize_upgrade() -> RuntimeCall {
	frame_system::Call::authorize_upgrade { code_hash: Hash::repeat_byte(7) }.into()
}

fn remark(byte: u8) -> RuntimeCall {
	frame_system::Call::remark { remark: vec![byte] }.into()
}

fn as_root(call: RuntimeCall) -> RuntimeCall {
	mandate::Call::dispatch_as_root { call: Box::new(call) }.into()
}

fn admit(name: Sr25519Keyring) -> RuntimeCall {
	pallet_membership::Call::add_member { who: account(name).into() }.into()
}

fn appoint_administrator() -> RuntimeCall {
	pallet_sudo::Call::set_key { new: account(Eve).into() }.into()
}

fn propose(call: &RuntimeCall, threshold: u32) -> RuntimeCall {
	let proposal = Box::new(call.clone());
	let length_bound = call.encoded_size() as u32;
	pallet_collective::Call::propose { threshold, proposal, length_bound }.into()
}

/// Proposes `call` as a transaction would: the filter is asked.
fn try_propose(
	who: Sr25519Keyring,
	call: &RuntimeCall,
	threshold: u32,
) -> DispatchResultWithPostInfo {
	propose(call, threshold).dispatch(signed(who))
}

fn newest_motion() -> u32 {
	pallet_collective::ProposalCount::<Runtime, CouncilInstance>::get() - 1
}

fn vote(call: &RuntimeCall, index: u32, voters: &[Sr25519Keyring], approve: bool) {
	for voter in voters {
		assert_ok!(Council::vote(signed(*voter), BlakeTwo256::hash_of(call), index, approve));
	}
}

/// Closes a motion, which anybody may do.
fn close(call: &RuntimeCall, index: u32) -> DispatchResultWithPostInfo {
	let weight = call.get_dispatch_info().call_weight;
	let length = call.encoded_size() as u32;
	Council::close(signed(Eve), BlakeTwo256::hash_of(call), index, weight, length)
}

/// What the call of the last motion that was carried returned.
fn executed() -> Option<DispatchResult> {
	System::events().into_iter().rev().find_map(|record| match record.event {
		RuntimeEvent::Council(pallet_collective::Event::Executed { result, .. }) => Some(result),
		_ => None,
	})
}

/// Proposes `call` with a threshold, lets `ayes` and `nays` vote, closes the motion and returns what
/// its call returned, or nothing if it was rejected.
fn motion(
	call: RuntimeCall,
	threshold: u32,
	ayes: &[Sr25519Keyring],
	nays: &[Sr25519Keyring],
) -> Option<DispatchResult> {
	assert_ok!(try_propose(ayes[0], &call, threshold));
	let index = newest_motion();
	vote(&call, index, ayes, true);
	vote(&call, index, nays, false);
	assert_ok!(close(&call, index));
	executed()
}

fn held(name: Sr25519Keyring) -> u128 {
	<Balances as InspectHold<AccountId>>::total_balance_on_hold(&account(name))
}

#[test]
fn two_thirds_of_the_council_act_as_root() {
	chain(LOCAL_PRESET).execute_with(|| {
		let upgrade = authorize_upgrade();
		let call_hash = BlakeTwo256::hash_of(&upgrade);

		assert_eq!(motion(as_root(upgrade), 3, &[Alice, Bob, Charlie], &[Dave]), Some(Ok(())));

		assert!(System::authorized_upgrade().is_some());
		System::assert_has_event(mandate::Event::DispatchedAsRoot { call_hash }.into());
	});
}

#[test]
fn half_of_the_council_does_not_act_as_root() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_noop!(
			as_root(authorize_upgrade()).dispatch(carried_by(2, 4)),
			DispatchError::BadOrigin
		);
		assert_ok!(as_root(authorize_upgrade()).dispatch(carried_by(3, 4)));
	});
}

#[test]
fn motion_asks_for_two_thirds_or_is_not_made() {
	chain(LOCAL_PRESET).execute_with(|| {
		let call = as_root(authorize_upgrade());
		for threshold in 0..3 {
			assert_noop!(try_propose(Alice, &call, threshold), SystemError::CallFiltered);
		}
		assert_ok!(try_propose(Alice, &call, 3));
		assert_ok!(try_propose(Alice, &remark(1), 4));
	});
}

#[test]
fn the_only_trustee_decides_alone() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		assert_noop!(
			try_propose(Alice, &as_root(authorize_upgrade()), 0),
			SystemError::CallFiltered
		);

		assert_ok!(try_propose(Alice, &as_root(authorize_upgrade()), 1));

		assert_eq!(executed(), Some(Ok(())));
		assert!(System::authorized_upgrade().is_some());
	});
}

#[test]
fn the_word_of_one_trustee_counts_for_nothing() {
	chain(LOCAL_PRESET).execute_with(|| {
		let proposal = Box::new(remark(1));
		let length_bound = proposal.encoded_size() as u32;
		let execute: RuntimeCall =
			pallet_collective::Call::execute { proposal, length_bound }.into();
		assert_noop!(execute.dispatch(signed(Alice)), SystemError::CallFiltered);
	});
}

#[test]
fn more_than_a_third_of_the_council_rejects() {
	for threshold in [3, 4] {
		chain(LOCAL_PRESET).execute_with(|| {
			let call = as_root(authorize_upgrade());

			assert_eq!(motion(call, threshold, &[Alice, Bob], &[Charlie, Dave]), None);

			assert!(System::authorized_upgrade().is_none());
		});
	}
}

#[test]
fn a_third_of_the_council_or_less_does_not_reject() {
	chain(LOCAL_PRESET).execute_with(|| {
		let call = as_root(authorize_upgrade());
		assert_ok!(try_propose(Alice, &call, 3));
		vote(&call, newest_motion(), &[Dave], false);

		assert_noop!(close(&call, newest_motion()), CouncilError::TooEarly);
	});
}

#[test]
fn each_further_open_motion_holds_a_higher_deposit() {
	chain(LOCAL_PRESET).execute_with(|| {
		for (open, total) in [(1, 1), (2, 3), (3, 6)] {
			assert_ok!(try_propose(Alice, &remark(open), 3));
			assert_eq!(held(Alice), total * MOTION_DEPOSIT);
		}
		assert_eq!(Balances::free_balance(account(Alice)), ENDOWMENT - 6 * MOTION_DEPOSIT);

		let all: u128 = (0..MaxProposals::get()).map(MotionDeposit::convert).sum();
		assert_eq!(all, 5_050 * MOTION_DEPOSIT);
	});
}

#[test]
fn motion_that_its_proposer_cannot_afford_is_not_made() {
	chain(LOCAL_PRESET).execute_with(|| {
		let transfer: RuntimeCall = pallet_balances::Call::transfer_allow_death {
			dest: account(Bob).into(),
			value: ENDOWMENT - MOTION_DEPOSIT,
		}
		.into();
		assert_ok!(transfer.dispatch(signed(Alice)));

		// The deposit would take the last of it, and the account has to go on existing.
		assert_noop!(try_propose(Alice, &remark(1), 3), TokenError::FundsUnavailable);
		assert_ok!(try_propose(Bob, &remark(1), 3));
	});
}

#[test]
fn deposit_comes_back_when_the_motion_has_ended() {
	chain(LOCAL_PRESET).execute_with(|| {
		let call = remark(1);
		let hash = BlakeTwo256::hash_of(&call);
		assert_ok!(try_propose(Alice, &call, 3));
		assert_noop!(
			Council::release_proposal_cost(signed(Eve), hash),
			CouncilError::ProposalActive
		);
		vote(&call, newest_motion(), &[Charlie, Dave], false);
		assert_ok!(close(&call, newest_motion()));

		assert_ok!(Council::release_proposal_cost(signed(Eve), hash));

		assert_eq!(held(Alice), 0);
		assert_eq!(Balances::free_balance(account(Alice)), ENDOWMENT);
	});
}

#[test]
fn motion_is_not_made_again_before_its_deposit_is_released() {
	chain(LOCAL_PRESET).execute_with(|| {
		let call = remark(1);
		assert_ok!(try_propose(Alice, &call, 3));
		// An open motion is refused by the council itself, which can say why.
		assert_noop!(try_propose(Bob, &call, 3), CouncilError::DuplicateProposal);
		vote(&call, newest_motion(), &[Charlie, Dave], false);
		assert_ok!(close(&call, newest_motion()));

		assert_noop!(try_propose(Bob, &call, 3), SystemError::CallFiltered);
		assert_ok!(Council::release_proposal_cost(signed(Bob), BlakeTwo256::hash_of(&call)));
		assert_ok!(try_propose(Bob, &call, 3));
		assert_eq!((held(Alice), held(Bob)), (0, MOTION_DEPOSIT));
	});
}

#[test]
fn two_thirds_of_the_council_kill_a_motion_with_its_deposit() {
	chain(LOCAL_PRESET).execute_with(|| {
		let junk = remark(1);
		assert_ok!(try_propose(Dave, &junk, 3));
		let kill: RuntimeCall =
			pallet_collective::Call::kill { proposal_hash: BlakeTwo256::hash_of(&junk) }.into();

		assert_eq!(motion(kill, 3, &[Alice, Bob, Charlie], &[]), Some(Ok(())));

		assert_eq!(held(Dave), 0);
		assert_eq!(Balances::free_balance(account(Dave)), ENDOWMENT - MOTION_DEPOSIT);
	});
}

#[test]
fn nobody_acts_as_root_without_a_motion() {
	chain(LOCAL_PRESET).execute_with(|| {
		let call = Box::new(authorize_upgrade());
		assert_noop!(
			Mandate::dispatch_as_root(signed(Alice), call.clone()),
			DispatchError::BadOrigin
		);
		assert_noop!(
			Mandate::dispatch_as_root(RuntimeOrigin::root(), call),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn council_does_not_appoint_an_administrator() {
	chain(LOCAL_PRESET).execute_with(|| {
		let outcome = motion(as_root(appoint_administrator()), 3, &[Alice, Bob, Charlie], &[]);

		assert_eq!(outcome, Some(Err(MandateError::CallNotPermitted.into())));
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
		// The motion's own origin is no administrator either.
		assert_noop!(appoint_administrator().dispatch(carried_by(4, 4)), DispatchError::BadOrigin);
	});
}

#[test]
fn council_does_not_use_an_administrators_calls_inside_of_others() {
	let execute = |call: RuntimeCall| -> RuntimeCall {
		let length_bound = call.encoded_size() as u32;
		pallet_collective::Call::execute { proposal: Box::new(call), length_bound }.into()
	};
	let sudo_as: RuntimeCall = pallet_sudo::Call::sudo_as {
		who: account(Alice).into(),
		call: Box::new(authorize_upgrade()),
	}
	.into();
	chain(LOCAL_PRESET).execute_with(|| {
		for nested in [
			sudo_as,
			as_root(appoint_administrator()),
			propose(&appoint_administrator(), 3),
			execute(appoint_administrator()),
			as_root(propose(&as_root(appoint_administrator()), 3)),
		] {
			assert_noop!(
				as_root(nested).dispatch(carried_by(3, 4)),
				MandateError::CallNotPermitted
			);
		}
	});
}

#[test]
fn refusal_of_the_inner_call_is_the_outcome_of_the_motion() {
	chain(LOCAL_PRESET).execute_with(|| {
		let refused = admit(Alice);

		let outcome = motion(as_root(refused), 3, &[Alice, Bob, Charlie], &[]);

		let already_member = pallet_membership::Error::<Runtime, CouncilInstance>::AlreadyMember;
		assert_eq!(outcome, Some(Err(already_member.into())));
	});
}

#[test]
fn carrying_out_a_call_costs_more_the_longer_it_is() {
	let weight = |length: usize| {
		let remark: RuntimeCall = frame_system::Call::remark { remark: vec![0; length] }.into();
		as_root(remark).get_dispatch_info().call_weight
	};
	let own = SubstrateWeight::<Runtime>::dispatch_as_root;

	assert!(own(1_000_000).ref_time() > own(0).ref_time());
	let difference = weight(1_000_000).saturating_sub(weight(0));
	assert!(difference.all_gte(own(1_000_000).saturating_sub(own(0))), "{difference:?}");
}

#[test]
fn council_changes_its_own_members() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_eq!(motion(admit(Eve), 3, &[Alice, Bob, Charlie], &[]), Some(Ok(())));

		assert!(CouncilMembership::members().contains(&account(Eve)));
		assert!(Council::is_member(&account(Eve)));
	});
}

#[test]
fn silence_is_not_consent() {
	chain(LOCAL_PRESET).execute_with(|| {
		// With a prime member, absent members would count as voting like it.
		let prime = pallet_membership::Call::set_prime { who: account(Alice).into() };

		let outcome = motion(as_root(prime.into()), 3, &[Alice, Bob, Charlie], &[]);

		assert_eq!(outcome, Some(Err(DispatchError::BadOrigin)));
	});
}
