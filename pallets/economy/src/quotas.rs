//! Quotas: what trustees and members of organisations pay with while the chain is feeless.
//!
//! An account takes from its own bucket, so that one stolen key does not silence an organisation; and from that of an
//! organisation that answers for it, so that no organisation becomes greater by having more members.
//!
//! The bucket of a new organisation is empty and fills with time. With a full one, whoever founds an organisation, dissolves
//! it and founds the next would have quotas without end.
//!
//! A fifth of every bucket is for operational calls alone, which revocations are: whoever has exhausted its quota, or has
//! had it exhausted by a thief, can still take away what must not stay.

use crate::{AccountBuckets, Config, Feeless, OrganisationBuckets, Pallet, Policies};
use dpki_primitives::{
	economy::{Bucket, Departures, Exhausted, QuotaPolicies, QuotaPolicy, Quotas, Sponsors},
	ids::OrganisationId,
};
use frame_support::{
	dispatch::DispatchClass,
	traits::{Contains, Get},
};
use sp_runtime::SaturatedConversion;

/// The part of a bucket that is for operational calls alone: one of so many.
const RESERVE: u64 = 5;

/// Who answers for what an account does for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sponsor {
	/// The council, of which the account is a trustee.
	Council,
	/// An organisation, of which it is a member.
	Organisation(OrganisationId),
}

/// What calls of this class leave in a bucket.
pub(crate) const fn reserve(policy: QuotaPolicy, class: DispatchClass) -> u64 {
	match class {
		DispatchClass::Operational => 0,
		DispatchClass::Normal | DispatchClass::Mandatory => policy.capacity / RESERVE,
	}
}

impl<T: Config> Pallet<T> {
	/// Whether the council could still act under these policies.
	pub(crate) fn is_usable(policies: &QuotaPolicies) -> bool {
		policies
			.all()
			.into_iter()
			.all(|policy| policy.capacity >= T::MinCapacity::get() && policy.refill > 0)
	}

	pub(crate) fn tick() -> u64 {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The units for which a fee stands: at least one, so that nothing can be done without end.
	pub fn units(fee: u128) -> u64 {
		fee.div_ceil(T::QuotaUnit::get()).saturated_into::<u64>().max(1)
	}

	/// Who answers for so many units of `who`, `None` if nobody does: then the account pays.
	pub(crate) fn sponsor(
		who: &T::AccountId,
		units: u64,
		class: DispatchClass,
	) -> Result<Option<Sponsor>, Exhausted> {
		let (policies, now) = (Policies::<T>::get(), Self::tick());
		let check = |bucket: Bucket, policy| {
			bucket.check(policy, now, units.saturating_add(reserve(policy, class)))
		};
		let own = || check(AccountBuckets::<T>::get(who), policies.account);
		if T::Trustees::contains(who) {
			return own().map(|()| Some(Sponsor::Council));
		}
		let organisations = T::Organisations::sponsors(who);
		if organisations.is_empty() {
			return Ok(None);
		}
		own()?;
		let mut soonest = Exhausted { wait: None };
		for organisation in organisations {
			match check(OrganisationBuckets::<T>::get(organisation), policies.organisation) {
				Ok(()) => return Ok(Some(Sponsor::Organisation(organisation))),
				Err(Exhausted { wait: Some(wait) })
					if soonest.wait.is_none_or(|before| wait < before) =>
				{
					soonest.wait = Some(wait);
				},
				Err(_) => (),
			}
		}
		Err(soonest)
	}

	/// Takes the units of `who`, for which `sponsor` was found to answer.
	pub(crate) fn take(who: &T::AccountId, sponsor: Sponsor, units: u64) -> Result<(), Exhausted> {
		let now = Self::tick();
		Self::with_buckets(who, sponsor, |bucket, policy| bucket.take(policy, now, units))
	}

	/// Puts units back that were taken and not needed.
	pub(crate) fn put_back(who: &T::AccountId, sponsor: Sponsor, units: u64) {
		let now = Self::tick();
		let _ = Self::with_buckets(who, sponsor, |bucket, policy| {
			bucket.put_back(policy, now, units);
			Ok(())
		});
	}

	/// Changes both buckets, or none. A bucket that is full again is not kept.
	fn with_buckets(
		who: &T::AccountId,
		sponsor: Sponsor,
		change: impl Fn(&mut Bucket, QuotaPolicy) -> Result<(), Exhausted>,
	) -> Result<(), Exhausted> {
		let QuotaPolicies { account, organisation } = Policies::<T>::get();
		let mut own = AccountBuckets::<T>::get(who);
		change(&mut own, account)?;
		if let Sponsor::Organisation(id) = sponsor {
			let mut common = OrganisationBuckets::<T>::get(id);
			change(&mut common, organisation)?;
			match common.is_full(organisation, Self::tick()) {
				true => OrganisationBuckets::<T>::remove(id),
				false => OrganisationBuckets::<T>::insert(id, common),
			}
		}
		match own.is_full(account, Self::tick()) {
			true => AccountBuckets::<T>::remove(who),
			false => AccountBuckets::<T>::insert(who, own),
		}
		Ok(())
	}
}

/// What happens for an organisation without a transaction of a member, such as the enrolments of its devices.
impl<T: Config> Quotas<OrganisationId> for Pallet<T> {
	fn check(organisation: &OrganisationId, units: u64) -> Result<(), Exhausted> {
		if !Feeless::<T>::get() {
			return Ok(());
		}
		let policy = Policies::<T>::get().organisation;
		let units = units.saturating_add(reserve(policy, DispatchClass::Normal));
		OrganisationBuckets::<T>::get(organisation).check(policy, Self::tick(), units)
	}

	fn take(organisation: &OrganisationId, units: u64) -> Result<(), Exhausted> {
		if !Feeless::<T>::get() {
			return Ok(());
		}
		Self::check(organisation, units)?;
		let policy = Policies::<T>::get().organisation;
		OrganisationBuckets::<T>::try_mutate(organisation, |bucket| {
			bucket.take(policy, Self::tick(), units)
		})
	}
}

impl<T: Config> Departures<T::AccountId> for Pallet<T> {
	/// An account for which nobody answers any more takes nothing from its bucket, so nothing is remembered of it if the
	/// bucket is full. Otherwise it is kept: who founds an organisation, dissolves it and founds another one would have a
	/// full bucket each time.
	fn departed(who: &T::AccountId) {
		if T::Trustees::contains(who) || !T::Organisations::sponsors(who).is_empty() {
			return;
		}
		let policy = Policies::<T>::get().account;
		if AccountBuckets::<T>::get(who).is_full(policy, Self::tick()) {
			AccountBuckets::<T>::remove(who);
		}
	}

	/// Also while members pay: that may change before the bucket has filled.
	fn founded(organisation: OrganisationId) {
		OrganisationBuckets::<T>::insert(organisation, Bucket::empty(Self::tick()));
	}

	/// Its name never comes back, so nothing asks for the bucket again.
	fn dissolved(organisation: OrganisationId) {
		OrganisationBuckets::<T>::remove(organisation);
	}
}
