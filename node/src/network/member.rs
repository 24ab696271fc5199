// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What a member brings to the founding of a network: its public keys, and for each the proof that it holds it.
//!
//! Every key signs the whole file, the network's name and what the key is for. So nobody can bring the key of another, put
//! two files together, move an address, or use a file for a second network. What it cannot prove is who the member is: the
//! members tell each other the fingerprints of their accounts, or hand over the files in person.

use super::{NetworkError, Result};
use codec::Encode;
use dpki_primitives::ids::is_valid_name;
use dpki_runtime::AccountId;
use sc_network::{Multiaddr, PeerId, config::MultiaddrWithPeerId};
use serde::{Deserialize, Serialize};
use sp_core::{H256, H512, Pair as _, ed25519, sr25519};
use std::path::Path;

/// Version of the file's form.
const VERSION: u32 = 1;

/// Opens what each key signs.
const DOMAIN: [u8; 16] = *b"dpki-founding/01";

/// No member's file is longer, in bytes.
const MAX_LEN: u64 = 16 * 1024;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
enum Role {
	/// The account of the validator and trustee.
	#[codec(index = 0)]
	Account,
	/// Signs blocks.
	#[codec(index = 1)]
	Aura,
	/// Signs finality votes.
	#[codec(index = 2)]
	Grandpa,
	/// Names the node among its peers.
	#[codec(index = 3)]
	Node,
}

/// What a key signs, in SCALE, so that every part carries its length.
#[derive(Encode)]
struct Statement<'file> {
	domain: [u8; 16],
	network: &'file str,
	member: &'file str,
	account: [u8; 32],
	aura: H256,
	grandpa: H256,
	node: Vec<u8>,
	addresses: Vec<String>,
	role: Role,
}

/// The proofs of possession: signatures by the keys of the same names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
	account: H512,
	aura: H512,
	grandpa: H512,
	node: H512,
}

/// The file that a member sends to the others. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
	version: u32,
	/// The network for which it was made, and for no other.
	pub network: String,
	/// What the member calls itself.
	pub member: String,
	/// Its account, an Ed25519 key: validator and trustee.
	pub account: AccountId,
	/// The sr25519 key that signs its blocks.
	pub aura: H256,
	/// The Ed25519 key that signs its finality votes.
	pub grandpa: H256,
	/// Its node among the peers.
	pub node: PeerId,
	/// Where peers reach that node; none if it stays behind others.
	pub addresses: Vec<Multiaddr>,
	proofs: Proofs,
}

/// The private keys of a member. They are written to its disk and nowhere else.
pub struct MemberKeys {
	/// Of the account.
	pub account: ed25519::Pair,
	/// Signs blocks.
	pub aura: sr25519::Pair,
	/// Signs finality votes.
	pub grandpa: ed25519::Pair,
	/// Names the node.
	pub node: ed25519::Pair,
}

impl MemberKeys {
	/// The file of the member with these keys.
	pub fn describe(&self, network: &str, member: &str, addresses: Vec<Multiaddr>) -> MemberFile {
		let unsigned = H512::zero();
		let mut file = MemberFile {
			version: VERSION,
			network: network.into(),
			member: member.into(),
			account: AccountId::from(self.account.public().0),
			aura: H256(self.aura.public().0),
			grandpa: H256(self.grandpa.public().0),
			node: PeerId::from_ed25519(&self.node.public().0)
				.expect("the public half of a key pair is a point of the curve; qed"),
			addresses,
			proofs: Proofs { account: unsigned, aura: unsigned, grandpa: unsigned, node: unsigned },
		};
		file.proofs = Proofs {
			account: H512(self.account.sign(&file.statement(Role::Account)).0),
			aura: H512(self.aura.sign(&file.statement(Role::Aura)).0),
			grandpa: H512(self.grandpa.sign(&file.statement(Role::Grandpa)).0),
			node: H512(self.node.sign(&file.statement(Role::Node)).0),
		};
		file
	}
}

