//! Filings: certificates that devices ask for over the chain.
//!
//! A device makes its keys itself, and files a request for a certificate about one of them. Whoever holds a CA key reads it
//! from the chain, and what comes back is an ordinary delivery. A filing is public for ever and carries no secret: the
//! request of an X.509 certificate (PKCS#10), or a key with the names of a host or of a user.

use crate::{
	Moment,
	channel::ChannelId,
	ids::{DeviceId, KeyId, Login, Name, OrganisationId, derive},
	key::Signature,
	quota::Quota,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How many filings of a device the chain remembers. A device that wants more than these at once takes the slot of one that
/// was answered.
pub const MAX_FILINGS_PER_DEVICE: u8 = 4;

/// Longest body of a filing in bytes: PKCS#10 for an RSA-4096 key with some names is about 1,700, and a host has room for
/// seven names of the greatest length.
pub const MAX_FILING_LEN: u32 = 2048;

/// How long a filing waits for an answer: 7 days, so that whoever comes back from a weekend finds it.
pub const FILING_LIFETIME: Moment = 7 * 24 * 60 * 60 * 1000;

/// What a filing is about, as the device writes it; see [`FilingKind`].
pub type FilingBody = BoundedVec<u8, ConstU32<MAX_FILING_LEN>>;

/// Which certificate.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum FilingKind {
	/// An SSH host certificate. The body is the host key as the chain knows it and the names of the host, in SCALE.
	#[codec(index = 0)]
	SshHost,
	/// An X.509 certificate for a service of the device. The body is the request (PKCS#10) in DER.
	#[codec(index = 1)]
	Tls {
		/// Which service: a name, see [`crate::ids::is_valid_name`].
		service: Name,
	},
	/// An SSH certificate with which a user of the device proves itself elsewhere. The body is the key that the device has made
	/// for it and the principals, in SCALE.
	#[codec(index = 2)]
	SshUser {
		/// Which account of the device, see [`crate::ids::is_valid_login`].
		login: Login,
	},
}

impl FilingKind {
	/// What a filing is named by: it covers all that the device asks for.
	pub fn content(&self, body: &[u8]) -> [u8; 32] {
		derive(b"dpki/filing/1", &(self, body))
	}

	/// Whether a filing of this kind can have this name and this body. What the body says is the concern of whoever
	/// answers.
	pub fn is_well_formed(&self, body: &[u8]) -> bool {
		let is_named = match self {
			Self::SshHost => true,
			Self::Tls { service } => crate::ids::is_valid_name(service),
			Self::SshUser { login } => crate::ids::is_valid_login(login),
		};
		is_named && !body.is_empty() && body.len() <= MAX_FILING_LEN as usize
	}
}

/// A filing as stored.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Filing {
	/// The organisation of the device, which answers.
	pub organisation: OrganisationId,
	/// Which certificate.
	pub kind: FilingKind,
	/// [`FilingKind::content`] of it.
	pub content: [u8; 32],
	/// Its number: how many statements about filings the chain had taken from the device before.
	pub number: u64,
	/// The key of the device that signed it.
	pub key: KeyId,
	/// When the chain learnt of it.
	pub filed_at: Moment,
	/// Last moment at which it waits for an answer.
	pub expires_at: Moment,
	/// What became of it.
	pub standing: FilingStanding,
}

impl Filing {
	/// Whether it waits for an answer at `now`.
	pub fn is_waiting(&self, now: Moment) -> bool {
		matches!(self.standing, FilingStanding::Waiting { .. }) && now <= self.expires_at
	}
}

/// What became of a filing.
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
pub enum FilingStanding {
	/// Nobody has answered yet.
	#[codec(index = 0)]
	Waiting {
		/// Its position among those that wait for the organisation.
		position: u32,
	},
	/// The certificate was delivered, as whoever answered says.
	#[codec(index = 1)]
	Answered {
		/// On this channel of the device.
		channel: ChannelId,
		/// In the delivery of this number.
		sequence: u64,
		/// When that was said.
		at: Moment,
	},
	/// There is none.
	#[codec(index = 2)]
	Refused {
		/// Why not.
		objection: Objection,
		/// When that was said.
		at: Moment,
	},
}

