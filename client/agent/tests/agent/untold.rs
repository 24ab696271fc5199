//! Whoever could not be told of what is in force is told later, and nothing passes for heard meanwhile.

use crate::{
	appliers::{authorized, opaque, psk, refused},
	world::*,
};
use dpki_client::primitives::{Moment, delivery::Outcome};
use std::fs;

/// The second half of the line in this file.
fn heard(world: &World) -> Moment {
	let text = world.text("keys/heard");
	text.trim().rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn a_service_that_cannot_be_told_of_the_way_back_is_told_later() {
	let mut world = World::new().with_psk();
	let line = |byte: &str| format!("a:{}\n", byte.repeat(32));
	world.publish(1, vec![psk("a", 1)]);
	world.step().await.unwrap();
	fs::write(world.place("fail"), "").unwrap();
	refused(&mut world, 2, vec![psk("a", 2)], "apply failed", "not today").await;
	assert_eq!(world.text("psk/current/psk_file"), line("01"));
	assert!(world.place("psk/unsettled").exists(), "it may have read the other keys");
	let generations = || fs::read_dir(world.dir.path().join("psk/generations")).unwrap().count();
	assert_eq!(generations(), 1, "what was refused is destroyed");
	// It stays to be told when another delivery fails before anything is switched.
	let good = fs::read_to_string(&world.config.ssh.sshd).unwrap();
	write_script(&world.config.ssh.sshd, "#!/bin/sh\necho 'no such cipher' >&2\nexit 1\n");
	let bad = vec![psk("a", 3), principals("root", &["ops"])];
	refused(&mut world, 3, bad, "apply failed", "no such cipher").await;
	assert!(world.place("psk/unsettled").exists());
	assert_eq!(world.text("psk/current/psk_file"), line("01"));
	write_script(&world.config.ssh.sshd, &good);
	// Also after a restart, by the next block.
	let told = world.told("psk.told");
	fs::remove_file(world.place("fail")).unwrap();
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.told("psk.told"), told + 1);
	assert!(!world.place("psk/unsettled").exists());
	world.step().await.unwrap();
	assert_eq!(world.told("psk.told"), told + 1, "once");
}

#[tokio::test]
async fn without_anything_in_force_it_is_told_as_well() {
	let mut world = World::new().with_psk();
	fs::write(world.place("fail"), "").unwrap();
	refused(&mut world, 1, vec![psk("a", 1)], "apply failed", "not today").await;
	assert_eq!(world.text("psk/current/psk_file"), "");
	assert!(world.place("psk/unsettled").exists());
	fs::remove_file(world.place("fail")).unwrap();
	let told = world.told("psk.told");
	// Whoever cannot be told is left alone for a while; a restart ends that.
	world.agent().tell_services().await;
	assert_eq!(world.told("psk.told"), told);
	world.restart();
	world.agent().tell_services().await;
	assert_eq!(world.told("psk.told"), told + 1);
	assert!(!world.place("psk/unsettled").exists());
}

#[tokio::test]
async fn news_do_not_count_as_heard_while_the_keys_wait_to_be_put_right() {
	let mut world = World::new().with_keys();
	let until = world.chain.head.time + 300_000;
	let keys = |login| authorized(login, &[(&line(&new_key()), Some(until))]);
	world.publish(1, vec![keys("root"), keys("pilot")]);
	world.step().await.unwrap();
	let (before, text) = (heard(&world), world.text("authorized_keys"));
	fs::write(world.place("authorized_keys"), text.replace("# END dpki-agent", "")).unwrap();
	world.step().await.unwrap();
	assert!(world.agent().status().error.is_some(), "the block is left alone, and so is the agent");
	world.chain.head.time = until - 100_000;
	world.step().await.unwrap();
	let later = heard(&world);
	assert!(
		later > before,
		"what is in force is what is wanted, and one login's file is its owner's"
	);
	// Now it is not any more, and nothing is done about it yet.
	world.chain.head.time = until;
	world.step().await.unwrap();
	assert!(world.text("keys/current/keys").contains("pilot"));
	assert_eq!(heard(&world), later);
	fs::write(world.place("authorized_keys"), &text).unwrap();
	world.restart();
	world.step().await.unwrap();
	assert!(!world.text("keys/current/keys").contains("pilot"));
	assert!(heard(&world) > later);
	assert_eq!(world.verdict(), Some(Outcome::Applied));
}

#[tokio::test]
async fn a_hook_that_cannot_be_given_the_old_data_is_given_it_later() {
	let mut world = World::new().with_hook();
	world.publish(1, vec![opaque("one")]);
	world.step().await.unwrap();
	let script = fs::read_to_string(world.place("take")).unwrap();
	let spoilt = format!("#!/bin/sh\ncat > {}\nexit 1\n", world.place("maps").display());
	write_script(&world.place("take"), &spoilt);
	refused(&mut world, 2, vec![opaque("two")], "apply failed", "take` failed").await;
	write_script(&world.place("take"), &script);
	fs::write(world.place("maps"), "two").unwrap();
	world.step().await.unwrap();
	assert_eq!(world.text("maps"), "one");
}
