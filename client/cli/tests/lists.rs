//! Lists that the chain answers in pages, from a node that has nothing but those answers.

use assert_cmd::Command;
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord},
	device::DeviceRecord,
	ids::{AnchorId, DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	status::{Status, Validity},
	storage_keys,
};
use jsonrpsee::{
	RpcModule,
	server::{Server, ServerHandle},
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
		revocation: None,
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
				revocation: None,
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
