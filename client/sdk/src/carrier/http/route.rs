//! What a gateway can be asked, as paths.
//!
//! | path | answer |
//! |---|---|
//! | `/v1/chain` | JSON: the genesis hash, and the newest block that can be proven |
//! | `/v1/bundle/KEY,KEY..` | a bundle about the newest block; without keys it proves the chain time |
//! | `/v1/block/HASH/bundle/KEY,KEY..` | the bundle about this block, as long as the gateway has it |
//! | `/v1/changes/HASH` | the changes of the authority set after the block of this hash, as many as an answer holds |
//!
//! `?checkpoint=HASH` after a bundle names the block of the device's checkpoint: with it the bundle has the changes
//! after that block, without it all. Keys and hashes are hexadecimal digits in small letters without `0x`; keys are in
//! ascending order, each once, and the chain time, which is always proven, is not among them. So there is one path for
//! each question, and a cache cannot be filled with the same answer under many names.

use dpki_verifier::limits::{MAX_KEY_LEN, MAX_KEYS};
use std::fmt;

/// Longest path with its query, in bytes: some thirty keys.
pub const MAX_ROUTE_LEN: usize = 8 * 1024;

/// The type of bundles and changes.
pub const CONTENT_TYPE: &str = "application/octet-stream";

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Route {
	/// Which chain, and how far it is.
	Chain,
	/// A bundle about the newest block.
	Bundle {
		/// Storage keys, ascending, without the chain time.
		keys: Vec<Vec<u8>>,
		/// The block of the device's checkpoint.
		checkpoint: Option<[u8; 32]>,
	},
	/// A bundle about one block.
	BundleAt {
		/// The block.
		block: [u8; 32],
		/// As above.
		keys: Vec<Vec<u8>>,
		/// As above.
		checkpoint: Option<[u8; 32]>,
	},
	/// Changes of the authority set.
	Changes {
		/// After this block.
		from: [u8; 32],
	},
}

/// Why a path asks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
	/// No such path.
	#[error(
		"there is nothing at this path: ask for /v1/chain, /v1/bundle/KEYS or /v1/changes/HASH"
	)]
	Unknown,
	/// Too long.
	#[error("the path is longer than {MAX_ROUTE_LEN} bytes: ask for fewer keys at once")]
	TooLong,
	/// A key that is none.
	#[error(
		"a storage key is malformed: write its bytes as hexadecimal digits in small letters, without 0x, at most {MAX_KEY_LEN} bytes"
	)]
	Key,
	/// Too many keys.
	#[error("more than {MAX_KEYS} storage keys with the chain time: ask for fewer at once")]
	TooManyKeys,
	/// Not the one way to ask this.
	#[error(
		"the storage keys are not in ascending order, each once and without the chain time: sort them, so that caches know the question"
	)]
	Order,
	/// A hash that is none.
	#[error("a block hash is malformed: write 64 hexadecimal digits in small letters, without 0x")]
	Hash,
	/// Something else than the checkpoint behind the question mark.
	#[error("only checkpoint=HASH may stand behind the question mark")]
	Parameter,
}

impl Route {
	/// The question in this path and query.
	pub fn parse(path: &str, query: Option<&str>) -> Result<Self, RouteError> {
		if path.len() + query.map_or(0, str::len) > MAX_ROUTE_LEN {
			return Err(RouteError::TooLong);
		}
		let checkpoint = || match query {
			None => Ok(None),
			Some(query) => {
				let hash = query.strip_prefix("checkpoint=").ok_or(RouteError::Parameter)?;
				parse_hash(hash).map(Some)
			},
		};
		let words: Vec<_> = path.split('/').collect();
		let route = match words.as_slice() {
			["", "v1", "bundle"] => Self::Bundle { keys: Vec::new(), checkpoint: checkpoint()? },
			["", "v1", "bundle", keys] => {
				Self::Bundle { keys: parse_keys(keys)?, checkpoint: checkpoint()? }
			},
			["", "v1", "block", block, "bundle"] => Self::BundleAt {
				block: parse_hash(block)?,
				keys: Vec::new(),
				checkpoint: checkpoint()?,
			},
			["", "v1", "block", block, "bundle", keys] => Self::BundleAt {
				block: parse_hash(block)?,
				keys: parse_keys(keys)?,
				checkpoint: checkpoint()?,
			},
			["", "v1", "changes", from] if query.is_none() => {
				Self::Changes { from: parse_hash(from)? }
			},
			["", "v1", "chain"] if query.is_none() => Self::Chain,
			["", "v1", "changes", _] | ["", "v1", "chain"] => return Err(RouteError::Parameter),
			_ => return Err(RouteError::Unknown),
		};
		Ok(route)
	}
}

