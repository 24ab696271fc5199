//! Device keys, and the proofs that they are held.
//!
//! Proofs go through the trait [`SigningKey`], so that a key in a TPM or a secure element proves itself like a
//! [`SoftwareKey`]. What is signed, and how, is fixed by [`dpki_primitives::context`].

use crate::AccountId;
use dpki_primitives::{
	Moment,
	context::{Action, Registrant, SigningContext},
	delivery::Outcome,
	ids::{AnchorId, BlobDigest, DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType, NewKey, PublicKey, Signature},
};
use ed25519_dalek::Signer as _;
use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use pkcs8::{DecodePrivateKey, EncryptedPrivateKeyInfo, SecretDocument};
use rand_core::{OsRng, RngCore};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use zeroize::Zeroizing;

/// Why a key or a proof could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PossessionError {
	/// Keys of this type are not made or read here.
	#[error("{key_type:?} keys are not supported {context}: use an Ed25519 or P-256 key")]
	Unsupported {
		/// Which type.
		key_type: KeyType,
		/// Where.
		context: &'static str,
	},
	/// The algorithm of a key file is not one of ours.
	#[error("the key file holds a key of an unsupported algorithm: use an Ed25519 or P-256 key")]
	UnsupportedAlgorithm,
	/// The key type cannot serve the purpose.
	#[error("a key of type {key_type:?} cannot serve the purpose {purpose:?}: use another type")]
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

/// A key that can sign, wherever it is kept.
pub trait SigningKey: Send + Sync {
	/// Its public half.
	fn public(&self) -> PublicKey;

	/// Its signature over `payload`, in the encoding that [`dpki_primitives::context`] names for its type.
	fn sign(&self, payload: &[u8]) -> Result<Signature, PossessionError>;
}

/// A signing key in memory. Its secret is wiped when it is dropped.
#[derive(Clone)]
pub struct SoftwareKey(Key);

#[derive(Clone)]
enum Key {
	Ed25519(ed25519_dalek::SigningKey),
	P256(p256::ecdsa::SigningKey),
	Sr25519(Box<Sr25519>),
}

/// The pair signs; the seed is kept because a pair cannot be turned back into it.
#[derive(Clone)]
struct Sr25519 {
	seed: Zeroizing<[u8; 32]>,
	pair: schnorrkel::Keypair,
}

impl Sr25519 {
	fn from_seed(seed: &[u8]) -> Result<Self, PossessionError> {
		let mini = schnorrkel::MiniSecretKey::from_bytes(seed).map_err(malformed)?;
		let pair = mini.expand_to_keypair(schnorrkel::ExpansionMode::Ed25519);
		Ok(Self { seed: Zeroizing::new(mini.to_bytes()), pair })
	}
}

impl SoftwareKey {
	/// A new key: Ed25519, P-256 or sr25519.
	pub fn generate(key_type: KeyType) -> Result<Self, PossessionError> {
		match key_type {
			KeyType::P256 => Ok(Self(Key::P256(p256::ecdsa::SigningKey::random(&mut OsRng)))),
			_ => {
				let mut seed = Zeroizing::new([0; 32]);
				OsRng.fill_bytes(&mut *seed);
				Self::from_secret_bytes(key_type, &*seed)
			},
		}
	}

	/// A key from its 32 secret bytes: the seed of Ed25519 and sr25519, the scalar of P-256 (big-endian).
	pub fn from_secret_bytes(key_type: KeyType, secret: &[u8]) -> Result<Self, PossessionError> {
		if secret.len() != 32 {
			return Err(malformed(format!("{} bytes instead of 32", secret.len())));
		}
		match key_type {
			KeyType::Ed25519 => {
				ed25519_dalek::SigningKey::try_from(secret).map(Key::Ed25519).map_err(malformed)
			},
			KeyType::P256 => {
				p256::ecdsa::SigningKey::from_slice(secret).map(Key::P256).map_err(malformed)
			},
			KeyType::Sr25519 => Sr25519::from_seed(secret).map(Box::new).map(Key::Sr25519),
			KeyType::Secp256k1 | KeyType::X25519 => {
				Err(PossessionError::Unsupported { key_type, context: "for signing here" })
			},
		}
		.map(Self)
	}

