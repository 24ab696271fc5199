//! Temporary access: who may log in to a device for a short time, and where that is on record.
//!
//! A grant stands in three places that name each other:
//!
//! | place | what | ends it |
//! |---|---|---|
//! | the chain | a certificate of the key about the service [`subject`], held by the organisation; everybody can read its end | its end, its revocation |
//! | the person | an SSH user certificate for one [`principal`] that nothing else has, with the number [`serial`] | its end |
//! | the device | [`Item::SshTemporaryAccess`](crate::Item::SshTemporaryAccess), which opens a login to that principal | its end, the end of the record on the chain, the next delivery |
//!
//! Without a CA there is nothing in the second place: [`Item::SshTemporaryKey`](crate::Item::SshTemporaryKey) opens the login to
//! the key itself, which the device finds in the record on the chain.
//!
//! Whoever is named by the record agreed to it, because the chain grants a certificate only to a key that signs for it: see
//! [`AccessRequest`].

use crate::certificate::{CertificateError, Draft};
use codec::{Decode, DecodeAll, Encode};
use dpki_primitives::{
	application::Possession,
	ids::{CertificateId, DeviceId, OrganisationId},
	key::Signature,
	subject::Subject,
};
use std::{fmt, str::FromStr};

/// Opens the text of an [`AccessRequest`].
const REQUEST_PREFIX: &str = "dpki-access1:";

/// How the names of the services begin that stand for access to a device.
const SERVICE_PREFIX: &str = "access.";

/// How many bytes of the id of a device are in the name of that service: a name has no room for all, and nobody finds two
/// devices that agree in these.
const DEVICE_BYTES: usize = 20;

/// How many bytes of the id of a grant are in its principal.
const GRANT_BYTES: usize = 16;

/// What certificates about access to a device are about: a service of its organisation.
pub fn subject(organisation: OrganisationId, device: DeviceId) -> Subject {
	let name = format!("{SERVICE_PREFIX}{}", hex::encode(&device.0[..DEVICE_BYTES]));
	let name = name.into_bytes().try_into().expect("47 characters fit a name");
	Subject::Service { organisation, name }
}

/// Whether a certificate about this subject is a grant.
pub fn is_grant(of: &Subject) -> bool {
	matches!(of, Subject::Service { name, .. } if name.starts_with(SERVICE_PREFIX.as_bytes()))
}

/// The principal that a grant opens a login to. No other certificate has it.
pub fn principal(grant: CertificateId) -> String {
	format!("grant-{}", hex::encode(&grant.0[..GRANT_BYTES]))
}

/// The serial number of the SSH certificate of a grant: from 1 to 2^63 - 1.
pub fn serial(grant: CertificateId) -> u64 {
	let first = grant.0.first_chunk().copied().unwrap_or_default();
	(u64::from_be_bytes(first) >> 1).max(1)
}

/// That somebody asks for access, signed by the key that is to have it: what the chain wants to see before it certifies the
/// key. Another application of the same payer in between makes it worthless.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct AccessRequest {
	/// What is asked for, and who is to apply.
	pub draft: Draft,
	/// To which device.
	pub device: DeviceId,
	/// The proof by the key.
	pub signature: Signature,
}

impl AccessRequest {
	/// The proof as the chain takes it.
	pub fn possession(&self) -> Possession {
		Possession::Signature(self.signature.clone())
	}
}

impl fmt::Display for AccessRequest {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{REQUEST_PREFIX}{}", hex::encode(self.encode()))
	}
}

impl FromStr for AccessRequest {
	type Err = CertificateError;

	fn from_str(text: &str) -> Result<Self, CertificateError> {
		let malformed = |reason: String| CertificateError::Malformed {
			what: "request for access",
			reason,
			made_by: "dpki access request",
		};
		let digits = text
			.trim()
			.strip_prefix(REQUEST_PREFIX)
			.ok_or_else(|| malformed(format!("it does not begin with {REQUEST_PREFIX}")))?;
		let bytes = hex::decode(digits).map_err(|error| malformed(error.to_string()))?;
		Self::decode_all(&mut &bytes[..]).map_err(|error| malformed(error.to_string()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::{SigningKey, SoftwareKey};
	use dpki_primitives::{
		application::CertificateRequest, assurance::Level, certificate::Holder, key::KeyType,
	};

	const ORGANISATION: OrganisationId = OrganisationId([1; 32]);

	#[test]
	fn a_grant_is_about_one_device_and_has_a_form_that_the_chain_takes() {
		let one = subject(ORGANISATION, DeviceId([2; 32]));
		assert!(one.is_well_formed() && one.allows(Level::Dv) && is_grant(&one));
		assert_ne!(one, subject(ORGANISATION, DeviceId([3; 32])));
		assert_ne!(one, subject(OrganisationId([9; 32]), DeviceId([2; 32])));
		let other = b"api".to_vec().try_into().unwrap();
		assert!(!is_grant(&Subject::Service { organisation: ORGANISATION, name: other }));
		assert!(!is_grant(&Subject::Device(DeviceId([2; 32]))));
	}

	#[test]
	fn principal_and_serial_follow_from_the_grant() {
		let grant = CertificateId([0xff; 32]);
		assert!(crate::names::is_principal(&principal(grant)));
		assert_eq!(serial(grant), i64::MAX as u64);
		assert_eq!(serial(CertificateId([0; 32])), 1, "0 is the number of unnumbered ones");
		assert_ne!(principal(grant), principal(CertificateId([0xfe; 32])));
	}

	#[test]
	fn a_request_is_read_as_it_was_written_and_nothing_else_is() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let device = DeviceId([2; 32]);
		let request = CertificateRequest {
			subject: subject(ORGANISATION, device),
			holder: Holder::Organisation(ORGANISATION),
			level: Level::Dv,
			key: key.public(),
			display_name: None,
			not_after: 9,
		};
		let draft = Draft { genesis: [1; 32], payer: [2; 32], nonce: 3, expires_at: 4, request };
		let Ok(Possession::Signature(signature)) = draft.sign(&key) else { panic!("it signs") };
		let asked = AccessRequest { draft, device, signature };
		let text = asked.to_string();
		assert_eq!(format!("{text}\n").parse(), Ok(asked));
		for wrong in
			["", "dpki-access1:", &text[1..], &text[..text.len() - 2], &format!("{text}00")]
		{
			let error = wrong.parse::<AccessRequest>().unwrap_err();
			assert!(error.to_string().contains("dpki access request"), "{error}");
		}
	}
}
