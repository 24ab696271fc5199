// SPDX-License-Identifier: Apache-2.0

//! Accounts that act for others, and what of it reaches the blobs that nodes store.

use crate::common::{account, apply, chain, origin, signed};
use codec::{Decode, Encode};
use dpki_primitives::{
	approval::Proposal,
	assurance::WithdrawalReason,
	channel::ChannelId,
	delivery::{DeliveryRecord, MAX_BLOB_LEN, MIN_BLOB_LEN, Suite},
	device::DeviceRecord,
	filing::{FILING_LIFETIME, Filing, FilingKind, FilingStanding, Objection},
	ids::{
		ApplicationId, BlobDigest, CertificateId, DeviceId, FleetId, KeyId, OrganisationId,
		RevisionId,
	},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	organisation::{DeliveryPolicy, OrganisationKind, Role, RoleSet},
	status::Validity,
};
use dpki_runtime::{
	Multisig, Organisations, Proxy, Runtime, RuntimeCall, System, UNIT, UncheckedExtrinsic,
	configs::accounts::ProxyType,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::InstanceFilter};
use pallet_deliveries::{Deliveries, Proposals};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::{
	DispatchError, DispatchResult, OpaqueExtrinsic,
	traits::{BlakeTwo256, Dispatchable, Hash},
};
use sp_state_machine::IndexOperation;

type DeliveriesError = pallet_deliveries::Error<Runtime>;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn device() -> DeviceId {
	DeviceId::from_name(acme(), b"drone-1")
}

fn recipient() -> PublicKey {
	PublicKey::new(KeyType::X25519, &[9; 32]).unwrap()
}

/// Runs a test inside of a block of the development chain, on which Alice publishes for a device of
/// `acme`, and Bob is her proxy for that and nothing else. Returns what the block has nodes store.
fn in_a_block(test: impl FnOnce()) -> Vec<IndexOperation> {
	let mut chain = chain(DEV_RUNTIME_PRESET);
	chain.execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Alice), name, OrganisationKind::ServiceProvider));
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
			public: recipient(),
			purpose: KeyPurpose::KeyAgreement,
			validity: Validity { not_before: 0, not_after: None },
			registered_at: 0,
			superseded_at: None,
			withdrawal: Default::default(),
		};
		pallet_dpki::Keys::<Runtime>::insert(KeyId::of(&recipient()), key);
		appoint(Bob, ProxyType::Publishing);
		test();
	});
	chain.overlayed_changes().transaction_index_ops().to_vec()
}

const CHANNEL: ChannelId = ChannelId::DEFAULT;

fn appoint(proxy: Sr25519Keyring, proxy_type: ProxyType) {
	assert_ok!(Proxy::add_proxy(origin(Alice), account(proxy).into(), proxy_type, 0));
}

fn envelope(length: u32) -> Vec<u8> {
	(0..length).map(|index| index as u8).collect()
}

fn publish(sequence: u64, length: u32) -> RuntimeCall {
	pallet_deliveries::Call::publish {
		device: device(),
		channel: CHANNEL,
		sequence,
		suite: Suite::X25519ChaCha20Poly1305,
		recipient: KeyId::of(&recipient()),
		envelope: envelope(length).try_into().unwrap(),
	}
	.into()
}

/// `call` for Alice.
fn for_alice(call: RuntimeCall) -> RuntimeCall {
	let (real, call) = (account(Alice).into(), Box::new(call));
	pallet_proxy::Call::proxy { real, force_proxy_type: None, call }.into()
}

/// `call` for Alice, made by her proxy Bob, for whom a proxy of his makes it.
fn through_two_proxies(call: RuntimeCall) -> RuntimeCall {
	let (real, call) = (account(Bob).into(), Box::new(for_alice(call)));
	pallet_proxy::Call::proxy { real, force_proxy_type: None, call }.into()
}

