//! OpenSSH key revocation lists, after `PROTOCOL.krl`.
//!
//! A list that sshd cannot read makes it refuse every public key, so what is written here is read back before it is
//! used, and the tests ask `ssh-keygen`.

use dpki_primitives::revocation::{SshRevocation, SshSubject};
use std::collections::{BTreeMap, BTreeSet};

/// `SSHKRL\n\0`.
const MAGIC: u64 = 0x5353_484b_524c_0a00;
const FORMAT_VERSION: u32 = 1;
const SECTION_CERTIFICATES: u8 = 1;
const SECTION_FINGERPRINT_SHA256: u8 = 5;
const CERTIFICATES_SERIAL_LIST: u8 = 0x20;

/// Names the writer inside the list.
const COMMENT: &[u8] = b"dpki";

/// The bytes are no list of the kind that [`Krl::encode`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key revocation list is malformed")]
pub struct KrlMalformed;

/// What is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Krl {
	/// Rises with the content.
	pub version: u64,
	/// When it came about, in seconds since the Unix epoch.
	pub generated_at: u64,
	/// Serial numbers of certificates, by the wire encoding of the CA key that signed them.
	pub serials: BTreeMap<Vec<u8>, BTreeSet<u64>>,
	/// SHA2-256 of the wire encoding of public keys. OpenSSH applies them to the key itself, to the key inside a
	/// certificate and to the CA key that signed one.
	pub fingerprints: BTreeSet<[u8; 32]>,
}

impl Krl {
	/// How many serial numbers are in it, of all CAs together.
	pub fn serial_count(&self) -> usize {
		self.serials.values().map(BTreeSet::len).sum()
	}

	/// Adds what is revoked under the CA whose key has this wire encoding. The same revocations give the same list.
	pub fn add(&mut self, ca: &[u8], entries: &[SshRevocation]) {
		for entry in entries {
			match entry.subject {
				SshSubject::Serial(serial) => {
					self.serials.entry(ca.to_vec()).or_default().insert(serial);
				},
				SshSubject::KeyFingerprint(fingerprint) => {
					self.fingerprints.insert(fingerprint);
				},
			}
			self.generated_at = self.generated_at.max(entry.revocation.at / 1000);
			self.version += 1;
		}
	}

	/// The file. Equal lists give equal bytes.
	pub fn encode(&self) -> Vec<u8> {
		let mut krl = MAGIC.to_be_bytes().to_vec();
		krl.extend(FORMAT_VERSION.to_be_bytes());
		krl.extend(self.version.to_be_bytes());
		krl.extend(self.generated_at.to_be_bytes());
		krl.extend(0u64.to_be_bytes()); // flags: none are defined
		put_string(&mut krl, &[]); // reserved
		put_string(&mut krl, COMMENT);
		for (ca, serials) in &self.serials {
			// Zero stands for "unnumbered" and makes sshd refuse the whole list.
			let serials: Vec<u8> = serials
				.iter()
				.filter(|serial| **serial != 0)
				.flat_map(|serial| serial.to_be_bytes())
				.collect();
			if serials.is_empty() {
				continue;
			}
			let mut section = Vec::new();
			put_string(&mut section, ca);
			put_string(&mut section, &[]); // reserved
			section.push(CERTIFICATES_SERIAL_LIST);
			put_string(&mut section, &serials);
			krl.push(SECTION_CERTIFICATES);
			put_string(&mut krl, &section);
		}
		if !self.fingerprints.is_empty() {
			let mut section = Vec::new();
			// The set is ordered, as the format asks for.
			for fingerprint in &self.fingerprints {
				put_string(&mut section, fingerprint);
			}
			krl.push(SECTION_FINGERPRINT_SHA256);
			put_string(&mut krl, &section);
		}
		krl
	}

