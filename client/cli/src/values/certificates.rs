//! What may stand on the command line about certificates.

use clap::ValueEnum;
use dpki_client::{
	certificate::{LevelPrices, Price},
	subject,
};
use dpki_primitives::{
	Moment,
	application::{Observation, Renewal},
	assurance::{Level, WithdrawalReason},
	bond::SlashReason,
	ids::KeyId,
	key::PublicKey,
	subject::{Subject, uuid_of_key},
};
use std::{str::FromStr, time::SystemTime};

/// What a certificate is to be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectSpec {
	/// This.
	Known(Subject),
	/// The UUID that belongs to the key that is certified.
	UuidOfKey,
	/// Whoever holds the key that is certified.
	PseudonymOfKey,
}

impl FromStr for SubjectSpec {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text {
			"uuid" => Ok(Self::UuidOfKey),
			"pseudonym" => Ok(Self::PseudonymOfKey),
			text => subject::parse(text).map(Self::Known).map_err(|error| error.to_string()),
		}
	}
}

impl SubjectSpec {
	/// The subject of a certificate of this key.
	pub fn of_key(self, key: &PublicKey) -> Subject {
		match self {
			Self::Known(subject) => subject,
			Self::UuidOfKey => Subject::Uuid(uuid_of_key(KeyId::of(key))),
			Self::PseudonymOfKey => Subject::Pseudonym(KeyId::of(key)),
		}
	}
}

/// A subject that needs no key to be named.
pub fn subject(text: &str) -> Result<Subject, String> {
	subject::parse(text).map_err(|error| error.to_string())
}

/// An assurance level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
	/// What machines check
	Dv,
	/// Endorsers attest who is behind it
	Ov,
	/// More endorsers attest it, by stricter rules
	Ev,
}

impl From<LevelArg> for Level {
	fn from(level: LevelArg) -> Self {
		match level {
			LevelArg::Dv => Self::Dv,
			LevelArg::Ov => Self::Ov,
			LevelArg::Ev => Self::Ev,
		}
	}
}

/// What is to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenewalArg {
	/// By observers: whether the holder controls the name or the address
	Control,
	/// By endorsers: who is behind it
	Endorsement,
}

impl From<RenewalArg> for Renewal {
	fn from(renewal: RenewalArg) -> Self {
		match renewal {
			RenewalArg::Control => Self::Control,
			RenewalArg::Endorsement => Self::Endorsement,
		}
	}
}

/// What an observer saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObservationArg {
	/// The challenge stood where only whoever controls the subject can put it
	Controlled,
	/// Something else stood there, or nothing
	NotControlled,
	/// The subject could not be reached
	Unreachable,
}

impl From<ObservationArg> for Observation {
	fn from(observation: ObservationArg) -> Self {
		match observation {
			ObservationArg::Controlled => Self::Controlled,
			ObservationArg::NotControlled => Self::NotControlled,
			ObservationArg::Unreachable => Self::Unreachable,
		}
	}
}

/// The word for what an observer saw.
pub fn observation_name(observation: Observation) -> &'static str {
	match observation {
		Observation::Controlled => "controlled",
		Observation::NotControlled => "not-controlled",
		Observation::Unreachable => "unreachable",
	}
}

/// Why an endorsement is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WithdrawalArg {
	/// It should never have been given
	GivenInError,
	/// What was attested is not true any more
	FactsChanged,
	/// The evidence turned out to be false
	EvidenceFalse,
	/// The holder asked for it
	HolderRequest,
}

impl From<WithdrawalArg> for WithdrawalReason {
	fn from(reason: WithdrawalArg) -> Self {
		match reason {
			WithdrawalArg::GivenInError => Self::GivenInError,
			WithdrawalArg::FactsChanged => Self::FactsChanged,
			WithdrawalArg::EvidenceFalse => Self::EvidenceFalse,
			WithdrawalArg::HolderRequest => Self::HolderRequest,
		}
	}
}

