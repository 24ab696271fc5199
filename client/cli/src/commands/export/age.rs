//! Recipients of `age`.

use super::Common;
use crate::{
	error::{Error, Result},
	lookup,
	output::Report,
	session::Session,
	values::DeviceRef,
};
use clap::Args;
use dpki_client::age;
use dpki_primitives::key::KeyPurpose;
use serde_json::json;

/// The keys to which files for devices are encrypted.
#[derive(Args)]
pub struct ExportAge {
	/// ORGANISATION/NAME, or the id; several get one file
	#[arg(value_name = "ORG/NAME|ID", required = true)]
	device: Vec<DeviceRef>,
	#[command(flatten)]
	common: Common,
}

impl ExportAge {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let view = self.common.view(session).await?;
		let (mut text, mut told) = (String::new(), Vec::new());
		for device in &self.device {
			let newest = lookup::valid_key(&view, device, KeyPurpose::KeyAgreement).await?;
			let Some((id, record)) = newest else {
				return Err(Error::NotAllowed {
					why: format!("{} has no valid key to encrypt to", device.text),
					next: "leave it out, or have it enrolled".into(),
				});
			};
			let recipient = age::recipient(&record.public).map_err(|error| Error::NotAllowed {
				why: format!("{}: {error}", device.text),
				next: "leave it out: only a delivery can be encrypted to it".into(),
			})?;
			text += &format!("# {} (key {id})\n{recipient}\n", device.text);
			told.push(json!({
				"device": device.id.to_string(),
				"key_id": id.to_string(),
				"recipient": recipient,
			}));
		}
		let report = Report::new()
			.done(format!("Exported {} recipients", told.len()))
			.data("recipients", told);
		self.common.finish(&view, report, text.into_bytes())
	}
}
