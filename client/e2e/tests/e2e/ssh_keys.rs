//! What is delivered for SSH besides certificates, between a real `sshd` and a real `ssh`: keys that sshd asks the agent for,
//! host keys and keys of users that were delivered, and the device as a client; and a device that was off meanwhile.

use dpki_e2e::{Device, Fleet, Login, PATIENCE, Sshd, binary, block, login_name, public, run};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{
	fs,
	os::unix::fs::{DirBuilderExt, PermissionsExt},
	path::{Path, PathBuf},
	time::{Duration, Instant},
};

/// The length of a slot, in milliseconds, so that a hundred blocks do not take long.
const SLOT: u64 = 300;

/// How many blocks the device that is off misses at least.
const MISSED: u32 = 100;

/// How old news may be for logins, in seconds.
const MAX_AGE: u32 = 15;

fn text(path: &Path) -> String {
	path.display().to_string()
}

/// Where whoever asks for sshd finds the agent, its configuration and its answers: the checkout may be for its owner only.
struct Counter(PathBuf);

impl Counter {
	fn new() -> Self {
		let path = std::env::temp_dir().join(format!("dpki-counter-{}", std::process::id()));
		let _ = fs::remove_dir_all(&path);
		let made = fs::DirBuilder::new().mode(0o755).create(&path);
		made.expect("creates a folder that everybody can enter");
		fs::copy(binary("dpki-agent"), path.join("dpki-agent")).expect("copies the agent");
		Self(path)
	}

	/// What sshd is told. It runs only programs in whose way nobody but root can put another one: `env` is one.
	fn settings(&self, device: &Device) -> String {
		let config = self.0.join("agent.toml");
		fs::copy(device.join("agent.toml"), &config).expect("copies the configuration");
		fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).expect("opens it");
		let user = if login_name() == "root" { "nobody".into() } else { login_name() };
		format!(
			"AuthorizedKeysCommand /usr/bin/env {} authorized-keys %u --config {}\nAuthorizedKeysCommandUser {user}\n",
			self.0.join("dpki-agent").display(),
			config.display()
		)
	}

	/// Waits until there is no answer any more.
	async fn falls_silent(&self) {
		let began = Instant::now();
		let (agent, config) = (self.0.join("dpki-agent"), text(&self.0.join("agent.toml")));
		let ask = || run(&agent, ["authorized-keys", &login_name(), "--config", &config]);
		while ask().status.success() {
			assert!(began.elapsed() < PATIENCE, "an answer of an agent that is not there");
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	}
}

impl Drop for Counter {
	fn drop(&mut self) {
		let _ = fs::remove_dir_all(&self.0);
	}
}

/// Delivers to a device and waits until it has applied it.
fn deliver(fleet: &Fleet, device: &Device, what: &[&str]) {
	let delivered = publish(fleet, device, &[what, &["--wait"]].concat());
	assert_eq!(delivered["outcome"], "applied", "{delivered}\n{}", device.log());
}

fn publish(fleet: &Fleet, device: &Device, what: &[&str]) -> Value {
	let how = ["deliver", "--org", "acme", "--device", &device.name, "--yes"];
	fleet.admin.ok([&how[..], what].concat())
}

/// Has a private key delivered by a person at a terminal, who is asked whether that is meant: nothing but a yes does it.
fn delivered_only_by_a_yes(fleet: &Fleet, device: &Device, what: &[&str]) {
	let how = ["deliver", "--org", "acme", "--device", &device.name];
	let asked = |typed| fleet.admin.asks([&how[..], what, &["--wait"]].concat(), typed);
	let delivered = || fleet.admin.status(["status", "delivery", &format!("acme/{}", device.name)]);
	for no in ["n\n", "\n"] {
		let (done, shown) = asked(no);
		assert!(!done && shown.contains("stopped: nothing was changed"), "{shown}");
		assert!(shown.contains("PRIVATE KEYS go to") && shown.contains("SSH user key"), "{shown}");
		assert_eq!(delivered()["status"], "none");
	}
	let (done, shown) = asked("y\n");
	assert!(
		done && shown.contains("private keys that somebody else knows are delivered"),
		"{shown}"
	);
	assert_eq!(delivered()["status"], "applied", "{shown}\n{}", device.log());
}

async fn height(fleet: &Fleet) -> u32 {
	let view = fleet.node.client().await.at_finalized().await.expect("the node answers");
	view.head().number
}

