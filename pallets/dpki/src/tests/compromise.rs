//! Whoever can sign with a key can end it.

use super::{kit::*, mock::*};
use crate::{Call, Error, Event, MAX_UNPAID_REPORTS, RevokedAnchorKeys, UnpaidReports};
use dpki_primitives::{
	context::{Action, SigningContext},
	device::Compromised,
	ids::{AnchorId, KeyId},
	key::{KeyPurpose::*, KeyType, PublicKey, Signature},
	refusal::Refusal,
	registry::CompromisedKeys as _,
	revocation::{Revocation, RevocationReason},
	status::Status,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, DispatchResultWithPostInfo, GetDispatchInfo},
	pallet_prelude::InvalidTransaction,
};

const LEAKED: Status =
	Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at: NOW });

fn report(what: Compromised, proof: Signature) -> RuntimeCall {
	RuntimeCall::Dpki(Call::report_compromise { what, proof })
}

#[test]
fn a_leaked_key_of_any_type_ends_itself_without_an_account_if_its_proof_is_cheap() {
	run(|| {
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		for key_type in KeyType::ALL.into_iter().filter(|it| !it.is_hash() && *it != KeyType::Rsa) {
			let pair = Pair::new(key_type, 31);
			let purpose = [Tls, KeyAgreement, Sign]
				.into_iter()
				.find(|purpose| purpose.allows(key_type))
				.unwrap();
			assert_ok!(Wish::own(device, purpose, &pair, &first).by_bob().register());
			let call = report(Compromised::Key(pair.id()), compromise(&pair));
			assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational);
			assert_ok!(validate(call.clone()));
			assert_ok!(submit(call.clone()).unwrap());
			let (key, reason) = (pair.id(), RevocationReason::KeyCompromise);
			assert_eq!(last_event(), Event::KeyRevoked { key, device, reason }.into());
			assert_eq!(Dpki::key_status(key), LEAKED, "{key_type:?}");
			assert_eq!(submit(call), Err(Refusal::KeyAlreadyRevoked));
		}
		assert_eq!(Dpki::key_status(first.id()), Status::Valid);
	});
}

#[test]
fn the_proof_is_good_for_ever_but_for_one_key_and_chain_only() {
	run(|| {
		let (first, second) = (Pair::ed25519(1), Pair::ed25519(2));
		let device = enrol("drone-1", &[(Sign, first.clone()), (Tls, second.clone())]);
		let key = first.id();
		let good = SigningContext::compromise(GENESIS, key);
		let refused = |proof| {
			let call = report(Compromised::Key(key), proof);
			assert_eq!(submit(call), Err(Refusal::CompromiseInvalid));
		};
		refused(second.sign(&good.payload()));
		refused(first.sign(&SigningContext::compromise(GENESIS, second.id()).payload()));
		refused(first.sign(&SigningContext::compromise([8; 32], key).payload()));
		refused(first.sign(&SigningContext { nonce: 1, ..good.clone() }.payload()));
		refused(first.sign(&SigningContext { expires_at: NOW, ..good.clone() }.payload()));
		let action =
			Action::AdmitKey { registrant: bob(), device, purpose: Tls, key, not_after: None };
		refused(first.sign(&SigningContext { action, ..good }.payload()));
		refused(Default::default());
		set_time(NOW + 1_000_000_000_000);
		assert_ok!(submit(report(Compromised::Key(key), compromise(&first))).unwrap());
	});
}

#[test]
fn what_is_unknown_or_held_by_its_hash_cannot_be_proven() {
	run(|| {
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		let hash = Pair::new(KeyType::MlDsa44, 2);
		assert_ok!(Wish::own(device, Tls, &hash, &first).by_bob().register());
		let id = KeyId::of_device(device, &hash.public());
		let call = report(Compromised::Key(id), compromise(&hash));
		assert_eq!(submit(call), Err(Refusal::CompromiseInvalid));
		let call = report(Compromised::Key(KeyId([9; 32])), compromise(&first));
		assert_eq!(submit(call), Err(Refusal::KeyUnknown));
		let call = report(Compromised::Anchor(AnchorId([9; 32])), compromise(&first));
		assert_eq!(submit(call), Err(Refusal::AnchorUnknown));
	});
}

