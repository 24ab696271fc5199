//! `dpki status`: one verdict in one line, for people and for scripts that look at the exit code only.

use crate::{
	commands::{certificate, delivery, revoke, ssh as certificates, voucher},
	error::{Error, Result, refusal_sentence},
	lookup,
	output::{Report, rfc3339},
	proven::{Proof, now, require_young},
	session::Session,
	values::{AnchorRef, DeviceRef, certificates::LevelArg, duration},
};
use clap::{Args, Subcommand};
use dpki_client::{Head, View, ssh, subject, view::Delivered};
use dpki_primitives::{
	Moment,
	assessment::Assessed,
	assurance::Level,
	channel::ChannelId,
	delivery::{Acknowledgement, Outcome, RefusalReason},
	ids::{CertificateId, KeyId},
	revocation::{Revocation, RevocationReason, SshSubject},
	status::{Standing, Status, Validity, status},
};
use serde_json::{Value, json};
use ssh_key::{Certificate, PublicKey};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// One verdict in one line.
#[derive(Args)]
#[command(after_help = "\
Examples:
  dpki status device acme/drone-7
  dpki status delivery acme/drone-7 --json
  dpki status key 0x3b1c...9f --max-age 30s")]
pub struct StatusArgs {
	/// How old the newest finalised block may be by the clock of this computer: about an older one there is no verdict
	#[arg(long, global = true, value_name = "SPAN", value_parser = duration, default_value = "10m")]
	max_age: Duration,
	/// The question.
	#[command(subcommand)]
	question: StatusCommand,
}

/// What a verdict is asked about.
#[derive(Subcommand)]
pub enum StatusCommand {
	/// May this trust anchor be relied on?
	#[command(after_help = "\
Example:
  dpki status anchor user-ca.pub && echo good")]
	Anchor {
		/// Its id, or a file with its public key or certificate
		#[arg(value_name = "ID|FILE")]
		anchor: AnchorRef,
		#[command(flatten)]
		proof: Proof,
	},
	/// May this key of a device be relied on?
	#[command(after_help = "\
Example:
  dpki status key 0x3b1c...9f --json")]
	Key {
		/// Its id
		#[arg(value_name = "ID")]
		key: KeyId,
		#[command(flatten)]
		proof: Proof,
	},
	/// May this device be relied on?
	#[command(after_help = "\
Examples:
  dpki status device acme/drone-7
  dpki status device acme/drone-7 --proven --checkpoint chain.checkpoint")]
	Device {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
		#[command(flatten)]
		proof: Proof,
	},
	/// Can this voucher still be used?
	#[command(after_help = "\
Example:
  dpki status voucher drone-7.voucher")]
	Voucher {
		/// Its id, a file, - for standard input, or its text
		#[arg(value_name = "ID|FILE|-|TEXT")]
		voucher: String,
	},
	/// Has the device applied its newest delivery on a channel, and may it still be relied on?
	#[command(after_help = "\
Examples:
  dpki status delivery acme/drone-7
  dpki status delivery acme/drone-7 --channel 2
The verdict is about one channel; what became of the others is told beside it.")]
	Delivery {
		/// ORGANISATION/NAME, or the id
		#[arg(value_name = "ORG/NAME|ID")]
		device: DeviceRef,
		/// Channel of the device, 0 to 15
		#[arg(long, value_name = "N", default_value_t)]
		channel: ChannelId,
	},
	/// May this certificate be relied on, and at which level?
	#[command(after_help = "\
Examples:
  dpki status certificate 0x9c01...7e
  dpki status certificate 0x9c01...7e --level ev && echo good
  dpki status certificate 0x9c01...7e --level ev --proven --checkpoint chain.checkpoint")]
	Certificate {
		/// Its id
		#[arg(value_name = "ID")]
		certificate: CertificateId,
		/// The level that it has to have at least
		#[arg(long, value_enum, default_value = "dv")]
		level: LevelArg,
		#[command(flatten)]
		proof: Proof,
	},
	/// Would an up-to-date device accept this SSH certificate?
	#[command(after_help = "\
Examples:
  dpki status ssh-cert ~/.ssh/id_ed25519-cert.pub
  dpki status ssh-cert ~/.ssh/id_ed25519-cert.pub --proven --checkpoint chain.checkpoint")]
	SshCert {
		/// The certificate
		#[arg(value_name = "FILE", required_unless_present = "cert", conflicts_with = "cert")]
		file: Option<PathBuf>,
		/// The same, as `dpki revoke ssh-cert` takes it
		#[arg(long, value_name = "FILE")]
		cert: Option<PathBuf>,
		#[command(flatten)]
		proof: Proof,
	},
}

