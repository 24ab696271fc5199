//! What is done to a chain specification before smoldot gets it.

use serde_json::Value;

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

/// The specification with these boot nodes added to its own.
pub(crate) fn with_bootnodes(spec_json: &str, bootnodes: &[String]) -> Result<String, SpecError> {
	let malformed = |reason: String| SpecError::Malformed { reason };
	let mut spec: Value =
		serde_json::from_str(spec_json).map_err(|error| malformed(error.to_string()))?;
	let fields = spec.as_object_mut().ok_or_else(|| malformed("it is no object".into()))?;
	let is_raw = fields.get("genesis").and_then(|genesis| genesis.get("raw")).is_some();
	if !is_raw {
		return Err(SpecError::NotRaw);
	}
	let list = fields.entry("bootNodes").or_insert_with(|| Value::Array(Vec::new()));
	let list = list.as_array_mut().ok_or_else(|| malformed("bootNodes is no list".into()))?;
	for address in bootnodes {
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
	Ok(spec.to_string())
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

	const PEER: &str =
		"/ip4/127.0.0.1/tcp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
	const SPEC: &str = r#"{"name":"n","bootNodes":[],"genesis":{"raw":{"top":{}}}}"#;

	fn bootnodes(spec: &str) -> Value {
		serde_json::from_str::<Value>(spec).unwrap()["bootNodes"].clone()
	}

	#[test]
	fn boot_nodes_are_added_once() {
		let with = with_bootnodes(SPEC, &[PEER.into(), PEER.into()]).unwrap();
		assert_eq!(bootnodes(&with), serde_json::json!([PEER]));
		let again = with_bootnodes(&with, &[PEER.into()]).unwrap();
		assert_eq!(bootnodes(&again), serde_json::json!([PEER]));
	}

	#[test]
	fn a_specification_with_boot_nodes_needs_no_more() {
		let with = with_bootnodes(SPEC, &[PEER.into()]).unwrap();
		assert!(with_bootnodes(&with, &[]).is_ok());
		assert_eq!(with_bootnodes(SPEC, &[]), Err(SpecError::NoBootnodes));
	}

	#[test]
	fn what_is_no_raw_specification_is_refused() {
		for text in ["", "[]", "{", "7"] {
			let refused = with_bootnodes(text, &[PEER.into()]);
			assert!(matches!(refused, Err(SpecError::Malformed { .. })), "{text}");
		}
		let plain = r#"{"bootNodes":[],"genesis":{"runtimeGenesis":{}}}"#;
		assert_eq!(with_bootnodes(plain, &[PEER.into()]), Err(SpecError::NotRaw));
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
			let refused = with_bootnodes(SPEC, &[bad.into()]);
			assert!(matches!(refused, Err(SpecError::Bootnode { .. })), "{bad}");
		}
	}
}