	/// The 32 secret bytes, as [`SoftwareKey::from_secret_bytes`] takes them.
	pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
		Zeroizing::new(match &self.0 {
			Key::Ed25519(key) => key.as_bytes().to_vec(),
			Key::P256(key) => key.to_bytes().to_vec(),
			Key::Sr25519(key) => key.seed.to_vec(),
		})
	}

	/// The Ed25519 or P-256 key of a PKCS#8 PEM file, such as that of an X.509 root.
	pub fn from_pkcs8_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let (label, der) = SecretDocument::from_pem(pem).map_err(malformed)?;
		let der = match (label, passphrase) {
			("PRIVATE KEY", _) => der,
			("ENCRYPTED PRIVATE KEY", None) => return Err(PossessionError::PassphraseNeeded),
			("ENCRYPTED PRIVATE KEY", Some(passphrase)) => {
				EncryptedPrivateKeyInfo::try_from(der.as_bytes())
					.map_err(malformed)?
					.decrypt(passphrase)
					.map_err(|_| PossessionError::PassphraseWrong)?
			},
			_ => return Err(malformed(format!("its label is {label}, not PRIVATE KEY"))),
		};
		let der = der.as_bytes();
		pkcs8::PrivateKeyInfo::try_from(der).map_err(malformed)?;
		if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
			return Ok(Self(Key::Ed25519(key)));
		}
		p256::ecdsa::SigningKey::from_pkcs8_der(der)
			.map(|key| Self(Key::P256(key)))
			.map_err(|_| PossessionError::UnsupportedAlgorithm)
	}

	/// The Ed25519 or P-256 key of an OpenSSH private key file.
	pub fn from_openssh(pem: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let mut key = ssh_key::PrivateKey::from_openssh(pem).map_err(malformed)?;
		if key.is_encrypted() {
			let passphrase = passphrase.ok_or(PossessionError::PassphraseNeeded)?;
			key = key.decrypt(passphrase).map_err(|_| PossessionError::PassphraseWrong)?;
		}
		match key.key_data() {
			KeypairData::Ed25519(pair) => {
				let secret: &[u8; 32] = pair.private.as_ref();
				Self::from_secret_bytes(KeyType::Ed25519, secret)
			},
			KeypairData::Ecdsa(ssh_key::private::EcdsaKeypair::NistP256 { private, .. }) => {
				Self::from_secret_bytes(KeyType::P256, private.as_slice())
			},
			_ => Err(PossessionError::UnsupportedAlgorithm),
		}
	}

	/// The key as an unencrypted OpenSSH private key file.
	pub fn to_openssh(&self, comment: &str) -> Result<Zeroizing<String>, PossessionError> {
		let data = match &self.0 {
			Key::Ed25519(key) => KeypairData::Ed25519(Ed25519Keypair::from(key)),
			Key::P256(key) => KeypairData::Ecdsa(ssh_key::private::EcdsaKeypair::NistP256 {
				public: key.verifying_key().to_encoded_point(false),
				private: p256::SecretKey::from(key).into(),
			}),
			Key::Sr25519(_) => {
				return Err(PossessionError::Unsupported {
					key_type: KeyType::Sr25519,
					context: "by OpenSSH",
				});
			},
		};
		ssh_key::PrivateKey::new(data, comment)
			.and_then(|key| key.to_openssh(ssh_key::LineEnding::LF))
			.map_err(malformed)
	}
}

impl SigningKey for SoftwareKey {
	fn public(&self) -> PublicKey {
		let (key_type, bytes) = match &self.0 {
			Key::Ed25519(key) => (KeyType::Ed25519, key.verifying_key().to_bytes().to_vec()),
			Key::P256(key) => {
				let point = key.verifying_key().as_affine().to_encoded_point(true);
				(KeyType::P256, point.as_bytes().to_vec())
			},
			Key::Sr25519(key) => (KeyType::Sr25519, key.pair.public.to_bytes().to_vec()),
		};
		public_key(key_type, &bytes)
	}

