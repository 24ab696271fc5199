//! One-time enrolment rights as people and QR codes carry them.
//!
//! The text of a voucher is `dpki-voucher1:` and a base32 payload (RFC 4648, without padding) that ends with a
//! checksum. Case does not matter, so that a QR code may hold it in upper case, in the compact alphanumeric mode.
//! Whoever has the text has the right: it is a secret until it is used.

use crate::names::NAME_RULE;
use data_encoding::BASE32_NOPAD;
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext},
	ids::{DeviceId, KeyId, OrganisationId, VoucherCommitment, VoucherId, is_valid_name},
	key::NewKey,
};
use ed25519_dalek::Signer as _;
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use std::str::FromStr;
use zeroize::Zeroizing;

const PREFIX: &str = "dpki-voucher1:";

/// Bytes of the checksum: four of them miss one slip of the pen in four thousand million.
const CHECKSUM_LEN: usize = 4;

/// Genesis hash, seed and expiry, which come before the two names.
const FIXED_LEN: usize = 32 + 32 + 8;

/// Why a text is no voucher, or a voucher cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VoucherError {
	/// It does not begin like one.
	#[error("this is no voucher: a voucher begins with `{PREFIX}`")]
	Prefix,
	/// It has a character that none has.
	#[error(
		"the voucher has a wrong character at position {position}: vouchers use the letters A-Z and the digits 2-7"
	)]
	Character {
		/// Counted from 1.
		position: usize,
	},
	/// It is too short or too long.
	#[error("the voucher is incomplete or too long: copy it again from `{PREFIX}` to its end")]
	Length,
	/// It does not add up.
	#[error("the voucher was copied wrongly (its checksum does not fit): copy it again")]
	Checksum,
	/// It names what cannot be named.
	#[error("`{name}` is no name: use {NAME_RULE}")]
	Name {
		/// What was given.
		name: String,
	},
}

/// The right to enrol one named device of an organisation, once, until it expires.
#[derive(Clone)]
pub struct Voucher {
	genesis: [u8; 32],
	organisation: String,
	device: String,
	expires_at: Moment,
	seed: Zeroizing<[u8; 32]>,
}

impl Voucher {
	/// A new voucher. It counts once the organisation has issued its [`Voucher::commitment`] on the chain.
	pub fn generate(
		genesis: [u8; 32],
		organisation: &str,
		device: &str,
		expires_at: Moment,
	) -> Result<Self, VoucherError> {
		let mut seed = Zeroizing::new([0; 32]);
		OsRng.fill_bytes(&mut *seed);
		Self::new(genesis, organisation, device, expires_at, seed)
	}

	fn new(
		genesis: [u8; 32],
		organisation: &str,
		device: &str,
		expires_at: Moment,
		seed: Zeroizing<[u8; 32]>,
	) -> Result<Self, VoucherError> {
		for name in [organisation, device] {
			if !is_valid_name(name.as_bytes()) {
				return Err(VoucherError::Name { name: name.into() });
			}
		}
		Ok(Self {
			genesis,
			organisation: organisation.into(),
			device: device.into(),
			expires_at,
			seed,
		})
	}

	/// The genesis hash of the chain that it is for.
	pub fn genesis(&self) -> [u8; 32] {
		self.genesis
	}

	/// The name of the organisation.
	pub fn organisation(&self) -> &str {
		&self.organisation
	}

	/// The name of the device.
	pub fn device(&self) -> &str {
		&self.device
	}

	/// Last moment at which it can be used.
	pub fn expires_at(&self) -> Moment {
		self.expires_at
	}

	/// Its public key.
	pub fn public(&self) -> [u8; 32] {
		self.key().verifying_key().to_bytes()
	}

	/// What the organisation publishes of it.
	pub fn commitment(&self) -> VoucherCommitment {
		VoucherCommitment::of(&self.public())
	}

	/// Its id on the chain, which belongs to the organisation.
	pub fn id(&self) -> VoucherId {
		VoucherId::from_commitment(self.organisation_id(), self.commitment())
	}

	/// The id of the organisation.
	pub fn organisation_id(&self) -> OrganisationId {
		OrganisationId::from_name(self.organisation.as_bytes())
	}

