//! What happens when the chain is not heard any more.

use crate::{
	appliers::{Certified, authorized, psk},
	world::*,
};
use dpki_agent::{
	agent::StepError,
	appliers::authorized::answer::{AnswerError, answer},
	freshness::Stale,
	journal::Journal,
	run::{RunError, run, run_once},
};
use dpki_client::{
	Item,
	primitives::{Moment, anchor::AnchorKind, revocation::SshSubject},
};
use std::fs;

const HOUR: Moment = 60 * 60 * 1000;

/// Within the grace of a day.
fn after_an_hour() -> Moment {
	NOW + HOUR
}

/// Beyond it.
fn after_two_days() -> Moment {
	NOW + 48 * HOUR
}

/// Within the grace of logins, beyond that of TLS.
fn after_two_hours() -> Moment {
	NOW + 2 * HOUR
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
	crash_before_the_journal(&world);
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

/// A device that believes one TLS peer and has a pre-shared key in force, which both services were told.
async fn world_with_peers() -> World {
	let mut world = World::new().with_tls("web").with_psk();
	world.publish(1, peers());
	world.step().await.unwrap();
	assert!(believes_peers(&world), "{:?}", world.agent().status());
	assert_eq!(told(&world), [1, 1]);
	world
}

fn peers() -> Vec<Item> {
	let (web, peer) = (Certified::new("web.example"), Certified::new("peer.example"));
	vec![web.identity("web"), peer.trusted("web"), psk("a", 1)]
}

fn believed(world: &World) -> String {
	world.text("web/current/trust.pem")
}

/// Whether somebody is believed. Where nobody is, a certificate stands that nobody has.
fn believes_peers(world: &World) -> bool {
	let nobody = fs::read_to_string(world.config.state.join("nobody.pem")).unwrap_or_default();
	let (trusted, keys) = (believed(world), world.text("psk/current/psk_file"));
	assert_eq!(trusted.matches("BEGIN CERTIFICATE-").count(), 1, "{trusted}");
	assert_eq!(trusted == nobody, keys.is_empty(), "{trusted}{keys}");
	!keys.is_empty()
}

/// How many times the services were told.
fn told(world: &World) -> [usize; 2] {
	["web.told", "psk.told"].map(|log| world.told(log))
}

async fn are_peers_lapsed(world: &mut World) -> bool {
	let lapsed = world.agent().lapse();
	world.agent().tell_services().await;
	matches!(lapsed, Err(StepError::PeersLapsed { .. }))
}

#[tokio::test]
async fn without_news_tls_peers_are_believed_until_their_grace_is_over() {
	let mut world = world_with_peers().await;
	let files = ["chain.pem", "key.pem"].map(|name| format!("web/current/{name}"));
	let identity = |world: &World| files.clone().map(|name| world.text(&name));
	let before = identity(&world);
	world.restart_at(after_an_hour);
	assert!(!are_peers_lapsed(&mut world).await && believes_peers(&world), "the grace");
	world.restart_at(after_two_hours);
	assert!(are_peers_lapsed(&mut world).await);
	assert!(!believes_peers(&world));
	assert_eq!(told(&world), [2, 2]);
	assert_eq!(identity(&world), before, "the service proves itself as before");
	let status = world.agent().status();
	assert!(status.peers_closed && !status.ssh.closed, "logins have a grace of their own");

	// It stays so, also over a restart; nothing is written and nobody told again, and nothing of before is left.
	let closed = believed(&world);
	for _ in 0..2 {
		world.restart_at(after_two_hours);
		assert!(are_peers_lapsed(&mut world).await && are_peers_lapsed(&mut world).await);
	}
	assert_eq!((believed(&world), told(&world)), (closed, [2, 2]));
	for directory in ["web", "psk"] {
		let generations = world.place(directory).join("generations");
		assert_eq!(fs::read_dir(generations).unwrap().count(), 1, "{directory}");
	}
}

#[tokio::test]
async fn only_a_block_that_is_young_enough_brings_tls_peers_back() {
	let mut world = world_with_peers().await;
	let before = believed(&world);
	world.restart_at(after_two_hours);
	assert!(are_peers_lapsed(&mut world).await);
	world.step().await.unwrap();
	assert!(!believes_peers(&world) && world.agent().status().peers_closed, "an old block");
	assert_eq!(told(&world), [2, 2]);
	world.chain.head.time = after_two_hours();
	world.step().await.unwrap();
	assert!(believes_peers(&world) && !world.agent().status().peers_closed);
	assert_eq!((believed(&world), told(&world)), (before, [3, 3]));
	assert!(!are_peers_lapsed(&mut world).await);
}

#[tokio::test]
async fn whoever_wants_tls_to_fail_open_has_it_so() {
	let mut world = world_with_peers().await;
	world.config.freshness.tls.when_stale = Stale::Allow;
	world.restart_at(after_two_hours);
	assert!(!are_peers_lapsed(&mut world).await && believes_peers(&world));
	world.restart_at(after_two_days);
	assert!(is_lapsed(&mut world), "logins are another use");
	assert!(believes_peers(&world));
}

#[tokio::test]
async fn a_service_that_cannot_be_told_believes_nobody_by_its_files_and_is_told_again() {
	let mut world = world_with_peers().await;
	fs::write(world.place("fail"), "").unwrap();
	world.restart_at(after_two_hours);
	assert!(are_peers_lapsed(&mut world).await);
	assert!(!believes_peers(&world), "the files come first");
	assert!(are_peers_lapsed(&mut world).await);
	assert_eq!(told(&world), [2, 2], "it is left alone for a while");
	world.agent().report(None);
	let error = world.agent().status().error.clone().unwrap();
	assert!(error.contains("not today"), "{error}");
	// After a restart it is told at once.
	fs::remove_file(world.place("fail")).unwrap();
	world.restart_at(after_two_hours);
	assert!(are_peers_lapsed(&mut world).await);
	assert_eq!(told(&world), [3, 3]);
	assert!(!world.place("web/unsettled").exists() && !world.place("psk/unsettled").exists());
}

#[tokio::test]
async fn a_delivery_on_its_way_keeps_its_way_back_when_tls_is_closed() {
	let mut world = world_with_peers().await;
	crash_before_the_journal(&world);
	fs::write(world.place("web/unsettled"), "none\n").unwrap();
	world.restart_at(after_two_hours);
	assert!(are_peers_lapsed(&mut world).await && !believes_peers(&world));
	assert_eq!(world.text("web/unsettled"), "none\n");
	world.chain.head.time = after_two_hours();
	world.step().await.unwrap();
	assert!(believes_peers(&world) && !world.place("web/unsettled").exists());
	assert_eq!(world.agent().status().sequence, Some(1));
}

#[tokio::test]
async fn a_service_whose_files_were_altered_is_closed_like_any_other() {
	let mut world = world_with_peers().await;
	fs::write(world.place("web/current/more.pem"), "whoever wrote this").unwrap();
	world.restart_at(after_two_hours);
	assert!(are_peers_lapsed(&mut world).await);
	assert!(!believes_peers(&world) && !world.place("web/current/more.pem").exists());
}

#[tokio::test]
async fn without_tls_in_the_configuration_nothing_is_said_about_it() {
	let (mut world, _) = applied_world().await;
	world.restart_at(after_two_hours);
	assert!(!are_peers_lapsed(&mut world).await);
	assert!(!world.agent().status().peers_closed);
}

/// What is in force was switched to, and the journal does not say so yet.
fn crash_before_the_journal(world: &World) {
	let id = world.config.device_id();
	let mut journal = Journal::open(&world.vault(), GENESIS, id).unwrap();
	unfinish(&mut journal, None);
	journal.save().unwrap();
}

/// What is in force after a crash and a block that is an hour old, with another delivery on the chain.
async fn finished_after_an_hour(change: impl FnOnce(&mut World)) -> Option<u64> {
	let (mut world, ca) = applied_world().await;
	crash_before_the_journal(&world);
	change(&mut world);
	world.publish(2, vec![user_ca(&ca)]);
	world.restart_at(after_an_hour);
	world.step().await.unwrap();
	assert!(world.trusts(&ca), "what is in force is not taken back for that");
	assert!(world.agent().status().head.as_ref().unwrap().stale);
	world.agent().report(None);
	world.agent().status().sequence
}

#[tokio::test]
async fn old_news_finish_what_was_accepted_within_the_grace_and_never_bring_anything_new() {
	assert_eq!(finished_after_an_hour(|_| ()).await, None, "refused");
	let grace = |world: &mut World| world.config.freshness.delivery.grace = 3600;
	assert_eq!(finished_after_an_hour(grace).await, Some(1), "the grace");
	let allow = |world: &mut World| world.config.freshness.delivery.when_stale = Stale::Allow;
	assert_eq!(finished_after_an_hour(allow).await, Some(1), "allowed");
	// A delivery is taken from what the configuration still calls new.
	let (mut world, ca) = applied_world().await;
	world.config.freshness.delivery.max_age = Some(7200);
	world.publish(2, vec![user_ca(&ca)]);
	world.restart_at(after_an_hour);
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(2));
	// Without a word of its own, what counts as recent counts for deliveries.
	let (mut world, ca) = applied_world().await;
	world.config.chain.max_head_age = 7200;
	world.publish(2, vec![user_ca(&ca)]);
	world.restart_at(after_an_hour);
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(2));
}
