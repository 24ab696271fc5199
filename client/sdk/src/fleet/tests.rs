//! From leaves to tiles and back.

use super::*;
use crate::blob::Stores;
use dpki_primitives::{
	fleet::{
		SupersededHead,
		tree::{is_consistent, leaf_hash, root_of},
	},
	ids::BlobDigest,
	key::{KeyPurpose, KeyType},
	revocation::{Revocation, RevocationReason},
	status::Validity,
};
use std::{
	fs,
	time::{Duration, SystemTime},
};

fn leaf(index: u32) -> FleetLeaf {
	let mut key = [7; 32];
	key[..4].copy_from_slice(&index.to_be_bytes());
	FleetLeaf {
		name: format!("drone-{index}").into_bytes().try_into().unwrap(),
		purpose: KeyPurpose::Tls,
		key: FleetKey::new(KeyType::Ed25519, &key).unwrap(),
		validity: Validity { not_before: 1, not_after: None },
	}
}

fn import(folder: &TileFolder, size: u32) -> Commitment {
	let mut importer = Importer::new(folder.clone());
	(0..size).for_each(|index| importer.push(leaf(index)).unwrap());
	assert_eq!(importer.count(), size);
	importer.finish().unwrap()
}

fn folder() -> (tempfile::TempDir, TileFolder) {
	let place = tempfile::tempdir().unwrap();
	let folder = TileFolder::create(place.path().join("tiles")).unwrap();
	(place, folder)
}

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

#[tokio::test]
async fn every_member_is_proven_from_the_tiles() {
	for size in [1, 2, 256, 257, 1_000] {
		let (_place, folder) = folder();
		let commitment = import(&folder, size);
		let mut tiles = FleetTiles::new(&folder, commitment);
		let fleet = fleet_id(acme(), "drones");
		for index in (0..size).step_by(if size > 300 { 37 } else { 1 }).chain([size - 1]) {
			let proof = tiles.prove(acme(), fleet, index).await.unwrap();
			assert_eq!(proof.leaf, leaf(index));
			assert!(proof.is_under(&commitment), "{index} of {size}");
		}
		let none = tiles.prove(acme(), fleet, size).await;
		assert!(matches!(none, Err(FleetError::NoSuchMember { .. })));
	}
}

#[tokio::test]
async fn a_fleet_of_three_levels_is_read_as_well() {
	let (_place, folder) = folder();
	let size = 66_000;
	let commitment = import(&folder, size);
	assert_eq!(commitment.top_level(), 2);
	let mut tiles = FleetTiles::new(&folder, commitment);
	for index in [0, 255, 256, 65_535, 65_536, 65_999] {
		let proof = tiles.prove(acme(), fleet_id(acme(), "drones"), index).await.unwrap();
		assert!(proof.is_under(&commitment), "{index}");
	}
	for from in [1, 256, 65_535, 65_536, 65_537, 65_999] {
		let hashes: Vec<_> = (0..from).map(|index| leaf(index).hash()).collect();
		let proof = tiles.prove_growth(from).await.unwrap();
		let [first, second] = [(from, root_of(&hashes)), (size, commitment.root)];
		assert!(is_consistent((first.0, &first.1), (second.0, &second.1), &proof), "{from}");
	}
}

#[tokio::test]
async fn an_audit_sees_every_member_once() {
	let (_place, folder) = folder();
	let mut tiles = FleetTiles::new(&folder, import(&folder, 600));
	let (mut seen, mut last) = (Vec::new(), 0);
	let judge = |index, found: &FleetLeaf| {
		assert_eq!(found, &leaf(index));
		seen.push(index);
		Ok(())
	};
	tiles.audit(judge, |count| last = count).await.unwrap();
	assert_eq!(seen, (0..600).collect::<Vec<_>>());
	assert_eq!(last, 600);
}

#[tokio::test]
async fn an_audit_notices_what_is_missing_or_damaged() {
	let (_place, folder) = folder();
	let commitment = import(&folder, 600);
	for file in fs::read_dir(folder.path()).unwrap() {
		let path = file.unwrap().path();
		let honest = fs::read(&path).unwrap();
		let audit =
			|| async { FleetTiles::new(&folder, commitment).audit(|_, _| Ok(()), |_| ()).await };
		fs::remove_file(&path).unwrap();
		let refused = audit().await;
		assert!(matches!(refused, Err(FleetError::Blob(BlobError::Unavailable { .. }))));
		let mut damaged = honest.clone();
		damaged[50] ^= 1;
		fs::write(&path, &damaged).unwrap();
		let refused = audit().await;
		assert!(matches!(refused, Err(FleetError::Blob(BlobError::Mismatch { .. }))));
		fs::write(&path, &honest).unwrap();
		audit().await.unwrap();
	}
	let forged = Commitment { root: leaf_hash(b"forged"), ..commitment };
	let refused = FleetTiles::new(&folder, forged).audit(|_, _| Ok(()), |_| ()).await;
	assert!(matches!(refused, Err(FleetError::Tile { level: 1, .. })));
	let absent = Commitment { tiles: BlobDigest([3; 32]), ..commitment };
	assert!(FleetTiles::new(&folder, absent).audit(|_, _| Ok(()), |_| ()).await.is_err());
}

