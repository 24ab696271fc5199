// SPDX-License-Identifier: Apache-2.0

//! Organisations: founded, changed, handed over, recovered, dissolved.

use super::{Actor, Attempt, world::World};
use dpki_primitives::{
	ids::OrganisationId,
	motion::Body,
	organisation::{DeliveryPolicy, OrganisationKind, Role, RoleSet},
};
use dpki_runtime::{Runtime, RuntimeCall, RuntimeEvent};
use pallet_organisations::{Call, Event, HandOvers, Invitations, Recoveries};
use std::collections::BTreeSet;

#[derive(Default)]
pub struct Organisations {
	/// The names that were founded and dissolved: none is ever founded again.
	dissolved: BTreeSet<OrganisationId>,
}

/// Some roles, each as likely as not.
pub fn some_roles(world: &mut World) -> RoleSet {
	let bits = world.dice.roll(1 << Role::ALL.len());
	Role::ALL.into_iter().filter(|role| bits & (1 << *role as u64) != 0).collect()
}

pub fn some_policy(world: &mut World) -> DeliveryPolicy {
	match world.dice.roll(8) {
		0 => DeliveryPolicy::MultiAdmin,
		1 => DeliveryPolicy::Watchdogs { needed: world.dice.roll(4) as u32 },
		_ => DeliveryPolicy::Simple,
	}
}

pub fn some_body(world: &mut World) -> Body {
	Body::ALL[world.dice.roll(Body::ALL.len() as u64) as usize]
}

impl Actor for Organisations {
	fn act(&mut self, world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let account = world.some_account();
		let administrator = world.holder(organisation, Role::Administrator);
		let (person, call): (usize, Call<Runtime>) = match world.dice.roll(32) {
			0..=4 => {
				let mut name = world.some_organisation_name().as_bytes().to_vec();
				if world.dice.once_in(10) {
					name.push(b'!');
				}
				let name = name.try_into().expect("names are short");
				let kinds = OrganisationKind::ALL;
				let kind = kinds[world.dice.roll(kinds.len() as u64) as usize];
				(world.somebody(), Call::create { name, kind })
			},
			5..=13 => (
				administrator,
				Call::set_member { organisation, account, roles: some_roles(world) },
			),
			14..=17 => {
				let invited: Vec<_> = Invitations::<Runtime>::iter()
					.flat_map(|(organisation, pending)| {
						pending.into_iter().map(move |it| (organisation, it.account))
					})
					.collect();
				match world.dice.pick(&invited).cloned() {
					Some((organisation, account)) => {
						(world.person(&account), Call::join { organisation })
					},
					None => (world.somebody(), Call::join { organisation }),
				}
			},
			18 => (administrator, Call::remove_member { organisation, account }),
			19 => (administrator, Call::set_policy { organisation, policy: some_policy(world) }),
			20..=23 => (administrator, Call::hand_over { organisation, to: account }),
			24 => (administrator, Call::cancel_hand_over { organisation }),
			25 | 26 => {
				let offers: Vec<_> = HandOvers::<Runtime>::iter().collect();
				let Some((organisation, from, offer)) = world.dice.pick(&offers).cloned() else {
					let from = world.account(administrator);
					return Attempt::Signed(
						world.somebody(),
						Call::accept_hand_over::<Runtime> { organisation, from }.into(),
					);
				};
				(world.person(&offer.to), Call::accept_hand_over { organisation, from })
			},
			27 => {
				let body = some_body(world);
				(administrator, Call::begin_recovery { organisation, body, account })
			},
			28 => (administrator, Call::cancel_recovery { organisation }),
			29 | 30 => {
				let person = match Recoveries::<Runtime>::get(organisation) {
					Some(recovery) => world.person(&recovery.account),
					None => world.somebody(),
				};
				(person, Call::complete_recovery { organisation })
			},
			_ => (administrator, Call::dissolve { organisation }),
		};
		Attempt::Signed(person, RuntimeCall::from(call))
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		match event {
			RuntimeEvent::Organisations(Event::OrganisationDissolved { organisation, .. }) => {
				assert!(self.dissolved.insert(*organisation), "it was dissolved before");
			},
			RuntimeEvent::Organisations(Event::OrganisationCreated { organisation, .. }) => {
				assert!(!self.dissolved.contains(organisation), "it was founded again");
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		for organisation in &self.dissolved {
			let exists = pallet_organisations::Organisations::<Runtime>::contains_key(organisation);
			assert!(!exists, "{organisation} came back");
			// What it registered would have nobody left to revoke it.
			let registered = pallet_dpki::Registrants::<Runtime>::contains_key(organisation);
			assert!(!registered, "{organisation} was dissolved with belongings");
		}
	}
}
