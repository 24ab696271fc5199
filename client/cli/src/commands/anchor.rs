//! `dpki anchor`: trust anchors and their life.

mod lists;

use crate::{
	commands::{revoke, x509::ProfileArg},
	error::{Error, Result},
	files, lookup,
	output::{Report, hex},
	prompt, secrets,
	session::Session,
	values::{self, AnchorKindArg, AnchorRef, Name},
};
use clap::{Args, Subcommand};
use dpki_client::{
	Account, View, calls,
	possession::{self, Signer},
	ssh,
};
use dpki_primitives::{
	anchor::{AnchorKind, Basis, CrlPointer, MAX_CRL_URL_LEN, Profile},
	ids::{AnchorId, KeyId},
	revocation::RevocationReason,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, slice, time::Duration};

/// For how long a proof of possession may wait for its transaction: long enough for a busy chain, short enough that a
/// lost one is worthless soon.
pub const PROOF_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Kinds whose material is a certificate.
pub const X509: &[AnchorKind] = &[AnchorKind::X509Root, AnchorKind::X509Intermediate];

/// Trust anchors and their life.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki anchor add --org acme --kind ssh-user-ca --key user-ca
  dpki anchor list --org acme")]
pub enum AnchorCommand {
	/// Register an anchor; its private key proves that you hold it and stays on this computer
	#[command(after_help = "\
Examples:
  dpki anchor add --org acme --kind ssh-user-ca --key user-ca
  dpki anchor add --org acme --kind x509-root --key root.key --cert root.key.crt
  dpki anchor add --org acme --kind x509-root --profile matter --key paa.key --cert paa.crt
  dpki anchor add --org acme --intermediate --parent root.key.crt --key ca.key --cert ca.crt")]
	Add(Add),
	/// List the unrevoked anchors of an organisation
	#[command(after_help = "\
Example:
  dpki anchor list --org acme")]
	List {
		/// Name of the organisation
		#[arg(long)]
		org: Name,
	},
	/// List the anchors that an X.509 anchor has issued, revoked ones too
	#[command(after_help = "\
Examples:
  dpki anchor children root.crt
  dpki anchor children 0x1f0c...e2 --start 64 --json")]
	Children {
		/// Its id, or a file with its certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
		/// Number of the first entry
		#[arg(long, default_value_t = 0)]
		start: u32,
	},
	/// List the anchors that have a key, whichever organisations have registered them; none once the key was revoked
	#[command(after_help = "\
Example:
  dpki anchor of-key 0x3b1c...9f
`dpki key show FILE` tells the id of the key in a key file or an X.509 certificate.")]
	OfKey {
		/// Id of the key
		#[arg(value_name = "ID")]
		key: KeyId,
	},
	/// List the unrevoked anchors of an organisation that end, or are to be retired, soon
	#[command(after_help = "\
Example:
  dpki anchor ending --org acme --within 90d")]
	Ending {
		/// Name of the organisation
		#[arg(long)]
		org: Name,
		/// How far to look ahead
		#[arg(long, default_value = "30d", value_parser = values::duration)]
		within: Duration,
	},
	/// Show an anchor, and what is revoked under it
	#[command(after_help = "\
Examples:
  dpki anchor show user-ca.pub
  dpki anchor show 0x1f0c...e2")]
	Show {
		/// Its id, or a file with its public key or certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
	},
	/// Retire an anchor: what it signed stays good, nothing new is to be signed
	#[command(after_help = "\
Example:
  dpki anchor retire user-ca.pub")]
	Retire {
		/// Its id, or a file with its public key or certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Have another anchor take the place of this one, which retires after a time
	#[command(after_help = "\
Examples:
  dpki anchor rollover old-root.crt --to new-root.crt --after 30d
  dpki anchor rollover old-root.crt --cancel")]
	Rollover(Rollover),
	/// Put an X.509 anchor on hold: nothing below it is valid until it is released
	#[command(after_help = "\
Example:
  dpki anchor suspend ca.crt")]
	Suspend {
		/// Its id, or a file with its certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
	},
	/// Release an X.509 anchor from its hold
	#[command(after_help = "\
Example:
  dpki anchor release ca.crt")]
	Release {
		/// Its id, or a file with its certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
	},
	/// Say where an X.509 anchor publishes its revocation list, for those who fetch such lists
	#[command(after_help = "\
Examples:
  dpki anchor crl ca.crt --address https://crl.example/ca.crl
  dpki anchor crl ca.crt --address ipfs://bafy.. --list ca.crl
  dpki anchor crl ca.crt --none")]
	Crl {
		/// Its id, or a file with its certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
		/// The address, which begins with http://, https:// or ipfs://
		#[arg(long, value_name = "URL", required_unless_present = "none", conflicts_with = "none")]
		address: Option<String>,
		/// The list itself, if the address is to be good for this edition only
		#[arg(long, value_name = "FILE", requires = "address")]
		list: Option<PathBuf>,
		/// It publishes none
		#[arg(long)]
		none: bool,
	},
	/// Revoke an anchor and with it everything that it signed; the same as `dpki revoke anchor`
	#[command(after_help = "\
Example:
  dpki anchor revoke user-ca.pub --reason keyCompromise")]
	Revoke(revoke::RevokeAnchor),
}

/// Register an anchor.
#[derive(Args)]
pub struct Add {
	/// Name of the organisation
	#[arg(long)]
	org: Name,
	/// What it may sign
	#[arg(long, value_enum, required_unless_present = "intermediate")]
	kind: Option<AnchorKindArg>,
	/// Register an X.509 authority that --parent has issued
	#[arg(long, requires = "parent", requires = "cert", conflicts_with = "kind")]
	intermediate: bool,
	/// The anchor that has issued it: its id, or a file with its certificate
	#[arg(long, value_name = "ID|FILE", requires = "intermediate")]
	parent: Option<AnchorRef>,
	/// What is asked of an X.509 root and of everything below it; an intermediate has the profile of its parent
	#[arg(long, value_enum, conflicts_with = "intermediate")]
	profile: Option<ProfileArg>,
	/// Its private key file: OpenSSH for an SSH CA, PEM for X.509 (Ed25519, P-256, P-384 or RSA)
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Its certificate, for X.509
	#[arg(long, value_name = "FILE", required_if_eq("kind", "x509-root"))]
	cert: Option<PathBuf>,
}

/// Have another anchor take the place of this one.
#[derive(Args)]
pub struct Rollover {
	/// Its id, or a file with its public key or certificate
	#[arg(value_name = "ID|FILE")]
	anchor: AnchorRef,
	/// The anchor that takes its place: its id, or a file
	#[arg(long, value_name = "ID|FILE", required_unless_present = "cancel")]
	to: Option<AnchorRef>,
	/// After which time it retires
	#[arg(long, value_parser = values::duration, required_unless_present = "cancel")]
	after: Option<Duration>,
	/// Call a rollover off that was planned
	#[arg(long, conflicts_with_all = ["to", "after"])]
	cancel: bool,
}

impl AnchorCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Add(command) => command.run(session).await,
			Self::Rollover(command) => command.run(session).await,
			Self::Suspend { anchor } => hold(session, &anchor, true).await,
			Self::Release { anchor } => hold(session, &anchor, false).await,
			Self::Crl { anchor, address, list, none: _ } => {
				crl(session, &anchor, address, list).await
			},
			Self::List { org } => list(session, &org).await,
			Self::Children { anchor, start } => lists::children(session, &anchor, start).await,
			Self::OfKey { key } => lists::of_key(session, key).await,
			Self::Ending { org, within } => lists::ending(session, &org, within).await,
			Self::Show { anchor } => show(session, &anchor).await,
			Self::Retire { anchor, yes } => retire(session, &anchor, yes).await,
			Self::Revoke(command) => command.run(session).await,
		}
	}
}

