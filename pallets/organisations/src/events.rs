//! What happened.

use frame_support::pallet_macros::pallet_section;

/// Events of the pallet.
#[pallet_section]
mod events {
	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An organisation was created; its founder is its first member, with every role.
		OrganisationCreated {
			/// The organisation.
			organisation: OrganisationId,
			/// Its name.
			name: Name,
			/// What it is.
			kind: OrganisationKind,
			/// Who created it.
			founder: T::AccountId,
		},
		/// An account was invited to become a member.
		MemberInvited {
			/// To which organisation.
			organisation: OrganisationId,
			/// Who may accept.
			account: T::AccountId,
			/// What it may do as a member.
			roles: RoleSet,
			/// The last block in which it can accept.
			expires_at: BlockNumberFor<T>,
			/// Who invited it.
			by: Authority<T::AccountId>,
		},
		/// An account is invited no longer.
		InvitationWithdrawn {
			/// To which organisation.
			organisation: OrganisationId,
			/// Who had been invited.
			account: T::AccountId,
			/// Who withdrew the invitation, or the account itself, which declined.
			by: Authority<T::AccountId>,
		},
		/// An account accepted its invitation and became a member.
		MemberAdded {
			/// Of which organisation.
			organisation: OrganisationId,
			/// The new member.
			account: T::AccountId,
			/// What it may do.
			roles: RoleSet,
			/// Who had invited it.
			by: Authority<T::AccountId>,
		},
		/// The roles of a member changed.
		MemberRolesChanged {
			/// In which organisation.
			organisation: OrganisationId,
			/// The member.
			account: T::AccountId,
			/// What it may do from now on.
			roles: RoleSet,
			/// Who changed them.
			by: Authority<T::AccountId>,
		},
		/// An account is a member no longer.
		MemberRemoved {
			/// Of which organisation.
			organisation: OrganisationId,
			/// Who left.
			account: T::AccountId,
			/// Who removed it, possibly the account itself.
			by: Authority<T::AccountId>,
		},
		/// The policy of an organisation changed.
		PolicyChanged {
			/// Of which organisation.
			organisation: OrganisationId,
			/// The policy from now on.
			policy: DeliveryPolicy,
			/// Who changed it.
			by: Authority<T::AccountId>,
		},
		/// A member offered its membership to another account.
		HandOverOffered {
			/// In which organisation.
			organisation: OrganisationId,
			/// The member.
			from: T::AccountId,
			/// Who may accept.
			to: T::AccountId,
			/// The last block in which it may.
			expires_at: BlockNumberFor<T>,
		},
		/// A member took its offer back.
		HandOverCancelled {
			/// In which organisation.
			organisation: OrganisationId,
			/// The member.
			from: T::AccountId,
		},
		/// A membership moved to another account with all its roles.
		MembershipMoved {
			/// In which organisation.
			organisation: OrganisationId,
			/// Who was the member.
			from: T::AccountId,
			/// Who is now.
			to: T::AccountId,
			/// What it may do.
			roles: RoleSet,
		},
		/// An account is to get a seat in a body whose keys were lost, unless the body objects.
		RecoveryBegun {
			/// In which organisation.
			organisation: OrganisationId,
			/// In which body.
			body: Body,
			/// Who is to get it.
			account: T::AccountId,
			/// The first block in which it can.
			ready_at: BlockNumberFor<T>,
			/// Who decided so.
			by: Authority<T::AccountId>,
		},
		/// A recovery was called off.
		RecoveryCancelled {
			/// In which organisation.
			organisation: OrganisationId,
			/// Who did not get the seat.
			account: T::AccountId,
			/// Who objected, or thought better of it.
			by: Authority<T::AccountId>,
		},
		/// A recovery was completed.
		RecoveryCompleted {
			/// In which organisation.
			organisation: OrganisationId,
			/// Who got the seat.
			account: T::AccountId,
			/// What this account may do from now on.
			roles: RoleSet,
		},
		/// An organisation is no more; its name stays taken.
		OrganisationDissolved {
			/// Which organisation.
			organisation: OrganisationId,
			/// Who dissolved it.
			by: Authority<T::AccountId>,
		},
	}
}
