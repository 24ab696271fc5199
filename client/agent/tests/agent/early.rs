//! What has ended is taken away before anything else: without the chain, without a key, whatever the clock shows.

use crate::{
	appliers::{authorized, psk},
	commands::{agent, assert_fails},
	killed::{Work, killed_at},
	stops::assert_thorough,
	temporary::*,
	world::*,
};
use dpki_agent::{
	early::{Early, Taken},
	lock::{LockError, StateLock},
	run::{RunError, run},
	seal::SealSettings,
};
use dpki_client::{
	Item, access,
	primitives::{Moment, anchor::AnchorKind, ids::CertificateId},
	ssh::from_public_key,
};
use std::{fs, process::Command};

/// The grant of the plain key; the other one is of a principal.
const GRANT_OF_KEY: CertificateId = CertificateId([6; 32]);

/// What the owner has written into `authorized_keys`.
const OWN: &str = "ssh-ed25519 AAAA owner\n";

/// A device on which two grants of five minutes are in force, one of a principal and one of a plain key, beside access
/// that stays.
async fn granted_world() -> (World, Ca) {
	let mut world = World::new().with_keys();
	fs::write(world.place("authorized_keys"), OWN).unwrap();
	let ca = world.register(AnchorKind::SshUserCa);
	grant(&mut world);
	let record = world.chain.certificates[&GRANT].clone();
	world.chain.certificates.insert(GRANT_OF_KEY, record);
	let key = Item::SshTemporaryKey { login: "root".into(), grant: GRANT_OF_KEY, until: END };
	let standing = authorized("root", &[(&line(&new_key()), None)]);
	let items = vec![user_ca(&ca), principals("root", &["admin"]), temporary(END), standing, key];
	world.publish(1, items);
	world.step().await.unwrap();
	assert_eq!(is_open(&world), [true; 3]);
	world.agent = None;
	(world, ca)
}

/// Whether the grants open the login: by the principal, by the block, by the list from which sshd is answered.
fn is_open(world: &World) -> [bool; 3] {
	let (record, _) = &world.chain.certificates[&GRANT];
	let key = from_public_key(&record.key).unwrap().to_openssh().unwrap();
	let by_key = ["authorized_keys", "keys/current/keys"]
		.map(|place| world.text(place).contains(key.trim()));
	let by_principal = world.file("principals/root").contains(&access::principal(GRANT));
	[by_principal, by_key[0], by_key[1]]
}

fn assert_over(world: &World) {
	assert_eq!(is_open(world), [false; 3]);
	assert_eq!(world.file("principals/root"), "admin\n", "what has no end stays");
	let keys = world.text("authorized_keys");
	assert!(keys.lines().any(|line| line.starts_with("ssh-ed25519 ")) && keys.ends_with(OWN));
	assert!(!keys.contains("expiry-time"), "{keys}");
}

fn take_away(world: &World, clock: Moment) -> Taken {
	Early::begin(&world.config).unwrap().take_away(clock).unwrap()
}

#[tokio::test]
async fn after_a_start_of_the_system_what_is_temporary_is_over_before_anything_else() {
	let (mut world, ca) = granted_world().await;
	reboot(&world);
	let taken = take_away(&world, a_day_before());
	assert!(!taken.is_certain && !taken.are_logins_closed && taken.generation.is_some());
	assert_over(&world);
	assert!(world.trusts(&ca), "whoever has standing access has it");
	assert_eq!(take_away(&world, a_day_before()).generation, None, "there is nothing more to do");

	world.restart_at(a_day_before);
	world.step().await.unwrap();
	assert_eq!(is_open(&world), [true; 3], "the chain was heard, and the grants are good");
}

#[tokio::test]
async fn without_a_start_of_the_system_it_ends_by_the_clock_that_nobody_sets() {
	let (world, _) = granted_world().await;
	let_pass(&world, 4 * MINUTE);
	let taken = take_away(&world, a_day_before());
	assert_eq!((taken.is_certain, taken.generation), (true, None));
	assert_eq!(is_open(&world), [true; 3]);
	let_pass(&world, 2 * MINUTE);
	take_away(&world, a_day_before());
	assert_over(&world);
}

#[tokio::test]
async fn what_is_over_by_the_clock_is_over() {
	let (world, ca) = granted_world().await;
	take_away(&world, after_six_minutes());
	assert_over(&world);
	assert!(world.trusts(&ca));
}

#[tokio::test]
async fn without_a_word_of_when_the_chain_was_heard_nobody_logs_in_by_what_it_says() {
	let (world, ca) = granted_world().await;
	for file in ["chain-time", "chain-time-since-start", "enforced-time"] {
		fs::write(world.config.state.join(file), "damaged").unwrap();
	}
	let taken = take_away(&world, a_day_before());
	assert!(!taken.is_certain && taken.are_logins_closed);
	assert!(!world.trusts(&ca));
	assert_eq!(is_open(&world), [false; 3]);
	assert_eq!(world.text("authorized_keys"), OWN, "the owner gets in");
}

/// The process itself, whose clock is a day behind: by it everything would be good for long.
fn run_a_day_before(world: &World) -> std::process::Output {
	let config = world.place("early.toml");
	fs::write(&config, world.config.to_toml()).unwrap();
	Command::new(env!("CARGO_BIN_EXE_dpki-agent"))
		.args(["run", "--once", "--timeout", "5", "--log", "error", "--config"])
		.arg(&config)
		.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1")
		.env("FAKETIME", "@2026-09-20 14:13:20")
		.env("DONT_FAKE_MONOTONIC", "1")
		.env("TZ", "UTC")
		.output()
		.unwrap()
}

