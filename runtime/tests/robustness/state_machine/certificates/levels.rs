// SPDX-License-Identifier: Apache-2.0

//! The effective level of a certificate, as the runtime computes it and as one would by hand.

use dpki_primitives::{
	assurance::{AccreditationState, Level},
	certificate::{CertificateRecord, Holder, Office},
	ids::CertificateId,
	status::Status,
};
use dpki_runtime::{AccountId, Certificates, Runtime, Timestamp};
use frame_support::traits::Time;
use pallet_certificates::{Endorsements, Policy};
use std::collections::BTreeSet;

/// What the runtime says that the certificate is worth; nothing, if it is not valid or unknown.
pub fn level(id: CertificateId) -> Option<Level> {
	Certificates::assessment(id)?.level
}

/// The same by counting, for each level, the organisations that have any endorsement that counts.
pub fn naive_level(id: CertificateId, record: &CertificateRecord, status: Status) -> Option<Level> {
	if !status.is_valid() {
		return None;
	}
	let now = Timestamp::now();
	let digest = record.digest(id);
	let mut attested = Vec::new();
	for it in Endorsements::<Runtime>::get(id) {
		let account = AccountId::from(it.endorser);
		let Some(who) = Certificates::accreditation(Office::Endorser, &account) else { continue };
		let is_good = it.withdrawn.is_none()
			&& it.digest == digest
			&& it.expires_at >= now
			&& who.state == AccreditationState::Active
			&& who.level >= it.level
			&& who.compromised_from.is_none_or(|from| it.endorsed_at < from)
			&& record.holder != Holder::Organisation(who.organisation);
		if is_good {
			attested.push((who.organisation, it.level));
		}
	}
	let quorum = Policy::<Runtime>::get().endorsers;
	let organisations = |level| {
		let able = attested.iter().filter(|(_, attested)| *attested >= level);
		able.map(|(organisation, _)| organisation).collect::<BTreeSet<_>>().len() as u32
	};
	let reached = match (organisations(Level::Ov) >= quorum.ov, organisations(Level::Ev)) {
		(false, _) => Level::Dv,
		(true, for_ev) if for_ev >= quorum.ev => Level::Ev,
		(true, _) => Level::Ov,
	};
	Some(reached.min(record.requested))
}
