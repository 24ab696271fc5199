//! What is taken away without a delivery.

use crate::world::*;
use dpki_agent::agent::StepError;
use dpki_client::primitives::{anchor::AnchorKind, revocation::SshSubject};
use std::fs;

async fn applied_world() -> (World, Ca, Ca) {
	let mut world = World::new();
	let (first, second) =
		(world.register(AnchorKind::SshUserCa), world.register(AnchorKind::SshUserCa));
	world.publish(1, vec![user_ca(&first), user_ca(&second), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&first) && world.trusts(&second));
	(world, first, second)
}

#[tokio::test]
async fn a_revoked_anchor_is_dropped_at_once() {
	let (mut world, first, second) = applied_world().await;
	world.anchor(first.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
	let print = dpki_client::ssh::fingerprint(first.key.public_key());
	assert!(world.krl().fingerprints.contains(&print), "it falls wherever else it is believed");
	assert_eq!(world.file("principals/root"), "admin\n");
}

#[tokio::test]
async fn an_unknown_anchor_is_dropped() {
	let (mut world, first, second) = applied_world().await;
	world.chain.anchors.remove(&first.anchor);
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
}

#[tokio::test]
async fn revoked_serials_and_keys_enter_the_list_at_once() {
	let (mut world, first, second) = applied_world().await;
	world.revoke(first.anchor, SshSubject::Serial(7));
	world.step().await.unwrap();
	world.revoke(second.anchor, SshSubject::Serial(7));
	world.revoke(second.anchor, SshSubject::KeyFingerprint([5; 32]));
	world.step().await.unwrap();
	let krl = world.krl();
	assert_eq!(krl.serials.len(), 2, "one list per CA");
	assert_eq!(krl.serials[&first.key.public_key().to_bytes().unwrap()].len(), 1);
	assert!(krl.fingerprints.contains(&[5; 32]));
	assert_eq!((krl.version, krl.generated_at), (3, NOW / 1000));
	world.restart();
	let generation = world.generation();
	world.step().await.unwrap();
	assert_eq!(world.generation(), generation, "the same revocations give the same file");
}

#[tokio::test]
async fn a_refused_delivery_does_not_hold_a_revocation_up() {
	let (mut world, first, second) = applied_world().await;
	world.publish(2, vec![user_ca(&first), user_ca(&second)]);
	world.anchor(first.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "bundle invalid");
	assert!(!world.trusts(&first) && world.trusts(&second));
	assert_eq!(world.file("principals/root"), "admin\n");
}

#[tokio::test]
async fn a_broken_sshd_configuration_does_not_hold_a_revocation_up() {
	let (mut world, first, _) = applied_world().await;
	write_script(&world.config.ssh.sshd, "#!/bin/sh\nexit 1\n");
	world.anchor(first.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&first));
}

#[tokio::test]
async fn a_revoked_device_takes_nothing_and_enforces_on() {
	let (mut world, first, second) = applied_world().await;
	world.chain.device.as_mut().unwrap().revocation = Some(revocation());
	world.publish(2, vec![]);
	world.step().await.unwrap();
	assert!(world.trusts(&first) && world.trusts(&second));
	assert_eq!(world.agent().status().device_status, "revoked");
	let chain = world.chain.clone();
	assert_eq!(world.agent().due_acknowledgement(&chain).await.unwrap(), None);
	world.anchor(first.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
}

#[tokio::test]
async fn no_answer_changes_nothing() {
	let (mut world, first, second) = applied_world().await;
	let generation = world.generation();
	world.chain.silent = true;
	assert!(matches!(world.step().await, Err(StepError::Read(_))));
	assert_eq!(world.generation(), generation);
	assert!(world.trusts(&first) && world.trusts(&second));
	assert!(world.agent().status().error.is_some());
	world.chain.silent = false;
	world.step().await.unwrap();
	assert!(world.agent().status().error.is_none());
}

#[tokio::test]
async fn an_older_block_is_not_acted_on() {
	let (mut world, first, _) = applied_world().await;
	// What a light client shows that has not caught up: a block in which nothing was registered yet.
	let head = world.chain.head;
	let anchors = std::mem::take(&mut world.chain.anchors);
	world.restart();
	world.chain.head.number = 3;
	assert!(matches!(world.step().await, Err(StepError::OldHead { found: 4, .. })));
	assert!(world.trusts(&first));
	world.chain.head = head;
	world.chain.anchors = anchors;
	world.step().await.unwrap();
	assert!(world.trusts(&first));
}

#[tokio::test]
async fn a_file_that_somebody_changed_is_put_right() {
	let (mut world, first, _) = applied_world().await;
	let intruder =
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti\n";
	fs::write(world.current().join("trusted_user_ca_keys"), intruder).unwrap();
	world.step().await.unwrap();
	assert!(world.trusts(&first));
	assert!(!world.file("trusted_user_ca_keys").contains(intruder.trim()));
}

#[tokio::test]
async fn without_a_journal_nothing_is_taken_away() {
	let (mut world, first, _) = applied_world().await;
	world.agent = None;
	fs::remove_file(world.config.state.join("journal")).unwrap();
	world.chain.delivery = None;
	world.restart();
	world.step().await.unwrap();
	assert!(world.trusts(&first));
}
