#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod anchors;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod context;
pub mod crypto;
mod devices;
mod enrolment;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod fixtures;
mod keys;
mod queries;
mod revocation;
pub mod ssh;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime"))]
mod try_state;
mod vouchers;
pub mod weights;
pub mod x509;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use super::WeightInfo;
	use dpki_primitives::{
		Moment,
		anchor::{AnchorKind, AnchorMaterial, AnchorRecord, MAX_ANCHORS_PER_ORGANISATION},
		context::MAX_SIGNATURE_LIFETIME,
		device::{DeviceRecord, KeyList, MAX_KEYS_PER_DEVICE, MAX_KEYS_PER_ENROLMENT},
		ids::{AnchorId, DeviceId, KeyId, Name, OrganisationId, VoucherId},
		key::{KeyPurpose, KeyRecord, MAX_SIGNATURE_LEN, NewKey, Signature},
		organisation::Organisations,
		revocation::{
			MAX_SSH_REVOCATIONS, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation,
			SshSubject,
		},
		voucher::{MAX_VOUCHER_LIFETIME, VoucherRecord},
	};
	use frame_support::{dispatch::DispatchClass, pallet_prelude::*, traits::Time};
	use frame_system::pallet_prelude::*;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The registry.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId: Into<[u8; 32]>, Hash: Into<[u8; 32]>>
	{
		/// Who may act for which organisation.
		type Organisations: Organisations<Self::AccountId>;

		/// Chain time in milliseconds since the Unix epoch.
		type Time: Time<Moment = Moment>;

		/// The measured cost of each call.
		type WeightInfo: WeightInfo;
	}

	/// Trust anchors. Never removed.
	#[pallet::storage]
	pub type Anchors<T: Config> = StorageMap<_, Identity, AnchorId, AnchorRecord>;

	/// The SSH key blob or the certificate of each anchor. Never removed.
	#[pallet::storage]
	pub type AnchorMaterials<T: Config> = StorageMap<_, Identity, AnchorId, AnchorMaterial>;

	/// The unrevoked anchors of each organisation, in the order of their registration.
	#[pallet::storage]
	pub type OrganisationAnchors<T: Config> = StorageMap<
		_,
		Identity,
		OrganisationId,
		BoundedVec<AnchorId, ConstU32<MAX_ANCHORS_PER_ORGANISATION>>,
		ValueQuery,
	>;

	/// Devices. Never removed.
	#[pallet::storage]
	pub type Devices<T: Config> = StorageMap<_, Identity, DeviceId, DeviceRecord>;

	/// The unrevoked keys of each device, oldest first.
	#[pallet::storage]
	pub type DeviceKeys<T: Config> = StorageMap<_, Identity, DeviceId, KeyList, ValueQuery>;

	/// Every key that was ever registered. Never removed, so that none comes back.
	#[pallet::storage]
	pub type Keys<T: Config> = StorageMap<_, Identity, KeyId, KeyRecord>;

	/// Vouchers. Never removed, so that none is used twice.
	#[pallet::storage]
	pub type Vouchers<T: Config> = StorageMap<_, Identity, VoucherId, VoucherRecord>;

	/// How many entries the revocation list of each SSH CA has.
	#[pallet::storage]
	pub type SshRevocationCount<T: Config> = StorageMap<_, Identity, AnchorId, u32, ValueQuery>;

	/// The revocation list of each SSH CA in pages, all of them full but the last.
	#[pallet::storage]
	pub type SshRevocations<T: Config> = StorageDoubleMap<
		_,
		Identity,
		AnchorId,
		Identity,
		u32,
		BoundedVec<SshRevocation, ConstU32<SSH_REVOCATIONS_PER_PAGE>>,
		ValueQuery,
	>;

	/// Where in that list a subject stands, by [`SshSubject::digest`]: the answer about one subject in one read.
	#[pallet::storage]
	pub type RevokedSshSubjects<T: Config> =
		StorageDoubleMap<_, Identity, AnchorId, Identity, [u8; 32], u32>;

	/// What changed.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An anchor was registered and is active.
		AnchorRegistered {
			/// Which anchor.
			anchor: AnchorId,
			/// Whose it is.
			organisation: OrganisationId,
			/// What it may sign.
			kind: AnchorKind,
		},
		/// An anchor was retired: what it signed stays good.
		AnchorRetired {
			/// Which anchor.
			anchor: AnchorId,
			/// Whose it is.
			organisation: OrganisationId,
		},
		/// An anchor was revoked, and with it all that it signed.
		AnchorRevoked {
			/// Which anchor.
			anchor: AnchorId,
			/// Whose it is.
			organisation: OrganisationId,
			/// Why.
			reason: RevocationReason,
		},
		/// Something was put on the revocation list of an SSH CA, at this position.
		SshRevoked {
			/// Which anchor.
			anchor: AnchorId,
			/// What is revoked.
			subject: SshSubject,
			/// Why.
			reason: RevocationReason,
			/// Where it stands in the list.
			position: u32,
		},
		/// A voucher was issued for a device.
		VoucherIssued {
			/// Which voucher.
			voucher: VoucherId,
			/// Whose it is.
			organisation: OrganisationId,
			/// Which device.
			device: DeviceId,
			/// Its last moment.
			expires_at: Moment,
		},
		/// A voucher was taken back.
		VoucherCancelled {
			/// Which voucher.
			voucher: VoucherId,
			/// Whose it is.
			organisation: OrganisationId,
			/// Which device.
			device: DeviceId,
		},
		/// A device was enrolled, and the voucher is used up. Its keys follow in events of their own.
		DeviceEnrolled {
			/// Which device.
			device: DeviceId,
			/// Whose it is.
			organisation: OrganisationId,
			/// Which voucher.
			voucher: VoucherId,
		},
		/// A device was revoked, and with it all its keys.
		DeviceRevoked {
			/// Which device.
			device: DeviceId,
			/// Whose it is.
			organisation: OrganisationId,
			/// Why.
			reason: RevocationReason,
		},
		/// A key was registered.
		KeyRegistered {
			/// Which key.
			key: KeyId,
			/// Which device.
			device: DeviceId,
			/// What it is for.
			purpose: KeyPurpose,
		},
		/// A key was revoked.
		KeyRevoked {
			/// Which key.
			key: KeyId,
			/// Which device.
			device: DeviceId,
			/// Why.
			reason: RevocationReason,
		},
	}

	/// Why a call was refused. Devices learn of theirs as [`Refusal`](dpki_primitives::refusal::Refusal), see
	/// [`Error::refusal`].
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such organisation.
		OrganisationNotFound,
		/// The sender has not the role that the call asks for in this organisation.
		RoleMissing,
		/// The signature has expired, or its expiry lies further ahead than signatures may last.
		SignatureExpired,
		/// There is no such anchor.
		AnchorNotFound,
		/// The anchor is registered already, here or for another organisation.
		AnchorExists,
		/// The anchor was revoked, which is for ever.
		AnchorWasRevoked,
		/// The anchor is revoked already; the first reason and time stand.
		AnchorAlreadyRevoked,
		/// The anchor is retired already.
		AnchorAlreadyRetired,
		/// The organisation has as many unrevoked anchors as it may.
		AnchorListFull,
		/// The signature was not made by the anchor's key for this account, organisation and chain.
		AnchorPossessionInvalid,
		/// Only SSH CAs have a list of revoked subjects.
		AnchorNotSsh,
		/// The material is not the wire encoding of an SSH public key.
		SshKeyMalformed,
		/// The SSH key is neither `ssh-ed25519` nor `ecdsa-sha2-nistp256`.
		SshKeyTypeUnsupported,
		/// Zero is what unnumbered certificates carry: revoking it would revoke them all.
		SshSerialZero,
		/// The subject is on the list already; the first reason and time stand.
		SshSubjectAlreadyRevoked,
		/// The list is as long as it may be: replace the CA.
		SshRevocationListFull,
		/// The material is not the DER of one certificate and nothing else.
		CertificateMalformed,
		/// The certificate is not of version 3.
		CertificateVersionUnsupported,
		/// The serial number is not positive, or longer than 20 octets.
		CertificateSerialInvalid,
		/// Issuer and subject differ, or are empty.
		CertificateNotSelfIssued,
		/// An extension occurs twice.
		CertificateExtensionRepeated,
		/// A critical extension is not one that is evaluated here.
		CertificateExtensionUnknown,
		/// BasicConstraints with `cA` or KeyUsage with `keyCertSign` is missing or not critical.
		CertificateNotAuthority,
		/// The SubjectKeyIdentifier is missing.
		CertificateKeyIdentifierMissing,
		/// The validity ends before it begins.
		CertificateValidityInvalid,
		/// The certificate has expired.
		CertificateExpired,
		/// The algorithm of the signature, or its match with the key, is not accepted.
		CertificateAlgorithmUnsupported,
		/// The key is malformed, or an RSA key of less than 2048 or more than 4096 bits.
		CertificateKeyUnsupported,
		/// The certificate was not signed by its own key.
		CertificateSignatureInvalid,
		/// There is no such voucher.
		VoucherNotFound,
		/// A voucher of this key was issued before.
		VoucherExists,
		/// The voucher would be expired from the start.
		VoucherExpiryPast,
		/// The voucher would last longer than vouchers may.
		VoucherExpiryTooFar,
		/// The voucher has expired.
		VoucherExpired,
		/// The voucher was used.
		VoucherRedeemed,
		/// The voucher was taken back.
		VoucherCancelled,
		/// The voucher was issued for a device of another name.
		VoucherForAnotherDevice,
		/// The voucher did not sign these keys for this chain.
		VoucherSignatureInvalid,
		/// The name of the device does not follow the rule for names.
		DeviceNameInvalid,
		/// There is no such device.
		DeviceNotFound,
		/// A device of this name exists in the organisation.
		DeviceExists,
		/// The device was revoked, which is for ever.
		DeviceWasRevoked,
		/// The device is revoked already; the first reason and time stand.
		DeviceAlreadyRevoked,
		/// There is no such key.
		KeyNotFound,
		/// An enrolment needs at least one key.
		KeyListEmpty,
		/// The device has as many unrevoked keys as it may.
		KeyListFull,
		/// The same key is given twice.
		KeyRepeated,
		/// The key has not the form of its type, or is one that anybody could sign for.
		KeyMalformed,
		/// A key of this type cannot serve this purpose.
		KeyUnfitForPurpose,
		/// The key would be expired from the start.
		KeyValidityInvalid,
		/// The key is registered already, for this device or another.
		KeyAlreadyRegistered,
		/// The key was revoked and cannot come back.
		KeyWasRevoked,
		/// The key is revoked already; the first reason and time stand.
		KeyAlreadyRevoked,
		/// The proof of possession was not made by this key for this chain, registrant, device, purpose and number.
		PossessionInvalid,
		/// A key-agreement key needs a valid signing key of the same device to vouch for it.
		SigningKeyMissing,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			const {
				assert!(MAX_KEYS_PER_ENROLMENT <= MAX_KEYS_PER_DEVICE, "an enrolment fits");
				assert!(MAX_SIGNATURE_LEN * 8 >= 4096, "a signature of RSA-4096 fits");
				assert!(
					MAX_SSH_REVOCATIONS.is_multiple_of(SSH_REVOCATIONS_PER_PAGE),
					"the last page of an SSH revocation list can be full"
				);
				assert!(
					MAX_SIGNATURE_LIFETIME <= MAX_VOUCHER_LIFETIME,
					"the signatures of an enrolment do not outlast every voucher"
				);
			}
			let enrolment = T::WeightInfo::authorize_enrol()
				.saturating_add(T::WeightInfo::enrol(MAX_KEYS_PER_ENROLMENT));
			let limit = T::BlockWeights::get().get(DispatchClass::Normal).max_extrinsic;
			assert!(
				limit.is_none_or(|limit| enrolment.all_lte(limit)),
				"the largest enrolment fits into a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a trust anchor for an organisation; it is active at once.
		///
		/// An anchor manager of the organisation calls it and pays. `material` is the SSH wire encoding of an Ed25519
		/// or P-256 key, or the DER of a self-signed X.509 root; `possession` is the anchor's signature over
		/// [`PossessAnchor`](dpki_primitives::context::Action::PossessAnchor), so that nobody registers the anchor of
		/// another. Emits [`Event::AnchorRegistered`]. Refused: missing role, stale signature, anchor known or revoked,
		/// full list, and whatever [`crate::ssh`] and [`crate::x509`] refuse. Two signature verifications at most.
		#[pallet::call_index(0)]
		#[pallet::weight(match kind {
			AnchorKind::SshUserCa | AnchorKind::SshHostCa => T::WeightInfo::register_ssh_anchor(),
			AnchorKind::X509Root => {
				T::WeightInfo::register_rsa_anchor().max(T::WeightInfo::register_p384_anchor())
			},
		})]
		pub fn register_anchor(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			kind: AnchorKind,
			material: AnchorMaterial,
			possession: Signature,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_register_anchor(account, organisation, kind, material, possession, expires_at)
		}

		/// Retires an anchor: what it signed stays good, nothing new is to be signed.
		///
		/// An anchor manager of the anchor's organisation calls it and pays. Emits [`Event::AnchorRetired`]. Refused:
		/// unknown anchor, missing role, retired or revoked before. Constant time.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::retire_anchor())]
		pub fn retire_anchor(origin: OriginFor<T>, anchor: AnchorId) -> DispatchResult {
			Self::do_retire_anchor(ensure_signed(origin)?, anchor)
		}

		/// Revokes an anchor, and with it all that it signed, for ever.
		///
		/// An anchor manager of the anchor's organisation calls it and pays. Frees a place in the organisation's list.
		/// Emits [`Event::AnchorRevoked`]. Refused: unknown anchor, missing role, revoked before. Linear in the list,
		/// which is bounded by [`MAX_ANCHORS_PER_ORGANISATION`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::revoke_anchor())]
		pub fn revoke_anchor(
			origin: OriginFor<T>,
			anchor: AnchorId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_anchor(ensure_signed(origin)?, anchor, reason)
		}

		/// Revokes a certificate or a key under an SSH CA, for ever.
		///
		/// An anchor manager of the anchor's organisation calls it and pays. Appends to the list that devices turn into
		/// a KRL. Emits [`Event::SshRevoked`]. Refused: unknown anchor, missing role, X.509 anchor, revoked anchor,
		/// serial 0, subject revoked before, full list. Writes one page of [`SSH_REVOCATIONS_PER_PAGE`] entries at
		/// most.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::revoke_ssh())]
		pub fn revoke_ssh(
			origin: OriginFor<T>,
			anchor: AnchorId,
			subject: SshSubject,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_ssh(ensure_signed(origin)?, anchor, subject, reason)
		}

		/// Issues a voucher: the right to enrol the device of this name, once.
		///
		/// A registrar of the organisation calls it and pays, for the enrolment too. The voucher lasts for
		/// [`MAX_VOUCHER_LIFETIME`] at most. Emits [`Event::VoucherIssued`]. Refused: missing role, invalid name,
		/// expiry past or too far, voucher known, device exists. Constant time.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::issue_voucher())]
		pub fn issue_voucher(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			voucher: VoucherId,
			device_name: Name,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_issue_voucher(account, organisation, voucher, device_name, expires_at)
		}

		/// Takes a voucher back that was not used.
		///
		/// A registrar of the voucher's organisation calls it and pays. Emits [`Event::VoucherCancelled`]. Refused:
		/// unknown voucher, missing role, used or cancelled before. Constant time.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::cancel_voucher())]
		pub fn cancel_voucher(origin: OriginFor<T>, voucher: VoucherId) -> DispatchResult {
			Self::do_cancel_voucher(ensure_signed(origin)?, voucher)
		}

		/// Enrols a device with its first keys.
		///
		/// The holder of the voucher's key sends it as a general transaction, without account and without fee. The
		/// voucher signs [`Enrol`](dpki_primitives::context::Action::Enrol); each key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for the registrant
		/// [`Registrant::Voucher`](dpki_primitives::context::Registrant::Voucher) with its index as nonce, and a
		/// key-agreement key is vouched for by a signing key of this enrolment. Emits [`Event::DeviceEnrolled`] and one
		/// [`Event::KeyRegistered`] per key. Refused, as [`Refusal`](dpki_primitives::refusal::Refusal) before it
		/// reaches a pool: everything that [`Error::refusal`] names. Six signature verifications and the voucher's at
		/// most.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::enrol(keys.len() as u32))]
		#[pallet::authorize(|source, voucher_public, name, keys, expires_at, signature| {
			Self::authorize_enrol(source, voucher_public, name, keys, expires_at, signature)
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_enrol())]
		pub fn enrol(
			origin: OriginFor<T>,
			voucher_public: [u8; 32],
			device_name: Name,
			keys: BoundedVec<NewKey, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
			expires_at: Moment,
			_voucher_signature: [u8; 64],
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_enrol(voucher_public, device_name, keys.into_inner(), expires_at)
		}

		/// Registers a further key for a device.
		///
		/// A registrar of the device's organisation calls it and pays. The key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for that account, with
		/// [`DeviceRecord::keys_registered`] as nonce; any valid signing key of the device vouches for a key-agreement
		/// key. Emits [`Event::KeyRegistered`]. Refused: unknown or revoked device, missing role, stale signature, full
		/// list, key malformed, unfit, expired, known or revoked, possession not proven. One verification, or one per
		/// signing key of the device that is tried.
		#[pallet::call_index(7)]
		#[pallet::weight(match key.public.key_type.can_sign() {
			true => T::WeightInfo::register_key(),
			false => T::WeightInfo::register_agreement_key(MAX_KEYS_PER_DEVICE - 1),
		})]
		pub fn register_key(
			origin: OriginFor<T>,
			device: DeviceId,
			key: NewKey,
			expires_at: Moment,
		) -> DispatchResultWithPostInfo {
			let account = ensure_signed(origin)?;
			let weight = match Self::do_register_key(account, device, key, expires_at)? {
				0 => T::WeightInfo::register_key(),
				tried => T::WeightInfo::register_agreement_key(tried),
			};
			Ok(Some(weight).into())
		}

		/// Revokes a key of a device, for ever.
		///
		/// A registrar of the device's organisation calls it and pays. Frees a place in the device's list. Emits
		/// [`Event::KeyRevoked`]. Refused: unknown key, missing role, revoked before. Linear in the list, which is
		/// bounded by [`MAX_KEYS_PER_DEVICE`].
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::revoke_key())]
		pub fn revoke_key(
			origin: OriginFor<T>,
			key: KeyId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_key(ensure_signed(origin)?, key, reason)
		}

		/// Revokes a device and, by their dependence on it, its keys, for ever.
		///
		/// A registrar of the device's organisation calls it and pays. Emits [`Event::DeviceRevoked`]. Refused: unknown
		/// device, missing role, revoked before. Constant time.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::revoke_device())]
		pub fn revoke_device(
			origin: OriginFor<T>,
			device: DeviceId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_device(ensure_signed(origin)?, device, reason)
		}
	}
}
