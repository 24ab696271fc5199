//! Where the tiles of a fleet come from.

use crate::{error::Error, values::FleetRef};
use dpki_client::{
	BlobStore, ChainBlobs, Client, Stores,
	blob::BlobError,
	fleet::{FleetError, TileFolder},
};
use std::path::PathBuf;

/// Where tiles are looked for in turn: in folders, then at the node.
pub fn sources(client: &Client, folders: impl IntoIterator<Item = PathBuf>) -> Stores {
	let folder = |path: PathBuf| (path.display().to_string(), Box::new(TileFolder::at(path)) as _);
	let node = ("node".to_owned(), Box::new(ChainBlobs::new(client)) as Box<dyn BlobStore>);
	Stores::new(folders.into_iter().map(folder).chain([node]).collect())
}

/// Tells whoever lacks the tiles of a fleet where they can come from.
pub fn without_tiles(error: Error, fleet: &FleetRef, has_folder: bool) -> Error {
	let is_missing =
		|error: &FleetError| matches!(error, FleetError::Blob(BlobError::Unavailable { .. }));
	match &error {
		Error::Client(cause) if cause.downcast_ref().is_some_and(is_missing) => Error::NotAllowed {
			why: match has_folder {
				true => format!("a tile of {fleet} is neither in the folder nor at the node"),
				false => format!("the node does not have the tiles of {fleet}"),
			},
			next: format!(
				"give the folder that `dpki fleet commit` made with --tiles DIR, or have the organisation store them on the \
				 chain with `dpki fleet publish {fleet} --tiles DIR`"
			),
		},
		_ => error,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn whoever_lacks_tiles_is_told_where_they_come_from() {
		let fleet: FleetRef = "acme/drones".parse().unwrap();
		let missing = || BlobError::Unavailable { cid: "bafy".into(), reason: "not kept".into() };
		let told =
			|has_folder| without_tiles(FleetError::from(missing()).into(), &fleet, has_folder);
		for (has_folder, why) in
			[(false, "the node does not have"), (true, "neither in the folder")]
		{
			let error = told(has_folder);
			assert!(error.to_string().contains(why), "{error}");
			let next = error.next_step().unwrap();
			assert!(next.contains("--tiles DIR"), "{next}");
			assert!(next.contains("`dpki fleet publish acme/drones --tiles DIR`"), "{next}");
		}
		let other = FleetError::NoSuchMember { index: 7, size: 5 };
		let sentence = other.to_string();
		let told = without_tiles(other.into(), &fleet, false);
		assert!(sentence.starts_with(&told.to_string()), "{told}");
	}
}
