//! What an organisation can propose, and what it can end.

use crate::{Config, Error, Event, Fleets, Pallet, Votes};
use dpki_primitives::{
	Moment,
	device::MAX_GRACE,
	economy::{Economy, FundsMissing, Operation, Resource},
	fleet::{
		Candidate, Change, Commitment, FleetRecord, MEMBERS_PER_COMMITMENT_FEE, TreeHash,
		tree::is_consistent,
	},
	ids::{FleetId, Name, OrganisationId, is_valid_name},
	organisation::{Organisations, Role},
	revocation::{Revocation, RevocationReason},
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use sp_runtime::TokenError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit(
		account: T::AccountId,
		organisation: OrganisationId,
		name: Name,
		commitment: Commitment,
	) -> DispatchResult {
		Self::ensure_registrar(&account, organisation)?;
		ensure!(is_valid_name(&name), Error::<T>::FleetNameInvalid);
		let fleet = FleetId::from_name(organisation, &name);
		let record = match Fleets::<T>::get(fleet) {
			Some(record) => {
				ensure!(!record.has_roll(), Error::<T>::FleetHasRoll);
				ensure!(record.current.is_none(), Error::<T>::FleetExists);
				Self::ensure_open(&record)?;
				record
			},
			None => {
				Self::list_fleet(organisation, fleet);
				FleetRecord::new(organisation, name, T::Time::now())
			},
		};
		T::Economy::hold(&account, Resource::Fleet(fleet)).map_err(unpaid)?;
		Self::propose(&account, fleet, record, commitment, Change::Commit, 0)
	}

	pub(crate) fn do_change(
		account: T::AccountId,
		fleet: FleetId,
		commitment: Commitment,
		change: Change,
		grace: Moment,
		proof: &[TreeHash],
	) -> DispatchResult {
		let record = Self::managed_fleet(&account, fleet)?;
		Self::ensure_open(&record)?;
		ensure!(!record.has_roll(), Error::<T>::FleetHasRoll);
		let current = record.current.ok_or(Error::<T>::FleetNotInForce)?.commitment;
		ensure!(grace <= MAX_GRACE, Error::<T>::GraceTooLong);
		match change {
			Change::Append => {
				ensure!(commitment.size > current.size, Error::<T>::AppendNotLarger);
				// Before anything is computed for a size that cannot be.
				ensure!(commitment.has_valid_size(), Error::<T>::FleetSizeInvalid);
				let [first, second] = [&current, &commitment].map(|it| (it.size, &it.root));
				ensure!(is_consistent(first, second, proof), Error::<T>::ConsistencyNotProven);
			},
			Change::Commit | Change::Rotate => {
				ensure!(commitment.size >= current.size, Error::<T>::FleetWouldShrink);
				ensure!(commitment != current, Error::<T>::NothingChanged);
			},
		}
		Self::propose(&account, fleet, record, commitment, change, grace)
	}

	fn propose(
		account: &T::AccountId,
		fleet: FleetId,
		mut record: FleetRecord,
		commitment: Commitment,
		change: Change,
		grace: Moment,
	) -> DispatchResult {
		ensure!(commitment.has_valid_size(), Error::<T>::FleetSizeInvalid);
		ensure!(!commitment.is_on_roll(), Error::<T>::TilesMissing);
		// Members can be revoked as soon as they are proposed, which takes room in the state for so many of them.
		let fees = commitment.size.div_ceil(MEMBERS_PER_COMMITMENT_FEE);
		T::Economy::charge(account, Operation::CommitFleet, fees).map_err(unpaid)?;
		Self::drop_candidate(fleet, &mut record);
		let revision = record.revisions;
		record.revisions = revision.saturating_add(1);
		record.candidate = Some(Candidate {
			revision,
			commitment,
			change,
			proposed_at: T::Time::now(),
			grace,
			unavailable: false,
		});
		let organisation = record.organisation;
		Fleets::<T>::insert(fleet, record);
		Self::deposit_event(Event::CommitmentProposed {
			fleet,
			organisation,
			revision,
			change,
			commitment,
		});
		Ok(())
	}

	pub(crate) fn do_withdraw(account: T::AccountId, fleet: FleetId) -> DispatchResult {
		let mut record = Self::managed_fleet(&account, fleet)?;
		let revision =
			Self::drop_candidate(fleet, &mut record).ok_or(Error::<T>::CandidateMissing)?;
		Fleets::<T>::insert(fleet, record);
		Self::deposit_event(Event::CommitmentWithdrawn { fleet, revision });
		Ok(())
	}

	pub(crate) fn do_retire_fleet(account: T::AccountId, fleet: FleetId) -> DispatchResult {
		let mut record = Self::managed_fleet(&account, fleet)?;
		Self::ensure_open(&record)?;
		Self::drop_candidate(fleet, &mut record);
		record.retired_at = Some(T::Time::now());
		let organisation = record.organisation;
		Fleets::<T>::insert(fleet, record);
		Self::deposit_event(Event::FleetRetired { fleet, organisation });
		Ok(())
	}

	pub(crate) fn do_revoke_fleet(
		account: T::AccountId,
		fleet: FleetId,
		reason: RevocationReason,
	) -> DispatchResult {
		let mut record = Self::managed_fleet(&account, fleet)?;
		ensure!(record.revocation.is_none(), Error::<T>::FleetWasRevoked);
		Self::drop_candidate(fleet, &mut record);
		record.revocation = Some(Revocation { reason, at: T::Time::now() });
		let organisation = record.organisation;
		Fleets::<T>::insert(fleet, record);
		T::Economy::release(Resource::Fleet(fleet));
		Self::deposit_event(Event::FleetRevoked { fleet, organisation, reason });
		Ok(())
	}

	/// The fleet, if the account may act for it.
	pub(crate) fn managed_fleet(
		account: &T::AccountId,
		fleet: FleetId,
	) -> Result<FleetRecord, Error<T>> {
		let record = Fleets::<T>::get(fleet).ok_or(Error::<T>::FleetUnknown)?;
		Self::ensure_registrar(account, record.organisation)?;
		Ok(record)
	}

	pub(crate) fn ensure_registrar(
		account: &T::AccountId,
		organisation: OrganisationId,
	) -> Result<(), Error<T>> {
		let has_role = T::Organisations::has_role(organisation, account, Role::Registrar);
		ensure!(has_role, Error::<T>::RoleMissing);
		Ok(())
	}

	/// Whether something can still be committed.
	pub(crate) fn ensure_open(record: &FleetRecord) -> Result<(), Error<T>> {
		ensure!(record.revocation.is_none(), Error::<T>::FleetWasRevoked);
		ensure!(record.retired_at.is_none(), Error::<T>::FleetWasRetired);
		Ok(())
	}

	/// Takes the candidate away with what was said of it.
	fn drop_candidate(fleet: FleetId, record: &mut FleetRecord) -> Option<u32> {
		let revision = record.candidate.take()?.revision;
		Votes::<T>::remove(fleet, revision);
		Some(revision)
	}
}

pub(crate) fn unpaid(_: FundsMissing) -> DispatchError {
	TokenError::FundsUnavailable.into()
}
