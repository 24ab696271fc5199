//! One command for many deliveries, such as those of one envelope to a fleet.
//!
//! What is in them is shown once where it is the same, and asked about once. The chain takes them one by one, so that a run that
//! was interrupted goes on with those that are left.

use super::{Review, content, count, publish};
use crate::{
	commands::blob::Also,
	error::{Error, Result},
	lookup,
	output::{Progress, Report},
	prompt,
	proven::Trust,
	session::Session,
};
use dpki_client::{AccountId, BlobStore, ChainBlobs, Client, View, account, calls};
use dpki_primitives::ids::{BlobDigest, DeviceId, OrganisationId, name_to_string};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A delivery that somebody is asked to stand for.
struct Candidate {
	review: Review,
	envelope: Vec<u8>,
	/// The device, with its organisation.
	name: String,
	/// What is in it, and who stands for it.
	told: Vec<String>,
}

/// What can be done about some files, and why not about the others.
#[derive(Default)]
struct Gathered {
	candidates: Vec<Candidate>,
	left_out: Vec<(PathBuf, String)>,
}

/// Publishes what these files hold.
pub async fn publish_each(
	session: &Session,
	files: &[PathBuf],
	also: &Also,
	trust: &Trust,
	yes: bool,
) -> Result<Report> {
	let account = session.account()?;
	let actor = session.actor(&account);
	let mut chain = trust.chain(session).await?;
	let (client, view) = (chain.client().clone(), chain.view().await?);
	let mut gathered = Gathered::default();
	for file in files {
		let review = Review::read(file)?;
		review.require_chain(&client)?;
		review.require_publisher(&actor)?;
		match on_chain(&view, &review).await? {
			OnChain::InForce | OnChain::Waits { .. } => {
				gathered.leave_out(file, "it is published already");
			},
			OnChain::Outdated(why) => gathered.leave_out(file, why),
			OnChain::Nowhere(_) => {
				let envelope = review.envelope()?;
				match review.answered(&view).await {
					Ok(answered) => {
						gathered.take(&view, file, review, envelope, answered).await?;
					},
					Err(error @ Error::NotAllowed { .. }) => {
						gathered.leave_out(file, error.to_string());
					},
					Err(error) => return Err(error),
				}
			},
		}
	}
	let copies = also.prepare()?;
	gathered.confirm("Publish", yes)?;
	let total = gathered.candidates.len();
	let mut warnings = Vec::new();
	for (done, Candidate { review, envelope, .. }) in gathered.candidates.iter().enumerate() {
		let doing = format!("publishing delivery {} of {total}", done + 1);
		let published = publish(session, &client, &account, (review, envelope), &doing).await;
		let (_, warning) = published.inspect_err(|_| tell_of_rest(session, done))?;
		warnings.extend(warning);
		if let Some(copies) = &copies {
			let published = (review.device, review.channel, review.sequence);
			copies.put(&client, envelope, &[published]).await?;
		}
	}
	let mut report = gathered.report(&chain.view().await?, "Published").await?;
	for warning in warnings {
		report = report.warn(warning);
	}
	Ok(report)
}

/// Approves the deliveries that these files open.
pub async fn approve_each(
	session: &Session,
	files: &[PathBuf],
	trust: &Trust,
	yes: bool,
) -> Result<Report> {
	let account = session.account()?;
	let actor = session.actor(&account);
	let mut chain = trust.chain(session).await?;
	let (client, view) = (chain.client().clone(), chain.view().await?);
	let mut gathered = Gathered::default();
	let mut fetched: Option<(BlobDigest, Vec<u8>)> = None;
	for file in files {
		let review = Review::read(file)?;
		review.require_chain(&client)?;
		let length = match on_chain(&view, &review).await? {
			OnChain::InForce => {
				gathered.leave_out(file, "it is in force already");
				continue;
			},
			OnChain::Nowhere(why) | OnChain::Outdated(why) => {
				gathered.leave_out(file, why);
				continue;
			},
			OnChain::Waits { approvals, .. } if approvals.contains(&actor) => {
				gathered.leave_out(file, "this account has approved it already");
				continue;
			},
			OnChain::Waits { length, .. } => length,
		};
		let envelope = match (review.envelope(), fetched.take()) {
			(Ok(envelope), _) => envelope,
			// Many of these files are about one envelope.
			(Err(_), Some((digest, envelope))) if digest == review.digest => envelope,
			(Err(_), _) => fetch(&client, review.digest, length).await?,
		};
		fetched = Some((review.digest, envelope.clone()));
		gathered.take(&view, file, review, envelope, None).await?;
	}
	gathered.confirm("Approve", yes)?;
	let total = gathered.candidates.len();
	for (done, Candidate { review, envelope, .. }) in gathered.candidates.iter().enumerate() {
		let call = calls::approve_delivery(review.device, review.channel, review.id(envelope));
		let doing = format!("approving delivery {} of {total}", done + 1);
		let approved = session.submit(&client, &account, &call, &doing).await;
		approved.inspect_err(|_| tell_of_rest(session, done))?;
	}
	gathered.report(&chain.view().await?, "Approved").await
}

