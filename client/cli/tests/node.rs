//! A member's own node: what `dpki node` and `dpki network` make of what it answers, with a node that answers little.

use assert_cmd::Command;
use jsonrpsee::{
	RpcModule,
	server::{Server, ServerHandle},
	types::ErrorObjectOwned,
};
use serde_json::{Value, json};
use std::fs;

const SPEC: &str =
	r#"{"id":"acme","bootNodes":[],"genesis":{"raw":{"top":{},"childrenDefault":{}}}}"#;

/// A synchronised validator of some chain, which makes no keys for anybody.
struct Node {
	url: String,
	_handle: ServerHandle,
	_runtime: tokio::runtime::Runtime,
}

impl Node {
	fn start() -> Self {
		let mut module = RpcModule::new(());
		let genesis = format!("0x{}", "2b".repeat(32));
		for (method, answer) in [
			("chain_getBlockHash", json!(genesis)),
			("chain_getFinalizedHead", json!(genesis)),
			("chain_getHeader", json!({ "number": "0x10" })),
			("system_health", json!({ "peers": 3, "isSyncing": false, "shouldHavePeers": true })),
			("system_localPeerId", json!("12D3KooW")),
			("system_nodeRoles", json!(["Authority"])),
		] {
			module.register_method(method, move |_, _, _| answer.clone()).unwrap();
		}
		module
			.register_method("author_rotateKeysWithOwner", |_, _, _| {
				Err::<Value, _>(ErrorObjectOwned::owned(-32601, "RPC call is unsafe", None::<()>))
			})
			.unwrap();
		let runtime = tokio::runtime::Runtime::new().unwrap();
		let (url, handle) = runtime.block_on(async {
			let server = Server::builder().build("127.0.0.1:0").await.unwrap();
			(format!("ws://{}", server.local_addr().unwrap()), server.start(module))
		});
		Self { url, _handle: handle, _runtime: runtime }
	}
}

fn dpki(url: &str, arguments: &[&str]) -> Command {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.args(arguments).args(["--url", url]);
	command
}

/// Standard error of a command that is refused.
fn refused(url: &str, arguments: &[&str]) -> String {
	let assert = dpki(url, arguments).assert().code(1).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn told(command: &mut Command, code: i32) -> Value {
	let assert = command.arg("--json").assert().code(code);
	serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn session_keys_are_made_on_this_computer_only_and_never_for_others() {
	let rotate = ["node", "rotate-keys", "--yes", "--account", "//Alice"];
	let elsewhere = refused("ws://192.0.2.1:9944", &rotate);
	assert!(elsewhere.contains("is not on this computer"), "{elsewhere}");
	let closed = refused(&Node::start().url, &rotate);
	assert!(closed.contains("RPC call is unsafe") && closed.contains("loopback"), "{closed}");
}

#[test]
fn a_node_of_another_chain_goes_no_further() {
	let folder = tempfile::tempdir().unwrap();
	let spec = folder.path().join("spec.json");
	fs::write(&spec, SPEC).unwrap();
	let spec = spec.display().to_string();
	let node = Node::start();
	let list = told(&mut dpki(&node.url, &["node", "join", &spec, "--validator", "//Alice"]), 3);
	let last = list["steps"].as_array().unwrap().last().unwrap();
	assert_eq!((&last["step"], &last["done"]), (&json!("chain"), &json!(false)));
	assert!(last["next"].as_str().unwrap().contains("empty --base-path"), "{last}");
	assert_eq!(list["done"], false);
}

#[test]
fn a_plain_specification_is_refused_with_the_way_to_the_raw_one() {
	let folder = tempfile::tempdir().unwrap();
	let spec = folder.path().join("spec.json");
	fs::write(&spec, r#"{"id":"acme","genesis":{"runtimeGenesis":{"patch":{}}}}"#).unwrap();
	let spec = spec.display().to_string();
	let plain = refused("ws://127.0.0.1:1", &["node", "join", &spec, "--validator", "//Alice"]);
	assert!(plain.contains("no raw chain specification") && plain.contains("--raw"), "{plain}");
}

#[test]
fn the_status_of_a_network_lists_who_answers_and_who_does_not() {
	let node = Node::start();
	let north = format!("north={}", node.url);
	let well = told(&mut dpki(&node.url, &["network", "status", &north]), 0);
	assert_eq!((&well["healthy"], &well["nodes"][0]["finalized"]), (&json!(true), &json!(16)));
	let arguments = ["network", "status", &north, "south=ws://127.0.0.1:1"];
	let half = told(&mut dpki(&node.url, &arguments), 3);
	assert_eq!(half["nodes"][0]["problem"], Value::Null);
	let problem = half["nodes"][1]["problem"].as_str().unwrap();
	assert!(problem.starts_with("no answer"), "{problem}");
	// For people: a line for each.
	let text = dpki(&node.url, &arguments).assert().code(3).get_output().stdout.clone();
	let text = String::from_utf8(text).unwrap();
	assert!(text.contains("north  validator") && text.contains("1 of 2"), "{text}");
}
