// SPDX-License-Identifier: Apache-2.0

//! The public-key infrastructure: pallet indices 20 to 29.

use super::governance::DAY;
use crate::{
	Balance, Balances, BlockNumber, Dpki, Organisations, Runtime, RuntimeCall, RuntimeHoldReason,
	Timestamp, UNIT,
};
use frame_support::parameter_types;
use pallet_deliveries::SeeThrough;
use pallet_motions::{EnsureCouncil, EnsureOrganisation};

parameter_types! {
	/// Held for an organisation.
	pub const OrganisationDeposit: Balance = 10 * UNIT;
	/// An offered membership can be accepted for a day at one second.
	pub const HandOverPeriod: BlockNumber = DAY;
	/// A recovery can be objected to for a week at one second.
	pub const RecoveryDelay: BlockNumber = 7 * DAY;
}

impl pallet_organisations::Config for Runtime {
	type Time = Timestamp;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type BodyOrigin = EnsureOrganisation;
	type CouncilOrigin = EnsureCouncil;
	// Whatever else is about an organisation hangs on one of its devices or anchors.
	type Belongings = Dpki;
	type Deposit = OrganisationDeposit;
	type HandOverPeriod = HandOverPeriod;
	type RecoveryDelay = RecoveryDelay;
	type WeightInfo = pallet_organisations::weights::SubstrateWeight<Runtime>;
}

impl pallet_dpki::Config for Runtime {
	type Organisations = Organisations;
	type Governance = Organisations;
	type Time = Timestamp;
	type WeightInfo = pallet_dpki::weights::SubstrateWeight<Runtime>;
}

impl pallet_deliveries::Config for Runtime {
	type Organisations = Organisations;
	type Policies = Organisations;
	type Registry = Dpki;
	type Time = Timestamp;
	type Wrapper = OneProxy;
	type WeightInfo = pallet_deliveries::weights::SubstrateWeight<Runtime>;
}

/// Deliveries are published directly or through one `Proxy.proxy`, see decision 0013.
///
/// Its call is its last field and is encoded without anything around it. It dispatches this call and no
/// other, and at most once. `proxy_announced` would do as well, but a delivery that has to wait for
/// its announcement is not worth a second case.
pub struct OneProxy;

impl SeeThrough<RuntimeCall> for OneProxy {
	fn carried(call: &RuntimeCall) -> &RuntimeCall {
		match call {
			RuntimeCall::Proxy(pallet_proxy::Call::proxy { call, .. }) => call,
			direct => direct,
		}
	}
}
