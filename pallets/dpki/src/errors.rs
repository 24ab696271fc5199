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
		/// The certificate has more extensions, names or policies than are read here: issue it with fewer.
		CertificateTooComplex,
		/// The certificate is not of version 3: issue it as one.
		CertificateVersionUnsupported,
		/// The serial number is not positive, or longer than 20 octets: issue the certificate with another one.
		CertificateSerialInvalid,
		/// The issuer or the subject has no name: issue the certificate with one.
		CertificateNameMissing,
		/// Issuer and subject differ: register the root itself, or this one as what it is, below its issuer.
		CertificateNotSelfIssued,
		/// Issuer and subject are the same: register it as a root.
		CertificateSelfIssued,
		/// An extension occurs twice: issue the certificate with each extension once.
		CertificateExtensionRepeated,
		/// A critical extension is not one that is evaluated here: issue the certificate without it, or not critical.
		CertificateExtensionUnknown,
		/// An extension is malformed or breaks a rule of its own: issue the certificate with it mended.
		CertificateExtensionMalformed,
		/// An extension is critical that must not be, or the other way round: issue it as RFC 5280 section 4.2 asks.
		CertificateCriticalityInvalid,
		/// BasicConstraints with `cA` or KeyUsage with `keyCertSign` is missing: issue the certificate as an authority.
		CertificateNotAuthority,
		/// The SubjectKeyIdentifier is missing: issue the certificate with it.
		CertificateKeyIdentifierMissing,
		/// The AuthorityKeyIdentifier is missing, or not that of the key above: issue the certificate with it.
		CertificateIssuerKeyUnnamed,
		/// The validity ends before it begins: issue the certificate with another one.
		CertificateValidityInvalid,
		/// The certificate has expired: issue a new one.
		CertificateExpired,
		/// The certificate is not valid yet: register it when its validity has begun.
		CertificateNotYetValid,
		/// The algorithm of the signature, or its encoding, is not accepted: use one that the README lists.
		CertificateAlgorithmUnsupported,
		/// The key is malformed or too weak: use Ed25519, P-256, P-384, or RSA of 2048 to 4096 bits.
		CertificateKeyUnsupported,
		/// The certificate was not signed by the key above, or a root by its own: register it below its true issuer.
		CertificateSignatureInvalid,
		/// The name of the issuer is not that of the anchor above: register it below its true issuer.
		CertificateIssuerMismatch,
		/// An anchor above does not allow so many authorities below: issue the certificate higher up.
		CertificatePathTooLong,
		/// A name lies outside of what an anchor above permits, or has a form that cannot be judged: leave it out.
		CertificateNameNotPermitted,
		/// A policy is mapped wrongly, or none is left that holds for the whole path: issue it with the right policies.
		CertificatePolicyInvalid,
		/// The profile asks for something else: issue the certificate as the profile says, or choose another profile.
		CertificateProfileMismatch,
		/// Vendor or product is missing, malformed, or not that of the anchor above: issue the certificate with the right one.
		CertificateVendorMismatch,
		/// An intermediate needs the anchor that issued it: register it with `register_authority`.
		AnchorIssuerMissing,
		/// Only the vote of the council replaces the proof of possession: name the anchor that issued the certificate.
		AnchorVoteMissing,
		/// The anchor above is revoked, on hold, retired, expired or not valid yet: use one that is in force.
		AnchorIssuerNotValid,
		/// A certificate above breaks a rule that has become stricter since it was registered: replace that anchor first.
		AnchorIssuerUnfit,
		/// There are as many anchors above as there may be: issue the certificate higher up.
		AnchorTooDeep,
		/// There are as many anchors of this key as there may be: make a new key.
		AnchorKeyFull,
		/// The issuer took back what it had issued to this key, which is for ever: make a new key.
		AnchorKeyWithdrawn,
		/// Only X.509 anchors have holds, revocation lists elsewhere, and anything below them: name one of those.
		AnchorNotX509,
		/// The address is not one of `http`, `https` or `ipfs` in visible ASCII: give it in that form.
		CrlUrlInvalid,
		/// The anchor is on hold already: nothing is left to do.
		AnchorAlreadySuspended,
		/// The anchor is not on hold: nothing is left to do.
		AnchorNotSuspended,
		/// The retirement would lie in the past: give a time in the future, or retire the anchor at once.
		RolloverTimePast,
		/// A rollover of this anchor is planned already: cancel it first.
		RolloverAlreadyPlanned,
		/// No rollover of this anchor is ahead: nothing is left to do.
		RolloverNotPlanned,
		/// The successor is of another owner, kind or profile, or not in force from now until then: choose another.
		RolloverSuccessorUnfit,
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
		/// The key is registered already, for a device or as an anchor: make a new one.
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
		/// The proof of an RSA or P-384 key is too dear to be verified for nothing: send it from an account that pays.
		CompromiseUnpaid,
		/// The quota of the organisation is used up, and nobody pays for the enrolment: try again some blocks later.
		AllowanceExhausted,
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
		/// The key above gave this serial number to another anchor: issue the certificate with a number of its own.
		CertificateSerialTaken,
		/// A signing key is revoked by itself or by a registrar: sign with that key, or ask a registrar.
		SigningKeyProtected,
		/// The voucher can be used yet: wait until it has expired, or have a registrar cancel it.
		VoucherNotExpired,
		/// The device is on hold: have it released, or revoke it.
		DeviceSuspended,
		/// The device is not on hold: nothing is left to do.
		DeviceNotSuspended,
		/// The key is on hold: have it released, or revoke it.
		KeySuspended,
		/// The key is not on hold: nothing is left to do, or its device is to be released.
		KeyNotSuspended,
		/// Whoever governs the organisation put it on hold: ask for a vote, or an administrator who decides alone.
		SuspendedByGovernance,
		/// A key that is held by its hash signs nothing that could be verified: have a registrar revoke it.
		CompromiseUnprovable,
	}
}
