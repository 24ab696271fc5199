#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

extern crate alloc;

mod accreditation;
mod applications;
mod assessment;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bonds;
mod calls;
mod cleaning;
mod conflicts;
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
#[import_section(calls::calls)]
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
		bond::{Bond, SlashReason, SlashRecord},
		certificate::{
			Authority, CertificatePolicy, CertificateRecord, DisplayName, Holder, Office, Page,
			SubjectRecord,
		},
		economy::Economy,
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

		/// Whether the chain is feeless, and for whom.
		type Economy: Economy<Self::AccountId>;

		/// The weight of taking the quota of an application on a feeless chain. What the calls weigh is measured with fees.
		type QuotaWeight: Get<Weight>;

		/// Who may act for which organisation.
		type Organisations: Organisations<Self::AccountId>;

		/// The devices and keys of this chain, and the verification of signatures.
		type Registry: Registry;

		/// The check of PKCS#10 requests.
		type Requests: RequestVerifier;

		/// The chain time.
		type Time: Time<Moment = Moment>;

		/// Who accredits observers and endorsers, takes accreditations away, and slashes bonds.
		type AccreditationOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who, beside its holder, can revoke a certificate or put it on hold.
		type RevocationOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who sets the policy, the fees and the least bond.
		type PolicyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The fees that hold until some are set.
		type DefaultFees: Get<FeeSchedule<BalanceOf<Self>>>;

		/// Where the validators' share of the fees goes.
		type ValidatorsAccount: Get<Self::AccountId>;

		/// For how many blocks a closed application stays readable.
		#[pallet::constant]
		type ClosedRetention: Get<BlockHeight>;

		/// For how many blocks what is taken out of a bond stays on hold and can be slashed: longer than
		/// [`Self::LongestVote`].
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockHeight>;

		/// For how many blocks [`Self::AccreditationOrigin`] can be voted on at most: a vote on a slash that begins with
		/// the unbonding ends before it.
		type LongestVote: Get<BlockHeight>;

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
		/// What an endorser stands to lose, that on its way out included.
		EndorserBond,
	}

	/// What endorsers have to have bonded when the chain begins. A chain that gets this pallet later asks for nothing
	/// until somebody sets it.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// In the smallest unit; zero asks for no bond.
		pub minimum_bond: BalanceOf<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			MinimumBond::<T>::put(self.minimum_bond);
		}
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
			assert!(
				T::UnbondingPeriod::get() > T::LongestVote::get(),
				"nobody takes a bond away while a vote on it goes on"
			);
			let weights = T::BlockWeights::get();
			let normal = weights.get(DispatchClass::Normal);
			let limit = normal.max_extrinsic.or(normal.max_total).unwrap_or(weights.max_block);
			let quota = T::QuotaWeight::get();
			for (call, weight) in [
				("an application", T::WeightInfo::apply().saturating_add(quota)),
				(
					"an application with a request",
					T::WeightInfo::apply_with_request().saturating_add(quota),
				),
				("a renewal", T::WeightInfo::renew().saturating_add(quota)),
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

		/// What the account has bonded, if anything.
		pub fn bonded(account: T::AccountId) -> Option<Bond<BalanceOf<T>>> {
			Bonds::<T>::get(account)
		}

		/// What an endorser has to have bonded.
		pub fn minimum_bond() -> BalanceOf<T> {
			MinimumBond::<T>::get()
		}

		/// The slashes of the account, oldest first, from number `start` on.
		pub fn slashes(account: T::AccountId, start: u32) -> Page<SlashRecord<BalanceOf<T>>> {
			Self::list_slashes(account, start)
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
}
