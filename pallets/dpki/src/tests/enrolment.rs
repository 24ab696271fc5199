//! Enrolment by voucher, in the pool and in the block.

use super::mock::*;
use crate::{Call, Error, Event, WeightInfo, weights::SubstrateWeight};
use codec::Encode;
use dpki_primitives::{
	context::{Action, MAX_SIGNATURE_LIFETIME, Registrant, SigningContext},
	ids::{DeviceId, VoucherCommitment, VoucherId},
	key::{KeyPurpose::*, KeyType, PublicKey, Signature},
	refusal::Refusal,
	status::Status,
	voucher::VoucherState,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::Authorize};
use sp_core::{Pair as _, ed25519};
use sp_runtime::DispatchError;

fn full_set() -> Vec<(dpki_primitives::key::KeyPurpose, Pair)> {
	vec![
		(Sign, Pair::ed25519(1)),
		(KeyAgreement, Pair::new(KeyType::X25519, 2)),
		(Tls, Pair::new(KeyType::P256, 3)),
		(Ssh, Pair::ed25519(4)),
	]
}

/// A voucher for `drone-1`, and an honest enrolment with it.
fn honest() -> Enrolment {
	issue(&voucher_pair(), "drone-1");
	Enrolment::new(&voucher_pair(), "drone-1", &full_set())
}

fn assert_refused(enrolment: &Enrolment, refusal: Refusal) {
	assert_eq!(enrolment.validate(), Err(refusal));
	assert_eq!(enrolment.submit(), Err(refusal));
	assert_eq!(Dpki::key_status(Pair::ed25519(1).id()), Status::Unknown);
}

#[test]
fn a_device_without_account_enrols_with_its_keys() {
	run(|| {
		let enrolment = honest();
		assert_ok!(enrolment.submit().unwrap());

		let device = enrolment.device();
		let record = Dpki::device(device).unwrap();
		assert_eq!((record.organisation, record.keys_registered), (acme(), 4));
		assert_eq!((record.enrolled_at, record.name), (NOW, name("drone-1")));
		assert_eq!(Dpki::device_status(device), Status::Valid);
		let keys: Vec<_> = Dpki::keys_of(device);
		assert_eq!(
			keys.iter().map(|(id, key)| (key.purpose, *id)).collect::<Vec<_>>(),
			full_set()
				.iter()
				.map(|(purpose, pair)| (*purpose, pair.id()))
				.collect::<Vec<_>>()
		);
		assert!(keys.iter().all(|(id, _)| Dpki::key_status(*id) == Status::Valid));
		let voucher = enrolment.voucher_id();
		assert_eq!(Dpki::voucher(voucher).unwrap().state, VoucherState::Redeemed(NOW));
		let event = Event::DeviceEnrolled { device, organisation: acme(), voucher };
		System::assert_has_event(event.into());
		let event = Event::KeyRegistered { key: Pair::ed25519(4).id(), device, purpose: Ssh };
		assert_eq!(last_event(), event.into());
	});
}

#[test]
fn every_type_of_key_can_enrol() {
	run(|| {
		let keys = [KeyType::Ed25519, KeyType::Sr25519, KeyType::Secp256k1, KeyType::P256]
			.map(|key_type| (Sign, Pair::new(key_type, 5)));
		let device = enrol("drone-1", &keys);
		assert_eq!(Dpki::keys_of(device).len(), 4);
	});
}

#[test]
fn a_pool_holds_one_enrolment_per_voucher() {
	run(|| {
		let enrolment = honest();
		let another = Enrolment::new(&voucher_pair(), "drone-1", &full_set()[..1]);
		let validity = enrolment.validate().unwrap();
		assert_eq!(validity.provides, another.validate().unwrap().provides);
		assert_eq!(validity.provides, [(b"dpki/enrol", enrolment.voucher_id()).encode()]);
		assert!(validity.propagate && validity.requires.is_empty());
	});
}

