//! What is true of the storage between any two blocks.

use crate::{
	Config, FleetCount, Fleets, OrganisationFleets, Pallet, RevokedMembers, RollTiles, Rolls, Votes,
};
use alloc::collections::{BTreeMap, BTreeSet};
use dpki_primitives::{
	fleet::{
		Change, FleetRecord, TILE_WIDTH, revocation::chunks, roll::leaf_hashes, tile::entries_in,
		tree::root_of,
	},
	ids::{FleetId, OrganisationId, is_valid_name},
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Fleets lie under their names and have possible heads; bitmaps and votes are about fleets and heads that there are;
	/// no member is revoked twice; rolls hold the keys that their fleets count.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut counts = BTreeMap::<OrganisationId, u32>::new();
		for (id, fleet) in Fleets::<T>::iter() {
			Self::check_fleet(id, &fleet)?;
			*counts.entry(fleet.organisation).or_default() += 1;
		}
		ensure!(
			FleetCount::<T>::iter().collect::<BTreeMap<_, _>>() == counts,
			"an organisation has another number of fleets than is counted"
		);
		Self::try_listed()?;
		Self::try_rolls()?;
		for (id, number, chunk) in RevokedMembers::<T>::iter() {
			let fleet = Fleets::<T>::get(id).ok_or("members are revoked of no fleet")?;
			// A candidate that was withdrawn may have been larger than anything that is left.
			ensure!(number <= u32::from(u16::MAX), "a chunk has an impossible number");
			ensure!(fleet.revisions > 0, "members are revoked of a fleet without commitments");
			ensure!(!chunk.batches.is_empty(), "a chunk without revocations is stored");
			let mut known = [0u8; dpki_primitives::fleet::revocation::MASK_LEN];
			for batch in &chunk.batches {
				ensure!(batch.mask.iter().any(|byte| *byte != 0), "a batch revokes nobody");
				for (known, byte) in known.iter_mut().zip(batch.mask) {
					ensure!(*known & byte == 0, "a member is revoked twice");
					*known |= byte;
				}
			}
		}
		for (id, revision, votes) in Votes::<T>::iter() {
			let fleet = Fleets::<T>::get(id).ok_or("votes are about no fleet")?;
			let is_voted_on = fleet.candidate.is_some_and(|it| it.revision == revision)
				|| fleet.current.is_some_and(|it| it.revision == revision);
			ensure!(is_voted_on, "votes are about a revision that is gone");
			ensure!(!votes.is_empty(), "no votes are stored");
			for (place, vote) in votes.iter().enumerate() {
				let again = votes.iter().skip(place + 1).any(|other| other.voter == vote.voter);
				ensure!(!again, "a voter has two votes");
			}
		}
		Ok(())
	}

	/// An organisation lists its fleets, each once and without gaps, and no others.
	fn try_listed() -> Result<(), TryRuntimeError> {
		let mut listed = BTreeSet::new();
		for (organisation, count) in FleetCount::<T>::iter() {
			for index in 0..count {
				let id = OrganisationFleets::<T>::get(organisation, index)
					.ok_or("a list of fleets has a gap")?;
				let fleet = Fleets::<T>::get(id).ok_or("a listed fleet does not exist")?;
				ensure!(
					fleet.organisation == organisation,
					"an organisation lists a fleet of another"
				);
				ensure!(listed.insert(id), "a fleet is listed twice");
			}
		}
		ensure!(
			OrganisationFleets::<T>::iter_values().count() == listed.len(),
			"there are fleets beyond a count"
		);
		Ok(())
	}

	/// A fleet has a roll or tiles, as its record says; the keys of a roll lead to the root that counts, and no tile holds
	/// anything else.
	fn try_rolls() -> Result<(), TryRuntimeError> {
		let mut tiles = 0;
		for (id, roll) in Rolls::<T>::iter() {
			let fleet = Fleets::<T>::get(id).ok_or("a roll is that of no fleet")?;
			ensure!(fleet.has_roll(), "a fleet with a roll has its leaves in tiles");
			ensure!(fleet.candidate.is_none(), "a fleet with a roll has a candidate");
			let counted = fleet.current.map(|head| (head.commitment.size, head.commitment.root));
			let written = (roll.size > 0).then_some(roll.size).zip(roll.root());
			ensure!(counted == written, "a roll is not what counts of its fleet");
			let mut keys = alloc::vec::Vec::new();
			for number in 0..roll.size.div_ceil(TILE_WIDTH) {
				let tile = RollTiles::<T>::get(id, number);
				let expected = entries_in(0, number, roll.size);
				ensure!(Some(tile.len() as u32) == expected, "a tile of a roll is not full");
				keys.extend(tile);
				tiles += 1;
			}
			let leaves = leaf_hashes(&roll.terms, &fleet.name, 0, &keys)
				.ok_or("a member of a roll has no name")?;
			let is_root = roll.root() == Some(root_of(&leaves));
			ensure!(is_root, "the keys of a roll lead to another root");
		}
		ensure!(
			RollTiles::<T>::iter_keys().count() == tiles,
			"keys stand beyond the end of a roll"
		);
		let with_roll = Fleets::<T>::iter_values().filter(FleetRecord::has_roll).count();
		ensure!(Rolls::<T>::iter_keys().count() == with_roll, "a fleet has lost its roll");
		Ok(())
	}

	fn check_fleet(id: FleetId, fleet: &FleetRecord) -> Result<(), TryRuntimeError> {
		ensure!(is_valid_name(&fleet.name), "a fleet has an impossible name");
		ensure!(
			id == FleetId::from_name(fleet.organisation, &fleet.name),
			"a fleet lies under another name"
		);
		let heads = [fleet.previous.map(|it| it.head), fleet.current];
		let heads = heads.iter().flatten().map(|head| (head.revision, head.commitment));
		let candidate = fleet.candidate.map(|it| (it.revision, it.commitment));
		let all: alloc::vec::Vec<_> = heads.chain(candidate).collect();
		ensure!(
			all.iter().all(|(_, commitment)| commitment.has_valid_size()),
			"a commitment has an impossible size"
		);
		ensure!(
			all.is_sorted_by(|one, next| one.0 < next.0 && one.1.size <= next.1.size),
			"a fleet went back or became smaller"
		);
		ensure!(
			all.last().is_none_or(|(revision, _)| *revision < fleet.revisions),
			"a fleet counts fewer revisions than it has"
		);
		ensure!(
			fleet.current.is_some() || fleet.previous.is_none(),
			"a head was replaced by nothing"
		);
		if let Some(candidate) = fleet.candidate {
			ensure!(
				(candidate.change == Change::Commit) == fleet.current.is_none(),
				"a candidate changes what there is not"
			);
			ensure!(
				fleet.revocation.is_none() && fleet.retired_at.is_none(),
				"a fleet that has ended has a candidate"
			);
		}
		ensure!(chunks(fleet.size()) <= u32::from(u16::MAX) + 1, "a member has no chunk");
		Ok(())
	}
}
