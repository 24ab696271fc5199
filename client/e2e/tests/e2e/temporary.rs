//! Access that ends by itself: on a chain that is heard and on one that is not, with a clock that was set back.
//!
//! What is scaled: the access whose end is waited for lasts 35 seconds and not five minutes, since nobody looks at a clock
//! for so long in a test; it ends by a moment that is compared with the time, and by no length. Of one for five minutes it is
//! looked here that the chain, the certificate and sshd are told the same end. That the agent opens a login until the end of
//! exactly five minutes and closes it then, also with the chain silent and the clock set back, is tested with a clock that
//! is moved, in `client/agent/tests/agent/temporary.rs`.

use dpki_e2e::{Device, Fleet, PATIENCE, Sshd, block, certificate, login_name, public, tell_name};
use serde_json::{Value, json};
use ssh_key::Certificate;
use std::{
	fs,
	path::{Path, PathBuf},
	time::{Duration, Instant},
};

/// What sshd says of a certificate whose principal is not there any more, before it looks at the end of the certificate.
const NO_PRINCIPAL: &str = "does not contain an authorized principal";

/// Everything that the three accesses of this test have in common.
struct Scene {
	fleet: Fleet,
	device: Device,
	user_ca: PathBuf,
	known_hosts: PathBuf,
	review: PathBuf,
}

impl Scene {
	/// Grants access for this long to whoever has the key, and gives the answer.
	fn grant(&self, span: &str, whom: &[&str]) -> Value {
		let (login, ca) = (login_name(), self.user_ca.display().to_string());
		let review = self.review.display().to_string();
		let how = ["access", "grant", "acme/drone-7", "--for", span, "--login", &login];
		let with = ["--ca", &ca, "--review", &review, "--wait=110s"];
		self.fleet.admin.ok([&how[..], &with, whom].concat())
	}

	fn may_log_in(&self, sshd: &Sshd, key: &Path) -> bool {
		sshd.login(key, &self.known_hosts, &tell_name(&self.device)).granted
	}

	/// What sshd reads about the login.
	fn principals(&self) -> String {
		let path = self.device.ssh().join("current/principals").join(login_name());
		fs::read_to_string(path).unwrap_or_default()
	}

