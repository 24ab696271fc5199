// SPDX-License-Identifier: Apache-2.0

//! What applications have in escrow: all of it is paid to whoever earned it or returns, once.
//!
//! The model adds up what was announced. It computes prices by the schedule alone and knows nothing of how they are held.
//! What was announced as paid is compared with what was really moved out of escrow, from whom and to whom.

use super::{Actor, Attempt, world::World};
use dpki_primitives::{
	application::Renewal,
	assurance::Level,
	certificate::Office,
	ids::{ApplicationId, OrganisationId},
};
use dpki_runtime::{
	AccountId, Balance, Balances, CouncilMembership, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason, configs::pki::ValidatorsAccount,
};
use frame_support::traits::fungible::InspectHold;
use pallet_certificates::{
	Accreditations, Applications, Call, Certificates, Event, Fees, HoldReason, LevelPrices, Policy,
	Price,
};
use pallet_economy::Feeless;
use pallet_organisations::Memberships;
use std::collections::{BTreeMap, BTreeSet};

/// What an application has to put into escrow, and for whom.
#[derive(Clone, Copy, Default)]
struct Asked {
	network: Balance,
	observation: Balance,
	/// For each endorser.
	endorsement: Balance,
	endorsers: u32,
	deposit: Balance,
}

impl Asked {
	fn total(self) -> Balance {
		self.network + self.observation + self.endorsement * Balance::from(self.endorsers)
	}
}

/// What is held for an open application.
struct Escrow {
	payer: AccountId,
	asked: Asked,
	left: Balance,
	/// The organisations that were paid for an endorsement.
	endorsed: BTreeSet<OrganisationId>,
}

#[derive(Default)]
pub struct Escrows {
	/// What an application that is tried now has to put into escrow.
	asked: Asked,
	open: BTreeMap<ApplicationId, Escrow>,
	closed: BTreeSet<ApplicationId>,
	/// Whoever paid for an application.
	payers: BTreeSet<AccountId>,
	/// What was announced as paid, by payer and recipient.
	paid: BTreeMap<(AccountId, AccountId), Balance>,
	/// What was moved out of escrow, from one account to another.
	moved: BTreeMap<(AccountId, AccountId), Balance>,
}

fn price(prices: LevelPrices<Balance>, level: Level) -> Price<Balance> {
	match level {
		Level::Dv => prices.dv,
		Level::Ov => prices.ov,
		Level::Ev => prices.ev,
	}
}

/// Whether the chain is feeless for this account: a trustee, or a member of an organisation.
fn is_free(payer: &AccountId) -> bool {
	Feeless::<Runtime>::get()
		&& (CouncilMembership::members().contains(payer)
			|| Memberships::<Runtime>::iter_key_prefix(payer).next().is_some())
}

/// What the schedule asks for; nothing for any other call.
fn asked_for(call: &RuntimeCall) -> Asked {
	let (fees, quorum) = (Fees::<Runtime>::get(), Policy::<Runtime>::get().endorsers);
	let (price, is_observed, endorsers) = match call {
		RuntimeCall::Certificates(Call::apply { request, .. }) => {
			let (level, subject) = (request.level, &request.subject);
			(price(fees.issue, level), subject.needs_control_proof(), quorum.needed(level))
		},
		RuntimeCall::Certificates(Call::renew { certificate, renewal }) => {
			let Some(record) = Certificates::<Runtime>::get(certificate) else {
				return Asked::default();
			};
			let level = record.requested;
			match renewal {
				Renewal::Control => (price(fees.control, level), true, 0),
				Renewal::Endorsement => {
					(price(fees.endorsement, level), false, quorum.needed(level))
				},
			}
		},
		_ => return Asked::default(),
	};
	if fees.feeless {
		return Asked::default();
	}
	Asked {
		network: price.network,
		observation: if is_observed { price.observation } else { 0 },
		endorsement: price.endorsement,
		endorsers,
		deposit: fees.deposit,
	}
}

impl Actor for Escrows {
	fn act(&mut self, _: &mut World) -> Attempt {
		unreachable!("it has no share")
	}

	fn before(&mut self, call: &RuntimeCall) {
		self.asked = asked_for(call);
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		if let RuntimeEvent::Balances(pallet_balances::Event::TransferOnHold {
			reason: RuntimeHoldReason::Certificates(HoldReason::Escrow),
			source,
			dest,
			amount,
		}) = event
		{
			*self.moved.entry((source.clone(), dest.clone())).or_default() += amount;
		}
		let RuntimeEvent::Certificates(event) = event else { return };
		match event.clone() {
			Event::ApplicationOpened { application, payer, .. } => {
				let asked = if is_free(&payer) { Asked::default() } else { self.asked };
				self.payers.insert(payer.clone());
				let escrow =
					Escrow { payer, asked, left: asked.total(), endorsed: BTreeSet::new() };
				assert!(self.open.insert(application, escrow).is_none(), "{application} again");
			},
			Event::FeePaid { application, recipient, amount } => {
				let escrow = self.open.get_mut(&application).expect("only open ones pay");
				assert_ne!(escrow.payer, recipient, "{application} pays its payer");
				escrow.left = escrow.left.checked_sub(amount).expect("it pays what it has");
				*self.paid.entry((escrow.payer.clone(), recipient.clone())).or_default() += amount;
				if recipient == ValidatorsAccount::get() {
					assert_eq!(amount, escrow.asked.network, "{application} pays validators");
				}
				// Observers are no endorsers here, so this was paid for an endorsement.
				if let Some(it) = Accreditations::<Runtime>::get(Office::Endorser, &recipient) {
					let is_first = escrow.endorsed.insert(it.organisation);
					assert!(is_first, "{application} pays {} twice", it.organisation);
					assert_eq!(amount, escrow.asked.endorsement, "{application} pays {recipient}");
				}
			},
			Event::ApplicationClosed { application, returned, .. } => {
				let Escrow { payer, left, .. } =
					self.open.remove(&application).expect("it was open");
				assert!(self.closed.insert(application), "{application} ends twice");
				// What somebody earns from an application of its own has returned without being announced.
				let may_earn = [Office::Observer, Office::Endorser]
					.into_iter()
					.any(|office| Accreditations::<Runtime>::contains_key(office, &payer));
				assert!(returned == left || (may_earn && returned < left), "{application}");
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		for (application, escrow) in &self.open {
			assert!(Applications::<Runtime>::contains_key(application));
			let stored = pallet_certificates::Escrows::<Runtime>::get(application);
			let stored = stored.expect("it is open");
			assert_eq!(stored.deposit, escrow.asked.deposit);
		}
		assert_eq!(self.paid, self.moved, "other amounts were paid than were announced");
		for payer in &self.payers {
			let own = || self.open.values().filter(|it| it.payer == *payer);
			let held =
				|reason| Balances::balance_on_hold(&RuntimeHoldReason::Certificates(reason), payer);
			let deposits: Balance = own().map(|it| it.asked.deposit).sum();
			assert_eq!(held(HoldReason::ApplicationDeposit), deposits, "{payer}");
			let left: Balance = own().map(|it| it.left).sum();
			let is_own_endorser = Accreditations::<Runtime>::contains_key(Office::Endorser, payer);
			let escrow = held(HoldReason::Escrow);
			assert!(escrow == left || (is_own_endorser && escrow < left), "{payer}");
		}
	}
}
