// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `dpki-node network init`: the chain specification of a new network, from the files of its members.
//!
//! The same files make the same bytes, in whatever order they are given: members stand in the order of their accounts.

use super::{NetworkError, Result, file_error, member::MemberFile, name, write_new};
use crate::chain_spec::{self, ChainSpec};
use dpki_runtime::{
	Hash, SessionKeys,
	configs::governance::MAX_COUNCIL_MEMBERS,
	genesis_config_presets,
	timing::{DEFAULT_SLOT_DURATION, MAX_SLOT_DURATION, MIN_SLOT_DURATION},
};
use sc_network::config::MultiaddrWithPeerId;
use serde_json::Value;
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
};

/// The fewest founders. Finality takes the votes of more than two thirds: of four, one can be missing.
pub const MIN_MEMBERS: usize = 4;

/// `dpki-node network init`.
#[derive(Debug, clap::Args)]
pub struct InitCmd {
	/// Name of the network, as in the members' files; it becomes the id of the chain.
	#[arg(long, value_name = "NAME", value_parser = name)]
	name: String,

	/// The files of all members.
	#[arg(required = true, value_name = "FILE")]
	members: Vec<PathBuf>,

	/// Folder for NAME.json and NAME.raw.json.
	#[arg(long, value_name = "FOLDER")]
	out: PathBuf,

	/// A boot node besides those of the members, such as a public full node; can be given several times.
	#[arg(long = "bootnode", value_name = "MULTIADDR")]
	boot_nodes: Vec<MultiaddrWithPeerId>,

	/// Length of a slot in milliseconds. It can never be changed.
	#[arg(
		long,
		value_name = "MILLISECONDS",
		default_value_t = DEFAULT_SLOT_DURATION,
		value_parser = clap::value_parser!(u64).range(MIN_SLOT_DURATION..=MAX_SLOT_DURATION)
	)]
	slot_duration: u64,

	/// Print one JSON value instead of text.
	#[arg(long)]
	json: bool,
}

impl InitCmd {
	/// Makes the specification.
	pub fn run(&self) -> Result<()> {
		let files = self.members.iter().map(|path| MemberFile::read(path));
		let founding = Founding {
			network: &self.name,
			members: admit(&self.name, files.collect::<Result<_>>()?)?,
			boot_nodes: &self.boot_nodes,
			slot_duration: self.slot_duration,
		};
		let spec = founding.specification(chain_spec::code().map_err(|_| NetworkError::NoRuntime)?);
		if spec.boot_nodes().is_empty() {
			eprintln!(
				"warning: no member gives an address and there is no --bootnode, so no node will find another"
			);
		}
		write(&spec, &self.out, &self.name, self.json)
	}
}

/// `dpki-node network complete`.
#[derive(Debug, clap::Args)]
pub struct CompleteCmd {
	/// A plain specification without a runtime.
	spec: PathBuf,

	/// Folder for the plain form under the same name, and the raw one as NAME.raw.json.
	#[arg(long, value_name = "FOLDER")]
	out: PathBuf,

	/// Print one JSON value instead of text.
	#[arg(long)]
	json: bool,
}

impl CompleteCmd {
	/// Completes it.
	pub fn run(&self) -> Result<()> {
		let unfit = |reason: String| NetworkError::Spec { path: self.spec.clone(), reason };
		let text = fs::read_to_string(&self.spec).map_err(file_error(&self.spec, "read"))?;
		let mut spec: Value =
			serde_json::from_str(&text).map_err(|error| unfit(error.to_string()))?;
		let genesis = spec.pointer_mut("/genesis/runtimeGenesis").and_then(Value::as_object_mut);
		let genesis = genesis.ok_or_else(|| unfit("it is not a plain one".into()))?;
		if genesis.get("code").is_some_and(|code| code != NO_CODE) {
			return Err(unfit("it has a runtime already".into()));
		}
		let code = chain_spec::code().map_err(|_| NetworkError::NoRuntime)?;
		genesis.insert("code".into(), sp_core::bytes::to_hex(code, false).into());
		let spec = ChainSpec::from_json_bytes(spec.to_string().into_bytes()).map_err(unfit)?;
		let stem = self.spec.file_stem().unwrap_or_default().to_string_lossy();
		write(&spec, &self.out, &stem, self.json)
	}
}

/// `dpki-node network genesis`.
#[derive(Debug, clap::Args)]
pub struct GenesisCmd {
	/// A chain specification, plain or raw.
	spec: PathBuf,
}

impl GenesisCmd {
	/// Prints it.
	pub fn run(&self) -> Result<()> {
		let unfit = |reason| NetworkError::Spec { path: self.spec.clone(), reason };
		let spec = ChainSpec::from_json_file(self.spec.clone()).map_err(unfit)?;
		println!("{:?}", chain_spec::genesis_hash(&spec).map_err(unfit)?);
		Ok(())
	}
}

