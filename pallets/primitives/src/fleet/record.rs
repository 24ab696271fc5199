//! The fleet as stored, and the way of a commitment from its proposal to its end.
//!
//! A commitment is proposed as *candidate*. It proves nothing before enough voters hold its leaves; then it becomes the
//! *current* head, and the one before it stays good for a while as the *previous* one, for what has proofs under it.
//! There is one of each at most.

use super::tile::Commitment;
use crate::{
	Moment,
	ids::{FleetId, Name, OrganisationId, RevisionId},
	revocation::Revocation,
	status::{Standing, Validity},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How a commitment relates to the one before it.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Change {
	/// It is the first.
	#[codec(index = 0)]
	Commit,
	/// It begins with the leaves of the one before, which is proven.
	#[codec(index = 1)]
	Append,
	/// It has other leaves at some places, and no fewer.
	#[codec(index = 2)]
	Rotate,
}

/// A commitment that counts.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct FleetHead {
	/// Its number in the fleet: how many were proposed before it.
	pub revision: u32,
	/// What it commits to.
	pub commitment: Commitment,
	/// Since when it counts.
	pub since: Moment,
	/// Whether its leaves are not to be had any more. Until they are, its members are on hold.
	pub unavailable: bool,
}

/// A commitment that was replaced.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct SupersededHead {
	/// What it was.
	pub head: FleetHead,
	/// The first moment without it.
	pub superseded_at: Moment,
}

/// A commitment that does not count yet.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Candidate {
	/// Its number in the fleet.
	pub revision: u32,
	/// What it commits to.
	pub commitment: Commitment,
	/// How it relates to the current head.
	pub change: Change,
	/// When it was proposed.
	pub proposed_at: Moment,
	/// How long the head that it replaces stays good, in milliseconds.
	pub grace: Moment,
	/// Whether its leaves were not to be had. It counts all the same as soon as enough voters have them.
	pub unavailable: bool,
}

/// A fleet as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FleetRecord {
	/// Whose fleet it is.
	pub organisation: OrganisationId,
	/// Its name within the organisation.
	pub name: Name,
	/// When it was first proposed.
	pub committed_at: Moment,
	/// How many commitments were ever proposed: the number of the next one.
	pub revisions: u32,
	/// What counts.
	pub current: Option<FleetHead>,
	/// What counted before it.
	pub previous: Option<SupersededHead>,
	/// What may count next.
	pub candidate: Option<Candidate>,
	/// When it was retired: its members stay good, nothing new is committed.
	pub retired_at: Option<Moment>,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
}

impl FleetRecord {
	/// The largest number of members that any of its commitments has: places beyond it cannot be revoked yet.
	pub fn size(&self) -> u32 {
		let candidate = self.candidate.map_or(0, |candidate| candidate.commitment.size);
		self.current.map_or(0, |head| head.commitment.size).max(candidate)
	}

	/// What a vote on the candidate names.
	pub fn candidate_id(&self) -> Option<RevisionId> {
		let Candidate { revision, commitment, grace, .. } = self.candidate.as_ref()?;
		let replaced = self.current.as_ref().map(|head| &head.commitment);
		Some(RevisionId::of(self.id(), *revision, commitment, replaced, *grace))
	}

	/// What a vote on the current head names: the same as when it was the candidate.
	pub fn head_id(&self) -> Option<RevisionId> {
		let FleetHead { revision, commitment, since, .. } = self.current.as_ref()?;
		let replaced = self.previous.as_ref().map(|it| &it.head.commitment);
		let grace = self.previous.map_or(0, |it| it.superseded_at.saturating_sub(*since));
		Some(RevisionId::of(self.id(), *revision, commitment, replaced, grace))
	}

	/// The number of what a vote names; `None` if it is neither the candidate nor the current head.
	pub fn revision_of(&self, id: RevisionId) -> Option<u32> {
		let candidate = self.candidate.filter(|_| self.candidate_id() == Some(id));
		let head = self.current.filter(|_| self.head_id() == Some(id));
		candidate.map(|it| it.revision).or(head.map(|it| it.revision))
	}

	/// Whether its keys stand on the chain, see [`roll`](super::roll): those of a fleet with tiles are proposed at once.
	pub fn has_roll(&self) -> bool {
		self.revisions == 0 || self.current.is_some_and(|head| head.commitment.is_on_roll())
	}

	fn id(&self) -> FleetId {
		FleetId::from_name(self.organisation, &self.name)
	}

	/// What [`crate::status::status`] needs of this record, for members under this head.
	pub fn standing(&self, head: &FleetHead) -> Standing {
		Standing {
			validity: Validity { not_before: self.committed_at, not_after: None },
			suspended: head.unavailable,
			// What a retired fleet lists stays good, as with a retired anchor.
			superseded_at: self.retired_at,
			revocation: self.revocation,
		}
	}

	/// A fleet of which nothing was proposed yet.
	pub fn new(organisation: OrganisationId, name: Name, now: Moment) -> Self {
		Self {
			organisation,
			name,
			committed_at: now,
			revisions: 0,
			current: None,
			previous: None,
			candidate: None,
			retired_at: None,
			revocation: None,
		}
	}

	/// Makes this the current head at this moment, and gives its number: nobody votes on what stands on the chain. The head
	/// before it stays good for `grace` milliseconds; but as long as an earlier one is still good, that one stays in its
	/// place. So a roll that grows in many steps at once keeps the head that it had before the first of them.
	pub fn grow(&mut self, commitment: Commitment, grace: Moment, now: Moment) -> u32 {
		let revision = self.revisions;
		self.revisions = revision.saturating_add(1);
		let replaced = self
			.current
			.map(|head| SupersededHead { head, superseded_at: now.saturating_add(grace) });
		self.previous = self.previous.filter(|it| now < it.superseded_at).or(replaced);
		self.current = Some(FleetHead { revision, commitment, since: now, unavailable: false });
		revision
	}

	/// Makes the candidate the current head at this moment; nothing happens if there is none.
	pub fn promote(&mut self, now: Moment) {
		let Some(candidate) = self.candidate.take() else { return };
		let Candidate { revision, commitment, grace, .. } = candidate;
		self.previous = self
			.current
			.map(|head| SupersededHead { head, superseded_at: now.saturating_add(grace) });
		self.current = Some(FleetHead { revision, commitment, since: now, unavailable: false });
	}
}

#[cfg(test)]
mod tests;
