//! Subjects: what a certificate is about.
//!
//! | subject | what proves it, at the level DV | levels |
//! |---|---|---|
//! | DNS name, IP address | observers saw that the applicant controls it | DV, OV, EV |
//! | pseudonym | it is the hash of the key itself | DV |
//! | UUID | it is made from the key (version 8 of RFC 9562) | DV, OV, EV |
//! | person | nothing: only endorsements say more than that somebody has the key | OV, EV |
//! | organisation | an administrator of it applies | DV, OV, EV |
//! | service, device | a registrar of its organisation applies | DV, OV, EV |
//!
//! Nothing about a natural person is stored in the clear: a person is a hash over a salt that only those learn who are
//! to know the person.

use crate::{
	assurance::Level,
	ids::{DeviceId, KeyId, Name, OrganisationId, SubjectId},
};
use alloc::{
	format,
	string::{String, ToString},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::net::{Ipv4Addr, Ipv6Addr};
use scale_info::TypeInfo;

/// Longest DNS name in characters, without the dot of the root (RFC 1035 section 2.3.4).
pub const MAX_DNS_NAME_LEN: u32 = 253;

/// Longest label of a DNS name in characters (RFC 1035 section 2.3.4).
const MAX_DNS_LABEL_LEN: usize = 63;

/// Longest common name of X.509 in characters: `ub-common-name` of RFC 5280 appendix A.1.
pub const MAX_COMMON_NAME_LEN: usize = 64;

/// A DNS name in the one form that [`Subject::is_well_formed`] accepts.
pub type DnsName = BoundedVec<u8, ConstU32<MAX_DNS_NAME_LEN>>;

/// What a certificate is about.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Subject {
	/// A host name: lower case, two labels at least, no wildcard, no dot at the end; other scripts as A-labels
	/// (RFC 5890).
	#[codec(index = 0)]
	Dns(DnsName),
	/// A public IPv4 address.
	#[codec(index = 1)]
	Ipv4([u8; 4]),
	/// A global unicast IPv6 address.
	#[codec(index = 2)]
	Ipv6([u8; 16]),
	/// A UUID, in the order of its text.
	#[codec(index = 3)]
	Uuid([u8; 16]),
	/// Whoever holds this key, and no more is said.
	#[codec(index = 4)]
	Pseudonym(KeyId),
	/// A natural person: a hash of what identifies them and of a random salt of 32 bytes.
	#[codec(index = 5)]
	Person([u8; 32]),
	/// An organisation of this chain.
	#[codec(index = 6)]
	Organisation(OrganisationId),
	/// A service of an organisation.
	#[codec(index = 7)]
	Service {
		/// Whose service.
		organisation: OrganisationId,
		/// Its name within the organisation, see [`crate::ids::is_valid_name`].
		name: Name,
	},
	/// A device of this chain.
	#[codec(index = 8)]
	Device(DeviceId),
}

impl Subject {
	/// The id of the subject.
	pub fn id(&self) -> SubjectId {
		SubjectId::of(self)
	}

	/// Whether the subject has the one form of its kind and names something that there can only be one of.
	pub fn is_well_formed(&self) -> bool {
		match self {
			Subject::Dns(name) => is_host_name(name),
			Subject::Ipv4(address) => is_public_ipv4(*address),
			Subject::Ipv6(address) => is_global_ipv6(address),
			Subject::Uuid(uuid) => uuid[6] >> 4 == 8 && uuid[8] >> 6 == 0b10,
			Subject::Service { name, .. } => crate::ids::is_valid_name(name),
			Subject::Pseudonym(_)
			| Subject::Person(_)
			| Subject::Organisation(_)
			| Subject::Device(_) => true,
		}
	}

	/// Whether a certificate of this level can be about the subject. A pseudonym has nothing that an endorser could
	/// attest; a person has nothing that a machine could check.
	pub const fn allows(&self, level: Level) -> bool {
		match self {
			Subject::Pseudonym(_) => matches!(level, Level::Dv),
			Subject::Person(_) => !matches!(level, Level::Dv),
			_ => true,
		}
	}

	/// Whether observers have to see that the applicant controls the subject.
	pub const fn needs_control_proof(&self) -> bool {
		matches!(self, Subject::Dns(_) | Subject::Ipv4(_) | Subject::Ipv6(_))
	}

