//! The consortium's validators: what is on record about each, and how many there may be.

use crate::ids::OrganisationId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The number of a session, counted from 0.
pub type SessionIndex = u32;

/// What the consortium has decided about a validator.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ValidatorStanding {
	/// It serves, as soon as it has session keys.
	#[codec(index = 0)]
	Enabled,
	/// It keeps its seat and its keys, and does not serve.
	#[codec(index = 1)]
	Disabled,
	/// It is on its way out, and forgotten when it serves no more.
	#[codec(index = 2)]
	Leaving,
}

impl ValidatorStanding {
	/// The standing in one word, as clients print it.
	pub const fn name(self) -> &'static str {
		match self {
			Self::Enabled => "enabled",
			Self::Disabled => "disabled",
			Self::Leaving => "leaving",
		}
	}
}

/// A validator as stored.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ValidatorRecord<AccountId> {
	/// Who it is. It signs for the session keys of its node.
	pub account: AccountId,
	/// Who runs it.
	pub organisation: OrganisationId,
	/// What the consortium has decided about it.
	pub standing: ValidatorStanding,
	/// The first session whose offences count: those before the last decision in its favour are forgiven with it.
	pub answers_from: SessionIndex,
	/// The session of the last double vote that was proven of it, since that decision. One that is enabled all the same
	/// was kept because without it there would be too few.
	pub caught: Option<SessionIndex>,
}

impl<AccountId> ValidatorRecord<AccountId> {
	/// Whether it may not make blocks while it is still in the set.
	pub const fn is_barred(&self) -> bool {
		matches!(self.standing, ValidatorStanding::Disabled) || self.caught.is_some()
	}
}

/// How many validators there may be.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ValidatorBounds {
	/// No decision and no offence leaves fewer of them that serve; at least 1.
	pub minimum: u32,
	/// No more are admitted; those who are disabled count, those who are leaving do not.
	pub maximum: u32,
}

/// How many of a set may be kept from making blocks at once: as many as the set can do without, less than a third of it.
pub const fn most_barred(validators: u32) -> u32 {
	validators.saturating_sub(1) / 3
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_words_are_distinct_and_can_be_typed() {
		use ValidatorStanding::{Disabled, Enabled, Leaving};
		crate::assert_distinct_words(&[Enabled, Disabled, Leaving].map(ValidatorStanding::name));
	}

	#[test]
	fn a_set_goes_on_without_those_who_are_barred() {
		assert_eq!([0, 1, 3, 4, 6, 7, 100].map(most_barred), [0, 0, 0, 1, 1, 2, 33]);
	}
}
