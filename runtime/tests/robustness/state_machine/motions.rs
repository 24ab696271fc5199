// SPDX-License-Identifier: Apache-2.0

//! Motions: proposed, voted on, withdrawn, closed, and what they carry out.

use super::{
	Actor, Attempt,
	keys::some_key_policy,
	organisations::{some_body, some_policy, some_roles},
	world::World,
};
use dpki_primitives::{
	motion::{Body, Electorate, MotionId, MotionState},
	organisation::Role,
};
use dpki_runtime::{
	AccountId, BlockNumber, CouncilMembership, Motions as Pallet, Runtime, RuntimeCall,
	RuntimeEvent,
	configs::governance::{MinPeriod, Retention},
	mandate,
};
use frame_support::{traits::Contains, weights::Weight};
use pallet_motions::{Call, Event, NextMotion};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Motions {
	/// How each motion ended that did.
	ended: BTreeMap<MotionId, MotionState<BlockNumber>>,
	/// How many there were.
	count: u32,
	/// Whose calls were dispatched.
	carried: Vec<MotionId>,
}

/// Has the council decide about a call: a trustee proposes it, and the others intend to vote, most of them for it.
pub fn by_council(world: &mut World, call: RuntimeCall) -> Attempt {
	let seats: Vec<_> = (0..world.people())
		.filter(|person| CouncilMembership::contains(&world.account(*person)))
		.collect();
	let Some(proposer) = world.dice.pick(&seats).copied() else {
		return Attempt::Signed(world.somebody(), call);
	};
	let motion = NextMotion::<Runtime>::get();
	for _ in &seats {
		world.intend(move |world| {
			let record = pallet_motions::Motions::<Runtime>::get(motion)?;
			let aye = !world.dice.once_in(20);
			record.state.is_open().then(|| vote_on(world, motion, aye))
		});
	}
	let (electorate, call, reason) = (Electorate::Council, Box::new(call), Default::default());
	let period = MinPeriod::get() + 20;
	Attempt::Signed(proposer, Call::propose { electorate, call, period, reason }.into())
}

/// What a body may decide about its organisation, and what it may not.
fn of_an_organisation(world: &mut World, electorate: Electorate) -> RuntimeCall {
	let Electorate::Organisation(organisation, _) = electorate else {
		return of_the_council(world);
	};
	let account = world.some_account();
	match world.dice.roll(5) {
		0 => pallet_organisations::Call::set_policy { organisation, policy: some_policy(world) },
		1 => pallet_organisations::Call::remove_member { organisation, account },
		2 => {
			let policy = some_key_policy(world);
			return pallet_dpki::Call::set_key_policy { organisation, policy }.into();
		},
		_ => pallet_organisations::Call::set_member {
			organisation,
			account,
			roles: some_roles(world),
		},
	}
	.into()
}

fn of_the_council(world: &mut World) -> RuntimeCall {
	let account = world.some_account();
	let organisation = world.some_organisation();
	match world.dice.roll(7) {
		0 => pallet_organisations::Call::begin_recovery {
			organisation,
			body: some_body(world),
			account,
		}
		.into(),
		// A large council would need many steps for each decision.
		1 if CouncilMembership::members().len() > 5 => {
			let seats = CouncilMembership::members().into_inner();
			let who = world.dice.pick(&seats).expect("there are more than five").clone().into();
			RuntimeCall::CouncilMembership(pallet_membership::Call::remove_member { who })
		},
		1 => RuntimeCall::CouncilMembership(pallet_membership::Call::add_member {
			who: account.into(),
		}),
		2 => RuntimeCall::CouncilMembership(pallet_membership::Call::swap_member {
			remove: account.into(),
			add: world.some_account().into(),
		}),
		3 => {
			// Nobody becomes an administrator by vote.
			let call = RuntimeCall::Sudo(pallet_sudo::Call::set_key { new: account.into() });
			mandate::Call::dispatch_as_root { call: Box::new(call) }.into()
		},
		4 => {
			// One with an event has to be signed, which root is not.
			let remark =
				RuntimeCall::System(frame_system::Call::remark { remark: b"robustness".to_vec() });
			mandate::Call::dispatch_as_root { call: Box::new(remark) }.into()
		},
		5 => of_an_organisation(world, Electorate::Organisation(organisation, Body::Watchdogs)),
		_ => RuntimeCall::Sudo(pallet_sudo::Call::sudo {
			call: Box::new(RuntimeCall::System(frame_system::Call::remark { remark: vec![] })),
		}),
	}
}

fn propose(world: &mut World) -> Attempt {
	let (electorate, person) = if world.dice.once_in(2) {
		(Electorate::Council, world.somebody())
	} else {
		let (organisation, body) = (world.some_organisation(), some_body(world));
		(Electorate::Organisation(organisation, body), world.holder(organisation, body.role()))
	};
	let call = match electorate {
		Electorate::Council => of_the_council(world),
		Electorate::Organisation(..) => of_an_organisation(world, electorate),
	};
	let period = MinPeriod::get() - 1 + world.dice.roll(60) as u32;
	let (call, reason) = (Box::new(call), Default::default());
	Attempt::Signed(person, Call::propose { electorate, call, period, reason }.into())
}

