//! `dpki key quota`: what a device may do alone yet.

use crate::{
	error::Result,
	lookup,
	output::{Report, hex},
	session::Session,
	values::DeviceRef,
};
use dpki_primitives::storage_keys;

/// What is left of both allowances of a device.
pub async fn show(session: &Session, device: &DeviceRef) -> Result<Report> {
	let (_client, view) = session.view().await?;
	lookup::device(&view, device).await?;
	let quota = view.key_quota(device.id).await?;
	let (signed, announced) = (quota.signed.left(view.now()), quota.announced.left(view.now()));
	Ok(Report::new()
		.done(format!("{} may act alone", device.text))
		.data("device", device.id.to_string())
		.row_as("by_its_signing_keys", format!("{signed} times"), signed)
		.row_as("by_announced_keys", format!("{announced} times"), announced)
		.data("storage_key", hex(&storage_keys::key_quota(device.id)))
		.read_at(view.head()))
}
