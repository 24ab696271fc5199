//! `revoke_members`.

use super::mock::*;
use crate::{ChunkMasks, RevokedMembers};
use codec::Encode;
use dpki_primitives::{
	fleet::{ChunkMask, Commitment},
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::dispatch::DispatchClass;
use frame_support::{assert_ok, dispatch::GetDispatchInfo};

const REASON: RevocationReason = RevocationReason::KeyCompromise;

fn revoke_call(chunks: ChunkMasks, reason: RevocationReason) -> Call {
	Call::revoke_members { fleet: drones(), chunks, reason }
}

fn revoke(members: &[u32], reason: RevocationReason) {
	assert_ok!(transact(REGISTRAR, revoke_call(masks(members), reason)));
}

#[test]
fn some_members_are_revoked_and_the_others_are_not() {
	run(|| {
		committed(5_000);
		TestTime::set(NOW + 7);
		revoke(&[0, 9, 4_095, 4_096, 4_999], REASON);
		let leaves = leaves(5_000, 0);
		let status = |index| Pallet::member_status(&prove(&leaves, index));
		let revoked = Status::Revoked(Revocation { reason: REASON, at: NOW + 7 });
		for index in [0, 9, 4_095, 4_096, 4_999] {
			assert_eq!(status(index), revoked, "{index}");
		}
		for index in [1, 8, 10, 4_094, 4_097, 4_998] {
			assert_eq!(status(index), Status::Valid, "{index}");
		}
		assert_eq!(
			events().last(),
			Some(&Event::MembersRevoked {
				fleet: drones(),
				organisation: acme(),
				reason: REASON,
				members: 5,
				chunks: vec![0, 1],
			})
		);
		assert_eq!(RevokedMembers::<Test>::iter().count(), 2);
	});
}

#[test]
fn revoked_stays_revoked_through_growth_and_rotation() {
	run(|| {
		committed(5);
		revoke(&[2], REASON);
		let revoked = Status::Revoked(Revocation { reason: REASON, at: NOW });
		let rotate = Call::rotate { fleet: drones(), commitment: commitment(5, 1), grace: 0 };
		assert_ok!(transact(REGISTRAR, rotate));
		carry(1);
		let leaves = leaves(9, 1);
		assert_eq!(Pallet::member_status(&prove(&leaves[..5], 2)), revoked);
		let (commitment, proof) = (cut(&leaves).0, prove_growth(&leaves, 5));
		let append = Call::append { fleet: drones(), commitment, grace: 0, proof };
		assert_ok!(transact(REGISTRAR, append));
		carry(2);
		assert_eq!(Pallet::member_status(&prove(&leaves, 2)), revoked);
		assert_eq!(Pallet::member_status(&prove(&leaves, 8)), Status::Valid);
	});
}

#[test]
fn the_first_reason_and_time_stand() {
	run(|| {
		committed(5);
		revoke(&[2], REASON);
		TestTime::set(NOW + 1);
		let other = RevocationReason::CessationOfOperation;
		is_refused(REGISTRAR, revoke_call(masks(&[2]), other), Error::NothingRevoked);
		revoke(&[2, 3], other);
		let status = |index| Pallet::member_status(&prove(&leaves(5, 0), index));
		assert_eq!(status(2), Status::Revoked(Revocation { reason: REASON, at: NOW }));
		assert_eq!(status(3), Status::Revoked(Revocation { reason: other, at: NOW + 1 }));
	});
}

#[test]
fn members_of_a_revoked_fleet_are_not_revoked_again() {
	run(|| {
		committed(100);
		assert_ok!(transact(REGISTRAR, Call::revoke_fleet { fleet: drones(), reason: REASON }));
		is_refused(REGISTRAR, revoke_call(masks(&[7]), REASON), Error::FleetWasRevoked);
	});
}

#[test]
fn a_call_that_revokes_nobody_is_refused() {
	run(|| {
		committed(5);
		is_refused(REGISTRAR, revoke_call(Default::default(), REASON), Error::NothingRevoked);
		let zeros = ChunkMask { chunk: 0, mask: vec![0; 512].try_into().unwrap() };
		let zeros = vec![zeros].try_into().unwrap();
		is_refused(REGISTRAR, revoke_call(zeros, REASON), Error::NothingRevoked);
	});
}

#[test]
fn chunks_come_in_order_and_once() {
	run(|| {
		assert_ok!(commit(Commitment { size: 10_000, ..commitment(1, 0) }));
		let mask = |chunk| ChunkMask { chunk, mask: vec![1].try_into().unwrap() };
		for order in [[1, 0], [1, 1]] {
			let chunks = order.map(mask).to_vec().try_into().unwrap();
			is_refused(REGISTRAR, revoke_call(chunks, REASON), Error::ChunksUnordered);
		}
	});
}

#[test]
fn a_place_that_no_commitment_has_is_refused() {
	run(|| {
		committed(5);
		for member in [5, 4_095, 4_096, 1 << 24] {
			is_refused(REGISTRAR, revoke_call(masks(&[member]), REASON), Error::MemberUnknown);
		}
		// One of a candidate can be revoked before it counts.
		let rotate = Call::rotate { fleet: drones(), commitment: commitment(7, 1), grace: 0 };
		assert_ok!(transact(REGISTRAR, rotate));
		revoke(&[6], REASON);
		is_refused(REGISTRAR, revoke_call(masks(&[7]), REASON), Error::MemberUnknown);
	});
}

#[test]
fn a_million_members_are_revoked_in_one_call() {
	run(|| {
		assert_ok!(commit(Commitment { size: 1_000_000, ..commitment(1, 0) }));
		carry(0);
		let chunks: Vec<_> = (0..245u16)
			.map(|chunk| {
				let last = if chunk == 244 { 72 } else { 512 };
				ChunkMask { chunk, mask: vec![0xff; last].try_into().unwrap() }
			})
			.collect();
		let call = revoke_call(chunks.try_into().unwrap(), REASON);
		assert!(call.encoded_size() <= 125 * 1024, "{}", call.encoded_size());
		assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational);
		assert_ok!(transact(REGISTRAR, call));
		let Some(Event::MembersRevoked { members, .. }) = events().pop() else {
			panic!("the last event tells of the revocation")
		};
		assert_eq!(members, 1_000_000);
		let counted: u32 = RevokedMembers::<Test>::iter().map(|(.., chunk)| chunk.count()).sum();
		assert_eq!(counted, 1_000_000);
	});
}
