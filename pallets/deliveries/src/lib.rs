#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod acknowledgement;
pub mod extension;
mod publishing;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod weights;

pub use extension::{DirectBlob, SeeThrough};
pub use pallet::*;
pub use weights::WeightInfo;

use dpki_primitives::delivery::MAX_BLOB_LEN;
use frame_support::{BoundedVec, traits::ConstU32};

/// The ciphertext of a delivery, as it travels in [`Call::publish`].
pub type Envelope = BoundedVec<u8, ConstU32<MAX_BLOB_LEN>>;

/// Room for everything in a [`Call::publish`] transaction that is not its envelope: the largest signature and address,
/// the extensions, and the other arguments are less than 300 bytes together.
pub const PUBLISH_OVERHEAD: u32 = 1024;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{Envelope, PUBLISH_OVERHEAD, SeeThrough, WeightInfo, acknowledgement::Statement};
	use dpki_primitives::{
		Moment,
		delivery::{Acknowledgement, DeliveryRecord, MAX_BLOB_LEN, MIN_BLOB_LEN, Outcome, Suite},
		economy::Economy,
		ids::{BlobDigest, DeviceId, KeyId, OrganisationId},
		key::Signature,
		organisation::{DeliveryPolicies, Organisations},
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

	/// Longest block that Bitswap serves, in bytes: its messages are limited to 4 MiB, its batches to 2 MiB.
	const MAX_BITSWAP_BLOCK: u32 = 2 * 1024 * 1024;

	/// Encrypted deliveries for devices.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId: Into<[u8; 32]>, Hash: Into<[u8; 32]>>
	{
		/// Who may publish for whom.
		type Organisations: Organisations<Self::AccountId>;

		/// How organisations approve their deliveries.
		type Policies: DeliveryPolicies;

		/// The devices and their keys.
		type Registry: Registry;

		/// The chain time.
		type Time: Time<Moment = Moment>;

		/// Which wrapper may carry [`Call::publish`]; `()` for none.
		type Wrapper: SeeThrough<<Self as frame_system::Config>::RuntimeCall>;

		/// What the fee of a delivery is asked of.
		type Economy: Economy<Self::AccountId>;

		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// The newest delivery of each device.
	#[pallet::storage]
	pub type Deliveries<T: Config> = StorageMap<_, Identity, DeviceId, DeliveryRecord, OptionQuery>;

	/// The newest acknowledgement of each device. It stays when a newer delivery is published, until that one is
	/// acknowledged: the sequence number tells which delivery it is about.
	#[pallet::storage]
	pub type Acknowledgements<T: Config> =
		StorageMap<_, Identity, DeviceId, Acknowledgement, OptionQuery>;

	/// The extrinsic that ends with a [`Call::publish`]: number of the block and index in it. Set and cleared
	/// by [`DirectBlob`](crate::DirectBlob) around that very extrinsic, so it is never part of a block's state.
	#[pallet::storage]
	pub(crate) type DirectPublish<T: Config> =
		StorageValue<_, (BlockNumberFor<T>, u32), OptionQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A delivery was published; it is the newest of its device.
		DeliveryPublished {
			/// For which device.
			device: DeviceId,
			/// In the name of which organisation.
			organisation: OrganisationId,
			/// By whom.
			publisher: T::AccountId,
			/// Its number.
			sequence: u64,
			/// The device key that it is encrypted to.
			recipient: KeyId,
			/// The name of the blob.
			digest: BlobDigest,
			/// The length of the blob in bytes.
			length: u32,
		},
		/// A device told what became of its newest delivery.
		DeliveryAcknowledged {
			/// Which device.
			device: DeviceId,
			/// Which delivery.
			sequence: u64,
			/// Which blob.
			digest: BlobDigest,
			/// What became of it.
			outcome: Outcome,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The call was wrapped into another one (batch, multisig, sudo, motion): send it by itself, or through one proxy
		/// if the runtime allows that.
		CallNested,
		/// The chain knows no such device: enrol it first, or check the id.
		DeviceUnknown,
		/// The device is not valid, most likely revoked: nothing can be delivered to it any more.
		DeviceNotValid,
		/// The signer is not a publisher of the device's organisation: ask its administrator for the role.
		RoleMissing,
		/// The policy of the device's organisation wants deliveries to be approved, which this runtime cannot record yet:
		/// have the organisation set its policy to `Simple`, or wait for the upgrade that brings approvals.
		ApprovalMissing,
		/// The chain knows no such recipient key: register it, or check the id.
		RecipientUnknown,
		/// The recipient key belongs to another device: encrypt to a key of this one.
		RecipientOfAnotherDevice,
		/// The recipient key is not an agreement key of the type that the suite needs: encrypt to one that is.
		RecipientUnfit,
		/// The recipient key is not valid (revoked, expired, superseded): encrypt to the device's current one.
		RecipientNotValid,
		/// The sequence number does not exceed that of the newest delivery, or is 0: read the record, take a higher
		/// number and seal again, because the envelope is bound to it.
		SequenceNotRising,
		/// The sequence number leaves too many unused below it: take the one after the newest delivery's.
		SequenceTooFar,
		/// The envelope is too short to hold an encapsulated key and a tag: it was not sealed with this suite.
		EnvelopeTooShort,
		/// The acknowledgement was refused: look up its number in `dpki_primitives::refusal::Refusal`, which says what
		/// to do.
		AcknowledgementRefused(u8),
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			const {
				assert!(MIN_BLOB_LEN <= MAX_BLOB_LEN, "there has to be a length that is accepted");
				assert!(MAX_BLOB_LEN <= MAX_BITSWAP_BLOCK, "every blob has to fit into Bitswap");
			};
			let lengths = T::BlockLength::get();
			assert!(
				MAX_BLOB_LEN + PUBLISH_OVERHEAD <= *lengths.max.get(DispatchClass::Normal),
				"the longest envelope has to fit into the bytes that a block has for it",
			);
			assert_eq!(
				<Self as PalletInfoAccess>::name(),
				storage_keys::DELIVERIES,
				"devices look for the storage of this pallet under another name: rename it in the \
				 runtime",
			);
			let publish =
				T::WeightInfo::publish(MAX_BLOB_LEN).saturating_add(T::WeightInfo::direct_blob());
			let acknowledge =
				T::WeightInfo::acknowledge().saturating_add(T::WeightInfo::authorize_acknowledge());
			let weights = T::BlockWeights::get();
			for (call, class, weight) in [
				("publish", DispatchClass::Normal, publish),
				("acknowledge", DispatchClass::Normal, acknowledge),
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

	/// What anybody may ask.
	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The newest delivery for the device.
		pub fn delivery(device: DeviceId) -> Option<DeliveryRecord> {
			Deliveries::<T>::get(device)
		}

		/// The newest acknowledgement of the device.
		pub fn acknowledgement(device: DeviceId) -> Option<Acknowledgement> {
			Acknowledgements::<T>::get(device)
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Publishes a delivery for a device: the record goes into the state, the envelope under its SHA2-256 into
		/// the blocks of the nodes that keep them.
		///
		/// - **Who:** an account with the role Publisher in the device's organisation, directly or through the one
		///   wrapper that the runtime allows: the call is refused inside of any other.
		/// - **Cost:** the fee of its weight and length, both of which grow with the envelope, and that of a delivery.
		///   No deposit: the state holds one record per device, for which there is one.
		/// - **Changes:** the delivery record of the device; the one before it is forgotten by the state, its blob
		///   stays in its block.
		/// - **Events:** [`Event::DeliveryPublished`].
		/// - **Refusals:** [`Error::CallNested`], because nodes store the last bytes of the extrinsic, which belong
		///   to the envelope only here; [`Error::DeviceUnknown`], [`Error::DeviceNotValid`], [`Error::RoleMissing`];
		///   [`Error::ApprovalMissing`], because who may publish alone is for the organisation to say;
		///   [`Error::RecipientUnknown`], [`Error::RecipientOfAnotherDevice`], [`Error::RecipientUnfit`],
		///   [`Error::RecipientNotValid`], because nobody could or should open the envelope;
		///   [`Error::SequenceNotRising`], because a device must never be led back; [`Error::SequenceTooFar`], because
		///   numbers must not run out; [`Error::EnvelopeTooShort`]; `Token` if the fee cannot be paid.
		/// - **Complexity:** O(n) in the length of the envelope, which is hashed once.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::publish(envelope.len() as u32))]
		pub fn publish(
			origin: OriginFor<T>,
			device: DeviceId,
			sequence: u64,
			suite: Suite,
			recipient: KeyId,
			// HAZARD: the envelope has to stay the last field of this call. A node stores the last `envelope.len()`
			// bytes of the encoded extrinsic as the blob; with a field behind it, it would store other bytes under
			// the right digest, and nothing would notice before a device asks for them.
			envelope: Envelope,
		) -> DispatchResult {
			let publisher = ensure_signed(origin)?;
			Self::do_publish(publisher, device, sequence, suite, recipient, &envelope)
		}

		/// Tells what became of the newest delivery of a device.
		///
		/// - **Who:** anyone, in a general transaction without signer: the right to it is the signature by `key`, a
		///   valid signing key of the device, over
		///   [`Action::AcknowledgeDelivery`](dpki_primitives::context::Action::AcknowledgeDelivery) with the sequence
		///   number as its nonce.
		/// - **Cost:** nothing, as a device has no balance. It is possible once per delivery, and once more to
		///   replace a refusal by a success.
		/// - **Changes:** the acknowledgement of the device.
		/// - **Events:** [`Event::DeliveryAcknowledged`].
		/// - **Refusals:** before it enters the pool, as the number of a
		///   [`Refusal`](dpki_primitives::refusal::Refusal): `DeviceUnknown`, `DeviceRevoked`, `DeliveryUnknown`,
		///   `DeliverySuperseded`, `DeliveryAcknowledged`, `SignatureExpired`, `AcknowledgementInvalid`. What of these
		///   depends on the state is judged again at dispatch, where it ends in [`Error::AcknowledgementRefused`].
		/// - **Complexity:** O(1), dominated by the verification of one signature.
		#[pallet::call_index(1)]
		#[pallet::authorize(
			|_source, &device, &sequence, &digest, &outcome, &key, &expires_at, signature| {
				let statement = Statement { device, sequence, digest, outcome, key, expires_at };
				Self::authorize_acknowledge(statement, signature)
			}
		)]
		pub fn acknowledge(
			origin: OriginFor<T>,
			device: DeviceId,
			sequence: u64,
			digest: BlobDigest,
			outcome: Outcome,
			key: KeyId,
			expires_at: Moment,
			_signature: Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let statement = Statement { device, sequence, digest, outcome, key, expires_at };
			Self::do_acknowledge(statement)
		}
	}
}
