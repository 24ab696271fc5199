//! Who becomes a validator, and who stays one.
//!
//! The council decides at any time; what it decided is planned at the end of the session ([`sessions`](crate::sessions)).
//! No decision leaves fewer than the minimum of those who would serve.

use crate::{Bounds, Config, Error, Event, Pallet, ValidatorOf, Validators};
use dpki_primitives::{
	ids::OrganisationId,
	organisation::Organisations,
	validator::{SessionIndex, ValidatorBounds, ValidatorRecord, ValidatorStanding},
};
use frame_support::{ensure, pallet_prelude::*};
use pallet_session::NextKeys;

impl<T: Config> Pallet<T> {
	/// Puts `validator` on record, or keeps it if it is leaving.
	pub(crate) fn admit(validator: T::AccountId, organisation: OrganisationId) -> DispatchResult {
		let exists =
			organisation == OrganisationId::CONSORTIUM || T::Organisations::exists(organisation);
		ensure!(exists, Error::<T>::OrganisationUnknown);
		let record = ValidatorRecord {
			account: validator.clone(),
			organisation,
			standing: ValidatorStanding::Enabled,
			answers_from: Self::next_session(),
			caught: None,
		};
		Validators::<T>::try_mutate(|records| {
			let has_room = Self::seats(records) < Bounds::<T>::get().maximum;
			match Self::position(records, &validator) {
				Ok(at) => {
					let leaves = records[at].standing == ValidatorStanding::Leaving;
					ensure!(leaves, Error::<T>::ValidatorExists);
					ensure!(has_room, Error::<T>::TooManyValidators);
					records[at] = record;
				},
				Err(at) => {
					ensure!(has_room, Error::<T>::TooManyValidators);
					records.try_insert(at, record).map_err(|_| Error::<T>::TooManyValidators)?;
					Self::hold_account(&validator);
				},
			}
			Ok::<_, DispatchError>(())
		})?;
		Self::allow_authoring(&validator);
		Self::deposit_event(Event::ValidatorAdded { validator, organisation });
		Ok(())
	}

	/// Puts `validator` on its way out.
	pub(crate) fn dismiss(validator: &T::AccountId) -> DispatchResult {
		Self::change(validator, |records, at| {
			Self::ensure_enough_without(records, at)?;
			records[at].standing = ValidatorStanding::Leaving;
			Ok(())
		})
	}

	/// Lets `validator` keep its seat without serving.
	pub(crate) fn disable(validator: &T::AccountId) -> DispatchResult {
		Self::change(validator, |records, at| {
			let is_disabled = records[at].standing == ValidatorStanding::Disabled;
			ensure!(!is_disabled, Error::<T>::ValidatorIsDisabled);
			Self::ensure_enough_without(records, at)?;
			records[at].standing = ValidatorStanding::Disabled;
			Ok(())
		})?;
		Self::bar_from_authoring(validator);
		Ok(())
	}

	/// Lets `validator` serve, and forgives what it did.
	pub(crate) fn enable(validator: &T::AccountId) -> DispatchResult {
		Self::change(validator, |records, at| {
			ensure!(records[at].is_barred(), Error::<T>::ValidatorIsEnabled);
			records[at].standing = ValidatorStanding::Enabled;
			records[at].caught = None;
			records[at].answers_from = Self::next_session();
			Ok(())
		})?;
		Self::allow_authoring(validator);
		Ok(())
	}

	/// Sets the bounds, within which those have to be who serve, and those who are on record.
	pub(crate) fn change_bounds(bounds: ValidatorBounds) -> DispatchResult {
		ensure!(Self::are_possible(&bounds), Error::<T>::BoundsInvalid);
		let records = Validators::<T>::get();
		ensure!(Self::able(&records) >= bounds.minimum, Error::<T>::TooFewValidators);
		ensure!(Self::seats(&records) <= bounds.maximum, Error::<T>::TooManyValidators);
		Bounds::<T>::put(bounds);
		Ok(())
	}

	/// Whether there is a number of validators between these bounds.
	pub(crate) fn are_possible(bounds: &ValidatorBounds) -> bool {
		0 < bounds.minimum
			&& bounds.minimum <= bounds.maximum
			&& bounds.maximum <= T::MaxValidators::get()
	}

	/// Where the record of an account is, or would be.
	pub(crate) fn position(
		records: &[ValidatorOf<T>],
		validator: &T::AccountId,
	) -> Result<usize, usize> {
		records.binary_search_by(|record| record.account.cmp(validator))
	}

	/// Whether the validator would be in a set that is planned now.
	pub(crate) fn is_able(record: &ValidatorOf<T>) -> bool {
		record.standing == ValidatorStanding::Enabled
			&& NextKeys::<T>::contains_key(&record.account)
	}

	/// How many would be in a set that is planned now.
	pub(crate) fn able(records: &[ValidatorOf<T>]) -> u32 {
		records.iter().filter(|record| Self::is_able(record)).count() as u32
	}

	/// How many are on record and not leaving.
	pub(crate) fn seats(records: &[ValidatorOf<T>]) -> u32 {
		let stays = |record: &&ValidatorOf<T>| record.standing != ValidatorStanding::Leaving;
		records.iter().filter(stays).count() as u32
	}

	/// Whether enough would serve without this one. One that would not serve anyway is not missed.
	pub(crate) fn is_dispensable(records: &[ValidatorOf<T>], at: usize) -> bool {
		!Self::is_able(&records[at]) || Self::able(records) > Bounds::<T>::get().minimum
	}

	fn ensure_enough_without(records: &[ValidatorOf<T>], at: usize) -> DispatchResult {
		ensure!(Self::is_dispensable(records, at), Error::<T>::TooFewValidators);
		Ok(())
	}

	/// Changes the record of a validator that is not leaving.
	fn change(
		validator: &T::AccountId,
		change: impl FnOnce(&mut [ValidatorOf<T>], usize) -> DispatchResult,
	) -> DispatchResult {
		Validators::<T>::try_mutate(|records| {
			let at =
				Self::position(records, validator).map_err(|_| Error::<T>::ValidatorUnknown)?;
			let leaves = records[at].standing == ValidatorStanding::Leaving;
			ensure!(!leaves, Error::<T>::ValidatorIsLeaving);
			change(records.as_mut(), at)
		})
	}

	fn next_session() -> SessionIndex {
		pallet_session::Pallet::<T>::current_index().saturating_add(1)
	}

	/// The account of a validator exists as long as its record, with or without tokens: session keys are set by accounts
	/// that exist.
	pub(crate) fn hold_account(validator: &T::AccountId) {
		frame_system::Pallet::<T>::inc_providers(validator);
	}

	/// The end of [`Self::hold_account`]. Where something else relies on the account, it stays: what it holds then is
	/// worth more than a reference too many.
	pub(crate) fn release_account(validator: &T::AccountId) {
		let _ = frame_system::Pallet::<T>::dec_providers(validator);
	}
}
