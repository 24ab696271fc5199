// SPDX-License-Identifier: Apache-2.0

//! Validators by vote, over whole blocks: who makes them, who finalises them, and what becomes of those who vote twice.

use crate::{
	common::{account, apply, chain_of, genesis_of, signed},
	consensus::double_vote,
	governance::{as_root, motion},
};
use codec::{Decode, Encode};
use dpki_primitives::{ids::OrganisationId, validator::ValidatorStanding};
use dpki_runtime::{
	AccountId, Economy, Executive, Hash, Header, Runtime, RuntimeCall, RuntimeEvent, Session,
	SessionKeys, System, UncheckedExtrinsic, genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{assert_ok, dispatch::RawOrigin};
use frame_system::pallet_prelude::HeaderFor;
use sp_consensus_aura::{AURA_ENGINE_ID, Slot};
use sp_consensus_grandpa::{
	AuthorityId, ConsensusLog, GRANDPA_ENGINE_ID, OpaqueKeyOwnershipProof,
	runtime_decl_for_grandpa_api::GrandpaApiV3,
};
use sp_core::{Pair, ed25519, proof_of_possession::statement_of_ownership, sr25519};
use sp_io::TestExternalities;
use sp_keyring::{
	Ed25519Keyring,
	Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, One},
};
use sp_runtime::{
	Digest, DigestItem, DispatchError, DispatchResult, traits::Header as _,
	transaction_validity::TransactionSource,
};

/// Blocks per session.
const LENGTH: u32 = 5;

type SessionError = pallet_session::Error<Runtime>;
type ValidatorError = pallet_validator_set::Error<Runtime>;

/// Four validators who are the council, of whom three have to serve, with short sessions.
fn consortium() -> TestExternalities {
	let mut genesis = genesis_of(LOCAL_PRESET);
	genesis["timing"]["sessionLength"] = LENGTH.into();
	chain_of(genesis)
}

/// Makes a block with these transactions, in the next slot of somebody who may make one, and returns its header.
fn block_of(transactions: impl IntoIterator<Item = UncheckedExtrinsic>) -> HeaderFor<Runtime> {
	block_without(&Session::disabled_validators(), transactions)
}

/// The same, in the next slot that is of none of these authorities.
fn block_without(
	absent: &[u32],
	transactions: impl IntoIterator<Item = UncheckedExtrinsic>,
) -> HeaderFor<Runtime> {
	let authorities = pallet_aura::Authorities::<Runtime>::get().len() as u64;
	let last = u64::from(pallet_aura::CurrentSlot::<Runtime>::get());
	let slot = (last + 1..)
		.find(|slot| !absent.contains(&((slot % authorities) as u32)))
		.expect("somebody may");
	let digest =
		Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode())] };
	let number = System::block_number() + 1;
	let header = Header::new(
		number,
		Default::default(),
		Default::default(),
		Hash::from_low_u64_be(number.into()),
		digest,
	);
	Executive::initialize_block(&header);
	let now = pallet_timestamp::Call::set { now: slot * 1_000 }.into();
	assert_ok!(apply(UncheckedExtrinsic::new_bare(now)).expect("the time can be set"));
	for transaction in transactions {
		assert_ok!(apply(transaction).expect("it is applied"));
	}
	Executive::finalize_block()
}

/// Makes blocks up to the first one of this session, and returns the header of that.
fn pass_to_session(session: u32) -> HeaderFor<Runtime> {
	assert!(Session::current_index() < session);
	loop {
		let header = block_of([]);
		if Session::current_index() == session {
			return header;
		}
	}
}

/// What a block tells those who vote on finality.
fn finality_logs(header: &HeaderFor<Runtime>) -> Vec<ConsensusLog<u32>> {
	let decode = |log: &DigestItem| match log {
		DigestItem::Consensus(GRANDPA_ENGINE_ID, bytes) => {
			Some(Decode::decode(&mut &bytes[..]).expect("it is a message of GRANDPA"))
		},
		_ => None,
	};
	header.digest.logs().iter().filter_map(decode).collect()
}