impl StatusArgs {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		if let Some(proof) = self.question.proof() {
			return Ok(match proof.view(session, self.max_age).await? {
				Some(proven) => self.question.verdict(&proven).await?.data("proven", true),
				None => {
					let view = self.believed(session).await?;
					self.question.verdict(&view).await?.data("proven", false)
				},
			});
		}
		let view = self.believed(session).await?;
		self.question.verdict(&view).await
	}

	/// The state as the node tells it.
	async fn believed(&self, session: &Session) -> Result<View> {
		let (_client, view) = session.view().await?;
		require_young(view.head(), self.max_age, now())?;
		Ok(view)
	}
}

impl StatusCommand {
	/// Whether the node has to prove what the verdict depends on, where it can.
	fn proof(&self) -> Option<&Proof> {
		match self {
			Self::Anchor { proof, .. }
			| Self::Key { proof, .. }
			| Self::Device { proof, .. }
			| Self::Certificate { proof, .. }
			| Self::SshCert { proof, .. } => Some(proof),
			Self::Voucher { .. } | Self::Delivery { .. } => None,
		}
	}

	async fn verdict(&self, view: &View) -> Result<Report> {
		match self {
			Self::Anchor { anchor, .. } => anchor_verdict(view, anchor).await,
			Self::Key { key, .. } => key_verdict(view, *key).await,
			Self::Device { device, .. } => device_verdict(view, device).await,
			Self::Voucher { voucher } => voucher_verdict(view, voucher).await,
			Self::Delivery { device, channel } => delivery_verdict(view, device, *channel).await,
			Self::Certificate { certificate, level, .. } => {
				level_verdict(view, *certificate, (*level).into()).await
			},
			Self::SshCert { file, cert, .. } => {
				let file = file.as_deref().or(cert.as_deref());
				let file =
					file.ok_or_else(|| Error::Usage("say which certificate: give FILE".into()))?;
				certificate_verdict(view, file).await
			},
		}
	}
}

async fn anchor_verdict(view: &View, anchor: &AnchorRef) -> Result<Report> {
	Ok(match lookup::find_anchor(view, anchor, lookup::ANY_KIND).await? {
		None => unknown(format!("anchor {anchor}"), view.head()),
		Some(known) => {
			let kind = known.record.kind.name();
			let words = lookup::anchor_verdict(known.status, &known.record);
			let retired_at = known.record.retired_at.filter(|_| known.status == Status::Superseded);
			let since = retired_at.or(lookup::since(known.status, &known.record.standing()));
			let what = format!("{kind} {}", known.id);
			told(what, known.status, &words, since, view.head())
				.data("anchor", known.id.to_string())
				.data("kind", kind)
				.data("key_id", known.record.key_id.to_string())
		},
	})
}

async fn key_verdict(view: &View, key: KeyId) -> Result<Report> {
	let Some(record) = view.key(key).await? else {
		return Ok(unknown(format!("key {key}"), view.head()));
	};
	let status = view.key_status(key).await?;
	let what = format!("{} key {key}", record.purpose.name());
	Ok(judged(what, status, &record.standing(), view.head())
		.data("key_id", key.to_string())
		.data("purpose", record.purpose.name())
		.data("device", record.device.to_string())
		.data("hold", lookup::hold(record.withdrawal)))
}

async fn device_verdict(view: &View, device: &DeviceRef) -> Result<Report> {
	let what = format!("device {}", device.text);
	let Some(record) = view.device(device.id).await? else {
		return Ok(unknown(what, view.head()));
	};
	let status = view.device_status(device.id).await?;
	Ok(judged(what, status, &record.standing(), view.head())
		.data("device", device.id.to_string())
		.data("hold", lookup::hold(record.withdrawal)))
}

