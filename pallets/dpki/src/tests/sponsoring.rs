//! Who pays for a device. There are no balances in this runtime, so whatever happens here happens without one.

use super::{kit::*, mock::*};
use codec::Encode;
use dpki_primitives::{
	key::{KeyPurpose, KeyPurpose::*, KeyType},
	organisation::{Organisations, Role},
	refusal::Refusal,
	status::Status,
};
use frame_support::{assert_ok, dispatch::GetDispatchInfo};
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

#[test]
fn an_enrolment_takes_from_the_quota_of_its_organisation_where_nobody_pays() {
	run(|| {
		let pairs = [(Sign, Pair::ed25519(1)), (Tls, Pair::new(KeyType::P256, 2))];
		issue(&voucher_pair(), "drone-1");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &pairs);
		let units = crate::costs::of_enrolment::<Test>(&enrolment.keys);
		Allowances::set(acme(), units - 1);
		assert_eq!(enrolment.validate().unwrap_err(), Refusal::AllowanceExhausted);
		assert_eq!(enrolment.submit(), Err(Refusal::AllowanceExhausted));
		assert_eq!(Allowances::left(acme()), Some(units - 1));
		Allowances::set(acme(), units + 7);
		assert_ok!(enrolment.validate());
		assert_eq!(Allowances::left(acme()), Some(units + 7), "a pool takes nothing");
		assert_ok!(enrolment.submit().unwrap());
		assert_eq!(Allowances::left(acme()), Some(7));
	});
}

#[test]
fn an_enrolment_is_counted_with_its_dearest_keys_and_its_length() {
	run(|| {
		let units = |pairs: &[(KeyPurpose, Pair)]| {
			let enrolment = Enrolment::new(&voucher_pair(), "drone-1", pairs);
			let info = enrolment.call().get_dispatch_info();
			let declared = info.call_weight.saturating_add(info.extension_weight);
			let counted = crate::costs::of_enrolment::<Test>(&enrolment.keys);
			assert!(counted >= declared.ref_time() / 1_000_000, "less than it declares");
			assert!(counted >= enrolment.call().encoded_size() as u64, "less than it is long");
			counted
		};
		let sign = (Sign, Pair::ed25519(1));
		let (p256, rsa) = (Pair::new(KeyType::P256, 2), Pair::new(KeyType::Rsa, 2));
		assert!(units(&[sign.clone(), (Tls, p256)]) < units(&[sign, (Tls, rsa)]));
	});
}
