//! Words that stand for kinds, roles, bodies and purposes: those that are typed are those that are printed.

use clap::ValueEnum;
use dpki_primitives::{
	anchor::AnchorKind,
	key::KeyPurpose,
	motion::Body,
	organisation::{OrganisationKind, Role},
};

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
	/// Votes on the policy `watchdogs` and on who is one; is to approve deliveries, which nothing asks for yet
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

/// A body of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BodyArg {
	/// The members with the role administrator
	Administrators,
	/// The members with the role watchdog
	Watchdogs,
}

impl From<BodyArg> for Body {
	fn from(body: BodyArg) -> Self {
		match body {
			BodyArg::Administrators => Self::Administrators,
			BodyArg::Watchdogs => Self::Watchdogs,
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

/// What a key registered by hand is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Purpose {
	/// Signs what the device says to the chain
	Sign,
	/// Receives deliveries
	KeyAgreement,
	/// Authenticates TLS
	Tls,
	/// Is the SSH host key
	Ssh,
}

impl From<Purpose> for KeyPurpose {
	fn from(purpose: Purpose) -> Self {
		match purpose {
			Purpose::Sign => Self::Sign,
			Purpose::KeyAgreement => Self::KeyAgreement,
			Purpose::Tls => Self::Tls,
			Purpose::Ssh => Self::Ssh,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// That what can be typed is what is printed, in the same order and nothing left out.
	fn assert_words<V: ValueEnum>(printed: &[&str]) {
		let typed: Vec<_> =
			V::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
		let typed: Vec<_> = typed.iter().map(|value| value.get_name()).collect();
		assert_eq!(typed, printed);
	}

	#[test]
	fn words_that_are_printed_can_be_typed() {
		// An intermediate is not registered by its kind alone.
		let [by_kind @ .., AnchorKind::X509Intermediate] = AnchorKind::ALL else {
			panic!("the intermediate is the last")
		};
		assert_words::<AnchorKindArg>(&by_kind.map(AnchorKind::name));
		assert_words::<OrgKind>(&OrganisationKind::ALL.map(OrganisationKind::name));
		assert_words::<MemberRole>(&Role::ALL.map(Role::name));
		assert_words::<Purpose>(&KeyPurpose::ALL.map(KeyPurpose::name));
		assert_words::<BodyArg>(&Body::ALL.map(Body::name));
		for body in BodyArg::value_variants() {
			let word = body.to_possible_value().unwrap();
			assert_eq!(Body::from(*body).name(), word.get_name());
		}
		for kind in AnchorKindArg::value_variants() {
			let word = kind.to_possible_value().unwrap();
			assert_eq!(AnchorKind::from(*kind).name(), word.get_name());
		}
		for kind in OrgKind::value_variants() {
			let word = kind.to_possible_value().unwrap();
			assert_eq!(OrganisationKind::from(*kind).name(), word.get_name());
		}
		for role in MemberRole::value_variants() {
			let word = role.to_possible_value().unwrap();
			assert_eq!(Role::from(*role).name(), word.get_name());
		}
		for purpose in Purpose::value_variants() {
			let word = purpose.to_possible_value().unwrap();
			assert_eq!(KeyPurpose::from(*purpose).name(), word.get_name());
		}
	}
}
