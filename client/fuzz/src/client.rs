//! Clients and devices: what comes out of the chain, a QR code or a file.

use dpki_client::{
	Content, Voucher,
	carrier::{file::Contents, http::route::Route},
	envelope as sealed,
	possession::AgreementKey,
	primitives::{
		channel::ChannelId,
		delivery::{DeliveryBinding, Suite},
		ids::{DeviceId, KeyId, OrganisationId},
	},
	ssh,
};
use std::path::Path;

/// Bytes as an envelope for a device. The seeds were sealed to it; nothing else opens.
pub fn envelope(data: &[u8]) {
	let secret = AgreementKey::from_secret_bytes(&[7; 32]);
	let binding = DeliveryBinding {
		genesis: [1; 32],
		organisation: OrganisationId([2; 32]),
		publisher: [3; 32],
		device: DeviceId([4; 32]),
		channel: ChannelId::DEFAULT,
		recipient: KeyId::of(&secret.public()),
		suite: Suite::X25519ChaCha20Poly1305,
		sequence: 5,
	};
	if let Ok(plaintext) = sealed::open(&secret, &binding, data) {
		assert_eq!(plaintext.as_slice(), b"state", "a forged envelope opens");
	}
	let other = DeliveryBinding { sequence: 6, ..binding.clone() };
	assert!(sealed::open(&secret, &other, data).is_err(), "it opens as another delivery");
	for suite in Suite::ALL.into_iter().skip(1) {
		let other = DeliveryBinding { suite, ..binding.clone() };
		assert!(sealed::open(&secret, &other, data).is_err(), "it opens under another suite");
	}
}

/// Bytes as the desired state of a device. What is read is written in the same way, but for parts that were left out.
pub fn desired_state(data: &[u8]) {
	if let Ok(content) = Content::decode(data) {
		let again = match content.signature {
			Some(signature) => content.bundle.encode_signed(|_| signature),
			None => content.bundle.encode(),
		};
		let again = again.expect("it keeps the rules, as it was read");
		if content.skipped.is_empty() {
			assert_eq!(again.as_slice(), data, "one state, two encodings");
		}
	}
}

/// Bytes as a file of a proof bundle, and as the path that a gateway is asked for. There is one way to write each.
pub fn carried(data: &[u8]) {
	if let Ok(contents) = Contents::decode(data, Path::new("input")) {
		assert_eq!(contents.encode(), data, "one file, two encodings");
	}
	let Ok(text) = std::str::from_utf8(data) else { return };
	let (path, query) = match text.split_once('?') {
		Some((path, query)) => (path, Some(query)),
		None => (text, None),
	};
	if let Ok(route) = Route::parse(path, query) {
		assert_eq!(route.to_string(), text, "one question, two paths");
	}
}

/// Bytes as text that people bring: a voucher, the line of a CA, a private key.
pub fn text(data: &[u8]) {
	let Ok(text) = std::str::from_utf8(data) else { return };
	if let Ok(voucher) = text.parse::<Voucher>() {
		let again: Voucher = voucher.to_text().parse().expect("it was written");
		assert_eq!(again.id(), voucher.id());
	}
	if let Ok(ca) = ssh::parse_ca(text) {
		let again = ssh::key_from_material(&ca.material).expect("it was written");
		assert_eq!(again.key_data(), ca.key.key_data());
	}
	let _ = ssh::load_private(text, None);
}
