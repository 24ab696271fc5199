//! A device that is kept from the news: what it believes, and until when.

use dpki_e2e::{Device, Fleet, Node, Sshd, block, certificate, tell_name};

/// How the device is told to see it: it may be as old as it likes, or not at all.
const FOR_EVER: &str = "max-age = 1000000000";
const NOT_AT_ALL: &str = "max-age = 1\ngrace = 0";

/// Replaces what the configuration says about logins.
fn freshness(device: &Device, rule: &str) {
	device.reconfigure(|text| {
		let rest = text.split("[freshness").next().unwrap_or_default().to_owned();
		format!("{rest}[freshness.ssh-login]\n{rule}\n")
	});
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_once_the_last_news_are_too_old() {
	let mut fleet = Fleet::start("eclipse");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let host_ca = fleet.add_ssh_ca("ssh-host-ca");
	let known_hosts = fleet.known_hosts(&host_ca);

	// A device that knows one node only, which authors nothing.
	let relay = Node::follow(&fleet.workspace, "relay", &fleet.node).await;
	let voucher = fleet.voucher("drone-7", "10m", "drone-7.voucher");
	let mut device = Device::init(&fleet.workspace, &relay, "acme", "drone-7").await;
	device.enrol(&voucher);
	freshness(&device, FOR_EVER);
	device.start();
	fleet.deliver_access(&device, &user_ca, &host_ca);
	let sshd = Sshd::start(&fleet.workspace, &device.ssh().join("current/sshd.conf"));
	let alice = fleet.user_key("alice");
	fleet.grant(&user_ca, &alice, "30m");
	let login = |word| {
		let login = sshd.login(&alice, &known_hosts, &tell_name(&device));
		assert!(login.granted, "{word}: {login:?}\n{}\n{}", sshd.log(), device.log());
	};
	login("before");

	// The relay is cut off and goes on serving the last block that it has. Then the key is revoked.
	fleet.node.move_away();
	let cert = certificate(&alice).display().to_string();
	let revoke = ["revoke", "ssh-cert", "--cert", &cert, "--reason", "keyCompromise", "--yes"];
	let revoked = block(&fleet.admin.ok(revoke));
	let relayed = relay.client().await.finalized_head().await.expect("it answers").number;
	// What was on its way already may still arrive.
	assert!(u64::from(relayed) < revoked, "the relay hears of nothing");

	// Within the age that is allowed the device cannot know. This is the price of working offline.
	device.reach(u64::from(relayed)).await;
	login("within the age");

	// Whoever allows less is not deceived, also right after a restart and with the relay still there.
	device.stop();
	freshness(&device, NOT_AT_ALL);
	device.start();
	device.tells("closed", |status| status["ssh"]["closed"] == true).await;
	let refused = sshd.login(&alice, &known_hosts, "true");
	assert!(!refused.granted, "a revoked key behind a relay: {refused:?}");
	let status = device.status();
	assert_eq!(status["working"], false, "{status}");
	assert!(status["warnings"].to_string().contains("freshness.ssh-login"), "{status}");
	let sentence = device.refused_run_within(5);
	assert!(sentence.contains("another agent"), "{sentence}");
	device.stop();
	let sentence = device.refused_run_within(5);
	assert!(sentence.contains("freshness.ssh-login"), "{sentence}");
	let refused = sshd.login(&alice, &known_hosts, "true");
	assert!(!refused.granted, "without an agent: {refused:?}");

	// Heard again, all is as the chain says: others log in, the revoked key does not.
	let (old, new) = (relay.peer_address().await, fleet.node.peer_address().await);
	device.reconfigure(|text| text.replace(&old, &new));
	freshness(&device, "max-age = 600");
	device.start();
	device.reach(revoked).await;
	device.tells("open", |status| status["ssh"]["closed"] == false).await;
	let bob = fleet.user_key("bob");
	fleet.grant(&user_ca, &bob, "30m");
	let login = sshd.login(&bob, &known_hosts, &tell_name(&device));
	assert!(login.granted, "{login:?}\n{}\n{}", sshd.log(), device.log());
	let refused = sshd.login(&alice, &known_hosts, "true");
	assert!(!refused.granted, "a revoked key: {refused:?}");
	assert!(sshd.log().contains("revoked"), "sshd named another reason:\n{}", sshd.log());
}
