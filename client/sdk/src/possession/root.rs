//! Keys of X.509 roots.

use super::{PossessionError, Signer, SigningKey, SoftwareKey, pem::PrivateDer};
use dpki_primitives::key::Signature;
use ed25519_dalek::Signer as _;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use pkcs8::DecodePrivateKey;
use rand_core::OsRng;
use rsa::{
	Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
	pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey},
	sha2::{Digest, Sha256, Sha384, Sha512},
};
use x509_parser::{
	oid_registry::{
		OID_NIST_HASH_SHA256, OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512, OID_PKCS1_RSASSAPSS,
		OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
		OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ED25519,
	},
	prelude::{FromDer, X509Certificate},
	signature_algorithm::RsaSsaPssParams,
};

/// The private key of an X.509 root in memory: Ed25519, P-256, P-384 or RSA. Its secret is wiped when it is dropped.
///
/// It signs in the way that [`dpki_primitives::context`] names for its algorithm. A root whose key is in a hardware
/// security module implements [`Signer`] itself.
pub struct RootKey(Key);

enum Key {
	/// A key that a device could have too.
	Device(SoftwareKey),
	P384(p384::ecdsa::SigningKey),
	Rsa {
		key: Box<RsaPrivateKey>,
		hash: RsaHash,
	},
}

/// The hash of an RSA signature: the one that signed the certificate, of whatever type the key was that did, and SHA-256
/// if it was Ed25519.
#[derive(Clone, Copy)]
enum RsaHash {
	Sha256,
	Sha384,
	Sha512,
}

impl RsaHash {
	fn of(certificate: &X509Certificate<'_>) -> Option<Self> {
		let signed_by = &certificate.signature_algorithm;
		let pss = (signed_by.algorithm == OID_PKCS1_RSASSAPSS)
			.then(|| RsaSsaPssParams::try_from(signed_by.parameters.as_ref()?).ok())
			.flatten();
		let names_it = match &pss {
			Some(parameters) => &parameters.hash_algorithm()?.algorithm,
			None => &signed_by.algorithm,
		};
		[
			(OID_PKCS1_SHA256WITHRSA, Self::Sha256),
			(OID_PKCS1_SHA384WITHRSA, Self::Sha384),
			(OID_PKCS1_SHA512WITHRSA, Self::Sha512),
			(OID_NIST_HASH_SHA256, Self::Sha256),
			(OID_NIST_HASH_SHA384, Self::Sha384),
			(OID_NIST_HASH_SHA512, Self::Sha512),
			(OID_SIG_ECDSA_WITH_SHA256, Self::Sha256),
			(OID_SIG_ECDSA_WITH_SHA384, Self::Sha384),
			(OID_SIG_ED25519, Self::Sha256),
		]
		.into_iter()
		.find_map(|(oid, hash)| (oid == *names_it).then_some(hash))
	}
}

impl RootKey {
	/// The private key, in a PEM file as OpenSSL writes it (PKCS#8 in the clear or encrypted, PKCS#1, SEC 1), of the root
	/// with this certificate in DER.
	pub fn from_pem(
		pem: &str,
		passphrase: Option<&str>,
		certificate: &[u8],
	) -> Result<Self, PossessionError> {
		let (_, certificate) = X509Certificate::from_der(certificate)
			.map_err(|error| PossessionError::Certificate { reason: error.to_string() })?;
		let der = PrivateDer::read(pem, passphrase)?;
		let secret = Secret::decode(&der).ok_or(PossessionError::UnsupportedRoot)?;
		if !secret.is_half_of(&certificate.public_key().subject_public_key.data) {
			return Err(PossessionError::OtherKey);
		}
		Ok(Self(match secret {
			Secret::Device(key) => Key::Device(key),
			Secret::P384(key) => Key::P384(key),
			Secret::Rsa(key) => Key::Rsa {
				key,
				hash: RsaHash::of(&certificate).ok_or(PossessionError::UnsupportedRoot)?,
			},
		}))
	}
}

