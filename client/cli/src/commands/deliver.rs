//! `dpki deliver`: the full desired state of a device, encrypted to it and published.

mod authorities;
mod destination;
mod envelopes;
mod fleet;
mod hybrid;
pub mod made;
pub mod needs;
pub mod parts;
mod signed;

pub use authorities::{active, require_own, require_unrevoked};
pub use destination::{Destination, acknowledgement};
pub use hybrid::read as hybrid_key;

use crate::{
	commands::{
		blob::Also,
		delivery::{self, Review},
		ssh as certificates,
	},
	error::{Error, Result},
	files, lookup,
	output::Report,
	proven::Trust,
	secrets,
	session::Session,
	transaction,
	values::{self, AnchorRef, DeviceRef, HostCaPatterns, LoginPrincipals, Member, Name},
};
use clap::Args;
use dpki_client::{
	Bundle, Item, View, blob, calls,
	envelope::{self, RecipientKey},
	ssh,
};
use dpki_primitives::{
	anchor::AnchorKind,
	approval::ApprovalRule,
	channel::ChannelId,
	delivery::{DeliveryBinding, Outcome, Suite},
	ids::{BlobDigest, OrganisationId},
	key::KeyPurpose,
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Sends a device its full desired state, encrypted to it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals pilot=alice,bob \\
      --wait
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals root=ops \\
      --host-ca-key host-ca --host-name drone-7.acme.example \\
      --known-hosts-ca 'host-ca.pub=*.acme.example'
  dpki deliver --org acme --device drone-7 --known-hosts-ca 'host-ca.pub=*.acme.example' --yes
  dpki deliver --org acme --device drone-7 --empty    # takes all access away
  dpki deliver --org acme --device drone-7 --device drone-8 --user-ca user-ca.pub \\
      --principals root=ops
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals root=ops \\
      --tls web=web.pem --trust web=ca.pem --psk drone-7=drone-7.psk
  dpki deliver --org acme --device drone-7 --device drone-8 --yes --optional --tls mesh-7=7.pem \\
      --trust mesh-7=8.pem --tls mesh-8=8.pem --trust mesh-8=7.pem    # peers of each other
  dpki deliver --org acme --device drone-7 --hybrid-key drone-7.hybrid --user-ca user-ca.pub \\
      --principals root=ops
  dpki deliver --org acme --device drone-7 --device drone-8 --hybrid-key drone-7.hybrid \\
      --hybrid-key drone-8.hybrid --empty
  dpki deliver --org acme --device drone-7 --empty \\
      --review drone-7.review    # watchdogs have to approve
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals pilot=alice \\
      --host-cert drone-7-cert.pub
  dpki deliver --org acme --device drone-7 --yes --user-key ops=id_dpki \\
      --user-cert ops=id_dpki-cert.pub
  dpki deliver --org acme --device drone-7 --empty --sign-for //Bob --review drone-7.review
  dpki deliver --org acme --device drone-7 --device drone-8 --empty \\
      --review drones    # drones.drone-7.review ..
  dpki deliver --org acme --device drone-7 --channel 2 --tls web=web.pem \\
      --trust web=ca.pem    # another team
  dpki deliver --org acme --device drone-7 --empty --also kubo=http://127.0.0.1:5001 --pins pins
A device takes away what came on the channel before and the delivery does not name. One on the
default channel that lets nobody log in needs --yes.
Of two channels that claim the same, such as one login or one service, the lower one counts, and
the delivery on the other is refused.
Where the policy of the organisation asks for approvals, give FILE to those who approve:
`dpki approve-delivery FILE`.
Where it asks for a second person, an anchor manager signs with --sign-for and gives FILE to the
publisher: `dpki publish-delivery FILE`. The file is as secret as what is delivered.")]
pub struct Deliver {
	/// Name of the organisation
	#[arg(long)]
	org: Name,
	/// Name of the device; several get one envelope, which all of them can open, or one for each 256 of them
	#[arg(long, required = true)]
	device: Vec<Name>,
	/// Channel of the device, 0 to 15: a delivery on one takes nothing away that came on another. But a user CA counts for
	/// the logins of all channels, and the parts of one service belong on one channel
	#[arg(long, value_name = "N", default_value_t)]
	channel: ChannelId,
	/// SSH user CA whose certificates may log in (repeat for several)
	#[arg(long, value_name = "ID|FILE")]
	user_ca: Vec<AnchorRef>,
	/// Whose certificates may log in to which account of the device (repeat for several)
	#[arg(long, value_name = "LOGIN=PRINCIPAL[,..]")]
	principals: Vec<LoginPrincipals>,
	/// Private key of an SSH host CA: signs a certificate for the device's registered SSH host key
	#[arg(long, value_name = "FILE", requires = "host_name")]
	host_ca_key: Option<PathBuf>,
	/// Names by which the device is reached, for its host certificate
	#[arg(
		long,
		value_name = "NAME[,..]",
		value_delimiter = ',',
		requires = "host_ca_key",
		value_parser = values::host_name
	)]
	host_name: Vec<String>,
	/// How long the host certificate is valid
	#[arg(long, default_value = "30d", value_name = "SPAN", value_parser = certificates::certificate_span)]
	host_cert_valid: Duration,
	/// SSH host CA that the device believes, for hosts of these patterns (repeat for several)
	#[arg(long, value_name = "ID|FILE=PATTERN[,..]")]
	known_hosts_ca: Vec<HostCaPatterns>,
	#[command(flatten)]
	parts: parts::Parts,
	/// Seal it to the hybrid key of the device, which `dpki-agent hybrid` wrote into this file there; for several devices
	/// once for each of them, best in their order. One envelope has room for 54 of these keys, and for fewer with more than 1 KiB
	/// of content; as many are published as it takes
	#[arg(long, value_name = "FILE")]
	hybrid_key: Vec<PathBuf>,
	/// Deliver a state without any access
	#[arg(
		long,
		conflicts_with_all = ["user_ca", "principals", "host_ca_key", "known_hosts_ca", "host_cert", "host_key", "user_key", "user_cert"]
	)]
	empty: bool,
	#[command(flatten)]
	made: made::Made,
	/// New file by which others can look into the delivery; for several devices one for each, FILE.DEVICE.review
	#[arg(long, value_name = "FILE")]
	review: Option<PathBuf>,
	/// Sign the content for this account to publish, and do not publish it
	#[arg(long, value_name = "ACCOUNT", requires = "review", conflicts_with_all = ["wait", "also"])]
	sign_for: Option<Member>,
	#[command(flatten)]
	also: Also,
	/// Leave the copies where they are, though the device says within --wait that it has applied the delivery
	#[arg(long, requires_all = ["also", "wait"])]
	keep_copies: bool,
	#[command(flatten)]
	trust: Trust,
	/// Deliver without asking: private keys, and a state in which nobody can log in with a certificate
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

