// SPDX-License-Identifier: Apache-2.0

//! How a PKCS#10 request proves possession of the key that is to be certified.
//!
//! The rules of X.509 are those of [`dpki_x509`]; what a request has to say is
//! [`RequestVerifier`]'s. A request that says anything else is refused, because the certificate would
//! not say it: another attribute of the name, a second name, a name of another kind.

use alloc::string::String;
use dpki_crypto::Host;
use dpki_primitives::{
	application::RequestVerifier,
	key::{KeyType, PublicKey},
	subject::Subject,
};
use dpki_x509::{
	dn::{COMMON_NAME, DistinguishedName},
	general_name::{GeneralName, host_name},
	request::{Binding, CertificationRequest},
};

/// Requests as OpenSSL and others make them, for Ed25519 and P-256 keys: the types of key that X.509
/// and this chain have in common.
pub struct Pkcs10;

impl RequestVerifier for Pkcs10 {
	fn is_valid(request: &[u8], key: &PublicKey, subject: &Subject, challenge: &[u8; 32]) -> bool {
		let Some(key) = x509_key(key) else { return false };
		let binding = Binding { key: &key, challenge: &digits(challenge) };
		CertificationRequest::verify_bound(&Host, request, binding)
			.is_ok_and(|request| names_only(&request, subject))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_key() -> PublicKey {
		benchmark::key()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_request(
		subject: &Subject,
		challenge: &[u8; 32],
	) -> dpki_primitives::application::RequestDer {
		benchmark::request(subject, challenge)
	}
}

/// The key as X.509 has it; `None` if its type has no place there.
fn x509_key(key: &PublicKey) -> Option<dpki_x509::PublicKey> {
	match key.key_type {
		KeyType::Ed25519 => dpki_x509::PublicKey::ed25519(&key.bytes).ok(),
		KeyType::P256 => dpki_x509::PublicKey::p256(&key.bytes).ok(),
		// The others have no place in X.509, or cannot be certified here: they do not sign for the chain.
		_ => None,
	}
}

/// The challenge as it stands in a request.
fn digits(challenge: &[u8; 32]) -> String {
	challenge.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
}

/// Whether the request names the subject, and nothing else.
fn names_only(request: &CertificationRequest, subject: &Subject) -> bool {
	let (name, alternatives) = (request.subject(), &request.extensions().subject_names);
	let common_name = name.attributes(COMMON_NAME).next();
	let is_fitting = match common_name {
		Some(text) => text == Some(subject.common_name().as_str()) && attribute_count(name) == 1,
		None => name.is_empty(),
	};
	// Without a common name, `verify_bound` has asked for an alternative one.
	is_fitting && alternatives.iter().flatten().all(|name| is_name_of(name, subject))
}

fn attribute_count(name: &DistinguishedName) -> usize {
	name.as_name().0.iter().map(|relative| relative.0.len()).sum()
}

/// Whether this alternative name is the one of its kind that the subject has.
fn is_name_of(name: &GeneralName, subject: &Subject) -> bool {
	match (name, subject) {
		(GeneralName::Dns(text), Subject::Dns(subject)) => {
			host_name(text).is_some_and(|text| text.as_bytes() == &subject[..])
		},
		(GeneralName::Ip(address), Subject::Ipv4(subject)) => address[..] == subject[..],
		(GeneralName::Ip(address), Subject::Ipv6(subject)) => address[..] == subject[..],
		_ => false,
	}
}

/// The request that is measured: the dearest one that is accepted.
#[cfg(feature = "runtime-benchmarks")]
mod benchmark {
	use super::*;
	use alloc::vec;
	use dpki_primitives::application::RequestDer;
	use dpki_x509::request::CHALLENGE_PASSWORD;
	use p256::ecdsa::{DerSignature, SigningKey, signature::Signer};
	use x509_cert::{
		attr::{Attribute, AttributeTypeAndValue},
		der::{
			Any, Encode, Tag,
			asn1::{BitString, SetOfVec},
			oid::db::rfc5912,
		},
		name::{RdnSequence, RelativeDistinguishedName},
		request::{CertReq, CertReqInfo, Version},
		spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
	};

	const INFALLIBLE: &str = "what is encoded here has its form";

	/// Its verification is done in the runtime, and dearer than that of Ed25519.
	fn signing_key() -> SigningKey {
		SigningKey::from_slice(&[7; 32]).expect("it is a scalar and not zero")
	}

	pub fn key() -> PublicKey {
		let point = signing_key().verifying_key().to_encoded_point(true);
		PublicKey::new(KeyType::P256, point.as_bytes()).expect("a compressed point has 33 bytes")
	}

	pub fn request(subject: &Subject, challenge: &[u8; 32]) -> RequestDer {
		let text = |text: &str| Any::new(Tag::Utf8String, text.as_bytes()).expect(INFALLIBLE);
		let common_name =
			AttributeTypeAndValue { oid: COMMON_NAME, value: text(&subject.common_name()) };
		let name = RelativeDistinguishedName::try_from(vec![common_name]).expect(INFALLIBLE);
		let values = SetOfVec::try_from(vec![text(&digits(challenge))]).expect(INFALLIBLE);
		let point = signing_key().verifying_key().to_encoded_point(false);
		let info = CertReqInfo {
			version: Version::V1,
			subject: RdnSequence(vec![name]),
			public_key: SubjectPublicKeyInfoOwned {
				algorithm: AlgorithmIdentifierOwned {
					oid: rfc5912::ID_EC_PUBLIC_KEY,
					parameters: Some(Any::encode_from(&rfc5912::SECP_256_R_1).expect(INFALLIBLE)),
				},
				subject_public_key: BitString::from_bytes(point.as_bytes()).expect(INFALLIBLE),
			},
			attributes: SetOfVec::try_from(vec![Attribute { oid: CHALLENGE_PASSWORD, values }])
				.expect(INFALLIBLE),
		};
		let signature: DerSignature = signing_key().sign(&info.to_der().expect(INFALLIBLE));
		let request = CertReq {
			info,
			algorithm: AlgorithmIdentifierOwned {
				oid: rfc5912::ECDSA_WITH_SHA_256,
				parameters: None,
			},
			signature: BitString::from_bytes(signature.as_bytes()).expect(INFALLIBLE),
		};
		RequestDer::truncate_from(request.to_der().expect(INFALLIBLE))
	}

	#[test]
	fn the_request_that_is_measured_is_accepted() {
		let (subject, challenge) = (Subject::Person([1; 32]), [2; 32]);
		let request = Pkcs10::benchmark_request(&subject, &challenge);
		let key = Pkcs10::benchmark_key();
		assert!(Pkcs10::is_valid(&request, &key, &subject, &challenge));
		assert!(!Pkcs10::is_valid(&request, &key, &subject, &[3; 32]));
	}
}
