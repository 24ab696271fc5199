//! The vectors of the status function, answered from the storage: that records are turned into verdicts by that
//! function and by nothing else.

use super::mock::*;
use crate::{Anchors, Devices, Keys};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord, Certification},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId},
	key::{KeyPurpose, KeyRecord},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
};
use frame_support::assert_ok;
use serde::Deserialize;

/// How many of the vectors a key and its device can tell: those with one issuer, not on hold, that does not expire.
const ANSWERED_BY_KEYS: usize = 6;

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

	/// Stores it as an anchor below the one with the number `issuer`.
	fn store_anchor(&self, id: AnchorId, issuer: Option<AnchorId>) {
		let certification = Certification { issuer, ..Default::default() };
		let record = AnchorRecord {
			retired_at: self.superseded_at,
			revocation: self.revocation(),
			suspended: self.suspended,
			certification: Some(certification),
			..AnchorRecord::new(
				acme(),
				AnchorKind::X509Intermediate,
				None,
				Pair::ed25519(1).id(),
				self.validity(),
				0,
			)
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

/// Stores the case as an anchor below its issuers, and asks about it.
fn verdict_of_anchor(case: &Case) -> Status {
	let id = |n: usize| AnchorId([n as u8; 32]);
	let records = [case.own.as_ref()].into_iter().chain(case.issuers.iter().map(Option::as_ref));
	for (n, record) in records.enumerate() {
		if let Some(record) = record {
			record.store_anchor(id(n), (n < case.issuers.len()).then(|| id(n + 1)));
		}
	}
	Dpki::anchor_status(id(0))
}

/// Stores the case as a key of a device, and asks about it; `None` if such records cannot tell it.
fn verdict_of_key(case: &Case) -> Option<Status> {
	let [issuer] = case.issuers.as_slice() else { return None };
	let device = DeviceId([2; 32]);
	if case.own.as_ref().is_some_and(|own| own.suspended) {
		return None;
	}
	if let Some(issuer) = issuer {
		issuer.is_device().then(|| issuer.store_device(device))?;
	}
	if let Some(own) = &case.own {
		own.store_key(device);
	}
	Some(Dpki::key_status(Pair::ed25519(1).id()))
}

fn assert_expected(case: &Case, verdict: Status) {
	assert_eq!(verdict.name(), case.expected.status, "{}", case.name);
	let reason = verdict.reason().map(RevocationReason::rfc5280_name);
	assert_eq!(reason, case.expected.reason.as_deref(), "{}", case.name);
	let at = verdict.revocation().map(|revocation| revocation.at);
	assert_eq!(at, case.expected.at, "{}", case.name);
}

#[test]
fn the_registry_answers_the_vectors() {
	let cases: Vec<Case> =
		serde_json::from_str(include_str!("../../../primitives/vectors/status.json")).unwrap();
	let mut answered_by_keys = 0;
	for case in cases {
		ext().execute_with(|| {
			set_time(case.now);
			assert_expected(&case, verdict_of_anchor(&case));
			if let Some(verdict) = verdict_of_key(&case) {
				assert_expected(&case, verdict);
				answered_by_keys += 1;
			}
		});
	}
	assert_eq!(answered_by_keys, ANSWERED_BY_KEYS, "each case that keys can tell is answered");
}

#[test]
fn a_retired_root_that_has_expired_is_expired() {
	run(|| {
		let anchor = super::certificates::register_root();
		assert_ok!(Dpki::retire_anchor(signed(CAROL), anchor));
		assert_eq!(Dpki::anchor_status(anchor), Status::Superseded);
		set_time(2_208_988_801_000);
		assert_eq!(Dpki::anchor_status(anchor), Status::Expired);
	});
}
