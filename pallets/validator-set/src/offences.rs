//! What becomes of a validator that was proven to have voted for two blocks.
//!
//! Nothing else is an offence. Whoever is out of reach loses nothing: an attacker who keeps honest members out of reach
//! one by one would otherwise make them lose their seats, and take the set over.

use crate::{Config, Event, Pallet, Validators, WeightInfo};
use alloc::vec::Vec;
use dpki_primitives::validator::{SessionIndex, ValidatorRecord, ValidatorStanding, most_barred};
use frame_support::weights::Weight;
use pallet_session::historical::IdentificationTuple;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

type Session<T> = pallet_session::Pallet<T>;

impl<T: Config> Pallet<T> {
	/// Removes who was caught, or keeps it if there would be too few without it. What happened before the last decision in
	/// its favour was known, or could have been: the proof of one incident comes in many reports.
	fn catch(validator: &T::AccountId, session: SessionIndex) {
		let outcome = Validators::<T>::mutate(|records| {
			let at = Self::position(records, validator).ok()?;
			if session < records[at].answers_from {
				return None;
			}
			let ValidatorRecord { standing, caught, .. } = records[at];
			let goes = Self::is_dispensable(records, at);
			records[at].caught = Some(caught.map_or(session, |earlier| earlier.max(session)));
			if standing == ValidatorStanding::Leaving {
				return None;
			}
			let validator = validator.clone();
			if goes {
				records[at].standing = ValidatorStanding::Leaving;
				Some(Event::OffenderRemoved { validator, session })
			} else {
				// Said once, not once per report.
				caught.is_none().then_some(Event::OffenderKept { validator, session })
			}
		});
		if let Some(event) = outcome {
			Self::deposit_event(event);
		}
		let records = Validators::<T>::get();
		if Self::position(&records, validator).is_ok_and(|at| records[at].is_barred()) {
			Self::bar_from_authoring(validator);
		}
	}

	/// Whether a double vote of this account in this session would change anything. Whoever has the key of a validator can
	/// make proofs for as many rounds as there are numbers, and what comes to nothing must not be stored.
	pub fn is_news(validator: &T::AccountId, session: SessionIndex) -> bool {
		let records = Validators::<T>::get();
		Self::position(&records, validator).is_ok_and(|at| {
			let ValidatorRecord { answers_from, caught, .. } = records[at];
			session >= answers_from && caught.is_none_or(|earlier| session > earlier)
		})
	}

	/// Keeps a validator of the present session from making blocks until the set changes or it is allowed to again, unless
	/// as many as the set can do without are kept from it already.
	pub(crate) fn bar_from_authoring(validator: &T::AccountId) {
		let serving = Session::<T>::validators();
		let Some(index) = serving.iter().position(|account| account == validator) else { return };
		let barred = Session::<T>::disabled_validators();
		let index = index as u32;
		let has_room = (barred.len() as u32) < most_barred(serving.len() as u32);
		if has_room && !barred.contains(&index) {
			Session::<T>::disable_index(index);
		}
	}

	/// The end of [`Self::bar_from_authoring`].
	pub(crate) fn allow_authoring(validator: &T::AccountId) {
		if let Some(index) = Session::<T>::validator_id_to_index(validator) {
			Session::<T>::reenable_index(index);
		}
	}
}

impl<T: Config> OnOffenceHandler<T::AccountId, IdentificationTuple<T>, Weight> for Pallet<T> {
	/// There is nothing to slash, so the fraction does not matter. Who was reported before for the same round is named
	/// again, which changes nothing for it.
	fn on_offence(
		offenders: &[OffenceDetails<T::AccountId, IdentificationTuple<T>>],
		_: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		let offenders: Vec<_> = offenders.iter().map(|details| &details.offender.0).collect();
		for validator in &offenders {
			Self::catch(validator, session);
		}
		<T as Config>::WeightInfo::on_offence().saturating_mul(offenders.len() as u64)
	}
}
