//! Stores that say what they like. Real ones are asked in `client/e2e/tests/e2e/blobs.rs`.

use super::{car::tests::archive, gateway::Form, *};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpListener,
	sync::{mpsc, oneshot},
};

const BLOB: &[u8] = b"an envelope, or what else is sealed";

/// A peer that nobody has the key of, where nobody listens: port 1 is for TCPMUX (RFC 1078), which nobody has run for decades.
const NOBODY: &str =
	"/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

fn named() -> BlobDigest {
	BlobDigest::of(BLOB)
}

const LEN: u32 = BLOB.len() as u32;

/// A server that gives one of these answers after the other, and the last one to all who come then; and what it is asked.
async fn server(answers: Vec<Vec<u8>>) -> (String, mpsc::UnboundedReceiver<String>) {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = format!("http://{}", listener.local_addr().unwrap());
	let (told, asked) = mpsc::unbounded_channel();
	tokio::spawn(async move {
		let mut answers = answers.into_iter().peekable();
		let mut last = Vec::new();
		while let Ok((mut stream, _)) = listener.accept().await {
			last = answers.next().unwrap_or(last);
			let mut request = Vec::new();
			while !is_whole(&request) {
				if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
					break;
				}
			}
			let _ = told.send(String::from_utf8_lossy(&request).into_owned());
			let _ = stream.write_all(&last).await;
		}
	});
	(address, asked)
}

/// Whether this request ends, by its length or without a body.
fn is_whole(request: &[u8]) -> bool {
	let text = String::from_utf8_lossy(request);
	let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
	let length = head
		.lines()
		.find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
		.unwrap_or(0);
	request.len() >= head.len() + 4 + length
}

fn answer(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
	let head = format!(
		"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
		 Connection: close\r\n\r\n",
		body.len()
	);
	[head.as_bytes(), body].concat()
}

fn raw(body: &[u8]) -> Vec<u8> {
	answer("200 OK", "application/vnd.ipld.raw", body)
}

fn car(body: &[u8]) -> Vec<u8> {
	answer("200 OK", "application/vnd.ipld.car; version=1; order=dfs", body)
}

async fn from_gateway(
	form: Form,
	answers: Vec<Vec<u8>>,
	max_len: u32,
) -> Result<Vec<u8>, BlobError> {
	let (address, _asked) = server(answers).await;
	GatewayBlobs::new(&address, form).unwrap().get(named(), max_len).await
}

async fn refused_by_gateway(form: Form, answer: Vec<u8>) -> String {
	let error = from_gateway(form, vec![answer], LEN).await.unwrap_err();
	let sentence = error.to_string();
	assert!(sentence.contains(&cid(named())) && !sentence.contains('\n'), "{sentence}");
	sentence
}

#[test]
fn the_cid_is_the_one_that_ipfs_computes() {
	// `ipfs add --cid-version 1 --raw-leaves` of the bytes `hello world`.
	let digest_of = BlobDigest::of(b"hello world");
	let name = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
	assert_eq!(cid(digest_of), name);
	assert_eq!(digest(name), Some(digest_of));
}

#[test]
fn the_cid_of_something_else_than_a_blob_is_refused() {
	for text in [
		"",
		"bafkrei",
		// A directory of UnixFS, version 0.
		"QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
		// The same digest with the codec dag-pb.
		"bafybeifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
	] {
		assert_eq!(digest(text), None, "{text}");
	}
}

#[test]
fn another_blob_is_refused() {
	let digest = BlobDigest::of(b"one");
	assert!(verify(digest, 3, b"one").is_ok());
	assert!(matches!(verify(digest, 3, b"two"), Err(BlobError::Mismatch { .. })));
	assert!(matches!(verify(digest, 2, b"one"), Err(BlobError::TooLong { max_len: 2, .. })));
}

#[tokio::test]
async fn a_gateway_is_asked_for_one_raw_block() {
	let (address, mut asked) = server(vec![raw(BLOB)]).await;
	let store = GatewayBlobs::new(&format!("{address}/blobs/"), Form::Raw).unwrap();
	assert_eq!(store.get(named(), LEN).await.unwrap(), BLOB);
	let request = asked.recv().await.unwrap();
	let line = format!("GET /blobs/ipfs/{}?format=raw HTTP/1.1\r\n", cid(named()));
	assert!(request.starts_with(&line), "{request}");
	assert!(request.contains("accept: application/vnd.ipld.raw\r\n"), "{request}");
}

