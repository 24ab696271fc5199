//! Certification requests.

mod common;

use common::{Party, World, dns, ecdsa_sha256, extension};
use dpki_x509::{
	Error, MAX_REQUEST_LEN, PublicKey, Pure,
	request::{Binding, CHALLENGE_PASSWORD, CertificationRequest},
};
use x509_cert::{
	attr::Attribute,
	der::{
		Any, Encode, Tag,
		asn1::{ObjectIdentifier, SetOfVec},
		oid::AssociatedOid,
	},
	ext::{
		Extension,
		pkix::{BasicConstraints, KeyUsage, KeyUsages, NameConstraints, SubjectAltName},
	},
	name::Name,
	request::{CertReq, CertReqInfo, ExtensionReq, Version},
};

fn wanted(list: Vec<Extension>) -> Attribute {
	ExtensionReq(list).try_into().unwrap()
}

/// A request for this subject with these attributes, signed by `signer`.
fn request(subject: &Party, attributes: Vec<Attribute>, signer: &Party) -> Vec<u8> {
	let info = CertReqInfo {
		version: Version::V1,
		subject: subject.name.clone(),
		public_key: subject.key_info(),
		attributes: SetOfVec::try_from(attributes).unwrap(),
	};
	let signature = signer.sign(&info.to_der().unwrap());
	CertReq { info, algorithm: ecdsa_sha256(), signature }.to_der().unwrap()
}

fn verify(attributes: Vec<Attribute>) -> Result<CertificationRequest, Error> {
	let device = World::new().device;
	CertificationRequest::verify(&Pure, &request(&device, attributes, &device))
}

#[test]
fn a_request_says_who_asks_for_which_key_and_names() {
	let device = World::new().device;
	let names = extension(&SubjectAltName(vec![dns("a.org")]), false);
	let request = verify(vec![wanted(vec![names])]).unwrap();
	assert_eq!(request.subject().as_name(), &device.name);
	assert_eq!(request.extensions().subject_names.as_ref().map(Vec::len), Some(1));
	assert!(request.key().compressed_point().is_some());
	assert!(verify(Vec::new()).is_ok());
}

#[test]
fn a_request_is_signed_by_the_key_in_it() {
	let world = World::new();
	let der = request(&world.device, Vec::new(), &world.ca);
	let refusal = CertificationRequest::verify(&Pure, &der).err();
	assert_eq!(refusal, Some(Error::SignatureInvalid));
}

#[test]
fn what_is_no_request_is_refused() {
	let device = World::new().device;
	let mut der = request(&device, Vec::new(), &device);
	der.push(0);
	let refusal = |der: &[u8]| CertificationRequest::verify(&Pure, der).err();
	assert_eq!(refusal(&der), Some(Error::RequestMalformed));
	assert_eq!(refusal(&[]), Some(Error::RequestMalformed));
	assert_eq!(refusal(&vec![0; MAX_REQUEST_LEN + 1]), Some(Error::RequestTooLong));
}

#[test]
fn nobody_asks_to_be_an_authority() {
	let ca = extension(&BasicConstraints { ca: true, path_len_constraint: None }, true);
	let refused = Some(Error::RequestedExtensionNotAllowed);
	assert_eq!(verify(vec![wanted(vec![ca])]).err(), refused);
	let signing = extension(&KeyUsage(KeyUsages::KeyCertSign.into()), true);
	assert_eq!(verify(vec![wanted(vec![signing])]).err(), refused);
	let constraints = NameConstraints {
		permitted_subtrees: Some(vec![x509_cert::ext::pkix::constraints::name::GeneralSubtree {
			base: dns("a.org"),
			minimum: 0,
			maximum: None,
		}]),
		excluded_subtrees: None,
	};
	assert_eq!(verify(vec![wanted(vec![extension(&constraints, true)])]).err(), refused);
}

#[test]
fn an_extension_that_is_not_evaluated_is_refused_only_if_it_is_critical() {
	let oid = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");
	let refused = Some(Error::RequestedExtensionNotAllowed);
	let with = |critical| verify(vec![wanted(vec![common::raw_extension(oid, &[5, 0], critical)])]);
	assert_eq!(with(false).err(), refused);
	assert_eq!(with(true).err(), Some(Error::ExtensionUnknown));
}

#[test]
fn a_challenge_password_is_not_made_public() {
	let refusal = verify(vec![challenge(&[(Tag::Utf8String, b"secret")])]).err();
	assert_eq!(refusal, Some(Error::RequestAttributeNotAllowed));
}

