#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod commitments;
mod errors;
mod events;
mod integrity;
mod listed;
mod publishing;
mod queries;
mod revocation;
mod roll;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod voting;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

use dpki_primitives::fleet::{
	AvailabilityVote, ChunkMask, MAX_CHUNKS_PER_REVOCATION, MAX_CONSISTENCY_LEN,
	MAX_KEYS_PER_APPEND, MAX_TILE_LEN, RollEntry, TreeHash,
};
use frame_support::{BoundedVec, pallet_macros::import_section, traits::ConstU32};

/// A tile as it travels in [`Call::publish_tile`].
pub type TileBytes = BoundedVec<u8, ConstU32<MAX_TILE_LEN>>;

/// A proof that a fleet goes on where it was.
pub type ConsistencyProof = BoundedVec<TreeHash, ConstU32<MAX_CONSISTENCY_LEN>>;

/// What one call revokes.
pub type ChunkMasks = BoundedVec<ChunkMask, ConstU32<MAX_CHUNKS_PER_REVOCATION>>;

/// The keys that one call appends to a roll.
pub type RollEntries = BoundedVec<RollEntry, ConstU32<MAX_KEYS_PER_APPEND>>;

/// What the voters say of one revision.
pub type VotesOf<T> =
	BoundedVec<AvailabilityVote<<T as frame_system::Config>::AccountId>, <T as Config>::MaxVoters>;

/// Room for everything in a [`Call::publish_tile`] transaction that is not its tile: the largest signature and address,
/// the extensions, and the other arguments are less than 300 bytes together.
pub const PUBLISH_OVERHEAD: u32 = 1024;

