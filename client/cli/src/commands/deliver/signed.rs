//! Deliveries whose content one person signs for another one to publish.

use super::Destination;
use crate::{
	commands::delivery::{self, Review},
	error::{Error, Result},
	output::Report,
	session::Session,
};
use dpki_client::{Account, Bundle, View, account, bundle::ContentSignature, envelope};
use dpki_primitives::{
	Moment, context::MAX_SIGNATURE_LIFETIME, delivery::DeliveryBinding, ids::BlobDigest,
};
use std::path::Path;

/// Refuses to sign a content for another account than that of the key.
pub fn require_own_key(session: &Session, account: &Account) -> Result<()> {
	if session.actor(account) == account.id() {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: "a content is signed by the key of an account, which no other account can do for it"
			.into(),
		next: "leave --on-behalf-of and --as-multi out".into(),
	})
}

/// Signs the content, seals it for another account to publish, and writes both into the file. Gives until when it can be
/// published, and the digest.
pub fn sign(
	account: &Account,
	view: &View,
	destination: &Destination,
	bundle: &Bundle,
	binding: &DeliveryBinding,
	path: &Path,
) -> Result<(Moment, BlobDigest)> {
	if binding.publisher == account.id() {
		return Err(Error::NotAllowed {
			why: "who signs the content and who publishes it are one account".into(),
			next: "name another one with --sign-for".into(),
		});
	}
	let expires_at = view.now().saturating_add(MAX_SIGNATURE_LIFETIME);
	let plaintext = bundle
		.encode_signed(|digest| ContentSignature::sign(account, binding, digest, expires_at))?;
	let recipient = destination.key.clone();
	let (envelope, key) = envelope::seal_shared(&[(recipient, binding.clone())], &plaintext)?;
	let review = Review::new(binding, &envelope, key, true);
	review.write(path)?;
	Ok((expires_at, review.digest))
}

/// The same for one device, with what is to be told.
pub fn prepare(
	account: &Account,
	view: &View,
	destination: &Destination,
	bundle: &Bundle,
	binding: &DeliveryBinding,
	path: &Path,
) -> Result<Report> {
	let (expires_at, digest) = sign(account, view, destination, bundle, binding, path)?;
	let publisher = account::address(&binding.publisher);
	let device = &destination.device.text;
	Ok(Report::new()
		.done(format!(
			"Signed delivery {} to {device}{} for {publisher} to publish",
			binding.sequence,
			delivery::place(binding.channel)
		))
		.row("review", path.display())
		.row("digest", digest)
		.time("publish_until", expires_at)
		.data("sequence", binding.sequence)
		.data("channel", binding.channel.number())
		.data("device", binding.device.to_string())
		.data("publisher", publisher))
}
