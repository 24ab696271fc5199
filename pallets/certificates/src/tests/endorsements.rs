//! Endorsements: when they count, and what a certificate is worth by them.

use super::{doubles::TestOrganisations, mock::*};
use crate::{Accreditations, Endorsements};
use dpki_primitives::{
	application::{CertificateRequest, Outcome},
	assurance::{EndorsementRecord, Finding, Level, MAX_ENDORSEMENTS, WithdrawalReason},
	certificate::Office,
	ids::{CertificateDigest, CertificateId},
	organisation::Role,
	revocation::RevocationReason,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::AccountId32;

const REASON: WithdrawalReason = WithdrawalReason::EvidenceFalse;

/// An EV certificate of the organisation `acme` with three endorsements.
fn ev() -> CertificateId {
	let id = acme_certificate(Level::Ev, 1);
	for n in 0..3 {
		assert_ok!(endorse(id, n, Level::Ev));
	}
	assert_eq!(level(id), Some(Level::Ev));
	id
}

#[test]
fn each_level_needs_its_number_of_organisations() {
	run(|| {
		let id = acme_certificate(Level::Ev, 1);
		let expected = [Level::Dv, Level::Ov, Level::Ev];
		for n in 0..3 {
			assert_ok!(endorse(id, n, Level::Ev));
			assert_eq!(level(id), Some(expected[n as usize]));
		}
	});
}

#[test]
fn an_ev_whose_endorsements_fail_answers_dv_and_never_invalid() {
	run(|| {
		let id = ev();
		let office = Office::Endorser;
		assert_ok!(Certificates::suspend_accreditation(root(), office, endorser(0)));
		assert_eq!(level(id), Some(Level::Ov));
		assert_ok!(Certificates::release_accreditation(root(), office, endorser(1)));
		assert_eq!(level(id), Some(Level::Dv));
		assert_ok!(Certificates::mark_compromised(root(), office, endorser(2), 0));
		assert_eq!(level(id), Some(Level::Dv));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		assert_eq!(
			findings(id),
			[Finding::EndorserSuspended, Finding::NotAccredited, Finding::EndorserCompromised]
		);
		accredit(office, endorser(0), endorser_organisation(0), Level::Ev);
		accredit(office, endorser(1), endorser_organisation(1), Level::Ev);
		assert_eq!(level(id), Some(Level::Ov), "what is in force again counts again");
	});
}

#[test]
fn endorsements_from_before_a_compromise_count_and_later_ones_do_not() {
	run(|| {
		let first = ev();
		set_time(NOW + 10);
		let second = acme_certificate(Level::Ev, 2);
		for n in 0..3 {
			assert_ok!(endorse(second, n, Level::Ev));
		}
		set_time(NOW + 20);
		let office = Office::Endorser;
		assert_ok!(Certificates::mark_compromised(root(), office, endorser(0), NOW + 10));
		assert_eq!(level(first), Some(Level::Ev));
		assert_eq!(level(second), Some(Level::Ov));
		assert_noop!(endorse(second, 0, Level::Ev), Error::AccreditationCompromised);
	});
}

#[test]
fn a_compromised_account_can_neither_withdraw_nor_come_back() {
	run(|| {
		let id = ev();
		let office = Office::Endorser;
		set_time(NOW + 5);
		assert_ok!(Certificates::mark_compromised(root(), office, endorser(0), NOW + 1));
		assert_noop!(
			Certificates::withdraw_endorsement(signed(endorser(0)), id, REASON),
			Error::AccreditationCompromised
		);
		assert_noop!(
			Certificates::accredit(
				root(),
				office,
				endorser(0),
				endorser_organisation(0),
				Level::Ev
			),
			Error::AccreditationCompromised
		);
	});
}

#[test]
fn who_has_stolen_an_account_does_not_undo_what_was_endorsed_before() {
	run(|| {
		let id = ev();
		let digest = Certificates::certificate(id).unwrap().digest(id);
		let (thief, theft) = (endorser(0), NOW + 10);
		let stolen =
			|end| Certificates::endorse(signed(thief.clone()), id, Level::Ov, digest, None, end);
		// It endorses anew, at a lower level and for a second; it withdraws everything, and endorses once more.
		set_time(theft);
		assert_ok!(stolen(theft + 1_000));
		assert_noop!(stolen(theft + 2_000), Error::EndorsedTwice);
		assert_ok!(Certificates::withdraw_endorsement(signed(thief.clone()), id, REASON));
		assert_eq!(level(id), Some(Level::Ov));
		assert_noop!(stolen(theft + 2_000), Error::EndorsedTwice);
		set_time(theft + 1_001);
		assert_ok!(stolen(theft + 2_000));

		let office = Office::Endorser;
		assert_ok!(Certificates::mark_compromised(root(), office, thief.clone(), theft));
		assert_eq!(level(id), Some(Level::Ev), "what it said before counts");
		assert_eq!(findings(id)[0], Finding::Counted);
		assert_eq!(findings(id)[3], Finding::EndorserCompromised);
		assert_ok!(Certificates::mark_compromised(root(), office, thief, NOW));
		assert_eq!(findings(id)[0], Finding::EndorserCompromised, "nor what it never said itself");
	});
}

#[test]
fn a_withdrawal_from_before_a_compromise_stands() {
	run(|| {
		let id = ev();
		assert_ok!(Certificates::withdraw_endorsement(signed(endorser(0)), id, REASON));
		set_time(NOW + 10);
		let office = Office::Endorser;
		assert_ok!(Certificates::mark_compromised(root(), office, endorser(0), NOW + 1));
		assert_eq!(findings(id)[0], Finding::Withdrawn);
	});
}

#[test]
fn an_endorsement_goes_on_in_the_one_that_was_given_beside_it() {
	run(|| {
		let id = ev();
		let digest = Certificates::certificate(id).unwrap().digest(id);
		let end = NOW + POLICY.max_endorsement_lifetime;
		for n in 0..3 {
			let who = signed(endorser(n));
			assert_ok!(Certificates::endorse(who, id, Level::Ev, digest, None, end));
		}
		let [one, other] = [Finding::Counted, Finding::OrganisationCounted];
		assert_eq!(findings(id), [one, one, one, other, other, other]);
		assert_noop!(endorse(id, 0, Level::Ev), Error::EndorsedTwice);
		set_time(NOW + 50 * DAY + 1);
		assert_eq!(level(id), Some(Level::Ev), "there is no gap");
		assert_ok!(endorse(id, 0, Level::Ev));
		assert_eq!(Endorsements::<Test>::get(id).len(), 6, "in the place of the first one");
	});
}

#[test]
fn two_accounts_of_one_organisation_count_once() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		accredit(Office::Endorser, endorser(1), endorser_organisation(0), Level::Ev);
		assert_ok!(endorse(id, 0, Level::Ov));
		assert_ok!(endorse(id, 1, Level::Ov));
		assert_eq!(findings(id), [Finding::Counted, Finding::OrganisationCounted]);
		assert_eq!(level(id), Some(Level::Dv));
	});
}

