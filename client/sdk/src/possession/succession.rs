//! Proofs and consents for keys that follow others, and the proof that a key has leaked.

use super::{PossessionError, Registration, Signer, SigningKey, check_fitness};
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext},
	ids::{DeviceId, KeyCommitment, KeyId},
	key::{Consent, KeyPurpose, NewKey, PublicKey, Signature},
	revocation::RevocationReason,
};

/// Which key is replaced, and for how long it is good yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replacing {
	/// Its id.
	pub old: KeyId,
	/// In milliseconds.
	pub grace: Moment,
}

impl Registration {
	/// The consent of a device to a key in the place of another one, made by one of its signing keys, which may be the one
	/// that is replaced. As with [`Registration::consent`], it is made before the proof.
	pub fn consent_to_replacement(
		&self,
		replacing: Replacing,
		purpose: KeyPurpose,
		key: &PublicKey,
		not_after: Option<Moment>,
		by: &dyn SigningKey,
	) -> Result<Consent, PossessionError> {
		check_fitness(purpose, key)?;
		let Replacing { old, grace } = replacing;
		self.sign_consent(
			Action::ReplaceKey {
				registrant: self.registrant,
				device: self.device,
				old,
				purpose,
				key: KeyId::of_device(self.device, key),
				not_after,
				grace,
			},
			by,
		)
	}

	/// The consent of a device to what is announced to follow one of its keys.
	pub fn consent_to_announcement(
		&self,
		key: KeyId,
		commitment: KeyCommitment,
		by: &dyn SigningKey,
	) -> Result<Consent, PossessionError> {
		let (registrant, device) = (self.registrant, self.device);
		self.sign_consent(Action::AnnounceKey { registrant, device, key, commitment }, by)
	}

	fn sign_consent(
		&self,
		action: Action,
		by: &dyn SigningKey,
	) -> Result<Consent, PossessionError> {
		check_fitness(KeyPurpose::Sign, &by.public())?;
		let signature = by.sign(&self.payload(action))?;
		Ok(Consent { key: KeyId::of(&by.public()), signature })
	}
}

/// What is said of a key that was announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reveal {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// Whose key it is.
	pub device: DeviceId,
	/// Which key it follows.
	pub old: KeyId,
	/// What it is for, as the key before it.
	pub purpose: KeyPurpose,
	/// Last moment at which it may be used.
	pub not_after: Option<Moment>,
	/// What is announced to follow it, in turn.
	pub next: Option<KeyCommitment>,
	/// Last moment at which the proof is accepted.
	pub expires_at: Moment,
}

/// The announced key, which proves itself and takes the place of the one before it.
pub fn reveal(reveal: Reveal, key: &dyn SigningKey) -> Result<NewKey, PossessionError> {
	let Reveal { genesis, device, old, purpose, not_after, next, expires_at } = reveal;
	let public = key.public();
	check_fitness(purpose, &public)?;
	let id = KeyId::of_device(device, &public);
	let action = Action::RevealKey { device, old, purpose, key: id, not_after, next };
	let possession =
		key.sign(&SigningContext { genesis, action, nonce: 0, expires_at }.payload())?;
	Ok(NewKey { purpose, public, not_after, possession })
}

/// The end of a key, as its device wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnRevocation {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// Whose key it is.
	pub device: DeviceId,
	/// Which key: the one that signs this, or one of the device that does not sign.
	pub key: KeyId,
	/// Why.
	pub reason: RevocationReason,
	/// Last moment at which the word is accepted.
	pub expires_at: Moment,
}

impl OwnRevocation {
	/// The word of the device for it, by one of its signing keys.
	pub fn sign(self, by: &dyn SigningKey) -> Result<Consent, PossessionError> {
		let Self { genesis, device, key, reason, expires_at } = self;
		check_fitness(KeyPurpose::Sign, &by.public())?;
		let action = Action::RevokeKey { device, key, reason };
		let payload = SigningContext { genesis, action, nonce: 0, expires_at }.payload();
		Ok(Consent { key: KeyId::of(&by.public()), signature: by.sign(&payload)? })
	}
}

