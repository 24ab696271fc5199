//! How much of each thing is looked at.
//!
//! Every count and length that comes from outside is held against one of these before anything is allocated or hashed
//! for it. Each is far above what the chain produces and far below what would hurt a gateway. A microcontroller is
//! protected by the length of the buffer into which it receives: nothing here allocates more than a small multiple of
//! the input.

/// Longest bundle, in bytes. A bundle for 21 authorities without changes is about 6 KiB.
pub const MAX_BUNDLE_LEN: usize = 4 * 1024 * 1024;

/// Most authority-set changes in one bundle. Who was away for longer is brought forward in steps with
/// [`Verifier::advance`](crate::Verifier::advance).
pub const MAX_FRAGMENTS: usize = 256;

/// Most authorities of a set, and so most votes of a justification.
pub const MAX_AUTHORITIES: usize = 512;

/// Most headers between the target of a justification and the blocks that were voted for. Voters normally vote for the
/// target itself, and then there are none.
pub const MAX_VOTE_ANCESTRIES: usize = 256;

/// Longest header, in bytes: an authority-set change names each of [`MAX_AUTHORITIES`] in 40 bytes.
pub const MAX_HEADER_LEN: usize = 32 * 1024;

/// Most digest items of a header. Aura and GRANDPA leave two to four.
pub const MAX_DIGEST_ITEMS: usize = 32;

/// Most nodes of a storage proof. A record among a million takes about seven.
pub const MAX_PROOF_NODES: usize = 1024;

/// Longest node or hashed value of a storage proof, in bytes. The longest record of the chain is below 5 KiB.
pub const MAX_NODE_LEN: usize = 32 * 1024;

/// Most storage keys of a [`Query`](crate::Query), the implied ones included.
pub const MAX_KEYS: usize = 64;

/// Longest storage key, in bytes. The longest of the chain has 112.
pub const MAX_KEY_LEN: usize = 256;
