//! Access that ends by itself where more than one person stands for it, and without a CA.

use dpki_e2e::{Device, Fleet, PATIENCE, Sshd, block, login_name, public, tell_name};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, time::Instant};

/// A device with a place for plain keys, and who grants access to it.
struct Scene {
	fleet: Fleet,
	device: Device,
	user_ca: PathBuf,
	/// What opens the newest delivery.
	review: PathBuf,
	/// The file of the login.
	own: PathBuf,
}

impl Scene {
	async fn start() -> Self {
		let fleet = Fleet::start("grants");
		let user_ca = fleet.add_ssh_ca("ssh-user-ca");
		let mut device = fleet.enrol("drone-7").await;
		let home = fs::canonicalize(fleet.workspace.path()).expect("it is there").join("home");
		fs::create_dir(&home).expect("creates the home");
		let own = home.join("authorized_keys");
		let keys = device.join("keys");
		device.reconfigure(|text| {
			format!(
				"{text}\n[apply.authorized-keys]\ndirectory = \"{}\"\nfiles = {{ {} = \"{}\" }}\n",
				keys.display(),
				login_name(),
				own.display()
			)
		});
		device.start();
		let review = fleet.workspace.join("drone-7.review");
		Self { fleet, device, user_ca, review, own }
	}

	/// The words that grant access for this long to whoever has the key.
	fn words(&self, span: &str, key: &str, more: &[&str]) -> Vec<String> {
		let (login, review) = (login_name(), self.review.display().to_string());
		let key = self.fleet.workspace.join(key).display().to_string();
		let how = ["access", "grant", "acme/drone-7", "--for", span, "--login", &login];
		let with = ["--review", &review, "--key", &key];
		[&how[..], &with, more].concat().into_iter().map(Into::into).collect()
	}

	fn grant(&self, span: &str, key: &str, more: &[&str]) -> Value {
		self.fleet.admin.ok(self.words(span, key, more))
	}

	/// The file for those who have to approve.
	fn next(&self) -> String {
		format!("{}.next", self.review.display())
	}

	/// What sshd reads.
	fn keys(&self) -> String {
		fs::read_to_string(&self.own).unwrap_or_default()
	}

	/// Waits until the device has put this delivery in force.
	async fn applied(&self, sequence: &Value) {
		let is_so = |status: &Value| status["sequence"] == *sequence;
		self.device.tells(&format!("applied {sequence}"), is_so).await;
	}

	/// OpenSSH's server, which reads that file, and what a client knows of it.
	fn sshd(&self) -> (Sshd, PathBuf) {
		let workspace = &self.fleet.workspace;
		let (fragment, known) = (workspace.join("fragment"), workspace.join("known_hosts"));
		let host_key = self.device.join("state/host_key");
		let own = self.own.display();
		let lines = format!("HostKey {}\nAuthorizedKeysFile {own}\n", host_key.display());
		fs::write(&fragment, lines).expect("writes what sshd includes");
		let host = fs::read_to_string(public(&host_key)).expect("the host key is there");
		fs::write(&known, format!("device.test {host}")).expect("writes known_hosts");
		(Sshd::start(workspace, &fragment), known)
	}

	fn opens(&self, granted: &Value) -> bool {
		let path = self.device.ssh().join("current/principals").join(login_name());
		let principal = granted["principal"].as_str().expect("a principal");
		fs::read_to_string(path).unwrap_or_default().contains(principal)
	}
}

