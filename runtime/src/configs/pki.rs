// SPDX-License-Identifier: Apache-2.0

//! The public-key infrastructure: pallet indices 20 to 29.

use super::{
	consensus::MaxAuthorities,
	economy::PotId,
	governance::{DAY, MaxPeriod, RootOrCouncil},
};
use crate::{
	AccountId, Balance, Balances, BlockNumber, Certificates, Deliveries, Dpki, Economy, Fleets,
	MILLI_UNIT, Organisations, Runtime, RuntimeCall, RuntimeHoldReason, Timestamp, UNIT,
	ValidatorSet, requests::Pkcs10,
};
use alloc::vec::Vec;
use dpki_primitives::fleet::AvailabilityVoters;
use frame_support::{PalletId, parameter_types, traits::Get, weights::Weight};
use pallet_certificates::{FeeSchedule, LevelPrices, Price};
use pallet_deliveries::SeeThrough;
use pallet_economy::WeightInfo;
use pallet_motions::{EnsureCouncil, EnsureOrganisation};
use sp_runtime::traits::AccountIdConversion;

/// Names the account in which the validators' share of the fees for certificates is collected.
pub const VALIDATORS_POT: PalletId = PotId::get();

parameter_types! {
	/// Held for an organisation, on a feeless chain too: its members act for nothing there, so that an
	/// organisation must cost its founder something, or be admitted by the council.
	pub const OrganisationDeposit: Balance = 10 * UNIT;
	/// An offered membership, or an invitation, can be accepted for a day at one second.
	pub const HandOverPeriod: BlockNumber = DAY;
	/// A recovery can be objected to for a week at one second.
	pub const RecoveryDelay: BlockNumber = 7 * DAY;
	/// What certificates cost until the council sets other prices.
	pub const DefaultFees: FeeSchedule<Balance> = DEFAULT_FEES;
	/// Where the validators' share goes. It exists from the genesis on, so that it can take any amount.
	pub ValidatorsAccount: AccountId = VALIDATORS_POT.into_account_truncating();
	/// Closed applications stay readable for thirty days at one second.
	pub const ClosedRetention: BlockNumber = 30 * DAY;
	/// What endorsers take out of their bonds can be slashed for twice as long as the longest motion is open: what is found
	/// out within the first half can be voted on for as long as any motion can.
	pub const UnbondingPeriod: BlockNumber = 2 * MaxPeriod::get();
}

/// What certificates cost until the council sets other prices: in the order of what the work is to those who do it. A
/// look at a name is done by programs, an attestation by people; with each level they look longer.
pub const DEFAULT_FEES: FeeSchedule<Balance> = FeeSchedule {
	feeless: false,
	deposit: UNIT,
	issue: LevelPrices {
		dv: price(100, 300, 0),
		ov: price(200, 300, 1_000),
		ev: price(400, 300, 2_000),
	},
	control: LevelPrices { dv: price(50, 300, 0), ov: price(50, 300, 0), ev: price(50, 300, 0) },
	endorsement: LevelPrices {
		dv: price(0, 0, 0),
		ov: price(100, 0, 1_000),
		ev: price(200, 0, 2_000),
	},
};

/// A price in thousandths of a token: for the validators, for all observers together, for each endorser.
const fn price(network: Balance, observation: Balance, endorsement: Balance) -> Price<Balance> {
	Price {
		network: network * MILLI_UNIT,
		observation: observation * MILLI_UNIT,
		endorsement: endorsement * MILLI_UNIT,
	}
}

impl pallet_organisations::Config for Runtime {
	type Time = Timestamp;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type BodyOrigin = EnsureOrganisation;
	type CouncilOrigin = EnsureCouncil;
	// Whatever else is about an organisation hangs on one of its devices, anchors, certificates, fleets or validators.
	type Belongings = ((Dpki, Certificates), (Fleets, ValidatorSet));
	type Departures = Economy;
	type Deposit = OrganisationDeposit;
	type HandOverPeriod = HandOverPeriod;
	type RecoveryDelay = RecoveryDelay;
	type WeightInfo = pallet_organisations::weights::SubstrateWeight<Runtime>;
}

impl pallet_dpki::Config for Runtime {
	type Organisations = Organisations;
	type Governance = Organisations;
	type AnchorOrigin = RootOrCouncil;
	type Time = Timestamp;
	type Economy = Economy;
	type Quotas = Economy;
	type CompromisedKeys = Certificates;
	type WeightInfo = pallet_dpki::weights::SubstrateWeight<Runtime>;
}

// Every watchdog of an organisation can approve.
const _: () =
	assert!(pallet_organisations::MAX_BODY_SEATS <= dpki_primitives::approval::MAX_APPROVALS);

impl pallet_deliveries::Config for Runtime {
	type Organisations = Organisations;
	type Policies = Organisations;
	type Registry = Dpki;
	type Time = Timestamp;
	type Wrapper = OneProxy;
	type Economy = Economy;
	type WeightInfo = pallet_deliveries::weights::SubstrateWeight<Runtime>;
}

impl pallet_certificates::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Economy = Economy;
	type QuotaWeight = Metering;
	type Organisations = Organisations;
	type Registry = Dpki;
	type Requests = Pkcs10;
	type Time = Timestamp;
	type AccreditationOrigin = RootOrCouncil;
	type RevocationOrigin = RootOrCouncil;
	type PolicyOrigin = RootOrCouncil;
	type DefaultFees = DefaultFees;
	type ValidatorsAccount = ValidatorsAccount;
	type ClosedRetention = ClosedRetention;
	type UnbondingPeriod = UnbondingPeriod;
	type LongestVote = MaxPeriod;
	type WeightInfo = pallet_certificates::weights::SubstrateWeight<Runtime>;
}

impl pallet_fleets::Config for Runtime {
	type Organisations = Organisations;
	type Registry = Dpki;
	type CompromisedKeys = Certificates;
	type Voters = Validators;
	type Time = Timestamp;
	type Economy = Economy;
	type MaxVoters = MaxAuthorities;
	type QuotaWeight = Metering;
	type WeightInfo = pallet_fleets::weights::SubstrateWeight<Runtime>;
}

/// Finding out who answers for an account, and taking from its quotas.
pub struct Metering;

impl Get<Weight> for Metering {
	fn get() -> Weight {
		<Runtime as pallet_economy::Config>::WeightInfo::meter()
	}
}

impl pallet_requests::Config for Runtime {
	type Organisations = Organisations;
	type Registry = Dpki;
	type Deliveries = Deliveries;
	type Time = Timestamp;
	type WeightInfo = pallet_requests::weights::SubstrateWeight<Runtime>;
}

/// Those who make blocks in this session say whether the leaves of fleets are to be had.
pub struct Validators;

impl AvailabilityVoters<AccountId> for Validators {
	fn voters() -> Vec<AccountId> {
		pallet_session::Validators::<Runtime>::get()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_for_benchmark(voters: Vec<AccountId>) {
		pallet_session::Validators::<Runtime>::put(voters);
	}
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
