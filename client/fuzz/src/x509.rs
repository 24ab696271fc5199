//! X.509: certificates, requests, revocation lists, and the paths between certificates.

use dpki_x509::{
	Certificate, Hash, Pool, Profile, Pure, Rules, Verifier, build, crl::RevocationList,
	request::CertificationRequest, verify_root,
};

const PROFILES: [Profile; 4] = Profile::ALL;

/// A host that takes every signature, so that what lies behind one is reached.
struct Careless;

impl Verifier for Careless {
	fn ed25519(&self, _: &[u8; 32], _: &[u8], _: &[u8; 64]) -> bool {
		true
	}
	fn p256(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8; 64]) -> bool {
		true
	}
	fn p384(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8; 96]) -> bool {
		true
	}
	fn rsa_pkcs1(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8]) -> bool {
		true
	}
	fn rsa_pss(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8]) -> bool {
		true
	}
}

/// Bytes as a certificate, strictly, tolerantly and as a root of each profile. What is read strictly is read tolerantly,
/// and what is a root with real signatures is one with any.
pub fn certificate(der: &[u8]) {
	let strict = Certificate::from_der(der);
	if let Ok(certificate) = &strict {
		assert_eq!(certificate.der(), der, "a certificate is all of its bytes");
		assert!(Certificate::from_der_tolerant(der).is_ok(), "the strict reader takes more");
	}
	for profile in PROFILES {
		let careless = verify_root(&Careless, der, profile).is_ok();
		if verify_root(&Pure, der, profile).is_ok() {
			assert!(careless, "a good signature makes it worse");
		}
	}
}

/// Bytes as a PKCS#10 request.
pub fn request(der: &[u8]) {
	let careless = CertificationRequest::verify(&Careless, der).is_ok();
	if CertificationRequest::verify(&Pure, der).is_ok() {
		assert!(careless, "a good signature makes it worse");
	}
}

/// Bytes as a revocation list.
pub fn revocation_list(der: &[u8]) {
	if let Ok(list) = RevocationList::from_der(der) {
		let _ = list.validity().check(1_750_000_000);
	}
}

/// Bytes cut into certificates, and the search for a path between them, which has to end.
pub fn path(data: &[u8]) {
	let mut certificates = Vec::new();
	let mut rest = data;
	while let [0x30, 0x82, high, low, ..] = *rest {
		let len = 4 + usize::from(u16::from_be_bytes([high, low]));
		let Some((der, after)) = rest.split_at_checked(len) else { break };
		certificates.extend(Certificate::from_der(der));
		rest = after;
	}
	let Some((leaf, others)) = certificates.split_last() else { return };
	for profile in PROFILES {
		let rules = Rules { profile, ..Rules::at(1_750_000_000) };
		let anchors = others.get(..1).unwrap_or_default();
		let _ = build(&Careless, Pool { anchors, intermediates: others }, leaf, &rules);
	}
}
