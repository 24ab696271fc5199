//! Who pays for a device. There are no balances in this runtime, so whatever happens here happens without one.

use super::{kit::*, mock::*};
use dpki_primitives::{
	key::KeyPurpose::*,
	organisation::{Organisations, Role},
	status::Status,
};
use frame_support::assert_ok;
use sp_core::{Pair as _, ed25519};

#[test]
fn a_device_without_an_account_enrols_at_the_expense_of_who_issued_its_voucher() {
	run(|| {
		issue(&voucher_pair(), "drone-1");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &[(Sign, Pair::ed25519(1))]);
		assert_ok!(enrolment.submit().unwrap());
		assert_eq!(Dpki::device_status(enrolment.device()), Status::Valid);
		let voucher = Dpki::voucher(enrolment.voucher_id()).unwrap();
		assert_eq!(voucher.sponsor, <[u8; 32]>::from(BOB));
	});
}

/// Storing for another: the maker of a device makes its keys and registers it for its owner, who gave it a voucher. The
/// maker has no role with the owner, and gets none by it.
#[test]
fn somebody_of_another_organisation_registers_a_device_with_the_owner_s_voucher() {
	run(|| {
		let voucher = ed25519::Pair::from_seed(&[55; 32]);
		issue(&voucher, "drone-1");
		assert!(!Roles::has_role(acme(), &MALLORY, Role::Registrar));
		let keys = [(Sign, Pair::ed25519(1)), (Tls, Pair::ed25519(2))];
		let enrolment = Enrolment::new(&voucher, "drone-1", &keys);
		assert_ok!(enrolment.submit().unwrap());
		let device = enrolment.device();
		assert_eq!(Dpki::device(device).unwrap().organisation, acme());
		assert_eq!(Dpki::keys_of(device).len(), 2);

		let result = Dpki::revoke_device(signed(MALLORY), device, REASON);
		assert_eq!(result, Err(crate::Error::<Test>::RoleMissing.into()));
		let wish = Wish::own(device, Ssh, &Pair::ed25519(3), &Pair::ed25519(1));
		assert_ok!(wish.by_bob().register());
	});
}
