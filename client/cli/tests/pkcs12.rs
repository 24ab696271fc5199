//! Keys and certificates in one file, as OpenSSL reads it.

use assert_cmd::Command;
use rcgen::{
	BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
	PKCS_ED25519, SignatureAlgorithm,
};
use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command as Process, Output},
};

const PASSWORD: &str = "four words are better";

/// A server and its authority, with the files of their owner.
struct Files {
	folder: tempfile::TempDir,
	key: String,
	certificates: [String; 2],
}

fn params(name: &str) -> CertificateParams {
	let mut params = CertificateParams::default();
	params.distinguished_name.push(DnType::CommonName, name);
	params
}

impl Files {
	fn new(algorithm: &'static SignatureAlgorithm) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let (mut above, above_key) = (params("Acme Root"), KeyPair::generate().unwrap());
		above.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
		let root = above.self_signed(&above_key).unwrap().pem();
		let pair = KeyPair::generate_for(algorithm).unwrap();
		let issuer = Issuer::from_params(&above, &above_key);
		let own = params("www.acme.example").signed_by(&pair, &issuer).unwrap().pem();
		let files = Self { folder, key: pair.serialize_pem(), certificates: [own, root] };
		files.secret("www.key", &files.key);
		files.secret("password", &format!("{PASSWORD}\nnot this\n"));
		fs::write(files.path("chain.pem"), files.certificates.concat()).unwrap();
		files
	}

	fn path(&self, name: &str) -> PathBuf {
		self.folder.path().join(name)
	}

	fn secret(&self, name: &str, contents: &str) {
		fs::write(self.path(name), contents).unwrap();
		fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
	}

	fn dpki(&self, arguments: &[&str]) -> Output {
		let mut command = Command::cargo_bin("dpki").unwrap();
		command.current_dir(self.folder.path()).env_remove("DPKI_PASSPHRASE");
		command.args(["x509", "pkcs12"]).args(arguments).output().unwrap()
	}

	/// The usual files, with these arguments instead of the password file.
	fn with(&self, password: &[&str]) -> Output {
		let usual = ["--key", "www.key", "--chain", "chain.pem", "--out", "www.p12"];
		self.dpki(&[&usual[..], password].concat())
	}

	#[track_caller]
	fn refused(&self, output: Output, words: &str) {
		let text = String::from_utf8(output.stderr).unwrap();
		assert!(!output.status.success() && text.contains(words), "{text}");
		assert!(!self.path("www.p12").exists());
	}

	fn openssl(&self, arguments: &[&str]) -> (bool, String) {
		let mut command = Process::new("openssl");
		let output = command.current_dir(self.folder.path()).args(arguments).output();
		let output = output.expect("openssl is installed: scripts/setup sees to it");
		let text = [output.stdout, output.stderr].concat();
		(output.status.success(), String::from_utf8_lossy(&text).into_owned())
	}
}

