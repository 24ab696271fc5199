//! What systemd is told, at a real socket as it listens at one.

use crate::{
	commands::{GENESIS, init_args},
	world::*,
};
use dpki_agent::notify::{Notifier, Readiness};
use dpki_client::primitives::anchor::AnchorKind;
use std::{
	io::{BufRead, BufReader, ErrorKind},
	os::unix::net::UnixDatagram,
	path::Path,
	process::{Command, Stdio},
};

/// A socket such as that of systemd.
struct Systemd(UnixDatagram);

impl Systemd {
	fn at(path: &Path) -> Self {
		let socket = UnixDatagram::bind(path).unwrap();
		socket.set_nonblocking(true).unwrap();
		Self(socket)
	}

	/// All that it was told since it was last looked: a datagram is there when whoever has sent it goes on.
	fn heard(&self) -> Vec<String> {
		let mut heard = Vec::new();
		let mut buffer = [0; 64];
		loop {
			match self.0.recv(&mut buffer) {
				Ok(length) => heard.push(String::from_utf8(buffer[..length].to_vec()).unwrap()),
				Err(error) => {
					assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
					return heard;
				},
			}
		}
	}
}

/// As the daemon does it with the next block.
async fn next_block(world: &mut World, readiness: &mut Readiness) {
	let result = world.step().await;
	let head = world.chain.head;
	let is_fresh = world.agent().is_fresh(&head);
	readiness.acted_on(head.number, result.is_ok(), is_fresh);
}

#[tokio::test]
async fn ready_is_told_once_when_what_the_chain_says_is_in_force_and_not_before() {
	let mut world = World::new();
	let path = world.place("notify");
	let systemd = Systemd::at(&path);
	let mut readiness = Readiness::new(Notifier::at(path.as_os_str()).unwrap());
	let (ca, revoked) =
		(world.register(AnchorKind::SshUserCa), world.register(AnchorKind::SshUserCa));
	world.publish(1, vec![user_ca(&ca), user_ca(&revoked), principals("root", &["admin"])]);
	world.step().await.unwrap();
	world.restart();
	world.anchor(revoked.anchor).revocation = Some(revocation());
	// Nothing can be proven.
	world.chain.silent = true;
	next_block(&mut world, &mut readiness).await;
	assert_eq!(systemd.heard(), [""; 0]);
	assert!(world.trusts(&revoked));
	// What is proven is old: it takes away, and the agent has not caught up.
	world.chain.silent = false;
	let time = world.chain.head.time;
	world.chain.head.time = clock() - 700_000;
	next_block(&mut world, &mut readiness).await;
	assert_eq!(systemd.heard(), [""; 0]);
	assert!(!readiness.is_ready());
	world.chain.head.time = time;
	next_block(&mut world, &mut readiness).await;
	assert_eq!(systemd.heard(), ["READY=1"]);
	assert!(world.trusts(&ca) && !world.trusts(&revoked), "it is in force by then");
	next_block(&mut world, &mut readiness).await;
	world.chain.silent = true;
	next_block(&mut world, &mut readiness).await;
	assert_eq!(systemd.heard(), [""; 0], "once, and never taken back");
	readiness.stopping();
	drop(readiness);
	assert_eq!(systemd.heard(), ["STOPPING=1"]);
}

/// Nobody is there to tell it anything of the chain, so it is never ready.
#[test]
fn an_agent_that_has_not_caught_up_tells_systemd_only_that_it_stops() {
	let dir = tempfile::tempdir().unwrap();
	let program = env!("CARGO_BIN_EXE_dpki-agent");
	let made = Command::new(program)
		.args(init_args(dir.path(), GENESIS, &[]))
		.output()
		.unwrap();
	assert!(made.status.success(), "{made:?}");
	let path = dir.path().join("notify");
	let systemd = Systemd::at(&path);
	let mut running = Command::new(program)
		.args(["run", "--config", &dir.path().join("agent.toml").display().to_string()])
		.args(["--log", "dpki_agent=info"])
		.env("NOTIFY_SOCKET", &path)
		.env_remove("RUST_LOG")
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		.stderr(Stdio::piped())
		.spawn()
		.unwrap();
	let mut log = BufReader::new(running.stderr.take().unwrap()).lines().map_while(Result::ok);
	assert!(log.any(|line| line.contains("following the chain")), "it has begun");
	assert_eq!(systemd.heard(), [""; 0]);
	let pid = running.id().to_string();
	assert!(Command::new("/bin/kill").args(["-TERM", &pid]).status().unwrap().success());
	let rest: Vec<_> = log.collect();
	assert!(running.wait().unwrap().success(), "{rest:?}");
	assert_eq!(systemd.heard(), ["STOPPING=1"]);
}

#[test]
fn an_agent_that_ends_with_an_error_tells_that_it_stops_as_well() {
	let world = World::new();
	let path = world.place("notify");
	let systemd = Systemd::at(&path);
	let config = world.place("agent.toml");
	drop(world.agent);
	// The specification of its chain is none.
	let ended = Command::new(env!("CARGO_BIN_EXE_dpki-agent"))
		.args(["run", "--config", &config.display().to_string()])
		.env("NOTIFY_SOCKET", &path)
		.stdin(Stdio::null())
		.output()
		.unwrap();
	assert!(!ended.status.success(), "{ended:?}");
	assert_eq!(systemd.heard(), ["STOPPING=1"]);
}
