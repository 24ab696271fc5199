//! What is stored.

use frame_support::pallet_macros::pallet_section;

/// Storage of the pallet.
#[pallet_section]
mod storage {
	/// Trust anchors. Never removed.
	#[pallet::storage]
	pub type Anchors<T: Config> = StorageMap<_, Identity, AnchorId, AnchorRecord>;

	/// The SSH key blob or the certificate of each anchor. Never removed.
	#[pallet::storage]
	pub type AnchorMaterials<T: Config> = StorageMap<_, Identity, AnchorId, AnchorMaterial>;

	/// How many anchors each anchor has issued.
	#[pallet::storage]
	pub type ChildCount<T: Config> = StorageMap<_, Identity, AnchorId, u32, ValueQuery>;

	/// Those anchors, in the order of their registration. Never removed, revoked or not.
	#[pallet::storage]
	pub type Children<T: Config> = StorageDoubleMap<_, Identity, AnchorId, Identity, u32, AnchorId>;

	/// Which anchor has each serial number that the key above it has given to an anchor, by [`serial_digest`]. Never removed: a
	/// revocation list that names a number names one certificate. By the key and not by the anchor that it belongs to, as the
	/// lists of two anchors of one key are signed by the same key.
	///
	/// [`serial_digest`]: dpki_primitives::anchor::serial_digest
	#[pallet::storage]
	pub type Serials<T: Config> =
		StorageDoubleMap<_, Identity, KeyId, Identity, [u8; 32], AnchorId>;

	/// The keys that were revoked with an anchor. Never removed, so that none comes back as another anchor, under
	/// another certificate or as the key of a device.
	#[pallet::storage]
	pub type RevokedAnchorKeys<T: Config> = StorageMap<_, Identity, KeyId, ()>;

	/// The anchors of each key that is no revoked one, whoever has them. They end with their key, and by them a key is
	/// known to be an anchor's. An anchor that only its issuer has revoked stays among them.
	#[pallet::storage]
	pub type KeyAnchors<T: Config> = StorageMap<
		_,
		Identity,
		KeyId,
		BoundedVec<AnchorId, ConstU32<MAX_ANCHORS_PER_KEY>>,
		ValueQuery,
	>;

	/// Where the revocation lists of X.509 anchors are published. Nothing here depends on them.
	#[pallet::storage]
	pub type CrlPointers<T: Config> = StorageMap<_, Identity, AnchorId, CrlPointer>;

	/// The unrevoked anchors of each organisation, in the order of their registration.
	#[pallet::storage]
	pub type OrganisationAnchors<T: Config> = StorageMap<
		_,
		Identity,
		OrganisationId,
		BoundedVec<AnchorId, ConstU32<MAX_ANCHORS_PER_ORGANISATION>>,
		ValueQuery,
	>;

	/// The organisations for which anything was ever registered: an anchor, a voucher, or a device that came without one.
	/// Never removed, because what was registered is not.
	#[pallet::storage]
	pub type Registrants<T: Config> = StorageMap<_, Identity, OrganisationId, ()>;

	/// Devices. Never removed.
	#[pallet::storage]
	pub type Devices<T: Config> = StorageMap<_, Identity, DeviceId, DeviceRecord>;

	/// How many devices each organisation ever had.
	#[pallet::storage]
	pub type DeviceCount<T: Config> = StorageMap<_, Identity, OrganisationId, u32, ValueQuery>;

	/// Those devices, in the order of their registration. Never removed, revoked or not.
	#[pallet::storage]
	pub type OrganisationDevices<T: Config> =
		StorageDoubleMap<_, Identity, OrganisationId, Identity, u32, DeviceId>;

	/// The unrevoked keys of each device, oldest first; but for some that have expired or were replaced, which leave the
	/// list when their place is needed.
	#[pallet::storage]
	pub type DeviceKeys<T: Config> = StorageMap<_, Identity, DeviceId, KeyList, ValueQuery>;

	/// Every key that was ever registered. Never removed, so that none comes back.
	#[pallet::storage]
	pub type Keys<T: Config> = StorageMap<_, Identity, KeyId, KeyRecord>;

	/// How many reports of a compromise, and revocations by devices, nobody has paid for, and in which block. What is said of another block than the
	/// present one counts for nothing, so that nothing has to be taken back at its end.
	#[pallet::storage]
	pub type UnpaidReports<T: Config> = StorageValue<_, (BlockNumberFor<T>, u32), ValueQuery>;

	/// What is announced of the key that is to follow each key. It outlasts the revocation of that key for its compromise.
	#[pallet::storage]
	pub type NextKeys<T: Config> = StorageMap<_, Identity, KeyId, KeyCommitment>;

	/// What each organisation asks of the keys of its devices, if it is not the default.
	#[pallet::storage]
	pub type KeyPolicies<T: Config> =
		StorageMap<_, Identity, OrganisationId, KeyPolicy, ValueQuery>;

	/// What each device that did something alone may do alone yet.
	#[pallet::storage]
	pub type KeyQuotas<T: Config> = StorageMap<_, Identity, DeviceId, DeviceQuota, ValueQuery>;

	/// Keys that wait for a registrar.
	#[pallet::storage]
	pub type Requests<T: Config> = StorageMap<_, Identity, RequestId, KeyRequest>;

	/// The requests to each organisation, oldest first; those that have expired leave it when their place is needed.
	#[pallet::storage]
	pub type RequestQueues<T: Config> = StorageMap<
		_,
		Identity,
		OrganisationId,
		BoundedVec<QueuedRequest, ConstU32<MAX_REQUESTS_PER_ORGANISATION>>,
		ValueQuery,
	>;

	/// Vouchers. One that was used or taken back is never removed, so that none is used twice; one that has expired unused is,
	/// when anybody clears it away.
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
}
