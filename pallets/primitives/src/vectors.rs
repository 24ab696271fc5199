//! `vectors/status.json` as records, for the tests of everybody who judges; [`levels`] is the same for
//! `vectors/assurance.json`.
//!
//! The file holds what a verdict depends on. Whoever judges holds records: the registry in its storage, the verifier
//! in a proof, a client behind a connection. [`cases`] turns each case into the records that tell it, so that all of
//! them answer the same file and none of them decides for itself which cases it leaves out.

use crate::{
	Moment,
	anchor::{AnchorKind, AnchorRecord, Certification},
	assurance::Level,
	certificate::{Authority, CertificateRecord, Holder, Suspension},
	device::DeviceRecord,
	fleet::{
		Commitment, FleetHead, FleetKey, FleetLeaf, FleetRecord, MembershipProof, RevocationChunk,
		SupersededHead, tree,
	},
	ids::{AnchorId, BlobDigest, CertificateId, DeviceId, FleetId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
	revocation::{Hold, HoldAuthority, Revocation, RevocationReason, Withdrawal},
	status::{Standing, Status, Validity},
	storage_keys,
	subject::Subject,
};
use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use codec::Encode;
use serde::Deserialize;

pub mod levels;

/// The anchor that the records are about.
pub const ANCHOR: AnchorId = AnchorId([1; 32]);
/// The device that the records are about.
pub const DEVICE: DeviceId = DeviceId([2; 32]);
/// The key that the records are about.
pub const KEY: KeyId = KeyId([3; 32]);
/// The certificate that the records are about.
pub const CERTIFICATE: CertificateId = CertificateId([4; 32]);

/// Of something that is good at any time.
const GOOD: Standing = Standing {
	validity: Validity { not_before: 0, not_after: None },
	suspended: false,
	superseded_at: None,
	revocation: None,
};

/// A verdict, and what it is about.
pub struct Case {
	/// What it shows, as a sentence.
	pub name: String,
	/// What is judged.
	pub own: Option<Standing>,
	/// What that depends on, nearest first.
	pub issuers: Vec<Option<Standing>>,
	/// When.
	pub now: Moment,
	expected: Expected,
}

/// A case in records. `None` means that there is no such record.
// There are some dozens of them, in tests.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
	/// About [`ANCHOR`], which depends on nothing.
	Anchor(Option<AnchorRecord>),
	/// About [`DEVICE`], which depends on nothing.
	Device(Option<DeviceRecord>),
	/// About [`KEY`], which depends on [`DEVICE`].
	Key(Option<KeyRecord>, Option<DeviceRecord>),
	/// About [`CERTIFICATE`], which depends on its key, and on [`DEVICE`] where it is about that.
	Certificate {
		/// The certificate.
		record: Option<CertificateRecord>,
		/// Since when its key is known to be compromised.
		compromised: Option<Moment>,
		/// Its key, where that is also registered as a device's: under the id that is made of it, and not under [`KEY`].
		key: Option<KeyRecord>,
		/// The device.
		device: Option<DeviceRecord>,
	},
	/// About a member of a fleet, which depends on the fleet. A member that there is not is one with a proof for another
	/// root; nothing is registered singly.
	Member {
		/// The fleet.
		fleet: Option<FleetRecord>,
		/// What is revoked in the first chunk.
		chunk: Option<RevocationChunk>,
		/// What the member shows.
		proof: MembershipProof,
	},
}

impl Told {
	/// What the state holds, by storage key.
	pub fn state(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
		let entry = |key: Vec<u8>, record: Option<Vec<u8>>| record.map(|record| (key, record));
		let anchor = |own: &Option<AnchorRecord>| {
			entry(storage_keys::anchor(ANCHOR), own.as_ref().map(Encode::encode))
		};
		let device = |own: &Option<DeviceRecord>| {
			entry(storage_keys::device(DEVICE), own.as_ref().map(Encode::encode))
		};
		let entries = match self {
			Told::Anchor(own) => vec![anchor(own)],
			Told::Device(own) => vec![device(own)],
			Told::Key(own, issuer) => {
				vec![
					entry(storage_keys::key(KEY), own.as_ref().map(Encode::encode)),
					device(issuer),
				]
			},
			Told::Certificate { record, compromised, key, device: about } => {
				let key_id = KeyId::of(&public_key());
				vec![
					entry(
						storage_keys::certificate(CERTIFICATE),
						record.as_ref().map(Encode::encode),
					),
					entry(
						storage_keys::compromised_key(key_id),
						compromised.as_ref().map(Encode::encode),
					),
					entry(storage_keys::key(key_id), key.as_ref().map(Encode::encode)),
					device(about),
				]
			},
			Told::Member { fleet, chunk, proof } => vec![
				entry(storage_keys::fleet(proof.fleet), fleet.as_ref().map(Encode::encode)),
				entry(
					storage_keys::revoked_members(proof.fleet, 0),
					chunk.as_ref().map(Encode::encode),
				),
			],
		};
		entries.into_iter().flatten().collect()
	}
}

