//! One content for any number of devices: in as many envelopes as it takes.
//!
//! How many devices an envelope has room for depends on their keys and on the length of the content. Each device has a record of
//! its own on the chain, which names the envelope that it is in: devices notice nothing of how many there are. Each is published
//! by a transaction of its own; those before one that fails are in force.

use crate::{
	commands::{blob::Copies, delivery::Review},
	error::Result,
	output::{Report, block_json, hex},
	session::Session,
};
use dpki_client::{
	Account, Client, Finalized, blob, calls,
	envelope::{self, ContentKey, RecipientKey, most_recipients},
};
use dpki_primitives::{
	delivery::{DeliveryBinding, Recipient},
	ids::BlobDigest,
};
use serde_json::json;
use std::path::PathBuf;

/// One envelope, and what it is bound to for each of the devices that can open it.
pub struct Envelope {
	bytes: Vec<u8>,
	key: ContentKey,
	bindings: Vec<DeliveryBinding>,
}

/// Seals a content to all of these, who are all reached in the same way, in their order.
pub fn seal(
	recipients: &[(RecipientKey, DeliveryBinding)],
	plaintext: &[u8],
) -> Result<Vec<Envelope>> {
	let most = recipients
		.first()
		.map_or(0, |(_, it)| most_recipients(it.suite, plaintext.len()));
	// A content for which no envelope has room is refused by the first one.
	let parts = recipients.chunks(most.max(1));
	parts
		.map(|part| {
			let (bytes, key) = envelope::seal_shared(part, plaintext)?;
			let bindings = part.iter().map(|(_, binding)| binding.clone()).collect();
			Ok(Envelope { bytes, key, bindings })
		})
		.collect()
}

/// Writes the files by which others can look into the envelopes: one for each device, in their order, or none.
pub fn write_reviews(envelopes: &[Envelope], paths: &[PathBuf]) -> Result<()> {
	let each = envelopes.iter().flat_map(|it| it.bindings.iter().map(move |to| (it, to)));
	for ((envelope, binding), path) in each.zip(paths) {
		Review::new(binding, &envelope.bytes, envelope.key.clone(), false).write(path)?;
	}
	Ok(())
}

/// Publishes them one after the other, and puts them where copies are kept. If one fails, a person is told for how many devices
/// those before it are.
pub async fn publish(
	session: &Session,
	client: &Client,
	account: &Account,
	envelopes: &[Envelope],
	copies: Option<&Copies>,
) -> Result<Vec<Finalized>> {
	let mut published = Vec::new();
	for (at, envelope) in envelopes.iter().enumerate() {
		let doing = match envelopes.len() {
			1 => "publishing the delivery".to_owned(),
			total => format!("publishing envelope {} of {total}", at + 1),
		};
		let result = envelope.publish(session, client, account, copies, &doing).await;
		published.push(result.inspect_err(|_| {
			if let Some(sentence) = done_before(envelopes, at) {
				session.warn(&sentence);
			}
		})?);
	}
	Ok(published)
}

/// What is said when the envelope at this place fails, and nothing if none was published before.
fn done_before(envelopes: &[Envelope], at: usize) -> Option<String> {
	let count =
		|envelopes: &[Envelope]| envelopes.iter().map(|it| it.bindings.len()).sum::<usize>();
	let (done, all) = (count(envelopes.get(..at)?), count(envelopes));
	(done > 0).then(|| {
		format!(
			"the delivery is published to the first {done} of the {all} devices: deliver to the others, in the order in which \
			 they were named, once it is known what became of it for them"
		)
	})
}

