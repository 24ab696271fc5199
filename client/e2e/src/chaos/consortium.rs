//! Four validators that can be hurt.

use super::{borrowed::Borrowed, rpc::Rpc};
use crate::{
	PATIENCE, Process, Workspace, binary, free_port,
	history::{Block, Event, History},
	node::{RPC_LISTENS, altered_spec, endow, put_spec, rpc_port},
	run,
};
use std::{
	net::{IpAddr, Ipv4Addr, SocketAddr},
	path::{Path, PathBuf},
	sync::{
		Arc, Mutex, MutexGuard, PoisonError,
		atomic::{AtomicBool, AtomicU16, Ordering},
	},
	thread::{self, JoinHandle},
	time::{Duration, Instant},
};

/// What the validators are called, after the four of `scripts/network`.
pub const NAMES: [&str; 4] = ["north", "east", "south", "west"];

/// Their keys of the preset `local`.
const KEYS: [&str; 4] = ["--alice", "--bob", "--charlie", "--dave"];

/// Each polls its node for the newest finalised block as often. Not a measurement: what is between two looks is seen by
/// asking for the blocks by their numbers.
const LOOK: Duration = Duration::from_millis(100);

/// How the validators are started.
#[derive(Clone, Default, Debug)]
pub struct Options {
	/// In how many network namespaces of their own: all of them, or none.
	pub apart: bool,
	/// How many made-up accounts have tokens, see [`key_of`](super::key_of).
	pub accounts: usize,
	/// Options of every node besides the usual ones.
	pub node: Vec<String>,
}

/// Four validators on this machine. They end when this is dropped, and so does all that they borrowed of it.
pub struct Consortium {
	validators: Vec<Validator>,
	/// What the nodes told.
	pub history: History,
	/// Where their files are.
	folder: PathBuf,
	/// Ends those who look.
	over: Arc<AtomicBool>,
	lookers: Vec<JoinHandle<()>>,
	// After the validators, whose processes live in it.
	apart: Option<Borrowed>,
}

/// One of them.
pub struct Validator {
	name: &'static str,
	process: Option<Process>,
	base: PathBuf,
	log: PathBuf,
	host: Ipv4Addr,
	rpc_port: Arc<AtomicU16>,
	/// Held while a node is asked and its answer noted, so that no answer is noted in a later life of it.
	life: Arc<Mutex<()>>,
	/// Before the program's name: what puts it into a namespace, or before another clock.
	before: Vec<String>,
	args: Vec<String>,
}

impl Consortium {
	/// Starts four validators and waits until each has finalised a block. The error is why this machine cannot.
	pub fn start(workspace: &Workspace, options: &Options) -> Result<Self, String> {
		let folder = workspace.join("consortium");
		std::fs::create_dir_all(&folder).expect("creates its folder");
		let spec = specification(workspace, options.accounts);
		let apart = options.apart.then(|| take_namespaces(&folder)).transpose()?;
		let places = places(&folder, options.apart);
		let validators = (0..NAMES.len())
			.map(|index| Validator::new(&folder, &spec, &places, index, options))
			.collect();
		let mut consortium = Self {
			validators,
			history: History::default(),
			folder,
			over: Arc::default(),
			lookers: Vec::new(),
			apart,
		};
		consortium.start_nodes(&[0, 1, 2, 3]);
		consortium.look();

		consortium.wait_for(&NAMES, 1);
		Ok(consortium)
	}

	/// A validator.
	pub fn node(&self, index: usize) -> &Validator {
		&self.validators[index]
	}

	/// A validator that is about to be changed; it is not running.
	pub fn node_mut(&mut self, index: usize) -> &mut Validator {
		&mut self.validators[index]
	}

	/// The RPC of a validator.
	pub fn rpc(&self, index: usize) -> Rpc {
		self.validators[index].rpc()
	}

	/// Where files of the scenario can lie.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// Whether each node has a network namespace.
	pub fn is_apart(&self) -> bool {
		self.apart.is_some()
	}

	/// Starts these validators where they ended, all at once, and waits until they answer.
	///
	/// # Panics
	///
	/// If one does not start: its database is broken, or something else is.
	pub fn start_nodes(&mut self, which: &[usize]) {
		if let Err(said) = self.try_start_nodes(which) {
			panic!("{said}");
		}
	}

