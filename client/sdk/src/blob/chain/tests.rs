//! Nodes and peers that say what they like. A node is asked over a connection, a light client is a transport as well,
//! and asks another of its peers each time: here both are one that gives one answer after the other. Real ones are
//! asked in `client/e2e/tests/e2e/blobs.rs`.

use super::*;
use serde_json::value::{RawValue, to_raw_value};
use std::{
	future::{pending, ready},
	sync::{Arc, Mutex},
};
use subxt_rpcs::{
	Error, UserError,
	client::{RawRpcFuture, RawRpcSubscription, RpcClientT},
};

const BLOB: &[u8] = b"an envelope, or what else is sealed";
const LEN: u32 = BLOB.len() as u32;

fn named() -> BlobDigest {
	BlobDigest::of(BLOB)
}

#[derive(Clone)]
enum Says {
	/// These bytes in hexadecimal digits.
	Bytes(Vec<u8>),
	Text(&'static str),
	Refusal(i32, &'static str),
	/// Something that is no text.
	Number,
	/// The connection is lost.
	Gone,
	Nothing,
}

use Says::*;

/// What answers in this order, and with the last one from then on; and what it was asked.
struct Peers {
	says: Vec<Says>,
	asked: Mutex<Vec<String>>,
}

impl RpcClientT for Peers {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		let mut asked = self.asked.lock().unwrap();
		let says = self.says[asked.len().min(self.says.len() - 1)].clone();
		asked.push(format!("{method} {}", params.unwrap()));
		let text = |text: &str| Ok(to_raw_value(text).unwrap());
		let answer = match says {
			Bytes(bytes) => text(&format!("0x{}", hex::encode(bytes))),
			Text(words) => text(words),
			Refusal(code, message) => {
				Err(Error::User(UserError { code, message: message.into(), data: None }))
			},
			Number => Ok(to_raw_value(&7).unwrap()),
			Gone => Err(Error::DisconnectedWillReconnect("the peer is gone".into())),
			Nothing => return Box::pin(pending()),
		};
		Box::pin(ready(answer))
	}

	fn subscribe_raw<'a>(
		&'a self,
		_: &'a str,
		_: Option<Box<RawValue>>,
		_: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		Box::pin(ready(Err(Error::Client("nobody subscribes to blobs".into()))))
	}
}

/// What became of it, how often it was asked for, and the pauses between, which nobody waited for.
struct Fetched {
	blob: Result<Vec<u8>, BlobError>,
	asked: Vec<String>,
	pauses: Vec<Duration>,
}

async fn fetch(says: &[Says]) -> Fetched {
	let peers = Arc::new(Peers { says: says.to_vec(), asked: Mutex::default() });
	let patience = Duration::from_millis(20);
	let blobs = ChainBlobs { rpc: RpcClient::new(peers.clone()), patience };
	let pauses = Arc::new(Mutex::new(Vec::new()));
	let noted = pauses.clone();
	let clock = move |pause| {
		noted.lock().unwrap().push(pause);
		ready(())
	};
	let blob = blobs.fetch(named(), LEN, clock).await;
	let (asked, pauses) = (peers.asked.lock().unwrap().clone(), pauses.lock().unwrap().clone());
	Fetched { blob, asked, pauses }
}

/// It is asked for as often as it may be, and this is the error at last.
async fn refused(says: Says) -> BlobError {
	let fetched = fetch(&[says]).await;
	assert_eq!((fetched.asked.len(), fetched.pauses.len()), (ATTEMPTS, ATTEMPTS - 1));
	let error = fetched.blob.unwrap_err();
	let sentence = error.to_string();
	assert!(sentence.contains(&cid(named())) && !sentence.contains('\n'), "{sentence}");
	error
}

fn unavailable(reason: &str) -> BlobError {
	BlobError::Unavailable { cid: cid(named()), reason: reason.into() }
}

#[tokio::test]
async fn the_right_blob_is_taken_at_once_and_asked_for_by_its_cid() {
	let fetched = fetch(&[Bytes(BLOB.into())]).await;
	assert_eq!(fetched.blob.unwrap(), BLOB);
	assert_eq!(fetched.asked, [format!("bitswap_v1_get [\"{}\"]", cid(named()))]);
	assert!(fetched.pauses.is_empty());
}

#[tokio::test]
async fn bytes_with_another_hash_are_refused() {
	let other = BLOB.to_ascii_uppercase();
	assert_eq!(other.len(), BLOB.len());
	for bytes in [other, BLOB[1..].to_vec(), Vec::new()] {
		assert_eq!(refused(Bytes(bytes)).await, BlobError::Mismatch { cid: cid(named()) });
	}
}

#[tokio::test]
async fn more_bytes_than_are_allowed_are_refused() {
	let longer = BlobError::TooLong { cid: cid(named()), max_len: LEN };
	for bytes in [[BLOB, b"."].concat(), vec![0; 1 << 20]] {
		assert_eq!(refused(Bytes(bytes)).await, longer);
	}
}

#[tokio::test]
async fn a_blob_that_nobody_has_is_told_in_the_words_of_the_node() {
	let error = refused(Refusal(-32810, "block not found")).await;
	assert!(error.reason().contains("block not found"), "{error}");
	assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_peer_that_is_silent_is_left_and_another_one_asked() {
	assert_eq!(refused(Nothing).await, unavailable("no answer came within 20 ms"));
	let fetched = fetch(&[Nothing, Nothing, Bytes(BLOB.into())]).await;
	assert_eq!((fetched.blob.unwrap(), fetched.asked.len()), (BLOB.into(), 3));
}

#[tokio::test]
async fn what_is_no_answer_is_none() {
	for text in ["0xno digits", "0x123"] {
		let error = refused(Text(text)).await;
		assert!(matches!(error, BlobError::Unavailable { .. }), "{text}: {error}");
	}
	for says in [Number, Gone] {
		let error = refused(says).await;
		assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
	}
}

/// Each attempt may reach another peer, so what one of them says is no end.
#[tokio::test]
async fn one_honest_peer_among_five_suffices() {
	let says = [
		Bytes(b"something else".into()),
		Nothing,
		Refusal(-32810, "block not found"),
		Gone,
		Bytes(BLOB.into()),
	];
	let fetched = fetch(&says).await;
	assert_eq!((fetched.blob.unwrap(), fetched.asked.len()), (BLOB.into(), ATTEMPTS));
}

#[tokio::test]
async fn what_waiting_does_not_mend_is_asked_for_once() {
	let fetched = fetch(&[Refusal(INVALID_PARAMS, "invalid CID")]).await;
	assert_eq!(fetched.blob, Err(unavailable("invalid CID")));
	assert_eq!((fetched.asked.len(), fetched.pauses), (1, vec![]));
}

/// Some more at random is added to each, and never as much as the pause itself.
#[tokio::test]
async fn the_pauses_double_and_two_that_ask_at_once_do_not_ask_again_at_once() {
	let runs = [fetch(&[Gone]).await.pauses, fetch(&[Gone]).await.pauses];
	for pauses in &runs {
		let least = [250, 500, 1000, 2000].map(Duration::from_millis);
		assert_eq!(pauses.len(), least.len());
		for (pause, least) in pauses.iter().zip(least) {
			assert!((least..least * 2).contains(pause), "{pauses:?}");
		}
	}
	assert_ne!(runs[0], runs[1]);
}
