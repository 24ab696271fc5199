//! Calls by which people decide together, and calls that only they can make.

use super::{Call, CallError, EncodedCall, check_len};
use crate::{
	AccountId,
	api::{BoundedVec, Weight, tx},
};
use dpki_primitives::{
	ids::OrganisationId,
	motion::{Body, CallBounds, Electorate, MAX_REASON_LEN, MotionId},
	organisation::DeliveryPolicy,
};
use subxt::{
	config::substrate::H256,
	utils::{AccountId32, MultiAddress, Static},
};

fn reason(text: &str) -> Result<BoundedVec<u8>, CallError> {
	check_len("the reason", text.len(), 0..=MAX_REASON_LEN)?;
	Ok(BoundedVec(text.as_bytes().to_vec()))
}

/// Proposes a motion, open for so many blocks, and votes for it. Where a single vote decides, its call is carried out at
/// once.
pub fn propose(
	electorate: Electorate,
	call: EncodedCall,
	period: u32,
	why: &str,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx().motions().propose(Static(electorate), Static(call), period, reason(why)?))
}

/// Votes on a motion, or replaces the own vote. The bounds are those of
/// [`View::motion`](crate::View::motion): this vote may be the one that carries it.
pub fn vote(
	motion: MotionId,
	aye: bool,
	why: &str,
	bounds: CallBounds,
) -> Result<impl Call + use<>, CallError> {
	let CallBounds { length, ref_time, proof_size } = bounds;
	let weight = Weight { ref_time, proof_size };
	Ok(tx().motions().vote(motion, aye, reason(why)?, length, weight))
}

/// Takes the own motion back.
pub fn withdraw(motion: MotionId, why: &str) -> Result<impl Call + use<>, CallError> {
	Ok(tx().motions().withdraw(motion, reason(why)?))
}

/// Closes a motion whose deadline has passed.
pub fn close(motion: MotionId) -> impl Call + use<> {
	tx().motions().close(motion)
}

/// Gives an account a seat in the council; for a motion of the council.
pub fn admit_trustee(account: &AccountId) -> impl Call + use<> {
	tx().council_membership().add_member(MultiAddress::Id(AccountId32(*account)))
}

/// Takes a seat in the council away; for a motion of the council.
pub fn remove_trustee(account: &AccountId) -> impl Call + use<> {
	tx().council_membership().remove_member(MultiAddress::Id(AccountId32(*account)))
}

/// Moves the seat in the council that the signer has to another account, which has none.
pub fn move_seat(to: &AccountId) -> impl Call + use<> {
	tx().council_membership().change_key(MultiAddress::Id(AccountId32(*to)))
}

/// Authorises the runtime of this BLAKE2-256 hash, which then anybody can bring; for [`as_root`].
pub fn authorize_upgrade(code_hash: [u8; 32]) -> impl Call + use<> {
	tx().system().authorize_upgrade(H256(code_hash))
}

/// Brings the code of a runtime that was authorised; by anybody, without a signature.
pub fn apply_authorized_upgrade(code: &[u8]) -> impl Call + use<> {
	tx().system().apply_authorized_upgrade(code.to_vec())
}

/// Makes a call as root; for a motion of the council.
pub fn as_root(call: EncodedCall) -> impl Call + use<> {
	tx().mandate().dispatch_as_root(Static(call))
}

/// Changes how deliveries of an organisation are approved: by an administrator under the policy `Simple`, else for a
/// motion of the body that the present policy names.
pub fn set_policy(organisation: OrganisationId, policy: DeliveryPolicy) -> impl Call + use<> {
	tx().organisations().set_policy(Static(organisation), Static(policy))
}

/// Offers the own membership to another account.
pub fn hand_over(organisation: OrganisationId, to: &AccountId) -> impl Call + use<> {
	tx().organisations().hand_over(Static(organisation), AccountId32(*to))
}

/// Takes the own offer back.
pub fn cancel_hand_over(organisation: OrganisationId) -> impl Call + use<> {
	tx().organisations().cancel_hand_over(Static(organisation))
}

/// Accepts the membership that another account has offered.
pub fn accept_hand_over(organisation: OrganisationId, from: &AccountId) -> impl Call + use<> {
	tx().organisations().accept_hand_over(Static(organisation), AccountId32(*from))
}

