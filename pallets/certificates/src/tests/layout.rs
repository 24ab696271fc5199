//! Where the records lie, and what is noticed when they are wrong.

use super::mock::*;
use crate::{Certificates, *};
use dpki_primitives::{
	application::{Observation, Renewal},
	assurance::Level,
	bond::{Bond, SlashReason},
	certificate::{Office, day_of},
	ids::{ApplicationId, CertificateId, KeyId, SubjectId},
	revocation::RevocationReason,
	storage_keys,
};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, Hooks, StorageVersion},
};

#[test]
fn every_item_lies_where_the_primitives_say() {
	let id = [5; 32];
	let (certificate, application) = (CertificateId(id), ApplicationId(id));
	let (subject, holder) = (SubjectId(id), account_holder(ALICE));
	let (office, index) = (Office::Endorser, 0x0102_0304);
	for (ours, theirs) in [
		(Certificates::<Test>::hashed_key_for(certificate), storage_keys::certificate(certificate)),
		(
			CompromisedKeys::<Test>::hashed_key_for(KeyId(id)),
			storage_keys::compromised_key(KeyId(id)),
		),
		(
			Endorsements::<Test>::hashed_key_for(certificate),
			storage_keys::endorsements(certificate),
		),
		(
			Accreditations::<Test>::hashed_key_for(office, ALICE),
			storage_keys::accreditation(office, &ALICE.into()),
		),
		(AccreditedCount::<Test>::hashed_key_for(office), storage_keys::accredited_count(office)),
		(
			Accredited::<Test>::hashed_key_for(office, index),
			storage_keys::accredited(office, index),
		),
		(Bonds::<Test>::hashed_key_for(ALICE), storage_keys::bond(&ALICE.into())),
		(MinimumBond::<Test>::hashed_key().to_vec(), storage_keys::minimum_bond()),
		(SlashCount::<Test>::hashed_key_for(ALICE), storage_keys::slash_count(&ALICE.into())),
		(Slashes::<Test>::hashed_key_for(ALICE, index), storage_keys::slash(&ALICE.into(), index)),
		(Policy::<Test>::hashed_key().to_vec(), storage_keys::certificate_policy()),
		(Applications::<Test>::hashed_key_for(application), storage_keys::application(application)),
		(
			ApplicationVotes::<Test>::hashed_key_for(application),
			storage_keys::application_votes(application),
		),
		(Escrows::<Test>::hashed_key_for(application), storage_keys::escrow(application)),
		(
			ApplicationNonce::<Test>::hashed_key_for(ALICE),
			storage_keys::application_nonce(&ALICE.into()),
		),
		(OpenCount::<Test>::hashed_key().to_vec(), storage_keys::open_application_count()),
		(OpenApplications::<Test>::hashed_key_for(index), storage_keys::open_application(index)),
		(EndingCount::<Test>::hashed_key_for(index), storage_keys::ending_count(index)),
		(Ending::<Test>::hashed_key_for(index, 7), storage_keys::ending(index, 7)),
		(Subjects::<Test>::hashed_key_for(subject), storage_keys::subject(subject)),
		(
			SubjectCertificateCount::<Test>::hashed_key_for(subject),
			storage_keys::subject_certificate_count(subject),
		),
		(
			SubjectCertificates::<Test>::hashed_key_for(subject, index),
			storage_keys::subject_certificate(subject, index),
		),
		(
			HolderCertificateCount::<Test>::hashed_key_for(holder),
			storage_keys::holder_certificate_count(holder),
		),
		(
			HolderCertificates::<Test>::hashed_key_for(holder, index),
			storage_keys::holder_certificate(holder, index),
		),
	] {
		assert_eq!(ours, theirs);
	}
}

#[test]
fn the_storage_layout_is_version_1() {
	run(|| {
		assert_eq!(crate::Pallet::<Test>::in_code_storage_version(), StorageVersion::new(1));
	});
}

#[test]
fn the_constants_fit_together() {
	run(<crate::Pallet<Test> as Hooks<u32>>::integrity_test);
}

#[test]
#[should_panic(expected = "nobody takes a bond away while a vote on it goes on")]
fn a_bond_that_could_leave_during_a_vote_is_noticed() {
	LongestVote::set(UNBONDING);
	run(<crate::Pallet<Test> as Hooks<u32>>::integrity_test);
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce(ApplicationId, CertificateId)) {
	new_test_ext().execute_with(|| {
		let open = apply(ALICE, request(dns("b.example"), Level::Dv, 9), 9);
		assert_ok!(commit(open, 0, Observation::Controlled));
		let certificate = dns_certificate("a.example", 1);
		let organisation = acme_certificate(Level::Ov, 2);
		assert_ok!(endorse(organisation, 0, Level::Ov));
		assert_ok!(crate::Pallet::<Test>::do_try_state());
		corrupt(open, certificate);
		assert!(crate::Pallet::<Test>::do_try_state().is_err());
	});
}

#[test]
fn a_broken_list_of_open_applications_is_noticed() {
	is_noticed(|_, _| OpenCount::<Test>::put(3));
	is_noticed(|_, _| OpenApplications::<Test>::remove(0));
	is_noticed(|open, _| OpenPositions::<Test>::insert(open, 1));
	is_noticed(|_, _| OpenByPayer::<Test>::insert(ALICE, 2));
	is_noticed(|_, _| OpenByPayer::<Test>::remove(ALICE));
	is_noticed(|open, certificate| {
		OpenRenewals::<Test>::insert(certificate, Renewal::Control, open);
	});
}

