//! Benchmarks: every call at its longest path and with its largest arguments.
//!
//! All motions are the council's. Its seats are read as one list, which is searched once per ballot; ballots beyond the
//! seats that the council can have belong to accounts without a seat, which costs the same. What an organisation costs more
//! is added where the weights are used (`Pallet::reads_of_seats`).

use crate::{Ballots, Call, Config, Motions, NextMotion, Pallet};
use alloc::boxed::Box;
use dpki_primitives::motion::{
	Ballot, Electorate, Electorates, MAX_REASON_LEN, MotionId, MotionState, Reason,
};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		Get,
		fungible::{Inspect, Mutate},
	},
	weights::Weight,
};
use frame_system::RawOrigin;
use sp_runtime::{Saturating, traits::One};

const COUNCIL: Electorate = Electorate::Council;

/// How many seats are added at most: a council of a hundred has room for them beside those of its genesis.
fn most_seats<T: Config>() -> u32 {
	T::MaxVotes::get().min(90)
}

fn longest_reason() -> Reason {
	Reason::truncate_from(alloc::vec![b'r'; MAX_REASON_LEN as usize])
}

fn seated<T: Config>(index: u32) -> T::AccountId {
	let who: T::AccountId = account("trustee", index, 0);
	T::Electorates::add_seat_for_benchmark(&COUNCIL, &who);
	who
}

/// A call whose encoding is about as long as a call can be, at most `length` bytes.
fn remark<T: Config>(length: u32) -> Box<<T as Config>::RuntimeCall>
where
	<T as Config>::RuntimeCall: From<frame_system::Call<T>>,
{
	// The rest is for the indices of pallet and call, and the length of the remark.
	let remark = alloc::vec![0; length.saturating_sub(8) as usize];
	Box::new(frame_system::Call::<T>::remark { remark }.into())
}

fn endow<T: Config>(who: &T::AccountId)
where
	T::Currency: Mutate<T::AccountId>,
{
	let deposit = T::ByteDeposit::get()
		.saturating_mul(T::MaxCallLen::get().into())
		.saturating_add(T::BaseDeposit::get())
		.saturating_add(T::Currency::minimum_balance());
	T::Currency::set_balance(who, deposit.saturating_mul(2u32.into()));
}

/// An open motion with `votes` ballots, so that one more vote in favour, or against it, decides.
fn on_the_brink<T: Config>(votes: u32, length: u32, aye: bool) -> (MotionId, T::AccountId)
where
	<T as Config>::RuntimeCall: From<frame_system::Call<T>>,
	T::Currency: Mutate<T::AccountId>,
{
	let seats = votes.min(most_seats::<T>());
	let last: T::AccountId = whitelisted_caller();
	T::Electorates::add_seat_for_benchmark(&COUNCIL, &last);
	let trustees: alloc::vec::Vec<_> = (0..seats).map(seated::<T>).collect();
	let proposer = trustees.first().cloned().unwrap_or_else(|| last.clone());
	endow::<T>(&proposer);
	let id = NextMotion::<T>::get();
	Pallet::<T>::propose(
		RawOrigin::Signed(proposer).into(),
		COUNCIL,
		remark::<T>(length),
		T::MaxPeriod::get(),
		longest_reason(),
	)
	.expect("a trustee with funds proposes");
	for index in 0..votes {
		let voter = trustees
			.get(index as usize)
			.cloned()
			.unwrap_or_else(|| account("former trustee", index, 0));
		let at = frame_system::Pallet::<T>::block_number();
		Ballots::<T>::insert(id, voter, Ballot { aye, reason: longest_reason(), at });
	}
	Motions::<T>::mutate(id, |motion| {
		motion.as_mut().expect("it was just proposed").ballots = votes;
	});
	(id, last)
}

#[benchmarks(where
	<T as Config>::RuntimeCall: From<frame_system::Call<T>>,
	T::Currency: Mutate<T::AccountId>,
)]
mod benchmarks {
	use super::*;

	/// A proposal that is not decided by its proposer.
	#[benchmark]
	fn propose(b: Linear<8, { T::MaxCallLen::get() }>) {
		let proposer: T::AccountId = whitelisted_caller();
		T::Electorates::add_seat_for_benchmark(&COUNCIL, &proposer);
		(0..3).for_each(|index| {
			seated::<T>(index);
		});
		endow::<T>(&proposer);
		let call = remark::<T>(b);
		let id = NextMotion::<T>::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(proposer), COUNCIL, call, T::MaxPeriod::get(), longest_reason());

