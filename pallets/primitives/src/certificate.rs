//! Certificates: applications, how observers vote on them, and what is stored of the result.
//!
//! An application is an attempt that somebody pays for and that ends. A certificate is what a successful one leaves:
//! never removed, so that revoked stays distinguishable from unknown. Deadlines of applications are counted in blocks,
//! because observers have to act on the chain within them; the life of a certificate is counted in chain time.

use crate::{
	Moment,
	assurance::{Endorsed, Level, Quorum},
	device::DeviceRecord,
	ids::{ApplicationId, CertificateDigest, CertificateId, KeyId, OrganisationId, SubjectId},
	key::{KeyRecord, PublicKey, Signature},
	revocation::{Revocation, RevocationReason},
	status::{Standing, Status, Validity, status},
	subject::Subject,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Number of a block, as the deadlines of applications are counted.
pub type BlockHeight = u32;

const DAY: Moment = 24 * 60 * 60 * 1000;

/// Longest display name in bytes of UTF-8; the upper bound of `organizationName` is 64 characters (X.520).
pub const MAX_DISPLAY_NAME_LEN: u32 = 64;

/// Longest certification request in bytes: one with an RSA-4096 key and some names is about 1,700.
pub const MAX_REQUEST_LEN: u32 = 4096;

/// Most votes on one application, and so most organisations whose observers can take part.
pub const MAX_VOTES: u32 = 32;

/// Most endorsements that a policy can ask for.
pub const MAX_QUORUM: u32 = crate::assurance::MAX_ENDORSEMENTS;

/// Most live certificates about one subject.
pub const MAX_LIVE_CERTIFICATES: u32 = 8;

/// Most open applications of one payer: a page of the list that observers and endorsers work through, so that nobody
/// buries the others' there.
pub const MAX_OPEN_APPLICATIONS: u32 = MAX_PAGE;

/// Most entries in one page of a query.
pub const MAX_PAGE: u32 = 64;

/// The name of an organisation, as shown to people at OV and EV.
pub type DisplayName = BoundedVec<u8, ConstU32<MAX_DISPLAY_NAME_LEN>>;

/// A PKCS#10 certification request in DER (RFC 2986).
pub type RequestDer = BoundedVec<u8, ConstU32<MAX_REQUEST_LEN>>;

/// Whether the name can be shown: not empty, UTF-8, no control characters and none that change the direction of text,
/// no space at either end.
pub fn is_valid_display_name(name: &[u8]) -> bool {
	let misleads = |c: char| {
		c.is_control()
			|| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
	};
	core::str::from_utf8(name)
		.is_ok_and(|name| !name.is_empty() && name.trim() == name && !name.chars().any(misleads))
}

/// Who a certificate belongs to, and who may act on it.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Holder {
	/// This account.
	#[codec(index = 0)]
	Account([u8; 32]),
	/// The registrars of this organisation, and its administrators for a certificate about itself.
	#[codec(index = 1)]
	Organisation(OrganisationId),
}

impl Holder {
	/// The organisation, if it is one.
	pub const fn organisation(self) -> Option<OrganisationId> {
		match self {
			Holder::Account(_) => None,
			Holder::Organisation(organisation) => Some(organisation),
		}
	}
}

/// What is asked for in an application for a new certificate.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CertificateRequest {
	/// What it is to be about.
	pub subject: Subject,
	/// Who is to hold it.
	pub holder: Holder,
	/// The level that is wanted.
	pub level: Level,
	/// The key that is certified.
	pub key: PublicKey,
	/// The name to be shown at OV and EV, for organisations only.
	pub display_name: Option<DisplayName>,
	/// Last moment at which it is to be valid.
	pub not_after: Moment,
}

impl CertificateRequest {
	/// The hash by which a proof of possession names the whole request.
	pub fn digest(&self) -> [u8; 32] {
		crate::ids::derive(b"dpki/certificate-request/1", self)
	}
}

/// How an applicant proves to have the private key.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Possession {
	/// The key's signature over the payload of
	/// [`Action::ApplyForCertificate`](crate::context::Action::ApplyForCertificate).
	#[codec(index = 0)]
	Signature(Signature),
	/// A PKCS#10 request for the key and the subject whose `challengePassword` (RFC 2985 section 5.4.1) is
	/// [`request_challenge`] of that payload. A request without it could have been made for anybody.
	#[codec(index = 1)]
	Request(RequestDer),
}

