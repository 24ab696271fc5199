//! `dpki key next`: what is announced to follow a key.

use crate::{
	error::Result,
	output::{Report, hex},
	session::Session,
};
use dpki_primitives::{ids::KeyId, storage_keys};

/// The hash of the key that is announced, if one is.
pub async fn show(session: &Session, key: KeyId) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let next = view.next_key(key).await?;
	let sentence = match &next {
		Some(commitment) => format!("Announced to follow {key}: {commitment}"),
		None => format!("No key is announced to follow {key}"),
	};
	Ok(Report::new()
		.done(sentence)
		.data("key", key.to_string())
		.data("commitment", next.map(|commitment| commitment.to_string()))
		.data("storage_key", hex(&storage_keys::next_key(key)))
		.read_at(view.head()))
}
