//! The state of a device to which something is added: what its newest delivery holds.

mod refused;

use super::approval::Procedure;
use crate::{
	commands::{
		deliver::Destination,
		delivery::{self, Review},
	},
	error::{Error, Result},
	files,
	session::Session,
};
use dpki_client::{
	Account, BlobStore, Bundle, ChainBlobs, Client, Finalized, Item, View,
	bundle::ContentSignature,
	calls,
	envelope::{self, RecipientKey},
};
use dpki_primitives::{
	Moment,
	channel::ChannelId,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{DeliveryBinding, Suite},
	ids::{AnchorId, BlobDigest},
};
use refused::without_refused;
use std::path::{Path, PathBuf};

/// What a device has been delivered.
pub struct State {
	bundle: Bundle,
	/// How it was encrypted; `None` if there never was a delivery.
	suite: Option<Suite>,
}

impl State {
	/// The content of the newest delivery to a device, which this file opens; nothing, if there never was one. Of a delivery
	/// that was approved since, the file takes its place.
	pub async fn read(
		path: &Path,
		session: &Session,
		(client, view): (&Client, &View),
		destination: &Destination,
	) -> Result<Self> {
		let (device, channel) = (&destination.device, destination.channel);
		let is_waiting = view.proposal(device.id, channel).await?.is_some();
		require_no_other(is_waiting, &device.text, channel)?;
		let newest = view.delivery(device.id, channel).await?;
		let next = Review::next_to(path);
		if next.symlink_metadata().is_ok() {
			let known = newest.as_ref().map_or(0, |newest| newest.sequence);
			require_decided(&Review::read(&next)?, &next, known, view.now())?;
		}
		let Some(newest) = newest else {
			files::refuse_existing(&[path])?;
			return Ok(Self { bundle: Bundle::default(), suite: None });
		};
		for from in [path, next.as_path()] {
			if from.symlink_metadata().is_err() {
				continue;
			}
			let review = Review::read(from)?;
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
			let whom = (destination.record.organisation, device.id);
			let bundle = review.open(&envelope)?.bundle;
			let bundle = without_refused(bundle, session, view, whom).await?;
			if from != path {
				// It is in force by now, and what comes next must not be written over the file that opens it.
				files::rename(from, path)?;
			}
			return Ok(Self { bundle, suite: Some(review.suite) });
		}
		Err(unopened(path, &device.text, newest.sequence, channel))
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

	/// The state with this part, with the CA that it needs if it needs one, and without access that is over.
	pub fn with(self, ca: Option<AnchorId>, part: Item, now: Moment) -> Bundle {
		let mut items = self.bundle.items;
		items.retain(|item| temporary_until(item).is_none_or(|until| until >= now));
		if let Some(anchor) = ca
			&& !items.iter().any(|item| *item.part() == Item::SshUserCa { anchor })
		{
			items.push(Item::SshUserCa { anchor });
		}
		items.push(part);
		Bundle { items }
	}
}

/// The error for a file that does not open the newest delivery to a device, with a way to one that does: nothing is written
/// over a file that is there, so that way names another one.
fn unopened(path: &Path, device: &str, newest: u64, channel: ChannelId) -> Error {
	let (file, place) = (path.display(), delivery::place(channel));
	let is_there = path.symlink_metadata().is_ok();
	let (why, free) = match is_there {
		true => (
			format!(
				"{file} does not open delivery {newest} to {device}{place}, which is the newest one"
			),
			files::with_ending(path, &format!(".{}", newest.saturating_add(1))),
		),
		false => (
			format!(
				"there is no file {file}, and delivery {newest} to {device}{place} has to be opened"
			),
			path.to_owned(),
		),
	};
	let (option, free) = (delivery::option(channel), free.display());
	let next = format!(
		"give with --review the file that `dpki deliver --review FILE` wrote for it, or deliver what the device shall have anew \
		 with `dpki deliver ..{option} --review {free}`, and run this again with --review {free}"
	);
	Error::NotAllowed { why, next }
}

/// Refuses to deliver past a delivery that is not decided: the device would get one or the other.
fn require_no_other(is_waiting: bool, device: &str, channel: ChannelId) -> Result<()> {
	if !is_waiting {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!(
			"another delivery to {device}{} waits for approvals",
			delivery::place(channel)
		),
		next: format!(
			"have it approved, or take it back with `dpki withdraw-delivery {device}{}`",
			delivery::option(channel)
		),
	})
}

