//! What may stand on the command line for an id, a name, a time span, a reason.

use crate::error::{Error, Result};
use clap::{
	ValueEnum,
	builder::{PossibleValuesParser, TypedValueParser},
};
use dpki_client::account;
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	ids::{AnchorId, DeviceId, OrganisationId, is_valid_name},
	key::KeyPurpose,
	organisation::{OrganisationKind, Role},
	revocation::RevocationReason,
};
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

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
		Err("a name has 1 to 63 characters of a-z, 0-9, - and ., and a letter or digit at both ends"
			.to_owned())
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
		let principals = list(principals).ok_or_else(malformed)?;
		if login.is_empty() {
			return Err(malformed());
		}
		Ok(Self { login: login.to_owned(), principals })
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
		let hosts = list(hosts).ok_or_else(malformed)?;
		let Ok(anchor) = anchor.parse();
		Ok(Self { anchor, hosts })
	}
}

fn list(text: &str) -> Option<Vec<String>> {
	let items: Vec<_> = text.split(',').map(str::to_owned).collect();
	items.iter().all(|item| !item.trim().is_empty()).then_some(items)
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
		.ok_or_else(|| Error::Usage("the time span ends after the end of time".to_owned()))
}

/// The kind of an organisation.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OrgKind {
	/// Makes devices
	Manufacturer,
	/// Tests devices against standards
	TestLab,
	/// Publishes standards
	StandardsBody,
	/// Supervises by law
	Regulator,
	/// Runs a network that devices join
	EcosystemOperator,
	/// Runs devices or services for others
	ServiceProvider,
}

impl From<OrgKind> for OrganisationKind {
	fn from(kind: OrgKind) -> Self {
		match kind {
			OrgKind::Manufacturer => Self::Manufacturer,
			OrgKind::TestLab => Self::TestLab,
			OrgKind::StandardsBody => Self::StandardsBody,
			OrgKind::Regulator => Self::Regulator,
			OrgKind::EcosystemOperator => Self::EcosystemOperator,
			OrgKind::ServiceProvider => Self::ServiceProvider,
		}
	}
}

/// What a member may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MemberRole {
	/// Changes the members and their roles
	Administrator,
	/// Adds, retires and revokes trust anchors and what was signed under them
	AnchorManager,
	/// Issues vouchers, registers and revokes devices and their keys
	Registrar,
	/// Publishes deliveries
	Publisher,
	/// Approves deliveries under an m-of-n policy
	Watchdog,
}

impl From<MemberRole> for Role {
	fn from(role: MemberRole) -> Self {
		match role {
			MemberRole::Administrator => Self::Administrator,
			MemberRole::AnchorManager => Self::AnchorManager,
			MemberRole::Registrar => Self::Registrar,
			MemberRole::Publisher => Self::Publisher,
			MemberRole::Watchdog => Self::Watchdog,
		}
	}
}

/// The kind of an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnchorKindArg {
	/// Signs SSH user certificates
	SshUserCa,
	/// Signs SSH host certificates
	SshHostCa,
	/// A self-signed X.509 certification authority
	#[value(name = "x509-root")]
	X509Root,
}

impl From<AnchorKindArg> for AnchorKind {
	fn from(kind: AnchorKindArg) -> Self {
		match kind {
			AnchorKindArg::SshUserCa => Self::SshUserCa,
			AnchorKindArg::SshHostCa => Self::SshHostCa,
			AnchorKindArg::X509Root => Self::X509Root,
		}
	}
}

/// What a key registered by hand is for. Agreement keys are not among them: the device vouches for those itself.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Purpose {
	/// Signs what the device says to the chain
	Sign,
	/// Authenticates TLS
	Tls,
	/// Is the SSH host key
	Ssh,
}

impl From<Purpose> for KeyPurpose {
	fn from(purpose: Purpose) -> Self {
		match purpose {
			Purpose::Sign => Self::Sign,
			Purpose::Tls => Self::Tls,
			Purpose::Ssh => Self::Ssh,
		}
	}
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

/// The word for a kind of anchor, as `--kind` takes it.
pub fn anchor_kind_name(kind: AnchorKind) -> &'static str {
	match kind {
		AnchorKind::SshUserCa => "ssh-user-ca",
		AnchorKind::SshHostCa => "ssh-host-ca",
		AnchorKind::X509Root => "x509-root",
	}
}

/// The word for a kind of organisation, as `--kind` takes it.
pub fn organisation_kind_name(kind: OrganisationKind) -> &'static str {
	match kind {
		OrganisationKind::Manufacturer => "manufacturer",
		OrganisationKind::TestLab => "test-lab",
		OrganisationKind::StandardsBody => "standards-body",
		OrganisationKind::Regulator => "regulator",
		OrganisationKind::EcosystemOperator => "ecosystem-operator",
		OrganisationKind::ServiceProvider => "service-provider",
	}
}

/// The word for a role, as `--roles` takes it.
pub fn role_name(role: Role) -> &'static str {
	match role {
		Role::Administrator => "administrator",
		Role::AnchorManager => "anchor-manager",
		Role::Registrar => "registrar",
		Role::Publisher => "publisher",
		Role::Watchdog => "watchdog",
	}
}

/// The word for a purpose of a key.
pub fn purpose_name(purpose: KeyPurpose) -> &'static str {
	match purpose {
		KeyPurpose::Sign => "sign",
		KeyPurpose::KeyAgreement => "key-agreement",
		KeyPurpose::Tls => "tls",
		KeyPurpose::Ssh => "ssh",
	}
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
	fn words_that_are_printed_can_be_typed() {
		for kind in AnchorKindArg::value_variants() {
			let name = kind.to_possible_value().unwrap().get_name().to_owned();
			assert_eq!(anchor_kind_name((*kind).into()), name);
		}
		for kind in OrgKind::value_variants() {
			let name = kind.to_possible_value().unwrap().get_name().to_owned();
			assert_eq!(organisation_kind_name((*kind).into()), name);
		}
		for role in MemberRole::value_variants() {
			let name = role.to_possible_value().unwrap().get_name().to_owned();
			assert_eq!(role_name((*role).into()), name);
		}
	}
}
