//! Identifiers: 32-byte hashes, one distinct type per kind of thing.
//!
//! An id is `blake2_256(SCALE(tag, parts))`: the tag keeps kinds apart, SCALE's length prefixes keep parts
//! apart. Ids are uniformly distributed, which is why maps keyed by them may use the `Identity` hasher.

use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;

/// The text is not 64 hexadecimal digits (with or without `0x`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("an id is 64 hexadecimal digits, optionally after 0x")
	}
}

#[cfg(feature = "std")]
impl std::error::Error for InvalidId {}

macro_rules! ids {
	($($(#[$doc:meta])* $name:ident;)*) => {$(
		$(#[$doc])*
		#[derive(
			Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default,
			Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
		)]
		pub struct $name(pub [u8; 32]);

		impl fmt::Display for $name {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("0x")?;
				self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
			}
		}

		impl fmt::Debug for $name {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				fmt::Display::fmt(self, f)
			}
		}

		impl FromStr for $name {
			type Err = InvalidId;

			fn from_str(text: &str) -> Result<Self, InvalidId> {
				parse_hex32(text).map(Self)
			}
		}

		impl AsRef<[u8]> for $name {
			fn as_ref(&self) -> &[u8] {
				&self.0
			}
		}

		impl From<[u8; 32]> for $name {
			fn from(bytes: [u8; 32]) -> Self {
				Self(bytes)
			}
		}
	)*};
}

ids! {
	/// An organisation: the hash of its unique name.
	OrganisationId;
	/// A device: the hash of its organisation and its name within it.
	DeviceId;
	/// A public key: the hash of its type and bytes, or of its `SubjectPublicKeyInfo` if it is RSA or has no
	/// [`PublicKey`](crate::key::PublicKey) form. Unique on the chain for ever.
	KeyId;
	/// A trust anchor: the hash of its kind and its material.
	AnchorId;
	/// A voucher: the hash of its organisation and its commitment.
	VoucherId;
	/// What an organisation publishes of a voucher when it issues it: the hash of the voucher's Ed25519 public key.
	VoucherCommitment;
	/// A request for keys: the hash of everything that its approval agrees to.
	RequestId;
	/// What is announced of the key that is to follow another one: a hash of the two.
	KeyCommitment;
	/// A stored blob: the SHA2-256 of its bytes, which is also the digest inside its CID.
	BlobDigest;
	/// A delivery in its place: the hash of its device, its channel, and all that its record says but when it was
	/// published. What approvers approve.
	DeliveryId;
	/// A subject of certificates: the hash of its kind and its value.
	SubjectId;
	/// An application: the hash of its payer and of how many applications the payer had made before.
	ApplicationId;
	/// A certificate: the hash of the application that it was granted on.
	CertificateId;
	/// What endorsers of a certificate attest: the hash of its content.
	CertificateDigest;
	/// A fleet: the hash of its organisation and its name within it.
	FleetId;
	/// A commitment of a fleet at its place in the fleet's history: what a vote on it names.
	RevisionId;
}

impl OrganisationId {
	/// The consortium as a whole: whose anchors those are that it adopts by vote. It is a text and no hash, so no name leads
	/// to it, no organisation can be created under it, and nobody has a role in it.
	pub const CONSORTIUM: Self = Self(*b"dpki/organisation/the-consortium");

	/// The id of the organisation with this name.
	pub fn from_name(name: &[u8]) -> Self {
		Self(derive(b"dpki/organisation/1", &name))
	}
}

impl DeviceId {
	/// The id of the device with this name in this organisation.
	pub fn from_name(organisation: OrganisationId, name: &[u8]) -> Self {
		Self(derive(b"dpki/device/1", &(organisation, name)))
	}
}

impl KeyId {
	/// The id of a public key. `bytes` are in the one canonical encoding of the key type.
	///
	/// An RSA key is named as in a certificate, by its `SubjectPublicKeyInfo`: it is one key, whether it is that of a
	/// device or of an anchor.
	pub fn of(key: &crate::key::PublicKey) -> Self {
		match key.key_type {
			crate::key::KeyType::Rsa => Self::of_spki(&rsa_info(&key.bytes)),
			key_type => Self(derive(b"dpki/key/1", &(key_type, &key.bytes[..]))),
		}
	}

	/// The id of a public key as a key of this device. It is the id of the key, except where the chain holds only the
	/// hash of a key: as nobody proves to hold such a key, whoever reads the hash could otherwise register it first, and
	/// keep the owner from it for ever.
	pub fn of_device(device: DeviceId, key: &crate::key::PublicKey) -> Self {
		if key.key_type.is_hash() {
			Self(derive(b"dpki/unproven-key/1", &(device, key.key_type, &key.bytes[..])))
		} else {
			Self::of(key)
		}
	}

	/// The id of a public key that has no [`PublicKey`](crate::key::PublicKey) form (P-384, RSA): `info` is its
	/// `SubjectPublicKeyInfo` in DER, with an elliptic point uncompressed.
	pub fn of_spki(info: &[u8]) -> Self {
		Self(derive(b"dpki/spki/1", &info))
	}
}