#[tokio::test]
async fn a_gateway_is_asked_for_an_archive_of_one_block() {
	let (address, mut asked) = server(vec![car(&archive(named(), &[(named(), BLOB)]))]).await;
	let store = GatewayBlobs::new(&address, Form::Car).unwrap();
	assert_eq!(store.get(named(), LEN).await.unwrap(), BLOB);
	let request = asked.recv().await.unwrap();
	let line = format!("GET /ipfs/{}?format=car&dag-scope=block HTTP/1.1\r\n", cid(named()));
	assert!(request.starts_with(&line), "{request}");
}

#[tokio::test]
async fn wrong_bytes_from_a_gateway_are_refused() {
	let said = refused_by_gateway(Form::Raw, raw(b"something else")).await;
	assert!(said.contains("is something else"), "{said}");
	let forged = archive(named(), &[(named(), b"something else")]);
	let said = refused_by_gateway(Form::Car, car(&forged)).await;
	assert!(said.contains("is something else"), "{said}");
}

#[tokio::test]
async fn a_page_from_a_gateway_is_refused() {
	let page = answer("200 OK", "text/html; charset=utf-8", b"<!DOCTYPE html><title>Hello</title>");
	for form in [Form::Raw, Form::Car] {
		let said = refused_by_gateway(form, page.clone()).await;
		assert!(said.contains("answers with text/html, so it is no trustless gateway"), "{said}");
	}
	let said = refused_by_gateway(Form::Raw, car(BLOB)).await;
	assert!(said.contains("answers with application/vnd.ipld.car"), "{said}");
}

#[tokio::test]
async fn an_archive_with_a_wrong_root_is_refused() {
	let other = archive(BlobDigest([7; 32]), &[(named(), BLOB)]);
	let said = refused_by_gateway(Form::Car, car(&other)).await;
	assert!(said.contains("no archive with this blob as its root"), "{said}");
}

#[tokio::test]
async fn a_truncated_archive_is_refused() {
	let whole = archive(named(), &[(named(), BLOB)]);
	let said = refused_by_gateway(Form::Car, car(&whole[..whole.len() - 1])).await;
	assert!(said.contains("an archive that breaks off"), "{said}");
}

#[tokio::test]
async fn an_answer_that_is_announced_too_long_is_not_read() {
	// Nothing of the body ever comes.
	let announced = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.raw\r\n\
		Content-Length: 99999999999\r\n\r\n";
	let said = refused_by_gateway(Form::Raw, announced.to_vec()).await;
	assert!(said.contains("has more than the 35 bytes that are allowed"), "{said}");
}

#[tokio::test]
async fn an_answer_of_unknown_length_is_read_up_to_what_is_allowed() {
	let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.raw\r\n\
		Transfer-Encoding: chunked\r\n\r\n";
	let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
	let endless = [head, &chunk.repeat(16)].concat().into_bytes();
	let said = refused_by_gateway(Form::Raw, endless).await;
	assert!(said.contains("has more than the 35 bytes that are allowed"), "{said}");
}

#[tokio::test]
async fn an_archive_may_be_as_long_as_its_block_needs() {
	let whole = car(&archive(named(), &[(named(), BLOB)]));
	assert_eq!(from_gateway(Form::Car, vec![whole.clone()], LEN).await.unwrap(), BLOB);
	let error = from_gateway(Form::Car, vec![whole], LEN - 1).await.unwrap_err();
	assert!(matches!(error, BlobError::TooLong { .. }), "{error}");
}

#[tokio::test]
async fn a_gateway_that_is_busy_is_asked_again() {
	let busy = answer("503 Service Unavailable", "text/plain", b"later");
	let (address, mut asked) = server(vec![busy, cut(), raw(BLOB)]).await;
	let store = GatewayBlobs::new(&address, Form::Raw).unwrap();
	assert_eq!(store.get(named(), LEN).await.unwrap(), BLOB);
	for _ in 0..3 {
		assert!(asked.try_recv().is_ok());
	}
}

#[tokio::test]
async fn a_gateway_that_says_no_is_asked_once_and_followed_nowhere() {
	for (status, said) in [("404 Not Found", "answers 404: no such block"), ("301 Moved", "301")] {
		let head = format!("{status}\r\nLocation: http://127.0.0.1:1/");
		let (address, mut asked) =
			server(vec![answer(&head, "text/plain", b"no such block")]).await;
		let store = GatewayBlobs::new(&address, Form::Raw).unwrap();
		let error = store.get(named(), LEN).await.unwrap_err();
		assert!(error.to_string().contains(said), "{error}");
		assert!(asked.try_recv().is_ok() && asked.try_recv().is_err());
	}
}