impl MemberFile {
	/// Reads a file and checks that it is whole; not yet whose keys they are.
	pub fn read(path: &Path) -> Result<Self> {
		let not_one = |reason: String| NetworkError::MemberFile { path: path.into(), reason };
		let length = path.metadata().map_err(super::file_error(path, "read"))?.len();
		if length > MAX_LEN {
			return Err(not_one(format!("it is longer than {MAX_LEN} bytes")));
		}
		let text = std::fs::read_to_string(path).map_err(super::file_error(path, "read"))?;
		let file: Self = serde_json::from_str(&text).map_err(|error| not_one(error.to_string()))?;
		if file.version != VERSION {
			return Err(not_one(format!("its version is {}, not {VERSION}", file.version)));
		}
		if !is_valid_name(file.member.as_bytes()) {
			return Err(not_one("the member's name breaks the rule for names".into()));
		}
		Ok(file)
	}

	/// As it is written.
	pub fn to_json(&self) -> String {
		let text = serde_json::to_string_pretty(self).expect("it is plain JSON; qed");
		text + "\n"
	}

	/// Checks that it is for this network, and that the member holds each of the keys.
	pub fn check(&self, network: &str) -> Result<()> {
		if self.network != network {
			return Err(NetworkError::WrongNetwork {
				member: self.member.clone(),
				found: self.network.clone(),
				expected: network.into(),
			});
		}
		let node = self.node.into_ed25519().map(H256);
		let ed25519 = |key: H256, proof: H512, role| {
			let (key, proof) =
				(ed25519::Public::from_raw(key.0), ed25519::Signature::from_raw(proof.0));
			ed25519::Pair::verify(&proof, self.statement(role), &key)
		};
		let (aura, proof) = (
			sr25519::Public::from_raw(self.aura.0),
			sr25519::Signature::from_raw(self.proofs.aura.0),
		);
		let account = H256(*AsRef::<[u8; 32]>::as_ref(&self.account));
		for (key, holds) in [
			("account", ed25519(account, self.proofs.account, Role::Account)),
			("block-signing", sr25519::Pair::verify(&proof, self.statement(Role::Aura), &aura)),
			("finality", ed25519(self.grandpa, self.proofs.grandpa, Role::Grandpa)),
			("node", node.is_some_and(|node| ed25519(node, self.proofs.node, Role::Node))),
		] {
			if !holds {
				return Err(NetworkError::Proof { member: self.member.clone(), key });
			}
		}
		Ok(())
	}

	/// What no two members may share, with its name. Keys of one curve stand together, whatever they are for.
	pub fn identities(&self) -> Vec<(&'static str, Vec<u8>)> {
		let ed25519 = |key: &[u8]| ("Ed25519 key", key.to_vec());
		let node = self.node.into_ed25519().unwrap_or_default();
		vec![
			("name", self.member.as_bytes().to_vec()),
			("block-signing key", self.aura.0.to_vec()),
			ed25519(self.account.as_ref()),
			ed25519(&self.grandpa.0),
			ed25519(&node),
		]
	}

	/// Where its node is reached, as boot nodes are written.
	pub fn boot_nodes(&self) -> impl Iterator<Item = MultiaddrWithPeerId> + '_ {
		let with_peer = |multiaddr: &Multiaddr| MultiaddrWithPeerId {
			multiaddr: multiaddr.clone(),
			peer_id: self.node,
		};
		self.addresses.iter().map(with_peer)
	}

	fn statement(&self, role: Role) -> Vec<u8> {
		Statement {
			domain: DOMAIN,
			network: &self.network,
			member: &self.member,
			account: *self.account.as_ref(),
			aura: self.aura,
			grandpa: self.grandpa,
			node: self.node.to_bytes(),
			addresses: self.addresses.iter().map(ToString::to_string).collect(),
			role,
		}
		.encode()
	}
}

