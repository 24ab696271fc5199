//! Plain keys that open a login for a short time: the grant on the chain names the key, and nothing else does.

use crate::{
	appliers::{authorized, refused},
	temporary::*,
	world::*,
};
use dpki_agent::{appliers::authorized::answer::answer, run::run};
use dpki_client::{
	Item, access,
	primitives::{Moment, certificate::Holder, delivery::Outcome, ids::DeviceId, status::Status},
	ssh::from_public_key,
};

/// What was delivered to stay, by which it shows that nothing else is taken away.
fn standing(world: &World) -> bool {
	world
		.text("authorized_keys")
		.lines()
		.any(|line| line.starts_with("ssh-ed25519 "))
}

/// The key of the grant, as sshd reads it.
fn granted_key(world: &World) -> String {
	let (record, _) = &world.chain.certificates[&GRANT];
	from_public_key(&record.key).unwrap().to_openssh().unwrap().trim().to_owned()
}

fn temporary_key(login: &str, until: Moment) -> Item {
	Item::SshTemporaryKey { login: login.into(), grant: GRANT, until }
}

fn is_open(world: &World) -> bool {
	let key = granted_key(world);
	let places = ["authorized_keys", "keys/current/keys"];
	let open = places.map(|place| world.text(place).contains(&key));
	assert_eq!(open[0], open[1], "what sshd reads is what is in force");
	open[0]
}

fn assert_over(world: &World) {
	assert!(!is_open(world), "{}", world.text("authorized_keys"));
	assert!(standing(world), "nothing else is taken away");
}

