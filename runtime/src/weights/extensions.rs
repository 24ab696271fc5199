// SPDX-License-Identifier: Apache-2.0

//! Weights of what every transaction passes, with each access to the database counted once.
//!
//! The framework measures each extension by itself, and so each declares the accesses that it would make alone. In a
//! transaction they meet: the account of the signer is read and written for its nonce, and what the fee changes is the same
//! record; the weight of the block is a value that every block writes once, whatever is in it.

use crate::Runtime;
use frame_support::weights::Weight;
use frame_system::{ExtensionsWeightInfo, SubstrateExtensionsWeight};
use pallet_transaction_payment::WeightInfo;

type Framework = SubstrateExtensionsWeight<Runtime>;
type FrameworkPayment = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;

/// One read and one write of a record that somebody else has declared.
fn declared_elsewhere() -> Weight {
	<Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1)
}

/// The extensions of `frame_system`.
pub struct System;

impl ExtensionsWeightInfo for System {
	fn check_genesis() -> Weight {
		Framework::check_genesis()
	}

	fn check_mortality_mortal_transaction() -> Weight {
		Framework::check_mortality_mortal_transaction()
	}

	fn check_mortality_immortal_transaction() -> Weight {
		Framework::check_mortality_immortal_transaction()
	}

	fn check_non_zero_sender() -> Weight {
		Framework::check_non_zero_sender()
	}

	fn check_nonce() -> Weight {
		Framework::check_nonce()
	}

	fn check_spec_version() -> Weight {
		Framework::check_spec_version()
	}

	fn check_tx_version() -> Weight {
		Framework::check_tx_version()
	}

	fn check_weight() -> Weight {
		Framework::check_weight()
	}

	fn weight_reclaim() -> Weight {
		Framework::weight_reclaim().saturating_sub(declared_elsewhere())
	}
}

/// The charge for a transaction.
pub struct Payment;

impl WeightInfo for Payment {
	fn charge_transaction_payment() -> Weight {
		<FrameworkPayment as WeightInfo>::charge_transaction_payment()
			.saturating_sub(declared_elsewhere())
	}
}
