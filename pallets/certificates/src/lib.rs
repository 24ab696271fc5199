#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod accreditation;
mod applications;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod cleaning;
mod control;
mod endorsements;
mod errors;
pub mod escrow;
mod events;
mod issuance;
mod policy;
mod possession;
mod queries;
mod revocation;
mod storage;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime"))]
mod try_state;
pub mod weights;

pub use escrow::{BalanceOf, Escrow, FeeSchedule, LevelPrices, Price};
pub use pallet::*;
pub use weights::WeightInfo;

use frame_support::pallet_macros::import_section;

#[import_section(storage::storage)]
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
	use crate::{BalanceOf, Escrow, FeeSchedule, WeightInfo};
	use dpki_primitives::{
		Moment,
		application::{
			ApplicationRecord, BlockHeight, CertificateRequest, MAX_VOTES, Observation, Outcome,
			Possession, Renewal, RequestVerifier, Votes,
		},
		assurance::{
			Accreditation, Assessment, Endorsements as EndorsementList, Level, WithdrawalReason,
		},
		certificate::{
			Authority, CertificatePolicy, CertificateRecord, DisplayName, Holder, Office, Page,
			SubjectRecord,
		},
		ids::{ApplicationId, CertificateDigest, CertificateId, KeyId, OrganisationId, SubjectId},
		organisation::Organisations,
		registry::Registry,
		revocation::RevocationReason,
		status::Status,
		subject::Subject,
	};
	use frame_support::{
		dispatch::DispatchClass,
		pallet_prelude::*,
		traits::{PalletInfoAccess, Time, fungible::MutateHold},
	};
	use frame_system::pallet_prelude::*;

	/// The layout of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Certificates.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId: Into<[u8; 32]> + From<[u8; 32]>, Hash: Into<[u8; 32]>>
	{
		/// The holds of all pallets.
		type RuntimeHoldReason: From<HoldReason>;

		/// What fees and deposits are paid in.
		type Currency: MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Who may act for which organisation.
		type Organisations: Organisations<Self::AccountId>;

		/// The devices and keys of this chain, and the verification of signatures.
		type Registry: Registry;

		/// The check of PKCS#10 requests.
		type Requests: RequestVerifier;

		/// The chain time.
		type Time: Time<Moment = Moment>;

		/// Who accredits observers and endorsers and takes accreditations away.
		type AccreditationOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who, beside its holder, can revoke a certificate or put it on hold.
		type RevocationOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who sets the policy and the fees.
		type PolicyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The fees that hold until some are set.
		type DefaultFees: Get<FeeSchedule<BalanceOf<Self>>>;

		/// Where the validators' share of the fees goes.
		type ValidatorsAccount: Get<Self::AccountId>;

		/// For how many blocks a closed application stays readable.
		#[pallet::constant]
		type ClosedRetention: Get<BlockHeight>;

		/// The measured cost of each call.
		type WeightInfo: WeightInfo;
	}

	/// Why somebody's funds are on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Fees of an open application that nobody has earned yet.
		Escrow,
		/// For the state that an open application takes up; returned in full when it is closed.
		ApplicationDeposit,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::clean(remaining)
		}

		fn integrity_test() {
			assert_eq!(
				<Self as PalletInfoAccess>::name(),
				dpki_primitives::storage_keys::CERTIFICATES,
				"clients find the storage by the name of the pallet"
			);
			assert!(
				T::DefaultFees::get().is_payable(),
				"the fees that hold at the beginning can be added up"
			);
			assert!(
				CertificatePolicy::default().is_coherent(),
				"the policy that holds at the beginning can be kept"
			);
			let weights = T::BlockWeights::get();
			let normal = weights.get(DispatchClass::Normal);
			let limit = normal.max_extrinsic.or(normal.max_total).unwrap_or(weights.max_block);
			for (call, weight) in [
				("an application", T::WeightInfo::apply()),
				("an application with a request", T::WeightInfo::apply_with_request()),
				("the deciding vote", T::WeightInfo::reveal(MAX_VOTES)),
				("the closing of an application", T::WeightInfo::close(MAX_VOTES)),
				("an endorsement", T::WeightInfo::endorse()),
			] {
				assert!(weight.all_lte(limit), "{call} fits into a block");
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
		/// The certificate as stored.
		pub fn certificate(id: CertificateId) -> Option<CertificateRecord> {
			Certificates::<T>::get(id)
		}

		/// The verdict about the certificate now.
		pub fn status(id: CertificateId) -> Status {
			Self::certificate_status(id)
		}

		/// The effective level of the certificate now, with one explanation per endorsement; `None` if there is no such
		/// certificate.
		pub fn effective_level(id: CertificateId) -> Option<Assessment> {
			Self::assessment(id)
		}

		/// The policy and the prices that hold.
		pub fn terms() -> (CertificatePolicy, FeeSchedule<BalanceOf<T>>) {
			(Self::policy(), Fees::<T>::get())
		}

		/// The endorsements of the certificate as stored; [`Self::assessment`] says what they are worth.
		pub fn endorsements(id: CertificateId) -> EndorsementList {
			Endorsements::<T>::get(id)
		}

		/// The application as stored, for as long as it is.
		pub fn application(id: ApplicationId) -> Option<ApplicationRecord> {
			Applications::<T>::get(id)
		}

		/// The votes on the application.
		pub fn votes(id: ApplicationId) -> Votes {
			ApplicationVotes::<T>::get(id)
		}

		/// What the applicant has to show to observers, and which subject they look at; `None` if the application waits for
		/// none.
		pub fn challenge(id: ApplicationId) -> Option<(Subject, [u8; 32])> {
			Self::challenge_of(id)
		}

		/// Who holds the subject, as stored; whether it still does say its certificates.
		pub fn subject(id: SubjectId) -> Option<SubjectRecord> {
			Subjects::<T>::get(id)
		}

		/// Everyone who was ever accredited for an office, from number `start` on.
		pub fn accredited(office: Office, start: u32) -> Page<(T::AccountId, Accreditation)> {
			Self::list_accredited(office, start)
		}

		/// The certificates of a holder, oldest first, from number `start` on.
		pub fn certificates_of(holder: Holder, start: u32) -> Page<CertificateId> {
			Self::list_of_holder(holder, start)
		}

		/// The certificates ever granted about a subject, oldest first, from number `start` on.
		pub fn certificates_about(subject: SubjectId, start: u32) -> Page<CertificateId> {
			Self::list_about(subject, start)
		}

		/// The unrevoked certificates that end on a day since the Unix epoch, as things stand, from entry `start` on.
		pub fn ending_on(day: u32, start: u32) -> Page<CertificateId> {
			Self::list_ending_on(day, start)
		}

		/// The applications on which the organisation of this observer can still commit itself, from entry `start` of the
		/// open ones on.
		pub fn pending_observations(observer: T::AccountId, start: u32) -> Page<ApplicationId> {
			Self::open_to_observe(observer, start)
		}

		/// The votes that this observer still has to reveal, from entry `start` of the open applications on.
		pub fn pending_reveals(observer: T::AccountId, start: u32) -> Page<ApplicationId> {
			Self::open_to_reveal(observer, start)
		}

		/// The certificates that wait for endorsements which this endorser could give and be paid for, from entry `start` of
		/// the open applications on.
		pub fn pending_endorsements(endorser: T::AccountId, start: u32) -> Page<CertificateId> {
			Self::open_to_endorse(endorser, start)
		}
	}

	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Applies for a certificate.
		///
		/// - **Who:** any signed account, which pays. For a certificate of an organisation, of its services and devices,
		///   and wherever an organisation is the holder: a registrar of it (an administrator for itself).
		/// - **Cost:** the fee of the transaction; the schedule's price goes into escrow, the deposit on hold.
		/// - **Changes:** what can be checked at once is: the certificate then exists within this call. Names and
		///   addresses wait for the observers. At OV and EV the application goes on to wait for endorsements.
		/// - **Events:** [`Event::ApplicationOpened`]; then [`Event::CertificateIssued`], [`Event::ApplicationClosed`]
		///   if it is decided at once.
		/// - **Refusals:** [`Error::SubjectMalformed`], [`Error::LevelUnfit`], [`Error::DisplayNameUnfit`],
		///   [`Error::ValidityInvalid`], [`Error::SignatureExpired`], [`Error::KeyMalformed`], [`Error::KeyCannotSign`],
		///   [`Error::KeyRevoked`], [`Error::DeviceNotValid`], [`Error::HolderUnfit`], [`Error::RoleMissing`],
		///   [`Error::KeyMismatch`], [`Error::SubjectHeld`], [`Error::SubjectFull`], [`Error::TooManyApplications`],
		///   [`Error::PossessionInvalid`], [`Error::RequestInvalid`]; what the currency refuses if funds are missing.
		/// - **Complexity:** one signature, and the live certificates of the subject, at most 8.
		#[pallet::call_index(0)]
		#[pallet::weight(match possession {
			Possession::Signature(_) => T::WeightInfo::apply(),
			Possession::Request(_) => T::WeightInfo::apply_with_request(),
		})]
		pub fn apply(
			origin: OriginFor<T>,
			request: CertificateRequest,
			possession: Possession,
			expires_at: Moment,
		) -> DispatchResult {
			Self::do_apply(ensure_signed(origin)?, request, &possession, expires_at)
		}

		/// Applies for a certificate to be looked at again: by observers before or after its control has lapsed, or by
		/// endorsers.
		///
		/// - **Who:** the holder, which pays.
		/// - **Cost:** as for [`Self::apply`]; the validators' share of an application for endorsements is paid at once.
		/// - **Changes:** a new open application. If control is seen again, the certificate goes on.
		/// - **Events:** [`Event::ApplicationOpened`].
		/// - **Refusals:** [`Error::CertificateNotFound`], [`Error::NotHolder`], [`Error::CertificateEnded`] for one that
		///   is revoked or past its validity, [`Error::RenewalUnfit`] where there is no control to prove or nothing to
		///   endorse, [`Error::RenewalOpen`], [`Error::TooManyApplications`]; missing funds.
		/// - **Complexity:** O(1).
		#[pallet::call_index(1)]
		pub fn renew(
			origin: OriginFor<T>,
			certificate: CertificateId,
			renewal: Renewal,
		) -> DispatchResult {
			Self::do_renew(ensure_signed(origin)?, certificate, renewal)
		}

		/// Takes an application back.
		///
		/// - **Who:** its payer, until the first observer has begun to work on it, because whoever works is paid.
		/// - **Cost:** the fee of the transaction; escrow and deposit return in full.
		/// - **Changes:** the application is closed.
		/// - **Events:** [`Event::ApplicationClosed`].
		/// - **Refusals:** [`Error::ApplicationNotFound`], [`Error::NotPayer`], [`Error::ApplicationClosed`],
		///   [`Error::ApplicationObserved`], [`Error::ApplicationGranted`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(2)]
		pub fn withdraw_application(
			origin: OriginFor<T>,
			application: ApplicationId,
		) -> DispatchResult {
			Self::do_withdraw_application(ensure_signed(origin)?, application)
		}

		/// Commits an observer to what it saw, without telling it yet.
		///
		/// - **Who:** an accredited observer, one per organisation, within the first window.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** a vote is added to the application.
		/// - **Events:** [`Event::VoteCommitted`].
		/// - **Refusals:** [`Error::ApplicationNotFound`], [`Error::ApplicationNotInControl`],
		///   [`Error::AccreditationMissing`], [`Error::AccreditationNotActive`], [`Error::AccreditationCompromised`],
		///   [`Error::CommitWindowClosed`], [`Error::OwnApplication`], [`Error::OrganisationVoted`],
		///   [`Error::VotesFull`].
		/// - **Complexity:** the votes on the application, at most [`MAX_VOTES`].
		#[pallet::call_index(3)]
		pub fn commit(
			origin: OriginFor<T>,
			application: ApplicationId,
			commitment: [u8; 32],
		) -> DispatchResult {
			Self::do_commit(ensure_signed(origin)?, application, commitment)
		}

		/// Reveals what an observer committed itself to. The deciding vote decides: it grants or refuses, and pays.
		///
		/// - **Who:** the observer that committed itself, still accredited, within the second window.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** the vote; with the deciding one, what [`Self::apply`] and [`Self::renew`] are after.
		/// - **Events:** [`Event::VoteRevealed`]; with the deciding vote [`Event::CertificateIssued`] or
		///   [`Event::ControlRenewed`], [`Event::FeePaid`], [`Event::ApplicationClosed`].
		/// - **Refusals:** [`Error::ApplicationNotFound`], [`Error::ApplicationNotInControl`],
		///   [`Error::AccreditationMissing`], [`Error::AccreditationNotActive`], [`Error::AccreditationCompromised`],
		///   [`Error::RevealWindowNotOpen`], [`Error::RevealWindowClosed`], [`Error::VoteNotFound`],
		///   [`Error::VoteRevealed`], [`Error::CommitmentMismatch`].
		/// - **Complexity:** the votes on the application, at most [`MAX_VOTES`], each with an accreditation.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::reveal(MAX_VOTES))]
		pub fn reveal(
			origin: OriginFor<T>,
			application: ApplicationId,
			observation: Observation,
			salt: [u8; 32],
		) -> DispatchResultWithPostInfo {
			let votes = Self::do_reveal(ensure_signed(origin)?, application, observation, &salt)?;
			Ok(Some(T::WeightInfo::reveal(votes)).into())
		}

		/// Closes an application whose time is over, and returns what nobody earned.
		///
		/// - **Who:** any signed account.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** too few commitments after the first window refuse it; no decision by the end of the second one
		///   is a time-out; after the time for endorsements, or once the certificate is revoked, it ends as granted.
		/// - **Events:** [`Event::FeePaid`] for observers that did reveal, [`Event::ApplicationClosed`].
		/// - **Refusals:** [`Error::ApplicationNotFound`], [`Error::ApplicationClosed`], [`Error::ApplicationNotDue`].
		/// - **Complexity:** the votes on the application, at most [`MAX_VOTES`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::close(MAX_VOTES))]
		pub fn close(
			origin: OriginFor<T>,
			application: ApplicationId,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let votes = Self::do_close(application)?;
			Ok(Some(T::WeightInfo::close(votes)).into())
		}

		/// Endorses a certificate: attests what `digest` names, at a level, for a time. `evidence` is a hash only.
		///
		/// - **Who:** an accredited endorser of that level.
		/// - **Cost:** the fee of the transaction. Paid from the application that is open for it, if there is one: once
		///   per organisation, at the requested level, until as many are paid as the policy needed.
		/// - **Changes:** the endorser's one endorsement of the certificate, in the place of an earlier one.
		/// - **Events:** [`Event::Endorsed`], [`Event::FeePaid`]; [`Event::ApplicationClosed`] with the last paid one.
		/// - **Refusals:** [`Error::AccreditationMissing`], [`Error::AccreditationNotActive`],
		///   [`Error::AccreditationCompromised`], [`Error::CertificateNotFound`], [`Error::CertificateNotValid`],
		///   [`Error::LevelUnfit`], [`Error::DigestMismatch`], [`Error::OwnCertificate`], [`Error::ExpiryInvalid`],
		///   [`Error::EndorsementsFull`].
		/// - **Complexity:** the endorsements of the certificate, at most 16.
		#[pallet::call_index(6)]
		pub fn endorse(
			origin: OriginFor<T>,
			certificate: CertificateId,
			level: Level,
			digest: CertificateDigest,
			evidence: Option<[u8; 32]>,
			expires_at: Moment,
		) -> DispatchResult {
			let endorser = ensure_signed(origin)?;
			Self::do_endorse(endorser, certificate, level, digest, evidence, expires_at)
		}

		/// Takes an endorsement back. What was paid for it stays paid, and is not paid again.
		///
		/// - **Who:** the endorser, suspended or released too, but not once it counts as compromised.
		/// - **Cost:** the fee of the transaction. Operational: a full block does not keep it waiting.
		/// - **Changes:** the endorsement stops counting and stays readable.
		/// - **Events:** [`Event::EndorsementWithdrawn`].
		/// - **Refusals:** [`Error::EndorsementNotFound`], [`Error::EndorsementWithdrawn`],
		///   [`Error::AccreditationCompromised`].
		/// - **Complexity:** the endorsements of the certificate, at most 16.
		#[pallet::call_index(7)]
		#[pallet::weight((T::WeightInfo::withdraw_endorsement(), DispatchClass::Operational))]
		pub fn withdraw_endorsement(
			origin: OriginFor<T>,
			certificate: CertificateId,
			reason: WithdrawalReason,
		) -> DispatchResult {
			Self::do_withdraw_endorsement(ensure_signed(origin)?, certificate, reason)
		}

		/// Changes the display name of a certificate. Endorsements of the old name stop counting.
		///
		/// - **Who:** the holder.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** the certificate and its digest.
		/// - **Events:** [`Event::CertificateAmended`].
		/// - **Refusals:** [`Error::CertificateNotFound`], [`Error::NotHolder`], [`Error::CertificateEnded`],
		///   [`Error::DisplayNameUnfit`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(8)]
		pub fn amend(
			origin: OriginFor<T>,
			certificate: CertificateId,
			display_name: Option<DisplayName>,
		) -> DispatchResult {
			Self::do_amend(ensure_signed(origin)?, certificate, display_name)
		}

		/// Revokes a certificate, for ever. The reason `KeyCompromise` revokes every other certificate of the key with
		/// it, and the key is never certified again.
		///
		/// - **Who:** the holder, or [`Config::RevocationOrigin`].
		/// - **Cost:** the fee of the transaction. Operational: a full block does not keep it waiting.
		/// - **Changes:** the certificate.
		/// - **Events:** [`Event::CertificateRevoked`].
		/// - **Refusals:** [`Error::CertificateNotFound`], [`Error::NotHolder`], [`Error::CertificateRevoked`]: the first
		///   reason and time stand.
		/// - **Complexity:** O(1).
		#[pallet::call_index(9)]
		#[pallet::weight((T::WeightInfo::revoke(), DispatchClass::Operational))]
		pub fn revoke(
			origin: OriginFor<T>,
			certificate: CertificateId,
			reason: RevocationReason,
		) -> DispatchResult {
			let who = Self::revoker(origin)?;
			Self::do_revoke(who, certificate, reason)
		}

		/// Puts a certificate on hold.
		///
		/// - **Who:** the holder, or [`Config::RevocationOrigin`], which can also take over a hold of the holder's.
		/// - **Cost:** the fee of the transaction. Operational: a full block does not keep it waiting.
		/// - **Changes:** the certificate.
		/// - **Events:** [`Event::CertificateSuspended`].
		/// - **Refusals:** [`Error::CertificateNotFound`], [`Error::NotHolder`], [`Error::CertificateRevoked`],
		///   [`Error::CertificateSuspended`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(10)]
		#[pallet::weight((T::WeightInfo::suspend(), DispatchClass::Operational))]
		pub fn suspend(origin: OriginFor<T>, certificate: CertificateId) -> DispatchResult {
			let who = Self::revoker(origin)?;
			Self::do_suspend(who, certificate)
		}

		/// Ends a hold.
		///
		/// - **Who:** [`Config::RevocationOrigin`]; the holder only if the hold is its own.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** the certificate.
		/// - **Events:** [`Event::CertificateReleased`].
		/// - **Refusals:** [`Error::CertificateNotFound`], [`Error::NotHolder`], [`Error::CertificateNotSuspended`],
		///   [`Error::CertificateRevoked`], [`Error::SuspendedByConsortium`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(11)]
		pub fn release(origin: OriginFor<T>, certificate: CertificateId) -> DispatchResult {
			let who = Self::revoker(origin)?;
			Self::do_release(who, certificate)
		}

		/// Accredits an observer or an endorser for an organisation that controls it; changes its organisation or level,
		/// or ends its suspension or release, if it was accredited before.
		///
		/// - **Who:** [`Config::AccreditationOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the accreditation, and the list of all that ever were accredited.
		/// - **Events:** [`Event::Accredited`].
		/// - **Refusals:** [`Error::OrganisationNotFound`], [`Error::LevelUnfit`] (DV for observers; OV or EV for
		///   endorsers), [`Error::AccreditationCompromised`], because that account's word is worth nothing any more.
		/// - **Complexity:** O(1).
		#[pallet::call_index(12)]
		pub fn accredit(
			origin: OriginFor<T>,
			office: Office,
			account: T::AccountId,
			organisation: OrganisationId,
			level: Level,
		) -> DispatchResult {
			T::AccreditationOrigin::ensure_origin(origin)?;
			Self::do_accredit(office, account, organisation, level)
		}

		/// Suspends an accreditation: for as long, nothing that the account says or said counts.
		///
		/// - **Who:** [`Config::AccreditationOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the accreditation. Certificates that observers proved before stay as they are.
		/// - **Events:** [`Event::AccreditationSuspended`].
		/// - **Refusals:** [`Error::AccreditationMissing`], [`Error::AccreditationNotActive`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(13)]
		pub fn suspend_accreditation(
			origin: OriginFor<T>,
			office: Office,
			account: T::AccountId,
		) -> DispatchResult {
			T::AccreditationOrigin::ensure_origin(origin)?;
			Self::do_suspend_accreditation(office, account)
		}

		/// Releases an observer or endorser from its office: what it said does not count any more.
		///
		/// - **Who:** [`Config::AccreditationOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the accreditation, whose record stays.
		/// - **Events:** [`Event::AccreditationReleased`].
		/// - **Refusals:** [`Error::AccreditationMissing`], [`Error::AccreditationReleased`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(14)]
		pub fn release_accreditation(
			origin: OriginFor<T>,
			office: Office,
			account: T::AccountId,
		) -> DispatchResult {
			T::AccreditationOrigin::ensure_origin(origin)?;
			Self::do_release_accreditation(office, account)
		}

		/// Marks an observer or endorser as compromised from a moment on: what it said from then on does not count, what
		/// it said before does. It can never act again.
		///
		/// - **Who:** [`Config::AccreditationOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the accreditation.
		/// - **Events:** [`Event::AccreditationCompromised`].
		/// - **Refusals:** [`Error::AccreditationMissing`], [`Error::CompromiseInFuture`],
		///   [`Error::CompromiseNotEarlier`]: it can only be moved to an earlier moment, or what was void would return.
		/// - **Complexity:** O(1).
		#[pallet::call_index(15)]
		pub fn mark_compromised(
			origin: OriginFor<T>,
			office: Office,
			account: T::AccountId,
			from: Moment,
		) -> DispatchResult {
			T::AccreditationOrigin::ensure_origin(origin)?;
			Self::do_mark_compromised(office, account, from)
		}

		/// Sets the policy. Quorums of endorsers apply at once to every certificate; open applications keep their windows
		/// and their number of observers.
		///
		/// - **Who:** [`Config::PolicyOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the policy.
		/// - **Events:** [`Event::PolicySet`].
		/// - **Refusals:** [`Error::PolicyIncoherent`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(16)]
		pub fn set_policy(origin: OriginFor<T>, policy: CertificatePolicy) -> DispatchResult {
			T::PolicyOrigin::ensure_origin(origin)?;
			Self::do_set_policy(policy)
		}

		/// Sets the fees. Open applications keep what they have in escrow.
		///
		/// - **Who:** [`Config::PolicyOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the fee schedule; its switch `feeless` makes every price and the deposit zero.
		/// - **Events:** [`Event::FeesSet`].
		/// - **Refusals:** [`Error::FeesTooHigh`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(17)]
		pub fn set_fees(origin: OriginFor<T>, fees: FeeSchedule<BalanceOf<T>>) -> DispatchResult {
			T::PolicyOrigin::ensure_origin(origin)?;
			Self::do_set_fees(fees)
		}
	}
}
