//! Which keys are accepted, and in which encodings.

use dpki_x509::{Error, Hash, ObjectIdentifier, PublicKey, Pure, SignatureAlgorithm, Verifier};
use rsa::pkcs1::{RsaPublicKey, UintRef};
use x509_cert::{
	der::{
		Any, Decode, Encode,
		asn1::{BitString, Null},
	},
	spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

/// The DER of an RSA key with a modulus of this many bits, whose last byte is `end`.
fn rsa_key(bits: usize, end: u8, exponent: &[u8]) -> Vec<u8> {
	let mut modulus = vec![0xa5; bits.div_ceil(8)];
	modulus[0] = if bits.is_multiple_of(8) { 0x80 } else { 1 << (bits % 8 - 1) };
	*modulus.last_mut().unwrap() = end;
	let modulus = UintRef::new(&modulus).unwrap();
	let public_exponent = UintRef::new(exponent).unwrap();
	RsaPublicKey { modulus, public_exponent }.to_der().unwrap()
}

const F4: &[u8] = &[1, 0, 1];

#[test]
fn rsa_keys_have_2048_to_4096_bits_in_whole_octets() {
	for bits in [2048, 2056, 3072, 4096] {
		assert!(PublicKey::rsa(&rsa_key(bits, 1, F4)).is_ok(), "{bits}");
	}
	for bits in [512, 1024, 2040, 2047, 2052, 4097, 4104, 8192] {
		let refusal = PublicKey::rsa(&rsa_key(bits, 1, F4));
		assert_eq!(refusal, Err(Error::PublicKeyUnsupported), "{bits}");
	}
}

#[test]
fn rsa_exponents_are_odd_small_and_not_one() {
	let with = |exponent: &[u8]| PublicKey::rsa(&rsa_key(2048, 1, exponent)).map(|_| ());
	assert_eq!(with(&[3]), Ok(()));
	assert_eq!(with(&[0xff, 0xff, 0xff, 0xff]), Ok(()));
	assert_eq!(with(&[1, 0, 0, 0, 1]), Err(Error::PublicKeyUnsupported));
	assert_eq!(with(&[1]), Err(Error::PublicKeyMalformed));
	assert_eq!(with(&[0]), Err(Error::PublicKeyMalformed));
	assert_eq!(with(&[4]), Err(Error::PublicKeyMalformed));
	assert_eq!(PublicKey::rsa(&rsa_key(2048, 2, F4)), Err(Error::PublicKeyMalformed));
}

#[test]
fn an_rsa_key_has_one_encoding() {
	let der = rsa_key(2048, 1, F4);
	let mut longer = der.clone();
	longer.push(0);
	assert_eq!(PublicKey::rsa(&longer), Err(Error::PublicKeyMalformed));
	assert_eq!(PublicKey::rsa(&der[..der.len() - 1]), Err(Error::PublicKeyMalformed));
	// A zero in front of the exponent, with the lengths around it mended.
	let mut padded = der.clone();
	let at = der.len() - 4;
	padded[at] += 1;
	padded.insert(at + 1, 0);
	let [.., high, low] = padded[..4] else { unreachable!() };
	let len = u16::from_be_bytes([high, low]) + 1;
	padded[2..4].copy_from_slice(&len.to_be_bytes());
	assert_eq!(PublicKey::rsa(&padded), Err(Error::PublicKeyMalformed));
}

#[test]
fn ed25519_keys_are_canonical_points_that_somebody_holds() {
	let refused = Err(Error::PublicKeyMalformed);
	assert_eq!(PublicKey::ed25519(&[0; 31]), refused, "too short");
	assert_eq!(PublicKey::ed25519(&[0; 32]), refused, "of order 4");
	let mut neutral = [0; 32];
	neutral[0] = 1;
	assert_eq!(PublicKey::ed25519(&neutral), refused, "of order 1");
	neutral[31] = 0x80;
	assert_eq!(PublicKey::ed25519(&neutral), refused, "of order 1, with a sign");
	let mut unreduced = [0xff; 32];
	unreduced[0] = 0xf0;
	unreduced[31] = 0x7f;
	assert_eq!(PublicKey::ed25519(&unreduced), refused, "y is larger than the field");
	assert!(PublicKey::ed25519(&[0x5a; 32]).is_ok());
}

#[test]
fn a_signature_whose_point_is_not_canonical_is_refused_whoever_verifies() {
	/// A host that takes everything.
	struct Careless;

	impl Verifier for Careless {
		fn ed25519(&self, _: &[u8; 32], _: &[u8], _: &[u8; 64]) -> bool {
			true
		}
		fn p256(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8; 64]) -> bool {
			true
		}
		fn p384(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8; 96]) -> bool {
			true
		}
		fn rsa_pkcs1(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8]) -> bool {
			true
		}
		fn rsa_pss(&self, _: &[u8], _: Hash, _: &[u8], _: &[u8]) -> bool {
			true
		}
	}
	let key = PublicKey::ed25519(&[0x5a; 32]).unwrap();
	let verify =
		|signature: &[u8]| key.verify(&Careless, SignatureAlgorithm::Ed25519, b"", signature);
	let mut signature = [0; 64];
	signature[0] = 1;
	assert!(verify(&signature));
	signature[31] = 0x80;
	assert!(!verify(&signature), "x is zero and has a sign");
	signature[..32].fill(0xff);
	assert!(!verify(&signature), "y is larger than the field");
	assert!(!verify(&signature[..63]), "too short");
}

