// SPDX-License-Identifier: Apache-2.0

//! The council: what two thirds of it can do, and what a single trustee cannot.

use crate::common::{account, chain, origin};
use codec::Encode;
use dpki_primitives::{
	anchor::{AnchorKind, Basis, Profile},
	ids::{AnchorId, OrganisationId},
	motion::{Body, Electorate, MotionId, MotionState},
	revocation::RevocationReason,
	status::Status,
};
use dpki_runtime::{
	AccountId, Balances, CouncilMembership, Dpki, Hash, Mandate, Motions, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeOrigin, System,
	configs::governance::{
		CouncilInstance, MOTION_BYTE_DEPOSIT, MOTION_DEPOSIT, MaxOpenMotions, MinPeriod,
	},
	genesis_config_presets::{ENDOWMENT, LOCAL_PRESET},
	mandate::{self, WeightInfo},
	weights::mandate::SubstrateWeight,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo},
	traits::fungible::InspectHold,
};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::{
	DispatchError, DispatchResult, TokenError,
	traits::{BlakeTwo256, Dispatchable, Hash as _},
};

type MotionsError = pallet_motions::Error<Runtime>;
type MandateError = mandate::Error<Runtime>;

/// The origin of a motion that the council carried.
fn carried() -> RuntimeOrigin {
	Electorate::Council.into()
}

fn authorize_upgrade() -> RuntimeCall {
	frame_system::Call::authorize_upgrade { code_hash: Hash::repeat_byte(7) }.into()
}

fn remark(byte: u8) -> RuntimeCall {
	frame_system::Call::remark { remark: vec![byte] }.into()
}

pub fn as_root(call: RuntimeCall) -> RuntimeCall {
	mandate::Call::dispatch_as_root { call: Box::new(call) }.into()
}

fn admit(name: Sr25519Keyring) -> RuntimeCall {
	pallet_membership::Call::add_member { who: account(name).into() }.into()
}

fn expel(name: Sr25519Keyring) -> RuntimeCall {
	pallet_membership::Call::remove_member { who: account(name).into() }.into()
}

fn appoint_administrator() -> RuntimeCall {
	pallet_sudo::Call::set_key { new: account(Eve).into() }.into()
}

fn propose(call: RuntimeCall) -> RuntimeCall {
	pallet_motions::Call::propose {
		electorate: Electorate::Council,
		call: Box::new(call),
		period: MinPeriod::get(),
		reason: b"because".to_vec().try_into().unwrap(),
	}
	.into()
}

/// What became of a call, without what it weighed.
fn outcome(outcome: DispatchResultWithPostInfo) -> DispatchResult {
	outcome.map(drop).map_err(|failure| failure.error)
}

/// Proposes `call`, for which the proposer votes by proposing it.
fn try_propose(who: Sr25519Keyring, call: &RuntimeCall) -> DispatchResult {
	outcome(propose(call.clone()).dispatch(origin(who)))
}

fn newest() -> MotionId {
	pallet_motions::NextMotion::<Runtime>::get() - 1
}

fn state(motion: MotionId) -> MotionState<u32> {
	pallet_motions::Motions::<Runtime>::get(motion).expect("it was proposed").state
}

fn try_vote(who: Sr25519Keyring, motion: MotionId, aye: bool) -> DispatchResult {
	let (length, weight) = Motions::call_bounds(motion).expect("it was proposed");
	outcome(Motions::vote(origin(who), motion, aye, Default::default(), length, weight))
}

fn vote(motion: MotionId, voters: &[Sr25519Keyring], aye: bool) {
	for voter in voters {
		assert_ok!(try_vote(*voter, motion, aye));
	}
}

/// What the call of the last motion that was carried returned.
fn executed() -> Option<DispatchResult> {
	System::events().into_iter().rev().find_map(|record| match record.event {
		RuntimeEvent::Motions(pallet_motions::Event::Executed { result, .. }) => Some(result),
		_ => None,
	})
}

