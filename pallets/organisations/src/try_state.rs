//! What is true of the storage between any two calls.

use crate::{Config, MAX_MEMBERS, Members, Organisations, Pallet};
use dpki_primitives::{
	ids::{OrganisationId, is_valid_name},
	organisation::Role,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Ids follow from names, counts agree with members, every organisation has an administrator, and every member
	/// has an organisation and a role.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		for (organisation, record) in Organisations::<T>::iter() {
			ensure!(is_valid_name(&record.name), "an organisation has an invalid name");
			ensure!(
				organisation == OrganisationId::from_name(&record.name),
				"an organisation lies under an id that is not that of its name"
			);
			let (mut members, mut administrators) = (0u32, 0u32);
			for (_, roles) in Members::<T>::iter_prefix(organisation) {
				ensure!(!roles.is_empty(), "a member has no role");
				members += 1;
				administrators += u32::from(roles.contains(Role::Administrator));
			}
			ensure!(members == record.members, "an organisation miscounts its members");
			ensure!(members <= MAX_MEMBERS, "an organisation has too many members");
			ensure!(
				administrators == record.administrators,
				"an organisation miscounts its administrators"
			);
			ensure!(administrators > 0, "an organisation has no administrator");
		}
		for (organisation, _) in Members::<T>::iter_keys() {
			ensure!(
				Organisations::<T>::contains_key(organisation),
				"a member belongs to an organisation that does not exist"
			);
		}
		Ok(())
	}
}