/// What a file of a private key holds, before its certificate says how it signs.
enum Secret {
	Device(SoftwareKey),
	P384(p384::ecdsa::SigningKey),
	Rsa(Box<RsaPrivateKey>),
}

impl Secret {
	fn decode(der: &PrivateDer) -> Option<Self> {
		let rsa = |key| Self::Rsa(Box::new(key));
		match der {
			PrivateDer::Pkcs8(der) => {
				let der = der.as_bytes();
				if let Some(key) = SoftwareKey::from_pkcs8_der(der) {
					return Some(Self::Device(key));
				}
				if let Ok(key) = p384::ecdsa::SigningKey::from_pkcs8_der(der) {
					return Some(Self::P384(key));
				}
				RsaPrivateKey::from_pkcs8_der(der).ok().map(rsa)
			},
			PrivateDer::Pkcs1(der) => RsaPrivateKey::from_pkcs1_der(der.as_bytes()).ok().map(rsa),
			PrivateDer::Sec1(der) => {
				let der = der.as_bytes();
				if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
					return Some(Self::Device(SoftwareKey::from_p256(key.into())));
				}
				p384::SecretKey::from_sec1_der(der).ok().map(|key| Self::P384(key.into()))
			},
		}
	}

	/// Whether this is the private half of the key in these bits of a certificate (RFC 5280 section 4.1.2.7).
	fn is_half_of(&self, bits: &[u8]) -> bool {
		match self {
			Self::Device(key) => {
				let public = key.public().bytes;
				// A device's P-256 key is a compressed point, a certificate's mostly is not.
				let point = p256::PublicKey::from_sec1_bytes(bits);
				public[..] == *bits
					|| point
						.is_ok_and(|point| point.to_encoded_point(true).as_bytes() == &public[..])
			},
			Self::P384(key) => p384::ecdsa::VerifyingKey::from_sec1_bytes(bits)
				.is_ok_and(|public| public == *key.verifying_key()),
			Self::Rsa(key) => RsaPublicKey::from_pkcs1_der(bits)
				.is_ok_and(|public| public == RsaPublicKey::from(&**key)),
		}
	}
}

impl Signer for RootKey {
	fn sign(&self, payload: &[u8]) -> Result<Signature, PossessionError> {
		let failed =
			|error: &dyn std::fmt::Display| PossessionError::Signing { reason: error.to_string() };
		let bytes = match &self.0 {
			Key::Device(key) => return key.sign(payload),
			Key::P384(key) => {
				let signature: p384::ecdsa::Signature =
					key.try_sign(payload).map_err(|error| failed(&error))?;
				signature.to_bytes().to_vec()
			},
			Key::Rsa { key, hash } => {
				let (scheme, digest) = match hash {
					RsaHash::Sha256 => {
						(Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(payload).to_vec())
					},
					RsaHash::Sha384 => {
						(Pkcs1v15Sign::new::<Sha384>(), Sha384::digest(payload).to_vec())
					},
					RsaHash::Sha512 => {
						(Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(payload).to_vec())
					},
				};
				// With random numbers the private operation is blinded: its time tells nothing of the key.
				key.sign_with_rng(&mut OsRng, scheme, &digest).map_err(|error| failed(&error))?
			},
		};
		Signature::try_from(bytes).map_err(|_| failed(&"the signature is too long"))
	}
}

