//! What strangers can do to a node over its open ports, and what it costs those who are honest.

use super::{
	Figures, percentile,
	presigned::{Chain, Signed, key_of},
	rpc::{Refusal, Rpc},
	tail::Tail,
};
use crate::{binary, hex, run};
use dpki_client::{account::address, calls};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sp_crypto_hashing::blake2_256;
use std::{
	io::{Read, Write},
	net::{SocketAddr, TcpStream},
	path::Path,
	sync::atomic::{AtomicBool, Ordering},
	thread,
	time::{Duration, Instant},
};

/// An honest client's transaction may take so much longer than on a quiet node.
pub const MOST_SLOWDOWN: f64 = 2.0;

/// What JSON-RPC 2.0 says where a method is not there, be it for this caller only. The methods `state_*` have codes of their
/// own, and say that they are unsafe.
const METHOD_NOT_FOUND: i64 = -32_601;

/// Accounts from here on have nothing.
const PENNILESS: usize = 1_000_000;

/// Transactions in one request: half of what nodes allow.
const BATCH: usize = 64;

/// Strangers at work at the same time.
const STRANGERS: usize = 4;

/// An account that sends one transaction after the other, each when the one before is final.
pub struct Honest {
	rpc: Rpc,
	key: SigningKey,
	nonce: u64,
}

impl Honest {
	/// The made-up account of this number, at a node.
	pub fn new(rpc: Rpc, account: usize) -> Result<Self, Refusal> {
		let key = key_of(account);
		let account = address(&key.verifying_key().to_bytes());
		let nonce = rpc.call("system_accountNextIndex", json!([account]))?;
		let nonce = nonce.as_u64().ok_or(Refusal::Silent(format!("no number: {nonce}")))?;
		Ok(Self { rpc, key, nonce })
	}

	/// Sends a transaction and gives how long it took until it was final.
	///
	/// # Panics
	///
	/// If the node refuses it, or it takes two minutes.
	pub fn act(&mut self) -> Duration {
		self.transact().0
	}

	/// The same, and how many blocks after the one that was final then holds it: a machine that is busy makes fewer of them.
	pub fn blocks_to_act(&mut self) -> u32 {
		self.transact().1
	}

	fn transact(&mut self) -> (Duration, u32) {
		let mut tail = patiently(|| Tail::from_now(self.rpc));
		let begun = Instant::now();
		let signed = patiently(|| transfer(&self.rpc, &self.key, self.nonce));
		let sent = patiently(|| match signed.send(&self.rpc) {
			// It was taken, and the answer was lost.
			Err(Refusal::Said { message, .. }) if message.contains("lready") => Ok(Value::Null),
			answer => answer,
		});
		drop(sent);
		let from = tail.at.number;
		let block = tail.wait_for(&signed.hash);
		self.nonce += 1;
		(begun.elapsed(), block.number - from)
	}
}

/// Tries a few times: a node that is flooded may have no seat at once.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Refusal>) -> T {
	for _ in 0..100 {
		match attempt() {
			Ok(done) => return done,
			Err(Refusal::Silent(_)) => thread::sleep(Duration::from_millis(50)),
			Err(Refusal::Said { code, message }) => panic!("refused: {message} ({code})"),
		}
	}
	panic!("no answer, a hundred times")
}

fn transfer(rpc: &Rpc, key: &SigningKey, nonce: u64) -> Result<Signed, Refusal> {
	let call = calls::encode(&calls::transfer(&key.verifying_key().to_bytes(), 1));
	let call = call.expect("the call is one of this chain");
	Ok(Chain::of(rpc)?.sign(key, call.bytes(), nonce, rpc.finalized()?))
}

/// Lets strangers do `what`, each of them again and again, while an honest client acts so many times, such as by
/// [`Honest::act`]; gives what it says of each of its transactions.
pub fn meanwhile<T>(
	honest: &mut Honest,
	times: usize,
	act: impl Fn(&mut Honest) -> T,
	what: impl Fn(usize, &AtomicBool) + Sync,
) -> Vec<T> {
	let over = AtomicBool::new(false);
	let end = Ending(&over);
	thread::scope(|scope| {
		for stranger in 0..STRANGERS {
			let (what, over) = (&what, &over);
			scope.spawn(move || {
				while !over.load(Ordering::Relaxed) {
					what(stranger, over);
				}
			});
		}
		// Also if the honest one fails: the strangers are waited for.
		let end = end;
		let took = (0..times).map(|_| act(honest)).collect();
		drop(end);
		took
	})
}

