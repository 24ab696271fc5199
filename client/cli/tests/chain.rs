//! Which chain a command talks to: with a node that answers nothing but which chain it is of.

use assert_cmd::Command;
use jsonrpsee::{
	RpcModule,
	server::{Server, ServerHandle},
};
use serde_json::Value;
use std::{
	fs,
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
};

/// The genesis hash that the node names.
const FOUND: [&str; 32] = ["2b"; 32];
/// Another one.
const OTHER: [&str; 32] = ["1a"; 32];

/// A node that names its chain, and remembers whether it was asked for more.
struct Node {
	url: String,
	asked_for_more: Arc<AtomicBool>,
	_handle: ServerHandle,
	_runtime: tokio::runtime::Runtime,
}

impl Node {
	fn start() -> Self {
		let asked_for_more = Arc::new(AtomicBool::new(false));
		let mut module = RpcModule::new(());
		module.register_method("chain_getBlockHash", |_, _, _| hash(FOUND)).unwrap();
		for method in
			["chain_getFinalizedHead", "system_accountNextIndex", "author_submitAndWatchExtrinsic"]
		{
			let asked = asked_for_more.clone();
			module
				.register_method(method, move |_, _, _| asked.store(true, Ordering::SeqCst))
				.unwrap();
		}
		let runtime = tokio::runtime::Runtime::new().unwrap();
		let (url, handle) = runtime.block_on(async {
			let server = Server::builder().build("127.0.0.1:0").await.unwrap();
			(format!("ws://{}", server.local_addr().unwrap()), server.start(module))
		});
		Self { url, asked_for_more, _handle: handle, _runtime: runtime }
	}

	/// Runs a command that fails at this node; standard error.
	fn fails(&self, arguments: &[&str], genesis: Option<[&str; 32]>) -> String {
		let mut command = Command::cargo_bin("dpki").unwrap();
		for variable in ["DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
			command.env_remove(variable);
		}
		if let Some(genesis) = genesis {
			command.env("DPKI_GENESIS", hash(genesis));
		}
		let assert = command.args(arguments).env("DPKI_URL", &self.url).assert();
		let output = assert.failure().code(1).stdout("").get_output().stderr.clone();
		String::from_utf8(output).unwrap()
	}

	fn was_asked_for_more(&self) -> bool {
		self.asked_for_more.swap(false, Ordering::SeqCst)
	}
}

fn hash(bytes: [&str; 32]) -> String {
	format!("0x{}", bytes.concat())
}

#[test]
fn a_node_of_another_chain_is_asked_for_nothing_and_gets_no_signature() {
	let node = Node::start();
	for arguments in [
		&["chain", "info"][..],
		&["status", "device", "acme/drone-7"],
		&["org", "create", "acme", "--kind", "regulator", "--account", "//Alice"],
		&["account", "send", "--to", "//Bob", "--amount", "1", "--yes", "--account", "//Alice"],
	] {
		let error = node.fails(arguments, Some(OTHER));
		let expected = format!("the chain {}, not of {}", hash(FOUND), hash(OTHER));
		assert!(error.contains(&expected) && error.contains("next: "), "{error}");
		assert!(!node.was_asked_for_more(), "{arguments:?}");
	}
}

#[test]
fn a_node_of_the_pinned_chain_is_asked() {
	let node = Node::start();
	for genesis in [Some(FOUND), None] {
		let error = node.fails(&["chain", "info"], genesis);
		assert!(!error.contains("not of 0x"), "{error}");
		assert!(!error.contains("warning"), "a node on this computer needs none: {error}");
		assert!(node.was_asked_for_more());
	}
}

#[test]
fn a_node_elsewhere_does_not_get_around_what_is_remembered_by_naming_another_chain() {
	let node = Node::start();
	let memory = tempfile::tempdir().unwrap();
	let folder = memory.path().join("dpki/checkpoints");
	fs::create_dir_all(&folder).unwrap();
	fs::write(folder.join(OTHER.concat()), "").unwrap();
	let told = |genesis: Option<[&str; 32]>| {
		let mut command = Command::cargo_bin("dpki").unwrap();
		for variable in ["DPKI_GENESIS", "DPKI_CHECKPOINT", "DPKI_PASSPHRASE"] {
			command.env_remove(variable);
		}
		command.args(["org", "create", "acme", "--kind", "regulator", "--account", "//Alice"]);
		// An address that is not known to be that of this computer.
		command.args(["--url", &node.url.replace("127.0.0.1", "0.0.0.0")]);
		if let Some(genesis) = genesis {
			command.args(["--genesis", &hash(genesis)]);
		}
		let assert = command.env("XDG_STATE_HOME", memory.path()).assert().code(1);
		String::from_utf8(assert.get_output().stderr.clone()).unwrap()
	};
	let error = told(None);
	assert!(error.contains("error: another chain is remembered"), "{error}");
	assert!(error.contains("next: say which one it has to be, with --genesis"), "{error}");
	assert!(!node.was_asked_for_more(), "nothing is signed for it");
	// Who says that this one is meant is told whose word it is.
	let error = told(Some(FOUND));
	assert!(error.contains("warning: what becomes of transactions is the word of"), "{error}");
	assert!(node.was_asked_for_more());
}

#[test]
fn the_wrong_chain_is_told_to_programs_too() {
	let node = Node::start();
	let error = node.fails(&["chain", "info", "--json"], Some(OTHER));
	let error: Value = serde_json::from_str(&error).unwrap();
	assert!(error["error"].as_str().unwrap().contains(&hash(FOUND)), "{error}");
	assert!(error["next"].as_str().unwrap().contains("--url"), "{error}");
}

#[test]
fn what_is_no_genesis_hash_is_refused_before_any_node_is_asked() {
	let mut command = Command::cargo_bin("dpki").unwrap();
	let assert = command.args(["chain", "info", "--genesis", "0x12"]).assert().code(2);
	let error = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
	assert!(error.contains("64 hexadecimal digits"), "{error}");
}
