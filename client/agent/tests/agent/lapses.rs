//! What happens when the chain is not heard any more.

use crate::{appliers::authorized, world::*};
use dpki_agent::{
	agent::StepError,
	appliers::authorized::answer::{AnswerError, answer},
	freshness::Stale,
	journal::Journal,
	run::{RunError, run, run_once},
};
use dpki_client::primitives::{Moment, anchor::AnchorKind, revocation::SshSubject};

const HOUR: Moment = 60 * 60 * 1000;

/// Within the grace of a day.
fn after_an_hour() -> Moment {
	NOW + HOUR
}

/// Beyond it.
fn after_two_days() -> Moment {
	NOW + 48 * HOUR
}

/// A device with a CA in force that has revoked something.
async fn applied_world() -> (World, Ca) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.revoke(ca.anchor, SshSubject::Serial(7));
	world.publish(1, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	(world, ca)
}

fn is_lapsed(world: &mut World) -> bool {
	matches!(world.agent().lapse(), Err(StepError::Lapsed { .. }))
}

#[tokio::test]
async fn without_news_user_cas_are_believed_until_the_grace_is_over() {
	let (mut world, ca) = applied_world().await;
	world.restart_at(after_an_hour);
	assert!(!is_lapsed(&mut world));
	assert!(world.trusts(&ca), "the grace");
	world.restart_at(after_two_days);
	assert!(is_lapsed(&mut world));
	assert!(!world.trusts(&ca));
	assert!(world.agent().status().ssh.closed);
	assert_eq!(world.file("principals/root"), "admin\n", "nothing else is taken away");
	assert!(!world.krl().serials.is_empty(), "and nothing revoked comes back");

	// It stays so, and makes no more generations.
	let generation = world.generation();
	assert!(is_lapsed(&mut world));
	assert_eq!(world.generation(), generation);
}

#[tokio::test]
async fn only_a_block_that_is_young_enough_brings_user_cas_back() {
	let (mut world, ca) = applied_world().await;
	world.restart_at(after_two_days);
	assert!(is_lapsed(&mut world));
	world.step().await.unwrap();
	assert!(!world.trusts(&ca), "a newer block that is old too");
	world.chain.head.time = after_two_days();
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	assert!(!world.agent().status().ssh.closed);
	assert!(!is_lapsed(&mut world));
}

#[tokio::test]
async fn blocks_without_the_proofs_of_what_they_say_keep_no_login_open() {
	let mut world = World::new().with_keys();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(1, vec![user_ca(&ca), authorized("pilot", &[(&line(&new_key()), None)])]);
	world.step().await.unwrap();
	let heard = world.text("keys/heard");
	world.restart_at(after_two_days);
	world.chain.head.time = after_two_days();
	world.chain.silent = true;
	assert!(matches!(world.step().await, Err(StepError::Read(_))));
	assert_eq!(world.text("keys/heard"), heard);
	assert!(is_lapsed(&mut world));
	assert!(!world.trusts(&ca));
	world.restart_at(after_two_days);
	assert!(is_lapsed(&mut world), "nor over a restart");
	world.chain.silent = false;
	world.step().await.unwrap();
	assert!(world.trusts(&ca) && !is_lapsed(&mut world));
	assert_ne!(world.text("keys/heard"), heard);
}

#[tokio::test]
async fn a_delivery_that_a_crash_left_on_its_way_lapses_too() {
	let (mut world, ca) = applied_world().await;
	let id = world.config.device_id();
	let mut journal = Journal::open(&world.vault(), GENESIS, id).unwrap();
	// As it was after the switch and before the journal was written.
	unfinish(&mut journal, None);
	journal.save().unwrap();
	world.restart_at(after_two_days);
	assert!(is_lapsed(&mut world));
	assert!(!world.trusts(&ca));
}

#[tokio::test]
async fn sshd_is_told_no_key_that_is_old_by_the_clock_that_nobody_sets() {
	let mut world = World::new().with_keys();
	world.publish(1, vec![authorized("pilot", &[(&line(&new_key()), None)])]);
	world.step().await.unwrap();
	let text = world.text("keys/heard");
	let words: Vec<_> = text.split_whitespace().collect();
	let [start, uptime, time] = words[..] else { panic!("{text}") };
	let answer_when = |world: &World, heard: String| {
		std::fs::write(world.place("keys/heard"), heard).unwrap();
		answer(&world.config, "pilot", 0)
	};
	assert!(answer_when(&world, text.clone()).is_ok());
	let other = answer_when(&world, format!("another-start {uptime} {time}\n"));
	assert!(matches!(other, Err(AnswerError::Stale)), "{other:?}");
	world.config.freshness.ssh_login.max_age = 1;
	world.config.freshness.ssh_login.grace = 0;
	let earlier = uptime.parse::<Moment>().unwrap() - 1_500;
	let old = answer_when(&world, format!("{start} {earlier} {time}\n"));
	assert!(matches!(old, Err(AnswerError::Stale)), "{old:?}");
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_nothing_young() {
	let (mut world, ca) = applied_world().await;
	world.chain.head.time = after_two_days();
	world.step().await.unwrap();
	// The clock of the test is two days behind now, and so is this block.
	world.restart();
	world.chain.head.time = NOW;
	world.publish(2, vec![]);
	world.step().await.unwrap();
	assert!(
		world.trusts(&ca),
		"the delivery is not taken from a block that is old by what is proven"
	);
}

#[tokio::test]
async fn whoever_wants_to_fail_open_does() {
	let (mut world, ca) = applied_world().await;
	world.config.freshness.ssh_login.when_stale = Stale::Allow;
	world.restart_at(after_two_days);
	assert_eq!(world.agent().lapses_in(), None);
	assert!(!is_lapsed(&mut world));
	assert!(world.trusts(&ca));
}

#[tokio::test]
async fn where_nothing_was_applied_there_is_nothing_to_close() {
	let mut world = World::new();
	world.restart_at(after_two_days);
	let generation = world.generation();
	assert!(!is_lapsed(&mut world));
	assert_eq!(world.generation(), generation);
}

#[tokio::test]
async fn an_agent_that_cannot_start_its_light_client_closes_logins_all_the_same() {
	for once in [false, true] {
		let (mut world, ca) = applied_world().await;
		world.agent = None;
		// By the clock of this machine the last news are decades old. The specification is none.
		std::fs::write(world.config.state.join("enforced-time"), "1\n").unwrap();
		let failed = match once {
			false => run(&world.config, std::future::pending()).await,
			true => run_once(&world.config, std::time::Duration::from_secs(60)).await.map(drop),
		};
		assert!(matches!(failed, Err(RunError::Connect(_))), "{failed:?}");
		assert!(!world.trusts(&ca), "once: {once}");
	}
}
