#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod acknowledgement;
mod approval;
pub mod extension;
mod publishing;
mod register;
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

use dpki_primitives::delivery::{MAX_BLOB_LEN, MAX_RECIPIENTS};
use frame_support::{BoundedVec, traits::ConstU32};

/// The ciphertext of a delivery, as it travels in [`Call::publish`].
pub type Envelope = BoundedVec<u8, ConstU32<MAX_BLOB_LEN>>;

/// Room for everything in a [`Call::publish_shared`] transaction that is not its envelope: 72 bytes for each recipient; the
/// largest signature and address, the extensions, and the other arguments are less than 300 bytes together.
pub const PUBLISH_OVERHEAD: u32 = 1024 + 72 * MAX_RECIPIENTS;

/// Storage, calls, events and errors; the rules are in the module named after their concept.
#[frame_support::pallet]
pub mod pallet {
	use crate::{Envelope, PUBLISH_OVERHEAD, SeeThrough, WeightInfo, acknowledgement::Statement};
	use dpki_primitives::{
		Moment,
		approval::{ApprovalRecord, MAX_APPROVALS, Proposal},
		channel::{ChannelId, ChannelSet},
		delivery::{
			Acknowledgement, DeliveryRecord, MAX_BLOB_LEN, MAX_RECIPIENTS, MIN_BLOB_LEN, Outcome,
			Recipients, Suite,
		},
		economy::Economy,
		ids::{BlobDigest, DeliveryId, DeviceId, KeyId, OrganisationId},
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
		frame_system::Config<AccountId: Into<[u8; 32]> + From<[u8; 32]>, Hash: Into<[u8; 32]>>
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

	/// The newest delivery of each device on each of its channels.
	#[pallet::storage]
	pub type Deliveries<T: Config> =
		StorageDoubleMap<_, Identity, DeviceId, Identity, ChannelId, DeliveryRecord, OptionQuery>;

	/// The channels on which each device ever got a delivery: exactly those of [`Deliveries`], so that a device which has
	/// proven this knows that no delivery is kept from it.
	#[pallet::storage]
	pub type Channels<T: Config> = StorageMap<_, Identity, DeviceId, ChannelSet, ValueQuery>;

	/// The delivery of each device that waits for approvals on a channel. It stays when its time is over, until another
	/// takes its place: there is one per channel, like deliveries.
	#[pallet::storage]
	pub type Proposals<T: Config> =
		StorageDoubleMap<_, Identity, DeviceId, Identity, ChannelId, Proposal, OptionQuery>;

	/// Who approved the newest delivery of each device on a channel. None if the policy asked for nobody.
	#[pallet::storage]
	pub type Approvals<T: Config> =
		StorageDoubleMap<_, Identity, DeviceId, Identity, ChannelId, ApprovalRecord, OptionQuery>;

	/// The newest acknowledgement of each device on a channel. It stays when a newer delivery is published, until that one
	/// is acknowledged: the sequence number tells which delivery it is about.
	#[pallet::storage]
	pub type Acknowledgements<T: Config> =
		StorageDoubleMap<_, Identity, DeviceId, Identity, ChannelId, Acknowledgement, OptionQuery>;

	/// The extrinsic that ends with a [`Call::publish`]: number of the block and index in it. Set and cleared
	/// by [`DirectBlob`](crate::DirectBlob) around that very extrinsic, so it is never part of a block's state.
	#[pallet::storage]
	pub(crate) type DirectPublish<T: Config> =
		StorageValue<_, (BlockNumberFor<T>, u32), OptionQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A delivery was published; it is the newest of its device on its channel.
		DeliveryPublished {
			/// For which device.
			device: DeviceId,
			/// On which channel.
			channel: ChannelId,
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
		/// A delivery was published that needs approvals before it becomes the newest of its device on
		/// its channel.
		DeliveryProposed {
			/// For which device.
			device: DeviceId,
			/// On which channel.
			channel: ChannelId,
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
			/// Last moment at which it can be approved.
			expires_at: Moment,
		},
		/// A delivery that waits was approved.
		DeliveryApproved {
			/// For which device it is.
			device: DeviceId,
			/// On which channel.
			channel: ChannelId,
			/// Its number.
			sequence: u64,
			/// The name of the blob.
			digest: BlobDigest,
			/// By whom.
			approver: T::AccountId,
			/// How many more have to; if nobody, it is published.
			missing: u32,
		},
		/// The publisher took back what waited for approvals.
		ProposalWithdrawn {
			/// For which device it was.
			device: DeviceId,
			/// On which channel.
			channel: ChannelId,
			/// Its number.
			sequence: u64,
			/// The name of the blob.
			digest: BlobDigest,
		},
		/// A device told what became of its newest delivery on a channel.
		DeliveryAcknowledged {
			/// Which device.
			device: DeviceId,
			/// On which channel.
			channel: ChannelId,
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
		/// The signer has not the role in the device's organisation: publishing needs Publisher, approving what the policy
		/// names. Ask its administrator, or its watchdogs for theirs.
		RoleMissing,
		/// Nothing with this id waits for approvals on this channel of the device: it was published already, withdrawn,
		/// replaced, or is another delivery than the one that was looked at. Look at what waits now, and at its content, before you approve it.
		ProposalUnknown,
		/// The time to approve it is over: have it published again.
		ProposalExpired,
		/// The signer has approved it already: the others have to, now.
		ApprovalRepeated,
		/// The publisher's own approval is worth nothing under this policy: have another account approve.
		ApproverIsPublisher,
		/// The policy of the organisation asks for no approval any more: publish it again, and it needs none.
		ApprovalNotNeeded,
		/// The account that published it is no publisher of the organisation any more: publish it again from another one.
		PublisherLost,
		/// Somebody else published it: only the publisher takes it back, until its time is over.
		NotThePublisher,
		/// The chain knows no such recipient key: register it, or check the id.
		RecipientUnknown,
		/// The recipient key belongs to another device: encrypt to a key of this one.
		RecipientOfAnotherDevice,
		/// The recipient key is not an agreement key of the type that the suite needs: encrypt to one that is.
		RecipientUnfit,
		/// The recipient key is not valid (revoked, expired, superseded): encrypt to the device's current one.
		RecipientNotValid,
		/// The sequence number is 0, which no delivery has: take the one after the newest delivery's, or 1, and seal again, because
		/// the envelope is bound to it.
		SequenceMissing,
		/// The sequence number leaves too many unused below it: take the one after the newest delivery's.
		SequenceTooFar,
		/// The envelope is too short to hold an encapsulated key and a tag: it was not sealed with this suite.
		EnvelopeTooShort,
		/// The suite is one for a single device: seal with a shared one, or publish for each device by itself.
		SuiteNotShared,
		/// The list of recipients is empty: name at least one device.
		RecipientMissing,
		/// The acknowledgement was refused: look up its number in `dpki_primitives::refusal::Refusal`, which says what
		/// to do.
		AcknowledgementRefused(u8),
		/// What another account has published for this device on this channel waits for approvals: have it approved or withdrawn, or wait
		/// until its time is over.
		ProposalWaiting,
		/// A delivery with this number or a higher one is the newest of the device on this channel: read its record, take the
		/// number after it and seal again, because the envelope is bound to it.
		DeliveryOutdated,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			const {
				assert!(MIN_BLOB_LEN <= MAX_BLOB_LEN, "there has to be a length that is accepted");
				assert!(MAX_BLOB_LEN <= MAX_BITSWAP_BLOCK, "every blob has to fit into Bitswap");
				assert!(MAX_APPROVALS > 0, "approvals have to be possible");
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
				Self::weight_of_publish(MAX_BLOB_LEN).saturating_add(T::WeightInfo::direct_blob());
			let publish_shared = Self::weight_of_publish_shared(MAX_RECIPIENTS, MAX_BLOB_LEN)
				.saturating_add(T::WeightInfo::direct_blob());
			let acknowledge =
				T::WeightInfo::acknowledge().saturating_add(T::WeightInfo::authorize_acknowledge());
			let weights = T::BlockWeights::get();
			for (call, class, weight) in [
				("publish", DispatchClass::Normal, publish),
				("publish_shared", DispatchClass::Normal, publish_shared),
				("acknowledge", DispatchClass::Normal, acknowledge),
				("approve", DispatchClass::Normal, T::WeightInfo::approve(MAX_APPROVALS)),
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
		/// The channels on which the device ever got a delivery.
		pub fn channels(device: DeviceId) -> ChannelSet {
			Channels::<T>::get(device)
		}

		/// The newest delivery for the device on this channel.
		pub fn delivery(device: DeviceId, channel: ChannelId) -> Option<DeliveryRecord> {
			Deliveries::<T>::get(device, channel)
		}

		/// The newest acknowledgement of the device on this channel.
		pub fn acknowledgement(device: DeviceId, channel: ChannelId) -> Option<Acknowledgement> {
			Acknowledgements::<T>::get(device, channel)
		}
	}

	/// One thin call per intent.
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Publishes a delivery for a device on one of its channels: the record goes into the state, the envelope under its SHA2-256 into
		/// the blocks of the nodes that keep them.
		///
		/// - **Who:** an account with the role Publisher in the device's organisation, directly or through the one
		///   wrapper that the runtime allows: the call is refused inside of any other.
		/// - **Cost:** the fee of its weight and length, both of which grow with the envelope, and that of a delivery.
		///   No deposit: the state holds one record per channel of a device, for which there is one, and at most 16 of them.
		/// - **Changes:** the delivery record of the device on the channel; the one before it is forgotten by the state, its blob
		///   stays in its block. If the policy of the organisation asks for approvals, what waits for them, in the place
		///   of what waited before.
		/// - **Events:** [`Event::DeliveryPublished`], or [`Event::DeliveryProposed`].
		/// - **Refusals:** [`Error::CallNested`], because nodes store the last bytes of the extrinsic, which belong
		///   to the envelope only here; [`Error::DeviceUnknown`], [`Error::DeviceNotValid`], [`Error::RoleMissing`];
		///   [`Error::RecipientUnknown`], [`Error::RecipientOfAnotherDevice`], [`Error::RecipientUnfit`],
		///   [`Error::RecipientNotValid`], because nobody could or should open the envelope;
		///   [`Error::SequenceMissing`]; [`Error::DeliveryOutdated`], because a device must never be led back;
		///   [`Error::SequenceTooFar`], because numbers must not run out; [`Error::ProposalWaiting`], because nobody takes from approvers what they are about
		///   to read; [`Error::EnvelopeTooShort`]; `Token` if the fee cannot be paid.
		/// - **Complexity:** O(n) in the length of the envelope, which is hashed once.
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::weight_of_publish(envelope.len() as u32))]
		pub fn publish(
			origin: OriginFor<T>,
			device: DeviceId,
			channel: ChannelId,
			sequence: u64,
			suite: Suite,
			recipient: KeyId,
			// HAZARD: the envelope has to stay the last field of this call. A node stores the last `envelope.len()`
			// bytes of the encoded extrinsic as the blob; with a field behind it, it would store other bytes under
			// the right digest, and nothing would notice before a device asks for them.
			envelope: Envelope,
		) -> DispatchResult {
			let publisher = ensure_signed(origin)?;
			Self::do_publish(publisher, device, channel, sequence, suite, recipient, &envelope)
		}

		/// Tells what became of the newest delivery of a device on a channel.
		///
		/// - **Who:** anyone, in a general transaction without signer: the right to it is the signature by `key`, a
		///   valid signing key of the device, over
		///   [`Action::AcknowledgeDelivery`](dpki_primitives::context::Action::AcknowledgeDelivery) with the sequence
		///   number as its nonce.
		/// - **Cost:** nothing, as a device has no balance. It is possible once per delivery, once more to replace a refusal
		///   by a success, and once more to replace that by the word that a lower channel has claimed the same.
		/// - **Changes:** the acknowledgement of the device on the channel.
		/// - **Events:** [`Event::DeliveryAcknowledged`].
		/// - **Refusals:** before it enters the pool, as the number of a
		///   [`Refusal`](dpki_primitives::refusal::Refusal): `DeviceUnknown`, `DeviceRevoked`, `DeviceOnHold`, `DeliveryUnknown`,
		///   `DeliverySuperseded`, `DeliveryAcknowledged`, `SignatureExpired`, `AcknowledgementInvalid`. What of these
		///   depends on the state is judged again at dispatch, where it ends in [`Error::AcknowledgementRefused`].
		/// - **Complexity:** O(1), dominated by the verification of one signature.
		#[pallet::call_index(1)]
		#[pallet::authorize(
			|_source, &device, &channel, &sequence, &digest, &outcome, &key, &expires_at, signature| {
				let statement =
					Statement { device, channel, sequence, digest, outcome, key, expires_at };
				Self::authorize_acknowledge(statement, signature)
			}
		)]
		pub fn acknowledge(
			origin: OriginFor<T>,
			device: DeviceId,
			channel: ChannelId,
			sequence: u64,
			digest: BlobDigest,
			outcome: Outcome,
			key: KeyId,
			expires_at: Moment,
			_signature: Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let statement =
				Statement { device, channel, sequence, digest, outcome, key, expires_at };
			Self::do_acknowledge(statement)
		}

