//! What the other pallets are told.

use super::mock::*;
use dpki_primitives::organisation::{Organisations, Role, RoleSet};
use frame_support::assert_ok;

#[test]
fn an_organisation_exists_from_its_creation() {
	run(|| {
		assert!(!Pallet::exists(acme()));
		create_acme();
		assert!(Pallet::exists(acme()));
	});
}

#[test]
fn a_member_has_exactly_the_roles_it_was_given() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), RoleSet::EMPTY.with(Role::Registrar)));
		for role in Role::ALL {
			assert!(Pallet::has_role(acme(), &alice(), role));
			assert_eq!(Pallet::has_role(acme(), &bob(), role), role == Role::Registrar);
			assert!(!Pallet::has_role(acme(), &carol(), role));
		}
	});
}

#[test]
fn a_removed_member_has_no_role() {
	run(|| {
		create_acme();
		assert_ok!(set(alice(), bob(), RoleSet::ALL));
		assert_ok!(remove(alice(), bob()));
		assert!(Role::ALL.into_iter().all(|role| !Pallet::has_role(acme(), &bob(), role)));
	});
}

#[cfg(feature = "runtime-benchmarks")]
#[test]
fn an_organisation_for_benchmarks_is_one_that_could_have_been_created() {
	run(|| {
		assert_eq!(Pallet::create_for_benchmark(b"acme", &alice()), acme());
		assert!(Pallet::has_role(acme(), &alice(), Role::Administrator));
	});
}
