//! Lists that the chain answers in pages, from a node that has nothing but those answers.

use assert_cmd::Command;
use codec::{Decode, Encode};
use dpki_client::view::dissolved_key;
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord, ChainVerdict, Profile},
	assurance::Level,
	certificate::{CertificateRecord, Holder},
	device::DeviceRecord,
	fleet::{Commitment, FleetHead, FleetRecord},
	ids::{AnchorId, BlobDigest, CertificateId, DeviceId, FleetId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	organisation::{DeliveryPolicy, OrganisationKind, OrganisationRecord, Role, RoleSet},
	quota::{DeviceQuota, Quota},
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
	subject::Subject,
};
use jsonrpsee::{
	RpcModule,
	server::{Server, ServerHandle},
};
use rcgen::{
	BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
	KeyUsagePurpose, date_time_ymd,
};
use serde_json::{Value, json};
use std::collections::HashMap;

const NOW: Moment = 1_800_000_000_000;
const DAY: Moment = 24 * 60 * 60 * 1_000;
const END: Moment = NOW + 5 * DAY;

/// `Listing` of the runtime API: length, next page, items, storage keys.
type Page<Id, Record> =
	(u32, Option<u32>, Vec<(Id, (Option<Record>, Status, Vec<u8>))>, Vec<Vec<u8>>);

struct Node {
	url: String,
	_handle: ServerHandle,
	_runtime: tokio::runtime::Runtime,
}

fn hex(bytes: &[u8]) -> String {
	let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
	format!("0x{digits}")
}

fn unhex(text: &str) -> Vec<u8> {
	let digits = text.strip_prefix("0x").unwrap();
	(0..digits.len())
		.step_by(2)
		.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
		.collect()
}

impl Node {
	/// One that has this storage, and answers calls of the runtime like this.
	fn start(
		storage: HashMap<String, String>,
		answer: impl Fn(&str, &[u8]) -> Vec<u8> + Clone + Send + Sync + 'static,
	) -> Self {
		let mut module = RpcModule::new(());
		let (of_keys, all) = (storage.clone(), storage.clone());
		let hash = hex(&[7; 32]);
		for method in ["chain_getBlockHash", "chain_getFinalizedHead"] {
			let hash = hash.clone();
			module.register_method(method, move |_, _, _| hash.clone()).unwrap();
		}
		let header = json!({
			"parentHash": hash, "number": "0x5", "stateRoot": hash, "extrinsicsRoot": hash,
			"digest": { "logs": [] },
		});
		module
			.register_method("chain_getHeader", move |_, _, _| header.clone())
			.unwrap();
		module
			.register_method("state_getStorage", move |params, _, _| {
				let (key, _): (String, String) = params.parse().unwrap();
				storage.get(&key).cloned()
			})
			.unwrap();
		module
			.register_method("state_getKeysPaged", move |params, _, _| {
				let (prefix, count, last, _): (String, usize, Option<String>, String) =
					params.parse().unwrap();
				let is_next = |key: &&String| last.as_ref().is_none_or(|last| *key > last);
				let mut keys: Vec<String> = of_keys
					.keys()
					.filter(|key| key.starts_with(&prefix))
					.filter(is_next)
					.cloned()
					.collect();
				keys.sort();
				keys.truncate(count);
				keys
			})
			.unwrap();
		module
			.register_method("state_queryStorageAt", move |params, _, _| {
				let (keys, at): (Vec<String>, String) = params.parse().unwrap();
				let changes: Vec<_> = keys.iter().map(|key| (key, all.get(key))).collect();
				json!([{ "block": at, "changes": changes }])
			})
			.unwrap();
		module
			.register_method("state_call", move |params, _, _| {
				let (method, arguments, _): (String, String, String) = params.parse().unwrap();
				hex(&answer(&method, &unhex(&arguments)))
			})
			.unwrap();
		let runtime = tokio::runtime::Runtime::new().unwrap();
		let (url, handle) = runtime.block_on(async {
			let server = Server::builder().build("127.0.0.1:0").await.unwrap();
			(format!("ws://{}", server.local_addr().unwrap()), server.start(module))
		});
		Self { url, _handle: handle, _runtime: runtime }
	}

