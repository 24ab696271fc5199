//! What may be asked: by the runtime API, and by other pallets.

use crate::{Config, FleetCount, Fleets, Pallet, RevokedMembers};
use dpki_primitives::{
	fleet::{
		FleetRecord, MemberFacts, MembershipProof, RevocationChunk, member_status,
		revocation::chunk_of,
	},
	ids::{FleetId, OrganisationId},
	organisation::Belongings,
	registry::{CompromisedKeys, Registry},
	status::{Status, status},
};
use frame_support::traits::Time;

impl<T: Config> Pallet<T> {
	/// The fleet as stored.
	pub fn fleet(fleet: FleetId) -> Option<FleetRecord> {
		Fleets::<T>::get(fleet)
	}

	/// The verdict about the fleet now: unknown as long as no commitment of it counts.
	pub fn fleet_status(fleet: FleetId) -> Status {
		let record = Fleets::<T>::get(fleet);
		let standing = record.and_then(|it| it.current.map(|head| it.standing(&head)));
		status(standing.as_ref(), &[], T::Time::now())
	}

	/// What is revoked in a chunk of the fleet.
	pub fn revoked_members(fleet: FleetId, chunk: u32) -> Option<RevocationChunk> {
		RevokedMembers::<T>::get(fleet, chunk)
	}

	/// The verdict about a member now, see [`member_status`].
	pub fn member_status(proof: &MembershipProof) -> Status {
		let Some(key) = proof.key() else { return Status::Unknown };
		let fleet = Fleets::<T>::get(proof.fleet);
		let chunk = RevokedMembers::<T>::get(proof.fleet, chunk_of(proof.index));
		let (device, single) = (T::Registry::device(proof.device()), T::Registry::key(key));
		let facts = MemberFacts {
			fleet: fleet.as_ref(),
			chunk: chunk.as_ref(),
			device: device.as_ref(),
			key: single.as_ref(),
			compromised: T::CompromisedKeys::compromised_since(key),
			is_anchor_key_revoked: T::Registry::is_anchor_key_revoked(key),
		};
		member_status(proof, facts, T::Time::now())
	}
}

impl<T: Config> Belongings for Pallet<T> {
	fn is_empty(organisation: OrganisationId) -> bool {
		!FleetCount::<T>::contains_key(organisation)
	}
}
