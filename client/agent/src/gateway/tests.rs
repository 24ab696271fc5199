//! The gateway on a real socket, over an upstream that counts what it is asked. What is left out: the node, which is real
//! in `client/e2e`.

use super::*;
use http_body_util::{BodyExt, Empty, Full};
use hyper::{
	Request, Response,
	body::{Bytes, Incoming},
	header,
};
use hyper_util::{
	client::legacy::{Client, connect::HttpConnector},
	rt::TokioExecutor,
};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	sync::oneshot,
};

const SEATS: usize = 8;
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Counting {
	asked: Arc<AtomicU32>,
	refusal: Option<CarrierError>,
}

#[async_trait]
impl Upstream for Counting {
	async fn serve(&self, keys: &[Vec<u8>], _: Option<[u8; 32]>) -> Result<Served, CarrierError> {
		let number = 1 + self.asked.fetch_add(1, Ordering::Relaxed);
		match &self.refusal {
			Some(refusal) => Err(refusal.clone()),
			None => Ok(Served { number, hash: [number as u8; 32], bundle: keys.concat() }),
		}
	}

	async fn changes(&self, from: [u8; 32]) -> Result<ServedChanges, CarrierError> {
		let is_finished = from != [1; 32];
		Ok(ServedChanges { count: 1, last: [9; 32], is_finished, fragments: vec![4, 5] })
	}

	async fn genesis(&self) -> Result<[u8; 32], CarrierError> {
		Ok([7; 32])
	}
}

struct Running {
	address: SocketAddr,
	client: Client<HttpConnector, Full<Bytes>>,
	asked: Arc<AtomicU32>,
	_stop: oneshot::Sender<()>,
}

async fn start(max_age: Duration, refusal: Option<CarrierError>) -> Running {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = listener.local_addr().unwrap();
	let upstream = Counting { refusal, ..Counting::default() };
	let asked = upstream.asked.clone();
	let gateway = Arc::new(Gateway::new(Box::new(upstream), max_age));
	let (stop, stopped) = oneshot::channel();
	tokio::spawn(async move {
		let stopped = async {
			let _ = stopped.await;
		};
		server::accept(listener, gateway, SEATS, stopped).await;
	});
	let client = Client::builder(TokioExecutor::new()).build_http();
	Running { address, client, asked, _stop: stop }
}

impl Running {
	async fn send(&self, method: &str, path: &str, tag: Option<&str>) -> Response<Incoming> {
		let mut request =
			Request::builder().method(method).uri(format!("http://{}{path}", self.address));
		if let Some(tag) = tag {
			request = request.header(header::IF_NONE_MATCH, tag);
		}
		self.client.request(request.body(Full::default()).unwrap()).await.unwrap()
	}

	async fn get(&self, path: &str) -> (u16, String, String, Vec<u8>) {
		let response = self.send("GET", path, None).await;
		let status = response.status().as_u16();
		let text = |name| {
			let value = response.headers().get(name);
			value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
		};
		let (keep, tag) = (text(header::CACHE_CONTROL), text(header::ETAG));
		(status, keep, tag, response.into_body().collect().await.unwrap().to_bytes().into())
	}

	async fn raw(&self, request: &[u8]) -> String {
		let mut stream = TcpStream::connect(self.address).await.unwrap();
		stream.write_all(request).await.unwrap();
		let mut said = Vec::new();
		let _ = stream.read_to_end(&mut said).await;
		String::from_utf8_lossy(&said).into_owned()
	}
}

fn key() -> String {
	"ab".repeat(64)
}

#[tokio::test]
async fn the_node_is_asked_once_for_each_question_and_age() {
	let gateway = start(HOUR, None).await;
	let path = format!("/v1/bundle/{}", key());
	let first = gateway.get(&path).await;
	assert_eq!(first.0, 200);
	assert_eq!(first.1, "public, max-age=3600");
	assert_eq!(first.2, format!("W/\"{}\"", "01".repeat(32)));
	assert_eq!(first.3, vec![0xab; 64]);
	assert_eq!(gateway.get(&path).await, first);
	assert_eq!(gateway.asked.load(Ordering::Relaxed), 1);
	gateway.get(&format!("{path}?checkpoint={}", "01".repeat(32))).await;
	assert_eq!(gateway.asked.load(Ordering::Relaxed), 2);

	let gateway = start(Duration::ZERO, None).await;
	let first = gateway.get(&path).await;
	assert_ne!(gateway.get(&path).await.2, first.2, "it was the newest for no time at all");
}

#[tokio::test]
async fn what_a_client_holds_already_is_not_sent_again() {
	let gateway = start(HOUR, None).await;
	let path = format!("/v1/bundle/{}", key());
	let tag = gateway.get(&path).await.2;
	for held in [tag.clone(), tag.trim_start_matches("W/").into(), format!("\"x\", {tag}")] {
		let response = gateway.send("GET", &path, Some(&held)).await;
		assert_eq!(response.status(), 304, "{held}");
		assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
	}
	assert_eq!(gateway.send("GET", &path, Some("\"x\"")).await.status(), 200);
}

