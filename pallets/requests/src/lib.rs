#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod answers;
mod filing;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod waiting;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{WeightInfo, filing::Statement};
	use alloc::vec::Vec;
	use dpki_primitives::{
		Moment,
		certificate::Page,
		channel::ChannelId,
		delivery::DeliveryRegister,
		filing::{
			FILING_LIFETIME, Filer, Filing, FilingBody, FilingContent, FilingKind, FilingPlace,
			MAX_FILINGS_PER_DEVICE, Objection, slots,
		},
		ids::{DeviceId, KeyId, OrganisationId},
		key::Signature,
		organisation::Organisations,
		registry::Registry,
		storage_keys,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{PalletInfoAccess, Time},
	};
	use frame_system::pallet_prelude::*;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Certificates that devices ask for.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<Hash: Into<[u8; 32]>> {
		/// Who may answer for whom.
		type Organisations: Organisations<Self::AccountId>;

		/// The devices and their keys.
		type Registry: Registry;

		/// What was delivered to them.
		type Deliveries: DeliveryRegister;

		/// The chain time.
		type Time: Time<Moment = Moment>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// What each device has filed, and what became of it, by slot. A filing that was answered or refused stays until another
	/// takes its slot, so that the device can prove the answer.
	#[pallet::storage]
	pub type Filings<T: Config> =
		StorageDoubleMap<_, Identity, DeviceId, Identity, u8, Filing, OptionQuery>;

	/// What the filings that wait are about. They are forgotten when somebody has answered.
	#[pallet::storage]
	pub type Contents<T: Config> =
		StorageDoubleMap<_, Identity, DeviceId, Identity, u8, FilingContent, OptionQuery>;

	/// What each device that ever filed anything may say next.
	#[pallet::storage]
	pub type Filers<T: Config> = StorageMap<_, Identity, DeviceId, Filer, ValueQuery>;

	/// How many filings wait for each organisation, those whose time is over included.
	#[pallet::storage]
	pub type WaitingCount<T: Config> = StorageMap<_, Identity, OrganisationId, u32, ValueQuery>;

	/// Which these are, by position, in no order.
	#[pallet::storage]
	pub type Waiting<T: Config> =
		StorageDoubleMap<_, Identity, OrganisationId, Identity, u32, FilingPlace, OptionQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A device asks for a certificate.
		RequestFiled {
			/// Which device.
			device: DeviceId,
			/// In which slot.
			slot: u8,
			/// Which organisation is to answer.
			organisation: OrganisationId,
			/// For what.
			content: [u8; 32],
			/// Last moment at which it waits for an answer.
			expires_at: Moment,
		},
		/// A device does not ask for a certificate any more.
		RequestWithdrawn {
			/// Which device.
			device: DeviceId,
			/// In which slot it was.
			slot: u8,
			/// What was asked for.
			content: [u8; 32],
		},
		/// A certificate was delivered, as the answer to a device that had asked for it.
		RequestAnswered {
			/// Which device.
			device: DeviceId,
			/// In which slot.
			slot: u8,
			/// What was asked for.
			content: [u8; 32],
			/// The channel of the device on which it was delivered.
			channel: ChannelId,
			/// The number of the delivery on that channel.
			sequence: u64,
			/// Who says so.
			by: T::AccountId,
		},
		/// A device gets no certificate.
		RequestRefused {
			/// Which device.
			device: DeviceId,
			/// In which slot.
			slot: u8,
			/// What was asked for.
			content: [u8; 32],
			/// Why not.
			objection: Objection,
			/// Who says so.
			by: T::AccountId,
		},
		/// What nobody would answer any more was removed.
		RequestCleared {
			/// Which device had asked.
			device: DeviceId,
			/// In which slot it was.
			slot: u8,
			/// For what.
			content: [u8; 32],
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// What the device says was refused: look up its number in `dpki_primitives::refusal::Refusal`, which says what to
		/// do.
		StatementRefused(u8),
		/// No such request waits in this slot of the device: it was answered already, withdrawn, or another one took its
		/// place. Look at what waits now before you answer it.
		FilingUnknown,
		/// The time of the request is over, or its key was revoked: have the device ask again.
		FilingExpired,
		/// The signer has not the role Publisher in the organisation of the device: ask its administrator.
		RoleMissing,
		/// No delivery of this number is there for the device on this channel: nobody has published it, it was withdrawn, or the
		/// time for its approvals is over. Deliver the certificate first, and give its number and its channel.
		DeliveryMissing,
		/// The request waits yet, and its device can use an answer: answer it, or wait until its time is over.
		FilingWaits,
		/// A newer delivery on this channel has taken the place of the one that is named: give the number of the newest one, if
		/// it still brings the certificate, or deliver it again.
		DeliveryOutdated,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			const {
				assert!(MAX_FILINGS_PER_DEVICE > 0, "a device has to have a slot");
				assert!(FILING_LIFETIME > 0, "there has to be a time in which to answer");
			};
			assert_eq!(
				<Self as PalletInfoAccess>::name(),
				storage_keys::REQUESTS,
				"devices look for the storage of this pallet under another name: rename it in the \
				 runtime",
			);
			let file = T::WeightInfo::file().saturating_add(T::WeightInfo::authorize_file());
			let withdraw =
				T::WeightInfo::withdraw().saturating_add(T::WeightInfo::authorize_withdraw());
			let of_class = T::BlockWeights::get();
			let of_class = of_class.get(DispatchClass::Normal);
			let limit = of_class
				.max_extrinsic
				.or(of_class.max_total)
				.unwrap_or(T::BlockWeights::get().max_block);
			let ends = [
				("answer", T::WeightInfo::answer()),
				("refuse", T::WeightInfo::refuse()),
				("clear", T::WeightInfo::clear()),
			];
			for (call, weight) in [("file", file), ("withdraw", withdraw)].into_iter().chain(ends) {
				assert!(weight.all_lte(limit), "the dearest `{call}` has to fit into a block");
			}
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	/// What anybody may ask.
	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What is in the slots of a device.
		pub fn filings_of(device: DeviceId) -> Vec<(u8, Filing)> {
			slots()
				.filter_map(|slot| Some((slot, Filings::<T>::get(device, slot)?)))
				.collect()
		}

		/// What a filing that waits is about.
		pub fn content(device: DeviceId, slot: u8) -> Option<FilingContent> {
			Contents::<T>::get(device, slot)
		}

		/// What a device may say next.
		pub fn filer(device: DeviceId) -> Filer {
			Filers::<T>::get(device)
		}

		/// Those that wait for an organisation, from position `start`.
		pub fn waiting_for(organisation: OrganisationId, start: u32) -> Page<FilingPlace> {
			let total = WaitingCount::<T>::get(organisation);
			Page::of(total, start, |position| Waiting::<T>::get(organisation, position))
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Asks for a certificate.
		///
		/// - **Who:** anyone, in a general transaction without signer: the right to it is the signature by `key`, a valid
		///   signing key of the device, over [`Action::FileRequest`](dpki_primitives::context::Action::FileRequest) with
		///   `number` as its nonce.
		/// - **Cost:** nothing, as a device has no balance; one of the filings that the device has at hand, which come back
		///   with time.
		/// - **Changes:** what is in this slot of the device, whatever was there before; the list of what waits for its
		///   organisation; the number of the next statement.
		/// - **Events:** [`Event::RequestFiled`].
		/// - **Refusals:** before it enters the pool, as the number of a
		///   [`Refusal`](dpki_primitives::refusal::Refusal): `SignatureExpired`, `RequestMalformed`, `DeviceUnknown`,
		///   `DeviceRevoked`, `DeviceOnHold`, `RequestNumberWrong`, `RequestQuotaExhausted`, `RequestSignatureInvalid`. What of these depends
		///   on the state is judged again at dispatch, where it ends in [`Error::StatementRefused`].
		/// - **Complexity:** O(1), dominated by the verification of one signature. The body is hashed, and not read.
		#[pallet::call_index(0)]
		#[pallet::authorize(
			|_source, &device, &slot, kind, body, &number, &key, &expires_at, signature| {
				let content = kind.content(body);
				let statement = Statement { device, slot, content, number, key, expires_at };
				Self::authorize_file(statement, kind, body, signature)
			}
		)]
		pub fn file(
			origin: OriginFor<T>,
			device: DeviceId,
			slot: u8,
			kind: FilingKind,
			body: FilingBody,
			number: u64,
			key: KeyId,
			expires_at: Moment,
			signature: Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let content = kind.content(&body);
			let statement = Statement { device, slot, content, number, key, expires_at };
			Self::do_file(statement, kind, body, signature)
		}

		/// Takes a request back.
		///
		/// - **Who:** as for [`Call::file`], with a signature over
		///   [`Action::WithdrawRequest`](dpki_primitives::context::Action::WithdrawRequest).
		/// - **Cost:** nothing. It is possible once per filing, each of which took from the quota of the device.
		/// - **Changes:** the slot is empty, and nothing of it waits any more.
		/// - **Events:** [`Event::RequestWithdrawn`].
		/// - **Refusals:** as for [`Call::file`]; `RequestUnknown` if nothing in the slot waits.
		/// - **Complexity:** O(1), dominated by the verification of one signature.
		#[pallet::call_index(1)]
		#[pallet::authorize(
			|_source, &device, &slot, &content, &number, &key, &expires_at, signature| {
				let statement = Statement { device, slot, content, number, key, expires_at };
				Self::authorize_withdraw(statement, signature)
			}
		)]
		pub fn withdraw(
			origin: OriginFor<T>,
			device: DeviceId,
			slot: u8,
			content: [u8; 32],
			number: u64,
			key: KeyId,
			expires_at: Moment,
			_signature: Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let statement = Statement { device, slot, content, number, key, expires_at };
			Self::do_withdraw(statement)
		}

		/// Tells a device in which delivery its certificate is, and on which of its channels.
		///
		/// - **Who:** an account with the role Publisher in the device's organisation.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** what became of the filing; what it was about is forgotten.
		/// - **Events:** [`Event::RequestAnswered`].
		/// - **Refusals:** [`Error::FilingUnknown`], because an answer is one to exactly this content;
		///   [`Error::RoleMissing`]; [`Error::FilingExpired`]; [`Error::DeliveryMissing`] and [`Error::DeliveryOutdated`], because the
		///   device is sent to what it can find.
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		pub fn answer(
			origin: OriginFor<T>,
			device: DeviceId,
			slot: u8,
			content: [u8; 32],
			channel: ChannelId,
			sequence: u64,
		) -> DispatchResult {
			let by = ensure_signed(origin)?;
			Self::do_answer(by, device, slot, content, channel, sequence)
		}

		/// Tells a device that it gets no certificate, and why.
		///
		/// - **Who:** as for [`Call::answer`].
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** as [`Call::answer`].
		/// - **Events:** [`Event::RequestRefused`].
		/// - **Refusals:** [`Error::FilingUnknown`], [`Error::RoleMissing`], [`Error::FilingExpired`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(3)]
		pub fn refuse(
			origin: OriginFor<T>,
			device: DeviceId,
			slot: u8,
			content: [u8; 32],
			objection: Objection,
		) -> DispatchResult {
			let by = ensure_signed(origin)?;
			Self::do_refuse(by, device, slot, content, objection)
		}

		/// Removes a request that nobody would answer any more: its time is over, or its device is not valid.
		///
		/// - **Who:** any account.
		/// - **Cost:** none, if it succeeds; else the fee of its weight and length.
		/// - **Changes:** the slot is empty, and nothing of it waits any more.
		/// - **Events:** [`Event::RequestCleared`].
		/// - **Refusals:** [`Error::FilingUnknown`], [`Error::FilingWaits`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(4)]
		#[pallet::feeless_if(|origin: &OriginFor<T>, device: &DeviceId, slot: &u8| -> bool {
			ensure_signed(origin.clone()).is_ok() && Pallet::<T>::clearable(*device, *slot).is_ok()
		})]
		pub fn clear(origin: OriginFor<T>, device: DeviceId, slot: u8) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_clear(device, slot)
		}
	}
}
