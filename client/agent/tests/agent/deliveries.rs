//! What is taken, and what is refused.

use crate::world::*;
use dpki_client::{
	Item,
	primitives::{
		anchor::AnchorKind,
		delivery::{Outcome, RefusalReason},
		ids::{AnchorId, BlobDigest, DeviceId, KeyId, OrganisationId},
		organisation::RoleSet,
		revocation::SshSubject,
	},
};
use ssh_key::{
	certificate::{Builder, CertType},
	rand_core::OsRng,
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
	let due = world.due().await;
	assert_eq!(due.map(|verdict| verdict.outcome), reason.map(Outcome::Refused), "{word}");
}

/// The next delivery is refused for its bundle, by the rule whose sentence has these words.
async fn assert_bundle_refused(world: &mut World, ca: &Ca, words: &str) {
	assert_refused(world, ca, "bundle invalid", Some(RefusalReason::BundleInvalid)).await;
	let sequence = world.chain.delivery.as_ref().map(|record| record.sequence);
	let refusal = world.agent().status().last_refusal.clone().unwrap();
	assert_eq!(Some(refusal.sequence), sequence);
	assert!(refusal.sentence.contains(words), "{words}: {}", refusal.sentence);
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
	let due = world.due().await.unwrap();
	assert_eq!((due.seen.sequence, due.outcome), (1, Outcome::Applied));
	// Nothing changes on the next block.
	let generation = world.generation();
	world.step().await.unwrap();
	assert_eq!(world.generation(), generation);
	let status = dpki_agent::status::Status::read(&world.config.status_path()).unwrap().unwrap();
	assert_eq!((status.sequence, status.device_status.as_str()), (Some(1), "valid"));
	assert!(status.ssh.host_certificate && status.error.is_none());
}

#[tokio::test]
async fn an_acknowledgement_is_due_until_the_chain_shows_it() {
	let (mut world, _) = applied_world().await;
	let due = world.due().await.unwrap();
	world.chain.acknowledgement = Some(dpki_client::primitives::delivery::Acknowledgement {
		sequence: due.seen.sequence,
		digest: due.seen.digest,
		outcome: due.outcome,
		at: NOW,
	});
	assert_eq!(world.due().await, None);
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
	assert_refused(&mut world, &ca, "blob mismatch", None).await;
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
	world.chain.delivery.as_mut().unwrap().recipient = KeyId([9; 32]);
	let reason = Some(RefusalReason::EnvelopeInvalid);
	assert_refused(&mut world, &ca, "other recipient", reason).await;
}