impl fmt::Display for Route {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (keys, checkpoint) = match self {
			Self::Chain => return f.write_str("/v1/chain"),
			Self::Changes { from } => return write!(f, "/v1/changes/{}", hex::encode(from)),
			Self::Bundle { keys, checkpoint } => {
				f.write_str("/v1/bundle")?;
				(keys, checkpoint)
			},
			Self::BundleAt { block, keys, checkpoint } => {
				write!(f, "/v1/block/{}/bundle", hex::encode(block))?;
				(keys, checkpoint)
			},
		};
		for (index, key) in keys.iter().enumerate() {
			write!(f, "{}{}", if index == 0 { '/' } else { ',' }, hex::encode(key))?;
		}
		match checkpoint {
			Some(hash) => write!(f, "?checkpoint={}", hex::encode(hash)),
			None => Ok(()),
		}
	}
}

fn parse_keys(text: &str) -> Result<Vec<Vec<u8>>, RouteError> {
	let keys = text.split(',').map(parse_key).collect::<Result<Vec<_>, _>>()?;
	if keys.len() >= MAX_KEYS {
		return Err(RouteError::TooManyKeys);
	}
	let has_time = keys.contains(&dpki_primitives::storage_keys::now());
	if has_time || !keys.is_sorted_by(|one, next| one < next) {
		return Err(RouteError::Order);
	}
	Ok(keys)
}

fn parse_key(digits: &str) -> Result<Vec<u8>, RouteError> {
	let is_sized = !digits.is_empty() && digits.len() <= 2 * MAX_KEY_LEN;
	if !is_sized || !is_small(digits) {
		return Err(RouteError::Key);
	}
	hex::decode(digits).map_err(|_| RouteError::Key)
}

fn parse_hash(digits: &str) -> Result<[u8; 32], RouteError> {
	let mut hash = [0; 32];
	if !is_small(digits) {
		return Err(RouteError::Hash);
	}
	hex::decode_to_slice(digits, &mut hash).map_err(|_| RouteError::Hash)?;
	Ok(hash)
}

fn is_small(digits: &str) -> bool {
	digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn parse(text: &str) -> Result<Route, RouteError> {
		match text.split_once('?') {
			Some((path, query)) => Route::parse(path, Some(query)),
			None => Route::parse(text, None),
		}
	}

	#[test]
	fn every_question_round_trips() {
		let keys = vec![vec![1; 32], vec![1; 64], vec![0xab; 64]];
		for keys in [Vec::new(), keys[..1].to_vec(), keys] {
			for checkpoint in [None, Some([7; 32])] {
				for route in [
					Route::Bundle { keys: keys.clone(), checkpoint },
					Route::BundleAt { block: [8; 32], keys: keys.clone(), checkpoint },
				] {
					assert_eq!(parse(&route.to_string()), Ok(route));
				}
			}
		}
		for route in [Route::Chain, Route::Changes { from: [9; 32] }] {
			assert_eq!(parse(&route.to_string()), Ok(route));
		}
	}

	#[test]
	fn there_is_one_way_to_ask() {
		let (one, two) = ("01".repeat(32), "ab".repeat(32));
		let now = hex::encode(dpki_primitives::storage_keys::now());
		for (path, error) in [
			(format!("/v1/bundle/{two},{one}"), RouteError::Order),
			(format!("/v1/bundle/{one},{one}"), RouteError::Order),
			(format!("/v1/bundle/{now}"), RouteError::Order),
			(format!("/v1/bundle/{}", two.to_uppercase()), RouteError::Key),
			(format!("/v1/bundle/0x{one}"), RouteError::Key),
			(format!("/v1/bundle/{one},"), RouteError::Key),
			(format!("/v1/bundle/{}", "ab".repeat(257)), RouteError::Key),
			("/v1/bundle/".into(), RouteError::Key),
			(format!("/v1/bundle/{one}?checkpoint=1"), RouteError::Hash),
			(format!("/v1/bundle/{one}?x=1"), RouteError::Parameter),
			(format!("/v1/bundle/{one}?"), RouteError::Parameter),
			(format!("/v1/changes/{one}?checkpoint={one}"), RouteError::Parameter),
			("/v1/changes/1".into(), RouteError::Hash),
			("/v1/chain?x".into(), RouteError::Parameter),
			("/v1/chain/".into(), RouteError::Unknown),
			("/".into(), RouteError::Unknown),
			("/v2/chain".into(), RouteError::Unknown),
			(format!("/v1/bundle/{}", "a".repeat(MAX_ROUTE_LEN)), RouteError::TooLong),
		] {
			assert_eq!(parse(&path), Err(error), "{path}");
		}
	}

	#[test]
	fn so_many_keys_and_no_more() {
		let path = |count: u8| {
			let keys: Vec<_> = (0..count).map(|number| hex::encode([number; 32])).collect();
			format!("/v1/bundle/{}", keys.join(","))
		};
		assert!(parse(&path(MAX_KEYS as u8 - 1)).is_ok());
		assert_eq!(parse(&path(MAX_KEYS as u8)), Err(RouteError::TooManyKeys));
	}
}