	/// Reads what [`Krl::encode`] wrote.
	pub fn decode(bytes: &[u8]) -> Result<Self, KrlMalformed> {
		let mut input = Input(bytes);
		if input.u64()? != MAGIC || input.u32()? != FORMAT_VERSION {
			return Err(KrlMalformed);
		}
		let mut krl = Krl { version: input.u64()?, generated_at: input.u64()?, ..Krl::default() };
		let _flags = input.u64()?;
		let _reserved = input.string()?;
		let _comment = input.string()?;
		while !input.is_empty() {
			let section = input.u8()?;
			let mut body = Input(input.string()?);
			match section {
				SECTION_CERTIFICATES => {
					let serials = krl.serials.entry(body.string()?.to_vec()).or_default();
					let _reserved = body.string()?;
					while !body.is_empty() {
						if body.u8()? != CERTIFICATES_SERIAL_LIST {
							return Err(KrlMalformed);
						}
						let mut list = Input(body.string()?);
						while !list.is_empty() {
							serials.insert(list.u64()?);
						}
					}
				},
				SECTION_FINGERPRINT_SHA256 => {
					while !body.is_empty() {
						let fingerprint = body.string()?.try_into().map_err(|_| KrlMalformed)?;
						krl.fingerprints.insert(fingerprint);
					}
				},
				_ => return Err(KrlMalformed),
			}
		}
		Ok(krl)
	}
}

