//! A device asks for certificates over the chain, somebody certifies what it made, and nobody carries anything.

use dpki_e2e::{Device, Fleet, PATIENCE, Sshd, binary, login_name, public, run};
use serde_json::Value;
use std::{
	fs,
	path::{Path, PathBuf},
	process::Output,
	time::{Duration, Instant},
};
use tokio::task::JoinHandle;

fn text(path: &Path) -> String {
	path.display().to_string()
}

/// What a tool says, which has to succeed.
fn succeeds(program: &str, args: &[&str]) -> String {
	let output = run(Path::new(program), args);
	let said = format!("{}{}", stdout(&output), stderr(&output));
	assert!(output.status.success(), "{program} {args:?}: {said}");
	said
}

fn stdout(output: &Output) -> String {
	String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
	String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An X.509 root made by OpenSSL, registered as an anchor: its certificate and its key.
fn root(fleet: &Fleet) -> [String; 2] {
	let files = ["ca.crt", "ca.key"].map(|name| text(&fleet.workspace.join(name)));
	let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=acme \
		-addext keyUsage=critical,keyCertSign,cRLSign";
	let words: Vec<_> = words.split_whitespace().collect();
	succeeds("openssl", &[&words[..], &["-out", &files[0], "-keyout", &files[1]]].concat());
	let add = ["anchor", "add", "--org", "acme", "--kind", "x509-root"];
	fleet.admin.ok([&add[..], &["--cert", &files[0], "--key", &files[1]]].concat());
	files
}

/// The device asks, beside its agent, and waits for the answer unless it is told not to.
fn ask(device: &Device, args: &[&str]) -> JoinHandle<Output> {
	let config = text(&device.join("agent.toml"));
	let args: Vec<_> = ["request", "--config", &config]
		.iter()
		.chain(args)
		.map(ToString::to_string)
		.collect();
	tokio::task::spawn_blocking(move || run(&binary("dpki-agent"), args))
}

async fn asked(device: &Device, args: &[&str]) -> Output {
	ask(device, args).await.expect("the agent ends")
}

/// Waits until so many requests of the organisation wait, and gives them.
async fn waiting(fleet: &Fleet, count: usize) -> Vec<Value> {
	let began = Instant::now();
	loop {
		let listed = fleet.admin.ok(["request", "list", "--org", "acme"]);
		let listed = listed.as_array().expect("a list").clone();
		if listed.len() == count {
			return listed;
		}
		assert!(began.elapsed() < PATIENCE, "{listed:?}");
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
}

#[tokio::test]
async fn a_device_asks_over_the_chain_and_is_certified_or_told_why_not() {
	let fleet = Fleet::start("requests");
	let [ca_cert, ca_key] = root(&fleet);
	let host_ca = text(&fleet.add_ssh_ca("ssh-host-ca"));
	let file = |name: &str| -> PathBuf { fleet.workspace.join(name) };
	let mut device = fleet.enrol("drone-7").await;
	let service = format!("\n[apply.tls.web]\ndirectory = \"{}\"\n", text(&file("web")));
	device.reconfigure(|text| text + &service);
	device.start();

	// The device waits while somebody looks at what it asks for.
	let web = ["tls", "--service", "web", "--name", "drone-7.acme.example"];
	let asking = ask(&device, &[&web[..], &["--json"]].concat());
	let listed = waiting(&fleet, 1).await;
	assert_eq!(listed[0]["device_name"], "acme/drone-7");
	assert_eq!(listed[0]["request"], "tls:web");
	let shown = fleet.admin.ok(["request", "show", "acme/drone-7", "tls:web"]);
	assert_eq!(shown["names"][0], "drone-7.acme.example");
	assert_eq!(shown["subject"], "acme/drone-7");

	// What is refused here: no terminal to ask, another kind of CA, somebody without the role.
	let review = text(&file("drone-7.review"));
	let answer = ["request", "answer", "acme/drone-7", "tls:web", "--review", &review];
	let with_ca = [&answer[..], &["--ca-cert", &ca_cert, "--ca-key", &ca_key]].concat();
	let sentence = fleet.admin.refused(&with_ca);
	assert!(sentence.contains("no terminal to ask"), "{sentence}");
	let sentence = fleet.admin.refused([&answer[..], &["--ca", &host_ca, "--yes"]].concat());
	assert!(sentence.contains("another kind"), "{sentence}");
	let mallory = fleet.admin.acting_for("//Bob");
	let refuse = ["request", "refuse", "acme/drone-7", "tls:web", "--yes", "--reason"];
	mallory.refused([&refuse[..], &["unspecified"]].concat());

	// The answer: the certificate is in force, and the device that waited knows in which delivery it came.
	let answered = fleet.admin.ok([&with_ca[..], &["--yes", "--wait=110s"]].concat());
	assert_eq!(answered["outcome"], "applied");
	let said = asking.await.expect("the agent ends");
	assert!(said.status.success(), "{}", stderr(&said));
	let said: Value = serde_json::from_slice(&said.stdout).expect("it answers in JSON");
	assert_eq!(said["answered_in"], answered["sequence"]);
	assert!(waiting(&fleet, 0).await.is_empty());
	let chain = text(&file("web").join("current/chain.pem"));
	let verify =
		["verify", "-verify_hostname", "drone-7.acme.example", "-CAfile", &ca_cert, &chain];
	succeeds("openssl", &verify);
	let certified = succeeds("openssl", &["x509", "-in", &chain, "-noout", "-pubkey"]);
	let key = text(&device.join("state/tls/web/0.key"));
	assert_eq!(certified, succeeds("openssl", &["pkey", "-in", &key, "-pubout"]));

	// The host key: certified in the same way, and what the device has stays.
	let host = ["ssh-host", "--name", "device.test", "--no-wait"];
	let filed = asked(&device, &host).await;
	assert!(filed.status.success(), "{}", stderr(&filed));
	let answer = ["request", "answer", "acme/drone-7", "ssh-host", "--review", &review, "--yes"];
	let answered =
		fleet
			.admin
			.ok([&answer[..], &["--ca", &host_ca, "--valid", "30d", "--wait=110s"]].concat());
	assert_eq!(answered["outcome"], "applied");
	let certificate = text(&device.ssh().join("current/host_certificate.pub"));
	let shown = succeeds("ssh-keygen", &["-L", "-f", &certificate]);
	assert!(shown.contains("host certificate") && shown.contains("device.test"), "{shown}");
	succeeds("openssl", &verify);

	// A refusal is told to the device that waits, with its reason.
	let other = ["tls", "--service", "web", "--name", "bank.example"];
	let asking = ask(&device, &other);
	waiting(&fleet, 1).await;
	fleet.admin.ok([&refuse[..], &["names-not-allowed"]].concat());
	let said = asking.await.expect("the agent ends");
	assert_eq!(said.status.code(), Some(1), "{}", stdout(&said));
	assert!(stderr(&said).contains("the device is not to have these names"), "{}", stderr(&said));
	let listed = fleet.admin.ok(["request", "list", "--device", "acme/drone-7"]);
	let listed = listed.as_array().expect("a list");
	let refused = listed.iter().find(|it| it["request"] == "tls:web").expect("it is there");
	assert_eq!(refused["objection"], "names-not-allowed");
	let sentence = fleet.admin.refused(&with_ca);
	assert!(sentence.contains("does not wait"), "{sentence}");

	// The device takes one back; then it has asked as often as it may for now.
	let without_wait = [&web[..], &["--no-wait"]].concat();
	let filed = asked(&device, &without_wait).await;
	assert!(filed.status.success(), "{}", stderr(&filed));
	let sentence = fleet.admin.refused(["request", "clear", "acme/drone-7", "tls:web"]);
	assert!(sentence.contains("waits yet"), "{sentence}");
	let taken = asked(&device, &["tls", "--service", "web", "--withdraw"]).await;
	assert!(taken.status.success(), "{}", stderr(&taken));
	assert!(waiting(&fleet, 0).await.is_empty());
	let said = asked(&device, &without_wait).await;
	assert!(!said.status.success());
	assert!(stderr(&said).contains("as many requests as it may"), "{}", stderr(&said));
	assert!(fs::metadata(&chain).is_ok(), "what is in force stays");
}

#[tokio::test]
async fn a_user_of_a_device_logs_in_elsewhere_by_a_key_that_nobody_else_has() {
	Sshd::prepare();
	let fleet = Fleet::start("requests-users");
	let [user_ca, host_ca] = ["ssh-user-ca", "ssh-host-ca"].map(|kind| fleet.add_ssh_ca(kind));
	let (mut server, mut pilot) = (fleet.enrol("server").await, fleet.enrol("pilot").await);
	// The way to a file of somebody else is gone without following a link.
	let home = fs::canonicalize(fleet.workspace.path()).expect("it is there").join("home");
	fs::create_dir(&home).expect("creates the home");
	let (identity, login) = (home.join("id_dpki"), login_name());
	let place = format!("\n[apply.user-keys]\n{login} = \"{}\"\n", text(&identity));
	pilot.reconfigure(|config| config + &place);
	server.start();
	pilot.start();

	// Whom the certificate may stand for is said by whoever answers, and by which CA it is, too.
	let ask = ["ssh-user", "--user", &login, "--principal", "crew", "--no-wait"];
	let filed = asked(&pilot, &ask).await;
	assert!(filed.status.success(), "{}", stderr(&filed));
	assert!(!identity.exists(), "it is of no use yet");
	let what = format!("ssh-user:{login}");
	assert_eq!(waiting(&fleet, 1).await[0]["request"], what);
	let shown = fleet.admin.ok(["request", "show", "acme/pilot", &what]);
	assert_eq!(shown["principals"][0], "crew");
	let (ca, review) = (text(&user_ca), text(&fleet.workspace.join("pilot.review")));
	let answer = ["request", "answer", "acme/pilot", &what, "--review", &review, "--yes", "--ca"];
	let by = |ca: &str, more: &[&str]| -> Vec<String> {
		[&answer[..], &[ca], more].concat().into_iter().map(String::from).collect()
	};
	for allowed in [&[][..], &["--principal", "pilots"]] {
		let sentence = fleet.admin.refused(by(&ca, allowed));
		assert!(sentence.contains("asks to log in as crew, which is not allowed"), "{sentence}");
	}
	let sentence = fleet.admin.refused(by(&text(&host_ca), &["--principal", "crew"]));
	assert!(sentence.contains("is registered as an ssh-host-ca"), "{sentence}");
	let good = ["--principal", "crew,pilots", "--valid", "1h", "--wait=110s"];
	let answered = fleet.admin.ok(by(&ca, &good));
	assert_eq!((&answered["outcome"], &answered["names"][0]), (&"applied".into(), &"crew".into()));
	assert_eq!(answered["names"].as_array().map(Vec::len), Some(1), "it gets what it asked for");

	// What lies with the user is for the key that the device has made, and opens the login of the server.
	let certificate = home.join("id_dpki-cert.pub");
	let listed = succeeds("ssh-keygen", &["-L", "-f", &text(&certificate)]);
	assert!(listed.contains("user certificate") && listed.contains("crew"), "{listed}");
	let deliver = ["deliver", "--org", "acme", "--device", "server", "--wait"];
	let principals = format!("{login}=crew");
	let opened = ["--user-ca", &text(&public(&user_ca)), "--principals", &principals];
	fleet.admin.ok([&deliver[..], &opened].concat());
	let sshd = Sshd::start(&fleet.workspace, &server.ssh().join("current/sshd.conf"));
	let known = fleet.workspace.join("known_hosts");
	let host = fs::read_to_string(public(&server.join("state/host_key"))).expect("it has one");
	fs::write(&known, format!("device.test {host}")).expect("writes known_hosts");
	let entered = sshd.login(&identity, &known, "echo inside");
	assert!(entered.granted && entered.printed == "inside", "{entered:?}\n{}", sshd.log());

	// What a newer delivery does not name goes from the user; what was made stays with the device.
	let empty = ["deliver", "--org", "acme", "--device", "pilot", "--empty", "--yes", "--wait"];
	fleet.admin.ok(empty);
	assert_eq!(fs::read_dir(&home).expect("it is there").count(), 0);
	assert!(pilot.join("state/made-user-keys").join(&login).join("0.key").exists());
}
