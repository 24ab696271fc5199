//! `dpki voucher`: one-time rights to enrol a device.

use crate::{
	error::{Error, Result, crypto},
	files, lookup,
	output::{Report, hex},
	prompt,
	session::Session,
	values::{self, DeviceRef, Name},
};
use clap::Subcommand;
use dpki_client::{View, Voucher, calls};
use dpki_primitives::{
	Moment,
	ids::VoucherId,
	status::Status,
	voucher::{VoucherRecord, VoucherStanding},
};
use qrcode::{QrCode, render::unicode::Dense1x2};
use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};

/// What the text of every voucher starts with, in any case.
const PREFIX: &str = "dpki-voucher";

/// One-time rights to enrol a device.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki voucher new --org acme --device drone-7 --out drone-7.voucher
  dpki voucher show drone-7.voucher")]
pub enum VoucherCommand {
	/// Issue a voucher for one named device. Its text is a secret: who has it can enrol the device
	#[command(after_help = "\
Examples:
  dpki voucher new --org acme --device drone-7 --qr
  dpki voucher new --org acme --device drone-7 --valid 1h --out drone-7.voucher")]
	New {
		/// Name of the organisation
		#[arg(long)]
		org: Name,
		/// Name that the device will have
		#[arg(long)]
		device: Name,
		/// How long it can be used
		#[arg(long, default_value = "24h", value_parser = values::duration)]
		valid: Duration,
		/// Show it as a QR code too
		#[arg(long)]
		qr: bool,
		/// Write it to this new file (mode 0600) instead of printing it
		#[arg(long, value_name = "FILE")]
		out: Option<PathBuf>,
	},
	/// Show what a voucher is for and its state on the chain, never its secret
	#[command(after_help = "\
Examples:
  dpki voucher show drone-7.voucher
  pbpaste | dpki voucher show - --offline")]
	Show {
		/// The voucher: a file, - for standard input, or its text
		#[arg(value_name = "FILE|-|TEXT")]
		voucher: String,
		/// Only decode it; ask no node
		#[arg(long)]
		offline: bool,
	},
	/// Take an unused voucher back
	#[command(after_help = "\
Examples:
  dpki voucher cancel drone-7.voucher
  dpki voucher cancel 0x77aa...01 --yes")]
	Cancel {
		/// The voucher: its id, a file, - for standard input, or its text
		#[arg(value_name = "ID|FILE|-|TEXT")]
		voucher: String,
		/// Do not ask for confirmation
		#[arg(long)]
		yes: bool,
	},
	/// Remove a voucher that expired unused from the chain; its deposit returns. Needs no account
	#[command(after_help = "\
Example:
  dpki voucher clear drone-7.voucher")]
	Clear {
		/// The voucher: its id, a file, - for standard input, or its text
		#[arg(value_name = "ID|FILE|-|TEXT")]
		voucher: String,
	},
}

impl VoucherCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::New { org, device, valid, qr, out } => {
				new(session, &org, &device, valid, qr, out.as_deref()).await
			},
			Self::Show { voucher, offline } => show(session, &voucher, offline).await,
			Self::Cancel { voucher, yes } => cancel(session, &voucher, yes).await,
			Self::Clear { voucher } => clear(session, &voucher).await,
		}
	}
}

async fn new(
	session: &Session,
	org: &Name,
	device: &Name,
	valid: Duration,
	qr: bool,
	out: Option<&Path>,
) -> Result<Report> {
	if let Some(out) = out {
		files::refuse_existing(&[out])?;
	}
	let account = session.account()?;
	let (client, view) = session.view().await?;
	require_free(&view, &DeviceRef::new(org, device)).await?;
	let expires_at = values::after(view.now(), valid)?;
	let voucher =
		Voucher::generate(client.genesis_hash(), org.as_str(), device.as_str(), expires_at)?;
	let text = voucher.to_text();
	let call = calls::issue_voucher(
		org.organisation(),
		voucher.commitment(),
		device.as_str(),
		expires_at,
	)?;
	// The file comes first: a voucher on the chain whose secret got lost would block nobody, but help nobody either.
	if let Some(out) = out {
		files::write_secret(out, format!("{}\n", text.as_str()).as_bytes())?;
	}
	let submitted = session.submit(&client, &account, &call, "issuing the voucher").await;
	let finalized = submitted.map_err(|error| not_issued(error, out))?;
	let mut report = describe(&voucher).finalized(&finalized).warn(
		"the voucher is a secret: whoever has it can enrol this device until it is used or expires",
	);
	report = match out {
		Some(out) => report
			.done(format!("Issued a voucher for {org}/{device} into {}", out.display()))
			.data("file", out.display().to_string()),
		None => report
			.done(format!("Issued a voucher for {org}/{device}"))
			.data("voucher", text.as_str())
			.tail(format!("\n{}\n", text.as_str())),
	};
	if qr { Ok(report.tail(qr_code(&text)?)) } else { Ok(report) }
}

