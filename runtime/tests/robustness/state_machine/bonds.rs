// SPDX-License-Identifier: Apache-2.0

//! What endorsers have bonded: raised, taken out, withdrawn, slashed.
//!
//! The model adds up what was announced, and knows of each part only when it may leave.

use super::{Actor, Attempt, certificates::ENDORSERS, motions::by_council, world::World};
use dpki_primitives::{
	bond::{MAX_UNBONDING, SlashReason},
	certificate::Office,
};
use dpki_runtime::{
	AccountId, Balance, Balances, BlockNumber, Certificates as Pallet, Runtime, RuntimeEvent,
	RuntimeHoldReason, System, UNIT, configs::pki::UnbondingPeriod,
	genesis_config_presets::MINIMUM_BOND,
};
use frame_support::traits::fungible::InspectHold;
use pallet_certificates::{Call, Event, HoldReason, MinimumBond};
use std::collections::BTreeMap;

/// What an account has on hold.
#[derive(Default)]
struct Bond {
	active: Balance,
	/// What is on its way out, with the last block at which it can be slashed, the oldest first.
	leaving: Vec<(Balance, BlockNumber)>,
	/// How often it was slashed.
	slashes: u32,
}

impl Bond {
	fn total(&self) -> Balance {
		self.active + self.leaving.iter().map(|(amount, _)| amount).sum::<Balance>()
	}
}

#[derive(Default)]
pub struct Bonds(BTreeMap<AccountId, Bond>);

/// Has somebody bond what the preset asks for, and a little more.
pub fn begin(person: usize) -> Attempt {
	Attempt::Signed(person, Call::bond { amount: MINIMUM_BOND + 200 * UNIT }.into())
}

/// Nobody goes on in office with less than the minimum after its bond has shrunk.
fn check_office(account: &AccountId, active: Balance) {
	let accreditation = Pallet::accreditation(Office::Endorser, account);
	let may_act = accreditation.is_some_and(|it| it.may_act());
	let minimum = MinimumBond::<Runtime>::get();
	assert!(!may_act || active >= minimum, "{account} goes on with {active} of {minimum}");
}

/// Most of the time an amount of which something is left.
fn some_amount(world: &mut World) -> Balance {
	match world.dice.roll(12) {
		0 => 0,
		1 => Balance::MAX,
		2 => 3_000 * UNIT,
		_ => Balance::from(1 + world.dice.roll(400)) * UNIT,
	}
}

impl Actor for Bonds {
	fn act(&mut self, world: &mut World) -> Attempt {
		let person = match world.dice.once_in(10) {
			true => world.somebody(),
			false => ENDORSERS[world.dice.roll(ENDORSERS.len() as u64) as usize],
		};
		let account = world.account(person);
		let has_little = Pallet::bonded(account.clone()).is_none_or(|it| it.active < MINIMUM_BOND);
		let call: Call<Runtime> = match world.dice.roll(16) {
			0..=4 if has_little => return begin(person),
			0..=4 => Call::bond { amount: some_amount(world) },
			5..=8 => Call::unbond { amount: some_amount(world) },
			9..=11 => Call::withdraw_bond {},
			12 | 13 => {
				let reason = SlashReason::ALL[world.dice.roll(4) as usize];
				let (amount, evidence) = (some_amount(world), world.fresh_bytes());
				let call = Call::slash { account, amount, reason, evidence };
				return match world.dice.once_in(5) {
					true => Attempt::Signed(world.somebody(), call.into()),
					false => by_council(world, call.into()),
				};
			},
			14 => {
				let minimum = if world.dice.once_in(2) { MINIMUM_BOND } else { 0 };
				let call = Call::set_minimum_bond { minimum };
				return match world.dice.once_in(4) {
					true => Attempt::Signed(world.somebody(), call.into()),
					false => by_council(world, call.into()),
				};
			},
			_ => {
				// Withdrawn as soon as it is due, or a block too early.
				let oldest = self.0.get(&account).and_then(|it| it.leaving.first());
				let is_due = oldest.is_some_and(|(_, until)| System::block_number() > *until);
				if is_due { Call::withdraw_bond {} } else { Call::unbond { amount: UNIT } }
			},
		};
		Attempt::Signed(person, call.into())
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		let RuntimeEvent::Certificates(event) = event else { return };
		let minimum = MinimumBond::<Runtime>::get();
		match event.clone() {
			Event::Bonded { account, amount, active } => {
				let bond = self.0.entry(account).or_default();
				bond.active += amount;
				assert_eq!(bond.active, active);
			},
			Event::UnbondingBegun { account, amount, until } => {
				let bond = self.0.get_mut(&account).expect("it has bonded");
				bond.active = bond.active.checked_sub(amount).expect("it had that much");
				assert_eq!(until, System::block_number() + UnbondingPeriod::get());
				bond.leaving.push((amount, until));
				check_office(&account, bond.active);
			},
			Event::BondWithdrawn { account, amount } => {
				let bond = self.0.get_mut(&account).expect("it has bonded");
				let now = System::block_number();
				let (due, rest): (Vec<_>, Vec<_>) =
					bond.leaving.iter().copied().partition(|(_, until)| now > *until);
				bond.leaving = rest;
				let sum: Balance = due.iter().map(|(amount, _)| amount).sum();
				assert_eq!(sum, amount, "{account} withdraws what was not due");
			},
			Event::BondSlashed { account, index, mut amount, .. } => {
				let bond = self.0.get_mut(&account).expect("it has bonded");
				assert_eq!(bond.slashes, index);
				bond.slashes += 1;
				let taken = amount.min(bond.active);
				(bond.active, amount) = (bond.active - taken, amount - taken);
				while let Some((left, until)) = bond.leaving.pop() {
					let taken = amount.min(left);
					amount -= taken;
					if left > taken {
						bond.leaving.push((left - taken, until));
						break;
					}
				}
				assert_eq!(amount, 0, "{account} lost more than it had");
				check_office(&account, bond.active);
			},
			Event::Accredited { office: Office::Endorser, account, .. }
			| Event::Endorsed { endorser: account, .. } => {
				let active = self.0.get(&account).map_or(0, |it| it.active);
				assert!(active >= minimum, "{account} is in office with {active}");
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		for (account, bond) in &self.0 {
			assert!(bond.leaving.len() <= MAX_UNBONDING as usize);
			let stored = Pallet::bonded(account.clone()).unwrap_or_default();
			assert_eq!(stored.active, bond.active, "{account}");
			let parts = stored.unbonding.iter().map(|part| (part.amount, part.until));
			assert!(parts.eq(bond.leaving.iter().copied()), "{account}");
			let reason = RuntimeHoldReason::Certificates(HoldReason::EndorserBond);
			assert_eq!(Balances::balance_on_hold(&reason, account), bond.total(), "{account}");
			assert_eq!(pallet_certificates::SlashCount::<Runtime>::get(account), bond.slashes);
		}
	}
}
