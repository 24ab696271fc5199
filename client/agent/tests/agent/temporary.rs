//! Access that ends by itself, whoever keeps the news or the time from the device.

use crate::world::*;
use dpki_agent::{
	journal::Journal,
	run::{RunError, run, run_once},
};
use dpki_client::{
	Item, access,
	primitives::{
		Moment,
		anchor::AnchorKind,
		assurance::Level,
		certificate::{CertificateRecord, Holder},
		ids::{CertificateId, DeviceId},
		key::{KeyType, PublicKey},
		status::{Status, Validity},
		subject::Subject,
	},
};

pub const GRANT: CertificateId = CertificateId([5; 32]);
pub const MINUTE: Moment = 60_000;
pub const END: Moment = NOW + 5 * MINUTE;
const PRINCIPALS: &str = "principals/root";

pub fn after_four_minutes() -> Moment {
	NOW + 4 * MINUTE
}

pub fn after_six_minutes() -> Moment {
	NOW + 6 * MINUTE
}

/// Longer than a block is fresh.
fn after_a_quarter_of_an_hour() -> Moment {
	NOW + 15 * MINUTE
}

pub fn a_day_before() -> Moment {
	NOW - 24 * 60 * MINUTE
}

pub fn temporary(until: Moment) -> Item {
	Item::SshTemporaryAccess {
		login: "root".into(),
		principal: access::principal(GRANT),
		grant: GRANT,
		until,
	}
}

/// What the chain holds of a grant.
pub fn record(world: &World, subject: Subject) -> CertificateRecord {
	CertificateRecord {
		subject,
		holder: Holder::Organisation(world.config.organisation_id()),
		requested: Level::Dv,
		key: PublicKey::new(KeyType::Ed25519, &[6; 32]).unwrap(),
		display_name: None,
		validity: Validity { not_before: NOW, not_after: Some(END) },
		control_until: None,
		suspension: None,
		revocation: None,
	}
}

pub fn grant(world: &mut World) {
	let subject = access::subject(world.config.organisation_id(), world.config.device_id());
	let record = record(world, subject);
	world.chain.certificates.insert(GRANT, (record, Status::Valid));
}

/// A device on which a grant of five minutes is in force, beside the standing access.
async fn granted_world() -> World {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	grant(&mut world);
	world.publish(1, vec![user_ca(&ca), principals("root", &["admin"]), temporary(END)]);
	world.step().await.unwrap();
	assert!(is_open(&world), "{}", world.file(PRINCIPALS));
	assert_eq!(world.agent().status().ssh.temporary, 1);
	world
}

fn is_open(world: &World) -> bool {
	world.file(PRINCIPALS).contains(&access::principal(GRANT))
}

fn assert_over(world: &World) {
	assert_eq!(world.file(PRINCIPALS), "admin\n", "nothing else is taken away");
}

/// Makes the clock that nobody sets show more than it did when the chain was heard, as if the agent had slept for so long.
pub fn let_pass(world: &World, span: Moment) {
	rewrite(world, |start, uptime, time| {
		// A machine that started a moment ago has no earlier reading: an earlier chain time says the same.
		let back = span.min(uptime);
		format!("{start} {} {}", uptime - back, time + (span - back))
	});
}

pub fn reboot(world: &World) {
	rewrite(world, |_, uptime, time| format!("another-start {uptime} {time}"));
}

fn rewrite(world: &World, change: impl Fn(&str, Moment, Moment) -> String) {
	let path = world.config.state.join("chain-time-since-start");
	let text = std::fs::read_to_string(&path).unwrap();
	let words: Vec<_> = text.split_whitespace().collect();
	let [start, uptime, time] = words[..] else { panic!("{text}") };
	let changed = change(start, uptime.parse().unwrap(), time.parse().unwrap());
	std::fs::write(path, changed + "\n").unwrap();
}

#[tokio::test]
async fn temporary_access_says_its_end_to_sshd_too() {
	let world = granted_world().await;
	let line = format!("expiry-time=\"20260921141820Z\" {}", access::principal(GRANT));
	assert_eq!(world.file(PRINCIPALS), format!("admin\n{line}\n"));
}