fn mode(path: &Path) -> u32 {
	fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn openssl_reads_key_and_certificates_of_each_type() {
	for algorithm in [&PKCS_ED25519, &PKCS_ECDSA_P256_SHA256] {
		let files = Files::new(algorithm);
		let made = files.with(&["--password-file", "password"]);
		assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
		assert_eq!(mode(&files.path("www.p12")), 0o600);
		let password = format!("pass:{PASSWORD}");
		let usual = ["pkcs12", "-in", "www.p12", "-passin", &password];
		let (is_read, told) = files.openssl(&[&usual[..], &["-info", "-noout"]].concat());
		assert!(is_read, "{told}");
		let told = told.to_lowercase();
		assert!(told.contains("mac: sha256, iteration 100000"), "{told}");
		assert!(told.contains("pbes2, pbkdf2, aes-256-cbc, iteration 100000"), "{told}");
		assert!(told.contains("prf hmacwithsha256"), "{told}");

		let (is_read, told) = files.openssl(&[&usual[..], &["-nodes", "-nocerts"]].concat());
		assert!(is_read, "{told}");
		fs::write(files.path("back.key"), &told).unwrap();
		// OpenSSL 3.0 does not read a key file that has the public key in it, which is how it was made.
		let (_, key) = files.openssl(&["pkey", "-in", "back.key", "-pubout"]);
		let (_, certified) = files.openssl(&["x509", "-in", "chain.pem", "-noout", "-pubkey"]);
		assert!(key.starts_with("-----BEGIN PUBLIC KEY-----"), "{key}");
		assert_eq!(key, certified);
		let (_, told) = files.openssl(&[&usual[..], &["-nokeys"]].concat());
		assert_eq!(told.matches("BEGIN CERTIFICATE").count(), 2, "{told}");
		assert!(told.contains("www.acme.example") && told.contains("Acme Root"), "{told}");

		let (is_read, _) = files.openssl(&["pkcs12", "-in", "www.p12", "-passin", "pass:x"]);
		assert!(!is_read, "another password opens it");
	}
}

#[test]
fn a_key_of_another_certificate_is_refused() {
	let files = Files::new(&PKCS_ED25519);
	files.secret("www.key", &KeyPair::generate().unwrap().serialize_pem());
	let output = files.with(&["--password-file", "password"]);
	files.refused(output, "is not the key of the first certificate");
}

#[test]
fn a_chain_in_another_order_is_refused() {
	let files = Files::new(&PKCS_ED25519);
	let [own, root] = &files.certificates;
	fs::write(files.path("chain.pem"), [own.as_str(), own, root].concat()).unwrap();
	let output = files.with(&["--password-file", "password"]);
	files.refused(output, "certificate 1 of the chain was not issued by the next");
	fs::write(files.path("chain.pem"), "nothing").unwrap();
	assert!(!files.with(&["--password-file", "password"]).status.success());
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
	let files = Files::new(&PKCS_ED25519);
	fs::write(files.path("www.p12"), "mine").unwrap();
	assert!(!files.with(&["--password-file", "password"]).status.success());
	assert_eq!(fs::read(files.path("www.p12")).unwrap(), b"mine");
}

#[test]
fn an_empty_or_short_password_is_refused_and_none_has_to_be_asked_for() {
	let files = Files::new(&PKCS_ED25519);
	files.secret("password", "\n");
	files.refused(files.with(&["--password-file", "password"]), "is empty");
	files.secret("password", "short\n");
	assert!(!files.with(&["--password-file", "password"]).status.success());
	assert!(!files.path("www.p12").exists());
	assert!(files.with(&["--no-password"]).status.success());
	let (is_read, told) =
		files.openssl(&["pkcs12", "-in", "www.p12", "-passin", "pass:", "-nodes"]);
	assert!(is_read && told.contains("PRIVATE KEY"), "{told}");
}

#[test]
fn a_password_that_others_can_read_is_refused() {
	let files = Files::new(&PKCS_ED25519);
	let path = files.path("password");
	fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
	let output = files.with(&["--password-file", "password"]);
	assert!(!output.status.success() && !files.path("www.p12").exists());
}

#[test]
fn a_key_with_a_passphrase_is_opened() {
	let files = Files::new(&PKCS_ECDSA_P256_SHA256);
	let (is_made, told) = files.openssl(&[
		"pkcs8",
		"-topk8",
		"-in",
		"www.key",
		"-out",
		"sealed.key",
		"-passout",
		"pass:opens the key",
	]);
	assert!(is_made, "{told}");
	let path = files.path("sealed.key");
	fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
	let mut command = Command::cargo_bin("dpki").unwrap();
	command.current_dir(files.folder.path()).env("DPKI_PASSPHRASE", "opens the key");
	command.args(["x509", "pkcs12", "--key", "sealed.key", "--chain", "chain.pem"]);
	command
		.args(["--password-file", "password", "--out", "www.p12"])
		.assert()
		.success();
	let password = format!("pass:{PASSWORD}");
	let (is_read, told) =
		files.openssl(&["pkcs12", "-in", "www.p12", "-passin", &password, "-noout"]);
	assert!(is_read, "{told}");
}
