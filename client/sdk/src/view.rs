//! Typed reads of the state at one finalised block, and the verdicts about what is read.

mod assessment;
mod bonds;
mod certificates;
mod deliveries;
mod error;
mod lists;
mod multisig;
mod outcome;
mod pages;
mod proven;
mod registry;
mod requests;

pub use certificates::{
	ApplicationAnswer, AssessmentAnswer, CertificateAnswer, CertificateTerms, Located,
	SubjectAnswer, Verdict,
};
pub use deliveries::Delivered;
pub use error::ReadError;
pub use lists::Listing;
pub use multisig::PendingCall;
pub use registry::dissolved_key;

use crate::{AccountId, calls::SessionKeys, client::Client, client::Head};
use codec::{Decode, DecodeAll, Encode};
use dpki_primitives::{
	Moment,
	anchor::{
		AnchorMaterial, AnchorRecord, CrlPointer, MAX_ANCHOR_DEPTH, MAX_ANCHORS_PER_ORGANISATION,
		anchor_status,
	},
	device::{DeviceRecord, KeyList},
	ids::{AnchorId, DeviceId, KeyCommitment, KeyId, OrganisationId, RequestId, VoucherId},
	key::KeyRecord,
	key_policy::KeyPolicy,
	motion::{Ballot, MotionId, MotionRecord, MotionStanding, motions_on_page},
	organisation::{HandOver, Invitation, OrganisationRecord, Recovery, RoleSet},
	request::{KeyRequest, MAX_REQUESTS_PER_ORGANISATION, QueuedRequest},
	revocation::{MAX_SSH_REVOCATIONS, SSH_REVOCATIONS_PER_PAGE, SshRevocation},
	status::{Standing, Status, status},
	storage_keys,
	validator::{ValidatorBounds, ValidatorRecord},
	voucher::VoucherRecord,
};
use dpki_verifier::{Judgement, Policy};
use subxt::config::substrate::H256;
use subxt_rpcs::client::rpc_params;

/// A motion as stored.
pub type Motion = MotionRecord<AccountId, u128, u32>;

/// A motion, its call, and how it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenedMotion {
	/// As stored.
	pub record: Motion,
	/// Its encoded call.
	pub call: Vec<u8>,
	/// How it stands at this block.
	pub standing: MotionStanding,
}

/// `MotionAnswer` of the runtime API: record and call with their storage keys, and the standing.
type MotionAnswer = ((Option<Motion>, Vec<u8>), (Option<Vec<u8>>, Vec<u8>), MotionStanding);

/// The state at one finalised block: all answers belong together.
///
/// What they are worth depends on where the view comes from: that of a [`Client`] tells what its transport tells, that of a
/// [`Prover`](crate::Prover) proves every record, or that there is none, and refuses whatever has no proof.
#[derive(Clone, Debug)]
pub struct View {
	client: Client,
	head: Head,
	/// The root of the state, if the head is proven.
	root: Option<[u8; 32]>,
}

impl View {
	pub(crate) fn new(client: Client, head: Head) -> Self {
		Self { client, head, root: None }
	}

	/// The block.
	pub fn head(&self) -> Head {
		self.head
	}

	/// The chain time in it.
	pub fn now(&self) -> Moment {
		self.head.time
	}

	/// Whether the block is young enough for a use, when the clock shows `now`, in milliseconds since the Unix epoch. Where
	/// clocks can be wrong, let a [`Floor`](crate::Floor) correct it.
	pub fn judge(&self, policy: &Policy, now: Moment) -> Judgement {
		policy.judge(self.head.time, now)
	}

	/// The organisation as stored.
	pub async fn organisation(
		&self,
		id: OrganisationId,
	) -> Result<Option<OrganisationRecord>, ReadError> {
		self.read("the organisation", storage_keys::organisation(id)).await
	}

	/// The roles of an account in an organisation; none at all if it is no member.
	pub async fn roles(
		&self,
		organisation: OrganisationId,
		account: &AccountId,
	) -> Result<RoleSet, ReadError> {
		let key = storage_keys::member(organisation, account);
		Ok(self.read("the member", key).await?.unwrap_or(RoleSet::EMPTY))
	}

	/// To whom a member has offered its membership.
	pub async fn hand_over(
		&self,
		organisation: OrganisationId,
		from: &AccountId,
	) -> Result<Option<HandOver<AccountId, u32>>, ReadError> {
		self.read("the hand-over", storage_keys::hand_over(organisation, from)).await
	}

