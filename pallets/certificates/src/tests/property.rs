//! Random calls in a random order, and what has to hold after every one of them.
//!
//! The model beside the chain is as naive as can be: it adds up payments by the events, remembers what it saw revoked,
//! and computes levels and holders by looking at everything. It leaves out whether a call should have been refused; the
//! tests of each concept say that.

use super::mock::*;
use crate::{Applications, Certificates as Stored, Endorsements, Policy};
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, Observation, Phase, Renewal, commitment},
	assurance::{AccreditationState, Level, WithdrawalReason},
	bond::SlashReason,
	certificate::{CertificatePolicy, Holder, Office},
	ids::{ApplicationId, CertificateId, KeyId, OrganisationId, SubjectId},
	revocation::{Revocation, RevocationReason},
	status::Status,
	subject::{Subject, uuid_of_key},
};
use frame_support::{assert_ok, traits::Time};
use sp_runtime::{AccountId32, traits::Dispatchable};
use std::collections::{BTreeMap, BTreeSet};

/// SplitMix64: small, deterministic, and good enough to choose by.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound as u64) as usize
	}

	fn pick<Item: Clone>(&mut self, items: &[Item]) -> Item {
		items[self.below(items.len())].clone()
	}
}

fn everyone() -> Vec<AccountId32> {
	[ALICE, BOB, REGISTRAR, ADMIN, VALIDATORS]
		.into_iter()
		.chain((0..6).flat_map(|n| [observer(n), endorser(n)]))
		.collect()
}

fn now() -> Moment {
	<super::doubles::TestTime as Time>::now()
}

/// What the model knows.
struct Model {
	random: Random,
	wealth: BTreeMap<AccountId32, u64>,
	revoked: BTreeMap<CertificateId, Revocation>,
	applications: Vec<ApplicationId>,
	votes: BTreeMap<(ApplicationId, u8), Observation>,
	paid: BTreeSet<(ApplicationId, OrganisationId)>,
	succeeded: BTreeMap<&'static str, u32>,
}

impl Model {
	fn new(seed: u64) -> Self {
		Self {
			random: Random(seed),
			wealth: everyone().into_iter().map(|who| (who.clone(), wealth(&who))).collect(),
			revoked: BTreeMap::new(),
			applications: Vec::new(),
			votes: BTreeMap::new(),
			paid: BTreeSet::new(),
			succeeded: BTreeMap::new(),
		}
	}

	/// Dispatches a call as a block would, and takes note of the payments.
	fn dispatch(
		&mut self,
		origin: RuntimeOrigin,
		name: &'static str,
		call: crate::Call<Test>,
	) -> bool {
		let done = RuntimeCall::Certificates(call).dispatch(origin).is_ok();
		if done {
			*self.succeeded.entry(name).or_default() += 1;
		}
		for event in events() {
			match event {
				Event::FeePaid { application, recipient, amount } => {
					let payer = Applications::<Test>::get(application).unwrap().payer.into();
					*self.wealth.get_mut(&payer).unwrap() -= amount;
					*self.wealth.get_mut(&recipient).unwrap() += amount;
					// An organisation is paid once for an endorsement, whichever of its accounts gives it.
					if let Some(it) = Certificates::accreditation(Office::Endorser, &recipient) {
						assert!(self.paid.insert((application, it.organisation)));
					}
				},
				Event::ApplicationOpened { application, .. } => {
					self.applications.push(application);
				},
				// What is slashed is burnt.
				Event::BondSlashed { account, amount, .. } => {
					*self.wealth.get_mut(&account).unwrap() -= amount;
				},
				Event::ControlRenewed { .. } => *self.succeeded.entry("control").or_default() += 1,
				Event::CertificateIssued { .. } => *self.succeeded.entry("issue").or_default() += 1,
				_ => {},
			}
		}
		done
	}