impl Case {
	/// The records that tell the case: none if no records can, several if records of several kinds can.
	pub fn told(&self) -> Vec<Told> {
		match self.issuers.as_slice() {
			// A good device changes no verdict about its key.
			[] => [
				record(&self.own, anchor).map(Told::Anchor),
				record(&self.own, device).map(Told::Device),
				record(&self.own, key).map(|own| Told::Key(own, Some(device(&GOOD).0))),
				member(&self.own, &GOOD),
			]
			.into_iter()
			.flatten()
			.chain(certificates(&self.own, None))
			.collect(),
			[issuer] => {
				let key = match (record(&self.own, key), record(issuer, device)) {
					(Some(own), Some(issuer)) => Some(Told::Key(own, issuer)),
					_ => None,
				};
				let member = issuer.as_ref().and_then(|issuer| member(&self.own, issuer));
				let certificates = record(issuer, device)
					.map(|issuer| certificates(&self.own, Some(issuer)))
					.unwrap_or_default();
				[key, member].into_iter().flatten().chain(certificates).collect()
			},
			_ => Vec::new(),
		}
	}

	/// The verdict in one word.
	pub fn word(&self) -> &str {
		&self.expected.status
	}

	/// Panics unless this is the verdict of the case.
	pub fn assert(&self, verdict: Status) {
		let expected = &self.expected;
		assert_eq!(verdict.name(), expected.status, "{}", self.name);
		let reason = verdict.reason().map(RevocationReason::rfc5280_name);
		assert_eq!(reason, expected.reason.as_deref(), "{}", self.name);
		assert_eq!(verdict.revocation().map(|it| it.at), expected.at, "{}", self.name);
	}
}

/// All cases of the file.
pub fn cases() -> Vec<Case> {
	let cases: Vec<Written> = serde_json::from_str(include_str!("../vectors/status.json"))
		.expect("the vectors are beside this crate, and well formed");
	cases.into_iter().map(Case::from).collect()
}

/// Judges every case of which `choose` takes the records, and returns the words of the verdicts in order, each once.
///
/// `judge` gets the records and the time, and answers from wherever it put them.
pub fn judge(
	choose: impl Fn(&Told) -> bool,
	mut judge: impl FnMut(Told, Moment) -> Status,
) -> Vec<&'static str> {
	let mut words = Vec::new();
	for case in cases() {
		for told in case.told().into_iter().filter(&choose) {
			let verdict = judge(told, case.now);
			case.assert(verdict);
			words.push(verdict.name());
		}
	}
	words.sort_unstable();
	words.dedup();
	words
}

/// The record that stands as asked; the outer `None` if records of this kind cannot.
fn record<R>(
	standing: &Option<Standing>,
	tell: fn(&Standing) -> (R, Standing),
) -> Option<Option<R>> {
	match standing {
		None => Some(None),
		Some(standing) => {
			let (record, told) = tell(standing);
			(told == *standing).then_some(Some(record))
		},
	}
}

fn anchor(standing: &Standing) -> (AnchorRecord, Standing) {
	let key = public_key();
	let key_id = KeyId::of(&key);
	// Of the anchors only those of X.509 have holds.
	let (kind, certification) = match standing.suspended {
		false => (AnchorKind::SshUserCa, None),
		true => (AnchorKind::X509Root, Some(Certification::default())),
	};
	let record = AnchorRecord {
		retired_at: standing.superseded_at,
		revocation: standing.revocation,
		suspended: standing.suspended,
		certification,
		..AnchorRecord::new(organisation(), kind, Some(key), key_id, standing.validity, 0)
	};
	let told = record.standing();
	(record, told)
}

fn device(standing: &Standing) -> (DeviceRecord, Standing) {
	let record = DeviceRecord {
		organisation: organisation(),
		name: b"drone-1".to_vec().try_into().expect("a short name"),
		enrolled_at: standing.validity.not_before,
		keys_registered: 1,
		withdrawal: withdrawal(standing),
	};
	let told = record.standing();
	(record, told)
}

fn key(standing: &Standing) -> (KeyRecord, Standing) {
	let record = KeyRecord {
		device: DEVICE,
		purpose: KeyPurpose::Sign,
		public: public_key(),
		validity: standing.validity,
		registered_at: 0,
		superseded_at: standing.superseded_at,
		withdrawal: withdrawal(standing),
	};
	let told = record.standing();
	(record, told)
}

