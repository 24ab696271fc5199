//! Signature algorithms and public keys: which are accepted, and in which encodings.
//!
//! | algorithm | identifier and parameters | key | signature in a certificate |
//! |---|---|---|---|
//! | Ed25519 | RFC 8410: none | 32 bytes | 64 bytes |
//! | ECDSA with SHA-256 or SHA-384 | RFC 5758 section 3.2: none | RFC 5480: named curve P-256 or P-384 | RFC 3279 section 2.2.3: DER |
//! | RSA PKCS#1 v1.5 with SHA-256, SHA-384 or SHA-512 | RFC 4055 section 5: NULL | RFC 4055 section 1.2: `rsaEncryption`, NULL | as long as the modulus |
//! | RSA PSS with the same hashes | RFC 4055 section 3.1: MGF1 with the same hash, salt as long as the hash | the same | as long as the modulus |
//!
//! RSA keys have 2048 to 4096 bits in whole octets and an odd exponent of 32 bits at most: the time of a verification
//! grows with the words of both. Keys of type `id-RSASSA-PSS` are not accepted.
//!
//! Ed25519 is what [`dpki_crypto::ed25519`] says.
//!
//! ECDSA accepts both `s` and `n - s`, as FIPS 186-5 and X.509 do. That is harmless as long as nothing is named or
//! remembered by its signature.

use crate::error::Error;
use alloc::vec::Vec;
use dpki_crypto::ed25519;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rsa::{
	pkcs1::{self, RsaPssParams, UintRef},
	sha2::{Sha256, Sha384, Sha512},
};
use x509_cert::{
	der::{
		Any, Decode, Encode, Tag, Tagged,
		asn1::{BitString, ObjectIdentifier},
		oid::{
			AssociatedOid,
			db::{rfc5912, rfc8410},
		},
	},
	spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

pub use dpki_crypto::{Hash, Verifier};

/// An algorithm by which certificates are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureAlgorithm {
	/// Ed25519 (RFC 8032, pure).
	Ed25519,
	/// ECDSA; the key says over which curve. Never with SHA-512.
	Ecdsa(Hash),
	/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
	RsaPkcs1(Hash),
	/// RSASSA-PSS (RFC 8017 section 8.1), MGF1 with the same hash, salt as long as the hash.
	RsaPss(Hash),
}

/// A public key that can verify signatures, checked as far as its type allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
	/// Ed25519: 32 bytes, see [`ed25519::is_key`].
	Ed25519([u8; 32]),
	/// P-256: a point on the curve in SEC 1 form, compressed or not, as the certificate has it.
	P256(Vec<u8>),
	/// P-384: the same.
	P384(Vec<u8>),
	/// RSA: DER `RSAPublicKey` within the limits of this module.
	Rsa(Vec<u8>),
}

impl SignatureAlgorithm {
	/// The algorithm of an `AlgorithmIdentifier`.
	pub fn read(identifier: &AlgorithmIdentifierOwned) -> Result<Self, Error> {
		let bare = |algorithm| {
			identifier
				.parameters
				.is_none()
				.then_some(algorithm)
				.ok_or(Error::AlgorithmUnsupported)
		};
		// RFC 4055 section 5: the parameters are NULL, and not absent.
		let with_null = |algorithm| {
			has_null_parameters(identifier)
				.then_some(algorithm)
				.ok_or(Error::AlgorithmUnsupported)
		};
		match identifier.oid {
			rfc8410::ID_ED_25519 => bare(Self::Ed25519),
			rfc5912::ECDSA_WITH_SHA_256 => bare(Self::Ecdsa(Hash::Sha256)),
			rfc5912::ECDSA_WITH_SHA_384 => bare(Self::Ecdsa(Hash::Sha384)),
			rfc5912::SHA_256_WITH_RSA_ENCRYPTION => with_null(Self::RsaPkcs1(Hash::Sha256)),
			rfc5912::SHA_384_WITH_RSA_ENCRYPTION => with_null(Self::RsaPkcs1(Hash::Sha384)),
			rfc5912::SHA_512_WITH_RSA_ENCRYPTION => with_null(Self::RsaPkcs1(Hash::Sha512)),
			rfc5912::ID_RSASSA_PSS => {
				read_pss(identifier).map(Self::RsaPss).ok_or(Error::AlgorithmUnsupported)
			},
			_ => Err(Error::AlgorithmUnsupported),
		}
	}
}