	fn ask(&self, arguments: &[&str]) -> String {
		let mut command = Command::cargo_bin("dpki").unwrap();
		for variable in ["DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
			command.env_remove(variable);
		}
		let assert = command.args(arguments).env("DPKI_URL", &self.url).assert().success();
		String::from_utf8(assert.get_output().stdout.clone()).unwrap()
	}

	fn json(&self, arguments: &[&str]) -> Value {
		serde_json::from_str(&self.ask(&[arguments, &["--json"]].concat())).unwrap()
	}

	/// The exit code, and what is told to programs.
	fn verdict(&self, arguments: &[&str]) -> (i32, Value) {
		let mut command = Command::cargo_bin("dpki").unwrap();
		command.env_remove("DPKI_GENESIS").env("DPKI_URL", &self.url);
		let output = command.args(arguments).arg("--json").output().unwrap();
		let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
		(output.status.code().unwrap(), told)
	}
}

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn id(n: u8) -> AnchorId {
	AnchorId([n; 32])
}

fn anchor() -> AnchorRecord {
	let validity = Validity { not_before: 0, not_after: Some(END) };
	AnchorRecord::new(acme(), AnchorKind::X509Root, None, KeyId([1; 32]), validity, 0)
}

fn stored(entries: &[(Vec<u8>, Vec<u8>)]) -> HashMap<String, String> {
	let now = (storage_keys::now(), NOW.encode());
	entries
		.iter()
		.chain([&now])
		.map(|(key, value)| (hex(key), hex(value)))
		.collect()
}

/// A page with one anchor on it.
fn page_of_one(n: u8, total: u32, next: Option<u32>) -> Page<AnchorId, AnchorRecord> {
	let verdict = (Some(anchor()), Status::Valid, storage_keys::anchor(id(n)));
	(total, next, vec![(id(n), verdict)], vec![storage_keys::anchor_child_count(id(1))])
}

#[test]
fn what_an_anchor_has_issued_is_listed_in_pages() {
	let node = Node::start(
		stored(&[(storage_keys::anchor(id(1)), anchor().encode())]),
		|method, arguments| {
			assert_eq!(method, "DpkiApi_children_of");
			let (of, start) = <(AnchorId, u32)>::decode(&mut &arguments[..]).unwrap();
			assert_eq!(of, id(1));
			match start {
				0 => page_of_one(2, 65, Some(64)),
				_ => page_of_one(3, 65, None),
			}
			.encode()
		},
	);
	let root = id(1).to_string();
	let first = node.json(&["anchor", "children", &root]);
	assert_eq!((&first["total"], &first["next"]), (&json!(65), &json!(64)));
	assert_eq!(first["anchors"][0]["anchor"], json!(id(2).to_string()));
	assert_eq!(first["anchors"][0]["status"], json!("valid"));
	assert_eq!(first["anchors"][0]["storage_key"], json!(hex(&storage_keys::anchor(id(2)))));
	let count = hex(&storage_keys::anchor_child_count(id(1)));
	assert_eq!(first["list_proven_by"], json!([count]));
	assert!(node.ask(&["anchor", "children", &root]).contains("more with --start 64"));

	let second = node.json(&["anchor", "children", &root, "--start", "64"]);
	assert_eq!(second["next"], Value::Null);
	assert_eq!(second["anchors"][0]["anchor"], json!(id(3).to_string()));
}

#[test]
fn anchors_that_end_soon_are_told_with_their_end() {
	let node = Node::start(stored(&[]), |method, arguments| {
		assert_eq!(method, "DpkiApi_anchors_ending");
		let asked = <(OrganisationId, Moment)>::decode(&mut &arguments[..]).unwrap();
		assert_eq!(asked, (acme(), NOW + 7 * DAY));
		page_of_one(2, 4, None).encode()
	});
	let ending = ["anchor", "ending", "--org", "acme", "--within", "7d"];
	let told = node.json(&ending);
	assert_eq!(told["total"], json!(4));
	assert_eq!(told["anchors"].as_array().unwrap().len(), 1);
	assert_eq!(told["anchors"][0]["ends_at"], json!("2027-01-20T08:00:00Z"));
	let text = node.ask(&ending);
	assert!(text.contains("1 anchors of acme end within 7days"), "{text}");
	assert!(text.contains("2027-01-20T08:00:00Z"), "{text}");
}

