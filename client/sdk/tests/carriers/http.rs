//! Servers of HTTP that say what they like.

use super::*;
use dpki_client::carrier::{CarrierError, http::HttpCarrier};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};

/// What a server does once it was asked.
#[derive(Clone)]
pub enum Script {
	/// Sends this, and closes.
	Say(Vec<u8>),
	/// Sends the beginning, and then pieces without end.
	Endless(Vec<u8>, Vec<u8>),
	/// Sends the beginning, and then a byte now and then.
	Drip(Vec<u8>),
}

impl Script {
	/// A good answer in form, whatever is in it.
	pub fn body(body: &[u8]) -> Self {
		let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
		Self::Say([head.as_bytes(), body].concat())
	}

	fn status(status: &str, body: &str) -> Self {
		let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
		Self::Say(head.into_bytes())
	}
}

/// A server on a port of its own, for as long as the test runs.
pub async fn server(script: Script) -> String {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = format!("http://{}", listener.local_addr().unwrap());
	tokio::spawn(async move {
		while let Ok((stream, _)) = listener.accept().await {
			tokio::spawn(play(stream, script.clone()));
		}
	});
	address
}

async fn play(mut stream: TcpStream, script: Script) {
	let mut request = [0; 16 * 1024];
	let _ = stream.read(&mut request).await;
	match script {
		Script::Say(answer) => {
			let _ = stream.write_all(&answer).await;
		},
		Script::Endless(head, piece) => {
			let _ = stream.write_all(&head).await;
			while stream.write_all(&piece).await.is_ok() {}
		},
		Script::Drip(head) => {
			let _ = stream.write_all(&head).await;
			while stream.write_all(&[0]).await.is_ok() {
				tokio::time::sleep(SHORT / 20).await;
			}
		},
	}
}

async fn refusal(script: Script) -> CarrierError {
	refusal_within(LONG, script).await
}

async fn refusal_within(patience: Duration, script: Script) -> CarrierError {
	let carrier = HttpCarrier::new(&server(script).await).unwrap().with_patience(patience);
	match asked(carrier).await.0 {
		Err(Failure::Carrier(error)) => error,
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn a_server_delivers() {
	let carrier = HttpCarrier::new(&server(Script::body(&honest())).await).unwrap();
	assert_delivers(carrier).await;
}

#[tokio::test]
async fn a_server_that_lies_is_refused() {
	for (lie, bundle, expected) in lies() {
		let carrier = HttpCarrier::new(&server(Script::body(&bundle)).await).unwrap();
		assert_unproven(carrier, lie, expected).await;
	}
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_apart() {
	let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", honest().len());
	let cut = [head.as_bytes(), &honest()[..100]].concat();
	for script in [Script::Say(cut), Script::Say(Vec::new()), Script::Say(b"HTTP/1.1 200".into())] {
		let error = refusal(script).await;
		assert!(matches!(error, CarrierError::Interrupted { .. }), "{error}");
	}
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_it() {
	let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
	let chunk = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
	let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
	for script in [Script::Endless(head, chunk), Script::Drip(announced)] {
		let address = server(script).await;
		// The end of patience must not come before the end of what is taken.
		let carrier = HttpCarrier::new(&address).unwrap().with_limit(64 * 1024);
		let (answer, _) = asked(carrier).await;
		let Err(Failure::Carrier(error)) = answer else { panic!("{answer:?}") };
		assert!(matches!(error, CarrierError::TooLarge { allowed: 65_536, .. }), "{error}");
	}
}

#[tokio::test]
async fn an_answer_that_takes_for_ever_is_given_up() {
	let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n".to_vec();
	for script in [Script::Drip(head), Script::Drip(Vec::new())] {
		let error = refusal_within(SHORT, script).await;
		let in_time = matches!(error, CarrierError::TimedOut { waited, .. } if waited == SHORT);
		// A drip before the status line may be no HTTP to the client.
		let no_http = matches!(error, CarrierError::Interrupted { .. });
		assert!(in_time || no_http, "{error}");
	}
}

#[tokio::test]
async fn a_refusal_is_told_with_its_status_and_one_plain_line() {
	let error = refusal(Script::status("400 Bad", "no\u{1b}[2J\n such key")).await;
	let CarrierError::Refused { code: 400, sentence, .. } = error else { panic!("{error}") };
	assert_eq!(sentence, "no [2J such key");
	// Where it would lead is not looked at.
	let elsewhere = "302 Found\r\nLocation: http://127.0.0.1:1/";
	let error = refusal(Script::status(elsewhere, "")).await;
	assert!(matches!(error, CarrierError::Refused { code: 302, .. }), "{error}");
	// It wants the device to follow changes, and has none.
	let error = refusal(Script::status("409 Conflict", "follow")).await;
	assert!(matches!(error, CarrierError::Behind { .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_apart() {
	// Port 1 is for TCPMUX (RFC 1078), which nobody has run for decades.
	let (answer, _) = asked(HttpCarrier::new("http://127.0.0.1:1").unwrap()).await;
	let Err(Failure::Carrier(error)) = answer else { panic!("{answer:?}") };
	assert!(matches!(error, CarrierError::Unreachable { .. }), "{error}");
}
