//! A pallet to be voted on: it notes who called it, fails when it is told to, and calls back into motions.

pub use pallet::*;

#[frame_support::pallet]
pub mod pallet {
	use dpki_primitives::motion::{Electorate, MotionId, Reason};
	use frame_support::{pallet_prelude::*, weights::Weight};
	use frame_system::pallet_prelude::*;

	/// See the module.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config + crate::Config {
		/// Who is noted.
		type Noted: EnsureOrigin<<Self as frame_system::Config>::RuntimeOrigin, Success = Electorate>;
	}

	/// How often each mark was noted, and by whom last.
	#[pallet::storage]
	pub type Marks<T: Config> = StorageMap<_, Twox64Concat, u32, (u32, Electorate), OptionQuery>;

	/// Why the probe failed.
	#[pallet::error]
	pub enum Error<T> {
		/// It was told to.
		ToldTo,
	}

	/// Calls that are voted on.
	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Notes `mark`.
		#[pallet::call_index(0)]
		#[pallet::weight(Weight::from_parts(1_000_000, 1_000))]
		pub fn note(origin: OriginFor<T>, mark: u32) -> DispatchResult {
			let by = T::Noted::ensure_origin(origin)?;
			Marks::<T>::mutate(mark, |noted| {
				let times = noted.take().map_or(0, |(times, _)| times);
				*noted = Some((times + 1, by));
			});
			Ok(())
		}

		/// Notes `mark`, then fails.
		#[pallet::call_index(1)]
		#[pallet::weight(Weight::from_parts(2_000_000, 2_000))]
		pub fn note_and_fail(origin: OriginFor<T>, mark: u32) -> DispatchResult {
			Self::note(origin, mark)?;
			Err(Error::<T>::ToldTo.into())
		}

		/// Weighs `declared` but uses only `used`.
		#[pallet::call_index(2)]
		#[pallet::weight(*declared)]
		pub fn weigh(
			_origin: OriginFor<T>,
			declared: Weight,
			used: Weight,
		) -> DispatchResultWithPostInfo {
			let _ = declared;
			Ok(Some(used).into())
		}

		/// Votes for `motion` in the name of `voter`, and passes the refusal on.
		#[pallet::call_index(3)]
		#[pallet::weight(Weight::from_parts(1_000_000, 1_000))]
		pub fn vote_again(
			_origin: OriginFor<T>,
			voter: T::AccountId,
			motion: MotionId,
		) -> DispatchResult {
			let origin = frame_system::RawOrigin::Signed(voter).into();
			let bound = Weight::from_parts(10_000_000, 10_000);
			crate::Pallet::<T>::vote(origin, motion, true, Reason::default(), 1_000, bound)
				.map(|_| ())
				.map_err(|refused| refused.error)
		}
	}
}
