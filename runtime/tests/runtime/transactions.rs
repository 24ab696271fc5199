// SPDX-License-Identifier: Apache-2.0

//! Transactions as they travel: through all the extensions that the runtime is composed of.

use crate::common::{account, apply, chain, extension, origin, signed};
use dpki_primitives::{
	Moment,
	assurance::WithdrawalReason,
	channel::ChannelId,
	context::{Action, Registrant, SigningContext},
	delivery::Suite,
	device::Compromised,
	ids::{
		AnchorId, CertificateId, DeviceId, FleetId, KeyId, OrganisationId, VoucherCommitment,
		VoucherId,
	},
	key::{KeyPurpose, KeyType, NewKey, PublicKey},
	motion::{Electorate, Reason},
	organisation::OrganisationKind,
	refusal::Refusal,
	revocation::{RevocationReason, SshSubject},
};
use dpki_runtime::{
	AllPalletsWithSystem, Balances, Dpki, Executive, Organisations, Runtime, RuntimeCall, System,
	UncheckedExtrinsic, configs::governance::MinPeriod, mandate,
};
use frame_support::{
	assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::PalletsInfoAccess,
};
use sp_core::{Pair, ed25519};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{
	DispatchError,
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
	},
};

const NOW: Moment = 1_800_000_000_000;
const EXPIRES_AT: Moment = NOW + 60_000;
const DEVICE: &[u8] = b"drone-1";
const REASON: RevocationReason = RevocationReason::KeyCompromise;

type DeliveriesError = pallet_deliveries::Error<Runtime>;

/// Runs a test inside of a block of the development chain, on which Alice administers `acme`.
fn in_a_block(test: impl FnOnce()) {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		pallet_timestamp::Now::<Runtime>::put(NOW);
		assert_ok!(Organisations::create(
			origin(Alice),
			b"acme".to_vec().try_into().unwrap(),
			OrganisationKind::ServiceProvider,
		));
		test();
	});
}

fn organisation() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn device() -> DeviceId {
	DeviceId::from_name(organisation(), DEVICE)
}

/// A transaction of version 5 that nobody signed.
fn general(call: RuntimeCall) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call, extension(0))
}

/// What a pool says.
fn pool(transaction: UncheckedExtrinsic) -> TransactionValidity {
	let parent = System::parent_hash();
	Executive::validate_transaction(TransactionSource::External, transaction, parent)
}

fn voucher() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[1; 32])
}

fn issue_voucher() {
	assert_ok!(Dpki::issue_voucher(
		origin(Alice),
		organisation(),
		VoucherCommitment::of(&voucher().public().0),
		DEVICE.to_vec().try_into().unwrap(),
		EXPIRES_AT,
	));
}

fn payload(action: Action) -> Vec<u8> {
	let genesis = System::block_hash(0).into();
	SigningContext { genesis, action, nonce: 0, expires_at: EXPIRES_AT }.payload()
}

/// An enrolment with [`voucher`] and one key, for which `signer` signs in the place of the voucher.
fn enrol(signer: &ed25519::Pair) -> RuntimeCall {
	let voucher_public = voucher().public().0;
	let id = VoucherId::of(organisation(), &voucher_public);
	let pair = ed25519::Pair::from_seed(&[2; 32]);
	let public = PublicKey::new(KeyType::Ed25519, &pair.public().0).unwrap();
	let key = KeyId::of(&public);
	let purpose = KeyPurpose::Sign;

	let registrant = Registrant::Voucher(id);
	let possess =
		Action::PossessKey { registrant, device: device(), purpose, key, not_after: None };
	let possession = pair.sign(&payload(possess)).0.to_vec().try_into().unwrap();
	let enrol = Action::Enrol { voucher: id, device: device(), keys: vec![(purpose, key)] };
	pallet_dpki::Call::enrol {
		organisation: organisation(),
		voucher_public,
		device_name: DEVICE.to_vec().try_into().unwrap(),
		keys: vec![NewKey { purpose, public, not_after: None, possession }]
			.try_into()
			.unwrap(),
		expires_at: EXPIRES_AT,
		voucher_signature: signer.sign(&payload(enrol)).0,
	}
	.into()
}

fn refused(refusal: Refusal) -> TransactionValidityError {
	InvalidTransaction::Custom(refusal.code()).into()
}

#[test]
fn transfer_that_nobody_signed_is_refused() {
	in_a_block(|| {
		let transfer: RuntimeCall = pallet_balances::Call::transfer_allow_death {
			dest: account(Bob).into(),
			value: dpki_runtime::UNIT,
		}
		.into();
		assert!(pool(signed(Alice, transfer.clone())).is_ok());

		let nobody: TransactionValidityError = InvalidTransaction::UnknownOrigin.into();
		assert_eq!(pool(general(transfer.clone())), Err(nobody));
		assert_eq!(apply(general(transfer)), Err(nobody));
	});
}

