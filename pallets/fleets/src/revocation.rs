//! The revocation of members.

use crate::{Config, Error, Event, Pallet, RevokedMembers};
use alloc::vec::Vec;
use dpki_primitives::{
	fleet::{ChunkMask, revocation::exceeds},
	ids::FleetId,
	revocation::{Revocation, RevocationReason},
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_revoke_members(
		account: T::AccountId,
		fleet: FleetId,
		masks: &[ChunkMask],
		reason: RevocationReason,
	) -> DispatchResult {
		let record = Self::managed_fleet(&account, fleet)?;
		ensure!(record.revocation.is_none(), Error::<T>::FleetWasRevoked);
		let size = record.size();
		ensure!(
			masks.is_sorted_by(|one, next| one.chunk < next.chunk),
			Error::<T>::ChunksUnordered
		);
		ensure!(!masks.iter().any(|mask| exceeds(mask, size)), Error::<T>::MemberUnknown);
		let revocation = Revocation { reason, at: T::Time::now() };
		let (mut members, mut chunks) = (0u32, Vec::new());
		for ChunkMask { chunk, mask } in masks {
			let mut stored = RevokedMembers::<T>::get(fleet, u32::from(*chunk)).unwrap_or_default();
			let revoked = stored.revoke(mask, revocation);
			if revoked > 0 {
				RevokedMembers::<T>::insert(fleet, u32::from(*chunk), stored);
				members = members.saturating_add(revoked);
				chunks.push(*chunk);
			}
		}
		ensure!(members > 0, Error::<T>::NothingRevoked);
		let organisation = record.organisation;
		Self::deposit_event(Event::MembersRevoked { fleet, organisation, reason, members, chunks });
		Ok(())
	}
}
