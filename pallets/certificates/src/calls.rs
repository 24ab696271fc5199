//! What can be called.

use frame_support::pallet_macros::pallet_section;

/// Calls of the pallet. Each is thin: the rule is in the module named after its concept.
#[pallet_section]
mod calls {
	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Applies for a certificate.
		///
		/// - **Who:** any signed account, which pays. For a certificate of an organisation, of its services and devices,
		///   and wherever an organisation is the holder: a registrar of it (an administrator for itself).
		/// - **Cost:** the fee of the transaction; the schedule's price goes into escrow, the deposit on hold. On a feeless
		///   chain trustees and members of organisations pay neither, and
		///   [`UNITS_PER_APPLICATION`](dpki_primitives::economy::UNITS_PER_APPLICATION) are taken from their quotas.
		/// - **Changes:** what can be checked at once is: the certificate then exists within this call. Names and
		///   addresses wait for the observers. At OV and EV the application goes on to wait for endorsements.
		/// - **Events:** [`Event::ApplicationOpened`]; then [`Event::CertificateIssued`], [`Event::ApplicationClosed`]
		///   if it is decided at once.
		/// - **Refusals:** [`Error::SubjectMalformed`], [`Error::LevelUnfit`], [`Error::DisplayNameUnfit`],
		///   [`Error::ValidityInvalid`], [`Error::SignatureExpired`], [`Error::KeyMalformed`], [`Error::KeyCannotSign`],
		///   [`Error::KeyRevoked`], [`Error::DeviceNotValid`], [`Error::HolderUnfit`], [`Error::RoleMissing`],
		///   [`Error::KeyMismatch`], [`Error::SubjectHeld`], [`Error::SubjectFull`], [`Error::TooManyApplications`],
		///   [`Error::PossessionInvalid`], [`Error::RequestInvalid`]; what the currency refuses if funds are missing, and
		///   `Token` if quota is.
		/// - **Complexity:** one signature, and the live certificates of the subject, at most 8.
		#[pallet::call_index(0)]
		#[pallet::weight(match possession {
			Possession::Signature(_) => T::WeightInfo::apply(),
			Possession::Request(_) => T::WeightInfo::apply_with_request(),
		}.saturating_add(T::QuotaWeight::get()))]
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
		///   endorse, [`Error::RenewalOpen`], [`Error::TooManyApplications`]; missing funds or quota.
		/// - **Complexity:** O(1).
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::renew().saturating_add(T::QuotaWeight::get()))]
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
		/// - **Who:** an accredited observer, one per organisation, within the first window. Nobody observes for itself,
		///   for an organisation of which it is a member or which controls it, or for a member of the latter.
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
		/// - **Changes:** after the first window it is decided if it can be without another vote: refused once those who
		///   can still reveal are too few, granted if enough have seen control and one of them was accredited again only
		///   after the last vote. No decision by the end of the second window is a time-out. After the time for
		///   endorsements, or once the certificate is revoked, it ends as granted.
		/// - **Events:** [`Event::FeePaid`] for observers that did reveal, [`Event::ApplicationClosed`]; if it is granted
		///   now, [`Event::CertificateIssued`] or [`Event::ControlRenewed`].
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
		/// - **Who:** an accredited endorser of that level. Nobody endorses for itself, for an organisation of which it is a
		///   member or which controls it, or for a member of the latter: neither where such is the holder, nor while it
		///   pays for the endorsement.
		/// - **Cost:** the fee of the transaction. Paid from the application that is open for it, if there is one: once
		///   per organisation, at the requested level, until as many are paid as the policy needed.
		/// - **Changes:** the endorsements of the certificate. An earlier one of the endorser stays beside it until it expires,
		///   and both are one voice; there are two at most.
		/// - **Events:** [`Event::Endorsed`], [`Event::FeePaid`]; [`Event::ApplicationClosed`] with the last paid one.
		/// - **Refusals:** [`Error::AccreditationMissing`], [`Error::AccreditationNotActive`],
		///   [`Error::AccreditationCompromised`], [`Error::BondTooLow`], [`Error::CertificateNotFound`],
		///   [`Error::CertificateNotValid`], [`Error::LevelUnfit`], [`Error::DigestMismatch`],
		///   [`Error::OwnCertificate`], [`Error::ExpiryInvalid`], [`Error::EndorsedTwice`],
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
		///   endorsers), [`Error::AccreditationCompromised`], because that account's word is worth nothing any more,
		///   [`Error::BondTooLow`] for an endorser, unless it is in office and is given no higher level.
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
		/// it said before does, even if the account has been suspended since. It can never act again, in either office.
		///
		/// - **Who:** [`Config::AccreditationOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the accreditation; that in the other office too, unless it is marked from an earlier moment on.
		/// - **Events:** [`Event::AccreditationCompromised`] for each office in which it is marked.
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
		/// - **Changes:** the fee schedule; its switch `feeless` makes every price and the deposit zero, for
		///   strangers too. On a feeless chain trustees and members of organisations pay neither whatever it says.
		/// - **Events:** [`Event::FeesSet`].
		/// - **Refusals:** [`Error::FeesTooHigh`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(17)]
		pub fn set_fees(origin: OriginFor<T>, fees: FeeSchedule<BalanceOf<T>>) -> DispatchResult {
			T::PolicyOrigin::ensure_origin(origin)?;
			Self::do_set_fees(fees)
		}

		/// Raises the bond of the sender as an endorser, or makes its first one. It is made before the accreditation, which
		/// asks for it.
		///
		/// - **Who:** any signed account, of its own funds.
		/// - **Cost:** the fee of the transaction; the amount, in the smallest unit, goes on hold.
		/// - **Changes:** the bond. A suspension that followed from a bond that was too low is ended by
		///   [`Self::accredit`] only.
		/// - **Events:** [`Event::Bonded`].
		/// - **Refusals:** [`Error::AmountZero`]; what the currency refuses if funds are missing.
		/// - **Complexity:** O(1).
		#[pallet::call_index(18)]
		pub fn bond(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			Self::do_bond(ensure_signed(origin)?, amount)
		}

		/// Takes a part of the bond out. It stays on hold, and can be slashed, for [`Config::UnbondingPeriod`].
		///
		/// - **Who:** the account that has bonded, accredited or not.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** the bond. Less than the minimum suspends the accreditation as an endorser at once, unless the
		///   account counts as compromised: it cannot act any more, and what it said before has to go on counting.
		/// - **Events:** [`Event::UnbondingBegun`]; [`Event::AccreditationSuspended`].
		/// - **Refusals:** [`Error::AmountZero`], [`Error::BondExceeded`], [`Error::UnbondingFull`].
		/// - **Complexity:** O(1).
		#[pallet::call_index(19)]
		pub fn unbond(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			Self::do_unbond(ensure_signed(origin)?, amount)
		}

		/// Returns what is due of the bond.
		///
		/// - **Who:** the account that has bonded.
		/// - **Cost:** the fee of the transaction.
		/// - **Changes:** the bond, whose record ends with its last part.
		/// - **Events:** [`Event::BondWithdrawn`].
		/// - **Refusals:** [`Error::UnbondingNotDue`].
		/// - **Complexity:** the parts on their way out, at most 16.
		#[pallet::call_index(20)]
		pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
			Self::do_withdraw_bond(ensure_signed(origin)?)
		}

		/// Slashes a bond for what the endorser was proven to have done: up to `amount`, in the smallest unit, is burnt, of
		/// what is active first, then of what is on its way out. `evidence` is the hash of the proof.
		///
		/// Less than that is no reason to refuse: what was due could be withdrawn while the vote went on.
		///
		/// - **Who:** [`Config::AccreditationOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the bond, and the list of slashes. Less than the minimum suspends the accreditation as
		///   [`Self::unbond`] does. What the endorser said is not judged by it: [`Self::mark_compromised`] does that.
		/// - **Events:** [`Event::BondSlashed`]; [`Event::AccreditationSuspended`].
		/// - **Refusals:** [`Error::AmountZero`], [`Error::BondMissing`].
		/// - **Complexity:** the parts on their way out, at most 16.
		#[pallet::call_index(21)]
		pub fn slash(
			origin: OriginFor<T>,
			account: T::AccountId,
			amount: BalanceOf<T>,
			reason: SlashReason,
			evidence: [u8; 32],
		) -> DispatchResult {
			T::AccreditationOrigin::ensure_origin(origin)?;
			Self::do_slash(account, amount, reason, evidence)
		}

		/// Sets what an endorser has to have bonded, in the smallest unit; zero asks for no bond. Whoever has less neither
		/// is accredited nor endorses from then on; what it endorsed before goes on counting until its bond shrinks or
		/// the council suspends it.
		///
		/// - **Who:** [`Config::PolicyOrigin`].
		/// - **Cost:** as that origin pays.
		/// - **Changes:** the minimum.
		/// - **Events:** [`Event::MinimumBondSet`].
		/// - **Refusals:** none of its own.
		/// - **Complexity:** O(1).
		#[pallet::call_index(22)]
		pub fn set_minimum_bond(origin: OriginFor<T>, minimum: BalanceOf<T>) -> DispatchResult {
			T::PolicyOrigin::ensure_origin(origin)?;
			Self::do_set_minimum_bond(minimum);
			Ok(())
		}
	}
}
