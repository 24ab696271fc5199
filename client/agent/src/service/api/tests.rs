//! The socket with real connections, over a registry in memory. What is left out: proofs, which the registry stands for.

use super::*;
use crate::{
	freshness::Heard,
	service::{ServiceSettings, Services},
	status::Status as Word,
};
use dpki_client::primitives::{
	assurance::{Accreditation, AccreditationState, EndorsementRecord, Quorum, assess},
	certificate::{CertificateRecord, Holder},
	key::{KeyType, PublicKey},
	revocation::{Revocation, RevocationReason},
	status::Validity,
	subject::Subject,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};

const TLS: [u8; 32] = [5; 32];
const OLD: [u8; 32] = [6; 32];
/// An anchor about which the chain gives no answer.
const SILENT: AnchorId = AnchorId([3; 32]);

#[derive(Clone)]
struct Fake {
	time: Moment,
	status: Status,
}

fn record(bytes: [u8; 32], purpose: KeyPurpose) -> KeyRecord {
	KeyRecord {
		device: drone(),
		purpose,
		public: PublicKey::new(KeyType::Ed25519, &bytes).unwrap(),
		validity: Validity { not_before: 1, not_after: None },
		registered_at: 1,
		superseded_at: (bytes == OLD).then_some(2),
		withdrawal: Default::default(),
	}
}

fn drone() -> DeviceId {
	device("acme", "drone-8").unwrap()
}

#[async_trait]
impl Registry for Fake {
	fn head(&self) -> Head {
		Head { number: 7, hash: [9; 32], time: self.time }
	}

	async fn device_status(&self, id: DeviceId) -> Result<Status, ReadError> {
		Ok(if id == drone() { self.status } else { Status::Unknown })
	}

	async fn keys_of(&self, _: DeviceId) -> Result<Vec<(KeyId, KeyRecord)>, ReadError> {
		let keys = [(TLS, KeyPurpose::Tls), (OLD, KeyPurpose::Tls), ([7; 32], KeyPurpose::Ssh)];
		Ok(keys.map(|(bytes, purpose)| (KeyId(bytes), record(bytes, purpose))).into())
	}

	async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError> {
		Ok([TLS, OLD].contains(&id.0).then(|| record(id.0, KeyPurpose::Tls)))
	}

	async fn key_status(&self, id: KeyId) -> Result<Status, ReadError> {
		Ok(match id.0 {
			OLD => Status::Superseded,
			[1, ..] => Status::Unknown,
			_ => self.status,
		})
	}

	async fn anchor_status(&self, id: AnchorId) -> Result<Status, ReadError> {
		if id == SILENT { Err(ReadError::Timeless { block: 7 }) } else { Ok(self.status) }
	}

	async fn assessed(&self, id: CertificateId) -> Result<Option<Assessed>, ReadError> {
		Ok((id.0 == TLS).then(|| certified(self.status)))
	}
}

/// A certificate at EV, of whose two endorsers one is suspended.
fn certified(status: Status) -> Assessed {
	let record = CertificateRecord {
		subject: Subject::Device(drone()),
		holder: Holder::Account([1; 32]),
		requested: Level::Ev,
		key: PublicKey::new(KeyType::Ed25519, &TLS).unwrap(),
		display_name: None,
		validity: Validity { not_before: 1, not_after: None },
		control_until: None,
		suspension: None,
		revocation: None,
	};
	let endorsement = |endorser, state| {
		let record = EndorsementRecord {
			endorser: [endorser; 32],
			level: Level::Ev,
			digest: record.digest(CertificateId(TLS)),
			evidence: None,
			endorsed_at: 2,
			expires_at: 9,
			withdrawn: None,
		};
		let accreditation = Accreditation {
			organisation: OrganisationId([endorser; 32]),
			level: Level::Ev,
			state,
			accredited_at: 1,
			compromised_from: None,
		};
		(record, Some(accreditation))
	};
	let endorsements =
		[endorsement(3, AccreditationState::Active), endorsement(4, AccreditationState::Suspended)];
	let endorsed = record.endorsed(CertificateId(TLS), status);
	let assessment = assess(&endorsed, &endorsements, Quorum { ov: 1, ev: 2 }, 5);
	Assessed { record, assessment }
}

fn revoked() -> Status {
	Status::Revoked(Revocation { at: 1, reason: RevocationReason::KeyCompromise })
}

struct Running {
	_dir: tempfile::TempDir,
	socket: PathBuf,
	services: Services,
}

