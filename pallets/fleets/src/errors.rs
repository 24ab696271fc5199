//! Why a call was refused.

use frame_support::pallet_macros::pallet_section;

/// Errors of the pallet.
#[pallet_section]
mod errors {
	/// Why a call was refused, and what to do about it.
	#[pallet::error]
	pub enum Error<T> {
		/// The signer is not a registrar of the organisation, or there is no such organisation: ask its administrator.
		RoleMissing,
		/// The name does not follow `dpki_primitives::ids::is_valid_name`: choose 1 to 63 of `a-z`, `0-9`, `-`, `.`.
		FleetNameInvalid,
		/// A fleet has at least one member and at most 2^24: split it.
		FleetSizeInvalid,
		/// A fleet of this name is there already: append to it, or rotate it.
		FleetExists,
		/// There is no such fleet: commit it first, or check the id.
		FleetUnknown,
		/// The fleet was revoked, which is for ever: commit one of another name.
		FleetWasRevoked,
		/// The fleet was retired, nothing is added to it any more: commit one of another name.
		FleetWasRetired,
		/// No commitment of the fleet counts yet: wait for the votes, or commit it again.
		FleetNotInForce,
		/// The new commitment has not more members than the current one: rotate instead.
		AppendNotLarger,
		/// The proof does not show that the new commitment begins with the current one: make it for these two.
		ConsistencyNotProven,
		/// A fleet cannot become smaller: revoke members instead.
		FleetWouldShrink,
		/// The commitment is the current one: there is nothing to do.
		NothingChanged,
		/// The head that is replaced cannot stay good for so long: choose a shorter grace.
		GraceTooLong,
		/// The fleet has no candidate.
		CandidateMissing,
		/// This is neither the candidate nor the current head, or not any more: read the fleet again.
		RevisionUnknown,
		/// The signer is no voter: validators vote, with the accounts of their session keys.
		VoterUnknown,
		/// The signer has said so already: there is nothing to do.
		VoteRepeated,
		/// There are more voters than this pallet can count: let the runtime allow more.
		TooManyVoters,
		/// The chunks are not in ascending order, or one is there twice: sort and join them.
		ChunksUnordered,
		/// A bit stands for a place that no commitment of the fleet has: check the places.
		MemberUnknown,
		/// Nobody is named who was not revoked before: there is nothing to do.
		NothingRevoked,
		/// The tile is empty: send the bytes of a tile.
		TileEmpty,
		/// The transaction does not end with the tile: send the call by itself, or last inside of another.
		TileNotLast,
		/// The keys of this fleet stand on the chain: append keys to it, or commit a fleet of another name.
		FleetHasRoll,
		/// The leaves of this fleet are in tiles: propose commitments, or open a roll of another name.
		RollMissing,
		/// The commitment names no tile: name the one at the top.
		TilesMissing,
		/// The names of the devices would be too long: choose 1 to 54 letters for the fleet.
		RollNameTooLong,
		/// No Ed25519 key can serve this purpose, the validity ends before it begins, or the organisation's policy forbids
		/// such keys: choose other terms, or ask for another policy.
		TermsForbidden,
		/// The call brings no key: name at least one.
		KeysMissing,
		/// The first key would not stand behind the last one: read the fleet again, and have the keys sign for their places.
		PlaceNotNext,
		/// The signatures have expired, or expire too late: have the keys sign again, for at most a day.
		SignatureExpired,
		/// The key at this position of the call, counted from 0, is there a second time: name each key once.
		KeyRepeated(u16),
		/// The signature at this position of the call, counted from 0, is not that of the key over fleet, place, terms and
		/// expiry: have the key sign again.
		PossessionInvalid(u16),
	}
}
