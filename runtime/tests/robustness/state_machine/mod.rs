// SPDX-License-Identifier: Apache-2.0

//! Ten thousand random transactions, in real blocks, by many people and devices at once, and what has to hold after
//! them.
//!
//! | module | whose transactions, and what is remembered of them |
//! |---|---|
//! | [`accounts`] | transfers, proxies, multisignatures, remarks |
//! | [`organisations`] | organisations and their members |
//! | [`registry`] | SSH anchors, vouchers, devices, first keys |
//! | [`keys`] | keys that are added, replaced, announced, requested, registered in batches, compromised |
//! | [`holds`] | devices and keys on hold |
//! | [`authorities`] | X.509 anchors, their holds and rollovers |
//! | [`certificates`] | applications, votes of observers, endorsements, accreditations |
//! | [`deliveries`] | deliveries, their approvals and acknowledgements |
//! | [`filings`] | certificates that devices ask for, and the answers |
//! | [`fleets`] | fleets, the votes on them, their tiles |
//! | [`motions`] | motions, and the calls that they carry |
//! | [`validators`] | who makes blocks |
//! | [`economy`] | fees, deposits, quotas |
//! | [`ledger`] | nobody's: the money |
//! | [`escrows`] | nobody's: what applications have in escrow |
//! | [`bonds`] | what endorsers have bonded, and how they lose it |
//! | [`coverage`] | which calls were reached |
//! | [`world`] | what all of them draw from: people, keys, chance |
//!
//! To add a pallet, write an [`Actor`] in a module of its own and put it into [`actors`]; until then the run fails, as
//! every call of ours has to be carried out and refused in it. Transactions go through the executive with all
//! extensions: signatures, nonces, fees, limits of a block, hooks. Some are sent by a proxy, and one of the accounts
//! belongs to several people together. Every run is the same; another one is made with `DPKI_SEED=7`, a longer one with
//! `DPKI_STEPS=1000000`.

mod accounts;
mod authorities;
mod bonds;
mod certificates;
mod coverage;
mod deliveries;
mod economy;
mod escrows;
mod filings;
mod fleets;
mod holds;
mod keys;
mod ledger;
mod motions;
mod organisations;
mod registry;
mod validators;
mod world;

use crate::common::{apply, chain_of, extension, genesis_of};
use codec::Encode;
use coverage::{Coverage, layers, outcomes};
use dpki_runtime::{
	AllPalletsWithSystem, Executive, Hash, Header, Runtime, RuntimeCall, RuntimeEvent, Session,
	System, UncheckedExtrinsic, configs::system::RuntimeBlockWeights,
	genesis_config_presets::LOCAL_PRESET, timing::DEFAULT_SLOT_DURATION,
};
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	storage::with_transaction_unchecked,
	traits::{PalletsInfoAccess, TryDecodeEntireStorage, TryState, TryStateSelect},
};
use sp_io::TestExternalities;
use sp_runtime::{
	ApplyExtrinsicResult, Digest, DigestItem, TransactionOutcome,
	generic::SignedPayload,
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionValidityError},
};
use std::collections::BTreeMap;
use world::{GROUP, World};

/// Transactions of a run, unless `DPKI_STEPS` says otherwise.
const STEPS: u64 = 10_000;

/// The seed of the run, unless `DPKI_SEED` says otherwise.
const SEED: u64 = 19;

/// Blocks between two checks of everything.
const CHECK_EVERY: u32 = 30;

/// Blocks of a session: few, so that validators come and go.
const SESSION_LENGTH: u32 = 40;

/// Chain time at which the run begins.
const BEGIN: u64 = 1_800_000_000_000;

/// Blocks that are left out, now and then, because nothing happens in them: a little more than the delay of a recovery
/// and the lifetime of a request. All of them together are longer than what is taken out of a bond stays on hold.
const QUIET: u32 = 8 * 24 * 60 * 60;

/// Something that somebody tries.
pub enum Attempt {
	/// The person with this number signs it.
	Signed(usize, RuntimeCall),
	/// Nobody signs it: it brings its own right.
	General(RuntimeCall),
}

/// The transactions of one pallet, and what has to hold of it beyond its own `try_state`: above all between two moments,
/// which no pallet can see.
pub trait Actor {
	/// Something to try. Most of it is allowed, much of it is not.
	fn act(&mut self, world: &mut World) -> Attempt;

