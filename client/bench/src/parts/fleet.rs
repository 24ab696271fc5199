//! T4: a fleet is committed, its leaves are fetched and hashed by every validator, and each member is proven by itself
//! (M1); then all of them are revoked in one transaction (M7).
//!
//! The clock starts when the commitment is submitted: the tiles are cut then, and lie where validators may fetch them. It
//! ends when a device verifies that a member of the fleet is valid. What it takes to cut the tiles is told beside it.

use crate::{
	Result,
	device::Device,
	follow::bytes,
	nodes::{Genesis, Network, Setup},
	processes::{cpu_time, peak_memory, ticks_per_second},
	report::{Metric, Target},
	statistics::{percentile, rounded},
};
use codec::Encode;
use data_encoding::BASE32_NOPAD;
use dpki_client::{
	Account, Client, calls,
	fleet::{Commitment, FleetTiles, MembershipProof, TileFolder, fleet_id, masks},
};
use dpki_primitives::{
	ids::{BlobDigest, OrganisationId},
	organisation::OrganisationKind,
	revocation::RevocationReason,
	status::Status,
};
use dpki_verifier::Query;
use futures::StreamExt;
use serde_json::{Value, json};
use sp_crypto_hashing::blake2_256;
use std::{
	fs::{self, File},
	io::{BufWriter, Write},
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};

/// Seconds to a fleet that counts and is provable, for a million members.
const COMMITTED: f64 = 6.0;

/// Seconds to the refusal of whoever was revoked, and bytes of the call that revokes a million: 125 KiB.
const REFUSED: f64 = 3.0;
const MASKS: f64 = 128_000.0;

/// How long anything may take that takes seconds.
const PATIENCE: Duration = Duration::from_secs(600);

const ORGANISATION: &str = "factory";
const FLEET: &str = "drones";

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
	/// Validators.
	pub validators: usize,
	/// Members of the fleet.
	pub members: u32,
	/// How many of them are proven, and how many strangers are refused.
	pub samples: u32,
	/// The command line program.
	pub dpki: PathBuf,
}

/// The watch of one validator. It ends with this.
struct Watch(Child);

