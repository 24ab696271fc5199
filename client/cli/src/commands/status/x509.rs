//! `dpki status x509-cert`: the verdict of the chain about a certificate that is not on it.

use crate::{
	commands::x509::{ProfileArg, certificates},
	error::Result,
	lookup,
	output::Report,
	values::AnchorRef,
};
use clap::Args;
use dpki_client::View;
use dpki_primitives::{
	anchor::{AnchorKind, ChainVerdict},
	ids::AnchorId,
	status::Status,
};
use std::path::PathBuf;

/// The kinds of anchors below which there are X.509 certificates.
const KINDS: [AnchorKind; 2] = [AnchorKind::X509Root, AnchorKind::X509Intermediate];

/// Ask about an X.509 certificate below an anchor.
#[derive(Args)]
pub struct X509Cert {
	/// The certificate, in PEM or DER; further ones in the same PEM file are those above it, upwards
	#[arg(value_name = "FILE")]
	cert: PathBuf,
	/// The anchor to which it leads: its id, or its certificate
	#[arg(long, value_name = "ID|FILE")]
	anchor: AnchorRef,
	/// An authority between the two, upwards; may be repeated
	#[arg(long = "intermediate", value_name = "FILE")]
	intermediates: Vec<PathBuf>,
	/// What is asked beyond RFC 5280 and the profile of the anchor
	#[arg(long, value_enum, default_value = "rfc5280")]
	profile: ProfileArg,
}

impl X509Cert {
	/// Runs the command.
	pub async fn run(self, view: &View) -> Result<Report> {
		let anchor = lookup::anchor(view, &self.anchor, &KINDS).await?;
		let mut chain = certificates(&self.cert)?;
		for path in &self.intermediates {
			chain.extend(certificates(path)?);
		}
		// Files often hold the anchor too, which is not part of what is below it.
		chain.retain(|der| AnchorId::of(anchor.record.kind, der) != anchor.id);
		let what = format!("certificate {}", self.cert.display());
		let verdict = view.check_certificate(anchor.id, &chain, self.profile.into()).await?;
		Ok(told(what, &verdict, view).data("anchor", anchor.id.to_string()))
	}
}

fn told(what: String, verdict: &ChainVerdict, view: &View) -> Report {
	let (status, words) = match verdict {
		ChainVerdict::Status(status) => {
			let since = status.revocation().map(|it| it.at);
			return super::told(what, *status, &words(*status), since, view.head());
		},
		ChainVerdict::Broken { at, problem } => {
			let report = super::plain(what, false, "refused", None, view.head());
			let place = at.map_or("an anchor above it".to_owned(), |at| {
				format!("certificate {at} of the chain, counted from 0")
			});
			return report
				.data("refusal", problem.as_str())
				.data("at", *at)
				.tail(format!("{place}: {problem}"));
		},
		ChainVerdict::NotX509 => ("notX509", "the anchor is no X.509 anchor"),
		ChainVerdict::LengthInvalid => ("lengthInvalid", "there are no certificates, or too many"),
		ChainVerdict::ProfileMismatch => {
			("profileMismatch", "nothing can keep both this profile and that of the anchor")
		},
	};
	super::plain(what, false, "refused", None, view.head())
		.data("refusal", status)
		.tail(words)
}

fn words(status: Status) -> String {
	match status.reason() {
		Some(reason) => format!("{} ({})", status.name(), reason.rfc5280_name()),
		None => status.name().to_owned(),
	}
}