impl std::fmt::Debug for RootKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("RootKey").finish_non_exhaustive()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{fs, path::Path, process::Command};
	use tempfile::TempDir;

	/// What is signed.
	const PAYLOAD: &[u8] = b"dpki-signature/1 and so on";

	/// A folder with a private key `key` and a self-signed certificate `root.der`, both made by OpenSSL.
	struct Made(TempDir);

	impl Made {
		/// `key` are the words of the `openssl` command that writes the key, `hash` signs the certificate.
		fn new(key: &str, hash: &str) -> Self {
			let made = Self(tempfile::tempdir().unwrap());
			made.openssl(key);
			made.openssl(&format!(
				"req -x509 -new -key key -passin pass:right -{hash} -subj /CN=root -days 1 \
				 -outform DER -out root.der"
			));
			made
		}

		/// OpenSSL's word is taken by its exit code.
		fn succeeds(&self, words: &str) -> (bool, String) {
			let output = Command::new("openssl")
				.args(words.split_whitespace())
				.current_dir(self.0.path())
				.output()
				.expect("OpenSSL is installed");
			(output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
		}

		fn openssl(&self, words: &str) {
			let (success, said) = self.succeeds(words);
			assert!(success, "openssl {words}: {said}");
		}

		fn path(&self) -> &Path {
			self.0.path()
		}

		fn certificate(&self) -> Vec<u8> {
			fs::read(self.path().join("root.der")).unwrap()
		}

		fn read(&self, file: &str, passphrase: Option<&str>) -> Result<RootKey, PossessionError> {
			let pem = fs::read_to_string(self.path().join(file)).unwrap();
			RootKey::from_pem(&pem, passphrase, &self.certificate())
		}

		/// Whether OpenSSL verifies this signature of `payload` with the key in the certificate. ECDSA is in DER for it.
		fn verifies(&self, hash: &str, payload: &[u8], signature: &[u8]) -> bool {
			fs::write(self.path().join("payload"), payload).unwrap();
			fs::write(self.path().join("signature"), signature).unwrap();
			self.openssl("x509 -inform DER -in root.der -noout -pubkey -out public");
			let check = if hash.is_empty() {
				"pkeyutl -verify -pubin -inkey public -rawin -in payload -sigfile signature"
					.to_string()
			} else {
				format!("dgst -{hash} -verify public -signature signature payload")
			};
			self.succeeds(&check).0
		}

		/// That the key in `file` signs as OpenSSL verifies it.
		fn assert_signs(&self, file: &str, hash: &str, encode: fn(&[u8]) -> Vec<u8>) {
			let key = self.read(file, Some("right")).unwrap();
			let signature = encode(&key.sign(PAYLOAD).unwrap());
			assert!(self.verifies(hash, PAYLOAD, &signature), "{file} {hash}");
			assert!(!self.verifies(hash, b"something else", &signature), "{file} {hash}");
		}
	}

	fn p256_der(signature: &[u8]) -> Vec<u8> {
		p256::ecdsa::Signature::from_slice(signature)
			.unwrap()
			.to_der()
			.as_bytes()
			.to_vec()
	}

	fn p384_der(signature: &[u8]) -> Vec<u8> {
		p384::ecdsa::Signature::from_slice(signature)
			.unwrap()
			.to_der()
			.as_bytes()
			.to_vec()
	}

	#[test]
	fn rsa_roots_sign_with_the_hash_of_their_certificate() {
		for hash in ["sha256", "sha384", "sha512"] {
			let key = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key";
			let made = Made::new(key, hash);
			made.openssl("rsa -in key -traditional -out pkcs1");
			made.openssl("pkcs8 -topk8 -in key -passout pass:right -out encrypted");
			for file in ["key", "pkcs1", "encrypted"] {
				made.assert_signs(file, hash, <[u8]>::to_vec);
			}
		}
	}

	/// An RSA root whose certificate is signed by PSS proves itself by PKCS#1 with the same hash.
	#[test]
	fn rsa_roots_that_are_signed_by_pss_sign_with_its_hash() {
		for (hash, salt) in [("sha256", 32), ("sha384", 48), ("sha512", 64)] {
			let key = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key";
			let pss = format!("{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}");
			Made::new(key, &pss).assert_signs("key", hash, <[u8]>::to_vec);
		}
	}

	/// The hash is that of the issuer, although its key is of another type.
	#[test]
	fn rsa_authorities_below_other_keys_sign_with_the_hash_of_their_certificate() {
		for (issuer, signed_with, hash) in [
			("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca", "sha256", "sha256"),
			("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ca", "sha384", "sha384"),
			("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca", "sha384", "sha384"),
			// Ed25519 names no hash.
			("genpkey -algorithm ED25519 -out ca", "sha512", "sha256"),
		] {
			let made = Made(tempfile::tempdir().unwrap());
			made.openssl(issuer);
			made.openssl("req -x509 -new -key ca -subj /CN=ca -days 1 -out ca.pem");
			made.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key");
			made.openssl("req -new -key key -subj /CN=below -out below.csr");
			made.openssl(&format!(
				"x509 -req -in below.csr -CA ca.pem -CAkey ca -set_serial 2 -{signed_with} -days 1 \
				 -outform DER -out root.der"
			));
			made.assert_signs("key", hash, <[u8]>::to_vec);
		}
	}

	#[test]
	fn p384_roots_sign() {
		// This writes SEC 1, after a block with the parameters of the curve.
		let made = Made::new("ecparam -name secp384r1 -genkey -out key", "sha384");
		made.openssl("pkcs8 -topk8 -in key -nocrypt -out pkcs8");
		made.openssl("pkcs8 -topk8 -in key -passout pass:right -out encrypted");
		for file in ["key", "pkcs8", "encrypted"] {
			made.assert_signs(file, "sha384", p384_der);
		}
	}

	#[test]
	fn p256_roots_sign() {
		let made = Made::new("ecparam -name prime256v1 -genkey -out key", "sha256");
		made.openssl("pkcs8 -topk8 -in key -nocrypt -out pkcs8");
		for file in ["key", "pkcs8"] {
			made.assert_signs(file, "sha256", p256_der);
		}
	}

	#[test]
	fn ed25519_roots_sign() {
		let made = Made::new("genpkey -algorithm ED25519 -out key", "sha512");
		made.assert_signs("key", "", <[u8]>::to_vec);
	}

	#[test]
	fn an_encrypted_key_wants_its_passphrase() {
		let key = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:right \
			-out key";
		let made = Made::new(key, "sha256");
		assert!(matches!(made.read("key", None), Err(PossessionError::PassphraseNeeded)));
		assert!(matches!(made.read("key", Some("wrong")), Err(PossessionError::PassphraseWrong)));
		made.openssl(
			"rsa -in key -passin pass:right -traditional -aes256 -passout pass:right -out legacy",
		);
		made.openssl(
			"pkcs8 -topk8 -in key -passin pass:right -v1 PBE-SHA1-3DES -passout pass:right -out v1",
		);
		for file in ["legacy", "v1"] {
			let error = made.read(file, Some("right")).unwrap_err();
			assert!(matches!(error, PossessionError::UnsupportedEncryption), "{file}: {error}");
			assert!(error.to_string().contains("openssl pkcs8 -topk8"), "{error}");
		}
	}

	#[test]
	fn a_key_that_is_not_the_one_of_the_certificate_is_refused() {
		let keys = [
			("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out", "sha256"),
			("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out", "sha256"),
			("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out", "sha384"),
			("genpkey -algorithm ED25519 -out", "sha512"),
		];
		for (make, hash) in keys {
			let made = Made::new(&format!("{make} key"), hash);
			made.openssl(&format!("{make} another"));
			assert!(made.read("key", None).is_ok(), "{make}");
			assert!(matches!(made.read("another", None), Err(PossessionError::OtherKey)), "{make}");
		}
	}

	#[test]
	fn what_the_chain_does_not_take_as_a_root_is_refused() {
		let secp256k1 = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key";
		let rsa = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key";
		let pss = "sha224 -sigopt rsa_padding_mode:pss";
		for (key, hash) in [(secp256k1, "sha256"), (rsa, "sha224"), (rsa, pss)] {
			let refused = Made::new(key, hash).read("key", None);
			assert!(matches!(refused, Err(PossessionError::UnsupportedRoot)), "{key} {hash}");
		}
		let made = Made::new(rsa, "sha256");
		let pem = fs::read_to_string(made.path().join("key")).unwrap();
		let refused = RootKey::from_pem(&pem, None, b"no certificate");
		assert!(matches!(refused, Err(PossessionError::Certificate { .. })));
		let refused = RootKey::from_pem("no key", None, &made.certificate());
		assert!(matches!(refused, Err(PossessionError::Malformed { .. })));
	}
}