async fn voucher_verdict(view: &View, text: &str) -> Result<Report> {
	let id = voucher::id(text)?;
	let record = view.voucher(id).await?;
	let (state, since) = voucher::state(record.as_ref(), view.now());
	Ok(plain(format!("voucher {id}"), state == "open", state, since, view.head())
		.data("voucher_id", id.to_string())
		.data("device", record.map(|record| record.device.to_string())))
}

async fn delivery_verdict(view: &View, device: &DeviceRef, channel: ChannelId) -> Result<Report> {
	let named = |report: Report| {
		report.data("device", device.id.to_string()).data("channel", channel.number())
	};
	let Some(holder) = view.device(device.id).await? else {
		return Ok(named(unknown(format!("device {}", device.text), view.head())));
	};
	// What a revoked device applied before is no good news: it is to be trusted with nothing any more.
	let status = view.device_status(device.id).await?;
	if !status.is_valid() {
		let what = format!("device {}", device.text);
		return Ok(named(judged(what, status, &holder.standing(), view.head())));
	}
	let all = view.deliveries(device.id).await?;
	let this = all.iter().find(|it| it.channel == channel);
	let place = delivery::place(channel);
	let Some(record) = this.and_then(|it| it.delivery.as_ref()) else {
		let what = format!("delivery to {}{place}", device.text);
		let report = named(plain(what, false, "none", None, view.head()));
		let report = delivery::waiting(report, view, device.id, channel).await?;
		return Ok(with_others(report, &all, channel));
	};
	let what = format!("delivery {} to {}{place}", record.sequence, device.text);
	let acknowledged = this.and_then(answer);
	let report = match acknowledged {
		None => plain(what, false, "not acknowledged", Some(record.published_at), view.head()),
		Some(seen) => match seen.outcome {
			Outcome::Applied => plain(what, true, "applied", Some(seen.at), view.head()),
			Outcome::Refused(reason) => plain(what, false, "refused", Some(seen.at), view.head())
				.data("reason", refusal_name(reason))
				.tail(refusal_sentence(&reason)),
		},
	};
	let report = delivery::waiting(named(report), view, device.id, channel).await?;
	Ok(with_others(report, &all, channel)
		.data("sequence", record.sequence)
		.data("digest", record.digest.to_string())
		.data("cid", dpki_client::blob::cid(record.digest)))
}

/// What the device has said of the newest delivery on a channel.
fn answer(on: &Delivered) -> Option<&Acknowledgement> {
	let delivery = on.delivery.as_ref()?;
	on.acknowledgement
		.as_ref()
		.filter(|answer| answer.sequence == delivery.sequence)
}

/// Adds what became of the newest delivery on each channel; people are told of the others only.
fn with_others(report: Report, all: &[Delivered], asked: ChannelId) -> Report {
	let word = |on: &Delivered| match (answer(on).map(|answer| answer.outcome), &on.delivery) {
		(_, None) => "none",
		(None, Some(_)) => "not acknowledged",
		(Some(Outcome::Applied), _) => "applied",
		(Some(Outcome::Refused(_)), _) => "refused",
	};
	let sequence = |on: &Delivered| on.delivery.as_ref().map(|delivery| delivery.sequence);
	let others = all.iter().filter(|on| on.channel != asked).map(|on| {
		let number = sequence(on).map_or_else(String::new, |number| format!("delivery {number}: "));
		let waits = if on.proposal.is_some() { ", another one waits for approvals" } else { "" };
		format!("channel {}: {number}{}{waits}", on.channel, word(on))
	});
	let told: Vec<_> = others.collect();
	let data: Vec<_> = all
		.iter()
		.map(|on| {
			json!({
				"channel": on.channel.number(),
				"sequence": sequence(on),
				"status": word(on),
				"waits": on.proposal.is_some(),
			})
		})
		.collect();
	let report = report.data("channels", data);
	if told.is_empty() { report } else { report.row_as("others", told.join("; "), told) }
}

async fn level_verdict(view: &View, id: CertificateId, wanted: Level) -> Result<Report> {
	if view.is_proven() {
		return Ok(level_told(id, wanted, view.assessed(id).await?, view.head(), true));
	}
	let answer = view.certificate(id).await?;
	let found = answer.certificate.record.zip(view.assessment(id).await?.assessment);
	let found = found.map(|(record, assessment)| Assessed { record, assessment });
	Ok(level_told(id, wanted, found, view.head(), false))
}