/// Begins to give an account a seat in a body whose keys were lost; for a motion of the council or of the administrators.
pub fn begin_recovery(
	organisation: OrganisationId,
	body: Body,
	account: &AccountId,
) -> impl Call + use<> {
	tx().organisations()
		.begin_recovery(Static(organisation), Static(body), AccountId32(*account))
}

/// Calls a recovery off.
pub fn cancel_recovery(organisation: OrganisationId) -> impl Call + use<> {
	tx().organisations().cancel_recovery(Static(organisation))
}

/// Accepts an invitation to become a member.
pub fn join(organisation: OrganisationId) -> impl Call + use<> {
	tx().organisations().join(Static(organisation))
}

/// Completes a recovery to which nobody objected in time: by the account that gets the seat.
pub fn complete_recovery(organisation: OrganisationId) -> impl Call + use<> {
	tx().organisations().complete_recovery(Static(organisation))
}

/// Dissolves an empty organisation for ever: by whom its policy names, as for [`set_policy`].
pub fn dissolve(organisation: OrganisationId) -> impl Call + use<> {
	tx().organisations().dissolve(Static(organisation))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::{encode, tests::assert_encodes};
	use codec::Compact;

	const ACCOUNT: AccountId = [3; 32];
	const ORGANISATION: OrganisationId = OrganisationId([4; 32]);

	#[test]
	fn calls_of_motions_encode() {
		let call = encode(&close(7)).unwrap();
		let electorate = Electorate::Organisation(ORGANISATION, Body::Watchdogs);
		let why = b"why".to_vec();
		let propose = propose(electorate, call.clone(), 10, "why").unwrap();
		assert_encodes(&propose, (17, 0), (electorate, call, 10u32, why.clone()));
		let bounds = CallBounds { length: 5, ref_time: 6, proof_size: 7 };
		let vote = vote(1, true, "why", bounds).unwrap();
		let weight = (Compact(6u64), Compact(7u64));
		assert_encodes(&vote, (17, 1), (1u32, true, why.clone(), 5u32, weight));
		assert_encodes(&withdraw(1, "why").unwrap(), (17, 2), (1u32, why));
		assert_encodes(&close(1), (17, 3), 1u32);
	}

	#[test]
	fn calls_for_the_council_encode() {
		assert_encodes(&admit_trustee(&ACCOUNT), (14, 0), (0u8, ACCOUNT));
		assert_encodes(&remove_trustee(&ACCOUNT), (14, 1), (0u8, ACCOUNT));
		assert_encodes(&move_seat(&ACCOUNT), (14, 4), (0u8, ACCOUNT));
		let upgrade = authorize_upgrade([9; 32]);
		assert_encodes(&upgrade, (0, 9), [9u8; 32]);
		assert_encodes(&apply_authorized_upgrade(&[1, 2]), (0, 11), vec![1u8, 2]);
		let call = encode(&upgrade).unwrap();
		assert_encodes(&as_root(call.clone()), (15, 0), call);
	}

	#[test]
	fn calls_about_the_governance_of_organisations_encode() {
		let policy = DeliveryPolicy::Watchdogs { needed: 2 };
		assert_encodes(&set_policy(ORGANISATION, policy), (20, 3), (ORGANISATION, policy));
		assert_encodes(&hand_over(ORGANISATION, &ACCOUNT), (20, 4), (ORGANISATION, ACCOUNT));
		assert_encodes(&cancel_hand_over(ORGANISATION), (20, 5), ORGANISATION);
		let accept = accept_hand_over(ORGANISATION, &ACCOUNT);
		assert_encodes(&accept, (20, 6), (ORGANISATION, ACCOUNT));
		let begin = begin_recovery(ORGANISATION, Body::Administrators, &ACCOUNT);
		assert_encodes(&begin, (20, 7), (ORGANISATION, Body::Administrators, ACCOUNT));
		assert_encodes(&cancel_recovery(ORGANISATION), (20, 8), ORGANISATION);
		assert_encodes(&complete_recovery(ORGANISATION), (20, 9), ORGANISATION);
		assert_encodes(&dissolve(ORGANISATION), (20, 10), ORGANISATION);
		assert_encodes(&join(ORGANISATION), (20, 12), ORGANISATION);
	}

	#[test]
	fn a_reason_that_is_too_long_is_refused() {
		let long = "r".repeat(MAX_REASON_LEN as usize + 1);
		assert!(matches!(withdraw(1, &long), Err(CallError::Length { .. })));
		assert!(withdraw(1, &long[1..]).is_ok());
	}
}
