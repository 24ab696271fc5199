//! Certificates for tests, of which every part can be changed before they are signed.
#![allow(dead_code, reason = "each test file uses a part of this")]

use dpki_x509::{Certificate, Error, ObjectIdentifier, PathError, Pure, Rules, validate};
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer};
use std::str::FromStr;
use x509_cert::{
	Certificate as Encoded, TbsCertificate, Version,
	der::{
		Any, Encode,
		asn1::{BitString, GeneralizedTime, Ia5String, OctetString},
		flagset::FlagSet,
		oid::{
			AssociatedOid,
			db::{rfc4519::COMMON_NAME, rfc5912},
		},
	},
	ext::{
		Extension,
		pkix::{
			AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
			NameConstraints, SubjectAltName, SubjectKeyIdentifier,
			constraints::name::GeneralSubtree, name::GeneralName,
		},
	},
	name::Name,
	serial_number::SerialNumber,
	spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
	time::{Time, Validity},
};

/// Where the validity of every certificate begins and ends, unless a test changes it.
pub const NOT_BEFORE: u64 = 1_700_000_000;
pub const NOT_AFTER: u64 = 1_800_000_000;

/// A moment between.
pub const NOW: u64 = 1_750_000_000;

/// Somebody with a name and a P-256 key.
pub struct Party {
	pub name: Name,
	key: SigningKey,
}

impl Party {
	/// The party of this name; the key comes from `seed`, which is not zero.
	pub fn new(name: &str, seed: u8) -> Self {
		Self {
			name: Name::from_str(name).unwrap(),
			key: SigningKey::from_slice(&[seed; 32]).unwrap(),
		}
	}

	pub fn key_info(&self) -> SubjectPublicKeyInfoOwned {
		let point = self.key.verifying_key().to_encoded_point(false);
		SubjectPublicKeyInfoOwned {
			algorithm: AlgorithmIdentifierOwned {
				oid: rfc5912::ID_EC_PUBLIC_KEY,
				parameters: Some(Any::encode_from(&rfc5912::SECP_256_R_1).unwrap()),
			},
			subject_public_key: BitString::from_bytes(point.as_bytes()).unwrap(),
		}
	}

	/// An identifier of 20 octets, different for each key.
	pub fn key_id(&self) -> Vec<u8> {
		self.key.verifying_key().to_encoded_point(false).as_bytes()[1..21].to_vec()
	}

	pub fn sign(&self, message: &[u8]) -> BitString {
		let signature: DerSignature = self.key.sign(message);
		BitString::from_bytes(signature.as_bytes()).unwrap()
	}
}

pub fn ecdsa_sha256() -> AlgorithmIdentifierOwned {
	AlgorithmIdentifierOwned { oid: rfc5912::ECDSA_WITH_SHA_256, parameters: None }
}

pub fn time(seconds: u64) -> Time {
	let duration = std::time::Duration::from_secs(seconds);
	if seconds < 2_524_608_000 {
		Time::UtcTime(x509_cert::der::asn1::UtcTime::from_unix_duration(duration).unwrap())
	} else {
		Time::GeneralTime(GeneralizedTime::from_unix_duration(duration).unwrap())
	}
}

pub fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> Extension {
	raw_extension(T::OID, &value.to_der().unwrap(), critical)
}

pub fn raw_extension(oid: ObjectIdentifier, value: &[u8], critical: bool) -> Extension {
	Extension { extn_id: oid, critical, extn_value: OctetString::new(value).unwrap() }
}

/// A certificate that is not signed yet.
#[derive(Clone)]
pub struct Draft {
	pub body: TbsCertificate,
}

impl Draft {
	fn new(subject: &Party, issuer: &Party) -> Self {
		Self {
			body: TbsCertificate {
				version: Version::V3,
				serial_number: SerialNumber::new(&[1, 2, 3]).unwrap(),
				signature: ecdsa_sha256(),
				issuer: issuer.name.clone(),
				validity: Validity { not_before: time(NOT_BEFORE), not_after: time(NOT_AFTER) },
				subject: subject.name.clone(),
				subject_public_key_info: subject.key_info(),
				issuer_unique_id: None,
				subject_unique_id: None,
				extensions: Some(Vec::new()),
			},
		}
		.with(&SubjectKeyIdentifier(OctetString::new(subject.key_id()).unwrap()), false)
		.with(
			&AuthorityKeyIdentifier {
				key_identifier: Some(OctetString::new(issuer.key_id()).unwrap()),
				..Default::default()
			},
			false,
		)
	}

	/// An authority without limits.
	pub fn authority(subject: &Party, issuer: &Party) -> Self {
		Self::new(subject, issuer)
			.with(&BasicConstraints { ca: true, path_len_constraint: None }, true)
			.with_usage(KeyUsages::KeyCertSign | KeyUsages::CRLSign)
	}