#[test]
fn enrolment_with_a_bad_voucher_is_refused_before_the_pool_by_its_number() {
	in_a_block(|| {
		let unknown = refused(Refusal::VoucherUnknown);
		assert_eq!(pool(general(enrol(&voucher()))), Err(unknown));
		assert_eq!(apply(general(enrol(&voucher()))), Err(unknown));

		issue_voucher();
		let stranger = ed25519::Pair::from_seed(&[3; 32]);
		let forged = refused(Refusal::VoucherSignatureInvalid);
		assert_eq!(pool(general(enrol(&stranger))), Err(forged));
		assert_eq!(apply(general(enrol(&stranger))), Err(forged));
	});
}

#[test]
fn enrolment_that_nobody_signed_is_free() {
	in_a_block(|| {
		issue_voucher();
		assert!(pool(general(enrol(&voucher()))).is_ok());
		// Fees wait here for the author of the block.
		let pot = dpki_runtime::Economy::pot();
		let fees = Balances::free_balance(&pot);

		assert_eq!(apply(general(enrol(&voucher()))), Ok(Ok(())));

		assert_eq!(Balances::free_balance(&pot), fees);
		assert!(Dpki::device(device()).is_some());
	});
}

#[test]
fn a_report_that_nobody_pays_for_comes_behind_those_who_pay() {
	in_a_block(|| {
		issue_voucher();
		assert_eq!(apply(general(enrol(&voucher()))), Ok(Ok(())));
		let pair = ed25519::Pair::from_seed(&[2; 32]);
		let key = KeyId::of(&PublicKey::new(KeyType::Ed25519, &pair.public().0).unwrap());
		let challenge = SigningContext::compromise(System::block_hash(0).into(), key).payload();
		let proof = pair.sign(&challenge).0.to_vec().try_into().unwrap();
		let report: RuntimeCall =
			pallet_dpki::Call::report_compromise { what: Compromised::Key(key), proof }.into();
		let priority = |transaction| pool(transaction).expect("it is good").priority;
		let (unpaid, paid) =
			(priority(general(report.clone())), priority(signed(Alice, report.clone())));
		let revoke = pallet_dpki::Call::revoke_key { key, reason: REASON };
		let remark = frame_system::Call::remark { remark: vec![] };
		assert!(unpaid < priority(signed(Alice, revoke.into())));
		assert!(unpaid < paid);
		assert!(unpaid < priority(signed(Alice, remark.into())), "nobody who pays waits for it");
		assert_eq!(apply(general(report)), Ok(Ok(())));
	});
}

#[test]
fn enrolment_that_an_account_signed_pays_and_fails() {
	in_a_block(|| {
		issue_voucher();
		let funds = Balances::free_balance(account(Bob));

		let outcome = apply(signed(Bob, enrol(&voucher())));

		assert_eq!(outcome, Ok(Err(DispatchError::BadOrigin)));
		assert!(Balances::free_balance(account(Bob)) < funds);
		assert!(Dpki::device(device()).is_none());
	});
}

fn publish() -> RuntimeCall {
	pallet_deliveries::Call::publish {
		device: device(),
		channel: ChannelId::DEFAULT,
		sequence: 1,
		suite: Suite::X25519ChaCha20Poly1305,
		recipient: KeyId([1; 32]),
		envelope: vec![0; 100].try_into().unwrap(),
	}
	.into()
}

#[test]
fn delivery_that_is_the_whole_transaction_is_judged_by_its_content() {
	in_a_block(|| {
		let outcome = apply(signed(Alice, publish()));

		assert_eq!(outcome, Ok(Err(DeliveriesError::DeviceUnknown.into())));
	});
}

#[test]
fn delivery_inside_of_another_call_is_refused_as_nested() {
	in_a_block(|| {
		let sudo_as: RuntimeCall =
			pallet_sudo::Call::sudo_as { who: account(Alice).into(), call: Box::new(publish()) }
				.into();

		assert_eq!(apply(signed(Alice, sudo_as)), Ok(Ok(())));

		let sudo_result = Err(DeliveriesError::CallNested.into());
		System::assert_has_event(pallet_sudo::Event::SudoAsDone { sudo_result }.into());
	});
}

/// It fails even earlier than other wrappers: neither root nor the council is an account that could be a
/// publisher.
#[test]
fn delivery_by_motion_is_refused() {
	let as_root: RuntimeCall = mandate::Call::dispatch_as_root { call: Box::new(publish()) }.into();
	for call in [as_root, publish()] {
		in_a_block(|| {
			// The council has one seat, whose motion is carried out at once.
			let propose: RuntimeCall = pallet_motions::Call::propose {
				electorate: Electorate::Council,
				call: Box::new(call),
				period: MinPeriod::get(),
				reason: Reason::default(),
			}
			.into();

			assert_eq!(apply(signed(Alice, propose)), Ok(Ok(())));

			let result = Err(DispatchError::BadOrigin);
			System::assert_has_event(pallet_motions::Event::Executed { motion: 0, result }.into());
			assert_eq!(
				pallet_deliveries::Deliveries::<Runtime>::get(device(), ChannelId::DEFAULT),
				None
			);
		});
	}
}

