//! Which set serves in which session.
//!
//! | block | what happens |
//! |---|---|
//! | any block of session `s` | the council decides |
//! | first block of session `s + 1` | the set of session `s + 2` is planned: those who are enabled and have keys |
//! | first block of session `s + 2` | the planned set makes blocks, and votes on finality from the block after it on |
//!
//! Session `s` begins in block `s * length`. A set is only named when it, or a key of it, differs from the one before:
//! naming one counts as a change even if nothing differs, and light clients have to follow every change one by one.

use crate::{Bounds, Config, Event, HeldBack, KeysInService, Pallet, ValidatorOf, Validators};
use alloc::vec::Vec;
use dpki_primitives::{
	ids::OrganisationId,
	validator::{SessionIndex, ValidatorRecord, ValidatorStanding},
};
use frame_support::{BoundedVec, traits::Get};
use pallet_session::{NextKeys, QueuedKeys, SessionInterface, historical};

type Session<T> = pallet_session::Pallet<T>;

impl<T: Config> Pallet<T> {
	/// The set of `session`, if it is another one than that of the session before.
	fn plan(session: SessionIndex) -> Option<Vec<T::AccountId>> {
		if T::ChangesHeld::get() {
			Self::note_keys_held_back();
			return None;
		}
		let mut records = Validators::<T>::get();
		Self::forget_those_who_are_gone(&mut records);
		Self::release_those_who_are_dispensable(&mut records);
		Validators::<T>::put(&records);

		let enabled = records.iter().filter(|record| record.standing == ValidatorStanding::Enabled);
		let next: Vec<_> = enabled
			.filter_map(|record| {
				let keys = NextKeys::<T>::get(&record.account)?;
				Some((record.account.clone(), keys))
			})
			.collect();
		// Decisions and offences see to it that there are enough. If there are not, the present set is the better one.
		if (next.len() as u32) < Bounds::<T>::get().minimum.max(1) {
			return None;
		}
		// At this point of a session's end these are still the keys of the session that begins.
		if !HeldBack::<T>::take() && next == QueuedKeys::<T>::get() {
			return None;
		}
		Self::deposit_event(Event::SetPlanned { session, validators: next.len() as u32 });
		Some(next.into_iter().map(|(validator, _)| validator).collect())
	}

	/// Remembers that keys were set before changes were held. `pallet-session` takes them for a change of its own that needs
	/// no plan: blocks are made under them from the session after next on, and if finality waits for a forced change at that
	/// time, it drops this one.
	fn note_keys_held_back() {
		let has_others = |(validator, keys): (T::AccountId, T::Keys)| {
			NextKeys::<T>::get(validator).is_some_and(|next| next != keys)
		};
		if QueuedKeys::<T>::get().into_iter().any(has_others) {
			HeldBack::<T>::put(true);
		}
	}

	/// Forgets those who are leaving and serve in no session any more, with their keys.
	fn forget_those_who_are_gone(records: &mut BoundedVec<ValidatorOf<T>, T::MaxValidators>) {
		let serving = Session::<T>::validators();
		let is_gone = |record: &ValidatorOf<T>| {
			record.standing == ValidatorStanding::Leaving && !serving.contains(&record.account)
		};
		for record in records.iter().filter(|record| is_gone(record)) {
			let validator = record.account.clone();
			if NextKeys::<T>::contains_key(&validator) {
				// Refuses only who has no keys.
				let _ = <Session<T> as SessionInterface>::purge_keys(&validator);
			}
			Self::release_account(&validator);
			Self::deposit_event(Event::ValidatorForgotten { validator });
		}
		records.retain(|record| !is_gone(record));
	}

