//! What an anchor has issued, and what ends soon.

use super::{mock::*, pki::*};
use crate::{ChildCount, Children};
use dpki_primitives::{
	anchor::{Basis, Profile},
	certificate::Page,
	ids::AnchorId,
};
use frame_support::assert_ok;

fn children(of: &Party) -> Vec<AnchorId> {
	let Page { total, next, items } = Dpki::children_of(of.id(), 0);
	assert_eq!((total as usize, next), (items.len(), None));
	items
}

#[test]
fn an_anchor_lists_what_it_has_issued_and_nothing_that_is_further_below() {
	run(|| {
		let (root, unit, team) = tree_to_2030();
		assert_eq!(children(&root), [unit.id()]);
		team.register_below(&unit);
		let second = root.issue("Second");
		second.register_below(&root);
		assert_eq!(children(&root), [unit.id(), second.id()]);
		assert_eq!(children(&unit), [team.id()]);
		assert_eq!(children(&team), []);
	});
}

#[test]
fn what_was_revoked_stays_on_the_list() {
	run(|| {
		let (root, unit, _) = tree_to_2030();
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		assert_eq!(children(&root), [unit.id()]);
	});
}

#[test]
fn a_refused_authority_is_on_no_list() {
	run(|| {
		let (root, _, _) = tree_to_2030();
		let before = children(&root);
		let stranger = Party::root("Stranger").issue("Unit");
		assert!(stranger.register(Basis::IssuedBy(root.id())).is_err());
		assert_eq!(children(&root), before);
		let alone = Party::root("Alone");
		assert_ok!(alone.register(Basis::SelfSigned(Profile::Rfc5280)));
		assert_eq!(children(&alone), []);
	});
}

#[test]
fn an_anchor_that_ends_soon_is_told_by_its_end_and_by_its_rollover() {
	run(|| {
		let (root, unit, _) = tree_to_2030();
		let end = Dpki::anchor(root.id()).unwrap().ends_at().expect("a certificate ends");
		assert_eq!(Dpki::anchors_ending(acme(), end - 1), []);
		assert_eq!(Dpki::anchors_ending(acme(), end), [root.id()]);
		assert_eq!(Dpki::anchors_ending(acme(), LAST), [root.id(), unit.id()]);

		let successor = root.issue("Successor");
		successor.register_below(&root);
		let retire_at = NOW + 1_000;
		assert_ok!(Dpki::plan_rollover(signed(CAROL), unit.id(), successor.id(), retire_at));
		assert_eq!(Dpki::anchors_ending(acme(), retire_at), [unit.id()]);
		set_time(retire_at + 1);
		assert_eq!(Dpki::anchors_ending(acme(), retire_at + 1), [], "it has ended");
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
fn a_broken_list_of_children_is_noticed() {
	is_noticed(|root, _| ChildCount::<Test>::insert(root.id(), 0));
	is_noticed(|root, _| ChildCount::<Test>::insert(root.id(), 2));
	is_noticed(|root, _| Children::<Test>::remove(root.id(), 0));
	is_noticed(|root, _| Children::<Test>::insert(root.id(), 0, root.id()));
	is_noticed(|root, unit| {
		Children::<Test>::insert(root.id(), 1, unit.id());
		ChildCount::<Test>::insert(root.id(), 2);
	});
	is_noticed(|root, unit| {
		Children::<Test>::insert(unit.id(), 0, root.id());
		ChildCount::<Test>::insert(unit.id(), 1);
	});
}