struct Ending<'over>(&'over AtomicBool);

impl Drop for Ending<'_> {
	fn drop(&mut self) {
		self.0.store(true, Ordering::Relaxed);
	}
}

/// Requests that are none.
pub fn malformed() -> Vec<Vec<u8>> {
	let call = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
	let mut bodies: Vec<Vec<u8>> =
		["", "{", "nothing", "[]", "{}", "null", "[1,2,3]", "\u{0}\u{0}", "{\"jsonrpc\":\"1.0\"}"]
			.iter()
			.map(|body| body.as_bytes().to_vec())
			.collect();
	bodies.push(vec![0xff; 1_000]);
	bodies.push("[".repeat(100_000).into_bytes());
	bodies.push(format!("{}{}", "{\"a\":".repeat(50_000), "1").into_bytes());
	let calls = [
		call("no_such_method", json!([])),
		call("author_submitExtrinsic", json!([])),
		call("author_submitExtrinsic", json!(["not hexadecimal"])),
		call("author_submitExtrinsic", json!(["0x00"])),
		call("author_submitExtrinsic", json!([format!("0x{}", "ff".repeat(100_000))])),
		call("chain_getBlockHash", json!([-1])),
		call("chain_getBlockHash", json!([(0..10_000).collect::<Vec<_>>()])),
		call("state_call", json!(["Core_version", "0xffff"])),
		call("state_call", json!(["no_such_function", "0x"])),
		call("state_getStorage", json!(["0x", "0x00"])),
		call("dpki_bundle", json!([["0x"], 7])),
	];
	bodies.extend(calls.iter().map(|call| call.to_string().into_bytes()));
	bodies
}

/// Sends all that is malformed once. A node answers every request, or hangs up; the error names one that it liked.
pub fn send_malformed(rpc: &Rpc) -> Result<(), String> {
	for body in malformed() {
		let Ok((status, answer)) = rpc.post(&body) else { continue };
		let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
		// A number that no block has is no mistake: the answer is null.
		if status == 200 && answer["error"].is_null() && answer["result"].is_string() {
			let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
			return Err(format!("{shown} got {answer}"));
		}
	}
	Ok(())
}

/// Sends a request that is longer than allowed, by so many bytes of padding, and gives the status of the answer, if any.
pub fn send_oversized(rpc: &Rpc, bytes: usize) -> Option<u16> {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "system_health", "params": ["a".repeat(bytes)] });
	rpc.post(body.to_string().as_bytes()).ok().map(|(status, _)| status)
}

/// Transactions of all kinds that a pool has to look at before it can refuse them: signed by accounts that have nothing, with
/// a signature that does not verify, with a number that `acted`, an account that has acted before, has used.
pub fn invalid(rpc: &Rpc, acted: usize, count: usize) -> Result<Vec<Signed>, Refusal> {
	let (chain, from) = (Chain::of(rpc)?, rpc.finalized()?);
	let call = calls::encode(&calls::transfer(&[7; 32], 1)).expect("the call is one of this chain");
	let one = |number: usize| {
		let mut signed = chain.sign(&key_of(PENNILESS + number), call.bytes(), 0, from);
		if number.is_multiple_of(3) {
			// Within the signature, which lies before the extensions and the call.
			let at = signed.bytes.len() - call.bytes().len() - 20;
			signed.bytes[at] ^= 1;
		}
		if number % 3 == 1 {
			let text = u64::try_from(number).unwrap_or_default().to_le_bytes();
			let used = calls::encode(&calls::transfer(&[text[0]; 32], u128::from(text[1]) + 1));
			let used = used.expect("the call is one of this chain");
			signed = chain.sign(&key_of(acted), used.bytes(), 0, from);
		}
		signed
	};
	Ok((0..count).map(one).collect())
}

/// Sends transactions in batches until all are sent or it is over, and gives how many were taken.
pub fn send_all(rpc: &Rpc, transactions: &[Signed], over: &AtomicBool) -> usize {
	let mut taken = 0;
	for batch in transactions.chunks(BATCH) {
		if over.load(Ordering::Relaxed) {
			break;
		}
		let params: Vec<_> = batch.iter().map(Signed::params).collect();
		let answers = rpc.batch("author_submitExtrinsic", &params).unwrap_or_default();
		taken += answers.iter().filter(|answer| answer.is_ok()).count();
	}
	taken
}

