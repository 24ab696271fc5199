//! Reads bytes as everything that is read: nothing may panic.
#![no_main]

use dpki_x509::{
	Certificate, Profile, Pure, crl::RevocationList, request::CertificationRequest, verify_root,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
	if let Ok(certificate) = Certificate::from_der(der) {
		assert_eq!(certificate.der(), der);
	}
	let _ = RevocationList::from_der(der);
	let _ = CertificationRequest::verify(&Pure, der);
	for profile in [Profile::Rfc5280, Profile::Matter, Profile::IdevId, Profile::TlsServer] {
		let _ = verify_root(&Pure, der, profile);
	}
});
