//! The electorates of a runtime, put together from the council's seats and the bodies of organisations.

use core::marker::PhantomData;
use dpki_primitives::motion::{Bodies, Electorate, Electorates, Quorum};
use frame_support::traits::SortedMembers;

/// The electorates of a runtime: `Seats` are those of the council, `Organisations` answers for their bodies.
///
/// The seats are read where they are kept, at each vote. There is no second list that could differ.
pub struct CouncilAndBodies<Seats, Organisations>(PhantomData<(Seats, Organisations)>);

impl<AccountId, Seats, Organisations> Electorates<AccountId>
	for CouncilAndBodies<Seats, Organisations>
where
	AccountId: Ord,
	Seats: SortedMembers<AccountId>,
	Organisations: Bodies<AccountId>,
{
	fn quorum(electorate: &Electorate) -> Option<Quorum> {
		match electorate {
			Electorate::Council => match Seats::count() as u32 {
				0 => None,
				seats => Some(Quorum::two_thirds(seats)),
			},
			Electorate::Organisation(organisation, body) => {
				Organisations::quorum(*organisation, *body)
			},
		}
	}

	fn has_seat(electorate: &Electorate, who: &AccountId) -> bool {
		match electorate {
			Electorate::Council => Seats::contains(who),
			Electorate::Organisation(organisation, body) => {
				Organisations::has_seat(*organisation, *body, who)
			},
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn add_seat_for_benchmark(electorate: &Electorate, who: &AccountId) {
		if matches!(electorate, Electorate::Council) && !Seats::contains(who) {
			Seats::add(who);
		}
	}
}