/// Why a device gets no certificate.
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
pub enum Objection {
	/// No reason was given.
	#[codec(index = 0)]
	Unspecified,
	/// The device is not to have these names.
	#[codec(index = 1)]
	NamesNotAllowed,
	/// The organisation has no such service on this device.
	#[codec(index = 2)]
	ServiceUnknown,
	/// The key is of a type or a size that the CA does not certify, or its possession is not proven.
	#[codec(index = 3)]
	KeyUnfit,
	/// What is asked for cannot be read.
	#[codec(index = 4)]
	Malformed,
	/// The certificate that the device has is good enough.
	#[codec(index = 5)]
	NotNeeded,
}

impl Objection {
	/// Every objection.
	pub const ALL: [Objection; 6] = [
		Objection::Unspecified,
		Objection::NamesNotAllowed,
		Objection::ServiceUnknown,
		Objection::KeyUnfit,
		Objection::Malformed,
		Objection::NotNeeded,
	];

	/// The objection in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			Objection::Unspecified => "unspecified",
			Objection::NamesNotAllowed => "names-not-allowed",
			Objection::ServiceUnknown => "service-unknown",
			Objection::KeyUnfit => "key-unfit",
			Objection::Malformed => "malformed",
			Objection::NotNeeded => "not-needed",
		}
	}

	/// What is wrong and what to do about it, in one sentence.
	pub const fn sentence(self) -> &'static str {
		match self {
			Objection::Unspecified => "the organisation gave no reason: ask it for one",
			Objection::NamesNotAllowed => {
				"the device is not to have these names: ask for others, or have them allowed first"
			},
			Objection::ServiceUnknown => {
				"the organisation knows no such service on this device: check its name, or have it admitted first"
			},
			Objection::KeyUnfit => {
				"the key is not one that the CA certifies: make one of another type or size, and ask again"
			},
			Objection::Malformed => "the request cannot be read: update the agent, and ask again",
			Objection::NotNeeded => {
				"the certificate that the device has is good enough: ask again when it ends"
			},
		}
	}
}

/// What a filing is about, with the word of the device for it: kept as long as somebody has to read it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FilingContent {
	/// What the device wrote.
	pub body: FilingBody,
	/// The signature over [`Action::FileRequest`](crate::context::Action::FileRequest).
	pub signature: Signature,
	/// Its expiry.
	pub signed_until: Moment,
}

/// What a device may say about filings.
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
pub struct Filer {
	/// How many statements about filings the chain has taken from it: the number of the next one.
	pub next: u64,
	/// How many filings it has left.
	pub quota: Quota,
}

/// A filing in the list of those that wait for an organisation.
pub type FilingPlace = (DeviceId, u8);

/// The slots of a device.
pub fn slots() -> impl Iterator<Item = u8> {
	0..MAX_FILINGS_PER_DEVICE
}

/// The slot for something that a device wants to file: that of a filing of the same kind, so that it takes its place; else
/// one that holds nothing, or one whose filing waits for nobody any more. `None` if all of them wait for something else.
pub fn slot_for(kind: &FilingKind, filings: &[(u8, Filing)], now: Moment) -> Option<u8> {
	let held = |slot: u8| filings.iter().find(|(at, _)| *at == slot).map(|(_, filing)| filing);
	let same = slots().find(|slot| held(*slot).is_some_and(|filing| filing.kind == *kind));
	let empty = || slots().find(|slot| held(*slot).is_none());
	let mut ended: Vec<_> = filings.iter().filter(|(_, filing)| !filing.is_waiting(now)).collect();
	ended.sort_by_key(|(_, filing)| filing.filed_at);
	same.or_else(empty).or_else(|| ended.first().map(|(slot, _)| *slot))
}

#[cfg(test)]
mod tests {
	use super::*;

	const NOW: Moment = 1_700_000_000_000;

