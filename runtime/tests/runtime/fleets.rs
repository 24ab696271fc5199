// SPDX-License-Identifier: Apache-2.0

//! Fleets: validators vote for nothing, tiles and keys travel in real transactions, and an organisation with fleets stays.

use crate::common::{account, apply, chain, origin, signed};
use dpki_primitives::{
	economy::{Operation, QuotaPolicies, QuotaPolicy},
	fleet::{
		Commitment, FleetKey, FleetLeaf, MembershipProof, RollEntry, RollTerms, Tile, Tiler,
		tree::root_of,
	},
	ids::{BlobDigest, FleetId, OrganisationId, RevisionId},
	key::{KeyPurpose, KeyType},
	organisation::{Belongings, OrganisationKind},
	status::{Status, Validity},
};
use dpki_runtime::{
	Balances, Dpki, Economy, Fleets, Organisations, Runtime, RuntimeCall, RuntimeEvent, System,
	Timestamp,
	configs::{economy::MinCapacity, pki::OneProxy},
	dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{assert_noop, assert_ok, traits::Time};
use pallet_deliveries::SeeThrough;
use sp_core::{Pair as _, ed25519};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Eve, Ferdie};
use sp_runtime::TokenError;

type Call = pallet_fleets::Call<Runtime>;
type Error = pallet_fleets::Error<Runtime>;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn drones() -> FleetId {
	FleetId::from_name(acme(), b"drones")
}

fn leaf() -> FleetLeaf {
	FleetLeaf {
		name: b"drone-1".to_vec().try_into().unwrap(),
		purpose: KeyPurpose::Tls,
		key: FleetKey::new(KeyType::Ed25519, &[5; 32]).unwrap(),
		validity: Validity { not_before: 0, not_after: None },
	}
}

/// A fleet of one member, with its one tile.
fn one() -> (Commitment, Vec<u8>) {
	let (mut tiler, mut bytes) = (Tiler::default(), Vec::new());
	let mut emit = |tile: Tile| bytes = tile.encode();
	tiler.push(leaf(), &mut emit).unwrap();
	(tiler.finish(&mut emit).unwrap(), bytes)
}

/// Runs a test on a chain on which Eve, who is no validator, has founded `acme` and committed a fleet.
fn with_drones(test: impl FnOnce()) {
	chain(LOCAL_PRESET).execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Eve), name, OrganisationKind::Manufacturer));
		let name = b"drones".to_vec().try_into().unwrap();
		assert_ok!(Fleets::commit(origin(Eve), acme(), name, one().0));
		test();
	});
}

/// What a vote on the first commitment of the fleet names, before and after it counts.
fn first() -> RevisionId {
	RevisionId::of(drones(), 0, &one().0, None, 0)
}

fn vote(available: bool) -> RuntimeCall {
	Call::vote { fleet: drones(), revision: first(), available }.into()
}

#[test]
fn three_of_four_validators_make_a_fleet_count_and_pay_nothing() {
	with_drones(|| {
		let proof = MembershipProof {
			fleet: drones(),
			organisation: acme(),
			index: 0,
			leaf: leaf(),
			path: Default::default(),
		};
		for voter in [Alice, Bob, Charlie] {
			assert_eq!(Runtime::fleet_member(proof.clone()), Status::Unknown);
			let before = Balances::free_balance(account(voter));
			assert_ok!(apply(signed(voter, vote(true))).unwrap());
			assert_eq!(Balances::free_balance(account(voter)), before);
		}
		assert_eq!(Runtime::fleet_member(proof), Status::Valid);
		assert_eq!(Runtime::fleet(drones()).status, Status::Valid);
		// To change one's mind is possible, and not free.
		let before = Balances::free_balance(account(Alice));
		assert_ok!(apply(signed(Alice, vote(false))).unwrap());
		assert!(Balances::free_balance(account(Alice)) < before);
	});
}

#[test]
fn who_makes_no_blocks_has_no_vote() {
	with_drones(|| {
		for stranger in [Ferdie, Eve] {
			let vote = Fleets::vote(origin(stranger), drones(), first(), true);
			assert_noop!(vote, Error::VoterUnknown);
		}
	});
}

#[test]
fn a_tile_travels_in_a_transaction_or_through_a_proxy() {
	with_drones(|| {
		let (_, tile) = one();
		let publish: RuntimeCall =
			Call::publish_tile { organisation: acme(), tile: tile.clone().try_into().unwrap() }
				.into();
		let published = || {
			let digest = BlobDigest::of(&tile);
			System::events().iter().any(|record| {
				matches!(
					&record.event,
					RuntimeEvent::Fleets(pallet_fleets::Event::TilePublished { digest: found, .. })
						if *found == digest
				)
			})
		};
		// Called without a transaction that ends with it.
		let bare = Fleets::publish_tile(origin(Eve), acme(), tile.clone().try_into().unwrap());
		assert_eq!(bare, Err(Error::TileNotLast.into()));
		assert_ok!(apply(signed(Eve, publish.clone())).unwrap());
		assert!(published());
		System::reset_events();
		let proxied: RuntimeCall = pallet_proxy::Call::<Runtime>::proxy {
			real: account(Eve).into(),
			force_proxy_type: None,
			call: Box::new(publish),
		}
		.into();
		assert_ne!(OneProxy::carried(&proxied), &proxied);
		let add = pallet_proxy::Call::<Runtime>::add_proxy {
			delegate: account(Ferdie).into(),
			proxy_type: Default::default(),
			delay: 0,
		};
		assert_ok!(apply(signed(Eve, add.into())).unwrap());
		System::reset_events();
		assert_ok!(apply(signed(Ferdie, proxied)).unwrap());
		assert!(published());
	});
}

