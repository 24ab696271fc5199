//! Trust anchors: what an organisation's devices start from.

use crate::{
	Moment,
	ids::{KeyId, OrganisationId},
	key::PublicKey,
	revocation::Revocation,
	status::{Standing, Validity},
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest material of an anchor in bytes: an X.509 root with an RSA-4096 key is about 1,400 bytes.
pub const MAX_ANCHOR_MATERIAL_LEN: u32 = 4096;

/// Most anchors that an organisation can have unrevoked at once. One list of ids, provable in one read.
pub const MAX_ANCHORS_PER_ORGANISATION: u32 = 32;

/// The material of an anchor: the SSH wire encoding of a public key (RFC 4253 section 6.6) or the DER of an X.509
/// certificate.
pub type AnchorMaterial = BoundedVec<u8, ConstU32<MAX_ANCHOR_MATERIAL_LEN>>;

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
}

impl AnchorKind {
	/// Every kind.
	pub const ALL: [AnchorKind; 3] =
		[AnchorKind::SshUserCa, AnchorKind::SshHostCa, AnchorKind::X509Root];

	/// The kind in one word, as clients print and take it.
	pub const fn name(self) -> &'static str {
		match self {
			AnchorKind::SshUserCa => "ssh-user-ca",
			AnchorKind::SshHostCa => "ssh-host-ca",
			AnchorKind::X509Root => "x509-root",
		}
	}
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
	/// From registration without end for SSH CAs, as in the certificate for X.509 roots.
	pub validity: Validity,
	/// When it was registered.
	pub registered_at: Moment,
	/// When it was retired: what it signed stays good, nothing new is to be signed.
	pub retired_at: Option<Moment>,
	/// Set once, never unset.
	pub revocation: Option<Revocation>,
}

impl AnchorRecord {
	/// What [`crate::status::status`] needs of this record.
	pub fn standing(&self) -> Standing {
		Standing {
			validity: self.validity,
			suspended: false,
			superseded_at: self.retired_at,
			revocation: self.revocation,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_kind_has_a_word_of_its_own() {
		crate::assert_distinct_words(&AnchorKind::ALL.map(AnchorKind::name));
	}
}
