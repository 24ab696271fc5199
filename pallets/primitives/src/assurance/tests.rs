//! The vectors, and the properties that hold for any endorsements.

use super::*;
use crate::vectors::levels::{Case, cases};

fn assessed(case: &Case) -> Assessment {
	assess(&case.certificate, &case.endorsements, case.quorum, case.now)
}

#[test]
fn the_vectors_hold() {
	let cases = cases();
	assert!(cases.len() >= 30);
	let mut seen: Vec<_> = cases.iter().flat_map(|case| case.assert(&assessed(case))).collect();
	seen.sort_unstable();
	seen.dedup();
	assert_eq!(seen.len(), 9, "each finding has a case");
}

#[test]
fn no_endorsement_makes_a_valid_certificate_invalid() {
	for mut case in cases() {
		case.certificate.status = Status::Valid;
		assert!(assessed(&case).level.is_some(), "{}", case.name);
	}
}

#[test]
fn the_order_of_endorsements_does_not_change_the_level() {
	for mut case in cases() {
		let level = assessed(&case).level;
		case.endorsements.reverse();
		assert_eq!(assessed(&case).level, level, "{}", case.name);
	}
}

#[test]
fn fewer_endorsements_never_give_a_higher_level() {
	for mut case in cases() {
		let level = assessed(&case).level;
		let all = case.endorsements.clone();
		for left_out in 0..all.len() {
			case.endorsements = all.clone();
			case.endorsements.remove(left_out);
			assert!(assessed(&case).level <= level, "{}", case.name);
		}
	}
}