	/// Like [`Consortium::start_nodes`]; the error is what the node that does not start has said.
	pub fn try_start_nodes(&mut self, which: &[usize]) -> Result<(), String> {
		for index in which {
			let validator = &mut self.validators[*index];
			let _life = lock(&validator.life);
			self.history.note(Event::Started { node: validator.name.into() });
			validator.process = Some(validator.spawn());
		}
		for index in which {
			self.validators[*index].answers()?;
		}
		Ok(())
	}

	/// Kills these validators in the same instant: one process sends all the signals.
	pub fn kill(&mut self, which: &[usize]) {
		let ids = which.iter().map(|index| self.validators[*index].process().id().to_string());
		let killed = run(Path::new("/bin/kill"), ["-KILL".to_string()].into_iter().chain(ids));
		assert!(killed.status.success(), "{}", String::from_utf8_lossy(&killed.stderr));
		for index in which {
			self.validators[*index].process = None;
		}
	}

	/// Waits until these nodes tell a finalised block of this number at least, and gives how long that took.
	///
	/// # Panics
	///
	/// If that takes longer than [`PATIENCE`].
	pub fn wait_for(&self, nodes: &[&str], number: u32) -> Duration {
		let begun = Instant::now();
		loop {
			let behind = nodes.iter().find(|node| self.history.head_of(node) < Some(number));
			let Some(behind) = behind else { return begun.elapsed() };
			if begun.elapsed() > PATIENCE {
				let log = self.validators.iter().find(|it| it.name == *behind).map(Validator::tail);
				let at = self.history.head_of(behind);
				panic!(
					"{behind} is at {at:?} and not at {number}; it said:\n{}",
					log.unwrap_or_default()
				);
			}
			thread::sleep(LOOK / 2);
		}
	}

	/// Waits until these nodes have finalised so many blocks more than anybody has until now, and gives how long that took.
	pub fn wait_more(&self, nodes: &[&str], more: u32) -> Duration {
		self.wait_for(nodes, self.height() + more)
	}

	/// The number of the highest block that anybody has called final.
	pub fn height(&self) -> u32 {
		self.history.highest().map_or(0, |block| block.number)
	}

	/// Lets time pass, while those who look do.
	pub fn watch(&self, time: Duration) {
		thread::sleep(time);
	}

	/// Asks every node for every block that anybody has called final, and for its newest one; what they say is noted.
	pub fn look_back(&self) {
		let blocks = self.history.blocks();
		let Some(last) = blocks.last().copied() else { return };
		self.wait_for(&NAMES, last.number);
		for validator in &self.validators {
			for block in &blocks {
				let held = validator.rpc().block_of(block.number);
				let held = held.unwrap_or_else(|error| panic!("{}: {error}", validator.name));
				let held = held.unwrap_or(Block { number: block.number, hash: [0; 32] });
				self.history.note(Event::Holds { node: validator.name.into(), block: held });
			}
		}
	}

	/// [Looks back](Consortium::look_back) and checks everything that was told.
	///
	/// # Panics
	///
	/// If it contradicts itself.
	pub fn conclude(&self) {
		self.look_back();
		let found = self.history.check();
		assert!(
			found.is_empty(),
			"{}",
			found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
		);
	}

	/// How many lines of all logs contain one of these words, in small letters.
	pub fn count_in_logs(&self, words: &[&str]) -> usize {
		let in_log = |validator: &Validator| {
			let log = std::fs::read_to_string(&validator.log).unwrap_or_default().to_lowercase();
			log.lines().filter(|line| words.iter().any(|word| line.contains(word))).count()
		};
		self.validators.iter().map(in_log).sum()
	}

	fn look(&mut self) {
		for validator in &self.validators {
			let (name, life, port) =
				(validator.name, validator.life.clone(), validator.rpc_port.clone());
			let (host, history, over) = (validator.host, self.history.clone(), self.over.clone());
			self.lookers.push(thread::spawn(move || {
				let mut last = None;
				while !over.load(Ordering::Relaxed) {
					let life = lock(&life);
					let rpc = Rpc(SocketAddr::new(host.into(), port.load(Ordering::Relaxed)));
					if let Ok(block) = rpc.finalized()
						&& last.replace(block) != Some(block)
					{
						history.note(Event::Head { node: name.into(), block });
					}
					drop(life);
					thread::sleep(LOOK);
				}
			}));
		}
	}
}

