#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod members;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

/// Most members that an organisation can have. A member is one account; larger staffs share accounts per team or
/// found further organisations. It bounds what a removal of the whole organisation, or an audit of it, has to read.
pub const MAX_MEMBERS: u32 = 1024;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{MAX_MEMBERS, WeightInfo};
	use dpki_primitives::{
		Moment,
		ids::{Name, OrganisationId},
		organisation::{OrganisationKind, OrganisationRecord, RoleSet},
		storage_keys,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{PalletInfoAccess, Time},
	};
	use frame_system::pallet_prelude::*;

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

		/// What the calls cost.
		type WeightInfo: WeightInfo;
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

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An organisation was created; its founder is its first member, with every role.
		OrganisationCreated {
			/// The organisation.
			organisation: OrganisationId,
			/// Its name.
			name: Name,
			/// What it is.
			kind: OrganisationKind,
			/// Who created it.
			founder: T::AccountId,
		},
		/// An account became a member.
		MemberAdded {
			/// Of which organisation.
			organisation: OrganisationId,
			/// The new member.
			account: T::AccountId,
			/// What it may do.
			roles: RoleSet,
			/// The administrator who added it.
			by: T::AccountId,
		},
		/// The roles of a member changed.
		MemberRolesChanged {
			/// In which organisation.
			organisation: OrganisationId,
			/// The member.
			account: T::AccountId,
			/// What it may do from now on.
			roles: RoleSet,
			/// The administrator who changed them.
			by: T::AccountId,
		},
		/// An account is a member no longer.
		MemberRemoved {
			/// Of which organisation.
			organisation: OrganisationId,
			/// Who left.
			account: T::AccountId,
			/// Who removed it: an administrator, or the account itself.
			by: T::AccountId,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The name does not follow `dpki_primitives::ids::is_valid_name`: choose 1 to 63 of `a-z`, `0-9`, `-`, `.`,
		/// with a letter or digit at both ends.
		NameInvalid,
		/// An organisation of this name exists: choose another one, or ask its administrator to be made a member.
		NameTaken,
		/// The signer is not an administrator of this organisation, or there is no such organisation: check the id,
		/// or ask an administrator.
		RoleMissing,
		/// The set of roles is empty: name at least one role, or call `remove_member`.
		RolesEmpty,
		/// The account is not a member of this organisation: check the account.
		MemberUnknown,
		/// The organisation has as many members as it can: remove one first.
		MemberLimitReached,
		/// Nobody could change the members any more: make another member an administrator first.
		LastAdministratorNeeded,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			const { assert!(MAX_MEMBERS > 0, "the founder has to fit") };
			assert_eq!(
				<Self as PalletInfoAccess>::name(),
				storage_keys::ORGANISATIONS,
				"devices look for the storage of this pallet under another name: rename it in the \
				 runtime",
			);
			let weights = T::BlockWeights::get();
			for (call, class, weight) in [
				("create", DispatchClass::Normal, T::WeightInfo::create()),
				("set_member", DispatchClass::Normal, T::WeightInfo::set_member()),
				("remove_member", DispatchClass::Normal, T::WeightInfo::remove_member()),
			] {
				let of_class = weights.get(class);
				let limit =
					of_class.max_extrinsic.or(of_class.max_total).unwrap_or(weights.max_block);
				assert!(weight.all_lte(limit), "the dearest `{call}` has to fit into a block");
			}
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Creates an organisation, of which the signer becomes the first member with every role.
		///
		/// - **Who:** any account.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the organisation and its first member.
		/// - **Events:** [`Event::OrganisationCreated`].
		/// - **Refusals:** [`Error::NameInvalid`], because names appear in commands and file names;
		///   [`Error::NameTaken`], because the id is the hash of the name.
		/// - **Complexity:** O(1).
		#[pallet::call_index(0)]
		pub fn create(origin: OriginFor<T>, name: Name, kind: OrganisationKind) -> DispatchResult {
			let founder = ensure_signed(origin)?;
			Self::do_create(founder, name, kind)
		}

		/// Adds a member, or gives an existing member another set of roles.
		///
		/// - **Who:** an administrator of the organisation.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the member's roles, and the counts in the organisation. Nothing if the member has exactly
		///   these roles already.
		/// - **Events:** [`Event::MemberAdded`] or [`Event::MemberRolesChanged`]; none if nothing changed.
		/// - **Refusals:** [`Error::RoleMissing`]; [`Error::RolesEmpty`], because a member without roles is none;
		///   [`Error::MemberLimitReached`], because everything is bounded; [`Error::LastAdministratorNeeded`], because
		///   an organisation without an administrator could never change again.
		/// - **Complexity:** O(1).
		#[pallet::call_index(1)]
		pub fn set_member(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			account: T::AccountId,
			roles: RoleSet,
		) -> DispatchResult {
			let by = ensure_signed(origin)?;
			Self::do_set_member(by, organisation, account, roles)
		}

		/// Removes a member with all its roles.
		///
		/// - **Who:** an administrator of the organisation, or the member itself.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** the member, and the counts in the organisation.
		/// - **Events:** [`Event::MemberRemoved`].
		/// - **Refusals:** [`Error::RoleMissing`]; [`Error::MemberUnknown`]; [`Error::LastAdministratorNeeded`],
		///   because an organisation without an administrator could never change again.
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		pub fn remove_member(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			account: T::AccountId,
		) -> DispatchResult {
			let by = ensure_signed(origin)?;
			Self::do_remove_member(by, organisation, account)
		}
	}
}
