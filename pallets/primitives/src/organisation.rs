//! Organisations: the namespaces in which accounts act.

use crate::{Moment, ids::Name, ids::OrganisationId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What an organisation is in the ecosystem.
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
pub enum OrganisationKind {
	/// Makes devices.
	#[codec(index = 0)]
	Manufacturer,
	/// Tests devices against standards.
	#[codec(index = 1)]
	TestLab,
	/// Publishes standards.
	#[codec(index = 2)]
	StandardsBody,
	/// Supervises by law.
	#[codec(index = 3)]
	Regulator,
	/// Runs a network that devices join.
	#[codec(index = 4)]
	EcosystemOperator,
	/// Runs devices or services for others.
	#[codec(index = 5)]
	ServiceProvider,
}

impl OrganisationKind {
	/// Every kind.
	pub const ALL: [OrganisationKind; 6] = [
		OrganisationKind::Manufacturer,
		OrganisationKind::TestLab,
		OrganisationKind::StandardsBody,
		OrganisationKind::Regulator,
		OrganisationKind::EcosystemOperator,
		OrganisationKind::ServiceProvider,
	];

	/// The kind in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			OrganisationKind::Manufacturer => "manufacturer",
			OrganisationKind::TestLab => "test-lab",
			OrganisationKind::StandardsBody => "standards-body",
			OrganisationKind::Regulator => "regulator",
			OrganisationKind::EcosystemOperator => "ecosystem-operator",
			OrganisationKind::ServiceProvider => "service-provider",
		}
	}
}

/// What a member may do for its organisation. A member holds any set of roles.
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
pub enum Role {
	/// Changes the members and their roles.
	#[codec(index = 0)]
	Administrator,
	/// Adds, retires and revokes trust anchors and what was signed under them.
	#[codec(index = 1)]
	AnchorManager,
	/// Issues vouchers, registers and revokes devices and their keys.
	#[codec(index = 2)]
	Registrar,
	/// Publishes deliveries.
	#[codec(index = 3)]
	Publisher,
	/// Is to approve deliveries under an m-of-n policy. Nothing asks for its approval yet: the role can be given, and
	/// has no effect.
	#[codec(index = 4)]
	Watchdog,
}

impl Role {
	/// Every role, in the order of their bits.
	pub const ALL: [Role; 5] = [
		Role::Administrator,
		Role::AnchorManager,
		Role::Registrar,
		Role::Publisher,
		Role::Watchdog,
	];

	/// The role in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			Role::Administrator => "administrator",
			Role::AnchorManager => "anchor-manager",
			Role::Registrar => "registrar",
			Role::Publisher => "publisher",
			Role::Watchdog => "watchdog",
		}
	}

	const fn bit(self) -> u8 {
		1 << self as u8
	}
}

/// A set of [`Role`]s: bit *n* stands for the role with index *n*; unknown bits do not decode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, MaxEncodedLen, TypeInfo)]
pub struct RoleSet(u8);

impl RoleSet {
	/// No role at all.
	pub const EMPTY: RoleSet = RoleSet(0);
	/// Every role.
	pub const ALL: RoleSet = RoleSet((1 << Role::ALL.len()) - 1);

	/// This set and `role`.
	pub const fn with(self, role: Role) -> Self {
		RoleSet(self.0 | role.bit())
	}

	/// Whether `role` is in the set.
	pub const fn contains(self, role: Role) -> bool {
		self.0 & role.bit() != 0
	}

	/// Whether there is no role in the set.
	pub const fn is_empty(self) -> bool {
		self.0 == 0
	}

	/// The roles of the set, in the order of [`Role::ALL`].
	pub fn iter(self) -> impl Iterator<Item = Role> {
		Role::ALL.into_iter().filter(move |role| self.contains(*role))
	}
}

impl Decode for RoleSet {
	fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
		let bits = u8::decode(input)?;
		if bits & !Self::ALL.0 != 0 {
			return Err("RoleSet holds a bit that stands for no role".into());
		}
		Ok(Self(bits))
	}
}

impl DecodeWithMemTracking for RoleSet {}

impl FromIterator<Role> for RoleSet {
	fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
		roles.into_iter().fold(Self::EMPTY, Self::with)
	}
}

/// An organisation as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct OrganisationRecord {
	/// Unique name, see [`crate::ids::is_valid_name`].
	pub name: Name,
	/// What it is.
	pub kind: OrganisationKind,
	/// When it was created.
	pub created_at: Moment,
	/// How many members it has.
	pub members: u32,
	/// How many of them are administrators; never zero.
	pub administrators: u32,
}

/// What the other pallets may ask about organisations.
pub trait Organisations<AccountId> {
	/// Whether the organisation exists.
	fn exists(organisation: OrganisationId) -> bool;

	/// Whether `who` holds `role` in `organisation`.
	fn has_role(organisation: OrganisationId, who: &AccountId, role: Role) -> bool;

	/// Makes `who` the sole administrator, with every role, of an organisation of this name; for benchmarks of
	/// other pallets.
	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &AccountId) -> OrganisationId;
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_role_set_holds_what_was_put_in() {
		let set: RoleSet = [Role::Publisher, Role::Registrar].into_iter().collect();
		assert!(set.contains(Role::Publisher) && set.contains(Role::Registrar));
		assert!(!set.contains(Role::Administrator));
		assert_eq!(set.iter().count(), 2);
		assert_eq!(Role::ALL.into_iter().collect::<RoleSet>(), RoleSet::ALL);
	}

	#[test]
	fn each_kind_and_each_role_has_a_word_of_its_own() {
		crate::assert_distinct_words(&OrganisationKind::ALL.map(OrganisationKind::name));
		crate::assert_distinct_words(&Role::ALL.map(Role::name));
	}

	#[test]
	fn unknown_role_bits_do_not_decode() {
		assert!(RoleSet::decode(&mut &[0b0010_0000u8][..]).is_err());
		assert_eq!(RoleSet::decode(&mut &[0b0001_1111u8][..]), Ok(RoleSet::ALL));
	}
}
