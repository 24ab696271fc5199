//! The file that goes from who prepares a delivery to who publishes or approves it.

use crate::{
	error::{Error, Result, crypto},
	files,
};
use dpki_client::{
	AccountId, Content,
	envelope::{self, ContentKey},
};
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryBinding, DeliveryRecord, Suite},
	ids::{BlobDigest, DeliveryId, DeviceId, KeyId, OrganisationId},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The form of the file.
const FORM: &str = "dpki-review/2";

/// What others need to look into an envelope.
pub struct Review {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// The organisation in whose name it is published.
	pub organisation: OrganisationId,
	/// The account that publishes it.
	pub publisher: AccountId,
	/// The device that it is for.
	pub device: DeviceId,
	/// On which channel.
	pub channel: ChannelId,
	/// The device key that it is encrypted to.
	pub recipient: KeyId,
	/// How it is encrypted.
	pub suite: Suite,
	/// Its number.
	pub sequence: u64,
	/// The digest of the envelope.
	pub digest: BlobDigest,
	/// The request of the device that it answers: in which slot, and its content. Whoever publishes it tells the device.
	pub answers: Option<(u8, [u8; 32])>,
	key: ContentKey,
	envelope: Option<Vec<u8>>,
}

impl Review {
	/// What is to be known of an envelope; with the envelope itself if it is not published yet.
	pub fn new(
		binding: &DeliveryBinding,
		envelope: &[u8],
		key: ContentKey,
		unpublished: bool,
	) -> Self {
		let &DeliveryBinding {
			genesis,
			organisation,
			publisher,
			device,
			channel,
			recipient,
			suite,
			sequence,
		} = binding;
		Self {
			genesis,
			organisation,
			publisher,
			device,
			channel,
			recipient,
			suite,
			sequence,
			digest: BlobDigest::of(envelope),
			answers: None,
			key,
			envelope: unpublished.then(|| envelope.to_vec()),
		}
	}

	/// What the envelope is bound to.
	pub fn binding(&self) -> DeliveryBinding {
		DeliveryBinding {
			genesis: self.genesis,
			organisation: self.organisation,
			publisher: self.publisher,
			device: self.device,
			channel: self.channel,
			recipient: self.recipient,
			suite: self.suite,
			sequence: self.sequence,
		}
	}

	/// What is approved by whoever has looked into this envelope: everything that the chain will say of it.
	pub fn id(&self, envelope: &[u8]) -> DeliveryId {
		let record = DeliveryRecord {
			organisation: self.organisation,
			publisher: self.publisher,
			sequence: self.sequence,
			suite: self.suite,
			recipient: self.recipient,
			digest: BlobDigest::of(envelope),
			// What is longer than a delivery can be has the id of none.
			length: u32::try_from(envelope.len()).unwrap_or(u32::MAX),
			published_at: 0,
		};
		record.id(self.device, self.channel)
	}

	/// Writes a new file that only its owner can read.
	pub fn write(&self, path: &Path) -> Result<()> {
		files::write_secret(path, self.text().as_bytes())
	}

	/// Writes such a file, whether one lies there or not.
	pub fn replace(&self, path: &Path) -> Result<()> {
		files::replace_secret(path, self.text().as_bytes())
	}

	/// Where the file for a path lies until it is known that its delivery is final.
	pub fn next_to(path: &Path) -> PathBuf {
		files::with_ending(path, ".next")
	}

	/// Where the file for a device lies, of those that are written for several.
	pub fn of_device(path: &Path, device: &str) -> PathBuf {
		let name = device.rsplit('/').next().unwrap_or_default();
		files::with_ending(path, &format!(".{name}.review"))
	}

	/// All of these files, as a shell finds them.
	pub fn of_each(path: &Path) -> PathBuf {
		Self::of_device(path, "*")
	}

	fn text(&self) -> Zeroizing<String> {
		let text = json!({
			"form": FORM,
			"genesis": format!("0x{}", hex::encode(self.genesis)),
			"organisation": self.organisation.to_string(),
			"publisher": format!("0x{}", hex::encode(self.publisher)),
			"device": self.device.to_string(),
			"channel": self.channel.number(),
			"recipient": self.recipient.to_string(),
			"suite": self.suite.recipient_type().name(),
			"sequence": self.sequence,
			"digest": self.digest.to_string(),
			"answers": self.answers.map(|(slot, content)| json!({
				"slot": slot,
				"content": format!("0x{}", hex::encode(content)),
			})),
			"content_key": *self.key.to_text(),
			"envelope": self.envelope.as_ref().map(hex::encode),
		});
		Zeroizing::new(format!("{text:#}\n"))
	}

	/// The content of a file that [`write`](Review::write) wrote.
	pub fn read(path: &Path) -> Result<Self> {
		let text = files::read_text(path)?;
		let refused = || Error::NotAllowed {
			why: format!("{} is no review of a delivery", path.display()),
			next: "give the file that `dpki deliver --review FILE` wrote".into(),
		};
		let value: Value = serde_json::from_str(&text).map_err(|_| refused())?;
		Self::parse(&value).ok_or_else(refused)
	}

