//! The odd certificates and requests of the Python package `cryptography_vectors`, which are not part of this
//! repository: `scripts/vectors` fetches them.

mod common;
#[path = "common/folder.rs"]
mod folder;

use common::{Party, ecdsa_sha256};
use dpki_x509::{Certificate, Error, Pure, request::CertificationRequest};
use std::{collections::BTreeMap, fs, path::Path};
use x509_cert::{
	Version,
	der::{Decode, Encode},
};

/// Certificates that are refused even when they are made version 3 and signed by an algorithm of today.
const REFUSED: &[(&str, Error)] = &[
	("all_key_usages", Error::KeyUsageInconsistent),
	("alternate-rsa-sha1-oid", Error::ExtensionMalformed),
	("bc_path_length_zero", Error::KeyUsageInconsistent),
	("empty-eku", Error::ExtensionMalformed),
	("ian_uri", Error::SubjectEmpty),
	("inhibit_any_policy_5", Error::ExtensionNotAllowed),
	("inhibit_any_policy_negative", Error::ExtensionMalformed),
	("invalid_utf8_common_name", Error::CertificateMalformed),
	("invalid_version", Error::CertificateMalformed),
	("long-form-name-attribute", Error::CertificateMalformed),
	("malformed-ian", Error::IssuerEmpty),
	("malformed-san", Error::IssuerEmpty),
	("name_attribute_unsupported_tag", Error::CertificateMalformed),
	("nc_excluded", Error::ExtensionMalformed),
	("nc_invalid_ip4_netmask", Error::ExtensionMalformed),
	("nc_invalid_ip_netmask", Error::ExtensionMalformed),
	("nc_ip_invalid_length", Error::ExtensionMalformed),
	("nc_permitted", Error::ExtensionMalformed),
	("nc_permitted_2", Error::ExtensionNotAllowed),
	("nc_permitted_excluded", Error::ExtensionMalformed),
	("nc_permitted_excluded_2", Error::ExtensionNotAllowed),
	("nc_single_ip_netmask", Error::ExtensionNotAllowed),
	("negative_serial", Error::SerialNumberInvalid),
	("pc_inhibit", Error::ExtensionNotAllowed),
	("pc_inhibit_require", Error::ExtensionNotAllowed),
	("pc_require", Error::ExtensionNotAllowed),
	("policy_constraints_explicit", Error::ExtensionNotAllowed),
	("san_empty_hostname", Error::ExtensionMalformed),
	("san_rfc822_names", Error::ExtensionMalformed),
	("two_basic_constraints", Error::ExtensionRepeated),
	("unsupported_extension_critical", Error::ExtensionUnknown),
];

/// The requests that are accepted; all others ask for SHA-1, MD4 or DSA, are malformed, or carry attributes.
const REQUESTS: &[&str] = &["ec_sha256", "ec_sha256_old_header", "rsa_sha256"];

/// The DER in the files of a folder, by file name without extension. Some files have more than one, or the same as
/// another in PEM.
fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
	let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
	let mut paths: Vec<_> = files.filter(|path| path.is_file()).collect();
	paths.sort();
	let mut found = Vec::new();
	for path in paths {
		let name = path.file_stem().unwrap().to_string_lossy().into_owned();
		let bytes = fs::read(&path).unwrap();
		if bytes.starts_with(&[0x30]) {
			found.push((name, bytes));
			continue;
		}
		for pem in x509_parser::pem::Pem::iter_from_buffer(&bytes).flatten() {
			if pem.label != "X509 CRL" {
				found.push((name.clone(), pem.contents));
			}
		}
	}
	found
}

/// The verdict on a certificate as if it were of version 3, for a P-256 key, and signed with ECDSA. Most of the
/// vectors are signed with SHA-1, which would hide what is odd about them.
fn judge_renewed(der: &[u8], party: &Party) -> Result<(), Error> {
	let mut encoded =
		x509_cert::Certificate::from_der(der).map_err(|_| Error::CertificateMalformed)?;
	let body = &mut encoded.tbs_certificate;
	body.version = Version::V3;
	body.signature = ecdsa_sha256();
	body.subject_public_key_info = party.key_info();
	encoded.signature_algorithm = ecdsa_sha256();
	Certificate::from_der(&encoded.to_der().unwrap()).map(|_| ())
}

#[test]
fn odd_certificates_are_refused_for_what_is_odd_about_them() {
	let folder = folder::vectors("custom");
	let party = Party::new("CN=a", 1);
	let mut refused = BTreeMap::new();
	let mut accepted = 0;
	let is_certificate = |name: &str| !name.starts_with("crl_") && !name.ends_with("_crl");
	for (name, der) in read(&folder).into_iter().filter(|(name, _)| is_certificate(name)) {
		// A signature or an algorithm that is odd is judged as it stands.
		let as_it_stands = Certificate::from_der(&der).map(|_| ());
		match judge_renewed(&der, &party) {
			Ok(()) => accepted += 1,
			Err(error) => {
				assert!(as_it_stands.is_err(), "{name}");
				refused.insert(name, error);
			},
		}
	}
	let listed = REFUSED.iter().map(|(name, error)| (name.to_string(), *error)).collect();
	println!("accepted {accepted}, refused {}", refused.len());
	assert_eq!(refused, listed);

	let docs = include_str!("../../../docs/x509.md");
	let row = docs.lines().find(|line| line.starts_with("| `cryptography_vectors`")).unwrap();
	let score: Vec<usize> = row.split(' ').filter_map(|word| word.parse().ok()).collect();
	assert_eq!(score, [accepted + refused.len(), accepted, refused.len()]);
	for (name, error) in refused {
		let is_row = |line: &&str| {
			line.contains(&format!("`{name}`")) && line.contains(&format!("| `{}` |", error.name()))
		};
		assert!(docs.lines().any(|line| is_row(&line)), "{name}: {error:?} is not published");
	}
}

#[test]
fn odd_algorithms_are_refused() {
	let folder = folder::vectors("custom");
	let files: BTreeMap<_, _> = read(&folder).into_iter().collect();
	for (name, error) in [
		("ecdsa_null_alg", Error::AlgorithmUnsupported),
		("mismatch_inner_outer_sig_algorithm", Error::AlgorithmMismatch),
		("rsa_pss_cert", Error::PublicKeyUnsupported),
		("rsa_pss_cert_invalid_mgf", Error::AlgorithmMismatch),
		("rsa_pss_cert_no_sig_params", Error::AlgorithmMismatch),
		("dsa_selfsigned_ca", Error::AlgorithmUnsupported),
		("ec_no_named_curve", Error::CertificateVersionUnsupported),
	] {
		assert_eq!(Certificate::from_der(&files[name]).err(), Some(error), "{name}");
	}
}

#[test]
fn requests_are_accepted_only_with_a_proof_of_today() {
	let folder = folder::vectors("requests");
	let mut accepted: Vec<_> = read(&folder)
		.into_iter()
		.filter(|(_, der)| CertificationRequest::verify(&Pure, der).is_ok())
		.map(|(name, _)| name)
		.collect();
	accepted.dedup();
	assert_eq!(accepted, REQUESTS);
}