/// Refuses to write over a delivery that was signed and can be published yet: nothing else opens it then.
fn require_decided(next: &Review, path: &Path, known: u64, now: Moment) -> Result<()> {
	if next.sequence <= known {
		return Ok(());
	}
	// What has no envelope in it was published, or never became final.
	let Ok(envelope) = next.envelope() else { return Ok(()) };
	let signature = next.open(&envelope)?.signature;
	if signature.is_none_or(|signature| signature.expires_at < now) {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("{} holds a delivery that was signed and is not published yet", path.display()),
		next: "have it published with `dpki publish-delivery`, or remove the file if nobody has a copy".into(),
	})
}

/// The end of access that ends by itself; `None` of any other part.
pub fn temporary_until(item: &Item) -> Option<Moment> {
	match item.part() {
		Item::SshTemporaryAccess { until, .. } | Item::SshTemporaryKey { until, .. } => {
			Some(*until)
		},
		_ => None,
	}
}

/// A state that is sealed, and that the file beside that of the review opens.
pub struct Sealed {
	binding: DeliveryBinding,
	envelope: Vec<u8>,
	/// The file that opens it.
	pub file: PathBuf,
}

impl Sealed {
	/// The digest of the envelope.
	pub fn digest(&self) -> BlobDigest {
		BlobDigest::of(&self.envelope)
	}

	/// Publishes it; whoever has to sign does not.
	pub async fn publish(
		&self,
		session: &Session,
		client: &Client,
		account: &Account,
	) -> Result<Finalized> {
		let Self { binding, envelope, .. } = self;
		let call = calls::publish(
			binding.device,
			binding.channel,
			binding.sequence,
			binding.suite,
			binding.recipient,
			envelope,
		)?;
		session.submit(client, account, &call, "publishing the delivery").await
	}
}