#[test]
fn an_escrow_that_is_not_held_is_noticed() {
	is_noticed(|open, _| {
		Escrows::<Test>::mutate(open, |it| it.as_mut().unwrap().network += 1);
	});
	is_noticed(|open, _| {
		Escrows::<Test>::mutate(open, |it| it.as_mut().unwrap().deposit -= 1);
	});
	is_noticed(|open, _| Escrows::<Test>::remove(open));
}

#[test]
fn a_broken_queue_of_closed_applications_is_noticed() {
	is_noticed(|_, _| ClosedRange::<Test>::put((1, 1)));
	is_noticed(|open, _| ClosedQueue::<Test>::insert(0, (open, 0)));
}

#[test]
fn a_certificate_that_is_not_listed_is_noticed() {
	is_noticed(|_, _| HolderCertificateCount::<Test>::remove(account_holder(ALICE)));
	is_noticed(|_, certificate| {
		SubjectCertificates::<Test>::insert(dns("a.example").id(), 1, certificate);
	});
	is_noticed(|_, _| Subjects::<Test>::remove(dns("a.example").id()));
	is_noticed(|_, certificate| {
		Certificates::<Test>::mutate(certificate, |it| {
			it.as_mut().unwrap().holder = account_holder(BOB);
		});
	});
	is_noticed(|_, certificate| {
		Certificates::<Test>::mutate(certificate, |it| it.as_mut().unwrap().control_until = None);
	});
}

#[test]
fn a_certificate_that_is_missing_from_its_day_is_noticed() {
	let day_of = |id: CertificateId| day_of(Certificates::<Test>::get(id).unwrap().ends_at());
	is_noticed(|_, certificate| {
		let day = day_of(certificate);
		let count = EndingCount::<Test>::get(day);
		for index in 0..count {
			Ending::<Test>::insert(day + 1, index, Ending::<Test>::take(day, index).unwrap());
		}
		EndingCount::<Test>::remove(day);
		EndingCount::<Test>::insert(day + 1, count);
	});
	is_noticed(|_, certificate| {
		Ending::<Test>::insert(day_of(certificate), 0, CertificateId([9; 32]));
	});
}

#[test]
fn a_compromised_key_that_is_not_known_is_noticed() {
	is_noticed(|_, certificate| {
		let reason = RevocationReason::KeyCompromise;
		assert_ok!(crate::Pallet::<Test>::revoke(root(), certificate, reason));
		assert_ok!(crate::Pallet::<Test>::do_try_state());
		let record = Certificates::<Test>::get(certificate).unwrap();
		CompromisedKeys::<Test>::remove(KeyId::of(&record.key));
	});
}

#[test]
fn an_endorsement_of_nothing_or_by_nobody_is_noticed() {
	is_noticed(|_, certificate| {
		let list = Endorsements::<Test>::iter_values().next().unwrap();
		Endorsements::<Test>::insert(CertificateId([9; 32]), list.clone());
		Endorsements::<Test>::insert(certificate, list);
	});
	is_noticed(|_, certificate| {
		let mut list = Endorsements::<Test>::iter_values().next().unwrap();
		list[0].endorser = [200; 32];
		Endorsements::<Test>::insert(certificate, list);
	});
}

#[test]
fn a_broken_list_of_an_office_is_noticed() {
	is_noticed(|_, _| AccreditedCount::<Test>::insert(Office::Observer, 5));
	is_noticed(|_, _| Accredited::<Test>::insert(Office::Observer, 0, ALICE));
}

#[test]
fn a_bond_that_is_not_held_and_a_slash_that_is_not_counted_are_noticed() {
	let with_bond = |corrupt: fn()| {
		is_noticed(|_, _| {
			assert_ok!(Pallet::<Test>::bond(signed(ALICE), 100));
			assert_ok!(Pallet::<Test>::unbond(signed(ALICE), 40));
			let reason = SlashReason::Collusion;
			assert_ok!(Pallet::<Test>::slash(root(), ALICE, 10, reason, [0; 32]));
			assert_ok!(crate::Pallet::<Test>::do_try_state());
			corrupt();
		});
	};
	with_bond(|| Bonds::<Test>::remove(ALICE));
	with_bond(|| Bonds::<Test>::mutate(ALICE, |it| it.as_mut().unwrap().active += 1));
	with_bond(|| Bonds::<Test>::mutate(ALICE, |it| it.as_mut().unwrap().unbonding.truncate(0)));
	with_bond(|| Bonds::<Test>::insert(BOB, Bond::default()));
	with_bond(|| SlashCount::<Test>::remove(ALICE));
	with_bond(|| Slashes::<Test>::swap(ALICE, 0, ALICE, 1));
	with_bond(|| Slashes::<Test>::mutate(ALICE, 0, |it| it.as_mut().unwrap().amount = 0));
}

#[test]
fn an_organisation_that_is_forgotten_is_noticed() {
	is_noticed(|_, _| Registrants::<Test>::remove(acme()));
	is_noticed(|_, _| Registrants::<Test>::remove(observer_organisation(0)));
}
