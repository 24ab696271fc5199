//! Where blobs are fetched from.
//!
//! ```toml
//! [[blobs]]
//! kind = "chain"
//!
//! [[blobs]]
//! kind = "gateway"
//! address = "https://ipfs.acme.example"
//! ```

use dpki_client::{
	StoreAddress,
	blob::{AddressError, StoreKind},
};
use serde::{Deserialize, Serialize};

/// A store of blobs. Its form is one of [`dpki_client::blob`]; what is no such thing is an error of its line in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct BlobSettings(pub StoreAddress);

/// The same as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
	kind: String,
	#[serde(default, skip_serializing_if = "String::is_empty")]
	address: String,
}

impl TryFrom<Written> for BlobSettings {
	type Error = AddressError;

	fn try_from(written: Written) -> Result<Self, AddressError> {
		let Some(kind) = StoreKind::ALL.into_iter().find(|kind| kind.name() == written.kind) else {
			return Err(AddressError {
				text: written.kind,
				reason: "it is no kind of store".into(),
				form: StoreKind::ALL.map(StoreKind::name).join(", "),
			});
		};
		StoreAddress::new(kind, &written.address).map(Self)
	}
}

impl From<BlobSettings> for Written {
	fn from(BlobSettings(store): BlobSettings) -> Self {
		Self { kind: store.kind().name().into(), address: store.address().into() }
	}
}

/// The stores in this order; the chain alone, if none is named.
pub fn stores(settings: &[BlobSettings]) -> Vec<StoreAddress> {
	match settings {
		[] => vec![StoreAddress::chain()],
		named => named.iter().map(|setting| setting.0.clone()).collect(),
	}
}

#[cfg(test)]
mod tests {
	use crate::config::{Config, tests::sample};
	use std::path::Path;

	fn with(blobs: &str) -> Result<Config, String> {
		let text = format!("{}\n{blobs}", sample().to_toml());
		Config::parse(&text, Path::new("agent.toml")).map_err(|error| error.to_string())
	}

	fn names(config: &Config) -> Vec<String> {
		config.stores().iter().map(ToString::to_string).collect()
	}

	#[test]
	fn without_a_word_blobs_come_from_the_chain() {
		assert_eq!(names(&sample()), ["chain"]);
	}

	#[test]
	fn stores_are_asked_in_the_order_in_which_they_are_named() {
		let config = with(
			"[[blobs]]\nkind = \"folder\"\naddress = \"/media/stick\"\n\
			 [[blobs]]\nkind = \"chain\"\n\
			 [[blobs]]\nkind = \"gateway-car\"\naddress = \"http://ipfs.acme.example\"\n",
		)
		.unwrap();
		let expected = ["folder=/media/stick", "chain", "gateway-car=http://ipfs.acme.example"];
		assert_eq!(names(&config), expected);
		let written = Config::parse(&config.to_toml(), Path::new("agent.toml")).unwrap();
		assert_eq!(written, config);
	}

	#[test]
	fn what_is_no_store_is_refused_with_its_line() {
		for (blobs, said) in [
			("[[blobs]]\nkind = \"ipfs\"", "write chain, bitswap, kubo"),
			("[[blobs]]\nkind = \"kubo\"", "write kubo=http://HOST:PORT"),
			("[[blobs]]\nkind = \"folder\"\naddress = \"stick\"", "does not begin at /"),
			("[[blobs]]\nkind = \"chain\"\naddress = \"x\"", "it has no address"),
			("[[blobs]]\nkind = \"chain\"\nretries = 3", "retries"),
			("[[blobs]]\naddress = \"x\"", "kind"),
		] {
			let error = with(blobs).unwrap_err();
			assert!(error.contains(said) && error.contains("agent.toml, line "), "{error}");
			assert!(!error.contains('\n'), "{error}");
		}
	}
}