	/// Waits until the login is open to this principal, or not.
	async fn until(&self, principal: &str, open: bool) {
		let began = Instant::now();
		while self.principals().contains(principal) != open {
			assert!(began.elapsed() < PATIENCE, "{}\n{}", self.principals(), self.device.log());
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	}

	/// That a grant of five minutes ends then on the chain, in its certificate and in what sshd reads.
	async fn assert_one_end(&self, grant: &Value, certificate: &Path) {
		let id = grant["grant"].as_str().expect("an id").parse().expect("hexadecimal");
		let view = self.fleet.node.client().await.at_finalized().await.expect("the node answers");
		let (record, _) =
			view.stored_certificate(id).await.expect("is read").expect("it is on the chain");
		let until = record.validity.not_after.expect("it ends");
		// It counts from the block at which it was asked for, which came before the one that it lies in.
		let five_minutes = record.validity.not_before..=record.validity.not_before + 300_000;
		assert!(five_minutes.contains(&until), "{record:?}");
		let listed = self.status(grant)["until"].clone();
		assert_eq!(listed, grant["until"]);
		let line = fs::read_to_string(certificate).expect("it was written");
		let certificate = Certificate::from_openssh(line.trim()).expect("a certificate");
		assert_eq!(certificate.valid_before(), until / 1000);
		let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
		let seconds = digits(listed.as_str().expect("a time"))[..14].to_owned();
		let (line, principal) =
			(self.principals(), grant["principal"].as_str().expect("it has one"));
		assert_eq!(line.trim(), format!("expiry-time=\"{seconds}Z\" {principal}"));
	}

	/// What `dpki access list` says of a grant.
	fn status(&self, grant: &Value) -> Value {
		let listed = self.fleet.admin.ok(["access", "list", "acme/drone-7"]);
		let grants = listed["grants"].as_array().expect("a list").clone();
		let found = grants.into_iter().find(|it| it["grant"] == grant["grant"]);
		found.expect("the grant is in the list")
	}
}

/// The last line of a log with these words.
fn says(sshd: &Sshd, words: &str) -> bool {
	let log = sshd.log();
	log.lines()
		.rev()
		.find(|line| line.contains("ertificate"))
		.is_some_and(|line| line.contains(words))
}

#[tokio::test]
async fn access_ends_by_itself_wherever_the_news_and_the_time_come_from() {
	let fleet = Fleet::start("temporary");
	let (user_ca, host_ca) = (fleet.add_ssh_ca("ssh-user-ca"), fleet.add_ssh_ca("ssh-host-ca"));
	let known_hosts = fleet.known_hosts(&host_ca);
	let mut device = fleet.enrol("drone-7").await;
	device.start();
	let review = fleet.workspace.join("drone-7.review");
	fleet.admin.ok([
		"deliver",
		"--org",
		"acme",
		"--device",
		"drone-7",
		"--host-ca-key",
		&host_ca.display().to_string(),
		"--host-name",
		"device.test",
		"--review",
		&review.display().to_string(),
		"--yes",
		"--wait",
	]);
	let sshd = Sshd::start(&fleet.workspace, &device.ssh().join("current/sshd.conf"));
	let mut scene = Scene { fleet, device, user_ca, known_hosts, review };
	let path = |key: &Path| key.display().to_string();

	// Taken back before its time, without a delivery.
	let bob = scene.fleet.user_key("bob");
	let grant = scene.grant("5m", &["--key", &path(&bob)]);
	assert_eq!(grant["outcome"], "applied");
	assert!(scene.may_log_in(&sshd, &bob), "{}\n{}", sshd.log(), scene.device.log());
	scene.assert_one_end(&grant, &certificate(&bob)).await;
	assert_eq!(scene.status(&grant)["status"], "valid");
	let id = grant["grant"].as_str().expect("an id").to_owned();
	let revoked = scene.fleet.admin.ok(["access", "revoke", &id, "--yes"]);
	scene.device.reach(block(&revoked)).await;
	assert!(!scene.may_log_in(&sshd, &bob));
	assert!(says(&sshd, NO_PRINCIPAL), "sshd named another reason:\n{}", sshd.log());
	assert_eq!(scene.status(&grant)["status"], "revoked");

	// Asked for where the key lies; it ends with the chain stopped, the agent started anew, and its clock a day behind.
	let carol = scene.fleet.user_key("carol");
	let request = scene.fleet.workspace.join("carol.request");
	let asked = ["access", "request", "acme/drone-7", "--key", &path(&carol), "--from", "//Alice"];
	let out = ["--for", "35s", "--out", &path(&request)];
	scene.fleet.admin.acting_for("//Bob").ok([&asked[..], &out].concat());
	let certificate = format!("{}-cert.pub", carol.display());
	let mut grant = scene.grant("35s", &["--request", &path(&request), "--out", &certificate]);
	assert!(scene.may_log_in(&sshd, &carol), "{}\n{}", sshd.log(), scene.device.log());
	let principal = grant["principal"].as_str().expect("a principal").to_owned();
	assert!(scene.principals().contains(&format!("Z\" {principal}\n")), "{}", scene.principals());
	scene.fleet.node.stop();
	scene.device.stop();
	scene.device.start_at("-1d");
	scene.until(&principal, false).await;
	assert!(!scene.may_log_in(&sshd, &carol));
	assert!(says(&sshd, NO_PRINCIPAL), "sshd named another reason:\n{}", sshd.log());
	scene.device.stop();

	// After a start of the system, of which the file of the agent knows nothing, the chain has to be heard first.
	scene.fleet.node.resume();
	scene.device.start();
	let dave = scene.fleet.user_key("dave");
	let ended = std::mem::replace(&mut grant, scene.grant("10m", &["--key", &path(&dave)]));
	assert_eq!(scene.status(&ended)["status"], "expired", "the chain says so as well");
	assert_eq!(scene.status(&json!({ "grant": grant["grant"] }))["status"], "valid");
	assert!(scene.may_log_in(&sshd, &dave), "{}\n{}", sshd.log(), scene.device.log());
	let principal = grant["principal"].as_str().expect("a principal").to_owned();
	scene.fleet.node.stop();
	scene.device.stop();
	let file = scene.device.join("state/chain-time-since-start");
	let reading = fs::read_to_string(&file).expect("the agent writes it");
	let (_, rest) = reading.split_once(' ').expect("it begins with the start");
	fs::write(&file, format!("another-start {rest}")).expect("writes it");
	assert!(scene.may_log_in(&sshd, &dave), "by the clock it would be good\n{}", sshd.log());
	// Before the agent starts, and though it could not: it finds neither the chain nor its own key.
	let (key, away) = (scene.device.join("state/signing.key"), scene.device.join("state/away"));
	fs::rename(&key, &away).expect("takes the key away");
	let told = scene.device.lapse_at("-1d");
	assert_eq!((&told["running"], &told["certain"]), (&false.into(), &false.into()), "{told}");
	assert!(!scene.may_log_in(&sshd, &dave) && !scene.principals().contains(&principal));
	assert!(says(&sshd, NO_PRINCIPAL), "sshd named another reason:\n{}", sshd.log());
	fs::rename(&away, &key).expect("brings it back");
	scene.device.start_at("-1d");
	scene.until(&principal, false).await;
	assert!(!scene.may_log_in(&sshd, &dave));
	scene.fleet.node.resume();
	scene.until(&principal, true).await;
	assert!(scene.may_log_in(&sshd, &dave), "{}\n{}", sshd.log(), scene.device.log());

	// What is refused: a file that does not open the newest delivery, a CA of hosts.
	let stale = scene.fleet.workspace.join("stale.review");
	fs::copy(&scene.review, &stale).expect("copies the file");
	let erin = scene.fleet.user_key("erin");
	let login = login_name();
	let (ca, review) = (path(&scene.user_ca), path(&scene.review));
	let granted = ["access", "grant", "acme/drone-7", "--login", &login, "--ca", &ca];
	let with = ["--review", &review, "--key", &path(&erin)];
	scene.fleet.admin.ok([&granted[..], &with].concat());
	let refused = |ca: &Path, review: &Path| {
		let how = ["access", "grant", "acme/drone-7", "--login", &login, "--ca", &path(ca)];
		let with = ["--review", &path(review), "--key", &path(&erin)];
		scene.fleet.admin.refused([&how[..], &with].concat())
	};
	let sentence = refused(&scene.user_ca, &stale);
	assert!(sentence.contains("does not open delivery"), "{sentence}");
	let sentence = refused(&host_ca, &scene.review);
	assert!(sentence.contains("is registered as an ssh-host-ca"), "{sentence}");
	let sentence = refused(&public(&scene.user_ca), &scene.review);
	assert!(sentence.contains("takes a private key"), "{sentence}");
	let applied = ["certificate", "apply", "pseudonym", "--key", &path(&erin)];
	let other = scene.fleet.admin.ok(applied);
	let other = other["certificate"].as_str().expect("an id").to_owned();
	let sentence = scene.fleet.admin.refused(["access", "revoke", &other, "--yes"]);
	assert!(sentence.contains("grants no access"), "{sentence}");
	let nowhere = format!("0x{}", "77".repeat(32));
	let sentence = scene.fleet.admin.refused(["access", "revoke", &nowhere, "--yes"]);
	assert!(sentence.contains("knows no grant"), "{sentence}");
}
