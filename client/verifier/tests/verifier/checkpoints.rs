//! What is stored.

use crate::kit::*;
use codec::{Compact, Encode};
use dpki_verifier::{AuthoritySet, Checkpoint, Error, Part, limits};

#[test]
fn a_checkpoint_round_trips() {
	for count in [1u8, 4, 7, 21, 100] {
		let checkpoint = checkpoint(u64::MAX, &keys(0, count), u32::MAX);
		let bytes = checkpoint.encode();
		assert_eq!(Checkpoint::decode(&bytes), Ok(checkpoint));
	}
}

#[test]
fn a_checkpoint_is_encoded_as_documented() {
	let checkpoint = checkpoint(7, &keys(0, 4), 10);
	let mut authorities: Vec<_> = keys(0, 4).iter().map(public).collect();
	authorities.sort();
	let documented = (1u8, GENESIS, 7u64, 10u32, [10u8; 32], authorities).encode();
	assert_eq!(checkpoint.encode(), documented);
	assert_eq!(documented.len(), 78 + 4 * 32);
	assert_eq!(checkpoint.digest(), sp_crypto_hashing::blake2_256(&documented));
}

#[test]
fn the_order_in_which_authorities_are_named_does_not_matter() {
	let mut authorities: Vec<_> = keys(0, 9).iter().map(public).collect();
	let set = AuthoritySet::new(1, authorities.clone()).unwrap();
	authorities.reverse();
	assert_eq!(AuthoritySet::new(1, authorities), Ok(set.clone()));
	assert!(set.authorities().is_sorted());
}

#[test]
fn a_set_has_members_and_each_once() {
	assert_eq!(AuthoritySet::new(1, vec![]), Err(Error::AuthoritiesEmpty));
	let twice = vec![[1; 32], [2; 32], [1; 32]];
	assert_eq!(AuthoritySet::new(1, twice), Err(Error::AuthorityRepeated { authority: [1; 32] }));
	let many: Vec<_> = (0..=limits::MAX_AUTHORITIES as u32)
		.map(|index| sp_crypto_hashing::blake2_256(&index.encode()))
		.collect();
	assert!(matches!(AuthoritySet::new(1, many), Err(Error::TooLarge { .. })));
}

#[test]
fn thresholds_are_those_of_grandpa() {
	for count in 1..=200u8 {
		let keys = keys(0, count);
		let voters = finality_grandpa::voter_set::VoterSet::new(authority_list(&keys)).unwrap();
		assert_eq!(set(0, &keys).threshold() as u64, voters.threshold().get());
	}
}

#[test]
fn a_checkpoint_that_is_damaged_is_refused() {
	let bytes = checkpoint(7, &keys(0, 4), 10).encode();
	for len in 0..bytes.len() {
		assert!(matches!(Checkpoint::decode(&bytes[..len]), Err(Error::Malformed(_))), "{len}");
	}
	let longer = [&bytes[..], &[0]].concat();
	assert_eq!(Checkpoint::decode(&longer), Err(Error::Malformed(Part::Checkpoint)));
	let mut newer = bytes.clone();
	newer[0] = 2;
	let refused = Err(Error::UnknownVersion { part: Part::Checkpoint, found: 2 });
	assert_eq!(Checkpoint::decode(&newer), refused);
}

#[test]
fn the_stored_order_is_the_only_one() {
	let head = (1u8, GENESIS, 7u64, 10u32, [10u8; 32]);
	let decode = |authorities: &[[u8; 32]]| {
		Checkpoint::decode(&(head, authorities.to_vec()).encode()).map(|_| ())
	};
	assert_eq!(decode(&[[1; 32], [2; 32]]), Ok(()));
	let refused = |fill| Err(Error::AuthorityRepeated { authority: [fill; 32] });
	assert_eq!(decode(&[[2; 32], [1; 32]]), refused(1));
	assert_eq!(decode(&[[1; 32], [1; 32]]), refused(1));
	assert_eq!(decode(&[]), Err(Error::AuthoritiesEmpty));
	let count = Compact(limits::MAX_AUTHORITIES as u32 + 1);
	assert!(matches!(
		Checkpoint::decode(&(head, count).encode()),
		Err(Error::TooLarge { part: Part::Authorities, .. })
	));
}

#[test]
fn a_checkpoint_of_another_chain_accepts_nothing() {
	let (mut world, query) = (World::new(4), drone_query());
	let parts = world.answer(&query);
	world.checkpoint = checkpoint(7, &keys(30, 4), 10);
	assert!(matches!(world.verdict(&parts, &query), Err(Error::UnknownAuthority { .. })));
}
