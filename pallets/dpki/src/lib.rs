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
mod economy;
mod enrolment;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod fixtures;
mod integrity;
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
		device::{DeviceRecord, KeyList, MAX_KEYS_PER_ENROLMENT},
		economy::{Economy, Operation, Resource},
		ids::{AnchorId, DeviceId, KeyId, Name, OrganisationId, VoucherCommitment, VoucherId},
		key::{Consent, KeyPurpose, KeyRecord, NewKey, Signature},
		organisation::Organisations,
		revocation::{RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshRevocation, SshSubject},
		voucher::VoucherRecord,
	};
	use frame_support::{pallet_prelude::*, traits::Time};
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

		/// What fees and deposits are asked of.
		type Economy: Economy<Self::AccountId>;

		/// The measured cost of each call.
		type WeightInfo: WeightInfo;
	}

	/// Trust anchors. Never removed.
	#[pallet::storage]
	pub type Anchors<T: Config> = StorageMap<_, Identity, AnchorId, AnchorRecord>;

	/// The SSH key blob or the certificate of each anchor. Never removed.
	#[pallet::storage]
	pub type AnchorMaterials<T: Config> = StorageMap<_, Identity, AnchorId, AnchorMaterial>;

	/// The keys of all anchors that were ever revoked. Never removed, so that none comes back as another anchor, under
	/// another certificate or as the key of a device.
	#[pallet::storage]
	pub type RevokedAnchorKeys<T: Config> = StorageMap<_, Identity, KeyId, ()>;

	/// The unrevoked anchors of each organisation, in the order of their registration.
	#[pallet::storage]
	pub type OrganisationAnchors<T: Config> = StorageMap<
		_,
		Identity,
		OrganisationId,
		BoundedVec<AnchorId, ConstU32<MAX_ANCHORS_PER_ORGANISATION>>,
		ValueQuery,
	>;

	/// The organisations for which anything was ever registered: an anchor, or a voucher, without which no device comes.
	/// Never removed, because what was registered is not.
	#[pallet::storage]
	pub type Registrants<T: Config> = StorageMap<_, Identity, OrganisationId, ()>;

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

	/// Why a call was refused, and what to do next. Devices learn of theirs as
	/// [`Refusal`](dpki_primitives::refusal::Refusal), see [`Error::refusal`].
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such organisation: check its name or id.
		OrganisationUnknown,
		/// The sender has not the role that the call asks for: ask an administrator of the organisation for it.
		RoleMissing,
		/// The signature has expired, or its expiry lies too far ahead: check the clock and sign again.
		SignatureExpired,
		/// There is no such anchor: check its id.
		AnchorUnknown,
		/// The anchor is registered already, here or for another organisation: use it as it is, or make a new key.
		AnchorExists,
		/// The anchor was revoked, which is for ever: register one with a new key.
		AnchorWasRevoked,
		/// An anchor of this key was revoked, which ends the key for ever: make a new key.
		AnchorKeyWasRevoked,
		/// The key is, or was, the key of a device: make a key of its own for the anchor.
		AnchorKeyInUse,
		/// The anchor is revoked already: nothing is left to do, the first reason and time stand.
		AnchorAlreadyRevoked,
		/// The anchor is retired already: revoke it if what it signed is to end too.
		AnchorAlreadyRetired,
		/// The organisation has as many unrevoked anchors as it may: revoke one that is not needed any more.
		AnchorListFull,
		/// The signature was not made by the anchor's key for this account, organisation and chain: sign again.
		AnchorPossessionInvalid,
		/// Only SSH CAs have a list of revoked subjects: name one of those, or revoke the X.509 anchor itself.
		AnchorNotSsh,
		/// The material is not the wire encoding of an SSH public key: send the decoded middle field of the `.pub` file.
		SshKeyMalformed,
		/// The type of the SSH key is not accepted: use `ssh-ed25519` or `ecdsa-sha2-nistp256`.
		SshKeyTypeUnsupported,
		/// Zero is what unnumbered certificates carry, all of which would be revoked: name the key by its fingerprint.
		SshSerialZero,
		/// The subject is on the list already: nothing is left to do, the first reason and time stand.
		SshSubjectAlreadyRevoked,
		/// The list is as long as it may be: replace the CA by a new one and revoke this one.
		SshRevocationListFull,
		/// The material is not the DER of one certificate and nothing else: convert it, without anything around it.
		CertificateMalformed,
		/// The certificate is not of version 3: issue it as one.
		CertificateVersionUnsupported,
		/// The serial number is not positive, or longer than 20 octets: issue the certificate with another one.
		CertificateSerialInvalid,
		/// Issuer and subject differ, or are empty: register the root itself and not what it issued.
		CertificateNotSelfIssued,
		/// An extension occurs twice: issue the certificate with each extension once.
		CertificateExtensionRepeated,
		/// A critical extension is not one that is evaluated here: issue the root without it, or not critical.
		CertificateExtensionUnknown,
		/// BasicConstraints with `cA` or KeyUsage with `keyCertSign` is missing or not critical: issue it as an authority.
		CertificateNotAuthority,
		/// The SubjectKeyIdentifier is missing: issue the certificate with it.
		CertificateKeyIdentifierMissing,
		/// The validity ends before it begins: issue the certificate with another one.
		CertificateValidityInvalid,
		/// The certificate has expired: issue a new one.
		CertificateExpired,
		/// The algorithm of the signature, or its match with the key, is not accepted: use one that the README lists.
		CertificateAlgorithmUnsupported,
		/// The key is malformed or too weak: use P-384 with an uncompressed point, or RSA of 2048 to 4096 bits.
		CertificateKeyUnsupported,
		/// The certificate was not signed by its own key: register a root, which is.
		CertificateSignatureInvalid,
		/// There is no such voucher: check its id and its organisation.
		VoucherUnknown,
		/// The organisation issued a voucher of this key before: make a new one.
		VoucherExists,
		/// The voucher would be expired from the start: give it an expiry in the future.
		VoucherExpiryPast,
		/// The voucher would last longer than vouchers may: give it an earlier expiry.
		VoucherExpiryTooFar,
		/// The voucher has expired: issue a new one.
		VoucherExpired,
		/// The voucher was used: if not by the device that it was for, revoke that device at once.
		VoucherRedeemed,
		/// The voucher was taken back: issue a new one if the device is to enrol.
		VoucherCancelled,
		/// The voucher was issued for a device of another name: enrol under the name in it.
		VoucherForAnotherDevice,
		/// The voucher did not sign these keys for this chain: sign the enrolment again with the voucher's key.
		VoucherSignatureInvalid,
		/// The name of the device does not follow the rule for names: use 1 to 63 of `a-z`, `0-9`, `-` and `.`.
		DeviceNameInvalid,
		/// There is no such device: check its name or id.
		DeviceUnknown,
		/// A device of this name exists in the organisation: choose another name.
		DeviceExists,
		/// The device was revoked, which is for ever: enrol it under another name.
		DeviceWasRevoked,
		/// The device is revoked already: nothing is left to do, the first reason and time stand.
		DeviceAlreadyRevoked,
		/// There is no such key: check its id.
		KeyUnknown,
		/// The enrolment brings no key: give it at least a signing key.
		KeyListEmpty,
		/// The device has as many unrevoked keys as it may: revoke one that is not needed any more.
		KeyListFull,
		/// The same key is given twice: use a key for one purpose only.
		KeyRepeated,
		/// The key has not the one form of its type, or is one that anybody could sign for: make a new one.
		KeyMalformed,
		/// A key of this type cannot serve this purpose: make one of a type that can.
		KeyUnfitForPurpose,
		/// The key would be expired from the start: give it a later end, or none.
		KeyValidityInvalid,
		/// The key is registered already, for this device or another: make a new one.
		KeyAlreadyRegistered,
		/// The key was revoked, as a device's or as an anchor's, and cannot come back: make a new one.
		KeyWasRevoked,
		/// The key is revoked already: nothing is left to do, the first reason and time stand.
		KeyAlreadyRevoked,
		/// The proof was not made by this key for this chain, registrant, device, purpose and number: sign again with it.
		PossessionInvalid,
		/// The consent was not made by a valid signing key of the device for this key: have the device sign it.
		ConsentInvalid,
		/// The enrolment brings no key for signing, without which the device could say nothing afterwards: add one.
		SigningKeyMissing,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			Self::do_integrity_test();
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
		/// key of a revoked anchor or of a device, full list, and whatever [`crate::ssh`] and [`crate::x509`] refuse.
		/// Two signature verifications at most.
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

		/// Revokes an anchor, and with it all that it signed, for ever. Its key can be registered for nothing any more;
		/// another anchor of the same key that is registered already has to be revoked by itself.
		///
		/// An anchor manager of the anchor's organisation calls it and pays. Operational, as every call that takes trust
		/// away: a full block does not keep it waiting. Frees a place in the organisation's list. Emits
		/// [`Event::AnchorRevoked`]. Refused: unknown anchor, missing role, revoked before. Linear in the list, which is
		/// bounded by [`MAX_ANCHORS_PER_ORGANISATION`].
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::revoke_anchor(), DispatchClass::Operational))]
		pub fn revoke_anchor(
			origin: OriginFor<T>,
			anchor: AnchorId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_anchor(ensure_signed(origin)?, anchor, reason)
		}

		/// Revokes a certificate or a key under an SSH CA, for ever.
		///
		/// An anchor manager of the anchor's organisation calls it and pays. Operational. Appends to the list that devices
		/// turn into a KRL. Emits [`Event::SshRevoked`]. Refused: unknown anchor, missing role, X.509 anchor, revoked
		/// anchor, serial 0, subject revoked before, full list. Writes one page of [`SSH_REVOCATIONS_PER_PAGE`] entries
		/// at most.
		#[pallet::call_index(3)]
		#[pallet::weight((T::WeightInfo::revoke_ssh(), DispatchClass::Operational))]
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
		/// A registrar of the organisation calls it and pays the fee of this call. Nobody pays for the enrolment: it is
		/// what the organisation gets once for each voucher. `commitment` is the hash of the voucher's public key; the
		/// id of the voucher follows from it and the organisation, see [`VoucherId::from_commitment`]. The voucher lasts
		/// for [`MAX_VOUCHER_LIFETIME`](dpki_primitives::voucher::MAX_VOUCHER_LIFETIME) at most. Emits
		/// [`Event::VoucherIssued`]. Refused: missing role, invalid name, expiry past or too far, voucher known, device
		/// exists. Constant time.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::issue_voucher())]
		pub fn issue_voucher(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			commitment: VoucherCommitment,
			device_name: Name,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_issue_voucher(account, organisation, commitment, device_name, expires_at)
		}

		/// Takes a voucher back that was not used.
		///
		/// A registrar of the voucher's organisation calls it and pays. Operational. Emits [`Event::VoucherCancelled`].
		/// Refused: unknown voucher, missing role, used or cancelled before. Constant time.
		#[pallet::call_index(5)]
		#[pallet::weight((T::WeightInfo::cancel_voucher(), DispatchClass::Operational))]
		pub fn cancel_voucher(origin: OriginFor<T>, voucher: VoucherId) -> DispatchResult {
			Self::do_cancel_voucher(ensure_signed(origin)?, voucher)
		}

		/// Enrols a device with its first keys.
		///
		/// The holder of the voucher's key sends it as a general transaction, without account and without fee. The
		/// voucher signs [`Enrol`](dpki_primitives::context::Action::Enrol); each key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for the registrant
		/// [`Registrant::Voucher`](dpki_primitives::context::Registrant::Voucher) with its index as nonce. At least one
		/// key is for signing. Emits [`Event::DeviceEnrolled`] and one [`Event::KeyRegistered`] per key. Refused, as
		/// [`Refusal`](dpki_primitives::refusal::Refusal) before it reaches a pool: everything that [`Error::refusal`]
		/// names. One signature verification per key, and the voucher's.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::enrol(keys.len() as u32))]
		#[pallet::authorize(|source, organisation, voucher_public, name, keys, expires_at, signature| {
			Self::authorize_enrol(
				source,
				organisation,
				voucher_public,
				name,
				keys,
				expires_at,
				signature,
			)
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_enrol(keys.len() as u32))]
		pub fn enrol(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			voucher_public: [u8; 32],
			device_name: Name,
			keys: BoundedVec<NewKey, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
			expires_at: Moment,
			_voucher_signature: [u8; 64],
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let keys = keys.into_inner();
			Self::do_enrol(organisation, voucher_public, device_name, keys, expires_at)
		}

		/// Registers a further key for a device, which has to consent to it.
		///
		/// A registrar of the device's organisation calls it and pays. The key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for that account, with
		/// [`DeviceRecord::keys_registered`] as nonce. A valid signing key of the device signs
		/// [`AdmitKey`](dpki_primitives::context::Action::AdmitKey) with the same nonce and expiry, so that a registrar
		/// cannot make a device say what it did not say; a device that has none left is enrolled under another name.
		/// Emits [`Event::KeyRegistered`]. Refused: unknown or revoked device, missing role, stale signatures, full
		/// list, key malformed, unfit, expired, known or revoked, no consent, possession not proven. Two signature
		/// verifications.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::register_key())]
		pub fn register_key(
			origin: OriginFor<T>,
			device: DeviceId,
			key: NewKey,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let id = KeyId::of(&key.public);
			Self::do_register_key(account.clone(), device, key, consent, expires_at)?;
			Self::pay_for(&account, Operation::RegisterKey, Resource::Key(id))?;
			Ok(())
		}

		/// Revokes a key of a device, for ever.
		///
		/// A registrar of the device's organisation calls it and pays. Operational. Frees a place in the device's list.
		/// Emits [`Event::KeyRevoked`]. Refused: unknown key, missing role, revoked before. Linear in the list, which is
		/// bounded by [`MAX_KEYS_PER_DEVICE`](dpki_primitives::device::MAX_KEYS_PER_DEVICE).
		#[pallet::call_index(8)]
		#[pallet::weight((T::WeightInfo::revoke_key(), DispatchClass::Operational))]
		pub fn revoke_key(
			origin: OriginFor<T>,
			key: KeyId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_key(ensure_signed(origin)?, key, reason)
		}

		/// Revokes a device and, by their dependence on it, its keys, for ever.
		///
		/// A registrar of the device's organisation calls it and pays. Operational. Emits [`Event::DeviceRevoked`].
		/// Refused: unknown device, missing role, revoked before. Constant time.
		#[pallet::call_index(9)]
		#[pallet::weight((T::WeightInfo::revoke_device(), DispatchClass::Operational))]
		pub fn revoke_device(
			origin: OriginFor<T>,
			device: DeviceId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_device(ensure_signed(origin)?, device, reason)
		}
	}
}
