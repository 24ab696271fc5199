//! Keys of devices and anchors, and the proofs that they are held.
//!
//! Proofs go through the traits [`Signer`] and [`SigningKey`], so that a key in a TPM, a secure element or a hardware
//! security module proves itself like one in memory. What is signed, and how, is fixed by [`dpki_primitives::context`].
//!
//! | key in memory | for |
//! |---|---|
//! | [`SoftwareKey`] | signing keys of devices, and SSH CAs: Ed25519, P-256, sr25519 |
//! | [`AgreementKey`] | key agreement of devices: X25519 |
//! | [`RootKey`] | X.509 roots: Ed25519, P-256, P-384, RSA |

mod agreement;
mod consent;
mod fingerprint;
mod hybrid;
mod pem;
mod root;
mod software;
mod succession;
mod xeddsa;

pub use agreement::AgreementKey;
pub use consent::{Admitted, ConsentError, SignedConsent};
pub use fingerprint::{enrolment_fingerprint, is_same_fingerprint};
pub use hybrid::{HybridKey, hybrid_public};
pub use root::RootKey;
pub use software::SoftwareKey;
pub use succession::{OwnRevocation, Replacing, Reveal, prove_compromise, reveal};

use crate::AccountId;
use dpki_primitives::{
	Moment,
	channel::ChannelId,
	context::{Action, Registrant, SigningContext},
	delivery::Outcome,
	ids::{AnchorId, BlobDigest, DeviceId, KeyId, OrganisationId},
	key::{Consent, KeyPurpose, KeyType, NewKey, PublicKey, Signature},
};
use zeroize::Zeroizing;

/// Why a key or a proof could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PossessionError {
	/// Keys of this type are not made or read here.
	#[error("{} keys are not supported {context}: use an Ed25519 or P-256 key", .key_type.name())]
	Unsupported {
		/// Which type.
		key_type: KeyType,
		/// Where.
		context: &'static str,
	},
	/// The algorithm of a key file is not one of ours.
	#[error("the key file holds a key of an unsupported algorithm: use an Ed25519 or P-256 key")]
	UnsupportedAlgorithm,
	/// The key in the file agrees on nothing.
	#[error("the key file holds no key for key agreement: use an X25519 key")]
	NotForAgreement,
	/// The key is of another type than those on a roll.
	#[error("a key of type {} cannot stand on a roll: use an Ed25519 key", .key_type.name())]
	NotForRoll {
		/// Which type.
		key_type: KeyType,
	},
	/// The key type cannot serve the purpose.
	#[error(
		"a key of type {} cannot serve the purpose {}: use another type",
		.key_type.name(),
		.purpose.name()
	)]
	Unfit {
		/// Which type.
		key_type: KeyType,
		/// Which purpose.
		purpose: KeyPurpose,
	},
	/// The bytes or the file are not a key.
	#[error("this is no private key ({reason}): check that it is the right file")]
	Malformed {
		/// What is wrong.
		reason: String,
	},
	/// The key file is encrypted by a method that is not read here.
	#[error(
		"the key file is encrypted by a method that is too old: \
		 convert it with `openssl pkcs8 -topk8 -in OLD -out NEW`"
	)]
	UnsupportedEncryption,
	/// The chain takes no X.509 roots of this kind.
	#[error(
		"roots of this kind are not supported: use a key of Ed25519, P-256, P-384 or RSA with 2048 to 4096 bits, \
		 and a certificate signed with SHA-256, SHA-384 or SHA-512"
	)]
	UnsupportedRoot,
	/// The certificate of a root cannot be read.
	#[error("this is no X.509 certificate ({reason}): check that it is the right file")]
	Certificate {
		/// What is wrong.
		reason: String,
	},
	/// The private key and the certificate of a root are no pair.
	#[error("the private key is not that of the certificate: give the key that signed it")]
	OtherKey,
	/// The file is encrypted.
	#[error("the key file is encrypted: give its passphrase")]
	PassphraseNeeded,
	/// The file does not open with this passphrase.
	#[error("the key file does not open with this passphrase: try again")]
	PassphraseWrong,
	/// The key refused to sign.
	#[error("the key could not sign ({reason}): check the device that holds it")]
	Signing {
		/// What it says.
		reason: String,
	},
}

fn malformed(reason: impl ToString) -> PossessionError {
	PossessionError::Malformed { reason: reason.to_string() }
}

