//! Trust anchors: what an organisation's devices start from.
//!
//! X.509 anchors form trees. A root stands by itself; an intermediate names the anchor that issued it and depends on
//! everything above: [`anchor_status`] is the verdict with all of it, from one record per anchor.

use crate::{
	Moment,
	ids::{AnchorId, KeyId, OrganisationId},
	key::PublicKey,
	revocation::Revocation,
	status::{Standing, Status, Validity, status},
};
use alloc::{string::String, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest material of an anchor in bytes: an X.509 root with an RSA-4096 key is about 1,400 bytes.
pub const MAX_ANCHOR_MATERIAL_LEN: u32 = 4096;

/// Most anchors that an organisation can have unrevoked at once. One list of ids, provable in one read.
pub const MAX_ANCHORS_PER_ORGANISATION: u32 = 32;

/// Most anchors of one key. They end together, so their number bounds the work of a revocation.
pub const MAX_ANCHORS_PER_KEY: u32 = 8;

/// Most anchors above an anchor. The way up is walked for every verdict.
pub const MAX_ANCHOR_DEPTH: u8 = 4;

/// Most certificates of a chain that is checked against an anchor, which is not among them.
pub const MAX_CHAIN_LEN: u32 = 4;

/// The material of an anchor: the SSH wire encoding of a public key (RFC 4253 section 6.6) or the DER of an X.509
/// certificate.
pub type AnchorMaterial = BoundedVec<u8, ConstU32<MAX_ANCHOR_MATERIAL_LEN>>;

/// The hash by which the chain keeps a serial number: of its octets as DER has them, at most 20.
pub fn serial_digest(octets: &[u8]) -> [u8; 32] {
	crate::ids::derive(b"dpki/serial/1", &octets)
}

/// What kind of trust an anchor carries.
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
pub enum AnchorKind {
	/// Signs SSH user certificates.
	#[codec(index = 0)]
	SshUserCa,
	/// Signs SSH host certificates.
	#[codec(index = 1)]
	SshHostCa,
	/// A self-signed X.509 certification authority.
	#[codec(index = 2)]
	X509Root,
	/// An X.509 certification authority that another one has issued.
	#[codec(index = 3)]
	X509Intermediate,
}

impl AnchorKind {
	/// Every kind.
	pub const ALL: [AnchorKind; 4] = [
		AnchorKind::SshUserCa,
		AnchorKind::SshHostCa,
		AnchorKind::X509Root,
		AnchorKind::X509Intermediate,
	];

	/// Whether its material is a certificate.
	pub const fn is_x509(self) -> bool {
		matches!(self, AnchorKind::X509Root | AnchorKind::X509Intermediate)
	}

	/// The kind in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			AnchorKind::SshUserCa => "ssh-user-ca",
			AnchorKind::SshHostCa => "ssh-host-ca",
			AnchorKind::X509Root => "x509-root",
			AnchorKind::X509Intermediate => "x509-intermediate",
		}
	}
}

/// Longest address of a revocation list in bytes.
pub const MAX_CRL_URL_LEN: u32 = 256;

/// Where the revocation list of an X.509 anchor is published. What it lists is not on the chain, and no verdict of the
/// chain depends on it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CrlPointer {
	/// The address.
	pub url: BoundedVec<u8, ConstU32<MAX_CRL_URL_LEN>>,
	/// The SHA2-256 of the list, if the pointer is to be good for this edition only.
	pub digest: Option<[u8; 32]>,
}

impl CrlPointer {
	/// Whether the address begins with a scheme by which lists are fetched and holds nothing but visible ASCII.
	pub fn is_valid(&self) -> bool {
		let schemes: [&[u8]; 3] = [b"http://", b"https://", b"ipfs://"];
		let has_more = |scheme: &&[u8]| {
			self.url.strip_prefix(*scheme).is_some_and(|address| !address.is_empty())
		};
		schemes.iter().any(has_more) && self.url.iter().all(u8::is_ascii_graphic)
	}
}

