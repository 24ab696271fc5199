// SPDX-License-Identifier: Apache-2.0

//! One switch makes applications for certificates free, too: for whom the consortium knows, and within quotas.

use crate::common::{account, chain, origin};
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, Observation, Outcome, Phase, Possession, commitment},
	assurance::{Level, Quorum},
	certificate::{CertificatePolicy, Holder, Office},
	context::{Action, SigningContext},
	economy::{Bucket, ResourceKind, UNITS_PER_APPLICATION},
	ids::{ApplicationId, CertificateId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	organisation::OrganisationKind,
	revocation::RevocationReason,
	subject::Subject,
};
use dpki_runtime::{
	Balance, Balances, Certificates, Economy, Organisations, Runtime, RuntimeOrigin, System, UNIT,
	configs::pki::{DEFAULT_FEES, ValidatorsAccount},
	dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use sp_core::{Pair, ed25519};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Eve, Ferdie, Two};
use sp_runtime::{DispatchResult, TokenError};

const NOW: Moment = 1_800_000_000_000;
const DAY: Moment = 24 * 60 * 60 * 1000;
const SALT: [u8; 32] = [5; 32];
const OBSERVERS: [Sr25519Keyring; 2] = [Alice, Bob];
const ENDORSER: Sr25519Keyring = Ferdie;
/// What an application about a name at OV can cost where one endorser is wanted.
const PRICE: Balance = {
	let price = DEFAULT_FEES.issue.ov;
	price.network + price.observation + price.endorsement + DEFAULT_FEES.deposit
};

fn id_of(name: &str) -> OrganisationId {
	OrganisationId::from_name(name.as_bytes())
}

/// A chain on which Eve has founded `acme` long ago, two trustees observe and Ferdie endorses, each for an organisation of
/// its own, without bonds. Two is known to nobody, and has tokens.
fn with_acme(test: impl FnOnce()) {
	chain(LOCAL_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		assert_ok!(Certificates::set_minimum_bond(RuntimeOrigin::root(), 0));
		let policy = CertificatePolicy {
			observers: 2,
			endorsers: Quorum { ov: 1, ev: 2 },
			commit_blocks: 10,
			reveal_blocks: 10,
			..Default::default()
		};
		assert_ok!(Certificates::set_policy(RuntimeOrigin::root(), policy));
		create(Eve, "acme");
		pallet_economy::OrganisationBuckets::<Runtime>::remove(id_of("acme"));
		for (who, name, office, level) in [
			(Alice, "lab-a", Office::Observer, Level::Dv),
			(Bob, "lab-b", Office::Observer, Level::Dv),
			(Ferdie, "notary", Office::Endorser, Level::Ev),
		] {
			create(who, name);
			let root = RuntimeOrigin::root();
			assert_ok!(Certificates::accredit(root, office, account(who), id_of(name), level));
		}
		assert_ok!(Balances::transfer_keep_alive(origin(Ferdie), account(Two).into(), 100 * UNIT));
		test();
	});
}

fn create(who: Sr25519Keyring, name: &str) {
	let name = name.as_bytes().to_vec().try_into().unwrap();
	assert_ok!(Organisations::create(origin(who), name, OrganisationKind::TestLab));
}

fn feeless(on: bool) {
	assert_ok!(Economy::set_feeless(RuntimeOrigin::root(), on));
}

fn total(who: Sr25519Keyring) -> Balance {
	Balances::total_balance(&account(who))
}

fn held(who: Sr25519Keyring) -> Balance {
	<Balances as InspectHold<_>>::total_balance_on_hold(&account(who))
}

/// Applies for a certificate of the account itself, about a name, at OV.
fn try_apply(who: Sr25519Keyring, name: &str) -> DispatchResult {
	let pair = ed25519::Pair::from_seed(&[name.len() as u8; 32]);
	let payer: [u8; 32] = account(who).into();
	let request = CertificateRequest {
		subject: Subject::Dns(name.as_bytes().to_vec().try_into().unwrap()),
		holder: Holder::Account(payer),
		level: Level::Ov,
		key: PublicKey::new(KeyType::Ed25519, &pair.public().0).unwrap(),
		display_name: None,
		not_after: NOW + 60 * DAY,
	};
	let action = Action::ApplyForCertificate { payer, request: request.digest() };
	let context = SigningContext {
		genesis: frame_system::BlockHash::<Runtime>::get(0).0,
		action,
		nonce: Runtime::application_nonce(account(who)),
		expires_at: NOW + 60_000,
	};
	let signature = Signature::truncate_from(pair.sign(&context.payload()).0.to_vec());
	let possession = Possession::Signature(signature);
	Certificates::apply(origin(who), request, possession, context.expires_at)
}

fn apply(who: Sr25519Keyring, name: &str) -> ApplicationId {
	let id = ApplicationId::of(&account(who).into(), Runtime::application_nonce(account(who)));
	assert_ok!(try_apply(who, name));
	id
}

