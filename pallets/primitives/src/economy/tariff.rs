//! What is charged for, what deposits are held for, and the traits by which pallets ask for both.

use super::QuotaPolicy;
use crate::ids::{AnchorId, CertificateId, DeviceId, FleetId, KeyId, OrganisationId, VoucherId};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// The most organisations of an account whose quotas are tried.
pub const MAX_SPONSORS: u32 = 4;

/// What a commitment of a fleet takes from quotas for each
/// [`MEMBERS_PER_COMMITMENT_FEE`](crate::fleet::MEMBERS_PER_COMMITMENT_FEE) members begun: a unit for sixteen of them, which
/// every validator fetches and hashes, and whose revocations take as many bytes of the state and more.
pub const UNITS_PER_COMMITMENT: u64 = 4_096;

/// What an application for a certificate takes from quotas where its price is [waived](Economy::waive): a unit is a byte of
/// the state, and this is no less than an application, all votes on it, its certificate and all endorsements of that can take.
/// The last two stay for ever.
pub const UNITS_PER_APPLICATION: u64 = 8_192;

/// An operation that has a fee of its own, beside that of its transaction. What takes something away (revoke, retire,
/// cancel, remove) never has one: nobody must hesitate to end what has to end.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Operation {
	/// Register an SSH CA.
	#[codec(index = 0)]
	RegisterSshAnchor,
	/// Register an X.509 root or sub-CA.
	#[codec(index = 1)]
	RegisterX509Anchor,
	/// Issue a voucher, which pays for the enrolment too.
	#[codec(index = 2)]
	IssueVoucher,
	/// Register another key of a device.
	#[codec(index = 3)]
	RegisterKey,
	/// Replace a key of a device by another one.
	#[codec(index = 4)]
	ReplaceKey,
	/// Register a key as part of a batch, or append it to a roll; per key.
	#[codec(index = 5)]
	BatchKey,
	/// Publish a delivery.
	#[codec(index = 6)]
	PublishDelivery,
	/// Propose a commitment of a fleet; for each [`MEMBERS_PER_COMMITMENT_FEE`](crate::fleet::MEMBERS_PER_COMMITMENT_FEE)
	/// of its members.
	#[codec(index = 7)]
	CommitFleet,
	/// Publish a tile of a fleet.
	#[codec(index = 8)]
	PublishTile,
}

impl Operation {
	/// Every operation.
	pub const ALL: [Operation; 9] = [
		Operation::RegisterSshAnchor,
		Operation::RegisterX509Anchor,
		Operation::IssueVoucher,
		Operation::RegisterKey,
		Operation::ReplaceKey,
		Operation::BatchKey,
		Operation::PublishDelivery,
		Operation::CommitFleet,
		Operation::PublishTile,
	];

	/// The operation in one word, as clients and genesis configurations name it.
	pub const fn name(self) -> &'static str {
		match self {
			Operation::RegisterSshAnchor => "register-ssh-anchor",
			Operation::RegisterX509Anchor => "register-x509-anchor",
			Operation::IssueVoucher => "issue-voucher",
			Operation::RegisterKey => "register-key",
			Operation::ReplaceKey => "replace-key",
			Operation::BatchKey => "batch-key",
			Operation::PublishDelivery => "publish-delivery",
			Operation::CommitFleet => "commit-fleet",
			Operation::PublishTile => "publish-tile",
		}
	}

	/// The operation of this name.
	pub fn from_name(name: &str) -> Option<Self> {
		Self::ALL.into_iter().find(|operation| operation.name() == name)
	}

	/// What one of it takes from quotas on a feeless chain, in units, beside its transaction: the work and the room to which
	/// it obliges others, and of which neither weight nor length of the transaction tells.
	pub const fn units(self) -> u64 {
		match self {
			Operation::CommitFleet => UNITS_PER_COMMITMENT,
			_ => 0,
		}
	}
}

/// A kind of thing that takes room in the state, and for which a deposit is held.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ResourceKind {
	/// A device: held with its voucher, for the device and the keys that it enrols with.
	#[codec(index = 0)]
	Device,
	/// A key that is registered for a device later.
	#[codec(index = 1)]
	Key,
	/// A trust anchor with its material.
	#[codec(index = 2)]
	Anchor,
	/// A fleet, whatever its size.
	#[codec(index = 3)]
	Fleet,
	/// A certificate: held with the application for it.
	#[codec(index = 4)]
	Certificate,
}

