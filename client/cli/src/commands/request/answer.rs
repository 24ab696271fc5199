//! `dpki request answer`: the certificate, the delivery that brings it, and the word on the chain that it is there.

mod certified;

pub use certified::require_allowed;

use super::{Opened, Which};
use crate::{
	commands::{
		access::{
			approval::{Brings, Procedure, Waiting},
			state::{self, State},
		},
		certificate::issue,
		deliver::{self, Destination, made},
		delivery::{self, Review},
		ssh::{self as certificates, requests::require_host_key},
	},
	error::{Error, Result},
	files,
	output::{Report, rfc3339},
	proven::{Chain, Trust},
	session::Session,
	transaction,
	values::{self, Member},
};
use certified::Certified;
use clap::{ArgGroup, Args};
use dpki_client::{
	Account, Bundle, Client, Finalized, View, calls,
	device_request::{Wanted, filing_word},
	ssh,
};
use dpki_primitives::{
	Moment,
	approval::ApprovalRule,
	channel::ChannelId,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{DeliveryBinding, DeliveryStanding, Outcome},
	filing::FilingKind,
	ids::KeyId,
};
use std::{path::PathBuf, time::Duration};

/// Certify what a device asks for, and deliver it.
#[derive(Args)]
#[command(group = ArgGroup::new("how").required(true).args(["ca", "ca_key", "delivered"]))]
pub struct Answer {
	#[command(flatten)]
	which: Which,
	/// For ssh-host: the private key of an SSH host CA of the organisation; for ssh-user: that of an SSH user CA
	#[arg(long, value_name = "FILE", requires = "review")]
	ca: Option<PathBuf>,
	/// For tls: the certificate of the CA, which is an anchor of the organisation
	#[arg(long, value_name = "FILE", requires = "ca_key")]
	ca_cert: Option<PathBuf>,
	/// For tls: its private key in PEM
	#[arg(long, value_name = "FILE", requires_all = ["ca_cert", "review"])]
	ca_key: Option<PathBuf>,
	/// For ssh-user: whom the certificate may stand for; the device gets those for which it asks, and nothing if it asks for
	/// another one (repeat, or separate by commas)
	#[arg(
		long,
		value_name = "NAME[,..]",
		value_delimiter = ',',
		value_parser = values::principal,
		conflicts_with_all = ["ca_cert", "ca_key", "delivered"]
	)]
	principal: Vec<String>,
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
		conflicts_with_all = ["review", "hybrid_key", "sign_for", "valid", "wait"]
	)]
	delivered: Option<u64>,
	/// Sign the delivery for this account to publish, where the policy of the organisation asks for a second person; whoever
	/// publishes it tells the device
	#[arg(long, value_name = "ACCOUNT", requires = "review")]
	sign_for: Option<Member>,
	#[command(flatten)]
	trust: Trust,
	/// Sign without asking whether the names are right
	#[arg(long)]
	yes: bool,
	/// Wait until the device says what became of it; fails if it refuses, or says nothing for this long. Those who have to
	/// approve are waited for as long
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

