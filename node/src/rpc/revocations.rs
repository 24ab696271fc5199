// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What of a block's events takes trust away.
//!
//! A subscriber learns that something changed. What it acts on it proves, or reads from a node that it trusts.

use codec::Encode;
use dpki_runtime::{Hash, Runtime, RuntimeEvent};
use pallet_dpki::Event;
use serde::Serialize;
use sp_core::Bytes;

/// What was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Revoked {
	/// A trust anchor, and with it all that it signed.
	Anchor,
	/// A certificate's serial number or a key under an SSH CA.
	SshSubject,
	/// A device, and with it all its keys.
	Device,
	/// A key of a device.
	Key,
}

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revocation {
	/// Which of the block's events it is, counted from 0 over all of them.
	pub index: u32,
	/// What was revoked.
	pub kind: Revoked,
	/// Its id; for an SSH subject that of its CA.
	pub id: Hash,
	/// Whose it is: the organisation of an anchor or device, the device of a key.
	pub owner: Option<Hash>,
	/// Why, by the name that RFC 5280 has for it.
	pub reason: &'static str,
	/// The SSH subject in SCALE.
	pub subject: Option<Bytes>,
}

impl Revocation {
	/// The revocation that this event tells of, if it tells of one.
	pub fn from_event(index: u32, event: &RuntimeEvent) -> Option<Self> {
		match event {
			RuntimeEvent::Dpki(event) => Self::from_registry(index, event),
			_ => None,
		}
	}

	fn from_registry(index: u32, event: &Event<Runtime>) -> Option<Self> {
		let (kind, id, owner, reason, subject) = match event {
			Event::AnchorRevoked { anchor, organisation, reason } => {
				(Revoked::Anchor, anchor.0, Some(organisation.0), reason, None)
			},
			Event::SshRevoked { anchor, subject, reason, position: _ } => {
				(Revoked::SshSubject, anchor.0, None, reason, Some(Bytes(subject.encode())))
			},
			Event::DeviceRevoked { device, organisation, reason } => {
				(Revoked::Device, device.0, Some(organisation.0), reason, None)
			},
			Event::KeyRevoked { key, device, reason } => {
				(Revoked::Key, key.0, Some(device.0), reason, None)
			},
			_ => return None,
		};
		let (id, owner) = (Hash::from(id), owner.map(Hash::from));
		let reason = reason.rfc5280_name();
		Some(Self { index, kind, id, owner, reason, subject })
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		ids::{AnchorId, DeviceId, KeyId, OrganisationId, VoucherId},
		revocation::{RevocationReason, SshSubject},
	};

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
