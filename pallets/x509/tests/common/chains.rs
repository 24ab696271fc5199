//! Paths with one known flaw each, what other validators say of them, and why they differ.
#![allow(dead_code, reason = "each test file uses a part of this")]

#[path = "mod.rs"]
pub mod common;

use common::{Draft, NOW, Party, World, directory, dns, email, ip, time, uri};
use dpki_x509::Certificate;
use std::{
	path::{Path, PathBuf},
	process::Command,
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::{
	der::{
		Decode, Encode,
		asn1::{BitString, ObjectIdentifier, OctetString},
		oid::AssociatedOid,
	},
	ext::pkix::{
		AuthorityKeyIdentifier, BasicConstraints as Constraints, KeyUsage as Usage, KeyUsages,
		SubjectKeyIdentifier,
	},
	serial_number::SerialNumber,
};

/// A path as DER: root, intermediate, device.
#[derive(Clone)]
pub struct Chain {
	pub root: Vec<u8>,
	pub ca: Vec<u8>,
	pub device: Vec<u8>,
	/// When it is judged, in seconds since the Unix epoch.
	pub at: u64,
}

impl Chain {
	pub fn is_accepted_by_webpki(&self) -> bool {
		let root = self.root.as_slice().into();
		let Ok(anchor) = anchor_from_trusted_cert(&root) else { return false };
		let (anchors, intermediates) = ([anchor], [self.ca.as_slice().into()]);
		let device = self.device.as_slice().into();
		let Ok(device) = EndEntityCert::try_from(&device) else { return false };
		let now = std::time::Duration::from_secs(self.at);
		let verdict = device.verify_for_usage(
			webpki::ALL_VERIFICATION_ALGS,
			&anchors,
			&intermediates,
			rustls_pki_types::UnixTime::since_unix_epoch(now),
			KeyUsage::client_auth(),
			None,
			None,
		);
		verdict.is_ok()
	}

	/// `x509-parser` judges no paths: whether it reads all three, and their signatures and times are good.
	pub fn is_accepted_by_parser(&self) -> bool {
		let read = |der| match x509_parser::parse_x509_certificate(der) {
			Ok(([], certificate)) => Some(certificate),
			_ => None,
		};
		let (Some(root), Some(ca), Some(device)) =
			(read(&self.root), read(&self.ca), read(&self.device))
		else {
			return false;
		};
		let now = x509_parser::time::ASN1Time::from_timestamp(self.at as i64).unwrap();
		let all = [(&root, &root), (&ca, &root), (&device, &ca)];
		all.iter().all(|(certificate, issuer)| {
			certificate.validity().is_valid_at(now)
				&& certificate.verify_signature(Some(issuer.public_key())).is_ok()
		})
	}

	pub fn is_accepted_by_openssl(&self, folder: &Path) -> bool {
		let write = |name: &str, der: &[u8]| {
			let path = folder.join(name);
			std::fs::write(&path, pem(der)).unwrap();
			path
		};
		let output = Command::new("openssl")
			.args(["verify", "-x509_strict", "-attime", &self.at.to_string()])
			.args(["-no-CApath", "-no-CAstore", "-CAfile"])
			.arg(write("root.pem", &self.root))
			.arg("-untrusted")
			.arg(write("ca.pem", &self.ca))
			.arg(write("device.pem", &self.device))
			.output();
		output.expect("openssl is installed: scripts/setup sees to it").status.success()
	}
}

pub fn pem(der: &[u8]) -> String {
	x509_cert::der::pem::encode_string("CERTIFICATE", Default::default(), der).unwrap()
}

/// A folder for the files of a test.
pub fn folder(test: &str) -> PathBuf {
	let folder = std::env::temp_dir().join(format!("dpki-x509-{test}-{}", std::process::id()));
	std::fs::create_dir_all(&folder).unwrap();
	folder
}

/// The usual path after changes.
pub fn chain(
	root: impl FnOnce(Draft) -> Draft,
	ca: impl FnOnce(Draft) -> Draft,
	device: impl FnOnce(Draft) -> Draft,
) -> Chain {
	let world = World::new();
	Chain {
		root: root(world.root_draft()).der(&world.root),
		ca: ca(world.ca_draft()).der(&world.root),
		device: device(world.device_draft()).der(&world.ca),
		at: NOW,
	}
}

pub fn same(draft: Draft) -> Draft {
	draft
}

const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");

/// Paths with a flaw each, or with something unusual that is none.
pub fn cases() -> Vec<(&'static str, Chain)> {
	let world = World::new();
	let names = |list: &'static [&'static str]| {
		move |draft: Draft| draft.with_names(&list.iter().map(|name| dns(name)).collect::<Vec<_>>())
	};
	let permit = |name: &'static str| move |draft: Draft| draft.with_constraints(&[dns(name)], &[]);
	let exclude =
		|name: &'static str| move |draft: Draft| draft.with_constraints(&[], &[dns(name)]);
	let bad_signature =
		Chain { device: world.device_draft().der(&world.root), ..chain(same, same, same) };
	let stranger = Party::new("CN=Stranger", 2);
	let bad_name = Chain {
		ca: Draft::authority(&stranger, &world.root).der(&world.root),
		..chain(same, same, same)
	};
	let serial = |der: &[u8]| {
		let serial = SerialNumber::from_der(der).unwrap();
		move |draft: Draft| draft.edit(|body| body.serial_number = serial)
	};
	vec![
		("plain", chain(same, same, same)),
		("signature by another key", bad_signature),
		("issuer of another name", bad_name),
		("expired device", chain(same, same, |d| d.edit(|b| b.validity.not_after = time(NOW - 1)))),
		(
			"expired intermediate",
			chain(same, |d| d.edit(|b| b.validity.not_after = time(NOW - 1)), same),
		),
		("expired root", chain(|d| d.edit(|b| b.validity.not_after = time(NOW - 1)), same, same)),
		(
			"device of the future",
			chain(same, same, |d| d.edit(|b| b.validity.not_before = time(NOW + 1))),
		),
		(
			"intermediate that is no authority",
			chain(
				same,
				|d| d.without(Constraints::OID).with_usage(KeyUsages::DigitalSignature),
				same,
			),
		),
		(
			"intermediate that must not sign certificates",
			chain(same, |d| d.with_usage(KeyUsages::CRLSign), same),
		),
		("intermediate without key usage", chain(same, |d| d.without(Usage::OID), same)),
		(
			"intermediate without key identifier",
			chain(same, |d| d.without(SubjectKeyIdentifier::OID), same),
		),
		(
			"basic constraints not critical",
			chain(
				same,
				|d| d.with(&Constraints { ca: true, path_len_constraint: None }, false),
				same,
			),
		),
		("root with path length 0", chain(|d| d.with_path_len(0), same, same)),
		("intermediate with path length 0", chain(same, |d| d.with_path_len(0), same)),
		(
			"device without issuer's key identifier",
			chain(same, same, |d| d.without(AuthorityKeyIdentifier::OID)),
		),
		(
			"device with another issuer's key identifier",
			chain(same, same, |d| {
				d.with(
					&AuthorityKeyIdentifier {
						key_identifier: Some(OctetString::new([1; 20]).unwrap()),
						..Default::default()
					},
					false,
				)
			}),
		),
		("unknown critical extension", chain(same, same, |d| d.with_raw(UNKNOWN, &[5, 0], true))),
		("unknown extension", chain(same, same, |d| d.with_raw(UNKNOWN, &[5, 0], false))),
		(
			"repeated extension",
			chain(same, same, |d| {
				d.edit(|b| {
					let list = b.extensions.as_mut().unwrap();
					list.push(list[0].clone());
				})
			}),
		),
		("serial number 0", chain(same, same, serial(&[2, 1, 0]))),
		("negative serial number", chain(same, same, serial(&[2, 1, 0x80]))),
		("permitted host", chain(same, permit("a.org"), names(&["x.a.org"]))),
		("host that is not permitted", chain(same, permit("a.org"), names(&["b.org"]))),
		(
			"host of which one is not permitted",
			chain(same, permit("a.org"), names(&["a.org", "b.org"])),
		),
		("excluded host", chain(same, exclude("a.org"), names(&["x.a.org"]))),
		("host that the root does not permit", chain(permit("a.org"), same, names(&["b.org"]))),
		("wildcard around an exclusion", chain(same, exclude("b.a.org"), names(&["*.a.org"]))),
		(
			"permitted address",
			chain(
				same,
				|d| d.with_constraints(&[ip(&[10, 0, 0, 0, 255, 0, 0, 0])], &[]),
				|d| d.with_names(&[ip(&[10, 1, 1, 1])]),
			),
		),
		(
			"address that is not permitted",
			chain(
				same,
				|d| d.with_constraints(&[ip(&[10, 0, 0, 0, 255, 0, 0, 0])], &[]),
				|d| d.with_names(&[ip(&[11, 1, 1, 1])]),
			),
		),
		(
			"permitted mailbox",
			chain(
				same,
				|d| d.with_constraints(&[email("a.org")], &[]),
				|d| d.with_names(&[email("me@a.org")]),
			),
		),
		(
			"mailbox that is not permitted",
			chain(
				same,
				|d| d.with_constraints(&[email("a.org")], &[]),
				|d| d.with_names(&[email("me@b.org")]),
			),
		),
		(
			"permitted URI",
			chain(
				same,
				|d| d.with_constraints(&[uri("a.org")], &[]),
				|d| d.with_names(&[uri("https://a.org/")]),
			),
		),
		(
			"URI that is not permitted",
			chain(
				same,
				|d| d.with_constraints(&[uri("a.org")], &[]),
				|d| d.with_names(&[uri("https://b.org/")]),
			),
		),
		(
			"permitted directory name",
			chain(same, |d| d.with_constraints(&[directory("O=Consortium")], &[]), same),
		),
		(
			"directory name that is not permitted",
			chain(same, |d| d.with_constraints(&[directory("O=Other")], &[]), same),
		),
		(
			"constraints that are not critical",
			chain(
				same,
				|d| {
					permit("a.org")(d).edit(|b| {
						b.extensions.as_mut().unwrap().last_mut().unwrap().critical = false
					})
				},
				same,
			),
		),
		("host name with an underscore", chain(same, same, names(&["a_b.org"]))),
		("empty extended key usage", chain(same, same, |d| d.with_purposes(&[]))),
		(
			"device that is an authority",
			chain(same, same, |d| {
				d.with(&Constraints { ca: true, path_len_constraint: None }, true)
					.with_usage(KeyUsages::KeyCertSign)
			}),
		),
		(
			"device that may sign certificates",
			chain(same, same, |d| d.with_usage(KeyUsages::KeyCertSign)),
		),
		(
			"critical key identifier",
			chain(same, same, |d| {
				let id = SubjectKeyIdentifier(OctetString::new([1; 20]).unwrap());
				d.with(&id, true)
			}),
		),
	]
}

