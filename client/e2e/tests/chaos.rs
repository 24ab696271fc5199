//! A consortium that is hurt, for some minutes. `scripts/bench chaos` does all of it, for longer.

use dpki_e2e::{
	Node, Workspace,
	chaos::{
		Consortium, Figures, Options, Rpc,
		abuse::{self, Honest},
		crash, faults, load,
	},
	hex, untested,
};
use serde_json::{Value, json};
use std::{
	net::{Ipv4Addr, SocketAddr},
	sync::Mutex,
	time::Duration,
};

/// One network at a time is as much as a small machine carries.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How long a fault lasts: some slots.
const FAULT: Duration = Duration::from_secs(8);

/// How many blocks a transaction may wait for while strangers are at work: far more than it does on a quiet node, which is two
/// or three.
const MOST_BLOCKS: u32 = 32;

/// More than a block holds on a busy machine.
const TRANSACTIONS: usize = 2_000;

fn value(figures: &Figures, id: &str) -> f64 {
	figures.value(&format!("chaos.{id}")).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn nothing_that_was_acknowledged_is_lost_whoever_is_killed() {
	let _alone = ONE_AT_A_TIME.lock();
	let workspace = Workspace::new("chaos");
	let options = Options { accounts: TRANSACTIONS + 1, ..Default::default() };
	let mut network = Consortium::start(&workspace, &options).expect("it takes no rights");

	let loaded = load::flood(&network, 1, TRANSACTIONS, load::Sending::Again);
	assert_eq!(value(&loaded, "load.violations"), 0.0);
	// All of them fit into the pool and into their lifetime, so none may be given up either.
	assert_eq!(value(&loaded, "load.final"), value(&loaded, "load.accepted"));
	assert_eq!(value(&loaded, "load.accepted"), TRANSACTIONS as f64);

	let killed = faults::kill_one(&mut network, FAULT);
	assert!(value(&killed, "kill_one.blocks_final_per_slot") > 0.0);
	let killed = faults::kill_two(&mut network, FAULT);
	assert_eq!(value(&killed, "kill_two.blocks_final_meanwhile"), 0.0);

	let registry = crash::Registry::found(&network);
	let crashed = crash::kill_all(&mut network, &registry, 3);
	assert_eq!(value(&crashed, "kill_all.violations"), 0.0);
	assert_eq!(value(&crashed, "kill_all.equivocations"), 0.0);
	network.conclude();
}

#[test]
fn one_that_is_stopped_or_has_a_wrong_clock_or_a_full_disk_stops_nobody() {
	let _alone = ONE_AT_A_TIME.lock();
	let workspace = Workspace::new("hurt");
	let mut network =
		Consortium::start(&workspace, &Options::default()).expect("it takes no rights");
	let goes_on = |figures: &Figures, fault: &str| {
		match figures.value(&format!("chaos.{fault}.blocks_final_per_slot")) {
			Some(blocks) => assert!(blocks > 0.0, "{fault}"),
			// A clock takes libfaketime, a disk takes root: the figures say what is missing.
			None => untested(format!("{fault}: {:?}", figures.remarks)),
		}
	};
	goes_on(&faults::freeze_one(&mut network, FAULT), "freeze_one");
	goes_on(&faults::wrong_clock(&mut network, 5, FAULT), "clock_ahead");
	goes_on(&faults::wrong_clock(&mut network, -5, FAULT), "clock_behind");
	let full = faults::full_disk(&mut network, FAULT);
	goes_on(&full, "full_disk");
	assert_ne!(full.value("chaos.full_disk.database_broken"), Some(1.0));
	network.conclude();
}

#[test]
fn a_network_that_was_cut_heals_and_one_with_slow_and_lossy_cables_goes_on() {
	let _alone = ONE_AT_A_TIME.lock();
	let workspace = Workspace::new("apart");
	let options = Options { apart: true, ..Default::default() };
	let mut network = match Consortium::start(&workspace, &options) {
		Ok(network) => network,
		Err(reason) => return untested(reason),
	};
	let cut = faults::partition_3_1(&mut network, FAULT);
	assert!(value(&cut, "partition_3_1.blocks_final_per_slot") > 0.0);
	let cut = faults::partition_2_2(&mut network, FAULT);
	assert_eq!(value(&cut, "partition_2_2.blocks_final_meanwhile"), 0.0);
	// It waits for final blocks over such cables, and looks back before it takes them away.
	faults::slow_and_lossy(&network, FAULT);
	let found = network.history.check();
	assert!(found.is_empty(), "{found:?}");
}

#[test]
fn strangers_do_not_stop_those_who_are_honest() {
	let _alone = ONE_AT_A_TIME.lock();
	let workspace = Workspace::new("abuse");
	// The only node here that listens on every interface: that is what closes the unsafe methods.
	let node = Node::start_endowed(&workspace, 2, &["--unsafe-rpc-external"]);
	let rpc = Rpc(node.url().trim_start_matches("ws://").parse().expect("an address"));
	assert_eq!(abuse::open_methods(&rpc), Vec::<String>::new());

	abuse::insert_session_keys(&node.base(), &node.spec);
	let chains = std::fs::read_dir(node.base().join("chains")).expect("it has a chain");
	assert_eq!(chains.count(), 1, "the keys are where the node has its own");
	let secrets = abuse::secrets_of(&node.base());
	assert_eq!(
		secrets.len(),
		3,
		"a key for blocks, one for votes, and the one that it is known by"
	);
	assert_eq!(abuse::methods_that_tell(&rpc, &secrets), Ok(vec![]));
	// What a method does tell is found.
	let genesis = rpc.block_of(0).expect("it answers").expect("there is a first block");
	let tell = abuse::methods_that_tell(&rpc, &[hex(&genesis.hash)]).expect("it answers");
	assert!(tell.iter().any(|method| method == "chainSpec_v1_genesisHash"), "{tell:?}");

	let mut honest = Honest::new(rpc, 0).expect("it answers");
	honest.act();
	assert_eq!(abuse::send_malformed(&rpc), Ok(()));
	// The length of a request is 15 MiB at most; who refuses more may hang up instead of saying so.
	let status = abuse::send_oversized(&rpc, 16 * 1024 * 1024);
	assert!(status != Some(200), "{status:?}");
	let batch = vec![json!([]); 129];
	let refused = rpc.batch("system_health", &batch).map(|answers| answers.len());
	assert!(refused.is_err(), "{refused:?}");
	assert_eq!(rpc.batch("system_health", &batch[1..]).map(|answers| answers.len()), Ok(128));

	let transactions = abuse::invalid(&rpc, 0, 400).expect("it answers");
	let taken = std::sync::atomic::AtomicUsize::new(0);
	let held = abuse::occupy(rpc.0, 50, b"POST / HTTP/1.1\r\nHost: a\r\n");
	abuse::meanwhile(&mut honest, 2, Honest::act, |stranger, over| {
		let part = &transactions[stranger * 100..][..100];
		let count = abuse::send_all(&rpc, part, over);
		taken.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
	});
	assert_eq!(taken.into_inner(), 0, "an invalid transaction was taken");
	drop(held);

	// More connections than there are seats: who was there keeps the seat, and there are seats again when they are gone.
	let held = abuse::occupy(rpc.0, 300, b"POST / HTTP/1.1\r\nHost: a\r\n");
	drop(held);
	honest.act();

	// The same at the port for peers: connections that say nothing and stay, and noise on some that come and go.
	let peers = peer_address(&rpc);
	let held = abuse::occupy(peers, 300, b"");
	assert!(!held.is_empty(), "nobody is there");
	let blocks = abuse::meanwhile(&mut honest, 2, Honest::blocks_to_act, |_, _| {
		abuse::occupy(peers, 50, &[0x13; 64]);
	});
	assert!(blocks.iter().all(|blocks| *blocks <= MOST_BLOCKS), "{blocks:?}");
	drop(held);
}

/// Where peers reach this node.
fn peer_address(rpc: &Rpc) -> SocketAddr {
	let addresses = rpc.call("system_localListenAddresses", json!([])).expect("it answers");
	let port = |address: &Value| {
		let place = address.as_str()?.strip_prefix("/ip4/127.0.0.1/tcp/")?;
		place.split('/').next()?.parse().ok()
	};
	let port = addresses.as_array().and_then(|list| list.iter().find_map(port));
	(Ipv4Addr::LOCALHOST, port.expect("it listens at a port of this machine")).into()
}
