//! The state of a device to which something is added: what its newest delivery holds.

use crate::{
	commands::{deliver::Destination, delivery::Review},
	error::{Error, Result},
	files,
	session::Session,
};
use dpki_client::{
	Account, BlobStore, Bundle, ChainBlobs, Client, Finalized, Item, View, calls,
	envelope::{self, RecipientKey},
};
use dpki_primitives::{
	Moment,
	delivery::{DeliveryBinding, Suite},
	ids::AnchorId,
};
use std::path::{Path, PathBuf};

/// What a device has been delivered.
pub struct State(Bundle);

impl State {
	/// The content of the newest delivery to a device, which this file opens; nothing, if there never was one.
	pub async fn read(
		path: &Path,
		client: &Client,
		view: &View,
		destination: &Destination,
	) -> Result<Self> {
		let device = &destination.device;
		if view.proposal(device.id).await?.is_some() {
			return Err(Error::NotAllowed {
				why: format!("another delivery to {} waits for approvals", device.text),
				next: "have it approved, or take it back with `dpki withdraw-delivery`".into(),
			});
		}
		let Some(newest) = view.delivery(device.id).await? else {
			files::refuse_existing(&[path])?;
			return Ok(Self(Bundle::default()));
		};
		for path in [path.to_owned(), next_to(path)] {
			if path.symlink_metadata().is_err() {
				continue;
			}
			let review = Review::read(&path)?;
			let is_newest = review.digest == newest.digest
				&& review.binding() == newest.binding(client.genesis_hash(), device.id);
			if !is_newest {
				continue;
			}
			let envelope = ChainBlobs::new(client).get(newest.digest, newest.length).await;
			let envelope = envelope.map_err(|error| Error::NotAllowed {
				why: error.to_string(),
				next: "use a node that keeps its blocks, and try again".into(),
			})?;
			return Ok(Self(review.open(&envelope)?.bundle));
		}
		Err(Error::NotAllowed {
			why: format!(
				"{} does not open delivery {} to {}, which is the newest one",
				path.display(),
				newest.sequence,
				device.text
			),
			next: format!(
				"deliver what the device shall have with `dpki deliver --review {}`, and grant the access then",
				path.display()
			),
		})
	}

	/// The state with this part, with the CA that it needs, and without access that is over.
	pub fn with(self, ca: AnchorId, part: Item, now: Moment) -> Bundle {
		let is_over = |item: &Item| matches!(item.part(), Item::SshTemporaryAccess { until, .. } if *until < now);
		let mut items = self.0.items;
		items.retain(|item| !is_over(item));
		let is_ca =
			|item: &Item| matches!(item.part(), Item::SshUserCa { anchor } if *anchor == ca);
		if !items.iter().any(is_ca) {
			items.push(Item::SshUserCa { anchor: ca });
		}
		items.push(part);
		Bundle { items }
	}
}

/// Where the file lies until it is known that its delivery is final.
fn next_to(path: &Path) -> PathBuf {
	files::with_ending(path, ".next")
}

/// Publishes a state so that `path` opens it. Whatever interrupts this, one of two files opens the newest delivery.
pub async fn publish(
	session: &Session,
	client: &Client,
	account: &Account,
	destination: &Destination,
	bundle: &Bundle,
	path: &Path,
) -> Result<Finalized> {
	let binding = DeliveryBinding {
		genesis: client.genesis_hash(),
		organisation: destination.record.organisation,
		publisher: session.actor(account),
		device: destination.device.id,
		recipient: destination.recipient.0,
		suite: Suite::SharedX25519,
		sequence: destination.sequence,
	};
	let recipient = RecipientKey::X25519(destination.recipient.1.public.clone());
	let (envelope, key) =
		envelope::seal_shared(&[(recipient, binding.clone())], &bundle.encode()?)?;
	let next = next_to(path);
	Review::new(&binding, &envelope, key, false).replace(&next)?;
	let call = calls::publish(
		binding.device,
		binding.sequence,
		binding.suite,
		binding.recipient,
		&envelope,
	)?;
	let finalized = session.submit(client, account, &call, "publishing the delivery").await?;
	files::rename(&next, path)?;
	Ok(finalized)
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::ids::CertificateId;

	fn access(grant: u8, until: Moment) -> Item {
		let (login, principal) = ("root".into(), "grant-1".into());
		let grant = CertificateId([grant; 32]);
		Item::SshTemporaryAccess { login, principal, grant, until }
	}

	#[test]
	fn what_the_device_has_stays_and_what_is_over_goes() {
		let ca = AnchorId([1; 32]);
		let principals = Item::SshPrincipals { login: "root".into(), principals: vec![] };
		let items = vec![
			principals.clone(),
			Item::SshUserCa { anchor: ca },
			access(1, 9),
			access(2, 10).optional(),
		];
		let state = || State(Bundle { items: items.clone() });
		let bundle = state().with(ca, access(3, 20), 10);
		let wanted = vec![principals, items[1].clone(), access(2, 10).optional(), access(3, 20)];
		assert_eq!(bundle.items, wanted);
		let other = AnchorId([9; 32]);
		let bundle = state().with(other, access(3, 20), 10);
		assert!(bundle.items.contains(&Item::SshUserCa { anchor: other }), "a CA that it needs");
	}
}
