//! The vocabulary of the device PKI chain, shared by pallets, clients, the agent and the verifier.
//!
//! Everything here is a type or a pure function: no I/O, no storage access, no clock. One rule lives in
//! the module with its name:
//!
//! | module | rule |
//! |---|---|
//! | [`ids`] | how organisations, devices, keys, anchors, vouchers and blobs are named |
//! | [`organisation`] | kinds, roles, and the trait by which pallets ask "may this account act?" |
//! | [`key`] | key types, purposes, and the shape of a public key |
//! | [`key_policy`] | what an organisation asks of the keys of its devices |
//! | [`quota`] | what a device may do alone for nothing |
//! | [`request`] | keys that wait for a registrar |
//! | [`filing`] | certificates that devices ask for over the chain |
//! | [`anchor`] | trust anchors and their life |
//! | [`device`] | devices and their key lists |
//! | [`voucher`] | one-time enrolment rights |
//! | [`revocation`] | reasons, and the SSH revocation list of an anchor |
//! | [`status`] | the one verdict of the system |
//! | [`refusal`] | why a transaction was refused before it entered the pool |
//! | [`registry`] | what other pallets may ask the registry |
//! | [`context`] | what an off-chain signature covers |
//! | [`motion`] | motions: who votes, how many votes decide, what is on record |
//! | [`subject`] | what a certificate can be about |
//! | [`application`] | applications, proofs of possession and of control |
//! | [`certificate`] | certificates, the verdict about them, and the policy |
//! | [`assurance`] | levels, and the effective level with its explanation |
//! | [`bond`] | what endorsers stand to lose, and for what they lose it |
//! | [`assessment`] | what a certificate is worth, from the records that say so |
//! | [`economy`] | what things cost, what is held for them, and quotas for what costs nothing |
//! | [`channel`] | the channels on which a device gets its deliveries |
//! | [`delivery`] | deliveries, acknowledgements, and the associated data of their envelopes |
//! | [`validator`] | validators: what is on record about each, and how many there may be |
//! | [`fleet`] | fleets of devices under one Merkle root, and what a member shows |
//! | [`approval`] | who has to approve a delivery |
//! | [`storage_keys`] | where each record lies in the state, for proofs |
//! | `vectors`, a feature | the cases of the status function and of the levels, for the tests of everybody who judges |
//!
//! Times are milliseconds since the Unix epoch in *chain time* (`Timestamp.Now`) unless a name says otherwise.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

pub mod anchor;
pub mod application;
pub mod approval;
pub mod assessment;
pub mod assurance;
pub mod bond;
pub mod certificate;
pub mod channel;
pub mod context;
pub mod delivery;
pub mod device;
pub mod economy;
pub mod filing;
pub mod fleet;
pub mod ids;
pub mod key;
pub mod key_policy;
pub mod motion;
pub mod organisation;
pub mod quota;
pub mod refusal;
pub mod registry;
pub mod request;
pub mod revocation;
pub mod status;
pub mod storage_keys;
pub mod subject;
pub mod validator;
#[cfg(any(test, feature = "vectors"))]
pub mod vectors;
pub mod voucher;

/// A point in chain time: milliseconds since the Unix epoch.
pub type Moment = u64;

/// Asserts that no two of these words are equal and that each can be typed on a command line: lower case, digits and
/// hyphens.
#[cfg(test)]
fn assert_distinct_words(words: &[&str]) {
	for (position, word) in words.iter().enumerate() {
		let is_typable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
		assert!(!word.is_empty() && word.chars().all(is_typable), "{word}");
		assert!(!words[..position].contains(word), "{word} stands for two things");
	}
}
