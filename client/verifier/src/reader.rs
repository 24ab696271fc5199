//! A cursor over borrowed bytes that reads SCALE and never panics.
//!
//! `parity-scale-codec` decodes into owned values. What a bundle holds is looked at once and thrown away, so it stays
//! where it is, and only what is asked for gets copied.

use crate::error::{Error, Part};
use codec::{Compact, Decode};

#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
	rest: &'a [u8],
	part: Part,
}

impl<'a> Reader<'a> {
	/// Reads `bytes`; what is wrong with them is wrong with `part`.
	pub(crate) fn new(bytes: &'a [u8], part: Part) -> Self {
		Self { rest: bytes, part }
	}

	/// The same bytes, as part of something smaller.
	pub(crate) fn within(&mut self, part: Part) -> Part {
		core::mem::replace(&mut self.part, part)
	}

	fn malformed(&self) -> Error {
		Error::Malformed(self.part)
	}

	pub(crate) fn rest(&self) -> &'a [u8] {
		self.rest
	}

	pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
		let (taken, rest) = self.rest.split_at_checked(len).ok_or(self.malformed())?;
		self.rest = rest;
		Ok(taken)
	}

	pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
		let (taken, rest) = self.rest.split_first_chunk().ok_or(self.malformed())?;
		self.rest = rest;
		Ok(taken)
	}

	pub(crate) fn u8(&mut self) -> Result<u8, Error> {
		self.array().map(|[byte]| *byte)
	}

	pub(crate) fn u32(&mut self) -> Result<u32, Error> {
		self.array().copied().map(u32::from_le_bytes)
	}

	pub(crate) fn u64(&mut self) -> Result<u64, Error> {
		self.array().copied().map(u64::from_le_bytes)
	}

	/// A compact integer in its one canonical form.
	pub(crate) fn compact(&mut self) -> Result<u32, Error> {
		let malformed = self.malformed();
		Compact::<u32>::decode(&mut self.rest).map(|it| it.0).map_err(|_| malformed)
	}

	/// A compact length or count, at most `allowed`.
	pub(crate) fn count(&mut self, allowed: usize) -> Result<usize, Error> {
		let found = usize::try_from(self.compact()?).map_err(|_| self.malformed())?;
		at_most(self.part, found, allowed)
	}

	/// A `Vec<u8>` of at most `allowed` bytes.
	pub(crate) fn bytes(&mut self, allowed: usize) -> Result<&'a [u8], Error> {
		let len = self.count(allowed)?;
		self.take(len)
	}

	/// Nothing may follow.
	pub(crate) fn finish(self) -> Result<(), Error> {
		if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
	}
}

/// `found`, if it is within the limit.
pub(crate) fn at_most(part: Part, found: usize, allowed: usize) -> Result<usize, Error> {
	if found > allowed { Err(Error::TooLarge { part, found, allowed }) } else { Ok(found) }
}
