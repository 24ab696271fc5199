//! What is taken away without a delivery.

use crate::world::*;
use dpki_agent::{agent::StepError, journal::Journal};
use dpki_client::{
	primitives::{
		anchor::AnchorKind,
		ids::OrganisationId,
		revocation::{SshSubject, Withdrawal},
	},
	ssh::fingerprint,
};
use ssh_key::Certificate;
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
	world.chain.device.as_mut().unwrap().withdrawal = Withdrawal::Revoked(revocation());
	world.publish(2, vec![]);
	world.step().await.unwrap();
	assert!(world.trusts(&first) && world.trusts(&second));
	assert_eq!(world.agent().status().device_status, "revoked");
	assert_eq!(world.due().await, None);
	world.anchor(first.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
}

#[tokio::test]
async fn a_device_on_hold_takes_nothing_enforces_on_and_goes_on_when_it_is_released() {
	let (mut world, first, second) = applied_world().await;
	world.chain.device.as_mut().unwrap().withdrawal = hold();
	world.publish(2, vec![user_ca(&second)]);
	world.step().await.unwrap();
	assert!(world.trusts(&first) && world.trusts(&second));
	assert_eq!(world.agent().status().device_status, "suspended");
	assert_eq!(world.due().await, None);
	world.chain.device.as_mut().unwrap().withdrawal = Withdrawal::None;
	world.step().await.unwrap();
	assert_eq!(world.agent().status().device_status, "valid");
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
async fn a_restart_does_not_bring_back_what_was_revoked() {
	let (mut world, first, second) = applied_world().await;
	let before = world.chain.clone();
	world.step().await.unwrap();
	world.anchor(first.anchor).revocation = Some(revocation());
	world.revoke(second.anchor, SshSubject::Serial(7));
	world.step().await.unwrap();
	assert!(!world.trusts(&first));
	let (krl, generation) = (world.krl(), world.generation());
	world.restart();
	// The newest block is withheld: the light client gets to the one before it, which is fresh and proven.
	let newest = std::mem::replace(&mut world.chain, before);
	assert!(matches!(world.step().await, Err(StepError::OldHead { found: 102, seen: 103 })));
	assert_eq!((world.krl(), world.generation()), (krl, generation));
	assert!(!world.trusts(&first) && world.trusts(&second));
	world.chain = newest;
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
}

#[tokio::test]
async fn the_block_is_on_the_disk_before_what_it_takes_away_is_gone() {
	let (mut world, first, _) = applied_world().await;
	// In the way of the switch, which fails as if the device crashed just before it.
	let obstacle = world.config.ssh.directory.join(".current.new");
	fs::create_dir(&obstacle).unwrap();
	world.anchor(first.anchor).revocation = Some(revocation());
	assert!(matches!(world.step().await, Err(StepError::Enforce(_))));
	assert!(world.trusts(&first));
	let journal = Journal::open(&world.vault(), GENESIS, world.config.device_id()).unwrap();
	assert_eq!(journal.entries.head, world.chain.head.number);
	fs::remove_dir(&obstacle).unwrap();
	world.step().await.unwrap();
	assert!(!world.trusts(&first));
}

/// A world with a user CA of the organisation, and host CAs of the organisation and of a partner.
async fn partners_world() -> (World, Ca, Ca, Ca) {
	let mut world = World::new();
	let users = world.register(AnchorKind::SshUserCa);
	let ours = world.register(AnchorKind::SshHostCa);
	let theirs = world.register_for(AnchorKind::SshHostCa, OrganisationId([9; 32]));
	let items = vec![
		user_ca(&users),
		principals("root", &["admin"]),
		known_host_ca(&ours, "*.acme.example"),
		known_host_ca(&theirs, "*.partner.example"),
	];
	world.publish(1, items);
	world.step().await.unwrap();
	assert!(world.trusts(&users), "{:?}", world.agent().status());
	(world, users, ours, theirs)
}

fn key_of(ca: &Ca) -> SshSubject {
	SshSubject::KeyFingerprint(fingerprint(ca.key.public_key()))
}

#[tokio::test]
async fn what_a_host_ca_revokes_changes_nothing_for_sshd() {
	let (mut world, users, ours, theirs) = partners_world().await;
	let admin = new_key();
	let certificate = world.user_certificate(&users, &admin);
	let before = fs::read(world.current().join("revoked_keys")).unwrap();
	for host_ca in [&ours, &theirs] {
		world.revoke(host_ca.anchor, key_of(&users));
		let plain = SshSubject::KeyFingerprint(fingerprint(admin.public_key()));
		world.revoke(host_ca.anchor, plain);
		world.revoke(host_ca.anchor, SshSubject::Serial(certificate.serial()));
	}
	world.step().await.unwrap();
	assert_eq!(fs::read(world.current().join("revoked_keys")).unwrap(), before);
	for line in [line(&users.key), line(&admin), certificate.to_openssh().unwrap()] {
		assert!(!world.is_revoked("revoked_keys", &line), "{line}");
	}
	assert!(world.is_revoked("revoked_host_keys", &line(&admin)), "it went into the other list");
	world.anchor(theirs.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert_eq!(fs::read(world.current().join("revoked_keys")).unwrap(), before);
}

#[tokio::test]
async fn what_a_host_ca_revokes_reaches_the_client() {
	let (mut world, _, ours, theirs) = partners_world().await;
	let list = "revoked_host_keys";
	let (bad, good) = (world.host_certificate(&theirs), world.host_certificate(&theirs));
	let serial = Certificate::from_openssh(&bad).unwrap().serial();
	let own = world.host_certificate(&ours);
	for line in [&bad, &good, &own] {
		assert!(!world.is_revoked(list, line));
	}
	world.revoke(theirs.anchor, SshSubject::Serial(serial));
	world.step().await.unwrap();
	assert!(world.is_revoked(list, &bad));
	assert!(!world.is_revoked(list, &good) && !world.is_revoked(list, &own));
	let ssh = &world.agent().status().ssh;
	assert_eq!((ssh.revoked_host_serials, ssh.revoked_serials), (1, 0));
	assert!(world.file("known_hosts").contains("*.partner.example"));
	world.anchor(theirs.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(world.is_revoked(list, &good) && !world.is_revoked(list, &own));
	assert!(!world.file("known_hosts").contains("*.partner.example"));
	assert!(world.file("known_hosts").contains("*.acme.example"));
}

#[tokio::test]
async fn an_entry_in_a_list_cannot_take_a_ca_away() {
	let (mut world, users, ours, theirs) = partners_world().await;
	let admin = new_key();
	let login = world.user_certificate(&users, &admin).to_openssh().unwrap();
	let host = world.host_certificate(&ours);
	world.revoke(users.anchor, key_of(&users));
	world.revoke(theirs.anchor, key_of(&ours));
	world.step().await.unwrap();
	assert!(!world.is_revoked("revoked_keys", &login), "its own list");
	assert!(!world.is_revoked("revoked_host_keys", &host), "the list of a partner");
	// What the anchor managers revoke as an anchor is revoked.
	world.anchor(users.anchor).revocation = Some(revocation());
	world.anchor(ours.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(world.is_revoked("revoked_keys", &login));
	assert!(world.is_revoked("revoked_host_keys", &host));
}

#[tokio::test]
async fn a_user_ca_of_another_organisation_revokes_nothing() {
	let (mut world, first, second) = applied_world().await;
	let admin = new_key();
	let plain = SshSubject::KeyFingerprint(fingerprint(admin.public_key()));
	world.anchor(first.anchor).organisation = OrganisationId([9; 32]);
	world.revoke(first.anchor, plain);
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
	assert!(!world.is_revoked("revoked_keys", &line(&admin)));
	world.revoke(second.anchor, plain);
	world.step().await.unwrap();
	assert!(world.is_revoked("revoked_keys", &line(&admin)), "the test can fail");
}

#[tokio::test]
async fn a_retired_anchor_whose_time_is_over_is_dropped() {
	let (mut world, first, second) = applied_world().await;
	for ca in [&first, &second] {
		world.anchor(ca.anchor).retired_at = Some(NOW);
	}
	world.step().await.unwrap();
	assert!(world.trusts(&first) && world.trusts(&second));
	let now = world.chain.head.time;
	world.anchor(first.anchor).validity.not_after = Some(now);
	world.step().await.unwrap();
	assert!(!world.trusts(&first) && world.trusts(&second));
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
