//! Which origins pass, and which do not.

use super::mock::*;
use crate::{EnsureCouncil, EnsureOrganisation};
use dpki_primitives::motion::{Body, Electorate};
use frame_support::traits::EnsureOrigin;

#[test]
fn the_council_is_the_council_and_nobody_else_is() {
	run(|| {
		let council: RuntimeOrigin = Electorate::Council.into();
		assert!(EnsureCouncil::ensure_origin(council).is_ok());
		for origin in [watchdogs().into(), RuntimeOrigin::root(), RuntimeOrigin::none(), signed(1)]
		{
			assert!(EnsureCouncil::ensure_origin(origin).is_err());
		}
	});
}

#[test]
fn an_organisation_passes_with_its_id_and_body() {
	run(|| {
		let organisation: RuntimeOrigin = watchdogs().into();
		assert_eq!(
			EnsureOrganisation::ensure_origin(organisation).ok(),
			Some((acme(), Body::Watchdogs))
		);
		for origin in
			[Electorate::Council.into(), RuntimeOrigin::root(), RuntimeOrigin::none(), signed(11)]
		{
			assert!(EnsureOrganisation::ensure_origin(origin).is_err());
		}
	});
}

#[cfg(feature = "runtime-benchmarks")]
#[test]
fn the_origins_for_benchmarks_pass() {
	run(|| {
		let council: RuntimeOrigin = EnsureCouncil::try_successful_origin().unwrap();
		assert!(EnsureCouncil::ensure_origin(council).is_ok());
		let organisation: RuntimeOrigin = EnsureOrganisation::try_successful_origin().unwrap();
		assert!(EnsureOrganisation::ensure_origin(organisation).is_ok());
	});
}
