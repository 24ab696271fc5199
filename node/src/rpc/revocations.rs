// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What of a block's events takes trust away, and the end of a hold, which gives it back.
//!
//! A subscriber learns that something changed. What it acts on it proves, or reads from a node that it trusts. The events
//! of a pallet are told apart without a wildcard: who adds one decides here whether subscribers are told.

use codec::Encode;
use dpki_primitives::revocation::RevocationReason;
use dpki_runtime::{Hash, Runtime, RuntimeEvent};
use serde::Serialize;
use sp_core::Bytes;

/// The reason of a hold, by its name in RFC 5280.
const HOLD: &str = "certificateHold";

/// The reason by which a hold ends, by its name in RFC 5280.
const RELEASE: &str = "removeFromCRL";

/// What was revoked, or is on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Revoked {
	/// A trust anchor, and with it all that it signed.
	Anchor,
	/// The key of an anchor, for ever; each anchor of it is told of, too.
	AnchorKey,
	/// A certificate's serial number or a key under an SSH CA.
	SshSubject,
	/// A device, and with it all its keys.
	Device,
	/// A key of a device.
	Key,
	/// A key that is registered as nothing: each certificate of it, and each member of a fleet that has it.
	LeakedKey,
	/// A key of a device that another one replaces: it counts until the moment in its record.
	ReplacedKey,
	/// A certificate that the chain granted.
	Certificate,
	/// A fleet, and with it all its members.
	Fleet,
	/// Members of a fleet.
	FleetMembers,
}

/// One revocation, or the beginning or end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revocation {
	/// Which of the block's events it is, counted from 0 over all of them.
	pub index: u32,
	/// What was revoked.
	pub kind: Revoked,
	/// Its id; for an SSH subject that of its CA, for members that of their fleet.
	pub id: Hash,
	/// Whose it is: the organisation of an anchor, device or fleet, the device of a key.
	pub owner: Option<Hash>,
	/// Why, by the name that RFC 5280 has for it; of a hold `certificateHold`, of its end `removeFromCRL`.
	pub reason: &'static str,
	/// The SSH subject in SCALE; of members the chunks in which they are, a `Vec<u16>` in SCALE.
	pub subject: Option<Bytes>,
}

