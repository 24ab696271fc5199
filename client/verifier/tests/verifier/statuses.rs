//! The vectors of the one status function, over records that are proven.
//!
//! Anchors stand for what has no issuer, keys for what has one, the device. No record of today can be on hold, and a
//! device has no end and no successor; the vectors about these are left out.

use crate::kit::*;
use codec::Encode;
use dpki_primitives::{
	Moment,
	revocation::{Revocation, RevocationReason},
	status::{Status, Validity},
	storage_keys,
};
use dpki_verifier::{Freshness, Query};
use serde_json::Value;
use sp_core::storage::StateVersion;
use std::collections::BTreeMap;

const VECTORS: &str = include_str!("../../../../pallets/primitives/vectors/status.json");

struct Standing {
	validity: Validity,
	superseded_at: Option<u64>,
	revocation: Option<Revocation>,
}

/// What the vector says about a record; `Err` if no record can say so.
fn standing(value: &Value) -> Result<Option<Standing>, ()> {
	if value.is_null() {
		return Ok(None);
	}
	if value["suspended"] == true {
		return Err(());
	}
	let revocation = value.get("revocation").filter(|it| !it.is_null()).map(|it| Revocation {
		reason: RevocationReason::ALL
			.into_iter()
			.find(|reason| it["reason"] == reason.rfc5280_name())
			.unwrap(),
		at: it["at"].as_u64().unwrap(),
	});
	Ok(Some(Standing {
		validity: Validity {
			not_before: value["not_before"].as_u64().unwrap(),
			not_after: value["not_after"].as_u64(),
		},
		superseded_at: value["superseded_at"].as_u64(),
		revocation,
	}))
}

/// The verdict about a state in which the vector holds.
fn verdict(case: &Value) -> Result<Status, ()> {
	let own = standing(&case["own"])?;
	let issuers = case["issuers"]
		.as_array()
		.unwrap()
		.iter()
		.map(standing)
		.collect::<Result<Vec<_>, _>>()?;
	let now: Moment = case["now"].as_u64().unwrap();
	let mut entries = BTreeMap::from([(storage_keys::now(), now.encode())]);
	let query = match &issuers[..] {
		[] => {
			if let Some(own) = own {
				let mut record = anchor_record();
				record.validity = own.validity;
				record.retired_at = own.superseded_at;
				record.revocation = own.revocation;
				entries.insert(storage_keys::anchor(anchor_id()), record.encode());
			}
			Query::new().anchor(anchor_id())
		},
		[issuer] => {
			if let Some(own) = own {
				let mut record = key_record("drone", 1, own.revocation);
				(record.validity, record.superseded_at) = (own.validity, own.superseded_at);
				entries.insert(storage_keys::key(key_id(1)), record.encode());
			}
			if let Some(issuer) = issuer {
				if issuer.superseded_at.is_some() || issuer.validity.not_after.is_some() {
					return Err(());
				}
				let mut record = device_record("drone", issuer.revocation);
				record.enrolled_at = issuer.validity.not_before;
				entries.insert(storage_keys::device(device_id("drone")), record.encode());
			}
			drone_query()
		},
		_ => return Err(()),
	};
	let world = World::with(4, entries, StateVersion::V1);
	let bundle = world.answer(&query).encode();
	let mut verifier = world.verifier();
	let verified = verifier.verify(&bundle, &query, Freshness::without_clock()).unwrap();
	let status = match issuers.len() {
		0 => verified.anchor_status(anchor_id()),
		_ => verified.key_status(key_id(1)),
	};
	Ok(status.unwrap())
}

#[test]
fn the_vectors_hold_for_what_is_proven() {
	let cases: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
	let mut judged = Vec::new();
	for case in &cases {
		let Ok(status) = verdict(case) else { continue };
		let (name, expected) = (&case["name"], &case["expected"]);
		assert_eq!(expected["status"], status.name(), "{name}");
		assert_eq!(
			expected.get("reason").and_then(Value::as_str),
			status.reason().map(RevocationReason::rfc5280_name),
			"{name}"
		);
		let at = status.revocation().map(|it| it.at);
		assert_eq!(expected.get("at").and_then(Value::as_u64), at, "{name}");
		judged.push(status.name());
	}
	println!("{} of {} vectors", judged.len(), cases.len());
	assert!(judged.len() > cases.len() / 2);
	judged.sort_unstable();
	judged.dedup();
	assert_eq!(judged.len(), 7, "each verdict but `suspended` has a case: {judged:?}");
}