#[test]
fn judging_an_enrolment_is_paid_for_in_weight_by_the_types_of_its_keys() {
	run(|| {
		let call = honest().call();
		assert_eq!(call.get_dispatch_info().call_weight, SubstrateWeight::<Test>::enrol(4));
		let of = |keys: &[_]| {
			Enrolment::new(&voucher_pair(), "drone-1", keys).call().weight_of_authorize()
		};
		// Measured with P-256, which all of these are counted as but for Ed25519.
		let dear: Vec<_> = (1..=4).map(|seed| (Sign, Pair::new(KeyType::P256, seed))).collect();
		assert_eq!(of(&dear), SubstrateWeight::<Test>::authorize_enrol(4));
		assert_eq!(of(&dear[..1]), SubstrateWeight::<Test>::authorize_enrol(1));
		let cheap: Vec<_> = (1..=4).map(|seed| (Sign, Pair::ed25519(seed))).collect();
		let of_key = SubstrateWeight::<Test>::verify_p256();
		let saved = of(&dear).saturating_sub(of(&cheap));
		assert!(
			saved.ref_time() > 3 * of_key.ref_time() && saved.ref_time() < 4 * of_key.ref_time()
		);
		assert_eq!(saved.proof_size(), 0);
		assert!(of(&cheap).ref_time() > of(&cheap[..1]).ref_time());
		let saved = of(&dear).saturating_sub(of(&full_set()));
		assert!(saved.ref_time() > of_key.ref_time() && saved.ref_time() < 2 * of_key.ref_time());
	});
}

