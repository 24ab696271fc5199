//! Private keys of the users of the device, where they look for them.

use crate::{
	appliers::refused,
	host_keys::{other_type, secret},
	world::*,
};
use dpki_client::{
	Item,
	primitives::{anchor::AnchorKind, delivery::Outcome},
};
use ssh_key::{PrivateKey, rand_core::OsRng};
use std::{
	fs::{self, Permissions},
	os::unix::fs::{MetadataExt, PermissionsExt, symlink},
	path::PathBuf,
	process::Command,
};

/// Whoever runs the tests: only that user is sure to own the directory.
pub fn login() -> String {
	let said = Command::new("id").arg("-un").output().unwrap().stdout;
	String::from_utf8(said).unwrap().trim().to_owned()
}

pub fn user_key(key: &PrivateKey, certificate: Option<String>) -> Item {
	Item::SshUserKey { login: login(), private: secret(key), certificate }
}

impl World {
	/// A user with a directory for its key.
	pub fn with_user_key(mut self) -> Self {
		fs::create_dir(self.place("home")).unwrap();
		let path = self.place("home/id_dpki");
		self.config.apply.user_keys.insert(login(), path);
		self.restart();
		self
	}

	/// The names of the files that lie with the user, and nothing more.
	pub fn home(&self) -> Vec<String> {
		let entries = fs::read_dir(self.place("home")).unwrap();
		let names = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
		let mut names: Vec<_> = names.collect();
		names.sort();
		names
	}

	pub fn mode(&self, name: &str) -> u32 {
		fs::metadata(self.place(name)).unwrap().permissions().mode() & 0o777
	}

	pub fn generations_of_key(&self) -> Vec<PathBuf> {
		let directory = self.config.state.join("user-keys").join(login()).join("generations");
		let entries = fs::read_dir(directory).unwrap();
		entries
			.map(|entry| entry.unwrap().path().join("key"))
			.filter(|it| it.exists())
			.collect()
	}
}

#[tokio::test]
async fn a_user_finds_its_key_where_it_looks_for_it_as_long_as_it_is_delivered() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let (first, second) = (new_key(), other_type());
	let certificate = world.user_certificate(&ca, &first).to_openssh().unwrap();
	world.publish(1, vec![user_key(&first, Some(format!("{certificate} what=ever")))]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
	assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub"]);
	assert_eq!((world.mode("home/id_dpki"), world.mode("home/id_dpki-cert.pub")), (0o600, 0o644));
	let owner = fs::metadata(world.place("home/id_dpki")).unwrap().uid();
	assert_eq!(owner, fs::metadata(world.place("home")).unwrap().uid());
	let key = world.place("home/id_dpki");
	let read = Command::new("ssh-keygen")
		.args(["-y", "-P", "", "-f"])
		.arg(&key)
		.output()
		.unwrap();
	let said = String::from_utf8(read.stdout).unwrap();
	assert!(said.starts_with(line(&first).trim()), "{said}");
	assert!(!world.text("home/id_dpki-cert.pub").contains("what=ever"));
	let certificate = world.place("home/id_dpki-cert.pub");
	let named = Command::new("ssh-keygen")
		.arg("-L")
		.arg("-f")
		.arg(certificate)
		.output()
		.unwrap();
	assert!(named.status.success(), "{named:?}");
	// Another key without a certificate.
	world.publish(2, vec![user_key(&second, None)]);
	world.step().await.unwrap();
	assert_eq!(world.home(), ["id_dpki"]);
	let key = PrivateKey::read_openssh_file(&world.place("home/id_dpki")).unwrap();
	assert_eq!(key.public_key(), second.public_key());
	assert_eq!(world.generations_of_key().len(), 1, "the old one is destroyed");
	world.publish(3, vec![]);
	world.step().await.unwrap();
	assert_eq!((world.verdict(), world.home()), (Some(Outcome::Applied), vec![]));
	assert!(world.generations_of_key().is_empty());
}

/// A delivery that is in force but for the key, of which somebody is told.
async fn waits(world: &mut World, sequence: u64, items: Vec<Item>, words: &str) {
	world.publish(sequence, items);
	world.step().await.unwrap();
	let error = world.agent().status().error.clone();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{words}: {error:?}");
	assert!(error.as_ref().is_some_and(|it| it.contains(words)), "{words}: {error:?}");
}