#[test]
fn keys_that_end_soon_are_told_with_their_end() {
	let name = b"drone-7".to_vec().try_into().unwrap();
	let device = DeviceId::from_name(acme(), b"drone-7");
	let record = DeviceRecord {
		organisation: acme(),
		name,
		enrolled_at: 0,
		keys_registered: 2,
		withdrawal: Default::default(),
	};
	let node = Node::start(
		stored(&[(storage_keys::device(device), record.encode())]),
		move |method, arguments| {
			assert_eq!(method, "DpkiApi_keys_ending");
			let asked = <(DeviceId, Moment)>::decode(&mut &arguments[..]).unwrap();
			assert_eq!(asked, (device, NOW + 30 * DAY));
			let key = KeyRecord {
				device,
				purpose: KeyPurpose::Tls,
				public: PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap(),
				validity: Validity { not_before: 0, not_after: Some(END + DAY) },
				registered_at: 0,
				superseded_at: Some(END),
				withdrawal: Default::default(),
			};
			let id = KeyId([4; 32]);
			let verdict = (Some(key), Status::Valid, storage_keys::key(id));
			let page: Page<KeyId, KeyRecord> =
				(2, None, vec![(id, verdict)], vec![storage_keys::device_keys(device)]);
			page.encode()
		},
	);
	let told = node.json(&["key", "ending", "acme/drone-7"]);
	assert_eq!(told["keys"][0]["key"], json!(KeyId([4; 32]).to_string()));
	assert_eq!(told["keys"][0]["ends_at"], json!("2027-01-20T08:00:00Z"));
	assert_eq!(told["list_proven_by"], json!([hex(&storage_keys::device_keys(device))]));
}

fn device(name: &str, revocation: Option<Revocation>) -> DeviceRecord {
	let name = name.as_bytes().to_vec().try_into().unwrap();
	DeviceRecord {
		organisation: acme(),
		name,
		enrolled_at: 0,
		keys_registered: 1,
		withdrawal: revocation.into(),
	}
}

#[test]
fn the_devices_of_an_organisation_are_listed_with_what_ends_soon() {
	let name = |n: usize| format!("drone-{n}");
	let id = move |n: usize| DeviceId::from_name(acme(), name(n).as_bytes());
	let node = Node::start(stored(&[]), move |method, arguments| match method {
		"DpkiApi_devices_of" => {
			let asked = <(OrganisationId, u32)>::decode(&mut &arguments[..]).unwrap();
			assert_eq!(asked, (acme(), 0));
			let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
			let entry = |n, revocation: Option<Revocation>| {
				let status = revocation.map_or(Status::Valid, Status::Revoked);
				(id(n), (Some(device(&name(n), revocation)), status, storage_keys::device(id(n))))
			};
			let entries = vec![entry(1, None), entry(2, Some(revocation))];
			let count = storage_keys::organisation_device_count(acme());
			let page: Page<DeviceId, DeviceRecord> = (66, Some(64), entries, vec![count]);
			page.encode()
		},
		"DpkiApi_keys_ending" => {
			let (of, until) = <(DeviceId, Moment)>::decode(&mut &arguments[..]).unwrap();
			assert_eq!(until, NOW + 30 * DAY);
			let key = KeyRecord {
				device: of,
				purpose: KeyPurpose::Tls,
				public: PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap(),
				validity: Validity { not_before: 0, not_after: Some(END) },
				registered_at: 0,
				superseded_at: None,
				withdrawal: Default::default(),
			};
			let ending = (KeyId([4; 32]), (Some(key), Status::Valid, vec![]));
			let entries = if of == id(1) { vec![ending] } else { vec![] };
			let page: Page<KeyId, KeyRecord> = (1, None, entries, vec![]);
			page.encode()
		},
		other => panic!("nobody asks for {other}"),
	});
	let told = node.json(&["device", "list", "--organisation", "acme"]);
	assert_eq!((&told["total"], &told["next"]), (&json!(66), &json!(64)));
	assert_eq!(told["devices"][0]["name"], json!("drone-1"));
	assert_eq!(told["devices"][1]["status"], json!("revoked"));
	assert_eq!(told["devices"][1]["reason"], json!("keyCompromise"));
	assert_eq!(told["devices"][0]["keys_ending"], Value::Null);
	let count = hex(&storage_keys::organisation_device_count(acme()));
	assert_eq!(told["list_proven_by"], json!([count]));

	let told = node.json(&["device", "list", "--org", "acme", "--ending", "30d"]);
	assert_eq!(told["devices"].as_array().unwrap().len(), 1);
	let key = &told["devices"][0]["keys_ending"][0];
	assert_eq!(key["key"], json!(KeyId([4; 32]).to_string()));
	assert_eq!(key["ends_at"], json!("2027-01-20T08:00:00Z"));
	let text = node.ask(&["device", "list", "--org", "acme", "--ending", "30d"]);
	assert!(text.contains("drone-1") && !text.contains("drone-2"), "{text}");
}

