use super::mock::*;
use crate::{AccountBuckets, OrganisationBuckets, Sponsor};
use dpki_primitives::{
	economy::{Allowance, Departures as _, Exhausted, Quotas},
	ids::OrganisationId,
};
use frame_support::dispatch::DispatchClass;

const ACME_ANSWERS: Sponsor = Sponsor::Organisation(ACME);

/// Who answers for an ordinary call.
fn sponsor(who: &Account, units: u64) -> Result<Option<Sponsor>, Exhausted> {
	Pallet::sponsor(who, units, DispatchClass::Normal)
}

#[test]
fn a_fee_is_counted_in_units_and_in_no_less_than_one() {
	run(|| {
		let unit = u128::from(QUOTA_UNIT);
		assert_eq!(Pallet::units(0), 1);
		assert_eq!(Pallet::units(unit), 1);
		assert_eq!(Pallet::units(unit + 1), 2);
		assert_eq!(Pallet::units(u128::MAX), u64::MAX);
	});
}

#[test]
fn organisations_answer_for_members_the_council_for_trustees_and_nobody_for_strangers() {
	run(|| {
		join(ALICE, ACME);
		appoint(BOB);
		assert_eq!(sponsor(&ALICE, 1), Ok(Some(ACME_ANSWERS)));
		assert_eq!(sponsor(&BOB, 1), Ok(Some(Sponsor::Council)));
		assert_eq!(sponsor(&CAROL, 1), Ok(None));
	});
}

#[test]
fn an_account_takes_from_its_own_bucket_and_from_its_organisation() {
	run(|| {
		join(ALICE, ACME);
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 200), Ok(()));
		assert_eq!(sponsor(&ALICE, 1), Err(Exhausted { wait: Some(1) }));
		go_to(2);
		assert_eq!(sponsor(&ALICE, 10), Ok(Some(ACME_ANSWERS)));
	});
}

#[test]
fn more_members_do_not_make_an_organisation_greater() {
	run(|| {
		join(ALICE, ACME);
		join(BOB, ACME);
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 200), Ok(()));
		assert_eq!(sponsor(&BOB, 101), Err(Exhausted { wait: Some(1) }));
		assert_eq!(sponsor(&BOB, 100), Ok(Some(ACME_ANSWERS)));
	});
}

#[test]
fn another_organisation_answers_when_the_first_cannot() {
	run(|| {
		join(ALICE, ACME);
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 150), Ok(()));
		join(BOB, ACME);
		assert_eq!(Pallet::take(&BOB, ACME_ANSWERS, 150), Ok(()));
		join(CAROL, ACME);
		assert_eq!(sponsor(&CAROL, 50), Err(Exhausted { wait: Some(3) }));
		join(CAROL, BORG);
		assert_eq!(sponsor(&CAROL, 50), Ok(Some(Sponsor::Organisation(BORG))));
	});
}

#[test]
fn a_trustee_takes_from_no_organisation() {
	run(|| {
		join(ALICE, ACME);
		appoint(ALICE);
		assert_eq!(Pallet::take(&ALICE, Sponsor::Council, 200), Ok(()));
		assert!(!OrganisationBuckets::<Test>::contains_key(ACME));
		assert_eq!(sponsor(&ALICE, 1), Err(Exhausted { wait: Some(1) }));
	});
}

#[test]
fn a_bucket_that_is_full_again_is_not_kept() {
	run(|| {
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 30), Ok(()));
		assert!(AccountBuckets::<Test>::contains_key(ALICE));
		Pallet::put_back(&ALICE, ACME_ANSWERS, 30);
		assert!(!AccountBuckets::<Test>::contains_key(ALICE));
		assert!(!OrganisationBuckets::<Test>::contains_key(ACME));
	});
}

#[test]
fn clients_see_what_is_left() {
	run(|| {
		join(ALICE, ACME);
		appoint(BOB);
		assert_eq!(Pallet::allowance(&ALICE), None);
		feeless(true);
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 30), Ok(()));
		assert_eq!(
			Pallet::allowance(&ALICE),
			Some(Allowance { left: 170, organisations: vec![(ACME, 270)] })
		);
		assert_eq!(Pallet::allowance(&BOB), Some(Allowance { left: 200, organisations: vec![] }));
		assert_eq!(Pallet::allowance(&CAROL), None);
	});
}

#[test]
fn a_fifth_is_left_for_revocations_by_account_and_by_organisation() {
	run(|| {
		let operational = |who, units| Pallet::sponsor(who, units, DispatchClass::Operational);
		join(ALICE, ACME);
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 200), Ok(()));
		assert_eq!(sponsor(&ALICE, 1), Err(Exhausted { wait: Some(1) }));
		assert_eq!(operational(&ALICE, 50), Ok(Some(ACME_ANSWERS)));
		assert_eq!(operational(&ALICE, 51), Err(Exhausted { wait: Some(1) }));

		join(BOB, ACME);
		assert_eq!(Pallet::take(&BOB, ACME_ANSWERS, 100), Ok(()));
		assert_eq!(sponsor(&BOB, 1), Err(Exhausted { wait: Some(1) }));
		assert_eq!(operational(&BOB, 75), Ok(Some(ACME_ANSWERS)));
		assert_eq!(operational(&BOB, 76), Err(Exhausted { wait: Some(1) }));
	});
}