#[test]
fn organisations_that_come_under_one_control_count_once_from_then_on() {
	run(|| {
		let id = ev();
		accredit(Office::Endorser, endorser(2), endorser_organisation(1), Level::Ev);
		assert_eq!(level(id), Some(Level::Ov));
	});
}

#[test]
fn an_expired_endorsement_does_not_count() {
	run(|| {
		let id = ev();
		set_time(NOW + 50 * DAY);
		assert_eq!(level(id), Some(Level::Ev));
		set_time(NOW + 50 * DAY + 1);
		assert_eq!(level(id), Some(Level::Dv));
		assert_ok!(endorse(id, 0, Level::Ev));
		assert_eq!(findings(id), [Finding::Counted, Finding::Expired, Finding::Expired]);
	});
}

#[test]
fn a_withdrawn_endorsement_does_not_count_until_it_is_given_again() {
	run(|| {
		let id = ev();
		let withdraw = |n| Certificates::withdraw_endorsement(signed(endorser(n)), id, REASON);
		assert_ok!(withdraw(0));
		assert_eq!(level(id), Some(Level::Ov));
		assert_noop!(withdraw(0), Error::EndorsementWithdrawn);
		assert_noop!(withdraw(5), Error::EndorsementNotFound);
		assert_ok!(endorse(id, 0, Level::Ev));
		assert_eq!(level(id), Some(Level::Ev));
		assert_ok!(Certificates::suspend_accreditation(root(), Office::Endorser, endorser(1)));
		assert_ok!(withdraw(1));
		assert_eq!(findings(id)[1], Finding::Withdrawn);
	});
}

#[test]
fn an_amended_certificate_has_to_be_endorsed_again() {
	run(|| {
		let id = ev();
		let before = Certificates::certificate(id).unwrap().digest(id);
		let name = Some(b"Acme".to_vec().try_into().unwrap());
		assert_ok!(Certificates::amend(signed(ADMIN), id, name));
		assert_eq!(level(id), Some(Level::Dv));
		assert_eq!(findings(id), [Finding::DigestMismatch; 3]);
		assert_noop!(
			Certificates::endorse(signed(endorser(0)), id, Level::Ev, before, None, NOW + DAY),
			Error::DigestMismatch
		);
		assert_ok!(endorse(id, 0, Level::Ev));
	});
}

