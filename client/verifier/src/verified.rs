//! What has been proven, and cannot be had in any other way.

use crate::{
	checkpoint::Checkpoint,
	error::{Error, Part},
	query::Query,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll};
use dpki_primitives::{
	Moment,
	anchor::{AnchorMaterial, AnchorRecord, anchor_status},
	channel::{ChannelId, ChannelSet},
	delivery::DeliveryRecord,
	device::{DeviceRecord, KeyList},
	fleet::{
		FleetRecord, MemberFacts, MembershipProof, RevocationChunk, member_status,
		revocation::chunk_of,
	},
	ids::{AnchorId, DeviceId, FleetId, KeyId},
	key::KeyRecord,
	status::{Standing, Status, status},
	storage_keys,
};

/// A finalised block and what its state holds, or does not hold, under the keys of a [`Query`].
///
/// Only [`Verifier::verify`](crate::Verifier::verify) makes one. Values are borrowed from the bundle.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
	pub(crate) query: &'a Query,
	/// One for each key of the query.
	pub(crate) values: Vec<Option<&'a [u8]>>,
	pub(crate) time: Moment,
	pub(crate) checkpoint: Checkpoint,
}

/// A record as it stood in a finalised block, or the proof that there was none.
///
/// Only the verifier makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedRecord<T> {
	record: Option<T>,
	number: u32,
	hash: [u8; 32],
	time: Moment,
}

impl<T> VerifiedRecord<T> {
	/// The record; `None` means that it was proven absent.
	pub fn get(&self) -> Option<&T> {
		self.record.as_ref()
	}

	/// The record; `None` means that it was proven absent.
	pub fn into_option(self) -> Option<T> {
		self.record
	}

	/// The number of the block.
	pub fn number(&self) -> u32 {
		self.number
	}

	/// The hash of the block.
	pub fn hash(&self) -> [u8; 32] {
		self.hash
	}

	/// The chain time of the block.
	pub fn time(&self) -> Moment {
		self.time
	}
}