/// The session keys of a node, and the proof that the node has them, for `owner`.
fn node_keys(seed: &str, owner: &AccountId) -> (SessionKeys, Vec<u8>) {
	let aura = sr25519::Pair::from_string(seed, None).expect("it is a seed");
	let grandpa = ed25519::Pair::from_string(seed, None).expect("it is a seed");
	let statement = owner.using_encoded(statement_of_ownership);
	let proof = (aura.sign(&statement), grandpa.sign(&statement)).encode();
	(SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() }, proof)
}

fn set_keys(who: Sr25519Keyring, seed: &str) -> RuntimeCall {
	let (keys, proof) = node_keys(seed, &account(who));
	pallet_session::Call::set_keys { keys, proof }.into()
}

fn add(who: Sr25519Keyring) -> RuntimeCall {
	pallet_validator_set::Call::add_validator {
		validator: account(who),
		organisation: OrganisationId::CONSORTIUM,
	}
	.into()
}

fn remove(who: Sr25519Keyring) -> RuntimeCall {
	pallet_validator_set::Call::remove_validator { validator: account(who) }.into()
}

/// What the call returned that three of the four trustees carried.
fn carried(call: RuntimeCall) -> DispatchResult {
	motion(call, &[Bob, Charlie], &[Dave]).expect("the motion is carried")
}

fn sorted(names: &[Sr25519Keyring]) -> Vec<AccountId> {
	let mut accounts: Vec<_> = names.iter().map(|name| account(*name)).collect();
	accounts.sort();
	accounts
}

/// The keys of a set, in its order, as those have them who make blocks and those who vote on finality.
fn assert_authorities(seeds: &[(Sr25519Keyring, &str)]) {
	let mut keys: Vec<_> = seeds
		.iter()
		.map(|(name, seed)| (account(*name), node_keys(seed, &account(*name)).0))
		.collect();
	keys.sort_by(|a, b| a.0.cmp(&b.0));
	let aura: Vec<_> = keys.iter().map(|(_, keys)| keys.aura.clone()).collect();
	assert_eq!(pallet_aura::Authorities::<Runtime>::get().into_inner(), aura);
	let grandpa: Vec<_> = keys.iter().map(|(_, keys)| (keys.grandpa.clone(), 1)).collect();
	assert_eq!(pallet_grandpa::Authorities::<Runtime>::get().into_inner(), grandpa);
}

fn set_id() -> u64 {
	pallet_grandpa::CurrentSetId::<Runtime>::get()
}

#[test]
fn an_admitted_validator_makes_blocks_and_votes_from_the_session_after_next() {
	consortium().execute_with(|| {
		pass_to_session(1);
		assert_ok!(carried(add(Eve)));
		block_of([signed(Eve, set_keys(Eve, "//eve//node"))]);

		let planned = pass_to_session(2);
		assert!(finality_logs(&planned).is_empty());
		assert_eq!(set_id(), 0);

		let begun = pass_to_session(3);
		assert_eq!(begun.number, 3 * LENGTH);
		let five = [
			(Alice, "//Alice"),
			(Bob, "//Bob"),
			(Charlie, "//Charlie"),
			(Dave, "//Dave"),
			(Eve, "//eve//node"),
		];
		assert_authorities(&five);
		assert_eq!(set_id(), 1);
		// Finality hears of it in the same block, and changes with it.
		let [ConsensusLog::ScheduledChange(change)] = &finality_logs(&begun)[..] else {
			panic!("it is one change in good order");
		};
		assert_eq!((change.delay, change.next_authorities.len()), (0, 5));

		let later = pass_to_session(5);
		assert_eq!((finality_logs(&later), set_id()), (vec![], 1));
		// Each of the five has its turn.
		let mut authors: Vec<_> = (0..5)
			.map(|_| {
				block_of([]);
				pallet_authorship::Pallet::<Runtime>::author()
			})
			.collect();
		authors.sort();
		authors.dedup();
		assert_eq!(authors.len(), 5);
	});
}

