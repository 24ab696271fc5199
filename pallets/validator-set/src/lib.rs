#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod integrity;
mod keys;
mod membership;
mod offences;
mod queries;
mod sessions;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use keys::{MemberId, NothingMore, ServedKeys};
pub use pallet::*;
pub use weights::WeightInfo;

use dpki_primitives::validator::ValidatorRecord;

/// A validator with the types of the runtime.
pub type ValidatorOf<T> = ValidatorRecord<<T as frame_system::Config>::AccountId>;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{ValidatorOf, WeightInfo};
	use dpki_primitives::{
		ids::OrganisationId,
		organisation::Organisations,
		validator::{SessionIndex, ValidatorBounds},
	};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use pallet_session::historical;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The consortium's validators.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config
		+ pallet_session::Config<
			ValidatorId = <Self as frame_system::Config>::AccountId,
			Keys: MaxEncodedLen,
		> + historical::Config<FullIdentification = ()>
	{
		/// Who admits, disables, enables and removes validators.
		type ValidatorOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Which organisations there are.
		type Organisations: Organisations<Self::AccountId>;

		/// Whether no change of the set can be planned and no key can be set now. Finality takes one change at a time:
		/// while it waits for one that was forced, it would not hear of another.
		type ChangesHeld: Get<bool>;

		/// For how many sessions a double vote can still be proven.
		#[pallet::constant]
		type History: Get<SessionIndex>;

		/// The most validators that can be on record, those included that are leaving.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// Every validator, in the order of the accounts.
	#[pallet::storage]
	pub type Validators<T: Config> =
		StorageValue<_, BoundedVec<ValidatorOf<T>, T::MaxValidators>, ValueQuery>;

	/// How many validators there may be.
	#[pallet::storage]
	pub type Bounds<T: Config> = StorageValue<_, ValidatorBounds, ValueQuery, InitialBounds<T>>;

	/// The keys with which validators serve in this session. `pallet-session` forgets them as soon as a validator sets
	/// others for later; without them nothing could be proven of who does so.
	#[pallet::storage]
	pub type KeysInService<T: Config> =
		StorageValue<_, BoundedVec<(T::AccountId, T::Keys), T::MaxValidators>, ValueQuery>;

	/// Whether a validator had set other keys before changes were held, of which finality may not have heard. Then the first
	/// set that is planned afterwards is named even if it does not differ.
	#[pallet::storage]
	pub type HeldBack<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// The bounds of a chain whose genesis does not say otherwise.
	#[pallet::type_value]
	pub fn InitialBounds<T: Config>() -> ValidatorBounds {
		ValidatorBounds { minimum: 1, maximum: T::MaxValidators::get() }
	}

	/// How many validators there may be. Who they are at first is told by the genesis of `pallet-session`: all who have
	/// session keys there, for the consortium itself.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// How many have to serve at least; nothing means 1.
		pub minimum: Option<u32>,
		/// How many there may be at most; nothing means [`Config::MaxValidators`].
		pub maximum: Option<u32>,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// A genesis with bounds that cannot be kept is refused: the node does not start.
		fn build(&self) {
			let ValidatorBounds { minimum, maximum } = InitialBounds::<T>::get();
			let bounds = ValidatorBounds {
				minimum: self.minimum.unwrap_or(minimum),
				maximum: self.maximum.unwrap_or(maximum),
			};
			assert!(Pallet::<T>::are_possible(&bounds), "no set of validators has these bounds");
			Bounds::<T>::put(bounds);
			Pallet::<T>::check_founders();
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A validator was admitted. It serves from the session after next on, once it has session keys.
		ValidatorAdded {
			/// Which one.
			validator: T::AccountId,
			/// Who runs it.
			organisation: OrganisationId,
		},
		/// A validator was removed. It serves until the session after next.
		ValidatorRemoved {
			/// Which one.
			validator: T::AccountId,
		},
		/// A validator has left by itself. It serves until the session after next.
		ValidatorLeft {
			/// Which one.
			validator: T::AccountId,
		},
		/// A validator was disabled. It makes no blocks any more, and serves until the session after next.
		ValidatorDisabled {
			/// Which one.
			validator: T::AccountId,
		},
		/// A validator was enabled again, and what it did before is forgiven.
		ValidatorEnabled {
			/// Which one.
			validator: T::AccountId,
		},
		/// There may be another number of validators.
		BoundsSet {
			/// How many.
			bounds: ValidatorBounds,
		},
		/// A validator has voted for two blocks, and is removed for it.
		OffenderRemoved {
			/// Which one.
			validator: T::AccountId,
			/// In which session it did.
			session: SessionIndex,
		},
		/// A validator has voted for two blocks, and is kept because without it there would be too few. It makes no blocks
		/// if the set can do without, and is removed as soon as another one serves: admit one.
		OffenderKept {
			/// Which one.
			validator: T::AccountId,
			/// In which session it did.
			session: SessionIndex,
		},
		/// Another set, or other keys of the same, serve from this session on.
		SetPlanned {
			/// Which session.
			session: SessionIndex,
			/// How many validators are in the set.
			validators: u32,
		},
		/// A validator serves no more and was forgotten, with its session keys.
		ValidatorForgotten {
			/// Which one.
			validator: T::AccountId,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such organisation: create it first, or check the id.
		OrganisationUnknown,
		/// The account is a validator already: enable it if it is disabled.
		ValidatorExists,
		/// The account is no validator: check it, or admit it.
		ValidatorUnknown,
		/// The validator is leaving already: admit it again if it should stay.
		ValidatorIsLeaving,
		/// The validator is disabled already: nothing is left to do.
		ValidatorIsDisabled,
		/// The validator is enabled, and was not caught: nothing is left to do.
		ValidatorIsEnabled,
		/// Fewer validators would serve than the minimum: admit another one first and wait for its session keys, or lower
		/// the minimum.
		TooFewValidators,
		/// There would be more validators than the maximum: remove one first and wait until it is forgotten, or raise the
		/// maximum.
		TooManyValidators,
		/// No set of validators has these bounds: the minimum is at least 1, the maximum at least the minimum and at most
		/// `MaxValidators`.
		BoundsInvalid,
	}

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

	/// One thin call per intent.
	#[pallet::call(weight = <T as Config>::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Admits a validator, or keeps one that is leaving.
		///
		/// - **Who:** [`Config::ValidatorOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** the validator may set session keys; it serves from the session after the next end of a session at
		///   which it has them. Its account exists from now on, with or without tokens.
		/// - **Events:** [`Event::ValidatorAdded`].
		/// - **Refusals:** [`Error::OrganisationUnknown`], [`Error::ValidatorExists`], [`Error::TooManyValidators`].
		/// - **Complexity:** O(validators).
		#[pallet::call_index(0)]
		pub fn add_validator(
			origin: OriginFor<T>,
			validator: T::AccountId,
			organisation: OrganisationId,
		) -> DispatchResult {
			T::ValidatorOrigin::ensure_origin(origin)?;
			Self::admit(validator, organisation)
		}

		/// Removes a validator.
		///
		/// - **Who:** [`Config::ValidatorOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote. Operational, as every call that takes
		///   trust away.
		/// - **Changes:** the validator serves until the session after next, and is forgotten then with its keys.
		/// - **Events:** [`Event::ValidatorRemoved`].
		/// - **Refusals:** [`Error::ValidatorUnknown`], [`Error::ValidatorIsLeaving`], [`Error::TooFewValidators`].
		/// - **Complexity:** O(validators).
		#[pallet::call_index(1)]
		#[pallet::weight((<T as Config>::WeightInfo::remove_validator(), DispatchClass::Operational))]
		pub fn remove_validator(origin: OriginFor<T>, validator: T::AccountId) -> DispatchResult {
			T::ValidatorOrigin::ensure_origin(origin)?;
			Self::dismiss(&validator)?;
			Self::deposit_event(Event::ValidatorRemoved { validator });
			Ok(())
		}

		/// Disables a validator: it keeps its seat and its keys.
		///
		/// - **Who:** [`Config::ValidatorOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote. Operational, as every call that takes
		///   trust away.
		/// - **Changes:** the validator makes no blocks any more, unless as many as the set can do without are kept from it
		///   already; it votes on finality until the session after next, in which it does not serve.
		/// - **Events:** [`Event::ValidatorDisabled`], and `ValidatorDisabled` of `pallet-session`.
		/// - **Refusals:** [`Error::ValidatorUnknown`], [`Error::ValidatorIsLeaving`], [`Error::ValidatorIsDisabled`],
		///   [`Error::TooFewValidators`].
		/// - **Complexity:** O(validators).
		#[pallet::call_index(2)]
		#[pallet::weight((<T as Config>::WeightInfo::disable_validator(), DispatchClass::Operational))]
		pub fn disable_validator(origin: OriginFor<T>, validator: T::AccountId) -> DispatchResult {
			T::ValidatorOrigin::ensure_origin(origin)?;
			Self::disable(&validator)?;
			Self::deposit_event(Event::ValidatorDisabled { validator });
			Ok(())
		}

		/// Enables a validator that was disabled, or forgives one that was caught and kept.
		///
		/// - **Who:** [`Config::ValidatorOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** the validator makes blocks again if it is still in the set, and serves from the session after
		///   next on. Offences up to the present session count no more.
		/// - **Events:** [`Event::ValidatorEnabled`].
		/// - **Refusals:** [`Error::ValidatorUnknown`], [`Error::ValidatorIsLeaving`], [`Error::ValidatorIsEnabled`].
		/// - **Complexity:** O(validators).
		#[pallet::call_index(3)]
		pub fn enable_validator(origin: OriginFor<T>, validator: T::AccountId) -> DispatchResult {
			T::ValidatorOrigin::ensure_origin(origin)?;
			Self::enable(&validator)?;
			Self::deposit_event(Event::ValidatorEnabled { validator });
			Ok(())
		}

		/// Sets how many validators there may be.
		///
		/// - **Who:** [`Config::ValidatorOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** what later calls and offences are held against. Nobody comes or goes by it, but one that was
		///   caught and kept goes at the end of the session if the minimum allows it now.
		/// - **Events:** [`Event::BoundsSet`].
		/// - **Refusals:** [`Error::BoundsInvalid`], [`Error::TooFewValidators`], [`Error::TooManyValidators`].
		/// - **Complexity:** O(validators).
		#[pallet::call_index(4)]
		pub fn set_bounds(origin: OriginFor<T>, minimum: u32, maximum: u32) -> DispatchResult {
			T::ValidatorOrigin::ensure_origin(origin)?;
			let bounds = ValidatorBounds { minimum, maximum };
			Self::change_bounds(bounds)?;
			Self::deposit_event(Event::BoundsSet { bounds });
			Ok(())
		}

		/// Leaves the validators.
		///
		/// - **Who:** the validator itself.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** as [`Self::remove_validator`]. Its node has to go on until it serves no more.
		/// - **Events:** [`Event::ValidatorLeft`].
		/// - **Refusals:** [`Error::ValidatorUnknown`], [`Error::ValidatorIsLeaving`], [`Error::TooFewValidators`].
		/// - **Complexity:** O(validators).
		#[pallet::call_index(5)]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::dismiss(&validator)?;
			Self::deposit_event(Event::ValidatorLeft { validator });
			Ok(())
		}
	}
}
