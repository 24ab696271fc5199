//! `dpki ssh rotate`: another CA for a whole fleet, without a moment at which nobody can log in.
//!
//! | step | what | after a crash |
//! |---|---|---|
//! | 1 | the new CA is registered | it is found on the chain |
//! | 2 | every device gets both CAs, and all that is named, in shared envelopes | what is published is told by its digest |
//! | 3 | those approve it who have to, where the policy of the organisation asks for that | what waits is told by its digest |
//! | 4 | the devices say that they have applied it | it is read again |
//! | 5 | both are good for the overlap | its end is in the state file |
//! | 6 | devices that were off get the new one alone, by the steps 2 and 3 | what is published is told by its digest |
//! | 7 | the old one is revoked | it is found revoked |
//!
//! Devices whose deliveries are sealed to hybrid keys share envelopes with each other and with nobody else: one envelope is
//! as safe as the weakest key that opens it.
//!
//! What devices have on other channels stays beside it, if that is said: see [`channels`].
//!
//! What is not approved holds up the rest: the old CA stays as it is while a delivery waits for people, and if it was never
//! approved. That some devices are off can be overruled by an option, that somebody has not agreed cannot.
//!
//! Beside the [`ledger`] lies a file for each device that opens its delivery, as `dpki deliver --review` writes it, so that
//! `dpki access grant` can add to it: what that adds before the device answers counts as ours. The ledger is on the disk
//! before each step that changes anything, so that the same command goes on exactly where it was interrupted. A device that is
//! off all the time converges when it comes back: its newest delivery names the new CA alone, as a device refuses a delivery
//! with a CA that is revoked.

mod channels;
mod content;
mod hybrid;
mod ledger;
mod publishing;
mod wait;

use crate::{
	commands::{
		access::approval::Procedure,
		anchor,
		deliver::{self, made, parts::Parts},
		delivery::Review,
		ssh as certificates,
	},
	error::{Error, Result},
	files, lookup,
	output::{Report, rfc3339},
	prompt,
	proven::{Chain, Trust},
	secrets,
	session::Session,
	values::{self, AnchorRef, DeviceRef, HostCaPatterns, LoginPrincipals, Member, Name},
};
use clap::{ArgGroup, Args};
use content::question;
use dpki_client::{Account, Client, Item, View, calls, possession::SoftwareKey};
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	approval::ApprovalRule,
	channel::ChannelId,
	delivery::{MAX_RECIPIENTS, Outcome},
	ids::{AnchorId, OrganisationId},
	key::KeyType,
	revocation::RevocationReason,
	status::Status,
};
use hybrid::HybridKeys;
use ledger::{Fate, Ledger};
use serde_json::json;
use ssh_key::PrivateKey;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use wait::{wait_for_approvals, wait_for_devices, wait_until};

/// The kinds of CAs that devices believe.
const SSH_CA: &[AnchorKind] = &[AnchorKind::SshUserCa, AnchorKind::SshHostCa];