/// Most of the time an open one.
fn some_motion(world: &mut World) -> MotionId {
	let count = NextMotion::<Runtime>::get();
	let is_open = |id: &MotionId| {
		pallet_motions::Motions::<Runtime>::get(id).is_some_and(|motion| motion.state.is_open())
	};
	// None stays open for so long that as many others could be proposed.
	let open: Vec<_> = (count.saturating_sub(40)..count).filter(is_open).collect();
	match world.dice.pick(&open) {
		Some(id) if !world.dice.once_in(10) => *id,
		_ => world.dice.roll(u64::from(count) + 1) as u32,
	}
}

/// The end of a motion whose time is over, if there is one.
fn overdue(world: &mut World) -> Option<Attempt> {
	let now = dpki_runtime::System::block_number();
	let overdue: Vec<_> = pallet_motions::Motions::<Runtime>::iter()
		.filter(|(_, motion)| motion.state.is_open() && motion.deadline < now)
		.map(|(id, _)| id)
		.collect();
	let motion = *world.dice.pick(&overdue)?;
	Some(Attempt::Signed(world.somebody(), Call::close { motion }.into()))
}

/// Somebody who has a seat and did not vote yet, if there is one.
fn voter(world: &mut World, motion: MotionId) -> usize {
	let Some(record) = pallet_motions::Motions::<Runtime>::get(motion) else {
		return world.somebody();
	};
	let has_seat = |account: &AccountId| match record.electorate {
		Electorate::Council => CouncilMembership::contains(account),
		Electorate::Organisation(organisation, body) => {
			pallet_organisations::Members::<Runtime>::get(organisation, account)
				.is_some_and(|roles| roles.contains(body.role()))
		},
	};
	let waiting: Vec<_> = (0..world.people())
		.filter(|person| {
			let account = world.account(*person);
			let has_voted = pallet_motions::Ballots::<Runtime>::contains_key(motion, &account);
			has_seat(&account) && !has_voted
		})
		.collect();
	match world.dice.pick(&waiting) {
		Some(person) if !world.dice.once_in(8) => *person,
		_ => world.somebody(),
	}
}

fn vote(world: &mut World) -> Attempt {
	let (motion, aye) = (some_motion(world), !world.dice.once_in(5));
	vote_on(world, motion, aye)
}

fn vote_on(world: &mut World, motion: MotionId, aye: bool) -> Attempt {
	let bounds = Pallet::call_bounds(motion).unwrap_or_default();
	let (call_length_bound, call_weight_bound) =
		if world.dice.once_in(20) { (0, Weight::zero()) } else { bounds };
	let reason = Default::default();
	let vote = Call::vote { motion, aye, reason, call_length_bound, call_weight_bound };
	Attempt::Signed(voter(world, motion), vote.into())
}

impl Actor for Motions {
	fn act(&mut self, world: &mut World) -> Attempt {
		// Nobody else closes them, so most of them are there for long.
		if let Some(end) = overdue(world).filter(|_| world.dice.once_in(4)) {
			return end;
		}
		match world.dice.roll(24) {
			0..=2 => propose(world),
			3 | 4 => {
				let call = of_the_council(world);
				by_council(world, call)
			},
			5..=20 => vote(world),
			21 => {
				let motion = some_motion(world);
				let call = Call::close { motion };
				Attempt::Signed(world.somebody(), call.into())
			},
			22 => {
				let (motion, reason) = (some_motion(world), Default::default());
				let person = (0..world.people()).find(|person| {
					pallet_motions::Motions::<Runtime>::get(motion)
						.is_some_and(|motion| motion.proposer == world.account(*person))
				});
				let person = person.unwrap_or_else(|| world.somebody());
				Attempt::Signed(person, Call::withdraw { motion, reason }.into())
			},
			_ => {
				let organisation = world.some_organisation();
				let call = of_the_council(world);
				Attempt::Signed(world.holder(organisation, Role::Administrator), call)
			},
		}
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		match event {
			RuntimeEvent::Motions(Event::Executed { motion, .. }) => {
				assert!(!self.carried.contains(motion), "motion {motion} was carried out twice");
				self.carried.push(*motion);
			},
			RuntimeEvent::Sudo(_) => panic!("somebody is administrator: {event:?}"),
			_ => {},
		}
	}

	fn check(&mut self) {
		let count = NextMotion::<Runtime>::get();
		assert!(count >= self.count, "numbers of motions are given again");
		self.count = count;
		let now = dpki_runtime::System::block_number();
		for (id, before) in &self.ended {
			match pallet_motions::Motions::<Runtime>::get(id) {
				Some(after) => {
					assert_eq!(after.state, *before, "motion {id} went on after its end")
				},
				None => {
					let ended = before.closed_at().expect("it ended");
					assert!(now > ended + Retention::get(), "motion {id} was forgotten early");
				},
			}
		}
		self.ended = pallet_motions::Motions::<Runtime>::iter()
			.filter(|(_, motion)| !motion.state.is_open())
			.map(|(id, motion)| (id, motion.state))
			.collect();
	}
}
