//! What may stand on the command line for an id, a name, a time span, a reason.

pub mod certificates;

use crate::error::{Error, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dpki_client::{
	account,
	names::{NAME_RULE, NameKind},
};
use dpki_primitives::{
	Moment,
	ids::{AnchorId, DeviceId, OrganisationId, is_valid_name},
	organisation::DeliveryPolicy,
	revocation::RevocationReason,
};
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

mod economy;
mod fleet;
mod hosts;
mod nodes;
mod words;

pub use economy::{OnOff, Quota, operation_parser, resource_parser};
pub use fleet::{FleetRef, Members};
pub use hosts::{DeviceHosts, LoginFile};
pub use nodes::NodeAddress;
pub use words::{AnchorKindArg, BodyArg, MemberRole, OrgKind, Purpose};

/// The name of an organisation or a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
	/// As text.
	pub fn as_str(&self) -> &str {
		&self.0
	}

	/// The id of the organisation with this name.
	pub fn organisation(&self) -> OrganisationId {
		OrganisationId::from_name(self.0.as_bytes())
	}
}

impl FromStr for Name {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		if is_valid_name(text.as_bytes()) {
			return Ok(Self(text.to_owned()));
		}
		Err(format!("a name has {NAME_RULE}"))
	}
}

impl fmt::Display for Name {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

/// A device: `ORG/NAME`, or its id.
#[derive(Clone, Debug)]
pub struct DeviceRef {
	/// Its id.
	pub id: DeviceId,
	/// As it was asked for.
	pub text: String,
}

impl DeviceRef {
	/// The device of this name in this organisation.
	pub fn new(organisation: &Name, device: &Name) -> Self {
		Self {
			id: DeviceId::from_name(organisation.organisation(), device.as_str().as_bytes()),
			text: format!("{organisation}/{device}"),
		}
	}
}

impl From<DeviceId> for DeviceRef {
	fn from(id: DeviceId) -> Self {
		Self { id, text: id.to_string() }
	}
}

impl FromStr for DeviceRef {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.split_once('/') {
			Some((organisation, device)) => Ok(Self::new(&organisation.parse()?, &device.parse()?)),
			None => match text.parse() {
				Ok(id) => Ok(Self { id, text: text.to_owned() }),
				Err(_) => {
					Err("a device is ORGANISATION/NAME, or its id: 0x and 64 digits".to_owned())
				},
			},
		}
	}
}

/// An anchor: its id, or a file with its public half (or, for SSH CAs, the private key file).
#[derive(Clone, Debug)]
pub enum AnchorRef {
	/// The id.
	Id(AnchorId),
	/// A file that holds its material.
	File(PathBuf),
}

impl FromStr for AnchorRef {
	type Err = std::convert::Infallible;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		Ok(text.parse().map_or_else(|_| Self::File(text.into()), Self::Id))
	}
}

impl fmt::Display for AnchorRef {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Id(id) => id.fmt(f),
			Self::File(path) => path.display().fmt(f),
		}
	}
}

/// An account by its public side: SS58 address, 0x and 64 digits, or a development account such as `//Bob`.
#[derive(Clone, Debug)]
pub struct Member(pub dpki_client::AccountId);

impl FromStr for Member {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let found = if text.starts_with("//") {
			dpki_client::Account::from_uri(text).map(|account| account.id())
		} else {
			account::parse_address(text)
		};
		found.map(Self).map_err(|error| error.to_string())
	}
}

/// `LOGIN=principal[,principal...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPrincipals {
	/// The account on the device.
	pub login: String,
	/// Whose certificates may log in to it.
	pub principals: Vec<String>,
}

impl FromStr for LoginPrincipals {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed = || "write LOGIN=principal[,principal...]".to_owned();
		let (login, principals) = text.split_once('=').ok_or_else(malformed)?;
		Ok(Self {
			login: name(NameKind::Login, login)?,
			principals: list(NameKind::Principal, principals)?,
		})
	}
}

/// `NAME=FILE`: a file for what has this name on a device.
#[derive(Clone, Debug)]
pub struct NamedFile {
	/// The name, not yet held against the rule for its kind.
	pub name: String,
	/// The file.
	pub path: PathBuf,
}

impl FromStr for NamedFile {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		// File names may hold a `=` too.
		match text.split_once('=') {
			Some((name, path)) if !name.is_empty() && !path.is_empty() => {
				Ok(Self { name: name.into(), path: path.into() })
			},
			_ => Err("write NAME=FILE".into()),
		}
	}
}

impl NamedFile {
	/// The name, if it can be one of this kind.
	pub fn name(&self, kind: NameKind) -> Result<String, Error> {
		kind.check(&self.name).map_err(|error| Error::NotAllowed {
			why: error.to_string(),
			next: "give another name".into(),
		})?;
		Ok(self.name.clone())
	}
}

