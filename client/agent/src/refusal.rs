//! Why the agent does not take a delivery.

use dpki_client::{
	blob::BlobError,
	envelope::EnvelopeError,
	primitives::{channel::ChannelId, delivery::RefusalReason},
};

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
	/// Its key is of another type than its suite needs.
	#[error(
		"the delivery says that it is sealed in another way than its key allows ({0}): publish it again"
	)]
	OtherSuite(String),
	/// Its record says that it is longer than any envelope.
	#[error(
		"the delivery is refused for its length: its {length} bytes are more than an envelope can have"
	)]
	EnvelopeTooLong {
		/// How many bytes the record says.
		length: u32,
	},
	/// Its blob cannot be had.
	#[error("{0}")]
	BlobUnavailable(String),
	/// What came in the place of its blob has another length or digest than the record says.
	#[error("what came for the delivery is not what its record says: {0}")]
	BlobMismatch(String),
	/// It has the length and digest of the record, and is no envelope that this agent knows.
	#[error("the delivery is no envelope that can be opened ({0}): publish it again")]
	EnvelopeMalformed(String),
	/// It does not open. Why, an authenticated cipher does not tell.
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
			| Refusal::OtherSuite(_)
			| Refusal::EnvelopeTooLong { .. }
			| Refusal::EnvelopeMalformed(_)
			| Refusal::EnvelopeInvalid(_) => RefusalReason::EnvelopeInvalid,
			Refusal::ApprovalMissing { .. } | Refusal::ContentSignature(_) => {
				RefusalReason::ApprovalMissing
			},
			Refusal::BlobUnavailable(_) | Refusal::BlobMismatch(_) => {
				RefusalReason::BlobUnavailable
			},
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
			Refusal::OtherSuite(_) => "other suite",
			Refusal::EnvelopeTooLong { .. } => "envelope too long",
			Refusal::BlobUnavailable(_) => "blob unavailable",
			Refusal::BlobMismatch(_) => "blob mismatch",
			Refusal::EnvelopeMalformed(_) => "envelope malformed",
			Refusal::EnvelopeInvalid(_) => "envelope invalid",
			Refusal::BundleInvalid(_) => "bundle invalid",
			Refusal::ChannelConflict { .. } => "channel conflict",
			Refusal::ChannelIgnored(_) => "channel ignored",
			Refusal::ApplyFailed(_) => "apply failed",
		}
	}
}

impl From<&BlobError> for Refusal {
	fn from(error: &BlobError) -> Self {
		match error {
			BlobError::Mismatch { .. } | BlobError::TooLong { .. } => {
				Self::BlobMismatch(error.to_string())
			},
			_ => Self::BlobUnavailable(error.to_string()),
		}
	}
}

impl From<EnvelopeError> for Refusal {
	fn from(error: EnvelopeError) -> Self {
		match error {
			EnvelopeError::RecipientMismatch { .. } => Self::OtherRecipient,
			EnvelopeError::RecipientUnfit { .. } => Self::OtherSuite(error.to_string()),
			EnvelopeError::Length { .. }
			| EnvelopeError::Version { .. }
			| EnvelopeError::NoRecipient
			| EnvelopeError::TooManyRecipients { .. } => Self::EnvelopeMalformed(error.to_string()),
			_ => Self::EnvelopeInvalid(error.to_string()),
		}
	}
}