#[test]
fn the_successor_of_a_leaked_key_takes_its_place() {
	run(|| {
		let (first, next) = (Pair::ed25519(1), Pair::ed25519(2));
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		assert_ok!(announce(device, &first, &next, &first));
		let call = report(Compromised::Key(first.id()), compromise(&first));
		assert_ok!(submit(call).unwrap());
		assert_ok!(submit(reveal(device, &first, Sign, &next, None)).unwrap());
		assert_eq!(Dpki::key_status(first.id()), LEAKED);
		assert_eq!(Dpki::key_status(next.id()), Status::Valid);
	});
}

#[test]
fn a_leaked_ssh_ca_ends_itself() {
	run(|| {
		let pair = Pair::ed25519(5);
		let anchor = register_ssh(&pair);
		let what = Compromised::Anchor(anchor);
		let forged = report(what.clone(), compromise(&Pair::ed25519(6)));
		assert_eq!(submit(forged), Err(Refusal::CompromiseInvalid));
		assert_ok!(submit(report(what.clone(), compromise(&pair))).unwrap());
		let (organisation, reason) = (acme(), RevocationReason::KeyCompromise);
		assert_eq!(last_event(), Event::AnchorRevoked { anchor, organisation, reason }.into());
		assert_eq!(Dpki::anchor_status(anchor), LEAKED);
		assert!(RevokedAnchorKeys::<Test>::contains_key(pair.id()));
		let again = report(what, compromise(&pair));
		assert_eq!(submit(again), Err(Refusal::AnchorAlreadyRevoked));
	});
}

#[test]
fn a_leaked_x509_root_ends_itself() {
	run(|| {
		let anchor = super::certificates::register_rsa_root();
		let what = Compromised::Anchor(anchor);
		let root = Pair::new(KeyType::Rsa, 1);
		assert_eq!(Dpki::anchor(anchor).unwrap().key_id, root.id());
		let forged = compromise(&Pair::new(KeyType::Rsa, 2));
		assert_noop!(
			Dpki::report_compromise(signed(MALLORY), what.clone(), forged),
			Error::<Test>::CompromiseInvalid
		);
		set_time(NOW + 200 * 365 * 24 * 60 * 60 * 1_000);
		assert_eq!(Dpki::anchor_status(anchor), Status::Expired);
		assert_ok!(Dpki::report_compromise(signed(MALLORY), what.clone(), compromise(&root)));
		assert!(matches!(Dpki::anchor_status(anchor), Status::Revoked(_)));
		assert_noop!(
			Dpki::report_compromise(signed(MALLORY), what, compromise(&root)),
			Error::<Test>::AnchorAlreadyRevoked
		);
	});
}

#[test]
fn only_the_pipeline_that_judges_or_an_account_with_the_proof_can_carry_it_out() {
	run(|| {
		let first = Pair::ed25519(1);
		enrol("drone-1", &[(Sign, first.clone())]);
		let what = Compromised::Key(first.id());
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(
				Dpki::report_compromise(origin, what.clone(), compromise(&first)),
				sp_runtime::DispatchError::BadOrigin
			);
		}
		let forged = compromise(&Pair::ed25519(2));
		assert_noop!(
			Dpki::report_compromise(signed(ALICE), what.clone(), forged),
			Error::<Test>::CompromiseInvalid
		);
		assert_ok!(Dpki::report_compromise(signed(MALLORY), what, compromise(&first)));
		assert_noop!(
			Dpki::do_report_compromise(Compromised::Key(KeyId([9; 32]))),
			Error::<Test>::KeyUnknown
		);
	});
}

#[test]
fn a_dear_proof_is_refused_unseen_unless_an_account_pays_for_it() {
	run(|| {
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		let rsa = Pair::new(KeyType::Rsa, 1);
		assert_ok!(Wish::own(device, Tls, &rsa, &first).by_bob().register());
		let what = Compromised::Key(rsa.id());
		for proof in [compromise(&rsa), Default::default()] {
			let call = report(what.clone(), proof);
			assert_eq!(validate(call.clone()).unwrap_err(), Refusal::CompromiseUnpaid);
			assert_eq!(submit(call), Err(Refusal::CompromiseUnpaid));
		}
		assert_ok!(Dpki::report_compromise(signed(MALLORY), what, compromise(&rsa)));
		assert_eq!(Dpki::key_status(rsa.id()), LEAKED);
	});
}

