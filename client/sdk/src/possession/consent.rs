//! A device's consent to a further key, as it travels from the device to who registers the key.
//!
//! The text is `dpki-consent1:` and base64 (RFC 4648 section 5, without padding) of the fields in SCALE. It holds nothing
//! secret, and is good for one key, one account and one moment: whatever is changed in it, the chain refuses.

use super::{PossessionError, Registration, SigningKey};
use crate::AccountId;
use codec::{Decode, DecodeAll, Encode};
use data_encoding::BASE64URL_NOPAD;
use dpki_primitives::{
	Moment,
	context::Registrant,
	ids::{DeviceId, KeyId},
	key::{Consent, KeyPurpose, NewKey, PublicKey},
};
use std::{fmt, str::FromStr};

const PREFIX: &str = "dpki-consent1:";

/// Why a text is no consent, or one that does not help here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
	/// It does not begin like one.
	#[error("this is no consent: a consent begins with `{PREFIX}`")]
	Prefix,
	/// It does not read as one.
	#[error("the consent was copied wrongly: copy it again from `{PREFIX}` to its end")]
	Malformed,
	/// It was given for something else.
	#[error("the consent is for another {what}: have the device sign one for this {what}")]
	Other {
		/// What differs.
		what: &'static str,
	},
	/// The device has got another key since.
	#[error(
		"the consent was given when the device had {then} keys, and it has had {now} by now: have the device sign it again"
	)]
	Overtaken {
		/// How many keys it counted.
		then: u64,
		/// How many there were by now.
		now: u64,
	},
	/// Its time is over.
	#[error("the time of the consent is over: have the device sign it again")]
	Expired,
}

/// What a device agreed to, and its signature.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SignedConsent {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// Who is to register the key.
	pub account: AccountId,
	/// For which device.
	pub device: DeviceId,
	/// How many keys were ever registered for the device.
	pub keys_registered: u64,
	/// Last moment at which it is accepted.
	pub expires_at: Moment,
	/// What the key is for.
	pub purpose: KeyPurpose,
	/// Which key.
	pub key: KeyId,
	/// Last moment at which the key may be used.
	pub not_after: Option<Moment>,
	/// The signature of the device.
	pub consent: Consent,
	/// The key with its own proof, if the device holds it too.
	pub proven: Option<NewKey>,
}

/// The key to which a device consents.
pub enum Admitted<'a> {
	/// One that the device holds: it proves itself at once.
	Own(&'a dyn SigningKey),
	/// One that the device holds and of which the chain has the hash: the consent is all the proof there is.
	Held(&'a PublicKey),
	/// One that somebody else holds, who proves it.
	Foreign(&'a PublicKey),
}

impl SignedConsent {
	/// Signs for the account that `registration` names.
	pub fn sign(
		mut registration: Registration,
		purpose: KeyPurpose,
		key: Admitted,
		not_after: Option<Moment>,
		by: &dyn SigningKey,
	) -> Result<Self, PossessionError> {
		let Registration { genesis, registrant, device, keys_registered, expires_at } =
			registration.clone();
		let Registrant::Account(account) = registrant else {
			return Err(PossessionError::Signing {
				reason: "a further key is registered by an account".to_owned(),
			});
		};
		let public = match key {
			Admitted::Own(key) => key.public(),
			Admitted::Held(public) | Admitted::Foreign(public) => public.clone(),
		};
		let consent = registration.consent(purpose, &public, not_after, by)?;
		let proven = match key {
			Admitted::Own(key) => Some(registration.prove(purpose, key, not_after)?),
			Admitted::Held(public) if public.key_type.is_hash() => {
				Some(registration.hold(purpose, public, not_after)?)
			},
			Admitted::Held(_) | Admitted::Foreign(_) => None,
		};
		Ok(Self {
			genesis,
			account,
			device,
			keys_registered,
			expires_at,
			purpose,
			key: KeyId::of_device(device, &public),
			not_after,
			consent,
			proven,
		})
	}

	/// The registration that it was given for.
	pub fn registration(&self) -> Registration {
		Registration {
			genesis: self.genesis,
			registrant: Registrant::Account(self.account),
			device: self.device,
			keys_registered: self.keys_registered,
			expires_at: self.expires_at,
		}
	}

	/// Refuses a consent that was not given for `wanted`, or too early or too late for it. What is compared: the chain, the
	/// account, the device, and the number of its keys.
	pub fn check(&self, wanted: &Registration, now: Moment) -> Result<(), ConsentError> {
		let other = |what| Err(ConsentError::Other { what });
		if self.genesis != wanted.genesis {
			return other("chain");
		}
		if Registrant::Account(self.account) != wanted.registrant {
			return other("account");
		}
		if self.device != wanted.device {
			return other("device");
		}
		if self.keys_registered != wanted.keys_registered {
			let (then, now) = (self.keys_registered, wanted.keys_registered);
			return Err(ConsentError::Overtaken { then, now });
		}
		if self.expires_at < now { Err(ConsentError::Expired) } else { Ok(()) }
	}
}

impl fmt::Display for SignedConsent {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&self.encode()))
	}
}

impl FromStr for SignedConsent {
	type Err = ConsentError;

