//! What `dpki x509` says, of files made here: it needs no chain.

use assert_cmd::Command;
use dpki_client::{
	certificate::Draft,
	possession::{SigningKey, SoftwareKey},
};
use dpki_primitives::{
	application::CertificateRequest, assurance::Level, certificate::Holder, ids::OrganisationId,
	key::KeyType, subject::Subject,
};
use dpki_x509::request::{Binding, CertificationRequest};
use rcgen::{
	BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
	ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};
use std::{fs, path::Path, process};
use tempfile::TempDir;

fn dpki(arguments: &[&str]) -> Command {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_URL", "DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.args(arguments);
	command
}

/// The JSON of a command that ends with this exit code.
fn json_of(code: i32, arguments: &[&str]) -> Value {
	let assert = dpki(arguments).arg("--json").assert().code(code);
	let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
	serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Standard error of a command that fails with this exit code and says nothing else.
fn fails(code: i32, arguments: &[&str]) -> String {
	let assert = dpki(arguments).assert().failure().code(code).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn run(program: &str, arguments: &[&str]) -> String {
	let output = process::Command::new(program).args(arguments).output().unwrap();
	assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap()
}

/// A root, an authority below it, and the certificate of a server, each in a file.
struct Folder {
	dir: TempDir,
}

fn named(name: &str) -> CertificateParams {
	let mut params = CertificateParams::default();
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, name);
	params.use_authority_key_identifier_extension = true;
	params
}

fn authority(name: &str) -> CertificateParams {
	let mut params = named(name);
	params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
	params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
	params
}

impl Folder {
	fn new() -> Self {
		let folder = Self { dir: tempfile::tempdir().unwrap() };
		let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap());
		let root = root.unwrap();
		let ca = authority("authority");
		let ca = CertifiedIssuer::signed_by(ca, KeyPair::generate().unwrap(), &root).unwrap();
		let mut leaf = CertificateParams::new(["www.acme.example".to_owned()]).unwrap();
		leaf.distinguished_name = DistinguishedName::new();
		leaf.distinguished_name.push(DnType::CommonName, "www.acme.example");
		leaf.use_authority_key_identifier_extension = true;
		leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
		leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
		let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &ca).unwrap();
		for (name, pem) in [("root", root.pem()), ("ca", ca.pem()), ("leaf", leaf.pem())] {
			folder.write(name, &pem);
		}
		folder
	}

	fn name(&self, name: &str) -> String {
		self.dir.path().join(name).to_str().unwrap().to_owned()
	}

	fn read(&self, name: &str) -> String {
		fs::read_to_string(self.name(name)).unwrap()
	}

	fn write(&self, name: &str, text: &str) -> String {
		let path = self.name(name);
		fs::write(&path, text).unwrap();
		path
	}

	/// A file of test cases about this chain: group, what is expected, whether the authority is at hand.
	fn suite(&self, cases: &[(&str, &str, bool)]) -> String {
		let cases: Vec<_> = cases
			.iter()
			.map(|(id, expected, with_authority)| {
				let intermediates =
					if *with_authority { vec![self.read("ca")] } else { Vec::new() };
				json!({
					"id": id,
					"validation_kind": "SERVER",
					"trusted_certs": [self.read("root")],
					"untrusted_intermediates": intermediates,
					"peer_certificate": self.read("leaf"),
					"expected_result": expected,
				})
			})
			.collect();
		self.write("suite.json", &json!({ "version": 1, "testcases": cases }).to_string())
	}
}

#[test]
fn a_suite_is_summed_up_by_group_with_each_disagreement() {
	let folder = Folder::new();
	let suite = folder.suite(&[
		("rfc5280::good", "SUCCESS", true),
		("rfc5280::no-path", "FAILURE", false),
		("rfc5280::strict", "SUCCESS", false),
	]);
	let told = json_of(0, &["x509", "limbo", &suite]);
	let group = json!({ "agreed": 2, "disagreed": 1, "skipped": 0 });
	assert_eq!(told["groups"], json!({ "rfc5280": group }));
	assert_eq!(told["unsafe_accepts"], json!([]));
	assert_eq!(told["cases"][2]["reason"], "PathNotFound");
	let text = dpki(&["x509", "limbo", &suite]).assert().success();
	let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
	assert!(text.contains("disagreed  rfc5280::strict: refused (PathNotFound)\n"), "{text}");
	let piped = dpki(&["x509", "limbo", "-"]).write_stdin(fs::read(&suite).unwrap()).assert();
	piped.success();
}

