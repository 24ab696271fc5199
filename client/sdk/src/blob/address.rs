//! How stores are named, on the command line and in configurations.

use super::{
	BitswapBlobs, BlobFolder, BlobKeeper, BlobStore, ChainBlobs, GatewayBlobs, KuboBlobs,
	gateway::Form,
};
use crate::client::Client;
use std::{fmt, path::Path, str::FromStr};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
	/// The nodes of the chain.
	Chain,
	/// An IPFS peer.
	Bitswap,
	/// A daemon with the RPC of Kubo.
	Kubo,
	/// A trustless gateway that gives blocks as they are.
	Gateway,
	/// A trustless gateway that gives archives of blocks.
	GatewayCar,
	/// A folder.
	Folder,
}

impl StoreKind {
	/// Every kind.
	pub const ALL: [Self; 6] =
		[Self::Chain, Self::Bitswap, Self::Kubo, Self::Gateway, Self::GatewayCar, Self::Folder];

	/// Its word.
	pub fn name(self) -> &'static str {
		match self {
			Self::Chain => "chain",
			Self::Bitswap => "bitswap",
			Self::Kubo => "kubo",
			Self::Gateway => "gateway",
			Self::GatewayCar => "gateway-car",
			Self::Folder => "folder",
		}
	}

	/// What its address looks like.
	fn form(self) -> &'static str {
		match self {
			Self::Chain => "chain",
			Self::Bitswap => "bitswap=/ip4/../tcp/../p2p/..",
			Self::Kubo => "kubo=http://HOST:PORT",
			Self::Gateway => "gateway=https://HOST",
			Self::GatewayCar => "gateway-car=https://HOST",
			Self::Folder => "folder=/PATH",
		}
	}
}

/// The text names no store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no store of blobs ({reason}): write {form}")]
pub struct AddressError {
	/// What was given.
	pub text: String,
	/// What is wrong with it.
	pub reason: String,
	/// What would be right.
	pub form: String,
}

/// A store, by its kind and its address: `chain`, or `KIND=ADDRESS`. What it names can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAddress {
	kind: StoreKind,
	address: String,
}

impl StoreAddress {
	/// The nodes of the chain.
	pub fn chain() -> Self {
		Self { kind: StoreKind::Chain, address: String::new() }
	}

	/// The store of this kind at this address, which only the chain does without.
	pub fn new(kind: StoreKind, address: &str) -> Result<Self, AddressError> {
		let store = Self { kind, address: address.to_owned() };
		let checked = match kind {
			StoreKind::Chain if address.is_empty() => Ok(()),
			StoreKind::Chain => Err("it has no address".to_owned()),
			StoreKind::Folder if Path::new(address).is_absolute() => Ok(()),
			StoreKind::Folder => Err("its path does not begin at /".to_owned()),
			StoreKind::Bitswap => {
				BitswapBlobs::new(address).map(drop).map_err(|error| error.reason)
			},
			StoreKind::Kubo => KuboBlobs::new(address).map(drop),
			StoreKind::Gateway => GatewayBlobs::new(address, Form::Raw).map(drop),
			StoreKind::GatewayCar => GatewayBlobs::new(address, Form::Car).map(drop),
		};
		checked.map(|()| store.clone()).map_err(|reason| store.refused(reason))
	}

	/// Its kind.
	pub fn kind(&self) -> StoreKind {
		self.kind
	}

	/// Its address.
	pub fn address(&self) -> &str {
		&self.address
	}

	/// Opens it to fetch from. Of these only the chain needs the connection.
	pub fn open(&self, client: &Client) -> Result<Box<dyn BlobStore>, AddressError> {
		let refused = |reason| self.refused(reason);
		Ok(match self.kind {
			StoreKind::Chain => Box::new(ChainBlobs::new(client)),
			StoreKind::Bitswap => {
				Box::new(BitswapBlobs::new(&self.address).map_err(|error| refused(error.reason))?)
			},
			StoreKind::Kubo => Box::new(KuboBlobs::new(&self.address).map_err(refused)?),
			StoreKind::Gateway => {
				Box::new(GatewayBlobs::new(&self.address, Form::Raw).map_err(refused)?)
			},
			StoreKind::GatewayCar => {
				Box::new(GatewayBlobs::new(&self.address, Form::Car).map_err(refused)?)
			},
			StoreKind::Folder => Box::new(BlobFolder::at(&self.address)),
		})
	}

