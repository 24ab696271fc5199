//! Any nodes as a storage proof: the first one is the root.
//!
//! The input is a list of pieces, each behind a byte with its length; the first piece is the key.

#![no_main]

use dpki_verifier::TrieReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
	let mut pieces = Vec::new();
	let mut rest = data;
	while let Some((len, tail)) = rest.split_first() {
		let (piece, tail) = tail.split_at(usize::from(*len).min(tail.len()));
		pieces.push(piece);
		rest = tail;
	}
	let [key, nodes @ ..] = &pieces[..] else { return };
	let Some(first) = nodes.first() else { return };
	let root = sp_crypto_hashing::blake2_256(first);
	if let Ok(mut reader) = TrieReader::new(&root, nodes) {
		let first = reader.read(key);
		assert_eq!(first, reader.read(key));
		let _ = reader.finish();
	}
});