/// What an endorser was proven to have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SlashArg {
	/// It attested what is not true, and knew or could have known it
	FalseStatement,
	/// It cannot show the evidence whose hash it gave, or never looked at any
	EvidenceMissing,
	/// It agreed with whom it endorsed, or with other endorsers, on what to attest
	Collusion,
	/// It let others endorse by its account
	AccountShared,
}

impl From<SlashArg> for SlashReason {
	fn from(reason: SlashArg) -> Self {
		match reason {
			SlashArg::FalseStatement => Self::FalseStatement,
			SlashArg::EvidenceMissing => Self::EvidenceMissing,
			SlashArg::Collusion => Self::Collusion,
			SlashArg::AccountShared => Self::AccountShared,
		}
	}
}

/// A point in time: `2026-11-20T09:00:00Z`, or a day, which means its first moment in UTC.
pub fn moment(text: &str) -> Result<Moment, String> {
	let malformed = || "write a time in UTC such as 2026-11-20T09:00:00Z, or a day".to_owned();
	let time = humantime::parse_rfc3339_weak(text)
		.or_else(|_| humantime::parse_rfc3339_weak(&format!("{text} 00:00:00")))
		.map_err(|_| malformed())?;
	let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| malformed())?;
	Moment::try_from(since.as_millis()).map_err(|_| malformed())
}

/// `LEVEL:NETWORK:OBSERVATION:ENDORSEMENT`: what one application of a level costs, in the smallest unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceArg {
	level: Level,
	price: Price,
}

impl FromStr for PriceArg {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed = || {
			"write LEVEL:NETWORK:OBSERVATION:ENDORSEMENT in the smallest unit, such as \
			 ov:200_000_000_000:300_000_000_000:1_000_000_000_000"
				.to_owned()
		};
		let [level, network, observation, endorsement] = text.split(':').collect::<Vec<_>>()[..]
		else {
			return Err(malformed());
		};
		let level = LevelArg::from_str(level, true).map_err(|_| malformed())?;
		let price = Price {
			network: super::amount(network)?,
			observation: super::amount(observation)?,
			endorsement: super::amount(endorsement)?,
		};
		Ok(Self { level: level.into(), price })
	}
}

impl PriceArg {
	/// Puts the price in its place.
	pub fn set(&self, prices: &mut LevelPrices) {
		*prices.at_mut(self.level) = self.price;
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::key::KeyType;

	#[test]
	fn a_subject_can_follow_from_the_key() {
		let key = PublicKey::new(KeyType::Ed25519, &[7; 32]).unwrap();
		let spec = |text: &str| text.parse::<SubjectSpec>().unwrap().of_key(&key);
		assert_eq!(spec("pseudonym"), Subject::Pseudonym(KeyId::of(&key)));
		assert_eq!(spec("uuid"), Subject::Uuid(uuid_of_key(KeyId::of(&key))));
		assert_eq!(Ok(spec("dns:a.example")), subject("dns:a.example"));
		assert!("a.example".parse::<SubjectSpec>().is_err());
	}

	#[test]
	fn a_moment_is_a_time_or_a_day() {
		assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(1_000));
		assert_eq!(moment("1970-01-02"), Ok(86_400_000));
		for wrong in ["", "yesterday", "1969-12-31", "2026-13-01"] {
			assert!(moment(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_price_has_a_level_and_three_parts() {
		let mut prices = LevelPrices::default();
		"ev:1:2_000:3".parse::<PriceArg>().unwrap().set(&mut prices);
		assert_eq!(prices.ev, Price { network: 1, observation: 2_000, endorsement: 3 });
		assert_eq!((prices.dv, prices.ov), (Price::default(), Price::default()));
		for wrong in ["", "ev", "ev:1:2", "xv:1:2:3", "ev:1:2:3:4", "ev:1:-2:3"] {
			assert!(wrong.parse::<PriceArg>().is_err(), "{wrong}");
		}
	}

	#[test]
	fn what_an_observer_saw_is_printed_as_it_is_typed() {
		for argument in ObservationArg::value_variants() {
			let word = argument.to_possible_value().unwrap();
			assert_eq!(observation_name((*argument).into()), word.get_name());
		}
	}
}
