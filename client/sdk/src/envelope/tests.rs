//! Envelopes of every suite.

mod insider;

use super::*;
use dpki_primitives::{
	channel::ChannelId,
	delivery::{MAX_RECIPIENTS, SHARED_HEADER_LEN, Suite, TAG_LEN},
	ids::{DeviceId, OrganisationId},
};
use sha2::Digest;

type Encapped = <X25519HkdfSha256 as Kem>::EncappedKey;

fn key() -> AgreementKey {
	AgreementKey::from_secret_bytes(&[7; 32])
}

fn binding() -> DeliveryBinding {
	DeliveryBinding {
		genesis: [1; 32],
		organisation: OrganisationId([2; 32]),
		publisher: [3; 32],
		device: DeviceId([4; 32]),
		channel: ChannelId::DEFAULT,
		recipient: KeyId::of(&key().public()),
		suite: Suite::X25519ChaCha20Poly1305,
		sequence: 5,
	}
}

#[test]
fn what_is_sealed_opens() {
	for plaintext in [&b""[..], b"state", &[9; MAX_PLAINTEXT_LEN]] {
		let envelope = seal(&key().public(), &binding(), plaintext).unwrap();
		assert_eq!(envelope.len(), plaintext.len() + MIN_BLOB_LEN as usize);
		assert_eq!(open(&key(), &binding(), &envelope).unwrap().as_slice(), plaintext);
	}
}

#[test]
fn the_same_content_never_looks_the_same() {
	let seal = || seal(&key().public(), &binding(), b"state").unwrap();
	assert_ne!(seal(), seal());
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
	let envelope = seal(&key().public(), &binding(), b"state").unwrap();
	for bit in 0..envelope.len() * 8 {
		let mut altered = envelope.clone();
		altered[bit / 8] ^= 1 << (bit % 8);
		// X25519 ignores the top bit of a public key, but HPKE binds its bytes.
		assert_eq!(open(&key(), &binding(), &altered), Err(EnvelopeError::DoesNotOpen), "{bit}");
	}
}

#[test]
fn an_envelope_opens_in_no_other_place() {
	let envelope = seal(&key().public(), &binding(), b"state").unwrap();
	let places = [
		DeliveryBinding { genesis: [9; 32], ..binding() },
		DeliveryBinding { organisation: OrganisationId([9; 32]), ..binding() },
		DeliveryBinding { publisher: [9; 32], ..binding() },
		DeliveryBinding { device: DeviceId([9; 32]), ..binding() },
		DeliveryBinding { channel: ChannelId::new(1).unwrap(), ..binding() },
		DeliveryBinding { sequence: 6, ..binding() },
		DeliveryBinding { sequence: 4, ..binding() },
	];
	for place in places {
		assert_eq!(open(&key(), &place, &envelope), Err(EnvelopeError::DoesNotOpen), "{place:?}");
	}
}

#[test]
fn another_recipient_cannot_open() {
	let envelope = seal(&key().public(), &binding(), b"state").unwrap();
	let other = AgreementKey::generate();
	let expected = binding().recipient;
	let mismatch = EnvelopeError::RecipientMismatch { expected };
	assert_eq!(open(&other, &binding(), &envelope), Err(mismatch.clone()));
	let readdressed = DeliveryBinding { recipient: KeyId::of(&other.public()), ..binding() };
	assert_eq!(open(&other, &readdressed, &envelope), Err(EnvelopeError::DoesNotOpen));
	assert_eq!(seal(&other.public(), &binding(), b""), Err(mismatch));
}

#[test]
fn impossible_lengths_are_refused() {
	for len in [0, MIN_BLOB_LEN as usize - 1, MAX_BLOB_LEN as usize + 1] {
		let opened = open(&key(), &binding(), &vec![0; len]);
		assert_eq!(opened, Err(EnvelopeError::Length { len }));
	}
	let len = MAX_PLAINTEXT_LEN + 1;
	let sealed = seal(&key().public(), &binding(), &vec![0; len]);
	assert_eq!(sealed, Err(EnvelopeError::TooLong { len, room: MAX_PLAINTEXT_LEN }));
}

