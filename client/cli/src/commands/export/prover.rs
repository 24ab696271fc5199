//! Records that a finalised block is proven to hold, whoever carries the proof.

use crate::{
	commands::bundle::{checkpoint_at, now, read_checkpoint},
	error::{Error, Result},
	lookup::{self, ANY_KIND},
	session::Session,
	values::AnchorRef,
};
use codec::DecodeAll;
use dpki_client::{
	carrier::{Carriers, node::NodeCarrier},
	view::ReadError,
};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord, anchor_status},
	device::{DeviceRecord, KeyList},
	ids::{AnchorId, DeviceId, KeyId},
	key::KeyRecord,
	revocation::{MAX_SSH_REVOCATIONS, SSH_REVOCATIONS_PER_PAGE, SshRevocation},
	status::{Status, status},
	storage_keys,
};
use dpki_verifier::{Freshness, Query, Verifier, Zebra};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// Keys of one question. A bundle answers some more.
const KEYS_PER_QUESTION: usize = 32;

/// Asks a node and believes nothing that it does not prove.
pub struct Prover {
	carriers: Carriers,
	verifier: Verifier<Zebra>,
	max_age: Duration,
	time: Moment,
	block: u32,
}

impl Prover {
	/// From a checkpoint, or from what the node says of itself where there is none.
	pub async fn new(
		session: &Session,
		checkpoint: Option<&Path>,
		max_age: Duration,
	) -> Result<Self> {
		let (client, view) = session.view().await?;
		let checkpoint = match checkpoint {
			Some(path) => read_checkpoint(path)?,
			None => {
				if !session.is_local() {
					session.warn(
						"who finalises blocks is the word of the node: give --checkpoint with what \
						 `dpki bundle checkpoint` took from a node that you trust",
					);
				}
				checkpoint_at(&client, view.head()).await?
			},
		};
		if checkpoint.genesis != client.genesis_hash() {
			return Err(Error::NotAllowed {
				why: "the checkpoint is of another chain than the node".into(),
				next: "give the checkpoint of this chain, or --url of a node of that one".into(),
			});
		}
		let node = NodeCarrier::connected(session.url(), client.rpc().clone());
		let mut prover = Self {
			carriers: Carriers::new(vec![Box::new(node)]),
			verifier: Verifier::new(checkpoint, Zebra),
			max_age,
			time: 0,
			block: 0,
		};
		prover.values(&[]).await?;
		Ok(prover)
	}

	/// The chain time of the newest proven block.
	pub fn time(&self) -> Moment {
		self.time
	}

	/// The newest proven block.
	pub fn block(&self) -> u32 {
		self.block
	}