#[test]
fn an_unsafe_accept_is_a_failure() {
	let folder = Folder::new();
	let suite = folder.suite(&[("rfc5280::bad", "FAILURE", true)]);
	let told = json_of(1, &["x509", "limbo", &suite]);
	assert_eq!(told["unsafe_accepts"], json!(["rfc5280::bad"]));
	let text = dpki(&["x509", "limbo", &suite]).assert().code(1);
	let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
	assert!(text.contains("UNSAFE     rfc5280::bad"), "{text}");
}

#[test]
fn what_is_no_suite_is_told_in_one_sentence() {
	let folder = Folder::new();
	let missing = fails(1, &["x509", "limbo", &folder.name("nothing")]);
	assert!(missing.contains("cannot read"), "{missing}");
	for (text, reason) in [
		("no json", "it is not JSON"),
		("", "it is not JSON"),
		("{}", "missing field `testcases`"),
		("[]", "invalid length"),
	] {
		let file = folder.write("wrong.json", text);
		let error = fails(1, &["x509", "limbo", &file]);
		assert!(error.contains("no file of the x509-limbo format"), "{error}");
		assert!(error.contains(reason) && error.contains("next: "), "{reason}: {error}");
	}
}

#[test]
fn a_root_is_judged_by_itself() {
	let folder = Folder::new();
	let root = folder.name("root");
	let told = json_of(0, &["x509", "show", &root]);
	assert_eq!((&told["role"], &told["valid"]), (&json!("root"), &json!(true)));
	assert_eq!(told["profiles"]["rfc5280"], Value::Null);
	// Matter wants its authorities to sign revocation lists too.
	assert_eq!(told["profiles"]["matter"], "ProfileKeyUsageMismatch");
	let told = json_of(3, &["x509", "show", &root, "--profile", "matter"]);
	assert_eq!(told["refusal"], told["profiles"]["matter"]);
}

#[test]
fn a_certificate_below_a_root_is_judged_with_its_path() {
	let folder = Folder::new();
	let (root, ca, leaf) = (folder.name("root"), folder.name("ca"), folder.name("leaf"));
	let told = json_of(3, &["x509", "show", &leaf]);
	assert_eq!((&told["role"], &told["refusal"]), (&json!("end entity"), &Value::Null));
	let path = ["--root", &root, "--intermediate", &ca];
	let with_path = |file: &str| [&["x509", "show", file][..], &path].concat().join("\n");
	for (file, role, len) in [(&leaf, "end entity", 3), (&ca, "intermediate", 2)] {
		let words = with_path(file);
		let told = json_of(0, &words.split('\n').collect::<Vec<_>>());
		assert_eq!((&told["role"], &told["path"]), (&json!(role), &json!(len)));
	}
	let chain = folder.write("chain", &(folder.read("leaf") + &folder.read("ca")));
	let tls = ["x509", "show", &chain, "--root", &root, "--profile", "tls-server"];
	assert_eq!(json_of(0, &tls)["valid"], json!(true));
	let told = json_of(3, &["x509", "show", &leaf, "--root", &root]);
	assert_eq!(told["refusal"], "PathNotFound");
}

#[test]
fn what_the_chain_cannot_read_is_refused_with_the_reason() {
	let folder = Folder::new();
	let mut der = pem_bytes(&folder.read("leaf"));
	let last = der.len() - 1;
	der.push(0);
	fs::write(folder.name("long.der"), &der).unwrap();
	let told = json_of(3, &["x509", "show", &folder.name("long.der")]);
	assert_eq!(told["refusal"], "CertificateMalformed");
	// One that another key signed.
	der.truncate(last + 1);
	der[last] ^= 1;
	fs::write(folder.name("forged.der"), &der).unwrap();
	let (root, ca, forged) = (folder.name("root"), folder.name("ca"), folder.name("forged.der"));
	let told = json_of(3, &["x509", "show", &forged, "--root", &root, "--intermediate", &ca]);
	assert!(!told["refusal"].is_null(), "{told}");
	let none = folder.write("none", "nothing");
	let error = fails(1, &["x509", "show", &none]);
	assert!(error.contains("is not an X.509 certificate"), "{error}");
	let error = fails(1, &["x509", "show", &folder.name("leaf"), "--root", &none]);
	assert!(error.contains("is not an X.509 certificate"), "{error}");
}

