// SPDX-License-Identifier: Apache-2.0

//! Device attestation of Matter, made and verified by OpenSSL: a product attestation authority (PAA), an intermediate
//! (PAI) and a device attestation certificate (DAC), submitted to the runtime under the profile.

use super::{
	Verdict,
	chains::{Chain, OPENSSL, PARSER, WEBPKI},
	check, fixed_length, on_chain_at, register,
};
use dpki_primitives::anchor::{Basis, Profile};
use std::{
	fmt::Write,
	path::Path,
	process::Command,
	time::{SystemTime, UNIX_EPOCH},
};

const DAY: u64 = 24 * 60 * 60;

/// What OpenSSL is told of one certificate.
#[derive(Clone)]
struct Order {
	subject: &'static str,
	constraints: &'static str,
	usage: &'static str,
	/// A further extension, in the words of OpenSSL.
	more: &'static str,
	curve: &'static str,
	/// By which its issuer signs it.
	hash: &'static str,
	days: &'static str,
}

/// A chain that is to be made, good unless it is changed.
#[derive(Clone)]
struct Attestation {
	paa: Order,
	pai: Order,
	dac: Order,
	/// Which of the two authorities issues the device's certificate.
	dac_issuer: &'static str,
	/// Whether the signature of the device's certificate is spoilt.
	is_spoilt: bool,
	/// How many seconds after its making it is judged.
	after: u64,
}

impl Attestation {
	fn good() -> Self {
		let authority = |subject, constraints| Order {
			subject,
			constraints,
			usage: "keyCertSign,cRLSign",
			more: "",
			curve: "P-256",
			hash: "-sha256",
			days: "100",
		};
		Self {
			paa: authority("/CN=PAA", "CA:TRUE,pathlen:1"),
			pai: authority("/CN=PAI/MatterVendor=FFF1", "CA:TRUE,pathlen:0"),
			dac: Order {
				usage: "digitalSignature",
				..authority("/CN=DAC/MatterVendor=FFF1/MatterProduct=8000", "CA:FALSE")
			},
			dac_issuer: "pai",
			is_spoilt: false,
			after: 60,
		}
	}

	/// The configuration: the attributes of Matter, and a section of extensions for each certificate.
	fn configuration(&self) -> String {
		let mut text = String::from(
			"oid_section = matter\n[matter]\nMatterVendor = 1.3.6.1.4.1.37244.2.1\n\
			 MatterProduct = 1.3.6.1.4.1.37244.2.2\n\
			 [req]\ndistinguished_name = name\nstring_mask = utf8only\n[name]\n",
		);
		for (name, order) in [("paa", &self.paa), ("pai", &self.pai), ("dac", &self.dac)] {
			let Order { constraints, usage, more, .. } = order;
			writeln!(
				text,
				"[{name}]\nbasicConstraints = critical,{constraints}\nkeyUsage = critical,{usage}\n\
				 subjectKeyIdentifier = hash\n{more}"
			)
			.unwrap();
			if name != "paa" {
				text.push_str("authorityKeyIdentifier = keyid:always\n");
			}
		}
		text
	}

	/// Has OpenSSL make it; the keys stay in the folder.
	fn make(&self, folder: &Path) -> Chain {
		std::fs::write(folder.join("matter.cnf"), self.configuration()).unwrap();
		let by_itself: &[&str] = &["-signkey", "paa.key"];
		let by_paa: &[&str] = &["-CA", "paa.pem", "-CAkey", "paa.key"];
		let by_pai: &[&str] = &["-CA", "pai.pem", "-CAkey", "pai.key"];
		let by_issuer = if self.dac_issuer == "pai" { by_pai } else { by_paa };
		let root = issue(folder, "paa", &self.paa, by_itself);
		let ca = issue(folder, "pai", &self.pai, by_paa);
		let mut device = issue(folder, "dac", &self.dac, by_issuer);
		if self.is_spoilt {
			*device.last_mut().expect("it ends with its signature") ^= 1;
		}
		let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
		Chain { root, ca, device, at: now + self.after }
	}
}

/// A good chain but for this.
fn with(change: impl FnOnce(&mut Attestation)) -> Attestation {
	let mut changed = Attestation::good();
	change(&mut changed);
	changed
}

