//! What an organisation asks of the keys of its devices, and who may change that.

use crate::{Config, Error, Event, KeyPolicies, Pallet, crypto};
use dpki_primitives::{
	Moment,
	ids::OrganisationId,
	key::KeyTerms,
	key_policy::KeyPolicy,
	organisation::{Governance, Organisations},
};
use frame_support::ensure;
use frame_system::pallet_prelude::OriginFor;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Sets the policy for keys to come. It decides what a stolen signing key is good for, so it is changed by the
	/// authority that changes the policy of the organisation itself.
	pub(crate) fn do_set_key_policy(
		origin: OriginFor<T>,
		organisation: OrganisationId,
		policy: KeyPolicy,
	) -> DispatchResult {
		ensure!(T::Organisations::exists(organisation), Error::<T>::OrganisationUnknown);
		T::Governance::ensure_governs(origin, organisation)?;
		ensure!(policy.is_coherent(), Error::<T>::KeyPolicyIncoherent);
		// An organisation with the default policy has nothing here, and can be dissolved.
		if policy == KeyPolicy::default() {
			KeyPolicies::<T>::remove(organisation);
		} else {
			KeyPolicies::<T>::insert(organisation, policy);
		}
		Self::deposit_event(Event::KeyPolicyChanged { organisation, policy });
		Ok(())
	}

	/// That the organisation allows the key from `now` on. The key is well-formed.
	pub(crate) fn ensure_allowed(
		policy: &KeyPolicy,
		key: &KeyTerms,
		now: Moment,
	) -> Result<(), Error<T>> {
		let is_long_enough =
			crypto::rsa_bits(&key.public).is_none_or(|bits| bits >= policy.min_rsa_bits);
		ensure!(
			policy.key_types.contains(key.public.key_type) && is_long_enough,
			Error::<T>::KeyTypeNotAllowed
		);
		ensure!(policy.allows_end(key.purpose, key.not_after, now), Error::<T>::KeyValidityTooLong);
		Ok(())
	}
}
