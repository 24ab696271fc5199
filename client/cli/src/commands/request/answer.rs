//! `dpki request answer`: the certificate, the delivery that brings it, and the word on the chain that it is there.

use super::{Opened, Which};
use crate::{
	commands::{
		access::state::{self, State},
		certificate::issue::Proposal,
		deliver::{self, Destination, made},
		delivery,
		ssh::{self as certificates, requests::require_host_key},
		x509::issuer::Authority,
	},
	error::{Error, Result},
	lookup,
	output::{Report, rfc3339},
	prompt, secrets,
	session::Session,
	transaction,
	values::{self, AnchorRef},
};
use clap::{ArgGroup, Args};
use dpki_client::{
	Item, View, calls,
	device_request::{Wanted, filing_word},
	ssh,
};
use dpki_primitives::{
	Moment, anchor::AnchorKind, approval::ApprovalRule, channel::ChannelId, delivery::Outcome,
	ids::KeyId,
};
use std::{path::PathBuf, time::Duration};

/// Certify what a device asks for, and deliver it.
#[derive(Args)]
#[command(group = ArgGroup::new("how").required(true).args(["ca", "ca_key", "delivered"]))]
pub struct Answer {
	#[command(flatten)]
	which: Which,
	/// For ssh-host: the private key of an SSH host CA of the organisation
	#[arg(long, value_name = "FILE", requires = "review")]
	ca: Option<PathBuf>,
	/// For tls: the certificate of the CA, which is an anchor of the organisation
	#[arg(long, value_name = "FILE", requires = "ca_key")]
	ca_cert: Option<PathBuf>,
	/// For tls: its private key in PEM
	#[arg(long, value_name = "FILE", requires_all = ["ca_cert", "review"])]
	ca_key: Option<PathBuf>,
	/// How long the certificate is valid
	#[arg(long, default_value = "90d", value_name = "SPAN", value_parser = certificates::certificate_span)]
	valid: Duration,
	/// The file that opens the newest delivery to the device; a new file, if there was none yet
	#[arg(long, value_name = "FILE")]
	review: Option<PathBuf>,
	/// Channel of the device, 0 to 15, on which the certificate is delivered; to be named if the device has deliveries on
	/// others than the default one
	#[arg(long, value_name = "N")]
	channel: Option<ChannelId>,
	/// Seal the delivery to the hybrid key of the device, which `dpki-agent hybrid` wrote into this file there
	#[arg(long, value_name = "FILE")]
	hybrid_key: Option<PathBuf>,
	/// Only tell the device that the certificate is in the delivery of this number
	#[arg(
		long,
		value_name = "NUMBER",
		value_parser = clap::value_parser!(u64).range(1..),
		conflicts_with_all = ["review", "hybrid_key", "valid", "wait"]
	)]
	delivered: Option<u64>,
	/// Sign without asking whether the names are right
	#[arg(long)]
	yes: bool,
	/// Wait until the device says what became of it; fails if it refuses, or says nothing for this long
	#[arg(
		long,
		value_name = "SPAN",
		num_args = 0..=1,
		require_equals = true,
		default_missing_value = "60s",
		value_parser = values::duration
	)]
	wait: Option<Duration>,
}

/// A certificate that was signed, after somebody agreed to its names.
struct Certified {
	item: Item,
	names: Vec<String>,
	until: Moment,
}