#[test]
fn a_raised_quorum_lowers_levels_at_once() {
	run(|| {
		let id = ev();
		let mut policy = POLICY;
		policy.endorsers.ev = 4;
		assert_ok!(Certificates::set_policy(root(), policy));
		assert_eq!(level(id), Some(Level::Ov));
	});
}

#[test]
fn only_a_valid_certificate_has_a_level() {
	run(|| {
		let id = ev();
		assert_ok!(Certificates::suspend(signed(ADMIN), id));
		assert_eq!(level(id), None);
		assert_noop!(endorse(id, 3, Level::Ev), Error::CertificateNotValid);
		assert_ok!(Certificates::release(signed(ADMIN), id));
		assert_eq!(level(id), Some(Level::Ev));
		assert_ok!(Certificates::revoke(signed(ADMIN), id, RevocationReason::Unspecified));
		assert_eq!(level(id), None);
		assert_eq!(findings(id), [Finding::Counted; 3], "and still everything is explained");
		assert_noop!(endorse(CertificateId([9; 32]), 3, Level::Ev), Error::CertificateNotFound);
		assert_eq!(Certificates::assessment(CertificateId([9; 32])), None);
	});
}

#[test]
fn an_endorser_attests_at_a_level_that_it_and_the_certificate_have() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		accredit(Office::Endorser, endorser(0), endorser_organisation(0), Level::Ov);
		let ev = acme_certificate(Level::Ev, 2);
		assert_noop!(endorse(id, 0, Level::Dv), Error::LevelUnfit);
		assert_noop!(endorse(ev, 0, Level::Ev), Error::LevelUnfit);
		assert_noop!(endorse(id, 1, Level::Ev), Error::LevelUnfit);
		assert_ok!(endorse(ev, 0, Level::Ov));
	});
}

#[test]
fn nobody_endorses_itself_or_its_own_organisation() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		accredit(Office::Endorser, endorser(0), acme(), Level::Ev);
		assert_noop!(endorse(id, 0, Level::Ov), Error::OwnCertificate);
		let own = CertificateRequest {
			holder: account_holder(endorser(1)),
			..request(dpki_primitives::subject::Subject::Person([1; 32]), Level::Ov, 2)
		};
		let id = CertificateId::of(apply(ALICE, own, 2));
		assert_noop!(endorse(id, 1, Level::Ov), Error::OwnCertificate);
	});
}

#[test]
fn nobody_endorses_organisations_and_accounts_near_to_it() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		TestOrganisations::grant(acme(), &endorser(0), Role::Administrator);
		assert_noop!(endorse(id, 0, Level::Ov), Error::OwnCertificate);
		assert_eq!(Certificates::pending_endorsements(endorser(0), 0).items, []);
		assert_eq!(Certificates::pending_endorsements(endorser(1), 0).items, [id]);
		assert_ok!(endorse(id, 1, Level::Ov));

		let person = request(dpki_primitives::subject::Subject::Person([1; 32]), Level::Ov, 2);
		let id = CertificateId::of(apply(BOB, person, 2));
		TestOrganisations::grant(endorser_organisation(2), &ALICE, Role::Publisher);
		assert_noop!(endorse(id, 2, Level::Ov), Error::OwnCertificate);
		assert_ok!(endorse(id, 3, Level::Ov));
	});
}

#[test]
fn nobody_endorses_for_a_payer_near_to_it_while_it_pays() {
	run(|| {
		let person = request(dpki_primitives::subject::Subject::Person([1; 32]), Level::Ov, 2);
		let application = apply(BOB, person, 2);
		let id = CertificateId::of(application);
		TestOrganisations::grant(endorser_organisation(0), &BOB, Role::Registrar);
		assert_noop!(endorse(id, 0, Level::Ov), Error::OwnCertificate);
		assert_eq!(Certificates::pending_endorsements(endorser(0), 0).items, []);
		for n in 1..3 {
			assert_ok!(endorse(id, n, Level::Ov));
		}
		assert!(outcome(application).is_some(), "nobody pays any more");
		assert_ok!(endorse(id, 0, Level::Ov));
	});
}

#[test]
fn an_endorser_that_pays_does_not_endorse_what_it_pays_for() {
	run(|| {
		assert_ok!(Balances::force_set_balance(root(), endorser(0), WEALTH));
		let person = request(dpki_primitives::subject::Subject::Person([1; 32]), Level::Ov, 2);
		let id = CertificateId::of(apply(endorser(0), person, 2));
		assert_noop!(endorse(id, 0, Level::Ov), Error::OwnCertificate);
	});
}