/// The hash of `RSASSA-PSS-params`. The parameters of a hash are NULL or absent, which are equivalent (RFC 4055
/// section 2.1); each default is left out, as DER demands.
fn read_pss(identifier: &AlgorithmIdentifierOwned) -> Option<Hash> {
	let der = identifier.parameters.as_ref()?.to_der().ok()?;
	let parameters = RsaPssParams::from_der(&der).ok()?;
	if parameters.to_der().ok()? != der {
		return None;
	}
	let (hash, len) = match parameters.hash.oid {
		Sha256::OID => (Hash::Sha256, 32),
		Sha384::OID => (Hash::Sha384, 48),
		Sha512::OID => (Hash::Sha512, 64),
		_ => return None,
	};
	let parameters_of_hash = [Some(pkcs1::der::AnyRef::NULL), None];
	let mask_hash = parameters.mask_gen.parameters?;
	(parameters_of_hash.contains(&parameters.hash.parameters)
		&& parameters.mask_gen.oid == rfc5912::ID_MGF_1
		&& mask_hash.oid == parameters.hash.oid
		&& parameters_of_hash.contains(&mask_hash.parameters)
		&& parameters.salt_len == len)
		.then_some(hash)
}

fn has_null_parameters(algorithm: &AlgorithmIdentifierOwned) -> bool {
	algorithm
		.parameters
		.as_ref()
		.is_some_and(|parameters| parameters.tag() == Tag::Null && parameters.value().is_empty())
}

impl PublicKey {
	/// The key of a `SubjectPublicKeyInfo`.
	pub fn read(info: &SubjectPublicKeyInfoOwned) -> Result<Self, Error> {
		let bytes = info.subject_public_key.as_bytes().ok_or(Error::PublicKeyMalformed)?;
		match info.algorithm.oid {
			rfc8410::ID_ED_25519 => {
				ensure!(info.algorithm.parameters.is_none(), Error::PublicKeyUnsupported);
				Self::ed25519(bytes)
			},
			rfc5912::ID_EC_PUBLIC_KEY => {
				let curve = info
					.algorithm
					.parameters
					.as_ref()
					.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
				match curve {
					Some(rfc5912::SECP_256_R_1) => Self::p256(bytes),
					Some(rfc5912::SECP_384_R_1) => Self::p384(bytes),
					_ => Err(Error::PublicKeyUnsupported),
				}
			},
			rfc5912::RSA_ENCRYPTION => {
				ensure!(has_null_parameters(&info.algorithm), Error::PublicKeyUnsupported);
				Self::rsa(bytes)
			},
			_ => Err(Error::PublicKeyUnsupported),
		}
	}

	/// An Ed25519 key.
	pub fn ed25519(bytes: &[u8]) -> Result<Self, Error> {
		let key = <[u8; 32]>::try_from(bytes).map_err(|_| Error::PublicKeyMalformed)?;
		ensure!(ed25519::is_key(&key), Error::PublicKeyMalformed);
		Ok(Self::Ed25519(key))
	}

	/// A P-256 key, compressed or not.
	pub fn p256(point: &[u8]) -> Result<Self, Error> {
		ensure!(has_point_shape(point, 32), Error::PublicKeyMalformed);
		p256::PublicKey::from_sec1_bytes(point).map_err(|_| Error::PublicKeyMalformed)?;
		Ok(Self::P256(point.to_vec()))
	}

	/// A P-384 key, compressed or not.
	pub fn p384(point: &[u8]) -> Result<Self, Error> {
		ensure!(has_point_shape(point, 48), Error::PublicKeyMalformed);
		p384::PublicKey::from_sec1_bytes(point).map_err(|_| Error::PublicKeyMalformed)?;
		Ok(Self::P384(point.to_vec()))
	}

	/// An RSA key from its DER `RSAPublicKey`.
	pub fn rsa(der: &[u8]) -> Result<Self, Error> {
		let key = pkcs1::RsaPublicKey::from_der(der).map_err(|_| Error::PublicKeyMalformed)?;
		let (modulus, exponent) = (key.modulus, key.public_exponent);
		ensure!(
			matches!(modulus.as_bytes().len(), 256..=512) && starts_with_one_bit(modulus),
			Error::PublicKeyUnsupported
		);
		ensure!(exponent.as_bytes().len() <= 4, Error::PublicKeyUnsupported);
		ensure!(is_odd(modulus) && is_odd(exponent), Error::PublicKeyMalformed);
		ensure!(exponent.as_bytes() != [1], Error::PublicKeyMalformed);
		Ok(Self::Rsa(der.to_vec()))
	}

	/// The bytes in the form that [`Verifier`] takes.
	pub fn as_bytes(&self) -> &[u8] {
		match self {
			Self::Ed25519(key) => key,
			Self::P256(bytes) | Self::P384(bytes) | Self::Rsa(bytes) => bytes,
		}
	}

	/// The point of an elliptic curve in its compressed form, the one in which keys are compared and named; `None`
	/// for keys of other types.
	pub fn compressed_point(&self) -> Option<Vec<u8>> {
		match self {
			Self::P256(point) => {
				let key = p256::PublicKey::from_sec1_bytes(point).ok()?;
				Some(key.to_encoded_point(true).as_bytes().to_vec())
			},
			Self::P384(point) => {
				let key = p384::PublicKey::from_sec1_bytes(point).ok()?;
				Some(key.to_encoded_point(true).as_bytes().to_vec())
			},
			Self::Ed25519(_) | Self::Rsa(_) => None,
		}
	}

