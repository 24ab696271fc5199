//! Real servers that read what a device is given: nginx, one with rustls, mosquitto.

use dpki_e2e::{PATIENCE, Process, Workspace, run};
use rustls::{
	ClientConfig, RootCertStore, ServerConfig,
	crypto::{CryptoProvider, ring},
	pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
	server::WebPkiClientVerifier,
};
use std::{
	fs,
	future::Future,
	io::{Read, Write},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	sync::oneshot,
	task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

pub fn script(workspace: &Workspace, name: &str, text: &str) -> String {
	let path = workspace.join(name);
	fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writes the script");
	fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
	path.display().to_string()
}

pub fn free_port() -> u16 {
	let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
	listener.local_addr().expect("it has an address").port()
}

pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
	let asking = async {
		loop {
			if let Some(answer) = ask().await {
				return answer;
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	};
	tokio::time::timeout(PATIENCE, asking)
		.await
		.unwrap_or_else(|_| panic!("never {what}"))
}

fn provider() -> Arc<CryptoProvider> {
	Arc::new(ring::default_provider())
}

fn roots(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Arc<RootCertStore> {
	let mut roots = RootCertStore::empty();
	for certificate in certificates {
		roots.add(certificate).expect("it can be trusted");
	}
	Arc::new(roots)
}

/// What a peer proves itself with and whom it believes.
pub struct Peer {
	pub identity: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
	pub believed: Vec<CertificateDer<'static>>,
}

impl Peer {
	/// A service of a device, by its files.
	pub fn of(directory: &Path) -> Self {
		let file = |name: &str| directory.join("current").join(name);
		let read = |name: &str| {
			let all = CertificateDer::pem_file_iter(file(name)).expect("the file is there");
			all.map(|it| it.expect("a certificate")).collect::<Vec<_>>()
		};
		let key = PrivateKeyDer::from_pem_file(file("key.pem")).expect("the key is there");
		Self { identity: Some((read("chain.pem").remove(0), key)), believed: read("trust.pem") }
	}

	pub fn server(self) -> Arc<ServerConfig> {
		let believed = roots(self.believed);
		let verifier = WebPkiClientVerifier::builder_with_provider(believed, provider());
		let (certificate, key) = self.identity.expect("a server has one");
		let config = ServerConfig::builder_with_provider(provider())
			.with_safe_default_protocol_versions()
			.expect("versions")
			.with_client_cert_verifier(verifier.build().expect("a verifier"))
			.with_single_cert(vec![certificate], key);
		Arc::new(config.expect("certificate and key belong together"))
	}

	/// Connects, says a word, and gives the certificate of the server once it has said the word too.
	pub async fn greet(self, port: u16, name: &str) -> Result<(Connection, Vec<u8>), String> {
		let config = ClientConfig::builder_with_provider(provider())
			.with_safe_default_protocol_versions()
			.expect("versions")
			.with_root_certificates(roots(self.believed));
		let config = match self.identity {
			Some((certificate, key)) => config
				.with_client_auth_cert(vec![certificate], key)
				.expect("they belong together"),
			None => config.with_no_client_auth(),
		};
		let name = ServerName::try_from(name.to_owned()).expect("a name");
		let stream = TcpStream::connect(("127.0.0.1", port)).await;
		let stream = stream.map_err(|error| error.to_string())?;
		let tls = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
		let tls = tls.map_err(|error| error.to_string())?;
		let (_, session) = tls.get_ref();
		let served = session.peer_certificates().expect("it proves itself")[0].to_vec();
		Ok((Connection(tls), served))
	}
}

pub struct Connection(pub TlsStream<TcpStream>);

impl Connection {
	/// Says this, and waits until as much has come back.
	pub async fn echo(&mut self, words: &[u8]) -> Result<(), String> {
		self.0.write_all(words).await.map_err(|error| error.to_string())?;
		let mut heard = vec![0; words.len()];
		self.0.read_exact(&mut heard).await.map_err(|error| error.to_string())?;
		assert_eq!(heard, words);
		Ok(())
	}

	/// Asks nginx for its page.
	async fn visit(mut self) -> Result<(), String> {
		let asked = self.0.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
		asked.map_err(|error| error.to_string())?;
		let mut answer = String::new();
		let read = self.0.read_to_string(&mut answer).await;
		read.map_err(|error| error.to_string())?;
		answer.ends_with("here").then_some(()).ok_or(answer)
	}
}

/// Somebody who connects to a server, is answered and leaves, again and again.
pub struct Visitor {
	leave: oneshot::Sender<()>,
	visits: JoinHandle<Vec<Result<(), String>>>,
}

impl Visitor {
	pub fn come<F>(visit: impl Fn() -> F + Send + 'static) -> Self
	where
		F: Future<Output = Result<(), String>> + Send,
	{
		/// How long it stays away. Without a pause the visits would take a processor.
		const PAUSE: Duration = Duration::from_millis(20);
		let (leave, mut asked_to) = oneshot::channel();
		let visits = tokio::spawn(async move {
			let mut visits = Vec::new();
			while asked_to.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
				visits.push(visit().await);
				tokio::time::sleep(PAUSE).await;
			}
			visits
		});
		Self { leave, visits }
	}

	/// How often it was there. Panics if it was turned away once.
	pub async fn go(self) -> usize {
		self.leave.send(()).expect("it comes until it is told not to");
		let visits = self.visits.await.expect("it does not panic");
		let failed: Vec<_> = visits.iter().filter_map(|visit| visit.as_ref().err()).collect();
		assert!(failed.is_empty(), "{} of {} visits: {failed:?}", failed.len(), visits.len());
		visits.len()
	}
}

/// A server with rustls that says what it hears, to those whom it believes. It reads its files when it is told to.
pub struct Echo {
	pub port: u16,
	pub told: u16,
}

impl Echo {
	pub async fn reserve() -> (Self, [TcpListener; 2]) {
		let bind = || TcpListener::bind(("127.0.0.1", 0));
		let listeners = [bind().await.expect("a port"), bind().await.expect("a port")];
		let [port, told] =
			[0, 1].map(|at| TcpListener::local_addr(&listeners[at]).expect("an address").port());
		(Self { port, told }, listeners)
	}

	pub fn serve([listener, told]: [TcpListener; 2], directory: PathBuf) {
		let config = Arc::new(Mutex::new(Peer::of(&directory).server()));
		tokio::spawn({
			let config = config.clone();
			async move {
				while told.accept().await.is_ok() {
					let next = Peer::of(&directory).server();
					*config.lock().expect("nobody panics with it") = next;
				}
			}
		});
		tokio::spawn(async move {
			while let Ok((stream, _)) = listener.accept().await {
				let config = config.lock().expect("nobody panics with it").clone();
				tokio::spawn(async move {
					let Ok(tls) = TlsAcceptor::from(config).accept(stream).await else { return };
					let (mut reader, mut writer) = tokio::io::split(tls);
					let _ = tokio::io::copy(&mut reader, &mut writer).await;
				});
			}
		});
	}
}

/// nginx with two servers that have the certificate of a service: one for everybody, and one for members, whom it knows by
/// the trust bundle and the revocation lists of the service.
pub struct Nginx {
	config: PathBuf,
	port: u16,
	members: u16,
	running: Option<Process>,
}

impl Nginx {
	pub fn configure(workspace: &Workspace, service: &Path) -> (Self, [String; 2]) {
		let (config, port, members) = (workspace.join("nginx.conf"), free_port(), free_port());
		let at = |name: &str| workspace.join(name).display().to_string();
		let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
			.iter()
			.map(|it| format!("{it}_temp_path {};\n", at(&format!("nginx-{it}"))))
			.collect();
		let files = service.join("current").display().to_string();
		let text = format!(
			"pid {};\nerror_log {};\nworker_processes 1;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
			 ssl_certificate {files}/chain.pem;\nssl_certificate_key {files}/key.pem;\n\
			 server {{\nlisten 127.0.0.1:{port} ssl;\nlocation / {{ return 200 \"here\"; }}\n}}\n\
			 server {{\nlisten 127.0.0.1:{members} ssl;\nssl_verify_client on;\n\
			 ssl_client_certificate {files}/trust.pem;\nssl_crl {files}/crl.pem;\n\
			 location / {{ return 200 \"here\"; }}\n}}\n}}\n",
			at("nginx.pid"),
			at("nginx.log"),
		);
		fs::write(&config, text).expect("writes the configuration of nginx");
		let path = config.display().to_string();
		let test =
			script(workspace, "nginx-test", &format!("exec /usr/sbin/nginx -q -t -c {path}"));
		let pid = at("nginx.pid");
		let reload = format!("[ -s {pid} ] || exit 0\nexec /usr/sbin/nginx -c {path} -s reload");
		let nginx = Self { config, port, members, running: None };
		(nginx, [test, script(workspace, "nginx-reload", &reload)])
	}

	pub fn start(&mut self, workspace: &Workspace) {
		let args =
			["-c", &self.config.display().to_string(), "-g", "daemon off;"].map(String::from);
		let log = workspace.join("nginx.stderr");
		self.running = Some(Process::start(Path::new("/usr/sbin/nginx"), args, &log));
	}

	/// Asks again and again, believing these certificates.
	pub fn visitor(&self, name: &'static str, believed: [Vec<u8>; 2]) -> Visitor {
		let port = self.port;
		Visitor::come(move || {
			let believed = believed.clone().map(CertificateDer::from).into();
			async move {
				let peer = Peer { identity: None, believed };
				peer.greet(port, name).await?.0.visit().await
			}
		})
	}

	/// Whether this peer is a member. Of one that is none nginx takes the connection, and answers with an error.
	pub async fn admits(&self, peer: Peer, name: &str) -> bool {
		match peer.greet(self.members, name).await {
			Ok((connection, _)) => connection.visit().await.is_ok(),
			Err(_) => false,
		}
	}

	/// The certificate that is served, once nginx listens.
	pub async fn served(&self, name: &str, certificate: &[u8]) -> Option<Connection> {
		let believed = vec![CertificateDer::from(certificate.to_vec())];
		let peer = Peer { identity: None, believed };
		let (connection, served) = peer.greet(self.port, name).await.ok()?;
		(served == certificate).then_some(connection)
	}
}

impl Drop for Nginx {
	fn drop(&mut self) {
		// Its workers outlive it if it is killed.
		let config = self.config.display().to_string();
		run(Path::new("/usr/sbin/nginx"), ["-c", &config, "-s", "stop"]);
		self.running = None;
	}
}

/// Whether the broker takes an MQTT client that comes this way.
pub fn is_taken(port: u16, args: &[&str]) -> bool {
	let mut child = Command::new("openssl")
		.args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{port}")])
		.args(args)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::null())
		.spawn()
		.expect("openssl starts");
	// CONNECT of MQTT 3.1.1 with the client id `x`.
	let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x";
	let mut stdin = child.stdin.take().expect("piped");
	let _ = stdin.write_all(connect);
	let mut answer = [0; 4];
	let read = child.stdout.take().expect("piped").read_exact(&mut answer);
	let _ = child.kill();
	let _ = child.wait();
	// CONNACK, accepted.
	read.is_ok() && answer == [0x20, 2, 0, 0]
}

pub fn psk_is_taken(port: u16, byte: u8) -> bool {
	let key = hex::encode([byte; 32]);
	is_taken(port, &["-tls1_2", "-cipher", "PSK", "-psk_identity", "drone", "-psk", &key])
}

/// mosquitto with a listener for pre-shared keys and one for certificates.
pub fn broker(workspace: &Workspace, ports: [u16; 2], psk: &Path, service: &Path) -> Process {
	let files = service.join("current").display().to_string();
	let lines = [
		"persistence false".into(),
		"log_dest stderr".into(),
		"log_type all".into(),
		"user root".into(),
		"per_listener_settings true".into(),
		format!("listener {} 127.0.0.1", ports[0]),
		"psk_hint acme".into(),
		format!("psk_file {}/current/psk_file", psk.display()),
		"use_identity_as_username true".into(),
		format!("listener {} 127.0.0.1", ports[1]),
		format!("cafile {files}/trust.pem"),
		format!("certfile {files}/chain.pem"),
		format!("keyfile {files}/key.pem"),
		format!("crlfile {files}/crl.pem"),
		"require_certificate true".into(),
		"use_identity_as_username true".into(),
	];
	let config = workspace.join("mosquitto.conf");
	fs::write(&config, lines.join("\n") + "\n").expect("writes the configuration of mosquitto");
	let args = ["-c".to_owned(), config.display().to_string()];
	let program = Path::new("/usr/sbin/mosquitto");
	let log = workspace.join("mosquitto.log");
	let started = Process::start_until(program, args, &log, " running");
	let (process, _) = started.unwrap_or_else(|said| panic!("{said}"));
	fs::write(workspace.join("mosquitto.pid"), process.id().to_string()).expect("writes its id");
	process
}
