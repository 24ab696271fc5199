use super::mock::*;
use crate::{Fees, Policies};
use dpki_primitives::economy::{Operation, QuotaPolicies, QuotaPolicy, ResourceKind};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{BuildStorage, DispatchError};

#[test]
fn only_the_consortium_sets_prices_quotas_and_the_switch() {
	run(|| {
		let alice = || RuntimeOrigin::signed(ALICE);
		let refused = DispatchError::BadOrigin;
		assert_noop!(Pallet::set_fee(alice(), Operation::IssueVoucher, 0), refused);
		assert_noop!(Pallet::set_deposit(alice(), ResourceKind::Device, 0), refused);
		assert_noop!(Pallet::set_feeless(alice(), true), refused);
		assert_noop!(Pallet::set_quotas(alice(), POLICIES), refused);
	});
}

#[test]
fn what_is_set_holds_and_is_told() {
	run(|| {
		assert_ok!(Pallet::set_fee(root(), Operation::RegisterKey, 7));
		assert_eq!(last_event(), Event::FeeSet { operation: Operation::RegisterKey, amount: 7 });
		assert_eq!(Pallet::fee_of(Operation::RegisterKey, 2), 14);

		assert_ok!(Pallet::set_deposit(root(), ResourceKind::Anchor, 9));
		assert_eq!(last_event(), Event::DepositSet { kind: ResourceKind::Anchor, amount: 9 });
		assert_eq!(Pallet::deposit_of(ResourceKind::Anchor), 9);

		assert_ok!(Pallet::set_feeless(root(), true));
		assert_eq!(last_event(), Event::FeelessSet { feeless: true });

		let policies = QuotaPolicies::default();
		assert_ok!(Pallet::set_quotas(root(), policies));
		assert_eq!(last_event(), Event::QuotasSet { policies });
		assert_eq!(Policies::<Test>::get(), policies);
	});
}

#[test]
fn a_price_of_nothing_is_not_stored() {
	run(|| {
		assert_ok!(Pallet::set_fee(root(), Operation::IssueVoucher, 0));
		assert!(!Fees::<Test>::contains_key(Operation::IssueVoucher));
		assert_ok!(Pallet::set_deposit(root(), ResourceKind::Device, 0));
		assert_eq!(Pallet::deposit_of(ResourceKind::Device), 0);
	});
}

#[test]
fn quotas_that_would_lock_the_council_out_are_refused() {
	run(|| {
		let enough = QuotaPolicy { capacity: MIN_CAPACITY, refill: 1 };
		let small = QuotaPolicy { capacity: MIN_CAPACITY - 1, refill: 1 };
		let dry = QuotaPolicy { capacity: MIN_CAPACITY, refill: 0 };
		for unusable in [small, dry] {
			for policies in [
				QuotaPolicies { account: unusable, organisation: enough },
				QuotaPolicies { account: enough, organisation: unusable },
			] {
				assert_noop!(Pallet::set_quotas(root(), policies), Error::QuotaTooSmall);
			}
		}
		let policies = QuotaPolicies { account: enough, organisation: enough };
		assert_ok!(Pallet::set_quotas(root(), policies));
	});
}

#[test]
fn clients_see_the_whole_schedule() {
	run(|| {
		feeless(true);
		let tariff = Pallet::tariff();
		assert_eq!(tariff.len(), Operation::ALL.len());
		assert!(tariff.contains(&(Operation::IssueVoucher, 100)));
		assert!(tariff.contains(&(Operation::RegisterKey, 0)));
		let deposits = Pallet::deposit_schedule();
		assert_eq!(deposits.len(), ResourceKind::ALL.len());
		assert!(deposits.contains(&(ResourceKind::Device, 1_000)));
	});
}

#[test]
#[should_panic(expected = "no operation has the name fly")]
fn a_genesis_with_an_unknown_operation_is_refused() {
	let config =
		crate::GenesisConfig::<Test> { fees: vec![("fly".into(), 1)], ..Default::default() };
	config.build_storage().unwrap();
}

#[test]
#[should_panic(expected = "no kind of resource has the name moon")]
fn a_genesis_with_an_unknown_resource_is_refused() {
	let config =
		crate::GenesisConfig::<Test> { deposits: vec![("moon".into(), 1)], ..Default::default() };
	config.build_storage().unwrap();
}

#[test]
#[should_panic(expected = "the quotas would lock everybody out")]
fn a_genesis_without_quotas_is_refused() {
	let config = crate::GenesisConfig::<Test> { account_quota: Some((0, 0)), ..Default::default() };
	config.build_storage().unwrap();
}
