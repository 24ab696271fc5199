//! The process that is killed: this program once more, which is told by variables what it has to do, on which files, and
//! before which of its steps it ends itself by SIGKILL. No code of it runs after that, and the kernel takes its locks back.

use crate::{
	temporary::{a_day_before, after_six_minutes},
	world::*,
};
use codec::{Decode, DecodeAll, Encode};
use dpki_agent::{
	agent::Agent,
	config::Config,
	early::Early,
	init,
	keys::DeviceKeys,
	lock::StateLock,
	request::{Form, plain},
	rotation,
	run::converge,
	seal::{Vault, seal_state},
	steps::{self, Steps},
};
use dpki_client::primitives::{
	Moment,
	anchor::AnchorRecord,
	delivery::DeliveryRecord,
	ids::{AnchorId, KeyId},
	key::KeyRecord,
	revocation::SshRevocation,
};
use rustix::io::{FdFlags, fcntl_setfd};
use std::{
	env,
	fs::{self, File},
	os::unix::process::ExitStatusExt,
	path::PathBuf,
	process::Command,
	sync::{
		Arc,
		atomic::{AtomicUsize, Ordering},
	},
};

/// Where the process finds what it has to do. Not set for any other.
const PLACE: &str = "DPKI_AGENT_STOPS_PLACE";
/// What that is.
const WORK: &str = "DPKI_AGENT_STOPS_WORK";
/// Before which step it ends itself, from 0 on.
const LAST: &str = "DPKI_AGENT_STOPS_LAST";

/// More steps than anything has.
const ENOUGH: usize = 500;

/// What the process that is killed has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
	/// The newest block is acted on: what it revokes is taken away, and the newest delivery is put in force.
	Converge,
	/// The chain is not heard any more.
	Lapse,
	/// The chain is not heard, and six minutes have passed.
	Expire,
	/// What has ended is taken away before anything else, by a clock that is a day behind.
	Early,
	/// Keys are made that are to follow those that open deliveries.
	Rotate,
	/// The state is sealed.
	Seal,
	/// A CA is asked for a certificate of the service `web`.
	Request,
	/// The keys of a new device are made.
	Init,
}

impl Work {
	const ALL: [Self; 8] = [
		Self::Converge,
		Self::Lapse,
		Self::Expire,
		Self::Early,
		Self::Rotate,
		Self::Seal,
		Self::Request,
		Self::Init,
	];
}

/// Long after the newest block.
pub fn late_clock() -> Moment {
	NOW + 10 * 24 * 3_600_000
}

/// What the process knows of the chain.
#[derive(Encode, Decode)]
struct News {
	number: u32,
	time: Moment,
	delivery: Option<(DeliveryRecord, Vec<u8>)>,
	keys: Vec<(KeyId, KeyRecord)>,
	anchors: Vec<(AnchorId, (AnchorRecord, Vec<u8>))>,
	revocations: Vec<(AnchorId, Vec<SshRevocation>)>,
}

impl News {
	fn of(world: &World) -> Self {
		let chain = &world.chain;
		let blob = |record: DeliveryRecord| {
			let blob = world.blobs.0.lock().unwrap()[&record.digest].clone();
			(record, blob)
		};
		Self {
			number: chain.head.number,
			time: chain.head.time,
			delivery: chain.delivery.clone().map(blob),
			keys: chain.keys.clone().into_iter().collect(),
			anchors: chain.anchors.clone().into_iter().collect(),
			revocations: chain.revocations.clone().into_iter().collect(),
		}
	}

	fn tell(self, chain: &mut FakeChain, blobs: &FakeBlobs) {
		(chain.head.number, chain.head.time) = (self.number, self.time);
		chain.keys = self.keys.into_iter().collect();
		chain.anchors = self.anchors.into_iter().collect();
		chain.revocations = self.revocations.into_iter().collect();
		if let Some((record, blob)) = self.delivery {
			blobs.0.lock().unwrap().insert(record.digest, blob);
			chain.delivery = Some(record);
		}
	}
}

/// Where things lie for the process.
struct Place(PathBuf);

impl Place {
	fn config(&self) -> PathBuf {
		self.0.join("stops.toml")
	}

	fn news(&self) -> PathBuf {
		self.0.join("stops.news")
	}

	fn last(&self) -> PathBuf {
		self.0.join("stops.last")
	}

	fn held(&self) -> PathBuf {
		self.0.join("stops.held")
	}
}