/// Where another validator differs, and why.
pub const DIFFERENCES: &[(&str, &str, &str)] = &[
	("expired root", WEBPKI, "takes a name, a key and name constraints from an anchor"),
	("root with path length 0", WEBPKI, "takes a name, a key and name constraints from an anchor"),
	("intermediate that must not sign certificates", WEBPKI, "reads no key usage"),
	("intermediate without key usage", WEBPKI, "reads no key usage"),
	("device that may sign certificates", WEBPKI, "reads no key usage"),
	("intermediate without key identifier", WEBPKI, "reads no key identifiers"),
	("device without issuer's key identifier", WEBPKI, "reads no key identifiers"),
	("basic constraints not critical", WEBPKI, "does not ask for it"),
	("constraints that are not critical", WEBPKI, "does not ask for it"),
	("constraints that are not critical", OPENSSL, "does not ask for it"),
	("repeated extension", WEBPKI, "passes over those that it does not read"),
	("serial number 0", WEBPKI, "takes any"),
	("serial number 0", OPENSSL, "takes any"),
	("negative serial number", WEBPKI, "takes any"),
	("negative serial number", OPENSSL, "takes any"),
	("host name with an underscore", WEBPKI, "looks at host names only where they are compared"),
	("host name with an underscore", OPENSSL, "looks at host names only where they are compared"),
	("wildcard around an exclusion", OPENSSL, "compares the wildcard as text"),
	(
		"empty extended key usage",
		OPENSSL,
		"takes it for no restriction where no purpose is asked for",
	),
	("permitted mailbox", WEBPKI, "refuses constraints on forms that it does not evaluate"),
	("permitted URI", WEBPKI, "refuses constraints on forms that it does not evaluate"),
	("permitted directory name", WEBPKI, "refuses constraints on forms that it does not evaluate"),
	("device that is an authority", WEBPKI, "wants an end entity at the end"),
	(
		"device with another issuer's key identifier",
		OPENSSL,
		"refuses what RFC 5280 calls a means to find paths (section 4.2.1.1)",
	),
];

