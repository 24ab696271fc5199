//! What is delivered reaches real servers: nginx, rustls, mosquitto and sshd serve and believe what one extrinsic says.

pub mod servers;

use dpki_client::{
	Account, Bundle, Client, Item,
	bundle::Secret,
	calls,
	envelope::{self, RecipientKey},
	primitives::{
		channel::ChannelId,
		delivery::{DeliveryBinding, Recipient, Suite},
		ids::OrganisationId,
		key::KeyPurpose,
	},
};
use dpki_e2e::{Device, Fleet, Sshd, Workspace, binary, login_name, public, run};
use rcgen::{
	BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer,
	KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
	date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::json;
use servers::{
	Echo, Nginx, Peer, Visitor, broker, free_port, is_taken, psk_is_taken, script, until,
};
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The serial number of the certificate that is revoked.
const REVOKED: u64 = 77;

/// A certificate with its private key.
pub struct Certified {
	pub der: Vec<u8>,
	pem: String,
	pub key: KeyPair,
	params: CertificateParams,
}

impl Certified {
	pub fn new(name: &str) -> Self {
		Self::signed_by_itself(params(name))
	}

	fn signed_by_itself(params: CertificateParams) -> Self {
		let key = KeyPair::generate().expect("a key");
		let certificate = params.self_signed(&key).expect("signs");
		Self { der: certificate.der().to_vec(), pem: certificate.pem(), key, params }
	}

	fn authority(name: &str) -> Self {
		let mut params = params(name);
		params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
		params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
		Self::signed_by_itself(params)
	}

	fn issue(&self, name: &str, serial: u64) -> Self {
		let (key, mut params) = (KeyPair::generate().expect("a key"), params(name));
		params.serial_number = Some(SerialNumber::from(serial));
		let issuer = Issuer::from_params(&self.params, &self.key);
		let certificate = params.signed_by(&key, &issuer).expect("signs");
		Self { der: certificate.der().to_vec(), pem: certificate.pem(), key, params }
	}

	/// The list with this number, with or without what is revoked.
	fn list(&self, number: u64, is_revoked: bool) -> Vec<u8> {
		let revoked = RevokedCertParams {
			serial_number: SerialNumber::from(REVOKED),
			revocation_time: date_time_ymd(2020, 1, 1),
			reason_code: Some(RevocationReason::KeyCompromise),
			invalidity_date: None,
		};
		let list = CertificateRevocationListParams {
			this_update: date_time_ymd(2020, 1, number as u8),
			next_update: date_time_ymd(2040, 1, 1),
			crl_number: number.into(),
			issuing_distribution_point: None,
			revoked_certs: if is_revoked { vec![revoked] } else { Vec::new() },
			key_identifier_method: KeyIdMethod::Sha256,
		};
		let issuer = Issuer::from_params(&self.params, &self.key);
		list.signed_by(&issuer).expect("signs").der().to_vec()
	}

	/// The options that deliver certificate and key to a service.
	fn options(&self, workspace: &Workspace, service: &str) -> [String; 4] {
		let [certificate, key] = self.write(workspace, &format!("{service}-delivered"));
		let of = |path| format!("{service}={path}");
		["--tls".into(), of(certificate), "--tls-key".into(), of(key)]
	}

	/// Whoever has this, and believes servers with these certificates.
	fn peer(&self, believed: &[&[u8]]) -> Peer {
		let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
		let believed = believed.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
		Peer { identity: Some((CertificateDer::from(self.der.clone()), key)), believed }
	}

	fn identity(&self, service: &str) -> Item {
		let key = Some(Secret::from(self.key.serialized_der()));
		Item::TlsIdentity { name: service.into(), chain: vec![self.der.clone()], key }.optional()
	}

	/// Writes certificate and key for OpenSSL and gives their paths.
	fn write(&self, workspace: &Workspace, name: &str) -> [String; 2] {
		let (certificate, key) =
			(workspace.join(format!("{name}.pem")), workspace.join(format!("{name}.key")));
		fs::write(&certificate, &self.pem).expect("writes the certificate");
		let pem = self.key.serialize_pem();
		private(&key, &pem);
		[certificate, key].map(|path| path.display().to_string())
	}
}

/// Writes what nobody else may read.
fn private(path: &Path, text: &str) {
	let options = fs::OpenOptions::new()
		.write(true)
		.create(true)
		.truncate(true)
		.mode(0o600)
		.open(path);
	options
		.and_then(|mut file| file.write_all(text.as_bytes()))
		.expect("writes the secret");
}

/// Writes certificates or lists in PEM, as OpenSSL does, and gives the path.
fn in_pem(workspace: &Workspace, name: &str, kind: &str, ders: &[&[u8]]) -> String {
	let (der, pem) = (workspace.join(format!("{name}.der")), workspace.join(format!("{name}.pem")));
	let mut text = Vec::new();
	for bytes in ders {
		fs::write(&der, bytes).expect("writes the DER form");
		let from = der.display().to_string();
		let made = run(Path::new("/usr/bin/openssl"), [kind, "-inform", "der", "-in", &from]);
		assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
		text.extend(made.stdout);
	}
	fs::write(&pem, text).expect("writes the PEM form");
	pem.display().to_string()
}

fn params(name: &str) -> CertificateParams {
	let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
	params.distinguished_name.push(rcgen::DnType::CommonName, name);
	(params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
	params.use_authority_key_identifier_extension = true;
	params
}

pub fn trusted(service: &str, peers: &[&[u8]]) -> Item {
	let certificates = peers.iter().map(|der| der.to_vec()).collect();
	Item::TrustBundle { name: service.into(), certificates }.optional()
}

/// What the agent of this device tells sshd.
fn keys_of_login(device: &Device) -> String {
	let config = device.join("agent.toml").display().to_string();
	let told = run(&binary("dpki-agent"), ["authorized-keys", &login_name(), "--config", &config]);
	assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
	String::from_utf8_lossy(&told.stdout).into_owned()
}

fn psk(byte: u8) -> Item {
	Item::Psk { identity: "drone".into(), key: Secret::from(&[byte; 32][..]) }.optional()
}

/// One extrinsic that gives all of these devices the same bundle, of which each takes what is for it. Waits until they have.
pub async fn deliver(client: &Client, devices: &[&Device], sequence: u64, items: Vec<Item>) {
	publish(client, devices, sequence, items).await;
	settle(devices, sequence).await;
}

/// Waits until they have put it in force.
async fn settle(devices: &[&Device], sequence: u64) {
	for device in devices {
		let is_settled = |status: &serde_json::Value| {
			let refused = &status["last_refusal"];
			assert!(refused["sequence"] != json!(sequence), "{refused}\n{}", device.log());
			status["sequence"] == json!(sequence)
		};
		device.tells(&format!("applied delivery {sequence}"), is_settled).await;
	}
}

/// The same, whether the devices hear of it or not. The finalised block.
pub async fn publish(client: &Client, devices: &[&Device], sequence: u64, items: Vec<Item>) -> u64 {
	let account = Account::from_uri("//Alice").expect("a development account");
	let view = client.at_finalized().await.expect("the node answers");
	let (mut sealed, mut published) = (Vec::new(), Vec::new());
	for device in devices {
		let keys = view.keys_of(device.id()).await.expect("the keys are read");
		let (key, record) = keys
			.into_iter()
			.find(|(_, record)| record.purpose == KeyPurpose::KeyAgreement)
			.expect("the device has an agreement key");
		let binding = DeliveryBinding {
			genesis: client.genesis_hash(),
			organisation: OrganisationId::from_name(b"acme"),
			publisher: account.id(),
			device: device.id(),
			channel: ChannelId::DEFAULT,
			recipient: key,
			suite: Suite::SharedX25519,
			sequence,
		};
		published.push(Recipient { device: device.id(), sequence, key });
		sealed.push((RecipientKey::X25519(record.public), binding));
	}
	let plaintext = Bundle { items }.encode().expect("encodes");
	let (envelope, _) = envelope::seal_shared(&sealed, &plaintext).expect("seals");
	let call =
		calls::publish_shared(ChannelId::DEFAULT, Suite::SharedX25519, &published, &envelope);
	let done = client.submit(&account, &call.expect("encodes")).await.expect("it is published");
	done.number.into()
}

/// A certificate for a key that the device makes itself, which no CA has signed.
pub fn self_signed(device: &Device, service: &str, name: &str) -> Vec<u8> {
	let config = device.join("agent.toml").display().to_string();
	let made = run(
		&binary("dpki-agent"),
		[
			"request",
			"tls",
			"--service",
			service,
			"--name",
			name,
			"--self-signed",
			"--config",
			&config,
		],
	);
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	CertificateDer::from_pem_slice(&made.stdout).expect("a certificate").to_vec()
}

/// A certificate for a key that the device has made.
pub fn made_here(name: &str, der: &[u8]) -> Item {
	Item::TlsIdentity { name: name.into(), chain: vec![der.to_vec()], key: None }.optional()
}

#[tokio::test]
async fn servers_take_what_is_delivered_and_believe_exactly_their_peers() {
	let fleet = Fleet::start("appliers");
	let workspace = &fleet.workspace;
	let (mut a, mut b) = (fleet.enrol("drone-1").await, fleet.enrol("drone-2").await);
	let client = fleet.node.client().await;

	// What the configurations name.
	let place = |name: &str| workspace.join(name);
	let text = |path: &Path| path.display().to_string();
	let (web, mesh_a, mesh_b) = (place("web"), place("mesh-a"), place("mesh-b"));
	let (keys, mqtt) = (place("psk"), place("mqtt"));
	let (mut nginx, [test, reload]) = Nginx::configure(workspace, &web);
	let (echo, listeners) = Echo::reserve().await;
	// Whoever connects there tells the server to read its files.
	let tell = format!("exec bash -c ': >/dev/tcp/127.0.0.1/{}'", echo.told);
	let tell = script(workspace, "tell", &tell);
	let pid = place("mosquitto.pid").display().to_string();
	let hangup = format!("[ -s {pid} ] || exit 0\nexec kill -HUP \"$(cat {pid})\"");
	let hangup = script(workspace, "hangup", &hangup);
	let take = script(workspace, "take", &format!("exec cat >{}", place("taken").display()));
	let service = |name: &str, place: &Path, rest: &str| {
		format!("\n[apply.tls.{name}]\ndirectory = \"{}\"\n{rest}\n", place.display())
	};
	let psk_settings =
		format!("\n[apply.psk]\ndirectory = \"{}\"\nreload = [\"{hangup}\"]\n", keys.display());
	a.reconfigure(|text| {
		text + &service("web", &web, &format!("test = [\"{test}\"]\nreload = [\"{reload}\"]"))
			+ &service("mesh-a", &mesh_a, &format!("reload = [\"{tell}\"]"))
			+ &service("mqtt", &mqtt, "")
			+ &psk_settings
			+ &format!("\n[apply.hooks.maps]\ncommand = [\"{take}\"]\n")
	});
	// The way to a file of somebody else is gone without following a link.
	let home = fs::canonicalize(workspace.path()).expect("it is there").join("home");
	fs::create_dir(&home).expect("creates the home");
	let own = home.join("authorized_keys");
	fs::write(&own, "# of the owner").expect("writes the file of the owner");
	let keys_settings = format!(
		"\n[apply.authorized-keys]\ndirectory = \"{}\"\ncommand = true\nfiles = {{ {} = \"{}\" }}\n",
		place("keys").display(),
		login_name(),
		own.display()
	);
	b.reconfigure(|text| text + &service("mesh-b", &mesh_b, "") + &keys_settings);
	let fragment = place("sshd-fragment");
	let host_key = b.join("state/host_key");
	let lines = format!("HostKey {}\nAuthorizedKeysFile {}\n", host_key.display(), own.display());
	fs::write(&fragment, lines).expect("writes what sshd includes");
	let sshd = Sshd::start(workspace, &fragment);
	let host = fs::read_to_string(public(&host_key)).expect("the host key is there");
	let known = place("known_hosts");
	fs::write(&known, format!("device.test {host}")).expect("writes known_hosts");
	let person = fleet.user_key("person");
	assert!(!sshd.login(&person, &known, "true").granted);
	let first = self_signed(&a, "mesh-a", "mesh-a.test");
	let other = self_signed(&b, "mesh-b", "mesh-b.test");
	let third = Certified::new("third.test");
	let (old, new) = (Certified::new("web.test"), Certified::new("web.test"));
	let authority = Certified::authority("authority");
	let (server, client_of) = (authority.issue("mqtt.test", 1), authority.issue("drone", REVOKED));
	let another_authority = Certified::authority("another-authority");
	let (staff, newcomer) = (authority.issue("staff", 2), another_authority.issue("newcomer", 1));
	a.start();
	b.start();

	// One command and one extrinsic: two services have mutual TLS, nginx and the broker have their certificates and keys, a
	// person may log in and a program has its data.
	let file = |name: &str, kind: &str, ders: &[&[u8]]| in_pem(workspace, name, kind, ders);
	let list = authority.list(1, false);
	let named = [
		("--tls", "mesh-a", file("first", "x509", &[&first])),
		("--trust", "mesh-a", file("peers-a", "x509", &[&other, &third.der])),
		("--tls", "mesh-b", file("other", "x509", &[&other])),
		("--trust", "mesh-b", file("peers-b", "x509", &[&first])),
		("--trust", "mqtt", file("authority", "x509", &[&authority.der])),
		("--crl", "mqtt", file("list", "crl", &[&list])),
		("--trust", "web", file("authority", "x509", &[&authority.der])),
		("--crl", "web", file("list", "crl", &[&list])),
		("--psk", "drone", text(&place("psk.hex"))),
		("--authorized-keys", &login_name(), text(&public(&person))),
		("--data", "maps", text(&place("map"))),
	];
	private(&place("psk.hex"), &hex::encode([1; 32]));
	fs::write(place("map"), "here be dragons").expect("writes the map");
	let mut words = ["deliver", "--org", "acme", "--device", "drone-1", "--device", "drone-2"]
		.map(String::from)
		.to_vec();
	words.extend(old.options(workspace, "web"));
	words.extend(server.options(workspace, "mqtt"));
	for (option, name, path) in &named {
		words.extend([option.to_string(), format!("{name}={path}")]);
	}
	words.extend(["--optional".into(), "--yes".into()]);
	let done = fleet.admin.ok(&words);
	assert_eq!(done["deliveries"].as_array().map(Vec::len), Some(2), "{done}");
	settle(&[&a, &b], 1).await;
	assert_eq!(fs::read_to_string(place("taken")).expect("it was taken"), "here be dragons");
	nginx.start(workspace);
	Echo::serve(listeners, mesh_a.clone());
	let ports = [free_port(), free_port()];
	let _broker = broker(workspace, ports, &keys, &mqtt);
	let [certificate, key] = client_of.write(workspace, "client");
	let certified = ["-cert", certificate.as_str(), "-key", key.as_str()];
	let mut half = until("nginx serves", || nginx.served("web.test", &old.der)).await;
	half.0
		.write_all(b"GET / HTTP/1.1\r\nHost: web.test\r\n")
		.await
		.expect("nginx listens");
	let believed = [&old.der[..], &new.der];
	let admits = |member: &Certified| nginx.admits(member.peer(&believed), "web.test");
	assert!(admits(&client_of).await && admits(&staff).await, "nginx takes who is certified");
	assert!(!admits(&newcomer).await && !admits(&third).await, "and nobody else");
	let nobody = Peer { identity: None, ..staff.peer(&believed) };
	assert!(!nginx.admits(nobody, "web.test").await);
	let (mut kept, served) = Peer::of(&mesh_b)
		.greet(echo.port, "mesh-a.test")
		.await
		.expect("they believe each other");
	kept.echo(b"from b").await.expect("it is believed");
	assert_eq!(served, first);
	assert!(psk_is_taken(ports[0], 1) && !psk_is_taken(ports[0], 2));
	assert!(is_taken(ports[1], &certified));

	let login = sshd.login(&person, &known, "echo inside");
	assert!(login.granted && login.printed == "inside", "{login:?}\n{}", sshd.log());
	assert!(keys_of_login(&b).starts_with("ssh-ed25519 "));

	// Another one: every certificate and key is a new one, and b is no peer of a any more.
	let second = self_signed(&a, "mesh-a", "mesh-a.test");
	let revoking =
		|service: &str, lists| Item::RevocationLists { name: service.into(), lists }.optional();
	let revoked = authority.list(2, true);
	let items = vec![
		made_here("mesh-a", &second),
		trusted("mesh-a", &[&third.der]),
		made_here("mesh-b", &other),
		trusted("mesh-b", &[&second]),
		new.identity("web"),
		trusted("web", &[&authority.der, &another_authority.der]),
		revoking("web", vec![revoked.clone(), another_authority.list(1, false)]),
		server.identity("mqtt"),
		trusted("mqtt", &[&authority.der]),
		revoking("mqtt", vec![revoked]),
		psk(2),
	];
	// Meanwhile others come and go, who are believed before and after.
	let to_nginx = nginx.visitor("web.test", [old.der.clone(), new.der.clone()]);
	let to_echo = Visitor::come({
		let (identity, key) = (third.der.clone(), third.key.serialize_der());
		let (believed, port) = ([first.clone(), second.clone()], echo.port);
		move || {
			let key = PrivatePkcs8KeyDer::from(key.clone()).into();
			let identity = Some((CertificateDer::from(identity.clone()), key));
			let peer =
				Peer { identity, believed: believed.clone().map(CertificateDer::from).into() };
			async move { peer.greet(port, "mesh-a.test").await?.0.echo(b"from the third").await }
		}
	});
	deliver(&client, &[&a, &b], 2, items).await;

	// nginx serves the new certificate, and what was asked before it was told is answered.
	until("nginx serves the new certificate", || nginx.served("web.test", &new.der)).await;
	half.0
		.write_all(b"Connection: close\r\n\r\n")
		.await
		.expect("it was not dropped");
	let mut answer = String::new();
	half.0.read_to_string(&mut answer).await.expect("it is answered");
	assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");

	// By the new trust bundle it takes whom another authority has certified, and by the new list not who is on it.
	until("nginx takes the newcomer", || async { admits(&newcomer).await.then_some(()) }).await;
	until("nginx reads the list", || async { (!admits(&client_of).await).then_some(()) }).await;
	assert!(admits(&staff).await && !admits(&third).await);

	// The rustls server has its new certificate too, and takes the third peer and not b; who was there stays.
	let (mut fresh, served) = until("the new certificate is served", || async {
		third.peer(&[&second]).greet(echo.port, "mesh-a.test").await.ok()
	})
	.await;
	fresh.echo(b"from the third").await.expect("it is a peer");
	assert_eq!(served, second);
	assert!(to_nginx.go().await > 20 && to_echo.go().await > 20, "that is few");
	kept.echo(b"still there").await.expect("it was not dropped");
	let refused = match Peer::of(&mesh_b).greet(echo.port, "mesh-a.test").await {
		Ok((mut connection, _)) => connection.echo(b"from b").await,
		Err(said) => Err(said),
	};
	assert!(refused.is_err(), "b is no peer any more");

	// The broker takes the new pre-shared key and not the old one, and nobody whose certificate is on the list.
	until("the broker takes the new key", || async { psk_is_taken(ports[0], 2).then_some(()) })
		.await;
	assert!(!psk_is_taken(ports[0], 1));
	until("the broker reads the list", || async {
		(!is_taken(ports[1], &certified)).then_some(())
	})
	.await;

	// Nobody is left in the block, and the owner's line is as it was.
	assert!(!sshd.login(&person, &known, "true").granted);
	assert_eq!(keys_of_login(&b), "");
	assert_eq!(fs::read_to_string(&own).expect("it is there"), "# of the owner");
}