		/// Approves a delivery that waits. With the last approval that is missing it becomes the newest of its device
		/// on its channel.
		///
		/// - **Who:** an account with the role that the policy of the device's organisation names: Watchdog under
		///   `Watchdogs`; Anchor Manager, and not the publisher, under `MultiAdmin`.
		/// - **Cost:** the fee of its weight and length, the weight by how many had approved before.
		/// - **Changes:** what waits; with the last approval the delivery record of the device on the channel, and who approved it.
		/// - **Events:** [`Event::DeliveryApproved`]; with the last approval [`Event::DeliveryPublished`], too.
		/// - **Refusals:** [`Error::ProposalUnknown`], because an approval is one of exactly this delivery in this place, which
		///   [`DeliveryRecord::id`] names;
		///   [`Error::ProposalExpired`]; [`Error::ApprovalNotNeeded`]; [`Error::RoleMissing`];
		///   [`Error::ApproverIsPublisher`], because one account is not two; [`Error::ApprovalRepeated`];
		///   [`Error::PublisherLost`], [`Error::DeviceNotValid`], [`Error::RecipientNotValid`] and what else would have
		///   kept it from being published now.
		/// - **Complexity:** O(a) in the number of earlier approvals, whose accounts are asked for their roles again.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::approve(MAX_APPROVALS))]
		pub fn approve(
			origin: OriginFor<T>,
			device: DeviceId,
			channel: ChannelId,
			delivery: DeliveryId,
		) -> DispatchResultWithPostInfo {
			let approver = ensure_signed(origin)?;
			let counted = Self::do_approve(approver, device, channel, delivery)?;
			Ok(Some(T::WeightInfo::approve(counted)).into())
		}

