//! Members and their roles: who gets in, who may change whom, and that somebody always can.

use crate::{Config, Error, Event, MAX_MEMBERS, Members, Organisations, Pallet};
use dpki_primitives::{
	ids::{Name, OrganisationId, is_valid_name},
	organisation::{
		OrganisationKind, OrganisationRecord, Organisations as OrganisationDirectory, Role, RoleSet,
	},
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_create(
		founder: T::AccountId,
		name: Name,
		kind: OrganisationKind,
	) -> DispatchResult {
		ensure!(is_valid_name(&name), Error::<T>::NameInvalid);
		let organisation = OrganisationId::from_name(&name);
		ensure!(!Organisations::<T>::contains_key(organisation), Error::<T>::NameTaken);
		Self::found(organisation, name.clone(), kind, &founder);
		Self::deposit_event(Event::OrganisationCreated { organisation, name, kind, founder });
		Ok(())
	}

	pub(crate) fn do_set_member(
		by: T::AccountId,
		organisation: OrganisationId,
		account: T::AccountId,
		roles: RoleSet,
	) -> DispatchResult {
		let record = Self::administered_by(organisation, &by)?;
		ensure!(!roles.is_empty(), Error::<T>::RolesEmpty);
		let before = Members::<T>::get(organisation, &account);
		if before == Some(roles) {
			return Ok(());
		}
		let record = recount::<T>(record, before, Some(roles))?;
		Organisations::<T>::insert(organisation, record);
		Members::<T>::insert(organisation, &account, roles);
		Self::deposit_event(if before.is_none() {
			Event::MemberAdded { organisation, account, roles, by }
		} else {
			Event::MemberRolesChanged { organisation, account, roles, by }
		});
		Ok(())
	}

	pub(crate) fn do_remove_member(
		by: T::AccountId,
		organisation: OrganisationId,
		account: T::AccountId,
	) -> DispatchResult {
		let record = if by == account {
			Organisations::<T>::get(organisation).ok_or(Error::<T>::MemberUnknown)?
		} else {
			Self::administered_by(organisation, &by)?
		};
		let before = Members::<T>::get(organisation, &account).ok_or(Error::<T>::MemberUnknown)?;
		let record = recount::<T>(record, Some(before), None)?;
		Organisations::<T>::insert(organisation, record);
		Members::<T>::remove(organisation, &account);
		Self::deposit_event(Event::MemberRemoved { organisation, account, by });
		Ok(())
	}

	/// Stores an organisation with its founder, unchecked.
	fn found(
		organisation: OrganisationId,
		name: Name,
		kind: OrganisationKind,
		founder: &T::AccountId,
	) {
		let created_at = T::Time::now();
		let record = OrganisationRecord { name, kind, created_at, members: 1, administrators: 1 };
		Organisations::<T>::insert(organisation, record);
		Members::<T>::insert(organisation, founder, RoleSet::ALL);
	}

	/// The organisation, if `who` is one of its administrators.
	fn administered_by(
		organisation: OrganisationId,
		who: &T::AccountId,
	) -> Result<OrganisationRecord, Error<T>> {
		ensure!(Self::has_role(organisation, who, Role::Administrator), Error::<T>::RoleMissing);
		Organisations::<T>::get(organisation).ok_or(Error::<T>::RoleMissing)
	}
}

/// The organisation after one member's roles went from `before` to `after`, where `None` is no member.
fn recount<T: Config>(
	mut record: OrganisationRecord,
	before: Option<RoleSet>,
	after: Option<RoleSet>,
) -> Result<OrganisationRecord, Error<T>> {
	let administers =
		|roles: Option<RoleSet>| roles.is_some_and(|roles| roles.contains(Role::Administrator));
	record.members = record.members - u32::from(before.is_some()) + u32::from(after.is_some());
	record.administrators =
		record.administrators - u32::from(administers(before)) + u32::from(administers(after));
	ensure!(record.members <= MAX_MEMBERS, Error::<T>::MemberLimitReached);
	ensure!(record.administrators > 0, Error::<T>::LastAdministratorNeeded);
	Ok(record)
}

impl<T: Config> OrganisationDirectory<T::AccountId> for Pallet<T> {
	fn exists(organisation: OrganisationId) -> bool {
		Organisations::<T>::contains_key(organisation)
	}

	fn has_role(organisation: OrganisationId, who: &T::AccountId, role: Role) -> bool {
		Members::<T>::get(organisation, who).is_some_and(|roles| roles.contains(role))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn create_for_benchmark(name: &[u8], who: &T::AccountId) -> OrganisationId {
		let organisation = OrganisationId::from_name(name);
		let name = Name::truncate_from(name.to_vec());
		Self::found(organisation, name, OrganisationKind::EcosystemOperator, who);
		organisation
	}
}
