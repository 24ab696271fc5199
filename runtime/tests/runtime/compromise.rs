// SPDX-License-Identifier: Apache-2.0

//! A key that the registry does not hold proves its own compromise, and ends wherever it is in use.

use crate::common::{account, apply, chain, extension, origin, signed};
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	application::{CertificateRequest, Possession},
	assurance::Level,
	certificate::Holder,
	context::{Action, SigningContext},
	device::Compromised,
	fleet::{FleetLeaf, MembershipProof, RollEntry, RollTerms, tree::root_of},
	ids::{AnchorId, ApplicationId, CertificateId, FleetId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType, PublicKey, Signature},
	organisation::OrganisationKind,
	refusal::Refusal,
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
	subject::Subject,
};
use dpki_runtime::{
	Balances, Certificates, Dpki, Economy, Executive, Fleets, Organisations, Runtime, RuntimeCall,
	System, Timestamp, UncheckedExtrinsic, dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{assert_ok, storage::with_transaction_unchecked, traits::Time};
use sp_core::{Pair as _, ed25519};
use sp_keyring::Sr25519Keyring::{self, Eve, Ferdie, Two};
use sp_runtime::{
	DispatchError, TransactionOutcome,
	transaction_validity::{InvalidTransaction, TransactionSource},
};

type Error = pallet_dpki::Error<Runtime>;

const NOW: Moment = 1_800_000_000_000;
const EXPIRES_AT: Moment = NOW + 60_000;
const TERMS: RollTerms =
	RollTerms { purpose: KeyPurpose::Tls, validity: Validity { not_before: 0, not_after: None } };

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn drones() -> FleetId {
	FleetId::from_name(acme(), b"drones")
}

/// The key that leaks.
fn pair() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[9; 32])
}

fn public() -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &pair().public().0).unwrap()
}

fn genesis() -> [u8; 32] {
	System::block_hash(0).into()
}

fn sign(payload: &[u8]) -> Signature {
	Signature::truncate_from(pair().sign(payload).0.to_vec())
}

/// What whoever has the key says for the chain with this genesis.
fn report(genesis: [u8; 32]) -> RuntimeCall {
	let proof = sign(&SigningContext::compromise(genesis, KeyId::of(&public())).payload());
	pallet_dpki::Call::report_compromise { what: Compromised::Public(public()), proof }.into()
}

/// A chain on which Eve has founded `acme`.
fn with_acme(test: impl FnOnce()) {
	chain(LOCAL_PRESET).execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		pallet_timestamp::Now::<Runtime>::put(NOW);
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Eve), name, OrganisationKind::Manufacturer));
		// It was founded so long ago that its quota has filled.
		pallet_economy::OrganisationBuckets::<Runtime>::remove(acme());
		test();
	});
}

/// A certificate of this person, as a pseudonym, with the key.
fn certify(holder: Sr25519Keyring) -> Result<CertificateId, DispatchError> {
	let payer: [u8; 32] = account(holder).into();
	let request = CertificateRequest {
		subject: Subject::Pseudonym(KeyId::of(&public())),
		holder: Holder::Account(payer),
		level: Level::Dv,
		key: public(),
		display_name: None,
		not_after: NOW + 24 * 60 * 60 * 1000,
	};
	let nonce = Runtime::application_nonce(account(holder));
	let action = Action::ApplyForCertificate { payer, request: request.digest() };
	let context = SigningContext { genesis: genesis(), action, nonce, expires_at: EXPIRES_AT };
	let possession = Possession::Signature(sign(&context.payload()));
	Certificates::apply(origin(holder), request, possession, EXPIRES_AT)?;
	Ok(CertificateId::of(ApplicationId::of(&payer, nonce)))
}

/// Opens a roll with the key on it, and another one.
fn enrol_on_a_roll() -> [MembershipProof; 2] {
	let name = |text: &[u8]| text.to_vec().try_into().unwrap();
	assert_ok!(Fleets::open_roll(origin(Eve), acme(), name(b"drones"), TERMS));
	let pairs = [pair(), ed25519::Pair::from_seed(&[8; 32])];
	let entry = |(place, pair): (u32, &ed25519::Pair)| {
		let payload = TERMS.possession(genesis(), drones(), place, EXPIRES_AT).payload();
		RollEntry { key: pair.public().0, possession: pair.sign(&payload).0 }
	};
	let entries: Vec<_> = (0..).zip(&pairs).map(entry).collect();
	let entries = entries.try_into().unwrap();
	assert_ok!(Fleets::append_keys(origin(Eve), drones(), 0, 0, EXPIRES_AT, entries));
	let leaf =
		|place: u32| TERMS.leaf(b"drones", place, &pairs[place as usize].public().0).unwrap();
	let hashes = [leaf(0), leaf(1)].map(|leaf| FleetLeaf::hash(&leaf));
	[0, 1].map(|index: u32| MembershipProof {
		fleet: drones(),
		organisation: acme(),
		index,
		leaf: leaf(index),
		path: vec![root_of(&hashes[1 - index as usize..][..1])].try_into().unwrap(),
	})
}

