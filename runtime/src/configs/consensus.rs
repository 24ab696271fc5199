// SPDX-License-Identifier: Apache-2.0

//! Who makes blocks, who finalises them, and what happens to those who do both twice.

use crate::{
	AccountId, Aura, Balance, Balances, BlockNumber, Historical, Offences, Runtime, RuntimeEvent,
	Session, SessionKeys, timing,
};
use alloc::vec::Vec;
use frame_support::{
	parameter_types,
	traits::{ConstBool, ConstU32, KeyOwnerProofSystem},
};
use pallet_session::historical;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_runtime::traits::{Convert, ConvertInto, OpaqueKeys};
use sp_staking::SessionIndex;

/// Blocks per session: ten minutes at one second.
pub const SESSION_LENGTH: BlockNumber = 600;

/// Sessions for which an equivocation can still be proven: a week of ten-minute sessions.
pub const EQUIVOCATION_HISTORY: SessionIndex = 1_008;

parameter_types! {
	/// Blocks per session.
	pub const SessionLength: BlockNumber = SESSION_LENGTH;
	/// Block at which the first session ends, within a session's length.
	pub const SessionOffset: BlockNumber = 0;
	/// A validator is admitted by vote, not by deposit.
	pub const SessionKeyDeposit: Balance = 0;
	/// How many authority sets GRANDPA remembers, so that each proof of the history has its set.
	pub const MaxSetIdSessionEntries: u64 = EQUIVOCATION_HISTORY as u64;
	/// Blocks for which a validator's pool keeps an equivocation report.
	pub const ReportLongevity: u64 = EQUIVOCATION_HISTORY as u64 * SESSION_LENGTH as u64;
}

/// The most validators that a chain can have.
pub type MaxAuthorities = ConstU32<100>;

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type MaxAuthorities = MaxAuthorities;
	type DisabledValidators = Session;
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type SlotDuration = timing::SlotMillis<Runtime>;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
	type EventHandler = ();
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = pallet_session::PeriodicSessions<SessionLength, SessionOffset>;
	type NextSessionRotation = pallet_session::PeriodicSessions<SessionLength, SessionOffset>;
	type SessionManager = historical::NoteHistoricalRoot<Self, GenesisValidators>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = ();
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = SessionKeyDeposit;
}

impl historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = NothingMore;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = historical::IdentificationTuple<Self>;
	type OnOffenceHandler = ();
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
	type KeyOwnerProof =
		<Historical as KeyOwnerProofSystem<(sp_core::crypto::KeyTypeId, GrandpaId)>>::Proof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

/// A validator's account identifies it completely: there are no stakes or nominators to record.
pub struct NothingMore;

impl Convert<AccountId, Option<()>> for NothingMore {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

/// The validators of the genesis, for as long as the chain runs.
///
/// No session reports a new set: a report counts as a change even if the set is the same, and every
/// change starts a new GRANDPA set, which light clients have to follow one by one.
pub struct GenesisValidators;

impl pallet_session::SessionManager<AccountId> for GenesisValidators {
	fn new_session(_: SessionIndex) -> Option<Vec<AccountId>> {
		None
	}

	/// Everyone who has session keys, in the order of their accounts. They are named here, instead
	/// of leaving it to the session pallet, so that the history has the root of the first session
	/// to carry forward; without it no equivocation could be proven after the session it was in.
	fn new_session_genesis(_: SessionIndex) -> Option<Vec<AccountId>> {
		let mut validators: Vec<_> = pallet_session::NextKeys::<Runtime>::iter_keys().collect();
		validators.sort();
		Some(validators)
	}

	fn start_session(_: SessionIndex) {}

	/// Forgets one session per session, so that the history stays bounded.
	fn end_session(ended: SessionIndex) {
		if let Some(oldest) = ended.checked_sub(EQUIVOCATION_HISTORY) {
			Historical::prune_up_to(oldest);
		}
	}
}

impl historical::SessionManager<AccountId, ()> for GenesisValidators {
	fn new_session(_: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		None
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		<Self as pallet_session::SessionManager<_>>::new_session_genesis(index)
			.map(|validators| validators.into_iter().map(|validator| (validator, ())).collect())
	}

	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(index)
	}

	fn end_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(index)
	}
}
