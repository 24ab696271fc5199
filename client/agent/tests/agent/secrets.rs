//! That no secret leaves the agent: not in its log, not in what it tells, not on the disk of a sealed device.

use crate::{
	appliers::Certified,
	commands::{agent, assert_fails, configured, init},
	host_keys::{host_key, other_type, secret},
	user_keys::user_key,
	world::*,
};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, HEXLOWER, HEXUPPER};
use dpki_agent::{
	agent::StepError,
	appliers::settings::HookSettings,
	config::Config,
	keys::DeviceKeys,
	log::JsonLines,
	request::{Form, plain},
	rotation,
	seal::{SealSettings, Vault, seal_state},
	service::{Services, api::ApiSettings, metrics::MetricsSettings},
};
use dpki_client::{
	Bundle, Item,
	bundle::Secret,
	primitives::{
		anchor::AnchorKind,
		delivery::{Outcome, Suite},
	},
};
use std::{
	fs::{self, Permissions},
	io::{self, BufRead, BufReader},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::{Arc, Mutex},
};

/// What the publisher shares with the device.
const SHARED: [u8; 32] = *b"\x9f\x02a key that many devices have\xfe\x01";
/// What the publisher has a program read.
const READ: &[u8; 32] = b"what-only-the-maps-program-knows";
/// By what the state is sealed.
const SEAL: [u8; 32] = *b"\x8e\x03a key that is not on my disk\xfd\x04";

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl io::Write for Heard {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.0.lock().unwrap().extend_from_slice(bytes);
		Ok(bytes.len())
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
	bytes.windows(part.len()).any(|found| found == part)
}

/// How a secret could be written, and by which name.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
	let list = format!("{secret:?}");
	vec![
		("as it is", secret.to_vec()),
		("hexadecimal", HEXLOWER.encode(secret).into()),
		("capital hexadecimal", HEXUPPER.encode(secret).into()),
		("base64", BASE64.encode(secret).into()),
		("base64 without its end", BASE64_NOPAD.encode(&secret[..30]).into()),
		("base64 of URLs", BASE64URL.encode(secret).into()),
		("as a list", list.trim_matches(['[', ']']).into()),
	]
}

fn assert_hides(place: &str, bytes: &[u8], secrets: &[(&str, Vec<u8>)]) {
	for (name, secret) in secrets {
		for (form, written) in forms(secret) {
			assert!(!contains(bytes, &written), "{place} shows the {name}, {form}");
		}
	}
}

