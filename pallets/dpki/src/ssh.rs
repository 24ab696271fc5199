//! The SSH wire encoding of public keys (RFC 4253 section 6.6), read strictly.

use crate::{Config, Error, crypto};
use dpki_primitives::key::{KeyType, PublicKey};
use frame_support::ensure;

/// The key in `blob`: `ssh-ed25519` (RFC 8709 section 4) or `ecdsa-sha2-nistp256` with an uncompressed point
/// (RFC 5656 section 3.1), which are the forms that OpenSSH writes. Every key has exactly one accepted blob, so an
/// anchor has one id per kind.
pub fn parse<T: Config>(blob: &[u8]) -> Result<PublicKey, Error<T>> {
	let mut reader = Reader(blob);
	let key = match reader.string().ok_or(Error::<T>::SshKeyMalformed)? {
		b"ssh-ed25519" => reader.string().and_then(|key| PublicKey::new(KeyType::Ed25519, key)),
		b"ecdsa-sha2-nistp256" => reader
			.string()
			.filter(|curve| *curve == b"nistp256")
			.and_then(|_| reader.string())
			.filter(|point| point.len() == 65)
			.and_then(crypto::p256_key),
		_ => return Err(Error::<T>::SshKeyTypeUnsupported),
	};
	ensure!(reader.0.is_empty(), Error::<T>::SshKeyMalformed);
	key.filter(crypto::is_well_formed).ok_or(Error::<T>::SshKeyMalformed)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
	/// A `string` of RFC 4251 section 5: a big-endian `u32` length, then that many bytes.
	fn string(&mut self) -> Option<&'a [u8]> {
		let (len, rest) = self.0.split_first_chunk()?;
		let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
		let (string, rest) = rest.split_at_checked(len)?;
		self.0 = rest;
		Some(string)
	}
}
