//! Files of proof bundles, for devices without a network: written where there is one, carried by hand.
//!
//! Version 1, in this order:
//!
//! | part | type |
//! |---|---|
//! | mark | the eight bytes `dpkifile` |
//! | version | `u8`, 1 |
//! | genesis hash of the chain | 32 bytes |
//! | storage keys, the chain time left out | SCALE `Vec<Vec<u8>>`, ascending |
//! | changes of the authority set that do not fit into the bundle | SCALE `Vec<Vec<u8>>`, lists of them, oldest first |
//! | the bundle | SCALE `Vec<u8>` |
//!
//! All but the bundle and the changes is there to tell people early that they took the wrong file. Nothing in it is
//! believed: a device asks for the keys that it wants and not for those that the file names. Of a certificate the file names
//! those that the certificate depends on, too; whether they are all of them says the bundle.

use super::{Carrier, CarrierError, MAX_CARRIED_LEN, MAX_ROUNDS, Pursuit, asked};
use async_trait::async_trait;
use codec::{Compact, Decode, Encode};
use dpki_verifier::{
	Checkpoint, Query, genesis_key,
	limits::{MAX_KEY_LEN, MAX_KEYS},
};
use std::{
	io::Read,
	path::{Path, PathBuf},
};

const MARK: &[u8; 8] = b"dpkifile";
const VERSION: u8 = 1;

/// Longest file, in bytes: a bundle, as many changes again, and the keys.
pub const MAX_FILE_LEN: usize = 2 * MAX_CARRIED_LEN + 64 * 1024;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
	/// The hash of the first block of the chain.
	pub genesis: [u8; 32],
	/// The storage keys that the bundle answers, without the chain time.
	pub keys: Vec<Vec<u8>>,
	/// Changes of the authority set before those in the bundle.
	pub changes: Vec<Vec<u8>>,
	/// The bundle.
	pub bundle: Vec<u8>,
}

impl Contents {
	/// What answers this query on this chain.
	pub fn new(genesis: [u8; 32], query: &Query, changes: Vec<Vec<u8>>, bundle: Vec<u8>) -> Self {
		Self { genesis, keys: asked(query).map(<[u8]>::to_vec).collect(), changes, bundle }
	}

	/// The query that asks for the keys of the file, bound to the chain if that of the genesis hash is one of them. Only for
	/// people who then look at what those are.
	pub fn query(&self) -> Query {
		let query = self.keys.iter().cloned().fold(Query::new(), Query::storage_key);
		if self.keys.contains(&genesis_key()) { query.bind_genesis() } else { query }
	}

	/// The bytes of the file.
	pub fn encode(&self) -> Vec<u8> {
		(MARK, VERSION, self.genesis, &self.keys, &self.changes, &self.bundle).encode()
	}

	/// The contents of these bytes; an error names `path` as where they are from.
	pub fn decode(bytes: &[u8], path: &Path) -> Result<Self, CarrierError> {
		let damaged = |reason| CarrierError::NotAFile { path: path.into(), reason };
		if bytes.len() > MAX_FILE_LEN {
			let carrier = name(path);
			return Err(CarrierError::TooLarge { carrier, allowed: MAX_FILE_LEN });
		}
		let rest = bytes.strip_prefix(MARK).ok_or(damaged("it does not begin like one"))?;
		let input = &mut &*rest;
		let found = u8::decode(input).map_err(|_| damaged("it is cut short"))?;
		if found != VERSION {
			return Err(CarrierError::FileVersion { path: path.into(), found });
		}
		let genesis = Decode::decode(input).map_err(|_| damaged("it is cut short"))?;
		let keys =
			take_list(input, MAX_KEYS, MAX_KEY_LEN).ok_or(damaged("its keys are malformed"))?;
		if !keys.is_sorted_by(|one, next| one < next) {
			return Err(damaged("its keys are not in order"));
		}
		let changes = take_list(input, MAX_ROUNDS as usize, MAX_CARRIED_LEN)
			.ok_or(damaged("its changes of the authority set are malformed"))?;
		let bundle =
			take_bytes(input, MAX_CARRIED_LEN).ok_or(damaged("its bundle is cut short"))?;
		if !input.is_empty() {
			return Err(damaged("something follows its end"));
		}
		Ok(Self { genesis, keys, changes, bundle })
	}
}

fn take_list(input: &mut &[u8], most: usize, longest: usize) -> Option<Vec<Vec<u8>>> {
	let count = usize::try_from(Compact::<u32>::decode(input).ok()?.0).ok()?;
	if count > most {
		return None;
	}
	(0..count).map(|_| take_bytes(input, longest)).collect()
}

/// Looks at how much there is before it takes memory for it.
fn take_bytes(input: &mut &[u8], longest: usize) -> Option<Vec<u8>> {
	let len = usize::try_from(Compact::<u32>::decode(input).ok()?.0).ok()?;
	if len > longest {
		return None;
	}
	let (bytes, rest) = input.split_at_checked(len)?;
	*input = rest;
	Some(bytes.to_vec())
}

/// A file.
#[derive(Clone, Debug)]
pub struct FileCarrier {
	path: PathBuf,
}

impl FileCarrier {
	/// The file at this path.
	pub fn new(path: &Path) -> Self {
		Self { path: path.into() }
	}