/// Give a fleet another CA.
#[derive(Args)]
#[command(group = ArgGroup::new("whom").required(true).multiple(true).args(["fleet", "device"]))]
pub struct Rotate {
	/// Name of the organisation
	#[arg(long)]
	org: Name,
	/// File with the names of the devices, one in a line; - is standard input
	#[arg(long, value_name = "FILE")]
	fleet: Option<PathBuf>,
	/// Name of a device (repeat for several)
	#[arg(long, value_name = "NAME")]
	device: Vec<Name>,
	/// The CA that is to go: id, or a file with its public key
	#[arg(long, value_name = "ID|FILE")]
	old_ca: AnchorRef,
	/// The private key of the CA that takes its place; it is made if there is none
	#[arg(long, value_name = "FILE")]
	new_ca: PathBuf,
	/// Where it is written down how far the rotation is; the same command goes on from there
	#[arg(long, value_name = "FILE")]
	state: PathBuf,
	/// Another SSH user CA whose certificates may log in (repeat for several)
	#[arg(long, value_name = "ID|FILE")]
	user_ca: Vec<AnchorRef>,
	/// Whose certificates may log in to which account of the devices (repeat for several)
	#[arg(long, value_name = "LOGIN=PRINCIPAL[,..]")]
	principals: Vec<LoginPrincipals>,
	/// SSH host CA that the devices believe, for hosts of these patterns (repeat for several)
	#[arg(long, value_name = "ID|FILE=PATTERN[,..]")]
	known_hosts_ca: Vec<HostCaPatterns>,
	/// Private key of an SSH host CA: signs a certificate for the host key of each device. The new one does, if it is a host CA
	#[arg(long, value_name = "FILE", requires = "host_names")]
	host_ca_key: Option<PathBuf>,
	/// Names by which each device is reached, with {} for its own name
	#[arg(long, value_name = "NAME[,..]", value_delimiter = ',')]
	host_names: Vec<String>,
	/// How long the host certificates are valid
	#[arg(long, default_value = "30d", value_name = "SPAN", value_parser = certificates::certificate_span)]
	host_cert_valid: Duration,
	#[command(flatten)]
	parts: Parts,
	/// Channel on which the devices get it, 0 to 15
	#[arg(long, value_name = "N", default_value_t)]
	channel: ChannelId,
	/// Include devices that have deliveries on other channels, which stay. What these name of the old CA ends with it, and the
	/// new one counts for the logins of all channels. Of two channels that claim the same, such as one login, the device has
	/// the delivery on the lower one in force and takes the other away
	#[arg(long)]
	keep_other_channels: bool,
	/// Public half of the hybrid key of a device, as `dpki-agent hybrid` wrote it there: its delivery is sealed to that (repeat
	/// for several devices, in any order)
	#[arg(long, value_name = "FILE")]
	hybrid_key: Vec<PathBuf>,
	/// How long both CAs are good, from when all devices have what they need
	#[arg(long, default_value = "7d", value_name = "SPAN", value_parser = values::duration)]
	overlap: Duration,
	/// How long to wait for devices, and then for the end of the overlap
	#[arg(long, default_value = "10m", value_name = "SPAN", value_parser = values::duration)]
	wait: Duration,
	/// Devices of one envelope
	#[arg(
		long,
		default_value_t = MAX_RECIPIENTS,
		value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RECIPIENTS))
	)]
	batch: u32,
	/// Begin the overlap, and revoke the old CA at its end, though some devices have not said that they have the new one. What
	/// waits for approvals, or was not approved, is waited for all the same
	#[arg(long)]
	despite_stragglers: bool,
	/// Sign each delivery for this account to publish, where the policy of the organisation asks for a second person
	#[arg(long, value_name = "ACCOUNT")]
	sign_for: Option<Member>,
	/// Deliver once more to the devices whose delivery was not approved in time, taken back, refused or replaced
	#[arg(long)]
	again: bool,
	#[command(flatten)]
	trust: Trust,
	/// Do not ask for confirmation
	#[arg(long)]
	yes: bool,
}

/// The CA that takes the place of the other one, and what is the same for all devices.
struct Plan {
	organisation: OrganisationId,
	old: AnchorId,
	new: AnchorId,
	host_ca: Option<PrivateKey>,
	/// What every device gets.
	items: Vec<Item>,
	/// How a delivery comes into force.
	procedure: Procedure,
	/// To which devices it is sealed with hybrid keys.
	hybrid_keys: HybridKeys,
}

