//! What an organisation asks of the keys of its devices.

use crate::{
	Moment,
	key::{KeyPurpose, KeyType, MAX_RSA_BITS, MIN_RSA_BITS},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The shortest limit that can be set on the validity of keys: an hour. A shorter one is rather a mistake of the unit,
/// and would let no device renew its keys in time.
pub const MIN_VALIDITY_LIMIT: Moment = 60 * 60 * 1000;

/// A set of [`KeyType`]s: bit *n* stands for the type with index *n*; unknown bits do not decode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, MaxEncodedLen, TypeInfo)]
pub struct KeyTypeSet(u16);

impl KeyTypeSet {
	/// No type at all.
	pub const EMPTY: KeyTypeSet = KeyTypeSet(0);
	/// Every type.
	pub const ALL: KeyTypeSet = KeyTypeSet((1 << KeyType::ALL.len()) - 1);

	/// This set and `key_type`.
	pub const fn with(self, key_type: KeyType) -> Self {
		KeyTypeSet(self.0 | 1 << key_type as u16)
	}

	/// Whether `key_type` is in the set.
	pub const fn contains(self, key_type: KeyType) -> bool {
		self.0 & 1 << key_type as u16 != 0
	}
}

impl Decode for KeyTypeSet {
	fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
		let bits = u16::decode(input)?;
		if bits & !Self::ALL.0 != 0 {
			return Err("KeyTypeSet holds a bit that stands for no type".into());
		}
		Ok(Self(bits))
	}
}

impl DecodeWithMemTracking for KeyTypeSet {}

impl FromIterator<KeyType> for KeyTypeSet {
	fn from_iter<I: IntoIterator<Item = KeyType>>(types: I) -> Self {
		types.into_iter().fold(Self::EMPTY, Self::with)
	}
}

/// The longest validity of new keys by their purpose, counted from their registration; `None` means no limit.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ValidityLimits {
	/// For [`KeyPurpose::Sign`].
	pub sign: Option<Moment>,
	/// For [`KeyPurpose::KeyAgreement`].
	pub key_agreement: Option<Moment>,
	/// For [`KeyPurpose::Tls`].
	pub tls: Option<Moment>,
	/// For [`KeyPurpose::Ssh`].
	pub ssh: Option<Moment>,
}

impl ValidityLimits {
	/// The limit for this purpose.
	pub const fn of(&self, purpose: KeyPurpose) -> Option<Moment> {
		match purpose {
			KeyPurpose::Sign => self.sign,
			KeyPurpose::KeyAgreement => self.key_agreement,
			KeyPurpose::Tls => self.tls,
			KeyPurpose::Ssh => self.ssh,
		}
	}
}

/// The rules of an organisation for keys that are registered from now on; what is registered already stays as it is.
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
pub struct KeyPolicy {
	/// How long keys may last.
	pub validity: ValidityLimits,
	/// Of which types they may be.
	pub key_types: KeyTypeSet,
	/// Fewest bits of an RSA key, [`MIN_RSA_BITS`] to [`MAX_RSA_BITS`].
	pub min_rsa_bits: u16,
	/// Whether a device may add, replace and announce keys alone. Without it, each further key needs a registrar, except
	/// a key that was announced with one.
	pub self_service: bool,
	/// Whether accounts may request keys for devices of the organisation.
	pub requests: bool,
}

/// Nothing is limited, and nothing is done without a registrar.
impl Default for KeyPolicy {
	fn default() -> Self {
		Self {
			validity: ValidityLimits::default(),
			key_types: KeyTypeSet::ALL,
			min_rsa_bits: MIN_RSA_BITS,
			self_service: false,
			requests: false,
		}
	}
}

impl KeyPolicy {
	/// Whether devices can live by this policy: some signing key is allowed, and no limit is a slip of the pen.
	pub fn is_coherent(&self) -> bool {
		let limits = KeyPurpose::ALL.map(|purpose| self.validity.of(purpose));
		KeyType::ALL.into_iter().any(|it| it.can_sign() && self.key_types.contains(it))
			&& (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&self.min_rsa_bits)
			&& limits.into_iter().flatten().all(|limit| limit >= MIN_VALIDITY_LIMIT)
	}

	/// Whether a key for this purpose that is registered at `now` may last until `not_after`.
	pub fn allows_end(&self, purpose: KeyPurpose, not_after: Option<Moment>, now: Moment) -> bool {
		match (self.validity.of(purpose), not_after) {
			(None, _) => true,
			(Some(_), None) => false,
			(Some(limit), Some(end)) => end <= now.saturating_add(limit),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_default_limits_nothing_and_opens_nothing() {
		let policy = KeyPolicy::default();
		assert!(policy.is_coherent() && !policy.self_service && !policy.requests);
		for purpose in KeyPurpose::ALL {
			assert!(policy.allows_end(purpose, None, 1));
		}
		for key_type in KeyType::ALL {
			assert!(policy.key_types.contains(key_type));
		}
	}

	#[test]
	fn a_limit_is_for_its_purpose_and_needs_an_end() {
		let limits = ValidityLimits { tls: Some(MIN_VALIDITY_LIMIT), ..Default::default() };
		let policy = KeyPolicy { validity: limits, ..Default::default() };
		assert!(policy.is_coherent());
		assert!(policy.allows_end(KeyPurpose::Tls, Some(5 + MIN_VALIDITY_LIMIT), 5));
		assert!(!policy.allows_end(KeyPurpose::Tls, Some(6 + MIN_VALIDITY_LIMIT), 5));
		assert!(!policy.allows_end(KeyPurpose::Tls, None, 5));
		assert!(policy.allows_end(KeyPurpose::Sign, None, 5));
	}

	#[test]
	fn a_policy_by_which_no_device_can_live_is_not_coherent() {
		let good = KeyPolicy::default();
		let no_signing = [KeyType::X25519, KeyType::Rsa].into_iter().collect();
		for bad in [
			KeyPolicy { key_types: no_signing, ..good },
			KeyPolicy { min_rsa_bits: MIN_RSA_BITS - 1, ..good },
			KeyPolicy { min_rsa_bits: MAX_RSA_BITS + 1, ..good },
			KeyPolicy {
				validity: ValidityLimits { sign: Some(3_600), ..Default::default() },
				..good
			},
		] {
			assert!(!bad.is_coherent(), "{bad:?}");
		}
	}

	#[test]
	fn a_set_holds_the_types_that_were_put_in_and_unknown_bits_do_not_decode() {
		let set: KeyTypeSet = [KeyType::P256, KeyType::XWing].into_iter().collect();
		for key_type in KeyType::ALL {
			let is_in = matches!(key_type, KeyType::P256 | KeyType::XWing);
			assert_eq!(set.contains(key_type), is_in);
		}
		assert_eq!(KeyTypeSet::decode(&mut &set.encode()[..]), Ok(set));
		assert!(KeyTypeSet::decode(&mut &(1u16 << KeyType::ALL.len()).encode()[..]).is_err());
	}
}
