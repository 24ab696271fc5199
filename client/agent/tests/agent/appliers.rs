//! What is put in force besides SSH certificates: what is taken, what is refused, and what is given back.

use crate::world::*;
use dpki_agent::{
	appliers::settings::{AuthorizedKeysSettings, HookSettings, PskSettings, TlsSettings},
	config::Config,
	request::{Form, plain},
};
use dpki_client::{
	Item,
	bundle::{AuthorizedKey, Secret},
	primitives::{
		Moment,
		anchor::AnchorKind,
		channel::ChannelId,
		delivery::{Outcome, RefusalReason},
	},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

const DAY: i64 = 86_400;

/// A certificate with its private key.
pub struct Certified {
	pub der: Vec<u8>,
	pub key: KeyPair,
	params: CertificateParams,
}

impl Certified {
	pub fn new(name: &str) -> Self {
		Self::with(name, |_| ())
	}

	/// An authority of this name.
	pub fn authority(name: &str) -> Self {
		Self::with(name, |params| {
			params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
			params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
		})
	}

	pub fn with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
		let (key, params) = (KeyPair::generate().unwrap(), params(name, change));
		Self { der: params.self_signed(&key).unwrap().der().to_vec(), key, params }
	}

	/// Issued by this authority.
	fn issued_by(name: &str, authority: &Self) -> Self {
		let (key, params) = (KeyPair::generate().unwrap(), params(name, |_| ()));
		let issuer = Issuer::from_params(&authority.params, &authority.key);
		Self { der: params.signed_by(&key, &issuer).unwrap().der().to_vec(), key, params }
	}

	/// A list of this authority on which this serial number is.
	pub fn list(&self, days: i64) -> Vec<u8> {
		let issuer = Issuer::from_params(&self.params, &self.key);
		let list = rcgen::CertificateRevocationListParams {
			this_update: at(-2),
			next_update: at(days),
			crl_number: 1u64.into(),
			issuing_distribution_point: None,
			revoked_certs: vec![],
			key_identifier_method: rcgen::KeyIdMethod::Sha256,
		};
		list.signed_by(&issuer).unwrap().der().to_vec()
	}

	pub fn secret(&self) -> Secret {
		Secret::from(self.key.serialized_der())
	}

	pub fn identity(&self, service: &str) -> Item {
		let key = Some(self.secret());
		Item::TlsIdentity { name: service.into(), chain: vec![self.der.clone()], key }
	}

	pub fn trusted(&self, service: &str) -> Item {
		Item::TrustBundle { name: service.into(), certificates: vec![self.der.clone()] }
	}
}

fn params(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
	let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
	params.distinguished_name.push(rcgen::DnType::CommonName, name);
	(params.not_before, params.not_after) = (at(-1), at(30));
	params.use_authority_key_identifier_extension = true;
	change(&mut params);
	params
}

/// So many days after the time of the chain.
fn at(days: i64) -> time::OffsetDateTime {
	let now = i64::try_from(NOW / 1000).unwrap();
	time::OffsetDateTime::from_unix_timestamp(now + days * DAY).unwrap()
}

pub fn psk(identity: &str, byte: u8) -> Item {
	Item::Psk { identity: identity.into(), key: Secret::from(&[byte; 32][..]) }
}

pub fn opaque(text: &str) -> Item {
	Item::Opaque { name: "maps".into(), data: Secret::from(text.as_bytes()) }
}

pub fn authorized(login: &str, keys: &[(&str, Option<Moment>)]) -> Item {
	let key = |(key, until): &(&str, Option<Moment>)| AuthorizedKey {
		key: key.to_string(),
		until: *until,
	};
	Item::SshAuthorizedKeys { login: login.into(), keys: keys.iter().map(key).collect() }
}

impl World {
	pub fn place(&self, name: &str) -> PathBuf {
		self.dir.path().join(name)
	}

	pub fn text(&self, name: &str) -> String {
		fs::read(self.place(name))
			.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
			.unwrap_or_default()
	}