#[test]
fn an_organisation_with_a_fleet_is_not_dissolved() {
	with_drones(|| {
		assert!(Dpki::is_empty(acme()) && !Fleets::is_empty(acme()));
		let left = pallet_organisations::Error::<Runtime>::BelongingsLeft;
		assert_noop!(Organisations::dissolve(origin(Eve), acme()), left);
	});
}

#[test]
fn a_large_fleet_takes_more_of_a_quota_than_a_small_one_however_it_is_wrapped() {
	with_drones(|| {
		let root = || frame_system::RawOrigin::Root.into();
		assert_ok!(Economy::set_feeless(root(), true));
		// The organisation was founded so long ago that its quota has filled.
		pallet_economy::OrganisationBuckets::<Runtime>::remove(acme());
		let left = || Economy::allowance(&account(Eve)).expect("acme answers for her").left;
		let commit = |name: &[u8], size| -> RuntimeCall {
			let commitment = Commitment { size, ..one().0 };
			let name = name.to_vec().try_into().unwrap();
			Call::commit { organisation: acme(), name, commitment }.into()
		};
		let taken = |call: RuntimeCall| {
			let before = left();
			assert_ok!(apply(signed(Eve, call)).expect("it is applied"));
			before - left()
		};
		let units = Operation::CommitFleet.units();
		let (small, large) = (taken(commit(b"small", 10)), taken(commit(b"large", 1_000_000)));
		assert!((units + 1..2 * units).contains(&small), "{small}");
		assert_eq!(large - small, 15 * units);
		let add = pallet_proxy::Call::add_proxy {
			delegate: account(Ferdie).into(),
			proxy_type: Default::default(),
			delay: 0,
		};
		assert_ok!(apply(signed(Eve, add.into())).expect("it is applied"));
		let proxied = pallet_proxy::Call::proxy {
			real: account(Eve).into(),
			force_proxy_type: None,
			call: Box::new(commit(b"wrapped", 1_000_000)),
		};
		// Ferdie pays for the transaction, and Eve's quota for what it obliges others to.
		let before = left();
		assert_ok!(apply(signed(Ferdie, proxied.into())).expect("it is applied"));
		assert_eq!(before - left(), 16 * units);

		let account = QuotaPolicy { capacity: MinCapacity::get(), refill: 1_000 };
		let policies = QuotaPolicies { account, ..Default::default() };
		assert_ok!(Economy::set_quotas(root(), policies));
		let refused = apply(signed(Eve, commit(b"largest", 1 << 24))).expect("it is applied");
		assert_eq!(refused, Err(TokenError::FundsUnavailable.into()));
		assert_eq!(Fleets::fleet(FleetId::from_name(acme(), b"largest")), None);
	});
}

#[test]
fn keys_of_a_roll_are_appended_in_a_transaction_and_count_without_votes() {
	chain(LOCAL_PRESET).execute_with(|| {
		System::initialize(&2, &System::parent_hash(), &Default::default());
		let name = |text: &[u8]| text.to_vec().try_into().unwrap();
		let founded =
			Organisations::create(origin(Eve), name(b"acme"), OrganisationKind::Manufacturer);
		assert_ok!(founded);
		let validity = Validity { not_before: 0, not_after: None };
		let terms = RollTerms { purpose: KeyPurpose::Tls, validity };
		let open = Call::open_roll { organisation: acme(), name: name(b"drones"), terms };
		assert_ok!(apply(signed(Eve, open.into())).unwrap());
		let expires_at = Timestamp::now() + 60_000;
		let pairs: Vec<_> = (1..4).map(|seed| ed25519::Pair::from_seed(&[seed; 32])).collect();
		let entry = |(place, pair): (u32, &ed25519::Pair)| {
			let genesis = System::block_hash(0).into();
			let payload = terms.possession(genesis, drones(), place, expires_at).payload();
			RollEntry { key: pair.public().0, possession: pair.sign(&payload).0 }
		};
		let entries: Vec<_> = (0..).zip(&pairs).map(entry).collect();
		let append = |entries: Vec<RollEntry>| -> RuntimeCall {
			let entries = entries.try_into().unwrap();
			Call::append_keys { fleet: drones(), from: 0, grace: 0, expires_at, entries }.into()
		};
		let mut forged = entries.clone();
		forged[1].possession[40] ^= 1;
		let refused = apply(signed(Eve, append(forged))).unwrap();
		assert_eq!(refused, Err(Error::PossessionInvalid(1).into()));
		assert_eq!(Fleets::fleet(drones()).unwrap().current, None);
		let before = Balances::free_balance(account(Eve));
		assert_ok!(apply(signed(Eve, append(entries))).unwrap());
		assert!(Balances::free_balance(account(Eve)) < before);
		let leaves: Vec<_> = (0..)
			.zip(&pairs)
			.map(|(place, pair)| terms.leaf(b"drones", place, &pair.public().0).unwrap())
			.collect();
		let hashes: Vec<_> = leaves.iter().map(FleetLeaf::hash).collect();
		let proof = MembershipProof {
			fleet: drones(),
			organisation: acme(),
			index: 2,
			leaf: leaves[2].clone(),
			path: vec![root_of(&hashes[..2])].try_into().unwrap(),
		};
		assert_eq!(Runtime::fleet_member(proof), Status::Valid);
		assert_eq!(Runtime::fleet(drones()).status, Status::Valid);
	});
}
