//! Deliveries that more than one person stands for: `dpki publish-delivery`, `dpki approve-delivery` and
//! `dpki withdraw-delivery`.
//!
//! `dpki deliver --review FILE` writes a [`Review`]: the key to the content of the envelope, and what the envelope is bound
//! to. Whoever gets the file sees the content, by the same rules as the device, before a publisher publishes it or a
//! watchdog approves it. It is as secret as the content.

mod content;
mod review;

pub use review::Review;

use crate::{
	commands::blob::Also,
	error::{Error, Result},
	lookup,
	output::{Report, rfc3339},
	prompt,
	session::Session,
	values::DeviceRef,
};
use clap::Args;
use dpki_client::{BlobStore, ChainBlobs, Client, View, account, blob, calls};
use dpki_primitives::{
	approval::{ApprovalRule, Proposal},
	channel::ChannelId,
	ids::DeviceId,
	organisation::Role,
};
use std::path::PathBuf;

/// Publishes a delivery that somebody else has prepared and signed.
#[derive(Args)]
#[command(after_help = "\
Example:
  dpki publish-delivery drone-7.review
The content is shown first. Who prepared it wrote the file with `dpki deliver --sign-for`, for your account.")]
pub struct PublishDelivery {
	/// What `dpki deliver --sign-for ACCOUNT --review FILE` wrote
	#[arg(value_name = "FILE")]
	review: PathBuf,
	#[command(flatten)]
	also: Also,
	/// Publish without asking
	#[arg(long)]
	yes: bool,
}

/// Approves a delivery that waits, after showing its content.
#[derive(Args)]
#[command(after_help = "\
Examples:
  dpki approve-delivery drone-7.review
  dpki approve-delivery drone-7.review --yes --json
The envelope is fetched by the digest that is approved, and opened with the key in the file: what is shown is what the device
will read, or nothing.")]
pub struct ApproveDelivery {
	/// What `dpki deliver --review FILE` wrote
	#[arg(value_name = "FILE")]
	review: PathBuf,
	/// Approve without asking
	#[arg(long)]
	yes: bool,
}

/// Takes back a delivery that waits for approvals.
#[derive(Args)]
#[command(after_help = "\
Example:
  dpki withdraw-delivery acme/drone-7")]
pub struct WithdrawDelivery {
	/// ORGANISATION/NAME, or the id
	#[arg(value_name = "ORG/NAME|ID")]
	device: DeviceRef,
	/// Channel of the device on which it waits, 0 to 15
	#[arg(long, value_name = "N", default_value_t)]
	channel: ChannelId,
}

impl PublishDelivery {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let review = Review::read(&self.review)?;
		let envelope = review.envelope()?;
		let content = review.open(&envelope)?;
		let account = session.account()?;
		let actor = session.actor(&account);
		if actor != review.publisher {
			return Err(Error::NotAllowed {
				why: format!(
					"the delivery was sealed for {} to publish, not for {}",
					account::address(&review.publisher),
					account::address(&actor)
				),
				next: "sign with that account, or have it prepared for yours".into(),
			});
		}
		let (client, view) = session.view().await?;
		review.require_chain(&client)?;
		content::require_in_time(&content, view.now())?;
		let copies = self.also.prepare()?;
		let device = DeviceRef::from(review.device);
		let told = content::describe(&content, &view, review.device).await?;
		let to = format!("{}{}", device.text, place(review.channel));
		let question = content::question(&told, &to, review.sequence, "Publish this?");
		prompt::confirm(&question, self.yes)?;
		let call = calls::publish(
			review.device,
			review.channel,
			review.sequence,
			review.suite,
			review.recipient,
			&envelope,
		)?;
		let finalized = session.submit(&client, &account, &call, "publishing the delivery").await?;
		if let Some(copies) = &copies {
			let published = (review.device, review.channel, review.sequence);
			copies.put(&client, &envelope, &[published]).await?;
		}
		let view = client.at_finalized().await?;
		let report = Report::new()
			.done(format!(
				"Published delivery {} to {}{}",
				review.sequence,
				device.text,
				place(review.channel)
			))
			.row("cid", blob::cid(review.digest))
			.row_as("sequence", review.sequence.to_string(), review.sequence)
			.row("digest", review.digest)
			.row_as("content", told.join("; "), told)
			.data("channel", review.channel.number())
			.data("device", review.device.to_string());
		Ok(waiting(report, &view, review.device, review.channel)
			.await?
			.finalized(&finalized))
	}
}

