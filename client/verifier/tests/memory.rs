//! How much memory a verification takes: peak heap by an allocator that counts, peak stack by a painted stack.
//!
//! The stack is that of the build profile, in which this crate and the cryptography are optimised for this: otherwise it
//! would be twice as large. `README.md` has the figures of a build that is optimised as a whole.

#[path = "verifier/kit.rs"]
#[allow(dead_code)]
mod kit;

#[path = "../figures/src/memory.rs"]
mod memory;

use dpki_verifier::Verifier;
use kit::*;
use memory::{Counting, STACK, heap_of, stack_of};
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a verification may take, in bytes.
const ROOM: usize = 16 * 1024;

#[test]
fn four_validators_need_less_than_sixteen_kibibytes_of_heap_and_stack() {
	println!("validators  devices  bundle  proof nodes  peak heap  peak stack");
	for (validators, devices) in [(4, 100), (4, 10_000), (7, 10_000), (21, 10_000)] {
		let world = World::with(validators, registry(devices), sp_core::storage::StateVersion::V1);
		let query = drone_query();
		let parts = world.answer(&query);
		let bundle = parts.encode();
		let mut verifier = world.verifier();
		let heap = heap_of(|| verifier.verify(&bundle, &query, fresh()).unwrap().time());

		let (stored, for_stack, asked) = (world.checkpoint.clone(), bundle.clone(), query.clone());
		let stack = std::thread::Builder::new()
			.stack_size(STACK)
			.spawn(move || {
				let mut verifier = Verifier::new(stored, dpki_verifier::Zebra);
				stack_of(|| {
					black_box(verifier.verify(&for_stack, &asked, fresh()).unwrap().time());
				})
			})
			.unwrap()
			.join()
			.unwrap();

		println!(
			"{validators:>10} {devices:>8} {:>7} {:>12} {heap:>10} {stack:>11}",
			bundle.len(),
			parts.proof.len()
		);
		if validators == 4 {
			assert!(heap + stack <= ROOM, "{heap} of heap and {stack} of stack");
			assert!(heap + bundle.len() <= ROOM, "{heap} and the bundle of {}", bundle.len());
		}
	}
}

#[test]
fn no_input_makes_the_heap_grow_beyond_a_multiple_of_its_length() {
	let world = World::new(4);
	let query = drone_query();
	let honest = world.answer(&query).encode();
	let mut random = Random(4);
	for case in 0..2_000 {
		// Counts that promise much, in bytes that hold little.
		let mut bytes = honest.clone();
		for _ in 0..1 + random.below(4) {
			let place = random.below(bytes.len());
			let len = [1, 2, 4][random.below(3)];
			let count = [0xfc, 0xfd, 0xff, 0x02, 0xfe][random.below(5)];
			bytes.splice(place..(place + len).min(bytes.len()), [count, 0xff, 0x00, 0x00]);
		}
		bytes.truncate(1 + random.below(bytes.len()));
		let mut verifier = world.verifier();
		let heap = heap_of(|| verifier.verify(&bytes, &query, fresh()).is_ok());
		// What is allocated for a thing of the input is at most 8 times as long as its shortest form: 136 bytes for a
		// header with its justification, 16 for a proof node of one byte.
		assert!(heap <= 16 * bytes.len() + 1024, "case {case}: {heap} for {}", bytes.len());
	}
}
