//! Keys that never leave their device, and what the chain says about them in the forms of other tools: each is read by the
//! tool that it is for.

use dpki_client::{age, possession::AgreementKey};
use dpki_e2e::{Fleet, certificate, public, run};
use serde_json::{Value, json};
use std::{
	fs,
	path::{Path, PathBuf},
	process::Output,
};

fn text(path: &Path) -> String {
	path.display().to_string()
}

fn tool(program: &str, args: &[&str]) -> Output {
	run(Path::new(program), args)
}

/// What a tool says, which has to succeed.
fn succeeds(program: &str, args: &[&str]) -> String {
	let output = tool(program, args);
	let said = format!(
		"{}{}",
		String::from_utf8_lossy(&output.stdout),
		String::from_utf8_lossy(&output.stderr)
	);
	assert!(output.status.success(), "{program} {args:?}: {said}");
	said
}

/// Whether `ssh-keygen -Q` takes a key for revoked. It says so by name, so that a list that it cannot read does not pass.
fn is_revoked(list: &Path, key: &Path) -> bool {
	let asked = tool("ssh-keygen", &["-Q", "-f", &text(list), &text(key)]);
	let said = String::from_utf8_lossy(&asked.stdout).into_owned();
	match asked.status.code() {
		Some(0) => assert!(said.trim_end().ends_with(": ok"), "{said}"),
		Some(1) => assert!(said.trim_end().ends_with(": REVOKED"), "{asked:?}"),
		_ => panic!("{asked:?}"),
	}
	asked.status.code() == Some(1)
}

/// An X.509 root made by OpenSSL, registered as an anchor: its certificate and its key.
fn root(fleet: &Fleet) -> (PathBuf, PathBuf) {
	let (cert, key) = (fleet.workspace.join("ca.crt"), fleet.workspace.join("ca.key"));
	let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=acme \
		-addext keyUsage=critical,keyCertSign,cRLSign";
	let words: Vec<_> = words.split_whitespace().collect();
	succeeds("openssl", &[&words[..], &["-keyout", &text(&key), "-out", &text(&cert)]].concat());
	fleet.admin.ok([
		"anchor",
		"add",
		"--org",
		"acme",
		"--kind",
		"x509-root",
		"--key",
		&text(&key),
		"--cert",
		&text(&cert),
	]);
	(cert, key)
}

/// An authority that this root has certified, registered as an anchor below it: its certificate.
fn authority_below(fleet: &Fleet, root: &Path, root_key: &Path) -> PathBuf {
	let file = |name: &str| text(&fleet.workspace.join(name));
	let (cert, key, csr, ext) =
		(file("sub.crt"), file("sub.key"), file("sub.csr"), file("sub.ext"));
	let extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
		subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
	fs::write(&ext, extensions).expect("writes the extensions");
	let words = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -subj /CN=acme-sub";
	let words: Vec<_> = words.split_whitespace().collect();
	succeeds("openssl", &[&words[..], &["-keyout", &key, "-out", &csr]].concat());
	let (root, root_key) = (text(root), text(root_key));
	let words = ["x509", "-req", "-days", "20", "-set_serial", "77", "-extfile", &ext];
	let signed = ["-in", &csr, "-CA", &root, "-CAkey", &root_key, "-out", &cert];
	succeeds("openssl", &[words, signed].concat());
	let words = ["anchor", "add", "--org", "acme", "--intermediate", "--parent", &root];
	fleet.admin.ok([&words[..], &["--key", &key, "--cert", &cert]].concat());
	cert.into()
}