	/// What stands for the subject as the common name of a certification request, which has room for
	/// [`MAX_COMMON_NAME_LEN`] characters: the DNS name or the address itself, the URN of a UUID (RFC 9562 section 4).
	/// Names that are longer, and subjects of every other kind, are named by the hexadecimal digits of their
	/// [`id`](Self::id), in lower case and without `0x`.
	pub fn common_name(&self) -> String {
		let text = match self {
			Subject::Dns(name) => String::from_utf8_lossy(name).into_owned(),
			Subject::Ipv4(address) => Ipv4Addr::from(*address).to_string(),
			Subject::Ipv6(address) => Ipv6Addr::from(*address).to_string(),
			Subject::Uuid(uuid) => format!("urn:uuid:{}", uuid_text(uuid)),
			_ => String::new(),
		};
		if text.is_empty() || text.len() > MAX_COMMON_NAME_LEN {
			return self.id().0.iter().map(|byte| format!("{byte:02x}")).collect();
		}
		text
	}

	/// Whether certificates about the subject may show a display name.
	pub const fn may_have_display_name(&self) -> bool {
		matches!(self, Subject::Organisation(_))
	}
}

/// The UUID of version 8 (RFC 9562 section 5.8) that belongs to a key: the first 122 bits of the key's id around the
/// version and the variant.
pub fn uuid_of_key(key: KeyId) -> [u8; 16] {
	let mut uuid = [0; 16];
	uuid.copy_from_slice(&key.0[..16]);
	uuid[6] = (uuid[6] & 0x0f) | 0x80;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	uuid
}

/// A UUID as people write it (RFC 9562 section 4).
pub fn uuid_text(uuid: &[u8; 16]) -> String {
	let mut text = String::with_capacity(36);
	for (index, byte) in uuid.iter().enumerate() {
		if matches!(index, 4 | 6 | 8 | 10) {
			text.push('-');
		}
		text.push_str(&format!("{byte:02x}"));
	}
	text
}

/// The letter-digit-hyphen rule of RFC 1123 section 2.1 in lower case. The last label is not all digits, so that no
/// IPv4 address passes as a name.
fn is_host_name(name: &[u8]) -> bool {
	let is_label = |label: &[u8]| {
		label.len() <= MAX_DNS_LABEL_LEN
			&& label.first().is_some_and(|c| *c != b'-')
			&& label.last().is_some_and(|c| *c != b'-')
			&& label.iter().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'))
	};
	let mut labels = name.split(|c| *c == b'.');
	let last_is_name = name
		.rsplit(|c| *c == b'.')
		.next()
		.is_some_and(|label| label.iter().any(|c| !c.is_ascii_digit()));
	labels.all(is_label) && last_is_name && name.contains(&b'.')
}

/// Addresses that are reserved or used in many networks at once do not name one thing: the registry of special-purpose
/// IPv4 addresses (RFC 6890), multicast and the former class E.
fn is_public_ipv4(octets: [u8; 4]) -> bool {
	let address = Ipv4Addr::from(octets);
	let is_shared = octets[0] == 100 && octets[1] & 0b1100_0000 == 0b0100_0000;
	let is_benchmarking = octets[0] == 198 && octets[1] & 0b1111_1110 == 18;
	let is_protocol_assignment = octets[..3] == [192, 0, 0];
	!(octets[0] == 0
		|| octets[0] >= 224
		|| address.is_private()
		|| address.is_loopback()
		|| address.is_link_local()
		|| address.is_documentation()
		|| is_shared
		|| is_benchmarking
		|| is_protocol_assignment)
}

/// The block that global unicast addresses are given out of (RFC 4291 section 2.4), without the prefixes for
/// documentation (RFC 3849, RFC 9637) and for protocols (RFC 2928).
fn is_global_ipv6(octets: &[u8; 16]) -> bool {
	let is_unicast = octets[0] >> 5 == 0b001;
	let is_protocol = octets[..2] == [0x20, 0x01] && octets[2] < 2;
	let is_documentation =
		octets[..4] == [0x20, 0x01, 0x0d, 0xb8] || (octets[0] == 0x3f && octets[1] == 0xff);
	is_unicast && !is_protocol && !is_documentation
}

#[cfg(test)]
mod tests {
	use super::*;

	fn dns(name: &str) -> Subject {
		Subject::Dns(name.as_bytes().to_vec().try_into().unwrap())
	}

	#[test]
	fn host_names_have_one_form() {
		let longest = alloc::format!("{0}.{0}.{0}.{1}", "x".repeat(63), "y".repeat(61));
		for good in ["a.b", "example.com", "xn--bcher-kva.example", "1.2.3.x4", "a-b.c-d", &longest]
		{
			assert!(dns(good).is_well_formed(), "{good}");
		}
		let long_label = alloc::format!("{}.com", "x".repeat(64));
		for bad in [
			"",
			".",
			"com",
			"Example.com",
			"example.com.",
			".example.com",
			"a..b",
			"*.example.com",
			"-a.com",
			"a-.com",
			"a_b.com",
			"a b.com",
			"9.9.9.9",
			"a.9",
			"bücher.example",
			&long_label,
		] {
			assert!(!dns(bad).is_well_formed(), "{bad}");
		}
	}

