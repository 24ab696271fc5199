// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What happened in finalised blocks, read from their states.
//!
//! Events are part of the state of their block. They can be read for as long as that is stored: 256 blocks by default, for
//! ever with `--state-pruning archive`. Each block is read once and kept for all subscribers.

use super::{deliveries::Delivery, error::Refusal, limits::CACHED_BLOCKS, revocations::Revocation};
use crate::service::{FullBackend, FullClient};
use codec::{Compact, Decode, DecodeAll};
use dpki_runtime::{BlockNumber, Hash, RuntimeEvent, VERSION};
use frame_system::EventRecord;
use parking_lot::Mutex;
use sc_client_api::{Backend, StorageKey, StorageProvider};
use schnellru::{ByLength, LruMap};
use sp_blockchain::HeaderBackend;
use sp_crypto_hashing::twox_128;
use std::sync::Arc;

/// What happened in a finalised block.
#[derive(Debug, PartialEq, Eq)]
pub struct BlockEvents {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: Hash,
	/// What was revoked.
	pub revocations: Vec<Revocation>,
	/// What happened to deliveries.
	pub deliveries: Vec<Delivery>,
}

/// Reads blocks.
pub struct Events {
	client: Arc<FullClient>,
	backend: Arc<FullBackend>,
	blocks: Mutex<LruMap<BlockNumber, Arc<BlockEvents>>>,
}

impl Events {
	/// Reads from this client and its database.
	pub fn new(client: Arc<FullClient>, backend: Arc<FullBackend>) -> Self {
		Self { client, backend, blocks: Mutex::new(LruMap::new(ByLength::new(CACHED_BLOCKS))) }
	}

	/// What happened in this block, which is final.
	pub fn read(&self, number: BlockNumber) -> Result<Arc<BlockEvents>, Refusal> {
		if let Some(known) = self.blocks.lock().get(&number) {
			return Ok(known.clone());
		}
		let missing = || Refusal::internal(format_args!("the finalised block {number} is missing"));
		let hash = self.client.hash(number)?.ok_or_else(missing)?;
		let read = |item| self.client.storage(hash, &StorageKey(system(item)));
		let stored = read("Events").and_then(|events| Ok((events, read("LastRuntimeUpgrade")?)));
		let (events, runtime) = match stored {
			Ok(stored) => stored,
			// Asked for afterwards, because it could have been pruned in between.
			Err(_) if !self.has_state(number) => {
				let oldest = self.oldest(number);
				return Err(Refusal::Pruned { asked: number, oldest });
			},
			Err(error) => return Err(error.into()),
		};
		if let Some(runtime) = runtime {
			check_version(&runtime.0)?;
		}
		let (revocations, deliveries) = match events {
			Some(events) => decode(&events.0)?,
			// The first block has none.
			None => Default::default(),
		};
		let block = Arc::new(BlockEvents { number, hash, revocations, deliveries });
		self.blocks.lock().insert(number, block.clone());
		Ok(block)
	}

	fn has_state(&self, number: BlockNumber) -> bool {
		let hash = self.client.hash(number).ok().flatten();
		hash.is_some_and(|hash| self.backend.have_state_at(hash, number))
	}

	/// The oldest block of which the state is stored, knowing that this one's is not.
	fn oldest(&self, missing: BlockNumber) -> BlockNumber {
		let newest = self.client.info().finalized_number;
		first_where(missing, newest, |number| self.has_state(number))
	}
}

/// The first number above `without` for which this is true, given that it stays true up to `with`.
fn first_where(
	mut without: BlockNumber,
	mut with: BlockNumber,
	is_true: impl Fn(BlockNumber) -> bool,
) -> BlockNumber {
	while with.saturating_sub(without) > 1 {
		let middle = without + (with - without) / 2;
		if is_true(middle) { with = middle } else { without = middle }
	}
	with
}

/// An item of `frame_system`.
fn system(item: &str) -> Vec<u8> {
	[twox_128(b"System"), twox_128(item.as_bytes())].concat()
}

/// Later runtimes may have other events. Those of earlier ones are understood, because events are only ever added to.
///
/// `LastRuntimeUpgrade` begins with the version of the runtime that has executed the block, which is not the one in its
/// state if the block brought a new one.
fn check_version(last_upgrade: &[u8]) -> Result<(), Refusal> {
	let Compact(found) = Compact::<u32>::decode(&mut &*last_upgrade).map_err(Refusal::internal)?;
	let known = VERSION.spec_version;
	if found > known { Err(Refusal::RuntimeTooNew { found, known }) } else { Ok(()) }
}

fn decode(events: &[u8]) -> Result<(Vec<Revocation>, Vec<Delivery>), Refusal> {
	let events = Vec::<EventRecord<RuntimeEvent, Hash>>::decode_all(&mut &*events)
		.map_err(Refusal::internal)?;
	let (mut revocations, mut deliveries) = (Vec::new(), Vec::new());
	for (index, record) in (0u32..).zip(&events) {
		revocations.extend(Revocation::from_event(index, &record.event));
		deliveries.extend(Delivery::from_event(index, &record.event));
	}
	Ok((revocations, deliveries))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use dpki_primitives::{
		ids::{DeviceId, KeyId},
		revocation::RevocationReason,
	};
	use frame_system::Phase;

	#[test]
	fn events_keep_their_place_in_the_block() {
		let revoked = |number| {
			RuntimeEvent::Dpki(pallet_dpki::Event::KeyRevoked {
				key: KeyId([number; 32]),
				device: DeviceId([9; 32]),
				reason: RevocationReason::Superseded,
			})
		};
		let other =
			RuntimeEvent::System(frame_system::Event::NewAccount { account: [7; 32].into() });
		let records: Vec<_> = [other.clone(), revoked(1), other, revoked(2)]
			.into_iter()
			.map(|event| EventRecord::<_, Hash> {
				phase: Phase::Finalization,
				event,
				topics: Vec::new(),
			})
			.collect();
		let (revocations, deliveries) = decode(&records.encode()).unwrap();
		let told: Vec<_> = revocations.iter().map(|it| (it.index, it.id)).collect();
		assert_eq!(told, [(1, Hash::repeat_byte(1)), (3, Hash::repeat_byte(2))]);
		assert!(deliveries.is_empty());
	}

	#[test]
	fn events_that_are_not_understood_are_not_guessed() {
		assert_eq!(decode(&[4, 1, 2, 3]), Err(Refusal::Internal));
		let mut longer = Vec::<EventRecord<RuntimeEvent, Hash>>::new().encode();
		longer.push(0);
		assert_eq!(decode(&longer), Err(Refusal::Internal));
	}

	#[test]
	fn a_runtime_that_is_newer_than_the_node_is_refused() {
		let known = VERSION.spec_version;
		let upgrade = |version: u32| (Compact(version), "dpki").encode();
		assert_eq!(check_version(&upgrade(known)), Ok(()));
		let refused = Err(Refusal::RuntimeTooNew { found: known + 1, known });
		assert_eq!(check_version(&upgrade(known + 1)), refused);
	}

	#[test]
	fn the_oldest_stored_block_is_found() {
		for oldest in [1, 2, 50, 99, 100] {
			assert_eq!(first_where(0, 100, |number| number >= oldest), oldest);
		}
	}
}
