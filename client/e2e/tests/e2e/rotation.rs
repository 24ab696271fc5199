//! Another CA for a fleet: killed in the middle, gone on with, and with a device that was off all the time; for devices that
//! are reached on several channels or by hybrid keys; and another CA of hosts, as OpenSSH's client sees it.

use dpki_client::{
	Account,
	primitives::{channel::ChannelId, delivery::Suite},
};
use dpki_e2e::{Fleet, PATIENCE, Sshd, binary, login_name, public, run};
use serde_json::{Value, json};
use std::{
	fs,
	path::Path,
	process::{Command, Stdio},
	time::{Duration, Instant},
};

fn state(path: &Path) -> Option<Value> {
	serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// How many devices something was sent to, as far as is written down.
fn attempts(path: &Path) -> usize {
	let count = |state: Value| {
		let devices = state["devices"].as_array()?.clone();
		Some(
			devices
				.iter()
				.filter(|it| it["digests"].as_array().is_some_and(|it| !it.is_empty()))
				.count(),
		)
	};
	state(path).and_then(count).unwrap_or(0)
}

#[tokio::test]
async fn a_fleet_gets_another_ca_and_the_old_one_goes() {
	let fleet = Fleet::start("rotation");
	let old = fleet.add_ssh_ca("ssh-user-ca");
	let mut devices = Vec::new();
	for name in ["drone-1", "drone-2", "drone-3"] {
		devices.push(fleet.enrol(name).await);
	}
	// The last one is off until all is over.
	for device in &mut devices[..2] {
		device.start();
	}
	let list = fleet.workspace.join("drones.txt");
	fs::write(&list, "# the fleet\ndrone-3\ndrone-1\n\ndrone-2\n").expect("writes the list");
	let (new, ledger) = (fleet.workspace.join("new-ca"), fleet.workspace.join("rotation.json"));
	let text = |path: &Path| path.display().to_string();
	let new_ca = text(&new);
	let long = |wait: &str, principals: &str, overlap: &str| -> Vec<String> {
		let words = [
			"ssh",
			"rotate",
			"--org",
			"acme",
			"--fleet",
			&text(&list),
			"--old-ca",
			&text(&public(&old)),
			"--new-ca",
			&text(&new),
			"--state",
			&text(&ledger),
			"--principals",
			principals,
			"--batch",
			"1",
			"--overlap",
			overlap,
			"--wait",
			wait,
		];
		words.map(String::from).to_vec()
	};
	let command = |wait: &str, principals: &str| -> Vec<String> {
		[long(wait, principals, "2s"), vec!["--despite-stragglers".into()]].concat()
	};
	let principals = format!("{}=ops", login_name());

	// Nothing begins without a word.
	let sentence = fleet.admin.refused(command("12s", &principals));
	assert!(sentence.contains("no terminal to ask"), "{sentence}");
	let with = |option: &str, value: Option<&str>| -> Vec<String> {
		let mut words = command("12s", &principals);
		let place = words.iter().position(|word| word == option).expect("it is there");
		words.splice(place..place + 2, value.into_iter().flat_map(|it| [option.into(), it.into()]));
		words.into_iter().chain(["--yes".into()]).collect()
	};
	let sentence = fleet.admin.refused(with("--principals", None));
	assert!(sentence.contains("nobody could log in"), "{sentence}");
	let sentence = fleet.admin.refused(with("--new-ca", Some(&text(&old))));
	assert!(sentence.contains("the new CA is the old one"), "{sentence}");
	let sentence = fleet.admin.refused(with("--fleet", Some(&text(&old))));
	assert!(sentence.contains("a list of names of devices"), "{sentence}");
	assert!(!ledger.exists(), "nothing has begun");

	// Killed when something was sent to the first device, and nobody has seen what became of it.
	let mut running = Command::new(binary("dpki"))
		.args(command("12s", &principals))
		.arg("--yes")
		.env("DPKI_URL", fleet.node.url())
		.env("DPKI_ACCOUNT", "//Alice")
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		.stderr(Stdio::null())
		.spawn()
		.expect("dpki starts");
	let began = Instant::now();
	while attempts(&ledger) == 0 {
		assert!(began.elapsed() < PATIENCE, "nothing was ever sent");
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	running.kill().expect("it runs");
	running.wait().expect("it ends");
	assert!(attempts(&ledger) < 3, "it was to be killed in the middle");

	// With another content it does not go on; with the same it does, and tells who is missing.
	let sentence = fleet.admin.refused(command("12s", "root=everybody"));
	assert!(sentence.contains("differs in what devices get"), "{sentence}");
	let (code, told) = fleet.admin.answers(long("12s", &principals, "2s"));
	assert_eq!((code, &told["revoked"]), (Some(3), &false.into()), "{told}");
	assert_eq!(told["overlap_until"], Value::Null, "it waits for who is missing");

	// Without them both CAs are good for a while, whoever asks and wherever: the command says until when, and ends.
	let (old_id, new_id) = (told["old_ca"].clone(), told["new_ca"].clone());
	let despite = [long("2s", &principals, "20s"), vec!["--despite-stragglers".into()]].concat();
	let (code, told) = fleet.admin.answers(despite);
	assert_eq!((code, &told["revoked"]), (Some(3), &false.into()), "{told}");
	assert!(told["overlap_until"].is_string(), "{told}");
	for device in &devices[..2] {
		let both = |status: &Value| status["ssh"]["user_cas"] == json!([old_id, new_id]);
		device.tells("believed both CAs", both).await;
	}
	let status = |id: &Value| fleet.admin.status(["status", "anchor", id.as_str().expect("an id")]);
	assert_eq!(
		(&status(&old_id)["status"], &status(&new_id)["status"]),
		(&json!("valid"), &json!("valid"))
	);
	let sshd = Sshd::start(&fleet.workspace, &devices[0].ssh().join("current/sshd.conf"));
	let known = fleet.workspace.join("known_hosts");
	let host = fs::read_to_string(public(&devices[0].join("state/host_key"))).expect("it has one");
	fs::write(&known, format!("device.test {host}")).expect("writes known_hosts");
	let people = [("by-the-old", &old), ("by-the-new", &new)].map(|(name, ca)| {
		let key = fleet.user_key(name);
		let signed = run(
			Path::new("/usr/bin/ssh-keygen"),
			["-q", "-s", &text(ca), "-I", name, "-n", "ops", "-V", "+1h", &text(&public(&key))],
		);
		assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
		key
	});
	let may_log_in = |key: &Path| sshd.login(key, &known, "true").granted;
	assert!(people.iter().all(|key| may_log_in(key)), "{}", sshd.log());

	// The same command goes on from there.
	let (code, told) = fleet.admin.answers(command("22s", &principals));
	assert_eq!(code, Some(3), "{told}");
	assert_eq!((&told["revoked"], &told["stragglers"][0]), (&true.into(), &"acme/drone-3".into()));
	assert_eq!(told["stragglers"].as_array().map(Vec::len), Some(1), "{told}");
	for device in told["devices"].as_array().expect("a list") {
		// Who was off gets another delivery, without the CA that is revoked when it comes back.
		let wanted = if device["name"] == "acme/drone-3" { 2 } else { 1 };
		assert_eq!(device["sequence"], wanted, "nothing is delivered twice: {device}");
	}
	let (old, new) = (told["old_ca"].as_str().unwrap(), told["new_ca"].as_str().unwrap());
	let verdict = fleet.admin.status(["status", "anchor", old]);
	assert_eq!((&verdict["status"], &verdict["reason"]), (&"revoked".into(), &"superseded".into()));

	// Who was on believes the new CA alone, and who comes back does so from the state of the chain.
	devices[2].start();
	for device in &devices {
		let only = |status: &Value| status["ssh"]["user_cas"] == serde_json::json!([new]);
		device.tells("believed the new CA alone", only).await;
	}
	let (code, told) = fleet.admin.answers(command("60s", &principals));
	assert_eq!((code, &told["stragglers"]), (Some(0), &serde_json::json!([])), "{told}");

	assert!(!may_log_in(&people[0]) && may_log_in(&people[1]), "{}", sshd.log());

	// What was delivered can be looked into, and added to.
	let (login, key) = (login_name(), text(&fleet.user_key("erin")));
	for device in told["devices"].as_array().expect("a list") {
		let name = device["name"].as_str().expect("a name");
		let review = device["review"].as_str().expect("a file");
		let how = ["access", "grant", name, "--for", "5m", "--login", &login, "--ca", &new_ca];
		let granted = fleet.admin.ok([&how[..], &["--key", &key, "--review", review]].concat());
		assert_eq!(granted["sequence"], device["sequence"].as_u64().expect("a number") + 1);
	}
}

/// Killed in the moment at which both CAs have been good for long enough, and the old one is about to go: the same
/// command revokes it, and the chain has one revocation however often it is run.
#[tokio::test]
async fn a_rotation_that_is_killed_before_the_old_ca_is_revoked_revokes_it_once() {
	let fleet = Fleet::start("rotation-killed");
	let old = fleet.add_ssh_ca("ssh-user-ca");
	let mut devices = Vec::new();
	for name in ["drone-1", "drone-2"] {
		devices.push(fleet.enrol(name).await);
	}
	for device in &mut devices {
		device.start();
	}
	let text = |path: &Path| path.display().to_string();
	let (new, ledger) = (fleet.workspace.join("new-ca"), fleet.workspace.join("rotation.json"));
	let (principals, old_ca) = (format!("{}=ops", login_name()), text(&public(&old)));
	let (new, state_file) = (text(&new), text(&ledger));
	let command = |wait: &'static str| -> Vec<String> {
		let whom = ["ssh", "rotate", "--org", "acme", "--device", "drone-1", "--device", "drone-2"];
		let what = ["--old-ca", &old_ca, "--new-ca", &new, "--principals", &principals];
		let how = ["--state", &state_file, "--overlap", "15s", "--wait", wait, "--yes"];
		[&whom[..], &what, &how].concat().into_iter().map(String::from).collect()
	};

	// No longer than the overlap, so that the command ends and says until when both are good. Each answer is a line.
	let began = Instant::now();
	let overlap_until = loop {
		assert!(began.elapsed() < PATIENCE, "the devices never answered");
		let output = Command::new(binary("dpki"))
			.args(command("12s"))
			.env("DPKI_URL", fleet.node.url())
			.env("DPKI_ACCOUNT", "//Alice")
			.stdin(Stdio::null())
			.output()
			.expect("dpki starts");
		let said = String::from_utf8_lossy(&output.stderr);
		if let Some(until) = state(&ledger).and_then(|it| it["overlap_until"].as_u64()) {
			assert!(said.lines().any(|line| line == "2 of 2 devices have answered"), "{said}");
			break until;
		}
	};
	assert_eq!(state(&ledger).expect("it is there")["revoked"], false);

	// It waits for the end of the overlap, and is killed when it writes down that it goes on.
	let mut running = Command::new(binary("dpki"))
		.args(command("60s"))
		.env("DPKI_URL", fleet.node.url())
		.env("DPKI_ACCOUNT", "//Alice")
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		.stderr(Stdio::null())
		.spawn()
		.expect("dpki starts");
	let is_after = || {
		let written = fs::metadata(&ledger).and_then(|it| it.modified()).expect("it is there");
		let since = written.duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
		since.as_millis() >= u128::from(overlap_until)
	};
	let began = Instant::now();
	while !is_after() {
		assert!(began.elapsed() < PATIENCE, "the overlap never ended");
		tokio::time::sleep(Duration::from_millis(2)).await;
	}
	running.kill().expect("it runs");
	running.wait().expect("it ends");
	assert_eq!(
		state(&ledger).expect("it is there")["revoked"],
		false,
		"it was to be killed before"
	);

	let mut revoked_at = None;
	for _ in 0..3 {
		let (code, told) = fleet.admin.answers(command("60s"));
		assert_eq!((code, &told["revoked"]), (Some(0), &true.into()), "{told}");
		let verdict =
			fleet
				.admin
				.status(["status", "anchor", told["old_ca"].as_str().expect("an id")]);
		assert_eq!(
			(&verdict["status"], &verdict["reason"]),
			(&"revoked".into(), &"superseded".into())
		);
		let since = verdict["since"].clone();
		assert!(since.is_string(), "{verdict}");
		assert_eq!(*revoked_at.get_or_insert(since.clone()), since, "it was revoked once");
		for device in told["devices"].as_array().expect("a list") {
			assert_eq!(device["sequence"], 1, "nothing is delivered twice: {device}");
		}
	}
	let new_ca = fleet.admin.answers(command("60s")).1["new_ca"].clone();
	for device in &devices {
		let only = |status: &Value| status["ssh"]["user_cas"] == json!([new_ca]);
		device.tells("believed the new CA alone", only).await;
	}
}

/// One device has its deliveries sealed to its hybrid key, and one has something of another team on another channel.
#[tokio::test]
async fn devices_on_other_channels_and_with_hybrid_keys_are_rotated_with_the_rest() {
	let fleet = Fleet::start("rotation-others");
	let old = fleet.add_ssh_ca("ssh-user-ca");
	let mut devices = Vec::new();
	for name in ["drone-1", "drone-2", "drone-3"] {
		devices.push(fleet.enrol(name).await);
	}
	for device in &mut devices {
		device.start();
	}
	let place = |name: &str| fleet.workspace.join(name).display().to_string();
	let (hybrid, consent) = (place("drone-1.hybrid"), place("drone-1.consent"));
	devices[0].hybrid(&hybrid);
	let alice = Account::from_uri("//Alice").expect("an account").address();
	devices[0].consent(&alice, &["--purpose", "key-agreement", "--hybrid", "--out", &consent]);
	fleet
		.admin
		.ok(["device", "register-key", "acme/drone-1", "--consent", &consent]);
	let (old_ca, principals) =
		(public(&old).display().to_string(), format!("{}=ops", login_name()));
	let deliver = |device: &str, principals: &str, more: &[&str]| {
		let whom = ["deliver", "--org", "acme", "--device", device, "--wait"];
		let what = ["--user-ca", &old_ca, "--principals", principals];
		let delivered = fleet.admin.ok([&whom[..], &what, more].concat());
		assert_eq!(delivered["outcome"], "applied", "{delivered}");
	};
	deliver("drone-1", &principals, &["--hybrid-key", &hybrid]);
	deliver("drone-2", "deploy=ci", &["--channel", "5"]);

	let (new_ca, state_file) = (place("new-ca"), place("rotation.json"));
	let command = |(wait, overlap): (&str, &str), more: &[&str]| -> Vec<String> {
		let whom = ["--device", "drone-1", "--device", "drone-2", "--device", "drone-3"];
		let what = ["--old-ca", &old_ca, "--new-ca", &new_ca, "--principals", &principals];
		let how = ["--state", &state_file, "--overlap", overlap, "--wait", wait, "--yes"];
		let words = [&["ssh", "rotate", "--org", "acme"][..], &whom, &what, &how, more].concat();
		words.into_iter().map(String::from).collect()
	};
	// A key that the chain does not know of any of them is not passed over.
	let unknown = place("drone-3.hybrid");
	devices[2].hybrid(&unknown);
	let short = ("20s", "2s");
	let sentence = fleet.admin.refused(command(short, &["--hybrid-key", &unknown]));
	assert!(sentence.contains("is of none of these devices"), "{sentence}");
	assert!(!Path::new(&state_file).exists(), "nothing has begun");
	let (code, told) = fleet.admin.answers(command(short, &[]));
	assert_eq!((code, &told["revoked"]), (Some(3), &false.into()), "{told}");
	assert_eq!(told["stragglers"], json!(["acme/drone-1", "acme/drone-2"]));
	for (index, words) in [(0, "--hybrid-key"), (1, "--keep-other-channels")] {
		let why = told["devices"][index]["detail"].as_str().expect("a reason");
		assert!(why.contains(words), "{told}");
	}
	let sentence = fleet.admin.refused(command(short, &["--channel", "3"]));
	assert!(sentence.contains("differs in the channel"), "{sentence}");

	// With what they need all of them have both CAs, for longer than this command waits.
	let further = ["--again", "--keep-other-channels", "--hybrid-key", &hybrid];
	let began = Instant::now();
	while state(Path::new(&state_file)).expect("it is there")["overlap_until"].is_null() {
		assert!(began.elapsed() < PATIENCE, "the devices never answered");
		fleet.admin.answers(command(("15s", "20s"), &further));
	}
	// Meanwhile the other team delivers the old CA once more, and the device is off: it would refuse that as a whole.
	devices[1].stop();
	let whom = ["deliver", "--org", "acme", "--device", "drone-2", "--channel", "5"];
	let what = ["--user-ca", &old_ca, "--principals", "deploy=ci"];
	fleet.admin.ok([&whom[..], &what].concat());
	let (code, told) = fleet.admin.answers(command(("60s", "20s"), &further));
	assert_eq!((code, &told["revoked"]), (Some(3), &false.into()), "{told}");
	assert_eq!(told["stragglers"], json!([]), "{told}");
	let held = told["held_up_by"][0].as_str().expect("a device");
	assert!(held.contains("acme/drone-2") && held.contains("channel 5"), "{told}");
	devices[1].start();
	let began = Instant::now();
	let told = loop {
		let (code, told) = fleet.admin.answers(command(("60s", "20s"), &further));
		if code == Some(0) {
			break told;
		}
		assert!(began.elapsed() < PATIENCE, "the device never answered: {told}");
	};
	assert_eq!((&told["revoked"], &told["held_up_by"]), (&true.into(), &json!([])), "{told}");
	let (client, new) = (fleet.node.client().await, told["new_ca"].clone());
	let view = client.at_finalized().await.expect("the node answers");
	let suites = [Suite::SharedXWing, Suite::SharedX25519, Suite::SharedX25519];
	for (device, suite) in devices.iter().zip(suites) {
		let only = |status: &Value| status["ssh"]["user_cas"] == json!([new]);
		device.tells("believed the new CA alone", only).await;
		let newest = view.delivery(device.id(), ChannelId::DEFAULT).await.expect("it is read");
		assert_eq!(newest.map(|record| record.suite), Some(suite), "{}", device.name);
	}
	// What the other team has delivered is there as before, and who the new CA certifies has its logins, too.
	let principals = devices[1].ssh().join("current/principals");
	let read = |login: &str| fs::read_to_string(principals.join(login)).unwrap_or_default();
	assert_eq!((read("deploy").as_str(), read(&login_name()).as_str()), ("ci\n", "ops\n"));
	let five = ChannelId::new(5).expect("a channel");
	let newest = view.delivery(devices[1].id(), five).await.expect("it is read");
	assert_eq!(newest.map(|record| record.sequence), Some(2));
}

/// Who connects knows hosts by their CA. While both are good a server may show a certificate of either; then that of the old
/// one is worth nothing, and nobody had to be told host keys.
#[tokio::test]
async fn a_fleet_gets_another_ca_of_hosts_and_goes_on_connecting() {
	let fleet = Fleet::start("rotation-hosts");
	let (users, old) = (fleet.add_ssh_ca("ssh-user-ca"), fleet.add_ssh_ca("ssh-host-ca"));
	let text = |path: &Path| path.display().to_string();
	let (mut server, mut pilot) = (fleet.enrol("drone-1").await, fleet.enrol("drone-2").await);
	server.start();
	pilot.start();
	fleet.deliver_access(&server, &users, &old);
	let (user_ca, old_ca) = (text(&public(&users)), text(&public(&old)));
	let of_old = format!("{old_ca}=*.test");
	let principals = format!("{}=ops", login_name());
	let whom = ["deliver", "--org", "acme", "--device", "drone-2", "--wait"];
	let what = ["--user-ca", &user_ca, "--principals", &principals, "--known-hosts-ca", &of_old];
	fleet.admin.ok([&whom[..], &what].concat());
	let alice = fleet.user_key("alice");
	fleet.grant(&users, &alice, "1h");

	// sshd reads its host certificate when it starts, and goes on with that until it is told.
	let (fragment, config) = (fleet.workspace.join("fragment"), fleet.workspace.join("ssh_config"));
	let include = |device: &dpki_e2e::Device, file: &str| {
		format!("Include {}\n", device.ssh().join("current").join(file).display())
	};
	fs::write(&fragment, include(&server, "sshd.conf")).expect("writes what sshd includes");
	fs::write(&config, include(&pilot, "ssh.conf")).expect("writes what ssh includes");
	let kept = fleet.workspace.join("old-certificate.pub");
	let certificate = server.ssh().join("current/host_certificate.pub");
	fs::copy(&certificate, &kept).expect("copies the certificate");
	let mut sshd = Sshd::start(&fleet.workspace, &fragment);
	let connects = |sshd: &Sshd| {
		let options = ["UserKnownHostsFile=none", "HostKeyAlias=device.test"];
		let login = sshd.login_by(&config, &alice, &options, "echo inside");
		(login.granted, login.said)
	};
	assert!(connects(&sshd).0, "{:?}\n{}", connects(&sshd), sshd.log());

	let new = fleet.workspace.join("new-host-ca");
	fleet.admin.ok(["key", "new", "ssh-ca", &text(&new)]);
	let (new_ca, of_new) = (text(&new), format!("{}=*.test", text(&public(&new))));
	let state_file = text(&fleet.workspace.join("rotation.json"));
	let command = |wait: &'static str| -> Vec<String> {
		let whom = ["ssh", "rotate", "--org", "acme", "--device", "drone-1", "--device", "drone-2"];
		let what = ["--old-ca", &old_ca, "--new-ca", &new_ca, "--user-ca", &user_ca];
		let hosts = ["--host-names", "device.test,{}.test", "--principals", &principals];
		let known = ["--known-hosts-ca", &of_old, "--known-hosts-ca", &of_new];
		let how = ["--state", &state_file, "--overlap", "45s", "--wait", wait, "--yes"];
		[&whom[..], &what, &hosts, &known, &how]
			.concat()
			.into_iter()
			.map(String::from)
			.collect()
	};
	// No longer than the overlap, so that the command ends when both are good.
	let (code, told) = fleet.admin.answers(command("40s"));
	assert_eq!((code, &told["revoked"]), (Some(0), &false.into()), "{told}");
	assert!(told["overlap_until"].is_string(), "{told}");
	assert!(connects(&sshd).0, "by the certificate of the old one: {:?}", connects(&sshd));
	sshd.restart();
	assert!(connects(&sshd).0, "by that of the new one: {:?}\n{}", connects(&sshd), sshd.log());
	let known_by = |ca: &Path| {
		let known = fleet.known_hosts(ca);
		sshd.login(&alice, &known, "true").granted
	};
	assert!(!known_by(&old) && known_by(&new), "it shows that of the new one");

	let (code, told) = fleet.admin.answers(command("100s"));
	assert_eq!((code, &told["revoked"]), (Some(0), &true.into()), "{told}");
	let id = told["old_ca"].as_str().expect("an id").to_owned();
	assert_eq!(fleet.admin.status(["status", "anchor", &id])["status"], "revoked");
	let known = pilot.ssh().join("current/known_hosts");
	let began = Instant::now();
	while fs::read_to_string(&known).expect("it is there").lines().count() != 1 {
		assert!(began.elapsed() < PATIENCE, "the old CA is known for ever:\n{}", pilot.log());
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	assert!(connects(&sshd).0, "{:?}", connects(&sshd));

	// Whoever has the host key and the certificate of before is nobody any more.
	let lines = fs::read_to_string(server.ssh().join("current/sshd.conf")).expect("it is there");
	let now = format!("HostCertificate {}", certificate.display());
	let before = lines.replace(&now, &format!("HostCertificate {}", kept.display()));
	assert_ne!(before, lines, "it names its certificate");
	fs::write(&fragment, before).expect("writes what sshd includes");
	sshd.restart();
	assert!(!connects(&sshd).0, "{}", sshd.log());
}