	/// The id that the device will have.
	pub fn device_id(&self) -> DeviceId {
		DeviceId::from_name(self.organisation_id(), self.device.as_bytes())
	}

	/// Spends the voucher on exactly these keys, in this order.
	pub fn sign_enrolment(&self, keys: &[NewKey], expires_at: Moment) -> [u8; 64] {
		let action = Action::Enrol {
			voucher: self.id(),
			device: self.device_id(),
			keys: keys.iter().map(|key| (key.purpose, KeyId::of(&key.public))).collect(),
		};
		let context = SigningContext { genesis: self.genesis, action, nonce: 0, expires_at };
		self.key().sign(&context.payload()).to_bytes()
	}

	/// The text that is handed to the device.
	pub fn to_text(&self) -> Zeroizing<String> {
		// One allocation of the final size: a growing buffer would leave copies of the seed behind.
		let names = self.organisation.len() + self.device.len() + 2;
		let mut bytes = Zeroizing::new(Vec::with_capacity(FIXED_LEN + names + CHECKSUM_LEN));
		bytes.extend_from_slice(&self.genesis);
		bytes.extend_from_slice(&*self.seed);
		bytes.extend_from_slice(&self.expires_at.to_le_bytes());
		for name in [&self.organisation, &self.device] {
			bytes.push(name.len() as u8);
			bytes.extend_from_slice(name.as_bytes());
		}
		let sum = checksum(&bytes);
		bytes.extend_from_slice(&sum);
		let mut text = Zeroizing::new(String::with_capacity(
			PREFIX.len() + BASE32_NOPAD.encode_len(bytes.len()),
		));
		text.push_str(PREFIX);
		BASE32_NOPAD.encode_append(&bytes, &mut text);
		text[PREFIX.len()..].make_ascii_lowercase();
		text
	}

	fn key(&self) -> ed25519_dalek::SigningKey {
		ed25519_dalek::SigningKey::from_bytes(&self.seed)
	}
}

impl FromStr for Voucher {
	type Err = VoucherError;

	fn from_str(text: &str) -> Result<Self, VoucherError> {
		let text = text.trim();
		let payload = text
			.get(..PREFIX.len())
			.filter(|start| start.eq_ignore_ascii_case(PREFIX))
			.map(|_| &text[PREFIX.len()..])
			.ok_or(VoucherError::Prefix)?;
		let in_alphabet = |c: char| c.is_ascii_alphabetic() || matches!(c, '2'..='7');
		if let Some(index) = payload.chars().position(|c| !in_alphabet(c)) {
			return Err(VoucherError::Character { position: PREFIX.len() + index + 1 });
		}
		let upper = Zeroizing::new(payload.to_ascii_uppercase());
		let bytes = BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| VoucherError::Length)?;
		let bytes = Zeroizing::new(bytes);
		let (body, sum) = bytes.split_last_chunk::<CHECKSUM_LEN>().ok_or(VoucherError::Length)?;
		if checksum(body) != *sum {
			return Err(VoucherError::Checksum);
		}
		let mut rest = body;
		let genesis = take_array(&mut rest)?;
		let seed = Zeroizing::new(take_array(&mut rest)?);
		let expires_at = Moment::from_le_bytes(take_array(&mut rest)?);
		let (organisation, device) = (take_name(&mut rest)?, take_name(&mut rest)?);
		if !rest.is_empty() {
			return Err(VoucherError::Length);
		}
		Self::new(genesis, &organisation, &device, expires_at, seed)
	}
}

impl std::fmt::Debug for Voucher {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Voucher")
			.field("id", &self.id())
			.field("organisation", &self.organisation)
			.field("device", &self.device)
			.field("expires_at", &self.expires_at)
			.finish_non_exhaustive()
	}
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
	let digest = Sha256::new().chain_update(PREFIX).chain_update(bytes).finalize();
	let mut sum = [0; CHECKSUM_LEN];
	sum.copy_from_slice(&digest[..CHECKSUM_LEN]);
	sum
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], VoucherError> {
	let (taken, left) = rest.split_first_chunk::<N>().ok_or(VoucherError::Length)?;
	*rest = left;
	Ok(*taken)
}

