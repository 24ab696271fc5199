// SPDX-License-Identifier: Apache-2.0

//! Validators: admitted, disabled, enabled and removed by the council; their session keys, and their leaving.

use super::{Actor, Attempt, motions::by_council, world::World};
use codec::Encode;
use dpki_primitives::{ids::OrganisationId, validator::ValidatorStanding};
use dpki_runtime::{AccountId, Runtime, RuntimeCall, RuntimeEvent, SessionKeys, System};
use pallet_session::NextKeys;
use pallet_validator_set::{Bounds, Call, Event, ValidatorOf};
use sp_core::{Pair, ed25519, proof_of_possession::statement_of_ownership, sr25519};

#[derive(Default)]
pub struct Validators {}

fn records() -> Vec<ValidatorOf<Runtime>> {
	pallet_validator_set::Validators::<Runtime>::get().into_inner()
}

/// Whether it would be in a set that is planned now.
fn is_able(record: &&ValidatorOf<Runtime>) -> bool {
	record.standing == ValidatorStanding::Enabled
		&& NextKeys::<Runtime>::contains_key(&record.account)
}

fn serving() -> Vec<AccountId> {
	pallet_session::Validators::<Runtime>::get()
}

/// Most of the time one of those to whom this applies.
fn some_validator(world: &mut World, applies: impl Fn(&ValidatorOf<Runtime>) -> bool) -> AccountId {
	let fitting: Vec<_> = records().into_iter().filter(applies).collect();
	match world.dice.pick(&fitting) {
		Some(record) if !world.dice.once_in(6) => record.account.clone(),
		_ => world.some_account(),
	}
}

/// The keys of a new node, most of the time for somebody who has none yet.
fn set_keys(world: &mut World) -> Attempt {
	let validator = match world.dice.once_in(4) {
		true => some_validator(world, |_| true),
		false => some_validator(world, |it| !NextKeys::<Runtime>::contains_key(&it.account)),
	};
	let aura = sr25519::Pair::from_seed(&world.fresh_bytes());
	let grandpa = ed25519::Pair::from_seed(&world.fresh_bytes());
	let owner = if world.dice.once_in(15) { world.some_account() } else { validator.clone() };
	let statement = owner.using_encoded(statement_of_ownership);
	let proof = (aura.sign(&statement), grandpa.sign(&statement)).encode();
	let keys = SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() };
	let person = world.person(&validator);
	let call = pallet_session::Call::set_keys { keys, proof };
	Attempt::Signed(person, RuntimeCall::Session(call))
}

/// What the council decides about them.
fn some_decision(world: &mut World) -> RuntimeCall {
	use ValidatorStanding::{Disabled, Leaving};
	let call: Call<Runtime> = match world.dice.roll(12) {
		0..=3 => {
			let organisation = match world.dice.once_in(3) {
				true => world.some_organisation(),
				false => OrganisationId::CONSORTIUM,
			};
			let validator = match world.dice.once_in(3) {
				true => some_validator(world, |it| it.standing == Leaving),
				false => world.some_account(),
			};
			Call::add_validator { validator, organisation }
		},
		4 | 5 => {
			Call::remove_validator { validator: some_validator(world, |it| it.standing != Leaving) }
		},
		6 | 7 => Call::disable_validator { validator: some_validator(world, |it| is_able(&it)) },
		8 | 9 => Call::enable_validator {
			validator: some_validator(world, |it| it.standing == Disabled),
		},
		_ => {
			let able = records().iter().filter(is_able).count() as u64;
			// Most of the time so few that somebody can go.
			let minimum = match world.dice.once_in(4) {
				true => world.dice.roll(able + 2),
				false => 1 + world.dice.roll(able / 2),
			} as u32;
			let maximum = minimum + 2 + world.dice.roll(12) as u32;
			Call::set_bounds { minimum, maximum }
		},
	};
	call.into()
}

impl Actor for Validators {
	fn act(&mut self, world: &mut World) -> Attempt {
		match world.dice.roll(8) {
			0 | 1 => set_keys(world),
			2 => {
				let validator = some_validator(world, |it| is_able(&it));
				Attempt::Signed(world.person(&validator), Call::<Runtime>::leave {}.into())
			},
			3 => {
				let call = some_decision(world);
				Attempt::Signed(world.somebody(), call)
			},
			_ => {
				let call = some_decision(world);
				by_council(world, call)
			},
		}
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		match event {
			RuntimeEvent::ValidatorSet(Event::SetPlanned { validators, .. }) => {
				assert!(*validators >= Bounds::<Runtime>::get().minimum, "too few are to serve");
			},
			RuntimeEvent::ValidatorSet(Event::ValidatorForgotten { validator }) => {
				assert!(!serving().contains(validator), "{validator} serves and is forgotten");
				assert!(!NextKeys::<Runtime>::contains_key(validator), "its keys are left");
			},
			_ => {},
		}
	}

	/// No decision leaves fewer than the minimum of those who would serve, or more seats than there may be; whoever serves
	/// is on record, and the same serve who vote on finality.
	fn check(&mut self) {
		let (records, bounds) = (records(), Bounds::<Runtime>::get());
		let able = records.iter().filter(is_able).count() as u32;
		assert!(able >= bounds.minimum, "only {able} would serve, of at least {bounds:?}");
		let stays = |it: &&ValidatorOf<Runtime>| it.standing != ValidatorStanding::Leaving;
		let seats = records.iter().filter(stays).count() as u32;
		assert!(seats <= bounds.maximum, "{seats} have seats, of {bounds:?}");
		let serving = serving();
		assert!(!serving.is_empty(), "nobody makes blocks");
		for validator in &serving {
			let is_known = records.iter().any(|record| record.account == *validator);
			assert!(is_known, "{validator} serves and is not on record");
		}
		let block = System::block_number();
		let authors = pallet_aura::Authorities::<Runtime>::get().len();
		let voters = pallet_grandpa::Authorities::<Runtime>::get().len();
		assert_eq!((authors, voters), (serving.len(), serving.len()), "block {block}");
	}
}