#[test]
fn the_fleets_of_an_organisation_are_listed_with_what_proves_the_list() {
	let node = Node::start(stored(&[]), move |method, arguments| match method {
		"DpkiApi_fleets_of" => {
			let asked = <(OrganisationId, u32)>::decode(&mut &arguments[..]).unwrap();
			assert_eq!(asked, (acme(), 0));
			let entry = |name: &[u8], current: Option<FleetHead>| {
				let id = FleetId::from_name(acme(), name);
				let status = current.map_or(Status::Unknown, |_| Status::Valid);
				let record = FleetRecord {
					organisation: acme(),
					name: name.to_vec().try_into().unwrap(),
					committed_at: 0,
					revisions: 1,
					current,
					previous: None,
					candidate: None,
					retired_at: None,
					revocation: None,
				};
				(id, (Some(record), status, storage_keys::fleet(id)))
			};
			let commitment = Commitment { size: 5, root: [1; 32], tiles: BlobDigest([2; 32]) };
			let head = FleetHead { revision: 0, commitment, since: 0, unavailable: false };
			let entries = vec![entry(b"drones", Some(head)), entry(b"cars", None)];
			let count = storage_keys::organisation_fleet_count(acme());
			let page: Page<FleetId, FleetRecord> = (66, Some(64), entries, vec![count]);
			page.encode()
		},
		other => panic!("nobody asks for {other}"),
	});
	let told = node.json(&["fleet", "list", "acme"]);
	assert_eq!((&told["total"], &told["next"]), (&json!(66), &json!(64)));
	assert_eq!(told["fleets"][0]["name"], json!("drones"));
	assert_eq!(told["fleets"][0]["members"], json!(5));
	assert_eq!(told["fleets"][1]["status"], json!("unknown"));
	let count = hex(&storage_keys::organisation_fleet_count(acme()));
	assert_eq!(told["list_proven_by"], json!([count]));
}

/// A certificate and its key; by itself, or by an issuer.
fn certificate(
	name: &str,
	is_authority: bool,
	issuer: Option<&(CertificateParams, KeyPair)>,
) -> (CertificateParams, KeyPair, Vec<u8>) {
	let mut params = CertificateParams::new(vec![]).unwrap();
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, name);
	params.use_authority_key_identifier_extension = issuer.is_some();
	params.key_usages = vec![match is_authority {
		true => KeyUsagePurpose::KeyCertSign,
		false => KeyUsagePurpose::DigitalSignature,
	}];
	params.is_ca = match is_authority {
		true => IsCa::Ca(BasicConstraints::Unconstrained),
		false => IsCa::ExplicitNoCa,
	};
	let pair = KeyPair::generate().unwrap();
	let der = match issuer {
		None => params.self_signed(&pair).unwrap(),
		Some((above, key)) => params.signed_by(&pair, &Issuer::from_params(above, key)).unwrap(),
	};
	let der = der.der().to_vec();
	(params, pair, der)
}

