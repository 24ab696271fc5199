//! What clients get from peers and people in forms of others, or behind a checksum that damage does not get past: archives of
//! blocks, messages of Bitswap, revocation lists of SSH, vouchers, requests of devices.

use codec::{DecodeAll, Encode};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use dpki_bitswap::frame;
use dpki_client::{
	Voucher,
	blob::car,
	device_request::{DeviceRequest, Wanted},
	krl::Krl,
	primitives::{
		filing::FilingKind,
		ids::BlobDigest,
		revocation::{SshRevocation, SshSubject},
	},
};
use futures::{executor::block_on, io::Cursor};
use sha2::{Digest, Sha256};

/// What the archive and the messages among the seeds hold.
pub const BLOB: &[u8] = b"a sealed state of a device";

/// Longest message that is read.
const MAX_MESSAGE_LEN: usize = 64 * 1024;

/// Bytes as an archive of one block, which is asked for by its name.
pub fn archive(data: &[u8]) {
	let digest = BlobDigest(Sha256::digest(BLOB).into());
	if let Ok(block) = car::block(digest, data) {
		assert!(block.len() + car::OVERHEAD <= data.len() + 10, "there is more than was sent");
		assert!(block.is_empty() || data.windows(block.len()).any(|part| part == block));
	}
	// Of another root nothing is taken, wherever the block stands.
	let other = BlobDigest([0; 32]);
	assert!(car::block(other, data).is_err() || data.windows(32).any(|part| part == [0; 32]));
}

/// Bytes as a stream of messages. What is read is written as something that is read in the same way.
pub fn bitswap(data: &[u8]) {
	let mut stream = Cursor::new(data);
	while let Ok(Some(message)) = block_on(frame::read(&mut stream, MAX_MESSAGE_LEN)) {
		let mut again = Cursor::new(Vec::new());
		block_on(frame::write(&mut again, &message)).expect("there is room");
		let again = again.into_inner();
		let read = block_on(frame::read(&mut Cursor::new(again), usize::MAX));
		assert_eq!(read.expect("it was written"), Some(message), "one message, two meanings");
	}
}

/// Bytes as a revocation list of SSH, and as a page of the one that the chain has.
pub fn krl(data: &[u8]) {
	if let Ok(list) = Krl::decode(data) {
		let written = list.encode();
		let again = Krl::decode(&written).expect("it was written");
		assert_eq!(again.fingerprints, list.fingerprints);
		for (ca, serials) in &list.serials {
			let kept = again.serials.get(ca).map_or(0, |kept| kept.len());
			// Zero is what unnumbered certificates carry.
			assert_eq!(kept, serials.iter().filter(|serial| **serial != 0).count());
		}
		assert_eq!(again.encode(), written, "one list, two encodings");
	}
	let Ok(page) = Vec::<SshRevocation>::decode_all(&mut &data[..]) else { return };
	let mut list = Krl::default();
	list.add(b"ca", &page);
	let again = Krl::decode(&list.encode()).expect("it was written");
	for entry in page {
		let is_listed = match entry.subject {
			SshSubject::Serial(0) => continue,
			SshSubject::Serial(serial) => {
				again.serials.get(&b"ca"[..]).is_some_and(|all| all.contains(&serial))
			},
			SshSubject::KeyFingerprint(print) => again.fingerprints.contains(&print),
		};
		assert!(is_listed, "{entry:?} is revoked on the chain and not in the list");
	}
}

/// Bytes as what is inside of a voucher, behind a checksum that is right. There is one way to write each.
pub fn voucher(data: &[u8]) {
	const PREFIX: &str = "dpki-voucher1:";
	let sum = Sha256::new().chain_update(PREFIX).chain_update(data).finalize();
	let text = BASE32_NOPAD.encode(&[data, &sum[..4]].concat());
	if let Ok(voucher) = format!("{PREFIX}{text}").parse::<Voucher>() {
		assert_eq!(voucher.to_text().as_str(), format!("{PREFIX}{}", text.to_ascii_lowercase()));
	}
}

/// Bytes as what is inside of a request of a device, and as the body of one that was filed on the chain.
pub fn device_request(data: &[u8]) {
	let text = format!("dpki-request1:{}", BASE64URL_NOPAD.encode(data));
	if let Ok(request) = text.parse::<DeviceRequest>() {
		assert_eq!(request.to_string(), text, "one request, two texts");
		let _ = request.verify(request.genesis, &key(), request.expires_at);
	}
	let service = b"web".to_vec().try_into().expect("a short name");
	let login = b"ops".to_vec().try_into().expect("a short name");
	for kind in [FilingKind::SshHost, FilingKind::Tls { service }, FilingKind::SshUser { login }] {
		let Ok(wanted) = Wanted::from_filing(&kind, data) else { continue };
		// What is too long was not filed.
		if let Ok((again, body)) = wanted.filing() {
			assert_eq!((again, body.as_slice()), (kind, data), "one filing, two bodies");
		}
		assert_eq!(Wanted::decode_all(&mut &wanted.encode()[..]).as_ref(), Ok(&wanted));
	}
}

fn key() -> dpki_client::primitives::key::PublicKey {
	use dpki_client::primitives::key::{KeyType, PublicKey};
	PublicKey::new(KeyType::Ed25519, &[1; 32]).expect("32 bytes")
}
