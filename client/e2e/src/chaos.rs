//! Networks that are hurt on purpose: what is done to them, what clients see, and figures.
//!
//! A [`Consortium`] is four validators whose processes, cables, clocks and disks can be taken from them. All that anybody is
//! told goes into its [`History`](crate::history::History), and each scenario ends with [`Consortium::conclude`], which asks
//! every node for every finalised block once more and checks the whole.
//!
//! | module | what is done |
//! |---|---|
//! | [`faults`] | killed, stopped, cut off, slow, lossy, wrong clock, full disk |
//! | [`crash`] | all validators killed in the same instant, right after a client was told that something is final |
//! | [`load`] | more transactions than there is room for |
//! | [`abuse`] | malformed, oversized and unsafe requests, invalid transactions, more connections than there are seats |
//!
//! Everything here is synchronous: what waits, waits for something that a node says.

pub mod abuse;
mod borrowed;
mod consortium;
pub mod crash;
pub mod faults;
mod figures;
pub mod load;
mod presigned;
mod rpc;
mod tail;

pub use borrowed::Borrowed;
pub use consortium::{Consortium, NAMES, Options};
pub use figures::{Figure, Figures, percentile};
pub use presigned::{Chain, Signed, key_of};
pub use rpc::{Refusal, Rpc};
pub use tail::Tail;