#[test]
fn an_endorser_that_joins_the_holder_stops_counting() {
	run(|| {
		let id = ev();
		accredit(Office::Endorser, endorser(0), acme(), Level::Ev);
		assert_eq!(findings(id)[0], Finding::OwnOrganisation);
		assert_eq!(level(id), Some(Level::Ov));
	});
}

#[test]
fn an_endorsement_has_an_end_within_the_policy() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		let digest = Certificates::certificate(id).unwrap().digest(id);
		for end in [NOW, NOW + POLICY.max_endorsement_lifetime + 1] {
			assert_noop!(
				Certificates::endorse(signed(endorser(0)), id, Level::Ov, digest, None, end),
				Error::ExpiryInvalid
			);
		}
	});
}

#[test]
fn who_is_no_endorser_does_not_endorse() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		let digest = Certificates::certificate(id).unwrap().digest(id);
		let endorse = |who: AccountId32| {
			Certificates::endorse(signed(who), id, Level::Ov, digest, None, NOW + DAY)
		};
		assert_noop!(endorse(ALICE), Error::AccreditationMissing);
		assert_noop!(endorse(observer(0)), Error::AccreditationMissing);
		assert_ok!(Certificates::suspend_accreditation(root(), Office::Endorser, endorser(0)));
		assert_noop!(endorse(endorser(0)), Error::AccreditationNotActive);
	});
}

#[test]
fn a_full_list_gives_up_what_can_never_count_again_and_then_what_others_withdrew() {
	run(|| {
		let id = acme_certificate(Level::Ov, 1);
		let digest = Certificates::certificate(id).unwrap().digest(id);
		let record = |n: u8, expires_at| EndorsementRecord {
			endorser: [100 + n; 32],
			level: Level::Ov,
			digest,
			evidence: None,
			endorsed_at: NOW,
			expires_at,
			withdrawn: None,
		};
		for n in 0..MAX_ENDORSEMENTS as u8 {
			let organisation = endorser_organisation(n % 6);
			let who = AccountId32::new([100 + n; 32]);
			accredit(Office::Endorser, who, organisation, Level::Ev);
			Endorsements::<Test>::mutate(id, |list| {
				list.try_push(record(n, NOW + DAY)).unwrap();
			});
		}
		assert_noop!(endorse(id, 0, Level::Ov), Error::EndorsementsFull);
		Endorsements::<Test>::mutate(id, |list| list[3].digest = CertificateDigest([0; 32]));
		assert_noop!(endorse(id, 0, Level::Ov), Error::EndorsementsFull);
		Endorsements::<Test>::mutate(id, |list| list[5] = record(5, NOW - 1));
		assert_ok!(endorse(id, 0, Level::Ov));
		assert_eq!(Endorsements::<Test>::get(id).len(), MAX_ENDORSEMENTS as usize);
		let is_there = |n| Endorsements::<Test>::get(id).iter().any(|it| it.endorser == [n; 32]);
		assert!(!is_there(105));

		assert_noop!(endorse(id, 1, Level::Ov), Error::EndorsementsFull);
		Endorsements::<Test>::mutate(id, |list| {
			let withdrawn = list.iter_mut().find(|it| it.endorser == [107; 32]).unwrap();
			withdrawn.withdrawn = Some((REASON, NOW));
		});
		let again = Certificates::endorse(
			signed(AccountId32::new([107; 32])),
			id,
			Level::Ov,
			digest,
			None,
			NOW + DAY,
		);
		assert_eq!(again.unwrap_err(), Error::EndorsementsFull.into(), "its own does not give way");
		// A thief has withdrawn it, so it counts.
		let office = Office::Endorser;
		let seventh = AccountId32::new([107; 32]);
		Accreditations::<Test>::mutate(office, &seventh, |record| {
			record.as_mut().unwrap().compromised_from = Some(NOW);
		});
		Endorsements::<Test>::mutate(id, |list| {
			list.iter_mut().find(|it| it.endorser == [107; 32]).unwrap().endorsed_at = NOW - 1;
		});
		assert_noop!(endorse(id, 1, Level::Ov), Error::EndorsementsFull);
		Accreditations::<Test>::mutate(office, &seventh, |record| {
			record.as_mut().unwrap().compromised_from = None;
		});
		assert_ok!(endorse(id, 1, Level::Ov));
		assert!(!is_there(107));
	});
}

#[test]
fn the_last_endorsement_that_was_wanted_closes_the_application() {
	run(|| {
		let application = apply(ADMIN, acme_request(Level::Ev, 1), 1);
		let id = CertificateId::of(application);
		for n in 0..3 {
			assert_eq!(outcome(application), None);
			assert_ok!(endorse(id, n, Level::Ev));
		}
		assert_eq!(outcome(application), Some(Outcome::Granted));
		assert_ok!(endorse(id, 3, Level::Ev));
	});
}
