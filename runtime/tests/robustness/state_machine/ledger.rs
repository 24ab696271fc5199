// SPDX-License-Identifier: Apache-2.0

//! The money: none comes into being, and what goes was dust or slashed: fees go to who made the block.

use super::{Actor, Attempt, world::World};
use dpki_runtime::{Balance, Balances, Runtime, RuntimeEvent, System};

#[derive(Default)]
pub struct Ledger {
	/// All tokens at the last check.
	before: Option<Balance>,
	/// What has been burnt since.
	burnt: Balance,
}

impl Actor for Ledger {
	fn act(&mut self, _: &mut World) -> Attempt {
		unreachable!("it has no share")
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		match event {
			RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. })
			| RuntimeEvent::Certificates(pallet_certificates::Event::BondSlashed {
				amount, ..
			}) => {
				self.burnt += amount;
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		let issuance = Balances::total_issuance();
		let held: Balance = frame_system::Account::<Runtime>::iter_values()
			.map(|account| account.data.free + account.data.reserved)
			.sum();
		assert_eq!(held, issuance, "block {}", System::block_number());
		if let Some(before) = self.before {
			assert_eq!(issuance, before - self.burnt, "block {}", System::block_number());
		}
		(self.before, self.burnt) = (Some(issuance), 0);
	}
}