/// The `string` of RFC 4251 section 5.
fn put_string(output: &mut Vec<u8>, bytes: &[u8]) {
	let length = u32::try_from(bytes.len()).expect("a list has at most 4,096 entries per anchor");
	output.extend(length.to_be_bytes());
	output.extend_from_slice(bytes);
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
	fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	fn take(&mut self, length: usize) -> Result<&'a [u8], KrlMalformed> {
		let (head, tail) = self.0.split_at_checked(length).ok_or(KrlMalformed)?;
		self.0 = tail;
		Ok(head)
	}

	fn array<const N: usize>(&mut self) -> Result<[u8; N], KrlMalformed> {
		self.take(N)?.try_into().map_err(|_| KrlMalformed)
	}

	fn u8(&mut self) -> Result<u8, KrlMalformed> {
		self.array().map(u8::from_be_bytes)
	}

	fn u32(&mut self) -> Result<u32, KrlMalformed> {
		self.array().map(u32::from_be_bytes)
	}

	fn u64(&mut self) -> Result<u64, KrlMalformed> {
		self.array().map(u64::from_be_bytes)
	}

	fn string(&mut self) -> Result<&'a [u8], KrlMalformed> {
		let length = self.u32()?;
		self.take(length as usize)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		path::{Path, PathBuf},
		process::Command,
	};

	fn keygen(args: &[&str], dir: &Path) -> std::process::Output {
		Command::new("ssh-keygen")
			.args(args)
			.current_dir(dir)
			.output()
			.expect("ssh-keygen runs")
	}

	/// A CA and two certificates of it, serials 7 and 8.
	fn issued(dir: &Path) -> (Vec<u8>, PathBuf, PathBuf) {
		for name in ["ca", "seven", "eight"] {
			let made = keygen(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], dir);
			assert!(made.status.success(), "{made:?}");
		}
		for (name, serial) in [("seven", "7"), ("eight", "8")] {
			let public = format!("{name}.pub");
			let signed =
				keygen(&["-q", "-s", "ca", "-I", name, "-n", "admin", "-z", serial, &public], dir);
			assert!(signed.status.success(), "{signed:?}");
		}
		(wire(&dir.join("ca.pub")), dir.join("seven-cert.pub"), dir.join("eight-cert.pub"))
	}

	fn wire(public: &Path) -> Vec<u8> {
		let text = std::fs::read_to_string(public).unwrap();
		ssh_key::PublicKey::from_openssh(&text).unwrap().to_bytes().unwrap()
	}

	fn fingerprint(public: &Path) -> [u8; 32] {
		use sha2::{Digest, Sha256};
		Sha256::digest(wire(public)).into()
	}

	/// Whether `ssh-keygen -Q` takes the key for revoked. It says so by name, so that a list that it cannot read does
	/// not pass for one that revokes.
	fn is_revoked(krl: &Krl, public: &Path) -> bool {
		let dir = public.parent().unwrap();
		std::fs::write(dir.join("krl"), krl.encode()).unwrap();
		let asked = keygen(&["-Q", "-f", "krl", &public.to_string_lossy()], dir);
		let said = String::from_utf8_lossy(&asked.stdout).into_owned();
		match asked.status.code() {
			Some(0) => assert!(said.trim_end().ends_with(": ok"), "{said}"),
			Some(1) => assert!(said.trim_end().ends_with(": REVOKED"), "{asked:?}"),
			_ => panic!("{asked:?}"),
		}
		asked.status.code() == Some(1)
	}

	#[test]
	fn an_empty_list_revokes_nothing() {
		let dir = tempfile::tempdir().unwrap();
		let (_, seven, eight) = issued(dir.path());
		assert!(!is_revoked(&Krl::default(), &seven));
		assert!(!is_revoked(&Krl::default(), &eight));
	}

	#[test]
	fn ssh_keygen_reads_revoked_serials() {
		let dir = tempfile::tempdir().unwrap();
		let (ca, seven, eight) = issued(dir.path());
		let mut krl = Krl { version: 1, generated_at: 1_790_000_000, ..Krl::default() };
		// Zero would make the list unreadable, large serials must not be cut.
		krl.serials.insert(ca, BTreeSet::from([0, 7, 1 << 40, u64::MAX]));
		assert!(is_revoked(&krl, &seven));
		assert!(!is_revoked(&krl, &eight));
	}

	#[test]
	fn a_serial_is_revoked_under_its_own_ca_only() {
		let dir = tempfile::tempdir().unwrap();
		let (_, seven, _) = issued(dir.path());
		let mut krl = Krl::default();
		krl.serials.insert(wire(&dir.path().join("eight.pub")), BTreeSet::from([7]));
		assert!(!is_revoked(&krl, &seven));
	}

	#[test]
	fn ssh_keygen_reads_revoked_keys_and_cas() {
		let dir = tempfile::tempdir().unwrap();
		let (_, seven, eight) = issued(dir.path());
		let mut krl = Krl::default();
		krl.fingerprints.insert(fingerprint(&dir.path().join("seven.pub")));
		assert!(is_revoked(&krl, &seven), "a certificate falls with its key");
		assert!(is_revoked(&krl, &dir.path().join("seven.pub")));
		assert!(!is_revoked(&krl, &eight));
		krl.fingerprints = BTreeSet::from([fingerprint(&dir.path().join("ca.pub"))]);
		assert!(is_revoked(&krl, &seven) && is_revoked(&krl, &eight), "and with its CA");
	}

	#[test]
	fn ssh_keygen_reads_a_full_list() {
		let dir = tempfile::tempdir().unwrap();
		let (ca, seven, eight) = issued(dir.path());
		let mut krl = Krl::default();
		krl.serials.insert(ca, (8..4104).collect());
		krl.fingerprints = (0..4096u32)
			.map(|n| {
				let mut print = [0; 32];
				print[28..].copy_from_slice(&n.to_be_bytes());
				print
			})
			.collect();
		assert!(!is_revoked(&krl, &seven));
		assert!(is_revoked(&krl, &eight));
	}

	#[test]
	fn a_list_reads_back_and_every_cut_is_noticed() {
		let mut krl = Krl { version: 3, generated_at: 4, ..Krl::default() };
		krl.serials.insert(vec![1, 2, 3], BTreeSet::from([5, 6]));
		krl.fingerprints.insert([9; 32]);
		let bytes = krl.encode();
		assert_eq!(Krl::decode(&bytes), Ok(krl.clone()));
		let boundaries = [
			Krl { serials: BTreeMap::new(), ..krl.clone() },
			Krl { fingerprints: BTreeSet::new(), ..krl.clone() },
			Krl { serials: BTreeMap::new(), fingerprints: BTreeSet::new(), ..krl.clone() },
		];
		for cut in 0..bytes.len() {
			// Cut between sections it is a shorter list, which the comparison with what was meant tells.
			let read = Krl::decode(&bytes[..cut]);
			assert!(read == Err(KrlMalformed) || boundaries.contains(&read.unwrap()), "{cut}");
		}
	}
}
