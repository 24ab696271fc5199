//! Extensions: which are evaluated, and the rules that hold within one certificate (RFC 5280 section 4.2).
//!
//! | extension | section | rules beyond its syntax |
//! |---|---|---|
//! | authority key identifier | 4.2.1.1 | not critical; issuer and serial number only together |
//! | subject key identifier | 4.2.1.2 | not critical, not empty |
//! | key usage | 4.2.1.3 | one bit at least; `keyCertSign` only for authorities |
//! | certificate policies | 4.2.1.4 | no policy twice; if critical, only the qualifiers that are defined there |
//! | policy mappings | 4.2.1.5 | only for authorities, not empty |
//! | subject alternative name | 4.2.1.6 | not empty, names in the syntax of their form; critical if there is no subject |
//! | basic constraints | 4.2.1.9 | a path length (255 at most) only for authorities that may sign certificates |
//! | name constraints | 4.2.1.10 | critical, only for authorities, not empty, whole subtrees |
//! | policy constraints | 4.2.1.11 | critical, only for authorities, not empty |
//! | extended key usage | 4.2.1.12 | not empty |
//! | inhibit any-policy | 4.2.1.14 | critical, only for authorities |
//! | authority information access | 4.2.2.1 | not critical, not empty; not used otherwise |
//!
//! Any other extension is unknown: refused if critical, passed over if not.

use crate::{
	MAX_EXTENSIONS, MAX_NAMES, MAX_POLICIES, certificate::Reading, constraints::NameConstraints,
	error::Error, general_name::GeneralName, tlv,
};
use alloc::{collections::BTreeSet, vec::Vec};
use x509_cert::{
	der::{
		Decode, Encode,
		asn1::ObjectIdentifier,
		oid::{AssociatedOid, db::rfc5912},
	},
	ext::{
		Extension,
		pkix::{
			self, AuthorityInfoAccessSyntax, BasicConstraints, CertificatePolicies,
			ExtendedKeyUsage, InhibitAnyPolicy, KeyUsage, PolicyConstraints, PolicyMappings,
			SubjectAltName,
		},
	},
};

/// The policy that stands for every policy.
pub const ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32.0");

/// The purpose that stands for every purpose.
pub const ANY_PURPOSE: ObjectIdentifier = rfc5912::ANY_EXTENDED_KEY_USAGE;

/// The evaluated extensions of a certificate or a request.
#[derive(Clone, Default, Debug)]
pub struct Extensions {
	/// Authority key identifier.
	pub authority_key: Option<AuthorityKey>,
	/// Subject key identifier.
	pub subject_key_id: Option<Vec<u8>>,
	/// Key usage.
	pub key_usage: Option<KeyUsage>,
	/// Certificate policies, without qualifiers.
	pub policies: Option<Vec<ObjectIdentifier>>,
	/// Policy mappings: pairs of an issuer's policy and the subject's that counts as equal to it.
	pub policy_mappings: Vec<(ObjectIdentifier, ObjectIdentifier)>,
	/// Subject alternative names; `None` if the extension is absent.
	pub subject_names: Option<Vec<GeneralName>>,
	/// Basic constraints.
	pub basic_constraints: Option<BasicConstraints>,
	/// Name constraints.
	pub name_constraints: Option<NameConstraints>,
	/// Policy constraints.
	pub policy_constraints: Option<PolicyConstraints>,
	/// Extended key usage.
	pub purposes: Option<Vec<ObjectIdentifier>>,
	/// Inhibit any-policy, as number of certificates.
	pub inhibit_any_policy: Option<u32>,
	/// The extensions present, and which of them are critical.
	present: Vec<(ObjectIdentifier, bool)>,
}

/// How a certificate names the key that signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorityKey {
	/// The subject key identifier of the issuer.
	pub id: Option<Vec<u8>>,
	/// Whether the issuer's issuer and serial number are given too.
	pub has_issuer_and_serial: bool,
}