	/// Who is invited to the organisation, oldest first; those that have expired among them.
	pub async fn invitations(
		&self,
		organisation: OrganisationId,
	) -> Result<Vec<Invitation<AccountId, u32>>, ReadError> {
		let key = storage_keys::invitations(organisation);
		Ok(self.read("the invitations", key).await?.unwrap_or_default())
	}

	/// Who is to get a seat in a body of the organisation whose keys were lost.
	pub async fn recovery(
		&self,
		organisation: OrganisationId,
	) -> Result<Option<Recovery<AccountId, u32>>, ReadError> {
		self.read("the recovery", storage_keys::recovery(organisation)).await
	}

	/// A motion with its call, as the runtime tells it. A closed motion is forgotten after a time.
	pub async fn motion(&self, id: MotionId) -> Result<Option<OpenedMotion>, ReadError> {
		let ((record, _), (call, _), standing): MotionAnswer =
			self.call("the motion", "DpkiApi_motion", &id.encode()).await?;
		let Some((record, call)) = record.zip(call) else { return Ok(None) };
		Ok(Some(OpenedMotion { record, call, standing }))
	}

	/// A motion with its call, both as stored, which can be proven. How it stands is computed by the runtime; see
	/// [`View::motion`].
	///
	/// Refused is [`ReadError::Malformed`] for a call of another hash than the record names.
	pub async fn stored_motion(
		&self,
		id: MotionId,
	) -> Result<Option<(Motion, Vec<u8>)>, ReadError> {
		let record: Option<Motion> = self.read("the motion", storage_keys::motion(id)).await?;
		let item = "the call of the motion";
		let call = self.long_value(item, &storage_keys::motion_call(id)).await?;
		let call: Option<Vec<u8>> =
			call.map(|bytes| decode_bytes(item, self.head.number, &bytes)).transpose()?;
		let Some((record, call)) = record.zip(call) else { return Ok(None) };
		if sp_crypto_hashing::blake2_256(&call) != record.call_hash {
			return Err(self.malformed(item, "it is another one than was proposed"));
		}
		Ok(Some((record, call)))
	}

	/// How many motions there ever were.
	pub async fn motion_count(&self) -> Result<u32, ReadError> {
		let count = self.read("the count of motions", storage_keys::next_motion()).await?;
		Ok(count.unwrap_or(0))
	}

	/// The motions of a page, newest first, page 0 the newest. Forgotten ones are left out.
	pub async fn motions(&self, page: u32) -> Result<Vec<(MotionId, Motion)>, ReadError> {
		let mut motions = Vec::new();
		for id in motions_on_page(self.motion_count().await?, page) {
			let motion = self.read("the motion", storage_keys::motion(id)).await?;
			motions.extend(motion.map(|motion| (id, motion)));
		}
		Ok(motions)
	}

	/// The vote of an account on a motion.
	pub async fn ballot(
		&self,
		motion: MotionId,
		voter: &AccountId,
	) -> Result<Option<Ballot<u32>>, ReadError> {
		self.read("the vote", storage_keys::ballot(motion, voter)).await
	}

	/// The validators, in the order of their accounts.
	pub async fn validators(&self) -> Result<Vec<ValidatorRecord<AccountId>>, ReadError> {
		let validators = self.read("the validators", storage_keys::validators()).await?;
		Ok(validators.unwrap_or_default())
	}

	/// How many validators there may be.
	pub async fn validator_bounds(&self) -> Result<Option<ValidatorBounds>, ReadError> {
		self.read("the bounds of the validators", storage_keys::validator_bounds())
			.await
	}

	/// The validators that serve in this session, in the order of their turns.
	pub async fn serving_validators(&self) -> Result<Vec<AccountId>, ReadError> {
		let key = storage_keys::serving_validators();
		Ok(self.read("the serving validators", key).await?.unwrap_or_default())
	}

	/// The session keys that a validator has set.
	pub async fn session_keys(
		&self,
		validator: &AccountId,
	) -> Result<Option<SessionKeys>, ReadError> {
		self.read("the session keys", storage_keys::session_keys(validator)).await
	}

	/// The anchor as stored, without its material.
	pub async fn anchor(&self, id: AnchorId) -> Result<Option<AnchorRecord>, ReadError> {
		self.read("the anchor", storage_keys::anchor(id)).await
	}