#[test]
fn nobody_else_may_dispatch_an_enrolment() {
	run(|| {
		let enrolment = honest();
		let RuntimeCall::Dpki(Call::enrol {
			organisation,
			voucher_public,
			device_name,
			keys,
			expires_at,
			voucher_signature,
		}) = enrolment.call()
		else {
			unreachable!()
		};
		for origin in [signed(ALICE), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Dpki::enrol(
					origin,
					organisation,
					voucher_public,
					device_name.clone(),
					keys.clone(),
					expires_at,
					voucher_signature
				),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn the_call_judges_the_state_itself() {
	run(|| {
		let enrolment = honest();
		let RuntimeCall::Dpki(Call::enrol {
			organisation,
			voucher_public,
			device_name,
			keys,
			expires_at,
			..
		}) = enrolment.call()
		else {
			unreachable!()
		};
		assert_ok!(Dpki::cancel_voucher(signed(BOB), enrolment.voucher_id()));
		assert_noop!(
			Dpki::enrol(
				frame_system::Origin::<Test>::Authorized.into(),
				organisation,
				voucher_public,
				device_name,
				keys,
				expires_at,
				enrolment.signature
			),
			Error::<Test>::VoucherCancelled
		);
	});
}

#[test]
fn a_voucher_is_used_once() {
	run(|| {
		let enrolment = honest();
		assert_ok!(enrolment.submit().unwrap());
		let keys = [(Sign, Pair::ed25519(50))];
		for again in [enrolment, Enrolment::new(&voucher_pair(), "drone-1", &keys)] {
			assert_eq!(again.validate(), Err(Refusal::VoucherRedeemed));
			assert_eq!(again.submit(), Err(Refusal::VoucherRedeemed));
		}
	});
}

#[test]
fn an_unknown_voucher_is_refused() {
	run(|| {
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &full_set());
		assert_refused(&enrolment, Refusal::VoucherUnknown);
	});
}

#[test]
fn an_expired_voucher_is_refused() {
	run(|| {
		let commitment = VoucherCommitment::of(&voucher_pair().public().0);
		let device_name = name("drone-1");
		Dpki::issue_voucher(signed(BOB), acme(), commitment, device_name, NOW + 500).unwrap();
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &full_set());
		set_time(NOW + 500);
		assert!(enrolment.validate().is_ok(), "the last moment is inside");
		set_time(NOW + 501);
		assert_refused(&enrolment, Refusal::VoucherExpired);
	});
}

#[test]
fn a_cancelled_voucher_is_refused() {
	run(|| {
		let enrolment = honest();
		assert_ok!(Dpki::cancel_voucher(signed(BOB), enrolment.voucher_id()));
		assert_refused(&enrolment, Refusal::VoucherCancelled);
	});
}

#[test]
fn a_voucher_does_not_enrol_another_device() {
	run(|| {
		issue(&voucher_pair(), "drone-1");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-2", &full_set());
		assert_refused(&enrolment, Refusal::VoucherForAnotherDevice);
	});
}

/// Somebody sees the commitment in the pool, and issues it first for an organisation of his own.
#[test]
fn a_commitment_that_another_organisation_took_is_as_good_as_ever() {
	run(|| {
		let commitment = VoucherCommitment::of(&voucher_pair().public().0);
		let taken =
			Dpki::issue_voucher(signed(MALLORY), other(), commitment, name("drone-1"), NOW + 1_000);
		assert_ok!(taken);
		let enrolment = honest();
		// The enrolment of the victim cannot be led to the voucher of the other.
		let led_away = Enrolment { organisation: other(), ..enrolment.clone() };
		assert_refused(&led_away, Refusal::VoucherSignatureInvalid);
		assert_ok!(Dpki::cancel_voucher(signed(MALLORY), led_away.voucher_id()));
		assert_ok!(enrolment.submit().unwrap());
		assert_eq!(Dpki::device(enrolment.device()).unwrap().organisation, acme());
	});
}

#[test]
fn a_voucher_is_unknown_under_another_organisation() {
	run(|| {
		let enrolment = Enrolment { organisation: other(), ..honest() };
		assert_refused(&enrolment, Refusal::VoucherUnknown);
	});
}

#[test]
fn keys_cannot_be_swapped_on_the_way() {
	run(|| {
		let mut enrolment = honest();
		let thief = Pair::ed25519(66);
		let registrant = Registrant::Voucher(enrolment.voucher_id());
		let payload = possession(registrant, enrolment.device(), Sign, &thief, 0).payload();
		enrolment.keys[0] = new_key(Sign, &thief, thief.sign(&payload));
		assert_refused(&enrolment, Refusal::VoucherSignatureInvalid);
	});
}

#[test]
fn keys_cannot_be_added_dropped_or_reordered_on_the_way() {
	run(|| {
		let enrolment = honest();
		let mut dropped = enrolment.clone();
		dropped.keys.pop();
		assert_refused(&dropped, Refusal::VoucherSignatureInvalid);
		let mut reordered = enrolment.clone();
		reordered.keys.swap(2, 3);
		assert_refused(&reordered, Refusal::VoucherSignatureInvalid);
		let mut extended = enrolment;
		extended.expires_at += 1;
		assert_refused(&extended, Refusal::VoucherSignatureInvalid);
	});
}

#[test]
fn the_voucher_signature_counts_for_this_chain_and_this_voucher_only() {
	run(|| {
		let mut foreign = honest();
		foreign.genesis = [8; 32];
		foreign.sign();
		assert_refused(&foreign, Refusal::VoucherSignatureInvalid);

		let second = ed25519::Pair::from_seed(&[101; 32]);
		issue(&second, "drone-1");
		let mut borrowed = Enrolment::new(&second, "drone-1", &full_set());
		borrowed.voucher = voucher_pair();
		assert_refused(&borrowed, Refusal::VoucherSignatureInvalid);
	});
}

#[test]
fn the_second_of_two_vouchers_for_a_device_comes_too_late() {
	run(|| {
		let second = ed25519::Pair::from_seed(&[101; 32]);
		issue(&second, "drone-1");
		assert_ok!(honest().submit().unwrap());
		let late = Enrolment::new(&second, "drone-1", &[(Sign, Pair::ed25519(50))]);
		assert_eq!(late.validate(), Err(Refusal::DeviceExists));
		assert_eq!(late.submit(), Err(Refusal::DeviceExists));
	});
}

#[test]
fn a_stale_or_far_expiry_is_refused() {
	run(|| {
		let mut enrolment = honest();
		for expires_at in [NOW - 1, NOW + MAX_SIGNATURE_LIFETIME + 1] {
			enrolment.expires_at = expires_at;
			enrolment.sign();
			assert_refused(&enrolment, Refusal::SignatureExpired);
		}
	});
}

#[test]
fn an_enrolment_brings_a_key_and_none_twice() {
	run(|| {
		issue(&voucher_pair(), "drone-1");
		let empty = Enrolment::new(&voucher_pair(), "drone-1", &[]);
		assert_refused(&empty, Refusal::KeyListEmpty);
		let pair = Pair::ed25519(1);
		let keys = [(Sign, pair.clone()), (Ssh, pair)];
		let twice = Enrolment::new(&voucher_pair(), "drone-1", &keys);
		assert_refused(&twice, Refusal::KeyRepeated);
	});
}

#[test]
fn a_known_key_enrols_no_second_device() {
	run(|| {
		let known = Pair::ed25519(50);
		enrol("drone-0", &[(Sign, known.clone())]);
		issue(&voucher_pair(), "drone-1");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &[(Sign, known.clone())]);
		assert_refused(&enrolment, Refusal::KeyAlreadyRegistered);
		Dpki::revoke_key(signed(BOB), known.id(), REASON).unwrap();
		assert_refused(&enrolment, Refusal::KeyWasRevoked);
	});
}

#[test]
fn a_key_has_the_form_of_its_type() {
	run(|| {
		for pair in [Pair::ed25519(1), Pair::new(KeyType::P256, 1), Pair::new(KeyType::X25519, 1)] {
			let mut enrolment = Enrolment::new(&voucher_pair(), "drone-1", &[(Sign, pair)]);
			if Dpki::voucher(enrolment.voucher_id()).is_none() {
				issue(&voucher_pair(), "drone-1");
			}
			enrolment.keys[0].public.bytes.try_push(0).unwrap();
			enrolment.sign();
			assert_refused(&enrolment, Refusal::KeyMalformed);
		}
	});
}

#[test]
fn a_key_serves_a_purpose_that_fits_its_type() {
	run(|| {
		issue(&voucher_pair(), "drone-1");
		for (purpose, key_type) in
			[(KeyAgreement, KeyType::Ed25519), (Ssh, KeyType::Sr25519), (Tls, KeyType::Secp256k1)]
		{
			let keys = [(Sign, Pair::ed25519(1)), (purpose, Pair::new(key_type, 2))];
			let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &keys);
			assert_refused(&enrolment, Refusal::KeyUnfitForPurpose);
		}
		let agreement = [(Sign, Pair::new(KeyType::X25519, 2))];
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &agreement);
		assert_refused(&enrolment, Refusal::KeyUnfitForPurpose);
	});
}

