//! Origins of calls that a motion carried, for the configuration of other pallets.

use dpki_primitives::{
	ids::OrganisationId,
	motion::{Body, Electorate},
};
use frame_support::traits::{EnsureOrigin, OriginTrait};

/// The council carried it: at least two thirds of its seats.
pub struct EnsureCouncil;

impl<O> EnsureOrigin<O> for EnsureCouncil
where
	O: OriginTrait + From<Electorate>,
	for<'a> &'a O::PalletsOrigin: TryInto<&'a Electorate>,
{
	type Success = ();

	fn try_origin(origin: O) -> Result<(), O> {
		if matches!(origin.caller().try_into(), Ok(Electorate::Council)) {
			return Ok(());
		}
		Err(origin)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<O, ()> {
		Ok(Electorate::Council.into())
	}
}

/// A body of an organisation carried it. Which one of which organisation is the success; whoever asks has to compare.
pub struct EnsureOrganisation;

impl<O> EnsureOrigin<O> for EnsureOrganisation
where
	O: OriginTrait + From<Electorate>,
	for<'a> &'a O::PalletsOrigin: TryInto<&'a Electorate>,
{
	type Success = (OrganisationId, Body);

	fn try_origin(origin: O) -> Result<Self::Success, O> {
		if let Ok(Electorate::Organisation(organisation, body)) = origin.caller().try_into() {
			return Ok((*organisation, *body));
		}
		Err(origin)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<O, ()> {
		Ok(Electorate::Organisation(OrganisationId([0; 32]), Body::Administrators).into())
	}
}