impl ApproveDelivery {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let review = Review::read(&self.review)?;
		let account = session.account()?;
		let (client, view) = session.view().await?;
		review.require_chain(&client)?;
		let device = DeviceRef::from(review.device);
		let proposal = proposal(&view, &device, review.channel).await?;
		review.require(&proposal)?;
		let record = &proposal.record;
		// By the digest that is on record, and the id of all that was looked at: what is shown is what is approved.
		let envelope = match review.envelope() {
			Ok(envelope) => envelope,
			Err(_) => ChainBlobs::new(&client).get(record.digest, record.length).await.map_err(
				|error| Error::NotAllowed {
					why: error.to_string(),
					next: "use a node that keeps its blocks, and try again".into(),
				},
			)?,
		};
		let content = review.open(&envelope)?;
		content::require_in_time(&content, view.now())?;
		let told = content::describe(&content, &view, review.device).await?;
		let to = format!("{}{}", device.text, place(review.channel));
		let question = content::question(&told, &to, record.sequence, "Approve this?");
		prompt::confirm(&question, self.yes)?;
		let call = calls::approve_delivery(review.device, review.channel, review.id(&envelope));
		let finalized = session.submit(&client, &account, &call, "approving the delivery").await?;
		let view = client.at_finalized().await?;
		let report = Report::new()
			.done(format!("Approved delivery {} to {to}", record.sequence))
			.row("digest", record.digest)
			.data("device", review.device.to_string())
			.row_as("content", told.join("; "), told)
			.data("channel", review.channel.number())
			.data("sequence", record.sequence);
		Ok(waiting(report, &view, review.device, review.channel)
			.await?
			.finalized(&finalized))
	}
}

impl WithdrawDelivery {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let (client, view) = session.view().await?;
		lookup::device(&view, &self.device).await?;
		let record = proposal(&view, &self.device, self.channel).await?.record;
		let id = record.id(self.device.id, self.channel);
		let call = calls::withdraw_delivery(self.device.id, self.channel, id);
		let finalized =
			session.submit(&client, &account, &call, "withdrawing the delivery").await?;
		Ok(Report::new()
			.done(format!(
				"Withdrew delivery {} to {}{}",
				record.sequence,
				self.device.text,
				place(self.channel)
			))
			.data("channel", self.channel.number())
			.data("device", self.device.id.to_string())
			.data("sequence", record.sequence)
			.data("digest", record.digest.to_string())
			.finalized(&finalized))
	}
}

async fn proposal(view: &View, device: &DeviceRef, channel: ChannelId) -> Result<Proposal> {
	view.proposal(device.id, channel).await?.ok_or_else(|| Error::NotAllowed {
		why: format!("no delivery to {}{} waits for approvals", device.text, place(channel)),
		next: format!(
			"`dpki status delivery {}{}` shows what became of it",
			device.text,
			option(channel)
		),
	})
}

/// On which channel, for whoever should know: nothing if it is the one that everybody uses who names none.
pub fn place(channel: ChannelId) -> String {
	if channel == ChannelId::DEFAULT { String::new() } else { format!(" on channel {channel}") }
}

/// The option that names a channel, for a command that somebody is told to run: nothing where none is needed.
pub fn option(channel: ChannelId) -> String {
	if channel == ChannelId::DEFAULT { String::new() } else { format!(" --channel {channel}") }
}

/// Adds who has approved what waits for this device on a channel, and how many are missing; or that nothing does.
pub async fn waiting(
	report: Report,
	view: &View,
	device: DeviceId,
	channel: ChannelId,
) -> Result<Report> {
	let Some(proposal) = view.proposal(device, channel).await? else {
		return Ok(report.data("waits", false));
	};
	let organisation = view.organisation(proposal.record.organisation).await?;
	let rule = organisation.and_then(|record| ApprovalRule::of(record.policy));
	let approvers: Vec<_> = proposal.approvals.iter().map(account::address).collect();
	let mut counted = 0;
	for approver in &proposal.approvals {
		let roles = view.roles(proposal.record.organisation, approver).await?;
		if rule.is_some_and(|rule| rule.counts(&proposal.record.publisher, approver, roles)) {
			counted += 1;
		}
	}
	let missing = rule.map_or(0, |rule| rule.missing(counted));
	let role = rule.map_or(Role::Publisher, |rule| rule.role).name();
	let sentence = match (rule, proposal.expires_at < view.now()) {
		(_, true) => "its time is over: publish it again".to_owned(),
		(None, _) => "the policy asks for no approval any more: publish it again".to_owned(),
		(Some(_), false) => format!("{missing} more by accounts with the role {role}"),
	};
	Ok(report
		.row_as("approvals_missing", sentence, missing)
		.row_as("approved_by", or_nobody(&approvers), approvers.clone())
		.row_as("approve_until", rfc3339(proposal.expires_at), proposal.expires_at)
		.data("waits", true)
		.data("waiting_sequence", proposal.record.sequence)
		.data("waiting_digest", proposal.record.digest.to_string()))
}

fn or_nobody(names: &[String]) -> String {
	if names.is_empty() { "nobody yet".into() } else { names.join(", ") }
}

impl Review {
	/// Refuses a review of a delivery on another chain than that of this connection.
	fn require_chain(&self, client: &Client) -> Result<()> {
		if self.genesis == client.genesis_hash() {
			return Ok(());
		}
		Err(Error::NotAllowed {
			why: "the delivery was prepared for another chain".into(),
			next: "give --url and --genesis of that chain".into(),
		})
	}

	/// Refuses a proposal that is another one than that of this review.
	fn require(&self, proposal: &Proposal) -> Result<()> {
		let record = &proposal.record;
		let binding = record.binding(self.genesis, self.device, self.channel);
		if (record.digest, &binding) == (self.digest, &self.binding()) {
			return Ok(());
		}
		Err(Error::NotAllowed {
			why: format!(
				"another delivery waits than the one of this file: number {} with the digest {}",
				record.sequence, record.digest
			),
			next: "get the file of that one from who published it".into(),
		})
	}
}
