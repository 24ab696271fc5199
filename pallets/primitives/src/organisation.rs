//! Organisations: the namespaces in which accounts act.

use crate::{
	Moment,
	ids::{Name, OrganisationId},
	motion::Body,
};
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
	/// Approves deliveries under the policy [`DeliveryPolicy::Watchdogs`], and decides by vote about that policy and about who
	/// is a watchdog.
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

	/// This set without the roles of `other`.
	pub const fn without(self, other: RoleSet) -> Self {
		RoleSet(self.0 & !other.0)
	}

	/// The roles that are in exactly one of the two sets: what changes from one to the other.
	pub const fn changed(self, other: RoleSet) -> Self {
		RoleSet(self.0 ^ other.0)
	}

	/// Whether every role of this set is in `other`.
	pub const fn is_subset_of(self, other: RoleSet) -> bool {
		self.without(other).is_empty()
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
	/// How many of them are watchdogs.
	pub watchdogs: u32,
	/// How its deliveries are approved.
	pub policy: DeliveryPolicy,
}

/// How an organisation approves its deliveries. It also protects itself: who could undermine it by changing members
/// has to meet it first.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum DeliveryPolicy {
	/// A publisher publishes. Any administrator changes members and policy alone.
	#[default]
	#[codec(index = 0)]
	Simple,
	/// An anchor manager signs the content, another account publishes it, and an anchor manager approves what was published,
	/// see [`ApprovalRule`](crate::approval::ApprovalRule). Two administrators change the policy and the roles on which it
	/// rests.
	#[codec(index = 1)]
	MultiAdmin,
	/// So many of the watchdogs approve. They alone change the policy, and who is one of them.
	#[codec(index = 2)]
	Watchdogs {
		/// How many have to approve; at least 1.
		needed: u32,
	},
}

impl DeliveryPolicy {
	/// The policy in one word, as clients print and take it; how many watchdogs are needed stands beside it.
	pub const fn name(self) -> &'static str {
		match self {
			Self::Simple => "simple",
			Self::MultiAdmin => "multi-admin",
			Self::Watchdogs { .. } => "watchdogs",
		}
	}

	/// The roles that no administrator gives or takes alone under this policy.
	pub const fn guarded_roles(self) -> RoleSet {
		match self {
			Self::Simple => RoleSet::EMPTY,
			// One who could appoint the approver or the publisher, or a second administrator, would be two.
			Self::MultiAdmin => RoleSet::EMPTY
				.with(Role::Administrator)
				.with(Role::AnchorManager)
				.with(Role::Publisher),
			Self::Watchdogs { .. } => RoleSet::EMPTY.with(Role::Watchdog),
		}
	}

	/// The body that changes this policy by vote.
	pub const fn body(self) -> Body {
		match self {
			Self::Simple | Self::MultiAdmin => Body::Administrators,
			Self::Watchdogs { .. } => Body::Watchdogs,
		}
	}

	/// Whether so many administrators and watchdogs can meet this policy.
	pub const fn is_met_by(self, administrators: u32, watchdogs: u32) -> bool {
		match self {
			Self::Simple => administrators >= 1,
			Self::MultiAdmin => administrators >= 2,
			Self::Watchdogs { needed } => administrators >= 1 && needed >= 1 && watchdogs >= needed,
		}
	}
}

/// A member's offer to move its membership to another account.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct HandOver<AccountId, BlockNumber> {
	/// The account that may accept.
	pub to: AccountId,
	/// The last block in which it may.
	pub expires_at: BlockNumber,
}

/// On whose authority something is done in an organisation.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Authority<AccountId> {
	/// One account.
	#[codec(index = 0)]
	Account(AccountId),
	/// A body of the organisation itself, by vote.
	#[codec(index = 1)]
	Body(Body),
	/// The council, by vote.
	#[codec(index = 2)]
	Council,
}

/// An invitation to become a member, until the account accepts it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Invitation<AccountId, BlockNumber> {
	/// The account that may accept.
	pub account: AccountId,
	/// The roles that it gets.
	pub roles: RoleSet,
	/// Who gives them: whoever could not do so any more when it is accepted gives nothing.
	pub by: Authority<AccountId>,
	/// The last block in which it can be accepted.
	pub expires_at: BlockNumber,
}

/// A pending appointment to a body whose keys were lost.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Recovery<AccountId, BlockNumber> {
	/// Who is to get a seat.
	pub account: AccountId,
	/// In which body.
	pub body: Body,
	/// The first block in which the account can take the seat; until it does, the body can object.
	pub ready_at: BlockNumber,
}

/// What the other pallets may ask about organisations.
pub trait Organisations<AccountId> {
	/// Whether the organisation exists.
	fn exists(organisation: OrganisationId) -> bool;

	/// Whether `who` holds `role` in `organisation`.
	fn has_role(organisation: OrganisationId, who: &AccountId, role: Role) -> bool;

	/// Whether `who` holds any role in `organisation`.
	fn is_member(organisation: OrganisationId, who: &AccountId) -> bool {
		Role::ALL.into_iter().any(|role| Self::has_role(organisation, who, role))
	}

