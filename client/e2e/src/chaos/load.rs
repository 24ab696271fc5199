//! More transactions at once than there is room for.
//!
//! A node that takes a transaction promises nothing: pools are in memory, have limits, and throw out what looks invalid on
//! the fork that they look at. What clients are promised is that they learn what became of it, and that is the client's work:
//! it looks into finalised blocks, sends again what is not there, and gives up in words once it cannot come any more.

use super::{
	Figures,
	consortium::{Consortium, NAMES},
	presigned::{Chain, Signed, key_of},
	rpc::{Refusal, Rpc},
	tail::Tail,
};
use crate::{PATIENCE, history::Event};
use dpki_client::calls;
use std::{
	collections::BTreeMap,
	thread,
	time::{Duration, Instant},
};

/// Transactions in one request: half of what nodes allow.
const BATCH: usize = 64;

/// From one offer to the next, where the node has judged by a block that was gone by then.
const NEXT_OFFER: Duration = Duration::from_millis(200);

/// So many final blocks in a row without one of the transactions: no more of them come by themselves.
const QUIET_BLOCKS: u32 = 12;

/// From one sending of a transaction to the next, in final blocks.
const PATIENCE_BLOCKS: u32 = 4;

/// What a node says of a transaction that it has had before (`sc-rpc-api`, the errors of `author`).
const TEMPORARILY_BANNED: i64 = 1012;
const ALREADY_IMPORTED: i64 = 1013;

/// How the nodes are sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sending {
	/// As clients do: what is not there after some blocks is sent again.
	Again,
	/// Until nothing more comes without being sent again; only then as clients do. It shows what pools lose.
	Once,
}

/// So many accounts send a transaction each to one node, as fast as it takes them. None that it takes is lost.
///
/// The accounts are those from `first` on, which have not sent any before.
pub fn flood(consortium: &Consortium, first: usize, count: usize, sending: Sending) -> Figures {
	let mut figures = Figures::default();
	let rpc = consortium.rpc(0);
	let mut tail = Tail::from_now(rpc).expect("it answers");
	let signed = sign(&rpc, first, count);
	let begun = Instant::now();
	let (mut waiting, refusals) = send(consortium, &rpc, &signed);
	let taken_in: Vec<_> = waiting.keys().copied().collect();
	let accepted = taken_in.len();
	let taken = begun.elapsed().as_secs_f64();
	figures.tell("load.sent", count as f64, "transactions");
	figures.tell("load.accepted", accepted as f64, "transactions");
	figures.tell("load.accepted_per_second", accepted as f64 / taken, "1/s");
	remark("refused", &refusals, &mut figures);

	if sending == Sending::Once {
		until_quiet(consortium, &mut tail, &mut waiting);
		figures.tell("load.lost_by_pools", waiting.len() as f64, "transactions");
	}
	let mut again = 0;
	let mut sent_at = tail.at.number;
	// A lifetime and more.
	let deadline = Instant::now() + 2 * PATIENCE;
	while !waiting.is_empty() {
		assert!(Instant::now() < deadline, "{} are neither in nor lapsed", waiting.len());
		if step(consortium, &mut tail, &mut waiting) == 0 {
			thread::sleep(Duration::from_millis(100));
			continue;
		}
		let at = tail.at.number;
		waiting.retain(|hash, transaction| {
			let lapsed = at > transaction.last;
			if lapsed {
				consortium.history.note(Event::Refused { transaction: *hash });
			}
			!lapsed
		});
		if at >= sent_at + PATIENCE_BLOCKS {
			sent_at = at;
			again += waiting.len();
			remark("sent again", &send_again(&rpc, &waiting), &mut figures);
		}
	}
	let took = begun.elapsed().as_secs_f64();
	figures.tell("load.sent_again", again as f64, "transactions");
	let included = taken_in.iter().filter(|hash| tail.block_of(hash).is_some()).count();
	figures.tell("load.final", included as f64, "transactions");
	figures.tell("load.final_per_second", included as f64 / took, "1/s");
	figures.tell("load.told_that_it_lapsed", (accepted - included) as f64, "transactions");
	look_for(consortium, &tail, &taken_in);
	let found = consortium.history.check().len();
	figures.promise("load.violations", found as f64, "1", 0.0, accepted);
	figures
}

type Waiting = BTreeMap<[u8; 32], Signed>;

/// How often which refusal was given.
type Refusals = BTreeMap<String, usize>;

fn sign(rpc: &Rpc, first: usize, count: usize) -> Vec<Signed> {
	let (chain, from) = (Chain::of(rpc).expect("it answers"), rpc.finalized().expect("it answers"));
	let one = |number| {
		// To itself: the same work as to another one.
		let key = key_of(number);
		let call = calls::encode(&calls::transfer(&key.verifying_key().to_bytes(), 1));
		chain.sign(&key, call.expect("the call is one of this chain").bytes(), 0, from)
	};
	(first..first + count).map(one).collect()
}