fn challenge(values: &[(Tag, &[u8])]) -> Attribute {
	let values = values
		.iter()
		.map(|(tag, text)| Any::new(*tag, *text).unwrap())
		.collect::<Vec<_>>();
	Attribute { oid: CHALLENGE_PASSWORD, values: SetOfVec::try_from(values).unwrap() }
}

/// Verifies a request of the device, which is bound to its key and the challenge `right`.
fn verify_bound(attributes: Vec<Attribute>) -> Result<CertificationRequest, Error> {
	let device = World::new().device;
	let der = request(&device, attributes, &device);
	let key = PublicKey::read(&device.key_info()).unwrap();
	CertificationRequest::verify_bound(&Pure, &der, Binding { key: &key, challenge: "right" })
}

#[test]
fn a_bound_request_carries_its_challenge_and_may_ask_for_names() {
	for tag in [Tag::Utf8String, Tag::PrintableString] {
		assert!(verify_bound(vec![challenge(&[(tag, b"right")])]).is_ok(), "{tag}");
	}
	let names = wanted(vec![extension(&SubjectAltName(vec![dns("a.org")]), false)]);
	let bound = verify_bound(vec![challenge(&[(Tag::Utf8String, b"right")]), names]).unwrap();
	assert_eq!(bound.extensions().subject_names.as_ref().map(Vec::len), Some(1));
}

#[test]
fn a_bound_request_without_its_challenge_is_refused() {
	let mismatch = Some(Error::RequestChallengeMismatch);
	assert_eq!(verify_bound(Vec::new()).err(), mismatch);
	for values in [
		&[(Tag::Utf8String, &b"wrong"[..])][..],
		&[(Tag::Utf8String, b"right ")],
		&[(Tag::Utf8String, b"RIGHT")],
		&[(Tag::OctetString, b"right")],
		&[(Tag::Utf8String, b"right"), (Tag::PrintableString, b"right")],
		&[],
	] {
		assert_eq!(verify_bound(vec![challenge(values)]).err(), mismatch, "{values:?}");
	}
	let other = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.2");
	let name = Attribute { oid: other, ..challenge(&[(Tag::Utf8String, b"name")]) };
	let refusal = verify_bound(vec![challenge(&[(Tag::Utf8String, b"right")]), name]).err();
	assert_eq!(refusal, Some(Error::RequestAttributeNotAllowed));
}

#[test]
fn a_bound_request_is_for_the_key_that_is_known_before_and_signed_by_it() {
	let world = World::new();
	let (device, other) = (&world.device, &world.ca);
	let key_of = |party: &Party| PublicKey::read(&party.key_info()).unwrap();
	let right = || vec![challenge(&[(Tag::Utf8String, b"right")])];
	let verify = |der: &[u8], key: &PublicKey| {
		let binding = Binding { key, challenge: "right" };
		CertificationRequest::verify_bound(&Pure, der, binding).err()
	};
	let der = request(device, right(), device);
	assert_eq!(verify(&der, &key_of(other)), Some(Error::RequestKeyMismatch));
	let compressed = PublicKey::p256(&key_of(device).compressed_point().unwrap()).unwrap();
	assert_eq!(verify(&der, &compressed), None);
	let forged = request(device, right(), other);
	assert_eq!(verify(&forged, &compressed), Some(Error::SignatureInvalid));
}

#[test]
fn extensions_are_asked_for_once() {
	let twice = Attribute {
		oid: ExtensionReq::OID,
		values: SetOfVec::try_from(vec![
			Any::new(Tag::Sequence, []).unwrap(),
			Any::new(Tag::Sequence, [0x30, 0]).unwrap(),
		])
		.unwrap(),
	};
	assert_eq!(verify(vec![twice]).err(), Some(Error::RequestMalformed));
}

#[test]
fn a_request_without_a_subject_has_alternative_names() {
	let mut nobody = World::new().device;
	nobody.name = Name::default();
	let verify = |attributes| {
		CertificationRequest::verify(&Pure, &request(&nobody, attributes, &nobody)).map(|_| ())
	};
	assert_eq!(verify(Vec::new()), Err(Error::SubjectEmpty));
	let names = extension(&SubjectAltName(vec![dns("a.org")]), false);
	assert_eq!(verify(vec![wanted(vec![names])]), Ok(()));
}