#[tokio::test]
async fn a_file_that_the_agent_has_not_written_is_never_overwritten() {
	for name in ["id_dpki", "id_dpki-cert.pub"] {
		let mut world = World::new().with_user_key();
		let ca = world.register(AnchorKind::SshUserCa);
		let place = world.place("home").join(name);
		fs::write(&place, "of the owner").unwrap();
		let key = new_key();
		let certificate = world.user_certificate(&ca, &key).to_openssh().unwrap();
		let items = vec![user_key(&key, Some(certificate)), principals("root", &["ops"])];
		waits(&mut world, 1, items, "is not the agent's").await;
		assert_eq!(world.text(&format!("home/{name}")), "of the owner");
		assert_eq!(world.file("principals/root"), "ops\n", "everything else is in force");
		// Once it is out of the way the key comes there, also after a restart.
		fs::rename(&place, world.place("home/mine")).unwrap();
		world.agent().tell_services().await;
		assert!(!place.exists(), "it is left alone for a while");
		world.restart();
		world.agent().tell_services().await;
		assert_eq!(world.home(), ["id_dpki", "id_dpki-cert.pub", "mine"]);
		world.step().await.unwrap();
		assert_eq!(world.agent().status().error, None);
		assert_eq!(world.generations_of_key().len(), 1);
		world.publish(2, vec![principals("root", &["ops"])]);
		world.step().await.unwrap();
		assert_eq!(world.verdict(), Some(Outcome::Applied));
		assert_eq!(
			(world.home(), world.text("home/mine")),
			(vec!["mine".into()], "of the owner".into())
		);
	}
}

#[tokio::test]
async fn a_user_that_keeps_its_key_away_holds_nothing_else_up() {
	let mut world = World::new().with_user_key();
	let (first, second) = (new_key(), new_key());
	world.publish(1, vec![user_key(&first, None), principals("root", &["ops"])]);
	world.step().await.unwrap();
	fs::rename(world.place("home"), world.place("moved")).unwrap();
	symlink(world.place("moved"), world.place("home")).unwrap();
	// A rotation, and a login that is closed by it.
	let items = vec![user_key(&second, None), principals("pilot", &["crew"])];
	waits(&mut world, 2, items, "symbolic link").await;
	assert_eq!(world.file("principals/root"), "");
	assert_eq!(world.file("principals/pilot"), "crew\n");
	assert_eq!(world.generations_of_key().len(), 1, "there is no way back to the first key");
	// What is refused for another reason goes back as a whole, and the key goes on waiting.
	let good = fs::read_to_string(&world.config.ssh.sshd).unwrap();
	write_script(&world.config.ssh.sshd, "#!/bin/sh\necho 'no such cipher' >&2\nexit 1\n");
	let bad = vec![user_key(&new_key(), None), principals("root", &["ops"])];
	refused(&mut world, 3, bad, "apply failed", "no such cipher").await;
	write_script(&world.config.ssh.sshd, &good);
	assert_eq!(world.generations_of_key().len(), 1);
	fs::remove_file(world.place("home")).unwrap();
	fs::rename(world.place("moved"), world.place("home")).unwrap();
	world.restart();
	world.step().await.unwrap();
	let key = PrivateKey::read_openssh_file(&world.place("home/id_dpki")).unwrap();
	assert_eq!(key.public_key(), second.public_key());
	assert_eq!(
		(world.agent().status().error.clone(), world.home()),
		(None, vec!["id_dpki".into()])
	);
}