impl Extensions {
	/// Decodes a list of extensions.
	pub(crate) fn read(list: &[Extension]) -> Result<Self, Error> {
		ensure!(list.len() <= MAX_EXTENSIONS, Error::ExtensionListTooLong);
		let mut seen = BTreeSet::new();
		let mut extensions = Self::default();
		for extension in list {
			ensure!(seen.insert(extension.extn_id), Error::ExtensionRepeated);
			let is_evaluated = extensions.read_one(extension)?;
			ensure!(is_evaluated || !extension.critical, Error::ExtensionUnknown);
			extensions.present.push((extension.extn_id, extension.critical));
		}
		Ok(extensions)
	}

	/// Decodes one extension; whether it is one that is evaluated.
	fn read_one(&mut self, extension: &Extension) -> Result<bool, Error> {
		match extension.extn_id {
			pkix::AuthorityKeyIdentifier::OID => {
				self.authority_key = Some(AuthorityKey::read(decode(extension)?)?);
			},
			pkix::SubjectKeyIdentifier::OID => {
				let id: pkix::SubjectKeyIdentifier = decode(extension)?;
				ensure!(!id.0.as_bytes().is_empty(), Error::ExtensionMalformed);
				self.subject_key_id = Some(id.0.into_bytes());
			},
			KeyUsage::OID => {
				let usage: KeyUsage = decode(extension)?;
				ensure!(!usage.0.is_empty(), Error::ExtensionMalformed);
				self.key_usage = Some(usage);
			},
			CertificatePolicies::OID => {
				self.policies = Some(read_policies(&decode(extension)?, extension.critical)?);
			},
			PolicyMappings::OID => self.policy_mappings = read_mappings(&decode(extension)?)?,
			SubjectAltName::OID => {
				let names: SubjectAltName = decode(extension)?;
				check_len(names.0.len(), MAX_NAMES)?;
				let names = names.0.iter().map(GeneralName::read).collect::<Result<_, _>>()?;
				self.subject_names = Some(names);
			},
			BasicConstraints::OID => self.basic_constraints = Some(decode(extension)?),
			pkix::NameConstraints::OID => {
				self.name_constraints = Some(NameConstraints::read(&decode(extension)?)?);
			},
			PolicyConstraints::OID => {
				let constraints: PolicyConstraints = decode(extension)?;
				let is_empty = constraints.require_explicit_policy.is_none()
					&& constraints.inhibit_policy_mapping.is_none();
				ensure!(!is_empty, Error::ExtensionMalformed);
				self.policy_constraints = Some(constraints);
			},
			ExtendedKeyUsage::OID => {
				let purposes: ExtendedKeyUsage = decode(extension)?;
				check_len(purposes.0.len(), MAX_POLICIES)?;
				self.purposes = Some(purposes.0);
			},
			InhibitAnyPolicy::OID => {
				self.inhibit_any_policy = Some(decode::<InhibitAnyPolicy>(extension)?.0);
			},
			AuthorityInfoAccessSyntax::OID => {
				let access: AuthorityInfoAccessSyntax = decode(extension)?;
				ensure!(!access.0.is_empty(), Error::ExtensionMalformed);
				// RFC 5280 section 4.2.2.1. Nothing is fetched from the places that it names.
				ensure!(!extension.critical, Error::ExtensionCriticalityInvalid);
			},
			_ => return Ok(false),
		}
		Ok(true)
	}

	/// The rules between the extensions of a certificate, and between them and its subject.
	pub(crate) fn check(&self, has_subject: bool, reading: Reading) -> Result<(), Error> {
		if reading == Reading::Conforming {
			self.check_criticality()?;
		}

		let may_sign_certificates = self.key_usage.is_some_and(|usage| usage.key_cert_sign());
		if !self.is_authority() {
			ensure!(!may_sign_certificates, Error::KeyUsageInconsistent);
			let of_authorities = [
				pkix::NameConstraints::OID,
				PolicyConstraints::OID,
				PolicyMappings::OID,
				InhibitAnyPolicy::OID,
			];
			let has_one = of_authorities.iter().any(|oid| self.criticality(*oid).is_some());
			ensure!(!has_one, Error::ExtensionNotAllowed);
		}
		ensure!(self.path_len().is_none() || may_sign_certificates, Error::KeyUsageInconsistent);

		if !has_subject {
			let names_are_critical = self.criticality(SubjectAltName::OID) == Some(true);
			ensure!(self.subject_names.is_some(), Error::SubjectEmpty);
			ensure!(names_are_critical, Error::ExtensionCriticalityInvalid);
		}
		Ok(())
	}

