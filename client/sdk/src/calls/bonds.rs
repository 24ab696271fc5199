//! Calls about the bonds of endorsers. All amounts are in the smallest unit.

use super::Call;
use crate::{AccountId, api::tx};
use dpki_primitives::bond::SlashReason;
use subxt::utils::{AccountId32, Static};

/// Raises the own bond as an endorser.
pub fn bond(amount: u128) -> impl Call + use<> {
	tx().certificates().bond(amount)
}

/// Takes a part of the own bond out, which stays on hold for a while.
pub fn unbond(amount: u128) -> impl Call + use<> {
	tx().certificates().unbond(amount)
}

/// Returns what is due of the own bond.
pub fn withdraw_bond() -> impl Call + use<> {
	tx().certificates().withdraw_bond()
}

/// Slashes a bond by up to this amount; for a motion of the council. `evidence` is the hash of the proof.
pub fn slash(
	account: &AccountId,
	amount: u128,
	reason: SlashReason,
	evidence: [u8; 32],
) -> impl Call + use<> {
	tx().certificates()
		.slash(AccountId32(*account), amount, Static(reason), evidence)
}

/// Sets what an endorser has to have bonded; for a motion of the council.
pub fn set_minimum_bond(minimum: u128) -> impl Call + use<> {
	tx().certificates().set_minimum_bond(minimum)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::tests::assert_encodes;

	const ACCOUNT: AccountId = [3; 32];

	#[test]
	fn calls_about_bonds_encode() {
		assert_encodes(&bond(7), (23, 18), 7u128);
		assert_encodes(&unbond(8), (23, 19), 8u128);
		assert_encodes(&withdraw_bond(), (23, 20), ());
		for reason in SlashReason::ALL {
			let call = slash(&ACCOUNT, 9, reason, [1; 32]);
			assert_encodes(&call, (23, 21), (ACCOUNT, 9u128, reason, [1u8; 32]));
		}
		assert_encodes(&set_minimum_bond(10), (23, 22), 10u128);
	}
}
