//! TLS servers as public CAs certify them (CA/Browser Forum baseline requirements section 7.1.2), for paths below a
//! sub-CA of a public CA. Limits on the length of a validity change from year to year and are for policy.

use super::{Role, criticality, has_purpose};
use crate::{
	certificate::Certificate, dn::COMMON_NAME, error::Error, extension::ANY_PURPOSE,
	general_name::GeneralName,
};
use alloc::string::String;
use x509_cert::{der::oid::db::rfc5912::ID_KP_SERVER_AUTH, ext::pkix::SubjectAltName};

pub(super) fn check_certificate(certificate: &Certificate, role: Role) -> Result<(), Error> {
	match role {
		Role::Anchor if certificate.is_self_issued() => check_root(certificate),
		// A branch that is trusted without its root is what it is below it.
		Role::Anchor | Role::Intermediate => Ok(()),
		Role::EndEntity => check_server(certificate),
	}
}

/// Sections 7.1.2.1.2 and 7.1.2.1.3.
fn check_root(root: &Certificate) -> Result<(), Error> {
	let extensions = root.extensions();
	ensure!(extensions.purposes.is_none(), Error::ProfileExtendedKeyUsageMismatch);
	if let Some(key) = extensions.authority_key.as_ref() {
		ensure!(!key.has_issuer_and_serial, Error::ProfileKeyIdentifierInvalid);
		ensure!(key.id == extensions.subject_key_id, Error::AuthorityKeyIdentifierMismatch);
	}
	Ok(())
}

/// Section 7.1.2.7.
fn check_server(server: &Certificate) -> Result<(), Error> {
	let extensions = server.extensions();
	ensure!(!extensions.is_authority(), Error::ProfileConstraintsMismatch);
	ensure!(
		has_purpose(server, ID_KP_SERVER_AUTH) && !has_purpose(server, ANY_PURPOSE),
		Error::ProfileExtendedKeyUsageMismatch
	);
	let names = extensions.subject_names.as_deref().unwrap_or_default();
	ensure!(!names.is_empty(), Error::ProfileNameMismatch);
	let is_public = |name: &GeneralName| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_));
	ensure!(names.iter().all(is_public), Error::ProfileNameMismatch);
	// A wildcard directly below a top-level domain would stand for other people's names.
	let is_too_wide = |name: &GeneralName| match name {
		GeneralName::Dns(name) => name.strip_prefix("*.").is_some_and(|base| !base.contains('.')),
		_ => false,
	};
	ensure!(!names.iter().any(is_too_wide), Error::ProfileNameMismatch);
	ensure!(
		criticality::<SubjectAltName>(server) == Some(server.subject().is_empty()),
		Error::ExtensionCriticalityInvalid
	);
	check_common_name(server, names)
}

/// Section 7.1.4.3: a common name is one of the alternative names, character for character.
fn check_common_name(server: &Certificate, names: &[GeneralName]) -> Result<(), Error> {
	for common_name in server.subject().attributes(COMMON_NAME) {
		let common_name = common_name.ok_or(Error::ProfileNameMismatch)?;
		let is_among = names.iter().any(|name| match name {
			GeneralName::Dns(name) => name == common_name,
			GeneralName::Ip(octets) => address_text(octets) == common_name,
			_ => false,
		});
		ensure!(is_among, Error::ProfileNameMismatch);
	}
	Ok(())
}

fn address_text(octets: &[u8]) -> String {
	let v4 = <[u8; 4]>::try_from(octets)
		.map(core::net::Ipv4Addr::from)
		.map(|ip| alloc::format!("{ip}"));
	let v6 = <[u8; 16]>::try_from(octets)
		.map(core::net::Ipv6Addr::from)
		.map(|ip| alloc::format!("{ip}"));
	v4.or(v6).unwrap_or_default()
}
