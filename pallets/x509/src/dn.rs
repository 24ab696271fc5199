//! Distinguished names and when two of them are the same (RFC 5280 section 7.1).
//!
//! Text in PrintableString, UTF8String and IA5String is compared without regard to the case of ASCII letters, to
//! spaces at the ends and to the number of spaces in a row, and across these three types. Letters outside of ASCII
//! have to be the same: folding them would tie the verdict to a version of the Unicode tables. Everything else is
//! compared byte by byte.

use crate::error::Error;
use alloc::{string::String, vec::Vec};
use x509_cert::{
	attr::AttributeTypeAndValue,
	der::{Decode, Tag, Tagged, asn1::ObjectIdentifier, oid::db},
	name::Name,
};

/// A distinguished name.
#[derive(Clone, Debug)]
pub struct DistinguishedName {
	name: Name,
	normal: Vec<Vec<NormalAttribute>>,
}

/// An attribute in the form in which it is compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct NormalAttribute {
	oid: ObjectIdentifier,
	/// `None` for text of any of the types that are compared with each other.
	tag: Option<Tag>,
	value: Vec<u8>,
}

impl DistinguishedName {
	/// Reads a name. An attribute in text has to be text of its type.
	pub(crate) fn read(name: Name) -> Result<Self, Error> {
		let mut normal = Vec::with_capacity(name.0.len());
		for rdn in &name.0 {
			// RFC 5280 section 4.1.2.4: a relative name has one attribute at least.
			ensure!(!rdn.0.is_empty(), Error::CertificateMalformed);
			let mut attributes = rdn
				.0
				.iter()
				.map(normalise)
				.collect::<Option<Vec<_>>>()
				.ok_or(Error::CertificateMalformed)?;
			attributes.sort();
			normal.push(attributes);
		}
		Ok(Self { name, normal })
	}

	/// Whether it is the empty sequence.
	pub fn is_empty(&self) -> bool {
		self.normal.is_empty()
	}

	/// Whether it lies in the subtree below `base` (RFC 5280 section 4.2.1.10).
	pub fn is_within(&self, base: &Self) -> bool {
		self.normal.starts_with(&base.normal)
	}

	/// The text of each attribute of this type, from the most general to the most specific part of the name; `None`
	/// where the value is no text.
	pub fn attributes(&self, oid: ObjectIdentifier) -> impl Iterator<Item = Option<&str>> {
		self.name
			.0
			.iter()
			.flat_map(|rdn| rdn.0.iter())
			.filter(move |attribute| attribute.oid == oid)
			.map(text)
	}

	/// The name as it was read.
	pub fn as_name(&self) -> &Name {
		&self.name
	}
}

impl PartialEq for DistinguishedName {
	fn eq(&self, other: &Self) -> bool {
		self.normal == other.normal
	}
}

impl Eq for DistinguishedName {}

impl core::fmt::Display for DistinguishedName {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		self.name.fmt(f)
	}
}

/// The text of an attribute in one of the three types that are compared as text.
fn text(attribute: &AttributeTypeAndValue) -> Option<&str> {
	let value = &attribute.value;
	let text = core::str::from_utf8(value.value()).ok()?;
	match value.tag() {
		Tag::Utf8String => Some(text),
		Tag::PrintableString => text.bytes().all(is_printable).then_some(text),
		Tag::Ia5String => text.is_ascii().then_some(text),
		_ => None,
	}
}

/// Whether the character is one of PrintableString. The asterisk, the at sign, the ampersand and the underscore do
/// not belong to it, but stand in names that public CAs issued, and mean themselves.
fn is_printable(byte: u8) -> bool {
	byte.is_ascii_alphanumeric() || b" '()+,-./:=?*@&_".contains(&byte)
}

fn normalise(attribute: &AttributeTypeAndValue) -> Option<NormalAttribute> {
	let oid = attribute.oid;
	let tag = attribute.value.tag();
	if !matches!(tag, Tag::Utf8String | Tag::PrintableString | Tag::Ia5String) {
		return Some(NormalAttribute {
			oid,
			tag: Some(tag),
			value: attribute.value.value().to_vec(),
		});
	}
	let mut value = String::new();
	for word in text(attribute)?.split(' ').filter(|word| !word.is_empty()) {
		if !value.is_empty() {
			value.push(' ');
		}
		value.push_str(word);
	}
	value.make_ascii_lowercase();
	Some(NormalAttribute { oid, tag: None, value: value.into_bytes() })
}

/// The attribute `emailAddress` (RFC 5280 section 4.1.2.6).
pub const EMAIL_ADDRESS: ObjectIdentifier = db::rfc3280::EMAIL_ADDRESS;

/// The attribute `commonName`.
pub const COMMON_NAME: ObjectIdentifier = db::rfc4519::COMMON_NAME;

/// The attribute `serialNumber` of a device, not to be mixed up with that of a certificate.
pub const SERIAL_NUMBER: ObjectIdentifier = db::rfc4519::SERIAL_NUMBER;

/// Reads a name from its DER.
impl TryFrom<&[u8]> for DistinguishedName {
	type Error = Error;

	fn try_from(der: &[u8]) -> Result<Self, Error> {
		Self::read(Name::from_der(der).map_err(|_| Error::CertificateMalformed)?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use core::str::FromStr;
	use x509_cert::{attr::AttributeValue, name::RelativeDistinguishedName};

	fn dn(text: &str) -> DistinguishedName {
		DistinguishedName::read(Name::from_str(text).unwrap()).unwrap()
	}

	fn common_name(tag: Tag, value: &[u8]) -> Result<DistinguishedName, Error> {
		let value = AttributeValue::new(tag, value).unwrap();
		let rdn = RelativeDistinguishedName::try_from(alloc::vec![AttributeTypeAndValue {
			oid: COMMON_NAME,
			value,
		}]);
		DistinguishedName::read(x509_cert::name::RdnSequence(alloc::vec![rdn.unwrap()]))
	}

	#[test]
	fn case_spaces_and_string_type_do_not_matter() {
		assert_eq!(
			common_name(Tag::Utf8String, b"  Root  CA ").unwrap(),
			common_name(Tag::PrintableString, b"ROOT ca").unwrap()
		);
		assert_ne!(
			common_name(Tag::Utf8String, b"RootCA").unwrap(),
			common_name(Tag::Utf8String, b"Root CA").unwrap()
		);
	}

	#[test]
	fn the_order_of_relative_names_matters() {
		assert_ne!(dn("CN=a,O=b"), dn("O=b,CN=a"));
	}

	#[test]
	fn a_subtree_begins_at_the_general_end() {
		assert!(dn("CN=a,O=b").is_within(&dn("O=B")));
		assert!(dn("O=b").is_within(&dn("O=b")));
		assert!(!dn("CN=a,O=b").is_within(&dn("CN=a")));
		assert!(!dn("O=b").is_within(&dn("CN=a,O=b")));
	}

	#[test]
	fn text_that_is_not_of_its_type_is_refused() {
		assert_eq!(common_name(Tag::Utf8String, b"\xff").err(), Some(Error::CertificateMalformed));
		assert_eq!(
			common_name(Tag::PrintableString, b"a\n").err(),
			Some(Error::CertificateMalformed)
		);
	}

	#[test]
	fn other_types_are_compared_byte_by_byte() {
		assert_ne!(
			common_name(Tag::TeletexString, b"CA").unwrap(),
			common_name(Tag::TeletexString, b"ca").unwrap()
		);
	}
}