/// Makes a key and a certificate of it.
fn issue(folder: &Path, name: &str, order: &Order, issuer: &[&str]) -> Vec<u8> {
	let Order { subject, curve, hash, days, .. } = order;
	let (key, request, certificate) =
		(format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
	let curve = format!("ec_paramgen_curve:{curve}");
	let new_key = ["req", "-new", "-config", "matter.cnf", "-newkey", "ec", "-pkeyopt", &curve];
	openssl(
		folder,
		&[&new_key[..], &["-noenc", "-keyout", &key, "-subj", subject, "-out", &request]],
	);
	let sign = ["x509", "-req", "-in", &request, "-days", days, hash];
	let extensions = ["-extfile", "matter.cnf", "-extensions", name, "-out", &certificate];
	openssl(folder, &[&sign, issuer, &extensions]);
	openssl(folder, &[&["x509", "-in", &certificate, "-outform", "DER"]])
}

/// What `openssl` prints.
fn openssl(folder: &Path, arguments: &[&[&str]]) -> Vec<u8> {
	let output = Command::new("openssl").args(arguments.concat()).current_dir(folder).output();
	let output = output.expect("openssl is installed: scripts/setup sees to it");
	let told = String::from_utf8_lossy(&output.stderr);
	assert!(output.status.success(), "{arguments:?}: {told}");
	output.stdout
}

/// Proves with OpenSSL that somebody holds this key.
fn signed_with<'a>(folder: &'a Path, key: &'a str) -> impl Fn(&[u8]) -> Vec<u8> {
	move |payload| {
		std::fs::write(folder.join("payload"), payload).unwrap();
		fixed_length(&openssl(folder, &[&["dgst", "-sha256", "-sign", key, "payload"]]))
	}
}

fn submit(chain: &Chain, folder: &Path) -> Verdict {
	let (by_paa, by_pai) = (signed_with(folder, "paa.key"), signed_with(folder, "pai.key"));
	super::submit(chain, Profile::Matter, by_paa, by_pai)
}

/// Chains, and how the runtime refuses them if it does.
fn cases() -> Vec<(&'static str, Attestation, Result<(), &'static str>)> {
	vec![
		("plain", Attestation::good(), Ok(())),
		("root of the vendor", with(|it| it.paa.subject = "/CN=PAA/MatterVendor=FFF1"), Ok(())),
		(
			"ids inside of common names",
			with(|it| {
				it.pai.subject = "/CN=PAI Mvid:FFF1";
				it.dac.subject = "/CN=DAC Mvid:FFF1 Mpid:8000";
			}),
			Ok(()),
		),
		(
			"root of another vendor",
			with(|it| it.paa.subject = "/CN=PAA/MatterVendor=FFF2"),
			Err("CertificateVendorMismatch"),
		),
		(
			"intermediate without vendor",
			with(|it| it.pai.subject = "/CN=PAI"),
			Err("CertificateVendorMismatch"),
		),
		(
			"device of another vendor",
			with(|it| it.dac.subject = "/CN=DAC/MatterVendor=FFF2/MatterProduct=8000"),
			Err("VendorIdMismatch"),
		),
		(
			"device without product",
			with(|it| it.dac.subject = "/CN=DAC/MatterVendor=FFF1"),
			Err("ProductIdMissing"),
		),
		(
			"device of another product",
			with(|it| it.pai.subject = "/CN=PAI/MatterVendor=FFF1/MatterProduct=8001"),
			Err("ProductIdMismatch"),
		),
		(
			"intermediate without path length",
			with(|it| it.pai.constraints = "CA:TRUE"),
			Err("CertificateProfileMismatch"),
		),
		(
			"intermediate that is no authority",
			with(|it| it.pai.constraints = "CA:FALSE"),
			Err("CertificateNotAuthority"),
		),
		(
			"intermediate that must not sign certificates",
			with(|it| it.pai.usage = "cRLSign"),
			Err("CertificateNotAuthority"),
		),
		(
			"intermediate with a key of P-384",
			with(|it| it.pai.curve = "P-384"),
			Err("CertificateProfileMismatch"),
		),
		(
			"intermediate that was signed with SHA-384",
			with(|it| it.pai.hash = "-sha384"),
			Err("CertificateProfileMismatch"),
		),
		(
			"root that is no authority",
			with(|it| it.paa.constraints = "CA:FALSE"),
			Err("CertificateNotAuthority"),
		),
		(
			"device with another key usage",
			with(|it| it.dac.usage = "digitalSignature,keyAgreement"),
			Err("ProfileKeyUsageMismatch"),
		),
		(
			"unknown critical extension",
			with(|it| it.dac.more = "1.3.6.1.4.1.99999.1 = critical,DER:0500"),
			Err("ExtensionUnknown"),
		),
		("device of the root", with(|it| it.dac_issuer = "paa"), Err("IssuerMismatch")),
		("bad signature", with(|it| it.is_spoilt = true), Err("SignatureInvalid")),
		(
			"expired device",
			with(|it| {
				it.dac.days = "1";
				it.after = 2 * DAY;
			}),
			Err("Status(Expired)"),
		),
	]
}