impl Rotate {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let names = self.names()?;
		let account = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		let (old, kind) = self.old(&view).await?;
		self.require_content(kind)?;
		let devices: Vec<_> = names.iter().map(|name| DeviceRef::new(&self.org, name)).collect();
		let hybrid_keys = HybridKeys::read(&view, &devices, &self.hybrid_key).await?;
		let parts = self.parts.items()?;
		let intent = self.intent(kind, &parts)?;
		let organisation = self.org.organisation();
		let record = view.organisation(organisation).await?;
		let rule = record.and_then(|record| ApprovalRule::of(record.policy));
		let procedure = Procedure::of(rule, self.sign_for.as_ref().map(|it| it.0))?;
		let people = (account.id(), session.actor(&account));
		procedure.check(&view, organisation, people).await?;
		let is_begun = self.state.symlink_metadata().is_ok();
		if !is_begun {
			let on = (self.channel, self.keep_other_channels);
			prompt::confirm(&question(kind, old, names.len(), &parts, on), self.yes)?;
			let devices = format!("{} devices", names.len());
			for warning in made::confirm_escrow(&parts, &devices, self.yes)? {
				session.warn(&warning);
			}
		}
		let ca = self.new_ca()?;
		let material = lookup::ssh_material(ca.public_key())?;
		let new = AnchorId::of(kind, &material);
		if new == old {
			return Err(Error::NotAllowed {
				why: "the new CA is the old one".into(),
				next: "give --new-ca another file; one that is not there is made".into(),
			});
		}
		register(session, &view, &account, &self.org, (kind, new), &self.new_ca).await?;
		let view = chain.view().await?;
		let host_ca = match (&self.host_ca_key, kind) {
			(Some(path), _) => Some(secrets::ssh_key(path)?),
			(None, AnchorKind::SshHostCa) => Some(ca),
			(None, _) => None,
		};
		let mut items = self.items(&view, organisation, kind, (old, new)).await?;
		items.extend(parts);
		let plan = Plan { organisation, old, new, host_ca, items, procedure, hybrid_keys };
		let mut ledger = self.open(&client, &plan, devices, intent)?;
		ledger.reconcile(&view, &self.state).await?;
		if rule.is_none() {
			ledger.lapse("the policy of the organisation asks for no approval any more");
		}
		if self.again {
			ledger.begin_again();
		}
		ledger.stop_waiting();
		ledger.save(&self.state)?;
		let mut held = Vec::new();