	#[test]
	fn only_addresses_that_there_is_one_of_are_subjects() {
		for good in ["9.9.9.9", "100.63.255.255", "100.128.0.0", "172.32.0.1", "223.255.255.255"] {
			let address: Ipv4Addr = good.parse().unwrap();
			assert!(Subject::Ipv4(address.octets()).is_well_formed(), "{good}");
		}
		for bad in [
			"0.1.2.3",
			"10.0.0.1",
			"100.64.0.1",
			"127.0.0.1",
			"169.254.0.1",
			"172.16.0.1",
			"192.0.0.1",
			"192.0.2.1",
			"192.168.0.1",
			"198.18.0.1",
			"198.19.255.255",
			"198.51.100.1",
			"203.0.113.1",
			"224.0.0.1",
			"240.0.0.1",
			"255.255.255.255",
		] {
			let address: Ipv4Addr = bad.parse().unwrap();
			assert!(!Subject::Ipv4(address.octets()).is_well_formed(), "{bad}");
		}
		for good in ["2606:4700::1111", "2a00::1", "2001:200::1"] {
			let address: Ipv6Addr = good.parse().unwrap();
			assert!(Subject::Ipv6(address.octets()).is_well_formed(), "{good}");
		}
		for bad in [
			"::",
			"::1",
			"::ffff:9.9.9.9",
			"64:ff9b::1",
			"2001::1",
			"2001:db8::1",
			"3fff::1",
			"fc00::1",
			"fe80::1",
			"ff02::1",
		] {
			let address: Ipv6Addr = bad.parse().unwrap();
			assert!(!Subject::Ipv6(address.octets()).is_well_formed(), "{bad}");
		}
	}

	#[test]
	fn the_uuid_of_a_key_is_well_formed_and_others_need_version_8() {
		let uuid = uuid_of_key(KeyId([0xff; 32]));
		assert!(Subject::Uuid(uuid).is_well_formed());
		assert_ne!(uuid, uuid_of_key(KeyId([0xfe; 32])));
		let mut version_4 = uuid;
		version_4[6] = 0x4f;
		assert!(!Subject::Uuid(version_4).is_well_formed());
		let mut other_variant = uuid;
		other_variant[8] = 0xff;
		assert!(!Subject::Uuid(other_variant).is_well_formed());
	}

	#[test]
	fn every_subject_has_a_common_name_that_fits() {
		let id_of =
			|subject: &Subject| subject.id().to_string().trim_start_matches("0x").to_string();
		let long = dns(&format!("{}.com", "x".repeat(61)));
		let acme = OrganisationId::from_name(b"acme");
		let name = Name::truncate_from(b"api".to_vec());
		for (subject, text) in [
			(dns("a.example"), "a.example".into()),
			(Subject::Ipv4([9, 9, 9, 9]), "9.9.9.9".into()),
			(
				Subject::Ipv6(Ipv6Addr::from([0x2606, 0x4700, 0, 0, 0, 0, 0, 0x1111]).octets()),
				"2606:4700::1111".into(),
			),
			(Subject::Uuid([0xab; 16]), "urn:uuid:abababab-abab-abab-abab-abababababab".into()),
			(long.clone(), id_of(&long)),
			(Subject::Organisation(acme), id_of(&Subject::Organisation(acme))),
			(
				Subject::Service { organisation: acme, name: name.clone() },
				id_of(&Subject::Service { organisation: acme, name }),
			),
		] {
			assert_eq!(subject.common_name(), text, "{subject:?}");
			assert!(subject.common_name().len() <= MAX_COMMON_NAME_LEN);
		}
	}

	#[test]
	fn kinds_with_the_same_bytes_have_different_ids() {
		let ids = [
			Subject::Person([7; 32]).id(),
			Subject::Pseudonym(KeyId([7; 32])).id(),
			Subject::Organisation(OrganisationId([7; 32])).id(),
			Subject::Device(DeviceId([7; 32])).id(),
		];
		for (index, id) in ids.iter().enumerate() {
			assert!(!ids[..index].contains(id));
		}
	}

	#[test]
	fn a_pseudonym_stays_dv_and_a_person_needs_endorsers() {
		let (pseudonym, person) = (Subject::Pseudonym(KeyId([7; 32])), Subject::Person([7; 32]));
		assert_eq!(Level::ALL.map(|level| pseudonym.allows(level)), [true, false, false]);
		assert_eq!(Level::ALL.map(|level| person.allows(level)), [false, true, true]);
		assert_eq!(Level::ALL.map(|level| dns("a.b").allows(level)), [true; 3]);
	}
}
