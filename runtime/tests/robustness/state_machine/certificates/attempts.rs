// SPDX-License-Identifier: Apache-2.0

//! What people, observers, endorsers and the council try.

use super::{Ballot, Certificates, DAY, ENDORSERS, OBSERVERS, POLICY};
use crate::state_machine::{
	Attempt,
	motions::by_council,
	registry::{raw, some_device, some_reason},
	world::{ORGANISATIONS, World},
};
use dpki_primitives::{
	application::{CertificateRequest, Observation, Phase, Possession, Renewal, commitment},
	assurance::{Level, WithdrawalReason},
	certificate::{CertificateRecord, Holder, Office},
	context::Action,
	ids::{ApplicationId, CertificateId, KeyId, OrganisationId},
	organisation::Role,
	subject::{Subject, uuid_of_key},
};
use dpki_runtime::{
	Balance, Certificates as Pallet, Runtime, System, Timestamp, configs::pki::DEFAULT_FEES,
};
use frame_support::traits::Time;
use pallet_certificates::{
	Accreditations, ApplicationNonce, ApplicationVotes, Applications, Call, FeeSchedule,
	OpenApplications,
};

fn organisation_of(person: usize) -> OrganisationId {
	OrganisationId::from_name(ORGANISATIONS[person % ORGANISATIONS.len()].as_bytes())
}

fn some_subject(world: &mut World, key: KeyId) -> (Subject, Holder, usize) {
	let person = world.dice.roll(world.people() as u64 + 1) as usize;
	let own = Holder::Account(raw(world.account(person)));
	let organisation = world.some_organisation();
	let by = |world: &mut World, subject, organisation, role| {
		let holder = match world.dice.roll(15) {
			0 => own,
			_ => Holder::Organisation(organisation),
		};
		(subject, holder, world.holder(organisation, role))
	};
	match world.dice.roll(16) {
		0..=4 => {
			let name = format!("host-{}.example", world.dice.roll(12));
			let subject = Subject::Dns(name.into_bytes().try_into().expect("it is short"));
			if world.dice.once_in(3) {
				return by(world, subject, organisation, Role::Registrar);
			}
			(subject, own, person)
		},
		5 => {
			let address = [if world.dice.once_in(6) { 10 } else { 9 }, 9, 9, person as u8];
			(Subject::Ipv4(address), own, person)
		},
		6 => (Subject::Pseudonym(key), own, person),
		7 => (Subject::Uuid(uuid_of_key(key)), own, person),
		8 | 9 => (Subject::Person(world.fresh_bytes()), own, person),
		10..=12 => {
			let subject = Subject::Organisation(organisation);
			by(world, subject, organisation, Role::Administrator)
		},
		13 | 14 => {
			let name = format!("service-{}", world.dice.roll(6)).into_bytes();
			let name = name.try_into().expect("it is short");
			by(world, Subject::Service { organisation, name }, organisation, Role::Registrar)
		},
		_ => match some_device(world) {
			Some((device, record)) => {
				by(world, Subject::Device(device), record.organisation, Role::Registrar)
			},
			None => (Subject::Pseudonym(key), own, person),
		},
	}
}

/// Who acts for the holder of a certificate, most of the time.
fn holder_of(world: &mut World, record: &CertificateRecord) -> usize {
	match (record.holder, &record.subject) {
		(Holder::Account(_), _) if world.dice.once_in(10) => world.somebody(),
		(Holder::Account(account), _) => world.person(&account.into()),
		(Holder::Organisation(organisation), Subject::Organisation(_)) => {
			world.holder(organisation, Role::Administrator)
		},
		(Holder::Organisation(organisation), _) => world.holder(organisation, Role::Registrar),
	}
}

/// One of those who may act in the office now, if there is one.
fn some_official(world: &mut World, office: Office) -> usize {
	let candidates = match office {
		Office::Observer => OBSERVERS,
		Office::Endorser => ENDORSERS,
	};
	let may_act = |person: &usize| {
		Accreditations::<Runtime>::get(office, world.account(*person))
			.is_some_and(|it| it.may_act())
	};
	let active: Vec<_> = candidates.into_iter().filter(may_act).collect();
	match world.dice.pick(&active) {
		Some(person) if !world.dice.once_in(15) => *person,
		_ => world.somebody(),
	}
}