fn transfer() -> RuntimeCall {
	pallet_balances::Call::transfer_allow_death { dest: account(Bob).into(), value: UNIT }.into()
}

fn hand_over() -> RuntimeCall {
	pallet_organisations::Call::hand_over { organisation: acme(), to: account(Dave) }.into()
}

/// Has a proxy of Alice make a call for her, and returns what the call returned.
fn proxied(proxy: Sr25519Keyring, call: RuntimeCall) -> DispatchResult {
	assert_eq!(apply(signed(proxy, for_alice(call))), Ok(Ok(())));
	System::read_events_for_pallet::<pallet_proxy::Event<Runtime>>()
		.into_iter()
		.rev()
		.find_map(|event| match event {
			pallet_proxy::Event::ProxyExecuted { result } => Some(result),
			_ => None,
		})
		.expect("the proxy made the call")
}

fn refused(error: DeliveriesError) -> DispatchResult {
	Err(error.into())
}

#[test]
fn what_a_publishing_proxy_publishes_is_stored_as_it_was_sealed() {
	for length in [MIN_BLOB_LEN, 63, 64, 16_383, 16_384, MAX_BLOB_LEN] {
		let mut wire = Vec::new();
		let indexed = in_a_block(|| {
			wire = signed(Bob, for_alice(publish(1, length))).encode();
			// As a node that got it from another one.
			let transaction = UncheckedExtrinsic::decode(&mut &wire[..]).unwrap();
			assert_eq!(apply(transaction), Ok(Ok(())));
			let record = Deliveries::<Runtime>::get(device(), CHANNEL).expect("it is published");
			assert_eq!(record.publisher, <[u8; 32]>::from(account(Alice)));
			assert_eq!(record.digest, BlobDigest::of(&envelope(length)));
		});
		// The database takes the last bytes of the transaction as the block holds it.
		let stored = OpaqueExtrinsic::decode(&mut &wire[..]).unwrap().encode();
		let [IndexOperation::Insert { extrinsic: 0, hash, size }] = &indexed[..] else {
			panic!("expected one entry for the first transaction, found {indexed:?}");
		};
		let blob = &stored[stored.len() - *size as usize..];
		assert_eq!(blob, envelope(length));
		assert_eq!(*hash, BlobDigest::of(blob).0);
	}
}

#[test]
fn a_delivery_through_a_proxy_that_is_refused_stores_nothing() {
	let indexed = in_a_block(|| {
		assert_eq!(proxied(Bob, publish(0, 100)), refused(DeliveriesError::SequenceMissing));
		// Nothing is left of it for what comes next.
		assert_ok!(Proxy::add_proxy(origin(Bob), account(Charlie).into(), ProxyType::Any, 0));
		assert_eq!(apply(signed(Charlie, through_two_proxies(publish(1, 100)))), Ok(Ok(())));
		let result = refused(DeliveriesError::CallNested);
		System::assert_has_event(pallet_proxy::Event::ProxyExecuted { result }.into());
		assert_eq!(Deliveries::<Runtime>::get(device(), CHANNEL), None);
	});
	assert!(indexed.is_empty());
}

#[test]
fn who_is_no_publishing_proxy_publishes_nothing() {
	let indexed = in_a_block(|| {
		let not_proxy = pallet_proxy::Error::<Runtime>::NotProxy.into();
		let by_a_stranger = signed(Charlie, for_alice(publish(1, 100)));
		assert_eq!(apply(by_a_stranger), Ok(Err(not_proxy)));
		appoint(Dave, ProxyType::KeyRotation);
		let filtered = frame_system::Error::<Runtime>::CallFiltered;
		assert_eq!(proxied(Dave, publish(1, 100)), Err(filtered.into()));
		assert_eq!(Deliveries::<Runtime>::get(device(), CHANNEL), None);
	});
	assert!(indexed.is_empty());
}

