//! `dpki access`: logins that end by themselves.
//!
//! A grant is on record at three places, see [`dpki_client::access`]: on the chain, in an SSH certificate, and in the state
//! that is delivered to the device. A delivery is the full state of a device, so a grant is added to the newest one, whose
//! content the file of `--review` opens.

pub mod approval;
mod grant;
pub mod state;

use crate::{
	commands::{
		anchor::PROOF_LIFETIME,
		certificate::show,
		deliver::Destination,
		revoke::{How, revoke},
	},
	error::{Error, Result},
	files,
	output::{Report, rfc3339},
	proven::Trust,
	secrets,
	session::Session,
	values::{self, DeviceRef, Member},
};
use clap::{Args, Subcommand};
use dpki_client::{
	AccountId, Client, View, access,
	access::AccessRequest,
	calls,
	certificate::Draft,
	possession::{SigningKey, SoftwareKey},
	ssh,
};
use dpki_primitives::{
	application::{CertificateRequest, Possession},
	assurance::Level,
	certificate::Holder,
	channel::ChannelId,
	ids::{CertificateId, KeyId, OrganisationId},
	key::PublicKey,
	revocation::RevocationReason,
};
use grant::Grant;
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};

/// The longest grant: whoever needs access for longer gets it by a principal that is delivered.
const MAX_SPAN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Logins that end by themselves.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki access grant acme/drone-7 --for 5m --login pilot --ca user-ca --key ~/.ssh/id_ed25519 \\
      --review drone-7.review
  dpki access list acme/drone-7
  dpki access revoke 0x9c01...7e")]
pub enum AccessCommand {
	/// Ask for access with a key of one's own; whoever grants it needs the file, and not the key
	#[command(after_help = "\
Example:
  dpki access request acme/drone-7 --for 5m --key ~/.ssh/id_ed25519 \\
      --from 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --out alice.request
The request is for the account that is to grant it, and worthless once that account has applied
for another certificate.")]
	Request(RequestAccess),
	/// Open a login of a device for a short time, and for one key
	#[command(after_help = "\
Examples:
  dpki access grant acme/drone-7 --for 5m --login pilot --ca user-ca --key ~/.ssh/id_ed25519 \\
      --review drone-7.review
  dpki access grant acme/drone-7 --for 1h --login root --ca user-ca --request alice.request \\
      --review drone-7.review --out alice-cert.pub --wait
  dpki access grant acme/drone-7 --login pilot --ca user-ca --key ~/.ssh/id_ed25519 \\
      --review drone-7.review --hybrid-key drone-7.hybrid
  dpki access grant acme/drone-7 --for 5m --login pilot --plain --key ~/.ssh/id_ed25519 \\
      --review drone-7.review
  dpki access grant acme/drone-7 --for 1h --login pilot --ca user-ca --key ~/.ssh/id_ed25519 \\
      --review drone-7.review --sign-for //Bob --wait
The access ends by itself on the chain, in the certificate that is written beside the key, in
what sshd reads, and by a timer of the agent: also where the chain is not heard, and whatever the
clock of the device shows. Sessions that are open stay open.
FILE is what `dpki deliver --review FILE` wrote for the newest delivery to the device, to which
the access is added; it is replaced by that of the new one. A device without any delivery needs
none, and FILE is made. After `dpki ssh rotate` it lies beside the state of the rotation. Whoever
delivers to the hybrid key of a device grants access with --hybrid-key too.
With --plain the key itself opens the login, by a line in authorized_keys that ends by itself.
Where the policy of the organisation asks for approvals, FILE.next is for those who approve:
until they have, FILE opens the delivery before, and the next grant finds out by itself which of
the two counts. The time of the access runs meanwhile.")]
	Grant(Grant),
	/// Take access away before its time
	#[command(after_help = "\
Example:
  dpki access revoke 0x9c01...7e --yes
The device closes the login as soon as it hears of it; it needs no delivery.")]
	Revoke {
		/// The grant
		#[arg(value_name = "ID")]
		grant: CertificateId,
		#[command(flatten)]
		how: How,
	},
	/// Show who may have access, and who had
	#[command(after_help = "\
Example:
  dpki access list acme/drone-7 --json")]
	List {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
	},
}

/// Ask for access.
#[derive(Args)]
pub struct RequestAccess {
	/// ORGANISATION/NAME, or the id
	#[arg(value_name = "ORG/NAME|ID")]
	device: DeviceRef,
	/// The private key that is to have access, Ed25519 or P-256; it only signs
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// The account that is to grant it
	#[arg(long, value_name = "ACCOUNT")]
	from: Member,
	/// For how long from now on
	#[arg(long = "for", default_value = "5m", value_parser = span, value_name = "SPAN")]
	span: Duration,
	/// The new file of the request; - is standard output
	#[arg(long, value_name = "FILE", default_value = "-")]
	out: PathBuf,
	#[command(flatten)]
	trust: Trust,
}

impl AccessCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Request(command) => command.run(session).await,
			Self::Grant(command) => command.run(session).await,
			Self::Revoke { grant, how } => take_back(session, grant, &how).await,
			Self::List { device } => list(session, &device).await,
		}
	}
}