/// The envelope of a delivery that waits.
pub async fn fetch(client: &Client, digest: BlobDigest, length: u32) -> Result<Vec<u8>> {
	let _progress = Progress::start("fetching the envelope");
	ChainBlobs::new(client)
		.get(digest, length)
		.await
		.map_err(|error| Error::NotAllowed {
			why: error.to_string(),
			next: "use a node that keeps its blocks, and try again".into(),
		})
}

/// Where the delivery of a file is.
enum OnChain {
	/// It is the newest one of its device.
	InForce,
	/// It waits for approvals. These accounts have given theirs.
	Waits { approvals: Vec<AccountId>, length: u32 },
	/// A newer one has taken its place; which.
	Outdated(String),
	/// It is none of these; why it cannot be approved.
	Nowhere(String),
}

async fn on_chain(view: &View, review: &Review) -> Result<OnChain> {
	let (device, channel) = (review.device, review.channel);
	let newest = view.delivery(device, channel).await?;
	if newest.as_ref().is_some_and(|newest| newest.digest == review.digest) {
		return Ok(OnChain::InForce);
	}
	let newest = newest.map(|newest| (newest.sequence, newest.digest));
	if let Err(outdated) = review.require_above(newest) {
		return Ok(OnChain::Outdated(outdated.to_string()));
	}
	let Some(proposal) = view.proposal(device, channel).await? else {
		return Ok(OnChain::Nowhere("no delivery to its device waits for approvals".into()));
	};
	Ok(match review.require(&proposal) {
		Ok(()) => {
			let approvals = proposal.approvals.iter().copied().collect();
			OnChain::Waits { approvals, length: proposal.record.length }
		},
		Err(error) => OnChain::Nowhere(error.to_string()),
	})
}

/// Before the error: what was done is done.
fn tell_of_rest(session: &Session, done: usize) {
	if done > 0 {
		session.warn(&format!("{done} are done; the same command goes on with the others"));
	}
}

impl Gathered {
	fn leave_out(&mut self, file: &Path, why: impl Into<String>) {
		self.left_out.push((file.to_owned(), why.into()));
	}

	/// Takes a file on whose delivery it is to be decided, if that makes sense yet, with what the device is told of it.
	async fn take(
		&mut self,
		view: &View,
		file: &Path,
		review: Review,
		envelope: Vec<u8>,
		answered: Option<String>,
	) -> Result<()> {
		let opened = review.open(&envelope)?;
		if let Err(error) = content::require_in_time(&opened, view.now()) {
			self.leave_out(file, error.to_string());
			return Ok(());
		}
		let mut told = content::describe(&opened, view, review.device).await?;
		told.extend(answered);
		let name = name_of(view, review.device, review.organisation).await?;
		self.candidates.push(Candidate { review, envelope, name, told });
		Ok(())
	}

	/// Shows what is in the deliveries, and asks whether they are meant.
	fn confirm(&self, verb: &str, yes: bool) -> Result<()> {
		if let ([], [(file, why), ..]) = (&self.candidates[..], &self.left_out[..]) {
			return Err(Error::NotAllowed {
				why: format!("there is nothing to {}: {why}", verb.to_lowercase()),
				next: format!(
					"look with `dpki status delivery` at the device of {}",
					file.display()
				),
			});
		}
		prompt::confirm(&question(&self.groups(), verb), yes)
	}

	/// The deliveries with the same content, in the order in which they came.
	fn groups(&self) -> Vec<(&[String], Vec<String>)> {
		let mut groups: Vec<(&[String], Vec<String>)> = Vec::new();
		for Candidate { told, name, review, .. } in &self.candidates {
			let place = super::place(review.channel);
			let to = format!("{name}{place} ({})", review.sequence);
			match groups.iter_mut().find(|(known, _)| *known == told) {
				Some((_, devices)) => devices.push(to),
				None => groups.push((told.as_slice(), vec![to])),
			}
		}
		groups
	}

	async fn report(&self, view: &View, done: &str) -> Result<Report> {
		let (mut deliveries, mut in_force) = (Vec::new(), 0);
		for Candidate { review, name, .. } in &self.candidates {
			let proposal = view.proposal(review.device, review.channel).await?;
			let proposal = proposal.filter(|proposal| review.require(proposal).is_ok());
			let missing = match &proposal {
				Some(proposal) => Some(count(view, proposal).await?.1),
				None => None,
			};
			in_force += usize::from(proposal.is_none());
			deliveries.push(json!({
				"device": review.device.to_string(),
				"device_name": name,
				"channel": review.channel.number(),
				"sequence": review.sequence,
				"digest": review.digest.to_string(),
				"waits": proposal.is_some(),
				"approvals_missing": missing,
			}));
		}
		let content: Vec<_> = self.groups().into_iter().map(|(told, _)| told.join("; ")).collect();
		let count = deliveries.len();
		let left: Vec<_> = self
			.left_out
			.iter()
			.map(|(file, why)| json!({ "file": file.display().to_string(), "why": why }))
			.collect();
		let mut report = Report::new()
			.done(format!("{done} {count} deliveries"))
			.row_as("content", content.join(" | "), content)
			.row_as("in_force", format!("{in_force} of {count}"), in_force)
			.data("deliveries", deliveries)
			.data("left_out", left)
			.read_at(view.head());
		for (file, why) in &self.left_out {
			report = report.tail(format!("  {}: left out, {why}", file.display()));
		}
		Ok(report)
	}
}

