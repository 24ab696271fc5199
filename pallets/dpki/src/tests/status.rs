//! The vectors of the status function, answered from the storage: that records are turned into verdicts by that
//! function and by nothing else.

use super::mock::*;
use crate::{Anchors, Devices, Keys};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId},
	key::{KeyPurpose, KeyRecord},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
};
use frame_support::assert_ok;
use serde::Deserialize;

/// How many of the vectors the records of the registry can tell: not those on hold, nor those with a chain of issuers
/// or with an issuer that expires.
const ANSWERED: usize = 31;

#[derive(Deserialize)]
struct Case {
	name: String,
	own: Option<Record>,
	issuers: Vec<Option<Record>>,
	now: Moment,
	expected: Expected,
}

#[derive(Deserialize)]
struct Record {
	not_before: Moment,
	not_after: Option<Moment>,
	suspended: bool,
	superseded_at: Option<Moment>,
	revocation: Option<Revoked>,
}

#[derive(Deserialize)]
struct Revoked {
	reason: String,
	at: Moment,
}

#[derive(Deserialize)]
struct Expected {
	status: String,
	reason: Option<String>,
	at: Option<Moment>,
}

impl Record {
	fn validity(&self) -> Validity {
		Validity { not_before: self.not_before, not_after: self.not_after }
	}

	fn revocation(&self) -> Option<Revocation> {
		self.revocation.as_ref().map(|revoked| Revocation {
			reason: RevocationReason::ALL
				.into_iter()
				.find(|reason| reason.rfc5280_name() == revoked.reason)
				.expect("the vectors use names of RFC 5280"),
			at: revoked.at,
		})
	}

	/// Stores it as an anchor, which depends on nothing.
	fn store_anchor(&self, id: AnchorId) {
		let public = Pair::ed25519(1).public();
		let record = AnchorRecord {
			organisation: acme(),
			kind: AnchorKind::X509Root,
			key_id: Pair::ed25519(1).id(),
			key: Some(public),
			validity: self.validity(),
			registered_at: 0,
			retired_at: self.superseded_at,
			revocation: self.revocation(),
		};
		Anchors::<Test>::insert(id, record);
	}

	/// Stores it as a key, which depends on its device.
	fn store_key(&self, device: DeviceId) {
		let record = KeyRecord {
			device,
			purpose: KeyPurpose::Sign,
			public: Pair::ed25519(1).public(),
			validity: self.validity(),
			registered_at: 0,
			superseded_at: self.superseded_at,
			revocation: self.revocation(),
		};
		Keys::<Test>::insert(Pair::ed25519(1).id(), record);
	}

	/// Whether a device record can tell the same.
	fn is_device(&self) -> bool {
		!self.suspended && self.superseded_at.is_none() && self.not_after.is_none()
	}

	fn store_device(&self, device: DeviceId) {
		let record = DeviceRecord {
			organisation: acme(),
			name: name("drone-1"),
			enrolled_at: self.not_before,
			keys_registered: 1,
			revocation: self.revocation(),
		};
		Devices::<Test>::insert(device, record);
	}
}

/// Stores the case and asks the registry about it; `None` if no records of the registry can tell it.
fn verdict(case: &Case) -> Option<Status> {
	let (anchor, device) = (AnchorId([1; 32]), DeviceId([2; 32]));
	if case.own.as_ref().is_some_and(|own| own.suspended) {
		return None;
	}
	match case.issuers.as_slice() {
		[] => {
			if let Some(own) = &case.own {
				own.store_anchor(anchor);
			}
			Some(Dpki::anchor_status(anchor))
		},
		[issuer] => {
			if let Some(issuer) = issuer {
				issuer.is_device().then(|| issuer.store_device(device))?;
			}
			if let Some(own) = &case.own {
				own.store_key(device);
			}
			Some(Dpki::key_status(Pair::ed25519(1).id()))
		},
		_ => None,
	}
}

#[test]
fn the_registry_answers_the_vectors() {
	let cases: Vec<Case> =
		serde_json::from_str(include_str!("../../../primitives/vectors/status.json")).unwrap();
	let mut answered = 0;
	for case in cases {
		ext().execute_with(|| {
			set_time(case.now);
			let Some(verdict) = verdict(&case) else { return };
			assert_eq!(verdict.name(), case.expected.status, "{}", case.name);
			let reason = verdict.reason().map(RevocationReason::rfc5280_name);
			assert_eq!(reason, case.expected.reason.as_deref(), "{}", case.name);
			let at = verdict.revocation().map(|revocation| revocation.at);
			assert_eq!(at, case.expected.at, "{}", case.name);
			answered += 1;
		});
	}
	assert_eq!(answered, ANSWERED, "each case that the records can tell is answered");
}

#[test]
fn a_retired_root_that_has_expired_is_expired() {
	run(|| {
		let anchor = super::certificates::register_root();
		assert_ok!(Dpki::retire_anchor(signed(CAROL), anchor));
		assert_eq!(Dpki::anchor_status(anchor), Status::Superseded);
		set_time(2_208_988_800_001);
		assert_eq!(Dpki::anchor_status(anchor), Status::Expired);
	});
}
