//! How offices are given and taken.

use super::mock::*;
use crate::{Accreditations, Accredited, AccreditedCount};
use dpki_primitives::{
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
