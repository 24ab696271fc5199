#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod authority;
mod creation;
mod errors;
mod events;
mod hand_over;
mod integrity;
mod invitations;
mod members;
mod policy;
mod recovery;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use dpki_primitives::organisation::Authority;
pub use pallet::*;
pub use weights::WeightInfo;

use dpki_primitives::organisation::{HandOver, Invitation, Recovery};
use frame_support::{pallet_macros::import_section, traits::fungible::Inspect};
use frame_system::pallet_prelude::BlockNumberFor;

/// What is held as a deposit.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// A pending hand-over with the types of the runtime.
pub type HandOverOf<T> = HandOver<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// A pending invitation with the types of the runtime.
pub type InvitationOf<T> = Invitation<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// A pending recovery with the types of the runtime.
pub type RecoveryOf<T> = Recovery<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// Most members that an organisation can have. A member is one account; larger staffs share accounts per team or
/// found further organisations. It bounds what a removal of the whole organisation, or an audit of it, has to read.
pub const MAX_MEMBERS: u32 = 1024;

/// Most administrators, and most watchdogs, that an organisation can have: all of them may vote on a motion, and every
/// vote counts all ballots anew.
pub const MAX_BODY_SEATS: u32 = 64;

/// Most invitations of an organisation that can be pending. They are read and written as one value.
pub const MAX_INVITATIONS: u32 = 32;

