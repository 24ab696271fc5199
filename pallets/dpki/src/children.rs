//! What each anchor has issued: a list with its length in the state, so that whoever proves both knows that nothing was
//! left out. It only grows, as anchors are never removed.

use crate::{ChildCount, Children, Config, Pallet};
use dpki_primitives::ids::AnchorId;

impl<T: Config> Pallet<T> {
	/// Lists a new anchor behind the others that this one has issued.
	pub(crate) fn list_child(issuer: AnchorId, child: AnchorId) {
		let index = ChildCount::<T>::get(issuer);
		Children::<T>::insert(issuer, index, child);
		ChildCount::<T>::insert(issuer, index.saturating_add(1));
	}
}
