//! Records with the proof that a finalised block holds them, or holds none.

use super::{ReadError, View};
use crate::client::{Client, Head};
use dpki_verifier::{Error as Unproven, TrieReader};
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
		let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
		let value = value(root, key, &nodes);
		let value = value.map_err(|error| ReadError::Unproven { item, block, error })?;
		Ok(value.map(<[u8]>::to_vec))
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
