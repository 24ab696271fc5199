//! `file` and `withdraw`, as a pool and a block see them.

use super::{
	doubles::{TestDeliveries, TestRegistry, TestTime},
	mock::*,
};
use crate::{Contents, Filers, Filings, WaitingCount};
use dpki_primitives::{
	channel::ChannelId,
	context::MAX_SIGNATURE_LIFETIME,
	filing::{FILING_LIFETIME, Filing, FilingKind, FilingStanding, MAX_FILING_LEN},
	ids::{DeviceId, KeyId},
	key::{KeyPurpose, Signature},
	quota::{QUOTA_BURST, QUOTA_RECOVERY},
	refusal::Refusal,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::assert_ok;
use sp_runtime::{
	DispatchError,
	traits::Dispatchable,
	transaction_validity::{InvalidTransaction, TransactionValidityError},
};

const REVOCATION: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };

fn invalid(refusal: Refusal) -> TransactionValidityError {
	InvalidTransaction::Custom(refusal.code()).into()
}

fn state() -> (Vec<(u8, Filing)>, u64, u32) {
	(
		Pallet::filings_of(drone()),
		Filers::<Test>::get(drone()).next,
		WaitingCount::<Test>::get(ACME),
	)
}

/// Pool and block refuse the call, for the same reason.
fn call_is_refused(call: RuntimeCall, refusal: Refusal) {
	let before = state();
	assert_eq!(pool_verdict(call.clone()), Err(invalid(refusal)));
	assert_eq!(Executive::apply_extrinsic(general(call)), Err(invalid(refusal)));
	assert_eq!(state(), before);
}

/// Pool and block refuse the call for what the state is, and so does the call itself.
fn is_refused(call: RuntimeCall, refusal: Refusal) {
	call_is_refused(call.clone(), refusal);
	let before = state();
	let dispatched = call.dispatch(frame_system::RawOrigin::Authorized.into());
	assert_eq!(dispatched.unwrap_err().error, Error::StatementRefused(refusal.code()).into());
	assert_eq!(state(), before);
}

#[test]
fn a_device_files_a_request() {
	run(|| {
		let said = Said::web(2, 0);
		accept(said.file());
		let filing = Filings::<Test>::get(drone(), 2).unwrap();
		let expires_at = NOW + FILING_LIFETIME;
		let expected = Filing {
			organisation: ACME,
			kind: tls("web"),
			content: said.content(),
			number: 0,
			key: signing_key(),
			filed_at: NOW,
			expires_at,
			standing: FilingStanding::Waiting { position: 0 },
		};
		assert_eq!(filing, expected);
		let content = Contents::<Test>::get(drone(), 2).unwrap();
		assert_eq!(content.body.to_vec(), said.body);
		assert_eq!((content.signature, content.signed_until), (said.to_file(), EXPIRY));
		assert_eq!(Pallet::filer(drone()).next, 1);
		let (device, slot, content) = (drone(), 2, said.content());
		let event = Event::RequestFiled { device, slot, organisation: ACME, content, expires_at };
		assert_eq!(events().pop(), Some(event));
	});
}

#[test]
fn a_new_request_takes_the_place_of_the_one_before_it() {
	run(|| {
		accept(Said::web(0, 0).file());
		let other = Said { body: b"another key".to_vec(), ..Said::web(0, 1) };
		accept(other.file());
		assert_eq!(Filings::<Test>::get(drone(), 0).unwrap().content, other.content());
		assert_eq!(Contents::<Test>::get(drone(), 0).unwrap().body.to_vec(), other.body);
		assert_eq!(WaitingCount::<Test>::get(ACME), 1);
	});
}

#[test]
fn a_signature_is_verified_once_in_a_block_and_only_if_the_state_allows_the_filing() {
	run(|| {
		let call = Said::web(0, 0).file();
		TestRegistry::forget_verifications();
		assert_ok!(Executive::apply_extrinsic(general(call)).unwrap());
		assert_eq!(TestRegistry::verifications(), 1);
		is_refused(Said::web(0, 0).file(), Refusal::RequestNumberWrong);
		assert_eq!(TestRegistry::verifications(), 1);
	});
}