	/// Looks at the state before somebody, whoever it is, tries this call: the innermost, if it is wrapped or voted on.
	fn before(&mut self, _: &RuntimeCall) {}

	/// Looks at the state after that, and at whether the call was carried out.
	fn after(&mut self, _: &RuntimeCall, _: bool) {}

	/// Takes notice of what happened, in the state after the transaction in which it did.
	fn observe(&mut self, _: &RuntimeEvent) {}

	/// Compares the state with what was remembered of it, and remembers it.
	fn check(&mut self) {}
}

/// Everybody, and how often they act in proportion to each other.
fn actors() -> Vec<(u64, Box<dyn Actor>)> {
	vec![
		(3, Box::new(accounts::Accounts::default())),
		(6, Box::new(organisations::Organisations::default())),
		(8, Box::new(registry::Registry::default())),
		(9, Box::new(keys::Keys::default())),
		(2, Box::new(holds::Holds::default())),
		(5, Box::new(authorities::Authorities::default())),
		(12, Box::new(certificates::Certificates::default())),
		(2, Box::new(bonds::Bonds::default())),
		(4, Box::new(deliveries::Deliveries::default())),
		(4, Box::new(filings::Filings::default())),
		(5, Box::new(fleets::Fleets::default())),
		(4, Box::new(motions::Motions::default())),
		(2, Box::new(validators::Validators::default())),
		(1, Box::new(economy::Economy::default())),
		(0, Box::new(ledger::Ledger::default())),
		(0, Box::new(escrows::Escrows::default())),
	]
}

struct Run {
	world: World,
	actors: Vec<(u64, Box<dyn Actor>)>,
	parent: Hash,
	number: u32,
	slot: u64,
	/// How often each event was seen, by pallet and kind.
	kinds: BTreeMap<[u8; 2], u32>,
	coverage: Coverage,
	carried_out: u64,
	refused: u64,
	failed: u64,
}

impl Run {
	fn new(seed: u64) -> Self {
		let mut world = World::new(seed);
		world.intend(|world| Some(world.endow_group()));
		world.intend(|world| Some(certificates::begin(world)));
		for person in certificates::ENDORSERS {
			world.intend(move |_| Some(bonds::begin(person)));
		}
		Self {
			world,
			actors: actors(),
			parent: Hash::repeat_byte(7),
			// The chain is in its first block.
			number: 1,
			slot: BEGIN / DEFAULT_SLOT_DURATION,
			kinds: BTreeMap::new(),
			coverage: Coverage::default(),
			carried_out: 0,
			refused: 0,
			failed: 0,
		}
	}

	fn steps(&self) -> u64 {
		self.carried_out + self.refused + self.failed
	}

	/// One block, with up to two dozen transactions in it. Now and then nobody was there for hours, or nothing happened
	/// for days.
	fn block(&mut self) {
		let dice = &mut self.world.dice;
		let quiet = if dice.once_in(60) { QUIET } else { 0 };
		if quiet > 0 {
			self.number += quiet;
			self.slot += u64::from(quiet);
			System::set_block_number(self.number);
		}
		self.number += 1;
		self.slot += match dice.roll(60) {
			0 => dice.roll(24 * 60 * 60),
			_ => 1 + dice.roll(3),
		};
		self.slot = slot_of_somebody(self.slot);
		let digest = Digest { logs: vec![DigestItem::PreRuntime(*b"aura", self.slot.encode())] };
		let header =
			Header::new(self.number, Hash::default(), Hash::default(), self.parent, digest);
		Executive::initialize_block(&header);
		let now = self.slot * DEFAULT_SLOT_DURATION;
		let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
		apply(UncheckedExtrinsic::new_bare(set))
			.expect("it is valid")
			.expect("it succeeds");
		self.observe();
		for _ in 0..self.world.dice.roll(25) {
			self.step();
		}
		self.parent = Executive::finalize_block().hash();
		self.check_limits();
		self.observe();
	}

	/// Shows everybody what has happened since this was last done.
	fn observe(&mut self) -> Vec<RuntimeEvent> {
		let new = System::read_events_no_consensus();
		let events: Vec<_> = new.map(|record| record.event).collect();
		// Otherwise the events of a block would be read again after each of its transactions.
		System::reset_events();
		for event in &events {
			event.using_encoded(|bytes| {
				*self.kinds.entry([bytes[0], bytes[1]]).or_default() += 1;
			});
			if let RuntimeEvent::Dpki(
				pallet_dpki::Event::DeviceEnrolled { device, .. }
				| pallet_dpki::Event::DeviceRegistered { device, .. },
			) = event
			{
				self.world.devices.push(*device);
			}
			self.actors.iter_mut().for_each(|(_, actor)| actor.observe(event));
		}
		events
	}

