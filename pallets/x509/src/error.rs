//! What can be wrong, in one list.

use core::fmt;

macro_rules! errors {
	($($name:ident, $sentence:literal;)*) => {
		/// Why something is refused.
		#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
		pub enum Error {
			$(#[doc = $sentence] $name,)*
		}

		impl Error {
			/// Every error.
			pub const ALL: &'static [Error] = &[$(Error::$name,)*];

			/// What is wrong, in one sentence.
			pub const fn sentence(self) -> &'static str {
				match self {
					$(Error::$name => $sentence,)*
				}
			}

			/// The name of the error.
			pub const fn name(self) -> &'static str {
				match self {
					$(Error::$name => stringify!($name),)*
				}
			}
		}
	};
}

errors! {
	CertificateTooLong, "the certificate is longer than is read here";
	CertificateMalformed, "the certificate is not the DER encoding of a certificate";
	CertificateVersionUnsupported, "the certificate is not of version 3";
	CertificateExpired, "the certificate has expired";
	CertificateNotYetValid, "the certificate is not valid yet";
	CertificateRevoked, "the certificate is on the revocation list of its issuer";
	SerialNumberInvalid, "the serial number is not a positive number of at most 20 octets";
	ValidityInvalid, "the certificate ends before it begins";
	IssuerEmpty, "the issuer has no name";
	SubjectEmpty, "the subject has no name where one is needed";
	AlgorithmUnsupported, "the signature algorithm, or its encoding, is not accepted here";
	AlgorithmMismatch, "the algorithm in what is signed and the one beside the signature differ";
	PublicKeyUnsupported, "keys of this type, curve or size are not accepted here";
	PublicKeyMalformed, "the public key is not a key of its type";
	SignatureInvalid, "the signature does not verify";
	ExtensionListTooLong, "there are more extensions than are read here";
	ExtensionRepeated, "an extension occurs twice";
	ExtensionUnknown, "a critical extension is not evaluated here";
	ExtensionMalformed, "an extension is not the DER encoding of what it should be, or breaks a rule of its own";
	ExtensionCriticalityInvalid, "an extension is critical that must not be, or the other way round";
	ExtensionNotAllowed, "an extension of authorities stands in a certificate that is none";
	NameListTooLong, "there are more names, subtrees or policies than are read here";
	KeyUsageInconsistent, "key usage and basic constraints contradict each other";
	KeyUsageMissing, "the key usage that is needed is not stated";
	KeyUsageMismatch, "the key must not be used for this";
	ExtendedKeyUsageMismatch, "the certificate was not issued for this purpose";
	SubjectKeyIdentifierMissing, "an authority without subject key identifier";
	AuthorityKeyIdentifierMissing, "the certificate does not name the key of its issuer";
	AuthorityKeyIdentifierMismatch, "the certificate names another key as that of its issuer";
	IssuerNotAuthority, "the issuer is not a certification authority";
	IssuerMismatch, "the issuer's name is not that of the certificate above";
	AnchorNotSelfIssued, "the root is not issued by itself";
	PathLengthExceeded, "an authority above does not allow so many authorities below";
	PathTooLong, "the path has more certificates than are read here";
	PathEmpty, "there is no certificate below the anchor";
	PathNotFound, "no path leads from the certificate to a trust anchor";
	PathBudgetExceeded, "looking for a path took too many steps";
	NameNotPermitted, "a name lies outside of the names that an authority above permits";
	NameExcluded, "a name lies among the names that an authority above excludes";
	NameFormUnsupported, "a name is constrained whose form is not evaluated here";
	PolicyMappingInvalid, "a policy is mapped from or to the policy that stands for all";
	PolicyNotAccepted, "a policy is required, and none is left that holds for the whole path";
	SubjectNameMismatch, "the certificate is not for this name";
	ProfileAlgorithmMismatch, "the profile asks for another algorithm";
	ProfileConstraintsMismatch, "the profile asks for other basic constraints";
	ProfileKeyUsageMismatch, "the profile asks for another key usage";
	ProfileExtendedKeyUsageMismatch, "the profile asks for another extended key usage";
	ProfileKeyIdentifierInvalid, "the profile asks for other key identifiers";
	ProfileNameMismatch, "the profile asks for other subject names";
	ProfilePathMismatch, "the profile asks for a path of another shape";
	VendorIdMissing, "the subject names no vendor";
	VendorIdMalformed, "a vendor id is not given exactly once as four upper-case hexadecimal digits";
	VendorIdMismatch, "the vendor differs from that of the issuer";
	ProductIdMissing, "the subject names no product";
	ProductIdMalformed, "a product id is not given exactly once as four upper-case hexadecimal digits, or must not be given";
	ProductIdMismatch, "the product differs from that of the issuer";
	DeviceSerialMissing, "the subject names no serial number of a device";
	RequestTooLong, "the certification request is longer than is read here";
	RequestMalformed, "the certification request is not the DER encoding of one";
	RequestAttributeNotAllowed, "the request carries an attribute other than the extensions it asks for";
	RequestChallengeMismatch, "the request does not carry the challenge that was set, once and as text";
	RequestKeyMismatch, "the request is for another key than the one that was to be asked for";
	RequestedExtensionNotAllowed, "the request asks for an extension that is not for the applicant to choose";
	RevocationListTooLong, "the revocation list is longer than is read here";
	RevocationListMalformed, "the revocation list is not the DER encoding of one";
	RevocationListUnsupported, "the revocation list is partial, indirect or extended in a way that is not evaluated here";
	RevocationListExpired, "the revocation list is out of date, or not in force yet";
	RevocationUnknown, "no usable revocation list of the issuer is at hand";
}

impl fmt::Display for Error {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.sentence())
	}
}

impl core::error::Error for Error {}

/// Why a path is refused, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathError {
	/// The certificate at fault: 0 is the trust anchor, 1 what it issued, and so on. For a path that was not found
	/// this is 0.
	pub index: usize,
	/// What is wrong with it.
	pub error: Error,
}

impl PathError {
	pub(crate) fn at(index: usize) -> impl FnOnce(Error) -> Self {
		move |error| Self { index, error }
	}
}

impl fmt::Display for PathError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "certificate {}: {}", self.index, self.error)
	}
}

impl core::error::Error for PathError {}
