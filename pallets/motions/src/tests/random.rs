//! Thousands of random calls, with what must hold after each of them.

use super::mock::*;
use crate::{Ballots, Motions, NextMotion};
use dpki_primitives::motion::{Electorate, MotionState};
use frame_support::{assert_ok, weights::Weight};
use std::collections::{BTreeMap, BTreeSet};

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
		1 + self.roll(20)
	}

	fn coin(&mut self) -> bool {
		self.roll(2) == 0
	}
}

/// Some accounts, each at most once.
fn some_accounts(dice: &mut Dice, most: u64) -> BTreeSet<Account> {
	(0..dice.roll(most + 1)).map(|_| dice.account()).collect()
}

/// The seats as the test gave them, kept apart from the mock's own answers.
struct World {
	council: BTreeSet<Account>,
	watchdogs: (u32, BTreeSet<Account>),
	/// Which mark each motion notes; marks are never used twice.
	marks: BTreeMap<u32, u32>,
	decided: BTreeSet<u32>,
}

impl World {
	fn change_seats(&mut self, dice: &mut Dice) {
		if dice.coin() {
			self.council = some_accounts(dice, 9);
			Council::set(self.council.clone());
		} else {
			let needed = 1 + dice.roll(4) as u32;
			self.watchdogs = (needed, some_accounts(dice, 6));
			Organisation::set(needed, self.watchdogs.1.clone());
		}
	}

	/// Checks by its own arithmetic that a motion which was just carried, or rejected, had the votes.
	fn check_decision(&self, id: u32) {
		let record = motion(id);
		let (seats, needed) = match record.electorate {
			Electorate::Council => {
				let seats = &self.council;
				(seats, (2 * seats.len()).div_ceil(3))
			},
			Electorate::Organisation(..) => (&self.watchdogs.1, self.watchdogs.0 as usize),
		};
		let votes = |aye: bool| {
			Ballots::<Test>::iter_prefix(id)
				.filter(|(voter, ballot)| seats.contains(voter) && ballot.aye == aye)
				.count()
		};
		let (ayes, nays) = (votes(true), votes(false));
		match record.state {
			MotionState::Carried { .. } => {
				assert!(ayes >= needed, "motion {id} was carried by {ayes} of {needed}")
			},
			MotionState::Rejected { .. } => {
				assert!(ayes < needed, "motion {id} was rejected though {ayes} sufficed");
				assert!(seats.len() < needed + nays, "motion {id} could still be carried");
			},
			_ => panic!("motion {id} was not decided"),
		}
	}

	/// What must hold after each step.
	fn check(&mut self, issuance: u64) {
		assert_ok!(Pallet::do_try_state());
		assert_eq!(Balances::total_issuance(), issuance, "deposits appear or vanish");
		for event in events() {
			match event {
				Event::Carried { motion } | Event::Rejected { motion } => {
					assert!(self.decided.insert(motion), "motion {motion} was decided twice");
					self.check_decision(motion);
				},
				Event::Withdrawn { motion, .. } | Event::Expired { motion } => {
					assert!(self.decided.insert(motion), "motion {motion} was closed twice");
				},
				_ => (),
			}
		}
		// Those of the newest motions; all of them are checked at the end.
		let newest = NextMotion::<Test>::get().saturating_sub(20);
		self.check_marks(newest);
	}

	/// No call was dispatched twice, or without a decision.
	fn check_marks(&self, from: u32) {
		for (id, mark) in self.marks.range(from..) {
			let times = noted(*mark);
			assert!(times <= 1, "the call of motion {id} was dispatched {times} times");
			if times == 1 {
				assert!(self.decided.contains(id), "an undecided motion was dispatched");
			}
		}
	}

	/// Somebody; most of the time somebody with a seat.
	fn somebody(&self, dice: &mut Dice) -> Account {
		let seated = if dice.coin() { &self.council } else { &self.watchdogs.1 };
		let one = dice.roll(seated.len().max(1) as u64) as usize;
		match seated.iter().nth(one) {
			Some(who) if dice.roll(5) > 0 => *who,
			_ => dice.account(),
		}
	}

	fn step(&mut self, dice: &mut Dice) {
		let who = self.somebody(dice);
		let id = dice.roll(u64::from(NextMotion::<Test>::get()).max(1)) as u32;
		// Most of the time a recent motion, which is more likely to be open.
		let id = if dice.roll(4) == 0 {
			id
		} else {
			NextMotion::<Test>::get().saturating_sub(1 + id % 6)
		};
		match dice.roll(20) {
			0..=3 => {
				let mark = self.marks.len() as u32;
				let electorate = if dice.coin() { COUNCIL_ELECTORATE } else { watchdogs() };
				let call = Box::new(note(mark));
				let period = MIN_PERIOD + dice.roll(10);
				if call_with_rollback(|| {
					refusal(Pallet::propose(signed(who), electorate, call, period, reason("")))
				}) {
					self.marks.insert(NextMotion::<Test>::get() - 1, mark);
				}
			},
			4..=13 => {
				let aye = dice.roll(3) > 0;
				let bound = if dice.roll(8) == 0 { Weight::zero() } else { MaxCallWeight::get() };
				call_with_rollback(|| {
					refusal(Pallet::vote(signed(who), id, aye, reason(""), MAX_CALL_LEN, bound))
				});
			},
			14 => {
				let proposer = Motions::<Test>::get(id).map_or(who, |motion| motion.proposer);
				call_with_rollback(|| Pallet::withdraw(signed(proposer), id, reason("")));
			},
			15 | 16 => {
				call_with_rollback(|| refusal(Pallet::close(signed(who), id)));
			},
			17 => self.change_seats(dice),
			_ => {
				go_to(System::block_number() + 1 + dice.roll(6));
				idle(Weight::from_parts(dice.roll(2_000_000_000_000), u64::MAX));
			},
		}
	}
}

/// As in an extrinsic, what a refused call wrote is undone. Returns whether it succeeded.
fn call_with_rollback(call: impl FnOnce() -> sp_runtime::DispatchResult) -> bool {
	frame_support::storage::with_storage_layer(call).is_ok()
}

#[test]
fn random_calls_break_no_invariant() {
	for seed in 0..4 {
		new_test_ext().execute_with(|| {
			let dice = &mut Dice(seed);
			let mut world = World {
				council: Council::seats().into_iter().collect(),
				watchdogs: (2, (11..=15).collect()),
				marks: BTreeMap::new(),
				decided: BTreeSet::new(),
			};
			let issuance = Balances::total_issuance();
			for _ in 0..1_500 {
				world.step(dice);
				world.check(issuance);
			}
			world.check_marks(0);
			let dispatched = world.marks.values().filter(|mark| noted(**mark) == 1).count();
			assert!(dispatched > 20, "only {dispatched} motions were carried: the test is idle");
			assert!(world.decided.len() > dispatched + 20, "too few motions ended otherwise");
		});
	}
}
