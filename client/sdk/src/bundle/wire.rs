//! Reading and writing without ever reserving room for what a stranger claims to send.

use super::{BundleError, MAX_NAMES};
use crate::names::{MAX_TEXT_LEN, NameKind};
use codec::{Compact, Decode, Encode};
use zeroize::Zeroizing;

pub(super) fn take<T: Decode>(input: &mut &[u8], what: &'static str) -> Result<T, BundleError> {
	T::decode(input).map_err(|_| BundleError::Malformed(what))
}

pub(super) fn take_count(
	input: &mut &[u8],
	what: &'static str,
	allowed: usize,
) -> Result<usize, BundleError> {
	let count = take::<Compact<u32>>(input, what)?.0 as usize;
	at_most(what, count, allowed)?;
	Ok(count)
}

/// So many bytes of the input, without copying them.
pub(super) fn take_slice<'a>(
	input: &mut &'a [u8],
	what: &'static str,
	allowed: usize,
) -> Result<&'a [u8], BundleError> {
	let len = take_count(input, what, allowed)?;
	let (bytes, rest) = input.split_at_checked(len).ok_or(BundleError::Malformed(what))?;
	*input = rest;
	Ok(bytes)
}

pub(super) fn take_text(
	input: &mut &[u8],
	what: &'static str,
	allowed: usize,
) -> Result<String, BundleError> {
	let bytes = take_slice(input, what, allowed)?;
	String::from_utf8(bytes.to_vec()).map_err(|_| BundleError::Malformed(what))
}

pub(super) fn take_names(
	input: &mut &[u8],
	what: &'static str,
) -> Result<Vec<String>, BundleError> {
	(0..take_count(input, what, MAX_NAMES)?)
		.map(|_| take_text(input, what, MAX_TEXT_LEN))
		.collect()
}

/// Adds bytes with their length before them.
pub(super) fn put_slice(output: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
	put(output, &Compact(bytes.len() as u32));
	put_raw(output, bytes);
}

pub(super) fn put(output: &mut Zeroizing<Vec<u8>>, value: &impl Encode) {
	value.using_encoded(|bytes| put_raw(output, bytes));
}

/// A buffer that grows moves, and leaves what it held behind; so a larger one is filled, and the old one wiped.
pub(super) fn put_raw(output: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
	let needed = output.len() + bytes.len();
	if needed > output.capacity() {
		let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two().max(1024)));
		larger.extend_from_slice(output);
		*output = larger;
	}
	output.extend_from_slice(bytes);
}

pub(super) fn at_most(what: &'static str, found: usize, allowed: usize) -> Result<(), BundleError> {
	if found > allowed { Err(BundleError::TooMuch { what, found, allowed }) } else { Ok(()) }
}

pub(super) fn check_names(
	kind: NameKind,
	all: &'static str,
	names: &[String],
) -> Result<(), BundleError> {
	at_most(all, names.len(), MAX_NAMES)?;
	Ok(names.iter().try_for_each(|name| kind.check(name))?)
}

/// One line of text that an OpenSSH file can hold.
pub(super) fn check_line(
	what: &'static str,
	line: &str,
	allowed: usize,
) -> Result<(), BundleError> {
	at_most(what, line.len(), allowed)?;
	let is_line = line.chars().all(|c| c.is_ascii_graphic() || c == ' ');
	if line.trim().is_empty() || !is_line { Err(BundleError::NotALine(what)) } else { Ok(()) }
}
