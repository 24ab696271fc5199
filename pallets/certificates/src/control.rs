//! Control proofs: observers commit themselves to what they saw, then reveal it, and m of n organisations decide.
//!
//! Nothing can be revealed while others can still commit themselves, and a commitment is worthless for any other
//! observer or application, so nobody can vote by copying. Votes are counted over the accreditations of the moment: who
//! was suspended, released or compromised since has no voice and no pay.

use crate::{
	Accreditations, ApplicationVotes, Applications, Certificates, Config, Error, Event, Pallet,
	conflicts::Parties,
};
use alloc::vec::Vec;
use dpki_primitives::{
	application::{ApplicationRecord, Observation, Phase, Purpose, RefusalCause, Vote, commitment},
	assurance::Accreditation,
	certificate::{Holder, Office},
	ids::ApplicationId,
};
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};

/// The votes on an application, as far as they count now.
pub(crate) struct Tally<AccountId> {
	/// How many votes there are, counting or not.
	pub votes: u32,
	/// How many organisations saw control.
	pub controlled: u32,
	/// How many have not revealed yet what they saw.
	pub hidden: u32,
	/// Who has.
	pub revealers: Vec<AccountId>,
}

impl<AccountId> Tally<AccountId> {
	/// How many organisations can still turn out to have seen control.
	pub fn possible(&self) -> u32 {
		self.controlled.saturating_add(self.hidden)
	}

	/// Why too few organisations saw control: others saw that there is none, or nobody looked.
	pub fn cause(&self) -> RefusalCause {
		match self.revealers.len() > self.controlled as usize {
			true => RefusalCause::ControlNotProven,
			false => RefusalCause::TooFewObservers,
		}
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit(
		observer: T::AccountId,
		id: ApplicationId,
		commitment: [u8; 32],
	) -> DispatchResult {
		let record = Applications::<T>::get(id).ok_or(Error::<T>::ApplicationNotFound)?;
		let Phase::Control { commit_until, .. } = record.phase else {
			return Err(Error::<T>::ApplicationNotInControl.into());
		};
		let accreditation = Self::active(Office::Observer, &observer)?;
		let organisation = accreditation.organisation;
		ensure!(Self::block() <= commit_until, Error::<T>::CommitWindowClosed);
		let parties = Parties::new(Self::holder_of(&record), Some(&record));
		ensure!(!Self::is_own(&observer, &accreditation, parties), Error::<T>::OwnApplication);

		let account: [u8; 32] = observer.clone().into();
		let mut votes = ApplicationVotes::<T>::get(id);
		ensure!(
			votes.iter().all(|vote| vote.organisation != organisation),
			Error::<T>::OrganisationVoted
		);
		votes
			.try_push(Vote { observer: account, organisation, commitment, revealed: None })
			.map_err(|_| Error::<T>::VotesFull)?;
		ApplicationVotes::<T>::insert(id, votes);
		Self::deposit_event(Event::VoteCommitted { application: id, observer, organisation });
		Ok(())
	}

	/// Counts a revealed vote, and decides if it is the deciding one. Returns how many votes there are.
	pub(crate) fn do_reveal(
		observer: T::AccountId,
		id: ApplicationId,
		observation: Observation,
		salt: &[u8; 32],
	) -> Result<u32, DispatchError> {
		let record = Applications::<T>::get(id).ok_or(Error::<T>::ApplicationNotFound)?;
		let Phase::Control { commit_until, reveal_until, needed } = record.phase else {
			return Err(Error::<T>::ApplicationNotInControl.into());
		};
		Self::active(Office::Observer, &observer)?;
		let block = Self::block();
		ensure!(block > commit_until, Error::<T>::RevealWindowNotOpen);
		ensure!(block <= reveal_until, Error::<T>::RevealWindowClosed);

		let account: [u8; 32] = observer.clone().into();
		ApplicationVotes::<T>::try_mutate(id, |votes| {
			let vote = votes
				.iter_mut()
				.find(|vote| vote.observer == account)
				.ok_or(Error::<T>::VoteNotFound)?;
			ensure!(vote.revealed.is_none(), Error::<T>::VoteRevealed);
			ensure!(
				vote.commitment == commitment(id, &account, observation, salt),
				Error::<T>::CommitmentMismatch
			);
			vote.revealed = Some(observation);
			Ok::<_, Error<T>>(())
		})?;
		Self::deposit_event(Event::VoteRevealed { application: id, observer, observation });

		let tally = Self::tally(id);
		if tally.controlled >= needed {
			Self::decide(id, record, &tally.revealers)?;
		} else if tally.possible() < needed {
			Self::refuse(id, record, tally.cause(), &tally.revealers)?;
		}
		Ok(tally.votes)
	}

	/// Counts the votes of those who may still act.
	pub(crate) fn tally(id: ApplicationId) -> Tally<T::AccountId> {
		let votes = ApplicationVotes::<T>::get(id);
		let mut tally =
			Tally { votes: votes.len() as u32, controlled: 0, hidden: 0, revealers: Vec::new() };
		for vote in votes {
			let observer = T::AccountId::from(vote.observer);
			let counts = Accreditations::<T>::get(Office::Observer, &observer)
				.is_some_and(|it| it.may_act() && it.organisation == vote.organisation);
			match vote.revealed {
				_ if !counts => {},
				None => tally.hidden = tally.hidden.saturating_add(1),
				Some(observation) => {
					if observation == Observation::Controlled {
						tally.controlled = tally.controlled.saturating_add(1);
					}
					tally.revealers.push(observer);
				},
			}
		}
		tally
	}

	/// Whose certificate the application is about.
	pub(crate) fn holder_of(record: &ApplicationRecord) -> Option<Holder> {
		match &record.purpose {
			Purpose::Issue(request) => Some(request.holder),
			Purpose::Control(certificate) | Purpose::Endorsement(certificate) => {
				Certificates::<T>::get(certificate).map(|certificate| certificate.holder)
			},
		}
	}

	/// The accreditation of an account that may act.
	pub(crate) fn active(
		office: Office,
		account: &T::AccountId,
	) -> Result<Accreditation, Error<T>> {
		let accreditation =
			Accreditations::<T>::get(office, account).ok_or(Error::<T>::AccreditationMissing)?;
		ensure!(accreditation.compromised_from.is_none(), Error::<T>::AccreditationCompromised);
		ensure!(accreditation.may_act(), Error::<T>::AccreditationNotActive);
		Ok(accreditation)
	}
}
