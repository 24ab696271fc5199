//! Roots and requests that the `openssl` command makes, of every algorithm.

use dpki_x509::{Profile, Pure, request::CertificationRequest, verify_root};
use std::{path::Path, process::Command};

/// The arguments that make a key, those that choose an algorithm, and whether both are accepted here.
fn algorithms() -> Vec<(&'static str, String, bool)> {
	let ec = |curve| match curve {
		256 => "ec -pkeyopt ec_paramgen_curve:P-256",
		384 => "ec -pkeyopt ec_paramgen_curve:P-384",
		_ => "ec -pkeyopt ec_paramgen_curve:P-521",
	};
	let pss = |hash: &str, salt: u32| {
		format!("-{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}")
	};
	vec![
		("ed25519", "-batch".into(), true),
		(ec(256), "-sha256".into(), true),
		(ec(256), "-sha384".into(), true),
		(ec(384), "-sha384".into(), true),
		(ec(384), "-sha256".into(), true),
		(ec(521), "-sha384".into(), false),
		("rsa:2048", "-sha256".into(), true),
		("rsa:2048", "-sha1".into(), false),
		("rsa:3072", "-sha384".into(), true),
		("rsa:4096", "-sha512".into(), true),
		("rsa:1024", "-sha256".into(), false),
		("rsa:2048", pss("sha256", 32), true),
		("rsa:2048", pss("sha384", 48), true),
		("rsa:2048", pss("sha512", 64), true),
		("rsa:2048", pss("sha256", 20), false),
	]
}

/// What `openssl` prints.
fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
	let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
	let output = output.expect("openssl is installed: scripts/setup sees to it");
	assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
	output.stdout
}

#[test]
fn roots_and_requests_of_every_algorithm_are_verified() {
	let folder = std::env::temp_dir().join(format!("dpki-x509-openssl-{}", std::process::id()));
	std::fs::create_dir_all(&folder).unwrap();
	for (key, algorithm, is_good) in algorithms() {
		let base = format!("req -outform DER -subj /CN=Root {algorithm}");
		let root = "-x509 -days 10 -addext keyUsage=critical,keyCertSign -noenc -keyout key.pem";
		let root = openssl(&folder, &format!("{base} {root} -newkey {key}"));
		let root = verify_root(&Pure, &root, Profile::Rfc5280);
		assert_eq!(root.is_ok(), is_good, "{key} {algorithm}: {:?}", root.as_ref().err());
		if let Ok(root) = root {
			let info = openssl(&folder, "pkey -in key.pem -pubout -outform DER");
			assert_eq!(root.key().spki_der(), Some(info), "{key}");
		}
		let request = openssl(&folder, &format!("{base} -new -key key.pem"));
		let request = CertificationRequest::verify(&Pure, &request);
		assert_eq!(request.is_ok(), is_good, "{key} {algorithm}: {:?}", request.err());
	}
	std::fs::remove_dir_all(&folder).unwrap();
}