	/// The material of the anchor: an SSH public key in wire encoding, or an X.509 certificate in DER.
	pub async fn anchor_material(&self, id: AnchorId) -> Result<Option<Vec<u8>>, ReadError> {
		let key = storage_keys::anchor_material(id);
		let material: Option<AnchorMaterial> = self.read("the material of the anchor", key).await?;
		Ok(material.map(Into::into))
	}

	/// Where the revocation list of an X.509 anchor is published, as its organisation says. No verdict depends on it.
	pub async fn crl_pointer(&self, id: AnchorId) -> Result<Option<CrlPointer>, ReadError> {
		self.read("the address of a revocation list", storage_keys::crl_pointer(id))
			.await
	}

	/// The unrevoked anchors of an organisation.
	pub async fn organisation_anchors(
		&self,
		id: OrganisationId,
	) -> Result<Vec<AnchorId>, ReadError> {
		type Anchors = bounded_collections::BoundedVec<
			AnchorId,
			bounded_collections::ConstU32<MAX_ANCHORS_PER_ORGANISATION>,
		>;
		let key = storage_keys::organisation_anchors(id);
		let anchors: Option<Anchors> = self.read("the anchors of the organisation", key).await?;
		Ok(anchors.map(Into::into).unwrap_or_default())
	}

	/// The device as stored.
	pub async fn device(&self, id: DeviceId) -> Result<Option<DeviceRecord>, ReadError> {
		self.read("the device", storage_keys::device(id)).await
	}

	/// The unrevoked keys of a device, oldest first.
	pub async fn device_keys(&self, id: DeviceId) -> Result<Vec<KeyId>, ReadError> {
		let keys: Option<KeyList> =
			self.read("the keys of the device", storage_keys::device_keys(id)).await?;
		Ok(keys.map(Into::into).unwrap_or_default())
	}

	/// The unrevoked keys of a device with their records, oldest first.
	pub async fn keys_of(&self, device: DeviceId) -> Result<Vec<(KeyId, KeyRecord)>, ReadError> {
		let mut keys = Vec::new();
		for id in self.device_keys(device).await? {
			let record = self.key(id).await?.ok_or_else(|| ReadError::Dangling {
				item: "the key list of the device",
				block: self.head.number,
				id: id.to_string(),
			})?;
			keys.push((id, record));
		}
		Ok(keys)
	}

	/// The key as stored.
	pub async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError> {
		self.read("the key", storage_keys::key(id)).await
	}

	/// What an organisation asks of the keys of its devices.
	pub async fn key_policy(&self, id: OrganisationId) -> Result<KeyPolicy, ReadError> {
		let policy = self.read("the key policy", storage_keys::key_policy(id)).await?;
		Ok(policy.unwrap_or_default())
	}

	/// What is announced to follow a key.
	pub async fn next_key(&self, id: KeyId) -> Result<Option<KeyCommitment>, ReadError> {
		self.read("the announced key", storage_keys::next_key(id)).await
	}

	/// A request for keys as stored.
	pub async fn request(&self, id: RequestId) -> Result<Option<KeyRequest>, ReadError> {
		self.read("the request", storage_keys::request(id)).await
	}

	/// The requests that wait for the registrars of an organisation, oldest first. Expired ones stay until their place is
	/// needed.
	pub async fn request_queue(&self, id: OrganisationId) -> Result<Vec<QueuedRequest>, ReadError> {
		type Queue = bounded_collections::BoundedVec<
			QueuedRequest,
			bounded_collections::ConstU32<MAX_REQUESTS_PER_ORGANISATION>,
		>;
		let queue: Option<Queue> =
			self.read("the queue of requests", storage_keys::request_queue(id)).await?;
		Ok(queue.map(Into::into).unwrap_or_default())
	}

	/// The voucher as stored.
	pub async fn voucher(&self, id: VoucherId) -> Result<Option<VoucherRecord>, ReadError> {
		self.read("the voucher", storage_keys::voucher(id)).await
	}

	/// How many entries the SSH revocation list of an anchor has. It never shrinks and no entry changes, so the list needs
	/// to be read again only when this has grown.
	pub async fn ssh_revocation_count(&self, anchor: AnchorId) -> Result<u32, ReadError> {
		let key = storage_keys::ssh_revocation_count(anchor);
		Ok(self.read("the SSH revocation count", key).await?.unwrap_or(0))
	}