/// What an anchor is registered as.
enum Standing {
	/// By its kind alone.
	Kind(AnchorKind),
	/// An X.509 root of a profile.
	Root(Profile),
	/// An X.509 authority below this anchor.
	Below(AnchorRef),
}

impl Standing {
	fn kind(&self) -> AnchorKind {
		match self {
			Self::Kind(kind) => *kind,
			Self::Root(_) => AnchorKind::X509Root,
			Self::Below(_) => AnchorKind::X509Intermediate,
		}
	}
}

impl Add {
	async fn run(self, session: &Session) -> Result<Report> {
		let Self { org, kind, parent, profile, key, cert, .. } = self;
		let standing = match (kind.map(AnchorKind::from), parent, profile) {
			(_, Some(parent), _) => Standing::Below(parent),
			(Some(AnchorKind::X509Root), None, Some(profile)) => Standing::Root(profile.into()),
			(Some(kind), None, None) => Standing::Kind(kind),
			_ => {
				return Err(Error::Usage(
					"--profile belongs to --kind x509-root: leave it out".into(),
				));
			},
		};
		if let Some(cert) = cert {
			if !standing.kind().is_x509() {
				return Err(Error::Usage("--cert belongs to X.509: leave it out".into()));
			}
			let material = lookup::certificate_der(&cert, &files::read(&cert)?)?;
			let account = session.account()?;
			let key = secrets::root_key(&key, &material)?;
			return add(session, &account, &org, standing, &key, material).await;
		}
		let private = secrets::parse_openssh(&key, &files::read_text(&key)?)?;
		let material = lookup::ssh_material(private.public_key())?;
		let account = session.account()?;
		let key = secrets::signing_key(&key)?;
		add(session, &account, &org, standing, &key, material).await
	}
}