impl ResourceKind {
	/// Every kind.
	pub const ALL: [ResourceKind; 5] = [
		ResourceKind::Device,
		ResourceKind::Key,
		ResourceKind::Anchor,
		ResourceKind::Fleet,
		ResourceKind::Certificate,
	];

	/// The kind in one word, as clients and genesis configurations name it.
	pub const fn name(self) -> &'static str {
		match self {
			ResourceKind::Device => "device",
			ResourceKind::Key => "key",
			ResourceKind::Anchor => "anchor",
			ResourceKind::Fleet => "fleet",
			ResourceKind::Certificate => "certificate",
		}
	}

	/// The kind of this name.
	pub fn from_name(name: &str) -> Option<Self> {
		Self::ALL.into_iter().find(|kind| kind.name() == name)
	}
}

/// The very thing that a deposit is held for.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Resource {
	/// A voucher, until it is redeemed or cancelled.
	#[codec(index = 0)]
	Voucher(VoucherId),
	/// A device, until it is revoked.
	#[codec(index = 1)]
	Device(DeviceId),
	/// A key, until it is revoked.
	#[codec(index = 2)]
	Key(KeyId),
	/// An anchor, until it is revoked.
	#[codec(index = 3)]
	Anchor(AnchorId),
	/// A fleet, until it is revoked.
	#[codec(index = 4)]
	Fleet(FleetId),
	/// A certificate, from the application for it until it is revoked, or not issued after all.
	#[codec(index = 5)]
	Certificate(CertificateId),
}

impl Resource {
	/// What decides about the amount.
	pub const fn kind(&self) -> ResourceKind {
		match self {
			Resource::Voucher(_) | Resource::Device(_) => ResourceKind::Device,
			Resource::Key(_) => ResourceKind::Key,
			Resource::Anchor(_) => ResourceKind::Anchor,
			Resource::Fleet(_) => ResourceKind::Fleet,
			Resource::Certificate(_) => ResourceKind::Certificate,
		}
	}
}

/// A deposit as recorded: whatever the schedule says later, this amount returns to this account.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Deposit<AccountId, Balance> {
	/// Who paid it.
	pub payer: AccountId,
	/// How much is held.
	pub amount: Balance,
}

/// How much can be done for nothing while the chain is feeless. A unit is a microsecond of computation, or a byte.
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
pub struct QuotaPolicies {
	/// Per account.
	pub account: QuotaPolicy,
	/// Per organisation, for all its members together.
	pub organisation: QuotaPolicy,
}

impl QuotaPolicies {
	/// Both policies.
	pub const fn all(&self) -> [QuotaPolicy; 2] {
		[self.account, self.organisation]
	}
}

/// An account can do some thousand ordinary calls at once and some per block; an organisation four times as much, and no
/// more than a tenth of what a block of 400 ms holds in the long run.
impl Default for QuotaPolicies {
	fn default() -> Self {
		Self {
			account: QuotaPolicy { capacity: 2_000_000, refill: 8_000 },
			organisation: QuotaPolicy { capacity: 8_000_000, refill: 40_000 },
		}
	}
}

/// What an account can still do for nothing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Allowance {
	/// Units in its own bucket.
	pub left: u64,
	/// Units in those of the organisations that answer for it, in the order in which they are tried. Empty for a trustee,
	/// for whom the council answers.
	pub organisations: Vec<(OrganisationId, u64)>,
}

/// The account has not the tokens for a fee or a deposit, and still what it needs to exist; or, on a feeless chain, not the
/// quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FundsMissing;

impl fmt::Display for FundsMissing {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("the account cannot pay the fee or the deposit")
	}
}

#[cfg(feature = "std")]
impl std::error::Error for FundsMissing {}

/// What pallets whose calls cost something, or take room, ask for. All of it is undone with the call that asked for it, if
/// the call fails.
pub trait Economy<AccountId> {
	/// Charges `payer` for so many operations: on a feeless chain the [units](Operation::units) of its quotas, if somebody
	/// answers for it.
	fn charge(payer: &AccountId, operation: Operation, count: u32) -> Result<(), FundsMissing>;

	/// Whether `payer` is free of what the schedule of another pallet asks for: on a feeless chain, if somebody answers for
	/// it. So many `units` of its quotas are taken then, beside its transaction; who has not as many is refused.
	fn waive(payer: &AccountId, units: u64) -> Result<bool, FundsMissing>;

