//! Several channels: each by itself, all of them in one state, and what two of them claim.

use crate::{appliers::Certified, world::*};
use dpki_agent::{agent::Verdict, journal::Journal};
use dpki_client::{
	Item,
	bundle::Secret,
	primitives::{
		anchor::AnchorKind,
		channel::{ChannelId, ChannelSet},
		delivery::{Acknowledgement, Outcome, RefusalReason},
	},
};

const CONFLICT: Outcome = Outcome::Refused(RefusalReason::ChannelConflict);
const IGNORED: Outcome = Outcome::Refused(RefusalReason::ChannelIgnored);

fn channel(number: u8) -> ChannelId {
	ChannelId::new(number).unwrap()
}

/// A world with delivery 5 in force on channel 0: a CA, and who may log in as root.
async fn applied_world() -> (World, Ca) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(5, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca), "{:?}", world.agent().status());
	(world, ca)
}

/// What the chain is to be told of this channel.
async fn outcome(world: &mut World, number: u8) -> Option<Outcome> {
	let due = world.all_due().await;
	due.iter().find(|it| it.channel == channel(number)).map(|it| it.outcome)
}

/// What is in force on this channel, and the highest number seen.
fn sequences(world: &mut World, number: u8) -> (Option<u64>, Option<u64>) {
	let status = world.agent().status();
	let found = status.channels.iter().find(|it| it.channel == number);
	found.map_or((None, None), |it| (it.sequence, it.highest_sequence))
}