fn level_told(
	id: CertificateId,
	wanted: Level,
	found: Option<Assessed>,
	head: Head,
	is_proven: bool,
) -> Report {
	let what = format!("certificate {id}{}", if is_proven { ", proven" } else { "" });
	let Some(found) = found else { return unknown(what, head).data("proven", is_proven) };
	let standing = certificate::show::standing(&found.record);
	let Assessed { record, assessment } = &found;
	let (status, level) = (assessment.status, assessment.level);
	let (mut words, since) = (lookup::verdict(status, &standing), lookup::since(status, &standing));
	if let Some(level) = level {
		words += &format!(", {}", level.name());
		if level != assessment.requested {
			words += &format!(" (requested {})", assessment.requested.name());
		}
	}
	let mut report = told(what.clone(), status, &words, since, head);
	if let (Some(level), false) = (level, found.is_worth(wanted)) {
		let words = format!("only {}, not {}", level.name(), wanted.name());
		report = verdict(what, false, &words, head)
			.data("status", status.name())
			.data("reason", Value::Null)
			.time_quietly("since", None);
	}
	report
		.data("certificate", id.to_string())
		.data("proven", is_proven)
		.data("level", level.map(Level::name))
		.data("requested_level", assessment.requested.name())
		.data("subject", subject::to_text(&record.subject))
}

async fn certificate_verdict(view: &View, path: &Path) -> Result<Report> {
	let certificate = certificates::read_certificate(path)?;
	let serial = certificate.serial().to_string();
	let ca = revoke::signer_anchor(&certificate)?;
	let what = format!("certificate {serial} of {}", certificate.key_id());
	let report = match view.anchor(ca).await? {
		_ if certificate.verify_signature().is_err() => {
			plain(what, false, "not signed by the CA that it names", None, view.head())
		},
		None => unknown(format!("the CA {ca} of {what}"), view.head()),
		Some(anchor) => {
			// The KRL that an up-to-date device builds holds both selectors, so either of them ends the certificate.
			let key = PublicKey::from(certificate.public_key().clone());
			let selectors = [
				SshSubject::Serial(certificate.serial()),
				SshSubject::KeyFingerprint(ssh::fingerprint(&key)),
			];
			let revocations = view.ssh_revocations(ca).await?;
			let revocation = revocations.iter().find(|entry| selectors.contains(&entry.subject));
			let own = certificate_standing(&certificate, revocation.map(|entry| entry.revocation));
			let verdict = status(Some(&own), &[Some(anchor.standing())], view.now());
			judged(what, verdict, &own, view.head())
		},
	};
	Ok(report.data("ca_anchor", ca.to_string()).data("serial", serial))
}

fn certificate_standing(certificate: &Certificate, revocation: Option<Revocation>) -> Standing {
	// The end of a certificate is its first invalid second (PROTOCOL.certkeys), ours the last valid moment.
	let end = certificate.valid_before().saturating_mul(1000).saturating_sub(1);
	Standing {
		validity: Validity {
			not_before: certificate.valid_after().saturating_mul(1000),
			not_after: Some(end),
		},
		suspended: false,
		superseded_at: None,
		revocation,
	}
}

/// A verdict by the status rules of the system, in the words for records of any kind.
fn judged(what: String, status: Status, standing: &Standing, head: Head) -> Report {
	let (words, since) = (lookup::verdict(status, standing), lookup::since(status, standing));
	told(what, status, &words, since, head)
}

/// A verdict by the status rules of the system, in these words.
fn told(what: String, status: Status, words: &str, since: Option<Moment>, head: Head) -> Report {
	verdict(what, status.is_valid(), words, head)
		.data("status", status.name())
		.data("reason", status.reason().map(RevocationReason::rfc5280_name))
		.time_quietly("since", since)
}

/// A verdict in a word of its own.
fn plain(what: String, valid: bool, status: &str, since: Option<Moment>, head: Head) -> Report {
	let words = match since {
		Some(since) => format!("{status} since {}", rfc3339(since)),
		None => status.to_owned(),
	};
	verdict(what, valid, &words, head)
		.data("status", status)
		.data("reason", Value::Null)
		.time_quietly("since", since)
}

