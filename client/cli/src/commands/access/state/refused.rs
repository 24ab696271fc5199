//! What a state is not carried on with, because a device would refuse it in a new delivery.

use crate::{
	commands::{delivery::content, revoke::signer_anchor},
	error::Result,
	session::Session,
};
use dpki_client::{Bundle, Item, View, ssh};
use dpki_primitives::{
	Moment,
	anchor::AnchorRecord,
	ids::{AnchorId, DeviceId, KeyId, OrganisationId},
	revocation::{SshRevocation, SshSubject},
	status::{Status, status},
};
use ssh_key::Certificate;
use std::collections::BTreeMap;

/// The state without what a device refuses in a new delivery, although it was good once: CAs that are not believed any
/// more, and certificates of the host and its users that have ended, were revoked, or are of such a CA. Otherwise nobody
/// could be granted a login because of them. The device has left the CAs out on its own, and keeps its keys for the next
/// certificates. What is left out is told.
pub(super) async fn without_refused(
	bundle: Bundle,
	session: &Session,
	view: &View,
	(organisation, device): (OrganisationId, DeviceId),
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
	let given = bundle.items.clone();
	let mut bundle = without(bundle, &authorities, organisation, view.now());
	if is_for_another_host_key(&bundle, view, device).await? {
		bundle.items.retain(|item| !is_host_certificate(item));
	}
	for item in given.iter().filter(|item| !bundle.items.contains(item)) {
		let what = content::line(item);
		session.warn(&format!("the device would refuse this, so it is left out: {what}"));
	}
	Ok(bundle)
}

/// Whether the host certificate is for a host key that the device had once.
async fn is_for_another_host_key(bundle: &Bundle, view: &View, device: DeviceId) -> Result<bool> {
	let item = bundle.items.iter().find(|item| is_host_certificate(item));
	let Some(certificate) = item.and_then(certificate) else { return Ok(false) };
	let key = ssh::to_public_key(&certificate.public_key().clone().into());
	let Some(id) = key.map(|key| KeyId::of(&key)) else { return Ok(false) };
	// Of a key that the chain does not know, nothing is known here.
	let is_its_own = view.key(id).await?.is_some_and(|record| record.device == device);
	Ok(is_its_own && !view.key_status(id).await?.is_valid())
}

fn is_host_certificate(item: &Item) -> bool {
	matches!(item.part(), Item::SshHostCertificate { .. })
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
	let is_settled = |item: &Item| has_host_key && is_host_certificate(item);
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::commands::ssh::Content;
	use dpki_primitives::{
		anchor::AnchorKind,
		ids::KeyId,
		revocation::{Revocation, RevocationReason},
		status::Validity,
	};
	use ssh_key::{Algorithm, PrivateKey, rand_core::OsRng};

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
}
