//! Several carriers, one after the other.

use super::*;
use dpki_client::carrier::{
	CarrierError, MAX_IDLE_ROUNDS, Pursuit,
	file::{Contents, FileCarrier},
	http::HttpCarrier,
};
use dpki_verifier::Checkpoint;
use http::{Script, server};
use std::sync::{
	Arc,
	atomic::{AtomicU32, Ordering},
};

#[tokio::test]
async fn the_next_carrier_is_asked_until_one_brings_what_is_proven() {
	let world = World::new(4);
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("drone.dpki");
	let file = Contents::new(kit::GENESIS, &question(), Vec::new(), honest()).encode();
	std::fs::write(&path, file).unwrap();
	let (_, mutated, _) = lies().remove(0);
	let liar = server(Script::body(&mutated)).await;
	let carriers = Carriers::new(vec![
		Box::new(HttpCarrier::new("http://127.0.0.1:1").unwrap()),
		Box::new(HttpCarrier::new(&liar).unwrap()),
		Box::new(FileCarrier::new(&path)),
	]);
	let mut device = world.verifier();
	let answer = carriers
		.ask(&mut device, &kit::drone_query(), fresh(), |it| it.number())
		.await
		.unwrap();
	assert_eq!((answer.value, answer.carrier), (20, format!("file:{}", path.display())));
	assert_eq!(answer.bundle, honest());
	assert_eq!(device.checkpoint().number, 20);
	assert!(matches!(
		answer.failures.as_slice(),
		[Failure::Carrier(CarrierError::Unreachable { .. }), Failure::Unproven { .. }]
	));

	// What was accepted once is not taken back by anybody.
	let older = server(Script::body(&world.answer_at(15, &question()).encode())).await;
	let carriers = Carriers::new(vec![Box::new(HttpCarrier::new(&older).unwrap())]);
	let refused = carriers.ask(&mut device, &kit::drone_query(), fresh(), |it| it.number()).await;
	let failure = refused.unwrap_err().0.remove(0);
	assert!(matches!(failure.unproven(), Some(Unproven::OlderThanSeen { .. })), "{failure}");
}

#[tokio::test]
async fn without_help_every_failure_is_told_and_nothing_has_changed() {
	let carriers = Carriers::parse(["http://127.0.0.1:1", "file:/nonexistent/x"]).unwrap();
	let mut device = World::new(4).verifier();
	let before = device.checkpoint().clone();
	let exhausted = carriers
		.ask(&mut device, &kit::drone_query(), fresh(), |it| it.number())
		.await
		.unwrap_err();
	assert_eq!(exhausted.0.len(), 2);
	let sentence = exhausted.to_string();
	assert!(sentence.contains("nobody answers at http://127.0.0.1:1"), "{sentence}");
	assert!(sentence.contains("file:/nonexistent/x holds no answer"), "{sentence}");
	assert_eq!(device.checkpoint(), &before);
	let nobody = Carriers::new(Vec::new());
	let none = nobody.ask(&mut device, &kit::drone_query(), fresh(), |it| it.number()).await;
	assert_eq!(none.unwrap_err().to_string(), "no carrier is named: name at least one");
}

#[tokio::test]
async fn a_device_that_is_behind_follows_what_its_carrier_knows() {
	let old = World::new(4);
	let mut new = World::new(4);
	(new.keys, new.set_id) = (kit::keys(50, 4), old.set_id + 1);
	let change = old.block(15, &kit::change_to(&new.keys));
	let justification = kit::justify(&old.keys, old.set_id, &change);
	let fragments = codec::Encode::encode(&vec![(change, justification)]);

	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("drone.dpki");
	let bundle = new.answer(&question()).encode();
	let file = Contents::new(kit::GENESIS, &question(), vec![fragments], bundle).encode();
	std::fs::write(&path, file).unwrap();
	let (answer, device) = asked(FileCarrier::new(&path)).await;
	assert_eq!(answer, Ok(true));
	assert_eq!(device.checkpoint().set.id(), new.set_id);
}

/// Brings the same changes for ever, and counts how often it was asked.
struct Repeating {
	changes: Vec<u8>,
	asked: Arc<AtomicU32>,
}

#[async_trait::async_trait]
impl Carrier for Repeating {
	fn name(&self) -> String {
		"repeating".into()
	}

	async fn bundle(&self, _: &Query, _: &Checkpoint) -> Result<Vec<u8>, CarrierError> {
		Err(CarrierError::Behind { carrier: self.name(), sentence: "follow".into() })
	}

	async fn changes(&self, _: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError> {
		self.asked.fetch_add(1, Ordering::Relaxed);
		Ok(Some(self.changes.clone()))
	}
}

#[tokio::test]
async fn who_brings_the_same_changes_again_and_again_is_not_asked_for_more() {
	let old = World::new(4);
	let keys = kit::keys(50, 4);
	let change = old.block(15, &kit::change_to(&keys));
	let justification = kit::justify(&old.keys, old.set_id, &change);
	let changes = codec::Encode::encode(&vec![(change, justification)]);
	let count = Arc::new(AtomicU32::new(0));
	let (answer, device) = asked(Repeating { changes, asked: count.clone() }).await;
	assert!(matches!(answer, Err(Failure::Carrier(CarrierError::Behind { .. }))), "{answer:?}");
	assert_eq!(count.load(Ordering::Relaxed), 1 + MAX_IDLE_ROUNDS);
	assert_eq!(device.checkpoint(), old.verifier().checkpoint(), "what a failure brought is left");
}

#[tokio::test]
async fn another_chain_of_the_same_authorities_passes_only_where_the_genesis_hash_is_left_out() {
	let asking = async |binds: bool, answer: Vec<u8>| {
		let carrier = HttpCarrier::new(&server(Script::body(&answer)).await).unwrap();
		let carriers = Carriers::new(vec![Box::new(carrier)]);
		let carriers = if binds { carriers } else { carriers.without_genesis() };
		let mut device = World::new(4).verifier();
		let query = kit::drone_query();
		let answer = carriers.ask(&mut device, &query, fresh(), |it| it.number()).await;
		answer.map(|it| it.value).map_err(|mut it| it.0.remove(0))
	};
	let elsewhere = twin().answer(&question()).encode();
	let refused = asking(true, elsewhere).await.unwrap_err();
	assert_eq!(refused.unproven(), Some(&Unproven::OtherChain));
	// Whoever does not answer that part of the question is refused as well.
	let unbound = World::new(4).answer(&kit::drone_query()).encode();
	let refused = asking(true, unbound.clone()).await.unwrap_err();
	assert_eq!(refused.unproven(), Some(&Unproven::NodeMissing));
	assert_eq!(asking(false, unbound).await, Ok(20));
	// This is what one accepts who leaves it out.
	assert_eq!(asking(false, twin().answer(&kit::drone_query()).encode()).await, Ok(20));
}
