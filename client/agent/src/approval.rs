//! Whether those approved a delivery who had to.
//!
//! The chain lets nothing become the newest delivery of a device that its organisation's policy does not allow. The agent
//! does not take its word: it proves the policy, who approved, and the roles that these accounts have now, and counts by the
//! same rule ([`ApprovalRule`]). Where the policy asks for a second person, the content has to be signed, too, which the
//! chain cannot see.
//!
//! The roles are those of the proven block, like that of the publisher: who left the organisation approves nothing any
//! more, even if it was approved before. What is in force already is not judged again.

use crate::{chain::Chain, refusal::Refusal};
use dpki_client::{
	AccountId, Content,
	account::address,
	primitives::{
		approval::{ApprovalRecord, ApprovalRule},
		channel::ChannelId,
		delivery::{DeliveryBinding, DeliveryRecord},
		ids::DeviceId,
	},
	view::ReadError,
};

/// Why a delivery does not count as approved, or that nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// Approvals are missing.
	#[error(transparent)]
	Refused(#[from] Refusal),
}

/// Refuses a delivery that has not the approvals that the policy of its organisation asks for. Gives the rule by which it was
/// found approved; `None` if a publisher suffices.
pub async fn judge(
	chain: &dyn Chain,
	device: DeviceId,
	channel: ChannelId,
	delivery: &DeliveryRecord,
) -> Result<Option<ApprovalRule>, ApprovalError> {
	let organisation = chain.organisation(delivery.organisation).await?;
	let Some(organisation) = organisation else { return Err(Refusal::OtherOrganisation.into()) };
	let Some(rule) = ApprovalRule::of(organisation.policy) else { return Ok(None) };
	let approvals = chain.approvals(device, channel).await?;
	let approvals = approvals.filter(|record| record.is_about(device, channel, delivery));
	let accounts: Vec<AccountId> = approvals
		.map(|record: ApprovalRecord| record.by.into_inner())
		.unwrap_or_default();
	let mut counted = 0;
	for (at, account) in accounts.iter().enumerate() {
		let roles = chain.roles(delivery.organisation, account).await?;
		let is_first = !accounts[..at].contains(account);
		if is_first && rule.counts(&delivery.publisher, account, roles) {
			counted += 1;
		}
	}
	if rule.missing(counted) > 0 {
		let role = rule.role.name();
		return Err(Refusal::ApprovalMissing { found: counted, needed: rule.needed, role }.into());
	}
	Ok(Some(rule))
}

/// As [`judge`], and refuses a content that has not the signature that the policy asks for, or one that is not good.
pub async fn judge_content(
	chain: &dyn Chain,
	binding: &DeliveryBinding,
	delivery: &DeliveryRecord,
	content: &Content,
) -> Result<(), ApprovalError> {
	let rule = judge(chain, binding.device, binding.channel, delivery).await?;
	let needed = rule.filter(|rule| rule.signed_inside);
	let refused = |problem: String| Err(Refusal::ContentSignature(problem).into());
	let Some(signature) = &content.signature else {
		return match needed {
			Some(_) => refused("the policy asks for a signature under the content".into()),
			None => Ok(()),
		};
	};
	if let Err(error) = signature.verify(binding, content.digest, delivery.published_at) {
		return refused(error.to_string());
	}
	let Some(rule) = needed else { return Ok(()) };
	let roles = chain.roles(delivery.organisation, &signature.account).await?;
	if rule.counts(&delivery.publisher, &signature.account, roles) {
		return Ok(());
	}
	let (account, role) = (address(&signature.account), rule.role.name());
	refused(if signature.account == delivery.publisher {
		format!("{account} signed the content and published it, which takes two accounts")
	} else {
		format!("{account} signed the content and has not the role {role}")
	})
}