	/// Transactions keep the limits of their classes. What is mandatory does not ask: the block that ends a session is
	/// full by that alone, whatever it really takes.
	fn check_limits(&self) {
		let (used, limits) = (System::block_weight(), RuntimeBlockWeights::get());
		for class in [DispatchClass::Normal, DispatchClass::Operational] {
			let most = limits.get(class).max_total.unwrap_or(limits.max_block);
			let used = *used.get(class);
			assert!(used.all_lte(most), "block {}: {class:?} used {used:?}", self.number);
		}
	}

	/// What was intended before, or else what one of the actors thinks of now.
	fn next_attempt(&mut self) -> Attempt {
		if let Some(intended) = self.world.next_intention() {
			return intended;
		}
		let shares = self.actors.iter().map(|(share, _)| share).sum();
		let mut lot = self.world.dice.roll(shares);
		let actor = self.actors.iter_mut().find_map(|(share, actor)| {
			let is_drawn = lot < *share;
			lot = lot.saturating_sub(*share);
			is_drawn.then_some(actor)
		});
		actor.expect("a lot is less than all shares").act(&mut self.world)
	}

	fn step(&mut self) {
		let attempt = match self.next_attempt() {
			Attempt::Signed(person, call) if person != GROUP && self.world.dice.once_in(6) => {
				self.world.by_proxy(person, call)
			},
			other => other,
		};
		let (transaction, call) = match attempt {
			Attempt::Signed(GROUP, call) => {
				let (person, call) = self.world.together(call);
				(self.sign(person, &call), call)
			},
			Attempt::Signed(person, call) => (self.sign(person, &call), call),
			Attempt::General(call) => {
				(UncheckedExtrinsic::new_transaction(call.clone(), extension(0)), call)
			},
		};
		let layers = layers(&call);
		let innermost = layers.last().expect("a call is a layer");
		self.actors.iter_mut().for_each(|(_, actor)| actor.before(innermost));
		let applied = put_into_block(transaction.clone());
		match applied {
			Ok(Ok(())) => self.carried_out += 1,
			Ok(Err(_)) => self.failed += 1,
			Err(_) => self.refused += 1,
		}
		let events = self.observe();
		let outcomes = outcomes(&layers, applied == Ok(Ok(())), &events);
		for (layer, is_carried_out) in layers.iter().zip(&outcomes) {
			self.coverage.note(layer, *is_carried_out);
		}
		let is_carried_out = outcomes.len() == layers.len() && outcomes.iter().all(|it| *it);
		self.actors
			.iter_mut()
			.for_each(|(_, actor)| actor.after(innermost, is_carried_out));
		if applied.is_err() {
			assert!(events.is_empty(), "refused, but not without effect: {call:?}");
			return;
		}
		self.check_weight(&call, &events);
		// What is in a block is never taken a second time, whatever became of it.
		if self.world.dice.roll(8) == 0 {
			let again = put_into_block(transaction);
			assert!(again.is_err(), "taken twice: {call:?}");
		}
	}

	/// What was declared before is not less than what was charged after.
	fn check_weight(&self, call: &RuntimeCall, events: &[RuntimeEvent]) {
		let charged = events.iter().rev().find_map(|event| match event {
			RuntimeEvent::System(
				frame_system::Event::ExtrinsicSuccess { dispatch_info }
				| frame_system::Event::ExtrinsicFailed { dispatch_info, .. },
			) => Some(dispatch_info.weight),
			_ => None,
		});
		let charged = charged.expect("each extrinsic ends with one of them");
		let info =
			UncheckedExtrinsic::new_transaction(call.clone(), extension(0)).get_dispatch_info();
		let base = RuntimeBlockWeights::get().get(info.class).base_extrinsic;
		let declared = info.total_weight().saturating_add(base);
		assert!(charged.all_lte(declared), "{charged:?} of {declared:?} for {call:?}");
	}

