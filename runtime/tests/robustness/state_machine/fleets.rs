// SPDX-License-Identifier: Apache-2.0

//! Fleets: committed, voted on by those who make blocks, grown, rotated, revoked in part and as a whole; rolls, whose keys
//! sign for their places.

use super::{Actor, Attempt, registry::some_reason, world::World};
use dpki_primitives::{
	device::MAX_GRACE,
	fleet::{
		ChunkMask, Commitment, FleetKey, FleetLeaf, FleetRecord, MEMBERS_PER_CHUNK,
		MembershipProof, RollEntry, RollTerms, TILE_WIDTH, Tile, Tiler, TreeHash,
		tree::{consistency_ranges, path_ranges, root_of},
	},
	ids::{FleetId, Name, OrganisationId, RevisionId},
	key::{KeyPurpose, KeyType},
	organisation::Role,
	revocation::Revocation,
	status::Validity,
};
use dpki_runtime::{AccountId, Fleets as Pallet, Runtime, RuntimeEvent, System, Timestamp};
use frame_support::traits::Time;
use pallet_fleets::{Call, Event, RevokedMembers, RollTiles, Rolls, Votes};
use sp_core::{Pair as _, ed25519};
use std::{
	collections::{BTreeMap, BTreeSet},
	ops::Range,
};

/// How many names each organisation has for its fleets. Those that are revoked are used up.
const FLEET_NAMES: u64 = 12;

/// A fleet with more members than this grows no further.
const LARGE: usize = 30;

#[derive(Default)]
pub struct Fleets {
	/// The leaves of every commitment that was ever made, by their root.
	leaves: BTreeMap<TreeHash, Vec<FleetLeaf>>,
	fleets: BTreeMap<FleetId, FleetRecord>,
	/// The places that are revoked.
	revoked: BTreeSet<(FleetId, u32)>,
}

/// Those who may vote.
fn voters() -> Vec<AccountId> {
	pallet_session::Validators::<Runtime>::get()
}

fn some_leaf(world: &mut World) -> FleetLeaf {
	let now = Timestamp::now();
	let not_after = match world.dice.roll(6) {
		0 => Some(now + world.dice.roll(6 * 60 * 60 * 1_000)),
		_ => None,
	};
	let name = format!("member-{}", world.dice.roll(60)).into_bytes();
	let key = FleetKey::new(KeyType::Ed25519, &world.fresh_bytes()).expect("32 bytes");
	FleetLeaf {
		name: name.try_into().expect("names are short"),
		purpose: KeyPurpose::Tls,
		key,
		validity: Validity { not_before: now, not_after },
	}
}

/// The commitment to these leaves, and their tiles.
fn cut(leaves: &[FleetLeaf]) -> (Commitment, Vec<Tile>) {
	let (mut tiler, mut tiles) = (Tiler::default(), Vec::new());
	for leaf in leaves {
		tiler
			.push(leaf.clone(), &mut |tile| tiles.push(tile))
			.expect("it is well-formed");
	}
	let commitment = tiler.finish(&mut |tile| tiles.push(tile)).expect("there are leaves");
	(commitment, tiles)
}

fn roots(leaves: &[FleetLeaf], ranges: Vec<Range<u32>>) -> Vec<TreeHash> {
	let hashes: Vec<_> = leaves.iter().map(FleetLeaf::hash).collect();
	let root = |range: Range<u32>| root_of(&hashes[range.start as usize..range.end as usize]);
	ranges.into_iter().map(root).collect()
}

/// Most of the time one to which something can still be committed; `None` if there is none at all.
fn some_fleet(world: &mut World) -> Option<(FleetId, FleetRecord)> {
	let fleets: Vec<_> = pallet_fleets::Fleets::<Runtime>::iter().collect();
	let is_open = |(_, fleet): &&(FleetId, FleetRecord)| {
		fleet.revocation.is_none() && fleet.retired_at.is_none()
	};
	let open: Vec<_> = fleets.iter().filter(is_open).cloned().collect();
	match world.dice.pick(&open) {
		Some(fleet) if !world.dice.once_in(8) => Some(fleet.clone()),
		_ => world.dice.pick(&fleets).cloned(),
	}
}

