//! Public keys: their types, purposes and shapes.

use crate::{
	Moment,
	ids::{DeviceId, KeyId},
	revocation::Withdrawal,
	status::{Standing, Validity},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::RangeInclusive;
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
	/// RSA with a modulus of 2048 to 4096 bits and the exponent 65537: the DER of PKCS#1 `RSAPublicKey` (RFC 8017
	/// appendix A.1.1), 270 to 526 bytes.
	#[codec(index = 5)]
	Rsa,
	/// ML-DSA-44 (FIPS 204), by the SHA2-256 of its public key in the encoding of that standard: 32 bytes.
	#[codec(index = 6)]
	MlDsa44,
	/// ML-DSA-65 (FIPS 204), by the SHA2-256 of its public key in the encoding of that standard: 32 bytes.
	#[codec(index = 7)]
	MlDsa65,
	/// ML-DSA-87 (FIPS 204), by the SHA2-256 of its public key in the encoding of that standard: 32 bytes.
	#[codec(index = 8)]
	MlDsa87,
	/// X-Wing (draft-connolly-cfrg-xwing-kem), by the SHA2-256 of its public key of 1216 bytes: 32 bytes.
	#[codec(index = 9)]
	XWing,
}

/// Fewest bits of the modulus of an RSA key.
pub const MIN_RSA_BITS: u16 = 2048;

/// Most bits of the modulus of an RSA key.
pub const MAX_RSA_BITS: u16 = 4096;

impl KeyType {
	/// Every type.
	pub const ALL: [KeyType; 10] = [
		KeyType::Ed25519,
		KeyType::Sr25519,
		KeyType::Secp256k1,
		KeyType::P256,
		KeyType::X25519,
		KeyType::Rsa,
		KeyType::MlDsa44,
		KeyType::MlDsa65,
		KeyType::MlDsa87,
		KeyType::XWing,
	];

	/// The type in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			KeyType::Ed25519 => "ed25519",
			KeyType::Sr25519 => "sr25519",
			KeyType::Secp256k1 => "secp256k1",
			KeyType::P256 => "p256",
			KeyType::X25519 => "x25519",
			KeyType::Rsa => "rsa",
			KeyType::MlDsa44 => "ml-dsa-44",
			KeyType::MlDsa65 => "ml-dsa-65",
			KeyType::MlDsa87 => "ml-dsa-87",
			KeyType::XWing => "x-wing",
		}
	}

	/// The lengths that the bytes of a public key of this type can have.
	pub const fn public_lens(self) -> RangeInclusive<usize> {
		match self {
			KeyType::Ed25519 | KeyType::Sr25519 | KeyType::X25519 => 32..=32,
			KeyType::Secp256k1 | KeyType::P256 => 33..=33,
			// Tag and length of the sequence and of the modulus, its leading zero, and five bytes for the exponent.
			KeyType::Rsa => {
				MIN_RSA_BITS as usize / 8 + 4 + 4 + 1 + 5
					..=MAX_RSA_BITS as usize / 8 + 4 + 4 + 1 + 5
			},
			KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 | KeyType::XWing => 32..=32,
		}
	}

	/// Whether keys of this type sign what is said to the chain. RSA keys sign elsewhere: what a device says is verified
	/// by every node before anybody has paid for it, and is short.
	pub const fn can_sign(self) -> bool {
		matches!(self, KeyType::Ed25519 | KeyType::Sr25519 | KeyType::Secp256k1 | KeyType::P256)
	}

	/// Whether the chain holds the hash of such a key in its place, because the key is too long for the state. Such a
	/// key cannot prove its possession: it is bound to its device by the word of one of the device's signing keys, and
	/// by nothing else.
	pub const fn is_hash(self) -> bool {
		matches!(self, KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 | KeyType::XWing)
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
			KeyPurpose::KeyAgreement => matches!(key_type, KeyType::X25519 | KeyType::XWing),
			KeyPurpose::Sign => key_type.can_sign(),
			KeyPurpose::Tls => matches!(
				key_type,
				KeyType::Ed25519
					| KeyType::P256 | KeyType::Rsa
					| KeyType::MlDsa44
					| KeyType::MlDsa65
					| KeyType::MlDsa87
			),
			KeyPurpose::Ssh => matches!(key_type, KeyType::Ed25519 | KeyType::P256 | KeyType::Rsa),
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
	/// A key from its parts; `None` if `bytes` has not a length of its type.
	pub fn new(key_type: KeyType, bytes: &[u8]) -> Option<Self> {
		let key = Self { key_type, bytes: bytes.to_vec().try_into().ok()? };
		key.has_valid_len().then_some(key)
	}

	/// Whether the bytes have a length that the type allows.
	pub fn has_valid_len(&self) -> bool {
		self.key_type.public_lens().contains(&self.bytes.len())
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
	/// Signature over [`Action::PossessKey`](crate::context::Action::PossessKey), by the key itself; empty for a key
	/// that is held by its hash.
	pub possession: Signature,
}

impl NewKey {
	/// The id that the key has as a key of this device.
	pub fn id(&self, device: DeviceId) -> KeyId {
		KeyId::of_device(device, &self.public)
	}

	/// What stays of the key once its possession is proven.
	pub fn into_terms(self) -> KeyTerms {
		let Self { purpose, public, not_after, .. } = self;
		KeyTerms { purpose, public, not_after }
	}
}

/// A key with what it is to be used for and until when.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct KeyTerms {
	/// What it is for.
	pub purpose: KeyPurpose,
	/// The key.
	pub public: PublicKey,
	/// Last moment at which it may be used; `None` means no end.
	pub not_after: Option<Moment>,
}

