// SPDX-License-Identifier: Apache-2.0

//! Who pays what to whom, and what becomes of it when the consortium votes fees off.

use crate::common::{account, apply, build_block, chain, origin, signed, signed_with_tip};
use codec::Encode;
use dpki_primitives::{
	device::DeviceRecord,
	economy::{Economy as _, Operation, QuotaPolicies, QuotaPolicy, Resource, ResourceKind},
	ids::{DeviceId, KeyId, OrganisationId, VoucherCommitment, VoucherId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	motion::{Electorate, MotionId, MotionState},
	organisation::{OrganisationKind, Role, RoleSet},
	refusal::Refusal,
	revocation::RevocationReason,
	status::Validity,
};
use dpki_runtime::{
	AccountId, Balance, Balances, CouncilMembership, Dpki, Economy, Executive, MILLI_UNIT, Motions,
	Organisations, Runtime, RuntimeCall, System, TransactionPayment, UncheckedExtrinsic,
	configs::{
		economy::{EXISTENTIAL_DEPOSIT, MinCapacity, QuotaUnit},
		governance::{MaxCallLen, MaxCallWeight, MaxVotes, MinPeriod},
		pki::OrganisationDeposit,
	},
	dpki_api::runtime_decl_for_dpki_api::DpkiApi,
	genesis_config_presets::{DEPOSITS, ENDOWMENT, FEES, LOCAL_PRESET},
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::GetDispatchInfo,
	storage::with_transaction_unchecked,
	traits::fungible::{Inspect, InspectHold},
};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Eve, Ferdie, One, Two};
use sp_runtime::{
	TokenError, TransactionOutcome,
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
	},
};

const KEY: KeyId = KeyId([7; 32]);
const REASON: RevocationReason = RevocationReason::KeyCompromise;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

/// Runs a test on a chain on which Eve has founded `acme`, and One, who has no tokens, is its registrar.
fn with_acme(test: impl FnOnce()) {
	chain(LOCAL_PRESET).execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Eve), name, OrganisationKind::Manufacturer));
		let roles = RoleSet::EMPTY.with(Role::Registrar);
		assert_ok!(Organisations::set_member(origin(Eve), acme(), account(One), roles));
		assert_ok!(Organisations::join(origin(One), acme()));
		// It was founded so long ago that its quota has filled.
		pallet_economy::OrganisationBuckets::<Runtime>::remove(acme());
		test();
	});
}

fn feeless(on: bool) {
	assert_ok!(Economy::set_feeless(frame_system::RawOrigin::Root.into(), on));
}

fn remark(length: usize) -> RuntimeCall {
	frame_system::Call::remark { remark: vec![0; length] }.into()
}

/// What a pool says, which thinks of the next block.
fn pool(transaction: UncheckedExtrinsic) -> TransactionValidity {
	let parent = System::parent_hash();
	with_transaction_unchecked(|| {
		let source = TransactionSource::External;
		TransactionOutcome::Rollback(Executive::validate_transaction(source, transaction, parent))
	})
}

/// Gives accounts the smallest quota.
fn set_small_quota() {
	let account = QuotaPolicy { capacity: MinCapacity::get(), refill: 1_000 };
	let policies = QuotaPolicies { account, ..Default::default() };
	assert_ok!(Economy::set_quotas(frame_system::RawOrigin::Root.into(), policies));
}

fn refused(refusal: Refusal) -> TransactionValidityError {
	InvalidTransaction::Custom(refusal.code()).into()
}

fn total(who: &AccountId) -> Balance {
	Balances::total_balance(who)
}

fn held(who: Sr25519Keyring) -> Balance {
	<Balances as InspectHold<AccountId>>::total_balance_on_hold(&account(who))
}

fn fee_of(operation: Operation) -> Balance {
	FEES.iter().find(|(it, _)| *it == operation).expect("it is listed").1
}

fn deposit_of(kind: ResourceKind) -> Balance {
	DEPOSITS.iter().find(|(it, _)| *it == kind).expect("it is listed").1
}

fn issue_voucher(by: Sr25519Keyring) -> VoucherId {
	let commitment = VoucherCommitment::of(&[1; 32]);
	let name = b"drone-1".to_vec().try_into().unwrap();
	assert_ok!(Dpki::issue_voucher(origin(by), acme(), commitment, name, 1_000));
	VoucherId::from_commitment(acme(), commitment)
}