	fn sign(&self, payload: &[u8]) -> Result<Signature, PossessionError> {
		let signing =
			|error: &dyn std::fmt::Display| PossessionError::Signing { reason: error.to_string() };
		let bytes = match &self.0 {
			Key::Ed25519(key) => key.sign(payload).to_bytes().to_vec(),
			Key::P256(key) => {
				let signature: p256::ecdsa::Signature =
					key.try_sign(payload).map_err(|error| signing(&error))?;
				signature.to_bytes().to_vec()
			},
			Key::Sr25519(key) => {
				let context = schnorrkel::signing_context(b"substrate");
				key.pair.sign(context.bytes(payload)).to_bytes().to_vec()
			},
		};
		Signature::try_from(bytes).map_err(|_| signing(&"the signature is too long"))
	}
}

impl std::fmt::Debug for SoftwareKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "SoftwareKey({})", KeyId::of(&self.public()))
	}
}

/// Encoders of fixed width cannot miss the length of their type.
fn public_key(key_type: KeyType, bytes: &[u8]) -> PublicKey {
	PublicKey::new(key_type, bytes).expect("the encoder of a key type writes its length")
}

/// An X25519 key, which opens envelopes. Its secret is wiped when it is dropped.
#[derive(Clone)]
pub struct AgreementKey(Zeroizing<[u8; 32]>);

impl AgreementKey {
	/// A new key.
	pub fn generate() -> Self {
		let mut secret = Zeroizing::new([0; 32]);
		OsRng.fill_bytes(&mut *secret);
		Self(secret)
	}

	/// A key from its secret bytes (RFC 7748).
	pub fn from_secret_bytes(secret: &[u8; 32]) -> Self {
		Self(Zeroizing::new(*secret))
	}

	/// The secret bytes.
	pub fn to_secret_bytes(&self) -> Zeroizing<[u8; 32]> {
		self.0.clone()
	}

	/// The public half.
	pub fn public(&self) -> PublicKey {
		public_key(KeyType::X25519, &X25519HkdfSha256::sk_to_pk(&self.hpke()).to_bytes())
	}

	pub(crate) fn hpke(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
		<X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&*self.0)
			.expect("every 32 bytes are an X25519 private key")
	}
}

impl std::fmt::Debug for AgreementKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "AgreementKey({})", KeyId::of(&self.public()))
	}
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
	/// A key that proves itself.
	pub fn prove(
		&mut self,
		purpose: KeyPurpose,
		key: &dyn SigningKey,
		not_after: Option<Moment>,
	) -> Result<NewKey, PossessionError> {
		self.new_key(purpose, key.public(), key, not_after)
	}

	/// An X25519 key that a signing key of the same device vouches for.
	pub fn vouch(
		&mut self,
		agreement: &PublicKey,
		by: &dyn SigningKey,
		not_after: Option<Moment>,
	) -> Result<NewKey, PossessionError> {
		self.new_key(KeyPurpose::KeyAgreement, agreement.clone(), by, not_after)
	}

	fn new_key(
		&mut self,
		purpose: KeyPurpose,
		public: PublicKey,
		signer: &dyn SigningKey,
		not_after: Option<Moment>,
	) -> Result<NewKey, PossessionError> {
		if !purpose.allows(public.key_type) {
			return Err(PossessionError::Unfit { key_type: public.key_type, purpose });
		}
		let context = SigningContext {
			genesis: self.genesis,
			action: Action::PossessKey {
				registrant: self.registrant,
				device: self.device,
				purpose,
				key: KeyId::of(&public),
				not_after,
			},
			nonce: self.keys_registered,
			expires_at: self.expires_at,
		};
		let possession = signer.sign(&context.payload())?;
		self.keys_registered += 1;
		Ok(NewKey { purpose, public, not_after, possession })
	}
}

