//! `dpki ssh rotate`: another CA for a whole fleet, without a moment at which nobody can log in.
//!
//! | step | what | after a crash |
//! |---|---|---|
//! | 1 | the new CA is registered | it is found on the chain |
//! | 2 | every device gets both CAs, many devices in one envelope | what is published is told by its digest |
//! | 3 | the devices say that they have applied it | it is read again |
//! | 4 | both are good for the overlap | its end is in the state file |
//! | 5 | devices that were off get the new one alone | what is published is told by its digest |
//! | 6 | the old one is revoked | it is found revoked |
//!
//! The [`ledger`] is on the disk before each step that changes anything, so that the same command goes on exactly where it was
//! interrupted. A device that is off all the time converges when it comes back: its newest delivery names the new CA alone, as
//! a device refuses a delivery with a CA that is revoked.

mod ledger;
mod wait;

use crate::{
	commands::{anchor, deliver, ssh as certificates},
	error::{Error, Result},
	files, lookup,
	output::{Progress, Report, rfc3339},
	prompt, secrets,
	session::Session,
	values::{self, AnchorRef, DeviceRef, HostCaPatterns, LoginPrincipals, Name},
};
use clap::{ArgGroup, Args};
use dpki_client::{
	Account, Bundle, Client, Item, View, calls,
	envelope::{self, RecipientKey},
	possession::SoftwareKey,
	ssh,
};
use dpki_primitives::{
	anchor::AnchorKind,
	approval::ApprovalRule,
	delivery::{DeliveryBinding, MAX_RECIPIENTS, Outcome, Recipient, Suite},
	ids::{AnchorId, BlobDigest, OrganisationId},
	key::{KeyPurpose, KeyType},
	revocation::RevocationReason,
	status::Status,
};
use ledger::{Fate, Ledger};
use serde_json::json;
use sha2::{Digest, Sha256};
use ssh_key::PrivateKey;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use wait::{wait_for_devices, wait_until};

/// The kinds of CAs that devices believe.
const SSH_CA: &[AnchorKind] = &[AnchorKind::SshUserCa, AnchorKind::SshHostCa];

/// What stands for the name of a device in the names of its host certificate.
const PLACEHOLDER: &str = "{}";

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
	/// Begin the overlap, and revoke the old CA at its end, though some devices have not said that they have the new one
	#[arg(long)]
	despite_stragglers: bool,
	/// Do not ask for confirmation
	#[arg(long)]
	yes: bool,
}

/// The CA that takes the place of the other one, and what is the same for all devices.
struct Plan {
	organisation: OrganisationId,
	kind: AnchorKind,
	old: AnchorId,
	new: AnchorId,
	host_ca: Option<PrivateKey>,
	/// What every device gets.
	items: Vec<Item>,
}

