//! Why the state could not be read.

use dpki_primitives::ids::AnchorId;
use dpki_verifier::Error as Unproven;

/// Why the state could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
	/// The request failed.
	#[error(
		"{item} at block {block} could not be read ({reason}): check the connection and try again"
	)]
	Request {
		/// What was asked for.
		item: &'static str,
		/// Where.
		block: u32,
		/// What the transport or the node says.
		reason: String,
	},
	/// The value does not decode.
	#[error(
		"{item} at block {block} is malformed ({reason}): this client is older or newer than the chain, update it"
	)]
	Malformed {
		/// What was asked for.
		item: &'static str,
		/// Where.
		block: u32,
		/// What is wrong with it.
		reason: String,
	},
	/// The pages of a revocation list do not add up to its count.
	#[error(
		"the SSH revocation list of {anchor} at block {block} has {found} of {expected} entries: \
		 do not rely on it, and ask another node"
	)]
	Incomplete {
		/// Whose list.
		anchor: AnchorId,
		/// Where.
		block: u32,
		/// How many entries were found.
		found: u32,
		/// How many there are.
		expected: u32,
	},
	/// A list names a record that is not there.
	#[error("{item} at block {block} names {id}, which is not there: ask another node")]
	Dangling {
		/// Which list.
		item: &'static str,
		/// Where.
		block: u32,
		/// The id without a record.
		id: String,
	},
	/// What came back does not prove what it says.
	#[error(
		"{item} at block {block} is not proven by what the node answers ({error}): ask another node"
	)]
	Unproven {
		/// What was asked for.
		item: &'static str,
		/// Where.
		block: u32,
		/// What the verifier refuses.
		error: Unproven,
	},
	/// It is no record, so that there is no proof of it.
	#[error("{item} cannot be proven by a node that is not believed: ask a node of your own")]
	Unprovable {
		/// What was asked for.
		item: &'static str,
	},
	/// The block has no time.
	#[error("block {block} has no time: check that the node belongs to this chain")]
	Timeless {
		/// Which block.
		block: u32,
	},
}
