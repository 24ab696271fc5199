//! That no secret leaves the agent: not in its log, not in what it tells, not on the disk of a sealed device.

use crate::{
	commands::{agent, assert_fails, configured, init},
	world::*,
};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, HEXLOWER, HEXUPPER};
use dpki_agent::{
	config::Config,
	log::JsonLines,
	rotation,
	seal::{SealSettings, Vault, seal_state},
};
use dpki_client::{Bundle, Item, bundle::Secret, primitives::anchor::AnchorKind};
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

fn files_below(directory: &Path) -> Vec<PathBuf> {
	let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
	entries
		.filter(|path| !path.is_symlink())
		.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
		.collect()
}

/// The keys that lie in the state directory.
fn keys_of(world: &World) -> Vec<(&'static str, Vec<u8>)> {
	let keys = world.keys();
	let mut secrets = vec![
		("signing key", keys.signing.to_secret_bytes().to_vec()),
		("agreement key", keys.agreement.to_secret_bytes().to_vec()),
	];
	secrets.extend(keys.next.map(|next| ("next agreement key", next.to_secret_bytes().to_vec())));
	secrets
}

fn shared() -> Item {
	Item::Psk { identity: "drone-7@acme".into(), key: Secret::from(&SHARED[..]) }.optional()
}

fn seal_key(directory: &Path) -> PathBuf {
	let path = directory.join("seal.key");
	fs::write(&path, [0x5e; 32]).unwrap();
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

/// Deliveries that are applied, refused and forged, a rotation, a revocation, restarts: all that an agent has to tell of.
async fn live(world: &mut World) {
	let ca = world.register(AnchorKind::SshUserCa);
	world.publish(1, vec![user_ca(&ca), principals("root", &["admin"]), shared()]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca), "{:?}", world.agent().status());
	world.restart();
	let next = rotation::begin(&world.vault()).unwrap();
	world.publish(2, vec![user_ca(&ca), shared()]);
	world.alter_blob(|blob| blob[40] ^= 1);
	world.step().await.unwrap();
	world.publish_to(&next, 3, &Bundle { items: vec![user_ca(&ca), shared()] });
	world.step().await.unwrap();
	world.publish_forged(4, vec![shared(), shared()]);
	world.step().await.unwrap();
	world.publish(1, vec![shared()]);
	world.step().await.unwrap();
	world.anchor(ca.anchor).revocation = Some(revocation());
	world.step().await.unwrap();
	world.chain.silent = true;
	assert!(world.step().await.is_err());
	assert!(!world.trusts(&ca));
}

#[tokio::test]
async fn the_log_of_a_whole_life_shows_no_secret() {
	for is_json in [false, true] {
		let heard = Heard::default();
		let writer = heard.clone();
		let log = tracing_subscriber::fmt()
			.with_max_level(tracing::Level::TRACE)
			.with_ansi(false)
			.with_writer(move || writer.clone());
		let mut world = World::new();
		// With one listener alone, a place that logs is asked after by whichever thread comes by first, and for ever: also
		// by that of a test that listens to nothing.
		let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
		let guard = if is_json {
			tracing::subscriber::set_default(log.event_format(JsonLines).finish())
		} else {
			tracing::subscriber::set_default(log.finish())
		};
		live(&mut world).await;
		drop(guard);
		let log = heard.0.lock().unwrap().clone();
		let text = String::from_utf8_lossy(&log);
		assert!(text.contains("is in force") && text.contains("is refused"), "{text}");
		let mut secrets = keys_of(&world);
		assert_eq!(secrets.len(), 3);
		secrets.push(("pre-shared key", SHARED.to_vec()));
		assert_hides("the log", &log, &secrets);
		let status = serde_json::to_vec(world.agent().status()).unwrap();
		assert_hides("the status", &status, &secrets);
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
	let mut world = World::new();
	seal(&mut world).await;
	live(&mut world).await;
	let mut secrets = keys_of(&world);
	assert_eq!(secrets.len(), 3);
	secrets.push(("pre-shared key", SHARED.to_vec()));
	for path in files_below(&world.config.state) {
		assert_hides(&path.display().to_string(), &fs::read(&path).unwrap(), &secrets);
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
	let extra = ["--socket", socket.to_str().unwrap(), "--metrics", "127.0.0.1:0"];
	let (config, path) = configured(dir.path(), &extra);
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
	let vault = Vault::open_state(&config.state);
	let keys = dpki_agent::keys::DeviceKeys::load(&vault).unwrap();
	let secrets = [
		("signing key", keys.signing.to_secret_bytes().to_vec()),
		("agreement key", keys.agreement.to_secret_bytes().to_vec()),
	];
	assert_hides("the log", said.as_bytes(), &secrets);
}