#[test]
fn the_account_of_a_signer_is_declared_once() {
	use frame_system::ExtensionsWeightInfo;
	use pallet_transaction_payment::WeightInfo;

	type Extensions = <Runtime as frame_system::Config>::ExtensionsWeightInfo;
	type Payment = <Runtime as pallet_transaction_payment::Config>::WeightInfo;
	let one = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1).ref_time();

	assert!(Extensions::check_nonce().ref_time() > one);
	for rest in [Payment::charge_transaction_payment(), Extensions::weight_reclaim()] {
		assert!(rest.ref_time() > 0 && rest.ref_time() < one, "{rest}");
	}
}

#[test]
fn revocations_have_room_in_a_full_block() {
	let (anchor, key, device) = (AnchorId([1; 32]), KeyId([2; 32]), device());
	let voucher = VoucherId([3; 32]);
	let (subject, reason) = (SshSubject::Serial(1), REASON);
	let class = |call: pallet_dpki::Call<Runtime>| call.get_dispatch_info().class;

	for revocation in [
		pallet_dpki::Call::revoke_anchor { anchor, reason },
		pallet_dpki::Call::revoke_ssh { anchor, subject, reason },
		pallet_dpki::Call::revoke_key { key, reason },
		pallet_dpki::Call::revoke_device { device, reason },
		pallet_dpki::Call::cancel_voucher { voucher },
		pallet_dpki::Call::revoke_keys { keys: Default::default(), reason },
		pallet_dpki::Call::revoke_devices { devices: Default::default(), reason },
		pallet_dpki::Call::report_compromise {
			what: Compromised::Key(key),
			proof: Default::default(),
		},
	] {
		assert_eq!(class(revocation.clone()), DispatchClass::Operational, "{revocation:?}");
	}
	assert_eq!(class(pallet_dpki::Call::retire_anchor { anchor }), DispatchClass::Normal);

	let class = |call: pallet_certificates::Call<Runtime>| call.get_dispatch_info().class;
	let certificate = CertificateId([4; 32]);
	for revocation in [
		pallet_certificates::Call::revoke { certificate, reason },
		pallet_certificates::Call::suspend { certificate },
		pallet_certificates::Call::withdraw_endorsement {
			certificate,
			reason: WithdrawalReason::EvidenceFalse,
		},
	] {
		assert_eq!(class(revocation.clone()), DispatchClass::Operational, "{revocation:?}");
	}
	assert_eq!(class(pallet_certificates::Call::release { certificate }), DispatchClass::Normal);

	let class = |call: pallet_fleets::Call<Runtime>| call.get_dispatch_info().class;
	let fleet = FleetId([5; 32]);
	for revocation in [
		pallet_fleets::Call::revoke_members { fleet, chunks: Default::default(), reason },
		pallet_fleets::Call::revoke_fleet { fleet, reason },
	] {
		assert_eq!(class(revocation.clone()), DispatchClass::Operational, "{revocation:?}");
	}
	assert_eq!(class(pallet_fleets::Call::retire_fleet { fleet }), DispatchClass::Normal);
}

/// Enrolments and acknowledgements are believed at dispatch because nothing but the extension
/// `AuthorizeCall` gives a call the origin that says they were judged. A pallet that can give a call
/// any origin (`pallet-utility` by `dispatch_as`, for one) would break that: see decision 0002 before
/// this list is changed. Of those that dispatch calls of others, `Motions` gives them its own origin,
/// `Mandate` root, `Sudo` root or an account, `Multisig` and `Proxy` an account.
#[test]
fn no_pallet_can_fake_an_authorised_origin() {
	let mut pallets: Vec<_> = AllPalletsWithSystem::infos()
		.into_iter()
		.map(|pallet| (pallet.index, pallet.name))
		.collect();
	pallets.sort();
	assert_eq!(
		pallets,
		[
			(0, "System"),
			(1, "Timing"),
			(2, "Timestamp"),
			(3, "Balances"),
			(4, "TransactionPayment"),
			(5, "SkipFeelessPayment"),
			(6, "Authorship"),
			(7, "Aura"),
			(8, "Offences"),
			(9, "Historical"),
			(10, "Session"),
			(11, "Grandpa"),
			(12, "ValidatorSet"),
			(14, "CouncilMembership"),
			(15, "Mandate"),
			(16, "Sudo"),
			(17, "Motions"),
			(18, "Multisig"),
			(19, "Proxy"),
			(20, "Organisations"),
			(21, "Dpki"),
			(22, "Deliveries"),
			(23, "Certificates"),
			(24, "Economy"),
			(25, "Fleets"),
			(27, "Requests"),
		]
	);
}