		assert_eq!(Motions::<T>::get(id).map(|motion| motion.state), Some(MotionState::Open));
	}

	/// A vote that decides nothing: so many ballots, but only of accounts without a seat.
	#[benchmark]
	fn vote(v: Linear<1, { T::MaxVotes::get() - 1 }>) {
		let (id, voter) = on_the_brink::<T>(1, 8, true);
		(0..most_seats::<T>()).for_each(|index| {
			seated::<T>(index);
		});
		for index in 1..v {
			let voter: T::AccountId = account("former trustee", index, 0);
			let at = frame_system::Pallet::<T>::block_number();
			let ballot = Ballot { aye: true, reason: longest_reason(), at };
			Ballots::<T>::insert(id, voter, ballot);
		}
		Motions::<T>::mutate(id, |motion| {
			motion.as_mut().expect("it was just proposed").ballots = v;
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(voter), id, true, longest_reason(), 0, Weight::zero());

		assert_eq!(Motions::<T>::get(id).map(|motion| motion.state), Some(MotionState::Open));
	}

	/// The vote that rejects. From ten votes on, those who have a seat from genesis need not vote.
	#[benchmark]
	fn reject(v: Linear<10, { T::MaxVotes::get() - 1 }>) {
		let (id, voter) = on_the_brink::<T>(v, 8, false);

		#[extrinsic_call]
		vote(RawOrigin::Signed(voter), id, false, longest_reason(), 0, Weight::zero());

		assert_eq!(
			Motions::<T>::get(id).map(|motion| motion.state),
			Some(MotionState::Rejected { at: frame_system::Pallet::<T>::block_number() })
		);
	}

	/// The vote that carries, with a call that does nothing.
	#[benchmark]
	fn carry(v: Linear<10, { T::MaxVotes::get() - 1 }>, b: Linear<8, { T::MaxCallLen::get() }>) {
		let (id, voter) = on_the_brink::<T>(v, b, true);
		let (length, weight) = Pallet::<T>::call_bounds(id).expect("it was just proposed");

		#[extrinsic_call]
		vote(RawOrigin::Signed(voter), id, true, longest_reason(), length, weight);

		assert!(matches!(
			Motions::<T>::get(id).map(|motion| motion.state),
			Some(MotionState::Carried { .. })
		));
	}

	#[benchmark]
	fn withdraw() {
		let (id, _) = on_the_brink::<T>(3, 8, true);
		let proposer = Motions::<T>::get(id).expect("it was just proposed").proposer;

		#[extrinsic_call]
		_(RawOrigin::Signed(proposer), id, longest_reason());

		assert!(matches!(
			Motions::<T>::get(id).map(|motion| motion.state),
			Some(MotionState::Withdrawn { .. })
		));
	}

	#[benchmark]
	fn close() {
		let (id, anyone) = on_the_brink::<T>(3, 8, true);
		let deadline = Motions::<T>::get(id).expect("it was just proposed").deadline;
		frame_system::Pallet::<T>::set_block_number(deadline.saturating_add(One::one()));

		#[extrinsic_call]
		_(RawOrigin::Signed(anyone), id);

		assert!(matches!(
			Motions::<T>::get(id).map(|motion| motion.state),
			Some(MotionState::Expired { .. })
		));
	}

	/// A look at the queue whose oldest entry is not due.
	#[benchmark]
	fn on_idle_base() {
		let (id, _) = on_the_brink::<T>(3, 8, true);
		let proposer = Motions::<T>::get(id).expect("it was just proposed").proposer;
		Pallet::<T>::withdraw(RawOrigin::Signed(proposer).into(), id, longest_reason())
			.expect("its proposer withdraws");
		let now = frame_system::Pallet::<T>::block_number();

		#[block]
		{
			Pallet::<T>::forget_closed(now, Weight::MAX);
		}

		assert!(Motions::<T>::contains_key(id));
	}

	#[benchmark]
	fn forget(v: Linear<1, { T::MaxVotes::get() }>) {
		let (id, _) = on_the_brink::<T>(v, T::MaxCallLen::get(), true);
		let proposer = Motions::<T>::get(id).expect("it was just proposed").proposer;
		Pallet::<T>::withdraw(RawOrigin::Signed(proposer).into(), id, longest_reason())
			.expect("its proposer withdraws");

		#[block]
		{
			Pallet::<T>::forget(id);
		}

		assert!(!Motions::<T>::contains_key(id));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
