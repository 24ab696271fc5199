//! A crash between any two steps converges, and what fails is rolled back.

use crate::world::*;
use dpki_agent::journal::{Journal, JournalError, Lane};
use dpki_client::{
	Item,
	primitives::{
		anchor::AnchorKind,
		channel::ChannelId,
		delivery::{Outcome, RefusalReason},
	},
};
use std::fs;

/// A world with one CA in force and a second delivery, with a host certificate, on its way.
async fn two_deliveries() -> (World, Ca, Ca) {
	let mut world = World::new();
	let (old, new) = (world.register(AnchorKind::SshUserCa), world.register(AnchorKind::SshUserCa));
	world.publish(1, vec![user_ca(&old), principals("root", &["admin"])]);
	world.step().await.unwrap();
	let host_ca = world.register(AnchorKind::SshHostCa);
	let certificate = world.host_certificate(&host_ca);
	let items =
		vec![user_ca(&new), principals("root", &["ops"]), Item::SshHostCertificate { certificate }];
	world.publish(2, items);
	(world, old, new)
}

fn journal(world: &World) -> Journal {
	Journal::open(&world.vault(), GENESIS, world.config.device_id()).unwrap()
}

/// What the journal says of the only channel.
fn lane(world: &World) -> Lane {
	journal(world).entries.lane(ChannelId::DEFAULT).clone()
}

fn refused(world: &World) -> bool {
	lane(world).verdict == Some(Outcome::Refused(RefusalReason::ApplyFailed))
}

#[tokio::test]
async fn a_generation_that_sshd_does_not_take_is_rolled_back() {
	let (mut world, old, new) = two_deliveries().await;
	let generation = world.generation();
	write_script(&world.config.ssh.sshd, "#!/bin/sh\necho 'no such cipher' >&2\nexit 1\n");
	world.step().await.unwrap();
	assert_eq!((world.refusal().as_str(), world.generation()), ("apply failed", generation));
	assert!(world.trusts(&old) && !world.trusts(&new) && refused(&world));
	let sentence = world.agent().status().last_refusal.clone().unwrap().sentence;
	assert!(sentence.contains("no such cipher"), "{sentence}");
	assert_eq!(fs::read_dir(world.config.ssh.directory.join("generations")).unwrap().count(), 2);
	// Put right, the next delivery goes through.
	sshd(world.dir.path());
	world.publish(3, vec![user_ca(&new), principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&new) && !refused(&world));
}

#[tokio::test]
async fn a_main_configuration_that_is_broken_is_noticed_before_the_switch() {
	let (mut world, old, _) = two_deliveries().await;
	let main = world.dir.path().join("sshd_config");
	fs::write(&main, "NoSuchOption yes\n").unwrap();
	world.config.ssh.sshd_config = Some(main.clone());
	world.restart();
	world.step().await.unwrap();
	assert!(world.trusts(&old) && refused(&world));
	let sentence = world.agent().status().last_refusal.clone().unwrap().sentence;
	assert!(sentence.contains("NoSuchOption"), "{sentence}");
}

#[tokio::test]
async fn a_main_configuration_that_includes_ours_passes() {
	let (mut world, _, new) = two_deliveries().await;
	let main = world.dir.path().join("sshd_config");
	let include = format!("Include {}/sshd.conf\nPort 2222\n", world.current().display());
	fs::write(&main, include).unwrap();
	world.config.ssh.sshd_config = Some(main);
	world.restart();
	world.step().await.unwrap();
	assert!(world.trusts(&new), "{:?}", world.agent().status().last_refusal);
}

#[tokio::test]
async fn a_reload_that_fails_is_rolled_back() {
	let (mut world, old, new) = two_deliveries().await;
	let generation = world.generation();
	let log = world.dir.path().join("reloads");
	let script = world.dir.path().join("reload");
	let note = format!("#!/bin/sh\nreadlink {} >> {}\n", world.current().display(), log.display());
	write_script(&script, &format!("{note}echo 'no sshd runs' >&2\nexit 1\n"));
	world.config.ssh.reload = vec![script.display().to_string()];
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.generation(), generation);
	assert!(world.trusts(&old) && !world.trusts(&new) && refused(&world));
	let sentence = world.agent().status().last_refusal.clone().unwrap().sentence;
	assert!(sentence.contains("no sshd runs"), "{sentence}");
	assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 2, "told of both switches");
	assert_eq!(journal(&world).entries.reload_due, None);
}

#[tokio::test]
async fn a_reload_that_fails_brings_no_revoked_ca_back() {
	let (mut world, _, new) = two_deliveries().await;
	world.step().await.unwrap();
	assert!(world.trusts(&new));
	let script = world.dir.path().join("reload");
	write_script(&script, "#!/bin/sh\nexit 1\n");
	world.config.ssh.reload = vec![script.display().to_string()];
	world.restart();
	// Putting this right needs a reload, and comes with the revocation.
	fs::write(world.current().join("sshd.conf"), "# tampered\n").unwrap();
	world.anchor(new.anchor).revocation = Some(revocation());
	assert!(world.step().await.is_err());
	assert!(!world.trusts(&new));
	let generation = world.generation();
	assert!(world.step().await.is_err(), "sshd is still to be told");
	assert_eq!((world.generation(), world.trusts(&new)), (generation, false));
	assert!(journal(&world).entries.reload_due.is_some());
	write_script(&script, "#!/bin/sh\nexit 0\n");
	world.restart();
	world.step().await.unwrap();
	assert!(!world.trusts(&new) && journal(&world).entries.reload_due.is_none());
}