#[test]
fn a_delivery_that_is_repeated_is_stored_once() {
	let indexed = in_a_block(|| {
		assert_eq!(proxied(Bob, publish(1, 100)), Ok(()));
		assert_eq!(proxied(Bob, publish(1, 100)), refused(DeliveriesError::DeliveryOutdated));
		assert_eq!(apply(signed(Alice, publish(2, 100))), Ok(Ok(())));
	});
	let transactions: Vec<_> = indexed
		.iter()
		.map(|operation| match operation {
			IndexOperation::Insert { extrinsic, .. } => *extrinsic,
			IndexOperation::Renew { .. } => panic!("nothing is ever renewed"),
		})
		.collect();
	assert_eq!(transactions, [0, 2]);
}

#[test]
fn a_delivery_in_any_other_wrapper_is_refused_as_nested() {
	let alone: RuntimeCall = pallet_multisig::Call::as_multi_threshold_1 {
		other_signatories: vec![account(Bob)],
		call: Box::new(publish(1, 100)),
	}
	.into();
	let announced: RuntimeCall = pallet_proxy::Call::proxy_announced {
		delegate: account(Dave).into(),
		real: account(Alice).into(),
		force_proxy_type: None,
		call: Box::new(publish(1, 100)),
	}
	.into();
	let together = |other, maybe_timepoint| -> RuntimeCall {
		pallet_multisig::Call::as_multi {
			threshold: 2,
			other_signatories: vec![account(other)],
			maybe_timepoint,
			call: Box::new(publish(1, 100)),
			max_weight: publish(1, 100).get_dispatch_info().call_weight,
		}
		.into()
	};
	let indexed = in_a_block(|| {
		assert_eq!(apply(signed(Alice, alone)), Ok(refused(DeliveriesError::CallNested)));

		let begun = Multisig::timepoint();
		assert_eq!(apply(signed(Alice, together(Bob, None))), Ok(Ok(())));
		assert_eq!(apply(signed(Bob, together(Alice, Some(begun)))), Ok(Ok(())));
		let executed = System::read_events_for_pallet::<pallet_multisig::Event<Runtime>>();
		assert!(executed.into_iter().any(|event| matches!(
			event,
			pallet_multisig::Event::MultisigExecuted { result, .. }
				if result == refused(DeliveriesError::CallNested)
		)));

		appoint(Dave, ProxyType::Any);
		let call_hash = BlakeTwo256::hash_of(&publish(1, 100));
		assert_ok!(Proxy::announce(origin(Dave), account(Alice).into(), call_hash));
		assert_eq!(apply(signed(Dave, announced)), Ok(Ok(())));
		let result = refused(DeliveriesError::CallNested);
		System::assert_has_event(pallet_proxy::Event::ProxyExecuted { result }.into());
		assert_eq!(Deliveries::<Runtime>::get(device(), CHANNEL), None);
	});
	assert!(indexed.is_empty());
}

#[test]
fn a_proxy_publishes_only_what_the_policy_lets_one_publisher_publish() {
	let indexed = in_a_block(|| {
		let policy = DeliveryPolicy::Watchdogs { needed: 1 };
		assert_ok!(Organisations::set_policy(origin(Alice), acme(), policy));
		assert_eq!(proxied(Bob, publish(1, 100)), Ok(()));
		assert_eq!(Deliveries::<Runtime>::get(device(), CHANNEL), None);
		let proposal =
			Proposals::<Runtime>::get(device(), CHANNEL).expect("it waits for a watchdog");
		let record = proposal.record;
		let (device, channel) = (device(), CHANNEL);
		let delivery = record.id(device, channel);
		let approve: RuntimeCall =
			pallet_deliveries::Call::approve { device, channel, delivery }.into();
		let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
		assert_eq!(proxied(Bob, approve), Err(filtered));
		let withdraw = pallet_deliveries::Call::withdraw { device, channel, delivery };
		assert_eq!(proxied(Bob, withdraw.into()), Ok(()));
		assert_eq!(Proposals::<Runtime>::get(device, CHANNEL), None);
	});
	assert_eq!(indexed.len(), 1);
}