/// Has a process do this on the files of this world, killed before the step with this number; tells before which. `None` if
/// it came to its end.
pub fn killed_at(world: &mut World, work: Work, number: usize) -> Option<String> {
	assert!(number < ENOUGH, "it goes on for ever");
	world.agent = None;
	if work == Work::Converge {
		world.chain.head.number += 1;
		world.chain.head.time += 1000;
	}
	let place = Place(world.dir.path().into());
	fs::write(place.config(), world.config.to_toml()).unwrap();
	fs::write(place.news(), News::of(world).encode()).unwrap();
	let _ = fs::remove_file(place.last());
	let ended = Command::new(env::current_exe().unwrap())
		.args(["--exact", "killed::a_process_that_nobody_kills_comes_to_its_end", "--nocapture"])
		.env(PLACE, &place.0)
		.env(WORK, format!("{work:?}"))
		.env(LAST, number.to_string())
		.output()
		.unwrap();
	let last = fs::read_to_string(place.last()).ok();
	assert_eq!(ended.status.signal(), last.as_ref().map(|_| 9), "{last:?}: {ended:?}");
	assert!(last.is_some() || ended.status.success(), "{ended:?}");
	// A command that was at work goes on with it.
	File::open(place.held()).unwrap().lock().unwrap();
	last
}

/// A lock that this process has, and every command that it starts: none of them closes the file. It is given back with
/// the end of the last of them.
fn hold(place: &Place) -> File {
	let file = File::create(place.held()).unwrap();
	file.lock().unwrap();
	fcntl_setfd(&file, FdFlags::empty()).unwrap();
	file
}

/// Ends this process as `kill -9` does.
fn die() -> ! {
	let killed = Command::new("/bin/sh").args(["-c", "kill -9 $PPID"]).status();
	unreachable!("it is killed: {killed:?}");
}

async fn work(place: &Place, work: &str, last: usize) {
	let work = Work::ALL.into_iter().find(|it| format!("{it:?}") == work).unwrap();
	let text = fs::read_to_string(place.config()).unwrap();
	let config = Config::parse(&text, &place.config()).unwrap();
	let _held = hold(place);
	let (counter, path) = (Arc::new(AtomicUsize::new(0)), place.last());
	let steps = Steps::new(move |step| {
		if counter.fetch_add(1, Ordering::Relaxed) == last {
			fs::write(&path, step).unwrap();
			die();
		}
	});
	steps::watch_process(steps.clone());
	match work {
		Work::Converge | Work::Lapse | Work::Expire => run(place, &config, work, steps).await,
		Work::Early => {
			Early::begin(&config).unwrap().take_away(a_day_before()).unwrap();
		},
		Work::Rotate => {
			let vault = Vault::of(&config).await.unwrap();
			rotation::begin(&vault).unwrap();
			rotation::begin_hybrid(&vault).unwrap();
		},
		Work::Seal => assert!(seal_state(&config).await.unwrap()),
		Work::Request => {
			plain(&config, "web", vec!["web.example".into()], Form::Request).unwrap();
		},
		Work::Init => {
			init::make(&place.0.join("new.toml"), config, None).unwrap();
		},
	}
}

/// As the daemon does it with one block.
async fn run(place: &Place, config: &Config, work: Work, steps: Steps) {
	let news = fs::read(place.news()).unwrap();
	let (mut chain, blobs) = (FakeChain::of(config), FakeBlobs::default());
	News::decode_all(&mut news.as_slice()).unwrap().tell(&mut chain, &blobs);
	let vault = Vault::of(config).await.unwrap();
	let _lock = StateLock::acquire(&config.state).unwrap();
	let keys = DeviceKeys::load(&vault).unwrap();
	let clock = match work {
		Work::Lapse => late_clock,
		Work::Expire => after_six_minutes,
		_ => clock,
	};
	let mut agent = Agent::open_watched(config, keys, clock, steps).unwrap();
	let result = if work == Work::Converge {
		converge(&mut agent, &chain, &blobs).await
	} else {
		let lapsed = agent.lapse();
		agent.tell_services().await;
		assert_eq!(lapsed.is_err(), work == Work::Lapse, "{lapsed:?}");
		Ok(())
	};
	agent.report(result.as_ref().err().map(ToString::to_string));
	result.unwrap();
}

/// Without the variables it is any test; with them it is the process that is killed.
#[tokio::test]
async fn a_process_that_nobody_kills_comes_to_its_end() {
	if let Some(place) = env::var_os(PLACE) {
		let last = env::var(LAST).unwrap().parse().unwrap();
		return work(&Place(place.into()), &env::var(WORK).unwrap(), last).await;
	}
	let mut world = World::new();
	world.publish(1, vec![principals("root", &["ops"])]);
	assert_eq!(killed_at(&mut world, Work::Converge, ENOUGH - 1), None);
	assert_eq!(world.file("principals/root"), "ops\n");
}
