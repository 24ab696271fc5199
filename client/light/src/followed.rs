//! What smoldot has finalised, and whose votes it waits for next.
//!
//! smoldot tells this in the document from which chains of another kind can be started again. It is the one place that
//! shows the authorities by whom it really judges votes: what a header or the state says about them is only what some
//! block says.

use codec::{Compact, Decode};
use dpki_verifier::{AuthoritySet, Checkpoint};
use serde::Deserialize;
use sp_crypto_hashing::blake2_256;
use subxt_rpcs::{RpcClient, client::rpc_params};

/// Longest document that is asked for, in bytes. One without the runtime has about 150 for each authority.
const MAX_LEN: u64 = 256 * 1024;

/// Asks for it.
pub(crate) async fn followed(rpc: &RpcClient) -> Result<Checkpoint, String> {
	let document: String = rpc
		.request("chainHead_unstable_finalizedDatabase", rpc_params![MAX_LEN])
		.await
		.map_err(|error| error.to_string())?;
	parse(&document)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
	genesis_hash: String,
	chain: Option<Chain>,
}

#[derive(Deserialize)]
struct Chain {
	version: String,
	finalized_block_header: String,
	grandpa_after_finalized_block_authorities_set_id: Option<u64>,
	#[serde(default)]
	grandpa_finalized_triggered_authorities: Vec<Authority>,
}

#[derive(Deserialize)]
struct Authority {
	public_key: String,
	weight: u64,
}

fn parse(document: &str) -> Result<Checkpoint, String> {
	let document: Document =
		serde_json::from_str(document).map_err(|error| format!("its document: {error}"))?;
	let chain = document.chain.ok_or("it has finalised nothing yet")?;
	if chain.version != "1" {
		return Err(format!("its document is of the unknown version {}", chain.version));
	}
	let header = hex::decode(&chain.finalized_block_header)
		.map_err(|error| format!("its finalised header: {error}"))?;
	let mut after_parent = header.get(32..).ok_or("its finalised header is too short")?;
	let Compact(number) = Compact::<u32>::decode(&mut after_parent)
		.map_err(|error| format!("its finalised header: {error}"))?;
	let id = chain
		.grandpa_after_finalized_block_authorities_set_id
		.ok_or("it follows no GRANDPA")?;
	let mut authorities = Vec::with_capacity(chain.grandpa_finalized_triggered_authorities.len());
	for Authority { public_key, weight } in chain.grandpa_finalized_triggered_authorities {
		if weight != 1 {
			return Err(format!("authority {public_key} has weight {weight}"));
		}
		authorities.push(bytes(&public_key)?);
	}
	let set = AuthoritySet::new(id, authorities).map_err(|error| error.to_string())?;
	let genesis = bytes(&document.genesis_hash)?;
	Ok(Checkpoint { genesis, set, number, hash: blake2_256(&header) })
}

fn bytes(digits: &str) -> Result<[u8; 32], String> {
	let mut bytes = [0; 32];
	hex::decode_to_slice(digits, &mut bytes).map_err(|error| format!("`{digits}`: {error}"))?;
	Ok(bytes)
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use serde_json::{Value, json};

	fn header() -> Vec<u8> {
		let mut header = vec![9; 32];
		header.extend(Compact(70_000u32).encode());
		header.extend([7; 64]);
		header.push(0);
		header
	}

	fn document(change: impl FnOnce(&mut Value)) -> String {
		let mut document = json!({
			"genesisHash": "01".repeat(32),
			"chain": {
				"version": "1",
				"finalized_block_header": hex::encode(header()),
				"aura_slot_duration": 1000,
				"aura_finalized_authorities": [],
				"grandpa_after_finalized_block_authorities_set_id": 5,
				"grandpa_finalized_triggered_authorities": [
					{ "public_key": "22".repeat(32), "weight": 1 },
					{ "public_key": "11".repeat(32), "weight": 1 },
				],
			},
			"nodes": {},
		});
		change(&mut document);
		document.to_string()
	}

	#[test]
	fn the_finalised_block_and_the_authorities_after_it_are_read() {
		let found = parse(&document(|_| ())).unwrap();
		assert_eq!(found.genesis, [1; 32]);
		assert_eq!((found.number, found.hash), (70_000, blake2_256(&header())));
		assert_eq!(found.set, AuthoritySet::new(5, vec![[0x11; 32], [0x22; 32]]).unwrap());
	}

	#[test]
	fn half_a_document_is_none() {
		let refused = |change: fn(&mut Value)| parse(&document(change)).unwrap_err();
		refused(|it| it["chain"] = Value::Null);
		refused(|it| it["chain"]["version"] = json!("2"));
		refused(|it| it["chain"]["finalized_block_header"] = json!("0102"));
		refused(|it| {
			it["chain"]["grandpa_after_finalized_block_authorities_set_id"] = Value::Null;
		});
		refused(|it| it["chain"]["grandpa_finalized_triggered_authorities"] = json!([]));
		refused(|it| {
			it["chain"]["grandpa_finalized_triggered_authorities"][0]["weight"] = json!(2);
		});
		assert!(parse("<too-large>").is_err());
	}
}