/// The keys of a member for tests, by a number.
#[cfg(test)]
pub fn member_keys(seed: u8) -> MemberKeys {
	MemberKeys {
		account: ed25519::Pair::from_seed(&[seed; 32]),
		aura: sr25519::Pair::from_seed(&[seed; 32]),
		grandpa: ed25519::Pair::from_seed(&[seed + 64; 32]),
		node: ed25519::Pair::from_seed(&[seed + 128; 32]),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn file() -> MemberFile {
		let address = "/dns/north.example/tcp/30333".parse().unwrap();
		member_keys(1).describe("acme", "north", vec![address])
	}

	#[test]
	fn a_file_proves_its_keys_and_comes_back_from_the_disk() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("north.json");
		let written = file();
		std::fs::write(&path, written.to_json()).unwrap();
		let read = MemberFile::read(&path).unwrap();
		assert_eq!(read, written);
		read.check("acme").unwrap();
		let nodes: Vec<_> = read.boot_nodes().map(|node| node.to_string()).collect();
		assert_eq!(nodes.len(), 1);
		assert!(nodes[0].starts_with("/dns/north.example/tcp/30333/p2p/12D3Koo"), "{nodes:?}");
	}

	#[test]
	fn a_file_for_another_network_is_refused() {
		let refused = file().check("other").unwrap_err().to_string();
		assert!(refused.contains("`acme`, not `other`"), "{refused}");
		// Renaming it does not help: the name is signed.
		let mut renamed = file();
		renamed.network = "other".into();
		assert!(matches!(renamed.check("other"), Err(NetworkError::Proof { .. })));
	}

	#[test]
	fn nothing_in_a_file_can_be_changed() {
		let other = member_keys(2).describe("acme", "north", Vec::new());
		let changes: [fn(&mut MemberFile, &MemberFile); 6] = [
			|file, _| file.member = "south".into(),
			|file, other| file.account = other.account.clone(),
			|file, other| file.aura = other.aura,
			|file, other| file.grandpa = other.grandpa,
			|file, other| file.node = other.node,
			|file, _| file.addresses.clear(),
		];
		for (index, change) in changes.into_iter().enumerate() {
			let mut file = file();
			change(&mut file, &other);
			assert!(matches!(file.check("acme"), Err(NetworkError::Proof { .. })), "{index}");
		}
	}

	#[test]
	fn each_proof_is_needed_and_stands_for_one_role() {
		let blanks: [(fn(&mut Proofs), &str); 4] = [
			(|proofs| proofs.account = H512::zero(), "account"),
			(|proofs| proofs.aura = H512::zero(), "block-signing"),
			(|proofs| proofs.grandpa = H512::zero(), "finality"),
			(|proofs| proofs.node = H512::zero(), "node"),
		];
		for (blank, name) in blanks {
			let mut file = file();
			blank(&mut file.proofs);
			let refused = file.check("acme").unwrap_err().to_string();
			assert!(refused.contains(&format!("its {name} key")), "{refused}");
		}
		// One key in two roles still signs each of them.
		let mut keys = member_keys(1);
		keys.grandpa = keys.account;
		let mut file = keys.describe("acme", "north", Vec::new());
		file.check("acme").unwrap();
		file.proofs.grandpa = file.proofs.account;
		assert!(matches!(file.check("acme"), Err(NetworkError::Proof { key: "finality", .. })));
	}

	#[test]
	fn what_is_no_member_file_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("north.json");
		let mut json: serde_json::Value = serde_json::from_str(&file().to_json()).unwrap();
		json["more"] = 1.into();
		let unknown = json.to_string();
		json.as_object_mut().unwrap().remove("more");
		json["version"] = 2.into();
		let newer = json.to_string();
		json["version"] = 1.into();
		json.as_object_mut().unwrap().remove("proofs");
		let unproven = json.to_string();
		let long = " ".repeat(MAX_LEN as usize + 1);
		for (text, word) in [
			(unknown, "more"),
			(newer, "version is 2"),
			(unproven, "proofs"),
			(long, "longer"),
			("[]".into(), "no member file"),
		] {
			std::fs::write(&path, text).unwrap();
			let refused = MemberFile::read(&path).unwrap_err().to_string();
			assert!(refused.contains(word) && refused.contains("network key"), "{refused}");
		}
		std::fs::remove_file(&path).unwrap();
		assert!(matches!(MemberFile::read(&path), Err(NetworkError::File { .. })));
	}
}
