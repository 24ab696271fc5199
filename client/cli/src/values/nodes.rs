//! Where nodes are.

use std::str::FromStr;

/// A node: its WebSocket address, with or without a name for it as `NAME=URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
	/// What to call it.
	pub name: String,
	/// Where it is.
	pub url: String,
}

impl FromStr for NodeAddress {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (name, url) = match text.split_once('=') {
			Some((name, url)) if !name.contains("://") => (name, url),
			_ => (text, text),
		};
		if name.is_empty() || !(url.starts_with("ws://") || url.starts_with("wss://")) {
			return Err(
				"a node is its address, ws://HOST:PORT or wss://HOST:PORT, or NAME=ADDRESS".into(),
			);
		}
		Ok(Self { name: name.to_owned(), url: url.to_owned() })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_node_has_an_address_and_perhaps_a_name() {
		let node = |text: &str| text.parse::<NodeAddress>().map(|node| (node.name, node.url));
		let url = "ws://10.0.0.1:9944";
		assert_eq!(node(url), Ok((url.into(), url.into())));
		assert_eq!(node("north=ws://10.0.0.1:9944"), Ok(("north".into(), url.into())));
		let query = "wss://node.example/?key=1";
		assert_eq!(node(query), Ok((query.into(), query.into())));
		for wrong in ["", "north", "=ws://10.0.0.1:9944", "north=10.0.0.1:9944", "http://a"] {
			assert!(node(wrong).is_err(), "{wrong}");
		}
	}
}
