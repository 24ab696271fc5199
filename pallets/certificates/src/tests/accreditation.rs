//! How offices are given and taken.

use super::mock::*;
use crate::{Accreditations, Accredited, AccreditedCount};
use dpki_primitives::{
	Moment,
	application::Observation,
	assurance::{AccreditationState, Level},
	certificate::Office,
	ids::OrganisationId,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::AccountId32;

const NEW: AccountId32 = AccountId32::new([77; 32]);

#[test]
fn an_office_has_its_levels() {
	run(|| {
		let organisation = observer_organisation(0);
		for (office, level) in [
			(Office::Observer, Level::Ov),
			(Office::Observer, Level::Ev),
			(Office::Endorser, Level::Dv),
		] {
			assert_noop!(
				Certificates::accredit(root(), office, NEW, organisation, level),
				Error::LevelUnfit
			);
		}
		accredit(Office::Endorser, NEW, organisation, Level::Ov);
	});
}

#[test]
fn an_accreditation_is_for_an_organisation_that_exists() {
	run(|| {
		let nobody = OrganisationId([200; 32]);
		assert_noop!(
			Certificates::accredit(root(), Office::Observer, NEW, nobody, Level::Dv),
			Error::OrganisationNotFound
		);
	});
}

#[test]
fn whoever_was_accredited_once_stands_on_the_list_once_and_for_ever() {
	run(|| {
		let office = Office::Observer;
		let count = AccreditedCount::<Test>::get(office);
		accredit(office, NEW, observer_organisation(0), Level::Dv);
		set_time(NOW + 5);
		assert_ok!(Certificates::release_accreditation(root(), office, NEW));
		accredit(office, NEW, observer_organisation(1), Level::Dv);
		assert_eq!(AccreditedCount::<Test>::get(office), count + 1);
		assert_eq!(Accredited::<Test>::get(office, count), Some(NEW));
		let record = Accreditations::<Test>::get(office, NEW).unwrap();
		assert_eq!(record.state, AccreditationState::Active);
		assert_eq!(record.organisation, observer_organisation(1));
		assert_eq!(record.accredited_at, NOW);
	});
}

#[test]
fn an_accreditation_is_suspended_and_released_once() {
	run(|| {
		let office = Office::Endorser;
		let suspend = || Certificates::suspend_accreditation(root(), office, endorser(0));
		let release = || Certificates::release_accreditation(root(), office, endorser(0));
		assert_ok!(suspend());
		assert_noop!(suspend(), Error::AccreditationNotActive);
		assert_ok!(release());
		assert_noop!(suspend(), Error::AccreditationNotActive);
		assert_noop!(release(), Error::AccreditationReleased);
	});
}

#[test]
fn a_compromise_lies_in_the_past_and_moves_only_further_back() {
	run(|| {
		let office = Office::Endorser;
		let mark = |from| Certificates::mark_compromised(root(), office, endorser(0), from);
		assert_noop!(mark(NOW + 1), Error::CompromiseInFuture);
		assert_ok!(mark(NOW));
		assert_noop!(mark(NOW), Error::CompromiseNotEarlier);
		assert_ok!(mark(NOW - 10));
		assert_noop!(mark(NOW - 5), Error::CompromiseNotEarlier);
	});
}

fn compromised_from(office: Office, who: AccountId32) -> Option<Moment> {
	Accreditations::<Test>::get(office, who).and_then(|it| it.compromised_from)
}

#[test]
fn an_account_that_is_compromised_in_one_office_is_so_in_the_other() {
	let offices = [Office::Observer, Office::Endorser];
	for (told, other) in [(0, 1), (1, 0)].map(|(told, other)| (offices[told], offices[other])) {
		run(|| {
			let organisation = observer_organisation(0);
			accredit(Office::Observer, NEW, organisation, Level::Dv);
			accredit(Office::Endorser, NEW, organisation, Level::Ov);
			let mark = |office, from| Certificates::mark_compromised(root(), office, NEW, from);
			assert_ok!(Certificates::suspend_accreditation(root(), other, NEW));
			assert_ok!(mark(told, NOW - 10));
			for office in offices {
				let it = Accreditations::<Test>::get(office, NEW).unwrap();
				assert_eq!(it.compromised_from, Some(NOW - 10), "{office:?}");
				assert_eq!(it.state, AccreditationState::Active, "{office:?}");
			}
			let marked =
				|office| Event::AccreditationCompromised { office, account: NEW, from: NOW - 10 };
			let events = events();
			assert_eq!(events[events.len() - 2..], [marked(told), marked(other)]);
			// It began earlier yet, as became known of one of them.
			assert_ok!(mark(other, NOW - 20));
			assert_eq!(offices.map(|office| compromised_from(office, NEW)), [Some(NOW - 20); 2]);
			assert_noop!(mark(told, NOW - 15), Error::CompromiseNotEarlier);
		});
	}
}

#[test]
fn an_observer_whose_account_was_marked_as_an_endorser_observes_no_more() {
	run(|| {
		accredit(Office::Endorser, observer(0), observer_organisation(0), Level::Ov);
		let id = apply(ALICE, request(dns("a.example"), Level::Dv, 1), 1);
		assert_ok!(commit(id, 0, Observation::Controlled));
		assert_ok!(Certificates::mark_compromised(root(), Office::Endorser, observer(0), NOW));
		skip(11);
		assert_noop!(reveal(id, 0, Observation::Controlled), Error::AccreditationCompromised);
	});
}

#[test]
fn a_compromised_account_gets_neither_office_again() {
	run(|| {
		let organisation = observer_organisation(0);
		let give = |office, level| Certificates::accredit(root(), office, NEW, organisation, level);
		assert_ok!(give(Office::Observer, Level::Dv));
		assert_ok!(Certificates::mark_compromised(root(), Office::Observer, NEW, NOW));
		assert_noop!(give(Office::Observer, Level::Dv), Error::AccreditationCompromised);
		assert_noop!(give(Office::Endorser, Level::Ov), Error::AccreditationCompromised);
		assert_noop!(
			Certificates::mark_compromised(root(), Office::Endorser, NEW, NOW),
			Error::AccreditationMissing
		);
	});
}

#[test]
fn an_office_that_was_released_before_is_marked_and_not_given_back() {
	run(|| {
		let organisation = observer_organisation(0);
		accredit(Office::Observer, NEW, organisation, Level::Dv);
		accredit(Office::Endorser, NEW, organisation, Level::Ov);
		assert_ok!(Certificates::release_accreditation(root(), Office::Observer, NEW));
		assert_ok!(Certificates::mark_compromised(root(), Office::Endorser, NEW, NOW));
		let it = Accreditations::<Test>::get(Office::Observer, NEW).unwrap();
		assert_eq!((it.state, it.compromised_from), (AccreditationState::Released, Some(NOW)));
	});
}

#[test]
fn who_was_never_accredited_has_nothing_to_lose() {
	run(|| {
		let office = Office::Observer;
		assert_noop!(
			Certificates::suspend_accreditation(root(), office, NEW),
			Error::AccreditationMissing
		);
		assert_noop!(
			Certificates::release_accreditation(root(), office, NEW),
			Error::AccreditationMissing
		);
		assert_noop!(
			Certificates::mark_compromised(root(), office, NEW, NOW),
			Error::AccreditationMissing
		);
	});
}