/// What stands in the place of the runtime in a specification that has none.
const NO_CODE: &str = "0x";

/// What a network begins with.
struct Founding<'command> {
	network: &'command str,
	/// Checked, and in their order.
	members: Vec<MemberFile>,
	boot_nodes: &'command [MultiaddrWithPeerId],
	slot_duration: u64,
}

impl Founding<'_> {
	fn specification(&self, code: &[u8]) -> ChainSpec {
		let founders = self.members.iter().map(|member| {
			let keys = SessionKeys {
				aura: sp_core::sr25519::Public::from_raw(member.aura.0).into(),
				grandpa: sp_core::ed25519::Public::from_raw(member.grandpa.0).into(),
			};
			(member.account.clone(), keys)
		});
		let genesis = genesis_config_presets::consortium(founders.collect(), self.slot_duration);
		let mut boot_nodes: Vec<_> = self.members.iter().flat_map(MemberFile::boot_nodes).collect();
		let mut others = self.boot_nodes.to_vec();
		others.sort_by_key(ToString::to_string);
		boot_nodes.extend(others);
		chain_spec::consortium(self.network, boot_nodes, genesis, code)
	}
}

/// The members, checked and in their order.
fn admit(network: &str, mut members: Vec<MemberFile>) -> Result<Vec<MemberFile>> {
	for member in &members {
		member.check(network)?;
	}
	members.sort_by(|one, other| one.account.cmp(&other.account));
	let mut seen = BTreeMap::new();
	for member in &members {
		for (what, identity) in member.identities() {
			if let Some(first) = seen.insert((what, identity), member.member.clone()) {
				return Err(NetworkError::Duplicate { first, second: member.member.clone(), what });
			}
		}
	}
	let (found, most) = (members.len(), MAX_COUNCIL_MEMBERS as usize);
	if found < MIN_MEMBERS {
		return Err(NetworkError::TooFew { found, least: MIN_MEMBERS });
	}
	if found > most {
		return Err(NetworkError::TooMany { found, most });
	}
	Ok(members)
}

