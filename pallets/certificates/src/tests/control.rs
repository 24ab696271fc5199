//! Observers: what can be copied, bought, repeated or done too late, and what cannot.

use super::{doubles::TestOrganisations, mock::*};
use crate::ApplicationVotes;
use Observation::{Controlled, NotControlled, Unreachable};
use dpki_primitives::{
	application::{
		CertificateRequest, MAX_VOTES, Observation, Outcome, RefusalCause, Renewal, Vote,
		commitment,
	},
	assurance::Level,
	certificate::{Holder, Office},
	ids::{ApplicationId, CertificateId, OrganisationId},
	organisation::Role,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::AccountId32;

fn applied() -> ApplicationId {
	apply(ALICE, request(dns("example.com"), Level::Dv, 1), 1)
}

/// Lets observers vote, one after the other, and stops at the decision.
fn vote(id: ApplicationId, observations: &[Observation]) {
	for (n, observation) in observations.iter().enumerate() {
		assert_ok!(commit(id, n as u8, *observation));
	}
	skip(11);
	for (n, observation) in observations.iter().enumerate() {
		if outcome(id).is_none() {
			assert_ok!(reveal(id, n as u8, *observation));
		}
	}
}

#[test]
fn as_many_organisations_as_needed_decide() {
	for (observations, expected) in [
		(vec![Controlled, Controlled], Some(Outcome::Granted)),
		(vec![NotControlled, Controlled, Controlled], Some(Outcome::Granted)),
		(vec![Unreachable, Controlled, Unreachable, Controlled], Some(Outcome::Granted)),
		(vec![Controlled, NotControlled], Some(Outcome::Refused(RefusalCause::ControlNotProven))),
		(
			vec![Controlled, NotControlled, Unreachable],
			Some(Outcome::Refused(RefusalCause::ControlNotProven)),
		),
	] {
		run(|| {
			let id = applied();
			vote(id, &observations);
			assert_eq!(outcome(id), expected, "{observations:?}");
		});
	}
}

#[test]
fn a_copied_commitment_cannot_be_revealed() {
	run(|| {
		let id = applied();
		let copied = commitment(id, &observer(0).into(), Controlled, &SALT);
		assert_ok!(Certificates::commit(signed(observer(0)), id, copied));
		assert_ok!(Certificates::commit(signed(observer(1)), id, copied));
		skip(11);
		assert_ok!(reveal(id, 0, Controlled));
		assert_noop!(reveal(id, 1, Controlled), Error::CommitmentMismatch);
	});
}

#[test]
fn a_commitment_to_another_application_cannot_be_revealed() {
	run(|| {
		let (first, second) = (applied(), applied());
		let hash = commitment(first, &observer(0).into(), Controlled, &SALT);
		assert_ok!(Certificates::commit(signed(observer(0)), second, hash));
		skip(11);
		assert_noop!(reveal(second, 0, Controlled), Error::CommitmentMismatch);
	});
}

#[test]
fn nobody_reveals_another_observation_than_it_committed_to() {
	run(|| {
		let id = applied();
		assert_ok!(commit(id, 0, NotControlled));
		skip(11);
		assert_noop!(reveal(id, 0, Controlled), Error::CommitmentMismatch);
	});
}

#[test]
fn windows_open_and_close_at_their_blocks() {
	run(|| {
		let id = applied();
		skip(10);
		assert_ok!(commit(id, 0, Controlled));
		assert_ok!(commit(id, 1, Controlled));
		assert_noop!(reveal(id, 0, Controlled), Error::RevealWindowNotOpen);
		skip(1);
		assert_noop!(commit(id, 2, Controlled), Error::CommitWindowClosed);
		skip(9);
		assert_ok!(reveal(id, 0, Controlled));
		skip(1);
		assert_noop!(reveal(id, 1, Controlled), Error::RevealWindowClosed);
	});
}

#[test]
fn a_late_vote_changes_nothing_after_the_decision() {
	run(|| {
		let id = applied();
		vote(id, &[Controlled, Controlled, NotControlled]);
		assert_eq!(outcome(id), Some(Outcome::Granted));
		assert_noop!(reveal(id, 2, NotControlled), Error::ApplicationNotInControl);
		assert_noop!(commit(id, 3, NotControlled), Error::ApplicationNotInControl);
	});
}

#[test]
fn a_vote_is_revealed_once_and_by_who_committed() {
	run(|| {
		let id = applied();
		assert_ok!(commit(id, 0, Controlled));
		assert_ok!(commit(id, 1, Controlled));
		assert_noop!(commit(id, 0, Controlled), Error::OrganisationVoted);
		skip(11);
		assert_noop!(reveal(id, 2, Controlled), Error::VoteNotFound);
		assert_ok!(reveal(id, 0, Controlled));
		assert_noop!(reveal(id, 0, Controlled), Error::VoteRevealed);
	});
}

#[test]
fn several_accounts_of_one_organisation_have_one_voice() {
	run(|| {
		let id = applied();
		let sybil = AccountId32::new([90; 32]);
		accredit(Office::Observer, sybil.clone(), observer_organisation(0), Level::Dv);
		assert_ok!(commit(id, 0, Controlled));
		let hash = commitment(id, &sybil.clone().into(), Controlled, &SALT);
		assert_noop!(Certificates::commit(signed(sybil), id, hash), Error::OrganisationVoted);
	});
}

#[test]
fn an_observer_that_changes_its_organisation_takes_no_second_voice_along() {
	run(|| {
		let id = applied();
		assert_ok!(commit(id, 0, Controlled));
		assert_ok!(commit(id, 1, Controlled));
		accredit(Office::Observer, observer(1), observer_organisation(0), Level::Dv);
		skip(11);
		assert_ok!(reveal(id, 0, Controlled));
		assert_eq!(outcome(id), Some(Outcome::Refused(RefusalCause::TooFewObservers)));
	});
}

#[test]
fn an_observer_that_lost_its_office_neither_commits_nor_reveals() {
	run(|| {
		let id = applied();
		assert_ok!(commit(id, 0, Controlled));
		assert_ok!(commit(id, 1, Controlled));
		let office = Office::Observer;
		assert_ok!(Certificates::suspend_accreditation(root(), office, observer(0)));
		assert_ok!(Certificates::mark_compromised(root(), office, observer(1), NOW));
		assert_ok!(Certificates::release_accreditation(root(), office, observer(2)));
		assert_noop!(commit(id, 2, Controlled), Error::AccreditationNotActive);
		assert_noop!(Certificates::commit(signed(ALICE), id, [0; 32]), Error::AccreditationMissing);
		skip(11);
		assert_noop!(reveal(id, 0, Controlled), Error::AccreditationNotActive);
		assert_noop!(reveal(id, 1, Controlled), Error::AccreditationCompromised);
	});
}

#[test]
fn an_endorser_is_no_observer() {
	run(|| {
		let id = applied();
		assert_noop!(
			Certificates::commit(signed(endorser(0)), id, [0; 32]),
			Error::AccreditationMissing
		);
	});
}

#[test]
fn the_vote_of_an_observer_that_is_suspended_after_it_revealed_does_not_count() {
	run(|| {
		let id = applied();
		for n in 0..3 {
			assert_ok!(commit(id, n, Controlled));
		}
		skip(11);
		assert_ok!(reveal(id, 0, Controlled));
		assert_ok!(Certificates::suspend_accreditation(root(), Office::Observer, observer(0)));
		assert_ok!(reveal(id, 1, Controlled));
		assert_eq!(outcome(id), None);
		assert_ok!(reveal(id, 2, Controlled));
		assert_eq!(outcome(id), Some(Outcome::Granted));
		assert_eq!(wealth(&observer(0)), EXISTENTIAL, "and it is not paid");
	});
}

#[test]
fn a_vote_that_counts_again_decides_when_the_application_is_closed() {
	run(|| {
		let id = applied();
		for n in 0..3 {
			assert_ok!(commit(id, n, Controlled));
		}
		skip(11);
		assert_ok!(reveal(id, 0, Controlled));
		assert_ok!(Certificates::suspend_accreditation(root(), Office::Observer, observer(0)));
		assert_ok!(reveal(id, 1, Controlled));
		assert_noop!(close(id), Error::ApplicationNotDue);
		accredit(Office::Observer, observer(0), observer_organisation(0), Level::Dv);
		assert_ok!(close(id));
		assert_eq!(outcome(id), Some(Outcome::Granted));
	});
}

#[test]
fn nobody_observes_for_itself() {
	run(|| {
		let own = CertificateRequest {
			holder: account_holder(observer(0)),
			..request(dns("example.com"), Level::Dv, 1)
		};
		let id = apply(ALICE, own, 1);
		assert_noop!(commit(id, 0, Controlled), Error::OwnApplication);

		let organisation = observer_organisation(1);
		TestOrganisations::grant(organisation, &ALICE, Role::Registrar);
		let own = CertificateRequest {
			holder: Holder::Organisation(organisation),
			..request(dns("example.com"), Level::Dv, 1)
		};
		let id = apply(ALICE, own, 1);
		assert_noop!(commit(id, 1, Controlled), Error::OwnApplication);
		assert_ok!(commit(id, 2, Controlled));
	});
}

#[test]
fn nobody_observes_for_organisations_and_accounts_near_to_it() {
	run(|| {
		let of_acme = CertificateRequest {
			holder: Holder::Organisation(acme()),
			..request(dns("example.com"), Level::Dv, 1)
		};
		let id = apply(REGISTRAR, of_acme, 1);
		TestOrganisations::grant(acme(), &observer(0), Role::Publisher);
		assert_noop!(commit(id, 0, Controlled), Error::OwnApplication);
		TestOrganisations::grant(observer_organisation(1), &REGISTRAR, Role::Publisher);
		assert_noop!(commit(id, 1, Controlled), Error::OwnApplication);
		assert_eq!(Certificates::pending_observations(observer(0), 0).items, []);
		assert_eq!(Certificates::pending_observations(observer(1), 0).items, []);
		assert_ok!(commit(id, 2, Controlled));

		let of_alice = request(dns("example.org"), Level::Dv, 2);
		let id = apply(BOB, of_alice, 2);
		TestOrganisations::grant(observer_organisation(3), &ALICE, Role::Administrator);
		assert_noop!(commit(id, 3, Controlled), Error::OwnApplication);
		TestOrganisations::take(observer_organisation(3), &ALICE, Role::Administrator);
		assert_ok!(commit(id, 3, Controlled));
	});
}

#[test]
fn who_paid_once_is_no_party_to_what_is_proven_again() {
	run(|| {
		let id = apply(BOB, request(dns("example.com"), Level::Dv, 1), 1);
		prove_control(id);
		TestOrganisations::grant(observer_organisation(2), &BOB, Role::Registrar);
		let (certificate, again) = (CertificateId::of(id), next_application(ALICE));
		assert_ok!(Certificates::renew(signed(ALICE), certificate, Renewal::Control));
		assert_ok!(commit(again, 2, Controlled));
		TestOrganisations::grant(observer_organisation(3), &ALICE, Role::Registrar);
		assert_noop!(commit(again, 3, Controlled), Error::OwnApplication);
	});
}

#[test]
fn too_few_observers_refuse_after_the_first_window() {
	run(|| {
		let id = applied();
		assert_ok!(commit(id, 0, Controlled));
		assert_noop!(close(id), Error::ApplicationNotDue);
		skip(10);
		assert_noop!(close(id), Error::ApplicationNotDue);
		skip(1);
		assert_ok!(close(id));
		assert_eq!(outcome(id), Some(Outcome::Refused(RefusalCause::TooFewObservers)));
		assert_eq!(wealth(&ALICE), WEALTH);
		assert_noop!(close(id), Error::ApplicationClosed);
		assert_noop!(close(next_application(ALICE)), Error::ApplicationNotFound);
	});
}

#[test]
fn no_decision_in_time_is_a_time_out_and_those_who_worked_are_paid() {
	run(|| {
		let id = applied();
		assert_ok!(commit(id, 0, Controlled));
		assert_ok!(commit(id, 1, Controlled));
		skip(11);
		assert_ok!(reveal(id, 0, Controlled));
		skip(9);
		assert_noop!(close(id), Error::ApplicationNotDue);
		skip(1);
		assert_ok!(close(id));
		assert_eq!(outcome(id), Some(Outcome::TimedOut));
		assert_eq!(wealth(&observer(0)), EXISTENTIAL + 101);
		assert_eq!(wealth(&observer(1)), EXISTENTIAL);
		assert_eq!(wealth(&ALICE), WEALTH - 101);
		assert!(!crate::Certificates::<Test>::contains_key(CertificateId::of(id)));
	});
}

#[test]
fn only_as_many_votes_are_taken_as_the_list_holds() {
	run(|| {
		let id = applied();
		let votes: Vec<_> = (0..MAX_VOTES as u8)
			.map(|n| Vote {
				observer: [100 + n; 32],
				organisation: OrganisationId([100 + n; 32]),
				commitment: [0; 32],
				revealed: None,
			})
			.collect();
		ApplicationVotes::<Test>::insert(
			id,
			dpki_primitives::application::Votes::try_from(votes).unwrap(),
		);
		assert_noop!(commit(id, 0, Controlled), Error::VotesFull);
	});
}

#[test]
fn an_application_without_control_takes_no_votes() {
	run(|| {
		let id = apply(ADMIN, acme_request(Level::Ov, 1), 1);
		assert_noop!(commit(id, 0, Controlled), Error::ApplicationNotInControl);
		assert_noop!(reveal(id, 0, Controlled), Error::ApplicationNotInControl);
		let unknown = next_application(ALICE);
		assert_noop!(commit(unknown, 0, Controlled), Error::ApplicationNotFound);
		assert_noop!(reveal(unknown, 0, Controlled), Error::ApplicationNotFound);
	});
}
