// SPDX-License-Identifier: Apache-2.0

//! Calls that are refused although the pallet that has them would carry them out.

use crate::{RuntimeCall, mandate};
use frame_support::traits::Contains;

/// What accounts may call: everything but `Session::purge_keys`. A validator that throws its keys away in service
/// would leave the set at once, and the last ones that do so would stop the chain; who wants to go calls
/// `ValidatorSet::leave`, which takes the keys away when they serve no more.
pub struct TransactionFilter;

impl Contains<RuntimeCall> for TransactionFilter {
	fn contains(call: &RuntimeCall) -> bool {
		!matches!(call, RuntimeCall::Session(pallet_session::Call::purge_keys {}))
	}
}

/// What [`mandate`] may carry out as root: everything but the calls of `pallet-sudo`, which takes
/// root for its administrator and would let a motion appoint one. A call that carries another one is
/// judged by what it carries.
pub struct MandateFilter;

impl Contains<RuntimeCall> for MandateFilter {
	fn contains(call: &RuntimeCall) -> bool {
		match call {
			RuntimeCall::Sudo(_) => false,
			RuntimeCall::Mandate(mandate::Call::dispatch_as_root { call })
			| RuntimeCall::Motions(pallet_motions::Call::propose { call, .. })
			| RuntimeCall::Multisig(
				pallet_multisig::Call::as_multi { call, .. }
				| pallet_multisig::Call::as_multi_threshold_1 { call, .. },
			)
			| RuntimeCall::Proxy(
				pallet_proxy::Call::proxy { call, .. }
				| pallet_proxy::Call::proxy_announced { call, .. },
			) => Self::contains(call),
			_ => true,
		}
	}
}
