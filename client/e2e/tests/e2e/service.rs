//! The agent as a service on a real chain: sealed state, answers over its socket, figures, and a log without secrets.

use dpki_client::Account;
use dpki_e2e::{Device, Fleet, PATIENCE, Process, binary, promtool_finds, public, run};
use serde_json::Value;
use std::{
	fs::{self, Permissions},
	os::unix::fs::PermissionsExt,
	path::Path,
	time::{Duration, Instant},
};

/// Asks the agent of this device.
fn ask(device: &Device, path: &str) -> Value {
	let socket = device.join("agent.sock").display().to_string();
	let url = format!("http://agent/v1/{path}");
	let asked = run(Path::new("/usr/bin/curl"), ["-s", "--unix-socket", &socket, &url]);
	serde_json::from_slice(&asked.stdout).unwrap_or(Value::Null)
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
	let began = Instant::now();
	while !is_so() {
		assert!(began.elapsed() < PATIENCE, "never {what}");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
}

#[tokio::test]
async fn an_agent_answers_from_the_chain_and_keeps_its_secrets() {
	let fleet = Fleet::start("service");
	let (user_ca, host_ca) = (fleet.add_ssh_ca("ssh-user-ca"), fleet.add_ssh_ca("ssh-host-ca"));
	let device = fleet.enrol("drone-1").await;
	let secrets: Vec<String> = ["signing.key", "agreement.key"]
		.map(|name| fs::read_to_string(device.join("state").join(name)).expect("it is open yet"))
		.map(|text| text.trim().to_owned())
		.into();

	let key = device.join("seal.key");
	fs::write(&key, [0x5e; 32]).expect("writes the seal key");
	fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("sets its mode");
	let (socket, key) =
		(device.join("agent.sock").display().to_string(), key.display().to_string());
	device.reconfigure(|text| {
		format!(
			"{text}\n[service.seal]\nkey-file = \"{key}\"\n[service.api]\nsocket = \"{socket}\"\n\
			 [service.metrics]\nlisten = \"127.0.0.1:0\"\n"
		)
	});
	let config = device.join("agent.toml").display().to_string();
	let sealed = run(&binary("dpki-agent"), ["seal", "--config", &config]);
	assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));

	let log = device.join("agent.log");
	let args =
		["run", "--config", &config, "--log", "info,dpki_agent=trace", "--log-format", "json"];
	let ready = "metrics are on";
	let (agent, line) = Process::start_until(&binary("dpki-agent"), args, &log, ready)
		.unwrap_or_else(|error| panic!("{error}"));
	let event: Value = serde_json::from_str(&line).expect("a line of JSON");
	let message = event["message"].as_str().expect("it has a message");
	let metrics = message.strip_prefix("metrics are on ").expect("it names the place").to_owned();
	fleet.deliver_access(&device, &user_ca, &host_ca);

	// A hybrid key, for which the device vouches while it runs.
	let (hybrid, signed) = (device.join("drone-1.hybrid"), device.join("hybrid.consent"));
	let (hybrid, signed) = (hybrid.display().to_string(), signed.display().to_string());
	let made = run(&binary("dpki-agent"), ["hybrid", "--config", &config, "--out", &hybrid]);
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	let alice = Account::from_uri("//Alice").expect("an account").address();
	let ca = public(&user_ca).display().to_string();
	let to_hybrid = ["deliver", "--org", "acme", "--device", "drone-1", "--hybrid-key", &hybrid];
	let what = ["--user-ca", &ca, "--principals", "root=ops", "--wait"];
	let sentence = fleet.admin.refused([&to_hybrid[..], &what].concat());
	assert!(sentence.contains("is no valid key of acme/drone-1"), "{sentence}");
	device.consent(&alice, &["--purpose", "key-agreement", "--hybrid", "--out", &signed]);
	fleet.admin.ok(["device", "register-key", "acme/drone-1", "--consent", &signed]);
	let delivered = fleet.admin.ok([&to_hybrid[..], &what].concat());
	assert_eq!(delivered["outcome"], "applied", "{delivered}");

	let get = |url: &str| {
		String::from_utf8_lossy(&run(Path::new("/usr/bin/curl"), ["-s", url]).stdout).into_owned()
	};
	let figures = get(&metrics);
	for line in [
		"dpki_agent_delivery_sequence{channel=\"0\",state=\"applied\"} 2",
		"dpki_agent_device_valid 1",
		"dpki_agent_working 1",
	] {
		assert!(figures.lines().any(|found| found == line), "{line} in\n{figures}");
	}
	assert_eq!(promtool_finds(&figures), Vec::<String>::new());
	assert_eq!(get(&metrics.replace("/metrics", "/healthz")), "ok\n");

	// The keys of a device, proven, and its end, told to whoever watches.
	let answer = ask(&device, "devices/acme/drone-1/keys?purpose=key-agreement");
	let algorithms = [&answer["keys"][0]["algorithm"], &answer["keys"][1]["algorithm"]];
	assert_eq!(algorithms, ["x25519", "x-wing"], "{answer}");
	assert_eq!(ask(&device, "devices/acme/nobody")["status"], "unknown");
	let watched = device.join("watched");
	let url = "http://agent/v1/watch/devices/acme/drone-1".to_owned();
	let args = ["-sN", "-o", &watched.display().to_string(), "--unix-socket", &socket, &url];
	let _watching = Process::start(Path::new("/usr/bin/curl"), args, &device.join("curl.log"));
	let told = || fs::read_to_string(&watched).unwrap_or_default();
	until("told the watcher", || told().contains("\"valid\"")).await;
	fleet
		.admin
		.ok(["revoke", "device", "acme/drone-1", "--reason", "keyCompromise", "--yes"]);
	until("told the watcher of the end", || told().contains("\"revoked\"")).await;
	assert_eq!(told().lines().count(), 2, "{}", told());
	let answer = ask(&device, "devices/acme/drone-1/keys");
	assert_eq!(answer["keys"], serde_json::json!([]), "{answer}");

	let log = agent.log();
	assert!(log.contains("the delivery is in force"), "{log}");
	for secret in &secrets {
		assert!(!log.contains(secret), "the log shows a key");
		for entry in fs::read_dir(device.join("state")).expect("the state is there") {
			let path = entry.expect("it has entries").path();
			let content = fs::read(&path).unwrap_or_default();
			assert!(!String::from_utf8_lossy(&content).contains(secret), "{}", path.display());
		}
	}
}