impl Answer {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Some(review) = &self.review else { return self.mark(session).await };
		self.require_principals_for_users()?;
		let account = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		let opened = self.which.open(&client, &view).await?;
		let (device, channel) = (self.which.device.clone(), self.channel(&view).await?);
		let destination =
			Destination::of(&view, device, channel, self.hybrid_key.as_deref()).await?;
		let rule = view.organisation(opened.record.organisation).await?;
		let rule = rule.and_then(|record| ApprovalRule::of(record.policy));
		let procedure = Procedure::of(rule, self.sign_for.as_ref().map(|it| it.0))?;
		let actor = session.actor(&account);
		let organisation = opened.record.organisation;
		procedure.check(&view, organisation, (account.id(), actor)).await?;
		// Whatever cannot be delivered is refused before anything is certified.
		let state = State::read(review, session, (&client, &view), &destination).await?;
		state.require_as_secret(&destination.key, &opened.name)?;
		let Certified { item, names, until, key } = match opened.wanted.clone() {
			Wanted::SshHost { key, names } => {
				let id = KeyId::of(&key);
				require_host_key(&view, opened.place.0, &opened.name, id).await?;
				let key = (id, ssh::from_public_key(&key)?);
				self.host_certificate(&view, &opened, key, names).await?
			},
			Wanted::Tls { service, csr } => {
				self.tls_certificate(&view, &opened, service, &csr).await?
			},
			Wanted::SshUser { login, key, principals, .. } => {
				self.user_certificate(&view, &opened, (login, &key), principals).await?
			},
		};
		let bundle = state.replacing(item);
		let warnings = made::confirm_escrow(&bundle.items, &opened.name, self.yes)?;
		let binding = DeliveryBinding {
			genesis: client.genesis_hash(),
			organisation,
			publisher: procedure.publisher(actor),
			device: destination.device.id,
			channel,
			recipient: destination.recipient.0,
			suite: destination.shared_suite(),
			sequence: destination.sequence,
		};
		let (how, span) = ((&account, procedure), (view.now(), until));
		// Whoever was asked may have answered after hours.
		let current = chain.view().await?;
		destination.require_current(&current).await?;
		match opened.wanted {
			Wanted::SshHost { .. } => {
				require_host_key(&current, opened.place.0, &opened.name, key).await?;
			},
			Wanted::Tls { .. } | Wanted::SshUser { .. } => {
				issue::require_fit(&current, key, opened.place.0, &opened.name).await?;
			},
		}
		let sealed = state::seal(how, binding, &destination, &bundle, span, review)?;
		let on = On { session, client: &client, account: &account, destination: &destination };
		let word = filing_word(&opened.filing.kind);
		let mut report = Report::new()
			.done(format!("Certified {word} of {} until {}", opened.name, rfc3339(until)))
			.row_as("names", names.join(", "), names)
			.row_as("sequence", destination.sequence.to_string(), destination.sequence)
			.row("review", review.display())
			.time("not_after", until)
			.data("device", opened.place.0.to_string())
			.data("channel", channel.number())
			.data("request", word);
		if let Procedure::Signed(..) = procedure {
			// Whoever publishes it tells the device, which would look for it in vain until then.
			let mut signed = Review::read(&sealed.file)?;
			signed.answers = Some((opened.place.1, opened.filing.content));
			signed.replace(&sealed.file)?;
		} else {
			let published = sealed.publish(session, &client, &account).await?;
			if procedure == Procedure::Alone {
				files::rename(&sealed.file, review)?;
			}
			let told = self.tell(&on, &opened).await?;
			report = report.data("published_in", published.number).finalized(&told);
		}
		let waits = procedure != Procedure::Alone;
		let until = approvable(&mut chain, &destination, until).await?;
		let before = match procedure {
			Procedure::Signed(..) => until.min(view.now().saturating_add(MAX_SIGNATURE_LIFETIME)),
			Procedure::Alone | Procedure::Approved(_) => until,
		};
		if let Some(sentence) = procedure.sentence(&sealed.file, before) {
			report =
				report.data("awaits", sealed.file.display().to_string()).row("next", &sentence);
			if self.wait.is_some() {
				session.warn(&format!("the certificate is not in force yet: {sentence}"));
			}
		}
		let report = warnings.into_iter().fold(report.data("waits", waits), Report::warn);
		let Some(patience) = self.wait else { return Ok(report) };
		if waits {
			let (digest, what) = (sealed.digest(), Brings::Certificate);
			let waiting = Waiting { destination: &destination, digest, until, what };
			let approved = waiting.in_force(&mut chain, Some(patience));
			transaction::or_interrupted(approved, || on.stopped("is certified")).await?;
			files::rename(&sealed.file, review)?;
		}
		on.acknowledged(&mut chain, &bundle, patience, report).await
	}

	/// Refuses principals where nothing would be made of them.
	fn require_principals_for_users(&self) -> Result<()> {
		let is_of_user = matches!(self.which.what.0, FilingKind::SshUser { .. });
		match is_of_user || self.principal.is_empty() {
			true => Ok(()),
			false => Err(Error::Usage("--principal is for ssh-user: leave it out".into())),
		}
	}

	/// Tells the device which delivery has what it asked for.
	async fn tell(&self, on: &On<'_>, opened: &Opened) -> Result<Finalized> {
		let Destination { channel, sequence, .. } = *on.destination;
		let at = (channel, sequence);
		let call = calls::answer_request(opened.place, opened.filing.content, at);
		let told = on.session.submit(on.client, on.account, &call, "telling the device").await;
		told.inspect_err(|_| {
			on.session.warn(&format!(
				"the certificate is in delivery {sequence}, and the device was not told: \
				 `dpki request answer {} {} --delivered {sequence}{}` does it",
				self.which.device.text,
				filing_word(&opened.filing.kind),
				delivery::option(channel)
			));
		})
	}

	/// Tells the device where a certificate is that was made and delivered in another way.
	async fn mark(&self, session: &Session) -> Result<Report> {
		// The command line takes no other way without --review.
		let Some(sequence) = self.delivered else {
			return Err(Error::Usage("say what opens the newest delivery: --review".into()));
		};
		let account = session.account()?;
		let (client, view) = self.trust.view(session).await?;
		let (place, filing) = self.which.find(&view).await?;
		let channel = self.channel(&view).await?;
		let newest = view.delivery(place.0, channel).await?.map(|newest| newest.sequence);
		let waiting = view.proposal(place.0, channel).await?;
		let waiting = waiting.filter(|waiting| view.now() <= waiting.expires_at);
		let waiting = waiting.map(|waiting| waiting.record.sequence);
		require_standing(sequence, (newest, waiting), &self.which.device.text, channel)?;
		let call = calls::answer_request(place, filing.content, (channel, sequence));
		let finalized = session.submit(&client, &account, &call, "telling the device").await?;
		let word = filing_word(&filing.kind);
		Ok(Report::new()
			.done(format!(
				"Told {} that {word} is in delivery {sequence}{}",
				self.which.device.text,
				delivery::place(channel)
			))
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

/// Refuses to name a delivery that the device cannot find, by the numbers of the newest one and of the one that waits.
fn require_standing(
	sequence: u64,
	(newest, waiting): (Option<u64>, Option<u64>),
	device: &str,
	channel: ChannelId,
) -> Result<()> {
	let on = delivery::place(channel);
	let (why, next) = match DeliveryStanding::of(sequence, newest, waiting) {
		DeliveryStanding::Stands => return Ok(()),
		DeliveryStanding::Missing => (
			format!("there is no delivery {sequence} to {device}{on}"),
			"deliver the certificate first, with `dpki deliver`",
		),
		DeliveryStanding::Outdated => (
			format!("a newer delivery to {device}{on} has taken the place of delivery {sequence}"),
			"name the newest one, if it brings the certificate too, or deliver it again",
		),
	};
	Err(Error::NotAllowed { why, next: next.into() })
}

/// Until when a delivery can be approved whose certificate is good until then.
async fn approvable(chain: &mut Chain, destination: &Destination, until: Moment) -> Result<Moment> {
	let view = chain.view().await?;
	let waiting = view.proposal(destination.device.id, destination.channel).await?;
	Ok(waiting.map_or(until, |waiting| until.min(waiting.expires_at)))
}

/// Who delivers, and where to.
struct On<'a> {
	session: &'a Session,
	client: &'a Client,
	account: &'a Account,
	destination: &'a Destination,
}

impl On<'_> {
	/// Waits until the device says what became of the delivery.
	async fn acknowledged(
		&self,
		chain: &mut Chain,
		bundle: &Bundle,
		patience: Duration,
		report: Report,
	) -> Result<Report> {
		let waiting = deliver::acknowledgement(chain, self.destination, patience);
		let seen = transaction::or_interrupted(waiting, || self.stopped("is delivered")).await?;
		match seen.outcome {
			Outcome::Applied => {
				Ok(report.data("outcome", "applied").time("acknowledged_at", seen.at))
			},
			Outcome::Refused(reason) => {
				let (channel, sequence) = (self.destination.channel, seen.sequence);
				let needs = deliver::needs::of(bundle);
				Err(Error::DeviceRefused { channel, sequence, reason, needs })
			},
		}
	}

	/// For a person who does not wait for that.
	fn stopped(&self, is: &str) -> Error {
		let Destination { device, channel, .. } = self.destination;
		let name = &device.text;
		Error::Interrupted {
			doing: format!("waiting for {name}: the certificate {is}"),
			next: format!(
				"`dpki status delivery {name}{}` shows what becomes of it",
				delivery::option(*channel)
			),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		answer: Answer,
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
			"--ca host-ca --review r --sign-for //Bob",
			"--ca user-ca --review r --principal crew,pilots",
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
			"--delivered 12 --sign-for //Bob",
			"--delivered 12 --principal crew",
			"--ca-cert ca.crt --ca-key ca.key --review r --principal crew",
			"--ca user-ca --review r --principal",
			"--ca host-ca --review r --valid 2y",
			"--ca host-ca --review r --channel 16",
		] {
			assert!(parse(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn principals_are_named_for_users_alone() {
		for (what, is_good) in [("ssh-user:ops", true), ("ssh-host", false)] {
			let line = format!("answer acme/d {what} --ca ca --review r --principal crew");
			let Ok(line) = Line::try_parse_from(line.split_whitespace()) else { panic!("{what}") };
			assert_eq!(line.answer.require_principals_for_users().is_ok(), is_good, "{what}");
		}
	}

	#[test]
	fn an_answer_names_a_delivery_that_the_device_can_find() {
		let channel = ChannelId::new(2).unwrap();
		let judge = |sequence| require_standing(sequence, (Some(5), Some(7)), "acme/d", channel);
		assert!(judge(5).is_ok() && judge(7).is_ok());
		let outdated = judge(4).unwrap_err();
		let sentence = outdated.to_string();
		assert!(sentence.contains("on channel 2 has taken the place of delivery 4"), "{sentence}");
		assert!(outdated.next_step().unwrap().contains("the newest one"), "{outdated}");
		let missing = judge(8).unwrap_err();
		assert!(missing.to_string().contains("there is no delivery 8 to acme/d on channel 2"));
		assert!(missing.next_step().unwrap().contains("`dpki deliver`"), "{missing}");
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
