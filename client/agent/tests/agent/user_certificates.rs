//! Certificates for keys of users that the device has made itself: no private key is ever delivered.

use crate::{
	appliers::refused,
	killed::{Work, killed_at},
	stops::{assert_clean, assert_free, assert_thorough},
	user_keys::{login, user_key},
	world::*,
};
use dpki_agent::request::{Ask, RequestError, sign};
use dpki_client::{
	Item,
	device_request::{DeviceRequest, Wanted},
	primitives::{
		anchor::AnchorKind,
		delivery::Outcome,
		ids::OrganisationId,
		revocation::{SshSubject, Withdrawal},
	},
	ssh::{UserCertificate, fingerprint, sign_user, to_public_key},
};
use ssh_key::{Certificate, PrivateKey};
use std::{fs, os::unix::fs::MetadataExt, path::PathBuf};

const HOUR: u64 = 3_600_000;

fn asks(login: &str, principal: &str) -> Ask {
	Ask::SshUser { login: login.into(), principals: vec![principal.into()] }
}

fn user_certificate(certificate: &Certificate) -> Item {
	let certificate = certificate.to_openssh().unwrap();
	Item::SshUserCertificate { login: login(), certificate }
}

/// The line of a certificate as it lies with the user.
fn written(certificate: &Certificate) -> String {
	let bare = Certificate::from_bytes(&certificate.to_bytes().unwrap()).unwrap();
	format!("{}\n", bare.to_openssh().unwrap().trim())
}

impl World {
	async fn asked(&self, ask: Ask) -> Result<DeviceRequest, RequestError> {
		sign(&self.config, &self.chain, ask, HOUR).await
	}

	fn made(&self, login: &str) -> PathBuf {
		self.config.state.join("made-user-keys").join(login).join("0.key")
	}

	/// Has the device make a key for the user, and gives its private half, which is asked of nobody.
	async fn makes_key(&self) -> PrivateKey {
		let request = self.asked(asks(&login(), "crew")).await.unwrap();
		let key = PrivateKey::read_openssh_file(&self.made(&login())).unwrap();
		let Wanted::SshUser { login: of, key: public, principals, .. } = request.wanted else {
			panic!("it asks for a user")
		};
		assert_eq!((of, principals), (login(), vec!["crew".to_owned()]));
		assert_eq!(Some(public), to_public_key(key.public_key()));
		key
	}
}

#[tokio::test]
async fn a_user_proves_itself_by_a_key_that_the_device_has_made_and_no_one_else_knows() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = world.makes_key().await;
	assert_eq!(world.home(), [""; 0], "it is of no use yet");
	assert_eq!(world.makes_key().await.public_key(), key.public_key(), "a renewal is for it, too");
	let (first, second) = (world.user_certificate(&ca, &key), world.user_certificate(&ca, &key));
	let comment = format!("{} what=ever", first.to_openssh().unwrap());
	let item = Item::SshUserCertificate { login: login(), certificate: comment };
	world.publish(1, vec![item]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	assert_eq!((world.mode("home/id_dpki"), world.mode("home/id_dpki-cert.pub")), (0o600, 0o644));
	let placed = PrivateKey::read_openssh_file(&world.place("home/id_dpki")).unwrap();
	assert_eq!(placed.public_key().key_data(), key.public_key().key_data());
	assert_eq!(world.text("home/id_dpki-cert.pub"), written(&first));
	// It is renewed, and taken away; the key stays where it was made, for the next one.
	world.publish(2, vec![user_certificate(&second)]);
	world.step().await.unwrap();
	assert_eq!(world.text("home/id_dpki-cert.pub"), written(&second));
	world.publish(3, vec![]);
	world.step().await.unwrap();
	assert_eq!((world.verdict(), world.home()), (Some(Outcome::Applied), vec![]));
	assert!(world.generations_of_key().is_empty());
	world.publish(4, vec![user_certificate(&first)]);
	world.step().await.unwrap();
	assert_eq!(world.text("home/id_dpki-cert.pub"), written(&first));
	// A CA that goes takes nothing away.
	world.anchor(ca.anchor).revocation = Some(revocation());
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	assert_eq!(world.agent().status().error, None);
	// Whoever removes the key where it was made takes it from the user, and holds nothing else up.
	fs::remove_file(world.made(&login())).unwrap();
	world.step().await.unwrap();
	assert_eq!((world.home(), world.agent().status().error.clone()), (vec![], None));
	assert!(world.generations_of_key().is_empty());
	world.on(2).publish(1, vec![principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "ops\n");
}

#[tokio::test]
async fn a_key_that_others_know_does_not_pass_for_one_that_the_device_has_made() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let delivered = new_key();
	let certificate = world.user_certificate(&ca, &delivered);
	let with_key = user_key(&delivered, Some(certificate.to_openssh().unwrap()));
	world.publish(1, vec![with_key]);
	world.step().await.unwrap();
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	let words = "a key that this device has not made";
	refused(&mut world, 2, vec![user_certificate(&certificate)], "bundle invalid", words).await;
	// Neither on another channel, nor when the one that brought the key gives way to it.
	world.on(2).publish(1, vec![user_certificate(&certificate)]);
	world.step().await.unwrap();
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	world.on(0).publish(3, vec![]);
	world.step().await.unwrap();
	assert_eq!((world.verdict(), world.home()), (Some(Outcome::Applied), vec![]));
}

