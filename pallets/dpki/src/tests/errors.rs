//! What people read when a call is refused: wallets and explorers show the sentences of the metadata.

use super::mock::Test;
use crate::Error;
use scale_info::{TypeDef, TypeInfo};

#[test]
fn every_error_names_the_problem_and_the_next_step_in_one_sentence() {
	let TypeDef::Variant(errors) = Error::<Test>::type_info().type_def else {
		panic!("errors are an enumeration")
	};
	assert!(!errors.variants.is_empty());
	for error in errors.variants {
		let sentence = error.docs.join(" ");
		let (problem, step) = sentence.split_once(": ").unwrap_or_default();
		assert!(!problem.is_empty() && !step.is_empty(), "{}: {sentence:?}", error.name);
		assert!(sentence.ends_with('.') && !sentence.contains(". "), "{}", error.name);
	}
}
