// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Changes of the authority set, for devices that were away for more of them than a bundle holds.

use super::{
	error::Refusal,
	finality::{Finality, Justified},
	limits::{MAX_ANSWER_LEN, MAX_FRAGMENTS},
};
use dpki_runtime::{BlockNumber, Hash, opaque::Block};
use dpki_verifier::encode_fragments;
use sc_client_api::Backend;
use serde::Serialize;
use sp_core::Bytes;
use std::sync::Arc;

/// Changes of the authority set, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fragments {
	/// How many they are.
	pub count: u32,
	/// Hash of the block of the last of them, from where to ask again; what was asked from if there are none.
	pub last: Hash,
	/// Whether there are no more.
	pub is_finished: bool,
	/// The changes, as `dpki_verifier::Verifier::advance` takes them.
	pub fragments: Bytes,
}

/// The changes after this block; after the first block of the chain if none is named.
pub fn fragments<B: Backend<Block>>(
	finality: &Finality<B>,
	from: Option<Hash>,
) -> Result<Fragments, Refusal> {
	let number = finality.number_of(from)?;
	let last = match from {
		Some(hash) => hash,
		None => finality.hash_of(0)?,
	};
	// A change in the newest finalised block itself has its justification, too.
	let changes = finality.changes(number, BlockNumber::MAX)?;
	let (taken, is_finished) = take(&changes, |number| finality.change(number))?;
	let fragments: Vec<_> = taken.iter().map(|change| change.fragment()).collect();
	Ok(Fragments {
		count: u32::try_from(taken.len()).map_err(Refusal::internal)?,
		last: taken.last().map_or(last, |change| change.hash),
		is_finished,
		fragments: encode_fragments(&fragments).into(),
	})
}

/// As many as an answer holds, and whether those are all.
fn take(
	numbers: &[BlockNumber],
	read: impl Fn(BlockNumber) -> Result<Arc<Justified>, Refusal>,
) -> Result<(Vec<Arc<Justified>>, bool), Refusal> {
	let (mut taken, mut len) = (Vec::new(), 0);
	for number in numbers.iter().take(MAX_FRAGMENTS) {
		let change = match read(*number) {
			// The set after it cannot be reached from here, but those before it can.
			Err(Refusal::ForcedChange { .. } | Refusal::ChangeNotStored) if !taken.is_empty() => {
				return Ok((taken, false));
			},
			change => change?,
		};
		len += change.len();
		if len > MAX_ANSWER_LEN && !taken.is_empty() {
			return Ok((taken, false));
		}
		taken.push(change);
	}
	let is_finished = taken.len() == numbers.len();
	Ok((taken, is_finished))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn change(number: BlockNumber, len: usize) -> Result<Arc<Justified>, Refusal> {
		Ok(Arc::new(Justified::made_up(number, len)))
	}

	fn numbers(taken: &[Arc<Justified>]) -> Vec<BlockNumber> {
		taken.iter().map(|change| change.number).collect()
	}

	#[test]
	fn an_answer_holds_so_many_changes_and_says_whether_there_are_more() {
		let all: Vec<_> = (1..=MAX_FRAGMENTS as u32 + 1).collect();
		let (taken, is_finished) = take(&all, |number| change(number, 100)).unwrap();
		assert_eq!((numbers(&taken).as_slice(), is_finished), (&all[..MAX_FRAGMENTS], false));
		let rest = &all[MAX_FRAGMENTS..];
		let (taken, is_finished) = take(rest, |number| change(number, 100)).unwrap();
		assert_eq!((numbers(&taken).as_slice(), is_finished), (rest, true));
		assert!(take(&[], |number| change(number, 100)).unwrap().1);
	}

	#[test]
	fn an_answer_is_so_long_and_has_one_change_at_least() {
		let (taken, is_finished) =
			take(&[1, 2, 3], |number| change(number, MAX_ANSWER_LEN / 2)).unwrap();
		assert_eq!((numbers(&taken), is_finished), (vec![1, 2], false));
		let (taken, is_finished) =
			take(&[1, 2], |number| change(number, MAX_ANSWER_LEN + 1)).unwrap();
		assert_eq!((numbers(&taken), is_finished), (vec![1], false));
	}

	#[test]
	fn a_forced_change_ends_the_answer_and_is_refused_at_its_beginning() {
		let read = |number| match number {
			3 => Err(Refusal::ForcedChange { number }),
			number => change(number, 100),
		};
		let (taken, is_finished) = take(&[1, 2, 3, 4], read).unwrap();
		assert_eq!((numbers(&taken), is_finished), (vec![1, 2], false));
		assert_eq!(take(&[3, 4], read), Err(Refusal::ForcedChange { number: 3 }));
	}
}