	/// The `SubjectPublicKeyInfo` in the one form by which keys are named: a point of an elliptic curve is uncompressed,
	/// which is the form that RFC 5480 section 2.2 asks every implementation for. `None` for none of the keys that can
	/// be read.
	pub fn spki_der(&self) -> Option<Vec<u8>> {
		let curve = |curve: &ObjectIdentifier| Any::encode_from(curve).ok();
		let (oid, parameters, bytes) = match self {
			Self::Ed25519(key) => (rfc8410::ID_ED_25519, None, key.to_vec()),
			Self::P256(point) => {
				let key = p256::PublicKey::from_sec1_bytes(point).ok()?;
				let point = key.to_encoded_point(false).as_bytes().to_vec();
				(rfc5912::ID_EC_PUBLIC_KEY, Some(curve(&rfc5912::SECP_256_R_1)?), point)
			},
			Self::P384(point) => {
				let key = p384::PublicKey::from_sec1_bytes(point).ok()?;
				let point = key.to_encoded_point(false).as_bytes().to_vec();
				(rfc5912::ID_EC_PUBLIC_KEY, Some(curve(&rfc5912::SECP_384_R_1)?), point)
			},
			Self::Rsa(der) => (rfc5912::RSA_ENCRYPTION, Some(Any::null()), der.clone()),
		};
		let algorithm = AlgorithmIdentifierOwned { oid, parameters };
		let subject_public_key = BitString::from_bytes(&bytes).ok()?;
		SubjectPublicKeyInfoOwned { algorithm, subject_public_key }.to_der().ok()
	}

	/// Whether `signature`, in the encoding of certificates, over `message` verifies under this key by `algorithm`.
	/// Certificates have ECDSA signatures in DER (RFC 3279 section 2.2.3).
	pub fn verify<V: Verifier + ?Sized>(
		&self,
		verifier: &V,
		algorithm: SignatureAlgorithm,
		message: &[u8],
		signature: &[u8],
	) -> bool {
		let verify = |raw: &[u8]| self.verify_raw(verifier, algorithm, message, raw);
		match self {
			Self::P256(_) => p256::ecdsa::Signature::from_der(signature)
				.is_ok_and(|signature| verify(&signature.to_bytes())),
			Self::P384(_) => p384::ecdsa::Signature::from_der(signature)
				.is_ok_and(|signature| verify(&signature.to_bytes())),
			Self::Ed25519(_) | Self::Rsa(_) => verify(signature),
		}
	}

	/// The same for an ECDSA signature as `r || s`, the encoding in which possession of a key is proven to the chain.
	pub fn verify_raw<V: Verifier + ?Sized>(
		&self,
		verifier: &V,
		algorithm: SignatureAlgorithm,
		message: &[u8],
		signature: &[u8],
	) -> bool {
		match (self, algorithm) {
			(Self::Ed25519(key), SignatureAlgorithm::Ed25519) => signature
				.try_into()
				.is_ok_and(|raw| ed25519::verify(verifier, key, message, raw)),
			(Self::P256(key), SignatureAlgorithm::Ecdsa(hash)) => {
				signature.try_into().is_ok_and(|raw| verifier.p256(key, hash, message, raw))
			},
			(Self::P384(key), SignatureAlgorithm::Ecdsa(hash)) => {
				signature.try_into().is_ok_and(|raw| verifier.p384(key, hash, message, raw))
			},
			(Self::Rsa(key), SignatureAlgorithm::RsaPkcs1(hash)) => {
				verifier.rsa_pkcs1(key, hash, message, signature)
			},
			(Self::Rsa(key), SignatureAlgorithm::RsaPss(hash)) => {
				verifier.rsa_pss(key, hash, message, signature)
			},
			_ => false,
		}
	}
}

/// Whether the bytes begin and end like a SEC 1 point. The hybrid form (tags 6 and 7) is not among those that
/// RFC 5480 section 2.2 names.
fn has_point_shape(point: &[u8], field_len: usize) -> bool {
	match point.first() {
		Some(2 | 3) => point.len() == 1 + field_len,
		Some(4) => point.len() == 1 + 2 * field_len,
		_ => false,
	}
}

fn is_odd(number: UintRef<'_>) -> bool {
	number.as_bytes().last().is_some_and(|byte| byte & 1 == 1)
}

/// Whether the number of bits is a multiple of eight.
fn starts_with_one_bit(number: UintRef<'_>) -> bool {
	number.as_bytes().first().is_some_and(|byte| byte & 0x80 != 0)
}