/// Registers an SSH CA whose private key is in this file.
pub async fn add_ssh(
	session: &Session,
	account: &Account,
	org: &Name,
	kind: AnchorKind,
	key: &std::path::Path,
) -> Result<Report> {
	let private = secrets::parse_openssh(key, &files::read_text(key)?)?;
	let material = lookup::ssh_material(private.public_key())?;
	let key = secrets::signing_key(key)?;
	add(session, account, org, Standing::Kind(kind), &key, material).await
}

async fn add(
	session: &Session,
	account: &Account,
	org: &Name,
	standing: Standing,
	key: &dyn Signer,
	material: Vec<u8>,
) -> Result<Report> {
	let kind = standing.kind();
	let (client, view) = session.view().await?;
	let (organisation, id) = (org.organisation(), AnchorId::of(kind, &material));
	let expires_at = values::after(view.now(), PROOF_LIFETIME)?;
	let possession = possession::possess_anchor(
		client.genesis_hash(),
		&session.actor(account),
		organisation,
		id,
		expires_at,
		key,
	)?;
	let doing = "registering the anchor";
	let basis = match standing {
		Standing::Kind(_) => None,
		Standing::Root(profile) => Some(Basis::SelfSigned(profile)),
		Standing::Below(parent) => {
			let parent = lookup::anchor(&view, &parent, X509).await?.require_valid()?;
			Some(Basis::IssuedBy(parent.id))
		},
	};
	let finalized = match basis {
		None => {
			let call =
				calls::register_anchor(organisation, kind, &material, possession, expires_at)?;
			session.submit(&client, account, &call, doing).await?
		},
		Some(basis) => {
			let call =
				calls::register_authority(organisation, basis, &material, possession, expires_at)?;
			session.submit(&client, account, &call, doing).await?
		},
	};
	Ok(Report::new()
		.done(format!("Registered an anchor of {org}"))
		.row("anchor", id)
		.row("kind", kind.name())
		.data("organisation", organisation.to_string())
		.finalized(&finalized))
}

impl Rollover {
	async fn run(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let known = lookup::anchor(&view, &self.anchor, lookup::ANY_KIND).await?;
		let (Some(to), Some(after)) = (self.to, self.after) else {
			let call = calls::cancel_rollover(known.id);
			let finalized = session.submit(&client, &account, &call, "calling it off").await?;
			let report = Report::new().done("Called the rollover off").row("anchor", known.id);
			return Ok(report.finalized(&finalized));
		};
		let successor = lookup::anchor(&view, &to, successors(&known.record.kind)).await?;
		let retire_at = values::after(view.now(), after)?;
		let call = calls::plan_rollover(known.id, successor.id, retire_at);
		let finalized = session.submit(&client, &account, &call, "planning the rollover").await?;
		Ok(Report::new()
			.done("Planned the rollover: what the anchor signed stays good")
			.row("anchor", known.id)
			.row("successor", successor.id)
			.time("retires_at", retire_at)
			.finalized(&finalized))
	}
}

/// The kinds that can take the place of this one: an X.509 intermediate can follow a root, and a root an intermediate.
fn successors(kind: &AnchorKind) -> &[AnchorKind] {
	match kind.is_x509() {
		true => X509,
		false => slice::from_ref(kind),
	}
}

async fn crl(
	session: &Session,
	anchor: &AnchorRef,
	address: Option<String>,
	list: Option<PathBuf>,
) -> Result<Report> {
	let pointer = crl_pointer(address, list)?;
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let known = lookup::anchor(&view, anchor, X509).await?;
	let sentence = match pointer {
		Some(_) => "Set the address of the anchor's revocation list",
		None => "The anchor publishes no revocation list",
	};
	let call = calls::set_crl_pointer(known.id, pointer);
	let finalized = session.submit(&client, &account, &call, "setting the address").await?;
	Ok(Report::new().done(sentence).row("anchor", known.id).finalized(&finalized))
}

/// Where a revocation list is published, if anywhere; `list` is the edition for which the address is good.
pub fn crl_pointer(address: Option<String>, list: Option<PathBuf>) -> Result<Option<CrlPointer>> {
	let digest = match list {
		Some(list) => Some(Sha256::digest(files::read(&list)?).into()),
		None => None,
	};
	let Some(url) = address else { return Ok(None) };
	let pointer = CrlPointer { url: url.into_bytes().try_into().unwrap_or_default(), digest };
	if !pointer.is_valid() {
		return Err(Error::Usage(format!(
			"the address has to begin with http://, https:// or ipfs://, with visible ASCII and {MAX_CRL_URL_LEN} characters at most"
		)));
	}
	Ok(Some(pointer))
}