type Secrets = Vec<(&'static str, Vec<u8>)>;

/// The keys that lie in the state directory, and by what they are sealed.
fn secrets_of(keys: &DeviceKeys) -> Secrets {
	let mut secrets = vec![
		("seal key", SEAL.to_vec()),
		("signing key", keys.signing.to_secret_bytes().to_vec()),
		("agreement key", keys.agreement.to_secret_bytes().to_vec()),
	];
	let next = keys
		.next
		.iter()
		.map(|key| ("next agreement key", key.to_secret_bytes().to_vec()));
	secrets.extend(next);
	let hybrids = [("hybrid key", &keys.hybrid), ("next hybrid key", &keys.next_hybrid)];
	for (name, key) in hybrids {
		secrets.extend(key.iter().map(|key| (name, key.to_secret_bytes().to_vec())));
	}
	secrets
}

/// The line of a private key in PEM that has most of what is secret in it.
fn line_of_pem(text: &str) -> Vec<u8> {
	text.lines().nth(2).expect("a key has several lines").as_bytes().to_vec()
}

fn shared() -> Item {
	Item::Psk { identity: "drone-7@acme".into(), key: Secret::from(&SHARED[..]) }
}

fn read() -> Item {
	Item::Opaque { name: "maps".into(), data: Secret::from(&READ[..]) }
}

fn seal_key(directory: &Path) -> PathBuf {
	let path = directory.join("seal.key");
	fs::write(&path, SEAL).unwrap();
	fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
	path
}

/// Seals the state of this world, whose agent was stopped for it.
async fn seal(world: &mut World) {
	world.agent = None;
	world.config.service.seal = Some(SealSettings::KeyFile(seal_key(world.dir.path())));
	assert!(seal_state(&world.config).await.unwrap());
	world.vault = Vault::of(&world.config).await.unwrap();
	world.restart();
}

/// A device that takes all kinds of secrets, with a program that repeats what it reads, and fails.
fn world() -> World {
	let mut world = World::new().with_user_key().with_host_key().with_psk().with_tls("web");
	let script = world.place("take");
	write_script(&script, "#!/bin/sh\nread=$(cat)\necho \"$read\" >&2\n[ -z \"$read\" ]\n");
	let command = vec![script.display().to_string()];
	let settings = HookSettings { command, timeout: 20 };
	world.config.apply.hooks.insert("maps".into(), settings);
	DeviceKeys::add_hybrid(&world.vault()).unwrap();
	world.restart();
	world
}

/// Whom the agent tells of itself, beside its log: who reads its file, asks over its socket, and watches its figures. All that
/// they have heard.
struct Others {
	services: Services,
	socket: PathBuf,
	heard: Vec<u8>,
}

impl Others {
	async fn begin(world: &mut World) -> Self {
		let socket = world.place("agent.sock");
		let mut config = world.config.clone();
		config.service.api =
			Some(ApiSettings { socket: socket.clone(), group: None, users: Vec::new() });
		config.service.metrics = Some(MetricsSettings { listen: "127.0.0.1:0".parse().unwrap() });
		let services = Services::start(&config, world.agent().status().clone()).await.unwrap();
		Self { services, socket, heard: Vec::new() }
	}

	/// The next block, and what they are told then.
	async fn step(&mut self, world: &mut World) -> Result<(), StepError> {
		let result = world.step().await;
		self.services.tell_of(world.agent().status(), None);
		self.heard.extend(fs::read(world.config.status_path()).unwrap());
		let socket = self.socket.display().to_string();
		let metrics = self.services.metrics_address().unwrap();
		let (figures, health) =
			(format!("http://{metrics}/metrics"), format!("http://{metrics}/healthz"));
		let over_socket = ["-s", "--unix-socket", socket.as_str()];
		for args in [
			[&over_socket[..], &["http://agent/v1/agent"]].concat(),
			[&over_socket[..], &["http://agent/v1/devices/acme/drone-7"]].concat(),
			vec!["-s", figures.as_str()],
			vec!["-s", health.as_str()],
		] {
			let asked = tokio::process::Command::new("curl").args(&args).output();
			let asked = asked.await.expect("curl is there");
			assert!(asked.status.success() && !asked.stdout.is_empty(), "{args:?}: {asked:?}");
			self.heard.extend(asked.stdout);
		}
		result
	}
}

/// Deliveries that are applied, refused and forged, a rotation, a revocation, restarts: all that an agent has to tell of. What
/// it has told others, and the secrets that came.
async fn live(world: &mut World) -> (Vec<u8>, Secrets) {
	let mut others = Others::begin(world).await;
	let (host, user, web) = (other_type(), new_key(), Certified::new("web.example"));
	let delivered = [shared(), host_key(&host), user_key(&user, None), web.identity("web")];
	let ca = world.register(AnchorKind::SshUserCa);
	let access = [user_ca(&ca), principals("root", &["admin"])];
	let all = [&access[..], &delivered].concat();
	world.publish(1, all.clone());
	others.step(world).await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{:?}", world.agent().status());
	assert!(world.trusts(&ca) && world.host_keys().len() == 1);
	assert!(!world.text("psk/current/psk_file").is_empty());
	assert!(!world.text("web/current/key.pem").is_empty());
	let made = plain(&world.config, "web", vec!["web.example".into()], Form::Request).unwrap();
	world.restart();
	let next = rotation::begin(&world.vault()).unwrap();
	rotation::begin_hybrid(&world.vault()).unwrap();
	world.publish(2, [&all[..], &[read()]].concat());
	others.step(world).await.unwrap();
	assert_eq!(world.refusal(), "apply failed");
	world.publish(3, all.clone());
	world.alter_blob(|blob| blob[40] ^= 1);
	others.step(world).await.unwrap();
	world.publish_to(&next, 4, &Bundle { items: all.clone() });
	others.step(world).await.unwrap();
	let hybrid = world.keys().hybrid.unwrap();
	let suite = Suite::XWingChaCha20Poly1305;
	world.publish_to_hybrid(&hybrid, suite, 5, &Bundle { items: all.clone() });
	others.step(world).await.unwrap();
	let status = world.agent().status();
	assert_eq!(status.sequence, Some(5), "{status:?}");
	world.publish_forged(6, [all, vec![shared(), read(), read()]].concat());
	others.step(world).await.unwrap();
	world.publish(1, vec![shared()]);
	others.step(world).await.unwrap();
	world.anchor(ca.anchor).revocation = Some(revocation());
	others.step(world).await.unwrap();
	world.chain.silent = true;
	assert!(others.step(world).await.is_err());
	assert!(!world.trusts(&ca));
	let scalar = host.key_data().ecdsa().unwrap().private_key_bytes().to_vec();
	let seed = user.key_data().ed25519().unwrap().private.to_bytes().to_vec();
	let text = |key| secret(key).expose().to_vec();
	let secrets = vec![
		("pre-shared key", SHARED.to_vec()),
		("data of the hook", READ.to_vec()),
		("delivered host key", scalar),
		("file of the delivered host key", text(&host)),
		("delivered user key", seed),
		("file of the delivered user key", text(&user)),
		("delivered TLS key", web.key.serialize_der()),
		("file of the delivered TLS key", line_of_pem(&web.key.serialize_pem())),
		("file of the TLS key", line_of_pem(&fs::read_to_string(made.key).unwrap())),
	];
	(others.heard, secrets)
}

#[tokio::test]
async fn the_log_of_a_whole_life_shows_no_secret() {
	for (is_json, is_sealed) in [(false, true), (true, false)] {
		let heard = Heard::default();
		let writer = heard.clone();
		let log = tracing_subscriber::fmt()
			.with_max_level(tracing::Level::TRACE)
			.with_ansi(false)
			.with_writer(move || writer.clone());
		let mut world = world();
		// With one listener alone, a place that logs is asked after by whichever thread comes by first, and for ever: also
		// by that of a test that listens to nothing.
		let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
		let guard = if is_json {
			tracing::subscriber::set_default(log.event_format(JsonLines).finish())
		} else {
			tracing::subscriber::set_default(log.finish())
		};
		if is_sealed {
			seal(&mut world).await;
		}
		let (told, delivered) = live(&mut world).await;
		drop(guard);
		let log = heard.0.lock().unwrap().clone();
		let mut secrets = secrets_of(&world.keys());
		assert_eq!(secrets.len(), 6);
		secrets.extend(delivered);
		for (place, bytes) in [("the log", &log), ("what others are told", &told)] {
			assert_hides(place, bytes, &secrets);
			let text = String::from_utf8_lossy(bytes);
			assert!(text.contains("what it says is withheld"), "{place}: {text}");
		}
		let text = String::from_utf8_lossy(&log);
		assert!(text.contains("is in force") && text.contains("is refused"), "{text}");
	}
}

#[test]
fn a_secret_would_be_found_in_any_form() {
	for (form, written) in forms(&SHARED) {
		let line = [b"{\"message\":\"", &written[..], b"\"}"].concat();
		let found = std::panic::catch_unwind(|| {
			assert_hides("a line", &line, &[("key", SHARED.to_vec())]);
		});
		assert!(found.is_err(), "{form}");
	}
}

#[tokio::test]
async fn a_sealed_device_lives_like_any_other_and_its_disk_shows_no_secret() {
	let mut world = world();
	seal(&mut world).await;
	let (_, delivered) = live(&mut world).await;
	let mut secrets = secrets_of(&world.keys());
	assert_eq!(secrets.len(), 6);
	secrets.extend(delivered);
	// What others read stays open, and the README says so.
	let open = ["hooks", "user-keys", "tls"].map(|name| world.config.state.join(name));
	for path in files_below(&world.config.state) {
		if !open.iter().any(|directory| path.starts_with(directory)) {
			assert_hides(&path.display().to_string(), &fs::read(&path).unwrap(), &secrets);
		}
	}
	// What is in force outlives a restart, and narrowing goes on from the sealed journal.
	world.chain.silent = false;
	world.restart();
	world.step().await.unwrap();
}

#[tokio::test]
async fn a_device_is_sealed_with_what_is_in_force() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(1, vec![user_ca(&ca), principals("root", &["admin"])]);
	world.step().await.unwrap();
	let before = world.keys().fingerprints();
	seal(&mut world).await;
	world.step().await.unwrap();
	assert_eq!(world.keys().fingerprints(), before);
	assert!(world.trusts(&ca));
	assert_eq!(world.agent().status().highest_sequence, Some(1), "nothing older comes back");
}

