//! Proof bundles of a real node on every way to a device: a gateway, a broker, a file. Whatever the way, the same verifier.

use crate::broker::Broker;
use dpki_client::carrier::{Carriers, Failure, http::HttpCarrier};
use dpki_e2e::{
	Dpki, Fleet, Node, PATIENCE, Process, Workspace, binary,
	proofs::{new_device, reach},
};
use dpki_primitives::{ids::OrganisationId, storage_keys};
use dpki_verifier::{
	AuthoritySet, Checkpoint, Error as Unproven, Freshness, Query, Verifier, Zebra,
};
use serde_json::Value;
use std::{
	fs,
	io::{Read, Write},
	net::TcpStream,
	path::Path,
	time::Duration,
};

/// A gateway of its own port.
struct Gateway {
	_process: Process,
	address: String,
}

impl Gateway {
	fn start(workspace: &Workspace, url: &str) -> Self {
		Self::start_with(workspace, url, "1s")
	}

	/// One whose newest answers caches may keep for this long.
	fn start_with(workspace: &Workspace, url: &str, max_age: &str) -> Self {
		let args = ["gateway", "--listen", "127.0.0.1:0", "--node", url, "--max-age", max_age];
		let log = workspace.join("gateway.log");
		let said = "the gateway listens on ";
		let started = Process::start_until(&binary("dpki-agent"), args, &log, said);
		let (process, line) = started.unwrap_or_else(|said| panic!("{said}"));
		let (_, address) = line.split_once(said).expect("it tells its address");
		Self { _process: process, address: address.trim().to_owned() }
	}
}

/// nginx before a gateway, as `docs/carriers.md` configures it, but without TLS.
struct Cache {
	_process: Process,
	port: u16,
}

/// What nginx answers.
struct Cached {
	status: u16,
	/// Where it came from: `MISS`, `HIT`, `EXPIRED` (there is a newer one), `REVALIDATED` (there is none).
	from: String,
	tag: String,
	body: Vec<u8>,
}

impl Cache {
	fn start(workspace: &Workspace, gateway: &str) -> Self {
		let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
		let port = listener.local_addr().expect("it has an address").port();
		drop(listener);
		let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/carriers.md");
		let documents = fs::read_to_string(documents).expect("reads the document");
		let (_, rest) = documents.split_once("```nginx\n").expect("it has a configuration");
		let (documented, _) = rest.split_once("```").expect("it ends");
		let at = |name: &str| text(&workspace.join(name));
		let listen =
			format!("listen 127.0.0.1:{port};\nadd_header X-Cache $upstream_cache_status always;");
		let http = [
			("/var/cache/nginx/dpki", at("cache").as_str()),
			("listen 443 ssl;", &listen),
			("http://127.0.0.1:8080", gateway),
		]
		.into_iter()
		.fold(documented.to_owned(), |http, (theirs, ours)| {
			assert!(http.contains(theirs), "no {theirs} in:\n{http}");
			http.replace(theirs, ours)
		});
		let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
			.iter()
			.map(|it| format!("{it}_temp_path {};\n", at(&format!("nginx-{it}"))))
			.collect();
		// One process, so that none is left if it is killed.
		let config = format!(
			"daemon off;\nmaster_process off;\npid {};\nerror_log stderr notice;\nevents {{}}\n\
			 http {{\naccess_log off;\n{temporary}{http}}}\n",
			at("nginx.pid"),
		);
		let file = workspace.join("nginx.conf");
		fs::write(&file, config).expect("writes the configuration");
		let (args, log) = (["-c".to_owned(), text(&file)], workspace.join("nginx.log"));
		// The last that it says before it serves.
		let started =
			Process::start_until(Path::new("/usr/sbin/nginx"), args, &log, "RLIMIT_NOFILE");
		let (process, _) = started.unwrap_or_else(|said| panic!("{said}"));
		Self { _process: process, port }
	}

