//! Signature verification: one pure function per algorithm.
//!
//! Each [`Scheme`] is a function of bytes alone, without state and without configuration. The arithmetic is the host's:
//! Substrate's own functions, and through [`Host`] those of [`dpki_crypto`] for P-256, P-384 and RSA.
//!
//! ECDSA accepts both `s` and `n - s`, as FIPS 186-5 and X.509 do, so everybody can turn a signature into a second one
//! that verifies too. What signatures allow is counted by nonces, states and ids of keys, none of which depends on the
//! bytes of a signature. One id does: that of an X.509 anchor covers the certificate with its signature, so one root
//! can be registered under several ids by its holder. That is harmless because the end of an anchor is the end of its
//! key: no certificate of a revoked key is registered again, whatever its bytes (`RevokedAnchorKeys`), and none below
//! an issuer that took back what it had issued to the key (`KeyAnchors`).

/// What verifies the signatures of X.509.
pub use dpki_crypto::Host as Verifier;

use alloc::vec::Vec;
use curve25519_dalek::MontgomeryPoint;
use dpki_crypto::{Hash, Host, MAX_BATCH_LEN, Signed, Verifier as _, ed25519, is_rsa_key};
use dpki_primitives::key::{KeyType, PublicKey, Signature};
use rsa::{
	RsaPublicKey,
	pkcs1::{DecodeRsaPublicKey, EncodeRsaPublicKey},
	traits::PublicKeyParts,
};

/// A signature algorithm over one encoding of keys and signatures.
pub trait Scheme {
	/// Whether `signature` over `message` verifies under `public`. Malformed input does not verify.
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// Ed25519 by the rule of [`dpki_crypto::ed25519`]: keys of 32, signatures of 64 bytes.
pub struct Ed25519;

/// XEdDSA over curve25519 ("The XEdDSA and VXEdDSA Signature Schemes", section 2): X25519 keys of 32, signatures `R || s`
/// of 64 bytes. They are Ed25519 signatures under the Edwards form of the key with sign bit 0, and verified as such: by
/// the cofactored equation of the host, where the specification compares `R` without the cofactor.
pub struct XEdDsa;

/// sr25519 (Schnorrkel in the `substrate` context): keys of 32, signatures of 64 bytes.
pub struct Sr25519;

/// ECDSA over secp256k1 with SHA2-256: compressed keys of 33 bytes, signatures `r || s || v` of 65.
pub struct Secp256k1;

/// ECDSA over P-256 with SHA2-256: keys as SEC 1 points, signatures `r || s` of 64 bytes.
pub struct P256;

/// RSA as devices have it: keys as DER `RSAPublicKey` of 2048 to 4096 bits with the exponent 65537, signatures as long as
/// the modulus, either RSASSA-PKCS1-v1_5 or RSASSA-PSS (RFC 8017 section 8) with SHA2-256, MGF1 of it and a salt of 32
/// bytes. Both are accepted because a key in hardware is often bound to one of them.
pub struct Rsa;

/// The canonical encodings of the Montgomery points of small order. Agreement with such a key always yields zero
/// (RFC 7748 section 6.1).
const SMALL_ORDER_X25519: [[u8; 32]; 5] = [
	small(0, 0),
	small(1, 0),
	sp_core::hex2array!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
	sp_core::hex2array!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
	small(0xec, 0xff),
];

/// The field of curve25519 in little-endian order: 2^255 - 19.
const FIELD_25519: [u8; 32] = small(0xed, 0xff);

/// `first`, then `rest` up to the top byte, which is `rest` without its sign bit.
const fn small(first: u8, rest: u8) -> [u8; 32] {
	let mut bytes = [rest; 32];
	bytes[0] = first;
	bytes[31] = rest & 0x7f;
	bytes
}

/// The `u`-coordinate of an X25519 key in its one canonical encoding, below the field: agreement ignores the top bit
/// and reduces the rest (RFC 7748 section 5), by which one key would have several ids. `None` also for small order.
fn x25519_coordinate(public: &[u8]) -> Option<[u8; 32]> {
	let bytes = <[u8; 32]>::try_from(public).ok()?;
	let is_canonical = bytes.iter().rev().lt(FIELD_25519.iter().rev());
	(is_canonical && !SMALL_ORDER_X25519.contains(&bytes)).then_some(bytes)
}

impl Scheme for Ed25519 {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(public), signature.try_into()) else {
			return false;
		};
		ed25519::verify(&Host, &key, message, &signature)
	}
}

impl Scheme for XEdDsa {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		// `None` is a point of the twist, which no secret of this curve leads to.
		x25519_coordinate(public)
			.and_then(|u| MontgomeryPoint(u).to_edwards(0))
			.is_some_and(|point| Ed25519::verify(point.compress().as_bytes(), message, signature))
	}
}

impl Scheme for Sr25519 {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		let (Ok(key), Ok(signature)) = (public.try_into(), signature.try_into()) else {
			return false;
		};
		sp_io::crypto::sr25519_verify(
			&sp_core::sr25519::Signature::from_raw(signature),
			message,
			&sp_core::sr25519::Public::from_raw(key),
		)
	}
}