/// Storage, calls and events; the rules are in the module named after their concept.
#[import_section(errors::errors)]
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
	use crate::{
		Authority, BalanceOf, HandOverOf, InvitationOf, MAX_INVITATIONS, RecoveryOf, WeightInfo,
	};
	use dpki_primitives::{
		Moment,
		economy::Departures,
		ids::{Name, OrganisationId},
		motion::Body,
		organisation::{Belongings, DeliveryPolicy, OrganisationKind, OrganisationRecord, RoleSet},
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{Time, fungible},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::Zero;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Who may act: organisations, their members and the members' roles.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The chain time.
		type Time: Time<Moment = Moment>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// What deposits are held in.
		type Currency: fungible::hold::Mutate<Self::AccountId, Reason = <Self as Config>::RuntimeHoldReason>;

		/// What a body of an organisation carried by vote.
		type BodyOrigin: EnsureOrigin<Self::RuntimeOrigin, Success = (OrganisationId, Body)>;

		/// What the council carried by vote.
		type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// What belongs to organisations elsewhere.
		type Belongings: Belongings;

		/// Who is told of memberships that have ended, and of organisations that begin and end.
		type Departures: Departures<Self::AccountId>;

		/// Held for an organisation from who creates it.
		#[pallet::constant]
		type Deposit: Get<BalanceOf<Self>>;

		/// For how many blocks a hand-over, or an invitation, can be accepted.
		#[pallet::constant]
		type HandOverPeriod: Get<BlockNumberFor<Self>>;

		/// For how many blocks a recovery can be objected to before it can be completed: longer than members are
		/// offline at a stretch.
		#[pallet::constant]
		type RecoveryDelay: Get<BlockNumberFor<Self>>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the room that an organisation takes.
		Organisation,
	}

	/// Every organisation. The id is the hash of the name, which is what makes names unique.
	#[pallet::storage]
	pub type Organisations<T: Config> =
		StorageMap<_, Identity, OrganisationId, OrganisationRecord, OptionQuery>;

	/// The roles of each member; who is not in here has none. Never holds an empty set.
	#[pallet::storage]
	pub type Members<T: Config> = StorageDoubleMap<
		_,
		Identity,
		OrganisationId,
		Blake2_128Concat,
		T::AccountId,
		RoleSet,
		OptionQuery,
	>;

	/// The organisations of each member, beside [`Members`]: who an account is to the consortium, in one read.
	#[pallet::storage]
	pub type Memberships<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Identity,
		OrganisationId,
		(),
		OptionQuery,
	>;

	/// Who paid the deposit of each organisation, and how much.
	#[pallet::storage]
	pub type Deposits<T: Config> =
		StorageMap<_, Identity, OrganisationId, (T::AccountId, BalanceOf<T>), OptionQuery>;

	/// When each organisation that is no more was dissolved. Its name stays taken: what was said about the old one must
	/// never be read as being about a new one.
	#[pallet::storage]
	pub type Dissolved<T: Config> = StorageMap<_, Identity, OrganisationId, Moment, OptionQuery>;

	/// To whom a member wants to move its membership.
	#[pallet::storage]
	pub type HandOvers<T: Config> = StorageDoubleMap<
		_,
		Identity,
		OrganisationId,
		Blake2_128Concat,
		T::AccountId,
		HandOverOf<T>,
		OptionQuery,
	>;

	/// Who is invited to each organisation, oldest first; those that have expired leave it when their place is needed. Holds
	/// no member of the organisation, and never an empty list.
	#[pallet::storage]
	pub type Invitations<T: Config> = StorageMap<
		_,
		Identity,
		OrganisationId,
		BoundedVec<InvitationOf<T>, ConstU32<MAX_INVITATIONS>>,
		ValueQuery,
	>;

	/// Who is to get a seat in a body whose keys were lost.
	#[pallet::storage]
	pub type Recoveries<T: Config> =
		StorageMap<_, Identity, OrganisationId, RecoveryOf<T>, OptionQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			Self::check_constants();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	/// What anybody may ask.
	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The organisation as stored.
		pub fn organisation(organisation: OrganisationId) -> Option<OrganisationRecord> {
			Organisations::<T>::get(organisation)
		}

		/// What the account may do in the organisation; `None` if it is no member.
		pub fn roles(organisation: OrganisationId, account: T::AccountId) -> Option<RoleSet> {
			Members::<T>::get(organisation, account)
		}

		/// To whom this member wants to move its membership.
		pub fn pending_hand_over(
			organisation: OrganisationId,
			from: T::AccountId,
		) -> Option<HandOverOf<T>> {
			HandOvers::<T>::get(organisation, from)
		}

		/// Who is to get a seat in a body of the organisation.
		pub fn pending_recovery(organisation: OrganisationId) -> Option<RecoveryOf<T>> {
			Recoveries::<T>::get(organisation)
		}

		/// When the organisation of this name was dissolved.
		pub fn dissolved_at(organisation: OrganisationId) -> Option<Moment> {
			Dissolved::<T>::get(organisation)
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Creates an organisation, of which the signer becomes the first member with every role. Its policy is
		/// [`DeliveryPolicy::Simple`].
		///
		/// - **Who:** any account.
		/// - **Cost:** the fee of its weight and length; [`Config::Deposit`] is held until the organisation is
		///   dissolved.
		/// - **Changes:** the organisation and its first member.
		/// - **Events:** [`Event::OrganisationCreated`].
		/// - **Refusals:** [`Error::NameInvalid`], because names appear in commands and file names;
		///   [`Error::NameTaken`], because the id is the hash of the name; [`Error::NameRetired`]; and the currency's
		///   refusal if the deposit is not there.
		/// - **Complexity:** O(1).
		#[pallet::call_index(0)]
		pub fn create(origin: OriginFor<T>, name: Name, kind: OrganisationKind) -> DispatchResult {
			let founder = ensure_signed(origin)?;
			Self::do_create(founder, name, kind, T::Deposit::get())
		}

		/// Invites an account to become a member, or gives an existing member another set of roles. A membership needs the
		/// consent of the account, which it gives by [`Call::join`]; roles do not.
		///
		/// - **Who:** an administrator of the organisation, for roles that its policy does not guard; its
		///   administrators by vote, for all but those that are the watchdogs' to give; its watchdogs by vote, for the
		///   role Watchdog under the policy [`DeliveryPolicy::Watchdogs`], and for no other.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the invitation, which takes the place of another one of the account; or the member's roles, and the
		///   counts in the organisation. Nothing if the member has exactly these roles already.
		/// - **Events:** [`Event::MemberInvited`] or [`Event::MemberRolesChanged`]; none if nothing changed.
		/// - **Refusals:** [`Error::RoleMissing`]; [`Error::VoteNeeded`], because who could choose the approvers alone
		///   could approve alone; [`Error::RolesEmpty`], because a member without roles is none;
		///   [`Error::MemberLimitReached`], [`Error::SeatLimitReached`], because everything is bounded;
		///   [`Error::InvitationLimitReached`]; [`Error::LastAdministratorNeeded`], because an organisation without an
		///   administrator could never change again; [`Error::PolicyNotMet`].
		/// - **Complexity:** linear in [`MAX_INVITATIONS`].
		#[pallet::call_index(1)]
		pub fn set_member(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			account: T::AccountId,
			roles: RoleSet,
		) -> DispatchResult {
			let by = Self::authority(origin, organisation)?;
			Self::do_set_member(by, organisation, account, roles)
		}

		/// Removes a member with all its roles, or withdraws an invitation.
		///
		/// - **Who:** as for [`Call::set_member`], for all roles that the member has; or the member itself, for roles
		///   that the policy does not guard. Whoever is invited can always decline.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the member, its pending hand-over, and the counts in the organisation.
		/// - **Events:** [`Event::MemberRemoved`] or [`Event::InvitationWithdrawn`].
		/// - **Refusals:** [`Error::RoleMissing`]; [`Error::VoteNeeded`]; [`Error::MemberUnknown`];
		///   [`Error::LastAdministratorNeeded`], because an organisation without an administrator could never change
		///   again; [`Error::PolicyNotMet`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		pub fn remove_member(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			account: T::AccountId,
		) -> DispatchResult {
			let by = Self::authority(origin, organisation)?;
			Self::do_remove_member(by, organisation, account)
		}

		/// Changes how deliveries are approved.
		///
		/// - **Who:** whom the *present* policy names: an administrator ([`DeliveryPolicy::Simple`]), two
		///   administrators by vote ([`DeliveryPolicy::MultiAdmin`]), the watchdogs by vote
		///   ([`DeliveryPolicy::Watchdogs`]).
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the policy, and with it who may change what.
		/// - **Events:** [`Event::PolicyChanged`]; none if nothing changed.
		/// - **Refusals:** [`Error::RoleMissing`]; [`Error::VoteNeeded`]; [`Error::PolicyNotMet`], because a policy
		///   that nobody can meet would end all deliveries, and could not be changed any more.
		/// - **Complexity:** O(1).
		#[pallet::call_index(3)]
		pub fn set_policy(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			policy: DeliveryPolicy,
		) -> DispatchResult {
			let by = Self::authority(origin, organisation)?;
			Self::do_set_policy(by, organisation, policy)
		}

		/// Offers the own membership, with all its roles, to another account: how a member changes its key. The other
		/// account proves that it holds its key by accepting. A later offer replaces this one.
		///
		/// - **Who:** a member of the organisation.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the pending hand-over of the member. The other account exists while it is pending, with or without
		///   tokens.
		/// - **Events:** [`Event::HandOverOffered`].
		/// - **Refusals:** [`Error::MemberUnknown`]; [`Error::MemberExists`], because two memberships in one account
		///   would be one.
		/// - **Complexity:** O(1).
		#[pallet::call_index(4)]
		pub fn hand_over(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			to: T::AccountId,
		) -> DispatchResult {
			let from = ensure_signed(origin)?;
			Self::do_hand_over(from, organisation, to)
		}

		/// Takes the own offer back.
		///
		/// - **Who:** the member who made it.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the pending hand-over of the member.
		/// - **Events:** [`Event::HandOverCancelled`].
		/// - **Refusals:** [`Error::HandOverUnknown`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(5)]
		pub fn cancel_hand_over(
			origin: OriginFor<T>,
			organisation: OrganisationId,
		) -> DispatchResult {
			let from = ensure_signed(origin)?;
			Self::do_cancel_hand_over(from, organisation)
		}

		/// Accepts the membership that `from` has offered.
		///
		/// - **Who:** the account to which it was offered.
		/// - **Cost:** none, as each offer is accepted once and was paid for; the fee of its weight and length if it is
		///   refused.
		/// - **Changes:** the membership moves with all roles that it has now; `from` is a member no longer, so its
		///   votes on open motions do not count any more.
		/// - **Events:** [`Event::MembershipMoved`].
		/// - **Refusals:** [`Error::HandOverUnknown`], [`Error::HandOverExpired`], [`Error::MemberExists`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(6)]
		#[pallet::feeless_if(
			|origin: &OriginFor<T>, organisation: &OrganisationId, from: &T::AccountId| -> bool {
				Pallet::<T>::can_accept_hand_over(origin, *organisation, from)
			}
		)]
		pub fn accept_hand_over(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			from: T::AccountId,
		) -> DispatchResult {
			let to = ensure_signed(origin)?;
			Self::do_accept_hand_over(to, organisation, from)
		}

		/// Begins to give an account a seat in a body whose keys were lost. Until it is completed, every present
		/// member of that body can call it off.
		///
		/// - **Who:** the council by vote, for either body; the organisation's administrators by vote, for a seat
		///   among themselves.
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** the pending recovery of the organisation.
		/// - **Events:** [`Event::RecoveryBegun`].
		/// - **Refusals:** [`Error::RoleMissing`]; [`Error::VoteNeeded`], because no account recovers alone;
		///   [`Error::BodyWithoutSay`]; [`Error::SeatTaken`]; [`Error::RecoveryPending`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(7)]
		pub fn begin_recovery(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			body: Body,
			account: T::AccountId,
		) -> DispatchResult {
			let by = Self::recovery_authority(origin, organisation)?;
			Self::do_begin_recovery(by, organisation, body, account)
		}

		/// Calls a recovery off: nobody was lost, or not to this account.
		///
		/// - **Who:** any account with a seat in the body that is to be recovered, and that body by vote; the council by
		///   vote.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the pending recovery of the organisation.
		/// - **Events:** [`Event::RecoveryCancelled`].
		/// - **Refusals:** [`Error::RecoveryUnknown`], [`Error::RoleMissing`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(8)]
		pub fn cancel_recovery(
			origin: OriginFor<T>,
			organisation: OrganisationId,
		) -> DispatchResult {
			let by = Self::recovery_authority(origin, organisation)?;
			Self::do_cancel_recovery(by, organisation)
		}

		/// Completes a recovery to which nobody has objected in time: the account takes its seat.
		///
		/// - **Who:** the account that is to get the seat, so that nobody becomes a member unasked.
		/// - **Cost:** none, as it can be done once; the fee of its weight and length if it is refused.
		/// - **Changes:** the account gets the role of the body, beside those that it has.
		/// - **Events:** [`Event::RecoveryCompleted`].
		/// - **Refusals:** [`Error::RecoveryUnknown`], [`Error::RecoveryForAnother`], [`Error::RecoveryNotReady`];
		///   [`Error::MemberLimitReached`], [`Error::SeatLimitReached`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(9)]
		#[pallet::feeless_if(|origin: &OriginFor<T>, organisation: &OrganisationId| -> bool {
			Pallet::<T>::can_complete_recovery(origin, *organisation)
		})]
		pub fn complete_recovery(
			origin: OriginFor<T>,
			organisation: OrganisationId,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_complete_recovery(account, organisation)
		}

		/// Dissolves an organisation that nothing refers to. Its name never comes back.
		///
		/// - **Who:** who may change its policy.
		/// - **Cost:** the fee of its weight and length; the deposit returns to who paid it.
		/// - **Changes:** the organisation and its last member are removed; that it was dissolved stays.
		/// - **Events:** [`Event::OrganisationDissolved`].
		/// - **Refusals:** [`Error::RoleMissing`], [`Error::VoteNeeded`]; [`Error::MembersLeft`], also for invitations,
		///   [`Error::BelongingsLeft`], because only what is empty is removed.
		/// - **Complexity:** O(1).
		#[pallet::call_index(10)]
		pub fn dissolve(origin: OriginFor<T>, organisation: OrganisationId) -> DispatchResult {
			let by = Self::authority(origin, organisation)?;
			Self::do_dissolve(by, organisation)
		}

		/// Creates an organisation without a deposit, of which `founder` becomes the first member with every role. This is
		/// how organisations come into a consortium without fees, where the deposit is the only bound on accounts that act
		/// for nothing. The word of the council stands for the consent of the founder.
		///
		/// - **Who:** the council by vote.
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** the organisation and its first member.
		/// - **Events:** [`Event::OrganisationCreated`].
		/// - **Refusals:** [`Error::NameInvalid`], [`Error::NameTaken`], [`Error::NameRetired`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::create())]
		pub fn admit(
			origin: OriginFor<T>,
			founder: T::AccountId,
			name: Name,
			kind: OrganisationKind,
		) -> DispatchResult {
			T::CouncilOrigin::ensure_origin(origin)?;
			Self::do_create(founder, name, kind, Zero::zero())
		}

		/// Accepts an invitation: the signer becomes a member with the roles to which it was invited.
		///
		/// - **Who:** the account that was invited.
		/// - **Cost:** none, as each invitation is accepted once and was paid for; the fee of its weight and length if it is
		///   refused.
		/// - **Changes:** the member, and the counts in the organisation; the invitation ends.
		/// - **Events:** [`Event::MemberAdded`].
		/// - **Refusals:** [`Error::InvitationUnknown`], [`Error::InvitationExpired`]; [`Error::InvitationVoid`], because
		///   whoever invited must have the say when it counts; [`Error::MemberLimitReached`],
		///   [`Error::SeatLimitReached`].
		/// - **Complexity:** linear in [`MAX_INVITATIONS`].
		#[pallet::call_index(12)]
		#[pallet::feeless_if(|origin: &OriginFor<T>, organisation: &OrganisationId| -> bool {
			Pallet::<T>::can_join(origin, *organisation)
		})]
		pub fn join(origin: OriginFor<T>, organisation: OrganisationId) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_join(account, organisation)
		}
	}
}