/// `ANCHOR=pattern[,pattern...]`: a host CA and the hosts that it speaks for.
#[derive(Clone, Debug)]
pub struct HostCaPatterns {
	/// The host CA.
	pub anchor: AnchorRef,
	/// Host name patterns as in `known_hosts`.
	pub hosts: Vec<String>,
}

impl FromStr for HostCaPatterns {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed =
			|| "write ANCHOR=pattern[,pattern...], such as host-ca.pub=*.acme.example".to_owned();
		// File names may hold a `=`, host patterns cannot.
		let (anchor, hosts) = text.rsplit_once('=').ok_or_else(malformed)?;
		let Ok(anchor) = anchor.parse();
		Ok(Self { anchor, hosts: list(NameKind::HostPattern, hosts)? })
	}
}

fn list(kind: NameKind, text: &str) -> Result<Vec<String>, String> {
	text.split(',').map(|item| name(kind, item)).collect()
}

fn name(kind: NameKind, text: &str) -> Result<String, String> {
	kind.check(text).map_err(|error| error.to_string())?;
	Ok(text.to_owned())
}

/// A principal of a certificate, by the rule that devices go by.
pub fn principal(text: &str) -> Result<String, String> {
	name(NameKind::Principal, text)
}

/// A host name of a certificate, which may have wildcards.
pub fn host_name(text: &str) -> Result<String, String> {
	name(NameKind::HostPattern, text)
}

/// A hash of 32 bytes.
pub fn hash(text: &str) -> Result<[u8; 32], String> {
	let mut hash = [0; 32];
	hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut hash)
		.map_err(|_| "a hash is 64 hexadecimal digits, optionally after 0x")?;
	Ok(hash)
}

/// Bytes in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl FromStr for HexBytes {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		hex::decode(text.strip_prefix("0x").unwrap_or(text))
			.map(Self)
			.map_err(|_| "write bytes as hexadecimal digits, optionally after 0x".to_owned())
	}
}

/// How an organisation approves its deliveries: `simple`, `multi-admin` or `watchdogs:M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy(pub DeliveryPolicy);

impl FromStr for Policy {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let watchdogs = |needed: &str| match needed.parse() {
			Ok(needed) if needed > 0 => Some(DeliveryPolicy::Watchdogs { needed }),
			_ => None,
		};
		let policy = match text.split_once(':') {
			None if text == DeliveryPolicy::Simple.name() => Some(DeliveryPolicy::Simple),
			None if text == DeliveryPolicy::MultiAdmin.name() => Some(DeliveryPolicy::MultiAdmin),
			Some(("watchdogs", needed)) => watchdogs(needed),
			_ => None,
		};
		policy.map(Self).ok_or_else(|| {
			"a policy is simple, multi-admin or watchdogs:M, where M of them approve".to_owned()
		})
	}
}

impl fmt::Display for Policy {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self.0 {
			DeliveryPolicy::Watchdogs { needed } => write!(f, "{}:{needed}", self.0.name()),
			_ => f.write_str(self.0.name()),
		}
	}
}

/// The genesis hash that names a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenesisHash(pub [u8; 32]);

impl FromStr for GenesisHash {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		hash(text).map(Self)
	}
}

/// An amount of tokens in the smallest unit; digits may be grouped by `_`.
pub fn amount(text: &str) -> Result<u128, String> {
	let is_grouped = text.starts_with(|c: char| c.is_ascii_digit())
		&& text.chars().all(|c| c.is_ascii_digit() || c == '_');
	is_grouped
		.then(|| text.replace('_', "").parse().ok())
		.flatten()
		.ok_or_else(|| "write a whole number in the smallest unit, such as 1_000_000".to_owned())
}

/// A time span such as `5m`, `24h` or `30d`; never zero.
pub fn duration(text: &str) -> Result<Duration, String> {
	match humantime::parse_duration(text) {
		Ok(duration) if duration.as_secs() > 0 => Ok(duration),
		Ok(_) => Err("at least one second".to_owned()),
		Err(_) => Err("write a time span such as 5m, 24h or 30d".to_owned()),
	}
}

/// `now` and a time span after it.
pub fn after(now: Moment, span: Duration) -> Result<Moment> {
	u64::try_from(span.as_millis())
		.ok()
		.and_then(|span| now.checked_add(span))
		.ok_or_else(|| {
			Error::Usage("the time span ends after the end of time: give a shorter one".to_owned())
		})
}

