//! `publish` inside of another call, and what could make it seem direct.

use super::{doubles::TestOrganisations, mock::*};
use crate::{Deliveries, DirectPublish};
use dpki_primitives::{delivery::Suite, ids::KeyId};
use frame_support::{
	assert_ok,
	dispatch::{DispatchInfo, GetDispatchInfo, RawOrigin},
	weights::Weight,
};
use sp_runtime::{DispatchError, traits::TransactionExtension};

fn utility(call: pallet_utility::Call<Test>) -> RuntimeCall {
	call.into()
}

fn sudo(call: pallet_sudo::Call<Test>) -> RuntimeCall {
	call.into()
}

/// Applies `wrapper`, whatever becomes of it, and expects that the call in it was not carried out.
fn is_not_carried_out(wrapper: impl FnOnce() -> RuntimeCall) {
	let indexed = run(|| {
		let _ = apply(wrapper()).unwrap();
		assert_eq!(Deliveries::<Test>::iter().count(), 0);
		assert!(events().is_empty());
	});
	assert!(indexed.is_empty());
}

fn call() -> RuntimeCall {
	publish_call(1, envelope(100))
}

#[test]
fn a_batch_with_one_publish_is_refused_as_nested() {
	is_not_carried_out(|| utility(pallet_utility::Call::batch { calls: vec![call()] }));
	run(|| {
		let wrapper = utility(pallet_utility::Call::batch_all { calls: vec![call()] });
		let refused = apply(wrapper).unwrap().unwrap_err();
		assert_eq!(refused, Error::CallNested.into());
	});
}

#[test]
fn no_wrapper_of_calls_carries_a_publish() {
	is_not_carried_out(|| utility(pallet_utility::Call::batch_all { calls: vec![call()] }));
	is_not_carried_out(|| utility(pallet_utility::Call::force_batch { calls: vec![call()] }));
	is_not_carried_out(|| {
		let derivative = pallet_utility::derivative_account_id(publisher(), 0);
		TestOrganisations::add_publisher(ACME, derivative);
		utility(pallet_utility::Call::as_derivative { index: 0, call: Box::new(call()) })
	});
	is_not_carried_out(|| {
		utility(pallet_utility::Call::if_else {
			main: Box::new(frame_system::Call::kill_storage { keys: vec![] }.into()),
			fallback: Box::new(call()),
		})
	});
}

#[test]
fn sudo_carries_no_publish() {
	is_not_carried_out(|| sudo(pallet_sudo::Call::sudo { call: Box::new(call()) }));
	is_not_carried_out(|| {
		sudo(pallet_sudo::Call::sudo_as { who: publisher(), call: Box::new(call()) })
	});
	is_not_carried_out(|| {
		sudo(pallet_sudo::Call::sudo_unchecked_weight {
			call: Box::new(call()),
			weight: Weight::zero(),
		})
	});
}

#[test]
fn root_cannot_make_a_publish_direct_by_choosing_its_origin() {
	is_not_carried_out(|| {
		let dispatch_as = utility(pallet_utility::Call::dispatch_as {
			as_origin: Box::new(RawOrigin::Signed(publisher()).into()),
			call: Box::new(call()),
		});
		sudo(pallet_sudo::Call::sudo { call: Box::new(dispatch_as) })
	});
}

#[test]
fn a_direct_publish_leaves_nothing_for_the_next_extrinsic() {
	run(|| {
		publish(1);
		assert!(!DirectPublish::<Test>::exists());
		let wrapper = utility(pallet_utility::Call::batch_all {
			calls: vec![publish_call(2, envelope(100))],
		});
		assert_eq!(apply(wrapper).unwrap(), Err(Error::CallNested.into()));
	});
}

#[test]
fn a_direct_publish_that_failed_leaves_nothing_for_the_next_extrinsic() {
	run(|| {
		assert!(apply(publish_call(0, envelope(100))).unwrap().is_err());
		assert!(!DirectPublish::<Test>::exists());
		let wrapper = utility(pallet_utility::Call::batch_all { calls: vec![call()] });
		assert_eq!(apply(wrapper).unwrap(), Err(Error::CallNested.into()));
	});
}

#[test]
fn a_direct_publish_leaves_nothing_for_the_same_place_in_the_next_block() {
	run(|| {
		assert!(apply(publish_call(0, envelope(100))).unwrap().is_err());
		next_block();
		let wrapper = utility(pallet_utility::Call::batch_all { calls: vec![call()] });
		assert_eq!(apply(wrapper).unwrap(), Err(Error::CallNested.into()));
	});
}

/// Calls `publish` as a wrapper would, with no extension around it.
fn publish_without_extension(sequence: u64, recipient: KeyId) -> sp_runtime::DispatchResult {
	Pallet::publish(
		RuntimeOrigin::signed(publisher()),
		drone(),
		CHANNEL,
		sequence,
		Suite::X25519ChaCha20Poly1305,
		recipient,
		envelope(100),
	)
}

#[test]
fn a_note_serves_one_publish_only() {
	run(|| {
		Pallet::note_direct_publish();
		assert_ok!(publish_without_extension(1, recipient()));
		let again = publish_without_extension(2, recipient());
		assert_eq!(again, Err(Error::CallNested.into()));
	});
}

#[test]
fn a_note_for_another_extrinsic_is_worthless() {
	run(|| {
		let (block, index) = (System::block_number(), System::extrinsic_index().unwrap());
		for note in [(block, index + 1), (block + 1, index), (block - 1, index)] {
			DirectPublish::<Test>::put(note);
			assert_eq!(
				publish_without_extension(1, recipient()),
				Err(DispatchError::from(Error::CallNested))
			);
		}
		DirectPublish::<Test>::kill();
	});
}

#[test]
fn only_a_publish_costs_the_weight_of_the_extension() {
	run(|| {
		let extension = crate::DirectBlob::<Test>::new();
		let remark: RuntimeCall = frame_system::Call::remark { remark: vec![] }.into();
		assert_eq!(extension.weight(&remark), Weight::zero());
		assert!(extension.weight(&call()).any_gt(Weight::zero()));
		let DispatchInfo { extension_weight, .. } = signed(call()).get_dispatch_info();
		assert_eq!(extension_weight, extension.weight(&call()));
	});
}
