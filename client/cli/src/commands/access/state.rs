//! The state of a device to which something is added: what its newest delivery holds.

use super::approval::Procedure;
use crate::{
	commands::{
		deliver::Destination,
		delivery::{self, Review},
		revoke::signer_anchor,
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
	ssh,
};
use dpki_primitives::{
	Moment,
	anchor::AnchorRecord,
	channel::ChannelId,
	context::MAX_SIGNATURE_LIFETIME,
	delivery::{DeliveryBinding, Suite},
	ids::{AnchorId, BlobDigest, OrganisationId},
	revocation::{SshRevocation, SshSubject},
	status::{Status, status},
};
use ssh_key::Certificate;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

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
		client: &Client,
		view: &View,
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
			let organisation = destination.record.organisation;
			let bundle =
				without_refused(review.open(&envelope)?.bundle, view, organisation).await?;
			if from != path {
				// It is in force by now, and what comes next must not be written over the file that opens it.
				files::rename(from, path)?;
			}
			return Ok(Self { bundle, suite: Some(review.suite) });
		}
		Err(Error::NotAllowed {
			why: format!(
				"{} does not open delivery {} to {}, which is the newest one",
				path.display(),
				newest.sequence,
				device.text
			),
			next: format!(
				"deliver what the device shall have with `dpki deliver{} --review {}`, and run this again then",
				delivery::option(channel),
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

/// The state without what a device refuses in a new delivery, although it was good once: CAs that are not believed any
/// more, and certificates of the host and its users that have ended, were revoked, or are of such a CA. Otherwise nobody
/// could be granted a login because of them. The device has left the CAs out on its own, and keeps its keys for the next
/// certificates.
async fn without_refused(
	bundle: Bundle,
	view: &View,
	organisation: OrganisationId,
) -> Result<Bundle> {
	let mut authorities = Authorities::new();
	for item in &bundle.items {
		let certificate = certificate(item);
		let signer = certificate.as_ref().and_then(|it| signer_anchor(it).ok());
		let Some(id) = ca(item).or(signer) else { continue };
		if authorities.contains_key(&id) {
			continue;
		}
		let (record, revocations) = (view.anchor(id).await?, view.ssh_revocations(id).await?);
		authorities.insert(id, Authority { record, revocations });
	}
	Ok(without(bundle, &authorities, organisation, view.now()))
}

fn without(
	mut bundle: Bundle,
	authorities: &Authorities,
	organisation: OrganisationId,
	now: Moment,
) -> Bundle {
	let known = |id: &AnchorId| authorities.get(id);
	// A host key that was delivered may be of no use to the device without its certificate, and then it refuses the key: so
	// whoever delivered them has to deliver anew.
	let is_host_key = |item: &Item| matches!(item.part(), Item::SshHostKey { .. });
	let has_host_key = bundle.items.iter().any(is_host_key);
	let is_settled =
		|item: &Item| has_host_key && matches!(item.part(), Item::SshHostCertificate { .. });
	bundle.items.retain(|item| match (ca(item), certificate(item)) {
		(Some(anchor), _) => known(&anchor).is_some_and(|it| it.is_believed(now)),
		(None, Some(_)) if is_settled(item) => true,
		(None, Some(certificate)) => {
			let signer = signer_anchor(&certificate).ok();
			let signer = signer.as_ref().and_then(known);
			signer.is_some_and(|it| it.vouches(&certificate, organisation, now))
		},
		(None, None) => true,
	});
	bundle
}

/// What the chain says about the CAs of a state.
type Authorities = BTreeMap<AnchorId, Authority>;

/// What the chain says about a CA for SSH.
struct Authority {
	record: Option<AnchorRecord>,
	revocations: Vec<SshRevocation>,
}

impl Authority {
	/// Whether a device believes it, which is what `dpki-agent` asks, too: one that is retired counts like a valid one.
	fn is_believed(&self, now: Moment) -> bool {
		let standing = self.record.as_ref().map(AnchorRecord::standing);
		matches!(status(standing.as_ref(), &[], now), Status::Valid | Status::Superseded)
	}

	/// Whether a device of this organisation takes a certificate from it, by the questions that the device asks.
	fn vouches(
		&self,
		certificate: &Certificate,
		organisation: OrganisationId,
		now: Moment,
	) -> bool {
		let key = ssh_key::PublicKey::from(certificate.public_key().clone());
		let subjects = [
			SshSubject::Serial(certificate.serial()),
			SshSubject::KeyFingerprint(ssh::fingerprint(&key)),
		];
		self.is_believed(now)
			&& self.record.as_ref().is_some_and(|it| it.organisation == organisation)
			&& certificate.valid_before() > now / 1000
			&& !self.revocations.iter().any(|entry| subjects.contains(&entry.subject))
	}
}

/// The CA that a part names.
fn ca(item: &Item) -> Option<AnchorId> {
	match item.part() {
		Item::SshUserCa { anchor } | Item::SshKnownHostCa { anchor, .. } => Some(*anchor),
		_ => None,
	}
}

/// The certificate of the host, or that of a user for a key that the device has made.
fn certificate(item: &Item) -> Option<Certificate> {
	match item.part() {
		Item::SshHostCertificate { certificate } | Item::SshUserCertificate { certificate, .. } => {
			Certificate::from_openssh(certificate).ok()
		},
		_ => None,
	}
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
	use crate::{commands::ssh::Content, values::DeviceRef};
	use dpki_client::possession::{AgreementKey, HybridKey};
	use dpki_primitives::{
		anchor::AnchorKind,
		approval::ApprovalRule,
		device::DeviceRecord,
		ids::{CertificateId, DeviceId, KeyId},
		key::{KeyPurpose, KeyRecord},
		organisation::DeliveryPolicy,
		revocation::{Revocation, RevocationReason},
		status::Validity,
	};
	use ssh_key::{Algorithm, PrivateKey, rand_core::OsRng};

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

	const OWN: OrganisationId = OrganisationId([1; 32]);

	fn authority() -> Authority {
		let validity = Validity { not_before: 0, not_after: None };
		let (kind, key) = (AnchorKind::SshUserCa, KeyId([4; 32]));
		let record = AnchorRecord::new(OWN, kind, None, key, validity, 0);
		Authority { record: Some(record), revocations: Vec::new() }
	}

	fn changed(change: impl FnOnce(&mut AnchorRecord)) -> Authority {
		let mut authority = authority();
		change(authority.record.as_mut().unwrap());
		authority
	}

	fn revocation() -> Revocation {
		Revocation { reason: RevocationReason::KeyCompromise, at: 1 }
	}

	/// CAs that a device refuses in whatever is new.
	fn unbelieved() -> [Authority; 4] {
		let is_over = |it: &mut AnchorRecord| it.validity.not_after = Some(1_000_000);
		[
			Authority { record: None, revocations: Vec::new() },
			changed(|it| it.revocation = Some(revocation())),
			changed(is_over),
			changed(|it| {
				is_over(it);
				it.retired_at = Some(1);
			}),
		]
	}

	#[test]
	fn a_ca_that_is_not_believed_any_more_is_not_carried_on() {
		let (good, retired, bad) = (AnchorId([1; 32]), AnchorId([2; 32]), AnchorId([3; 32]));
		let hosts = vec!["*.acme.example".to_owned()];
		let kept = [
			Item::SshUserCa { anchor: good },
			Item::SshUserCa { anchor: retired },
			Item::SshPrincipals { login: "root".into(), principals: vec![] },
		];
		let gone = [
			Item::SshUserCa { anchor: bad }.optional(),
			Item::SshKnownHostCa { anchor: bad, hosts },
		];
		for no_use in unbelieved() {
			let retiree = changed(|it| it.retired_at = Some(1));
			let known = Authorities::from([(good, authority()), (retired, retiree), (bad, no_use)]);
			let bundle = Bundle { items: [&kept[..], &gone].concat() };
			assert_eq!(without(bundle, &known, OWN, 1_000_001).items, kept);
		}
	}

	#[test]
	fn a_certificate_is_carried_on_as_long_as_a_device_takes_it() {
		for kind in [AnchorKind::SshUserCa, AnchorKind::SshHostCa] {
			carried_on_as_long_as_a_device_takes_it(kind);
		}
	}

	fn carried_on_as_long_as_a_device_takes_it(kind: AnchorKind) {
		let random = || PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
		let (ca, key) = (random(), random());
		let content = Content {
			names: vec!["crew".into()],
			now: 1_000_000,
			span: std::time::Duration::from_secs(60),
			serial: None,
			key_id: None,
		};
		let signed = content.sign(&ca, key.public_key(), kind).unwrap();
		let (login, certificate) = ("ops".to_owned(), signed.to_openssh().unwrap());
		let anchor = signer_anchor(&signed).unwrap();
		let item = match kind {
			AnchorKind::SshHostCa => Item::SshHostCertificate { certificate },
			_ => Item::SshUserCertificate { login, certificate },
		};
		let bundle = Bundle { items: vec![item] };
		let left = |by: Authority, now| {
			let known = Authorities::from([(anchor, by)]);
			without(bundle.clone(), &known, OWN, now).items
		};
		let revoking = |subject| Authority {
			revocations: vec![SshRevocation { subject, revocation: revocation() }],
			..authority()
		};
		let fingerprint = |key: &PrivateKey| ssh::fingerprint(key.public_key());
		for good in [
			authority(),
			changed(|it| it.retired_at = Some(1)),
			revoking(SshSubject::Serial(signed.serial().wrapping_add(1))),
			revoking(SshSubject::KeyFingerprint(fingerprint(&random()))),
		] {
			assert_eq!(left(good, 1_059_999), bundle.items);
		}
		for no_use in unbelieved() {
			assert_eq!(left(no_use, 1_000_001), []);
		}
		for bad in [
			revoking(SshSubject::Serial(signed.serial())),
			revoking(SshSubject::KeyFingerprint(fingerprint(&key))),
			changed(|it| it.organisation = OrganisationId([9; 32])),
		] {
			assert_eq!(left(bad, 1_000_001), []);
		}
		assert_eq!(left(authority(), 1_060_000), []);
		assert_eq!(without(bundle.clone(), &Authorities::new(), OWN, 1).items, []);
		// With a host key beside it the device would refuse that key, so it is left to whoever delivered both.
		let private = dpki_client::bundle::Secret::from(b"a host key".as_slice());
		let mut bundle = bundle;
		bundle.items.push(Item::SshHostKey { private });
		let is_host = kind == AnchorKind::SshHostCa;
		let left = without(bundle, &Authorities::new(), OWN, 1).items.len();
		assert_eq!(left, if is_host { 2 } else { 1 });
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
}
