//! The verdict beside those of `rustls-webpki` (on ring), `x509-parser` and `openssl verify -x509_strict`.
//!
//! Two statements are tested. On paths with one known flaw each, every validator either agrees or is listed with its
//! reason. On certificates that were changed byte by byte and signed again, nothing is accepted here that another
//! validator refuses, except where that is listed. The runtime's verdict on the same paths is held beside the same
//! validators by `runtime/tests/runtime/x509/differential.rs`.

#[path = "common/chains.rs"]
mod chains;

use chains::{
	Chain, DIFFERENCES, OPENSSL, PARSER, WEBPKI, cases, chain,
	common::{Draft, NOT_AFTER, NOW, World, dns},
	differs_in_letters, folder, names_another_key, same, sign_raw,
};
use dpki_x509::{Certificate, Pure, Rules, validate};
use rcgen::{
	BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey,
};
use x509_cert::der::Encode;

fn is_accepted_here(chain: &Chain) -> bool {
	let read = Certificate::from_der;
	let (Ok(root), Ok(ca), Ok(device)) = (read(&chain.root), read(&chain.ca), read(&chain.device))
	else {
		return false;
	};
	validate(&Pure, &root, &[&ca, &device], &Rules::at(chain.at)).is_ok()
}

#[test]
fn each_difference_to_other_validators_is_listed() {
	let folder = folder("cases");
	let mut found = Vec::new();
	for (name, chain) in cases() {
		let here = is_accepted_here(&chain);
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
		let chain = Chain { device: der, ..base.clone() };
		if !is_accepted_here(&chain) {
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
	Chain { root, ca, device, at: NOW }
}

#[test]
fn certificates_that_others_make_are_accepted_by_all() {
	let folder = folder("algorithms");
	for algorithm in
		[&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384]
	{
		let key = || KeyPair::generate_for(algorithm).unwrap();
		let chain = rcgen_chain(key(), &key(), &key());
		assert!(is_accepted_here(&chain), "{algorithm:?}");
		assert!(chain.is_accepted_by_webpki(), "{algorithm:?}");
		assert!(chain.is_accepted_by_parser(), "{algorithm:?}");
		assert!(chain.is_accepted_by_openssl(&folder), "{algorithm:?}");
	}
	std::fs::remove_dir_all(&folder).unwrap();
}
