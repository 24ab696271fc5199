//! Why a device's own transaction was refused.
//!
//! Enrolments and acknowledgements are not signed by an account, so they are judged before they enter the pool, where
//! the only word that reaches the sender is the number in `InvalidTransaction::Custom`. These are the numbers.

use core::fmt;

macro_rules! refusals {
	($($(#[$doc:meta])* $name:ident = $code:literal, $sentence:literal;)*) => {
		/// The number and meaning of each refusal. Numbers are never reused.
		#[derive(Clone, Copy, PartialEq, Eq, Debug)]
		#[repr(u8)]
		pub enum Refusal {
			$(#[doc = $sentence] $(#[$doc])* $name = $code,)*
		}

		impl Refusal {
			/// Every refusal.
			pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

			/// The number that travels in `InvalidTransaction::Custom`.
			pub const fn code(self) -> u8 {
				self as u8
			}

			/// The refusal with this number.
			pub fn from_code(code: u8) -> Option<Self> {
				Self::ALL.iter().copied().find(|refusal| refusal.code() == code)
			}

			/// What went wrong and what to do about it, in one sentence.
			pub const fn sentence(self) -> &'static str {
				match self {
					$(Refusal::$name => $sentence,)*
				}
			}
		}
	};
}

refusals! {
	VoucherUnknown = 1, "the chain knows no such voucher: ask the organisation for a new one";
	VoucherExpired = 2, "the voucher has expired: ask the organisation for a new one";
	VoucherRedeemed = 3, "the voucher was used before: if that was not you, tell the organisation at once";
	VoucherCancelled = 4, "the voucher was taken back: ask the organisation for a new one";
	VoucherForAnotherDevice = 5, "the voucher was issued for a device of another name";
	VoucherSignatureInvalid = 6, "the voucher did not sign these keys for this chain";
	DeviceExists = 10, "a device of this name exists already: enrol under another name";
	DeviceUnknown = 11, "the chain knows no such device: enrol it first";
	DeviceRevoked = 12, "the device is revoked";
	KeyListEmpty = 20, "an enrolment needs at least one key";
	KeyRepeated = 21, "the same key is given twice: use a key for one purpose only";
	KeyAlreadyRegistered = 22, "the key is registered already: make a new one";
	KeyWasRevoked = 23, "the key was revoked and cannot come back: make a new one";
	KeyMalformed = 24, "the key has not the form of its type";
	KeyUnfitForPurpose = 25, "a key of this type cannot serve this purpose";
	KeyValidityInvalid = 26, "the key would be expired from the start";
	PossessionInvalid = 27, "the proof of possession was not made by this key for this chain, registrant, device and purpose";
	SigningKeyMissing = 28, "an agreement key needs a signing key of the same device to vouch for it";
	SignatureExpired = 30, "the signature has expired, or its expiry lies too far ahead: check the clock and sign again";
	DeliveryUnknown = 40, "there is no such delivery for this device";
	DeliverySuperseded = 41, "the delivery is not the newest of this device any more";
	DeliveryAcknowledged = 42, "the delivery is acknowledged already";
	AcknowledgementInvalid = 43, "the acknowledgement was not signed by a valid signing key of this device";
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.sentence())
	}
}

#[cfg(feature = "std")]
impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn numbers_are_unique_and_round_trip() {
		for refusal in Refusal::ALL {
			assert_eq!(Refusal::from_code(refusal.code()), Some(*refusal));
		}
		assert_eq!(Refusal::from_code(0), None);
	}
}
