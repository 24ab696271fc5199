//! A PKI to test with: authorities by `rcgen`, of which every part can be changed before they are signed, and by OpenSSL.

use super::mock::*;
use crate::Error;
use dpki_primitives::{
	anchor::{AnchorKind, AnchorMaterial, Basis, Profile},
	context::{Action, SigningContext},
	ids::{AnchorId, KeyId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
};
use rcgen::{
	BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
	KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SerialNumber, SigningKey, date_time_ymd,
};
use sp_runtime::{AccountId32, DispatchResult};
use std::{
	path::Path,
	process::Command,
	sync::atomic::{AtomicU32, Ordering},
};

/// The last moment of what is made here: the last millisecond of the first second of 2040.
pub const LAST: u64 = 2_208_988_800_999;

/// An authority, or an end entity.
pub struct Party {
	pub params: CertificateParams,
	pub pair: KeyPair,
	pub der: Vec<u8>,
	pub kind: AnchorKind,
}

/// An authority of this name as it is accepted, valid from 2020 to 2040.
pub fn authority(name: &str) -> CertificateParams {
	let mut params = entity(name);
	params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
	params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
	params
}

/// A serial number that no other certificate of the tests has, unless a test gives it one.
fn next_serial() -> u32 {
	static NEXT: AtomicU32 = AtomicU32::new(0x3500_0000);
	NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An end entity of this name as it is accepted.
pub fn entity(name: &str) -> CertificateParams {
	let mut params = CertificateParams::default();
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, name);
	params.is_ca = IsCa::ExplicitNoCa;
	params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
	params.not_before = date_time_ymd(2020, 1, 1);
	params.not_after = date_time_ymd(2040, 1, 1);
	params.serial_number = Some(SerialNumber::from_slice(&next_serial().to_be_bytes()));
	params.use_authority_key_identifier_extension = true;
	params
}

pub fn ed25519_pair() -> KeyPair {
	KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

/// An Ed25519 key of a device, for a certificate of it.
pub fn certified(pair: &Pair) -> KeyPair {
	let Pair::Ed25519(pair) = pair else { panic!("another type of key") };
	// RFC 8410 section 7, up to the seed.
	let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
	let pkcs8 = [&head[..], &pair.seed()[..]].concat();
	KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8[..].into(), &PKCS_ED25519).unwrap()
}

pub fn p256_pair() -> KeyPair {
	KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

impl Party {
	/// A root with an Ed25519 key.
	pub fn root(name: &str) -> Self {
		Self::root_of(authority(name), ed25519_pair())
	}

	pub fn root_of(mut params: CertificateParams, pair: KeyPair) -> Self {
		params.use_authority_key_identifier_extension = false;
		let der = params.self_signed(&pair).unwrap().der().to_vec();
		Self { params, pair, der, kind: AnchorKind::X509Root }
	}

	/// An intermediate with an Ed25519 key.
	pub fn issue(&self, name: &str) -> Self {
		self.issue_to(authority(name), ed25519_pair())
	}

	pub fn issue_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
		let mut params = authority(name);
		change(&mut params);
		self.issue_to(params, ed25519_pair())
	}

	pub fn issue_to(&self, params: CertificateParams, pair: KeyPair) -> Self {
		let issuer = Issuer::from_params(&self.params, &self.pair);
		let der = params.signed_by(&pair, &issuer).unwrap().der().to_vec();
		Self { params, pair, der, kind: AnchorKind::X509Intermediate }
	}

	/// The same key and name under another certificate of the same issuer.
	pub fn reissued_by(&self, issuer: &Party, serial: u8) -> Self {
		let mut params = self.params.clone();
		params.serial_number = Some(SerialNumber::from_slice(&[serial]));
		issuer.issue_to(params, self.copy_of_pair())
	}

	pub fn copy_of_pair(&self) -> KeyPair {
		let pkcs8 = self.pair.serialize_der().into();
		KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, self.pair.algorithm()).unwrap()
	}

	pub fn id(&self) -> AnchorId {
		AnchorId::of(self.kind, &self.der)
	}

	/// The id of its Ed25519 key.
	pub fn key_id(&self) -> KeyId {
		let key = PublicKey::new(KeyType::Ed25519, self.pair.public_key_raw());
		KeyId::of(&key.expect("the key has 32 bytes"))
	}

	pub fn material(&self) -> AnchorMaterial {
		self.der.clone().try_into().unwrap()
	}

	/// The proof of possession as an honest holder makes it.
	pub fn proof(&self, who: &AccountId32, organisation: OrganisationId) -> Signature {
		let action =
			Action::PossessAnchor { account: who.clone().into(), organisation, anchor: self.id() };
		let context =
			SigningContext { genesis: GENESIS, action, nonce: 0, expires_at: NOW + 1_000 };
		let signature = self.pair.sign(&context.payload()).unwrap();
		let signature = if self.pair.is_compatible(&PKCS_ECDSA_P256_SHA256) {
			p256::ecdsa::Signature::from_der(&signature).unwrap().to_bytes().to_vec()
		} else {
			signature
		};
		signature.try_into().unwrap()
	}

	/// Registers it for [`acme`].
	pub fn register(&self, basis: Basis) -> DispatchResult {
		self.register_for(CAROL, acme(), basis)
	}

	pub fn register_for(
		&self,
		who: AccountId32,
		organisation: OrganisationId,
		basis: Basis,
	) -> DispatchResult {
		let proof = self.proof(&who, organisation);
		let material = self.material();
		Dpki::register_authority(signed(who), organisation, basis, material, proof, NOW + 1_000)
	}

	/// Registers it as a root of [`acme`], of no profile.
	pub fn register_root(&self) -> AnchorId {
		self.register(Basis::SelfSigned(Profile::Rfc5280)).unwrap();
		self.id()
	}

	/// Registers it for [`acme`] below the anchor that this party is.
	pub fn register_below(&self, issuer: &Party) -> AnchorId {
		self.register(Basis::IssuedBy(issuer.id())).unwrap();
		self.id()
	}

	/// That it cannot be registered below the anchor that this party is.
	#[track_caller]
	pub fn assert_refused_below(&self, issuer: &Party, error: Error<Test>) {
		frame_support::assert_noop!(self.register(Basis::IssuedBy(issuer.id())), error);
	}
}

/// A root that begins in 2020 and ends in 2030, a unit below it, and what is not registered yet.
pub fn tree_to_2030() -> (Party, Party, Party) {
	let mut params = authority("Root");
	params.not_after = date_time_ymd(2030, 1, 1);
	let root = Party::root_of(params, ed25519_pair());
	root.register_root();
	let unit = root.issue("Unit");
	unit.register_below(&root);
	let team = unit.issue("Team");
	(root, unit, team)
}

/// Runs `openssl` in a folder.
pub fn openssl(folder: &Path, arguments: &str) {
	let output = Command::new("openssl")
		.args(arguments.split_whitespace())
		.current_dir(folder)
		.output();
	let output = output.expect("openssl is installed: scripts/setup sees to it");
	assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
