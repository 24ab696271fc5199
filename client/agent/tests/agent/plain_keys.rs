//! Plain keys that open logins: the block in `authorized_keys`, and the answers to sshd.

use crate::{
	appliers::{authorized, refused},
	world::*,
};
use dpki_agent::{
	appliers::authorized::answer::{AnswerError, answer},
	run::converge,
};
use dpki_client::primitives::{Moment, delivery::Outcome};
use std::{fs, os::unix::fs::PermissionsExt};

fn answered(world: &World, login: &str) -> Result<String, AnswerError> {
	answer(&world.config, login, clock())
}

#[tokio::test]
async fn the_block_is_the_agents_and_the_rest_is_the_owners() {
	let mut world = World::new().with_keys();
	let own = "ssh-ed25519 AAAA owner\n\n# and a last line without an end";
	fs::write(world.place("authorized_keys"), own).unwrap();
	let (first, second) = (line(&new_key()), line(&new_key()));
	world.publish(1, vec![authorized("root", &[(&first, None)])]);
	world.step().await.unwrap();
	let text = world.text("authorized_keys");
	assert!(text.ends_with(own) && text.contains(first.trim()), "{text}");
	// What the owner does outside stays, what somebody does inside does not.
	let edited = format!("# more\n{}", text.replace(first.trim(), second.trim()));
	fs::write(world.place("authorized_keys"), &edited).unwrap();
	world.step().await.unwrap();
	assert_eq!(world.text("authorized_keys"), format!("# more\n{text}"));
	// A file that the agent cannot make out is left alone, and the delivery refused.
	let broken = text.replace("# END dpki-agent", "");
	fs::write(world.place("authorized_keys"), &broken).unwrap();
	let items = vec![authorized("root", &[(&second, None)])];
	refused(&mut world, 2, items, "apply failed", "broken block").await;
	assert_eq!(world.text("authorized_keys"), broken);
	let error = world.agent().status().error.clone();
	assert!(error.is_some_and(|it| it.contains("broken block")), "somebody is told");
	// Its owner holds nothing else up with it.
	world.publish(3, vec![authorized("root", &[(&first, None)]), principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(
		(world.verdict(), world.file("principals/root")),
		(Some(Outcome::Applied), "ops\n".into())
	);
	fs::write(world.place("authorized_keys"), &text).unwrap();
	world.restart();
	world.publish(4, vec![]);
	world.step().await.unwrap();
	assert_eq!(world.text("authorized_keys"), own);
}

#[tokio::test]
async fn a_key_ends_at_its_time() {
	let mut world = World::new().with_keys();
	let (short, long) = (line(&new_key()), line(&new_key()));
	let until = world.chain.head.time + 4_000;
	world.publish(1, vec![authorized("root", &[(&short, Some(until)), (&long, None)])]);
	world.step().await.unwrap();
	let text = world.text("authorized_keys");
	assert!(text.contains(&format!("expiry-time=\"20260921141324Z\" {}", short.trim())), "{text}");
	assert_eq!(answered(&world, "root").unwrap().lines().count(), 2);
	assert_eq!(answer(&world.config, "root", until).unwrap(), format!("{}\n", long.trim()));
	world.chain.head.time = until;
	world.step().await.unwrap();
	assert!(!world.text("authorized_keys").contains("expiry-time"));
}

#[tokio::test]
async fn a_key_ends_when_the_chain_is_not_heard() {
	const MINUTE: Moment = 60_000;
	let mut world = World::new().with_keys();
	fs::write(world.place("authorized_keys"), "# mine\n").unwrap();
	let (short, long) = (line(&new_key()), line(&new_key()));
	let until = NOW + 5 * MINUTE;
	let items = vec![authorized("root", &[(&short, Some(until)), (&long, None)])];
	world.publish(1, items);
	world.step().await.unwrap();
	world.chain.silent = true;
	world.restart_at(|| NOW + 4 * MINUTE);
	world.agent().lapse().unwrap();
	let is_open = |world: &World| {
		let places = ["authorized_keys", "keys/current/keys"];
		places.map(|place| world.text(place).contains(short.trim()))
	};
	assert_eq!(is_open(&world), [true; 2]);
	let left = world.agent().lapses_in().unwrap().as_secs();
	assert!((50..=60).contains(&left), "{left}");
	world.restart_at(|| NOW + 6 * MINUTE);
	world.agent().lapse().unwrap();
	assert_eq!(is_open(&world), [false; 2]);
	let text = world.text("authorized_keys");
	assert!(text.contains(long.trim()) && text.ends_with("# mine\n"), "{text}");
	assert!(world.agent().lapses_in().unwrap().as_secs() > 3600, "there is nothing to look for");
	// A block from before its end does not bring it back.
	world.chain.silent = false;
	world.chain.head.number += 1;
	world.step().await.unwrap();
	assert_eq!(is_open(&world), [false; 2]);
}

#[tokio::test]
async fn sshd_gets_the_keys_of_a_login_and_of_no_other() {
	let mut world = World::new().with_keys();
	assert!(
		matches!(answered(&world, "pilot"), Err(AnswerError::File(_))),
		"nothing was proven yet"
	);
	let (root, pilot) = (line(&new_key()), line(&new_key()));
	world.publish(
		1,
		vec![authorized("root", &[(&root, None)]), authorized("pilot", &[(&pilot, None)])],
	);
	world.step().await.unwrap();
	assert_eq!(answered(&world, "pilot").unwrap(), format!("{}\n", pilot.trim()));
	assert_eq!(answered(&world, "nobody").unwrap(), "");
	assert!(matches!(answered(&world, "../root"), Err(AnswerError::Login(_))));
	assert!(
		!world.text("authorized_keys").contains(pilot.trim()),
		"there is no file for that login"
	);
}

#[tokio::test]
async fn an_answer_that_is_not_certain_is_none() {
	let mut world = World::new().with_keys();
	world.publish(1, vec![authorized("pilot", &[(&line(&new_key()), None)])]);
	world.step().await.unwrap();
	answered(&world, "pilot").unwrap();
	// Too old, whatever the clock shows.
	let policy = world.config.freshness.ssh_login.policy();
	let allowed = (policy.max_age + policy.grace).as_millis() as Moment;
	let heard = world.chain.head.time;
	let at = |now| answer(&world.config, "pilot", now);
	assert!(at(0).is_ok() && at(heard + allowed).is_ok());
	assert!(matches!(at(heard + allowed + 1), Err(AnswerError::Stale)));
	// Damaged, or of another device.
	let keys = world.place("keys/current/keys");
	let text = fs::read_to_string(&keys).unwrap();
	for damaged in ["", &text[..text.len() - 9], &text.replace("pilot", "pirat")] {
		fs::write(&keys, damaged).unwrap();
		assert!(matches!(answered(&world, "pilot"), Err(AnswerError::Damaged(_))), "{damaged}");
	}
	fs::write(&keys, &text).unwrap();
	let mut other = world.config.clone();
	other.device = "drone-8".into();
	assert!(matches!(answer(&other, "pilot", NOW), Err(AnswerError::Damaged(_))));
	// Open to others.
	for name in ["keys", "keys/current", "keys/current/keys", "keys/heard"] {
		let path = world.place(name);
		let before = fs::metadata(&path).unwrap().permissions();
		fs::set_permissions(&path, fs::Permissions::from_mode(before.mode() | 0o020)).unwrap();
		assert!(matches!(answered(&world, "pilot"), Err(AnswerError::Writable(_))), "{name}");
		fs::set_permissions(&path, before).unwrap();
	}
	// Without a word about when the chain was heard.
	let heard = world.place("keys/heard");
	fs::write(&heard, "soon").unwrap();
	assert!(matches!(answered(&world, "pilot"), Err(AnswerError::Damaged(_))));
	fs::remove_file(&heard).unwrap();
	assert!(matches!(answered(&world, "pilot"), Err(AnswerError::File(_))));
	// Not asked for.
	world.config.apply.authorized_keys.as_mut().unwrap().command = false;
	assert!(matches!(answered(&world, "pilot"), Err(AnswerError::NotConfigured)));
}

#[tokio::test]
async fn without_the_chain_no_delivered_key_opens_a_login() {
	let mut world = World::new().with_keys();
	fs::write(world.place("authorized_keys"), "# mine\n").unwrap();
	let key = line(&new_key());
	world.publish(1, vec![authorized("root", &[(&key, None)])]);
	world.step().await.unwrap();
	assert!(world.text("authorized_keys").contains(key.trim()));
	world.restart_at(|| NOW + 100_000_000);
	assert!(world.agent().lapse().is_err());
	assert_eq!(world.text("authorized_keys"), "# mine\n");
	assert_eq!(answered(&world, "root").unwrap(), "");
	// As soon as it is heard again everything is back.
	world.restart();
	let chain = world.chain.clone();
	converge(world.agent.as_mut().unwrap(), &chain, &world.blobs).await.unwrap();
	assert!(world.text("authorized_keys").contains(key.trim()));
	assert!(answered(&world, "root").unwrap().contains(key.trim()));
}
