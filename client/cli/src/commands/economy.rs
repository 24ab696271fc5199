//! `dpki economy`: what things cost, and what can be done for nothing.

use crate::{
	commands::motion::propose::{Terms, to_council},
	error::Result,
	output::{Report, hex},
	session::Session,
	values::{self, Member, OnOff, Quota},
};
use clap::Subcommand;
use dpki_client::{
	account, calls,
	economy::{Economy, Operation, QuotaPolicies, ResourceKind},
};
use serde_json::{Map, Value, json};

/// What things cost, and what can be done for nothing.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki economy show
  dpki economy quota
  dpki economy feeless on --reason 'we know each other'")]
pub enum EconomyCommand {
	/// Show fees, deposits and quotas, in the smallest unit
	#[command(after_help = "\
Examples:
  dpki economy show
  dpki economy show --json")]
	Show,
	/// Show what an account can still do for nothing on a chain without fees
	#[command(after_help = "\
Examples:
  dpki economy quota
  dpki economy quota 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
	Quota {
		/// SS58 address, 0x and 64 digits, or a development account such as //Bob; that of --account if left out
		#[arg(value_name = "ADDRESS")]
		address: Option<Member>,
	},
	/// Propose to the council: another fee for an operation
	#[command(after_help = "\
Example:
  dpki economy set-fee issue-voucher 10_000_000_000 --reason 'fleet of 2027'")]
	SetFee {
		/// The operation
		#[arg(value_parser = values::operation_parser())]
		operation: Operation,
		/// The fee in the smallest unit; 0 makes it free
		#[arg(value_parser = values::amount)]
		amount: u128,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: another deposit for a kind of resource
	#[command(after_help = "\
Example:
  dpki economy set-deposit device 100_000_000_000")]
	SetDeposit {
		/// The kind
		#[arg(value_parser = values::resource_parser())]
		kind: ResourceKind,
		/// The deposit in the smallest unit; 0 asks for none
		#[arg(value_parser = values::amount)]
		amount: u128,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: other quotas for a chain without fees
	#[command(after_help = "\
Example:
  dpki economy set-quotas --per-account 2_000_000:8_000 --per-organisation 8_000_000:40_000")]
	SetQuotas {
		/// Capacity and refill per block, in microseconds of computation or bytes
		#[arg(long, value_name = "CAPACITY:REFILL")]
		per_account: Quota,
		/// Capacity and refill per block for all members of an organisation together
		#[arg(long, value_name = "CAPACITY:REFILL")]
		per_organisation: Quota,
		#[command(flatten)]
		terms: Terms,
	},
	/// Propose to the council: take no fees from trustees and members any more, for certificates neither, or take them again
	#[command(after_help = "\
Examples:
  dpki economy feeless on --reason 'we know each other'
  dpki economy feeless off")]
	Feeless {
		/// on or off
		#[arg(value_enum)]
		switch: OnOff,
		#[command(flatten)]
		terms: Terms,
	},
}

impl EconomyCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show => show(session).await,
			Self::Quota { address } => quota(session, address).await,
			Self::SetFee { operation, amount, terms } => {
				to_council(session, &calls::set_fee(operation, amount), &terms).await
			},
			Self::SetDeposit { kind, amount, terms } => {
				to_council(session, &calls::set_deposit(kind, amount), &terms).await
			},
			Self::SetQuotas {
				per_account: Quota(account),
				per_organisation: Quota(organisation),
				terms,
			} => {
				let policies = QuotaPolicies { account, organisation };
				to_council(session, &calls::set_quotas(policies), &terms).await
			},
			Self::Feeless { switch, terms } => {
				to_council(session, &calls::set_feeless(switch.into()), &terms).await
			},
		}
	}
}

async fn show(session: &Session) -> Result<Report> {
	let (_client, view) = session.view().await?;
	Ok(report(&view.economy().await?).read_at(view.head()))
}

fn report(economy: &Economy) -> Report {
	let Economy { feeless, fees, deposits, quotas } = economy;
	let sentence = if *feeless {
		"No fees for trustees and members of organisations; everybody else pays for transactions"
	} else {
		"Everybody pays fees"
	};
	let mut report = Report::new().done(sentence).data("feeless", *feeless);
	let (mut fee_values, mut deposit_values) = (Map::new(), Map::new());
	for (operation, amount) in fees {
		report = report.tail(format!("fee of {}: {amount}", operation.name()));
		fee_values.insert(operation.name().into(), amount.to_string().into());
	}
	for (kind, amount) in deposits {
		report = report.tail(format!("deposit for each {}: {amount}", kind.name()));
		deposit_values.insert(kind.name().into(), amount.to_string().into());
	}
	let mut quota_values = Map::new();
	for (whose, policy) in [("account", quotas.account), ("organisation", quotas.organisation)] {
		let (capacity, refill) = (policy.capacity, policy.refill);
		report = report.tail(format!("quota per {whose}: {capacity}, and {refill} per block"));
		quota_values.insert(whose.into(), json!({ "capacity": capacity, "refill": refill }));
	}
	report = report.tail("quotas count microseconds of computation and bytes of transactions");
	// Text for programs too, where a number of 128 bits does not fit one of JSON.
	report
		.data("fees", Value::Object(fee_values))
		.data("deposits", Value::Object(deposit_values))
		.data("quotas", Value::Object(quota_values))
}

async fn quota(session: &Session, address: Option<Member>) -> Result<Report> {
	let id = match address {
		Some(Member(id)) => id,
		None => session.account()?.id(),
	};
	let (_client, view) = session.view().await?;
	let report = Report::new()
		.data("address", account::address(&id))
		.data("account_id", hex(&id));
	let report = match view.quota(&id).await? {
		None => report
			.done(format!("{} pays fees", account::address(&id)))
			.data("left", None::<u64>),
		Some(allowance) => {
			let report = report
				.done(format!("{} acts without fees", account::address(&id)))
				.row_as("left", allowance.left.to_string(), allowance.left);
			allowance
				.organisations
				.into_iter()
				.fold(report, |report, (organisation, left)| {
					report.tail(format!("left of the quota of organisation {organisation}: {left}"))
				})
		},
	};
	Ok(report.read_at(view.head()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn programs_get_every_price_by_its_name() {
		let economy = Economy {
			feeless: true,
			fees: vec![(Operation::IssueVoucher, u128::MAX)],
			deposits: vec![(ResourceKind::Device, 7)],
			quotas: QuotaPolicies::default(),
		};
		let json = report(&economy).to_json();
		assert_eq!(json["feeless"], true);
		assert_eq!(json["fees"]["issue-voucher"], u128::MAX.to_string());
		assert_eq!(json["deposits"]["device"], "7");
		assert_eq!(json["quotas"]["account"]["refill"], QuotaPolicies::default().account.refill);
	}
}
