#![doc = include_str!("../README.md")]
#![cfg_attr(target_os = "none", no_std)]
#![deny(missing_docs, clippy::undocumented_unsafe_blocks)]

#[cfg(target_os = "none")]
mod bare;
mod result;

pub use result::{DpkiResult, DpkiStatus};

use core::{slice, time::Duration};
use dpki_primitives::{
	ids::{AnchorId, DeviceId, KeyId},
	storage_keys,
};
use dpki_verifier::{
	Checkpoint, Error, Freshness, Query, Verified, Verifier, Zebra, genesis_key, limits::MAX_KEYS,
};

/// Bytes of the caller. `data` may be null if `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DpkiBytes {
	/// Where they begin.
	pub data: *const u8,
	/// How many there are.
	pub len: usize,
}

/// How old an answer may be.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DpkiClock {
	/// What the clock shows: milliseconds since the Unix epoch.
	pub now_ms: u64,
	/// How far the block may lie behind it, in milliseconds.
	pub max_age_ms: u64,
}

/// A storage key, and what was proven about it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DpkiRecord {
	/// In: the storage key.
	pub key: DpkiBytes,
	/// Out: the value, inside the bundle.
	pub value: DpkiBytes,
	/// Out: whether there is a value. If not, its absence was proven.
	pub present: bool,
}

/// A verified block.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DpkiBlock {
	/// Its number.
	pub number: u32,
	/// Its hash.
	pub hash: [u8; 32],
	/// The chain time in it: milliseconds since the Unix epoch.
	pub time_ms: u64,
}

/// A key of a device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DpkiKey {
	/// The verdict. Only `DPKI_STATUS_VALID` is a yes.
	pub status: DpkiStatus,
	/// The reason of a revocation as in RFC 5280 section 5.3.1; 0 if there is none.
	pub reason: u8,
	/// Since when it is revoked, in milliseconds since the Unix epoch; 0 if it is not.
	pub revoked_at_ms: u64,
	/// The algorithm: 0 Ed25519, 1 sr25519, 2 secp256k1, 3 P-256, 4 X25519, 5 RSA; and by the SHA2-256 of the public key:
	/// 6 ML-DSA-44, 7 ML-DSA-65, 8 ML-DSA-87, 9 X-Wing.
	pub key_type: u8,
	/// What it is for: 0 signing, 1 key agreement, 2 TLS, 3 SSH.
	pub purpose: u8,
	/// How many bytes the public key has; 0 if the chain does not know the key.
	pub public_key_len: u16,
	/// The public key. That of RSA-4096 is the longest.
	pub public_key: [u8; 526],
}

/// The length of a storage key of an anchor, a device or a key.
pub const DPKI_STORAGE_KEY_LEN: usize = 64;

/// The length of the storage key of the genesis hash.
pub const DPKI_GENESIS_KEY_LEN: usize = 44;

/// Proves what lies under storage keys.
///
/// `clock` may be null for a device without one: then nothing older than the checkpoint is accepted, and no more is
/// checked. `bind_genesis` has the state say which chain it is of: GRANDPA's signatures do not, so that without it the block
/// of another chain passes if the same authorities run that with the same keys. The bundle then has to answer the key of
/// `dpki_genesis_storage_key` too, which is up to two kilobytes more. `block` may be null. `*next_len` holds the size of
/// `next` and receives the length of the next checkpoint.
///
/// # Safety
///
/// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_verify(
	checkpoint: DpkiBytes,
	bundle: DpkiBytes,
	records: *mut DpkiRecord,
	record_count: usize,
	clock: *const DpkiClock,
	bind_genesis: bool,
	block: *mut DpkiBlock,
	next: *mut u8,
	next_len: *mut usize,
) -> DpkiResult {
	if record_count > MAX_KEYS || (records.is_null() && record_count > 0) {
		return DpkiResult::Argument;
	}
	let records = if record_count == 0 {
		&mut []
	} else {
		// SAFETY: not null, and valid for this many by the contract of this function.
		unsafe { slice::from_raw_parts_mut(records, record_count) }
	};
	let mut query = Query::new();
	for record in records.iter() {
		// SAFETY: valid by the contract of this function.
		let Some(key) = (unsafe { bytes(record.key) }) else { return DpkiResult::Argument };
		query = query.storage_key(key.to_vec());
	}
	let query = bound(query, bind_genesis);
	let answer = |verified: &Verified<'_>| {
		for record in records.iter_mut() {
			// SAFETY: valid by the contract of this function.
			let key = unsafe { bytes(record.key) }.unwrap_or_default();
			let value = verified.value(key)?;
			record.present = value.is_some();
			let value = value.unwrap_or_default();
			record.value = DpkiBytes { data: value.as_ptr(), len: value.len() };
		}
		Ok(())
	};
	// SAFETY: the same contract.
	unsafe { verify(checkpoint, bundle, &query, clock, block, next, next_len, answer) }
}

