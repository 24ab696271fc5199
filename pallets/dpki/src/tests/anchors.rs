//! SSH CAs, and what holds for every anchor. X.509 is in [`super::certificates`].

use super::mock::*;
use crate::{Error, Event};
use dpki_primitives::{
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord, MAX_ANCHORS_PER_ORGANISATION},
	context::{Action, MAX_SIGNATURE_LIFETIME, SigningContext},
	ids::{AnchorId, OrganisationId},
	key::{KeyPurpose, KeyType, Signature},
	refusal::Refusal,
	revocation::Revocation,
	status::{Status, Validity},
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{AccountId32, DispatchError, DispatchResult};

const EXPIRES: u64 = NOW + 1_000;
const USER: AnchorKind = AnchorKind::SshUserCa;

fn register(who: AccountId32, material: AnchorMaterial, possession: Signature) -> DispatchResult {
	Dpki::register_anchor(signed(who), acme(), USER, material, possession, EXPIRES)
}

fn proof(who: &AccountId32, pair: &Pair, material: &[u8]) -> Signature {
	pair.sign(&anchor_context(who, USER, material).payload())
}

fn assert_material_refused(material: AnchorMaterial, error: Error<Test>) {
	assert_noop!(register(CAROL, material, Default::default()), error);
}

#[test]
fn an_ssh_ca_is_active_as_soon_as_it_is_registered() {
	run(|| {
		let pair = Pair::ed25519(1);
		let anchor = register_ssh(&pair);
		let validity = Validity { not_before: NOW, not_after: None };
		let record = AnchorRecord::new(acme(), USER, Some(pair.public()), pair.id(), validity, NOW);
		assert_eq!(Dpki::anchors_of(acme()), [(anchor, record)]);
		assert_eq!(Dpki::anchor_status(anchor), Status::Valid);
		assert_eq!(Dpki::anchor_material(anchor), Some(ssh_ed25519(&pair)));
		let event = Event::AnchorRegistered { anchor, organisation: acme(), kind: USER };
		assert_eq!(last_event(), event.into());
	});
}

#[test]
fn a_p256_key_is_an_ssh_ca_too() {
	run(|| {
		let pair = Pair::new(KeyType::P256, 1);
		let Pair::P256(signing) = &pair else { unreachable!() };
		let material = ssh_p256(signing);
		assert_ok!(register(CAROL, material.clone(), proof(&CAROL, &pair, &material)));
		let anchor = AnchorId::of(USER, &material);
		let record = Dpki::anchor(anchor).unwrap();
		assert_eq!((record.key, record.key_id), (Some(pair.public()), pair.id()));
	});
}