struct Files {
	folder: tempfile::TempDir,
	root: AnchorId,
	root_der: Vec<u8>,
	chain: Vec<Vec<u8>>,
}

impl Files {
	fn new() -> Self {
		let (params, pair, root_der) = certificate("Root", true, None);
		let root = AnchorId::of(AnchorKind::X509Root, &root_der);
		let (params, pair, between) = certificate("Unit", true, Some(&(params, pair)));
		let (_, _, leaf) = certificate("drone-7", false, Some(&(params, pair)));
		let folder = tempfile::tempdir().unwrap();
		for (name, der) in [("root.crt", &root_der), ("unit.crt", &between), ("leaf.crt", &leaf)] {
			std::fs::write(folder.path().join(name), der).unwrap();
		}
		Self { folder, root, root_der, chain: vec![leaf, between] }
	}

	fn path(&self, name: &str) -> String {
		self.folder.path().join(name).display().to_string()
	}

	fn record(&self) -> HashMap<String, String> {
		stored(&[(storage_keys::anchor(self.root), anchor().encode())])
	}
}

#[test]
fn the_chain_says_what_a_certificate_below_an_anchor_is_worth() {
	let files = Files::new();
	let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
	let (root, chain) = (files.root, files.chain.clone());
	let node = Node::start(files.record(), move |method, arguments| {
		assert_eq!(method, "DpkiApi_check_certificate");
		let (anchor, asked, profile) =
			<(AnchorId, Vec<Vec<u8>>, Profile)>::decode(&mut &arguments[..]).unwrap();
		assert_eq!((anchor, &asked), (root, &chain), "in order, and without the anchor");
		let verdict = match profile {
			Profile::Rfc5280 => ChainVerdict::Status(Status::Valid),
			Profile::IdevId => ChainVerdict::Status(Status::Revoked(revocation)),
			_ => ChainVerdict::Broken { at: Some(1), problem: "CertificateExpired".to_owned() },
		};
		verdict.encode()
	});
	let (leaf, unit, root) =
		(files.path("leaf.crt"), files.path("unit.crt"), files.path("root.crt"));
	let check = |profile: &str| {
		// The anchor may stand among the others, as in the files that people have.
		let given = ["--intermediate", &root, "--intermediate", &unit];
		let asked = ["x509", "check", &leaf, "--below", &root, "--profile", profile];
		node.verdict(&[&asked[..], &given[..]].concat())
	};
	let (code, told) = check("rfc5280");
	assert_eq!((code, &told["status"], &told["chain"]), (0, &json!("valid"), &json!(2)));
	let (code, told) = check("idevid");
	assert_eq!((code, &told["status"]), (3, &json!("revoked")));
	assert_eq!(told["reason"], json!("keyCompromise"));
	let (code, told) = check("matter");
	assert_eq!((code, &told["problem"]), (3, &json!("CertificateExpired")));
	assert_eq!(told["at"], json!(1));
}

#[test]
fn what_is_no_certificate_is_refused_before_anybody_is_asked() {
	let files = Files::new();
	let node = Node::start(files.record(), |method, _| panic!("nobody asks for {method}"));
	let mut broken = files.chain[0].clone();
	broken.truncate(broken.len() - 1);
	std::fs::write(files.path("broken.crt"), broken).unwrap();
	let root = files.path("root.crt");
	let (code, told) =
		node.verdict(&["x509", "check", &files.path("broken.crt"), "--below", &root]);
	assert_eq!((code, &told["valid"]), (3, &json!(false)));
}

