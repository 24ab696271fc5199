#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod dial;
mod exchange;
pub mod frame;
mod message;

pub use message::{Block, BlockPresence, Entry, Message, Wantlist};

use cid::{Cid, multihash::Multihash};
use libp2p::{Multiaddr, PeerId, StreamProtocol, multiaddr::Protocol};
use std::{fmt, time::Duration};

/// The protocol, in the one version that is spoken here.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/bitswap/1.2.0");

/// How long a peer may take for everything, from the dialling to the last byte.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// What a message may have around the block that is wanted, in bytes. Peers tell newcomers what they want themselves, and a
/// full list of wants has about 40 KiB.
pub const MESSAGE_OVERHEAD: usize = 64 * 1024;

/// Multicodec of raw binary.
const RAW: u64 = 0x55;
/// Multicodec of SHA2-256.
const SHA2_256: u64 = 0x12;

/// Why a block did not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
	/// There is no connection to the peer.
	#[error("{peer} cannot be reached ({reason})")]
	Unreachable {
		/// Its address.
		peer: Multiaddr,
		/// What was said.
		reason: String,
	},
	/// The peer does not speak this version of Bitswap.
	#[error("{peer} does not speak {PROTOCOL}")]
	NoBitswap {
		/// Its address.
		peer: Multiaddr,
	},
	/// The connection ended before the block was there.
	#[error("{peer} broke off ({reason})")]
	Interrupted {
		/// Its address.
		peer: Multiaddr,
		/// What was said.
		reason: String,
	},
	/// The peer neither gave the block nor said that it has none.
	#[error("{peer} did not answer within {} s", waited.as_secs())]
	Silent {
		/// Its address.
		peer: Multiaddr,
		/// How long was waited.
		waited: Duration,
	},
	/// The peer says that it does not have the block.
	#[error("{peer} does not have it")]
	DontHave {
		/// Its address.
		peer: Multiaddr,
	},
	/// The peer gave another block than the one that was asked for.
	#[error("{peer} gave something else")]
	OtherBlock {
		/// Its address.
		peer: Multiaddr,
	},
	/// The block, or the message with it, is longer than it may be.
	#[error("{peer} has more than the {allowed} bytes that are allowed")]
	TooLong {
		/// Its address.
		peer: Multiaddr,
		/// How many bytes the block may have.
		allowed: usize,
	},
	/// The peer sent what is no message.
	#[error("{peer} sent what is no message of {PROTOCOL} ({reason})")]
	Malformed {
		/// Its address.
		peer: Multiaddr,
		/// What is wrong.
		reason: String,
	},
}

impl FetchError {
	/// Whether the same question may get another answer soon.
	pub fn is_temporary(&self) -> bool {
		matches!(self, Self::Unreachable { .. } | Self::Interrupted { .. })
	}
}

/// The text is no address of a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address of a peer ({reason}): write /ip4/../tcp/../p2p/..")]
pub struct AddressError {
	/// What was given.
	pub text: String,
	/// What is wrong with it.
	pub reason: String,
}

/// A peer that blocks are fetched from. It is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
	address: Multiaddr,
	id: PeerId,
	patience: Duration,
}

impl Peer {
	/// The peer at this address, which ends with its id: `/ip4/../tcp/../p2p/..`, `/ip6` or `/dns`.
	pub fn new(address: &str) -> Result<Self, AddressError> {
		let refused =
			|reason: &str| AddressError { text: address.into(), reason: reason.to_owned() };
		let parsed: Multiaddr = address.parse().map_err(|_| refused("it is malformed"))?;
		let parts: Vec<_> = parsed.iter().collect();
		let [place, Protocol::Tcp(port), Protocol::P2p(id)] = &parts[..] else {
			return Err(refused("it is not a place, a TCP port and the id of a peer"));
		};
		let is_place = matches!(
			place,
			Protocol::Ip4(_)
				| Protocol::Ip6(_)
				| Protocol::Dns(_)
				| Protocol::Dns4(_)
				| Protocol::Dns6(_)
		);
		if !is_place || *port == 0 {
			return Err(refused("nobody can be reached there"));
		}
		Ok(Self { id: *id, address: parsed, patience: PATIENCE })
	}

	/// Waits this long for the block instead of [`PATIENCE`].
	pub fn with_patience(self, patience: Duration) -> Self {
		Self { patience, ..self }
	}

	/// Where it is.
	pub fn address(&self) -> &Multiaddr {
		&self.address
	}

	/// The block with this SHA2-256, of at most `max_len` bytes. What comes back hashes to it.
	///
	/// Dials, asks, and hangs up; to be called within a Tokio runtime. Dropping the future breaks off.
	pub async fn fetch(&self, digest: [u8; 32], max_len: usize) -> Result<Vec<u8>, FetchError> {
		let fetching = exchange::fetch(self, digest, max_len);
		tokio::time::timeout(self.patience, fetching).await.unwrap_or_else(|_| {
			Err(FetchError::Silent { peer: self.address.clone(), waited: self.patience })
		})
	}
}

impl fmt::Display for Peer {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.address.fmt(f)
	}
}

/// The name of a block with this SHA2-256: CIDv1, raw.
pub fn cid(digest: [u8; 32]) -> Cid {
	let hash = Multihash::<64>::wrap(SHA2_256, &digest)
		.expect("a digest of 32 bytes fits a multihash of 64");
	Cid::new_v1(RAW, hash)
}

#[cfg(test)]
mod tests {
	use super::*;

	const ID: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

	#[test]
	fn an_address_names_a_place_a_port_and_a_peer() {
		for place in ["/ip4/127.0.0.1", "/ip6/::1", "/dns/node.example", "/dns4/node.example"] {
			let address = format!("{place}/tcp/30333/p2p/{ID}");
			assert_eq!(Peer::new(&address).unwrap().to_string(), address);
		}
	}

	#[test]
	fn what_is_no_address_of_a_peer_is_refused_in_one_sentence() {
		for address in [
			"",
			"127.0.0.1:4001",
			"/ip4/127.0.0.1/tcp/4001",
			"/ip4/127.0.0.1/tcp/0/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
			"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
			"/unix/tcp/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
		] {
			let error = Peer::new(address).unwrap_err().to_string();
			assert!(error.contains("write /ip4/../tcp/../p2p/.."), "{error}");
			assert!(!error.contains('\n'), "{error}");
		}
	}

	#[test]
	fn the_cid_is_the_one_that_ipfs_computes() {
		use sha2::{Digest, Sha256};
		// `ipfs add --cid-version 1 --raw-leaves` of the bytes `hello world`.
		assert_eq!(
			cid(Sha256::digest(b"hello world").into()).to_string(),
			"bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
		);
	}
}