#[test]
fn points_are_on_the_curve_and_in_a_form_of_rfc_5480() {
	let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
	let long = key.verifying_key().to_encoded_point(false);
	let short = key.verifying_key().to_encoded_point(true);
	let read = PublicKey::p256(long.as_bytes()).unwrap();
	assert_eq!(read.compressed_point().as_deref(), Some(short.as_bytes()));
	assert_eq!(
		PublicKey::p256(short.as_bytes()).unwrap().compressed_point(),
		read.compressed_point()
	);
	let refused = Err(Error::PublicKeyMalformed);
	let mut hybrid = long.as_bytes().to_vec();
	hybrid[0] = 6;
	assert_eq!(PublicKey::p256(&hybrid), refused);
	assert_eq!(PublicKey::p256(&[0]), refused, "the point at infinity");
	assert_eq!(PublicKey::p384(long.as_bytes()), refused);
	let compact = |len: usize| [&[5], &long.as_bytes()[1..=len]].concat();
	assert_eq!(PublicKey::p256(&compact(32)), refused);
	assert_eq!(PublicKey::p384(&[5; 49]), refused);
	let mut off = long.as_bytes().to_vec();
	off[64] ^= 1;
	assert_eq!(PublicKey::p256(&off), refused);
}

#[test]
fn keys_have_the_parameters_of_their_type() {
	let read = |oid: &str, parameters: Option<Any>, key: &[u8]| {
		PublicKey::read(&SubjectPublicKeyInfoOwned {
			algorithm: AlgorithmIdentifierOwned {
				oid: ObjectIdentifier::new_unwrap(oid),
				parameters,
			},
			subject_public_key: BitString::from_bytes(key).unwrap(),
		})
		.map(|_| ())
	};
	let null = || Some(Any::from(Null));
	let (ed25519, rsa) = ("1.3.101.112", "1.2.840.113549.1.1.1");
	let refused = Err(Error::PublicKeyUnsupported);
	assert_eq!(read(ed25519, None, &[0x5a; 32]), Ok(()));
	assert_eq!(read(ed25519, null(), &[0x5a; 32]), refused);
	let key = rsa_key(2048, 1, F4);
	assert_eq!(read(rsa, null(), &key), Ok(()));
	assert_eq!(read(rsa, None, &key), refused);
	assert_eq!(read("1.2.840.113549.1.1.10", null(), &key), refused, "id-RSASSA-PSS");
}

#[test]
fn a_key_verifies_only_by_an_algorithm_of_its_type() {
	let key = PublicKey::rsa(&rsa_key(2048, 1, F4)).unwrap();
	assert!(!key.verify(&Pure, SignatureAlgorithm::Ed25519, b"", &[0; 64]));
	assert!(!key.verify(&Pure, SignatureAlgorithm::Ecdsa(Hash::Sha256), b"", &[0; 64]));
}

#[test]
fn possession_is_proven_with_both_numbers_side_by_side_and_certificates_have_der() {
	use p256::ecdsa::{Signature, SigningKey, signature::Signer};
	let pair = SigningKey::from_slice(&[7; 32]).unwrap();
	let key = PublicKey::p256(pair.verifying_key().to_encoded_point(true).as_bytes()).unwrap();
	let signature: Signature = pair.sign(b"message");
	let (raw, der) = (signature.to_bytes(), signature.to_der());
	let algorithm = SignatureAlgorithm::Ecdsa(Hash::Sha256);
	assert!(key.verify_raw(&Pure, algorithm, b"message", &raw));
	assert!(key.verify(&Pure, algorithm, b"message", der.as_bytes()));
	assert!(!key.verify_raw(&Pure, algorithm, b"message", der.as_bytes()));
	assert!(!key.verify(&Pure, algorithm, b"message", &raw));
	assert!(!key.verify_raw(&Pure, algorithm, b"other", &raw));
}