#[test]
fn a_file_is_held_against_the_anchor_that_it_is_to_be() {
	let files = Files::new();
	let node = Node::start(files.record(), |method, _| panic!("nobody asks for {method}"));
	let id = files.root.to_string();
	let (code, told) = node.verdict(&["x509", "match", &files.path("root.crt"), "--anchor", &id]);
	assert_eq!((code, &told["matches"], &told["status"]), (0, &json!(true), &json!("valid")));
	// Of the same name, but of another key.
	let (_, _, other) = certificate("Root", true, None);
	assert_ne!(other, files.root_der);
	std::fs::write(files.path("other.crt"), other).unwrap();
	let (code, told) = node.verdict(&["x509", "match", &files.path("other.crt"), "--anchor", &id]);
	assert_eq!((code, &told["matches"]), (3, &json!(false)));
	assert_eq!(told["differences"], json!(["certificate"]));
	let unknown = AnchorId([9; 32]).to_string();
	let (code, _) = node.verdict(&["x509", "match", &files.path("root.crt"), "--anchor", &unknown]);
	assert_eq!(code, 1);
}

/// The id of an anchor is a hash of its certificate: nothing else of the same key, name and end is the anchor.
#[test]
fn a_file_whose_hash_is_not_the_registered_one_is_not_the_anchor() {
	let (mut params, pair, der) = certificate("Root", true, None);
	let id = AnchorId::of(AnchorKind::X509Root, &der);
	let node =
		Node::start(stored(&[(storage_keys::anchor(id), anchor().encode())]), |method, _| {
			panic!("nobody asks for {method}")
		});
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("root.crt").display().to_string();
	let verdict = |der: &[u8]| {
		std::fs::write(&path, der).unwrap();
		let (code, told) = node.verdict(&["x509", "match", &path, "--anchor", &id.to_string()]);
		(code, told["differences"].clone())
	};
	assert_eq!(verdict(&der), (0, json!([])));
	params.serial_number = Some(7.into());
	let signed_again = params.self_signed(&pair).unwrap();
	let mut damaged = der.clone();
	*damaged.last_mut().unwrap() ^= 1;
	for other in [signed_again.der().to_vec(), damaged] {
		assert_eq!(verdict(&other), (3, json!(["certificate"])));
	}
}

#[test]
fn a_file_is_held_against_the_key_the_subject_and_the_end_of_a_certificate() {
	let pair = KeyPair::generate().unwrap();
	let point = pair.public_key_raw();
	let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
	let record = CertificateRecord {
		subject: Subject::Dns(b"www.acme.example".to_vec().try_into().unwrap()),
		holder: Holder::Organisation(acme()),
		requested: Level::Dv,
		key: PublicKey::new(KeyType::P256, &compressed).unwrap(),
		display_name: None,
		validity: Validity { not_before: 0, not_after: Some(2_000_000_000_000) },
		control_until: None,
		suspension: None,
		revocation: None,
	};
	let id = CertificateId([3; 32]);
	let node =
		Node::start(stored(&[(storage_keys::certificate(id), record.encode())]), |method, _| {
			panic!("nobody asks for {method}")
		});
	let folder = tempfile::tempdir().unwrap();
	let differences = |name: &str, pair: &KeyPair, year| {
		let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
		params.not_after = date_time_ymd(year, 1, 1);
		let path = folder.path().join("www.crt");
		std::fs::write(&path, params.self_signed(pair).unwrap().der()).unwrap();
		let path = path.display().to_string();
		let (code, told) =
			node.verdict(&["x509", "match", &path, "--certificate", &id.to_string()]);
		(code, told["differences"].clone())
	};
	assert_eq!(differences("www.acme.example", &pair, 2030), (0, json!([])));
	assert_eq!(differences("other.acme.example", &pair, 2030), (3, json!(["the subject"])));
	assert_eq!(differences("www.acme.example", &pair, 2040), (3, json!(["the end"])));
	let other = KeyPair::generate().unwrap();
	assert_eq!(differences("www.acme.example", &other, 2030), (3, json!(["the key"])));
}