	/// What is revoked under an SSH CA: the whole list, or an error.
	pub async fn ssh_revocations(&self, anchor: AnchorId) -> Result<Vec<SshRevocation>, ReadError> {
		type Page = bounded_collections::BoundedVec<
			SshRevocation,
			bounded_collections::ConstU32<SSH_REVOCATIONS_PER_PAGE>,
		>;
		let expected = self.ssh_revocation_count(anchor).await?;
		let mut pages = Vec::new();
		for page in 0..expected.min(MAX_SSH_REVOCATIONS).div_ceil(SSH_REVOCATIONS_PER_PAGE) {
			let key = storage_keys::ssh_revocations(anchor, page);
			let page: Option<Page> = self.read("a page of the SSH revocation list", key).await?;
			pages.push(page.map(Vec::from).unwrap_or_default());
		}
		join_pages(pages, expected).map_err(|found| ReadError::Incomplete {
			anchor,
			block: self.head.number,
			found,
			expected,
		})
	}

	/// What an account can spend, in the smallest unit.
	pub async fn free_balance(&self, account: &AccountId) -> Result<u128, ReadError> {
		let info: Option<AccountInfo> =
			self.read("the balance", storage_keys::account(account)).await?;
		Ok(info.map_or(0, |info| info.free))
	}

	/// The verdict about an anchor, everything above it included.
	pub async fn anchor_status(&self, id: AnchorId) -> Result<Status, ReadError> {
		let (mut records, mut next) = (Vec::new(), Some(id));
		while let Some(id) = next.take_if(|_| records.len() <= usize::from(MAX_ANCHOR_DEPTH)) {
			let record = self.anchor(id).await?;
			next = record.as_ref().and_then(AnchorRecord::issuer);
			records.push((id, record));
		}
		let read = |id| {
			let found = records.iter().find(|(known, _)| *known == id);
			Ok(found.and_then(|(_, record)| record.clone()))
		};
		anchor_status(id, self.now(), read)
	}

	/// The verdict about a device.
	pub async fn device_status(&self, id: DeviceId) -> Result<Status, ReadError> {
		let own = self.device(id).await?.map(|record| record.standing());
		Ok(status(own.as_ref(), &[], self.now()))
	}

	/// The verdict about a key, its device included.
	pub async fn key_status(&self, id: KeyId) -> Result<Status, ReadError> {
		let Some(key) = self.key(id).await? else { return Ok(Status::Unknown) };
		let device: Option<Standing> =
			self.device(key.device).await?.map(|record| record.standing());
		Ok(status(Some(&key.standing()), &[device], self.now()))
	}

	/// The record under a storage key, see [`storage_keys`].
	pub async fn record<T: Decode>(&self, key: Vec<u8>) -> Result<Option<T>, ReadError> {
		self.read("the record", key).await
	}

	/// Asks the runtime.
	pub(crate) async fn call<T: Decode>(
		&self,
		item: &'static str,
		function: &str,
		arguments: &[u8],
	) -> Result<T, ReadError> {
		self.require_told(item)?;
		let Head { number: block, hash, .. } = self.head;
		let params = rpc_params![function, format!("0x{}", hex::encode(arguments)), H256(hash)];
		let value: String = self
			.client
			.request("state_call", params)
			.await
			.map_err(|error| ReadError::Request { item, block, reason: error.to_string() })?;
		decode(item, block, &value)
	}

	pub(crate) async fn read<T: Decode>(
		&self,
		item: &'static str,
		key: Vec<u8>,
	) -> Result<Option<T>, ReadError> {
		let value = self.value(item, &key).await?;
		value.map(|bytes| decode_bytes(item, self.head.number, &bytes)).transpose()
	}

	/// What lies under a storage key, undecoded; with its proof, where the node is not believed.
	async fn value(&self, item: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
		let Head { number, hash, .. } = self.head;
		match &self.root {
			None => value_at(&self.client, item, number, hash, key).await,
			Some(root) => self.value_proven(item, root, key).await,
		}
	}

	/// The same for one that may be longer than what bundles prove.
	async fn long_value(
		&self,
		item: &'static str,
		key: &[u8],
	) -> Result<Option<Vec<u8>>, ReadError> {
		let Head { number, hash, .. } = self.head;
		match &self.root {
			None => value_at(&self.client, item, number, hash, key).await,
			Some(root) => self.long_value_proven(item, root, key).await,
		}
	}
}

