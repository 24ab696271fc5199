//! Deliveries: encrypted bundles for devices, and what both ends bind them to.

use crate::{
	Moment,
	channel::ChannelId,
	ids::{BlobDigest, DeliveryId, DeviceId, KeyId, OrganisationId},
	key::KeyType,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest ciphertext in bytes: 64 KiB, one raw IPFS block.
pub const MAX_BLOB_LEN: u32 = 64 * 1024;

/// Shortest ciphertext in bytes under any suite: the 32-byte encapsulated key and the 16-byte tag of
/// [`Suite::X25519ChaCha20Poly1305`].
pub const MIN_BLOB_LEN: u32 = 48;

/// Most recipients of one shared envelope.
pub const MAX_RECIPIENTS: u32 = 256;

/// The furthest that a sequence number may lie above the one before it. Numbers only rise, so a publisher who took the
/// last one there is would leave none for anybody after him.
pub const MAX_SEQUENCE_STEP: u64 = u32::MAX as u64;

/// How an envelope is encrypted: the HPKE suite (RFC 9180), and for how many recipients.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Suite {
	/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, Base mode: RFC 9180 section 7 ids 0x0020, 0x0001,
	/// 0x0003. The envelope is `enc` (32 bytes) followed by the ciphertext with its tag.
	#[codec(index = 1)]
	X25519ChaCha20Poly1305,
	/// X-Wing (draft-connolly-cfrg-xwing-kem), HKDF-SHA256, ChaCha20-Poly1305, Base mode: the HPKE ids 0x647A, 0x0001,
	/// 0x0003. The envelope is `enc` (1,120 bytes) followed by the ciphertext with its tag. For secrets that have to stay
	/// secret when quantum computers can read what is on the chain today.
	#[codec(index = 2)]
	XWingChaCha20Poly1305,
	/// One content for many devices: encrypted once with a random key, which is encrypted to each of them with the suite
	/// [`Suite::X25519ChaCha20Poly1305`]. Whoever is given the content key can check what all of them will read.
	#[codec(index = 3)]
	SharedX25519,
	/// As [`Suite::SharedX25519`], to keys of the suite [`Suite::XWingChaCha20Poly1305`].
	#[codec(index = 4)]
	SharedXWing,
}

impl Suite {
	/// Every suite.
	pub const ALL: [Suite; 4] = [
		Suite::X25519ChaCha20Poly1305,
		Suite::XWingChaCha20Poly1305,
		Suite::SharedX25519,
		Suite::SharedXWing,
	];

	/// The type of key to which envelopes of this suite are encrypted.
	pub const fn recipient_type(self) -> KeyType {
		match self {
			Suite::X25519ChaCha20Poly1305 | Suite::SharedX25519 => KeyType::X25519,
			Suite::XWingChaCha20Poly1305 | Suite::SharedXWing => KeyType::XWing,
		}
	}

	/// Whether the content is encrypted with a key that is encrypted to each recipient.
	pub const fn is_shared(self) -> bool {
		matches!(self, Suite::SharedX25519 | Suite::SharedXWing)
	}

	/// Length of an encapsulated key of this suite in bytes.
	pub const fn enc_len(self) -> u32 {
		match self.recipient_type() {
			KeyType::XWing => 1120,
			_ => 32,
		}
	}

	/// Shortest envelope of this suite in bytes.
	pub const fn min_len(self) -> u32 {
		if self.is_shared() {
			SHARED_HEADER_LEN + self.slot_len() + TAG_LEN
		} else {
			self.enc_len() + TAG_LEN
		}
	}

	/// Length in bytes of what a shared envelope holds for each recipient: the beginning of the id of its key, the
	/// encapsulated key, and the content key with its tag.
	pub const fn slot_len(self) -> u32 {
		SLOT_NAME_LEN + self.enc_len() + 32 + TAG_LEN
	}
}

/// Length of the tag of ChaCha20-Poly1305 in bytes.
pub const TAG_LEN: u32 = 16;

/// Length in bytes of what a shared envelope begins with: version, number of recipients, and the commitment to the key.
pub const SHARED_HEADER_LEN: u32 = 1 + 2 + 32;

/// How many bytes of the id of its key name a recipient in a shared envelope. The ids are public in the records anyway.
pub const SLOT_NAME_LEN: u32 = 8;

/// One device for which a shared envelope is.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Recipient {
	/// Which device.
	pub device: DeviceId,
	/// The number of the delivery for it.
	pub sequence: u64,
	/// The key of the device to which the content key is encrypted.
	pub key: KeyId,
}

