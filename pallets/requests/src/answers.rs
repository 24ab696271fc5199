//! How a filing ends: somebody answers or refuses it, or nobody would any more.

use crate::{Config, Contents, Error, Event, Filings, Pallet};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryRegister, DeliveryStanding},
	filing::{Filing, FilingStanding, Objection},
	ids::DeviceId,
	organisation::{Organisations, Role},
	registry::Registry,
	status::Status,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
	/// Notes in which delivery the certificate is: the newest one on its channel, or one that waits for approvals, which has its
	/// number already. Whether it is in there is for the device to see, as the chain reads no delivery.
	pub(crate) fn do_answer(
		by: T::AccountId,
		device: DeviceId,
		slot: u8,
		content: [u8; 32],
		channel: ChannelId,
		sequence: u64,
	) -> DispatchResult {
		let (filing, position) = Self::answerable(&by, device, slot, content)?;
		ensure!(!Self::is_disowned(&filing), Error::<T>::FilingExpired);
		match T::Deliveries::standing(device, channel, sequence) {
			DeliveryStanding::Stands => {},
			DeliveryStanding::Outdated => return Err(Error::<T>::DeliveryOutdated.into()),
			DeliveryStanding::Missing => return Err(Error::<T>::DeliveryMissing.into()),
		}
		let at = T::Time::now();
		let answered = FilingStanding::Answered { channel, sequence, at };
		Self::end(device, slot, filing, position, answered);
		let answered = Event::RequestAnswered { device, slot, content, channel, sequence, by };
		Self::deposit_event(answered);
		Ok(())
	}

	/// Notes why there is no certificate.
	pub(crate) fn do_refuse(
		by: T::AccountId,
		device: DeviceId,
		slot: u8,
		content: [u8; 32],
		objection: Objection,
	) -> DispatchResult {
		let (filing, position) = Self::answerable(&by, device, slot, content)?;
		let at = T::Time::now();
		Self::end(device, slot, filing, position, FilingStanding::Refused { objection, at });
		Self::deposit_event(Event::RequestRefused { device, slot, content, objection, by });
		Ok(())
	}

	/// Empties a slot whose filing nobody would answer any more.
	pub(crate) fn do_clear(device: DeviceId, slot: u8) -> DispatchResult {
		let (filing, position) = Self::clearable(device, slot)?;
		if let Some(position) = position {
			Self::delist(filing.organisation, position);
		}
		Filings::<T>::remove(device, slot);
		Contents::<T>::remove(device, slot);
		let content = filing.content;
		Self::deposit_event(Event::RequestCleared { device, slot, content });
		Ok(())
	}

	/// The filing in a slot that can be cleared, and the position at which it waits, if it does.
	pub(crate) fn clearable(device: DeviceId, slot: u8) -> Result<(Filing, Option<u32>), Error<T>> {
		let filing = Filings::<T>::get(device, slot).ok_or(Error::<T>::FilingUnknown)?;
		// One on hold may come back, and finds what it asked for.
		let status = T::Registry::device_status(device);
		let is_gone = !status.is_valid() && status != Status::Suspended;
		match filing.standing {
			FilingStanding::Waiting { position } => {
				let is_over = !filing.is_waiting(T::Time::now()) || Self::is_disowned(&filing);
				ensure!(is_over || is_gone, Error::<T>::FilingWaits);
				Ok((filing, Some(position)))
			},
			// The device that would prove it is no more.
			_ if is_gone => Ok((filing, None)),
			_ => Err(Error::<T>::FilingUnknown),
		}
	}

	/// Whether the key that signed a filing was revoked since. One that expired or was replaced asked in good faith.
	fn is_disowned(filing: &Filing) -> bool {
		T::Registry::key(filing.key).is_none_or(|key| key.withdrawal.is_revoked())
	}

	/// The filing that this account answers in the name of its organisation, and the position at which it waits.
	fn answerable(
		by: &T::AccountId,
		device: DeviceId,
		slot: u8,
		content: [u8; 32],
	) -> Result<(Filing, u32), Error<T>> {
		let (filing, position) = Self::waiting(device, slot)
			.filter(|(filing, _)| filing.content == content)
			.ok_or(Error::<T>::FilingUnknown)?;
		let may = T::Organisations::has_role(filing.organisation, by, Role::Publisher);
		ensure!(may, Error::<T>::RoleMissing);
		ensure!(filing.is_waiting(T::Time::now()), Error::<T>::FilingExpired);
		Ok((filing, position))
	}

	/// Ends a filing that waits at this position.
	fn end(device: DeviceId, slot: u8, filing: Filing, position: u32, standing: FilingStanding) {
		Self::delist(filing.organisation, position);
		Contents::<T>::remove(device, slot);
		Filings::<T>::insert(device, slot, Filing { standing, ..filing });
	}
}
