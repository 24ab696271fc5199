//! Policies: how deliveries are approved, and who may change that.

use crate::{Authority, Config, Error, Event, Organisations, Pallet};
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Bodies, Body, Quorum},
	organisation::{
		DeliveryPolicies, DeliveryPolicy, OrganisationRecord,
		Organisations as OrganisationDirectory,
	},
};
use frame_support::{ensure, pallet_prelude::*};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_policy(
		by: Authority<T::AccountId>,
		organisation: OrganisationId,
		policy: DeliveryPolicy,
	) -> DispatchResult {
		let record = Self::governed_by(&by, organisation)?;
		if record.policy == policy {
			return Ok(());
		}
		ensure!(
			policy.is_met_by(record.administrators, record.watchdogs),
			Error::<T>::PolicyNotMet
		);
		Organisations::<T>::insert(organisation, OrganisationRecord { policy, ..record });
		Self::expire_offers(organisation);
		Self::deposit_event(Event::PolicyChanged { organisation, policy, by });
		Ok(())
	}
}

impl<T: Config> DeliveryPolicies for Pallet<T> {
	fn delivery_policy(organisation: OrganisationId) -> Option<DeliveryPolicy> {
		Organisations::<T>::get(organisation).map(|record| record.policy)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn watch_for_benchmark(organisation: OrganisationId, watchdogs: &[[u8; 32]]) {
		use codec::Decode;
		use dpki_primitives::organisation::{Role, RoleSet};
		for account in watchdogs {
			let account = T::AccountId::decode(&mut &account[..]).expect("an account has 32 bytes");
			Self::admit_member(organisation, &account, RoleSet::EMPTY.with(Role::Watchdog));
		}
		let needed = watchdogs.len() as u32;
		Organisations::<T>::mutate(organisation, |record| {
			let record = record.as_mut().expect("the organisation was made for the benchmark");
			record.members += needed;
			record.watchdogs += needed;
			record.policy = DeliveryPolicy::Watchdogs { needed };
		});
	}
}

impl<T: Config> Bodies<T::AccountId> for Pallet<T> {
	fn quorum(organisation: OrganisationId, body: Body) -> Option<Quorum> {
		let record = Organisations::<T>::get(organisation)?;
		match (body, record.policy) {
			// Two, as the policy says, however many there are: else lost keys would soon outnumber the present ones.
			(Body::Administrators, DeliveryPolicy::MultiAdmin) => {
				Some(Quorum::at_least(2, record.administrators))
			},
			(Body::Administrators, DeliveryPolicy::Simple | DeliveryPolicy::Watchdogs { .. }) => {
				Some(Quorum::two_thirds(record.administrators))
			},
			(Body::Watchdogs, DeliveryPolicy::Watchdogs { needed }) => {
				Some(Quorum::at_least(needed, record.watchdogs))
			},
			(Body::Watchdogs, DeliveryPolicy::Simple | DeliveryPolicy::MultiAdmin) => None,
		}
	}

	fn has_seat(organisation: OrganisationId, body: Body, who: &T::AccountId) -> bool {
		Self::has_role(organisation, who, body.role())
	}
}