#[tokio::test]
async fn a_bundle_about_a_block_never_changes_and_is_gone_one_day() {
	let gateway = start(Duration::ZERO, None).await;
	gateway.get(&format!("/v1/bundle/{}", key())).await;
	let first = "01".repeat(32);
	let (status, keep, _, body) = gateway.get(&format!("/v1/block/{first}/bundle/{}", key())).await;
	assert_eq!((status, body), (200, vec![0xab; 64]));
	assert_eq!(keep, "public, max-age=31536000, immutable");
	let other = "ee".repeat(32);
	let (status, keep, _, body) = gateway.get(&format!("/v1/block/{other}/bundle/{}", key())).await;
	assert_eq!((status, keep.as_str()), (404, "no-store"));
	assert!(String::from_utf8(body).unwrap().contains("ask for the newest"));
}

#[tokio::test]
async fn changes_after_which_others_follow_never_change() {
	let gateway = start(HOUR, None).await;
	let (_, keep, _, body) = gateway.get(&format!("/v1/changes/{}", "01".repeat(32))).await;
	assert_eq!((keep.as_str(), body), ("public, max-age=31536000, immutable", vec![4, 5]));
	let (_, keep, ..) = gateway.get(&format!("/v1/changes/{}", "02".repeat(32))).await;
	assert_eq!(keep, "public, max-age=3600");
}

#[tokio::test]
async fn it_tells_which_chain_it_serves() {
	let gateway = start(HOUR, None).await;
	let (status, _, _, body) = gateway.get("/v1/chain").await;
	let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
	assert_eq!(status, 200);
	assert_eq!(told["genesis"], format!("0x{}", "07".repeat(32)));
	assert_eq!(told["block"]["number"], 1);
}

#[tokio::test]
async fn everything_else_is_refused_with_its_status() {
	let gateway = start(HOUR, None).await;
	for (path, status) in [
		("/".to_owned(), 404),
		("/v1/bundle/xyz".into(), 400),
		(format!("/v1/bundle/{}", "ab".repeat(5000)), 414),
		("/v1/changes/1".into(), 400),
	] {
		let (found, keep, _, sentence) = gateway.get(&path).await;
		assert_eq!((found, keep.as_str()), (status, "no-store"), "{path}");
		assert!(String::from_utf8(sentence).unwrap().ends_with('\n'));
	}
	for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
		let response = gateway.send(method, "/v1/chain", None).await;
		assert_eq!(response.status(), 405, "{method}");
		assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
	}
	let head = gateway.send("HEAD", "/v1/chain", None).await;
	assert_eq!(head.status(), 200);
	assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
	assert_eq!(gateway.asked.load(Ordering::Relaxed), 1, "only the good question went to the node");
}

#[tokio::test]
async fn a_body_and_a_long_head_are_refused() {
	let gateway = start(HOUR, None).await;
	let said = gateway
		.raw(b"GET /v1/chain HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\nConnection: close\r\n\r\n")
		.await;
	assert!(said.starts_with("HTTP/1.1 400"), "{said}");
	let long = format!("GET /v1/chain HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(MAX_HEAD_LEN));
	let said = gateway.raw(long.as_bytes()).await;
	assert!(said.starts_with("HTTP/1.1 431"), "{said}");
}

#[tokio::test]
async fn a_refusal_of_the_node_has_a_status_and_does_not_tell_where_the_node_is() {
	let carrier = || "ws://10.1.2.3:9944".to_owned();
	let refused = |code| CarrierError::Refused { carrier: carrier(), code, sentence: "no".into() };
	let reason = || "connection refused by 10.1.2.3".to_owned();
	for (refusal, status) in [
		(refused(18_002), 400),
		(refused(18_003), 400),
		(refused(18_004), 400),
		(refused(18_005), 404),
		(refused(18_006), 503),
		(refused(18_001), 503),
		(refused(18_008), 410),
		(refused(18_000), 502),
		(CarrierError::Behind { carrier: carrier(), sentence: "no".into() }, 409),
		(CarrierError::TimedOut { carrier: carrier(), waited: HOUR }, 504),
		(CarrierError::Unreachable { carrier: carrier(), reason: reason() }, 502),
		(CarrierError::Interrupted { carrier: carrier(), reason: reason() }, 502),
	] {
		let gateway = start(HOUR, Some(refusal.clone())).await;
		let (found, keep, _, sentence) = gateway.get("/v1/bundle").await;
		let sentence = String::from_utf8(sentence).unwrap();
		assert_eq!((found, keep.as_str()), (status, "no-store"), "{refusal}");
		assert!(!sentence.contains("10.1.2.3"), "{sentence}");
	}
}

#[tokio::test]
async fn there_are_so_many_seats_and_a_seat_that_is_left_is_taken_again() {
	let gateway = start(HOUR, None).await;
	let mut idle = Vec::new();
	for _ in 0..SEATS {
		idle.push(TcpStream::connect(gateway.address).await.unwrap());
	}
	let client: Client<HttpConnector, Empty<Bytes>> =
		Client::builder(TokioExecutor::new()).build_http();
	let uri = format!("http://{}/v1/chain", gateway.address);
	let mut late = std::pin::pin!(client.get(uri.parse().unwrap()));
	let waited = tokio::time::timeout(Duration::from_millis(300), late.as_mut()).await;
	assert!(waited.is_err(), "there was a seat too many");
	drop(idle);
	assert_eq!(late.await.unwrap().status(), 200);
}
