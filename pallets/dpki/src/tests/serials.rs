//! A serial number is that of one certificate of its issuer.

use super::{mock::*, pki::*};
use crate::{AnchorMaterials, Error, Serials};
use dpki_primitives::{
	anchor::{Basis, Profile, serial_digest},
	ids::KeyId,
};
use frame_support::assert_ok;
use rcgen::{CertificateParams, SerialNumber};

/// Gives a certificate this number.
fn number(serial: &'static [u8]) -> impl FnOnce(&mut CertificateParams) {
	move |params| params.serial_number = Some(SerialNumber::from_slice(serial))
}

#[test]
fn two_certificates_of_one_issuer_cannot_have_one_number() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue_with("Unit", number(&[9]));
		unit.register_below(&root);
		let digest = serial_digest(&[9]);
		assert_eq!(Serials::<Test>::get(root.key_id(), digest), Some(unit.id()));
		let again = root.issue_with("Another unit", number(&[9]));
		again.assert_refused_below(&root, Error::CertificateSerialTaken);
		root.issue_with("A third unit", number(&[10])).register_below(&root);
	});
}

#[test]
fn a_number_is_taken_for_ever() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue_with("Unit", number(&[9]));
		unit.register_below(&root);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		let again = root.issue_with("Unit", number(&[9]));
		again.assert_refused_below(&root, Error::CertificateSerialTaken);
	});
}

#[test]
fn issuers_number_what_they_issue_each_for_itself() {
	run(|| {
		let (first, second) = (Party::root("First"), Party::root("Second"));
		for root in [&first, &second] {
			root.register_root();
			root.issue_with("Unit", number(&[9])).register_below(root);
		}
	});
}

#[test]
fn the_numbers_of_two_anchors_of_one_key_are_those_of_one_issuer() {
	run(|| {
		let first = Party::root("Root");
		let second = Party::root_of(authority("Root"), first.copy_of_pair());
		for root in [&first, &second] {
			root.register_root();
		}
		first.issue_with("Unit", number(&[9])).register_below(&first);
		let other = second.issue_with("Another unit", number(&[9]));
		other.assert_refused_below(&second, Error::CertificateSerialTaken);
	});
}

#[test]
fn a_refused_authority_takes_no_number() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let stranger = Party::root("Stranger").issue_with("Unit", number(&[9]));
		assert!(stranger.register(Basis::IssuedBy(root.id())).is_err());
		root.issue_with("Unit", number(&[9])).register_below(&root);
	});
}

#[test]
fn what_stands_by_itself_takes_no_number_of_anybody() {
	run(|| {
		let mut params = authority("Root");
		number(&[9])(&mut params);
		let root = Party::root_of(params, ed25519_pair());
		assert_ok!(root.register(Basis::SelfSigned(Profile::Rfc5280)));
		assert_eq!(Serials::<Test>::iter().count(), 0);
		root.issue_with("Unit", number(&[9])).register_below(&root);
	});
}

/// Runs `corrupt` on a good state and expects the check of the state to notice.
fn is_noticed(corrupt: impl FnOnce(&Party, &Party)) {
	ext().execute_with(|| {
		let (root, unit, _) = tree_to_2030();
		assert_ok!(Dpki::do_try_state());
		corrupt(&root, &unit);
		assert!(Dpki::do_try_state().is_err());
	});
}

#[test]
fn a_broken_index_of_numbers_is_noticed() {
	let digest = || Serials::<Test>::iter().next().expect("there is one").1;
	is_noticed(|root, _| Serials::<Test>::remove(root.key_id(), digest()));
	is_noticed(|root, unit| Serials::<Test>::insert(root.key_id(), [1; 32], unit.id()));
	is_noticed(|root, _| Serials::<Test>::insert(root.key_id(), digest(), root.id()));
	is_noticed(|_, unit| Serials::<Test>::insert(KeyId([1; 32]), digest(), unit.id()));
	is_noticed(|_, unit| AnchorMaterials::<Test>::remove(unit.id()));
}