#[test]
fn a_key_is_not_expired_from_the_start() {
	run(|| {
		let mut enrolment = honest();
		enrolment.keys[0].not_after = Some(NOW - 1);
		assert_refused(&enrolment, Refusal::KeyValidityInvalid);
	});
}

#[test]
fn an_enrolment_brings_a_signing_key() {
	run(|| {
		issue(&voucher_pair(), "drone-1");
		let others = [
			(KeyAgreement, Pair::new(KeyType::X25519, 2)),
			(Tls, Pair::new(KeyType::P256, 3)),
			(Ssh, Pair::ed25519(1)),
		];
		let without = Enrolment::new(&voucher_pair(), "drone-1", &others);
		assert_refused(&without, Refusal::SigningKeyMissing);
		let with = [&others[..], &[(Sign, Pair::ed25519(4))]].concat();
		assert_ok!(Enrolment::new(&voucher_pair(), "drone-1", &with).submit().unwrap());
	});
}

#[test]
fn the_agreement_key_of_another_cannot_be_enrolled_without_its_secret() {
	run(|| {
		let honest = honest();
		let registrant = Registrant::Voucher(honest.voucher_id());
		let victim = Pair::new(KeyType::X25519, 2);
		let payload = possession(registrant, honest.device(), KeyAgreement, &victim, 1).payload();
		for attempt in [
			Pair::ed25519(1).sign(&payload),
			Pair::new(KeyType::X25519, 77).sign(&payload),
			Pair::ed25519(2).sign(&payload),
			Signature::default(),
		] {
			let mut enrolment = honest.clone();
			enrolment.keys[1].possession = attempt;
			assert_refused(&enrolment, Refusal::PossessionInvalid);
		}
		assert_ok!(honest.submit().unwrap());
	});
}