/// What a person is asked about all of them.
fn question(groups: &[(&[String], Vec<String>)], verb: &str) -> String {
	let mut text = String::new();
	let mut total = 0;
	for (told, devices) in groups {
		total += devices.len();
		text.push_str(&format!("Deliveries to {}:\n", devices.join(", ")));
		for line in *told {
			text.push_str(&format!("  {line}\n"));
		}
	}
	format!("{text}{verb} these {total} deliveries?")
}

async fn name_of(view: &View, device: DeviceId, organisation: OrganisationId) -> Result<String> {
	let Some(record) = view.device(device).await? else { return Ok(device.to_string()) };
	let organisation = lookup::organisation_name(view, organisation).await?;
	Ok(format!("{organisation}/{}", name_to_string(&record.name)))
}

impl Review {
	/// Refuses to publish what was sealed for another account to publish.
	pub(super) fn require_publisher(&self, actor: &AccountId) -> Result<()> {
		if *actor == self.publisher {
			return Ok(());
		}
		Err(Error::NotAllowed {
			why: format!(
				"the delivery was sealed for {} to publish, not for {}",
				account::address(&self.publisher),
				account::address(actor)
			),
			next: "sign with that account, or have it prepared for yours".into(),
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::envelope::ContentKey;
	use dpki_primitives::{
		channel::ChannelId,
		delivery::{DeliveryBinding, Suite},
		ids::KeyId,
	};

	#[test]
	fn a_delivery_that_a_newer_one_has_replaced_is_told_as_outdated() {
		let Candidate { review, .. } = candidate("a", "one");
		let other = BlobDigest([9; 32]);
		for newest in [None, Some((6, other))] {
			review.require_above(newest).unwrap();
		}
		for newest in [7, 8] {
			let error = review.require_above(Some((newest, other))).unwrap_err();
			let sentence = format!("delivery 7 on channel 2 is outdated: delivery {newest} is");
			assert!(error.to_string().contains(&sentence), "{error}");
			assert!(error.next_step().unwrap().contains("prepared again"), "{error}");
		}
		let done = review.require_above(Some((7, review.digest))).unwrap_err();
		assert!(done.to_string().contains("in force already"), "{done}");
	}

	fn candidate(name: &str, told: &str) -> Candidate {
		let binding = DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device: DeviceId([4; 32]),
			channel: ChannelId::new(2).unwrap(),
			recipient: KeyId([5; 32]),
			suite: Suite::SharedX25519,
			sequence: 7,
		};
		let key = ContentKey::from_text(&"ab".repeat(32)).unwrap();
		Candidate {
			review: Review::new(&binding, b"envelope", key, false),
			envelope: b"envelope".to_vec(),
			name: name.into(),
			told: vec![told.into()],
		}
	}

	#[test]
	fn what_is_the_same_is_shown_once_with_all_devices_that_get_it() {
		let candidates =
			["a", "b", "c"].map(|name| candidate(name, if name == "b" { "two" } else { "one" }));
		let gathered = Gathered { candidates: candidates.into(), left_out: vec![] };
		let asked = question(&gathered.groups(), "Approve");
		let wanted = "Deliveries to a on channel 2 (7), c on channel 2 (7):\n  one\nDeliveries to b on channel 2 (7):\n  \
		              two\nApprove these 3 deliveries?";
		assert_eq!(asked, wanted);
		// Tests have no terminal.
		assert!(matches!(gathered.confirm("Approve", false), Err(Error::ConfirmationMissing(_))));
		gathered.confirm("Approve", true).unwrap();
	}

	#[test]
	fn where_nothing_is_left_to_do_that_is_said_with_the_reason() {
		let mut gathered = Gathered::default();
		gathered.leave_out(Path::new("x.review"), "it is in force already");
		let error = gathered.confirm("Approve", true).unwrap_err();
		assert!(error.to_string().contains("nothing to approve: it is in force"), "{error}");
		assert!(error.next_step().unwrap().contains("x.review"), "{error}");
	}

	#[test]
	fn what_was_sealed_for_one_account_is_published_by_no_other() {
		let Candidate { review, .. } = candidate("a", "one");
		review.require_publisher(&[3; 32]).unwrap();
		let error = review.require_publisher(&[4; 32]).unwrap_err();
		assert!(error.to_string().contains("sealed for"), "{error}");
	}
}