	/// Makes `who` the sole administrator, with every role, of an organisation of this name; for benchmarks of
	/// other pallets.
	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &AccountId) -> OrganisationId;
}

/// Who may change what an organisation has settled.
pub trait Governance<Origin> {
	/// Why somebody may not.
	type Error;

	/// That `origin` is the authority by which this organisation changes its policy: any administrator alone where it
	/// trusts one, else the body that decides by vote.
	fn ensure_governs(origin: Origin, organisation: OrganisationId) -> Result<(), Self::Error>;
}

/// What those who take deliveries ask.
pub trait DeliveryPolicies {
	/// How this organisation approves its deliveries; `None` if there is no such organisation.
	fn delivery_policy(organisation: OrganisationId) -> Option<DeliveryPolicy>;

	/// Makes these accounts the watchdogs of an organisation, all of whom have to approve; for benchmarks of other
	/// pallets.
	#[cfg(feature = "runtime-benchmarks")]
	fn watch_for_benchmark(organisation: OrganisationId, watchdogs: &[[u8; 32]]);
}

/// Whether anything belongs to an organisation: what has to be known before it can be dissolved.
///
/// A tuple holds nothing if none of its parts does. There is deliberately no implementation for `()`: a runtime has to
/// name everything that can belong to an organisation.
pub trait Belongings {
	/// Whether nothing is, or ever was, registered for this organisation.
	fn is_empty(organisation: OrganisationId) -> bool;
}

impl<A: Belongings, B: Belongings> Belongings for (A, B) {
	fn is_empty(organisation: OrganisationId) -> bool {
		A::is_empty(organisation) && B::is_empty(organisation)
	}
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
	fn what_changes_between_two_sets_is_in_exactly_one_of_them() {
		let before: RoleSet = [Role::Publisher, Role::Registrar].into_iter().collect();
		let after: RoleSet = [Role::Publisher, Role::Watchdog].into_iter().collect();
		let changed: RoleSet = [Role::Registrar, Role::Watchdog].into_iter().collect();
		assert_eq!(before.changed(after), changed);
		assert_eq!(after.changed(before), changed);
		assert!(changed.is_subset_of(RoleSet::ALL) && !RoleSet::ALL.is_subset_of(changed));
		assert!(RoleSet::EMPTY.is_subset_of(RoleSet::EMPTY));
		assert_eq!(before.without(after), RoleSet::EMPTY.with(Role::Registrar));
	}

	#[test]
	fn a_policy_is_met_by_no_fewer_than_it_names() {
		assert!(DeliveryPolicy::Simple.is_met_by(1, 0) && !DeliveryPolicy::Simple.is_met_by(0, 9));
		assert!(DeliveryPolicy::MultiAdmin.is_met_by(2, 0));
		assert!(!DeliveryPolicy::MultiAdmin.is_met_by(1, 9));
		let watchdogs = |needed| DeliveryPolicy::Watchdogs { needed };
		assert!(watchdogs(2).is_met_by(1, 2) && !watchdogs(2).is_met_by(1, 1));
		assert!(!watchdogs(0).is_met_by(1, 1) && !watchdogs(1).is_met_by(0, 1));
	}

	#[test]
	fn every_policy_guards_the_roles_on_which_it_rests() {
		assert!(DeliveryPolicy::Simple.guarded_roles().is_empty());
		for role in Role::ALL {
			assert_eq!(
				DeliveryPolicy::MultiAdmin.guarded_roles().contains(role),
				matches!(role, Role::Administrator | Role::AnchorManager | Role::Publisher)
			);
			assert_eq!(
				DeliveryPolicy::Watchdogs { needed: 1 }.guarded_roles().contains(role),
				role == Role::Watchdog
			);
		}
	}

	struct Holds<const ANYTHING: bool>;

	impl<const ANYTHING: bool> Belongings for Holds<ANYTHING> {
		fn is_empty(_: OrganisationId) -> bool {
			!ANYTHING
		}
	}

	#[test]
	fn who_holds_anything_anywhere_is_not_empty() {
		let id = OrganisationId::from_name(b"acme");
		assert!(<(Holds<false>, Holds<false>)>::is_empty(id));
		assert!(!<(Holds<true>, Holds<false>)>::is_empty(id));
		assert!(!<(Holds<false>, Holds<true>)>::is_empty(id));
	}

	#[test]
	fn each_kind_and_each_role_has_a_word_of_its_own() {
		crate::assert_distinct_words(&OrganisationKind::ALL.map(OrganisationKind::name));
		crate::assert_distinct_words(&Role::ALL.map(Role::name));
		crate::assert_distinct_words(&[
			DeliveryPolicy::Simple.name(),
			DeliveryPolicy::MultiAdmin.name(),
			DeliveryPolicy::Watchdogs { needed: 1 }.name(),
		]);
	}

	#[test]
	fn unknown_role_bits_do_not_decode() {
		assert!(RoleSet::decode(&mut &[0b0010_0000u8][..]).is_err());
		assert_eq!(RoleSet::decode(&mut &[0b0001_1111u8][..]), Ok(RoleSet::ALL));
	}
}
