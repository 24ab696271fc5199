//! What may stand on the command line for prices and quotas.

use super::amount;
use clap::{
	ValueEnum,
	builder::{PossibleValuesParser, TypedValueParser},
};
use dpki_primitives::economy::{Operation, QuotaPolicy, ResourceKind};
use std::str::FromStr;

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
	/// Yes
	On,
	/// No
	Off,
}

impl From<OnOff> for bool {
	fn from(switch: OnOff) -> Self {
		switch == OnOff::On
	}
}

/// A quota: `CAPACITY:REFILL`, the refill per block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota(pub QuotaPolicy);

impl FromStr for Quota {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let number = |text: &str| amount(text).ok().and_then(|number| u64::try_from(number).ok());
		text.split_once(':')
			.and_then(|(capacity, refill)| number(capacity).zip(number(refill)))
			.map(|(capacity, refill)| Self(QuotaPolicy { capacity, refill }))
			.ok_or_else(|| "write CAPACITY:REFILL, such as 2_000_000:8_000".to_owned())
	}
}

/// Parses an operation by its name.
pub fn operation_parser() -> impl TypedValueParser<Value = Operation> {
	PossibleValuesParser::new(Operation::ALL.map(Operation::name))
		.try_map(|name| Operation::from_name(&name).ok_or("unknown operation"))
}

/// Parses a kind of resource by its name.
pub fn resource_parser() -> impl TypedValueParser<Value = ResourceKind> {
	PossibleValuesParser::new(ResourceKind::ALL.map(ResourceKind::name))
		.try_map(|name| ResourceKind::from_name(&name).ok_or("unknown kind of resource"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_quota_has_a_capacity_and_a_refill() {
		let quota = QuotaPolicy { capacity: 2_000_000, refill: 8_000 };
		assert_eq!("2_000_000:8000".parse(), Ok(Quota(quota)));
		for bad in ["", "5", "5:", ":5", "5:x", "-1:5", "18446744073709551616:1"] {
			assert!(bad.parse::<Quota>().is_err(), "{bad}");
		}
	}
}
