//! Why a call was refused.

use frame_support::pallet_macros::pallet_section;

/// Errors of the pallet.
#[pallet_section]
mod errors {
	/// Why a call was refused, and what to do next. Devices learn of theirs as
	/// [`Refusal`](dpki_primitives::refusal::Refusal), see [`Error::refusal`].
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such organisation: check its name or id.
		OrganisationUnknown,
		/// The sender has not the role that the call asks for: ask an administrator of the organisation for it.
		RoleMissing,
		/// The signature has expired, or its expiry lies too far ahead: check the clock and sign again.
		SignatureExpired,
		/// There is no such anchor: check its id.
		AnchorUnknown,
		/// The anchor is registered already, here or for another organisation: use it as it is, or make a new key.
		AnchorExists,
		/// The anchor was revoked, which is for ever: register one with a new key.
		AnchorWasRevoked,
		/// An anchor of this key was revoked, which ends the key for ever: make a new key.
		AnchorKeyWasRevoked,
		/// The key is, or was, the key of a device: make a key of its own for the anchor.
		AnchorKeyInUse,
		/// The anchor is revoked already: nothing is left to do, the first reason and time stand.
		AnchorAlreadyRevoked,
		/// The anchor is retired already: revoke it if what it signed is to end too.
		AnchorAlreadyRetired,
		/// The organisation has as many unrevoked anchors as it may: revoke one that is not needed any more.
		AnchorListFull,
		/// The signature was not made by the anchor's key for this account, organisation and chain: sign again.
		AnchorPossessionInvalid,
		/// Only SSH CAs have a list of revoked subjects: name one of those, or revoke the X.509 anchor itself.
		AnchorNotSsh,
		/// The material is not the wire encoding of an SSH public key: send the decoded middle field of the `.pub` file.
		SshKeyMalformed,
		/// The type of the SSH key is not accepted: use `ssh-ed25519` or `ecdsa-sha2-nistp256`.
		SshKeyTypeUnsupported,
		/// Zero is what unnumbered certificates carry, all of which would be revoked: name the key by its fingerprint.
		SshSerialZero,
		/// The subject is on the list already: nothing is left to do, the first reason and time stand.
		SshSubjectAlreadyRevoked,
		/// The list is as long as it may be: replace the CA by a new one and revoke this one.
		SshRevocationListFull,
		/// The material is not the DER of one certificate and nothing else: convert it, without anything around it.
		CertificateMalformed,
		/// The certificate is not of version 3: issue it as one.
		CertificateVersionUnsupported,
		/// The serial number is not positive, or longer than 20 octets: issue the certificate with another one.
		CertificateSerialInvalid,
		/// Issuer and subject differ, or are empty: register the root itself and not what it issued.
		CertificateNotSelfIssued,
		/// An extension occurs twice: issue the certificate with each extension once.
		CertificateExtensionRepeated,
		/// A critical extension is not one that is evaluated here: issue the root without it, or not critical.
		CertificateExtensionUnknown,
		/// BasicConstraints with `cA` or KeyUsage with `keyCertSign` is missing or not critical: issue it as an authority.
		CertificateNotAuthority,
		/// The SubjectKeyIdentifier is missing: issue the certificate with it.
		CertificateKeyIdentifierMissing,
		/// The validity ends before it begins: issue the certificate with another one.
		CertificateValidityInvalid,
		/// The certificate has expired: issue a new one.
		CertificateExpired,
		/// The algorithm of the signature, or its match with the key, is not accepted: use one that the README lists.
		CertificateAlgorithmUnsupported,
		/// The key is malformed or too weak: use P-384 with an uncompressed point, or RSA of 2048 to 4096 bits.
		CertificateKeyUnsupported,
		/// The certificate was not signed by its own key: register a root, which is.
		CertificateSignatureInvalid,
		/// There is no such voucher: check its id and its organisation.
		VoucherUnknown,
		/// The organisation issued a voucher of this key before: make a new one.
		VoucherExists,
		/// The voucher would be expired from the start: give it an expiry in the future.
		VoucherExpiryPast,
		/// The voucher would last longer than vouchers may: give it an earlier expiry.
		VoucherExpiryTooFar,
		/// The voucher has expired: issue a new one.
		VoucherExpired,
		/// The voucher was used: if not by the device that it was for, revoke that device at once.
		VoucherRedeemed,
		/// The voucher was taken back: issue a new one if the device is to enrol.
		VoucherCancelled,
		/// The voucher was issued for a device of another name: enrol under the name in it.
		VoucherForAnotherDevice,
		/// The voucher did not sign these keys for this chain: sign the enrolment again with the voucher's key.
		VoucherSignatureInvalid,
		/// The name of the device does not follow the rule for names: use 1 to 63 of `a-z`, `0-9`, `-` and `.`.
		DeviceNameInvalid,
		/// There is no such device: check its name or id.
		DeviceUnknown,
		/// A device of this name exists in the organisation: choose another name.
		DeviceExists,
		/// The device was revoked, which is for ever: enrol it under another name.
		DeviceWasRevoked,
		/// The device is revoked already: nothing is left to do, the first reason and time stand.
		DeviceAlreadyRevoked,
		/// There is no such key: check its id.
		KeyUnknown,
		/// The enrolment brings no key: give it at least a signing key.
		KeyListEmpty,
		/// The device has as many unrevoked keys as it may: revoke one that is not needed any more.
		KeyListFull,
		/// The same key is given twice: use a key for one purpose only.
		KeyRepeated,
		/// The key has not the one form of its type, or is one that anybody could sign for: make a new one.
		KeyMalformed,
		/// A key of this type cannot serve this purpose: make one of a type that can.
		KeyUnfitForPurpose,
		/// The key would be expired from the start: give it a later end, or none.
		KeyValidityInvalid,
		/// The key is registered already, for this device or another: make a new one.
		KeyAlreadyRegistered,
		/// The key was revoked, as a device's or as an anchor's, and cannot come back: make a new one.
		KeyWasRevoked,
		/// The key is revoked already: nothing is left to do, the first reason and time stand.
		KeyAlreadyRevoked,
		/// The proof was not made by this key for this chain, registrant, device, purpose and number: sign again with it.
		PossessionInvalid,
		/// The consent was not made by a valid signing key of the device for this key: have the device sign it.
		ConsentInvalid,
		/// The enrolment brings no key for signing, without which the device could say nothing afterwards: add one.
		SigningKeyMissing,
		/// No device could live by this policy: allow a signing key, RSA of 2048 to 4096 bits, and limits of an hour or more.
		KeyPolicyIncoherent,
		/// The organisation does not allow keys of this type or size: make one that its key policy allows.
		KeyTypeNotAllowed,
		/// The key would last longer than the key policy allows: give it an earlier end.
		KeyValidityTooLong,
		/// A key that is held by its hash cannot prove its possession: add it once the device has a signing key to consent.
		KeyUnproven,
		/// The organisation lets no device change its keys alone: have a registrar do it, or have the key policy changed.
		SelfServiceOff,
		/// The device has changed as many keys alone as it may for now: wait until one change has come back.
		QuotaExhausted,
		/// The key was replaced before: use the one that took its place.
		KeyAlreadyReplaced,
		/// The key to be replaced is revoked: reveal its announced successor, or register another key.
		ReplacedKeyRevoked,
		/// The new key serves another purpose than the one that it is to replace: make one for the same purpose.
		KeyPurposeDiffers,
		/// The old key would stay good for longer than replaced keys may: give it a shorter grace.
		GraceTooLong,
		/// The new key would end before the one that it replaces: give it a later end, or the old one a shorter grace.
		SuccessorTooShort,
		/// A successor of this key is announced already: only a registrar can have it changed.
		SuccessorAnnounced,
		/// No successor of this key is announced: register a key with a registrar.
		SuccessorUnknown,
		/// Another key is announced as successor of this one: use that key, or announce another one with a registrar.
		SuccessorDiffers,
		/// The signing key has an announced successor, so it brings in no other alone: reveal that, or ask a registrar.
		SignerBound,
		/// The proof was not made by this key for this chain: sign the challenge with the key itself.
		CompromiseInvalid,
		/// The organisation takes no requests: ask a registrar for a voucher.
		RequestsClosed,
		/// A new device is requested without consent, a further key of a device by itself and with it: send one of the two.
		RequestUnfit,
		/// The same request waits already: wait for a registrar.
		RequestExists,
		/// There is no such request: check its id, or whether it was decided already.
		RequestUnknown,
		/// The request has expired: make it again.
		RequestExpired,
		/// The account has as many requests waiting as it may: wait for a registrar.
		RequestsTooMany,
		/// As many requests wait for this organisation as may: try again when a registrar has decided some.
		RequestQueueFull,
		/// The batch is empty: name something.
		BatchEmpty,
		/// The same device is named twice in the batch: name each once.
		DeviceRepeated,
		/// A member of the batch was refused, and with it all others: mend the member at this position and send it again.
		BatchFailed(BatchFailure),
	}
}