/// A certificate that stands as asked, about a name or about a device: none if it cannot. One that is revoked because its
/// key is compromised, or on hold, is told by the record of the certificate, and again by whatever else tells it: the list
/// of such keys, and what is registered of the key.
fn certificates(own: &Option<Standing>, about: Option<Option<DeviceRecord>>) -> Vec<Told> {
	let Some(record) = record(own, certificate) else { return Vec::new() };
	let (subject, device) = match about {
		None => (Subject::Dns(b"www.acme.example".to_vec().try_into().expect("a name")), None),
		Some(device) => (Subject::Device(DEVICE), device),
	};
	let record = record.map(|record| CertificateRecord { subject, ..record });
	let told = |record: &Option<CertificateRecord>, compromised, key| Told::Certificate {
		record: record.clone(),
		compromised,
		key,
		device: device.clone(),
	};
	let mut all = vec![told(&record, None, None)];
	let (Some(own), Some(record)) = (own, &record) else { return all };
	let registered = |told: Standing| Some(key(&told).0);
	match own.revocation {
		Some(revocation) if revocation.reason == RevocationReason::KeyCompromise => {
			let record = Some(CertificateRecord { revocation: None, ..record.clone() });
			let by_its_key = registered(Standing { revocation: Some(revocation), ..GOOD });
			all.push(told(&record, Some(revocation.at), None));
			all.push(told(&record, None, by_its_key));
		},
		None if own.suspended => {
			let record = Some(CertificateRecord { suspension: None, ..record.clone() });
			all.push(told(&record, None, registered(Standing { suspended: true, ..GOOD })));
		},
		_ => {},
	}
	all
}

fn certificate(standing: &Standing) -> (CertificateRecord, Standing) {
	let suspension = Suspension { by: Authority::Consortium, at: standing.validity.not_before };
	let record = CertificateRecord {
		subject: Subject::Device(DEVICE),
		holder: Holder::Organisation(organisation()),
		requested: Level::Dv,
		key: public_key(),
		display_name: None,
		validity: standing.validity,
		control_until: None,
		suspension: standing.suspended.then_some(suspension),
		revocation: standing.revocation,
	};
	// Nothing takes the place of a certificate.
	let told = Standing { superseded_at: None, ..*standing };
	(record, told)
}

/// What stands against the trust in a device or a key that stands like this. One that is revoked is on hold no more, so
/// what is both is not told by their records.
fn withdrawal(standing: &Standing) -> Withdrawal {
	match (standing.revocation, standing.suspended) {
		(Some(revocation), _) => Withdrawal::Revoked(revocation),
		(None, true) => {
			let (reason, by) = (RevocationReason::KeyCompromise, HoldAuthority::Registrar);
			Withdrawal::OnHold(Hold { reason, at: standing.validity.not_before, by })
		},
		(None, false) => Withdrawal::None,
	}
}

/// The second of two members of a fleet that stands as asked; `None` if none can.
fn member(own: &Option<Standing>, issuer: &Standing) -> Option<Told> {
	let told = own.unwrap_or(GOOD);
	let leaf = |name: &[u8]| FleetLeaf {
		name: name.to_vec().try_into().expect("a short name"),
		purpose: KeyPurpose::Sign,
		key: FleetKey::new(KeyType::Ed25519, &[1; 32]).expect("an Ed25519 key has 32 bytes"),
		validity: told.validity,
	};
	let [other, shown] = [leaf(b"drone-0"), leaf(b"drone-1")];
	// A member is on hold with its fleet only, and a fleet has no end.
	if told.suspended || !shown.is_well_formed() || issuer.validity.not_after.is_some() {
		return None;
	}
	let root = match own {
		Some(_) => tree::node_hash(&other.hash(), &shown.hash()),
		None => other.hash(),
	};
	let head = FleetHead {
		revision: 0,
		commitment: Commitment { size: 2, root, tiles: BlobDigest([0; 32]) },
		since: issuer.validity.not_before,
		unavailable: issuer.suspended,
	};
	let newer = FleetHead {
		revision: 1,
		commitment: Commitment { root: [0; 32], ..head.commitment },
		..head
	};
	let previous = told.superseded_at.map(|superseded_at| SupersededHead { head, superseded_at });
	let mut chunk = RevocationChunk::default();
	if let Some(revocation) = told.revocation {
		chunk.revoke(&[0b10], revocation);
	}
	let name = b"drones";
	let fleet = FleetRecord {
		organisation: organisation(),
		name: name.to_vec().try_into().expect("a short name"),
		committed_at: issuer.validity.not_before,
		revisions: 2,
		current: Some(if previous.is_some() { newer } else { head }),
		previous,
		candidate: None,
		retired_at: issuer.superseded_at,
		revocation: issuer.revocation,
	};
	let proof = MembershipProof {
		fleet: FleetId::from_name(organisation(), name),
		organisation: organisation(),
		index: 1,
		leaf: shown,
		path: vec![other.hash()].try_into().expect("one hash is a path"),
	};
	let chunk = told.revocation.map(|_| chunk);
	Some(Told::Member { fleet: Some(fleet), chunk, proof })
}