/// Opens so many connections, says `greeting` on each and then nothing, and gives those that were not closed at once.
pub fn occupy(address: SocketAddr, count: usize, greeting: &[u8]) -> Vec<TcpStream> {
	let connect = |_| {
		let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
		stream.write_all(greeting).ok()?;
		stream.set_read_timeout(Some(Duration::from_millis(1))).ok()?;
		Some(stream)
	};
	let open: Vec<_> = (0..count).filter_map(connect).collect();
	open.into_iter()
		.filter_map(|mut stream| {
			let mut byte = [0];
			let closed = matches!(stream.read(&mut byte), Ok(0));
			(!closed).then_some(stream)
		})
		.collect()
}

/// The methods that would change a node, or tell what is its own, with parameters as they have to be.
pub fn unsafe_methods() -> Vec<(&'static str, Value)> {
	let hash = hex(&[7; 32]);
	vec![
		("author_insertKey", json!(["aura", "//Alice", hash])),
		("author_rotateKeys", json!([])),
		("author_rotateKeysWithOwner", json!([hash])),
		("author_hasSessionKeys", json!(["0x00"])),
		("author_hasKey", json!([hash, "aura"])),
		("author_removeExtrinsic", json!([[{ "hash": hash }]])),
		("dev_getBlockStats", json!([hash])),
		("offchain_localStorageSet", json!(["PERSISTENT", "0x00", "0x00"])),
		("offchain_localStorageGet", json!(["PERSISTENT", "0x00"])),
		("offchain_localStorageClear", json!(["PERSISTENT", "0x00"])),
		("state_getPairs", json!(["0x", null])),
		("state_queryStorage", json!([["0x00"], hash, null])),
		("state_traceBlock", json!([hash, null, null, null])),
		("system_addLogFilter", json!(["trace"])),
		("system_addReservedPeer", json!(["/ip4/127.0.0.1/tcp/1"])),
		("system_peers", json!([])),
		("system_removeReservedPeer", json!(["12D3KooW"])),
		("system_resetLogFilter", json!([])),
		("system_unstable_networkState", json!([])),
	]
}

/// The unsafe methods that a node does not refuse to this caller.
pub fn open_methods(rpc: &Rpc) -> Vec<String> {
	let refused = |method: &str, params: Value| match rpc.call(method, params) {
		Err(Refusal::Said { code, message }) => {
			code == METHOD_NOT_FOUND || message.contains("unsafe")
		},
		_ => false,
	};
	let open = unsafe_methods()
		.into_iter()
		.filter(|(method, params)| !refused(method, params.clone()));
	open.map(|(method, _)| method.to_string()).collect()
}

/// Calls every method that a node has, with parameters of several forms, and gives those whose answer contains one of these
/// words.
pub fn methods_that_tell(rpc: &Rpc, secrets: &[String]) -> Result<Vec<String>, Refusal> {
	let methods = rpc.call("rpc_methods", json!([]))?;
	let methods = methods["methods"].as_array().cloned().unwrap_or_default();
	let head = hex(&rpc.finalized()?.hash);
	let forms =
		[json!([]), json!([head]), json!(["0x", head]), json!([null, null]), json!(["0x", null])];
	let mut found = Vec::new();
	for method in methods.iter().filter_map(Value::as_str) {
		for params in &forms {
			let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
			let Ok((_, answer)) = rpc.post(request.to_string().as_bytes()) else { continue };
			if secrets.iter().any(|secret| answer.contains(secret)) {
				found.push(method.to_string());
			}
		}
	}
	found.dedup();
	Ok(found)
}

/// Puts a key for blocks and one for votes into the keystore of a node, as its operator does: a node with a key that everybody
/// knows has none there. The node need not be stopped, and does nothing with them: no authority of its chain has them.
pub fn insert_session_keys(base: &Path, spec: &Path) {
	for (scheme, kind) in [("sr25519", "aura"), ("ed25519", "gran")] {
		let seed = hex(&blake2_256(format!("dpki/chaos/{kind}/{}", base.display()).as_bytes()));
		let (base, spec) = (base.display().to_string(), spec.display().to_string());
		let place = ["key", "insert", "--base-path", &base, "--chain", &spec];
		let key = ["--scheme", scheme, "--key-type", kind, "--suri", &seed];
		let inserted = run(&binary("dpki-node"), place.into_iter().chain(key));
		assert!(inserted.status.success(), "{}", String::from_utf8_lossy(&inserted.stderr));
	}
}

