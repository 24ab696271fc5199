//! Channels: the lines on which a device gets its deliveries, independent of each other.
//!
//! What a team or a purpose delivers to a device, it delivers on a channel of its own. Each channel has its own sequence, its
//! own full desired state, its own approvals and its own acknowledgement, and what comes on one displaces nothing that came
//! on another. A channel separates work and not powers: whoever may publish for a device may publish on each of them.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;

/// How many channels a device has. The state holds up to so many deliveries for each device.
pub const MAX_CHANNELS: u8 = 16;

/// The number is no channel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchChannel;

impl fmt::Display for NoSuchChannel {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("a channel is a number from 0 to 15")
	}
}

#[cfg(feature = "std")]
impl std::error::Error for NoSuchChannel {}

/// One channel of a device: a number below [`MAX_CHANNELS`], encoded as one byte. Any other byte does not decode.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Debug,
	Default,
	Encode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ChannelId(u8);

impl ChannelId {
	/// The channel of whoever names none.
	pub const DEFAULT: Self = Self(0);

	/// The channel of this number; `None` if there is none.
	pub const fn new(number: u8) -> Option<Self> {
		if number < MAX_CHANNELS { Some(Self(number)) } else { None }
	}

	/// Its number.
	pub const fn number(self) -> u8 {
		self.0
	}

	/// Every channel, from the lowest.
	pub fn all() -> impl DoubleEndedIterator<Item = Self> {
		(0..MAX_CHANNELS).map(Self)
	}
}

impl Decode for ChannelId {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		Self::new(input.read_byte()?).ok_or_else(|| "no such channel".into())
	}
}

impl fmt::Display for ChannelId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(&self.0, f)
	}
}

impl FromStr for ChannelId {
	type Err = NoSuchChannel;

	fn from_str(text: &str) -> Result<Self, NoSuchChannel> {
		text.parse().ok().and_then(Self::new).ok_or(NoSuchChannel)
	}
}

/// A set of channels: 16 bits, of which bit `n`, counted from the lowest, stands for channel `n`.
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
pub struct ChannelSet(u16);

impl ChannelSet {
	/// No channel.
	pub const EMPTY: Self = Self(0);
	/// Every channel.
	pub const ALL: Self = Self(u16::MAX);

	/// The set with this channel.
	#[must_use]
	pub const fn with(self, channel: ChannelId) -> Self {
		Self(self.0 | (1 << channel.0))
	}

	/// Whether the channel is in it.
	pub const fn contains(self, channel: ChannelId) -> bool {
		self.0 & (1 << channel.0) != 0
	}

	/// Whether there is none in it.
	pub const fn is_empty(self) -> bool {
		self.0 == 0
	}

	/// Its channels, from the lowest.
	pub fn iter(self) -> impl DoubleEndedIterator<Item = ChannelId> {
		ChannelId::all().filter(move |channel| self.contains(*channel))
	}
}

impl FromIterator<ChannelId> for ChannelSet {
	fn from_iter<I: IntoIterator<Item = ChannelId>>(channels: I) -> Self {
		channels.into_iter().fold(Self::EMPTY, Self::with)
	}
}

impl fmt::Display for ChannelSet {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let numbers: Vec<_> = self.iter().map(|channel| alloc::format!("{channel}")).collect();
		f.write_str(&numbers.join(", "))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const LAST: ChannelId = ChannelId(MAX_CHANNELS - 1);

	#[test]
	fn a_channel_is_one_byte_below_sixteen() {
		assert_eq!(LAST.encode(), [15]);
		assert_eq!(ChannelId::decode(&mut &[15u8][..]), Ok(LAST));
		for number in [16, 255] {
			assert!(ChannelId::decode(&mut &[number][..]).is_err());
			assert_eq!(ChannelId::new(number), None);
		}
		assert_eq!(ChannelId::DEFAULT, ChannelId::default());
	}

	#[test]
	fn a_channel_is_written_as_its_number() {
		assert_eq!("7".parse().map(ChannelId::number), Ok(7));
		for text in ["16", "-1", "ssh", ""] {
			assert_eq!(text.parse::<ChannelId>(), Err(NoSuchChannel), "{text}");
		}
	}

	#[test]
	fn a_set_has_one_bit_for_each_channel() {
		assert_eq!(u16::BITS, u32::from(MAX_CHANNELS));
		assert_eq!(ChannelId::all().collect::<ChannelSet>(), ChannelSet::ALL);
		let set = ChannelSet::EMPTY.with(LAST).with(ChannelId::DEFAULT);
		assert_eq!(set.encode(), [1, 0x80]);
		assert!(set.contains(LAST) && !set.contains(ChannelId(3)) && !set.is_empty());
		assert_eq!(set.iter().map(ChannelId::number).collect::<Vec<_>>(), [0, 15]);
		assert_eq!(alloc::format!("{set}"), "0, 15");
		assert!(ChannelSet::EMPTY.is_empty());
	}
}