#[test]
fn one_trustee_admits_nobody() {
	consortium().execute_with(|| {
		assert_eq!(motion(add(Eve), &[], &[]), None);
		let alone = apply(signed(Alice, add(Eve)));
		assert_eq!(alone, Ok(Err(DispatchError::BadOrigin)));
		let stranger = apply(signed(Eve, set_keys(Eve, "//eve//node")));
		assert_eq!(stranger, Ok(Err(SessionError::NoAssociatedValidatorId.into())));
	});
}

#[test]
fn a_validator_out_of_reach_stays_in_the_set() {
	consortium().execute_with(|| {
		let (validators, first) = (Session::validators(), Session::current_index());
		while Session::current_index() < first + 5 {
			block_without(&[1], []);
		}
		assert_eq!(Session::validators(), validators);
		assert!(Session::disabled_validators().is_empty());
		// Back again, it makes blocks as before.
		block_without(&[0, 2, 3], []);
	});
}

#[test]
fn a_validator_without_session_keys_never_serves() {
	consortium().execute_with(|| {
		assert_ok!(carried(add(Eve)));
		pass_to_session(4);
		assert_eq!(Session::validators(), sorted(&[Alice, Bob, Charlie, Dave]));
		assert_eq!(set_id(), 0);
		// The first block of a session has no room for transactions.
		block_of([]);

		let (keys, _) = node_keys("//eve//node", &account(Eve));
		let (_, of_another) = node_keys("//eve//node", &account(Bob));
		let stolen = pallet_session::Call::set_keys { keys, proof: of_another }.into();
		assert_eq!(apply(signed(Eve, stolen)), Ok(Err(SessionError::InvalidProof.into())));
	});
}

#[test]
fn session_keys_are_changed_without_a_vote() {
	consortium().execute_with(|| {
		block_of([signed(Bob, set_keys(Bob, "//bob//new"))]);
		pass_to_session(1);
		pass_to_session(2);
		let new =
			[(Alice, "//Alice"), (Bob, "//bob//new"), (Charlie, "//Charlie"), (Dave, "//Dave")];
		assert_authorities(&new);
		assert_eq!(set_id(), 1);
	});
}

#[test]
fn session_keys_are_not_thrown_away_in_service() {
	consortium().execute_with(|| {
		let purge = || pallet_session::Call::purge_keys {}.into();
		let refused = Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into()));
		assert_eq!(apply(signed(Bob, purge())), refused);
		let in_proxy = pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![account(Alice)],
			call: Box::new(purge()),
		};
		assert_eq!(apply(signed(Bob, in_proxy.into())), refused);
	});
}

#[test]
fn a_validator_leaves_by_itself_as_long_as_enough_are_left() {
	consortium().execute_with(|| {
		let leave = || pallet_validator_set::Call::leave {}.into();
		assert_eq!(apply(signed(Dave, leave())), Ok(Ok(())));
		let too_few = Ok(Err(ValidatorError::TooFewValidators.into()));
		assert_eq!(apply(signed(Charlie, leave())), too_few);
		pass_to_session(2);
		assert_eq!(Session::validators(), sorted(&[Alice, Bob, Charlie]));
		assert_eq!(Session::load_keys(&account(Dave)), None);
	});
}

#[test]
fn a_validator_without_tokens_sets_its_keys_on_a_chain_without_fees() {
	consortium().execute_with(|| {
		assert_ok!(Economy::set_feeless(RawOrigin::Root.into(), true));
		assert_ok!(carried(add(One)));
		block_of([signed(One, set_keys(One, "//one//node"))]);
		pass_to_session(2);
		assert!(Session::validators().contains(&account(One)));
	});
}

