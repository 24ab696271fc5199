//! What others learn of each change.

use super::mock::*;
use dpki_primitives::{
	application::{Observation, Outcome, Renewal},
	assurance::{Level, WithdrawalReason},
	bond::SlashReason,
	certificate::{Authority, Office},
	ids::{CertificateId, KeyId},
	revocation::RevocationReason,
};
use frame_support::assert_ok;

#[test]
fn the_way_of_an_application_is_told_step_by_step() {
	run(|| {
		let subject = dns("a.example").id();
		let application = apply(ALICE, request(dns("a.example"), Level::Ov, 1), 1);
		let certificate = CertificateId::of(application);
		let opened = Event::ApplicationOpened { application, payer: ALICE, certificate, subject };
		assert_eq!(events(), [opened]);

		prove_control(application);
		let committed = |n| Event::VoteCommitted {
			application,
			observer: observer(n),
			organisation: observer_organisation(n),
		};
		let revealed = |n| Event::VoteRevealed {
			application,
			observer: observer(n),
			observation: Observation::Controlled,
		};
		let paid = |recipient, amount| Event::FeePaid { application, recipient, amount };
		let issued = Event::CertificateIssued {
			certificate,
			subject,
			holder: account_holder(ALICE),
			requested: Level::Ov,
			key: KeyId::of(&public(1)),
		};
		assert_eq!(
			events(),
			[
				committed(0),
				committed(1),
				revealed(0),
				revealed(1),
				issued,
				paid(VALIDATORS, 40),
				paid(observer(0), 50),
				paid(observer(1), 50),
			]
		);

		assert_ok!(endorse(certificate, 0, Level::Ov));
		assert_ok!(endorse(certificate, 1, Level::Ov));
		let endorsed = |n| Event::Endorsed {
			certificate,
			endorser: endorser(n),
			level: Level::Ov,
			expires_at: NOW + 50 * DAY,
		};
		let closed =
			Event::ApplicationClosed { application, outcome: Outcome::Granted, returned: 1 };
		assert_eq!(
			events(),
			[endorsed(0), paid(endorser(0), 50), endorsed(1), paid(endorser(1), 50), closed]
		);
	});
}

#[test]
fn what_becomes_of_a_certificate_is_told() {
	run(|| {
		let certificate = acme_certificate(Level::Ov, 1);
		assert_ok!(endorse(certificate, 0, Level::Ov));
		events();
		let (reason, endorser) = (WithdrawalReason::FactsChanged, endorser(0));
		let withdraw =
			Certificates::withdraw_endorsement(signed(endorser.clone()), certificate, reason);
		assert_ok!(withdraw);
		assert_eq!(events(), [Event::EndorsementWithdrawn { certificate, endorser, reason }]);

		let name = Some(b"Acme".to_vec().try_into().unwrap());
		assert_ok!(Certificates::amend(signed(ADMIN), certificate, name));
		let digest = Certificates::certificate(certificate).unwrap().digest(certificate);
		assert_eq!(events(), [Event::CertificateAmended { certificate, digest }]);

		assert_ok!(Certificates::suspend(signed(ADMIN), certificate));
		assert_ok!(Certificates::release(root(), certificate));
		let reason = RevocationReason::PrivilegeWithdrawn;
		assert_ok!(Certificates::revoke(root(), certificate, reason));
		let (holder, by) = (Authority::Holder, Authority::Consortium);
		assert_eq!(
			events(),
			[
				Event::CertificateSuspended { certificate, by: holder },
				Event::CertificateReleased { certificate, by },
				Event::CertificateRevoked { certificate, by, reason },
			]
		);
	});
}

#[test]
fn a_renewal_is_told() {
	run(|| {
		let certificate = dns_certificate("a.example", 1);
		let application = next_application(ALICE);
		assert_ok!(Certificates::renew(signed(ALICE), certificate, Renewal::Control));
		set_time(NOW + 7);
		prove_control(application);
		let renewed =
			Event::ControlRenewed { certificate, control_until: NOW + 7 + POLICY.control_lifetime };
		assert!(events().contains(&renewed));
	});
}

#[test]
fn what_becomes_of_a_bond_is_told() {
	run(|| {
		let (office, account) = (Office::Endorser, endorser(0));
		assert_ok!(Balances::force_set_balance(root(), account.clone(), 1_000));
		let who = || signed(endorser(0));
		assert_ok!(Certificates::set_minimum_bond(root(), 300));
		assert_ok!(Certificates::bond(who(), 500));
		assert_ok!(Certificates::unbond(who(), 150));
		let (reason, evidence) = (SlashReason::FalseStatement, [1; 32]);
		assert_ok!(Certificates::slash(root(), account.clone(), 100, reason, evidence));
		skip(UNBONDING + 1);
		assert_ok!(Certificates::withdraw_bond(who()));
		let until = 1 + UNBONDING;
		assert_eq!(
			events(),
			[
				Event::MinimumBondSet { minimum: 300 },
				Event::Bonded { account: account.clone(), amount: 500, active: 500 },
				Event::UnbondingBegun { account: account.clone(), amount: 150, until },
				Event::BondSlashed { account: account.clone(), index: 0, amount: 100, reason },
				Event::AccreditationSuspended { office, account: account.clone() },
				Event::BondWithdrawn { account, amount: 150 },
			]
		);
	});
}

#[test]
fn what_the_consortium_decides_is_told() {
	run(|| {
		let (office, account) = (Office::Endorser, endorser(0));
		let (organisation, level) = (endorser_organisation(3), Level::Ov);
		accredit(office, account.clone(), organisation, level);
		assert_ok!(Certificates::suspend_accreditation(root(), office, account.clone()));
		assert_ok!(Certificates::release_accreditation(root(), office, account.clone()));
		assert_ok!(Certificates::mark_compromised(root(), office, account.clone(), NOW));
		assert_ok!(Certificates::set_policy(root(), POLICY));
		assert_ok!(Certificates::set_fees(root(), FEES));
		assert_eq!(
			events(),
			[
				Event::Accredited { office, account: account.clone(), organisation, level },
				Event::AccreditationSuspended { office, account: account.clone() },
				Event::AccreditationReleased { office, account: account.clone() },
				Event::AccreditationCompromised { office, account, from: NOW },
				Event::PolicySet { policy: POLICY },
				Event::FeesSet { feeless: false },
			]
		);
	});
}