fn take_name(rest: &mut &[u8]) -> Result<String, VoucherError> {
	let (len, left) = rest.split_first().ok_or(VoucherError::Length)?;
	let (name, left) = left.split_at_checked(usize::from(*len)).ok_or(VoucherError::Length)?;
	*rest = left;
	String::from_utf8(name.to_vec()).map_err(|error| VoucherError::Name { name: error.to_string() })
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::key::{KeyPurpose, KeyType, PublicKey, Signature};

	fn voucher() -> Voucher {
		Voucher::new([1; 32], "acme", "drone-7", 1_700_000_000_000, Zeroizing::new([2; 32]))
			.unwrap()
	}

	#[test]
	fn text_round_trips_in_either_case() {
		let text = voucher().to_text();
		for text in [text.to_string(), text.to_uppercase(), format!("  {}\n", *text)] {
			let read: Voucher = text.parse().unwrap();
			assert_eq!(read.to_text(), voucher().to_text());
			assert_eq!(read.id(), voucher().id());
		}
	}

	#[test]
	fn the_text_is_fixed() {
		// A voucher may be printed today and used next year.
		assert_eq!(*voucher().to_text(), include_str!("../vectors/voucher.txt").trim());
	}

	#[test]
	fn every_single_slip_is_found() {
		let text = voucher().to_text();
		for position in PREFIX.len()..text.len() {
			let mut slipped = text.as_bytes().to_vec();
			slipped[position] = if slipped[position] == b'a' { b'b' } else { b'a' };
			let slipped = String::from_utf8(slipped).unwrap();
			let error = slipped.parse::<Voucher>().unwrap_err();
			// The last digit carries unused bits, which may not be set either.
			assert!(matches!(error, VoucherError::Checksum | VoucherError::Length), "{position}");
		}
	}

	#[test]
	fn what_is_no_voucher_is_refused_precisely() {
		let text = voucher().to_text();
		let refused = |text: &str| text.parse::<Voucher>().unwrap_err();
		assert_eq!(refused(""), VoucherError::Prefix);
		assert_eq!(refused("dpki-voucher2:aaaa"), VoucherError::Prefix);
		assert_eq!(refused("dpki-vouchér1:aaaa"), VoucherError::Prefix);
		assert_eq!(refused(PREFIX), VoucherError::Length);
		assert_eq!(refused(&format!("{PREFIX}aa1a")), VoucherError::Character { position: 17 });
		assert!(matches!(
			refused(&text[..text.len() - 8]),
			VoucherError::Checksum | VoucherError::Length
		));
	}

	#[test]
	fn a_voucher_carries_names_only() {
		let made = Voucher::generate([0; 32], "acme", "Drone 7", 0);
		assert_eq!(made.unwrap_err(), VoucherError::Name { name: "Drone 7".into() });
	}

	#[test]
	fn the_same_key_is_another_voucher_for_another_organisation() {
		let copied =
			Voucher::new([1; 32], "rival", "drone-7", 1_700_000_000_000, Zeroizing::new([2; 32]))
				.unwrap();
		assert_eq!(copied.commitment(), voucher().commitment());
		assert_ne!(copied.id(), voucher().id());
		let acme = OrganisationId::from_name(b"acme");
		assert_eq!(voucher().id(), VoucherId::of(acme, &voucher().public()));
	}

	#[test]
	fn debug_does_not_show_the_seed() {
		let shown = format!("{:?}", voucher());
		assert!(!shown.contains("seed") && !shown.contains("2, 2, 2"), "{shown}");
	}

	#[test]
	fn the_signature_covers_the_keys_and_their_order() {
		let key = |byte, purpose| NewKey {
			purpose,
			public: PublicKey::new(KeyType::Ed25519, &[byte; 32]).unwrap(),
			not_after: None,
			possession: Signature::default(),
		};
		let (a, b) = (key(1, KeyPurpose::Sign), key(2, KeyPurpose::Ssh));
		let signature = voucher().sign_enrolment(&[a.clone(), b.clone()], 5);
		assert_eq!(signature, voucher().sign_enrolment(&[a.clone(), b.clone()], 5));
		assert_ne!(signature, voucher().sign_enrolment(&[b.clone(), a.clone()], 5));
		assert_ne!(signature, voucher().sign_enrolment(std::slice::from_ref(&a), 5));
		assert_ne!(signature, voucher().sign_enrolment(&[a, b], 6));
	}
}