#[test]
fn a_pool_passes_a_statement_on_and_keeps_one_of_a_number() {
	run(|| {
		let first = pool_verdict(Said::web(0, 0).file()).unwrap();
		assert!(first.propagate && first.requires.is_empty());
		assert!(first.longevity < u64::MAX);
		assert_eq!(first.priority, 0, "behind everything that pays");
		let other = Said { kind: tls("mesh"), ..Said::web(1, 0) };
		assert_eq!(pool_verdict(other.file()).unwrap().provides, first.provides);
		accept(Said::web(0, 0).file());
		let withdrawal = pool_verdict(Said::web(0, 1).withdraw()).unwrap();
		assert_eq!(withdrawal.provides, pool_verdict(other_number(1).file()).unwrap().provides);
		assert_ne!(withdrawal.provides, first.provides);
	});
}

fn other_number(number: u64) -> Said {
	Said { kind: tls("mesh"), ..Said::web(1, number) }
}

#[test]
fn no_statement_is_taken_twice_or_out_of_turn() {
	run(|| {
		is_refused(Said::web(0, 1).file(), Refusal::RequestNumberWrong);
		accept(Said::web(0, 0).file());
		is_refused(Said::web(0, 0).file(), Refusal::RequestNumberWrong);
		is_refused(Said::web(0, 0).withdraw(), Refusal::RequestNumberWrong);
		accept(Said::web(0, 1).withdraw());
		is_refused(Said::web(0, 0).file(), Refusal::RequestNumberWrong);
		is_refused(Said::web(0, 1).file(), Refusal::RequestNumberWrong);
		accept(Said::web(0, 2).file());
	});
}

#[test]
fn a_device_files_as_often_as_it_may_and_again_when_time_has_passed() {
	run(|| {
		for number in 0..QUOTA_BURST {
			accept(Said::web(0, number).file());
		}
		is_refused(Said::web(0, QUOTA_BURST).file(), Refusal::RequestQuotaExhausted);
		// A withdrawal takes back what was paid for by the quota.
		accept(Said::web(0, QUOTA_BURST).withdraw());
		let next = QUOTA_BURST + 1;
		let later = |at| Said { expires_at: at + 60_000, ..Said::web(0, next) };
		TestTime::set(NOW + QUOTA_RECOVERY - 1);
		is_refused(later(NOW + QUOTA_RECOVERY).file(), Refusal::RequestQuotaExhausted);
		TestTime::set(NOW + QUOTA_RECOVERY);
		accept(later(NOW + QUOTA_RECOVERY).file());
	});
}

#[test]
fn what_no_client_could_show_is_refused() {
	run(|| {
		let good = Said::web(0, 0);
		let long = vec![1; MAX_FILING_LEN as usize];
		for wrong in [
			Said { slot: 4, ..good.clone() },
			Said { body: Vec::new(), ..good.clone() },
			Said { kind: tls(""), ..good.clone() },
			Said { kind: tls("../web"), ..good.clone() },
			Said { kind: tls("We\u{1b}b"), ..good.clone() },
			Said { kind: user("../ops"), ..good.clone() },
		] {
			is_refused(wrong.file(), Refusal::RequestMalformed);
		}
		accept(Said { body: long, kind: FilingKind::SshHost, slot: 3, ..good.clone() }.file());
		accept(Said { kind: user("_Ops"), slot: 2, number: 1, ..good }.file());
		assert_eq!(Filings::<Test>::get(drone(), 2).map(|it| it.kind), Some(user("_Ops")));
	});
}

#[test]
fn an_unknown_device_says_nothing() {
	run(|| {
		let nobody = DeviceId::from_name(ACME, b"nobody");
		is_refused(Said { device: nobody, ..Said::web(0, 0) }.file(), Refusal::DeviceUnknown);
		is_refused(Said { device: nobody, ..Said::web(0, 0) }.withdraw(), Refusal::DeviceUnknown);
	});
}

#[test]
fn a_device_that_is_not_valid_says_nothing() {
	run(|| {
		accept(Said::web(0, 0).file());
		for (status, refusal) in [
			(Status::Revoked(REVOCATION), Refusal::DeviceRevoked),
			(Status::IssuerRevoked(REVOCATION), Refusal::DeviceRevoked),
			(Status::Suspended, Refusal::DeviceOnHold),
			(Status::Expired, Refusal::RequestSignatureInvalid),
			(Status::NotYetValid, Refusal::RequestSignatureInvalid),
			(Status::Superseded, Refusal::RequestSignatureInvalid),
		] {
			TestRegistry::set_device_status(drone(), status);
			is_refused(Said::web(1, 1).file(), refusal);
			is_refused(Said::web(0, 1).withdraw(), refusal);
		}
	});
}

