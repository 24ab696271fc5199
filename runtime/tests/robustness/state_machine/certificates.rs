// SPDX-License-Identifier: Apache-2.0

//! Certificates: applied for, observed, endorsed, taken away; and the council, which accredits and sets rules and prices.
//!
//! What applications have in escrow is followed in [`escrows`](super::escrows).

mod attempts;
mod levels;

use super::{Actor, Attempt, motions::by_council, world::World};
use dpki_primitives::{
	Moment,
	application::{Observation, Outcome, Phase},
	assurance::{AccreditationState, Finding, Level, Quorum},
	certificate::{CertificatePolicy, CertificateRecord, Holder, Office},
	ids::{ApplicationId, CertificateId, KeyId, SubjectId},
	revocation::RevocationReason,
};
use dpki_runtime::{
	AccountId, Certificates as Pallet, Runtime, RuntimeCall, RuntimeEvent, System, Timestamp,
};
use frame_support::traits::Time;
use levels::{assessment_of_both, level, naive_level};
use pallet_certificates::{
	ApplicationVotes, Applications, Call, Certificates as Stored, Endorsements, Event,
	OpenApplications,
};
use std::collections::{BTreeMap, BTreeSet};

const DAY: Moment = 24 * 60 * 60 * 1_000;

/// Who may become observers, and who endorsers, by their numbers. Nobody becomes both.
const OBSERVERS: [usize; 4] = [4, 5, 6, 7];
pub const ENDORSERS: [usize; 4] = [8, 9, 10, 11];

/// With windows of a few blocks, so that each of them passes in the run.
const POLICY: CertificatePolicy = CertificatePolicy {
	observers: 2,
	endorsers: Quorum { ov: 1, ev: 2 },
	commit_blocks: 6,
	reveal_blocks: 8,
	endorsement_blocks: 60,
	control_lifetime: 30 * DAY,
	max_lifetime: 90 * DAY,
	max_endorsement_lifetime: 60 * DAY,
};

/// What an observer has committed itself to.
#[derive(Clone)]
struct Ballot {
	application: ApplicationId,
	person: usize,
	observation: Observation,
	salt: [u8; 32],
}

/// The windows of an application, and how many have to have seen control.
struct Control {
	reveal_until: u32,
	needed: u32,
}

#[derive(Default)]
pub struct Certificates {
	ballots: Vec<Ballot>,
	granted: Vec<CertificateId>,
	records: BTreeMap<CertificateId, CertificateRecord>,
	/// The keys that nobody may rely on ever again.
	compromised: BTreeSet<KeyId>,
	/// Which certificates each account has ever endorsed.
	endorsed: BTreeMap<AccountId, BTreeSet<CertificateId>>,
	/// The levels of what a call that takes something away could change.
	levels: BTreeMap<CertificateId, Option<Level>>,
	control: BTreeMap<ApplicationId, Control>,
	decided: BTreeMap<ApplicationId, Outcome>,
	compromised_from: BTreeMap<AccountId, Moment>,
}

/// Has the council set windows that pass in the run.
pub fn begin(world: &mut World) -> Attempt {
	by_council(world, Call::set_policy { policy: POLICY }.into())
}

/// Whether the endorser took anything back at this moment or later.
fn has_withdrawn_since(account: &AccountId, from: Moment) -> bool {
	Endorsements::<Runtime>::iter_values().flatten().any(|it| {
		AccountId::from(it.endorser) == *account && it.withdrawn.is_some_and(|(_, at)| at >= from)
	})
}

impl Certificates {
	/// What of certificates can be worth less after this call, and must not be worth more.
	fn at_stake(&self, call: &RuntimeCall) -> BTreeSet<CertificateId> {
		let endorsed_by =
			|account: &AccountId| self.endorsed.get(account).cloned().unwrap_or_default();
		let RuntimeCall::Certificates(call) = call else { return BTreeSet::new() };
		match call {
			// What it said before the compromise counts again, and from then on the moment decides.
			Call::mark_compromised { account, from, .. }
				if Pallet::accreditation(Office::Endorser, account)
					.is_some_and(|it| it.state == AccreditationState::Suspended)
					|| has_withdrawn_since(account, *from) =>
			{
				BTreeSet::new()
			},
			Call::withdraw_endorsement { certificate, .. }
			| Call::revoke { certificate, .. }
			| Call::suspend { certificate } => BTreeSet::from([*certificate]),
			Call::suspend_accreditation { office: Office::Endorser, account }
			| Call::release_accreditation { office: Office::Endorser, account }
			| Call::mark_compromised { account, .. }
			| Call::slash { account, .. } => endorsed_by(account),
			_ => BTreeSet::new(),
		}
	}

	/// Control counts as proven if so many organisations, which may act yet, have seen it.
	fn check_control(&self, application: ApplicationId) {
		let Some(control) = self.control.get(&application) else { return };
		let seen: BTreeSet<_> = ApplicationVotes::<Runtime>::get(application)
			.into_iter()
			.filter(|vote| vote.revealed == Some(Observation::Controlled))
			.filter(|vote| {
				let observer = AccountId::from(vote.observer);
				Pallet::accreditation(Office::Observer, &observer).is_some_and(|it| it.may_act())
			})
			.map(|vote| vote.organisation)
			.collect();
		assert!(seen.len() >= control.needed as usize, "{application} was granted by {seen:?}");
		assert!(System::block_number() <= control.reveal_until, "{application} was late");
	}

	fn close_application(&mut self, application: ApplicationId, outcome: Outcome) {
		let before = self.decided.insert(application, outcome);
		assert_eq!(before, None, "{application} was decided twice");
		if outcome == Outcome::TimedOut {
			let control = self.control.get(&application).expect("observers took part");
			assert!(System::block_number() > control.reveal_until, "{application} had time yet");
		}
		if outcome == Outcome::Withdrawn {
			let votes = ApplicationVotes::<Runtime>::get(application);
			assert!(votes.is_empty(), "{application} was observed, and withdrawn");
		}
	}

