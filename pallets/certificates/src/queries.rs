//! What may be asked, by the runtime API and by clients that run the runtime themselves.

use crate::{
	Accreditations, Accredited, AccreditedCount, ApplicationVotes, Applications, Certificates,
	Config, Ending, EndingCount, Endorsements, HolderCertificateCount, HolderCertificates,
	OpenApplications, OpenCount, Pallet, Registrants, SubjectCertificateCount, SubjectCertificates,
	Subjects,
};
use dpki_primitives::{
	application::{ApplicationRecord, Phase, Purpose, Votes, control_challenge},
	assurance::{Accreditation, Endorsements as EndorsementList, Level},
	certificate::{CertificateRecord, Holder, MAX_PAGE, Office, Page, SubjectRecord, day_of},
	ids::{ApplicationId, CertificateId, KeyId, OrganisationId, SubjectId},
	organisation::Belongings,
};

impl<T: Config> Pallet<T> {
	/// The certificate as stored.
	pub fn certificate(id: CertificateId) -> Option<CertificateRecord> {
		Certificates::<T>::get(id)
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
	pub fn challenge(id: ApplicationId) -> Option<(dpki_primitives::subject::Subject, [u8; 32])> {
		let record = Applications::<T>::get(id)?;
		if !matches!(record.phase, Phase::Control { .. }) {
			return None;
		}
		let (subject, key) = match record.purpose {
			Purpose::Issue(request) => (request.subject, request.key),
			Purpose::Control(certificate) | Purpose::Endorsement(certificate) => {
				let certificate = Certificates::<T>::get(certificate)?;
				(certificate.subject, certificate.key)
			},
		};
		let challenge = control_challenge(&Self::genesis(), id, subject.id(), KeyId::of(&key));
		Some((subject, challenge))
	}

	/// Who holds the subject, as stored; whether it still does say its certificates.
	pub fn subject(id: SubjectId) -> Option<SubjectRecord> {
		Subjects::<T>::get(id)
	}

	/// The accreditation as stored.
	pub fn accreditation(office: Office, account: &T::AccountId) -> Option<Accreditation> {
		Accreditations::<T>::get(office, account)
	}

	/// Everyone who was ever accredited for an office, from number `start` on.
	pub fn accredited(office: Office, start: u32) -> Page<(T::AccountId, Accreditation)> {
		page(AccreditedCount::<T>::get(office), start, |index| {
			let account = Accredited::<T>::get(office, index)?;
			let accreditation = Accreditations::<T>::get(office, &account)?;
			Some((account, accreditation))
		})
	}

	/// The certificates of a holder, oldest first, from number `start` on.
	pub fn certificates_of(holder: Holder, start: u32) -> Page<CertificateId> {
		page(HolderCertificateCount::<T>::get(holder), start, |index| {
			HolderCertificates::<T>::get(holder, index)
		})
	}

	/// The certificates ever granted about a subject, oldest first, from number `start` on.
	pub fn certificates_about(subject: SubjectId, start: u32) -> Page<CertificateId> {
		page(SubjectCertificateCount::<T>::get(subject), start, |index| {
			SubjectCertificates::<T>::get(subject, index)
		})
	}

	/// The unrevoked certificates that end on a day since the Unix epoch, as things stand, from entry `start` on.
	pub fn ending_on(day: u32, start: u32) -> Page<CertificateId> {
		page(EndingCount::<T>::get(day), start, |index| {
			let id = Ending::<T>::get(day, index)?;
			let record = Certificates::<T>::get(id)?;
			(record.revocation.is_none() && day_of(record.ends_at()) == day).then_some(id)
		})
	}

	/// The applications on which the organisation of this observer can still commit itself, from entry `start` of the
	/// open ones on.
	pub fn pending_observations(observer: &T::AccountId, start: u32) -> Page<ApplicationId> {
		let accreditation = Self::active(Office::Observer, observer).ok();
		page(OpenCount::<T>::get(), start, |index| {
			let organisation = accreditation?.organisation;
			let id = OpenApplications::<T>::get(index)?;
			let Phase::Control { commit_until, .. } = Applications::<T>::get(id)?.phase else {
				return None;
			};
			let has_voted =
				|| ApplicationVotes::<T>::get(id).iter().any(|it| it.organisation == organisation);
			(Self::block() <= commit_until && !has_voted()).then_some(id)
		})
	}

	/// The votes that this observer still has to reveal, from entry `start` of the open applications on.
	pub fn pending_reveals(observer: &T::AccountId, start: u32) -> Page<ApplicationId> {
		let account: [u8; 32] = observer.clone().into();
		page(OpenCount::<T>::get(), start, |index| {
			let id = OpenApplications::<T>::get(index)?;
			let Phase::Control { reveal_until, .. } = Applications::<T>::get(id)?.phase else {
				return None;
			};
			let is_hidden = || {
				ApplicationVotes::<T>::get(id)
					.iter()
					.any(|it| it.observer == account && it.revealed.is_none())
			};
			(Self::block() <= reveal_until && is_hidden()).then_some(id)
		})
	}

	/// The certificates that wait for endorsements which this endorser could give and be paid for, from entry `start` of
	/// the open applications on.
	pub fn pending_endorsements(endorser: &T::AccountId, start: u32) -> Page<CertificateId> {
		let accreditation = Self::active(Office::Endorser, endorser).ok();
		page(OpenCount::<T>::get(), start, |index| {
			let accreditation = accreditation?;
			let application = OpenApplications::<T>::get(index)?;
			let record = Applications::<T>::get(application)?;
			let Phase::Endorsement { until } = record.phase else { return None };
			let id = record.certificate(application);
			let certificate = Certificates::<T>::get(id)?;
			let is_fit = (Level::Ov..=accreditation.level).contains(&certificate.requested)
				&& certificate.holder.organisation() != Some(accreditation.organisation);
			let is_paid = || {
				crate::Escrows::<T>::get(application)
					.is_some_and(|it| it.paid.contains(&accreditation.organisation))
			};
			(Self::block() <= until && is_fit && !is_paid()).then_some(id)
		})
	}
}

impl<T: Config> Belongings for Pallet<T> {
	/// An open application counts, as it could bring a certificate to an organisation that is no more, and so does an
	/// accreditation, whose voice is that of its organisation.
	fn is_empty(organisation: OrganisationId) -> bool {
		!Registrants::<T>::contains_key(organisation)
	}
}

/// One page of a list with `total` entries.
fn page<Item>(total: u32, start: u32, item: impl Fn(u32) -> Option<Item>) -> Page<Item> {
	let end = start.saturating_add(MAX_PAGE).min(total);
	Page {
		total,
		next: (end < total).then_some(end),
		items: (start..end).filter_map(item).collect(),
	}
}
