//! Benchmarks: every call at its longest path and with its largest arguments.

use crate::{
	Authority, BalanceOf, Call, Config, Deposits, Dissolved, HandOvers, Invitations,
	MAX_BODY_SEATS, MAX_INVITATIONS, MAX_MEMBERS, Members, Organisations, Pallet, Recoveries,
};
use dpki_primitives::{
	ids::{MAX_NAME_LEN, Name, OrganisationId},
	motion::Body,
	organisation::{
		DeliveryPolicy, HandOver, Invitation, OrganisationKind,
		Organisations as OrganisationDirectory, Recovery, Role, RoleSet,
	},
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
	EnsureOrigin, Get,
	fungible::{Inspect, Mutate},
};
use frame_system::RawOrigin;
use sp_runtime::Saturating;

const LONGEST_NAME: [u8; MAX_NAME_LEN as usize] = [b'a'; MAX_NAME_LEN as usize];

/// An organisation one member short of its limit, as far as the counts go: no call reads the other members.
fn crowded<T: Config>(administrator: &T::AccountId) -> OrganisationId {
	let organisation = Pallet::<T>::create_for_benchmark(&LONGEST_NAME, administrator);
	Organisations::<T>::mutate(organisation, |record| {
		let record = record.as_mut().expect("it was just created");
		record.members = MAX_MEMBERS - 1;
		(record.administrators, record.watchdogs) = (MAX_BODY_SEATS - 1, MAX_BODY_SEATS - 1);
	});
	organisation
}

/// As many invitations as can be pending. The account of the last one is returned; the first one expires before it.
fn invite_many<T: Config>(
	organisation: OrganisationId,
	by: Authority<T::AccountId>,
) -> T::AccountId {
	let now = frame_system::Pallet::<T>::block_number();
	let invited = |index| account::<T::AccountId>("invited", index, 0);
	for index in 0..MAX_INVITATIONS {
		let wait = if index == 0 { 0u32 } else { 10u32 };
		let invitation = Invitation {
			account: invited(index),
			roles: RoleSet::ALL,
			by: by.clone(),
			expires_at: now.saturating_add(wait.into()),
		};
		frame_system::Pallet::<T>::inc_sufficients(&invitation.account);
		Invitations::<T>::try_append(organisation, invitation).expect("there is room");
	}
	invited(MAX_INVITATIONS - 1)
}

/// The membership of `from` is offered to `to`, until a block that is far enough away.
fn offer<T: Config>(organisation: OrganisationId, from: &T::AccountId, to: T::AccountId) {
	let now = frame_system::Pallet::<T>::block_number();
	let expires_at = now.saturating_add(T::HandOverPeriod::get());
	frame_system::Pallet::<T>::inc_sufficients(&to);
	HandOvers::<T>::insert(organisation, from, HandOver { to, expires_at });
}

