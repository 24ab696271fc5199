//! Damage to bytes: the same in every run of the same seed.

/// Bytes that parsers stumble over: limits of lengths, of DER, of SCALE's compact numbers.
const EDGES: [u8; 12] = [0x00, 0x01, 0x02, 0x03, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff];

/// Longest input that is made.
const MAX_LEN: usize = 16 * 1024;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// A number below the bound; 0 if there is none.
	pub fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound.max(1) as u64) as usize
	}

	/// One of the seeds, damaged in up to four places.
	pub fn damaged(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
		let mut bytes = seeds.get(self.below(seeds.len())).cloned().unwrap_or_default();
		for _ in 0..1 + self.below(4) {
			self.damage(&mut bytes, seeds);
		}
		bytes.truncate(MAX_LEN);
		bytes
	}

	fn damage(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
		let at = self.below(bytes.len());
		let end = at + self.below((bytes.len() - at).min(64) + 1);
		match self.below(10) {
			0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
			2 if !bytes.is_empty() => bytes[at] = self.next() as u8,
			3 | 4 if !bytes.is_empty() => bytes[at] = EDGES[self.below(EDGES.len())],
			5 => {
				let inserted: Vec<u8> =
					(0..1 + self.below(8)).map(|_| EDGES[self.below(EDGES.len())]).collect();
				bytes.splice(at..at, inserted);
			},
			6 => drop(bytes.drain(at..end)),
			7 => {
				let repeated = bytes[at..end].to_vec();
				bytes.splice(at..at, repeated);
			},
			8 => bytes.truncate(at),
			_ => {
				// A part of another seed in the place of one of this.
				let Some(other) = seeds.get(self.below(seeds.len())) else { return };
				let from = self.below(other.len());
				let to = from + self.below((other.len() - from).min(64) + 1);
				bytes.splice(at..end, other[from..to].iter().copied());
			},
		}
	}
}
