// SPDX-License-Identifier: Apache-2.0

//! The runtime of the device PKI chain: composition only.
//!
//! What the chain does lives in pallets; this crate says which pallets there are, how they are
//! configured ([`configs`]), what clients may ask ([`apis`]), how a transaction is checked
//! ([`tx_extension`]), how a PKCS#10 request is judged ([`requests`]), what not even the council may do
//! ([`call_filter`]), what an upgrade does to the state ([`migrations`]) and how a chain begins
//! ([`genesis_config_presets`]). Two small pallets exist only to compose the others and therefore live
//! here: [`timing`] and [`mandate`].

#![cfg_attr(not(feature = "std"), no_std)]
// `#[frame_support::runtime]` recurses once per pallet.
#![recursion_limit = "256"]
// It also emits items without documentation into this module, as `impl_runtime_apis!` does into its
// own; the modules below ask for documentation again.
#![allow(missing_docs)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
#[warn(missing_docs)]
pub mod call_filter;
#[warn(missing_docs)]
pub mod configs;
#[warn(missing_docs)]
pub mod dpki_api;
#[warn(missing_docs)]
pub mod genesis_config_presets;
#[warn(missing_docs)]
pub mod mandate;
#[cfg(feature = "runtime-benchmarks")]
mod membership_benchmarks;
#[warn(missing_docs)]
pub mod migrations;
#[warn(missing_docs)]
pub mod requests;
#[cfg(feature = "runtime-benchmarks")]
mod session_benchmarks;
#[warn(missing_docs)]
pub mod timing;
#[warn(missing_docs)]
pub mod tx_extension;
#[warn(missing_docs)]
pub mod weights;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
	MultiAddress, MultiSignature, generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
};
use sp_version::RuntimeVersion;

pub use tx_extension::TxExtension;

/// Types that a node needs to move blocks about without looking into their transactions.
pub mod opaque {
	use super::{BlockNumber, Hashing};
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;
	use sp_runtime::generic;

	/// Block header.
	pub type Header = generic::Header<BlockNumber, Hashing>;
	/// Block whose transactions are bytes.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

impl_opaque_keys! {
	/// The keys with which a validator works during a session.
	#[derive(codec::MaxEncodedLen)]
	pub struct SessionKeys {
		/// Signs blocks.
		pub aura: Aura,
		/// Signs finality votes.
		pub grandpa: Grandpa,
	}
}

/// A runtime of this version. The attribute reads numbers only, and writes them into the blob where nodes look for them.
macro_rules! runtime_of {
	($spec_version:tt) => {
		/// What this runtime calls itself. `spec_version` grows with every upgrade; `transaction_version` whenever an
		/// existing call or extension changes its encoding.
		#[sp_version::runtime_version]
		pub const VERSION: RuntimeVersion = RuntimeVersion {
			spec_name: Cow::Borrowed("dpki"),
			impl_name: Cow::Borrowed("dpki"),
			authoring_version: 1,
			spec_version: $spec_version,
			impl_version: 1,
			apis: apis::RUNTIME_API_VERSIONS,
			transaction_version: 1,
			// State version 1: long values enter the trie as hashes, which keeps storage proofs small.
			system_version: 1,
		};
	};
}

#[cfg(not(feature = "rehearsal"))]
runtime_of!(1);
// The next one, to which chains of this one are upgraded in rehearsals.
#[cfg(feature = "rehearsal")]
runtime_of!(2);

/// Signature of a transaction.
pub type Signature = MultiSignature;
/// Account of a person, service or device on the chain.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Address in a transaction.
pub type Address = MultiAddress<AccountId, ()>;
/// Amount of the native token in its smallest unit.
pub type Balance = u128;
/// Number of transactions that an account has sent.
pub type Nonce = u32;
/// Hash of blocks, calls and state.
pub type Hash = sp_core::H256;
/// The hash function of the chain.
pub type Hashing = BlakeTwo256;
/// Number of a block.
pub type BlockNumber = u32;
/// Block header.
pub type Header = generic::Header<BlockNumber, Hashing>;
/// Transaction as it travels: signed, general (version 5, authorised by its extensions) or bare.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// Executes blocks: dispatches transactions to the pallets and runs their hooks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// One token.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a token.
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// A millionth of a token.
pub const MICRO_UNIT: Balance = UNIT / 1_000_000;

/// The pallets. The order of their indices is the order of genesis and hooks: accounts exist before
/// the session keys that refer to them, and the author of a block is known before the session that
/// may end in it. Indices are part of every encoded call: never reuse or move one. 13 was
/// `pallet-collective`'s; 26 is free. 20 to 25 and 27 to 29 belong to the PKI.
#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	/// The runtime.
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;

	#[runtime::pallet_index(1)]
	pub type Timing = crate::timing;

	#[runtime::pallet_index(2)]
	pub type Timestamp = pallet_timestamp;

	#[runtime::pallet_index(3)]
	pub type Balances = pallet_balances;

	#[runtime::pallet_index(4)]
	pub type TransactionPayment = pallet_transaction_payment;

	#[runtime::pallet_index(5)]
	pub type SkipFeelessPayment = pallet_skip_feeless_payment;

	#[runtime::pallet_index(6)]
	pub type Authorship = pallet_authorship;

	#[runtime::pallet_index(7)]
	pub type Aura = pallet_aura;

	#[runtime::pallet_index(8)]
	pub type Offences = pallet_offences;

	#[runtime::pallet_index(9)]
	pub type Historical = pallet_session::historical;

	#[runtime::pallet_index(10)]
	pub type Session = pallet_session;

	#[runtime::pallet_index(11)]
	pub type Grandpa = pallet_grandpa;

	#[runtime::pallet_index(12)]
	pub type ValidatorSet = pallet_validator_set;

	#[runtime::pallet_index(14)]
	pub type CouncilMembership = pallet_membership<Instance1>;

	#[runtime::pallet_index(15)]
	pub type Mandate = crate::mandate;

	#[runtime::pallet_index(16)]
	pub type Sudo = pallet_sudo;

	#[runtime::pallet_index(17)]
	pub type Motions = pallet_motions;

	#[runtime::pallet_index(18)]
	pub type Multisig = pallet_multisig;

	#[runtime::pallet_index(19)]
	pub type Proxy = pallet_proxy;

	#[runtime::pallet_index(20)]
	pub type Organisations = pallet_organisations;

	#[runtime::pallet_index(21)]
	pub type Dpki = pallet_dpki;

	#[runtime::pallet_index(22)]
	pub type Deliveries = pallet_deliveries;

	#[runtime::pallet_index(23)]
	pub type Certificates = pallet_certificates;

	#[runtime::pallet_index(24)]
	pub type Economy = pallet_economy;

	#[runtime::pallet_index(25)]
	pub type Fleets = pallet_fleets;

	#[runtime::pallet_index(27)]
	pub type Requests = pallet_requests;
}