/// The DER `SubjectPublicKeyInfo` (RFC 3279 section 2.3.1) of a DER `RSAPublicKey`, which is longer than 255 bytes and
/// shorter than 65,000.
fn rsa_info(key: &[u8]) -> Vec<u8> {
	/// `rsaEncryption` with parameters that are NULL.
	const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
	let header = |tag: u8, len: usize| {
		let [.., high, low] = len.to_be_bytes();
		[tag, 0x82, high, low]
	};
	let string = [&header(3, key.len() + 1)[..], &[0], key].concat();
	[&header(0x30, ALGORITHM.len() + string.len())[..], &ALGORITHM, &string].concat()
}

impl KeyCommitment {
	/// The commitment to `next` as the key that follows `current`. It says nothing about `next` to who does not know it.
	pub fn of(current: KeyId, next: &crate::key::PublicKey) -> Self {
		Self(derive(b"dpki/next-key/1", &(current, next.key_type, &next.bytes[..])))
	}
}

impl RequestId {
	/// The id of a request of this account for these keys with their purposes and last moments, in their order, to which
	/// the device has agreed by its signing key `consenting` if there is a device.
	pub fn of(
		device: DeviceId,
		requester: &[u8; 32],
		keys: &[(crate::key::KeyPurpose, KeyId, Option<crate::Moment>)],
		consenting: Option<KeyId>,
	) -> Self {
		Self(derive(b"dpki/key-request/1", &(device, requester, keys, consenting)))
	}
}

impl DeliveryId {
	/// The id of this delivery. See [`DeliveryRecord::id`](crate::delivery::DeliveryRecord::id).
	pub(crate) fn of(content: &impl Encode) -> Self {
		Self(derive(b"dpki/delivery-id/1", content))
	}
}

impl AnchorId {
	/// The id of an anchor: `material` is the SSH wire encoding of the public key, or the X.509 DER.
	pub fn of(kind: crate::anchor::AnchorKind, material: &[u8]) -> Self {
		Self(derive(b"dpki/anchor/1", &(kind, material)))
	}
}

impl VoucherCommitment {
	/// The commitment to this Ed25519 public key.
	pub fn of(public: &[u8; 32]) -> Self {
		Self(derive(b"dpki/voucher-commitment/1", public))
	}
}

impl VoucherId {
	/// The id of the voucher of this organisation whose Ed25519 public key this is.
	pub fn of(organisation: OrganisationId, public: &[u8; 32]) -> Self {
		Self::from_commitment(organisation, VoucherCommitment::of(public))
	}

	/// The id of the voucher of this organisation with this commitment. The organisation is part of it, so that
	/// nobody who sees a commitment on its way to the chain can take the id for a voucher of another organisation.
	pub fn from_commitment(organisation: OrganisationId, commitment: VoucherCommitment) -> Self {
		Self(derive(b"dpki/voucher/1", &(organisation, commitment)))
	}
}

impl BlobDigest {
	/// The digest of these bytes. The runtime uses the host's SHA2-256 instead, with the same result.
	pub fn of(blob: &[u8]) -> Self {
		Self(sp_crypto_hashing::sha2_256(blob))
	}
}

impl SubjectId {
	/// The id of a subject.
	pub fn of(subject: &crate::subject::Subject) -> Self {
		Self(derive(b"dpki/subject/1", subject))
	}
}

impl ApplicationId {
	/// The id of the application that this account makes after `nonce` others.
	pub fn of(payer: &[u8; 32], nonce: u64) -> Self {
		Self(derive(b"dpki/application/1", &(payer, nonce)))
	}
}

impl CertificateId {
	/// The id of the certificate that is granted on this application.
	pub fn of(application: ApplicationId) -> Self {
		Self(derive(b"dpki/certificate/1", &application))
	}
}

impl FleetId {
	/// The id of the fleet with this name in this organisation.
	pub fn from_name(organisation: OrganisationId, name: &[u8]) -> Self {
		Self(derive(b"dpki/fleet/1", &(organisation, name)))
	}
}

impl RevisionId {
	/// The id of `commitment` as revision `revision` of a fleet, in the place of `replaced`, which stays good for `grace`
	/// milliseconds. It holds everything on which it depends whether the leaves may count, and nothing that changes when they
	/// do: a vote means the same before and after.
	pub fn of(
		fleet: FleetId,
		revision: u32,
		commitment: &crate::fleet::Commitment,
		replaced: Option<&crate::fleet::Commitment>,
		grace: crate::Moment,
	) -> Self {
		Self(derive(b"dpki/fleet-revision/1", &(fleet, revision, commitment, replaced, grace)))
	}
}

pub(crate) fn derive<T: Encode>(tag: &'static [u8], parts: &T) -> [u8; 32] {
	sp_crypto_hashing::blake2_256(&(tag, parts).encode())
}