/// Writes the plain and the raw form under this name, and tells the genesis hash.
fn write(spec: &ChainSpec, folder: &Path, stem: &str, as_json: bool) -> Result<()> {
	let genesis: Hash = chain_spec::genesis_hash(spec).map_err(NetworkError::Genesis)?;
	let [plain, raw] = ["json", "raw.json"].map(|ending| folder.join(format!("{stem}.{ending}")));
	fs::create_dir_all(folder).map_err(file_error(folder, "made"))?;
	for (path, is_raw) in [(&plain, false), (&raw, true)] {
		let text = spec.as_json(is_raw).map_err(NetworkError::Genesis)? + "\n";
		// Who makes it again to compare gets no complaint if it is the same.
		if fs::read(path).is_ok_and(|present| present == text.as_bytes()) {
			continue;
		}
		write_new(path, text.as_bytes(), 0o644)?;
	}
	let (plain, raw) = (plain.display().to_string(), raw.display().to_string());
	if as_json {
		let genesis = format!("{genesis:?}");
		println!("{}", serde_json::json!({ "genesis": genesis, "plain": plain, "raw": raw }));
	} else {
		println!("genesis {genesis:?}");
		println!("  plain   {plain}");
		println!("  raw     {raw}");
		println!("the members compare the genesis hash, and start their nodes with --chain {raw}");
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::network::member::{MemberKeys, member_keys};
	use sp_core::Pair;

	const NAMES: [&str; 4] = ["east", "north", "south", "west"];

	fn members() -> Vec<MemberFile> {
		(1..).zip(NAMES).map(|(seed, name)| member(seed, name)).collect()
	}

	fn member(seed: u8, name: &str) -> MemberFile {
		let address = format!("/dns/node.{name}.example/tcp/30333").parse().unwrap();
		member_keys(seed).describe("acme", name, vec![address])
	}

	fn plain(members: Vec<MemberFile>) -> String {
		let members = admit("acme", members).unwrap();
		let founding = Founding { network: "acme", members, boot_nodes: &[], slot_duration: 2_000 };
		founding.specification(&[]).as_json(false).unwrap()
	}

	fn refusal(members: Vec<MemberFile>) -> String {
		admit("acme", members).unwrap_err().to_string()
	}

	#[test]
	fn the_same_files_make_the_same_bytes_in_any_order() {
		let (forwards, mut backwards) = (members(), members());
		backwards.reverse();
		assert_eq!(plain(forwards), plain(backwards));
	}

	#[test]
	fn each_founder_is_validator_trustee_and_boot_node_and_nobody_is_administrator() {
		let spec: Value = serde_json::from_str(&plain(members())).unwrap();
		assert_eq!((&spec["id"], &spec["chainType"]), (&"acme".into(), &"Live".into()));
		assert_eq!(spec["bootNodes"].as_array().unwrap().len(), 4);
		let genesis = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(genesis["session"]["keys"].as_array().unwrap().len(), 4);
		assert_eq!(genesis["councilMembership"]["members"].as_array().unwrap().len(), 4);
		assert_eq!(genesis["sudo"]["key"], Value::Null);
		assert_eq!(genesis["timing"]["slotDuration"], 2_000);
		// Nobody else, such as a well-known account, owns anything: four founders, and the pot of the fees.
		assert_eq!(genesis["balances"]["balances"].as_array().unwrap().len(), 5);
	}

	#[test]
	fn no_private_key_stands_in_a_specification() {
		let spec = plain(members());
		let secrets = (1..=4).flat_map(|seed| {
			let MemberKeys { account, aura, grandpa, node } = member_keys(seed);
			[account.to_raw_vec(), aura.to_raw_vec(), grandpa.to_raw_vec(), node.to_raw_vec()]
		});
		for secret in secrets {
			let digits = sp_core::bytes::to_hex(&secret, false);
			assert!(!spec.contains(digits.trim_start_matches("0x")));
		}
	}

	#[test]
	fn three_members_are_too_few() {
		let refused = refusal(members().into_iter().take(3).collect());
		assert!(refused.contains("3 members are too few"), "{refused}");
	}

	#[test]
	fn more_members_than_seats_are_too_many() {
		let keys = |seed: u8| MemberKeys {
			account: sp_core::ed25519::Pair::from_seed(&[seed; 32]),
			aura: sp_core::sr25519::Pair::from_seed(&[seed; 32]),
			grandpa: Pair::from_string(&format!("//grandpa{seed}"), None).unwrap(),
			node: Pair::from_string(&format!("//node{seed}"), None).unwrap(),
		};
		let most = MAX_COUNCIL_MEMBERS as u8;
		let members = (0..=most)
			.map(|seed| keys(seed).describe("acme", &format!("m{seed}"), Vec::new()))
			.collect();
		assert!(refusal(members).contains("too many"));
	}

	#[test]
	fn one_member_twice_is_refused_whatever_it_shares() {
		let mut twice = members();
		twice.push(twice[0].clone());
		assert!(refusal(twice).contains("the members east and east have the same name"));

		let with = |change: fn(&mut MemberKeys, MemberKeys)| {
			let mut keys = member_keys(5);
			change(&mut keys, member_keys(1));
			let mut members = members();
			members.push(keys.describe("acme", "fifth", Vec::new()));
			refusal(members)
		};
		for refused in [
			with(|keys, first| keys.account = first.account),
			with(|keys, first| keys.aura = first.aura),
			with(|keys, first| keys.grandpa = first.grandpa),
			with(|keys, first| keys.node = first.node),
			with(|keys, first| keys.node = first.grandpa),
		] {
			assert!(refused.contains("have the same") && refused.contains("fifth"), "{refused}");
		}
		let mut keys = member_keys(5);
		keys.grandpa = keys.account;
		let mut members = members();
		members.push(keys.describe("acme", "fifth", Vec::new()));
		assert!(refusal(members).contains("the members fifth and fifth have the same Ed25519 key"));
	}

	#[test]
	fn one_wrong_file_stops_the_founding() {
		let mut members = members();
		members[2] = member_keys(3).describe("other", "south", Vec::new());
		let refused = refusal(members);
		assert!(refused.contains("south") && refused.contains("`other`"), "{refused}");
	}

	/// What is shipped in `chain-specs/`, which this test writes anew if UPDATE_CHAIN_SPECS is set.
	#[test]
	fn shipped_specifications_are_what_this_runtime_makes() {
		let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chain-specs");
		let files = NAMES
			.map(|name| MemberFile::read(&folder.join(format!("consortium/{name}.json"))).unwrap());
		let members = admit("consortium", files.into()).unwrap();
		let slot_duration = DEFAULT_SLOT_DURATION;
		let founding = Founding { network: "consortium", members, boot_nodes: &[], slot_duration };
		for (name, spec) in [
			("development", chain_spec::development_of(&[])),
			("local", chain_spec::local_of(&[])),
			("consortium", founding.specification(&[])),
		] {
			let path = folder.join(format!("{name}.json"));
			let text = spec.as_json(false).unwrap() + "\n";
			let made: Value = serde_json::from_str(&text).unwrap();
			assert_eq!(made["genesis"]["runtimeGenesis"]["code"], NO_CODE);
			if std::env::var_os("UPDATE_CHAIN_SPECS").is_some() {
				fs::write(&path, &text).unwrap();
			}
			let shipped = fs::read_to_string(&path).unwrap();
			assert!(
				shipped == text,
				"{} is stale: run this test with UPDATE_CHAIN_SPECS=1",
				path.display()
			);
		}
	}
}
