// SPDX-License-Identifier: Apache-2.0

//! How a chain begins: the named genesis configurations.
//!
//! Both use well-known keys and are for machines under one's own control. A chain of a consortium begins with
//! [`consortium`], whose members bring their own keys.

use crate::{
	AccountId, Balance, BalancesConfig, CertificatesConfig, CouncilMembershipConfig, EconomyConfig,
	MILLI_UNIT, RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig, TimingConfig, UNIT,
	ValidatorSetConfig,
	configs::{consensus::MaxAuthorities, economy::EXISTENTIAL_DEPOSIT, pki::ValidatorsAccount},
	timing::{DEFAULT_SESSION_LENGTH, DEFAULT_SLOT_DURATION},
};
use alloc::{string::String, vec, vec::Vec};
use dpki_primitives::economy::{Operation, ResourceKind};
use frame_support::{build_struct_json_patch, traits::Get};
use serde_json::Value;
use sp_genesis_builder::{DEV_RUNTIME_PRESET, PresetId};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Four validators who are also the council; nobody has an administrator's key.
pub const LOCAL_PRESET: &str = "local";

/// What each well-known account, and each founder of a consortium, begins with.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// What operations cost, beside their transactions: as much as a few of them.
pub const FEES: [(Operation, Balance); 9] = [
	(Operation::RegisterSshAnchor, 100 * MILLI_UNIT),
	(Operation::RegisterX509Anchor, 200 * MILLI_UNIT),
	(Operation::IssueVoucher, 10 * MILLI_UNIT),
	(Operation::RegisterKey, 10 * MILLI_UNIT),
	(Operation::ReplaceKey, 5 * MILLI_UNIT),
	(Operation::BatchKey, MILLI_UNIT),
	(Operation::PublishDelivery, MILLI_UNIT),
	(Operation::CommitFleet, 200 * MILLI_UNIT),
	(Operation::PublishTile, MILLI_UNIT),
];

/// What endorsers have to have bonded: as much as they are paid for five hundred endorsements at EV.
pub const MINIMUM_BOND: Balance = 1_000 * UNIT;

/// What is held for things that take room.
pub const DEPOSITS: [(ResourceKind, Balance); 5] = [
	(ResourceKind::Device, 100 * MILLI_UNIT),
	(ResourceKind::Key, 20 * MILLI_UNIT),
	(ResourceKind::Anchor, UNIT),
	(ResourceKind::Fleet, UNIT),
	(ResourceKind::Certificate, 50 * MILLI_UNIT),
];

/// A well-known validator: the account, and the keys that its name yields.
fn validator(name: Sr25519Keyring, finality: Ed25519Keyring) -> (AccountId, SessionKeys) {
	let keys = SessionKeys { aura: name.public().into(), grandpa: finality.public().into() };
	(name.to_account_id(), keys)
}

fn well_known() -> Vec<AccountId> {
	Sr25519Keyring::well_known().map(|name| name.to_account_id()).collect()
}

fn genesis(
	validators: Vec<(AccountId, SessionKeys)>,
	minimum: u32,
	council: Vec<AccountId>,
	sudo: Option<AccountId>,
	endowed: Vec<AccountId>,
	slot_duration: u64,
) -> Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		timing: TimingConfig {
			slot_duration: Some(slot_duration),
			session_length: Some(DEFAULT_SESSION_LENGTH),
		},
		balances: BalancesConfig {
			balances: endowed
				.into_iter()
				.map(|account| (account, ENDOWMENT))
				// What the validators earn would return to who pays if the account that collects it did not exist.
				.chain([(ValidatorsAccount::get(), EXISTENTIAL_DEPOSIT)])
				.collect::<Vec<_>>(),
		},
		session: SessionConfig {
			keys: validators
				.into_iter()
				.map(|(account, keys)| (account.clone(), account, keys))
				.collect::<Vec<_>>(),
		},
		validator_set: ValidatorSetConfig {
			minimum: Some(minimum),
			maximum: Some(MaxAuthorities::get()),
		},
		council_membership: CouncilMembershipConfig {
			members: council.try_into().expect("a preset seats fewer than the most; qed"),
		},
		sudo: SudoConfig { key: sudo },
		certificates: CertificatesConfig { minimum_bond: MINIMUM_BOND },
		economy: EconomyConfig {
			fees: FEES.map(|(it, amount)| (String::from(it.name()), amount)).to_vec(),
			deposits: DEPOSITS.map(|(it, amount)| (String::from(it.name()), amount)).to_vec(),
		},
	})
}

/// One validator, who is the council and holds the administrator's key.
fn development() -> Value {
	let alice = Sr25519Keyring::Alice.to_account_id();
	genesis(
		vec![validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
		1,
		vec![alice.clone()],
		Some(alice),
		well_known(),
		DEFAULT_SLOT_DURATION,
	)
}

fn local() -> Value {
	let validators = vec![
		validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
		validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
		validator(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
		validator(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
	];
	let council = validators.iter().map(|(account, _)| account.clone()).collect();
	// One of the four can be removed, should it vote twice; finality goes on as long as the others do.
	genesis(validators, 3, council, None, well_known(), DEFAULT_SLOT_DURATION)
}

/// The genesis configuration of a consortium, as JSON: each founder is a validator and a trustee, and nobody else is
/// anything. One of them can be removed, should it vote twice. `slot_duration` is in milliseconds.
pub fn consortium(founders: Vec<(AccountId, SessionKeys)>, slot_duration: u64) -> Value {
	let accounts: Vec<_> = founders.iter().map(|(account, _)| account.clone()).collect();
	let minimum = u32::try_from(founders.len()).map_or(u32::MAX, |count| count.saturating_sub(1));
	genesis(founders, minimum, accounts.clone(), None, accounts, slot_duration)
}

/// The preset of that name, as JSON.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let preset = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_PRESET => local(),
		_ => return None,
	};
	Some(serde_json::to_vec(&preset).expect("a preset is plain JSON; qed"))
}

/// The names of all presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_PRESET)]
}
