//! What the gateway holds: bundles that were asked for lately. Bounded by count and length.

use dpki_client::carrier::node::Served;
use hyper::body::Bytes;
use schnellru::{ByLength, LruMap};
use std::{
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

/// Bundles that are held as the newest, and again as those about a block.
pub(crate) const HELD: u32 = 512;

/// Longest bundle that is held, in bytes; twice [`HELD`] of them are 64 MiB.
pub(crate) const MAX_HELD_LEN: usize = 64 * 1024;

/// A bundle.
#[derive(Debug)]
pub(crate) struct Held {
	pub(crate) number: u32,
	pub(crate) hash: [u8; 32],
	pub(crate) bundle: Bytes,
	since: Instant,
}

/// Keys and checkpoint.
type Question = (Vec<Vec<u8>>, Option<[u8; 32]>);

pub(crate) struct Cache {
	max_age: Duration,
	newest: Mutex<LruMap<Question, Arc<Held>>>,
	at: Mutex<LruMap<([u8; 32], Question), Arc<Held>>>,
}

impl Cache {
	pub(crate) fn new(max_age: Duration) -> Self {
		Self {
			max_age,
			newest: Mutex::new(LruMap::new(ByLength::new(HELD))),
			at: Mutex::new(LruMap::new(ByLength::new(HELD))),
		}
	}

	/// What was the newest for this question less than the highest age ago.
	pub(crate) fn newest(
		&self,
		keys: &[Vec<u8>],
		checkpoint: Option<[u8; 32]>,
	) -> Option<Arc<Held>> {
		let held = lock(&self.newest).get(&(keys.to_vec(), checkpoint)).cloned()?;
		(held.since.elapsed() < self.max_age).then_some(held)
	}

	/// The bundle about this block.
	pub(crate) fn at(
		&self,
		block: [u8; 32],
		keys: &[Vec<u8>],
		checkpoint: Option<[u8; 32]>,
	) -> Option<Arc<Held>> {
		lock(&self.at).get(&(block, (keys.to_vec(), checkpoint))).cloned()
	}

	pub(crate) fn keep(
		&self,
		keys: Vec<Vec<u8>>,
		checkpoint: Option<[u8; 32]>,
		served: Served,
	) -> Arc<Held> {
		let held = Arc::new(Held {
			number: served.number,
			hash: served.hash,
			bundle: served.bundle.into(),
			since: Instant::now(),
		});
		if held.bundle.len() <= MAX_HELD_LEN {
			let question = (keys, checkpoint);
			lock(&self.newest).insert(question.clone(), held.clone());
			lock(&self.at).insert((held.hash, question), held.clone());
		}
		held
	}
}

/// A cache is good whatever a thread that held it did.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