#[tokio::test]
async fn it_ends_by_the_time_of_the_chain_whatever_the_clock_shows() {
	let mut world = granted_world().await;
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
async fn it_ends_by_the_clock_when_the_chain_is_not_heard() {
	let mut world = granted_world().await;
	world.restart_at(after_four_minutes);
	world.agent().lapse().unwrap();
	assert!(is_open(&world));
	let left = world.agent().lapses_in().unwrap().as_secs();
	assert!((50..=61).contains(&left), "{left}");
	world.restart_at(after_six_minutes);
	world.agent().lapse().unwrap();
	assert_over(&world);

	// It stays so, and makes no more generations.
	let generation = world.generation();
	world.agent().lapse().unwrap();
	assert_eq!(world.generation(), generation);
	assert!(world.agent().lapses_in().unwrap().as_secs() > 3600, "there is nothing to look for");
}

#[tokio::test]
async fn it_ends_when_the_chain_is_not_heard_and_the_clock_was_set_back() {
	let mut world = granted_world().await;
	world.chain.silent = true;
	let_pass(&world, 4 * MINUTE);
	world.restart_at(a_day_before);
	world.agent().lapse().unwrap();
	assert!(is_open(&world), "four minutes have passed, whatever the clock shows");
	assert!(world.agent().lapses_in().unwrap().as_secs() <= 61);
	let_pass(&world, 2 * MINUTE);
	world.restart_at(a_day_before);
	world.agent().lapse().unwrap();
	assert_over(&world);
}

#[tokio::test]
async fn after_a_start_of_the_system_it_stays_closed_until_the_chain_tells_something_new() {
	let mut world = granted_world().await;
	reboot(&world);
	world.restart_at(a_day_before);
	world.agent().lapse().unwrap();
	assert_over(&world);

	// A block that was known before proves nothing about the time since.
	world.chain.head.number += 1;
	let agent = world.agent.as_mut().unwrap();
	agent.enforce(&world.chain).await.unwrap();
	assert_over(&world);
	world.step().await.unwrap();
	assert!(is_open(&world), "the time is certain again, and the grant is good");
}

#[tokio::test]
async fn it_ends_where_a_crash_came_before_the_delivery_was_written_down() {
	for old_block in [false, true] {
		let mut world = granted_world().await;
		let id = world.config.device_id();
		let mut journal = Journal::open(&world.vault(), GENESIS, id).unwrap();
		unfinish(&mut journal, None);
		journal.save().unwrap();
		world.restart_at(after_a_quarter_of_an_hour);
		assert!(world.agent().lapses_in().unwrap().as_secs() <= 1, "it is over");
		if old_block {
			world.step().await.unwrap();
			assert!(world.agent().status().head.as_ref().unwrap().stale);
		} else {
			world.agent().lapse().unwrap();
		}
		assert_over(&world);
	}
}

#[tokio::test]
async fn access_that_may_be_left_out_is_not() {
	let mut world = World::new();
	grant(&mut world);
	world.publish(1, vec![principals("root", &["admin"]), temporary(END).optional()]);
	world.step().await.unwrap();
	assert!(is_open(&world), "{}", world.file(PRINCIPALS));
}

#[tokio::test]
async fn an_agent_without_a_light_client_ends_it_all_the_same() {
	for once in [false, true] {
		let mut world = granted_world().await;
		world.agent = None;
		// By the clock of this machine the grant is over. The specification is none.
		let failed = match once {
			false => run(&world.config, std::future::pending()).await,
			true => run_once(&world.config, std::time::Duration::from_secs(60)).await.map(drop),
		};
		assert!(matches!(failed, Err(RunError::Connect(_))), "{failed:?}");
		assert_over(&world);
	}
}

#[tokio::test]
async fn it_ends_when_the_grant_is_revoked_on_the_chain() {
	let mut world = granted_world().await;
	world.chain.certificates.get_mut(&GRANT).unwrap().1 = Status::Revoked(revocation());
	world.step().await.unwrap();
	assert_over(&world);
}

#[tokio::test]
async fn a_delivery_whose_grant_is_over_is_applied_without_it() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	grant(&mut world);
	world.chain.certificates.get_mut(&GRANT).unwrap().1 = Status::Expired;
	world.publish(1, vec![user_ca(&ca), principals("root", &["admin"]), temporary(END)]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	assert_over(&world);
}

#[tokio::test]
async fn access_without_a_good_grant_on_the_chain_is_refused() {
	type Change = fn(&mut World);
	let changes: [(&str, Change); 4] = [
		("unknown", |world| world.chain.certificates.clear()),
		("another device", |world| {
			let organisation = world.config.organisation_id();
			let subject = access::subject(organisation, DeviceId([9; 32]));
			let record = record(world, subject);
			world.chain.certificates.insert(GRANT, (record, Status::Valid));
		}),
		("another holder", |world| {
			let (record, _) = world.chain.certificates.get_mut(&GRANT).unwrap();
			record.holder = Holder::Account([1; 32]);
		}),
		("an earlier end", |world| {
			let (record, _) = world.chain.certificates.get_mut(&GRANT).unwrap();
			record.validity.not_after = Some(END - 1);
		}),
	];
	for (what, change) in changes {
		let mut world = World::new();
		grant(&mut world);
		change(&mut world);
		world.publish(1, vec![principals("root", &["admin"]), temporary(END)]);
		world.step().await.unwrap();
		assert_eq!(world.refusal(), "bundle invalid", "{what}");
		assert!(!is_open(&world), "{what}");
	}
}