	/// Removes those who were caught and kept, as far as there are enough without them now.
	fn release_those_who_are_dispensable(
		records: &mut BoundedVec<ValidatorOf<T>, T::MaxValidators>,
	) {
		for at in 0..records.len() {
			let ValidatorRecord { standing, caught, .. } = records[at];
			let (ValidatorStanding::Enabled, Some(session)) = (standing, caught) else { continue };
			if Self::is_dispensable(records, at) {
				records[at].standing = ValidatorStanding::Leaving;
				let validator = records[at].account.clone();
				Self::deposit_event(Event::OffenderRemoved { validator, session });
			}
		}
	}

	/// The validators of the genesis: all who have session keys. They are named here, instead of leaving it to
	/// `pallet-session`, so that the history has the root of the first session to carry forward.
	fn found() -> Vec<T::AccountId> {
		if !Validators::<T>::exists() {
			let mut accounts: Vec<_> = NextKeys::<T>::iter_keys().collect();
			accounts.sort();
			accounts.iter().for_each(Self::hold_account_of_founder);
			let records: Vec<_> = accounts
				.into_iter()
				.map(|account| ValidatorRecord {
					account,
					organisation: OrganisationId::CONSORTIUM,
					standing: ValidatorStanding::Enabled,
					answers_from: 0,
					caught: None,
				})
				.collect();
			let records = BoundedVec::try_from(records).expect("more validators than there can be");
			Validators::<T>::put(records);
			Self::check_founders();
		}
		Validators::<T>::get().into_iter().map(|record| record.account).collect()
	}

	/// Refuses a genesis whose validators are not as many as its bounds say. Whichever of the two was built last asks.
	pub(crate) fn check_founders() {
		if !Validators::<T>::exists() || !Bounds::<T>::exists() {
			return;
		}
		let bounds = Bounds::<T>::get();
		let count = Validators::<T>::get().len() as u32;
		// Without any there is no chain, only the state that tools begin with.
		assert!(
			count == 0 || (bounds.minimum..=bounds.maximum).contains(&count),
			"the genesis has {count} validators, not {} to {}",
			bounds.minimum,
			bounds.maximum,
		);
	}

	/// As [`Self::hold_account`], for whom the genesis of `pallet-session` has set keys. Where an account had no tokens, that
	/// has made it, and left out that the keys rely on it.
	fn hold_account_of_founder(validator: &T::AccountId) {
		if frame_system::Pallet::<T>::consumers(validator) > 0 {
			Self::hold_account(validator);
		} else {
			let _ = frame_system::Pallet::<T>::inc_consumers(validator);
		}
	}

	/// Takes down with which keys the validators serve, and keeps those from making blocks who may not. A change of the
	/// set has let all of them again.
	fn begin() {
		// `pallet-session` has not yet queued the keys of the session after this one.
		let keys = BoundedVec::truncate_from(QueuedKeys::<T>::get());
		if keys != KeysInService::<T>::get() {
			KeysInService::<T>::put(keys);
		}
		for record in Validators::<T>::get() {
			if record.is_barred() {
				Self::bar_from_authoring(&record.account);
			}
		}
	}
}

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
	fn new_session(session: SessionIndex) -> Option<Vec<T::AccountId>> {
		Self::plan(session)
	}

	fn new_session_genesis(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		Some(Self::found())
	}

	fn start_session(_: SessionIndex) {
		Self::begin();
	}

	/// Forgets one session per session, so that the history stays bounded.
	fn end_session(ended: SessionIndex) {
		if let Some(oldest) = ended.checked_sub(T::History::get()) {
			historical::Pallet::<T>::prune_up_to(oldest);
		}
	}
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
	fn new_session(session: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		let set = <Self as pallet_session::SessionManager<_>>::new_session(session)?;
		Some(set.into_iter().map(|validator| (validator, ())).collect())
	}

	fn new_session_genesis(session: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		let set = <Self as pallet_session::SessionManager<_>>::new_session_genesis(session)?;
		Some(set.into_iter().map(|validator| (validator, ())).collect())
	}

	fn start_session(session: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(session)
	}

	fn end_session(session: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(session)
	}
}