/// A filing of the device that waits.
fn file() -> [u8; 32] {
	let (kind, body) = (FilingKind::SshHost, b"names and a key".to_vec());
	let content = kind.content(&body);
	let filing = Filing {
		organisation: acme(),
		kind,
		content,
		number: 0,
		key: KeyId::of(&recipient()),
		filed_at: 0,
		expires_at: FILING_LIFETIME,
		standing: FilingStanding::Waiting { position: 0 },
	};
	pallet_requests::Filings::<Runtime>::insert(device(), 0, filing);
	pallet_requests::Waiting::<Runtime>::insert(acme(), 0, (device(), 0));
	pallet_requests::WaitingCount::<Runtime>::insert(acme(), 1);
	content
}

/// A delivery of this number to the device that waits for approvals on a channel.
fn wait_for_approvals(channel: ChannelId, sequence: u64) {
	let suite = Suite::X25519ChaCha20Poly1305;
	let record = DeliveryRecord {
		organisation: acme(),
		publisher: [1; 32],
		sequence,
		suite,
		recipient: KeyId::of(&recipient()),
		digest: BlobDigest([2; 32]),
		length: suite.min_len(),
		published_at: 0,
	};
	let proposal = Proposal { record, expires_at: u64::MAX, approvals: Default::default() };
	Proposals::<Runtime>::insert(device(), channel, proposal);
}

#[test]
fn a_publishing_proxy_tells_where_an_answer_lies_and_refuses_nobody() {
	in_a_block(|| {
		let (content, device, slot) = (file(), device(), 0);
		let objection = Objection::NotNeeded;
		let refuse = pallet_requests::Call::refuse { device, slot, content, objection };
		let filtered = frame_system::Error::<Runtime>::CallFiltered.into();
		assert_eq!(proxied(Bob, refuse.into()), Err(filtered));
		let channel = ChannelId::new(2).unwrap();
		let answer = |content| -> RuntimeCall {
			pallet_requests::Call::answer { device, slot, content, channel, sequence: 7 }.into()
		};
		// The answer is one in the name of the publisher, by the rules for all answers.
		let unknown = pallet_requests::Error::<Runtime>::FilingUnknown.into();
		assert_eq!(proxied(Bob, answer([9; 32])), Err(unknown));
		let missing = pallet_requests::Error::<Runtime>::DeliveryMissing.into();
		assert_eq!(proxied(Bob, answer(content)), Err(missing));
		wait_for_approvals(channel, 7);
		assert_eq!(proxied(Bob, answer(content)), Ok(()));
		let filing = pallet_requests::Filings::<Runtime>::get(device, slot).unwrap();
		let FilingStanding::Answered { channel: told, sequence, .. } = filing.standing else {
			panic!("it is answered: {filing:?}");
		};
		assert_eq!((told, sequence), (channel, 7));
	});
}

#[test]
fn a_publishing_proxy_does_nothing_else() {
	in_a_block(|| {
		let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
		for call in [transfer(), hand_over()] {
			assert_eq!(proxied(Bob, call), Err(filtered));
		}
	});
}

#[test]
fn a_key_rotation_proxy_moves_a_membership_and_does_nothing_else() {
	in_a_block(|| {
		appoint(Charlie, ProxyType::KeyRotation);
		let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
		assert_eq!(proxied(Charlie, transfer()), Err(filtered));

		assert_eq!(proxied(Charlie, hand_over()), Ok(()));
		assert_ok!(Organisations::accept_hand_over(origin(Dave), acme(), account(Alice)));
		let roles = pallet_organisations::Members::<Runtime>::get(acme(), account(Dave));
		assert_eq!(roles, Some(RoleSet::ALL));
	});
}

