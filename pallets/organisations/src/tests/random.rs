//! Thousands of random calls, with what must hold after each of them.

use super::mock::*;
use crate::{Members, Organisations, Recoveries};
use dpki_primitives::{
	motion::{Body, Electorate},
	organisation::{DeliveryPolicy, OrganisationKind, Role, RoleSet},
};
use frame_support::assert_ok;
use sp_runtime::{AccountId32, DispatchResult};

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

	fn account(&mut self) -> AccountId32 {
		AccountId32::new([1 + self.roll(6) as u8; 32])
	}

	fn roles(&mut self) -> RoleSet {
		let bits = self.roll(32);
		Role::ALL.into_iter().filter(|role| bits & (1 << *role as u64) != 0).collect()
	}

	fn body(&mut self) -> Body {
		if self.roll(2) == 0 { Body::Administrators } else { Body::Watchdogs }
	}

	/// An account, a body that voted, or the council.
	fn origin(&mut self) -> RuntimeOrigin {
		match self.roll(6) {
			0 => Electorate::Organisation(acme(), self.body()).into(),
			1 => council(),
			_ => signed(self.account()),
		}
	}
}

fn step(dice: &mut Dice) -> DispatchResult {
	let (origin, account) = (dice.origin(), dice.account());
	match dice.roll(16) {
		0 => Pallet::create(origin, name("acme"), OrganisationKind::TestLab),
		1 | 2 => Pallet::set_member(origin, acme(), account, dice.roles()),
		3 | 4 => Pallet::join(origin, acme()),
		5 => Pallet::remove_member(origin, acme(), account),
		6 | 7 => {
			let policy = match dice.roll(3) {
				0 => DeliveryPolicy::Simple,
				1 => DeliveryPolicy::MultiAdmin,
				_ => DeliveryPolicy::Watchdogs { needed: dice.roll(4) as u32 },
			};
			Pallet::set_policy(origin, acme(), policy)
		},
		8 | 9 => Pallet::hand_over(origin, acme(), account),
		10 => Pallet::cancel_hand_over(origin, acme()),
		11 | 12 => Pallet::accept_hand_over(origin, acme(), account),
		13 => Pallet::begin_recovery(origin, acme(), dice.body(), account),
		14 if dice.roll(3) == 0 => Pallet::cancel_recovery(origin, acme()),
		_ => {
			go_to(System::block_number() + dice.roll(RECOVERY_DELAY));
			match Recoveries::<Test>::get(acme()) {
				Some(it) => Pallet::complete_recovery(signed(it.account), acme()),
				None => Pallet::complete_recovery(origin, acme()),
			}
		},
	}
}

/// Those whose consent the policy asks for, and the policy.
fn guarded() -> Option<(DeliveryPolicy, Vec<(AccountId32, RoleSet)>)> {
	let policy = Organisations::<Test>::get(acme())?.policy;
	let mut holders: Vec<_> = Members::<Test>::iter_prefix(acme())
		.map(|(who, roles)| (who, roles.without(RoleSet::ALL.without(policy.guarded_roles()))))
		.filter(|(_, roles)| !roles.is_empty())
		.collect();
	holders.sort_by(|(one, _), (other, _)| one.cmp(other));
	Some((policy, holders))
}

#[test]
fn random_calls_break_no_invariant() {
	let mut seen = Vec::new();
	for seed in 0..6 {
		new_test_ext().execute_with(|| {
			let dice = &mut Dice(seed);
			create_acme();
			let issuance = Balances::total_issuance();
			for _ in 0..1_000 {
				let before = guarded();
				System::reset_events();
				let result = frame_support::storage::with_storage_layer(|| step(dice));
				assert_ok!(Pallet::do_try_state());
				assert_eq!(Balances::total_issuance(), issuance);
				assert!(result.is_ok() || System::events().is_empty());
				if result.is_err() || System::events().is_empty() {
					continue;
				}
				let event = last_event();
				// What one account did alone changes neither the policy nor a role that it guards, except that a seat
				// moves to the account that accepted it.
				let alone = match &event {
					Event::MemberAdded { by, .. }
					| Event::MemberRolesChanged { by, .. }
					| Event::MemberRemoved { by, .. }
					| Event::PolicyChanged { by, .. } => matches!(by, Authority::Account(_)),
					_ => false,
				};
				if alone && !matches!(before, Some((DeliveryPolicy::Simple, _)) | None) {
					assert_eq!(guarded(), before, "{event:?}");
				}
				seen.push(core::mem::discriminant(&event));
			}
		});
	}
	let kinds: std::collections::HashSet<_> = seen.iter().collect();
	assert!(kinds.len() >= 9, "only {} kinds of events were seen: the test is idle", kinds.len());
}
