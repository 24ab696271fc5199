//! What two people compare when a device is enrolled without a voucher.
//!
//! Without a voucher nothing ties the keys of a request to the device that stands in the workshop: whoever is first to ask
//! can ask for other keys under its name. So the device shows a fingerprint of its keys, as text or as a QR code, and the
//! registrar compares it with that of the request before approving it.

use codec::Encode;
use data_encoding::BASE32_NOPAD;
use dpki_primitives::{
	ids::{DeviceId, KeyId},
	key::KeyPurpose,
};
use sha2::{Digest, Sha256};

/// Separates these hashes from all others.
const DOMAIN: &[u8] = b"dpki/enrolment/1";

/// Bytes of the hash that are shown: 160 bits, so that nobody finds other keys with the same fingerprint, and 32
/// letters, which can be read aloud.
const LEN: usize = 20;

/// The fingerprint of the keys with which a device is enrolled, in eight groups of four letters and digits. Their order does
/// not matter.
pub fn enrolment_fingerprint(device: DeviceId, keys: &[(KeyPurpose, KeyId)]) -> String {
	let mut keys = keys.to_vec();
	keys.sort();
	let hash = Sha256::digest((DOMAIN, device, keys).encode());
	let text = BASE32_NOPAD.encode(&hash[..LEN]);
	let groups: Vec<&str> = (0..text.len()).step_by(4).map(|at| &text[at..at + 4]).collect();
	groups.join("-")
}

/// Whether two fingerprints are the same, however they were typed.
pub fn is_same_fingerprint(one: &str, other: &str) -> bool {
	let plain = |text: &str| -> String {
		text.chars()
			.filter(char::is_ascii_alphanumeric)
			.map(|letter| letter.to_ascii_uppercase())
			.collect()
	};
	!plain(one).is_empty() && plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn keys() -> Vec<(KeyPurpose, KeyId)> {
		vec![(KeyPurpose::Sign, KeyId([1; 32])), (KeyPurpose::KeyAgreement, KeyId([2; 32]))]
	}

	#[test]
	fn a_fingerprint_is_one_of_exactly_these_keys_for_exactly_this_device() {
		let device = DeviceId([3; 32]);
		let text = enrolment_fingerprint(device, &keys());
		assert_eq!((text.len(), text.split('-').count()), (39, 8), "{text}");
		let mut turned = keys();
		turned.reverse();
		assert_eq!(enrolment_fingerprint(device, &turned), text);
		assert_ne!(enrolment_fingerprint(DeviceId([4; 32]), &keys()), text);
		assert_ne!(enrolment_fingerprint(device, &keys()[..1]), text);
		let mut other = keys();
		other[1].1 = KeyId([9; 32]);
		assert_ne!(enrolment_fingerprint(device, &other), text);
		let mut swapped = keys();
		(swapped[0].0, swapped[1].0) = (swapped[1].0, swapped[0].0);
		assert_ne!(enrolment_fingerprint(device, &swapped), text);
	}

	#[test]
	fn a_fingerprint_is_compared_as_it_is_read_aloud() {
		let text = enrolment_fingerprint(DeviceId([3; 32]), &keys());
		assert!(is_same_fingerprint(&text, &text.to_lowercase().replace('-', " ")));
		assert!(!is_same_fingerprint(&text, &text[..text.len() - 1]));
		assert!(!is_same_fingerprint("", ""));
	}
}