	/// Nothing that was granted changes or goes away; revoked stays revoked.
	fn compare(&mut self) {
		for (id, before) in &self.records {
			let after = Stored::<Runtime>::get(id).expect("certificates are never removed");
			assert!(before.revocation.is_none() || before.revocation == after.revocation);
			assert!(before.control_until <= after.control_until, "{id} was controlled longer");
			let CertificateRecord {
				ref display_name, control_until, suspension, revocation, ..
			} = after;
			let expected = CertificateRecord {
				display_name: display_name.clone(),
				control_until,
				suspension,
				revocation,
				..before.clone()
			};
			assert_eq!(expected, after);
		}
		self.records = Stored::<Runtime>::iter().collect();
		let granted: BTreeSet<_> = self.granted.iter().copied().collect();
		assert!(self.records.keys().eq(granted.iter()), "other certificates than were announced");
	}
}

impl Actor for Certificates {
	fn act(&mut self, world: &mut World) -> Attempt {
		let attempt = match world.dice.roll(64) {
			0..=9 => Some(self.apply(world)),
			10..=13 => self.renew(world),
			14 => Some(Self::withdraw(world)),
			15..=26 => Some(self.commit(world)),
			27..=37 => self.reveal(world),
			38 | 39 => Some(Self::close(world)),
			40..=46 => self.endorse(world),
			47 => self.withdraw_endorsement(world),
			48..=54 => self.change(world),
			_ => Some(Self::govern(world)),
		};
		attempt.unwrap_or_else(|| self.apply(world))
	}

	fn before(&mut self, call: &RuntimeCall) {
		self.levels = self.at_stake(call).into_iter().map(|id| (id, level(id))).collect();
	}

	fn after(&mut self, call: &RuntimeCall, is_carried_out: bool) {
		for (id, before) in std::mem::take(&mut self.levels) {
			let after = level(id);
			assert!(after <= before, "{id} rose from {before:?} to {after:?} by {call:?}");
			assert!(is_carried_out || after == before, "{id} changed without {call:?}");
		}
		if let RuntimeCall::Certificates(Call::withdraw_endorsement { certificate, .. }) = call
			&& is_carried_out
		{
			let assessment = Pallet::assessment(*certificate).expect("it was endorsed");
			let mut findings = assessment.explanations.iter().map(|it| it.finding);
			assert!(findings.any(|it| it == Finding::Withdrawn), "{certificate}");
		}
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		if let RuntimeEvent::Dpki(
			pallet_dpki::Event::KeyRevoked { key, reason: RevocationReason::KeyCompromise, .. }
			| pallet_dpki::Event::KeyCompromised { key },
		) = event
		{
			self.compromised.insert(*key);
		}
		let RuntimeEvent::Certificates(event) = event else { return };
		match event.clone() {
			Event::ApplicationOpened { application, .. } => {
				let phase = Applications::<Runtime>::get(application).map(|it| it.phase);
				if let Some(Phase::Control { reveal_until, needed, .. }) = phase {
					self.control.insert(application, Control { reveal_until, needed });
				}
			},
			Event::ApplicationClosed { application, outcome, .. } => {
				self.close_application(application, outcome);
			},
			Event::CertificateIssued { certificate, .. } => {
				self.granted.push(certificate);
				let mut observed = self.control.keys().copied();
				if let Some(id) = observed.find(|id| CertificateId::of(*id) == certificate) {
					self.check_control(id);
				}
			},
			Event::CertificateRevoked {
				certificate,
				reason: RevocationReason::KeyCompromise,
				..
			} => {
				let record = Pallet::certificate(certificate).expect("it was revoked");
				self.compromised.insert(KeyId::of(&record.key));
			},
			Event::Endorsed { certificate, endorser, .. } => {
				self.endorsed.entry(endorser).or_default().insert(certificate);
			},
			Event::AccreditationCompromised { account, from, .. } => {
				let before = self.compromised_from.insert(account, from);
				assert!(before.is_none_or(|before| from < before), "a compromise was moved later");
			},
			Event::Accredited { account, .. } => {
				assert!(!self.compromised_from.contains_key(&account), "a compromised one returns");
			},
			_ => {},
		}
	}

	fn check(&mut self) {
		self.compare();
		let now = Timestamp::now();
		let mut holders = BTreeMap::<SubjectId, Holder>::new();
		for (id, record) in &self.records {
			let status = Pallet::certificate_status(*id);
			if let Some(revocation) = record.revocation {
				assert_eq!(status.revocation(), Some(revocation), "{id} is {status:?}");
			}
			let is_compromised = self.compromised.contains(&KeyId::of(&record.key));
			assert!(!(is_compromised && status.is_valid()), "{id} has a compromised key");
			// Among all that is live, a subject has one holder.
			if record.holds_subject(status, now) {
				let first = *holders.entry(record.subject.id()).or_insert(record.holder);
				assert_eq!(first, record.holder, "{id} has a subject of somebody else");
			}
			assert_eq!(level(*id), naive_level(*id, record, status), "{id}");
			let both = assessment_of_both(*id).expect("it was granted");
			assert_eq!((both.status, both.level), (status, level(*id)), "{id}");
		}
		for id in OpenApplications::<Runtime>::iter_values() {
			let votes = ApplicationVotes::<Runtime>::get(id);
			let voices: BTreeSet<_> = votes.iter().map(|vote| vote.organisation).collect();
			assert_eq!(voices.len(), votes.len(), "an organisation has two voices on {id}");
		}
	}
}
