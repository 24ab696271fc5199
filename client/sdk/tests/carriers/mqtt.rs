//! Retained messages: what mosquitto keeps, and what a broker could say that mosquitto would not.

use super::*;
use broker::Broker;
use dpki_client::carrier::{
	CarrierError,
	mqtt::{MqttCarrier, bundle_topic, changes_topic},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpListener,
};

fn carrier(address: &str) -> MqttCarrier {
	MqttCarrier::new(address).unwrap()
}

fn topic() -> String {
	bundle_topic(kit::GENESIS, &question())
}

async fn refusal(carrier: MqttCarrier) -> CarrierError {
	match asked(carrier).await.0 {
		Err(Failure::Carrier(error)) => error,
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn a_broker_delivers_what_is_retained() {
	let folder = tempfile::tempdir().unwrap();
	let broker = Broker::start(folder.path());
	let carrier = carrier(&broker.address());
	carrier.publish(&topic(), b"an older one".to_vec()).await.unwrap();
	carrier.publish(&topic(), honest()).await.unwrap();
	assert_delivers(carrier).await;
}

#[tokio::test]
async fn a_broker_with_lies_is_refused() {
	let folder = tempfile::tempdir().unwrap();
	let broker = Broker::start(folder.path());
	for (lie, bundle, expected) in lies() {
		// To MQTT an empty retained message is none.
		if bundle.is_empty() {
			continue;
		}
		let carrier = carrier(&broker.address());
		carrier.publish(&topic(), bundle).await.unwrap();
		assert_unproven(carrier, lie, expected).await;
	}
}

#[tokio::test]
async fn where_nothing_is_retained_nothing_is_waited_for() {
	let folder = tempfile::tempdir().unwrap();
	let broker = Broker::start(folder.path());
	let silent = carrier(&broker.address()).with_patience(Duration::from_secs(20), SHORT);
	let error = refusal(silent).await;
	assert!(matches!(error, CarrierError::Missing { .. }), "{error}");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_taken() {
	let folder = tempfile::tempdir().unwrap();
	let broker = Broker::start(folder.path());
	carrier(&broker.address()).publish(&topic(), vec![0; 128 * 1024]).await.unwrap();
	let error = refusal(carrier(&broker.address()).with_limit(64 * 1024)).await;
	assert!(matches!(error, CarrierError::TooLarge { allowed: 65_536, .. }), "{error}");
}

#[tokio::test]
async fn a_device_that_is_behind_finds_the_changes_beside_the_bundle() {
	let folder = tempfile::tempdir().unwrap();
	let broker = Broker::start(folder.path());
	let carrier = carrier(&broker.address());

	// The set changes in block 15. The bundle of block 20 does not tell it, because others know it already.
	let old = World::new(4);
	let mut new = World::new(4);
	(new.keys, new.set_id) = (kit::keys(50, 4), old.set_id + 1);
	let change = old.block(15, &kit::change_to(&new.keys));
	let justification = kit::justify(&old.keys, old.set_id, &change);
	let fragments = codec::Encode::encode(&vec![(change, justification)]);
	carrier.publish(&topic(), new.answer(&question()).encode()).await.unwrap();
	carrier.publish(&changes_topic(kit::GENESIS, 0), fragments).await.unwrap();

	let (answer, device) = asked(carrier).await;
	assert_eq!(answer, Ok(true));
	assert_eq!(device.checkpoint().set.id(), new.set_id);
}

const CONNACK: &[u8] = &[0x20, 2, 0, 0];

/// What a liar does once it has said everything.
#[derive(PartialEq)]
enum After {
	Close,
	Wait,
	Drip,
}

/// A broker that answers the connection and the subscription with these bytes.
async fn liar(connack: &'static [u8], then: Vec<u8>, after: After) -> MqttCarrier {
	liar_with(LONG, connack, then, after).await
}

/// The same, for a device that has no patience with it.
async fn staller(then: Vec<u8>, after: After) -> MqttCarrier {
	liar_with(SHORT, CONNACK, then, after).await
}

async fn liar_with(
	patience: Duration,
	connack: &'static [u8],
	then: Vec<u8>,
	after: After,
) -> MqttCarrier {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = format!("mqtt://{}", listener.local_addr().unwrap());
	tokio::spawn(async move {
		let (mut stream, _) = listener.accept().await.unwrap();
		let mut packet = [0; 1024];
		let _ = stream.read(&mut packet).await;
		let _ = stream.write_all(connack).await;
		let _ = stream.read(&mut packet).await;
		let _ = stream.write_all(&then).await;
		while after == After::Drip && stream.write_all(&[0]).await.is_ok() {
			tokio::time::sleep(SHORT / 20).await;
		}
		// Until the other side has enough.
		while after == After::Wait && stream.read(&mut packet).await.is_ok_and(|read| read > 0) {}
	});
	carrier(&address).with_patience(patience, patience)
}

#[tokio::test]
async fn a_packet_without_an_end_is_not_read_to_it() {
	// It announces 256 MiB.
	let huge = vec![0x30, 0xff, 0xff, 0xff, 0x7f];
	let error = refusal(liar(CONNACK, huge, After::Drip).await).await;
	assert!(matches!(error, CarrierError::TooLarge { .. }), "{error}");
	// It announces what is allowed, and sends it byte by byte.
	let slow = vec![0x30, 0x80, 0x80, 0x01];
	let error = refusal(staller(slow, After::Drip).await).await;
	assert!(matches!(error, CarrierError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn a_broker_that_breaks_off_is_told_apart() {
	let cut = vec![0x30, 0x20, 0x00, 0x04, b'd'];
	let error = refusal(liar(CONNACK, cut, After::Close).await).await;
	let broke =
		matches!(error, CarrierError::Interrupted { .. } | CarrierError::Unreachable { .. });
	assert!(broke, "{error}");
}

#[tokio::test]
async fn a_broker_that_sends_what_was_not_asked_for_is_refused() {
	let other = vec![0x30, 5, 0, 1, b'x', b'h', b'i'];
	let error = refusal(liar(CONNACK, other, After::Wait).await).await;
	assert!(matches!(error, CarrierError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_broker_that_does_not_let_in_is_told_apart() {
	// Return code 5: not authorised.
	let error = refusal(liar(&[0x20, 2, 0, 5], Vec::new(), After::Wait).await).await;
	assert!(matches!(error, CarrierError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_broker_that_is_silent_is_given_up() {
	let error = refusal(staller(Vec::new(), After::Wait).await).await;
	assert!(matches!(error, CarrierError::TimedOut { .. }), "{error}");
}
