//! What is taken, and what is refused.

use crate::world::*;
use dpki_client::{
	Item,
	primitives::{
		anchor::AnchorKind,
		delivery::{Outcome, RefusalReason},
		ids::{BlobDigest, DeviceId, OrganisationId},
		organisation::RoleSet,
		revocation::SshSubject,
	},
};

async fn applied_world() -> (World, Ca) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(5, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca), "{:?}", world.agent().status());
	(world, ca)
}

/// The next delivery is refused for this reason, and what was in force still is.
async fn assert_refused(world: &mut World, ca: &Ca, word: &str, reason: Option<RefusalReason>) {
	let before = world.generation();
	world.step().await.unwrap();
	assert_eq!(world.refusal(), word);
	assert_eq!(world.generation(), before);
	assert!(world.trusts(ca));
	assert_eq!(world.file("principals/root"), "admin\n");
	let chain = world.chain.clone();
	let due = world.agent().due_acknowledgement(&chain).await.unwrap();
	assert_eq!(due.map(|verdict| verdict.outcome), reason.map(Outcome::Refused), "{word}");
}

#[tokio::test]
async fn a_good_delivery_is_applied_and_acknowledged() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	let host_ca = world.register(AnchorKind::SshHostCa);
	let certificate = world.host_certificate(&host_ca);
	world.publish(
		1,
		vec![
			user_ca(&ca),
			principals("root", &["admin", "ops@acme"]),
			principals("pilot", &[]),
			Item::SshHostCertificate { certificate: certificate.clone() },
			Item::SshKnownHostCa { anchor: host_ca.anchor, hosts: vec!["*.acme.example".into()] },
		],
	);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "");
	assert!(world.trusts(&ca));
	assert_eq!(world.file("principals/root"), "admin\nops@acme\n");
	assert_eq!(world.file("principals/pilot"), "");
	assert!(world.current().join("principals/pilot").exists());
	let written = world.file("host_certificate.pub");
	assert_eq!(written.split_whitespace().nth(1), certificate.split_whitespace().nth(1));
	assert!(world.file("sshd.conf").contains("HostCertificate "));
	assert!(
		world
			.file("known_hosts")
			.starts_with("@cert-authority *.acme.example ssh-ed25519 ")
	);
	let chain = world.chain.clone();
	let due = world.agent().due_acknowledgement(&chain).await.unwrap().unwrap();
	assert_eq!((due.seen.sequence, due.outcome), (1, Outcome::Applied));
	// Nothing changes on the next block.
	let generation = world.generation();
	world.step().await.unwrap();
	assert_eq!(world.generation(), generation);
	let status = dpki_agent::status::Status::read(&world.config.state).unwrap().unwrap();
	assert_eq!((status.sequence, status.device_status.as_str()), (Some(1), "valid"));
	assert!(status.ssh.host_certificate && status.error.is_none());
}

#[tokio::test]
async fn an_acknowledgement_is_due_until_the_chain_shows_it() {
	let (mut world, _) = applied_world().await;
	let chain = world.chain.clone();
	let due = world.agent().due_acknowledgement(&chain).await.unwrap().unwrap();
	world.chain.acknowledgement = Some(dpki_client::primitives::delivery::Acknowledgement {
		sequence: due.seen.sequence,
		digest: due.seen.digest,
		outcome: due.outcome,
		at: NOW,
	});
	let chain = world.chain.clone();
	assert_eq!(world.agent().due_acknowledgement(&chain).await.unwrap(), None);
	world.agent().report(None);
	assert_eq!(world.agent().status().acknowledged, Some(5));
}

#[tokio::test]
async fn what_a_newer_delivery_does_not_name_is_taken_away() {
	let (mut world, ca) = applied_world().await;
	let next = world.register(AnchorKind::SshUserCa);
	world.publish(6, vec![user_ca(&next), principals("pilot", &["pilot"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&next) && !world.trusts(&ca));
	assert!(!world.current().join("principals/root").exists());
}

#[tokio::test]
async fn an_older_sequence_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.publish(4, vec![]);
	assert_refused(&mut world, &ca, "older sequence", None).await;
	world.restart();
	assert_refused(&mut world, &ca, "older sequence", None).await;
}

#[tokio::test]
async fn the_same_sequence_with_another_blob_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.publish(5, vec![]);
	assert_refused(&mut world, &ca, "other blob", None).await;
	world.restart();
	assert_refused(&mut world, &ca, "other blob", None).await;
}

#[tokio::test]
async fn a_delivery_of_another_organisation_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![]);
	world.chain.delivery.as_mut().unwrap().organisation = OrganisationId([9; 32]);
	let reason = Some(RefusalReason::EnvelopeInvalid);
	assert_refused(&mut world, &ca, "other organisation", reason).await;
}