impl<'a> Verified<'a> {
	/// What was asked.
	pub fn query(&self) -> &'a Query {
		self.query
	}

	/// The number of the block.
	pub fn number(&self) -> u32 {
		self.checkpoint.number
	}

	/// The hash of the block.
	pub fn hash(&self) -> [u8; 32] {
		self.checkpoint.hash
	}

	/// The chain time of the block.
	pub fn time(&self) -> Moment {
		self.time
	}

	/// The checkpoint from which to go on. Store it before anything is done with the records: a device that forgets
	/// it can be shown older blocks again.
	pub fn checkpoint(&self) -> &Checkpoint {
		&self.checkpoint
	}

	/// The value under a storage key, undecoded; `None` means that it was proven absent.
	///
	/// Refused is [`Error::NotAsked`]. Everything below refuses this too, and [`Error::Malformed`] if the value is not
	/// of the expected type: then the chain is newer or older than this program.
	pub fn value(&self, key: &[u8]) -> Result<Option<&'a [u8]>, Error> {
		self.query
			.position(key)
			.and_then(|index| self.values.get(index).copied())
			.ok_or(Error::NotAsked)
	}

	/// The value under a storage key, decoded. Nothing may follow the record: half an answer is none.
	pub fn record<T: Decode>(&self, key: &[u8]) -> Result<VerifiedRecord<T>, Error> {
		let decode = |bytes: &'a [u8]| {
			T::decode_all(&mut &*bytes).map_err(|_| Error::Malformed(Part::Record))
		};
		Ok(self.found(self.value(key)?.map(decode).transpose()?))
	}

	/// What was found in the block.
	pub(crate) fn found<T>(&self, record: Option<T>) -> VerifiedRecord<T> {
		VerifiedRecord { record, number: self.number(), hash: self.hash(), time: self.time }
	}

	/// The record of an anchor, without its material.
	pub fn anchor(&self, id: AnchorId) -> Result<VerifiedRecord<AnchorRecord>, Error> {
		self.record(&storage_keys::anchor(id))
	}

	/// The material of an anchor, if [`storage_keys::anchor_material`] was asked for.
	pub fn anchor_material(&self, id: AnchorId) -> Result<VerifiedRecord<AnchorMaterial>, Error> {
		self.record(&storage_keys::anchor_material(id))
	}

	/// The record of a device.
	pub fn device(&self, id: DeviceId) -> Result<VerifiedRecord<DeviceRecord>, Error> {
		self.record(&storage_keys::device(id))
	}

	/// The unrevoked keys of a device, oldest first.
	pub fn device_keys(&self, id: DeviceId) -> Result<VerifiedRecord<KeyList>, Error> {
		self.record(&storage_keys::device_keys(id))
	}

	/// The record of a key.
	pub fn key(&self, id: KeyId) -> Result<VerifiedRecord<KeyRecord>, Error> {
		self.record(&storage_keys::key(id))
	}

	/// The channels on which a device ever got a delivery: no other has any.
	pub fn channels(&self, id: DeviceId) -> Result<VerifiedRecord<ChannelSet>, Error> {
		self.record(&storage_keys::channels(id))
	}

	/// The newest delivery to a device on a channel.
	pub fn delivery(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<VerifiedRecord<DeliveryRecord>, Error> {
		self.record(&storage_keys::delivery(id, channel))
	}

	/// The verdict about an anchor at the time of the block, everything above it included. Each anchor above has to be among
	/// what was asked; [`AnchorRecord::issuer`] names the next.
	pub fn anchor_status(&self, id: AnchorId) -> Result<Status, Error> {
		anchor_status(id, self.time, |id| Ok(self.anchor(id)?.into_option()))
	}

	/// The verdict about a device at the time of the block.
	pub fn device_status(&self, id: DeviceId) -> Result<Status, Error> {
		Ok(status(self.device_standing(id)?.as_ref(), &[], self.time))
	}

	/// The verdict about a key at the time of the block. Its device has to be part of the query, because a key falls with
	/// its device; [`Error::NotAsked`] means that it was not, or that the key belongs to another device.
	pub fn key_status(&self, id: KeyId) -> Result<Status, Error> {
		let key = self.key(id)?;
		let Some(key) = key.get() else { return Ok(Status::Unknown) };
		let device = self.device_standing(key.device)?;
		Ok(status(Some(&key.standing()), &[device], self.time))
	}

	/// The record of a fleet.
	pub fn fleet(&self, id: FleetId) -> Result<VerifiedRecord<FleetRecord>, Error> {
		self.record(&storage_keys::fleet(id))
	}

	/// What is revoked in a chunk of a fleet, if [`storage_keys::revoked_members`] was asked for.
	pub fn revoked_members(
		&self,
		id: FleetId,
		chunk: u32,
	) -> Result<VerifiedRecord<RevocationChunk>, Error> {
		self.record(&storage_keys::revoked_members(id, chunk))
	}

	/// The verdict about the key of a fleet member at the time of the block, by the same rule as about one that is
	/// registered singly. What the proof depends on has to be part of the query, see [`Query::member`].
	///
	/// The key and the device are [`MembershipProof::key`] and [`MembershipProof::device`]; whether the member is the one
	/// that was looked for is for the caller to compare. A path that leads to no head of the fleet is unknown;
	/// [`MembershipProof::head`] says why.
	pub fn member_status(&self, proof: &MembershipProof) -> Result<Status, Error> {
		let Some(id) = proof.key() else { return Ok(Status::Unknown) };
		let (fleet, key) = (self.fleet(proof.fleet)?, self.key(id)?);
		let chunk = self.revoked_members(proof.fleet, chunk_of(proof.index))?;
		let device = self.device(proof.device())?;
		let compromised = self.record::<Moment>(&storage_keys::compromised_key(id))?;
		let anchor = self.record::<()>(&storage_keys::revoked_anchor_key(id))?;
		let facts = MemberFacts {
			fleet: fleet.get(),
			chunk: chunk.get(),
			device: device.get(),
			key: key.get(),
			compromised: compromised.into_option(),
			is_anchor_key_revoked: anchor.get().is_some(),
		};
		Ok(member_status(proof, facts, self.time))
	}

	fn device_standing(&self, id: DeviceId) -> Result<Option<Standing>, Error> {
		Ok(self.device(id)?.get().map(DeviceRecord::standing))
	}
}
