//! The types of keys that need more than a length: RSA, and those of which the chain holds the hash.

use super::{kit::*, mock::*};
use crate::{crypto, fixtures};
use dpki_primitives::{
	ids::KeyId,
	key::{KeyPurpose::*, KeyType, PublicKey},
	refusal::Refusal,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};
use rsa::{
	BigUint, RsaPrivateKey, RsaPublicKey,
	pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey},
	traits::PublicKeyParts,
};

fn rsa_2048() -> Pair {
	Pair::new(KeyType::Rsa, 1)
}

fn rsa_4096() -> Pair {
	Pair::new(KeyType::Rsa, 2)
}

#[test]
fn a_device_enrols_with_rsa_keys_beside_its_signing_key() {
	run(|| {
		let device =
			enrol("drone-1", &[(Sign, Pair::ed25519(1)), (Tls, rsa_2048()), (Ssh, rsa_4096())]);
		for (pair, bits) in [(rsa_2048(), 2048), (rsa_4096(), 4096)] {
			assert_eq!(Dpki::key_status(pair.id()), Status::Valid);
			assert_eq!(crypto::rsa_bits(&pair.public()), Some(bits));
		}
		assert_eq!(Dpki::keys_of(device).len(), 3);
	});
}

#[test]
fn an_rsa_key_says_nothing_to_the_chain() {
	run(|| {
		issue(&voucher_pair(), "drone-1");
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &[(Sign, rsa_2048())]);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyUnfitForPurpose));
	});
}

#[test]
fn an_rsa_key_proves_itself_by_either_scheme() {
	let key = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA2048_KEY).unwrap();
	let public = rsa_2048().public();
	let pss = fixtures::sign_pss(&key, b"message");
	assert!(crypto::verify(&public, b"message", &pss));
	assert!(!crypto::verify(&public, b"massage", &pss));
	assert!(!crypto::verify(&rsa_4096().public(), b"message", &pss));
	let pkcs1 = rsa_2048().sign(b"message");
	assert!(crypto::verify(&public, b"message", &pkcs1));
	for proof in [pss, pkcs1.into_inner()] {
		let longer = [&[0], &proof[..]].concat();
		assert!(!crypto::verify(&public, b"message", &longer));
		assert!(!crypto::verify(&public, b"message", &proof[1..]));
		assert!(!crypto::verify(&public, b"message", &[]));
	}
}

#[test]
fn an_rsa_key_has_one_encoding_one_exponent_and_a_sufficient_length() {
	let key = RsaPrivateKey::from_pkcs1_der(&fixtures::RSA2048_KEY).unwrap().to_public_key();
	let well_formed = |der: &[u8]| {
		PublicKey::new(KeyType::Rsa, der).is_some_and(|key| crypto::is_well_formed(&key))
	};
	let good = key.to_pkcs1_der().unwrap();
	assert!(well_formed(good.as_bytes()));
	assert!(!well_formed(&[good.as_bytes(), &[0]].concat()));
	let other = RsaPublicKey::new(key.n().clone(), BigUint::from(3u8)).unwrap();
	assert!(!well_formed(other.to_pkcs1_der().unwrap().as_bytes()));
	let short =
		RsaPublicKey::new((key.n() >> 1) | BigUint::from(1u8), BigUint::from(65_537u32)).unwrap();
	assert!(!well_formed(short.to_pkcs1_der().unwrap().as_bytes()));
	let mut padded = good.as_bytes().to_vec();
	// The sequence and the modulus one byte longer, with a second leading zero.
	padded[3] += 1;
	padded[7] += 1;
	padded.insert(8, 0);
	assert!(!well_formed(&padded));
	for at in 0..8 {
		let mut broken = good.as_bytes().to_vec();
		broken[at] ^= 0x40;
		assert!(!well_formed(&broken), "{at}");
	}
}

#[test]
fn every_type_is_registered_for_a_purpose_that_allows_it() {
	run(|| {
		let first = Pair::ed25519(1);
		let device = enrol("drone-1", &[(Sign, first.clone())]);
		for key_type in KeyType::ALL {
			let pair = Pair::new(key_type, 31);
			let purpose = [Tls, KeyAgreement, Sign, Ssh]
				.into_iter()
				.find(|purpose| purpose.allows(key_type))
				.unwrap();
			let wish = Wish::own(device, purpose, &pair, &first).by_bob();
			assert_ok!(wish.register());
			let id = KeyId::of_device(device, &pair.public());
			assert_eq!(Dpki::key_status(id), Status::Valid, "{key_type:?}");
			assert_eq!(Dpki::key(id).unwrap().is_proven(), !key_type.is_hash());
			for unfit in
				[Tls, KeyAgreement, Sign, Ssh].into_iter().filter(|it| !it.allows(key_type))
			{
				let wish = Wish::own(device, unfit, &Pair::new(key_type, 33), &first).by_bob();
				assert_noop!(wish.register(), crate::Error::<Test>::KeyUnfitForPurpose);
			}
		}
	});
}

#[test]
fn a_key_that_is_held_by_its_hash_needs_the_word_of_a_signing_key() {
	run(|| {
		let hash = Pair::new(KeyType::XWing, 2);
		issue(&voucher_pair(), "drone-1");
		let keys = [(Sign, Pair::ed25519(1)), (KeyAgreement, hash.clone())];
		let enrolment = Enrolment::new(&voucher_pair(), "drone-1", &keys);
		assert_eq!(enrolment.submit(), Err(Refusal::KeyUnproven));

		let device = enrol("drone-2", &[(Sign, Pair::ed25519(3))]);
		let wish = Wish::own(device, KeyAgreement, &hash, &Pair::ed25519(3)).by_bob();
		let (mut key, consent) = wish.sign();
		key.possession = vec![0; 64].try_into().unwrap();
		assert_noop!(
			Dpki::register_key(signed(BOB), device, key, consent, expires()),
			crate::Error::<Test>::PossessionInvalid
		);
		let stranger = Wish { signer: Pair::ed25519(4), ..wish.clone() };
		assert_noop!(stranger.register(), crate::Error::<Test>::ConsentInvalid);
		assert_ok!(wish.register());
	});
}

#[test]
fn nobody_keeps_a_key_that_is_held_by_its_hash_from_its_owner() {
	run(|| {
		let hash = Pair::new(KeyType::MlDsa65, 2);
		let (thief, owner) = (Pair::ed25519(3), Pair::ed25519(4));
		let of_thief = enrol("drone-1", &[(Sign, thief.clone())]);
		let of_owner = enrol("drone-2", &[(Sign, owner.clone())]);
		assert_ok!(Wish::own(of_thief, Tls, &hash, &thief).by_bob().register());
		let id = KeyId::of_device(of_thief, &hash.public());
		assert_ok!(Dpki::revoke_key(signed(BOB), id, REASON));
		assert_noop!(
			Wish::own(of_thief, Tls, &hash, &thief).by_bob().register(),
			crate::Error::<Test>::KeyWasRevoked
		);
		let wish = Wish::own(of_owner, Tls, &hash, &owner).by_bob();
		assert_ok!(wish.register());
		assert_noop!(wish.register(), crate::Error::<Test>::KeyAlreadyRegistered);
	});
}

#[test]
fn under_a_hash_nothing_verifies() {
	for key_type in KeyType::ALL.into_iter().filter(|it| it.is_hash()) {
		let pair = Pair::new(key_type, 1);
		assert!(crypto::is_well_formed(&pair.public()));
		assert!(!crypto::verify(&pair.public(), b"message", &pair.sign(b"message")));
		assert!(!crypto::verify(&pair.public(), b"message", &[]));
	}
}
