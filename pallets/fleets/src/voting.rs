//! What the voters say, and what follows from it.

use crate::{Config, Error, Event, Fleets, Pallet, Votes};
use dpki_primitives::{
	fleet::{Availability, AvailabilityVote, AvailabilityVoters, FleetRecord, availability},
	ids::{FleetId, RevisionId},
};
use frame_support::{
	ensure,
	pallet_prelude::*,
	traits::{OriginTrait, Time},
};
use frame_system::pallet_prelude::OriginFor;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_vote(
		voter: T::AccountId,
		fleet: FleetId,
		named: RevisionId,
		available: bool,
	) -> DispatchResult {
		let mut record = Fleets::<T>::get(fleet).ok_or(Error::<T>::FleetUnknown)?;
		let revision = record.revision_of(named).ok_or(Error::<T>::RevisionUnknown)?;
		ensure!(!record.has_roll(), Error::<T>::FleetHasRoll);
		let voters = T::Voters::voters();
		ensure!(voters.contains(&voter), Error::<T>::VoterUnknown);
		let mut votes = Votes::<T>::get(fleet, revision);
		// Whoever is no voter any more makes room for who has become one.
		votes.retain(|vote| voters.contains(&vote.voter));
		match votes.iter_mut().find(|vote| vote.voter == voter) {
			Some(vote) => {
				ensure!(vote.available != available, Error::<T>::VoteRepeated);
				vote.available = available;
			},
			None => {
				let vote = AvailabilityVote { voter: voter.clone(), available };
				votes.try_push(vote).map_err(|_| Error::<T>::TooManyVoters)?;
			},
		}
		let verdict = availability(&voters, &votes);
		Votes::<T>::insert(fleet, revision, votes);
		Self::deposit_event(Event::AvailabilityVoted { fleet, revision, voter, available });
		Self::follow(fleet, &mut record, revision, verdict);
		Fleets::<T>::insert(fleet, record);
		Ok(())
	}

	fn follow(fleet: FleetId, record: &mut FleetRecord, revision: u32, verdict: Availability) {
		if let Some(candidate) = record.candidate.as_mut().filter(|it| it.revision == revision) {
			if verdict == Availability::Available {
				let commitment = candidate.commitment;
				// Nobody votes on a previous head.
				if let Some(replaced) = record.current {
					Votes::<T>::remove(fleet, replaced.revision);
				}
				record.promote(T::Time::now());
				Self::deposit_event(Event::FleetCommitted { fleet, revision, commitment });
				return;
			}
			let unavailable = verdict == Availability::Unavailable;
			if unavailable && !candidate.unavailable {
				Self::deposit_event(Event::FleetUnavailable { fleet, revision });
			}
			candidate.unavailable = unavailable;
		} else if let Some(head) = record.current.as_mut() {
			match verdict {
				Availability::Unavailable if !head.unavailable => {
					head.unavailable = true;
					Self::deposit_event(Event::FleetUnavailable { fleet, revision });
				},
				Availability::Available if head.unavailable => {
					head.unavailable = false;
					Self::deposit_event(Event::FleetAvailable { fleet, revision });
				},
				_ => (),
			}
		}
	}

	/// Whether this is the first word of a voter on a revision: what it need not pay for.
	pub(crate) fn is_first_vote(origin: &OriginFor<T>, fleet: FleetId, named: RevisionId) -> bool {
		let Some(frame_system::RawOrigin::Signed(account)) = origin.as_system_ref() else {
			return false;
		};
		let record = Fleets::<T>::get(fleet).filter(|it| !it.has_roll());
		let Some(revision) = record.and_then(|it| it.revision_of(named)) else {
			return false;
		};
		T::Voters::voters().contains(account)
			&& !Votes::<T>::get(fleet, revision).iter().any(|vote| vote.voter == *account)
	}
}