		/// Takes back a delivery that waits for approvals.
		///
		/// - **Who:** the account that published it.
		/// - **Cost:** the fee of its weight and length.
		/// - **Changes:** nothing waits for this device on this channel any more. The blob stays in its block.
		/// - **Events:** [`Event::ProposalWithdrawn`].
		/// - **Refusals:** [`Error::ProposalUnknown`], [`Error::NotThePublisher`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(3)]
		pub fn withdraw(
			origin: OriginFor<T>,
			device: DeviceId,
			channel: ChannelId,
			delivery: DeliveryId,
		) -> DispatchResult {
			let publisher = ensure_signed(origin)?;
			Self::do_withdraw(publisher, device, channel, delivery)
		}

		/// Publishes one envelope for many devices on the same channel: each gets a delivery of its own, with its own number.
		///
		/// - **Who:** as for [`Call::publish`], for every one of the devices.
		/// - **Cost:** the fee of its weight and length, and that of a delivery for each device.
		/// - **Changes:** as [`Call::publish`], for all of the devices or for none.
		/// - **Events:** as [`Call::publish`], for each device.
		/// - **Refusals:** as [`Call::publish`], [`Error::EnvelopeTooShort`] also if there is no room for so many
		///   recipients; [`Error::SuiteNotShared`], [`Error::RecipientMissing`].
		/// - **Complexity:** O(n + r) in the length of the envelope, which is hashed once, and the number of devices.
		#[pallet::call_index(4)]
		#[pallet::weight(
			Pallet::<T>::weight_of_publish_shared(recipients.len() as u32, envelope.len() as u32)
		)]
		pub fn publish_shared(
			origin: OriginFor<T>,
			channel: ChannelId,
			suite: Suite,
			recipients: Recipients,
			// HAZARD: the envelope has to stay the last field, as in `publish`.
			envelope: Envelope,
		) -> DispatchResult {
			let publisher = ensure_signed(origin)?;
			Self::do_publish_shared(publisher, channel, suite, &recipients, &envelope)
		}
	}
}
