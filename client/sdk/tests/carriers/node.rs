//! Nodes that say what they like.

use super::*;
use dpki_client::carrier::{
	CarrierError, MAX_CARRIED_LEN, MAX_IDLE_ROUNDS,
	node::{NodeCarrier, TOO_MANY_CHANGES},
};
use jsonrpsee::types::ErrorObjectOwned;
use liar::{Liar, Said, Wire};
use serde_json::{Value, json};
use std::{
	sync::{
		Arc,
		atomic::{AtomicU32, Ordering},
	},
	time::Instant,
};

/// Of the length of an answer with an honest bundle, which is some thousands of bytes.
const A_PART: usize = 700;

fn hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

/// A good answer in form, whatever is in it.
fn served(bundle: &[u8]) -> Value {
	json!({ "blockNumber": 20, "blockHash": hex(&[20; 32]), "bundle": hex(bundle) })
}

fn changes(count: u32, fragments: &[u8]) -> Value {
	json!({
		"count": count,
		"last": hex(&[15; 32]),
		"isFinished": true,
		"fragments": hex(fragments),
	})
}

/// A node with this answer to the question for a bundle. It knows of no change of the authority set.
async fn node(bundle: Said) -> Liar {
	node_with(bundle, Ok(changes(0, &[0]))).await
}

async fn node_with(bundle: Said, changes: Said) -> Liar {
	Liar::start(move |method, _| {
		let said = match method {
			"dpki_bundle" => bundle.clone(),
			_ => changes.clone(),
		};
		async { said }
	})
	.await
}

fn refused(code: i32, sentence: &str) -> Said {
	Err(ErrorObjectOwned::owned(code, sentence, None::<()>))
}

fn carrier(node: &Liar) -> NodeCarrier {
	NodeCarrier::new(&node.url()).with_patience(LONG)
}

