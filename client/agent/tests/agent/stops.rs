//! The agent ends at each step of each applier by `kill -9`, and what is in force is the old state or the new one. Then
//! another process goes on with the same files.
//!
//! A step is every change of the disk, and whatever the agent tells others. Nobody lists the steps: each round the process
//! is killed one step later, until it comes to its end, and a test reads the sources for changes of the disk that are no
//! step. What a power failure does to what was written and not yet synced is left out.

use crate::{
	appliers::{Certified, authorized, opaque, psk},
	host_keys::{host_key, other_type},
	killed::{Work, killed_at, late_clock},
	user_keys::user_key,
	world::*,
};
use dpki_agent::{
	init,
	keys::DeviceKeys,
	lock::{Presence, StateLock, presence},
	request::{Form, plain},
	seal::{SealError, SealSettings, Vault, seal_state},
};
use dpki_client::{
	Item,
	primitives::delivery::{Outcome, RefusalReason},
};
use std::{
	fs::{self, Permissions},
	os::unix::fs::PermissionsExt,
	path::Path,
};

/// That nothing of the process that was killed keeps another one out.
pub fn assert_free(world: &World) {
	assert_eq!(presence(&world.config.state), Presence::Absent);
	drop(StateLock::acquire(&world.config.state).unwrap());
}

/// That nothing is left of what was in force before, or was to be, and no way back.
pub fn assert_clean(world: &World, stopped: Option<&str>) {
	let is_staged = |name: &str| name.starts_with('.') && name.ends_with("new");
	for path in files_below(world.dir.path()) {
		let mut names = path.strip_prefix(world.dir.path()).unwrap().iter();
		let is_left = names.any(|name| name == "unsettled" || is_staged(&name.to_string_lossy()));
		assert!(!is_left, "{stopped:?}: {}", path.display());
	}
	let hook = world.config.state.join("hooks/maps");
	for place in ["web", "psk", "keys"].map(|it| world.place(it)).into_iter().chain([hook]) {
		assert!(!place.join(".current.new").is_symlink(), "{stopped:?}: {}", place.display());
		let Ok(generations) = fs::read_dir(place.join("generations")) else { continue };
		assert!(generations.count() <= 1, "{stopped:?}: {}", place.display());
	}
}

/// That it was stopped often, and where it matters.
pub fn assert_thorough(stops: &[String], least: usize, steps: &[&str]) {
	assert!(stops.len() >= least, "{stops:?}");
	for step in steps {
		assert!(stops.iter().any(|stop| stop.contains(step)), "{step}: {stops:?}");
	}
}

