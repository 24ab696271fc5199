//! Key-agreement keys.

use super::{
	PossessionError, Signer, SigningKey, malformed,
	pem::{self, PrivateDer},
	public_key, secret_digits, xeddsa,
};
use dpki_primitives::{
	ids::KeyId,
	key::{KeyType, PublicKey, Signature},
};
use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use pkcs8::ObjectIdentifier;
use rand_core::{OsRng, RngCore};
use zeroize::Zeroizing;

/// `id-X25519` (RFC 8410 section 3).
const ID_X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

/// An X25519 key, which opens envelopes, and signs nothing but the proof that it is held. Its secret is wiped when it is
/// dropped.
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

	/// The key of a file: in PKCS#8 PEM (RFC 8410), or its secret bytes in 64 hexadecimal digits, as the `agreement.key`
	/// of an agent holds them.
	pub fn from_text(text: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let text = text.trim();
		if !text.starts_with(pem::BEGIN) {
			return Ok(Self(secret_digits(text)?));
		}
		let PrivateDer::Pkcs8(der) = PrivateDer::read(text, passphrase)? else {
			return Err(malformed("it is not in PKCS#8"));
		};
		let info = pkcs8::PrivateKeyInfo::try_from(der.as_bytes()).map_err(malformed)?;
		if info.algorithm.oid != ID_X25519 {
			return Err(PossessionError::NotForAgreement);
		}
		// RFC 8410 section 7: an octet string inside of the octet string.
		let secret = info
			.private_key
			.strip_prefix(&[0x04u8, 0x20])
			.and_then(|secret| secret.try_into().ok())
			.ok_or_else(|| malformed("an X25519 key has 32 bytes"))?;
		Ok(Self::from_secret_bytes(secret))
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

impl Signer for AgreementKey {
	fn sign(&self, payload: &[u8]) -> Result<Signature, PossessionError> {
		let signature = xeddsa::sign(&self.0, payload);
		Ok(signature.to_vec().try_into().expect("64 bytes are within the limit"))
	}
}

impl SigningKey for AgreementKey {
	fn public(&self) -> PublicKey {
		AgreementKey::public(self)
	}
}

impl std::fmt::Debug for AgreementKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "AgreementKey({})", KeyId::of(&self.public()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn secret_bytes_come_back_and_are_not_shown() {
		let key = AgreementKey::generate();
		let secret = key.to_secret_bytes();
		assert_eq!(AgreementKey::from_secret_bytes(&secret).public(), key.public());
		assert!(!format!("{key:?}").contains(&hex::encode(*secret)));
	}
	#[test]
	fn the_digits_of_an_agent_are_read() {
		let key = AgreementKey::generate();
		let digits = hex::encode(*key.to_secret_bytes());
		for text in [&*digits, &format!("{digits}\n")] {
			assert_eq!(AgreementKey::from_text(text, None).unwrap().public(), key.public());
		}
		for text in ["", &digits[2..], &format!("0x{digits}"), "-----BEGIN X-----"] {
			let error = AgreementKey::from_text(text, None).unwrap_err();
			assert!(matches!(error, PossessionError::Malformed { .. }), "{text}");
			assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
		}
	}

	#[test]
	fn a_key_of_openssl_is_read() {
		let folder = tempfile::tempdir().unwrap();
		let openssl = |words: &str| {
			let output = std::process::Command::new("openssl")
				.args(words.split(' '))
				.current_dir(folder.path())
				.output()
				.expect("OpenSSL is installed");
			assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
			output.stdout
		};
		let read = |passphrase| {
			let pem = std::fs::read_to_string(folder.path().join("key")).unwrap();
			AgreementKey::from_text(&pem, passphrase)
		};
		openssl("genpkey -algorithm X25519 -out key");
		let public = read(None).unwrap().public();
		// The key is the end of what OpenSSL tells of it.
		assert!(openssl("pkey -in key -pubout -outform DER").ends_with(&public.bytes));
		openssl("genpkey -algorithm X25519 -aes256 -pass pass:right -out key");
		let public = read(Some("right")).unwrap().public();
		let told = openssl("pkey -in key -passin pass:right -pubout -outform DER");
		assert!(told.ends_with(&public.bytes));
		assert!(matches!(read(None), Err(PossessionError::PassphraseNeeded)));

		openssl("genpkey -algorithm ED25519 -out key");
		assert!(matches!(read(None), Err(PossessionError::NotForAgreement)));
	}
}
