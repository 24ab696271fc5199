//! Granting: what happens when nothing stands against an application any more.

use crate::{
	Applications, Certificates, Config, Ending, EndingCount, EndingCursor, Error, Event,
	HolderCertificateCount, HolderCertificates, OpenRenewals, Pallet, SubjectCertificateCount,
	SubjectCertificates, Subjects,
};
use dpki_primitives::{
	Moment,
	application::{
		ApplicationRecord, CertificateRequest, Outcome, Phase, Purpose, RefusalCause, Renewal,
	},
	assurance::Level,
	certificate::{CertificateRecord, Holder, SubjectRecord, day_of},
	ids::{ApplicationId, CertificateId, KeyId, SubjectId},
	status::Validity,
};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Grants an application whose control is proven, or needs no proof, and pays those who worked on it; or refuses it
	/// for what has changed since it was made.
	pub(crate) fn decide(
		id: ApplicationId,
		record: ApplicationRecord,
		revealers: &[T::AccountId],
	) -> DispatchResult {
		let granted = match &record.purpose {
			Purpose::Issue(request) => Self::issue(CertificateId::of(id), request),
			Purpose::Control(certificate) => Self::renew_control(*certificate),
			Purpose::Endorsement(_) => Ok(Next::Wait),
		};
		let next = match granted {
			Ok(next) => next,
			Err(cause) => return Self::refuse(id, record, cause, revealers),
		};
		let payer = record.payer.into();
		Self::pay_network(id, &payer)?;
		Self::pay_observers(id, &payer, revealers)?;
		match next {
			Next::Close => Self::finish(id, record, Outcome::Granted),
			Next::Wait => {
				Self::await_endorsements(id, record);
				Ok(())
			},
		}
	}

	/// Refuses an application. Observers are paid for a negative verdict as for a positive one, or they would be paid for
	/// seeing what is not there.
	pub(crate) fn refuse(
		id: ApplicationId,
		record: ApplicationRecord,
		cause: RefusalCause,
		revealers: &[T::AccountId],
	) -> DispatchResult {
		Self::pay_observers(id, &record.payer.into(), revealers)?;
		Self::finish(id, record, Outcome::Refused(cause))
	}

	/// Keeps the application open for those who are to endorse the certificate.
	fn await_endorsements(id: ApplicationId, mut record: ApplicationRecord) {
		let until = Self::block().saturating_add(Self::policy().endorsement_blocks);
		OpenRenewals::<T>::insert(record.certificate(id), Renewal::Endorsement, id);
		record.phase = Phase::Endorsement { until };
		Applications::<T>::insert(id, record);
	}

	/// Stores a new certificate.
	fn issue(id: CertificateId, request: &CertificateRequest) -> Result<Next, RefusalCause> {
		let (now, policy) = (Self::now(), Self::policy());
		let key = KeyId::of(&request.key);
		ensure!(request.not_after >= now, RefusalCause::CertificateEnded);
		ensure!(Self::ensure_certifiable(&request.key).is_ok(), RefusalCause::KeyCompromised);
		let subject = request.subject.id();
		Self::take_subject(subject, request.holder, id)?;

		let record = CertificateRecord {
			subject: request.subject.clone(),
			holder: request.holder,
			requested: request.level,
			key: request.key.clone(),
			display_name: request.display_name.clone(),
			validity: Validity { not_before: now, not_after: Some(request.not_after) },
			control_until: request
				.subject
				.needs_control_proof()
				.then(|| now.saturating_add(policy.control_lifetime)),
			suspension: None,
			revocation: None,
		};
		Self::list_ending(id, record.ends_at(), now);
		Certificates::<T>::insert(id, record);
		let index = SubjectCertificateCount::<T>::get(subject);
		SubjectCertificates::<T>::insert(subject, index, id);
		SubjectCertificateCount::<T>::insert(subject, index.saturating_add(1));
		let index = HolderCertificateCount::<T>::get(request.holder);
		HolderCertificates::<T>::insert(request.holder, index, id);
		HolderCertificateCount::<T>::insert(request.holder, index.saturating_add(1));
		Self::deposit_event(Event::CertificateIssued {
			certificate: id,
			subject,
			holder: request.holder,
			requested: request.level,
			key,
		});
		Ok(if request.level > Level::Dv { Next::Wait } else { Next::Close })
	}

	/// Lets a certificate go on whose control was seen again.
	fn renew_control(id: CertificateId) -> Result<Next, RefusalCause> {
		let now = Self::now();
		let mut record = Certificates::<T>::get(id).ok_or(RefusalCause::CertificateEnded)?;
		Self::ensure_not_ended(&record, now).map_err(|_| RefusalCause::CertificateEnded)?;
		Self::take_subject(record.subject.id(), record.holder, id)?;
		let before = day_of(record.ends_at());
		let control_until = now.saturating_add(Self::policy().control_lifetime);
		// A shorter lifetime in a new policy does not take away what was proven under the old one.
		let control_until = record.control_until.map_or(control_until, |it| it.max(control_until));
		record.control_until = Some(control_until);
		if day_of(record.ends_at()) != before {
			Self::list_ending(id, record.ends_at(), now);
		}
		Certificates::<T>::insert(id, record);
		Self::deposit_event(Event::ControlRenewed { certificate: id, control_until });
		Ok(Next::Close)
	}

	/// That the subject can be certified for this holder: none of another holder's certificates keeps it, and there is
	/// room for one more, `certificate` itself aside.
	pub(crate) fn ensure_available(
		subject: SubjectId,
		holder: Holder,
		certificate: Option<CertificateId>,
	) -> Result<(), Error<T>> {
		match Self::availability(subject, holder, certificate) {
			Ok(_) => Ok(()),
			Err(RefusalCause::SubjectFull) => Err(Error::<T>::SubjectFull),
			Err(_) => Err(Error::<T>::SubjectHeld),
		}
	}

	/// Whether `holder` has a live certificate about the subject.
	pub(crate) fn is_held_by(subject: SubjectId, holder: Holder) -> bool {
		Subjects::<T>::get(subject)
			.is_some_and(|it| it.holder == holder && it.live.iter().any(Self::is_live))
	}

	/// The first one who proves the subject takes it.
	fn take_subject(
		subject: SubjectId,
		holder: Holder,
		certificate: CertificateId,
	) -> Result<(), RefusalCause> {
		let mut record = Self::availability(subject, holder, Some(certificate))?;
		record.live.try_push(certificate).map_err(|_| RefusalCause::SubjectFull)?;
		Subjects::<T>::insert(subject, record);
		Ok(())
	}

	/// The subject as `holder` could take it over: with its live certificates but `certificate`.
	fn availability(
		subject: SubjectId,
		holder: Holder,
		certificate: Option<CertificateId>,
	) -> Result<SubjectRecord, RefusalCause> {
		let mut record = Subjects::<T>::get(subject)
			.unwrap_or(SubjectRecord { holder, live: Default::default() });
		record.live.retain(|id| Some(*id) != certificate && Self::is_live(id));
		if record.holder != holder {
			ensure!(record.live.is_empty(), RefusalCause::SubjectHeld);
			record.holder = holder;
		}
		ensure!(!record.live.is_full(), RefusalCause::SubjectFull);
		Ok(record)
	}

	/// Whether a certificate keeps its subject.
	fn is_live(id: &CertificateId) -> bool {
		Certificates::<T>::get(id).is_some_and(|record| {
			let now = Self::now();
			record.holds_subject(Self::status_of(&record, now), now)
		})
	}

	/// That a certificate can go on: it is neither revoked nor past its validity. Lost control can be proven again.
	pub(crate) fn ensure_not_ended(
		record: &CertificateRecord,
		now: Moment,
	) -> Result<(), Error<T>> {
		let is_over = record.validity.not_after.is_some_and(|end| now > end);
		let is_revoked = Self::status_of(record, now).revocation().is_some();
		ensure!(!is_over && !is_revoked, Error::<T>::CertificateEnded);
		Ok(())
	}

	/// Enters a certificate into the index by end.
	fn list_ending(id: CertificateId, ends_at: Moment, now: Moment) {
		if !EndingCursor::<T>::exists() {
			EndingCursor::<T>::put(day_of(now));
		}
		let day = day_of(ends_at);
		let index = EndingCount::<T>::get(day);
		Ending::<T>::insert(day, index, id);
		EndingCount::<T>::insert(day, index.saturating_add(1));
	}
}

/// What becomes of an application that was granted.
enum Next {
	/// Nothing more.
	Close,
	/// Endorsers come to it.
	Wait,
}
