//! Why the agent does not take a delivery.

use dpki_client::primitives::{channel::ChannelId, delivery::RefusalReason};

/// Why the agent does not take a delivery. The state before it stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// It is older than one that was seen.
	#[error(
		"delivery {found} is older than delivery {seen}, which was seen before: the chain never goes back, look for a fork"
	)]
	OlderSequence {
		/// Its number.
		found: u64,
		/// The highest number seen.
		seen: u64,
	},
	/// Its number was seen with another content.
	#[error(
		"delivery {sequence} names another blob than when it was first seen: the chain never changes one, look for a fork"
	)]
	OtherBlob {
		/// Its number.
		sequence: u64,
	},
	/// It was published in the name of another organisation.
	#[error("the delivery was published for another organisation than the device's")]
	OtherOrganisation,
	/// Its publisher may not publish any more.
	#[error(
		"the publisher of the delivery is no publisher of the organisation any more: publish it again from another account"
	)]
	SenderNotPublisher,
	/// Those who had to approve it did not.
	#[error(
		"the delivery has {found} of {needed} approvals by accounts with the role {role}: have them approve it, or publish it again"
	)]
	ApprovalMissing {
		/// How many approvals count.
		found: u32,
		/// How many have to.
		needed: u32,
		/// The role that an approver has to have.
		role: &'static str,
	},
	/// The signature under its content is missing or not good.
	#[error("the content of the delivery is not vouched for: {0}")]
	ContentSignature(String),
	/// It is for a key that the agent does not have.
	#[error(
		"the delivery is encrypted to a key that is not this device's: publish it again for its newest agreement key"
	)]
	OtherRecipient,
	/// Its blob cannot be had.
	#[error("{0}")]
	BlobUnavailable(String),
	/// It does not open.
	#[error(
		"the delivery does not open under the key of the device and the record of the chain ({0}): publish it again"
	)]
	EnvelopeInvalid(String),
	/// Its content makes no sense.
	#[error("the bundle is refused: {0}")]
	BundleInvalid(String),
	/// It claims what a lower channel has in force.
	#[error(
		"channel {with} has {about} with another content, and of two channels that claim the same the lower one counts: have \
		 one of them let go of it, and publish this delivery again"
	)]
	ChannelConflict {
		/// The lower channel.
		with: ChannelId,
		/// What both claim.
		about: String,
	},
	/// The configuration names other channels.
	#[error(
		"the device obeys no deliveries on channel {0}: publish on another one, or add it to `channels` in the configuration"
	)]
	ChannelIgnored(ChannelId),
	/// It could not be put in force.
	#[error("{0}")]
	ApplyFailed(String),
}

impl Refusal {
	/// What the chain is told; `None` if it would not listen, because it shows something else than it did before.
	pub fn reason(&self) -> Option<RefusalReason> {
		Some(match self {
			Refusal::OlderSequence { .. } | Refusal::OtherBlob { .. } => return None,
			Refusal::OtherOrganisation
			| Refusal::SenderNotPublisher
			| Refusal::OtherRecipient
			| Refusal::EnvelopeInvalid(_) => RefusalReason::EnvelopeInvalid,
			Refusal::ApprovalMissing { .. } | Refusal::ContentSignature(_) => {
				RefusalReason::ApprovalMissing
			},
			Refusal::BlobUnavailable(_) => RefusalReason::BlobUnavailable,
			Refusal::BundleInvalid(_) => RefusalReason::BundleInvalid,
			Refusal::ChannelConflict { .. } => RefusalReason::ChannelConflict,
			Refusal::ChannelIgnored(_) => RefusalReason::ChannelIgnored,
			Refusal::ApplyFailed(_) => RefusalReason::ApplyFailed,
		})
	}

	/// The refusal in a word.
	pub fn name(&self) -> &'static str {
		match self {
			Refusal::OlderSequence { .. } => "older sequence",
			Refusal::OtherBlob { .. } => "other blob",
			Refusal::OtherOrganisation => "other organisation",
			Refusal::SenderNotPublisher => "sender not publisher",
			Refusal::ApprovalMissing { .. } => "approval missing",
			Refusal::ContentSignature(_) => "content signature",
			Refusal::OtherRecipient => "other recipient",
			Refusal::BlobUnavailable(_) => "blob unavailable",
			Refusal::EnvelopeInvalid(_) => "envelope invalid",
			Refusal::BundleInvalid(_) => "bundle invalid",
			Refusal::ChannelConflict { .. } => "channel conflict",
			Refusal::ChannelIgnored(_) => "channel ignored",
			Refusal::ApplyFailed(_) => "apply failed",
		}
	}
}
