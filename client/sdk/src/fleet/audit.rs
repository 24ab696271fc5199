//! What a root does not show of the leaves below it: that no key is there twice, and that a rotation has left the places
//! alone that are revoked.
//!
//! A revocation is a bit at a *place*. A rotation that put another key there would make a good key revoked; one that put the
//! revoked key anywhere else would make it good again. The runtime sees roots only, so it is for those who hold the leaves
//! to refuse both: who proposes a rotation, and the voters before they say that it is there.

use super::{FleetError, FleetLeaf, FleetTiles, RevocationChunk};
use dpki_primitives::{fleet::MEMBERS_PER_CHUNK, ids::KeyId};
use std::collections::{BTreeMap, HashSet};

/// The revoked members of a fleet, by the number of their chunk.
pub type RevokedChunks = BTreeMap<u32, RevocationChunk>;

/// The keys of a fleet so far. It remembers 64 bits of a hash of each.
#[derive(Debug, Default)]
pub(super) struct SeenKeys(HashSet<u64>);

impl SeenKeys {
	/// Notes the key of a leaf, which is not to be there yet.
	pub fn note(&mut self, index: u32, leaf: &FleetLeaf) -> Result<(), FleetError> {
		let reason = "its key has another length";
		let public = leaf.key.public().ok_or(FleetError::Leaf { index, reason })?;
		let KeyId(id) = KeyId::of(&public);
		let head = id.first_chunk().copied().unwrap_or_default();
		match self.0.insert(u64::from_le_bytes(head)) {
			true => Ok(()),
			false => Err(FleetError::KeyRepeated { index }),
		}
	}
}

impl FleetTiles<'_> {
	/// [Audits](Self::audit) the fleet, and refuses one in which a key is there twice: whoever revoked one of them would
	/// leave the other good.
	pub async fn audit_keys(
		&mut self,
		mut judge: impl FnMut(u32, &FleetLeaf) -> Result<(), FleetError>,
		progress: impl FnMut(u32),
	) -> Result<(), FleetError> {
		let mut seen = SeenKeys::default();
		let both = |index, leaf: &FleetLeaf| {
			seen.note(index, leaf)?;
			judge(index, leaf)
		};
		self.audit(both, progress).await
	}

	/// Whether each of these revoked places has the key that it had under the commitment `before`. Together with
	/// [`audit_keys`](Self::audit_keys) that leaves no other place to a revoked key.
	pub async fn keeps_revoked(
		&mut self,
		before: &mut FleetTiles<'_>,
		revoked: &RevokedChunks,
	) -> Result<(), FleetError> {
		let places = revoked.iter().flat_map(|(chunk, members)| {
			let first = chunk.saturating_mul(MEMBERS_PER_CHUNK);
			(0..MEMBERS_PER_CHUNK)
				.filter(|place| members.of(*place).is_some())
				.map(move |place| first.saturating_add(place))
		});
		// Further ones were revoked under a candidate only.
		let size = before.size();
		for index in places.take_while(|index| *index < size) {
			if self.leaf(index).await?.key != before.leaf(index).await?.key {
				return Err(FleetError::RevokedReplaced { index });
			}
		}
		Ok(())
	}
}