	fn check_criticality(&self) -> Result<(), Error> {
		let must_not_be_critical =
			[pkix::AuthorityKeyIdentifier::OID, pkix::SubjectKeyIdentifier::OID];
		let must_be_critical =
			[pkix::NameConstraints::OID, PolicyConstraints::OID, InhibitAnyPolicy::OID];
		for (oid, critical) in &self.present {
			ensure!(
				!(*critical && must_not_be_critical.contains(oid)),
				Error::ExtensionCriticalityInvalid
			);
			ensure!(
				*critical || !must_be_critical.contains(oid),
				Error::ExtensionCriticalityInvalid
			);
		}
		Ok(())
	}

	/// Whether the extension is present, and if so whether it is critical.
	pub fn criticality(&self, oid: ObjectIdentifier) -> Option<bool> {
		self.present
			.iter()
			.find(|(present, _)| *present == oid)
			.map(|(_, critical)| *critical)
	}

	/// The extensions present.
	pub fn oids(&self) -> impl Iterator<Item = ObjectIdentifier> {
		self.present.iter().map(|(oid, _)| *oid)
	}

	/// Whether the basic constraints say that the subject is a certification authority.
	pub fn is_authority(&self) -> bool {
		self.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
	}

	/// How many authorities may follow that are not issued by themselves.
	pub fn path_len(&self) -> Option<u8> {
		self.basic_constraints
			.as_ref()
			.and_then(|constraints| constraints.path_len_constraint)
	}

	/// Whether the extended key usage, if there is one, contains this purpose or the one that stands for all.
	pub fn allows_purpose(&self, purpose: ObjectIdentifier) -> bool {
		self.purposes
			.as_ref()
			.is_none_or(|purposes| purposes.contains(&purpose) || purposes.contains(&ANY_PURPOSE))
	}
}

impl AuthorityKey {
	fn read(key: pkix::AuthorityKeyIdentifier) -> Result<Self, Error> {
		let has_issuer_and_serial = key.authority_cert_issuer.is_some();
		ensure!(
			has_issuer_and_serial == key.authority_cert_serial_number.is_some(),
			Error::ExtensionMalformed
		);
		let id = key.key_identifier.map(|id| id.into_bytes());
		ensure!(id.as_ref().is_none_or(|id| !id.is_empty()), Error::ExtensionMalformed);
		Ok(Self { id, has_issuer_and_serial })
	}
}

fn decode<'a, T: Decode<'a> + Encode>(extension: &'a Extension) -> Result<T, Error> {
	tlv::decode_strict(extension.extn_value.as_bytes()).ok_or(Error::ExtensionMalformed)
}

/// Each of these lists is `SIZE (1..MAX)`.
fn check_len(len: usize, max: usize) -> Result<(), Error> {
	ensure!(len > 0, Error::ExtensionMalformed);
	ensure!(len <= max, Error::NameListTooLong);
	Ok(())
}

fn read_policies(
	policies: &CertificatePolicies,
	is_critical: bool,
) -> Result<Vec<ObjectIdentifier>, Error> {
	check_len(policies.0.len(), MAX_POLICIES)?;
	let mut list = Vec::with_capacity(policies.0.len());
	for policy in &policies.0 {
		let known = [rfc5912::ID_QT_CPS, rfc5912::ID_QT_UNOTICE];
		let has_unknown_qualifier = policy
			.policy_qualifiers
			.iter()
			.flatten()
			.any(|qualifier| !known.contains(&qualifier.policy_qualifier_id));
		ensure!(!(is_critical && has_unknown_qualifier), Error::ExtensionUnknown);
		ensure!(!list.contains(&policy.policy_identifier), Error::ExtensionMalformed);
		list.push(policy.policy_identifier);
	}
	Ok(list)
}

fn read_mappings(
	mappings: &PolicyMappings,
) -> Result<Vec<(ObjectIdentifier, ObjectIdentifier)>, Error> {
	check_len(mappings.0.len(), MAX_POLICIES)?;
	Ok(mappings
		.0
		.iter()
		.map(|mapping| (mapping.issuer_domain_policy, mapping.subject_domain_policy))
		.collect())
}