fn prove_control(id: ApplicationId) {
	for who in OBSERVERS {
		let hash = commitment(id, &account(who).into(), Observation::Controlled, &SALT);
		assert_ok!(Certificates::commit(origin(who), id, hash));
	}
	System::set_block_number(System::block_number() + 11);
	for who in OBSERVERS {
		assert_ok!(Certificates::reveal(origin(who), id, Observation::Controlled, SALT));
	}
}

fn endorse(id: ApplicationId) {
	let id = CertificateId::of(id);
	let digest = Runtime::certificate(id).digest.expect("it was granted");
	let until = NOW + 10 * DAY;
	assert_ok!(Certificates::endorse(origin(ENDORSER), id, Level::Ov, digest, None, until));
}

fn is_granted(id: ApplicationId) -> bool {
	pallet_certificates::Applications::<Runtime>::get(id)
		.is_some_and(|it| matches!(it.phase, Phase::Closed { outcome: Outcome::Granted, .. }))
}

#[test]
fn one_switch_makes_applications_free_for_members_and_takes_from_their_quotas() {
	with_acme(|| {
		feeless(true);
		let everybody = [Alice, Bob, Eve, Ferdie];
		let before = everybody.map(|who| (total(who), held(who)));
		let pot = Balances::total_balance(&ValidatorsAccount::get());
		let quota = || {
			let allowance = Runtime::quota(account(Eve)).expect("it is a member");
			(allowance.left, allowance.organisations[0].1)
		};
		let (own, common) = quota();
		let id = apply(Eve, "a.example");
		assert_eq!(quota(), (own - UNITS_PER_APPLICATION, common - UNITS_PER_APPLICATION));
		assert_eq!(everybody.map(|who| (total(who), held(who))), before);
		prove_control(id);
		endorse(id);
		assert!(is_granted(id));
		assert_eq!(everybody.map(|who| (total(who), held(who))), before, "nobody paid or earned");
		assert_eq!(Balances::total_balance(&ValidatorsAccount::get()), pot);
	});
}

#[test]
fn without_quota_nobody_applies_for_nothing() {
	with_acme(|| {
		feeless(true);
		let empty = Bucket::empty(System::block_number().into());
		pallet_economy::AccountBuckets::<Runtime>::insert(account(Eve), empty);
		assert_noop!(try_apply(Eve, "a.example"), TokenError::FundsUnavailable);
		pallet_economy::AccountBuckets::<Runtime>::remove(account(Eve));
		pallet_economy::OrganisationBuckets::<Runtime>::insert(id_of("acme"), empty);
		assert_noop!(try_apply(Eve, "a.example"), TokenError::FundsUnavailable);
		// For trustees the council answers.
		apply(Alice, "b.example");
		assert_eq!(Runtime::application_nonce(account(Eve)), 0);
	});
}

#[test]
fn strangers_pay_for_their_applications_on_a_feeless_chain() {
	with_acme(|| {
		feeless(true);
		let before = total(Two);
		let id = apply(Two, "a.example");
		assert_eq!(held(Two), PRICE);
		prove_control(id);
		endorse(id);
		assert!(is_granted(id));
		assert_eq!((held(Two), total(Two)), (0, before - (PRICE - DEFAULT_FEES.deposit)));
	});
}

#[test]
fn what_is_in_escrow_is_paid_to_the_last_unit_whichever_way_the_switch_is_set_meanwhile() {
	with_acme(|| {
		let issuance = Balances::total_issuance();
		let (before, held_before) = (total(Eve), held(Eve));
		let paid = apply(Eve, "a.example");
		let of_certificate = Economy::deposit_of(ResourceKind::Certificate);
		assert!(of_certificate > 0);
		assert_eq!(held(Eve), held_before + PRICE + of_certificate);
		feeless(true);
		let free = apply(Eve, "ab.example");
		let both = held_before + PRICE + of_certificate;
		assert_eq!(held(Eve), both, "one pays, and one does not");
		let (alice, ferdie) = (total(Alice), total(Ferdie));
		prove_control(paid);
		endorse(paid);
		assert!(is_granted(paid));
		let price = DEFAULT_FEES.issue.ov;
		assert_eq!(total(Alice), alice + price.observation / 2);
		assert_eq!(total(Ferdie), ferdie + price.endorsement);
		assert_eq!(held(Eve), held_before + of_certificate, "as long as it is not revoked");

		let late = apply(Eve, "abc.example");
		feeless(false);
		let (alice, ferdie) = (total(Alice), total(Ferdie));
		prove_control(late);
		endorse(late);
		assert!(is_granted(late));
		System::set_block_number(System::block_number() + 30);
		assert_ok!(Certificates::close(origin(Two), free));
		assert_eq!((total(Alice), total(Ferdie)), (alice, ferdie), "it was free when it was made");
		let id = CertificateId::of(paid);
		assert_ok!(Certificates::revoke(origin(Eve), id, RevocationReason::Superseded));
		assert_eq!(held(Eve), held_before);
		assert_eq!(total(Eve), before - (PRICE - DEFAULT_FEES.deposit));
		assert_eq!(Balances::total_issuance(), issuance);
	});
}