	/// Holds the deposit for a resource that is to be stored. There is one per resource.
	fn hold(payer: &AccountId, resource: Resource) -> Result<(), FundsMissing>;

	/// What was held for `from` is held for `to` from now on.
	fn pass_on(from: Resource, to: Resource);

	/// Returns what is held for a resource, if anything is, to who paid it.
	fn release(resource: Resource);

	/// Puts a price on everything, and gives `who` enough to pay it; for benchmarks of other pallets.
	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(who: &AccountId);
}

/// Everything is free: for mocks.
impl<AccountId> Economy<AccountId> for () {
	fn charge(_: &AccountId, _: Operation, _: u32) -> Result<(), FundsMissing> {
		Ok(())
	}

	fn waive(_: &AccountId, _: u64) -> Result<bool, FundsMissing> {
		Ok(true)
	}

	fn hold(_: &AccountId, _: Resource) -> Result<(), FundsMissing> {
		Ok(())
	}

	fn pass_on(_: Resource, _: Resource) {}

	fn release(_: Resource) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn endow_for_benchmark(_: &AccountId) {}
}

/// Who answers for what an account does for nothing.
pub trait Sponsors<AccountId> {
	/// Organisations of which `who` is a member, at most [`MAX_SPONSORS`], always in the same order.
	fn sponsors(who: &AccountId) -> Vec<OrganisationId>;

	/// Makes `who` a member of [`MAX_SPONSORS`] organisations.
	#[cfg(feature = "runtime-benchmarks")]
	fn sponsor_for_benchmark(who: &AccountId);
}

/// Who has to know that an account is a member of an organisation no longer, and that organisations begin and end.
pub trait Departures<AccountId> {
	/// The membership of `who` in one of its organisations has ended.
	fn departed(who: &AccountId);

	/// The organisation exists from now on, and never did before.
	fn founded(organisation: OrganisationId);

	/// The organisation is no more, and never will be again.
	fn dissolved(organisation: OrganisationId);
}

/// Nobody: for mocks.
impl<AccountId> Departures<AccountId> for () {
	fn departed(_: &AccountId) {}

	fn founded(_: OrganisationId) {}

	fn dissolved(_: OrganisationId) {}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_operation_and_each_kind_has_a_word_of_its_own() {
		crate::assert_distinct_words(&Operation::ALL.map(Operation::name));
		crate::assert_distinct_words(&ResourceKind::ALL.map(ResourceKind::name));
		for operation in Operation::ALL {
			assert_eq!(Operation::from_name(operation.name()), Some(operation));
		}
		for kind in ResourceKind::ALL {
			assert_eq!(ResourceKind::from_name(kind.name()), Some(kind));
		}
		assert_eq!(Operation::from_name("revoke-key"), None);
		assert_eq!(ResourceKind::from_name("revocation"), None);
	}

	#[test]
	fn the_largest_fleet_can_be_committed_with_the_default_quota_of_an_account() {
		use crate::fleet::{MAX_FLEET_SIZE, MEMBERS_PER_COMMITMENT_FEE};
		let count = u64::from(MAX_FLEET_SIZE.div_ceil(MEMBERS_PER_COMMITMENT_FEE));
		let units = count * Operation::CommitFleet.units();
		// A fifth is for operational calls.
		assert!(units < QuotaPolicies::default().account.capacity / 5 * 4);
		let others = Operation::ALL.into_iter().filter(|it| *it != Operation::CommitFleet);
		assert!(others.into_iter().all(|it| it.units() == 0));
	}

	#[test]
	fn as_many_applications_as_may_be_open_fit_into_the_default_quota_of_an_account() {
		let units = u64::from(crate::application::MAX_OPEN_APPLICATIONS) * UNITS_PER_APPLICATION;
		// A fifth is for operational calls.
		assert!(units < QuotaPolicies::default().account.capacity / 5 * 4);
	}

	#[test]
	fn a_device_costs_what_its_voucher_did() {
		let voucher = Resource::Voucher(VoucherId([1; 32]));
		assert_eq!(voucher.kind(), Resource::Device(DeviceId([1; 32])).kind());
	}

	#[test]
	fn no_account_uses_up_its_organisation_at_once() {
		let QuotaPolicies { account, organisation } = QuotaPolicies::default();
		assert!(account.capacity < organisation.capacity && account.refill < organisation.refill);
	}
}