/// Most of the time one whose keys stand on the chain, and that gets more; `None` if there is no fleet at all.
fn some_roll(world: &mut World) -> Option<(FleetId, FleetRecord)> {
	let is_roll = |(_, fleet): &(FleetId, FleetRecord)| {
		fleet.has_roll() && fleet.revocation.is_none() && fleet.retired_at.is_none()
	};
	let rolls: Vec<_> = pallet_fleets::Fleets::<Runtime>::iter().filter(is_roll).collect();
	match world.dice.pick(&rolls) {
		Some(roll) if !world.dice.once_in(12) => Some(roll.clone()),
		_ => some_fleet(world),
	}
}

/// The leaves of a roll, from the keys in the state; none if the fleet has its leaves in tiles.
fn roll_leaves(id: FleetId, fleet: &FleetRecord) -> Vec<FleetLeaf> {
	let Some(roll) = Rolls::<Runtime>::get(id) else { return Vec::new() };
	let tiles = 0..roll.size.div_ceil(TILE_WIDTH);
	let keys = tiles.flat_map(|tile| RollTiles::<Runtime>::get(id, tile));
	let leaf = |(place, key)| roll.terms.leaf(&fleet.name, place, &key).expect("names are short");
	(0..).zip(keys).map(leaf).collect()
}

fn open_roll(world: &mut World) -> Attempt {
	let organisation = world.some_organisation();
	let person = world.holder(organisation, Role::Registrar);
	let name = match world.dice.once_in(3) {
		true => some_name(world),
		false => {
			let name = format!("roll-{}", world.dice.roll(FLEET_NAMES)).into_bytes();
			name.try_into().expect("names are short")
		},
	};
	let purpose = match world.dice.once_in(12) {
		true => KeyPurpose::KeyAgreement,
		false => KeyPurpose::Tls,
	};
	let now = Timestamp::now();
	let not_after = match world.dice.once_in(4) {
		true => Some(now + world.dice.roll(6 * 60 * 60 * 1_000)),
		false => None,
	};
	let terms = RollTerms { purpose, validity: Validity { not_before: now, not_after } };
	Attempt::Signed(person, Call::open_roll { organisation, name, terms }.into())
}

/// Up to four keys; now and then at other places than the next ones, with a signature that is wrong, or one key twice.
fn append_keys(world: &mut World) -> Attempt {
	let Some((fleet, record)) = some_roll(world) else { return nothing(world) };
	let person = world.holder(record.organisation, Role::Registrar);
	let size = record.size();
	let from = match world.dice.once_in(12) {
		true => world.dice.roll(u64::from(size) + 2) as u32,
		false => size,
	};
	let no_terms = RollTerms {
		purpose: KeyPurpose::Tls,
		validity: Validity { not_before: 0, not_after: None },
	};
	let terms = Rolls::<Runtime>::get(fleet).map_or(no_terms, |it| it.terms);
	let expires_at = Timestamp::now() + 60_000;
	let genesis = System::block_hash(0).into();
	let count = if size as usize > LARGE { 0 } else { world.dice.roll(5) };
	let mut entries: Vec<_> = (from..)
		.take(count as usize)
		.map(|place| {
			let pair = ed25519::Pair::from_seed(&world.fresh_bytes());
			let payload = terms.possession(genesis, fleet, place, expires_at).payload();
			RollEntry { key: pair.public().0, possession: pair.sign(&payload).0 }
		})
		.collect();
	if let (true, Some(first)) = (world.dice.once_in(10), entries.first_mut()) {
		first.possession[40] ^= 1;
	}
	if let (true, Some(first)) = (world.dice.once_in(15), entries.first().copied()) {
		entries.push(first);
	}
	let (grace, entries) = (some_grace(world), entries.try_into().expect("they are few"));
	let call = Call::append_keys { fleet, from, grace, expires_at, entries };
	Attempt::Signed(person, call.into())
}

fn some_name(world: &mut World) -> Name {
	let bang = if world.dice.once_in(20) { "!" } else { "" };
	let name = format!("fleet-{}{bang}", world.dice.roll(FLEET_NAMES)).into_bytes();
	name.try_into().expect("names are short")
}

/// When it is replaced, it stays good for so long; now and then for longer than it may.
fn some_grace(world: &mut World) -> u64 {
	match world.dice.roll(20) {
		0 => MAX_GRACE + 1,
		1..=4 => 0,
		_ => world.dice.roll(60 * 60 * 1_000),
	}
}

