//! Calls by which the council sets what things cost; each is for a motion of the council.

use super::{Call, CallError, name};
use crate::{AccountId, api::tx};
use dpki_primitives::{
	economy::{Operation, QuotaPolicies, ResourceKind},
	organisation::OrganisationKind,
};
use subxt::utils::{AccountId32, Static};

/// Sets the fee of an operation, in the smallest unit.
pub fn set_fee(operation: Operation, amount: u128) -> impl Call + use<> {
	tx().economy().set_fee(Static(operation), amount)
}

/// Sets the deposit for a new resource of a kind, in the smallest unit.
pub fn set_deposit(kind: ResourceKind, amount: u128) -> impl Call + use<> {
	tx().economy().set_deposit(Static(kind), amount)
}

/// Takes no fees from trustees and members of organisations any more, or takes them again.
pub fn set_feeless(feeless: bool) -> impl Call + use<> {
	tx().economy().set_feeless(feeless)
}

/// Sets how much can be done for nothing on a feeless chain.
pub fn set_quotas(policies: QuotaPolicies) -> impl Call + use<> {
	tx().economy().set_quotas(Static(policies))
}

/// Creates an organisation without a deposit, whose first administrator is the founder.
pub fn admit_organisation(
	founder: &AccountId,
	organisation: &str,
	kind: OrganisationKind,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx()
		.organisations()
		.admit(AccountId32(*founder), name(organisation)?, Static(kind)))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::tests::assert_encodes;

	#[test]
	fn calls_about_the_economy_encode() {
		let operation = Operation::PublishDelivery;
		assert_encodes(&set_fee(operation, 7), (24, 0), (operation, 7u128));
		let kind = ResourceKind::Anchor;
		assert_encodes(&set_deposit(kind, 8), (24, 1), (kind, 8u128));
		assert_encodes(&set_feeless(true), (24, 2), true);
		let policies = QuotaPolicies::default();
		assert_encodes(&set_quotas(policies), (24, 3), policies);
		let kind = OrganisationKind::TestLab;
		let admit = admit_organisation(&[3; 32], "acme", kind).unwrap();
		assert_encodes(&admit, (20, 11), ([3u8; 32], b"acme".to_vec(), kind));
	}

	#[test]
	fn an_organisation_is_not_admitted_under_what_is_no_name() {
		let kind = OrganisationKind::TestLab;
		assert!(matches!(
			admit_organisation(&[3; 32], "Acme", kind).err(),
			Some(CallError::Name { .. })
		));
	}
}
