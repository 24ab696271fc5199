// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `dpki-node network key`: the first step of a member.

use super::{
	NetworkError, Result,
	account::{self, PASSPHRASE_VARIABLE},
	file_error,
	member::MemberKeys,
	name, write_new,
};
use rand_core::{OsRng, RngCore};
use sc_keystore::LocalKeystore;
use sc_network::Multiaddr;
use sc_service::BasePath;
use sp_core::{
	Pair,
	crypto::{KeyTypeId, key_types},
	ed25519, sr25519,
};
use sp_keystore::Keystore;
use std::{
	fs,
	os::unix::fs::DirBuilderExt,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The seed of a key.
type Seed = Zeroizing<[u8; 32]>;

/// `dpki-node network key`.
#[derive(Debug, clap::Args)]
pub struct KeyCmd {
	/// Name of the network, as all members agreed on it; it becomes the id of the chain.
	#[arg(long, value_name = "NAME", value_parser = name)]
	network: String,

	/// What the member calls itself, such as its organisation.
	#[arg(long, value_name = "NAME", value_parser = name)]
	member: String,

	/// Where peers reach its node, such as /dns/node.north.example/tcp/30333; can be given several times.
	///
	/// Leave it out for a validator that stays behind public full nodes.
	#[arg(long = "address", value_name = "MULTIADDR")]
	addresses: Vec<Multiaddr>,

	/// Base path of the validator; its keys go to where the node looks for them.
	#[arg(long, value_name = "FOLDER")]
	base_path: PathBuf,

	/// Key file of the member's account, which votes in the council. Made if it is not there; it belongs to a person, so
	/// keep it elsewhere afterwards.
	///
	/// It is encrypted with the passphrase in DPKI_PASSPHRASE, if there is one.
	#[arg(long, value_name = "FILE")]
	trustee: PathBuf,

	/// The file of public keys to write, for all members.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
}

impl KeyCmd {
	/// Makes the keys.
	pub fn run(&self) -> Result<()> {
		let file = self.make(account::passphrase().as_ref().map(|it| it.as_str()))?;
		println!("keys of the member {} of the network {} are made", self.member, self.network);
		println!("  account   {}", file.account);
		println!("  node      {}", file.node);
		println!("send {} to all members; nothing in it is secret", self.out.display());
		if account::passphrase().is_none() {
			println!(
				"{} is not encrypted: set {PASSPHRASE_VARIABLE} before the key is made to have it encrypted",
				self.trustee.display()
			);
		}
		Ok(())
	}

	fn make(&self, passphrase: Option<&str>) -> Result<super::member::MemberFile> {
		let chain = BasePath::new(&self.base_path).config_dir(&self.network);
		let (keystore, network) = (chain.join("keystore"), chain.join("network"));
		let node_key = network.join("secret_ed25519");
		// Everything that could be in the way is looked at before anything is made.
		for path in [&self.out, &node_key] {
			if path.symlink_metadata().is_ok() {
				return Err(NetworkError::Exists(path.clone()));
			}
		}
		// The last file to be written: without a folder for it the keys would be there and nobody could learn of them.
		let parent = self.out.parent().filter(|parent| !parent.as_os_str().is_empty());
		if let Some(parent) = parent {
			fs::read_dir(parent).map_err(file_error(parent, "opened"))?;
		}
		if fs::read_dir(&keystore).is_ok_and(|mut files| files.next().is_some()) {
			return Err(NetworkError::Exists(keystore));
		}

		let account = account::load_or_make(&self.trustee, passphrase)?;
		for folder in [&keystore, &network] {
			let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
			made.map_err(file_error(folder, "made"))?;
		}
		let (aura, grandpa, node) = (seed(), seed(), seed());
		let keys = MemberKeys {
			account,
			aura: sr25519::Pair::from_seed(&aura),
			grandpa: ed25519::Pair::from_seed(&grandpa),
			node: ed25519::Pair::from_seed(&node),
		};
		store(&keystore, key_types::AURA, &aura, &keys.aura.public().0)?;
		store(&keystore, key_types::GRANDPA, &grandpa, &keys.grandpa.public().0)?;
		write_new(&node_key, digits(&node).as_bytes(), 0o600)?;
		let file = keys.describe(&self.network, &self.member, self.addresses.clone());
		write_new(&self.out, file.to_json().as_bytes(), 0o644)?;
		Ok(file)
	}
}

fn seed() -> Seed {
	let mut seed = Seed::default();
	OsRng.fill_bytes(&mut *seed);
	seed
}

fn digits(seed: &Seed) -> Zeroizing<String> {
	// Room for all of it at once: a growing text leaves copies behind.
	let mut text = Zeroizing::new(String::with_capacity(64));
	for byte in seed.iter() {
		for nibble in [byte >> 4, byte & 15] {
			text.push(char::from_digit(nibble.into(), 16).expect("four bits are a digit; qed"));
		}
	}
	text
}

/// Puts a key into the keystore of the node.
fn store(keystore: &Path, kind: KeyTypeId, seed: &Seed, public: &[u8]) -> Result<()> {
	let unwritten = || file_error(keystore, "written")(std::io::Error::other("no key was stored"));
	let store = LocalKeystore::open(keystore, None).map_err(|_| unwritten())?;
	let digits = digits(seed);
	let mut uri = Zeroizing::new(String::with_capacity(66));
	uri.push_str("0x");
	uri.push_str(&digits);
	store.insert(kind, &uri, public).map_err(|()| unwritten())
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_consensus_aura::sr25519::AuthorityId as AuraId;
	use sp_consensus_grandpa::AuthorityId as GrandpaId;
	use sp_core::crypto::ByteArray;
	use std::os::unix::fs::PermissionsExt;

	fn command(folder: &Path) -> KeyCmd {
		KeyCmd {
			network: "acme".into(),
			member: "north".into(),
			addresses: Vec::new(),
			base_path: folder.join("base"),
			trustee: folder.join("north.key"),
			out: folder.join("north.json"),
		}
	}

	/// All files below a folder.
	fn files(folder: &Path) -> Vec<PathBuf> {
		let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
		entries
			.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
			.collect()
	}

	#[test]
	fn the_node_finds_its_keys_and_the_file_proves_them() {
		let folder = tempfile::tempdir().unwrap();
		let file = command(folder.path()).make(None).unwrap();
		file.check("acme").unwrap();
		let chain = folder.path().join("base/chains/acme");
		let keystore = LocalKeystore::open(chain.join("keystore"), None).unwrap();
		let aura = AuraId::from_slice(&file.aura.0).unwrap();
		let grandpa = GrandpaId::from_slice(&file.grandpa.0).unwrap();
		assert!(keystore.has_keys(&[
			(aura.to_raw_vec(), key_types::AURA),
			(grandpa.to_raw_vec(), key_types::GRANDPA),
		]));
		let node = sc_network::config::NodeKeyConfig::Ed25519(sc_network::config::Secret::File(
			chain.join("network/secret_ed25519"),
		));
		assert_eq!(node.into_keypair().unwrap().public().to_peer_id(), file.node);
	}

	#[test]
	fn private_keys_are_readable_by_their_owner_only_and_in_no_public_file() {
		let folder = tempfile::tempdir().unwrap();
		let command = command(folder.path());
		command.make(None).unwrap();
		let public = fs::read_to_string(&command.out).unwrap();
		let mut secrets = 0;
		for path in files(folder.path()).into_iter().filter(|path| *path != command.out) {
			let mode = path.metadata().unwrap().permissions().mode() & 0o777;
			assert_eq!(mode, 0o600, "{}", path.display());
			let secret = fs::read_to_string(&path).unwrap();
			let secret = secret.trim_matches('"').trim_start_matches("0x");
			assert!(!public.contains(secret), "{}", path.display());
			secrets += 1;
		}
		assert_eq!(secrets, 4, "two session keys, a node key, an account");
	}

	#[test]
	fn no_key_is_ever_overwritten() {
		let folder = tempfile::tempdir().unwrap();
		let command = command(folder.path());
		command.make(None).unwrap();
		let first = files(folder.path());
		assert!(
			matches!(command.make(None), Err(NetworkError::Exists(path)) if path == command.out)
		);
		fs::remove_file(&command.out).unwrap();
		assert!(
			matches!(command.make(None), Err(NetworkError::Exists(path)) if path.ends_with("secret_ed25519"))
		);
		fs::remove_file(folder.path().join("base/chains/acme/network/secret_ed25519")).unwrap();
		assert!(
			matches!(command.make(None), Err(NetworkError::Exists(path)) if path.ends_with("keystore"))
		);
		assert_eq!(files(folder.path()).len(), first.len() - 2);
	}

	#[test]
	fn without_a_folder_for_the_file_no_key_is_made() {
		let folder = tempfile::tempdir().unwrap();
		let mut command = command(folder.path());
		command.out = folder.path().join("missing/north.json");
		assert!(matches!(command.make(None), Err(NetworkError::File { .. })));
		assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
	}
}