/// Puts delivery after delivery in force, each one stopped one step later than the one before.
async fn stop_everywhere(
	mut world: World,
	items: fn(u8) -> Vec<Item>,
	seen: fn(&World) -> String,
) -> Vec<String> {
	world.publish(1, items(1));
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	let mut stops = Vec::new();
	for number in 0.. {
		let (old, round) = (seen(&world), number as u8 + 2);
		world.publish(number as u64 + 2, items(round));
		let stopped = killed_at(&mut world, Work::Converge, number);
		let between = seen(&world);
		assert_free(&world);
		world.restart();
		world.step().await.unwrap();
		let new = seen(&world);
		assert_ne!(new, old, "{stopped:?}");
		assert!(between == old || between == new, "{stopped:?}: {between}");
		assert_eq!(world.verdict(), Some(Outcome::Applied), "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 15, &["journal: save", "switch", "disk: write", "disk: replace"]);
	stops
}

/// The same with deliveries that are refused after the switch: what is in force stays so, if anything is.
async fn stop_on_the_way_back(
	mut world: World,
	good: Option<Vec<Item>>,
	bad: fn(u8) -> Vec<Item>,
	seen: fn(&World) -> String,
) {
	if let Some(items) = good {
		world.publish(1, items);
		world.step().await.unwrap();
		assert_eq!(world.verdict(), Some(Outcome::Applied));
	}
	let old = seen(&world);
	let mut stops = Vec::new();
	for number in 0.. {
		world.publish(number as u64 + 2, bad(number as u8));
		let stopped = killed_at(&mut world, Work::Converge, number);
		assert_free(&world);
		world.restart();
		world.step().await.unwrap();
		world.step().await.unwrap();
		assert_eq!(seen(&world), old, "{stopped:?}");
		let refused = Some(Outcome::Refused(RefusalReason::ApplyFailed));
		assert_eq!(world.verdict(), refused, "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 15, &["go back", "switch"]);
}

/// The files of the generation in force. One generation never changes, so they are read one by one.
fn files(world: &World, directory: &str) -> String {
	let Ok(current) = fs::canonicalize(world.place(directory).join("current")) else {
		return String::new();
	};
	let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
	let mut all: Vec<_> = files_below(&current).iter().map(|path| read(path)).collect();
	all.sort();
	all.concat()
}

#[tokio::test]
async fn a_service_has_its_old_certificates_or_its_new_ones() {
	let items = |_| {
		let (web, root) = (Certified::new("web.example"), Certified::authority("root"));
		let certificates = vec![web.der.clone(), root.der.clone()];
		let trusted = Item::TrustBundle { name: "web".into(), certificates };
		let lists = Item::RevocationLists { name: "web".into(), lists: vec![root.list(1)] };
		vec![web.identity("web"), trusted, lists]
	};
	let world = World::new().with_tls("web");
	let stops = stop_everywhere(world, items, |world| files(world, "web")).await;
	assert_thorough(&stops, 30, &["/key.pem", "/trust.pem", "/crl.pem", "tls web: tell"]);
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
	let stops = stop_everywhere(world, items, seen).await;
	assert_thorough(&stops, 20, &["replace /", "/authorized_keys", "/heard"]);
}

#[tokio::test]
async fn sshd_has_its_old_generation_or_its_new_one() {
	let items = |round| vec![principals("root", &[&format!("ops-{round}")])];
	let stops = stop_everywhere(World::new(), items, |world| files(world, "ssh")).await;
	assert_thorough(&stops, 30, &["ssh: prune", "/revoked_keys", "/principals/root"]);
}

#[tokio::test]
async fn sshd_has_its_old_host_key_or_its_new_one() {
	let seen = |world: &World| {
		let told = world.told_host_keys();
		for path in &told {
			assert!(Path::new(path).exists(), "sshd is told of a key that is there: {told:?}");
		}
		told.concat()
	};
	let world = World::new().with_host_key();
	stop_everywhere(world, |_| vec![host_key(&other_type())], seen).await;
}

#[tokio::test]
async fn a_user_has_its_old_key_or_its_new_one() {
	let items = |_| vec![user_key(&new_key(), None)];
	stop_everywhere(World::new().with_user_key(), items, |world| world.text("home/id_dpki")).await;
}

#[tokio::test]
async fn a_key_that_is_taken_away_after_a_crash_leaves_nothing_with_its_user() {
	let mut world = World::new().with_user_key();
	let mut stops = Vec::new();
	for number in 0.. {
		let sequence = 2 * number as u64 + 1;
		world.publish(sequence, vec![user_key(&new_key(), None)]);
		let stopped = killed_at(&mut world, Work::Converge, number);
		world.restart();
		world.publish(sequence + 1, vec![]);
		world.step().await.unwrap();
		world.step().await.unwrap();
		assert_eq!(world.verdict(), Some(Outcome::Applied), "{stopped:?}");
		assert!(files_below(&world.place("home")).is_empty(), "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 15, &["write the one beside", "/id_dpki"]);
}

#[tokio::test]
async fn keys_that_are_refused_after_the_switch_never_stay() {
	let mut world = World::new().with_user_key().with_host_key();
	// sshd cannot be told as long as there are principals for this login.
	let script = world.place("reload");
	let bad = world.current().join("principals/bad");
	write_script(&script, &format!("#!/bin/sh\n[ ! -e {} ]\n", bad.display()));
	world.config.ssh.reload = vec![script.display().to_string()];
	world.restart();
	let good = vec![user_key(&new_key(), None), host_key(&other_type())];
	let bad = |_: u8| {
		let keys = [user_key(&new_key(), None), host_key(&other_type())];
		[keys.to_vec(), vec![principals("bad", &["ops"])]].concat()
	};
	let seen = |world: &World| {
		assert!(world.host_keys().len() <= 1, "no other key is left");
		world.told_host_keys().concat() + &world.text("home/id_dpki")
	};
	stop_on_the_way_back(world, Some(good), bad, seen).await;
}

/// A hook refuses what a broker has already.
async fn stop_before_a_refusal(good: Option<Vec<Item>>) {
	let bad = |round| vec![psk("a", round), opaque(&format!("bad {round}"))];
	let seen = |world: &World| files(world, "psk") + &world.text("maps");
	stop_on_the_way_back(World::new().with_psk().with_hook(), good, bad, seen).await;
}

#[tokio::test]
async fn what_is_refused_after_the_switch_never_stays() {
	stop_before_a_refusal(Some(vec![psk("a", 200), opaque("good")])).await;
}

#[tokio::test]
async fn what_is_refused_first_of_all_never_stays_either() {
	stop_before_a_refusal(None).await;
}

#[tokio::test]
async fn peers_are_believed_or_nobody_is() {
	let web = Certified::new("web.example");
	let items = vec![psk("a", 1), web.identity("web"), web.trusted("web")];
	let mut world = World::new().with_psk().with_tls("web");
	let seen = |world: &World| [files(world, "psk"), files(world, "web")];
	let mut stops = Vec::new();
	for number in 0.. {
		world.publish(number as u64 + 1, items.clone());
		world.restart();
		world.step().await.unwrap();
		let open = seen(&world);
		let stopped = killed_at(&mut world, Work::Lapse, number);
		let between = seen(&world);
		assert_free(&world);
		world.restart_at(late_clock);
		assert!(world.agent().lapse().is_err());
		world.agent().tell_services().await;
		let closed = seen(&world);
		for ((between, open), closed) in between.iter().zip(&open).zip(&closed) {
			assert_ne!(open, closed);
			assert!(between == open || between == closed, "{stopped:?}: {between}");
		}
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 20, &["psk: switch", "tls web: switch", "psk: tell", "tls web: tell"]);
}

fn seal_key(world: &World) -> SealSettings {
	let path = world.place("seal.key");
	fs::write(&path, [0x5e; 32]).unwrap();
	fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
	SealSettings::KeyFile(path)
}

/// Whether a key of [`psk`] is in it, which is one byte 32 times, as it is or in digits.
fn shows_key(bytes: &[u8]) -> bool {
	let is_key =
		|found: &[u8], period: usize| found.iter().zip(&found[period..]).all(|(a, b)| a == b);
	let plain = bytes.windows(32).any(|found| found[0] != 0 && is_key(found, 1));
	plain || bytes.windows(64).any(|found| found[0].is_ascii_hexdigit() && is_key(found, 2))
}

#[test]
fn a_key_would_be_found() {
	let digits = "0a".repeat(32);
	for text in [&[&b"a:"[..], &[9; 32]].concat(), format!("a:{digits}\n").as_bytes()] {
		assert!(shows_key(text));
	}
	assert!(!shows_key(&[0; 64]) && !shows_key(&[&[9; 31][..], b"x", &[9; 31]].concat()));
}

#[tokio::test]
async fn a_sealed_device_shows_no_secret_wherever_it_was_stopped() {
	let mut world = World::new().with_psk();
	world.agent = None;
	world.config.service.seal = Some(seal_key(&world));
	assert!(seal_state(&world.config).await.unwrap());
	world.vault = Vault::of(&world.config).await.unwrap();
	world.restart();
	let seen = |world: &World| {
		for path in files_below(&world.config.state) {
			assert!(!shows_key(&fs::read(&path).unwrap()), "{}", path.display());
		}
		files(world, "psk")
	};
	stop_everywhere(world, |round| vec![psk("a", round)], seen).await;
}

#[tokio::test]
async fn a_state_is_open_or_sealed_and_lost_never() {
	let mut stops = Vec::new();
	for number in 0.. {
		let mut world = World::new().with_psk();
		world.publish(1, vec![psk("a", 7)]);
		world.step().await.unwrap();
		let keys = world.keys().fingerprints();
		world.config.service.seal = Some(seal_key(&world));
		let stopped = killed_at(&mut world, Work::Seal, number);
		assert_free(&world);
		let between = match Vault::of(&world.config).await {
			Err(SealError::NotSealed(_)) => Vault::open_state(&world.config.state),
			vault => vault.unwrap(),
		};
		assert_eq!(DeviceKeys::load(&between).unwrap().fingerprints(), keys, "{stopped:?}");
		assert_eq!(seal_state(&world.config).await.unwrap(), stopped.is_some(), "{stopped:?}");
		world.vault = Vault::of(&world.config).await.unwrap();
		assert_eq!(world.keys().fingerprints(), keys, "{stopped:?}");
		assert_eq!(world.verdict(), Some(Outcome::Applied), "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		for path in files_below(&world.config.state) {
			assert!(!shows_key(&fs::read(&path).unwrap()), "{stopped:?}: {}", path.display());
		}
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 20, &["/signing.key", "/journal", "link", "overwrite", "/sealed"]);
}

#[tokio::test]
async fn the_key_of_a_service_is_whole_or_not_there() {
	let mut world = World::new().with_tls("web");
	let mut stops = Vec::new();
	for number in 0.. {
		let stopped = killed_at(&mut world, Work::Request, number);
		let directory = world.config.state.join("tls/web");
		let before = fs::read(directory.join("0.key")).ok();
		let names = vec!["web.example".into()];
		let made = plain(&world.config, "web", names, Form::Request).unwrap();
		let key = fs::read(&made.key).unwrap();
		assert!(before.is_none_or(|before| before == key), "{stopped:?}: one key");
		assert_eq!(files_below(&directory), [made.key], "{stopped:?}");
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
		fs::remove_dir_all(world.config.state.join("tls")).unwrap();
	}
	assert_thorough(&stops, 6, &["create", "write", "link", "remove"]);
}

#[tokio::test]
async fn a_device_whose_making_was_stopped_is_made_by_the_next_try() {
	let mut stops = Vec::new();
	for number in 0.. {
		let mut world = World::new();
		world.agent = None;
		for place in [&world.config.state, &world.config.ssh.directory] {
			fs::remove_dir_all(place).unwrap();
		}
		let stopped = killed_at(&mut world, Work::Init, number);
		let before = DeviceKeys::load(&world.vault).ok().map(|keys| keys.fingerprints());
		let made = init::make(&world.place("new.toml"), world.config.clone(), None).unwrap();
		assert_eq!(made.config, world.config);
		assert!(before.is_none_or(|before| before == made.keys), "{stopped:?}: the same keys");
		world.restart();
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 30, &["/signing.key", "/agreement.key", "/host_key", "/new.toml"]);
}

/// Where the agent may change the disk by itself, and why none of it has to be a step.
const BY_THEMSELVES: [(&str, &str); 4] = [
	("files.rs", "makes the steps"),
	("appliers/place.rs", "goes where no path may lead, and makes its steps"),
	("lock.rs", "what is in the file means nothing"),
	("service/api.rs", "a socket, which every start makes anew"),
];

#[test]
fn every_change_of_the_disk_is_a_step() {
	let changes = [
		"fs::write(",
		"fs::rename(",
		"fs::remove_",
		"fs::create_dir",
		"fs::hard_link(",
		"fs::copy(",
		"fs::set_permissions(",
		"symlink(",
		"chown(",
		"create_new(true)",
		"File::create(",
		"set_len(",
		"unlinkat(",
		"renameat(",
	];
	let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
	let mut own = Vec::new();
	for path in files_below(&sources) {
		let name = path.strip_prefix(&sources).unwrap().display().to_string();
		let text = fs::read_to_string(&path).unwrap();
		let code = text.split("mod tests {").next().unwrap();
		let changed = changes.iter().filter(|change| code.contains(**change));
		if !name.ends_with("tests.rs") && changed.count() > 0 {
			own.push(name);
		}
	}
	own.sort();
	let mut known = BY_THEMSELVES.map(|(name, _)| name.to_owned());
	known.sort();
	assert_eq!(own, known, "change the disk by the functions of `files`, which make steps");
}
