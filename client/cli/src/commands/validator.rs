//! `dpki validator`: who makes and finalises blocks.

use crate::{
	commands::motion::propose::{Terms, to_council},
	error::Result,
	output::{Report, hex},
	session::Session,
	values::{HexBytes, Member, Name},
};
use clap::Subcommand;
use dpki_client::{Account, AccountId, Client, account, calls};
use dpki_primitives::{
	ids::OrganisationId,
	validator::{ValidatorRecord, ValidatorStanding},
};

/// Who makes and finalises blocks.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki validator list
  dpki validator add //Eve --org acme --reason 'fifth node, see minutes'
  dpki node rotate-keys --account eve.account")]
pub enum ValidatorCommand {
	/// List the validators, whether they serve now, and what was decided about them
	#[command(after_help = "\
Examples:
  dpki validator list
  dpki validator list --json")]
	List,
	/// Propose to the council: admit a validator; it serves once it has session keys
	#[command(after_help = "\
Example:
  dpki validator add 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --org acme \\
      --reason 'see minutes'")]
	Add {
		/// The account that sets the session keys of its node
		#[arg(value_name = "ACCOUNT")]
		validator: Member,
		/// Who runs it; the consortium itself if left out
		#[arg(long, value_name = "NAME")]
		org: Option<Name>,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: remove a validator
	#[command(after_help = "\
Example:
  dpki validator remove //Eve --reason 'contract ended'")]
	Remove {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		validator: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: let a validator keep its seat and its keys without serving
	#[command(after_help = "\
Example:
  dpki validator disable //Eve --reason 'moves to another site'")]
	Disable {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		validator: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: let a disabled validator serve again, or forgive one that was caught and kept
	#[command(after_help = "\
Example:
  dpki validator enable //Eve --reason 'has moved'")]
	Enable {
		/// The account
		#[arg(value_name = "ACCOUNT")]
		validator: Member,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: how many validators there may be
	#[command(after_help = "\
Example:
  dpki validator bounds --minimum 4 --maximum 20")]
	Bounds {
		/// No decision and no offence leaves fewer of them
		#[arg(long, value_name = "N")]
		minimum: u32,
		/// No more are admitted
		#[arg(long, value_name = "N")]
		maximum: u32,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: say that finality stands still, so that the validators of the next session take it up
	///
	/// First let the council settle who they are, in the session before: see the README of pallets/validator-set.
	#[command(after_help = "\
Example:
  dpki validator note-stalled --delay 1000 --finalized 81234 \\
      --reason 'two sites lost, see incident 17'")]
	NoteStalled {
		/// For how many blocks after the end of the session the change waits; longer than any fork lives
		#[arg(long, value_name = "BLOCKS")]
		delay: u32,
		/// The highest block that any of the validators has finalised
		#[arg(long, value_name = "BLOCK")]
		finalized: u32,
		#[command(flatten)]
		terms: Terms,
	},
	/// Leave the validators; the node has to go on until it serves no more
	#[command(after_help = "\
Example:
  dpki validator leave --account acme.account")]
	Leave,
	/// Set session keys that a node made, with the proof that it has them
	#[command(after_help = "\
Example:
  dpki validator set-keys --keys 0x8e1f...aa --proof 0x30b2...07 --account acme.account")]
	SetKeys {
		/// The keys, as `author_rotateKeysWithOwner` gives them out for the account
		#[arg(long, value_name = "HEX")]
		keys: HexBytes,
		/// The proof that comes with them
		#[arg(long, value_name = "HEX")]
		proof: HexBytes,
	},
}

impl ValidatorCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::List => list(session).await,
			Self::Add { validator: Member(validator), org, terms } => {
				let organisation =
					org.map_or(OrganisationId::CONSORTIUM, |name| name.organisation());
				to_council(session, &calls::add_validator(&validator, organisation), &terms).await
			},
			Self::Remove { validator: Member(validator), terms } => {
				to_council(session, &calls::remove_validator(&validator), &terms).await
			},
			Self::Disable { validator: Member(validator), terms } => {
				to_council(session, &calls::disable_validator(&validator), &terms).await
			},
			Self::Enable { validator: Member(validator), terms } => {
				to_council(session, &calls::enable_validator(&validator), &terms).await
			},
			Self::Bounds { minimum, maximum, terms } => {
				to_council(session, &calls::set_validator_bounds(minimum, maximum), &terms).await
			},
			Self::NoteStalled { delay, finalized, terms } => {
				to_council(session, &calls::note_stalled(delay, finalized)?, &terms).await
			},
			Self::Leave => leave(session).await,
			Self::SetKeys { keys: HexBytes(keys), proof: HexBytes(proof) } => {
				let keys = calls::SessionKeys::from_bytes(&keys)?;
				let account = session.account()?;
				let client = session.connect().await?;
				set_keys(session, &client, &account, keys, &proof).await
			},
		}
	}
}

async fn list(session: &Session) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let serving = view.serving_validators().await?;
	let mut reports = Vec::new();
	for record in view.validators().await? {
		let has_keys = view.session_keys(&record.account).await?.is_some();
		let serves = serving.contains(&record.account);
		reports.push(report(&record, serves, has_keys).read_at(view.head()));
	}
	Ok(Report::list(reports, "The chain has no validators"))
}

fn report(record: &ValidatorRecord<AccountId>, serves: bool, has_keys: bool) -> Report {
	let address = account::address(&record.account);
	let sentence = match (record.standing, record.caught) {
		(ValidatorStanding::Enabled, Some(session)) => format!(
			"{address} voted twice in session {session}, and is kept because there would be too few: admit another"
		),
		(ValidatorStanding::Enabled, None) if serves => format!("{address} serves"),
		(ValidatorStanding::Enabled, None) if has_keys => {
			format!("{address} serves from the session after next on, or earlier")
		},
		(ValidatorStanding::Enabled, None) => format!("{address} waits for its session keys"),
		(ValidatorStanding::Disabled, _) => format!("{address} is disabled"),
		(ValidatorStanding::Leaving, _) => format!("{address} is leaving"),
	};
	Report::new()
		.done(sentence)
		.data("address", address)
		.data("account_id", hex(&record.account))
		.row("organisation", record.organisation)
		.row("standing", record.standing.name())
		.data("serves", serves)
		.data("has_keys", has_keys)
		.data("caught_in_session", record.caught)
}

async fn leave(session: &Session) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::leave_validators();
	let finalized = session.submit(&client, &account, &call, "leaving").await?;
	Ok(Report::new()
		.done("Left the validators: keep the node running until the session after next")
		.finalized(&finalized))
}