/// The devices for which a shared envelope is.
pub type Recipients = BoundedVec<Recipient, ConstU32<MAX_RECIPIENTS>>;

/// Where a delivery of some number stands on a channel of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryStanding {
	/// It is the newest one, or waits for approvals that may still come.
	Stands,
	/// A newer one has taken its place, or its number is below that of one and was never used.
	Outdated,
	/// There is none: nobody has published it, it was withdrawn, or the time for its approvals is over.
	Missing,
}

impl DeliveryStanding {
	/// That of the delivery with this number, where these are the numbers of the newest one and of the one that can still be
	/// approved, if there are such.
	pub fn of(sequence: u64, newest: Option<u64>, waiting: Option<u64>) -> Self {
		let is_last = |last: Option<u64>| last == Some(sequence);
		let is_before = |last: Option<u64>| last.is_some_and(|last| sequence < last);
		match sequence {
			0 => Self::Missing,
			_ if is_last(newest) || is_last(waiting) => Self::Stands,
			_ if is_before(newest) || is_before(waiting) => Self::Outdated,
			_ => Self::Missing,
		}
	}
}

/// The deliveries of devices, as other pallets see them.
pub trait DeliveryRegister {
	/// Where the delivery with this number stands on a channel of a device.
	fn standing(device: DeviceId, channel: ChannelId, sequence: u64) -> DeliveryStanding;

	/// Stores a delivery of this number that waits for approvals, unchecked; for benchmarks of other pallets. That is where looking
	/// for it takes longest.
	#[cfg(feature = "runtime-benchmarks")]
	fn propose_for_benchmark(device: DeviceId, channel: ChannelId, sequence: u64);
}

/// The newest delivery of a device on a channel, as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DeliveryRecord {
	/// The organisation in whose name it was published; always that of the device.
	pub organisation: OrganisationId,
	/// The account that published it.
	pub publisher: [u8; 32],
	/// Rises with every delivery to the device on the channel.
	pub sequence: u64,
	/// How it is encrypted.
	pub suite: Suite,
	/// The device key that it is encrypted to.
	pub recipient: KeyId,
	/// The SHA2-256 of the envelope, which names the blob.
	pub digest: BlobDigest,
	/// The length of the envelope in bytes.
	pub length: u32,
	/// When it was published.
	pub published_at: Moment,
}

impl DeliveryRecord {
	/// What names this delivery in its place, so that whoever approves it approves exactly what was looked at: the hash of
	/// the device, the channel, the organisation, the publisher, the sequence number, the suite, the recipient key, and the
	/// digest and the length of the envelope. When it was published is no part of it, so that it is known before.
	pub fn id(&self, device: DeviceId, channel: ChannelId) -> DeliveryId {
		let Self { organisation, publisher, sequence, suite, recipient, digest, length, .. } = self;
		let place = (device, channel, organisation, publisher, sequence);
		DeliveryId::of(&(place, suite, recipient, digest, length))
	}

	/// What the envelope has to be bound to for this record.
	pub fn binding(
		&self,
		genesis: [u8; 32],
		device: DeviceId,
		channel: ChannelId,
	) -> DeliveryBinding {
		DeliveryBinding {
			genesis,
			organisation: self.organisation,
			publisher: self.publisher,
			device,
			channel,
			recipient: self.recipient,
			suite: self.suite,
			sequence: self.sequence,
		}
	}
}

/// What an envelope is bound to, as the `aad` of HPKE. The publisher fixes it before sealing; the device rebuilds
/// it from the record that it has proven, so that an envelope opens only in the place it was made for.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub struct DeliveryBinding {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// The organisation in whose name it is published.
	pub organisation: OrganisationId,
	/// The account that publishes it.
	pub publisher: [u8; 32],
	/// The device that it is for.
	pub device: DeviceId,
	/// The channel on which it is published.
	pub channel: ChannelId,
	/// The device key that it is encrypted to.
	pub recipient: KeyId,
	/// How it is encrypted.
	pub suite: Suite,
	/// Its sequence number.
	pub sequence: u64,
}

impl DeliveryBinding {
	/// The `info` string of HPKE: it separates this use of the recipient's key from every other.
	pub const INFO: &'static [u8] = b"dpki/delivery/1";

	/// The `aad` of HPKE.
	pub fn aad(&self) -> Vec<u8> {
		self.encode()
	}
}

