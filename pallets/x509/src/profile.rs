//! Profiles: what an ecosystem asks of its certificates beyond RFC 5280.
//!
//! | profile | for | source |
//! |---|---|---|
//! | [`Profile::Rfc5280`] | any | RFC 5280 |
//! | [`Profile::Matter`] | device attestation: PAA, PAI, DAC | Matter core specification section 6.2.2, with the checks of its ledger |
//! | [`Profile::IdevId`] | initial device identities | IEEE 802.1AR-2018 section 8 |
//! | [`Profile::TlsServer`] | servers below public CAs | CA/Browser Forum baseline requirements section 7.1.2 |

mod idevid;
mod matter;
mod tls;

pub use dpki_primitives::anchor::Profile;
pub use matter::{MatterId, product_id, vendor_id};

use crate::{
	certificate::Certificate,
	error::{Error, PathError},
	path::Target,
};
use x509_cert::der::{asn1::ObjectIdentifier, oid::AssociatedOid};

/// The part that a certificate plays in a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
	/// The trust anchor.
	Anchor,
	/// An authority below an anchor.
	Intermediate,
	/// A certificate that issues no others.
	EndEntity,
}

impl Role {
	/// The part that a certificate below an anchor plays by its own word.
	pub fn below_anchor(certificate: &Certificate) -> Self {
		if certificate.extensions().is_authority() { Self::Intermediate } else { Self::EndEntity }
	}
}

/// What a profile asks beyond RFC 5280. For servers lists of public suffixes are not consulted.
pub trait ProfileRules {
	/// Refuses a certificate that the profile does not allow in this part.
	fn check_certificate(self, certificate: &Certificate, role: Role) -> Result<(), Error>;

	/// Refuses a valid path that the profile does not allow, if its last certificate is to be this.
	fn check_path(
		self,
		anchor: &Certificate,
		path: &[&Certificate],
		target: Target,
	) -> Result<(), PathError>;
}

impl ProfileRules for Profile {
	fn check_certificate(self, certificate: &Certificate, role: Role) -> Result<(), Error> {
		match self {
			Self::Rfc5280 => Ok(()),
			Self::Matter => matter::check_certificate(certificate, role),
			Self::IdevId => idevid::check_certificate(certificate, role),
			Self::TlsServer => tls::check_certificate(certificate, role),
		}
	}

	fn check_path(
		self,
		anchor: &Certificate,
		path: &[&Certificate],
		target: Target,
	) -> Result<(), PathError> {
		if self == Self::Rfc5280 {
			return Ok(());
		}
		self.check_certificate(anchor, Role::Anchor).map_err(PathError::at(0))?;
		for (index, certificate) in (1..).zip(path) {
			// A server is what stands at the end of its path, whatever it says of itself, unless an authority is wanted.
			let is_wanted = index == path.len() && target != Target::Authority;
			let role = match self {
				Self::TlsServer if is_wanted => Role::EndEntity,
				_ => Role::below_anchor(certificate),
			};
			self.check_certificate(certificate, role).map_err(PathError::at(index))?;
		}
		match self {
			Self::Matter => matter::check_path(anchor, path),
			_ => Ok(()),
		}
	}
}

/// Whether the certificate has an extension of this type, and if so whether it is critical.
fn criticality<T: AssociatedOid>(certificate: &Certificate) -> Option<bool> {
	certificate.extensions().criticality(T::OID)
}

/// Whether the certificate has this purpose in so many words.
fn has_purpose(certificate: &Certificate, purpose: ObjectIdentifier) -> bool {
	certificate
		.extensions()
		.purposes
		.iter()
		.flatten()
		.any(|listed| *listed == purpose)
}