/// Most of the time an open application.
fn some_application(world: &mut World) -> ApplicationId {
	let open: Vec<_> = OpenApplications::<Runtime>::iter_values().collect();
	match world.dice.pick(&open) {
		Some(id) if !world.dice.once_in(10) => *id,
		_ => {
			let all: Vec<_> = Applications::<Runtime>::iter_keys().collect();
			match world.dice.pick(&all) {
				Some(id) if !world.dice.once_in(3) => *id,
				_ => ApplicationId(world.fresh_bytes()),
			}
		},
	}
}

impl Certificates {
	/// Most of the time one of those that were granted last: something can still happen to them.
	pub fn some_certificate(
		&self,
		world: &mut World,
	) -> Option<(CertificateId, CertificateRecord)> {
		let recent = self.granted.len().saturating_sub(30);
		let from = if world.dice.once_in(6) { &self.granted[..] } else { &self.granted[recent..] };
		let id = *world.dice.pick(from)?;
		Some((id, Pallet::certificate(id)?))
	}

	pub fn apply(&self, world: &mut World) -> Attempt {
		let secret = match world.dice.roll(10) {
			0 => world.some_secret(false),
			_ => world.new_secret(false),
		};
		let (subject, holder, person) = some_subject(world, secret.id());
		let level = match subject {
			Subject::Pseudonym(_) => Level::Dv,
			Subject::Person(_) => Level::Ov,
			_ => Level::ALL[world.dice.roll(3) as usize],
		};
		let level = if world.dice.once_in(25) { Level::Ev } else { level };
		let named = matches!(subject, Subject::Organisation(_)) && level > Level::Dv;
		let display_name = (named || world.dice.once_in(30))
			.then(|| b"Acme".to_vec().try_into().expect("it is short"));
		let now = Timestamp::now();
		let not_after = match world.dice.roll(25) {
			0 => now,
			1 => now + POLICY.max_lifetime + 1,
			_ => now + DAY + world.dice.roll(POLICY.max_lifetime - DAY),
		};
		let key = secret.public();
		let request = CertificateRequest { subject, holder, level, key, display_name, not_after };
		let account = world.account(person);
		let nonce = ApplicationNonce::<Runtime>::get(&account);
		let payer = raw(account);
		let action = Action::ApplyForCertificate { payer, request: request.digest() };
		let expires_at = world.expiry();
		let signature = secret.sign(&world.payload(action, nonce, expires_at));
		let possession = match world.dice.roll(25) {
			0 => Possession::Request(vec![0x30, 0].try_into().expect("it is short")),
			_ => Possession::Signature(signature),
		};
		Attempt::Signed(person, Call::apply { request, possession, expires_at }.into())
	}

	pub fn renew(&self, world: &mut World) -> Option<Attempt> {
		let (certificate, record) = self.some_certificate(world)?;
		let renewal = match record.subject.needs_control_proof() && !world.dice.once_in(4) {
			true => Renewal::Control,
			false => Renewal::Endorsement,
		};
		let person = holder_of(world, &record);
		Some(Attempt::Signed(person, Call::renew { certificate, renewal }.into()))
	}

	/// Before anybody has begun to look, most of the time.
	pub fn withdraw(world: &mut World) -> Attempt {
		let unseen: Vec<_> = OpenApplications::<Runtime>::iter_values()
			.filter(|id| ApplicationVotes::<Runtime>::decode_len(id).unwrap_or(0) == 0)
			.collect();
		let application = match world.dice.pick(&unseen) {
			Some(id) if !world.dice.once_in(3) => *id,
			_ => some_application(world),
		};
		let person = match Applications::<Runtime>::get(application) {
			Some(record) if !world.dice.once_in(8) => world.person(&record.payer.into()),
			_ => world.somebody(),
		};
		Attempt::Signed(person, Call::withdraw_application { application }.into())
	}

