// SPDX-License-Identifier: Apache-2.0

//! The effective level of a certificate: as the runtime computes it, as a device does from what is proven to it, and as
//! one would by hand.

use codec::{Decode, DecodeAll};
use dpki_primitives::{
	assessment::{StoredRecords, assessed},
	assurance::{AccreditationState, Assessment, Level},
	certificate::{CertificateRecord, Holder, Office},
	ids::CertificateId,
	status::Status,
	storage_keys,
};
use dpki_runtime::{
	AccountId, Certificates, Runtime, Timestamp, dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
};
use frame_support::traits::Time;
use pallet_certificates::{Endorsements, Policy};
use std::collections::{BTreeMap, BTreeSet};

/// Raw values under the keys that a device asks for, and nothing else. Trie and signatures are left out: that a value is proven,
/// or its absence, is for the tests of the verifier.
struct Proven(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl StoredRecords for Proven {
	type Error = String;

	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, String> {
		let value = self.0.get(key).ok_or_else(|| format!("{key:02x?} was not asked for"))?;
		let decode = |bytes: &Vec<u8>| Record::decode_all(&mut &bytes[..]);
		value.as_ref().map(decode).transpose().map_err(|error| error.to_string())
	}
}

/// What the runtime says of the certificate, which a device that runs the same rule over raw storage says too.
pub fn assessment_of_both(id: CertificateId) -> Option<Assessment> {
	let answer = Runtime::assessment(id);
	let read = |key: Vec<u8>| {
		let value = sp_io::storage::get(&key).map(Into::into);
		(key, value)
	};
	let proven = Proven(answer.depends_on.into_iter().map(read).collect());
	let now = proven.stored(&storage_keys::now()).expect("it is asked for");
	let found = assessed(&proven, id, now.expect("there is a time")).expect("all is asked for");
	assert_eq!(found.map(|found| found.assessment), answer.assessment, "{id}");
	answer.assessment
}

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
		let is_compromised = |at| who.compromised_from.is_some_and(|from| at >= from);
		let is_good = it.withdrawn.is_none_or(|(_, at)| is_compromised(at))
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
