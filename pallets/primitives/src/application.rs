//! Applications: what is asked for, how possession and control are proven, and how observers vote.
//!
//! An application is an attempt that somebody pays for and that ends. Its deadlines are counted in blocks, because
//! observers have to act on the chain within them.

use crate::{
	Moment,
	assurance::Level,
	certificate::{DisplayName, Holder, MAX_PAGE},
	ids::{ApplicationId, CertificateId, KeyId, OrganisationId, SubjectId},
	key::{PublicKey, Signature},
	subject::Subject,
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Number of a block, as the deadlines of applications are counted.
pub type BlockHeight = u32;

/// Longest certification request in bytes: one with an RSA-4096 key and some names is about 1,700.
pub const MAX_REQUEST_LEN: u32 = 4096;

/// Most votes on one application, and so most organisations whose observers can take part.
pub const MAX_VOTES: u32 = 32;

/// Most open applications of one payer: a page of the list that observers and endorsers work through, so that nobody
/// buries the others' there.
pub const MAX_OPEN_APPLICATIONS: u32 = MAX_PAGE;

/// A PKCS#10 certification request in DER (RFC 2986).
pub type RequestDer = BoundedVec<u8, ConstU32<MAX_REQUEST_LEN>>;

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
	/// `subject` and no other one, and has the lower-case hexadecimal form of `challenge` as its `challengePassword`. It
	/// names the subject by its [`common_name`](Subject::common_name), and a DNS name or an address by a subject
	/// alternative name of that kind too; one of the two will do.
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

#[cfg(test)]
mod tests;
