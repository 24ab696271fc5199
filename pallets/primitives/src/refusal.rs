//! Why a transaction was refused before it entered the pool.
//!
//! What devices send (enrolments, keys of their own, reports of a compromise, acknowledgements) is not signed by an
//! account, and members of a feeless chain pay for nothing. Both are judged before they enter the pool, where the only
//! word that reaches the sender is the number in `InvalidTransaction::Custom`. These are the numbers. A batch that is
//! refused tells by them what is wrong with its first member.

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
	VoucherForAnotherDevice = 5, "the voucher was issued for a device of another name: enrol under the name in it";
	VoucherSignatureInvalid = 6, "the voucher did not sign these keys for this chain: sign the enrolment again with the voucher's key";
	DeviceExists = 10, "a device of this name exists already: enrol under another name";
	DeviceUnknown = 11, "the chain knows no such device: enrol it first";
	DeviceRevoked = 12, "the device is revoked, which is for ever: ask the organisation to enrol it under another name";
	DeviceNameInvalid = 13, "the name of the device does not follow the rule for names: use 1 to 63 of a-z, 0-9, hyphen and full stop";
	RoleMissing = 14, "the sender has not the role for it in the organisation of the device: ask an administrator for it";
	DeviceRepeated = 15, "the same device is named twice: name each once";
	DeviceOnHold = 16, "the device is on hold: have the organisation release it";
	KeyOnHold = 17, "the key is on hold: have the organisation release it, or revoke it";
	KeyListEmpty = 20, "the enrolment brings no key: give it at least a signing key";
	KeyRepeated = 21, "the same key is given twice: use a key for one purpose only";
	KeyAlreadyRegistered = 22, "the key is registered already: make a new one";
	KeyWasRevoked = 23, "the key was revoked and cannot come back: make a new one";
	KeyMalformed = 24, "the key has not the form of its type: make a new one, and send its bytes in the form that its type names";
	KeyUnfitForPurpose = 25, "a key of this type cannot serve this purpose: make one of a type that can";
	KeyValidityInvalid = 26, "the key would be expired from the start: give it a later end, or none";
	PossessionInvalid = 27, "the proof of possession was not made by this key for this chain, registrant, device and purpose: sign it again with the key itself";
	SigningKeyMissing = 28, "the enrolment brings no key for signing, without which the device could say nothing afterwards: add one";
	SignatureExpired = 30, "the signature has expired, or its expiry lies too far ahead: check the clock and sign again";
	KeyTypeNotAllowed = 50, "the organisation does not allow keys of this type or size: make one that its key policy allows";
	KeyValidityTooLong = 51, "the key would last longer than the organisation allows: give it an earlier end";
	KeyUnproven = 52, "a key that is held by its hash cannot prove its possession: add it once the device has a signing key that can consent";
	KeyListFull = 53, "the device has as many keys as it may: have one revoked that is not needed any more";
	KeyUnknown = 54, "the chain knows no such key: check its id";
	KeyAlreadyRevoked = 55, "the key is revoked already: there is nothing left to do";
	ConsentInvalid = 56, "the signature was not made by a valid signing key of this device for exactly this: sign it with one";
	SelfServiceOff = 57, "the organisation lets no device change its keys alone: ask a registrar";
	QuotaExhausted = 58, "the device has changed as many keys as it may for now: wait until one of its changes has come back";
	KeyAlreadyReplaced = 59, "the key was replaced before: use the key that took its place";
	ReplacedKeyRevoked = 60, "the key to be replaced is revoked: reveal its announced successor, or ask a registrar";
	KeyPurposeDiffers = 61, "the new key serves another purpose than the one that it is to replace: make one for the same purpose";
	GraceTooLong = 62, "the old key would stay good for longer than replaced keys may: give it a shorter grace";
	SuccessorTooShort = 63, "the new key would end before the one that it replaces: give it a later end, or the old one a shorter grace";
	SuccessorAnnounced = 64, "a successor of this key is announced already: only a registrar can have it changed";
	SuccessorUnknown = 65, "no successor of this key is announced: ask a registrar to register a key";
	SuccessorDiffers = 66, "another key is announced as successor of this one: use that key";
	SignerBound = 67, "the signing key has an announced successor, so it brings in no other signing key alone: reveal the successor, or ask a registrar";
	CompromiseInvalid = 68, "the proof was not made by this key for this chain: sign the challenge with the key itself";
	AnchorUnknown = 69, "the chain knows no such anchor: check its id";
	AnchorAlreadyRevoked = 70, "the anchor is revoked already: there is nothing left to do";
	CompromiseUnpaid = 71, "the proof of an RSA or P-384 key is too dear to be verified for nothing: send it from an account that pays";
	SigningKeyProtected = 75, "a signing key is revoked by itself or by a registrar, and by no other key of the device: ask a registrar, or sign with that key";
	VoucherNotExpired = 76, "the voucher can be used yet: wait until it has expired, or have a registrar cancel it";
	DeliveryUnknown = 40, "there is no such delivery for this device: read its newest one from the chain";
	DeliverySuperseded = 41, "the delivery is not the newest of this device any more: apply and acknowledge the newest one";
	DeliveryAcknowledged = 42, "the delivery is acknowledged already: there is nothing left to do";
	AcknowledgementInvalid = 43, "the acknowledgement was not signed by a valid signing key of this device: sign it with one";
	RequestMalformed = 90, "the request has no such slot, no content, too much of it, or a service whose name breaks the rule: ask for less, or under another name";
	RequestSignatureInvalid = 91, "the request was not signed by a valid signing key of this device for exactly this: sign it with one";
	RequestNumberWrong = 92, "the number of the request is not the next one of this device: read it from the chain and sign again";
	RequestQuotaExhausted = 93, "the device has filed as many requests as it may for now: wait until one of them has come back";
	RequestUnknown = 94, "no such request of this device waits: read what the chain has in this slot";
	AllowanceExhausted = 80, "the quota of the account, or of its organisations, is used up: wait some blocks and send the transaction again";
	TipUnwanted = 81, "the chain takes no fees from this account, and no tips either: send the transaction without one";
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

	#[test]
	fn every_sentence_names_the_problem_and_the_next_step() {
		for refusal in Refusal::ALL {
			let (problem, step) = refusal.sentence().split_once(": ").expect("problem: next step");
			assert!(!problem.is_empty() && !step.is_empty(), "{refusal}");
			assert!(!refusal.sentence().contains(". "), "one sentence: {refusal}");
		}
	}
}
