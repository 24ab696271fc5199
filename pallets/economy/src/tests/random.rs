//! Thousands of random calls, and every token accounted for after each of them by a model that is kept beside the chain.

use super::mock::*;
use crate::Deposits;
use dpki_primitives::{
	economy::{Economy as _, FundsMissing, Operation, Resource, ResourceKind},
	ids::{AnchorId, CertificateId, DeviceId, KeyId, VoucherId},
};
use frame_support::{
	assert_ok,
	dispatch::Pays,
	storage::with_storage_layer,
	traits::{Hooks, fungible::Inspect},
	weights::Weight,
};
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

const ACCOUNTS: [Account; 5] = [ALICE, BOB, CAROL, PAUPER, AUTHOR_ACCOUNT];

/// SplitMix64: enough randomness for a test, the same in every run.
struct Dice(u64);

impl Dice {
	fn roll(&mut self, sides: u64) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		(z ^ (z >> 31)) % sides
	}

	fn account(&mut self) -> Account {
		ACCOUNTS[self.roll(ACCOUNTS.len() as u64) as usize]
	}

	fn resource(&mut self) -> Resource {
		let id = [self.roll(6) as u8; 32];
		match self.roll(5) {
			0 => Resource::Voucher(VoucherId(id)),
			1 => Resource::Device(DeviceId(id)),
			2 => Resource::Key(KeyId(id)),
			3 => Resource::Anchor(AnchorId(id)),
			_ => Resource::Certificate(CertificateId(id)),
		}
	}
}

/// What everybody owns, and what is held of it for what: told from the events alone.
#[derive(Default)]
struct Model {
	wealth: BTreeMap<Account, u64>,
	held: BTreeMap<Resource, (Account, u64)>,
}

impl Model {
	fn new() -> Self {
		let accounts = ACCOUNTS.into_iter().chain([Pallet::pot()]);
		let wealth = accounts.map(|who| (who, Balances::total_balance(&who))).collect();
		Self { wealth, ..Default::default() }
	}

	fn pay(&mut self, from: Account, to: Account, amount: u64) {
		*self.wealth.get_mut(&from).unwrap() -= amount;
		*self.wealth.get_mut(&to).unwrap() += amount;
	}

	fn read_events(&mut self) {
		let pot = Pallet::pot();
		for record in System::read_events_no_consensus() {
			match record.event.clone() {
				RuntimeEvent::Economy(Event::Charged { payer, amount, .. }) => {
					self.pay(payer, pot, amount);
				},
				RuntimeEvent::Economy(Event::AuthorPaid { author, amount }) => {
					self.pay(pot, author, amount);
				},
				RuntimeEvent::Economy(Event::DepositHeld { resource, payer, amount }) => {
					assert_eq!(self.held.insert(resource, (payer, amount)), None);
				},
				RuntimeEvent::Economy(Event::DepositReturned { resource, payer, amount }) => {
					assert_eq!(self.held.remove(&resource), Some((payer, amount)));
				},
				RuntimeEvent::Economy(Event::DepositPassedOn { from, to }) => {
					let deposit = self.held.remove(&from).expect("it was held");
					assert_eq!(self.held.insert(to, deposit), None);
				},
				RuntimeEvent::TransactionPayment(
					pallet_transaction_payment::Event::TransactionFeePaid { who, actual_fee, tip },
				) => {
					assert_eq!(tip, 0);
					self.pay(who, pot, actual_fee);
				},
				_ => (),
			}
		}
		System::reset_events();
	}

	fn check(&self, issuance: u64) {
		assert_ok!(Pallet::do_try_state());
		assert_eq!(Balances::total_issuance(), issuance);
		assert_eq!(self.wealth.values().sum::<u64>(), issuance);
		for (who, wealth) in &self.wealth {
			assert_eq!(Balances::total_balance(who), *wealth, "of account {who}");
			let sum: u64 =
				self.held.values().filter(|(payer, _)| payer == who).map(|(_, it)| it).sum();
			assert_eq!(held(*who), sum, "of account {who}");
		}
		assert_eq!(Deposits::<Test>::iter().count(), self.held.len());
	}
}

/// A call of a pallet that asks for something and then fails or not, as a transaction would carry it out.
fn dispatch(
	fails: bool,
	ask: impl FnOnce() -> Result<(), FundsMissing>,
) -> Result<(), DispatchError> {
	with_storage_layer(|| {
		ask().map_err(|_| DispatchError::CannotLookup)?;
		if fails { Err(DispatchError::Corruption) } else { Ok(()) }
	})
}

fn step(dice: &mut Dice) -> bool {
	let (who, resource) = (dice.account(), dice.resource());
	let fails = dice.roll(4) == 0;
	match dice.roll(14) {
		0 | 1 => {
			let operation = Operation::ALL[dice.roll(Operation::ALL.len() as u64) as usize];
			let count = dice.roll(500) as u32;
			dispatch(fails, || Pallet::charge(&who, operation, count)).is_ok()
		},
		2..=4 => dispatch(fails, || Pallet::hold(&who, resource)).is_ok(),
		5 | 6 => dispatch(fails, || {
			Pallet::release(resource);
			Ok(())
		})
		.is_ok(),
		7 => dispatch(fails, || {
			Pallet::pass_on(resource, dice.resource());
			Ok(())
		})
		.is_ok(),
		8 | 9 => {
			let declared = dice.roll(3_000);
			let used = dice.roll(declared + 1);
			let pays = if dice.roll(5) == 0 { Pays::No } else { Pays::Yes };
			send(who, declared, Dispatched { used, fails, pays }).is_ok()
		},
		10 => {
			let amount = dice.roll(3) * dice.roll(1_000);
			match dice.roll(2) {
				0 => {
					let index = dice.roll(Operation::ALL.len() as u64) as usize;
					Pallet::set_fee(root(), Operation::ALL[index], amount).is_ok()
				},
				_ => {
					let index = dice.roll(ResourceKind::ALL.len() as u64) as usize;
					Pallet::set_deposit(root(), ResourceKind::ALL[index], amount).is_ok()
				},
			}
		},
		11 => {
			feeless(dice.roll(2) == 0);
			true
		},
		12 => {
			match dice.roll(3) {
				0 => leave(who),
				1 => join(who, ACME),
				_ => join(who, BORG),
			}
			true
		},
		_ => {
			set_author((dice.roll(4) > 0).then(|| dice.account()));
			Pallet::on_idle(System::block_number(), Weight::MAX);
			go_to(System::block_number() + dice.roll(4));
			true
		},
	}
}

#[test]
fn every_token_is_accounted_for_whatever_happens() {
	let (mut done, mut refused) = (0, 0);
	for seed in 0..4 {
		new_test_ext().execute_with(|| {
			let dice = &mut Dice(seed);
			let mut model = Model::new();
			let issuance = Balances::total_issuance();
			System::reset_events();
			for _ in 0..1_500 {
				match step(dice) {
					true => done += 1,
					false => refused += 1,
				}
				model.read_events();
				model.check(issuance);
			}
		});
	}
	assert!(done > 3_000 && refused > 300, "{done} and {refused}: the test is idle");
}
