//! `dpki anchor`: trust anchors and their life.

use crate::{
	commands::revoke,
	error::{Error, Result},
	files, lookup,
	output::{Report, hex},
	prompt, secrets,
	session::Session,
	values::{self, AnchorKindArg, AnchorRef, Name},
};
use clap::Subcommand;
use dpki_client::{
	Account, View, calls,
	possession::{self, Signer},
	ssh,
};
use dpki_primitives::{anchor::AnchorKind, ids::AnchorId, revocation::RevocationReason};
use std::{path::PathBuf, time::Duration};

/// For how long a proof of possession may wait for its transaction: long enough for a busy chain, short enough that a
/// lost one is worthless soon.
pub const PROOF_LIFETIME: Duration = Duration::from_secs(10 * 60);

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
  dpki anchor add --org acme --kind x509-root --key root.key --cert root.key.crt")]
	Add {
		/// Name of the organisation
		#[arg(long)]
		org: Name,
		/// What it may sign
		#[arg(long, value_enum)]
		kind: AnchorKindArg,
		/// Its private key file: OpenSSH for an SSH CA, PEM for an X.509 root (Ed25519, P-256, P-384 or RSA)
		#[arg(long, value_name = "FILE")]
		key: PathBuf,
		/// Its certificate, for an X.509 root
		#[arg(long, value_name = "FILE", required_if_eq("kind", "x509-root"))]
		cert: Option<PathBuf>,
	},
	/// List the unrevoked anchors of an organisation
	#[command(after_help = "\
Example:
  dpki anchor list --org acme")]
	List {
		/// Name of the organisation
		#[arg(long)]
		org: Name,
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
	/// Revoke an anchor and with it everything that it signed; the same as `dpki revoke anchor`
	#[command(after_help = "\
Example:
  dpki anchor revoke user-ca.pub --reason keyCompromise")]
	Revoke(revoke::RevokeAnchor),
}

impl AnchorCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Add { org, kind, key, cert } => match (kind, cert) {
				(AnchorKindArg::X509Root, Some(cert)) => {
					let material = lookup::certificate_der(&cert, &files::read(&cert)?)?;
					let account = session.account()?;
					let key = secrets::root_key(&key, &material)?;
					add(session, &account, &org, kind.into(), &key, material).await
				},
				(AnchorKindArg::SshUserCa | AnchorKindArg::SshHostCa, None) => {
					let private = secrets::parse_openssh(&key, &files::read_text(&key)?)?;
					let material = lookup::ssh_material(private.public_key())?;
					let account = session.account()?;
					let key = secrets::signing_key(&key)?;
					add(session, &account, &org, kind.into(), &key, material).await
				},
				_ => Err(Error::Usage("--cert belongs to --kind x509-root: leave it out".into())),
			},
			Self::List { org } => list(session, &org).await,
			Self::Show { anchor } => show(session, &anchor).await,
			Self::Retire { anchor, yes } => retire(session, &anchor, yes).await,
			Self::Revoke(command) => command.run(session).await,
		}
	}
}

async fn add(
	session: &Session,
	account: &Account,
	org: &Name,
	kind: AnchorKind,
	key: &dyn Signer,
	material: Vec<u8>,
) -> Result<Report> {
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
	let call = calls::register_anchor(organisation, kind, &material, possession, expires_at)?;
	let finalized = session.submit(&client, account, &call, "registering the anchor").await?;
	Ok(Report::new()
		.done(format!("Registered an anchor of {org}"))
		.row("anchor", id)
		.row("kind", kind.name())
		.data("organisation", organisation.to_string())
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
		return Ok(report);
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
		.row_as("status", lookup::anchor_verdict(status, &record, view.now()), status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.data("organisation", record.organisation.to_string())
		.time("registered_at", record.registered_at)
		.time("not_before", record.validity.not_before)
		.time_if("not_after", record.validity.not_after)
		.time_if("retired_at", record.retired_at)
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
