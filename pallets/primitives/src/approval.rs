//! Who has to approve a delivery, and what of it is on record.
//!
//! One rule, [`ApprovalRule`], is asked twice: by the chain before a delivery becomes the newest one of its device, and by
//! the device, over records that it has proven, before it opens what the chain let pass.

use crate::{
	Moment,
	channel::ChannelId,
	delivery::DeliveryRecord,
	ids::{DeliveryId, DeviceId},
	organisation::{DeliveryPolicy, Role, RoleSet},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most accounts that can approve one delivery: as many as an organisation can have watchdogs.
pub const MAX_APPROVALS: u32 = 64;

/// For how long a delivery waits for its approvals, in milliseconds: a week, so that a weekend is no obstacle, and what
/// nobody wanted cannot be approved by accident much later.
pub const PROPOSAL_LIFETIME: Moment = 7 * 24 * 60 * 60 * 1000;

/// The accounts that approved something, in the order in which they did.
pub type Approvers = BoundedVec<[u8; 32], ConstU32<MAX_APPROVALS>>;

/// Whose approvals a delivery needs under a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ApprovalRule {
	/// The role that an account needs to approve.
	pub role: Role,
	/// How many of them have to; at least 1.
	pub needed: u32,
	/// Whether the publisher's own approval is worth nothing. Where so many of a number of watchdogs decide, it is one of
	/// them; where a second person is all that there is, it must not be the first.
	pub by_another: bool,
	/// Whether one of them has to sign the content, too, where only the device can see it.
	pub signed_inside: bool,
}

impl ApprovalRule {
	/// The rule of a policy; `None` if a publisher alone suffices.
	pub const fn of(policy: DeliveryPolicy) -> Option<Self> {
		match policy {
			DeliveryPolicy::Simple => None,
			DeliveryPolicy::MultiAdmin => Some(Self {
				role: Role::AnchorManager,
				needed: 1,
				by_another: true,
				signed_inside: true,
			}),
			DeliveryPolicy::Watchdogs { needed } => Some(Self {
				role: Role::Watchdog,
				// A policy that needs nobody would be another one. None such is ever stored.
				needed: if needed == 0 { 1 } else { needed },
				by_another: false,
				signed_inside: false,
			}),
		}
	}

	/// Whether the approval of this account, which has these roles now, counts for what this publisher has published.
	pub fn counts(&self, publisher: &[u8; 32], approver: &[u8; 32], roles: RoleSet) -> bool {
		roles.contains(self.role) && !(self.by_another && publisher == approver)
	}

	/// How many more are needed after so many.
	pub const fn missing(&self, counted: u32) -> u32 {
		self.needed.saturating_sub(counted)
	}
}

/// A delivery that waits for approvals. Its blob is in a block already.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Proposal {
	/// What becomes the newest delivery of the device on the channel when it is approved.
	pub record: DeliveryRecord,
	/// Last moment at which it can be approved.
	pub expires_at: Moment,
	/// Who has approved it.
	pub approvals: Approvers,
}

/// Who approved the newest delivery of a device on a channel, as stored beside it. Absent if the policy asked for nobody.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ApprovalRecord {
	/// Which delivery, with all that its record says.
	pub delivery: DeliveryId,
	/// Who.
	pub by: Approvers,
}

impl ApprovalRecord {
	/// Whether it is about this delivery to this device on this channel.
	pub fn is_about(
		&self,
		device: DeviceId,
		channel: ChannelId,
		delivery: &DeliveryRecord,
	) -> bool {
		self.delivery == delivery.id(device, channel)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const PUBLISHER: [u8; 32] = [1; 32];
	const OTHER: [u8; 32] = [2; 32];

	fn roles(role: Role) -> RoleSet {
		RoleSet::EMPTY.with(role)
	}

	#[test]
	fn a_publisher_suffices_under_simple_only() {
		assert_eq!(ApprovalRule::of(DeliveryPolicy::Simple), None);
		for policy in [DeliveryPolicy::MultiAdmin, DeliveryPolicy::Watchdogs { needed: 3 }] {
			assert!(ApprovalRule::of(policy).is_some(), "{policy:?}");
		}
	}

	#[test]
	fn under_multi_admin_an_anchor_manager_who_is_not_the_publisher_counts() {
		let rule = ApprovalRule::of(DeliveryPolicy::MultiAdmin).unwrap();
		assert!(rule.counts(&PUBLISHER, &OTHER, roles(Role::AnchorManager)));
		assert!(!rule.counts(&PUBLISHER, &PUBLISHER, RoleSet::ALL));
		assert!(!rule.counts(&PUBLISHER, &OTHER, RoleSet::ALL.without(roles(Role::AnchorManager))));
		assert!(rule.signed_inside);
		assert_eq!((rule.missing(0), rule.missing(1), rule.missing(2)), (1, 0, 0));
	}

	#[test]
	fn under_watchdogs_so_many_of_them_count_whoever_published() {
		let rule = ApprovalRule::of(DeliveryPolicy::Watchdogs { needed: 2 }).unwrap();
		assert!(rule.counts(&PUBLISHER, &OTHER, roles(Role::Watchdog)));
		assert!(rule.counts(&PUBLISHER, &PUBLISHER, roles(Role::Watchdog)));
		assert!(!rule.counts(&PUBLISHER, &OTHER, RoleSet::ALL.without(roles(Role::Watchdog))));
		assert_eq!((rule.missing(0), rule.missing(1), rule.missing(2)), (2, 1, 0));
	}

	#[test]
	fn no_policy_is_met_by_nobody() {
		let rule = ApprovalRule::of(DeliveryPolicy::Watchdogs { needed: 0 }).unwrap();
		assert_eq!(rule.missing(0), 1);
	}
}
