// SPDX-License-Identifier: Apache-2.0

//! Organisations that govern themselves: their deposits, their policies, and how they get out of trouble.

use crate::common::{account, chain, origin};
use dpki_primitives::{
	assurance::Level,
	certificate::Office,
	device::DeviceRecord,
	ids::{DeviceId, KeyId, Name, OrganisationId, VoucherCommitment},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	motion::{Body, Electorate, MotionId, MotionState},
	organisation::{DeliveryPolicies, DeliveryPolicy, OrganisationKind, Role, RoleSet},
	revocation::RevocationReason,
	status::Validity,
};
use dpki_runtime::{
	AccountId, Balances, Dpki, Motions, Organisations, Runtime, RuntimeCall, System,
	configs::{
		governance::MinPeriod,
		pki::{OrganisationDeposit, RecoveryDelay},
	},
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

type Error = pallet_organisations::Error<Runtime>;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

/// Runs a test on a chain on which Eve, who is no trustee, has founded `acme`.
fn with_acme(test: impl FnOnce()) {
	chain(LOCAL_PRESET).execute_with(|| {
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Eve), name, OrganisationKind::Manufacturer));
		test();
	});
}

fn appoint(who: Sr25519Keyring, role: Role) {
	let roles = RoleSet::EMPTY.with(role);
	assert_ok!(Organisations::set_member(origin(Eve), acme(), account(who), roles));
	assert_ok!(Organisations::join(origin(who), acme()));
}

fn held(name: Sr25519Keyring) -> u128 {
	<Balances as InspectHold<AccountId>>::total_balance_on_hold(&account(name))
}

fn set_policy(policy: DeliveryPolicy) -> RuntimeCall {
	pallet_organisations::Call::set_policy { organisation: acme(), policy }.into()
}

fn propose(who: Sr25519Keyring, electorate: Electorate, call: RuntimeCall) -> MotionId {
	assert_ok!(Motions::propose(
		origin(who),
		electorate,
		Box::new(call),
		MinPeriod::get(),
		Default::default(),
	));
	pallet_motions::NextMotion::<Runtime>::get() - 1
}

fn approve(who: Sr25519Keyring, motion: MotionId) {
	let (length, weight) = Motions::call_bounds(motion).expect("it was proposed");
	assert_ok!(Motions::vote(origin(who), motion, true, Default::default(), length, weight));
}

fn has_succeeded(motion: MotionId) -> bool {
	let state = pallet_motions::Motions::<Runtime>::get(motion).expect("it was proposed").state;
	matches!(state, MotionState::Carried { succeeded: true, .. })
}

#[test]
fn a_policy_changes_only_under_itself() {
	with_acme(|| {
		appoint(Ferdie, Role::Administrator);
		let policy = || Organisations::delivery_policy(acme()).expect("it exists");
		assert_ok!(Organisations::set_policy(origin(Eve), acme(), DeliveryPolicy::MultiAdmin));
		assert_noop!(
			Organisations::set_policy(origin(Eve), acme(), DeliveryPolicy::Simple),
			Error::VoteNeeded
		);

		let administrators = Electorate::Organisation(acme(), Body::Administrators);
		let motion = propose(Eve, administrators, set_policy(DeliveryPolicy::Simple));
		assert_eq!(policy(), DeliveryPolicy::MultiAdmin);
		approve(Ferdie, motion);
		assert!(has_succeeded(motion));
		assert_eq!(policy(), DeliveryPolicy::Simple);
	});
}

/// Stores a device of an organisation with one key.
fn put_device(organisation: OrganisationId) -> (DeviceId, KeyId) {
	let name: Name = b"drone-1".to_vec().try_into().unwrap();
	let device = DeviceId::from_name(organisation, &name);
	let record = DeviceRecord {
		organisation,
		name,
		enrolled_at: 0,
		keys_registered: 1,
		withdrawal: Default::default(),
	};
	pallet_dpki::Devices::<Runtime>::insert(device, record);
	let public = PublicKey::new(KeyType::Ed25519, &organisation.0).unwrap();
	let key = KeyId::of(&public);
	let record = KeyRecord {
		device,
		public,
		purpose: KeyPurpose::Tls,
		validity: Validity { not_before: 0, not_after: None },
		registered_at: 0,
		superseded_at: None,
		withdrawal: Default::default(),
	};
	pallet_dpki::Keys::<Runtime>::insert(key, record);
	(device, key)
}