/// Lets Alice propose `call` and the others vote, and returns what the call returned, or nothing if the
/// motion was not carried.
pub fn motion(
	call: RuntimeCall,
	ayes: &[Sr25519Keyring],
	nays: &[Sr25519Keyring],
) -> Option<DispatchResult> {
	assert_ok!(try_propose(Alice, &call));
	vote(newest(), nays, false);
	vote(newest(), ayes, true);
	executed()
}

fn held(name: Sr25519Keyring) -> u128 {
	<Balances as InspectHold<AccountId>>::total_balance_on_hold(&account(name))
}

fn deposit(call: &RuntimeCall) -> u128 {
	MOTION_DEPOSIT + MOTION_BYTE_DEPOSIT * call.encoded_size() as u128
}

/// A root: issued by itself and in force since 1970.
const ROOT: &[u8] = include_bytes!("../../../pallets/dpki/src/fixtures/p384-authority.der");

#[test]
fn two_thirds_of_the_council_adopt_and_revoke_an_anchor() {
	chain(LOCAL_PRESET).execute_with(|| {
		let adopt = RuntimeCall::from(pallet_dpki::Call::adopt_authority {
			basis: Basis::SelfSigned(Profile::Rfc5280),
			material: ROOT.to_vec().try_into().unwrap(),
		});
		let alone = adopt.clone().dispatch(origin(Alice));
		assert_noop!(outcome(alone), DispatchError::BadOrigin);
		assert_eq!(motion(adopt, &[Bob, Charlie], &[Dave]), Some(Ok(())));
		let anchor = AnchorId::of(AnchorKind::X509Root, ROOT);
		let record = Dpki::anchor(anchor).unwrap();
		assert_eq!(record.organisation, OrganisationId::CONSORTIUM);
		assert_eq!(Dpki::anchor_status(anchor), Status::Valid);

		let reason = RevocationReason::Unspecified;
		let revoke = RuntimeCall::from(pallet_dpki::Call::revoke_anchor { anchor, reason });
		assert_eq!(motion(revoke, &[Bob, Charlie], &[]), Some(Ok(())));
		assert!(matches!(Dpki::anchor_status(anchor), Status::Revoked(_)));
	});
}

#[test]
fn two_thirds_of_the_council_act_as_root() {
	chain(LOCAL_PRESET).execute_with(|| {
		let upgrade = authorize_upgrade();
		let call_hash = BlakeTwo256::hash_of(&upgrade);

		assert_eq!(motion(as_root(upgrade), &[Bob, Charlie], &[Dave]), Some(Ok(())));

		assert!(System::authorized_upgrade().is_some());
		System::assert_has_event(mandate::Event::DispatchedAsRoot { call_hash }.into());
	});
}

#[test]
fn half_of_the_council_does_not_act_as_root() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_eq!(motion(as_root(authorize_upgrade()), &[Bob], &[Dave]), None);

		assert_eq!(state(newest()), MotionState::Open);
		assert!(System::authorized_upgrade().is_none());
	});
}

#[test]
fn the_only_trustee_decides_alone() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		assert_ok!(try_propose(Alice, &as_root(authorize_upgrade())));

		assert_eq!(executed(), Some(Ok(())));
		assert!(System::authorized_upgrade().is_some());
	});
}

#[test]
fn the_word_of_one_trustee_counts_for_nothing() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_eq!(motion(admit(Eve), &[], &[]), None);

		assert!(!CouncilMembership::members().contains(&account(Eve)));
		assert_noop!(try_propose(Eve, &admit(Eve)), MotionsError::SeatMissing);
	});
}

#[test]
fn more_than_a_third_of_the_council_rejects() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_ok!(try_propose(Alice, &as_root(authorize_upgrade())));
		vote(newest(), &[Charlie, Dave], false);

		assert_eq!(state(newest()), MotionState::Rejected { at: System::block_number() });
		assert_noop!(try_vote(Bob, newest(), true), MotionsError::MotionClosed);
		assert!(System::authorized_upgrade().is_none());
	});
}

