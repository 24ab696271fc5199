//! Conflicts of interest: for whom an observer or endorser does not act.
//!
//! Which organisation controls an account is what the council wrote down when it accredited it; of which ones it is a member it
//! has itself agreed to. Both count, and so does who is a member of the organisation that controls it. All of it is judged when
//! somebody acts: who joins later takes nothing back. What else binds accounts to each other the chain does not know.

use crate::{Config, Pallet};
use dpki_primitives::{
	application::ApplicationRecord, assurance::Accreditation, certificate::Holder,
	organisation::Organisations,
};

/// For whom somebody is to act.
#[derive(Clone, Copy)]
pub(crate) struct Parties {
	/// Whose certificate it is.
	pub holder: Option<Holder>,
	/// Who pays for it, while somebody does.
	pub payer: Option<[u8; 32]>,
}

impl Parties {
	/// The holder of a certificate, and the payer of the application that is open for it.
	pub fn new(holder: Option<Holder>, application: Option<&ApplicationRecord>) -> Self {
		Self { holder, payer: application.map(|it| it.payer) }
	}
}

impl<T: Config> Pallet<T> {
	/// Whether the account, which this accreditation lets act, would act for itself or its own. Two memberships are looked
	/// up at most.
	pub(crate) fn is_own(
		account: &T::AccountId,
		accreditation: &Accreditation,
		Parties { holder, payer }: Parties,
	) -> bool {
		let controlling = accreditation.organisation;
		let is_near = |other: [u8; 32]| {
			let other = T::AccountId::from(other);
			other == *account || T::Organisations::is_member(controlling, &other)
		};
		let holds = match holder {
			None => false,
			Some(Holder::Account(holder)) => is_near(holder),
			Some(Holder::Organisation(holder)) => {
				holder == controlling || T::Organisations::is_member(holder, account)
			},
		};
		holds || payer.is_some_and(is_near)
	}
}