/// Parses a reason by its RFC 5280 name, in any case.
pub fn reason_parser() -> impl TypedValueParser<Value = RevocationReason> {
	PossibleValuesParser::new(RevocationReason::ALL.map(RevocationReason::rfc5280_name)).try_map(
		|name| {
			RevocationReason::ALL
				.into_iter()
				.find(|reason| reason.rfc5280_name().eq_ignore_ascii_case(&name))
				.ok_or("unknown reason")
		},
	)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_device_is_named_by_organisation_and_name_or_by_id() {
		let named: DeviceRef = "acme/drone-7".parse().unwrap();
		let by_id: DeviceRef = named.id.to_string().parse().unwrap();
		assert_eq!(named.id, by_id.id);
		for wrong in ["acme", "acme/", "/drone", "Acme/drone", "a/b/c", "0x12"] {
			assert!(wrong.parse::<DeviceRef>().is_err(), "{wrong}");
		}
	}

	#[test]
	fn anything_that_is_no_id_is_a_file() {
		let id = "0x".to_owned() + &"ab".repeat(32);
		assert!(matches!(id.parse(), Ok(AnchorRef::Id(_))));
		assert!(matches!("ca.pub".parse(), Ok(AnchorRef::File(_))));
	}

	#[test]
	fn principals_and_patterns_are_split_where_a_person_means_it() {
		let parsed: LoginPrincipals = "pilot=alice,bob".parse().unwrap();
		assert_eq!(parsed.login, "pilot");
		assert_eq!(parsed.principals, ["alice", "bob"]);
		for wrong in ["pilot", "=alice", "pilot=", "pilot=a,,b"] {
			assert!(wrong.parse::<LoginPrincipals>().is_err(), "{wrong}");
		}
		let parsed: HostCaPatterns = "a=b.pub=*.acme,drone".parse().unwrap();
		assert_eq!(parsed.anchor.to_string(), "a=b.pub");
		assert_eq!(parsed.hosts, ["*.acme", "drone"]);
	}

	#[test]
	fn members_are_addresses_or_development_accounts() {
		let alice: Member = "//Alice".parse().unwrap();
		let again: Member = account::address(&alice.0).parse().unwrap();
		assert_eq!(alice.0, again.0);
		assert!("nobody".parse::<Member>().is_err());
	}

	#[test]
	fn spans_of_time_are_positive_and_bounded() {
		assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
		assert!(duration("0s").is_err() && duration("soon").is_err());
		assert!(after(u64::MAX, Duration::from_secs(1)).is_err());
	}

	#[test]
	fn names_that_a_device_would_refuse_are_refused_here() {
		for wrong in ["%u=alice", "-o=alice", "../x=alice", "pilot=admin;x", "pilot=a b"] {
			let error = wrong.parse::<LoginPrincipals>().unwrap_err();
			assert!(error.contains("cannot be a"), "{wrong}: {error}");
		}
		let good: LoginPrincipals = "pilot=https://id/x".parse().unwrap();
		assert_eq!(good.principals, ["https://id/x"]);
		for wrong in ["ca.pub=", "ca.pub=!a", "ca.pub=a b", "ca.pub=a,,b", "ca.pub=@revoked"] {
			assert!(wrong.parse::<HostCaPatterns>().is_err(), "{wrong}");
		}
		assert!(principal("alice").is_ok() && host_name("*.acme.example").is_ok());
		assert!(principal("").is_err() && principal("*").is_err() && host_name("a b").is_err());
	}

	#[test]
	fn a_genesis_hash_is_32_bytes_of_text() {
		let digits = "ab".repeat(32);
		assert_eq!(digits.parse::<GenesisHash>(), Ok(GenesisHash([0xab; 32])));
		assert_eq!(format!("0x{digits}").parse::<GenesisHash>(), Ok(GenesisHash([0xab; 32])));
		for wrong in ["", "0x", "0xab", &"g".repeat(64), &"ab".repeat(33)] {
			assert!(wrong.parse::<GenesisHash>().is_err(), "{wrong}");
		}
	}

	#[test]
	fn an_amount_is_a_whole_number() {
		assert_eq!(amount("0"), Ok(0));
		assert_eq!(amount("1_000_000"), Ok(1_000_000));
		assert_eq!(amount(&u128::MAX.to_string()), Ok(u128::MAX));
		for wrong in ["", "_1", "-1", "+1", "1.5", "1 000", "0x10", &"9".repeat(40)] {
			assert!(amount(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_policy_is_printed_as_it_is_typed() {
		for text in ["simple", "multi-admin", "watchdogs:2"] {
			assert_eq!(text.parse::<Policy>().unwrap().to_string(), text);
		}
		for wrong in ["", "Simple", "watchdogs", "watchdogs:", "watchdogs:0", "simple:1"] {
			assert!(wrong.parse::<Policy>().is_err(), "{wrong}");
		}
	}

	#[test]
	fn bytes_are_hexadecimal_digits() {
		assert_eq!("0x0aFF".parse(), Ok(HexBytes(vec![0x0a, 0xff])));
		assert!("0x0".parse::<HexBytes>().is_err() && "xyz".parse::<HexBytes>().is_err());
	}
}
