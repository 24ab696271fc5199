//! Changes of the layout of the storage.
//!
//! Their number is that of the anchors, which nothing bounds over all organisations. So each is a
//! [`SteppedMigration`](frame_support::migrations::SteppedMigration), for a runtime that has
//! `pallet-migrations`. A chain whose genesis has the newest layout needs none of them.

pub mod v2;
