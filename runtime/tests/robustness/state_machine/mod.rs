// SPDX-License-Identifier: Apache-2.0

//! Ten thousand random transactions, in real blocks, by many people and devices at once, and what has to hold after
//! them.
//!
//! | module | whose transactions, and what is remembered of them |
//! |---|---|
//! | [`accounts`] | transfers, proxies, multisignatures, remarks |
//! | [`organisations`] | organisations and their members |
//! | [`registry`] | anchors, vouchers, devices, keys |
//! | [`deliveries`] | deliveries and acknowledgements |
//! | [`motions`] | motions, and the calls that they carry |
//! | [`ledger`] | nobody's: the money |
//! | [`world`] | what all of them draw from: people, keys, chance |
//!
//! To add a pallet, write an [`Actor`] in a module of its own and put it into [`actors`]. Transactions go through the
//! executive with all extensions: signatures, nonces, fees, limits of a block, hooks. Every run is the same; another one
//! is made with `DPKI_SEED=7`, a longer one with `DPKI_STEPS=1000000`.

mod accounts;
mod deliveries;
mod ledger;
mod motions;
mod organisations;
mod registry;
mod world;

use crate::common::{apply, chain, extension};
use codec::Encode;
use dpki_runtime::{
	AllPalletsWithSystem, Executive, Hash, Header, Runtime, RuntimeCall, RuntimeEvent, System,
	UncheckedExtrinsic, configs::system::RuntimeBlockWeights, genesis_config_presets::LOCAL_PRESET,
	timing::DEFAULT_SLOT_DURATION,
};
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::{TryDecodeEntireStorage, TryState, TryStateSelect},
};
use sp_runtime::{
	Digest, DigestItem,
	generic::SignedPayload,
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionValidityError},
};
use std::collections::BTreeMap;
use world::World;

/// Transactions of a run, unless `DPKI_STEPS` says otherwise.
const STEPS: u64 = 10_000;

/// The seed of the run, unless `DPKI_SEED` says otherwise.
const SEED: u64 = 19;

/// Blocks between two checks of everything.
const CHECK_EVERY: u32 = 30;

/// Chain time at which the run begins.
const BEGIN: u64 = 1_800_000_000_000;

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

	/// Takes notice of what happened.
	fn observe(&mut self, _: &RuntimeEvent) {}

	/// Compares the state with what was remembered of it, and remembers it.
	fn check(&mut self) {}
}

/// Everybody, and how often they act in proportion to each other.
fn actors() -> Vec<(u64, Box<dyn Actor>)> {
	vec![
		(2, Box::new(accounts::Accounts::default())),
		(4, Box::new(organisations::Organisations::default())),
		(9, Box::new(registry::Registry::default())),
		(4, Box::new(deliveries::Deliveries::default())),
		(5, Box::new(motions::Motions::default())),
		(0, Box::new(ledger::Ledger::default())),
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
	carried_out: u64,
	refused: u64,
	failed: u64,
}

impl Run {
	fn new(seed: u64) -> Self {
		Self {
			world: World::new(seed),
			actors: actors(),
			parent: Hash::repeat_byte(7),
			// The chain is in its first block.
			number: 1,
			slot: BEGIN / DEFAULT_SLOT_DURATION,
			kinds: BTreeMap::new(),
			carried_out: 0,
			refused: 0,
			failed: 0,
		}
	}

	fn steps(&self) -> u64 {
		self.carried_out + self.refused + self.failed
	}

	/// One block, with up to two dozen transactions in it. Now and then nobody was there for hours.
	fn block(&mut self) {
		let dice = &mut self.world.dice;
		self.number += 1;
		self.slot += match dice.roll(60) {
			0 => dice.roll(24 * 60 * 60),
			_ => 1 + dice.roll(3),
		};
		let digest = Digest { logs: vec![DigestItem::PreRuntime(*b"aura", self.slot.encode())] };
		let header =
			Header::new(self.number, Hash::default(), Hash::default(), self.parent, digest);
		Executive::initialize_block(&header);
		let now = self.slot * DEFAULT_SLOT_DURATION;
		let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
		apply(UncheckedExtrinsic::new_bare(set))
			.expect("it is valid")
			.expect("it succeeds");
		for _ in 0..self.world.dice.roll(25) {
			self.step();
		}
		self.parent = Executive::finalize_block().hash();

		self.check_limits();
		for record in System::events() {
			record.event.using_encoded(|bytes| {
				*self.kinds.entry([bytes[0], bytes[1]]).or_default() += 1;
			});
			self.actors.iter_mut().for_each(|(_, actor)| actor.observe(&record.event));
		}
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

	fn step(&mut self) {
		let shares = self.actors.iter().map(|(share, _)| share).sum();
		let mut lot = self.world.dice.roll(shares);
		let actor = self.actors.iter_mut().find_map(|(share, actor)| {
			let is_drawn = lot < *share;
			lot = lot.saturating_sub(*share);
			is_drawn.then_some(actor)
		});
		let attempt = actor.expect("a lot is less than all shares").act(&mut self.world);
		let (transaction, call) = match attempt {
			Attempt::Signed(person, call) => (self.sign(person, &call), call),
			Attempt::General(call) => {
				(UncheckedExtrinsic::new_transaction(call.clone(), extension(0)), call)
			},
		};
		match apply(transaction.clone()) {
			Ok(Ok(())) => self.carried_out += 1,
			Ok(Err(_)) => self.failed += 1,
			Err(_) => {
				self.refused += 1;
				return;
			},
		}
		self.check_weight(&call);
		// What is in a block is never taken a second time, whatever became of it.
		if self.world.dice.roll(8) == 0 {
			let again = apply(transaction);
			assert!(again.is_err(), "taken twice: {call:?}");
		}
	}

	/// What was declared before is not less than what was charged after.
	fn check_weight(&self, call: &RuntimeCall) {
		let charged = System::read_events_no_consensus().filter_map(|record| match record.event {
			RuntimeEvent::System(
				frame_system::Event::ExtrinsicSuccess { dispatch_info }
				| frame_system::Event::ExtrinsicFailed { dispatch_info, .. },
			) => Some(dispatch_info.weight),
			_ => None,
		});
		let charged = charged.last().expect("each extrinsic ends with one of them");
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
		if let Err(error) =
			<AllPalletsWithSystem as TryState<u32>>::try_state(self.number, TryStateSelect::All)
		{
			panic!("block {}: {error:?}", self.number);
		}
		self.actors.iter_mut().for_each(|(_, actor)| actor.check());
	}
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
	let mut chain = chain(LOCAL_PRESET);
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
	let Run { carried_out, failed, refused, number, kinds, .. } = run;
	println!(
		"{number} blocks: {carried_out} carried out, {failed} failed, {refused} refused, {} kinds of events",
		kinds.len()
	);
	if steps < STEPS {
		return;
	}
	assert!(carried_out > steps / 4, "only {carried_out} of {steps} were carried out");
	assert!(failed > steps / 10 && refused > steps / 50, "only {failed} failed, {refused} refused");
	assert!(kinds.len() >= 45, "only {} kinds of events were seen: the test is idle", kinds.len());
}
