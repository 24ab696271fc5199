// SPDX-License-Identifier: Apache-2.0

//! The money: none comes into being, and what goes was dust or slashed: fees go to who made the block. What is not at its
//! owner's disposal is accounted for to the last unit, by whoever holds it and for what.

use super::{Actor, Attempt, world::World};
use codec::Encode;
use dpki_runtime::{
	AccountId, Balance, Balances, Runtime, RuntimeEvent, RuntimeHoldReason, System,
};
use pallet_certificates::{
	Bonds, Escrows,
	HoldReason::{ApplicationDeposit, EndorserBond, Escrow},
};
use std::collections::BTreeMap;

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
		check_held();
	}
}

/// What is set aside in an account for its proxies and for calls that its partners have yet to approve.
fn set_aside(account: &AccountId) -> Balance {
	let (_, proxies) = pallet_proxy::Proxies::<Runtime>::get(account);
	let (_, announcements) = pallet_proxy::Announcements::<Runtime>::get(account);
	let pending = pallet_multisig::Multisigs::<Runtime>::iter_values();
	let approvals: Balance =
		pending.filter(|it| it.depositor == *account).map(|it| it.deposit).sum();
	proxies + announcements + approvals
}

/// What the pallets say is held for this reason, over all accounts: for what is open and for what is stored.
fn owed(reason: RuntimeHoldReason) -> Balance {
	use RuntimeHoldReason::{Certificates, Economy, Motions, Organisations};
	match reason {
		Certificates(Escrow) => {
			let totals = Escrows::<Runtime>::iter_values().map(|it| it.checked_total());
			totals.map(|total| total.expect("it can be added up")).sum()
		},
		Certificates(ApplicationDeposit) => {
			Escrows::<Runtime>::iter_values().map(|it| it.deposit).sum()
		},
		Certificates(EndorserBond) => {
			let bonds = Bonds::<Runtime>::iter_values();
			bonds
				.map(|it| it.active + it.unbonding.iter().map(|part| part.amount).sum::<Balance>())
				.sum()
		},
		Economy(pallet_economy::HoldReason::Resource) => {
			pallet_economy::Deposits::<Runtime>::iter_values().map(|it| it.amount).sum()
		},
		Motions(pallet_motions::HoldReason::Motion) => {
			let motions = pallet_motions::Motions::<Runtime>::iter_values();
			motions.filter(|it| it.state.is_open()).map(|it| it.deposit).sum()
		},
		Organisations(pallet_organisations::HoldReason::Organisation) => {
			pallet_organisations::Deposits::<Runtime>::iter_values()
				.map(|(_, amount)| amount)
				.sum()
		},
		other => panic!("nobody accounts for {other:?}"),
	}
}

/// Each account has on hold what its holds add up to, and all holds of a reason are what is owed for it: an escrow or a
/// deposit that outlives what it was for would be found here.
fn check_held() {
	let mut by_reason = BTreeMap::<Vec<u8>, (RuntimeHoldReason, Balance)>::new();
	for (account, info) in frame_system::Account::<Runtime>::iter() {
		let mut held = set_aside(&account);
		for hold in pallet_balances::Holds::<Runtime>::get(&account) {
			held += hold.amount;
			by_reason.entry(hold.id.encode()).or_insert((hold.id, 0)).1 += hold.amount;
		}
		assert_eq!(info.data.reserved, held, "{account}, block {}", System::block_number());
	}
	let reasons = [
		RuntimeHoldReason::Certificates(Escrow),
		RuntimeHoldReason::Certificates(ApplicationDeposit),
		RuntimeHoldReason::Certificates(EndorserBond),
		RuntimeHoldReason::Economy(pallet_economy::HoldReason::Resource),
		RuntimeHoldReason::Motions(pallet_motions::HoldReason::Motion),
		RuntimeHoldReason::Organisations(pallet_organisations::HoldReason::Organisation),
	];
	for reason in reasons {
		by_reason.entry(reason.encode()).or_insert((reason, 0));
	}
	for (reason, held) in by_reason.into_values() {
		assert_eq!(held, owed(reason), "{reason:?}, block {}", System::block_number());
	}
}