#[tokio::test]
async fn a_publisher_without_the_role_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![]);
	world.chain.roles.insert(PUBLISHER, RoleSet::EMPTY);
	let reason = Some(RefusalReason::EnvelopeInvalid);
	assert_refused(&mut world, &ca, "sender not publisher", reason).await;
	// Losing the role later takes nothing away that was applied.
	world.restart();
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
}

#[tokio::test]
async fn a_flipped_bit_is_refused() {
	let (mut world, ca) = applied_world().await;
	for position in [0, 40, 1000] {
		let sequence = 6 + position as u64;
		world.publish(sequence, vec![]);
		let record = world.chain.delivery.as_mut().unwrap();
		let mut blob = world.blobs.0.lock().unwrap().remove(&record.digest).unwrap();
		blob[position] ^= 1;
		// The blob is the one that the chain names, so only the envelope can tell.
		record.digest = BlobDigest::of(&blob);
		world.blobs.0.lock().unwrap().insert(record.digest, blob);
		let reason = Some(RefusalReason::EnvelopeInvalid);
		assert_refused(&mut world, &ca, "envelope invalid", reason).await;
	}
}

#[tokio::test]
async fn a_blob_that_is_not_the_one_of_the_record_is_not_opened() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![]);
	let digest = world.chain.delivery.as_ref().unwrap().digest;
	world.blobs.0.lock().unwrap().get_mut(&digest).unwrap()[3] ^= 1;
	assert_refused(&mut world, &ca, "blob unavailable", None).await;
}

#[tokio::test]
async fn a_delivery_for_another_device_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.publish_for(DeviceId([9; 32]), 6, vec![]);
	let reason = Some(RefusalReason::EnvelopeInvalid);
	assert_refused(&mut world, &ca, "envelope invalid", reason).await;
}

#[tokio::test]
async fn a_delivery_replayed_under_a_new_number_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.chain.delivery.as_mut().unwrap().sequence = 6;
	let reason = Some(RefusalReason::EnvelopeInvalid);
	assert_refused(&mut world, &ca, "envelope invalid", reason).await;
}

#[tokio::test]
async fn a_delivery_for_another_key_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![]);
	world.chain.delivery.as_mut().unwrap().recipient = dpki_client::primitives::ids::KeyId([9; 32]);
	let reason = Some(RefusalReason::EnvelopeInvalid);
	assert_refused(&mut world, &ca, "other recipient", reason).await;
}

#[tokio::test]
async fn a_bundle_with_an_anchor_that_is_not_good_is_refused() {
	let reason = Some(RefusalReason::BundleInvalid);
	let (mut world, ca) = applied_world().await;
	let revoked = world.register(AnchorKind::SshUserCa);
	world.anchor(revoked.anchor).revocation = Some(revocation());
	let foreign = world.register_for(AnchorKind::SshUserCa, OrganisationId([9; 32]));
	let host_ca = world.register(AnchorKind::SshHostCa);
	let unknown = Ca { key: new_key(), anchor: dpki_client::primitives::ids::AnchorId([9; 32]) };
	for (sequence, bad) in (6..).zip([&revoked, &foreign, &host_ca, &unknown]) {
		world.publish(sequence, vec![user_ca(&ca), user_ca(bad), principals("root", &["all"])]);
		assert_refused(&mut world, &ca, "bundle invalid", reason).await;
	}
}