fn propose(who: Sr25519Keyring, call: RuntimeCall) -> MotionId {
	let (electorate, period) = (Electorate::Council, MinPeriod::get());
	assert_ok!(Motions::propose(
		origin(who),
		electorate,
		Box::new(call),
		period,
		Default::default()
	));
	pallet_motions::NextMotion::<Runtime>::get() - 1
}

fn carry(call: RuntimeCall) {
	let motion = propose(Alice, call);
	for voter in [Bob, Charlie] {
		let (length, weight) = Motions::call_bounds(motion).expect("it was proposed");
		assert_ok!(Motions::vote(origin(voter), motion, true, Default::default(), length, weight));
	}
	let state = pallet_motions::Motions::<Runtime>::get(motion).expect("it was proposed").state;
	assert!(matches!(state, MotionState::Carried { succeeded: true, .. }), "{state:?}");
}

#[test]
fn all_that_is_paid_in_a_block_goes_to_its_author_to_the_last_unit() {
	chain(LOCAL_PRESET).execute_with(|| {
		let issuance = Balances::total_issuance();
		let tip = 7;
		let transactions = [signed_with_tip(Eve, remark(1_000), tip), signed(Ferdie, remark(10))];
		let author = build_block(transactions);
		let paid = 2 * ENDOWMENT - total(&account(Eve)) - total(&account(Ferdie));
		assert!(paid > tip);
		assert_eq!(total(&author), ENDOWMENT + paid);
		assert_eq!(total(&Economy::pot()), EXISTENTIAL_DEPOSIT);
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn a_registrar_pays_for_a_voucher_and_gets_the_deposit_back() {
	with_acme(|| {
		let before = total(&account(Eve));
		let deposit = OrganisationDeposit::get();
		let voucher = issue_voucher(Eve);
		assert_eq!(total(&account(Eve)), before - fee_of(Operation::IssueVoucher));
		assert_eq!(held(Eve), deposit + deposit_of(ResourceKind::Device));
		assert_ok!(Dpki::cancel_voucher(origin(Eve), voucher));
		assert_eq!(held(Eve), deposit);
	});
}

#[test]
fn the_deposits_of_a_device_and_its_keys_return_when_they_are_revoked() {
	with_acme(|| {
		let before = held(Eve);
		let voucher = issue_voucher(Eve);
		// What an enrolment does with the deposit; its signatures are not what is tested here.
		Economy::pass_on(Resource::Voucher(voucher), Resource::Device(device()));
		assert_ok!(Economy::hold(&account(Eve), Resource::Key(KEY)));
		put_device();
		let of_key = deposit_of(ResourceKind::Key);
		assert_eq!(held(Eve), before + deposit_of(ResourceKind::Device) + of_key);
		assert_ok!(Dpki::revoke_device(origin(Eve), device(), REASON));
		assert_eq!(held(Eve), before + of_key);
		assert_ok!(Dpki::revoke_key(origin(Eve), KEY, REASON));
		assert_eq!(held(Eve), before);
	});
}

fn device() -> DeviceId {
	DeviceId::from_name(acme(), b"drone-1")
}

/// Stores a device with a key, as an enrolment would.
fn put_device() {
	let record = DeviceRecord {
		organisation: acme(),
		name: b"drone-1".to_vec().try_into().unwrap(),
		enrolled_at: 0,
		keys_registered: 1,
		withdrawal: Default::default(),
	};
	pallet_dpki::Devices::<Runtime>::insert(device(), record);
	let key = KeyRecord {
		device: device(),
		purpose: KeyPurpose::Sign,
		public: PublicKey::new(KeyType::Ed25519, &[7; 32]).unwrap(),
		validity: Validity { not_before: 0, not_after: None },
		registered_at: 0,
		superseded_at: None,
		withdrawal: Default::default(),
	};
	pallet_dpki::Keys::<Runtime>::insert(KEY, key);
	pallet_dpki::DeviceKeys::<Runtime>::mutate(device(), |list| {
		list.try_push(KEY).expect("there is room");
	});
}

#[test]
fn who_cannot_pay_for_a_voucher_is_refused() {
	with_acme(|| {
		assert_noop!(
			Dpki::issue_voucher(
				origin(One),
				acme(),
				VoucherCommitment::of(&[1; 32]),
				b"drone-1".to_vec().try_into().unwrap(),
				1_000,
			),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn deposits_from_before_return_in_full_on_a_feeless_chain_and_no_new_ones_are_held() {
	with_acme(|| {
		let before = held(Eve);
		let voucher = issue_voucher(Eve);
		feeless(true);
		assert_ok!(Dpki::cancel_voucher(origin(Eve), voucher));
		assert_eq!(held(Eve), before);
		let commitment = VoucherCommitment::of(&[2; 32]);
		let name = b"drone-2".to_vec().try_into().unwrap();
		assert_ok!(Dpki::issue_voucher(origin(One), acme(), commitment, name, 1_000));
		feeless(false);
		let voucher = VoucherId::from_commitment(acme(), commitment);
		assert_ok!(Dpki::cancel_voucher(origin(One), voucher));
		assert_eq!(total(&account(One)), 0);
	});
}

#[test]
fn a_member_without_tokens_acts_until_its_quota_is_used_up_and_again_when_it_has_recovered() {
	with_acme(|| {
		assert_eq!(
			pool(signed(One, remark(0))).unwrap_err(),
			InvalidTransaction::Payment.into(),
			"fees are on",
		);
		feeless(true);
		set_small_quota();
		let issuance = Balances::total_issuance();
		let mut sent = 0;
		while pool(signed(One, remark(30_000))).is_ok() {
			// A remark is dispatched, whatever it says, and takes its length from the quota.
			assert_ok!(apply(signed(One, remark(30_000))).expect("it is applied"));
			sent += 1;
			assert!(sent < 20, "the quota has no end");
		}
		// Four fifths of half a million, in remarks of somewhat more than 30,000.
		assert!((10..=13).contains(&sent), "{sent} were sent");
		let one_more = || signed(One, remark(30_000));
		assert_eq!(pool(one_more()).unwrap_err(), refused(Refusal::AllowanceExhausted));
		assert_eq!(apply(one_more()).unwrap_err(), refused(Refusal::AllowanceExhausted));
		assert_eq!(System::account_nonce(account(One)), sent);

		System::set_block_number(System::block_number() + 40);
		assert_ok!(pool(one_more()));
		assert_ok!(apply(one_more()).expect("it has recovered"));
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn a_revocation_passes_where_everything_else_is_refused() {
	with_acme(|| {
		feeless(true);
		put_device();
		set_small_quota();
		while apply(signed(One, remark(60_000))).is_ok() {}
		while apply(signed(One, remark(0))).is_ok() {}
		assert_eq!(
			apply(signed(One, remark(0))).unwrap_err(),
			refused(Refusal::AllowanceExhausted)
		);
		let revoke = pallet_dpki::Call::revoke_device { device: device(), reason: REASON };
		assert_ok!(apply(signed(One, revoke.into())).expect("it is applied"));
	});
}

#[test]
fn quota_is_taken_by_what_fails() {
	with_acme(|| {
		feeless(true);
		let left = || Economy::allowance(&account(One)).expect("acme answers for it").left;
		let before = left();
		let call = pallet_organisations::Call::set_member {
			organisation: acme(),
			account: account(Two),
			roles: RoleSet::ALL,
		};
		let refusal = apply(signed(One, call.into())).expect("it is applied");
		assert_eq!(refusal, Err(pallet_organisations::Error::<Runtime>::RoleMissing.into()));
		assert!(left() < before);
	});
}

#[test]
fn strangers_pay_on_a_feeless_chain() {
	with_acme(|| {
		feeless(true);
		let before = total(&account(Ferdie));
		assert_ok!(apply(signed(Ferdie, remark(0))).expect("it is applied"));
		assert!(total(&account(Ferdie)) < before);
		let unknown = signed(Two, remark(0));
		assert!(pool(unknown).is_err());
	});
}

#[test]
fn a_tip_buys_nothing_where_no_fee_is_taken() {
	with_acme(|| {
		feeless(true);
		let tipped = signed_with_tip(Eve, remark(0), 1);
		assert_eq!(pool(tipped).unwrap_err(), refused(Refusal::TipUnwanted));
	});
}

#[test]
fn who_leaves_its_last_organisation_does_not_act_any_more() {
	with_acme(|| {
		feeless(true);
		let leave = pallet_organisations::Call::remove_member {
			organisation: acme(),
			account: account(One),
		};
		assert_ok!(apply(signed(One, leave.into())).expect("it is applied"));
		assert!(!System::account_exists(&account(One)));
		assert!(pool(signed(One, remark(0))).is_err());
	});
}

#[test]
fn an_invited_account_without_tokens_joins_for_nothing_with_and_without_fees() {
	with_acme(|| {
		let invite = || {
			let roles = RoleSet::EMPTY.with(Role::Publisher);
			Organisations::set_member(origin(Eve), acme(), account(Two), roles)
		};
		let join = || {
			let call = pallet_organisations::Call::join { organisation: acme() };
			signed(Two, call.into())
		};
		for on in [false, true] {
			feeless(on);
			assert!(pool(join()).is_err(), "nobody has invited it");
			assert_ok!(invite());
			// What it may do for nothing is this, and nothing else.
			assert!(pool(signed(Two, remark(0))).is_err());
			assert_ok!(pool(join()));
			assert_ok!(apply(join()).expect("it is applied"));
			assert_eq!(total(&account(Two)), 0);
			assert_eq!(Economy::allowance(&account(Two)).is_some(), on);
			assert_eq!(pool(join()).is_ok(), on, "a member takes from the quota, or pays");
			assert_ok!(Organisations::remove_member(origin(Eve), acme(), account(Two)));
		}
	});
}

#[test]
fn an_organisation_that_nobody_asked_for_takes_no_part_in_the_quota_of_an_account() {
	with_acme(|| {
		feeless(true);
		for index in 0..8 {
			let text = format!("stranger-{index}");
			let name = text.as_bytes().to_vec().try_into().unwrap();
			assert_ok!(Organisations::create(origin(Ferdie), name, OrganisationKind::TestLab));
			let stranger = OrganisationId::from_name(text.as_bytes());
			assert_ok!(Organisations::set_member(
				origin(Ferdie),
				stranger,
				account(One),
				RoleSet::ALL
			));
		}
		let allowance = Economy::allowance(&account(One)).expect("acme answers for it");
		assert_eq!(allowance.organisations.len(), 1);
		assert_eq!(allowance.organisations[0].0, acme());
	});
}

#[test]
fn founding_and_dissolving_organisations_yields_no_quota() {
	with_acme(|| {
		feeless(true);
		let mut organisation = acme();
		for index in 0..5 {
			let text = format!("brief-{index}");
			organisation = OrganisationId::from_name(text.as_bytes());
			let name = text.into_bytes().try_into().unwrap();
			assert_ok!(Organisations::create(origin(Eve), name, OrganisationKind::TestLab));
			let roles = RoleSet::ALL;
			assert_ok!(Organisations::set_member(origin(Eve), organisation, account(Two), roles));
			assert_ok!(Organisations::join(origin(Two), organisation));
			assert_eq!(
				pool(signed(Two, remark(0))).unwrap_err(),
				refused(Refusal::AllowanceExhausted)
			);
			if index < 4 {
				let two = account(Two);
				assert_ok!(Organisations::remove_member(origin(Eve), organisation, two));
				assert_ok!(Organisations::dissolve(origin(Eve), organisation));
			}
		}
		let buckets = pallet_economy::OrganisationBuckets::<Runtime>::iter_keys();
		assert_eq!(buckets.collect::<Vec<_>>(), [organisation], "nothing is left of the others");
		System::set_block_number(System::block_number() + 60);
		assert!(pool(signed(Two, remark(0))).is_ok(), "the quota has filled a little");
	});
}

#[test]
fn who_left_its_last_organisation_leaves_no_bucket_behind_but_one_that_lacks_something() {
	with_acme(|| {
		feeless(true);
		assert_ok!(apply(signed(One, remark(30_000))).expect("it is applied"));
		let has_bucket = || pallet_economy::AccountBuckets::<Runtime>::contains_key(account(One));
		assert!(has_bucket());
		assert_ok!(Organisations::remove_member(origin(Eve), acme(), account(One)));
		assert!(has_bucket(), "what it took is missing yet");

		let root = || frame_system::RawOrigin::Root.into();
		assert_ok!(CouncilMembership::add_member(root(), account(One).into()));
		assert_ok!(apply(signed(One, remark(30_000))).expect("the council answers for it"));
		assert!(has_bucket());
		System::set_block_number(System::block_number() + 1_000);
		assert_ok!(CouncilMembership::remove_member(root(), account(One).into()));
		assert!(!has_bucket());
	});
}

#[test]
fn the_council_votes_fees_off_and_on_again() {
	chain(LOCAL_PRESET).execute_with(|| {
		carry(pallet_economy::Call::set_feeless { feeless: true }.into());
		assert!(pallet_economy::Feeless::<Runtime>::get());
		// A trustee without tokens proposes without a deposit, and votes in transactions without a fee.
		let root = frame_system::RawOrigin::Root.into();
		assert_ok!(CouncilMembership::add_member(root, account(One).into()));
		let call: RuntimeCall = pallet_economy::Call::set_feeless { feeless: false }.into();
		let motion = propose(One, call);
		assert_eq!(held(One), 0);
		let (length, weight) = Motions::call_bounds(motion).expect("it was proposed");
		for voter in [One, Alice, Bob, Charlie] {
			let vote = pallet_motions::Call::vote {
				motion,
				aye: true,
				reason: Default::default(),
				call_length_bound: length,
				call_weight_bound: weight,
			};
			assert_ok!(apply(signed(voter, vote.into())).expect("it is applied"));
		}
		assert!(!pallet_economy::Feeless::<Runtime>::get());
		assert_eq!(pool(signed(One, remark(0))).unwrap_err(), InvalidTransaction::Payment.into());
	});
}

#[test]
fn the_account_of_a_trustee_ends_with_its_seat() {
	chain(LOCAL_PRESET).execute_with(|| {
		let root = || frame_system::RawOrigin::Root.into();
		assert!(!System::account_exists(&account(One)));
		assert_ok!(CouncilMembership::add_member(root(), account(One).into()));
		assert!(System::account_exists(&account(One)));
		assert_ok!(CouncilMembership::remove_member(root(), account(One).into()));
		assert!(!System::account_exists(&account(One)));
	});
}

#[test]
fn an_organisation_costs_its_founder_a_deposit_on_a_feeless_chain_too_unless_the_council_admits_it()
{
	with_acme(|| {
		feeless(true);
		let name = |text: &str| text.as_bytes().to_vec().try_into().unwrap();
		let kind = OrganisationKind::TestLab;
		assert!(Organisations::create(origin(One), name("borg"), kind).is_err());
		assert_ok!(Organisations::create(origin(Ferdie), name("borg"), kind));
		assert_eq!(held(Ferdie), OrganisationDeposit::get());

		let admit =
			pallet_organisations::Call::admit { founder: account(Two), name: name("cyb"), kind };
		carry(admit.into());
		// Its quota begins empty.
		System::set_block_number(System::block_number() + 60);
		assert_ok!(apply(signed(Two, remark(0))).expect("it is applied"));
	});
}

#[test]
fn the_smallest_quota_lets_the_council_carry_the_heaviest_motion() {
	let vote = pallet_motions::Call::<Runtime>::vote {
		motion: 0,
		aye: true,
		reason: vec![b'r'; dpki_primitives::motion::MAX_REASON_LEN as usize].try_into().unwrap(),
		call_length_bound: MaxCallLen::get(),
		call_weight_bound: MaxCallWeight::get(),
	};
	assert!(MaxVotes::get() > 0);
	chain(LOCAL_PRESET).execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		let transaction = signed(Alice, vote.into());
		let fee = TransactionPayment::compute_fee(
			transaction.encoded_size() as u32,
			&transaction.get_dispatch_info(),
			0,
		);
		// A fifth is for operational calls.
		assert!(fee / QuotaUnit::get() < u128::from(MinCapacity::get() / 5 * 4), "{fee}");
	});
}

#[test]
fn clients_are_told_what_things_cost_and_what_they_have_left() {
	with_acme(|| {
		let answer = <Runtime as DpkiApi<_>>::economy();
		assert!(!answer.feeless);
		assert_eq!(answer.fees, FEES);
		assert_eq!(answer.deposits, DEPOSITS);
		assert_eq!(answer.quotas, QuotaPolicies::default());
		assert_eq!(<Runtime as DpkiApi<_>>::quota(account(One)), None);
		feeless(true);
		assert!(<Runtime as DpkiApi<_>>::economy().feeless);
		let allowance = <Runtime as DpkiApi<_>>::quota(account(One)).expect("it is a member");
		let usable = |policy: QuotaPolicy| policy.capacity - policy.capacity / 5;
		let QuotaPolicies { account: own, organisation } = QuotaPolicies::default();
		assert_eq!(allowance.left, usable(own));
		assert_eq!(allowance.organisations, [(acme(), usable(organisation))]);
		assert_eq!(<Runtime as DpkiApi<_>>::quota(account(Two)), None);
	});
}

#[test]
fn prices_are_small_beside_what_people_begin_with() {
	for (operation, fee) in FEES {
		assert!((MILLI_UNIT..ENDOWMENT / 1_000).contains(&fee), "{}", operation.name());
	}
}
