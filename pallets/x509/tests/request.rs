//! Certification requests.

mod common;

use common::{Party, World, dns, ecdsa_sha256, extension};
use dpki_x509::{Error, MAX_REQUEST_LEN, Pure, request::CertificationRequest};
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
	let oid = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
	let secret = Any::new(Tag::Utf8String, *b"secret").unwrap();
	let values = SetOfVec::try_from(vec![secret]).unwrap();
	let refusal = verify(vec![Attribute { oid, values }]).err();
	assert_eq!(refusal, Some(Error::RequestAttributeNotAllowed));
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