/// What is asked of an X.509 anchor, and of everything below it, beyond RFC 5280.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Profile {
	/// Nothing.
	#[default]
	#[codec(index = 0)]
	Rfc5280,
	/// Device attestation of Matter: PAA, PAI and DAC (core specification section 6.2.2).
	#[codec(index = 1)]
	Matter,
	/// Initial device identities (IEEE 802.1AR-2018 section 8).
	#[codec(index = 2)]
	IdevId,
	/// TLS servers as public CAs certify them (CA/Browser Forum baseline requirements section 7.1.2).
	#[codec(index = 3)]
	TlsServer,
}

impl Profile {
	/// Every profile.
	pub const ALL: [Profile; 4] =
		[Profile::Rfc5280, Profile::Matter, Profile::IdevId, Profile::TlsServer];

	/// The profile in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			Profile::Rfc5280 => "rfc5280",
			Profile::Matter => "matter",
			Profile::IdevId => "idevid",
			Profile::TlsServer => "tls-server",
		}
	}

	/// The profile that asks for what both ask for, if there is one.
	pub fn with(self, other: Self) -> Option<Self> {
		match (self, other) {
			(Profile::Rfc5280, profile) | (profile, Profile::Rfc5280) => Some(profile),
			(one, another) => (one == another).then_some(one),
		}
	}
}

/// What the trust in an X.509 anchor rests on when it is registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Basis {
	/// It is a root, signed by its own key.
	#[codec(index = 0)]
	SelfSigned(Profile),
	/// This anchor has signed it, and passes its profile on.
	#[codec(index = 1)]
	IssuedBy(AnchorId),
	/// The vote for it, and nothing else: it was issued by an authority that is no anchor here, such as the root of a
	/// public CA of which no more than one branch is to be trusted.
	#[codec(index = 2)]
	Vote(Profile),
}

impl Basis {
	/// The kind of an anchor that rests on this.
	pub const fn kind(self) -> AnchorKind {
		match self {
			Basis::SelfSigned(_) => AnchorKind::X509Root,
			Basis::IssuedBy(_) | Basis::Vote(_) => AnchorKind::X509Intermediate,
		}
	}
}

/// What an X.509 anchor has and no other.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Certification {
	/// What is asked of it and of everything below it.
	pub profile: Profile,
	/// The anchor that issued it; `None` if it stands by itself.
	pub issuer: Option<AnchorId>,
	/// How many anchors are above it, [`MAX_ANCHOR_DEPTH`] at most.
	pub depth: u8,
}

/// An anchor as stored; its material is a separate item, because devices mostly need this part.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AnchorRecord {
	/// Whose anchor it is.
	pub organisation: OrganisationId,
	/// What it may sign.
	pub kind: AnchorKind,
	/// The key that it is, or that its certificate carries. `None` where the algorithm has no [`PublicKey`] form
	/// (RSA and P-384 certificates).
	pub key: Option<PublicKey>,
	/// The id of that key, whatever its algorithm: [`KeyId::of`] where it has a [`PublicKey`] form, else
	/// [`KeyId::of_spki`]. A key that was revoked with one anchor comes back in no other.
	pub key_id: KeyId,
	/// From registration without end for SSH CAs, as in the certificate for X.509: from the first millisecond of its
	/// first second to the last one of its last second, which belongs to the validity as a whole (RFC 5280 section
	/// 4.1.2.5 knows nothing finer).
	pub validity: Validity,
	/// When it was registered.
	pub registered_at: Moment,
	/// Since when, or from when on if a rollover is planned, it is retired: what it signed stays good, nothing new is to
	/// be signed.
	pub retired_at: Option<Moment>,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
	/// What takes its place, if its retirement was planned as a rollover.
	pub successor: Option<AnchorId>,
	/// Whether it is on hold. X.509 only.
	pub suspended: bool,
	/// X.509 only.
	pub certification: Option<Certification>,
}

impl AnchorRecord {
	/// A record of an anchor that is registered now.
	pub fn new(
		organisation: OrganisationId,
		kind: AnchorKind,
		key: Option<PublicKey>,
		key_id: KeyId,
		validity: Validity,
		registered_at: Moment,
	) -> Self {
		Self {
			organisation,
			kind,
			key,
			key_id,
			validity,
			registered_at,
			retired_at: None,
			revocation: None,
			successor: None,
			suspended: false,
			certification: None,
		}
	}

