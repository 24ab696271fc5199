//! A host key that somebody else has made, beside that of the device.

use crate::{appliers::refused, world::*};
use dpki_client::{
	Item,
	bundle::Secret,
	primitives::{anchor::AnchorKind, delivery::Outcome},
	ssh::{HostCertificate, sign_host},
};
use ssh_key::{Algorithm, EcdsaCurve, LineEnding, PrivateKey, rand_core::OsRng};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// A key of another type than that of the device.
pub fn other_type() -> PrivateKey {
	let algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
	PrivateKey::random(&mut OsRng, algorithm).unwrap()
}

pub fn secret(key: &PrivateKey) -> Secret {
	Secret::from(key.to_openssh(LineEnding::LF).unwrap().as_bytes())
}

pub fn host_key(key: &PrivateKey) -> Item {
	Item::SshHostKey { private: secret(key) }
}

fn certificate(ca: &Ca, key: &PrivateKey) -> Item {
	let content = HostCertificate {
		serial: None,
		key_id: "drone-7".into(),
		principals: vec!["drone-7.acme.example".into()],
		valid_from: NOW / 1000 - 60,
		valid_until: NOW / 1000 + 3600,
	};
	let certificate = sign_host(&ca.key, key.public_key(), &content).unwrap();
	Item::SshHostCertificate { certificate: certificate.to_openssh().unwrap() }
}

impl World {
	/// A device whose configuration lets sshd have a delivered host key; sshd has none but its own.
	pub fn with_host_key(mut self) -> Self {
		let main = self.place("sshd_config");
		fs::write(&main, "").unwrap();
		self.config.ssh.sshd_config = Some(main);
		self.config.apply.host_key = true;
		self.config.validate().unwrap();
		self.restart();
		self
	}

	/// The files of delivered host keys.
	pub fn host_keys(&self) -> Vec<PathBuf> {
		let entries = fs::read_dir(self.config.ssh.directory.join("host_keys"));
		entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
	}

	/// The host keys that sshd is told of, the own one first.
	pub fn told_host_keys(&self) -> Vec<String> {
		let text = self.file("sshd.conf");
		text.lines()
			.filter_map(|line| line.strip_prefix("HostKey "))
			.map(str::to_owned)
			.collect()
	}

	/// A main configuration of sshd with these lines, and a reload that adds a line to the file `reloads`, and fails as long
	/// as there is a file `fail`.
	fn with_sshd_config(mut self, lines: &str) -> Self {
		let (main, reload) = (self.dir.path().join("sshd_config"), self.dir.path().join("reload"));
		fs::write(&main, lines).unwrap();
		let (log, fail) = (self.dir.path().join("reloads"), self.dir.path().join("fail"));
		let (log, fail) = (log.display(), fail.display());
		write_script(&reload, &format!("#!/bin/sh\necho told >> {log}\n[ ! -e {fail} ]\n"));
		self.config.ssh.sshd_config = Some(main);
		self.config.ssh.reload = vec![reload.display().to_string()];
		self.restart();
		self
	}
}

