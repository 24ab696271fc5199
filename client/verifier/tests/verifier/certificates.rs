//! Certificates: what they are worth by what is proven, and by nothing that was left out of it.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{
	assurance::{Accreditation, AccreditationState, Finding, Level, MAX_ENDORSEMENTS},
	ids::CertificateId,
	status::Status,
	storage_keys,
};
use dpki_verifier::{Error, Part, Query, limits::MAX_KEYS};
use sp_core::storage::StateVersion;
use std::collections::BTreeMap;

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

const ID: CertificateId = CERTIFICATE;
const OTHER: CertificateId = OTHER_CERTIFICATE;

fn world(entries: Entries) -> World {
	World::with(4, entries, StateVersion::V1)
}

fn good() -> World {
	world(certified(30..32))
}

/// The second question, which the answer to the first one tells.
fn whole(world: &World, id: CertificateId) -> Query {
	let first = Query::new().certificate(id);
	let bundle = world.answer(&first).encode();
	let next = verified(world, &bundle, &first).next_query().unwrap().unwrap();
	let bundle = world.answer(&next).encode();
	assert_eq!(verified(world, &bundle, &next).next_query(), Ok(None), "a third question");
	next
}

/// What the certificate is worth, by two questions.
fn judge(world: &World, id: CertificateId) -> (Status, Option<Level>, Vec<Finding>) {
	let query = whole(world, id);
	let bundle = world.answer(&query).encode();
	let verified = verified(world, &bundle, &query);
	let found = verified.certificate(id).unwrap();
	assert_eq!((found.number(), found.time()), (20, TIME));
	let assessment = found.into_option().unwrap().assessment;
	assert_eq!(verified.certificate_status(id), Ok(assessment.status));
	let findings = assessment.explanations.iter().map(|it| it.finding).collect();
	(assessment.status, assessment.level, findings)
}

#[test]
fn two_questions_tell_what_a_certificate_is_worth_and_why() {
	let counted = vec![Finding::Counted; 2];
	assert_eq!(judge(&good(), ID), (Status::Valid, Some(Level::Ev), counted));
	assert_eq!(judge(&good(), OTHER), (Status::Valid, Some(Level::Dv), Vec::new()));
}

#[test]
fn an_endorser_that_is_suspended_or_was_compromised_before_lowers_the_level() {
	let suspended = Accreditation { state: AccreditationState::Suspended, ..accreditation(31) };
	let compromised = Accreditation { compromised_from: Some(TIME - 1_000), ..accreditation(31) };
	let later = Accreditation { compromised_from: Some(TIME - 999), ..accreditation(31) };
	for (accreditation, finding, level) in [
		(suspended, Finding::EndorserSuspended, Level::Ov),
		(compromised, Finding::EndorserCompromised, Level::Ov),
		(later, Finding::Counted, Level::Ev),
	] {
		let mut entries = certified(30..32);
		entries.insert(accreditation_place(31), accreditation.encode());
		let found = judge(&world(entries), ID);
		assert_eq!(found, (Status::Valid, Some(level), vec![Finding::Counted, finding]));
	}
}

#[test]
fn who_was_never_accredited_is_proven_absent_and_does_not_count() {
	let mut entries = certified(30..32);
	entries.remove(&accreditation_place(31));
	let findings = vec![Finding::Counted, Finding::NotAccredited];
	assert_eq!(judge(&world(entries), ID), (Status::Valid, Some(Level::Ov), findings));
}

#[test]
fn two_accounts_of_one_organisation_count_once() {
	let mut entries = certified(30..32);
	entries.insert(accreditation_place(31), accreditation(30).encode());
	let findings = vec![Finding::Counted, Finding::OrganisationCounted];
	assert_eq!(judge(&world(entries), ID), (Status::Valid, Some(Level::Ov), findings));
}

#[test]
fn a_certificate_falls_with_its_key_and_with_its_device() {
	let mut leaked = certified(30..32);
	leaked.insert(storage_keys::compromised_key(key_id(5)), (TIME - 500).encode());
	assert_eq!(judge(&world(leaked), ID).0, Status::Revoked(revocation()));
	let mut lost = certified(30..32);
	let device = device_record("drone", Some(revocation()));
	lost.insert(storage_keys::device(device_id("drone")), device.encode());
	let (status, level, _) = judge(&world(lost), ID);
	assert_eq!((status, level), (Status::IssuerRevoked(revocation()), None));
}

#[test]
fn one_that_does_not_exist_is_proven_absent_by_the_first_question() {
	let (world, query) = (good(), Query::new().certificate(CertificateId([0x33; 32])));
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert_eq!(verified.next_query(), Ok(None));
	let id = CertificateId([0x33; 32]);
	assert_eq!(verified.certificate(id).unwrap().get(), None);
	assert_eq!(verified.certificate_status(id), Ok(Status::Unknown));
	assert_eq!(verified.certificate(ID), Err(Error::NotAsked), "another one");
}

#[test]
fn the_first_question_alone_gives_no_answer() {
	let (world, query) = (good(), Query::new().certificate(ID));
	let bundle = world.answer(&query).encode();
	let verified = verified(&world, &bundle, &query);
	assert_eq!(verified.certificate(ID), Err(Error::NotAsked));
	assert_eq!(verified.certificate_status(ID), Err(Error::NotAsked));
}

