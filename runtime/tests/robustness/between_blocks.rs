// SPDX-License-Identifier: Apache-2.0

//! Every invariant of every pallet holds of what a block has left, whoever made it.

use crate::{
	common::{apply, chain},
	migrations::{Rehearsal, record},
};
use codec::Encode;
use dpki_runtime::{
	AllPalletsWithSystem, Executive, Hash, Header, Runtime, RuntimeCall, Session,
	UncheckedExtrinsic, ValidatorSet, genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{
	assert_ok,
	traits::{TryState, TryStateSelect},
};
use frame_system::RawOrigin;
use sp_consensus_aura::{AURA_ENGINE_ID, Slot};
use sp_io::TestExternalities;
use sp_runtime::{Digest, DigestItem, traits::Header as _};

/// A slot of the first of the four validators, a second each.
const SLOT: u64 = 1_800_000_000;

fn begin_block(number: u32, slot: u64) {
	let aura = DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode());
	let digest = Digest { logs: vec![aura] };
	let parent = Hash::from_low_u64_be(number.into());
	let header = Header::new(number, Hash::default(), Hash::default(), parent, digest);
	Executive::initialize_block(&header);
	let set: RuntimeCall = pallet_timestamp::Call::set { now: slot * 1_000 }.into();
	assert_ok!(apply(UncheckedExtrinsic::new_bare(set)).expect("the time can be set"));
}

fn check_everything() {
	assert_ok!(<AllPalletsWithSystem as TryState<u32>>::try_state(2, TryStateSelect::All));
}

/// What is left of a block in which its author was barred from making any more.
fn author_is_barred() -> TestExternalities {
	let mut chain = chain(LOCAL_PRESET);
	chain.execute_with(|| {
		begin_block(2, SLOT);
		let author = pallet_session::Validators::<Runtime>::get()[0].clone();
		assert_ok!(ValidatorSet::disable_validator(RawOrigin::Root.into(), author));
		assert_eq!(Session::disabled_validators(), [0]);
		Executive::finalize_block();
	});
	chain
}

#[test]
fn an_author_that_was_barred_in_its_block_is_no_fault_of_the_state() {
	let mut chain = author_is_barred();
	chain.execute_with(check_everything);
	let state = record(&mut chain);
	assert_ok!(Rehearsal::on_recorded(&state).upgrade());
	chain.execute_with(|| {
		begin_block(3, SLOT + 1);
		Executive::finalize_block();
		check_everything();
	});
}

#[test]
#[should_panic = "is disabled and should not be attempting to author blocks"]
fn who_is_barred_makes_no_block() {
	author_is_barred().execute_with(|| begin_block(3, SLOT + 4));
}
