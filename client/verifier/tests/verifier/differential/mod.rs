//! The same verdicts as other implementations, over generated inputs that are damaged in every way that comes to mind.
//!
//! | what | held against |
//! |---|---|
//! | justifications | `smoldot` 5, `bp-header-chain` in its strict mode, `finality-grandpa` with the signature check of `sp-consensus-grandpa` |
//! | storage proofs | `sp_state_machine::read_proof_check`, `smoldot` 5 |
//! | bundles | all of them, the bridge too, on what the ordinary codec makes of the bytes |
//!
//! Nothing may be accepted here that one of them refuses, but for the differences that are named and counted below.
//! What is refused here and accepted by one of them is counted by our reason. Seeds are fixed: each run is the same.

mod bundles;
pub mod justifications;
mod proofs;
mod signatures;

use dpki_verifier::{Ed25519, Error, Zebra};
use std::{
	cell::RefCell,
	collections::{BTreeMap, HashMap},
};

/// How often each thing happened.
#[derive(Default)]
pub struct Tally(pub BTreeMap<String, usize>);

impl Tally {
	pub fn count(&mut self, what: impl Into<String>) {
		*self.0.entry(what.into()).or_default() += 1;
	}

	/// Says so if an input differs from the honest one.
	pub fn count_damaged(&mut self, is_damaged: bool) {
		if is_damaged {
			self.count("damaged");
		}
	}

	pub fn get(&self, what: &str) -> usize {
		self.0.get(what).copied().unwrap_or(0)
	}

	pub fn print(&self, title: &str) {
		println!("{title}");
		for (what, times) in &self.0 {
			println!("{times:>8}  {what}");
		}
	}
}

/// The name of an error, without what it says about the case.
pub fn name(error: &Error) -> String {
	let text = format!("{error:?}");
	let end = if text.starts_with("Malformed") {
		text.len()
	} else {
		text.find([' ', '{', '(']).unwrap_or(text.len())
	};
	text[..end].into()
}

/// Most signatures come up again and again; each is verified once.
#[derive(Default)]
pub struct Remembering(RefCell<HashMap<(Vec<u8>, [u8; 64], [u8; 32]), bool>>);

impl Ed25519 for Remembering {
	fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		let case = (message.to_vec(), *signature, *public);
		*self
			.0
			.borrow_mut()
			.entry(case)
			.or_insert_with(|| Zebra.verify(public, message, signature))
	}
}