/// Refuses the name of a device that there is, or was, before a voucher for it is made.
async fn require_free(view: &View, device: &DeviceRef) -> Result<()> {
	let Some(record) = view.device(device.id).await? else { return Ok(()) };
	let status = view.device_status(device.id).await?;
	let verdict = lookup::verdict(status, &record.standing());
	Err(taken(&device.text, status, &verdict))
}

fn taken(device: &str, status: Status, verdict: &str) -> Error {
	match status {
		Status::Revoked(_) | Status::IssuerRevoked(_) => Error::NotAllowed {
			why: format!("the device {device} is {verdict}, and its name with it"),
			next: "choose another name with --device: what was revoked never comes back".into(),
		},
		_ => Error::NotAllowed {
			why: format!("a device {device} is enrolled already"),
			next: format!(
				"choose another name with --device; `dpki device show {device}` shows that one"
			),
		},
	}
}

/// Takes the file of a voucher away that was not issued, and keeps one that may have been.
fn not_issued(error: Error, out: Option<&Path>) -> Error {
	match (error, out) {
		(Error::Interrupted { doing, .. }, Some(out)) => Error::Interrupted {
			doing,
			next: format!(
				"`dpki status voucher {}` tells whether the chain has it; the file is kept",
				out.display()
			),
		},
		(Error::Interrupted { doing, .. }, None) => Error::Interrupted {
			doing,
			next: "issue another voucher: nobody has seen the text of this one".into(),
		},
		(error, Some(out)) if !error.may_be_included() => {
			let _ = fs::remove_file(out);
			error
		},
		(error, _) => error,
	}
}

/// The text is the same in upper case, which QR codes hold in fewer modules.
fn qr_code(text: &str) -> Result<String> {
	let text = zeroize::Zeroizing::new(text.to_ascii_uppercase());
	let code = QrCode::new(text.as_bytes()).map_err(crypto("draw the QR code"))?;
	// Terminals are mostly dark: swapped colours make the modules of the code dark where a camera expects it.
	Ok(code
		.render::<Dense1x2>()
		.dark_color(Dense1x2::Light)
		.light_color(Dense1x2::Dark)
		.quiet_zone(true)
		.build())
}

async fn show(session: &Session, text: &str, offline: bool) -> Result<Report> {
	let voucher = read(text)?;
	let report = describe(&voucher).done(format!(
		"Voucher for {}/{}",
		voucher.organisation(),
		voucher.device()
	));
	if offline {
		return Ok(report);
	}
	let (client, view) = session.view().await?;
	if client.genesis_hash() != voucher.genesis() {
		return Err(Error::NotAllowed {
			why: format!("the voucher is for another chain, {}", hex(&voucher.genesis())),
			next: "give a node of that chain with --url, or only decode it with --offline".into(),
		});
	}
	let record = view.voucher(voucher.id()).await?;
	let (state, since) = state(record.as_ref(), view.now());
	Ok(report
		.row("state", state)
		.time_if("since", since)
		.data(
			"sponsor",
			record.as_ref().map(|record| dpki_client::account::address(&record.sponsor)),
		)
		.read_at(view.head()))
}

async fn cancel(session: &Session, text: &str, yes: bool) -> Result<Report> {
	let id = id(text)?;
	let (client, view) = session.view().await?;
	require(&view, id).await?;
	prompt::confirm(&format!("Take the voucher {id} back? This cannot be undone."), yes)?;
	let account = session.account()?;
	let call = calls::cancel_voucher(id);
	let finalized = session.submit(&client, &account, &call, "taking the voucher back").await?;
	Ok(Report::new()
		.done("Took the voucher back: it cannot be used any more")
		.row("voucher_id", id)
		.finalized(&finalized))
}

async fn clear(session: &Session, text: &str) -> Result<Report> {
	let id = id(text)?;
	let (client, view) = session.view().await?;
	require(&view, id).await?;
	let call = calls::clear_expired_voucher(id);
	let finalized = session.submit_general(&client, &call, "clearing the voucher").await?;
	Ok(Report::new()
		.done("Cleared the voucher, which had expired unused")
		.row("voucher_id", id)
		.finalized(&finalized))
}