#[test]
fn only_agreement_keys_receive() {
	let key_type = KeyType::Ed25519;
	let public = PublicKey::new(key_type, &[1; 32]).unwrap();
	let sealed = seal(&public, &binding(), b"");
	let needed = KeyType::X25519;
	assert_eq!(sealed, Err(EnvelopeError::RecipientUnfit { key_type, needed }));
}

#[test]
fn a_degenerate_key_is_refused() {
	let public = PublicKey::new(KeyType::X25519, &[0; 32]).unwrap();
	let binding = DeliveryBinding { recipient: KeyId::of(&public), ..binding() };
	assert_eq!(seal(&public, &binding, b""), Err(EnvelopeError::RecipientInvalid));
}

/// RFC 9180 appendix A.2.1 (this suite, Base mode), first encryption: our choice of algorithms is the one that other
/// implementations know by the same ids.
#[test]
fn the_suite_is_that_of_the_rfc() {
	let bytes = |text: &str| hex::decode(text).unwrap();
	let secret = bytes("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
	let enc = bytes("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
	let info = bytes("4f6465206f6e2061204772656369616e2055726e");
	let aad = bytes("436f756e742d30");
	let ciphertext = bytes(
		"1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
	);
	let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
		&OpModeR::Base,
		&AgreementKey::from_secret_bytes(&secret.try_into().unwrap()).hpke(),
		&Encapped::from_bytes(&enc).unwrap(),
		&info,
		&ciphertext,
		&aad,
	)
	.unwrap();
	assert_eq!(opened, b"Beauty is truth, truth beauty");
}

/// Envelopes that other implementations of HPKE have made once, the last three those of `client/e2e/hpke`: a record on the
/// chain has to open with every later version. The shared ones are for another device as well, which comes first.
#[test]
fn an_old_envelope_still_opens() {
	let old = [
		include_str!("../../vectors/envelope.hex"),
		include_str!("../../vectors/envelope-x-wing.hex"),
		include_str!("../../vectors/envelope-shared.hex"),
		include_str!("../../vectors/envelope-shared-x-wing.hex"),
	];
	for ((suite, secret, _), text) in suites().into_iter().zip(old) {
		let envelope = hex::decode(text.trim()).unwrap();
		let opened = open(&*secret, &bound(suite, &*secret), &envelope).unwrap();
		assert_eq!(opened.as_slice(), b"the desired state", "{suite:?}");
	}
	assert_eq!(old.len(), Suite::ALL.len());
}

fn hybrid() -> HybridKey {
	HybridKey::from_secret_bytes(&[8; 32])
}

/// A binding for this key under this suite.
fn bound(suite: Suite, key: &dyn OpeningKey) -> DeliveryBinding {
	let recipient = KeyId::of_device(binding().device, &key.public());
	DeliveryBinding { suite, recipient, ..binding() }
}

/// Every suite with a key for it, and its public half.
fn suites() -> Vec<(Suite, Box<dyn OpeningKey>, RecipientKey)> {
	Suite::ALL
		.into_iter()
		.map(|suite| match suite.recipient_type() {
			KeyType::XWing => {
				let public = RecipientKey::XWing(hybrid().public_bytes());
				(suite, Box::new(hybrid()) as Box<dyn OpeningKey>, public)
			},
			_ => (suite, Box::new(key()) as _, RecipientKey::X25519(key().public())),
		})
		.collect()
}

#[test]
fn what_is_sealed_opens_under_every_suite() {
	for (suite, secret, public) in suites() {
		let binding = bound(suite, &*secret);
		let room = MAX_BLOB_LEN as usize - suite.min_len() as usize;
		for len in [0, 5, room] {
			let envelope = seal_to(&public, &binding, &vec![9; len]).unwrap();
			assert_eq!(envelope.len(), len + suite.min_len() as usize, "{suite:?}");
			assert_eq!(open(&*secret, &binding, &envelope).unwrap().as_slice(), vec![9; len]);
		}
		let len = room + 1;
		let sealed = seal_to(&public, &binding, &vec![9; len]);
		assert_eq!(sealed, Err(EnvelopeError::TooLong { len, room }));
	}
}

#[test]
fn an_envelope_of_one_suite_is_none_of_another() {
	for (suite, secret, public) in suites() {
		let envelope = seal_to(&public, &bound(suite, &*secret), b"state").unwrap();
		for (other, secret, _) in suites().into_iter().filter(|(other, ..)| *other != suite) {
			let opened = open(&*secret, &bound(other, &*secret), &envelope);
			assert!(opened.is_err(), "{suite:?} as {other:?}");
		}
	}
}

#[test]
fn a_key_of_the_wrong_type_neither_seals_nor_opens() {
	for (suite, secret, _) in suites() {
		for (_, other, public) in suites() {
			let fits = other.public().key_type == suite.recipient_type();
			let binding = bound(suite, &*other);
			let sealed = seal_to(&public, &binding, b"state");
			assert_eq!(sealed.is_ok(), fits, "{suite:?}");
			if !fits {
				let envelope = vec![0; suite.min_len() as usize];
				let unfit = open(&*other, &binding, &envelope).unwrap_err();
				assert!(matches!(unfit, EnvelopeError::RecipientUnfit { .. }));
			}
		}
		assert!(open(&*secret, &bound(suite, &*secret), &[]).is_err());
	}
}

#[test]
fn a_flipped_bit_anywhere_is_found_under_every_suite() {
	for (suite, secret, public) in suites() {
		let binding = bound(suite, &*secret);
		let envelope = seal_to(&public, &binding, b"state").unwrap();
		for byte in 0..envelope.len() {
			let mut altered = envelope.clone();
			altered[byte] ^= 0x40;
			assert!(open(&*secret, &binding, &altered).is_err(), "{suite:?} {byte}");
		}
	}
}

#[test]
fn an_envelope_opens_in_no_other_place_under_any_suite() {
	for (suite, secret, public) in suites() {
		let binding = bound(suite, &*secret);
		let envelope = seal_to(&public, &binding, b"state").unwrap();
		let places = [
			DeliveryBinding { genesis: [9; 32], ..binding.clone() },
			DeliveryBinding { organisation: OrganisationId([9; 32]), ..binding.clone() },
			DeliveryBinding { publisher: [9; 32], ..binding.clone() },
			DeliveryBinding { device: DeviceId([9; 32]), ..binding.clone() },
			DeliveryBinding { channel: ChannelId::new(1).unwrap(), ..binding.clone() },
			DeliveryBinding { sequence: 6, ..binding.clone() },
		];
		for place in places {
			let recipient = KeyId::of_device(place.device, &secret.public());
			let place = DeliveryBinding { recipient, ..place };
			let opened = open(&*secret, &place, &envelope);
			assert_eq!(opened, Err(EnvelopeError::DoesNotOpen), "{suite:?} {place:?}");
		}
	}
}

/// So many devices with a key each, and the envelope for all of them.
fn fleet(count: u16) -> Vec<(AgreementKey, (RecipientKey, DeliveryBinding))> {
	(0..count)
		.map(|number| {
			// Not at its ends, where X25519 ignores some bits.
			let mut bytes = [1; 32];
			bytes[8..10].copy_from_slice(&number.to_le_bytes());
			let key = AgreementKey::from_secret_bytes(&bytes);
			let binding = DeliveryBinding {
				device: DeviceId(bytes),
				sequence: 100 + u64::from(number),
				..bound(Suite::SharedX25519, &key)
			};
			let public = RecipientKey::X25519(key.public());
			(key, (public, binding))
		})
		.collect()
}

#[test]
fn every_recipient_of_a_shared_envelope_finds_the_same() {
	let fleet = fleet(MAX_RECIPIENTS as u16);
	let recipients: Vec<_> = fleet.iter().map(|(_, recipient)| recipient.clone()).collect();
	let (envelope, content_key) = seal_shared(&recipients, b"state").unwrap();
	for (key, (_, binding)) in &fleet {
		assert_eq!(open(key, binding, &envelope).unwrap().as_slice(), b"state");
	}
	let reviewed = review(Suite::SharedX25519, &envelope, &content_key).unwrap();
	assert_eq!(reviewed.as_slice(), b"state");
	// Nobody opens the place of another, and no stranger any.
	let (key, _) = &fleet[0];
	let (_, (_, theirs)) = &fleet[1];
	assert!(open(key, theirs, &envelope).is_err());
	let stranger = AgreementKey::generate();
	let place = bound(Suite::SharedX25519, &stranger);
	assert_eq!(open(&stranger, &place, &envelope), Err(EnvelopeError::DoesNotOpen));
}

#[test]
fn every_recipient_with_a_hybrid_key_finds_the_same_and_only_by_its_own_place() {
	let keys: Vec<_> = (1..=3).map(|seed| HybridKey::from_secret_bytes(&[seed; 32])).collect();
	let sealed: Vec<_> = (1..)
		.zip(&keys)
		.map(|(number, key)| {
			let device = DeviceId([number; 32]);
			let recipient = KeyId::of_device(device, &OpeningKey::public(key));
			let suite = Suite::SharedXWing;
			let place =
				DeliveryBinding { device, recipient, suite, sequence: number.into(), ..binding() };
			(RecipientKey::XWing(key.public_bytes()), place)
		})
		.collect();
	let (envelope, content_key) = seal_shared(&sealed, b"fleet").unwrap();
	assert_eq!(**review(Suite::SharedXWing, &envelope, &content_key).unwrap(), *b"fleet");
	for (key, (_, place)) in keys.iter().zip(&sealed) {
		assert_eq!(**open(key, place, &envelope).unwrap(), *b"fleet");
		let other = DeliveryBinding { sequence: 9, ..place.clone() };
		assert_eq!(open(key, &other, &envelope), Err(EnvelopeError::DoesNotOpen));
	}
	let theirs = open(&keys[0], &sealed[1].1, &envelope);
	assert!(matches!(theirs, Err(EnvelopeError::RecipientMismatch { .. })), "{theirs:?}");
	// Among hybrid keys there is none that a quantum computer breaks.
	let mut mixed = sealed;
	mixed[2].0 = RecipientKey::X25519(key().public());
	assert!(matches!(seal_shared(&mixed, b"x"), Err(EnvelopeError::RecipientUnfit { .. })));
}

#[test]
fn the_content_key_survives_being_read_aloud() {
	let (_, recipient) = fleet(1).remove(0);
	let (envelope, key) = seal_shared(std::slice::from_ref(&recipient), b"state").unwrap();
	let again = ContentKey::from_text(&format!("{}\n", &*key.to_text())).unwrap();
	assert_eq!(again, key);
	assert_eq!(format!("{key:?}"), "ContentKey(secret)");
	for text in ["", "12", &"g".repeat(64)] {
		assert_eq!(ContentKey::from_text(text), None);
	}
	// The key of another envelope, even of the same content.
	let (_, other) = seal_shared(&[recipient], b"state").unwrap();
	let reviewed = review(Suite::SharedX25519, &envelope, &other);
	assert_eq!(reviewed, Err(EnvelopeError::DoesNotOpen));
}

/// Somebody who wraps the content key puts another one into the slot of a device: it finds nothing, and not something else
/// than what was reviewed.
#[test]
fn a_recipient_is_given_no_other_content_than_the_others() {
	let mut fleet = fleet(2);
	let recipients: Vec<_> = fleet.iter().map(|(_, recipient)| recipient.clone()).collect();
	let (envelope, _) = seal_shared(&recipients, b"state").unwrap();
	let (key, (public, binding)) = fleet.remove(0);
	let ciphertext_at = SHARED_HEADER_LEN as usize + 2 * binding.suite.slot_len() as usize;
	let mut aad = binding.aad();
	aad.extend_from_slice(&sha2::Sha256::digest(&envelope[ciphertext_at..]));
	let forged = public.seal(&aad, &[5; 32]).unwrap();
	let mut altered = envelope.clone();
	let slot = SHARED_HEADER_LEN as usize + 8;
	altered[slot..slot + forged.len()].copy_from_slice(&forged);
	assert_eq!(open(&key, &binding, &altered), Err(EnvelopeError::DoesNotOpen));
	assert_eq!(open(&key, &binding, &envelope).unwrap().as_slice(), b"state");
}

#[test]
fn recipients_are_neither_missing_nor_too_many_nor_of_two_publishers() {
	assert_eq!(seal_shared(&[], b"").unwrap_err(), EnvelopeError::NoRecipient);
	let (_, recipient) = fleet(1).remove(0);
	let many = vec![recipient.clone(); MAX_RECIPIENTS as usize];
	let (envelope, _) = seal_shared(&many, b"state").unwrap();
	assert!(envelope.len() <= MAX_BLOB_LEN as usize);
	let too_many = vec![recipient.clone(); MAX_RECIPIENTS as usize + 1];
	let found = MAX_RECIPIENTS as usize + 1;
	let error = seal_shared(&too_many, b"state").unwrap_err();
	assert_eq!(error, EnvelopeError::TooManyRecipients { found });
	let mut other = recipient.clone();
	other.1.publisher = [9; 32];
	let error = seal_shared(&[recipient.clone(), other], b"").unwrap_err();
	assert_eq!(error, EnvelopeError::BindingsDiffer);
	let mut single = recipient;
	single.1.suite = Suite::X25519ChaCha20Poly1305;
	assert_eq!(seal_shared(&[single], b"").unwrap_err(), EnvelopeError::BindingsDiffer);
}

/// So many devices that have one hybrid key, under a number each.
fn hybrids(count: usize) -> Vec<(RecipientKey, DeliveryBinding)> {
	let key = hybrid();
	let public = RecipientKey::XWing(key.public_bytes());
	let place = bound(Suite::SharedXWing, &key);
	(0..count as u64)
		.map(|sequence| (public.clone(), DeliveryBinding { sequence, ..place.clone() }))
		.collect()
}

#[test]
fn an_envelope_has_room_for_so_many_hybrid_keys_and_says_for_how_many() {
	let suite = Suite::SharedXWing;
	// The smallest bundle there is, and the shortest content.
	let bundle = crate::Bundle::default().encode().unwrap();
	for (content, most) in [(&bundle[..], 54), (&b""[..], 55)] {
		assert_eq!(most_recipients(suite, content.len()), most);
		let recipients = hybrids(most + 1);
		let (envelope, _) = seal_shared(&recipients[..most], content).unwrap();
		assert!(envelope.len() <= MAX_BLOB_LEN as usize);
		for at in [0, most - 1] {
			assert_eq!(**open(&hybrid(), &recipients[at].1, &envelope).unwrap(), *content);
		}
		let error = seal_shared(&recipients, content).unwrap_err();
		let (found, len) = (most + 1, content.len());
		assert_eq!(error, EnvelopeError::NoRoom { found, most, len });
		let said = error.to_string();
		assert!(said.contains(&format!("for {found} devices")), "{said}");
		assert!(said.contains(&format!("deliver to {most} of them at a time")), "{said}");
	}
	// More than an envelope can have under any suite.
	let error = seal_shared(&hybrids(MAX_RECIPIENTS as usize + 1), b"").unwrap_err();
	assert!(matches!(error, EnvelopeError::TooManyRecipients { .. }), "{error}");
}

/// The table in the documentation.
#[test]
fn how_many_recipients_there_can_be_follows_from_the_content() {
	let most = |suite| [1, 2, 4, 8, 16, 32].map(|kib| most_recipients(suite, kib * 1024));
	assert_eq!(most(Suite::SharedXWing), [54, 53, 52, 48, 41, 27]);
	assert_eq!(most(Suite::SharedX25519), [256; 6]);
	for suite in [Suite::SharedX25519, Suite::SharedXWing] {
		let room = (MAX_BLOB_LEN - suite.min_len()) as usize;
		assert_eq!((most_recipients(suite, room), most_recipients(suite, room + 1)), (1, 0));
		assert_eq!(most_recipients(suite, usize::MAX), 0);
	}
}

#[test]
fn the_most_recipients_find_the_longest_content_that_leaves_room_for_them_and_no_byte_more() {
	let fleet = fleet(MAX_RECIPIENTS as u16);
	let recipients: Vec<_> = fleet.iter().map(|(_, recipient)| recipient.clone()).collect();
	let slots = recipients.len() * Suite::SharedX25519.slot_len() as usize;
	let room = MAX_BLOB_LEN as usize - SHARED_HEADER_LEN as usize - slots - TAG_LEN as usize;
	let (envelope, _) = seal_shared(&recipients, &vec![9; room]).unwrap();
	assert_eq!(envelope.len(), MAX_BLOB_LEN as usize);
	let (key, (_, place)) = fleet.last().unwrap();
	assert_eq!(open(key, place, &envelope).unwrap().as_slice(), vec![9; room]);
	let (found, most, len) = (256, 255, room + 1);
	let error = seal_shared(&recipients, &vec![9; len]).unwrap_err();
	assert_eq!(error, EnvelopeError::NoRoom { found, most, len });
}

#[test]
fn a_shared_envelope_of_another_form_is_refused_by_name() {
	let (key, recipient) = fleet(1).remove(0);
	let (envelope, content_key) = seal_shared(std::slice::from_ref(&recipient), b"state").unwrap();
	let refused = |change: &dyn Fn(&mut Vec<u8>)| {
		let mut altered = envelope.clone();
		change(&mut altered);
		open(&key, &recipient.1, &altered).unwrap_err()
	};
	assert_eq!(refused(&|it| it[0] = 2), EnvelopeError::Version { version: 2 });
	assert_eq!(refused(&|it| it[1] = 0), EnvelopeError::TooManyRecipients { found: 0 });
	assert_eq!(refused(&|it| it[2] = 2), EnvelopeError::TooManyRecipients { found: 513 });
	assert!(matches!(refused(&|it| it[1] = 200), EnvelopeError::Length { .. }));
	assert!(matches!(refused(&|it| it.truncate(90)), EnvelopeError::Length { .. }));
	let review = review(Suite::X25519ChaCha20Poly1305, &envelope, &content_key);
	assert_eq!(review, Err(EnvelopeError::NotShared));
}

#[test]
fn a_hybrid_key_travels_as_text() {
	let key = HybridKey::generate();
	let text = hybrid_key_text(&key.public_bytes());
	assert_eq!(text.parse(), Ok(RecipientKey::XWing(key.public_bytes())));
	assert_eq!(format!("{text}\n").parse(), Ok(RecipientKey::XWing(key.public_bytes())));
	for wrong in ["", "x-wing:0x12", &text[..100], &text.replace("x-wing", "x25519"), &text[7..]] {
		assert_eq!(wrong.parse::<RecipientKey>(), Err(RecipientError), "{wrong}");
	}
}
