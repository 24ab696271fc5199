//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{Call, Config, MAX_MEMBERS, Members, Organisations, Pallet};
use dpki_primitives::{
	ids::{MAX_NAME_LEN, Name, OrganisationId},
	organisation::{OrganisationKind, Organisations as OrganisationDirectory, Role, RoleSet},
};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

const LONGEST_NAME: [u8; MAX_NAME_LEN as usize] = [b'a'; MAX_NAME_LEN as usize];

/// An organisation one member short of its limit, as far as the counts go: no call reads the other members.
fn crowded<T: Config>(administrator: &T::AccountId) -> OrganisationId {
	let organisation = Pallet::<T>::create_for_benchmark(&LONGEST_NAME, administrator);
	Organisations::<T>::mutate(organisation, |record| {
		record.as_mut().expect("it was just created").members = MAX_MEMBERS - 1;
	});
	organisation
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create() {
		let founder: T::AccountId = whitelisted_caller();
		let name = Name::truncate_from(LONGEST_NAME.to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(founder.clone()), name, OrganisationKind::ServiceProvider);

		let organisation = OrganisationId::from_name(&LONGEST_NAME);
		assert!(Pallet::<T>::has_role(organisation, &founder, Role::Administrator));
	}

	#[benchmark]
	fn set_member() {
		let administrator: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&administrator);
		let member: T::AccountId = account("member", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(administrator), organisation, member.clone(), RoleSet::ALL);

		assert_eq!(Members::<T>::get(organisation, &member), Some(RoleSet::ALL));
	}

	#[benchmark]
	fn remove_member() {
		let administrator: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&administrator);
		let member: T::AccountId = account("member", 0, 0);
		Pallet::<T>::set_member(
			RawOrigin::Signed(administrator.clone()).into(),
			organisation,
			member.clone(),
			RoleSet::ALL,
		)
		.expect("an administrator adds the last member that fits");

		#[extrinsic_call]
		_(RawOrigin::Signed(administrator), organisation, member.clone());

		assert_eq!(Members::<T>::get(organisation, &member), None);
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
