//! Holds (`certificateHold` of RFC 5280 section 5.3.1): what is on hold is suspended until it is released or revoked, and
//! with it what depends on it.
//!
//! - *X.509 anchors*, and with them everything below. SSH CAs have none: what devices keep of them are lists of revoked
//!   things, which know no hold. A hold is of this anchor and not of its key: other anchors of the key, which may be of other
//!   organisations, go on until they are put on hold themselves.
//! - *Devices*, and with them their keys, and *single keys*, while somebody finds out what has become of them: a drone that
//!   does not report, a laptop that may have been opened. Members of fleets have none but that of their fleet, unless they
//!   are registered singly, too.
//!
//! Whoever may revoke a device may put it or a key of it on hold, and release it. What whoever governs the organisation put
//! on hold is released by no registrar, because there are days on which registrars are not to be trusted. The rules are made
//! for somebody who stands to gain from a hold, or from its end:
//!
//! - *A release brings nothing back that was revoked.* A revocation takes the place of the hold
//!   ([`Withdrawal`](dpki_primitives::revocation::Withdrawal)), and keeps nobody from a revocation who could revoke before,
//!   but the device itself while it is on hold. A reported compromise counts at once.
//! - *A device on hold says nothing.* None of its keys is valid, so it consents to no key, announces none, reveals none, files
//!   nothing and acknowledges nothing. It cannot release itself: no key of a device does that.
//! - *A key on hold is not replaced*, by nobody and not by its announced successor either: with a successor in its place it
//!   would not matter any more what becomes of it. Release it first, or revoke it as compromised, after which the announced
//!   successor can be revealed. So a hold of one key is for a suspicion about that key, whose successor was announced before:
//!   whoever has the key can report it, and gains nothing by that which the device has not. A suspicion about the device
//!   itself, which has the successor as well, takes a hold of the device.
//! - *Time goes on.* A key that expires on hold, or whose grace ends, is expired or superseded when it is released.
//! - *A key on hold keeps its place* in the list of its device, its number, and its deposit; it is registered nowhere else.