#[test]
fn a_third_of_the_council_or_less_does_not_reject() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_ok!(try_propose(Alice, &as_root(authorize_upgrade())));
		vote(newest(), &[Dave], false);

		assert_eq!(state(newest()), MotionState::Open);
		assert_noop!(Motions::close(origin(Eve), newest()), MotionsError::DeadlineNotPassed);
	});
}

#[test]
fn a_late_vote_changes_nothing() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_ok!(try_propose(Alice, &as_root(authorize_upgrade())));
		vote(newest(), &[Bob], true);
		System::set_block_number(System::block_number() + MinPeriod::get() + 1);

		assert_noop!(try_vote(Charlie, newest(), true), MotionsError::DeadlinePassed);
		assert_ok!(Motions::close(origin(Eve), newest()));

		assert_eq!(state(newest()), MotionState::Expired { at: System::block_number() });
		assert!(System::authorized_upgrade().is_none());
	});
}

#[test]
fn who_has_lost_the_seat_does_not_count() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_ok!(try_propose(Dave, &as_root(authorize_upgrade())));
		let upgrade = newest();
		assert_eq!(motion(expel(Dave), &[Bob, Charlie], &[]), Some(Ok(())));

		vote(upgrade, &[Bob], true);
		assert_eq!(state(upgrade), MotionState::Open);
		vote(upgrade, &[Charlie], true);
		assert!(System::authorized_upgrade().is_some());
	});
}

#[test]
fn one_trustee_cannot_freeze_the_council() {
	chain(LOCAL_PRESET).execute_with(|| {
		for number in 0..MaxOpenMotions::get() {
			assert_ok!(try_propose(Alice, &remark(number as u8)));
		}
		assert_noop!(try_propose(Alice, &remark(99)), MotionsError::OpenMotionLimitReached);

		// What fills the places of one leaves those of the others.
		assert_ok!(try_propose(Bob, &admit(Eve)));
		vote(newest(), &[Charlie, Dave], true);
		assert_eq!(executed(), Some(Ok(())));
	});
}

#[test]
fn the_deposit_of_a_motion_grows_with_its_call_and_comes_back_at_its_end() {
	chain(LOCAL_PRESET).execute_with(|| {
		let (first, second) = (remark(1), as_root(authorize_upgrade()));
		assert_ok!(try_propose(Alice, &first));
		assert_ok!(try_propose(Alice, &second));
		assert_eq!(held(Alice), deposit(&first) + deposit(&second));

		vote(0, &[Charlie, Dave], false);
		assert_eq!(held(Alice), deposit(&second));
		vote(1, &[Bob, Charlie], true);

		assert_eq!(held(Alice), 0);
		assert_eq!(Balances::free_balance(account(Alice)), ENDOWMENT);
	});
}

#[test]
fn motion_that_its_proposer_cannot_afford_is_not_made() {
	chain(LOCAL_PRESET).execute_with(|| {
		let transfer: RuntimeCall = pallet_balances::Call::transfer_allow_death {
			dest: account(Bob).into(),
			value: ENDOWMENT - deposit(&remark(1)) + 1,
		}
		.into();
		assert_ok!(transfer.dispatch(origin(Alice)));

		assert_noop!(try_propose(Alice, &remark(1)), TokenError::FundsUnavailable);
		assert_ok!(try_propose(Bob, &remark(1)));
	});
}

#[test]
fn nobody_acts_as_root_without_a_motion_of_the_council() {
	chain(LOCAL_PRESET).execute_with(|| {
		let of_an_organisation =
			Electorate::Organisation(OrganisationId::from_name(b"acme"), Body::Administrators);
		for origin in [origin(Alice), RuntimeOrigin::root(), of_an_organisation.into()] {
			assert_noop!(
				Mandate::dispatch_as_root(origin, Box::new(authorize_upgrade())),
				DispatchError::BadOrigin
			);
		}
		assert_noop!(admit(Eve).dispatch(of_an_organisation.into()), DispatchError::BadOrigin);
		assert_ok!(Mandate::dispatch_as_root(carried(), Box::new(authorize_upgrade())));
	});
}