/// Of those that nobody asks the runtime for, because they are read and can be proven.
#[test]
fn what_is_asked_for_seldom_is_read_from_the_storage() {
	let drone = DeviceId::from_name(acme(), b"drone-7");
	let quota = Quota::default().spend(NOW - 1).unwrap().spend(NOW - 1).unwrap();
	let quota = DeviceQuota { signed: quota, announced: Quota::default() };
	let key = KeyId([4; 32]);
	let node = Node::start(
		stored(&[
			(storage_keys::device(drone), device("drone-7", None).encode()),
			(storage_keys::key_quota(drone), quota.encode()),
			(storage_keys::key_anchors(key), vec![id(1), id(2)].encode()),
			(storage_keys::anchor(id(1)), anchor().encode()),
			(storage_keys::anchor(id(2)), anchor().encode()),
			(storage_keys::next_key(key), [6u8; 32].encode()),
			(dissolved_key(acme()), END.encode()),
		]),
		|method, _| panic!("nobody asks for {method}"),
	);
	let told = node.json(&["key", "quota", "acme/drone-7"]);
	assert_eq!((&told["by_its_signing_keys"], &told["by_announced_keys"]), (&json!(2), &json!(4)));
	assert_eq!(told["storage_key"], json!(hex(&storage_keys::key_quota(drone))));

	let told = node.json(&["anchor", "of-key", &key.to_string()]);
	let found: Vec<_> = (0..2).map(|at| told["anchors"][at]["anchor"].clone()).collect();
	assert_eq!(found, [json!(id(1).to_string()), json!(id(2).to_string())]);
	assert_eq!(told["anchors"][0]["status"], json!("valid"));
	let other = node.json(&["anchor", "of-key", &KeyId([5; 32]).to_string()]);
	assert_eq!(other["anchors"], json!([]));

	let told = node.json(&["key", "next", &key.to_string()]);
	assert_eq!(told["commitment"], json!(hex(&[6; 32])));
	let other = node.json(&["key", "next", &KeyId([5; 32]).to_string()]);
	assert_eq!(other["commitment"], Value::Null);

	let told = node.json(&["org", "dissolved", "acme"]);
	assert_eq!(told["dissolved_at"], json!("2027-01-20T08:00:00Z"));
	let other = node.json(&["org", "dissolved", "another"]);
	assert_eq!(other["dissolved_at"], Value::Null);
}

#[test]
fn the_members_of_an_organisation_are_listed_with_their_roles() {
	let record = OrganisationRecord {
		name: b"acme".to_vec().try_into().unwrap(),
		kind: OrganisationKind::Manufacturer,
		policy: DeliveryPolicy::Simple,
		created_at: 0,
		members: 300,
		administrators: 1,
		watchdogs: 0,
	};
	let roles =
		|index: u32| if index == 0 { RoleSet::ALL } else { RoleSet::EMPTY.with(Role::Registrar) };
	let account = |index: u32| {
		let mut account = [0; 32];
		account[..4].copy_from_slice(&index.to_le_bytes());
		account
	};
	let member = |index| (storage_keys::member(acme(), &account(index)), roles(index).encode());
	let mut entries: Vec<_> = (0..300).map(member).collect();
	entries.push((storage_keys::organisation(acme()), record.encode()));
	// Of another organisation.
	let other = OrganisationId::from_name(b"other");
	entries.push((storage_keys::member(other, &account(999)), RoleSet::ALL.encode()));
	let node = Node::start(stored(&entries), |method, _| panic!("nobody asks for {method}"));
	let told = node.json(&["org", "member", "list", "acme"]);
	let members = told["members"].as_array().unwrap();
	assert_eq!((members.len(), &told["invited"]), (300, &json!([])));
	assert!(told["warnings"].is_null(), "{told}");
	let of = |index| members.iter().find(|it| it["account_id"] == hex(&account(index))).unwrap();
	assert_eq!(of(7)["roles"], json!(["registrar"]));
	assert!(of(0)["roles"].as_array().unwrap().len() > 1);
	let text = node.ask(&["org", "member", "list", "acme"]);
	assert!(text.starts_with("300 members of acme\n"), "{text}");

	// A node that leaves one out is noticed.
	entries.remove(7);
	let node = Node::start(stored(&entries), |method, _| panic!("nobody asks for {method}"));
	let told = node.json(&["org", "member", "list", "acme"]);
	let warning = told["warnings"][0].as_str().unwrap();
	assert!(warning.contains("names 299 members, and the record counts 300"), "{warning}");
}
