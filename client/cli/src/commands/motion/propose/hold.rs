//! `dpki motion propose hold` and `release`: what the body of an organisation decides about holds of its devices and
//! their keys. No registrar ends what it put on hold.

use super::Terms;
use crate::{
	error::Result,
	values::{DeviceRef, Name, reason_parser},
};
use clap::Subcommand;
use dpki_client::calls::{self, EncodedCall};
use dpki_primitives::{ids::KeyId, revocation::RevocationReason};

/// What can be put on hold.
#[derive(Subcommand)]
pub enum HoldProposal {
	/// A device with all its keys
	#[command(after_help = "\
Example:
  dpki motion propose hold device acme drone-7 --because keyCompromise --reason 'does not report'")]
	Device {
		/// Name of the organisation
		name: Name,
		/// Name of the device in it
		device: Name,
		/// What is suspected, by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
		because: RevocationReason,
		#[command(flatten)]
		terms: Terms,
	},
	/// One key of a device
	#[command(after_help = "\
Example:
  dpki motion propose hold key acme 0x3b1c...9f --because keyCompromise")]
	Key {
		/// Name of the organisation
		name: Name,
		/// Id of the key; `dpki device show` shows it
		#[arg(value_name = "ID")]
		key: KeyId,
		/// What is suspected, by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = reason_parser())]
		because: RevocationReason,
		#[command(flatten)]
		terms: Terms,
	},
}

/// What can be released.
#[derive(Subcommand)]
pub enum ReleaseProposal {
	/// A device; those of its keys that are on hold themselves stay so
	#[command(after_help = "\
Example:
  dpki motion propose release device acme drone-7 --reason 'it was the network'")]
	Device {
		/// Name of the organisation
		name: Name,
		/// Name of the device in it
		device: Name,
		#[command(flatten)]
		terms: Terms,
	},
	/// One key of a device
	#[command(after_help = "\
Example:
  dpki motion propose release key acme 0x3b1c...9f")]
	Key {
		/// Name of the organisation
		name: Name,
		/// Id of the key; `dpki device show` shows it
		#[arg(value_name = "ID")]
		key: KeyId,
		#[command(flatten)]
		terms: Terms,
	},
}

impl HoldProposal {
	/// The organisation, the call, and the terms on which it is proposed.
	pub fn call(self) -> Result<(Name, EncodedCall, Terms)> {
		Ok(match self {
			Self::Device { name, device, because, terms } => {
				let device = DeviceRef::new(&name, &device).id;
				let call = calls::encode(&calls::suspend_device(device, because))?;
				(name, call, terms)
			},
			Self::Key { name, key, because, terms } => {
				(name, calls::encode(&calls::suspend_key(key, because))?, terms)
			},
		})
	}
}

impl ReleaseProposal {
	/// The organisation, the call, and the terms on which it is proposed.
	pub fn call(self) -> Result<(Name, EncodedCall, Terms)> {
		Ok(match self {
			Self::Device { name, device, terms } => {
				let device = DeviceRef::new(&name, &device).id;
				(name, calls::encode(&calls::release_device(device))?, terms)
			},
			Self::Key { name, key, terms } => {
				(name, calls::encode(&calls::release_key(key))?, terms)
			},
		})
	}
}
