//! An economy in which nothing has a price, as long as somebody has money at all.

use dpki_primitives::economy::{Economy, FundsMissing, Operation, Resource};
use sp_runtime::AccountId32;
use std::cell::Cell;

/// What everybody is able to pay. It leaves out prices, and whose money it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Purse {
	/// Everything.
	#[default]
	Full,
	/// Fees, but no deposits.
	WithoutDeposits,
	/// Nothing.
	Empty,
}

std::thread_local! {
	static PURSE: Cell<Purse> = Cell::default();
}

impl Purse {
	pub fn set(self) {
		PURSE.set(self);
	}
}

impl Economy<AccountId32> for Purse {
	fn charge(_: &AccountId32, _: Operation, _: u32) -> Result<(), FundsMissing> {
		if PURSE.get() == Self::Empty { Err(FundsMissing) } else { Ok(()) }
	}

	fn waive(_: &AccountId32, _: u64) -> Result<bool, FundsMissing> {
		unreachable!("the registry has no schedule of its own")
	}

	fn hold(_: &AccountId32, _: Resource) -> Result<(), FundsMissing> {
		if PURSE.get() == Self::Full { Ok(()) } else { Err(FundsMissing) }
	}

	fn pass_on(_: Resource, _: Resource) {}

	fn release(_: Resource) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(_: &AccountId32) {}
}