	/// Mostly an open application, sometimes any.
	fn application(&mut self) -> ApplicationId {
		let open = crate::OpenCount::<Test>::get();
		if open > 0 && self.random.below(8) > 0 {
			let position = self.random.below(open as usize) as u32;
			return crate::OpenApplications::<Test>::get(position).unwrap();
		}
		match self.applications.is_empty() {
			true => ApplicationId([0; 32]),
			false => self.random.pick(&self.applications.clone()),
		}
	}

	/// An application on which nobody can vote any more.
	fn overdue(&self) -> Option<ApplicationId> {
		let is_overdue = |id: &ApplicationId| match Applications::<Test>::get(id).unwrap().phase {
			Phase::Control { reveal_until, .. } => System::block_number() > reveal_until,
			_ => false,
		};
		crate::OpenApplications::<Test>::iter_values().find(is_overdue)
	}

	/// Mostly one of the certificates that were granted last: something can still happen to them.
	fn certificate(&mut self) -> CertificateId {
		let granted: Vec<_> = self
			.applications
			.iter()
			.map(|id| CertificateId::of(*id))
			.filter(|id| Stored::<Test>::contains_key(id))
			.collect();
		let recent = granted.len().saturating_sub(8);
		match granted.is_empty() {
			true => CertificateId([0; 32]),
			false if self.random.below(5) == 0 => self.random.pick(&granted),
			false => self.random.pick(&granted[recent..]),
		}
	}

	fn step(&mut self) {
		match self.random.below(100) {
			0..9 => self.apply(),
			9..18 => {
				let certificate = self.certificate();
				let who = self.holder_of(certificate);
				let is_named = Stored::<Test>::get(certificate)
					.is_some_and(|it| it.subject.needs_control_proof());
				let renewal = match is_named && self.random.below(6) > 0 {
					true => Renewal::Control,
					false => Renewal::Endorsement,
				};
				self.dispatch(signed(who), "renew", crate::Call::renew { certificate, renewal });
			},
			18..20 => {
				let (application, who) = (self.application(), self.random.pick(&[ALICE, BOB]));
				let call = crate::Call::withdraw_application { application };
				self.dispatch(signed(who), "withdraw_application", call);
			},
			20..44 => self.commit(),
			44..60 => self.reveal(),
			60..62 => {
				let application = self.overdue().unwrap_or_else(|| self.application());
				self.dispatch(signed(BOB), "close", crate::Call::close { application });
			},
			62..73 => self.endorse(),
			73..75 => {
				let (n, certificate) = (self.random.below(6) as u8, self.certificate());
				let reason = WithdrawalReason::FactsChanged;
				let call = crate::Call::withdraw_endorsement { certificate, reason };
				self.dispatch(signed(endorser(n)), "withdraw_endorsement", call);
			},
			75..80 => self.end(),
			80..85 => self.govern(),
			85..88 => self.move_bond(),
			88..95 => {
				skip(1 + self.random.below(6) as u32);
				set_time(now() + self.random.next() % (DAY / 4));
			},
			95 => set_time(now() + self.random.next() % (20 * DAY)),
			_ => idle(),
		}
	}

	/// Mostly who may act on the certificate.
	fn holder_of(&mut self, certificate: CertificateId) -> AccountId32 {
		match Stored::<Test>::get(certificate).map(|it| it.holder) {
			Some(Holder::Account(account)) if self.random.below(5) > 0 => account.into(),
			Some(Holder::Organisation(_)) => ADMIN,
			_ => self.random.pick(&[ALICE, BOB, REGISTRAR]),
		}
	}

	fn apply(&mut self) {
		let seed = 1 + self.random.below(250) as u8;
		let key = KeyId::of(&public(seed));
		let n = self.random.below(6);
		let subject = match self.random.below(8) {
			0..4 => dns(&format!("n{n}.example")),
			4 => Subject::Pseudonym(key),
			5 => Subject::Uuid(uuid_of_key(key)),
			6 => Subject::Person([n as u8; 32]),
			_ => Subject::Organisation(acme()),
		};
		let payer = match subject {
			Subject::Organisation(_) => ADMIN,
			_ => self.random.pick(&[ALICE, BOB]),
		};
		let holder = match subject {
			Subject::Organisation(_) => Holder::Organisation(acme()),
			_ => account_holder(payer.clone()),
		};
		let level = self.random.pick(&Level::ALL);
		let not_after = now() + DAY + self.random.next() % (POLICY.max_lifetime - DAY);
		let request = CertificateRequest { holder, not_after, ..request(subject, level, seed) };
		let expires_at = now() + 1_000;
		let nonce = crate::ApplicationNonce::<Test>::get(&payer);
		let possession = possession_with(&payer, &request, seed, nonce, expires_at);
		let call = crate::Call::apply { request, possession, expires_at };
		self.dispatch(signed(payer), "apply", call);
	}