#[test]
fn only_an_anchor_manager_of_the_organisation_registers() {
	run(|| {
		let pair = Pair::ed25519(1);
		let material = ssh_ed25519(&pair);
		for who in [BOB, MALLORY] {
			let possession = proof(&who, &pair, &material);
			assert_noop!(register(who, material.clone(), possession), Error::<Test>::RoleMissing);
		}
		let (nowhere, none) = (OrganisationId([0; 32]), Signature::default());
		assert_noop!(
			Dpki::register_anchor(
				signed(CAROL),
				nowhere,
				USER,
				material.clone(),
				none.clone(),
				EXPIRES
			),
			Error::<Test>::OrganisationUnknown
		);
		assert_noop!(
			Dpki::register_anchor(RuntimeOrigin::root(), acme(), USER, material, none, EXPIRES),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn possession_of_an_anchor_is_proven_for_this_registration_only() {
	run(|| {
		let pair = Pair::ed25519(1);
		let material = ssh_ed25519(&pair);
		let good = anchor_context(&CAROL, USER, &material);
		let anchor = AnchorId::of(USER, &material);
		let foreign =
			Action::PossessAnchor { account: CAROL.into(), organisation: other(), anchor };
		for wrong in [
			anchor_context(&ALICE, USER, &material),
			anchor_context(&CAROL, AnchorKind::SshHostCa, &material),
			anchor_context(&CAROL, USER, &ssh_ed25519(&Pair::ed25519(2))),
			SigningContext { genesis: [8; 32], ..good.clone() },
			SigningContext { nonce: 1, ..good.clone() },
			SigningContext { expires_at: EXPIRES + 1, ..good.clone() },
			SigningContext { action: foreign, ..good.clone() },
		] {
			assert_noop!(
				register(CAROL, material.clone(), pair.sign(&wrong.payload())),
				Error::<Test>::AnchorPossessionInvalid
			);
		}
		assert_noop!(
			register(CAROL, material.clone(), Pair::ed25519(2).sign(&good.payload())),
			Error::<Test>::AnchorPossessionInvalid
		);
		assert_ok!(register(CAROL, material, pair.sign(&good.payload())));
	});
}

#[test]
fn a_stale_or_far_expiry_is_refused() {
	run(|| {
		let pair = Pair::ed25519(1);
		let material = ssh_ed25519(&pair);
		for expires_at in [NOW - 1, NOW + MAX_SIGNATURE_LIFETIME + 1] {
			let context = SigningContext { expires_at, ..anchor_context(&CAROL, USER, &material) };
			let possession = pair.sign(&context.payload());
			assert_noop!(
				Dpki::register_anchor(
					signed(CAROL),
					acme(),
					USER,
					material.clone(),
					possession,
					expires_at
				),
				Error::<Test>::SignatureExpired
			);
		}
	});
}

#[test]
fn an_anchor_is_registered_once_and_never_again_after_revocation() {
	run(|| {
		let pair = Pair::ed25519(1);
		let anchor = register_ssh(&pair);
		let material = ssh_ed25519(&pair);
		let again = || register(CAROL, material.clone(), proof(&CAROL, &pair, &material));
		assert_noop!(again(), Error::<Test>::AnchorExists);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_noop!(again(), Error::<Test>::AnchorWasRevoked);
	});
}

/// The id of an anchor covers its kind, so the same key has another id there.
#[test]
fn the_key_of_a_revoked_anchor_does_not_come_back_under_the_other_kind() {
	run(|| {
		let pair = Pair::ed25519(1);
		let material = ssh_ed25519(&pair);
		let host = AnchorKind::SshHostCa;
		let possession = pair.sign(&anchor_context(&CAROL, host, &material).payload());
		let as_host = || {
			let (material, possession) = (material.clone(), possession.clone());
			Dpki::register_anchor(signed(CAROL), acme(), host, material, possession, EXPIRES)
		};
		let anchor = register_ssh(&pair);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_noop!(as_host(), Error::<Test>::AnchorKeyWasRevoked);
		// The key of another anchor is none the worse for it.
		register_ssh(&Pair::ed25519(2));
	});
}

#[test]
fn a_key_can_serve_both_kinds_until_one_of_them_is_revoked() {
	run(|| {
		let pair = Pair::ed25519(1);
		let material = ssh_ed25519(&pair);
		let host = AnchorKind::SshHostCa;
		let possession = pair.sign(&anchor_context(&CAROL, host, &material).payload());
		let user = register_ssh(&pair);
		let other = AnchorId::of(host, &material);
		assert_ok!(Dpki::register_anchor(
			signed(CAROL),
			acme(),
			host,
			material,
			possession,
			EXPIRES
		));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), user, REASON));
		let revoked = Status::Revoked(Revocation { reason: REASON, at: NOW });
		assert_eq!(Dpki::anchor_status(other), revoked, "the key has ended, and so have both");
		assert!(Dpki::anchors_of(acme()).is_empty());
		assert_noop!(
			Dpki::revoke_anchor(signed(CAROL), other, REASON),
			Error::<Test>::AnchorAlreadyRevoked
		);
	});
}

#[test]
fn the_key_of_a_device_is_no_anchor() {
	run(|| {
		let pair = Pair::ed25519(1);
		enrol("drone-1", &[(KeyPurpose::Sign, pair.clone())]);
		let material = ssh_ed25519(&pair);
		let attempt = || register(CAROL, material.clone(), proof(&CAROL, &pair, &material));
		assert_noop!(attempt(), Error::<Test>::AnchorKeyInUse);
		assert_ok!(Dpki::revoke_key(signed(BOB), pair.id(), REASON));
		assert_noop!(attempt(), Error::<Test>::AnchorKeyInUse);
	});
}

#[test]
fn the_key_of_an_anchor_is_no_key_of_a_device() {
	run(|| {
		let pair = Pair::ed25519(1);
		let anchor = register_ssh(&pair);
		issue(&voucher_pair(), "drone-1");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &[(KeyPurpose::Sign, pair)]);
		assert_eq!(enrolment.validate(), Err(Refusal::KeyAlreadyRegistered));
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_eq!(enrolment.validate(), Err(Refusal::KeyWasRevoked));
	});
}