#[tokio::test]
async fn all_tiles_are_named_once_and_the_one_at_the_top_last() {
	for (size, count) in [(1, 1), (256, 1), (257, 3), (66_000, 258 + 2 + 1)] {
		let (_place, folder) = folder();
		let commitment = import(&folder, size);
		let digests = FleetTiles::new(&folder, commitment).digests().await.unwrap();
		assert_eq!((digests.len(), digests.last()), (count, Some(&commitment.tiles)));
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), count);
		for digest in digests {
			crate::BlobStore::get(&folder, digest, 1 << 16).await.unwrap();
		}
	}
}

#[test]
fn a_key_that_comes_twice_is_noticed() {
	let (_place, folder) = folder();
	let mut importer = Importer::new(folder);
	importer.push(leaf(0)).unwrap();
	let again = FleetLeaf { name: b"other".to_vec().try_into().unwrap(), ..leaf(0) };
	assert!(matches!(importer.push(again), Err(FleetError::KeyRepeated { index: 1 })));
	let unfit = FleetLeaf { purpose: KeyPurpose::KeyAgreement, ..leaf(1) };
	assert!(matches!(importer.push(unfit), Err(FleetError::Leaf { index: 1, .. })));
	let (_place, folder) = self::folder();
	assert!(matches!(Importer::new(folder).finish(), Err(FleetError::Empty)));
}

/// A fleet of these keys, each by its number, which is its place in the fleet before.
fn of_keys(keys: impl IntoIterator<Item = u32>) -> (tempfile::TempDir, TileFolder, Commitment) {
	let (place, folder) = folder();
	let mut tiler = Tiler::default();
	let mut emit = |tile: Tile| folder.write(&tile.encode()).unwrap();
	for (index, key) in (0..).zip(keys) {
		// Whoever wants to hide a key gives it another name.
		let name = format!("drone-{index}").into_bytes().try_into().unwrap();
		tiler.push(FleetLeaf { name, ..leaf(key) }, &mut emit).unwrap();
	}
	let commitment = tiler.finish(&mut emit).unwrap();
	(place, folder, commitment)
}

fn revoked(members: &[u32]) -> RevokedChunks {
	let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 5 };
	masks(members.iter().copied())
		.into_iter()
		.map(|ChunkMask { chunk, mask }| {
			let mut members = RevocationChunk::default();
			members.revoke(&mask, revocation);
			(chunk.into(), members)
		})
		.collect()
}

/// What a voter finds that has to say whether `after` may follow `before`.
async fn judge_rotation(
	after: impl IntoIterator<Item = u32>,
	revoked_members: &[u32],
) -> Result<(), FleetError> {
	let (_before, old, before) = of_keys(0..5_000);
	let (_after, new, after) = of_keys(after);
	let (mut old, mut new) = (FleetTiles::new(&old, before), FleetTiles::new(&new, after));
	new.audit_keys(|_, _| Ok(()), |_| ()).await?;
	new.keeps_revoked(&mut old, &revoked(revoked_members)).await
}

