//! Who has to stand for a delivery. Each test begins with a state in force, and ends with it still in force where the
//! delivery was not to be taken.

use crate::world::*;
use dpki_client::{
	Account, Bundle,
	bundle::ContentSignature,
	primitives::{
		Moment,
		anchor::AnchorKind,
		approval::ApprovalRecord,
		channel::ChannelId,
		context::MAX_SIGNATURE_LIFETIME,
		delivery::{DeliveryBinding, DeliveryRecord, Outcome, RefusalReason, Suite},
		ids::{BlobDigest, DeviceId},
		organisation::{DeliveryPolicy, Role, RoleSet},
	},
};

const DOG: [u8; 32] = [21; 32];
const OTHER_DOG: [u8; 32] = [22; 32];

fn roles(role: Role) -> RoleSet {
	RoleSet::EMPTY.with(role)
}

/// A world where delivery 5 is in force, from the time when a publisher sufficed.
async fn world(policy: DeliveryPolicy) -> (World, Ca) {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(5, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	world.chain.policy = policy;
	for dog in [DOG, OTHER_DOG] {
		world.chain.roles.insert(dog, roles(Role::Watchdog));
	}
	(world, ca)
}

/// The newest delivery is approved by these accounts.
fn approve(world: &mut World, by: &[[u8; 32]]) {
	let record = world.chain.delivery.as_ref().unwrap();
	world.chain.approvals = Some(ApprovalRecord {
		delivery: record.id(world.config.device_id(), world.channel),
		by: by.to_vec().try_into().unwrap(),
	});
}

/// The next block changes nothing, and the chain is told that approvals are missing.
async fn assert_missing(world: &mut World, word: &str, words: &str) {
	let before = world.generation();
	world.step().await.unwrap();
	assert_eq!(world.refusal(), word);
	let sentence = world.agent().status().last_refusal.clone().unwrap().sentence;
	assert!(sentence.contains(words), "{sentence}");
	assert_eq!(world.generation(), before);
	assert_eq!(world.file("principals/root"), "admin\n");
	let due = world.due().await.unwrap();
	assert_eq!(due.outcome, Outcome::Refused(RefusalReason::ApprovalMissing));
}

async fn assert_applied(world: &mut World, sequence: u64) {
	world.step().await.unwrap();
	let status = world.agent().status();
	assert_eq!(status.sequence, Some(sequence), "{status:?}");
}

fn watchdogs(needed: u32) -> DeliveryPolicy {
	DeliveryPolicy::Watchdogs { needed }
}

#[tokio::test]
async fn a_delivery_with_all_its_approvals_is_applied() {
	let (mut world, ca) = world(watchdogs(2)).await;
	world.publish(6, vec![user_ca(&ca), principals("root", &["new"])]);
	approve(&mut world, &[DOG, OTHER_DOG]);
	assert_applied(&mut world, 6).await;
	assert_eq!(world.file("principals/root"), "new\n");
}

#[tokio::test]
async fn a_delivery_with_one_approval_too_few_is_not_applied() {
	let (mut world, ca) = world(watchdogs(2)).await;
	world.publish(6, vec![user_ca(&ca), principals("root", &["new"])]);
	approve(&mut world, &[DOG]);
	assert_missing(&mut world, "approval missing", "1 of 2 approvals").await;
	// Not even the blob is asked for.
	let chain = world.chain.clone();
	assert_eq!(world.agent().wanted(&chain).await.unwrap(), []);
}

#[tokio::test]
async fn a_delivery_that_nobody_approved_is_not_applied() {
	let (mut world, _) = world(watchdogs(1)).await;
	world.publish(6, vec![]);
	assert_missing(&mut world, "approval missing", "0 of 1 approvals").await;
}

#[tokio::test]
async fn one_watchdog_is_not_two() {
	let (mut world, _) = world(watchdogs(2)).await;
	world.publish(6, vec![]);
	approve(&mut world, &[DOG, DOG]);
	assert_missing(&mut world, "approval missing", "1 of 2 approvals").await;
}

#[tokio::test]
async fn the_approval_of_a_watchdog_who_is_none_any_more_does_not_count() {
	let (mut world, _) = world(watchdogs(2)).await;
	world.publish(6, vec![]);
	approve(&mut world, &[DOG, OTHER_DOG]);
	world.chain.roles.insert(OTHER_DOG, roles(Role::Publisher));
	assert_missing(&mut world, "approval missing", "1 of 2 approvals").await;
}

#[tokio::test]
async fn approvals_of_another_delivery_do_not_count() {
	type Change = fn(&mut DeliveryRecord);
	let changes: [Change; 4] = [
		|record| record.sequence = 5,
		|record| record.digest = BlobDigest([9; 32]),
		|record| record.publisher = [9; 32],
		|record| record.suite = Suite::SharedX25519,
	];
	for (change, channel) in changes.map(|change| (change, 0)).into_iter().chain([(changes[0], 3)])
	{
		let (mut world, _) = world(watchdogs(1)).await;
		world.publish(6, vec![]);
		approve(&mut world, &[DOG]);
		let mut other = world.chain.delivery.clone().unwrap();
		if channel == 0 {
			change(&mut other);
		}
		let channel = ChannelId::new(channel).unwrap();
		let delivery = other.id(world.config.device_id(), channel);
		world.chain.approvals.as_mut().unwrap().delivery = delivery;
		assert_missing(&mut world, "approval missing", "0 of 1 approvals").await;
	}
}

#[tokio::test]
async fn what_was_published_before_the_policy_is_judged_by_the_policy_of_now() {
	let (mut world, _) = world(DeliveryPolicy::Simple).await;
	world.publish(6, vec![]);
	world.chain.policy = watchdogs(1);
	assert_missing(&mut world, "approval missing", "0 of 1 approvals").await;
}

#[tokio::test]
async fn what_is_in_force_stays_in_force_under_a_stricter_policy() {
	let (mut world, ca) = world(watchdogs(2)).await;
	world.step().await.unwrap();
	world.restart();
	world.step().await.unwrap();
	assert!(world.trusts(&ca));
	assert_eq!(world.refusal(), "");
}

#[tokio::test]
async fn a_chain_that_does_not_answer_approves_nothing() {
	let (mut world, ca) = world(watchdogs(1)).await;
	world.publish(6, vec![]);
	approve(&mut world, &[DOG]);
	world.chain.silent = true;
	assert!(world.step().await.is_err());
	assert!(world.trusts(&ca));
	world.chain.silent = false;
	assert_applied(&mut world, 6).await;
}

/// How a person signs the content of the next delivery.
struct Signing {
	account: Account,
	place: fn(DeliveryBinding) -> DeliveryBinding,
	expires_at: Moment,
}

impl Signing {
	fn good() -> Self {
		Self { account: manager(), place: |place| place, expires_at: NOW + 60_000 }
	}
}

fn manager() -> Account {
	Account::from_uri("//Manager").unwrap()
}

/// A world under multi-admin, and delivery 6 of it, which an anchor manager has approved on the chain.
async fn signed_world(signing: Option<Signing>) -> World {
	let (mut world, ca) = world(DeliveryPolicy::MultiAdmin).await;
	world.chain.roles.insert(manager().id(), roles(Role::AnchorManager));
	let bundle = Bundle { items: vec![user_ca(&ca), principals("root", &["new"])] };
	let plaintext = match signing {
		None => bundle.encode(),
		Some(Signing { account, place, expires_at }) => {
			let place = place(world.binding(6));
			bundle.encode_signed(|digest| {
				ContentSignature::sign(&account, &place, digest, expires_at)
			})
		},
	};
	let device = world.config.device_id();
	world.seal(device, 6, &plaintext.unwrap());
	approve(&mut world, &[manager().id()]);
	world
}

#[tokio::test]
async fn a_delivery_that_a_second_person_signed_is_applied() {
	let mut world = signed_world(Some(Signing::good())).await;
	assert_applied(&mut world, 6).await;
	assert_eq!(world.file("principals/root"), "new\n");
}

#[tokio::test]
async fn a_content_that_nobody_signed_is_refused() {
	let mut world = signed_world(None).await;
	assert_missing(&mut world, "content signature", "asks for a signature").await;
}

#[tokio::test]
async fn a_signature_without_an_approval_on_the_chain_does_not_suffice() {
	let mut world = signed_world(Some(Signing::good())).await;
	world.chain.approvals = None;
	assert_missing(&mut world, "approval missing", "0 of 1 approvals").await;
}

#[tokio::test]
async fn a_publisher_does_not_approve_for_itself() {
	let mut world = signed_world(Some(Signing::good())).await;
	world.chain.roles.insert(PUBLISHER, RoleSet::ALL);
	approve(&mut world, &[PUBLISHER]);
	assert_missing(&mut world, "approval missing", "0 of 1 approvals").await;
}

#[tokio::test]
async fn a_publisher_does_not_sign_for_itself() {
	let mut world = signed_world(Some(Signing::good())).await;
	// The second person is the one who publishes, which the envelope and the signature say, too.
	let publisher = manager().id();
	world.chain.roles.insert(publisher, RoleSet::ALL);
	world.chain.roles.insert(DOG, roles(Role::AnchorManager));
	let place = DeliveryBinding { publisher, ..world.binding(6) };
	let plaintext = Bundle::default()
		.encode_signed(|digest| ContentSignature::sign(&manager(), &place, digest, NOW + 60_000));
	let device = world.config.device_id();
	world.seal_by(publisher, device, 6, &plaintext.unwrap());
	approve(&mut world, &[DOG]);
	assert_missing(&mut world, "content signature", "takes two accounts").await;
}

#[tokio::test]
async fn the_signature_of_somebody_without_the_role_is_refused() {
	let account = Account::from_uri("//Stranger").unwrap();
	let mut world = signed_world(Some(Signing { account, ..Signing::good() })).await;
	let words = "has not the role anchor-manager";
	assert_missing(&mut world, "content signature", words).await;
}

#[tokio::test]
async fn the_signature_of_who_lost_the_role_is_refused() {
	let mut world = signed_world(Some(Signing::good())).await;
	world.chain.roles.insert(DOG, roles(Role::AnchorManager));
	approve(&mut world, &[DOG]);
	world.chain.roles.insert(manager().id(), roles(Role::Registrar));
	let words = "has not the role anchor-manager";
	assert_missing(&mut world, "content signature", words).await;
}

#[tokio::test]
async fn a_signature_for_another_place_is_refused() {
	let places: [fn(DeliveryBinding) -> DeliveryBinding; 5] = [
		|place| DeliveryBinding { device: DeviceId([9; 32]), ..place },
		|place| DeliveryBinding { channel: ChannelId::new(1).unwrap(), ..place },
		|place| DeliveryBinding { sequence: 5, ..place },
		|place| DeliveryBinding { publisher: [9; 32], ..place },
		|place| DeliveryBinding { genesis: [9; 32], ..place },
	];
	for place in places {
		let mut world = signed_world(Some(Signing { place, ..Signing::good() })).await;
		assert_missing(&mut world, "content signature", "does not verify").await;
	}
}

#[tokio::test]
async fn an_old_signature_is_refused() {
	for expires_at in [NOW - 1, NOW + 2 * MAX_SIGNATURE_LIFETIME] {
		let mut world = signed_world(Some(Signing { expires_at, ..Signing::good() })).await;
		assert_missing(&mut world, "content signature", "was not good when it was published").await;
	}
}

#[tokio::test]
async fn a_signature_is_as_old_as_its_publication_and_not_as_the_device_was_off() {
	let mut world = signed_world(Some(Signing::good())).await;
	world.chain.head.time += 5 * MAX_SIGNATURE_LIFETIME;
	assert_applied(&mut world, 6).await;
}

#[tokio::test]
async fn a_bad_signature_is_refused_where_none_is_needed() {
	let (mut world, _) = world(DeliveryPolicy::Simple).await;
	let place = DeliveryBinding { sequence: 99, ..world.binding(6) };
	let plaintext = Bundle::default()
		.encode_signed(|digest| ContentSignature::sign(&manager(), &place, digest, NOW + 60_000));
	let device = world.config.device_id();
	world.seal(device, 6, &plaintext.unwrap());
	assert_missing(&mut world, "content signature", "does not verify").await;
}
