// SPDX-License-Identifier: Apache-2.0

//! Fleets: validators vote for nothing, tiles travel in real transactions, and an organisation with fleets stays.

use crate::common::{account, apply, chain, origin, signed};
use dpki_primitives::{
	fleet::{Commitment, FleetKey, FleetLeaf, MembershipProof, Tile, Tiler},
	ids::{BlobDigest, FleetId, OrganisationId},
	key::{KeyPurpose, KeyType},
	organisation::{Belongings, OrganisationKind},
	status::{Status, Validity},
};
use dpki_runtime::{
	Balances, Dpki, Fleets, Organisations, Runtime, RuntimeCall, RuntimeEvent, System,
	configs::pki::OneProxy, dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
	genesis_config_presets::LOCAL_PRESET,
};
use frame_support::{assert_noop, assert_ok};
use pallet_deliveries::SeeThrough;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Eve, Ferdie};

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

fn vote(available: bool) -> RuntimeCall {
	Call::vote { fleet: drones(), revision: 0, available }.into()
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
		assert_noop!(Fleets::vote(origin(Ferdie), drones(), 0, true), Error::VoterUnknown);
		assert_noop!(Fleets::vote(origin(Eve), drones(), 0, true), Error::VoterUnknown);
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
