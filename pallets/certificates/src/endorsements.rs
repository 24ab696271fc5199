//! Endorsements: who may attest what, and who is paid for it.

use crate::{
	Accreditations, Applications, Certificates, Config, Endorsements, Error, Event, OpenRenewals,
	Pallet, conflicts::Parties,
};
use dpki_primitives::{
	Moment,
	application::{ApplicationRecord, Outcome, Phase, Renewal},
	assurance::{
		Accreditation, EndorsementRecord, Finding, Level, MAX_PER_ENDORSER, WithdrawalReason, judge,
	},
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
		let withdrawn = Some((reason, Self::now()));
		Endorsements::<T>::try_mutate(id, |list| {
			let own = || list.iter().filter(|it| it.endorser == account);
			ensure!(own().next().is_some(), Error::<T>::EndorsementNotFound);
			ensure!(own().any(|it| it.withdrawn.is_none()), Error::<T>::EndorsementWithdrawn);
			let stands =
				|it: &&mut EndorsementRecord| it.endorser == account && it.withdrawn.is_none();
			list.iter_mut().filter(stands).for_each(|it| it.withdrawn = withdrawn);
			Ok::<_, DispatchError>(())
		})?;
		Self::deposit_event(Event::EndorsementWithdrawn { certificate: id, endorser, reason });
		Ok(())
	}

	/// Puts an endorsement on the list, in the place of one of the endorser's whose time is over, or that is of other content;
	/// if the list is full, in the place of one that can never count again, or else of one that somebody withdrew.
	///
	/// Nothing else gives way, not even the endorser's own, which stays beside it until it expires: whoever has stolen the
	/// account of an endorser would overwrite what was endorsed before, also what it has withdrawn first. It counts once
	/// all the same, as all of one organisation.
	fn put_endorsement(
		id: CertificateId,
		certificate: &CertificateRecord,
		record: EndorsementRecord,
		now: Moment,
	) -> Result<(), Error<T>> {
		let is_own = |old: &EndorsementRecord| old.endorser == record.endorser;
		Endorsements::<T>::try_mutate(id, |list| {
			let is_over = |old: &EndorsementRecord| {
				is_own(old) && (now > old.expires_at || old.digest != record.digest)
			};
			if let Some(own) = list.iter_mut().find(|old| is_over(old)) {
				*own = record;
				return Ok(());
			}
			let own = list.iter().filter(|old| is_own(old)).count();
			ensure!(own < MAX_PER_ENDORSER as usize, Error::<T>::EndorsedTwice);
			if list.is_full() {
				let endorsed = certificate.endorsed(id, Self::status_of(certificate, now));
				let finding = |old: &EndorsementRecord| {
					judge(&endorsed, old, Self::endorser(old).as_ref(), now)
				};
				let is_useless =
					|old: &EndorsementRecord| now > old.expires_at || finding(old).is_final();
				// Not what a thief withdrew, as far as that is known: it counts.
				let is_withdrawn =
					|old: &EndorsementRecord| !is_own(old) && finding(old) == Finding::Withdrawn;
				let place = list
					.iter()
					.position(is_useless)
					.or_else(|| list.iter().position(is_withdrawn))
					.ok_or(Error::<T>::EndorsementsFull)?;
				list.remove(place);
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