#[tokio::test]
async fn a_rotation_that_leaves_revoked_places_alone_is_good() {
	let is_revoked = |index: &u32| [7, 4_500].contains(index);
	let rotated = (0..5_000).map(|index| if is_revoked(&index) { index } else { index + 10_000 });
	judge_rotation(rotated, &[7, 4_500]).await.unwrap();
	judge_rotation(0..5_001, &[7, 4_500, 5_000]).await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_does_not_move_to_a_place_that_is_good() {
	// It changes places with another, which would be revoked in its stead.
	let swapped = (0..5_000).map(|index| match index {
		7 => 8,
		8 => 7,
		_ => index,
	});
	let refused = judge_rotation(swapped.clone(), &[7]).await;
	assert!(matches!(refused, Err(FleetError::RevokedReplaced { index: 7 })), "{refused:?}");
	judge_rotation(swapped, &[9]).await.unwrap();
	// It stays and is there once more.
	let doubled = (0..5_000).chain([7]);
	let refused = judge_rotation(doubled, &[7]).await;
	assert!(matches!(refused, Err(FleetError::KeyRepeated { index: 5_000 })), "{refused:?}");
	// It is gone, so that nobody would know it as revoked.
	let gone = (0..5_000).map(|index| if index == 4_500 { 10_000 } else { index });
	let refused = judge_rotation(gone, &[4_500]).await;
	assert!(matches!(refused, Err(FleetError::RevokedReplaced { index: 4_500 })), "{refused:?}");
}

#[test]
fn masks_name_members_by_chunk_and_leave_out_zeros() {
	let masks = masks([4_096, 3, 9, 3]);
	let plain: Vec<_> = masks.iter().map(|it| (it.chunk, it.mask.to_vec())).collect();
	assert_eq!(plain, [(0, vec![0b1000, 0b10]), (1, vec![1])]);
	assert!(self::masks([]).is_empty());
	let million = self::masks(0..1_000_000);
	assert_eq!(million.len(), 245);
	assert!(codec::Encode::encoded_size(&million) <= 125 * 1024);
}

#[tokio::test]
async fn what_is_held_is_fetched_once_and_what_is_damaged_again() {
	let ((_here, source), (_there, held)) = (folder(), folder());
	let commitment = import(&source, 300);
	let holding = |sources: Vec<TileFolder>| {
		let named = sources.into_iter().map(|source| ("source".into(), Box::new(source) as _));
		Holding::new(held.clone(), Stores::new(named.collect()))
	};
	let audit = async |holding: Holding| {
		FleetTiles::new(&holding, commitment).audit(|_, _| Ok(()), |_| ()).await
	};
	assert!(matches!(audit(holding(vec![])).await, Err(FleetError::Blob(_))));
	audit(holding(vec![source.clone()])).await.unwrap();
	audit(holding(vec![])).await.unwrap();

	let tile = fs::read_dir(held.path()).unwrap().next().unwrap().unwrap().path();
	fs::write(tile, "damaged").unwrap();
	assert!(matches!(audit(holding(vec![])).await, Err(FleetError::Blob(_))));
	audit(holding(vec![source.clone()])).await.unwrap();
	audit(holding(vec![])).await.unwrap();
}

/// Makes everything in a folder old.
fn age(folder: &TileFolder, when: SystemTime) {
	for entry in fs::read_dir(folder.path()).unwrap() {
		let file = fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
		file.set_modified(when).unwrap();
	}
}

fn count(folder: &TileFolder) -> usize {
	fs::read_dir(folder.path()).unwrap().count()
}

#[tokio::test]
async fn tiles_of_dropped_candidates_are_removed_and_no_others() {
	let (_place, folder) = folder();
	let holding = Holding::new(folder.clone(), Stores::new(vec![]));
	// The second begins with the tiles of the first, the third has none of them.
	let (first, second) = (import(&folder, 512), import(&folder, 700));
	let mut importer = Importer::new(folder.clone());
	(5_000..5_300).for_each(|index| importer.push(leaf(index)).unwrap());
	let third = importer.finish().unwrap();
	fs::write(folder.path().join("notes.txt"), "mine").unwrap();
	// Two leaf tiles are in both, and each has one at the top; the second has one more, the third three.
	assert_eq!(count(&folder), 2 + 2 + 1 + 3 + 1);
	let old = SystemTime::now() - Duration::from_secs(7_200);
	let since = SystemTime::now() - Duration::from_secs(3_600);
	assert_eq!(holding.prune([first], since).await.unwrap(), 0, "all of it is new");
	age(&folder, old);
	assert_eq!(holding.prune([first, second, third], since).await.unwrap(), 0);
	assert_eq!(holding.prune([first, second], since).await.unwrap(), 3);
	assert_eq!(holding.prune([first], since).await.unwrap(), 2);
	FleetTiles::new(&folder, first).audit(|_, _| Ok(()), |_| ()).await.unwrap();
	assert_eq!(count(&folder), 3 + 1);
	// Of one that is not there at all nothing is known, which keeps nothing else from being removed.
	assert_eq!(holding.prune([second], since).await.unwrap(), 3);
	assert_eq!(count(&folder), 1);
}

#[tokio::test]
async fn nothing_is_removed_while_a_tile_is_damaged_that_names_others() {
	let (_place, folder) = folder();
	let holding = Holding::new(folder.clone(), Stores::new(vec![]));
	let commitment = import(&folder, 300);
	let other = import(&folder, 1);
	fs::write(folder.path().join(crate::blob::cid(commitment.tiles)), "damaged").unwrap();
	let later = SystemTime::now() + Duration::from_secs(60);
	let refused = holding.prune([commitment], later).await;
	assert!(matches!(refused, Err(FleetError::Blob(BlobError::Mismatch { .. }))), "{refused:?}");
	assert_eq!(count(&folder), 4);
	assert_eq!(holding.prune([other], later).await.unwrap(), 3);
}

#[test]
fn a_voter_holds_what_counts_what_may_and_what_has_until_its_grace_is_over() {
	let commitment = |size| Commitment { size, root: [1; 32], tiles: BlobDigest([1; 32]) };
	let head = |size| FleetHead {
		revision: size,
		commitment: commitment(size),
		since: 5,
		unavailable: false,
	};
	let candidate = Candidate {
		revision: 3,
		commitment: commitment(3),
		change: Change::Rotate,
		proposed_at: 6,
		grace: 0,
		unavailable: true,
	};
	let mut record = FleetRecord {
		organisation: acme(),
		name: b"drones".to_vec().try_into().unwrap(),
		committed_at: 1,
		revisions: 4,
		current: Some(head(2)),
		previous: Some(SupersededHead { head: head(1), superseded_at: 9 }),
		candidate: Some(candidate),
		retired_at: None,
		revocation: None,
	};
	let sizes = |record: &FleetRecord, now| -> Vec<_> {
		held_commitments(record, now).map(|it| it.size).collect()
	};
	assert_eq!(sizes(&record, 8), [1, 2, 3]);
	assert_eq!(sizes(&record, 9), [2, 3]);
	record.candidate = None;
	assert_eq!(sizes(&record, 9), [2]);
}
