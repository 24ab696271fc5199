//! Vouchers: issue, cancellation, and what becomes of one that nobody used. Their use is in [`crate::enrolment`].

use crate::{Config, Devices, Error, Event, Pallet, Registrants, Vouchers};
use alloc::vec::Vec;
use codec::Encode;
use dpki_primitives::{
	Moment,
	economy::{Economy, Operation, Resource},
	ids::{DeviceId, Name, OrganisationId, VoucherCommitment, VoucherId, is_valid_name},
	organisation::Role,
	voucher::{MAX_VOUCHER_LIFETIME, VoucherRecord, VoucherStanding, VoucherState},
};
use frame_support::{
	ensure,
	pallet_prelude::{TransactionPriority, TransactionValidityWithRefund, ValidTransaction},
	weights::Weight,
};
use sp_runtime::DispatchResult;

/// How many blocks a clearing may wait in a pool.
const LONGEVITY: u64 = 64;

/// Behind everything else: nobody is in a hurry.
const PRIORITY: TransactionPriority = 0;

impl<T: Config> Pallet<T> {
	/// Opens a voucher for the device of this name. Several vouchers may be open for one device; the first that is
	/// used wins. A voucher outlives its sponsor's role: the organisation gave it, and can cancel it.
	pub(crate) fn do_issue_voucher(
		account: T::AccountId,
		organisation: OrganisationId,
		commitment: VoucherCommitment,
		device_name: Name,
		expires_at: Moment,
	) -> DispatchResult {
		Self::ensure_role(organisation, &account, Role::Registrar)?;
		ensure!(is_valid_name(&device_name), Error::<T>::DeviceNameInvalid);
		let now = Self::now();
		ensure!(expires_at > now, Error::<T>::VoucherExpiryPast);
		ensure!(
			expires_at <= now.saturating_add(MAX_VOUCHER_LIFETIME),
			Error::<T>::VoucherExpiryTooFar
		);
		let voucher = VoucherId::from_commitment(organisation, commitment);
		ensure!(!Vouchers::<T>::contains_key(voucher), Error::<T>::VoucherExists);
		let device = DeviceId::from_name(organisation, &device_name);
		ensure!(!Devices::<T>::contains_key(device), Error::<T>::DeviceExists);
		Self::pay_for(&account, Operation::IssueVoucher, Resource::Voucher(voucher))?;

		let sponsor = account.into();
		let state = VoucherState::Open;
		let record = VoucherRecord { organisation, device, sponsor, expires_at, state };
		Vouchers::<T>::insert(voucher, record);
		Registrants::<T>::insert(organisation, ());
		Self::deposit_event(Event::VoucherIssued { voucher, organisation, device, expires_at });
		Ok(())
	}

	/// Takes an open voucher back. An expired one may be taken back too, to put an end to it on record.
	pub(crate) fn do_cancel_voucher(account: T::AccountId, voucher: VoucherId) -> DispatchResult {
		let mut record = Vouchers::<T>::get(voucher).ok_or(Error::<T>::VoucherUnknown)?;
		Self::ensure_role(record.organisation, &account, Role::Registrar)?;
		let now = Self::now();
		match record.state_at(now) {
			VoucherStanding::Open | VoucherStanding::Expired => {},
			VoucherStanding::Redeemed(_) => return Err(Error::<T>::VoucherRedeemed.into()),
			VoucherStanding::Cancelled(_) => return Err(Error::<T>::VoucherCancelled.into()),
		}
		record.state = VoucherState::Cancelled(now);
		let (organisation, device) = (record.organisation, record.device);
		Vouchers::<T>::insert(voucher, record);
		T::Economy::release(Resource::Voucher(voucher));
		Self::deposit_event(Event::VoucherCancelled { voucher, organisation, device });
		Ok(())
	}

	/// Whether an expired voucher may be cleared away by a transaction that nobody pays for. Each goes once, and whoever
	/// issued it has paid for it.
	pub(crate) fn authorize_clearing(voucher: VoucherId) -> TransactionValidityWithRefund {
		Self::clearable_voucher(voucher)?;
		let validity = ValidTransaction {
			priority: PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(b"dpki/clear-voucher", voucher).encode()],
			longevity: LONGEVITY,
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Removes a voucher that has expired unused. Nothing is forgotten by that: it has let nobody in and never can, and if
	/// its organisation issues it again, that is a decision of its own.
	pub(crate) fn do_clear_expired_voucher(voucher: VoucherId) -> DispatchResult {
		let organisation = Self::clearable_voucher(voucher)?.organisation;
		Vouchers::<T>::remove(voucher);
		T::Economy::release(Resource::Voucher(voucher));
		Self::deposit_event(Event::VoucherCleared { voucher, organisation });
		Ok(())
	}

	fn clearable_voucher(voucher: VoucherId) -> Result<VoucherRecord, Error<T>> {
		let record = Vouchers::<T>::get(voucher).ok_or(Error::<T>::VoucherUnknown)?;
		match record.state_at(Self::now()) {
			VoucherStanding::Expired => Ok(record),
			VoucherStanding::Open => Err(Error::<T>::VoucherNotExpired),
			VoucherStanding::Redeemed(_) => Err(Error::<T>::VoucherRedeemed),
			VoucherStanding::Cancelled(_) => Err(Error::<T>::VoucherCancelled),
		}
	}
}
