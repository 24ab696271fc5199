//! What certificates are about, in words.
//!
//! | text | subject |
//! |---|---|
//! | `dns:drone.example` | a DNS name in lower case |
//! | `ip:9.9.9.9`, `ip:2606:4700::1111` | a public address |
//! | `uuid:019a2f5c-...` | a UUID of version 8 |
//! | `pseudonym:ID` | whoever holds the key with this id |
//! | `person:HASH` | a person, as [`person`] hashes one |
//! | `org:NAME` | an organisation, by its name or its id |
//! | `service:NAME/SERVICE` | a service of an organisation |
//! | `device:NAME/DEVICE` | a device, by its name or its id |
//!
//! Ids and hashes are 64 hexadecimal digits, optionally after `0x`. A name cannot be taken for one: it is shorter.

use crate::names::NAME_RULE;
use dpki_primitives::{
	ids::{DeviceId, Name, OrganisationId, is_valid_name, name_to_string},
	subject::{Subject, uuid_text},
};
use std::net::IpAddr;

/// The text names no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
	"{text:?} names no subject ({reason}): write dns:drone.example, ip:9.9.9.9, org:acme, service:acme/api, \
	device:acme/drone-7, uuid:..., person:0x... or pseudonym:0x..."
)]
pub struct InvalidSubject {
	/// What was given.
	pub text: String,
	/// What is wrong with it.
	pub reason: String,
}

/// The subject that a text names.
pub fn parse(text: &str) -> Result<Subject, InvalidSubject> {
	let refuse = |reason: String| InvalidSubject { text: text.to_owned(), reason };
	let (kind, value) = text
		.split_once(':')
		.ok_or_else(|| refuse("there is no kind and colon in front".into()))?;
	let subject = read(kind, value).map_err(&refuse)?;
	if !subject.is_well_formed() {
		return Err(refuse(match subject {
			Subject::Dns(_) => {
				"a host name in lower case has two labels at least and no wildcard".into()
			},
			Subject::Ipv4(_) | Subject::Ipv6(_) => "the address is not a public one".into(),
			_ => "it has not the form of its kind".into(),
		}));
	}
	Ok(subject)
}

fn read(kind: &str, value: &str) -> Result<Subject, String> {
	let bytes = |text: &str| -> Result<[u8; 32], String> {
		let mut bytes = [0; 32];
		hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
			.map_err(|_| "64 hexadecimal digits are expected".to_owned())?;
		Ok(bytes)
	};
	Ok(match kind {
		"dns" => Subject::Dns(
			value
				.as_bytes()
				.to_vec()
				.try_into()
				.map_err(|_| "the name is too long".to_owned())?,
		),
		"ip" => match value.parse().map_err(|_| "this is no address".to_owned())? {
			IpAddr::V4(address) => Subject::Ipv4(address.octets()),
			IpAddr::V6(address) => Subject::Ipv6(address.octets()),
		},
		"uuid" => {
			let mut uuid = [0; 16];
			hex::decode_to_slice(value.replace('-', ""), &mut uuid)
				.map_err(|_| "a UUID has 32 hexadecimal digits".to_owned())?;
			Subject::Uuid(uuid)
		},
		"pseudonym" => Subject::Pseudonym(bytes(value)?.into()),
		"person" => Subject::Person(bytes(value)?),
		"org" => Subject::Organisation(organisation(value)?),
		"service" => {
			let (owner, service) = value.split_once('/').ok_or("write service:NAME/SERVICE")?;
			Subject::Service { organisation: organisation(owner)?, name: name(service)? }
		},
		"device" => match value.split_once('/') {
			Some((owner, device)) => {
				Subject::Device(DeviceId::from_name(organisation(owner)?, &name(device)?))
			},
			None => Subject::Device(bytes(value)?.into()),
		},
		_ => return Err(format!("there is no kind {kind:?}")),
	})
}

