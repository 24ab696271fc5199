//! What happens when the chain is not heard any more.

use crate::world::*;
use dpki_agent::{
	agent::StepError,
	freshness::Stale,
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
		std::fs::write(world.config.state.join("chain-time"), "1\n").unwrap();
		let failed = match once {
			false => run(&world.config, std::future::pending()).await,
			true => run_once(&world.config, std::time::Duration::from_secs(60)).await.map(drop),
		};
		assert!(matches!(failed, Err(RunError::Connect(_))), "{failed:?}");
		assert!(!world.trusts(&ca), "once: {once}");
	}
}
