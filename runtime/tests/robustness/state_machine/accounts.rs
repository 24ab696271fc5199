// SPDX-License-Identifier: Apache-2.0

//! Accounts: transfers, proxies, multisignatures.

use super::{Actor, Attempt, world::World};
use dpki_runtime::{
	RuntimeCall, UNIT, configs::accounts::ProxyType, genesis_config_presets::ENDOWMENT,
};
use frame_support::weights::Weight;

#[derive(Default)]
pub struct Accounts {}

fn some_call(world: &mut World) -> RuntimeCall {
	let dest = world.some_account().into();
	let value = match world.dice.roll(20) {
		0 => 0,
		1 => 100 * ENDOWMENT,
		_ => u128::from(world.dice.roll(1_000)) * UNIT / 7,
	};
	match world.dice.roll(3) {
		0 => RuntimeCall::System(frame_system::Call::remark_with_event { remark: vec![1; 9] }),
		1 => RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value }),
		_ => RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death { dest, value }),
	}
}

impl Actor for Accounts {
	fn act(&mut self, world: &mut World) -> Attempt {
		let (person, other) = (world.somebody(), world.some_account());
		let proxy_type = match world.dice.roll(4) {
			0 => ProxyType::Any,
			1 => ProxyType::KeyRotation,
			2 => ProxyType::Attesting,
			_ => ProxyType::Publishing,
		};
		let call = match world.dice.roll(12) {
			0..=3 => some_call(world),
			4 | 10 | 11 => {
				pallet_proxy::Call::add_proxy { delegate: other.into(), proxy_type, delay: 0 }
					.into()
			},
			5 => {
				let delegate = other.into();
				pallet_proxy::Call::remove_proxy { delegate, proxy_type, delay: 0 }.into()
			},
			6 | 7 => {
				let call = Box::new(some_call(world));
				pallet_proxy::Call::proxy { real: other.into(), force_proxy_type: None, call }
					.into()
			},
			_ => {
				// Always the same call of the same two, so that the second of them finds the first.
				let pair = [world.account(0), world.account(1)];
				let (mine, theirs) = if world.dice.once_in(2) { (0, 1) } else { (1, 0) };
				let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![2; 9] });
				let id = pallet_multisig::Pallet::<dpki_runtime::Runtime>::multi_account_id(
					&{
						let mut sorted = pair.to_vec();
						sorted.sort();
						sorted
					},
					2,
				);
				let hash = sp_io::hashing::blake2_256(&codec::Encode::encode(&call));
				let maybe_timepoint =
					pallet_multisig::Multisigs::<dpki_runtime::Runtime>::get(id, hash)
						.map(|pending| pending.when);
				let as_multi = pallet_multisig::Call::as_multi {
					threshold: 2,
					other_signatories: vec![pair[theirs].clone()],
					maybe_timepoint,
					call: Box::new(call),
					max_weight: Weight::from_parts(1_000_000_000, 100_000),
				};
				return Attempt::Signed(mine, as_multi.into());
			},
		};
		Attempt::Signed(person, call)
	}
}