#[test]
fn a_signature_is_good_until_its_expiry_and_for_a_day_at_most() {
	run(|| {
		let too_far = NOW + MAX_SIGNATURE_LIFETIME + 1;
		let said = |expires_at| Said { expires_at, ..Said::web(0, 0) };
		is_refused(said(too_far).file(), Refusal::SignatureExpired);
		is_refused(said(NOW - 1).file(), Refusal::SignatureExpired);
		accept(said(too_far - 1).file());
		is_refused(
			Said { expires_at: NOW - 1, ..Said::web(0, 1) }.withdraw(),
			Refusal::SignatureExpired,
		);
	});
}

#[test]
fn a_signature_for_anything_else_is_refused() {
	run(|| {
		accept(Said::web(1, 0).file());
		let said = Said::web(1, 1);
		for other in [
			Said { genesis: [8; 32], ..said.clone() },
			Said { device: DeviceId([8; 32]), ..said.clone() },
			Said { slot: 0, ..said.clone() },
			Said { kind: tls("mesh"), ..said.clone() },
			Said { body: b"another key".to_vec(), ..said.clone() },
			Said { number: 0, ..said.clone() },
			Said { expires_at: EXPIRY + 1, ..said.clone() },
		] {
			call_is_refused(said.file_with(other.to_file()), Refusal::RequestSignatureInvalid);
			let withdrawal = said.withdraw_with(other.to_withdraw());
			call_is_refused(withdrawal, Refusal::RequestSignatureInvalid);
		}
		call_is_refused(said.file_with(said.to_withdraw()), Refusal::RequestSignatureInvalid);
		call_is_refused(said.withdraw_with(said.to_file()), Refusal::RequestSignatureInvalid);
		let broken = Signature::truncate_from(vec![0; 3]);
		call_is_refused(said.file_with(broken), Refusal::RequestSignatureInvalid);
	});
}

#[test]
fn only_a_valid_signing_key_of_the_device_signs() {
	run(|| {
		let said = Said::web(0, 0);
		let unknown = Said { key: KeyId([5; 32]), ..said.clone() };
		is_refused(unknown.file(), Refusal::RequestSignatureInvalid);
		for status in [Status::Revoked(REVOCATION), Status::Superseded, Status::Expired] {
			TestRegistry::set_key_status(signing_key(), status);
			is_refused(said.file(), Refusal::RequestSignatureInvalid);
		}
		for purpose in [KeyPurpose::Tls, KeyPurpose::Ssh, KeyPurpose::KeyAgreement] {
			TestRegistry::add_key(drone(), purpose, signing_public());
			is_refused(said.file(), Refusal::RequestSignatureInvalid);
		}
		let other = TestRegistry::add_device(ACME, "drone-8");
		TestRegistry::add_key(other, KeyPurpose::Sign, signing_public());
		is_refused(said.file(), Refusal::RequestSignatureInvalid);
	});
}

#[test]
fn no_other_origin_speaks_in_the_place_of_the_device() {
	run(|| {
		accept(Said::web(0, 0).file());
		let account = RuntimeOrigin::signed(publisher());
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), account] {
			for call in [Said::web(1, 1).file(), Said::web(0, 1).withdraw()] {
				let dispatched = call.dispatch(origin.clone());
				assert_eq!(dispatched.unwrap_err().error, DispatchError::BadOrigin);
			}
		}
	});
}

#[test]
fn a_device_takes_back_what_it_asked_for() {
	run(|| {
		accept(Said::web(0, 0).file());
		accept(Said::web(0, 1).withdraw());
		assert_eq!(Pallet::filings_of(drone()), []);
		assert!(!Contents::<Test>::contains_key(drone(), 0));
		let (device, slot, content) = (drone(), 0, Said::web(0, 0).content());
		assert_eq!(events().pop(), Some(Event::RequestWithdrawn { device, slot, content }));
	});
}

#[test]
fn only_what_waits_is_taken_back() {
	run(|| {
		is_refused(Said::web(0, 0).withdraw(), Refusal::RequestUnknown);
		accept(Said::web(0, 0).file());
		is_refused(Said::web(1, 1).withdraw(), Refusal::RequestUnknown);
		let other = Said { body: b"another".to_vec(), ..Said::web(0, 1) };
		is_refused(other.withdraw(), Refusal::RequestUnknown);
		let content = Said::web(0, 0).content();
		let answerer = RuntimeOrigin::signed(publisher());
		TestDeliveries::deliver(drone(), ChannelId::DEFAULT, 1);
		assert_ok!(Pallet::answer(answerer, drone(), 0, content, ChannelId::DEFAULT, 1));
		is_refused(Said::web(0, 1).withdraw(), Refusal::RequestUnknown);
	});
}