/// What a certification request has to carry to stand for the signature over `payload`.
pub fn request_challenge(payload: &[u8]) -> [u8; 32] {
	sp_crypto_hashing::blake2_256(payload)
}

/// Checks certification requests. The rules of X.509 live elsewhere; whoever keeps certificates only asks.
pub trait RequestVerifier {
	/// Whether `request` is one PKCS#10 request in DER and nothing else, signed by `key`, which it carries, names
	/// `subject` and no other one, and has the lower-case hexadecimal form of `challenge` as its `challengePassword`.
	fn is_valid(request: &[u8], key: &PublicKey, subject: &Subject, challenge: &[u8; 32]) -> bool;

	/// The key under which [`Self::benchmark_request`] signs: the dearest one to verify.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_key() -> PublicKey;

	/// A request by that key which [`Self::is_valid`] accepts.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_request(subject: &Subject, challenge: &[u8; 32]) -> RequestDer;
}

/// Why an application is made.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Purpose {
	/// For a new certificate.
	#[codec(index = 0)]
	Issue(CertificateRequest),
	/// To prove again that the holder controls the subject of this certificate.
	#[codec(index = 1)]
	Control(CertificateId),
	/// To have this certificate endorsed again.
	#[codec(index = 2)]
	Endorsement(CertificateId),
}

/// Why an application was refused.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum RefusalCause {
	/// So many observers saw no proof of control that it cannot be accepted any more.
	#[codec(index = 0)]
	ControlNotProven,
	/// Fewer observers took part than have to agree.
	#[codec(index = 1)]
	TooFewObservers,
	/// Somebody else proved first to control the subject.
	#[codec(index = 2)]
	SubjectHeld,
	/// There are as many live certificates about the subject as there may be.
	#[codec(index = 3)]
	SubjectFull,
	/// The certificate's time was over before the decision, or it was revoked.
	#[codec(index = 4)]
	CertificateEnded,
	/// The key became known as compromised before the decision.
	#[codec(index = 5)]
	KeyCompromised,
}

/// How an application ended.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Outcome {
	/// What was applied for was granted. Endorsements may still have stayed out, which only shows in the level.
	#[codec(index = 0)]
	Granted,
	/// It was refused.
	#[codec(index = 1)]
	Refused(RefusalCause),
	/// The observers came to no decision in time.
	#[codec(index = 2)]
	TimedOut,
	/// The payer took it back.
	#[codec(index = 3)]
	Withdrawn,
}

/// Where an application stands.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Phase {
	/// Observers look whether the applicant controls the subject.
	#[codec(index = 0)]
	Control {
		/// Last block at which they may commit themselves.
		commit_until: BlockHeight,
		/// Last block at which they may reveal what they committed to.
		reveal_until: BlockHeight,
		/// How many organisations have to have seen control.
		needed: u32,
	},
	/// The certificate exists and waits for endorsements.
	#[codec(index = 1)]
	Endorsement {
		/// Last block at which an endorsement is paid out of the application.
		until: BlockHeight,
	},
	/// It is over.
	#[codec(index = 2)]
	Closed {
		/// How it ended.
		outcome: Outcome,
		/// When.
		at: Moment,
	},
}

/// An application as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ApplicationRecord {
	/// Who made and pays for it.
	pub payer: [u8; 32],
	/// What for.
	pub purpose: Purpose,
	/// Where it stands.
	pub phase: Phase,
	/// When it was made.
	pub opened_at: Moment,
}

impl ApplicationRecord {
	/// The certificate that the application is about, which for a new one exists only once it is granted.
	pub fn certificate(&self, id: ApplicationId) -> CertificateId {
		match self.purpose {
			Purpose::Issue(_) => CertificateId::of(id),
			Purpose::Control(certificate) | Purpose::Endorsement(certificate) => certificate,
		}
	}
}

/// What an observer saw.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Observation {
	/// The challenge stood where only whoever controls the subject can put it.
	#[codec(index = 0)]
	Controlled,
	/// Something else stood there, or nothing.
	#[codec(index = 1)]
	NotControlled,
	/// The subject could not be reached.
	#[codec(index = 2)]
	Unreachable,
}

/// The vote of one organisation on an application, as stored.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Vote {
	/// The account that committed itself and has to reveal.
	pub observer: [u8; 32],
	/// Who controls it.
	pub organisation: OrganisationId,
	/// [`commitment`] of what it saw.
	pub commitment: [u8; 32],
	/// What it saw, once it has said so.
	pub revealed: Option<Observation>,
}