/// The word of a voter, on a revision that has no verdict most of the time.
fn vote(world: &mut World, fleet: FleetId, revision: RevisionId) -> Attempt {
	let voters = voters();
	let voter = match world.dice.pick(&voters) {
		Some(voter) if !world.dice.once_in(10) => world.person(voter),
		_ => world.somebody(),
	};
	let available = !world.dice.once_in(6);
	Attempt::Signed(voter, Call::vote { fleet, revision, available }.into())
}

fn some_vote(world: &mut World) -> Attempt {
	let Some((id, fleet)) = some_fleet(world) else { return nothing(world) };
	let revisions = [fleet.candidate_id(), fleet.head_id(), Some(RevisionId(world.fresh_bytes()))];
	let known: Vec<_> = revisions.into_iter().flatten().collect();
	let revision = match world.dice.once_in(4) {
		true => *world.dice.pick(&known).expect("one of them is always there"),
		false => known[0],
	};
	vote(world, id, revision)
}

/// The validators intend to say what they think of this revision. That one did before, or that it is gone, keeps none of
/// them from it.
fn intend_votes(world: &mut World, fleet: FleetId, number: u32) {
	for voter in voters() {
		let Some(person) = world.find(&voter) else { continue };
		world.intend(move |world| {
			let record = pallet_fleets::Fleets::<Runtime>::get(fleet)?;
			record.candidate.filter(|it| it.revision == number)?;
			let (revision, available) = (record.candidate_id()?, !world.dice.once_in(8));
			let call = Call::vote { fleet, revision, available };
			Some(Attempt::Signed(person, call.into()))
		});
	}
}

/// For when there is no fleet yet.
fn nothing(world: &mut World) -> Attempt {
	let fleet = FleetId(world.fresh_bytes());
	Attempt::Signed(world.somebody(), Call::withdraw::<Runtime> { fleet }.into())
}

impl Fleets {
	fn commitment(&mut self, leaves: Vec<FleetLeaf>) -> Commitment {
		let (commitment, _) = cut(&leaves);
		self.leaves.insert(commitment.root, leaves);
		commitment
	}

	fn commit(&mut self, world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let person = world.holder(organisation, Role::Registrar);
		let name = some_name(world);
		let fleet = FleetId::from_name(organisation, &name);
		let leaves = (0..1 + world.dice.roll(6)).map(|_| some_leaf(world)).collect();
		let mut commitment = self.commitment(leaves);
		if world.dice.once_in(15) {
			commitment.size = 0;
		}
		let revision = Pallet::fleet(fleet).map_or(0, |it| it.revisions);
		intend_votes(world, fleet, revision);
		Attempt::Signed(person, Call::commit { organisation, name, commitment }.into())
	}

	/// What counts, as far as it is known who is in it.
	fn members(&self, fleet: &FleetRecord) -> Option<Vec<FleetLeaf>> {
		self.leaves.get(&fleet.current?.commitment.root).cloned()
	}

	fn append(&mut self, world: &mut World) -> Attempt {
		let Some((id, fleet)) = some_fleet(world) else { return nothing(world) };
		let person = world.holder(fleet.organisation, Role::Registrar);
		let mut leaves = self.members(&fleet).unwrap_or_default();
		let size = leaves.len();
		if size < LARGE && !world.dice.once_in(12) {
			leaves.extend((0..1 + world.dice.roll(3)).map(|_| some_leaf(world)));
		}
		let ranges = consistency_ranges(size as u32, leaves.len() as u32);
		let mut proof = roots(&leaves, ranges.unwrap_or_default());
		if world.dice.once_in(10) {
			proof.pop();
		}
		if leaves.is_empty() {
			leaves.push(some_leaf(world));
		}
		let commitment = self.commitment(leaves);
		let (grace, proof) = (some_grace(world), proof.try_into().expect("it is short"));
		intend_votes(world, id, fleet.revisions);
		Attempt::Signed(person, Call::append { fleet: id, commitment, grace, proof }.into())
	}

