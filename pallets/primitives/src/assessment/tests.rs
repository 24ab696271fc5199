//! A state in memory, and what is read of it.

use super::*;
use crate::{
	assurance::{AccreditationState, Finding, MAX_ENDORSEMENTS, Quorum},
	certificate::{Holder, MAX_QUORUM},
	ids::OrganisationId,
	key::{KeyPurpose, KeyType, PublicKey},
	revocation::{Revocation, RevocationReason, Withdrawal},
	status::Validity,
};
use alloc::collections::BTreeMap;
use codec::Encode;
use core::cell::RefCell;

const NOW: Moment = 1_000;
const ID: CertificateId = CertificateId([1; 32]);
const DRONE: DeviceId = DeviceId([2; 32]);

/// What is known, present or absent; about everything else there is nothing to be said.
#[derive(Default)]
struct State {
	known: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
	read: RefCell<Vec<Vec<u8>>>,
}

impl State {
	fn put(&mut self, key: Vec<u8>, record: &impl Encode) {
		self.known.insert(key, Some(record.encode()));
	}

	fn ask(&self) -> Result<Option<Assessed>, Vec<u8>> {
		self.read.borrow_mut().clear();
		assessed(self, ID, NOW)
	}

	fn found(&self) -> Assessment {
		self.ask().expect("everything is known").expect("it exists").assessment
	}
}

impl StoredRecords for State {
	/// What is not known.
	type Error = Vec<u8>;

	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, Self::Error> {
		self.read.borrow_mut().push(key.to_vec());
		let value = self.known.get(key).ok_or_else(|| key.to_vec())?;
		Ok(value.as_ref().map(|bytes| Record::decode(&mut &bytes[..]).expect("it is one")))
	}
}

fn public() -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &[3; 32]).expect("32 bytes")
}

fn record() -> CertificateRecord {
	CertificateRecord {
		subject: Subject::Device(DRONE),
		holder: Holder::Organisation(OrganisationId([9; 32])),
		requested: Level::Ev,
		key: public(),
		display_name: None,
		validity: Validity { not_before: 0, not_after: Some(9_000) },
		control_until: None,
		suspension: None,
		revocation: None,
	}
}

fn device() -> DeviceRecord {
	DeviceRecord {
		organisation: OrganisationId([9; 32]),
		name: b"drone".to_vec().try_into().expect("it is short"),
		enrolled_at: 0,
		keys_registered: 1,
		withdrawal: Withdrawal::None,
	}
}

fn endorsement(endorser: u8) -> EndorsementRecord {
	EndorsementRecord {
		endorser: [endorser; 32],
		level: Level::Ev,
		digest: record().digest(ID),
		evidence: None,
		endorsed_at: 500,
		expires_at: 2_000,
		withdrawn: None,
	}
}

fn accreditation(organisation: u8) -> Accreditation {
	Accreditation {
		organisation: OrganisationId([organisation; 32]),
		level: Level::Ev,
		state: AccreditationState::Active,
		accredited_at: 0,
		compromised_from: None,
	}
}

/// The certificate of a drone with an endorsement of each of these, each of an organisation of its own.
fn state(endorsers: impl Iterator<Item = u8> + Clone) -> State {
	let endorsements: Vec<_> = endorsers.clone().map(endorsement).collect();
	let mut state = State::default();
	for key in assessment_keys(ID, Some(&record()), &endorsements) {
		state.known.insert(key, None);
	}
	state.put(storage_keys::certificate(ID), &record());
	state.put(storage_keys::device(DRONE), &device());
	state.put(storage_keys::endorsements(ID), &endorsements);
	for endorser in endorsers {
		let key = storage_keys::accreditation(Office::Endorser, &[endorser; 32]);
		state.put(key, &accreditation(endorser));
	}
	state
}

#[test]
fn what_is_read_is_what_the_keys_say() {
	for count in [0, 3, MAX_ENDORSEMENTS as u8] {
		let state = state(10..10 + count);
		let Assessment { level, explanations, .. } = state.found();
		assert_eq!(level, Some(if count < 3 { Level::Dv } else { Level::Ev }));
		assert_eq!(explanations.len(), usize::from(count));
		let mut read = state.read.borrow().clone();
		read.push(storage_keys::now());
		read.sort();
		assert!(read.iter().eq(state.known.keys()), "{count}: more or less than the keys");
		assert_eq!(read.len(), 7 + usize::from(count));
	}
}

