//! The directory that sshd reads, with the real sshd.

use crate::world::*;
use dpki_agent::{
	config::Config,
	init::{InitError, make},
	ssh::applier::Applier,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

fn tested(world: &World, config: &str) -> std::process::Output {
	let path = world.dir.path().join("tested.conf");
	fs::write(&path, config).unwrap();
	Command::new(&world.config.ssh.sshd)
		.arg("-t")
		.arg("-f")
		.arg(&path)
		.output()
		.unwrap()
}

#[test]
fn sshd_starts_with_the_first_generation() {
	let world = World::new();
	let include = format!("Include {}/sshd.conf\n", world.current().display());
	let output = tested(&world, &include);
	assert!(output.status.success(), "{output:?}");
	assert!(output.stderr.is_empty(), "{output:?}");
	assert_eq!(world.krl(), Default::default());
	assert!(!tested(&world, "NoSuchOption 1\n").status.success(), "the test can fail");
}

#[test]
fn the_client_reads_what_lies_ready_for_it() {
	let world = World::new();
	let config = world.dir.path().join("ssh_config");
	let layout = Applier::new(&world.config.ssh).layout().clone();
	fs::write(&config, format!("{}\n", layout.client_include_line())).unwrap();
	let asked = Command::new("ssh")
		.arg("-G")
		.arg("-F")
		.arg(&config)
		.arg("host.example")
		.output();
	let asked = asked.unwrap();
	assert!(asked.status.success(), "{asked:?}");
	let said = String::from_utf8(asked.stdout).unwrap();
	let value = |name: &str| {
		let line = said.lines().find_map(|line| line.strip_prefix(name));
		line.unwrap_or_else(|| panic!("{name} is missing: {said}")).trim()
	};
	let (revoked, known) =
		(world.current().join("revoked_host_keys"), world.current().join("known_hosts"));
	assert_eq!(Path::new(value("revokedhostkeys ")), revoked);
	let files: Vec<&Path> =
		value("globalknownhostsfile ").split_whitespace().map(Path::new).collect();
	assert!(files.contains(&known.as_path()), "{files:?}");
	assert!(files.contains(&Path::new("/etc/ssh/ssh_known_hosts")), "{files:?}");
	assert!(known.exists() && revoked.exists(), "ssh refuses every host without the second");
}

#[test]
fn nobody_but_the_owner_can_write() {
	let world = World::new();
	fn walk(path: &Path) {
		let metadata = fs::metadata(path).unwrap();
		let expected = if metadata.is_dir() { 0o755 } else { 0o644 };
		assert_eq!(metadata.permissions().mode() & 0o7777, expected, "{}", path.display());
		if metadata.is_dir() {
			fs::read_dir(path).unwrap().for_each(|entry| walk(&entry.unwrap().path()));
		}
	}
	walk(&world.config.ssh.directory);
}

#[test]
fn a_repeated_init_keeps_everything() {
	let world = World::new();
	let path = world.dir.path().join("agent.toml");
	let (before, print) = (fs::read(&path).unwrap(), world.keys().fingerprints());
	let again = make(&path, world.config.clone(), None).unwrap();
	assert_eq!((&again.keys, fs::read(&path).unwrap()), (&print, before.clone()));
	// What only looks different is the same.
	let commented = [b"# Ours.\n".as_slice(), &before[..]].concat();
	fs::write(&path, &commented).unwrap();
	assert_eq!(make(&path, world.config.clone(), None).unwrap().keys, print);
	assert_eq!(fs::read(&path).unwrap(), commented);
}

#[test]
fn a_configuration_that_is_there_is_compared_setting_by_setting() {
	let world = World::new();
	let path = world.dir.path().join("agent.toml");
	let (before, print) = (fs::read(&path).unwrap(), world.keys().fingerprints());
	let mut other = world.config.clone();
	other.device = "drone-8".into();
	other.chain.genesis = [9; 32];
	other.ssh.sshd_config = Some(path.clone());
	let error = make(&path, other, None).unwrap_err();
	assert!(matches!(error, InitError::Exists { .. }), "{error}");
	let sentence = error.to_string();
	for words in [
		"device is \"drone-7\", not \"drone-8\"".to_owned(),
		format!("chain.genesis is \"0x{}\", not \"0x{}\"", "07".repeat(32), "09".repeat(32)),
		format!("ssh.sshd-config is not set, not \"{}\"", path.display()),
		format!("the keys in {}", world.config.state.display()),
	] {
		assert!(sentence.contains(&words), "{words}: {sentence}");
	}
	assert!(!sentence.contains("organisation is"), "what is the same is not named: {sentence}");
	assert_eq!((world.keys().fingerprints(), fs::read(&path).unwrap()), (print, before));
}

#[test]
fn what_only_the_caller_can_bring_has_to_be_there_before_anything_is_made() {
	let world = World::new();
	let fresh = |change: fn(&mut Config)| {
		let dir = tempfile::tempdir().unwrap();
		let mut config = world.config.clone();
		config.state = dir.path().join("state");
		config.ssh.directory = dir.path().join("ssh");
		change(&mut config);
		let made = make(&dir.path().join("agent.toml"), config, None);
		let left = fs::read_dir(dir.path()).unwrap().count();
		(made.map(drop).map_err(|error| error.to_string()), left)
	};
	assert_eq!(fresh(|_| ()), (Ok(()), 3), "the test can succeed");
	type Change = fn(&mut Config);
	let changes: [(&str, Change); 4] = [
		("/nope/sshd is no program", |config| config.ssh.sshd = "/nope/sshd".into()),
		("/etc/passwd is no program", |config| config.ssh.sshd = "/etc/passwd".into()),
		("/nope/sshd_config", |config| config.ssh.sshd_config = Some("/nope/sshd_config".into())),
		("/nope/chain.json", |config| config.chain.spec = "/nope/chain.json".into()),
	];
	for (words, change) in changes {
		let (made, left) = fresh(change);
		let error = made.unwrap_err();
		assert!(error.contains(words) && left == 0, "{words}: {error}, {left} files");
	}
}

#[test]
fn an_error_names_a_generation_as_it_would_be_called() {
	let world = World::new();
	let applier = Applier::new(&world.config.ssh);
	let name = "x".repeat(300);
	let error = applier.stage(&[(name.clone(), vec![])].into()).unwrap_err().to_string();
	assert!(error.contains(&format!("generations/1/{name}")), "{error}");
}

#[tokio::test]
async fn the_link_is_there_at_every_moment() {
	let world = World::new();
	let applier = Applier::new(&world.config.ssh);
	let link = world.current().join("sshd.conf");
	let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
	let watcher = std::thread::spawn({
		let done = done.clone();
		move || {
			let mut looked = 0u32;
			while !done.load(std::sync::atomic::Ordering::Relaxed) {
				assert!(fs::read(&link).is_ok(), "gone after {looked} looks");
				looked += 1;
			}
			looked
		}
	});
	for round in 0..50 {
		let state = dpki_agent::ssh::state::SshState {
			principals: [("root".into(), vec![format!("n{round}")])].into(),
			..Default::default()
		};
		let staged = applier.stage(&state.files(applier.layout()).unwrap()).unwrap().unwrap();
		assert!(!staged.needs_reload);
		applier.switch(staged.generation).unwrap();
		applier.prune().unwrap();
	}
	done.store(true, std::sync::atomic::Ordering::Relaxed);
	assert!(watcher.join().unwrap() > 0);
	assert_eq!(world.file("principals/root"), "n49\n");
}

#[tokio::test]
async fn a_host_certificate_for_another_key_does_not_pass_the_test() {
	let world = World::new();
	let applier = Applier::new(&world.config.ssh);
	let ca = Ca { key: new_key(), anchor: Default::default() };
	let certificate = dpki_client::ssh::HostCertificate {
		serial: None,
		key_id: "x".into(),
		principals: vec!["x".into()],
		valid_from: 0,
		valid_until: NOW,
	};
	let other = dpki_client::ssh::sign_host(&ca.key, new_key().public_key(), &certificate).unwrap();
	let cases = [(other.to_openssh().unwrap(), false), (world.host_certificate(&ca), true)];
	for (certificate, passes) in cases {
		let state = dpki_agent::ssh::state::SshState {
			host_certificate: Some(certificate),
			..Default::default()
		};
		let staged = applier.stage(&state.files(applier.layout()).unwrap()).unwrap().unwrap();
		assert!(staged.needs_reload);
		let tested = applier.check(&staged, true).await;
		assert_eq!(tested.is_ok(), passes, "{tested:?}");
	}
}

#[tokio::test]
async fn what_sshd_lacks_is_said() {
	let world = World::new();
	let missing =
		"#!/bin/sh\necho 'Missing privilege separation directory: /run/sshd' >&2\nexit 255\n";
	write_script(&world.config.ssh.sshd, missing);
	let applier = Applier::new(&world.config.ssh);
	let state = dpki_agent::ssh::state::SshState {
		principals: [("root".into(), vec![])].into(),
		..Default::default()
	};
	let staged = applier.stage(&state.files(applier.layout()).unwrap()).unwrap().unwrap();
	let error = applier.check(&staged, true).await.unwrap_err().to_string();
	assert!(error.contains("install -d -m 0755 /run/sshd"), "{error}");
}
