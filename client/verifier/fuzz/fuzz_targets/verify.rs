//! Any bytes as a bundle and as a list of authority-set changes.
//!
//! Signatures are "good" if their first byte is even, so that the fuzzer gets past them and reaches what lies behind.

#![no_main]

use dpki_verifier::{AuthoritySet, Checkpoint, Ed25519, Freshness, Query, Verifier};
use libfuzzer_sys::fuzz_target;

struct Pretended;

impl Ed25519 for Pretended {
	fn verify(&self, _: &[u8; 32], _: &[u8], signature: &[u8; 64]) -> bool {
		signature[0] % 2 == 0
	}
}

fuzz_target!(|data: &[u8]| {
	let set = AuthoritySet::new(7, (1..=4).map(|fill| [fill; 32]).collect()).unwrap();
	let checkpoint = Checkpoint { genesis: [0; 32], set, number: 10, hash: [1; 32] };
	let mut verifier = Verifier::new(checkpoint.clone(), Pretended);
	let query = Query::new().storage_key(data.iter().copied().take(4).collect());
	match verifier.verify(data, &query, Freshness::without_clock()) {
		Ok(verified) => assert!(verified.number() >= checkpoint.number),
		Err(_) => assert_eq!(verifier.checkpoint(), &checkpoint),
	}
	let before = verifier.checkpoint().clone();
	match verifier.advance(data) {
		Ok(after) => assert!(after.number >= before.number && after.set.id() >= before.set.id()),
		Err(_) => assert_eq!(verifier.checkpoint(), &before),
	}
});