/// The word of a device that a further key may speak for it. Without it a registrar alone could put words into the
/// mouth of a device, by registering a key that the registrar holds.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Consent {
	/// Which key of the device consents: one for [`KeyPurpose::Sign`] that is valid now.
	pub key: KeyId,
	/// Its signature over [`Action::AdmitKey`](crate::context::Action::AdmitKey), or over the action that the call names.
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
	/// From when on a newer key of the device takes its place. Set once, never unset; it may lie ahead.
	pub superseded_at: Option<Moment>,
	/// Whether it was revoked, or is on hold. The revocation of its device is not in here.
	pub withdrawal: Withdrawal,
}

impl KeyRecord {
	/// What [`crate::status::status`] needs of this record.
	pub fn standing(&self) -> Standing {
		Standing {
			validity: self.validity,
			suspended: self.withdrawal.is_on_hold(),
			superseded_at: self.superseded_at,
			revocation: self.withdrawal.revocation(),
		}
	}

	/// The id of the key.
	pub fn id(&self) -> KeyId {
		KeyId::of_device(self.device, &self.public)
	}

	/// Whether the holder of the key has shown to hold it. The others stand for the word of the device alone.
	pub fn is_proven(&self) -> bool {
		!self.public.key_type.is_hash()
	}

	/// The last moment at which it can be valid, as far as that is settled: its end, or when another one takes its place.
	/// `None` if neither is.
	pub fn ends_at(&self) -> Option<Moment> {
		[self.validity.not_after, self.superseded_at].into_iter().flatten().min()
	}

	/// Whether the key is of no use any more, and will never be: revoked, expired or replaced. One that is on hold can
	/// come back.
	pub fn has_ended(&self, now: Moment) -> bool {
		self.withdrawal.is_revoked()
			|| self.validity.not_after.is_some_and(|end| now > end)
			|| self.superseded_at.is_some_and(|at| now >= at)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::revocation::{Hold, HoldAuthority, Revocation, RevocationReason};
	use alloc::vec::Vec;

	#[test]
	fn a_key_of_the_wrong_length_is_refused() {
		assert!(PublicKey::new(KeyType::Ed25519, &[1; 32]).is_some());
		for len in [0, 31, 33, 64, 1000] {
			assert!(PublicKey::new(KeyType::Ed25519, &alloc::vec![1; len]).is_none(), "{len}");
		}
	}

	fn record() -> KeyRecord {
		KeyRecord {
			device: DeviceId([1; 32]),
			purpose: KeyPurpose::Tls,
			public: PublicKey::new(KeyType::Ed25519, &[2; 32]).unwrap(),
			validity: Validity { not_before: 3, not_after: Some(4) },
			registered_at: 3,
			superseded_at: None,
			withdrawal: Withdrawal::None,
		}
	}

	/// The record as chains held it before keys could be replaced and put on hold.
	fn written_before(record: &KeyRecord, revocation: Option<Revocation>) -> Vec<u8> {
		let KeyRecord { device, purpose, public, validity, registered_at, .. } = record;
		((device, purpose, public, validity, registered_at), false, revocation).encode()
	}

	/// What chains hold already stays readable: the flag that the moment took the place of was never set.
	#[test]
	fn a_record_from_before_replacement_and_holds_reads_as_what_it_was() {
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 4 };
		for revocation in [None, Some(revocation)] {
			let record = KeyRecord { withdrawal: revocation.into(), ..record() };
			let before = written_before(&record, revocation);
			assert_eq!(KeyRecord::decode(&mut &before[..]), Ok(record.clone()));
			assert_eq!(record.encode(), before);
		}
	}

	#[test]
	fn a_reader_from_before_holds_refuses_a_key_that_is_on_hold() {
		let hold =
			Hold { reason: RevocationReason::KeyCompromise, at: 4, by: HoldAuthority::Registrar };
		let bytes = Withdrawal::OnHold(hold).encode();
		assert!(Option::<Revocation>::decode(&mut &bytes[..]).is_err());
	}

	#[test]
	fn a_key_on_hold_has_not_ended() {
		let hold =
			Hold { reason: RevocationReason::Unspecified, at: 3, by: HoldAuthority::Registrar };
		let record = KeyRecord { withdrawal: Withdrawal::OnHold(hold), ..record() };
		assert!(record.standing().suspended && !record.has_ended(4));
		assert!(record.has_ended(5), "but its validity goes on");
	}

	#[test]
	fn a_key_that_is_held_by_its_hash_is_somebody_else_s_on_another_device() {
		let hash = PublicKey::new(KeyType::XWing, &[1; 32]).unwrap();
		let key = PublicKey::new(KeyType::X25519, &[1; 32]).unwrap();
		let ids = [1, 2].map(|n| KeyId::of_device(DeviceId([n; 32]), &hash));
		assert_ne!(ids[0], ids[1]);
		for n in [1, 2] {
			assert_eq!(KeyId::of_device(DeviceId([n; 32]), &key), KeyId::of(&key));
			assert_ne!(ids[0], KeyId::of(&hash));
		}
	}

	#[test]
	fn what_is_held_by_its_hash_says_nothing_to_the_chain() {
		for key_type in KeyType::ALL.into_iter().filter(|it| it.is_hash()) {
			assert!(!key_type.can_sign() && !KeyPurpose::Sign.allows(key_type));
			assert_eq!(key_type.public_lens(), 32..=32);
		}
	}

	#[test]
	fn an_rsa_key_has_a_length_of_rsa_keys() {
		for (len, is_good) in [(269, false), (270, true), (398, true), (526, true), (527, false)] {
			assert_eq!(PublicKey::new(KeyType::Rsa, &alloc::vec![1; len]).is_some(), is_good);
		}
		assert!(!KeyPurpose::Sign.allows(KeyType::Rsa) && KeyPurpose::Ssh.allows(KeyType::Rsa));
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
