//! Why a call was refused.

use frame_support::pallet_macros::pallet_section;

/// Errors of the pallet.
#[pallet_section]
mod errors {
	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The name does not follow `dpki_primitives::ids::is_valid_name`: choose 1 to 63 of `a-z`, `0-9`, `-`, `.`,
		/// with a letter or digit at both ends.
		NameInvalid,
		/// An organisation of this name exists: choose another one, or ask its administrator to be made a member.
		NameTaken,
		/// The signer is not an administrator of this organisation, or there is no such organisation: check the id,
		/// or ask an administrator.
		RoleMissing,
		/// The set of roles is empty: name at least one role, or call `remove_member`.
		RolesEmpty,
		/// The account is neither a member of this organisation nor invited to it: check the account.
		MemberUnknown,
		/// The organisation has as many members as it can: remove one first.
		MemberLimitReached,
		/// Nobody could change the members any more: make another member an administrator first.
		LastAdministratorNeeded,
		/// An organisation of this name was dissolved, and names never come back: choose another one.
		NameRetired,
		/// The organisation's policy wants this to be voted on: propose it as a motion to its administrators (policy
		/// `MultiAdmin`) or to its watchdogs (policy `Watchdogs`).
		VoteNeeded,
		/// The organisation has, or would have, fewer administrators or watchdogs than its policy needs: appoint some
		/// first, or choose another policy.
		PolicyNotMet,
		/// The organisation has as many administrators, or watchdogs, as it can: take the role from one first.
		SeatLimitReached,
		/// The account is a member already: choose an account of its own for each membership.
		MemberExists,
		/// This member has not offered its membership, or not to the signer: ask for the offer.
		HandOverUnknown,
		/// The offer has expired: ask for another one.
		HandOverExpired,
		/// A recovery of this organisation is pending: complete it, or call it off first.
		RecoveryPending,
		/// No recovery of this organisation is pending.
		RecoveryUnknown,
		/// The time for objections is not over: wait for the block that the recovery names.
		RecoveryNotReady,
		/// This body has no say in this organisation, or there is no such organisation: check the id and the policy.
		BodyWithoutSay,
		/// The account has a seat in this body already.
		SeatTaken,
		/// The organisation still has more than one member, or has invited somebody: remove all others first.
		MembersLeft,
		/// Anchors, devices or something else were registered for this organisation, and refer to it for ever.
		BelongingsLeft,
		/// The account is not invited to this organisation: ask an administrator for an invitation.
		InvitationUnknown,
		/// The invitation has expired: ask for another one.
		InvitationExpired,
		/// Who gave the invitation could not give these roles any more: ask for another one.
		InvitationVoid,
		/// As many invitations to this organisation are pending as can be: withdraw one, or wait until one has expired.
		InvitationLimitReached,
		/// The seat is for another account: complete the recovery with the account that the recovery names.
		RecoveryForAnother,
	}
}