#[tokio::test]
async fn a_store_where_nobody_listens_is_unreachable() {
	let http = "http://127.0.0.1:1";
	let stores: [Box<dyn BlobStore>; 4] = [
		Box::new(GatewayBlobs::new(http, Form::Raw).unwrap()),
		Box::new(GatewayBlobs::new(http, Form::Car).unwrap()),
		Box::new(KuboBlobs::new(http).unwrap()),
		Box::new(BitswapBlobs::new(NOBODY).unwrap()),
	];
	for store in stores {
		let error = store.get(named(), LEN).await.unwrap_err();
		assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
		assert!(error.to_string().contains("cannot be reached"), "{error}");
	}
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_after_a_time() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = format!("http://{}", listener.local_addr().unwrap());
	let patience = Duration::from_millis(300);
	let store = GatewayBlobs::new(&address, Form::Raw).unwrap().with_patience(patience);
	let error = store.get(named(), LEN).await.unwrap_err();
	assert!(error.to_string().contains("did not answer in time"), "{error}");
	assert!(listener.accept().await.is_ok(), "it was asked");
}

#[tokio::test]
async fn a_daemon_stores_pins_and_gives_what_is_right() {
	let name = cid(named());
	let put = format!(r#"{{"Key":"{name}","Size":35}}"#);
	// In another base, as some daemons write it.
	let bytes = dpki_bitswap::cid(named().0).to_bytes();
	let pinned = format!(r#"{{"Pins":["f{}"]}}"#, hex::encode(bytes));
	let json = |body: &str| answer("200 OK", "application/json", body.as_bytes());
	let got = answer("200 OK", "text/plain", BLOB);
	let (address, mut asked) = server(vec![json(&put), json(&pinned), got, json(&pinned)]).await;
	let store = KuboBlobs::new(&address).unwrap();
	store.put(BLOB).await.unwrap();
	assert_eq!(store.get(named(), LEN).await.unwrap(), BLOB);
	store.release(named()).await.unwrap();

	let mut next = || asked.try_recv().unwrap();
	let request = next();
	assert!(request.starts_with("POST /api/v0/block/put?cid-codec=raw&"), "{request}");
	assert!(
		request.contains("\r\n\r\nan envelope, or what else is sealed\r\n--dpki-"),
		"{request}"
	);
	assert!(next().starts_with(&format!("POST /api/v0/pin/add?arg={name} ")));
	assert!(next().starts_with(&format!("POST /api/v0/block/get?arg={name}&")));
	assert!(next().starts_with(&format!("POST /api/v0/pin/rm?arg={name} ")));
}

async fn daemon_says(status: &str, content_type: &str, body: &str) -> KuboBlobs {
	let (address, _asked) = server(vec![answer(status, content_type, body.as_bytes())]).await;
	KuboBlobs::new(&address).unwrap()
}

/// An answer that breaks off.
fn cut() -> Vec<u8> {
	b"HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\nan env".to_vec()
}

#[tokio::test]
async fn a_daemon_that_breaks_off_is_asked_again() {
	let got = answer("200 OK", "text/plain", BLOB);
	let (address, mut asked) = server(vec![cut(), cut(), got]).await;
	let store = KuboBlobs::new(&address).unwrap();
	assert_eq!(store.get(named(), LEN).await.unwrap(), BLOB);
	for _ in 0..3 {
		assert!(asked.try_recv().unwrap().starts_with("POST /api/v0/block/get?"));
	}
	assert!(asked.try_recv().is_err());

	// It is given the blob again as well, as a whole.
	let pinned = format!(r#"{{"Pins":["{}"]}}"#, cid(named()));
	let stored = format!(r#"{{"Key":"{}"}}"#, cid(named()));
	let json = |body: &str| answer("200 OK", "application/json", body.as_bytes());
	let answers = vec![cut(), json(&stored), cut(), json(&pinned), cut(), json(&pinned)];
	let (address, mut asked) = server(answers).await;
	let store = KuboBlobs::new(&address).unwrap();
	store.put(BLOB).await.unwrap();
	store.release(named()).await.unwrap();
	for command in ["block/put", "pin/add", "pin/rm"] {
		let twice = [asked.try_recv().unwrap(), asked.try_recv().unwrap()];
		assert!(twice.iter().all(|it| it.contains(command)), "{twice:?}");
		assert_eq!(twice[0], twice[1]);
	}
}

#[tokio::test]
async fn a_daemon_is_asked_as_often_as_it_may_be_and_once_if_it_says_no() {
	let (address, mut asked) = server(vec![cut()]).await;
	let error = KuboBlobs::new(&address).unwrap().get(named(), LEN).await.unwrap_err();
	assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
	for _ in 0..ATTEMPTS {
		assert!(asked.try_recv().is_ok());
	}
	assert!(asked.try_recv().is_err());
	let no = answer("500 Internal Server Error", "application/json", br#"{"Message":"no"}"#);
	let (address, mut asked) = server(vec![no]).await;
	KuboBlobs::new(&address).unwrap().get(named(), LEN).await.unwrap_err();
	assert!(asked.try_recv().is_ok() && asked.try_recv().is_err());
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_called_again() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let port = listener.local_addr().unwrap().port();
	let (told, mut called) = mpsc::unbounded_channel();
	tokio::spawn(async move {
		while let Ok((stream, _)) = listener.accept().await {
			drop(stream);
			let _ = told.send(());
		}
	});
	let store = BitswapBlobs::new(&NOBODY.replace("/tcp/1/", &format!("/tcp/{port}/"))).unwrap();
	let error = store.get(named(), LEN).await.unwrap_err();
	assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
	for _ in 0..ATTEMPTS {
		called.recv().await.unwrap();
	}
	assert!(called.try_recv().is_err());
}

#[tokio::test]
async fn a_daemon_that_stores_something_else_is_refused() {
	let store = daemon_says("200 OK", "application/json", r#"{"Key":"bafkreiother"}"#).await;
	let error = store.put(BLOB).await.unwrap_err();
	assert!(matches!(error, BlobError::NotStored { .. }), "{error}");
	assert!(error.to_string().contains("stored it as bafkreiother"), "{error}");
}

#[tokio::test]
async fn a_daemon_that_does_not_pin_is_refused() {
	let store = daemon_says("200 OK", "application/json", r#"{"Pins":[]}"#).await;
	let error = store.pin(named()).await.unwrap_err();
	assert!(error.to_string().contains("did not pin it"), "{error}");
	let error = store.unpin(named()).await.unwrap_err();
	assert!(error.to_string().contains("did not unpin it"), "{error}");
}

#[tokio::test]
async fn what_a_daemon_complains_of_is_repeated_in_one_line() {
	let said = r#"{"Message":"merkledag: not\nfound","Code":0,"Type":"error"}"#;
	let store = daemon_says("500 Internal Server Error", "application/json", said).await;
	let error = store.get(named(), LEN).await.unwrap_err().to_string();
	assert!(error.contains("says: merkledag: not found"), "{error}");
	let error = store.release(named()).await.unwrap_err().to_string();
	assert!(error.contains("did not let go of the blob"), "{error}");
}

#[tokio::test]
async fn a_blob_that_is_not_pinned_is_released_already() {
	let said = r#"{"Message":"not pinned or pinned indirectly","Code":0,"Type":"error"}"#;
	let store = daemon_says("500 Internal Server Error", "application/json", said).await;
	store.release(named()).await.unwrap();
}

#[tokio::test]
async fn a_web_server_in_the_place_of_a_daemon_is_refused() {
	let store = daemon_says("200 OK", "text/html", "<!DOCTYPE html>").await;
	let error = store.get(named(), LEN).await.unwrap_err().to_string();
	assert!(error.contains("no daemon with the RPC of Kubo"), "{error}");
}

#[tokio::test]
async fn wrong_or_long_bytes_from_a_daemon_are_refused() {
	let store = daemon_says("200 OK", "text/plain", "something else").await;
	let error = store.get(named(), LEN).await.unwrap_err();
	assert!(matches!(error, BlobError::Mismatch { .. }), "{error}");
	let error = store.get(named(), 5).await.unwrap_err();
	assert!(matches!(error, BlobError::TooLong { max_len: 5, .. }), "{error}");
}

#[tokio::test]
async fn a_folder_gives_what_was_put_in_until_it_is_released() {
	let dir = tempfile::tempdir().unwrap();
	let folder = BlobFolder::at(dir.path());
	let error = folder.get(named(), LEN).await.unwrap_err();
	assert!(error.to_string().contains("it is not in"), "{error}");
	folder.put(BLOB).await.unwrap();
	folder.put(BLOB).await.unwrap();
	assert_eq!(folder.get(named(), LEN).await.unwrap(), BLOB);
	assert!(matches!(folder.get(named(), 5).await, Err(BlobError::TooLong { .. })));
	std::fs::write(folder.place(named()), b"something else").unwrap();
	assert!(matches!(folder.get(named(), LEN).await, Err(BlobError::Mismatch { .. })));
	// What is damaged is mended.
	folder.put(BLOB).await.unwrap();
	assert_eq!(folder.get(named(), LEN).await.unwrap(), BLOB);
	folder.release(named()).await.unwrap();
	folder.release(named()).await.unwrap();
	assert!(folder.get(named(), LEN).await.is_err());
	assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_is_not_there_takes_nothing() {
	let dir = tempfile::tempdir().unwrap();
	let folder = BlobFolder::at(dir.path().join("gone"));
	let error = folder.put(BLOB).await.unwrap_err();
	assert!(matches!(error, BlobError::NotStored { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_file_is_not_opened() {
	let dir = tempfile::tempdir().unwrap();
	let folder = BlobFolder::at(dir.path());
	std::fs::create_dir(folder.place(named())).unwrap();
	let error = folder.get(named(), LEN).await.unwrap_err();
	assert!(error.to_string().contains("is no file"), "{error}");
}

/// A store that answers when it is told to, and tells that it is asked.
struct Told {
	answer: Result<Vec<u8>, BlobError>,
	asked: mpsc::UnboundedSender<()>,
	/// Waits for ever if nobody sends.
	when: Option<tokio::sync::Mutex<oneshot::Receiver<()>>>,
}

fn failure(reason: &str) -> BlobError {
	BlobError::Unavailable { cid: cid(named()), reason: reason.into() }
}

impl Told {
	fn at_once(answer: Result<&[u8], &str>) -> (Box<dyn BlobStore>, mpsc::UnboundedReceiver<()>) {
		let (asked, told) = mpsc::unbounded_channel();
		let answer = answer.map(<[u8]>::to_vec).map_err(failure);
		(Box::new(Self { answer, asked, when: None }), told)
	}

	fn when(answer: Result<&[u8], &str>) -> (Box<dyn BlobStore>, oneshot::Sender<()>) {
		let (now, when) = oneshot::channel();
		let answer = answer.map(<[u8]>::to_vec).map_err(failure);
		let when = Some(tokio::sync::Mutex::new(when));
		let (asked, _) = mpsc::unbounded_channel();
		(Box::new(Self { answer, asked, when }), now)
	}
}

#[async_trait]
impl BlobStore for Told {
	async fn get(&self, _: BlobDigest, _: u32) -> Result<Vec<u8>, BlobError> {
		let _ = self.asked.send(());
		if let Some(when) = &self.when {
			let _ = (&mut *when.lock().await).await;
		}
		self.answer.clone()
	}
}

#[tokio::test]
async fn the_next_store_is_asked_only_if_the_one_before_has_failed() {
	let ((first, _), (second, _)) = (Told::at_once(Err("gone")), Told::at_once(Ok(BLOB)));
	let (third, mut asked) = Told::at_once(Ok(BLOB));
	let stores = Stores::new(vec![("a".into(), first), ("b".into(), second), ("c".into(), third)])
		.with_head_start(Duration::MAX);
	assert_eq!(stores.get(named(), LEN).await.unwrap(), BLOB);
	assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn a_store_that_hangs_does_not_keep_the_next_from_being_asked() {
	let (first, _never) = Told::when(Ok(BLOB));
	let (second, _) = Told::at_once(Ok(BLOB));
	let stores = Stores::new(vec![("a".into(), first), ("b".into(), second)])
		.with_head_start(Duration::from_millis(50));
	assert_eq!(stores.get(named(), LEN).await.unwrap(), BLOB);
}

#[tokio::test]
async fn a_store_that_is_slow_may_still_be_the_one() {
	let (first, now) = Told::when(Ok(BLOB));
	let (second, mut asked) = Told::at_once(Err("gone"));
	let stores = Stores::new(vec![("a".into(), first), ("b".into(), second)])
		.with_head_start(Duration::from_millis(50));
	let getting = tokio::spawn(async move { stores.get(named(), LEN).await });
	asked.recv().await.unwrap();
	now.send(()).unwrap();
	assert_eq!(getting.await.unwrap().unwrap(), BLOB);
}

#[tokio::test]
async fn what_every_store_says_is_told_in_one_sentence() {
	let ((first, _), (second, _)) = (Told::at_once(Err("gone")), Told::at_once(Err("silent")));
	let stores = Stores::new(vec![("chain".into(), first), ("kubo=x".into(), second)]);
	let error = stores.get(named(), LEN).await.unwrap_err().to_string();
	assert!(error.contains("(chain: gone; kubo=x: silent)") && !error.contains('\n'), "{error}");
	let (only, _) = Told::at_once(Err("gone"));
	let stores = Stores::new(vec![("chain".into(), only)]);
	assert_eq!(stores.get(named(), LEN).await.unwrap_err(), failure("gone"));
	let error = Stores::new(Vec::new()).get(named(), LEN).await.unwrap_err().to_string();
	assert!(error.contains("no store is named"), "{error}");
}