	/// A device.
	pub fn device(subject: &Party, issuer: &Party) -> Self {
		Self::new(subject, issuer).with_usage(KeyUsages::DigitalSignature)
	}

	/// Adds an extension, or puts it in the place of the one of its type.
	pub fn with<T: AssociatedOid + Encode>(self, value: &T, critical: bool) -> Self {
		self.with_raw(T::OID, &value.to_der().unwrap(), critical)
	}

	pub fn with_raw(self, oid: ObjectIdentifier, value: &[u8], critical: bool) -> Self {
		let mut draft = self.without(oid);
		draft
			.body
			.extensions
			.get_or_insert_default()
			.push(raw_extension(oid, value, critical));
		draft
	}

	pub fn without(mut self, oid: ObjectIdentifier) -> Self {
		self.body
			.extensions
			.get_or_insert_default()
			.retain(|extension| extension.extn_id != oid);
		self
	}

	pub fn with_usage(self, usage: impl Into<FlagSet<KeyUsages>>) -> Self {
		self.with(&KeyUsage(usage.into()), true)
	}

	pub fn with_path_len(self, path_len: u8) -> Self {
		self.with(&BasicConstraints { ca: true, path_len_constraint: Some(path_len) }, true)
	}

	pub fn with_purposes(self, purposes: &[ObjectIdentifier]) -> Self {
		self.with(&ExtendedKeyUsage(purposes.to_vec()), false)
	}

	pub fn with_names(self, names: &[GeneralName]) -> Self {
		self.with(&SubjectAltName(names.to_vec()), false)
	}

	pub fn with_constraints(self, permitted: &[GeneralName], excluded: &[GeneralName]) -> Self {
		let list = |names: &[GeneralName]| {
			let subtree = |base: &GeneralName| GeneralSubtree {
				base: base.clone(),
				minimum: 0,
				maximum: None,
			};
			(!names.is_empty()).then(|| names.iter().map(subtree).collect())
		};
		let constraints = NameConstraints {
			permitted_subtrees: list(permitted),
			excluded_subtrees: list(excluded),
		};
		self.with(&constraints, true)
	}

	pub fn edit(mut self, edit: impl FnOnce(&mut TbsCertificate)) -> Self {
		edit(&mut self.body);
		self
	}

	pub fn der(self, issuer: &Party) -> Vec<u8> {
		let signature = issuer.sign(&self.body.to_der().unwrap());
		let signature_algorithm = self.body.signature.clone();
		Encoded { tbs_certificate: self.body, signature_algorithm, signature }
			.to_der()
			.unwrap()
	}

	pub fn read(self, issuer: &Party) -> Result<Certificate, Error> {
		Certificate::from_der(&self.der(issuer))
	}

	pub fn sign(self, issuer: &Party) -> Certificate {
		self.read(issuer).unwrap()
	}
}

pub fn dns(name: &str) -> GeneralName {
	GeneralName::DnsName(Ia5String::new(name).unwrap())
}

pub fn email(name: &str) -> GeneralName {
	GeneralName::Rfc822Name(Ia5String::new(name).unwrap())
}

pub fn uri(name: &str) -> GeneralName {
	GeneralName::UniformResourceIdentifier(Ia5String::new(name).unwrap())
}

pub fn ip(octets: &[u8]) -> GeneralName {
	GeneralName::IpAddress(OctetString::new(octets).unwrap())
}

pub fn directory(name: &str) -> GeneralName {
	GeneralName::DirectoryName(Name::from_str(name).unwrap())
}

/// A root, an intermediate and a device, and the certificates of the usual path between them.
pub struct World {
	pub root: Party,
	pub ca: Party,
	pub device: Party,
}

impl World {
	pub fn new() -> Self {
		Self {
			root: Party::new("CN=Root,O=Consortium", 1),
			ca: Party::new("CN=Intermediate,O=Consortium", 2),
			device: Party::new("CN=Device,O=Consortium", 3),
		}
	}

	pub fn root_draft(&self) -> Draft {
		Draft::authority(&self.root, &self.root)
	}

	pub fn ca_draft(&self) -> Draft {
		Draft::authority(&self.ca, &self.root)
	}

	pub fn device_draft(&self) -> Draft {
		Draft::device(&self.device, &self.ca)
	}

	/// Judges root, intermediate and device.
	pub fn judge(
		&self,
		root: Draft,
		ca: Draft,
		device: Draft,
		rules: &Rules,
	) -> Result<(), PathError> {
		let root = root.sign(&self.root);
		let ca = ca.sign(&self.root);
		let device = device.sign(&self.ca);
		validate(&Pure, &root, &[&ca, &device], rules)
	}
}

pub const fn fault(index: usize, error: Error) -> Result<(), PathError> {
	Err(PathError { index, error })
}

pub fn common_name() -> ObjectIdentifier {
	COMMON_NAME
}
