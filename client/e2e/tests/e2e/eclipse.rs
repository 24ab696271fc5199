//! A device that is kept from the news: what it believes, and until when.

use crate::appliers::{
	Certified, deliver, made_here, publish, self_signed,
	servers::{Echo, Peer, script, until},
	trusted,
};
use dpki_client::{
	Client, Item, Judgement, Policy,
	primitives::{ids::AnchorId, status::Status},
};
use dpki_e2e::{Device, Fleet, Node, Sshd, anchors, block, certificate, login_name, public};
use dpki_light::LightClient;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use std::{
	fs,
	path::Path,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How old the chain may be for logins and for TLS, without any grace, in seconds. What is revoked behind the device's back
/// is revoked within it on a machine that is not too slow.
const MAX_AGE: u64 = 15;

fn now() -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
	now.as_millis().try_into().expect("a time")
}

/// A client of the chain that runs on a light client, which knows this node and nobody else.
async fn light(node: &Node) -> (LightClient, Client) {
	let genesis = node.client().await.genesis_hash();
	let spec = fs::read_to_string(&node.spec).expect("the node has a specification");
	let peers = [node.peer_address().await];
	let light = LightClient::start(&spec, &peers, genesis).await.expect("it starts");
	let client = Client::from_rpc(light.rpc()).await.expect("it answers");
	(light, client)
}

/// A TLS peer of a service of the device, and whom it asks.
struct Friend {
	own: Certified,
	service: Vec<u8>,
	port: u16,
}

impl Friend {
	/// Whether the service answers it.
	async fn is_taken(&self) -> bool {
		let key = PrivatePkcs8KeyDer::from(self.own.key.serialize_der());
		let peer = Peer {
			identity: Some((CertificateDer::from(self.own.der.clone()), key.into())),
			believed: vec![CertificateDer::from(self.service.clone())],
		};
		match peer.greet(self.port, "mesh.test").await {
			Ok((mut connection, served)) => {
				assert_eq!(served, self.service, "it proves itself as before");
				connection.echo(b"hello").await.is_ok()
			},
			Err(_) => false,
		}
	}
}

/// What sshd and a TLS service of a device are told to believe.
fn bundle(user_ca: AnchorId, service: &[u8], peers: &[&[u8]]) -> Vec<Item> {
	let principals = Item::SshPrincipals { login: login_name(), principals: vec!["ops".into()] };
	let ca = Item::SshUserCa { anchor: user_ca };
	vec![ca, principals, made_here("mesh", service), trusted("mesh", peers)]
}

/// A device that may be without news for so long, with a TLS service that is told by the script `tell`.
fn configure(device: &Device, mesh: &Path, tell: &str) {
	let rule = format!("max-age = {MAX_AGE}\ngrace = 0\n");
	device.reconfigure(|text| {
		let rest = text.split("[freshness").next().unwrap_or_default();
		format!(
			"{rest}[freshness.ssh-login]\n{rule}[freshness.tls]\n{rule}\n\
			 [apply.tls.mesh]\ndirectory = \"{}\"\nreload = [\"{tell}\"]\n",
			mesh.display()
		)
	});
}

fn are_closed(status: &Value) -> bool {
	status["ssh"]["closed"] == true && status["peers_closed"] == true
}

fn are_open(status: &Value) -> bool {
	status["ssh"]["closed"] == false && status["peers_closed"] == false
}