#[test]
fn what_is_left_out_is_never_taken_for_absent() {
	let whole = state(10..13);
	for left_out in whole.known.keys().filter(|key| **key != storage_keys::now()) {
		let mut state = state(10..13);
		state.known.remove(left_out);
		assert_eq!(state.ask().map(|_| ()), Err(left_out.clone()));
	}
}

#[test]
fn what_does_not_exist_takes_one_key() {
	let mut state = State::default();
	let keys = assessment_keys(ID, None, &[]);
	assert_eq!(keys, [storage_keys::certificate(ID)]);
	state.known.extend(keys.into_iter().map(|key| (key, None)));
	assert_eq!(state.ask(), Ok(None));
}

#[test]
fn an_endorser_that_is_suspended_lowers_the_level_and_nothing_else() {
	let mut state = state(10..13);
	let suspended = Accreditation { state: AccreditationState::Suspended, ..accreditation(12) };
	state.put(storage_keys::accreditation(Office::Endorser, &[12; 32]), &suspended);
	let found = state.found();
	assert_eq!((found.status, found.level), (Status::Valid, Some(Level::Ov)));
	assert_eq!(found.explanations[2].finding, Finding::EndorserSuspended);
	let assessed = state.ask().expect("it is known").expect("it exists");
	assert!(assessed.is_worth(Level::Ov) && !assessed.is_worth(Level::Ev));
}

#[test]
fn accounts_of_one_organisation_have_one_voice() {
	let mut state = state(10..13);
	for endorser in [11, 12] {
		let key = storage_keys::accreditation(Office::Endorser, &[endorser; 32]);
		state.put(key, &accreditation(10));
	}
	let found = state.found();
	assert_eq!((found.counted_for_ev, found.level), (1, Some(Level::Dv)));
}

#[test]
fn an_observer_is_no_endorser() {
	let mut state = state(10..13);
	state
		.known
		.insert(storage_keys::accreditation(Office::Endorser, &[12; 32]), None);
	state.put(storage_keys::accreditation(Office::Observer, &[12; 32]), &accreditation(12));
	let found = state.found();
	assert_eq!(found.explanations[2].finding, Finding::NotAccredited);
	assert_eq!(found.level, Some(Level::Ov));
}

#[test]
fn the_policy_of_the_consortium_decides_and_without_one_its_default() {
	let mut state = state(10..13);
	let strict = Quorum { ov: 3, ev: MAX_QUORUM };
	let policy = CertificatePolicy { endorsers: strict, ..CertificatePolicy::default() };
	state.put(storage_keys::certificate_policy(), &policy);
	assert_eq!((state.found().quorum, state.found().level), (strict, Some(Level::Ov)));
}

/// Absent means the default, for readers of every version: it is part of the interface.
#[test]
fn the_policy_that_is_not_stored_is_known_to_all() {
	let day = 24 * 60 * 60 * 1_000u64;
	let quorum = (2u32, 3u32);
	let blocks = (300u32, 300u32, 1_209_600u32);
	let expected = (2u32, quorum, blocks, 100 * day, 200 * day, 398 * day).encode();
	assert_eq!(CertificatePolicy::default().encode(), expected);
}

#[test]
fn what_ends_the_key_or_the_device_ends_the_certificate() {
	let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 700 };
	let id = KeyId::of(&public());
	let mut leaked = state(10..13);
	leaked.put(storage_keys::compromised_key(id), &700u64);
	let mut registered = state(10..13);
	registered.put(
		storage_keys::key(id),
		&KeyRecord {
			device: DRONE,
			purpose: KeyPurpose::Sign,
			public: public(),
			validity: Validity { not_before: 0, not_after: None },
			registered_at: 0,
			superseded_at: None,
			withdrawal: Withdrawal::Revoked(revocation),
		},
	);
	let mut lost = state(10..13);
	lost.put(
		storage_keys::device(DRONE),
		&DeviceRecord { withdrawal: Withdrawal::Revoked(revocation), ..device() },
	);
	let mut unknown = state(10..13);
	unknown.known.insert(storage_keys::device(DRONE), None);
	for (state, expected) in [
		(leaked, Status::Revoked(revocation)),
		(registered, Status::Revoked(revocation)),
		(lost, Status::IssuerRevoked(revocation)),
		(unknown, Status::Unknown),
	] {
		let found = state.found();
		assert_eq!((found.status, found.level), (expected, None));
	}
}