	fn commit(&mut self) {
		let n = self.random.below(6) as u8;
		let pending = Certificates::pending_observations(observer(n), 0).items;
		let application = match pending.is_empty() {
			true => self.application(),
			false => self.random.pick(&pending),
		};
		let observation = match self.random.below(8) {
			0 => Observation::NotControlled,
			_ => Observation::Controlled,
		};
		let commitment = commitment(application, &observer(n).into(), observation, &SALT);
		let call = crate::Call::commit { application, commitment };
		if self.dispatch(signed(observer(n)), "commit", call) {
			self.votes.insert((application, n), observation);
		}
	}

	/// Mostly a vote whose time has come.
	fn reveal(&mut self) {
		self.votes
			.retain(|(id, _), _| Applications::<Test>::contains_key(id) && outcome(*id).is_none());
		let all: Vec<_> = self.votes.keys().copied().collect();
		let due = |(id, _): &(ApplicationId, u8)| match Applications::<Test>::get(id).unwrap().phase
		{
			Phase::Control { commit_until, reveal_until, .. } => {
				(commit_until + 1..=reveal_until).contains(&System::block_number())
			},
			_ => false,
		};
		let due: Vec<_> = all.iter().copied().filter(due).collect();
		let from = if due.is_empty() { all } else { due };
		if from.is_empty() {
			return;
		}
		let (application, n) = self.random.pick(&from);
		let observation = self.votes[&(application, n)];
		let call = crate::Call::reveal { application, observation, salt: SALT };
		if self.dispatch(signed(observer(n)), "reveal", call) {
			self.votes.remove(&(application, n));
		}
	}

	fn endorse(&mut self) {
		let (n, certificate) = (self.random.below(6) as u8, self.certificate());
		let Some(record) = Stored::<Test>::get(certificate) else { return };
		let call = crate::Call::endorse {
			certificate,
			level: self.random.pick(&[Level::Ov, Level::Ev, record.requested]),
			digest: record.digest(certificate),
			evidence: None,
			expires_at: now() + 1 + self.random.next() % POLICY.max_endorsement_lifetime,
		};
		self.dispatch(signed(endorser(n)), "endorse", call);
	}

	/// Holds, revocations and amendments, by the holder or the consortium.
	fn end(&mut self) {
		let certificate = self.certificate();
		let origin = match self.random.below(3) {
			0 => root(),
			_ => signed(self.holder_of(certificate)),
		};
		match self.random.below(8) {
			0 => {
				let reason = self.random.pick(&RevocationReason::ALL);
				let call = crate::Call::revoke { certificate, reason };
				self.dispatch(origin, "revoke", call);
			},
			1 | 2 => {
				self.dispatch(origin, "suspend", crate::Call::suspend { certificate });
			},
			3..6 => {
				self.dispatch(origin, "release", crate::Call::release { certificate });
			},
			_ => {
				let name = self.random.pick(&["Acme", "Acme & Söhne"]);
				let display_name = Some(name.as_bytes().to_vec().try_into().unwrap());
				let call = crate::Call::amend { certificate, display_name };
				self.dispatch(origin, "amend", call);
			},
		}
	}