/// Where another validator differs, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
	("root of another vendor", OPENSSL, "knows no vendors"),
	("root of another vendor", WEBPKI, "knows no vendors"),
	("intermediate without vendor", OPENSSL, "knows no vendors"),
	("intermediate without vendor", WEBPKI, "knows no vendors"),
	("device of another vendor", OPENSSL, "knows no vendors"),
	("device of another vendor", WEBPKI, "knows no vendors"),
	("device without product", OPENSSL, "knows no products"),
	("device without product", WEBPKI, "knows no products"),
	("device of another product", OPENSSL, "knows no products"),
	("device of another product", WEBPKI, "knows no products"),
	("intermediate without path length", OPENSSL, "RFC 5280 demands none"),
	("intermediate without path length", WEBPKI, "RFC 5280 demands none"),
	("intermediate that must not sign certificates", WEBPKI, "reads no key usage"),
	("intermediate with a key of P-384", OPENSSL, "takes more algorithms than Matter"),
	("intermediate with a key of P-384", WEBPKI, "takes more algorithms than Matter"),
	("intermediate that was signed with SHA-384", OPENSSL, "takes more algorithms than Matter"),
	("intermediate that was signed with SHA-384", WEBPKI, "takes more algorithms than Matter"),
	(
		"root that is no authority",
		WEBPKI,
		"takes a name, a key and name constraints from an anchor",
	),
	("device with another key usage", OPENSSL, "RFC 5280 allows more than one"),
	("device with another key usage", WEBPKI, "reads no key usage"),
	("device of the root", OPENSSL, "finds the shorter path, which Matter does not have"),
	("device of the root", WEBPKI, "finds the shorter path, which Matter does not have"),
];

#[test]
fn attestation_is_judged_as_openssl_does_but_for_what_is_listed() {
	let folder = tempfile::tempdir().unwrap();
	let folder = folder.path();
	let mut found = Vec::new();
	for (name, attestation, expected) in cases() {
		let chain = attestation.make(folder);
		let verdict = submit(&chain, folder);
		assert_eq!(verdict, expected.map_err(String::from), "{name}");
		let here = verdict.is_ok();
		if chain.is_accepted_by_openssl(folder) != here {
			found.push((name, OPENSSL));
		}
		if chain.is_accepted_by_webpki() != here {
			found.push((name, WEBPKI));
		}
		// `x509-parser` does not judge paths, so that it accepts more; it must not accept less.
		if here && !chain.is_accepted_by_parser() {
			found.push((name, PARSER));
		}
	}
	let listed: Vec<_> = DIFFERENCES.iter().map(|(name, by, _)| (*name, *by)).collect();
	let unlisted: Vec<_> = found.iter().filter(|it| !listed.contains(it)).collect();
	let vanished: Vec<_> = listed.iter().filter(|it| !found.contains(it)).collect();
	assert!(unlisted.is_empty() && vanished.is_empty(), "{unlisted:#?}, {vanished:#?}");
}

#[test]
fn matter_has_no_device_right_below_its_root() {
	let folder = tempfile::tempdir().unwrap();
	let folder = folder.path();
	let chain = with(|it| it.dac_issuer = "paa").make(folder);
	let judge = |profile| {
		on_chain_at(chain.at, || {
			let paa = signed_with(folder, "paa.key");
			let root = register(Basis::SelfSigned(profile), &chain.root, paa).unwrap();
			check(root, &[&chain.device], profile)
		})
	};
	assert_eq!(judge(Profile::Rfc5280), Ok(()));
	assert_eq!(judge(Profile::Matter), Err("ProfilePathMismatch".into()));
}