#[test]
fn an_organisation_has_a_bounded_number_of_unrevoked_anchors() {
	run(|| {
		let first = register_ssh(&Pair::ed25519(1));
		for seed in 2..=MAX_ANCHORS_PER_ORGANISATION as u8 {
			register_ssh(&Pair::ed25519(seed));
		}
		let pair = Pair::ed25519(200);
		let material = ssh_ed25519(&pair);
		let another = || register(CAROL, material.clone(), proof(&CAROL, &pair, &material));
		assert_noop!(another(), Error::<Test>::AnchorListFull);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), first, REASON));
		assert_ok!(another());
	});
}

#[test]
fn only_the_exact_wire_encoding_of_a_key_is_accepted() {
	run(|| {
		let ed25519 = ssh_ed25519(&Pair::ed25519(1));
		let Pair::P256(pair) = Pair::new(KeyType::P256, 1) else { unreachable!() };
		let p256 = ssh_p256(&pair);
		for good in [&ed25519, &p256] {
			let mut trailing = good.clone();
			trailing.try_push(0).unwrap();
			assert_material_refused(trailing, Error::SshKeyMalformed);
			for len in 0..good.len() {
				let cut = good[..len].to_vec().try_into().unwrap();
				assert_material_refused(cut, Error::SshKeyMalformed);
			}
		}
		let compressed = pair.verifying_key().to_encoded_point(true);
		let mut off_curve = pair.verifying_key().to_encoded_point(false).as_bytes().to_vec();
		off_curve[64] ^= 1;
		let p256_name: &[u8] = b"ecdsa-sha2-nistp256";
		for malformed in [
			ssh_blob(&[b"ssh-ed25519", &[1; 31]]),
			ssh_blob(&[b"ssh-ed25519", &[1; 33]]),
			ssh_blob(&[b"ssh-ed25519", &[0; 32]]),
			ssh_blob(&[
				p256_name,
				b"nistp384",
				pair.verifying_key().to_encoded_point(false).as_bytes(),
			]),
			ssh_blob(&[p256_name, b"nistp256", compressed.as_bytes()]),
			ssh_blob(&[p256_name, b"nistp256", &off_curve]),
			vec![0xff; 40].try_into().unwrap(),
		] {
			assert_material_refused(malformed, Error::SshKeyMalformed);
		}
	});
}

#[test]
fn other_types_of_ssh_key_are_named_as_unsupported() {
	run(|| {
		for key_type in ["ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp384", "sk-ssh-ed25519@openssh.com"]
		{
			let material = ssh_blob(&[key_type.as_bytes(), &[1; 32]]);
			assert_material_refused(material, Error::SshKeyTypeUnsupported);
		}
	});
}

#[test]
fn a_retired_anchor_is_superseded_and_stays_listed() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		set_time(NOW + 5);
		assert_ok!(Dpki::retire_anchor(signed(CAROL), anchor));
		assert_eq!(Dpki::anchor_status(anchor), Status::Superseded);
		assert_eq!(Dpki::anchor(anchor).unwrap().retired_at, Some(NOW + 5));
		assert_eq!(Dpki::anchors_of(acme()).len(), 1);
		assert_eq!(last_event(), Event::AnchorRetired { anchor, organisation: acme() }.into());
	});
}

#[test]
fn an_anchor_is_retired_once_and_not_after_revocation() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		assert_ok!(Dpki::retire_anchor(signed(CAROL), anchor));
		assert_noop!(
			Dpki::retire_anchor(signed(CAROL), anchor),
			Error::<Test>::AnchorAlreadyRetired
		);
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), anchor, REASON));
		assert_noop!(Dpki::retire_anchor(signed(CAROL), anchor), Error::<Test>::AnchorWasRevoked);
		assert_noop!(
			Dpki::retire_anchor(signed(CAROL), AnchorId([0; 32])),
			Error::<Test>::AnchorUnknown
		);
	});
}

#[test]
fn only_an_anchor_manager_of_its_organisation_retires_an_anchor() {
	run(|| {
		let anchor = register_ssh(&Pair::ed25519(1));
		for who in [BOB, MALLORY] {
			assert_noop!(Dpki::retire_anchor(signed(who), anchor), Error::<Test>::RoleMissing);
		}
	});
}