/// Tells of what is published: programs get each envelope with its devices and its block, and of a single one what they get of a
/// delivery to one device.
pub fn report(report: Report, envelopes: &[Envelope], published: &[Finalized]) -> Report {
	let each = envelopes.iter().zip(published).map(|(envelope, finalized)| {
		let digest = BlobDigest::of(&envelope.bytes);
		let devices: Vec<_> = envelope.bindings.iter().map(|it| it.device.to_string()).collect();
		json!({
			"cid": blob::cid(digest),
			"digest": digest.to_string(),
			"length": envelope.bytes.len(),
			"devices": devices,
			"block": block_json(finalized.number, &finalized.hash),
			"extrinsic": hex(&finalized.extrinsic),
		})
	});
	let report = report.data("envelopes", each.collect::<Vec<_>>()).all_finalized(published);
	match envelopes {
		[one] => {
			let digest = BlobDigest::of(&one.bytes);
			report
				.row("cid", blob::cid(digest))
				.row("digest", digest)
				.data("length", one.bytes.len())
		},
		several => {
			let line = |it: &Envelope| {
				let cid = blob::cid(BlobDigest::of(&it.bytes));
				format!("{cid}, which {} of them can open", it.bindings.len())
			};
			several.iter().map(line).fold(report, Report::tail)
		},
	}
}

impl Envelope {
	async fn publish(
		&self,
		session: &Session,
		client: &Client,
		account: &Account,
		copies: Option<&Copies>,
		doing: &str,
	) -> Result<Finalized> {
		// Sealing made sure that there is one, and that all agree in channel and suite.
		let first = &self.bindings[0];
		let recipients: Vec<_> = self
			.bindings
			.iter()
			.map(|it| Recipient { device: it.device, sequence: it.sequence, key: it.recipient })
			.collect();
		let call = calls::publish_shared(first.channel, first.suite, &recipients, &self.bytes)?;
		let finalized = session.submit(client, account, &call, doing).await?;
		if let Some(copies) = copies {
			let numbered = self.bindings.iter().map(|it| (it.device, it.channel, it.sequence));
			copies.put(client, &self.bytes, &numbered.collect::<Vec<_>>()).await?;
		}
		Ok(finalized)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::{
		envelope::{EnvelopeError, open},
		possession::{AgreementKey, HybridKey},
	};
	use dpki_primitives::{
		channel::ChannelId,
		delivery::{MAX_BLOB_LEN, Suite},
		ids::{DeviceId, KeyId, OrganisationId},
	};

	fn device(number: u64) -> DeviceId {
		let mut device = [4; 32];
		device[..8].copy_from_slice(&number.to_le_bytes());
		DeviceId(device)
	}

	fn bound(suite: Suite, recipient: KeyId, number: u64) -> DeliveryBinding {
		DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device: device(number),
			channel: ChannelId::DEFAULT,
			recipient,
			suite,
			sequence: number,
		}
	}

	/// So many devices, which have one hybrid key between them.
	fn hybrids(key: &HybridKey, devices: u64) -> Vec<(RecipientKey, DeliveryBinding)> {
		let public = RecipientKey::XWing(key.public_bytes());
		let id = |number| KeyId::of_device(device(number), &key.public());
		let bound = |number| bound(Suite::SharedXWing, id(number), number);
		(0..devices).map(|number| (public.clone(), bound(number))).collect()
	}

	fn sizes(envelopes: &[Envelope]) -> Vec<usize> {
		envelopes.iter().map(|it| it.bindings.len()).collect()
	}

	#[test]
	fn more_devices_than_an_envelope_has_room_for_get_as_many_as_it_takes() {
		let (key, content) = (HybridKey::generate(), [9; 1024]);
		for (devices, expected) in
			[(1, vec![1]), (54, vec![54]), (55, vec![54, 1]), (120, vec![54, 54, 12])]
		{
			let recipients = hybrids(&key, devices);
			let envelopes = seal(&recipients, &content).unwrap();
			assert_eq!(sizes(&envelopes), expected, "{devices}");
			let bindings: Vec<_> = envelopes.iter().flat_map(|it| &it.bindings).collect();
			assert!(bindings.into_iter().eq(recipients.iter().map(|(_, it)| it)));
		}
		// With more content there is room for fewer.
		assert_eq!(sizes(&seal(&hybrids(&key, 60), &[9; 32 * 1024]).unwrap()), [27, 27, 6]);
	}

