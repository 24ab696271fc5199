//! What a certificate is worth. The rule is [`assessed`], which devices run over what was proven to them; here it reads from
//! the storage itself.

use crate::{Accreditations, Certificates, CompromisedKeys, Config, Endorsements, Pallet};
use core::{convert::Infallible, marker::PhantomData};
use dpki_primitives::{
	Moment,
	assessment::{CertificateRecords, assessed, verdict},
	assurance::{Accreditation, Assessment, Endorsements as EndorsementList},
	certificate::{CertificatePolicy, CertificateRecord, Office},
	device::DeviceRecord,
	ids::{CertificateId, DeviceId, KeyId},
	key::KeyRecord,
	registry::Registry,
	status::Status,
};

/// The storage of this pallet, and what the registry has.
struct Stored<T>(PhantomData<T>);

impl<T: Config> CertificateRecords for Stored<T> {
	type Error = Infallible;

	fn certificate(&self, id: CertificateId) -> Result<Option<CertificateRecord>, Infallible> {
		Ok(Certificates::<T>::get(id))
	}

	fn compromised_since(&self, key: KeyId) -> Result<Option<Moment>, Infallible> {
		Ok(CompromisedKeys::<T>::get(key))
	}

	fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, Infallible> {
		Ok(T::Registry::key(id))
	}

	fn device(&self, id: DeviceId) -> Result<Option<DeviceRecord>, Infallible> {
		Ok(T::Registry::device(id))
	}

	fn endorsements(&self, id: CertificateId) -> Result<EndorsementList, Infallible> {
		Ok(Endorsements::<T>::get(id))
	}

	fn endorser(&self, account: &[u8; 32]) -> Result<Option<Accreditation>, Infallible> {
		Ok(Accreditations::<T>::get(Office::Endorser, T::AccountId::from(*account)))
	}

	fn policy(&self) -> Result<CertificatePolicy, Infallible> {
		Ok(Pallet::<T>::policy())
	}
}

impl<T: Config> Pallet<T> {
	/// What the certificate is worth now, and why; `None` if there is no such certificate.
	pub fn assessment(id: CertificateId) -> Option<Assessment> {
		let Ok(found) = assessed(&Stored::<T>(PhantomData), id, Self::now());
		found.map(|found| found.assessment)
	}

	/// The verdict about a certificate that was read already.
	pub(crate) fn status_of(record: &CertificateRecord, now: Moment) -> Status {
		let Ok(status) = verdict(&Stored::<T>(PhantomData), record, now);
		status
	}
}
