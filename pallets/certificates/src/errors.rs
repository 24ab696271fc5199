//! Why a call was refused.

use frame_support::pallet_macros::pallet_section;

/// Errors of the pallet.
#[pallet_section]
mod errors {
	/// Why a call was refused, and what to do about it.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such organisation: create it first, or check the id.
		OrganisationNotFound,
		/// The sender has not the role that acts for this organisation here: ask its administrator for it.
		RoleMissing,
		/// The subject has not the one form of its kind, or is not public: write it as `Subject` says.
		SubjectMalformed,
		/// Somebody else holds the subject: prove control once the holder's certificates have ended, or ask it to revoke.
		SubjectHeld,
		/// There are as many live certificates about the subject as there may be: revoke one first.
		SubjectFull,
		/// The level does not go with the subject, the certificate or the accreditation: choose one that does.
		LevelUnfit,
		/// The display name is malformed, or the certificate is none of an organisation at OV or EV: leave it out.
		DisplayNameUnfit,
		/// The certificate would be over from the start or last longer than the policy allows: choose another end.
		ValidityInvalid,
		/// The signature has expired, or its expiry lies too far ahead: check the clock and sign again.
		SignatureExpired,
		/// The key has not the form of its type, or anybody could sign for it: make another.
		KeyMalformed,
		/// A key-agreement key cannot prove its possession: apply with a signing key.
		KeyCannotSign,
		/// The key was revoked or is known to be compromised: make a new one.
		KeyRevoked,
		/// The pseudonym or the UUID is not that of the key: derive it from the key that is to be certified.
		KeyMismatch,
		/// The key did not sign this request for this chain, payer and nonce: read the nonce and sign again.
		PossessionInvalid,
		/// The PKCS#10 request does not verify, or is not for this key, subject and challenge: make a new one.
		RequestInvalid,
		/// The device is unknown or not valid: enrol it first, or check the id.
		DeviceNotValid,
		/// A certificate about an organisation, its services and devices is held by it: name it as the holder.
		HolderUnfit,
		/// The payer has as many open applications as it may: wait for a decision, withdraw one, or close one that is due.
		TooManyApplications,
		/// There is no such application, or it was closed long ago: look for its certificate.
		ApplicationNotFound,
		/// The application is closed already: apply again if need be.
		ApplicationClosed,
		/// The application is not due yet: wait until its window is over.
		ApplicationNotDue,
		/// Only the payer can take the application back: ask it.
		NotPayer,
		/// Observers have begun to work on the application: wait for their decision.
		ApplicationObserved,
		/// The certificate was granted already: revoke it if it is not wanted.
		ApplicationGranted,
		/// The application waits for no observers: choose one that does.
		ApplicationNotInControl,
		/// The application is of the observer itself, of an organisation of its own, or of a member of it: leave it to others.
		OwnApplication,
		/// The window for commitments is over: take part in another application.
		CommitWindowClosed,
		/// The window for commitments is still open, and others could copy what is revealed: wait until it is over.
		RevealWindowNotOpen,
		/// The window for revealing is over: the vote does not count.
		RevealWindowClosed,
		/// An observer of the same organisation has committed itself already: it has one voice.
		OrganisationVoted,
		/// There are as many votes on the application as there may be: leave the decision to them.
		VotesFull,
		/// The sender has not committed itself on this application: commit within the first window.
		VoteNotFound,
		/// The sender has revealed its vote already: it stands.
		VoteRevealed,
		/// The commitment is not to this observation with this salt: reveal what was committed to.
		CommitmentMismatch,
		/// The account was never accredited for this: ask the consortium.
		AccreditationMissing,
		/// The accreditation is suspended or released: ask the consortium.
		AccreditationNotActive,
		/// The accreditation is released already: nothing is left to do.
		AccreditationReleased,
		/// The account counts as compromised, for ever: have another account accredited.
		AccreditationCompromised,
		/// The moment of compromise lies ahead: give the moment from which it is known or suspected, at most now.
		CompromiseInFuture,
		/// The moment of compromise can only be moved to an earlier one: give an earlier one.
		CompromiseNotEarlier,
		/// There is no such certificate: check the id, or apply.
		CertificateNotFound,
		/// The sender is not the holder of the certificate and does not act for it: ask the holder.
		NotHolder,
		/// The certificate is not valid: endorse one that is.
		CertificateNotValid,
		/// The certificate is revoked or past its validity: apply for a new one.
		CertificateEnded,
		/// The certificate is revoked already: the first reason and time stand.
		CertificateRevoked,
		/// The certificate is on hold already: release or revoke it.
		CertificateSuspended,
		/// The certificate is not on hold: nothing is left to do.
		CertificateNotSuspended,
		/// The consortium put the certificate on hold: ask it to end that.
		SuspendedByConsortium,
		/// There is no control to prove for this subject, or nothing to endorse at this level: there is nothing to renew.
		RenewalUnfit,
		/// The certificate waits for the same thing already: wait until that application is closed.
		RenewalOpen,
		/// The certificate is not any more, or not at all, what is endorsed: read it again and take its digest.
		DigestMismatch,
		/// The endorser would vouch for itself, for an organisation of its own, or for a member of it: leave it to others.
		OwnCertificate,
		/// The endorsement would be over from the start or count for longer than the policy allows: choose another end.
		ExpiryInvalid,
		/// There are as many endorsements as there may be, and all may still count: they suffice.
		EndorsementsFull,
		/// The sender has not endorsed the certificate: check the id.
		EndorsementNotFound,
		/// The endorsement is withdrawn already: the first reason and time stand.
		EndorsementWithdrawn,
		/// The policy cannot be kept: no number is zero, EV needs at least as many as OV, and lists have bounds.
		PolicyIncoherent,
		/// The fees of one application cannot be added up: choose lower ones.
		FeesTooHigh,
		/// The amount is zero: name one.
		AmountZero,
		/// The endorser has bonded less than the consortium asks for: raise the bond first.
		BondTooLow,
		/// The account has nothing on hold as a bond: there is nothing to take.
		BondMissing,
		/// The active bond is smaller than that: name at most what it is.
		BondExceeded,
		/// As many parts of the bond as there may be are on their way out: withdraw what is due, or wait until something is.
		UnbondingFull,
		/// No part of the bond is due yet: wait until the block after the one that is named for it.
		UnbondingNotDue,
		/// Two endorsements of the certificate by this endorser are in their time, and none gives way to another: endorse again
		/// when the first one has expired.
		EndorsedTwice,
	}
}