#[test]
fn a_block_takes_so_many_reports_that_nobody_pays_for_and_the_next_one_again() {
	run(|| {
		let pairs = (1..=MAX_UNPAID_REPORTS as u8 + 2).map(Pair::ed25519).collect::<Vec<_>>();
		for (index, pair) in pairs.iter().enumerate() {
			enrol(&format!("drone-{index}"), &[(Sign, pair.clone())]);
		}
		let report_of = |pair: &Pair| report(Compromised::Key(pair.id()), compromise(pair));
		let (last, taken) = pairs.split_last().unwrap();
		let (paid, taken) = taken.split_last().unwrap();
		for pair in taken {
			assert_ok!(submit(report_of(pair)).unwrap());
		}
		assert_eq!(UnpaidReports::<Test>::get(), (1, MAX_UNPAID_REPORTS));
		// It stays in the pool: it is neither wrong nor stale.
		let authorize =
			|| Dpki::authorize_compromise(&Compromised::Key(last.id()), &compromise(last));
		assert_eq!(authorize().unwrap_err(), InvalidTransaction::Future.into());
		let what = Compromised::Key(paid.id());
		assert_ok!(Dpki::report_compromise(signed(MALLORY), what, compromise(paid)));
		assert_eq!(
			UnpaidReports::<Test>::get(),
			(1, MAX_UNPAID_REPORTS),
			"who pays is not counted"
		);

		System::set_block_number(2);
		assert_ok!(submit(report_of(last)).unwrap());
		assert_eq!(UnpaidReports::<Test>::get(), (2, 1));
		assert_eq!(Dpki::key_status(last.id()), LEAKED);
	});
}

#[test]
fn no_dear_anchor_is_verified_for_nothing() {
	run(|| {
		let rsa = super::certificates::register_rsa_root();
		let p384 = super::certificates::register_p384_root();
		for anchor in [rsa, p384] {
			let call = report(Compromised::Anchor(anchor), Default::default());
			assert_eq!(validate(call).unwrap_err(), Refusal::CompromiseUnpaid);
		}
		let unknown = report(Compromised::Anchor(AnchorId([9; 32])), Default::default());
		assert_eq!(validate(unknown).unwrap_err(), Refusal::AnchorUnknown);
	});
}

#[test]
fn the_leak_of_an_anchor_key_is_told_to_whoever_else_knows_the_key() {
	run(|| {
		let (leaked, retired) = (Pair::ed25519(5), Pair::ed25519(6));
		let anchor = register_ssh(&leaked);
		assert_ok!(submit(report(Compromised::Anchor(anchor), compromise(&leaked))).unwrap());
		assert!(Leaks::is_compromised(leaked.id()));
		let anchor = register_ssh(&retired);
		let reason = RevocationReason::Superseded;
		assert_ok!(Dpki::revoke_anchor(signed(ALICE), anchor, reason));
		assert!(!Leaks::is_compromised(retired.id()));
	});
}

/// A stranger reports the key by itself, and pays.
fn report_public(public: PublicKey, proof: Signature) -> DispatchResultWithPostInfo {
	Dpki::report_compromise(signed(MALLORY), Compromised::Public(public), proof)
}

#[test]
fn a_key_of_any_type_that_is_registered_as_nothing_is_noted_for_whoever_pays() {
	run(|| {
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		for key_type in KeyType::ALL.into_iter().filter(|it| !it.is_hash()) {
			let pair = Pair::new(key_type, 1 + 30 * u8::from(key_type != KeyType::Rsa));
			let (key, proof) = (pair.id(), compromise(&pair));
			let call = report(Compromised::Public(pair.public()), proof.clone());
			assert_eq!(validate(call.clone()).unwrap_err(), Refusal::CompromiseUnpaid);
			assert_eq!(submit(call.clone()), Err(Refusal::CompromiseUnpaid));
			assert!(!Leaks::is_compromised(key));

			let declared = call.get_dispatch_info();
			assert_eq!(declared.class, DispatchClass::Operational);
			let done = report_public(pair.public(), proof.clone()).unwrap();
			let used = done.actual_weight.expect("no anchor was to be revoked");
			assert!(used.all_lt(declared.call_weight), "{key_type:?}");
			assert_eq!(last_event(), Event::KeyCompromised { key }.into());
			assert_eq!(Leaks::compromised_since(key), Some(NOW));
			assert_noop!(report_public(pair.public(), proof), Error::<Test>::KeyAlreadyRevoked);

			let purpose = [Tls, KeyAgreement, Sign]
				.into_iter()
				.find(|purpose| purpose.allows(key_type))
				.unwrap();
			let wish = Wish::own(device, purpose, &pair, &first).by_bob();
			assert_noop!(wish.register(), Error::<Test>::KeyWasRevoked);
		}
		assert_eq!(UnpaidReports::<Test>::get(), (0, 0));
	});
}

