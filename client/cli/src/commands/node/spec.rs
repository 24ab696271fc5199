//! What a raw chain specification says: which chain it is, and where its nodes are.

use crate::error::{Error, Result};
use codec::{Compact, Encode};
use serde::Deserialize;
use sp_core::Blake2Hasher;
use sp_trie::{LayoutV1, TrieConfiguration};
use std::{collections::BTreeMap, fs, path::Path};

/// A raw chain specification.
#[derive(Debug)]
pub struct Spec {
	/// What the chain is called in folders and protocols.
	pub id: String,
	/// The hash of its first block.
	pub genesis: [u8; 32],
	/// Where to find nodes at first.
	pub boot_nodes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
	id: String,
	#[serde(default)]
	boot_nodes: Vec<String>,
	genesis: Genesis,
}

#[derive(Deserialize)]
struct Genesis {
	raw: Raw,
}

#[derive(Deserialize)]
struct Raw {
	top: BTreeMap<String, String>,
}

impl Spec {
	/// Reads a file.
	pub fn read(path: &Path) -> Result<Self> {
		let unfit = |reason: String| Error::NotASpec { path: path.to_owned(), reason };
		let text = fs::read_to_string(path).map_err(|source| Error::File {
			doing: "read",
			path: path.to_owned(),
			source,
		})?;
		Self::parse(&text).map_err(unfit)
	}

	fn parse(text: &str) -> Result<Self, String> {
		let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
		let bytes = |text: &String| {
			let digits = text.strip_prefix("0x").unwrap_or(text);
			hex::decode(digits).map_err(|error| error.to_string())
		};
		let state = file.genesis.raw.top.iter();
		let state = state
			.map(|(key, value)| Ok((bytes(key)?, bytes(value)?)))
			.collect::<Result<Vec<_>, String>>()?;
		Ok(Self { id: file.id, genesis: genesis_hash(state), boot_nodes: file.boot_nodes })
	}
}

/// The hash of the block that has this state and nothing else. The chain has state version 1.
fn genesis_hash(state: Vec<(Vec<u8>, Vec<u8>)>) -> [u8; 32] {
	type Layout = LayoutV1<Blake2Hasher>;
	let state_root = Layout::trie_root(state);
	let extrinsics_root = Layout::trie_root(Vec::<(Vec<u8>, Vec<u8>)>::new());
	let (parent, number, digest) = ([0u8; 32], Compact(0u32), Compact(0u32));
	let header = (parent, number, state_root.0, extrinsics_root.0, digest).encode();
	sp_crypto_hashing::blake2_256(&header)
}

/// Host and port of a boot node; nothing if it is reached in another way than by TCP.
pub fn socket(boot_node: &str) -> Option<(String, u16)> {
	let parts: Vec<_> = boot_node.split('/').collect();
	let ["", "ip4" | "ip6" | "dns" | "dns4" | "dns6", host, "tcp", port, ..] = parts[..] else {
		return None;
	};
	Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_first_block_is_hashed_as_nodes_hash_it() {
		// Of an empty state, whose root is the hash of an empty node.
		let empty = sp_crypto_hashing::blake2_256(&[0]);
		let header = [&[0; 32][..], &[0], &empty, &empty, &[0]].concat();
		assert_eq!(genesis_hash(Vec::new()), sp_crypto_hashing::blake2_256(&header));
		let text = r#"{"id":"x","genesis":{"raw":{"top":{"0x01":"0x02"},"childrenDefault":{}}}}"#;
		let spec = Spec::parse(text).unwrap();
		assert_ne!(spec.genesis, genesis_hash(Vec::new()));
		assert_eq!((spec.id.as_str(), spec.boot_nodes.len()), ("x", 0));
	}

	#[test]
	fn what_is_not_raw_is_refused() {
		for text in ["{}", r#"{"id":"x","genesis":{"runtimeGenesis":{"code":"0x"}}}"#, "7"] {
			assert!(Spec::parse(text).is_err(), "{text}");
		}
		let odd = r#"{"id":"x","genesis":{"raw":{"top":{"0x0":"0x"}}}}"#;
		assert!(Spec::parse(odd).is_err());
	}

	#[test]
	fn boot_nodes_have_sockets() {
		let socket = |text| super::socket(text);
		assert_eq!(socket("/ip4/10.0.0.1/tcp/30333/p2p/12D"), Some(("10.0.0.1".into(), 30333)));
		assert_eq!(socket("/dns/a.example/tcp/443/wss/p2p/12D"), Some(("a.example".into(), 443)));
		assert_eq!(socket("/ip6/::1/tcp/1"), Some(("::1".into(), 1)));
		for other in ["", "/ip4/10.0.0.1/udp/1/quic-v1", "/ip4/10.0.0.1/tcp/x", "10.0.0.1:1"] {
			assert_eq!(socket(other), None, "{other}");
		}
	}
}