#[tokio::test]
async fn whoever_has_the_account_later_inherits_no_key() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = world.makes_key().await;
	world.publish(1, vec![user_certificate(&world.user_certificate(&ca, &key))]);
	world.step().await.unwrap();
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	// It was made for an account of another number.
	let owner = world.made(&login()).with_file_name("uid");
	let uid = fs::metadata(world.place("home")).unwrap().uid();
	assert_eq!(fs::read_to_string(&owner).unwrap(), format!("{uid}\n"));
	fs::write(&owner, format!("{}\n", uid + 1)).unwrap();
	world.step().await.unwrap();
	assert_eq!((world.home(), world.agent().status().error.clone()), (vec![], None));
	assert!(world.generations_of_key().is_empty() && !world.made(&login()).exists());
	let again = world.makes_key().await;
	assert_ne!(again.public_key(), key.public_key());
	let item = user_certificate(&world.user_certificate(&ca, &key));
	let words = "a key that this device has not made";
	refused(&mut world, 2, vec![item], "bundle invalid", words).await;
	world.publish(3, vec![user_certificate(&world.user_certificate(&ca, &again))]);
	world.step().await.unwrap();
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	// What the configuration does not name goes with whatever is asked for next.
	world.config.apply.user_keys.clear();
	world.asked(Ask::SshHost(vec!["drone-7.acme.example".into()])).await.unwrap();
	assert!(!world.made(&login()).exists());
}

#[tokio::test]
async fn a_key_of_its_own_takes_the_place_of_one_that_was_delivered() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let (own, delivered) = (world.makes_key().await, new_key());
	let placed = |world: &World| {
		let key = PrivateKey::read_openssh_file(&world.place("home/id_dpki")).unwrap();
		key.public_key().key_data().clone()
	};
	let certificate = world.user_certificate(&ca, &delivered).to_openssh().unwrap();
	world.publish(1, vec![user_key(&delivered, Some(certificate))]);
	world.step().await.unwrap();
	assert_eq!(&placed(&world), delivered.public_key().key_data());
	let certificate = world.user_certificate(&ca, &own);
	world.publish(2, vec![user_certificate(&certificate)]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert_eq!(&placed(&world), own.public_key().key_data());
	assert_eq!(world.text("home/id_dpki-cert.pub"), written(&certificate));
	assert_eq!(world.generations_of_key().len(), 1, "the one that others know is destroyed");
}

