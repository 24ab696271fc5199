//! Where the revocation lists of X.509 anchors are published: for what a CA revokes that is not on the chain.

use crate::{Config, CrlPointers, Error, Event, Pallet, context::Actor};
use dpki_primitives::{anchor::CrlPointer, ids::AnchorId};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Sets or removes the pointer. A revoked anchor can have one still: its last list says what it had revoked before.
	pub(crate) fn do_set_crl_pointer(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
		pointer: Option<CrlPointer>,
	) -> DispatchResult {
		let record = Self::managed_anchor(&actor, anchor)?;
		ensure!(record.kind.is_x509(), Error::<T>::AnchorNotX509);
		let is_valid = pointer.as_ref().is_none_or(CrlPointer::is_valid);
		ensure!(is_valid, Error::<T>::CrlUrlInvalid);
		CrlPointers::<T>::set(anchor, pointer.clone());
		Self::deposit_event(Event::CrlPointerSet { anchor, pointer });
		Ok(())
	}
}