	/// What [`crate::status::status`] needs of this record.
	pub fn standing(&self) -> Standing {
		Standing {
			validity: self.validity,
			suspended: self.suspended,
			superseded_at: self.retired_at,
			revocation: self.revocation,
		}
	}

	/// Whether it is retired at chain time `now`.
	pub fn is_retired(&self, now: Moment) -> bool {
		self.retired_at.is_some_and(|at| at <= now)
	}

	/// The last moment at which it can be in force, as far as that is settled: the end of its certificate, or its
	/// retirement. `None` if neither is.
	pub fn ends_at(&self) -> Option<Moment> {
		[self.validity.not_after, self.retired_at].into_iter().flatten().min()
	}

	/// The anchor that issued it, if it depends on one.
	pub fn issuer(&self) -> Option<AnchorId> {
		self.certification.and_then(|certification| certification.issuer)
	}
}

/// The verdict about an anchor at chain time `now`, everything above it included. `record` reads the record of an
/// anchor; `None` means that there is none.
pub fn anchor_status<E>(
	id: AnchorId,
	now: Moment,
	mut record: impl FnMut(AnchorId) -> Result<Option<AnchorRecord>, E>,
) -> Result<Status, E> {
	let Some(own) = record(id)? else { return Ok(Status::Unknown) };
	let above = standings_above(&own, record)?;
	Ok(status(Some(&own.standing()), &above, now))
}

/// What [`crate::status::status`] needs of the anchors above this one, nearest first. Nothing is registered below
/// [`MAX_ANCHOR_DEPTH`] others, so whatever would lie beyond counts as missing.
pub fn standings_above<E>(
	own: &AnchorRecord,
	mut record: impl FnMut(AnchorId) -> Result<Option<AnchorRecord>, E>,
) -> Result<Vec<Option<Standing>>, E> {
	let mut above = Vec::new();
	let mut next = own.issuer();
	while let Some(id) = next {
		let is_near = above.len() < usize::from(MAX_ANCHOR_DEPTH);
		let found = if is_near { record(id)? } else { None };
		next = found.as_ref().and_then(AnchorRecord::issuer);
		above.push(found.map(|found| found.standing()));
	}
	Ok(above)
}

/// The verdict about a chain of certificates below an anchor. Only [`Status::Valid`] is a yes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum ChainVerdict {
	/// The verdict about the first certificate of the chain, with everything above it. Whatever is graver than what can be
	/// wrong with a signature is told without a look at one.
	#[codec(index = 0)]
	Status(Status),
	/// The chain does not keep the rules of RFC 5280 or of the profile.
	#[codec(index = 1)]
	Broken {
		/// The certificate at fault, counted from 0 as the chain was given; `None` if it is an anchor.
		at: Option<u32>,
		/// What is wrong with it: the name of an error of the crate `dpki-x509`.
		problem: String,
	},
	/// The anchor is no X.509 anchor.
	#[codec(index = 2)]
	NotX509,
	/// The chain has no certificates, or more than [`MAX_CHAIN_LEN`].
	#[codec(index = 3)]
	LengthInvalid,
	/// No certificate can keep both the profile that is asked for and that of the anchor.
	#[codec(index = 4)]
	ProfileMismatch,
}

impl ChainVerdict {
	/// Whether the first certificate of the chain may be relied on.
	pub const fn is_valid(&self) -> bool {
		matches!(self, Self::Status(Status::Valid))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::revocation::RevocationReason;
	use core::convert::Infallible;

	const REVOKED: Revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 5 };

	fn id(n: u8) -> AnchorId {
		AnchorId([n; 32])
	}

	/// Anchors 0 to `len - 1`, each issued by the one before.
	fn chain(len: u8) -> Vec<AnchorRecord> {
		let record = |n: u8| AnchorRecord {
			certification: Some(Certification {
				profile: Profile::Rfc5280,
				issuer: n.checked_sub(1).map(id),
				depth: n,
			}),
			..AnchorRecord::new(
				OrganisationId([1; 32]),
				AnchorKind::X509Intermediate,
				None,
				KeyId([n; 32]),
				Validity { not_before: 0, not_after: Some(100) },
				0,
			)
		};
		(0..len).map(record).collect()
	}

