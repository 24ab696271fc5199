//! How a device, and who registers many of them, learns of an error.

use crate::{Config, Error};
use dpki_primitives::refusal::Refusal;
use frame_support::pallet_prelude::{InvalidTransaction, TransactionValidityError};

impl<T: Config> Error<T> {
	/// The number by which a device learns of this error; `None` for errors that only accounts meet.
	pub fn refusal(&self) -> Option<Refusal> {
		Some(match self {
			Error::VoucherUnknown => Refusal::VoucherUnknown,
			Error::VoucherExpired => Refusal::VoucherExpired,
			Error::VoucherRedeemed => Refusal::VoucherRedeemed,
			Error::VoucherCancelled => Refusal::VoucherCancelled,
			Error::VoucherForAnotherDevice => Refusal::VoucherForAnotherDevice,
			Error::VoucherSignatureInvalid => Refusal::VoucherSignatureInvalid,
			Error::RoleMissing => Refusal::RoleMissing,
			Error::DeviceNameInvalid => Refusal::DeviceNameInvalid,
			Error::DeviceRepeated => Refusal::DeviceRepeated,
			Error::DeviceExists => Refusal::DeviceExists,
			Error::DeviceUnknown => Refusal::DeviceUnknown,
			Error::DeviceWasRevoked | Error::DeviceAlreadyRevoked => Refusal::DeviceRevoked,
			Error::DeviceSuspended => Refusal::DeviceOnHold,
			Error::KeySuspended => Refusal::KeyOnHold,
			Error::KeyListEmpty => Refusal::KeyListEmpty,
			Error::KeyListFull => Refusal::KeyListFull,
			Error::KeyRepeated => Refusal::KeyRepeated,
			Error::KeyUnknown => Refusal::KeyUnknown,
			Error::KeyAlreadyRegistered => Refusal::KeyAlreadyRegistered,
			Error::KeyAlreadyRevoked => Refusal::KeyAlreadyRevoked,
			Error::KeyWasRevoked => Refusal::KeyWasRevoked,
			Error::KeyMalformed => Refusal::KeyMalformed,
			Error::KeyUnfitForPurpose => Refusal::KeyUnfitForPurpose,
			Error::KeyValidityInvalid => Refusal::KeyValidityInvalid,
			Error::KeyValidityTooLong => Refusal::KeyValidityTooLong,
			Error::KeyTypeNotAllowed => Refusal::KeyTypeNotAllowed,
			Error::KeyUnproven => Refusal::KeyUnproven,
			Error::PossessionInvalid => Refusal::PossessionInvalid,
			Error::ConsentInvalid => Refusal::ConsentInvalid,
			Error::SigningKeyMissing => Refusal::SigningKeyMissing,
			Error::SignatureExpired => Refusal::SignatureExpired,
			Error::SelfServiceOff => Refusal::SelfServiceOff,
			Error::QuotaExhausted => Refusal::QuotaExhausted,
			Error::KeyAlreadyReplaced => Refusal::KeyAlreadyReplaced,
			Error::ReplacedKeyRevoked => Refusal::ReplacedKeyRevoked,
			Error::KeyPurposeDiffers => Refusal::KeyPurposeDiffers,
			Error::GraceTooLong => Refusal::GraceTooLong,
			Error::SuccessorTooShort => Refusal::SuccessorTooShort,
			Error::SuccessorAnnounced => Refusal::SuccessorAnnounced,
			Error::SuccessorUnknown => Refusal::SuccessorUnknown,
			Error::SuccessorDiffers => Refusal::SuccessorDiffers,
			Error::SignerBound => Refusal::SignerBound,
			Error::CompromiseInvalid => Refusal::CompromiseInvalid,
			Error::CompromiseUnpaid => Refusal::CompromiseUnpaid,
			Error::SigningKeyProtected => Refusal::SigningKeyProtected,
			Error::VoucherNotExpired => Refusal::VoucherNotExpired,
			Error::AllowanceExhausted => Refusal::AllowanceExhausted,
			Error::AnchorUnknown => Refusal::AnchorUnknown,
			Error::AnchorAlreadyRevoked => Refusal::AnchorAlreadyRevoked,
			_ => return None,
		})
	}
}

impl<T: Config> From<Error<T>> for TransactionValidityError {
	fn from(error: Error<T>) -> Self {
		match error.refusal() {
			Some(refusal) => InvalidTransaction::Custom(refusal.code()),
			None => InvalidTransaction::Call,
		}
		.into()
	}
}
