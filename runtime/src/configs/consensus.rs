// SPDX-License-Identifier: Apache-2.0

//! Who makes blocks, who finalises them, and what happens to those who do both twice.

use super::governance::RootOrCouncil;
#[cfg(feature = "try-runtime")]
use crate::System;
use crate::{
	AccountId, Aura, Balance, Balances, BlockNumber, Offences, Organisations, Runtime,
	RuntimeEvent, Session, SessionKeys, ValidatorSet, timing,
};
use alloc::vec::Vec;
#[cfg(feature = "try-runtime")]
use frame_support::traits::DisabledValidators;
use frame_support::{
	parameter_types,
	traits::{ConstBool, ConstU32, Get, KeyOwnerProofSystem},
};
#[cfg(feature = "try-runtime")]
use frame_system::Phase;
use pallet_session::historical;
use pallet_validator_set::{MemberId, NothingMore, ServedKeys};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_runtime::traits::OpaqueKeys;
use sp_staking::{
	SessionIndex,
	offence::{Offence, OffenceError, ReportOffence},
};

/// Sessions for which an equivocation can still be proven: a week of ten-minute sessions.
pub const EQUIVOCATION_HISTORY: SessionIndex = 1_008;

parameter_types! {
	/// Block at which the first session ends, within a session's length.
	pub const SessionOffset: BlockNumber = 0;
	/// A validator is admitted by vote, not by deposit.
	pub const SessionKeyDeposit: Balance = 0;
	/// How many authority sets GRANDPA remembers, so that each proof of the history has its set.
	pub const MaxSetIdSessionEntries: u64 = EQUIVOCATION_HISTORY as u64;
	/// Sessions that are remembered.
	pub const History: SessionIndex = EQUIVOCATION_HISTORY;
	/// Blocks for which a validator's pool keeps an equivocation report: as long as it can be proven.
	pub ReportLongevity: u64 =
		EQUIVOCATION_HISTORY as u64 * timing::SessionBlocks::<Runtime>::get() as u64;
}

/// The most validators that a chain can have.
pub type MaxAuthorities = ConstU32<100>;

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type MaxAuthorities = MaxAuthorities;
	#[cfg(not(feature = "try-runtime"))]
	type DisabledValidators = Session;
	#[cfg(feature = "try-runtime")]
	type DisabledValidators = BarredWhenBlocksBegin;
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type SlotDuration = timing::SlotMillis<Runtime>;
}

/// What Aura knows of validators that are kept from making blocks, where its invariants are checked.
///
/// Aura refuses a block by somebody who is barred when the block begins. Its `try_state` asks the same after the block, and
/// finds fault with the author of each block in which that author is barred by the proof of a double vote, or in which other
/// authorities begin: neither is one. So the question is answered as in other runtimes while a block begins, and denied
/// where it means nothing.
#[cfg(feature = "try-runtime")]
pub struct BarredWhenBlocksBegin;

#[cfg(feature = "try-runtime")]
impl DisabledValidators for BarredWhenBlocksBegin {
	fn is_disabled(index: u32) -> bool {
		let is_over = matches!(System::execution_phase(), None | Some(Phase::Finalization));
		!is_over && Session::is_disabled(index)
	}

	fn disabled_validators() -> Vec<u32> {
		Session::disabled_validators()
	}
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
	type EventHandler = ();
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = MemberId<Runtime>;
	type ShouldEndSession = Sessions;
	type NextSessionRotation = Sessions;
	type SessionManager = historical::NoteHistoricalRoot<Self, ValidatorSet>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	// Nothing but an offence disables, and what follows from one is decided by the validators' own pallet.
	type DisablingStrategy = ();
	type WeightInfo = crate::weights::session::SubstrateWeight<Runtime>;
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
	type OnOffenceHandler = ValidatorSet;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
	type KeyOwnerProof = <ServedKeys<Runtime> as KeyOwnerProofSystem<(
		sp_core::crypto::KeyTypeId,
		GrandpaId,
	)>>::Proof;
	type EquivocationReportSystem = pallet_grandpa::EquivocationReportSystem<
		Self,
		FirstReports,
		ServedKeys<Runtime>,
		ReportLongevity,
	>;
}

/// What `pallet-offences` gets to know: double votes that change something, and no others, because it keeps each for ever.
pub struct FirstReports;

impl<O> ReportOffence<AccountId, historical::IdentificationTuple<Runtime>, O> for FirstReports
where
	O: Offence<historical::IdentificationTuple<Runtime>>,
	Offences: ReportOffence<AccountId, historical::IdentificationTuple<Runtime>, O>,
{
	fn report_offence(reporters: Vec<AccountId>, offence: O) -> Result<(), OffenceError> {
		let session = offence.session_index();
		let is_news = |(validator, ()): &(AccountId, ())| ValidatorSet::is_news(validator, session);
		if !offence.offenders().iter().any(is_news) {
			return Err(OffenceError::DuplicateReport);
		}
		Offences::report_offence(reporters, offence)
	}

	fn is_known_offence(
		offenders: &[historical::IdentificationTuple<Runtime>],
		time_slot: &<O as Offence<historical::IdentificationTuple<Runtime>>>::Slot,
	) -> bool {
		<Offences as ReportOffence<_, _, O>>::is_known_offence(offenders, time_slot)
	}
}

impl pallet_validator_set::Config for Runtime {
	type ValidatorOrigin = RootOrCouncil;
	type Organisations = Organisations;
	type ChangesHeld = FinalityIsForced;
	type History = History;
	type MaxValidators = MaxAuthorities;
	type WeightInfo = pallet_validator_set::weights::SubstrateWeight<Runtime>;
}

/// Sessions end every so many blocks, as the genesis says.
type Sessions = pallet_session::PeriodicSessions<timing::SessionBlocks<Runtime>, SessionOffset>;

/// Whether no change of the validators can be planned now.
///
/// GRANDPA in the runtime takes one change at a time. One that was forced waits for as many blocks as the
/// council has chosen; another session's change in the meantime would change who makes blocks, and
/// finality would never hear of it. So none begins between the note of a stall and the end of that wait.
pub struct FinalityIsForced;

impl Get<bool> for FinalityIsForced {
	fn get() -> bool {
		let forced = |change: pallet_grandpa::StoredPendingChange<_, _>| change.forced.is_some();
		pallet_grandpa::Stalled::<Runtime>::exists()
			// Another one than a forced one is over in the block in which it begins.
			|| pallet_grandpa::PendingChange::<Runtime>::get().is_some_and(forced)
	}
}
