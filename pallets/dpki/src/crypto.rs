//! Signature verification: one pure function per algorithm.
//!
//! Each [`Scheme`] is a function of bytes alone, without state and without configuration. Where the host has no
//! function for an algorithm (P-256, P-384, RSA), the implementation here is the reference: a host function that
//! replaces one for speed has to give the same verdict on every input, and is compared with it.
//!
//! ECDSA accepts both `s` and `n - s`, as FIPS 186-5 and X.509 do, so everybody can turn a signature into a second one
//! that verifies too. What signatures allow is counted by nonces, states and ids of keys, none of which depends on the
//! bytes of a signature. One id does: that of an X.509 anchor covers the certificate with its signature, so one root
//! can be registered under several ids by its holder. That is harmless because the end of an anchor is the end of its
//! key: no certificate of a revoked key is registered again, whatever its bytes (`RevokedAnchorKeys`).

use alloc::vec::Vec;
use curve25519_dalek::MontgomeryPoint;
use dpki_primitives::key::{KeyType, MAX_RSA_BITS, MIN_RSA_BITS, PublicKey, Signature};
use p256::ecdsa::signature::Verifier;
use rsa::{
	Pkcs1v15Sign, Pss, RsaPublicKey,
	pkcs1::{DecodeRsaPublicKey, EncodeRsaPublicKey},
	sha2::{Digest, Sha256, Sha384, Sha512},
	traits::PublicKeyParts,
};

/// A signature algorithm over one encoding of keys and signatures.
pub trait Scheme {
	/// Whether `signature` over `message` verifies under `public`. Malformed input does not verify.
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// Ed25519 (RFC 8032, pure): keys of 32, signatures of 64 bytes.
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

/// ECDSA over P-384 with SHA2-384: keys as SEC 1 points, signatures `r || s` of 96 bytes.
pub struct P384;

/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2) with the hash `H`: keys as DER `RSAPublicKey` of 2048 to 4096 bits.
pub struct RsaPkcs1<H>(core::marker::PhantomData<H>);

/// RSA as devices have it: keys as DER `RSAPublicKey` of 2048 to 4096 bits with the exponent 65537, signatures as long as
/// the modulus, either RSASSA-PKCS1-v1_5 or RSASSA-PSS (RFC 8017 section 8) with SHA2-256, MGF1 of it and a salt of 32
/// bytes. Both are accepted because a key in hardware is often bound to one of them.
pub struct Rsa;

/// Encodings of the Edwards points of small order without the sign bit. Under such a key one signature fits every
/// message, and ZIP 215, by which the host verifies, accepts it: the proof of possession would prove nothing.
const SMALL_ORDER_ED25519: [[u8; 32]; 7] = [
	small(0, 0),
	small(1, 0),
	sp_core::hex2array!("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	sp_core::hex2array!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
	small(0xec, 0xff),
	small(0xed, 0xff),
	small(0xee, 0xff),
];

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

fn is_small_order_ed25519(public: &[u8]) -> bool {
	let Ok(mut bytes) = <[u8; 32]>::try_from(public) else { return false };
	bytes[31] &= 0x7f;
	SMALL_ORDER_ED25519.contains(&bytes)
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
		!is_small_order_ed25519(public)
			&& sp_io::crypto::ed25519_verify(
				&sp_core::ed25519::Signature::from_raw(signature),
				message,
				&sp_core::ed25519::Public::from_raw(key),
			)
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
		let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(public) else { return false };
		p256::ecdsa::Signature::from_slice(signature)
			.is_ok_and(|signature| key.verify(message, &signature).is_ok())
	}
}

impl Scheme for P384 {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		let Ok(key) = p384::ecdsa::VerifyingKey::from_sec1_bytes(public) else { return false };
		p384::ecdsa::Signature::from_slice(signature)
			.is_ok_and(|signature| key.verify(message, &signature).is_ok())
	}
}

impl<H: Digest + rsa::pkcs8::AssociatedOid> Scheme for RsaPkcs1<H> {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		rsa_key(public).is_some_and(|key| {
			key.verify(Pkcs1v15Sign::new::<H>(), &H::digest(message), signature).is_ok()
		})
	}
}

impl Scheme for Rsa {
	fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
		let Some(key) = device_rsa_key(public) else { return false };
		// Asked for first, as it costs nothing (sections 8.1.2 and 8.2.2, step 1).
		if signature.len() != key.size() {
			return false;
		}
		let digest = Sha256::digest(message);
		key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature).is_ok()
			|| key
				.verify(Pss::new_with_salt::<Sha256>(RSA_SALT_LEN), &digest, signature)
				.is_ok()
	}
}