	pub fn commit(&mut self, world: &mut World) -> Attempt {
		let person = some_official(world, Office::Observer);
		let account = world.account(person);
		let pending = Pallet::pending_observations(account.clone(), 0).items;
		let application = match world.dice.pick(&pending) {
			Some(id) if !world.dice.once_in(20) => *id,
			_ => some_application(world),
		};
		let observation = match world.dice.roll(9) {
			0 => Observation::NotControlled,
			1 => Observation::Unreachable,
			_ => Observation::Controlled,
		};
		let salt = world.fresh_bytes();
		let commitment = commitment(application, &raw(account), observation, &salt);
		self.ballots.push(Ballot { application, person, observation, salt });
		Attempt::Signed(person, Call::commit { application, commitment }.into())
	}

	/// Most of the time what can be revealed now.
	pub fn reveal(&mut self, world: &mut World) -> Option<Attempt> {
		let block = System::block_number();
		self.ballots.retain(|ballot| !self.decided.contains_key(&ballot.application));
		let is_due = |ballot: &&Ballot| {
			Applications::<Runtime>::get(ballot.application).is_some_and(|it| match it.phase {
				Phase::Control { commit_until, reveal_until, .. } => {
					(commit_until + 1..=reveal_until).contains(&block)
				},
				_ => false,
			})
		};
		let is_hidden = |ballot: &&Ballot| {
			let observer = raw(world.account(ballot.person));
			let votes = ApplicationVotes::<Runtime>::get(ballot.application);
			votes.iter().any(|it| it.observer == observer && it.revealed.is_none())
		};
		let due: Vec<_> = self.ballots.iter().filter(is_due).filter(is_hidden).collect();
		let Ballot { application, person, observation, salt } = match world.dice.pick(&due) {
			Some(ballot) if !world.dice.once_in(15) => (*ballot).clone(),
			_ => world.dice.pick(&self.ballots)?.clone(),
		};
		let observation =
			if world.dice.once_in(30) { Observation::Unreachable } else { observation };
		Some(Attempt::Signed(person, Call::reveal { application, observation, salt }.into()))
	}

	/// Most of the time one that is due.
	pub fn close(world: &mut World) -> Attempt {
		let block = System::block_number();
		let is_due = |id: &ApplicationId| {
			Applications::<Runtime>::get(id).is_some_and(|it| match it.phase {
				Phase::Control { reveal_until: until, .. } | Phase::Endorsement { until } => {
					block > until
				},
				Phase::Closed { .. } => false,
			})
		};
		let due: Vec<_> = OpenApplications::<Runtime>::iter_values().filter(is_due).collect();
		let application = match world.dice.pick(&due) {
			Some(id) if !world.dice.once_in(8) => *id,
			_ => some_application(world),
		};
		Attempt::Signed(world.somebody(), Call::close { application }.into())
	}

	pub fn endorse(&self, world: &mut World) -> Option<Attempt> {
		let person = some_official(world, Office::Endorser);
		let pending = Pallet::pending_endorsements(world.account(person), 0).items;
		let (certificate, record) = match world.dice.pick(&pending) {
			Some(id) if !world.dice.once_in(4) => (*id, Pallet::certificate(*id)?),
			_ => self.some_certificate(world)?,
		};
		let level = match world.dice.roll(6) {
			0 => Level::Ov,
			_ => record.requested,
		};
		let mut digest = record.digest(certificate);
		if world.dice.once_in(30) {
			digest.0[0] ^= 1;
		}
		let evidence = world.dice.once_in(2).then(|| world.fresh_bytes());
		let expires_at =
			Timestamp::now() + world.dice.roll(POLICY.max_endorsement_lifetime * 21 / 20);
		let call = Call::endorse { certificate, level, digest, evidence, expires_at };
		Some(Attempt::Signed(person, call.into()))
	}

	/// Most of the time by somebody who endorsed it.
	pub fn withdraw_endorsement(&self, world: &mut World) -> Option<Attempt> {
		let person = ENDORSERS[world.dice.roll(ENDORSERS.len() as u64) as usize];
		let own: Vec<_> = self
			.endorsed
			.get(&world.account(person))
			.into_iter()
			.flatten()
			.copied()
			.collect();
		let certificate = match world.dice.pick(&own) {
			Some(id) if !world.dice.once_in(6) => *id,
			_ => self.some_certificate(world)?.0,
		};
		let reason = WithdrawalReason::FactsChanged;
		let call = Call::withdraw_endorsement { certificate, reason };
		Some(Attempt::Signed(person, call.into()))
	}