		self.publish(session, &mut chain, &account, &plan, &mut ledger).await?;
		if let Some(sentence) = awaited(&ledger, &plan, &self.state) {
			// Before the waiting, in which it has to happen.
			session.warn(&sentence);
		}
		wait_for_devices(session, &mut chain, &mut ledger, &self.state, self.wait).await?;
		let view = chain.view().await?;
		let may_end = ledger.may_end(self.despite_stragglers);
		if may_end && ledger.overlap_until.is_none() {
			ledger.overlap_until = Some(values::after(view.now(), self.overlap)?);
			ledger.save(&self.state)?;
		}
		if may_end
			&& let Some(until) = ledger.overlap_until
			&& wait_until(&mut chain, until, self.wait).await?
			&& self.may_still_end(&mut chain, &mut ledger).await?
		{
			ledger.give_up_on_both();
			ledger.save(&self.state)?;
			self.publish(session, &mut chain, &account, &plan, &mut ledger).await?;
			if let Some(sentence) = awaited(&ledger, &plan, &self.state) {
				session.warn(&sentence);
				wait_for_approvals(session, &mut chain, &mut ledger, &self.state, self.wait)
					.await?;
			}
			if !ledger.is_undecided() {
				held = self.held_up(&chain.view().await?, &ledger).await?;
			}
			if !ledger.is_undecided()
				&& held.is_empty()
				&& self.may_still_end(&mut chain, &mut ledger).await?
			{
				revoke(session, &mut chain, &account, &plan, &mut ledger, &self.state).await?;
			}
		}
		let now = chain.view().await?.now();
		Ok(tell(&ledger, &plan, &self.state, held, now))
	}

	/// Whether the rotation may go on to its end now, after some time in which others went on delivering.
	async fn may_still_end(&self, chain: &mut Chain, ledger: &mut Ledger) -> Result<bool> {
		// After the end it matters no more who else delivers what.
		if !ledger.revoked {
			ledger.look_again(&chain.view().await?, &self.state).await?;
		}
		Ok(ledger.may_end(self.despite_stragglers))
	}

	fn names(&self) -> Result<Vec<Name>> {
		let mut names = self.device.clone();
		if let Some(path) = &self.fleet {
			let text = files::read_text(path)?;
			let lines = text.lines().map(str::trim);
			for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
				let wrong = |problem: String| Error::WrongFile {
					path: path.clone(),
					expected: format!("a list of names of devices, one in a line: {problem}"),
				};
				names.push(line.parse().map_err(wrong)?);
			}
		}
		names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
		names.dedup();
		match names.is_empty() {
			true => Err(Error::Usage("there is no device in the list".into())),
			false => Ok(names),
		}
	}

	/// The CA that is to go. On the way it may have been revoked: then the rest is done without it.
	async fn old(&self, view: &View) -> Result<(AnchorId, AnchorKind)> {
		let known = lookup::anchor(view, &self.old_ca, SSH_CA).await?;
		deliver::require_own(&known, self.org.organisation())?;
		Ok((known.id, known.record.kind))
	}

	/// The private key of the new CA, which is made if there is none.
	fn new_ca(&self) -> Result<PrivateKey> {
		if self.new_ca.symlink_metadata().is_err() {
			let public = files::with_ending(&self.new_ca, ".pub");
			files::refuse_existing(&[&public])?;
			let key = SoftwareKey::generate(KeyType::Ed25519)?;
			let text = key.to_openssh(self.org.as_str())?;
			files::write_secret(&self.new_ca, text.as_bytes())?;
			let line = secrets::parse_openssh(&self.new_ca, &text)?
				.public_key()
				.to_openssh()
				.map_err(crate::error::crypto("write the public key"))?;
			files::write_public(&public, format!("{line}\n").as_bytes())?;
		}
		secrets::ssh_key(&self.new_ca)
	}

	/// The ledger of this rotation, as it was left or new.
	fn open(
		&self,
		client: &Client,
		plan: &Plan,
		devices: Vec<DeviceRef>,
		intent: [u8; 32],
	) -> Result<Ledger> {
		let fresh = Ledger::new(
			client.genesis_hash(),
			(plan.organisation, plan.old, plan.new),
			self.channel,
			intent,
			devices.into_iter(),
		);
		match self.state.symlink_metadata() {
			Ok(_) => {
				let kept = Ledger::read(&self.state)?;
				kept.require_same(&fresh, &self.state)?;
				Ok(kept)
			},
			Err(_) => {
				fresh.save(&self.state)?;
				Ok(fresh)
			},
		}
	}
}

/// Registers the new CA, unless the chain knows it.
async fn register(
	session: &Session,
	view: &View,
	account: &Account,
	org: &Name,
	(kind, id): (AnchorKind, AnchorId),
	key: &Path,
) -> Result<()> {
	if view.anchor(id).await?.is_none() {
		anchor::add_ssh(session, account, org, kind, key).await?;
		return Ok(());
	}
	let known = lookup::anchor(view, &AnchorRef::Id(id), &[kind]).await?.require_valid()?;
	deliver::require_own(&known, org.organisation())
}

async fn revoke(
	session: &Session,
	chain: &mut Chain,
	account: &Account,
	plan: &Plan,
	ledger: &mut Ledger,
	state: &Path,
) -> Result<()> {
	let view = chain.view().await?;
	let is_revoked = |status| matches!(status, Status::Revoked(_));
	if !is_revoked(view.anchor_status(plan.old).await?) {
		let call = calls::revoke_anchor(plan.old, RevocationReason::Superseded);
		let submitted = session.submit(chain.client(), account, &call, "revoking the old CA").await;
		// Whoever was interrupted before may have sent it already: then the chain takes no second one, and none is needed.
		if let Err(error) = submitted
			&& !is_revoked(chain.view().await?.anchor_status(plan.old).await?)
		{
			return Err(error);
		}
	}
	ledger.revoked = true;
	ledger.save(state)
}

