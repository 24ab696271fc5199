//! What things cost, and what an account can do for nothing.

use crate::{AccountId, View, view::ReadError};
use codec::{Decode, Encode};
pub use dpki_primitives::economy::{
	Allowance, Operation, QuotaPolicies, QuotaPolicy, ResourceKind,
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
	fn what_is_not_listed_is_free() {
		assert_eq!(economy(false).fee(Operation::RegisterKey, 1), 0);
		assert_eq!(economy(false).deposit(ResourceKind::Key), 0);
	}
}
