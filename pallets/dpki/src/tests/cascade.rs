//! What ends with an anchor, and who may end it.

use super::{mock::*, pki::*};
use crate::{Error, Event};
use dpki_primitives::{
	anchor::Basis,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::{assert_noop, assert_ok};

const REVOKED: Revocation = Revocation { reason: REASON, at: NOW };

#[test]
fn revoking_an_anchor_ends_everything_below_in_the_same_block() {
	run(|| {
		let (root, unit, team) = tree_to_2030();
		team.register_below(&unit);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), root.id(), REASON));
		assert_eq!(Dpki::anchor_status(root.id()), Status::Revoked(REVOKED));
		for below in [&unit, &team] {
			assert_eq!(Dpki::anchor_status(below.id()), Status::IssuerRevoked(REVOKED));
			assert_eq!(Dpki::anchor(below.id()).unwrap().revocation, None, "nothing iterates");
		}
	});
}

#[test]
fn an_expired_root_expires_everything_below() {
	run(|| {
		let (_, unit, _) = tree_to_2030();
		set_time(1_893_456_000_999);
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Valid);
		set_time(1_893_456_001_000);
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Expired);
	});
}

/// A root of [`acme`], and a unit of [`other`] below it.
fn shared_tree() -> (Party, Party) {
	let root = Party::root("Root");
	root.register_root();
	let unit = root.issue("Unit");
	unit.register_for(MALLORY, other(), Basis::IssuedBy(root.id())).unwrap();
	(root, unit)
}

#[test]
fn an_issuer_takes_back_what_it_issued_and_no_more() {
	run(|| {
		let (_, unit) = shared_tree();
		let another = Party::root("Another");
		another.register_root();
		let elsewhere = unit.reissued_by(&another, 7);
		assert_ok!(elsewhere.register_for(MALLORY, other(), Basis::IssuedBy(another.id())));

		assert_noop!(
			Dpki::revoke_anchor(signed(BOB), unit.id(), REASON),
			Error::<Test>::RoleMissing
		);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		let event =
			Event::AnchorRevoked { anchor: unit.id(), organisation: other(), reason: REASON };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Revoked(REVOKED));
		assert_eq!(Dpki::anchor_status(elsewhere.id()), Status::Valid);
		assert_noop!(
			Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON),
			Error::<Test>::AnchorAlreadyRevoked
		);
	});
}

#[test]
fn what_an_issuer_took_back_does_not_return_under_another_certificate_of_it() {
	run(|| {
		let (root, unit) = shared_tree();
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		let again = unit.reissued_by(&root, 9);
		assert_noop!(
			again.register_for(MALLORY, other(), Basis::IssuedBy(root.id())),
			Error::<Test>::AnchorKeyWithdrawn
		);
	});
}

#[test]
fn an_issuer_takes_back_every_certificate_that_it_gave_to_the_key() {
	run(|| {
		let (root, unit) = shared_tree();
		let again = unit.reissued_by(&root, 9);
		assert_ok!(again.register_for(MALLORY, other(), Basis::IssuedBy(root.id())));
		let another = Party::root("Another");
		another.register_root();
		let elsewhere = unit.reissued_by(&another, 7);
		assert_ok!(elsewhere.register_for(MALLORY, other(), Basis::IssuedBy(another.id())));

		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		for anchor in [unit.id(), again.id()] {
			assert_eq!(Dpki::anchor_status(anchor), Status::Revoked(REVOKED));
		}
		assert_eq!(Dpki::anchor_status(elsewhere.id()), Status::Valid);
		let left: Vec<_> = Dpki::anchors_of(other()).into_iter().map(|(id, _)| id).collect();
		assert_eq!(left, [elsewhere.id()]);
		assert_noop!(
			Dpki::revoke_anchor(signed(CAROL), again.id(), REASON),
			Error::<Test>::AnchorAlreadyRevoked
		);
	});
}

#[test]
fn an_issuer_whose_root_was_renewed_takes_back_what_it_gave_under_either() {
	run(|| {
		let (root, unit) = shared_tree();
		let mut params = root.params.clone();
		params.serial_number = Some(rcgen::SerialNumber::from_slice(&[77]));
		let renewed = Party::root_of(params, root.copy_of_pair());
		renewed.register_root();
		let below = unit.reissued_by(&renewed, 9);
		assert_ok!(below.register_for(MALLORY, other(), Basis::IssuedBy(renewed.id())));

		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		for anchor in [unit.id(), below.id()] {
			assert_eq!(Dpki::anchor_status(anchor), Status::Revoked(REVOKED));
		}
		let again = unit.reissued_by(&renewed, 10);
		assert_noop!(
			again.register_for(MALLORY, other(), Basis::IssuedBy(renewed.id())),
			Error::<Test>::AnchorKeyWithdrawn
		);
	});
}

#[test]
fn the_holder_of_a_key_ends_it_also_after_an_issuer_took_back_its_part() {
	run(|| {
		let (root, unit) = shared_tree();
		let another = Party::root("Another");
		another.register_root();
		let elsewhere = unit.reissued_by(&another, 7);
		assert_ok!(elsewhere.register_for(MALLORY, other(), Basis::IssuedBy(another.id())));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), RevocationReason::Unspecified));
		set_time(NOW + 5);
		assert_ok!(Dpki::revoke_anchor(signed(MALLORY), unit.id(), REASON));
		let later = Revocation { reason: REASON, at: NOW + 5 };
		assert_eq!(Dpki::anchor_status(elsewhere.id()), Status::Revoked(later));
		let first = Revocation { reason: RevocationReason::Unspecified, at: NOW };
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Revoked(first), "the first stands");
		assert_eq!(Dpki::anchor_status(root.id()), Status::Valid);
	});
}

#[test]
fn revoking_an_anchor_ends_every_anchor_of_its_key_whoever_has_it() {
	run(|| {
		let (root, unit) = shared_tree();
		let another = Party::root("Another");
		another.register_root();
		let elsewhere = unit.reissued_by(&another, 7);
		elsewhere.register_below(&another);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), elsewhere.id(), REASON));
		for anchor in [unit.id(), elsewhere.id()] {
			assert_eq!(Dpki::anchor_status(anchor), Status::Revoked(REVOKED));
		}
		assert!(Dpki::anchors_of(other()).is_empty());
		assert!(Dpki::anchors_of_key(Dpki::anchor(unit.id()).unwrap().key_id).is_empty());
		let again = unit.reissued_by(&root, 9);
		again.assert_refused_below(&root, Error::AnchorKeyWasRevoked);
		assert_eq!(Dpki::anchor_status(root.id()), Status::Valid);
	});
}