impl Running {
	async fn start(users: Vec<u32>) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let socket = dir.path().join("agent.sock");
		let mut config = crate::config::tests::sample();
		let api = ApiSettings { socket: socket.clone(), group: None, users };
		config.service = ServiceSettings { api: Some(api), ..ServiceSettings::default() };
		config.validate().unwrap();
		let word = Word { device: "drone-7".into(), ..Word::default() };
		let services = Services::start(&config, word).await.unwrap();
		Self { _dir: dir, socket, services }
	}

	async fn valid() -> Self {
		let running = Self::start(Vec::new()).await;
		running.tell(Fake { time: clock(), status: Status::Valid });
		running
	}

	fn tell(&self, fake: Fake) {
		self.services.tell_of(&Word::default(), Some(Arc::new(fake)));
	}

	async fn send(&self, request: &str) -> UnixStream {
		let mut stream = UnixStream::connect(&self.socket).await.unwrap();
		stream.write_all(request.as_bytes()).await.unwrap();
		stream
	}

	async fn watch(&self, rest: &str) -> Watch {
		let request = format!("GET /v1/watch/{rest} HTTP/1.1\r\nHost: agent\r\n\r\n");
		Watch(BufReader::new(self.send(&request).await).lines())
	}

	async fn request(&self, request: &str) -> (u16, Value) {
		let mut answer = String::new();
		self.send(request).await.read_to_string(&mut answer).await.unwrap();
		let (head, body) = answer.split_once("\r\n\r\n").unwrap();
		let code = head.split(' ').nth(1).unwrap().parse().unwrap();
		(code, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
	}

	async fn get(&self, path: &str) -> (u16, Value) {
		let request = format!("GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
		self.request(&request).await
	}
}

/// What comes over a connection that watches, without the head and the marks of the chunks.
struct Watch(Lines<BufReader<UnixStream>>);

impl Watch {
	async fn next(&mut self) -> Value {
		loop {
			let line = self.0.next_line().await.unwrap().unwrap();
			if let Ok(told @ Value::Object(_)) = serde_json::from_str(&line) {
				return told;
			}
		}
	}
}

#[tokio::test]
async fn the_keys_that_are_good_now_are_told_with_the_block() {
	let running = Running::valid().await;
	let (code, answer) = running.get("/v1/devices/acme/drone-8/keys").await;
	assert_eq!((code, answer["status"].as_str()), (200, Some("valid")), "{answer}");
	assert_eq!(answer["block"]["number"], 7);
	let keys = answer["keys"].as_array().unwrap();
	assert_eq!(keys.len(), 2, "the superseded one is not among them: {answer}");
	let (_, answer) = running.get("/v1/devices/acme/drone-8/keys?purpose=tls").await;
	let public = format!("0x{}", "05".repeat(32));
	assert_eq!(answer["keys"].as_array().unwrap().len(), 1, "{answer}");
	assert_eq!(answer["keys"][0]["public"], public, "{answer}");
	assert_eq!(answer["keys"][0]["algorithm"], "ed25519");
}

#[tokio::test]
async fn a_certificate_is_told_with_its_level_and_with_what_became_of_each_endorsement() {
	let running = Running::valid().await;
	let path = format!("/v1/certificates/{}", CertificateId(TLS));
	let (code, answer) = running.get(&path).await;
	assert_eq!((code, answer["status"].as_str()), (200, Some("valid")), "{answer}");
	assert_eq!((&answer["level"], &answer["requested_level"]), (&json!("OV"), &json!("EV")));
	assert_eq!(answer["subject"], format!("device:{}", drone()));
	assert_eq!(answer["block"]["number"], 7);
	let findings: Vec<_> = answer["endorsements"].as_array().unwrap().iter().collect();
	assert_eq!(findings[0]["finding"], "counted", "{answer}");
	assert_eq!(findings[1]["finding"], "endorser suspended", "{answer}");
	running.tell(Fake { time: clock(), status: revoked() });
	let (_, answer) = running.get(&path).await;
	assert_eq!((&answer["status"], &answer["level"]), (&json!("revoked"), &Value::Null));
	let (code, answer) = running.get(&format!("/v1/certificates/{}", CertificateId(OLD))).await;
	assert_eq!((code, answer["status"].as_str()), (200, Some("unknown")), "{answer}");
	assert_eq!((&answer["level"], &answer["endorsements"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_device_that_is_not_valid_has_no_keys() {
	let running = Running::start(Vec::new()).await;
	for (status, word) in [(revoked(), "revoked"), (Status::Suspended, "suspended")] {
		running.tell(Fake { time: clock(), status });
		let (code, answer) = running.get("/v1/devices/acme/drone-8/keys").await;
		assert_eq!((code, answer["status"].as_str()), (200, Some(word)), "{answer}");
		assert_eq!(answer["keys"], json!([]));
	}
	let (code, answer) = running.get("/v1/devices/acme/nobody").await;
	assert_eq!((code, answer["status"].as_str()), (200, Some("unknown")), "{answer}");
}

#[tokio::test]
async fn a_key_is_told_with_its_status() {
	let running = Running::valid().await;
	let key = |bytes: [u8; 32]| format!("/v1/keys/{}", KeyId(bytes));
	let (_, answer) = running.get(&key(TLS)).await;
	assert_eq!(
		(answer["status"].as_str(), &answer["device_id"]),
		(Some("valid"), &json!(drone().to_string()))
	);
	assert_eq!(running.get(&key(OLD)).await.1["status"], "superseded");
	let (_, answer) = running.get(&key([1; 32])).await;
	assert_eq!((&answer["status"], &answer["key"]), (&json!("unknown"), &Value::Null));
}

#[tokio::test]
async fn no_answer_is_given_without_a_fresh_proof() {
	let running = Running::start(Vec::new()).await;
	let path = "/v1/devices/acme/drone-8";
	let (code, answer) = running.get(path).await;
	assert_eq!(code, 503);
	assert!(answer["error"].as_str().unwrap().contains("no block was proven"), "{answer}");
	running.tell(Fake { time: clock() - 3_600_000, status: Status::Valid });
	let (code, answer) = running.get(path).await;
	assert_eq!((code, answer["status"].as_str()), (503, None), "{answer}");
	assert!(answer["error"].as_str().unwrap().contains("max-head-age"), "{answer}");
	running.tell(Fake { time: clock(), status: Status::Valid });
	assert_eq!(running.get(path).await.0, 200);
	let (code, answer) = running.get(&format!("/v1/anchors/{SILENT}")).await;
	assert_eq!(
		(code, answer["status"].as_str()),
		(503, None),
		"the chain gave no answer: {answer}"
	);
}

#[tokio::test]
async fn whoever_watches_is_told_of_each_change_and_of_nothing_else() {
	let running = Running::valid().await;
	let mut watch = running.watch("devices/acme/drone-8").await;
	assert_eq!(watch.next().await["status"], "valid");
	running.tell(Fake { time: clock() + 1000, status: Status::Valid });
	running.tell(Fake { time: clock(), status: revoked() });
	assert_eq!(watch.next().await["status"], "revoked", "the new block alone is not told");
	running.tell(Fake { time: 1, status: revoked() });
	assert!(watch.next().await["error"].is_string(), "that there is no answer any more is told");
}

#[tokio::test]
async fn whatever_can_be_asked_can_be_watched() {
	let keys = |told: &Value| told["keys"].as_array().map(Vec::len);
	for (path, name, id) in [
		("devices/acme/drone-8/keys?purpose=tls".into(), "device_id", drone().to_string()),
		(format!("keys/{}", KeyId(TLS)), "key_id", KeyId(TLS).to_string()),
		(format!("anchors/{}", AnchorId([4; 32])), "anchor_id", AnchorId([4; 32]).to_string()),
		(
			format!("certificates/{}", CertificateId(TLS)),
			"certificate_id",
			CertificateId(TLS).to_string(),
		),
	] {
		let running = Running::valid().await;
		let mut watch = running.watch(&path).await;
		let first = watch.next().await;
		assert_eq!((&first["status"], &first[name]), (&json!("valid"), &json!(id)), "{path}");
		assert_eq!(first["block"]["number"], 7, "{first}");
		running.tell(Fake { time: clock() + 1000, status: Status::Valid });
		running.tell(Fake { time: clock(), status: revoked() });
		let second = watch.next().await;
		assert_eq!((&second["status"], &second[name]), (&json!("revoked"), &json!(id)), "{path}");
		if name == "device_id" {
			assert_eq!((keys(&first), keys(&second)), (Some(1), Some(0)), "{first} {second}");
		}
	}
}

#[tokio::test]
async fn whoever_watches_is_told_when_nothing_is_heard_any_more() {
	let running = Running::start(Vec::new()).await;
	// Three seconds before it is too old.
	running.tell(Fake { time: clock() - 597_000, status: Status::Valid });
	let mut watch = running.watch("devices/acme/drone-8").await;
	assert_eq!(watch.next().await["status"], "valid");
	let told = watch.next().await;
	assert!(told["error"].as_str().unwrap().contains("max-head-age"), "{told}");
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_answer_young() {
	let running = Running::start(Vec::new()).await;
	let path = "/v1/devices/acme/drone-8";
	// The clock is an hour behind what the chain has said.
	running.tell(Fake { time: clock() + 3_600_000, status: revoked() });
	assert_eq!(running.get(path).await.1["status"], "revoked");
	running.tell(Fake { time: clock(), status: Status::Valid });
	let (code, answer) = running.get(path).await;
	assert_eq!((code, answer["status"].as_str()), (503, None), "{answer}");
}

#[tokio::test]
async fn a_user_gets_no_more_connections_than_its_share() {
	let running = Running::valid().await;
	let agent = "GET /v1/agent HTTP/1.1\r\nHost: agent\r\n\r\n";
	let mut kept = Vec::new();
	for _ in 0..MAX_CONNECTIONS_PER_USER {
		let mut stream = running.send(agent).await;
		let mut first = [0; 12];
		stream.read_exact(&mut first).await.unwrap();
		assert_eq!(&first, b"HTTP/1.1 200");
		kept.push(stream);
	}
	let (code, answer) = running.get("/v1/agent").await;
	let sentence = answer["error"].as_str().unwrap();
	assert!(sentence.contains(&format!("{MAX_CONNECTIONS_PER_USER} connections")), "{sentence}");
	assert_eq!(code, 429);
	kept.pop();
	while running.get("/v1/agent").await.0 != 200 {
		tokio::task::yield_now().await;
	}
}

#[tokio::test]
async fn who_is_refused_keeps_no_connection() {
	let running = Running::valid().await;
	let mut answer = String::new();
	let post = "POST /v1/agent HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
	// It ends only when the agent closes it.
	running.send(post).await.read_to_string(&mut answer).await.unwrap();
	assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn the_socket_is_for_its_group_and_goes_with_the_agent() {
	let running = Running::valid().await;
	let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
	assert_eq!(mode(&running.socket), 0o660);
	let Running { _dir, socket, services } = running;
	drop(services);
	assert!(!socket.exists());
}

#[tokio::test]
async fn what_a_killed_agent_left_is_taken_over_and_a_file_is_not() {
	let dir = tempfile::tempdir().unwrap();
	let socket = dir.path().join("agent.sock");
	let settings = ApiSettings { socket: socket.clone(), group: None, users: Vec::new() };
	drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
	assert!(socket.exists(), "it is left behind");
	drop(Socket::bind(&settings).unwrap());
	fs::write(&socket, "precious").unwrap();
	let refused = Socket::bind(&settings).err().unwrap().to_string();
	assert!(refused.contains("service.api.socket"), "{refused}");
	assert_eq!(fs::read_to_string(&socket).unwrap(), "precious");
}

#[tokio::test]
async fn a_group_that_is_not_there_is_named() {
	let dir = tempfile::tempdir().unwrap();
	let group = Some("no-such-group".into());
	let settings = ApiSettings { socket: dir.path().join("s"), group, users: Vec::new() };
	let refused = Socket::bind(&settings).err().unwrap().to_string();
	assert!(refused.contains("groupadd --system no-such-group"), "{refused}");
	assert!(!settings.socket.exists());
	assert_eq!(group_id("root").unwrap(), 0);
}

#[test]
fn only_the_users_of_the_list_are_answered() {
	let (_, told) = watch::channel(Told::at_first(Word::default(), Heard::now_at(0)));
	let api = |users| {
		let settings = ApiSettings { socket: "/s".into(), group: None, users };
		Api::new(&settings, crate::config::tests::sample().chain, told.clone())
	};
	let (open, closed) = (api(Vec::new()), api(vec![1001]));
	let own = own_user().unwrap();
	let other = own.max(1001) + 1;
	assert!(open.admits(other) && open.admits(0));
	assert!(closed.admits(1001) && closed.admits(0) && closed.admits(own) && !closed.admits(other));
}

#[tokio::test]
async fn what_is_no_question_is_refused_with_a_sentence() {
	let running = Running::valid().await;
	for path in [
		"/",
		"/v1/devices/acme",
		"/v1/devices/ACME/drone-8",
		"/v1/devices/acme/../drone-8",
		"/v1/devices/acme/drone-8/keys?purpose=fun",
		"/v1/devices/acme/drone-8?x",
		"/v1/keys/0x12",
		"/v1/watch/agent",
		"/v2/agent",
	] {
		let (code, answer) = running.get(path).await;
		assert_eq!((code, answer["error"].is_string()), (404, true), "{path}: {answer}");
	}
	let post =
		"POST /v1/agent HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
	assert_eq!(running.request(post).await.0, 405);
	let (code, answer) = running.get("/v1/agent").await;
	assert_eq!((code, answer["running"].as_bool()), (200, Some(true)), "{answer}");
}
