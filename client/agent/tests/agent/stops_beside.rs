//! The agent ends by `kill -9` at each step of what is no delivery: while it tells others of what is in force already,
//! while it takes access away, and while a key that opens deliveries gets a follower. See [`crate::stops`] for what a
//! step is.

use crate::{
	appliers::{authorized, psk},
	host_keys::{host_key, other_type},
	killed::{Work, killed_at, late_clock},
	renewals::{replacing, replacing_hybrid},
	stops::{assert_clean, assert_free, assert_thorough},
	temporary::{END, after_six_minutes, grant, temporary},
	world::*,
};
use dpki_agent::{agent::StepError, keys::DeviceKeys, rotation};
use dpki_client::{
	Bundle, envelope,
	primitives::{
		anchor::AnchorKind,
		channel::ChannelId,
		delivery::{DeliveryBinding, Suite},
		ids::KeyId,
		revocation::SshSubject,
	},
};
use std::fs;

/// What each service has in force, and where it keeps what it has last been told of.
const SERVICES: [(&str, &str); 2] =
	[("psk/current/psk_file", "psk.heard"), ("ssh/current/sshd.conf", "sshd.heard")];

/// A broker and sshd that keep a copy of what they are told of.
fn world_that_listens() -> World {
	let mut world = World::new().with_psk().with_host_key();
	let listens = |(file, heard): (&str, &str)| {
		let script = world.place(&format!("{heard}.sh"));
		let (file, heard) = (world.place(file), world.place(heard));
		let text = format!("#!/bin/sh\ncat {} > {}\n", file.display(), heard.display());
		write_script(&script, &text);
		vec![script.display().to_string()]
	};
	let [broker, sshd] = SERVICES.map(listens);
	world.config.apply.psk.as_mut().unwrap().reload = broker;
	world.config.ssh.reload = sshd;
	world.restart();
	world
}

/// That each has been told of what is in force, and that nobody is told once more by the next block.
async fn assert_told_and_once(world: &mut World, stopped: Option<&str>) {
	for (file, heard) in SERVICES {
		assert_eq!(world.text(heard), world.text(file), "{stopped:?}");
		fs::remove_file(world.place(heard)).unwrap();
	}
	world.step().await.unwrap();
	for (_, heard) in SERVICES {
		assert!(!world.place(heard).exists(), "{stopped:?}: {heard}");
	}
}