#[tokio::test]
async fn what_was_revoked_opens_nothing_once_the_last_news_are_too_old() {
	let mut fleet = Fleet::start("eclipse");
	let user_ca = fleet.add_ssh_ca("ssh-user-ca");
	let anchor = anchors(&fleet.admin)[0];

	// A device that knows one node only, which authors nothing.
	let relay = Node::follow(&fleet.workspace, "relay", &fleet.node).await;
	let voucher = fleet.voucher("drone-7", "10m", "drone-7.voucher");
	let mut device = Device::init(&fleet.workspace, &relay, "acme", "drone-7").await;
	device.enrol(&voucher);
	let mesh = fleet.workspace.join("mesh");
	let (echo, listeners) = Echo::reserve().await;
	let tell = format!("exec bash -c ': >/dev/tcp/127.0.0.1/{}'", echo.told);
	configure(&device, &mesh, &script(&fleet.workspace, "tell", &tell));
	let service = self_signed(&device, "mesh", "mesh.test");
	let friend = Friend { own: Certified::new("friend.test"), service, port: echo.port };
	device.start();
	let client = fleet.node.client().await;
	let (_light, behind) = light(&relay).await;
	deliver(&client, &[&device], 1, bundle(anchor, &friend.service, &[&friend.own.der])).await;
	let sshd = Sshd::start(&fleet.workspace, &device.ssh().join("current/sshd.conf"));
	let host = fs::read_to_string(public(&device.join("state/host_key"))).expect("it is there");
	let known_hosts = fleet.workspace.join("known_hosts");
	fs::write(&known_hosts, format!("device.test {host}")).expect("writes known_hosts");
	let alice = fleet.user_key("alice");
	fleet.grant(&user_ca, &alice, "30m");
	Echo::serve(listeners, mesh);

	device.tells("open", are_open).await;
	let login = sshd.login(&alice, &known_hosts, "true");
	assert!(login.granted, "before: {login:?}\n{}\n{}", sshd.log(), device.log());
	assert!(friend.is_taken().await, "before");
	let agent = device.status()["pid"].clone();
	let policy = Policy::closed_after(Duration::from_secs(MAX_AGE));
	until("heard young news", || async {
		let found = behind.at_finalized().await.expect("it is proven");
		(found.judge(&policy, now()) == Judgement::Fresh).then_some(())
	})
	.await;

	// The relay is cut off and goes on serving the last block that it has. Then the key and the peer are taken away.
	fleet.node.move_away();
	let cert = certificate(&alice).display().to_string();
	let revoke = ["revoke", "ssh-cert", "--cert", &cert, "--reason", "keyCompromise", "--yes"];
	let revoked = block(&fleet.admin.ok(revoke));
	let stranger = Certified::new("stranger.test");
	let client = fleet.node.client().await;
	let without = bundle(anchor, &friend.service, &[&stranger.der]);
	let published = publish(&client, &[&device], 2, without).await;
	let relayed = relay.client().await.finalized_head().await.expect("it answers");
	assert!(u64::from(relayed.number) < revoked, "the relay hears of nothing");

	// Within the age that is allowed the device cannot know. This is the price of working offline.
	let login = sshd.login(&alice, &known_hosts, "true");
	if are_open(&device.status()) && now() < relayed.time + (MAX_AGE - 3) * 1000 {
		assert!(login.granted, "within the age: {login:?}\n{}\n{}", sshd.log(), device.log());
	}

	// The agent that has run all the time, with the relay still there, closes what may be revoked by now.
	// On a slow machine it may be closed before, by older news than the last that the relay has, and open again with these;
	// that it closes no sooner than its age says is shown by clocks that stand still (`lapses` of the agent).
	let is_late = |status: &Value| {
		status["head"]["time"]
			.as_u64()
			.is_some_and(|head| now() > head + MAX_AGE * 1000)
	};
	device.tells("closed", |status| are_closed(status) && is_late(status)).await;
	let refused = sshd.login(&alice, &known_hosts, "true");
	assert!(!refused.granted, "a revoked key behind a relay: {refused:?}");
	until("refused the revoked peer", || async { (!friend.is_taken().await).then_some(()) }).await;
	let status = device.status();
	assert!(status["pid"].is_u64() && status["pid"] == agent, "{status}");
	assert_eq!((&status["running"], &status["working"]), (&true.into(), &false.into()));
	for policy in ["freshness.ssh-login", "freshness.tls"] {
		assert!(status["warnings"].to_string().contains(policy), "{status}");
	}
	let still = relay.client().await.finalized_head().await.expect("it answers");
	assert_eq!(still.hash, relayed.hash, "the relay serves an old but valid head");

	// Whoever uses the SDK behind the same relay gets proofs, of which the policy says what they are worth.
	let judged = until("refused the old head", || async {
		let found = behind.at_finalized().await.expect("it is proven");
		assert!(found.head().number <= relayed.number);
		assert_eq!(found.device_status(device.id()).await.expect("it is read"), Status::Valid);
		let revocations = found.ssh_revocations(anchor).await.expect("they are read");
		assert!(revocations.is_empty(), "it shows what was before the revocation");
		let judged = found.judge(&policy, now());
		(!judged.may_go_on()).then_some(judged)
	})
	.await;
	assert!(matches!(judged, Judgement::Refused { allowed, .. } if allowed == MAX_AGE * 1000));

	// Without an agent it stays so.
	device.stop();
	let sentence = device.refused_run_within(5);
	assert!(sentence.contains("freshness.ssh-login"), "{sentence}");
	assert!(!sshd.login(&alice, &known_hosts, "true").granted);

	// Heard again, all is as the chain says: others are let in, and who was revoked is not.
	let (old, new) = (relay.peer_address().await, fleet.node.peer_address().await);
	device.reconfigure(|text| text.replace(&old, &new));
	device.start();
	device.reach(revoked.max(published)).await;
	device.tells("open", |status| are_open(status) && status["sequence"] == 2).await;
	let bob = fleet.user_key("bob");
	fleet.grant(&user_ca, &bob, "30m");
	let login = sshd.login(&bob, &known_hosts, "true");
	assert!(login.granted, "{login:?}\n{}\n{}", sshd.log(), device.log());
	let before = sshd.log().len();
	let refused = sshd.login(&alice, &known_hosts, "true");
	assert!(!refused.granted, "a revoked key: {refused:?}");
	let said = sshd.log().split_off(before);
	assert!(said.contains("revoked"), "sshd named another reason:\n{said}");
	let stranger = Friend { own: stranger, ..friend };
	until("took the new peer", || async { stranger.is_taken().await.then_some(()) }).await;
}