	/// What lies under these storage keys; `None` is proven absence.
	pub async fn values(&mut self, keys: &[Vec<u8>]) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
		let mut found = BTreeMap::new();
		let chunks: Vec<&[Vec<u8>]> =
			if keys.is_empty() { vec![&[]] } else { keys.chunks(KEYS_PER_QUESTION).collect() };
		for chunk in chunks {
			let ask = |query: Query, key: &Vec<u8>| query.storage_key(key.clone());
			let query = chunk.iter().fold(Query::new(), ask);
			let freshness = Freshness::at_most(self.max_age, now());
			let read = |verified: &dpki_verifier::Verified<'_>| {
				let values = chunk.iter().map(|key| {
					let value = verified.value(key)?;
					Ok((key.clone(), value.map(<[u8]>::to_vec)))
				});
				let values =
					values.collect::<std::result::Result<Vec<_>, dpki_verifier::Error>>()?;
				Ok::<_, dpki_verifier::Error>((values, verified.time(), verified.number()))
			};
			let answer = self.carriers.ask(&mut self.verifier, &query, freshness, read).await?;
			let (values, time, block) = answer.value?;
			found.extend(values);
			(self.time, self.block) = (time, block);
		}
		Ok(found)
	}

	/// The record under a storage key.
	pub async fn record<T: DecodeAll>(&mut self, key: Vec<u8>) -> Result<Option<T>> {
		let value = self.values(std::slice::from_ref(&key)).await?.remove(&key).flatten();
		value.map(|bytes| self.decode(&bytes)).transpose()
	}

	fn decode<T: DecodeAll>(&self, bytes: &[u8]) -> Result<T> {
		T::decode_all(&mut &*bytes).map_err(|error| {
			let (item, block, reason) = ("a proven record", self.block, error.to_string());
			ReadError::Malformed { item, block, reason }.into()
		})
	}

	/// An anchor, if there is one: its record, and the verdict about it and everything above it.
	pub async fn anchor(&mut self, id: AnchorId) -> Result<Option<(AnchorRecord, Status)>> {
		let mut records = BTreeMap::new();
		let mut next = Some(id);
		while let Some(id) = next.take().filter(|id| !records.contains_key(id)) {
			let record: Option<AnchorRecord> = self.record(storage_keys::anchor(id)).await?;
			next = record.as_ref().and_then(AnchorRecord::issuer);
			records.insert(id, record);
		}
		let read = |id: AnchorId| Ok(records.get(&id).cloned().flatten());
		let verdict = anchor_status::<Error>(id, self.time, read)?;
		Ok(records.remove(&id).flatten().map(|record| (record, verdict)))
	}

	/// The anchor that a person means, of one of these kinds.
	pub async fn named(
		&mut self,
		anchor: &AnchorRef,
		kinds: &[AnchorKind],
	) -> Result<(AnchorId, AnchorRecord, Status)> {
		let fitting = match anchor {
			AnchorRef::Id(_) => ANY_KIND,
			AnchorRef::File(_) => kinds,
		};
		for id in lookup::anchor_candidates(anchor, fitting)? {
			let Some((record, verdict)) = self.anchor(id).await? else { continue };
			if !kinds.contains(&record.kind) {
				return Err(lookup::of_another_kind(&id.to_string(), record.kind, kinds));
			}
			return Ok((id, record, verdict));
		}
		Err(Error::Unknown { what: "anchor", name: anchor.to_string() })
	}

	/// What an anchor is made of: a certificate in DER, or an SSH key in wire encoding.
	pub async fn material(&mut self, id: AnchorId) -> Result<Vec<u8>> {
		let material: Option<AnchorMaterial> =
			self.record(storage_keys::anchor_material(id)).await?;
		Ok(material
			.ok_or_else(|| Error::Unknown { what: "material of the anchor", name: id.to_string() })?
			.into())
	}

	/// What is revoked under an SSH CA.
	pub async fn ssh_revocations(&mut self, ca: AnchorId) -> Result<Vec<SshRevocation>> {
		type Page = Vec<SshRevocation>;
		let count: Option<u32> = self.record(storage_keys::ssh_revocation_count(ca)).await?;
		let expected = count.unwrap_or(0);
		let mut entries = Vec::new();
		for page in 0..expected.min(MAX_SSH_REVOCATIONS).div_ceil(SSH_REVOCATIONS_PER_PAGE) {
			let page: Option<Page> = self.record(storage_keys::ssh_revocations(ca, page)).await?;
			entries.extend(page.unwrap_or_default());
		}
		// More may have come in between; fewer cannot be, as the list only grows.
		let found = u32::try_from(entries.len()).unwrap_or(u32::MAX);
		if found < expected {
			return Err(
				ReadError::Incomplete { anchor: ca, block: self.block, found, expected }.into()
			);
		}
		Ok(entries)
	}

	/// A key with the verdict about it, its device included.
	pub async fn key(&mut self, id: KeyId) -> Result<Option<(KeyRecord, Status)>> {
		let Some(record) = self.record::<KeyRecord>(storage_keys::key(id)).await? else {
			return Ok(None);
		};
		let device: Option<DeviceRecord> = self.record(storage_keys::device(record.device)).await?;
		let standing = device.map(|device| device.standing());
		let verdict = status(Some(&record.standing()), &[standing], self.time);
		Ok(Some((record, verdict)))
	}

	/// The unrevoked keys of a device, oldest first.
	pub async fn keys_of(&mut self, device: DeviceId) -> Result<Vec<(KeyId, KeyRecord, Status)>> {
		let list: Option<KeyList> = self.record(storage_keys::device_keys(device)).await?;
		let mut keys = Vec::new();
		for id in list.map(Vec::from).unwrap_or_default() {
			if let Some((record, verdict)) = self.key(id).await? {
				keys.push((id, record, verdict));
			}
		}
		Ok(keys)
	}
}
