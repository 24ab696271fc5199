//! Deliveries that more than one person stands for: `dpki publish-delivery`, `dpki approve-delivery` and
//! `dpki withdraw-delivery`.
//!
//! `dpki deliver --review FILE` writes a [`Review`]: the key to the content of the envelope, and what the envelope is bound
//! to. Whoever gets the file sees the content, by the same rules as the device, before a publisher publishes it or a
//! watchdog approves it. It is as secret as the content.

pub mod content;
mod review;
mod several;

pub use review::Review;

use crate::{
	commands::blob::Also,
	error::{Error, Result},
	lookup,
	output::{Report, rfc3339},
	prompt,
	proven::Trust,
	session::Session,
	values::DeviceRef,
};
use clap::Args;
use dpki_client::{
	Account, Client, Finalized, View, account, blob, calls, device_request::filing_word,
};
use dpki_primitives::{
	Moment,
	approval::{ApprovalRule, Proposal},
	channel::ChannelId,
	filing::Filing,
	ids::{BlobDigest, DeviceId},
	organisation::Role,
};
use std::path::PathBuf;

/// Publishes a delivery that somebody else has prepared and signed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  dpki publish-delivery drone-7.review
  dpki publish-delivery drones.*.review    # those of a fleet
The content is shown first. Who prepared it wrote the file with `dpki deliver --sign-for`, for
your account.")]
pub struct PublishDelivery {
	/// What `dpki deliver --sign-for ACCOUNT --review FILE` wrote; several are published one after the other
	#[arg(value_name = "FILE", required = true)]
	review: Vec<PathBuf>,
	#[command(flatten)]
	also: Also,
	#[command(flatten)]
	trust: Trust,
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
  dpki approve-delivery drones.*.review    # those of a fleet
The envelope is fetched by the digest that is approved, and opened with the key in the file: what
is shown is what the device will read, or nothing.")]
pub struct ApproveDelivery {
	/// What `dpki deliver --review FILE` wrote; several are shown together, and approved one after the other
	#[arg(value_name = "FILE", required = true)]
	review: Vec<PathBuf>,
	#[command(flatten)]
	trust: Trust,
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
		let [file] = &self.review[..] else {
			return several::publish_each(session, &self.review, &self.also, &self.trust, self.yes)
				.await;
		};
		let review = Review::read(file)?;
		let envelope = review.envelope()?;
		let content = review.open(&envelope)?;
		let account = session.account()?;
		review.require_publisher(&session.actor(&account))?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		review.require_chain(&client)?;
		content::require_in_time(&content, view.now())?;
		review.require_current(&view).await?;
		let copies = self.also.prepare()?;
		let device = DeviceRef::from(review.device);
		let mut told = content::describe(&content, &view, review.device).await?;
		told.extend(review.answered(&view).await?);
		let to = format!("{}{}", device.text, place(review.channel));
		let question = content::question(&told, &to, review.sequence, "Publish this?");
		prompt::confirm(&question, self.yes)?;
		let what = (&review, &envelope[..]);
		let published =
			publish(session, &client, &account, what, "publishing the delivery").await?;
		let (finalized, warning) = published;
		if let Some(copies) = &copies {
			let published = (review.device, review.channel, review.sequence);
			copies.put(&client, &envelope, &[published]).await?;
		}
		let view = chain.view().await?;
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
			.data("device", review.device.to_string())
			.data("answers_request", review.answers.is_some() && warning.is_none());
		let report = waiting(report, &view, review.device, review.channel).await?;
		let report = report.finalized(&finalized);
		Ok(warning.into_iter().fold(report, Report::warn))
	}
}