/// The algorithm of this `AlgorithmIdentifier` in hexadecimal.
fn read(hex: &str) -> Result<SignatureAlgorithm, Error> {
	let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
	let der: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
	SignatureAlgorithm::read(&AlgorithmIdentifierOwned::from_der(&der).unwrap())
}

/// `RSASSA-PSS-params` with these hashes and this salt.
fn pss(hash: &str, mask_hash: &str, salt: &str) -> String {
	let sequence = |tag: &str, content: &str| format!("{tag}{:02x}{content}", content.len() / 2);
	let hash = sequence("a0", hash);
	let mask = sequence("30", &format!("06092a864886f70d010108{mask_hash}"));
	let mask = sequence("a1", &mask);
	let parameters = sequence("30", &format!("{hash}{mask}{salt}"));
	sequence("30", &format!("06092a864886f70d01010a{parameters}"))
}

const SHA256_NULL: &str = "300d06096086480165030402010500";
const SHA256: &str = "300b0609608648016503040201";
const SHA384_NULL: &str = "300d06096086480165030402020500";

#[test]
fn pss_has_one_hash_and_a_salt_as_long_as_it() {
	let accepted = Ok(SignatureAlgorithm::RsaPss(Hash::Sha256));
	let refused = Err(Error::AlgorithmUnsupported);
	assert_eq!(read(&pss(SHA256_NULL, SHA256_NULL, "a203020120")), accepted);
	assert_eq!(read(&pss(SHA256, SHA256, "a203020120")), accepted);
	assert_eq!(
		read(&pss(SHA384_NULL, SHA384_NULL, "a203020130")),
		Ok(SignatureAlgorithm::RsaPss(Hash::Sha384))
	);
	assert_eq!(read(&pss(SHA256_NULL, SHA384_NULL, "a203020120")), refused);
	assert_eq!(read(&pss(SHA256_NULL, SHA256_NULL, "a203020121")), refused);
	assert_eq!(read(&pss(SHA256_NULL, SHA256_NULL, "")), refused, "a salt of 20");
	let trailer = "a203020120a303020101";
	assert_eq!(read(&pss(SHA256_NULL, SHA256_NULL, trailer)), refused, "a default spelled out");
	assert_eq!(read("300d06092a864886f70d01010a3000"), refused, "SHA-1");
}

#[test]
fn parameters_are_as_the_rfc_of_the_algorithm_has_them() {
	let with_null = |hex: &str| {
		let mut identifier = AlgorithmIdentifierOwned::from_der(
			&(0..hex.len() / 2)
				.map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
				.collect::<Vec<_>>(),
		)
		.unwrap();
		identifier.parameters = Some(Any::from(Null));
		SignatureAlgorithm::read(&identifier)
	};
	let refused = Err(Error::AlgorithmUnsupported);
	let (ed25519, ecdsa, rsa) =
		("300506032b6570", "300a06082a8648ce3d040303", "300b06092a864886f70d01010c");
	assert_eq!(read(ed25519), Ok(SignatureAlgorithm::Ed25519));
	assert_eq!(with_null(ed25519), refused);
	assert_eq!(read(ecdsa), Ok(SignatureAlgorithm::Ecdsa(Hash::Sha384)));
	assert_eq!(with_null(ecdsa), refused);
	assert_eq!(read(rsa), refused);
	assert_eq!(with_null(rsa), Ok(SignatureAlgorithm::RsaPkcs1(Hash::Sha384)));
	let sha1_with_rsa = "300b06092a864886f70d010105";
	assert_eq!(with_null(sha1_with_rsa), refused);
}

#[test]
fn a_point_is_named_uncompressed_in_whichever_form_it_is_read() {
	let compressed = |key: &PublicKey| key.compressed_point().unwrap();
	let p256 = p256::SecretKey::from_slice(&[7; 32]).unwrap().public_key();
	let long = PublicKey::p256(p256::EncodedPoint::from(p256).as_bytes()).unwrap();
	let short = PublicKey::p256(&compressed(&long)).unwrap();
	assert_ne!(long.as_bytes(), short.as_bytes());
	assert_eq!((long.spki_der(), long.spki_der().is_some()), (short.spki_der(), true));
	let p384 = p384::SecretKey::from_slice(&[7; 48]).unwrap().public_key();
	let long = PublicKey::p384(p384::EncodedPoint::from(p384).as_bytes()).unwrap();
	let short = PublicKey::p384(&compressed(&long)).unwrap();
	assert_ne!(long.as_bytes(), short.as_bytes());
	assert_eq!((long.spki_der(), long.spki_der().is_some()), (short.spki_der(), true));
}
