//! What may stand on the command line for a fleet and its members.

use super::Name;
use dpki_client::fleet::fleet_id;
use dpki_primitives::ids::{FleetId, OrganisationId};
use std::{fmt, str::FromStr};

/// A fleet: `ORG/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetRef {
	organisation: Name,
	name: Name,
}

impl FleetRef {
	/// The id of the organisation.
	pub fn organisation(&self) -> OrganisationId {
		self.organisation.organisation()
	}

	/// The name within the organisation.
	pub fn name(&self) -> &str {
		self.name.as_str()
	}

	/// The id.
	pub fn id(&self) -> FleetId {
		fleet_id(self.organisation(), self.name())
	}
}

impl FromStr for FleetRef {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (organisation, name) = text
			.split_once('/')
			.ok_or("a fleet is ORGANISATION/NAME, such as acme/drones")?;
		Ok(Self { organisation: organisation.parse()?, name: name.parse()? })
	}
}

impl fmt::Display for FleetRef {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}/{}", self.organisation, self.name)
	}
}

/// Members by their numbers: `7`, or `20-29`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Members {
	/// The first.
	pub first: u32,
	/// The last, which is meant too.
	pub last: u32,
}

impl Members {
	/// Each of them.
	pub fn iter(&self) -> impl Iterator<Item = u32> + use<> {
		self.first..=self.last
	}
}

impl FromStr for Members {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (first, last) = text.split_once('-').unwrap_or((text, text));
		match (first.parse(), last.parse()) {
			(Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
			_ => Err("write numbers of members such as 7 or 20-29, counted from 0, or names with --device NAME"
				.to_owned()),
		}
	}
}

impl fmt::Display for Members {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self.first == self.last {
			true => self.first.fmt(f),
			false => write!(f, "{}-{}", self.first, self.last),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_fleet_has_an_organisation_and_a_name() {
		let fleet: FleetRef = "acme/drones".parse().unwrap();
		assert_eq!(fleet.to_string(), "acme/drones");
		assert_eq!(fleet.id(), FleetId::from_name(fleet.organisation(), b"drones"));
		for bad in ["drones", "acme/", "/drones", "acme/No", "a/b/c"] {
			assert!(bad.parse::<FleetRef>().is_err(), "{bad}");
		}
	}

	#[test]
	fn members_are_numbers_and_ranges_of_them() {
		assert_eq!("7".parse(), Ok(Members { first: 7, last: 7 }));
		let some: Members = "20-29".parse().unwrap();
		assert_eq!(some.iter().count(), 10);
		assert_eq!(some.to_string(), "20-29");
		assert_eq!(Members { first: 7, last: 7 }.to_string(), "7");
		for bad in ["", "-", "a", "3-2", "1-", "-1", "1-2-3", "4294967296"] {
			assert!(bad.parse::<Members>().is_err(), "{bad}");
		}
	}
}
