//! Pointers to revocation lists.

use super::{mock::*, pki::*};
use crate::{Error, Event};
use dpki_primitives::{anchor::CrlPointer, ids::AnchorId};
use frame_support::{assert_noop, assert_ok};

fn pointer(url: &str) -> CrlPointer {
	CrlPointer { url: url.as_bytes().to_vec().try_into().unwrap(), digest: Some([7; 32]) }
}

#[test]
fn an_anchor_says_where_its_revocation_list_is_and_takes_it_back() {
	run(|| {
		let anchor = Party::root("Root").register_root();
		for pointer in [Some(pointer("https://a.example/ca.crl")), None] {
			assert_ok!(Dpki::set_crl_pointer(signed(CAROL), anchor, pointer.clone()));
			assert_eq!(Dpki::crl_pointer(anchor), pointer);
			assert_eq!(last_event(), Event::CrlPointerSet { anchor, pointer }.into());
		}
	});
}

#[test]
fn a_pointer_is_an_address_of_an_x509_anchor() {
	run(|| {
		let anchor = Party::root("Root").register_root();
		let ssh = register_ssh(&Pair::ed25519(1));
		let good = pointer("https://a.example/ca.crl");
		assert_noop!(
			Dpki::set_crl_pointer(signed(CAROL), anchor, Some(pointer("ca.crl"))),
			Error::<Test>::CrlUrlInvalid
		);
		assert_noop!(
			Dpki::set_crl_pointer(signed(CAROL), ssh, Some(good.clone())),
			Error::<Test>::AnchorNotX509
		);
		assert_noop!(
			Dpki::set_crl_pointer(signed(CAROL), AnchorId([0; 32]), Some(good)),
			Error::<Test>::AnchorUnknown
		);
	});
}

#[test]
fn only_an_anchor_manager_sets_a_pointer() {
	run(|| {
		let anchor = Party::root("Root").register_root();
		for who in [BOB, MALLORY] {
			assert_noop!(
				Dpki::set_crl_pointer(signed(who), anchor, None),
				Error::<Test>::RoleMissing
			);
		}
	});
}