/// The application for a grant.
async fn draft(
	(client, view): (&Client, &View),
	destination: (OrganisationId, &DeviceRef),
	payer: AccountId,
	key: PublicKey,
	span: Duration,
) -> Result<Draft> {
	let (organisation, device) = destination;
	let request = CertificateRequest {
		subject: access::subject(organisation, device.id),
		holder: Holder::Organisation(organisation),
		level: Level::Dv,
		key,
		display_name: None,
		not_after: values::after(view.now(), span)?,
	};
	Ok(Draft {
		genesis: client.genesis_hash(),
		payer,
		nonce: view.application_nonce(&payer).await?,
		expires_at: values::after(view.now(), PROOF_LIFETIME)?,
		request,
	})
}

/// The request for this draft by this key.
fn sign(draft: Draft, device: &DeviceRef, key: &SoftwareKey) -> Result<AccessRequest> {
	match draft.sign(key)? {
		Possession::Signature(signature) => {
			Ok(AccessRequest { draft, device: device.id, signature })
		},
		Possession::Request(_) => unreachable!("a key proves itself by a signature"),
	}
}

impl RequestAccess {
	async fn run(self, session: &Session) -> Result<Report> {
		let to_stdout = self.out == std::path::Path::new("-");
		if !to_stdout {
			files::refuse_existing(&[&self.out])?;
		}
		let key = secrets::device_key(&self.key, SoftwareKey::from_text)?;
		let (client, view) = self.trust.view(session).await?;
		let destination = Destination::read(&view, self.device, ChannelId::DEFAULT).await?;
		let place = (destination.record.organisation, &destination.device);
		let draft = draft((&client, &view), place, self.from.0, key.public(), self.span).await?;
		let request = sign(draft, &destination.device, &key)?;
		let text = format!("{request}\n");
		let report = Report::new()
			.done(format!("Asked for access to {}", destination.device.text))
			.row("key_id", KeyId::of(&request.draft.request.key))
			.time("until", request.draft.request.not_after)
			.time("grant_until", request.draft.expires_at)
			.data("request", text.trim());
		if to_stdout {
			return Ok(report.raw(text));
		}
		files::write_public(&self.out, text.as_bytes())?;
		Ok(report.row("file", self.out.display()))
	}
}

async fn take_back(session: &Session, grant: CertificateId, how: &How) -> Result<Report> {
	let (client, view) = session.view().await?;
	let Some((record, _)) = view.stored_certificate(grant).await? else {
		return Err(Error::Unknown { what: "grant", name: grant.to_string() });
	};
	if !access::is_grant(&record.subject) {
		return Err(Error::NotAllowed {
			why: format!("the certificate {grant} grants no access"),
			next: "revoke it with `dpki certificate revoke`".into(),
		});
	}
	let what = format!("the access of grant {grant}");
	let call = calls::revoke_certificate(grant, how.reason);
	Ok(revoke(session, &client, &what, &call, how)
		.await?
		.data("grant", grant.to_string())
		.data("serial", access::serial(grant).to_string()))
}

async fn list(session: &Session, device: &DeviceRef) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let organisation = crate::lookup::device(&view, device).await?.organisation;
	let subject = access::subject(organisation, device.id);
	let (mut report, mut entries) = (Report::new(), Vec::new());
	let (mut start, mut open) = (Some(0), 0);
	while let Some(from) = start {
		let page = view.certificates_about(subject.id(), from).await?;
		for (id, verdict) in &page.items {
			let Some(record) = &verdict.record else { continue };
			open += usize::from(verdict.status.is_valid());
			let words = show::words(record, verdict.status);
			let (key, end) = (key_name(&record.key), rfc3339(record.ends_at()));
			report = report.tail(format!("  {id}  {key}  until {end}: {words}"));
			entries.push(json!({
				"grant": id.to_string(),
				"status": verdict.status.name(),
				"reason": verdict.status.reason().map(RevocationReason::rfc5280_name),
				"key": key,
				"key_id": KeyId::of(&record.key).to_string(),
				"until": end,
				"principal": access::principal(*id),
				"serial": access::serial(*id).to_string(),
			}));
		}
		start = page.next;
	}
	Ok(report
		.done(format!("{open} of {} grants of access to {} are good", entries.len(), device.text))
		.data("grants", Value::Array(entries))
		.data("device", device.id.to_string())
		.read_at(view.head()))
}

/// A key as OpenSSH names it in its logs.
pub fn key_name(key: &PublicKey) -> String {
	ssh::from_public_key(key)
		.map_or_else(|_| KeyId::of(key).to_string(), |key| ssh::fingerprint_text(&key))
}

fn span(text: &str) -> std::result::Result<Duration, String> {
	let span = values::duration(text)?;
	if span > MAX_SPAN {
		return Err("temporary access is for 7 days at most: deliver a principal instead".into());
	}
	Ok(span)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn temporary_is_not_for_ever() {
		assert!(span("7d").is_ok());
		assert!(span("8d").is_err() && span("0s").is_err());
		// Five minutes are that from the block at which it is asked for.
		assert_eq!(values::after(1_000_000, span("5m").unwrap()).unwrap(), 1_300_000);
	}
}
