//! One delivery for many devices: one envelope, whose content key is encrypted to each of them, or as many as it takes.
//!
//! Where the policy of the organisation asks for approvals, it waits for them at each device. A content that has to be signed is
//! for one device, so there each of them gets an envelope of its own.

use super::{
	Deliver, Destination,
	envelopes::{self, Envelope},
	made, needs,
	signed::sign,
};
use crate::{
	commands::{
		access::approval::Procedure,
		delivery::{self, Review},
	},
	error::{Error, Result},
	files,
	output::Report,
	proven::Chain,
	session::Session,
	values::{DeviceRef, Name},
};
use dpki_client::{Account, AccountId, Bundle, Finalized, View};
use dpki_primitives::{
	Moment,
	approval::{ApprovalRule, Proposal},
	channel::ChannelId,
	delivery::{DeliveryBinding, Suite},
	ids::OrganisationId,
};
use serde_json::{Value, json};
use std::path::PathBuf;

impl Deliver {
	/// Runs the command for more than one device.
	pub(super) async fn to_many(&self, session: &Session) -> Result<Report> {
		if self.host_ca_key.is_some() || !self.made.is_empty() || self.wait.is_some() {
			return Err(Error::NotAllowed {
				why: "--host-ca-key, --wait, and what was made for one device are for one device"
					.into(),
				next: "deliver to each device by itself".into(),
			});
		}
		let account = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		let id = OrganisationId::from_name(self.org.as_str().as_bytes());
		let organisation = view.organisation(id).await?;
		let rule = organisation.and_then(|record| ApprovalRule::of(record.policy));
		self.require_procedure(rule)?;
		let procedure = Procedure::of(rule, self.sign_for.as_ref().map(|it| it.0))?;
		let actor = session.actor(&account);
		procedure.check(&view, id, (account.id(), actor)).await?;
		let reviews = self.reviews();
		files::refuse_existing(&reviews.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
		let copies = self.also.prepare()?;
		let mut warnings = Vec::new();
		let bundle = self.bundle(&view, id, None, &mut warnings).await?;
		let all: Vec<_> = self.device.iter().map(Name::as_str).collect();
		warnings.extend(made::confirm_escrow(&bundle.items, &all.join(", "), self.yes)?);
		// After the question, which may have waited for long: a key that has leaked meanwhile gets nothing.
		let view = chain.view().await?;
		let destinations = self.destinations(&view).await?;
		if rule.is_some() {
			for destination in &destinations {
				require_free(&view, destination, procedure.publisher(actor)).await?;
			}
		}
		let suite = destinations.first().map_or(Suite::SharedX25519, Destination::shared_suite);
		let bindings: Vec<_> = destinations
			.iter()
			.map(|to| DeliveryBinding {
				genesis: client.genesis_hash(),
				organisation: to.record.organisation,
				publisher: procedure.publisher(actor),
				device: to.device.id,
				channel: to.channel,
				recipient: to.recipient.0,
				suite,
				sequence: to.sequence,
			})
			.collect();
		let report = if let Procedure::Signed(..) = procedure {
			let for_each = (&destinations[..], &bindings[..], &reviews[..]);
			let until = sign_each(&account, &view, for_each, &bundle)?;
			self.signed(&destinations, procedure, until)
		} else {
			let recipients: Vec<_> =
				destinations.iter().map(|to| to.key.clone()).zip(bindings).collect();
			let envelopes = envelopes::seal(&recipients, &bundle.encode()?)?;
			// Before anything is published: without the files nobody could approve it.
			envelopes::write_reviews(&envelopes, &reviews)?;
			let published =
				envelopes::publish(session, &client, &account, &envelopes, copies.as_ref()).await?;
			let report = self.published(&destinations, &envelopes, &published);
			match rule {
				Some(rule) => {
					self.waiting(&mut chain, &destinations, (rule, procedure), report).await?
				},
				None => report.data("waits", false),
			}
		};
		let report = report
			.row_as("items", bundle.items.len().to_string(), bundle.items.len())
			.data("channel", self.channel.number())
			.data("reviews", reviews.iter().map(|it| it.display().to_string()).collect::<Vec<_>>());
		let report = needs::told(report, &bundle);
		Ok(warnings.into_iter().fold(report, Report::warn))
	}

	/// The files that open the deliveries, one for each device; none if nobody wants to look into them.
	fn reviews(&self) -> Vec<PathBuf> {
		let of_device = |path: &PathBuf| -> Vec<_> {
			self.device
				.iter()
				.map(|device| Review::of_device(path, device.as_str()))
				.collect()
		};
		self.review.as_ref().map(of_device).unwrap_or_default()
	}

	async fn destinations(&self, view: &View) -> Result<Vec<Destination>> {
		let devices = self.device.iter().map(|name| DeviceRef::new(&self.org, name));
		if !self.hybrid_key.is_empty() {
			let devices = devices.collect();
			return Destination::hybrids(view, devices, self.channel, &self.hybrid_key).await;
		}
		let mut found = Vec::new();
		for device in devices {
			found.push(Destination::read(view, device, self.channel).await?);
		}
		Ok(found)
	}

	fn published(
		&self,
		destinations: &[Destination],
		envelopes: &[Envelope],
		published: &[Finalized],
	) -> Report {
		let what = match envelopes.len() {
			1 => "one delivery".to_owned(),
			number => format!("one delivery in {number} envelopes"),
		};
		let report = Report::new()
			.done(format!(
				"Published {what} to {}{}",
				names(destinations),
				delivery::place(self.channel)
			))
			.data("deliveries", numbers(destinations));
		envelopes::report(report, envelopes, published)
	}

	fn signed(&self, destinations: &[Destination], procedure: Procedure, until: Moment) -> Report {
		let report = Report::new()
			.done(format!(
				"Signed {} deliveries to {}{}",
				destinations.len(),
				names(destinations),
				delivery::place(self.channel)
			))
			.data("deliveries", numbers(destinations))
			.time("publish_until", until);
		self.with_next(report, procedure, until)
	}

	/// Adds what is missing until the deliveries are in force.
	async fn waiting(
		&self,
		chain: &mut Chain,
		destinations: &[Destination],
		(rule, procedure): (ApprovalRule, Procedure),
		report: Report,
	) -> Result<Report> {
		let view = chain.view().await?;
		let mut until: Option<Moment> = None;
		for Destination { device, channel, .. } in destinations {
			let waits = view.proposal(device.id, *channel).await?;
			until = until.or(waits.map(|proposal| proposal.expires_at));
		}
		// The policy may be another one by now.
		let Some(until) = until else { return Ok(report.data("waits", false)) };
		let (role, needed) = (rule.role.name(), rule.needed);
		let report = report
			.row_as(
				"approvals_missing",
				format!("{needed} by accounts with the role {role}"),
				needed,
			)
			.time("approve_until", until)
			.data("waits", true);
		Ok(self.with_next(report, procedure, until))
	}

	fn with_next(&self, report: Report, procedure: Procedure, until: Moment) -> Report {
		let files = self.review.as_deref().map(Review::of_each).unwrap_or_default();
		match procedure.sentence(&files, until) {
			Some(sentence) => report.row("next", sentence),
			None => report,
		}
	}
}

/// Signs the content for each device, for another account to publish. Gives until when it can be published.
fn sign_each(
	account: &Account,
	view: &View,
	(destinations, bindings, reviews): (&[Destination], &[DeliveryBinding], &[PathBuf]),
	bundle: &Bundle,
) -> Result<Moment> {
	let mut until = Moment::MAX;
	for ((destination, binding), path) in destinations.iter().zip(bindings).zip(reviews) {
		let (expires_at, _) = sign(account, view, destination, bundle, binding, path)?;
		until = until.min(expires_at);
	}
	Ok(until)
}

/// Refuses a device at which something of another publisher waits for approvals: the chain would refuse all the others with it,
/// and not say for which.
async fn require_free(view: &View, to: &Destination, publisher: AccountId) -> Result<()> {
	let waiting = view.proposal(to.device.id, to.channel).await?;
	match waiting.filter(|waiting| is_foreign(waiting, publisher, view.now())) {
		None => Ok(()),
		Some(_) => Err(occupied(&to.device.text, to.channel)),
	}
}

fn is_foreign(waiting: &Proposal, publisher: AccountId, now: Moment) -> bool {
	waiting.record.publisher != publisher && waiting.expires_at >= now
}

fn occupied(device: &str, channel: ChannelId) -> Error {
	let (place, option) = (delivery::place(channel), delivery::option(channel));
	Error::NotAllowed {
		why: format!("a delivery of another publisher to {device}{place} waits for approvals"),
		next: format!(
			"have it approved, or taken back with `dpki withdraw-delivery {device}{option}`, or leave the device out"
		),
	}
}

fn names(destinations: &[Destination]) -> String {
	destinations.iter().map(|to| &to.device.text[..]).collect::<Vec<_>>().join(", ")
}

fn numbers(destinations: &[Destination]) -> Vec<Value> {
	destinations
		.iter()
		.map(|to| json!({ "device": to.device.id.to_string(), "sequence": to.sequence }))
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;
	use dpki_primitives::{
		delivery::DeliveryRecord,
		ids::{BlobDigest, KeyId},
		organisation::DeliveryPolicy,
	};
	use std::path::Path;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		deliver: Deliver,
	}