async fn set_keys(
	session: &Session,
	client: &Client,
	account: &Account,
	keys: calls::SessionKeys,
	proof: &[u8],
) -> Result<Report> {
	let call = calls::set_session_keys(keys, proof)?;
	let finalized = session.submit(client, account, &call, "setting the session keys").await?;
	Ok(Report::new()
		.done(
			"Set the session keys: they serve from the session after next on, the old ones until then",
		)
		.row("aura", hex(&keys.aura))
		.row("grandpa", hex(&keys.grandpa))
		.finalized(&finalized))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn record(standing: ValidatorStanding, caught: Option<u32>) -> ValidatorRecord<AccountId> {
		ValidatorRecord {
			account: [7; 32],
			organisation: OrganisationId::CONSORTIUM,
			standing,
			answers_from: 0,
			caught,
		}
	}

	#[test]
	fn programs_are_told_what_was_decided_and_what_is() {
		let json = report(&record(ValidatorStanding::Enabled, Some(4)), true, true).to_json();
		assert_eq!((&json["standing"], &json["serves"]), (&"enabled".into(), &true.into()));
		assert_eq!((&json["caught_in_session"], &json["has_keys"]), (&4.into(), &true.into()));
		let json = report(&record(ValidatorStanding::Disabled, None), false, true).to_json();
		assert_eq!((&json["standing"], &json["serves"]), (&"disabled".into(), &false.into()));
	}
}
