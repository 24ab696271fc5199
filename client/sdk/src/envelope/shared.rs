//! One content for many devices, or for one and those who have to approve it.
//!
//! The content is encrypted once, with a random key; this key is encrypted to each recipient by HPKE, bound to the record of
//! that recipient like any other envelope, and to the SHA2-256 of the encrypted content. The form is
//!
//! | part | bytes |
//! |---|---|
//! | version, 1 | 1 |
//! | number of recipients, 1 to 256 | 2, little endian |
//! | commitment to the content key | 32 |
//! | for each recipient: beginning of the id of its key; `enc`; the encrypted content key | 8; 32 or 1,120; 48 |
//! | the encrypted content | as long as the content, and 16 |
//!
//! The content is encrypted by ChaCha20-Poly1305 with all before it as associated data. That cipher alone does not fix the
//! key: whoever wraps the key could make an envelope that opens to one content under one key, and to another under another.
//! The commitment fixes it. So whoever is given the content key and finds a content knows that every recipient finds the same
//! one, or none: that is what watchdogs approve.

use super::{EnvelopeError, OpeningKey, RecipientKey};
use chacha20poly1305::{
	ChaCha20Poly1305, Key, KeyInit, Nonce,
	aead::{Aead, Payload},
};
use dpki_primitives::{
	delivery::{
		DeliveryBinding, MAX_BLOB_LEN, MAX_RECIPIENTS, SHARED_HEADER_LEN, SLOT_NAME_LEN, Suite,
		TAG_LEN,
	},
	ids::KeyId,
};
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The version of the form.
const VERSION: u8 = 1;

/// Separates the two things that are made of a content key. Both are hashes of a secret of 256 random bits.
const CIPHER_KEY: &[u8] = b"dpki/delivery/content/1";
const COMMITMENT: &[u8] = b"dpki/delivery/commitment/1";

/// What opens the content of a shared envelope. Whoever has it reads the content, and can change nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
	fn generate() -> Self {
		let mut bytes = Zeroizing::new([0; 32]);
		OsRng.fill_bytes(&mut *bytes);
		Self(bytes)
	}

	/// The key in 64 hexadecimal digits, for the eyes of those who approve.
	pub fn to_text(&self) -> Zeroizing<String> {
		Zeroizing::new(hex::encode(*self.0))
	}

	/// The key that [`to_text`](ContentKey::to_text) wrote; `None` if it is none.
	pub fn from_text(text: &str) -> Option<Self> {
		let mut bytes = Zeroizing::new([0; 32]);
		hex::decode_to_slice(text.trim(), &mut *bytes).ok()?;
		Some(Self(bytes))
	}

	fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
		Zeroizing::new(
			Sha256::new()
				.chain_update(purpose)
				.chain_update(self.0.as_slice())
				.finalize()
				.into(),
		)
	}

	fn cipher(&self) -> ChaCha20Poly1305 {
		ChaCha20Poly1305::new(Key::from_slice(&*self.derive(CIPHER_KEY)))
	}
}

impl std::fmt::Debug for ContentKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str("ContentKey(secret)")
	}
}

/// A shared envelope, cut into its parts.
struct Parts<'a> {
	/// All that is authenticated together with the content.
	header: &'a [u8],
	commitment: &'a [u8],
	slots: &'a [u8],
	ciphertext: &'a [u8],
}

/// The most recipients of one envelope with a content of so many bytes; 0 if there is room for none.
///
/// An envelope is one block of 64 KiB, of which each recipient takes 88 bytes under X25519 and 1,176 under X-Wing. What
/// a [`Bundle`](crate::Bundle) has is padded to a size class, and the smallest is 1,024 bytes. So much is
///
/// | content, padded | X25519 | X-Wing |
/// |---|---|---|
/// | 1 KiB | 256 | 54 |
/// | 2 KiB | 256 | 53 |
/// | 4 KiB | 256 | 52 |
/// | 8 KiB | 256 | 48 |
/// | 16 KiB | 256 | 41 |
/// | 32 KiB | 256 | 27 |
pub fn most_recipients(suite: Suite, content_len: usize) -> usize {
	let fixed = (SHARED_HEADER_LEN + TAG_LEN) as usize;
	let room = (MAX_BLOB_LEN as usize).saturating_sub(fixed.saturating_add(content_len));
	(room / suite.slot_len() as usize).min(MAX_RECIPIENTS as usize)
}

