//! Records with the proof that a finalised block holds them, or holds none.

use super::{ReadError, View};
use crate::client::{Client, Head};
use dpki_verifier::{Error as Unproven, TrieReader, limits::MAX_NODE_LEN};
use sp_crypto_hashing::blake2_256;
use subxt::config::substrate::H256;
use subxt_rpcs::client::rpc_params;

impl View {
	/// The state of a block that is proven to be final, under this root.
	pub(crate) fn proven(client: Client, head: Head, root: [u8; 32]) -> Self {
		Self { root: Some(root), ..Self::new(client, head) }
	}

	/// Whether every record comes with its proof.
	pub fn is_proven(&self) -> bool {
		self.root.is_some()
	}

	/// Refuses a question to which there is no proof, where the node is not believed.
	pub(super) fn require_told(&self, item: &'static str) -> Result<(), ReadError> {
		if self.is_proven() { Err(ReadError::Unprovable { item }) } else { Ok(()) }
	}

	pub(super) async fn value_proven(
		&self,
		item: &'static str,
		root: &[u8; 32],
		key: &[u8],
	) -> Result<Option<Vec<u8>>, ReadError> {
		let nodes = self.proof_of(item, key).await?;
		let value = value(root, key, &nodes);
		Ok(value.map_err(|error| self.unproven(item, error))?.map(<[u8]>::to_vec))
	}

	/// The same for a value that may be longer than a proof that anybody carries: one that is for this client alone.
	pub(super) async fn long_value_proven(
		&self,
		item: &'static str,
		root: &[u8; 32],
		key: &[u8],
	) -> Result<Option<Vec<u8>>, ReadError> {
		let nodes = self.proof_of(item, key).await?;
		let value = long_value(root, key, nodes);
		value.map_err(|error| self.unproven(item, error))
	}

	/// The nodes of the state by which the node proves what lies under a key.
	async fn proof_of(&self, item: &'static str, key: &[u8]) -> Result<Vec<Vec<u8>>, ReadError> {
		#[derive(serde::Deserialize)]
		struct ReadProof {
			proof: Vec<String>,
		}
		let Head { number: block, hash, .. } = self.head;
		let params = rpc_params![[format!("0x{}", hex::encode(key))], H256(hash)];
		let answer: ReadProof = self
			.client
			.request("state_getReadProof", params)
			.await
			.map_err(|error| ReadError::Request { item, block, reason: error.to_string() })?;
		let nodes = answer.proof.iter().map(|node| {
			hex::decode(node.strip_prefix("0x").unwrap_or(node))
				.map_err(|error| self.malformed(item, error.to_string()))
		});
		nodes.collect()
	}

	fn unproven(&self, item: &'static str, error: Unproven) -> ReadError {
		ReadError::Unproven { item, block: self.head.number, error }
	}
}

/// What lies under the key in a state of this root, by exactly these nodes of it.
fn value<'a>(
	root: &'a [u8; 32],
	key: &[u8],
	nodes: &'a [Vec<u8>],
) -> Result<Option<&'a [u8]>, Unproven> {
	let nodes: Vec<&'a [u8]> = nodes.iter().map(Vec::as_slice).collect();
	let mut state = TrieReader::new(root, &nodes)?;
	let value = state.read(key)?;
	state.finish()?;
	Ok(value)
}

/// The same for a value of any length, among nodes that may be more than are needed.
fn long_value(
	root: &[u8; 32],
	key: &[u8],
	nodes: Vec<Vec<u8>>,
) -> Result<Option<Vec<u8>>, Unproven> {
	let short: Vec<&[u8]> = nodes
		.iter()
		.map(Vec::as_slice)
		.filter(|node| node.len() <= MAX_NODE_LEN)
		.collect();
	let mut state = TrieReader::new(root, &short)?;
	match state.read(key) {
		Ok(value) => return Ok(value.map(<[u8]>::to_vec)),
		// It may be one that is too long for the reader.
		Err(Unproven::NodeMissing) => {},
		Err(error) => return Err(error),
	}
	let Some(hash) = state.read_hash(key)? else { return Ok(None) };
	let mut found = nodes.into_iter().filter(|node| blake2_256(node) == hash);
	found.next().map(Some).ok_or(Unproven::NodeMissing)
}
