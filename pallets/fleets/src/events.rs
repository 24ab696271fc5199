//! What happened.

use frame_support::pallet_macros::pallet_section;

/// Events of the pallet.
#[pallet_section]
mod events {
	/// What changed.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A commitment was proposed. It does not count yet; voters fetch its leaves now.
		CommitmentProposed {
			/// Of which fleet.
			fleet: FleetId,
			/// Whose fleet.
			organisation: OrganisationId,
			/// Its number in the fleet.
			revision: u32,
			/// How it relates to the current head.
			change: Change,
			/// What it commits to.
			commitment: Commitment,
		},
		/// A candidate was taken back.
		CommitmentWithdrawn {
			/// Of which fleet.
			fleet: FleetId,
			/// Which one.
			revision: u32,
		},
		/// A voter said whether leaves are to be had.
		AvailabilityVoted {
			/// Of which fleet.
			fleet: FleetId,
			/// Of which revision.
			revision: u32,
			/// Who.
			voter: T::AccountId,
			/// Whether they are.
			available: bool,
		},
		/// A commitment counts from now on.
		FleetCommitted {
			/// Of which fleet.
			fleet: FleetId,
			/// Which one.
			revision: u32,
			/// What it commits to.
			commitment: Commitment,
		},
		/// The leaves of a revision are not to be had.
		FleetUnavailable {
			/// Of which fleet.
			fleet: FleetId,
			/// Of which revision.
			revision: u32,
		},
		/// The leaves of the current head are to be had again.
		FleetAvailable {
			/// Of which fleet.
			fleet: FleetId,
			/// Of which revision.
			revision: u32,
		},
		/// Members were revoked.
		MembersRevoked {
			/// Of which fleet.
			fleet: FleetId,
			/// Whose fleet.
			organisation: OrganisationId,
			/// Why.
			reason: RevocationReason,
			/// How many that were not revoked before.
			members: u32,
			/// The chunks in which they are, ascending.
			chunks: alloc::vec::Vec<u16>,
		},
		/// A fleet was revoked with all its members.
		FleetRevoked {
			/// Which fleet.
			fleet: FleetId,
			/// Whose fleet.
			organisation: OrganisationId,
			/// Why.
			reason: RevocationReason,
		},
		/// A fleet was retired.
		FleetRetired {
			/// Which fleet.
			fleet: FleetId,
			/// Whose fleet.
			organisation: OrganisationId,
		},
		/// A fleet was begun whose keys stand on the chain.
		RollOpened {
			/// Which fleet.
			fleet: FleetId,
			/// Whose fleet.
			organisation: OrganisationId,
			/// What its keys have in common.
			terms: RollTerms,
		},
		/// Keys were appended to a fleet, their possession was proven, and they count from now on.
		KeysAppended {
			/// Which fleet.
			fleet: FleetId,
			/// Whose fleet.
			organisation: OrganisationId,
			/// The number of the new head in the fleet.
			revision: u32,
			/// The place of the first of them.
			from: u32,
			/// The head with them.
			commitment: Commitment,
		},
		/// A tile was stored with the blobs of the chain.
		TilePublished {
			/// On whose behalf.
			organisation: OrganisationId,
			/// The name of the blob.
			digest: BlobDigest,
			/// The length of the blob in bytes.
			length: u32,
		},
	}
}