fn organisation(text: &str) -> Result<OrganisationId, String> {
	match text.parse() {
		Ok(id) => Ok(id),
		Err(_) => name(text).map(|name| OrganisationId::from_name(&name)),
	}
}

fn name(text: &str) -> Result<Name, String> {
	let name = Name::try_from(text.as_bytes().to_vec()).ok();
	name.filter(|name| is_valid_name(name))
		.ok_or_else(|| format!("a name has {NAME_RULE}"))
}

/// The text that [`parse`] reads. Organisations and devices are named by their ids, of which the chain knows the names.
pub fn to_text(subject: &Subject) -> String {
	match subject {
		Subject::Dns(name) => format!("dns:{}", String::from_utf8_lossy(name)),
		Subject::Ipv4(address) => format!("ip:{}", IpAddr::from(*address)),
		Subject::Ipv6(address) => format!("ip:{}", IpAddr::from(*address)),
		Subject::Uuid(uuid) => format!("uuid:{}", uuid_text(uuid)),
		Subject::Pseudonym(key) => format!("pseudonym:{key}"),
		Subject::Person(hash) => format!("person:0x{}", hex::encode(hash)),
		Subject::Organisation(id) => format!("org:{id}"),
		Subject::Service { organisation, name } => {
			format!("service:{organisation}/{}", name_to_string(name))
		},
		Subject::Device(id) => format!("device:{id}"),
	}
}

/// The hash by which the chain knows a person: of a random salt and of what identifies them, each with its length before
/// it. Without the salt nobody can find out by trying whom a certificate is about; those who are to know the person get
/// both.
pub fn person(salt: &[u8; 32], identity: &str) -> [u8; 32] {
	use codec::Encode;
	sp_crypto_hashing::blake2_256(&(b"dpki/person/1".as_slice(), salt, identity).encode())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_written_is_read_again() {
		let id = "0x".to_owned() + &"ab".repeat(32);
		for text in [
			"dns:drone.example",
			"ip:9.9.9.9",
			"ip:2606:4700::1111",
			"uuid:abababab-abab-8bab-abab-abababababab",
			&format!("pseudonym:{id}"),
			&format!("person:{id}"),
			&format!("org:{id}"),
			&format!("service:{id}/api"),
			&format!("device:{id}"),
		] {
			let subject = parse(text).unwrap_or_else(|error| panic!("{error}"));
			assert_eq!(to_text(&subject), text);
		}
	}

	#[test]
	fn names_stand_for_their_ids() {
		let acme = OrganisationId::from_name(b"acme");
		assert_eq!(parse("org:acme"), Ok(Subject::Organisation(acme)));
		let device = DeviceId::from_name(acme, b"drone-7");
		assert_eq!(parse("device:acme/drone-7"), Ok(Subject::Device(device)));
		assert_eq!(parse("service:acme/api"), parse(&format!("service:{acme}/api")));
	}

	#[test]
	fn what_is_no_subject_is_refused_with_a_reason() {
		for (wrong, reason) in [
			("drone.example", "no kind"),
			("dns:Drone.example", "lower case"),
			("dns:*.example", "no wildcard"),
			("ip:10.0.0.1", "not a public one"),
			("ip:drone", "no address"),
			("uuid:12", "32 hexadecimal digits"),
			("uuid:abababab-abab-4bab-abab-abababababab", "form of its kind"),
			("person:alice", "64 hexadecimal digits"),
			("org:Acme", "a name has"),
			("service:acme", "service:NAME/SERVICE"),
			("device:drone", "64 hexadecimal digits"),
			("mail:a@b", "no kind"),
		] {
			let error = parse(wrong).unwrap_err().to_string();
			assert!(error.contains(reason), "{wrong}: {error}");
		}
	}

	#[test]
	fn a_person_is_hidden_by_the_salt() {
		assert_ne!(person(&[1; 32], "Alice"), person(&[2; 32], "Alice"));
		assert_ne!(person(&[1; 32], "Alice"), person(&[1; 32], "Alic"));
	}
}
