//! The offline verifier: bundles, checkpoints, storage proofs, justifications.

use dpki_primitives::{
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyType, PublicKey},
};
use dpki_verifier::{
	AuthoritySet, Checkpoint, Ed25519, Freshness, Query, TrieReader, Verifier, thin_justification,
};
use std::sync::LazyLock;

/// Signatures are "good" if their first byte is even, so that damaged bytes get past them.
struct Pretended;

impl Ed25519 for Pretended {
	fn verify(&self, _: &[u8; 32], _: &[u8], signature: &[u8; 64]) -> bool {
		signature[0].is_multiple_of(2)
	}
}

/// The validators and the block that the seeds begin at.
static PINNED: LazyLock<Checkpoint> = LazyLock::new(|| {
	let public = |index: u8| -> [u8; 32] {
		let key = ed25519_zebra::SigningKey::from([index + 1; 32]);
		ed25519_zebra::VerificationKeyBytes::from(&key).into()
	};
	let set = AuthoritySet::new(7, (0..4).map(public).collect()).expect("four validators");
	Checkpoint { genesis: [0x67; 32], set, number: 10, hash: [10; 32] }
});

/// What the seeds answer.
fn query() -> Query {
	let device = DeviceId::from_name(OrganisationId::from_name(b"acme"), b"drone");
	let key = PublicKey::new(KeyType::Ed25519, &[1; 32]);
	Query::new().device(device).key(KeyId::of(&key.expect("32 bytes")))
}

/// Bytes as a bundle and as a list of changes of the authority set. Nothing that is refused moves the checkpoint, and
/// nothing moves it back.
pub fn bundle(data: &[u8]) {
	let mut verifier = Verifier::new(PINNED.clone(), Pretended);
	let query = query();
	match verifier.verify(data, &query, Freshness::without_clock()) {
		Ok(verified) => assert!(verified.number() >= PINNED.number),
		Err(_) => assert_eq!(verifier.checkpoint(), &*PINNED),
	}
	let before = verifier.checkpoint().clone();
	match verifier.advance(data) {
		Ok(after) => assert!(after.number >= before.number && after.set.id() >= before.set.id()),
		Err(_) => assert_eq!(verifier.checkpoint(), &before),
	}
}

/// Bytes as a checkpoint and as a recovery.
pub fn checkpoint(data: &[u8]) {
	if let Ok(checkpoint) = Checkpoint::decode(data) {
		assert_eq!(checkpoint.encode(), data, "one checkpoint, two encodings");
	}
	let mut verifier = Verifier::new(PINNED.clone(), Pretended);
	match verifier.recover(data, 0) {
		Ok(new) => assert!(new.number > PINNED.number && new.set.id() > PINNED.set.id()),
		Err(_) => assert_eq!(verifier.checkpoint(), &*PINNED),
	}
}

/// Bytes as pieces, each behind a byte with its length: a storage key, then the nodes of a proof, of which the first is
/// the root.
pub fn proof(data: &[u8]) {
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
		assert_eq!(first, reader.read(key), "a second look shows something else");
		let _ = reader.finish();
	}
}

/// Bytes as a justification to be thinned, behind a byte with how many votes are needed.
pub fn justification(data: &[u8]) {
	let Some((threshold, data)) = data.split_first() else { return };
	let threshold = usize::from(*threshold);
	if let Ok(thinned) = thin_justification(data, threshold) {
		assert!(thinned.len() <= data.len(), "it grew");
		assert_eq!(thin_justification(&thinned, threshold).as_ref(), Ok(&thinned));
	}
}