/// Bytes of the salt of RSASSA-PSS: as many as the hash has, which RFC 8017 section 9.1 calls typical and RFC 8446
/// section 4.2.3 asks for.
const RSA_SALT_LEN: usize = 32;

/// The one exponent that RSA keys of devices have, so that a modulus is one key: F4, which is what key generators use.
const RSA_EXPONENT: u32 = 65_537;

/// The RSA key of a device in its one encoding.
fn device_rsa_key(public: &[u8]) -> Option<RsaPublicKey> {
	rsa_key(public).filter(|key| {
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

/// The RSA key in this DER `RSAPublicKey`, if its modulus has 2048 to 4096 bits. The exponent has 32 bits at most,
/// which every one in use has: the time of a verification grows with its words.
fn rsa_key(public: &[u8]) -> Option<RsaPublicKey> {
	RsaPublicKey::from_pkcs1_der(public).ok().filter(|key| {
		(usize::from(MIN_RSA_BITS)..=usize::from(MAX_RSA_BITS)).contains(&key.n().bits())
			&& key.e().bits() <= 32
	})
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

/// Whether all of these signatures verify; if not, the position of the first that does not. Who verifies many signatures
/// does so here, the one place to make it faster.
pub fn verify_all(claims: &[Claim]) -> Result<(), usize> {
	let is_forged = |claim: &Claim| !verify(claim.key, &claim.payload, claim.signature);
	match claims.iter().position(is_forged) {
		Some(position) => Err(position),
		None => Ok(()),
	}
}

/// Whether the bytes can be a key of their type: the length, the SEC 1 tag, the canonical form of an X25519 key, and no
/// key that anybody holds. That a point lies on its curve is not asked here; the proof of possession shows it.
pub fn is_well_formed(key: &PublicKey) -> bool {
	key.has_valid_len()
		&& match key.key_type {
			KeyType::Ed25519 => !is_small_order_ed25519(&key.bytes),
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

/// The hash of an RSA signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RsaHash {
	/// SHA2-256.
	Sha256,
	/// SHA2-384.
	Sha384,
	/// SHA2-512.
	Sha512,
}

/// The key of an anchor with the algorithm by which it signs: wider than [`PublicKey`], because X.509 roots have
/// keys that no device has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnchorKey {
	/// A key that devices could have too.
	Device(PublicKey),
	/// A P-384 key as SEC 1 point.
	P384(Vec<u8>),
	/// An RSA key as DER `RSAPublicKey`.
	Rsa {
		/// The key.
		public: Vec<u8>,
		/// The hash that goes with it.
		hash: RsaHash,
	},
}

impl AnchorKey {
	/// A P-384 key; `None` if the point is not on the curve, or not uncompressed, which is the form that RFC 5480
	/// section 2.2 asks every implementation for: with the others, one key would have several ids.
	pub fn p384(point: &[u8]) -> Option<Self> {
		if point.first() != Some(&4) {
			return None;
		}
		p384::PublicKey::from_sec1_bytes(point).ok()?;
		Some(Self::P384(point.to_vec()))
	}

	/// An RSA key; `None` if it is malformed or not of 2048 to 4096 bits.
	pub fn rsa(public: &[u8], hash: RsaHash) -> Option<Self> {
		rsa_key(public)?;
		Some(Self::Rsa { public: public.to_vec(), hash })
	}

	/// The key in the form that records use, if it has one.
	pub fn into_public(self) -> Option<PublicKey> {
		match self {
			Self::Device(key) => Some(key),
			Self::P384(_) | Self::Rsa { .. } => None,
		}
	}

	/// Whether a signature in the encoding of [`dpki_primitives::context`] verifies.
	pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
		match self {
			Self::Device(key) => verify(key, message, signature),
			Self::P384(public) => P384::verify(public, message, signature),
			Self::Rsa { public, hash } => {
				let verify = match hash {
					RsaHash::Sha256 => RsaPkcs1::<Sha256>::verify,
					RsaHash::Sha384 => RsaPkcs1::<Sha384>::verify,
					RsaHash::Sha512 => RsaPkcs1::<Sha512>::verify,
				};
				verify(public, message, signature)
			},
		}
	}

	/// Whether a signature as certificates carry it verifies: the same, but ECDSA is in DER (RFC 3279 section 2.2.3).
	pub fn verify_certificate(&self, message: &[u8], signature: &[u8]) -> bool {
		match self {
			Self::Device(key) if key.key_type == KeyType::P256 => {
				p256::ecdsa::Signature::from_der(signature)
					.is_ok_and(|signature| self.verify(message, &signature.to_bytes()))
			},
			Self::P384(_) => p384::ecdsa::Signature::from_der(signature)
				.is_ok_and(|signature| self.verify(message, &signature.to_bytes())),
			_ => self.verify(message, signature),
		}
	}
}