/// The votes on an application, in the order of the commitments.
pub type Votes = BoundedVec<Vote, ConstU32<MAX_VOTES>>;

/// What an observer puts on the chain before it says what it saw. The application and the observer are part of it, so
/// that nobody else can use a copy; the salt hides which of the few observations it is and has to be random.
pub fn commitment(
	application: ApplicationId,
	observer: &[u8; 32],
	observation: Observation,
	salt: &[u8; 32],
) -> [u8; 32] {
	crate::ids::derive(b"dpki/commitment/1", &(application, observer, observation, salt))
}

/// What the applicant has to put where observers look: in a TXT record for a DNS name, behind a well-known path for an
/// address. It differs for every application, key and chain.
pub fn control_challenge(
	genesis: &[u8; 32],
	application: ApplicationId,
	subject: SubjectId,
	key: KeyId,
) -> [u8; 32] {
	crate::ids::derive(b"dpki/control-challenge/1", &(genesis, application, subject, key))
}

/// Who put a certificate on hold, and may take it off.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Authority {
	/// Its holder.
	#[codec(index = 0)]
	Holder,
	/// The consortium, which may also end what the holder began.
	#[codec(index = 1)]
	Consortium,
}

/// That, since when and by whom a certificate is on hold: `certificateHold` of RFC 5280.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Suspension {
	/// By whom.
	pub by: Authority,
	/// Since when.
	pub at: Moment,
}

/// A certificate as stored. Never removed.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CertificateRecord {
	/// What it is about.
	pub subject: Subject,
	/// Whose it is.
	pub holder: Holder,
	/// The level that was requested; what it is worth says [`crate::assurance::assess`].
	pub requested: Level,
	/// The key that is certified.
	pub key: PublicKey,
	/// The name to be shown at OV and EV.
	pub display_name: Option<DisplayName>,
	/// When it is valid.
	pub validity: Validity,
	/// Last moment for which control of the subject counts as proven; `None` for subjects that need no such proof.
	pub control_until: Option<Moment>,
	/// Whether it is on hold.
	pub suspension: Option<Suspension>,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
}

impl CertificateRecord {
	/// The last moment at which it can be valid, as things stand: control that is not proven again ends it like the end
	/// of its validity.
	pub fn ends_at(&self) -> Moment {
		let end = self.validity.not_after.unwrap_or(Moment::MAX);
		self.control_until.map_or(end, |control| control.min(end))
	}

	/// Whether the certificate, about which `status` is the verdict, keeps others from its subject at `now`. One on hold
	/// does so too, but only until it ends.
	pub fn holds_subject(&self, status: Status, now: Moment) -> bool {
		matches!(status, Status::Valid | Status::NotYetValid | Status::Suspended)
			&& now <= self.ends_at()
	}

	/// What endorsers attest: everything in the record that is not about its state. It changes when the certificate is
	/// amended, and older endorsements stop counting.
	pub fn digest(&self, id: CertificateId) -> CertificateDigest {
		let content = (
			id,
			&self.subject,
			self.holder,
			self.requested,
			&self.key,
			&self.display_name,
			self.validity,
		);
		CertificateDigest(crate::ids::derive(b"dpki/certificate-digest/1", &content))
	}

	/// What [`crate::assurance::assess`] needs of this record.
	pub fn endorsed(&self, id: CertificateId, status: Status) -> Endorsed {
		Endorsed {
			status,
			requested: self.requested,
			digest: self.digest(id),
			organisation: self.holder.organisation(),
		}
	}

	/// What [`crate::status::status`] needs of this record.
	fn standing(&self) -> Standing {
		Standing {
			validity: Validity { not_after: Some(self.ends_at()), ..self.validity },
			suspended: self.suspension.is_some(),
			superseded: false,
			revocation: self.revocation,
		}
	}
}

/// The records beside its own that the verdict about a certificate depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dependencies<'a> {
	/// Since when the key is known to be compromised through any certificate of it.
	pub compromised: Option<Moment>,
	/// The key, if it is also registered as that of a device.
	pub key: Option<&'a KeyRecord>,
	/// The device that the certificate is about, if it is about one that exists.
	pub device: Option<&'a DeviceRecord>,
}

