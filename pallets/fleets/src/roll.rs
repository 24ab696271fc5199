//! Keys that are put on the chain themselves, with their possession proven: fleets with a
//! [roll](dpki_primitives::fleet::roll).

use crate::{
	Config, Error, Event, Fleets, Pallet, RollEntries, RollTiles, Rolls, commitments::unpaid,
};
use alloc::{collections::BTreeSet, vec::Vec};
use dpki_crypto::{
	Host,
	ed25519::{self, Signed},
};
use dpki_primitives::{
	Moment,
	context::is_expiry_acceptable,
	device::MAX_GRACE,
	economy::{Economy, Operation, Resource},
	fleet::{
		Commitment, FleetRecord, MAX_FLEET_SIZE, MAX_ROLL_NAME_LEN, RollEntry, RollRecord,
		RollTerms, TILE_WIDTH,
		roll::{ON_ROLL, leaf_hashes},
	},
	ids::{FleetId, Name, OrganisationId, is_valid_name},
	registry::Registry,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_open_roll(
		account: T::AccountId,
		organisation: OrganisationId,
		name: Name,
		terms: RollTerms,
	) -> DispatchResult {
		Self::ensure_registrar(&account, organisation)?;
		ensure!(is_valid_name(&name), Error::<T>::FleetNameInvalid);
		ensure!(name.len() <= MAX_ROLL_NAME_LEN as usize, Error::<T>::RollNameTooLong);
		let fleet = FleetId::from_name(organisation, &name);
		ensure!(!Fleets::<T>::contains_key(fleet), Error::<T>::FleetExists);
		Self::ensure_allowed(organisation, &name, &terms)?;
		T::Economy::hold(&account, Resource::Fleet(fleet)).map_err(unpaid)?;
		// A deposit alone returns when the fleet is retired, and its name is taken for ever.
		T::Economy::charge(&account, Operation::CommitFleet, 1).map_err(unpaid)?;
		Self::list_fleet(organisation, fleet);
		Fleets::<T>::insert(fleet, FleetRecord::new(organisation, name, T::Time::now()));
		Rolls::<T>::insert(fleet, RollRecord::new(terms));
		Self::deposit_event(Event::RollOpened { fleet, organisation, terms });
		Ok(())
	}

	pub(crate) fn do_append_keys(
		account: T::AccountId,
		fleet: FleetId,
		from: u32,
		grace: Moment,
		expires_at: Moment,
		entries: &RollEntries,
	) -> DispatchResult {
		let mut record = Self::managed_fleet(&account, fleet)?;
		Self::ensure_open(&record)?;
		let mut roll = Rolls::<T>::get(fleet).ok_or(Error::<T>::RollMissing)?;
		let now = T::Time::now();
		ensure!(grace <= MAX_GRACE, Error::<T>::GraceTooLong);
		ensure!(is_expiry_acceptable(expires_at, now), Error::<T>::SignatureExpired);
		ensure!(!entries.is_empty(), Error::<T>::KeysMissing);
		ensure!(from == roll.size, Error::<T>::PlaceNotNext);
		// Before anything is computed for places that cannot be.
		let size = from.saturating_add(entries.len() as u32);
		ensure!(size <= MAX_FLEET_SIZE, Error::<T>::FleetSizeInvalid);
		Self::ensure_allowed(record.organisation, &record.name, &roll.terms)?;
		Self::judge_entries(fleet, &roll, expires_at, entries)?;
		T::Economy::charge(&account, Operation::BatchKey, entries.len() as u32).map_err(unpaid)?;

		let keys: Vec<_> = entries.iter().map(|entry| entry.key).collect();
		// No name on a roll is too long, and the size is possible.
		let leaves = leaf_hashes(&roll.terms, &record.name, from, &keys);
		let root = leaves.and_then(|leaves| roll.extend(&leaves));
		let root = root.ok_or(Error::<T>::FleetSizeInvalid)?;
		let commitment = Commitment { size, root, tiles: ON_ROLL };
		let revision = record.grow(commitment, grace, now);
		Self::write_keys(fleet, from, &keys);
		let organisation = record.organisation;
		Fleets::<T>::insert(fleet, record);
		Rolls::<T>::insert(fleet, roll);
		let appended = Event::KeysAppended { fleet, organisation, revision, from, commitment };
		Self::deposit_event(appended);
		Ok(())
	}

	/// That keys can stand on a roll under these terms, and that the organisation wants it.
	fn ensure_allowed(
		organisation: OrganisationId,
		name: &[u8],
		terms: &RollTerms,
	) -> Result<(), Error<T>> {
		// Whether it is allowed depends on neither place nor key.
		let leaf = terms.leaf(name, 0, &[1; 32]).ok_or(Error::<T>::RollNameTooLong)?;
		let policy = T::Registry::key_policy(organisation);
		let is_allowed = leaf.is_well_formed() && leaf.is_allowed_by(&policy);
		ensure!(is_allowed, Error::<T>::TermsForbidden);
		Ok(())
	}

	/// Names the first entry that is refused, for whichever reason.
	fn judge_entries(
		fleet: FleetId,
		roll: &RollRecord,
		expires_at: Moment,
		entries: &[RollEntry],
	) -> Result<(), Error<T>> {
		let mut keys = BTreeSet::new();
		let repeated = entries.iter().position(|entry| !keys.insert(&entry.key));
		// What comes before the first that is repeated may be refused for its signatures, which are verified together.
		let judged = repeated.unwrap_or(entries.len());
		let genesis = Self::genesis();
		let payloads: Vec<_> = (roll.size..)
			.take(judged)
			.map(|place| roll.terms.possession(genesis, fleet, place, expires_at).payload())
			.collect();
		let batch: Vec<_> = entries
			.iter()
			.zip(&payloads)
			.map(|(entry, payload)| Signed {
				key: &entry.key,
				message: payload,
				signature: &entry.possession,
			})
			.collect();
		// No call brings more keys than a position can have.
		if let Some(position) = ed25519::first_refused(&Host, &batch) {
			return Err(Error::<T>::PossessionInvalid(position as u16));
		}
		match repeated {
			Some(position) => Err(Error::<T>::KeyRepeated(position as u16)),
			None => Ok(()),
		}
	}

	/// Writes each tile that changes once.
	fn write_keys(fleet: FleetId, from: u32, keys: &[[u8; 32]]) {
		let (mut place, mut rest) = (from, keys);
		while !rest.is_empty() {
			let room = (TILE_WIDTH - place % TILE_WIDTH) as usize;
			let (keys, later) = rest.split_at(room.min(rest.len()));
			let index = place / TILE_WIDTH;
			// Only the first tile can have keys already. The others are not read, and the weight counts on that.
			let mut tile = match place % TILE_WIDTH {
				0 => Default::default(),
				_ => RollTiles::<T>::get(fleet, index),
			};
			// There is room: tiles hold all keys before this place, and no others.
			keys.iter().for_each(|key| tile.try_push(*key).unwrap_or_default());
			RollTiles::<T>::insert(fleet, index, tile);
			place = place.saturating_add(keys.len() as u32);
			rest = later;
		}
	}

	/// The genesis hash, the one block hash that the system never prunes.
	pub(crate) fn genesis() -> [u8; 32] {
		let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
		hash.as_ref().try_into().unwrap_or_default()
	}
}

/// What it costs to append keys.
pub(crate) mod costs {
	use crate::{Config, WeightInfo};
	use dpki_primitives::fleet::TILE_WIDTH;
	use frame_support::{traits::Get, weights::Weight};

	/// The most that it can cost: with the search for a signature that does not verify.
	pub(crate) fn at_most<T: Config>(count: u32) -> Weight {
		of_append::<T>(count).max(T::WeightInfo::refuse_keys(count))
	}

	/// What it costs when nothing is refused. The tiles are counted here, as a measurement by keys rounds them away.
	pub(crate) fn of_append<T: Config>(count: u32) -> Weight {
		let tiles = count.div_ceil(TILE_WIDTH).saturating_add(1);
		let accesses = T::DbWeight::get().reads_writes(1, tiles.into());
		T::WeightInfo::append_keys(count).saturating_add(accesses)
	}
}
