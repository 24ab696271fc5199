//! Planned rollover: an anchor and its successor are both in force until a time at which the first is retired. Nothing
//! has to run at that time: the status function compares.

use crate::{Anchors, Config, Error, Event, Pallet, context::Actor};
use dpki_primitives::{
	Moment,
	anchor::{AnchorRecord, anchor_status},
	ids::AnchorId,
	status::Status,
};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Plans the retirement of an anchor in favour of another one.
	pub(crate) fn do_plan_rollover(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
		successor: AnchorId,
		retire_at: Moment,
	) -> DispatchResult {
		let mut record = Self::managed_anchor(&actor, anchor)?;
		let now = Self::now();
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		ensure!(!record.is_retired(now), Error::<T>::AnchorAlreadyRetired);
		ensure!(record.retired_at.is_none(), Error::<T>::RolloverAlreadyPlanned);
		ensure!(retire_at > now, Error::<T>::RolloverTimePast);
		let follower = Anchors::<T>::get(successor).ok_or(Error::<T>::AnchorUnknown)?;
		let is_fit = anchor != successor
			&& Self::can_follow(&record, &follower)
			&& [now, retire_at]
				.iter()
				.all(|at| Self::anchor_status_at(successor, *at).is_valid());
		ensure!(is_fit, Error::<T>::RolloverSuccessorUnfit);

		record.retired_at = Some(retire_at);
		record.successor = Some(successor);
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::RolloverPlanned { anchor, successor, retire_at });
		Ok(())
	}

	/// Takes back a plan whose time has not come.
	pub(crate) fn do_cancel_rollover(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
	) -> DispatchResult {
		let mut record = Self::managed_anchor(&actor, anchor)?;
		let now = Self::now();
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		let is_ahead = record.retired_at.is_some_and(|at| at > now);
		ensure!(is_ahead, Error::<T>::RolloverNotPlanned);
		record.retired_at = None;
		record.successor = None;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::RolloverCancelled { anchor });
		Ok(())
	}

	/// Whether the one can do what the other did: an intermediate can follow a root, but no SSH CA a certificate.
	fn can_follow(old: &AnchorRecord, new: &AnchorRecord) -> bool {
		let is_alike = match (old.certification, new.certification) {
			(Some(old), Some(new)) => old.profile == new.profile,
			_ => old.kind == new.kind,
		};
		is_alike && old.organisation == new.organisation
	}

	/// The verdict about an anchor at some time, if nothing happens until then.
	pub(crate) fn anchor_status_at(anchor: AnchorId, at: Moment) -> Status {
		let read = |id| Ok::<_, core::convert::Infallible>(Anchors::<T>::get(id));
		let Ok(status) = anchor_status(anchor, at, read);
		status
	}
}
