//! The shape of DER, looked at before anything is decoded.
//!
//! The decoder sorts each SET that it reads with an insertion sort, whose time grows with the square of the number
//! of elements; it is called only on input whose sets are small. The look costs one pass over the tags.

use x509_cert::der::{Decode, Encode};

/// Most elements of a SET. A set of more than two attributes in a name has not been seen.
const MAX_SET: usize = 16;

/// Most elements of a context-specific type, which can be a SET by implicit tagging.
const MAX_TAGGED: usize = 256;

/// Deepest nesting. Certificates reach 8.
const MAX_DEPTH: usize = 16;

const CONSTRUCTED: u8 = 0x20;
const SET: u8 = 0x31;
const CONTEXT_SPECIFIC: u8 = 0x80;
const CLASS: u8 = 0xc0;
const HIGH_TAG_NUMBER: u8 = 0x1f;

/// Decodes `der`, if that can be done in time linear in its length, and if encoding the result gives `der` again:
/// what has two encodings has one here, and no byte goes unread.
pub(crate) fn decode_strict<'a, T: Decode<'a> + Encode>(der: &'a [u8]) -> Option<T> {
	if !is_cheap(der, MAX_TAGGED, 0) {
		return None;
	}
	let value = T::from_der(der).ok()?;
	(value.to_der().ok()? == der).then_some(value)
}

fn is_cheap(mut input: &[u8], limit: usize, depth: usize) -> bool {
	let mut count = 0;
	while !input.is_empty() {
		let Some((tag, value, rest)) = element(input) else { return false };
		count += 1;
		if count > limit || depth > MAX_DEPTH {
			return false;
		}
		let limit = match tag {
			SET => MAX_SET,
			_ if tag & CLASS == CONTEXT_SPECIFIC => MAX_TAGGED,
			_ => usize::MAX,
		};
		if tag & CONSTRUCTED != 0 && !is_cheap(value, limit, depth + 1) {
			return false;
		}
		input = rest;
	}
	true
}

/// Splits the first element off: its tag, its value, the rest.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
	let (&tag, input) = input.split_first()?;
	if tag & HIGH_TAG_NUMBER == HIGH_TAG_NUMBER {
		return None;
	}
	let (&first, mut input) = input.split_first()?;
	let mut len = usize::from(first);
	if first & 0x80 != 0 {
		let (bytes, rest) = input.split_at_checked(usize::from(first & 0x7f))?;
		if bytes.is_empty() || bytes.len() > 3 {
			return None;
		}
		len = bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
		input = rest;
	}
	let (value, rest) = input.split_at_checked(len)?;
	Some((tag, value, rest))
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{vec, vec::Vec};
	use x509_cert::der::Any;

	fn wrapped(tag: u8, count: usize) -> Vec<u8> {
		let mut der = vec![tag, u8::try_from(count * 2).unwrap()];
		der.extend([5, 0].repeat(count));
		der
	}

	#[test]
	fn a_set_of_many_elements_is_not_decoded() {
		assert!(decode_strict::<Any>(&wrapped(SET, MAX_SET)).is_some());
		assert!(decode_strict::<Any>(&wrapped(SET, MAX_SET + 1)).is_none());
		assert!(decode_strict::<Any>(&wrapped(0x30, MAX_SET + 1)).is_some());
	}

	#[test]
	fn deep_nesting_is_not_decoded() {
		let nest = |depth: usize| {
			(0..depth).fold(vec![5, 0], |inner, _| {
				let mut der = vec![0x30, u8::try_from(inner.len()).unwrap()];
				der.extend(inner);
				der
			})
		};
		assert!(decode_strict::<Any>(&nest(MAX_DEPTH)).is_some());
		assert!(decode_strict::<Any>(&nest(MAX_DEPTH + 2)).is_none());
	}

	#[test]
	fn truncated_overlong_and_indefinite_elements_are_not_decoded() {
		for der in [&[0x30][..], &[0x30, 2, 5], &[0x30, 0x80, 0, 0], &[4, 0x81, 1, 0], &[5, 0, 0]] {
			assert!(decode_strict::<Any>(der).is_none(), "{der:?}");
		}
	}
}
