//! What view functions answer, where that takes more than a look into the state; and what other pallets ask.

use crate::{
	Accreditations, Accredited, AccreditedCount, ApplicationVotes, Applications, BalanceOf,
	Certificates, Config, Ending, EndingCount, Escrows, HolderCertificateCount, HolderCertificates,
	OpenApplications, OpenCount, Pallet, Registrants, SlashCount, Slashes, SubjectCertificateCount,
	SubjectCertificates, conflicts::Parties,
};
use dpki_primitives::{
	application::{Phase, Purpose, control_challenge},
	assurance::{Accreditation, Level},
	bond::SlashRecord,
	certificate::{Holder, Office, Page, day_of},
	ids::{ApplicationId, CertificateId, KeyId, OrganisationId, SubjectId},
	organisation::Belongings,
	subject::Subject,
};

impl<T: Config> Pallet<T> {
	/// The accreditation as stored.
	pub fn accreditation(office: Office, account: &T::AccountId) -> Option<Accreditation> {
		Accreditations::<T>::get(office, account)
	}

	pub(crate) fn challenge_of(id: ApplicationId) -> Option<(Subject, [u8; 32])> {
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

	pub(crate) fn list_accredited(
		office: Office,
		start: u32,
	) -> Page<(T::AccountId, Accreditation)> {
		Page::of(AccreditedCount::<T>::get(office), start, |index| {
			let account = Accredited::<T>::get(office, index)?;
			let accreditation = Accreditations::<T>::get(office, &account)?;
			Some((account, accreditation))
		})
	}

	pub(crate) fn list_slashes(
		account: T::AccountId,
		start: u32,
	) -> Page<SlashRecord<BalanceOf<T>>> {
		Page::of(SlashCount::<T>::get(&account), start, |index| Slashes::<T>::get(&account, index))
	}

	pub(crate) fn list_of_holder(holder: Holder, start: u32) -> Page<CertificateId> {
		Page::of(HolderCertificateCount::<T>::get(holder), start, |index| {
			HolderCertificates::<T>::get(holder, index)
		})
	}

	pub(crate) fn list_about(subject: SubjectId, start: u32) -> Page<CertificateId> {
		Page::of(SubjectCertificateCount::<T>::get(subject), start, |index| {
			SubjectCertificates::<T>::get(subject, index)
		})
	}

	pub(crate) fn list_ending_on(day: u32, start: u32) -> Page<CertificateId> {
		Page::of(EndingCount::<T>::get(day), start, |index| {
			let id = Ending::<T>::get(day, index)?;
			let record = Certificates::<T>::get(id)?;
			(record.revocation.is_none() && day_of(record.ends_at()) == day).then_some(id)
		})
	}

	pub(crate) fn open_to_observe(observer: T::AccountId, start: u32) -> Page<ApplicationId> {
		let accreditation = Self::active(Office::Observer, &observer).ok();
		Page::of(OpenCount::<T>::get(), start, |index| {
			let accreditation = accreditation?;
			let organisation = accreditation.organisation;
			let id = OpenApplications::<T>::get(index)?;
			let record = Applications::<T>::get(id)?;
			let Phase::Control { commit_until, .. } = record.phase else {
				return None;
			};
			let has_voted =
				|| ApplicationVotes::<T>::get(id).iter().any(|it| it.organisation == organisation);
			let is_own = || {
				let parties = Parties::new(Self::holder_of(&record), Some(&record));
				Self::is_own(&observer, &accreditation, parties)
			};
			(Self::block() <= commit_until && !has_voted() && !is_own()).then_some(id)
		})
	}

	pub(crate) fn open_to_reveal(observer: T::AccountId, start: u32) -> Page<ApplicationId> {
		let account: [u8; 32] = observer.into();
		Page::of(OpenCount::<T>::get(), start, |index| {
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

	pub(crate) fn open_to_endorse(endorser: T::AccountId, start: u32) -> Page<CertificateId> {
		let accreditation = Self::active_endorser(&endorser).ok();
		Page::of(OpenCount::<T>::get(), start, |index| {
			let accreditation = accreditation?;
			let application = OpenApplications::<T>::get(index)?;
			let record = Applications::<T>::get(application)?;
			let Phase::Endorsement { until } = record.phase else { return None };
			let id = record.certificate(application);
			let certificate = Certificates::<T>::get(id)?;
			let is_fit = (Level::Ov..=accreditation.level).contains(&certificate.requested)
				&& !Self::is_own(
					&endorser,
					&accreditation,
					Parties::new(Some(certificate.holder), Some(&record)),
				);
			let is_paid = || {
				Escrows::<T>::get(application)
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