#[tokio::test]
async fn what_comes_on_two_channels_is_in_force_together() {
	let (mut world, ca) = applied_world().await;
	let other = world.register(AnchorKind::SshUserCa);
	world.on(2).publish(1, vec![user_ca(&other), principals("web", &["ops"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca) && world.trusts(&other));
	assert_eq!(world.file("principals/root"), "admin\n");
	assert_eq!(world.file("principals/web"), "ops\n");
	assert_eq!(sequences(&mut world, 2), (Some(1), Some(1)));
	assert_eq!(sequences(&mut world, 0), (Some(5), Some(5)));
	let told: Vec<_> =
		world.all_due().await.into_iter().map(|it| (it.channel, it.outcome)).collect();
	assert_eq!(told, [(channel(0), Outcome::Applied), (channel(2), Outcome::Applied)]);
}

#[tokio::test]
async fn two_deliveries_of_one_block_are_both_applied() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.on(7).publish(3, vec![user_ca(&ca), principals("web", &["ops"])]);
	world.on(0).publish(5, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert_eq!((sequences(&mut world, 0).0, sequences(&mut world, 7).0), (Some(5), Some(3)));
	assert!(world.trusts(&ca), "both name the same CA, which is no conflict");
}

#[tokio::test]
async fn a_delivery_takes_away_what_its_own_channel_does_not_name_any_more() {
	let (mut world, ca) = applied_world().await;
	world.on(2).publish(1, vec![principals("web", &["ops"])]);
	world.step().await.unwrap();
	world.publish(2, vec![principals("db", &["ops"])]);
	world.step().await.unwrap();
	assert!(!world.current().join("principals/web").exists());
	assert_eq!(world.file("principals/db"), "ops\n");
	assert!(world.trusts(&ca));
	world.on(0).publish(6, vec![]);
	world.step().await.unwrap();
	assert!(!world.trusts(&ca));
	assert_eq!(world.file("principals/db"), "ops\n");
}

#[tokio::test]
async fn each_channel_has_its_own_floor() {
	let (mut world, ca) = applied_world().await;
	world.on(2).publish(3, vec![principals("web", &["ops"])]);
	world.step().await.unwrap();
	world.restart();
	world.publish(2, vec![]);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "older sequence");
	assert_eq!(world.file("principals/web"), "ops\n");
	assert!(world.trusts(&ca));
	assert_eq!(sequences(&mut world, 2), (Some(3), Some(3)));
}

#[tokio::test]
async fn a_delivery_that_is_refused_on_one_channel_holds_up_no_other() {
	let (mut world, ca) = applied_world().await;
	world.on(1).publish(1, vec![principals("web", &["ops"])]);
	world.alter_other(channel(1));
	world.on(2).publish(1, vec![principals("db", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(
		outcome(&mut world, 1).await,
		Some(Outcome::Refused(RefusalReason::EnvelopeInvalid))
	);
	assert_eq!(world.file("principals/db"), "ops\n");
	assert!(world.trusts(&ca));
}

#[tokio::test]
async fn a_delivery_that_claims_what_a_lower_channel_has_is_refused() {
	let (mut world, ca) = applied_world().await;
	world.on(2).publish(1, vec![principals("web", &["ops"])]);
	world.step().await.unwrap();
	let before = world.generation();
	world.publish(2, vec![principals("web", &["all"]), principals("root", &["intruder"])]);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "channel conflict");
	let sentence = world.agent().status().last_refusal.clone().unwrap().sentence;
	assert!(sentence.contains("channel 0 has the login root"), "{sentence}");
	assert_eq!(outcome(&mut world, 2).await, Some(CONFLICT));
	assert_eq!(world.generation(), before);
	assert_eq!(world.file("principals/web"), "ops\n", "the state before it stays in force");
	assert!(world.trusts(&ca));
	// It is not tried again, though nothing is in its way any more.
	world.on(0).publish(6, vec![user_ca(&ca)]);
	world.step().await.unwrap();
	world.step().await.unwrap();
	assert!(!world.current().join("principals/root").exists());
	world.on(2).publish(3, vec![principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "ops\n");
}

#[tokio::test]
async fn a_delivery_on_a_lower_channel_takes_its_own_and_the_higher_one_goes_as_a_whole() {
	let (mut world, ca) = applied_world().await;
	world
		.on(2)
		.publish(1, vec![principals("web", &["ops"]), principals("db", &["ops"])]);
	world.step().await.unwrap();
	let due = world.all_due().await.pop().unwrap();
	let Verdict { seen, outcome: applied, .. } = due;
	world.chain.others.entry(channel(2)).or_default().acknowledgement =
		Some(Acknowledgement { sequence: 1, digest: seen.digest, outcome: applied, at: NOW });
	assert_eq!(outcome(&mut world, 2).await, None, "the chain knows that it was applied");

	world.on(1).publish(1, vec![principals("web", &["lower"])]);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/web"), "lower\n");
	assert!(!world.current().join("principals/db").exists(), "half of a state is another state");
	assert!(world.trusts(&ca));
	assert_eq!(outcome(&mut world, 1).await, Some(Outcome::Applied));
	assert_eq!(outcome(&mut world, 2).await, Some(CONFLICT));
	assert_eq!(sequences(&mut world, 2), (None, Some(1)));
	// So it is after a restart.
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.file("principals/web"), "lower\n");
	assert_eq!(outcome(&mut world, 2).await, Some(CONFLICT));
}

#[tokio::test]
async fn whichever_of_two_that_claim_the_same_comes_first_the_lower_one_is_in_force() {
	for order in [[0, 3], [3, 0]] {
		let mut world = World::new();
		let host_ca = world.register(AnchorKind::SshHostCa);
		let certificates = [world.host_certificate(&host_ca), world.host_certificate(&host_ca)];
		for number in order {
			let certificate = certificates[usize::from(number != 0)].clone();
			world.on(number).publish(1, vec![Item::SshHostCertificate { certificate }]);
			world.step().await.unwrap();
		}
		let written = world.file("host_certificate.pub");
		let expected = certificates[0].split_whitespace().nth(1);
		assert_eq!(written.split_whitespace().nth(1), expected, "{order:?}");
		assert_eq!(outcome(&mut world, 3).await, Some(CONFLICT), "{order:?}");
	}
}

#[tokio::test]
async fn the_revocation_lists_of_a_higher_channel_hold_no_trust_of_a_lower_one_up() {
	let (old, new) = (Certified::authority("old"), Certified::authority("new"));
	let lists = || Item::RevocationLists { name: "web".into(), lists: vec![old.list(1)] };
	let mut world = World::new().with_tls("web");
	world.on(5).publish(1, vec![old.trusted("web"), lists()]);
	world.step().await.unwrap();
	assert_eq!(outcome(&mut world, 5).await, Some(Outcome::Applied));
	world.on(0).publish(1, vec![new.trusted("web")]);
	world.step().await.unwrap();
	assert_eq!(outcome(&mut world, 0).await, Some(Outcome::Applied));
	assert_eq!(outcome(&mut world, 5).await, Some(CONFLICT));
	assert!(!world.place("web/current/crl.pem").exists());
	// Nor do they come to stand beside it, where the next trust would have to suit them.
	world.on(0).publish(2, vec![old.trusted("web")]);
	world.step().await.unwrap();
	world.on(5).publish(2, vec![lists()]);
	world.step().await.unwrap();
	assert_eq!(outcome(&mut world, 5).await, Some(CONFLICT));
	world.on(0).publish(3, vec![new.trusted("web")]);
	world.step().await.unwrap();
	assert_eq!(outcome(&mut world, 0).await, Some(Outcome::Applied));
}

#[tokio::test]
async fn a_lower_delivery_that_cannot_be_put_in_force_overrules_nothing() {
	let (mut world, _) = applied_world().await;
	world.on(2).publish(1, vec![principals("web", &["ops"])]);
	world.step().await.unwrap();
	write_script(&world.config.ssh.sshd, "#!/bin/sh\nexit 1\n");
	world.on(1).publish(1, vec![principals("web", &["lower"])]);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "apply failed");
	assert_eq!(world.file("principals/web"), "ops\n");
	assert_eq!(sequences(&mut world, 2), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_channel_that_the_device_does_not_obey_changes_nothing() {
	let (mut world, ca) = applied_world().await;
	world.config.channels = Some(ChannelSet::EMPTY.with(channel(0)).with(channel(1)));
	world.restart();
	world.on(2).publish(4, vec![principals("web", &["ops"])]);
	let before = world.generation();
	world.step().await.unwrap();
	assert_eq!((world.refusal().as_str(), world.generation()), ("channel ignored", before));
	assert_eq!(outcome(&mut world, 2).await, Some(IGNORED));
	assert!(world.trusts(&ca));
	// Once it is obeyed, what is there is taken.
	world.config.channels = None;
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.file("principals/web"), "ops\n");
	assert_eq!(outcome(&mut world, 2).await, Some(Outcome::Applied));
}

#[tokio::test]
async fn what_came_on_a_channel_that_is_not_obeyed_any_more_is_taken_away() {
	let (mut world, ca) = applied_world().await;
	world.on(2).publish(4, vec![principals("web", &["ops"])]);
	world.step().await.unwrap();
	world.config.channels = Some(ChannelSet::EMPTY.with(channel(0)));
	world.restart();
	world.step().await.unwrap();
	assert!(!world.current().join("principals/web").exists());
	assert!(world.trusts(&ca));
	assert_eq!(sequences(&mut world, 2), (None, Some(4)), "it is not said to be in force");
	// Its floor stays.
	world.config.channels = None;
	world.restart();
	world.publish(3, vec![]);
	world.step().await.unwrap();
	assert_eq!(world.refusal(), "older sequence");
	assert_eq!(world.file("principals/web"), "ops\n");
}

#[tokio::test]
async fn a_crash_leaves_each_channel_where_it_was() {
	let (mut world, ca) = applied_world().await;
	world.on(1).publish(1, vec![principals("web", &["ops"])]);
	world.step().await.unwrap();
	let mut journal = Journal::open(&world.vault(), GENESIS, world.config.device_id()).unwrap();
	let lane = journal.entries.lane(channel(1));
	let pending = lane.applied.take().unwrap();
	lane.verdict = None;
	journal.entries.pending = Some((channel(1), pending));
	journal.save().unwrap();
	world.blobs.0.lock().unwrap().clear();
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.file("principals/web"), "ops\n");
	assert_eq!(outcome(&mut world, 1).await, Some(Outcome::Applied));
	assert!(world.trusts(&ca));
	assert_eq!(sequences(&mut world, 0), (Some(5), Some(5)));
}

#[tokio::test]
async fn a_revocation_takes_access_away_on_every_channel() {
	let (mut world, ca) = applied_world().await;
	let other = world.register(AnchorKind::SshUserCa);
	world.on(2).publish(1, vec![user_ca(&other)]);
	world.step().await.unwrap();
	assert!(world.trusts(&other));
	world.anchor(other.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	assert!(!world.trusts(&other) && world.trusts(&ca));
}

#[tokio::test]
async fn a_part_that_the_agent_cannot_put_in_force_is_refused_on_its_channel_alone() {
	let (mut world, ca) = applied_world().await;
	let psk = Item::Psk { identity: "drone-7".into(), key: Secret::from(&[7; 32][..]) };
	world.on(9).publish(1, vec![psk]);
	world.step().await.unwrap();
	let refused = Outcome::Refused(RefusalReason::BundleInvalid);
	assert_eq!(outcome(&mut world, 9).await, Some(refused));
	world.on(0).publish(6, vec![user_ca(&ca), principals("root", &["new"])]);
	world.step().await.unwrap();
	assert_eq!(world.file("principals/root"), "new\n");
}