	/// Opens it to put blobs in and to take them out, which not every kind lets one do.
	pub fn keeper(&self) -> Result<Box<dyn BlobKeeper>, AddressError> {
		match self.kind {
			StoreKind::Kubo => match KuboBlobs::new(&self.address) {
				Ok(store) => Ok(Box::new(store)),
				Err(reason) => Err(self.refused(reason)),
			},
			StoreKind::Folder => Ok(Box::new(BlobFolder::at(&self.address))),
			_ => Err(AddressError {
				text: self.to_string(),
				reason: "blobs can only be fetched there".into(),
				form: format!("{} or {}", StoreKind::Kubo.form(), StoreKind::Folder.form()),
			}),
		}
	}

	fn refused(&self, reason: String) -> AddressError {
		// Of an address with a password in it nothing is repeated.
		let text = match self.address.contains('@') {
			true => format!("{}=..", self.kind.name()),
			false => self.to_string(),
		};
		AddressError { text, reason, form: self.kind.form().to_owned() }
	}
}

impl FromStr for StoreAddress {
	type Err = AddressError;

	fn from_str(text: &str) -> Result<Self, AddressError> {
		let (word, address) = text.split_once('=').unwrap_or((text, ""));
		let kind = StoreKind::ALL.into_iter().find(|kind| kind.name() == word);
		let Some(kind) = kind else {
			let forms = StoreKind::ALL.map(StoreKind::form);
			return Err(AddressError {
				text: if text.contains('@') { "..".into() } else { text.to_owned() },
				reason: "it begins with no kind of store".into(),
				form: forms.join(", "),
			});
		};
		Self::new(kind, address)
	}
}

impl fmt::Display for StoreAddress {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.kind.name())?;
		match self.address.is_empty() {
			true => Ok(()),
			false => write!(f, "={}", self.address),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const PEER: &str =
		"/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

	#[test]
	fn every_kind_of_store_is_named_as_it_is_shown() {
		let texts = [
			"chain".to_owned(),
			format!("bitswap={PEER}"),
			"kubo=http://127.0.0.1:5001".into(),
			"gateway=https://ipfs.acme.example".into(),
			"gateway-car=http://10.0.0.1/blobs".into(),
			"folder=/media/stick".into(),
		];
		for (text, kind) in texts.iter().zip(StoreKind::ALL) {
			let store: StoreAddress = text.parse().unwrap();
			assert_eq!((&store.to_string(), store.kind()), (text, kind));
		}
	}

	#[test]
	fn what_names_no_store_is_refused_with_what_would() {
		for (text, form) in [
			("", "chain, bitswap=/ip4"),
			("ipfs", "chain, bitswap=/ip4"),
			("chain=x", "write chain"),
			("kubo", "write kubo=http://HOST:PORT"),
			("kubo=127.0.0.1:5001", "write kubo=http://HOST:PORT"),
			("gateway=ftp://x", "write gateway=https://HOST"),
			("gateway=https://x/?format=raw", "write gateway=https://HOST"),
			("folder=blobs", "write folder=/PATH"),
			("bitswap=/ip4/127.0.0.1/tcp/1", "write bitswap=/ip4/../tcp/../p2p/.."),
		] {
			let error = text.parse::<StoreAddress>().unwrap_err().to_string();
			assert!(error.contains(form) && !error.contains('\n'), "{error}");
		}
	}

	#[test]
	fn a_password_is_refused_and_not_repeated() {
		for text in ["kubo=http://user:secret@host:5001", "http://user:secret@host"] {
			let error = text.parse::<StoreAddress>().unwrap_err().to_string();
			assert!(!error.contains("secret"), "{error}");
		}
	}

	#[test]
	fn a_store_that_takes_no_blobs_is_refused_before_anything_is_published() {
		for text in ["chain", "gateway=https://x", "gateway-car=https://x"] {
			let store: StoreAddress = text.parse().unwrap();
			let error = store.keeper().map(drop).unwrap_err().to_string();
			assert!(error.contains("write kubo=http://HOST:PORT or folder=/PATH"), "{error}");
		}
		for text in ["kubo=http://127.0.0.1:5001", "folder=/media/stick"] {
			assert!(text.parse::<StoreAddress>().unwrap().keeper().is_ok());
		}
	}
}