/// A device on which a plain grant of five minutes is in force, beside a key that stays.
async fn granted_world() -> World {
	let mut world = World::new().with_keys();
	grant(&mut world);
	let stays = line(&new_key());
	world.publish(1, vec![authorized("root", &[(&stays, None)]), temporary_key("root", END)]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
	assert!(is_open(&world) && standing(&world));
	assert_eq!(world.agent().status().ssh.temporary, 1);
	world
}

#[tokio::test]
async fn a_plain_key_of_a_grant_says_its_end_to_sshd_and_ends_by_the_time_of_the_chain() {
	let mut world = granted_world().await;
	let told = format!("expiry-time=\"20260921141820Z\" {}", granted_key(&world));
	assert!(world.text("authorized_keys").contains(&told), "{}", world.text("authorized_keys"));
	assert!(answer(&world.config, "root", NOW).unwrap().contains(&told));
	assert!(!answer(&world.config, "root", END).unwrap().contains("expiry-time"));
	world.restart_at(a_day_before);
	world.chain.head.time = END - 30_000;
	world.step().await.unwrap();
	assert!(is_open(&world), "it is not over yet");
	world.chain.head.time = END;
	world.step().await.unwrap();
	assert_over(&world);
	assert_eq!(world.agent().status().ssh.temporary, 0);
}

#[tokio::test]
async fn a_plain_key_of_a_grant_ends_when_the_chain_is_not_heard() {
	let mut world = granted_world().await;
	world.chain.silent = true;
	world.restart_at(after_four_minutes);
	world.agent().lapse().unwrap();
	assert!(is_open(&world));
	let left = world.agent().lapses_in().unwrap().as_secs();
	assert!((50..=61).contains(&left), "{left}");
	world.restart_at(after_six_minutes);
	world.agent().lapse().unwrap();
	assert_over(&world);
	assert!(world.agent().lapses_in().unwrap().as_secs() > 3600, "there is nothing to look for");
}

/// Killed twice: while a delivery was on its way, whose mark stays, and between the switch by the timer and the file of the
/// login.
#[tokio::test]
async fn a_plain_key_that_two_kills_left_in_the_file_ends_without_the_chain() {
	let mut world = granted_world().await;
	let open = world.text("authorized_keys");
	world.chain.silent = true;
	world.restart_at(after_six_minutes);
	world.agent().lapse().unwrap();
	assert_over(&world);
	std::fs::write(world.place("authorized_keys"), open).unwrap();
	std::fs::write(world.place("keys/unsettled"), "0\n").unwrap();
	world.restart_at(after_six_minutes);
	world.agent().lapse().unwrap();
	assert_over(&world);
	assert_eq!(world.text("keys/unsettled"), "0\n", "the way back is for the journal to close");
}

#[tokio::test]
async fn a_plain_key_of_a_grant_ends_when_the_clock_was_set_back_as_well() {
	let mut world = granted_world().await;
	world.chain.silent = true;
	let_pass(&world, 4 * MINUTE);
	world.restart_at(a_day_before);
	world.agent().lapse().unwrap();
	assert!(is_open(&world), "four minutes have passed, whatever the clock shows");
	let_pass(&world, 2 * MINUTE);
	world.restart_at(a_day_before);
	world.agent().lapse().unwrap();
	assert_over(&world);
}

#[tokio::test]
async fn a_plain_key_of_a_grant_opens_nothing_after_a_start_of_the_system_until_the_chain_is_heard()
{
	let mut world = granted_world().await;
	reboot(&world);
	world.restart_at(a_day_before);
	world.agent().lapse().unwrap();
	assert_over(&world);
	world.chain.head.number += 1;
	let agent = world.agent.as_mut().unwrap();
	agent.enforce(&world.chain).await.unwrap();
	assert_over(&world);
	world.step().await.unwrap();
	assert!(is_open(&world), "the time is certain again, and the grant is good");
}

#[tokio::test]
async fn an_agent_without_a_light_client_ends_a_plain_key_all_the_same() {
	let mut world = granted_world().await;
	world.agent = None;
	// By the clock of this machine the grant is over. The specification is none.
	assert!(run(&world.config, std::future::pending()).await.is_err());
	assert!(!is_open(&world));
}

#[tokio::test]
async fn a_plain_key_ends_when_its_grant_is_revoked_on_the_chain() {
	let mut world = granted_world().await;
	world.chain.certificates.get_mut(&GRANT).unwrap().1 = Status::Revoked(revocation());
	world.step().await.unwrap();
	assert_over(&world);
}

/// As it is while its key, as that of a device, is on hold because it may be compromised.
#[tokio::test]
async fn a_plain_key_opens_nothing_while_its_grant_is_on_hold_and_opens_again_after_the_release() {
	let mut world = granted_world().await;
	world.chain.certificates.get_mut(&GRANT).unwrap().1 = Status::Suspended;
	world.step().await.unwrap();
	assert!(!is_open(&world));
	world.chain.certificates.get_mut(&GRANT).unwrap().1 = Status::Valid;
	world.step().await.unwrap();
	assert!(is_open(&world));
}

#[tokio::test]
async fn a_plain_key_whose_grant_is_over_is_delivered_in_vain() {
	// As where it was approved too late, or the device was off until then.
	let mut world = World::new().with_keys();
	grant(&mut world);
	world.chain.certificates.get_mut(&GRANT).unwrap().1 = Status::Expired;
	let stays = line(&new_key());
	world.publish(1, vec![authorized("root", &[(&stays, None)]), temporary_key("root", END)]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert_over(&world);
}

#[tokio::test]
async fn a_plain_key_without_a_good_grant_on_the_chain_is_refused() {
	type Change = fn(&mut World);
	let changes: [(&str, Change); 4] = [
		("does not know the grant", |world| world.chain.certificates.clear()),
		("is not about access to this device", |world| {
			let subject = access::subject(world.config.organisation_id(), DeviceId([9; 32]));
			let record = record(world, subject);
			world.chain.certificates.insert(GRANT, (record, Status::Valid));
		}),
		("is not about access to this device", |world| {
			world.chain.certificates.get_mut(&GRANT).unwrap().0.holder = Holder::Account([1; 32]);
		}),
		("would outlive it", |world| {
			let (record, _) = world.chain.certificates.get_mut(&GRANT).unwrap();
			record.validity.not_after = Some(END - 1);
		}),
	];
	for (words, change) in changes {
		let mut world = World::new().with_keys();
		grant(&mut world);
		change(&mut world);
		refused(&mut world, 1, vec![temporary_key("root", END)], "bundle invalid", words).await;
		assert!(!world.text("authorized_keys").contains("ssh-"), "{words}");
	}
}

#[tokio::test]
async fn a_device_that_has_no_place_for_plain_keys_refuses_one_of_a_grant() {
	let mut world = World::new();
	grant(&mut world);
	let items = vec![temporary_key("root", END)];
	refused(&mut world, 1, items, "bundle invalid", "temporary SSH key").await;
	world.publish(2, vec![temporary_key("root", END).optional()]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "it may be left out");
}