#[tokio::test]
async fn a_bundle_with_an_anchor_that_is_not_good_is_refused() {
	let (mut world, ca) = applied_world().await;
	let revoked = world.register(AnchorKind::SshUserCa);
	world.anchor(revoked.anchor).revocation = Some(revocation());
	let expired = world.register(AnchorKind::SshUserCa);
	world.anchor(expired.anchor).validity.not_after = Some(NOW);
	let retired_and_expired = world.register(AnchorKind::SshUserCa);
	world.anchor(retired_and_expired.anchor).validity.not_after = Some(NOW);
	world.anchor(retired_and_expired.anchor).retired_at = Some(NOW - 1);
	let foreign = world.register_for(AnchorKind::SshUserCa, OrganisationId([9; 32]));
	let host_ca = world.register(AnchorKind::SshHostCa);
	let unknown = Ca { key: new_key(), anchor: AnchorId([9; 32]) };
	let without_key = world.register(AnchorKind::SshUserCa);
	world.chain.anchors.get_mut(&without_key.anchor).unwrap().1.clear();
	let no_key = world.register(AnchorKind::SshUserCa);
	world.chain.anchors.get_mut(&no_key.anchor).unwrap().1 = vec![1, 2, 3];
	let bad = [
		(&revoked, "is revoked"),
		(&expired, "is expired"),
		(&retired_and_expired, "is expired"),
		(&foreign, "belongs to another organisation"),
		(&host_ca, "is of the kind ssh-host-ca, not ssh-user-ca"),
		(&unknown, "is unknown"),
		(&without_key, "has no key"),
		(&no_key, "is no SSH key"),
	];
	for (sequence, (bad, words)) in (6..).zip(bad) {
		world.publish(sequence, vec![user_ca(&ca), user_ca(bad), principals("root", &["all"])]);
		assert_bundle_refused(&mut world, &ca, words).await;
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
async fn items_that_break_the_rules_of_bundles_are_refused() {
	let (mut world, ca) = applied_world().await;
	let host_ca = world.register(AnchorKind::SshHostCa);
	let certificate = world.host_certificate(&host_ca);
	let certificate = Item::SshHostCertificate { certificate };
	let no_hosts = Item::SshKnownHostCa { anchor: host_ca.anchor, hosts: vec![] };
	let mut bad: Vec<(Vec<Item>, &str)> = ["..", ".ssh", "-o", "%u", "a/b"]
		.map(|login| (vec![principals(login, &["admin"])], "a login name"))
		.into();
	bad.extend([
		(vec![principals("root", &["admin;x"])], "a principal"),
		(vec![known_host_ca(&host_ca, "@revoked")], "a host pattern"),
		(vec![no_hosts], "without hosts"),
		(vec![principals("root", &["a"]), principals("root", &["b"])], "root twice"),
		(vec![certificate.clone(), certificate.clone()], "twice"),
	]);
	for (sequence, (items, words)) in (6..).zip(bad) {
		world.publish_forged(sequence, [vec![user_ca(&ca)], items].concat());
		assert_bundle_refused(&mut world, &ca, words).await;
	}
	// What is not forged at all passes this way too.
	world.publish_forged(50, vec![user_ca(&ca), principals("root", &["admin"]), certificate]);
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(50));
}

#[tokio::test]
async fn a_host_certificate_that_is_not_ours_is_refused() {
	let (mut world, ca) = applied_world().await;
	let host_ca = world.register(AnchorKind::SshHostCa);
	let expired_ca = world.register(AnchorKind::SshHostCa);
	world.anchor(expired_ca.anchor).validity.not_after = Some(NOW);
	world.anchor(expired_ca.anchor).retired_at = Some(NOW - 1);
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
		serial: None,
		key_id: "other".into(),
		principals: vec!["other".into()],
		valid_from: 0,
		valid_until: NOW,
	};
	let other_key = new_key();
	let other_host = dpki_client::ssh::sign_host(&host_ca.key, other_key.public_key(), &other_host);
	let user = dpki_client::ssh::UserCertificate {
		serial: None,
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
	let with_options = || -> ssh_key::Result<String> {
		let key = world.keys().host.key_data().clone();
		let (from, until) = (NOW / 1000 - 60, NOW / 1000 + 3600);
		let mut builder = Builder::new_with_random_nonce(&mut OsRng, key, from, until)?;
		builder.cert_type(CertType::Host)?.valid_principal("drone-7")?;
		builder.critical_option("force-command", "true")?;
		builder.sign(&host_ca.key)?.to_openssh()
	};
	let bad = [
		(world.host_certificate_until(&host_ca, NOW / 1000 - 10), "has expired"),
		(world.host_certificate(&revoked_ca), "is signed by a CA that is revoked"),
		(world.host_certificate(&expired_ca), "is signed by a CA that is expired"),
		(world.host_certificate(&foreign_ca), "is signed by a CA of another organisation"),
		(world.host_certificate(&unknown_ca), "is signed by a CA that the chain does not know"),
		(by_serial, "the host certificate is revoked"),
		(world.host_certificate(&by_key_ca), "the host certificate is revoked"),
		(other_host.unwrap().to_openssh().unwrap(), "is for another host key"),
		(user.unwrap().to_openssh().unwrap(), "is a user certificate"),
		(with_options().unwrap(), "has critical options"),
		(String::from_utf8(forged).unwrap(), "is not signed by the CA that it names"),
		("ssh-ed25519-cert-v01@openssh.com AAAA".into(), "is malformed"),
	];
	for (sequence, (certificate, words)) in (6..).zip(bad) {
		world.publish(sequence, vec![user_ca(&ca), Item::SshHostCertificate { certificate }]);
		assert_bundle_refused(&mut world, &ca, words).await;
	}
	world.publish(50, vec![user_ca(&ca), Item::SshHostCertificate { certificate: good }]);
	world.step().await.unwrap();
	assert_eq!(world.agent().status().sequence, Some(50));
}

/// By the time of the chain, which is the only clock that tells when a blob is asked for again.
#[tokio::test]
async fn the_pauses_between_attempts_to_fetch_a_blob_double_up_to_five_minutes() {
	let (mut world, ca) = applied_world().await;
	world.publish(6, vec![user_ca(&ca), principals("root", &["new"])]);
	world.blobs.0.lock().unwrap().clear();
	world.step().await.unwrap();
	let mut pauses = Vec::new();
	for _ in 2..=12 {
		let asked_at = world.chain.head.time;
		let mut chain = world.chain.clone();
		// The earliest moment, in whole seconds, at which it is asked for.
		let mut pause = 1;
		loop {
			chain.head.time = asked_at + pause * 1000 - 1;
			assert_eq!(world.agent().wanted(&chain).await.unwrap(), [], "before {pause} s");
			chain.head.time += 1;
			if !world.agent().wanted(&chain).await.unwrap().is_empty() {
				break;
			}
			pause += 1;
		}
		pauses.push(pause);
		// `step` adds a second of its own.
		world.chain.head.time = asked_at + (pause - 1) * 1000;
		world.step().await.unwrap();
	}
	assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
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
	assert_eq!(world.agent().wanted(&chain).await.unwrap(), []);
	for _ in 0..4 {
		world.chain.head.time += 60_000;
		world.step().await.unwrap();
	}
	let due = world.due().await.unwrap();
	assert_eq!(due.outcome, Outcome::Refused(RefusalReason::BlobUnavailable));
	assert_eq!(world.file("principals/root"), "admin\n");
	// When it comes at last it is applied, and the chain is told that too.
	world.restart();
	world.blobs.0.lock().unwrap().insert(digest, blob);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "new\n");
	let due = world.due().await.unwrap();
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
		assert_eq!(world.agent().wanted(&chain).await.unwrap(), []);
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
