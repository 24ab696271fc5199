//! What happened.

use frame_support::pallet_macros::pallet_section;

/// Events of the pallet.
#[pallet_section]
mod events {
	/// What changed.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An application was made.
		ApplicationOpened {
			/// Which application.
			application: ApplicationId,
			/// Who pays.
			payer: T::AccountId,
			/// The certificate that it is, or will be, about.
			certificate: CertificateId,
			/// What the certificate is about.
			subject: SubjectId,
		},
		/// An application ended, and what nobody had earned was returned.
		ApplicationClosed {
			/// Which application.
			application: ApplicationId,
			/// How.
			outcome: Outcome,
			/// How much of the escrow was returned.
			returned: BalanceOf<T>,
		},
		/// An observer committed itself.
		VoteCommitted {
			/// On which application.
			application: ApplicationId,
			/// Who.
			observer: T::AccountId,
			/// For which organisation.
			organisation: OrganisationId,
		},
		/// An observer told what it saw.
		VoteRevealed {
			/// On which application.
			application: ApplicationId,
			/// Who.
			observer: T::AccountId,
			/// What.
			observation: Observation,
		},
		/// Somebody was paid out of the escrow of an application.
		FeePaid {
			/// Which application.
			application: ApplicationId,
			/// Who.
			recipient: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A certificate was granted.
		CertificateIssued {
			/// Which certificate.
			certificate: CertificateId,
			/// What it is about.
			subject: SubjectId,
			/// Whose it is.
			holder: Holder,
			/// The level that was requested.
			requested: Level,
			/// The key that is certified.
			key: KeyId,
		},
		/// Control of the subject was proven again.
		ControlRenewed {
			/// Of which certificate.
			certificate: CertificateId,
			/// Last moment for which it counts.
			control_until: Moment,
		},
		/// The display name of a certificate was changed.
		CertificateAmended {
			/// Which certificate.
			certificate: CertificateId,
			/// What endorsers have to attest from now on.
			digest: CertificateDigest,
		},
		/// A certificate was revoked.
		CertificateRevoked {
			/// Which certificate.
			certificate: CertificateId,
			/// By whom.
			by: Authority,
			/// Why.
			reason: RevocationReason,
		},
		/// A certificate was put on hold.
		CertificateSuspended {
			/// Which certificate.
			certificate: CertificateId,
			/// By whom.
			by: Authority,
		},
		/// The hold of a certificate was ended.
		CertificateReleased {
			/// Which certificate.
			certificate: CertificateId,
			/// By whom.
			by: Authority,
		},
		/// A certificate was endorsed.
		Endorsed {
			/// Which certificate.
			certificate: CertificateId,
			/// By whom.
			endorser: T::AccountId,
			/// At which level.
			level: Level,
			/// Last moment at which it counts.
			expires_at: Moment,
		},
		/// An endorsement was taken back.
		EndorsementWithdrawn {
			/// Of which certificate.
			certificate: CertificateId,
			/// By whom.
			endorser: T::AccountId,
			/// Why.
			reason: WithdrawalReason,
		},
		/// Somebody was accredited, or its accreditation was changed or put in force again.
		Accredited {
			/// As what.
			office: Office,
			/// Who.
			account: T::AccountId,
			/// Who controls it.
			organisation: OrganisationId,
			/// Up to which level.
			level: Level,
		},
		/// An accreditation was suspended.
		AccreditationSuspended {
			/// As what.
			office: Office,
			/// Who.
			account: T::AccountId,
		},
		/// An accreditation ended.
		AccreditationReleased {
			/// As what.
			office: Office,
			/// Who.
			account: T::AccountId,
		},
		/// An observer or endorser counts as compromised.
		AccreditationCompromised {
			/// As what.
			office: Office,
			/// Who.
			account: T::AccountId,
			/// From when on.
			from: Moment,
		},
		/// A bond was raised.
		Bonded {
			/// Whose.
			account: T::AccountId,
			/// By how much.
			amount: BalanceOf<T>,
			/// What is active of it now.
			active: BalanceOf<T>,
		},
		/// A part of a bond is on its way out.
		UnbondingBegun {
			/// Whose.
			account: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
			/// Last block at which it can be slashed.
			until: BlockHeight,
		},
		/// What was due of a bond was returned.
		BondWithdrawn {
			/// To whom.
			account: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A bond was slashed.
		BondSlashed {
			/// Whose.
			account: T::AccountId,
			/// The number of the record.
			index: u32,
			/// How much was burnt.
			amount: BalanceOf<T>,
			/// Why.
			reason: SlashReason,
		},
		/// The least bond of an endorser was set.
		MinimumBondSet {
			/// What holds from now on.
			minimum: BalanceOf<T>,
		},
		/// The policy was set.
		PolicySet {
			/// What holds from now on.
			policy: CertificatePolicy,
		},
		/// The fees were set.
		FeesSet {
			/// Whether nothing is to be paid at all.
			feeless: bool,
		},
	}
}