	fn parse(value: &Value) -> Option<Self> {
		let text = |name: &str| value.get(name)?.as_str();
		let digits = |value: &Value| -> Option<[u8; 32]> {
			hex::decode(value.as_str()?.strip_prefix("0x")?).ok()?.try_into().ok()
		};
		let bytes = |name: &str| digits(value.get(name)?);
		if text("form")? != FORM {
			return None;
		}
		let suites = [Suite::SharedX25519, Suite::SharedXWing];
		let name = text("suite")?;
		let suite = suites.into_iter().find(|suite| suite.recipient_type().name() == name)?;
		let answers = match value.get("answers") {
			None | Some(Value::Null) => None,
			Some(request) => {
				let slot = request.get("slot")?.as_u64()?.try_into().ok()?;
				Some((slot, digits(request.get("content")?)?))
			},
		};
		let envelope = match value.get("envelope") {
			None | Some(Value::Null) => None,
			Some(digits) => Some(hex::decode(digits.as_str()?).ok()?),
		};
		Some(Self {
			genesis: bytes("genesis")?,
			organisation: text("organisation")?.parse().ok()?,
			publisher: bytes("publisher")?,
			device: text("device")?.parse().ok()?,
			channel: ChannelId::new(value.get("channel")?.as_u64()?.try_into().ok()?)?,
			recipient: text("recipient")?.parse().ok()?,
			suite,
			sequence: value.get("sequence")?.as_u64()?,
			digest: text("digest")?.parse().ok()?,
			answers,
			key: ContentKey::from_text(text("content_key")?)?,
			envelope,
		})
	}

	/// The envelope, if it is in the file.
	pub fn envelope(&self) -> Result<Vec<u8>> {
		self.envelope.clone().ok_or_else(|| Error::NotAllowed {
			why: "the delivery is published already, and its envelope is not in the file".into(),
			next: "approve it with `dpki approve-delivery`".into(),
		})
	}

	/// What the device will find in the envelope, if it has this digest.
	pub fn open(&self, envelope: &[u8]) -> Result<Content> {
		if BlobDigest::of(envelope) != self.digest {
			return Err(Error::NotAllowed {
				why: "the envelope is not the one with the digest in the file".into(),
				next: "have the file written again".into(),
			});
		}
		let plaintext = envelope::review(self.suite, envelope, &self.key)
			.map_err(crypto("opening the envelope for review"))?;
		Ok(Content::decode(&plaintext)?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::{
		Bundle, Item,
		envelope::RecipientKey,
		possession::{AgreementKey, HybridKey},
	};
	use dpki_primitives::ids::AnchorId;

	fn review(unpublished: bool) -> (Review, Vec<u8>) {
		let key = AgreementKey::from_secret_bytes(&[7; 32]).public();
		review_for(RecipientKey::X25519(key), Suite::SharedX25519, unpublished)
	}

	fn review_for(key: RecipientKey, suite: Suite, unpublished: bool) -> (Review, Vec<u8>) {
		let device = DeviceId([4; 32]);
		let binding = DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device,
			channel: ChannelId::new(3).unwrap(),
			recipient: KeyId::of_device(device, &key.public()),
			suite,
			sequence: 5,
		};
		let bundle = Bundle { items: vec![Item::SshUserCa { anchor: AnchorId([6; 32]) }] };
		let recipient = (key, binding.clone());
		let plaintext = bundle.encode().unwrap();
		let (envelope, content_key) = envelope::seal_shared(&[recipient], &plaintext).unwrap();
		(Review::new(&binding, &envelope, content_key, unpublished), envelope)
	}

	#[test]
	fn what_was_written_is_read_and_opens_the_envelope() {
		let folder = tempfile::tempdir().unwrap();
		for unpublished in [false, true] {
			let (mut written, envelope) = review(unpublished);
			written.answers = unpublished.then_some((3, [7; 32]));
			let path = folder.path().join(unpublished.to_string());
			written.write(&path).unwrap();
			let read = Review::read(&path).unwrap();
			assert_eq!((read.binding(), read.digest), (written.binding(), written.digest));
			assert_eq!(read.answers, written.answers);
			assert_eq!(read.envelope().is_ok(), unpublished);
			let content = read.open(&envelope).unwrap();
			assert_eq!(content.bundle.items.len(), 1);
		}
	}

	#[test]
	fn a_review_knows_how_its_envelope_is_encrypted() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("hybrid");
		let key = RecipientKey::XWing(HybridKey::from_secret_bytes(&[8; 32]).public_bytes());
		let (written, envelope) = review_for(key, Suite::SharedXWing, false);
		written.write(&path).unwrap();
		let read = Review::read(&path).unwrap();
		assert_eq!((read.suite, read.binding()), (Suite::SharedXWing, written.binding()));
		assert_eq!(read.open(&envelope).unwrap().bundle.items.len(), 1);
	}

	#[test]
	fn what_is_approved_is_what_the_chain_says_of_the_envelope() {
		let (review, envelope) = review(false);
		let record = DeliveryRecord {
			organisation: review.organisation,
			publisher: review.publisher,
			sequence: review.sequence,
			suite: review.suite,
			recipient: review.recipient,
			digest: review.digest,
			length: envelope.len() as u32,
			published_at: 99,
		};
		assert_eq!(review.id(&envelope), record.id(review.device, review.channel));
		assert_ne!(review.id(&envelope), record.id(review.device, ChannelId::DEFAULT));
	}

	#[test]
	fn another_envelope_is_not_shown() {
		let (first, _) = review(true);
		let (_, other) = review(true);
		let error = first.open(&other).unwrap_err();
		assert!(error.to_string().contains("digest"), "{error}");
	}

	#[test]
	fn what_is_no_review_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		for (name, text) in [("a", "{}"), ("b", "no json"), ("c", "{\"form\": \"dpki-review/9\"}")]
		{
			let path = folder.path().join(name);
			std::fs::write(&path, text).unwrap();
			let error = Review::read(&path).err().unwrap();
			assert!(error.to_string().contains("no review"), "{error}");
		}
	}
}
