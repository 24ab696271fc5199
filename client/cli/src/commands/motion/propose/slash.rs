//! `dpki motion propose slash`: what the council takes of an endorser's bond.

use super::Terms;
use crate::{
	error::{Error, Result},
	files,
	values::{self, Member, certificates::SlashArg},
};
use clap::{ArgGroup, Args};
use dpki_client::calls::{self, EncodedCall};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// A slash.
#[derive(Args)]
#[command(group = ArgGroup::new("proof").args(["evidence", "evidence_hash"]).required(true))]
pub struct SlashProposal {
	/// The endorser
	#[arg(value_name = "ACCOUNT")]
	endorser: Member,
	/// How much, in the smallest unit; of a smaller bond, all of it
	#[arg(long, value_parser = values::amount)]
	amount: u128,
	/// What it was proven to have done
	#[arg(long, value_enum)]
	because: SlashArg,
	/// A file with the proof, of which the chain gets the SHA-256; keep it, and show it to those who vote
	#[arg(long, value_name = "FILE")]
	evidence: Option<PathBuf>,
	/// The hash of the proof, if it is no file
	#[arg(long, value_name = "HASH", value_parser = values::hash)]
	evidence_hash: Option<ProofHash>,
	#[command(flatten)]
	terms: Terms,
}

/// A hash of 32 bytes.
type ProofHash = [u8; 32];

impl SlashProposal {
	/// The call, and the terms on which it is proposed.
	pub fn call(self) -> Result<(EncodedCall, Terms)> {
		if self.amount == 0 {
			return Err(Error::Usage("the amount is zero: give one above 0".to_owned()));
		}
		let evidence = match (&self.evidence, self.evidence_hash) {
			(Some(path), _) => Sha256::digest(&*files::read(path)?).into(),
			(None, Some(hash)) => hash,
			(None, None) => return Err(Error::Usage("name the proof".to_owned())),
		};
		let Member(endorser) = self.endorser;
		let call = calls::slash(&endorser, self.amount, self.because.into(), evidence);
		Ok((calls::encode(&call)?, self.terms))
	}
}
