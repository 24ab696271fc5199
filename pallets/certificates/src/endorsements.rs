//! Endorsements: who may attest what, and who is paid for it.

use crate::{
	Accreditations, Applications, Certificates, Config, Endorsements, Error, Event, OpenRenewals,
	Pallet, conflicts::Parties,
};
use dpki_primitives::{
	Moment,
	application::{ApplicationRecord, Outcome, Phase, Renewal},
	assurance::{Accreditation, EndorsementRecord, Level, WithdrawalReason, judge},
	certificate::{CertificateRecord, Office},
	ids::{ApplicationId, CertificateDigest, CertificateId, OrganisationId},
};
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_endorse(
		endorser: T::AccountId,
		id: CertificateId,
		level: Level,
		digest: CertificateDigest,
		evidence: Option<[u8; 32]>,
		expires_at: Moment,
	) -> DispatchResult {
		let now = Self::now();
		let accreditation = Self::active_endorser(&endorser)?;
		let certificate = Certificates::<T>::get(id).ok_or(Error::<T>::CertificateNotFound)?;
		ensure!(Self::status_of(&certificate, now).is_valid(), Error::<T>::CertificateNotValid);
		ensure!(
			level > Level::Dv && level <= accreditation.level && level <= certificate.requested,
			Error::<T>::LevelUnfit
		);
		ensure!(digest == certificate.digest(id), Error::<T>::DigestMismatch);
		let open = Self::open_for_endorsement(id);
		let parties = Parties::new(Some(certificate.holder), open.as_ref().map(|(_, it)| it));
		ensure!(!Self::is_own(&endorser, &accreditation, parties), Error::<T>::OwnCertificate);
		let latest = now.saturating_add(Self::policy().max_endorsement_lifetime);
		ensure!(expires_at > now && expires_at <= latest, Error::<T>::ExpiryInvalid);

		let record = EndorsementRecord {
			endorser: endorser.clone().into(),
			level,
			digest,
			evidence,
			endorsed_at: now,
			expires_at,
			withdrawn: None,
		};
		Self::put_endorsement(id, &certificate, record, now)?;
		Self::deposit_event(Event::Endorsed {
			certificate: id,
			endorser: endorser.clone(),
			level,
			expires_at,
		});
		// An endorsement below the requested level is not what the payer asked for.
		match open.filter(|_| level == certificate.requested) {
			Some((application, record)) => {
				let organisation = accreditation.organisation;
				Self::pay_for_endorsement(application, record, &endorser, organisation)
			},
			None => Ok(()),
		}
	}

	pub(crate) fn do_withdraw_endorsement(
		endorser: T::AccountId,
		id: CertificateId,
		reason: WithdrawalReason,
	) -> DispatchResult {
		// Whoever stole the account of an endorser must not undo what was endorsed before.
		let is_compromised = Accreditations::<T>::get(Office::Endorser, &endorser)
			.is_some_and(|it| it.compromised_from.is_some());
		ensure!(!is_compromised, Error::<T>::AccreditationCompromised);
		let account: [u8; 32] = endorser.clone().into();
		Endorsements::<T>::try_mutate(id, |list| {
			let record = list
				.iter_mut()
				.find(|record| record.endorser == account)
				.ok_or(Error::<T>::EndorsementNotFound)?;
			ensure!(record.withdrawn.is_none(), Error::<T>::EndorsementWithdrawn);
			record.withdrawn = Some((reason, Self::now()));
			Ok::<_, DispatchError>(())
		})?;
		Self::deposit_event(Event::EndorsementWithdrawn { certificate: id, endorser, reason });
		Ok(())
	}

	/// Puts an endorsement in the place of the endorser's earlier one, at the end of the list, or, if the list is full,
	/// in the place of one that can never count again.
	fn put_endorsement(
		id: CertificateId,
		certificate: &CertificateRecord,
		record: EndorsementRecord,
		now: Moment,
	) -> Result<(), Error<T>> {
		Endorsements::<T>::try_mutate(id, |list| {
			if let Some(own) = list.iter_mut().find(|own| own.endorser == record.endorser) {
				*own = record;
				return Ok(());
			}
			if list.is_full() {
				let endorsed = certificate.endorsed(id, Self::status_of(certificate, now));
				let useless = list
					.iter()
					.position(|old| {
						judge(&endorsed, old, Self::endorser(old).as_ref(), now).is_final()
					})
					.ok_or(Error::<T>::EndorsementsFull)?;
				list.remove(useless);
			}
			list.try_push(record).map_err(|_| Error::<T>::EndorsementsFull)
		})
	}

	/// The application by which somebody pays for endorsements of the certificate, if one is open.
	fn open_for_endorsement(id: CertificateId) -> Option<(ApplicationId, ApplicationRecord)> {
		let application = OpenRenewals::<T>::get(id, Renewal::Endorsement)?;
		Some((application, Applications::<T>::get(application)?))
	}

	/// Pays out of the application, if it still waits for endorsements.
	fn pay_for_endorsement(
		application: ApplicationId,
		record: ApplicationRecord,
		endorser: &T::AccountId,
		organisation: OrganisationId,
	) -> DispatchResult {
		let Phase::Endorsement { until } = record.phase else { return Ok(()) };
		if Self::block() > until {
			return Ok(());
		}
		let payer = record.payer.into();
		match Self::pay_endorser(application, &payer, endorser, organisation)? {
			true => Self::finish(application, record, Outcome::Granted),
			false => Ok(()),
		}
	}

	fn endorser(record: &EndorsementRecord) -> Option<Accreditation> {
		Accreditations::<T>::get(Office::Endorser, T::AccountId::from(record.endorser))
	}
}