	fn tls(service: &str) -> FilingKind {
		FilingKind::Tls { service: Name::truncate_from(service.as_bytes().to_vec()) }
	}

	fn user(login: &str) -> FilingKind {
		FilingKind::SshUser { login: Login::truncate_from(login.as_bytes().to_vec()) }
	}

	fn filing(kind: FilingKind, filed_at: Moment, is_waiting: bool) -> Filing {
		let at = filed_at;
		Filing {
			organisation: OrganisationId([1; 32]),
			content: kind.content(b"body"),
			kind,
			number: 0,
			key: KeyId([2; 32]),
			filed_at,
			expires_at: filed_at + FILING_LIFETIME,
			standing: match is_waiting {
				true => FilingStanding::Waiting { position: 0 },
				false => FilingStanding::Answered { channel: ChannelId::DEFAULT, sequence: 1, at },
			},
		}
	}

	#[test]
	fn a_content_is_that_of_one_kind_service_and_body() {
		let content = tls("web").content(b"body");
		assert_eq!(tls("web").content(b"body"), content);
		for other in [
			tls("mesh").content(b"body"),
			tls("web").content(b"bod"),
			FilingKind::SshHost.content(b"body"),
			user("web").content(b"body"),
		] {
			assert_ne!(other, content);
		}
	}

	#[test]
	fn names_and_lengths_are_those_that_clients_can_show() {
		assert!(tls("web").is_well_formed(&[1]));
		assert!(FilingKind::SshHost.is_well_formed(&[1; MAX_FILING_LEN as usize]));
		assert!(!FilingKind::SshHost.is_well_formed(&[1; MAX_FILING_LEN as usize + 1]));
		assert!(!tls("web").is_well_formed(&[]));
		assert!(user("_Ops").is_well_formed(&[1]) && !user("_Ops").is_well_formed(&[]));
		for wrong in ["", "../x", "We\u{1b}b"] {
			assert!(!tls(wrong).is_well_formed(&[1]), "{wrong}");
			assert!(!user(wrong).is_well_formed(&[1]), "{wrong}");
		}
	}

	#[test]
	fn the_kinds_are_written_as_they_always_were() {
		assert_eq!(FilingKind::SshHost.encode(), [0]);
		assert_eq!(tls("web").encode(), b"\x01\x0cweb");
		assert_eq!(user("ops").encode(), b"\x02\x0cops");
	}

	#[test]
	fn a_new_filing_takes_the_slot_of_its_like_then_an_empty_one_then_the_oldest_that_ended() {
		let mut filings: Vec<_> = [("a", NOW, true), ("b", NOW + 2, false), ("c", NOW + 1, false)]
			.into_iter()
			.zip([0, 1, 3])
			.map(|((service, at, waits), slot)| (slot, filing(tls(service), at, waits)))
			.collect();
		assert_eq!(slot_for(&tls("c"), &filings, NOW), Some(3));
		assert_eq!(slot_for(&tls("a"), &filings, NOW), Some(0));
		assert_eq!(slot_for(&tls("d"), &filings, NOW), Some(2));
		filings.push((2, filing(FilingKind::SshHost, NOW, true)));
		assert_eq!(slot_for(&tls("d"), &filings, NOW), Some(3));
		for (_, filing) in &mut filings {
			filing.standing = FilingStanding::Waiting { position: 0 };
		}
		assert_eq!(slot_for(&tls("d"), &filings, NOW), None);
		assert_eq!(slot_for(&tls("d"), &filings, NOW + FILING_LIFETIME + 1), Some(0));
	}

	#[test]
	fn each_objection_has_a_word_of_its_own_and_a_next_step() {
		crate::assert_distinct_words(&Objection::ALL.map(Objection::name));
		for (index, objection) in Objection::ALL.into_iter().enumerate() {
			assert_eq!(objection.encode(), [index as u8]);
			let (problem, step) = objection.sentence().split_once(": ").expect("problem: step");
			assert!(!problem.is_empty() && !step.is_empty());
		}
	}
}
