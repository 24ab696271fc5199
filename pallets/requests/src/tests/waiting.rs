//! The list of what waits for an organisation.

use super::mock::*;
use crate::Filings;
use dpki_primitives::filing::{FilingStanding, Objection};
use frame_support::assert_ok;

fn slots() -> Vec<u8> {
	let page = Pallet::waiting_for(ACME, 0);
	assert_eq!(page.total as usize, page.items.len());
	page.items
		.into_iter()
		.map(|(device, slot)| (device == drone()).then_some(slot).unwrap())
		.collect()
}

fn position(slot: u8) -> Option<u32> {
	match Filings::<Test>::get(drone(), slot)?.standing {
		FilingStanding::Waiting { position } => Some(position),
		_ => None,
	}
}

fn refuse(slot: u8) {
	let content = Said::web(slot, 0).content();
	let origin = RuntimeOrigin::signed(publisher());
	assert_ok!(Pallet::refuse(origin, drone(), slot, content, Objection::Unspecified));
}

#[test]
fn the_last_one_takes_the_place_of_one_that_ends() {
	run(|| {
		for slot in 0..4u8 {
			accept(Said::web(slot, slot.into()).file());
		}
		assert_eq!(slots(), [0, 1, 2, 3]);
		refuse(1);
		assert_eq!(slots(), [0, 3, 2]);
		assert_eq!((position(3), position(1)), (Some(1), None));
		assert_ok!(Pallet::do_try_state());
		refuse(2);
		assert_eq!(slots(), [0, 3]);
		refuse(0);
		refuse(3);
		assert!(slots().is_empty());
	});
}

#[test]
fn a_page_begins_where_the_one_before_it_ended() {
	run(|| {
		for slot in 0..3u8 {
			accept(Said::web(slot, slot.into()).file());
		}
		let page = Pallet::waiting_for(ACME, 2);
		assert_eq!((page.total, page.next, page.items), (3, None, vec![(drone(), 2)]));
		assert_eq!(Pallet::waiting_for(ACME, 9).items, []);
	});
}