async fn hold(session: &Session, anchor: &AnchorRef, suspend: bool) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let known = lookup::anchor(&view, anchor, X509).await?;
	let (finalized, sentence) = match suspend {
		true => {
			let call = calls::suspend_anchor(known.id);
			let sentence = "The anchor is on hold: nothing below it is valid";
			(session.submit(&client, &account, &call, "suspending the anchor").await?, sentence)
		},
		false => {
			let call = calls::release_anchor(known.id);
			let sentence = "The anchor is released from its hold";
			(session.submit(&client, &account, &call, "releasing the anchor").await?, sentence)
		},
	};
	Ok(Report::new()
		.done(sentence)
		.row("anchor", known.id)
		.row("kind", known.record.kind.name())
		.finalized(&finalized))
}

async fn list(session: &Session, org: &Name) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let organisation = org.organisation();
	if view.organisation(organisation).await?.is_none() {
		return Err(Error::Unknown { what: "organisation", name: org.to_string() });
	}
	let mut reports = Vec::new();
	for id in view.organisation_anchors(organisation).await? {
		reports.push(describe(&view, id).await?);
	}
	Ok(Report::list(reports, &format!("{org} has no anchors: add one with `dpki anchor add`")))
}

async fn show(session: &Session, anchor: &AnchorRef) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let known = lookup::anchor(&view, anchor, lookup::ANY_KIND).await?;
	let report = describe(&view, known.id).await?.read_at(view.head());
	if known.record.kind.is_x509() {
		return Ok(match view.crl_pointer(known.id).await? {
			Some(pointer) => {
				let address = String::from_utf8_lossy(&pointer.url).into_owned();
				let sha256 = pointer.digest.map(|digest| hex(&digest));
				let told = json!({ "address": address, "sha256": sha256 });
				report.row_as("crl", address, told)
			},
			None => report.data("crl", Value::Null),
		});
	}
	let revocations = view.ssh_revocations(known.id).await?;
	let list: Vec<_> = revocations.iter().map(revoke::ssh_revocation_json).collect();
	Ok(report.row_as("ssh_revocations", list.len().to_string(), list))
}

async fn describe(view: &View, id: AnchorId) -> Result<Report> {
	let record = view
		.anchor(id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "anchor", name: id.to_string() })?;
	let status = view.anchor_status(id).await?;
	let material = view.anchor_material(id).await?.unwrap_or_default();
	let mut report = Report::new()
		.row("anchor", id)
		.row("kind", record.kind.name())
		.row_as("status", lookup::anchor_verdict(status, &record), status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.data("organisation", record.organisation.to_string())
		.time("registered_at", record.registered_at)
		.time("not_before", record.validity.not_before)
		.time_if("not_after", record.validity.not_after)
		.time_if("retired_at", record.retired_at)
		.data("successor", record.successor.map(|id| id.to_string()))
		.data("suspended", record.suspended)
		.data("profile", record.certification.map(|it| it.profile.name()))
		.data("issuer", record.issuer().map(|id| id.to_string()))
		.time_if("revoked_at", record.revocation.map(|revocation| revocation.at))
		.row("key_id", record.key_id)
		.data("material", hex(&material));
	if !record.kind.is_x509() && !material.is_empty() {
		let key = ssh::key_from_material(&material)?;
		let line = key.to_openssh().unwrap_or_default();
		report = report.row("fingerprint", ssh::fingerprint_text(&key)).row("public_key", line);
	}
	Ok(report)
}

async fn retire(session: &Session, anchor: &AnchorRef, yes: bool) -> Result<Report> {
	let (client, view) = session.view().await?;
	let known = lookup::anchor(&view, anchor, lookup::ANY_KIND).await?;
	let kind = known.record.kind.name();
	prompt::confirm(&format!("Retire the {kind} {}? This cannot be undone.", known.id), yes)?;
	let account = session.account()?;
	let call = calls::retire_anchor(known.id);
	let finalized = session.submit(&client, &account, &call, "retiring the anchor").await?;
	Ok(Report::new()
		.done("Retired the anchor: what it signed stays good, nothing new is to be signed")
		.row("anchor", known.id)
		.row("kind", kind)
		.finalized(&finalized))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_x509_anchor_is_followed_by_any_other_and_an_ssh_ca_by_its_like() {
		for kind in X509 {
			assert_eq!(successors(kind), X509);
		}
		for kind in [AnchorKind::SshUserCa, AnchorKind::SshHostCa] {
			assert_eq!(successors(&kind), [kind]);
		}
	}
}
