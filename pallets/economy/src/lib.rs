#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod charges;
mod deposits;
pub mod extension;
mod fees;
mod integrity;
mod queries;
mod quotas;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use extension::Metered;
pub use fees::ToPot;
pub use pallet::*;
pub use quotas::Sponsor;
pub use weights::WeightInfo;

use dpki_primitives::economy::Deposit;
use frame_support::traits::fungible::Inspect;

/// An amount of what is paid.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// A recorded deposit with the types of the runtime.
pub type DepositOf<T> = Deposit<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// Most deposits that wait to be returned once more. What has no place here is still recorded, see [`Deposits`].
pub const MAX_OWED: u32 = 64;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{BalanceOf, DepositOf, MAX_OWED, WeightInfo};
	use alloc::{string::String, vec::Vec};
	use dpki_primitives::{
		economy::{
			Allowance, Bucket, Operation, QuotaPolicies, QuotaPolicy, Resource, ResourceKind,
			Sponsors,
		},
		ids::OrganisationId,
	};
	use frame_support::{
		PalletId,
		pallet_prelude::*,
		traits::{Contains, fungible},
	};
	use frame_system::pallet_prelude::*;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// What things cost.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// What is paid in.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId, Reason = <Self as Config>::RuntimeHoldReason>;

		/// Who sets fees, deposits, quotas and the switch.
		type EconomyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Which organisations answer for an account.
		type Organisations: Sponsors<Self::AccountId>;

		/// For whom the council answers: its trustees.
		type Trustees: Contains<Self::AccountId>;

		/// Who makes the present block, if anybody is known to.
		type Author: Get<Option<Self::AccountId>>;

		/// Yields the account in which fees wait for the author of the block. It holds the existential deposit from the
		/// genesis on, so that it can take the smallest amount.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// The fee for which one unit of a quota stands, in the smallest units of the currency.
		#[pallet::constant]
		type QuotaUnit: Get<u128>;

		/// The smallest capacity that a quota can be given, in units: enough for the dearest call with which the council
		/// could raise it again.
		#[pallet::constant]
		type MinCapacity: Get<u64>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the room that a device, a key, an anchor, a voucher, a fleet or a certificate takes.
		Resource,
	}

	/// Whether trustees, validators and members of organisations pay with quotas instead of fees, and nothing new is charged or held.
	#[pallet::storage]
	pub type Feeless<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// The fee of each operation; what is not in here is free.
	#[pallet::storage]
	pub type Fees<T: Config> = StorageMap<_, Identity, Operation, BalanceOf<T>, ValueQuery>;

	/// The deposit for each kind of resource; what is not in here needs none.
	#[pallet::storage]
	pub type DepositSchedule<T: Config> =
		StorageMap<_, Identity, ResourceKind, BalanceOf<T>, ValueQuery>;

	/// What is held, for what, and of whose. Nothing is held for a resource that is not in here.
	#[pallet::storage]
	pub type Deposits<T: Config> =
		StorageMap<_, Blake2_128Concat, Resource, DepositOf<T>, OptionQuery>;

	/// Whose deposits were to return and could not: each is tried again, the oldest first.
	#[pallet::storage]
	pub type Owed<T: Config> =
		StorageValue<_, BoundedVec<Resource, ConstU32<MAX_OWED>>, ValueQuery>;

	/// How much can be done for nothing while the chain is feeless.
	#[pallet::storage]
	pub type Policies<T: Config> = StorageValue<_, QuotaPolicies, ValueQuery>;

	/// What accounts have taken of their quotas. Who is not in here has taken nothing.
	#[pallet::storage]
	pub type AccountBuckets<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Bucket, ValueQuery>;

	/// What the members of organisations have together taken of its quota. A new organisation has nothing left of it; one that
	/// is not in here has all.
	#[pallet::storage]
	pub type OrganisationBuckets<T: Config> =
		StorageMap<_, Identity, OrganisationId, Bucket, ValueQuery>;

	/// With which prices a chain begins. Operations and resources are named as clients name them; the policies are the
	/// defaults unless they are given.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Whether the chain begins feeless.
		pub feeless: bool,
		/// The fees of operations, by name.
		pub fees: Vec<(String, BalanceOf<T>)>,
		/// The deposits for resources, by name of the kind.
		pub deposits: Vec<(String, BalanceOf<T>)>,
		/// Capacity and refill of the quota of an account.
		pub account_quota: Option<(u64, u64)>,
		/// Capacity and refill of the quota of an organisation.
		pub organisation_quota: Option<(u64, u64)>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// A genesis that names what does not exist, or quotas that lock everybody out, is refused: the node does not start.
		fn build(&self) {
			Feeless::<T>::put(self.feeless);
			for (name, amount) in &self.fees {
				let operation = Operation::from_name(name)
					.unwrap_or_else(|| panic!("no operation has the name {name}"));
				Pallet::<T>::put_fee(operation, *amount);
			}
			for (name, amount) in &self.deposits {
				let kind = ResourceKind::from_name(name)
					.unwrap_or_else(|| panic!("no kind of resource has the name {name}"));
				Pallet::<T>::put_deposit(kind, *amount);
			}
			let given = |quota: Option<(u64, u64)>, default| {
				quota.map_or(default, |(capacity, refill)| QuotaPolicy { capacity, refill })
			};
			let QuotaPolicies { account, organisation } = QuotaPolicies::default();
			let policies = QuotaPolicies {
				account: given(self.account_quota, account),
				organisation: given(self.organisation_quota, organisation),
			};
			assert!(Pallet::<T>::is_usable(&policies), "the quotas would lock everybody out");
			Policies::<T>::put(policies);
			Pallet::<T>::found_pot();
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// The switch was set.
		FeelessSet {
			/// Whether the chain is feeless from now on.
			feeless: bool,
		},
		/// An operation has another fee.
		FeeSet {
			/// Which operation.
			operation: Operation,
			/// The fee from now on.
			amount: BalanceOf<T>,
		},
		/// A kind of resource needs another deposit, from now on. What is held already does not change.
		DepositSet {
			/// Which kind.
			kind: ResourceKind,
			/// The deposit for new ones.
			amount: BalanceOf<T>,
		},
		/// The quotas changed, also of those who are waiting.
		QuotasSet {
			/// The quotas from now on.
			policies: QuotaPolicies,
		},
		/// Operations were charged for.
		Charged {
			/// Who paid.
			payer: T::AccountId,
			/// For what.
			operation: Operation,
			/// For how many.
			count: u32,
			/// For all of them together.
			amount: BalanceOf<T>,
		},
		/// A deposit is held.
		DepositHeld {
			/// For what.
			resource: Resource,
			/// Who paid it.
			payer: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A deposit is held for another thing: a voucher became a device.
		DepositPassedOn {
			/// For what it was held.
			from: Resource,
			/// For what it is held.
			to: Resource,
		},
		/// A deposit went back to who had paid it.
		DepositReturned {
			/// For what it was held.
			resource: Resource,
			/// Who has it again.
			payer: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A deposit could not go back yet. It stays recorded, and is tried again.
		DepositOwed {
			/// For what it was held.
			resource: Resource,
			/// Who is to have it again.
			payer: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// The author of this block got what had been paid.
		AuthorPaid {
			/// Who made the block.
			author: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// With a capacity below `MinCapacity`, or without any refill, the council could not vote for better quotas: give
		/// it more.
		QuotaTooSmall,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			let weight = T::WeightInfo::pay_author();
			// What cannot be paid in a full block is paid to the author of the next one that has room.
			if remaining.any_lt(weight) {
				return Weight::zero();
			}
			Self::pay_author();
			let owed = T::WeightInfo::return_owed();
			if !Owed::<T>::exists() || remaining.saturating_sub(weight).any_lt(owed) {
				return weight;
			}
			Self::return_owed();
			weight.saturating_add(owed)
		}

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
		/// The fee of every operation, as scheduled: the switch does not change the schedule.
		pub fn tariff() -> Vec<(Operation, BalanceOf<T>)> {
			Operation::ALL.into_iter().map(|it| (it, Fees::<T>::get(it))).collect()
		}

		/// The deposit for every kind of resource, as scheduled.
		pub fn deposit_schedule() -> Vec<(ResourceKind, BalanceOf<T>)> {
			ResourceKind::ALL
				.into_iter()
				.map(|it| (it, DepositSchedule::<T>::get(it)))
				.collect()
		}

		/// What the account can still do for nothing; `None` if it pays.
		pub fn quota(account: T::AccountId) -> Option<Allowance> {
			Self::allowance(&account)
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Sets the fee of an operation.
		///
		/// - **Who:** [`Config::EconomyOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** what is charged from now on; zero makes the operation free.
		/// - **Events:** [`Event::FeeSet`].
		/// - **Refusals:** none of its own.
		/// - **Complexity:** O(1).
		#[pallet::call_index(0)]
		pub fn set_fee(
			origin: OriginFor<T>,
			operation: Operation,
			amount: BalanceOf<T>,
		) -> DispatchResult {
			T::EconomyOrigin::ensure_origin(origin)?;
			Self::put_fee(operation, amount);
			Self::deposit_event(Event::FeeSet { operation, amount });
			Ok(())
		}

		/// Sets the deposit for a kind of resource.
		///
		/// - **Who:** [`Config::EconomyOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** what is held for new resources; what is held for others, and returns, stays what it is.
		/// - **Events:** [`Event::DepositSet`].
		/// - **Refusals:** none of its own.
		/// - **Complexity:** O(1).
		#[pallet::call_index(1)]
		pub fn set_deposit(
			origin: OriginFor<T>,
			kind: ResourceKind,
			amount: BalanceOf<T>,
		) -> DispatchResult {
			T::EconomyOrigin::ensure_origin(origin)?;
			Self::put_deposit(kind, amount);
			Self::deposit_event(Event::DepositSet { kind, amount });
			Ok(())
		}

		/// Turns fees off for those who are known to the consortium, or on again.
		///
		/// - **Who:** [`Config::EconomyOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** while it is on, transactions of trustees, of validators and of members of organisations take from
		///   quotas, and nobody is charged for an operation or pays a new deposit; applications for certificates cost
		///   all of these nothing but quota. Deposits and escrows that are held stay held, and are returned or paid in full.
		///   Everybody else pays for transactions and applications as before.
		/// - **Events:** [`Event::FeelessSet`].
		/// - **Refusals:** none of its own.
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		pub fn set_feeless(origin: OriginFor<T>, feeless: bool) -> DispatchResult {
			T::EconomyOrigin::ensure_origin(origin)?;
			Feeless::<T>::put(feeless);
			Self::deposit_event(Event::FeelessSet { feeless });
			Ok(())
		}

		/// Sets how much can be done for nothing while the chain is feeless.
		///
		/// - **Who:** [`Config::EconomyOrigin`].
		/// - **Cost:** the fee of its weight and length, paid with the deciding vote.
		/// - **Changes:** the quotas of all accounts and organisations, at once: what was taken stays taken.
		/// - **Events:** [`Event::QuotasSet`].
		/// - **Refusals:** [`Error::QuotaTooSmall`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(3)]
		pub fn set_quotas(origin: OriginFor<T>, policies: QuotaPolicies) -> DispatchResult {
			T::EconomyOrigin::ensure_origin(origin)?;
			ensure!(Self::is_usable(&policies), Error::<T>::QuotaTooSmall);
			Policies::<T>::put(policies);
			Self::deposit_event(Event::QuotasSet { policies });
			Ok(())
		}
	}
}
