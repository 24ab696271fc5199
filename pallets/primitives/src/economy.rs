//! What things cost, what is held for them, and how much can be done for nothing.
//!
//! Who pays is bounded by what it pays. Who pays nothing, a device or a member of a consortium without fees, is bounded by
//! a [`Bucket`].

mod bucket;
mod tariff;

pub use bucket::{Bucket, Exhausted, QuotaPolicy, Quotas};
pub use tariff::{
	Allowance, Departures, Deposit, Economy, FundsMissing, MAX_SPONSORS, Operation, QuotaPolicies,
	Resource, ResourceKind, Sponsors, UNITS_PER_APPLICATION, UNITS_PER_COMMITMENT,
};
