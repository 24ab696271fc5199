//! Hash functions of signatures, and their numbers where the runtime calls its host.

use alloc::vec::Vec;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};

/// A hash function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
	/// SHA2-256.
	Sha256,
	/// SHA2-384.
	Sha384,
	/// SHA2-512.
	Sha512,
}

impl Hash {
	/// Every hash function, in the order of their numbers.
	pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

	/// The digest of a message.
	pub fn digest(self, message: &[u8]) -> Vec<u8> {
		match self {
			Self::Sha256 => Sha256::digest(message).to_vec(),
			Self::Sha384 => Sha384::digest(message).to_vec(),
			Self::Sha512 => Sha512::digest(message).to_vec(),
		}
	}

	/// The number by which the runtime names it to the host.
	pub const fn number(self) -> u8 {
		match self {
			Self::Sha256 => 0,
			Self::Sha384 => 1,
			Self::Sha512 => 2,
		}
	}

	/// The hash function of this number.
	pub fn from_number(number: u8) -> Option<Self> {
		Self::ALL.into_iter().find(|hash| hash.number() == number)
	}
}