	#[test]
	fn each_device_opens_its_own_envelope_and_no_other_one() {
		let (key, content) = (HybridKey::generate(), [9; 1024]);
		let envelopes = seal(&hybrids(&key, 60), &content).unwrap();
		let [first, second] = &envelopes[..] else { panic!("{:?}", sizes(&envelopes)) };
		assert!(first.bytes.len() <= MAX_BLOB_LEN as usize);
		assert_ne!(first.key, second.key, "who approves one of them opens that one");
		for (own, other) in [(first, second), (second, first)] {
			for binding in [&own.bindings[0], &own.bindings[own.bindings.len() - 1]] {
				assert_eq!(**open(&key, binding, &own.bytes).unwrap(), content);
				let refused = open(&key, binding, &other.bytes);
				assert_eq!(refused, Err(EnvelopeError::DoesNotOpen));
			}
		}
	}

	#[test]
	fn keys_of_the_other_kind_need_another_envelope_from_the_257th_on() {
		let key = AgreementKey::from_secret_bytes(&[7; 32]);
		let (public, id) = (RecipientKey::X25519(key.public()), KeyId::of(&key.public()));
		let bound = |number| (public.clone(), bound(Suite::SharedX25519, id, number));
		let recipients: Vec<_> = (0..300).map(bound).collect();
		assert_eq!(sizes(&seal(&recipients[..256], b"state").unwrap()), [256]);
		assert_eq!(sizes(&seal(&recipients, b"state").unwrap()), [256, 44]);
	}

	#[test]
	fn what_no_envelope_has_room_for_is_refused_before_anything_is_published() {
		let recipients = hybrids(&HybridKey::generate(), 2);
		let refused = seal(&recipients, &vec![9; MAX_BLOB_LEN as usize]).map(|it| sizes(&it));
		let sentence = refused.unwrap_err().to_string();
		assert!(sentence.contains("bytes"), "{sentence}");
		assert!(seal(&[], b"state").unwrap().is_empty());
	}

	#[test]
	fn each_device_has_a_file_for_the_envelope_that_it_is_in() {
		let folder = tempfile::tempdir().unwrap();
		let envelopes = seal(&hybrids(&HybridKey::generate(), 56), &[9; 1024]).unwrap();
		let paths: Vec<_> = (0..56).map(|number| folder.path().join(number.to_string())).collect();
		write_reviews(&envelopes, &paths).unwrap();
		for (number, of) in [(0, 0), (53, 0), (54, 1), (55, 1)] {
			let review = Review::read(&paths[number]).unwrap();
			assert_eq!(review.digest, BlobDigest::of(&envelopes[of].bytes), "{number}");
			assert_eq!(review.sequence, number as u64);
		}
		assert!(write_reviews(&envelopes, &paths).is_err(), "no file is written over");
		write_reviews(&envelopes, &[]).unwrap();
	}

	#[test]
	fn whoever_is_stopped_between_two_envelopes_is_told_how_far_it_came() {
		let envelopes = seal(&hybrids(&HybridKey::generate(), 120), &[9; 1024]).unwrap();
		assert_eq!(done_before(&envelopes, 0), None);
		let sentence = done_before(&envelopes, 2).unwrap();
		assert!(sentence.contains("the first 108 of the 120 devices"), "{sentence}");
	}

	#[test]
	fn programs_read_which_device_is_in_which_envelope() {
		let envelopes = seal(&hybrids(&HybridKey::generate(), 55), &[9; 1024]).unwrap();
		let at = |number| Finalized {
			number,
			hash: [5; 32],
			extrinsic: [6; 32],
			events: Vec::new(),
			proven: number > 7,
			is_final: true,
		};
		let told = report(Report::new(), &envelopes, &[at(7), at(9)]).to_json();
		assert_eq!(told["envelopes"][0]["devices"].as_array().map(Vec::len), Some(54));
		assert_eq!(told["envelopes"][1]["block"]["number"], 9);
		assert_eq!((&told["block"]["number"], &told["outcome_proven"]), (&json!(9), &json!(false)));
		assert!(told["cid"].is_null(), "{told}");
		let told = report(Report::new(), &envelopes[..1], &[at(8)]).to_json();
		assert_eq!(told["cid"], told["envelopes"][0]["cid"]);
		assert_eq!(told["length"], envelopes[0].bytes.len());
	}
}