	fn verdict(chain: &[AnchorRecord], of: u8, now: Moment) -> Status {
		let read = |id: AnchorId| Ok::<_, Infallible>(chain.get(usize::from(id.0[0])).cloned());
		let Ok(status) = anchor_status(id(of), now, read);
		status
	}

	#[test]
	fn each_kind_and_each_profile_has_a_word_of_its_own() {
		crate::assert_distinct_words(&AnchorKind::ALL.map(AnchorKind::name));
		crate::assert_distinct_words(&Profile::ALL.map(Profile::name));
	}

	#[test]
	fn whatever_happens_above_reaches_every_anchor_below_and_none_above() {
		let last = MAX_ANCHOR_DEPTH;
		let good = chain(last + 1);
		assert_eq!(verdict(&good, last, 10), Status::Valid);
		for at in 0..=last {
			let with = |change: &dyn Fn(&mut AnchorRecord)| {
				let mut chain = good.clone();
				change(&mut chain[usize::from(at)]);
				chain
			};
			let revoked = with(&|it| it.revocation = Some(REVOKED));
			let held = with(&|it| it.suspended = true);
			let expired = with(&|it| it.validity.not_after = Some(9));
			let early = with(&|it| it.validity.not_before = 11);
			let retired = with(&|it| it.retired_at = Some(10));
			for of in 0..=last {
				let (own, below) = (of == at, of >= at);
				let either = |bad, good| if below { bad } else { good };
				let of_revoked =
					if own { Status::Revoked(REVOKED) } else { Status::IssuerRevoked(REVOKED) };
				assert_eq!(verdict(&revoked, of, 10), either(of_revoked, Status::Valid));
				assert_eq!(verdict(&held, of, 10), either(Status::Suspended, Status::Valid));
				assert_eq!(verdict(&expired, of, 10), either(Status::Expired, Status::Valid));
				assert_eq!(verdict(&early, of, 10), either(Status::NotYetValid, Status::Valid));
				// What a retired anchor issued stays good.
				let of_retired = if own { Status::Superseded } else { Status::Valid };
				assert_eq!(verdict(&retired, of, 10), of_retired);
			}
		}
	}

	#[test]
	fn a_missing_anchor_above_makes_everything_below_unknown() {
		let mut chain = chain(3);
		chain[0].certification = Some(Certification { issuer: Some(id(9)), ..Default::default() });
		for of in 0..3 {
			assert_eq!(verdict(&chain, of, 10), Status::Unknown);
		}
	}

	#[test]
	fn a_walk_upwards_ends_even_in_a_circle() {
		let mut chain = chain(2);
		chain[0].certification = Some(Certification { issuer: Some(id(1)), ..Default::default() });
		assert_eq!(verdict(&chain, 1, 10), Status::Unknown);
		assert_eq!(
			verdict(&super::tests::chain(MAX_ANCHOR_DEPTH + 2), MAX_ANCHOR_DEPTH + 1, 10),
			Status::Unknown
		);
	}

	#[test]
	fn a_planned_retirement_comes_with_its_time() {
		let mut chain = chain(1);
		chain[0].retired_at = Some(20);
		assert_eq!(verdict(&chain, 0, 19), Status::Valid);
		assert_eq!(verdict(&chain, 0, 20), Status::Superseded);
	}

	#[test]
	fn a_revocation_list_has_an_address_that_can_be_fetched() {
		let pointer = |url: &str| CrlPointer {
			url: url.as_bytes().to_vec().try_into().unwrap(),
			digest: None,
		};
		for good in ["http://a.example/ca.crl", "https://a.example", "ipfs://bafy/ca.crl"] {
			assert!(pointer(good).is_valid(), "{good}");
		}
		for bad in ["", "https://", "ftp://a.example", "HTTP://a", "https://a b", "https://ä", "a"]
		{
			assert!(!pointer(bad).is_valid(), "{bad}");
		}
	}

	#[test]
	fn profiles_combine_unless_they_contradict_each_other() {
		for profile in Profile::ALL {
			assert_eq!(profile.with(profile), Some(profile));
			assert_eq!(profile.with(Profile::Rfc5280), Some(profile));
			assert_eq!(Profile::Rfc5280.with(profile), Some(profile));
		}
		assert_eq!(Profile::Matter.with(Profile::IdevId), None);
	}
}
