//! What keeps an organisation from being dissolved.

use super::mock::*;
use crate::Pallet;
use dpki_primitives::{ids::VoucherCommitment, key::KeyPurpose, organisation::Belongings};
use frame_support::assert_ok;
use sp_core::Pair as _;

fn is_empty() -> bool {
	<Pallet<Test> as Belongings>::is_empty(acme())
}

#[test]
fn an_organisation_that_registered_nothing_is_empty() {
	run(|| {
		assert!(is_empty());
		assert_ok!(Dpki::issue_voucher(
			signed(MALLORY),
			other(),
			VoucherCommitment::of(&voucher_pair().public().0),
			name("drone-7"),
			NOW + 1_000
		));
		assert!(is_empty(), "what others register is theirs");
	});
}

#[test]
fn an_anchor_is_remembered_even_if_it_was_revoked() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		assert!(!is_empty());
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert!(!is_empty());
	});
}

#[test]
fn a_device_is_remembered_even_if_it_was_revoked() {
	run(|| {
		let device = enrol("drone-7", &[(KeyPurpose::Sign, Pair::ed25519(1))]);
		assert!(!is_empty());
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
		assert!(!is_empty());
	});
}

#[test]
fn a_voucher_is_remembered_because_a_device_could_come_with_it() {
	run(|| {
		let voucher = issue(&voucher_pair(), "drone-7");
		assert!(!is_empty());
		assert_ok!(Dpki::cancel_voucher(signed(BOB), voucher));
		assert!(!is_empty());
	});
}