#[test]
fn a_device_can_be_sealed_later_and_opens_with_its_key_only() {
	let dir = tempfile::tempdir().unwrap();
	let (_, config) = configured(dir.path(), &[]);
	let fingerprint = || agent(&["fingerprint", "--config", &config]);
	let before = fingerprint();
	assert_fails(&agent(&["seal", "--config", &config]), "set `service.seal`");
	let key = seal_key(dir.path());
	let text = fs::read_to_string(&config).unwrap();
	let setting = format!("{text}\n[service.seal]\nkey-file = \"{}\"\n", key.display());
	fs::write(&config, &setting).unwrap();
	assert_fails(&fingerprint(), "run `dpki-agent seal`");
	let sealed = agent(&["seal", "--config", &config, "--json"]);
	assert!(sealed.status.success(), "{sealed:?}");
	assert_eq!(fingerprint().stdout, before.stdout);
	fs::write(&key, [0x5f; 32]).unwrap();
	assert_fails(&fingerprint(), "bring the right key back");
	assert_fails(&agent(&["run", "--config", &config, "--once"]), "bring the right key back");
	fs::write(&config, text).unwrap();
	assert_fails(&fingerprint(), "does not say where the key is");
}

#[test]
fn init_makes_a_sealed_device_that_asks_a_command_for_its_key() {
	let dir = tempfile::tempdir().unwrap();
	let command = format!("/bin/cat {}", seal_key(dir.path()).display());
	let socket = dir.path().join("agent.sock").display().to_string();
	let made = init(
		dir.path(),
		&["--seal-command", &command, "--socket", &socket, "--metrics", "127.0.0.1:9470"],
	);
	assert!(made.status.success(), "{made:?}");
	let state = dir.path().join("state");
	for name in ["signing.key", "agreement.key", "sealed"] {
		assert!(fs::read(state.join(name)).unwrap().starts_with(b"dpki-sealed/1"), "{name}");
	}
	let path = dir.path().join("agent.toml");
	let service = Config::load(&path).unwrap().service;
	assert!(service.api.is_some() && service.metrics.is_some());
	let shown = agent(&["fingerprint", "--config", path.to_str().unwrap()]);
	assert!(shown.status.success(), "{shown:?}");
	let text = fs::read_to_string(&path).unwrap().replace("127.0.0.1:9470", "0.0.0.0:9470");
	fs::write(&path, text).unwrap();
	assert_fails(&agent(&["run", "--config", path.to_str().unwrap()]), "service.metrics.listen");
}