/// Waits until a block of this number is final.
async fn reach(fleet: &Fleet, number: u32) {
	let client = fleet.node.client().await;
	let mut heads = client.finalized_heads();
	let reached = async {
		while let Some(head) = heads.next().await {
			if head.is_ok_and(|head| head.number >= number) {
				return;
			}
		}
	};
	tokio::time::timeout(PATIENCE, reached).await.expect("blocks go on");
}

/// A device that is off while it gets one delivery after another, of which the last one counts.
struct Sleeper {
	device: Device,
	first: PathBuf,
	last: PathBuf,
	fell_asleep: u32,
}

impl Sleeper {
	async fn put_to_bed(fleet: &Fleet) -> Self {
		let [first, last] = ["first-ca", "last-ca"].map(|name| {
			let made = fleet.add_ssh_ca("ssh-user-ca");
			let path = fleet.workspace.join(name);
			fs::rename(&made, &path).expect("renames the CA");
			fs::rename(public(&made), public(&path)).expect("renames its public half");
			path
		});
		let mut device = fleet.enrol("sleeper").await;
		device.start();
		deliver(fleet, &device, &access(&first, "first").each_ref().map(String::as_str));
		device.stop();
		Self { device, first, last, fell_asleep: height(fleet).await }
	}

	/// What happens meanwhile: three deliveries, a CA that is revoked, a certificate of the other one that is.
	fn miss(&self, fleet: &Fleet) {
		for (ca, principal) in
			[(&self.first, "second"), (&self.last, "third"), (&self.last, "fourth")]
		{
			publish(fleet, &self.device, &access(ca, principal).each_ref().map(String::as_str));
		}
		let how = ["--reason", "keyCompromise", "--yes"];
		let [first, last] = [&self.first, &self.last].map(|ca| text(&public(ca)));
		fleet.admin.ok([&["revoke", "anchor", &first][..], &how].concat());
		let serial = ["revoke", "ssh-cert", "--ca", &last, "--serial", "4711"];
		fleet.admin.ok([&serial[..], &how].concat());
	}

	async fn wake(mut self, fleet: &Fleet) {
		reach(fleet, self.fell_asleep + MISSED).await;
		let before = self.device.log().len();
		self.device.start();
		let is_newest = |status: &Value| status["sequence"] == json!(4);
		self.device.tells("applied the newest delivery", is_newest).await;
		// The state is that of now: the last delivery, and what was revoked without one.
		let file = |name: &str| {
			let bytes =
				fs::read(self.device.ssh().join("current").join(name)).expect("it is there");
			String::from_utf8_lossy(&bytes).into_owned()
		};
		let key = |ca: &Path| {
			let line = fs::read_to_string(public(ca)).expect("the CA has a public half");
			line.split_whitespace().nth(1).expect("a key").to_owned()
		};
		assert_eq!(file(&format!("principals/{}", login_name())), "fourth\n");
		let believed = file("trusted_user_ca_keys");
		assert!(believed.contains(&key(&self.last)), "{believed}");
		assert!(!believed.contains(&key(&self.first)), "{believed}");
		assert_eq!(self.device.status()["ssh"]["revoked_serials"], 1);
		// What came between was never in force, nor tried.
		let log = self.device.log().split_off(before);
		let applied: Vec<_> =
			log.lines().filter(|line| line.contains("the delivery is in force")).collect();
		assert!(matches!(applied[..], [line] if line.contains("sequence=4")), "{applied:?}");
		assert!(!log.contains("is refused"), "{log}");
		assert_eq!(self.device.status()["highest_sequence"], 4);
		let known = |status: &Value| status["acknowledged"] == json!(4);
		self.device.tells("proven its acknowledgement", known).await;
	}
}

/// A login by certificates of this CA for this principal.
fn access(ca: &Path, principal: &str) -> [String; 4] {
	let principals = format!("{}={principal}", login_name());
	["--user-ca".into(), text(&public(ca)), "--principals".into(), principals]
}

