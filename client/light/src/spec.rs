//! What of a chain specification reaches smoldot.
//!
//! Only the genesis state of a specification is proven, by the pinned genesis hash. Whatever else the file says comes
//! from wherever the file came from and must not decide what is believed. So the specification for smoldot is written
//! anew from an allow-list:
//!
//! | field | what becomes of it |
//! |---|---|
//! | `genesis.raw.top` | carried: the genesis hash covers it |
//! | `bootNodes` | carried: whom to ask first; no peer is trusted |
//! | `name`, `id`, `chainType`, `forkId` | carried: texts for the log and for the names of network protocols |
//! | `lightSyncState` | refused: smoldot would start from this checkpoint, which nothing links to the genesis |
//! | `relayChain`, `relay_chain`, `paraId`, `para_id` | refused: finality would come from another chain |
//! | `codeSubstitutes`, unless empty | refused: it replaces runtime code that is proven by code that is not |
//! | `blockNumberBytes`, unless 4 | refused: headers and votes would be read in another form than they are signed in |
//! | `genesis.stateRootHash` | refused: without the genesis state there is nothing to start from but a checkpoint |
//! | `genesis.raw.childrenDefault`, unless empty | refused: smoldot panics over child tries |
//! | `badBlocks`, `forkBlocks` | left out: which block counts is decided by finality and not by a file |
//! | everything else (`protocolId`, `properties`, `telemetryEndpoints`, ...) | left out: a light client has no use for it |
//!
//! What is refused and not left out has a meaning for the nodes of the chain that the light client would not share.

use codec::DecodeAll;
use serde::{
	Deserialize, Deserializer, Serialize,
	de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use sp_crypto_hashing::twox_128;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// What only a parachain has, in both spellings that smoldot knows.
const PARACHAIN: [&str; 4] = ["relayChain", "relay_chain", "paraId", "para_id"];

/// Bytes of a block number of the chain: `u32`.
const BLOCK_NUMBER_BYTES: u64 = 4;

/// Why a chain specification or a boot node cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
	/// It is not JSON with the right outline.
	#[error("the chain specification is malformed ({reason}): check the file")]
	Malformed {
		/// What is wrong.
		reason: String,
	},
	/// It is not raw.
	#[error(
		"the chain specification is not raw: export it with `dpki-node export-chain-spec --raw`"
	)]
	NotRaw,
	/// It has the root of the genesis state in place of the state.
	#[error(
		"the chain specification has only the root of the genesis state (`stateRootHash`): \
		 export it with `dpki-node export-chain-spec --raw`"
	)]
	StateRootOnly,
	/// Its genesis state has child tries.
	#[error(
		"the genesis state of the chain specification has child tries (`childrenDefault`), which this chain never \
		 has: export it anew with `dpki-node export-chain-spec --raw`"
	)]
	ChildTries,
	/// It starts from a checkpoint.
	#[error(
		"the chain specification starts from a checkpoint (`lightSyncState`) that the genesis hash does not vouch \
		 for: do not trust where it came from, and get one from `dpki-node export-chain-spec --raw`"
	)]
	Checkpoint,
	/// It is that of a parachain.
	#[error(
		"the chain specification is that of a parachain (`{field}`), but this chain finalises its own blocks: \
		 get the one of your chain"
	)]
	Parachain {
		/// The field that says so.
		field: &'static str,
	},
	/// It replaces the runtime.
	#[error(
		"the chain specification replaces the runtime of the chain (`codeSubstitutes`) by code that nothing proves: \
		 ask the operators of the chain for one without it"
	)]
	CodeSubstitutes,
	/// Its block numbers are of another size.
	#[error(
		"the chain specification has block numbers of another size than 4 bytes (`blockNumberBytes`): \
		 get the one of your chain"
	)]
	BlockNumberBytes,
	/// Its genesis state names no authorities.
	#[error(
		"the genesis state of the chain specification names no authorities that could finalise blocks ({reason}): \
		 get the one of your chain"
	)]
	Authorities {
		/// What is wrong.
		reason: String,
	},
	/// A boot node is not one.
	#[error(
		"`{address}` is no boot node: write it as /ip4/<address>/tcp/<port>/p2p/<peer id> (ip6, dns, and /ws work too)"
	)]
	Bootnode {
		/// What was given.
		address: String,
	},
	/// There is nobody to talk to.
	#[error("the chain specification names no boot nodes and none are given: give at least one")]
	NoBootnodes,
}