/// A private key that can sign, wherever it is kept.
pub trait Signer: Send + Sync {
	/// Its signature over `payload`, in the encoding that [`dpki_primitives::context`] names for its algorithm.
	fn sign(&self, payload: &[u8]) -> Result<Signature, PossessionError>;
}

/// A private key whose public half has a form on the chain, as every key of a device has.
pub trait SigningKey: Signer {
	/// Its public half.
	fn public(&self) -> PublicKey;
}

/// The 32 secret bytes that a file holds in hexadecimal digits.
fn secret_digits(text: &str) -> Result<Zeroizing<[u8; 32]>, PossessionError> {
	let mut secret = Zeroizing::new([0; 32]);
	hex::decode_to_slice(text, secret.as_mut_slice())
		.map_err(|_| malformed("it has neither a PEM block nor 64 hexadecimal digits"))?;
	Ok(secret)
}

/// Encoders of fixed width cannot miss the length of their type.
fn public_key(key_type: KeyType, bytes: &[u8]) -> PublicKey {
	PublicKey::new(key_type, bytes).expect("the encoder of a key type writes its length")
}

/// What the proofs for a device have in common.
///
/// The chain counts the keys of a device, and each proof holds the number of keys before it. So each proof made here
/// raises `keys_registered`, and the proofs of an enrolment are made in the order in which the keys are enrolled,
/// starting with 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// On whose authority.
	pub registrant: Registrant,
	/// For which device.
	pub device: DeviceId,
	/// How many keys were ever registered for the device before the next proof.
	pub keys_registered: u64,
	/// Last moment at which the proofs are accepted.
	pub expires_at: Moment,
}

impl Registration {
	/// A key that proves itself: one for key agreement by XEdDSA, every other by the signature of its type.
	pub fn prove(
		&mut self,
		purpose: KeyPurpose,
		key: &dyn SigningKey,
		not_after: Option<Moment>,
	) -> Result<NewKey, PossessionError> {
		let public = key.public();
		check_fitness(purpose, &public)?;
		let action = Action::PossessKey {
			registrant: self.registrant,
			device: self.device,
			purpose,
			key: KeyId::of(&public),
			not_after,
		};
		let possession = key.sign(&self.payload(action))?;
		self.keys_registered += 1;
		Ok(NewKey { purpose, public, not_after, possession })
	}

	/// A key of which the chain has the hash. It proves nothing itself: the consent of the device has to vouch for it.
	pub fn hold(
		&mut self,
		purpose: KeyPurpose,
		public: &PublicKey,
		not_after: Option<Moment>,
	) -> Result<NewKey, PossessionError> {
		check_fitness(purpose, public)?;
		self.keys_registered += 1;
		Ok(NewKey { purpose, public: public.clone(), not_after, possession: Signature::default() })
	}

	/// The consent of an enrolled device to a further key, made by one of its signing keys.
	///
	/// Consent and proof go to the chain together and hold the same number of keys: the consent is made first, as the
	/// proof raises the number.
	pub fn consent(
		&self,
		purpose: KeyPurpose,
		key: &PublicKey,
		not_after: Option<Moment>,
		by: &dyn SigningKey,
	) -> Result<Consent, PossessionError> {
		check_fitness(purpose, key)?;
		check_fitness(KeyPurpose::Sign, &by.public())?;
		let action = Action::AdmitKey {
			registrant: self.registrant,
			device: self.device,
			purpose,
			key: KeyId::of_device(self.device, key),
			not_after,
		};
		let signature = by.sign(&self.payload(action))?;
		Ok(Consent { key: KeyId::of(&by.public()), signature })
	}

	fn payload(&self, action: Action) -> Vec<u8> {
		let (genesis, nonce, expires_at) = (self.genesis, self.keys_registered, self.expires_at);
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}
}

fn check_fitness(purpose: KeyPurpose, key: &PublicKey) -> Result<(), PossessionError> {
	if purpose.allows(key.key_type) {
		Ok(())
	} else {
		Err(PossessionError::Unfit { key_type: key.key_type, purpose })
	}
}

/// The proof that the key of an anchor is held by whoever lets `account` register it for `organisation`. The key is a
/// [`SoftwareKey`] for an SSH CA, a [`RootKey`] for an X.509 root.
pub fn possess_anchor(
	genesis: [u8; 32],
	account: &AccountId,
	organisation: OrganisationId,
	anchor: AnchorId,
	expires_at: Moment,
	key: &dyn Signer,
) -> Result<Signature, PossessionError> {
	let action = Action::PossessAnchor { account: *account, organisation, anchor };
	key.sign(&SigningContext { genesis, action, nonce: 0, expires_at }.payload())
}