	/// An endorser raises its bond, takes a part of it out, or withdraws what is due; or it is slashed.
	fn move_bond(&mut self) {
		let n = self.random.below(6) as u8;
		let (who, amount) = (signed(endorser(n)), 1 + self.random.next() % 40);
		match self.random.below(9) {
			0..4 => {
				self.dispatch(who, "bond", crate::Call::bond { amount });
			},
			4 | 5 => {
				self.dispatch(who, "unbond", crate::Call::unbond { amount });
			},
			6 | 7 => {
				self.dispatch(who, "withdraw_bond", crate::Call::withdraw_bond {});
			},
			_ => {
				let reason = self.random.pick(&SlashReason::ALL);
				let (account, evidence) = (endorser(n), [n; 32]);
				let call = crate::Call::slash { account, amount, reason, evidence };
				self.dispatch(root(), "slash", call);
			},
		}
	}

	/// What the consortium does: it gives offices more often than it takes them, so that they do not run out.
	fn govern(&mut self) {
		let n = self.random.below(6) as u8;
		let office = self.random.pick(&[Office::Observer, Office::Endorser]);
		let account = match office {
			Office::Observer => observer(n),
			Office::Endorser => endorser(n),
		};
		match self.random.below(12) {
			0 => {
				let call = crate::Call::suspend_accreditation { office, account };
				self.dispatch(root(), "suspend_accreditation", call);
			},
			1 => {
				let call = crate::Call::release_accreditation { office, account };
				self.dispatch(root(), "release_accreditation", call);
			},
			2 if office == Office::Endorser && n == 5 => {
				let from = now() - self.random.next() % (30 * DAY);
				let call = crate::Call::mark_compromised { office, account, from };
				self.dispatch(root(), "mark_compromised", call);
			},
			3 => {
				let fees = crate::FeeSchedule { feeless: self.random.below(3) == 0, ..FEES };
				self.dispatch(root(), "set_fees", crate::Call::set_fees { fees });
			},
			4 => {
				let minimum = self.random.pick(&[0, 0, 20]);
				self.dispatch(
					root(),
					"set_minimum_bond",
					crate::Call::set_minimum_bond { minimum },
				);
				let mut policy = CertificatePolicy { observers: 1, ..POLICY };
				policy.observers += self.random.below(3) as u32;
				policy.endorsers.ov = 1 + self.random.below(2) as u32;
				policy.endorsers.ev = 2 + self.random.below(3) as u32;
				self.dispatch(root(), "set_policy", crate::Call::set_policy { policy });
			},
			_ => {
				let other = self.random.below(6) as u8;
				let (organisation, level) = match office {
					Office::Observer => (observer_organisation(n), Level::Dv),
					Office::Endorser if other == 0 => (endorser_organisation(0), Level::Ev),
					Office::Endorser => {
						(endorser_organisation(n), self.random.pick(&[Level::Ov, Level::Ev]))
					},
				};
				let call = crate::Call::accredit { office, account, organisation, level };
				self.dispatch(root(), "accredit", call);
			},
		}
	}

	/// Nothing is made or lost, and nobody has more or less than the payments say.
	fn check_conservation(&self) {
		let total: u64 = everyone().iter().map(wealth).sum();
		assert_eq!(total, self.wealth.values().sum::<u64>());
		for (who, expected) in &self.wealth {
			assert_eq!(wealth(who), *expected, "{who}");
		}
	}

	fn check_certificates(&mut self) {
		let mut holders = BTreeMap::<SubjectId, BTreeSet<Holder>>::new();
		for (id, record) in Stored::<Test>::iter() {
			let status = Certificates::certificate_status(id);
			// Uniqueness: among all that is live, a subject has one holder.
			if record.holds_subject(status, now()) {
				holders.entry(record.subject.id()).or_default().insert(record.holder);
			}
			// Revoked stays revoked, with its reason and time.
			if let Some(revocation) = record.revocation {
				let first = *self.revoked.entry(id).or_insert(revocation);
				assert_eq!(revocation, first);
				assert_eq!(status, Status::Revoked(first));
			}
			assert_eq!(level(id), naive_level(id, status), "{id}");
		}
		assert!(holders.values().all(|holders| holders.len() == 1));
		assert!(self.revoked.keys().all(Stored::<Test>::contains_key));
	}
}