/// Storage and calls; the rules are in the module named after their concept.
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
	use crate::{
		ChunkMasks, ConsistencyProof, RollEntries, TileBytes, VotesOf, WeightInfo, roll::costs,
	};
	use dpki_primitives::{
		Moment,
		economy::Economy,
		fleet::{
			AvailabilityVoters, Change, Commitment, FleetRecord, RevocationChunk, RollRecord,
			RollTerms, RollTile,
		},
		ids::{BlobDigest, FleetId, Name, OrganisationId, RevisionId},
		organisation::Organisations,
		registry::{CompromisedKeys, Registry},
		revocation::RevocationReason,
	};
	use frame_support::{pallet_prelude::*, traits::Time};
	use frame_system::pallet_prelude::*;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Fleets of devices.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Who may act for which organisation.
		type Organisations: Organisations<Self::AccountId>;

		/// The devices and keys that are registered singly.
		type Registry: Registry;

		/// The keys that became known elsewhere as compromised.
		type CompromisedKeys: CompromisedKeys;

		/// Who says whether leaves are to be had: the validators.
		type Voters: AvailabilityVoters<Self::AccountId>;

		/// Chain time in milliseconds since the Unix epoch.
		type Time: Time<Moment = Moment>;

		/// What fees and deposits are asked of.
		type Economy: Economy<Self::AccountId>;

		/// Most voters that there can be.
		#[pallet::constant]
		type MaxVoters: Get<u32>;

		/// The weight of taking the quota of a commitment on a feeless chain. What the calls weigh is measured with fees.
		type QuotaWeight: Get<Weight>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// The fleets.
	#[pallet::storage]
	pub type Fleets<T: Config> = StorageMap<_, Identity, FleetId, FleetRecord, OptionQuery>;

	/// The revoked members of a fleet, by chunk. A chunk that is not in here has none.
	#[pallet::storage]
	pub type RevokedMembers<T: Config> =
		StorageDoubleMap<_, Identity, FleetId, Identity, u32, RevocationChunk, OptionQuery>;

	/// What the voters say of the candidate and of the current head of a fleet, by revision.
	#[pallet::storage]
	pub type Votes<T: Config> =
		StorageDoubleMap<_, Identity, FleetId, Identity, u32, VotesOf<T>, ValueQuery>;

	/// The rolls: what is kept of a fleet whose keys stand on the chain. A fleet that is not in here has its leaves in tiles.
	#[pallet::storage]
	pub type Rolls<T: Config> = StorageMap<_, Identity, FleetId, RollRecord, OptionQuery>;

	/// The keys of the rolls, in tiles of [`TILE_WIDTH`](dpki_primitives::fleet::TILE_WIDTH) places. All are full but the last
	/// one of a fleet.
	#[pallet::storage]
	pub type RollTiles<T: Config> =
		StorageDoubleMap<_, Identity, FleetId, Identity, u32, RollTile, ValueQuery>;

	/// How many fleets were ever proposed for each organisation. Who is not in here had none.
	#[pallet::storage]
	pub type FleetCount<T: Config> = StorageMap<_, Identity, OrganisationId, u32, ValueQuery>;

	/// Those fleets, in the order of their first proposal. Never removed, revoked or not.
	#[pallet::storage]
	pub type OrganisationFleets<T: Config> =
		StorageDoubleMap<_, Identity, OrganisationId, Identity, u32, FleetId>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			Self::do_integrity_test();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Proposes the first commitment of a fleet.
		///
		/// - **Who:** a registrar of the organisation.
		/// - **Cost:** the fee of its weight and length, and that of a commitment for each
		///   [`MEMBERS_PER_COMMITMENT_FEE`](dpki_primitives::fleet::MEMBERS_PER_COMMITMENT_FEE) members; a deposit, which
		///   returns when the fleet is revoked. On a feeless chain
		///   [`UNITS_PER_COMMITMENT`](dpki_primitives::economy::UNITS_PER_COMMITMENT) of the quota for as many members each.
		/// - **Changes:** the fleet with this commitment as its candidate. It counts as soon as more than two thirds of the
		///   voters hold its leaves, see [`vote`](Self::vote). As long as no commitment of the fleet counts, another one can be
		///   proposed in its place.
		/// - **Events:** [`Event::CommitmentProposed`].
		/// - **Refusals:** [`Error::RoleMissing`], [`Error::FleetNameInvalid`], [`Error::FleetSizeInvalid`];
		///   [`Error::TilesMissing`]; [`Error::FleetHasRoll`]; [`Error::FleetExists`] if a commitment of it counts;
		///   [`Error::FleetWasRevoked`], [`Error::FleetWasRetired`]; `Token` if fee or deposit cannot be paid, or there is not
		///   enough quota.
		/// - **Complexity:** O(1).
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::commit().saturating_add(T::QuotaWeight::get()))]
		pub fn commit(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			name: Name,
			commitment: Commitment,
		) -> DispatchResult {
			Self::do_commit(ensure_signed(origin)?, organisation, name, commitment)
		}

		/// Proposes a commitment that goes on where the current one ends.
		///
		/// - **Who:** a registrar of the fleet's organisation.
		/// - **Cost:** the fee of its weight and length, and that of a commitment of this size.
		/// - **Changes:** the candidate. `proof` is that of RFC 6962 section 2.1.2; with it nobody can change or leave out a
		///   member under the name of adding some. When the candidate counts, the head before it stays good for `grace`
		///   milliseconds, and the one before that no longer.
		/// - **Events:** [`Event::CommitmentProposed`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RoleMissing`], [`Error::FleetWasRevoked`],
		///   [`Error::FleetWasRetired`], [`Error::FleetHasRoll`], [`Error::FleetNotInForce`], [`Error::FleetSizeInvalid`],
		///   [`Error::TilesMissing`], [`Error::GraceTooLong`];
		///   [`Error::AppendNotLarger`], [`Error::ConsistencyNotProven`]; `Token` if the fee cannot be paid.
		/// - **Complexity:** O(log n) hashes in the size.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::append().saturating_add(T::QuotaWeight::get()))]
		pub fn append(
			origin: OriginFor<T>,
			fleet: FleetId,
			commitment: Commitment,
			grace: Moment,
			proof: ConsistencyProof,
		) -> DispatchResult {
			let change = Change::Append;
			Self::do_change(ensure_signed(origin)?, fleet, commitment, change, grace, &proof)
		}

		/// Proposes a commitment with other leaves: keys are rotated, or devices replaced.
		///
		/// - **Who:** a registrar of the fleet's organisation.
		/// - **Cost:** the fee of its weight and length, and that of a commitment of this size.
		/// - **Changes:** the candidate. When it counts, the head before it stays good for `grace` milliseconds. Places that
		///   are revoked stay revoked, whatever stands there; no fleet becomes smaller, so that who is revoked does not
		///   become unknown.
		/// - **Events:** [`Event::CommitmentProposed`].
		/// - **Refusals:** those of [`append`](Self::append) without the last two; [`Error::FleetWouldShrink`],
		///   [`Error::NothingChanged`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::rotate().saturating_add(T::QuotaWeight::get()))]
		pub fn rotate(
			origin: OriginFor<T>,
			fleet: FleetId,
			commitment: Commitment,
			grace: Moment,
		) -> DispatchResult {
			let change = Change::Rotate;
			Self::do_change(ensure_signed(origin)?, fleet, commitment, change, grace, &[])
		}

		/// Takes a candidate back.
		///
		/// - **Who:** a registrar of the fleet's organisation.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the fleet has no candidate, and what was said of it is forgotten.
		/// - **Events:** [`Event::CommitmentWithdrawn`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RoleMissing`], [`Error::CandidateMissing`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(3)]
		pub fn withdraw(origin: OriginFor<T>, fleet: FleetId) -> DispatchResult {
			Self::do_withdraw(ensure_signed(origin)?, fleet)
		}

		/// Says whether the leaves of a candidate, or of the current head, are to be had.
		///
		/// - **Who:** a voter, see [`Config::Voters`]. It has fetched every tile from wherever it is, and hashed it again.
		///   `revision` is what it has looked at, as
		///   [`candidate_id`](dpki_primitives::fleet::FleetRecord::candidate_id) and
		///   [`head_id`](dpki_primitives::fleet::FleetRecord::head_id) have it: a hash of all that is committed to, so that
		///   nothing else can stand in its place when the vote is counted.
		/// - **Cost:** nothing for the first word on a revision; else the fee of its weight and length.
		/// - **Changes:** the vote of the signer. With more than two thirds a candidate becomes the current head, and a
		///   current head that was unavailable is good again. When so many deny it that two thirds cannot be reached, it is
		///   marked as unavailable; the members of a current head are on hold then.
		/// - **Events:** [`Event::AvailabilityVoted`], and [`Event::FleetCommitted`], [`Event::FleetUnavailable`] or
		///   [`Event::FleetAvailable`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RevisionUnknown`], [`Error::FleetHasRoll`],
		///   [`Error::VoterUnknown`], [`Error::VoteRepeated`].
		/// - **Complexity:** O(v) in the number of voters, bounded by [`Config::MaxVoters`].
		#[pallet::call_index(4)]
		#[pallet::feeless_if(
			|origin: &OriginFor<T>, fleet: &FleetId, revision: &RevisionId, _: &bool| -> bool {
				Pallet::<T>::is_first_vote(origin, *fleet, *revision)
			}
		)]
		pub fn vote(
			origin: OriginFor<T>,
			fleet: FleetId,
			revision: RevisionId,
			available: bool,
		) -> DispatchResult {
			Self::do_vote(ensure_signed(origin)?, fleet, revision, available)
		}

		/// Revokes any members of a fleet, for ever.
		///
		/// - **Who:** a registrar of the fleet's organisation.
		/// - **Cost:** the fee of its weight and length. Operational: a full block does not keep it waiting.
		/// - **Changes:** the bitmap. Who is revoked already keeps the first reason and time.
		/// - **Events:** [`Event::MembersRevoked`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RoleMissing`]; [`Error::ChunksUnordered`],
		///   [`Error::MemberUnknown`] for a place that no commitment has; [`Error::NothingRevoked`].
		/// - **Complexity:** O(c) in the number of chunks, one value each, bounded by
		///   [`MAX_CHUNKS_PER_REVOCATION`](dpki_primitives::fleet::MAX_CHUNKS_PER_REVOCATION).
		#[pallet::call_index(5)]
		#[pallet::weight((
			T::WeightInfo::revoke_members(chunks.len() as u32),
			DispatchClass::Operational,
		))]
		pub fn revoke_members(
			origin: OriginFor<T>,
			fleet: FleetId,
			chunks: ChunkMasks,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_members(ensure_signed(origin)?, fleet, &chunks, reason)
		}

		/// Revokes a fleet and, by their dependence on it, all its members, for ever.
		///
		/// - **Who:** a registrar of the fleet's organisation.
		/// - **Cost:** the fee of its weight and length; the deposit returns. Operational.
		/// - **Changes:** the fleet; its candidate is dropped.
		/// - **Events:** [`Event::FleetRevoked`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RoleMissing`], [`Error::FleetWasRevoked`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(6)]
		#[pallet::weight((T::WeightInfo::revoke_fleet(), DispatchClass::Operational))]
		pub fn revoke_fleet(
			origin: OriginFor<T>,
			fleet: FleetId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_fleet(ensure_signed(origin)?, fleet, reason)
		}

		/// Retires a fleet: its members stay good, nothing new is committed. They can still be revoked.
		///
		/// - **Who:** a registrar of the fleet's organisation.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the fleet; its candidate is dropped.
		/// - **Events:** [`Event::FleetRetired`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RoleMissing`], [`Error::FleetWasRevoked`],
		///   [`Error::FleetWasRetired`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(7)]
		pub fn retire_fleet(origin: OriginFor<T>, fleet: FleetId) -> DispatchResult {
			Self::do_retire_fleet(ensure_signed(origin)?, fleet)
		}

		/// Stores a tile with the blobs of the chain, under its SHA2-256. Tiles can as well lie anywhere else: their name
		/// says whether they are right.
		///
		/// - **Who:** a registrar of the organisation, in a transaction that ends with the tile.
		/// - **Cost:** the fee of its weight and length, and that of a tile.
		/// - **Changes:** nothing in the state; nodes keep the tile as long as the body of its block.
		/// - **Events:** [`Event::TilePublished`].
		/// - **Refusals:** [`Error::RoleMissing`], [`Error::TileEmpty`]; [`Error::TileNotLast`], because nodes store the
		///   last bytes of the transaction; `Token` if the fee cannot be paid.
		/// - **Complexity:** O(n) in the length of the tile, which is compared and hashed once.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::publish_tile(tile.len() as u32))]
		pub fn publish_tile(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			// HAZARD: the tile has to stay the last field of this call, or no transaction could end with it.
			tile: TileBytes,
		) -> DispatchResult {
			Self::do_publish_tile(ensure_signed(origin)?, organisation, &tile)
		}

		/// Begins a fleet whose keys stand on the chain, on a [roll](dpki_primitives::fleet::roll).
		///
		/// - **Who:** a registrar of the organisation.
		/// - **Cost:** the fee of its weight and length, and that of the smallest commitment; a deposit, which returns when
		///   the fleet is revoked.
		/// - **Changes:** the fleet, without members, and its roll. Purpose and validity are the same for all its keys, for
		///   ever.
		/// - **Events:** [`Event::RollOpened`].
		/// - **Refusals:** [`Error::RoleMissing`], [`Error::FleetNameInvalid`], [`Error::RollNameTooLong`];
		///   [`Error::FleetExists`] if there is or was a fleet of this name; [`Error::TermsForbidden`]; `Token` if the fee
		///   or the deposit cannot be paid; on a feeless chain `Token` without enough quota.
		/// - **Complexity:** O(1).
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::open_roll().saturating_add(T::QuotaWeight::get()))]
		pub fn open_roll(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			name: Name,
			terms: RollTerms,
		) -> DispatchResult {
			Self::do_open_roll(ensure_signed(origin)?, organisation, name, terms)
		}

		/// Appends keys to a roll: all of them, or none.
		///
		/// - **Who:** a registrar of the fleet's organisation. Each key has signed
		///   [`Action::JoinRoll`](dpki_primitives::context::Action::JoinRoll) for its place, all with this expiry.
		/// - **Cost:** the fee of its weight and length, and that of a key of a batch for each.
		/// - **Changes:** the roll, and the head of the fleet, which counts at once: who validates the block has the keys, so
		///   nobody votes. The head before it stays good for `grace` milliseconds, unless an earlier one is still good: then
		///   that one stays, so that proofs outlast an appending in many calls.
		/// - **Events:** [`Event::KeysAppended`].
		/// - **Refusals:** [`Error::FleetUnknown`], [`Error::RoleMissing`], [`Error::FleetWasRevoked`],
		///   [`Error::FleetWasRetired`], [`Error::RollMissing`], [`Error::GraceTooLong`], [`Error::SignatureExpired`],
		///   [`Error::KeysMissing`]; [`Error::PlaceNotNext`] if `from` is not the number of members;
		///   [`Error::TermsForbidden`] if the policy has changed; [`Error::FleetSizeInvalid`]; [`Error::KeyRepeated`] or
		///   [`Error::PossessionInvalid`], with the first position at fault; `Token` if the fee cannot be paid.
		/// - **Complexity:** O(n) in the number of keys, bounded by
		///   [`MAX_KEYS_PER_APPEND`](dpki_primitives::fleet::MAX_KEYS_PER_APPEND): a signature of a batch and two hashes for
		///   each, and a value of the state for each 256. To find the one that is at fault takes up to 1,023 further
		///   signatures, whose weight returns if there is none.
		#[pallet::call_index(10)]
		#[pallet::weight(costs::at_most::<T>(entries.len() as u32))]
		pub fn append_keys(
			origin: OriginFor<T>,
			fleet: FleetId,
			from: u32,
			grace: Moment,
			expires_at: Moment,
			entries: RollEntries,
		) -> DispatchResultWithPostInfo {
			let registrar = ensure_signed(origin)?;
			Self::do_append_keys(registrar, fleet, from, grace, expires_at, &entries)?;
			Ok(Some(costs::of_append::<T>(entries.len() as u32)).into())
		}
	}
}