#[test]
fn council_does_not_appoint_an_administrator() {
	chain(LOCAL_PRESET).execute_with(|| {
		let outcome = motion(as_root(appoint_administrator()), &[Bob, Charlie], &[]);

		assert_eq!(outcome, Some(Err(MandateError::CallNotPermitted.into())));
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
		// The motion's own origin is no administrator either.
		assert_noop!(appoint_administrator().dispatch(carried()), DispatchError::BadOrigin);
	});
}

#[test]
fn council_does_not_use_an_administrators_calls_inside_of_others() {
	let boxed = || Box::new(appoint_administrator());
	let sudo_as: RuntimeCall = pallet_sudo::Call::sudo_as {
		who: account(Alice).into(),
		call: Box::new(authorize_upgrade()),
	}
	.into();
	let real = || account(Alice).into();
	let proxies: [RuntimeCall; 2] = [
		pallet_proxy::Call::proxy { real: real(), force_proxy_type: None, call: boxed() }.into(),
		pallet_proxy::Call::proxy_announced {
			delegate: real(),
			real: real(),
			force_proxy_type: None,
			call: boxed(),
		}
		.into(),
	];
	let other_signatories = vec![account(Bob)];
	let multisignatures: [RuntimeCall; 2] = [
		pallet_multisig::Call::as_multi {
			threshold: 2,
			other_signatories: other_signatories.clone(),
			maybe_timepoint: None,
			call: boxed(),
			max_weight: Default::default(),
		}
		.into(),
		pallet_multisig::Call::as_multi_threshold_1 { other_signatories, call: boxed() }.into(),
	];
	let others = [
		sudo_as,
		as_root(appoint_administrator()),
		propose(appoint_administrator()),
		as_root(propose(as_root(appoint_administrator()))),
	];
	chain(LOCAL_PRESET).execute_with(|| {
		for nested in others.into_iter().chain(proxies).chain(multisignatures) {
			assert_noop!(as_root(nested).dispatch(carried()), MandateError::CallNotPermitted);
		}
	});
}

#[test]
fn refusal_of_the_inner_call_is_the_outcome_of_the_motion() {
	chain(LOCAL_PRESET).execute_with(|| {
		let outcome = motion(as_root(admit(Alice)), &[Bob, Charlie], &[]);

		let already_member = pallet_membership::Error::<Runtime, CouncilInstance>::AlreadyMember;
		assert_eq!(outcome, Some(Err(already_member.into())));
		let at = System::block_number();
		assert_eq!(state(newest()), MotionState::Carried { at, succeeded: false });
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
		assert_eq!(motion(admit(Eve), &[Bob, Charlie], &[]), Some(Ok(())));
		assert!(CouncilMembership::members().contains(&account(Eve)));

		// Five seats need four votes.
		assert_ok!(try_propose(Eve, &expel(Dave)));
		vote(newest(), &[Alice, Bob], true);
		assert_eq!(state(newest()), MotionState::Open);
		vote(newest(), &[Charlie], true);
		assert!(!CouncilMembership::members().contains(&account(Dave)));
	});
}

#[test]
fn silence_is_not_consent() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_ok!(try_propose(Alice, &admit(Eve)));
		vote(newest(), &[Bob], true);
		System::set_block_number(System::block_number() + MinPeriod::get() + 1);
		assert_ok!(Motions::close(origin(Eve), newest()));
		assert!(!CouncilMembership::members().contains(&account(Eve)));

		// Nor is there a prime member whose vote could stand in for absent ones.
		let prime = pallet_membership::Call::set_prime { who: account(Alice).into() };
		let outcome = motion(as_root(prime.into()), &[Bob, Charlie], &[]);
		assert_eq!(outcome, Some(Err(DispatchError::BadOrigin)));
	});
}