fn pem_bytes(pem: &str) -> Vec<u8> {
	x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents
}

/// A draft of an application for this subject by the key in this file.
fn draft(key: &str, subject: Subject) -> Draft {
	let key = SoftwareKey::from_openssh(&fs::read_to_string(key).unwrap(), None).unwrap();
	Draft {
		genesis: [0xab; 32],
		payer: [1; 32],
		nonce: 3,
		expires_at: 5_000,
		request: CertificateRequest {
			subject,
			holder: Holder::Organisation(OrganisationId::from_name(b"acme")),
			level: Level::Ov,
			key: key.public(),
			display_name: None,
			not_after: 9_000,
		},
	}
}

#[test]
fn openssl_and_the_chain_believe_the_request_for_a_draft() {
	let folder = Folder::new();
	let dns = Subject::Dns(b"www.acme.example".to_vec().try_into().unwrap());
	let acme = Subject::Organisation(OrganisationId::from_name(b"acme"));
	for (algorithm, subject, named) in [
		("ed25519", dns.clone(), "DNS:www.acme.example"),
		("p256", dns, "DNS:www.acme.example"),
		("p256", Subject::Ipv4([9, 9, 9, 9]), "IP Address:9.9.9.9"),
		("ed25519", acme.clone(), acme.common_name().as_str()),
	] {
		let key = folder.name(&format!("{algorithm}.key"));
		if !Path::new(&key).exists() {
			dpki(&["key", "new", "ssh-ca", &key, "--algorithm", algorithm])
				.assert()
				.success();
		}
		let draft = draft(&key, subject.clone());
		let file = folder.write("draft", &format!("{draft}\n"));
		let request = folder.name(&format!("{algorithm}-{}.csr", subject.common_name()));
		let csr = ["x509", "csr", "--draft", &file, "--key", &key, &request];
		let made = json_of(0, &csr);
		assert_eq!(made["challenge_password"], draft.challenge());
		let pem = fs::read_to_string(&request).unwrap();
		assert_eq!(made["request"], pem);

		let text = run("openssl", &["req", "-in", &request, "-noout", "-verify", "-text"]);
		for part in [named, &draft.challenge(), "challengePassword", &subject.common_name()] {
			assert!(text.contains(part), "no {part} in {text}");
		}
		let bytes = &draft.request.key.bytes;
		let public = match draft.request.key.key_type {
			KeyType::P256 => dpki_x509::PublicKey::p256(bytes),
			_ => dpki_x509::PublicKey::ed25519(bytes),
		};
		let (public, challenge) = (public.unwrap(), draft.challenge());
		let binding = Binding { key: &public, challenge: &challenge };
		let der = pem_bytes(&pem);
		CertificationRequest::verify_bound(&dpki_x509::Pure, &der, binding).unwrap();
		assert!(fails(1, &csr).contains("exists already"));
	}
}

#[test]
fn a_request_is_made_with_the_key_of_its_draft() {
	let folder = Folder::new();
	let (key, other) = (folder.name("one.key"), folder.name("other.key"));
	for file in [&key, &other] {
		dpki(&["key", "new", "ssh-ca", file]).assert().success();
	}
	let file = folder.write("draft", &draft(&key, Subject::Ipv4([9, 9, 9, 9])).to_string());
	let error = fails(1, &["x509", "csr", "--draft", &file, "--key", &other, "-"]);
	assert!(error.contains("another key than that of the draft"), "{error}");
	let wrong = folder.write("wrong", "dpki-draft1:AAAA");
	let error = fails(1, &["x509", "csr", "--draft", &wrong, "--key", &key, "-"]);
	assert!(error.contains("next: "), "{error}");
}