/// The verdict about a certificate at chain time `now`.
///
/// A key that is compromised anywhere is compromised everywhere. A certificate about a device falls with it. Nothing
/// else makes a certificate invalid but its own record; endorsements never do.
pub fn certificate_status(
	record: Option<&CertificateRecord>,
	dependencies: Dependencies,
	now: Moment,
) -> Status {
	let Some(record) = record else { return Status::Unknown };
	let mut own = record.standing();
	let registered = dependencies
		.key
		.and_then(|key| key.revocation)
		.filter(|revocation| revocation.reason == RevocationReason::KeyCompromise)
		.map(|revocation| revocation.at);
	let compromised = [dependencies.compromised, registered].into_iter().flatten().min();
	own.revocation = own
		.revocation
		.or(compromised.map(|at| Revocation { reason: RevocationReason::KeyCompromise, at }));
	match record.subject {
		Subject::Device(_) => {
			status(Some(&own), &[dependencies.device.map(DeviceRecord::standing)], now)
		},
		_ => status(Some(&own), &[], now),
	}
}

/// Who holds a subject, as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SubjectRecord {
	/// The last one who proved it. Somebody else can take its place once none of the certificates
	/// [holds](CertificateRecord::holds_subject) the subject any more.
	pub holder: Holder,
	/// The holder's certificates that were live when the list was last changed.
	pub live: BoundedVec<CertificateId, ConstU32<MAX_LIVE_CERTIFICATES>>,
}

/// Who is accredited to say what.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Office {
	/// Says whether applicants control names and addresses.
	#[codec(index = 0)]
	Observer,
	/// Attests who is behind a certificate.
	#[codec(index = 1)]
	Endorser,
}

/// What is applied for when a certificate exists already.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Renewal {
	/// That control of the subject is looked at again.
	#[codec(index = 0)]
	Control,
	/// That endorsers look at it again.
	#[codec(index = 1)]
	Endorsement,
}

/// The rules of the consortium for certificates.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct CertificatePolicy {
	/// How many organisations have to have seen control.
	pub observers: u32,
	/// How many organisations have to endorse.
	pub endorsers: Quorum,
	/// For how many blocks observers may commit themselves.
	pub commit_blocks: BlockHeight,
	/// For how many blocks after that they may reveal.
	pub reveal_blocks: BlockHeight,
	/// For how many blocks the fees of endorsers are kept for them.
	pub endorsement_blocks: BlockHeight,
	/// For how long control counts as proven.
	pub control_lifetime: Moment,
	/// For how long a certificate can be valid.
	pub max_lifetime: Moment,
	/// For how long an endorsement can count.
	pub max_endorsement_lifetime: Moment,
}

impl Default for CertificatePolicy {
	/// What holds while the state says nothing. Two of several observers and two or three endorsers: one that is
	/// corrupt is never enough. Windows of 5 minutes and 14 days at blocks of a second. A certificate lasts 200 days and
	/// control 100 days, of the order of what public CAs agreed on for 2026 and 2027 (CA/Browser Forum, SC-081v3).
	fn default() -> Self {
		Self {
			observers: 2,
			endorsers: Quorum { ov: 2, ev: 3 },
			commit_blocks: 300,
			reveal_blocks: 300,
			endorsement_blocks: 14 * 24 * 60 * 60,
			control_lifetime: 100 * DAY,
			max_lifetime: 200 * DAY,
			max_endorsement_lifetime: 398 * DAY,
		}
	}
}

impl CertificatePolicy {
	/// Whether the rules can be kept at all: every number is one at least, nothing is beyond the bounds of the lists,
	/// and EV is not easier than OV.
	pub fn is_coherent(&self) -> bool {
		(1..=MAX_VOTES).contains(&self.observers)
			&& self.endorsers.ov >= 1
			&& self.endorsers.ov <= self.endorsers.ev
			&& self.endorsers.ev <= MAX_QUORUM
			&& self.commit_blocks >= 1
			&& self.reveal_blocks >= 1
			&& self.endorsement_blocks >= 1
			&& self.control_lifetime >= 1
			&& self.max_lifetime >= 1
			&& self.max_endorsement_lifetime >= 1
	}
}

/// One page of a list, and how to get the next.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Page<Item> {
	/// How many entries the whole list has, those that do not answer the question included.
	pub total: u32,
	/// The index at which the next page begins; `None` after the last.
	pub next: Option<u32>,
	/// Those entries of the page that answer the question.
	pub items: Vec<Item>,
}

/// The day in which a moment lies, counted from the Unix epoch: the buckets of the index by end.
pub const fn day_of(moment: Moment) -> u32 {
	let day = moment / DAY;
	if day > u32::MAX as u64 { u32::MAX } else { day as u32 }
}

#[cfg(test)]
mod tests;
