//! The life of a certificate after it was granted: amendment, holds, and its end.

use crate::{Certificates, CompromisedKeys, Config, Error, Event, Pallet};
use dpki_primitives::{
	Moment,
	certificate::{Authority, CertificateRecord, DisplayName, Holder, Suspension},
	economy::{Economy, Resource},
	ids::{CertificateId, KeyId},
	registry::CompromisedKeys as Compromises,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::{ensure, traits::EnsureOrigin};
use frame_system::ensure_signed;
use sp_runtime::{DispatchError, DispatchResult};

/// Who wants to end or stop a certificate.
pub(crate) enum Revoker<AccountId> {
	/// The consortium.
	Consortium,
	/// An account, which has to act for the holder.
	Account(AccountId),
}

impl<T: Config> Pallet<T> {
	/// Who stands behind the origin of a revocation.
	pub(crate) fn revoker(
		origin: T::RuntimeOrigin,
	) -> Result<Revoker<T::AccountId>, DispatchError> {
		match T::RevocationOrigin::try_origin(origin) {
			Ok(_) => Ok(Revoker::Consortium),
			Err(origin) => Ok(Revoker::Account(ensure_signed(origin)?)),
		}
	}

	pub(crate) fn do_revoke(
		who: Revoker<T::AccountId>,
		id: CertificateId,
		reason: RevocationReason,
	) -> DispatchResult {
		let (mut record, by) = Self::revocable(&who, id)?;
		let at = Self::now();
		record.revocation = Some(Revocation { reason, at });
		if reason == RevocationReason::KeyCompromise {
			<Self as Compromises>::note(KeyId::of(&record.key), at);
		}
		Certificates::<T>::insert(id, record);
		T::Economy::release(Resource::Certificate(id));
		Self::deposit_event(Event::CertificateRevoked { certificate: id, by, reason });
		Ok(())
	}

	pub(crate) fn do_suspend(who: Revoker<T::AccountId>, id: CertificateId) -> DispatchResult {
		let (mut record, by) = Self::revocable(&who, id)?;
		// The consortium may make a hold its own, so that the holder cannot end it.
		let is_taken_over = by == Authority::Consortium
			&& record.suspension.is_some_and(|it| it.by == Authority::Holder);
		ensure!(record.suspension.is_none() || is_taken_over, Error::<T>::CertificateSuspended);
		let at = record.suspension.map_or_else(Self::now, |it| it.at);
		record.suspension = Some(Suspension { by, at });
		Certificates::<T>::insert(id, record);
		Self::deposit_event(Event::CertificateSuspended { certificate: id, by });
		Ok(())
	}

	pub(crate) fn do_release(who: Revoker<T::AccountId>, id: CertificateId) -> DispatchResult {
		let (mut record, by) = Self::revocable(&who, id)?;
		let suspension = record.suspension.ok_or(Error::<T>::CertificateNotSuspended)?;
		ensure!(
			by == Authority::Consortium || suspension.by == Authority::Holder,
			Error::<T>::SuspendedByConsortium
		);
		record.suspension = None;
		Certificates::<T>::insert(id, record);
		Self::deposit_event(Event::CertificateReleased { certificate: id, by });
		Ok(())
	}

	pub(crate) fn do_amend(
		account: T::AccountId,
		id: CertificateId,
		display_name: Option<DisplayName>,
	) -> DispatchResult {
		let mut record = Certificates::<T>::get(id).ok_or(Error::<T>::CertificateNotFound)?;
		Self::ensure_holder(&account, &record)?;
		Self::ensure_not_ended(&record, Self::now())?;
		Self::ensure_display_name(
			&record.subject,
			record.requested,
			display_name.as_ref().map(|name| &name[..]),
		)?;
		record.display_name = display_name;
		let digest = record.digest(id);
		Certificates::<T>::insert(id, record);
		Self::deposit_event(Event::CertificateAmended { certificate: id, digest });
		Ok(())
	}

	/// The verdict about the certificate now.
	pub fn certificate_status(id: CertificateId) -> Status {
		Certificates::<T>::get(id)
			.map_or(Status::Unknown, |record| Self::status_of(&record, Self::now()))
	}

	/// That the account is the holder, or acts for the organisation that is.
	pub(crate) fn ensure_holder(
		account: &T::AccountId,
		record: &CertificateRecord,
	) -> Result<(), Error<T>> {
		let is_holder = match record.holder {
			Holder::Account(holder) => holder == account.clone().into(),
			Holder::Organisation(organisation) => {
				Self::ensure_role(account, organisation, &record.subject).is_ok()
			},
		};
		ensure!(is_holder, Error::<T>::NotHolder);
		Ok(())
	}

	/// A certificate that `who` may act on and that is not revoked.
	fn revocable(
		who: &Revoker<T::AccountId>,
		id: CertificateId,
	) -> Result<(CertificateRecord, Authority), Error<T>> {
		let record = Certificates::<T>::get(id).ok_or(Error::<T>::CertificateNotFound)?;
		let by = match who {
			Revoker::Consortium => Authority::Consortium,
			Revoker::Account(account) => {
				Self::ensure_holder(account, &record)?;
				Authority::Holder
			},
		};
		ensure!(record.revocation.is_none(), Error::<T>::CertificateRevoked);
		Ok((record, by))
	}
}

impl<T: Config> Compromises for Pallet<T> {
	fn compromised_since(key: KeyId) -> Option<Moment> {
		CompromisedKeys::<T>::get(key)
	}

	fn note(key: KeyId, at: Moment) {
		if !CompromisedKeys::<T>::contains_key(key) {
			CompromisedKeys::<T>::insert(key, at);
		}
	}
}