impl Drop for Consortium {
	fn drop(&mut self) {
		self.over.store(true, Ordering::Relaxed);
		if thread::panicking() {
			for validator in &self.validators {
				eprintln!("{}:\n{}", validator.name, validator.tail());
			}
		}
		for validator in &mut self.validators {
			validator.process = None;
		}
		for looker in self.lookers.drain(..) {
			let _ = looker.join();
		}
		self.apart = None;
	}
}

impl Validator {
	fn new(
		folder: &Path,
		spec: &Path,
		places: &[SocketAddr],
		index: usize,
		options: &Options,
	) -> Self {
		let (name, place) = (NAMES[index], places[index]);
		let base = folder.join(name);
		let IpAddr::V4(host) = place.ip() else { unreachable!("places have IPv4 addresses") };
		let mut args: Vec<String> = [
			"--name",
			name,
			KEYS[index],
			"--chain",
			&spec.display().to_string(),
			"--base-path",
			&base.display().to_string(),
			"--node-key",
			&node_key(index),
			"--listen-addr",
			&listen(place),
			"--no-mdns",
			"--no-prometheus",
			"--no-telemetry",
			"--allow-private-ip",
		]
		.map(String::from)
		.to_vec();
		// The others, whom it dials again whenever it has lost them.
		args.push("--reserved-nodes".into());
		let others = (0..NAMES.len()).filter(|other| *other != index);
		args.extend(others.map(|other| format!("{}/p2p/{}", listen(places[other]), peer(other))));
		let mut before = Vec::new();
		if options.apart {
			let namespace = namespace(folder, name);
			before = ["ip", "netns", "exec", &namespace].map(String::from).to_vec();
			let open = ["--unsafe-rpc-external", "--rpc-methods", "safe", "--rpc-cors", "all"];
			args.extend(open.map(String::from));
		}
		args.extend(options.node.iter().cloned());
		Self {
			name,
			process: None,
			log: folder.join(format!("{name}.log")),
			base,
			host,
			rpc_port: Arc::new(AtomicU16::new(if options.apart { 9944 } else { 0 })),
			life: Arc::default(),
			before,
			args,
		}
	}

	/// Where it serves JSON-RPC.
	pub fn rpc(&self) -> Rpc {
		Rpc(SocketAddr::new(self.host.into(), self.rpc_port.load(Ordering::Relaxed)))
	}

	/// The address of its RPC for clients.
	pub fn url(&self) -> String {
		format!("ws://{}", self.rpc().0)
	}

	/// Where other nodes reach it.
	pub fn peer_address(&self) -> SocketAddr {
		let port = self
			.option("--listen-addr")
			.rsplit('/')
			.next()
			.and_then(|port| port.parse().ok());
		SocketAddr::new(self.host.into(), port.expect("it listens at a port"))
	}

	/// The specification of its chain.
	pub fn spec(&self) -> &Path {
		Path::new(self.option("--chain"))
	}

	/// The value of an option that it is started with.
	fn option(&self, name: &str) -> &str {
		self.args
			.iter()
			.skip_while(|arg| *arg != name)
			.nth(1)
			.expect("it has this option")
	}

	/// The folder with its chain and its keys.
	pub fn base(&self) -> &Path {
		&self.base
	}

	/// All that it said.
	pub fn log(&self) -> String {
		std::fs::read_to_string(&self.log).unwrap_or_default()
	}

	/// Its process.
	pub fn process(&self) -> &Process {
		self.process.as_ref().unwrap_or_else(|| panic!("{} runs", self.name))
	}

	/// Whether its process is there.
	pub fn runs(&self) -> bool {
		self.process.as_ref().is_some_and(Process::runs)
	}

	/// Ends its process, if it has not ended by itself.
	pub fn stop(&mut self) {
		self.process = None;
	}

	/// What is put before the program's name when it is started the next time, such as `env NAME=VALUE`; in its namespace,
	/// if it has one.
	pub fn run_under(&mut self, words: &[&str]) {
		let namespace = self.before.iter().position(|word| word == "exec").map_or(0, |at| at + 2);
		self.before.truncate(namespace);
		self.before.extend(words.iter().map(ToString::to_string));
	}