	/// What it holds. No more than [`MAX_FILE_LEN`] bytes and one are read, whatever the file is.
	pub async fn contents(&self) -> Result<Contents, CarrierError> {
		let path = self.path.clone();
		// A stick that is being pulled out must not hold up everything else.
		let reading = tokio::task::spawn_blocking(move || read(&path));
		let read = tokio::time::timeout(super::PATIENCE, reading).await;
		let carrier = || name(&self.path);
		match read {
			Ok(Ok(contents)) => contents,
			Ok(Err(error)) => {
				Err(CarrierError::Interrupted { carrier: carrier(), reason: error.to_string() })
			},
			Err(_) => Err(CarrierError::TimedOut { carrier: carrier(), waited: super::PATIENCE }),
		}
	}
}

fn read(path: &Path) -> Result<Contents, CarrierError> {
	let failed = |error: std::io::Error| match error.kind() {
		std::io::ErrorKind::NotFound => CarrierError::Missing { carrier: name(path) },
		_ => CarrierError::Unreachable { carrier: name(path), reason: error.to_string() },
	};
	// To open a pipe waits until somebody writes to it, which may be never.
	if !std::fs::metadata(path).map_err(failed)?.is_file() {
		return Err(CarrierError::NotAFile { path: path.into(), reason: "it is no ordinary file" });
	}
	let mut bytes = Vec::new();
	std::fs::File::open(path)
		.and_then(|file| file.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut bytes))
		.map_err(failed)?;
	Contents::decode(&bytes, path)
}

fn name(path: &Path) -> String {
	format!("file:{}", path.display())
}

#[async_trait]
impl Carrier for FileCarrier {
	fn name(&self) -> String {
		name(&self.path)
	}

	async fn bundle(
		&self,
		query: &Query,
		checkpoint: &Checkpoint,
	) -> Result<Vec<u8>, CarrierError> {
		let contents = self.contents().await?;
		if contents.genesis != checkpoint.genesis {
			return Err(CarrierError::OtherChain { carrier: self.name() });
		}
		if !asked(query).eq(contents.keys.iter().map(Vec::as_slice)) {
			return Err(CarrierError::OtherQuestion { carrier: self.name() });
		}
		Ok(contents.bundle)
	}

	async fn held(&self, query: &Query) -> Result<Option<Query>, CarrierError> {
		if query.certificates().next().is_none() {
			return Ok(None);
		}
		let contents = self.contents().await?;
		let takes_in = asked(query).all(|key| contents.keys.iter().any(|held| held == key));
		let all = contents.keys.into_iter().fold(query.clone(), Query::storage_key);
		Ok(takes_in.then_some(all))
	}

	async fn changes(&self, pursuit: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError> {
		let contents = self.contents().await?;
		Ok(contents.changes.into_iter().nth(pursuit.round as usize))
	}

	/// A file begins where it begins, and has an end.
	fn idle_rounds(&self) -> u32 {
		MAX_ROUNDS
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn contents() -> Contents {
		Contents {
			genesis: [7; 32],
			keys: vec![vec![1; 32], vec![2; 64]],
			changes: vec![vec![4, 5]],
			bundle: vec![9; 100],
		}
	}

	fn decode(bytes: &[u8]) -> Result<Contents, CarrierError> {
		Contents::decode(bytes, Path::new("x"))
	}

	#[test]
	fn a_file_round_trips() {
		assert_eq!(decode(&contents().encode()), Ok(contents()));
		assert_eq!(contents().query().keys().len(), 3, "the chain time is asked for, too");
		assert!(!contents().query().binds_genesis());
		let bound = Query::new().bind_genesis();
		assert_eq!(Contents::new([7; 32], &bound, Vec::new(), Vec::new()).query(), bound);
	}

	#[test]
	fn every_cut_and_every_tail_is_refused() {
		let bytes = contents().encode();
		for len in 0..bytes.len() {
			let error = decode(&bytes[..len]).unwrap_err();
			assert!(matches!(error, CarrierError::NotAFile { .. }), "{len}: {error}");
		}
		assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
	}

	#[test]
	fn a_file_of_a_later_version_is_told_apart() {
		let mut bytes = contents().encode();
		bytes[MARK.len()] = 2;
		let error = decode(&bytes).unwrap_err();
		assert!(matches!(error, CarrierError::FileVersion { found: 2, .. }), "{error}");
	}

	#[test]
	fn counts_beyond_their_bounds_allocate_nothing() {
		let head = (MARK, VERSION, [7u8; 32]).encode();
		let bytes = [head.as_slice(), &Compact(u32::MAX).encode()].concat();
		assert!(matches!(decode(&bytes), Err(CarrierError::NotAFile { .. })));
		let bytes =
			[head.as_slice(), &Compact(1u32).encode(), &Compact(u32::MAX).encode()].concat();
		assert!(matches!(decode(&bytes), Err(CarrierError::NotAFile { .. })));
	}

	#[test]
	fn keys_have_one_order() {
		let mut wrong = contents();
		wrong.keys.reverse();
		assert!(matches!(decode(&wrong.encode()), Err(CarrierError::NotAFile { .. })));
	}
}
