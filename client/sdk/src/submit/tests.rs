//! What is told of a transaction, and the form of one.

use super::{outcome::failed, *};
use subxt::error::DispatchError;

#[test]
fn a_general_transaction_has_neither_signer_nor_lifetime() {
	use codec::{Decode, Encode};
	let organisation = dpki_primitives::ids::OrganisationId([4; 32]);
	let call =
		crate::calls::enrol(organisation, [1; 32], "drone", &[new_key()], 9, [2; 64]).unwrap();
	let at = crate::api::offline();
	let transaction = general(&at, &call).unwrap();
	let bytes = Vec::<u8>::decode(&mut transaction.encoded()).unwrap();
	// General transaction of format 5; version 0 of the extensions; immortal; nonce 0; tip 0; no metadata hash.
	let head = [0b0100_0000 | 5, 0, 0, 0, 0, 0];
	assert_eq!(bytes, [&head[..], &at.tx().call_data(&call).unwrap()].concat());
	assert_eq!(transaction.encoded(), bytes.encode());
}

fn new_key() -> dpki_primitives::key::NewKey {
	use dpki_primitives::key::{KeyPurpose, KeyType, NewKey, PublicKey, Signature};
	let public = PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap();
	let possession = Signature::default();
	NewKey { purpose: KeyPurpose::Sign, public, not_after: None, possession }
}

fn user_error(code: i32, message: &str, data: Option<&str>) -> subxt_rpcs::UserError {
	let data = data.map(|data| serde_json::value::to_raw_value(data).unwrap());
	subxt_rpcs::UserError { code, message: message.into(), data }
}

#[test]
fn a_refusal_of_the_pool_is_told_in_its_sentence() {
	for refusal in Refusal::ALL {
		let data = format!("Custom error: {}", refusal.code());
		let error = pool_error(&user_error(1010, "Invalid Transaction", Some(&data)));
		assert!(matches!(error, SubmitError::Refused(told) if told == *refusal));
		assert_eq!(error.to_string(), refusal.sentence());
	}
}

#[test]
fn a_refusal_of_the_runtime_is_told_in_the_same_sentence() {
	for refusal in Refusal::ALL {
		let error = refused(&TransactionInvalid::Custom(refusal.code()));
		assert_eq!(error.to_string(), refusal.sentence());
	}
}

#[test]
fn an_unknown_refusal_keeps_its_number() {
	let error = refused(&TransactionInvalid::Custom(255)).to_string();
	assert!(error.contains("255"), "{error}");
}

#[test]
fn what_else_a_pool_says_is_repeated() {
	let said = [
		(1010, "Invalid Transaction", Some("Inability to pay some fees")),
		(1014, "Priority is too low", None),
		(1010, "Invalid Transaction", Some("Custom error: many")),
	];
	for (code, message, data) in said {
		let error = pool_error(&user_error(code, message, data)).to_string();
		assert!(error.contains(message), "{error}");
		assert!(data.is_none_or(|data| error.contains(data)), "{error}");
	}
}

#[test]
fn every_refusal_names_the_next_step_after_a_colon() {
	use TransactionInvalid::*;
	for invalid in [
		Custom(255),
		Payment,
		Stale,
		Future,
		BadProof,
		BadSigner,
		AncientBirthBlock,
		ExhaustsResources,
		Call,
		BadMandatory,
		MandatoryValidation,
	] {
		let error = refused(&invalid).to_string();
		let (problem, step) = error.split_once(": ").unwrap_or_else(|| panic!("{error}"));
		assert!(problem.contains("because") && !step.contains(": "), "{error}");
	}
}

