//! Envelopes between our implementation and another one: the packages `@hpke/*` of npm, and what our documentation says of
//! the forms. `client/sdk/vectors` keeps some that the other one has made, which have to open with every later version.

use dpki_client::{
	envelope::{self, OpeningKey, RecipientKey, seal_shared, seal_to},
	possession::{AgreementKey, HybridKey},
	primitives::{
		channel::ChannelId,
		delivery::{DeliveryBinding, Suite},
		ids::{DeviceId, KeyId, OrganisationId},
		key::KeyType,
	},
};
use dpki_e2e::npm;
use serde_json::{Value, json};
use std::{
	io::Write,
	path::Path,
	process::{Command, Stdio},
};

const CONTENT: &[u8] = b"the desired state";

/// Somebody to whom envelopes are sealed.
struct Recipient {
	secret: Box<dyn OpeningKey>,
	digits: String,
	public: RecipientKey,
	place: DeliveryBinding,
}

impl Recipient {
	fn new(suite: Suite, number: u8) -> Self {
		let (secret, digits, public): (Box<dyn OpeningKey>, _, _) = match suite.recipient_type() {
			KeyType::XWing => {
				let key = HybridKey::generate();
				let public = RecipientKey::XWing(key.public_bytes());
				(Box::new(key.clone()), hex::encode(*key.to_secret_bytes()), public)
			},
			_ => {
				let key = AgreementKey::generate();
				let public = RecipientKey::X25519(key.public());
				(Box::new(key.clone()), hex::encode(*key.to_secret_bytes()), public)
			},
		};
		let device = DeviceId([number; 32]);
		let place = DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device,
			channel: ChannelId::new(7).expect("a channel"),
			recipient: KeyId::of_device(device, &public.public()),
			suite,
			sequence: 1 << (8 * (number % 8)),
		};
		Self { secret, digits, public, place }
	}

	/// The place in words of the other implementation.
	fn place(&self) -> Value {
		json!({
			"genesis": hex::encode(self.place.genesis),
			"organisation": hex::encode(self.place.organisation.0),
			"publisher": hex::encode(self.place.publisher),
			"device": hex::encode(self.place.device.0),
			"channel": self.place.channel.number(),
			"recipient": hex::encode(self.place.recipient.0),
			"sequence": self.place.sequence.to_string(),
		})
	}

	fn public(&self) -> String {
		match &self.public {
			RecipientKey::X25519(key) => hex::encode(&key.bytes),
			RecipientKey::XWing(bytes) => hex::encode(bytes),
		}
	}
}

/// Has the other implementation do this, and gives what comes of each task.
fn carry_out(package: &Path, tasks: &[Value]) -> Vec<Value> {
	let mut child = Command::new("node")
		.arg("envelopes.mjs")
		.current_dir(package)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.expect("node starts: scripts/setup installs it");
	let mut stdin = child.stdin.take().expect("piped");
	stdin.write_all(json!(tasks).to_string().as_bytes()).expect("it reads");
	drop(stdin);
	let output = child.wait_with_output().expect("it ends");
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	serde_json::from_slice(&output.stdout).expect("a list")
}

fn bytes(result: &Value, field: &str) -> Vec<u8> {
	hex::decode(result[field].as_str().expect("digits")).expect("hexadecimal digits")
}

#[test]
fn envelopes_open_in_another_implementation_and_those_of_it_in_ours() {
	let package = npm::install("e2e/hpke", "", &[]);
	for suite in Suite::ALL {
		let count = if suite.is_shared() { 3 } else { 1 };
		let recipients: Vec<_> = (1..=count).map(|number| Recipient::new(suite, number)).collect();
		// The number of a suite on the chain.
		let number = codec::Encode::encode(&suite)[0];

		let envelope = if suite.is_shared() {
			let sealed: Vec<_> =
				recipients.iter().map(|it| (it.public.clone(), it.place.clone())).collect();
			seal_shared(&sealed, CONTENT).expect("seals").0
		} else {
			seal_to(&recipients[0].public, &recipients[0].place, CONTENT).expect("seals")
		};
		let envelope = hex::encode(envelope);
		let open = |it: &Recipient| {
			json!({
				"suite": number,
				"secret": it.digits,
				"place": it.place(),
				"envelope": envelope,
			})
		};
		let opened = carry_out(&package, &recipients.iter().map(open).collect::<Vec<_>>());
		assert_eq!(opened.len(), recipients.len());
		for result in &opened {
			assert_eq!(bytes(result, "content"), CONTENT, "{suite:?}");
		}

		let to = |it: &Recipient| json!({ "public": it.public(), "place": it.place() });
		let seal = json!({
			"suite": number,
			"recipients": recipients.iter().map(to).collect::<Vec<_>>(),
			"content": hex::encode(CONTENT),
		});
		let sealed = bytes(&carry_out(&package, &[seal])[0], "envelope");
		for it in &recipients {
			let found = envelope::open(&*it.secret, &it.place, &sealed);
			assert_eq!(found.expect("opens").as_slice(), CONTENT, "{suite:?}");
		}
	}
}