	fn rotate(&mut self, world: &mut World) -> Attempt {
		let Some((id, fleet)) = some_fleet(world) else { return nothing(world) };
		let person = world.holder(fleet.organisation, Role::Registrar);
		let mut leaves = self.members(&fleet).unwrap_or_else(|| vec![some_leaf(world)]);
		match world.dice.roll(10) {
			// The same again.
			0 => {},
			1 if leaves.len() > 1 => {
				leaves.pop();
			},
			_ => {
				let place = world.dice.roll(leaves.len() as u64) as usize;
				leaves[place] = some_leaf(world);
			},
		}
		let commitment = self.commitment(leaves);
		let grace = some_grace(world);
		intend_votes(world, id, fleet.revisions);
		Attempt::Signed(person, Call::rotate { fleet: id, commitment, grace }.into())
	}

	fn publish_tile(&self, world: &mut World) -> Attempt {
		let organisation = world.some_organisation();
		let person = world.holder(organisation, Role::Registrar);
		let known: Vec<_> = self.leaves.values().take(20).cloned().collect();
		let leaves = match world.dice.pick(&known) {
			Some(leaves) => leaves.clone(),
			None => vec![some_leaf(world)],
		};
		let (_, tiles) = cut(&leaves);
		let tile = match world.dice.once_in(8) {
			true => Vec::new(),
			false => world.dice.pick(&tiles).expect("leaves are in a tile").encode(),
		};
		let tile = tile.try_into().expect("it is one of a small fleet");
		Attempt::Signed(person, Call::publish_tile { organisation, tile }.into())
	}

	/// Everything stays that was registered, and what was taken away stays so.
	fn compare(&self) {
		for (id, before) in &self.fleets {
			let after = Pallet::fleet(*id).expect("fleets are never removed");
			assert!(before.revocation.is_none() || before.revocation == after.revocation);
			assert!(before.retired_at.is_none() || before.retired_at == after.retired_at);
			assert!(after.revisions >= before.revisions, "{id} forgot a commitment");
			assert_eq!((before.organisation, &before.name), (after.organisation, &after.name));
			assert_eq!(before.committed_at, after.committed_at);
			let Some(head) = before.current else { continue };
			let next = after.current.expect("what counts is replaced, and not taken back");
			assert!(next.revision >= head.revision, "{id} went back");
			assert!(next.commitment.size >= head.commitment.size, "{id} became smaller");
			let is_new = next.revision > head.revision;
			let is_over = before.revocation.is_some() || before.retired_at.is_some();
			assert!(!(is_new && is_over), "{id} went on after its end");
			assert!(is_new || next.commitment == head.commitment, "{id} counts something else");
		}
		for (fleet, place) in &self.revoked {
			assert!(revocation(*fleet, *place).is_some(), "{place} of {fleet} came back");
		}
	}

	fn remember(&mut self) {
		self.fleets = pallet_fleets::Fleets::<Runtime>::iter().collect();
		let places = |(fleet, chunk, _): (FleetId, u32, _)| {
			let begin = chunk * MEMBERS_PER_CHUNK;
			(begin..begin + MEMBERS_PER_CHUNK).map(move |place| (fleet, place))
		};
		self.revoked = RevokedMembers::<Runtime>::iter()
			.flat_map(places)
			.filter(|(fleet, place)| revocation(*fleet, *place).is_some())
			.collect();
	}

	/// A member is valid as long as neither its place nor its fleet was revoked, its leaves are to be had, its time is not
	/// over, and its head is not replaced or was replaced a short time ago.
	fn check_verdicts(&self) {
		let now = Timestamp::now();
		for (id, fleet) in &self.fleets {
			let Some(current) = fleet.current else { continue };
			let previous = fleet.previous.map(|it| (it.head, Some(it.superseded_at)));
			for (head, superseded_at) in [Some((current, None)), previous].into_iter().flatten() {
				let Some(leaves) = self.leaves.get(&head.commitment.root) else { continue };
				for index in 0..leaves.len() as u32 {
					let proof = prove(*id, fleet.organisation, leaves, index);
					if superseded_at.is_some() && proof.is_under(&current.commitment) {
						continue;
					}
					let Validity { not_before, not_after } = proof.leaf.validity;
					let is_good =
						fleet.revocation.is_none()
							&& !head.unavailable && !self.revoked.contains(&(*id, index))
							&& not_before <= now && not_after.is_none_or(|end| now <= end)
							&& superseded_at.is_none_or(|end| now < end);
					let verdict = Pallet::member_status(&proof);
					assert_eq!(verdict.is_valid(), is_good, "{index} of {id} is {verdict:?}");
				}
			}
		}
	}
}