#[tokio::test]
async fn a_certificate_that_is_not_for_the_key_of_the_device_or_of_a_ca_of_its_own_is_refused() {
	let mut world = World::new().with_user_key();
	let (ca, host_ca) =
		(world.register(AnchorKind::SshUserCa), world.register(AnchorKind::SshHostCa));
	let foreign = world.register_for(AnchorKind::SshUserCa, OrganisationId([9; 32]));
	let [revoked, expired, unknown] = [0; 3].map(|_| world.register(AnchorKind::SshUserCa));
	world.anchor(revoked.anchor).revocation = Some(revocation());
	world.anchor(expired.anchor).validity.not_after = Some(NOW);
	world.anchor(expired.anchor).retired_at = Some(NOW - 1);
	world.chain.anchors.remove(&unknown.anchor);
	let (by_serial, by_key) =
		(world.register(AnchorKind::SshUserCa), world.register(AnchorKind::SshUserCa));
	let key = world.makes_key().await;
	let serial = world.user_certificate(&by_serial, &key);
	world.revoke(by_serial.anchor, SshSubject::Serial(serial.serial()));
	world.revoke(by_key.anchor, SshSubject::KeyFingerprint(fingerprint(key.public_key())));
	let good = world.user_certificate(&ca, &key);
	let old = UserCertificate {
		serial: None,
		key_id: "old".into(),
		principals: vec!["crew".into()],
		valid_from: NOW / 1000 - 60,
		valid_until: NOW / 1000 - 1,
		extensions: vec![],
	};
	let old = sign_user(&ca.key, key.public_key(), &old).unwrap();
	let (host, other) = (world.host_certificate(&host_ca), world.user_certificate(&ca, &new_key()));
	let by = |ca: &Ca| world.user_certificate(ca, &key).to_openssh().unwrap();
	// The signature stands at the end.
	let mut forged = good.to_bytes().unwrap();
	*forged.last_mut().unwrap() ^= 1;
	let forged = Certificate::from_bytes(&forged).unwrap().to_openssh().unwrap();
	let bad = [
		(other.to_openssh().unwrap(), "a key that this device has not made"),
		(host, "the user certificate is a host certificate"),
		(old.to_openssh().unwrap(), "the user certificate has expired"),
		(by(&unknown), "is signed by a CA that the chain does not know"),
		(by(&host_ca), "is signed by a CA that the chain does not know"),
		(by(&foreign), "is signed by a CA of another organisation"),
		(by(&revoked), "is signed by a CA that is revoked"),
		(by(&expired), "is signed by a CA that is expired"),
		(serial.to_openssh().unwrap(), "the user certificate is revoked"),
		(by(&by_key), "the user certificate is revoked"),
		(forged, "is not signed by the CA that it names"),
		("ssh-ed25519-cert-v01@openssh.com AAAA".into(), "the user certificate is malformed"),
	];
	for (sequence, (certificate, words)) in (1..).zip(bad) {
		let item = Item::SshUserCertificate { login: login(), certificate };
		refused(&mut world, sequence, vec![item], "bundle invalid", words).await;
	}
	// For an account of which the configuration says nothing there is no place.
	let certificate = good.to_openssh().unwrap();
	let item = Item::SshUserCertificate { login: "pilot".into(), certificate };
	refused(&mut world, 20, vec![item], "bundle invalid", "SSH user certificate in force").await;
	assert_eq!(world.home(), [""; 0]);
	world.publish(21, vec![user_certificate(&good)]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
}

#[tokio::test]
async fn a_delivery_that_fails_leaves_the_certificate_of_before() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = world.makes_key().await;
	let (first, second) = (world.user_certificate(&ca, &key), world.user_certificate(&ca, &key));
	world.publish(1, vec![user_certificate(&first)]);
	world.step().await.unwrap();
	let good = fs::read_to_string(&world.config.ssh.sshd).unwrap();
	write_script(&world.config.ssh.sshd, "#!/bin/sh\necho 'no such cipher' >&2\nexit 1\n");
	let items = vec![user_certificate(&second), principals("root", &["ops"])];
	refused(&mut world, 2, items, "apply failed", "no such cipher").await;
	assert_eq!(world.text("home/id_dpki-cert.pub"), written(&first));
	write_script(&world.config.ssh.sshd, &good);
	world.publish(3, vec![user_certificate(&second)]);
	world.step().await.unwrap();
	assert_eq!(world.text("home/id_dpki-cert.pub"), written(&second));
}

#[tokio::test]
async fn a_user_has_its_old_certificate_or_its_new_one() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = world.makes_key().await;
	let mut before = world.user_certificate(&ca, &key);
	world.publish(1, vec![user_certificate(&before)]);
	world.step().await.unwrap();
	let private = world.text("home/id_dpki");
	let mut stops = Vec::new();
	for number in 0.. {
		let next = world.user_certificate(&ca, &key);
		world.publish(number as u64 + 2, vec![user_certificate(&next)]);
		let stopped = killed_at(&mut world, Work::Converge, number);
		let between = world.text("home/id_dpki-cert.pub");
		assert!([written(&before), written(&next)].contains(&between), "{stopped:?}: {between}");
		assert_eq!(world.text("home/id_dpki"), private, "{stopped:?}");
		assert_free(&world);
		world.restart();
		world.step().await.unwrap();
		assert_eq!(world.verdict(), Some(Outcome::Applied), "{stopped:?}");
		assert_eq!(world.text("home/id_dpki-cert.pub"), written(&next), "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		before = next;
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 15, &["write the one beside", "/id_dpki-cert.pub"]);
}

#[tokio::test]
async fn no_key_is_made_for_an_account_that_could_not_use_it() {
	let mut world = World::new().with_user_key();
	let nowhere = world.place("home/nobody");
	world.config.apply.user_keys.insert("no-such-account".into(), nowhere);
	let refused = world.asked(asks("no-such-account", "crew")).await.unwrap_err();
	assert!(matches!(&refused, RequestError::NoAccount(login) if login == "no-such-account"));
	assert!(refused.to_string().contains("no account no-such-account"), "{refused}");
	let refused = world.asked(asks("pilot", "crew")).await.unwrap_err();
	assert!(matches!(&refused, RequestError::NoUserKey(_)), "{refused}");
	for (login, principal) in [("../ops", "crew"), (&*login(), "a b"), (&*login(), "")] {
		let refused = world.asked(asks(login, principal)).await;
		assert!(matches!(refused, Err(RequestError::Name(_))), "{login} {principal}");
	}
	world.chain.device.as_mut().unwrap().withdrawal = Withdrawal::Revoked(revocation());
	let refused = world.asked(asks(&login(), "crew")).await;
	assert!(matches!(refused, Err(RequestError::NotEnrolled)));
	assert!(!world.config.state.join("made-user-keys").exists());
	world.chain.device.as_mut().unwrap().withdrawal = Withdrawal::None;
	world.makes_key().await;
	fs::write(world.made(&login()), "damaged").unwrap();
	let refused = world.asked(asks(&login(), "crew")).await;
	assert!(matches!(refused, Err(RequestError::UserKey(_))));
}