/// Seals a state of which a part ends then. Whatever interrupts what follows, one of two files opens the newest delivery:
/// that of the review, or the one beside it.
pub fn seal(
	(account, procedure): (&Account, Procedure),
	binding: DeliveryBinding,
	destination: &Destination,
	bundle: &Bundle,
	(now, until): (Moment, Moment),
	path: &Path,
) -> Result<Sealed> {
	let is_signed = matches!(procedure, Procedure::Signed(..));
	let plaintext = if is_signed {
		// A device takes nothing that was published when the access was over.
		let expires_at = until.min(now.saturating_add(MAX_SIGNATURE_LIFETIME));
		bundle
			.encode_signed(|digest| ContentSignature::sign(account, &binding, digest, expires_at))?
	} else {
		bundle.encode()?
	};
	let recipient = (destination.key.clone(), binding.clone());
	let (envelope, key) = envelope::seal_shared(&[recipient], &plaintext)?;
	let file = Review::next_to(path);
	Review::new(&binding, &envelope, key, is_signed).replace(&file)?;
	Ok(Sealed { binding, envelope, file })
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::values::DeviceRef;
	use dpki_client::possession::{AgreementKey, HybridKey};
	use dpki_primitives::{
		approval::ApprovalRule,
		device::DeviceRecord,
		ids::{CertificateId, DeviceId, KeyId, OrganisationId},
		key::{KeyPurpose, KeyRecord},
		organisation::DeliveryPolicy,
		status::Validity,
	};

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
		let bundle = state().with(Some(ca), access(3, 20), 10);
		let wanted = vec![principals, items[1].clone(), access(2, 10).optional(), access(3, 20)];
		assert_eq!(bundle.items, wanted);
		let other = AnchorId([9; 32]);
		let bundle = state().with(Some(other), access(3, 20), 10);
		assert!(bundle.items.contains(&Item::SshUserCa { anchor: other }), "a CA that it needs");
		let key = |grant: u8, until| Item::SshTemporaryKey {
			login: "root".into(),
			grant: CertificateId([grant; 32]),
			until,
		};
		let items = vec![key(1, 9), key(2, 10)];
		let bundle = State { bundle: Bundle { items }, suite: None }.with(None, key(3, 20), 10);
		assert_eq!(bundle.items, [key(2, 10), key(3, 20)], "a plain key needs no CA");
	}

	#[test]
	fn what_was_signed_and_can_be_published_is_not_written_over() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("drone-7.review");
		let account = Account::from_uri("//Alice").unwrap();
		let key = AgreementKey::from_secret_bytes(&[7; 32]).public();
		let device = DeviceRef::from(DeviceId([4; 32]));
		let recipient = KeyId::of(&key);
		let binding = DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device: device.id,
			channel: ChannelId::DEFAULT,
			recipient,
			suite: Suite::SharedX25519,
			sequence: 5,
		};
		let record = KeyRecord {
			device: device.id,
			purpose: KeyPurpose::KeyAgreement,
			public: key.clone(),
			validity: Validity { not_before: 1, not_after: None },
			registered_at: 1,
			superseded_at: None,
			withdrawal: Default::default(),
		};
		let destination = Destination {
			device,
			record: DeviceRecord {
				organisation: binding.organisation,
				name: b"drone-7".to_vec().try_into().unwrap(),
				enrolled_at: 1,
				keys_registered: 3,
				withdrawal: Default::default(),
			},
			recipient: (recipient, record),
			key: RecipientKey::X25519(key),
			channel: ChannelId::DEFAULT,
			sequence: 5,
		};
		let bundle = Bundle { items: vec![access(1, 1000)] };
		let rule = ApprovalRule::of(DeliveryPolicy::MultiAdmin).unwrap();
		let seal = |procedure| {
			let how = (&account, procedure);
			seal(how, binding.clone(), &destination, &bundle, (10, 1000), &path).unwrap()
		};
		let sealed = seal(Procedure::Signed(rule, [3; 32]));
		let review = Review::read(&sealed.file).unwrap();
		let content = review.open(&sealed.envelope).unwrap();
		let signature = content.signature.unwrap();
		assert_eq!(signature.expires_at, 1000, "nobody publishes it when the access is over");
		assert_eq!(signature.verify(&binding, content.digest, 1000), Ok(()));
		let judge = |known, now| {
			require_decided(&Review::read(&sealed.file).unwrap(), &sealed.file, known, now)
		};
		let error = judge(4, 1000).unwrap_err();
		assert!(error.to_string().contains("not published yet"), "{error}");
		assert!(error.next_step().unwrap().contains("publish-delivery"));
		judge(4, 1001).unwrap();
		judge(5, 10).unwrap();
		assert!(!path.exists(), "what opens the newest delivery is left as it is");
		seal(Procedure::Approved(rule));
		judge(4, 10).unwrap();
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
		let channel = ChannelId::new(2).unwrap();
		require_no_other(false, "acme/drone-7", channel).unwrap();
		let error = require_no_other(true, "acme/drone-7", channel).unwrap_err();
		assert!(error.to_string().contains("waits for approvals"), "{error}");
		let command = "`dpki withdraw-delivery acme/drone-7 --channel 2`";
		assert!(error.next_step().unwrap().contains(command));
		let error = require_no_other(true, "acme/drone-7", ChannelId::DEFAULT).unwrap_err();
		assert!(error.next_step().unwrap().contains("`dpki withdraw-delivery acme/drone-7`"));
	}

	#[test]
	fn a_file_that_opens_nothing_leads_to_one_that_can_be_made() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("drone-7.review");
		let told = || {
			let error = unopened(&path, "acme/drone-7", 6, ChannelId::new(2).unwrap());
			(error.to_string(), error.next_step().unwrap())
		};
		let free = |next: &str, name: &str| {
			let free = folder.path().join(name);
			assert!(!free.exists());
			let option = format!("`dpki deliver .. --channel 2 --review {}`", free.display());
			assert!(next.contains(&option), "{next}");
		};
		let (why, next) = told();
		assert!(why.starts_with("there is no file") && why.contains("delivery 6"), "{why}");
		free(&next, "drone-7.review");
		files::write_secret(&path, b"something else").unwrap();
		let (why, next) = told();
		assert!(why.contains("does not open delivery 6 to acme/drone-7 on channel 2"), "{why}");
		free(&next, "drone-7.review.7");
	}
}
