//! The process that is killed: this program once more, which is told by variables what it has to do, on which files, and
//! before which of its steps it ends itself by SIGKILL. No code of it runs after that, and the kernel takes its locks back.

use crate::world::*;
use codec::{DecodeAll, Encode};
use dpki_agent::{
	agent::Agent,
	config::Config,
	init,
	keys::DeviceKeys,
	lock::StateLock,
	request::{Form, plain},
	run::converge,
	seal::{Vault, seal_state},
	steps::{self, Steps},
};
use dpki_client::primitives::{Moment, delivery::DeliveryRecord};
use std::{
	env, fs,
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
	/// The newest delivery is put in force.
	Converge,
	/// The chain is not heard any more.
	Lapse,
	/// The state is sealed.
	Seal,
	/// A CA is asked for a certificate of the service `web`.
	Request,
	/// The keys of a new device are made.
	Init,
}

impl Work {
	const ALL: [Self; 5] = [Self::Converge, Self::Lapse, Self::Seal, Self::Request, Self::Init];
}

/// Long after the newest block.
pub fn late_clock() -> Moment {
	NOW + 10 * 24 * 3_600_000
}

/// What the process knows of the chain.
type News = (u32, Moment, Option<(DeliveryRecord, Vec<u8>)>);

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
	let delivery = world.chain.delivery.clone().map(|record| {
		let blob = world.blobs.0.lock().unwrap()[&record.digest].clone();
		(record, blob)
	});
	let news: News = (world.chain.head.number, world.chain.head.time, delivery);
	fs::write(place.config(), world.config.to_toml()).unwrap();
	fs::write(place.news(), news.encode()).unwrap();
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
	last
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
	let (counter, path) = (Arc::new(AtomicUsize::new(0)), place.last());
	let steps = Steps::new(move |step| {
		if counter.fetch_add(1, Ordering::Relaxed) == last {
			fs::write(&path, step).unwrap();
			die();
		}
	});
	steps::watch_disk(steps.clone());
	match work {
		Work::Converge | Work::Lapse => run(place, &config, work, steps).await,
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
	let (number, time, delivery) = News::decode_all(&mut news.as_slice()).unwrap();
	let (mut chain, blobs) = (FakeChain::of(config), FakeBlobs::default());
	(chain.head.number, chain.head.time) = (number, time);
	if let Some((record, blob)) = delivery {
		blobs.0.lock().unwrap().insert(record.digest, blob);
		chain.delivery = Some(record);
	}
	let vault = Vault::of(config).await.unwrap();
	let _lock = StateLock::acquire(&config.state).unwrap();
	let keys = DeviceKeys::load(&vault).unwrap();
	let clock = if work == Work::Lapse { late_clock } else { clock };
	let mut agent = Agent::open_watched(config, keys, clock, steps).unwrap();
	let result = if work == Work::Lapse {
		let lapsed = agent.lapse();
		agent.tell_services().await;
		assert!(lapsed.is_err(), "the chain was not heard");
		Ok(())
	} else {
		converge(&mut agent, &chain, &blobs).await
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
