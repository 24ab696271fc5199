// SPDX-License-Identifier: Apache-2.0

//! Organisations: founded, changed, handed over, recovered, dissolved.

use super::{Actor, Attempt, motions::by_council, world::World};
use dpki_primitives::{
	ids::{Name, OrganisationId},
	motion::Body,
	organisation::{DeliveryPolicy, OrganisationKind, Role, RoleSet},
};
use dpki_runtime::{Runtime, RuntimeCall, RuntimeEvent, System};
use pallet_organisations::{Call, Event, HandOvers, Invitations, Recoveries};
use std::collections::BTreeSet;

#[derive(Default)]
pub struct Organisations {
	/// The names that were founded and dissolved: none is ever founded again.
	dissolved: BTreeSet<OrganisationId>,
	/// How many were made that are not to last.
	brief: u32,
}

/// Some roles, each as likely as not.
pub fn some_roles(world: &mut World) -> RoleSet {
	let bits = world.dice.roll(1 << Role::ALL.len());
	Role::ALL.into_iter().filter(|role| bits & (1 << *role as u64) != 0).collect()
}

pub fn some_policy(world: &mut World) -> DeliveryPolicy {
	match world.dice.roll(6) {
		0 | 1 => DeliveryPolicy::MultiAdmin,
		2 => DeliveryPolicy::Watchdogs { needed: world.dice.roll(4) as u32 },
		_ => DeliveryPolicy::Simple,
	}
}

pub fn some_body(world: &mut World) -> Body {
	Body::ALL[world.dice.roll(Body::ALL.len() as u64) as usize]
}

fn some_kind(world: &mut World) -> OrganisationKind {
	let kinds = OrganisationKind::ALL;
	kinds[world.dice.roll(kinds.len() as u64) as usize]
}

/// Most of the time an organisation in which somebody is about to get a seat: who, and in which body.
fn some_recovery(world: &mut World) -> (OrganisationId, Option<(usize, Body)>) {
	let pending: Vec<_> = Recoveries::<Runtime>::iter().collect();
	match world.dice.pick(&pending) {
		Some((organisation, recovery)) if !world.dice.once_in(6) => {
			(*organisation, Some((world.person(&recovery.account), recovery.body)))
		},
		_ => (world.some_organisation(), None),
	}
}

/// The end of a recovery whose time to object is over, if there is one. Whoever gets a seat waits for that, and nobody
/// takes it back first.
fn ripe_recovery(world: &mut World) -> Option<Attempt> {
	let now = System::block_number();
	let ripe: Vec<_> = Recoveries::<Runtime>::iter().filter(|(_, it)| it.ready_at <= now).collect();
	let (organisation, recovery) = world.dice.pick(&ripe)?;
	let person = world.find(&recovery.account)?;
	let call = Call::complete_recovery { organisation: *organisation };
	Some(Attempt::Signed(person, call.into()))
}

impl Organisations {
	/// One that its founder intends to dissolve at once, as nothing can be registered for it then. The others last: no
	/// name comes back.
	fn found_briefly(&mut self, world: &mut World) -> Attempt {
		self.brief += 1;
		let name: Name = format!("brief-{}", self.brief).into_bytes().try_into().expect("short");
		let organisation = OrganisationId::from_name(&name);
		let kind = some_kind(world);
		let person = world.somebody();
		world
			.intend(move |_| Some(Attempt::Signed(person, Call::dissolve { organisation }.into())));
		Attempt::Signed(person, Call::create { name, kind }.into())
	}

	/// One that the council lets in.
	fn admit(&mut self, world: &mut World) -> Attempt {
		self.brief += 1;
		let bang = if world.dice.once_in(4) { "!" } else { "" };
		let name = format!("guest-{}{bang}", self.brief).into_bytes();
		let name = name.try_into().expect("names are short");
		let (founder, kind) = (world.some_account(), some_kind(world));
		let call: RuntimeCall = Call::admit { founder, name, kind }.into();
		match world.dice.once_in(4) {
			true => Attempt::Signed(world.somebody(), call),
			false => by_council(world, call),
		}
	}
}

impl Actor for Organisations {
	fn act(&mut self, world: &mut World) -> Attempt {
		if let Some(completion) = ripe_recovery(world).filter(|_| !world.dice.once_in(3)) {
			return completion;
		}
		let organisation = world.some_organisation();
		let account = world.some_account();
		let administrator = world.holder(organisation, Role::Administrator);
		let (person, call): (usize, Call<Runtime>) = match world.dice.roll(36) {
			0..=4 => {
				let mut name = world.some_organisation_name().as_bytes().to_vec();
				if world.dice.once_in(10) {
					name.push(b'!');
				}
				let name = name.try_into().expect("names are short");
				let kind = some_kind(world);
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
			27 | 34 | 35 => {
				let body = some_body(world);
				let call = Call::begin_recovery { organisation, body, account };
				if !world.dice.once_in(4) {
					return by_council(world, call.into());
				}
				(administrator, call)
			},
			28 => {
				let (organisation, recovery) = some_recovery(world);
				let role = recovery.map_or(Role::Administrator, |(_, body)| body.role());
				(world.holder(organisation, role), Call::cancel_recovery { organisation })
			},
			29 | 30 => {
				let (organisation, recovery) = some_recovery(world);
				let person = recovery.map_or_else(|| world.somebody(), |(person, _)| person);
				(person, Call::complete_recovery { organisation })
			},
			31 => return self.admit(world),
			32 => return self.found_briefly(world),
			_ => {
				// With nothing that hangs on it, it would be gone for the rest of the run.
				if !pallet_dpki::Registrants::<Runtime>::contains_key(organisation) {
					return self.found_briefly(world);
				}
				(administrator, Call::dissolve { organisation })
			},
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
