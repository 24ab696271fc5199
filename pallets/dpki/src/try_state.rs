//! The invariants of the storage, checked by `try-runtime` and after every test.

use crate::{
	AnchorMaterials, Anchors, ChildCount, Children, Config, CrlPointers, DeviceCount, DeviceKeys,
	Devices, KeyAnchors, KeyPolicies, KeyQuotas, Keys, NextKeys, OrganisationAnchors,
	OrganisationDevices, Pallet, Registrants, RequestQueues, Requests, RevokedAnchorKeys,
	RevokedSshSubjects, Serials, SshRevocationCount, SshRevocations, Vouchers,
};
use alloc::collections::{BTreeMap, BTreeSet};
use dpki_primitives::{
	anchor::{
		AnchorKind, AnchorRecord, Certification, MAX_ANCHOR_DEPTH, MAX_ANCHORS_PER_KEY,
		serial_digest,
	},
	ids::{AnchorId, DeviceId, KeyId},
	key_policy::KeyPolicy,
	revocation::{Hold, RevocationReason, SSH_REVOCATIONS_PER_PAGE},
	voucher::VoucherState,
};
use dpki_x509::Certificate;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant. Proportional to the state: for tests and off-chain runs only.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_anchors()?;
		Self::try_children()?;
		Self::try_serials()?;
		Self::try_ssh_revocations()?;
		Self::try_devices()?;
		Self::try_listed_devices()?;
		Self::try_keys()?;
		Self::try_holds()?;
		Self::try_next_keys()?;
		Self::try_requests()?;
		Self::try_vouchers()?;
		Self::try_registrants()
	}

	/// An organisation's list holds exactly its unrevoked anchors, material hashes to its id, a key to its id; a revoked
	/// key has no unrevoked anchor, any other key lists its anchors, and none is the key of a device, too; and an intermediate
	/// lies below an X.509 anchor.
	fn try_anchors() -> Result<(), TryRuntimeError> {
		let mut unrevoked = 0usize;
		let mut keys = BTreeSet::new();
		for (id, record) in Anchors::<T>::iter() {
			let material = AnchorMaterials::<T>::get(id).ok_or("an anchor has no material")?;
			ensure!(
				AnchorId::of(record.kind, &material) == id,
				"the material of an anchor is not the one that its id names"
			);
			let is_listed = OrganisationAnchors::<T>::get(record.organisation).contains(&id);
			ensure!(
				is_listed == record.revocation.is_none(),
				"an organisation does not list exactly its unrevoked anchors"
			);
			unrevoked += usize::from(is_listed);
			ensure!(
				record.key.as_ref().is_none_or(|key| KeyId::of(key) == record.key_id),
				"the key of an anchor is not the one that its id names"
			);
			ensure!(
				!Keys::<T>::contains_key(record.key_id),
				"a key is that of a device and of an anchor"
			);
			keys.insert(record.key_id);
			if RevokedAnchorKeys::<T>::contains_key(record.key_id) {
				ensure!(record.revocation.is_some(), "a revoked key has an unrevoked anchor");
			} else {
				let anchors = KeyAnchors::<T>::get(record.key_id);
				// A full list may have been full when the index was made, see `migrations::v2`.
				let is_full = anchors.len() == MAX_ANCHORS_PER_KEY as usize;
				ensure!(is_full || anchors.contains(&id), "a key does not list an anchor of it");
			}
			Self::try_certification(&record)?;
		}
		ensure!(
			RevokedAnchorKeys::<T>::iter_keys().all(|key| keys.contains(&key)),
			"a key is remembered as revoked that no anchor ever had"
		);
		for (key, anchors) in KeyAnchors::<T>::iter() {
			ensure!(!anchors.is_empty(), "there is an empty list of the anchors of a key");
			ensure!(!RevokedAnchorKeys::<T>::contains_key(key), "a revoked key lists anchors");
			let has_key = |id| Anchors::<T>::get(id).is_some_and(|record| record.key_id == key);
			ensure!(anchors.into_iter().all(has_key), "a key lists an anchor of another key");
		}
		for (anchor, pointer) in CrlPointers::<T>::iter() {
			let kind = Anchors::<T>::get(anchor).map(|record| record.kind);
			ensure!(
				kind.is_some_and(AnchorKind::is_x509) && pointer.is_valid(),
				"a pointer to a revocation list is malformed or belongs to no X.509 anchor"
			);
		}
		let listed: usize = OrganisationAnchors::<T>::iter_values().map(|list| list.len()).sum();
		ensure!(
			listed == unrevoked,
			"an organisation lists an anchor twice or one that is not its"
		);
		ensure!(
			AnchorMaterials::<T>::iter_keys().count() == Anchors::<T>::iter_keys().count(),
			"there is material without an anchor"
		);
		Ok(())
	}

	/// An anchor lists those that it has issued, each once and without gaps, and no others.
	fn try_children() -> Result<(), TryRuntimeError> {
		let mut listed = BTreeSet::new();
		for (issuer, count) in ChildCount::<T>::iter() {
			for index in 0..count {
				let child =
					Children::<T>::get(issuer, index).ok_or("a list of children has a gap")?;
				let record = Anchors::<T>::get(child).ok_or("a child is no anchor")?;
				ensure!(record.issuer() == Some(issuer), "an anchor lists a child of another");
				ensure!(listed.insert(child), "a child is listed twice");
			}
		}
		ensure!(
			Children::<T>::iter_values().count() == listed.len(),
			"there are children beyond a count"
		);
		let issued = Anchors::<T>::iter_values().filter(|record| record.issuer().is_some());
		ensure!(issued.count() == listed.len(), "an anchor is not listed by its issuer");
		Ok(())
	}

	/// Each anchor that another one has issued has the number that the key above gave it, and no number is of another.
	fn try_serials() -> Result<(), TryRuntimeError> {
		let mut numbered = BTreeSet::new();
		for (key, digest, anchor) in Serials::<T>::iter() {
			let record = Anchors::<T>::get(anchor).ok_or("a serial number belongs to no anchor")?;
			let issuer = record.issuer().and_then(Anchors::<T>::get);
			ensure!(
				issuer.is_some_and(|issuer| issuer.key_id == key),
				"a serial number was given by another key than that of the issuer"
			);
			let material = AnchorMaterials::<T>::get(anchor).ok_or("an anchor has no material")?;
			let is_its = Certificate::from_der(&material)
				.is_ok_and(|certificate| serial_digest(certificate.serial()) == digest);
			ensure!(is_its, "an anchor has another serial number than the one that is its");
			ensure!(numbered.insert(anchor), "an anchor has two serial numbers");
		}
		let issued = Anchors::<T>::iter_values().filter(|record| record.issuer().is_some());
		ensure!(issued.count() == numbered.len(), "an anchor has no serial number");
		Ok(())
	}

	/// X.509 anchors, and no others, have a place, which is one below that of their issuer.
	fn try_certification(record: &AnchorRecord) -> Result<(), TryRuntimeError> {
		ensure!(
			record.certification.is_some() == record.kind.is_x509(),
			"an anchor has a certification and is not X.509, or the other way round"
		);
		ensure!(record.kind.is_x509() || !record.suspended, "an SSH CA is on hold");
		let Some(Certification { profile, issuer, depth }) = record.certification else {
			return Ok(());
		};
		let Some(issuer) = issuer else {
			ensure!(depth == 0, "an anchor without issuer is not at the top");
			return Ok(());
		};
		let above = Anchors::<T>::get(issuer).and_then(|issuer| issuer.certification);
		ensure!(
			above.is_some_and(|above| above.depth + 1 == depth && above.profile == profile),
			"an anchor is not one below its issuer, or not under its profile"
		);
		ensure!(depth <= MAX_ANCHOR_DEPTH, "an anchor is too deep");
		Ok(())
	}

	/// Count, pages and index of each SSH revocation list tell the same.
	fn try_ssh_revocations() -> Result<(), TryRuntimeError> {
		let mut counted = 0usize;
		for (anchor, count) in SshRevocationCount::<T>::iter() {
			let record = Anchors::<T>::get(anchor).ok_or("an SSH revocation without an anchor")?;
			ensure!(!record.kind.is_x509(), "an SSH revocation under an X.509 anchor");
			let pages = count.div_ceil(SSH_REVOCATIONS_PER_PAGE);
			let entries: alloc::vec::Vec<_> =
				(0..pages).flat_map(|page| SshRevocations::<T>::get(anchor, page)).collect();
			ensure!(entries.len() == count as usize, "a count differs from its pages");
			for (position, entry) in (0u32..).zip(&entries) {
				ensure!(
					RevokedSshSubjects::<T>::get(anchor, entry.subject.digest()) == Some(position),
					"the index does not point to the entry of a subject"
				);
			}
			counted += entries.len();
		}
		ensure!(
			SshRevocations::<T>::iter_values().map(|page| page.len()).sum::<usize>() == counted
				&& RevokedSshSubjects::<T>::iter_keys().count() == counted,
			"there are pages or index entries beyond a count"
		);
		Ok(())
	}

	/// A device is named by its record, and its list holds unrevoked keys that name it.
	fn try_devices() -> Result<(), TryRuntimeError> {
		for (id, record) in Devices::<T>::iter() {
			ensure!(
				DeviceId::from_name(record.organisation, &record.name) == id,
				"a device lies under the wrong id"
			);
			let keys = DeviceKeys::<T>::get(id);
			ensure!(
				record.keys_registered >= keys.len() as u64,
				"a device has more keys than were registered"
			);
			for key in keys {
				let key = Keys::<T>::get(key).ok_or("a device lists a key that is not stored")?;
				ensure!(key.device == id, "a device lists the key of another");
				ensure!(!key.withdrawal.is_revoked(), "a device lists a revoked key");
			}
		}
		ensure!(
			DeviceKeys::<T>::iter_keys().all(Devices::<T>::contains_key),
			"there is a key list without a device"
		);
		Ok(())
	}

	/// An organisation lists its devices, each once and without gaps, and no others.
	fn try_listed_devices() -> Result<(), TryRuntimeError> {
		let mut listed = BTreeSet::new();
		for (organisation, count) in DeviceCount::<T>::iter() {
			for index in 0..count {
				let device = OrganisationDevices::<T>::get(organisation, index)
					.ok_or("a list of devices has a gap")?;
				let record = Devices::<T>::get(device).ok_or("a listed device does not exist")?;
				ensure!(
					record.organisation == organisation,
					"an organisation lists a device of another"
				);
				ensure!(listed.insert(device), "a device is listed twice");
			}
		}
		ensure!(
			OrganisationDevices::<T>::iter_values().count() == listed.len(),
			"there are devices beyond a count"
		);
		ensure!(
			Devices::<T>::iter_keys().count() == listed.len(),
			"a device is not listed by its organisation"
		);
		Ok(())
	}

	/// A key lies under its hash, one that has not ended is on the list of its device, and each device has had as many as
	/// it counts.
	fn try_keys() -> Result<(), TryRuntimeError> {
		let now = Self::now();
		let mut counts = BTreeMap::<DeviceId, u64>::new();
		for (id, record) in Keys::<T>::iter() {
			ensure!(record.id() == id, "a key lies under the wrong id");
			ensure!(Devices::<T>::contains_key(record.device), "a key has no device");
			ensure!(
				record.has_ended(now) || DeviceKeys::<T>::get(record.device).contains(&id),
				"a key that has not ended is not on the list of its device"
			);
			ensure!(
				record.purpose.allows(record.public.key_type),
				"a key cannot serve its purpose"
			);
			*counts.entry(record.device).or_default() += 1;
		}
		ensure!(
			Devices::<T>::iter().all(|(id, device)| counts.get(&id).copied().unwrap_or_default()
				== device.keys_registered),
			"a device has had another number of keys than it counts"
		);
		Ok(())
	}

	/// What is on hold is so since a moment of its own life.
	fn try_holds() -> Result<(), TryRuntimeError> {
		let now = Self::now();
		let devices = Devices::<T>::iter_values().map(|it| (it.withdrawal, it.enrolled_at));
		let keys = Keys::<T>::iter_values().map(|it| (it.withdrawal, it.registered_at));
		for (withdrawal, since) in devices.chain(keys) {
			let is_of_its_life = |hold: Hold| (since..=now).contains(&hold.at);
			ensure!(
				withdrawal.hold().is_none_or(is_of_its_life),
				"a hold began before there was anything to hold, or lies ahead"
			);
		}
		Ok(())
	}

	/// A successor is announced of a key that was not replaced, and that was revoked for its compromise if at all; policies
	/// are coherent, and kept only where they differ from the default; quotas belong to devices.
	fn try_next_keys() -> Result<(), TryRuntimeError> {
		for key in NextKeys::<T>::iter_keys() {
			let key = Keys::<T>::get(key).ok_or("a successor is announced of no key")?;
			ensure!(key.superseded_at.is_none(), "a successor is announced of a replaced key");
			ensure!(
				key.withdrawal
					.revocation()
					.is_none_or(|it| it.reason == RevocationReason::KeyCompromise),
				"a successor is announced of a key that the organisation does not want"
			);
		}
		ensure!(
			KeyPolicies::<T>::iter_values()
				.all(|policy| policy.is_coherent() && policy != KeyPolicy::default()),
			"a key policy is incoherent, or need not be stored"
		);
		ensure!(
			KeyQuotas::<T>::iter_keys().all(Devices::<T>::contains_key),
			"a quota belongs to no device"
		);
		Ok(())
	}

	/// A request lies under the hash of its content, and in the queue of its organisation, which holds nothing else.
	fn try_requests() -> Result<(), TryRuntimeError> {
		let mut queued = 0usize;
		for (organisation, queue) in RequestQueues::<T>::iter() {
			ensure!(!queue.is_empty(), "an empty queue is stored");
			ensure!(
				queue.is_sorted_by_key(|place| place.expires_at),
				"a queue is not in the order of its requests"
			);
			for place in &queue {
				let request = Requests::<T>::get(place.id).ok_or("a request in a queue is lost")?;
				ensure!(request.id() == place.id, "a request lies under the wrong id");
				ensure!(
					request.organisation == organisation
						&& request.requester == place.requester
						&& request.expires_at == place.expires_at,
					"a queue says something else than the request"
				);
			}
			queued += queue.len();
		}
		ensure!(Requests::<T>::iter_keys().count() == queued, "a request is in no queue");
		Ok(())
	}

	/// A used voucher has brought its device.
	fn try_vouchers() -> Result<(), TryRuntimeError> {
		for voucher in Vouchers::<T>::iter_values() {
			ensure!(
				!matches!(voucher.state, VoucherState::Redeemed(_))
					|| Devices::<T>::contains_key(voucher.device),
				"a voucher was used, but its device does not exist"
			);
		}
		Ok(())
	}

	/// Who has an anchor, a voucher or a device is remembered. So is who had a voucher that was cleared away.
	fn try_registrants() -> Result<(), TryRuntimeError> {
		let anchors = Anchors::<T>::iter_values().map(|record| record.organisation);
		let vouchers = Vouchers::<T>::iter_values().map(|record| record.organisation);
		let devices = Devices::<T>::iter_values().map(|record| record.organisation);
		ensure!(
			anchors.chain(vouchers).chain(devices).all(Registrants::<T>::contains_key),
			"an organisation that registered something is not remembered"
		);
		Ok(())
	}
}