/// Proves one key of a device and gives the verdict about it.
///
/// `device` and `key` are ids of 32 bytes. A key that the chain does not know, or that belongs to another device, is an
/// answer too: its status is `DPKI_STATUS_UNKNOWN`. See `dpki_verify` for the rest.
///
/// # Safety
///
/// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_verify_key(
	checkpoint: DpkiBytes,
	bundle: DpkiBytes,
	device: *const u8,
	key: *const u8,
	clock: *const DpkiClock,
	bind_genesis: bool,
	found: *mut DpkiKey,
	block: *mut DpkiBlock,
	next: *mut u8,
	next_len: *mut usize,
) -> DpkiResult {
	// SAFETY: ids have 32 bytes by the contract of this function.
	let (Some(device), Some(key)) = (unsafe { id(device) }, unsafe { id(key) }) else {
		return DpkiResult::Argument;
	};
	if found.is_null() {
		return DpkiResult::Argument;
	}
	let (device, key) = (DeviceId(device), KeyId(key));
	let query = bound(Query::new().device(device).key(key), bind_genesis);
	let answer = |verified: &Verified<'_>| {
		let answer = describe_key(verified, device, key)?;
		// SAFETY: not null, and valid by the contract of this function.
		unsafe { found.write(answer) };
		Ok(())
	};
	// SAFETY: the same contract.
	unsafe { verify(checkpoint, bundle, &query, clock, block, next, next_len, answer) }
}

/// Follows changes of the authority set.
///
/// # Safety
///
/// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_advance(
	checkpoint: DpkiBytes,
	fragments: DpkiBytes,
	next: *mut u8,
	next_len: *mut usize,
) -> DpkiResult {
	// SAFETY: valid by the contract of this function.
	let (Some(checkpoint), Some(fragments)) =
		(unsafe { bytes(checkpoint) }, unsafe { bytes(fragments) })
	else {
		return DpkiResult::Argument;
	};
	let advanced = Checkpoint::decode(checkpoint)
		.map(|checkpoint| Verifier::new(checkpoint, Zebra))
		.and_then(|mut verifier| verifier.advance(fragments).cloned());
	match advanced {
		// SAFETY: the same contract.
		Ok(checkpoint) => unsafe { give(&checkpoint, next, next_len) },
		Err(error) => DpkiResult::from(&error),
	}
}

/// Goes on from a new checkpoint that the pinned authorities have signed. `now_ms` is what the clock shows: milliseconds
/// since the Unix epoch.
///
/// # Safety
///
/// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_recover(
	checkpoint: DpkiBytes,
	recovery: DpkiBytes,
	now_ms: u64,
	next: *mut u8,
	next_len: *mut usize,
) -> DpkiResult {
	// SAFETY: valid by the contract of this function.
	let (Some(checkpoint), Some(recovery)) =
		(unsafe { bytes(checkpoint) }, unsafe { bytes(recovery) })
	else {
		return DpkiResult::Argument;
	};
	let recovered = Checkpoint::decode(checkpoint)
		.map(|checkpoint| Verifier::new(checkpoint, Zebra))
		.and_then(|mut verifier| verifier.recover(recovery, now_ms).cloned());
	match recovered {
		// SAFETY: the same contract.
		Ok(checkpoint) => unsafe { give(&checkpoint, next, next_len) },
		Err(error) => DpkiResult::from(&error),
	}
}

/// Writes the storage key of the anchor with this id of 32 bytes to `out`, 64 bytes.
///
/// # Safety
///
/// Both pointers have to be valid for these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_anchor_storage_key(anchor: *const u8, out: *mut u8) -> DpkiResult {
	// SAFETY: the same contract.
	unsafe { storage_key(anchor, out, |id| storage_keys::anchor(AnchorId(id))) }
}

/// Writes the storage key of the device with this id of 32 bytes to `out`, 64 bytes.
///
/// # Safety
///
/// Both pointers have to be valid for these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_device_storage_key(device: *const u8, out: *mut u8) -> DpkiResult {
	// SAFETY: the same contract.
	unsafe { storage_key(device, out, |id| storage_keys::device(DeviceId(id))) }
}

/// Writes the storage key of the key with this id of 32 bytes to `out`, 64 bytes.
///
/// # Safety
///
/// Both pointers have to be valid for these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_key_storage_key(key: *const u8, out: *mut u8) -> DpkiResult {
	// SAFETY: the same contract.
	unsafe { storage_key(key, out, |id| storage_keys::key(KeyId(id))) }
}

/// Writes the storage key of the hash of the chain's first block to `out`, 44 bytes.
///
/// # Safety
///
/// The pointer has to be valid for this length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dpki_genesis_storage_key(out: *mut u8) -> DpkiResult {
	let key = genesis_key();
	if out.is_null() || key.len() != DPKI_GENESIS_KEY_LEN {
		return DpkiResult::Argument;
	}
	// SAFETY: not null, and valid for 44 bytes by the contract of the caller.
	unsafe { out.copy_from_nonoverlapping(key.as_ptr(), DPKI_GENESIS_KEY_LEN) };
	DpkiResult::Ok
}

