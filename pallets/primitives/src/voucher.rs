//! Vouchers: one-time rights to enrol one named device.
//!
//! The sponsor makes an Ed25519 key pair, stores the hash of the public half on the chain and hands the private
//! half to the device. The device signs, with it, exactly the keys that it enrols. Whoever sees the enrolment on
//! its way can neither swap a key nor use the voucher for another device.

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