/// Grants a plain key the login, and gives the id of the grant.
fn grant(fleet: &Fleet, review: &Path, key: &Path) -> String {
	let (login, review) = (login_name(), text(review));
	let how = ["access", "grant", "acme/server", "--for", "10m", "--login", &login, "--plain"];
	let with = ["--key", &text(key), "--review", &review, "--wait"];
	let granted = fleet.admin.ok([&how[..], &with].concat());
	assert_eq!(granted["outcome"], "applied");
	granted["grant"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn keys_and_hosts_are_believed_as_they_are_delivered_and_no_longer() {
	Sshd::prepare();
	let fleet = Fleet::start_with_slots("ssh-keys", SLOT);
	let sleeper = Sleeper::put_to_bed(&fleet).await;
	let workspace = &fleet.workspace;
	let host_ca = fleet.add_ssh_ca("ssh-host-ca");
	let (mut server, mut pilot) = (fleet.enrol("server").await, fleet.enrol("pilot").await);

	// What their configurations let a delivery bring.
	let counter = Counter::new();
	let keys = counter.0.join("keys");
	// It names no host keys: those of the agent are all that the server has.
	let main = workspace.join("server-sshd_config");
	fs::write(&main, "").expect("writes what sshd has besides");
	server.reconfigure(|config| {
		let before = config.split("[freshness").next().unwrap_or_default().to_owned();
		before.replacen("[ssh]\n", &format!("[ssh]\nsshd-config = \"{}\"\n", text(&main)), 1)
			+ &format!(
				"\n[freshness.ssh-login]\nmax-age = {MAX_AGE}\ngrace = 0\n\n[apply]\nhost-key = true\n\n\
				 [apply.authorized-keys]\ndirectory = \"{}\"\ncommand = true\n",
				keys.display()
			)
	});
	// The way to a file of somebody else is gone without following a link.
	let home = fs::canonicalize(workspace.path()).expect("it is there").join("home");
	fs::create_dir(&home).expect("creates the home");
	let identity = home.join("id_dpki");
	pilot.reconfigure(|config| {
		config + &format!("\n[apply.user-keys]\n{} = \"{}\"\n", login_name(), identity.display())
	});
	server.start();
	pilot.start();

	// The server gets a certificate for its own host key, and another host key beside it.
	let host_key = workspace.join("delivered-host-key");
	let made = ["-q", "-t", "ecdsa", "-N", "", "-f", &text(&host_key)];
	assert!(run(Path::new("/usr/bin/ssh-keygen"), made).status.success());
	let review = workspace.join("server.review");
	let what = ["--host-ca-key", &text(&host_ca), "--host-name", "device.test"];
	let with = ["--host-key", &text(&host_key), "--review", &text(&review)];
	deliver(&fleet, &server, &[&what[..], &with].concat());
	// The pilot gets a key, and believes hosts of the CA.
	let pilots = fleet.user_key("pilots");
	let hosts = format!("{}=device.test", public(&host_ca).display());
	let key = format!("{}={}", login_name(), pilots.display());
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	// Somebody can log in there, or it would not be asked.
	let (users, principals) = (text(&public(&user_ca)), format!("{}=ops", login_name()));
	let logins = ["--user-ca", &users, "--principals", &principals];
	let what = ["--known-hosts-ca", &hosts, "--user-key", &key];
	delivered_only_by_a_yes(&fleet, &pilot, &[&what[..], &logins].concat());
	sleeper.miss(&fleet);

	// sshd of the server: what its owner has written, and what the agent says.
	let owner = fleet.user_key("owner");
	let own = workspace.join("authorized_keys");
	let lines =
		[&owner, &pilots].map(|key| fs::read_to_string(public(key)).expect("a public half"));
	fs::write(&own, lines.concat()).expect("writes the file of the owner");
	let fragment = workspace.join("sshd-fragment");
	let lines = format!(
		"Include {}\nAuthorizedKeysFile {}\n{}",
		server.ssh().join("current/sshd.conf").display(),
		own.display(),
		counter.settings(&server)
	);
	fs::write(&fragment, lines).expect("writes what sshd includes");
	let sshd = Sshd::start(workspace, &fragment);
	let known = fleet.known_hosts(&host_ca);
	let login = |key: &Path| sshd.login(key, &known, "echo inside");
	let agent_log = server.join("agent.log");
	let told = || format!("{}\n{}", sshd.log(), fs::read_to_string(&agent_log).unwrap_or_default());
	let owner_gets_in = || {
		let login = login(&owner);
		assert!(login.granted && login.printed == "inside", "{login:?}\n{}", told());
	};

	// A key that the chain grants opens the login through the command, until it is revoked.
	let (alice, bob) = (fleet.user_key("alice"), fleet.user_key("bob"));
	assert!(!login(&alice).granted, "nobody has granted it");
	owner_gets_in();
	let granted = grant(&fleet, &review, &alice);
	grant(&fleet, &review, &bob);
	for key in [&alice, &bob] {
		let login = login(key);
		assert!(login.granted && login.printed == "inside", "{login:?}\n{}", told());
	}
	let revoked = fleet.admin.ok(["access", "revoke", &granted, "--yes"]);
	server.reach(block(&revoked)).await;
	assert!(!login(&alice).granted, "its grant is revoked");
	assert!(login(&bob).granted, "that of another one is not: {}", told());
	owner_gets_in();

	// What was altered is no answer.
	let list = keys.join("current/keys");
	let whole = fs::read(&list).expect("the agent writes it");
	server.stop();
	fs::write(&list, &whole[..whole.len() - 9]).expect("alters it");
	assert!(!login(&bob).granted, "by a list that is not whole");
	owner_gets_in();
	fs::write(&list, &whole).expect("puts it back");

	// Of an agent that does not run nobody knows any more what was revoked; its owner gets in all the same.
	counter.falls_silent().await;
	let before = sshd.log().len();
	assert!(!login(&bob).granted, "by news that are too old");
	let said = sshd.log().split_off(before);
	assert!(said.contains("AuthorizedKeysCommand") && said.contains("failed"), "{said}");
	owner_gets_in();
	let asleep = height(&fleet).await;
	server.start();
	server.reach(asleep.into()).await;
	assert!(login(&bob).granted, "the chain is heard again: {}", told());

	// The pilot connects by what was delivered to it: its own key, and hosts of the CA.
	let config = workspace.join("ssh_config");
	let include = format!("Include {}\n", pilot.ssh().join("current/ssh.conf").display());
	fs::write(&config, include).expect("writes the configuration of the client");
	let connect = |options: &[&str]| -> Login {
		let options = [&["UserKnownHostsFile=none"][..], options].concat();
		sshd.login_by(&config, &identity, &options, "echo inside")
	};
	let by_ca = ["HostKeyAlias=device.test"];
	let login = connect(&by_ca);
	assert!(login.granted && login.printed == "inside", "{login:?}\n{}", told());
	let other = connect(&["HostKeyAlias=other.test"]);
	assert!(!other.granted && other.said.contains("verification failed"), "{other:?}");

	// Both host keys are there for who knows them, the own one and the one that was delivered.
	let hosts = workspace.join("plain_known_hosts");
	let own_key = server.join("state/host_key");
	for (key, algorithm) in [(&own_key, "ssh-ed25519"), (&host_key, "ecdsa-sha2-nistp256")] {
		let line = fs::read_to_string(public(key)).expect("a public half");
		fs::write(&hosts, format!("device.test {line}")).expect("writes known_hosts");
		let options = [
			format!("UserKnownHostsFile={}", hosts.display()),
			format!("HostKeyAlgorithms={algorithm}"),
			"GlobalKnownHostsFile=none".into(),
			"HostKeyAlias=device.test".into(),
		];
		let options = options.each_ref().map(String::as_str);
		let login = sshd.login_by(Path::new("none"), &identity, &options, "echo inside");
		assert!(login.granted, "{algorithm}: {login:?}\n{}", told());
	}

	// A host whose key is revoked is refused, certificate or not.
	let how = ["--reason", "keyCompromise", "--yes"];
	let (ca, key) = (text(&public(&host_ca)), text(&public(&own_key)));
	let revoked = fleet.admin.ok([&["revoke", "ssh-key", "--ca", &ca, &key][..], &how].concat());
	pilot.reach(block(&revoked)).await;
	let refused = connect(&by_ca);
	assert!(!refused.granted && refused.said.contains("revoked by file"), "{refused:?}");

	// What a newer delivery does not name goes.
	deliver(&fleet, &pilot, &["--empty"]);
	deliver(&fleet, &server, &["--empty"]);
	assert_eq!(fs::read_dir(&home).expect("it is there").count(), 0);
	let left = fs::read_dir(server.ssh().join("host_keys")).expect("it is there").count();
	assert_eq!(left, 0, "{}", server.log());

	sleeper.wake(&fleet).await;
}