impl Answer {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Some(review) = &self.review else { return self.mark(session).await };
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let opened = self.which.open(&client, &view).await?;
		let (device, channel) = (self.which.device.clone(), self.channel(&view).await?);
		let destination =
			Destination::of(&view, device, channel, self.hybrid_key.as_deref()).await?;
		let rule = view.organisation(opened.record.organisation).await?;
		let rule = rule.and_then(|record| ApprovalRule::of(record.policy));
		require_publishable(rule)?;
		// Whatever cannot be delivered is refused before anything is certified.
		let state = State::read(review, &client, &view, &destination).await?;
		state.require_as_secret(&destination.key, &opened.name)?;
		let Certified { item, names, until } = match opened.wanted.clone() {
			Wanted::SshHost { key, names } => {
				require_host_key(&view, opened.place.0, &opened.name, KeyId::of(&key)).await?;
				self.host_certificate(&view, &opened, &ssh::from_public_key(&key)?, names)
					.await?
			},
			Wanted::Tls { service, csr } => {
				self.tls_certificate(&view, &opened, service, &csr).await?
			},
		};
		let bundle = state.replacing(item);
		let warnings = made::confirm_escrow(&bundle.items, &opened.name, self.yes)?;
		let published =
			state::publish(session, &client, &account, &destination, &bundle, review).await?;
		let (name, sequence) = (&opened.name, destination.sequence);
		let word = filing_word(&opened.filing.kind);
		let call = calls::answer_request(opened.place, opened.filing.content, sequence);
		let told = session.submit(&client, &account, &call, "telling the device").await;
		let finalized = told.inspect_err(|_| {
			session.warn(&format!(
				"the certificate is in delivery {sequence}, and the device was not told: \
				 `dpki request answer {} {word} --delivered {sequence}{}` does it",
				self.which.device.text,
				delivery::option(channel)
			));
		})?;
		let mut report = Report::new()
			.done(format!("Certified {word} of {name} until {}", rfc3339(until)))
			.row_as("names", names.join(", "), names)
			.row_as("sequence", sequence.to_string(), sequence)
			.row("review", review.display())
			.time("not_after", until)
			.data("device", opened.place.0.to_string())
			.data("channel", channel.number())
			.data("request", word)
			.data("published_in", published.number)
			.finalized(&finalized);
		for warning in warnings {
			report = report.warn(warning);
		}
		let Some(patience) = self.wait else { return Ok(report) };
		let stopped = || Error::Interrupted {
			doing: format!("waiting for {name}: the certificate is delivered"),
			next: format!(
				"`dpki status delivery {name}{}` shows what becomes of it",
				delivery::option(channel)
			),
		};
		let waiting = deliver::acknowledgement(&client, &destination, patience);
		let seen = transaction::or_interrupted(waiting, stopped).await?;
		match seen.outcome {
			Outcome::Applied => {
				Ok(report.data("outcome", "applied").time("acknowledged_at", seen.at))
			},
			Outcome::Refused(reason) => {
				Err(Error::DeviceRefused { sequence: seen.sequence, reason })
			},
		}
	}

	/// Tells the device where a certificate is that was made and delivered in another way.
	async fn mark(&self, session: &Session) -> Result<Report> {
		// The command line takes no other way without --review.
		let Some(sequence) = self.delivered else {
			return Err(Error::Usage("say what opens the newest delivery: --review".into()));
		};
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let (place, filing) = self.which.find(&view).await?;
		let channel = self.channel(&view).await?;
		let newest = view.delivery(place.0, channel).await?.map_or(0, |newest| newest.sequence);
		let waiting = view.proposal(place.0, channel).await?;
		let waiting = waiting.map_or(0, |waiting| waiting.record.sequence);
		if sequence > newest.max(waiting) {
			return Err(Error::NotAllowed {
				why: format!(
					"there is no delivery {sequence} to {}{}",
					self.which.device.text,
					delivery::place(channel)
				),
				next: "deliver the certificate first, with `dpki deliver`".into(),
			});
		}
		let call = calls::answer_request(place, filing.content, sequence);
		let finalized = session.submit(&client, &account, &call, "telling the device").await?;
		let word = filing_word(&filing.kind);
		Ok(Report::new()
			.done(format!("Told {} that {word} is in delivery {sequence}", self.which.device.text))
			.data("device", place.0.to_string())
			.data("request", word)
			.data("channel", channel.number())
			.data("sequence", sequence)
			.finalized(&finalized))
	}

	/// The channel that is meant. On another one than the certificate in force came on, the new one would overrule that whole
	/// channel, or count for nothing: where there are others, none is guessed.
	async fn channel(&self, view: &View) -> Result<ChannelId> {
		if let Some(channel) = self.channel {
			return Ok(channel);
		}
		let device = &self.which.device;
		let found = view.deliveries(device.id).await?;
		let channels: Vec<_> = found.iter().map(|on| on.channel).collect();
		unnamed_channel(&channels, &device.text)
	}

	async fn host_certificate(
		&self,
		view: &View,
		opened: &Opened,
		key: &ssh_key::PublicKey,
		names: Vec<String>,
	) -> Result<Certified> {
		let Some(ca) = &self.ca else { return Err(self.other_ca("--ca with an SSH host CA")) };
		let ca = secrets::ssh_key(ca)?;
		let known = certificates::active_ca(view, &ca, AnchorKind::SshHostCa).await?;
		deliver::require_own(&known, opened.record.organisation)?;
		deliver::require_unrevoked(&view.ssh_revocations(known.id).await?, key, &opened.name)?;
		let question = format!("Certify {} as {}?", opened.name, names.join(", "));
		prompt::confirm(&question, self.yes)?;
		let content = certificates::Content {
			names: names.clone(),
			now: certificates::signing_time(Some(view.now()))?,
			span: self.valid,
			serial: None,
			key_id: Some(opened.name.clone()),
		};
		let certificate = content.sign(&ca, key, AnchorKind::SshHostCa)?;
		let until = certificate.valid_before().saturating_mul(1000);
		let line = certificates::openssh_line(&certificate)?;
		let item = Item::SshHostCertificate { certificate: line.trim_end().to_owned() };
		Ok(Certified { item, names, until })
	}

	async fn tls_certificate(
		&self,
		view: &View,
		opened: &Opened,
		service: String,
		csr: &[u8],
	) -> Result<Certified> {
		let (Some(certificate), Some(key)) = (&self.ca_cert, &self.ca_key) else {
			return Err(self.other_ca("--ca-cert and --ca-key with an X.509 CA"));
		};
		let authority = Authority::read(certificate, key)?;
		let file = AnchorRef::File(certificate.clone());
		let kinds = [AnchorKind::X509Root, AnchorKind::X509Intermediate];
		let known = lookup::anchor(view, &file, &kinds).await?.require_valid()?;
		deliver::require_own(&known, opened.record.organisation)?;
		let proposal = Proposal::read(csr, &opened.name, opened.place.0)?;
		prompt::confirm(&proposal.question(&service), self.yes)?;
		let until = values::after(view.now(), self.valid)?;
		let names = proposal.names.clone();
		let certificate = proposal.sign(&authority, view.now(), until)?;
		let mut chain = vec![certificate.der().to_vec()];
		// Peers have the root; what lies between has to be shown to them.
		if known.record.kind == AnchorKind::X509Intermediate {
			chain.push(authority.der.clone());
		}
		let item = Item::TlsIdentity { name: service, chain, key: None };
		Ok(Certified { item, names, until })
	}

	/// The error for a CA that does not certify what is asked for.
	fn other_ca(&self, needed: &str) -> Error {
		Error::NotAllowed {
			why: format!("{} asks for a certificate of another kind", self.which.device.text),
			next: format!("give {needed}"),
		}
	}
}