impl Deliver {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		if !self.empty
			&& self.user_ca.is_empty()
			&& self.principals.is_empty()
			&& self.host_ca_key.is_none()
			&& self.known_hosts_ca.is_empty()
			&& self.made.is_empty()
			&& self.parts.is_empty()
		{
			return Err(Error::NotAllowed {
				why: "nothing to deliver, and a device takes away what a delivery does not name"
					.into(),
				next: "name what it shall have, or add --empty to take all access away".into(),
			});
		}
		self.require_logins()?;
		let [device] = &self.device[..] else { return self.to_many(session).await };
		let account = session.account()?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		let device = DeviceRef::new(&self.org, device);
		let hybrid_key = match &self.hybrid_key[..] {
			[] => None,
			[path] => Some(path.as_path()),
			_ => return Err(Error::Usage("one device takes one --hybrid-key".into())),
		};
		let destination = Destination::of(&view, device, self.channel, hybrid_key).await?;
		let organisation = view.organisation(destination.record.organisation).await?;
		let rule = organisation.and_then(|record| ApprovalRule::of(record.policy));
		self.require_procedure(rule)?;
		let copies = self.also.prepare()?;
		files::refuse_existing(self.review.as_deref().as_slice())?;
		let mut warnings = Vec::new();
		let of = destination.record.organisation;
		let bundle = self.bundle(&view, of, Some(&destination), &mut warnings).await?;
		let items = bundle.items.len();
		warnings.extend(made::confirm_escrow(&bundle.items, &destination.device.text, self.yes)?);
		destination.require_current(&chain.view().await?).await?;