/// The chain time in a block.
pub(crate) async fn time_at(
	client: &Client,
	block: u32,
	hash: [u8; 32],
) -> Result<Moment, ReadError> {
	read_at(client, "the time", block, hash, storage_keys::now())
		.await?
		.ok_or(ReadError::Timeless { block })
}

async fn read_at<T: Decode>(
	client: &Client,
	item: &'static str,
	block: u32,
	hash: [u8; 32],
	key: Vec<u8>,
) -> Result<Option<T>, ReadError> {
	let value = value_at(client, item, block, hash, &key).await?;
	value.map(|bytes| decode_bytes(item, block, &bytes)).transpose()
}

/// What lies under a storage key, undecoded.
async fn value_at(
	client: &Client,
	item: &'static str,
	block: u32,
	hash: [u8; 32],
	key: &[u8],
) -> Result<Option<Vec<u8>>, ReadError> {
	let params = rpc_params![format!("0x{}", hex::encode(key)), H256(hash)];
	let value: Option<String> = client
		.request("state_getStorage", params)
		.await
		.map_err(|error| ReadError::Request { item, block, reason: error.to_string() })?;
	value.map(|value| digits(item, block, &value)).transpose()
}

fn decode<T: Decode>(item: &'static str, block: u32, value: &str) -> Result<T, ReadError> {
	decode_bytes(item, block, &digits(item, block, value)?)
}

fn digits(item: &'static str, block: u32, value: &str) -> Result<Vec<u8>, ReadError> {
	hex::decode(value.strip_prefix("0x").unwrap_or(value)).map_err(|error| ReadError::Malformed {
		item,
		block,
		reason: error.to_string(),
	})
}

fn decode_bytes<T: Decode>(item: &'static str, block: u32, bytes: &[u8]) -> Result<T, ReadError> {
	// Trailing bytes mean that the record has grown since: half an answer is none.
	T::decode_all(&mut &*bytes).map_err(|error| ReadError::Malformed {
		item,
		block,
		reason: error.to_string(),
	})
}

/// The pages as one list, or how many entries there are if that is not what was expected. All pages but the last are
/// full, so that an entry cannot be left out by swapping a page for a shorter one.
fn join_pages(pages: Vec<Vec<SshRevocation>>, expected: u32) -> Result<Vec<SshRevocation>, u32> {
	let full = pages
		.iter()
		.rev()
		.skip(1)
		.all(|page| page.len() == SSH_REVOCATIONS_PER_PAGE as usize);
	let entries: Vec<_> = pages.into_iter().flatten().collect();
	let found = entries.len() as u32;
	if full && found == expected { Ok(entries) } else { Err(found) }
}

/// What of `System.Account` matters here: `frame_system::AccountInfo` with `pallet_balances::AccountData` in it.
#[derive(Decode)]
struct AccountInfo {
	_nonce: u32,
	_consumers: u32,
	_providers: u32,
	_sufficients: u32,
	free: u128,
	_reserved: u128,
	_frozen: u128,
	_flags: u128,
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::revocation::{Revocation, RevocationReason, SshSubject};

	fn entries(count: usize) -> Vec<SshRevocation> {
		let revocation = Revocation { reason: RevocationReason::Unspecified, at: 1 };
		(1..=count as u64)
			.map(|serial| SshRevocation { subject: SshSubject::Serial(serial), revocation })
			.collect()
	}

	#[test]
	fn pages_that_add_up_are_one_list() {
		assert_eq!(join_pages(vec![], 0), Ok(vec![]));
		assert_eq!(join_pages(vec![entries(64), entries(3)], 67).unwrap().len(), 67);
	}

	#[test]
	fn a_list_with_a_hole_is_refused() {
		assert_eq!(join_pages(vec![entries(64), entries(2)], 67), Err(66));
		assert_eq!(join_pages(vec![entries(63), entries(4)], 67), Err(67));
		assert_eq!(join_pages(vec![], 1), Err(0));
		assert_eq!(join_pages(vec![entries(2)], 1), Err(2));
	}

	#[test]
	fn the_key_of_an_account_is_the_published_one() {
		// `System.Account` of Alice, as every Substrate chain has it.
		let alice = crate::Account::from_uri("//Alice").unwrap().id();
		assert_eq!(
			hex::encode(storage_keys::account(&alice)),
			"26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9\
			 de1e86a9a8c739864cf3cc5ec2bea59fd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
		);
	}
}
