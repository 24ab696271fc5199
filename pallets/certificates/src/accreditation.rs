//! Observers and endorsers: how an account gets its office and loses it. One set of rules serves both, which differ only
//! in the level that they can have. What somebody else can do with an account, it can do in both: a compromise is of the
//! account, whichever office it is told for.

use crate::{
	Accreditations, Accredited, AccreditedCount, Config, Error, Event, Pallet, Registrants,
};
use dpki_primitives::{
	Moment,
	assurance::{Accreditation, AccreditationState, Level},
	certificate::Office,
	ids::OrganisationId,
	organisation::Organisations,
};
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// Both offices.
const OFFICES: [Office; 2] = [Office::Observer, Office::Endorser];

impl<T: Config> Pallet<T> {
	pub(crate) fn do_accredit(
		office: Office,
		account: T::AccountId,
		organisation: OrganisationId,
		level: Level,
	) -> DispatchResult {
		ensure!(T::Organisations::exists(organisation), Error::<T>::OrganisationNotFound);
		ensure!((level == Level::Dv) == (office == Office::Observer), Error::<T>::LevelUnfit);
		let before = Accreditations::<T>::get(office, &account);
		let is_compromised = |office: Office| {
			Accreditations::<T>::get(office, &account)
				.is_some_and(|it| it.compromised_from.is_some())
		};
		ensure!(!OFFICES.into_iter().any(is_compromised), Error::<T>::AccreditationCompromised);
		// Who is in office already can be given less to say, whatever the minimum has become since.
		let is_narrowed = before
			.is_some_and(|it| it.may_act() && it.organisation == organisation && level <= it.level);
		ensure!(
			office != Office::Endorser || is_narrowed || Self::is_bonded(&account),
			Error::<T>::BondTooLow
		);
		if before.is_none() {
			let index = AccreditedCount::<T>::get(office);
			Accredited::<T>::insert(office, index, &account);
			AccreditedCount::<T>::insert(office, index.saturating_add(1));
		}
		let accreditation = Accreditation {
			organisation,
			level,
			state: AccreditationState::Active,
			accredited_at: before.map_or_else(Self::now, |it| it.accredited_at),
			compromised_from: None,
		};
		Accreditations::<T>::insert(office, &account, accreditation);
		Registrants::<T>::insert(organisation, ());
		Self::deposit_event(Event::Accredited { office, account, organisation, level });
		Ok(())
	}

	pub(crate) fn do_suspend_accreditation(
		office: Office,
		account: T::AccountId,
	) -> DispatchResult {
		Self::change(office, &account, |it| {
			ensure!(it.state == AccreditationState::Active, Error::<T>::AccreditationNotActive);
			it.state = AccreditationState::Suspended;
			Ok(())
		})?;
		Self::deposit_event(Event::AccreditationSuspended { office, account });
		Ok(())
	}

	pub(crate) fn do_release_accreditation(
		office: Office,
		account: T::AccountId,
	) -> DispatchResult {
		Self::change(office, &account, |it| {
			ensure!(it.state != AccreditationState::Released, Error::<T>::AccreditationReleased);
			it.state = AccreditationState::Released;
			Ok(())
		})?;
		Self::deposit_event(Event::AccreditationReleased { office, account });
		Ok(())
	}

	pub(crate) fn do_mark_compromised(
		office: Office,
		account: T::AccountId,
		from: Moment,
	) -> DispatchResult {
		ensure!(from <= Self::now(), Error::<T>::CompromiseInFuture);
		Self::compromise(office, &account, from)?;
		for other in OFFICES.into_iter().filter(|it| *it != office) {
			match Self::compromise(other, &account, from) {
				// It was never in that office, or is known as compromised there from an earlier moment on.
				Ok(()) | Err(Error::AccreditationMissing | Error::CompromiseNotEarlier) => (),
				Err(error) => return Err(error.into()),
			}
		}
		Ok(())
	}

	/// Marks the account in this office.
	fn compromise(office: Office, account: &T::AccountId, from: Moment) -> Result<(), Error<T>> {
		Self::change(office, account, |it| {
			ensure!(
				it.compromised_from.is_none_or(|before| from < before),
				Error::<T>::CompromiseNotEarlier
			);
			it.compromised_from = Some(from);
			// Who has stolen an account must not undo what was said before by taking its bond out and so having it
			// suspended: from now on the moment alone decides what counts.
			if it.state == AccreditationState::Suspended {
				it.state = AccreditationState::Active;
			}
			Ok(())
		})?;
		let account = account.clone();
		Self::deposit_event(Event::AccreditationCompromised { office, account, from });
		Ok(())
	}

	fn change(
		office: Office,
		account: &T::AccountId,
		change: impl FnOnce(&mut Accreditation) -> Result<(), Error<T>>,
	) -> Result<(), Error<T>> {
		Accreditations::<T>::try_mutate(office, account, |accreditation| {
			change(accreditation.as_mut().ok_or(Error::<T>::AccreditationMissing)?)
		})
	}
}