#[tokio::test]
async fn what_the_chain_says_is_read_by_the_tools_of_others() {
	let fleet = Fleet::start("exports");
	let (user_ca, host_ca) = (fleet.add_ssh_ca("ssh-user-ca"), fleet.add_ssh_ca("ssh-host-ca"));
	let mut device = fleet.enrol("drone-7").await;
	let file = |name: &str| fleet.workspace.join(name);
	let checkpoint = text(&file("chain.checkpoint"));
	fleet.admin.ok(["bundle", "checkpoint", &checkpoint]);
	let export = |what: &str, args: &[&str], out: &Path| -> Value {
		let common = ["--checkpoint", &checkpoint, "--out", &text(out)];
		fleet.admin.ok([&["export", what], args, &common[..]].concat())
	};

	// A file for the device, by age.
	let recipients = file("recipients");
	export("age", &["acme/drone-7"], &recipients);
	let (plain, sealed) = (file("plain"), file("sealed.age"));
	fs::write(&plain, "a map").expect("writes the file");
	succeeds("age", &["-R", &text(&recipients), "-o", &text(&sealed), &text(&plain)]);
	let secret = fs::read_to_string(device.join("state/agreement.key")).expect("it has a key");
	let key = AgreementKey::from_text(&secret, None).expect("it is a key");
	let identity = file("identity");
	fs::write(&identity, format!("{}\n", *age::identity(&key))).expect("writes the identity");
	assert_eq!(succeeds("age", &["-d", "-i", &text(&identity), &text(&sealed)]), "a map");

	// The host certificate: the device asks, the CA answers, and the certificate comes back.
	let request = file("drone-7.request");
	device.request(&["ssh-host", "--name", "device.test", "--out", &text(&request)]);
	let sentence =
		fleet
			.admin
			.refused(["ssh", "sign-requests", &text(&request), "--ca", &text(&host_ca)]);
	assert!(sentence.contains("no terminal to ask"), "{sentence}");
	let sign = ["ssh", "sign-requests", &text(&request), "--yes", "--ca"];
	let sentence = fleet.admin.refused([&sign[..], &[&text(&user_ca)]].concat());
	assert!(sentence.contains("is registered as an ssh-user-ca"), "{sentence}");
	fleet.admin.ok([&sign[..], &[&text(&host_ca)]].concat());
	let signed = file("drone-7-cert.pub");
	let shown = succeeds("ssh-keygen", &["-L", "-f", &text(&signed)]);
	assert!(shown.contains("host certificate") && shown.contains("device.test"), "{shown}");
	device.start();
	let deliver = ["deliver", "--org", "acme", "--device", "drone-7", "--yes", "--wait"];
	fleet.admin.ok([&deliver[..], &["--host-cert", &text(&signed)]].concat());
	let applied = device.ssh().join("current/host_certificate.pub");
	let read = |path: &Path| fs::read_to_string(path).expect("it is there").trim().to_owned();
	assert_eq!(read(&applied), read(&signed));
	// Verdicts about all of that are proven, too.
	for what in [
		["device", "acme/drone-7"],
		["anchor", &text(&public(&host_ca))],
		["ssh-cert", &text(&signed)],
	] {
		let proven = ["--proven", "--checkpoint", &checkpoint];
		let told = fleet.admin.ok([&["status"][..], &what, &proven].concat());
		assert_eq!((&told["valid"], &told["proven"]), (&json!(true), &json!(true)), "{told}");
	}
	let altered = file("altered.request");
	let good = read(&request);
	fs::write(&altered, &good[..good.len() - 8]).expect("writes the file");
	let sentence =
		fleet
			.admin
			.refused(["ssh", "sign-requests", &text(&altered), "--ca", &text(&host_ca)]);
	assert!(sentence.contains("was copied wrongly"), "{sentence}");

	// A private key that somebody else knows is delivered only if that is meant.
	let foreign = text(&fleet.user_key("foreign"));
	let escrow = ["deliver", "--org", "acme", "--device", "drone-7", "--host-key", &foreign];
	let access = ["--user-ca", &text(&public(&user_ca)), "--principals", "a=b"];
	let with_access = [&escrow[..], &access];
	let sentence = fleet.admin.refused(with_access.concat());
	assert!(sentence.contains("no terminal to ask"), "{sentence}");
	let delivered = fleet.admin.ok([&escrow[..], &["--yes"]].concat());
	assert!(delivered["needs"].to_string().contains("host-key"), "{delivered}");
	let warnings = delivered["warnings"].to_string();
	assert!(warnings.contains("somebody else knows"), "{warnings}");

	// Known hosts and revoked keys, for OpenSSH.
	let known_hosts = file("exported_known_hosts");
	let ca = format!("{}=*.acme.example", text(&public(&host_ca)));
	export("known-hosts", &["--ca", &ca, "--host", "acme/drone-7=10.0.0.7"], &known_hosts);
	for (host, words) in [("drone-9.acme.example", "CA"), ("10.0.0.7", "found")] {
		let found = succeeds("ssh-keygen", &["-F", host, "-f", &text(&known_hosts)]);
		assert!(found.contains(words), "{host}: {found}");
	}
	let (alice, bob) = (fleet.user_key("alice"), fleet.user_key("bob"));
	for key in [&alice, &bob] {
		fleet.grant(&user_ca, key, "10m");
	}
	let list = file("revoked_keys");
	export("krl", &["--ca", &text(&public(&user_ca))], &list);
	assert!(!is_revoked(&list, &certificate(&alice)));
	fleet
		.admin
		.ok(["revoke", "ssh-cert", "--yes", "--cert", &text(&certificate(&alice))]);
	export("krl", &["--ca", &text(&public(&user_ca))], &list);
	assert!(is_revoked(&list, &certificate(&alice)) && !is_revoked(&list, &certificate(&bob)));

	// TLS: the device makes the key and keeps it, the CA certifies it, and OpenSSL believes the CA by what was exported.
	let (ca_cert, ca_key) = root(&fleet);
	let request = file("web.request");
	let service = format!("\n[apply.tls.web]\ndirectory = \"{}\"\n", text(&file("web")));
	device.reconfigure(|text| text + &service);
	device.request(&[
		"tls",
		"--service",
		"web",
		"--name",
		"drone-7.acme.example",
		"--out",
		&text(&request),
	]);
	let web = file("web.pem");
	let ca = ["--ca-cert", &text(&ca_cert), "--ca-key", &text(&ca_key)];
	let issue = ["certificate", "issue", &text(&request), "--out", &text(&web), "--yes"];
	let ssh = ["ssh", "sign-requests", &text(&request), "--yes", "--ca", &text(&host_ca)];
	let sentence = fleet.admin.refused(ssh);
	assert!(sentence.contains("of another kind"), "{sentence}");
	let issued = fleet.admin.ok([&issue[..], &ca].concat());
	assert_eq!(issued["names"][0], "drone-7.acme.example");
	let roots = file("roots.pem");
	export("pem", &["--org", "acme"], &roots);
	let verify = |more: &[&str]| {
		let args = ["verify", "-verify_hostname", "drone-7.acme.example", "-CAfile", &text(&roots)];
		tool("openssl", &[&args[..], more, &[&text(&web)]].concat())
	};
	assert!(verify(&[]).status.success());

	// The key of the service is one of the device's on the chain; revoked there, it is on the list of the CA.
	let key = device.join("state/tls/web/0.key");
	let alice = dpki_client::Account::from_uri("//Alice").expect("a development account");
	let address = dpki_client::account::address(&alice.id());
	let consent = file("web.consent");
	device.consent(&address, &["--purpose", "tls", "--key", &text(&key), "--out", &text(&consent)]);
	let registered =
		fleet
			.admin
			.ok(["device", "register-key", "acme/drone-7", "--consent", &text(&consent)]);
	let crl = file("ca.crl");
	let of_web = ["--issued", &text(&web)];
	let list = [&ca[..], &of_web].concat();
	export("crl", &list, &crl);
	let check = ["-crl_check", "-CRLfile", &text(&crl)];
	assert!(verify(&check).status.success(), "{:?}", verify(&check));

	// What is on hold is on the list, and comes off it again: an authority below the CA, and whatever the CA has issued for
	// the key of a certificate of the chain.
	let shown = || succeeds("openssl", &["crl", "-in", &text(&crl), "-noout", "-text"]);
	let below = text(&authority_below(&fleet, &ca_cert, &ca_key));
	fleet.admin.ok(["anchor", "suspend", &below]);
	let told = export("crl", &list, &crl);
	assert_eq!(
		told["entries"],
		json!([
			{ "serial": "4d", "reason": "certificateHold", "revoked_at": told["entries"][0]["revoked_at"] }
		])
	);
	assert!(shown().contains("Serial Number: 4D") && shown().contains("Certificate Hold"));
	fleet.admin.ok(["anchor", "release", &below]);
	// An authority below a root is one like it: its key proves its compromise, and a root can follow it.
	let leaked = text(&file("sub.key"));
	let prepared = fleet.admin.ok(["key", "compromised", &leaked, "--anchor", &below, "--prepare"]);
	assert!(prepared["proof"].is_string(), "{prepared}");
	let follow = ["anchor", "rollover", &below, "--to", &text(&ca_cert), "--after", "1h"];
	fleet.admin.ok(follow);
	fleet.admin.ok(["anchor", "rollover", &below, "--cancel"]);
	let apply = ["certificate", "apply", "org:acme", "--org", "acme", "--key", &text(&key)];
	let granted = fleet.admin.ok(apply);
	let certificate = granted["certificate"].as_str().expect("an id");
	let with_certificate = [&list[..], &["--certificate", certificate]].concat();
	assert_eq!(export("crl", &with_certificate, &crl)["entries"], json!([]));
	fleet.admin.ok(["certificate", "suspend", certificate]);
	let told = export("crl", &with_certificate, &crl);
	assert_eq!(told["entries"].as_array().map(Vec::len), Some(1), "{told}");
	assert_eq!(shown().matches("Certificate Hold").count(), 1, "{}", shown());
	let verdict = verify(&check);
	let said = String::from_utf8_lossy(&verdict.stderr).into_owned();
	assert!(!verdict.status.success() && said.contains("certificate revoked"), "{verdict:?}");
	fleet.admin.ok(["certificate", "release", certificate]);
	export("crl", &with_certificate, &crl);
	assert!(!shown().contains("Certificate Hold") && verify(&check).status.success());

	let id = registered["key_id"].as_str().expect("an id").to_owned();
	fleet.admin.ok(["revoke", "key", &id, "--reason", "keyCompromise", "--yes"]);
	let told = export("crl", &list, &crl);
	assert_eq!(told["entries"][0]["reason"], "keyCompromise");
	let verdict = verify(&check);
	let said = String::from_utf8_lossy(&verdict.stderr).into_owned();
	assert!(!verdict.status.success() && said.contains("certificate revoked"), "{verdict:?}");
	let shown = shown();
	assert!(shown.contains("Key Compromise") && shown.contains("X509v3 CRL Number"), "{shown}");

	// What is refused: a key of another CA, an anchor that is revoked, a checkpoint of nowhere.
	let wrong = ["--ca-cert", &text(&ca_cert), "--ca-key", &text(&key)];
	let sentence = fleet.admin.refused([&["export", "crl"], &wrong[..]].concat());
	assert!(sentence.contains("is not the key of"), "{sentence}");
	let not_one = ["--checkpoint", &text(&plain)];
	let sentence = fleet
		.admin
		.refused([&["export", "pem", "--org", "acme"], &not_one[..]].concat());
	assert!(sentence.contains("a checkpoint"), "{sentence}");
	fleet.admin.ok(["revoke", "anchor", &text(&ca_cert), "--yes"]);
	let sentence = fleet.admin.refused(["export", "pem", "--anchor", &text(&ca_cert)]);
	assert!(sentence.contains("is revoked"), "{sentence}");
	let sentence = fleet.admin.refused([&["export", "crl"], &ca[..]].concat());
	assert!(sentence.contains("is revoked"), "{sentence}");
}