#[test]
fn an_agreement_key_in_another_encoding_is_refused() {
	run(|| {
		let honest = honest();
		let mut top_bit = honest.clone();
		top_bit.keys[1].public.bytes[31] |= 0x80;
		// 9 + 2^255 - 19, which agreement takes for the base point 9.
		let mut bytes = [0xff; 32];
		(bytes[0], bytes[31]) = (0xf6, 0x7f);
		let mut unreduced = honest;
		unreduced.keys[1].public = PublicKey::new(KeyType::X25519, &bytes).unwrap();
		for mut enrolment in [top_bit, unreduced] {
			enrolment.sign();
			assert_refused(&enrolment, Refusal::KeyMalformed);
		}
	});
}

/// Proofs for a device, a voucher, a purpose, a number, a chain, a time or an end other than the ones in question.
#[test]
fn possession_is_proven_for_this_enrolment_only() {
	run(|| {
		let honest = honest();
		let pair = Pair::ed25519(1);
		let registrant = Registrant::Voucher(honest.voucher_id());
		let device = honest.device();
		let good = possession(registrant, device, Sign, &pair, 0);
		let not_after = match good.action.clone() {
			Action::PossessKey { registrant, device, purpose, key, .. } => {
				Action::PossessKey { registrant, device, purpose, key, not_after: Some(NOW) }
			},
			_ => unreachable!(),
		};
		let foreign = DeviceId::from_name(acme(), b"drone-2");
		let voucher = Registrant::Voucher(VoucherId([0; 32]));
		for wrong in [
			possession(registrant, foreign, Sign, &pair, 0),
			possession(voucher, device, Sign, &pair, 0),
			possession(Registrant::Account(ALICE.into()), device, Sign, &pair, 0),
			possession(registrant, device, Ssh, &pair, 0),
			possession(registrant, device, Sign, &Pair::ed25519(4), 0),
			possession(registrant, device, Sign, &pair, 1),
			SigningContext { genesis: [8; 32], ..good.clone() },
			SigningContext { expires_at: NOW + 2, ..good.clone() },
			SigningContext { action: not_after, ..good.clone() },
		] {
			let mut enrolment = honest.clone();
			enrolment.keys[0].possession = pair.sign(&wrong.payload());
			assert_refused(&enrolment, Refusal::PossessionInvalid);
		}
		let mut stolen = honest.clone();
		stolen.keys[0].possession = Pair::ed25519(4).sign(&good.payload());
		assert_refused(&stolen, Refusal::PossessionInvalid);
		assert_ok!(honest.submit().unwrap());
	});
}

#[test]
fn every_refusal_of_an_enrolment_reaches_the_device_under_its_own_number() {
	let errors: Vec<Error<Test>> = vec![
		Error::VoucherUnknown,
		Error::VoucherExpired,
		Error::VoucherRedeemed,
		Error::VoucherCancelled,
		Error::VoucherForAnotherDevice,
		Error::VoucherSignatureInvalid,
		Error::DeviceExists,
		Error::KeyListEmpty,
		Error::KeyRepeated,
		Error::KeyAlreadyRegistered,
		Error::KeyWasRevoked,
		Error::KeyMalformed,
		Error::KeyUnfitForPurpose,
		Error::KeyValidityInvalid,
		Error::PossessionInvalid,
		Error::SigningKeyMissing,
		Error::SignatureExpired,
	];
	let mut codes: Vec<_> = errors.iter().map(|error| error.refusal().unwrap().code()).collect();
	codes.sort_unstable();
	codes.dedup();
	assert_eq!(codes.len(), errors.len());
	assert_eq!(Error::<Test>::AnchorListFull.refusal(), None);
}