	/// A command that adds a line to the file `log`, and fails as long as there is a file `fail`.
	fn command(&self, log: &str) -> Vec<String> {
		let script = self.place(&format!("{log}.sh"));
		let (log, fail) = (self.place(log), self.place("fail"));
		write_script(
			&script,
			&format!(
				"#!/bin/sh\necho told >> {}\nif [ -e {} ]; then echo 'not today' >&2; exit 1; fi\n",
				log.display(),
				fail.display()
			),
		);
		vec![script.display().to_string()]
	}

	pub fn with_tls(mut self, service: &str) -> Self {
		let settings = TlsSettings {
			directory: self.place(service),
			test: vec![],
			reload: self.command(&format!("{service}.told")),
			timeout: 20,
			group: None,
			renew: false,
		};
		self.config.apply.tls.insert(service.into(), settings);
		self.restart();
		self
	}

	pub fn with_psk(mut self) -> Self {
		let (directory, reload) = (self.place("psk"), self.command("psk.told"));
		self.config.apply.psk = Some(PskSettings { directory, reload, timeout: 20, group: None });
		self.restart();
		self
	}

	/// A hook that keeps what it reads in the file `maps`, and refuses what has the word `bad` in it.
	pub fn with_hook(mut self) -> Self {
		let (script, maps) = (self.place("take"), self.place("maps"));
		let new = self.place("maps.new");
		let text = format!(
			"#!/bin/sh\ncat > {new} && ! grep -q bad {new} && mv {new} {maps}\n",
			new = new.display(),
			maps = maps.display()
		);
		write_script(&script, &text);
		let command = vec![script.display().to_string()];
		self.config
			.apply
			.hooks
			.insert("maps".into(), HookSettings { command, timeout: 20 });
		self.restart();
		self
	}

	/// A block for root in the file `authorized_keys`, and answers for everybody.
	pub fn with_keys(mut self) -> Self {
		self.config.apply.authorized_keys = Some(AuthorizedKeysSettings {
			directory: self.place("keys"),
			command: true,
			files: [("root".into(), self.place("authorized_keys"))].into(),
		});
		self.restart();
		self
	}

	pub fn told(&self, log: &str) -> usize {
		self.text(log).lines().count()
	}

	pub fn verdict(&self) -> Option<Outcome> {
		let id = self.config.device_id();
		dpki_agent::journal::Journal::open(&self.vault, GENESIS, id)
			.unwrap()
			.entries
			.lane(ChannelId::DEFAULT)
			.verdict
	}

	fn sentence(&mut self) -> String {
		let refusal = self.agent().status().last_refusal.clone();
		refusal.map_or(String::new(), |last| last.sentence)
	}
}

/// Publishes it as the next delivery, which has to be refused for these reasons.
pub async fn refused(
	world: &mut World,
	sequence: u64,
	items: Vec<Item>,
	reason: &str,
	words: &str,
) {
	world.publish(sequence, items);
	world.step().await.unwrap();
	let sentence = world.sentence();
	assert_eq!(world.refusal(), reason, "{words}: {sentence}");
	assert!(sentence.contains(words), "{words}: {sentence}");
}

#[tokio::test]
async fn a_part_without_an_applier_is_refused_unless_it_may_be_left_out() {
	let mut world = World::new().with_psk();
	let web = Certified::new("web.example");
	let all = [web.identity("web"), web.trusted("web"), opaque("x"), authorized("root", &[])];
	for (sequence, item) in (1..).zip(all.clone()) {
		let words = item.name();
		refused(&mut world, sequence, vec![psk("a", 1), item], "bundle invalid", words).await;
	}
	let mut items: Vec<_> = all.into_iter().map(Item::optional).collect();
	items.push(psk("a", 1));
	world.publish(9, items);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied));
	assert_eq!(world.text("psk/current/psk_file"), format!("a:{}\n", "01".repeat(32)));
}