		let binding = DeliveryBinding {
			genesis: client.genesis_hash(),
			organisation: destination.record.organisation,
			publisher: self
				.sign_for
				.as_ref()
				.map_or_else(|| session.actor(&account), |publisher| publisher.0),
			device: destination.device.id,
			channel: destination.channel,
			recipient: destination.recipient.0,
			suite: match (&self.review, &destination.key) {
				(Some(_), _) => destination.shared_suite(),
				(None, RecipientKey::X25519(_)) => Suite::X25519ChaCha20Poly1305,
				(None, RecipientKey::XWing(_)) => Suite::XWingChaCha20Poly1305,
			},
			sequence: destination.sequence,
		};
		if let (Some(_), Some(path)) = (&self.sign_for, &self.review) {
			signed::require_own_key(session, &account)?;
			return signed::prepare(&account, &view, &destination, &bundle, &binding, path);
		}
		let plaintext = bundle.encode()?;
		let recipient = destination.key.clone();
		let envelope = match &self.review {
			None => envelope::seal_to(&recipient, &binding, &plaintext)?,
			Some(path) => {
				let recipients = [(recipient, binding.clone())];
				let (envelope, key) = envelope::seal_shared(&recipients, &plaintext)?;
				// Before it is published: without the file nobody could approve it.
				Review::new(&binding, &envelope, key, false).write(path)?;
				envelope
			},
		};
		let digest = BlobDigest::of(&envelope);
		let call = calls::publish(
			binding.device,
			binding.channel,
			binding.sequence,
			binding.suite,
			binding.recipient,
			&envelope,
		)?;
		let finalized = session.submit(&client, &account, &call, "publishing the delivery").await?;
		if let Some(copies) = &copies {
			let published = (binding.device, binding.channel, binding.sequence);
			copies.put(&client, &envelope, &[published]).await?;
		}