	fn from_str(text: &str) -> Result<Self, ConsentError> {
		let payload = text.trim().strip_prefix(PREFIX).ok_or(ConsentError::Prefix)?;
		let bytes = BASE64URL_NOPAD
			.decode(payload.as_bytes())
			.map_err(|_| ConsentError::Malformed)?;
		Self::decode_all(&mut &bytes[..]).map_err(|_| ConsentError::Malformed)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::{AgreementKey, SoftwareKey};
	use dpki_primitives::{ids::VoucherId, key::KeyType};

	fn registration() -> Registration {
		Registration {
			genesis: [1; 32],
			registrant: Registrant::Account([2; 32]),
			device: DeviceId([3; 32]),
			keys_registered: 3,
			expires_at: 9,
		}
	}

	fn signing() -> SoftwareKey {
		SoftwareKey::from_secret_bytes(KeyType::Ed25519, &[5; 32]).unwrap()
	}

	#[test]
	fn a_key_that_is_held_by_its_hash_comes_without_a_proof_of_its_own() {
		let key = crate::possession::HybridKey::generate().public();
		let purpose = KeyPurpose::KeyAgreement;
		let signed =
			SignedConsent::sign(registration(), purpose, Admitted::Held(&key), None, &signing())
				.unwrap();
		assert_eq!(signed.key, KeyId::of_device(DeviceId([3; 32]), &key));
		let proven = signed.proven.unwrap();
		assert!(proven.possession.is_empty() && proven.public == key);
		let own = signing().public();
		let signed = SignedConsent::sign(
			registration(),
			KeyPurpose::Tls,
			Admitted::Held(&own),
			None,
			&signing(),
		);
		assert!(signed.unwrap().proven.is_none(), "a key that can prove itself has to");
	}

	#[test]
	fn a_consent_travels_as_one_line_of_text() {
		let key = SoftwareKey::from_secret_bytes(KeyType::Ed25519, &[6; 32]).unwrap();
		for (admitted, is_proven) in
			[(Admitted::Own(&key), true), (Admitted::Foreign(&key.public()), false)]
		{
			let (purpose, end) = (KeyPurpose::Tls, Some(7));
			let signed =
				SignedConsent::sign(registration(), purpose, admitted, end, &signing()).unwrap();
			// Ed25519 is deterministic: it is what the device would have signed for the registrar.
			let expected = registration().consent(purpose, &key.public(), end, &signing()).unwrap();
			assert_eq!(signed.consent, expected);
			let proven = registration().prove(purpose, &key, end).unwrap();
			assert_eq!(signed.proven, is_proven.then_some(proven));
			assert_eq!(signed.registration(), registration());
			let text = signed.to_string();
			assert_eq!(text.lines().count(), 1);
			assert_eq!(format!("{text}\n").parse(), Ok(signed));
		}
	}

	#[test]
	fn a_consent_is_good_for_what_it_was_given_for() {
		let key = AgreementKey::generate();
		let admitted = Admitted::Own(&key);
		let purpose = KeyPurpose::KeyAgreement;
		let signed =
			SignedConsent::sign(registration(), purpose, admitted, None, &signing()).unwrap();
		assert_eq!(signed.check(&registration(), 9), Ok(()));
		assert_eq!(signed.check(&registration(), 10), Err(ConsentError::Expired));
		let bob = Registrant::Account([9; 32]);
		for (wanted, what) in [
			(Registration { genesis: [9; 32], ..registration() }, "chain"),
			(Registration { registrant: bob, ..registration() }, "account"),
			(Registration { device: DeviceId([9; 32]), ..registration() }, "device"),
		] {
			assert_eq!(signed.check(&wanted, 0), Err(ConsentError::Other { what }));
		}
		let later = Registration { keys_registered: 4, ..registration() };
		let overtaken = ConsentError::Overtaken { then: 3, now: 4 };
		assert_eq!(signed.check(&later, 0), Err(overtaken));
	}

	#[test]
	fn what_is_no_consent_is_refused() {
		let parse = |text: &str| text.parse::<SignedConsent>().unwrap_err();
		assert_eq!(parse("dpki-voucher1:AAAA"), ConsentError::Prefix);
		assert_eq!(parse("dpki-consent1:"), ConsentError::Malformed);
		assert_eq!(parse("dpki-consent1:%"), ConsentError::Malformed);
		let key = AgreementKey::generate();
		let purpose = KeyPurpose::KeyAgreement;
		let text =
			SignedConsent::sign(registration(), purpose, Admitted::Own(&key), None, &signing())
				.unwrap()
				.to_string();
		assert_eq!(parse(&text[..text.len() - 4]), ConsentError::Malformed);
	}

	#[test]
	fn keys_that_cannot_serve_and_vouchers_are_refused() {
		let key = AgreementKey::generate();
		let sign = |registration, purpose| {
			SignedConsent::sign(registration, purpose, Admitted::Own(&key), None, &signing())
		};
		assert!(matches!(
			sign(registration(), KeyPurpose::Tls),
			Err(PossessionError::Unfit { .. })
		));
		let voucher = Registrant::Voucher(VoucherId([2; 32]));
		let by_voucher = Registration { registrant: voucher, ..registration() };
		assert!(sign(by_voucher, KeyPurpose::KeyAgreement).is_err());
	}
}
