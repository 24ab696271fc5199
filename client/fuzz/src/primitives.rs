//! The vocabulary: every record that is decoded from storage, proofs or transactions, and the verdict about them.

use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use dpki_primitives::{
	Moment,
	anchor::AnchorRecord,
	approval::{ApprovalRecord, Proposal},
	assessment::{StoredRecords, assessed, assessment_keys},
	assurance::{Accreditation, Assessment, EndorsementRecord, Endorsements, Finding},
	certificate::{CertificatePolicy, CertificateRecord},
	delivery::{Acknowledgement, DeliveryRecord},
	device::{DeviceRecord, KeyList},
	fleet::{
		AvailabilityVote, ChunkMask, FleetRecord, MembershipProof, RevocationChunk, RollEntry,
		RollRecord, TileEntry,
	},
	ids::CertificateId,
	key::{Consent, KeyRecord, NewKey, PublicKey},
	motion::{Ballot, MotionRecord, Tally},
	organisation::{DeliveryPolicy, HandOver, Invitation, OrganisationRecord, Recovery, RoleSet},
	revocation::{Revocation, RevocationReason, SshRevocation},
	status::{Standing, Status, Validity, status as verdict},
	storage_keys,
	subject::Subject,
	voucher::VoucherRecord,
};
use std::collections::BTreeMap;

/// Every record that lies in the state or is part of one.
const READERS: &[fn(&[u8])] = &[
	bounded::<AnchorRecord>,
	bounded::<DeviceRecord>,
	bounded::<KeyList>,
	bounded::<KeyRecord>,
	bounded::<PublicKey>,
	bounded::<NewKey>,
	bounded::<Consent>,
	bounded::<VoucherRecord>,
	bounded::<DeliveryRecord>,
	bounded::<Acknowledgement>,
	bounded::<OrganisationRecord>,
	bounded::<DeliveryPolicy>,
	bounded::<RoleSet>,
	bounded::<HandOver<[u8; 32], u32>>,
	bounded::<Recovery<[u8; 32], u32>>,
	bounded::<MotionRecord<[u8; 32], u128, u32>>,
	bounded::<Ballot<u32>>,
	bounded::<Tally>,
	bounded::<SshRevocation>,
	bounded::<Status>,
	bounded::<Subject>,
	bounded::<CertificateRecord>,
	bounded::<CertificatePolicy>,
	bounded::<Accreditation>,
	bounded::<EndorsementRecord>,
	bounded::<Invitation<[u8; 32], u32>>,
	bounded::<FleetRecord>,
	bounded::<RevocationChunk>,
	bounded::<ChunkMask>,
	bounded::<TileEntry>,
	bounded::<RollEntry>,
	bounded::<RollRecord>,
	bounded::<AvailabilityVote<[u8; 32]>>,
	bounded::<MembershipProof>,
	bounded::<Proposal>,
	bounded::<ApprovalRecord>,
];

/// Bytes as a record, which the first byte chooses. What decodes is encoded in one way only, within its bound.
pub fn records(data: &[u8]) {
	let Some((choice, bytes)) = data.split_first() else { return };
	READERS[usize::from(*choice) % READERS.len()](bytes);
}

fn bounded<T: Decode + Encode + MaxEncodedLen>(bytes: &[u8]) {
	let Ok(record) = T::decode_all(&mut &*bytes) else { return };
	assert_eq!(record.encode(), bytes, "one record, two encodings");
	assert!(bytes.len() <= T::max_encoded_len(), "longer than it may be");
}

/// Standings that are cut out of the bytes, judged by the rule and by what makes it a yes.
pub fn status(data: &[u8]) {
	let mut bytes = Bytes(data);
	let now = bytes.moment();
	let own = bytes.standing();
	let issuers: Vec<_> = (0..bytes.next() % 4).map(|_| bytes.standing()).collect();
	let verdict = verdict(own.as_ref(), &issuers, now);

	let holds = |standing: &Standing| {
		standing.revocation.is_none()
			&& !standing.suspended
			&& now >= standing.validity.not_before
			&& standing.validity.not_after.is_none_or(|end| now <= end)
	};
	let may_be_relied_on = own
		.is_some_and(|own| holds(&own) && own.superseded_at.is_none_or(|at| now < at))
		&& issuers.iter().all(|issuer| issuer.is_some_and(|issuer| holds(&issuer)));
	assert_eq!(verdict.is_valid(), may_be_relied_on, "{verdict:?} of {own:?} under {issuers:?}");
	if let Some(revocation) = own.and_then(|own| own.revocation) {
		assert_eq!(verdict, Status::Revoked(revocation), "own revocation is told before all else");
	}
	assert!(own.is_some() || verdict == Status::Unknown, "{verdict:?} of nothing");
}

