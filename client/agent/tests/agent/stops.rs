//! The agent ends at each step of each applier, as by `kill -9`, and what is in force is the old state or the new one.
//!
//! Whoever listens to the steps unwinds the agent, which runs no code of it after the step. What a power failure does to
//! what was written and not yet synced is left out.

use crate::{
	appliers::{Certified, authorized, opaque, psk},
	world::*,
};
use dpki_agent::{agent::Agent, appliers::Steps};
use dpki_client::{
	Item,
	primitives::delivery::{Outcome, RefusalReason},
};
use futures::FutureExt;
use std::{
	fs,
	panic::{AssertUnwindSafe, resume_unwind},
	path::Path,
	sync::{
		Arc, Mutex,
		atomic::{AtomicUsize, Ordering},
	},
};

/// Steps to the next block with an agent that ends before the step with this number, and tells before which.
async fn stopped_at(world: &mut World, number: usize) -> Option<String> {
	let (counter, last) = (AtomicUsize::new(0), Arc::new(Mutex::new(String::new())));
	let steps = Steps::new({
		let last = last.clone();
		move |step| {
			if counter.fetch_add(1, Ordering::Relaxed) == number {
				*last.lock().unwrap() = step.to_owned();
				resume_unwind(Box::new(()));
			}
		}
	});
	let agent = Agent::open_watched(&world.config, world.keys(), clock, steps).unwrap();
	world.agent = Some(agent);
	let step = AssertUnwindSafe(world.step()).catch_unwind().await;
	world.agent = None;
	step.is_err().then(|| last.lock().unwrap().clone())
}

/// Puts delivery after delivery in force, each one stopped one step later than the one before.
async fn stop_everywhere(mut world: World, items: fn(u8) -> Vec<Item>, seen: fn(&World) -> String) {
	world.publish(1, items(1));
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	let mut stops = Vec::new();
	for number in 0.. {
		let (old, round) = (seen(&world), number as u8 + 2);
		world.publish(round.into(), items(round));
		let stopped = stopped_at(&mut world, number).await;
		let between = seen(&world);
		world.restart();
		world.step().await.unwrap();
		let new = seen(&world);
		assert_ne!(new, old, "{stopped:?}");
		assert!(between == old || between == new, "{stopped:?}: {between}");
		assert_eq!(world.verdict(), Some(Outcome::Applied), "{stopped:?}");
		let left = fs::read_dir(world.dir.path())
			.unwrap()
			.filter(|it| it.as_ref().unwrap().path().join("unsettled").exists())
			.count();
		assert_eq!(left, 0, "{stopped:?}");
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert!(stops.len() >= 5, "{stops:?}");
	assert!(stops.iter().any(|step| step.ends_with("switch")), "{stops:?}");
}

/// The same with deliveries that are refused after the switch: what is in force stays so.
async fn stop_on_the_way_back(
	mut world: World,
	good: Vec<Item>,
	bad: fn(u8) -> Vec<Item>,
	seen: fn(&World) -> String,
) {
	let before = seen(&world);
	// The first time there is nothing to go back to, later there is.
	for (first, good) in [(2, None), (100, Some(good))] {
		if let Some(items) = good {
			world.publish(first - 1, items);
			world.restart();
			world.step().await.unwrap();
			assert_eq!(world.verdict(), Some(Outcome::Applied));
			assert_ne!(seen(&world), before);
		}
		let old = seen(&world);
		let mut stops = Vec::new();
		for number in 0.. {
			let sequence = first + number as u64;
			world.publish(sequence, bad(number as u8));
			let stopped = stopped_at(&mut world, number).await;
			world.restart();
			world.step().await.unwrap();
			world.step().await.unwrap();
			assert_eq!(seen(&world), old, "{stopped:?}");
			let refused = Some(Outcome::Refused(RefusalReason::ApplyFailed));
			assert_eq!(world.verdict(), refused, "{stopped:?}");
			let Some(stopped) = stopped else { break };
			stops.push(stopped);
		}
		assert!(stops.iter().any(|step| step.ends_with("go back")), "{stops:?}");
	}
}

/// The files of the generation in force. One generation never changes, so they are read one by one.
fn files(world: &World, directory: &str) -> String {
	let Ok(current) = fs::canonicalize(world.place(directory).join("current")) else {
		return String::new();
	};
	let read = |path: &Path| String::from_utf8(fs::read(path).unwrap()).unwrap();
	let mut all: Vec<_> =
		fs::read_dir(current).unwrap().map(|it| read(&it.unwrap().path())).collect();
	all.sort();
	all.concat()
}

#[tokio::test]
async fn a_service_has_its_old_certificates_or_its_new_ones() {
	let items = |_| {
		let web = Certified::new("web.example");
		vec![web.identity("web"), web.trusted("web")]
	};
	let world = World::new().with_tls("web");
	stop_everywhere(world, items, |world| files(world, "web")).await;
}

#[tokio::test]
async fn a_broker_has_its_old_keys_or_its_new_ones() {
	let world = World::new().with_psk();
	stop_everywhere(world, |round| vec![psk("a", round)], |world| files(world, "psk")).await;
}

#[tokio::test]
async fn a_hook_has_read_the_old_data_or_the_new() {
	let items = |round| vec![opaque(&format!("map {round}"))];
	stop_everywhere(World::new().with_hook(), items, |world| world.text("maps")).await;
}

#[tokio::test]
async fn a_login_has_its_old_keys_or_its_new_ones() {
	let world = World::new().with_keys();
	fs::write(world.place("authorized_keys"), "# mine\n").unwrap();
	let items = |_| vec![authorized("root", &[(&line(&new_key()), None)])];
	let seen = |world: &World| {
		let text = world.text("authorized_keys");
		assert!(text.ends_with("# mine\n"), "{text}");
		text
	};
	stop_everywhere(world, items, seen).await;
}

#[tokio::test]
async fn sshd_has_its_old_generation_or_its_new_one() {
	let items = |round| vec![principals("root", &[&format!("ops-{round}")])];
	stop_everywhere(World::new(), items, |world| world.file("principals/root")).await;
}

#[tokio::test]
async fn what_is_refused_after_the_switch_never_stays() {
	let world = World::new().with_psk().with_hook();
	let bad = |round| vec![psk("a", round), opaque(&format!("bad {round}"))];
	let seen = |world: &World| files(world, "psk") + &world.text("maps");
	stop_on_the_way_back(world, vec![psk("a", 200), opaque("good")], bad, seen).await;
}