#[tokio::test]
async fn neither_a_missing_key_nor_a_damaged_journal_keeps_what_has_ended() {
	type Harm = fn(&mut World);
	let harms: [(Harm, &str); 4] = [
		(
			|world| {
				world.config.service.seal = Some(SealSettings::KeyFile(world.place("no.key")));
				fs::write(world.config.state.join("sealed"), "sealed").unwrap();
			},
			"no.key",
		),
		(
			|world| {
				world.config.service.seal =
					Some(SealSettings::Command(vec!["/bin/false".to_owned()]));
				fs::write(world.config.state.join("sealed"), "sealed").unwrap();
			},
			"/bin/false",
		),
		(|world| fs::write(world.config.state.join("journal"), "damaged").unwrap(), "is damaged"),
		(|world| fs::remove_file(world.config.state.join("signing.key")).unwrap(), "signing.key"),
	];
	for (harm, words) in harms {
		let (mut world, ca) = granted_world().await;
		harm(&mut world);
		reboot(&world);
		let ended = run_a_day_before(&world);
		let said = String::from_utf8_lossy(&ended.stderr);
		assert!(ended.status.code() == Some(1) && said.contains(words), "{said}");
		assert_over(&world);
		assert!(world.trusts(&ca), "what stays is good for as long as the chain may be silent");

		// And however long it goes on, it is not believed for ever.
		let long = Early::begin(&world.config).unwrap().take_away(NOW + 48 * 60 * MINUTE);
		assert!(long.unwrap().are_logins_closed && !world.trusts(&ca), "{words}");
	}
}

#[tokio::test]
async fn peers_are_believed_no_longer_than_they_may_be_though_the_journal_is_damaged() {
	let mut world = World::new().with_psk();
	world.publish(1, vec![psk("a", 1)]);
	world.step().await.unwrap();
	world.agent = None;
	assert!(world.text("psk/current/psk_file").contains('a'));
	let told = world.told("psk.told");
	fs::write(world.config.state.join("journal"), "damaged").unwrap();
	// By the clock of this machine two days have passed.
	let ended = run(&world.config, std::future::pending()).await;
	assert!(matches!(ended, Err(RunError::Open(_))), "{ended:?}");
	assert_eq!(world.text("psk/current/psk_file"), "");
	assert_eq!(world.told("psk.told"), told + 1);
}

#[tokio::test]
async fn one_login_that_cannot_be_closed_keeps_no_other_open() {
	let (world, _) = granted_world().await;
	let broken = world.text("authorized_keys").replace("# END dpki-agent", "");
	fs::write(world.place("authorized_keys"), &broken).unwrap();
	reboot(&world);
	let taken = Early::begin(&world.config).unwrap().take_away(a_day_before());
	assert!(taken.is_err_and(|error| error.to_string().contains("broken block")));
	assert_eq!(is_open(&world), [false, true, false], "whose the lines are would be a guess");
	assert_eq!(world.text("authorized_keys"), broken);
}

#[tokio::test]
async fn a_directory_that_nobody_made_is_not_made() {
	let mut world = World::new().with_keys();
	world.agent = None;
	for place in [&world.config.state, &world.config.ssh.directory, &world.place("keys")] {
		fs::remove_dir_all(place).unwrap();
	}
	let taken = take_away(&world, NOW);
	assert!(taken.are_logins_closed && taken.generation.is_none());
	for place in [&world.config.state, &world.config.ssh.directory, &world.place("keys")] {
		assert!(!place.exists(), "{}", place.display());
	}
}

#[tokio::test]
async fn an_agent_that_runs_is_left_alone() {
	let (world, _) = granted_world().await;
	reboot(&world);
	let config = world.place("early.toml");
	fs::write(&config, world.config.to_toml()).unwrap();
	let config = config.display().to_string();
	let lapse = || agent(&["lapse", "--config", &config, "--json"]);
	let told = |output: std::process::Output| {
		assert!(output.status.success(), "{output:?}");
		serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
	};
	let lock = StateLock::acquire(&world.config.state).unwrap();
	assert!(matches!(Early::begin(&world.config), Err(LockError::Held { .. })));
	assert_eq!(told(lapse())["running"], true);
	assert_eq!(is_open(&world), [true; 3]);
	drop(lock);
	let json = told(lapse());
	assert_eq!((&json["running"], &json["certain"]), (&false.into(), &false.into()), "{json}");
	// By the clock of this machine the chain was not heard for too long as well.
	assert!(json["logins_closed"] == true && json["generation"].is_u64(), "{json}");
	assert_eq!(world.text("authorized_keys"), OWN);
	fs::write(&config, "organisation = 1").unwrap();
	assert_fails(&agent(&["lapse", "--config", &config]), "line 1");
}

/// Whatever of it was done before it was killed, it is done by the next start of the system or of the agent.
#[tokio::test]
async fn it_is_done_by_the_next_try_wherever_it_was_killed() {
	let mut stops = Vec::new();
	for number in 0.. {
		let (mut world, ca) = granted_world().await;
		reboot(&world);
		let stopped = killed_at(&mut world, Work::Early, number);
		let principals = world.file("principals/root");
		assert!(principals.starts_with("admin\n") && world.trusts(&ca), "{stopped:?}");
		assert!(world.text("authorized_keys").ends_with(OWN), "{stopped:?}");
		take_away(&world, a_day_before());
		assert_over(&world);
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 20, &["/authorized_keys", "/current", "/keys"]);
}