fn parse_hex32(text: &str) -> Result<[u8; 32], InvalidId> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	if digits.len() != 64 || !digits.is_ascii() {
		return Err(InvalidId);
	}
	let nibbles: Option<Vec<u32>> = digits.chars().map(|c| c.to_digit(16)).collect();
	let nibbles = nibbles.ok_or(InvalidId)?;
	let mut bytes = [0u8; 32];
	for (byte, pair) in bytes.iter_mut().zip(nibbles.chunks_exact(2)) {
		*byte = ((pair[0] << 4) | pair[1]) as u8;
	}
	Ok(bytes)
}

/// Longest name of an organisation or a device, in bytes.
pub const MAX_NAME_LEN: u32 = 63;

/// Whether `name` may name an organisation or a device: 1 to 63 characters of `a-z`, `0-9`, `-`, `.`, starting
/// and ending with a letter or digit (the letter-digit-hyphen rule of RFC 1123 section 2.1, in lower case).
pub fn is_valid_name(name: &[u8]) -> bool {
	let alphanumeric = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
	name.len() <= MAX_NAME_LEN as usize
		&& name.first().is_some_and(alphanumeric)
		&& name.last().is_some_and(alphanumeric)
		&& name.iter().all(|c| alphanumeric(c) || matches!(c, b'-' | b'.'))
}

/// A name that is known to follow [`is_valid_name`], as stored on the chain.
pub type Name =
	bounded_collections::BoundedVec<u8, bounded_collections::ConstU32<{ MAX_NAME_LEN }>>;

/// Longest name of an account of a device, in bytes: that of Linux tools.
pub const MAX_LOGIN_LEN: u32 = 32;

/// Whether this may name an account of a device, and with it a file: 1 to 32 letters, digits, `_`, `-`, `.`, the first one a
/// letter, a digit or `_`. Neither `..` nor `/` nor an option of a command passes.
pub fn is_valid_login(login: &[u8]) -> bool {
	let first = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
	login.len() <= MAX_LOGIN_LEN as usize
		&& login.first().is_some_and(first)
		&& login.iter().all(|c| first(c) || matches!(c, b'-' | b'.'))
}

/// A name that is known to follow [`is_valid_login`], as stored on the chain.
pub type Login =
	bounded_collections::BoundedVec<u8, bounded_collections::ConstU32<{ MAX_LOGIN_LEN }>>;

/// The name as text; names are ASCII by [`is_valid_name`], and logins by [`is_valid_login`].
pub fn name_to_string(name: &[u8]) -> String {
	String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn text_round_trips() {
		let id = OrganisationId::from_name(b"acme");
		assert_eq!(id, alloc::format!("{id}").parse().unwrap());
		assert_eq!(id, alloc::format!("{id}")[2..].parse().unwrap());
	}

	#[test]
	fn malformed_text_is_refused() {
		for text in ["", "0x", "0x12", &"g".repeat(64), &"é".repeat(32)] {
			assert_eq!(OrganisationId::from_str(text), Err(InvalidId), "{text}");
		}
	}

	#[test]
	fn parts_cannot_be_shifted_between_fields() {
		let (a, b) = (OrganisationId::from_name(b"a"), OrganisationId::from_name(b"ab"));
		assert_ne!(DeviceId::from_name(a, b"bc"), DeviceId::from_name(b, b"c"));
	}

	#[test]
	fn a_voucher_belongs_to_its_organisation() {
		let (acme, other) = (OrganisationId::from_name(b"acme"), OrganisationId::from_name(b"b"));
		let voucher = VoucherId::of(acme, &[1; 32]);
		assert_eq!(voucher, VoucherId::from_commitment(acme, VoucherCommitment::of(&[1; 32])));
		assert_ne!(voucher, VoucherId::of(other, &[1; 32]));
		assert_ne!(voucher, VoucherId::of(acme, &[2; 32]));
	}

	#[test]
	fn a_key_in_der_is_named_apart_from_a_key_of_a_type() {
		use crate::key::{KeyType, PublicKey};
		let key = PublicKey::new(KeyType::Ed25519, &[1; 32]).unwrap();
		assert_ne!(KeyId::of(&key), KeyId::of_spki(&key.bytes));
		assert_ne!(KeyId::of_spki(&[1; 32]), KeyId::of_spki(&[2; 32]));
	}

	#[test]
	fn a_login_is_a_word_that_leads_nowhere_else() {
		for good in ["root", "_apt", "Alice2", "a.b-c_d", "0", &"x".repeat(32)] {
			assert!(is_valid_login(good.as_bytes()), "{good}");
		}
		for bad in ["", ".", "..", "-f", "a/b", "a b", "a\n", "ä", "%u", &"x".repeat(33)] {
			assert!(!is_valid_login(bad.as_bytes()), "{bad}");
		}
	}

	#[test]
	fn names_follow_the_host_name_rule() {
		for good in ["a", "acme", "drone-7.fleet", "0", &"x".repeat(63)] {
			assert!(is_valid_name(good.as_bytes()), "{good}");
		}
		for bad in ["", "-a", "a-", ".a", "A", "a b", "a_b", "ä", "a/b", &"x".repeat(64)] {
			assert!(!is_valid_name(bad.as_bytes()), "{bad}");
		}
	}
}