impl Drop for Watch {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// Measures it.
pub async fn measure(setup: &Setup, plan: &Plan) -> Result<Vec<Metric>> {
	let account = Account::generate();
	let endowed = vec![(account.id(), 1_000_000_000_000_000_000)];
	let genesis = Genesis { validators: plan.validators, endowed, state: vec![] };
	let network = Network::start(setup, "fleet", &genesis).await?;
	let client = Client::connect(&network.first().url).await?;
	let create = calls::create_organisation(ORGANISATION, OrganisationKind::Manufacturer)?;
	client.submit(&account, &create).await?;

	let folder = setup.folder.join("fleet");
	let (table, tiles) = (folder.join("keys.csv"), folder.join("tiles"));
	write_table(&table, plan.members)?;
	let (commitment, cutting) = cut(&plan.dpki, &table, &tiles).await?;
	fs::remove_file(&table)?;
	let watches = watch(&network, plan, &folder, &tiles)?;
	let ticks = ticks_per_second()?;
	let spent = |watches: &[Watch]| -> Result<Duration> {
		watches.iter().map(|it| cpu_time(it.0.id(), ticks)).sum()
	};
	let before = (network.cpu_time()?, spent(&watches)?);

	let organisation = OrganisationId::from_name(ORGANISATION.as_bytes());
	let fleet = fleet_id(organisation, FLEET);
	let tiles = TileFolder::at(&tiles);
	let mut leaves = FleetTiles::new(&tiles, commitment);
	let first = leaves.prove(organisation, fleet, 0).await?;
	let mut device = Device::new(&network.first().rpc).await?;
	let commit = calls::commit_fleet(organisation, FLEET, commitment)?;
	let began = Instant::now();
	let proposed = client.submit(&account, &commit);
	let counted = reach(&client, &mut device, &first, |status| status.is_valid());
	let (proposed, counted) = tokio::join!(proposed, counted);
	proposed?;
	let committed = counted?.duration_since(began).as_secs_f64();
	let after = (network.cpu_time()?, spent(&watches)?);

	let sampling = sample(&mut device, &mut leaves, plan, &first).await?;

	let masks = masks(0..plan.members);
	let revoke = calls::revoke_members(fleet, masks, RevocationReason::KeyCompromise)?;
	let len = calls::encode(&revoke)?.bytes().len();
	let began = Instant::now();
	let submitted = client.submit(&account, &revoke);
	let is_revoked = |status: &Status| matches!(status, Status::Revoked(_));
	let refused = reach(&client, &mut device, &first, is_revoked);
	let (submitted, refused) = tokio::join!(submitted, refused);
	submitted?;
	let refused = refused?.duration_since(began).as_secs_f64();

	let members = f64::from(plan.members);
	let micros = |after: Duration, before: Duration| {
		rounded(after.saturating_sub(before).as_secs_f64() * 1e6 / members, 3)
	};
	let metric = |name: &str, value: f64, unit: &str| {
		Metric::new(name, "T4", value, unit, 1)
			.fact("validators", plan.validators)
			.fact("slot_ms", setup.slot_ms)
			.fact("keys", plan.members)
	};
	let is_sound =
		sampling["proven"] == plan.samples && sampling["strangers_refused"] == plan.samples;
	let is_million = plan.members >= 1_000_000;
	let in_time = committed <= COMMITTED && is_million;
	Ok(vec![
		metric("M1", committed, "s to provable")
			.judged("<= 6 with 1000000 keys", in_time && is_sound)
			.ratio(None)
			.fact("keys_per_second", rounded(members / committed, 0))
			.fact("nodes_cpu_us_per_key", micros(after.0, before.0))
			.fact("watches_cpu_us_per_key", micros(after.1, before.1))
			.fact(
				"bytes_per_key",
				rounded(calls::encode(&commit)?.bytes().len() as f64 / members, 6),
			)
			.facts(&cutting)
			.facts(&sampling),
		metric("M7/seconds", refused, "s to refusal")
			.judged("<= 3 with 1000000 keys", refused <= REFUSED && is_million),
		metric("M7/bytes", len as f64, "bytes of the call")
			.target(len as f64, Target::AtMost(MASKS)),
	])
}

/// A table of so many keys.
fn write_table(path: &Path, members: u32) -> Result<()> {
	let mut table = BufWriter::new(File::create(path)?);
	writeln!(table, "name,purpose,type,key")?;
	for index in 0..members {
		let key = blake2_256(&index.to_le_bytes());
		writeln!(table, "drone-{index},tls,ed25519,{}", hex::encode(key))?;
	}
	Ok(table.flush()?)
}

/// Cuts a table into tiles with the program that people use, and tells what that took.
async fn cut(dpki: &Path, table: &Path, tiles: &Path) -> Result<(Commitment, Value)> {
	let out = table.with_extension("cut");
	let began = Instant::now();
	let mut child = Command::new(dpki)
		.args(["fleet", "cut", "--json"])
		.arg(table)
		.arg("--tiles")
		.arg(tiles)
		.stdin(Stdio::null())
		.stdout(File::create(&out)?)
		.spawn()?;
	let mut peak = 0;
	let status = loop {
		peak = peak_memory(child.id()).unwrap_or_default().max(peak);
		if let Some(status) = child.try_wait()? {
			break status;
		}
		tokio::time::sleep(Duration::from_millis(20)).await;
	};
	let seconds = began.elapsed().as_secs_f64();
	if !status.success() {
		return Err("the table could not be cut".into());
	}
	let told: Value = serde_json::from_slice(&fs::read(&out)?)?;
	let facts = json!({ "import_seconds": rounded(seconds, 3), "import_peak_mib": peak / 1024 });
	Ok((commitment(&told)?, facts))
}

fn commitment(told: &Value) -> Result<Commitment> {
	let text = |key: &str| told[key].as_str().ok_or_else(|| format!("no {key} in {told}"));
	let size = told["members"].as_u64().ok_or("no members")?.try_into()?;
	let root = bytes(text("root")?)?.try_into().map_err(|_| "a root has 32 bytes")?;
	Ok(Commitment { size, root, tiles: digest(text("tiles")?)? })
}

/// The digest in a CID of version 1 in base32: raw bytes under their SHA2-256.
fn digest(cid: &str) -> Result<BlobDigest> {
	let digits = cid.strip_prefix('b').ok_or("the CID is not in base32")?.to_uppercase();
	let bytes = BASE32_NOPAD.decode(digits.as_bytes())?;
	let digest = bytes.strip_prefix(&[1, 0x55, 0x12, 32]).ok_or("no raw block under SHA2-256")?;
	Ok(BlobDigest(digest.try_into()?))
}

/// Starts the watch of every validator, each beside its own node and with a folder of its own.
fn watch(network: &Network, plan: &Plan, folder: &Path, tiles: &Path) -> Result<Vec<Watch>> {
	let names = ["//Alice", "//Bob", "//Charlie", "//Dave"];
	let start = |(node, name): (&crate::nodes::Node, &&str)| -> Result<Watch> {
		let held = folder.join(format!("held-by-{}", name.trim_start_matches('/')));
		let child = Command::new("setpriv")
			.args(["--pdeathsig", "KILL"])
			.arg(&plan.dpki)
			.args(["fleet", "watch", "--json", "--hold"])
			.arg(&held)
			.arg("--tiles")
			.arg(tiles)
			.env("DPKI_URL", &node.url)
			.env("DPKI_ACCOUNT", name)
			.env_remove("DPKI_GENESIS")
			.stdin(Stdio::null())
			.stdout(File::create(held.with_extension("log"))?)
			.stderr(File::create(held.with_extension("err"))?)
			.spawn()?;
		Ok(Watch(child))
	};
	network.nodes.iter().zip(&names).map(start).collect()
}

/// Waits until a device is told of such a verdict about a member, and tells when that was.
async fn reach(
	client: &Client,
	device: &mut Device,
	member: &MembershipProof,
	wanted: impl Fn(&Status) -> bool,
) -> Result<Instant> {
	let reaching = follow(client, device, member, wanted);
	tokio::time::timeout(PATIENCE, reaching)
		.await
		.map_err(|_| "the verdict never came")?
}

/// Asks at every finalised block.
async fn follow(
	client: &Client,
	device: &mut Device,
	member: &MembershipProof,
	wanted: impl Fn(&Status) -> bool,
) -> Result<Instant> {
	let query = Query::new().member(member);
	let mut heads = client.finalized_heads();
	loop {
		let _ = heads.next().await;
		let Ok(bundle) = device.fetch(&query).await else { continue };
		let status = device.verify(&bundle, &query, |verified| verified.member_status(member))?;
		if wanted(&status) {
			return Ok(Instant::now());
		}
	}
}

/// Proves random members, and tries as many strangers, of whom each pretends in one of four ways.
async fn sample(
	device: &mut Device,
	leaves: &mut FleetTiles<'_>,
	plan: &Plan,
	first: &MembershipProof,
) -> Result<Value> {
	let (mut proven, mut refused, mut micros, mut lengths) = (0, 0, Vec::new(), Vec::new());
	for number in 0..plan.samples {
		let drawn = blake2_256(&("sample", number, plan.members).encode());
		let index = u32::from_le_bytes([drawn[0], drawn[1], drawn[2], drawn[3]]) % plan.members;
		let member = leaves.prove(first.organisation, first.fleet, index).await?;
		let (status, took, len) = verdict(device, &member).await?;
		proven += u32::from(status.is_valid());
		micros.push(took);
		lengths.push(len as f64);
		let (status, ..) = verdict(device, &stranger(member, number, plan.members)).await?;
		refused += u32::from(!status.is_valid());
	}
	Ok(json!({
		"samples": plan.samples,
		"proven": proven,
		"strangers_refused": refused,
		"verify_us_p50": percentile(&micros, 0.5).map(|it| rounded(it, 1)),
		"bundle_bytes_p50": percentile(&lengths, 0.5),
		"member_bytes": first.to_bytes().len(),
	}))
}

/// Somebody who is none, by the proof of somebody who is one.
fn stranger(mut member: MembershipProof, number: u32, size: u32) -> MembershipProof {
	match number % 4 {
		// At another place, beyond the end, with another key, on another way.
		0 if size > 1 => member.index = (member.index + 1) % size,
		0 | 1 => member.index = size,
		2 => member.leaf.key.bytes.iter_mut().for_each(|byte| *byte ^= 1),
		_ => match member.path.iter_mut().next() {
			Some(hash) => hash[0] ^= 1,
			None => member.index = size,
		},
	}
	member
}

/// The verdict of a device, microseconds of verification, and the bytes of the bundle.
async fn verdict(device: &mut Device, member: &MembershipProof) -> Result<(Status, f64, usize)> {
	let query = Query::new().member(member);
	let bundle = loop {
		// Between a finalised block and its justification there is nothing to be had.
		match device.fetch(&query).await {
			Ok(bundle) => break bundle,
			Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
		}
	};
	let began = Instant::now();
	let status = device.verify(&bundle, &query, |verified| verified.member_status(member))?;
	Ok((status, began.elapsed().as_secs_f64() * 1e6, bundle.len()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		fleet::{FleetKey, FleetLeaf},
		key::{KeyPurpose, KeyType},
		status::Validity,
	};

	#[test]
	fn the_commitment_is_read_from_what_the_program_says() {
		let name = BlobDigest::of(b"tile");
		let cid = dpki_client::blob::cid(name);
		let root = format!("0x{}", hex::encode([3; 32]));
		let told = json!({ "members": 7, "root": root, "tiles": cid });
		let read = commitment(&told).unwrap();
		assert_eq!(read, Commitment { size: 7, root: [3; 32], tiles: name });
		assert!(commitment(&json!({ "members": 7, "root": root })).is_err());
		for cid in ["", "z", "baa", "b!"] {
			assert!(digest(cid).is_err(), "{cid}");
		}
	}

	#[test]
	fn no_stranger_is_a_member() {
		let member = MembershipProof {
			fleet: dpki_primitives::ids::FleetId([1; 32]),
			organisation: OrganisationId([2; 32]),
			index: 4,
			leaf: FleetLeaf {
				name: b"drone".to_vec().try_into().unwrap(),
				purpose: KeyPurpose::Tls,
				key: FleetKey::new(KeyType::Ed25519, &[5; 32]).unwrap(),
				validity: Validity { not_before: 0, not_after: None },
			},
			path: vec![[6; 32]].try_into().unwrap(),
		};
		for number in 0..4 {
			assert_ne!(stranger(member.clone(), number, 9), member, "{number}");
		}
	}

	#[test]
	fn a_table_has_a_line_for_each_member() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("keys.csv");
		write_table(&path, 3).unwrap();
		let table = fs::read_to_string(path).unwrap();
		assert_eq!(table.lines().count(), 4);
		assert!(table.lines().nth(3).unwrap().starts_with("drone-2,tls,ed25519,"));
	}
}