fn unknown(what: String, head: Head) -> Report {
	plain(what, false, Status::Unknown.name(), None, head)
}

fn verdict(what: String, valid: bool, words: &str, head: Head) -> Report {
	let place = format!("at block {} ({})", head.number, rfc3339(head.time));
	Report::new().verdict(valid, format!("{words}: {what}, {place}")).read_at(head)
}

/// The word for a reason of a device, for programs.
fn refusal_name(reason: RefusalReason) -> &'static str {
	match reason {
		RefusalReason::BlobUnavailable => "blobUnavailable",
		RefusalReason::EnvelopeInvalid => "envelopeInvalid",
		RefusalReason::BundleInvalid => "bundleInvalid",
		RefusalReason::ApplyFailed => "applyFailed",
		RefusalReason::ApprovalMissing => "approvalMissing",
		RefusalReason::ChannelConflict => "channelConflict",
		RefusalReason::ChannelIgnored => "channelIgnored",
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const HEAD: Head = Head { number: 7, hash: [7; 32], time: 9_000 };

	#[test]
	fn a_verdict_names_status_reason_time_and_place() {
		let standing = Standing {
			validity: Validity { not_before: 1_000, not_after: None },
			suspended: false,
			superseded_at: None,
			revocation: None,
		};
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 2_000 };
		let json = judged("key".into(), Status::Revoked(revocation), &standing, HEAD).to_json();
		assert_eq!(json["valid"], json!(false));
		assert_eq!(json["status"], json!("revoked"));
		assert_eq!(json["reason"], json!("keyCompromise"));
		assert_eq!(json["since"], json!("1970-01-01T00:00:02Z"));
		assert_eq!(json["block"]["number"], json!(7));
		assert_eq!(json["chain_time"], json!("1970-01-01T00:00:09Z"));
		let json = judged("key".into(), Status::Valid, &standing, HEAD).to_json();
		assert_eq!((&json["valid"], &json["reason"]), (&json!(true), &Value::Null));
	}

	#[test]
	fn a_certificate_is_told_with_the_level_that_counts() {
		use dpki_primitives::{
			assurance::{Assessment, Quorum},
			certificate::{CertificateRecord, Holder},
			key::{self, KeyType},
		};
		let record = CertificateRecord {
			subject: subject::parse("org:acme").unwrap(),
			holder: Holder::Account([1; 32]),
			requested: Level::Ev,
			key: key::PublicKey::new(KeyType::Ed25519, &[2; 32]).unwrap(),
			display_name: None,
			validity: Validity { not_before: 1_000, not_after: Some(90_000) },
			control_until: None,
			suspension: None,
			revocation: None,
		};
		let assessment = |level| Assessment {
			status: Status::Valid,
			level: Some(level),
			requested: Level::Ev,
			quorum: Quorum { ov: 2, ev: 3 },
			counted_for_ov: 0,
			counted_for_ev: 0,
			explanations: vec![],
		};
		let id = CertificateId([5; 32]);
		let text = |level, wanted, is_proven| {
			let found = Assessed { record: record.clone(), assessment: assessment(level) };
			level_told(id, wanted, Some(found), HEAD, is_proven).to_text()
		};
		let valid = "valid since 1970-01-01T00:00:01Z";
		let told = text(Level::Dv, Level::Dv, false);
		assert!(
			told.starts_with(&format!("{valid}, DV (requested EV): certificate {id}, at")),
			"{told}"
		);
		let told = text(Level::Ev, Level::Ev, true);
		assert!(told.starts_with(&format!("{valid}, EV: certificate {id}, proven, at")), "{told}");
		let told = text(Level::Dv, Level::Ov, true);
		assert!(told.starts_with("only DV, not OV: "), "{told}");
		let nothing = level_told(id, Level::Dv, None, HEAD, true).to_json();
		assert_eq!((&nothing["valid"], &nothing["proven"]), (&json!(false), &json!(true)));
	}

	#[test]
	fn unknown_is_never_valid() {
		let json = unknown("anchor".into(), HEAD).to_json();
		assert_eq!((&json["valid"], &json["status"]), (&json!(false), &json!("unknown")));
	}
}
