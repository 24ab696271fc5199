//! Signing keys in memory.

use super::{
	PossessionError, Signer, SigningKey, malformed,
	pem::{self, PrivateDer},
	public_key, secret_digits,
};
use dpki_primitives::{
	ids::KeyId,
	key::{KeyType, PublicKey, Signature},
};
use ed25519_dalek::Signer as _;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use pkcs8::DecodePrivateKey;
use rand_core::{OsRng, RngCore};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use zeroize::Zeroizing;

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
			KeyType::Secp256k1
			| KeyType::X25519
			| KeyType::Rsa
			| KeyType::MlDsa44
			| KeyType::MlDsa65
			| KeyType::MlDsa87
			| KeyType::XWing => Err(PossessionError::Unsupported { key_type, context: "for signing here" }),
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

	/// The key of a file: Ed25519 or P-256 as OpenSSH private key or in PKCS#8 PEM, or the seed of an Ed25519 key in 64
	/// hexadecimal digits, as the `signing.key` of an agent holds it.
	pub fn from_text(text: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let text = text.trim();
		if text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
			return Self::from_openssh(text, passphrase);
		}
		if text.starts_with(pem::BEGIN) {
			return Self::from_pkcs8_pem(text, passphrase);
		}
		Self::from_secret_bytes(KeyType::Ed25519, secret_digits(text)?.as_slice())
	}

	/// The Ed25519 or P-256 key of a PKCS#8 PEM file.
	pub fn from_pkcs8_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let PrivateDer::Pkcs8(der) = PrivateDer::read(pem, passphrase)? else {
			return Err(malformed("it is not in PKCS#8"));
		};
		pkcs8::PrivateKeyInfo::try_from(der.as_bytes()).map_err(malformed)?;
		Self::from_pkcs8_der(der.as_bytes()).ok_or(PossessionError::UnsupportedAlgorithm)
	}

	/// The Ed25519 or P-256 key in this PKCS#8 structure; `None` if it holds another one.
	pub(super) fn from_pkcs8_der(der: &[u8]) -> Option<Self> {
		if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
			return Some(Self(Key::Ed25519(key)));
		}
		p256::ecdsa::SigningKey::from_pkcs8_der(der).ok().map(Self::from_p256)
	}

	pub(super) fn from_p256(key: p256::ecdsa::SigningKey) -> Self {
		Self(Key::P256(key))
	}

	/// The Ed25519 or P-256 key of an OpenSSH private key file.
	pub fn from_openssh(pem: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let mut key = ssh_key::PrivateKey::from_openssh(pem).map_err(malformed)?;
		if key.is_encrypted() {
			let passphrase = passphrase.ok_or(PossessionError::PassphraseNeeded)?;
			key = key.decrypt(passphrase).map_err(|error| match error {
				// A wrong passphrase shows in two numbers that are not the same, which `ssh-key` calls a cryptographic
				// error.
				ssh_key::Error::Crypto => PossessionError::PassphraseWrong,
				error => malformed(error),
			})?;
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
}

impl Signer for SoftwareKey {
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

#[cfg(test)]
mod tests {
	use super::*;
	use pkcs8::SecretDocument;

	const SIGNING_TYPES: [KeyType; 3] = [KeyType::Ed25519, KeyType::P256, KeyType::Sr25519];

	#[test]
	fn secret_bytes_come_back() {
		for key_type in SIGNING_TYPES {
			let key = SoftwareKey::generate(key_type).unwrap();
			let secret = key.to_secret_bytes();
			let again = SoftwareKey::from_secret_bytes(key_type, &secret).unwrap();
			assert_eq!((secret.len(), again.public()), (32, key.public()));
			assert!(!format!("{key:?}").contains(&hex::encode(&*secret)));
		}
	}

	#[test]
	fn a_file_is_read_by_what_it_begins_with() {
		use pkcs8::EncodePrivateKey;
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let digits = hex::encode(&*key.to_secret_bytes());
		let pkcs8 = ed25519_dalek::SigningKey::try_from(&key.to_secret_bytes()[..])
			.unwrap()
			.to_pkcs8_pem(pkcs8::LineEnding::LF)
			.unwrap();
		let openssh = key.to_openssh("device").unwrap();
		for text in [&*digits, &digits.to_uppercase(), &format!("{digits}\n"), &pkcs8, &openssh] {
			assert_eq!(SoftwareKey::from_text(text, None).unwrap().public(), key.public());
		}
		for text in ["", &digits[1..], &format!("{digits}00"), &format!("0x{digits}"), "-----BEGIN"]
		{
			let error = SoftwareKey::from_text(text, None).unwrap_err();
			assert!(matches!(error, PossessionError::Malformed { .. }), "{text}");
			assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
		}
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
}