/// Enough for the deposit of one organisation.
fn endow<T: Config>(who: &T::AccountId)
where
	T::Currency: Mutate<T::AccountId>,
{
	let least: BalanceOf<T> = T::Currency::minimum_balance();
	T::Currency::set_balance(
		who,
		T::Deposit::get().saturating_add(least.saturating_mul(2u32.into())),
	);
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create() {
		let founder: T::AccountId = whitelisted_caller();
		let name = Name::truncate_from(LONGEST_NAME.to_vec());
		endow::<T>(&founder);

		#[extrinsic_call]
		_(RawOrigin::Signed(founder.clone()), name, OrganisationKind::ServiceProvider);

		let organisation = OrganisationId::from_name(&LONGEST_NAME);
		assert!(Pallet::<T>::has_role(organisation, &founder, Role::Administrator));
	}

	#[benchmark]
	fn set_member() {
		let administrator: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&administrator);
		invite_many::<T>(organisation, Authority::Account(administrator.clone()));
		frame_system::Pallet::<T>::set_block_number(
			frame_system::Pallet::<T>::block_number().saturating_add(1u32.into()),
		);
		let member: T::AccountId = account("member", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(administrator), organisation, member.clone(), RoleSet::ALL);

		assert!(Invitations::<T>::get(organisation).iter().any(|it| it.account == member));
	}

	#[benchmark]
	fn remove_member() {
		let administrator: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&administrator);
		let member: T::AccountId = account("member", 0, 0);
		Pallet::<T>::admit_member(organisation, &member, RoleSet::ALL);
		Organisations::<T>::mutate(organisation, |record| {
			record.as_mut().expect("it was just created").members = MAX_MEMBERS;
		});
		offer::<T>(organisation, &member, account("successor", 0, 0));
		invite_many::<T>(organisation, Authority::Body(Body::Administrators));

		#[extrinsic_call]
		_(RawOrigin::Signed(administrator), organisation, member.clone());

		assert_eq!(Members::<T>::get(organisation, &member), None);
	}

	#[benchmark]
	fn set_policy() {
		let administrator: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&administrator);
		let policy = DeliveryPolicy::Watchdogs { needed: MAX_BODY_SEATS - 1 };
		invite_many::<T>(organisation, Authority::Body(Body::Administrators));

		#[extrinsic_call]
		_(RawOrigin::Signed(administrator), organisation, policy);

		assert_eq!(Organisations::<T>::get(organisation).map(|record| record.policy), Some(policy));
	}

	#[benchmark]
	fn hand_over() {
		let member: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&member);
		let to: T::AccountId = account("successor", 0, 0);
		// An earlier offer ends, and with it what kept that account.
		offer::<T>(organisation, &member, account("earlier", 0, 0));

		#[extrinsic_call]
		_(RawOrigin::Signed(member.clone()), organisation, to.clone());

		assert_eq!(HandOvers::<T>::get(organisation, &member).map(|it| it.to), Some(to));
	}

	#[benchmark]
	fn cancel_hand_over() {
		let member: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&member);
		offer::<T>(organisation, &member, account("successor", 0, 0));

		#[extrinsic_call]
		_(RawOrigin::Signed(member.clone()), organisation);

		assert!(!HandOvers::<T>::contains_key(organisation, &member));
	}

	#[benchmark]
	fn accept_hand_over() {
		let to: T::AccountId = whitelisted_caller();
		let member: T::AccountId = account("member", 0, 0);
		let organisation = crowded::<T>(&member);
		offer::<T>(organisation, &member, to.clone());
		invite_many::<T>(organisation, Authority::Body(Body::Administrators));

		#[extrinsic_call]
		_(RawOrigin::Signed(to.clone()), organisation, member);

		assert_eq!(Members::<T>::get(organisation, &to), Some(RoleSet::ALL));
	}

	#[benchmark]
	fn begin_recovery() -> Result<(), BenchmarkError> {
		let origin =
			T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let member: T::AccountId = account("member", 0, 0);
		let organisation = crowded::<T>(&member);
		let appointed: T::AccountId = account("appointed", 0, 0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, organisation, Body::Administrators, appointed);

		assert!(Recoveries::<T>::contains_key(organisation));
		Ok(())
	}

	#[benchmark]
	fn cancel_recovery() {
		let administrator: T::AccountId = whitelisted_caller();
		let organisation = crowded::<T>(&administrator);
		let account: T::AccountId = account("appointed", 0, 0);
		let recovery =
			Recovery { account, body: Body::Administrators, ready_at: T::RecoveryDelay::get() };
		frame_system::Pallet::<T>::inc_sufficients(&recovery.account);
		Recoveries::<T>::insert(organisation, recovery);

		#[extrinsic_call]
		_(RawOrigin::Signed(administrator), organisation);

		assert!(!Recoveries::<T>::contains_key(organisation));
	}

	#[benchmark]
	fn complete_recovery() {
		let member: T::AccountId = account("member", 0, 0);
		let organisation = crowded::<T>(&member);
		let appointed = invite_many::<T>(organisation, Authority::Body(Body::Administrators));
		frame_system::Pallet::<T>::inc_sufficients(&appointed);
		let ready_at = frame_system::Pallet::<T>::block_number();
		let recovery =
			Recovery { account: appointed.clone(), body: Body::Administrators, ready_at };
		Recoveries::<T>::insert(organisation, recovery);

		#[extrinsic_call]
		_(RawOrigin::Signed(appointed.clone()), organisation);

		assert!(Pallet::<T>::has_role(organisation, &appointed, Role::Administrator));
	}

	#[benchmark]
	fn dissolve() {
		let founder: T::AccountId = whitelisted_caller();
		endow::<T>(&founder);
		let name = Name::truncate_from(LONGEST_NAME.to_vec());
		Pallet::<T>::create(
			RawOrigin::Signed(founder.clone()).into(),
			name,
			OrganisationKind::ServiceProvider,
		)
		.expect("an account with funds creates an organisation");
		let organisation = OrganisationId::from_name(&LONGEST_NAME);
		let to: T::AccountId = account("successor", 0, 0);
		let at = T::RecoveryDelay::get();
		offer::<T>(organisation, &founder, to.clone());
		let recovery = Recovery { account: to, body: Body::Administrators, ready_at: at };
		frame_system::Pallet::<T>::inc_sufficients(&recovery.account);
		Recoveries::<T>::insert(organisation, recovery);

		#[extrinsic_call]
		_(RawOrigin::Signed(founder), organisation);

		assert!(Dissolved::<T>::contains_key(organisation));
		assert!(!Deposits::<T>::contains_key(organisation));
	}

	#[benchmark]
	fn join() {
		let administrator: T::AccountId = account("administrator", 0, 0);
		let organisation = crowded::<T>(&administrator);
		let invited = invite_many::<T>(organisation, Authority::Account(administrator));

		#[extrinsic_call]
		_(RawOrigin::Signed(invited.clone()), organisation);

		assert_eq!(Members::<T>::get(organisation, &invited), Some(RoleSet::ALL));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