	/// By its holder, or by the council.
	pub fn change(&self, world: &mut World) -> Option<Attempt> {
		let (mut certificate, mut record) = self.some_certificate(world)?;
		let roll = world.dice.roll(16);
		if roll >= 8 {
			let is_fit = |it: &CertificateRecord| match roll < 12 {
				true => it.suspension.is_some() && it.revocation.is_none(),
				false => it.subject.may_have_display_name() && it.requested > Level::Dv,
			};
			let fitting: Vec<_> = self
				.granted
				.iter()
				.rev()
				.take(60)
				.filter_map(|id| Some((*id, Pallet::certificate(*id)?)))
				.filter(|(_, it)| is_fit(it))
				.collect();
			if let Some(one) = world.dice.pick(&fitting).filter(|_| !roll.is_multiple_of(4)) {
				(certificate, record) = one.clone();
			}
		}
		let call: Call<Runtime> = match roll {
			0..=2 => Call::revoke { certificate, reason: some_reason(world) },
			3..=7 => Call::suspend { certificate },
			8..=11 => Call::release { certificate },
			_ => {
				let names = ["Acme", "Acme & Söhne", " Acme"];
				let name = world.dice.pick(&names).expect("there are three").as_bytes();
				let display_name = Some(name.to_vec().try_into().expect("it is short"));
				Call::amend { certificate, display_name }
			},
		};
		if roll < 12 && world.dice.once_in(4) {
			return Some(by_council(world, call.into()));
		}
		Some(Attempt::Signed(holder_of(world, &record), call.into()))
	}

	/// What the council does: it gives offices more often than it takes them, so that they do not run out.
	pub fn govern(world: &mut World) -> Attempt {
		let (office, candidates) = match world.dice.once_in(2) {
			true => (Office::Observer, OBSERVERS),
			false => (Office::Endorser, ENDORSERS),
		};
		let idle: Vec<_> = candidates
			.into_iter()
			.filter(|person| {
				let it = Accreditations::<Runtime>::get(office, world.account(*person));
				it.is_none_or(|it| !it.may_act() && it.compromised_from.is_none())
			})
			.collect();
		let any = candidates[world.dice.roll(candidates.len() as u64) as usize];
		let account = world.account(any);
		let call: Call<Runtime> = match world.dice.roll(20) {
			0 | 1 => Call::suspend_accreditation { office, account },
			2 | 19 => Call::release_accreditation { office, account },
			// Only the last of each office, as it ends for ever.
			3 | 4 => {
				let account = world.account(candidates[3]);
				let now = Timestamp::now();
				let known = Accreditations::<Runtime>::get(office, &account)
					.and_then(|it| it.compromised_from);
				let from = match (world.dice.roll(8), known) {
					(0, _) => now + 1,
					// It turns out to have begun earlier.
					(1..=5, Some(known)) => known.saturating_sub(1 + world.dice.roll(DAY)),
					_ => now - world.dice.roll(40 * DAY),
				};
				Call::mark_compromised { office, account, from }
			},
			5 | 6 => {
				let mut fees = FeeSchedule { feeless: world.dice.once_in(3), ..DEFAULT_FEES };
				if world.dice.once_in(5) {
					fees.deposit = Balance::MAX;
				}
				Call::set_fees { fees }
			},
			7 | 8 => {
				let mut policy = POLICY;
				policy.observers = 1 + world.dice.roll(3) as u32;
				policy.endorsers.ov = world.dice.roll(3) as u32;
				policy.endorsers.ev = 2 + world.dice.roll(2) as u32;
				Call::set_policy { policy }
			},
			_ => {
				let person = world.dice.pick(&idle).copied().unwrap_or(any);
				let account = world.account(person);
				let organisation = organisation_of(person);
				let level = match (office, world.dice.roll(12)) {
					(Office::Observer, 0) => Level::Ov,
					(Office::Observer, _) => Level::Dv,
					(Office::Endorser, 0 | 1) => Level::Ov,
					(Office::Endorser, _) => Level::Ev,
				};
				Call::accredit { office, account, organisation, level }
			},
		};
		match world.dice.roll(6) {
			0 => Attempt::Signed(world.somebody(), call.into()),
			_ => by_council(world, call.into()),
		}
	}
}