/// The proof that a key has leaked, by the key itself. It is good for ever and for nothing else, so it can be made
/// beforehand and kept apart from the key.
pub fn prove_compromise(
	genesis: [u8; 32],
	id: KeyId,
	key: &dyn Signer,
) -> Result<Signature, PossessionError> {
	key.sign(&SigningContext::compromise(genesis, id).payload())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::SoftwareKey;
	use dpki_primitives::{context::Registrant, key::KeyType};

	/// Ed25519 is deterministic: what is signed shows in the signature.
	fn key(seed: u8) -> SoftwareKey {
		SoftwareKey::from_secret_bytes(KeyType::Ed25519, &[seed; 32]).unwrap()
	}

	fn registration() -> Registration {
		Registration {
			genesis: [1; 32],
			registrant: Registrant::Device,
			device: DeviceId([3; 32]),
			keys_registered: 4,
			expires_at: 9,
		}
	}

	fn payload(action: Action, nonce: u64) -> Vec<u8> {
		SigningContext { genesis: [1; 32], action, nonce, expires_at: 9 }.payload()
	}

	#[test]
	fn a_device_consents_to_a_replacement_and_to_an_announcement() {
		let (signing, next) = (key(5), key(6));
		let (old, device) = (KeyId([7; 32]), DeviceId([3; 32]));
		let replacing = Replacing { old, grace: 8 };
		let (purpose, not_after) = (KeyPurpose::Tls, Some(2));
		let consent = registration()
			.consent_to_replacement(replacing, purpose, &next.public(), not_after, &signing)
			.unwrap();
		let registrant = Registrant::Device;
		let key = KeyId::of(&next.public());
		let action =
			Action::ReplaceKey { registrant, device, old, purpose, key, not_after, grace: 8 };
		assert_eq!(consent.signature, signing.sign(&payload(action, 4)).unwrap());
		assert_eq!(consent.key, KeyId::of(&signing.public()));

		let commitment = KeyCommitment::of(old, &next.public());
		let consent = registration().consent_to_announcement(old, commitment, &signing).unwrap();
		let action = Action::AnnounceKey { registrant, device, key: old, commitment };
		assert_eq!(consent.signature, signing.sign(&payload(action, 4)).unwrap());
	}

	#[test]
	fn an_announced_key_speaks_for_itself() {
		let next = key(6);
		let said = Reveal {
			genesis: [1; 32],
			device: DeviceId([3; 32]),
			old: KeyId([7; 32]),
			purpose: KeyPurpose::Sign,
			not_after: None,
			next: Some(KeyCommitment([8; 32])),
			expires_at: 9,
		};
		let new = reveal(said, &next).unwrap();
		let Reveal { device, old, purpose, not_after, next: follows, .. } = said;
		let key = KeyId::of(&next.public());
		let action = Action::RevealKey { device, old, purpose, key, not_after, next: follows };
		assert_eq!(new.possession, next.sign(&payload(action, 0)).unwrap());
		let unfit = reveal(Reveal { purpose: KeyPurpose::KeyAgreement, ..said }, &next);
		assert!(matches!(unfit, Err(PossessionError::Unfit { .. })));
	}

	#[test]
	fn a_device_speaks_of_one_key_and_one_reason() {
		let signing = key(5);
		let (device, key, reason) =
			(DeviceId([3; 32]), KeyId([7; 32]), RevocationReason::CessationOfOperation);
		let word = OwnRevocation { genesis: [1; 32], device, key, reason, expires_at: 9 };
		let consent = word.sign(&signing).unwrap();
		let action = Action::RevokeKey { device, key, reason };
		assert_eq!(consent.signature, signing.sign(&payload(action, 0)).unwrap());
		assert_eq!(consent.key, KeyId::of(&signing.public()));
		let other = OwnRevocation { reason: RevocationReason::KeyCompromise, ..word };
		assert_ne!(other.sign(&signing).unwrap().signature, consent.signature);
	}

	#[test]
	fn the_proof_of_a_compromise_is_good_for_one_key_of_one_chain() {
		let (key, id) = (key(5), KeyId([7; 32]));
		let proof = prove_compromise([1; 32], id, &key).unwrap();
		let context = SigningContext::compromise([1; 32], id);
		assert_eq!(proof, key.sign(&context.payload()).unwrap());
		assert_ne!(prove_compromise([2; 32], id, &key).unwrap(), proof);
	}
}