#[tokio::test]
async fn a_delivered_host_key_stands_beside_the_own_one_and_goes_with_its_delivery() {
	let mut world = World::new().with_host_key().with_sshd_config("");
	let own = world.config.ssh.host_key.display().to_string();
	let (first, second) = (other_type(), other_type());
	world.publish(1, vec![principals("root", &["ops"]), host_key(&first)]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
	let files = world.host_keys();
	let [file] = &files[..] else { panic!("{files:?}") };
	assert_eq!(world.told_host_keys(), [own.clone(), file.display().to_string()]);
	let found = fs::metadata(file).unwrap().permissions().mode() & 0o777;
	let directory = fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777;
	assert_eq!((found, directory), (0o600, 0o700));
	assert_eq!(PrivateKey::read_openssh_file(file).unwrap().public_key(), first.public_key());
	assert_eq!(world.told("reloads"), 1);
	let told = world.agent().status().ssh.delivered_host_key.clone();
	assert_eq!(told, Some(dpki_client::ssh::fingerprint_text(first.public_key())));
	// A further generation has the same key, and no copy of it.
	world.publish(2, vec![principals("root", &["more"]), host_key(&first)]);
	world.step().await.unwrap();
	assert_eq!((world.host_keys(), world.told("reloads")), (files.clone(), 1));
	world.publish(3, vec![host_key(&second)]);
	world.step().await.unwrap();
	assert!(world.host_keys().len() == 1 && world.host_keys() != files, "the old one is gone");
	world.publish(4, vec![]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert_eq!((world.told_host_keys(), world.host_keys()), (vec![own], vec![]));
	assert_eq!(world.told("reloads"), 3);
}

#[tokio::test]
async fn without_leave_of_the_configuration_no_host_key_is_taken() {
	let mut world = World::new();
	let items = vec![host_key(&other_type())];
	refused(&mut world, 1, items, "bundle invalid", "cannot put the SSH host key in force").await;
	world.publish(2, vec![principals("root", &["ops"]), host_key(&other_type()).optional()]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert!(world.host_keys().is_empty() && world.told_host_keys().len() == 1);
	// What had leave once and has none any more goes.
	let mut world = World::new().with_host_key();
	let ca = world.register(AnchorKind::SshHostCa);
	let key = new_key();
	world.publish(1, vec![certificate(&ca, &key), host_key(&key), principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(world.told_host_keys().len(), 2);
	world.config.apply.host_key = false;
	world.restart();
	world.step().await.unwrap();
	assert!(world.host_keys().is_empty() && world.told_host_keys().len() == 1);
	assert!(world.file("host_certificate.pub").is_empty(), "there is no key for it");
	assert_eq!(world.file("principals/root"), "ops\n");
}

#[tokio::test]
async fn a_host_key_of_the_own_type_is_of_use_with_a_certificate_only() {
	let mut world = World::new().with_host_key();
	let ca = world.register(AnchorKind::SshHostCa);
	let key = new_key();
	refused(&mut world, 1, vec![host_key(&key)], "bundle invalid", "like the device's own").await;
	let own = Item::SshHostCertificate { certificate: world.host_certificate(&ca) };
	refused(&mut world, 2, vec![own, host_key(&key)], "bundle invalid", "like the device's own")
		.await;
	// In whichever order they come.
	for (sequence, items) in [
		(3, vec![certificate(&ca, &key), host_key(&key)]),
		(4, vec![host_key(&key), certificate(&ca, &key)]),
	] {
		world.publish(sequence, items);
		world.step().await.unwrap();
		assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
	}
	assert!(!world.file("host_certificate.pub").is_empty());
	let other = certificate(&ca, &new_key());
	let words = "is for another host key";
	refused(&mut world, 5, vec![other, host_key(&key)], "bundle invalid", words).await;
	assert_eq!(world.told_host_keys().len(), 2, "what was in force stays so");
}

#[tokio::test]
async fn a_host_key_that_is_no_use_is_refused() {
	let mut world = World::new().with_host_key();
	let own = PrivateKey::read_openssh_file(&world.config.ssh.host_key).unwrap();
	let locked = other_type().encrypt(&mut OsRng, "word").unwrap();
	let junk = Item::SshHostKey { private: Secret::from(&b"no key"[..]) };
	for (sequence, (item, words)) in (1..).zip([
		(host_key(&own), "the device has itself"),
		(host_key(&locked), "has a passphrase"),
		(junk, "not in OpenSSH's form"),
	]) {
		refused(&mut world, sequence, vec![item], "bundle invalid", words).await;
	}
	assert!(world.host_keys().is_empty());
}

#[tokio::test]
async fn a_host_key_never_takes_the_place_of_one_that_the_machine_has() {
	let world = World::new();
	let place = world.dir.path().join("ssh_host_ecdsa_key");
	let machine = other_type();
	machine.write_openssh_file(&place, LineEnding::LF).unwrap();
	let lines = format!("HostKey {}\nMatch User nobody\nX11Forwarding no\n", place.display());
	let mut world = world.with_host_key().with_sshd_config(&lines);
	let words = format!("would take the place of {}", place.display());
	refused(&mut world, 1, vec![host_key(&other_type())], "apply failed", &words).await;
	assert!(world.host_keys().is_empty() && world.told_host_keys().len() == 1);
	// One of which nobody can tell the type may be of that type.
	fs::write(&place, "-----BEGIN EC PRIVATE KEY-----\n").unwrap();
	refused(&mut world, 2, vec![host_key(&other_type())], "apply failed", &words).await;
	fs::remove_file(&place).unwrap();
	world.publish(3, vec![host_key(&other_type())]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
}

#[tokio::test]
async fn a_host_key_that_sshd_complains_of_is_refused() {
	// sshd would start without it.
	let mut world = World::new().with_host_key();
	let real = world.config.ssh.sshd.with_file_name("real");
	fs::rename(&world.config.ssh.sshd, &real).unwrap();
	let text = format!(
		"#!/bin/sh\nsed -n 's/^HostKey \\(.*host_keys.*\\)/Unable to load host key \\1/p' \"$3\" >&2\nexec {} \"$@\"\n",
		real.display()
	);
	write_script(&world.config.ssh.sshd, &text);
	let words = "would not use all";
	refused(&mut world, 1, vec![host_key(&other_type())], "apply failed", words).await;
	assert!(world.host_keys().is_empty(), "nothing is left of it");
}

#[tokio::test]
async fn a_host_key_with_which_sshd_cannot_be_told_goes_back_to_the_old_one() {
	let mut world = World::new().with_host_key().with_sshd_config("");
	let (good, bad) = (other_type(), other_type());
	world.publish(1, vec![principals("root", &["ops"]), host_key(&good)]);
	world.step().await.unwrap();
	let (files, told) = (world.host_keys(), world.told_host_keys());
	fs::write(world.place("fail"), "").unwrap();
	refused(&mut world, 2, vec![host_key(&bad)], "apply failed", "could not be reloaded").await;
	assert_eq!((world.host_keys(), world.told_host_keys()), (files, told));
	assert_eq!(world.file("principals/root"), "ops\n");
}

#[tokio::test]
async fn a_host_key_that_was_altered_on_the_disk_is_put_right_and_sshd_told() {
	let mut world = World::new().with_host_key().with_sshd_config("");
	world.publish(1, vec![host_key(&other_type())]);
	world.step().await.unwrap();
	let file = world.host_keys().remove(0);
	let text = fs::read(&file).unwrap();
	fs::write(&file, "altered").unwrap();
	world.step().await.unwrap();
	assert_eq!((fs::read(&file).unwrap(), world.told("reloads")), (text.clone(), 2));
	fs::remove_file(&file).unwrap();
	world.restart();
	world.step().await.unwrap();
	assert_eq!((fs::read(&file).unwrap(), world.told("reloads")), (text, 3));
	world.step().await.unwrap();
	assert_eq!(world.told("reloads"), 3, "once is enough");
}