/// Seals `plaintext` to each of these keys, for the one delivery that its binding describes. The bindings agree in all
/// but device, recipient and sequence: the channel is the same for all. How many there can be says [`most_recipients`].
/// The content key is for those who have to approve, and for nobody else.
pub fn seal_shared(
	recipients: &[(RecipientKey, DeliveryBinding)],
	plaintext: &[u8],
) -> Result<(Vec<u8>, ContentKey), EnvelopeError> {
	let Some((_, first)) = recipients.first() else { return Err(EnvelopeError::NoRecipient) };
	let suite = first.suite;
	if recipients.len() > MAX_RECIPIENTS as usize {
		return Err(EnvelopeError::TooManyRecipients { found: recipients.len() });
	}
	let same = |(_, binding): &(RecipientKey, DeliveryBinding)| {
		(binding.genesis, binding.organisation, binding.publisher, binding.channel, binding.suite)
			== (first.genesis, first.organisation, first.publisher, first.channel, suite)
	};
	if !suite.is_shared() || !recipients.iter().all(same) {
		return Err(EnvelopeError::BindingsDiffer);
	}
	let (len, found) = (plaintext.len(), recipients.len());
	let room = (MAX_BLOB_LEN - suite.min_len()) as usize;
	match most_recipients(suite, len) {
		0 => return Err(EnvelopeError::TooLong { len, room }),
		most if found > most => return Err(EnvelopeError::NoRoom { found, most, len }),
		_ => {},
	}

	let key = ContentKey::generate();
	let mut header = vec![VERSION];
	header.extend_from_slice(&(recipients.len() as u16).to_le_bytes());
	header.extend_from_slice(&*key.derive(COMMITMENT));
	// A key encrypts once, so its nonce needs no value of its own.
	let payload = Payload { msg: plaintext, aad: &header };
	let ciphertext = key
		.cipher()
		.encrypt(&Nonce::default(), payload)
		.map_err(|_| EnvelopeError::TooLong { len, room })?;
	let mut envelope = header;
	for (recipient, binding) in recipients {
		recipient.check(binding)?;
		envelope.extend_from_slice(name(&binding.recipient));
		envelope.extend(recipient.seal(&slot_aad(binding, &ciphertext), &*key.0)?);
	}
	envelope.extend(ciphertext);
	Ok((envelope, key))
}

/// Opens a shared envelope as the device does.
pub(super) fn open(
	secret: &dyn OpeningKey,
	binding: &DeliveryBinding,
	envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
	let parts = Parts::read(binding.suite, envelope)?;
	let aad = slot_aad(binding, parts.ciphertext);
	let key = parts
		.slots
		.chunks_exact(binding.suite.slot_len() as usize)
		.filter_map(|slot| slot.strip_prefix(name(&binding.recipient)))
		.find_map(|sealed| secret.open(&aad, sealed))
		.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
		.ok_or(EnvelopeError::DoesNotOpen)?;
	parts.read_content(&ContentKey(Zeroizing::new(key)))
}

/// Opens a shared envelope as those do who have to approve it: what they find, every recipient finds, or nothing.
pub fn review(
	suite: Suite,
	envelope: &[u8],
	key: &ContentKey,
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
	Parts::read(suite, envelope)?.read_content(key)
}

impl<'a> Parts<'a> {
	fn read(suite: Suite, envelope: &'a [u8]) -> Result<Self, EnvelopeError> {
		let length = EnvelopeError::Length { len: envelope.len() };
		if !suite.is_shared() {
			return Err(EnvelopeError::NotShared);
		}
		let possible = suite.min_len() as usize..=MAX_BLOB_LEN as usize;
		if !possible.contains(&envelope.len()) {
			return Err(length);
		}
		let (header, rest) = envelope.split_at(SHARED_HEADER_LEN as usize);
		let [version, low, high, commitment @ ..] = header else { return Err(length) };
		if *version != VERSION {
			return Err(EnvelopeError::Version { version: *version });
		}
		let count = u16::from_le_bytes([*low, *high]) as usize;
		if count == 0 || count > MAX_RECIPIENTS as usize {
			return Err(EnvelopeError::TooManyRecipients { found: count });
		}
		let slots_len = count * suite.slot_len() as usize;
		let (slots, ciphertext) = rest.split_at_checked(slots_len).ok_or(length.clone())?;
		if ciphertext.len() < TAG_LEN as usize {
			return Err(length);
		}
		Ok(Self { header, commitment, slots, ciphertext })
	}

	fn read_content(&self, key: &ContentKey) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
		// Public on both sides: who can compare it has the key.
		if key.derive(COMMITMENT).as_slice() != self.commitment {
			return Err(EnvelopeError::DoesNotOpen);
		}
		let payload = Payload { msg: self.ciphertext, aad: self.header };
		key.cipher()
			.decrypt(&Nonce::default(), payload)
			.map(Zeroizing::new)
			.map_err(|_| EnvelopeError::DoesNotOpen)
	}
}

fn name(recipient: &KeyId) -> &[u8] {
	&recipient.0[..SLOT_NAME_LEN as usize]
}

/// The binding of the record, and the encrypted content: a slot opens in no other envelope.
fn slot_aad(binding: &DeliveryBinding, ciphertext: &[u8]) -> Vec<u8> {
	let mut aad = binding.aad();
	aad.extend_from_slice(&Sha256::digest(ciphertext));
	aad
}