impl Scheme for Secp256k1 {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		let (Ok(key), Ok(signature)) = (public.try_into(), <[u8; 65]>::try_from(signature)) else {
			return false;
		};
		signature[64] <= 1
			&& sp_io::crypto::ecdsa_verify_prehashed(
				&sp_core::ecdsa::Signature::from_raw(signature),
				&sp_io::hashing::sha2_256(message),
				&sp_core::ecdsa::Public::from_raw(key),
			)
	}
}

impl Scheme for P256 {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		signature
			.try_into()
			.is_ok_and(|signature| Host.p256(public, Hash::Sha256, message, signature))
	}
}

impl Scheme for Rsa {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		// Asked for first, as it costs nothing (sections 8.1.2 and 8.2.2, step 1).
		device_rsa_key(public).is_some_and(|key| signature.len() == key.size())
			&& (Host.rsa_pkcs1(public, Hash::Sha256, message, signature)
				|| Host.rsa_pss(public, Hash::Sha256, message, signature))
	}
}

/// The one exponent that RSA keys of devices have, so that a modulus is one key: F4, which is what key generators use.
const RSA_EXPONENT: u32 = 65_537;

/// The RSA key of a device in its one encoding.
fn device_rsa_key(public: &[u8]) -> Option<RsaPublicKey> {
	if !is_rsa_key(public) {
		return None;
	}
	RsaPublicKey::from_pkcs1_der(public).ok().filter(|key| {
		*key.e() == RSA_EXPONENT.into()
			&& key.to_pkcs1_der().is_ok_and(|encoded| encoded.as_bytes() == public)
	})
}

/// The bits of the modulus, if this is a well-formed RSA key of a device.
pub fn rsa_bits(key: &PublicKey) -> Option<u16> {
	(key.key_type == KeyType::Rsa)
		.then(|| device_rsa_key(&key.bytes))
		.flatten()
		.and_then(|key| key.n().bits().try_into().ok())
}

/// Whether `signature` over `message` verifies under `key`. What a key may sign is not asked here: an X25519 key proves
/// its possession by this and nothing else. Under a key of which only the hash is known nothing verifies.
pub fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
	let verify = match key.key_type {
		KeyType::Ed25519 => Ed25519::verify,
		KeyType::Sr25519 => Sr25519::verify,
		KeyType::Secp256k1 => Secp256k1::verify,
		KeyType::P256 => P256::verify,
		KeyType::X25519 => XEdDsa::verify,
		KeyType::Rsa => Rsa::verify,
		KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 | KeyType::XWing => return false,
	};
	verify(&key.bytes, message, signature)
}

/// What somebody claims to have signed.
pub struct Claim<'a> {
	/// By which key.
	pub key: &'a PublicKey,
	/// What.
	pub payload: Vec<u8>,
	/// How.
	pub signature: &'a Signature,
}

impl Claim<'_> {
	/// An Ed25519 signature as batches take it; `None` if a length is wrong.
	fn to_signed(&self) -> Option<Signed<'_>> {
		Some(Signed {
			key: self.key.bytes.as_slice().try_into().ok()?,
			message: &self.payload,
			signature: self.signature.as_slice().try_into().ok()?,
		})
	}
}

/// Whether all of these signatures verify; if not, the position of the first that does not.
///
/// Ed25519 signatures are verified together. A batch is accepted when each of its signatures would be, so it changes no
/// verdict; only when something is wrong is each looked at by itself, to tell which one it was.
pub fn verify_all(claims: &[Claim]) -> Result<(), usize> {
	let is_ed25519 = |claim: &Claim| claim.key.key_type == KeyType::Ed25519;
	let batch: Option<Vec<_>> =
		claims.iter().filter(|claim| is_ed25519(claim)).map(Claim::to_signed).collect();
	let is_good = batch.is_some_and(|batch| {
		batch.chunks(MAX_BATCH_LEN).all(|batch| ed25519::verify_batch(&Host, batch))
	});
	let is_genuine = |claim: &Claim| {
		(is_good && is_ed25519(claim)) || verify(claim.key, &claim.payload, claim.signature)
	};
	claims.iter().position(|claim| !is_genuine(claim)).map_or(Ok(()), Err)
}

/// Whether the bytes can be a key of their type: the length, the SEC 1 tag, the canonical form of an X25519 key, and no
/// key that anybody holds. That a point lies on its curve is not asked here; the proof of possession shows it.
pub fn is_well_formed(key: &PublicKey) -> bool {
	key.has_valid_len()
		&& match key.key_type {
			KeyType::Ed25519 => key.bytes.as_slice().try_into().is_ok_and(ed25519::is_key),
			KeyType::X25519 => x25519_coordinate(&key.bytes).is_some(),
			// The neutral element of Ristretto has one encoding.
			KeyType::Sr25519 => key.bytes.iter().any(|byte| *byte != 0),
			KeyType::Secp256k1 | KeyType::P256 => matches!(key.bytes.first(), Some(2 | 3)),
			KeyType::Rsa => device_rsa_key(&key.bytes).is_some(),
			KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 | KeyType::XWing => true,
		}
}

/// The P-256 key of this SEC 1 point in its one canonical form; `None` if the point is not on the curve.
pub fn p256_key(point: &[u8]) -> Option<PublicKey> {
	let key = p256::PublicKey::from_sec1_bytes(point).ok()?;
	let point: p256::EncodedPoint =
		p256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(&key, true);
	PublicKey::new(KeyType::P256, point.as_bytes())
}
