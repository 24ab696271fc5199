// SPDX-License-Identifier: Apache-2.0

use crate::common::{account, chain, chain_of, genesis_of, genesis_with};
use dpki_runtime::{
	AccountId, Balances, CouncilMembership, Runtime, Session, SessionKeys,
	configs::{economy::EXISTENTIAL_DEPOSIT, pki::ValidatorsAccount},
	genesis_config_presets::{ENDOWMENT, LOCAL_PRESET, consortium, preset_names},
};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};

fn council() -> Vec<AccountId> {
	CouncilMembership::members().into_inner()
}

fn sorted(names: &[Sr25519Keyring]) -> Vec<AccountId> {
	let mut accounts: Vec<_> = names.iter().map(|name| account(*name)).collect();
	accounts.sort();
	accounts
}

#[test]
fn every_named_preset_builds_a_chain() {
	for name in preset_names() {
		chain(name.as_ref()).execute_with(|| {
			assert!(!Session::validators().is_empty(), "{name} has no validators");
			assert!(!council().is_empty(), "{name} has no council");
			let pot = Balances::free_balance(ValidatorsAccount::get());
			assert_eq!(pot, EXISTENTIAL_DEPOSIT, "{name} loses what validators earn");
		});
	}
}

#[test]
fn development_has_one_validator_who_may_do_everything() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		assert_eq!(Session::validators(), sorted(&[Alice]));
		assert_eq!(council(), sorted(&[Alice]));
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(account(Alice)));
		assert_eq!(Balances::free_balance(account(Bob)), ENDOWMENT);
	});
}

#[test]
fn local_consortium_has_four_equal_validators_and_no_administrator() {
	chain(LOCAL_PRESET).execute_with(|| {
		let four = sorted(&[Alice, Bob, Charlie, Dave]);
		assert_eq!(Session::validators(), four);
		assert_eq!(council(), four);
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
		assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), 4);
		assert_eq!(pallet_grandpa::Authorities::<Runtime>::get().len(), 4);
	});
}

#[test]
fn a_consortium_begins_with_its_founders_and_nobody_else() {
	let keys = |seed| SessionKeys {
		aura: sp_core::sr25519::Public::from_raw([seed; 32]).into(),
		grandpa: sp_core::ed25519::Public::from_raw([seed; 32]).into(),
	};
	let founders: Vec<_> =
		(1..=4).map(|seed| (AccountId::from([seed; 32]), keys(seed + 16))).collect();
	let accounts: Vec<_> = founders.iter().map(|(account, _)| account.clone()).collect();
	chain_of(genesis_with(consortium(founders, 2_000))).execute_with(|| {
		assert_eq!(Session::validators(), accounts);
		assert_eq!(council(), accounts);
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
		assert_eq!(pallet_aura::Pallet::<Runtime>::slot_duration(), 2_000);
		for account in &accounts {
			assert_eq!(Balances::free_balance(account), ENDOWMENT);
		}
		assert_eq!(Balances::total_issuance(), 4 * ENDOWMENT + EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn slot_duration_is_what_the_genesis_says() {
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["timing"]["slotDuration"] = 6_000.into();

	chain_of(genesis).execute_with(|| {
		use frame_support::traits::Get;
		assert_eq!(pallet_aura::Pallet::<Runtime>::slot_duration(), 6_000);
		assert_eq!(<Runtime as pallet_timestamp::Config>::MinimumPeriod::get(), 3_000);
	});
	chain(LOCAL_PRESET).execute_with(|| {
		assert_eq!(pallet_aura::Pallet::<Runtime>::slot_duration(), 1_000);
	});
}

#[test]
#[should_panic(expected = "slot duration of 20 ms is not between")]
fn slot_duration_too_short_to_work_is_refused() {
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["timing"]["slotDuration"] = 20.into();
	chain_of(genesis);
}

#[test]
fn session_length_is_what_the_genesis_says() {
	use frame_support::traits::Hooks;
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["timing"]["sessionLength"] = 7.into();
	let sessions_after = |genesis, block| {
		chain_of(genesis).execute_with(|| {
			(1..=block).for_each(|number| {
				<Session as Hooks<u32>>::on_initialize(number);
			});
			Session::current_index()
		})
	};
	assert_eq!([6, 7, 14].map(|block| sessions_after(genesis.clone(), block)), [0, 1, 2]);
	let default = genesis_of(LOCAL_PRESET);
	assert_eq!([599, 600].map(|block| sessions_after(default.clone(), block)), [0, 1]);
}

#[test]
#[should_panic(expected = "session of 4 blocks is not between")]
fn session_too_short_for_finality_to_follow_is_refused() {
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["timing"]["sessionLength"] = 4.into();
	chain_of(genesis);
}

#[test]
#[should_panic(expected = "the genesis has 4 validators, not 5 to 100")]
fn genesis_with_fewer_validators_than_its_minimum_is_refused() {
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["validatorSet"]["minimum"] = 5.into();
	chain_of(genesis);
}