/// What was revoked, its id, whose it is, why, and the SSH subject.
type Told = (Revoked, [u8; 32], Option<[u8; 32]>, &'static str, Option<Bytes>);

impl Revocation {
	/// The revocation that this event tells of, if it tells of one.
	pub fn from_event(index: u32, event: &RuntimeEvent) -> Option<Self> {
		let (kind, id, owner, reason, subject) = match event {
			RuntimeEvent::Dpki(event) => by_registry(event)?,
			RuntimeEvent::Certificates(event) => by_certificates(event)?,
			RuntimeEvent::Fleets(event) => by_fleets(event)?,
			_ => return None,
		};
		let (id, owner) = (Hash::from(id), owner.map(Hash::from));
		Some(Self { index, kind, id, owner, reason, subject })
	}
}

fn by_registry(event: &pallet_dpki::Event<Runtime>) -> Option<Told> {
	use pallet_dpki::Event;
	let (kind, id, owner, reason) = match event {
		Event::AnchorRevoked { anchor, organisation, reason } => {
			(Revoked::Anchor, anchor.0, Some(organisation.0), reason.rfc5280_name())
		},
		Event::AnchorSuspended { anchor, organisation } => {
			(Revoked::Anchor, anchor.0, Some(organisation.0), HOLD)
		},
		Event::AnchorReleased { anchor, organisation } => {
			(Revoked::Anchor, anchor.0, Some(organisation.0), RELEASE)
		},
		Event::AnchorKeyRevoked { key, reason } => {
			(Revoked::AnchorKey, key.0, None, reason.rfc5280_name())
		},
		Event::SshRevoked { anchor, subject, reason, position: _ } => {
			let subject = Some(Bytes(subject.encode()));
			return Some((Revoked::SshSubject, anchor.0, None, reason.rfc5280_name(), subject));
		},
		Event::DeviceRevoked { device, organisation, reason } => {
			(Revoked::Device, device.0, Some(organisation.0), reason.rfc5280_name())
		},
		Event::KeyRevoked { key, device, reason } => {
			(Revoked::Key, key.0, Some(device.0), reason.rfc5280_name())
		},
		Event::KeyCompromised { key } => {
			let reason = RevocationReason::KeyCompromise.rfc5280_name();
			(Revoked::LeakedKey, key.0, None, reason)
		},
		Event::DeviceSuspended { device, organisation, reason: _, by: _ } => {
			(Revoked::Device, device.0, Some(organisation.0), HOLD)
		},
		Event::DeviceReleased { device, organisation, by: _ } => {
			(Revoked::Device, device.0, Some(organisation.0), RELEASE)
		},
		Event::KeySuspended { key, device, reason: _, by: _ } => {
			(Revoked::Key, key.0, Some(device.0), HOLD)
		},
		Event::KeyReleased { key, device, by: _ } => (Revoked::Key, key.0, Some(device.0), RELEASE),
		Event::KeyReplaced { old, key: _, device, superseded_at: _ } => {
			let reason = RevocationReason::Superseded.rfc5280_name();
			(Revoked::ReplacedKey, old.0, Some(device.0), reason)
		},
		Event::AnchorRegistered { .. }
		| Event::AnchorRetired { .. }
		| Event::RolloverPlanned { .. }
		| Event::RolloverCancelled { .. }
		| Event::CrlPointerSet { .. }
		| Event::VoucherIssued { .. }
		| Event::VoucherCancelled { .. }
		| Event::VoucherCleared { .. }
		| Event::DeviceEnrolled { .. }
		| Event::DeviceRegistered { .. }
		| Event::KeyRegistered { .. }
		| Event::SuccessorAnnounced { .. }
		| Event::KeyPolicyChanged { .. }
		| Event::KeysRequested { .. }
		| Event::RequestApproved { .. }
		| Event::RequestRejected { .. }
		| Event::RequestExpired { .. }
		| Event::__Ignore(..) => return None,
	};
	Some((kind, id, owner, reason, None))
}

fn by_certificates(event: &pallet_certificates::Event<Runtime>) -> Option<Told> {
	use pallet_certificates::Event;
	let (certificate, reason) = match event {
		Event::CertificateRevoked { certificate, by: _, reason } => {
			(certificate, reason.rfc5280_name())
		},
		Event::CertificateSuspended { certificate, by: _ } => (certificate, HOLD),
		Event::CertificateReleased { certificate, by: _ } => (certificate, RELEASE),
		Event::ApplicationOpened { .. }
		| Event::ApplicationClosed { .. }
		| Event::VoteCommitted { .. }
		| Event::VoteRevealed { .. }
		| Event::FeePaid { .. }
		| Event::CertificateIssued { .. }
		| Event::ControlRenewed { .. }
		| Event::CertificateAmended { .. }
		| Event::Endorsed { .. }
		| Event::EndorsementWithdrawn { .. }
		| Event::Accredited { .. }
		| Event::AccreditationSuspended { .. }
		| Event::AccreditationReleased { .. }
		| Event::AccreditationCompromised { .. }
		| Event::PolicySet { .. }
		| Event::FeesSet { .. }
		| Event::Bonded { .. }
		| Event::UnbondingBegun { .. }
		| Event::BondWithdrawn { .. }
		| Event::BondSlashed { .. }
		| Event::MinimumBondSet { .. }
		| Event::__Ignore(..) => return None,
	};
	Some((Revoked::Certificate, certificate.0, None, reason, None))
}

fn by_fleets(event: &pallet_fleets::Event<Runtime>) -> Option<Told> {
	use pallet_fleets::Event;
	match event {
		Event::FleetRevoked { fleet, organisation, reason } => {
			let owner = Some(organisation.0);
			Some((Revoked::Fleet, fleet.0, owner, reason.rfc5280_name(), None))
		},
		Event::MembersRevoked { fleet, organisation, reason, members: _, chunks } => {
			let (owner, subject) = (Some(organisation.0), Some(Bytes(chunks.encode())));
			Some((Revoked::FleetMembers, fleet.0, owner, reason.rfc5280_name(), subject))
		},
		// Nor whether leaves are to be had, which is no word about trust: a hold that comes of it is in the record of the fleet.
		Event::CommitmentProposed { .. }
		| Event::CommitmentWithdrawn { .. }
		| Event::AvailabilityVoted { .. }
		| Event::FleetCommitted { .. }
		| Event::FleetUnavailable { .. }
		| Event::FleetAvailable { .. }
		| Event::FleetRetired { .. }
		| Event::TilePublished { .. }
		| Event::RollOpened { .. }
		| Event::KeysAppended { .. }
		| Event::__Ignore(..) => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		certificate::Authority,
		ids::{
			AnchorId, CertificateDigest, CertificateId, DeviceId, FleetId, KeyId, OrganisationId,
			VoucherId,
		},
		revocation::{HoldAuthority, SshSubject},
	};
	use pallet_dpki::Event;

	const REASON: RevocationReason = RevocationReason::KeyCompromise;

	fn revocation(event: Event<Runtime>) -> Option<Revocation> {
		Revocation::from_event(3, &RuntimeEvent::Dpki(event))
	}

	#[test]
	fn each_revocation_says_what_whose_and_why() {
		let (anchor, organisation) = (AnchorId([1; 32]), OrganisationId([2; 32]));
		let (device, key) = (DeviceId([3; 32]), KeyId([4; 32]));
		let subject = SshSubject::Serial(7);
		for (event, kind, id, owner) in [
			(
				Event::AnchorRevoked { anchor, organisation, reason: REASON },
				Revoked::Anchor,
				1,
				Some(2),
			),
			(
				Event::SshRevoked { anchor, subject, reason: REASON, position: 0 },
				Revoked::SshSubject,
				1,
				None,
			),
			(
				Event::DeviceRevoked { device, organisation, reason: REASON },
				Revoked::Device,
				3,
				Some(2),
			),
			(Event::KeyRevoked { key, device, reason: REASON }, Revoked::Key, 4, Some(3)),
			(Event::AnchorKeyRevoked { key, reason: REASON }, Revoked::AnchorKey, 4, None),
			(Event::KeyCompromised { key }, Revoked::LeakedKey, 4, None),
		] {
			let is_ssh = kind == Revoked::SshSubject;
			let expected = Revocation {
				index: 3,
				kind,
				id: Hash::repeat_byte(id),
				owner: owner.map(Hash::repeat_byte),
				reason: "keyCompromise",
				subject: is_ssh.then(|| Bytes(subject.encode())),
			};
			assert_eq!(revocation(event), Some(expected));
		}
	}

	#[test]
	fn a_hold_and_its_end_are_told_by_the_reasons_that_revocation_lists_have_for_them() {
		let (anchor, organisation) = (AnchorId([1; 32]), OrganisationId([2; 32]));
		for (event, reason) in [
			(Event::AnchorSuspended { anchor, organisation }, "certificateHold"),
			(Event::AnchorReleased { anchor, organisation }, "removeFromCRL"),
		] {
			let told = revocation(event).unwrap();
			assert_eq!((told.kind, told.id), (Revoked::Anchor, Hash::repeat_byte(1)));
			assert_eq!((told.owner, told.reason), (Some(Hash::repeat_byte(2)), reason));
		}
	}

	#[test]
	fn the_holds_of_devices_and_keys_are_told() {
		let (device, key, organisation) =
			(DeviceId([3; 32]), KeyId([4; 32]), OrganisationId([2; 32]));
		let by = HoldAuthority::Registrar;
		for (event, kind, id, owner, reason) in [
			(
				Event::DeviceSuspended { device, organisation, reason: REASON, by },
				Revoked::Device,
				3,
				2,
				HOLD,
			),
			(Event::DeviceReleased { device, organisation, by }, Revoked::Device, 3, 2, RELEASE),
			(Event::KeySuspended { key, device, reason: REASON, by }, Revoked::Key, 4, 3, HOLD),
			(Event::KeyReleased { key, device, by }, Revoked::Key, 4, 3, RELEASE),
		] {
			let told = revocation(event).unwrap();
			assert_eq!((told.kind, told.id), (kind, Hash::repeat_byte(id)));
			assert_eq!((told.owner, told.reason), (Some(Hash::repeat_byte(owner)), reason));
		}
	}

	#[test]
	fn a_replaced_key_is_told_as_superseded() {
		let (old, key, device) = (KeyId([4; 32]), KeyId([5; 32]), DeviceId([3; 32]));
		let told = revocation(Event::KeyReplaced { old, key, device, superseded_at: 9 }).unwrap();
		assert_eq!((told.kind, told.id), (Revoked::ReplacedKey, Hash::repeat_byte(4)));
		assert_eq!((told.owner, told.reason), (Some(Hash::repeat_byte(3)), "superseded"));
	}

	#[test]
	fn the_end_and_the_holds_of_a_certificate_are_told() {
		use pallet_certificates::Event;
		let (certificate, by) = (CertificateId([6; 32]), Authority::Holder);
		let tell = |event| Revocation::from_event(3, &RuntimeEvent::Certificates(event));
		for (event, reason) in [
			(Event::CertificateRevoked { certificate, by, reason: REASON }, "keyCompromise"),
			(Event::CertificateSuspended { certificate, by }, "certificateHold"),
			(Event::CertificateReleased { certificate, by }, "removeFromCRL"),
		] {
			let expected = Revocation {
				index: 3,
				kind: Revoked::Certificate,
				id: Hash::repeat_byte(6),
				owner: None,
				reason,
				subject: None,
			};
			assert_eq!(tell(event), Some(expected));
		}
		let digest = CertificateDigest([7; 32]);
		assert_eq!(tell(Event::CertificateAmended { certificate, digest }), None);
	}

	#[test]
	fn fleets_and_their_members_are_told() {
		use pallet_fleets::Event;
		let (fleet, organisation) = (FleetId([8; 32]), OrganisationId([2; 32]));
		let tell = |event| Revocation::from_event(3, &RuntimeEvent::Fleets(event)).unwrap();
		let whole = tell(Event::FleetRevoked { fleet, organisation, reason: REASON });
		assert_eq!((whole.kind, whole.id), (Revoked::Fleet, Hash::repeat_byte(8)));
		assert_eq!((whole.owner, whole.subject), (Some(Hash::repeat_byte(2)), None));
		let chunks: Vec<u16> = vec![0, 7];
		let subject = Some(Bytes(chunks.encode()));
		let some =
			Event::MembersRevoked { fleet, organisation, reason: REASON, members: 9, chunks };
		let some = tell(some);
		assert_eq!((some.kind, some.reason), (Revoked::FleetMembers, "keyCompromise"));
		assert_eq!(some.subject, subject);
	}

	#[test]
	fn whether_the_leaves_of_a_fleet_are_to_be_had_is_no_revocation() {
		use pallet_fleets::Event;
		let (fleet, revision) = (FleetId([8; 32]), 3);
		for event in
			[Event::FleetUnavailable { fleet, revision }, Event::FleetAvailable { fleet, revision }]
		{
			assert_eq!(Revocation::from_event(3, &RuntimeEvent::Fleets(event)), None);
		}
	}

	#[test]
	fn other_events_are_passed_over() {
		let (anchor, organisation) = (AnchorId([1; 32]), OrganisationId([2; 32]));
		assert_eq!(revocation(Event::AnchorRetired { anchor, organisation }), None);
		let (voucher, device) = (VoucherId([5; 32]), DeviceId([3; 32]));
		assert_eq!(revocation(Event::VoucherCancelled { voucher, organisation, device }), None);
	}

	#[test]
	fn a_revocation_is_told_in_names_and_hexadecimal_digits() {
		let (key, device) = (KeyId([4; 32]), DeviceId([3; 32]));
		let told = revocation(Event::KeyRevoked { key, device, reason: REASON }).unwrap();
		let expected = serde_json::json!({
			"index": 3,
			"kind": "key",
			"id": key.to_string(),
			"owner": device.to_string(),
			"reason": "keyCompromise",
			"subject": null,
		});
		assert_eq!(serde_json::to_value(told).unwrap(), expected);
	}
}