fn revocation(fleet: FleetId, place: u32) -> Option<Revocation> {
	let chunk = RevokedMembers::<Runtime>::get(fleet, place / MEMBERS_PER_CHUNK)?;
	chunk.of(place % MEMBERS_PER_CHUNK)
}

fn prove(
	fleet: FleetId,
	organisation: OrganisationId,
	leaves: &[FleetLeaf],
	index: u32,
) -> MembershipProof {
	let ranges = path_ranges(index, leaves.len() as u32).expect("it is one of them");
	MembershipProof {
		fleet,
		organisation,
		index,
		leaf: leaves[index as usize].clone(),
		path: roots(leaves, ranges).try_into().expect("the path is short"),
	}
}

/// Up to three members; now and then nobody, or some that there are not.
fn revoke_members(world: &mut World) -> Attempt {
	let Some((id, fleet)) = some_fleet(world) else { return nothing(world) };
	let person = world.holder(fleet.organisation, Role::Registrar);
	let mut mask = vec![0u8; 8];
	let beyond = u64::from(world.dice.once_in(10));
	for _ in 0..world.dice.roll(4) {
		let place = world.dice.roll(u64::from(fleet.size()).min(60) + beyond) as usize;
		mask[place / 8] |= 1 << (place % 8);
	}
	let mask = ChunkMask { chunk: 0, mask: mask.try_into().expect("eight bytes") };
	let masks = if world.dice.once_in(15) { vec![mask.clone(), mask] } else { vec![mask] };
	let chunks = masks.try_into().expect("two are few");
	let reason = some_reason(world);
	Attempt::Signed(person, Call::revoke_members { fleet: id, chunks, reason }.into())
}

fn end(world: &mut World) -> Attempt {
	let Some((fleet, record)) = some_fleet(world) else { return nothing(world) };
	let person = world.holder(record.organisation, Role::Registrar);
	let call = match world.dice.once_in(2) {
		true => Call::retire_fleet { fleet },
		false => Call::revoke_fleet { fleet, reason: some_reason(world) },
	};
	Attempt::Signed(person, call.into())
}

/// One that has a candidate, if there is one.
fn withdraw(world: &mut World) -> Attempt {
	let waiting: Vec<_> = pallet_fleets::Fleets::<Runtime>::iter()
		.filter(|(_, fleet)| fleet.candidate.is_some())
		.collect();
	let fleet = match world.dice.pick(&waiting) {
		Some(fleet) if !world.dice.once_in(5) => Some(fleet.clone()),
		_ => some_fleet(world),
	};
	let Some((fleet, record)) = fleet else { return nothing(world) };
	let person = world.holder(record.organisation, Role::Registrar);
	Attempt::Signed(person, Call::withdraw { fleet }.into())
}

impl Actor for Fleets {
	fn act(&mut self, world: &mut World) -> Attempt {
		match world.dice.roll(32) {
			26 | 27 => open_roll(world),
			28..=31 => append_keys(world),
			0..=4 => self.commit(world),
			5..=8 => self.append(world),
			9..=12 => self.rotate(world),
			13..=16 => some_vote(world),
			17..=20 => revoke_members(world),
			21 | 22 => withdraw(world),
			23 => end(world),
			_ => self.publish_tile(world),
		}
	}

	/// What counts is held by more than two thirds of those who may vote, or stands on the chain.
	fn observe(&mut self, event: &RuntimeEvent) {
		if let RuntimeEvent::Fleets(Event::KeysAppended { fleet, commitment, .. }) = event {
			let record = Pallet::fleet(*fleet).expect("a roll has a fleet");
			let leaves = roll_leaves(*fleet, &record);
			assert_eq!(cut(&leaves).0.root, commitment.root, "{fleet} counts other keys");
			self.leaves.insert(commitment.root, leaves);
			return;
		}
		let RuntimeEvent::Fleets(Event::FleetCommitted { fleet, revision, .. }) = event else {
			return;
		};
		let voters = voters();
		let votes = Votes::<Runtime>::get(fleet, revision);
		let holders: BTreeSet<_> = votes
			.iter()
			.filter(|vote| vote.available && voters.contains(&vote.voter))
			.map(|vote| vote.voter.clone())
			.collect();
		assert!(holders.len() * 3 > voters.len() * 2, "{fleet} counts without its votes");
	}

	fn check(&mut self) {
		self.compare();
		self.remember();
		self.check_verdicts();
	}
}
