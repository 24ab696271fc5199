//! X.509 trust anchors as PEM.

use super::Common;
use crate::{
	error::{Error, Result},
	lookup::{self, KnownAnchor},
	output::Report,
	session::Session,
	values::{AnchorRef, Name},
};
use clap::{ArgGroup, Args};
use dpki_primitives::{anchor::AnchorKind, ids::AnchorId, status::Status};
use serde_json::json;
use x509_cert::der::pem::{LineEnding, encode_string};

/// X.509 trust anchors as PEM.
#[derive(Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["org", "anchor"]))]
pub struct ExportPem {
	/// Name of the organisation
	#[arg(long, value_name = "NAME")]
	org: Option<Name>,
	/// An anchor: its id, or a file with its certificate (repeat for several)
	#[arg(long, value_name = "ID|FILE")]
	anchor: Vec<AnchorRef>,
	/// The authorities below the roots too, for those who have to build paths
	#[arg(long)]
	intermediates: bool,
	#[command(flatten)]
	common: Common,
}

/// Whether relying parties go on believing in such an anchor: what a retired one has signed is good.
fn is_believed(verdict: Status) -> bool {
	matches!(verdict, Status::Valid | Status::Superseded)
}

impl ExportPem {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let view = self.common.view(session).await?;
		let mut kinds = vec![AnchorKind::X509Root];
		if self.intermediates || self.org.is_none() {
			kinds.push(AnchorKind::X509Intermediate);
		}
		let mut wanted = Vec::new();
		if let Some(org) = &self.org {
			for id in view.organisation_anchors(org.organisation()).await? {
				let Some(record) = view.anchor(id).await? else { continue };
				let status = view.anchor_status(id).await?;
				if kinds.contains(&record.kind) && is_believed(status) {
					wanted.push(KnownAnchor { id, record, status });
				}
			}
		}
		for anchor in &self.anchor {
			let known = lookup::anchor(&view, anchor, &kinds).await?;
			if !is_believed(known.status) {
				return Err(Error::NotAllowed {
					why: format!("the anchor {} is {}", known.id, known.status.name()),
					next: "leave it out".into(),
				});
			}
			wanted.push(known);
		}
		if wanted.is_empty() {
			return Err(Error::NotAllowed {
				why: "there is no X.509 anchor to rely on".into(),
				next: "`dpki anchor list` shows the anchors of an organisation".into(),
			});
		}
		let (mut text, mut told) = (String::new(), Vec::new());
		for KnownAnchor { id, record, status } in &wanted {
			let material = lookup::material(&view, *id).await?;
			text += &block(*id, record.kind, *status, &material)?;
			told.push(json!({
				"anchor": id.to_string(),
				"kind": record.kind.name(),
				"status": status.name(),
			}));
		}
		let report = Report::new()
			.done(format!("Exported {} certificates", told.len()))
			.data("anchors", told);
		self.common.finish(&view, report, text.into_bytes())
	}
}

/// One certificate. What stands outside of the lines of dashes is for people.
fn block(id: AnchorId, kind: AnchorKind, verdict: Status, der: &[u8]) -> Result<String> {
	let pem = encode_string("CERTIFICATE", LineEnding::LF, der)
		.map_err(crate::error::crypto("write the certificate"))?;
	Ok(format!("# {} {id} ({})\n{pem}", kind.name(), verdict.name()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_was_revoked_is_relied_on_by_nobody_and_what_was_retired_is() {
		assert!(is_believed(Status::Valid) && is_believed(Status::Superseded));
		for verdict in [Status::Unknown, Status::Expired, Status::Suspended, Status::NotYetValid] {
			assert!(!is_believed(verdict), "{}", verdict.name());
		}
	}

	#[test]
	fn a_certificate_has_its_anchor_above_it() {
		let text =
			block(AnchorId([7; 32]), AnchorKind::X509Root, Status::Valid, &[0x30, 0]).unwrap();
		assert!(text.starts_with("# x509-root 0x0707"), "{text}");
		assert!(text.contains("\n-----BEGIN CERTIFICATE-----\nMAA=\n"), "{text}");
	}
}