#[tokio::test]
async fn a_retired_anchor_is_still_believed() {
	let (mut world, ca) = applied_world().await;
	world.anchor(ca.anchor).retired_at = Some(NOW);
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	world.publish(6, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	assert_eq!(world.agent().status().sequence, Some(6));
}

#[tokio::test]
async fn names_that_are_paths_or_options_are_refused() {
	let (mut world, ca) = applied_world().await;
	let reason = Some(RefusalReason::BundleInvalid);
	for (sequence, login) in (6..).zip(["..", ".ssh", "-o", "%u"]) {
		world.publish(sequence, vec![user_ca(&ca), principals(login, &["admin"])]);
		assert_refused(&mut world, &ca, "bundle invalid", reason).await;
	}
	world.publish(20, vec![user_ca(&ca), principals("root", &["admin;x"])]);
	assert_refused(&mut world, &ca, "bundle invalid", reason).await;
	let hosts = vec!["@revoked".into()];
	let host_ca = world.register(AnchorKind::SshHostCa);
	world.publish(21, vec![Item::SshKnownHostCa { anchor: host_ca.anchor, hosts }]);
	assert_refused(&mut world, &ca, "bundle invalid", reason).await;
	let hosts = vec![];
	world.publish(22, vec![Item::SshKnownHostCa { anchor: host_ca.anchor, hosts }]);
	assert_refused(&mut world, &ca, "bundle invalid", reason).await;
}

#[tokio::test]
async fn a_host_certificate_that_is_not_ours_is_refused() {
	let (mut world, ca) = applied_world().await;
	let reason = Some(RefusalReason::BundleInvalid);
	let host_ca = world.register(AnchorKind::SshHostCa);
	let revoked_ca = world.register(AnchorKind::SshHostCa);
	world.anchor(revoked_ca.anchor).revocation = Some(revocation());
	let foreign_ca = world.register_for(AnchorKind::SshHostCa, OrganisationId([9; 32]));
	let unknown_ca = Ca { key: new_key(), anchor: host_ca.anchor };
	let serial_ca = world.register(AnchorKind::SshHostCa);
	let by_serial = world.host_certificate(&serial_ca);
	let serial = ssh_key::Certificate::from_openssh(&by_serial).unwrap().serial();
	world.revoke(serial_ca.anchor, SshSubject::Serial(serial));
	let by_key_ca = world.register(AnchorKind::SshHostCa);
	let host_print = dpki_client::ssh::fingerprint(&world.keys().host);
	world.revoke(by_key_ca.anchor, SshSubject::KeyFingerprint(host_print));
	let other_host = dpki_client::ssh::HostCertificate {
		key_id: "other".into(),
		principals: vec!["other".into()],
		valid_from: 0,
		valid_until: NOW,
	};
	let other_key = new_key();
	let other_host = dpki_client::ssh::sign_host(&host_ca.key, other_key.public_key(), &other_host);
	let user = dpki_client::ssh::UserCertificate {
		key_id: "user".into(),
		principals: vec!["user".into()],
		valid_from: 0,
		valid_until: NOW,
		extensions: vec![],
	};
	let user = dpki_client::ssh::sign_user(&host_ca.key, &world.keys().host, &user);
	let good = world.host_certificate(&host_ca);
	// One character of the signature, far from the padding of the base64.
	let mut forged = good.clone().into_bytes();
	let at = good.rfind(' ').filter(|at| *at > 100).unwrap_or(good.len()) - 20;
	forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
	let bad = [
		("expired", world.host_certificate_until(&host_ca, NOW / 1000 - 10)),
		("revoked CA", world.host_certificate(&revoked_ca)),
		("foreign CA", world.host_certificate(&foreign_ca)),
		("unknown CA", world.host_certificate(&unknown_ca)),
		("revoked serial", by_serial),
		("revoked host key", world.host_certificate(&by_key_ca)),
		("another host", other_host.unwrap().to_openssh().unwrap()),
		("user certificate", user.unwrap().to_openssh().unwrap()),
		("forged", String::from_utf8(forged).unwrap()),
		("no certificate", "ssh-ed25519-cert-v01@openssh.com AAAA".into()),
	];
	for (sequence, (case, certificate)) in (6..).zip(bad) {
		println!("{case}");
		world.publish(sequence, vec![user_ca(&ca), Item::SshHostCertificate { certificate }]);
		assert_refused(&mut world, &ca, "bundle invalid", reason).await;
	}
	world.publish(50, vec![user_ca(&ca), Item::SshHostCertificate { certificate: good }]);
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(50));
}

#[tokio::test]
async fn a_blob_that_cannot_be_had_is_asked_for_again_and_told_late() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![user_ca(&ca), principals("root", &["new"])]);
	let digest = world.chain.delivery.as_ref().unwrap().digest;
	let blob = world.blobs.0.lock().unwrap().remove(&digest).unwrap();
	assert_refused(&mut world, &ca, "blob unavailable", None).await;
	// At once it is not asked for again.
	let chain = world.chain.clone();
	assert_eq!(world.agent().wanted(&chain).await.unwrap(), None);
	for _ in 0..4 {
		world.chain.head.time += 60_000;
		world.step().await.unwrap();
	}
	let chain = world.chain.clone();
	let due = world.agent().due_acknowledgement(&chain).await.unwrap().unwrap();
	assert_eq!(due.outcome, Outcome::Refused(RefusalReason::BlobUnavailable));
	assert_eq!(world.file("principals/root"), "admin\n");
	// When it comes at last it is applied, and the chain is told that too.
	world.restart();
	world.blobs.0.lock().unwrap().insert(digest, blob);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "new\n");
	let chain = world.chain.clone();
	let due = world.agent().due_acknowledgement(&chain).await.unwrap().unwrap();
	assert_eq!(due.outcome, Outcome::Applied);
}

#[tokio::test]
async fn a_delivery_that_was_refused_is_not_fetched_again() {
	let (mut world, ca) = applied_world().await;
	world.publish_for(DeviceId([9; 32]), 6, vec![]);
	world.step().await.unwrap();
	world.blobs.0.lock().unwrap().clear();
	for _ in 0..2 {
		let chain = world.chain.clone();
		assert_eq!(world.agent().wanted(&chain).await.unwrap(), None);
		world.restart();
	}
	assert!(world.trusts(&ca));
}

#[tokio::test]
async fn a_stale_head_brings_nothing_new() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![]);
	world.chain.head.time = clock() - 700_000;
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	assert!(world.agent().status().head.as_ref().unwrap().stale);
	// What it revokes counts: a revocation is never taken back.
	world.anchor(ca.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&ca));
	assert_eq!(world.agent().status().sequence, Some(5));
}