#[tokio::test]
async fn a_grant_is_approved_by_those_who_have_to_and_opens_nothing_before_or_after_its_time() {
	let mut scene = Scene::start().await;
	let ca = scene.user_ca.display().to_string();
	for name in ["alice", "bob"] {
		scene.fleet.user_key(name);
	}
	for (person, roles) in [("//Bob", "administrator,publisher"), ("//Charlie", "watchdog")] {
		let admin = &scene.fleet.admin;
		admin.ok(["org", "member", "set", "acme", person, "--roles", roles]);
		admin.acting_for(person).ok(["org", "join", "acme"]);
	}

	// Without a CA: the key itself opens the login, says its end to sshd, and goes with the grant.
	let plain = scene.grant("10m", "alice", &["--plain", "--wait=100s"]);
	assert_eq!(plain["outcome"], "applied");
	let line = scene
		.keys()
		.lines()
		.find(|line| line.starts_with("expiry-time="))
		.map(str::to_owned);
	let public = fs::read_to_string(scene.fleet.workspace.join("alice.pub")).expect("it is there");
	let key = public.split(' ').nth(1).expect("a key");
	assert!(line.is_some_and(|line| line.contains(key)), "{}", scene.keys());

	// sshd itself ends such an access: with the chain stopped and the agent gone, the line is there and opens nothing.
	let (sshd, known) = scene.sshd();
	let at = |name: &str| scene.fleet.workspace.join(name);
	let (alices, bobs) = (at("alice"), at("bob"));
	let may_log_in =
		|scene: &Scene, key| sshd.login(key, &known, &tell_name(&scene.device)).granted;
	assert!(may_log_in(&scene, &alices) && !may_log_in(&scene, &bobs), "{}", sshd.log());
	let short = scene.grant("30s", "bob", &["--plain", "--wait=100s"]);
	assert_eq!(short["outcome"], "applied");
	scene.fleet.node.stop();
	scene.device.stop();
	assert!(may_log_in(&scene, &bobs), "{}\n{}", sshd.log(), scene.keys());
	let began = Instant::now();
	while may_log_in(&scene, &bobs) {
		assert!(began.elapsed() < PATIENCE, "sshd lets in for ever:\n{}", scene.keys());
		tokio::time::sleep(std::time::Duration::from_millis(500)).await;
	}
	assert_eq!(scene.keys().matches("expiry-time=").count(), 2, "{}", scene.keys());
	assert!(may_log_in(&scene, &alices), "what has not ended yet goes on:\n{}", sshd.log());
	scene.fleet.node.resume();
	scene.device.start();

	let admin = &scene.fleet.admin;
	let (bob, charlie) = (admin.acting_for("//Bob"), admin.acting_for("//Charlie"));
	let id = plain["grant"].as_str().expect("an id");
	let revoked = admin.ok(["access", "revoke", id, "--yes"]);
	scene.device.reach(block(&revoked)).await;
	assert!(!scene.keys().contains(key), "{}", scene.keys());

	// Where a second person has to sign: one signs and grants, another one publishes, and only then it is approved.
	admin.ok(["org", "policy", "acme", "multi-admin"]);
	let sentence = admin.refused(scene.words("10m", "bob", &["--ca", &ca]));
	assert!(sentence.contains("want the content signed"), "{sentence}");
	let sentence =
		admin.refused(scene.words("10m", "bob", &["--ca", &ca, "--sign-for", "//Charlie"]));
	assert!(sentence.contains("role publisher"), "{sentence}");
	let signed = ["--ca", &ca, "--sign-for", "//Bob"];
	let first = scene.grant("10m", "bob", &signed);
	let told = first["next"].as_str().expect("a sentence");
	for words in ["dpki publish-delivery", "dpki approve-delivery", &scene.next()] {
		assert!(told.contains(words), "{words}: {told}");
	}
	let sentence = admin.refused(scene.words("10m", "bob", &signed));
	assert!(sentence.contains("not published yet"), "{sentence}");
	assert!(!scene.opens(&first), "nobody has published it");
	bob.ok(["publish-delivery", &scene.next(), "--yes"]);
	let approved = admin.ok(["approve-delivery", &scene.next(), "--yes"]);
	assert_eq!(approved["waits"], json!(false));
	scene.applied(&first["sequence"]).await;
	assert!(scene.opens(&first));

	// The next one is added to that, and waited for.
	let waited = [&signed[..], &["--wait=100s"]].concat();
	let second = std::thread::scope(|threads| {
		let granting = threads.spawn(|| scene.grant("10m", "alice", &waited));
		let began = Instant::now();
		let is_new = || {
			let text = fs::read_to_string(scene.next()).unwrap_or_default();
			let file: Value = serde_json::from_str(&text).unwrap_or_default();
			file["sequence"].as_u64() == first["sequence"].as_u64().map(|number| number + 1)
		};
		while !is_new() && !granting.is_finished() {
			assert!(began.elapsed() < PATIENCE, "it was never signed");
			std::thread::sleep(std::time::Duration::from_millis(100));
		}
		let file = format!("{}.copy", scene.next());
		fs::copy(scene.next(), &file).expect("copies the file");
		bob.ok(["publish-delivery", &file, "--yes"]);
		admin.ok(["approve-delivery", &file, "--yes"]);
		granting.join().expect("it is granted")
	});
	assert_eq!((&second["outcome"], &second["approved"]), (&json!("applied"), &json!(true)));
	assert!(scene.opens(&first) && scene.opens(&second));

	// What is approved too late opens nothing, and takes nothing away.
	let proposed = admin.ok(["motion", "propose", "policy", "acme", "watchdogs:1"]);
	bob.ok(["motion", "vote", &proposed["motion"].to_string(), "aye", "--yes"]);
	let late = scene.grant("12s", "bob", &["--plain"]);
	let told = late["next"].as_str().expect("a sentence");
	assert!(told.contains("an account with the role watchdog has to approve"), "{told}");
	let until = late["until"].as_str().expect("a time").to_owned();
	let began = Instant::now();
	loop {
		let shown = admin.ok(["chain", "info"]);
		let now = shown["chain_time"].as_str().expect("a time").to_owned();
		// Without the letter at the end the times sort as texts, whether they have parts of a second or not.
		if now.trim_end_matches('Z') > until.trim_end_matches('Z') {
			break;
		}
		assert!(began.elapsed() < PATIENCE, "the chain stands still at {now}");
		tokio::time::sleep(std::time::Duration::from_millis(200)).await;
	}
	charlie.ok(["approve-delivery", &scene.next(), "--yes"]);
	scene.applied(&late["sequence"]).await;
	assert!(!scene.keys().contains("expiry-time="), "{}", scene.keys());
	assert!(scene.opens(&first) && scene.opens(&second), "what came before is open yet");
	let last = scene.grant("10m", "bob", &["--plain"]);
	assert!(!scene.keys().contains("expiry-time="), "nobody has approved it");
	charlie.ok(["approve-delivery", &scene.next(), "--yes"]);
	scene.applied(&last["sequence"]).await;
	assert!(scene.keys().contains("expiry-time="), "{}", scene.keys());
	assert!(scene.opens(&first) && scene.opens(&second), "what was there stays");
}
