//! What a vote names.

use super::*;
use crate::ids::BlobDigest;

const NOW: Moment = 1_700_000_000_000;

fn commitment(root: u8) -> Commitment {
	Commitment { size: 5, root: [root; 32], tiles: BlobDigest([root; 32]) }
}

fn candidate(revision: u32, root: u8) -> Candidate {
	Candidate {
		revision,
		commitment: commitment(root),
		change: Change::Rotate,
		proposed_at: NOW,
		grace: 7,
		unavailable: false,
	}
}

fn head(revision: u32, root: u8) -> FleetHead {
	FleetHead { revision, commitment: commitment(root), since: NOW, unavailable: false }
}

/// A fleet with a current head and a candidate.
fn fleet() -> FleetRecord {
	FleetRecord {
		organisation: OrganisationId::from_name(b"acme"),
		name: Name::truncate_from(b"drones".to_vec()),
		committed_at: NOW,
		revisions: 2,
		current: Some(head(0, 1)),
		previous: None,
		candidate: Some(candidate(1, 2)),
		retired_at: None,
		revocation: None,
	}
}

#[test]
fn a_vote_means_the_same_before_and_after_its_commitment_counts() {
	let mut fleet = fleet();
	for grace in [7, 0] {
		fleet.candidate.as_mut().unwrap().grace = grace;
		let id = fleet.candidate_id().unwrap();
		let mut later = fleet.clone();
		later.promote(NOW + 9);
		assert_eq!((later.head_id(), later.candidate_id()), (Some(id), None));
		assert_eq!((fleet.revision_of(id), later.revision_of(id)), (Some(1), Some(1)));
	}
	// The first one replaces nothing.
	let mut first = FleetRecord { current: None, ..fleet };
	first.candidate = Some(Candidate { grace: 0, ..candidate(0, 1) });
	let id = first.candidate_id();
	first.promote(NOW);
	assert_eq!(first.head_id(), id);
}

#[test]
fn nothing_that_a_candidate_could_be_instead_has_its_id() {
	let fleet = fleet();
	let id = fleet.candidate_id();
	let with = |change: &dyn Fn(&mut FleetRecord)| {
		let mut other = fleet.clone();
		change(&mut other);
		other.candidate_id()
	};
	let candidate =
		|change: &dyn Fn(&mut Candidate)| with(&|fleet| change(fleet.candidate.as_mut().unwrap()));
	for (what, other) in [
		("number", candidate(&|it| it.revision = 2)),
		("size", candidate(&|it| it.commitment.size = 6)),
		("root", candidate(&|it| it.commitment.root[0] ^= 1)),
		("tiles", candidate(&|it| it.commitment.tiles.0[0] ^= 1)),
		("grace", candidate(&|it| it.grace = 8)),
		("replaced head", with(&|it| it.current = Some(head(0, 3)))),
		("no replaced head", with(&|it| it.current = None)),
		("organisation", with(&|it| it.organisation = OrganisationId::from_name(b"other"))),
		("name", with(&|it| it.name = Name::truncate_from(b"robots".to_vec()))),
		("nothing", with(&|it| it.candidate = None)),
	] {
		assert_ne!(other, id, "{what}");
	}
	// What the voters have said so far is no part of it.
	assert_eq!(candidate(&|it| it.unavailable = true), id);
}

#[test]
fn what_is_neither_candidate_nor_head_has_no_number() {
	let fleet = fleet();
	assert_eq!(fleet.revision_of(fleet.head_id().unwrap()), Some(0));
	assert_eq!(fleet.revision_of(RevisionId([0; 32])), None);
	let empty = FleetRecord { current: None, candidate: None, ..fleet };
	assert_eq!((empty.head_id(), empty.candidate_id()), (None, None));
}
