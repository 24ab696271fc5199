//! The outline of a bundle.

use crate::kit::*;
use codec::{Compact, Encode};
use dpki_verifier::{Error, Part, limits};
use sp_core::H256;
use sp_runtime::DigestItem;

fn bundle() -> (World, Vec<u8>) {
	let world = World::new(4);
	let bundle = world.answer(&drone_query()).encode();
	(world, bundle)
}

#[test]
fn every_cut_is_refused() {
	let (world, bundle) = bundle();
	for len in 0..bundle.len() {
		let refused = world.verdict_on_bytes(&bundle[..len], &drone_query());
		assert!(matches!(refused, Err(Error::Malformed(_))), "{len}: {refused:?}");
	}
}

#[test]
fn nothing_may_follow() {
	let (world, mut bundle) = bundle();
	bundle.push(0);
	let refused = Err(Error::Malformed(Part::Bundle));
	assert_eq!(world.verdict_on_bytes(&bundle, &drone_query()), refused);
}

#[test]
fn another_version_is_refused() {
	let (world, mut bundle) = bundle();
	bundle[0] = 2;
	let refused = Err(Error::UnknownVersion { part: Part::Bundle, found: 2 });
	assert_eq!(world.verdict_on_bytes(&bundle, &drone_query()), refused);
}

#[test]
fn no_field_of_a_header_can_be_changed() {
	let (world, query) = (World::new(4), drone_query());
	let honest = world.answer(&query);
	let changes: [fn(&mut Header); 5] = [
		|header| header.parent_hash.0[0] ^= 1,
		|header| header.number += 1,
		|header| header.state_root.0[0] ^= 1,
		|header| header.extrinsics_root.0[0] ^= 1,
		|header| drop(header.digest.logs.pop()),
	];
	for change in changes {
		let mut parts = honest.clone();
		change(&mut parts.header);
		let refused = Err(Error::TargetMismatch { number: parts.header.number });
		assert_eq!(world.verdict(&parts, &query), refused);
	}
}

#[test]
fn a_count_beyond_its_limit_is_refused_before_anything_is_read() {
	let (world, query) = (World::new(4), drone_query());
	let parts = world.answer(&query);
	let huge = Compact(u32::MAX >> 2).encode();
	let refused = |bytes: Vec<u8>, part| {
		let verdict = world.verdict_on_bytes(&bytes, &query);
		let is_refused =
			matches!(&verdict, Err(Error::TooLarge { part: found, .. }) if *found == part);
		assert!(is_refused, "{part}: {verdict:?}");
	};
	let start = (1u8, Compact(0u32)).encode();
	refused([vec![1], huge.clone()].concat(), Part::Fragments);
	let fields = [vec![0; 32], Compact(1u32).encode(), vec![0; 64]].concat();
	refused([&start[..], &fields, &huge].concat(), Part::Digest);
	let commit = [vec![0; 8 + 32 + 4], huge.clone()].concat();
	refused([&start[..], &parts.header.encode(), &commit].concat(), Part::Justification);
	let commit = [vec![0; 8 + 32 + 4], vec![0], huge.clone()].concat();
	refused([&start[..], &parts.header.encode(), &commit].concat(), Part::VoteAncestries);
	let head = [parts.header.encode(), parts.justification.encode()].concat();
	refused([&start[..], &head, &huge].concat(), Part::Proof);
	refused([&start[..], &head, &[4], &huge].concat(), Part::ProofNode);
	refused(vec![1; limits::MAX_BUNDLE_LEN + 1], Part::Bundle);
}

#[test]
fn counts_have_one_form() {
	let (world, bundle) = bundle();
	assert_eq!(bundle[1], 0);
	let long_zero = [&bundle[..1], &[1, 0], &bundle[2..]].concat();
	let refused = Err(Error::Malformed(Part::Fragments));
	assert_eq!(world.verdict_on_bytes(&long_zero, &drone_query()), refused);
}

/// The verdict about a head with these digest items instead of Aura's.
fn with_digest(items: Vec<DigestItem>) -> Result<(), Error> {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.header.digest.logs = items;
	parts.justification = justify(&world.keys, world.set_id, &parts.header);
	world.verdict(&parts, &query).map(|_| ())
}

#[test]
fn digest_items_of_every_kind_are_read() {
	let items = vec![
		DigestItem::Other(vec![1, 2, 3]),
		DigestItem::Consensus(*b"BEEF", vec![2]),
		DigestItem::Seal(*b"aura", vec![0; 64]),
		DigestItem::PreRuntime(*b"aura", vec![0; 8]),
		DigestItem::RuntimeEnvironmentUpdated,
	];
	assert_eq!(with_digest(items), Ok(()));
	assert_eq!(with_digest(vec![]), Ok(()));
}

#[test]
fn a_digest_has_a_largest_size() {
	let many = vec![DigestItem::RuntimeEnvironmentUpdated; limits::MAX_DIGEST_ITEMS];
	assert_eq!(with_digest(many.clone()), Ok(()));
	let more = [many, vec![DigestItem::RuntimeEnvironmentUpdated]].concat();
	let refused = Error::TooLarge { part: Part::Digest, found: 33, allowed: 32 };
	assert_eq!(with_digest(more), Err(refused));
	let long = DigestItem::Other(vec![0; limits::MAX_HEADER_LEN]);
	assert!(matches!(with_digest(vec![long]), Err(Error::TooLarge { part: Part::Header, .. })));
}

#[test]
fn a_digest_item_of_an_unknown_kind_is_refused() {
	let (world, query) = (World::new(4), drone_query());
	let parts = world.answer(&query);
	let header = parts.header.encode();
	// The kind of the first item, behind three hashes, the number and the count.
	let place = 32 + 1 + 32 + 32 + 1;
	for kind in [1u8, 2, 3, 7, 9, 255] {
		let mut header = header.clone();
		assert_eq!(std::mem::replace(&mut header[place], kind), 6);
		let bundle = [
			(1u8, Compact(0u32)).encode(),
			header,
			(parts.justification.clone(), &parts.proof).encode(),
		]
		.concat();
		let refused = Err(Error::Malformed(Part::Digest));
		assert_eq!(world.verdict_on_bytes(&bundle, &query), refused, "{kind}");
	}
}

#[test]
fn vote_ancestries_are_limited() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	let mut parent = parts.header.hash();
	for index in 0..=limits::MAX_VOTE_ANCESTRIES as u32 {
		let block = header(21 + index, parent, H256::zero(), &[]);
		parent = block.hash();
		parts.justification.votes_ancestries.push(block);
	}
	let refused = world.verdict(&parts, &query);
	assert!(matches!(refused, Err(Error::TooLarge { part: Part::VoteAncestries, .. })));
	parts.justification.votes_ancestries.pop();
	let last = parts.justification.votes_ancestries.last().unwrap();
	parts.justification.commit.precommits[0] =
		vote(&world.keys[0], last.hash(), last.number, ROUND, world.set_id);
	assert!(world.verdict(&parts, &query).is_ok());
}

#[test]
fn errors_are_sentences() {
	let (world, query) = (World::new(4), drone_query());
	let mut parts = world.answer(&query);
	parts.header.number = 5;
	let error = world.verdict(&parts, &query).unwrap_err();
	assert_eq!(
		error.to_string(),
		"block 5 is older than block 10, seen before: ask another source"
	);
}
