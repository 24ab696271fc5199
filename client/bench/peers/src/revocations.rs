// SPDX-License-Identifier: Apache-2.0

//! `clubcard`: the filter by which Firefox learns of all revocations at once (CRLite).

use crate::{
	Result,
	row::{median, rounded, row},
};
use clubcard::{
	AsQuery, Clubcard, Equation, Filterable, Queryable,
	builder::{ApproximateRibbon, ClubcardBuilder, ExactRibbon},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, time::Instant};

/// Words of 64 bits in a row of the filter.
const WORDS: usize = 4;

/// All members are in one block: they have one issuer.
const BLOCK: &[u8] = &[];

/// Of so many members one is revoked.
const SHARES: [u32; 3] = [100, 10, 2];

/// A device, known by a hash as its key would be.
#[derive(Clone, Copy)]
struct Member {
	digest: [u8; 32],
	is_revoked: bool,
}

impl AsQuery<WORDS> for Member {
	fn as_query(&self, columns: usize) -> Equation<WORDS> {
		let mut words = [0u64; WORDS];
		for (word, bytes) in words.iter_mut().zip(self.digest.as_chunks::<8>().0) {
			*word = u64::from_le_bytes(*bytes);
		}
		let start = words[WORDS - 1] as usize % columns.max(1);
		// What the filter asks of its caller: the first column counts.
		words[0] |= 1;
		Equation::inhomogeneous(start, words, u8::from(!self.is_revoked))
	}

	fn block(&self) -> &[u8] {
		BLOCK
	}

	fn discriminant(&self) -> &[u8] {
		&self.digest
	}
}

impl Filterable<WORDS> for Member {
	fn included(&self) -> bool {
		self.is_revoked
	}
}

impl Queryable<WORDS> for Member {
	type UniverseMetadata = ();
	type PartitionMetadata = ();

	fn in_universe(&self, _universe: &()) -> bool {
		true
	}
}

/// Bytes of filters in which one of 100, 10 and 2 is revoked, with what it takes to make and to ask them.
pub fn measure(count: u32, runs: usize) -> Result<Vec<Value>> {
	SHARES.iter().map(|share| of(count, count / share, runs)).collect()
}

fn of(count: u32, revoked: u32, runs: usize) -> Result<Value> {
	let members = members(count, revoked);
	let (mut lengths, mut seconds, mut queries) = (vec![], vec![], vec![]);
	let mut exceptions = 0;
	for _ in 0..runs {
		let began = Instant::now();
		let filter = build(&members);
		seconds.push(began.elapsed().as_secs_f64());
		let began = Instant::now();
		let wrong = members
			.iter()
			.filter(|member| filter.unchecked_contains(*member) != member.is_revoked)
			.count();
		queries.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(count));
		if wrong > 0 {
			return Err(format!("the filter is wrong about {wrong} of {count} members").into());
		}
		lengths.push(length(&filter) as f64);
		exceptions = filter.index().values().map(|entry| entry.exceptions.len()).sum();
	}
	let facts = json!({
		"members": count,
		"bits_per_revoked": rounded(median(&lengths) * 8.0 / f64::from(revoked.max(1)), 2),
		"build_seconds": rounded(median(&seconds), 3),
		"query_ns": rounded(median(&queries), 1),
		"exceptions": exceptions,
	});
	// Named by the share and not by the number, so that a small trial has the same rows.
	Ok(row(format!("peers/clubcard/one-of-{}", count / revoked.max(1)), &lengths, facts))
}

/// So many members, so many of them revoked without any order.
fn members(count: u32, revoked: u32) -> Vec<Member> {
	let hash = |what: &str, number: u32| -> [u8; 32] {
		Sha256::new()
			.chain_update(what)
			.chain_update(number.to_le_bytes())
			.finalize()
			.into()
	};
	// By another hash than the one that the filter sees.
	let mut order: Vec<_> = (0..count).map(|number| (hash("order", number), number)).collect();
	order.sort_unstable();
	let chosen: HashSet<_> =
		order.iter().take(revoked as usize).map(|(_, number)| *number).collect();
	(0..count)
		.map(|number| Member {
			digest: hash("member", number),
			is_revoked: chosen.contains(&number),
		})
		.collect()
}

fn build(members: &[Member]) -> Clubcard<WORDS, (), ()> {
	let mut builder = ClubcardBuilder::new();
	let mut approximate = builder.new_approx_builder(BLOCK);
	for member in members.iter().filter(|member| member.is_revoked) {
		approximate.insert(*member);
	}
	approximate.set_universe_size(members.len());
	builder.collect_approx_ribbons(vec![ApproximateRibbon::from(approximate)]);
	let mut exact = builder.new_exact_builder(BLOCK);
	for member in members {
		exact.insert(*member);
	}
	let exact = ExactRibbon::from(exact);
	builder.collect_exact_ribbons(vec![exact]);
	builder.build::<Member>((), ())
}

/// Bytes of the two matrices and of the exceptions. What a file puts around them is left out, which flatters the filter.
fn length(filter: &Clubcard<WORDS, (), ()>) -> usize {
	let words =
		filter.approx_filter.iter().map(Vec::len).sum::<usize>() + filter.exact_filter.len();
	let exceptions = filter.index().values().flat_map(|entry| &entry.exceptions);
	words * size_of::<u64>() + exceptions.map(Vec::len).sum::<usize>()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_filter_knows_all_of_its_members() {
		let rows = measure(2_000, 1).unwrap();
		let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
		assert_eq!(
			ids,
			["peers/clubcard/one-of-100", "peers/clubcard/one-of-10", "peers/clubcard/one-of-2"]
		);
		let bytes = |place: usize| rows[place]["value"].as_f64().unwrap();
		assert!(bytes(0) > 0.0 && bytes(0) < bytes(1) && bytes(1) < bytes(2));
	}

	#[test]
	fn as_many_are_revoked_as_was_asked_for() {
		let revoked = members(1_000, 10).iter().filter(|member| member.is_revoked).count();
		assert_eq!(revoked, 10);
	}
}