#[tokio::test]
async fn what_its_user_has_made_of_a_key_stays_and_holds_nothing_up() {
	let mut world = World::new().with_user_key();
	world.publish(1, vec![user_key(&new_key(), None)]);
	world.step().await.unwrap();
	// As with `ssh-keygen -p`.
	fs::write(world.place("home/id_dpki"), "with a passphrase").unwrap();
	world.step().await.unwrap();
	let error = world.agent().status().error.clone();
	assert!(error.is_some_and(|it| it.contains("is not the agent's")), "somebody is told");
	world.publish(2, vec![principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert_eq!(world.text("home/id_dpki"), "with a passphrase");
	assert_eq!(world.file("principals/root"), "ops\n");
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.agent().status().error, None);
}

#[tokio::test]
async fn a_key_that_its_user_has_removed_is_written_again() {
	let mut world = World::new().with_user_key();
	world.publish(1, vec![user_key(&new_key(), None)]);
	world.step().await.unwrap();
	let text = world.text("home/id_dpki");
	fs::remove_file(world.place("home/id_dpki")).unwrap();
	world.step().await.unwrap();
	assert_eq!(world.text("home/id_dpki"), text);
}

#[tokio::test]
async fn no_link_is_followed_to_where_a_users_key_goes() {
	let mut world = World::new().with_user_key();
	let other = world.place("other");
	fs::write(&other, "of somebody else").unwrap();
	symlink(&other, world.place("home/id_dpki")).unwrap();
	let items = || vec![user_key(&new_key(), None)];
	waits(&mut world, 1, items(), "symbolic link").await;
	fs::remove_file(world.place("home/id_dpki")).unwrap();
	fs::hard_link(&other, world.place("home/id_dpki")).unwrap();
	waits(&mut world, 2, items(), "no plain file").await;
	fs::remove_dir_all(world.place("home")).unwrap();
	fs::create_dir(world.place("elsewhere")).unwrap();
	symlink(world.place("elsewhere"), world.place("home")).unwrap();
	waits(&mut world, 3, items(), "symbolic link").await;
	assert_eq!(world.text("other"), "of somebody else");
	assert_eq!(fs::read_dir(world.place("elsewhere")).unwrap().count(), 0);
	// Nor to take it away.
	fs::remove_file(world.place("home")).unwrap();
	fs::create_dir(world.place("home")).unwrap();
	world.publish(4, items());
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	let key = fs::read(world.place("home/id_dpki")).unwrap();
	fs::rename(world.place("home"), world.place("elsewhere/home")).unwrap();
	symlink(world.place("elsewhere/home"), world.place("home")).unwrap();
	world.publish(5, vec![]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert_eq!(fs::read(world.place("elsewhere/home/id_dpki")).unwrap(), key);
}

#[tokio::test]
async fn a_users_key_is_given_to_nobody_else() {
	let mut world = World::new().with_user_key();
	let path = world.place("home/id_dpki");
	world.config.apply.user_keys = [("daemon".into(), path)].into();
	world.restart();
	let key = |login: &str| {
		let private = secret(&new_key());
		Item::SshUserKey { login: login.into(), private, certificate: None }
	};
	let words = "of another user than daemon";
	waits(&mut world, 1, vec![key("daemon")], words).await;
	assert_eq!(world.home(), [""; 0]);
	refused(&mut world, 2, vec![key("pilot")], "bundle invalid", "SSH user key in force").await;
	assert_eq!(world.home(), [""; 0]);
	// A file that others could read is none that is in force.
	let mut world = World::new().with_user_key();
	world.publish(1, vec![user_key(&new_key(), None)]);
	world.step().await.unwrap();
	let place = world.place("home/id_dpki");
	fs::set_permissions(&place, Permissions::from_mode(0o644)).unwrap();
	world.step().await.unwrap();
	assert_eq!(world.mode("home/id_dpki"), 0o600);
}

#[tokio::test]
async fn a_users_key_or_certificate_that_is_no_use_is_refused() {
	let mut world = World::new().with_user_key();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = new_key();
	let locked = key.encrypt(&mut OsRng, "word").unwrap();
	let other = world.user_certificate(&ca, &new_key()).to_openssh().unwrap();
	let host = world.host_certificate(&ca);
	let old = dpki_client::ssh::UserCertificate {
		serial: None,
		key_id: "old".into(),
		principals: vec!["old".into()],
		valid_from: NOW / 1000 - 60,
		valid_until: NOW / 1000 - 1,
		extensions: vec![],
	};
	let old = dpki_client::ssh::sign_user(&ca.key, key.public_key(), &old).unwrap();
	for (sequence, (item, words)) in (1..).zip([
		(user_key(&locked, None), "has a passphrase"),
		(user_key(&key, Some(other)), "is for another key"),
		(user_key(&key, Some(host)), "is not for a user"),
		(user_key(&key, Some(old.to_openssh().unwrap())), "has expired"),
		(user_key(&key, Some("ssh-ed25519-cert-v01@openssh.com AAAA".into())), "is malformed"),
	]) {
		refused(&mut world, sequence, vec![item], "bundle invalid", words).await;
	}
	assert_eq!(world.home(), [""; 0]);
}
