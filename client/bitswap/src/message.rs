//! The messages of Bitswap 1.2.0, as protocol buffers: the field numbers are those of the specification
//! (<https://specs.ipfs.tech/bitswap-protocol/>).

/// What peers send each other.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Message {
	/// What the sender wants.
	#[prost(message, optional, tag = "1")]
	pub wantlist: Option<Wantlist>,
	/// Blocks without a prefix, as version 1.0.0 sent them.
	#[prost(bytes = "vec", repeated, tag = "2")]
	pub blocks: Vec<Vec<u8>>,
	/// Blocks.
	#[prost(message, repeated, tag = "3")]
	pub payload: Vec<Block>,
	/// What the sender has and has not.
	#[prost(message, repeated, tag = "4")]
	pub block_presences: Vec<BlockPresence>,
	/// How many bytes of blocks are still to come.
	#[prost(int32, tag = "5")]
	pub pending_bytes: i32,
}

/// What somebody wants.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Wantlist {
	/// One entry for each block.
	#[prost(message, repeated, tag = "1")]
	pub entries: Vec<Entry>,
	/// Whether this is all, and not what is new.
	#[prost(bool, tag = "2")]
	pub full: bool,
}

/// A block that somebody wants.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
	/// The bytes of its CID.
	#[prost(bytes = "vec", tag = "1")]
	pub block: Vec<u8>,
	/// The higher the sooner.
	#[prost(int32, tag = "2")]
	pub priority: i32,
	/// Whether it is wanted no longer.
	#[prost(bool, tag = "3")]
	pub cancel: bool,
	/// [`Entry::WANT_BLOCK`] or [`Entry::WANT_HAVE`].
	#[prost(int32, tag = "4")]
	pub want_type: i32,
	/// Whether to say so if it is not there.
	#[prost(bool, tag = "5")]
	pub send_dont_have: bool,
}

impl Entry {
	/// The block itself is wanted.
	pub const WANT_BLOCK: i32 = 0;
	/// Only whether it is there.
	pub const WANT_HAVE: i32 = 1;
}

/// A block.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Block {
	/// Its CID without the digest: version, codec, and code and length of the hash.
	#[prost(bytes = "vec", tag = "1")]
	pub prefix: Vec<u8>,
	/// Its bytes.
	#[prost(bytes = "vec", tag = "2")]
	pub data: Vec<u8>,
}

/// Whether a block is there.
#[derive(Clone, PartialEq, prost::Message)]
pub struct BlockPresence {
	/// The bytes of its CID.
	#[prost(bytes = "vec", tag = "1")]
	pub cid: Vec<u8>,
	/// [`BlockPresence::HAVE`] or [`BlockPresence::DONT_HAVE`].
	#[prost(int32, tag = "2")]
	pub presence: i32,
}

impl BlockPresence {
	/// It is there.
	pub const HAVE: i32 = 0;
	/// It is not.
	pub const DONT_HAVE: i32 = 1;
}

impl Message {
	/// The wish for one block, and to hear if it is not there.
	pub(crate) fn want(cid: &cid::Cid) -> Self {
		let entry = Entry {
			block: cid.to_bytes(),
			priority: 1,
			cancel: false,
			want_type: Entry::WANT_BLOCK,
			send_dont_have: true,
		};
		Self { wantlist: Some(Wantlist { entries: vec![entry], full: true }), ..Self::default() }
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use prost::Message as _;

	#[test]
	fn a_wish_has_the_bytes_of_the_specification() {
		let cid = crate::cid([7; 32]);
		let name = cid.to_bytes();
		assert_eq!(name[..4], [1, 0x55, 0x12, 32]);
		// wantlist: entries: block, priority 1, sendDontHave; full.
		let mut entry = vec![0x0a, 36];
		entry.extend(&name);
		entry.extend([0x10, 1, 0x28, 1]);
		let mut list = vec![0x0a, entry.len() as u8];
		list.extend(entry);
		list.extend([0x10, 1]);
		let mut message = vec![0x0a, list.len() as u8];
		message.extend(list);
		assert_eq!(Message::want(&cid).encode_to_vec(), message);
	}

	#[test]
	fn fields_of_tomorrow_are_passed_over() {
		let mut bytes = Message { pending_bytes: 3, ..Message::default() }.encode_to_vec();
		bytes.extend([0x7a, 2, 1, 2]);
		assert_eq!(Message::decode(&bytes[..]).unwrap().pending_bytes, 3);
	}
}
