//! What other pallets are told of deliveries.

use crate::{Config, Deliveries, Pallet, Proposals};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryRegister, DeliveryStanding},
	ids::DeviceId,
};
use frame_support::traits::Time;

impl<T: Config> DeliveryRegister for Pallet<T> {
	fn standing(device: DeviceId, channel: ChannelId, sequence: u64) -> DeliveryStanding {
		let newest = Deliveries::<T>::get(device, channel).map(|record| record.sequence);
		let waiting = Proposals::<T>::get(device, channel)
			.filter(|proposal| T::Time::now() <= proposal.expires_at)
			.map(|proposal| proposal.record.sequence);
		DeliveryStanding::of(sequence, newest, waiting)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn propose_for_benchmark(device: DeviceId, channel: ChannelId, sequence: u64) {
		use dpki_primitives::{
			approval::{MAX_APPROVALS, PROPOSAL_LIFETIME, Proposal},
			delivery::{DeliveryRecord, Suite},
			ids::{BlobDigest, KeyId, OrganisationId},
		};
		let suite = Suite::X25519ChaCha20Poly1305;
		let record = DeliveryRecord {
			organisation: OrganisationId([1; 32]),
			publisher: [2; 32],
			sequence,
			suite,
			recipient: KeyId([3; 32]),
			digest: BlobDigest([4; 32]),
			length: suite.min_len(),
			published_at: T::Time::now(),
		};
		let approvals: alloc::vec::Vec<_> =
			(0..MAX_APPROVALS).map(|index| [index as u8; 32]).collect();
		let approvals = approvals.try_into().expect("there is room for all of them");
		let expires_at = T::Time::now() + PROPOSAL_LIFETIME;
		Proposals::<T>::insert(device, channel, Proposal { record, expires_at, approvals });
	}
}