		let name = &destination.device.text;
		let mut report = Report::new()
			.done(format!(
				"Published delivery {} to {name}{}",
				binding.sequence,
				delivery::place(binding.channel)
			))
			.row("cid", blob::cid(digest))
			.row_as("channel", binding.channel.to_string(), binding.channel.number())
			.row_as("sequence", binding.sequence.to_string(), binding.sequence)
			.row("digest", digest)
			.row("recipient_key", binding.recipient)
			.row_as("items", items.to_string(), items)
			.data("device", binding.device.to_string())
			.data("length", envelope.len());
		report = needs::told(report, &bundle);
		if let Some(path) = &self.review {
			report = report.row("review", path.display());
		}
		if rule.is_some() {
			let view = chain.view().await?;
			report = delivery::waiting(report, &view, binding.device, binding.channel).await?;
		}
		report = report.finalized(&finalized);
		for warning in warnings {
			report = report.warn(warning);
		}
		let Some(patience) = self.wait else { return Ok(report) };
		let stopped = || Error::Interrupted {
			doing: format!("waiting for {name}: delivery {} is published", binding.sequence),
			next: format!(
				"`dpki status delivery {name}{}` shows what becomes of it",
				delivery::option(destination.channel)
			),
		};
		let waiting = acknowledgement(&mut chain, &destination, patience);
		let seen = transaction::or_interrupted(waiting, stopped).await?;
		match seen.outcome {
			Outcome::Applied => {
				let report = report
					.done(format!("{name} has applied delivery {}", seen.sequence))
					.data("outcome", "applied")
					.time("acknowledged_at", seen.at);
				match copies.filter(|_| !self.keep_copies) {
					Some(copies) => copies.free(&client, digest, report).await,
					None => Ok(report),
				}
			},
			Outcome::Refused(reason) => {
				let (channel, sequence) = (self.channel, seen.sequence);
				let needs = needs::of(&bundle);
				Err(Error::DeviceRefused { channel, sequence, reason, needs })
			},
		}
	}

	async fn bundle(
		&self,
		view: &View,
		organisation: OrganisationId,
		destination: Option<&Destination>,
		warnings: &mut Vec<String>,
	) -> Result<Bundle> {
		let mut items = Vec::new();
		for ca in &self.user_ca {
			let known = active(view, ca, AnchorKind::SshUserCa).await?;
			require_own(&known, organisation)?;
			items.push(Item::SshUserCa { anchor: known.id });
		}
		if let (Some(ca), Some(destination)) = (&self.host_ca_key, destination) {
			let certificate = self.host_certificate(view, destination, ca).await?;
			items.push(Item::SshHostCertificate { certificate });
		}
		for HostCaPatterns { anchor, hosts } in &self.known_hosts_ca {
			let known = active(view, anchor, AnchorKind::SshHostCa).await?;
			// A device may believe the hosts of others; whoever has it do so should know it.
			if known.record.organisation != organisation {
				warnings.push(format!("the host CA {} belongs to another organisation", known.id));
			}
			items.push(Item::SshKnownHostCa { anchor: known.id, hosts: hosts.clone() });
		}
		items.extend(self.principals.iter().map(|LoginPrincipals { login, principals }| {
			Item::SshPrincipals { login: login.clone(), principals: principals.clone() }
		}));
		items.extend(self.made.items()?);
		items.extend(self.parts.items()?);
		Ok(Bundle { items })
	}

	/// Refuses a way of delivering that the policy of the organisation leads nowhere.
	fn require_procedure(&self, rule: Option<ApprovalRule>) -> Result<()> {
		let Some(rule) = rule else { return Ok(()) };
		let role = rule.role.name();
		if self.review.is_none() {
			return Err(Error::NotAllowed {
				why: format!(
					"deliveries of this organisation need {} approvals by accounts with the role {role}",
					rule.needed
				),
				next: "add --review FILE, and give the file to those who have to approve".into(),
			});
		}
		if rule.signed_inside && self.sign_for.is_none() {
			return Err(Error::NotAllowed {
				why: format!("devices of this organisation want the content signed by an {role}"),
				next: format!(
					"have the {role} add --sign-for with the account that is to publish it, which then runs \
					 `dpki publish-delivery FILE`"
				),
			});
		}
		Ok(())
	}

	/// Refuses a state that nobody can log in to, unless it is meant: it takes the access of everybody away.
	fn require_logins(&self) -> Result<()> {
		let missing = match (self.user_ca.is_empty(), self.principals.is_empty()) {
			_ if self.empty || self.yes || self.parts.open_logins() => return Ok(()),
			// What other teams deliver opens no login, as a rule, and closes none of those of others.
			_ if self.channel != ChannelId::DEFAULT => return Ok(()),
			(false, false) => return Ok(()),
			(true, false) => "--user-ca",
			(false, true) => "--principals",
			(true, true) => "--user-ca and --principals",
		};
		Err(Error::NotAllowed {
			why: "nobody could log in any more, and a device takes away what a delivery does not name"
				.into(),
			next: format!("give {missing} too, or add --yes if nobody is to log in"),
		})
	}

	/// A certificate for the SSH host key that the device has registered: nothing else can be certified, so the
	/// administrator needs no copy of that key.
	async fn host_certificate(
		&self,
		view: &View,
		destination: &Destination,
		ca: &Path,
	) -> Result<String> {
		let device = &destination.device;
		let Some((_, record)) = lookup::valid_key(view, device, KeyPurpose::Ssh).await? else {
			return Err(Error::NotAllowed {
				why: format!("{} has no valid SSH host key on the chain", device.text),
				next: "leave --host-ca-key out, or have the device register its host key".into(),
			});
		};
		let key = ssh::from_public_key(&record.public)?;
		let ca = secrets::ssh_key(ca)?;
		let known = certificates::active_ca(view, &ca, AnchorKind::SshHostCa).await?;
		require_own(&known, destination.record.organisation)?;
		require_unrevoked(&view.ssh_revocations(known.id).await?, &key, &device.text)?;
		let content = certificates::Content {
			names: self.host_name.clone(),
			now: certificates::signing_time(Some(view.now()))?,
			span: self.host_cert_valid,
			serial: None,
			key_id: Some(device.text.clone()),
		};
		let certificate = content.sign(&ca, &key, AnchorKind::SshHostCa)?;
		Ok(certificates::openssh_line(&certificate)?.trim_end().to_owned())
	}
}