#[tokio::test]
async fn a_service_gets_its_certificates_as_one_generation() {
	let mut world = World::new().with_tls("web");
	let (root, stranger) = (Certified::authority("root"), Certified::new("peer.example"));
	let web = Certified::issued_by("web.example", &root);
	let identity = Item::TlsIdentity {
		name: "web".into(),
		chain: vec![web.der.clone(), root.der.clone()],
		key: Some(web.secret()),
	};
	let certificates = vec![root.der.clone(), stranger.der.clone()];
	let trusted = Item::TrustBundle { name: "web".into(), certificates };
	let lists = Item::RevocationLists { name: "web".into(), lists: vec![root.list(1)] };
	world.publish(1, vec![identity, trusted, lists]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{}", world.sentence());
	let count = |file: &str, label: &str| {
		world
			.text(&format!("web/current/{file}"))
			.matches(&format!("BEGIN {label}-"))
			.count()
	};
	assert_eq!(count("chain.pem", "CERTIFICATE"), 2);
	assert_eq!(count("trust.pem", "CERTIFICATE"), 2);
	assert_eq!(count("crl.pem", "X509 CRL"), 1);
	assert_eq!(count("key.pem", "PRIVATE KEY"), 1);
	let key = fs::metadata(world.place("web/current/key.pem")).unwrap();
	assert_eq!(key.permissions().mode() & 0o777, 0o600);
	assert_eq!(world.told("web.told"), 1);
	// Nothing has changed, so nobody is told.
	world.step().await.unwrap();
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.told("web.told"), 1);
	// What is not delivered any more is taken away.
	world.publish(2, vec![]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{}", world.sentence());
	assert!(!world.place("web/current/key.pem").exists() && world.told("web.told") == 2);
}

#[tokio::test]
async fn a_group_that_is_named_may_read_the_private_key() {
	let mut world = World::new().with_tls("web");
	world.config.apply.tls.get_mut("web").unwrap().group = Some("root".into());
	world.restart();
	world.publish(1, vec![Certified::new("web.example").identity("web")]);
	world.step().await.unwrap();
	let key = fs::metadata(world.place("web/current/key.pem")).unwrap();
	assert_eq!(key.permissions().mode() & 0o777, 0o640);
}

#[tokio::test]
async fn a_certificate_for_a_key_that_was_made_here_finds_it() {
	let mut world = World::new().with_tls("web");
	let asked = |config: &Config, form| plain(config, "web", vec!["web.example".into()], form);
	let mut made = asked(&world.config, Form::SelfSigned { now: NOW, days: 30 }).unwrap();
	// Another one follows it, for which no certificate has come.
	let old = made.key.with_file_name("1.key");
	fs::rename(&made.key, &old).unwrap();
	let request = asked(&world.config, Form::Request).unwrap();
	assert!(request.pem.contains("BEGIN CERTIFICATE REQUEST"));
	assert_ne!(fs::read(&request.key).unwrap(), fs::read(&old).unwrap());
	made.key = old;
	let (_, der) = pkcs8::Document::from_pem(&made.pem).unwrap();
	let identity =
		|der: &[u8]| Item::TlsIdentity { name: "web".into(), chain: vec![der.to_vec()], key: None };
	world.publish(1, vec![identity(der.as_bytes())]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{}", world.sentence());
	assert_eq!(world.text("web/current/key.pem"), fs::read_to_string(&made.key).unwrap());
	// It is in force without the file as well.
	fs::remove_file(&made.key).unwrap();
	world.step().await.unwrap();
	assert!(world.place("web/current/key.pem").exists());
	let other = Certified::new("web.example");
	refused(&mut world, 2, vec![identity(&other.der)], "bundle invalid", "neither here nor").await;
}

#[tokio::test]
async fn certificates_that_are_no_use_are_refused() {
	let mut world = World::new().with_tls("web");
	let good = Certified::new("web.example");
	world.publish(1, vec![good.identity("web")]);
	world.step().await.unwrap();
	let before = world.text("web/current/chain.pem");
	let (root, other) = (Certified::authority("root"), Certified::new("other.example"));
	let web = Certified::issued_by("web.example", &root);
	let expired = Certified::with("web.example", |it| it.not_after = at(-1));
	let early = Certified::with("web.example", |it| it.not_before = at(1));
	let identity = |chain: &[&Certified], key: Secret| Item::TlsIdentity {
		name: "web".into(),
		chain: chain.iter().map(|it| it.der.clone()).collect(),
		key: Some(key),
	};
	let lists = |list: Vec<u8>| Item::RevocationLists { name: "web".into(), lists: vec![list] };
	let trusted = |der: Vec<u8>| Item::TrustBundle { name: "web".into(), certificates: vec![der] };
	let cases = [
		(vec![identity(&[&web], other.secret())], "do not belong together"),
		(vec![identity(&[&web], Secret::from(&b"no key"[..]))], "private key cannot be used"),
		(vec![identity(&[&web, &other], web.secret())], "is not issued by"),
		(vec![identity(&[&other, &good], other.secret())], "is not issued by"),
		(vec![expired.identity("web")], "expired"),
		(vec![early.identity("web")], "not valid yet"),
		(vec![trusted(b"no certificate".to_vec())], "cannot be read"),
		(vec![lists(root.list(1))], "not in the trust bundle"),
		(vec![trusted(other.der.clone()), lists(root.list(1))], "not in the trust bundle"),
		(vec![trusted(root.der.clone()), lists(root.list(-1))], "revocation list"),
		(vec![trusted(root.der.clone()), lists(b"no list".to_vec())], "cannot be read"),
	];
	for (sequence, (items, words)) in (2..).zip(cases) {
		refused(&mut world, sequence, items, "bundle invalid", words).await;
	}
	assert_eq!(world.text("web/current/chain.pem"), before);
	assert_eq!(world.told("web.told"), 1, "nobody was told of what was refused");
}

#[tokio::test]
async fn a_service_that_does_not_take_its_files_gets_the_old_ones_and_so_do_all_others() {
	let mut world = World::new().with_psk().with_hook().with_tls("web").with_keys();
	fs::write(world.place("authorized_keys"), "# mine\n").unwrap();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = line(&new_key());
	world.publish(1, vec![psk("a", 1), opaque("one"), Certified::new("a").identity("web")]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{}", world.sentence());
	let seen = |world: &World| {
		let names = ["web/current/key.pem", "psk/current/psk_file", "maps", "authorized_keys"];
		(names.map(|name| world.text(name)), world.generation())
	};
	let before = seen(&world);
	fs::write(world.place("fail"), "").unwrap();
	let bad = vec![
		user_ca(&ca),
		principals("root", &["ops"]),
		psk("a", 2),
		opaque("two"),
		Certified::new("b").identity("web"),
		authorized("root", &[(&key, None)]),
	];
	refused(&mut world, 2, bad, "apply failed", "not today").await;
	assert_eq!(seen(&world), before);
	assert_eq!(world.verdict(), Some(Outcome::Refused(RefusalReason::ApplyFailed)));
	// The one that fails last takes the others back with it.
	fs::remove_file(world.place("fail")).unwrap();
	let bad = vec![psk("a", 3), opaque("bad"), Certified::new("c").identity("web")];
	refused(&mut world, 3, bad, "apply failed", "take` failed").await;
	assert_eq!(seen(&world), before);
	for directory in ["web/generations", "psk/generations"] {
		assert_eq!(fs::read_dir(world.place(directory)).unwrap().count(), 1, "{directory}");
	}
}

#[tokio::test]
async fn a_service_that_fails_its_test_is_not_told_of_what_it_would_not_take() {
	let mut world = World::new().with_tls("web");
	let test = world.command("tested");
	world.config.apply.tls.get_mut("web").unwrap().test = test;
	world.restart();
	fs::write(world.place("fail"), "").unwrap();
	let items = vec![Certified::new("a").identity("web")];
	refused(&mut world, 1, items, "apply failed", "tested.sh").await;
	assert!(!world.place("web/current").exists(), "there was nothing before");
	assert_eq!((world.told("web.told"), world.told("tested")), (0, 2));
}

#[tokio::test]
async fn what_sshd_does_not_take_takes_everything_back() {
	let mut world = World::new().with_psk();
	world.publish(1, vec![psk("a", 1)]);
	world.step().await.unwrap();
	write_script(&world.config.ssh.sshd, "#!/bin/sh\necho 'no such cipher' >&2\nexit 1\n");
	let items = vec![psk("a", 2), principals("root", &["ops"])];
	refused(&mut world, 2, items, "apply failed", "no such cipher").await;
	assert_eq!(world.text("psk/current/psk_file"), format!("a:{}\n", "01".repeat(32)));
	assert_eq!(world.told("psk.told"), 1);
}

#[tokio::test]
async fn a_service_that_is_down_holds_no_revocation_up() {
	let mut world = World::new().with_psk().with_keys();
	let ca = world.register(AnchorKind::SshUserCa);
	let key = line(&new_key());
	let until = world.chain.head.time + 5_000;
	let keys = authorized("root", &[(&key, Some(until))]);
	world.publish(1, vec![user_ca(&ca), principals("root", &["ops"]), psk("a", 1), keys]);
	world.step().await.unwrap();
	assert!(world.trusts(&ca) && world.text("authorized_keys").contains("AAAA"));
	fs::write(world.place("fail"), "").unwrap();
	fs::write(world.place("psk/current/psk_file"), "tampered").unwrap();
	world.anchor(ca.anchor).revocation = Some(revocation());
	world.chain.head.time = until;
	world.step().await.unwrap();
	let trouble = |world: &mut World| world.agent().status().error.clone();
	assert!(trouble(&mut world).is_some_and(|it| it.contains("psk") && it.contains("not today")));
	assert!(!world.trusts(&ca) && !world.text("authorized_keys").contains("AAAA"));
	// It is left alone for a while, and the agent says why something is not as it should be.
	let told = world.told("psk.told");
	world.step().await.unwrap();
	assert!(trouble(&mut world).is_some());
	assert_eq!(world.told("psk.told"), told);
	// After a restart it is tried at once.
	fs::remove_file(world.place("fail")).unwrap();
	world.restart();
	world.step().await.unwrap();
	assert_eq!(world.text("psk/current/psk_file"), format!("a:{}\n", "01".repeat(32)));
	assert_eq!(trouble(&mut world), None);
}

#[tokio::test]
async fn a_service_that_cannot_be_told_fails_no_delivery_that_changes_nothing_for_it() {
	let mut world = World::new().with_psk().with_hook();
	world.publish(1, vec![psk("a", 1), opaque("one")]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{}", world.sentence());
	fs::write(world.place("fail"), "").unwrap();
	fs::write(world.place("psk/current/psk_file"), "tampered").unwrap();
	world.step().await.unwrap();
	assert!(world.place("psk/unsettled").exists(), "the files are right, and nobody knows");
	// Neither on its own channel nor on another one.
	world.publish(2, vec![psk("a", 1), opaque("two")]);
	world.on(3).publish(1, vec![principals("root", &["ops"])]);
	world.step().await.unwrap();
	assert_eq!(world.verdict(), Some(Outcome::Applied), "{}", world.sentence());
	assert_eq!(
		(world.text("maps").as_str(), world.file("principals/root").as_str()),
		("two", "ops\n")
	);
	let error = world.agent().status().error.clone();
	assert!(error.is_some_and(|it| it.contains("not today")), "somebody has to look at it");
	// One that fails for something else leaves it to be told as well, and one that changes something for it fails.
	world.on(0);
	refused(&mut world, 3, vec![psk("a", 1), opaque("bad")], "apply failed", "take` failed").await;
	assert!(world.place("psk/unsettled").exists());
	refused(&mut world, 4, vec![psk("a", 2), opaque("two")], "apply failed", "not today").await;
	assert_eq!(world.text("psk/current/psk_file"), format!("a:{}\n", "01".repeat(32)));
}

#[tokio::test]
async fn a_service_that_is_left_alone_keeps_no_other_from_being_put_right() {
	let mut world = World::new().with_psk().with_tls("web");
	world.publish(1, vec![psk("a", 1), Certified::new("web.example").identity("web")]);
	world.step().await.unwrap();
	let chain = world.text("web/current/chain.pem");
	write_script(&world.place("psk.told.sh"), "#!/bin/sh\necho 'not today' >&2\nexit 1\n");
	fs::write(world.place("psk/current/psk_file"), "tampered").unwrap();
	world.step().await.unwrap();
	let error = world.agent().status().error.clone();
	assert!(error.is_some_and(|it| it.contains("psk")));
	fs::write(world.place("web/current/chain.pem"), "tampered").unwrap();
	world.step().await.unwrap();
	assert_eq!(world.text("web/current/chain.pem"), chain);
	let error = world.agent().status().error.clone();
	assert!(error.is_some_and(|it| it.contains("psk")), "it is still to be told");
}

#[tokio::test]
async fn what_is_taken_away_stays_so_though_one_login_fails() {
	let mut world = World::new().with_keys();
	let until = world.chain.head.time + 5_000;
	let (root, pilot) = (line(&new_key()), line(&new_key()));
	let keys = |login, key: &str| authorized(login, &[(key, Some(until))]);
	world.publish(1, vec![keys("root", &root), keys("pilot", &pilot)]);
	world.step().await.unwrap();
	let text = world.text("authorized_keys");
	assert!(world.text("keys/current/keys").contains("pilot"));
	fs::write(world.place("authorized_keys"), text.replace("# END dpki-agent", "")).unwrap();
	world.chain.head.time = until;
	world.step().await.unwrap();
	let error = world.agent().status().error.clone();
	assert!(error.is_some_and(|it| it.contains("broken block")));
	let list = world.text("keys/current/keys");
	assert!(!list.contains("root") && !list.contains("pilot"), "{list}");
	// The login that failed is told as soon as it can be, and a delivery that fails leads no further back.
	fs::write(world.place("authorized_keys"), &text).unwrap();
	world.restart();
	world.step().await.unwrap();
	assert!(!world.text("authorized_keys").contains("AAAA"));
	assert!(!world.place("keys/unsettled").exists());
}

#[tokio::test]
async fn a_way_back_does_not_lead_to_what_was_taken_away() {
	let mut world = World::new().with_keys();
	let until = world.chain.head.time + 5_000;
	let key = line(&new_key());
	world.publish(1, vec![authorized("root", &[(&key, Some(until))])]);
	world.step().await.unwrap();
	let text = world.text("authorized_keys");
	fs::write(world.place("authorized_keys"), text.replace("# END dpki-agent", "")).unwrap();
	world.chain.head.time = until;
	world.step().await.unwrap();
	let items = vec![authorized("pilot", &[(&key, None)])];
	refused(&mut world, 2, items, "apply failed", "broken block").await;
	let list = world.text("keys/current/keys");
	assert!(!list.contains("root") && !list.contains("pilot"), "{list}");
}

#[tokio::test]
async fn a_hook_reads_what_has_its_name_and_nothing_when_that_is_gone() {
	let mut world = World::new().with_hook();
	world.publish(1, vec![opaque("the $(world) `map`")]);
	world.step().await.unwrap();
	assert_eq!(world.text("maps"), "the $(world) `map`");
	let other = Item::Opaque { name: "charts".into(), data: Secret::from(&b"x"[..]) };
	refused(&mut world, 2, vec![other], "bundle invalid", "opaque data").await;
	world.publish(3, vec![]);
	world.step().await.unwrap();
	assert!(world.place("maps").exists() && world.text("maps").is_empty());
}

#[tokio::test]
async fn a_hook_that_does_not_end_is_ended() {
	let mut world = World::new().with_hook();
	let hook = world.config.apply.hooks.get_mut("maps").unwrap();
	(hook.command, hook.timeout) = (vec!["/bin/sleep".into(), "60".into()], 1);
	world.restart();
	refused(&mut world, 1, vec![opaque("x")], "apply failed", "did not end within 1 s").await;
}