/// Which certificate [`assessment`] is about.
pub const CERTIFICATE: CertificateId = CertificateId([0x11; 32]);

/// Bytes as pieces, each behind a byte with its length: the chain time, the certificate, its endorsements, and then the values
/// of what else [`assessment_keys`] names, in that order; what is empty, or not there any more, is absent. Whatever is proven,
/// the level follows from no more than that.
pub fn assessment(data: &[u8]) {
	let mut rest = data;
	let mut piece = || {
		let (len, tail) = rest.split_first()?;
		let (piece, tail) = tail.split_at(usize::from(*len).min(tail.len()));
		rest = tail;
		(!piece.is_empty()).then(|| piece.to_vec())
	};
	let now =
		piece().map_or(0, |bytes| bytes.iter().fold(0, |now, byte| (now << 8) | u64::from(*byte)));
	let mut proven = Proven::default();
	let (own, list) =
		(storage_keys::certificate(CERTIFICATE), storage_keys::endorsements(CERTIFICATE));
	proven.0.insert(own.clone(), piece());
	proven.0.insert(list.clone(), piece());
	let (Ok(record), Ok(endorsements)) =
		(proven.stored::<CertificateRecord>(&own), proven.stored::<Endorsements>(&list))
	else {
		return;
	};
	let endorsements = endorsements.unwrap_or_default();
	for key in assessment_keys(CERTIFICATE, record.as_ref(), &endorsements) {
		proven.0.entry(key).or_insert_with(&mut piece);
	}
	let Ok(found) = assessed(&proven, CERTIFICATE, now) else { return };
	assert_eq!(found.is_some(), record.is_some());
	let Some(found) = found else { return };
	let Assessment { status, level, requested, explanations, .. } = found.assessment;
	assert_eq!(level.is_some(), status.is_valid());
	assert!(level.is_none_or(|level| level <= requested), "{level:?} above {requested:?}");
	assert_eq!(explanations.len(), endorsements.len(), "each endorsement is told of");
	let mut voices: Vec<_> = explanations
		.iter()
		.filter(|it| it.finding == Finding::Counted)
		.map(|it| it.organisation.expect("who counts is accredited"))
		.collect();
	let count = voices.len();
	voices.sort();
	voices.dedup();
	assert_eq!(voices.len(), count, "an organisation has two voices");
}

/// Values under storage keys; of all others it is not known whether they are there.
#[derive(Default)]
struct Proven(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl StoredRecords for Proven {
	type Error = codec::Error;

	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, codec::Error> {
		let value = self.0.get(key).expect("the keys are all that is read");
		value.as_ref().map(|bytes| Record::decode_all(&mut &bytes[..])).transpose()
	}
}

/// Bytes as numbers; zeros after their end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
	fn next(&mut self) -> u8 {
		let Some((first, rest)) = self.0.split_first() else { return 0 };
		self.0 = rest;
		*first
	}

	/// Close together, so that they meet.
	fn moment(&mut self) -> Moment {
		match self.next() {
			byte @ 0..=251 => Moment::from(byte % 8),
			252 => Moment::MAX,
			253 => Moment::MAX - 1,
			_ => Moment::MAX / 2,
		}
	}

	fn standing(&mut self) -> Option<Standing> {
		let flags = self.next();
		let reasons = RevocationReason::ALL;
		(flags & 1 == 0).then(|| Standing {
			validity: Validity {
				not_before: self.moment(),
				not_after: (flags & 2 != 0).then(|| self.moment()),
			},
			suspended: flags & 12 == 12,
			superseded_at: (flags & 48 == 48).then(|| self.moment()),
			revocation: (flags & 192 == 192).then(|| Revocation {
				reason: reasons[usize::from(self.next()) % reasons.len()],
				at: self.moment(),
			}),
		})
	}
}
