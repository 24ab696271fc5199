//! Many calls in an order that nobody chose: the state stays possible, and who is revoked stays revoked.

use super::mock::*;
use dpki_primitives::{revocation::RevocationReason, status::Status};
use frame_support::assert_ok;
use std::collections::BTreeSet;

/// Numbers that look random and are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
	fn below(&mut self, end: u64) -> u64 {
		self.0 ^= self.0 >> 12;
		self.0 ^= self.0 << 25;
		self.0 ^= self.0 >> 27;
		(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
	}
}

#[test]
fn no_order_of_calls_brings_anybody_back() {
	for seed in 1..=20 {
		let mut numbers = Numbers(seed * 0x9e37_79b9);
		run(|| {
			// Leaves of the current head and of the candidate, as the organisation knows them.
			let (mut current, mut candidate) = (vec![], vec![]);
			let mut revoked = BTreeSet::new();
			for step in 0..120u8 {
				TestTime::set(NOW + u64::from(step) * 1_000);
				match numbers.below(8) {
					0 | 1 => {
						let size = numbers.below(40) as u32 + 1;
						let next = leaves(size, step);
						if commit(cut(&next).0).is_ok() {
							candidate = next;
						}
					},
					2 => {
						let size = current.len() as u32 + numbers.below(5) as u32;
						let next = leaves(size, step);
						let rotate = Call::rotate {
							fleet: drones(),
							commitment: if size == 0 { commitment(1, step) } else { cut(&next).0 },
							grace: numbers.below(5_000),
						};
						if transact(REGISTRAR, rotate).is_ok() {
							candidate = next;
						}
					},
					3 if !current.is_empty() => {
						let mut next = current.clone();
						let size = current.len() as u32;
						next.extend((size..size + 3).map(|index| leaf(index, step)));
						let append = Call::append {
							fleet: drones(),
							commitment: cut(&next).0,
							grace: numbers.below(5_000),
							proof: prove_growth(&next, size),
						};
						assert_ok!(transact(REGISTRAR, append));
						candidate = next;
					},
					4 => {
						if transact(REGISTRAR, Call::withdraw { fleet: drones() }).is_ok() {
							candidate = vec![];
						}
					},
					5 => {
						let member = numbers.below(45) as u32;
						let reason = RevocationReason::ALL[numbers.below(8) as usize];
						let chunks = masks(&[member]);
						let call = Call::revoke_members { fleet: drones(), chunks, reason };
						if transact(REGISTRAR, call).is_ok() {
							assert!(revoked.insert(member), "{member} was revoked before");
						}
					},
					_ => {
						let voter = VOTERS[numbers.below(4) as usize];
						let record = Pallet::fleet(drones());
						let revision =
							record.as_ref().map_or(0, |it| it.revisions.saturating_sub(1));
						let _ = vote(voter, revision, numbers.below(4) > 0);
						let now = Pallet::fleet(drones()).and_then(|it| it.current);
						if now.map(|it| it.revision)
							!= record.and_then(|it| it.current).map(|it| it.revision)
						{
							current = std::mem::take(&mut candidate);
						}
					},
				}
				assert_ok!(Pallet::do_try_state());
				for index in 0..current.len() as u32 {
					let verdict = Pallet::member_status(&prove(&current, index));
					let is_revoked = matches!(verdict, Status::Revoked(_));
					assert_eq!(is_revoked, revoked.contains(&index), "{index}: {verdict:?}");
				}
			}
		});
	}
}