/// Whoever leaves an endorsement or an accreditation out of a question has no answer, and never a lower level.
#[test]
fn what_was_not_asked_is_never_taken_for_absent() {
	let world = good();
	let all = whole(&world, ID);
	assert_eq!(all.keys().len(), 9);
	for left_out in all.keys().iter().filter(|key| **key != storage_keys::now()) {
		let asked = all.keys().iter().filter(|key| *key != left_out).cloned();
		let query = asked.fold(Query::new(), Query::storage_key);
		let bundle = world.answer(&query).encode();
		assert_eq!(verified(&world, &bundle, &query).certificate(ID), Err(Error::NotAsked));
	}
}

/// Whoever leaves them out of the proof is refused, and so is whoever proves something else.
#[test]
fn a_proof_without_an_endorsement_or_with_that_of_another_certificate_is_refused() {
	let world = good();
	let all = whole(&world, ID);
	for left_out in
		[storage_keys::endorsements(ID), accreditation_place(30), accreditation_place(31)]
	{
		let proven: Vec<_> = all.keys().iter().filter(|key| **key != left_out).cloned().collect();
		let mut parts = world.answer(&all);
		parts.proof = world.state.prove(&proven);
		assert_eq!(world.verdict(&parts, &all).map(|_| ()), Err(Error::NodeMissing));
	}
	let mut parts = world.answer(&all);
	parts.proof = world.answer(&whole(&world, OTHER)).proof;
	let refused = world.verdict(&parts, &all).map(|_| ());
	assert!(matches!(refused, Err(Error::NodeMissing | Error::NodeSurplus)), "{refused:?}");
}

#[test]
fn a_proof_from_before_the_suspension_or_with_a_bit_of_it_changed_is_refused() {
	let mut entries = certified(30..32);
	let suspended = Accreditation { state: AccreditationState::Suspended, ..accreditation(31) };
	entries.insert(accreditation_place(31), suspended.encode());
	let (before, after) = (good(), world(entries));
	let query = whole(&after, ID);
	let mut lie = after.answer(&query);
	lie.proof = before.answer(&query).proof;
	let refused = after.verdict(&lie, &query).map(|_| ());
	assert!(matches!(refused, Err(Error::NodeMissing | Error::NodeSurplus)), "{refused:?}");

	// The state of the accreditation in the place where it lies: the level would be EV again.
	let (bundle, record) = (after.answer(&query).encode(), suspended.encode());
	let place = bundle.windows(record.len()).position(|window| window == record).unwrap();
	let active = accreditation(31).encode();
	let mut lie = bundle.clone();
	lie[place..place + active.len()].copy_from_slice(&active);
	assert_ne!(lie, bundle);
	let refused = after.verdict_on_bytes(&lie, &query).map(|_| ());
	assert!(matches!(refused, Err(Error::NodeMissing | Error::NodeSurplus)), "{refused:?}");
}

/// Between the two questions somebody endorses: the answer to the second one says that there is more to ask.
#[test]
fn an_endorser_that_comes_in_between_is_asked_about_and_not_passed_over() {
	let (before, after) = (good(), world(certified(30..33)));
	let query = whole(&before, ID);
	let bundle = after.answer(&query).encode();
	let second = verified(&after, &bundle, &query);
	assert_eq!(second.certificate(ID), Err(Error::NotAsked));
	let third = second.next_query().unwrap().unwrap();
	let bundle = after.answer(&third).encode();
	let found = verified(&after, &bundle, &third)
		.certificate(ID)
		.unwrap()
		.into_option()
		.unwrap();
	assert_eq!(found.assessment.counted_for_ev, 3);
}

#[test]
fn as_many_endorsements_as_there_can_be_fit_into_a_question() {
	let world = world(certified(30..30 + MAX_ENDORSEMENTS as u8));
	let query = whole(&world, ID).bind_genesis();
	assert_eq!(query.keys().len(), 24);
	assert!(query.keys().len() <= MAX_KEYS);
	let bundle = world.answer(&query).encode();
	let found = verified(&world, &bundle, &query)
		.certificate(ID)
		.unwrap()
		.into_option()
		.unwrap();
	assert_eq!(found.assessment.counted_for_ev, MAX_ENDORSEMENTS);
}

#[test]
fn a_record_that_does_not_decode_is_refused() {
	for place in
		[storage_keys::certificate(ID), storage_keys::endorsements(ID), accreditation_place(31)]
	{
		let query = whole(&good(), ID);
		let mut entries = certified(30..32);
		entries.get_mut(&place).unwrap().push(0);
		let world = world(entries);
		let bundle = world.answer(&query).encode();
		let verified = verified(&world, &bundle, &query);
		let malformed = Error::Malformed(Part::Record);
		assert_eq!(verified.certificate(ID), Err(malformed.clone()));
		if place != accreditation_place(31) {
			assert_eq!(verified.next_query(), Err(malformed));
		}
	}
}

#[test]
fn who_publishes_finds_the_same_questions_without_verifying() {
	let (world, first) = (good(), Query::new().certificate(ID).bind_genesis());
	assert_eq!(first.certificates().collect::<Vec<_>>(), [ID]);
	let next = first.next_in(&world.answer(&first).encode()).unwrap().unwrap();
	assert!(next.binds_genesis());
	assert_eq!(next, whole(&world, ID).bind_genesis());
	assert_eq!(next.next_in(&world.answer(&next).encode()), Ok(None));
	let refused = next.next_in(&world.answer(&first).encode());
	assert!(matches!(refused, Err(Error::NodeMissing)), "{refused:?}");
	for other in [Query::new(), Query::new().storage_key(storage_keys::certificate(ID))] {
		assert_eq!(other.certificates().next(), None);
		assert_eq!(other.next_in(&world.answer(&other).encode()), Ok(None));
	}
}