	fn spawn(&self) -> Process {
		let node = binary("dpki-node").display().to_string();
		let port = self.rpc_port.load(Ordering::Relaxed).to_string();
		let rest = [node].into_iter().chain(self.args.iter().cloned());
		let mut words = self.before.iter().cloned().chain(rest).chain(["--rpc-port".into(), port]);
		let program = words.next().expect("there is a program");
		Process::start(Path::new(&program), words, &self.log)
	}

	/// Waits until its RPC listens.
	fn answers(&self) -> Result<(), String> {
		let line = self.process().until(RPC_LISTENS);
		let line = line.map_err(|said| format!("{} does not start: {said}", self.name))?;
		let port = rpc_port(&line).unwrap_or_else(|| panic!("no IPv4 address in: {line}"));
		self.rpc_port.store(port, Ordering::Relaxed);
		Ok(())
	}

	/// The end of its log.
	fn tail(&self) -> String {
		let log = self.log();
		let lines: Vec<_> = log.lines().rev().take(12).collect();
		lines.into_iter().rev().collect::<Vec<_>>().join("\n")
	}
}

/// The chain `local` with tokens for made-up accounts.
fn specification(workspace: &Workspace, accounts: usize) -> PathBuf {
	let raw = altered_spec(workspace, "local", |genesis| endow(genesis, accounts));
	put_spec(workspace, "chain.json", &raw)
}

/// The secret by which a node is known among its peers. Not a secret: these nodes live for a minute.
fn node_key(index: usize) -> String {
	format!("{:064x}", index + 1)
}

/// What follows from [`node_key`].
fn peer(index: usize) -> &'static str {
	[
		"12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
		"12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRMuD",
		"12D3KooWSCufgHzV4fCwRijfH2k3abrpAJxTKxEvN1FDuRXA2U9x",
		"12D3KooWSsChzF81YDUKpe9Uk5AHV5oqAaXAcWNSPYgoLauUk4st",
	][index]
}

fn listen(place: SocketAddr) -> String {
	format!("/ip4/{}/tcp/{}", place.ip(), place.port())
}

/// Where the validators listen for each other.
fn places(folder: &Path, apart: bool) -> Vec<SocketAddr> {
	if apart {
		let address = |index| netns(folder, &format!("netns_address {}", index + 1));
		let parse = |text: String| text.parse().expect("an address");
		return (0..NAMES.len())
			.map(|index| SocketAddr::new(parse(address(index)), 30333))
			.collect();
	}
	NAMES.map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))).to_vec()
}

/// The functions of `scripts/network` for namespaces.
fn netns_script() -> String {
	let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lib/netns.sh");
	format!("dir=\"$1\"\n. '{}'\n", script.display())
}

/// What a function of it prints.
fn netns(folder: &Path, function: &str) -> String {
	let script = format!("{}{function}", netns_script());
	let output =
		run(Path::new("/bin/bash"), ["-c", &script, "bash", &folder.display().to_string()]);
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).expect("text").trim().into()
}

/// The network namespace of a node.
pub(super) fn namespace(folder: &Path, name: &str) -> String {
	netns(folder, &format!("netns_name {name}"))
}

/// The address of a node in its namespace.
pub(super) fn address_of(folder: &Path, index: usize) -> String {
	netns(folder, &format!("netns_address {}", index + 1))
}

/// What the names of its devices begin with.
pub(super) fn prefix(folder: &Path) -> String {
	netns(folder, "prefix")
}

fn take_namespaces(folder: &Path) -> Result<Borrowed, String> {
	let names = NAMES.join(" ");
	let up = format!("{}netns_prefix \"$dir\" >\"$dir/netns\"\nnetns_up {names}", netns_script());
	let down = format!("netns_down {names}");
	let taken = Borrowed::take(&up, &down, &[&folder.display().to_string()]);
	taken.map_err(|said| format!("no network namespaces here, they take root and iproute2: {said}"))
}

fn lock(life: &Mutex<()>) -> MutexGuard<'_, ()> {
	life.lock().unwrap_or_else(PoisonError::into_inner)
}
