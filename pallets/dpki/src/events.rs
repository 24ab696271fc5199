//! What happened.

use frame_support::pallet_macros::pallet_section;

/// Events of the pallet.
#[pallet_section]
mod events {
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
		/// The key of an anchor was revoked, and with it every anchor of that key. They follow in events of their own.
		AnchorKeyRevoked {
			/// Which key.
			key: KeyId,
			/// Why.
			reason: RevocationReason,
		},
		/// The retirement of an anchor was planned.
		RolloverPlanned {
			/// Which anchor.
			anchor: AnchorId,
			/// What takes its place.
			successor: AnchorId,
			/// From when on it is retired.
			retire_at: Moment,
		},
		/// A planned retirement was cancelled: the anchor stays in force.
		RolloverCancelled {
			/// Which anchor.
			anchor: AnchorId,
		},
		/// An anchor was put on hold, and with it everything below it.
		AnchorSuspended {
			/// Which anchor.
			anchor: AnchorId,
			/// Whose it is.
			organisation: OrganisationId,
		},
		/// An anchor was taken off hold.
		AnchorReleased {
			/// Which anchor.
			anchor: AnchorId,
			/// Whose it is.
			organisation: OrganisationId,
		},
		/// The place where an X.509 anchor publishes its revocation list was set, or taken away.
		CrlPointerSet {
			/// Which anchor.
			anchor: AnchorId,
			/// The place.
			pointer: Option<CrlPointer>,
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
		/// A device was registered without a voucher: in a batch, or by the approval of a request. Its keys follow in events
		/// of their own.
		DeviceRegistered {
			/// Which device.
			device: DeviceId,
			/// Whose it is.
			organisation: OrganisationId,
		},
		/// A key takes the place of another one.
		KeyReplaced {
			/// Which key is replaced.
			old: KeyId,
			/// Which one takes its place.
			key: KeyId,
			/// Which device.
			device: DeviceId,
			/// From when on the old one counts no more.
			superseded_at: Moment,
		},
		/// The key that is to follow another one was announced.
		SuccessorAnnounced {
			/// Which key is to be followed.
			key: KeyId,
			/// Which device.
			device: DeviceId,
			/// By which key.
			commitment: KeyCommitment,
		},
		/// An organisation changed what it asks of the keys of its devices.
		KeyPolicyChanged {
			/// Which organisation.
			organisation: OrganisationId,
			/// What holds from now on.
			policy: KeyPolicy,
		},
		/// Keys wait for a registrar.
		KeysRequested {
			/// Which request.
			request: RequestId,
			/// Whose registrar.
			organisation: OrganisationId,
			/// For which device.
			device: DeviceId,
			/// The account that asks.
			requester: [u8; 32],
		},
		/// A registrar approved a request. What was registered follows in events of its own.
		RequestApproved {
			/// Which request.
			request: RequestId,
			/// Whose registrar.
			organisation: OrganisationId,
			/// For which device.
			device: DeviceId,
		},
		/// A request was turned down, or cleared away once it had expired.
		RequestRejected {
			/// Which request.
			request: RequestId,
			/// Whose registrar.
			organisation: OrganisationId,
			/// Why.
			reason: Rejection,
		},
		/// A voucher that had expired unused was removed.
		VoucherCleared {
			/// Which voucher.
			voucher: VoucherId,
			/// Whose it was.
			organisation: OrganisationId,
		},
		/// A device was put on hold, and with it its keys, or whoever governs the organisation made the hold its own.
		DeviceSuspended {
			/// Which device.
			device: DeviceId,
			/// Whose it is.
			organisation: OrganisationId,
			/// What is suspected.
			reason: RevocationReason,
			/// On whose authority.
			by: HoldAuthority,
		},
		/// The hold of a device has ended.
		DeviceReleased {
			/// Which device.
			device: DeviceId,
			/// Whose it is.
			organisation: OrganisationId,
			/// On whose authority.
			by: HoldAuthority,
		},
		/// A key was put on hold, or whoever governs the organisation made the hold its own.
		KeySuspended {
			/// Which key.
			key: KeyId,
			/// Which device.
			device: DeviceId,
			/// What is suspected.
			reason: RevocationReason,
			/// On whose authority.
			by: HoldAuthority,
		},
		/// The hold of a key has ended.
		KeyReleased {
			/// Which key.
			key: KeyId,
			/// Which device.
			device: DeviceId,
			/// On whose authority.
			by: HoldAuthority,
		},
		/// A key has proven its own compromise that is not registered here: what is certified with it, and every member
		/// of a fleet that has it, is not valid any more.
		KeyCompromised {
			/// Which key.
			key: KeyId,
		},
		/// A request that had expired was removed, for a newer one needed its place in a full queue.
		RequestExpired {
			/// Which request.
			request: RequestId,
			/// Whose registrar never decided on it.
			organisation: OrganisationId,
		},
	}
}
