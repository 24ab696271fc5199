//! What whoever cannot pay is refused, and what he is not.

use super::{batches, kit::*, mock::*, pki::Party, purse::Purse, requests};
use dpki_primitives::{
	anchor::{AnchorKind, Basis, Profile},
	device::Compromised,
	ids::{AnchorId, VoucherCommitment},
	key::KeyPurpose::*,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, storage};
use sp_core::Pair as _;
use sp_runtime::TokenError;

fn first() -> Pair {
	Pair::ed25519(1)
}

/// The call asks for a fee and a deposit, changes nothing for who is short of either, and is carried out for who has both.
#[track_caller]
fn takes_fee_and_deposit(call: impl Fn() -> DispatchResult) {
	// As in an extrinsic, which changes everything or nothing.
	let transact = || storage::with_storage_layer(&call);
	for purse in [Purse::Empty, Purse::WithoutDeposits] {
		purse.set();
		assert_noop!(transact(), TokenError::FundsUnavailable);
	}
	Purse::Full.set();
	assert_ok!(transact());
}

#[test]
fn an_anchor_is_paid_for() {
	run(|| {
		let kind = AnchorKind::SshUserCa;
		let material = ssh_ed25519(&first());
		let possession = first().sign(&anchor_context(&ALICE, kind, &material).payload());
		takes_fee_and_deposit(|| {
			let (material, possession) = (material.clone(), possession.clone());
			let expires_at = NOW + 1_000;
			Dpki::register_anchor(signed(ALICE), acme(), kind, material, possession, expires_at)
		});
		assert!(Dpki::anchor(AnchorId::of(kind, &material)).is_some());
	});
}

#[test]
fn an_authority_is_paid_for() {
	run(|| {
		let root = Party::root("Root");
		takes_fee_and_deposit(|| root.register(Basis::SelfSigned(Profile::Rfc5280)));
		let unit = root.issue("Unit");
		takes_fee_and_deposit(|| unit.register(Basis::IssuedBy(root.id())));
	});
}

#[test]
fn a_voucher_is_paid_for() {
	run(|| {
		let commitment = VoucherCommitment::of(&voucher_pair().public().0);
		takes_fee_and_deposit(|| {
			let expires_at = NOW + 1_000;
			Dpki::issue_voucher(signed(BOB), acme(), commitment, name("drone-1"), expires_at)
		});
	});
}

#[test]
fn a_key_and_another_one_in_its_place_are_paid_for() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, first())]);
		let (second, third) = (Pair::ed25519(2), Pair::ed25519(3));
		let wish = Wish::own(device, Tls, &second, &first()).by_bob();
		takes_fee_and_deposit(|| wish.register());
		let wish = Wish::own(device, Tls, &third, &first()).by_bob().replacing(&second, 0);
		takes_fee_and_deposit(|| wish.register());
	});
}

#[test]
fn who_approves_a_request_pays_for_the_device_or_for_the_key() {
	run(|| {
		requests::open();
		assert_ok!(requests::request(&MALLORY, "drone-1", &first()));
		let id = requests::newest();
		takes_fee_and_deposit(|| Dpki::approve_request(signed(BOB), id));
		let device = requests::device("drone-1");
		requests::request_further(&MALLORY, device, "drone-1", &Pair::ed25519(2), &first());
		let id = requests::newest();
		takes_fee_and_deposit(|| Dpki::approve_request(signed(BOB), id));
	});
}

#[test]
fn a_batch_is_paid_for_as_a_whole() {
	run(|| {
		let drones = || vec![batches::drone(1), batches::drone(2)];
		takes_fee_and_deposit(|| batches::register(drones()));
	});
}

/// Who has nothing left can still take the power of a key away, and so can whoever has found it.
#[test]
fn what_ends_something_is_for_nothing() {
	run(|| {
		let device = enrol("drone-1", &[(Sign, first()), (Tls, Pair::ed25519(2))]);
		Purse::Empty.set();
		assert_ok!(Dpki::revoke_key(signed(BOB), Pair::ed25519(2).id(), REASON));
		let (what, proof) = (Compromised::Key(first().id()), compromise(&first()));
		assert_ok!(Dpki::report_compromise(signed(MALLORY), what, proof));
		assert_ok!(Dpki::revoke_device(signed(BOB), device, REASON));
	});
}