/// Eve registers the key as that of an SSH CA.
fn register_as_anchor() -> Result<AnchorId, DispatchError> {
	let blob = |part: &[u8]| [&(part.len() as u32).to_be_bytes(), part].concat();
	let material = [blob(b"ssh-ed25519"), blob(&pair().public().0)].concat();
	let kind = AnchorKind::SshUserCa;
	let anchor = AnchorId::of(kind, &material);
	let action =
		Action::PossessAnchor { account: account(Eve).into(), organisation: acme(), anchor };
	let context = SigningContext { genesis: genesis(), action, nonce: 0, expires_at: EXPIRES_AT };
	let material = material.try_into().expect("a blob is short");
	let possession = sign(&context.payload());
	Dpki::register_anchor(origin(Eve), acme(), kind, material, possession, EXPIRES_AT)?;
	Ok(anchor)
}

#[test]
fn a_stranger_ends_a_leaked_key_of_a_certificate_and_of_a_member() {
	with_acme(|| {
		let certificate = certify(Eve).expect("nothing is known against the key");
		let [member, other] = enrol_on_a_roll();
		assert_eq!(Certificates::certificate_status(certificate), Status::Valid);
		assert_eq!(Runtime::fleet_member(member.clone()), Status::Valid);

		// Nobody takes it for nothing, and no proof for another chain.
		let general = UncheckedExtrinsic::new_transaction(report(genesis()), extension(0));
		let source = TransactionSource::External;
		let parent = System::parent_hash();
		let refused = with_transaction_unchecked(|| {
			TransactionOutcome::Rollback(Executive::validate_transaction(source, general, parent))
		});
		let unpaid = InvalidTransaction::Custom(Refusal::CompromiseUnpaid.code());
		assert_eq!(refused, Err(unpaid.into()));
		let elsewhere = apply(signed(Ferdie, report([8; 32]))).expect("it is applied");
		assert_eq!(elsewhere, Err(Error::CompromiseInvalid.into()));
		assert_eq!(Certificates::certificate_status(certificate), Status::Valid);

		let before = Balances::free_balance(account(Ferdie));
		assert_ok!(apply(signed(Ferdie, report(genesis()))).expect("it is applied"));
		assert!(Balances::free_balance(account(Ferdie)) < before, "it is paid for");
		let key = KeyId::of(&public());
		System::assert_has_event(pallet_dpki::Event::KeyCompromised { key }.into());
		let at = Timestamp::now();
		let revoked = Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at });
		assert_eq!(Certificates::certificate_status(certificate), revoked);
		assert_eq!(Runtime::fleet_member(member), revoked);
		assert_eq!(Runtime::fleet_member(other), Status::Valid);
		// What verifiers are proven.
		assert!(sp_io::storage::exists(&storage_keys::compromised_key(key)));

		let refused = pallet_certificates::Error::<Runtime>::KeyRevoked;
		assert_eq!(certify(Ferdie), Err(refused.into()));
		assert_eq!(register_as_anchor(), Err(Error::AnchorKeyWasRevoked.into()));
		let again = apply(signed(Ferdie, report(genesis()))).expect("it is applied");
		assert_eq!(again, Err(Error::KeyAlreadyRevoked.into()));
	});
}

#[test]
fn who_registers_a_leaked_key_first_does_not_escape_the_report() {
	with_acme(|| {
		let certificate = certify(Eve).expect("nothing is known against the key");
		let anchor = register_as_anchor().expect("nothing is known against the key");
		assert_ok!(apply(signed(Ferdie, report(genesis()))).expect("it is applied"));
		let at = Timestamp::now();
		let revoked = Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at });
		assert_eq!(Dpki::anchor_status(anchor), revoked);
		assert_eq!(Certificates::certificate_status(certificate), revoked);
	});
}

#[test]
fn it_is_no_more_free_where_members_pay_with_quotas() {
	let feeless = || Economy::set_feeless(frame_system::RawOrigin::Root.into(), true);
	let has_taken = |who| pallet_economy::AccountBuckets::<Runtime>::contains_key(account(who));
	for (who, by_quota) in [(Eve, true), (Ferdie, false)] {
		with_acme(|| {
			assert_ok!(feeless());
			let before = Balances::free_balance(account(who));
			assert_ok!(apply(signed(who, report(genesis()))).expect("it is applied"));
			assert_eq!(Balances::free_balance(account(who)) == before, by_quota);
			assert_eq!(has_taken(who), by_quota);
		});
	}
	// Without tokens, and nobody answers for that account.
	with_acme(|| {
		assert_ok!(feeless());
		let refused = apply(signed(Two, report(genesis())));
		assert_eq!(refused, Err(InvalidTransaction::Payment.into()));
	});
}
