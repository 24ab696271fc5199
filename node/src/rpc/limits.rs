// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! How much one may ask for, and how much is kept to answer it again.
//!
//! Who asks for more is refused before the node has worked for it. What the verifier would refuse anyway has the
//! verifier's limits ([`dpki_verifier::limits`]).

use dpki_runtime::BlockNumber;

/// Most storage keys of a bundle, the chain time included, which is always proven.
pub const MAX_KEYS: usize = dpki_verifier::limits::MAX_KEYS;

/// Shortest storage key, in bytes: the hashed names of a pallet and of an item. What lies outside of pallets, such as the
/// runtime's code, is no record, and is long.
pub const MIN_KEY_LEN: usize = 32;

/// Longest storage key, in bytes.
pub const MAX_KEY_LEN: usize = dpki_verifier::limits::MAX_KEY_LEN;

/// Longest bundle or list of fragments, in bytes. Far above what records take, far below the response size at which the RPC
/// server itself gives up (15 MiB by default).
pub const MAX_ANSWER_LEN: usize = 1024 * 1024;

/// Most authority-set changes in one answer. Who is further behind asks again from where the answer ended.
pub const MAX_FRAGMENTS: usize = 64;

/// Answers that are kept for who asks the same about the same block.
pub const CACHED_ANSWERS: u32 = 256;

/// Longest answer that is kept, in bytes; [`CACHED_ANSWERS`] of them are 16 MiB.
pub const MAX_CACHED_LEN: usize = 64 * 1024;

/// Authority-set changes that are kept: what two full answers hold.
pub const CACHED_FRAGMENTS: u32 = 128;

/// Blocks whose events are kept decoded: what a node with the default pruning can replay, and as many again.
pub const CACHED_BLOCKS: u32 = 512;

/// Most subscriptions of this interface over one connection. The server limits all subscriptions of a connection, too.
pub const MAX_SUBSCRIPTIONS_PER_CONNECTION: usize = 16;

/// Most subscriptions of this interface altogether.
pub const MAX_SUBSCRIPTIONS: usize = 4_096;

/// Blocks after which a subscriber is told where it stands, even if nothing happened.
pub const PROGRESS_INTERVAL: BlockNumber = 16;

/// Most blocks by which a replay may begin above the newest finalised block. A node that was restarted, or another node of the
/// same chain, may be a few blocks behind what its subscriber has seen.
pub const MAX_AHEAD: BlockNumber = 256;

/// Blocks that are read in one go, away from the tasks that serve connections.
pub const BLOCKS_PER_READ: usize = 32;
