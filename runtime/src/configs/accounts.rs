// SPDX-License-Identifier: Apache-2.0

//! Accounts of several people, and accounts that act for others.

use crate::{
	Balance, Balances, Hashing, MILLI_UNIT, Runtime, RuntimeCall, RuntimeEvent, System, UNIT,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	parameter_types,
	traits::{ConstU32, InstanceFilter},
};
use scale_info::TypeInfo;

parameter_types! {
	/// Held for the room that a pending multisignature, a list of proxies or announcements takes.
	pub const DepositBase: Balance = UNIT;
	/// Held for each signatory, proxy or announcement in it.
	pub const DepositFactor: Balance = 100 * MILLI_UNIT;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = DepositBase;
	type DepositFactor = DepositFactor;
	type MaxSignatories = ConstU32<32>;
	type WeightInfo = crate::weights::multisig::SubstrateWeight<Runtime>;
	type BlockNumberProvider = System;
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = DepositBase;
	type ProxyDepositFactor = DepositFactor;
	type MaxProxies = ConstU32<16>;
	type WeightInfo = crate::weights::proxy::SubstrateWeight<Runtime>;
	type MaxPending = ConstU32<16>;
	type CallHasher = Hashing;
	type AnnouncementDepositBase = DepositBase;
	type AnnouncementDepositFactor = DepositFactor;
	type BlockNumberProvider = System;
}

/// What a proxy may do for the account that appointed it.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	#[codec(index = 0)]
	Any,
	/// Change keys: move a membership to a new account, register, replace and revoke keys of devices, set session
	/// keys. Whoever moves a membership can take it, so such a proxy is trusted with the membership. Keys of fleets are not
	/// among them: a head covers all members at once, and a roll only grows.
	#[codec(index = 1)]
	KeyRotation,
	/// Publish deliveries, and tell a device which of them answers what it asked for: what a server does that holds no key
	/// with a role. It refuses no device a certificate: that is a decision, and no publication.
	#[codec(index = 2)]
	Publishing,
	/// Observe, endorse, and say which fleets are there: what a server does that holds no key of an accredited account, or
	/// of a validator.
	#[codec(index = 3)]
	Attesting,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			Self::KeyRotation => matches!(
				call,
				RuntimeCall::Organisations(
					pallet_organisations::Call::hand_over { .. }
						| pallet_organisations::Call::cancel_hand_over { .. }
						| pallet_organisations::Call::accept_hand_over { .. }
				) | RuntimeCall::Dpki(
					pallet_dpki::Call::register_key { .. }
						| pallet_dpki::Call::replace_key { .. }
						| pallet_dpki::Call::announce_next_key { .. }
						| pallet_dpki::Call::revoke_key { .. }
						| pallet_dpki::Call::revoke_keys { .. }
						| pallet_dpki::Call::suspend_key { .. }
				) | RuntimeCall::Session(pallet_session::Call::set_keys { .. })
			),
			Self::Publishing => {
				matches!(
					call,
					RuntimeCall::Deliveries(
						pallet_deliveries::Call::publish { .. }
							| pallet_deliveries::Call::publish_shared { .. }
							| pallet_deliveries::Call::withdraw { .. }
					) | RuntimeCall::Requests(pallet_requests::Call::answer { .. })
				)
			},
			Self::Attesting => matches!(
				call,
				RuntimeCall::Certificates(
					pallet_certificates::Call::commit { .. }
						| pallet_certificates::Call::reveal { .. }
						| pallet_certificates::Call::endorse { .. }
						| pallet_certificates::Call::withdraw_endorsement { .. }
				) | RuntimeCall::Fleets(pallet_fleets::Call::vote { .. })
			),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		self == other || *self == Self::Any
	}
}