/// The report of Bob's double vote, as a node makes it that has seen it.
fn report() -> UncheckedExtrinsic {
	report_of(1)
}

fn report_of(round: u64) -> UncheckedExtrinsic {
	let bob: AuthorityId = Ed25519Keyring::Bob.public().into();
	let proof: OpaqueKeyOwnershipProof =
		Runtime::generate_key_ownership_proof(0, bob).expect("a proof can be made");
	let report = pallet_grandpa::Call::report_equivocation_unsigned {
		equivocation_proof: Box::new(double_vote(round)),
		key_owner_proof: proof.decode().expect("it is one"),
	};
	UncheckedExtrinsic::new_bare(report.into())
}

#[test]
fn who_votes_twice_is_removed_and_makes_no_block_until_then() {
	consortium().execute_with(|| {
		pass_to_session(1);
		let report = report();
		block_of([]);
		let parent = System::parent_hash();
		let validity =
			Executive::validate_transaction(TransactionSource::Local, report.clone(), parent);
		assert!(validity.is_ok(), "{validity:?}");
		block_of([report]);
		let removed =
			pallet_validator_set::Event::OffenderRemoved { validator: account(Bob), session: 1 };
		System::assert_has_event(removed.into());
		let bob = Session::validator_id_to_index(&account(Bob)).expect("still in the set");
		assert_eq!(Session::disabled_validators(), [bob]);

		// Proofs for other rounds change nothing any more, so nothing is kept of them.
		let kept = pallet_offences::Reports::<Runtime>::iter().count();
		let again = Executive::apply_extrinsic(report_of(2));
		assert!(!matches!(again, Ok(Ok(_))), "{again:?}");
		assert_eq!(pallet_offences::Reports::<Runtime>::iter().count(), kept);

		let begun = pass_to_session(3);
		assert_eq!(Session::validators(), sorted(&[Alice, Charlie, Dave]));
		assert_eq!(pallet_grandpa::Authorities::<Runtime>::get().len(), 3);
		assert!(matches!(&finality_logs(&begun)[..], [ConsensusLog::ScheduledChange(_)]));
		assert_eq!(Session::load_keys(&account(Bob)), None);
	});
}

#[test]
fn who_votes_twice_and_changes_its_keys_at_once_is_found_all_the_same() {
	consortium().execute_with(|| {
		block_of([signed(Bob, set_keys(Bob, "//bob//new"))]);
		block_of([report()]);
		let record = pallet_validator_set::Validators::<Runtime>::get()
			.into_iter()
			.find(|record| record.account == account(Bob))
			.expect("it still serves");
		assert_eq!(record.standing, ValidatorStanding::Leaving);
	});
}