/// What is carried over, in the form in which smoldot reads it. The genesis state, which is nearly all of a specification,
/// stays the text that it is: a small device has no memory for a second copy of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Carried<'a> {
	name: Value,
	id: Value,
	#[serde(skip_serializing_if = "Option::is_none")]
	chain_type: Option<Value>,
	#[serde(skip_serializing_if = "Option::is_none")]
	fork_id: Option<Value>,
	boot_nodes: Value,
	genesis: CarriedGenesis<'a>,
}

#[derive(Serialize)]
struct CarriedGenesis<'a> {
	raw: CarriedState<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CarriedState<'a> {
	top: &'a RawValue,
	children_default: Map<String, Value>,
}

/// The fields of an object, each as it is written. Of several of one name the last one counts, and one that is `null` is as
/// good as absent, for the nodes and for smoldot.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
	/// `None` if the text is JSON but no object.
	fn of(text: &'a str) -> Result<Option<Self>, serde_json::Error> {
		if !text.trim_start().starts_with('{') {
			return serde_json::from_str::<&RawValue>(text).map(|_| None);
		}
		let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
		fields.retain(|_, value| value.get() != "null");
		Ok(Some(Self(fields)))
	}

	fn contains(&self, name: &str) -> bool {
		self.0.contains_key(name)
	}

	fn raw(&self, name: &str) -> Option<&'a RawValue> {
		self.0.get(name).copied()
	}

	fn value(&self, name: &str) -> Result<Option<Value>, SpecError> {
		let parsed = self.raw(name).map(|value| serde_json::from_str(value.get())).transpose();
		parsed.map_err(|error| malformed(&error.to_string()))
	}

	/// The object of this name; `None` if there is none, or something else.
	fn object(&self, name: &str) -> Result<Option<Fields<'a>>, SpecError> {
		let fields = self.raw(name).map(|value| Fields::of(value.get())).transpose();
		fields.map(Option::flatten).map_err(|error| malformed(&error.to_string()))
	}
}

/// The specification for smoldot: what may be carried over of `spec_json`, with these boot nodes added to its own.
pub(crate) fn for_smoldot(spec_json: &str, bootnodes: &[String]) -> Result<String, SpecError> {
	let given = match Fields::of(spec_json) {
		Ok(Some(fields)) => fields,
		Ok(None) => return Err(malformed("it is no object")),
		Err(error) => return Err(malformed(&error.to_string())),
	};
	refuse_other_rules(&given)?;
	let top = genesis_state(&given)?;
	let boot_nodes = boot_nodes(given.value("bootNodes")?, bootnodes)?;
	let text = |name: &str| match given.value(name)? {
		Some(text @ Value::String(_)) => Ok(text),
		_ => Err(malformed(&format!("`{name}` is missing or no text"))),
	};
	let carried = Carried {
		name: text("name")?,
		id: text("id")?,
		chain_type: given.value("chainType")?,
		fork_id: given.value("forkId")?,
		boot_nodes,
		genesis: CarriedGenesis { raw: CarriedState { top, children_default: Map::new() } },
	};
	serde_json::to_string(&carried).map_err(|error| malformed(&error.to_string()))
}

/// What else is needed of a specification.
#[derive(Debug)]
pub(crate) struct Outline {
	/// The first authorities, as the genesis state has them.
	pub(crate) authorities: Vec<[u8; 32]>,
	pub(crate) fork_id: Option<String>,
	pub(crate) boot_nodes: Vec<String>,
}