#[test]
fn a_key_that_is_named_by_itself_needs_the_same_proof_as_any() {
	run(|| {
		let (leaked, other) = (Pair::ed25519(1), Pair::ed25519(2));
		let good = SigningContext::compromise(GENESIS, leaked.id());
		let refused = |proof| {
			assert_noop!(report_public(leaked.public(), proof), Error::<Test>::CompromiseInvalid);
		};
		refused(other.sign(&good.payload()));
		refused(compromise(&other));
		refused(leaked.sign(&SigningContext::compromise([8; 32], leaked.id()).payload()));
		refused(leaked.sign(&SigningContext::compromise(GENESIS, other.id()).payload()));
		refused(leaked.sign(&SigningContext { expires_at: NOW, ..good }.payload()));
		refused(Default::default());
		assert!(!Leaks::is_compromised(leaked.id()));
	});
}

#[test]
fn what_cannot_prove_anything_is_not_noted() {
	run(|| {
		for key_type in KeyType::ALL.into_iter().filter(|it| it.is_hash()) {
			let hash = PublicKey::new(key_type, &[7; 32]).unwrap();
			assert_noop!(
				report_public(hash, Default::default()),
				Error::<Test>::CompromiseUnprovable
			);
		}
		let mut neutral = [0; 32];
		neutral[0] = 1;
		let anybodys = PublicKey::new(KeyType::Ed25519, &neutral).unwrap();
		let short = PublicKey { bytes: Default::default(), ..anybodys.clone() };
		for key in [anybodys, short] {
			let refusal = report_public(key, vec![0; 64].try_into().unwrap());
			assert_noop!(refusal, Error::<Test>::KeyMalformed);
		}
	});
}

#[test]
fn a_key_that_is_named_by_itself_ends_as_what_it_is_registered_as() {
	run(|| {
		let (first, mild) = (Pair::ed25519(1), Pair::ed25519(2));
		let device = enrol("drone-1", &[(Sign, first.clone()), (Tls, mild.clone())]);
		assert_ok!(Dpki::revoke_key(signed(BOB), mild.id(), RevocationReason::Superseded));
		for pair in [first, mild] {
			assert_ok!(report_public(pair.public(), compromise(&pair)));
			let (key, reason) = (pair.id(), RevocationReason::KeyCompromise);
			assert_eq!(last_event(), Event::KeyRevoked { key, device, reason }.into());
			assert_eq!(Dpki::key_status(key), LEAKED);
			assert!(!Leaks::is_compromised(key), "its record tells it");
			assert_noop!(
				report_public(pair.public(), compromise(&pair)),
				Error::<Test>::KeyAlreadyRevoked
			);
		}

		let ca = Pair::ed25519(5);
		let rsa = Pair::new(KeyType::Rsa, 1);
		let anchors = [register_ssh(&ca), super::certificates::register_rsa_root()];
		for (pair, anchor) in [ca, rsa].into_iter().zip(anchors) {
			assert_ok!(report_public(pair.public(), compromise(&pair)));
			assert_eq!(Dpki::anchor_status(anchor), LEAKED);
			assert!(RevokedAnchorKeys::<Test>::contains_key(pair.id()));
			assert!(Leaks::is_compromised(pair.id()));
			assert_noop!(
				report_public(pair.public(), compromise(&pair)),
				Error::<Test>::KeyAlreadyRevoked
			);
		}
	});
}

#[test]
fn an_anchor_key_that_leaks_after_a_milder_revocation_is_noted() {
	run(|| {
		let ca = Pair::ed25519(5);
		let anchor = register_ssh(&ca);
		assert_ok!(Dpki::revoke_anchor(signed(ALICE), anchor, RevocationReason::Superseded));
		assert_noop!(
			Dpki::report_compromise(signed(MALLORY), Compromised::Anchor(anchor), compromise(&ca)),
			Error::<Test>::AnchorAlreadyRevoked
		);
		assert_ok!(report_public(ca.public(), compromise(&ca)));
		assert!(Leaks::is_compromised(ca.id()));
	});
}