impl Rotate {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let names = self.names()?;
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let (old, kind) = self.old(&view).await?;
		self.require_content(kind)?;
		let organisation = self.org.organisation();
		let record = view.organisation(organisation).await?;
		if let Some(rule) = record.and_then(|record| ApprovalRule::of(record.policy)) {
			return Err(Error::NotAllowed {
				why: format!(
					"deliveries of this organisation need approvals by accounts with the role {}",
					rule.role.name()
				),
				next: "deliver to each device by itself, with --review FILE".into(),
			});
		}
		let is_begun = self.state.symlink_metadata().is_ok();
		if !is_begun {
			let question = format!(
				"Deliver another {} to {} devices, and revoke {old} after the overlap?",
				kind.name(),
				names.len()
			);
			prompt::confirm(&question, self.yes)?;
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
		let view = client.at_finalized().await?;
		let host_ca = match (&self.host_ca_key, kind) {
			(Some(path), _) => Some(secrets::ssh_key(path)?),
			(None, AnchorKind::SshHostCa) => Some(ca),
			(None, _) => None,
		};
		let items = self.items(&view, organisation, kind, (old, new)).await?;
		let plan = Plan { organisation, kind, old, new, host_ca, items };
		let mut ledger = self.open(&client, &plan, &names)?;

		self.publish(session, &client, &account, &plan, &mut ledger).await?;
		wait_for_devices(&client, &mut ledger, &self.state, self.wait).await?;
		let view = client.at_finalized().await?;
		let may_end = ledger.stragglers().next().is_none() || self.despite_stragglers;
		if may_end && ledger.overlap_until.is_none() {
			ledger.overlap_until = Some(values::after(view.now(), self.overlap)?);
			ledger.save(&self.state)?;
		}
		if may_end
			&& let Some(until) = ledger.overlap_until
			&& wait_until(&client, until, self.wait).await?
		{
			ledger.give_up_on_both();
			ledger.save(&self.state)?;
			self.publish(session, &client, &account, &plan, &mut ledger).await?;
			revoke(session, &client, &account, &plan, &mut ledger, &self.state).await?;
		}
		Ok(tell(&ledger, &plan, &self.state))
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

	/// Refuses a state in which nobody could log in, and host certificates without names.
	fn require_content(&self, kind: AnchorKind) -> Result<()> {
		let refused =
			|why: &str, next: &str| Err(Error::NotAllowed { why: why.into(), next: next.into() });
		let has_users = kind == AnchorKind::SshUserCa || !self.user_ca.is_empty();
		if !has_users || self.principals.is_empty() {
			return refused(
				"nobody could log in any more, and a device takes away what a delivery does not name",
				"give --principals, and --user-ca if it is the host CA that is rotated",
			);
		}
		if kind == AnchorKind::SshHostCa && self.host_names.is_empty() {
			return refused(
				"the devices need certificates by the new host CA",
				"give --host-names, such as '{}.acme.example'",
			);
		}
		for name in &self.host_names {
			values::host_name(&name.replace(PLACEHOLDER, "x")).map_err(Error::Usage)?;
		}
		Ok(())
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

	/// What every device gets: both CAs, and whatever else is named.
	async fn items(
		&self,
		view: &View,
		organisation: OrganisationId,
		kind: AnchorKind,
		(old, new): (AnchorId, AnchorId),
	) -> Result<Vec<Item>> {
		let mut user_cas = Vec::new();
		for ca in &self.user_ca {
			let known = deliver::active(view, ca, AnchorKind::SshUserCa).await?;
			deliver::require_own(&known, organisation)?;
			user_cas.push(known.id);
		}
		let mut items = Vec::new();
		if kind == AnchorKind::SshUserCa {
			user_cas.retain(|id| *id != old && *id != new);
			// Revoked by an earlier run, or by somebody in a hurry: devices refuse a delivery that names such a CA.
			let is_good = matches!(view.anchor_status(old).await?, Status::Valid);
			user_cas.extend(is_good.then_some(old));
			user_cas.push(new);
		}
		items.extend(user_cas.into_iter().map(|anchor| Item::SshUserCa { anchor }));
		for HostCaPatterns { anchor, hosts } in &self.known_hosts_ca {
			let is_old =
				lookup::anchor_candidates(anchor, &[AnchorKind::SshHostCa])?.contains(&old);
			if is_old && !view.anchor_status(old).await?.is_valid() {
				continue;
			}
			let known = deliver::active(view, anchor, AnchorKind::SshHostCa).await?;
			items.push(Item::SshKnownHostCa { anchor: known.id, hosts: hosts.clone() });
		}
		items.extend(self.principals.iter().map(|LoginPrincipals { login, principals }| {
			Item::SshPrincipals { login: login.clone(), principals: principals.clone() }
		}));
		Ok(items)
	}

	/// The ledger of this rotation, as it was left or new.
	fn open(&self, client: &Client, plan: &Plan, names: &[Name]) -> Result<Ledger> {
		let fresh = Ledger::new(
			client.genesis_hash(),
			(plan.organisation, plan.old, plan.new),
			self.intent(plan.kind),
			names.iter().map(|name| DeviceRef::new(&self.org, name)),
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

	/// A digest of what devices get besides the two CAs: an interrupted rotation goes on with the same, or not at all.
	fn intent(&self, kind: AnchorKind) -> [u8; 32] {
		let logins: Vec<_> = self.principals.iter().map(|it| (&it.login, &it.principals)).collect();
		let hosts: Vec<_> = self
			.known_hosts_ca
			.iter()
			.map(|it| (it.anchor.to_string(), &it.hosts))
			.collect();
		let users: Vec<_> = self.user_ca.iter().map(ToString::to_string).collect();
		let text = format!("{:?}", (kind.name(), logins, hosts, users, &self.host_names));
		Sha256::digest(text).into()
	}

	/// Publishes to every device that has no delivery of this rotation yet.
	async fn publish(
		&self,
		session: &Session,
		client: &Client,
		account: &Account,
		plan: &Plan,
		ledger: &mut Ledger,
	) -> Result<()> {
		let total = ledger.entries.len() as u64;
		let progress = Progress::bar("delivering", total);
		let size = if plan.host_ca.is_some() { 1 } else { self.batch as usize };
		loop {
			let view = client.at_finalized().await?;
			ledger.reconcile(&view).await?;
			ledger.save(&self.state)?;
			let late = ledger.unpublished().next().is_some_and(|index| ledger.entries[index].late);
			let alike = ledger.unpublished().filter(|index| ledger.entries[*index].late == late);
			let waiting: Vec<usize> = alike.take(size).collect();
			progress.at(total - ledger.unpublished().count() as u64);
			if waiting.is_empty() {
				return Ok(());
			}
			let mut batch = Vec::new();
			for index in waiting {
				let device = ledger.entries[index].device.clone();
				match deliver::Destination::read(&view, device).await {
					Ok(destination) => batch.push((index, destination)),
					Err(Error::NotAllowed { why, .. }) => {
						ledger.entries[index].fate = Some(Fate::Unfit(why));
					},
					Err(Error::Unknown { .. }) => {
						ledger.entries[index].fate =
							Some(Fate::Unfit("the chain does not know it".into()));
					},
					Err(error) => return Err(error),
				}
			}
			ledger.save(&self.state)?;
			let Some((_, first)) = batch.first() else { continue };
			let mut items = plan.items.clone();
			items.retain(|item| !(late && names(item, plan.old)));
			if let Some(ca) = &plan.host_ca {
				match self.host_certificate(&view, first, ca).await? {
					Some(certificate) => items.push(Item::SshHostCertificate { certificate }),
					None => {
						let why = "the chain knows no valid SSH host key of it".into();
						ledger.entries[batch[0].0].fate = Some(Fate::Unfit(why));
						continue;
					},
				}
			}
			let (mut sealed, mut published) = (Vec::new(), Vec::new());
			for (_, destination) in &batch {
				let (key, recipient) = &destination.recipient;
				let binding = DeliveryBinding {
					genesis: client.genesis_hash(),
					organisation: plan.organisation,
					publisher: session.actor(account),
					device: destination.device.id,
					recipient: *key,
					suite: Suite::SharedX25519,
					sequence: destination.sequence,
				};
				let (device, sequence) = (binding.device, binding.sequence);
				published.push(Recipient { device, sequence, key: *key });
				sealed.push((RecipientKey::X25519(recipient.public.clone()), binding));
			}
			let (envelope, _) = envelope::seal_shared(&sealed, &Bundle { items }.encode()?)?;
			let digest = BlobDigest::of(&envelope);
			for (index, destination) in &batch {
				ledger.entries[*index].attempt(destination.sequence, digest);
			}
			// Before it is sent: whatever becomes of it, the next run knows it by its digest.
			ledger.save(&self.state)?;
			let call = calls::publish_shared(Suite::SharedX25519, &published, &envelope)?;
			session.submit(client, account, &call, "publishing the delivery").await?;
		}
	}

	async fn host_certificate(
		&self,
		view: &View,
		destination: &deliver::Destination,
		ca: &PrivateKey,
	) -> Result<Option<String>> {
		let device = &destination.device;
		let Some((_, record)) = lookup::valid_key(view, device, KeyPurpose::Ssh).await? else {
			return Ok(None);
		};
		let known = certificates::active_ca(view, ca, AnchorKind::SshHostCa).await?;
		deliver::require_own(&known, destination.record.organisation)?;
		let name = device.text.rsplit('/').next().unwrap_or_default();
		let content = certificates::Content {
			names: self.host_names.iter().map(|it| it.replace(PLACEHOLDER, name)).collect(),
			now: certificates::signing_time(Some(view.now()))?,
			span: self.host_cert_valid,
			serial: None,
			key_id: Some(device.text.clone()),
		};
		let key = ssh::from_public_key(&record.public)?;
		let certificate = content.sign(ca, &key, AnchorKind::SshHostCa)?;
		Ok(Some(certificates::openssh_line(&certificate)?.trim_end().to_owned()))
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
	client: &Client,
	account: &Account,
	plan: &Plan,
	ledger: &mut Ledger,
	state: &Path,
) -> Result<()> {
	let view = client.at_finalized().await?;
	let is_revoked = |status| matches!(status, Status::Revoked(_));
	if !is_revoked(view.anchor_status(plan.old).await?) {
		let call = calls::revoke_anchor(plan.old, RevocationReason::Superseded);
		session.submit(client, account, &call, "revoking the old CA").await?;
	}
	ledger.revoked = true;
	ledger.save(state)
}

fn tell(ledger: &Ledger, plan: &Plan, state: &Path) -> Report {
	let devices: Vec<_> = ledger.entries.iter().map(|entry| entry.to_json()).collect();
	let stragglers: Vec<_> = ledger.stragglers().collect();
	let sentence = match (ledger.revoked, ledger.overlap_until, stragglers.len()) {
		(true, _, 0) => "The old CA is revoked, and every device has the new one".to_owned(),
		(true, _, some) => {
			format!("The old CA is revoked; {some} devices do not have the new one yet")
		},
		(false, Some(until), _) => {
			format!("Both CAs are good until {}: run this again then", rfc3339(until))
		},
		(false, None, some) => {
			format!("{some} devices do not have the new CA yet: run this again")
		},
	};
	let mut report = Report::new()
		.checked(stragglers.is_empty(), sentence)
		.row("new_ca", plan.new)
		.row("old_ca", plan.old)
		.row_as("devices", devices.len().to_string(), json!(devices))
		.data("revoked", ledger.revoked)
		.time_if("overlap_until", ledger.overlap_until)
		.row("state", state.display());
	for entry in &stragglers {
		report = report.tail(format!("  {}: {}", entry.device.text, entry.words()));
	}
	let names: Vec<_> = stragglers.iter().map(|entry| entry.device.text.clone()).collect();
	report.data("stragglers", names)
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