/// The signature of a device under what became of a delivery on one of its channels.
#[expect(clippy::too_many_arguments, reason = "all of them are signed")]
pub fn sign_acknowledgement(
	genesis: [u8; 32],
	device: DeviceId,
	channel: ChannelId,
	sequence: u64,
	digest: BlobDigest,
	outcome: Outcome,
	expires_at: Moment,
	key: &dyn SigningKey,
) -> Result<Signature, PossessionError> {
	let action = Action::AcknowledgeDelivery { device, channel, digest, outcome };
	key.sign(&SigningContext { genesis, action, nonce: sequence, expires_at }.payload())
}

#[cfg(test)]
mod tests {
	use super::*;
	use curve25519_dalek::montgomery::MontgomeryPoint;
	use dpki_crypto::{Hash, Pure, Verifier, ed25519};

	const SIGNING_TYPES: [KeyType; 3] = [KeyType::Ed25519, KeyType::P256, KeyType::Sr25519];

	/// As the chain verifies, see `dpki_primitives::context`.
	fn verifies(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool {
		match key.key_type {
			KeyType::Ed25519 => ed25519::verify(
				&Pure,
				key.bytes[..].try_into().unwrap(),
				payload,
				signature.try_into().unwrap(),
			),
			KeyType::P256 => {
				Pure.p256(&key.bytes, Hash::Sha256, payload, signature.try_into().unwrap())
			},
			KeyType::Sr25519 => {
				let key = schnorrkel::PublicKey::from_bytes(&key.bytes).unwrap();
				let signature = schnorrkel::Signature::from_bytes(signature).unwrap();
				key.verify_simple(b"substrate", payload, &signature).is_ok()
			},
			KeyType::X25519 => {
				let u = MontgomeryPoint(key.bytes[..].try_into().unwrap());
				let key = u.to_edwards(0).unwrap().compress().to_bytes();
				ed25519::verify(&Pure, &key, payload, signature.try_into().unwrap())
			},
			_ => false,
		}
	}

	fn registration() -> Registration {
		Registration {
			genesis: [1; 32],
			registrant: Registrant::Account([2; 32]),
			device: DeviceId([3; 32]),
			keys_registered: 0,
			expires_at: 9,
		}
	}

	fn payload(action: Action, nonce: u64) -> Vec<u8> {
		let Registration { genesis, expires_at, .. } = registration();
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}

	fn possess(purpose: KeyPurpose, key: &PublicKey) -> Action {
		let Registration { registrant, device, .. } = registration();
		let key = KeyId::of(key);
		Action::PossessKey { registrant, device, purpose, key, not_after: Some(7) }
	}

	fn admit(purpose: KeyPurpose, key: &PublicKey) -> Action {
		let Registration { registrant, device, .. } = registration();
		let key = KeyId::of(key);
		Action::AdmitKey { registrant, device, purpose, key, not_after: Some(7) }
	}

	#[test]
	fn each_type_proves_itself() {
		let agreement = AgreementKey::generate();
		let signing = SIGNING_TYPES.map(|key_type| SoftwareKey::generate(key_type).unwrap());
		let mut keys = vec![(KeyPurpose::KeyAgreement, &agreement as &dyn SigningKey)];
		keys.extend(signing.iter().map(|key| (KeyPurpose::Sign, key as &dyn SigningKey)));
		for (purpose, key) in keys {
			let new = registration().prove(purpose, key, Some(7)).unwrap();
			let payload = payload(possess(purpose, &key.public()), 0);
			assert_eq!(
				(new.purpose, &new.public, new.not_after),
				(purpose, &key.public(), Some(7))
			);
			assert!(verifies(&new.public, &payload, &new.possession), "{:?}", new.public.key_type);
			assert!(!verifies(&new.public, b"something else", &new.possession));
		}
	}

	#[test]
	fn an_agreement_key_is_not_proven_by_another_key() {
		let (agreement, another) = (AgreementKey::generate(), AgreementKey::generate());
		let proven = registration().prove(KeyPurpose::KeyAgreement, &another, Some(7)).unwrap();
		let payload = payload(possess(KeyPurpose::KeyAgreement, &agreement.public()), 0);
		assert!(!verifies(&agreement.public(), &payload, &proven.possession));
		let signature = another.sign(&payload).unwrap();
		assert!(!verifies(&agreement.public(), &payload, &signature));
	}

	#[test]
	fn each_proof_counts_the_keys_before_it() {
		let signing = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let agreement = AgreementKey::generate();
		let mut registration = registration();
		registration.prove(KeyPurpose::Sign, &signing, Some(7)).unwrap();
		let proven = registration.prove(KeyPurpose::KeyAgreement, &agreement, Some(7)).unwrap();
		let payload = payload(possess(KeyPurpose::KeyAgreement, &agreement.public()), 1);
		assert!(verifies(&agreement.public(), &payload, &proven.possession));
		assert_eq!(registration.keys_registered, 2);
	}

	#[test]
	fn a_device_consents_to_one_key_at_one_count() {
		let (signing, key) = (
			SoftwareKey::generate(KeyType::Ed25519).unwrap(),
			SoftwareKey::generate(KeyType::P256).unwrap(),
		);
		let mut registration = Registration { keys_registered: 3, ..registration() };
		let consent =
			registration.consent(KeyPurpose::Tls, &key.public(), Some(7), &signing).unwrap();
		let proven = registration.prove(KeyPurpose::Tls, &key, Some(7)).unwrap();
		assert_eq!(consent.key, KeyId::of(&signing.public()));
		let possess = payload(possess(KeyPurpose::Tls, &key.public()), 3);
		let admit = |purpose, key: &PublicKey, nonce| payload(admit(purpose, key), nonce);
		let good = admit(KeyPurpose::Tls, &key.public(), 3);
		assert!(verifies(&signing.public(), &good, &consent.signature));
		assert!(verifies(&key.public(), &possess, &proven.possession));
		for other in [
			possess,
			admit(KeyPurpose::Ssh, &key.public(), 3),
			admit(KeyPurpose::Tls, &signing.public(), 3),
			admit(KeyPurpose::Tls, &key.public(), 4),
		] {
			assert!(!verifies(&signing.public(), &other, &consent.signature));
		}
	}

	#[test]
	fn a_key_that_cannot_serve_is_refused() {
		let sr25519 = SoftwareKey::generate(KeyType::Sr25519).unwrap();
		let agreement = AgreementKey::generate();
		let unfit = |error| matches!(error, Some(PossessionError::Unfit { .. }));
		assert!(unfit(registration().prove(KeyPurpose::Ssh, &sr25519, None).err()));
		assert!(unfit(registration().prove(KeyPurpose::KeyAgreement, &sr25519, None).err()));
		assert!(unfit(registration().prove(KeyPurpose::Sign, &agreement, None).err()));
		let consent = |purpose, by: &dyn SigningKey| {
			registration().consent(purpose, &sr25519.public(), None, by).err()
		};
		assert!(unfit(consent(KeyPurpose::Ssh, &sr25519)));
		assert!(unfit(consent(KeyPurpose::Sign, &agreement)));
	}

	#[test]
	fn an_anchor_proof_is_good_for_one_account() {
		let key = SoftwareKey::generate(KeyType::P256).unwrap();
		let (organisation, anchor) = (OrganisationId([4; 32]), AnchorId([5; 32]));
		let proof = possess_anchor([1; 32], &[2; 32], organisation, anchor, 9, &key).unwrap();
		let payload = |account| {
			let action = Action::PossessAnchor { account, organisation, anchor };
			SigningContext { genesis: [1; 32], action, nonce: 0, expires_at: 9 }.payload()
		};
		assert!(verifies(&key.public(), &payload([2; 32]), &proof));
		assert!(!verifies(&key.public(), &payload([3; 32]), &proof));
	}

	#[test]
	fn an_acknowledgement_names_its_delivery() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let (device, digest) = (DeviceId([3; 32]), BlobDigest([6; 32]));
		let outcome = Outcome::Applied;
		let [channel, other] = [2, 3].map(|number| ChannelId::new(number).unwrap());
		let signature =
			sign_acknowledgement([1; 32], device, channel, 8, digest, outcome, 9, &key).unwrap();
		let payload = |channel, nonce| {
			let action = Action::AcknowledgeDelivery { device, channel, digest, outcome };
			SigningContext { genesis: [1; 32], action, nonce, expires_at: 9 }.payload()
		};
		assert!(verifies(&key.public(), &payload(channel, 8), &signature));
		assert!(!verifies(&key.public(), &payload(channel, 9), &signature));
		assert!(!verifies(&key.public(), &payload(other, 8), &signature));
	}
}
