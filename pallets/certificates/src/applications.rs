//! Applications: who may make one, and its way from open to closed.

use crate::{
	ApplicationNonce, ApplicationVotes, Applications, Certificates, ClosedQueue, ClosedRange,
	Config, Error, Event, OpenApplications, OpenByPayer, OpenCount, OpenPositions, OpenRenewals,
	Pallet, Policy, Registrants,
	escrow::{Operation, Order},
};
use dpki_primitives::{
	Moment,
	application::{
		ApplicationRecord, BlockHeight, CertificateRequest, MAX_OPEN_APPLICATIONS, Outcome, Phase,
		Possession, Purpose, Renewal,
	},
	assurance::Level,
	certificate::{CertificatePolicy, Holder, is_valid_display_name},
	economy::{Economy, FundsMissing, Resource},
	ids::{ApplicationId, CertificateId, KeyId, OrganisationId, SubjectId},
	organisation::{Organisations, Role},
	registry::Registry,
	subject::{Subject, uuid_of_key},
};
use frame_support::{ensure, traits::Get};
use sp_runtime::{DispatchResult, TokenError, traits::SaturatedConversion};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_apply(
		payer: T::AccountId,
		request: CertificateRequest,
		possession: &Possession,
		expires_at: Moment,
	) -> DispatchResult {
		let (now, policy) = (Self::now(), Self::policy());
		let subject = request.subject.id();
		Self::ensure_coherent(&request, &policy, now)?;
		Self::ensure_certifiable(&request.key)?;
		Self::ensure_authority(&payer, &request)?;
		Self::ensure_derived(subject, &request)?;
		// Judged again when the certificate is granted: an open application reserves nothing.
		Self::ensure_available(subject, request.holder, None)?;
		Self::ensure_possession(&payer, &request, possession, expires_at, now)?;

		if let Some(organisation) = request.holder.organisation() {
			Registrants::<T>::insert(organisation, ());
		}
		let level = request.level;
		let observed = request.subject.needs_control_proof();
		let order = Order {
			operation: Operation::Issue,
			level,
			observed,
			endorsements: policy.endorsers.needed(level),
		};
		let id = Self::open(&payer, order, Purpose::Issue(request), subject, now, &policy)?;
		if observed {
			return Ok(());
		}
		let record = Applications::<T>::get(id).ok_or(Error::<T>::ApplicationNotFound)?;
		Self::decide(id, record, &[])
	}

	pub(crate) fn do_renew(
		account: T::AccountId,
		certificate: CertificateId,
		renewal: Renewal,
	) -> DispatchResult {
		let (now, policy) = (Self::now(), Self::policy());
		let record = Certificates::<T>::get(certificate).ok_or(Error::<T>::CertificateNotFound)?;
		Self::ensure_holder(&account, &record)?;
		Self::ensure_not_ended(&record, now)?;
		ensure!(!OpenRenewals::<T>::contains_key(certificate, renewal), Error::<T>::RenewalOpen);
		let (level, subject) = (record.requested, record.subject.id());
		match renewal {
			Renewal::Control => {
				ensure!(record.subject.needs_control_proof(), Error::<T>::RenewalUnfit);
				let operation = Operation::Control;
				let order = Order { operation, level, observed: true, endorsements: 0 };
				let purpose = Purpose::Control(certificate);
				let id = Self::open(&account, order, purpose, subject, now, &policy)?;
				OpenRenewals::<T>::insert(certificate, renewal, id);
				Ok(())
			},
			Renewal::Endorsement => {
				ensure!(level > Level::Dv, Error::<T>::RenewalUnfit);
				let operation = Operation::Endorsement;
				let endorsements = policy.endorsers.needed(level);
				let order = Order { operation, level, observed: false, endorsements };
				let purpose = Purpose::Endorsement(certificate);
				let id = Self::open(&account, order, purpose, subject, now, &policy)?;
				OpenRenewals::<T>::insert(certificate, renewal, id);
				Self::pay_network(id, &account)
			},
		}
	}

	pub(crate) fn do_withdraw_application(
		account: T::AccountId,
		id: ApplicationId,
	) -> DispatchResult {
		let record = Applications::<T>::get(id).ok_or(Error::<T>::ApplicationNotFound)?;
		ensure!(record.payer == account.into(), Error::<T>::NotPayer);
		match record.phase {
			Phase::Control { .. } => {
				ensure!(
					ApplicationVotes::<T>::decode_len(id).unwrap_or(0) == 0,
					Error::<T>::ApplicationObserved
				);
				Self::finish(id, record, Outcome::Withdrawn)
			},
			Phase::Endorsement { .. } => Err(Error::<T>::ApplicationGranted.into()),
			Phase::Closed { .. } => Err(Error::<T>::ApplicationClosed.into()),
		}
	}

	/// Closes an application that is due. Returns how many votes there are on it.
	pub(crate) fn do_close(id: ApplicationId) -> Result<u32, sp_runtime::DispatchError> {
		let record = Applications::<T>::get(id).ok_or(Error::<T>::ApplicationNotFound)?;
		let block = Self::block();
		match record.phase {
			Phase::Control { commit_until, reveal_until, needed } => {
				ensure!(block > commit_until, Error::<T>::ApplicationNotDue);
				let tally = Self::tally(id);
				if block > reveal_until {
					Self::pay_observers(id, &record.payer.into(), &tally.revealers)?;
					Self::finish(id, record, Outcome::TimedOut)?;
				} else if tally.controlled >= needed {
					// An accreditation came back into force after the last vote.
					Self::decide(id, record, &tally.revealers)?;
				} else if tally.possible() < needed {
					Self::refuse(id, record, tally.cause(), &tally.revealers)?;
				} else {
					return Err(Error::<T>::ApplicationNotDue.into());
				}
				Ok(tally.votes)
			},
			Phase::Endorsement { until } => {
				let is_revoked = || {
					Certificates::<T>::get(record.certificate(id))
						.is_none_or(|certificate| certificate.revocation.is_some())
				};
				ensure!(block > until || is_revoked(), Error::<T>::ApplicationNotDue);
				Self::finish(id, record, Outcome::Granted)?;
				Ok(0)
			},
			Phase::Closed { .. } => Err(Error::<T>::ApplicationClosed.into()),
		}
	}

	/// That the parts of a request go together, whoever makes it.
	fn ensure_coherent(
		request: &CertificateRequest,
		policy: &CertificatePolicy,
		now: Moment,
	) -> Result<(), Error<T>> {
		ensure!(request.subject.is_well_formed(), Error::<T>::SubjectMalformed);
		ensure!(request.subject.allows(request.level), Error::<T>::LevelUnfit);
		Self::ensure_display_name(
			&request.subject,
			request.level,
			request.display_name.as_ref().map(|name| &name[..]),
		)?;
		ensure!(
			request.not_after > now && request.not_after <= now.saturating_add(policy.max_lifetime),
			Error::<T>::ValidityInvalid
		);
		Ok(())
	}

	/// That a certificate of this level about this subject may show this name.
	pub(crate) fn ensure_display_name(
		subject: &Subject,
		level: Level,
		name: Option<&[u8]>,
	) -> Result<(), Error<T>> {
		let Some(name) = name else { return Ok(()) };
		ensure!(
			subject.may_have_display_name() && level > Level::Dv && is_valid_display_name(name),
			Error::<T>::DisplayNameUnfit
		);
		Ok(())
	}

	/// That the payer may have this holder certified for this subject.
	///
	/// Another account needs no asking: it gets rights and no duties, and the key agreed to it.
	fn ensure_authority(
		payer: &T::AccountId,
		request: &CertificateRequest,
	) -> Result<(), Error<T>> {
		let owner = match &request.subject {
			Subject::Organisation(organisation) | Subject::Service { organisation, .. } => {
				Some(*organisation)
			},
			Subject::Device(device) => {
				ensure!(T::Registry::device_status(*device).is_valid(), Error::<T>::DeviceNotValid);
				T::Registry::device(*device).map(|record| record.organisation)
			},
			_ => None,
		};
		ensure!(owner.is_none() || owner == request.holder.organisation(), Error::<T>::HolderUnfit);
		match request.holder {
			Holder::Account(_) => Ok(()),
			Holder::Organisation(organisation) => {
				Self::ensure_role(payer, organisation, &request.subject)
			},
		}
	}

	/// That the account acts for the organisation in matters of certificates about this subject.
	pub(crate) fn ensure_role(
		account: &T::AccountId,
		organisation: OrganisationId,
		subject: &Subject,
	) -> Result<(), Error<T>> {
		ensure!(T::Organisations::exists(organisation), Error::<T>::OrganisationNotFound);
		let role = match subject {
			Subject::Organisation(_) => Role::Administrator,
			_ => Role::Registrar,
		};
		ensure!(T::Organisations::has_role(organisation, account, role), Error::<T>::RoleMissing);
		Ok(())
	}

	/// That a subject which is made from a key is made from this one. The holder of a UUID keeps it with other keys.
	fn ensure_derived(subject: SubjectId, request: &CertificateRequest) -> Result<(), Error<T>> {
		let key = KeyId::of(&request.key);
		let fits = match request.subject {
			Subject::Pseudonym(pseudonym) => pseudonym == key,
			Subject::Uuid(uuid) => {
				uuid == uuid_of_key(key) || Self::is_held_by(subject, request.holder)
			},
			_ => true,
		};
		ensure!(fits, Error::<T>::KeyMismatch);
		Ok(())
	}

	/// Stores a new application and puts its price into escrow. What observers do not take part in is open for
	/// endorsement.
	fn open(
		payer: &T::AccountId,
		order: Order,
		purpose: Purpose,
		subject: SubjectId,
		now: Moment,
		policy: &CertificatePolicy,
	) -> Result<ApplicationId, sp_runtime::DispatchError> {
		let open = OpenByPayer::<T>::get(payer);
		ensure!(open < MAX_OPEN_APPLICATIONS, Error::<T>::TooManyApplications);
		let nonce = ApplicationNonce::<T>::get(payer);
		let id = ApplicationId::of(&payer.clone().into(), nonce);
		Self::open_escrow(id, payer, order)?;
		if let Purpose::Issue(_) = purpose {
			// With the application: when the certificate is issued, its payer is asked nothing any more.
			T::Economy::hold(payer, Resource::Certificate(CertificateId::of(id)))
				.map_err(|FundsMissing| TokenError::FundsUnavailable)?;
		}

		let block = Self::block();
		let commit_until = block.saturating_add(policy.commit_blocks);
		let phase = if order.observed {
			Phase::Control {
				commit_until,
				reveal_until: commit_until.saturating_add(policy.reveal_blocks),
				needed: policy.observers,
			}
		} else {
			Phase::Endorsement { until: block.saturating_add(policy.endorsement_blocks) }
		};
		let record =
			ApplicationRecord { payer: payer.clone().into(), purpose, phase, opened_at: now };
		let certificate = record.certificate(id);
		Applications::<T>::insert(id, record);
		ApplicationNonce::<T>::insert(payer, nonce.saturating_add(1));
		OpenByPayer::<T>::insert(payer, open.saturating_add(1));
		let position = OpenCount::<T>::get();
		OpenApplications::<T>::insert(position, id);
		OpenPositions::<T>::insert(id, position);
		OpenCount::<T>::put(position.saturating_add(1));
		Self::deposit_event(Event::ApplicationOpened {
			application: id,
			payer: payer.clone(),
			certificate,
			subject,
		});
		Ok(id)
	}

	/// Closes an application: settles its escrow, and takes it off every list of open ones.
	pub(crate) fn finish(
		id: ApplicationId,
		mut record: ApplicationRecord,
		outcome: Outcome,
	) -> DispatchResult {
		let payer: T::AccountId = record.payer.into();
		let returned = Self::settle(id, &payer)?;
		let renewal = match record.purpose {
			Purpose::Control(_) => Renewal::Control,
			Purpose::Issue(_) | Purpose::Endorsement(_) => Renewal::Endorsement,
		};
		let certificate = record.certificate(id);
		if !Certificates::<T>::contains_key(certificate) {
			T::Economy::release(Resource::Certificate(certificate));
		}
		if OpenRenewals::<T>::get(certificate, renewal) == Some(id) {
			OpenRenewals::<T>::remove(certificate, renewal);
		}
		OpenByPayer::<T>::mutate_exists(&payer, |open| {
			*open = open.map(|open| open.saturating_sub(1)).filter(|open| *open > 0);
		});
		Self::unlist(id);

		record.phase = Phase::Closed { outcome, at: Self::now() };
		Applications::<T>::insert(id, record);
		let (first, next) = ClosedRange::<T>::get();
		let remove_after = Self::block().saturating_add(T::ClosedRetention::get());
		ClosedQueue::<T>::insert(next, (id, remove_after));
		ClosedRange::<T>::put((first, next.saturating_add(1)));
		Self::deposit_event(Event::ApplicationClosed { application: id, outcome, returned });
		Ok(())
	}

	/// Takes an application off the list of open ones; the last one takes its place.
	fn unlist(id: ApplicationId) {
		let Some(position) = OpenPositions::<T>::take(id) else { return };
		let last = OpenCount::<T>::get().saturating_sub(1);
		if let Some(moved) = OpenApplications::<T>::take(last).filter(|_| position != last) {
			OpenApplications::<T>::insert(position, moved);
			OpenPositions::<T>::insert(moved, position);
		}
		OpenCount::<T>::put(last);
	}

	/// The policy of the consortium.
	pub fn policy() -> CertificatePolicy {
		Policy::<T>::get()
	}

	/// The chain time.
	pub(crate) fn now() -> Moment {
		<T::Time as frame_support::traits::Time>::now()
	}

	/// The number of this block, as deadlines are counted.
	pub(crate) fn block() -> BlockHeight {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}
