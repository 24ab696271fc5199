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
use std::path::Path;

/// What a device has been delivered.
pub struct State {
	bundle: Bundle,
	/// How it was encrypted; `None` if there never was a delivery.
	suite: Option<Suite>,
}

impl State {
	/// The content of the newest delivery to a device, which this file opens; nothing, if there never was one.
	pub async fn read(
		path: &Path,
		client: &Client,
		view: &View,
		destination: &Destination,
	) -> Result<Self> {
		let (device, channel) = (&destination.device, destination.channel);
		require_no_other(view.proposal(device.id, channel).await?.is_some(), &device.text)?;
		let Some(newest) = view.delivery(device.id, channel).await? else {
			files::refuse_existing(&[path])?;
			return Ok(Self { bundle: Bundle::default(), suite: None });
		};
		for path in [path.to_owned(), Review::next_to(path)] {
			if path.symlink_metadata().is_err() {
				continue;
			}
			let review = Review::read(&path)?;
			let is_newest = review.digest == newest.digest
				&& review.binding() == newest.binding(client.genesis_hash(), device.id, channel);
			if !is_newest {
				continue;
			}
			let envelope = ChainBlobs::new(client).get(newest.digest, newest.length).await;
			let envelope = envelope.map_err(|error| Error::NotAllowed {
				why: error.to_string(),
				next: "use a node that keeps its blocks, and try again".into(),
			})?;
			return Ok(Self { bundle: review.open(&envelope)?.bundle, suite: Some(review.suite) });
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

	/// Refuses to publish for those who wait for a quantum computer what was kept from them so far.
	pub fn require_as_secret(&self, key: &RecipientKey, device: &str) -> Result<()> {
		let was_hybrid = self.suite == Some(Suite::SharedXWing);
		if !was_hybrid || matches!(key, RecipientKey::XWing(_)) {
			return Ok(());
		}
		Err(Error::NotAllowed {
			why: format!(
				"what {device} has was encrypted to its hybrid key, and this would not be"
			),
			next: "add --hybrid-key with the file that `dpki-agent hybrid` wrote on the device"
				.into(),
		})
	}

	/// The state with this part, in the place of the one that was about the same.
	pub fn replacing(self, part: Item) -> Bundle {
		let mut items = self.bundle.items;
		items.retain(|item| !item.is_like(&part));
		items.push(part);
		Bundle { items }
	}

	/// The state with this part, with the CA that it needs, and without access that is over.
	pub fn with(self, ca: AnchorId, part: Item, now: Moment) -> Bundle {
		let is_over = |item: &Item| matches!(item.part(), Item::SshTemporaryAccess { until, .. } if *until < now);
		let mut items = self.bundle.items;
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

/// Refuses to deliver past a delivery that is not decided: the device would get one or the other.
fn require_no_other(is_waiting: bool, device: &str) -> Result<()> {
	if !is_waiting {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("another delivery to {device} waits for approvals"),
		next: "have it approved, or take it back with `dpki withdraw-delivery`".into(),
	})
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
		channel: destination.channel,
		recipient: destination.recipient.0,
		suite: destination.shared_suite(),
		sequence: destination.sequence,
	};
	let (envelope, key) =
		envelope::seal_shared(&[(destination.key.clone(), binding.clone())], &bundle.encode()?)?;
	let next = Review::next_to(path);
	Review::new(&binding, &envelope, key, false).replace(&next)?;
	let call = calls::publish(
		binding.device,
		binding.channel,
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
	use dpki_client::possession::{AgreementKey, HybridKey};
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
		let state = || State { bundle: Bundle { items: items.clone() }, suite: None };
		let bundle = state().with(ca, access(3, 20), 10);
		let wanted = vec![principals, items[1].clone(), access(2, 10).optional(), access(3, 20)];
		assert_eq!(bundle.items, wanted);
		let other = AnchorId([9; 32]);
		let bundle = state().with(other, access(3, 20), 10);
		assert!(bundle.items.contains(&Item::SshUserCa { anchor: other }), "a CA that it needs");
	}

	#[test]
	fn a_part_takes_the_place_of_the_one_that_was_about_the_same() {
		let tls = |name: &str, byte: u8| {
			let chain = vec![vec![byte]];
			Item::TlsIdentity { name: name.into(), chain, key: None }
		};
		let items = vec![tls("web", 1).optional(), tls("mesh", 1), access(1, 9)];
		let state = State { bundle: Bundle { items: items.clone() }, suite: None };
		let wanted = [items[1].clone(), items[2].clone(), tls("web", 2)];
		assert_eq!(state.replacing(tls("web", 2)).items, wanted);
	}

	#[test]
	fn what_was_kept_from_quantum_computers_stays_so() {
		let plain = RecipientKey::X25519(AgreementKey::from_secret_bytes(&[7; 32]).public());
		let hybrid = RecipientKey::XWing(HybridKey::from_secret_bytes(&[8; 32]).public_bytes());
		for (suite, key, is_good) in [
			(None, &plain, true),
			(Some(Suite::SharedX25519), &plain, true),
			(Some(Suite::SharedX25519), &hybrid, true),
			(Some(Suite::SharedXWing), &hybrid, true),
			(Some(Suite::SharedXWing), &plain, false),
		] {
			let state = State { bundle: Bundle::default(), suite };
			let allowed = state.require_as_secret(key, "acme/drone-7");
			assert_eq!(allowed.is_ok(), is_good, "{suite:?}");
			if let Err(error) = allowed {
				assert!(error.to_string().contains("hybrid key"), "{error}");
				assert!(error.next_step().unwrap().contains("--hybrid-key"));
			}
		}
	}

	#[test]
	fn nothing_is_delivered_past_what_waits_for_approvals() {
		require_no_other(false, "acme/drone-7").unwrap();
		let error = require_no_other(true, "acme/drone-7").unwrap_err();
		assert!(error.to_string().contains("waits for approvals"), "{error}");
		assert!(error.next_step().unwrap().contains("withdraw-delivery"));
	}
}
