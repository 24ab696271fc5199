//! What an organisation asks of the keys of its devices.

use super::{kit::*, mock::*};
use crate::{Error, Event, KeyPolicies};
use dpki_primitives::{
	key::{KeyPurpose::*, KeyType},
	key_policy::{KeyPolicy, KeyTypeSet, MIN_VALIDITY_LIMIT, ValidityLimits},
	organisation::Belongings,
	refusal::Refusal,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

const DAY: u64 = 24 * 60 * 60 * 1_000;

fn first() -> Pair {
	Pair::ed25519(1)
}

fn limited() -> KeyPolicy {
	let validity = ValidityLimits { tls: Some(DAY), ..Default::default() };
	KeyPolicy { validity, ..Default::default() }
}

#[test]
fn who_governs_the_organisation_sets_its_policy() {
	run(|| {
		let policy = limited();
		for who in [BOB, CAROL, MALLORY] {
			assert_noop!(
				Dpki::set_key_policy(signed(who), acme(), policy),
				DispatchError::Other("governs not")
			);
		}
		let nobody = dpki_primitives::ids::OrganisationId([9; 32]);
		assert_noop!(
			Dpki::set_key_policy(signed(ALICE), nobody, policy),
			Error::<Test>::OrganisationUnknown
		);
		assert_ok!(Dpki::set_key_policy(signed(ALICE), acme(), policy));
		let event = Event::KeyPolicyChanged { organisation: acme(), policy };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::key_policy(acme()), policy);
		assert_eq!(Dpki::key_policy(other()), KeyPolicy::default());
	});
}

#[test]
fn a_policy_by_which_no_device_could_live_is_refused() {
	run(|| {
		let key_types = KeyTypeSet::EMPTY.with(KeyType::X25519);
		let validity = ValidityLimits { sign: Some(MIN_VALIDITY_LIMIT - 1), ..Default::default() };
		for policy in [
			KeyPolicy { key_types, ..Default::default() },
			KeyPolicy { min_rsa_bits: 1024, ..Default::default() },
			KeyPolicy { validity, ..Default::default() },
		] {
			assert_noop!(
				Dpki::set_key_policy(signed(ALICE), acme(), policy),
				Error::<Test>::KeyPolicyIncoherent
			);
		}
	});
}

#[test]
fn an_organisation_with_a_policy_is_not_empty_until_it_takes_it_back() {
	run(|| {
		assert!(<Dpki as Belongings>::is_empty(acme()));
		set_policy(limited());
		assert!(!<Dpki as Belongings>::is_empty(acme()));
		set_policy(KeyPolicy::default());
		assert!(<Dpki as Belongings>::is_empty(acme()));
		assert_eq!(KeyPolicies::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_key_that_lasts_too_long_is_refused_wherever_it_comes_from() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, first())]);
		set_policy(KeyPolicy { self_service: true, ..limited() });
		let wish = Wish::own(device, Tls, &Pair::ed25519(2), &first());
		for long in [wish.clone(), wish.clone().until(NOW + DAY + 1)] {
			assert_noop!(long.clone().by_bob().register(), Error::<Test>::KeyValidityTooLong);
			assert_eq!(submit(long.call()), Err(Refusal::KeyValidityTooLong));
		}
		assert_ok!(submit(wish.until(NOW + DAY).call()).unwrap());
		assert_ok!(Wish::own(device, Ssh, &Pair::ed25519(3), &first()).by_bob().register());

		issue(&voucher_pair(), "drone-2");
		let keys = [(Sign, Pair::ed25519(4)), (Tls, Pair::ed25519(5))];
		let enrolment = Enrolment::new(&voucher_pair(), "drone-2", &keys);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyValidityTooLong));
	});
}

#[test]
fn a_type_that_is_not_allowed_is_refused_wherever_it_comes_from() {
	run(|| {
		let key_types = [KeyType::Ed25519, KeyType::Rsa].into_iter().collect();
		set_policy(KeyPolicy { key_types, min_rsa_bits: 3072, ..Default::default() });
		let device = enrol("drone-1", &[(Sign, first())]);
		for (purpose, key_type, seed) in
			[(Tls, KeyType::P256, 2), (Tls, KeyType::MlDsa65, 2), (Tls, KeyType::Rsa, 1)]
		{
			let wish = Wish::own(device, purpose, &Pair::new(key_type, seed), &first());
			assert_noop!(wish.by_bob().register(), Error::<Test>::KeyTypeNotAllowed);
		}
		let long = Wish::own(device, Tls, &Pair::new(KeyType::Rsa, 2), &first());
		assert_ok!(long.by_bob().register());
		issue(&voucher_pair(), "drone-2");
		let keys = [(Sign, Pair::new(KeyType::P256, 4))];
		let enrolment = Enrolment::new(&voucher_pair(), "drone-2", &keys);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyTypeNotAllowed));
	});
}

#[test]
fn what_is_registered_already_is_left_alone() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, first()), (Tls, Pair::new(KeyType::P256, 2))]);
		let key_types = KeyTypeSet::EMPTY.with(KeyType::Ed25519);
		set_policy(KeyPolicy { key_types, ..limited() });
		assert!(Dpki::keys_of(device).iter().all(|(id, _)| Dpki::key_status(*id).is_valid()));
	});
}