async fn refusal(carrier: NodeCarrier) -> CarrierError {
	match asked(carrier).await.0 {
		Err(Failure::Carrier(error)) => error,
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn a_node_delivers() {
	assert_delivers(carrier(&node(Ok(served(&honest()))).await)).await;
}

#[tokio::test]
async fn a_node_that_lies_is_refused() {
	for (lie, bundle, expected) in lies() {
		assert_unproven(carrier(&node(Ok(served(&bundle))).await), lie, expected).await;
	}
}

#[tokio::test]
async fn what_a_node_says_beside_the_bundle_changes_nothing() {
	for (number, hash) in [(0, [0; 32]), (19, [20; 32]), (u32::MAX, [0xff; 32])] {
		let mut told = served(&honest());
		told["blockNumber"] = number.into();
		told["blockHash"] = hex(&hash).into();
		assert_delivers(carrier(&node(Ok(told)).await)).await;
	}
}

#[tokio::test]
async fn an_answer_out_of_form_is_told_apart() {
	let with = |field: &str, value: Value| {
		let mut told = served(&honest());
		told[field] = value;
		told
	};
	let digits = hex::encode(honest());
	let answers = [
		Value::Null,
		json!([]),
		json!({}),
		with("blockNumber", json!(-1)),
		with("blockNumber", json!(1u64 << 32)),
		with("blockNumber", json!("20")),
		with("blockHash", json!("0x1414")),
		with("blockHash", json!("14".repeat(32))),
		with("blockHash", json!(format!("0x{}", "1g".repeat(32)))),
		with("bundle", Value::Null),
		with("bundle", json!("")),
		with("bundle", json!(digits)),
		with("bundle", json!(format!("0X{digits}"))),
		with("bundle", json!(format!("0x{digits}0"))),
		with("bundle", json!(format!("0x{digits}0x"))),
	];
	for answer in answers {
		let shown: String = answer.to_string().chars().take(100).collect();
		let error = refusal(carrier(&node(Ok(answer)).await)).await;
		assert!(matches!(error, CarrierError::Protocol { .. }), "{shown}: {error}");
	}
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_one_plain_line() {
	for code in [18_003, 18_009, -32_601, 0] {
		let error = refusal(carrier(&node(refused(code, "no\u{1b}[2J\n such key")).await)).await;
		let CarrierError::Refused { code: found, sentence, .. } = error else { panic!("{error}") };
		assert_eq!((found, sentence.as_str()), (code, "no [2J such key"));
	}
}

#[tokio::test]
async fn a_node_that_sends_the_device_after_changes_has_to_have_them() {
	let behind = || refused(TOO_MANY_CHANGES, "follow");
	let error = refusal(carrier(&node(behind()).await)).await;
	assert!(matches!(error, CarrierError::Behind { .. }), "{error}");

	let error = refusal(carrier(&node_with(behind(), refused(18_010, "later")).await)).await;
	assert!(matches!(error, CarrierError::Refused { code: 18_010, .. }), "{error}");
	for malformed in [json!(3), json!({ "count": 1 })] {
		let error = refusal(carrier(&node_with(behind(), Ok(malformed)).await)).await;
		assert!(matches!(error, CarrierError::Protocol { .. }), "{error}");
	}

	let stranger = kit::keys(100, 4);
	let change = World::new(4).block(15, &kit::change_to(&stranger));
	let forged = kit::justify(&stranger, World::new(4).set_id, &change);
	let forged = codec::Encode::encode(&vec![(change, forged)]);
	let by_stranger: Expected = |error| matches!(error, Unproven::UnknownAuthority { .. });
	let is_malformed: Expected = |error| matches!(error, Unproven::Malformed(_));
	for (lie, fragments, expected) in [
		("forged changes", forged, by_stranger),
		("no changes", vec![7; 40], is_malformed),
		("less than nothing", Vec::new(), is_malformed),
	] {
		let node = node_with(behind(), Ok(changes(1, &fragments))).await;
		assert_unproven(carrier(&node), lie, expected).await;
	}
}

#[tokio::test]
async fn a_node_that_repeats_the_same_changes_is_left_soon() {
	let old = World::new(4);
	let change = old.block(9, &kit::change_to(&old.keys));
	let justification = kit::justify(&old.keys, old.set_id, &change);
	let known = codec::Encode::encode(&vec![(change, justification)]);
	let count = Arc::new(AtomicU32::new(0));
	let counted = count.clone();
	let node = Liar::start(move |method, _| {
		let said = match method {
			"dpki_bundle" => refused(TOO_MANY_CHANGES, "follow"),
			_ => {
				counted.fetch_add(1, Ordering::Relaxed);
				Ok(changes(1, &known))
			},
		};
		async { said }
	})
	.await;
	let error = refusal(carrier(&node)).await;
	assert!(matches!(error, CarrierError::Behind { .. }), "{error}");
	assert_eq!(count.load(Ordering::Relaxed), MAX_IDLE_ROUNDS);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_taken() {
	let more = vec![0; MAX_CARRIED_LEN + 1];
	let error = refusal(carrier(&node(Ok(served(&more))).await)).await;
	let is_too_long =
		matches!(error, CarrierError::TooLarge { allowed, .. } if allowed == MAX_CARRIED_LEN);
	assert!(is_too_long, "{error}");
	// Far more is not even read to its end.
	let more = vec![0; 2 * MAX_CARRIED_LEN];
	let error = refusal(carrier(&node(Ok(served(&more))).await)).await;
	let CarrierError::Interrupted { reason, .. } = error else { panic!("{error}") };
	assert!(reason.contains("too large"), "{reason}");
}

/// Given up at the end of patience, however the node makes it wait.
async fn assert_given_up(url: &str) {
	let began = Instant::now();
	let error = refusal(NodeCarrier::new(url).with_patience(SHORT)).await;
	let in_time = matches!(error, CarrierError::TimedOut { waited, .. } if waited == SHORT);
	assert!(in_time, "{error}");
	assert!(began.elapsed() < LONG / 4, "it took {:?}", began.elapsed());
}

#[tokio::test]
async fn a_node_that_never_answers_is_given_up() {
	let silent = Liar::start(|_, _| std::future::pending()).await;
	assert_given_up(&silent.url()).await;
	// One that does not even open the connection.
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
	assert_given_up(&format!("ws://{}", listener.local_addr().unwrap())).await;
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_given_up() {
	let node = node(Ok(served(&honest()))).await;
	for whole in [0, A_PART] {
		assert_given_up(&Wire::Drip(whole, SHORT / 20).to(node.address).await).await;
	}
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_apart() {
	let node = node(Ok(served(&honest()))).await;
	for whole in [0, 1, A_PART] {
		let url = Wire::Cut(whole).to(node.address).await;
		let error = refusal(NodeCarrier::new(&url).with_patience(LONG)).await;
		assert!(matches!(error, CarrierError::Interrupted { .. }), "{whole}: {error}");
	}
}

#[tokio::test]
async fn nobody_there_is_told_apart_and_so_is_something_else() {
	// Port 1 is for TCPMUX (RFC 1078), which nobody has run for decades.
	let page = http::server(http::Script::body(b"a page")).await.replace("http://", "ws://");
	for url in ["ws://127.0.0.1:1", &page] {
		let error = refusal(NodeCarrier::new(url).with_patience(LONG)).await;
		assert!(matches!(error, CarrierError::Unreachable { .. }), "{url}: {error}");
	}
}
