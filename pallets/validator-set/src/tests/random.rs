//! Thousands of random decisions, keys, offences and sessions: the chain never loses its validators, and a decision takes
//! effect exactly at the session after next.

use super::mock::*;
use crate::{Bounds, Validators};
use dpki_primitives::validator::ValidatorStanding;
use frame_support::assert_ok;

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
}

/// Who would serve by what was decided until now: everybody who is enabled, and has keys.
fn able() -> Vec<Account> {
	Validators::<Test>::get()
		.iter()
		.filter(|record| record.standing == ValidatorStanding::Enabled)
		.map(|record| record.account)
		.filter(|validator| Session::load_keys(validator).is_some())
		.collect()
}

#[test]
fn the_chain_never_loses_its_validators() {
	for seed in 0..20 {
		chain_of(4, 3).execute_with(|| {
			let dice = &mut Dice(seed);
			for _ in 0..400 {
				let who = 1 + dice.roll(12);
				// Whether a call is refused does not matter here: it then changes nothing.
				let _ = match dice.roll(12) {
					0 | 1 => add(who),
					2 => remove(who),
					3 => disable(who),
					4 | 5 => enable(who),
					6 => leave(who),
					7 => set_bounds(1 + dice.roll(5) as u32, 4 + dice.roll(6) as u32),
					8 | 9 => set_keys(who, 100 * (1 + dice.roll(3)) + who),
					10 => {
						let session = Session::current_index();
						catch(who, session.saturating_sub(dice.roll(3) as u32));
						Ok(())
					},
					_ => {
						let planned = Session::queued_keys();
						end_sessions(1);
						let serving: Vec<_> = planned.into_iter().map(|(who, _)| who).collect();
						assert_eq!(Session::validators(), serving);
						let next: Vec<_> =
							Session::queued_keys().into_iter().map(|(who, _)| who).collect();
						assert_eq!(next, able());
						Ok(())
					},
				};
				assert_ok!(Pallet::do_try_state());
				assert!(able().len() as u32 >= Bounds::<Test>::get().minimum);
				let serving = Session::validators();
				assert!(!serving.is_empty());
				assert!(barred().len() <= (serving.len() - 1) / 3);
				let keys = serving.iter().map(|who| Session::load_keys(who).is_some());
				assert!(keys.into_iter().all(|has_keys| has_keys));
			}
		});
	}
}