/// GRANDPA's list in a genesis state, as text. Everything else in it is passed over.
struct Listed<'a>(Option<Cow<'a, str>>);

/// A text that is not copied unless it has escapes in it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Listed<'a> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		struct Entries;
		impl<'de> Visitor<'de> for Entries {
			type Value = Listed<'de>;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("a genesis state")
			}

			fn visit_map<A: MapAccess<'de>>(self, mut state: A) -> Result<Listed<'de>, A::Error> {
				let key = [twox_128(b"Grandpa"), twox_128(b"Authorities")].concat();
				let key = format!("0x{}", hex::encode(key));
				let mut listed = None;
				while let Some((Text(name), Text(value))) = state.next_entry()? {
					// Digits can be written in two ways, which are one key for smoldot: it would be left to the order
					// which of two lists it takes, and which we do.
					if name.eq_ignore_ascii_case(&key) && listed.replace(value).is_some() {
						return Err(A::Error::custom("GRANDPA's list stands in it twice"));
					}
				}
				Ok(Listed(listed))
			}
		}
		deserializer.deserialize_map(Entries)
	}
}

/// The outline of what [`for_smoldot`] has written. Its authorities are as good as its genesis state is.
pub(crate) fn outline(specification: &str) -> Result<Outline, SpecError> {
	#[derive(Deserialize)]
	#[serde(rename_all = "camelCase")]
	struct Specification<'a> {
		boot_nodes: Vec<String>,
		fork_id: Option<String>,
		#[serde(borrow)]
		genesis: Genesis<'a>,
	}
	#[derive(Deserialize)]
	struct Genesis<'a> {
		#[serde(borrow)]
		raw: Raw<'a>,
	}
	#[derive(Deserialize)]
	struct Raw<'a> {
		#[serde(borrow)]
		top: Listed<'a>,
	}
	let given: Specification<'_> =
		serde_json::from_str(specification).map_err(|error| malformed(&error.to_string()))?;
	let wrong = |reason: String| SpecError::Authorities { reason };
	let text = given
		.genesis
		.raw
		.top
		.0
		.ok_or_else(|| wrong("GRANDPA's list is missing".into()))?;
	let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(&text))
		.map_err(|error| wrong(error.to_string()))?;
	let listed = Vec::<([u8; 32], u64)>::decode_all(&mut &bytes[..])
		.map_err(|error| wrong(error.to_string()))?;
	if listed.iter().any(|(_, weight)| *weight != 1) {
		return Err(wrong("one has another weight than 1".into()));
	}
	Ok(Outline {
		authorities: listed.into_iter().map(|(key, _)| key).collect(),
		fork_id: given.fork_id,
		boot_nodes: given.boot_nodes,
	})
}

/// Refuses what would make smoldot believe by other rules than those that follow from the genesis.
fn refuse_other_rules(given: &Fields<'_>) -> Result<(), SpecError> {
	if given.contains("lightSyncState") {
		return Err(SpecError::Checkpoint);
	}
	if let Some(field) = PARACHAIN.into_iter().find(|field| given.contains(field)) {
		return Err(SpecError::Parachain { field });
	}
	if given.value("codeSubstitutes")?.is_some_and(|code| !is_empty_object(&code)) {
		return Err(SpecError::CodeSubstitutes);
	}
	let number = given.value("blockNumberBytes")?;
	if number.is_some_and(|bytes| bytes.as_u64() != Some(BLOCK_NUMBER_BYTES)) {
		return Err(SpecError::BlockNumberBytes);
	}
	Ok(())
}

/// The keys and values of the genesis state.
fn genesis_state<'a>(given: &Fields<'a>) -> Result<&'a RawValue, SpecError> {
	let genesis = given.object("genesis")?.ok_or(SpecError::NotRaw)?;
	if genesis.contains("stateRootHash") {
		return Err(SpecError::StateRootOnly);
	}
	let raw = genesis.object("raw")?.ok_or(SpecError::NotRaw)?;
	if raw
		.value("childrenDefault")?
		.is_some_and(|children| !is_empty_object(&children))
	{
		return Err(SpecError::ChildTries);
	}
	raw.raw("top")
		.filter(|top| top.get().starts_with('{'))
		.ok_or_else(|| malformed("`genesis.raw.top` is missing or no object"))
}

