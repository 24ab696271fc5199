//! The vectors of the status function, answered from the storage: that records are turned into verdicts by that
//! function and by nothing else.

use super::mock::*;
use crate::{Anchors, Devices, Keys};
use dpki_primitives::{
	status::Status,
	vectors::{self, ANCHOR, DEVICE, KEY, Told},
};
use frame_support::assert_ok;

#[test]
fn the_registry_answers_the_vectors() {
	let words = vectors::judge(
		|told| !matches!(told, Told::Member { .. } | Told::Certificate { .. }),
		|told, now| {
			ext().execute_with(|| {
				set_time(now);
				match told {
					Told::Anchor(own) => {
						Anchors::<Test>::set(ANCHOR, own);
						Dpki::anchor_status(ANCHOR)
					},
					Told::Device(own) => {
						Devices::<Test>::set(DEVICE, own);
						Dpki::device_status(DEVICE)
					},
					Told::Key(own, device) => {
						Keys::<Test>::set(KEY, own);
						Devices::<Test>::set(DEVICE, device);
						Dpki::key_status(KEY)
					},
					Told::Member { .. } | Told::Certificate { .. } => {
						unreachable!("fleets and certificates are not this pallet's")
					},
				}
			})
		},
	);
	assert_eq!(words.len(), 8, "each verdict is given: {words:?}");
}

#[test]
fn a_retired_root_that_has_expired_is_expired() {
	run(|| {
		let anchor = super::certificates::register_root();
		assert_ok!(Dpki::retire_anchor(signed(CAROL), anchor));
		assert_eq!(Dpki::anchor_status(anchor), Status::Superseded);
		set_time(2_208_988_801_000);
		assert_eq!(Dpki::anchor_status(anchor), Status::Expired);
	});
}