#[test]
fn only_a_transaction_that_was_refused_is_surely_in_no_block() {
	let (extrinsic, block, reason) = (String::new(), String::new(), String::new());
	for refused in [
		refused(&TransactionInvalid::Payment),
		SubmitError::Refused(Refusal::DeviceExists),
		failed(&DispatchError::BadOrigin),
		SubmitError::Lapsed { blocks: 1 },
		SubmitError::Unfit { reason: reason.clone() },
	] {
		assert!(!refused.may_be_included(), "{refused}");
	}
	for unknown in [
		SubmitError::TimedOut { extrinsic: extrinsic.clone(), seconds: 1 },
		SubmitError::ResultUnreadable { extrinsic, block, reason: reason.clone() },
		SubmitError::Client(ClientError::Interrupted { reason }),
	] {
		assert!(unknown.may_be_included(), "{unknown}");
	}
}

#[test]
fn what_a_node_that_is_not_believed_says_of_its_pool_is_no_end_of_the_transaction() {
	let head = Head { number: 100, hash: [2; 32], time: 0 };
	let lie = user_error(1010, "Invalid Transaction", Some("Custom error: 255"));
	for error in [
		SubmitError::Refused(Refusal::DeviceExists),
		pool_error(&lie),
		pool_error(&user_error(1014, "Priority is too low: (", None)),
		refused(&TransactionInvalid::Payment),
		SubmitError::Lapsed { blocks: 64 },
	] {
		let sentence = error.to_string();
		let (problem, step) = sentence.rsplit_once(": ").unwrap();
		for (from, until) in
			[(Some(head), "included until block 164: ask"), (None, "included: ask")]
		{
			let error = match &error {
				SubmitError::Refused(refusal) => SubmitError::Refused(*refusal),
				SubmitError::Lapsed { blocks } => SubmitError::Lapsed { blocks: *blocks },
				SubmitError::Invalid { reason } => SubmitError::Invalid { reason: reason.clone() },
				other => panic!("{other}"),
			};
			let told = error.by_word_of_node(from);
			assert!(told.may_be_included() && !told.is_verdict(), "{told}");
			let told = told.to_string();
			assert!(told.contains(problem) && told.contains("which nothing proves"), "{told}");
			assert!(told.contains(until) && !told.contains(&format!(": {step}")), "{told}");
		}
	}
	for error in [
		SubmitError::Unfit { reason: String::new() },
		failed(&DispatchError::BadOrigin),
		SubmitError::TimedOut { extrinsic: String::new(), seconds: 1 },
	] {
		let sentence = error.to_string();
		assert_eq!(error.by_word_of_node(Some(head)).to_string(), sentence);
	}
}

#[test]
fn a_transaction_that_was_on_its_way_is_not_given_up_for_how_the_request_failed() {
	for error in
		[BackendError::Other("what is this".into()), BackendError::Rpc(RpcError::LimitReached)]
	{
		let Err(error) = submission_failed(ExtrinsicError::ErrorSubmittingTransaction(error))
		else {
			panic!("it failed");
		};
		assert!(error.may_be_included(), "{error}");
	}
}

#[test]
fn a_transaction_that_the_pool_has_already_is_waited_for() {
	let refused = |code| {
		let error = subxt_rpcs::Error::User(user_error(code, "Transaction Already Imported", None));
		let error = BackendError::Rpc(RpcError::ClientError(error));
		submission_failed(ExtrinsicError::ErrorSubmittingTransaction(error))
	};
	assert!(matches!(refused(1013), Ok(Watched::Lost)));
	assert!(matches!(refused(1012), Err(SubmitError::Invalid { .. })));
}

#[test]
fn a_runtime_error_is_a_sentence() {
	let error = failed(&DispatchError::BadOrigin).to_string();
	assert!(error.contains("may not make this call"), "{error}");
}

#[test]
fn a_number_that_was_used_is_no_reason_to_give_a_transaction_up() {
	for reason in [TransactionInvalid::Stale, TransactionInvalid::Future] {
		let error = refused(&reason);
		assert!(error.is_verdict() && !error.is_final_verdict(), "{error}");
	}
	let error = refused(&TransactionInvalid::Payment);
	assert!(error.is_final_verdict(), "{error}");
	assert!(SubmitError::Refused(Refusal::DeviceExists).is_final_verdict());
	assert!(!SubmitError::Lapsed { blocks: 1 }.is_final_verdict());
}