impl ApproveDelivery {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let [file] = &self.review[..] else {
			return several::approve_each(session, &self.review, &self.trust, self.yes).await;
		};
		let review = Review::read(file)?;
		let account = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		review.require_chain(&client)?;
		let device = DeviceRef::from(review.device);
		review.require_current(&view).await?;
		let proposal = proposal(&view, &device, review.channel).await?;
		review.require(&proposal)?;
		let record = &proposal.record;
		// By the digest that is on record, and the id of all that was looked at: what is shown is what is approved.
		let envelope = match review.envelope() {
			Ok(envelope) => envelope,
			Err(_) => several::fetch(&client, record.digest, record.length).await?,
		};
		let content = review.open(&envelope)?;
		content::require_in_time(&content, view.now())?;
		let told = content::describe(&content, &view, review.device).await?;
		let to = format!("{}{}", device.text, place(review.channel));
		let question = content::question(&told, &to, record.sequence, "Approve this?");
		prompt::confirm(&question, self.yes)?;
		let call = calls::approve_delivery(review.device, review.channel, review.id(&envelope));
		let finalized = session.submit(&client, &account, &call, "approving the delivery").await?;
		let view = chain.view().await?;
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

/// Publishes what a file holds, and tells the device if that is the answer to what it has asked for; with a warning if it could
/// not be told.
async fn publish(
	session: &Session,
	client: &Client,
	account: &Account,
	(review, envelope): (&Review, &[u8]),
	doing: &str,
) -> Result<(Finalized, Option<String>)> {
	let Review { device, channel, sequence, suite, recipient, .. } = *review;
	let call = calls::publish(device, channel, sequence, suite, recipient, envelope)?;
	let finalized = session.submit(client, account, &call, doing).await?;
	let Some((slot, content)) = review.answers else { return Ok((finalized, None)) };
	let call = calls::answer_request((device, slot), content, (channel, sequence));
	let told = session.submit(client, account, &call, "telling the device").await;
	let warning = told.err().map(|error| {
		format!(
			"the device was not told that delivery {sequence}{} answers its request: {error}",
			place(channel)
		)
	});
	Ok((finalized, warning))
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
	let approvers: Vec<_> = proposal.approvals.iter().map(account::address).collect();
	let (rule, missing) = count(view, &proposal).await?;
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

/// The rule for a delivery that waits, and how many approvals are missing by it.
async fn count(view: &View, proposal: &Proposal) -> Result<(Option<ApprovalRule>, u32)> {
	let organisation = view.organisation(proposal.record.organisation).await?;
	let rule = organisation.and_then(|record| ApprovalRule::of(record.policy));
	let mut counted = 0;
	for approver in &proposal.approvals {
		let roles = view.roles(proposal.record.organisation, approver).await?;
		if rule.is_some_and(|rule| rule.counts(&proposal.record.publisher, approver, roles)) {
			counted += 1;
		}
	}
	Ok((rule, rule.map_or(0, |rule| rule.missing(counted))))
}

fn or_nobody(names: &[String]) -> String {
	if names.is_empty() { "nobody yet".into() } else { names.join(", ") }
}

/// The request that is answered, in words, if it is what this content stands for and waits.
fn require_asked(filing: Option<&Filing>, content: [u8; 32], now: Moment) -> Result<String> {
	match filing.filter(|filing| filing.content == content && filing.is_waiting(now)) {
		Some(filing) => Ok(format!(
			"the device is told that its request {} is answered",
			filing_word(&filing.kind)
		)),
		None => Err(Error::NotAllowed {
			why: "the request that the delivery is to answer does not wait on the chain".into(),
			next: "have the delivery prepared again by who wrote the file".into(),
		}),
	}
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

	/// What the device is told when this is published, for whoever is to publish it: the file is by somebody else. Refuses what
	/// the device does not ask for, or not any more.
	async fn answered(&self, view: &View) -> Result<Option<String>> {
		let Some((slot, content)) = self.answers else { return Ok(None) };
		let filing = view.filing(self.device, slot).await?;
		let asked = filing.as_ref().filter(|filing| filing.organisation == self.organisation);
		require_asked(asked, content, view.now()).map(Some)
	}

	/// Refuses a delivery whose number is not above that of the newest one, which nobody publishes or approves any more.
	async fn require_current(&self, view: &View) -> Result<()> {
		let newest = view.delivery(self.device, self.channel).await?;
		self.require_above(newest.as_ref().map(|newest| (newest.sequence, newest.digest)))
	}

	/// The same by number and digest of the newest one.
	fn require_above(&self, newest: Option<(u64, BlobDigest)>) -> Result<()> {
		let Self { sequence, digest, channel, .. } = self;
		let (why, next) = match newest {
			Some((newest, found)) if newest == *sequence && found == *digest => (
				format!("delivery {sequence}{} is in force already", place(*channel)),
				"nothing is left to do; `dpki status delivery` shows what the device says of it",
			),
			Some((newest, _)) if newest >= *sequence => (
				format!(
					"delivery {sequence}{} is outdated: delivery {newest} is the newest one of the device",
					place(*channel)
				),
				"have it prepared again, from what the device has now, by who wrote the file",
			),
			_ => return Ok(()),
		};
		Err(Error::NotAllowed { why, next: next.into() })
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

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		filing::{FilingKind, FilingStanding},
		ids::{KeyId, OrganisationId},
	};

	#[test]
	fn a_device_is_told_of_an_answer_only_to_what_it_asks_for() {
		let service = b"web".to_vec().try_into().unwrap();
		let waiting = Filing {
			organisation: OrganisationId([2; 32]),
			kind: FilingKind::Tls { service },
			content: [7; 32],
			number: 1,
			key: KeyId([5; 32]),
			filed_at: 1,
			expires_at: 10,
			standing: FilingStanding::Waiting { position: 0 },
		};
		let told = require_asked(Some(&waiting), [7; 32], 10).unwrap();
		assert!(told.contains("tls:web"), "{told}");
		let standing = FilingStanding::Answered { channel: ChannelId::DEFAULT, sequence: 3, at: 4 };
		let answered = Filing { standing, ..waiting.clone() };
		for (filing, content, now) in [
			(None, [7; 32], 10),
			(Some(&waiting), [8; 32], 10),
			(Some(&waiting), [7; 32], 11),
			(Some(&answered), [7; 32], 10),
		] {
			let error = require_asked(filing, content, now).unwrap_err();
			assert!(error.to_string().contains("does not wait"), "{error}");
			assert!(error.next_step().unwrap().contains("prepared again"), "{error}");
		}
	}
}
