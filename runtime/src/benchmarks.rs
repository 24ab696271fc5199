// SPDX-License-Identifier: Apache-2.0

//! What can be measured.

// The framework makes a macro of this list, which is used in this crate alone.
#![allow(clippy::crate_in_macro_def)]

use crate::{AccountId, SessionKeys};
use alloc::vec::Vec;
use codec::Encode;
use sp_keyring::Sr25519Keyring;

frame_benchmarking::define_benchmarks!(
	[frame_benchmarking, BaselineBench::<Runtime>]
	[frame_system, SystemBench::<Runtime>]
	[frame_system_extensions, SystemExtensionsBench::<Runtime>]
	[pallet_timestamp, Timestamp]
	[pallet_balances, Balances]
	[pallet_transaction_payment, TransactionPayment]
	[pallet_membership, MembershipBench::<Runtime>]
	[pallet_session, SessionBench::<Runtime>]
	[crate::mandate, Mandate]
	[dpki_crypto, CryptoBench::<Runtime>]
	[pallet_sudo, Sudo]
	[pallet_motions, Motions]
	[pallet_multisig, Multisig]
	[pallet_proxy, Proxy]
	[pallet_organisations, Organisations]
	[pallet_dpki, Dpki]
	[pallet_deliveries, Deliveries]
	[pallet_economy, Economy]
	[pallet_certificates, Certificates]
	[pallet_validator_set, ValidatorSet]
	[pallet_fleets, Fleets]
	[pallet_requests, Requests]
);

impl dpki_crypto::benchmarking::Config for crate::Runtime {}

impl crate::membership_benchmarks::Config for crate::Runtime {}

impl crate::session_benchmarks::Config for crate::Runtime {
	fn owner_with_keys() -> (AccountId, SessionKeys, Vec<u8>) {
		// A validator of every preset.
		let owner = Sr25519Keyring::Alice.to_account_id();
		let generated = SessionKeys::generate(&owner.encode(), None);
		(owner, generated.keys, generated.proof.encode())
	}
}

impl pallet_transaction_payment::BenchmarkConfig for crate::Runtime {}
