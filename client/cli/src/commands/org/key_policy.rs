//! `dpki org key-policy`: what an organisation asks of the keys of its devices.

use crate::{
	error::Result,
	output::{self, Report},
	session::Session,
	values::{self, Name, Purpose},
};
use clap::{Args, ValueEnum, builder::PossibleValuesParser, builder::TypedValueParser};
use dpki_client::calls;
use dpki_primitives::{
	Moment,
	key::{KeyPurpose, KeyType},
	key_policy::{KeyPolicy, KeyTypeSet},
};
use serde_json::{Map, Value};
use std::{str::FromStr, time::Duration};

/// Show or change the key policy of an organisation.
#[derive(Args)]
pub struct KeyPolicyCommand {
	/// Name of the organisation
	name: Name,
	/// The types that keys may be of, all that are left out are not
	#[arg(long, value_delimiter = ',', value_parser = key_types())]
	types: Vec<KeyType>,
	/// How long keys for a purpose may last, such as tls=365d, or tls=any; may be repeated
	#[arg(long, value_name = "PURPOSE=SPAN")]
	longest: Vec<Limit>,
	/// Fewest bits of RSA keys
	#[arg(long, value_name = "BITS")]
	min_rsa_bits: Option<u16>,
	/// Whether devices may add, replace and announce keys alone
	#[arg(long, value_enum)]
	self_service: Option<Switch>,
	/// Whether accounts may request keys
	#[arg(long, value_enum)]
	requests: Option<Switch>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
	/// Yes
	On,
	/// No
	Off,
}

/// `PURPOSE=SPAN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
	purpose: KeyPurpose,
	longest: Option<Duration>,
}

impl FromStr for Limit {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed = || "write PURPOSE=SPAN, such as tls=365d or tls=any".to_owned();
		let (purpose, span) = text.split_once('=').ok_or_else(malformed)?;
		let purpose = <Purpose as ValueEnum>::from_str(purpose, false).map_err(|_| malformed())?;
		let longest = if span == "any" { None } else { Some(values::duration(span)?) };
		Ok(Self { purpose: purpose.into(), longest })
	}
}

fn key_types() -> impl TypedValueParser<Value = KeyType> {
	PossibleValuesParser::new(KeyType::ALL.map(KeyType::name)).try_map(|name| {
		let mut types = KeyType::ALL.into_iter();
		types.find(|key_type| key_type.name() == name).ok_or("unknown type")
	})
}

impl KeyPolicyCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let organisation = self.name.organisation();
		let (client, view) = session.view().await?;
		super::organisation(&view, &self.name).await?;
		let present = view.key_policy(organisation).await?;
		let wanted = self.changed(present);
		if wanted == present {
			let report = describe(&present).done(format!("Key policy of {}", self.name));
			return Ok(report.read_at(view.head()));
		}
		let account = session.account()?;
		let call = calls::set_key_policy(organisation, wanted);
		let finalized = session.submit(&client, &account, &call, "changing the key policy").await?;
		Ok(describe(&wanted)
			.done(format!("Changed the key policy of {}", self.name))
			.finalized(&finalized))
	}

	/// The policy with what was given in the place of what holds.
	fn changed(&self, mut policy: KeyPolicy) -> KeyPolicy {
		if !self.types.is_empty() {
			policy.key_types = self.types.iter().copied().collect::<KeyTypeSet>();
		}
		for Limit { purpose, longest } in &self.longest {
			let longest =
				longest.map(|span| Moment::try_from(span.as_millis()).unwrap_or(Moment::MAX));
			let limits = &mut policy.validity;
			*match purpose {
				KeyPurpose::Sign => &mut limits.sign,
				KeyPurpose::KeyAgreement => &mut limits.key_agreement,
				KeyPurpose::Tls => &mut limits.tls,
				KeyPurpose::Ssh => &mut limits.ssh,
			} = longest;
		}
		policy.min_rsa_bits = self.min_rsa_bits.unwrap_or(policy.min_rsa_bits);
		let switched =
			|switch: Option<Switch>, present| switch.map_or(present, |switch| switch == Switch::On);
		policy.self_service = switched(self.self_service, policy.self_service);
		policy.requests = switched(self.requests, policy.requests);
		policy
	}
}

fn describe(policy: &KeyPolicy) -> Report {
	let types: Vec<_> = KeyType::ALL
		.into_iter()
		.filter(|key_type| policy.key_types.contains(*key_type))
		.map(KeyType::name)
		.collect();
	let on = |switch: bool| if switch { "on" } else { "off" };
	let mut report = Report::new()
		.row_as("types", types.join(", "), types)
		.row_as("min_rsa_bits", policy.min_rsa_bits.to_string(), policy.min_rsa_bits)
		.row_as("self_service", on(policy.self_service), policy.self_service)
		.row_as("requests", on(policy.requests), policy.requests);
	let mut limits = Map::new();
	for purpose in KeyPurpose::ALL {
		let limit = policy.validity.of(purpose);
		if let Some(limit) = limit {
			let span = output::span(Duration::from_millis(limit));
			report = report.tail(format!("  keys for {} last {span} at most", purpose.name()));
		}
		limits.insert(purpose.name().to_owned(), limit.map_or(Value::Null, Value::from));
	}
	report.data("longest_milliseconds", limits)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn command() -> KeyPolicyCommand {
		KeyPolicyCommand {
			name: "acme".parse().unwrap(),
			types: vec![],
			longest: vec![],
			min_rsa_bits: None,
			self_service: None,
			requests: None,
		}
	}

	#[test]
	fn only_what_is_given_is_changed() {
		let present = KeyPolicy { requests: true, ..KeyPolicy::default() };
		assert_eq!(command().changed(present), present);
		let given = KeyPolicyCommand {
			types: vec![KeyType::Ed25519, KeyType::X25519],
			longest: vec!["tls=365d".parse().unwrap()],
			self_service: Some(Switch::On),
			..command()
		};
		let changed = given.changed(present);
		assert!(changed.requests && changed.self_service);
		assert!(changed.key_types.contains(KeyType::X25519));
		assert!(!changed.key_types.contains(KeyType::P256));
		assert_eq!(changed.validity.tls, Some(365 * 24 * 60 * 60 * 1000));
		let lifted = KeyPolicyCommand { longest: vec!["tls=any".parse().unwrap()], ..command() };
		assert_eq!(lifted.changed(changed).validity.tls, None);
	}

	#[test]
	fn a_limit_names_purpose_and_span() {
		for wrong in ["", "tls", "tls=", "tls=soon", "other=1d"] {
			assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
		}
	}
}
