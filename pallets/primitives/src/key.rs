//! Public keys: their types, purposes and shapes.

use crate::{
	Moment,
	ids::{DeviceId, KeyId},
	revocation::Revocation,
	status::{Standing, Validity},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest public key that a record can hold: the DER `SubjectPublicKeyInfo` of RSA-4096 (550 bytes), rounded up.
pub const MAX_PUBLIC_KEY_LEN: u32 = 560;

/// The algorithm of a public key, which also fixes the one accepted encoding of its bytes.
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
pub enum KeyType {
	/// Ed25519 (RFC 8032): 32 bytes.
	#[codec(index = 0)]
	Ed25519,
	/// sr25519 (Schnorrkel): 32 bytes.
	#[codec(index = 1)]
	Sr25519,
	/// ECDSA over secp256k1: compressed SEC 1 point, 33 bytes.
	#[codec(index = 2)]
	Secp256k1,
	/// ECDSA over P-256: compressed SEC 1 point, 33 bytes.
	#[codec(index = 3)]
	P256,
	/// X25519 (RFC 7748), for key agreement only: 32 bytes, the `u`-coordinate below 2^255 - 19. It signs one thing,
	/// the proof of its own possession, by XEdDSA (see [`crate::context`]).
	#[codec(index = 4)]
	X25519,
}

impl KeyType {
	/// Every type.
	pub const ALL: [KeyType; 5] =
		[KeyType::Ed25519, KeyType::Sr25519, KeyType::Secp256k1, KeyType::P256, KeyType::X25519];

	/// The type in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			KeyType::Ed25519 => "ed25519",
			KeyType::Sr25519 => "sr25519",
			KeyType::Secp256k1 => "secp256k1",
			KeyType::P256 => "p256",
			KeyType::X25519 => "x25519",
		}
	}

	/// The exact length of a public key of this type, in bytes.
	pub const fn public_len(self) -> usize {
		match self {
			KeyType::Ed25519 | KeyType::Sr25519 | KeyType::X25519 => 32,
			KeyType::Secp256k1 | KeyType::P256 => 33,
		}
	}

	/// Whether keys of this type are made for signing.
	pub const fn can_sign(self) -> bool {
		!matches!(self, KeyType::X25519)
	}
}

/// What a key of a device is for. A key serves one purpose only.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum KeyPurpose {
	/// Signs what the device says to the chain.
	#[codec(index = 0)]
	Sign,
	/// Receives deliveries and agrees on session keys.
	#[codec(index = 1)]
	KeyAgreement,
	/// Authenticates TLS.
	#[codec(index = 2)]
	Tls,
	/// Is the SSH host key.
	#[codec(index = 3)]
	Ssh,
}

impl KeyPurpose {
	/// Every purpose.
	pub const ALL: [KeyPurpose; 4] =
		[KeyPurpose::Sign, KeyPurpose::KeyAgreement, KeyPurpose::Tls, KeyPurpose::Ssh];

	/// The purpose in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			KeyPurpose::Sign => "sign",
			KeyPurpose::KeyAgreement => "key-agreement",
			KeyPurpose::Tls => "tls",
			KeyPurpose::Ssh => "ssh",
		}
	}

	/// Whether a key of this type can serve this purpose.
	pub const fn allows(self, key_type: KeyType) -> bool {
		match self {
			KeyPurpose::KeyAgreement => matches!(key_type, KeyType::X25519),
			KeyPurpose::Sign => key_type.can_sign(),
			KeyPurpose::Tls | KeyPurpose::Ssh => {
				matches!(key_type, KeyType::Ed25519 | KeyType::P256)
			},
		}
	}
}

/// A public key.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PublicKey {
	/// Its algorithm.
	pub key_type: KeyType,
	/// Its bytes in the encoding that [`KeyType`] names.
	pub bytes: BoundedVec<u8, ConstU32<MAX_PUBLIC_KEY_LEN>>,
}

impl PublicKey {
	/// A key from its parts; `None` if `bytes` has not the length of its type.
	pub fn new(key_type: KeyType, bytes: &[u8]) -> Option<Self> {
		let key = Self { key_type, bytes: bytes.to_vec().try_into().ok()? };
		key.has_valid_len().then_some(key)
	}

	/// Whether the bytes have the length that the type asks for.
	pub fn has_valid_len(&self) -> bool {
		self.bytes.len() == self.key_type.public_len()
	}
}

/// Longest signature in bytes: RSA-4096.
pub const MAX_SIGNATURE_LEN: u32 = 512;

/// A signature in the encoding that [`crate::context`] names for the type of the key.
pub type Signature = BoundedVec<u8, ConstU32<MAX_SIGNATURE_LEN>>;

/// A key that asks to be registered.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct NewKey {
	/// What it is for.
	pub purpose: KeyPurpose,
	/// The key.
	pub public: PublicKey,
	/// Last moment at which it may be used; `None` means no end.
	pub not_after: Option<Moment>,
	/// Signature over [`Action::PossessKey`](crate::context::Action::PossessKey), by the key itself.
	pub possession: Signature,
}

/// The word of a device that a further key may speak for it. Without it a registrar alone could put words into the
/// mouth of a device, by registering a key that the registrar holds.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Consent {
	/// Which key of the device consents: one for [`KeyPurpose::Sign`] that is valid now.
	pub key: KeyId,
	/// Its signature over [`Action::AdmitKey`](crate::context::Action::AdmitKey).
	pub signature: Signature,
}

/// A key of a device, as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct KeyRecord {
	/// Whose key it is.
	pub device: DeviceId,
	/// What it is for.
	pub purpose: KeyPurpose,
	/// The key.
	pub public: PublicKey,
	/// When it may be used.
	pub validity: Validity,
	/// When it was registered.
	pub registered_at: Moment,
	/// Whether a newer key of the device took its place. Reserved for rotation: nothing sets it yet.
	pub superseded: bool,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
}

impl KeyRecord {
	/// What [`crate::status::status`] needs of this record.
	pub fn standing(&self) -> Standing {
		Standing {
			validity: self.validity,
			suspended: false,
			superseded: self.superseded,
			revocation: self.revocation,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_key_of_the_wrong_length_is_refused() {
		assert!(PublicKey::new(KeyType::Ed25519, &[1; 32]).is_some());
		for len in [0, 31, 33, 64, 1000] {
			assert!(PublicKey::new(KeyType::Ed25519, &alloc::vec![1; len]).is_none(), "{len}");
		}
	}

	#[test]
	fn each_type_and_each_purpose_has_a_word_of_its_own() {
		crate::assert_distinct_words(&KeyType::ALL.map(KeyType::name));
		crate::assert_distinct_words(&KeyPurpose::ALL.map(KeyPurpose::name));
	}

	#[test]
	fn an_agreement_key_can_neither_sign_nor_authenticate() {
		for purpose in [KeyPurpose::Sign, KeyPurpose::Tls, KeyPurpose::Ssh] {
			assert!(!purpose.allows(KeyType::X25519));
		}
		assert!(KeyPurpose::KeyAgreement.allows(KeyType::X25519));
		assert!(!KeyPurpose::KeyAgreement.allows(KeyType::Ed25519));
	}
}