#[test]
fn a_running_agent_logs_json_without_a_secret_and_answers() {
	let dir = tempfile::tempdir().unwrap();
	let socket = dir.path().join("agent.sock");
	let key = seal_key(dir.path()).display().to_string();
	let extra = ["--socket", socket.to_str().unwrap(), "--metrics", "127.0.0.1:0"];
	let sealed = ["--seal-key-file", &key, "--suite", "x-wing"];
	let (config, path) = configured(dir.path(), &[&extra[..], &sealed].concat());
	let mut child = Command::new(env!("CARGO_BIN_EXE_dpki-agent"))
		.args(["run", "--config", &path, "--log", "trace", "--log-format", "json"])
		.stderr(Stdio::piped())
		.spawn()
		.unwrap();
	let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
	let (mut said, mut metrics) = (String::new(), None);
	for line in lines.by_ref().map_while(Result::ok) {
		let event: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
		said += &format!("{line}\n");
		let message = event["message"].as_str().unwrap_or_default();
		let address = message.strip_prefix("metrics are on ");
		metrics = metrics.or(address.map(|address| address.replace("/metrics", "/healthz")));
		if message.contains("following the chain") {
			break;
		}
	}
	// It would end if nobody listened.
	let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
	let curl = |args: &[&str]| {
		let asked = Command::new("curl").args(["-s", "-w", "\n%{http_code}"]).args(args).output();
		let asked = asked.expect("curl is there");
		String::from_utf8(asked.stdout).unwrap()
	};
	let socket = socket.to_str().unwrap();
	let word = curl(&["--unix-socket", socket, "http://agent/v1/agent"]);
	assert!(word.contains("\"device\":\"drone-7\"") && word.ends_with("\n200"), "{word}");
	let status = curl(&["--unix-socket", socket, "http://agent/v1/devices/acme/drone-7"]);
	assert!(status.contains("no block was proven yet") && status.ends_with("\n503"), "{status}");
	let health = curl(&[&metrics.expect("the log names the address")]);
	assert!(health.ends_with("\n503"), "{health}");
	child.kill().unwrap();
	child.wait().unwrap();
	said += &rest.join().unwrap().join("\n");
	let file = fs::read_to_string(config.status_path()).unwrap();
	let opening = tokio::runtime::Runtime::new().unwrap().block_on(Vault::of(&config));
	let secrets = secrets_of(&DeviceKeys::load(&opening.unwrap()).unwrap());
	assert_eq!(secrets.len(), 4);
	for (place, text) in [
		("the log", said),
		("the socket", word + &status),
		("the health", health),
		("the status", file),
	] {
		assert_hides(place, text.as_bytes(), &secrets);
	}
}
