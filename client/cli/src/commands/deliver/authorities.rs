//! Which CAs may be delivered, and which keys they may certify.

use crate::{
	error::{Error, Result},
	lookup::{self, KnownAnchor},
	values::AnchorRef,
};
use dpki_client::{View, ssh};
use dpki_primitives::{
	anchor::AnchorKind,
	ids::OrganisationId,
	revocation::{SshRevocation, SshSubject},
};

/// The anchor, if it may be relied on.
pub async fn active(view: &View, anchor: &AnchorRef, kind: AnchorKind) -> Result<KnownAnchor> {
	lookup::anchor(view, anchor, &[kind]).await?.require_valid()
}

/// Refuses what the device refuses: whoever may publish must not bring in a CA that the anchor managers of the
/// organisation have not registered.
pub fn require_own(known: &KnownAnchor, organisation: OrganisationId) -> Result<()> {
	if known.record.organisation == organisation {
		return Ok(());
	}
	let kind = known.record.kind.name();
	Err(Error::NotAllowed {
		why: format!("the {kind} {} belongs to another organisation", known.id),
		next: "use one of the organisation of the device; `dpki anchor list` shows them".into(),
	})
}

/// Refuses a host key whose certificates by a CA are revoked: a new one would be worth nothing.
pub fn require_unrevoked(
	revocations: &[SshRevocation],
	key: &ssh_key::PublicKey,
	device: &str,
) -> Result<()> {
	let revoked = SshSubject::KeyFingerprint(ssh::fingerprint(key));
	if revocations.iter().all(|entry| entry.subject != revoked) {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("certificates of this CA for the host key of {device} are revoked"),
		next: "have the device register another host key, or use another host CA".into(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		anchor::AnchorRecord,
		ids::{AnchorId, KeyId},
		revocation::{Revocation, RevocationReason},
		status::{Status, Validity},
	};

	#[test]
	fn a_ca_of_another_organisation_is_refused_as_the_device_would() {
		let (own, other) = (OrganisationId([1; 32]), OrganisationId([2; 32]));
		for kind in AnchorKind::ALL {
			let known = KnownAnchor {
				id: AnchorId([3; 32]),
				record: AnchorRecord::new(
					own,
					kind,
					None,
					KeyId([4; 32]),
					Validity { not_before: 0, not_after: None },
					0,
				),
				status: Status::Valid,
			};
			assert!(require_own(&known, own).is_ok());
			let error = require_own(&known, other).unwrap_err();
			assert!(error.to_string().contains("another organisation"), "{error}");
			assert!(error.next_step().unwrap().contains("dpki anchor list"));
		}
	}

	#[test]
	fn a_host_key_whose_certificates_are_revoked_gets_no_other() {
		let key = |seed| {
			let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
			ssh_key::PublicKey::from(ssh_key::public::Ed25519PublicKey::from(&pair))
		};
		let subject = SshSubject::KeyFingerprint(ssh::fingerprint(&key(1)));
		let reason = RevocationReason::KeyCompromise;
		let list = [SshRevocation { subject, revocation: Revocation { reason, at: 1 } }];
		require_unrevoked(&list, &key(2), "acme/drone-7").unwrap();
		let error = require_unrevoked(&list, &key(1), "acme/drone-7").unwrap_err();
		assert!(error.to_string().contains("are revoked"), "{error}");
		assert!(error.next_step().unwrap().contains("another host key"));
	}
}
