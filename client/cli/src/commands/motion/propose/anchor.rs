//! `dpki motion propose anchor`: what the council does with anchors of the consortium once it has adopted them.

use super::Terms;
use crate::{commands::anchor::crl_pointer, error::Result, values};
use clap::Subcommand;
use dpki_client::calls::{self, EncodedCall};
use dpki_primitives::{Moment, ids::AnchorId, revocation::RevocationReason};
use std::path::PathBuf;

/// What can be proposed about an anchor.
#[derive(Subcommand)]
pub enum AnchorProposal {
	/// What it signed stays good, nothing new is to be signed
	#[command(after_help = "\
Example:
  dpki motion propose anchor retire 0x1f0c...e2 --reason 'the product line ended'")]
	Retire {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		#[command(flatten)]
		terms: Terms,
	},
	/// It and all below it are invalid for ever
	#[command(after_help = "\
Example:
  dpki motion propose anchor revoke 0x1f0c...e2 --because keyCompromise --reason 'see minutes'")]
	Revoke {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		/// Reason by its RFC 5280 name
		#[arg(long, default_value = "unspecified", ignore_case = true, value_parser = values::reason_parser())]
		because: RevocationReason,
		#[command(flatten)]
		terms: Terms,
	},
	/// It and all below it are on hold until it is released
	#[command(after_help = "\
Example:
  dpki motion propose anchor suspend 0x1f0c...e2 --reason 'audit is overdue'")]
	Suspend {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		#[command(flatten)]
		terms: Terms,
	},
	/// The end of a hold
	#[command(after_help = "\
Example:
  dpki motion propose anchor release 0x1f0c...e2 --reason 'audit passed'")]
	Release {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		#[command(flatten)]
		terms: Terms,
	},
	/// Another anchor takes its place, and it retires at a time
	#[command(after_help = "\
Example:
  dpki motion propose anchor rollover 0x1f0c...e2 --to 0x77aa...01 --at 2030-01-31T12:00:00Z")]
	Rollover {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		/// Id of the anchor that takes its place
		#[arg(long, value_name = "ID")]
		to: AnchorId,
		/// When it retires, such as 2030-01-31T12:00:00Z
		#[arg(long, value_name = "TIME", value_parser = values::certificates::moment)]
		at: Moment,
		#[command(flatten)]
		terms: Terms,
	},
	/// It does not retire as was planned
	#[command(after_help = "\
Example:
  dpki motion propose anchor cancel-rollover 0x1f0c...e2")]
	CancelRollover {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		#[command(flatten)]
		terms: Terms,
	},
	/// Where it publishes its revocation list
	#[command(after_help = "\
Example:
  dpki motion propose anchor crl 0x1f0c...e2 --address https://crl.example/ca.crl")]
	Crl {
		/// Its id
		#[arg(value_name = "ID")]
		anchor: AnchorId,
		/// The address, which begins with http://, https:// or ipfs://
		#[arg(long, value_name = "URL", required_unless_present = "none", conflicts_with = "none")]
		address: Option<String>,
		/// The list itself, if the address is to be good for this edition only
		#[arg(long, value_name = "FILE", requires = "address")]
		list: Option<PathBuf>,
		/// It publishes none
		#[arg(long)]
		none: bool,
		#[command(flatten)]
		terms: Terms,
	},
}

impl AnchorProposal {
	/// The call, and the terms on which it is proposed.
	pub fn call(self) -> Result<(EncodedCall, Terms)> {
		Ok(match self {
			Self::Retire { anchor, terms } => {
				(calls::encode(&calls::retire_anchor(anchor))?, terms)
			},
			Self::Revoke { anchor, because, terms } => {
				(calls::encode(&calls::revoke_anchor(anchor, because))?, terms)
			},
			Self::Suspend { anchor, terms } => {
				(calls::encode(&calls::suspend_anchor(anchor))?, terms)
			},
			Self::Release { anchor, terms } => {
				(calls::encode(&calls::release_anchor(anchor))?, terms)
			},
			Self::Rollover { anchor, to, at, terms } => {
				(calls::encode(&calls::plan_rollover(anchor, to, at))?, terms)
			},
			Self::CancelRollover { anchor, terms } => {
				(calls::encode(&calls::cancel_rollover(anchor))?, terms)
			},
			Self::Crl { anchor, address, list, none: _, terms } => {
				let pointer = crl_pointer(address, list)?;
				(calls::encode(&calls::set_crl_pointer(anchor, pointer))?, terms)
			},
		})
	}
}
