// SPDX-License-Identifier: Apache-2.0

//! What things cost: set by the council, charged, held as deposits, returned.

use super::{Actor, Attempt, motions::by_council, world::World};
use dpki_primitives::economy::{Operation, QuotaPolicies, QuotaPolicy, Resource, ResourceKind};
use dpki_runtime::{
	AccountId, Balance, Balances, MILLI_UNIT, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason, configs::economy::MinCapacity,
};
use frame_support::traits::fungible::InspectHold;
use pallet_economy::{Call, DepositSchedule, Deposits, Event, Feeless, Fees, HoldReason};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Economy {
	/// Who paid how much for what, by what was announced.
	deposits: BTreeMap<Resource, (AccountId, Balance)>,
	/// Whoever paid a deposit.
	payers: BTreeSet<AccountId>,
}

fn some_quota(world: &mut World) -> QuotaPolicy {
	let capacity = match world.dice.roll(4) {
		0 => MinCapacity::get() - 1,
		_ => MinCapacity::get() + world.dice.roll(8_000_000),
	};
	QuotaPolicy { capacity, refill: world.dice.roll(40_000) }
}

fn some_call(world: &mut World) -> RuntimeCall {
	let amount = Balance::from(world.dice.roll(300)) * MILLI_UNIT;
	let call: Call<Runtime> = match world.dice.roll(10) {
		0..=2 => {
			let one = world.dice.roll(Operation::ALL.len() as u64) as usize;
			Call::set_fee { operation: Operation::ALL[one], amount }
		},
		3 | 4 => {
			let one = world.dice.roll(ResourceKind::ALL.len() as u64) as usize;
			Call::set_deposit { kind: ResourceKind::ALL[one], amount }
		},
		5 | 6 => {
			let (account, organisation) = (some_quota(world), some_quota(world));
			Call::set_quotas { policies: QuotaPolicies { account, organisation } }
		},
		_ => Call::set_feeless { feeless: !Feeless::<Runtime>::get() },
	};
	call.into()
}

impl Actor for Economy {
	fn act(&mut self, world: &mut World) -> Attempt {
		let call = some_call(world);
		match world.dice.roll(4) {
			0 => Attempt::Signed(world.somebody(), call),
			_ => by_council(world, call),
		}
	}

	/// What is charged and held is what is asked for at that moment; a deposit returns once, in full, to who paid it.
	fn observe(&mut self, event: &RuntimeEvent) {
		let RuntimeEvent::Economy(event) = event else { return };
		match event.clone() {
			Event::Charged { operation, count, amount, .. } => {
				assert!(!Feeless::<Runtime>::get(), "charged on a chain without fees");
				assert_eq!(amount, Fees::<Runtime>::get(operation) * Balance::from(count));
			},
			Event::DepositHeld { resource, payer, amount } => {
				assert!(!Feeless::<Runtime>::get(), "a deposit on a chain without fees");
				assert_eq!(amount, DepositSchedule::<Runtime>::get(resource.kind()));
				self.payers.insert(payer.clone());
				let before = self.deposits.insert(resource, (payer, amount));
				assert_eq!(before, None, "{resource:?} has two deposits");
			},
			Event::DepositPassedOn { from, to } => {
				let deposit = self.deposits.remove(&from).expect("it was held");
				let before = self.deposits.insert(to, deposit);
				assert_eq!(before, None, "{to:?} has two deposits");
			},
			Event::DepositReturned { resource, payer, amount } => {
				let paid = self.deposits.remove(&resource);
				assert_eq!(paid, Some((payer, amount)), "{resource:?} returns what was not paid");
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		let stored: BTreeMap<_, _> = Deposits::<Runtime>::iter()
			.map(|(resource, deposit)| (resource, (deposit.payer, deposit.amount)))
			.collect();
		assert_eq!(stored, self.deposits);
		let mut held = BTreeMap::<AccountId, Balance>::new();
		for (payer, amount) in self.deposits.values() {
			*held.entry(payer.clone()).or_default() += amount;
		}
		let reason = RuntimeHoldReason::Economy(HoldReason::Resource);
		for payer in &self.payers {
			let expected = held.get(payer).copied().unwrap_or_default();
			assert_eq!(Balances::balance_on_hold(&reason, payer), expected, "{payer}");
		}
	}
}
