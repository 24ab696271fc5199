//! Vouchers: one-time rights to enrol one named device.
//!
//! The sponsor makes an Ed25519 key pair, stores the hash of the public half on the chain and hands the private
//! half to the device. The device signs, with it, exactly the keys that it enrols. Whoever sees the enrolment on
//! its way can neither swap a key nor use the voucher for another device; whoever sees the hash on its way can issue
//! a voucher of an organisation of his own for it, and gains nothing, because the organisation is part of the id.

use crate::{
	Moment,
	ids::{DeviceId, OrganisationId},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The longest time between the issue of a voucher and its expiry: 90 days, enough for a device to be shipped and
/// installed; a voucher that lies about for longer is rather lost than delayed.
pub const MAX_VOUCHER_LIFETIME: Moment = 90 * 24 * 60 * 60 * 1000;

/// What has become of a voucher.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum VoucherState {
	/// It can be used until it expires.
	#[codec(index = 0)]
	Open,
	/// It was used at this time.
	#[codec(index = 1)]
	Redeemed(Moment),
	/// It was taken back at this time.
	#[codec(index = 2)]
	Cancelled(Moment),
}

/// A voucher as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct VoucherRecord {
	/// The organisation that the device will belong to.
	pub organisation: OrganisationId,
	/// The one device that may use it.
	pub device: DeviceId,
	/// The account that issued it.
	pub sponsor: [u8; 32],
	/// Last moment at which it can be used.
	pub expires_at: Moment,
	/// What has become of it.
	pub state: VoucherState,
}

/// What a voucher is worth at one moment. Only [`VoucherStanding::Open`] lets a device in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VoucherStanding {
	/// It can be used.
	Open,
	/// It was used at this time.
	Redeemed(Moment),
	/// It was taken back at this time.
	Cancelled(Moment),
	/// It was neither used nor taken back, and its last moment is over.
	Expired,
}

impl VoucherRecord {
	/// What the voucher is worth at chain time `now`. Its last moment is inside.
	pub fn state_at(&self, now: Moment) -> VoucherStanding {
		match self.state {
			VoucherState::Redeemed(at) => VoucherStanding::Redeemed(at),
			VoucherState::Cancelled(at) => VoucherStanding::Cancelled(at),
			VoucherState::Open if now > self.expires_at => VoucherStanding::Expired,
			VoucherState::Open => VoucherStanding::Open,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn voucher(state: VoucherState) -> VoucherRecord {
		VoucherRecord {
			organisation: OrganisationId([1; 32]),
			device: DeviceId([2; 32]),
			sponsor: [3; 32],
			expires_at: 10,
			state,
		}
	}

	#[test]
	fn a_voucher_is_open_up_to_its_last_moment() {
		let voucher = voucher(VoucherState::Open);
		assert_eq!(voucher.state_at(0), VoucherStanding::Open);
		assert_eq!(voucher.state_at(10), VoucherStanding::Open);
		assert_eq!(voucher.state_at(11), VoucherStanding::Expired);
	}

	#[test]
	fn what_became_of_a_voucher_outlasts_its_expiry() {
		for now in [0, 10, 11] {
			let redeemed = voucher(VoucherState::Redeemed(5)).state_at(now);
			assert_eq!(redeemed, VoucherStanding::Redeemed(5));
			let cancelled = voucher(VoucherState::Cancelled(5)).state_at(now);
			assert_eq!(cancelled, VoucherStanding::Cancelled(5));
		}
	}
}