	fn deliver(further: &[&str]) -> Deliver {
		let words = ["deliver", "--org", "acme", "--device", "drone-7", "--device", "drone-8"];
		let words = [&words[..], &["--empty"], further].concat();
		let Ok(line) = Line::try_parse_from(words) else { panic!("it can be parsed") };
		line.deliver
	}

	#[test]
	fn each_device_has_a_file_of_its_own_and_one_pattern_names_them_all() {
		assert!(deliver(&[]).reviews().is_empty());
		let reviews = deliver(&["--review", "out/drones"]).reviews();
		let wanted = ["out/drones.drone-7.review", "out/drones.drone-8.review"];
		assert_eq!(reviews, wanted.map(PathBuf::from));
		assert_eq!(Review::of_each(Path::new("out/drones")), Path::new("out/drones.*.review"));
	}

	#[test]
	fn nothing_is_published_past_those_who_have_to_agree() {
		let rule = |policy| ApprovalRule::of(policy);
		let (two, watched) = (DeliveryPolicy::MultiAdmin, DeliveryPolicy::Watchdogs { needed: 2 });
		deliver(&[]).require_procedure(None).unwrap();
		let error = deliver(&[]).require_procedure(rule(watched)).unwrap_err();
		assert!(error.to_string().contains("need 2 approvals"), "{error}");
		let reviewed = deliver(&["--review", "drones"]);
		reviewed.require_procedure(rule(watched)).unwrap();
		let error = reviewed.require_procedure(rule(two)).unwrap_err();
		assert!(error.next_step().unwrap().contains("--sign-for"), "{error}");
	}

	#[test]
	fn what_another_publisher_has_put_there_to_be_approved_is_told_by_its_device() {
		let waiting = Proposal {
			record: DeliveryRecord {
				organisation: OrganisationId([1; 32]),
				publisher: [2; 32],
				sequence: 3,
				suite: Suite::SharedX25519,
				recipient: KeyId([4; 32]),
				digest: BlobDigest([5; 32]),
				length: 100,
				published_at: 0,
			},
			expires_at: 10,
			approvals: Default::default(),
		};
		assert!(is_foreign(&waiting, [9; 32], 10));
		assert!(!is_foreign(&waiting, [9; 32], 11), "nobody can approve it any more");
		assert!(!is_foreign(&waiting, [2; 32], 10), "a publisher replaces its own");
		let error = occupied("acme/drone-7", ChannelId::new(2).unwrap());
		assert!(error.to_string().contains("acme/drone-7 on channel 2 waits"), "{error}");
		let next = error.next_step().unwrap();
		assert!(next.contains("`dpki withdraw-delivery acme/drone-7 --channel 2`"), "{next}");
	}
}