use crate::{Anchors, Config, Devices, Error, Event, Keys, Pallet, context::Actor};
use dpki_primitives::{
	anchor::AnchorRecord,
	device::DeviceRecord,
	ids::{AnchorId, DeviceId, KeyId},
	key::KeyRecord,
	organisation::Governance,
	revocation::{Hold, HoldAuthority, RevocationReason, Withdrawal},
};
use frame_support::ensure;
use frame_system::pallet_prelude::OriginFor;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Puts an anchor on hold.
	pub(crate) fn do_suspend_anchor(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
	) -> DispatchResult {
		let mut record = Self::holdable_anchor(&actor, anchor)?;
		ensure!(!record.suspended, Error::<T>::AnchorAlreadySuspended);
		record.suspended = true;
		let organisation = record.organisation;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::AnchorSuspended { anchor, organisation });
		Ok(())
	}

	/// Takes an anchor off hold.
	pub(crate) fn do_release_anchor(
		actor: Actor<T::AccountId>,
		anchor: AnchorId,
	) -> DispatchResult {
		let mut record = Self::holdable_anchor(&actor, anchor)?;
		ensure!(record.suspended, Error::<T>::AnchorNotSuspended);
		record.suspended = false;
		let organisation = record.organisation;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::AnchorReleased { anchor, organisation });
		Ok(())
	}

	fn holdable_anchor(
		actor: &Actor<T::AccountId>,
		anchor: AnchorId,
	) -> Result<AnchorRecord, Error<T>> {
		let record = Self::managed_anchor(actor, anchor)?;
		ensure!(record.kind.is_x509(), Error::<T>::AnchorNotX509);
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		Ok(record)
	}

	/// Puts a device on hold.
	pub(crate) fn do_suspend_device(
		origin: OriginFor<T>,
		device: DeviceId,
		reason: RevocationReason,
	) -> DispatchResult {
		let (mut record, by) = Self::holdable_device(origin, device)?;
		record.withdrawal = Self::held(record.withdrawal, by, reason, Error::DeviceSuspended)?;
		let organisation = record.organisation;
		Devices::<T>::insert(device, record);
		Self::deposit_event(Event::DeviceSuspended { device, organisation, reason, by });
		Ok(())
	}

	/// Takes a device off hold. Those of its keys that are on hold themselves stay so.
	pub(crate) fn do_release_device(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
		let (mut record, by) = Self::holdable_device(origin, device)?;
		Self::ensure_releasable(record.withdrawal, by, Error::DeviceNotSuspended)?;
		record.withdrawal = Withdrawal::None;
		let organisation = record.organisation;
		Devices::<T>::insert(device, record);
		Self::deposit_event(Event::DeviceReleased { device, organisation, by });
		Ok(())
	}

	/// Puts a key of a device on hold.
	pub(crate) fn do_suspend_key(
		origin: OriginFor<T>,
		key: KeyId,
		reason: RevocationReason,
	) -> DispatchResult {
		let (mut record, by) = Self::holdable_key(origin, key)?;
		record.withdrawal = Self::held(record.withdrawal, by, reason, Error::KeySuspended)?;
		let device = record.device;
		Keys::<T>::insert(key, record);
		Self::deposit_event(Event::KeySuspended { key, device, reason, by });
		Ok(())
	}

	/// Takes a key off hold. It stays on hold with its device, if that is.
	pub(crate) fn do_release_key(origin: OriginFor<T>, key: KeyId) -> DispatchResult {
		let (mut record, by) = Self::holdable_key(origin, key)?;
		Self::ensure_releasable(record.withdrawal, by, Error::KeyNotSuspended)?;
		record.withdrawal = Withdrawal::None;
		let device = record.device;
		Keys::<T>::insert(key, record);
		Self::deposit_event(Event::KeyReleased { key, device, by });
		Ok(())
	}

	/// The device, unless it was revoked, if whoever acts may revoke it; and as what they act.
	fn holdable_device(
		origin: OriginFor<T>,
		device: DeviceId,
	) -> Result<(DeviceRecord, HoldAuthority), DispatchError> {
		let record = Self::revocable_device(origin.clone(), device)?;
		let by = match T::Governance::ensure_governs(origin, record.organisation) {
			Ok(()) => HoldAuthority::Governance,
			Err(_) => HoldAuthority::Registrar,
		};
		ensure!(!record.withdrawal.is_revoked(), Error::<T>::DeviceWasRevoked);
		Ok((record, by))
	}

	/// The key, unless it or its device was revoked, if whoever acts may revoke it; and as what they act.
	fn holdable_key(
		origin: OriginFor<T>,
		key: KeyId,
	) -> Result<(KeyRecord, HoldAuthority), DispatchError> {
		let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
		let (_, by) = Self::holdable_device(origin, record.device)?;
		ensure!(!record.withdrawal.is_revoked(), Error::<T>::KeyWasRevoked);
		Ok((record, by))
	}

	/// On hold from now on. Whoever governs makes its own what a registrar began, so that no registrar ends it; it is on
	/// hold since the same time then, and for a suspected compromise if it was for that: the certificates of a key that
	/// may have leaked are not good again because somebody names a milder reason.
	fn held(
		before: Withdrawal,
		by: HoldAuthority,
		reason: RevocationReason,
		suspended: Error<T>,
	) -> Result<Withdrawal, Error<T>> {
		let worst = RevocationReason::KeyCompromise;
		let hold = match before.hold() {
			None => Hold { reason, at: Self::now(), by },
			Some(Hold { at, by: HoldAuthority::Registrar, reason: before })
				if by == HoldAuthority::Governance =>
			{
				Hold { reason: if before == worst { worst } else { reason }, at, by }
			},
			Some(_) => return Err(suspended),
		};
		Ok(Withdrawal::OnHold(hold))
	}

	/// That there is a hold, and that this authority may end it.
	fn ensure_releasable(
		withdrawal: Withdrawal,
		by: HoldAuthority,
		not_suspended: Error<T>,
	) -> Result<(), Error<T>> {
		let hold = withdrawal.hold().ok_or(not_suspended)?;
		ensure!(by.may_end(hold.by), Error::<T>::SuspendedByGovernance);
		Ok(())
	}

	/// That the device may do something, or have something done to its keys that needs its word: it is neither revoked
	/// nor on hold.
	pub(crate) fn ensure_unwithdrawn(device: &DeviceRecord) -> Result<(), Error<T>> {
		match device.withdrawal {
			Withdrawal::None => Ok(()),
			Withdrawal::Revoked(_) => Err(Error::<T>::DeviceWasRevoked),
			Withdrawal::OnHold(_) => Err(Error::<T>::DeviceSuspended),
		}
	}

	/// That another key may take the place of this one, or be announced to do so: it is neither revoked nor on hold.
	pub(crate) fn ensure_replaceable(key: &KeyRecord) -> Result<(), Error<T>> {
		match key.withdrawal {
			Withdrawal::None => Ok(()),
			Withdrawal::Revoked(_) => Err(Error::<T>::ReplacedKeyRevoked),
			Withdrawal::OnHold(_) => Err(Error::<T>::KeySuspended),
		}
	}
}
