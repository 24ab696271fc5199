//! What shows that an applicant has the private key, and that the key can be certified.

use crate::{ApplicationNonce, CompromisedKeys, Config, Error, Pallet};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, Possession, RequestVerifier, request_challenge},
	context::{Action, SigningContext, is_expiry_acceptable},
	ids::KeyId,
	registry::Registry,
};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	/// That a key may be certified: it can sign, and nobody is known to share it.
	pub(crate) fn ensure_certifiable(
		key: &dpki_primitives::key::PublicKey,
	) -> Result<(), Error<T>> {
		ensure!(key.key_type.can_sign(), Error::<T>::KeyCannotSign);
		ensure!(T::Registry::is_well_formed(key), Error::<T>::KeyMalformed);
		let id = KeyId::of(key);
		let is_revoked = CompromisedKeys::<T>::contains_key(id)
			|| T::Registry::is_anchor_key_revoked(id)
			|| T::Registry::key(id).is_some_and(|record| record.withdrawal.is_revoked());
		ensure!(!is_revoked, Error::<T>::KeyRevoked);
		Ok(())
	}

	/// That the holder of the key wants this very request made by this payer, now and once.
	pub(crate) fn ensure_possession(
		payer: &T::AccountId,
		request: &CertificateRequest,
		possession: &Possession,
		expires_at: Moment,
		now: Moment,
	) -> Result<(), Error<T>> {
		ensure!(is_expiry_acceptable(expires_at, now), Error::<T>::SignatureExpired);
		let payload = Self::application_payload(payer, request, expires_at);
		match possession {
			Possession::Signature(signature) => ensure!(
				T::Registry::verify(&request.key, &payload, signature),
				Error::<T>::PossessionInvalid
			),
			Possession::Request(der) => ensure!(
				T::Requests::is_valid(
					der,
					&request.key,
					&request.subject,
					&request_challenge(&payload)
				),
				Error::<T>::RequestInvalid
			),
		}
		Ok(())
	}

	/// What the key signs to be certified by this request.
	pub(crate) fn application_payload(
		payer: &T::AccountId,
		request: &CertificateRequest,
		expires_at: Moment,
	) -> Vec<u8> {
		let nonce = ApplicationNonce::<T>::get(payer);
		let action =
			Action::ApplyForCertificate { payer: payer.clone().into(), request: request.digest() };
		SigningContext { genesis: Self::genesis(), action, nonce, expires_at }.payload()
	}

	/// The genesis hash.
	pub(crate) fn genesis() -> [u8; 32] {
		frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero()).into()
	}
}