/// Why a device did not apply a delivery.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum RefusalReason {
	/// The blob could not be fetched, or is not the one that the record names.
	#[codec(index = 0)]
	BlobUnavailable,
	/// The envelope does not open under the key and the binding of the record.
	#[codec(index = 1)]
	EnvelopeInvalid,
	/// The bundle inside is malformed, or names something that the device has not, or that is not valid.
	#[codec(index = 2)]
	BundleInvalid,
	/// The new state did not pass its test, and the old one was kept.
	#[codec(index = 3)]
	ApplyFailed,
	/// Approvals that the policy of the organisation asks for are not there.
	#[codec(index = 4)]
	ApprovalMissing,
	/// It claims what a delivery on a lower channel has in force, with another content. It is not tried again.
	#[codec(index = 5)]
	ChannelConflict,
	/// The device obeys no delivery on this channel.
	#[codec(index = 6)]
	ChannelIgnored,
}

/// What became of a delivery on the device.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Outcome {
	/// It is in force.
	#[codec(index = 0)]
	Applied,
	/// It is not; the state before it still is.
	#[codec(index = 1)]
	Refused(RefusalReason),
}

/// The newest acknowledgement of a device on a channel, as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Acknowledgement {
	/// Which delivery.
	pub sequence: u64,
	/// Which blob.
	pub digest: BlobDigest,
	/// What became of it.
	pub outcome: Outcome,
	/// When the chain learnt of it.
	pub at: Moment,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::key::KeyPurpose;

	#[test]
	fn a_delivery_stands_if_it_is_the_newest_or_waits() {
		use DeliveryStanding::{Missing, Outdated, Stands};
		for (sequence, newest, waiting, expected) in [
			(0, None, None, Missing),
			(0, Some(5), Some(7), Missing),
			(1, None, None, Missing),
			(5, Some(5), None, Stands),
			(5, Some(5), Some(7), Stands),
			(7, Some(5), Some(7), Stands),
			(1, None, Some(1), Stands),
			(4, Some(5), None, Outdated),
			(6, Some(5), Some(7), Outdated),
			(6, Some(5), None, Missing),
			(8, Some(5), Some(7), Missing),
		] {
			let found = DeliveryStanding::of(sequence, newest, waiting);
			assert_eq!(found, expected, "{sequence} where {newest:?} and {waiting:?} are");
		}
	}

	#[test]
	fn every_suite_encrypts_to_keys_for_agreement() {
		for suite in Suite::ALL {
			assert!(KeyPurpose::KeyAgreement.allows(suite.recipient_type()), "{suite:?}");
			assert!((MIN_BLOB_LEN..MAX_BLOB_LEN).contains(&suite.min_len()), "{suite:?}");
		}
	}

	#[test]
	fn every_part_of_a_record_but_its_time_is_part_of_its_id() {
		let record = DeliveryRecord {
			organisation: OrganisationId([1; 32]),
			publisher: [2; 32],
			sequence: 3,
			suite: Suite::X25519ChaCha20Poly1305,
			recipient: KeyId([4; 32]),
			digest: BlobDigest([5; 32]),
			length: 6,
			published_at: 7,
		};
		let (device, channel) = (DeviceId([8; 32]), ChannelId::DEFAULT);
		let id = record.id(device, channel);
		let changes: [fn(&mut DeliveryRecord); 7] = [
			|record| record.organisation = OrganisationId([9; 32]),
			|record| record.publisher = [9; 32],
			|record| record.sequence = 9,
			|record| record.suite = Suite::SharedX25519,
			|record| record.recipient = KeyId([9; 32]),
			|record| record.digest = BlobDigest([9; 32]),
			|record| record.length = 9,
		];
		for change in changes {
			let mut other = record.clone();
			change(&mut other);
			assert_ne!(other.id(device, channel), id, "{other:?}");
		}
		assert_ne!(record.id(DeviceId([9; 32]), channel), id);
		assert_ne!(record.id(device, ChannelId::new(1).unwrap()), id);
		let later = DeliveryRecord { published_at: 9, ..record };
		assert_eq!(later.id(device, channel), id);
	}

	#[test]
	fn the_most_recipients_leave_room_for_content() {
		let slots = MAX_RECIPIENTS * Suite::SharedX25519.slot_len();
		assert!(SHARED_HEADER_LEN + slots + TAG_LEN + 32 * 1024 < MAX_BLOB_LEN);
	}

	#[test]
	fn suites_keep_their_numbers() {
		assert_eq!(Suite::ALL.map(|suite| suite.encode()), [[1u8], [2], [3], [4]].map(Vec::from));
	}
}
