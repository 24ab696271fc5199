//! Deliveries: encrypted bundles for devices, and what both ends bind them to.

use crate::{
	Moment,
	ids::{BlobDigest, DeviceId, KeyId, OrganisationId},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest ciphertext in bytes: 64 KiB, one raw IPFS block.
pub const MAX_BLOB_LEN: u32 = 64 * 1024;

/// Shortest ciphertext in bytes: the 32-byte encapsulated key and the 16-byte tag of [`Suite::X25519ChaCha20Poly1305`].
pub const MIN_BLOB_LEN: u32 = 48;

/// The furthest that a sequence number may lie above the one before it. Numbers only rise, so a publisher who took the
/// last one there is would leave none for anybody after him.
pub const MAX_SEQUENCE_STEP: u64 = u32::MAX as u64;

/// The HPKE suite of an envelope (RFC 9180).
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
}

/// The newest delivery of a device, as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DeliveryRecord {
	/// The organisation in whose name it was published; always that of the device.
	pub organisation: OrganisationId,
	/// The account that published it.
	pub publisher: [u8; 32],
	/// Rises with every delivery to the device.
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
	/// What the envelope has to be bound to for this record.
	pub fn binding(&self, genesis: [u8; 32], device: DeviceId) -> DeliveryBinding {
		DeliveryBinding {
			genesis,
			organisation: self.organisation,
			publisher: self.publisher,
			device,
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

/// The newest acknowledgement of a device, as stored.
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
