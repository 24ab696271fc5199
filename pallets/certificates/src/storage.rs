//! What is stored.

use frame_support::pallet_macros::pallet_section;

/// Storage of the pallet.
#[pallet_section]
mod storage {
	/// Certificates. Never removed.
	#[pallet::storage]
	pub type Certificates<T: Config> = StorageMap<_, Identity, CertificateId, CertificateRecord>;

	/// Since when a key is known to be compromised: one that was certified, that of an anchor, or one that has proven it
	/// itself. Never removed, so that none is certified, or registered for anything else, again.
	#[pallet::storage]
	pub type CompromisedKeys<T: Config> = StorageMap<_, Identity, KeyId, Moment>;

	/// All endorsements of each certificate.
	#[pallet::storage]
	pub type Endorsements<T: Config> =
		StorageMap<_, Identity, CertificateId, EndorsementList, ValueQuery>;

	/// Observers and endorsers. Never removed.
	#[pallet::storage]
	pub type Accreditations<T: Config> =
		StorageDoubleMap<_, Identity, Office, Blake2_128Concat, T::AccountId, Accreditation>;

	/// How many accounts were ever accredited for each office.
	#[pallet::storage]
	pub type AccreditedCount<T: Config> = StorageMap<_, Identity, Office, u32, ValueQuery>;

	/// Those accounts, in the order of their first accreditation.
	#[pallet::storage]
	pub type Accredited<T: Config> =
		StorageDoubleMap<_, Identity, Office, Identity, u32, T::AccountId>;

	/// What accounts have bonded. Removed when nothing is left of it.
	#[pallet::storage]
	pub type Bonds<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Bond<BalanceOf<T>>>;

	/// What an endorser has to have bonded to be accredited and to endorse; zero means that no bond is asked for.
	#[pallet::storage]
	pub type MinimumBond<T: Config> = StorageValue<_, BalanceOf<T>, ValueQuery>;

	/// How often each account was slashed.
	#[pallet::storage]
	pub type SlashCount<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// Why and how much, oldest first. Never removed.
	#[pallet::storage]
	pub type Slashes<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Identity,
		u32,
		SlashRecord<BalanceOf<T>>,
	>;

	/// The rules of the consortium.
	#[pallet::storage]
	pub type Policy<T: Config> = StorageValue<_, CertificatePolicy, ValueQuery>;

	/// What is to be paid.
	#[pallet::storage]
	pub type Fees<T: Config> =
		StorageValue<_, FeeSchedule<BalanceOf<T>>, ValueQuery, <T as Config>::DefaultFees>;

	/// Applications: open ones, and closed ones for a while.
	#[pallet::storage]
	pub type Applications<T: Config> = StorageMap<_, Identity, ApplicationId, ApplicationRecord>;

	/// The votes on each application, for as long as it is stored.
	#[pallet::storage]
	pub type ApplicationVotes<T: Config> =
		StorageMap<_, Identity, ApplicationId, Votes, ValueQuery>;

	/// What the payer of each open application has on hold for it.
	#[pallet::storage]
	pub type Escrows<T: Config> = StorageMap<_, Identity, ApplicationId, Escrow<BalanceOf<T>>>;

	/// How many applications each account ever made: the nonce of its next proof of possession.
	#[pallet::storage]
	pub type ApplicationNonce<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

	/// How many applications of each account are open.
	#[pallet::storage]
	pub type OpenByPayer<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// How many applications are open.
	#[pallet::storage]
	pub type OpenCount<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// The open applications, without gaps. The last one takes the place of one that is closed.
	#[pallet::storage]
	pub type OpenApplications<T: Config> = StorageMap<_, Identity, u32, ApplicationId>;

	/// Where in that list an application stands.
	#[pallet::storage]
	pub type OpenPositions<T: Config> = StorageMap<_, Identity, ApplicationId, u32>;

	/// The open application by which a certificate is looked at again, or waits for its first endorsements.
	#[pallet::storage]
	pub type OpenRenewals<T: Config> =
		StorageDoubleMap<_, Identity, CertificateId, Identity, Renewal, ApplicationId>;

	/// Closed applications with the block after which they are removed, oldest first.
	#[pallet::storage]
	pub type ClosedQueue<T: Config> = StorageMap<_, Identity, u64, (ApplicationId, BlockHeight)>;

	/// Where that queue begins, and where its next entry goes.
	#[pallet::storage]
	pub type ClosedRange<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

	/// Who holds each subject.
	#[pallet::storage]
	pub type Subjects<T: Config> = StorageMap<_, Identity, SubjectId, SubjectRecord>;

	/// How many certificates were ever granted about each subject.
	#[pallet::storage]
	pub type SubjectCertificateCount<T: Config> =
		StorageMap<_, Identity, SubjectId, u32, ValueQuery>;

	/// Those certificates, oldest first.
	#[pallet::storage]
	pub type SubjectCertificates<T: Config> =
		StorageDoubleMap<_, Identity, SubjectId, Identity, u32, CertificateId>;

	/// How many certificates each holder was ever granted.
	#[pallet::storage]
	pub type HolderCertificateCount<T: Config> =
		StorageMap<_, Blake2_128Concat, Holder, u32, ValueQuery>;

	/// Those certificates, oldest first.
	#[pallet::storage]
	pub type HolderCertificates<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, Holder, Identity, u32, CertificateId>;

	/// The organisations for which anything was ever applied or accredited. Never removed: what hangs on an organisation
	/// here can outlive every list of it.
	#[pallet::storage]
	pub type Registrants<T: Config> = StorageMap<_, Identity, OrganisationId, ()>;

	/// How many entries the index by end has for each day since the Unix epoch.
	#[pallet::storage]
	pub type EndingCount<T: Config> = StorageMap<_, Identity, u32, u32, ValueQuery>;

	/// The certificates that were to end on a day. One whose control was proven again stands there still, and under its
	/// new day too: the certificate tells which is true.
	#[pallet::storage]
	pub type Ending<T: Config> = StorageDoubleMap<_, Identity, u32, Identity, u32, CertificateId>;

	/// The first day whose entries may not have been removed.
	#[pallet::storage]
	pub type EndingCursor<T: Config> = StorageValue<_, u32>;
}