#[tokio::test]
async fn sshd_is_told_only_of_what_it_reads_when_it_starts() {
	let (mut world, _, new) = two_deliveries().await;
	let log = world.dir.path().join("reloads");
	let script = world.dir.path().join("reload");
	write_script(&script, &format!("#!/bin/sh\necho >> {}\n", log.display()));
	world.config.ssh.reload = vec![script.display().to_string()];
	world.restart();
	world.step().await.unwrap();
	let reloads = || fs::read_to_string(&log).unwrap().lines().count();
	assert_eq!(reloads(), 1, "a host certificate came");
	world.anchor(new.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&new));
	assert_eq!(reloads(), 1, "a revocation needs no reload");
	world.publish(3, vec![]);
	world.step().await.unwrap();
	assert_eq!(reloads(), 2, "the host certificate went");
}

#[tokio::test]
async fn a_crash_before_the_switch_is_made_good_without_the_blob() {
	let (mut world, old, new) = two_deliveries().await;
	let before = world.generation();
	let first = lane(&world).applied;
	world.step().await.unwrap();
	let mut journal = journal(&world);
	// As it was after the journal was written and before the switch.
	unfinish(&mut journal, first);
	journal.save().unwrap();
	let link = world.current();
	fs::remove_file(&link).unwrap();
	std::os::unix::fs::symlink(&before, &link).unwrap();
	assert!(world.trusts(&old));
	world.blobs.0.lock().unwrap().clear();
	world.restart();
	world.step().await.unwrap();
	assert!(world.trusts(&new));
	assert_eq!(lane(&world).verdict, Some(Outcome::Applied));
}

#[tokio::test]
async fn a_crash_after_the_switch_does_not_bring_the_old_access_back() {
	let (mut world, old, new) = two_deliveries().await;
	let first = lane(&world).applied;
	world.step().await.unwrap();
	let mut journal = journal(&world);
	let generation = world.generation();
	// As it was after the switch and before sshd was told.
	unfinish(&mut journal, first);
	journal.entries.reload_due = Some(1);
	journal.save().unwrap();
	let log = world.dir.path().join("reloads");
	let script = world.dir.path().join("reload");
	write_script(&script, &format!("#!/bin/sh\necho >> {}\n", log.display()));
	world.config.ssh.reload = vec![script.display().to_string()];
	world.blobs.0.lock().unwrap().clear();
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.generation(), generation);
	assert!(world.trusts(&new) && !world.trusts(&old));
	assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 1, "sshd is told after all");
	assert_eq!(self::journal(&world).entries.reload_due, None);
	assert_eq!(lane(&world).verdict, Some(Outcome::Applied));
}

#[tokio::test]
async fn an_old_block_finishes_no_delivery_and_undoes_none() {
	for switched in [false, true] {
		let (mut world, old, new) = two_deliveries().await;
		let before = world.generation();
		let first = lane(&world).applied;
		world.step().await.unwrap();
		let mut journal = journal(&world);
		// As it was just before or just after the switch.
		unfinish(&mut journal, first);
		journal.save().unwrap();
		if !switched {
			fs::remove_file(world.current()).unwrap();
			std::os::unix::fs::symlink(&before, world.current()).unwrap();
		}
		world.restart();
		let (generation, time) = (world.generation(), world.chain.head.time);
		world.chain.head.time = clock() - 700_000;
		world.step().await.unwrap();
		assert!(world.agent().status().head.as_ref().unwrap().stale);
		assert_eq!(world.generation(), generation);
		assert_eq!((world.trusts(&old), world.trusts(&new)), (!switched, switched));
		world.chain.head.time = time;
		world.step().await.unwrap();
		assert!(world.trusts(&new) && !world.trusts(&old));
		assert_eq!(lane(&world).verdict, Some(Outcome::Applied));
	}
}

#[tokio::test]
async fn a_half_written_generation_is_no_hindrance() {
	let (mut world, _, new) = two_deliveries().await;
	let generations = world.config.ssh.directory.join("generations");
	for number in 0..6 {
		let half = generations.join(format!(".{number}.new/principals"));
		fs::create_dir_all(&half).unwrap();
		fs::write(half.join("root"), "intruder").unwrap();
	}
	fs::write(world.config.ssh.directory.join(".current.new"), "half").unwrap();
	world.step().await.unwrap();
	assert!(world.trusts(&new));
	assert_eq!(world.file("principals/root"), "ops\n");
}

#[tokio::test]
async fn the_number_is_on_the_disk_before_the_verdict_is_told() {
	let (mut world, ..) = two_deliveries().await;
	let due = world.due().await;
	assert_eq!(due, None, "the chain shows a newer delivery by now");
	world.step().await.unwrap();
	let due = world.due().await.unwrap();
	let lane = lane(&world);
	assert_eq!((lane.highest, lane.verdict), (Some(due.seen), Some(due.outcome)));
}

#[tokio::test]
async fn a_damaged_journal_stops_the_agent_and_leaves_the_access() {
	let (mut world, old, _) = two_deliveries().await;
	world.agent = None;
	fs::write(world.config.state.join("journal"), "damaged").unwrap();
	let opened = Journal::open(&world.vault(), GENESIS, world.config.device_id());
	assert!(matches!(opened, Err(JournalError::Damaged(_))));
	let agent = dpki_agent::agent::Agent::open(&world.config, world.keys(), clock);
	assert!(agent.is_err());
	assert!(world.trusts(&old));
}

#[tokio::test]
async fn old_generations_are_removed_but_for_a_few() {
	let (mut world, ..) = two_deliveries().await;
	for sequence in 2..10 {
		world.publish(sequence, vec![principals("root", &[&format!("n{sequence}")])]);
		world.step().await.unwrap();
	}
	assert_eq!(world.file("principals/root"), "n9\n");
	let kept = fs::read_dir(world.config.ssh.directory.join("generations")).unwrap().count();
	assert_eq!(kept, world.config.ssh.keep_generations);
}