#[test]
fn no_account_takes_more_than_there_is() {
	run(|| {
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 251), Err(Exhausted { wait: None }));
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 250), Ok(()));
		// The account has enough, its organisation has not: nothing is taken of either.
		assert_eq!(Pallet::take(&BOB, ACME_ANSWERS, 126), Err(Exhausted { wait: Some(1) }));
		assert!(!AccountBuckets::<Test>::contains_key(BOB));
	});
}

#[test]
fn what_devices_do_takes_from_their_organisation_on_a_feeless_chain() {
	run(|| {
		assert_eq!(<Pallet as Quotas<_>>::take(&ACME, 1_000), Ok(()));
		assert!(!OrganisationBuckets::<Test>::contains_key(ACME), "who pays is not metered");
		feeless(true);
		// A fifth is left beside.
		assert_eq!(<Pallet as Quotas<_>>::check(&ACME, 301), Err(Exhausted { wait: None }));
		assert_eq!(<Pallet as Quotas<_>>::check(&ACME, 300), Ok(()));
		assert_eq!(<Pallet as Quotas<_>>::take(&ACME, 300), Ok(()));
		assert_eq!(<Pallet as Quotas<_>>::take(&ACME, 1), Err(Exhausted { wait: Some(1) }));
		assert_eq!(
			<Pallet as Quotas<_>>::check(&BORG, 300),
			Ok(()),
			"every organisation has its own"
		);
		join(ALICE, ACME);
		assert_eq!(sponsor(&ALICE, 1), Err(Exhausted { wait: Some(1) }));
		go_to(2);
		assert_eq!(<Pallet as Quotas<_>>::check(&ACME, 20), Ok(()));
	});
}

#[test]
fn founding_and_dissolving_yields_no_quota() {
	run(|| {
		feeless(true);
		let mut taken = 0;
		for index in 0..50 {
			let organisation = OrganisationId([index; 32]);
			Pallet::founded(organisation);
			join(ALICE, organisation);
			for units in [100, 10, 1] {
				while <Pallet as Quotas<_>>::take(&organisation, units).is_ok() {
					taken += units;
				}
				let answers = Sponsor::Organisation(organisation);
				assert_eq!(
					Pallet::take(&ALICE, answers, units).map_err(|it| it.wait.is_some()),
					Err(true)
				);
			}
			leave(ALICE);
			Pallet::departed(&ALICE);
			Pallet::dissolved(organisation);
		}
		assert_eq!(taken, 0);
		assert_eq!(OrganisationBuckets::<Test>::iter().count(), 0, "nothing is left behind");
		assert_eq!(AccountBuckets::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_quota_of_a_new_organisation_fills_with_time() {
	run(|| {
		feeless(true);
		Pallet::founded(ACME);
		join(ALICE, ACME);
		// A fifth of 375, which is not for such calls, and 45 beside.
		assert_eq!(sponsor(&ALICE, 45), Err(Exhausted { wait: Some(6) }));
		go_to(2);
		let operational = |units| Pallet::sponsor(&ALICE, units, DispatchClass::Operational);
		assert_eq!(operational(20), Ok(Some(ACME_ANSWERS)), "a revocation need not wait as long");
		go_to(7);
		assert_eq!(sponsor(&ALICE, 45), Ok(Some(ACME_ANSWERS)));
		go_to(20);
		assert_eq!(<Pallet as Quotas<_>>::check(&ACME, 300), Ok(()), "and to the brim");
	});
}

#[test]
fn nothing_is_remembered_of_an_account_for_which_nobody_answers_any_more() {
	run(|| {
		join(ALICE, ACME);
		join(ALICE, BORG);
		assert_eq!(Pallet::take(&ALICE, ACME_ANSWERS, 30), Ok(()));
		Pallet::departed(&ALICE);
		assert!(AccountBuckets::<Test>::contains_key(ALICE), "it is a member yet");
		leave(ALICE);
		appoint(ALICE);
		Pallet::departed(&ALICE);
		assert!(AccountBuckets::<Test>::contains_key(ALICE), "it is a trustee yet");
		dismiss(ALICE);
		Pallet::departed(&ALICE);
		assert!(AccountBuckets::<Test>::contains_key(ALICE), "what it took is missing yet");
		go_to(1_000);
		Pallet::departed(&ALICE);
		assert!(!AccountBuckets::<Test>::contains_key(ALICE));
		assert!(OrganisationBuckets::<Test>::contains_key(ACME), "what it has taken is taken");
	});
}