fn organisation() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn public_key() -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &[1; 32]).expect("an Ed25519 key has 32 bytes")
}

/// A case as the file has it. What it does not mention does not hold.
#[derive(Deserialize)]
struct Written {
	name: String,
	#[serde(default)]
	own: Option<WrittenStanding>,
	#[serde(default)]
	issuers: Vec<Option<WrittenStanding>>,
	now: Moment,
	expected: Expected,
}

#[derive(Deserialize)]
struct WrittenStanding {
	#[serde(default)]
	not_before: Moment,
	#[serde(default)]
	not_after: Option<Moment>,
	#[serde(default)]
	suspended: bool,
	#[serde(default)]
	superseded_at: Option<Moment>,
	#[serde(default)]
	revocation: Option<WrittenRevocation>,
}

#[derive(Deserialize)]
struct WrittenRevocation {
	reason: String,
	at: Moment,
}

#[derive(Deserialize)]
struct Expected {
	status: String,
	#[serde(default)]
	reason: Option<String>,
	#[serde(default)]
	at: Option<Moment>,
}

impl From<Written> for Case {
	fn from(written: Written) -> Self {
		Self {
			name: written.name,
			own: written.own.map(Standing::from),
			issuers: written.issuers.into_iter().map(|it| it.map(Standing::from)).collect(),
			now: written.now,
			expected: written.expected,
		}
	}
}

impl From<WrittenStanding> for Standing {
	fn from(written: WrittenStanding) -> Self {
		Self {
			validity: Validity { not_before: written.not_before, not_after: written.not_after },
			suspended: written.suspended,
			superseded_at: written.superseded_at,
			revocation: written.revocation.map(|it| Revocation {
				reason: RevocationReason::ALL
					.into_iter()
					.find(|reason| reason.rfc5280_name() == it.reason)
					.expect("the vectors use names of RFC 5280"),
				at: it.at,
			}),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		certificate::{Dependencies, certificate_status},
		fleet::{MemberFacts, member_status},
		status::status,
	};

	#[test]
	fn the_vectors_hold() {
		let mut words = Vec::new();
		for case in cases() {
			let verdict = status(case.own.as_ref(), &case.issuers, case.now);
			case.assert(verdict);
			words.push(verdict.name());
		}
		words.sort_unstable();
		words.dedup();
		assert_eq!(words.len(), 8, "each verdict has a case: {words:?}");
	}

	#[test]
	fn most_cases_can_be_told_by_records() {
		let told: Vec<_> = cases().iter().flat_map(Case::told).collect();
		let count = |kind: fn(&Told) -> bool| told.iter().filter(|told| kind(told)).count();
		assert!(count(|told| matches!(told, Told::Anchor(_))) >= 20);
		assert!(count(|told| matches!(told, Told::Device(_))) >= 15);
		assert!(count(|told| matches!(told, Told::Key(..))) >= 25);
		assert!(count(|told| matches!(told, Told::Certificate { .. })) >= 35);
		assert!(count(|told| matches!(told, Told::Member { .. })) >= 30);
	}

	#[test]
	fn records_that_are_judged_by_the_rule_give_the_verdicts() {
		let words = judge(
			|_| true,
			|told, now| match told {
				Told::Anchor(own) => status(own.map(|it| it.standing()).as_ref(), &[], now),
				Told::Device(own) => status(own.map(|it| it.standing()).as_ref(), &[], now),
				Told::Key(own, device) => status(
					own.map(|it| it.standing()).as_ref(),
					&[device.map(|it| it.standing())],
					now,
				),
				Told::Certificate { record, compromised, key, device } => {
					let (key, device) = (key.as_ref(), device.as_ref());
					let dependencies = Dependencies { compromised, key, device };
					certificate_status(record.as_ref(), dependencies, now)
				},
				Told::Member { fleet, chunk, proof } => {
					let (fleet, chunk) = (fleet.as_ref(), chunk.as_ref());
					let facts = MemberFacts { fleet, chunk, ..Default::default() };
					member_status(&proof, facts, now)
				},
			},
		);
		assert_eq!(words.len(), 8, "each verdict can be told: {words:?}");
	}

	#[test]
	#[should_panic(expected = "a plain record is valid")]
	fn another_verdict_is_noticed() {
		judge(|told| matches!(told, Told::Anchor(Some(_))), |_, _| Status::Unknown);
	}
}