#[tokio::test]
async fn whoever_was_being_told_of_a_delivery_is_told_after_a_restart() {
	let items = |round| vec![psk("a", round), host_key(&other_type())];
	let mut stops = Vec::new();
	for number in 0.. {
		// What an earlier round left to be removed would move the steps of this one.
		let mut world = world_that_listens();
		world.publish(1, items(1));
		world.step().await.unwrap();
		assert_told_and_once(&mut world, None).await;
		world.publish(2, items(2));
		let stopped = killed_at(&mut world, Work::Converge, number);
		assert_free(&world);
		world.restart();
		world.step().await.unwrap();
		assert_clean(&world, stopped.as_deref());
		assert_told_and_once(&mut world, stopped.as_deref()).await;
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	let commands = ["start", "wait for", "go on after"].map(|it| format!("command: {it} `"));
	let told =
		["psk: tell", "ssh: reload", "psk: settle", &commands[0], &commands[1], &commands[2]];
	assert_thorough(&stops, 40, &told);
	for command in commands {
		let scripts = ["psk.heard.sh", "sshd.heard.sh"];
		let is_stopped = |script: &&str| {
			stops.iter().any(|stop| stop.starts_with(&command) && stop.contains(*script))
		};
		assert!(scripts.iter().all(is_stopped), "{command}: {stops:?}");
	}
}

/// No delivery brings back what was closed: that the chain is heard does.
#[tokio::test]
async fn whoever_was_being_told_that_peers_are_believed_again_is_told_after_a_restart() {
	let mut world = World::new().with_psk();
	let (file, heard) = SERVICES[0];
	let script = world.place("listen");
	let text = format!(
		"#!/bin/sh\ncat {} > {}\n",
		world.place(file).display(),
		world.place(heard).display()
	);
	write_script(&script, &text);
	world.config.apply.psk.as_mut().unwrap().reload = vec![script.display().to_string()];
	world.restart();
	world.publish(1, vec![psk("a", 1)]);
	world.step().await.unwrap();
	let open = world.text(file);
	let mut stops = Vec::new();
	for number in 0.. {
		world.restart_at(late_clock);
		assert!(world.agent().lapse().is_err());
		world.agent().tell_services().await;
		assert_eq!((world.text(file), world.text(heard)), (String::new(), String::new()));
		let stopped = killed_at(&mut world, Work::Converge, number);
		assert_free(&world);
		world.restart();
		world.step().await.unwrap();
		assert_eq!(
			(world.text(file), world.text(heard)),
			(open.clone(), open.clone()),
			"{stopped:?}"
		);
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(
		&stops,
		12,
		&["psk: switch", "psk: tell", "command: wait for", "journal: save"],
	);
}

#[tokio::test]
async fn a_revocation_is_in_force_or_not_yet_and_whoever_kills_the_agent_brings_nothing_back() {
	let mut stops = Vec::new();
	for number in 0.. {
		let mut world = World::new();
		let (kept, gone) =
			(world.register(AnchorKind::SshUserCa), world.register(AnchorKind::SshUserCa));
		world.publish(1, vec![user_ca(&kept), user_ca(&gone), principals("root", &["ops"])]);
		world.step().await.unwrap();
		assert!(world.trusts(&kept) && world.trusts(&gone));
		let before = world.chain.clone();
		world.anchor(gone.anchor).revocation = Some(revocation());
		world.revoke(kept.anchor, SshSubject::Serial(7));
		let stopped = killed_at(&mut world, Work::Converge, number);
		assert_free(&world);
		let is_revoked = |world: &World| {
			assert!(world.trusts(&kept), "{stopped:?}");
			assert_eq!(
				world.trusts(&gone),
				world.krl().serials.is_empty(),
				"{stopped:?}: as a whole"
			);
			!world.trusts(&gone)
		};
		let was_revoked = is_revoked(&world);
		// The next process is shown the block before.
		let news = std::mem::replace(&mut world.chain, before);
		world.chain.head.number -= 1;
		world.chain.head.time -= 1000;
		world.restart();
		let old = world.step().await;
		if was_revoked {
			assert!(matches!(old, Err(StepError::OldHead { .. })), "{stopped:?}: {old:?}");
			assert!(is_revoked(&world));
		}
		world.chain = news;
		world.restart();
		world.step().await.unwrap();
		assert!(is_revoked(&world), "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 20, &["journal: save", "ssh: switch", "/revoked_keys", "ssh: prune"]);
}

/// Nothing but the clock tells the process that is killed, and the one after it.
#[tokio::test]
async fn access_that_is_over_is_taken_away_wherever_the_timer_was_stopped() {
	let mut stops = Vec::new();
	for number in 0.. {
		let mut world = World::new().with_keys();
		fs::write(world.place("authorized_keys"), "# mine\n").unwrap();
		let ca = world.register(AnchorKind::SshUserCa);
		grant(&mut world);
		let (stays, ends) = (line(&new_key()), line(&new_key()));
		let keys = authorized("root", &[(&stays, None), (&ends, Some(END))]);
		world.publish(1, vec![user_ca(&ca), principals("root", &["admin"]), temporary(END), keys]);
		world.step().await.unwrap();
		let places = ["authorized_keys", "keys/current/keys"];
		let has = |world: &World, key: &str| {
			let found = places.map(|place| world.text(place).contains(key.trim()));
			assert_eq!(found[0], found[1], "what sshd reads is what is in force");
			found[0]
		};
		assert!(has(&world, &ends) && world.file("principals/root") != "admin\n");
		let stopped = killed_at(&mut world, Work::Expire, number);
		assert_free(&world);
		for place in places {
			assert!(world.text(place).contains(stays.trim()), "{stopped:?}: {place}");
		}
		assert!(world.file("principals/root").starts_with("admin\n"), "{stopped:?}");
		world.chain.silent = true;
		world.restart_at(after_six_minutes);
		world.agent().lapse().unwrap();
		world.agent().tell_services().await;
		assert!(!has(&world, &ends) && has(&world, &stays), "{stopped:?}");
		assert!(world.text("authorized_keys").ends_with("# mine\n"), "{stopped:?}");
		assert_eq!(world.file("principals/root"), "admin\n", "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	let steps = [
		"authorized keys: switch",
		"authorized keys: tell at once",
		"replace /",
		"/principals/root",
	];
	assert_thorough(&stops, 30, &steps);
}

#[tokio::test]
async fn a_key_that_is_to_follow_another_is_whole_or_not_there_and_none_is_lost() {
	let mut stops = Vec::new();
	for number in 0.. {
		let mut world = World::new();
		let hybrid = DeviceKeys::add_hybrid(&world.vault()).unwrap();
		let before = world.keys();
		let stopped = killed_at(&mut world, Work::Rotate, number);
		let between = world.keys();
		assert_eq!(between.agreement.public(), before.agreement.public(), "{stopped:?}");
		assert_eq!(between.hybrid.unwrap().public(), hybrid.public(), "{stopped:?}");
		// What is there may be on its way to the chain: there is one, and it stays.
		let vault = world.vault();
		let next = rotation::begin(&vault).unwrap().public();
		let next_hybrid = rotation::begin_hybrid(&vault).unwrap().public();
		assert!(between.next.is_none_or(|key| key.public() == next), "{stopped:?}");
		assert!(between.next_hybrid.is_none_or(|key| key.public() == next_hybrid), "{stopped:?}");
		world.restart();
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 8, &["agreement.next.key", "hybrid.next.key"]);
}

/// That no file of the state directory has this secret key.
fn assert_nowhere(world: &World, secret: &[u8], stopped: Option<&str>) {
	let digits = hex::encode(secret);
	for path in files_below(&world.config.state) {
		let content = fs::read(&path).unwrap();
		let is_there = String::from_utf8_lossy(&content).contains(&digits);
		assert!(!is_there, "{stopped:?}: {}", path.display());
	}
}

#[tokio::test]
async fn a_key_goes_when_its_follower_is_on_the_disk_and_on_the_chain_wherever_that_was_stopped() {
	let mut stops = Vec::new();
	for number in 0.. {
		let (mut world, ca, old, next, end) = replacing().await;
		world.publish_to(
			&old,
			1,
			&Bundle { items: vec![user_ca(&ca), principals("root", &["old"])] },
		);
		world.step().await.unwrap();
		assert_eq!(world.file("principals/root"), "old\n");
		let recorded = world.chain.delivery.clone().unwrap();
		let envelope = world.blobs.0.lock().unwrap()[&recorded.digest].clone();
		let place = recorded.binding(GENESIS, world.config.device_id(), ChannelId::DEFAULT);
		// Before its time it opens all the same, and nothing is put away.
		if number == 0 {
			assert!(envelope::open(&world.keys().agreement, &place, &envelope).is_ok());
			assert_eq!(killed_at(&mut world, Work::Converge, 499), None);
			assert_eq!(world.keys().agreement.public(), old.public());
		}
		world.chain.head.time = end;
		let stopped = killed_at(&mut world, Work::Converge, number);
		assert_free(&world);
		let between = world.keys();
		let followers = [Some(&between.agreement), between.next.as_ref()];
		assert!(
			followers.into_iter().flatten().any(|key| key.public() == next.public()),
			"{stopped:?}: what is sealed to the next key opens at every moment"
		);
		world.restart();
		world.step().await.unwrap();
		let keys = world.keys();
		assert!(keys.agreement.public() == next.public() && keys.next.is_none(), "{stopped:?}");
		assert_nowhere(&world, &*old.to_secret_bytes(), stopped.as_deref());
		let theirs =
			DeliveryBinding { recipient: KeyId::of(&keys.agreement.public()), ..place.clone() };
		for place in [&place, &theirs] {
			assert!(envelope::open(&keys.agreement, place, &envelope).is_err(), "{stopped:?}");
		}
		world.publish_to(&next, 2, &Bundle { items: vec![principals("root", &["next"])] });
		world.step().await.unwrap();
		assert_eq!(world.file("principals/root"), "next\n", "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	let steps = ["rename", "overwrite", "remove"];
	assert_thorough(&stops, 4, &steps);
	for step in steps {
		let is_ours = |stop: &String| {
			stop.starts_with(&format!("disk: {step}")) && stop.contains("agreement")
		};
		assert!(stops.iter().any(is_ours), "{step}: {stops:?}");
	}
}

#[tokio::test]
async fn a_hybrid_key_goes_when_its_follower_is_there_wherever_that_was_stopped() {
	let mut stops = Vec::new();
	for number in 0.. {
		let (mut world, _, old, next, end) = replacing_hybrid().await;
		world.chain.head.time = end;
		let stopped = killed_at(&mut world, Work::Converge, number);
		assert_free(&world);
		let between = world.keys();
		let followers = [between.hybrid.as_ref(), between.next_hybrid.as_ref()];
		let has_next = followers.into_iter().flatten().any(|key| key.public() == next.public());
		assert!(has_next, "{stopped:?}");
		world.restart();
		world.step().await.unwrap();
		let keys = world.keys();
		assert_eq!(keys.hybrid.unwrap().public(), next.public(), "{stopped:?}");
		assert!(keys.next_hybrid.is_none(), "{stopped:?}");
		assert_nowhere(&world, &*old.to_secret_bytes(), stopped.as_deref());
		let items = vec![principals("root", &["next"])];
		world.publish_to_hybrid(&next, Suite::XWingChaCha20Poly1305, 1, &Bundle { items });
		world.step().await.unwrap();
		assert_eq!(world.file("principals/root"), "next\n", "{stopped:?}");
		assert_clean(&world, stopped.as_deref());
		let Some(stopped) = stopped else { break };
		stops.push(stopped);
	}
	assert_thorough(&stops, 4, &["hybrid.next.key", "hybrid.old.key"]);
}

/// A follower that lies on the disk and that the chain does not have, or not any more, puts nothing away.
#[tokio::test]
async fn a_key_whose_follower_is_not_on_the_chain_stays_wherever_the_agent_is_stopped() {
	for number in 0..4 {
		let (mut world, _, old, next, end) = replacing().await;
		let id = KeyId::of(&next.public());
		let good = world.chain.keys.remove(&id).unwrap();
		world.chain.head.time = end;
		killed_at(&mut world, Work::Converge, number);
		assert_eq!(world.keys().agreement.public(), old.public());
		assert_eq!(world.keys().next.unwrap().public(), next.public());
		world.chain.keys.insert(id, good);
		world.restart();
		world.step().await.unwrap();
		assert_eq!(world.keys().agreement.public(), next.public());
	}
}
