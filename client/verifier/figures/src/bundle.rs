//! Bundles as a node serves them: a header of Aura, a justification with as many votes as are needed, a storage proof.
//!
//! Header and justification are laid out by hand, so that the tool needs few crates. That they are real ones is not taken
//! on trust: the verifier takes them, and its tests hold it against the crates of the node.

use crate::state::Registry;
use codec::{Compact, Encode};
use dpki_verifier::{AuthoritySet, Checkpoint, Fragment, Query, encode_bundle};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use sp_crypto_hashing::blake2_256;

const SET_ID: u64 = 7;
const ROUND: u64 = 34;
/// Where the devices stand that ask, and the block that they are shown.
const KNOWN: u32 = 1_000_000;
const NEWEST: u32 = 1_000_020;

/// The validators of a chain.
pub struct Validators {
	keys: Vec<SigningKey>,
	set: AuthoritySet,
}

/// The parts of a bundle, by their length in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lengths {
	/// The header.
	pub header: usize,
	/// The justification.
	pub justification: usize,
	/// The storage proof with its counts.
	pub proof: usize,
	/// The nodes of the proof.
	pub nodes: usize,
}

impl Validators {
	/// So many.
	pub fn new(count: u8) -> Self {
		let keys: Vec<_> = (0..count).map(|index| SigningKey::from([index + 1; 32])).collect();
		let public = keys.iter().map(public).collect();
		let set = AuthoritySet::new(SET_ID, public).expect("the keys are distinct");
		Self { keys, set }
	}

	/// What a device knows that asks.
	pub fn checkpoint(&self) -> Checkpoint {
		Checkpoint { genesis: [0x67; 32], set: self.set.clone(), number: KNOWN, hash: [0xaa; 32] }
	}

	/// A bundle about the state of this registry that answers the query.
	pub fn bundle(&self, registry: &Registry, query: &Query) -> (Vec<u8>, Lengths) {
		let header = header(registry.root);
		let justification = self.justification(blake2_256(&header));
		let nodes = registry.prove(query.keys());
		let nodes: Vec<_> = nodes.iter().map(Vec::as_slice).collect();
		let head = Fragment { header: &header, justification: &justification };
		let bundle = encode_bundle(&[], head, &nodes);
		let lengths = Lengths {
			header: header.len(),
			justification: justification.len(),
			// The version and the empty list of changes are one byte each.
			proof: bundle.len() - header.len() - justification.len() - 2,
			nodes: nodes.len(),
		};
		(bundle, lengths)
	}

	fn justification(&self, hash: [u8; 32]) -> Vec<u8> {
		// The second kind of message is a precommit.
		let payload = (1u8, hash, NEWEST, ROUND, SET_ID).encode();
		let votes: Vec<_> = self.keys[..self.set.threshold()]
			.iter()
			.map(|key| {
				let signature: [u8; 64] = key.sign(&payload).into();
				(hash, NEWEST, signature, public(key))
			})
			.collect();
		// No headers between the block and what was voted for.
		(ROUND, hash, NEWEST, votes, Compact(0u32)).encode()
	}
}

/// As Aura makes it: the slot before, the seal behind.
fn header(root: [u8; 32]) -> Vec<u8> {
	let slot = (6u8, *b"aura", 1_790_000_000u64.encode());
	let seal = (5u8, *b"aura", vec![0x5e_u8; 64]);
	([0xbb_u8; 32], Compact(NEWEST), root, [0xee_u8; 32], Compact(2u32), slot, seal).encode()
}

fn public(key: &SigningKey) -> [u8; 32] {
	VerificationKeyBytes::from(key).into()
}
