//! Cuts bytes into certificates and builds a path from them with signatures that all verify, so that what lies behind
//! a signature is reached: nothing may panic, and the search has to end.
#![no_main]

use dpki_x509::{Certificate, Hash, Pool, Profile, Rules, Verifier, build};
use libfuzzer_sys::fuzz_target;

/// A host that takes every signature.
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

fuzz_target!(|data: &[u8]| {
	let mut certificates = Vec::new();
	let mut rest = data;
	while let [0x30, 0x82, high, low, ..] = *rest {
		let len = 4 + usize::from(u16::from_be_bytes([high, low]));
		let Some((der, after)) = rest.split_at_checked(len) else { break };
		certificates.extend(Certificate::from_der(der));
		rest = after;
	}
	let Some((leaf, others)) = certificates.split_last() else { return };
	for profile in [Profile::Rfc5280, Profile::Matter, Profile::IdevId, Profile::TlsServer] {
		let rules = Rules { profile, ..Rules::at(1_750_000_000) };
		let anchors = others.get(..1).unwrap_or_default();
		let _ = build(&Careless, Pool { anchors, intermediates: others }, leaf, &rules);
	}
});