#[test]
fn a_stall_that_the_council_notes_brings_the_new_set_by_force() {
	const DELAY: u32 = 12;
	const FINALISED: u32 = 7;
	consortium().execute_with(|| {
		let stalled = as_root(
			pallet_grandpa::Call::note_stalled {
				delay: DELAY,
				best_finalized_block_number: FINALISED,
			}
			.into(),
		);
		// Two of four are lost. One is replaced, one changes its keys, and the council decides on it in one session.
		pass_to_session(1);
		assert_ok!(carried(add(Eve)));
		block_of([
			signed(Eve, set_keys(Eve, "//eve//node")),
			signed(Charlie, set_keys(Charlie, "//charlie//new")),
		]);
		assert_ok!(carried(remove(Dave)));
		// In the next one it notes the stall.
		pass_to_session(2);
		block_of([]);
		assert_ok!(carried(stalled));
		let late = apply(signed(Alice, set_keys(Alice, "//alice//new")));
		assert_eq!(late, Ok(Err(SessionError::NoAssociatedValidatorId.into())));

		let begun = pass_to_session(3);
		let [ConsensusLog::ForcedChange(last, change)] = &finality_logs(&begun)[..] else {
			panic!("the change is forced, and the only one");
		};
		assert_eq!((*last, change.delay), (FINALISED, DELAY));
		let new =
			[(Alice, "//Alice"), (Bob, "//Bob"), (Charlie, "//charlie//new"), (Eve, "//eve//node")];
		let expected: Vec<_> = Session::validators();
		assert_eq!(expected, sorted(&[Alice, Bob, Charlie, Eve]));
		assert_eq!(change.next_authorities.len(), 4);
		assert_eq!(set_id(), 1);

		// While finality waits for it, no other change begins that it would not hear of.
		assert_ok!(carried(remove(Eve)));
		while pallet_grandpa::PendingChange::<Runtime>::exists() {
			block_of([]);
			assert_eq!(Session::validators(), expected);
		}
		assert_eq!(System::block_number(), begun.number + DELAY);
		assert_authorities(&new);

		// Then life goes on: what was decided meanwhile comes in good order.
		let now = Session::current_index();
		pass_to_session(now + 1);
		let next = pass_to_session(now + 2);
		assert!(matches!(&finality_logs(&next)[..], [ConsensusLog::ScheduledChange(_)]));
		assert_eq!(Session::validators(), sorted(&[Alice, Bob, Charlie]));
		assert_eq!(set_id(), 2);
	});
}

#[test]
fn keys_that_were_set_before_a_stall_was_noted_reach_finality_after_it() {
	consortium().execute_with(|| {
		pass_to_session(1);
		block_of([signed(Charlie, set_keys(Charlie, "//charlie//new"))]);
		let call = pallet_grandpa::Call::note_stalled {
			delay: 3 * LENGTH,
			best_finalized_block_number: 1,
		};
		assert_ok!(carried(as_root(call.into())));
		let begun = pass_to_session(2);
		assert!(matches!(&finality_logs(&begun)[..], [ConsensusLog::ForcedChange(..)]));
		// Blocks are made under the new key from here on, and finality hears nothing of it.
		let begun = pass_to_session(3);
		assert!(finality_logs(&begun).is_empty());

		while pallet_grandpa::PendingChange::<Runtime>::exists() {
			block_of([]);
		}
		let now = Session::current_index();
		let begun = pass_to_session(now + 2);
		assert!(matches!(&finality_logs(&begun)[..], [ConsensusLog::ScheduledChange(_)]));
		block_of([]);
		assert_authorities(&[
			(Alice, "//Alice"),
			(Bob, "//Bob"),
			(Charlie, "//charlie//new"),
			(Dave, "//Dave"),
		]);
	});
}

#[test]
fn nobody_but_the_council_notes_a_stall() {
	consortium().execute_with(|| {
		let stalled: RuntimeCall =
			pallet_grandpa::Call::note_stalled { delay: 10, best_finalized_block_number: 1 }.into();
		let alone = apply(signed(Alice, stalled.clone()));
		assert_eq!(alone, Ok(Err(DispatchError::BadOrigin)));
		assert_eq!(motion(as_root(stalled.clone()), &[Bob], &[Dave]), None);
		assert!(!pallet_grandpa::Stalled::<Runtime>::exists());
		assert_ok!(carried(as_root(stalled)));
		assert!(pallet_grandpa::Stalled::<Runtime>::exists());
	});
}

#[test]
fn what_validators_earn_still_goes_to_them_after_a_change() {
	consortium().execute_with(|| {
		assert_ok!(carried(remove(Dave)));
		pass_to_session(2);
		block_of([signed(Eve, frame_system::Call::remark { remark: vec![7] }.into())]);
		let paid = System::events().into_iter().find_map(|record| match record.event {
			RuntimeEvent::Economy(pallet_economy::Event::AuthorPaid { author, .. }) => Some(author),
			_ => None,
		});
		let author = paid.expect("somebody made the block");
		assert!(Session::validators().contains(&author));
	});
}