/// Who has to do what before the rotation goes on; `None` if nobody has to.
fn awaited(ledger: &Ledger, plan: &Plan, state: &Path) -> Option<String> {
	let count = ledger.awaiting().count();
	let until = ledger.awaiting().filter_map(|entry| entry.stage.until()).min()?;
	let sentence = plan.procedure.sentence(&Review::next_to(&Review::of_each(state)), until)?;
	let deliveries =
		if count == 1 { "1 delivery waits" } else { &format!("{count} deliveries wait") };
	Some(format!("{deliveries}: {sentence}"))
}

/// How far it is. `held` says of which devices the old CA waits, though they have the new one.
fn tell(ledger: &Ledger, plan: &Plan, state: &Path, held: Vec<String>, now: Moment) -> Report {
	let devices: Vec<_> = ledger
		.entries
		.iter()
		.map(|entry| {
			let mut device = entry.to_json();
			let review = entry.review(state);
			device["review"] = review.exists().then(|| review.display().to_string()).into();
			device
		})
		.collect();
	let stragglers: Vec<_> = ledger.stragglers().collect();
	let sentence = match (ledger.revoked, ledger.overlap_until, stragglers.len()) {
		(true, _, 0) => "The old CA is revoked, and every device has the new one".to_owned(),
		(true, _, some) => {
			format!("The old CA is revoked; {some} devices do not have the new one yet")
		},
		(false, ..) if ledger.is_undecided() => {
			"The old CA stays: not all deliveries are approved; run this again".to_owned()
		},
		(false, ..) if !held.is_empty() => {
			"The old CA stays: devices have not answered what came on other channels; run this again when they have, or \
			 with --despite-stragglers"
				.to_owned()
		},
		(false, Some(until), some) if some > 0 && now >= until => format!(
			"The old CA stays: {some} devices do not have the new one, or not any more; run this again, with --again where \
			 something else was delivered since"
		),
		(false, Some(until), _) => {
			format!("Both CAs are good until {}: run this again then", rfc3339(until))
		},
		(false, None, some) => {
			format!("{some} devices do not have the new CA yet: run this again")
		},
	};
	let mut report = Report::new()
		.checked(stragglers.is_empty() && held.is_empty(), sentence)
		.row("new_ca", plan.new)
		.row("old_ca", plan.old)
		.data("channel", ledger.channel.number())
		.row_as("devices", devices.len().to_string(), json!(devices))
		.data("revoked", ledger.revoked)
		.time_if("overlap_until", ledger.overlap_until)
		.row("state", state.display())
		.row("reviews", format_args!("{}.DEVICE.review", state.display()));
	if let Some(sentence) = awaited(ledger, plan, state) {
		report = report.row("next", sentence);
	}
	for entry in &stragglers {
		report = report.tail(format!("  {}: {}", entry.device.text, entry.words()));
	}
	for sentence in &held {
		report = report.tail(format!("  {sentence}"));
	}
	let names: Vec<_> = stragglers.iter().map(|entry| entry.device.text.clone()).collect();
	report.data("stragglers", names).data("held_up_by", held)
}

/// Whether a part of a delivery names this CA.
fn names(item: &Item, ca: AnchorId) -> bool {
	match item.part() {
		Item::SshUserCa { anchor } | Item::SshKnownHostCa { anchor, .. } => *anchor == ca,
		_ => false,
	}
}

/// What a device says of a delivery.
fn fate(outcome: Outcome) -> Fate {
	match outcome {
		Outcome::Applied => Fate::Applied,
		Outcome::Refused(reason) => Fate::Refused(format!("{reason:?}")),
	}
}
