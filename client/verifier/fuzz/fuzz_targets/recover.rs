//! Any bytes as a checkpoint and as a recovery.

#![no_main]

use dpki_verifier::{AuthoritySet, Checkpoint, Ed25519, Verifier};
use libfuzzer_sys::fuzz_target;

struct Pretended;

impl Ed25519 for Pretended {
	fn verify(&self, _: &[u8; 32], _: &[u8], signature: &[u8; 64]) -> bool {
		signature[0] % 2 == 0
	}
}

fuzz_target!(|data: &[u8]| {
	if let Ok(checkpoint) = Checkpoint::decode(data) {
		assert_eq!(checkpoint.encode(), data);
	}
	let set = AuthoritySet::new(7, (1..=4).map(|fill| [fill; 32]).collect()).unwrap();
	let pinned = Checkpoint { genesis: [0; 32], set, number: 10, hash: [1; 32] };
	let mut verifier = Verifier::new(pinned.clone(), Pretended);
	match verifier.recover(data, 0) {
		Ok(new) => assert!(new.number > pinned.number && new.set.id() > pinned.set.id()),
		Err(_) => assert_eq!(verifier.checkpoint(), &pinned),
	}
});