/// The boot nodes of the specification and the given ones, each once.
fn boot_nodes(own: Option<Value>, given: &[String]) -> Result<Value, SpecError> {
	let mut list = match own {
		None => Vec::new(),
		Some(Value::Array(list)) if list.iter().all(Value::is_string) => list,
		Some(_) => return Err(malformed("`bootNodes` is no list of texts")),
	};
	for address in given {
		if !is_bootnode(address) {
			return Err(SpecError::Bootnode { address: address.clone() });
		}
		let address = Value::String(address.clone());
		if !list.contains(&address) {
			list.push(address);
		}
	}
	if list.is_empty() {
		return Err(SpecError::NoBootnodes);
	}
	Ok(Value::Array(list))
}

fn is_empty_object(value: &Value) -> bool {
	value.as_object().is_some_and(Map::is_empty)
}

fn malformed(reason: &str) -> SpecError {
	SpecError::Malformed { reason: reason.into() }
}

/// The outline only: smoldot parses the address, but drops one that it does not understand with no more than a warning.
fn is_bootnode(address: &str) -> bool {
	let parts: Vec<&str> = address.split('/').collect();
	let ["", family, host, "tcp", port, rest @ ..] = &parts[..] else { return false };
	let is_host = match *family {
		"ip4" => host.parse::<std::net::Ipv4Addr>().is_ok(),
		"ip6" => host.parse::<std::net::Ipv6Addr>().is_ok(),
		"dns" | "dns4" | "dns6" => !host.is_empty(),
		_ => false,
	};
	let peer = match rest {
		["p2p", peer] | ["ws", "p2p", peer] => *peer,
		_ => return false,
	};
	is_host
		&& port.parse::<u16>().is_ok()
		&& peer.len() >= 46
		&& peer.chars().all(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	const PEER: &str =
		"/ip4/127.0.0.1/tcp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

	/// As `export-chain-spec --raw` writes it.
	fn exported() -> Value {
		json!({
			"name": "Device PKI",
			"id": "dpki",
			"chainType": "Live",
			"bootNodes": [],
			"telemetryEndpoints": null,
			"protocolId": "dpki",
			"forkId": "two",
			"properties": { "tokenSymbol": "UNIT" },
			"codeSubstitutes": {},
			"genesis": { "raw": { "top": { "0x01": "0x02" }, "childrenDefault": {} } },
		})
	}

	/// The exported one with one more field, or with another value in it.
	fn with(field: &str, value: Value) -> Value {
		let mut spec = exported();
		spec[field] = value;
		spec
	}

	fn prepared(spec: &Value) -> Result<Value, SpecError> {
		for_smoldot(&spec.to_string(), &[PEER.into()])
			.map(|text| serde_json::from_str(&text).unwrap())
	}

	#[test]
	fn only_what_is_on_the_list_is_carried_over() {
		let carried = json!({
			"name": "Device PKI",
			"id": "dpki",
			"chainType": "Live",
			"forkId": "two",
			"bootNodes": [PEER],
			"genesis": { "raw": { "top": { "0x01": "0x02" }, "childrenDefault": {} } },
		});
		assert_eq!(prepared(&exported()), Ok(carried.clone()));
		let hash = format!("0x{}", "07".repeat(32));
		for (field, value) in [
			("badBlocks", json!([hash])),
			("forkBlocks", json!([[1, hash]])),
			("telemetryEndpoints", json!([["/dns/telemetry.example/tcp/443", 0]])),
			("consensusEngine", json!(null)),
			("whatever", json!({ "a": [1] })),
		] {
			assert_eq!(prepared(&with(field, value)), Ok(carried.clone()), "{field}");
		}
	}

	#[test]
	fn a_checkpoint_is_refused() {
		let checkpoint = json!({
			"babeEpochChanges": "0x00",
			"babeFinalizedBlockWeight": 0,
			"finalizedBlockHeader": "0x00",
			"grandpaAuthoritySet": "0x00",
		});
		assert_eq!(prepared(&with("lightSyncState", checkpoint)), Err(SpecError::Checkpoint));
		assert_eq!(prepared(&with("lightSyncState", json!({}))), Err(SpecError::Checkpoint));
		assert!(prepared(&with("lightSyncState", json!(null))).is_ok());
	}

	#[test]
	fn a_second_field_of_the_same_name_brings_no_checkpoint_in() {
		let twice = r#"{"lightSyncState":{},"name":"n","id":"i","lightSyncState":null,
			"genesis":{"raw":{"top":{}}}}"#;
		let text = for_smoldot(twice, &[PEER.into()]).unwrap();
		assert!(!text.contains("lightSyncState"), "{text}");
	}

	#[test]
	fn a_parachain_is_refused_in_either_spelling() {
		for field in PARACHAIN {
			for value in [json!("polkadot"), json!(1000)] {
				let refused = prepared(&with(field, value));
				assert_eq!(refused, Err(SpecError::Parachain { field }));
			}
			assert!(prepared(&with(field, json!(null))).is_ok(), "{field}");
		}
	}

	#[test]
	fn other_runtime_code_is_refused() {
		for value in [json!({ "5": "0x0061736d" }), json!([]), json!("0x")] {
			let refused = prepared(&with("codeSubstitutes", value));
			assert_eq!(refused, Err(SpecError::CodeSubstitutes));
		}
	}

	#[test]
	fn other_block_numbers_are_refused() {
		for value in [json!(0), json!(8), json!(-4), json!("4")] {
			let refused = prepared(&with("blockNumberBytes", value));
			assert_eq!(refused, Err(SpecError::BlockNumberBytes));
		}
		let same = prepared(&with("blockNumberBytes", json!(4))).unwrap();
		assert_eq!(same.get("blockNumberBytes"), None);
	}

	#[test]
	fn a_genesis_without_its_state_is_refused() {
		let root = format!("0x{}", "07".repeat(32));
		for genesis in [
			json!({ "stateRootHash": root }),
			json!({ "stateRootHash": root, "raw": { "top": {}, "childrenDefault": {} } }),
		] {
			assert_eq!(prepared(&with("genesis", genesis)), Err(SpecError::StateRootOnly));
		}
	}

	#[test]
	fn a_genesis_that_is_not_raw_is_refused() {
		for genesis in [
			json!({ "runtimeGenesis": { "code": "0x", "patch": {} } }),
			json!({ "raw": [] }),
			json!({}),
			json!("raw"),
			json!(null),
		] {
			assert_eq!(prepared(&with("genesis", genesis)), Err(SpecError::NotRaw));
		}
	}

	#[test]
	fn child_tries_are_refused() {
		for children in [json!({ "0x01": { "0x02": "0x03" } }), json!([]), json!(1)] {
			let genesis = json!({ "raw": { "top": {}, "childrenDefault": children } });
			assert_eq!(prepared(&with("genesis", genesis)), Err(SpecError::ChildTries));
		}
		for raw in [json!({ "top": {} }), json!({ "top": {}, "childrenDefault": null })] {
			let prepared = prepared(&with("genesis", json!({ "raw": raw }))).unwrap();
			assert_eq!(prepared["genesis"]["raw"]["childrenDefault"], json!({}));
		}
	}

	#[test]
	fn what_has_another_outline_is_refused() {
		for text in ["", "[]", "{", "7"] {
			let refused = for_smoldot(text, &[PEER.into()]);
			assert!(matches!(refused, Err(SpecError::Malformed { .. })), "{text}");
		}
		for (spec, word) in [
			(with("genesis", json!({ "raw": { "childrenDefault": {} } })), "genesis.raw.top"),
			(with("genesis", json!({ "raw": { "top": [] } })), "genesis.raw.top"),
			(with("name", json!(null)), "`name`"),
			(with("id", json!(7)), "`id`"),
			(with("bootNodes", json!("none")), "bootNodes"),
			(with("bootNodes", json!([7])), "bootNodes"),
		] {
			match prepared(&spec) {
				Err(SpecError::Malformed { reason }) => assert!(reason.contains(word), "{reason}"),
				other => panic!("{word}: {other:?}"),
			}
		}
	}

	#[test]
	fn boot_nodes_are_added_once() {
		let prepare = |spec: &Value, nodes: &[String]| for_smoldot(&spec.to_string(), nodes);
		let first = prepare(&exported(), &[PEER.into(), PEER.into()]).unwrap();
		let first: Value = serde_json::from_str(&first).unwrap();
		assert_eq!(first["bootNodes"], json!([PEER]));
		assert_eq!(prepared(&first).unwrap()["bootNodes"], json!([PEER]));
		assert!(prepare(&first, &[]).is_ok(), "its own are enough");
		assert_eq!(prepare(&exported(), &[]), Err(SpecError::NoBootnodes));
	}

	#[test]
	fn boot_nodes_have_an_outline() {
		let id = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
		for good in [
			format!("/ip6/::1/tcp/1/p2p/{id}"),
			format!("/dns/node.example/tcp/30333/p2p/{id}"),
			format!("/ip4/10.0.0.1/tcp/30334/ws/p2p/{id}"),
		] {
			assert!(is_bootnode(&good), "{good}");
		}
		for bad in [
			"",
			"127.0.0.1:30333",
			"/ip4/127.0.0.1/tcp/30333",
			"/ip4/127.0.0.1/tcp/30333/p2p/",
			"/ip4/127.0.0.256/tcp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
			"/ip4/127.0.0.1/udp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
			"/ip4/127.0.0.1/tcp/99999/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
		] {
			assert!(!is_bootnode(bad), "{bad}");
			let refused = for_smoldot(&exported().to_string(), &[bad.into()]);
			assert_eq!(refused, Err(SpecError::Bootnode { address: bad.into() }));
		}
	}

	#[test]
	fn the_first_authorities_are_those_of_the_genesis_state() {
		use codec::Encode;
		let key = [twox_128(b"Grandpa"), twox_128(b"Authorities")].concat();
		let with = |listed: Vec<([u8; 32], u64)>| {
			let mut spec = exported();
			let value = format!("0x{}", hex::encode(listed.encode()));
			spec["genesis"]["raw"]["top"][format!("0x{}", hex::encode(&key))] = json!(value);
			outline(&for_smoldot(&spec.to_string(), &[PEER.into()]).unwrap())
		};
		let found = with(vec![([5; 32], 1), ([6; 32], 1)]).unwrap();
		assert_eq!(found.authorities, [[5; 32], [6; 32]]);
		assert_eq!(found.boot_nodes, [PEER]);
		let weighted = with(vec![([5; 32], 2)]);
		assert!(matches!(weighted, Err(SpecError::Authorities { .. })), "{weighted:?}");
		let none = outline(&for_smoldot(&exported().to_string(), &[PEER.into()]).unwrap());
		assert!(matches!(none, Err(SpecError::Authorities { .. })), "{none:?}");
	}

	#[test]
	fn two_lists_of_authorities_are_refused_however_they_are_written() {
		let key = hex::encode([twox_128(b"Grandpa"), twox_128(b"Authorities")].concat());
		for other in [key.clone(), key.to_uppercase()] {
			let spec = format!(
				r#"{{"name":"n","id":"i","genesis":{{"raw":{{"top":{{"0x{key}":"0x00","0x{other}":"0x00"}}}}}}}}"#
			);
			let refused = outline(&for_smoldot(&spec, &[PEER.into()]).unwrap());
			match refused {
				Err(SpecError::Malformed { reason }) => {
					assert!(reason.contains("twice"), "{reason}")
				},
				other => panic!("{other:?}"),
			}
		}
	}
}