/// The proof that the key of an anchor is held by whoever lets `account` register it for `organisation`.
pub fn possess_anchor(
	genesis: [u8; 32],
	account: &AccountId,
	organisation: OrganisationId,
	anchor: AnchorId,
	expires_at: Moment,
	key: &dyn SigningKey,
) -> Result<Signature, PossessionError> {
	let action = Action::PossessAnchor { account: *account, organisation, anchor };
	key.sign(&SigningContext { genesis, action, nonce: 0, expires_at }.payload())
}

/// The signature of a device under what became of a delivery.
pub fn sign_acknowledgement(
	genesis: [u8; 32],
	device: DeviceId,
	sequence: u64,
	digest: BlobDigest,
	outcome: Outcome,
	expires_at: Moment,
	key: &dyn SigningKey,
) -> Result<Signature, PossessionError> {
	let action = Action::AcknowledgeDelivery { device, digest, outcome };
	key.sign(&SigningContext { genesis, action, nonce: sequence, expires_at }.payload())
}

#[cfg(test)]
mod tests {
	use super::*;
	use ed25519_dalek::Verifier as _;

	const SIGNING_TYPES: [KeyType; 3] = [KeyType::Ed25519, KeyType::P256, KeyType::Sr25519];

	/// As the chain verifies, see `dpki_primitives::context`.
	fn verifies(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool {
		match key.key_type {
			KeyType::Ed25519 => {
				let key = ed25519_dalek::VerifyingKey::try_from(&key.bytes[..]).unwrap();
				key.verify(payload, &ed25519_dalek::Signature::from_slice(signature).unwrap())
					.is_ok()
			},
			KeyType::P256 => {
				let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&key.bytes).unwrap();
				key.verify(payload, &p256::ecdsa::Signature::from_slice(signature).unwrap())
					.is_ok()
			},
			KeyType::Sr25519 => {
				let key = schnorrkel::PublicKey::from_bytes(&key.bytes).unwrap();
				let signature = schnorrkel::Signature::from_bytes(signature).unwrap();
				key.verify_simple(b"substrate", payload, &signature).is_ok()
			},
			KeyType::Secp256k1 | KeyType::X25519 => false,
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

	fn payload(purpose: KeyPurpose, key: &PublicKey, nonce: u64) -> Vec<u8> {
		let Registration { genesis, registrant, device, expires_at, .. } = registration();
		let key = KeyId::of(key);
		let action = Action::PossessKey { registrant, device, purpose, key, not_after: Some(7) };
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}

	#[test]
	fn each_type_proves_itself() {
		for key_type in SIGNING_TYPES {
			let key = SoftwareKey::generate(key_type).unwrap();
			let new = registration().prove(KeyPurpose::Sign, &key, Some(7)).unwrap();
			let payload = payload(KeyPurpose::Sign, &key.public(), 0);
			assert_eq!(new.public, key.public());
			assert!(verifies(&new.public, &payload, &new.possession), "{key_type:?}");
			assert!(!verifies(&new.public, b"something else", &new.possession));
		}
	}

	#[test]
	fn each_proof_counts_the_keys_before_it() {
		let signing = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let agreement = AgreementKey::generate().public();
		let mut registration = registration();
		registration.prove(KeyPurpose::Sign, &signing, Some(7)).unwrap();
		let vouched = registration.vouch(&agreement, &signing, Some(7)).unwrap();
		let payload = payload(KeyPurpose::KeyAgreement, &agreement, 1);
		assert!(verifies(&signing.public(), &payload, &vouched.possession));
		assert_eq!(registration.keys_registered, 2);
	}

	#[test]
	fn a_key_that_cannot_serve_is_refused() {
		let sr25519 = SoftwareKey::generate(KeyType::Sr25519).unwrap();
		let proven = registration().prove(KeyPurpose::Ssh, &sr25519, None);
		assert!(matches!(proven, Err(PossessionError::Unfit { .. })));
		let vouched = registration().vouch(&sr25519.public(), &sr25519, None);
		assert!(matches!(vouched, Err(PossessionError::Unfit { .. })));
	}

	#[test]
	fn secret_bytes_come_back() {
		for key_type in SIGNING_TYPES {
			let key = SoftwareKey::generate(key_type).unwrap();
			let secret = key.to_secret_bytes();
			let again = SoftwareKey::from_secret_bytes(key_type, &secret).unwrap();
			assert_eq!((secret.len(), again.public()), (32, key.public()));
			assert!(!format!("{key:?}").contains(&hex::encode(&*secret)));
		}
		let key = AgreementKey::generate();
		assert_eq!(AgreementKey::from_secret_bytes(&key.to_secret_bytes()).public(), key.public());
	}

	#[test]
	fn what_cannot_sign_is_not_made() {
		for key_type in [KeyType::X25519, KeyType::Secp256k1] {
			let made = SoftwareKey::generate(key_type);
			assert!(matches!(made, Err(PossessionError::Unsupported { .. })));
		}
		for len in [0, 31, 33] {
			for key_type in SIGNING_TYPES {
				let made = SoftwareKey::from_secret_bytes(key_type, &vec![1; len]);
				assert!(
					matches!(made, Err(PossessionError::Malformed { .. })),
					"{key_type:?} {len}"
				);
			}
		}
	}

	#[test]
	fn openssh_files_come_back() {
		for key_type in [KeyType::Ed25519, KeyType::P256] {
			let key = SoftwareKey::generate(key_type).unwrap();
			let pem = key.to_openssh("device").unwrap();
			assert_eq!(SoftwareKey::from_openssh(&pem, None).unwrap().public(), key.public());
			let encrypted = ssh_key::PrivateKey::from_openssh(&*pem)
				.unwrap()
				.encrypt(&mut OsRng, "right")
				.unwrap()
				.to_openssh(ssh_key::LineEnding::LF)
				.unwrap();
			let read = |passphrase| SoftwareKey::from_openssh(&encrypted, passphrase);
			assert_eq!(read(Some("right")).unwrap().public(), key.public());
			assert!(matches!(read(None), Err(PossessionError::PassphraseNeeded)));
			assert!(matches!(read(Some("wrong")), Err(PossessionError::PassphraseWrong)));
		}
	}

	#[test]
	fn pkcs8_files_are_read() {
		use pkcs8::EncodePrivateKey;
		let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
		let p256 = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
		let ending = pkcs8::LineEnding::LF;
		let files = [
			(KeyType::Ed25519, ed25519.to_pkcs8_pem(ending).unwrap()),
			(KeyType::P256, p256.to_pkcs8_pem(ending).unwrap()),
		];
		for (key_type, pem) in files {
			let key = SoftwareKey::from_pkcs8_pem(&pem, None).unwrap();
			assert_eq!(*key.to_secret_bytes(), [5; 32]);
			assert_eq!(key.public().key_type, key_type);
			let (_, der) = SecretDocument::from_pem(&pem).unwrap();
			let encrypted = pkcs8::PrivateKeyInfo::try_from(der.as_bytes())
				.unwrap()
				.encrypt(OsRng, "right")
				.unwrap()
				.to_pem("ENCRYPTED PRIVATE KEY", ending)
				.unwrap();
			let read = |passphrase| SoftwareKey::from_pkcs8_pem(&encrypted, passphrase);
			assert_eq!(read(Some("right")).unwrap().public(), key.public());
			assert!(matches!(read(None), Err(PossessionError::PassphraseNeeded)));
			assert!(matches!(read(Some("wrong")), Err(PossessionError::PassphraseWrong)));
		}
		for text in ["", "hello", "-----BEGIN X-----\nAAAA\n-----END X-----\n"] {
			let read = SoftwareKey::from_pkcs8_pem(text, None);
			assert!(matches!(read, Err(PossessionError::Malformed { .. })), "{text}");
		}
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
		let signature = sign_acknowledgement([1; 32], device, 8, digest, outcome, 9, &key).unwrap();
		let payload = |nonce| {
			let action = Action::AcknowledgeDelivery { device, digest, outcome };
			SigningContext { genesis: [1; 32], action, nonce, expires_at: 9 }.payload()
		};
		assert!(verifies(&key.public(), &payload(8), &signature));
		assert!(!verifies(&key.public(), &payload(9), &signature));
	}
}