	/// Asks for a path; `known` is the tag of what is held already.
	fn get(&self, path: &str, known: Option<&str>) -> Cached {
		let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("nginx listens");
		let known = known.map(|tag| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
		write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n{known}Connection: close\r\n\r\n")
			.expect("it takes requests");
		let mut answer = Vec::new();
		stream.read_to_end(&mut answer).expect("it answers");
		let end = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("a head") + 4;
		let head = String::from_utf8_lossy(&answer[..end]);
		let header = |name: &str| {
			let mut headers = head.lines().filter_map(|line| line.split_once(": "));
			headers
				.find(|(it, _)| it.eq_ignore_ascii_case(name))
				.map(|(_, value)| value.to_owned())
		};
		let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
		Cached {
			status: status.unwrap_or_else(|| panic!("no status in {head}")),
			from: header("X-Cache").unwrap_or_default(),
			tag: header("ETag").unwrap_or_default(),
			body: answer[end..].to_vec(),
		}
	}

	/// Asks again until the answer comes from there; this one, and from where those before it came.
	async fn until(&self, path: &str, from: &str) -> (Cached, Vec<String>) {
		let mut before = Vec::new();
		let asking = async {
			loop {
				let answer = self.get(path, None);
				if answer.from == from {
					return answer;
				}
				before.push(answer.from);
				tokio::time::sleep(Duration::from_millis(100)).await;
			}
		};
		let answer = tokio::time::timeout(PATIENCE, asking).await;
		(answer.unwrap_or_else(|_| panic!("never {from}")), before)
	}
}

fn text(path: &Path) -> String {
	path.display().to_string()
}

/// Asks again until the anchor is told to be revoked: a gateway and a broker may be a moment behind.
async fn until_revoked(admin: &Dpki, question: &[&str]) -> Value {
	let asking = async {
		loop {
			let told = admin.status(question);
			if told["records"][0]["status"] == "revoked" {
				return told;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, asking).await.expect("the revocation arrives")
}

#[tokio::test]
async fn every_carrier_delivers_bundles_of_a_real_node_and_none_can_lie() {
	let fleet = Fleet::start("carriers");
	let admin = &fleet.admin;
	fleet.add_ssh_ca("ssh-user-ca");
	let anchor = admin.ok(["anchor", "list", "--org", "acme"])[0]["anchor"].clone();
	let anchor = anchor.as_str().expect("an id").to_owned();
	let gateway = Gateway::start(&fleet.workspace, &fleet.node.url());
	let running = Broker::start(fleet.workspace.path());
	let broker = running.address();

	// Three devices that took their checkpoint at the same time.
	let checkpoint = |name: &str| text(&fleet.workspace.join(format!("{name}.checkpoint")));
	let taken = admin.ok(["bundle", "checkpoint", &checkpoint("http")]);
	assert_eq!(taken["authorities"], 1);
	for name in ["mqtt", "file", "liars"] {
		fs::copy(checkpoint("http"), checkpoint(name)).expect("copies the checkpoint");
	}
	let file = text(&fleet.workspace.join("anchor.dpki"));

	// While the anchor is good.
	admin.ok(["bundle", "export", &file, "--anchor", &anchor]);
	admin.ok(["bundle", "publish", "--mqtt", &broker, "--anchor", &anchor]);
	let from = |carrier: &str, name: &str| {
		let words = ["bundle", "fetch", "--from", carrier, "--checkpoint", &checkpoint(name)];
		let words = words.into_iter().chain(["--anchor", anchor.as_str()]);
		words.map(ToOwned::to_owned).collect::<Vec<_>>()
	};
	for (carrier, name) in [(&gateway.address, "http"), (&broker, "mqtt")] {
		let told = admin.status(from(carrier, name));
		assert_eq!(told["records"][0]["status"], "valid", "{told}");
		assert_eq!(told["carrier"], carrier.as_str());
	}
	let told = admin.status(["bundle", "verify", &file, "--checkpoint", &checkpoint("file")]);
	assert_eq!(told["records"][0]["id"], anchor.as_str());
	assert_eq!(told["valid"], true);

	// Once it is revoked.
	admin.ok(["revoke", "anchor", &anchor, "--reason", "keyCompromise", "--yes"]);
	let old = text(&fleet.workspace.join("old.dpki"));
	fs::copy(&file, &old).expect("copies the file");
	admin.ok(["bundle", "export", &file, "--anchor", &anchor]);
	let published = admin.ok(["bundle", "publish", "--mqtt", &broker, "--anchor", &anchor]);
	assert!(published["block"].as_u64() > told["block"].as_u64(), "{published}");
	for (carrier, name) in [(&gateway.address, "http"), (&broker, "mqtt")] {
		let question = from(carrier, name);
		let question: Vec<_> = question.iter().map(String::as_str).collect();
		until_revoked(admin, &question).await;
	}
	let told = admin.status(["bundle", "verify", &file, "--checkpoint", &checkpoint("file")]);
	assert_eq!(told["valid"], false);

	// The bundle from before is not believed any more, and one with a bit flipped by nobody.
	let refused = admin.refused(["bundle", "verify", &old, "--checkpoint", &checkpoint("file")]);
	assert!(refused.contains("is older than block"), "{refused}");
	let mut bytes = fs::read(&file).expect("reads the file");
	*bytes.last_mut().expect("it is not empty") ^= 1;
	fs::write(&old, bytes).expect("writes the file");
	let refused = admin.refused(["bundle", "verify", &old, "--checkpoint", &checkpoint("liars")]);
	assert!(refused.contains("is refused"), "{refused}");
	// One that answers another question says so.
	let other = ["--device", "acme/drone-1"];
	let words = ["bundle", "verify", &file, "--checkpoint", &checkpoint("liars")];
	let refused = admin.refused(words.into_iter().chain(other));
	assert!(refused.contains("other keys than those asked for"), "{refused}");

	// A carrier that is not there is passed over, and told of.
	let words = ["bundle", "fetch", "--from", "http://127.0.0.1:1", "--from", &gateway.address];
	let rest = ["--checkpoint", &checkpoint("liars"), "--anchor", &anchor];
	let told = admin.status(words.into_iter().chain(rest));
	assert_eq!(told["carrier"], gateway.address.as_str());
	assert!(told["warnings"][0].as_str().is_some_and(|it| it.contains("nobody answers")), "{told}");
}

#[tokio::test]
async fn a_gateway_of_another_chain_is_refused_by_the_verifier() {
	let workspace = Workspace::new("gateway");
	let node = Node::start(&workspace);
	let client = node.client().await;
	let gateway = Gateway::start(&workspace, &node.url());
	// A device of a chain of others.
	let keys = vec![[9; 32]];
	let set = AuthoritySet::new(0, keys).expect("a set of authorities");
	let genesis = client.genesis_hash();
	let mut device = Verifier::new(Checkpoint { genesis, set, number: 0, hash: genesis }, Zebra);
	let carriers =
		Carriers::new(vec![Box::new(HttpCarrier::new(&gateway.address).expect("an address"))]);
	let mut asked = Err(dpki_client::carrier::Exhausted(Vec::new()));
	// The gateway refuses until the chain has finalised a block.
	let asking = async {
		loop {
			asked = carriers
				.ask(&mut device, &Query::new(), Freshness::without_clock(), |it| it.number())
				.await;
			let waits =
				matches!(asked.as_ref().map_err(|it| it.0.as_slice()), Err([Failure::Carrier(_)]));
			if !waits {
				break;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	tokio::time::timeout(PATIENCE, asking).await.expect("the chain begins");
	let failure = asked.expect_err("strangers have signed").0.remove(0);
	assert!(matches!(failure.unproven(), Some(Unproven::UnknownAuthority { .. })), "{failure}");
}

#[tokio::test]
async fn a_cache_before_a_gateway_answers_in_its_place_and_asks_whether_there_is_news() {
	let workspace = Workspace::new("cache");
	let mut node = Node::start(&workspace);
	let relay = Node::follow(&workspace, "relay", &node).await;
	let client = relay.client().await;
	let key = storage_keys::organisation(OrganisationId::from_name(b"acme"));
	let query = Query::new().storage_key(key.clone());
	let mut device = new_device(&client).await;
	// The relay can prove something.
	reach(&client, &query, None, 2).await;
	let gateway = Gateway::start_with(&workspace, &relay.url(), "3s");
	let cache = Cache::start(&workspace, &gateway.address);
	let newest = format!("/v1/bundle/{}", hex::encode(&key));

	// The second who asks has the answer of the first; and a device believes it.
	let first = cache.get(&newest, None);
	let second = cache.get(&newest, None);
	assert_eq!((first.status, first.from.as_str()), (200, "MISS"));
	assert_eq!((second.status, second.from.as_str()), (200, "HIT"));
	assert_eq!((&second.body, &second.tag), (&first.body, &first.tag));
	device
		.verify(&second.body, &query, Freshness::without_clock())
		.expect("it is proven");

	// When it is too old there is news, for as long as the chain goes on.
	let (next, _) = cache.until(&newest, "EXPIRED").await;
	assert_ne!(next.tag, first.tag);
	let verified = device
		.verify(&next.body, &query, Freshness::without_clock())
		.expect("it is proven");
	assert_eq!(next.tag, format!("W/\"{}\"", hex::encode(verified.hash())));

	// About one block there is one answer for ever. Who holds it already gets nothing but that.
	let about = format!("/v1/block/{}/bundle/{}", hex::encode(verified.hash()), hex::encode(&key));
	for from in ["MISS", "HIT"] {
		let answer = cache.get(&about, None);
		assert_eq!((answer.status, answer.from.as_str()), (200, from));
		assert_eq!((&answer.body, &answer.tag), (&next.body, &next.tag));
	}
	let known = cache.get(&about, Some(&next.tag));
	assert_eq!((known.status, known.from.as_str(), known.body), (304, "HIT", Vec::new()));

	// A relay that hears of no new blocks has no news: the cache asks for them, and keeps what it has.
	node.stop();
	let (kept, before) = cache.until(&newest, "REVALIDATED").await;
	assert!(before.iter().all(|it| it == "HIT" || it == "EXPIRED"), "{before:?}");
	let again = cache.get(&newest, Some(&kept.tag));
	assert_eq!((again.status, again.tag), (304, kept.tag));
	device
		.verify(&kept.body, &query, Freshness::without_clock())
		.expect("it is proven");

	// Without a gateway the cache serves what never changes, and does not pass off the old as the newest.
	drop(gateway);
	let answer = cache.get(&about, None);
	assert_eq!((answer.status, answer.from.as_str(), &answer.body), (200, "HIT", &next.body));
	let gone = async {
		while cache.get(&newest, None).status != 502 {
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	};
	tokio::time::timeout(PATIENCE, gone).await.expect("the last answer is too old");
}
