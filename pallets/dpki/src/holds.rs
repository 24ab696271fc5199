//! Holds: an X.509 anchor is suspended, and with it everything below, until it is released (`certificateHold` of
//! RFC 5280 section 5.3.1). SSH CAs have none: what devices keep of them are lists of revoked things, which know no hold.

use crate::{Anchors, Config, Error, Event, Pallet, context::Actor};
use dpki_primitives::{anchor::AnchorRecord, ids::AnchorId};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Puts an anchor on hold.
	pub(crate) fn do_suspend_anchor(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
	) -> DispatchResult {
		let mut record = Self::holdable_anchor(&actor, anchor)?;
		ensure!(!record.suspended, Error::<T>::AnchorAlreadySuspended);
		record.suspended = true;
		let organisation = record.organisation;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::AnchorSuspended { anchor, organisation });
		Ok(())
	}

	/// Takes an anchor off hold.
	pub(crate) fn do_release_anchor(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
	) -> DispatchResult {
		let mut record = Self::holdable_anchor(&actor, anchor)?;
		ensure!(record.suspended, Error::<T>::AnchorNotSuspended);
		record.suspended = false;
		let organisation = record.organisation;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::AnchorReleased { anchor, organisation });
		Ok(())
	}

	fn holdable_anchor(
		actor: &Actor<T::AccountId>,
		anchor: AnchorId,
	) -> Result<AnchorRecord, Error<T>> {
		let record = Self::managed_anchor(actor, anchor)?;
		ensure!(record.kind.is_x509(), Error::<T>::AnchorNotX509);
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		Ok(record)
	}
}