async fn require(view: &View, id: VoucherId) -> Result<VoucherRecord> {
	let record = view.voucher(id).await?;
	record.ok_or_else(|| Error::Unknown { what: "voucher", name: id.to_string() })
}

fn describe(voucher: &Voucher) -> Report {
	Report::new()
		.row("voucher_id", voucher.id())
		.row("organisation", voucher.organisation())
		.row("device", voucher.device())
		.data("device_id", voucher.device_id().to_string())
		.time("expires_at", voucher.expires_at())
		.data("genesis_hash", hex(&voucher.genesis()))
}

/// The word for what has become of a voucher, and since when.
pub fn state(record: Option<&VoucherRecord>, now: Moment) -> (&'static str, Option<Moment>) {
	let Some(record) = record else { return ("unknown", None) };
	match record.state_at(now) {
		VoucherStanding::Open => ("open", None),
		VoucherStanding::Redeemed(at) => ("redeemed", Some(at)),
		VoucherStanding::Cancelled(at) => ("cancelled", Some(at)),
		VoucherStanding::Expired => ("expired", Some(record.expires_at)),
	}
}

/// The id that a person gives, or that of the voucher that they give.
pub fn id(text: &str) -> Result<VoucherId> {
	match text.parse() {
		Ok(id) => Ok(id),
		Err(_) => Ok(read(text)?.id()),
	}
}

/// A voucher as text, in a file or on standard input.
fn read(text: &str) -> Result<Voucher> {
	let path = Path::new(text);
	if text == "-" || path.exists() {
		return Ok(files::read_text(path)?.trim().parse()?);
	}
	let is_voucher =
		text.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
	if is_voucher { Ok(text.trim().parse()?) } else { Err(Error::NotAVoucher) }
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::SubmitError;
	use dpki_primitives::{
		ids::{DeviceId, OrganisationId},
		refusal::Refusal,
		revocation::{Revocation, RevocationReason},
		voucher::VoucherState,
	};

	#[test]
	fn a_revoked_device_is_told_from_one_that_is_enrolled() {
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 1 };
		let error = taken("acme/drone-7", Status::Revoked(revocation), "revoked (keyCompromise)");
		assert!(error.to_string().contains("drone-7 is revoked (keyCompromise)"), "{error}");
		let error = taken("acme/drone-7", Status::Valid, "valid");
		assert!(error.to_string().contains("enrolled already"), "{error}");
		assert!(error.next_step().unwrap().contains("dpki device show acme/drone-7"));
	}

	#[test]
	fn a_voucher_that_may_be_on_the_chain_keeps_its_file() {
		let folder = tempfile::tempdir().unwrap();
		let out = folder.path().join("drone-7.voucher");
		let unknown = SubmitError::TimedOut { extrinsic: "0x01".into(), seconds: 1 };
		let stopped = || Error::Interrupted { doing: "issuing".into(), next: "look".into() };
		for (error, kept) in [
			(Error::from(unknown), true),
			(SubmitError::Refused(Refusal::DeviceExists).by_word_of_node(None).into(), true),
			(SubmitError::Lapsed { blocks: 64 }.by_word_of_node(None).into(), true),
			(stopped(), true),
			(SubmitError::Refused(Refusal::DeviceExists).into(), false),
			(Error::Declined, false),
		] {
			fs::write(&out, "secret").unwrap();
			let told = not_issued(error, Some(&out));
			assert_eq!(out.exists(), kept, "{told}");
		}
		let next = not_issued(stopped(), Some(&out)).next_step().unwrap();
		assert!(next.contains(&format!("dpki status voucher {}", out.display())), "{next}");
		let next = not_issued(stopped(), None).next_step().unwrap();
		assert!(next.contains("issue another"), "{next}");
	}

	#[test]
	fn each_standing_of_a_voucher_has_its_word_and_its_moment() {
		let mut record = VoucherRecord {
			organisation: OrganisationId::default(),
			device: DeviceId::default(),
			sponsor: [0; 32],
			expires_at: 10,
			state: VoucherState::Open,
		};
		assert_eq!(state(Some(&record), 10), ("open", None));
		assert_eq!(state(Some(&record), 11), ("expired", Some(10)));
		record.state = VoucherState::Redeemed(5);
		assert_eq!(state(Some(&record), 11), ("redeemed", Some(5)));
		record.state = VoucherState::Cancelled(6);
		assert_eq!(state(Some(&record), 11), ("cancelled", Some(6)));
		assert_eq!(state(None, 0), ("unknown", None));
	}

	#[test]
	fn a_qr_code_is_drawn() {
		assert!(qr_code("dpki-voucher1:abc").unwrap().lines().count() > 10);
	}
}
