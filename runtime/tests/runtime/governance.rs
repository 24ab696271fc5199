// SPDX-License-Identifier: Apache-2.0

use crate::common::{account, chain};
use codec::Encode;
use dpki_runtime::{
	Council, CouncilMembership, Hash, Mandate, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	System, genesis_config_presets::LOCAL_PRESET, mandate,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::{
	DispatchError, DispatchResult,
	traits::{BlakeTwo256, Hash as _},
};

fn signed(name: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(name))
}

fn authorize_upgrade() -> RuntimeCall {
	frame_system::Call::authorize_upgrade { code_hash: Hash::repeat_byte(7) }.into()
}

fn as_root(call: RuntimeCall) -> RuntimeCall {
	mandate::Call::dispatch_as_root { call: Box::new(call) }.into()
}

fn admit(name: Sr25519Keyring) -> RuntimeCall {
	pallet_membership::Call::add_member { who: account(name).into() }.into()
}

/// Proposes `call` with a threshold, lets `ayes` and `nays` vote, closes the motion and returns what
/// its call returned, or nothing if it was rejected.
fn motion(
	call: RuntimeCall,
	threshold: u32,
	ayes: &[Sr25519Keyring],
	nays: &[Sr25519Keyring],
) -> Option<DispatchResult> {
	let length = call.encoded_size() as u32;
	let weight = call.get_dispatch_info().call_weight;
	let hash = BlakeTwo256::hash_of(&call);
	let index = pallet_collective::ProposalCount::<Runtime, _>::get();

	assert_ok!(Council::propose(signed(ayes[0]), threshold, Box::new(call), length));
	for (voters, approve) in [(ayes, true), (nays, false)] {
		for voter in voters {
			assert_ok!(Council::vote(signed(*voter), hash, index, approve));
		}
	}
	assert_ok!(Council::close(signed(Eve), hash, index, weight, length));

	System::events().into_iter().rev().find_map(|record| match record.event {
		RuntimeEvent::Council(pallet_collective::Event::Executed { result, .. }) => Some(result),
		_ => None,
	})
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
		let outcome = motion(as_root(authorize_upgrade()), 2, &[Alice, Bob], &[]);

		assert_eq!(outcome, Some(Err(DispatchError::BadOrigin)));
		assert!(System::authorized_upgrade().is_none());
	});
}

#[test]
fn more_than_a_third_of_the_council_rejects() {
	chain(LOCAL_PRESET).execute_with(|| {
		let outcome = motion(as_root(authorize_upgrade()), 3, &[Alice, Bob], &[Charlie, Dave]);

		assert_eq!(outcome, None);
		assert!(System::authorized_upgrade().is_none());
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
fn refusal_of_the_inner_call_is_the_outcome_of_the_motion() {
	chain(LOCAL_PRESET).execute_with(|| {
		let refused = admit(Alice);

		let outcome = motion(as_root(refused), 3, &[Alice, Bob, Charlie], &[]);

		let already_member =
			pallet_membership::Error::<Runtime, pallet_membership::Instance1>::AlreadyMember;
		assert_eq!(outcome, Some(Err(already_member.into())));
	});
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