fn send(consortium: &Consortium, rpc: &Rpc, signed: &[Signed]) -> (Waiting, Refusals) {
	let (mut waiting, mut refusals) = (Waiting::new(), Refusals::new());
	for batch in signed.chunks(BATCH) {
		let mut offered: Vec<_> = batch.iter().collect();
		let deadline = Instant::now() + PATIENCE;
		loop {
			let answers = submit(rpc, offered.iter().copied());
			let mut missed = Vec::new();
			for (transaction, answer) in offered.into_iter().zip(answers) {
				let refusal = answer.err();
				if refusal.as_ref().is_none_or(is_of_a_known_one) {
					let hash = transaction.hash;
					consortium.history.note(Event::Accepted { transaction: hash });
					waiting.insert(hash, transaction.clone());
				} else if refusal.as_ref().is_some_and(is_of_a_lost_block) {
					missed.push(transaction);
				}
				if let Some(refusal) = refusal {
					*refusals.entry(without_names(refusal)).or_default() += 1;
				}
			}
			offered = missed;
			if offered.is_empty() || Instant::now() >= deadline {
				break;
			}
			thread::sleep(NEXT_OFFER);
		}
	}
	(waiting, refusals)
}

/// Whether the node was about to judge by a block of a fork that was given up meanwhile: it says nothing of the transaction.
fn is_of_a_lost_block(refusal: &Refusal) -> bool {
	matches!(refusal, Refusal::Said { message, .. } if message.contains("State already discarded"))
}

/// Whether the node has it, or had it a moment ago: an offer that it answered by [lost block][is_of_a_lost_block] may have
/// got there all the same, and what is in a block by now is banned from the pool for a while.
fn is_of_a_known_one(refusal: &Refusal) -> bool {
	matches!(refusal, Refusal::Said { code: ALREADY_IMPORTED | TEMPORARILY_BANNED, .. })
}

fn send_again(rpc: &Rpc, waiting: &Waiting) -> Refusals {
	let mut answers = Refusals::new();
	let transactions: Vec<_> = waiting.values().collect();
	for batch in transactions.chunks(BATCH) {
		for answer in submit(rpc, batch.iter().copied()) {
			let said = answer.map_or_else(without_names, |()| "taken".into());
			*answers.entry(said).or_default() += 1;
		}
	}
	answers
}

/// A refusal without what is particular to its transaction.
fn without_names(refusal: Refusal) -> String {
	match refusal {
		Refusal::Said { code, message } => {
			let general = message.split("0x").next().unwrap_or_default();
			format!("{} ({code})", general.trim_end_matches(['[', '(', ' ', ':']))
		},
		silent => silent.to_string(),
	}
}

fn submit<'a>(rpc: &Rpc, batch: impl Iterator<Item = &'a Signed>) -> Vec<Result<(), Refusal>> {
	let params: Vec<_> = batch.map(Signed::params).collect();
	match rpc.batch("author_submitExtrinsic", &params) {
		Ok(answers) => answers.into_iter().map(|answer| answer.map(|_| ())).collect(),
		Err(refusal) => params.iter().map(|_| Err(refusal.clone())).collect(),
	}
}

/// Reads on; those that became final wait no more. Gives how many blocks were read.
fn step(consortium: &Consortium, tail: &mut Tail, waiting: &mut Waiting) -> u32 {
	// Who is too busy to answer is asked again.
	let read = tail.read().unwrap_or_default();
	waiting.retain(|hash, _| match tail.block_of(hash) {
		Some(block) => {
			consortium.history.note(Event::Acknowledged { transaction: *hash, block });
			false
		},
		None => true,
	});
	read
}

fn until_quiet(consortium: &Consortium, tail: &mut Tail, waiting: &mut Waiting) {
	let mut quiet = 0;
	while quiet < QUIET_BLOCKS && !waiting.is_empty() {
		let before = waiting.len();
		let read = step(consortium, tail, waiting);
		quiet = if waiting.len() < before { 0 } else { quiet + read };
		thread::sleep(Duration::from_millis(100));
	}
}

/// Asks every node for the blocks in which they are said to be.
fn look_for(consortium: &Consortium, tail: &Tail, transactions: &[[u8; 32]]) {
	consortium.look_back();
	for (index, node) in NAMES.iter().enumerate() {
		let rpc = consortium.rpc(index);
		let mut held = BTreeMap::new();
		for transaction in transactions {
			let Some(block) = tail.block_of(transaction) else { continue };
			let there = *held
				.entry(block.number)
				.or_insert_with(|| rpc.block_of(block.number).expect("it answers") == Some(block));
			let (node, number, transaction) = (node.to_string(), block.number, *transaction);
			consortium.history.note(if there {
				Event::Found { node, number, transaction }
			} else {
				Event::Missing { node, number, transaction }
			});
		}
	}
}

fn remark(what: &str, answers: &Refusals, figures: &mut Figures) {
	for (answer, count) in answers {
		figures.remark(format!("load: {what}: {count} x {answer}"));
	}
}