/// What the functions that take a bundle have in common. What `answer` writes counts only if the result is good.
unsafe fn verify(
	checkpoint: DpkiBytes,
	bundle: DpkiBytes,
	query: &Query,
	clock: *const DpkiClock,
	block: *mut DpkiBlock,
	next: *mut u8,
	next_len: *mut usize,
	answer: impl FnOnce(&Verified<'_>) -> Result<(), Error>,
) -> DpkiResult {
	// SAFETY: valid by the contract of the caller.
	let (Some(checkpoint), Some(bundle)) = (unsafe { bytes(checkpoint) }, unsafe { bytes(bundle) })
	else {
		return DpkiResult::Argument;
	};
	// SAFETY: null or valid by the contract of the caller.
	let freshness = match unsafe { clock.as_ref() } {
		Some(clock) => Freshness::at_most(Duration::from_millis(clock.max_age_ms), clock.now_ms),
		None => Freshness::without_clock(),
	};
	let mut verifier = match Checkpoint::decode(checkpoint) {
		Ok(checkpoint) => Verifier::new(checkpoint, Zebra),
		Err(error) => return DpkiResult::from(&error),
	};
	let verified = match verifier.verify(bundle, query, freshness) {
		Ok(verified) => verified,
		Err(error) => return DpkiResult::from(&error),
	};
	if let Err(error) = answer(&verified) {
		return DpkiResult::from(&error);
	}
	// SAFETY: null or valid by the contract of the caller.
	if let Some(block) = unsafe { block.as_mut() } {
		*block = DpkiBlock {
			number: verified.number(),
			hash: verified.hash(),
			time_ms: verified.time(),
		};
	}
	// SAFETY: the same contract.
	unsafe { give(verified.checkpoint(), next, next_len) }
}

fn describe_key(verified: &Verified<'_>, device: DeviceId, key: KeyId) -> Result<DpkiKey, Error> {
	let mut answer = DpkiKey {
		status: DpkiStatus::Unknown,
		reason: 0,
		revoked_at_ms: 0,
		key_type: 0,
		purpose: 0,
		public_key_len: 0,
		public_key: [0; 526],
	};
	let record = verified.key(key)?;
	let Some(record) = record.get().filter(|record| record.device == device) else {
		return Ok(answer);
	};
	let status = verified.key_status(key)?;
	answer.status = status.into();
	if let Some(revocation) = status.revocation() {
		answer.reason = result::reason(revocation.reason);
		answer.revoked_at_ms = revocation.at;
	}
	(answer.key_type, answer.purpose) =
		(result::key_type(record.public.key_type), result::purpose(record.purpose));
	for (to, from) in answer.public_key.iter_mut().zip(record.public.bytes.iter()) {
		*to = *from;
		answer.public_key_len += 1;
	}
	Ok(answer)
}

fn bound(query: Query, bind_genesis: bool) -> Query {
	if bind_genesis { query.bind_genesis() } else { query }
}

/// The bytes, or `None` if they are null and should not be.
unsafe fn bytes<'a>(bytes: DpkiBytes) -> Option<&'a [u8]> {
	match (bytes.data.is_null(), bytes.len) {
		(_, 0) => Some(&[]),
		(true, _) => None,
		// SAFETY: not null, and valid for this length by the contract of the caller.
		(false, len) => Some(unsafe { slice::from_raw_parts(bytes.data, len) }),
	}
}

unsafe fn id(id: *const u8) -> Option<[u8; 32]> {
	// SAFETY: null or valid for 32 bytes by the contract of the caller.
	unsafe { id.cast::<[u8; 32]>().as_ref() }.copied()
}

unsafe fn storage_key<K: AsRef<[u8]>>(
	from: *const u8,
	out: *mut u8,
	key: impl FnOnce([u8; 32]) -> K,
) -> DpkiResult {
	// SAFETY: the same contract.
	let Some(id) = (unsafe { id(from) }) else { return DpkiResult::Argument };
	let key = key(id);
	if out.is_null() || key.as_ref().len() != DPKI_STORAGE_KEY_LEN {
		return DpkiResult::Argument;
	}
	// SAFETY: not null, and valid for 64 bytes by the contract of the caller.
	unsafe { out.copy_from_nonoverlapping(key.as_ref().as_ptr(), DPKI_STORAGE_KEY_LEN) };
	DpkiResult::Ok
}

/// Hands the next checkpoint out.
unsafe fn give(checkpoint: &Checkpoint, next: *mut u8, next_len: *mut usize) -> DpkiResult {
	// SAFETY: null or valid by the contract of the caller.
	let Some(next_len) = (unsafe { next_len.as_mut() }) else { return DpkiResult::Argument };
	let encoded = checkpoint.encode();
	let room = core::mem::replace(next_len, encoded.len());
	if next.is_null() || room < encoded.len() {
		return DpkiResult::BufferTooSmall;
	}
	// SAFETY: not null, and valid for `room` bytes by the contract of the caller.
	unsafe { next.copy_from_nonoverlapping(encoded.as_ptr(), encoded.len()) };
	DpkiResult::Ok
}