#[test]
fn an_attesting_proxy_observes_endorses_and_votes_on_fleets_and_does_nothing_else() {
	in_a_block(|| {
		appoint(Charlie, ProxyType::Attesting);
		let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
		let (certificate, application) = (CertificateId([1; 32]), ApplicationId([1; 32]));
		let revoke: RuntimeCall = pallet_certificates::Call::suspend { certificate }.into();
		for call in [transfer(), hand_over(), revoke] {
			assert_eq!(proxied(Charlie, call), Err(filtered));
		}
		let (fleet, revision) = (FleetId([1; 32]), RevisionId([1; 32]));
		// These are made, and refused by the pallet itself.
		for call in [
			pallet_certificates::Call::commit { application, commitment: [0; 32] }.into(),
			pallet_certificates::Call::withdraw_endorsement {
				certificate,
				reason: WithdrawalReason::FactsChanged,
			}
			.into(),
			pallet_fleets::Call::vote { fleet, revision, available: true }.into(),
		] {
			let refused = proxied(Charlie, call).unwrap_err();
			assert!(matches!(refused, DispatchError::Module(_)) && refused != filtered);
		}
	});
}

#[test]
fn a_proxy_does_not_appoint_a_stronger_one() {
	in_a_block(|| {
		appoint(Charlie, ProxyType::KeyRotation);
		let stronger = pallet_proxy::Call::add_proxy {
			delegate: account(Charlie).into(),
			proxy_type: ProxyType::Any,
			delay: 0,
		};
		let filtered = frame_system::Error::<Runtime>::CallFiltered;
		assert_eq!(proxied(Charlie, stronger.into()), Err(filtered.into()));
	});
	let all = [ProxyType::Any, ProxyType::KeyRotation, ProxyType::Publishing, ProxyType::Attesting];
	for one in all {
		for other in all {
			let expected = one == other || one == ProxyType::default();
			assert_eq!(one.is_superset(&other), expected, "{one:?} {other:?}");
		}
	}
}

#[test]
fn an_account_of_several_acts_when_enough_of_them_have_signed() {
	in_a_block(|| {
		let mut all = [account(Alice), account(Bob), account(Charlie)];
		all.sort();
		let shared = Multisig::multi_account_id(&all, 2);
		let roles = RoleSet::EMPTY.with(Role::Administrator);
		assert_ok!(Organisations::set_member(origin(Alice), acme(), shared.clone(), roles));
		// A multisignature accepts as it does everything: by its members.
		let join = pallet_organisations::Call::join { organisation: acme() };
		let join: RuntimeCall = join.into();
		assert_ok!(join.dispatch(frame_system::RawOrigin::Signed(shared.clone()).into()));
		let call: RuntimeCall = pallet_organisations::Call::remove_member {
			organisation: acme(),
			account: account(Alice),
		}
		.into();
		let sign = |who: Sr25519Keyring, timepoint| {
			let others = all.iter().filter(|one| **one != account(who)).cloned().collect();
			let weight = call.get_dispatch_info().call_weight;
			let call = Box::new(call.clone());
			Multisig::as_multi(origin(who), 2, others, timepoint, call, weight)
		};
		let is_member =
			|| pallet_organisations::Members::<Runtime>::contains_key(acme(), account(Alice));

		let timepoint = Multisig::timepoint();
		assert_ok!(sign(Bob, None));
		assert!(is_member());
		assert_ok!(sign(Charlie, Some(timepoint)));
		assert!(!is_member());

		// One of them alone is not the account.
		let set = pallet_organisations::Call::set_member {
			organisation: acme(),
			account: account(Bob),
			roles: RoleSet::ALL,
		};
		let set: RuntimeCall = set.into();
		let role_missing = pallet_organisations::Error::<Runtime>::RoleMissing;
		assert_noop!(set.dispatch(origin(Bob)), role_missing);
	});
}
