//! The verdict beside those of `rustls-webpki` (on ring), `x509-parser` and `openssl verify -x509_strict`.
//!
//! Two statements are tested. On paths with one known flaw each, every validator either agrees or is listed with its
//! reason. On certificates that were changed byte by byte and signed again, nothing is accepted here that another
//! validator refuses, except where that is listed.

mod common;

use common::{Draft, NOT_AFTER, NOW, Party, World, directory, dns, email, ip, time, uri};
use dpki_x509::{Certificate, Pure, Rules, validate};
use rcgen::{
	BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey,
};
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
struct Chain {
	root: Vec<u8>,
	ca: Vec<u8>,
	device: Vec<u8>,
}

impl Chain {
	fn is_accepted_here(&self) -> bool {
		let read = Certificate::from_der;
		let (Ok(root), Ok(ca), Ok(device)) = (read(&self.root), read(&self.ca), read(&self.device))
		else {
			return false;
		};
		validate(&Pure, &root, &[&ca, &device], &Rules::at(NOW)).is_ok()
	}

	fn is_accepted_by_webpki(&self) -> bool {
		let root = self.root.as_slice().into();
		let Ok(anchor) = anchor_from_trusted_cert(&root) else { return false };
		let (anchors, intermediates) = ([anchor], [self.ca.as_slice().into()]);
		let device = self.device.as_slice().into();
		let Ok(device) = EndEntityCert::try_from(&device) else { return false };
		let now = std::time::Duration::from_secs(NOW);
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
	fn is_accepted_by_parser(&self) -> bool {
		let read = |der| match x509_parser::parse_x509_certificate(der) {
			Ok(([], certificate)) => Some(certificate),
			_ => None,
		};
		let (Some(root), Some(ca), Some(device)) =
			(read(&self.root), read(&self.ca), read(&self.device))
		else {
			return false;
		};
		let now = x509_parser::time::ASN1Time::from_timestamp(NOW as i64).unwrap();
		let all = [(&root, &root), (&ca, &root), (&device, &ca)];
		all.iter().all(|(certificate, issuer)| {
			certificate.validity().is_valid_at(now)
				&& certificate.verify_signature(Some(issuer.public_key())).is_ok()
		})
	}

	fn is_accepted_by_openssl(&self, folder: &Path) -> bool {
		let write = |name: &str, der: &[u8]| {
			let path = folder.join(name);
			std::fs::write(&path, pem(der)).unwrap();
			path
		};
		let output = Command::new("openssl")
			.args(["verify", "-x509_strict", "-attime", &NOW.to_string()])
			.args(["-no-CApath", "-no-CAstore", "-CAfile"])
			.arg(write("root.pem", &self.root))
			.arg("-untrusted")
			.arg(write("ca.pem", &self.ca))
			.arg(write("device.pem", &self.device))
			.output();
		output.expect("openssl is installed: scripts/setup sees to it").status.success()
	}
}

fn pem(der: &[u8]) -> String {
	x509_cert::der::pem::encode_string("CERTIFICATE", Default::default(), der).unwrap()
}

/// A folder for the files of a test.
fn folder(test: &str) -> PathBuf {
	let folder = std::env::temp_dir().join(format!("dpki-x509-{test}-{}", std::process::id()));
	std::fs::create_dir_all(&folder).unwrap();
	folder
}

/// The usual path after changes.
fn chain(
	root: impl FnOnce(Draft) -> Draft,
	ca: impl FnOnce(Draft) -> Draft,
	device: impl FnOnce(Draft) -> Draft,
) -> Chain {
	let world = World::new();
	Chain {
		root: root(world.root_draft()).der(&world.root),
		ca: ca(world.ca_draft()).der(&world.root),
		device: device(world.device_draft()).der(&world.ca),
	}
}

fn same(draft: Draft) -> Draft {
	draft
}

const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");

/// Paths with a flaw each, or with something unusual that is none.
fn cases() -> Vec<(&'static str, Chain)> {
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
const DIFFERENCES: &[(&str, &str, &str)] = &[
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

const WEBPKI: &str = "webpki";
const PARSER: &str = "x509-parser";
const OPENSSL: &str = "openssl";

#[test]
fn each_difference_to_other_validators_is_listed() {
	let folder = folder("cases");
	let mut found = Vec::new();
	for (name, chain) in cases() {
		let here = chain.is_accepted_here();
		if chain.is_accepted_by_webpki() != here {
			found.push((name, WEBPKI));
		}
		// `x509-parser` does not judge paths, so that it accepts more; it must not accept less.
		if here && !chain.is_accepted_by_parser() {
			found.push((name, PARSER));
		}
		if chain.is_accepted_by_openssl(&folder) != here {
			found.push((name, OPENSSL));
		}
	}
	std::fs::remove_dir_all(&folder).unwrap();
	found.retain(|found| !DIFFERENCES.iter().any(|(name, by, _)| (*name, *by) == *found));
	assert!(found.is_empty(), "not listed: {found:#?}");
}

/// Signs bytes that may be no certificate body at all.
fn sign_raw(body: &[u8], issuer: &Party) -> Vec<u8> {
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
fn differs_in_letters(device: &Certificate, ca: &Certificate) -> bool {
	device.issuer() == ca.subject() && device.issuer().as_name() != ca.subject().as_name()
}

/// Whether the device names another key than its issuer's: OpenSSL refuses what RFC 5280 section 4.2.1.1 calls a means
/// to find paths.
fn names_another_key(device: &Certificate, ca: &Certificate) -> bool {
	let named = device.extensions().authority_key.as_ref().and_then(|key| key.id.as_ref());
	named != ca.extensions().subject_key_id.as_ref()
}

#[test]
fn what_was_changed_and_signed_again_is_not_accepted_here_alone() {
	let world = World::new();
	let constrain = |draft: Draft| draft.with_constraints(&[dns("a.org")], &[]);
	let base = chain(same, constrain, same);
	let ca = Certificate::from_der(&base.ca).unwrap();
	let folder = folder("raw");
	let body = world.device_draft().with_names(&[dns("x.a.org")]).body.to_der().unwrap();
	let mut accepted = 0;
	for (position, flip) in (0..body.len()).flat_map(|at| [(at, 0x01), (at, 0x20), (at, 0x80)]) {
		let mut changed = body.clone();
		changed[position] ^= flip;
		let der = sign_raw(&changed, &world.ca);
		let chain = Chain { root: base.root.clone(), ca: base.ca.clone(), device: der };
		if !chain.is_accepted_here() {
			continue;
		}
		accepted += 1;
		let device = Certificate::from_der(&chain.device).unwrap();
		let place = format!("byte {position} changed by {flip:#x}");
		assert!(chain.is_accepted_by_parser(), "{place}: {PARSER}");
		let in_letters = differs_in_letters(&device, &ca);
		assert!(chain.is_accepted_by_webpki() || in_letters, "{place}: {WEBPKI}");
		// A process for each is slow, and one change of a byte is enough here.
		if flip == 0x01 {
			let verdict = chain.is_accepted_by_openssl(&folder);
			assert!(verdict || names_another_key(&device, &ca), "{place}: {OPENSSL}");
		}
	}
	std::fs::remove_dir_all(&folder).unwrap();
	assert!(accepted > 100, "{accepted} changes leave a valid certificate");
}

fn params(name: &str, ca: bool) -> CertificateParams {
	let mut params = CertificateParams::new(vec!["x.a.org".to_string()]).unwrap();
	params.distinguished_name = rcgen::DistinguishedName::new();
	params.distinguished_name.push(rcgen::DnType::CommonName, name);
	params.not_before = time::OffsetDateTime::from_unix_timestamp(NOW as i64 - 1000).unwrap();
	params.not_after = time::OffsetDateTime::from_unix_timestamp(NOT_AFTER as i64).unwrap();
	params.use_authority_key_identifier_extension = true;
	if ca {
		params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
		params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
	}
	params
}

fn rcgen_chain<K: SigningKey>(root_key: K, ca_key: &KeyPair, device_key: &KeyPair) -> Chain {
	let root_params = params("Root", true);
	let root = root_params.self_signed(&root_key).unwrap().der().to_vec();
	let root_issuer = Issuer::new(root_params, root_key);
	let ca_params = params("CA", true);
	let ca = ca_params.signed_by(ca_key, &root_issuer).unwrap().der().to_vec();
	let ca_issuer = Issuer::new(ca_params, ca_key);
	let device = params("Device", false)
		.signed_by(device_key, &ca_issuer)
		.unwrap()
		.der()
		.to_vec();
	Chain { root, ca, device }
}

#[test]
fn certificates_that_others_make_are_accepted_by_all() {
	let folder = folder("algorithms");
	for algorithm in
		[&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384]
	{
		let key = || KeyPair::generate_for(algorithm).unwrap();
		let chain = rcgen_chain(key(), &key(), &key());
		assert!(chain.is_accepted_here(), "{algorithm:?}");
		assert!(chain.is_accepted_by_webpki(), "{algorithm:?}");
		assert!(chain.is_accepted_by_parser(), "{algorithm:?}");
		assert!(chain.is_accepted_by_openssl(&folder), "{algorithm:?}");
	}
	std::fs::remove_dir_all(&folder).unwrap();
}