/// For the day on which its registrars are lost, or cannot be trusted: none of the administrators alone, and nobody
/// for the devices of others.
#[test]
fn a_body_ends_keys_and_devices_of_its_organisation_and_of_no_other() {
	with_acme(|| {
		appoint(Ferdie, Role::Administrator);
		assert_ok!(Organisations::set_policy(origin(Eve), acme(), DeliveryPolicy::MultiAdmin));
		let (device, key) = put_device(acme());
		let (theirs, _) = put_device(OrganisationId::from_name(b"other"));
		let reason = RevocationReason::CessationOfOperation;
		let revoke_key: RuntimeCall = pallet_dpki::Call::revoke_key { key, reason }.into();
		let revoke = |device| pallet_dpki::Call::revoke_device { device, reason }.into();
		let administrators = || Electorate::Organisation(acme(), Body::Administrators);

		assert_noop!(
			Dpki::revoke_key(origin(Ferdie), key, reason),
			pallet_dpki::Error::<Runtime>::RoleMissing
		);
		let motion = propose(Eve, administrators(), revoke_key);
		assert!(!Dpki::key(key).unwrap().withdrawal.is_revoked());
		approve(Ferdie, motion);
		assert!(has_succeeded(motion));
		let revocation = Dpki::key(key).unwrap().withdrawal.revocation();
		assert_eq!(revocation.unwrap().reason, reason);

		for (device, is_own) in [(device, true), (theirs, false)] {
			let motion = propose(Eve, administrators(), revoke(device));
			approve(Ferdie, motion);
			assert_eq!(has_succeeded(motion), is_own);
			assert_eq!(Dpki::device(device).unwrap().withdrawal.is_revoked(), is_own);
		}
	});
}

#[test]
fn the_council_does_not_change_the_policy_of_an_organisation() {
	with_acme(|| {
		appoint(Ferdie, Role::Administrator);
		let motion = propose(Alice, Electorate::Council, set_policy(DeliveryPolicy::MultiAdmin));
		approve(Bob, motion);
		approve(Charlie, motion);
		assert!(!has_succeeded(motion));
	});
}

#[test]
fn the_council_helps_an_organisation_that_lost_its_keys_after_a_delay() {
	with_acme(|| {
		let call = pallet_organisations::Call::begin_recovery {
			organisation: acme(),
			body: Body::Administrators,
			account: account(Ferdie),
		};
		let motion = propose(Alice, Electorate::Council, call.into());
		approve(Bob, motion);
		approve(Dave, motion);
		assert!(has_succeeded(motion));

		assert_noop!(
			Organisations::complete_recovery(origin(Ferdie), acme()),
			Error::RecoveryNotReady
		);
		System::set_block_number(System::block_number() + RecoveryDelay::get());
		assert_ok!(Organisations::complete_recovery(origin(Ferdie), acme()));
		let roles = pallet_organisations::Members::<Runtime>::get(acme(), account(Ferdie));
		assert_eq!(roles, Some(RoleSet::EMPTY.with(Role::Administrator)));
	});
}

#[test]
fn the_deposit_of_an_organisation_returns_when_it_is_dissolved() {
	with_acme(|| {
		assert_eq!(held(Eve), OrganisationDeposit::get());
		assert_ok!(Organisations::dissolve(origin(Eve), acme()));
		assert_eq!(held(Eve), 0);
	});
}

#[test]
fn an_organisation_for_which_something_was_registered_is_not_dissolved() {
	with_acme(|| {
		assert_ok!(Dpki::issue_voucher(
			origin(Eve),
			acme(),
			VoucherCommitment::of(&[1; 32]),
			b"drone-1".to_vec().try_into().unwrap(),
			1_000,
		));
		assert_noop!(Organisations::dissolve(origin(Eve), acme()), Error::BelongingsLeft);
	});
}

#[test]
fn an_organisation_whose_observer_was_accredited_is_not_dissolved() {
	with_acme(|| {
		let (office, level) = (Office::Observer, Level::Dv);
		let call = pallet_certificates::Call::accredit {
			office,
			account: account(Ferdie),
			organisation: acme(),
			level,
		};
		let motion = propose(Alice, Electorate::Council, call.into());
		approve(Bob, motion);
		approve(Charlie, motion);
		assert!(has_succeeded(motion));
		assert_noop!(Organisations::dissolve(origin(Eve), acme()), Error::BelongingsLeft);
	});
}
