//! What things cost, and what an account can do for nothing.

use crate::{AccountId, Finalized, View, view::ReadError};
use codec::{Decode, Encode};
pub use dpki_primitives::economy::{
	Allowance, Operation, QuotaPolicies, QuotaPolicy, Resource, ResourceKind,
};

/// What things cost at one block. The schedules are told whether they hold or not: while the chain is feeless, nothing is
/// charged by them and no new deposit is held.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Economy {
	/// Whether trustees and members of organisations pay with quotas instead of fees.
	pub feeless: bool,
	/// The fee of every operation, beside that of its transaction, in the smallest unit.
	pub fees: Vec<(Operation, u128)>,
	/// The deposit for every kind of resource, in the smallest unit.
	pub deposits: Vec<(ResourceKind, u128)>,
	/// How much can be done for nothing while the chain is feeless.
	pub quotas: QuotaPolicies,
}

impl Economy {
	/// What so many operations cost now, beside their transactions.
	pub fn fee(&self, operation: Operation, count: u32) -> u128 {
		self.price(&self.fees, operation).saturating_mul(count.into())
	}

	/// What is held for a new resource of this kind now.
	pub fn deposit(&self, kind: ResourceKind) -> u128 {
		self.price(&self.deposits, kind)
	}

	fn price<Of: PartialEq>(&self, schedule: &[(Of, u128)], of: Of) -> u128 {
		let scheduled = schedule.iter().find(|(it, _)| *it == of).map_or(0, |(_, amount)| *amount);
		if self.feeless { 0 } else { scheduled }
	}
}

/// What a transaction did to the tokens of whoever paid for it, in the smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Costs {
	/// Paid for the transaction, its tip included, and for its operations; nothing of it returns.
	pub fees: u128,
	/// Held as deposits; they return when what they are held for is revoked or cancelled.
	pub held: u128,
	/// Deposits that returned, to whom they had been paid by.
	pub returned: u128,
}

/// What a transaction cost, told from its events.
pub fn costs(transaction: &Finalized) -> Costs {
	let mut costs = Costs::default();
	for event in &transaction.events {
		let fields = &mut &event.fields[..];
		let (sum, amount) = match (event.pallet.as_str(), event.name.as_str()) {
			("TransactionPayment", "TransactionFeePaid") => {
				(&mut costs.fees, <(AccountId, u128, u128)>::decode(fields).map(|it| it.1))
			},
			("Economy", "Charged") => {
				let charged = <(AccountId, Operation, u32, u128)>::decode(fields);
				(&mut costs.fees, charged.map(|it| it.3))
			},
			("Economy", "DepositHeld") => (&mut costs.held, deposit(fields)),
			("Economy", "DepositReturned") => (&mut costs.returned, deposit(fields)),
			_ => continue,
		};
		*sum = sum.saturating_add(amount.unwrap_or_default());
	}
	costs
}

fn deposit(fields: &mut &[u8]) -> Result<u128, codec::Error> {
	<(Resource, AccountId, u128)>::decode(fields).map(|it| it.2)
}

impl View {
	/// What things cost, as the runtime tells it.
	pub async fn economy(&self) -> Result<Economy, ReadError> {
		self.call("the economy", "DpkiApi_economy", &[]).await
	}

	/// What an account can still do for nothing; `None` if it pays.
	pub async fn quota(&self, account: &AccountId) -> Result<Option<Allowance>, ReadError> {
		self.call("the quota", "DpkiApi_quota", &account.encode()).await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Event;

	fn economy(feeless: bool) -> Economy {
		Economy {
			feeless,
			fees: vec![(Operation::IssueVoucher, 5)],
			deposits: vec![(ResourceKind::Device, 7)],
			quotas: QuotaPolicies::default(),
		}
	}

	#[test]
	fn prices_hold_while_the_chain_is_not_feeless() {
		assert_eq!(economy(false).fee(Operation::IssueVoucher, 3), 15);
		assert_eq!(economy(false).deposit(ResourceKind::Device), 7);
		assert_eq!(economy(true).fee(Operation::IssueVoucher, 3), 0);
		assert_eq!(economy(true).deposit(ResourceKind::Device), 0);
	}

	#[test]
	fn a_transaction_costs_what_its_events_say() {
		let event = |pallet: &str, name: &str, fields: Vec<u8>| Event {
			pallet: pallet.into(),
			name: name.into(),
			fields,
			text: String::new(),
		};
		let who = [3u8; 32];
		let resource = Resource::Voucher([4; 32].into());
		let events = vec![
			event("Economy", "Charged", (who, Operation::BatchKey, 2u32, 10u128).encode()),
			event("Economy", "DepositHeld", (resource, who, 100u128).encode()),
			event("Economy", "DepositReturned", (resource, who, 1_000u128).encode()),
			event("TransactionPayment", "TransactionFeePaid", (who, 7u128, 2u128).encode()),
			event("Economy", "FeelessSet", true.encode()),
		];
		let transaction = Finalized {
			number: 1,
			hash: [1; 32],
			extrinsic: [2; 32],
			events,
			proven: false,
			is_final: true,
		};
		assert_eq!(costs(&transaction), Costs { fees: 17, held: 100, returned: 1_000 });
	}

	#[test]
	fn what_is_not_listed_is_free() {
		assert_eq!(economy(false).fee(Operation::RegisterKey, 1), 0);
		assert_eq!(economy(false).deposit(ResourceKind::Key), 0);
	}
}
