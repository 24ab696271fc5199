//! The whole path: an SSH login that the chain grants and takes away.

use dpki_e2e::{Fleet, Sshd, block, certificate, login_name, tell_name};
use std::{
	path::Path,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Waits until the certificate has ended by the clock of this machine.
async fn expiry(certificate: &Path) {
	let text = std::fs::read_to_string(certificate).expect("the certificate is there");
	let end = ssh_key::Certificate::from_openssh(&text).expect("it parses").valid_before();
	let left = (UNIX_EPOCH + Duration::from_secs(end + 1))
		.duration_since(SystemTime::now())
		.unwrap_or_default();
	tokio::time::sleep(left).await;
}

/// Whether this list revokes the public key in this file, as OpenSSH says it.
fn is_listed(list: &str, key: &Path) -> bool {
	let key = key.display().to_string();
	let asked = dpki_e2e::run(Path::new("/usr/bin/ssh-keygen"), ["-Q", "-f", list, &key]);
	let said = String::from_utf8_lossy(&asked.stdout).into_owned();
	assert!(matches!(asked.status.code(), Some(0 | 1)), "{asked:?}");
	said.contains("REVOKED")
}

#[tokio::test]
async fn a_login_is_granted_by_the_chain_and_taken_away() {
	let mut fleet = Fleet::start("access");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let host_ca = fleet.add_ssh_ca("ssh-host-ca");
	let known_hosts = fleet.known_hosts(&host_ca);
	let mut device = fleet.enrol("drone-7").await;
	let mut sshd = Sshd::start(&fleet.workspace, &device.ssh().join("current/sshd.conf"));
	device.start();

	let alice = fleet.user_key("alice");
	fleet.grant(&user_ca, &alice, "5m");
	let early = sshd.login(&alice, &known_hosts, "true");
	assert!(!early.granted, "a login before any delivery: {early:?}");

	let delivered = fleet.deliver_access(&device, &user_ca, &host_ca);
	assert_eq!(delivered["outcome"], "applied");
	assert_eq!(delivered["sequence"], 1);
	sshd.restart();
	let login = sshd.login(&alice, &known_hosts, &tell_name(&device));
	assert!(login.granted, "{login:?}\n{}\n{}", sshd.log(), device.log());
	assert_eq!(login.printed, "drone-7");

	let revoked = fleet.admin.ok([
		"revoke",
		"ssh-cert",
		"--cert",
		&certificate(&alice).display().to_string(),
		"--reason",
		"keyCompromise",
		"--yes",
	]);
	device.reach(block(&revoked)).await;
	let refused = sshd.login(&alice, &known_hosts, "true");
	assert!(!refused.granted, "a revoked certificate: {refused:?}");
	assert!(sshd.log().contains("revoked"), "sshd named another reason:\n{}", sshd.log());

	// A grant ends by itself, with nobody there to end it.
	let bob = fleet.user_key("bob");
	fleet.grant(&user_ca, &bob, "20s");
	let login = sshd.login(&bob, &known_hosts, &tell_name(&device));
	assert!(login.granted, "{login:?}\n{}", sshd.log());
	fleet.node.stop();
	expiry(&certificate(&bob)).await;
	let expired = sshd.login(&bob, &known_hosts, "true");
	assert!(!expired.granted, "an expired certificate: {expired:?}");
	assert!(sshd.log().contains("expired"), "sshd named another reason:\n{}", sshd.log());

	// The chain comes back, and the agent with it.
	fleet.node.resume();
	let carol = fleet.user_key("carol");
	fleet.grant(&user_ca, &carol, "5m");
	let login = sshd.login(&carol, &known_hosts, "true");
	assert!(login.granted, "{login:?}\n{}", sshd.log());

	// No grant fails for a host certificate that was good when it was delivered: the next delivery goes without it.
	let shown = device.ssh().join("current/host_certificate.pub");
	let text = |path: &Path| path.display().to_string();
	let review = text(&fleet.workspace.join("drone-7.review"));
	let user_cas = ["--user-ca", &text(&dpki_e2e::public(&user_ca))];
	let host = ["--host-ca-key", &text(&host_ca), "--host-name", "device.test"];
	let principals = format!("{}=ops", login_name());
	let whom = ["deliver", "--org", "acme", "--device", "drone-7", "--review", &review, "--wait"];
	let again = [&whom[..], &user_cas, &host, &["--principals", &principals]].concat();
	assert_eq!(fleet.admin.ok(again)["outcome"], "applied");
	fleet.admin.ok(["revoke", "ssh-cert", "--cert", &text(&shown), "--yes"]);
	let dave = fleet.user_key("dave");
	let whom = ["--login", &login_name(), "--key", &text(&dave), "--ca", &text(&user_ca)];
	let how = ["access", "grant", "acme/drone-7", "--review", &review, "--wait=110s"];
	assert_eq!(fleet.admin.ok([&how[..], &whom].concat())["outcome"], "applied");
	assert!(!shown.exists(), "it is of no use to anybody");
	// From now on the host is known by its key alone.
	let host = std::fs::read_to_string(dpki_e2e::public(&device.join("state/host_key")));
	std::fs::write(&known_hosts, format!("device.test {}", host.expect("it has one")))
		.expect("writes known_hosts");
	let login = sshd.login(&dave, &known_hosts, "true");
	assert!(login.granted, "{login:?}\n{}", sshd.log());
	let revoked = fleet.admin.ok([
		"revoke",
		"anchor",
		&dpki_e2e::public(&user_ca).display().to_string(),
		"--reason",
		"cACompromise",
		"--yes",
	]);
	device.reach(block(&revoked)).await;
	let before = sshd.log().len();
	let refused = sshd.login(&carol, &known_hosts, "true");
	assert!(!refused.granted, "a certificate of a revoked CA: {refused:?}");
	// Her certificate is on no list: what is on it is the key of the CA that signed it.
	let said = sshd.log().split_off(before);
	let list = device.ssh().join("current/revoked_keys").display().to_string();
	let reason = format!("revoked by file {list}");
	assert!(said.contains(&reason), "sshd named another reason:\n{said}");
	let ca = dpki_e2e::public(&user_ca);
	assert!(is_listed(&list, &ca), "the key of the CA is revoked");
	let carols = dpki_e2e::public(&carol);
	assert!(!is_listed(&list, &carols), "her key is not");
}