pub const WEBPKI: &str = "webpki";
pub const PARSER: &str = "x509-parser";
pub const OPENSSL: &str = "openssl";

/// Signs bytes that may be no certificate body at all.
pub fn sign_raw(body: &[u8], issuer: &Party) -> Vec<u8> {
	let algorithm = common::ecdsa_sha256().to_der().unwrap();
	let signature: BitString = issuer.sign(body);
	let content = [body, &algorithm, &signature.to_der().unwrap()].concat();
	let header = x509_cert::der::Header::new(
		x509_cert::der::Tag::Sequence,
		x509_cert::der::Length::try_from(content.len()).unwrap(),
	);
	[header.unwrap().to_der().unwrap(), content].concat()
}

/// Whether issuer and subject are the same name in other letters: `rustls-webpki` compares names byte by byte, RFC 5280
/// section 7.1 without regard to case.
pub fn differs_in_letters(device: &Certificate, ca: &Certificate) -> bool {
	device.issuer() == ca.subject() && device.issuer().as_name() != ca.subject().as_name()
}

/// Whether the device names another key than its issuer's: OpenSSL refuses what RFC 5280 section 4.2.1.1 calls a means
/// to find paths.
pub fn names_another_key(device: &Certificate, ca: &Certificate) -> bool {
	let named = device.extensions().authority_key.as_ref().and_then(|key| key.id.as_ref());
	named != ca.extensions().subject_key_id.as_ref()
}