/// The channel of whoever names none, for a device which has deliveries on these.
fn unnamed_channel(channels: &[ChannelId], device: &str) -> Result<ChannelId> {
	if channels.iter().all(|channel| *channel == ChannelId::DEFAULT) {
		return Ok(ChannelId::DEFAULT);
	}
	Err(Error::NotAllowed {
		why: match channels {
			[one] => format!("{device} has deliveries on channel {one}"),
			_ => format!("{device} has deliveries on several channels"),
		},
		next: "say with --channel on which the certificate in force came".into(),
	})
}

/// Refuses to certify what nobody could deliver by one command: what others have to sign or to approve is not in force when
/// the device is told.
fn require_publishable(rule: Option<ApprovalRule>) -> Result<()> {
	let Some(rule) = rule else { return Ok(()) };
	let (why, option) = if rule.signed_inside {
		let why = "devices of this organisation want each content signed by a second person";
		(why.to_owned(), "--sign-for")
	} else {
		let role = rule.role.name();
		let why = format!(
			"deliveries of this organisation need approvals by accounts with the role {role}"
		);
		(why, "--review FILE")
	};
	Err(Error::NotAllowed {
		why,
		next: format!(
			"have the device ask with `dpki-agent request --print`, deliver the certificate with `dpki deliver {option}`, \
			 and give its number with --delivered"
		),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;
	use dpki_primitives::organisation::DeliveryPolicy;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		_answer: Answer,
	}

	#[test]
	fn an_answer_needs_a_ca_and_what_the_device_has_or_a_number() {
		let parse = |text: &str| {
			let line = format!("answer acme/drone-7 tls:web {text}");
			Line::try_parse_from(line.split_whitespace())
		};
		for good in [
			"--ca-cert ca.crt --ca-key ca.key --review r",
			"--ca host-ca --review r --valid 30d --wait",
			"--delivered 12",
			"--delivered 12 --channel 2",
		] {
			assert!(parse(good).is_ok(), "{good}");
		}
		for wrong in [
			"",
			"--ca-cert ca.crt --ca-key ca.key",
			"--ca-key ca.key --review r",
			"--ca host-ca",
			"--ca host-ca --ca-cert ca.crt --ca-key ca.key --review r",
			"--delivered 0",
			"--delivered 12 --review r",
			"--ca host-ca --review r --valid 2y",
			"--ca host-ca --review r --channel 16",
		] {
			assert!(parse(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn where_others_have_to_sign_or_to_approve_nobody_answers_alone() {
		assert!(require_publishable(None).is_ok());
		for (policy, why, option) in [
			(DeliveryPolicy::Watchdogs { needed: 2 }, "need approvals", "--review"),
			(DeliveryPolicy::MultiAdmin, "signed by a second person", "--sign-for"),
		] {
			let error = require_publishable(ApprovalRule::of(policy)).unwrap_err();
			assert!(error.to_string().contains(why), "{error}");
			let next = error.next_step().unwrap();
			assert!(next.contains(option) && next.contains("--delivered"), "{next}");
		}
	}

	#[test]
	fn no_channel_is_guessed_where_there_are_others_than_the_default_one() {
		let (default, other) = (ChannelId::DEFAULT, ChannelId::new(2).unwrap());
		for good in [vec![], vec![default]] {
			assert_eq!(unnamed_channel(&good, "acme/drone-7").unwrap(), default);
		}
		for (channels, why) in
			[(vec![other], "on channel 2"), (vec![default, other], "on several channels")]
		{
			let error = unnamed_channel(&channels, "acme/drone-7").unwrap_err();
			assert!(error.to_string().contains(why), "{error}");
			assert!(error.next_step().unwrap().contains("--channel"), "{error}");
		}
	}
}