/// The secrets in a node's folder, as they stand in its files: session keys, and the key that it is known by.
pub fn secrets_of(base: &Path) -> Vec<String> {
	let mut secrets = Vec::new();
	let mut folders = vec![base.to_path_buf()];
	while let Some(folder) = folders.pop() {
		for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
			let path = entry.path();
			if path.is_dir() {
				folders.push(path);
				continue;
			}
			let holds = ["keystore", "network"].iter().any(|name| folder.ends_with(name));
			let Some(bytes) = std::fs::read(&path).ok().filter(|_| holds) else { continue };
			let text = String::from_utf8_lossy(&bytes);
			let text = text.trim().trim_matches('"').trim_start_matches("0x");
			secrets.push(if text.is_ascii() { text.to_string() } else { hex::encode(&bytes) });
		}
	}
	secrets
}

/// What is attacked.
pub struct Target {
	/// The RPC of a node.
	pub rpc: Rpc,
	/// Where its peers reach it.
	pub peers: SocketAddr,
	/// What nobody may learn from it.
	pub secrets: Vec<String>,
	/// The RPC of another node of the same network.
	pub other: Rpc,
}

/// Everything above against one node, with so many invalid transactions and connections, and how long an honest client's
/// transactions took meanwhile.
pub fn all(target: Target, invalid_count: usize, connections: usize, times: usize) -> Figures {
	let Target { rpc, peers, secrets, other } = target;
	let mut figures = Figures::default();
	let tell = methods_that_tell(&rpc, &secrets).expect("it answers");
	if !tell.is_empty() {
		figures.remark(format!("these methods tell secrets: {}", tell.join(", ")));
	}
	figures.tell("abuse.secrets", secrets.len() as f64, "keys");
	figures.promise("abuse.methods_that_tell", tell.len() as f64, "methods", 0.0, 1);
	let mut honest = Honest::new(rpc, 1).expect("it answers");
	let quiet: Vec<_> = (0..times).map(|_| honest.act()).collect();
	figures.spread("abuse.quiet", &quiet);
	let usual = percentile(&quiet, 50).as_secs_f64();
	let mut compare = |name: &str, took: &[Duration]| {
		figures.spread(&format!("abuse.{name}"), took);
		let slower = percentile(took, 50).as_secs_f64() / usual;
		figures.promise(&format!("abuse.{name}.slowdown"), slower, "1", MOST_SLOWDOWN, took.len());
	};

	let took = meanwhile(&mut honest, times, Honest::act, |_, _| {
		let _ = send_malformed(&rpc);
	});
	compare("malformed", &took);
	let took = meanwhile(&mut honest, times, Honest::act, |_, _| {
		send_oversized(&rpc, 16 * 1024 * 1024);
	});
	compare("oversized", &took);

	let transactions = invalid(&rpc, 1, invalid_count).expect("it answers");
	let share = transactions.len().div_ceil(STRANGERS).max(1);
	let begun = Instant::now();
	let mut took = Vec::new();
	thread::scope(|scope| {
		let strangers: Vec<_> = transactions
			.chunks(share)
			.map(|part| scope.spawn(move || send_all(&rpc, part, &AtomicBool::new(false))))
			.collect();
		while !strangers.iter().all(|stranger| stranger.is_finished()) {
			took.push(honest.act());
		}
	});
	let rate = invalid_count as f64 / begun.elapsed().as_secs_f64();
	compare("invalid", &took);

	// One that waits for the rest of a request, and one that says nothing.
	let held = occupy(rpc.0, connections, b"POST / HTTP/1.1\r\nHost: a\r\n");
	let kept = held.len();
	let mut elsewhere = Honest::new(other, 2).expect("another node answers");
	let took: Vec<_> = (0..times).map(|_| elsewhere.act()).collect();
	compare("rpc_connections", &took);
	drop(held);
	let held = occupy(peers, connections, &[0x13; 64]);
	let kept_by_peers = held.len();
	let took: Vec<_> = (0..times).map(|_| honest.act()).collect();
	compare("p2p_connections", &took);
	drop(held);
	figures.tell("abuse.invalid_refused_per_second", rate, "1/s");
	figures.tell("abuse.rpc_connections_kept", kept as f64, "connections");
	figures.tell("abuse.p2p_connections_kept", kept_by_peers as f64, "connections");
	figures
}