/// The effective level by counting, for each level, the organisations that have any endorsement that counts.
fn naive_level(id: CertificateId, status: Status) -> Option<Level> {
	if !status.is_valid() {
		return None;
	}
	let record = Stored::<Test>::get(id).unwrap();
	let quorum = Policy::<Test>::get().endorsers;
	let organisations = |level: Level| {
		let mut found = BTreeSet::new();
		for it in Endorsements::<Test>::get(id) {
			let account = AccountId32::from(it.endorser);
			let Some(who) = Certificates::accreditation(Office::Endorser, &account) else {
				continue;
			};
			let is_compromised = |at| who.compromised_from.is_some_and(|from| at >= from);
			let good = it.withdrawn.is_none_or(|(_, at)| is_compromised(at))
				&& it.digest == record.digest(id)
				&& it.expires_at >= now()
				&& who.state == AccreditationState::Active
				&& who.level >= it.level
				&& who.compromised_from.is_none_or(|from| it.endorsed_at < from)
				&& record.holder != Holder::Organisation(who.organisation);
			if good && it.level >= level {
				found.insert(who.organisation);
			}
		}
		found.len() as u32
	};
	let mut reached = Level::Dv;
	if organisations(Level::Ov) >= quorum.ov {
		reached = Level::Ov;
		if organisations(Level::Ev) >= quorum.ev {
			reached = Level::Ev;
		}
	}
	Some(reached.min(record.requested))
}

/// Ends everything that is open, after which nothing may be on hold.
fn wind_up(model: &mut Model) {
	skip(1_000);
	for n in 0..6 {
		model.dispatch(signed(endorser(n)), "withdraw_bond", crate::Call::withdraw_bond {});
		let bond = crate::Bonds::<Test>::get(endorser(n)).unwrap_or_default();
		assert!(bond.unbonding.is_empty(), "all of it was due");
		assert_eq!(held(crate::HoldReason::EndorserBond, &endorser(n)), bond.active);
	}
	for application in crate::OpenApplications::<Test>::iter_values().collect::<Vec<_>>() {
		let call = crate::Call::close { application };
		assert!(model.dispatch(signed(BOB), "close", call));
	}
	for who in everyone() {
		assert_eq!(held(crate::HoldReason::Escrow, &who), 0);
		assert_eq!(held(crate::HoldReason::ApplicationDeposit, &who), 0);
	}
}

fn play(seed: u64, steps: u32) -> BTreeMap<&'static str, u32> {
	new_test_ext().execute_with(|| {
		for n in 0..6 {
			assert_ok!(Balances::force_set_balance(root(), endorser(n), 1_000));
		}
		let mut model = Model::new(seed);
		for step in 0..steps {
			model.step();
			model.check_conservation();
			if step % 50 == 0 {
				model.check_certificates();
				assert_ok!(Certificates::do_try_state());
			}
		}
		wind_up(&mut model);
		model.check_conservation();
		model.check_certificates();
		assert_ok!(Certificates::do_try_state());
		model.succeeded
	})
}

#[test]
fn ten_thousand_random_calls_keep_every_invariant() {
	let mut succeeded = BTreeMap::<&str, u32>::new();
	for seed in 0..4 {
		for (call, count) in play(seed, 2_500) {
			*succeeded.entry(call).or_default() += count;
		}
	}
	// A test of refusals only would prove nothing.
	for call in [
		"apply",
		"renew",
		"withdraw_application",
		"commit",
		"reveal",
		"close",
		"endorse",
		"withdraw_endorsement",
		"amend",
		"revoke",
		"suspend",
		"release",
		"accredit",
		"suspend_accreditation",
		"release_accreditation",
		"mark_compromised",
		"set_policy",
		"set_fees",
		"bond",
		"unbond",
		"withdraw_bond",
		"slash",
		"set_minimum_bond",
		"control",
		"issue",
	] {
		assert!(succeeded.get(call).is_some_and(|count| *count > 0), "{call}: {succeeded:?}");
	}
}