	/// Signed by that person. Some signatures are bad, some by somebody else.
	fn sign(&mut self, person: usize, call: &RuntimeCall) -> UncheckedExtrinsic {
		let account = self.world.account(person);
		let nonce = System::account_nonce(&account);
		let payload =
			SignedPayload::new(call.clone(), extension(nonce)).expect("what it implies is known");
		let is_forged = self.world.dice.once_in(100);
		let forger = if is_forged { (person + 1) % self.world.people() } else { person };
		let signature = payload.using_encoded(|bytes| self.world.sign(forger, bytes));
		let transaction = UncheckedExtrinsic::new_signed(
			call.clone(),
			account.into(),
			signature,
			extension(nonce),
		);
		if forger != person {
			let bad: TransactionValidityError = InvalidTransaction::BadProof.into();
			assert_eq!(apply(transaction.clone()), Err(bad));
		}
		transaction
	}

	/// Everything that has to hold between two blocks.
	fn check(&mut self) {
		let judge =
			|select| <AllPalletsWithSystem as TryState<u32>>::try_state(self.number, select);
		if let Err(error) = judge(TryStateSelect::All) {
			// All together say only that one of them found something.
			let names = AllPalletsWithSystem::infos().into_iter().map(|pallet| pallet.name);
			let found = names
				.filter_map(|name| {
					Some((name, judge(TryStateSelect::Only(vec![name.into()])).err()?))
				})
				.collect::<Vec<_>>();
			panic!("block {}: {found:?}, {error:?}", self.number);
		}
		self.actors.iter_mut().for_each(|(_, actor)| actor.check());
	}
}

/// This slot, or the next one after it that belongs to somebody who may make a block.
fn slot_of_somebody(slot: u64) -> u64 {
	let authors = pallet_aura::Authorities::<Runtime>::get().len() as u64;
	let barred = Session::disabled_validators();
	let mut slots = (slot..).filter(|slot| !barred.contains(&((slot % authors) as u32)));
	slots.next().expect("less than a third is barred")
}

/// The four validators of the preset at first, with short sessions.
fn begin() -> TestExternalities {
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["timing"]["sessionLength"] = SESSION_LENGTH.into();
	chain_of(genesis)
}

/// What whoever makes a block does with a transaction: one that is refused leaves nothing behind.
fn put_into_block(transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
	with_transaction_unchecked(|| match apply(transaction) {
		Err(refusal) => TransactionOutcome::Rollback(Err(refusal)),
		applied => TransactionOutcome::Commit(applied),
	})
}

fn number(variable: &str, otherwise: u64) -> u64 {
	std::env::var(variable).ok().map_or(otherwise, |text| {
		text.parse().unwrap_or_else(|_| panic!("{variable} is no number"))
	})
}

#[test]
fn random_transactions_break_no_invariant() {
	let (seed, steps) = (number("DPKI_SEED", SEED), number("DPKI_STEPS", STEPS));
	println!("DPKI_SEED={seed} DPKI_STEPS={steps}");
	let mut chain = begin();
	let mut run = Run::new(seed);
	chain.execute_with(|| {
		frame_system::BlockHash::<Runtime>::insert(0, run.parent);
		run.check();
	});
	while run.steps() < steps {
		chain.execute_with(|| {
			run.block();
			if run.number.is_multiple_of(CHECK_EVERY) {
				run.check();
			}
		});
		// Otherwise every root would be computed from all changes since the beginning.
		chain.commit_all().expect("nothing is left open");
	}
	if let Ok(path) = std::env::var("DPKI_DUMP") {
		std::fs::write(path, crate::migrations::record(&mut chain)).expect("it can be written");
	}
	chain.execute_with(|| {
		run.check();
		let undecodable = AllPalletsWithSystem::try_decode_entire_state();
		assert!(undecodable.is_ok(), "{undecodable:?}");
	});
	let Run { carried_out, failed, refused, kinds, coverage, .. } = run;
	println!(
		"{carried_out} carried out, {failed} failed, {refused} refused, {} kinds of events\n{}",
		kinds.len(),
		coverage.report()
	);
	if steps < STEPS {
		return;
	}
	assert!(carried_out > steps / 4, "only {carried_out} of {steps} were carried out");
	assert!(failed > steps / 10 && refused > steps / 50, "only {failed} failed, {refused} refused");
	assert!(kinds.len() >= 80, "only {} kinds of events were seen: the test is idle", kinds.len());
	let missing = coverage.missing();
	assert!(missing.is_empty(), "never carried out, or never refused: {missing:?}");
}
